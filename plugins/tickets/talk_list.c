/* Promises that no record of a list is believed without its proof: hits of a search carry the key, pages lie
 * where the first one was, and a list that would not end does. tickets.md "Profiles". */
#include <stdlib.h>

#include "plugins/tickets/request.h"
#include "plugins/tickets/talk.h"

enum { RECORDS_MAX = 5000 };

/* ---- hits of a search */

struct hit {
	const struct values *values;
	struct slice id, state;
};

static bool is_open(const struct hit *h)
{
	return !slice_is(h->state, "resolved") && !slice_is(h->state, "wontfix");
}

/* Ids that are numbers grow; of others the answer's order counts. */
static bool better(const struct hit *a, const struct hit *b)
{
	int64_t x, y;
	if (is_open(a) != is_open(b))
		return is_open(a);
	return slice_int(a->id, &x) && slice_int(b->id, &y) && x < y;
}

/* Does the hit carry what was asked for? -1: the profile's own value is empty or cannot be rendered. */
static int verified(struct ticket_talk *t, const struct values *v, struct error *err)
{
	struct buf want = {0};
	int ok = 1;
	for (const struct expectation *x = t->connection->profile->ops[TICKET_FIND]->verify;
	     ok == 1 && x != NULL; x = x->next) {
		buf_clear(&want);
		if (expr_text(x->want, &t->render, &want, err) != 0)
			ok = -1;
		else if (want.n == 0)
			ok = error_set(err, "'verify' would accept anything, because its value is empty");
		else
			ok = record_is(t->connection->profile, v, x->name, buf_slice(&want));
	}
	buf_free(&want);
	return ok;
}

static void adopt(struct ticket_talk *t, const struct hit *hits, size_t n)
{
	struct buf others = {0};
	size_t best = 0;
	BUG_ON(n == 0);
	for (size_t i = 1; i < n; i++)
		if (better(&hits[i], &hits[best]))
			best = i;
	for (size_t i = 0; i < n; i++)
		if (i != best)
			buf_printf(&others, "%s" SLICE_FMT, others.n > 0 ? " " : "", SLICE_ARG(hits[i].id));
	talk_take_record(t, hits[best].values);
	t->render.ticket = t->result.ticket;
	t->result.hits = (uint32_t)n;
	if (others.n > 0)
		t->result.others = arena_slice(t->arena, buf_slice(&others));
	buf_free(&others);
	talk_end(t, TICKET_DONE, TICKET_CLASS_OK,
	         n > 1 ? "%zu tickets carry the key, the oldest open one is adopted" : "found", n);
}

/* False when the talk has ended. */
static bool judge_hit(struct ticket_talk *t, const struct values *v, struct hit *hits, size_t *n)
{
	struct error err;
	struct hit h = {
	    .values = v, .id = record_id(v, "id"), .state = record_state(t->connection->profile, v)};
	int ok = verified(t, v, &err);
	if (ok < 0)
		talk_end(t, TICKET_REFUSED, TICKET_CLASS_CONFIG, "find: %s", err.text);
	else if (ok == 0)
		talk_end(t, TICKET_REFUSED, TICKET_CLASS_CONFIG,
		         "find: ticket " SLICE_FMT " was returned, but does not carry the key " SLICE_FMT
		         ": the filter was ignored; check the name of the key's field in the profile",
		         SLICE_ARG(h.id), SLICE_ARG(t->op.key));
	else if (h.id.n == 0)
		talk_end(t, TICKET_REFUSED, TICKET_CLASS_CONFIG,
		         "find: a hit has no usable id; check 'extract' in the profile");
	else if (!slice_is(h.state, "gone"))
		hits[(*n)++] = h;
	return t->phase != TALK_ENDED;
}

static void found(struct ticket_talk *t)
{
	struct hit *hits = arena_array(t->arena, t->n_list + 1, sizeof *hits);
	size_t n = 0;
	for (size_t i = 0; i < t->n_list; i++)
		if (!judge_hit(t, t->list[i], hits, &n))
			return;
	if (n > 0)
		adopt(t, hits, n);
	else
		talk_end(t, TICKET_ABSENT, TICKET_CLASS_OK, "no ticket carries the key");
}

/* ---- what a poll saw, what is planned */

static bool ignored(struct ticket_talk *t, const struct values *v)
{
	struct error err;
	struct buf want = {0};
	bool is = false;
	for (const struct expectation *x = t->connection->profile->ops[t->op.verb]->ignore; !is && x != NULL;
	     x = x->next) {
		buf_clear(&want);
		is = expr_text(x->want, &t->render, &want, &err) == 0 && want.n > 0 &&
		     record_is(t->connection->profile, v, x->name, buf_slice(&want));
	}
	buf_free(&want);
	return is;
}

static bool comes_again(const struct ticket_talk *t, size_t i)
{
	struct slice id = values_get(t->list[i], SLICE("id"));
	for (size_t k = i + 1; k < t->n_list; k++)
		if (slice_eq(values_get(t->list[k], SLICE("id")), id))
			return true;
	return false;
}

/* Takes the cursor, then away what is not ours to tell; of several changes of one ticket one look at it is
 * enough. */
static void prune(struct ticket_talk *t)
{
	const struct op *op = t->connection->profile->ops[t->op.verb];
	size_t n = 0;
	t->cursor = json_text(json_get(t->render.facts, "cursor"));
	for (size_t i = 0; i < t->n_list; i++) {
		struct slice at = values_get(t->list[i], SLICE("cursor"));
		t->cursor = at.n > 0 ? at : t->cursor;
		if (!ignored(t, t->list[i]) && !(op->then_get && comes_again(t, i)))
			t->list[n++] = t->list[i];
	}
	t->n_list = n;
}

static void listed(struct ticket_talk *t)
{
	struct buf records = {0};
	/* some lists have ids only, and each record has the cursor */
	bool late = op_extracts(t->connection->profile->ops[t->op.verb], SLICE("cursor")) == NULL;
	for (size_t i = 0; i < t->n_list; i++) {
		struct ticket_seen seen = {0};
		struct ticket_planned plan = {0};
		struct slice at = values_get(t->list[i], SLICE("cursor"));
		t->cursor = at.n > 0 && late ? at : t->cursor;
		if (t->op.verb == TICKET_POLL)
			seen = record_seen(t->connection->profile, t->arena, t->list[i]);
		else
			plan = record_planned(t->arena, t->list[i]);
		if (seen.id.n > 0)
			ticket_seen_encode(&seen, &records);
		else if (plan.id.n > 0)
			ticket_planned_encode(&plan, &records);
		t->result.hits += seen.id.n > 0 || plan.id.n > 0;
	}
	t->result.cursor = t->cursor;
	t->result.records = records.n > 0 ? arena_slice(t->arena, buf_slice(&records)) : SLICE_NONE;
	buf_free(&records);
	talk_end(t, TICKET_DONE, TICKET_CLASS_OK, "%u records", t->result.hits);
}

/* ---- the list itself */

static void list_over(struct ticket_talk *t)
{
	const struct op *op = t->connection->profile->ops[t->op.verb];
	if (t->op.verb != TICKET_FIND && !t->pruned) {
		t->pruned = true;
		prune(t);
	}
	if (op->then_get && t->at_list < t->n_list) {
		t->render.ticket = record_id(t->list[t->at_list], "id");
		if (t->render.ticket.n == 0)
			talk_end(t, TICKET_REFUSED, TICKET_CLASS_CONFIG,
			         "%s: a record has no usable id; check 'extract' in the profile",
			         ticket_verb_word(t->op.verb));
		else
			talk_enter(t, TALK_THEN);
		return;
	}
	if (t->op.verb == TICKET_FIND)
		found(t);
	else
		listed(t);
}

void talk_item_read(struct ticket_talk *t, const struct op *get, const struct reply *r)
{
	struct values **at = &t->list[t->at_list];
	BUG_ON(t->at_list >= t->n_list);
	/* the list's own values stay under those of the record, but for the id, which may be the one it was
	 * merged into */
	struct slice asked = t->render.ticket;
	*at = record_values(&t->render, get->extract, *at, r, NULL);
	struct slice now = record_id(*at, "id");
	if (now.n > 0 && !slice_eq(now, asked) && t->op.verb != TICKET_FIND) {
		struct values *id = arena_alloc(t->arena, sizeof *id),
		              *into = arena_alloc(t->arena, sizeof *into);
		*into = (struct values){SLICE("merged_into"), now, *at};
		*id = (struct values){SLICE("id"), asked, into};
		*at = id;
	}
	t->at_list++;
	list_over(t);
}

void talk_item_gone(struct ticket_talk *t)
{
	BUG_ON(t->at_list >= t->n_list);
	memmove(&t->list[t->at_list], &t->list[t->at_list + 1],
	        (t->n_list - t->at_list - 1) * sizeof *t->list);
	t->n_list--;
	list_over(t);
}

static void collect(struct ticket_talk *t, const struct op *op, const struct reply *r,
                    const struct json *list)
{
	for (const struct json *item = list != NULL ? list->first : NULL;
	     item != NULL && t->n_list < RECORDS_MAX; item = item->next) {
		t->list = array_reserve(t->list, &t->cap_list, t->n_list + 1, sizeof *t->list);
		t->list[t->n_list++] = record_values(&t->render, op->extract, NULL, r, item);
	}
}

/* -1 ends the talk; 1: another page is to be asked for. */
static int next_page(struct ticket_talk *t, const struct op *op, const struct reply *r, size_t n,
                     struct error *err)
{
	struct slice more = SLICE_NONE;
	if (++t->pages >= PAGES_MAX || t->n_list >= RECORDS_MAX || n == 0)
		return 0;
	switch (op->paging) {
	case PAGING_NONE: return 0;
	case PAGING_NUMBER: t->render.page_number++; return (int64_t)n >= op->limit;
	case PAGING_OFFSET: t->render.page_offset += (int64_t)n; return (int64_t)n >= op->limit;
	case PAGING_TOKEN:
		t->render.page_token = arena_slice(t->arena, slice_trim(reply_value(r, NULL, op->page_path)));
		return t->render.page_token.n > 0;
	case PAGING_NEXT:
		more = slice_is(op->page_path, "@link") ? reply_next_link(r)
		                                        : reply_value(r, NULL, op->page_path);
		if (more.n == 0)
			return 0;
		return request_follow(t->request.url, more, t->arena, &t->next_url, err) == 0 ? 1 : -1;
	}
	BUG_ON(true);
	return 0;
}

void talk_listed(struct ticket_talk *t, const struct op *op, const struct reply *r)
{
	const char *word = ticket_verb_word(t->op.verb);
	const struct json *list = slice_is(op->items, "@item") ? r->doc : json_path(r->doc, op->items);
	struct error err;
	if (r->doc == NULL || (list != NULL && list->kind != JSON_ARRAY && list->kind != JSON_OBJECT &&
	                       list->kind != JSON_NULL)) {
		talk_end(t, TICKET_REFUSED, TICKET_CLASS_CONFIG,
		         "%s: there is no list at '" SLICE_FMT
		         "' in the answer; check 'items' in the profile",
		         word, SLICE_ARG(op->items));
		return;
	}
	size_t n = list != NULL ? list->n : 0;
	if (t->op.verb == TICKET_FIND && (int64_t)n >= op->limit) {
		talk_end(t, TICKET_REFUSED, TICKET_CLASS_CONFIG,
		         "find: a full page of %zu tickets came back: the filter was ignored; check the name "
		         "of the key's field in the profile",
		         n);
		return;
	}
	collect(t, op, r, list);
	int more = next_page(t, op, r, n, &err);
	if (more < 0)
		talk_end(t, TICKET_REFUSED, TICKET_CLASS_CONFIG, "%s: %s", word, err.text);
	else if (more > 0)
		talk_enter(t, TALK_OPERATION);
	else
		list_over(t);
}
