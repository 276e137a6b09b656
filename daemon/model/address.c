/* Addresses as values: text to octets, and masks. No look-ups of any kind. */
#include "model/address.h"

#include <arpa/inet.h>

enum { V4_BITS = 96, ALL_BITS = 128 };

static const unsigned char v4_prefix[12] = {[10] = 0xff, [11] = 0xff};

/* A mapped address with dotted end is caught by inet_pton(AF_INET6) as well. */
static bool parse_any(struct slice s, struct address *out, bool *is_v4)
{
	char text[INET6_ADDRSTRLEN + 1];
	if (s.p == NULL || s.n == 0 || s.n >= sizeof text || memchr(s.p, '\0', s.n) != NULL)
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	*is_v4 = memchr(s.p, ':', s.n) == NULL;
	if (!*is_v4)
		return inet_pton(AF_INET6, text, out->b) == 1;
	memcpy(out->b, v4_prefix, sizeof v4_prefix);
	return inet_pton(AF_INET, text, out->b + sizeof v4_prefix) == 1;
}

bool address_parse(struct slice s, struct address *out)
{
	bool is_v4;
	return parse_any(s, out, &is_v4);
}

bool network_parse(struct slice s, struct address *net, unsigned *bits)
{
	struct slice text;
	bool is_v4;
	if (!slice_split(&s, '/', &text) || !parse_any(text, net, &is_v4))
		return false;
	int64_t n = is_v4 ? ALL_BITS - V4_BITS : ALL_BITS;
	if (s.p != NULL && (s.n == 0 || s.n > 3 || s.p[0] == '+' || s.p[0] == '-' || !slice_int(s, &n)))
		return false;
	if (n < 0 || n > (is_v4 ? ALL_BITS - V4_BITS : ALL_BITS))
		return false;
	*bits = (unsigned)n + (is_v4 ? V4_BITS : 0);
	struct address masked = *net;
	address_mask(&masked, *bits);
	return memcmp(masked.b, net->b, sizeof net->b) == 0;
}

void address_mask(struct address *a, unsigned bits)
{
	BUG_ON(bits > ALL_BITS);
	for (unsigned i = 0; i < sizeof a->b; i++) {
		unsigned keep = bits > 8 * i ? MIN(bits - 8 * i, 8u) : 0;
		a->b[i] = (unsigned char)(a->b[i] & (0xff00u >> keep));
	}
}

bool address_in(const struct address *a, const struct address *net, unsigned bits)
{
	struct address masked = *a;
	address_mask(&masked, bits);
	return memcmp(masked.b, net->b, sizeof net->b) == 0;
}

bool address_loopback(const struct address *a)
{
	static const unsigned char v6[16] = {[15] = 1};
	if (memcmp(a->b, v6, sizeof v6) == 0)
		return true;
	return memcmp(a->b, v4_prefix, sizeof v4_prefix) == 0 && a->b[12] == 127;
}
