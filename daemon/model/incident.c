/* Promises the transition table of correlation.md section 4, word for word. Must not know when a change
 * happens. */
#include "model/incident.h"

#include "base/mem.h"

#define TO(s) (1u << INCIDENT_##s)

static const struct {
	const char *word;
	unsigned to; /* one bit for each state it may become */
} states[INCIDENT_STATES] = {
    [INCIDENT_GATHERING] = {"gathering", TO(OPEN) | TO(TRANSIENT) | TO(MERGED)},
    [INCIDENT_OPEN] = {"open", TO(ACKED) | TO(CLEARING) | TO(RESOLVED) | TO(MERGED)},
    [INCIDENT_ACKED] = {"acked", TO(OPEN) | TO(CLEARING) | TO(RESOLVED) | TO(MERGED)},
    [INCIDENT_CLEARING] = {"clearing", TO(OPEN) | TO(ACKED) | TO(RESOLVED) | TO(MERGED)},
    [INCIDENT_RESOLVED] = {"resolved", TO(OPEN) | TO(CLOSED)},
    [INCIDENT_CLOSED] = {"closed", 0},
    [INCIDENT_TRANSIENT] = {"transient", 0},
    [INCIDENT_MERGED] = {"merged", 0},
};

const char *incident_state_word(enum incident_state s)
{
	BUG_ON(s >= INCIDENT_STATES);
	return states[s].word;
}

bool incident_state_parse(struct slice s, enum incident_state *out)
{
	for (unsigned i = 0; i < INCIDENT_STATES; i++) {
		if (!slice_is(s, states[i].word))
			continue;
		*out = (enum incident_state)i;
		return true;
	}
	return false;
}

bool incident_state_allowed(enum incident_state from, enum incident_state to)
{
	BUG_ON(from >= INCIDENT_STATES || to >= INCIDENT_STATES);
	return (states[from].to & 1u << to) != 0;
}

bool incident_state_final(enum incident_state s)
{
	BUG_ON(s >= INCIDENT_STATES);
	return states[s].to == 0;
}

bool incident_state_live(enum incident_state s)
{
	return s == INCIDENT_OPEN || s == INCIDENT_ACKED || s == INCIDENT_CLEARING;
}
