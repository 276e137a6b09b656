/* RFC 3164 as it is found: stamp, host and tag in whatever order and with whatever is missing (intake.md
 * section 1). Promises: nothing is lost; what is not recognised as a header stays in the text. Must not know:
 * products, beyond the shapes that their headers share. */
#include "message.h"

enum { MAX_TAG = 128, MAX_HOST = 255, MAX_PREFIXES = 4 };

struct tag {
	struct slice app, pid;
	bool colon_only; /* "word:" without a pid: may be a host as well */
};

/* ---- octets */

enum { NO_TAG_START = 1, NO_TAG_WORD = 2, NO_HOST_START = 4, NO_HOST = 8 };

/* What an octet cannot be. */
static const unsigned char refused[256] = {
    [0 ... 0x1f] = NO_HOST,
    ['{'] = NO_TAG_START | NO_TAG_WORD | NO_HOST_START | NO_HOST,
    ['"'] = NO_TAG_START | NO_TAG_WORD | NO_HOST_START | NO_HOST,
    ['<'] = NO_TAG_START | NO_HOST_START | NO_HOST,
    ['('] = NO_TAG_START | NO_HOST_START,
    ['['] = NO_TAG_START | NO_HOST_START,
    ['|'] = NO_TAG_START | NO_TAG_WORD | NO_HOST_START | NO_HOST,
    ['%'] = NO_TAG_START | NO_HOST_START,
    [':'] = NO_TAG_START,
    ['='] = NO_TAG_START | NO_TAG_WORD | NO_HOST_START | NO_HOST,
    ['}'] = NO_TAG_WORD | NO_HOST,
    [','] = NO_TAG_WORD,
    [';'] = NO_TAG_WORD,
    ['>'] = NO_HOST,
};

/* All octets together, so that the loop has no branch. */
static bool any_refused(struct slice w, unsigned char what)
{
	unsigned char all = 0;
	for (size_t i = 0; i < w.n; i++)
		all |= refused[(unsigned char)w.p[i]];
	return (all & what) != 0;
}

/* ---- tag */

static bool tag_starts(int c)
{
	return c > 0x20 && c != 0x7f && (refused[c] & NO_TAG_START) == 0;
}

static bool tag_word_plain(struct slice w)
{
	return !any_refused(w, NO_TAG_WORD);
}

/* [pid], with the colon behind it if it is there */
static bool take_pid(struct scan *s, struct slice *pid)
{
	struct scan t = *s;
	if (!scan_take(&t, '['))
		return false;
	size_t n = 0;
	for (int c; (c = scan_peek(&t, n)) != ']'; n++)
		if (c <= ' ' || c == '[' || n > MAX_TAG)
			return false;
	*pid = (struct slice){t.p + t.at, n};
	scan_skip(&t, n + 1);
	if (!scan_take(&t, ':') && !scan_end(&t) && scan_peek(&t, 0) != ' ')
		return false;
	*s = t;
	return true;
}

/* "word:", "word[pid]:" or "word[pid] ". The cursor goes behind the blanks that follow. */
static bool take_tag(struct scan *s, struct tag *tag)
{
	struct scan t = *s;
	*tag = (struct tag){0};
	if (!tag_starts(scan_peek(&t, 0)))
		return false;
	size_t n = 0;
	for (int c; (c = scan_peek(&t, n)) > ' ' && c != '[' && c != ':';)
		if (++n > MAX_TAG)
			return false;
	tag->app = (struct slice){t.p + t.at, n};
	scan_skip(&t, n);
	if (scan_peek(&t, 0) == '[') {
		if (!take_pid(&t, &tag->pid))
			return false;
	} else {
		if (!scan_take(&t, ':') || !tag_word_plain(tag->app))
			return false;
		int c = scan_peek(&t, 0);
		if (c != -1 && c != ' ' && c != '\t' && c != '%')
			return false;
		tag->colon_only = true;
	}
	if (tag->app.n > 1 && tag->app.p[0] == '/')
		tag->app = slice_sub(tag->app, 1, tag->app.n - 1); /* junos: /kernel */
	scan_blanks(&t);
	*s = t;
	return true;
}

/* ---- host */

static bool address_like(struct slice w)
{
	size_t dots = 0, colons = 0;
	for (size_t i = 0; i < w.n; i++) {
		dots += w.p[i] == '.';
		colons += w.p[i] == ':';
		if (!scan_is_digit(w.p[i]) && strchr(".:abcdefABCDEF", w.p[i]) == NULL)
			return false;
	}
	return dots == 3 || colons >= 2;
}

/* Words that are rather the name of a machine than of a program: numbered ones, and full domain names. */
static bool host_like(struct slice w)
{
	size_t dots = 0, digits = 0, i = w.n;
	if (address_like(w))
		return true;
	while (i > 0 && scan_is_digit(w.p[i - 1])) {
		i--;
		digits++;
	}
	if (digits > 0 && i > 1 && w.p[i - 1] == '-')
		return true;
	for (i = 0; i < w.n; i++) {
		if (w.p[i] == '/' || w.p[i] == '_' || w.p[i] == '(')
			return false;
		dots += w.p[i] == '.';
	}
	return dots >= 2;
}

static bool host_octets(struct slice w)
{
	if (w.n == 0 || w.n > MAX_HOST || (refused[(unsigned char)w.p[0]] & NO_HOST_START) != 0)
		return w.n > 2 && w.n <= MAX_HOST && w.p[0] == '[' && w.p[w.n - 1] == ']' &&
		       address_like(slice_sub(w, 1, w.n - 2));
	return !any_refused(w, NO_HOST);
}

/* A tag "word:" that must be the host: a mnemonic, the same word or another tag with a pid follows, or it
 * looks so. */
static bool tag_is_host(const struct tag *tag, const struct scan *after)
{
	struct scan t = *after;
	struct tag next;
	if (!tag->colon_only)
		return false;
	if (mnemonic_at(after) || host_like(tag->app))
		return true;
	return take_tag(&t, &next) && (!next.colon_only || slice_eq(next.app, tag->app)) &&
	       slice_ieq(tag->app, next.app);
}

static struct slice host_of(struct slice w)
{
	while (w.n > 1 && w.p[w.n - 1] == ':')
		w.n--;
	if (w.n > 2 && w.p[0] == '[' && w.p[w.n - 1] == ']')
		w = slice_sub(w, 1, w.n - 2);
	/* "U7PG2,788a2056b182,v4.0.66": access points put model, address and version there; no name has a
	 * comma */
	const char *comma = memchr(w.p, ',', w.n);
	return comma != NULL && comma > w.p + 1 ? slice_sub(w, 0, (size_t)(comma - w.p)) : w;
}

/* A word of a level where the host would be: loggers of programs that write no host. */
static bool level_word(struct slice w)
{
	static const char *const words[] = {"ERROR", "WARN",  "WARNING",  "INFO",  "DEBUG",
	                                    "FATAL", "TRACE", "CRITICAL", "NOTICE"};
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (slice_is(w, words[i]))
			return true;
	return false;
}

/* ---- behind the stamp */

static bool severity_name(struct slice w)
{
	static const char *const words[] = {"emerg",   "alert",  "crit", "err",  "error",
	                                    "warning", "notice", "info", "debug"};
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (slice_is(w, words[i]))
			return true;
	return false;
}

/* A word between host and tag: the severity by name before "tag[pid]:" (F5), or the five digits of a message
 * id before "tag:" (ProCurve). */
static bool take_prefixed_tag(struct message *m, struct scan *s, struct tag *tag)
{
	struct scan t = *s;
	struct slice word = scan_until(&t, ' ');
	size_t digits = 0;
	while (digits < word.n && scan_is_digit(word.p[digits]))
		digits++;
	bool id = digits == 5 && word.n == 5;
	if ((!id && !severity_name(word)) || scan_blanks(&t) == 0 || !take_tag(&t, tag) ||
	    (!id && tag->colon_only))
		return false;
	if (id)
		m->code = word;
	*s = t;
	return true;
}

static void take_text_tag(struct message *m, struct scan *s)
{
	struct tag tag;
	struct slice pid;
	scan_blanks(s);
	if (scan_peek(s, 0) == ':' && scan_peek(s, 1) == ' ') {
		scan_skip(s, 1);
		scan_blanks(s);
	}
	struct scan t = *s;
	if (take_pid(&t, &pid) && t.p[t.at - 1] == ':') {
		m->pid = pid;
		*s = t;
	} else if (take_tag(s, &tag) || take_prefixed_tag(m, s, &tag)) {
		m->app = tag.app;
		m->pid = tag.pid;
	}
	scan_blanks(s);
	m->text = scan_rest(s);
}

static bool take_relay(struct message *m, struct scan *s)
{
	if (scan_take_text(s, SLICE("Message forwarded from "))) {
		struct slice w = scan_until(s, ' ');
		m->host = host_of(w);
		return true;
	}
	struct scan t = *s;
	return scan_take_text(&t, SLICE("last message repeated "));
}

/* A relay that put its header before another one: "relay Nov 22 00:43:34 origin text". The origin is meant.
 */
static void take_second_header(struct message *m, struct scan *s)
{
	struct scan t = *s;
	struct stamp stamp;
	scan_blanks(&t);
	if (!scan_is_alpha(scan_peek(&t, 0)) ||
	    !stamp_take(&t, m->env->received, m->env->zone_offset, &stamp) || scan_blanks(&t) == 0)
		return;
	struct slice word = scan_until(&t, ' ');
	struct scan behind = t;
	struct tag tag;
	scan_blanks(&behind);
	if (!host_octets(word) || word.p[word.n - 1] == ':' || scan_end(&t) ||
	    (!host_like(word) && !take_tag(&behind, &tag)))
		return;
	m->host = host_of(word);
	m->stamp = stamp;
	*s = t;
}

/* "host,key=value,..": the first part of the word; the text keeps all of it. */
static struct slice leading_host(struct slice word)
{
	const char *comma = word.n > 0 ? memchr(word.p, ',', word.n) : NULL;
	struct slice w = comma != NULL ? slice_sub(word, 0, (size_t)(comma - word.p)) : SLICE_NONE;
	return host_octets(w) ? w : SLICE_NONE;
}

/* "svm_service: 192.0.2.1  00:43:34 GMT ..": behind the tag a host, two blanks and the stamp of its own. */
static struct slice host_behind_tag(const struct message *m, const struct scan *behind)
{
	struct scan t = *behind;
	struct stamp ignored;
	struct slice word = scan_until(&t, ' ');
	if (!host_octets(word) || scan_blanks(&t) != 2 ||
	    !stamp_take(&t, m->env->received, m->env->zone_offset, &ignored))
		return SLICE_NONE;
	return word;
}

/* [host] [tag] text; `had_host`: a prefix named it already. */
static void take_host_and_tag(struct message *m, struct scan *s, bool had_host)
{
	struct tag tag;
	scan_blanks(s);
	if (scan_peek(s, 0) == ':' && scan_peek(s, 1) == ' ')
		scan_skip(s, 2);
	scan_blanks(s);
	struct scan t = *s;
	if (had_host || mnemonic_at(s) || take_relay(m, s)) {
		take_text_tag(m, s);
		return;
	}
	if (take_tag(&t, &tag)) {
		if (tag_is_host(&tag, &t)) {
			m->host = tag.app;
			*s = t;
		} else if (tag.colon_only) {
			m->host = host_behind_tag(m, &t);
		}
		take_text_tag(m, s);
		return;
	}
	t = *s;
	struct slice word = scan_until(&t, ' ');
	const char *tab = word.n > 0 ? memchr(word.p, '\t', word.n) : NULL;
	if (level_word(word)) {
		m->text = scan_rest(s);
	} else if (tab == NULL && host_octets(word) && !scan_end(&t)) {
		m->host = host_of(word);
		*s = t;
		take_second_header(m, s);
		take_text_tag(m, s);
	} else {
		m->host = tab == NULL ? leading_host(word) : SLICE_NONE;
		m->text = scan_rest(s);
	}
}

/* ---- before the stamp */

/* "123: " or "123:" */
static bool take_sequence(struct scan *s)
{
	size_t n = 0;
	while (n < 12 && scan_is_digit(scan_peek(s, n)))
		n++;
	if (n == 0 || scan_peek(s, n) != ':' || (n < 3 && scan_is_digit(scan_peek(s, n + 1))))
		return false;
	scan_skip(s, n + 1);
	scan_blanks(s);
	return true;
}

/* "RP/0/RSP0/CPU0:" directly before the stamp */
static bool take_module(struct scan *s)
{
	size_t n = 0, slashes = 0;
	for (int c; (c = scan_peek(s, n)) > ' ' && c != ':' && n < 40; n++)
		slashes += c == '/';
	if (slashes == 0 || scan_peek(s, n) != ':')
		return false;
	scan_skip(s, n + 1);
	scan_blanks(s);
	return true;
}

/* "host:" or "host RP/0/..:" */
static bool take_prefix_host(struct scan *s, struct slice *host)
{
	struct scan t = *s;
	struct slice w = scan_until(&t, ' ');
	if (w.n < 2 || scan_end(&t) || !host_octets(w))
		return false;
	scan_blanks(&t);
	if (w.p[w.n - 1] != ':') {
		struct scan ahead = t;
		if (!take_module(&ahead))
			return false;
	}
	*host = host_of(w);
	*s = t;
	return true;
}

/* "*spamApTask1: " (wireless controllers): the process before the stamp */
static bool take_process(struct scan *s, struct slice *app)
{
	size_t n = 1;
	if (scan_peek(s, 0) != '*' || !scan_is_alpha(scan_peek(s, 1)))
		return false;
	for (int c; (c = scan_peek(s, n)) > ' ' && c != ':' && n < 40;)
		n++;
	if (scan_peek(s, n) != ':' || scan_peek(s, n + 1) != ' ')
		return false;
	*app = (struct slice){s->p + s->at + 1, n - 1};
	scan_skip(s, n + 1);
	scan_blanks(s);
	return true;
}

static bool take_stamp(struct message *m, struct scan *s)
{
	return stamp_take(s, m->env->received, m->env->zone_offset, &m->stamp) ||
	       stamp_take_epoch(s, &m->stamp);
}

/* Sequence number, host, module, stamp: true only if there is a stamp in the end. */
static bool take_stamped_head(struct message *m, struct scan *s)
{
	struct scan t = *s;
	struct slice host = SLICE_NONE, app = SLICE_NONE;
	for (int i = 0; i < MAX_PREFIXES; i++) {
		if (take_stamp(m, &t)) {
			/* behind a host Cisco's stamps end in ':'; "Error: 2026-11-22 12:00:00 text" is a tag
			 */
			if (host.p != NULL && t.p[t.at - 1] != ':')
				return false;
			m->host = host;
			m->app = app;
			*s = t;
			return true;
		}
		if (!take_sequence(&t) && !take_process(&t, &app) && !take_module(&t) &&
		    (host.p != NULL || !take_prefix_host(&t, &host)))
			return false;
	}
	return false;
}

/* The value behind " key=" near the start of the text, without its quotes. */
static struct slice near_value(const struct scan *s, const char *key)
{
	struct slice rest = scan_rest(s);
	if (rest.p == NULL || rest.n == 0)
		return SLICE_NONE;
	struct slice head = {rest.p, MIN(rest.n, (size_t)512)};
	size_t n = strlen(key);
	const char *at = memmem(head.p, head.n, key, n);
	if (at == NULL)
		return SLICE_NONE;
	struct scan v = scan_of(slice_sub(head, (size_t)(at - head.p) + n, SIZE_MAX));
	bool quoted = scan_take(&v, '"');
	return scan_until(&v, quoted ? '"' : ' ');
}

/* date=2026-11-22 time=00:43:34 devname=fw01 (Fortinet; Sophos begins with device="SFW" and says
 * device_name): the stamp and the name are inside the text. */
static bool take_key_value(struct message *m, const struct scan *start)
{
	struct scan s = *start;
	char joined[40];
	if (scan_take_text(&s, SLICE("device="))) {
		(void)scan_until(&s, ' ');
		scan_blanks(&s);
	}
	if (!scan_take_text(&s, SLICE("date=")))
		return false;
	struct slice date = scan_until(&s, ' ');
	scan_skip(&s, 1);
	if (!scan_take_text(&s, SLICE("time=")))
		return false;
	struct slice clock = scan_until(&s, ' ');
	if (date.n != 10 || clock.n < 8 || clock.n > 16)
		return false;
	memcpy(joined, date.p, date.n);
	joined[date.n] = ' ';
	memcpy(joined + date.n + 1, clock.p, clock.n);
	struct scan both = scan_of(slice_of(joined, date.n + 1 + clock.n));
	if (!take_stamp(m, &both))
		return false;
	struct slice name = near_value(&s, " devname=");
	name = name.n > 0 ? name : near_value(&s, " device_name=");
	m->host = host_octets(name) ? name : SLICE_NONE;
	return true;
}

/* No stamp: only with a PRI is a first "word:" worth to be believed. */
static void take_unstamped(struct message *m, struct scan *s)
{
	struct scan t = *s;
	struct tag tag;
	if (take_key_value(m, s) || !take_tag(&t, &tag) || (m->pri < 0 && tag.colon_only)) {
		m->text = scan_rest(s);
		return;
	}
	if (tag_is_host(&tag, &t)) {
		m->host = tag.app;
		*s = t;
	}
	take_text_tag(m, s);
}

void rfc3164_take(struct message *m, struct scan *s)
{
	struct scan start = *s;
	scan_blanks(s);
	if (scan_peek(s, 0) == ':' && (scan_peek(s, 1) == ' ' || m->pri >= 0)) {
		scan_skip(s, 1);
		scan_blanks(s);
	}
	if (take_stamped_head(m, s)) {
		if (m->stamp.impossible)
			message_fault(m, start.at, "bad-time", "there is no such date or time");
		take_host_and_tag(m, s, m->host.p != NULL);
	} else if (scan_end(s)) {
		m->text = m->all;
	} else {
		m->stamp = (struct stamp){.at = INSTANT_NONE, .quality = STAMP_RECEIVED};
		take_unstamped(m, s);
	}
}
