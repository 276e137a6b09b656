/* The contract with plugins. A plugin is data plus pure functions: it owns no socket, thread, timer or retry.
 *
 * A decoder turns the bytes of one payload into events: it appends to `out`, or rejects and says where and why
 * (a note with an offset). Nothing parsable is still an event; only a broken frame, a failed digest or a message that is
 * no notification yields none. `reply` gets the bytes to send back, once the events are on disk: SNMP's answers to informs,
 * and its Reports, which come with DECODE_REFUSED, or with DECODE_OK and no event for a sender that looks for us. */
#ifndef CARILLON_PLUGIN_H
#define CARILLON_PLUGIN_H

#include "base/buf.h"
#include "base/error.h"
#include "base/instant.h"
#include "base/json.h"
#include "base/slice.h"
#include "model/evt.h"

#define PLUGIN_ABI 1

enum decode_result { DECODE_OK, DECODE_REFUSED, DECODE_DENIED /* whoever sends this may not: a wrong community */ };

/* What surrounds one payload. */
struct decode_env {
	instant received;
	struct slice sender;     /* address text without port; absent if unknown */
	const char *source;      /* listener name: the event field `source`; NULL: not set */
	int zone_offset;         /* seconds east of UTC for stamps without a zone */
	bool raw_mode;           /* carillonctl decode: no sender-derived fields, structure kept for printing */
	size_t max_event;        /* limits.event_size */
	struct slice content_type, path; /* webhook */
	struct slice headers;    /* webhook: "name: value\n" lines, names in lower case */
};

struct decoder {
	int abi;
	const char *name;        /* "syslog" "snmptrap" "webhook" */
	const char *type;        /* the event field `type`: syslog snmp webhook */
	/* `settings`: what the decoder's own *_settings_new made, or NULL. Sets source, type, sender, received-derived fields. */
	enum decode_result (*decode)(const void *settings, const struct decode_env *env, struct slice payload,
	                             struct evt_batch *out, struct buf *reply);
};

/* ---- syslog (plugins/syslog): one message or datagram; settings NULL */
extern const struct decoder syslog_decoder;
/* Stream framing (RFC 6587, octet counting and LF/NUL told apart per frame). Pure: feed bytes, take frames. */
struct syslog_framer {
	size_t max;              /* limits.event_size; larger counts are skipped and counted */
	size_t skip;             /* octets of an oversized frame still to be skipped */
	bool skip_line;          /* inside an oversized LF frame */
	bool counted;            /* a frame was octet-counted: text without '<' between frames means the count was wrong */
	bool multi_line;         /* set after init: a line that begins with a blank goes on with the one before it */
	bool flush;              /* set for a call: the line that waits for such a line is whole */
	bool waiting;            /* a whole line waits, to be flushed when the sender is silent */
	bool skip_indented;      /* the message was cut: its further lines are dropped */
	bool dead;               /* framing error: the connection is of no use any more */
	uint64_t oversized, errors;
	char why[96];            /* the last framing error, for the log and the counted refusal */
};
void syslog_framer_init(struct syslog_framer *f, size_t max);
/* One frame from the front of `in`. Returns how many octets of `in` were used (0: more are needed); *frame is absent if
 * those octets held no message. at_end: the connection has ended, an unterminated last line is a message. */
size_t syslog_frame_next(struct syslog_framer *f, struct slice in, bool at_end, struct slice *frame);

/* ---- snmptrap (plugins/snmptrap): one datagram */
extern const struct decoder snmptrap_decoder;
struct snmptrap_settings;
/* communities: empty = any. Without users every SNMPv3 message is refused. */
struct snmptrap_settings *snmptrap_settings_new(const char *const *communities, size_t n);
void snmptrap_settings_free(struct snmptrap_settings *s);
/* Names for OIDs (plugins/snmptrap/mib.h), sealed; borrowed. Without one every OID stays dotted. */
struct mib;
void snmptrap_settings_mib(struct snmptrap_settings *s, const struct mib *m);
/* Our own snmpEngineID (5 to 32 octets), with which senders of v3 informs find us; before the users. Without it nothing
 * is answered. Its time is the seconds from `base` to decode_env.received. */
void snmptrap_settings_engine(struct snmptrap_settings *s, struct slice id, uint32_t boots, instant base);
/* RFC 3411, section 5: an engine id in text form from the name of this installation. Returns its length, at most 32. */
size_t snmptrap_engine_id(const char *instance, unsigned char out[32]);
/* The v3 users, JSON lines (config.md section 2), besides {"key_extension": "reeder"} for AES-192 and AES-256 keys as
 * Cisco makes them. Replaces the former ones, keeps the senders' clocks. -1 with err and nothing changed: a line is wrong.
 * Costs about a millisecond a password; nothing if the text is the same as before. */
int snmptrap_settings_users(struct snmptrap_settings *s, struct slice json_lines, struct error *err) MUST_CHECK;
/* After a reload: moves the users of `from` to `s` if it has none yet. */
void snmptrap_settings_adopt(struct snmptrap_settings *s, struct snmptrap_settings *from);
/* Identity of an inform for "repeats give one event": (request id), 0 and false when the datagram was no inform or is an
 * encrypted one. Believes anything. */
bool snmptrap_inform_id(struct slice datagram, int64_t *request_id);
/* The same for those informs that `decode` accepts, encrypted ones too: a forged one must not make the true one a repeat. */
bool snmptrap_inform_key(const void *settings, const struct decode_env *env, struct slice datagram, int64_t *request_id);

/* ---- webhook (plugins/webhook): one HTTP body; profiles are YAML files */
extern const struct decoder webhook_decoder;
struct webhook_profiles;     /* all known profiles, compiled */
struct webhook_profiles *webhook_profiles_new(void);
void webhook_profiles_free(struct webhook_profiles *p);
/* Adds one profile file; findings as for rules. */
int webhook_profile_add(struct webhook_profiles *p, const char *file, struct slice yaml, struct findings *f) MUST_CHECK;
/* Settings of one listener: profile name or NULL/"auto" (the profile whose `detect` paths fit best, else generic).
 * NULL with err if there is no such profile. Freed with free(). */
void *webhook_settings_new(const struct webhook_profiles *p, const char *profile, struct error *err) MUST_CHECK;

/* The signature scheme (`verify`) of the profile that these settings name; NULL: none, or the profile is found out. */
const char *webhook_settings_verify(const void *settings);
/* Who knows the secret: standard (Standard Webhooks, svix), github, pagerduty, sentry, slack, grafana, gitlab (a token), sns
 * (a certificate). secrets: one a line, any of them may fit; sns: certificates in PEM. */
enum webhook_verdict { WEBHOOK_PROVEN, WEBHOOK_UNSIGNED, WEBHOOK_FORGED, WEBHOOK_STALE };
struct webhook_delivery {
	struct slice secrets, headers, body; /* headers as in decode_env */
	instant now;
	duration tolerance;                  /* of a signed time, both ways */
};
bool webhook_scheme_known(const char *name);
void webhook_scheme_names(struct buf *out);
/* PROVEN: appends to `key` what tells this delivery from all others; nothing if the scheme has no such thing. */
enum webhook_verdict webhook_verify(const char *scheme, const struct webhook_delivery *d, struct buf *key);
/* The delivery's own name in its headers; nothing if there is none. */
void webhook_delivery_id(struct slice headers, struct buf *key);

/* For raw_mode, where a decoder renders structure as JSON: text as a string, octets that are not UTF-8 as {"b64": "…"}. */
void decode_json_text(struct jw *w, struct slice s);
void decode_json_octets(struct jw *w, struct slice s); /* always {"b64": "…"} */

#endif
