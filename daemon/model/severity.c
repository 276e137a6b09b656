/* Words of the small vocabularies. One table each, indexed by the enum, read in both directions. */
#include "model/severity.h"

#include "base/mem.h"

static const char *const severity_words[] = {
    [SEVERITY_INFO] = "info",   [SEVERITY_WARNING] = "warning",   [SEVERITY_MINOR] = "minor",
    [SEVERITY_MAJOR] = "major", [SEVERITY_CRITICAL] = "critical",
};
static const char *const state_words[] = {
    [STATE_PROBLEM] = "problem",
    [STATE_CLEAR] = "clear",
    [STATE_INFO] = "info",
};
static const char *const effect_words[] = {
    [EFFECT_NONE] = "none",
    [EFFECT_RISK] = "risk",
    [EFFECT_DEGRADED] = "degraded",
    [EFFECT_DOWN] = "down",
};
static const char *const nature_words[] = {
    [NATURE_NONE] = "none",
    [NATURE_OVERLOAD] = "overload",
    [NATURE_OWN_CAUSE] = "own-cause",
    [NATURE_PRECURSOR] = "precursor",
};

static bool word_find(const char *const *words, size_t n, struct slice s, size_t *out)
{
	for (size_t i = 0; i < n; i++) {
		if (slice_is(s, words[i])) {
			*out = i;
			return true;
		}
	}
	return false;
}

const char *severity_word(enum severity s)
{
	BUG_ON((size_t)s >= ARRAY_LEN(severity_words));
	return severity_words[s];
}

bool severity_parse(struct slice s, enum severity *out)
{
	size_t i;
	if (!word_find(severity_words, ARRAY_LEN(severity_words), s, &i))
		return false;
	*out = (enum severity)i;
	return true;
}

const char *event_state_word(enum event_state s)
{
	BUG_ON((size_t)s >= ARRAY_LEN(state_words));
	return state_words[s];
}

bool event_state_parse(struct slice s, enum event_state *out)
{
	size_t i;
	if (!word_find(state_words, ARRAY_LEN(state_words), s, &i))
		return false;
	*out = (enum event_state)i;
	return true;
}

const char *effect_word(enum effect e)
{
	BUG_ON((size_t)e >= ARRAY_LEN(effect_words));
	return effect_words[e];
}

bool effect_parse(struct slice s, enum effect *out)
{
	size_t i;
	if (!word_find(effect_words, ARRAY_LEN(effect_words), s, &i))
		return false;
	*out = (enum effect)i;
	return true;
}

const char *nature_word(enum nature n)
{
	BUG_ON((size_t)n >= ARRAY_LEN(nature_words));
	return nature_words[n];
}

bool nature_parse(struct slice s, enum nature *out)
{
	size_t i;
	if (!word_find(nature_words, ARRAY_LEN(nature_words), s, &i))
		return false;
	*out = (enum nature)i;
	return true;
}
