/* See schema_doc.h. */
#include "model/schema_doc.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "model/config_table.h"

static void head(struct jw *w, const char *title)
{
	jw_object(w);
	jw_kstr(w, "$schema", "https://json-schema.org/draft/2020-12/schema");
	jw_kstr(w, "title", title);
	jw_kstr(w, "type", "object");
}

static void described(struct jw *w, const char *key, const char *json)
{
	jw_key(w, key);
	jw_raw(w, slice_str(json));
}

/* ---- settings */

static const char *type_of(enum setting_type type)
{
	switch (type) {
	case SETTING_BOOL: return "boolean";
	case SETTING_U32:
	case SETTING_INT: return "integer";
	case SETTING_NUMBER: return "number";
	case SETTING_TEXT:
	case SETTING_DURATION:
	case SETTING_WAIT:
	case SETTING_SIZE:
	case SETTING_RATE:
	case SETTING_RATE_AUTO:
	case SETTING_INT_AUTO:
	case SETTING_MODE:
	case SETTING_LEVEL:
	case SETTING_SOURCE:
	case SETTING_SECRET:
	case SETTING_LIST:
	case SETTING_CIDRS:
	case SETTING_BINDS: break;
	}
	return NULL;
}

static bool is_list(enum setting_type type)
{
	return type == SETTING_LIST || type == SETTING_CIDRS || type == SETTING_BINDS;
}

static void setting(struct jw *w, const struct setting *s, size_t skip)
{
	const char *type = type_of(s->type);
	char text[512];
	jw_key(w, s->path + skip);
	jw_object(w);
	snprintf(text, sizeof text, "%s%s%s%s", s->help, s->def[0] != '\0' ? "; default " : "", s->def,
	         s->restart ? "; needs a restart" : "");
	jw_kstr(w, "description", text);
	if (type != NULL) {
		jw_kstr(w, "type", type);
	} else {
		jw_key(w, "type");
		jw_array(w);
		jw_str(w, "string");
		jw_str(w, "number");
		jw_str(w, "boolean");
		if (is_list(s->type))
			jw_str(w, "array");
		jw_array_end(w);
	}
	jw_end(w);
}

/* "a.b.c" becomes objects within objects. The rows of one group need not be neighbours. */
static void group(struct jw *w, const struct setting *v, size_t n, const char *prefix)
{
	size_t skip = strlen(prefix);
	for (size_t i = 0; i < n; i++) {
		if (strncmp(v[i].path, prefix, skip) != 0)
			continue;
		const char *rest = v[i].path + skip, *dot = strchr(rest, '.');
		size_t len = dot != NULL ? (size_t)(dot - rest) : 0;
		bool again = false;
		if (dot == NULL) {
			setting(w, &v[i], skip);
			continue;
		}
		for (size_t k = 0; k < i && !again; k++)
			again = strncmp(v[k].path, v[i].path, skip + len + 1) == 0;
		if (again)
			continue;
		char name[128];
		snprintf(name, sizeof name, "%.*s", (int)len, rest);
		jw_key(w, name);
		jw_object(w);
		snprintf(name, sizeof name, "settings below %s%.*s", prefix, (int)len, rest);
		jw_kstr(w, "description", name);
		jw_kstr(w, "type", "object");
		jw_kbool(w, "additionalProperties", false);
		jw_key(w, "properties");
		jw_object(w);
		snprintf(name, sizeof name, "%s%.*s.", prefix, (int)len, rest);
		group(w, v, n, name);
		jw_end(w);
		jw_end(w);
	}
}

static void named(struct jw *w, const char *key, const char *help, const struct setting *v, size_t n,
                  bool type)
{
	jw_key(w, key);
	jw_object(w);
	jw_kstr(w, "description", help);
	jw_kstr(w, "type", "object");
	jw_key(w, "additionalProperties");
	jw_object(w);
	jw_kstr(w, "type", "object");
	jw_kbool(w, "additionalProperties", false);
	jw_key(w, "properties");
	jw_object(w);
	if (type) {
		described(w, "type",
		          "{\"description\":\"which plugin reads it: syslog, snmptrap, webhook "
		          "…\",\"type\":\"string\"}");
	} else {
		described(
		    w, "conf",
		    "{\"description\":\"what the profile asks for: url, queue …\",\"type\":\"object\"}");
		described(w, "secret",
		          "{\"description\":\"references to the secrets that the profile asks "
		          "for\",\"type\":\"object\"}");
	}
	group(w, v, n, "");
	jw_end(w);
	jw_end(w);
	jw_end(w);
}

void schema_config_json(struct buf *out)
{
	struct jw w = jw_new(out);
	head(&w, "carillon.yaml, the configuration of carillon");
	jw_kbool(&w, "additionalProperties", false);
	jw_key(&w, "properties");
	jw_object(&w);
	described(&w, "version", "{\"description\":\"version of the format: 1\",\"const\":1}");
	described(&w, "include",
	          "{\"description\":\"further files, patterns of names\",\"type\":[\"string\",\"array\"]}");
	group(&w, config_settings, config_settings_n, "");
	named(&w, "listeners", "where events come from, by name", listener_settings, listener_settings_n,
	      true);
	named(&w, "tickets", "connections to ticket systems, by name", ticket_settings, ticket_settings_n,
	      false);
	described(
	    &w, "packs",
	    "{\"description\":\"what the site changes in packs of rules, by package\",\"type\":\"object\","
	    "\"additionalProperties\":{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
	    "\"params\":{\"description\":\"other values of named constants\",\"type\":\"object\"},"
	    "\"lists\":{\"description\":\"values added to named lists\",\"type\":\"object\"},"
	    "\"off\":{\"description\":\"rules that do not run\",\"type\":[\"array\",\"string\"]},"
	    "\"trial\":{\"description\":\"rules that are only counted and "
	    "shown\",\"type\":[\"array\",\"string\"]}}}}");
	described(&w, "priority",
	          "{\"description\":\"priority by tier and what happened: {1: {down: P1, degraded: P2}, "
	          "none: P4}\","
	          "\"type\":\"object\"}");
	jw_end(&w);
	jw_end(&w);
	buf_char(out, '\n');
}

/* ---- maps */

#define TEXT  "\"type\":[\"string\",\"number\",\"boolean\"]"
#define TEXTS "\"type\":[\"string\",\"number\",\"array\"]"

static const struct {
	const char *key;
	bool of_defaults;
	const char *help, *json;
} service_keys[] = {
    {"name", false, "what people call it", TEXT},
    {"kind", true, "what it is: host, network, business …", TEXT},
    {"tier", true, "how much it matters, 1 to 4: a business service",
     "\"type\":\"integer\",\"minimum\":1,\"maximum\":4"},
    {"owner", true, "who answers for it", TEXT},
    {"assign", true, "assignment group of its tickets", TEXT},
    {"runbook", true, "URL of what to do", TEXT},
    {"source", true, "where the entry comes from", TEXT},
    {"labels", true, "further facts, for templates", "\"type\":\"object\""},
    {"needs", false,
     "services without which it fails: ids, {service, effect} or {any: [ids], at_least, effect}",
     "\"type\":\"array\""},
    {"hosts", false, "host names, patterns, addresses and networks that are it", TEXTS},
    {"aliases", false, "other names of it", TEXTS},
    {"ends", false, "a link: its two ends, {host, port}", "\"type\":\"array\""},
    {"ports", false, "a component: where it sits, {host, port}", "\"type\":\"array\""},
    {"hides", false, "services that cannot be reached without it", TEXTS},
};

const char *schema_map_key(bool of_defaults, size_t i)
{
	for (size_t k = 0; k < ARRAY_LEN(service_keys); k++)
		if ((!of_defaults || service_keys[k].of_defaults) && i-- == 0)
			return service_keys[k].key;
	return NULL;
}

static void service(struct jw *w, bool defaults)
{
	jw_kbool(w, "additionalProperties", false);
	jw_key(w, "properties");
	jw_object(w);
	for (size_t i = 0; i < ARRAY_LEN(service_keys); i++) {
		char json[512];
		if (defaults && !service_keys[i].of_defaults)
			continue;
		snprintf(json, sizeof json, "{\"description\":\"%s\",%s}", service_keys[i].help,
		         service_keys[i].json);
		described(w, service_keys[i].key, json);
	}
	jw_end(w);
}

void schema_map_json(struct buf *out)
{
	struct jw w = jw_new(out);
	head(&w, "carillon service map, version 1");
	jw_kbool(&w, "additionalProperties", false);
	described(&w, "required", "[\"version\",\"services\"]");
	jw_key(&w, "properties");
	jw_object(&w);
	described(&w, "version", "{\"description\":\"version of the format: 1\",\"const\":1}");
	jw_key(&w, "defaults");
	jw_object(&w);
	jw_kstr(&w, "description", "values for services of this file that do not write them");
	jw_kstr(&w, "type", "object");
	service(&w, true);
	jw_end(&w);
	jw_key(&w, "services");
	jw_object(&w);
	jw_kstr(&w, "description", "the services, by id");
	jw_kstr(&w, "type", "object");
	jw_key(&w, "patternProperties");
	jw_object(&w);
	jw_key(&w, "^[a-z0-9][a-z0-9._-]{0,127}$");
	jw_object(&w);
	described(&w, "type", "[\"object\",\"null\"]");
	service(&w, false);
	jw_end(&w);
	jw_end(&w);
	jw_kbool(&w, "additionalProperties", false);
	jw_end(&w);
	jw_end(&w);
	jw_end(&w);
	buf_char(out, '\n');
}
