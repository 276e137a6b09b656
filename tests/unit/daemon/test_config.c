/* carillon.yaml as a value: what each file gives, what is refused, where and in which words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/config_table.h"

static struct config *load(struct findings *f, size_t n, const char *const *texts)
{
	static const char *const names[] = {"carillon.yaml", "conf.d/10-a.yaml", "conf.d/20-b.yaml"};
	struct config_file files[3];

	assert_true(n <= ARRAY_LEN(files));
	for (size_t i = 0; i < n; i++)
		files[i] = (struct config_file){names[i], slice_str(texts[i])};
	return config_load(files, n, "box", f);
}

static char *words(struct findings *f)
{
	struct buf b = {0};
	char *text;

	findings_sort(f);
	findings_text(f, &b);
	text = xstrdup(buf_cstr(&b));
	buf_free(&b);
	return text;
}

/* ---- refusals: place, words, code */

static const struct {
	const char *yaml;
	const char *line; /* the first line of the findings */
} refused[] = {
    {"version: 1\nmap: [\n", "carillon.yaml:3:1: error: not valid YAML"},
    {"version: 1\nmap: {path: /a}\nmap: {path: /b}\n",
     "carillon.yaml:3:1: error: duplicate key 'map'; first at 2:1 [E002]"},
    {"version: 1\nmap: &x {path: /a}\n",
     "carillon.yaml:2:6: error: anchors, aliases, tags and merge keys are not used here"},
    {"version: 1\nlimit: {}\n",
     "carillon.yaml:2:1: error: unknown key 'limit' in the configuration; did you mean 'limits'? [E004]"},
    {"version: 1\nxyzzy: 1\n", "carillon.yaml:2:1: error: unknown key 'xyzzy' in the configuration; remove "
                               "it, or see carillon.yaml(5) [E004]"},
    {"version: 1\nstate: {comit: 5ms}\n",
     "carillon.yaml:2:9: error: unknown key 'comit' in state; did you mean 'commit'? [E004]"},
    {"version: 1\nadmin: {socket: {mod: \"0600\"}}\n",
     "carillon.yaml:2:18: error: unknown key 'mod' in admin.socket; did you mean 'mode'? [E004]"},
    {"version: 1\nlisteners:\n  syslog: {bnd: []}\n",
     "carillon.yaml:3:12: error: unknown key 'bnd' in listeners.syslog; did you mean 'bind'? [E004]"},
    {"version: 1\nlisteners:\n  hooks: {auth: {barer: cred:x}}\n",
     "carillon.yaml:3:18: error: unknown key 'barer' in listeners.hooks.auth; did you mean 'bearer'? [E004]"},
    {"version: 1\ntickets:\n  default: {retry: {frist: 1s}}\n",
     "carillon.yaml:3:21: error: unknown key 'frist' in tickets.default.retry; did you mean 'first'? [E004]"},
    {"version: 1\npriority: {5: {down: P1}}\n",
     "carillon.yaml:2:12: error: unknown tier '5' in priority; tiers are 1, 2, 3, 4 and none [E004]"},
    {"version: 1\npriority: {1: {down: P1, degrade: P2}}\n",
     "carillon.yaml:2:26: error: unknown key 'degrade' in priority; a tier takes down and degraded [E004]"},
    {"version: 1\npacks: {sshd: {parms: {}}}\n",
     "carillon.yaml:2:16: error: unknown key 'parms' in pack 'sshd'; did you mean 'params'? [E004]"},
    {"map: {path: /x}\n", "carillon.yaml:1:1: error: the configuration needs 'version: 1' [E005]"},
    {"version: 1\nlisteners:\n  extra: {bind: []}\n",
     "carillon.yaml:3:3: error: listener 'extra' needs 'type': syslog, snmptrap or webhook [E005]"},
    {"version: 1\ncorrelation: {settle: 5min}\n",
     "carillon.yaml:2:23: error: expected a duration such as 30s, 5m or 1h30m"},
    {"version: 1\ncorrelation: {settle: 2h}\n",
     "carillon.yaml:2:23: error: 'correlation.settle' must be between 0 and 1h [E008]"},
    {"version: 1\ntickets:\n  default: {timeout: 1ms}\n",
     "carillon.yaml:3:22: error: 'tickets.default.timeout' must be between 1s and 10m [E008]"},
    {"version: 1\nlimits: {queue: 3}\n",
     "carillon.yaml:2:17: error: 'limits.queue' must be between 16 and 100000000 [E008]"},
    {"version: 1\nlimits: {queue: many}\n",
     "carillon.yaml:2:17: error: expected a whole number for 'limits.queue', got 'many' [E007]"},
    {"version: 1\nmap: {min_ratio: half}\n",
     "carillon.yaml:2:18: error: expected a number for 'map.min_ratio', got 'half' [E007]"},
    {"version: 1\nregex: {jit: yes}\n",
     "carillon.yaml:2:14: error: expected true or false for 'regex.jit', got 'yes' [E007]"},
    {"version: 1\nrules: {path: /x}\n",
     "carillon.yaml:2:15: error: expected a list of texts for 'rules.path', got text [E007]"},
    {"version: 1\nrules: {path: [[/x]]}\n",
     "carillon.yaml:2:16: error: expected text in 'rules.path', got a list [E007]"},
    {"version: 1\nrules: {path: [null]}\n",
     "carillon.yaml:2:16: error: expected text in 'rules.path', got nothing [E007]"},
    {"version: 1\nmap: 7\n", "carillon.yaml:2:6: error: expected a map for 'map', got text [E007]"},
    {"version: 1\nmap: {source: cmdb}\n",
     "carillon.yaml:2:15: error: expected file or redis for 'map.source', got 'cmdb' [E007]"},
    {"version: 1\nlog: {level: loud}\n",
     "carillon.yaml:2:14: error: expected one of error, warning, notice, info, debug"},
    {"version: 1\nadmin: {socket: {mode: \"0999\"}}\n",
     "carillon.yaml:2:24: error: expected a file mode such as 0660"},
    {"version: 1\nlimits: {sender_rate: fast}\n", "carillon.yaml:2:23: error: expected a rate such as"},
    {"version: 1\nlimits: {event_size: 64KB}\n", "carillon.yaml:2:22: error: expected a size such as"},
    {"version: 1\ninstance: {a: b}\n",
     "carillon.yaml:2:11: error: expected text for 'instance', got a map [E007]"},
    {"version: 1\nlisteners: {Syslog: {}}\n",
     "carillon.yaml:2:13: error: id 'Syslog' is not valid; use lower-case letters, digits and '-' [E010]"},
    {"version: 2\n", "carillon.yaml:1:10: error: 'version' must be 1 [E011]"},
    {"version: 1\nlisteners: {x: {type: sislog}}\n",
     "carillon.yaml:2:23: error: 'listeners.x.type' must be one of syslog, snmptrap, webhook; did you mean "
     "'syslog'? [E011]"},
    {"version: 1\npriority: {1: {down: p1}}\n",
     "carillon.yaml:2:22: error: a priority must be one of P1, P2, P3, P4, P5 [E011]"},
    {"version: 1\nlisteners: {syslog: {allow: [10.0.0.300/8]}}\n",
     "carillon.yaml:2:30: error: '10.0.0.300/8' is not a network; write it like 10.1.0.0/16 [E023]"},
    {"version: 1\nlisteners: {syslog: {bind: [\"ftp://127.0.0.1:21\"]}}\n",
     "carillon.yaml:2:29: error: 'ftp://127.0.0.1:21' is no address; write it like udp://127.0.0.1:5514 "
     "[E007]"},
    {"version: 1\nlisteners: {syslog: {bind: [\"udp://localhost:5514\"]}}\n",
     "carillon.yaml:2:29: error: 'udp://localhost:5514' needs an IP address and a port"},
};

static void each_refusal(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct findings f = {0};
		struct config *c = load(&f, 1, &refused[i].yaml);
		char *text = words(&f);

		if (c != NULL || strncmp(text, refused[i].line, strlen(refused[i].line)) != 0)
			fail_msg("of:\n%sexpected: %s\ngot:      %s", refused[i].yaml, refused[i].line, text);
		free(text);
		findings_clear(&f);
	}
}

/* What only the whole configuration shows. */
static const struct {
	const char *yaml, *words;
} contradictions[] = {
    {"version: 1\nlisteners: {hooks: {bind: [\"http://0.0.0.0:9199\"]}}\n",
     "without 'auth'; add auth: {bearer: cred:webhook-token}"},
    {"version: 1\nlisteners: {traps: {bind: [\"tcp://127.0.0.1:1162\"]}}\n",
     "cannot bind 'tcp://127.0.0.1:1162'; a snmptrap listener takes udp://"},
    {"version: 1\nlisteners: {syslog: {bind: [\"tls://127.0.0.1:6514\"]}}\n",
     "binds 'tls://127.0.0.1:6514' without a certificate; add tls: {cert: /path/cert.pem"},
    {"version: 1\nlisteners: {hooks: {bind: [\"https://127.0.0.1:9199\"], tls: {cert: /c.pem}}}\n",
     "without a certificate; add tls:"},
    {"version: 1\nlisteners: {hooks: {bind: [\"https://127.0.0.1:9199\"], tls: {cert: /c.pem, key: \"file:/k\"}, auth: {mtls: "
     "[\"*\"]}}}\n",
     "trusts nobody to sign for them; add tls: {client_ca: …} to listener 'hooks'"},
    {"version: 1\nlisteners: {syslog: {bind: [\"udp://127.0.0.1:5514\"], tls: {client_ca: /ca.pem}, auth: {mtls: [a.b]}}}\n",
     "who comes over 'udp://127.0.0.1:5514' cannot show one; bind tls:// only"},
    {"version: 1\nlisteners: {hooks: {bind: [\"https://127.0.0.1:9199\"], tls: {cert: /c, key: \"file:/k\", client_ca: /ca}, auth: "
     "{mtls: [\"sha256:12\"]}}}\n",
     "'sha256:12' in 'auth.mtls' is no fingerprint"},
    {"version: 1\nlisteners: {hooks: {bind: [\"https://127.0.0.1:9199\"], tls: {cert: /c, key: \"file:/k\", client_ca: /ca}, auth: "
     "{mtls: [\"*bad\"]}}}\n",
     "'*bad' in 'auth.mtls' is no name"},
    {"version: 1\nlisteners: {syslog: {bind: [\"unixgram://relative\"]}}\n", "needs an absolute path"},
    {"version: 1\nlisteners: {syslog: {users: \"cred:snmp-users\"}}\n",
     "listener 'syslog' has 'users', which only a snmptrap listener takes"},
    {"version: 1\nlisteners: {x: {type: webhook, on: syslog}}\n",
     "is 'on' the listener 'syslog', which is no webhook listener"},
    {"version: 1\nlisteners: {x: {type: webhook, on: hooks, path: x}}\n",
     "the path of listener 'x' must begin with '/'"},
    {"version: 1\nadmin: {metrics: {bind: [\"http://0.0.0.0:9198\"]}}\n",
     "metrics are served over http:// on loopback only"},
    {"version: 1\nmap: {source: redis, redis: {url: \"rediss://10.0.0.1:6379/0\"}}\n",
     "rediss:// is not available in this version"},
};

static void each_contradiction(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(contradictions); i++) {
		struct findings f = {0};
		struct config *c = load(&f, 1, &contradictions[i].yaml);
		char *text = words(&f);

		if (c != NULL || f.errors != 1 || strstr(text, contradictions[i].words) == NULL ||
		    strncmp(text, "carillon.yaml:2:", 16) != 0)
			fail_msg("of:\n%sexpected: %s\ngot:      %s", contradictions[i].yaml,
			         contradictions[i].words, text);
		free(text);
		findings_clear(&f);
	}
}

/* A finding about one listener is not placed at another whose name only begins alike. */
static void place_of_a_listener(void **state UNUSED)
{
	static const char *const yaml =
	    "version: 1\nlisteners:\n  web: {type: webhook, bind: [\"http://0.0.0.0:80\"]}\n"
	    "  web-2: {type: webhook, on: hooks}\n";
	struct findings f = {0};
	struct config *c = load(&f, 1, &yaml);

	assert_null(c);
	assert_int_equal(f.n, 1);
	assert_int_equal(f.v[0].mark.line, 3);
	findings_clear(&f);
}

static void every_absent_key_by_name(void **state UNUSED)
{
	for (size_t i = 0; i < config_absent_n; i++) {
		struct findings f = {0};
		struct buf b = {0}, want = {0};
		const char *path = config_absent[i], *yaml;
		bool ticket = strcmp(path, "poll") == 0 || strcmp(path, "storm") == 0;
		size_t depth = 0;
		char *text;

		buf_printf(&b, "version: 1\n%s", ticket ? "tickets:\n  default: " : "");
		for (const char *p = path; *p != '\0'; p += strcspn(p, ".") + (p[strcspn(p, ".")] != '\0')) {
			buf_printf(&b, "%s%.*s: ", ticket || depth > 0 ? "{" : "",
			           (int)strcspn(p, "."), p);
			depth++;
		}
		buf_str(&b, "1");
		for (size_t k = ticket ? 0 : 1; k < depth; k++)
			buf_char(&b, '}');
		buf_char(&b, '\n');
		buf_printf(&want, "'%s%s' is not available in this version; remove it [E004]",
		           ticket ? "tickets.default." : "",
		           path);
		yaml = buf_cstr(&b);
		assert_null(load(&f, 1, &yaml));
		text = words(&f);
		if (strstr(text, buf_cstr(&want)) == NULL)
			fail_msg("of:\n%sexpected: %s\ngot: %s", yaml, buf_cstr(&want), text);
		free(text);
		buf_free(&b);
		buf_free(&want);
		findings_clear(&f);
	}
}

/* ---- secrets */

static void a_secret_is_never_repeated(void **state UNUSED)
{
	static const char *const files[] = {
	    "version: 1\ntickets: {default: {secret: {token: hunter2}}}\n",
	    "version: 1\nlisteners: {hooks: {auth: {bearer: hunter2}}}\n",
	    "version: 1\nlisteners: {traps: {users: /etc/carillon/hunter2}}\n",
	    "version: 1\nmap: {redis: {password: hunter2}}\n",
	};

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct findings f = {0};
		char *text;

		assert_null(load(&f, 1, &files[i]));
		text = words(&f);
		assert_non_null(strstr(
		    text,
		    "takes a reference, never the secret itself: write cred:NAME or file:/path [E007]"));
		assert_null(strstr(text, "hunter2"));
		free(text);
		findings_clear(&f);
	}
}

static void secrets_are_references(void **state UNUSED)
{
	static const char *const yaml =
	    "version: 1\ntickets: {default: {profile: rt, secret: {token: \"cred:rt\"}}}\n"
	    "listeners: {hooks: {auth: {bearer: \"file:/etc/hook\"}}, traps: {users: \"cred:snmp-users\"}}\n";
	struct findings f = {0};
	struct config *c = load(&f, 1, &yaml);
	struct buf b = {0};

	assert_non_null(c);
	assert_string_equal(c->tickets[0].secrets[0].ref, "cred:rt");
	config_show(c, false, &b);
	assert_non_null(strstr(buf_cstr(&b), "token: \"cred:rt\""));
	assert_non_null(strstr(buf_cstr(&b), "bearer: \"file:/etc/hook\"  # carillon.yaml:3"));
	assert_non_null(strstr(buf_cstr(&b), "users: \"cred:snmp-users\"  # carillon.yaml:3"));
	buf_free(&b);
	config_free(c);
	findings_clear(&f);
}

/* ---- merging */

/* A listener on another one's sockets is no way around that one's token. */
static void shared_sockets_share_the_token(void **state UNUSED)
{
	static const char *const yaml =
	    "version: 1\nlisteners:\n"
	    "  hooks: {auth: {bearer: \"cred:hook\"}}\n"
	    "  own: {type: webhook, on: hooks, auth: {bearer: \"cred:own\"}}\n"
	    "  plain: {type: webhook, bind: [\"http://127.0.0.1:9299\"]}\n"
	    "  late: {type: webhook, on: hooks}\n";
	static const struct {
		const char *name, *ref;
	} wanted[] = {{"alertmanager", "cred:hook"}, {"late", "cred:hook"}, {"own", "cred:own"}, {"plain", NULL}};
	struct findings f = {0};
	struct config *c = load(&f, 1, &yaml);
	size_t seen = 0;

	assert_non_null(c);
	for (size_t i = 0; i < c->n_listeners; i++)
		for (size_t k = 0; k < ARRAY_LEN(wanted); k++)
			if (strcmp(c->listeners[i].name, wanted[k].name) == 0) {
				const char *ref = c->listeners[i].bearer.ref;

				seen++;
				assert_true((ref == NULL) == (wanted[k].ref == NULL));
				if (ref != NULL)
					assert_string_equal(ref, wanted[k].ref);
			}
	assert_int_equal(seen, ARRAY_LEN(wanted));
	config_free(c);
	findings_clear(&f);
}

static void drop_ins_merge_by_key(void **state UNUSED)
{
	static const char *const files[] = {
	    "version: 1\nstate: {path: /srv/a, commit: 7ms}\nrules: {path: [/a, /b]}\n",
	    "version: 1\nstate: {path: /srv/b}\nrules: {path: [/c]}\nlisteners:\n  syslog: {allow: "
	    "[10.0.0.0/8]}\n  extra: {type: syslog, bind: "
	    "[\"udp://127.0.0.1:0\"]}\n",
	};
	struct findings f = {0};
	struct config *c = load(&f, 2, files);

	assert_non_null(c);
	assert_int_equal(f.warnings, 0);
	assert_string_equal(c->state.path, "/srv/b");
	assert_int_equal(c->state.commit, 7 * MSEC);
	assert_int_equal(c->n_rules_path, 1);
	assert_string_equal(c->rules_path[0], "/c");
	assert_int_equal(c->n_listeners, 5);
	assert_int_equal(c->listeners[0].n_bind, 2);
	assert_string_equal(c->listeners[0].allow[0], "10.0.0.0/8");
	assert_string_equal(c->listeners[4].name, "extra");
	config_free(c);
	findings_clear(&f);
}

static void two_drop_ins_disagree(void **state UNUSED)
{
	static const char *const files[] = {"version: 1\nstate: {path: /a}\n",
	                                    "version: 1\nstate: {path: /b}\n",
	                                    "version: 1\nstate: {path: /c}\n"};
	struct findings f = {0};
	struct config *c = load(&f, 3, files);
	char *text = words(&f);

	assert_non_null(c);
	assert_string_equal(c->state.path, "/c");
	assert_int_equal(f.warnings,
	                 1); /* that a drop-in replaces the main file's value is what they are for */
	assert_non_null(strstr(
	    text,
	    "conf.d/20-b.yaml:2:9: warning: 'state.path' is also set in conf.d/10-a.yaml:2; this one wins"));
	free(text);
	config_free(c);
	findings_clear(&f);
}

static void a_drop_in_includes_nothing(void **state UNUSED)
{
	static const char *const files[] = {"version: 1\ninclude: [x/*.yaml]\n",
	                                    "version: 1\ninclude: [y/*.yaml]\n"};
	struct findings f = {0};
	char *text;

	assert_null(load(&f, 2, files));
	text = words(&f);
	assert_int_equal(strncmp(text, "conf.d/10-a.yaml:2:1: error: 'include' belongs in the main file", 62),
	                 0);
	free(text);
	findings_clear(&f);
}

/* ---- values and what is shown of them */

static void defaults_without_a_file(void **state UNUSED)
{
	struct findings f = {0};
	struct config *c = load(&f, 0, NULL);

	assert_non_null(c);
	assert_int_equal(f.n, 0);
	assert_string_equal(c->instance, "box");
	assert_int_equal(c->n_listeners, 4);
	assert_string_equal(c->listeners[3].on, "hooks");
	assert_int_equal(c->correlation.settle, 35 * SECOND);
	assert_int_equal(c->defaults.wait, -1);
	assert_int_equal(c->limits.event_size, 65536);
	assert_int_equal(c->admin.socket_mode, 0660);
	assert_int_equal(c->priority[1].down, 1);
	assert_int_equal(c->priority[0].degraded, 4);
	assert_int_equal(c->intake, 0);
	assert_null(c->map.password.ref);
	assert_string_equal(c->redact[0], "(?i)(password|token|secret)=\\S+");
	config_free(c);
	findings_clear(&f);
}

/* A file of what `config show` prints gives the same configuration: every value is written so that it can be
 * read. */
static void what_is_shown_can_be_read(void **state UNUSED)
{
	static const char *const yaml =
	    "version: 1\nlimits: {sender_rate: 2000000/s, event_size: 100KiB}\ndefaults: {wait: 30s}\n"
	    "tickets: {default: {profile: rt, rate: 30/m, concurrency: 3, conf: {base: \"https://x\"}}}\n"
	    "map: {source: redis, path: ~, redis: {user: \"a: #b\"}}\npriority: {2: {down: P1}, none: P5}\n";
	struct findings f = {0};
	struct config *c = load(&f, 1, &yaml), *again;
	struct buf first = {0}, second = {0};
	const char *shown;

	assert_non_null(c);
	config_show(c, false, &first);
	shown = buf_cstr(&first);
	again = load(&f, 1, &shown);
	if (again == NULL)
		fail_msg("%s\n%s", words(&f), shown);
	assert_int_equal(config_needs_restart(c, again, &second), 0);
	for (size_t i = 0; i < config_settings_n; i++) {
		struct buf a = {0}, b = {0};

		setting_show(&config_settings[i], (const char *)c + config_settings[i].offset, &a);
		setting_show(&config_settings[i], (const char *)again + config_settings[i].offset, &b);
		assert_string_equal(buf_cstr(&a), buf_cstr(&b));
		buf_free(&a);
		buf_free(&b);
	}
	assert_true(again->tickets[0].rate > 0.4999 && again->tickets[0].rate < 0.5001);
	assert_int_equal(again->tickets[0].concurrency, 3);
	assert_string_equal(again->tickets[0].conf_values[0], "https://x");
	assert_int_equal(again->priority[2].down, 1);
	assert_int_equal(again->priority[0].degraded, 5);
	assert_true(again->limits.sender_rate > 1999999.0);
	assert_string_equal(again->map.path, "");
	assert_string_equal(again->map.user, "a: #b");
	buf_free(&first);
	buf_free(&second);
	config_free(c);
	config_free(again);
	findings_clear(&f);
}

static void what_needs_a_restart(void **state UNUSED)
{
	static const char *const a = "version: 1\n",
	                         *const b = "version: 1\nstate: {path: /x}\nintake: 2\nlog: {level: debug}\n";
	struct findings f = {0};
	struct config *old = load(&f, 1, &a), *next = load(&f, 1, &b);
	struct buf names = {0};

	assert_non_null(old);
	assert_non_null(next);
	assert_int_equal(config_needs_restart(old, next, &names), 2);
	assert_string_equal(buf_cstr(&names), "state.path, intake");
	buf_free(&names);
	config_free(old);
	config_free(next);
	findings_clear(&f);
}

static void long_lists_are_kept_whole(void **state UNUSED)
{
	struct buf b = {0};
	struct findings f = {0};
	struct config *c;
	const char *yaml;

	buf_str(&b, "version: 1\nlisteners:\n  syslog:\n    allow:\n");
	for (unsigned i = 0; i < 3000; i++)
		buf_printf(&b, "      - 10.%u.%u.0/24\n", i / 256, i % 256);
	yaml = buf_cstr(&b);
	c = load(&f, 1, &yaml);
	assert_non_null(c);
	assert_int_equal(c->listeners[0].n_allow, 3000);
	config_free(c);
	buf_free(&b);
	findings_clear(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_refusal),
	    cmocka_unit_test(each_contradiction),
	    cmocka_unit_test(place_of_a_listener),
	    cmocka_unit_test(every_absent_key_by_name),
	    cmocka_unit_test(a_secret_is_never_repeated),
	    cmocka_unit_test(secrets_are_references),
	    cmocka_unit_test(shared_sockets_share_the_token),
	    cmocka_unit_test(drop_ins_merge_by_key),
	    cmocka_unit_test(two_drop_ins_disagree),
	    cmocka_unit_test(a_drop_in_includes_nothing),
	    cmocka_unit_test(defaults_without_a_file),
	    cmocka_unit_test(what_is_shown_can_be_read),
	    cmocka_unit_test(what_needs_a_restart),
	    cmocka_unit_test(long_lists_are_kept_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
