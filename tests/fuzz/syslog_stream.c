/* A TCP stream in one piece and octet by octet gives the same frames and the same verdict. */
#include "plugin.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX = 64 };

static void run(struct slice in, size_t step, bool multi_line, struct buf *frames, struct syslog_framer *f)
{
	size_t at = 0, have = 0, used;
	syslog_framer_init(f, MAX);
	f->multi_line = multi_line;
	for (bool at_end = false; !at_end;) {
		have = in.n - have < step ? in.n : have + step;
		at_end = have == in.n;
		do {
			struct slice frame;
			used = syslog_frame_next(f, slice_sub(in, at, have - at), at_end, &frame);
			BUG_ON(used > have - at);
			BUG_ON(frame.p != NULL && (frame.n > MAX + 1 || frame.p < in.p + at ||
			                           frame.p + frame.n > in.p + at + used));
			if (frame.p != NULL)
				buf_lslice(frames, frame);
			at += used;
		} while (used > 0 && at < have);
	}
	BUG_ON(at != in.n);
	BUG_ON(f->dead != (f->errors > 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (int lines = 0; lines < 2; lines++) {
		struct buf whole = {0}, pieces = {0};
		struct syslog_framer a, b;
		run(slice_of(data, size), size + 1, lines == 1, &whole, &a);
		run(slice_of(data, size), 1, lines == 1, &pieces, &b);
		BUG_ON(!slice_eq(buf_slice(&whole), buf_slice(&pieces)));
		BUG_ON(a.oversized != b.oversized || a.dead != b.dead);
		buf_free(&whole);
		buf_free(&pieces);
	}
	return 0;
}
