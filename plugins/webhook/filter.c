/* The filters of webhook profiles, beside the common ones:
 *   host       the host of a URL or of host:port
 *   ended      `clear` if that time has passed, else `problem` (intake.md section 3)
 *   base       what stands behind the last '/'
 *   before:X   up to the first X, or all of it
 *   after:X    behind the first X, or nothing
 *   first      the first item of a list, or of a text with commas
 *   line       the first line that is not blank
 *   tag:NAME   VALUE of the item NAME:VALUE or NAME=VALUE of a list, or of a text with commas
 *   percent    %hh as octets
 * What a filter cannot read it leaves as it is. */
#include "profile.h"

#include "moment.h"

/* "https://web1:9100/metrics", "user@web1:9100", "[::1]:80" -> the host */
static int filter_host(const struct filter_use *use UNUSED, struct slice *value, struct arena *scratch UNUSED,
                       void *env UNUSED, struct error *err UNUSED)
{
	struct slice s = *value;
	size_t colons = 0, at = 0;
	for (size_t i = 0; i + 2 < s.n; i++)
		if (s.p[i] == ':' && s.p[i + 1] == '/' && s.p[i + 2] == '/') {
			at = i + 3;
			break;
		}
	s = slice_sub(s, at, s.n - at);
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '/' || s.p[i] == '?' || s.p[i] == '#')
			s.n = i;
	if (s.n > 0 && s.p[0] == '[') {
		const char *end = memchr(s.p, ']', s.n);
		if (end != NULL)
			s = slice_sub(s, 1, (size_t)(end - s.p) - 1);
		*value = s;
		return 0;
	}
	at = 0;
	for (size_t i = 0; i < s.n; i++) {
		colons += s.p[i] == ':';
		at = s.p[i] == ':' ? i : at;
	}
	if (colons == 1)
		s = slice_sub(s, 0, at);
	*value = s;
	return 0;
}

static int filter_ended(const struct filter_use *use UNUSED, struct slice *value,
                        struct arena *scratch UNUSED, void *env, struct error *err UNUSED)
{
	const struct item *it = env;
	instant end;
	bool ended = moment_parse(*value, it->env->zone_offset, &end) && end > 0 && end <= it->env->received;
	*value = ended ? SLICE("clear") : SLICE("problem");
	return 0;
}

static int filter_base(const struct filter_use *use UNUSED, struct slice *value, struct arena *scratch UNUSED,
                       void *env UNUSED, struct error *err UNUSED)
{
	struct slice s = *value;
	while (s.n > 0 && s.p[s.n - 1] == '/')
		s.n--;
	size_t n = s.n;
	while (n > 0 && s.p[n - 1] != '/')
		n--;
	if (s.n > 0)
		*value = slice_sub(s, n, s.n - n);
	return 0;
}

/* Where `needle` begins in `s`; s.n if it is not there. */
static size_t find(struct slice s, struct slice needle)
{
	for (size_t i = 0; i + needle.n <= s.n; i++)
		if (slice_eq(slice_sub(s, i, needle.n), needle))
			return i;
	return s.n;
}

static int filter_before(const struct filter_use *use, struct slice *value, struct arena *scratch UNUSED,
                         void *env UNUSED, struct error *err UNUSED)
{
	if (value->n > 0)
		*value = slice_trim(slice_sub(*value, 0, find(*value, use->arg)));
	return 0;
}

static int filter_after(const struct filter_use *use, struct slice *value, struct arena *scratch UNUSED,
                        void *env UNUSED, struct error *err UNUSED)
{
	size_t at = find(*value, use->arg);
	if (at < value->n)
		*value = slice_trim(slice_sub(*value, at + use->arg.n, SIZE_MAX));
	else
		*value = SLICE_NONE;
	return 0;
}

/* The next item of a list ('\x1f' between the items) or of a text with commas. */
static bool next_part(struct slice *rest, struct slice *part)
{
	char sep = rest->n > 0 && memchr(rest->p, '\x1f', rest->n) != NULL ? '\x1f' : ',';
	return slice_split(rest, sep, part);
}

static int filter_first(const struct filter_use *use UNUSED, struct slice *value,
                        struct arena *scratch UNUSED, void *env UNUSED, struct error *err UNUSED)
{
	struct slice rest = *value, part;
	if (rest.n > 0 && next_part(&rest, &part))
		*value = slice_trim(part);
	return 0;
}

static int filter_line(const struct filter_use *use UNUSED, struct slice *value, struct arena *scratch UNUSED,
                       void *env UNUSED, struct error *err UNUSED)
{
	struct slice rest = *value, line;
	while (rest.n > 0 && slice_split(&rest, '\n', &line)) {
		line = slice_trim(line);
		if (line.n > 0) {
			*value = line;
			break;
		}
	}
	return 0;
}

static int filter_tag(const struct filter_use *use, struct slice *value, struct arena *scratch UNUSED,
                      void *env UNUSED, struct error *err UNUSED)
{
	struct slice rest = *value, part;
	*value = SLICE_NONE;
	while (rest.n > 0 && next_part(&rest, &part)) {
		part = slice_trim(part);
		if (part.n > use->arg.n + 1 && slice_ieq(slice_sub(part, 0, use->arg.n), use->arg) &&
		    (part.p[use->arg.n] == ':' || part.p[use->arg.n] == '=')) {
			*value = slice_trim(slice_sub(part, use->arg.n + 1, SIZE_MAX));
			break;
		}
	}
	return 0;
}

static int hex(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
	                              : -1;
}

static int filter_percent(const struct filter_use *use UNUSED, struct slice *value, struct arena *scratch,
                          void *env UNUSED, struct error *err UNUSED)
{
	if (value->n == 0 || memchr(value->p, '%', value->n) == NULL)
		return 0;
	char *out = arena_alloc(scratch, value->n);
	size_t n = 0;
	for (size_t i = 0; i < value->n; i++) {
		char c = value->p[i];
		if (c == '%' && value->n - i > 2 && hex(value->p[i + 1]) >= 0 && hex(value->p[i + 2]) >= 0) {
			c = (char)(hex(value->p[i + 1]) << 4 | hex(value->p[i + 2]));
			i += 2;
		}
		out[n++] = c;
	}
	*value = slice_of(out, n);
	return 0;
}

const struct filter *profile_filters(void)
{
	static const struct filter filters[] = {
	    {.name = "host", .apply = filter_host},
	    {.name = "ended", .apply = filter_ended},
	    {.name = "base", .apply = filter_base},
	    {.name = "before", .takes_arg = true, .needs_arg = true, .apply = filter_before},
	    {.name = "after", .takes_arg = true, .needs_arg = true, .apply = filter_after},
	    {.name = "first", .apply = filter_first},
	    {.name = "line", .apply = filter_line},
	    {.name = "tag", .takes_arg = true, .needs_arg = true, .apply = filter_tag},
	    {.name = "percent", .apply = filter_percent},
	    {.name = NULL}};
	return filters;
}
