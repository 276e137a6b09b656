/* Frames of a TCP stream, RFC 6587: octet counting and LF or NUL told apart for each frame by its first
 * octet. Pure: the caller keeps the octets. A count is never allocated, only awaited; what is too large is
 * skipped. */
#include "plugin.h"

#include <stdio.h>

enum { MAX_DIGITS = 9 };

void syslog_framer_init(struct syslog_framer *f, size_t max)
{
	BUG_ON(max == 0);
	*f = (struct syslog_framer){.max = max};
}

static size_t framing_error(struct syslog_framer *f, struct slice in, const char *why)
{
	BUG_ON(f->dead);
	f->dead = true;
	f->errors++;
	snprintf(f->why, sizeof f->why, "%s", why);
	return in.n;
}

/* What cannot be syslog: better said than decoded as text. */
static const char *foreign_stream(struct slice in)
{
	unsigned char a = (unsigned char)in.p[0], b = in.n > 1 ? (unsigned char)in.p[1] : 0;
	if (a == 0x78 && (b == 0x9c || b == 0xda))
		return "a zlib stream (rsyslog compression.mode): compression is not supported";
	if (a == 0x16 && b == 0x03)
		return "a TLS handshake on a plain listener";
	return NULL;
}

static size_t counted_frame(struct syslog_framer *f, struct slice in, bool at_end, struct slice *frame)
{
	size_t i = 0, count = 0;
	for (; i < in.n && in.p[i] >= '0' && in.p[i] <= '9'; i++) {
		if (i >= MAX_DIGITS)
			return framing_error(f, in, "an octet count of more than 9 digits");
		count = count * 10 + (size_t)(in.p[i] - '0');
	}
	if (i == in.n)
		return at_end ? framing_error(f, in, "the connection ended inside an octet count") : 0;
	if (in.p[i] != ' ')
		return framing_error(f, in, "no blank after an octet count");
	size_t head = i + 1;
	if (count > f->max) {
		f->oversized++;
		f->skip = count;
		return head;
	}
	if (in.n - head < count)
		return at_end ? framing_error(f, in, "the connection ended inside an octet-counted frame")
		              : 0;
	f->counted = true;
	*frame = slice_sub(in, head, count);
	return head + count;
}

/* The first LF or NUL; in steps, so that a buffer of many NUL-ended frames is not searched for LF again and
 * again. */
static size_t find_end(struct slice in)
{
	for (size_t at = 0; at < in.n;) {
		size_t n = MIN(in.n - at, (size_t)256);
		const char *lf = memchr(in.p + at, '\n', n);
		if (lf != NULL)
			n = (size_t)(lf - in.p) - at;
		const char *nul = n > 0 ? memchr(in.p + at, '\0', n) : NULL;
		if (nul != NULL)
			return (size_t)(nul - in.p);
		if (lf != NULL)
			return (size_t)(lf - in.p);
		at += n;
	}
	return in.n;
}

/* Continuation lines: the end of the message whose first line ends at `n`; SIZE_MAX: what follows must come
 * first. */
static size_t join_lines(struct syslog_framer *f, struct slice in, bool at_end, size_t n)
{
	size_t window = MIN(in.n, f->max + 1);
	while (n < in.n && in.p[n] == '\n') {
		if (n + 1 == in.n) {
			f->waiting = !at_end && !f->flush;
			return f->waiting ? SIZE_MAX : n;
		}
		if (in.p[n + 1] != ' ' && in.p[n + 1] != '\t')
			return n;
		size_t from = MIN(n + 1, window), end = from + find_end(slice_sub(in, from, window - from));
		if (end >= window && in.n > f->max) {
			/* cut before the line that is too much; the rest of the message goes with it */
			f->oversized++;
			f->skip_indented = true;
			return n;
		}
		if (end >= window && !at_end)
			return SIZE_MAX;
		n = end;
	}
	return n;
}

static size_t line_frame(struct syslog_framer *f, struct slice in, bool at_end, struct slice *frame)
{
	/* the decoder cuts a frame of max + 1 octets and says so; what follows up to the line end is skipped
	 */
	struct slice window = slice_sub(in, 0, MIN(in.n, f->max + 2));
	size_t n = find_end(window);
	if (n == window.n && in.n <= f->max + 1 && !at_end)
		return 0;
	if (n > f->max + 1 || (n == window.n && n > f->max)) {
		f->oversized++;
		f->skip_line = true;
		*frame = slice_sub(in, 0, f->max + 1);
		return f->max + 1;
	}
	if (f->multi_line && n > (size_t)(in.p[0] == '\r')) { /* an empty line is nobody's first */
		n = join_lines(f, in, at_end, n);
		if (n == SIZE_MAX)
			return 0;
	}
	struct slice line = slice_sub(in, 0, n);
	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	if (line.n > 0)
		*frame = line;
	return n < in.n ? n + 1 : n;
}

size_t syslog_frame_next(struct syslog_framer *f, struct slice in, bool at_end, struct slice *frame)
{
	BUG_ON(f->max == 0 || (f->skip > 0 && f->skip_line));
	*frame = SLICE_NONE;
	f->waiting = false;
	if (in.n == 0 || f->dead)
		return in.n;
	if (f->skip > 0) {
		size_t n = MIN(f->skip, in.n);
		f->skip -= n;
		return n;
	}
	if (f->skip_indented && !f->skip_line) {
		f->skip_indented = in.p[0] == ' ' || in.p[0] == '\t';
		f->skip_line = f->skip_indented;
	}
	if (f->skip_line) {
		size_t n = find_end(in);
		f->skip_line = n == in.n;
		return n < in.n ? n + 1 : n;
	}
	const char *foreign = foreign_stream(in);
	if (foreign != NULL)
		return framing_error(f, in, foreign);
	if (in.p[0] == '0')
		return framing_error(f, in, "an octet count begins with 0");
	if (in.p[0] >= '1' && in.p[0] <= '9')
		return counted_frame(f, in, at_end, frame);
	if (f->counted && strchr("<\n\r", in.p[0]) == NULL)
		return framing_error(f, in, "neither an octet count nor '<' behind an octet-counted frame");
	return line_frame(f, in, at_end, frame);
}
