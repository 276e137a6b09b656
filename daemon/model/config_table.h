/* The table of settings: one row each, for parser, `config show`, reload check and manual. Private to config*.c. */
#ifndef CARILLON_MODEL_CONFIG_TABLE_H
#define CARILLON_MODEL_CONFIG_TABLE_H

#include "model/config.h"

enum setting_type {
	SETTING_TEXT,      /* char * */
	SETTING_BOOL,      /* bool */
	SETTING_DURATION,  /* duration */
	SETTING_WAIT,      /* duration; auto = -1 */
	SETTING_SIZE,      /* uint64_t, octets */
	SETTING_RATE,      /* double, per second */
	SETTING_RATE_AUTO, /* double; profile = 0 */
	SETTING_U32,       /* uint32_t */
	SETTING_INT,       /* int */
	SETTING_INT_AUTO,  /* int; auto or profile = 0 */
	SETTING_NUMBER,    /* double */
	SETTING_MODE,      /* unsigned, octal text */
	SETTING_LEVEL,     /* enum log_level */
	SETTING_SOURCE,    /* bool: redis? of file | redis */
	SETTING_SECRET,    /* struct secret_ref */
	SETTING_LIST,      /* char **, size_t behind it */
	SETTING_CIDRS,     /* the same, each a network */
	SETTING_BINDS      /* struct bind_addr *, size_t behind it */
};

struct setting {
	const char *path;
	enum setting_type type;
	size_t offset;
	const char *def;       /* default as written; lists: separated by blanks */
	double min, max;       /* of numbers, in the unit of the struct; both 0: any */
	bool restart;          /* not changeable by reload */
	const char *help;
};

extern const struct setting config_settings[];   /* into struct config */
extern const size_t config_settings_n;
extern const struct setting listener_settings[]; /* into struct listener_config; paths below listeners.NAME */
extern const size_t listener_settings_n;
extern const struct setting ticket_settings[];   /* into struct ticket_config; paths below tickets.NAME */
extern const size_t ticket_settings_n;

/* Keys of the design that this version does not have: refused by name, never ignored. */
extern const char *const config_absent[];
extern const size_t config_absent_n;

/* Puts the text of one scalar, or the items of a list, into `at` (the struct plus offset). False with err. */
bool setting_scalar(const struct setting *s, struct slice text, void *at, struct arena *a, struct error *err);
bool setting_list(const struct setting *s, const struct slice *items, size_t n, void *at, struct arena *a, struct error *err);
bool setting_is_list(enum setting_type t);
const char *setting_expects(enum setting_type t);
/* The value as YAML flow text. */
void setting_show(const struct setting *s, const void *at, struct buf *out);
void setting_default(const struct setting *s, void *at, struct arena *a);
bool bind_parse(struct slice text, struct bind_addr *out, struct arena *a, struct error *err);

#endif
