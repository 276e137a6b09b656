/* A strict reader of BER as SNMP uses it (RFC 3417, section 8; X.690). One checked cursor; the first fault
 * stops it. Refused: indefinite and over-long lengths, lengths past the end, tags of more than one octet,
 * sub-identifiers over 2^32-1, padded or unfinished, more than 128 of them, empty numbers and OIDs. Accepted:
 * lengths and integers with needless leading octets, because agents send them. */
#ifndef CARILLON_SNMP_BER_H
#define CARILLON_SNMP_BER_H

#include "base/arena.h"
#include "base/slice.h"

enum ber_tag {
	BER_INTEGER = 0x02,
	BER_OCTETS = 0x04,
	BER_NULL = 0x05,
	BER_OID = 0x06,
	BER_SEQUENCE = 0x30,
	BER_IPADDRESS = 0x40,
	BER_COUNTER32 = 0x41,
	BER_GAUGE32 = 0x42,
	BER_TIMETICKS = 0x43,
	BER_OPAQUE = 0x44,
	BER_NSAP = 0x45,
	BER_COUNTER64 = 0x46,
	BER_UINTEGER32 = 0x47,
	BER_NO_OBJECT = 0x80,
	BER_NO_INSTANCE = 0x81,
	BER_END_OF_VIEW = 0x82
};

/* at and end are offsets in the whole datagram, so that a fault can say where it is. */
struct ber {
	const unsigned char *p;
	size_t at, end;
	const char *why; /* NULL: no fault so far */
	size_t fault_at;
};

#define OID_MAX 128
struct oid {
	uint32_t v[OID_MAX];
	size_t n;
};

struct ber ber_of(struct slice s);
bool ber_fail(struct ber *b, const char *why); /* false; the first reason stays */
/* The tag ahead, or -1 at the end. */
int ber_peek(const struct ber *b);
/* The next value of any tag: *tag, and *inner is its contents; the cursor goes behind it. */
bool ber_next(struct ber *b, int *tag, struct ber *inner) MUST_CHECK;
/* The next value must have this tag. */
bool ber_enter(struct ber *b, int tag, struct ber *inner) MUST_CHECK;
bool ber_int(struct ber *b, int64_t *out) MUST_CHECK;
bool ber_octets(struct ber *b, struct slice *out) MUST_CHECK;
bool ber_oid(struct ber *b, struct oid *out) MUST_CHECK;
/* Contents of a value already entered. */
bool ber_signed(struct ber *inner, int64_t *out) MUST_CHECK;
bool ber_unsigned(struct ber *inner, unsigned octets,
                  uint64_t *out) MUST_CHECK; /* 4 or 8, one more if it is 0 */
bool ber_oid_contents(struct ber *inner, struct oid *out) MUST_CHECK;
struct slice ber_rest(const struct ber *inner);

struct slice oid_text(struct arena *a, const struct oid *o); /* dotted */

#endif
