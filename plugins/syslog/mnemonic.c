/* %FAC[-SUBFAC]-SEV-MNEMONIC of Cisco, Arista and others, %%01FAC/SEV/MNEMONIC of Huawei: the device's
 * message id. It stays in the text; `code` gets FAC-SEV-MNEMONIC and the severity of the mnemonic wins over
 * the PRI's. */
#include "message.h"

enum { NEAR = 160, MAX_CODE = 120 };

static bool word_octet(int c)
{
	return scan_is_alpha(c) || scan_is_digit(c) || c == '_';
}

/* The parts of FAC-SEV-MNEMONIC behind the '%'; `sep` is '-' or '/'. False: it is none. */
static bool split(const struct scan *s, int sep, size_t *sev, size_t *end)
{
	size_t n = 0;
	*sev = 0;
	for (int c; n < MAX_CODE && (word_octet(c = scan_peek(s, n)) || c == sep || (c == '/' && *sev == 0));
	     n++) {
		bool digit =
		    n > 1 && c >= '0' && c <= '7' && scan_peek(s, n - 1) == sep && scan_peek(s, n + 1) == sep;
		if (*sev == 0 && digit)
			*sev = n;
	}
	*end = n;
	return *sev > 0 && n > *sev + 2 && (scan_is_alpha(scan_peek(s, 0)) || sep == '/');
}

static bool take(const struct scan *at, struct slice *code, int *severity, int *sep)
{
	struct scan s = *at;
	size_t sev, end;
	if (!scan_take(&s, '%'))
		return false;
	*sep = '-';
	if (scan_take(&s, '%')) {
		*sep = '/';
		/* two digits of a format version: %%01IFNET/4/LINK_STATE */
		if (scan_is_digit(scan_peek(&s, 0)) && scan_is_digit(scan_peek(&s, 1)))
			scan_skip(&s, 2);
	}
	if (!split(&s, *sep, &sev, &end))
		return false;
	*severity = scan_peek(&s, sev) - '0';
	*code = (struct slice){s.p + s.at, end};
	return true;
}

bool mnemonic_at(const struct scan *s)
{
	struct slice code;
	int severity, sep;
	return take(s, &code, &severity, &sep);
}

static struct slice with_dashes(struct arena *a, struct slice code)
{
	char *out = arena_str(a, code);
	for (size_t i = 0; i < code.n; i++)
		if (out[i] == '/')
			out[i] = '-';
	return (struct slice){out, code.n};
}

void mnemonic_find(struct message *m)
{
	struct scan s = scan_of(slice_sub(m->text, 0, MIN(m->text.n, (size_t)NEAR)));
	while (!scan_end(&s)) {
		(void)scan_until(&s, '%');
		int before = s.at == 0 ? ' ' : (unsigned char)s.p[s.at - 1], severity, sep;
		/* the window only bounds where it may begin */
		struct scan whole = {m->text.p, m->text.n, s.at};
		struct slice code;
		if ((before == ' ' || before == ':') && take(&whole, &code, &severity, &sep)) {
			m->code = sep == '/' ? with_dashes(m->arena, code) : code;
			BUG_ON(severity < 0 || severity > 7 || code.n == 0);
			m->severity = severity;
			return;
		}
		scan_skip(&s, 1);
	}
}
