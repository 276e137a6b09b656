/* The effective configuration as YAML and JSON, and what of it needs a restart. Secrets appear as references only. */
#include <stdlib.h>
#include <string.h>

#include "model/config_table.h"

static void origin_note(const struct config *c, const char *path, struct buf *out)
{
	for (const struct config_origin *o = c->origins; o != NULL; o = o->next)
		if (strcmp(o->path, path) == 0) {
			buf_printf(out, "  # %s:%u\n", o->file, o->mark.line);
			return;
		}
	buf_str(out, "  # default\n");
}

static void indent(struct buf *out, size_t depth)
{
	for (size_t i = 0; i < depth; i++)
		buf_str(out, "  ");
}

/* Rows in table order; the dotted paths become nested maps. */
static void show_table(const struct config *c, const struct setting *t, size_t n, const void *base, const char *shown, size_t depth, bool notes,
                       struct buf *out)
{
	const char *before = "";

	for (size_t i = 0; i < n; i++) {
		const char *p = t[i].path, *q = before;
		size_t level = 0;
		char *full;

		/* open the maps that the former row had not opened */
		for (;;) {
			size_t a = strcspn(p, "."), b = strcspn(q, ".");
			if (p[a] == '\0' || a != b || q[b] == '\0' || strncmp(p, q, a) != 0)
				break;
			p += a + 1;
			q += b + 1;
			level++;
		}
		while (p[strcspn(p, ".")] != '\0') {
			size_t a = strcspn(p, ".");
			indent(out, depth + level++);
			buf_printf(out, "%.*s:\n", (int)a, p);
			p += a + 1;
		}
		indent(out, depth + level);
		buf_printf(out, "%s: ", p);
		setting_show(&t[i], (const char *)base + t[i].offset, out);
		full = xasprintf("%s%s%s", shown, shown[0] != '\0' ? "." : "", t[i].path);
		if (notes)
			origin_note(c, full, out);
		else
			buf_char(out, '\n');
		free(full);
		before = t[i].path;
	}
}

static void show_pairs(const char *key, char *const *keys, char *const *values, const struct secret_ref *secrets, size_t n, struct buf *out)
{
	buf_printf(out, "    %s: {", key);
	for (size_t i = 0; i < n; i++) {
		struct jw w;
		const char *v = values != NULL ? values[i] : secrets[i].ref;

		buf_printf(out, "%s%s: ", i > 0 ? ", " : "", keys[i]);
		w = jw_new(out);
		jw_str(&w, v != NULL ? v : "");
	}
	buf_str(out, "}\n");
}

void config_show(const struct config *c, bool only_defaults, struct buf *out)
{
	static const char *const types[] = {"syslog", "snmptrap", "webhook"};
	struct config *plain = NULL;
	bool notes = !only_defaults;

	if (only_defaults) {
		struct findings f = {0};
		plain = config_load(NULL, 0, "", &f);
		findings_clear(&f);
		plain->instance = arena_str(plain->arena, SLICE(""));
		c = plain;
	}
	buf_str(out, "version: 1\n");
	show_table(c, config_settings, config_settings_n, c, "", 0, notes, out);
	buf_str(out, "listeners:\n");
	for (size_t i = 0; i < c->n_listeners; i++) {
		char *shown = xasprintf("listeners.%s", c->listeners[i].name);
		buf_printf(out, "  %s:\n    type: %s\n", c->listeners[i].name, types[c->listeners[i].type]);
		show_table(c, listener_settings, listener_settings_n, &c->listeners[i], shown, 2, notes, out);
		free(shown);
	}
	buf_str(out, "tickets:\n");
	for (size_t i = 0; i < c->n_tickets; i++) {
		const struct ticket_config *t = &c->tickets[i];
		char *shown = xasprintf("tickets.%s", t->name);

		buf_printf(out, "  %s:\n", t->name);
		show_table(c, ticket_settings, ticket_settings_n, t, shown, 2, notes, out);
		show_pairs("conf", t->conf_keys, t->conf_values, NULL, t->n_conf, out);
		show_pairs("secret", t->secret_keys, NULL, t->secrets, t->n_secrets, out);
		free(shown);
	}
	buf_str(out, "priority:\n");
	for (int i = 1; i < 5; i++)
		buf_printf(out, "  %d: {down: P%d, degraded: P%d}\n", i, c->priority[i].down, c->priority[i].degraded);
	buf_printf(out, "  none: P%d\n", c->priority[0].down);
	config_free(plain);
}

void config_json(const struct config *c, struct jw *w)
{
	jw_object(w);
	for (size_t i = 0; i < config_settings_n; i++) {
		struct buf b = {0};
		setting_show(&config_settings[i], (const char *)c + config_settings[i].offset, &b);
		jw_kslice(w, config_settings[i].path, buf_slice(&b));
		buf_free(&b);
	}
	jw_end(w);
}

size_t config_needs_restart(const struct config *running, const struct config *next, struct buf *names)
{
	size_t n = 0;

	for (size_t i = 0; i < config_settings_n; i++) {
		const struct setting *s = &config_settings[i];
		struct buf a = {0}, b = {0};

		setting_show(s, (const char *)running + s->offset, &a);
		setting_show(s, (const char *)next + s->offset, &b);
		if (s->restart && !slice_eq(buf_slice(&a), buf_slice(&b)))
			buf_printf(names, "%s%s", n++ > 0 ? ", " : "", s->path);
		buf_free(&a);
		buf_free(&b);
	}
	return n;
}
