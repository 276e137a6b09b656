/* See raw_input.h. */
#include "ctl/raw_input.h"

#include <dirent.h>
#include <stdlib.h>

#include "ctl/files.h"

#define PROFILE_MAX (1u << 20)

struct raw_input {
	const struct config *config;
	const char *profiles_dir;
	struct webhook_profiles *profiles;
};

struct raw_input *raw_input_new(const struct config *config, const char *profiles_dir)
{
	struct raw_input *r = xcalloc(1, sizeof *r);

	BUG_ON(config == NULL);
	*r = (struct raw_input){.config = config, .profiles_dir = profiles_dir};
	return r;
}

void raw_input_free(struct raw_input *r)
{
	if (r->profiles != NULL)
		webhook_profiles_free(r->profiles);
	free(r);
}

static const struct listener_config *listener(const struct raw_input *r, enum listener_type type,
                                              struct slice name)
{
	for (size_t i = 0; i < r->config->n_listeners; i++) {
		const struct listener_config *l = &r->config->listeners[i];

		if (l->type == type && (name.n == 0 || slice_is(name, l->name)))
			return l;
	}
	return NULL;
}

bool raw_input_syslog(struct raw_input *r, struct slice line, instant received, struct evt_batch *out)
{
	const struct listener_config *l = listener(r, LISTENER_SYSLOG, SLICE_NONE);
	struct decode_env env = {.received = received,
	                         .source = l != NULL ? l->name : "syslog",
	                         .max_event = r->config->limits.event_size};
	struct buf reply = {0};
	bool ok = syslog_decoder.decode(NULL, &env, line, out, &reply) == DECODE_OK;

	buf_free(&reply);
	return ok;
}

static bool read_profiles(struct raw_input *r, struct evt_batch *out)
{
	struct findings f = {0};
	struct dirent **v;
	int n = scandir(r->profiles_dir, &v, NULL, alphasort);

	r->profiles = webhook_profiles_new();
	for (int i = 0; i < n; i++) {
		char *path = xasprintf("%s/%s", r->profiles_dir, v[i]->d_name);
		struct buf text = {0};
		struct error err;

		if (v[i]->d_name[0] != '.' && slice_ends(slice_str(path), SLICE(".yaml")) &&
		    (files_slurp(path, PROFILE_MAX, &text, &err) != 0 ||
		     webhook_profile_add(r->profiles, path, buf_slice(&text), &f) != 0))
			evt_batch_note(out, SIZE_MAX, "the webhook profile %s cannot be used", path);
		buf_free(&text);
		free(path);
		free(v[i]);
	}
	if (n >= 0)
		free(v);
	else
		evt_batch_note(out, SIZE_MAX, "cannot read the webhook profiles in %s", r->profiles_dir);
	findings_clear(&f);
	return n >= 0;
}

bool raw_input_webhook(struct raw_input *r, struct slice name, struct slice body, instant received,
                       struct evt_batch *out)
{
	const struct listener_config *l = listener(r, LISTENER_WEBHOOK, name);
	struct decode_env env = {.received = received,
	                         .max_event = r->config->limits.event_size,
	                         .content_type = SLICE("application/json")};
	struct error err;
	struct buf reply = {0};
	void *settings;
	bool ok;

	if (l == NULL) {
		evt_batch_note(out, SIZE_MAX, "there is no webhook listener '" SLICE_FMT "'",
		               SLICE_ARG(name));
		return false;
	}
	if (r->profiles == NULL && !read_profiles(r, out))
		return false;
	settings = webhook_settings_new(r->profiles, l->profile, &err);
	if (settings == NULL) {
		evt_batch_note(out, SIZE_MAX, "%s", err.text);
		return false;
	}
	env.source = l->name;
	env.path = slice_str(l->path != NULL ? l->path : "/");
	ok = webhook_decoder.decode(settings, &env, body, out, &reply) == DECODE_OK;
	buf_free(&reply);
	free(settings);
	return ok;
}
