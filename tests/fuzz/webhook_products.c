/* Any body through all shipped profiles, as a listener without a named one decodes it: 'F' a form, 'H'
 * headers up to an empty line in front, else JSON. */
#include "decoder_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <dirent.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void add_file(struct webhook_profiles *p, const char *name)
{
	char path[512];
	static char text[65536];
	struct findings f = {0};
	snprintf(path, sizeof path, "%s/%s", WEBHOOK_PROFILES, name);
	FILE *file = fopen(path, "r");
	BUG_ON(file == NULL);
	size_t n = fread(text, 1, sizeof text, file);
	fclose(file);
	BUG_ON(webhook_profile_add(p, name, slice_of(text, n), &f) != 0);
	findings_clear(&f);
}

/* Read once: they do not change, and belong to the process. */
static const void *all_profiles(void)
{
	static void *settings;
	struct error err;
	if (settings != NULL)
		return settings;
	struct webhook_profiles *p = webhook_profiles_new();
	DIR *d = opendir(WEBHOOK_PROFILES);
	BUG_ON(d == NULL);
	for (struct dirent *e; (e = readdir(d)) != NULL;)
		if (slice_ends(slice_str(e->d_name), SLICE(".yaml")))
			add_file(p, e->d_name);
	closedir(d);
	settings = webhook_settings_new(p, "auto", &err);
	BUG_ON(settings == NULL);
	return settings;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct evt_batch b;
	struct decode_env env = check_env(false);
	struct slice body = slice_of(data, size);
	env.content_type = SLICE("application/json");
	if (size > 0 && data[0] == 'F') {
		env.content_type = SLICE("application/x-www-form-urlencoded");
		body = slice_sub(body, 1, SIZE_MAX);
	} else if (size > 0 && data[0] == 'H') {
		size_t at = 1;
		while (at + 1 < size && !(data[at] == '\n' && data[at + 1] == '\n'))
			at++;
		env.headers = slice_sub(body, 1, at);
		body = slice_sub(body, at + 2, SIZE_MAX);
	}
	evt_batch_init(&b);
	check_batch(&b, webhook_decoder.decode(all_profiles(), &env, body, &b, NULL), env.received);
	evt_batch_free(&b);
	return 0;
}
