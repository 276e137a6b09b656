/* The parent's part of shadow rules: it reads the candidate, which the roles may not, and gives it to core and the intakes. */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "role_parent.h"
#include "rules/sources.h"

static void answer(struct parent *p, uint64_t id, int status, const char *text)
{
	struct child *front = child_find(p, ROLE_FRONT, 0);
	struct buf b = {0};
	struct jw w = jw_new(&b);

	jw_object(&w);
	jw_kbool(&w, "ok", status == 200);
	if (status != 200)
		jw_kint(&w, "status", status);
	jw_kstr(&w, status == 200 ? "note" : "error", text);
	jw_end(&w);
	if (front != NULL)
		child_send(front, FRAME_REPLY, id, buf_slice(&b), -1);
	buf_free(&b);
}

void shadow_give(struct parent *p, struct child *c)
{
	if (c->ops->kind == ROLE_CORE || c->ops->kind == ROLE_INTAKE)
		child_send(c, FRAME_SHADOW, 0, buf_slice(&p->shadow), -1);
}

static void give_all(struct parent *p)
{
	for (size_t i = 0; i < p->n_children; i++)
		if (p->children[i].control != NULL)
			shadow_give(p, &p->children[i]);
}

/* The configuration as it is on disk, and the candidate's rules instead of rules.path. */
static bool read_candidate(struct parent *p, const struct json *paths, struct buf *out, size_t *errors)
{
	struct findings f = {0};
	struct bundle b = {0};
	struct config *config = files_read_config(p->options.config_path, &b, &f);
	struct rule_set *rs = NULL;

	for (const struct json *j = paths->first; config != NULL && j != NULL; j = j->next) {
		char *path = slice_dup(json_text(j));

		if (path[0] == '/')
			files_add_rules(&b, path, &f);
		free(path);
	}
	if (config != NULL && f.errors == 0)
		rs = sources_rules(&b, config, false, &f);
	if (rs != NULL)
		bundle_encode(&b, out);
	*errors = f.errors;
	rule_set_free(rs);
	config_free(config);
	bundle_free(&b);
	findings_clear(&f);
	return out->n > 0;
}

static void start(struct parent *p, uint64_t id, const struct json *paths)
{
	struct buf bytes = {0};
	size_t errors = 0;
	char text[160];

	if (paths == NULL || paths->kind != JSON_ARRAY || paths->first == NULL) {
		answer(p, id, 400, "name the candidate's files or folders: {\"do\": \"start\", \"paths\": [\"/...\"]}");
		return;
	}
	if (!read_candidate(p, paths, &bytes, &errors)) {
		/* no lines of files here: whoever asks need not be allowed to read them */
		snprintf(text, sizeof text, "the candidate does not load: %zu errors; see: carillonctl rules check PATH", MAX(errors, (size_t)1));
		answer(p, id, 422, text);
		buf_free(&bytes);
		return;
	}
	buf_free(&p->shadow);
	p->shadow = bytes;
	give_all(p);
	answer(p, id, 200, "the candidate runs beside the running rules and opens nothing");
}

void shadow_command(struct parent *p, uint64_t id, struct slice payload)
{
	struct arena *a = arena_new(4096);
	struct error err;
	const struct json *j = json_parse(a, payload, JSON_LIMITS, NULL, &err);
	struct slice what = json_text(json_get(j, "do"));

	if (slice_is(what, "start")) {
		start(p, id, json_get(j, "paths"));
	} else if (slice_is(what, "stop") && p->shadow.n > 0) {
		buf_free(&p->shadow);
		give_all(p);
		answer(p, id, 200, "the candidate has ended");
		log_notice("msg=\"shadow rules ended\"");
	} else if (slice_is(what, "stop")) {
		answer(p, id, 409, "no shadow rules run");
	} else {
		answer(p, id, 400, "send {\"do\": \"start\", \"paths\": [...]} or {\"do\": \"stop\"}");
	}
	arena_free(a);
}
