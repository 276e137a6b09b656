/* RFC 5424, section 6. Faults in a single field are noted and the field is kept if it can be; a fault that
 * leaves the rest without meaning makes the rest text. Promises: header fields are slices of the input. */
#include "message.h"

#include <stdio.h>

enum { MAX_HOST = 255, MAX_APP = 48, MAX_PID = 128, MAX_MSGID = 32, MAX_SD_NAME = 32, MAX_SD_PARAMS = 1024 };

static void whole_is_text(struct message *m, size_t at, const char *what)
{
	message_fault(m, at, "malformed", what);
	m->text = m->all;
}

/* A header field and the blank behind it. NILVALUE is absent. False: broken, noted. */
static bool take_field(struct message *m, struct scan *s, size_t max, const char *name, struct slice *out)
{
	size_t from = s->at;
	struct slice word = scan_until(s, ' ');
	char what[64];
	for (size_t i = 0; i < word.n; i++) {
		if ((unsigned char)word.p[i] >= 0x20 && word.p[i] != 0x7f)
			continue;
		snprintf(what, sizeof what, "a control character in the %s", name);
		whole_is_text(m, from + i, what);
		return false;
	}
	if (word.n == 0) {
		snprintf(what, sizeof what, "no %s", name);
		whole_is_text(m, from, what);
		return false;
	}
	if (word.n > max) {
		snprintf(what, sizeof what, "the %s is longer than %zu", name, max);
		message_fault(m, from, "long-field", what);
	}
	if (!slice_is(word, "-"))
		*out = word;
	(void)scan_take(s, ' ');
	return true;
}

/* 1: read; 0: a fault, noted; -1: this is not RFC 5424 (seconds since the epoch after "1 ": Meraki). */
static int take_stamp(struct message *m, struct scan *s)
{
	struct scan t = *s;
	struct stamp loose;
	size_t from = s->at, at;
	if (stamp_take_epoch(&t, &loose))
		return -1;
	struct slice word = scan_until(s, ' ');
	(void)scan_take(s, ' ');
	if (slice_is(word, "-"))
		return 1;
	if (stamp_rfc5424(word, &m->stamp.at, &at)) {
		m->stamp.quality = STAMP_OWN;
		return 1;
	}
	m->stamp.at = INSTANT_NONE;
	struct scan w = scan_of(word);
	if (!stamp_take(&w, m->env->received, m->env->zone_offset, &loose) || !scan_end(&w)) {
		whole_is_text(m, from + at, word.n == 0 ? "no timestamp" : "not a timestamp");
		return 0;
	}
	message_fault(m, from + at, "bad-time",
	              loose.impossible ? "there is no such date or time" : "not a timestamp of RFC 5424");
	m->stamp = loose;
	return 1;
}

/* ---- structured data */

static bool sd_name_octet(int c)
{
	return c > 0x20 && c != 0x7f && c != '=' && c != ']' && c != '"';
}

static struct slice take_sd_name(struct scan *s)
{
	size_t n = 0;
	while (sd_name_octet(scan_peek(s, n)))
		n++;
	struct slice name = {s->p + s->at, n};
	scan_skip(s, n);
	return name;
}

static struct slice unescape(struct message *m, struct slice raw)
{
	char *out = arena_alloc(m->arena, raw.n + 1);
	size_t n = 0;
	for (size_t i = 0; i < raw.n; i++) {
		char next = i + 1 < raw.n ? raw.p[i + 1] : 0;
		if (raw.p[i] == '\\' && (next == '"' || next == '\\' || next == ']'))
			i++;
		out[n++] = raw.p[i];
	}
	return (struct slice){out, n};
}

/* The value behind '="', with its closing quote. False: no end, or an unescaped ']' or a stray escape before
 * it. */
static bool take_sd_value(struct message *m, struct scan *s, struct slice *out)
{
	size_t from = s->at;
	bool escaped = false;
	for (int c; (c = scan_peek(s, 0)) != '"'; scan_skip(s, 1)) {
		if (c < 0 || c == ']')
			return false;
		if (c != '\\')
			continue;
		escaped = true;
		int next = scan_peek(s, 1);
		if (next == '"' || next == '\\' || next == ']')
			scan_skip(s, 1);
	}
	struct slice raw = {s->p + from, s->at - from};
	*out = escaped ? unescape(m, raw) : raw;
	scan_skip(s, 1);
	return true;
}

static void check_sd_name(struct message *m, const struct scan *s, struct slice name)
{
	if (name.n > MAX_SD_NAME)
		message_fault(m, s->at - name.n, "long-field",
		              "a name in the structured data is longer than 32");
}

static struct sd_param *add_param(struct message *m, struct sd_param ***tail, struct slice id)
{
	if (m->n_sd >= MAX_SD_PARAMS)
		return NULL;
	struct sd_param *p = arena_alloc(m->arena, sizeof *p);
	p->id = id;
	**tail = p;
	*tail = &p->next;
	m->n_sd++;
	return p;
}

static bool sd_id_known(const struct message *m, struct slice id)
{
	for (const struct sd_param *p = m->sd; p != NULL; p = p->next)
		if (slice_eq(p->id, id))
			return true;
	return false;
}

/* One element behind its '['. False: malformed here. */
static bool take_sd_element(struct message *m, struct scan *s, struct sd_param ***tail)
{
	(void)scan_blanks(s); /* RFC 5424's own broken example, and devices */
	struct slice id = take_sd_name(s);
	if (id.n == 0)
		return false;
	check_sd_name(m, s, id);
	if (sd_id_known(m, id))
		message_fault(m, s->at - id.n, "malformed",
		              "an element of the structured data stands there twice");
	size_t before = m->n_sd;
	while (!scan_take(s, ']')) {
		if (scan_blanks(s) == 0)
			return false;
		if (scan_take(s, ']'))
			break;
		struct slice name = take_sd_name(s), value;
		if (name.n == 0 || !scan_take(s, '='))
			return false;
		check_sd_name(m, s, name);
		(void)scan_blanks(s);
		if (!scan_take(s, '"') || !take_sd_value(m, s, &value))
			return false;
		struct sd_param *p = add_param(m, tail, id);
		if (p == NULL)
			return false;
		p->name = name;
		p->value = value;
	}
	return m->n_sd > before || add_param(m, tail, id) != NULL;
}

static bool take_sd(struct message *m, struct scan *s)
{
	struct sd_param **tail = &m->sd;
	if (scan_take(s, '-'))
		return scan_end(s) || scan_peek(s, 0) == ' ' || scan_peek(s, 0) == '\t';
	if (scan_peek(s, 0) != '[')
		return false;
	while (scan_take(s, '['))
		if (!take_sd_element(m, s, &tail))
			return false;
	return scan_end(s) || scan_peek(s, 0) == ' ' || scan_peek(s, 0) == '\t';
}

static void take_text(struct message *m, struct scan *s)
{
	if (scan_end(s))
		return;
	scan_skip(s, 1); /* one blank separates; a second one is content */
	m->text = scan_rest(s);
	struct scan t = scan_of(m->text);
	if (scan_take_text(&t, SLICE("\xef\xbb\xbf")) && slice_utf8(scan_rest(&t)))
		m->text = scan_rest(&t);
}

bool rfc5424_take(struct message *m, struct scan *s)
{
	struct scan start = *s;
	BUG_ON(m->version != 1 || m->n_sd != 0);
	int stamp = take_stamp(m, s);
	if (stamp < 0) {
		*s = start;
		return false;
	}
	if (stamp == 0 || !take_field(m, s, MAX_HOST, "host name", &m->host) ||
	    !take_field(m, s, MAX_APP, "app name", &m->app) ||
	    !take_field(m, s, MAX_PID, "process id", &m->pid) ||
	    !take_field(m, s, MAX_MSGID, "message id", &m->msgid))
		return true;
	size_t from = s->at;
	while (scan_peek(s, 0) == ' ' && scan_peek(s, 1) == '[')
		scan_skip(s, 1);
	if (scan_end(s)) {
		whole_is_text(m, s->at, "no structured data: '-' or '[' is expected");
		return true;
	}
	if (!take_sd(m, s)) {
		message_fault(m, s->at, "malformed", "broken structured data");
		m->text = slice_sub(m->all, from, m->all.n - from);
		return true;
	}
	take_text(m, s);
	mnemonic_find(m);
	return true;
}
