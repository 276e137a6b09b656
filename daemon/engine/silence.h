/* Silences: which are in force, whom they mute, which services are in maintenance (language.md section 10,
 * correlation.md section 4, "Maintenance", "Mutes"). Those of rule files and those made at run time stand in
 * one list.
 *
 * A plain silence mutes alerts as suppressed_by does (mute.c). One with include_dependents is maintenance of
 * the services that it names: their alerts are only marked, stay evidence, and correlation asks
 * silence_maintains. */
#ifndef CARILLON_ENGINE_SILENCE_H
#define CARILLON_ENGINE_SILENCE_H

#include "engine/internal.h"

struct silence {
	char *id;                  /* package/id; of one made at run time a ULID */
	const struct cond *match;  /* of the rule set that `matcher` runs */
	struct matcher *matcher;   /* borrowed */
	char *match_json;          /* of one made at run time; NULL: of a file */
	char *reason, *owner, *by; /* owner and by may be NULL */
	instant created;           /* INSTANT_NONE: of a file */
	instant from, until;       /* [from, until); INSTANT_NONE: not given */
	char *during;              /* package/calendar; NULL: until */
	bool gone;                 /* there is no such calendar any more: never in force */
	bool dependents; /* maintenance */
	bool active;
	instant edge; /* when `active` changes next; INSTANT_NONE: never */
};

/* A service in maintenance, or for correlation.maint_grace after it. */
struct maintained {
	char *service; /* id in the map, or the text that the silence names */
	char *silence;
	bool running;
	instant until; /* its end: ahead while running (INSTANT_NONE: not known), else past */
};

struct silences {
	struct silence **v; /* those of files by id, then those made at run time by age */
	size_t n, cap, n_files;
	struct maintained *services; /* by name */
	size_t n_services;
	instant next;             /* the timer in the heap; INSTANT_NONE: none */
	bool started, changed;    /* changed: correlation has not been told yet */
	struct rule_set *runtime; /* conditions of those made at run time; NULL: none */
	struct matcher *matcher;  /* of `runtime` */
	char **shown;             /* ids of rows that were told: what is not there any more is told as gone */
	size_t n_shown, cap_shown;
	bool dirty; /* rows are to be written */
};

/* ---- for correlation */

/* Is this service named by a running maintenance, or was it until at most correlation.maint_grace ago? *until
 * (may be NULL) is the end: ahead of now while it runs (INSTANT_NONE: no known end), not ahead when it is
 * over. When the answer changes for any service (start, end, end of the grace, reload, map),
 * correlation_maintenance_changed is called once in that step. */
bool silence_maintains(const struct engine *e, const char *service, instant *until);
/* All of them, by name; running or in their grace. */
const struct maintained *silence_services(const struct engine *e, size_t *n);

/* ---- for mute.c and alert_list.c */

/* The silence that is in force and fits: the first plain one, else the first maintenance; NULL: none. */
const struct silence *silence_of(struct engine *e, const struct alert *a);
bool silence_any(const struct engine *e); /* is any in force? */

/* ---- for engine.c */

struct silences *silences_new(struct engine *e);
void silences_free(struct engine *e);
void silences_start(struct engine *e); /* the first input: time is known now */
void silences_timer(struct engine *e);
void silences_rules_changed(
    struct engine *e); /* before windows_rules_changed: conditions are those of the new rules */
void silences_map_changed(struct engine *e);
bool silences_changed(struct engine *e); /* maintenance has changed since the last call */
/* silence_command.c: "silence-add" "-expire" "-extend" "-preview" "-show" "-list"; false: not a command of
 * silences. */
bool silences_command(struct engine *e, const struct json *cmd, struct jw *reply);
void silences_views(struct engine *e, bool all, void (*row)(void *arg, const struct engine_view *v),
                    void *arg);
void silences_save(const struct engine *e, struct buf *out);
bool silences_load(struct engine *e, struct reader *r); /* before windows_load */

/* ---- between silence*.c */

bool silence_fits(struct engine *e, const struct silence *s, const struct alert *a); /* whether in force or not */
/* The services that a maintenance names, sorted; the caller frees each and the array. */
char **silence_names(struct engine *e, const struct silence *s, size_t *n);

void silence_free(struct silence *s);
struct silence *silence_append(struct silences *ss);
void silences_refresh(struct engine *e,
                      bool recheck); /* who is in force now; recheck: alerts and services, whatever changed */
void silences_restore(struct engine *e); /* after a load: who is in force at the saved time; tells nobody */
/* silence_service.c */
void maintained_free(struct maintained *v, size_t n);
void maintained_update(
    struct engine *e); /* after `active` of a maintenance, the map or a condition has changed */
instant maintained_edge(const struct engine *e); /* the next end of a grace; INSTANT_NONE */
/* silence_command.c: compiles `runtime` anew from match_json of all. False with err: nothing has changed. */
bool silences_compile(struct engine *e, struct error *err) MUST_CHECK;

#endif
