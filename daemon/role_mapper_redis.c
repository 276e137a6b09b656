/* The map from Redis (map.md section 2): read whole, then follow the stream of changes.
 *
 * One connection: note the last stream id → hold and format → sets and hashes, pipelined → build → publish → wait on the
 * stream → read again the ids that it names. A lost connection begins anew with a whole read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/hmap.h"
#include "base/log.h"
#include "net/redis.h"
#include "role_mapper.h"

#define RECONNECT   SECOND
#define BLOCK_MS    2000 /* how long one wait on the stream takes; then a look whether the map is still there */
#define HELD_MS     500  /* the same while an export holds the map: its end writes nothing to the stream */
#define SCAN_COUNT  "1000"
#define HELD        "redis: an export is under way (map:hold); waiting for its end"

struct pairs {
	char **v; /* name, value, name, value, … */
	size_t n, cap;
};

/* What Redis says of one service. */
struct raw {
	struct mapper_redis *redis;
	char *id;
	struct pairs fields, needs, groups;
	bool present; /* in the set of services */
};

struct mapper_redis {
	struct mapper *mapper;
	struct redis *redis;
	char *prefix;
	char last[48];         /* stream id up to which changes are in */
	struct raw **raws; size_t n_raws, cap_raws;
	struct hmap *by_id;
	struct pairs hosts, ports, aliases;
	unsigned pending;      /* replies that a read still waits for */
	bool broken;           /* a reply of this read was an error: nothing is built from it */
	bool again;            /* the last read was broken: look at all of it at the next chance */
	bool held, said_held;  /* the last word on map:hold (and format) */
	LIST_HEAD(, scan) scans;
};

/* ---- small things */

static void pairs_clear(struct pairs *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->v[i]);
	p->n = 0;
}

static void pairs_free(struct pairs *p)
{
	pairs_clear(p);
	free(p->v);
	*p = (struct pairs){0};
}

static void pairs_add(struct pairs *p, const struct redis_reply *rep)
{
	for (size_t i = 0; i + 1 < rep->n; i += 2) {
		p->v = array_reserve(p->v, &p->cap, p->n + 2, sizeof *p->v);
		p->v[p->n++] = slice_dup(rep->items[i]->text);
		p->v[p->n++] = slice_dup(rep->items[i + 1]->text);
	}
}

static struct raw *raw_of(struct mapper_redis *r, struct slice id)
{
	struct raw *x = hmap_get(r->by_id, id);

	if (x != NULL)
		return x;
	x = xcalloc(1, sizeof *x);
	x->redis = r;
	x->id = slice_dup(id);
	r->raws = array_reserve(r->raws, &r->cap_raws, r->n_raws + 1, sizeof(struct raw *));
	r->raws[r->n_raws++] = x;
	hmap_put(r->by_id, id, x);
	return x;
}

static void raw_clear(struct raw *x)
{
	pairs_clear(&x->fields);
	pairs_clear(&x->needs);
	pairs_clear(&x->groups);
}

static void forget_all(struct mapper_redis *r)
{
	for (size_t i = 0; i < r->n_raws; i++) {
		pairs_free(&r->raws[i]->fields);
		pairs_free(&r->raws[i]->needs);
		pairs_free(&r->raws[i]->groups);
		free(r->raws[i]->id);
		free(r->raws[i]);
	}
	r->n_raws = 0;
	hmap_clear(r->by_id);
}

static void lost(struct redis *redis UNUSED, const char *why, void *arg)
{
	struct mapper_redis *r = arg;
	struct mapper *m = r->mapper;
	char text[300];

	snprintf(text, sizeof text, "redis: %s", why);
	counter_set(counter(m->role->counters, "carillon_redis_up", ""), 0);
	counter_add(counter(m->role->counters, "carillon_redis_reconnects_total", ""), 1);
	mapper_failed(m, text);
	loop_timer_set(m->again, RECONNECT);
}

/* ---- from what was read to a draft */

static void finding(struct findings *f, enum finding_level level, const struct mapper_redis *r, const char *key, const char *id, const char *field,
                    const char *text)
{
	char *place = xasprintf("redis:%s%s%s%s%s%s%s", r->prefix, key, id != NULL ? ":" : "", id != NULL ? id : "", field != NULL ? "[" : "",
	                        field != NULL ? field : "", field != NULL ? "]" : "");

	findings_add(f, level, "", place, (struct mark){0, 0, 0}, SLICE_NONE, "%s", text);
	free(place);
}

static void set_fields(struct mapper_redis *r, struct map_draft *d, struct map_entry *e, const struct raw *x, struct findings *f)
{
	static const char *const names[] = {"name", "kind", "owner", "assign", "runbook", "source"};
	char **const slots[] = {&e->name, &e->kind, &e->owner, &e->assign, &e->runbook, &e->source};

	e->label_keys = map_draft_array(d, x->fields.n / 2 + 1, sizeof *e->label_keys);
	e->label_values = map_draft_array(d, x->fields.n / 2 + 1, sizeof *e->label_values);
	for (size_t i = 0; i + 1 < x->fields.n; i += 2) {
		const char *key = x->fields.v[i], *value = x->fields.v[i + 1];
		bool known = false;
		int64_t tier;

		for (size_t k = 0; k < ARRAY_LEN(names); k++)
			if (strcmp(names[k], key) == 0) {
				*slots[k] = map_draft_str(d, slice_str(value));
				known = true;
			}
		if (known)
			continue;
		if (strncmp(key, "label.", 6) == 0) {
			e->label_keys[e->n_labels] = map_draft_str(d, slice_str(key + 6));
			e->label_values[e->n_labels++] = map_draft_str(d, slice_str(value));
		} else if (strcmp(key, "tier") == 0) {
			if (slice_int(slice_str(value), &tier) && tier >= 1 && tier <= 4)
				e->tier = (int)tier;
			else
				finding(f, FINDING_ERROR, r, "service", x->id, key, "tier must be 1, 2, 3 or 4");
		} else if (strcmp(key, "hides") == 0) {
			e->hides = strcmp(value, "true") == 0 || strcmp(value, "1") == 0;
		} else {
			finding(f, FINDING_ERROR, r, "service", x->id, key, "unknown field; known are name kind tier owner assign runbook source hides label.*");
		}
	}
}

static void set_groups(struct mapper_redis *r, struct map_draft *d, struct map_entry *e, const struct raw *x, struct findings *f)
{
	e->groups = map_draft_array(d, x->groups.n / 2 + 1, sizeof *e->groups);
	for (size_t i = 0; i + 1 < x->groups.n; i += 2) {
		struct slice rest = slice_str(x->groups.v[i + 1]), number;
		struct map_group *g = &e->groups[e->n_groups];
		enum effect effect = EFFECT_DOWN;
		int64_t at_least = 1;

		slice_split(&rest, ' ', &number);
		if (!slice_int(number, &at_least) || at_least < 1 || (rest.n > 0 && !effect_parse(rest, &effect))) {
			finding(f, FINDING_ERROR, r, "groups", x->id, x->groups.v[i], "write it like '2 down': how many are needed, and what their loss does");
			continue;
		}
		*g = (struct map_group){.name = map_draft_str(d, slice_str(x->groups.v[i])), .at_least = (unsigned)at_least, .effect = effect};
		e->n_groups++;
	}
}

static struct map_group *group_of(struct map_draft *d, struct map_entry *e, struct slice name)
{
	for (size_t i = 0; i < e->n_groups; i++)
		if (slice_is(name, e->groups[i].name))
			return &e->groups[i];
	/* a group that `groups:<id>` does not describe needs one of its members */
	struct map_group *v = map_draft_array(d, e->n_groups + 1, sizeof *v);
	memcpy(v, e->groups, e->n_groups * sizeof *v);
	e->groups = v;
	e->groups[e->n_groups] = (struct map_group){.name = map_draft_str(d, name), .at_least = 1, .effect = EFFECT_DOWN};
	return &e->groups[e->n_groups++];
}

static void set_needs(struct mapper_redis *r, struct map_draft *d, struct map_entry *e, const struct raw *x, struct findings *f)
{
	e->needs = map_draft_array(d, x->needs.n / 2 + 1, sizeof *e->needs);
	for (size_t i = 0; i + 1 < x->needs.n; i += 2) {
		struct slice value = slice_str(x->needs.v[i + 1]);
		struct map_need *n = &e->needs[e->n_needs];
		enum effect effect = EFFECT_DOWN;

		*n = (struct map_need){.service = map_draft_str(d, slice_str(x->needs.v[i])), .effect = effect};
		if (slice_starts(value, SLICE("any:"))) {
			const struct map_group *g = group_of(d, e, slice_sub(value, 4, SIZE_MAX));
			n->group = g->name;
			n->effect = g->effect;
		} else if (effect_parse(value, &effect) && effect != EFFECT_RISK) {
			n->effect = effect;
		} else {
			finding(f, FINDING_ERROR, r, "needs", x->id, x->needs.v[i], "must be one of down, degraded, none, any:GROUP");
			continue;
		}
		e->n_needs++;
	}
}

static char **append(struct map_draft *d, char **v, size_t n, const char *s)
{
	/* doubled when n is a power of two: entries have few names */
	if ((n & (n - 1)) == 0) {
		char **w = map_draft_array(d, n == 0 ? 1 : n * 2, sizeof *w);
		if (n > 0)
			memcpy(w, v, n * sizeof *w);
		v = w;
	}
	v[n] = map_draft_str(d, slice_str(s));
	return v;
}

static void set_names(struct mapper_redis *r, struct map_draft *d, const struct pairs *p, const char *key, bool alias, struct findings *f)
{
	for (size_t i = 0; i + 1 < p->n; i += 2) {
		struct map_entry *e = map_draft_find(d, slice_str(p->v[i + 1]));

		if (e == NULL) {
			finding(f, FINDING_WARNING, r, key, NULL, p->v[i], "names a service that is not in the set of services; it is left out");
		} else if (alias) {
			e->aliases = append(d, e->aliases, e->n_aliases, p->v[i]);
			e->n_aliases++;
		} else {
			e->hosts = append(d, e->hosts, e->n_hosts, p->v[i]);
			e->n_hosts++;
		}
	}
}

static void set_ports(struct mapper_redis *r, struct map_draft *d, struct findings *f)
{
	for (size_t i = 0; i + 1 < r->ports.n; i += 2) {
		struct map_entry *e = map_draft_find(d, slice_str(r->ports.v[i + 1]));
		struct slice port = slice_str(r->ports.v[i]), host;
		struct map_port *v;

		if (e == NULL || !slice_split(&port, ' ', &host) || port.n == 0) {
			finding(f, e == NULL ? FINDING_WARNING : FINDING_ERROR, r, "ports", NULL, r->ports.v[i],
			        e == NULL ? "names a service that is not in the set of services; it is left out" : "write it as 'host port' with one space");
			continue;
		}
		v = map_draft_array(d, e->n_ports + 1, sizeof *v);
		if (e->n_ports > 0)
			memcpy(v, e->ports, e->n_ports * sizeof *v);
		v[e->n_ports] = (struct map_port){.host = map_draft_str(d, host), .port = map_draft_str(d, port)};
		e->ports = v;
		e->n_ports++;
	}
}

/* Two ports of an id of kind `link` are its ends. */
static void set_ends(struct map_entry *e)
{
	if (e->kind != NULL && strcmp(e->kind, "link") == 0 && e->n_ports == 2) {
		e->ends = e->ports;
		e->n_ends = 2;
		e->ports = NULL;
		e->n_ports = 0;
	}
}

static void build(struct mapper_redis *r)
{
	struct map_draft *d = map_draft_new();
	struct findings f = {0};
	char *place = xasprintf("redis:%s", r->prefix);

	for (size_t i = 0; i < r->n_raws; i++) {
		const struct raw *x = r->raws[i];
		struct map_entry *e;

		if (!x->present)
			continue;
		e = map_draft_add(d);
		e->id = map_draft_str(d, slice_str(x->id));
		e->file = place;
		set_fields(r, d, e, x, &f);
		set_groups(r, d, e, x, &f);
		set_needs(r, d, e, x, &f);
	}
	set_names(r, d, &r->hosts, "hosts", false, &f);
	set_names(r, d, &r->aliases, "aliases", true, &f);
	set_ports(r, d, &f);
	for (size_t i = 0; i < r->n_raws; i++) {
		struct map_entry *e = r->raws[i]->present ? map_draft_find(d, slice_str(r->raws[i]->id)) : NULL;
		if (e != NULL)
			set_ends(e);
	}
	mapper_publish(r->mapper, d, "redis", &f);
	map_draft_free(d);
	free(place);
	findings_clear(&f);
}

/* ---- reading */

static void begin(struct mapper_redis *r);
static void follow(struct mapper_redis *r);

static bool is_error(struct mapper_redis *r, const struct redis_reply *rep)
{
	char text[300];

	if (rep->kind != REDIS_ERROR)
		return false;
	snprintf(text, sizeof text, "redis: " SLICE_FMT, SLICE_ARG(rep->text));
	mapper_failed(r->mapper, text);
	return true;
}

/* An error where all depends on the answer (loading, no permission, not a stream): begin anew on a new connection. */
static bool ends_all(struct mapper_redis *r, const struct redis_reply *rep)
{
	if (!is_error(r, rep))
		return false;
	loop_timer_set(r->mapper->again, RECONNECT);
	return true;
}

/* A key of the wrong type is no empty hash. */
static void take_pairs(const struct raw *x, struct pairs *into, const struct redis_reply *rep)
{
	if (is_error(x->redis, rep))
		x->redis->broken = true;
	else
		pairs_add(into, rep);
}

static void on_fields(struct redis *c UNUSED, const struct redis_reply *rep, void *arg)
{
	take_pairs(arg, &((struct raw *)arg)->fields, rep);
}

static void on_needs(struct redis *c UNUSED, const struct redis_reply *rep, void *arg)
{
	take_pairs(arg, &((struct raw *)arg)->needs, rep);
}

static void on_groups(struct redis *c UNUSED, const struct redis_reply *rep, void *arg)
{
	take_pairs(arg, &((struct raw *)arg)->groups, rep);
}

static void command(struct mapper_redis *r, const char *verb, const char *key, const char *id,
                    void (*reply)(struct redis *, const struct redis_reply *, void *), void *arg)
{
	char *full = xasprintf("%s%s%s%s", r->prefix, key, id != NULL ? ":" : "", id != NULL ? id : "");
	struct slice argv[2] = {slice_str(verb), slice_str(full)};

	redis_send(r->redis, argv, 2, reply, arg);
	free(full);
}

static void hold_on(struct mapper_redis *r, const char *why)
{
	if (!r->said_held)
		mapper_failed(r->mapper, why);
	r->held = r->said_held = true;
	follow(r);
}

/* A hold may have come while this was read, and half an export is no map. */
static void on_read_hold(struct redis *c UNUSED, const struct redis_reply *rep, void *arg)
{
	struct mapper_redis *r = arg;
	bool broken = r->broken;

	if (ends_all(r, rep))
		return;
	r->broken = false;
	r->again = broken;
	if (rep->integer == 1) {
		hold_on(r, HELD);
	} else if (r->held) {
		begin(r); /* what was written under the hold was not taken: all of it counts now */
	} else {
		if (!broken)
			build(r);
		follow(r);
	}
}

static void read_done(struct mapper_redis *r)
{
	if (--r->pending == 0)
		command(r, "EXISTS", "hold", NULL, on_read_hold, r);
}

/* The last reply of a pipelined read: everything before it is here. */
static void on_marker(struct redis *c UNUSED, const struct redis_reply *rep UNUSED, void *arg)
{
	struct mapper_redis *r = arg;

	read_done(r);
}

static void read_one(struct mapper_redis *r, struct raw *x)
{
	raw_clear(x);
	command(r, "HGETALL", "service", x->id, on_fields, x);
	command(r, "HGETALL", "needs", x->id, on_needs, x);
	command(r, "HGETALL", "groups", x->id, on_groups, x);
}

struct scan {
	LIST_ENTRY(scan) link;
	struct mapper_redis *redis;
	struct pairs *into; /* NULL: the set of services */
	const char *key, *verb;
};

static void scan_next(struct scan *s, struct slice cursor);

static void scan_free(struct scan *s)
{
	LIST_REMOVE(s, link);
	free(s);
}

static void on_scan(struct redis *c UNUSED, const struct redis_reply *rep, void *arg)
{
	struct scan *s = arg;
	struct mapper_redis *r = s->redis;

	if (is_error(r, rep) || rep->kind != REDIS_ARRAY || rep->n != 2) {
		r->broken = true;
		scan_free(s);
		read_done(r);
		return;
	}
	if (s->into != NULL) {
		pairs_add(s->into, rep->items[1]);
	} else {
		for (size_t i = 0; i < rep->items[1]->n; i++) {
			struct raw *x = raw_of(r, rep->items[1]->items[i]->text);
			/* SSCAN may name a member twice */
			if (!x->present)
				read_one(r, x);
			x->present = true;
		}
	}
	if (!slice_is(rep->items[0]->text, "0")) {
		scan_next(s, rep->items[0]->text);
		return;
	}
	scan_free(s);
	/* replies come in order: behind this PING every HGETALL has been answered */
	redis_sendf(r->redis, on_marker, r, "PING");
}

static void scan_next(struct scan *s, struct slice cursor)
{
	char *full = xasprintf("%s%s", s->redis->prefix, s->key);
	struct slice argv[5] = {slice_str(s->verb), slice_str(full), cursor, SLICE("COUNT"), SLICE(SCAN_COUNT)};

	redis_send(s->redis->redis, argv, 5, on_scan, s);
	free(full);
}

static void scan(struct mapper_redis *r, const char *verb, const char *key, struct pairs *into)
{
	struct scan *s = xcalloc(1, sizeof *s);

	*s = (struct scan){.redis = r, .into = into, .key = key, .verb = verb};
	LIST_INSERT_HEAD(&r->scans, s, link);
	if (into != NULL)
		pairs_clear(into);
	r->pending++;
	scan_next(s, SLICE("0"));
}

static void read_names(struct mapper_redis *r)
{
	scan(r, "HSCAN", "hosts", &r->hosts);
	scan(r, "HSCAN", "ports", &r->ports);
	scan(r, "HSCAN", "aliases", &r->aliases);
}

static void read_whole(struct mapper_redis *r)
{
	forget_all(r);
	read_names(r);
	scan(r, "SSCAN", "services", NULL);
}

/* ---- the stream */

static void on_member(struct redis *c UNUSED, const struct redis_reply *rep, void *arg)
{
	struct raw *x = arg;

	x->present = rep->kind == REDIS_INTEGER && rep->integer == 1;
}

static void read_changed(struct mapper_redis *r, const char *const *ids, size_t n)
{
	read_names(r);
	for (size_t i = 0; i < n; i++) {
		struct raw *x = raw_of(r, slice_str(ids[i]));
		char *key = xasprintf("%sservices", r->prefix);
		struct slice argv[3] = {SLICE("SISMEMBER"), slice_str(key), slice_str(ids[i])};

		redis_send(r->redis, argv, 3, on_member, x);
		read_one(r, x);
		free(key);
	}
	r->pending++;
	redis_sendf(r->redis, on_marker, r, "PING");
}

/* Entries of XREAD: [[key, [[id, [field, value, …]], …]]]. */
static void take_changes(struct mapper_redis *r, const struct redis_reply *entries)
{
	char **ids = xcalloc(entries->n + 1, sizeof *ids);
	bool whole = false;
	size_t n = 0;

	for (size_t i = 0; i < entries->n; i++) {
		const struct redis_reply *e = entries->items[i];

		if (e->kind != REDIS_ARRAY || e->n != 2)
			continue;
		snprintf(r->last, sizeof r->last, SLICE_FMT, SLICE_ARG(e->items[0]->text));
		for (size_t k = 0; k + 1 < e->items[1]->n; k += 2) {
			if (!slice_is(e->items[1]->items[k]->text, "id"))
				continue;
			if (slice_is(e->items[1]->items[k + 1]->text, "*"))
				whole = true;
			else if (n <= entries->n)
				ids[n++] = slice_dup(e->items[1]->items[k + 1]->text);
		}
	}
	/* what a broken read left behind is no ground to build a change on */
	if (whole || r->again)
		begin(r);
	else
		read_changed(r, (const char *const *)ids, n);
	for (size_t i = 0; i < n; i++)
		free(ids[i]);
	free(ids);
}

static void on_card(struct redis *c UNUSED, const struct redis_reply *rep, void *arg)
{
	struct mapper_redis *r = arg;
	int64_t present = 0;

	for (size_t i = 0; i < r->n_raws; i++)
		present += r->raws[i]->present;
	if (ends_all(r, rep))
		return;
	/* a hold that ended, a map that was emptied or written without telling the stream: look at all of it */
	if (rep->kind == REDIS_INTEGER && (rep->integer != present || r->held || r->again))
		begin(r);
	else
		follow(r);
}

static void on_stream(struct redis *c UNUSED, const struct redis_reply *rep, void *arg)
{
	struct mapper_redis *r = arg;

	if (rep->kind == REDIS_ARRAY && rep->n == 1 && rep->items[0]->n == 2)
		take_changes(r, rep->items[0]->items[1]);
	else if (!ends_all(r, rep))
		command(r, "SCARD", "services", NULL, on_card, r);
}

static void follow(struct mapper_redis *r)
{
	char wait[16];
	char *key = xasprintf("%schanges", r->prefix);
	struct slice argv[] = {SLICE("XREAD"), SLICE("COUNT"), SLICE("10000"), SLICE("BLOCK"), SLICE_NONE, SLICE("STREAMS"), slice_str(key), slice_str(r->last)};

	snprintf(wait, sizeof wait, "%d", r->held ? HELD_MS : BLOCK_MS);
	argv[4] = slice_str(wait);
	redis_send(r->redis, argv, ARRAY_LEN(argv), on_stream, r);
	free(key);
}

static void on_format(struct redis *c UNUSED, const struct redis_reply *rep, void *arg)
{
	struct mapper_redis *r = arg;

	if (ends_all(r, rep))
		return;
	if (rep->kind == REDIS_STRING && !slice_is(rep->text, "1")) {
		hold_on(r, "redis: the map's format is not 1; this carillon is too old for it");
		return;
	}
	r->held = r->said_held = false;
	read_whole(r);
}

static void on_hold(struct redis *c UNUSED, const struct redis_reply *rep, void *arg)
{
	struct mapper_redis *r = arg;

	if (ends_all(r, rep))
		return;
	if (rep->integer == 1) {
		hold_on(r, HELD);
		return;
	}
	command(r, "GET", "format", NULL, on_format, r);
}

static void on_last(struct redis *c UNUSED, const struct redis_reply *rep, void *arg)
{
	struct mapper_redis *r = arg;

	if (ends_all(r, rep))
		return;
	snprintf(r->last, sizeof r->last, "0-0");
	if (rep->kind == REDIS_ARRAY && rep->n == 1 && rep->items[0]->n == 2)
		snprintf(r->last, sizeof r->last, SLICE_FMT, SLICE_ARG(rep->items[0]->items[0]->text));
	command(r, "EXISTS", "hold", NULL, on_hold, r);
}

/* A whole read: what changes after the noted id is read again by `follow`. */
static void begin(struct mapper_redis *r)
{
	char *key = xasprintf("%schanges", r->prefix);
	const struct slice argv[] = {SLICE("XREVRANGE"), slice_str(key), SLICE("+"), SLICE("-"), SLICE("COUNT"), SLICE("1")};

	redis_send(r->redis, argv, ARRAY_LEN(argv), on_last, r);
	free(key);
}

static void connected(struct redis *redis, void *arg)
{
	struct mapper_redis *r = arg;

	r->redis = redis;
	counter_set(counter(r->mapper->role->counters, "carillon_redis_up", ""), 1);
	begin(r);
}

struct mapper_redis *mapper_redis_new(struct mapper *m)
{
	static const struct redis_events events = {.connected = connected, .closed = lost};
	const struct config *c = m->role->config;
	struct mapper_redis *r;
	struct redis_url url;
	struct error err;

	if (!redis_url_parse(c->map.url, &url, &err)) {
		mapper_failed(m, err.text);
		return NULL;
	}
	r = xcalloc(1, sizeof *r);
	r->mapper = m;
	r->prefix = xstrdup(c->map.prefix);
	r->by_id = hmap_new();
	LIST_INIT(&r->scans);
	r->redis = redis_connect(m->role->loop, &url, c->map.user[0] != '\0' ? c->map.user : NULL, m->password.p, &events, r);
	return r;
}

void mapper_redis_free(struct mapper_redis *r)
{
	if (r == NULL)
		return;
	redis_free(r->redis);
	while (!LIST_EMPTY(&r->scans))
		scan_free(LIST_FIRST(&r->scans));
	forget_all(r);
	free(r->raws);
	hmap_free(r->by_id);
	pairs_free(&r->hosts);
	pairs_free(&r->ports);
	pairs_free(&r->aliases);
	free(r->prefix);
	free(r);
}
