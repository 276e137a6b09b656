/* The first octet chooses: 'P' a profile file, 'F' a form, 'M' a form in parts, else a JSON body. Bodies go
 * through three small profiles: an envelope, what may be in it, and the rest. */
#include "decoder_check.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char generic[] =
    "profile: 1\n"
    "name: generic\n"
    "items: [alerts, events]\n"
    "shared: [status, 'a.b']\n"
    "tables: {words: {firing: problem, ok: clear, '*ing': info, 'no*': info}}\n"
    "set:\n"
    "  time: [\"${body.time}\", \"${body.ends}\"]\n"
    "  host: [\"${body.host|host}\", \"${@json.list[0].host|lower}\", \"${body.url|host}\"]\n"
    "  service: \"${body.tags|tag:service}\"\n"
    "  summary: [\"${body.text|percent|line|limit:20}\", \"${body.title|after:'a'|before:b|base}\"]\n"
    "  dedup_key: \"k/${@hash.labels!severity}\"\n"
    "  state: [{from: body.status, map: words}, \"${body.ends|ended}\"]\n"
    "  severity: [\"${body.severity|lower}\", {from: '@header.x-level', map: {}, default: minor}]\n"
    "  x.note: {when: [title], value: \"${body.tags|first}\"}\n";

static const char envelope[] =
    "profile: 1\n"
    "name: envelope\n"
    "detect: [[Message], [Type, {TopicArn: 'arn:*'}], [a], [data]]\n"
    "items: 'a[].b[].c'\n"
    "unwrap: Message\n"
    "within: data\n"
    "omit: [Token]\n"
    "ignore: [{when: [{Type: '*Confirmation'}], note: \"open ${body.SubscribeURL}\"}]\n"
    "shared: [TopicArn, shared]\n"
    "set: {check: \"${@json.TopicArn}\", host: \"${body.host}\"}\n";

static const char inner[] = "profile: 1\n"
                            "name: inner\n"
                            "detect: [title, {\"@header.x-level\": [none, some]}]\n"
                            "items: items\n"
                            "set: {check: \"${@json.title}\", app: \"${@json.Type}\"}\n";

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

static void decode(struct slice body, const char *type)
{
	struct webhook_profiles *p = webhook_profiles_new();
	struct findings f = {0};
	struct error err;
	struct evt_batch b;
	BUG_ON(webhook_profile_add(p, "generic.yaml", slice_str(generic), &f) != 0);
	BUG_ON(webhook_profile_add(p, "envelope.yaml", slice_str(envelope), &f) != 0);
	BUG_ON(webhook_profile_add(p, "inner.yaml", slice_str(inner), &f) != 0);
	void *settings = webhook_settings_new(p, "auto", &err);
	BUG_ON(settings == NULL);
	struct decode_env env = check_env(false);
	env.content_type = slice_str(type);
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
		decode(rest, "application/x-www-form-urlencoded");
	else if (data[0] == 'M')
		decode(rest, "multipart/form-data; boundary=\"xx\"");
	else
		decode(slice_of(data, size), "application/json");
	return 0;
}
