/* See smi_lex.h. */
#include "smi_lex.h"

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* A comment ends with its line. ASN.1 would also end it at the next "--", but modules draw lines of hyphens. */
static void skip_blank(struct smi_lex *l)
{
	const char *p = l->text.p;
	size_t n = l->text.n;
	while (l->at < n) {
		if ((unsigned char)p[l->at] <= ' ')
			l->at++;
		else if (p[l->at] == '-' && l->at + 1 < n && p[l->at + 1] == '-')
			while (l->at < n && p[l->at] != '\n' && p[l->at] != '\r')
				l->at++;
		else
			return;
	}
}

static void read_quoted(struct smi_lex *l, char end)
{
	size_t from = ++l->at;
	while (l->at < l->text.n && l->text.p[l->at] != end)
		l->at++;
	l->word = slice_sub(l->text, from, l->at - from);
	if (l->at < l->text.n)
		l->at++;
	l->token = SMI_STRING;
}

static void read_word(struct smi_lex *l, enum smi_token token)
{
	const char *p = l->text.p;
	size_t from = l->at++;
	while (l->at < l->text.n &&
	       (is_letter(p[l->at]) || is_digit(p[l->at]) || p[l->at] == '_' ||
	        (p[l->at] == '-' && l->at + 1 < l->text.n && p[l->at + 1] != '-')))
		l->at++;
	l->token = token;
	l->word = slice_sub(l->text, from, l->at - from);
}

bool smi_next(struct smi_lex *l)
{
	skip_blank(l);
	l->from = l->at;
	if (l->at >= l->text.n) {
		l->token = SMI_END;
		l->word = SLICE_NONE;
		return false;
	}
	char c = l->text.p[l->at];
	if (is_letter(c)) {
		read_word(l, SMI_NAME);
	} else if (is_digit(c) || (c == '-' && l->at + 1 < l->text.n && is_digit(l->text.p[l->at + 1]))) {
		read_word(l, SMI_NUMBER);
	} else if (c == '"' || c == '\'') {
		read_quoted(l, c);
	} else if (slice_starts(slice_sub(l->text, l->at, 3), SLICE("::="))) {
		l->token = SMI_ASSIGN;
		l->word = slice_sub(l->text, l->at, 3);
		l->at += 3;
	} else {
		l->token = SMI_SIGN;
		l->word = slice_sub(l->text, l->at++, 1);
	}
	return true;
}

bool smi_is(const struct smi_lex *l, const char *word)
{
	return (l->token == SMI_NAME || l->token == SMI_SIGN) && slice_is(l->word, word);
}

void smi_skip_braces(struct smi_lex *l, char open, char close)
{
	size_t depth = 0;
	do {
		if (l->token == SMI_SIGN && l->word.p[0] == open)
			depth++;
		else if (l->token == SMI_SIGN && l->word.p[0] == close)
			depth--;
	} while (smi_next(l) && depth > 0);
}
