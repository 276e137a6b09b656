/* Whether a webhook comes from who knows the secret: the products' schemes as one table, and Amazon's signed
 * messages. Pure functions over octets; comparisons take the same time whatever they find. */
#ifndef CARILLON_WEBHOOK_VERIFY_H
#define CARILLON_WEBHOOK_VERIFY_H

#include "plugin.h"

/* SNS: the canonical text of the message, signed with the key of a certificate (PEM, one or several) that is
 * known here: SigningCertURL is never fetched. `at` and `id` (into the arena) from the message. */
enum webhook_verdict verify_sns(struct slice certificates, struct slice body, struct arena *a,
                                struct slice *id, instant *at);

#endif
