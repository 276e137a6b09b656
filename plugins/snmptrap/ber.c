/* The BER reader. No recursion: SNMP's nesting is fixed, and each level is entered by name. */
#include "ber.h"

struct ber ber_of(struct slice s)
{
	return (struct ber){.p = (const unsigned char *)s.p, .end = s.n};
}

bool ber_fail(struct ber *b, const char *why)
{
	if (b->why == NULL) {
		b->why = why;
		b->fault_at = b->at;
	}
	return false;
}

int ber_peek(const struct ber *b)
{
	return b->at < b->end ? b->p[b->at] : -1;
}

static bool octet(struct ber *b, unsigned *out)
{
	if (b->at >= b->end)
		return ber_fail(b, "the value ends too early");
	*out = b->p[b->at++];
	return true;
}

static bool length(struct ber *b, size_t *out)
{
	unsigned first = 0, next = 0;
	size_t n = 0;
	if (!octet(b, &first))
		return false;
	if (first < 0x80) {
		*out = first;
		return true;
	}
	if (first == 0x80)
		return ber_fail(b, "an indefinite length");
	if (first > 0x84)
		return ber_fail(b, "a length of more than four octets");
	for (unsigned i = 0; i < (first & 0x7f); i++) {
		if (!octet(b, &next))
			return false;
		n = n << 8 | next;
	}
	*out = n;
	return true;
}

bool ber_next(struct ber *b, int *tag, struct ber *inner)
{
	unsigned t = 0;
	size_t n = 0;
	BUG_ON(b->at > b->end);
	if (b->why != NULL || !octet(b, &t))
		return false;
	if ((t & 0x1f) == 0x1f)
		return ber_fail(b, "a tag of more than one octet");
	if (!length(b, &n))
		return false;
	if (n > b->end - b->at)
		return ber_fail(b, "a length that goes past the end");
	*tag = (int)t;
	*inner = (struct ber){.p = b->p, .at = b->at, .end = b->at + n};
	b->at += n;
	return true;
}

bool ber_enter(struct ber *b, int tag, struct ber *inner)
{
	int found;
	if (b->why == NULL && ber_peek(b) >= 0 && ber_peek(b) != tag)
		return ber_fail(b, "another type is expected here");
	return ber_next(b, &found, inner);
}

/* A fault inside a value is a fault of what encloses it. */
static bool adopt(struct ber *b, const struct ber *inner, bool ok)
{
	if (!ok && b->why == NULL) {
		b->why = inner->why;
		b->fault_at = inner->fault_at;
	}
	return ok;
}

bool ber_signed(struct ber *inner, int64_t *out)
{
	BUG_ON(inner->at > inner->end);
	size_t n = inner->end - inner->at;
	if (n == 0)
		return ber_fail(inner, "an empty number");
	if (n > 9)
		return ber_fail(inner, "a number of more than nine octets");
	uint64_t v = inner->p[inner->at] & 0x80 ? UINT64_MAX : 0;
	for (; inner->at < inner->end; inner->at++)
		v = v << 8 | inner->p[inner->at];
	*out = (int64_t)v;
	return true;
}

bool ber_unsigned(struct ber *inner, unsigned octets, uint64_t *out)
{
	BUG_ON(octets != 4 && octets != 8);
	if (inner->at == inner->end)
		return ber_fail(inner, "an empty number");
	while (inner->end - inner->at > 1 && inner->p[inner->at] == 0)
		inner->at++;
	if (inner->end - inner->at > octets)
		return ber_fail(inner, "a number that is too large for its type");
	*out = 0;
	for (; inner->at < inner->end; inner->at++)
		*out = *out << 8 | inner->p[inner->at];
	return true;
}

static bool sub_identifier(struct ber *b, uint64_t *out)
{
	unsigned o = 0;
	*out = 0;
	if (ber_peek(b) == 0x80)
		return ber_fail(b, "a padded sub-identifier");
	do {
		if (!octet(b, &o))
			return false;
		*out = *out << 7 | (o & 0x7f);
		if (*out > (uint64_t)UINT32_MAX + 80)
			return ber_fail(b, "a sub-identifier over 2^32-1");
	} while (o & 0x80);
	return true;
}

bool ber_oid_contents(struct ber *inner, struct oid *out)
{
	uint64_t v;
	out->n = 0;
	if (inner->at == inner->end)
		return ber_fail(inner, "an empty OID");
	while (inner->at < inner->end) {
		if (!sub_identifier(inner, &v))
			return false;
		if (out->n == 0) {
			/* X.690, section 8.19.4: the first one holds two */
			uint64_t top = v < 40 ? 0 : v < 80 ? 1 : 2;
			out->v[out->n++] = (uint32_t)top;
			v -= top * 40;
		}
		if (v > UINT32_MAX)
			return ber_fail(inner, "a sub-identifier over 2^32-1");
		if (out->n == OID_MAX)
			return ber_fail(inner, "an OID of more than 128 sub-identifiers");
		out->v[out->n++] = (uint32_t)v;
	}
	return true;
}

bool ber_int(struct ber *b, int64_t *out)
{
	struct ber inner;
	return ber_enter(b, BER_INTEGER, &inner) && adopt(b, &inner, ber_signed(&inner, out));
}

bool ber_octets(struct ber *b, struct slice *out)
{
	struct ber inner;
	if (!ber_enter(b, BER_OCTETS, &inner))
		return false;
	*out = ber_rest(&inner);
	return true;
}

bool ber_oid(struct ber *b, struct oid *out)
{
	struct ber inner;
	return ber_enter(b, BER_OID, &inner) && adopt(b, &inner, ber_oid_contents(&inner, out));
}

struct slice ber_rest(const struct ber *inner)
{
	BUG_ON(inner->at > inner->end);
	return slice_of(inner->p + inner->at, inner->end - inner->at);
}

static char *put_number(char *p, uint32_t v)
{
	char digits[10];
	size_t n = 0;
	do {
		digits[n++] = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	while (n > 0)
		*p++ = digits[--n];
	return p;
}

struct slice oid_text(struct arena *a, const struct oid *o)
{
	BUG_ON(o->n > OID_MAX);
	char *text = arena_alloc(a, o->n * 11 + 1), *p = text;
	for (size_t i = 0; i < o->n; i++) {
		if (i > 0)
			*p++ = '.';
		p = put_number(p, o->v[i]);
	}
	return (struct slice){text, (size_t)(p - text)};
}
