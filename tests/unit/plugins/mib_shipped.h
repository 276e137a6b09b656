/* The MIB tables that are installed, for tests. */
#ifndef TESTS_MIB_SHIPPED_H
#define TESTS_MIB_SHIPPED_H

#include <stdio.h>

#include "plugins/snmptrap/mib.h"

static inline struct slice mib_shipped_text(const char *name, struct buf *out)
{
	char path[512];
	snprintf(path, sizeof path, "%s/../snmptrap/%s.mib", WEBHOOK_PROFILES, name);
	FILE *f = fopen(path, "re");
	if (f == NULL)
		fail_msg("cannot read %s", path);
	buf_reserve(out, 1 << 20);
	out->n = fread(out->p, 1, 1 << 20, f);
	fclose(f);
	return buf_slice(out);
}

static inline struct mib *mib_shipped(void)
{
	static const char *const names[] = {"interfaces", "standard", "net-snmp"};
	struct mib *m = mib_new();
	struct findings f = {0};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct buf text = {0};
		assert_int_equal(mib_add(m, names[i], mib_shipped_text(names[i], &text), &f), 0);
		buf_free(&text);
	}
	mib_seal(m);
	return m;
}

#endif
