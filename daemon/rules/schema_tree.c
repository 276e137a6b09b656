/* See schema_tree.h. Source: language.md sections 2, 5-8, 13. */
#include "rules/schema_tree.h"

#include <string.h>

static const struct schema_child children[] = {
    {"file", "decoders", SCHEMA_LIST_OF, &schema_decoder},
    {"file", "rules", SCHEMA_MAP_OF, &schema_rule},
    {"file", "tests", SCHEMA_LIST_OF, &schema_test},
    {"test file", "tests", SCHEMA_LIST_OF, &schema_test},
    {"rule", "when", SCHEMA_ONE, &schema_when},
    {"file", "tables", SCHEMA_MAP_OF, &schema_table},
    {"file", "calendars", SCHEMA_MAP_OF, &schema_calendar},
    {"calendar", "times", SCHEMA_LIST_OF, &schema_interval},
    {"calendar", "except", SCHEMA_LIST_OF, &schema_interval},
    {"decoder", "lookup", SCHEMA_LIST_OF, &schema_lookup},
    {"rule", "only_during", SCHEMA_ONE, &schema_only_during},
    {"file", "silences", SCHEMA_MAP_OF, &schema_silence},
    {"rule", "flap", SCHEMA_ONE, &schema_flap},
    {"when", "of", SCHEMA_ONE, &schema_of},
    {"when", "expect", SCHEMA_ONE, &schema_list_ref},
    {"when", "steps", SCHEMA_LIST_OF, &schema_step},
    {"rule", "clear", SCHEMA_ONE, &schema_clear},
    {"rule", "suppressed_by", SCHEMA_LIST_OF, &schema_suppression},
    {"rule", "incident", SCHEMA_ONE, &schema_incident},
    {"test", "events", SCHEMA_LIST_OF, &schema_input},
    {"test", "expect", SCHEMA_LIST_OF, &schema_expect},
    {"input", "snmp", SCHEMA_ONE, &schema_snmp},
    {"input", "webhook", SCHEMA_ONE, &schema_webhook},
    {"input", "ticket", SCHEMA_ONE, &schema_ticket},
    {"expect", "alerts", SCHEMA_LIST_OF, &schema_alert},
    {"expect", "incidents", SCHEMA_LIST_OF, &schema_incident_expected},
};

const struct schema_child *schema_children(size_t *n)
{
	*n = ARRAY_LEN(children);
	return children;
}

const struct schema_child *schema_child(const struct schema *parent, struct slice key)
{
	for (size_t i = 0; parent != NULL && i < ARRAY_LEN(children); i++)
		if (strcmp(children[i].parent, parent->name) == 0 && slice_is(key, children[i].key))
			return &children[i];
	return NULL;
}
