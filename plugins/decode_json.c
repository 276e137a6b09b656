/* JSON for what need not be UTF-8. Shared by the decoders' raw mode and carillonctl decode. */
#include "plugin.h"

static void put_base64(struct buf *out, struct slice s)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	for (size_t i = 0; i < s.n; i += 3) {
		uint32_t v = 0;
		size_t have = s.n - i < 3 ? s.n - i : 3;
		for (size_t k = 0; k < 3; k++)
			v = v << 8 | (k < have ? (unsigned char)s.p[i + k] : 0);
		for (size_t k = 0; k < 4; k++)
			buf_char(out, k <= have ? digits[v >> (18 - 6 * k) & 63] : '=');
	}
}

void decode_json_octets(struct jw *w, struct slice s)
{
	struct buf b64 = {0};
	put_base64(&b64, s);
	jw_object(w);
	jw_key(w, "b64");
	jw_slice(w, s.n > 0 ? buf_slice(&b64) : SLICE(""));
	jw_end(w);
	buf_free(&b64);
}

void decode_json_text(struct jw *w, struct slice s)
{
	if (slice_utf8(s))
		jw_slice(w, s);
	else
		decode_json_octets(w, s);
}
