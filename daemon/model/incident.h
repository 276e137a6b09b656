/* The states of an incident and the pairs between which it may change (correlation.md section 4). A table, no
 * behaviour: the engine's incident_set_state is the one that changes them. */
#ifndef CARILLON_MODEL_INCIDENT_H
#define CARILLON_MODEL_INCIDENT_H

#include "base/slice.h"

enum incident_state {
	INCIDENT_GATHERING,
	INCIDENT_OPEN,
	INCIDENT_ACKED,
	INCIDENT_CLEARING,
	INCIDENT_RESOLVED,
	INCIDENT_CLOSED,
	INCIDENT_TRANSIENT,
	INCIDENT_MERGED,
	INCIDENT_STATES
};

const char *incident_state_word(enum incident_state s);
bool incident_state_parse(struct slice s, enum incident_state *out);
bool incident_state_allowed(enum incident_state from, enum incident_state to);
bool incident_state_final(enum incident_state s); /* closed, transient, merged */
bool incident_state_live(
    enum incident_state s); /* open, acked, clearing: what an operator has to deal with */

#endif
