/* The first octet chooses: 'P' a profile file, 'F' a form, else a JSON body. Bodies go through a small
 * profile. */
#include "decoder_check.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char profile[] =
    "profile: 1\n"
    "name: generic\n"
    "items: [alerts, events]\n"
    "shared: [status, 'a.b']\n"
    "set:\n"
    "  time: \"${body.time}\"\n"
    "  host: [\"${body.host|host}\", \"${@json.list[0].host|lower}\"]\n"
    "  dedup_key: \"k/${@hash.labels}\"\n"
    "  state: [{from: body.status, map: {firing: problem, ok: clear}}, \"${body.ends|ended}\"]\n"
    "  severity: [\"${body.severity|lower}\", {from: '@header.x-level', map: {}, default: minor}]\n"
    "  x.note: \"${body.text|limit:20}\"\n";

static void load(struct slice yaml)
{
	struct webhook_profiles *p = webhook_profiles_new();
	struct findings f = {0};
	struct error err;
	bool ok = webhook_profile_add(p, "fuzz.yaml", yaml, &f) == 0;
	BUG_ON(ok != (f.errors == 0));
	void *settings = ok ? webhook_settings_new(p, NULL, &err) : NULL;
	BUG_ON(ok && settings == NULL);
	free(settings);
	findings_clear(&f);
	webhook_profiles_free(p);
}

static void decode(struct slice body, bool form)
{
	struct webhook_profiles *p = webhook_profiles_new();
	struct findings f = {0};
	struct error err;
	struct evt_batch b;
	BUG_ON(webhook_profile_add(p, "generic.yaml", slice_str(profile), &f) != 0);
	void *settings = webhook_settings_new(p, "auto", &err);
	BUG_ON(settings == NULL);
	struct decode_env env = check_env(false);
	if (form)
		env.content_type = SLICE("application/x-www-form-urlencoded");
	env.headers = SLICE("x-level: none\nhost: y\n");
	evt_batch_init(&b);
	check_batch(&b, webhook_decoder.decode(settings, &env, body, &b, NULL), env.received);
	evt_batch_free(&b);
	free(settings);
	webhook_profiles_free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	struct slice rest = slice_of(data + 1, size - 1);
	if (data[0] == 'P')
		load(rest);
	else if (data[0] == 'F')
		decode(rest, true);
	else
		decode(slice_of(data, size), false);
	return 0;
}
