/* IP addresses and networks as 16 octets; IPv4 in its mapped form (::ffff:a.b.c.d), so that both spellings
 * are one. */
#ifndef CARILLON_MODEL_ADDRESS_H
#define CARILLON_MODEL_ADDRESS_H

#include "base/mem.h"
#include "base/slice.h"

struct address {
	unsigned char b[16];
};

/* RFC 4291 section 2.2 or a dotted quad; no zone, no brackets, no port. */
bool address_parse(struct slice s, struct address *out) MUST_CHECK;
/* address/bits, or a bare address (all bits). `bits` counts in 16 octets: 10.0.0.0/8 gives 104. Host bits
 * must be zero. */
bool network_parse(struct slice s, struct address *net, unsigned *bits) MUST_CHECK;
void address_mask(struct address *a, unsigned bits); /* clears what is behind the first `bits` */
bool address_in(const struct address *a, const struct address *net, unsigned bits);
bool address_loopback(const struct address *a); /* 127.0.0.0/8, ::1 */

#endif
