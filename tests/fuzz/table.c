/* CSV files, and the same octets as rows: no crash; every key found gives values that are not empty. */
#include <stdlib.h>

#include "rules/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct table *t)
{
	size_t n;
	const struct slice *columns = table_columns(t, &n);
	for (size_t i = 0; i < n; i++)
		BUG_ON(!table_has_column(t, columns[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = {""};
	uint32_t line = 0;
	struct slice text = slice_of(data, size), rest = text, key = SLICE("host");
	struct table *t;
	(void)slice_split(&rest, ',', &key);
	t = table_csv(text, slice_trim(key), &line, &err);
	if (t != NULL)
		check(t);
	else
		BUG_ON(err.text[0] == '\0');
	table_free(t);
	t = table_rows(text, &err);
	if (t != NULL)
		check(t);
	table_free(t);
	return 0;
}
