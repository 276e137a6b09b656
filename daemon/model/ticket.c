/* Ticket operations and results in their flat form: little-endian, a version octet first, nothing behind the
 * last field. Decoded slices borrow from the bytes. Knows nothing of profiles or HTTP. */
#include "model/ticket.h"

enum { TICKET_VERSION = 1, RESULT_VERSION = 2 };

static const char *const verb_words[] = {
    [TICKET_FIND] = "find",       [TICKET_CREATE] = "create", [TICKET_GET] = "get",
    [TICKET_UPDATE] = "update",   [TICKET_NOTE] = "note",     [TICKET_ACKNOWLEDGE] = "acknowledge",
    [TICKET_RESOLVE] = "resolve", [TICKET_REOPEN] = "reopen", [TICKET_LINK_PARENT] = "link_parent",
    [TICKET_POLL] = "poll",       [TICKET_CHANGES] = "changes", [TICKET_CHECK] = "check",
};
static const char *const outcome_words[] = {
    [TICKET_DONE] = "done",       [TICKET_ABSENT] = "absent",       [TICKET_RETRY] = "retry",
    [TICKET_REFUSED] = "refused", [TICKET_UNCERTAIN] = "uncertain",
};
static const char *const class_words[] = {
    [TICKET_CLASS_OK] = "ok",
    [TICKET_CLASS_AUTH] = "auth",
    [TICKET_CLASS_CONFIG] = "config",
    [TICKET_CLASS_CONFLICT] = "conflict",
    [TICKET_CLASS_THROTTLE] = "throttle",
    [TICKET_CLASS_TRANSIENT] = "transient",
    [TICKET_CLASS_GONE] = "gone",
    [TICKET_CLASS_UNKNOWN] = "unknown",
};

const char *ticket_verb_word(enum ticket_verb v)
{
	BUG_ON((size_t)v >= ARRAY_LEN(verb_words));
	return verb_words[v];
}

bool ticket_verb_parse(struct slice s, enum ticket_verb *out)
{
	for (size_t i = 0; i < ARRAY_LEN(verb_words); i++) {
		if (slice_is(s, verb_words[i])) {
			*out = (enum ticket_verb)i;
			return true;
		}
	}
	return false;
}

const char *ticket_outcome_word(enum ticket_outcome o)
{
	BUG_ON((size_t)o >= ARRAY_LEN(outcome_words));
	return outcome_words[o];
}

const char *ticket_class_word(enum ticket_class c)
{
	BUG_ON((size_t)c >= ARRAY_LEN(class_words));
	return class_words[c];
}

bool ticket_class_parse(struct slice s, enum ticket_class *out)
{
	for (size_t i = 0; i < ARRAY_LEN(class_words); i++) {
		if (slice_is(s, class_words[i])) {
			*out = (enum ticket_class)i;
			return true;
		}
	}
	return false;
}

void ticket_op_encode(const struct ticket_op *op, struct buf *out)
{
	BUG_ON((size_t)op->verb >= ARRAY_LEN(verb_words) || op->priority < 0 || op->priority > UINT8_MAX);
	buf_u8(out, TICKET_VERSION);
	buf_u8(out, (uint8_t)op->verb);
	buf_u8(out, (uint8_t)op->priority);
	buf_u32(out, op->attempt);
	buf_u64(out, op->id);
	buf_lslice(out, op->destination);
	buf_lslice(out, op->incident);
	buf_lslice(out, op->key);
	buf_lslice(out, op->ticket);
	buf_lslice(out, op->facts);
}

bool ticket_op_decode(struct slice bytes, struct ticket_op *op)
{
	struct reader r = reader_of(bytes);
	if (read_u8(&r) != TICKET_VERSION)
		return false;
	unsigned verb = read_u8(&r);
	if (verb >= ARRAY_LEN(verb_words))
		return false;
	*op = (struct ticket_op){.verb = (enum ticket_verb)verb};
	op->priority = read_u8(&r);
	op->attempt = read_u32(&r);
	op->id = read_u64(&r);
	op->destination = read_lslice(&r);
	op->incident = read_lslice(&r);
	op->key = read_lslice(&r);
	op->ticket = read_lslice(&r);
	op->facts = read_lslice(&r);
	return r.ok && r.at == r.n;
}

void ticket_result_encode(const struct ticket_result *res, struct buf *out)
{
	BUG_ON((size_t)res->verb >= ARRAY_LEN(verb_words));
	BUG_ON((size_t)res->outcome >= ARRAY_LEN(outcome_words) ||
	       (size_t)res->cls >= ARRAY_LEN(class_words));
	buf_u8(out, RESULT_VERSION);
	buf_u8(out, (uint8_t)res->verb);
	buf_u8(out, (uint8_t)res->outcome);
	buf_u8(out, (uint8_t)res->cls);
	buf_u32(out, res->attempt);
	buf_u64(out, res->id);
	buf_u32(out, (uint32_t)res->status);
	buf_u64(out, (uint64_t)res->retry_after);
	buf_u32(out, res->hits);
	buf_lslice(out, res->ticket);
	buf_lslice(out, res->version);
	buf_lslice(out, res->state);
	buf_lslice(out, res->url);
	buf_lslice(out, res->message);
	buf_lslice(out, res->others);
	buf_lslice(out, res->records);
	buf_lslice(out, res->cursor);
}

static bool result_words(struct reader *r, struct ticket_result *res)
{
	unsigned verb = read_u8(r), outcome = read_u8(r), cls = read_u8(r);
	if (verb >= ARRAY_LEN(verb_words) || outcome >= ARRAY_LEN(outcome_words) ||
	    cls >= ARRAY_LEN(class_words))
		return false;
	*res = (struct ticket_result){
	    .verb = (enum ticket_verb)verb,
	    .outcome = (enum ticket_outcome)outcome,
	    .cls = (enum ticket_class)cls,
	};
	return true;
}

bool ticket_result_decode(struct slice bytes, struct ticket_result *res)
{
	struct reader r = reader_of(bytes);
	unsigned version = read_u8(&r);
	if (version < 1 || version > RESULT_VERSION || !result_words(&r, res))
		return false;
	res->attempt = read_u32(&r);
	res->id = read_u64(&r);
	res->status = (int)read_u32(&r);
	res->retry_after = (duration)read_u64(&r);
	res->hits = read_u32(&r);
	res->ticket = read_lslice(&r);
	res->version = read_lslice(&r);
	res->state = read_lslice(&r);
	res->url = read_lslice(&r);
	res->message = read_lslice(&r);
	res->others = read_lslice(&r);
	if (version >= 2) { /* journals of older versions have none */
		res->records = read_lslice(&r);
		res->cursor = read_lslice(&r);
	}
	return r.ok && r.at == r.n && res->retry_after >= 0;
}

/* ---- records: each a length and its fields, so that a later version may add some */

static void encode_fields(const struct slice *fields, size_t n, struct buf *out)
{
	struct buf b = {0};
	for (size_t i = 0; i < n; i++)
		buf_lslice(&b, fields[i]);
	buf_lslice(out, buf_slice(&b));
	buf_free(&b);
}

static bool next_fields(struct slice *rest, struct slice *fields, size_t n)
{
	struct reader r = reader_of(*rest);
	if (rest->n == 0)
		return false;
	struct slice record = read_lslice(&r);
	if (!r.ok || record.p == NULL)
		return false;
	struct reader in = reader_of(record);
	for (size_t i = 0; i < n; i++)
		fields[i] = read_lslice(&in);
	if (!in.ok)
		return false;
	*rest = slice_sub(*rest, r.at, rest->n);
	return true;
}

void ticket_seen_encode(const struct ticket_seen *s, struct buf *out)
{
	const struct slice fields[] = {s->id,          s->state,      s->state_there, s->priority, s->assignee,
	                               s->merged_into, s->changed_by, s->at,          s->cursor};
	encode_fields(fields, ARRAY_LEN(fields), out);
}

bool ticket_seen_next(struct slice *rest, struct ticket_seen *s)
{
	struct slice f[9];
	if (!next_fields(rest, f, ARRAY_LEN(f)))
		return false;
	*s = (struct ticket_seen){f[0], f[1], f[2], f[3], f[4], f[5], f[6], f[7], f[8]};
	return true;
}

void ticket_planned_encode(const struct ticket_planned *p, struct buf *out)
{
	const struct slice fields[] = {p->id, p->title, p->starts, p->ends, p->services, p->cis, p->state};
	encode_fields(fields, ARRAY_LEN(fields), out);
}

bool ticket_planned_next(struct slice *rest, struct ticket_planned *p)
{
	struct slice f[7];
	if (!next_fields(rest, f, ARRAY_LEN(f)))
		return false;
	*p = (struct ticket_planned){f[0], f[1], f[2], f[3], f[4], f[5], f[6]};
	return true;
}
