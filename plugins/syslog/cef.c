/* CEF:0|vendor|product|version|id|name|severity|extension at the start of the text (ArcSight Common Event
 * Format): the id becomes `code`, the name `summary`, and its severity wins over the PRI's (table of
 * intake.md section 4). The text stays whole. */
#include "message.h"

enum { ID = 4, NAME = 5, SEVERITY = 6, PARTS = 7 };

/* One part and the '|' behind it; "\|" and "\\" do not end it. */
static bool take_part(struct scan *s, struct slice *part)
{
	size_t n = 0;
	for (int c; (c = scan_peek(s, n)) != '|'; n++) {
		if (c < 0)
			return false;
		if (c == '\\' && scan_peek(s, n + 1) >= 0)
			n++;
	}
	*part = (struct slice){s->p + s->at, n};
	scan_skip(s, n + 1);
	return true;
}

/* A syslog number for a CEF severity, or -1. */
static int severity_of(struct slice s)
{
	static const int by_number[] = {7, 6, 6, 5, 4, 4, 3, 3, 2, 1, 0};
	int64_t n;
	if (slice_int(s, &n))
		return n >= 0 && n < (int64_t)ARRAY_LEN(by_number) ? by_number[n] : -1;
	if (slice_ieq(s, SLICE("low")))
		return 6;
	if (slice_ieq(s, SLICE("medium")))
		return 4;
	if (slice_ieq(s, SLICE("high")))
		return 3;
	return slice_ieq(s, SLICE("very-high")) ? 1 : -1;
}

void cef_find(struct message *m)
{
	struct slice part[PARTS];
	struct scan s = scan_of(m->text);
	if (!scan_take_text(&s, SLICE("CEF:")) || !scan_is_digit(scan_peek(&s, 0)))
		return;
	for (size_t i = 0; i < PARTS; i++)
		if (!take_part(&s, &part[i]))
			return;
	int severity = severity_of(slice_trim(part[SEVERITY]));
	BUG_ON(severity < -1 || severity > 7);
	if (severity >= 0)
		m->severity = severity;
	m->code = part[ID];
	m->summary = part[NAME];
}
