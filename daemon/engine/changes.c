/* Promises that planned changes of a ticket system are maintenance of what they name, from the planned begin
 * to the planned end, and that an incident says which change had begun where its cause is. The windows are
 * silences with include_dependents, which an operator sees and may end. Must not know profiles. */
#include "engine/changes.h"

#include <stdlib.h>

#include "engine/silence.h"

enum { PLANNED_MAX = 500, NAMES_MAX = 50, LOOK_BACK = 30 /* days */, KEPT = 1 /* days after its end */ };
enum { NEAR_HOPS = 3, NEAR_MAX = 200, AFTER = 3600 /* s after its end */ };

static void planned_free(struct planned *p)
{
	char *texts[] = {p->destination, p->id, p->title, p->silence};
	for (size_t k = 0; k < ARRAY_LEN(texts); k++)
		free(texts[k]);
	for (size_t k = 0; k < p->n_services; k++)
		free(p->services[k]);
	free(p->services);
}

void changes_close(struct correlation *c)
{
	for (size_t k = 0; k < c->n_planned; k++)
		planned_free(&c->planned[k]);
	free(c->planned);
	c->planned = NULL;
	c->n_planned = 0;
}

/* ---- asking */

static duration interval(const struct engine *e, const struct destination *d)
{
	const struct ticket_config *t = outbox_config(e, d->name);
	return t != NULL && outbox_wanted(e, d->name) ? t->changes : 0;
}

static void plan(struct engine *e, size_t k, duration wait)
{
	struct destination *d = &e->correlation->destinations[k];
	d->changes_at = e->now + wait;
	engine_timer(e, d->changes_at, TIMER_DESTINATION, k);
}

void changes_arm(struct engine *e)
{
	const struct config *c = e->setup.config;
	for (size_t i = 0; i < c->n_tickets; i++) {
		if (c->tickets[i].changes <= 0 || !outbox_wanted(e, c->tickets[i].name))
			continue;
		struct destination *d = outbox_destination(e->correlation, c->tickets[i].name);
		if (d->changes_at == INSTANT_NONE && d->changes_op == 0)
			plan(e, (size_t)(d - e->correlation->destinations), SECOND);
	}
}

static void ask(struct engine *e, struct destination *d)
{
	struct buf facts = {0}, op = {0}, since = {0};
	struct jw w = jw_new(&facts);
	BUG_ON(e->fx == NULL);
	instant_format((e->now - LOOK_BACK * DAY) / SECOND * SECOND, &since);
	d->changes_op = engine_serial(e);
	jw_object(&w);
	jw_kstr(&w, "cursor", d->changes_cursor != NULL ? d->changes_cursor : buf_cstr(&since));
	jw_end(&w);
	struct ticket_op o = {
	    .id = d->changes_op,
	    .attempt = 1,
	    .verb = TICKET_CHANGES,
	    .priority = 5,
	    .destination = slice_str(d->name),
	    .facts = buf_slice(&facts),
	};
	ticket_op_encode(&o, &op);
	buf_lslice(&e->fx->ops, buf_slice(&op));
	e->fx->n_ops++;
	buf_free(&facts);
	buf_free(&op);
	buf_free(&since);
}

void changes_due(struct engine *e, size_t k)
{
	struct destination *d = &e->correlation->destinations[k];
	duration every = interval(e, d);
	if (d->changes_at == INSTANT_NONE || e->now < d->changes_at)
		return;
	d->changes_at = INSTANT_NONE;
	if (every <= 0)
		return;
	if (d->mode == DESTINATION_UP && d->changes_op == 0)
		ask(e, d);
	plan(e, k, every);
}

void changes_resume(struct engine *e)
{
	for (size_t k = 0; k < e->correlation->n_destinations; k++)
		e->correlation->destinations[k].changes_op = 0; /* the next one asks for the same */
}

/* ---- windows */

static bool command(struct engine *e, struct slice json, struct buf *reply)
{
	struct error err;
	const struct json *cmd = json_parse(e->scratch, json, JSON_LIMITS, NULL, &err);
	struct jw w = jw_new(reply);
	BUG_ON(cmd == NULL);
	jw_object(&w);
	(void)silences_command(e, cmd, &w);
	jw_end(&w);
	const struct json *answer = json_parse(e->scratch, buf_slice(reply), JSON_LIMITS, NULL, &err);
	return answer != NULL && slice_is(json_text(json_get(answer, "ok")), "true");
}

static void window_end(struct engine *e, struct planned *p)
{
	struct buf b = {0}, reply = {0};
	struct jw w = jw_new(&b);
	if (p->silence == NULL)
		return;
	jw_object(&w);
	jw_kstr(&w, "do", "silence-expire");
	jw_kstr(&w, "id", p->silence);
	jw_kstr(&w, "by", p->id);
	jw_end(&w);
	(void)command(e, buf_slice(&b), &reply); /* an operator may have ended it */
	free(p->silence);
	p->silence = NULL;
	buf_free(&b);
	buf_free(&reply);
}

static void window_put(const struct planned *p, struct jw *w)
{
	jw_object(w);
	jw_kstr(w, "do", "silence-add");
	jw_kstr(w, "by", p->destination);
	jw_key(w, "body");
	jw_object(w);
	jw_key(w, "match");
	jw_object(w);
	jw_key(w, "service");
	jw_array(w);
	for (size_t k = 0; k < p->n_services; k++)
		jw_str(w, p->services[k]);
	jw_array_end(w);
	jw_end(w);
	jw_ktime(w, "from", p->starts);
	jw_ktime(w, "until", p->ends);
	char *reason = xasprintf("%s: %s", p->id, p->title);
	jw_kstr(w, "reason", reason);
	jw_kbool(w, "include_dependents", true);
	jw_end(w);
	jw_end(w);
	free(reason);
}

static void window_begin(struct engine *e, struct planned *p)
{
	struct buf b = {0}, reply = {0};
	struct jw w = jw_new(&b);
	struct error err;
	if (p->n_services == 0 || p->ends <= e->now || p->ends <= p->starts)
		return;
	window_put(p, &w);
	if (command(e, buf_slice(&b), &reply)) {
		const struct json *answer =
		    json_parse(e->scratch, buf_slice(&reply), JSON_LIMITS, NULL, &err);
		p->silence = slice_dup(json_text(json_get(answer, "id")));
	} else {
		engine_notice(e, LOG_LEVEL_WARNING, "change=%s is no maintenance: " SLICE_FMT, p->id,
		              SLICE_ARG(buf_slice(&reply)));
	}
	buf_free(&b);
	buf_free(&reply);
}

/* ---- what the ticket system says */

static void names_add(const struct engine *e, struct planned *p, struct slice lines, const char *prefix)
{
	const struct service_map *m = e->setup.map;
	struct slice line;
	while (lines.n > 0 && slice_split(&lines, '\n', &line)) {
		line = slice_trim(line);
		if (line.n == 0 || p->n_services >= NAMES_MAX)
			continue;
		char *alias = xasprintf("%s" SLICE_FMT, prefix, SLICE_ARG(line));
		uint32_t s = resolve_event(m, line, line, SLICE_NONE, NULL);
		if (s == SERVICE_NONE)
			s = resolve_event(m, slice_str(alias), SLICE_NONE, SLICE_NONE, NULL);
		free(alias);
		if (s == SERVICE_NONE)
			continue; /* nothing that is watched */
		p->services = xreallocarray(p->services, p->n_services + 1, sizeof *p->services);
		p->services[p->n_services++] = slice_dup(service_id(m, s));
	}
}

static bool same(const struct planned *a, const struct planned *b)
{
	if (a->starts != b->starts || a->ends != b->ends || a->n_services != b->n_services)
		return false;
	for (size_t k = 0; k < a->n_services; k++)
		if (strcmp(a->services[k], b->services[k]) != 0)
			return false;
	return true;
}

static bool is_off(struct slice state)
{
	static const char *const words[] = {"cancelled", "canceled", "Cancelled",
	                                    "Canceled",  "rejected", "Rejected"};
	for (size_t k = 0; k < ARRAY_LEN(words); k++)
		if (slice_is(state, words[k]))
			return true;
	return false;
}

static struct planned *known(struct correlation *c, const char *destination, struct slice id)
{
	for (size_t k = 0; k < c->n_planned; k++)
		if (strcmp(c->planned[k].destination, destination) == 0 && slice_is(id, c->planned[k].id))
			return &c->planned[k];
	return NULL;
}

static void drop(struct correlation *c, size_t k)
{
	BUG_ON(k >= c->n_planned);
	planned_free(&c->planned[k]);
	c->n_planned--;
	memmove(&c->planned[k], &c->planned[k + 1], (c->n_planned - k) * sizeof *c->planned);
}

static void take(struct engine *e, const struct destination *d, const struct ticket_planned *r)
{
	struct correlation *c = e->correlation;
	struct planned p = {.destination = xstrdup(d->name),
	                    .id = slice_dup(text_clean(e->scratch, r->id, 60)),
	                    .title = slice_dup(text_clean(e->scratch, r->title, 160))};
	bool times = instant_parse(r->starts, &p.starts) && instant_parse(r->ends, &p.ends);
	names_add(e, &p, r->services, "cmdb:");
	names_add(e, &p, r->cis, "cmdb:");
	struct planned *was = known(c, d->name, slice_str(p.id));
	bool off = is_off(r->state) || !times || p.id[0] == '\0' || p.ends + KEPT * DAY < e->now;
	if (was != NULL && !off && same(was, &p)) {
		planned_free(&p);
		return;
	}
	if (was != NULL) {
		window_end(e, was);
		drop(c, (size_t)(was - c->planned));
	}
	if (off || c->n_planned >= PLANNED_MAX) {
		planned_free(&p);
		return;
	}
	window_begin(e, &p);
	c->planned = xreallocarray(c->planned, c->n_planned + 1, sizeof *c->planned);
	c->planned[c->n_planned++] = p;
}

void changes_result(struct engine *e, const struct ticket_result *r)
{
	struct correlation *c = e->correlation;
	struct ticket_planned p;
	for (size_t k = c->n_planned; k-- > 0;)
		if (c->planned[k].ends + KEPT * DAY < e->now)
			drop(c, k);
	for (size_t k = 0; k < c->n_destinations; k++) {
		struct destination *d = &c->destinations[k];
		struct slice records = r->records;
		if (r->id == 0 || d->changes_op != r->id)
			continue;
		d->changes_op = 0;
		if (r->outcome != TICKET_DONE)
			return;
		while (ticket_planned_next(&records, &p))
			take(e, d, &p);
		if (r->cursor.n > 0 && r->cursor.n <= 1024) {
			free(d->changes_cursor);
			d->changes_cursor = slice_dup(r->cursor);
		}
		return;
	}
}

/* ---- the sentence */

static bool touches(const struct planned *p, struct slice service)
{
	for (size_t k = 0; k < p->n_services; k++)
		if (slice_is(service, p->services[k]))
			return true;
	return false;
}

/* The service and what it needs, nearest first. */
static size_t near(const struct service_map *m, uint32_t s, uint32_t *v)
{
	size_t n = 1, from = 0;
	v[0] = s;
	for (int hop = 0; hop < NEAR_HOPS; hop++) {
		size_t end = n;
		for (; from < end; from++) {
			size_t edges, members;
			const struct map_edge *needs = service_needs(m, v[from], &edges);
			for (size_t k = 0; k < edges; k++) {
				const uint32_t *to = &needs[k].to;
				members = 1;
				if (needs[k].is_group)
					to = group_members(m, needs[k].to, &members);
				for (size_t g = 0; g < members && n < NEAR_MAX; g++)
					v[n++] = to[g];
			}
		}
	}
	return n;
}

char *changes_sentence(const struct engine *e, const struct incident *i)
{
	const struct correlation *c = e->correlation;
	const struct service_map *m = e->setup.map;
	uint32_t s = i->root_id != NULL ? service_find(m, slice_str(i->root_id)) : SERVICE_NONE, v[NEAR_MAX];
	instant on = i->root != NULL ? i->root->on : i->born;
	if (s == SERVICE_NONE || c->n_planned == 0)
		return NULL;
	const struct planned *best = NULL;
	struct slice where = SLICE_NONE;
	size_t n = near(m, s, v);
	for (size_t k = 0; k < n; k++)
		for (size_t p = 0; p < c->n_planned; p++) {
			const struct planned *q = &c->planned[p];
			if (q->starts > on || on > q->ends + AFTER * SECOND ||
			    !touches(q, service_id(m, v[k])))
				continue;
			if (best == NULL || q->starts > best->starts) { /* the latest is the likeliest */
				best = q;
				where = service_id(m, v[k]);
			}
		}
	if (best == NULL)
		return NULL;
	int64_t minutes = (on - best->starts) / MINUTE;
	return xasprintf("started %lld minute%s after %s on " SLICE_FMT " (%s)", (long long)minutes,
	                 minutes == 1 ? "" : "s", best->id, SLICE_ARG(where), best->title);
}

/* ---- save */

void changes_save(const struct correlation *c, struct buf *out)
{
	buf_u64(out, c->n_planned);
	for (size_t k = 0; k < c->n_planned; k++) {
		const struct planned *p = &c->planned[k];
		save_str(out, p->destination);
		save_str(out, p->id);
		save_str(out, p->title);
		save_str(out, p->silence);
		save_time(out, p->starts);
		save_time(out, p->ends);
		buf_u64(out, p->n_services);
		for (size_t s = 0; s < p->n_services; s++)
			save_str(out, p->services[s]);
	}
}

void changes_load(struct reader *r, struct correlation *c)
{
	size_t n = load_count(r, 32);
	c->planned = n > 0 ? xcalloc(n, sizeof *c->planned) : NULL;
	for (; c->n_planned < n && r->ok; c->n_planned++) {
		struct planned *p = &c->planned[c->n_planned];
		p->destination = load_str(r);
		p->id = load_str(r);
		p->title = load_str(r);
		p->silence = load_str(r);
		p->starts = load_time(r);
		p->ends = load_time(r);
		size_t services = load_count(r, 4);
		p->services = services > 0 ? xcalloc(services, sizeof *p->services) : NULL;
		for (; p->n_services < services; p->n_services++) {
			p->services[p->n_services] = load_str(r);
			r->ok = r->ok && p->services[p->n_services] != NULL;
		}
		r->ok = r->ok && p->destination != NULL && p->id != NULL && p->title != NULL;
	}
}
