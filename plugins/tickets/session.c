/* Promises that a login's token lives exactly as long as it is good: until its time is over, until it is
 * refused, until the secrets change. Never in a file, a log or a message. Must not know how one logs in. */
#include "plugins/tickets/session.h"

#include <stdlib.h>

enum { EARLY = 30 }; /* seconds: a token must not expire on its way */

struct ticket_session *ticket_session_new(void)
{
	struct ticket_session *s = xcalloc(1, sizeof *s);
	s->expires = INSTANT_NONE;
	return s;
}

static void wipe(struct session_value *v)
{
	if (v->value != NULL)
		explicit_bzero(v->value, strlen(v->value));
	free(v->value);
	free(v->name);
}

void ticket_session_forget(struct ticket_session *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->n; i++)
		wipe(&s->v[i]);
	s->n = 0;
	s->expires = INSTANT_NONE;
}

void ticket_session_free(struct ticket_session *s)
{
	ticket_session_forget(s);
	free(s);
}

void ticket_session_time(struct ticket_session *s, instant now)
{
	BUG_ON(s == NULL);
	s->now = now;
	if (s->expires != INSTANT_NONE && now >= s->expires)
		ticket_session_forget(s);
}

void session_put(struct ticket_session *s, struct slice name, struct slice value)
{
	for (size_t i = 0; i < s->n; i++)
		if (slice_is(name, s->v[i].name)) {
			wipe(&s->v[i]);
			s->v[i] = (struct session_value){slice_dup(name), slice_dup(value)};
			return;
		}
	if (!DOUBT(s->n == SESSION_MAX))
		s->v[s->n++] = (struct session_value){slice_dup(name), slice_dup(value)};
}

void session_lasts(struct ticket_session *s, int64_t seconds)
{
	bool usable = s->now > 0 && seconds > 0 && seconds < 366 * (DAY / SECOND);
	s->expires = usable ? s->now + MAX(seconds - EARLY, (int64_t)1) * SECOND : INSTANT_NONE;
}

struct slice session_get(const struct ticket_session *s, struct slice name)
{
	for (size_t i = 0; s != NULL && i < s->n; i++)
		if (slice_is(name, s->v[i].name))
			return slice_str(s->v[i].value);
	return SLICE_NONE;
}
