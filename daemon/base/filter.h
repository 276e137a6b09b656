/* The filters that every template knows; templates are in template.h. */
#ifndef CARILLON_BASE_FILTER_H
#define CARILLON_BASE_FILTER_H

#include "base/template.h"

/* Is the argument one that the filter can use? Filters of others are not judged here. */
bool filter_arg_ok(const struct filter_use *use, struct error *err);

#endif
