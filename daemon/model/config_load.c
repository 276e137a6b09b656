/* Reads configuration files into a struct config: merge by key, strict, every fault with its place
 * (config.md). */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/config_table.h"

/* The listeners and the ticket connection that exist without any file (config.md section 1). */
static const char builtin[] =
    "version: 1\n"
    "listeners:\n"
    "  syslog: {type: syslog, bind: [\"udp://127.0.0.1:5514\", \"tcp://127.0.0.1:5514\"]}\n"
    "  traps: {type: snmptrap, bind: [\"udp://127.0.0.1:1162\"]}\n"
    "  hooks: {type: webhook, bind: [\"http://127.0.0.1:9199\"]}\n"
    "  alertmanager: {type: webhook, profile: alertmanager, path: /hook/alertmanager, on: hooks}\n"
    "tickets:\n"
    "  default: {profile: \"\"}\n";

struct load {
	struct config *c;
	const struct doc *doc;
	struct findings *f;
	bool builtin, drop_in;
};

/* Without the line of the file: what was written in a secret's place may be the secret. */
static void secret_fault(struct load *l, struct mark m, const char *why)
{
	findings_add(l->f, FINDING_ERROR, "E007", l->doc->file, m, SLICE_NONE, "%s", why);
}

static void fault(struct load *l, struct mark m, const char *code, const char *fmt, ...) PRINTF(4, 5);
static void fault(struct load *l, struct mark m, const char *code, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	doc_finding(l->doc, l->f, FINDING_ERROR, code, m, "%s", text);
}

static void origin(struct load *l, const char *path, struct mark m, bool scalar)
{
	struct config_origin *o;

	if (l->builtin)
		return;
	for (o = l->c->origins; o != NULL; o = o->next)
		if (scalar && l->drop_in && strcmp(o->path, path) == 0 &&
		    strcmp(o->file, l->doc->file) != 0 && o->mark.len != 0) {
			doc_finding(l->doc, l->f, FINDING_WARNING, "", m,
			            "'%s' is also set in %s:%u; this one wins", path, o->file, o->mark.line);
			break;
		}
	o = arena_alloc(l->c->arena, sizeof *o);
	*o = (struct config_origin){.path = arena_str(l->c->arena, slice_str(path)),
	                            .file = arena_str(l->c->arena, slice_str(l->doc->file)),
	                            .mark = m,
	                            .next = l->c->origins};
	/* len marks an origin in a drop-in: only those warn */
	o->mark.len = l->drop_in ? 1 : 0;
	l->c->origins = o;
}

static bool is_map(struct load *l, const struct node *n, const char *what)
{
	if (n->kind == NODE_MAP)
		return true;
	if (!node_null(n))
		fault(l, n->mark, "E007", "expected a map for '%s', got %s", what, node_kind_name(n));
	return false;
}

static void set_items(struct load *l, const struct setting *s, const struct node *n, void *at)
{
	struct slice *items = xcalloc(n->n + 1, sizeof *items);
	struct error err;
	size_t k = 0;

	for (const struct node *i = n->first; i != NULL; i = i->next) {
		if (i->kind != NODE_SCALAR || node_null(i))
			fault(l, i->mark, "E007", "expected text in '%s', got %s", s->path,
			      node_null(i) ? "nothing" : node_kind_name(i));
		else if (!setting_list(s, &i->text, 1, at, l->c->arena, &err))
			fault(l, i->mark, s->type == SETTING_CIDRS ? "E023" : "E007", "%s", err.text);
		else
			items[k++] = i->text;
	}
	BUG_ON(!setting_list(s, items, k, at, l->c->arena, &err));
	free(items);
}

static void set_one(struct load *l, const struct setting *row, const char *path, const struct node *n,
                    void *base)
{
	struct setting s = *row;
	void *at = (char *)base + s.offset;
	bool list = setting_is_list(s.type);
	struct error err;

	s.path = path; /* as messages name it */
	if (list ? n->kind != NODE_LIST
	         : n->kind != NODE_SCALAR ||
	               (node_null(n) && s.type != SETTING_TEXT && s.type != SETTING_SECRET)) {
		fault(l, n->mark, "E007", "expected %s for '%s', got %s", setting_expects(s.type), path,
		      node_null(n) ? "nothing" : node_kind_name(n));
	} else if (list) {
		set_items(l, &s, n, at);
	} else if (!setting_scalar(&s, node_null(n) ? SLICE("") : n->text, at, l->c->arena, &err)) {
		const char *code = s.type == SETTING_DURATION || s.type == SETTING_WAIT ? "E006" : "E007";

		if (s.type == SETTING_SECRET)
			secret_fault(l, n->mark, err.text);
		else
			fault(l, n->mark, strstr(err.text, "' must be between ") != NULL ? "E008" : code,
			      "%s", err.text);
	}
	origin(l, path, n->key_mark, !list);
}

/* ---- tables */

static const struct setting *row(const struct setting *table, size_t n, const char *path)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(table[i].path, path) == 0)
			return &table[i];
	return NULL;
}

static bool prefix_of_row(const struct setting *table, size_t n, const char *path)
{
	size_t len = strlen(path);

	for (size_t i = 0; i < n; i++)
		if (strncmp(table[i].path, path, len) == 0 && table[i].path[len] == '.')
			return true;
	return false;
}

static bool absent(const char *path)
{
	for (size_t i = 0; i < config_absent_n; i++)
		if (strcmp(config_absent[i], path) == 0)
			return true;
	return false;
}

static bool under_absent(const char *path)
{
	for (size_t i = 0; i < config_absent_n; i++)
		if (strncmp(config_absent[i], path, strlen(path)) == 0 &&
		    config_absent[i][strlen(path)] == '.')
			return true;
	return false;
}

/* `prefix` is the part of the table that the map stands for, `where` the place as people write it. */
static void unknown(struct load *l, const struct node *n, const char *prefix, const char *where,
                    const struct setting *table, size_t rows, const char *const *more, size_t n_more)
{
	const char *names[128], *hint;
	size_t k = 0, skip = strlen(prefix);

	for (size_t i = 0; i < rows && k < 96; i++) {
		const char *p = table[i].path;
		if (skip > 0 && (strncmp(p, prefix, skip) != 0 || p[skip] != '.'))
			continue;
		p += skip > 0 ? skip + 1 : 0;
		names[k++] = arena_str(l->c->arena, slice_of(p, strcspn(p, ".")));
	}
	for (size_t i = 0; i < n_more && k < ARRAY_LEN(names); i++)
		names[k++] = more[i];
	hint = suggest(n->key, names, k);
	where = where[0] != '\0' ? where : "the configuration";
	if (hint != NULL)
		fault(l, n->key_mark, "E004", "unknown key '" SLICE_FMT "' in %s; did you mean '%s'?",
		      SLICE_ARG(n->key), where, hint);
	else
		fault(l, n->key_mark, "E004",
		      "unknown key '" SLICE_FMT "' in %s; remove it, or see carillon.yaml(5)",
		      SLICE_ARG(n->key), where);
}

struct special {
	const char *key;
	void (*read)(struct load *l, const struct node *n, const char *path, void *base);
};

/* All keys of a map below `prefix` of a table; `shown` is the path for people. */
static void read_table(struct load *l, const struct node *map, const char *prefix, const char *shown,
                       const struct setting *table, size_t rows, void *base, const struct special *sp,
                       size_t n_sp)
{
	for (const struct node *n = map->first; n != NULL; n = n->next) {
		char *path =
		    xasprintf("%s%s" SLICE_FMT, prefix, prefix[0] != '\0' ? "." : "", SLICE_ARG(n->key));
		char *full =
		    xasprintf("%s%s" SLICE_FMT, shown, shown[0] != '\0' ? "." : "", SLICE_ARG(n->key));
		const struct setting *s = row(table, rows, path);
		const struct special *x = NULL;

		for (size_t i = 0; i < n_sp && prefix[0] == '\0'; i++)
			if (slice_is(n->key, sp[i].key))
				x = &sp[i];
		if (x != NULL) {
			x->read(l, n, full, base);
		} else if (s != NULL) {
			set_one(l, s, full, n, base);
		} else if (absent(path)) {
			fault(l, n->key_mark, "E004", "'%s' is not available in this version; remove it",
			      full);
		} else if (prefix_of_row(table, rows, path) || under_absent(path)) {
			if (is_map(l, n, full))
				read_table(l, n, path, full, table, rows, base, sp, n_sp);
		} else {
			const char *names[16];
			size_t k = 0;
			for (; k < n_sp && prefix[0] == '\0' && k < ARRAY_LEN(names); k++)
				names[k] = sp[k].key;
			unknown(l, n, prefix, shown, table, rows, names, k);
		}
		free(path);
		free(full);
	}
}

/* ---- listeners */

static void read_type(struct load *l, const struct node *n, const char *path, void *base)
{
	static const char *const words[] = {"syslog", "snmptrap", "webhook"};
	struct listener_config *c = base;
	const char *hint;

	for (size_t i = 0; n->kind == NODE_SCALAR && i < ARRAY_LEN(words); i++)
		if (slice_is(n->text, words[i])) {
			c->type = (enum listener_type)i;
			return;
		}
	hint = n->kind == NODE_SCALAR ? suggest(n->text, words, ARRAY_LEN(words)) : NULL;
	fault(l, n->mark, "E011", "'%s' must be one of syslog, snmptrap, webhook%s%s%s", path,
	      hint != NULL ? "; did you mean '" : "", hint != NULL ? hint : "", hint != NULL ? "'?" : "");
}

static struct listener_config *listener_of(struct load *l, const struct node *n)
{
	struct config *c = l->c;
	struct listener_config *v;

	for (size_t i = 0; i < c->n_listeners; i++)
		if (slice_is(n->key, c->listeners[i].name))
			return &c->listeners[i];
	v = arena_array(c->arena, c->n_listeners + 1, sizeof *v);
	if (c->n_listeners > 0)
		memcpy(v, c->listeners, c->n_listeners * sizeof *v);
	c->listeners = v;
	v = &v[c->n_listeners++];
	for (size_t i = 0; i < listener_settings_n; i++)
		setting_default(&listener_settings[i], (char *)v + listener_settings[i].offset, c->arena);
	v->name = arena_str(c->arena, n->key);
	if (node_get(n, "type") == NULL)
		fault(l, n->key_mark, "E005", "listener '%s' needs 'type': syslog, snmptrap or webhook",
		      v->name);
	return v;
}

static bool good_name(struct load *l, const struct node *n)
{
	bool ok = n->key.n > 0 && n->key.n <= 63 && n->key.p[0] >= 'a' && n->key.p[0] <= 'z';

	for (size_t i = 0; ok && i < n->key.n; i++)
		ok = strchr("abcdefghijklmnopqrstuvwxyz0123456789-", n->key.p[i]) != NULL;
	if (!ok)
		fault(l, n->key_mark, "E010",
		      "id '" SLICE_FMT "' is not valid; use lower-case letters, digits and '-'",
		      SLICE_ARG(n->key));
	return ok;
}

static void read_listeners(struct load *l, const struct node *map, const char *path, void *base UNUSED)
{
	static const struct special sp[] = {{"type", read_type}};

	if (!is_map(l, map, path))
		return;
	for (const struct node *n = map->first; n != NULL; n = n->next) {
		struct listener_config *v;
		char *shown;

		if (!good_name(l, n) || !is_map(l, n, "a listener"))
			continue;
		v = listener_of(l, n);
		v->mark = n->key_mark;
		shown = xasprintf("listeners.%s", v->name);
		read_table(l, n, "", shown, listener_settings, listener_settings_n, v, sp, ARRAY_LEN(sp));
		free(shown);
	}
}

/* ---- tickets */

static void read_pairs(struct load *l, const struct node *n, const char *path, bool secrets, char ***keys,
                       void **values, size_t *count)
{
	const struct setting secret = {.path = path, .type = SETTING_SECRET},
	                     text = {.path = path, .type = SETTING_TEXT};

	if (!is_map(l, n, path))
		return;
	for (const struct node *i = n->first; i != NULL; i = i->next) {
		size_t k = 0, size = secrets ? sizeof(struct secret_ref) : sizeof(char *);
		char **kv;
		void *vv;
		struct error err;

		if (i->kind != NODE_SCALAR) {
			fault(l, i->mark, "E007", "expected text for '%s." SLICE_FMT "', got %s", path,
			      SLICE_ARG(i->key), node_kind_name(i));
			continue;
		}
		while (k < *count && !slice_is(i->key, (*keys)[k]))
			k++;
		if (k == *count) {
			kv = arena_array(l->c->arena, k + 1, sizeof *kv);
			vv = arena_array(l->c->arena, k + 1, size);
			if (k > 0) {
				memcpy(kv, *keys, k * sizeof *kv);
				memcpy(vv, *values, k * size);
			}
			kv[k] = arena_str(l->c->arena, i->key);
			*keys = kv;
			*values = vv;
			(*count)++;
		}
		if (!setting_scalar(secrets ? &secret : &text, i->text, (char *)*values + k * size,
		                    l->c->arena, &err))
			secret_fault(l, i->mark, err.text);
	}
	origin(l, path, n->key_mark, false);
}

static void read_conf(struct load *l, const struct node *n, const char *path, void *base)
{
	struct ticket_config *t = base;

	read_pairs(l, n, path, false, &t->conf_keys, (void **)&t->conf_values, &t->n_conf);
}

static void read_secret(struct load *l, const struct node *n, const char *path, void *base)
{
	struct ticket_config *t = base;

	read_pairs(l, n, path, true, &t->secret_keys, (void **)&t->secrets, &t->n_secrets);
}

static struct ticket_config *ticket_of(struct load *l, struct slice name)
{
	struct config *c = l->c;
	struct ticket_config *v;

	for (size_t i = 0; i < c->n_tickets; i++)
		if (slice_is(name, c->tickets[i].name))
			return &c->tickets[i];
	v = arena_array(c->arena, c->n_tickets + 1, sizeof *v);
	if (c->n_tickets > 0)
		memcpy(v, c->tickets, c->n_tickets * sizeof *v);
	c->tickets = v;
	v = &v[c->n_tickets++];
	for (size_t i = 0; i < ticket_settings_n; i++)
		setting_default(&ticket_settings[i], (char *)v + ticket_settings[i].offset, c->arena);
	v->name = arena_str(c->arena, name);
	return v;
}

static void read_tickets(struct load *l, const struct node *map, const char *path, void *base UNUSED)
{
	static const struct special sp[] = {{"conf", read_conf}, {"secret", read_secret}};

	if (!is_map(l, map, path))
		return;
	for (const struct node *n = map->first; n != NULL; n = n->next) {
		char *shown;

		if (!good_name(l, n) || !is_map(l, n, "a ticket connection"))
			continue;
		shown = xasprintf("tickets." SLICE_FMT, SLICE_ARG(n->key));
		read_table(l, n, "", shown, ticket_settings, ticket_settings_n, ticket_of(l, n->key), sp,
		           ARRAY_LEN(sp));
		free(shown);
	}
}

/* ---- packs, priority, the rest */

static char **texts(struct load *l, const struct node *n, const char *what, size_t *count)
{
	char **v = arena_array(l->c->arena, n->n + 1, sizeof *v);

	*count = 0;
	if (n->kind != NODE_LIST) {
		fault(l, n->mark, "E007", "expected a list for '%s', got %s", what, node_kind_name(n));
		return v;
	}
	for (const struct node *i = n->first; i != NULL; i = i->next) {
		if (i->kind == NODE_SCALAR && !node_null(i))
			v[(*count)++] = arena_str(l->c->arena, i->text);
		else
			fault(l, i->mark, "E007", "expected text in '%s', got %s", what, node_kind_name(i));
	}
	return v;
}

static void read_pack(struct load *l, const struct node *n, struct pack_config *p)
{
	static const char *const keys[] = {"params", "lists", "off", "trial"};

	for (const struct node *i = n->first; i != NULL; i = i->next) {
		const char *hint;

		if (slice_is(i->key, "params")) {
			read_pairs(l, i, "params", false, &p->param_keys, (void **)&p->param_values,
			           &p->n_params);
		} else if (slice_is(i->key, "lists")) {
			if (!is_map(l, i, "lists"))
				continue;
			p->list_keys = arena_array(l->c->arena, i->n + 1, sizeof *p->list_keys);
			p->list_values = arena_array(l->c->arena, i->n + 1, sizeof *p->list_values);
			p->n_list_values = arena_array(l->c->arena, i->n + 1, sizeof *p->n_list_values);
			p->n_lists = 0;
			for (const struct node *k = i->first; k != NULL; k = k->next) {
				p->list_keys[p->n_lists] = arena_str(l->c->arena, k->key);
				p->list_values[p->n_lists] =
				    texts(l, k, "lists", &p->n_list_values[p->n_lists]);
				p->n_lists++;
			}
		} else if (slice_is(i->key, "off")) {
			p->off = texts(l, i, "off", &p->n_off);
		} else if (slice_is(i->key, "trial")) {
			p->trial = texts(l, i, "trial", &p->n_trial);
		} else {
			hint = suggest(i->key, keys, ARRAY_LEN(keys));
			fault(l, i->key_mark, "E004", "unknown key '" SLICE_FMT "' in pack '%s'; %s%s%s",
			      SLICE_ARG(i->key), p->name,
			      hint != NULL ? "did you mean '" : "a pack takes params, lists, off and trial",
			      hint != NULL ? hint : "", hint != NULL ? "'?" : "");
		}
	}
}

static void read_packs(struct load *l, const struct node *map, const char *path, void *base UNUSED)
{
	struct config *c = l->c;

	if (!is_map(l, map, path))
		return;
	for (const struct node *n = map->first; n != NULL; n = n->next) {
		struct pack_config *v = NULL;

		if (!is_map(l, n, "a pack"))
			continue;
		for (size_t i = 0; i < c->n_packs; i++)
			if (slice_is(n->key, c->packs[i].name))
				v = &c->packs[i];
		if (v == NULL) {
			v = arena_array(c->arena, c->n_packs + 1, sizeof *v);
			if (c->n_packs > 0)
				memcpy(v, c->packs, c->n_packs * sizeof *v);
			c->packs = v;
			v = &v[c->n_packs++];
			v->name = arena_str(c->arena, n->key);
		}
		v->mark = n->key_mark;
		read_pack(l, n, v);
	}
}

static bool priority_word(struct load *l, const struct node *n, int *out)
{
	if (n->kind == NODE_SCALAR && n->text.n == 2 && n->text.p[0] == 'P' && n->text.p[1] >= '1' &&
	    n->text.p[1] <= '5') {
		*out = n->text.p[1] - '0';
		return true;
	}
	fault(l, n->mark, "E011", "a priority must be one of P1, P2, P3, P4, P5");
	return false;
}

static void read_tier(struct load *l, const struct node *tier, struct priority_row *row)
{
	for (const struct node *n = tier->first; n != NULL; n = n->next) {
		if (slice_is(n->key, "down"))
			priority_word(l, n, &row->down);
		else if (slice_is(n->key, "degraded"))
			priority_word(l, n, &row->degraded);
		else
			fault(l, n->key_mark, "E004",
			      "unknown key '" SLICE_FMT "' in priority; a tier takes down and degraded",
			      SLICE_ARG(n->key));
	}
}

static void read_priority(struct load *l, const struct node *map, const char *path, void *base UNUSED)
{
	if (!is_map(l, map, path))
		return;
	for (const struct node *n = map->first; n != NULL; n = n->next) {
		int64_t tier = 0;

		if (slice_is(n->key, "none")) {
			if (priority_word(l, n, &l->c->priority[0].down))
				l->c->priority[0].degraded = l->c->priority[0].down;
		} else if (!slice_int(n->key, &tier) || tier < 1 || tier > 4) {
			fault(l, n->key_mark, "E004",
			      "unknown tier '" SLICE_FMT "' in priority; tiers are 1, 2, 3, 4 and none",
			      SLICE_ARG(n->key));
		} else if (is_map(l, n, "a tier")) {
			read_tier(l, n, &l->c->priority[tier]);
		}
	}
	origin(l, path, map->key_mark, false);
}

static void read_version(struct load *l, const struct node *n, const char *path UNUSED, void *base UNUSED)
{
	if (n->kind != NODE_SCALAR || !slice_is(n->text, "1"))
		fault(l, n->mark, "E011", "'version' must be 1");
}

static void read_include(struct load *l, const struct node *n, const char *path, void *base UNUSED)
{
	size_t count;

	if (l->drop_in) {
		fault(l, n->key_mark, "E004",
		      "'include' belongs in the main file; a drop-in cannot include others");
		return;
	}
	/* the caller has read the files; here only the form is checked */
	texts(l, n, path, &count);
}

static const struct special top[] = {{"version", read_version},     {"include", read_include},
                                     {"listeners", read_listeners}, {"tickets", read_tickets},
                                     {"packs", read_packs},         {"priority", read_priority}};

static void read_file(struct load *l, const struct config_file *file)
{
	struct doc *d = doc_parse(file->name, file->text, DOC_LIMITS, l->f);

	if (d == NULL)
		return;
	l->doc = d;
	if (d->root != NULL && is_map(l, d->root, "the configuration")) {
		if (node_get(d->root, "version") == NULL)
			fault(l, d->root->mark, "E005", "the configuration needs 'version: 1'");
		read_table(l, d->root, "", "", config_settings, config_settings_n, l->c, top, ARRAY_LEN(top));
	}
	doc_free(d);
}

/* ---- what only the whole can show */

static void finding(struct config *c, struct findings *f, const char *path, const char *fmt, ...)
    PRINTF(4, 5);
static void finding(struct config *c, struct findings *f, const char *path, const char *fmt, ...)
{
	const struct config_origin *o = c->origins;
	size_t len = strlen(path);
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	while (o != NULL &&
	       (strncmp(o->path, path, len) != 0 || (o->path[len] != '.' && o->path[len] != '\0')))
		o = o->next;
	findings_add(f, FINDING_ERROR, "", o != NULL ? o->file : "carillon.yaml",
	             o != NULL ? o->mark : (struct mark){0, 0, 0}, SLICE_NONE, "%s", text);
}

static bool loopback(const struct bind_addr *b)
{
	return b->kind == BIND_UNIX || b->kind == BIND_UNIXGRAM || strncmp(b->host, "127.", 4) == 0 ||
	       strcmp(b->host, "::1") == 0;
}

static bool suits(enum listener_type t, enum bind_kind k)
{
	switch (t) {
	case LISTENER_SYSLOG: return k != BIND_HTTP && k != BIND_HTTPS;
	case LISTENER_SNMPTRAP: return k == BIND_UDP;
	case LISTENER_WEBHOOK: return k == BIND_HTTP || k == BIND_HTTPS;
	}
	return false;
}

static const struct listener_config *named(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->n_listeners; i++)
		if (strcmp(c->listeners[i].name, name) == 0)
			return &c->listeners[i];
	return NULL;
}

static bool has_auth(const struct listener_config *l)
{
	return l->bearer.ref != NULL || l->hmac.ref != NULL || l->n_mtls > 0;
}

/* The listener whose sockets it uses; itself, if they are its own. */
static const struct listener_config *owner_of(const struct config *c, const struct listener_config *l)
{
	const struct listener_config *o = l->on != NULL && l->on[0] != '\0' ? named(c, l->on) : NULL;

	return o != NULL ? o : l;
}

/* A listener on the sockets of another one is no way around the authentication of that one. */
static void share_auth(const struct config *c, struct listener_config *l)
{
	const struct listener_config *owner = owner_of(c, l);

	if (has_auth(l) || owner == l)
		return;
	l->bearer = owner->bearer;
	l->hmac = owner->hmac;
	l->scheme = owner->scheme;
	l->tolerance = owner->tolerance;
	l->mtls = owner->mtls;
	l->n_mtls = owner->n_mtls;
}

static bool filled(const char *text)
{
	return text != NULL && text[0] != '\0';
}

static bool good_fingerprint(struct slice s)
{
	size_t digits = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != ':' && memchr("0123456789abcdefABCDEF", s.p[i], 22) == NULL)
			return false;
		digits += s.p[i] != ':';
	}
	return digits == 64;
}

static void check_clients(struct config *c, const struct listener_config *l, const char *path, struct findings *f)
{
	if (owner_of(c, l) != l && owner_of(c, l)->mtls == l->mtls)
		return; /* inherited, and said there */
	if (l->multi_line != NULL && strcmp(l->multi_line, "none") != 0 && strcmp(l->multi_line, "indented") != 0)
		finding(c, f, path, "listener '%s': 'multi_line' is none or indented, not '%s'", l->name, l->multi_line);
	if (l->n_mtls > 0 && l->type == LISTENER_SNMPTRAP)
		finding(c, f, path, "listener '%s': traps come without TLS; remove 'auth.mtls'", l->name);
	else if (l->n_mtls > 0 && !filled(owner_of(c, l)->tls_client_ca))
		finding(c, f, path,
		        "listener '%s' names clients in 'auth.mtls' but trusts nobody to sign for them; add tls: "
		        "{client_ca: …} to listener '%s'",
		        l->name, owner_of(c, l)->name);
	for (size_t i = 0; i < l->n_mtls; i++) {
		struct slice name = slice_str(l->mtls[i]);

		if (slice_starts(name, SLICE("sha256:")) && !good_fingerprint(slice_sub(name, 7, SIZE_MAX)))
			finding(c, f, path, "'%s' in 'auth.mtls' is no fingerprint; write sha256: and 64 hexadecimal digits", l->mtls[i]);
		else if (name.n == 0 || (slice_starts(name, SLICE("*")) && name.n > 1 && (name.n < 3 || name.p[1] != '.')))
			finding(c, f, path,
			        "'%s' in 'auth.mtls' is no name; write host.example.net, *.example.net, sha256:… or *", l->mtls[i]);
	}
}

static const char *takes(enum listener_type t)
{
	switch (t) {
	case LISTENER_SYSLOG: return "syslog listener takes udp://, tcp://, tls://, relp://, relp+tls://, unix:// or unixgram://";
	case LISTENER_SNMPTRAP: return "snmptrap listener takes udp://";
	case LISTENER_WEBHOOK: return "webhook takes http:// or https://";
	}
	return "";
}

static void check_bind(struct config *c, const struct listener_config *l, const struct bind_addr *b, const char *path,
                       struct findings *f)
{
	if (!suits(l->type, b->kind))
		finding(c, f, path, "listener '%s' cannot bind '%s'; a %s", l->name, b->text, takes(l->type));
	else if (bind_secure(b->kind) && (!filled(l->tls_cert) || l->tls_key.ref == NULL))
		finding(c, f, path,
		        "listener '%s' binds '%s' without a certificate; add tls: {cert: /path/cert.pem, key: "
		        "\"file:/path/key.pem\"}",
		        l->name, b->text);
	else if (!bind_secure(b->kind) && l->n_mtls > 0)
		finding(c, f, path,
		        "listener '%s' asks for certificates ('auth.mtls'), but who comes over '%s' cannot show one; "
		        "bind %s:// only",
		        l->name, b->text, l->type == LISTENER_WEBHOOK ? "https" : "tls");
	else if (l->type == LISTENER_WEBHOOK && !loopback(b) && !has_auth(l))
		finding(c, f, path,
		        "listener '%s' binds '%s', beyond loopback, without 'auth'; add auth: {bearer: "
		        "cred:webhook-token}",
		        l->name, b->text);
}

static void check_listener(struct config *c, struct listener_config *l, struct findings *f)
{
	char path[96];

	snprintf(path, sizeof path, "listeners.%s", l->name);
	for (size_t i = 0; i < l->n_bind && l->enabled; i++)
		check_bind(c, l, &l->bind[i], path, f);
	if (l->enabled)
		check_clients(c, l, path, f);
	if (l->type != LISTENER_WEBHOOK && (l->hmac.ref != NULL || l->bearer.ref != NULL))
		finding(c, f, path, "listener '%s': 'auth.%s' is for webhooks; remove it", l->name, l->hmac.ref != NULL ? "hmac" : "bearer");
	if (l->users.ref != NULL && l->type != LISTENER_SNMPTRAP)
		finding(c, f, path, "listener '%s' has 'users', which only a snmptrap listener takes; remove it",
		        l->name);
	if (l->on != NULL && l->on[0] != '\0' &&
	    (named(c, l->on) == NULL || named(c, l->on)->type != LISTENER_WEBHOOK))
		finding(c, f, path, "listener '%s' is 'on' the listener '%s', which is no webhook listener",
		        l->name, l->on);
	if (l->profile != NULL && l->profile[0] == '\0')
		l->profile = NULL;
	if (l->path != NULL && l->path[0] == '\0')
		l->path = NULL;
	if (l->on != NULL && l->on[0] == '\0')
		l->on = NULL;
	if (l->path != NULL && l->path[0] != '/')
		finding(c, f, path, "the path of listener '%s' must begin with '/'", l->name);
}

static bool is_ticket(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->n_tickets; i++)
		if (strcmp(c->tickets[i].name, name) == 0)
			return true;
	return false;
}

/* Where its incidents go besides, and what it takes of others'. */
static void check_ticket(struct config *c, const struct ticket_config *t, struct findings *f)
{
	char *path = xasprintf("tickets.%s", t->name);

	for (size_t i = 0; i < t->n_also; i++)
		if (strcmp(t->also[i], t->name) == 0 || !is_ticket(c, t->also[i]))
			finding(c, f, path, "'%s' in 'also' of ticket connection '%s' is not another ticket connection", t->also[i], t->name);
	for (size_t i = 0; i < t->n_priorities; i++)
		if (strlen(t->priorities[i]) != 2 || t->priorities[i][0] != 'P' || t->priorities[i][1] < '1' || t->priorities[i][1] > '5')
			finding(c, f, path, "'%s' in 'priorities' of ticket connection '%s' must be one of P1, P2, P3, P4, P5", t->priorities[i], t->name);
	free(path);
}

static void check(struct config *c, const char *hostname, struct findings *f)
{
	for (size_t i = 0; i < c->n_listeners; i++)
		share_auth(c, &c->listeners[i]);
	for (size_t i = 0; i < c->n_tickets; i++)
		check_ticket(c, &c->tickets[i], f);
	for (size_t i = 0; i < c->n_listeners; i++)
		check_listener(c, &c->listeners[i], f);
	for (size_t i = 0; i < c->admin.n_metrics; i++)
		if (c->admin.metrics[i].kind != BIND_HTTP || !loopback(&c->admin.metrics[i]))
			finding(c, f, "admin.metrics",
			        "'%s': metrics are served over http:// on loopback only in this version",
			        c->admin.metrics[i].text);
	if (c->map.redis && strncmp(c->map.url, "rediss://", 9) == 0)
		finding(c, f, "map.redis.url",
		        "rediss:// is not available in this version; use redis:// on loopback or unix:/path");
	if (c->instance == NULL || c->instance[0] == '\0')
		c->instance = arena_str(
		    c->arena, slice_str(hostname != NULL && hostname[0] != '\0' ? hostname : "localhost"));
}

static void defaults(struct config *c)
{
	static const struct priority_row rows[5] = {{4, 4}, {1, 2}, {2, 3}, {3, 4}, {4, 4}};

	for (size_t i = 0; i < config_settings_n; i++)
		setting_default(&config_settings[i], (char *)c + config_settings[i].offset, c->arena);
	memcpy(c->priority, rows, sizeof rows);
}

struct config *config_load(const struct config_file *files, size_t n, const char *hostname,
                           struct findings *f)
{
	struct arena *a = arena_new(0);
	struct config *c = arena_alloc(a, sizeof *c);
	struct load l = {.c = c, .f = f, .builtin = true};
	struct config_file own = {"(built in)", slice_of(builtin, sizeof builtin - 1)};
	size_t errors = f->errors;

	c->arena = a;
	defaults(c);
	read_file(&l, &own);
	BUG_ON(f->errors != errors);
	l.builtin = false;
	for (size_t i = 0; i < n; i++) {
		l.drop_in = i > 0;
		read_file(&l, &files[i]);
	}
	if (f->errors == errors)
		check(c, hostname, f);
	if (f->errors == errors)
		return c;
	config_free(c);
	return NULL;
}

struct config *config_from_bundle(const struct bundle *b, struct findings *f)
{
	struct config_file *files = xcalloc(b->n + 1, sizeof *files);
	struct config *c;
	size_t n = 0;

	for (size_t i = 0; i < b->n; i++)
		if (b->v[i].kind == BUNDLE_CONFIG)
			files[n++] = (struct config_file){b->v[i].name, b->v[i].text};
	c = config_load(files, n, b->hostname, f);
	free(files);
	return c;
}

size_t config_includes(const struct doc *main, char ***globs, struct arena *a)
{
	const struct node *inc = main->root != NULL ? node_get(main->root, "include") : NULL;
	size_t n = 0;

	if (inc == NULL) {
		*globs = arena_array(a, 1, sizeof **globs);
		(*globs)[0] = arena_str(a, SLICE("conf.d/*.yaml"));
		return 1;
	}
	*globs = arena_array(a, inc->n + 1, sizeof **globs);
	for (const struct node *i = inc->kind == NODE_LIST ? inc->first : NULL; i != NULL; i = i->next)
		if (i->kind == NODE_SCALAR)
			(*globs)[n++] = arena_str(a, i->text);
	return n;
}

void config_free(struct config *c)
{
	if (c != NULL)
		arena_free(c->arena);
}
