/* Input: a MIB module. Whatever the compiler makes of it without an error is a table that can be read back; and the same
 * octets, taken for a table, are read or refused with a place. */
#include <stdlib.h>

#include "plugins/snmptrap/mib.h"
#include "plugins/snmptrap/smi.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void as_table(struct slice text, bool must)
{
	struct mib *m = mib_new();
	struct findings f = {0};
	struct slice index;
	if (mib_add(m, "table", text, &f) != 0 && (must || f.errors == 0 || f.v[0].mark.line == 0))
		abort();
	mib_seal(m);
	const struct mib_object *o = mib_object(m, SLICE("1.3.6.1.2.1.2.2.1.8.7"), &index);
	if (o != NULL && index.n > 0 && o->oid.n + 1 + index.n != 21)
		abort();
	(void)mib_notification(m, SLICE("1.3.6.1.4.1.5.1"));
	findings_clear(&f);
	mib_free(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_of(data, size);
	if (size > 65536)
		return 0;
	struct smi *s = smi_new();
	struct findings f = {0};
	struct buf out = {0};
	if (smi_add(s, "module", text, &f) == 0 && smi_write(s, &out, &f) == 0 && f.errors == 0)
		as_table(buf_slice(&out), true);
	as_table(text, false);
	findings_clear(&f);
	buf_free(&out);
	smi_free(s);
	return 0;
}
