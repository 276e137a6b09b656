/* Promises one write per line, whole characters, no control characters and errno untouched. Must not read a
 * clock (the journal stamps the lines) and never runs per event. Its level and role are the only mutable
 * state of a process here. */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE_MAX_OCTETS = 2048, MINUTE_US = 60000000 };

static struct {
	char role[32];
	enum log_level max;
	bool journald;
} state = {.max = LOG_LEVEL_INFO};

static const struct {
	const char *name;
	int priority; /* sd-daemon(3) */
} levels[] = {
    [LOG_LEVEL_ERROR] = {"error", 3},   [LOG_LEVEL_WARNING] = {"warning", 4},
    [LOG_LEVEL_NOTICE] = {"notice", 5}, [LOG_LEVEL_INFO] = {"info", 6},
    [LOG_LEVEL_DEBUG] = {"debug", 7},
};

void log_open(const char *role, enum log_level max)
{
	snprintf(state.role, sizeof state.role, "%s", role != NULL ? role : "");
	state.journald = getenv("JOURNAL_STREAM") != NULL && !isatty(STDERR_FILENO);
	log_level(max);
}

void log_level(enum log_level max)
{
	BUG_ON((size_t)max >= ARRAY_LEN(levels));
	state.max = max;
}

bool log_level_parse(const char *s, enum log_level *out)
{
	for (size_t i = 0; i < ARRAY_LEN(levels); i++)
		if (strcmp(s, levels[i].name) == 0) {
			*out = (enum log_level)i;
			return true;
		}
	return false;
}

/* What was cut ends in "..." at the border of a character. */
static size_t cut(char *line, size_t n)
{
	if (n < LINE_MAX_OCTETS)
		return n;
	n = LINE_MAX_OCTETS - 4;
	while (n > 0 && (line[n] & 0xc0) == 0x80)
		n--;
	memcpy(line + n, "...", 3);
	return n + 3;
}

PRINTF(2, 0) static void say(enum log_level level, const char *fmt, va_list ap)
{
	if (level > state.max)
		return;
	int saved = errno;
	char line[LINE_MAX_OCTETS + 1];
	size_t head = 0;
	if (state.journald)
		head += (size_t)snprintf(line, sizeof line, "<%d>", levels[level].priority);
	else
		head += (size_t)snprintf(line, sizeof line, "level=%s ", levels[level].name);
	if (state.role[0] != '\0')
		head += (size_t)snprintf(line + head, sizeof line - head, "role=%s ", state.role);
	BUG_ON(head >= LINE_MAX_OCTETS / 2);
	int n = vsnprintf(line + head, LINE_MAX_OCTETS - head, fmt, ap);
	size_t end = cut(line, head + (size_t)MAX(n, 0));
	while (end > head && line[end - 1] == '\n')
		end--;
	for (size_t i = head; i < end; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			line[i] = '?'; /* texts of others must not forge lines or drive a terminal */
	line[end++] = '\n';
	/* nobody is left to tell when stderr is gone */
	ssize_t done = write(STDERR_FILENO, line, end);
	(void)done;
	errno = saved;
}

#define SAY(level)                                                                                           \
	do {                                                                                                 \
		va_list ap;                                                                                  \
		va_start(ap, fmt);                                                                           \
		say(level, fmt, ap);                                                                         \
		va_end(ap);                                                                                  \
	} while (0)

void log_error(const char *fmt, ...)
{
	SAY(LOG_LEVEL_ERROR);
}

void log_warn(const char *fmt, ...)
{
	SAY(LOG_LEVEL_WARNING);
}

void log_notice(const char *fmt, ...)
{
	SAY(LOG_LEVEL_NOTICE);
}

void log_info(const char *fmt, ...)
{
	SAY(LOG_LEVEL_INFO);
}

void log_debug(const char *fmt, ...)
{
	SAY(LOG_LEVEL_DEBUG);
}

bool log_allow(struct log_limit *l, int64_t now_us, unsigned per_minute)
{
	int64_t minute = now_us / MINUTE_US;
	if (minute != l->minute) {
		if (l->suppressed > 0)
			log_notice("suppressed=%u messages of the kind that follows", l->suppressed);
		*l = (struct log_limit){.minute = minute};
	}
	if (l->said < per_minute) {
		l->said++;
		return true;
	}
	l->suppressed++;
	return false;
}
