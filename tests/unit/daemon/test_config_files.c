/* etc/carillon.yaml and carillon.yaml(5) say what the table of settings says: nothing more, nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/config_table.h"

static struct buf slurp(const char *name)
{
	char *path = xasprintf(SOURCE_DIR "/%s", name);
	FILE *f = fopen(path, "r");
	struct buf b = {0};
	char part[4096];
	size_t n;

	if (f == NULL)
		fail_msg("cannot read %s", path);
	while ((n = fread(part, 1, sizeof part, f)) > 0)
		buf_add(&b, part, n);
	fclose(f);
	free(path);
	return b;
}

struct shipped {
	struct buf text;
	struct config *config, *defaults;
	struct findings f;
};

static int open_shipped(void **state)
{
	static struct shipped s;
	struct config_file file;

	s = (struct shipped){.text = slurp("etc/carillon.yaml")};
	file = (struct config_file){"etc/carillon.yaml", buf_slice(&s.text)};
	s.config = config_load(&file, 1, "box", &s.f);
	s.defaults = config_load(NULL, 0, "box", &s.f);
	*state = &s;
	return 0;
}

static int close_shipped(void **state)
{
	struct shipped *s = *state;

	config_free(s->config);
	config_free(s->defaults);
	findings_clear(&s->f);
	buf_free(&s->text);
	return 0;
}

static void it_loads(void **state)
{
	struct shipped *s = *state;
	struct buf b = {0};

	findings_text(&s->f, &b);
	if (s->config == NULL || s->f.n > 0)
		fail_msg("%s", buf_cstr(&b));
	assert_non_null(s->defaults);
	buf_free(&b);
}

static void same(const struct setting *s, const void *base_a, const void *base_b)
{
	struct buf a = {0}, b = {0};

	setting_show(s, (const char *)base_a + s->offset, &a);
	setting_show(s, (const char *)base_b + s->offset, &b);
	if (strcmp(buf_cstr(&a), buf_cstr(&b)) != 0)
		fail_msg("%s is %s in the file, the default is %s", s->path, buf_cstr(&a), buf_cstr(&b));
	buf_free(&a);
	buf_free(&b);
}

static void its_values_are_the_defaults(void **state)
{
	const struct shipped *s = *state;
	const struct config *c = s->config, *d = s->defaults;

	for (size_t i = 0; i < config_settings_n; i++)
		same(&config_settings[i], c, d);
	assert_memory_equal(c->priority, d->priority, sizeof c->priority);
	assert_int_equal(c->n_listeners, d->n_listeners);
	for (size_t k = 0; k < c->n_listeners; k++) {
		assert_string_equal(c->listeners[k].name, d->listeners[k].name);
		assert_int_equal(c->listeners[k].type, d->listeners[k].type);
		for (size_t i = 0; i < listener_settings_n; i++)
			same(&listener_settings[i], &c->listeners[k], &d->listeners[k]);
	}
	assert_int_equal(c->n_tickets, d->n_tickets);
	for (size_t i = 0; i < ticket_settings_n; i++)
		same(&ticket_settings[i], &c->tickets[0], &d->tickets[0]);
	assert_int_equal(c->tickets[0].n_conf + c->tickets[0].n_secrets + c->n_packs, 0);
}

static struct slice line_of(struct slice text, uint32_t number)
{
	struct slice line = SLICE_NONE;

	while (number-- > 0)
		assert_true(slice_split(&text, '\n', &line));
	return line;
}

/* The line on which the setting stands in the file; absent: it stands nowhere. `path` may end with any
 * listener's key. */
static struct slice setting_line(const struct shipped *s, const char *prefix, const char *path)
{
	size_t np = strlen(prefix), n = strlen(path);

	for (const struct config_origin *o = s->config->origins; o != NULL; o = o->next) {
		size_t len = strlen(o->path);

		if (strncmp(o->path, prefix, np) == 0 && len >= n && strcmp(o->path + len - n, path) == 0 &&
		    (len == n || o->path[len - n - 1] == '.'))
			return line_of(buf_slice(&s->text), o->mark.line);
	}
	return SLICE_NONE;
}

static void documented(const struct shipped *s, const char *prefix, const struct setting *t, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct slice line = setting_line(s, prefix, t[i].path);
		char *help = xasprintf("# %s", t[i].help);

		if (line.p == NULL)
			fail_msg("%s%s is not in etc/carillon.yaml", prefix, t[i].path);
		if (!slice_ends(line, slice_str(help)))
			fail_msg("line '" SLICE_FMT "' does not end with '%s'", SLICE_ARG(line), help);
		free(help);
	}
}

static void it_has_every_setting_with_its_help(void **state)
{
	documented(*state, "", config_settings, config_settings_n);
	documented(*state, "listeners.", listener_settings, listener_settings_n);
	documented(*state, "tickets.default.", ticket_settings, ticket_settings_n);
}

/* ---- carillon.yaml(5): ".It Cm path" rows, each followed by its default and help */

static void man_row(struct slice text, const struct setting *s)
{
	char *head = xasprintf("\n.It Cm %s\n", s->path), *help = xasprintf("\n%s.\n", s->help);
	const char *at = strstr(text.p, head), *end;
	struct slice body;

	if (at == NULL)
		fail_msg("carillon.yaml(5) does not have '.It Cm %s'", s->path);
	at += strlen(head) - 1;
	end = strstr(at, "\n.It ");
	body = slice_of(at, end != NULL ? (size_t)(end - at) + 1 : strlen(at));
	if (!slice_contains(body, slice_str(help)))
		fail_msg("carillon.yaml(5), %s: does not say '%s'", s->path, s->help);
	free(head);
	free(help);
	/* roff: a backslash is written \e, an empty value is not shown */
	if (s->def[0] != '\0' && strchr(s->def, '\\') == NULL) {
		char *def = xasprintf("\nDefault:\n.Ql %s .\n", s->def);
		if (!slice_contains(body, slice_str(def)))
			fail_msg("carillon.yaml(5), %s: the default '%s' is missing", s->path, s->def);
		free(def);
	}
	if (s->restart && !slice_contains(body, SLICE("\nNeeds a restart.\n")))
		fail_msg("carillon.yaml(5), %s: does not say that it needs a restart", s->path);
	if (!s->restart && slice_contains(body, SLICE("\nNeeds a restart.\n")))
		fail_msg("carillon.yaml(5), %s: says that it needs a restart", s->path);
}

static size_t rows_in(const char *text)
{
	size_t n = 0;

	for (const char *p = text; (p = strstr(p, "\n.It Cm ")) != NULL; p++)
		n++;
	return n;
}

static void the_manual_has_the_same_table(void **state UNUSED)
{
	struct buf man = slurp("etc/carillon.yaml.5");
	const char *text = buf_cstr(&man), *listeners = strstr(text, "\n.Ss Listeners\n"),
	           *tickets = strstr(text, "\n.Ss Tickets\n");

	assert_true(listeners != NULL && tickets > listeners);
	for (size_t i = 0; i < config_settings_n; i++)
		man_row(slice_str(text), &config_settings[i]);
	for (size_t i = 0; i < listener_settings_n; i++)
		man_row(slice_str(listeners), &listener_settings[i]);
	for (size_t i = 0; i < ticket_settings_n; i++)
		man_row(slice_str(tickets), &ticket_settings[i]);
	assert_int_equal(rows_in(text), config_settings_n + listener_settings_n + ticket_settings_n);
	buf_free(&man);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(it_loads),
	    cmocka_unit_test(its_values_are_the_defaults),
	    cmocka_unit_test(it_has_every_setting_with_its_help),
	    cmocka_unit_test(the_manual_has_the_same_table),
	};

	return cmocka_run_group_tests(tests, open_shipped, close_shipped);
}
