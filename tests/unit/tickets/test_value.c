/* Filters and types in bodies: what a profile writes is what arrives as JSON. */
#include "help.h"

static const char facts[] =
    "{\"incident\":{\"title\":\"a\\nb  "
    "\\u202e\\\"c\",\"body\":\"${secret.token}\",\"priority\":\"P2\",\"count\":7,"
    "\"tags\":[\"x\",\"y z\"],\"ci\":\"\",\"opened_at\":\"2026-11-22T13:00:12.5+01:00\",\"dedup_key\":\"it's "
    "\\\\ ^\","
    "\"services\":\"a\\u001fb\",\"fields\":{\"team\":\"net\",\"level\":3,\"on\":true,\"deep\":{\"a\":[1]}}}}";

static void check(const char *leaf, const char *want)
{
	struct bench b;
	struct buf text = {0};
	buf_printf(&text,
	           "profile: 1\nname: x\nauth: none\nlimits: {body: 200, title: 20}\n"
	           "maps: {num: {P2: 70}, txt: {P2: \"70\"}, yes: {P2: true}}\nops:\n"
	           "  create:\n    method: POST\n    url: \"${conf.base}/t\"\n    extract: {id: id}\n    "
	           "body:\n      v: %s\n",
	           leaf);
	bench_init(&b, load_text(buf_cstr(&text), NULL));
	struct ticket_talk *t = begin(&b, TICKET_CREATE, facts);
	struct ticket_request r = {0};
	struct ticket_result res = {0};
	char got[600];
	if (ticket_talk_next(t, &r, &res) == TALK_REQUEST)
		snprintf(got, sizeof got, SLICE_FMT, SLICE_ARG(r.body));
	else
		snprintf(got, sizeof got, "refused: " SLICE_FMT, SLICE_ARG(res.message));
	if (strncmp(want, "refused: ", 9) == 0 ? strstr(got, want + 9) == NULL : strcmp(got, want) != 0)
		fail_msg("%s: expected %s, got %s", leaf, want, got);
	ticket_talk_free(t);
	ticket_profile_free(b.profile);
	buf_free(&text);
}

static void types(void **state)
{
	(void)state;
	check("\"${incident.count}\"", "{\"v\":7}");
	check("\"${incident.count|str}\"", "{\"v\":\"7\"}");
	check("\"n ${incident.count}\"", "{\"v\":\"n 7\"}");
	check("\"${incident.tags}\"", "{\"v\":[\"x\",\"y z\"]}");
	check("\"${incident.tags|join:', '}\"", "{\"v\":\"x, y z\"}");
	check("\"t=${incident.tags}\"", "{\"v\":\"t=x,y z\"}");
	check("\"${incident.tags|split:' '}\"", "{\"v\":[\"x\",\"y\",\"z\"]}");
	check("\"${incident.priority|split:','}\"", "{\"v\":[\"P2\"]}");
	check("\"${incident.priority|map:num}\"", "{\"v\":70}");
	check("\"${incident.priority|map:txt}\"", "{\"v\":\"70\"}");
	check("\"${incident.priority|map:txt|int}\"", "{\"v\":70}");
	check("\"${incident.priority|map:yes}\"", "{\"v\":true}");
	check("\"${incident.priority|int}\"", "refused: is no whole number");
	check("\"${incident.fields.level}\"", "{\"v\":3}");
	check("\"${incident.fields.on}\"", "{\"v\":true}");
	check("\"${incident.fields.deep}\"", "{\"v\":{\"a\":[1]}}");
	check("\"${incident.ci}\"", "{}");
	check("\"${incident.ci|keep}\"", "{\"v\":null}");
	check("\"${incident.fields.none}\"", "{}");
	check("\"${incident.ci|default:none}\"", "{\"v\":\"none\"}");
	check("{a: {b: \"${incident.ci}\"}}", "{}");
	check("{a: [\"${incident.ci}\", 1, \"1\", true, null, x, {}], b: []}",
	      "{\"v\":{\"a\":[1,\"1\",true,null,\"x\",{}],\"b\":[]}}");
	check("{\"${conf.queue}\": 1, \"${conf.nobody|default:''}\": 2}", "{\"v\":{\"Inc'\":1}}");
}

static void texts(void **state)
{
	(void)state;
	check("\"${incident.title}\"", "{\"v\":\"a b  \\\"c\"}");
	check("\"${incident.body}\"", "{\"v\":\"${secret.token}\"}");
	check("\"${incident.dedup_key|tql}\"", "{\"v\":\"it\\\\'s \\\\\\\\ ^\"}");
	check("\"${incident.dedup_key|snq}\"", "{\"v\":\"it's \\\\ ^^\"}");
	check("\"${incident.dedup_key|path}\"", "{\"v\":\"it%27s%20%5C%20%5E\"}");
	check("\"${incident.ci|path}\"", "refused: cannot stand in a URL");
	check("\"${incident.opened_at|rfc3339}\"", "{\"v\":\"2026-11-22T12:00:12.5Z\"}");
	check("\"${incident.opened_at|date:%d.%m.%Y %H:%M:%S %%}\"", "{\"v\":\"22.11.2026 12:00:12 %\"}");
	check("\"${incident.priority|hash:8}\"", "{\"v\":\"acbbb742\"}");
	check("\"${incident.priority|json}\"", "{\"v\":\"\\\"P2\\\"\"}");
	check("\"${incident.services|lower}\"", "{\"v\":\"a b\"}");
	check("\"$${x} $$ ${incident.priority}\"", "{\"v\":\"${x} $ P2\"}");
	check("\"${incident.ci|default:'}''|'}\"", "{\"v\":\"}'|\"}");
	check("\"${incident.dedup_key|nowild}\"", "{\"v\":\"it's \\\\ ^\"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(types), cmocka_unit_test(texts)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
