/* security.redact (config.md): what must not reach storage or tickets is replaced by three stars. */
#ifndef CARILLON_RULES_REDACT_H
#define CARILLON_RULES_REDACT_H

#include "model/config.h"
#include "model/evt.h"

struct redact;

/* The patterns of the configuration. NULL with err: one does not compile. */
struct redact *redact_new(const struct config *c, struct error *err) MUST_CHECK;
void redact_free(struct redact *r); /* NULL is fine */
/* What fits becomes "***"; what stands before a '=' inside it stays readable. The text itself if nothing
 * fits, else a copy in `a`. */
struct slice redact_text(const struct redact *r, struct slice text, struct arena *a);
/* Summary, message and every named text of an event. */
void redact_fields(const struct redact *r, struct fields *f);
/* The same for octets that must still decode afterwards (a recording): a hit that begins inside quotes ends
 * with them, and inside BER it keeps its length. Absent: what fits cannot be taken out without breaking the
 * rest (an SNMPv3 message, a form with an encoded secret), so the whole must not be stored. */
enum redact_form { REDACT_TEXT, REDACT_BODY, REDACT_BER };
struct slice redact_octets(const struct redact *r, enum redact_form form, struct slice octets,
                           struct arena *a);

#endif
