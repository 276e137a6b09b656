/* The syslog decoder: PRI, the choice of the format, and the event. One pass over the octets; nothing is
 * copied but what had to be rewritten. Promises: whatever the octets are, there is an event, unless there are
 * none at all. Must not know: sockets, framing, rules. */
#include "message.h"

void message_tag(struct message *m, const char *tag)
{
	BUG_ON(tag == NULL);
	for (size_t i = 0; i < m->n_tags; i++)
		if (m->tags[i] == tag)
			return;
	if (m->n_tags < ARRAY_LEN(m->tags))
		m->tags[m->n_tags++] = tag;
}

void message_fault(struct message *m, size_t at, const char *tag, const char *what)
{
	BUG_ON(at > m->all.n);
	message_tag(m, tag);
	evt_batch_note(m->out, at, "%s", what);
}

/* RFC 5424, section 6.2.1: 0 to 191 without leading zeros. -1 and the cursor stays if there is none. */
static int take_pri(struct scan *s)
{
	struct scan t = *s;
	int pri;
	if (!scan_take(&t, '<') || (scan_peek(&t, 0) == '0' && scan_peek(&t, 1) != '>') ||
	    !scan_digits(&t, 1, 3, &pri) || pri > 191 || !scan_take(&t, '>'))
		return -1;
	*s = t;
	return pri;
}

/* "1 " or another number of up to three digits before a blank; 0 if there is none. */
static int version_ahead(const struct scan *s, size_t *len)
{
	struct scan t = *s;
	int version;
	if (scan_peek(&t, 0) == '0' || !scan_digits(&t, 1, 3, &version) || scan_peek(&t, 0) != ' ')
		return 0;
	*len = t.at + 1 - s->at;
	return version;
}

static bool other_version(struct message *m, const struct scan *s, int version)
{
	struct scan t = *s;
	struct stamp ignored;
	if (version == 0 || version == 1 || stamp_take(&t, m->env->received, m->env->zone_offset, &ignored))
		return false; /* "22 Nov 2026 12:00:00" begins with a day */
	m->version = version;
	message_fault(m, s->at, "version", "the only version of RFC 5424 is 1: taken as text");
	return true;
}

static void take_message(struct message *m)
{
	struct scan s = scan_of(m->all);
	size_t len = 0;
	m->pri = take_pri(&s);
	m->severity = m->pri < 0 ? -1 : m->pri % 8;
	if (m->pri < 0 && scan_peek(&s, 0) == '<')
		message_fault(m, 0, "bad-pri",
		              "no priority: after '<' a number from 0 to 191 and '>' are expected");
	else if (m->pri < 0)
		message_tag(m, "no-pri");
	int version = m->pri < 0 ? 0 : version_ahead(&s, &len);
	if (version == 1) {
		struct scan t = s;
		scan_skip(&t, len);
		m->version = 1;
		if (rfc5424_take(m, &t))
			return;
		m->version = 0;
		s = t;
	} else if (other_version(m, &s, version)) {
		m->text = scan_rest(&s);
		return;
	}
	rfc3164_take(m, &s);
	mnemonic_find(m);
}

static struct slice without_line_end(struct slice s)
{
	while (s.n > 0 && (s.p[s.n - 1] == '\n' || s.p[s.n - 1] == '\0'))
		s.n -= s.n > 1 && s.p[s.n - 1] == '\n' && s.p[s.n - 2] == '\r' ? 2 : 1;
	return s;
}

/* Eight octets at a time: nearly every text is ASCII, and then it is UTF-8. */
static bool is_ascii(struct slice s)
{
	uint64_t word, high = 0;
	size_t at = 0;
	for (; s.n - at >= sizeof word; at += sizeof word) {
		memcpy(&word, s.p + at, sizeof word);
		high |= word;
	}
	for (; at < s.n; at++)
		high |= (unsigned char)s.p[at];
	return (high & 0x8080808080808080) == 0;
}

static void check_text(struct message *m)
{
	BUG_ON(m->text.n > m->all.n);
	if (is_ascii(m->text) || slice_utf8(m->text))
		return;
	message_tag(m, "not-utf8");
	if (slice_starts(m->text, SLICE("\xef\xbb\xbf")))
		evt_batch_note(m->out, (size_t)(m->text.p - m->all.p),
		               "the text says it is UTF-8 and is not");
}

static enum decode_result syslog_decode(const void *settings UNUSED, const struct decode_env *env,
                                        struct slice payload, struct evt_batch *out, struct buf *reply UNUSED)
{
	struct message m = {.env = env, .arena = out->arena, .out = out, .pri = -1, .severity = -1};
	m.stamp = (struct stamp){.at = INSTANT_NONE, .quality = STAMP_RECEIVED};
	m.all = without_line_end(payload);
	if (m.all.n == 0) {
		evt_batch_note(out, 0, "an empty message");
		return DECODE_REFUSED;
	}
	if (env->max_event > 0 && m.all.n > env->max_event) {
		m.all.n = env->max_event;
		message_fault(&m, env->max_event, "truncated", "longer than limits.event_size: cut");
	}
	take_message(&m);
	cef_find(&m);
	BUG_ON(m.pri > 191 || m.severity > 7);
	check_text(&m);
	struct fields *f = evt_batch_add(out);
	if (f == NULL)
		return DECODE_REFUSED;
	message_fields(&m, f);
	return DECODE_OK;
}

const struct decoder syslog_decoder = {PLUGIN_ABI, "syslog", "syslog", syslog_decode};
