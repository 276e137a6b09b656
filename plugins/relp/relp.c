/* Promises that every length is checked before it is believed, and one answer for each frame. Must not know
 * sockets. */
#include "plugins/relp/relp.h"

#include <stdio.h>
#include <string.h>

enum { DIGITS_MAX = 9, COMMAND_MAX = 32, OFFERS_MAX = 4096 };

struct head {
	uint32_t txnr, datalen;
	struct slice command;
	size_t n; /* octets up to the data; without data up to where the LF has to be */
};

void relp_init(struct relp *r, size_t max)
{
	BUG_ON(max == 0);
	*r = (struct relp){.max = max};
}

static enum relp_step broken(struct relp *r, const char *why)
{
	r->dead = true;
	snprintf(r->why, sizeof r->why, "RELP: %s", why);
	return RELP_BROKEN;
}

/* 1 to 9 digits at *at. 0: more is needed; -1: there are none, or too many; 1: *out, and *at stands behind
 * them. */
static int number(struct slice in, size_t *at, uint32_t *out)
{
	size_t i = *at;

	for (*out = 0; i < in.n && in.p[i] >= '0' && in.p[i] <= '9'; i++) {
		if (i - *at >= DIGITS_MAX)
			return -1;
		*out = *out * 10 + (uint32_t)(in.p[i] - '0');
	}
	if (i == in.n)
		return 0;
	if (i == *at)
		return -1;
	*at = i;
	return 1;
}

static int command(struct slice in, size_t *at, struct slice *out)
{
	size_t i = *at;

	while (i < in.n && ((in.p[i] >= 'a' && in.p[i] <= 'z') || (in.p[i] >= 'A' && in.p[i] <= 'Z')) &&
	       i - *at <= COMMAND_MAX)
		i++;
	if (i - *at > COMMAND_MAX)
		return -1;
	if (i == in.n)
		return 0;
	if (i == *at)
		return -1;
	*out = slice_of(in.p + *at, i - *at);
	*at = i;
	return 1;
}

static int blank(struct slice in, size_t *at)
{
	if (*at == in.n)
		return 0;
	return in.p[(*at)++] == ' ' ? 1 : -1;
}

/* Like number. */
static int head_parse(struct slice in, struct head *h)
{
	size_t at = 0;
	int rc = number(in, &at, &h->txnr);

	if (rc > 0)
		rc = blank(in, &at);
	if (rc > 0)
		rc = command(in, &at, &h->command);
	if (rc > 0)
		rc = blank(in, &at);
	if (rc > 0)
		rc = number(in, &at, &h->datalen);
	if (rc > 0 && h->datalen > 0)
		rc = blank(in, &at);
	h->n = at;
	return rc;
}

static void answer(struct buf *out, uint32_t txnr, const char *text)
{
	buf_printf(out, "%u rsp %zu %s\n", txnr, strlen(text), text);
}

/* The client names what it can; of that we take syslog. */
static bool offers_syslog(struct slice offers)
{
	struct slice line, one;

	while (offers.n > 0 && slice_split(&offers, '\n', &line)) {
		if (!slice_starts(line, SLICE("commands=")))
			continue;
		line = slice_sub(line, 9, SIZE_MAX);
		while (line.n > 0 && slice_split(&line, ',', &one))
			if (slice_is(slice_trim(one), "syslog"))
				return true;
	}
	return false;
}

static enum relp_step on_open(struct relp *r, const struct head *h, struct slice data, struct buf *answers)
{
	if (r->open)
		return broken(r, "a second open");
	if (!offers_syslog(data)) {
		answer(answers, h->txnr, "500 the command syslog is required");
		return RELP_END;
	}
	r->open = true;
	answer(answers, h->txnr,
	       "200 OK\nrelp_version=0\nrelp_software=carillon," CARILLON_VERSION "\ncommands=syslog");
	return RELP_ANSWER;
}

static enum relp_step on_frame(struct relp *r, const struct head *h, struct slice data, struct slice *message,
                               struct buf *answers)
{
	if (slice_is(h->command, "open"))
		return on_open(r, h, data, answers);
	if (slice_is(h->command, "close")) {
		answer(answers, h->txnr, "200 OK");
		buf_str(answers, "0 serverclose 0\n");
		return RELP_END;
	}
	if (!r->open)
		return broken(r, "the session was not opened");
	if (!slice_is(h->command, "syslog")) {
		answer(answers, h->txnr, "500 command not known");
		return RELP_ANSWER;
	}
	*message = data;
	answer(answers, h->txnr, "200 OK");
	return RELP_MESSAGE;
}

/* The rest of a message that was cut, and its LF. */
static enum relp_step skip(struct relp *r, struct slice in, size_t *used)
{
	*used = MIN(r->skip, in.n);
	r->skip -= *used;
	if (*used == in.n)
		return RELP_MORE;
	r->trailer = false;
	if (in.p[(*used)++] != '\n')
		return broken(r, "a frame does not end where its length says");
	return RELP_MORE;
}

enum relp_step relp_next(struct relp *r, struct slice in, size_t *used, struct slice *message,
                         struct buf *answers)
{
	struct head h = {0};
	size_t keep;
	int rc;

	*used = 0;
	*message = SLICE_NONE;
	if (r->dead || in.n == 0)
		return r->dead ? RELP_BROKEN : RELP_MORE;
	if (r->trailer)
		return skip(r, in, used);
	rc = head_parse(in, &h);
	if (rc < 0)
		return broken(r, "this is no frame");
	if (rc == 0)
		return RELP_MORE;
	if (h.datalen > OFFERS_MAX && !slice_is(h.command, "syslog"))
		return broken(r, "a command with too much data");
	keep = slice_is(h.command, "syslog") ? MIN((size_t)h.datalen, r->max) : h.datalen;
	if (in.n - h.n < keep + (keep == h.datalen ? 1 : 0))
		return RELP_MORE;
	if (keep < h.datalen) {
		r->oversized++;
		r->skip = h.datalen - keep;
		r->trailer = true;
		*used = h.n + keep;
	} else {
		if (in.p[h.n + keep] != '\n')
			return broken(r, "a frame does not end where its length says");
		*used = h.n + keep + 1;
	}
	return on_frame(r, &h, slice_of(in.p + h.n, keep), message, answers);
}
