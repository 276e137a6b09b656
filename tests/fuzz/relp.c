/* RELP in pieces of any size gives what it gives in one: the same messages, answers and end. */
#include <stdlib.h>
#include <string.h>

#include "plugins/relp/relp.h"

enum { EVENT_MAX = 64, OFFERS_MAX = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void feed(const char *p, size_t n, size_t piece, struct buf *seen)
{
	struct buf in = {0}, answers = {0};
	struct relp r;
	bool over = false;

	relp_init(&r, EVENT_MAX);
	for (size_t at = 0; at < n && !over; at += piece) {
		enum relp_step step = RELP_ANSWER;
		size_t used = 1;

		buf_add(&in, p + at, MIN(piece, n - at));
		while (!over && used > 0) {
			struct slice message;

			step = relp_next(&r, buf_slice(&in), &used, &message, &answers);
			if (used > in.n ||
			    (step == RELP_MESSAGE && (message.n > EVENT_MAX || message.p < in.p ||
			                              message.p + message.n > in.p + used)))
				abort();
			if (step == RELP_MESSAGE) {
				buf_lslice(seen, message);
			}
			buf_consume(&in, used);
			over = step == RELP_END || step == RELP_BROKEN;
		}
		/* what waits for more is bounded by the largest message and its head */
		if (!over && in.n > OFFERS_MAX + 64)
			abort();
		if (over)
			buf_char(seen, step == RELP_END ? 'e' : 'b');
	}
	buf_lslice(seen, buf_slice(&answers));
	buf_free(&in);
	buf_free(&answers);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole = {0}, pieces = {0};
	size_t piece = size > 0 ? 1 + data[0] % 16 : 1;

	feed((const char *)data + (size > 0), size > 0 ? size - 1 : 0, size + 1, &whole);
	feed((const char *)data + (size > 0), size > 0 ? size - 1 : 0, size > 0 && data[0] < 128 ? 1 : piece,
	     &pieces);
	if (whole.n != pieces.n || (whole.n > 0 && memcmp(whole.p, pieces.p, whole.n) != 0))
		abort();
	buf_free(&whole);
	buf_free(&pieces);
	return 0;
}
