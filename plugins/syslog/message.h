/* One syslog message while it is taken apart: shared by the two formats, private to this decoder. */
#ifndef CARILLON_SYSLOG_MESSAGE_H
#define CARILLON_SYSLOG_MESSAGE_H

#include "plugin.h"
#include "scan.h"
#include "stamp.h"

struct sd_param {
	struct slice id, name, value; /* name absent: an element without parameters; value unescaped */
	struct sd_param *next;
};

struct message {
	const struct decode_env *env;
	struct arena *arena;
	struct evt_batch *out; /* for notes */
	struct slice all;      /* the message without line end */
	int pri;               /* -1: none */
	int version;           /* 0: none written */
	struct stamp stamp;    /* at == INSTANT_NONE: none */
	struct slice host, app, pid, msgid, text, code, summary;
	int severity; /* 0-7, of the mnemonic else the PRI's; -1 none */
	struct sd_param *sd;
	size_t n_sd;
	const char *tags[8];
	size_t n_tags;
};

/* Remembers a word for `tags`. */
void message_tag(struct message *m, const char *tag);
/* A fault at octet `at` of the payload: a note and a tag. */
void message_fault(struct message *m, size_t at, const char *tag, const char *what);

/* RFC 5424 from behind "1 ". False: this is no RFC 5424 after all (the cursor stays). */
bool rfc5424_take(struct message *m, struct scan *s) MUST_CHECK;
/* RFC 3164 and its dialects, from behind the PRI: never fails, in the end everything is text. */
void rfc3164_take(struct message *m, struct scan *s);
/* %FAC-SEV-MNEMONIC near the start of the text: sets code and severity. */
void mnemonic_find(struct message *m);
/* CEF at the start of the text: sets code, summary and severity. */
void cef_find(struct message *m);
bool mnemonic_at(const struct scan *s);
/* The fields of language.md section 3. */
void message_fields(const struct message *m, struct fields *f);

#endif
