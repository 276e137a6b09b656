/* Promises what an operator may do with silences. */
#include "engine/silence.h"

bool silences_compile(struct engine *e, struct error *err)
{
	if (e->silences->n > e->silences->n_files)
		return error_set(err, "no") == 0;
	return true;
}

bool silences_command(struct engine *e, const struct json *cmd, struct jw *reply)
{
	(void)e, (void)cmd, (void)reply;
	return false;
}

void silences_views(struct engine *e, bool all, void (*row)(void *arg, const struct engine_view *v),
                    void *arg)
{
	(void)e, (void)all, (void)row, (void)arg;
}
