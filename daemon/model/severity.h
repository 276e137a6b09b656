/* The small vocabularies of the domain, with their words. X.733 / RFC 8632 severities. */
#ifndef CARILLON_MODEL_SEVERITY_H
#define CARILLON_MODEL_SEVERITY_H

#include <stdbool.h>

#include "base/slice.h"

enum severity { SEVERITY_INFO, SEVERITY_WARNING, SEVERITY_MINOR, SEVERITY_MAJOR, SEVERITY_CRITICAL };
enum event_state { STATE_PROBLEM, STATE_CLEAR, STATE_INFO };
/* What an alert says about its service; also what the loss of a need does. Order: worse is greater. */
enum effect { EFFECT_NONE, EFFECT_RISK, EFFECT_DEGRADED, EFFECT_DOWN };
enum nature { NATURE_NONE, NATURE_OVERLOAD, NATURE_OWN_CAUSE, NATURE_PRECURSOR };

const char *severity_word(enum severity s);
bool severity_parse(struct slice s, enum severity *out);
const char *event_state_word(enum event_state s);
bool event_state_parse(struct slice s, enum event_state *out);
const char *effect_word(enum effect e);
bool effect_parse(struct slice s, enum effect *out);
const char *nature_word(enum nature n);
bool nature_parse(struct slice s, enum nature *out);

#endif
