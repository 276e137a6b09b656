/* Tokens of a MIB module (ASN.1 as RFC 2578 uses it); private to the compiler. */
#ifndef CARILLON_SNMP_SMI_LEX_H
#define CARILLON_SNMP_SMI_LEX_H

#include "base/slice.h"

enum smi_token { SMI_END, SMI_NAME, SMI_NUMBER, SMI_STRING, SMI_ASSIGN, SMI_SIGN };

struct smi_lex {
	struct slice text;
	size_t at;
	/* the token that smi_next read last */
	enum smi_token token;
	struct slice word; /* SMI_STRING: without its quotes; SMI_SIGN: one character */
	size_t from;
};

/* False at the end. Never fails: an odd character is a SMI_SIGN, an unfinished string ends with the text. */
bool smi_next(struct smi_lex *l);
bool smi_is(const struct smi_lex *l, const char *word);      /* the current token is this name or sign */
void smi_skip_braces(struct smi_lex *l, char open, char close); /* from the opening sign to behind its end */

#endif
