/* What intake and egress make of a configuration, tried before anything runs: webhook profiles and the listeners that use
 * them, ticket profiles and connections. Pure; secrets are named, not read. */
#ifndef CARILLON_CTL_PLUGINS_CHECK_H
#define CARILLON_CTL_PLUGINS_CHECK_H

#include "model/bundle.h"
#include "model/config.h"

/* Adds everything that is wrong; false if there was something. */
bool plugins_check(const struct bundle *b, const struct config *c, struct findings *f);

#endif
