/* Which keys each thing of a rule file has, their kinds and their help, and one walk that holds a map against
 * such a table. Knows nothing of what the keys mean. Source: language.md sections 2, 5-8, 13. */

#include "rules/load.h"

#define WEEK (7 * DAY)

const char *const words_severity[] = {"critical", "major", "minor", "warning", "info", NULL};
const char *const words_state[] = {"problem", "clear", "info", NULL};
static const char *const words_nature[] = {"overload", "own-cause", "precursor", NULL};
static const char *const words_mode[] = {"live", "trial", "off", NULL};
static const char *const words_effect[] = {"down", "degraded", "risk", "none", NULL};
static const char *const words_group[] = {"topology", "alert", NULL};
static const char *const words_priority[] = {"auto", "P1", "P2", "P3", "P4", "P5", NULL};
static const char *const words_level[] = {"P1", "P2", "P3", "P4", "P5", NULL};
static const char *const words_resolve[] = {"auto", "comment", "never", NULL};
static const char *const words_window[] = {"sliding", "aligned", "session", NULL};
static const char *const words_order[] = {"strict", "any", NULL};
static const char *const words_alert[] = {"pending", "open", "closed", NULL};
static const char *const words_incident[] = {"gathering", "open",      "acked",  "clearing", "resolved",
                                             "closed",    "transient", "merged", NULL};
static const char *const words_scale[] = {"high", "medium", "low", NULL};
static const char *const words_ticket[] = {"none", "open", "resolved", NULL};
static const char *const words_person[] = {"acked", "open", "resolved", "wontfix", "gone", NULL};

static const struct schema_key file_keys[] = {
    {"version", KEY_TEXT, true, NULL, "language version: 1", 0, 0},
    {"package", KEY_TEXT, false, NULL, "namespace of the file's rules; several files may share one", 0, 0},
    {"owner", KEY_TEXT, false, NULL, "default owner of every rule in the file", 0, 0},
    {"description", KEY_TEXT, false, NULL, "shown in the console and the docs", 0, 0},
    {"fields", KEY_MAP, false, NULL, "fields that arrive ready-made: name and type", 0, 0},
    {"params", KEY_MAP, false, NULL, "named constants, used as a whole value: $name", 0, 0},
    {"lists", KEY_MAP, false, NULL, "named value sets", 0, 0},
    {"macros", KEY_MAP, false, NULL, "named conditions", 0, 0},
    {"tables", KEY_MAP, false, NULL, "lookup tables", 0, 0},
    {"calendars", KEY_MAP, false, NULL, "recurring times", 0, 0},
    {"decoders", KEY_LIST, false, NULL, "give events better fields, top to bottom", 0, 0},
    {"rules", KEY_MAP, false, NULL, "turn events into alerts", 0, 0},
    {"silences", KEY_MAP, false, NULL, "mute alerts for a time", 0, 0},
    {"tests", KEY_LIST, false, NULL, "events and what they must cause", 0, 0},
};
static const struct schema_key test_file_keys[] = {
    {"version", KEY_TEXT, true, NULL, "language version: 1", 0, 0},
    {"package", KEY_TEXT, false, NULL, "package whose rules are tested", 0, 0},
    {"tests", KEY_LIST, false, NULL, "events and what they must cause", 0, 0},
};
static const struct schema_key list_file_keys[] = {
    {"file", KEY_TEXT, true, NULL, "file with one value per line, relative to the rule file", 0, 0},
};
static const struct schema_key decoder_keys[] = {
    {"id", KEY_TEXT, true, NULL, "name of the decoder", 0, 0},
    {"summary", KEY_TEXT, false, NULL, "one line for people", 0, 0},
    {"match", KEY_MAP, true, NULL, "which events it works on", 0, 0},
    {"extract", KEY_MAP, false, NULL,
     "field and the patterns to take it apart with; the first that fits wins", 0, 0},
    {"lookup", KEY_LIST, false, NULL, "fields from a table", 0, 0},
    {"set", KEY_MAP, false, NULL, "field and template, or a map of another field's values", 0, 0},
    {"drop", KEY_TRUE, false, NULL, "forget the event", 0, 0},
};
static const struct schema_key decoder_map_keys[] = {
    {"from", KEY_TEXT, true, NULL, "field whose value is looked up", 0, 0},
    {"map", KEY_MAP, true, NULL, "value and what it becomes", 0, 0},
    {"default", KEY_TEXT, false, NULL, "for values that are not listed", 0, 0},
};
static const struct schema_key rule_keys[] = {
    {"summary", KEY_TEXT, true, NULL, "one line for people, 3 to 200 characters", 0, 0},
    {"description", KEY_TEXT, false, NULL, "body of the ticket", 0, 0},
    {"owner", KEY_TEXT, false, NULL, "shown in the ticket", 0, 0},
    {"runbook", KEY_TEXT, false, NULL, "URL, shown in the ticket", 0, 0},
    {"tags", KEY_TEXTS, false, NULL, "for filters and reports", 0, 0},
    {"nature", KEY_ENUM, false, words_nature, "what kind of evidence it is", 0, 0},
    {"mode", KEY_ENUM, false, words_mode, "trial: counted and shown, without effect", 0, 0},
    {"match", KEY_MAP, false, NULL, "which events it wants", 0, 0},
    {"by", KEY_LIST, false, NULL, "one alert for each combination of these fields; default [host]", 0, 0},
    {"when", KEY_MAP, false, NULL, "how many events it takes", 0, 0},
    {"open_after", KEY_DURATION, false, NULL, "the condition must last this long", 0, 0},
    {"clear", KEY_MAP, false, NULL, "what ends the alert", 0, 0},
    {"close_after", KEY_DURATION, false, NULL, "stay open this long after the clear", 0, 0},
    {"flap", KEY_FALSE_OR_MAP, false, NULL, "hold the alert open while it changes too often", 0, 0},
    {"only_during", KEY_TEXT_OR_MAP, false, NULL, "calendar outside of which nothing opens", 0, 0},
    {"suppressed_by", KEY_LIST, false, NULL, "while such an alert is open, this one is muted", 0, 0},
    {"service", KEY_TEXT, false, NULL, "the service this alert speaks about", 0, 0},
    {"severity", KEY_TEXT, false, NULL, "a word or one ${field}", 0, 0},
    {"effect", KEY_ENUM, false, words_effect, "what the alert says about the service", 0, 0},
    {"peer", KEY_TEXT, false, NULL, "the component that the text blames", 0, 0},
    {"incident", KEY_FALSE_OR_MAP, false, NULL, "how its incident and ticket are made; false: alert only", 0,
     0},
};
static const struct schema_key when_keys[] = {
    {"at_least", KEY_NUMBER, false, NULL, "so many events, or the value of `of`", 0, 0},
    {"within", KEY_DURATION, false, NULL, "in so much time, at most 7d", MSEC, WEEK},
    {"of", KEY_MAP, false, NULL, "what is counted instead of events", 0, 0},
    {"window", KEY_ENUM, false, words_window, "kind of window", 0, 0},
    {"fewer_than", KEY_COUNT, false, NULL, "too few events", 0, 0},
    {"expect", KEY_MAP, false, NULL, "list of keys that must be heard", 0, 0},
    {"steps", KEY_LIST, false, NULL, "a sequence of conditions", 0, 0},
    {"order", KEY_ENUM, false, words_order, "order of the steps", 0, 0},
};
static const struct schema_key of_keys[] = {
    {"distinct", KEY_TEXT, false, NULL, "how many different values the field had", 0, 0},
    {"sum", KEY_TEXT, false, NULL, "sum of the field's values", 0, 0},
    {"avg", KEY_TEXT, false, NULL, "their average, of 5 values and more", 0, 0},
    {"min", KEY_TEXT, false, NULL, "the smallest value", 0, 0},
    {"max", KEY_TEXT, false, NULL, "the greatest value", 0, 0},
    {"p50", KEY_TEXT, false, NULL, "the median, of 5 values and more", 0, 0},
    {"p90", KEY_TEXT, false, NULL, "90 of 100 values are not above it", 0, 0},
    {"p95", KEY_TEXT, false, NULL, "95 of 100 values are not above it", 0, 0},
    {"p99", KEY_TEXT, false, NULL, "99 of 100 values are not above it", 0, 0},
};
static const struct schema_key list_ref_keys[] = {
    {"list", KEY_TEXT, true, NULL, "name of the list", 0, 0},
};
static const struct schema_key step_keys[] = {
    {"match", KEY_MAP, false, NULL, "the event of this step", 0, 0},
    {"absent", KEY_MAP, false, NULL, "no such event between its neighbours, or to the end", 0, 0},
    {"times", KEY_COUNT, false, NULL, "so many events; default 1", 0, 0},
    {"name", KEY_TEXT, false, NULL, "for templates: ${steps.NAME.field}", 0, 0},
};
static const struct schema_key flap_keys[] = {
    {"changes", KEY_COUNT, true, NULL, "so many openings and clears", 0, 0},
    {"within", KEY_DURATION, true, NULL, "in so much time, at most 7d", MSEC, WEEK},
    {"settle", KEY_DURATION, true, NULL, "unchanged for so long, the alert is no longer held", 0, 0},
};
static const struct schema_key clear_keys[] = {
    {"match", KEY_MAP, false, NULL, "an event that clears", 0, 0},
    {"quiet", KEY_DURATION, false, NULL, "the condition was not true for so long", 0, 0},
    {"fewer_than", KEY_COUNT, false, NULL, "fewer events than this", 0, 0},
    {"within", KEY_DURATION, false, NULL, "in so much time, at most 7d", MSEC, WEEK},
};
static const struct schema_key suppression_keys[] = {
    {"rule", KEY_TEXT_OR_LIST, false, NULL, "rules whose open alert mutes this one", 0, 0},
    {"match", KEY_MAP, false, NULL, "condition on alerts that mute this one", 0, 0},
    {"same", KEY_LIST, false, NULL, "fields that must be equal on both alerts", 0, 0},
};
static const struct schema_key incident_keys[] = {
    {"group", KEY_ENUM_OR_LIST, false, words_group, "which open incident an alert joins", 0, 0},
    {"wait", KEY_DURATION_OR_AUTO, false, NULL, "gather before the ticket is made", 0, 0},
    {"title", KEY_TEXT, false, NULL, "template", 0, 0},
    {"description", KEY_TEXT, false, NULL, "template", 0, 0},
    {"priority", KEY_ENUM, false, words_priority, "auto: by tier and effect", 0, 0},
    {"assign", KEY_TEXT, false, NULL, "assignment group, template", 0, 0},
    {"ticket", KEY_TEXT, false, NULL, "connection of carillon.yaml, or none", 0, 0},
    {"fields", KEY_MAP, false, NULL, "extra fields for the ticket, templates", 0, 0},
    {"reopen_within", KEY_DURATION, false, NULL, "the same cause again within this time reopens", 0, 0},
    {"resolve", KEY_ENUM, false, words_resolve, "what happens to the ticket in the end", 0, 0},
    {"resolve_after", KEY_DURATION_OR_AUTO, false, NULL, "calm since the last clear", 0, 0},
};
static const struct schema_key test_keys[] = {
    {"name", KEY_TEXT, true, NULL, "what the test shows", 0, 0},
    {"rules", KEY_LIST, false, NULL, "rules that take part; default: all of the package", 0, 0},
    {"map", KEY_TEXT_OR_MAP, false, NULL, "service map or the path of one", 0, 0},
    {"start", KEY_TIME, false, NULL, "wall clock at 0s", 0, 0},
    {"events", KEY_LIST, true, NULL, "what happens", 0, 0},
    {"expect", KEY_LIST, true, NULL, "what must be seen", 0, 0},
};
static const struct schema_key input_keys[] = {
    {"at", KEY_DURATION, true, NULL, "time since the start", 0, 0},
    {"repeat", KEY_COUNT, false, NULL, "so many times", 0, 0},
    {"every", KEY_DURATION, false, NULL, "distance of the repetitions", 0, 0},
    {"event", KEY_MAP, false, NULL, "fields; decoders run", 0, 0},
    {"syslog", KEY_TEXT, false, NULL, "a raw line through the real parser", 0, 0},
    {"snmp", KEY_MAP, false, NULL, "a trap", 0, 0},
    {"webhook", KEY_MAP, false, NULL, "a request body", 0, 0},
    {"ticket", KEY_MAP, false, NULL, "what a person did to the ticket", 0, 0},
    {"map", KEY_MAP, false, NULL, "a whole map that replaces the running one", 0, 0},
};
static const struct schema_key snmp_keys[] = {
    {"trap", KEY_TEXT, true, NULL, "name or OID of the trap", 0, 0},
    {"agent", KEY_TEXT, false, NULL, "host that sent it", 0, 0},
    {"vars", KEY_MAP, false, NULL, "variables", 0, 0},
};
static const struct schema_key webhook_keys[] = {
    {"listener", KEY_TEXT, false, NULL, "a webhook listener of the defaults", 0, 0},
    {"body", KEY_ANY, true, NULL, "JSON body", 0, 0},
};
static const struct schema_key calendar_keys[] = {
    {"timezone", KEY_TEXT, false, NULL, "IANA name; default: the daemon's timezone", 0, 0},
    {"times", KEY_LIST, false, NULL, "intervals; any of them", 0, 0},
    {"except", KEY_LIST, false, NULL, "intervals that are not meant; they win", 0, 0},
    {"ical", KEY_TEXT, false, NULL, "iCalendar file with events, relative to the rule file", 0, 0},
};
static const struct schema_key interval_keys[] = {
    {"weekdays", KEY_TEXTS, false, NULL, "mon, or mon-fri", 0, 0},
    {"month_days", KEY_TEXTS, false, NULL, "1, 8-14; -1 is the last day", 0, 0},
    {"months", KEY_TEXTS, false, NULL, "jan, or oct-dec", 0, 0},
    {"dates", KEY_TEXTS, false, NULL, "2026-12-24, or 2026-12-24..2026-12-26", 0, 0},
    {"from", KEY_TEXT, false, NULL, "time of day, 08:00; with to", 0, 0},
    {"to", KEY_TEXT, false, NULL, "time of day, not inside any more; before from: of the next day", 0, 0},
};
static const struct schema_key only_during_keys[] = {
    {"not", KEY_TEXT, true, NULL, "calendar inside of which nothing opens", 0, 0},
};
static const struct schema_key table_keys[] = {
    {"file", KEY_TEXT, false, NULL, "CSV file, relative to the rule file", 0, 0},
    {"redis", KEY_TEXT, false, NULL, "prefix of Redis HASHes, one for each row", 0, 0},
    {"key", KEY_TEXT, true, NULL, "column by which rows are found", 0, 0},
};
static const struct schema_key lookup_keys[] = {
    {"table", KEY_TEXT, true, NULL, "table", 0, 0},
    {"key", KEY_TEXT, true, NULL, "template: which row", 0, 0},
    {"set", KEY_MAP, true, NULL, "field and the column whose value it gets", 0, 0},
};
static const struct schema_key silence_keys[] = {
    {"match", KEY_MAP, true, NULL, "which alerts; with include_dependents: which services", 0, 0},
    {"reason", KEY_TEXT, true, NULL, "why, for people", 0, 0},
    {"owner", KEY_TEXT, false, NULL, "who answers for it; default: the file's", 0, 0},
    {"from", KEY_TIME, false, NULL, "begins then; default: it has begun", 0, 0},
    {"until", KEY_TIME, false, NULL, "ends then", 0, 0},
    {"during", KEY_TEXT, false, NULL, "calendar in which it is in force, instead of until", 0, 0},
    {"include_dependents", KEY_BOOL, false, NULL, "maintenance of the services that it names", 0, 0},
};
static const struct schema_key ticket_keys[] = {
    {"root", KEY_TEXT, false, NULL, "service at the root of the incident", 0, 0},
    {"rule", KEY_TEXT, false, NULL, "first rule of the incident", 0, 0},
    {"state", KEY_ENUM, false, words_person, "what a person made of it", 0, 0},
    {"priority", KEY_ENUM, false, words_level, "priority that a person set", 0, 0},
    {"merged_into", KEY_TEXT, false, NULL, "root of the other incident", 0, 0},
};
static const struct schema_key expect_keys[] = {
    {"at", KEY_DURATION, true, NULL, "time since the start", 0, 0},
    {"alerts", KEY_LIST, false, NULL, "all open alerts", 0, 0},
    {"incidents", KEY_LIST, false, NULL, "all open incidents", 0, 0},
    {"decoded", KEY_LIST, false, NULL, "fields of the events so far", 0, 0},
};
static const struct schema_key alert_keys[] = {
    {"rule", KEY_TEXT, true, NULL, "rule of the alert", 0, 0},
    {"by", KEY_MAP, false, NULL, "its fields", 0, 0},
    {"state", KEY_ENUM, false, words_alert, "default open", 0, 0},
    {"count", KEY_INTEGER, false, NULL, "events", 0, 0},
    {"severity", KEY_ENUM, false, words_severity, "highest since it opened", 0, 0},
    {"service", KEY_TEXT_OR_NULL, false, NULL, "service it speaks about", 0, 0},
    {"suppressed", KEY_TEXT_OR_NULL, false, NULL, "rule that mutes it", 0, 0},
    {"silenced", KEY_TEXT_OR_NULL, false, NULL, "silence that mutes it", 0, 0},
    {"flapping", KEY_BOOL, false, NULL, "is held open", 0, 0},
    {"cause", KEY_TEXT_OR_NULL, false, NULL, "service that explains it", 0, 0},
};
static const struct schema_key expected_incident_keys[] = {
    {"title", KEY_TEXT, false, NULL, "its title", 0, 0},
    {"state", KEY_ENUM, false, words_incident, "default: open, acked or clearing", 0, 0},
    {"priority", KEY_ENUM, false, words_level, "its priority", 0, 0},
    {"impact", KEY_ENUM, false, words_scale, "by the tier of the hurt service", 0, 0},
    {"urgency", KEY_ENUM, false, words_scale, "by what happened to it", 0, 0},
    {"root", KEY_TEXT_OR_NULL, false, NULL, "service at its root", 0, 0},
    {"services", KEY_TEXTS, false, NULL, "services in it", 0, 0},
    {"assign", KEY_TEXT, false, NULL, "assignment group", 0, 0},
    {"alerts", KEY_INTEGER, false, NULL, "number of alerts, open and closed", 0, 0},
    {"ticket", KEY_ENUM, false, words_ticket, "what the ticket system would show", 0, 0},
};

#define SCHEMA(var, name, keys, params) const struct schema var = {name, keys, ARRAY_LEN(keys), params}
SCHEMA(schema_file, "file", file_keys, false);
SCHEMA(schema_test_file, "test file", test_file_keys, false);
SCHEMA(schema_list_file, "list", list_file_keys, false);
SCHEMA(schema_decoder, "decoder", decoder_keys, true);
SCHEMA(schema_decoder_map, "set", decoder_map_keys, true);
SCHEMA(schema_rule, "rule", rule_keys, true);
SCHEMA(schema_when, "when", when_keys, true);
SCHEMA(schema_of, "of", of_keys, false);
SCHEMA(schema_list_ref, "expect", list_ref_keys, false);
SCHEMA(schema_step, "step", step_keys, true);
SCHEMA(schema_flap, "flap", flap_keys, true);
SCHEMA(schema_clear, "clear", clear_keys, true);
SCHEMA(schema_suppression, "suppressed_by", suppression_keys, false);
SCHEMA(schema_incident, "incident", incident_keys, true);
SCHEMA(schema_test, "test", test_keys, false);
SCHEMA(schema_input, "input", input_keys, false);
SCHEMA(schema_snmp, "snmp", snmp_keys, false);
SCHEMA(schema_webhook, "webhook", webhook_keys, false);
SCHEMA(schema_calendar, "calendar", calendar_keys, false);
SCHEMA(schema_interval, "interval", interval_keys, false);
SCHEMA(schema_only_during, "only_during", only_during_keys, false);
SCHEMA(schema_table, "table", table_keys, false);
SCHEMA(schema_lookup, "lookup", lookup_keys, true);
SCHEMA(schema_silence, "silence", silence_keys, true);
SCHEMA(schema_ticket, "ticket", ticket_keys, false);
SCHEMA(schema_expect, "expect", expect_keys, false);
SCHEMA(schema_alert, "alert", alert_keys, false);
SCHEMA(schema_incident_expected, "expected incident", expected_incident_keys, false);

const struct schema_key *schema_key(const struct schema *s, struct slice key)
{
	for (size_t i = 0; i < s->n; i++)
		if (slice_is(key, s->keys[i].name))
			return &s->keys[i];
	return NULL;
}
