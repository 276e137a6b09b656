/* The examples of rules/codes.h, loaded as `rules why` loads them. */
#ifndef CARILLON_CTL_RULES_WHY_H
#define CARILLON_CTL_RULES_WHY_H

#include "base/error.h"

/* All findings of one example file, under a configuration with the ticket connection "rt". */
void why_findings(const char *example, struct findings *f);

#endif
