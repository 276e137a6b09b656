/* A candidate rule set beside the live one, on live traffic: an engine of its own that opens no ticket, and the difference.
 *
 * Intake matches the candidate's events (role_intake_shadow.c); core only steps the second engine, for at most a tenth of its
 * time, with smaller limits than the live one. Nothing of it is journaled or survives a restart of core. */
#ifndef CARILLON_ROLE_CORE_SHADOW_H
#define CARILLON_ROLE_CORE_SHADOW_H

#include "role_core.h"

struct core_shadow;

/* FRAME_SHADOW of the parent: an encoded bundle; empty: it ends. */
void core_shadow_frame(struct core *c, struct slice bundle);
void core_shadow_event(struct core *c, struct slice payload); /* of intake */
void core_shadow_map(struct core *c);                         /* core's map has changed; the former one is still there */
void core_shadow_report(struct core *c, struct buf *json);    /* the answer to front */
void core_shadow_free(struct core *c);

#endif
