/* An engine with a map, and a ticket system that can lose replies: what the tests of incidents and of the
 * outbox sit at. */
#ifndef CARILLON_TESTS_ENGINE_DESK_H
#define CARILLON_TESTS_ENGINE_DESK_H

#include "rig.h"

#include "engine/correlate.h"

struct desk_ticket {
	char id[16];
	char key[48];
	bool open;
	int updates, notes, gets;
	char title[160], parent[16];
	/* what people make of it */
	const char *state, *assignee, *merged_into, *by; /* state NULL: as `open` says */
	int priority;
	bool gone, changed; /* changed: the next poll says so */
};

enum desk_fault {
	DESK_DONE,
	DESK_LOST_REPLY,
	DESK_NOT_DONE,
	DESK_THROTTLE,
	DESK_AUTH,
	DESK_REFUSE,
	DESK_SILENT
};

struct desk {
	struct rig *rig;
	bool tickets; /* the default connection has a ticket system */
	struct desk_ticket v[400];
	size_t n, ops, lost, polls;
	const struct ticket_planned *planned; /* what the ticket system plans; NULL: nothing */
	enum desk_fault (*fault)(struct desk *d, const struct ticket_op *op); /* NULL: everything works */
	struct buf later; /* replies that are on their way */
	uint64_t random;
	duration at;
};

/* The map of the examples: a switch, two databases of which one hangs on it, an API that needs one of them, a
 * shop. */
extern const char desk_rules[], desk_map[];

struct desk *desk_new(const char *rules, const char *map, bool tickets);
void desk_free(struct desk *d);
/* A problem or a clear of a check on a host; waits until then first. */
void desk_event(struct desk *d, duration at, const char *check, const char *host, const char *state);
void desk_wait(struct desk *d,
               duration until); /* every deadline on the way gets its tick, every reply is handed in */
void desk_command(struct desk *d, const char *json);
void desk_input(struct desk *d, uint16_t kind, struct slice payload, const struct engine_setup *s);
void desk_restart(struct desk *d); /* saved, loaded, INPUT_RESUME; replies on their way are lost */
uint64_t desk_random(struct desk *d);

struct incident *
desk_incident(struct desk *d,
              const char *root); /* the latest with that root that is not merged; fails if none */
size_t desk_count(struct desk *d, enum incident_state s);
size_t desk_live(struct desk *d);
struct desk_ticket *desk_ticket(struct desk *d, const char *key);
bool desk_logged(const struct incident *i, const char *text); /* a line of its log holds the text */

#endif
