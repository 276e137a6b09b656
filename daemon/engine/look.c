/* Promises what others see of incidents: view rows for the API (JSON), looks for rule tests, figures for
 * metrics. Changes nothing but the marks of what was shown. */
#include "engine/correlate.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROW_INCIDENT = 2, ROW_LOG, ROW_OUTBOX, ROW_SERVICE };
enum { COMPONENTS_SHOWN = 200, REASONS_SHOWN = 100 };

typedef void row_fn(void *arg, const struct engine_view *v);

void view_gone(struct correlation *c, int kind, struct slice id)
{
	buf_u8(&c->gone, (uint8_t)kind);
	buf_lslice(&c->gone, id);
}

/* ---- incidents */

static void component(const struct engine *e, const struct episode *ep, struct jw *w)
{
	const struct service_map *m = e->setup.map;
	uint32_t s = ep->node->service;
	jw_object(w);
	jw_kstr(w, "service", ep->node->id);
	jw_kslice(w, "name", s != SERVICE_NONE ? service_text(m, s, "name") : SLICE_NONE);
	jw_kslice(w, "kind", s != SERVICE_NONE ? service_text(m, s, "kind") : SLICE_NONE);
	jw_kslice(w, "layer", layer_text(e, ep->node));
	jw_kslice(w, "owner", s != SERVICE_NONE ? service_text(m, s, "owner") : SLICE_NONE);
	jw_kstr(w, "state", ep->off != INSTANT_NONE ? "over" : ep->risk ? "risk" : level_word(ep->level));
	jw_kbool(w, "inferred", silent_only(ep));
	jw_kint(w, "alerts", (int64_t)(ep->n_alerts + ep->dropped));
	jw_ktime(w, "since", ep->on);
	jw_kstr(w, "cause", ep->parent != NULL ? ep->parent->node->id : NULL);
	jw_kstr(w, "reason", ep->parent != NULL ? ep->reason : ep->inference);
	jw_end(w);
}

static void components(const struct engine *e, const struct incident *i, struct jw *w)
{
	const struct episode *ep;
	size_t n = 0;
	jw_key(w, "components");
	jw_array(w);
	TAILQ_FOREACH (ep, &i->episodes, in_incident)
		if (n++ < COMPONENTS_SHOWN)
			component(e, ep, w);
	if (incident_precursor(i) != NULL)
		component(e, incident_precursor(i), w);
	jw_array_end(w);
	if (n > COMPONENTS_SHOWN)
		jw_kint(w, "components_more", (int64_t)n - COMPONENTS_SHOWN);
}

static void reason_item(void *arg, const char *text)
{
	jw_str(arg, text);
}

static const char *ticket_word(const struct incident *i)
{
	if (i->opened == INSTANT_NONE)
		return "none";
	if (i->lane != NULL)
		return i->lane->ticket == NULL ? "none" : i->lane->closed_there ? "resolved" : "open";
	if (i->destination == NULL || i->wontfix)
		return "none";
	bool over =
	    i->state == INCIDENT_RESOLVED || i->state == INCIDENT_CLOSED || i->state == INCIDENT_MERGED;
	return over && (i->resolve == RESOLVE_AUTO || i->by_hand || i->state == INCIDENT_MERGED) ? "resolved"
	                                                                                         : "open";
}

static void ticket(const struct engine *e, const struct incident *i, struct jw *w)
{
	const struct incident *storm = storm_of(e->correlation, i);
	const struct lane *l = storm != NULL ? storm->lane : i->lane;
	jw_key(w, "ticket");
	jw_object(w);
	jw_kstr(w, "destination", i->destination);
	jw_kstr(w, "id", l != NULL ? l->ticket : NULL);
	jw_kstr(w, "url", l != NULL ? l->url : NULL);
	jw_kstr(w, "state", ticket_word(i));
	jw_kstr(w, "storm", storm != NULL ? storm->id_text : NULL);
	if (i->lane != NULL && i->lane->sister != NULL) {
		jw_key(w, "also");
		jw_array(w);
		for (l = i->lane->sister; l != NULL; l = l->sister) {
			jw_object(w);
			jw_kstr(w, "destination", l->destination);
			jw_kstr(w, "id", l->ticket);
			jw_kstr(w, "url", l->url);
			jw_end(w);
		}
		jw_array_end(w);
	}
	jw_end(w);
}

static void reasons(const struct incident *i, struct jw *w)
{
	jw_key(w, "reasons");
	jw_array(w);
	text_reasons(i, REASONS_SHOWN, reason_item, w);
	if (i->holds != NULL)
		jw_str(w, i->holds);
	jw_array_end(w);
	const struct episode *root = i->root;
	char *held = root != NULL && root->held != NULL
	                 ? xasprintf("not explained by %s: %s", root->held_by, root->held)
	                 : NULL;
	jw_kstr(w, "runner_up", root != NULL && root->runner_up != NULL ? root->runner_up : held);
	free(held);
}

static void roots(const struct incident *i, struct jw *w)
{
	struct candidates found;
	incident_candidates(i, &found);
	jw_key(w, "roots");
	jw_array(w);
	for (size_t k = 0; k < found.n; k++) {
		jw_object(w);
		jw_kstr(w, "id", found.v[k].id);
		jw_kstr(w, "why", found.v[k].why);
		jw_end(w);
	}
	jw_array_end(w);
}

static void incident_json(const struct engine *e, const struct incident *i, struct jw *w)
{
	char priority[4] = {'P', (char)('0' + i->priority), '\0'};
	const struct incident *into = incident_merged(e->correlation, i);
	jw_object(w);
	jw_kstr(w, "id", i->id_text);
	jw_kstr(w, "state", incident_state_word(i->state));
	jw_kstr(w, "title", i->title);
	jw_kstr(w, "priority", i->priority > 0 ? priority : NULL);
	jw_kstr(w, "root", i->root_id != NULL ? i->root_id : i->root != NULL ? i->root->node->id : NULL);
	jw_key(w, "services");
	jw_array(w);
	for (size_t k = 0; k < i->n_hurts; k++) {
		jw_object(w);
		jw_kstr(w, "id", i->hurts[k].service);
		jw_kint(w, "tier", i->hurts[k].tier);
		jw_kstr(w, "state", effect_word(i->hurts[k].effect));
		jw_ktime(w, "since", i->hurts[k].since);
		jw_end(w);
	}
	jw_array_end(w);
	jw_kstr(w, "impact", impact_word(i));
	jw_kstr(w, "urgency", urgency_word(i));
	jw_kstr(w, "severity", severity_word(incident_severity(i)));
	jw_kstr(w, "assign", i->assign);
	jw_kstr(w, "owner", i->owner);
	jw_kstr(w, "rule", i->class_id);
	jw_ktime(w, "since", i->born);
	jw_ktime(w, "opened_at", i->opened);
	jw_ktime(w, "resolved_at", i->resolved);
	jw_ktime(w, "updated_at", i->updated);
	jw_kint(w, "alerts", (int64_t)i->tally.alerts);
	jw_kint(w, "alerts_open", (int64_t)i->tally.alerts_open);
	ticket(e, i, w);
	jw_kstr(w, "change", i->change);
	jw_kstr(w, "dedup_key", i->key);
	jw_kstr(w, "merged_into", into != NULL ? into->id_text : NULL);
	jw_kstr(w, "previous", i->previous != 0 ? i->previous_id : NULL);
	components(e, i, w);
	roots(i, w);
	reasons(i, w);
	jw_end(w);
}

static void show_incident(const struct engine *e, struct incident *i, struct buf *b, row_fn *row, void *arg)
{
	struct jw w = jw_new(b);
	buf_clear(b);
	incident_json(e, i, &w);
	row(arg, &(struct engine_view){.kind = ROW_INCIDENT,
	                               .id = slice_of(i->id_text, 26),
	                               .parent = SLICE_NONE,
	                               .state = slice_str(incident_state_word(i->state)),
	                               .updated = i->updated,
	                               .json = buf_slice(b)});
}

static void show_log(struct incident *i, bool all, struct buf *b, row_fn *row, void *arg)
{
	for (size_t k = 0; k < i->n_log; k++) {
		struct log_line *l = &i->log[k];
		if (l->shown && !all)
			continue;
		char id[64];
		int n = snprintf(id, sizeof id, "%s/%06u", i->id_text, l->number);
		struct jw w = jw_new(b);
		buf_clear(b);
		jw_object(&w);
		jw_ktime(&w, "at", l->at);
		jw_kstr(&w, "kind", l->kind);
		jw_kstr(&w, "text", l->text);
		jw_end(&w);
		row(arg, &(struct engine_view){.kind = ROW_LOG,
		                               .id = slice_of(id, (size_t)n),
		                               .parent = slice_of(i->id_text, 26),
		                               .state = slice_str(l->kind),
		                               .updated = l->at,
		                               .json = buf_slice(b)});
		l->shown = true;
	}
}

void incident_last_rows(struct engine *e, struct incident *i)
{
	struct buf b = {0};
	if (i->dirty && e->fx != NULL) { /* else the engine itself goes, and perhaps half loaded */
		show_incident(e, i, &b, engine_last_row, e);
		show_log(i, false, &b, engine_last_row, e);
	}
	buf_free(&b);
}

/* ---- outbox */

/* Why a lane waits for its connection; NULL: not for this one. */
static const char *held_because(const struct engine *e, const struct destination *d, const struct lane *l)
{
	if (strcmp(d->name, l->destination) != 0 || outbox_proven(e, d))
		return NULL;
	return d->check_text != NULL ? d->check_text : "the connection is checked before its first ticket";
}

static void lane_json(const struct engine *e, const struct lane *l, struct jw *w)
{
	jw_object(w);
	jw_kint(w, "id", (int64_t)l->serial);
	jw_kstr(w, "destination", l->destination);
	jw_kstr(w, "incident", l->incident->id_text);
	jw_kstr(w, "ticket", l->ticket);
	jw_kstr(w, "verb", ticket_verb_word(l->op != 0 ? l->verb : TICKET_CREATE));
	jw_kstr(w, "state", lane_state_word(l));
	jw_kint(w, "attempt", (int64_t)l->attempt);
	jw_ktime(w, "next_at", l->next_at);
	jw_ktime(w, "since", l->since);
	const char *error = l->error;
	for (size_t k = 0; error == NULL && l->parked && k < e->correlation->n_destinations; k++)
		error = held_because(e, &e->correlation->destinations[k], l);
	jw_kstr(w, "error", error);
	jw_kstr(w, "class", l->error != NULL ? ticket_class_word(l->error_class) : NULL);
	jw_end(w);
}

/* A row as long as there is something to deliver. */
static void show_lane(const struct engine *e, struct lane *l, struct buf *b, row_fn *row, void *arg)
{
	char id[24];
	int n = snprintf(id, sizeof id, "%llu", (unsigned long long)l->serial);
	struct engine_view v = {.kind = ROW_OUTBOX,
	                        .id = slice_of(id, (size_t)n),
	                        .parent = slice_of(l->incident->id_text, 26),
	                        .state = slice_str(lane_state_word(l)),
	                        .updated = e->now,
	                        .json = SLICE_NONE};
	if (!l->done && lane_busy(e, l)) {
		struct jw w = jw_new(b);
		buf_clear(b);
		lane_json(e, l, &w);
		v.json = buf_slice(b);
	}
	l->shown = v.json.p != NULL;
	row(arg, &v);
}

/* A connection that is checked, or was: its row has its name. */
static void show_check(const struct engine *e, const struct destination *d, struct buf *b, row_fn *row, void *arg)
{
	struct engine_view v = {.kind = ROW_OUTBOX, .id = slice_str(d->name), .parent = SLICE(""), .updated = e->now, .state = slice_str(outbox_check_word(d))};
	struct jw w = jw_new(b);
	bool failed = d->check == CHECK_REFUSED || d->check == CHECK_WAITING;
	buf_clear(b);
	jw_object(&w);
	jw_kstr(&w, "id", d->name);
	jw_kstr(&w, "destination", d->name);
	jw_kstr(&w, "verb", "check");
	jw_kstr(&w, "state", outbox_check_word(d));
	jw_kint(&w, "op", (int64_t)d->check_op);
	jw_kint(&w, "attempt", (int64_t)d->check_attempt);
	jw_ktime(&w, "next_at", d->check_at);
	jw_kstr(&w, "ticket", d->check_ticket);
	jw_kstr(&w, "error", failed ? d->check_text : NULL);
	jw_kstr(&w, "what", failed ? NULL : d->check_text);
	jw_end(&w);
	v.json = buf_slice(b);
	row(arg, &v);
}

static void show_checks(const struct engine *e, bool all, struct buf *b, row_fn *row, void *arg)
{
	struct correlation *c = e->correlation;
	for (size_t i = 0; i < c->n_destinations; i++) {
		struct destination *d = &c->destinations[i];
		if (d->check_dirty || (all && d->check != CHECK_NONE))
			show_check(e, d, b, row, arg);
	}
}

/* ---- services */

static void show_node(const struct engine *e, const struct map_node *n, struct buf *b, row_fn *row, void *arg)
{
	const struct episode *ep = n->open != NULL ? n->open : n->risk;
	struct engine_view v = {.kind = ROW_SERVICE,
	                        .id = slice_str(n->id),
	                        .parent = SLICE_NONE,
	                        .updated = e->now,
	                        .state = SLICE("up"),
	                        .json = SLICE_NONE};
	if (ep != NULL) {
		const char *state = ep->risk ? "risk" : level_word(ep->level);
		struct jw w = jw_new(b);
		buf_clear(b);
		jw_object(&w);
		jw_kstr(&w, "id", n->id);
		jw_kstr(&w, "state", state);
		jw_ktime(&w, "since", ep->on);
		jw_kstr(&w, "incident", ep->incident != NULL ? ep->incident->id_text : NULL);
		jw_end(&w);
		v.state = slice_str(state);
		v.json = buf_slice(b);
	}
	row(arg, &v);
}

/* ---- all */

static void views_gone(struct correlation *c, row_fn *row, void *arg)
{
	struct reader r = reader_of(buf_slice(&c->gone));
	while (r.at < r.n) {
		int kind = read_u8(&r);
		struct slice id = read_lslice(&r);
		BUG_ON(!r.ok);
		row(arg, &(struct engine_view){.kind = kind, .id = id});
	}
	buf_clear(&c->gone);
}

static void views_all(struct engine *e, struct buf *b, row_fn *row, void *arg)
{
	struct correlation *c = e->correlation;
	struct incident *i;
	struct lane *l;
	struct episode *ep;
	TAILQ_FOREACH (i, &c->incidents, all) {
		show_incident(e, i, b, row, arg);
		show_log(i, true, b, row, arg);
	}
	TAILQ_FOREACH (l, &c->lanes, all)
		show_lane(e, l, b, row, arg);
	show_checks(e, true, b, row, arg);
	TAILQ_FOREACH (ep, &c->episodes, all)
		if (ep->node->open == ep || (ep->node->risk == ep && ep->node->open == NULL))
			show_node(e, ep->node, b, row, arg);
}

static void marks_clear(struct correlation *c)
{
	while (c->dirty_incidents != NULL) {
		struct incident *i = c->dirty_incidents;
		c->dirty_incidents = i->next_dirty;
		i->dirty = false;
	}
	while (c->dirty_lanes != NULL) {
		struct lane *l = c->dirty_lanes;
		c->dirty_lanes = l->next_dirty;
		l->dirty = false;
	}
	while (c->dirty_nodes != NULL) {
		struct map_node *n = c->dirty_nodes;
		c->dirty_nodes = n->next_dirty;
		n->dirty = false;
		node_tidy(c, n);
	}
	for (size_t i = 0; i < c->n_destinations; i++)
		c->destinations[i].check_dirty = false;
}

void correlation_unmark(struct engine *e)
{
	marks_clear(e->correlation);
	buf_clear(&e->correlation->gone);
}

void correlation_views(struct engine *e, bool all, void (*row)(void *arg, const struct engine_view *v),
                       void *arg)
{
	struct correlation *c = e->correlation;
	struct buf b = {0};
	views_gone(c, row, arg);
	if (all) {
		views_all(e, &b, row, arg);
	} else {
		for (struct incident *i = c->dirty_incidents; i != NULL; i = i->next_dirty) {
			show_incident(e, i, &b, row, arg);
			show_log(i, false, &b, row, arg);
		}
		for (struct lane *l = c->dirty_lanes; l != NULL; l = l->next_dirty)
			show_lane(e, l, &b, row, arg);
		show_checks(e, false, &b, row, arg);
		for (struct map_node *n = c->dirty_nodes; n != NULL; n = n->next_dirty)
			show_node(e, n, &b, row, arg);
	}
	marks_clear(c);
	buf_free(&b);
}

void correlation_stats(const struct engine *e, struct engine_stats *out)
{
	const struct correlation *c = e->correlation;
	const struct incident *i;
	const struct lane *l;
	_Static_assert(INCIDENT_STATES <= ARRAY_LEN(out->incidents), "a figure for each state");
	memset(out->incidents, 0, sizeof out->incidents);
	out->outbox = out->outbox_parked = 0;
	out->outbox_oldest = INSTANT_NONE;
	TAILQ_FOREACH (i, &c->incidents, all)
		out->incidents[i->state]++;
	TAILQ_FOREACH (l, &c->lanes, all) {
		if (l->done || !lane_busy(e, l))
			continue;
		out->outbox++;
		out->outbox_parked += l->parked || l->dead;
		if (l->since != INSTANT_NONE &&
		    (out->outbox_oldest == INSTANT_NONE || l->since < out->outbox_oldest))
			out->outbox_oldest = l->since;
	}
}

static void look_at(const struct engine *e, const struct incident *i,
                    void (*fn)(void *arg, const struct incident_look *i), void *arg)
{
	const struct incident *into = incident_merged(e->correlation, i);
	struct slice *services = i->n_hurts > 0 ? xcalloc(i->n_hurts, sizeof *services) : NULL;
	struct slice roots[CANDIDATES];
	size_t n_roots = 0;
	struct candidates found;
	const char *root = i->root_id != NULL ? i->root_id : i->root != NULL ? i->root->node->id : NULL;
	incident_candidates(i, &found);
	for (; n_roots < found.n; n_roots++)
		roots[n_roots] = slice_str(found.v[n_roots].id);
	for (size_t k = 0; k < i->n_hurts; k++)
		services[k] = slice_str(i->hurts[k].service);
	struct incident_look look = {
	    .serial = i->serial,
	    .id = slice_of(i->id_text, 26),
	    .title = slice_str(i->title),
	    .root = slice_str(root),
	    .roots = roots,
	    .n_roots = n_roots,
	    .assign = slice_str(i->assign),
	    .ticket = slice_str(i->lane != NULL ? i->lane->ticket : NULL),
	    .merged_into = into != NULL ? slice_of(into->id_text, 26) : SLICE_NONE,
	    .rule = slice_str(i->class_id),
	    .state = incident_state_word(i->state),
	    .ticket_state = ticket_word(i),
	    .priority = i->priority,
	    .impact = impact_word(i),
	    .urgency = urgency_word(i),
	    .services = services,
	    .n_services = i->n_hurts,
	    .alerts = i->tally.alerts,
	    .alerts_open = i->tally.alerts_open,
	    .opened = i->opened,
	    .resolved = i->resolved,
	};
	fn(arg, &look);
	free(services);
}

void incident_ended(const struct engine *e, const struct incident *i)
{
	if (e->observer != NULL)
		look_at(e, i, e->observer->ended, e->observer->arg);
}

void correlation_each_incident(const struct engine *e, void (*fn)(void *arg, const struct incident_look *i),
                               void *arg)
{
	const struct incident *i;
	TAILQ_FOREACH (i, &e->correlation->incidents, all)
		look_at(e, i, fn, arg);
}
