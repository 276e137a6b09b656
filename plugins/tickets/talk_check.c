/* Promises that a connection which passes can do what carillon needs: a search for a key that nobody has is
 * empty (a filter that is ignored returns everything), a made ticket is found by its key (a misspelt field
 * finds nothing), a change is kept, and the trial ticket is closed again, also after a failure. Must not know
 * time: who asks again brings the ticket along. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "plugins/tickets/talk.h"

struct stage {
	enum ticket_verb verb;
	const char *priority;
	int count;
};
static const struct stage stages[] = {
    {TICKET_FIND, "P5", 1},    {TICKET_CREATE, "P5", 1},  {TICKET_FIND, "P5", 1},
    {TICKET_UPDATE, "P4", 2},  {TICKET_NOTE, "P4", 2},    {TICKET_ACKNOWLEDGE, "P4", 2},
    {TICKET_RESOLVE, "P4", 2}, {TICKET_FIND, "P4", 2},    {TICKET_REOPEN, "P4", 2},
    {TICKET_POLL, "P4", 2},    {TICKET_CHANGES, "P4", 2}, {TICKET_RESOLVE, "P4", 2},
};
enum { FIRST_SEARCH = 0, SECOND_SEARCH = 2, CLEAN_UP = 11, STAGES = ARRAY_LEN(stages) };

struct talk_check {
	struct ticket_talk *talk;
	size_t stage;
	struct slice ticket; /* the trial ticket; absent: none is known */
	struct buf done;     /* what went well, for people */
	bool failed;         /* what follows only cleans up */
	enum ticket_outcome outcome;
	enum ticket_class cls;
	duration retry_after;
	char *why;
};

/* ---- the trial incident */

static void put_incident(const struct ticket_talk *t, const struct stage *s, struct jw *w)
{
	static const char *const texts[][2] = {
	    {"id", "00000000000000000000000000"},
	    {"title", "carillon checks this connection, please ignore"},
	    {"body",
	     "A trial ticket. carillon makes, changes and closes it once before it trusts a connection.\n"},
	    {"impact", "low"},
	    {"urgency", "low"},
	    {"severity", "info"},
	    {"root", "carillon-check"},
	    {"service", "carillon-check"},
	    {"services", "carillon-check"},
	    {"ci", ""},
	    {"class", "carillon/check"},
	    {"tags", "carillon"},
	    {"url", ""},
	    {"state", "open"},
	};
	const struct json *given = json_get(t->render.facts, "incident");
	struct buf label = {0};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		jw_kstr(w, texts[i][0], texts[i][1]);
	buf_adds(&label, t->op.key);
	for (size_t i = 0; i < label.n; i++)
		label.p[i] = label.p[i] == ':' ? '-' : label.p[i];
	jw_kslice(w, "dedup_key", t->op.key);
	jw_kslice(w, "label", buf_slice(&label));
	jw_kslice(w, "labels", buf_slice(&label));
	jw_kstr(w, "priority", s->priority);
	jw_kint(w, "alerts", 1);
	jw_kint(w, "count", s->count);
	jw_kslice(w, "opened_at", json_text(json_get(given, "opened_at")));
	jw_kslice(w, "assign", json_text(json_get(given, "assign")));
	buf_free(&label);
}

static struct slice facts(const struct ticket_talk *t, const struct stage *s)
{
	struct buf b = {0};
	struct jw w = jw_new(&b);
	jw_object(&w);
	jw_key(&w, "incident");
	jw_object(&w);
	put_incident(t, s, &w);
	jw_end(&w);
	jw_key(&w, "note");
	jw_object(&w);
	jw_kstr(&w, "text", "A note of the connection check.");
	jw_end(&w);
	jw_kslice(&w, "cursor", json_text(json_get(t->render.facts, "cursor")));
	jw_end(&w);
	struct slice out = arena_slice(t->arena, buf_slice(&b));
	buf_free(&b);
	return out;
}

/* ---- stages */

static void finish(struct ticket_talk *t)
{
	struct talk_check *k = t->check;
	t->result.ticket = k->ticket;
	t->result.retry_after = k->retry_after;
	if (k->failed)
		talk_end(t, k->outcome, k->cls, "%s (before: %s)", k->why,
		         k->done.n > 0 ? buf_cstr(&k->done) : "nothing");
	else
		talk_end(t, TICKET_DONE, TICKET_CLASS_OK, "%s", buf_cstr(&k->done));
}

static void fail(struct ticket_talk *t, enum ticket_outcome o, enum ticket_class cls, char *why)
{
	struct talk_check *k = t->check;
	BUG_ON(k->failed);
	k->failed = true;
	k->outcome = o;
	k->cls = cls;
	k->why = why;
}

static bool is_wanted(const struct ticket_talk *t, size_t stage)
{
	const struct talk_check *k = t->check;
	const struct ticket_profile *p = t->connection->profile;
	if (p->ops[stages[stage].verb] == NULL)
		return false;
	if (k->failed) /* what is refused for good is closed; what is tried again goes on with its ticket */
		return stage == CLEAN_UP && k->ticket.n > 0 && k->outcome == TICKET_REFUSED;
	/* with a ticket of an earlier attempt, the search for it is what comes first */
	if (k->ticket.n > 0 && stage < SECOND_SEARCH)
		return false;
	return stage != CLEAN_UP || p->ops[TICKET_REOPEN] != NULL;
}

static void next_stage(struct ticket_talk *t)
{
	struct talk_check *k = t->check;
	ticket_talk_free(k->talk);
	k->talk = NULL;
	while (k->stage < STAGES && !is_wanted(t, k->stage))
		k->stage++;
	if (k->stage == STAGES) {
		finish(t);
		return;
	}
	const struct stage *s = &stages[k->stage];
	const struct ticket_op op = {.id = t->op.id,
	                             .attempt = t->op.attempt,
	                             .verb = s->verb,
	                             .key = t->op.key,
	                             .ticket = reply_has_ticket(s->verb) ? k->ticket : SLICE_NONE,
	                             .facts = facts(t, s)};
	k->talk = ticket_talk_new(t->connection, &op);
}

static void passed(struct ticket_talk *t, const char *fmt, ...) PRINTF(2, 3);
static void passed(struct ticket_talk *t, const char *fmt, ...)
{
	struct talk_check *k = t->check;
	char text[200];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	buf_printf(&k->done, "%s%s", k->done.n > 0 ? ", " : "", text);
}

/* A ticket was made and the search for its key says none. */
static void not_found(struct ticket_talk *t)
{
	struct talk_check *k = t->check;
	if (t->op.ticket.n == 0) {
		fail(t, TICKET_RETRY, TICKET_CLASS_THROTTLE,
		     xasprintf("find does not see ticket " SLICE_FMT " yet", SLICE_ARG(k->ticket)));
		k->retry_after = ticket_profile_settle(t->connection->profile);
		return;
	}
	fail(t, TICKET_REFUSED, TICKET_CLASS_CONFIG,
	     xasprintf("ticket " SLICE_FMT " was made with the key " SLICE_FMT
	               ", but find does not find it: every incident would become many tickets; check the "
	               "name of the key's "
	               "field in 'find' and 'create' of the profile",
	               SLICE_ARG(k->ticket), SLICE_ARG(t->op.key)));
}

static void searched(struct ticket_talk *t, const struct ticket_result *r)
{
	struct talk_check *k = t->check;
	bool here = r->outcome == TICKET_DONE;
	if (k->stage == FIRST_SEARCH) {
		if (here)
			k->ticket =
			    arena_slice(t->arena, r->ticket); /* of an attempt whose answer was lost */
		else
			passed(t, "find: none");
	} else if (!here) {
		not_found(t);
	} else if (!slice_eq(r->ticket, k->ticket)) {
		fail(t, TICKET_REFUSED, TICKET_CLASS_CONFIG,
		     xasprintf("find returns ticket " SLICE_FMT " for the key of ticket " SLICE_FMT,
		               SLICE_ARG(r->ticket), SLICE_ARG(k->ticket)));
	} else {
		passed(t, "find: %u", r->hits);
	}
}

static bool went_well(const struct ticket_talk *t, const struct ticket_result *r)
{
	if (r->outcome == TICKET_DONE || (r->verb == TICKET_FIND && r->outcome == TICKET_ABSENT))
		return true;
	/* a ticket system may forbid it in that state: then a new ticket is made instead */
	return stages[t->check->stage].verb == TICKET_REOPEN && r->cls == TICKET_CLASS_CONFLICT &&
	       r->outcome == TICKET_REFUSED;
}

static void judge(struct ticket_talk *t, const struct ticket_result *r)
{
	struct talk_check *k = t->check;
	t->result.status = r->status;
	if (k->failed)
		return; /* cleaning up: what went wrong first is what counts */
	if (!went_well(t, r)) {
		bool again = r->outcome == TICKET_RETRY || r->outcome == TICKET_UNCERTAIN;
		if (r->verb == TICKET_CREATE && r->ticket.n > 0)
			k->ticket = arena_slice(t->arena, r->ticket);
		fail(t, again ? TICKET_RETRY : TICKET_REFUSED, r->cls, slice_dup(r->message));
		k->retry_after = r->retry_after;
	} else if (r->verb == TICKET_FIND) {
		searched(t, r);
	} else if (r->verb == TICKET_CREATE) {
		k->ticket = arena_slice(t->arena, r->ticket);
		passed(t, "create: " SLICE_FMT, SLICE_ARG(r->ticket));
	} else {
		passed(t, "%s%s", ticket_verb_word(r->verb),
		       r->outcome == TICKET_DONE ? "" : ": not from this state");
	}
}

static void advance(struct ticket_talk *t)
{
	struct ticket_result r;
	struct talk_check *k = t->check;
	while (k->talk != NULL && ticket_talk_next(k->talk, &t->request, &r) == TALK_RESULT) {
		judge(t, &r);
		k->stage++;
		next_stage(t);
	}
}

void talk_check_begin(struct ticket_talk *t)
{
	struct talk_check *k = t->check = xcalloc(1, sizeof *k);
	t->phase = TALK_CHECK;
	k->ticket = t->op.ticket;
	next_stage(t);
	advance(t);
}

void talk_check_answer(struct ticket_talk *t, const struct ticket_answer *a)
{
	BUG_ON(t->check == NULL || t->check->talk == NULL);
	ticket_talk_answer(t->check->talk, a);
	advance(t);
}

void talk_check_free(struct ticket_talk *t)
{
	if (t->check == NULL)
		return;
	ticket_talk_free(t->check->talk);
	buf_free(&t->check->done);
	free(t->check->why);
	free(t->check);
}
