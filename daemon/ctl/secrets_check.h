/* Whether what a configuration refers to is there and fit for use: certificates and keys, tokens, SNMPv3
 * users. Reads files, shows nothing of them. */
#ifndef CARILLON_CTL_SECRETS_CHECK_H
#define CARILLON_CTL_SECRETS_CHECK_H

#include "model/bundle.h"
#include "model/config.h"

/* Adds what is wrong with the listeners' as errors, what is missing elsewhere as warnings; what this user or
 * this place cannot read (another's file, cred: outside of the unit) is a warning. False if there was an
 * error. */
bool secrets_check(const struct bundle *b, const struct config *c, struct findings *f);

#endif
