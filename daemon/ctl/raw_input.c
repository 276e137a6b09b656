/* See raw_input.h. */
#include "ctl/raw_input.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/hmap.h"
#include "ctl/files.h"
#include "plugins/snmptrap/mib.h"

#define PROFILE_MAX   (1u << 20)
#define INFORM_MEMORY (60 * SECOND)
#define INFORMS_MAX   100000u

struct raw_input {
	const struct config *config;
	const char *profiles_dir;
	struct mib *mib; /* NULL: no trap came yet */
	struct webhook_profiles *profiles;
	void **settings; /* by listener of the configuration; NULL: not made yet */
	void *guessed, *alertmanager, *pagerduty;
	struct hmap *informs; /* sender and request id → time */
	char name[64]; /* of a listener that the configuration does not have: events borrow it */
	bool zoned;
	int zone_offset;
};

struct raw_input *raw_input_new(const struct config *config, const char *profiles_dir)
{
	struct raw_input *r = xcalloc(1, sizeof *r);

	BUG_ON(config == NULL);
	*r = (struct raw_input){.config = config, .profiles_dir = profiles_dir};
	r->settings = xcalloc(config->n_listeners + 1, sizeof *r->settings);
	r->informs = hmap_new();
	return r;
}

void raw_input_free(struct raw_input *r)
{
	for (size_t i = 0; i < r->config->n_listeners; i++) {
		if (r->config->listeners[i].type == LISTENER_SNMPTRAP)
			snmptrap_settings_free(r->settings[i]);
		else
			free(r->settings[i]);
	}
	free(r->settings);
	free(r->guessed);
	free(r->alertmanager);
	free(r->pagerduty);
	hmap_free(r->informs);
	mib_free(r->mib);
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

/* ---- payloads of a recording */

/* As intake has it: the zone of this machine, at the time the recording begins. */
static int zone_of(struct raw_input *r, instant received)
{
	time_t t = (time_t)(received / SECOND);
	struct tm tm;

	if (!r->zoned) {
		tzset();
		r->zone_offset = localtime_r(&t, &tm) != NULL ? (int)tm.tm_gmtoff : 0;
		r->zoned = true;
	}
	return r->zone_offset;
}

/* The tables that the daemon would have; one that is damaged is not used. */
static const struct mib *mib_of(struct raw_input *r)
{
	struct bundle b = {0};
	struct findings f = {0};
	char *data, *dir;

	if (r->mib != NULL)
		return r->mib;
	r->mib = mib_new();
	data = files_data_dir();
	dir = xasprintf("%s/plugins/snmptrap", data);
	files_add_mibs(&b, dir, &f);
	for (size_t i = 0; i < r->config->n_listeners; i++)
		if (r->config->listeners[i].mibs != NULL && r->config->listeners[i].mibs[0] != '\0')
			files_add_mibs(&b, r->config->listeners[i].mibs, &f);
	if (mib_add_bundle(r->mib, &b, &f) != 0)
		fprintf(stderr, "carillonctl: a MIB table is damaged; see carillonctl config check\n");
	mib_seal(r->mib);
	free(dir);
	free(data);
	findings_clear(&f);
	bundle_free(&b);
	return r->mib;
}

/* The users of a trap listener, where this process may read them; without them v3 messages are refused. */
static struct snmptrap_settings *trap_settings(struct raw_input *r, const struct listener_config *l)
{
	struct snmptrap_settings *s = snmptrap_settings_new((const char *const *)l->communities, l->n_communities);
	struct buf text = {0};
	struct error err;

	snmptrap_settings_mib(s, mib_of(r));
	if (l->users.ref != NULL && files_secret(l->users.ref, &text, &err) == 0 &&
	    snmptrap_settings_users(s, buf_slice(&text), &err) != 0)
		fprintf(stderr, "carillonctl: the v3 users of listener '%s': %s\n", l->name, err.text);
	if (text.p != NULL)
		explicit_bzero(text.p, text.cap);
	buf_free(&text);
	return s;
}

static const void *webhook_of(struct raw_input *r, void **slot, const char *profile, struct evt_batch *out)
{
	struct error err;

	if (r->profiles == NULL && !read_profiles(r, out))
		return NULL;
	if (*slot == NULL)
		*slot = webhook_settings_new(r->profiles, profile, &err);
	if (*slot == NULL)
		evt_batch_note(out, SIZE_MAX, "%s", err.text);
	return *slot;
}

static const void *hook_settings(struct raw_input *r, const struct listener_config *l, struct slice path, struct evt_batch *out)
{
	if (slice_is(path, "/api/v2/alerts") || slice_is(path, "/api/v1/alerts"))
		return webhook_of(r, &r->alertmanager, "alertmanager-api-v2", out);
	if (slice_is(path, "/v2/enqueue"))
		return webhook_of(r, &r->pagerduty, "pagerduty", out);
	if (l == NULL)
		return webhook_of(r, &r->guessed, NULL, out);
	return webhook_of(r, &r->settings[l - r->config->listeners], l->profile, out);
}

static enum raw_outcome run_hook(struct raw_input *r, const struct listener_config *l, struct decode_env *env,
                                 const struct raw_payload *p, struct evt_batch *out)
{
	struct slice rest = p->headers, line;
	struct buf reply = {0};
	const void *settings;
	bool ok;

	env->headers = p->headers;
	env->path = p->path.n > 0 ? p->path : slice_str(l != NULL && l->path != NULL ? l->path : "/");
	env->content_type = SLICE("application/json");
	while (rest.n > 0 && slice_split(&rest, '\n', &line))
		if (slice_starts(line, SLICE("content-type:")))
			env->content_type = slice_trim(slice_sub(line, 13, SIZE_MAX));
	settings = hook_settings(r, l, env->path, out);
	if (settings == NULL)
		return RAW_REFUSED;
	ok = webhook_decoder.decode(settings, env, p->bytes, out, &reply) == DECODE_OK;
	buf_free(&reply);
	return ok ? RAW_TAKEN : RAW_REFUSED;
}

/* intake.md section 6.10, as in intake: a repeated inform gives no second event. */
static bool inform_repeats(struct raw_input *r, const void *settings, const struct decode_env *env, const struct raw_payload *p)
{
	char key[96];
	int64_t id;
	int n;
	void *seen;

	if (!snmptrap_inform_key(settings, env, p->bytes, &id))
		return false;
	if (hmap_len(r->informs) > INFORMS_MAX)
		hmap_clear(r->informs);
	n = snprintf(key, sizeof key, SLICE_FMT " %lld", SLICE_ARG(slice_sub(p->peer, 0, 60)), (long long)id);
	seen = hmap_put(r->informs, slice_of(key, (size_t)n), (void *)(uintptr_t)(p->received / SECOND));
	return seen != NULL && p->received / SECOND - (instant)(uintptr_t)seen <= INFORM_MEMORY / SECOND;
}

static enum raw_outcome run_trap(struct raw_input *r, const struct listener_config *l, const struct decode_env *env,
                                 const struct raw_payload *p, struct evt_batch *out)
{
	void *guess = l == NULL ? snmptrap_settings_new(NULL, 0) : NULL, *settings = guess;
	struct buf reply = {0};
	enum raw_outcome o = RAW_REPEATED;

	if (guess != NULL)
		snmptrap_settings_mib(guess, mib_of(r));
	if (l != NULL) {
		void **slot = &r->settings[l - r->config->listeners];

		if (*slot == NULL)
			*slot = trap_settings(r, l);
		settings = *slot;
	}
	if (!inform_repeats(r, settings, env, p))
		o = snmptrap_decoder.decode(settings, env, p->bytes, out, &reply) == DECODE_OK ? RAW_TAKEN : RAW_REFUSED;
	buf_free(&reply);
	snmptrap_settings_free(guess);
	return o;
}

static enum listener_type type_of(const struct listener_config *l, const struct raw_payload *p)
{
	if (l != NULL)
		return l->type;
	if (slice_is(p->transport, "http"))
		return LISTENER_WEBHOOK;
	return slice_is(p->transport, "udp") && p->bytes.n > 0 && p->bytes.p[0] == 0x30 ? LISTENER_SNMPTRAP : LISTENER_SYSLOG;
}

static const struct listener_config *listener_named(const struct raw_input *r, struct slice name)
{
	for (size_t i = 0; i < r->config->n_listeners; i++)
		if (slice_is(name, r->config->listeners[i].name))
			return &r->config->listeners[i];
	return NULL;
}

enum raw_outcome raw_input_payload(struct raw_input *r, const struct raw_payload *p, struct evt_batch *out)
{
	const struct listener_config *l = listener_named(r, p->listener);
	struct decode_env env = {.received = p->received,
	                         .sender = p->peer,
	                         .source = l != NULL ? l->name : r->name,
	                         .zone_offset = zone_of(r, p->received),
	                         .max_event = r->config->limits.event_size};
	struct buf reply = {0};
	enum raw_outcome o = RAW_REFUSED;

	if (l == NULL)
		snprintf(r->name, sizeof r->name, SLICE_FMT, SLICE_ARG(slice_sub(p->listener, 0, sizeof r->name - 1)));
	evt_batch_reset(out);
	switch (type_of(l, p)) {
	case LISTENER_SYSLOG:
		o = syslog_decoder.decode(NULL, &env, p->bytes, out, &reply) == DECODE_OK ? RAW_TAKEN : RAW_REFUSED;
		break;
	case LISTENER_SNMPTRAP:
		o = run_trap(r, l, &env, p, out);
		break;
	case LISTENER_WEBHOOK:
		o = run_hook(r, l, &env, p, out);
		break;
	}
	buf_free(&reply);
	return o;
}
