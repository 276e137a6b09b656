/* schema: the JSON Schemas for editors. */
#include <string.h>

#include "base/mem.h"
#include "ctl/ctl.h"
#include "model/schema_doc.h"
#include "rules/schema_json.h"

int schema_print(struct ctl *c, const struct args *a)
{
	static const struct {
		const char *name;
		void (*write)(struct buf *out);
	} kinds[] = {{"rules", schema_rules_json}, {"map", schema_map_json}, {"config", schema_config_json}};
	struct buf b = {0};

	if (args_flag(a, "mdoc") && strcmp(args_word(a, 0), "rules") == 0)
		schema_rules_mdoc(&b);
	for (size_t i = 0; b.n == 0 && i < ARRAY_LEN(kinds); i++)
		if (strcmp(args_word(a, 0), kinds[i].name) == 0)
			kinds[i].write(&b);
	if (b.n == 0)
		return ctl_fail(c, CTL_USAGE, "there is a schema of rules, map and config, not of '%s'",
		                args_word(a, 0));
	fwrite(b.p, 1, b.n, c->out);
	buf_free(&b);
	return CTL_DONE;
}
