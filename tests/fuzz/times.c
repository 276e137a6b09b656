/* Durations, times, sizes, rates and ids as people write them: no crash, no overflow; what was understood is
 * written and read again as the same value. */
#include <math.h>

#include "base/instant.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_duration(struct slice text)
{
	struct buf b = {0};
	duration d, again;
	if (duration_parse(text, &d)) {
		BUG_ON(d < 0);
		duration_format(d, &b);
		BUG_ON(!duration_parse(buf_slice(&b), &again));
		BUG_ON(again != d / MSEC * MSEC);
	}
	buf_free(&b);
}

static void check_instant(struct slice text)
{
	struct buf b = {0};
	instant t, again;
	int y, mo, d, h, mi, s;
	if (instant_parse(text, &t)) {
		BUG_ON(t == INSTANT_NONE);
		instant_split(t, &y, &mo, &d, &h, &mi, &s);
		BUG_ON(mo < 1 || mo > 12 || d < 1 || d > 31 || h > 23 || mi > 59 || s > 59);
		BUG_ON(instant_civil(y, mo, d, h, mi, s) > t);
		BUG_ON(t - instant_civil(y, mo, d, h, mi, s) >= SECOND);
		instant_format(t, &b);
		/* an offset can lead out of the four digits of a year */
		BUG_ON(y >= 0 && y <= 9999 && (!instant_parse(buf_slice(&b), &again) || again != t));
	}
	buf_free(&b);
}

static void check_others(struct slice text)
{
	uint64_t n;
	double rate;
	struct ulid u, again;
	char out[27];
	if (bytesize_parse(text, &n))
		BUG_ON(text.n == 0);
	if (rate_parse(text, &rate))
		BUG_ON(!(rate >= 0 && isfinite(rate)));
	if (ulid_parse(text, &u)) {
		ulid_text(&u, out);
		BUG_ON(!ulid_parse(slice_str(out), &again) || memcmp(&u, &again, sizeof u) != 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = slice_of(data, size), line;
	while (slice_split(&rest, '\n', &line)) {
		check_duration(line);
		check_instant(line);
		check_others(line);
	}
	return 0;
}
