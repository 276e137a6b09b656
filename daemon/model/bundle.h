/* Everything a generation of the daemon is compiled from, as one value: configuration files, rule files, the lists, tables
 * and iCalendar files that they name, the time zones of their calendars, ticket and webhook profiles. The parent reads it from disk, sends the same bytes to every role, and core
 * keeps them under their hash while the journal names it: a replay compiles exactly what ran. */
#ifndef CARILLON_MODEL_BUNDLE_H
#define CARILLON_MODEL_BUNDLE_H

#include "base/buf.h"
#include "base/error.h"

enum bundle_kind { BUNDLE_CONFIG = 1, BUNDLE_RULES, BUNDLE_LIST, BUNDLE_TICKET_PROFILE, BUNDLE_WEBHOOK_PROFILE, BUNDLE_MIB, BUNDLE_ZONE };

struct bundle_file {
	enum bundle_kind kind;
	char *name;         /* the path as the user wrote it, for messages */
	struct slice text;  /* owned, NUL behind */
};
struct bundle {
	struct bundle_file *v;
	size_t n, cap;
	char *hostname;     /* fills an empty `instance` */
};

void bundle_add(struct bundle *b, enum bundle_kind kind, const char *name, struct slice text); /* copies */
const struct bundle_file *bundle_find(const struct bundle *b, enum bundle_kind kind, const char *name);
/* The file of a profile: the last one of its kind that is called PROFILE.yaml, in whatever folder; NULL if there is none. */
const struct bundle_file *bundle_profile(const struct bundle *b, enum bundle_kind kind, const char *profile);
void bundle_encode(const struct bundle *b, struct buf *out);
int bundle_decode(struct slice bytes, struct bundle *b, struct error *err) MUST_CHECK; /* copies */
void bundle_hash(const struct bundle *b, char out[65]);                                 /* SHA-256 of the encoded form */
/* A number that stands for the same bytes in every process and after a restart: 32 bits of the hash, never 0. */
uint32_t bundle_generation(const struct bundle *b);
void bundle_free(struct bundle *b);

#endif
