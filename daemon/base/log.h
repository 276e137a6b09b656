/* Log lines: "key=value" text on stderr with journald's priority prefix under systemd, or plain logfmt.
 * Every call names the stable ids itself ("inc=%s rule=%s"). Never called per event. */
#ifndef CARILLON_BASE_LOG_H
#define CARILLON_BASE_LOG_H

#include "base/mem.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_NOTICE, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

void log_open(const char *role, enum log_level max); /* role is prefixed as role=… */
void log_level(enum log_level max);
bool log_level_parse(const char *s, enum log_level *out);
void log_error(const char *fmt, ...) PRINTF(1, 2);
void log_warn(const char *fmt, ...) PRINTF(1, 2);
void log_notice(const char *fmt, ...) PRINTF(1, 2);
void log_info(const char *fmt, ...) PRINTF(1, 2);
void log_debug(const char *fmt, ...) PRINTF(1, 2);
/* For messages that may repeat: at most `per_minute` of this kind, then one line "suppressed n". */
struct log_limit {
	int64_t minute;
	unsigned said, suppressed;
};
bool log_allow(struct log_limit *l, int64_t now_us, unsigned per_minute);

#endif
