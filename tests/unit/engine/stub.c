/* Stands where episodes and incidents are: writes down every change that it is told. */
#include "rig.h"

#include <stdlib.h>
#include <string.h>

struct correlation {
	int unused;
};

static struct buf told, given;

const char *rig_told(void)
{
	buf_clear(&given);
	buf_adds(&given, slice_trim((struct slice){told.n > 0 ? told.p : "", told.n}));
	buf_clear(&told);
	return buf_cstr(&given);
}

struct correlation *correlation_new(struct engine *e)
{
	(void)e;
	return xcalloc(1, sizeof(struct correlation));
}

void correlation_free(struct engine *e)
{
	free(e->correlation);
	buf_free(&told);
	buf_free(&given);
}

static const char *word(enum alert_change change)
{
	static const char *const words[] = {"opened", "repeated", "worsened", "calm",
	                                    "closed", "muted",    "unmuted"};
	return words[change];
}

void correlation_alert(struct engine *e, struct alert *a, enum alert_change change)
{
	(void)e;
	buf_printf(&told, "%s:%s%s ", strchr(a->rule_id, '/') + 1, word(change),
	           change == ALERT_CHANGE_OPENED && a->muted ? "-muted" : "");
}

void correlation_settle(struct engine *e)
{
	(void)e;
}

void correlation_timer(struct engine *e, enum timer_kind kind, uint64_t object)
{
	(void)e, (void)kind, (void)object;
}

void correlation_ticket_result(struct engine *e, const struct ticket_result *r)
{
	(void)e, (void)r;
}

void correlation_command(struct engine *e, const struct json *cmd, struct jw *reply)
{
	(void)e, (void)cmd;
	jw_kbool(reply, "ok", true);
}

void correlation_inquire(struct engine *e, const struct json *q, struct jw *reply)
{
	(void)e, (void)q;
	jw_kbool(reply, "ok", true);
}

void correlation_rules_changed(struct engine *e)
{
	(void)e;
}

void correlation_map_changed(struct engine *e, const struct service_map *old)
{
	(void)e, (void)old;
}

void correlation_maintenance_changed(struct engine *e)
{
	(void)e;
	buf_str(&told, "maintenance ");
}

void correlation_ticket_hint(struct engine *e, struct slice payload)
{
	(void)e, (void)payload;
}

void correlation_resume(struct engine *e)
{
	(void)e;
}

void correlation_started(struct engine *e)
{
	(void)e;
}

void correlation_save(const struct engine *e, struct buf *out)
{
	(void)e, (void)out;
}

bool correlation_load(struct engine *e, struct reader *r)
{
	(void)e, (void)r;
	return true;
}

void correlation_unmark(struct engine *e)
{
	(void)e;
}

void correlation_views(struct engine *e, bool all, void (*row)(void *arg, const struct engine_view *v),
                       void *arg)
{
	(void)e, (void)all, (void)row, (void)arg;
}

void correlation_stats(const struct engine *e, struct engine_stats *out)
{
	(void)e, (void)out;
}

void correlation_each_incident(const struct engine *e, void (*fn)(void *arg, const struct incident_look *i),
                               void *arg)
{
	(void)e, (void)fn, (void)arg;
}

struct slice correlation_incident_id(const struct engine *e, uint64_t serial, char out[27])
{
	(void)e, (void)serial;
	out[0] = '\0';
	return SLICE_NONE;
}

struct slice correlation_alert_cause(const struct engine *e, const struct alert *a)
{
	(void)e, (void)a;
	return SLICE_NONE;
}
