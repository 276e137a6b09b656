/* Promises everything that people read about an incident in a ticket: the body of language.md section 8, the
 * reasons, the facts that profiles render (tickets.md "Profiles", Names). Must not know how they travel. */
#include "engine/correlate.h"

#include <stdlib.h>

enum { BODY_REASONS = 20, BODY_COMPONENTS = 50, BODY_EVENTS = 6 };

/* ---- what an incident says about itself */

/* Calls fn for its alerts in order of joining; all that are still kept. */
static void each_alert(const struct incident *i, void (*fn)(void *arg, const struct alert *a), void *arg)
{
	const struct episode *ep;
	for (size_t k = 0; k < i->n_alerts; k++)
		fn(arg, i->alerts[k]);
	TAILQ_FOREACH (ep, &i->episodes, in_incident)
		for (size_t k = 0; k < ep->n_alerts; k++)
			fn(arg, ep->alerts[k]);
}

static void severity_max(void *arg, const struct alert *a)
{
	enum severity *s = arg;
	*s = MAX(*s, a->severity);
}

enum severity incident_severity(const struct incident *i)
{
	enum severity s = SEVERITY_INFO;
	each_alert(i, severity_max, &s);
	return s;
}

static void count_events(void *arg, const struct alert *a)
{
	*(uint64_t *)arg += a->count;
}

const char *incident_worst(const struct incident *i)
{
	return i->n_hurts > 0 ? i->hurts[0].service : i->root_id;
}

/* Of everything whose change is worth an update of the ticket. */
uint64_t incident_fingerprint(const struct incident *i)
{
	struct buf b = {0};
	buf_printf(&b, "%s\n%d\n%s\n%s\n", i->root_id, i->priority, i->title,
	           i->assign != NULL ? i->assign : "");
	for (size_t k = 0; k < i->n_hurts; k++)
		buf_printf(&b, "%s %d\n", i->hurts[k].service, (int)i->hurts[k].effect);
	uint64_t h = hash_stable(buf_slice(&b));
	buf_free(&b);
	return h;
}

/* ---- ${incident.x} in what rules rendered */

static void hurt_list(const struct incident *i, struct buf *out)
{
	for (size_t k = 0; k < i->n_hurts; k++) {
		buf_str(out, k > 0 ? ", " : "");
		buf_str(out, i->hurts[k].service);
	}
}

static void expand_name(const struct engine *e, const struct incident *i, struct slice name, struct buf *out)
{
	uint64_t events = 0;
	if (slice_is(name, "id"))
		buf_str(out, i->id_text);
	else if (slice_is(name, "alerts"))
		buf_printf(out, "%u", i->tally.alerts);
	else if (slice_is(name, "count")) {
		each_alert(i, count_events, &events);
		buf_printf(out, "%llu", (unsigned long long)events);
	} else if (slice_is(name, "root"))
		buf_str(out, i->root_id != NULL ? i->root_id : "");
	else if (slice_is(name, "service"))
		buf_str(out, incident_worst(i) != NULL ? incident_worst(i) : "");
	else if (slice_is(name, "services"))
		hurt_list(i, out);
	else if (slice_is(name, "priority"))
		buf_printf(out, "P%d", i->priority);
	else if (slice_is(name, "impact"))
		buf_str(out, impact_word(i));
	else if (slice_is(name, "urgency"))
		buf_str(out, urgency_word(i));
	else if (slice_is(name, "severity"))
		buf_str(out, severity_word(incident_severity(i)));
	else if (slice_is(name, "title"))
		buf_str(out, i->title != NULL ? i->title : "");
	else if (slice_is(name, "dedup_key"))
		buf_str(out, i->key != NULL ? i->key : "");
	else if (slice_is(name, "class"))
		buf_str(out, i->class_id != NULL ? i->class_id : "");
	else if (slice_is(name, "assign"))
		buf_str(out, i->assign != NULL ? i->assign : "");
	else if (slice_is(name, "opened_at") && i->opened != INSTANT_NONE)
		instant_format(i->opened, out);
	(void)e;
}

void text_expand(const struct engine *e, const struct incident *i, const char *text, struct buf *out)
{
	static const char prefix[] = "\001incident.";
	for (const char *at = text; *at != '\0';) {
		const char *end = *at == '\001' ? strchr(at, '\002') : NULL;
		if (end == NULL || strncmp(at, prefix, sizeof prefix - 1) != 0) {
			buf_char(out, *at++);
			continue;
		}
		at += sizeof prefix - 1;
		expand_name(e, i, slice_of(at, (size_t)(end - at)), out);
		at = end + 1;
	}
}

/* ---- reasons */

size_t text_reasons(const struct incident *i, size_t max, void (*line)(void *arg, const char *text),
                    void *arg)
{
	const struct episode *ep;
	size_t n = 0;
	TAILQ_FOREACH (ep, &i->episodes, in_incident) {
		if (ep->parent == NULL || n == max)
			continue;
		char *text = xasprintf("%s <- %s: %s", ep->node->id, ep->parent->node->id, ep->reason);
		line(arg, text);
		free(text);
		n++;
	}
	return n;
}

/* ---- the body */

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
	if (s != SERVICE_NONE)
		buf_printf(out, " (" SLICE_FMT ")",
		           SLICE_ARG(service_text(e->setup.map, s, "kind").n > 0
		                         ? service_text(e->setup.map, s, "kind")
		                         : SLICE("service")));
	if (i->root != NULL)
		buf_printf(out, " is %s since ", i->root->risk ? "at risk" : level_word(i->root->level));
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
}

static void body_impact(const struct incident *i, struct buf *out)
{
	struct lines l = {out, "Impact"};
	for (size_t k = 0; k < i->n_hurts; k++) {
		char *text = xasprintf("%s (tier %d): %s", i->hurts[k].service, i->hurts[k].tier,
		                       effect_word(i->hurts[k].effect));
		put_line(&l, text);
		free(text);
	}
	if (i->n_hurts == 0)
		put_line(&l, "no business service is known to be hurt");
}

static void body_components(const struct engine *e, const struct incident *i, struct buf *out)
{
	struct lines l = {out, "Components"};
	const struct episode *ep;
	size_t n = 0;
	TAILQ_FOREACH (ep, &i->episodes, in_incident) {
		if (++n > BODY_COMPONENTS)
			break;
		uint32_t s = ep->node->service;
		struct slice kind =
		    s != SERVICE_NONE ? service_text(e->setup.map, s, "kind") : SLICE("not in the map");
		struct slice owner = s != SERVICE_NONE ? service_text(e->setup.map, s, "owner") : SLICE_NONE;
		char *text = xasprintf("%s (" SLICE_FMT ")%s" SLICE_FMT ": %s", ep->node->id, SLICE_ARG(kind),
		                       owner.n > 0 ? " " : "", SLICE_ARG(owner),
		                       ep->off != INSTANT_NONE ? "over"
		                       : ep->risk              ? "at risk"
		                                               : level_word(ep->level));
		put_line(&l, text);
		free(text);
	}
	if (i->tally.episodes > BODY_COMPONENTS) {
		char *text = xasprintf("and %u more", i->tally.episodes - BODY_COMPONENTS);
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
	uint64_t events = 0;
	each_alert(i, count_events, &events);
	each_alert(i, latest_alert, &l);
	label(out, "Alerts");
	buf_printf(out, "%u open, %u closed     %llu events\n", i->tally.alerts_open,
	           i->tally.alerts - i->tally.alerts_open, (unsigned long long)events);
	for (size_t k = 0; k < l.n; k++) {
		label(out, k == 0 ? "Last events" : "");
		clock(l.v[k]->at, out);
		buf_printf(out, " %s\n", l.v[k]->text != NULL ? l.v[k]->text : "");
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
	label(out, "Changed");
	instant_format((i->opened != INSTANT_NONE ? i->opened : i->born) / SECOND * SECOND, out);
	buf_str(out, " created");
	if (i->previous != 0)
		buf_printf(out, "; before it: %s", i->previous_id);
	buf_printf(out, "\n-- carillon %s  dedup %s  rule %s\n", i->id_text, i->key != NULL ? i->key : "-",
	           i->class_id != NULL ? i->class_id : "-");
}

void text_body(const struct engine *e, const struct incident *i, struct buf *out)
{
	BUG_ON(i->title == NULL || i->root_id == NULL);
	body_head(e, i, out);
	body_what(e, i, out);
	body_why(i, out);
	body_impact(i, out);
	if (i->group == GROUP_TOPOLOGY)
		body_components(e, i, out);
	body_events(i, out);
	body_foot(e, i, out);
}

/* ---- facts */

static void facts_texts(const struct engine *e, const struct incident *i, struct jw *w)
{
	struct buf b = {0};
	text_body(e, i, &b);
	jw_kslice(w, "body", buf_slice(&b));
	buf_clear(&b);
	buf_str(&b, i->key);
	for (size_t k = 0; k < b.n; k++)
		b.p[k] = b.p[k] == ':' ? '-' : b.p[k];
	jw_kslice(w, "label", buf_slice(&b));
	jw_kslice(w, "labels", buf_slice(&b));
	buf_clear(&b);
	hurt_list(i, &b);
	jw_kslice(w, "services", b.n > 0 ? buf_slice(&b) : SLICE(""));
	buf_free(&b);
}

static void facts_root(const struct engine *e, const struct incident *i, struct jw *w)
{
	uint32_t s = service_find(e->setup.map, slice_str(i->root_id));
	const char *ci = s != SERVICE_NONE ? service_first_alias(e->setup.map, s, "cmdb:") : NULL;
	const struct alert *a = incident_decider(i);
	const struct rule *r = a != NULL ? alert_rule(e, a) : NULL;
	struct buf b = {0};
	jw_kstr(w, "root", i->root_id);
	jw_kstr(w, "service", incident_worst(i));
	jw_kstr(w, "ci", ci != NULL ? ci : "");
	jw_kstr(w, "class", i->class_id != NULL ? i->class_id : "");
	for (size_t k = 0; r != NULL && k < r->n_tags; k++)
		buf_printf(&b, "%s" SLICE_FMT, k > 0 ? " " : "", SLICE_ARG(r->tags[k]));
	jw_kslice(w, "tags", b.n > 0 ? buf_slice(&b) : SLICE(""));
	jw_key(w, "fields");
	jw_object(w);
	for (size_t k = 0; a != NULL && k < a->n_extra; k++) {
		buf_clear(&b);
		text_expand(e, i, a->extra_values[k] != NULL ? a->extra_values[k] : "", &b);
		jw_kslice(w, a->extra_names[k], b.n > 0 ? buf_slice(&b) : SLICE(""));
	}
	jw_end(w);
	buf_free(&b);
}

static void facts_incident(const struct engine *e, const struct incident *i, struct jw *w)
{
	char priority[4] = {'P', (char)('0' + i->priority), '\0'};
	uint64_t events = 0;
	BUG_ON(i->priority < 1 || i->priority > 5 || i->key == NULL);
	each_alert(i, count_events, &events);
	jw_kstr(w, "id", i->id_text);
	jw_kstr(w, "dedup_key", i->key);
	jw_kstr(w, "title", i->title);
	jw_kstr(w, "priority", priority);
	jw_kstr(w, "impact", impact_word(i));
	jw_kstr(w, "urgency", urgency_word(i));
	jw_kstr(w, "severity", severity_word(incident_severity(i)));
	jw_kstr(w, "assign", i->assign != NULL ? i->assign : "");
	jw_kstr(w, "state", incident_state_word(i->state));
	jw_kint(w, "alerts", (int64_t)i->tally.alerts);
	jw_kint(w, "count", (int64_t)events);
	jw_ktime(w, "opened_at", i->opened);
	jw_kstr(w, "url", "");
	facts_root(e, i, w);
	facts_texts(e, i, w);
}

void text_facts(const struct engine *e, const struct incident *i, const struct lane *l, const char *note,
                struct buf *out)
{
	struct jw w = jw_new(out);
	jw_object(&w);
	jw_key(&w, "incident");
	jw_object(&w);
	facts_incident(e, i, &w);
	jw_end(&w);
	jw_key(&w, "note");
	jw_object(&w);
	jw_kstr(&w, "text", note != NULL ? note : "");
	jw_end(&w);
	jw_key(&w, "ticket");
	jw_object(&w);
	const char *id = l->straying ? l->stray : l->ticket, *version = l->straying ? NULL : l->version;
	jw_kstr(&w, "id", id != NULL ? id : "");
	jw_kstr(&w, "version", version != NULL ? version : "");
	jw_end(&w);
	const struct incident *into = incident_merged(e->correlation, i);
	jw_key(&w, "parent");
	jw_object(&w);
	jw_kstr(&w, "id",
	        into != NULL && into->lane != NULL && into->lane->ticket != NULL ? into->lane->ticket : "");
	jw_end(&w);
	jw_end(&w);
}
