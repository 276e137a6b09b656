/* Promises what people and profiles read about an incident besides the body: the names of language.md section
 * 8 and tickets.md "Profiles", the reasons, what is worth an update. Must not know how they travel. */
#include "engine/correlate.h"

#include <stdlib.h>

enum { SERVICES_NAMED = 20 };

/* ---- what an incident says about itself */

/* Calls fn for its alerts in order of joining; all that are still kept. */
void incident_each_alert(const struct incident *i, void (*fn)(void *arg, const struct alert *a), void *arg)
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
	enum severity s = i->storm_severity;
	incident_each_alert(i, severity_max, &s);
	return s;
}

static void count_events(void *arg, const struct alert *a)
{
	*(uint64_t *)arg += a->count;
}

uint64_t incident_events(const struct incident *i)
{
	uint64_t n = 0;
	incident_each_alert(i, count_events, &n);
	return n;
}

const struct episode *incident_precursor(const struct incident *i)
{
	const struct episode *ep = i->root != NULL && !i->root->risk ? i->root->node->risk : NULL;
	for (size_t k = 0; ep != NULL && k < ep->n_classes; k++)
		if (ep->classes[k].nature == NATURE_PRECURSOR)
			return ep;
	return NULL;
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
	for (size_t k = 0; k < i->n_hurts; k++) { /* thousands at times, and asked on each event: no printf */
		buf_str(&b, i->hurts[k].service);
		buf_char(&b, (char)('0' + (int)i->hurts[k].effect));
		buf_char(&b, '\n');
	}
	uint64_t h = hash_stable(buf_slice(&b));
	buf_free(&b);
	return h;
}

/* ---- ${incident.x} in what rules rendered */

static void hurt_list(const struct incident *i, struct buf *out)
{
	for (size_t k = 0; k < i->n_hurts && k < SERVICES_NAMED; k++) {
		buf_str(out, k > 0 ? ", " : "");
		buf_str(out, i->hurts[k].service);
	}
	if (i->n_hurts > SERVICES_NAMED)
		buf_printf(out, " and %zu more", i->n_hurts - SERVICES_NAMED);
}

static void expand_name(const struct engine *e, const struct incident *i, struct slice name, struct buf *out)
{
	if (slice_is(name, "id"))
		buf_str(out, i->id_text);
	else if (slice_is(name, "alerts"))
		buf_printf(out, "%u", i->tally.alerts);
	else if (slice_is(name, "count"))
		buf_printf(out, "%llu", (unsigned long long)incident_events(i));
	else if (slice_is(name, "root"))
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

/* An assignment that a person has made is not sent again: an empty value drops its key. */
static void facts_plain(const struct engine *e, const struct incident *i, const struct lane *l, struct jw *w)
{
	char priority[4] = {'P', (char)('0' + i->priority), '\0'};
	BUG_ON(i->priority < 1 || i->priority > 5 || i->key == NULL);
	jw_kstr(w, "id", i->id_text);
	jw_kstr(w, "dedup_key", i->key);
	jw_kstr(w, "title", i->title);
	jw_kstr(w, "priority", priority);
	jw_kstr(w, "impact", impact_word(i));
	jw_kstr(w, "urgency", urgency_word(i));
	jw_kstr(w, "severity", severity_word(incident_severity(i)));
	jw_kstr(w, "assign", i->assign != NULL && !l->reassigned ? i->assign : "");
	jw_kstr(w, "state", incident_state_word(i->state));
	jw_kint(w, "alerts", (int64_t)i->tally.alerts);
	jw_kint(w, "count", (int64_t)incident_events(i));
	jw_ktime(w, "opened_at", i->opened);
	jw_kstr(w, "url", "");
	facts_root(e, i, w);
}

/* `json`: the same facts for machines that read the ticket, as text in one of its fields. */
static void facts_incident(const struct engine *e, const struct incident *i, const struct lane *l,
                           struct jw *w)
{
	struct buf b = {0};
	struct jw in = jw_new(&b);
	jw_object(&in);
	facts_plain(e, i, l, &in);
	jw_end(&in);
	facts_plain(e, i, l, w);
	jw_kslice(w, "json", buf_slice(&b));
	facts_texts(e, i, w);
	buf_free(&b);
}

void text_facts(const struct engine *e, const struct incident *i, const struct lane *l, const char *note,
                struct buf *out)
{
	struct jw w = jw_new(out);
	jw_object(&w);
	jw_key(&w, "incident");
	jw_object(&w);
	facts_incident(e, i, l, &w);
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
	const struct lane *target = into != NULL ? incident_lane(into, l->destination) : NULL;
	jw_key(&w, "parent");
	jw_object(&w);
	jw_kstr(&w, "id",
	        target != NULL && target->ticket != NULL ? target->ticket : "");
	jw_end(&w);
	jw_end(&w);
}
