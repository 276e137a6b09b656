/* Base64 (RFC 4648, section 4). */
#ifndef CARILLON_BASE_BASE64_H
#define CARILLON_BASE_BASE64_H

#include "base/buf.h"

/* Appends the octets; false: a character that is none, or a length that cannot be. Padding may be missing. */
bool base64_decode(struct slice text, struct buf *out) MUST_CHECK;
void base64_encode(struct slice octets, struct buf *out); /* appends, with padding */

#endif
