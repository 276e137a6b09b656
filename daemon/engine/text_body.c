/* Promises the body of a ticket as language.md section 8 shows it: every line of that form, each list
 * bounded. Must not know how it travels. */
#include "engine/correlate.h"

#include <stdlib.h>

enum {
	BODY_REASONS = 20,
	BODY_COMPONENTS = 50,
	BODY_EVENTS = 6,
	BODY_SERVICES = 20,
	BODY_CHANGES = 5,
	BODY_LOOKED = 500
};

static void label(struct buf *out, const char *what)
{
	buf_printf(out, "%-13s", what);
}

static void clock(instant t, struct buf *out)
{
	int y, mo, d, h, mi, s;
	instant_split(t, &y, &mo, &d, &h, &mi, &s);
	buf_printf(out, "%02d:%02d:%02d", h, mi, s);
}

struct lines {
	struct buf *out;
	const char *label; /* of the first line; later ones are indented */
};

static void put_line(void *arg, const char *text)
{
	struct lines *l = arg;
	label(l->out, l->label);
	l->label = "";
	buf_str(l->out, text);
	buf_char(l->out, '\n');
}

static void body_head(const struct engine *e, const struct incident *i, struct buf *out)
{
	uint32_t s = service_find(e->setup.map, slice_str(i->root_id));
	const char *ci = s != SERVICE_NONE ? service_first_alias(e->setup.map, s, "cmdb:") : NULL;
	label(out, "Title");
	buf_printf(out, "[P%d] %s\n", i->priority, i->title);
	label(out, "Assign");
	buf_printf(out, "%-13s Impact %-7s Urgency %-7s%s%s\n", i->assign != NULL ? i->assign : "-",
	           impact_word(i), urgency_word(i), ci != NULL ? " CI " : "", ci != NULL ? ci : "");
}

static void body_what(const struct engine *e, const struct incident *i, struct buf *out)
{
	const struct alert *a = incident_decider(i);
	uint32_t s = service_find(e->setup.map, slice_str(i->root_id));
	label(out, "What");
	buf_str(out, i->root_id);
	if (s != SERVICE_NONE) {
		struct slice kind = service_text(e->setup.map, s, "kind"),
		             site = service_label(e->setup.map, s, SLICE("site"));
		buf_printf(out, " (" SLICE_FMT "%s" SLICE_FMT ")",
		           SLICE_ARG(kind.n > 0 ? kind : SLICE("service")), site.n > 0 ? ", " : "",
		           SLICE_ARG(site));
	}
	if (i->root != NULL)
		buf_printf(out, " is %s since ",
		           i->root->risk          ? "at risk"
		           : silent_only(i->root) ? "inferred to be the cause, and says nothing itself,"
		                                  : level_word(episode_said(i->root)));
	else
		buf_str(out, ": since ");
	clock(i->root != NULL ? i->root->on : i->born, out);
	if (a != NULL)
		buf_printf(out, " (alert %s%s%s).\n", a->rule_id, a->summary != NULL ? ": " : "",
		           a->summary != NULL ? a->summary : "");
	else
		buf_str(out, ".\n");
	if (a != NULL && a->description != NULL) {
		label(out, "");
		text_expand(e, i, a->description, out);
		buf_char(out, '\n');
	}
}

static void body_why(const struct incident *i, struct buf *out)
{
	struct lines l = {out, "Why this"};
	const struct episode *root = i->root;
	size_t edges = text_reasons(i, BODY_REASONS, put_line, &l);
	if (edges == 0)
		put_line(&l, i->group == GROUP_TOPOLOGY ? "nothing that it needs is known to be bad"
		                                        : "grouped by its rule");
	if (root != NULL && root->held != NULL) {
		char *text = xasprintf("not explained by %s: %s", root->held_by, root->held);
		put_line(&l, text);
		free(text);
	}
	if (root != NULL && root->runner_up != NULL) {
		char *text = xasprintf("next best explanation of %s: %s", root->node->id, root->runner_up);
		put_line(&l, text);
		free(text);
	}
	if (i->holds != NULL)
		put_line(&l, i->holds);
	if (i->change != NULL)
		put_line(&l, i->change);
	struct candidates found;
	incident_candidates(i, &found);
	for (size_t k = 1; k < found.n && k < 3; k++) { /* the runner-up and the next */
		char *text = xasprintf("else perhaps %s: %s", found.v[k].id, found.v[k].why);
		put_line(&l, text);
		free(text);
	}
}

static void body_impact(const struct incident *i, struct buf *out)
{
	struct lines l = {out, "Impact"};
	for (size_t k = 0; k < i->n_hurts && k < BODY_SERVICES; k++) {
		struct buf b = {0};
		clock(i->hurts[k].since, &b);
		char *text = xasprintf("%s (tier %d): %s since %s", i->hurts[k].service, i->hurts[k].tier,
		                       effect_word(i->hurts[k].effect), buf_cstr(&b));
		buf_free(&b);
		put_line(&l, text);
		free(text);
	}
	if (i->n_hurts > BODY_SERVICES) {
		char *text = xasprintf("and %zu more", i->n_hurts - BODY_SERVICES);
		put_line(&l, text);
		free(text);
	}
	if (i->n_hurts == 0)
		put_line(&l, "no business service is known to be hurt");
}

static void component(const struct engine *e, const struct episode *ep, struct lines *l)
{
	uint32_t s = ep->node->service;
	struct slice kind =
	    s != SERVICE_NONE ? service_text(e->setup.map, s, "kind") : SLICE("not in the map");
	struct slice owner = s != SERVICE_NONE ? service_text(e->setup.map, s, "owner") : SLICE_NONE;
	struct slice layer = layer_text(e, ep->node);
	char *text = xasprintf("[" SLICE_FMT "] %s (" SLICE_FMT ")%s" SLICE_FMT ": %s%s", SLICE_ARG(layer),
	                       ep->node->id, SLICE_ARG(kind.n > 0 ? kind : SLICE("service")),
	                       owner.n > 0 ? " " : "", SLICE_ARG(owner),
	                       ep->off != INSTANT_NONE ? "over"
	                       : ep->risk              ? "at risk"
	                                               : level_word(episode_said(ep)),
	                       silent_only(ep) ? " (inferred)" : "");
	put_line(l, text);
	free(text);
}

static void body_components(const struct engine *e, const struct incident *i, struct buf *out)
{
	struct lines l = {out, "Components"};
	const struct episode *ep, *risk = incident_precursor(i);
	size_t shown = 0;
	for (int layer = 0; layer < LAYERS && shown < BODY_COMPONENTS; layer++) {
		size_t n = 0;
		TAILQ_FOREACH (ep, &i->episodes, in_incident) {
			if (++n > BODY_LOOKED || shown == BODY_COMPONENTS)
				break;
			if (layer_rank(e, ep->node) != layer)
				continue;
			component(e, ep, &l);
			shown++;
		}
	}
	if (risk != NULL)
		component(e, risk, &l);
	if (i->tally.episodes > shown) {
		char *text = xasprintf("and %zu more", i->tally.episodes - shown);
		put_line(&l, text);
		free(text);
	}
}

struct latest {
	const struct text_note *v[BODY_EVENTS]; /* newest first */
	size_t n;
};

static void latest_add(struct latest *l, const struct text_note *t)
{
	size_t at = l->n;
	while (at > 0 && l->v[at - 1]->at < t->at)
		at--;
	if (at >= BODY_EVENTS)
		return;
	size_t last = MIN(l->n, (size_t)BODY_EVENTS - 1);
	memmove(l->v + at + 1, l->v + at, (last - at) * sizeof *l->v);
	l->v[at] = t;
	l->n = MIN(l->n + 1, (size_t)BODY_EVENTS);
}

static void latest_alert(void *arg, const struct alert *a)
{
	for (size_t k = 0; k < a->n_tail; k++)
		latest_add(arg, &a->tail[k]);
	for (size_t k = 0; k < a->n_head; k++)
		latest_add(arg, &a->head[k]);
}

static void body_events(const struct incident *i, struct buf *out)
{
	struct latest l = {0};
	incident_each_alert(i, latest_alert, &l);
	label(out, "Alerts");
	buf_printf(out, "%u open, %u closed     %llu events\n", i->tally.alerts_open,
	           i->tally.alerts - i->tally.alerts_open, (unsigned long long)incident_events(i));
	for (size_t k = 0; k < l.n; k++) {
		label(out, k == 0 ? "Last events" : "");
		clock(l.v[k]->at, out);
		buf_printf(out, " %s\n", l.v[k]->text != NULL ? l.v[k]->text : "");
	}
}

/* Of all lines of its log those that say that something is different now. */
static bool is_change(const struct log_line *l, const struct incident *i)
{
	static const char *const kinds[] = {"state", "root", "priority", "merged", "split"};
	if (i->opened != INSTANT_NONE && l->at <= i->opened)
		return false;
	for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
		if (strcmp(l->kind, kinds[k]) == 0)
			return true;
	return false;
}

static void body_changes(const struct engine *e, const struct incident *i, struct buf *out)
{
	size_t n = 0, skip;
	label(out, "Changed");
	instant_format((i->opened != INSTANT_NONE ? i->opened : i->born) / SECOND * SECOND, out);
	buf_str(out, " created");
	if (i->previous != 0)
		buf_printf(out, "; before it: %s", i->previous_id);
	if (link_before(e, i) != NULL)
		buf_printf(out, " (ticket %s)", link_before(e, i));
	buf_char(out, '\n');
	for (size_t k = 0; k < i->n_log; k++)
		n += is_change(&i->log[k], i);
	skip = n > BODY_CHANGES ? n - BODY_CHANGES : 0;
	for (size_t k = 0; k < i->n_log; k++) {
		if (!is_change(&i->log[k], i) || (skip > 0 && skip-- > 0))
			continue;
		label(out, "");
		instant_format(i->log[k].at / SECOND * SECOND, out);
		buf_printf(out, " %s\n", i->log[k].text);
	}
}

static void body_foot(const struct engine *e, const struct incident *i, struct buf *out)
{
	const struct alert *a = incident_decider(i);
	uint32_t s = service_find(e->setup.map, slice_str(i->root_id));
	struct slice runbook = a != NULL && a->runbook != NULL ? slice_str(a->runbook) : SLICE_NONE;
	struct slice owner = s != SERVICE_NONE ? service_text(e->setup.map, s, "owner") : SLICE_NONE;
	if (runbook.n == 0 && s != SERVICE_NONE)
		runbook = service_text(e->setup.map, s, "runbook");
	if (owner.n == 0 && a != NULL && a->owner != NULL)
		owner = slice_str(a->owner);
	label(out, "Runbook");
	buf_printf(out, SLICE_FMT "   Owner " SLICE_FMT "\n", SLICE_ARG(runbook.n > 0 ? runbook : SLICE("-")),
	           SLICE_ARG(owner.n > 0 ? owner : SLICE("-")));
	body_changes(e, i, out);
	buf_printf(out, "-- carillon %s  dedup %s  rule %s  map rev %s\n", i->id_text,
	           i->key != NULL ? i->key : "-", i->class_id != NULL ? i->class_id : "-",
	           e->map_rev[0] != '\0' ? e->map_rev : "-");
}

void text_body(const struct engine *e, const struct incident *i, struct buf *out)
{
	BUG_ON(i->title == NULL || i->root_id == NULL);
	body_head(e, i, out);
	if (i->kind != INCIDENT_ORDINARY) {
		(i->kind == INCIDENT_STORM ? storm_body : own_body)(e, i, out);
		body_foot(e, i, out);
		return;
	}
	body_what(e, i, out);
	body_why(i, out);
	body_impact(i, out);
	if (i->group == GROUP_TOPOLOGY)
		body_components(e, i, out);
	body_events(i, out);
	body_foot(e, i, out);
}
