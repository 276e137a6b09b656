/* See base64.h. */
#include "base/base64.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool base64_decode(struct slice text, struct buf *out)
{
	uint32_t v = 0;
	unsigned bits = 0;

	while (text.n > 0 && text.p[text.n - 1] == '=')
		text.n--;
	if (text.n % 4 == 1)
		return false;
	buf_reserve(out, text.n / 4 * 3 + 3);
	for (size_t i = 0; i < text.n; i++) {
		int d = value_of(text.p[i]);

		if (d < 0)
			return false;
		v = v << 6 | (uint32_t)d;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			out->p[out->n++] = (char)(uint8_t)(v >> bits);
		}
	}
	return true;
}

void base64_encode(struct slice s, struct buf *out)
{
	const unsigned char *p = (const unsigned char *)s.p;

	BUG_ON(s.n > SIZE_MAX / 2);
	buf_reserve(out, (s.n + 2) / 3 * 4); /* once: recordings encode every payload */
	char *four = out->p + out->n;
	for (size_t i = 0; i < s.n; i += 3, four += 4) {
		uint32_t v = (uint32_t)p[i] << 16;

		v |= i + 1 < s.n ? (uint32_t)p[i + 1] << 8 : 0;
		v |= i + 2 < s.n ? (uint32_t)p[i + 2] : 0;
		four[0] = digits[v >> 18];
		four[1] = digits[v >> 12 & 63];
		four[2] = i + 1 < s.n ? digits[v >> 6 & 63] : '=';
		four[3] = i + 2 < s.n ? digits[v & 63] : '=';
	}
	out->n += (s.n + 2) / 3 * 4;
}
