/* Promises literals that stand in every text that a pattern fits: the index may look for them instead of the
 * pattern. A small reading of PCRE2's syntax; what it does not understand ends in fewer literals, never in
 * wrong ones. Patterns that regex_new refuses may give anything. */
#include <stdlib.h>

#include "base/mem.h"
#include "rules/regex.h"

enum { FOUND_MAX = 24, DEPTH_MAX = 48 };

/* What is known about the character before the run. */
enum edge { EDGE_ANY, EDGE_NONWORD, EDGE_BOUNDARY };

struct parser {
	struct slice p;
	size_t at;
	bool caseless, utf, give_up;
	unsigned depth;
	struct arena *a;
	struct literal found[FOUND_MAX];
	size_t n_found;
	char run[REGEX_PATTERN_MAX];
	size_t n_run;
	bool run_bounded; /* on the left */
	enum edge left;
};

/* What one element of a sequence consumes. */
struct element {
	bool is_char; /* exactly the octets of `text` */
	struct slice text;
	bool nonword; /* else: always a non-word character */
};

struct repeat {
	bool optional; /* may be left out */
	bool exactly_once;
};

static void sequence(struct parser *ps);

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static char peek(const struct parser *ps, size_t ahead)
{
	return ps->at + ahead < ps->p.n ? ps->p.p[ps->at + ahead] : '\0';
}

static bool stop(struct parser *ps)
{
	ps->give_up = true;
	ps->at = ps->p.n;
	return false;
}

/* ---- the run of literal characters */

static void keep(struct parser *ps, struct literal l)
{
	size_t at = ps->n_found;
	if (at == FOUND_MAX) {
		size_t shortest = 0;
		for (size_t i = 1; i < FOUND_MAX; i++) {
			if (ps->found[i].text.n < ps->found[shortest].text.n)
				shortest = i;
		}
		if (ps->found[shortest].text.n >= l.text.n)
			return;
		at = shortest;
	} else {
		ps->n_found++;
	}
	ps->found[at] = l;
}

static void flush(struct parser *ps, bool bounded, enum edge left)
{
	if (ps->n_run > 0) {
		struct slice text = {ps->run, ps->n_run};
		keep(ps, (struct literal){arena_slice(ps->a, text), ps->run_bounded, bounded, ps->caseless});
	}
	ps->n_run = 0;
	ps->left = left;
}

static enum edge edge_after(const struct parser *ps)
{
	BUG_ON(ps->n_run == 0);
	return is_word(ps->run[ps->n_run - 1]) ? EDGE_ANY : EDGE_NONWORD;
}

static void append(struct parser *ps, struct slice s)
{
	if (s.n > sizeof ps->run - ps->n_run) {
		stop(ps);
		return;
	}
	if (ps->n_run == 0)
		ps->run_bounded = ps->left == EDGE_NONWORD || (ps->left == EDGE_BOUNDARY && is_word(s.p[0]));
	memcpy(ps->run + ps->n_run, s.p, s.n);
	ps->n_run += s.n;
}

static void set_caseless(struct parser *ps, bool caseless)
{
	if (caseless == ps->caseless)
		return;
	if (ps->n_run > 0)
		flush(ps, false, edge_after(ps));
	ps->caseless = caseless;
}

/* ---- quantifiers */

/* The length of a {n}, {n,} or {n,m} at the cursor, 0 if it is a plain brace. */
static size_t brace_length(struct parser *ps, bool *zero, bool *one)
{
	size_t i = 1, digits = 0;
	unsigned min = 0, max = 0;
	for (; is_digit(peek(ps, i)) && digits < 6; i++, digits++)
		min = min * 10 + (unsigned)(peek(ps, i) - '0');
	char c = peek(ps, i);
	if (digits == 0 || (c != ',' && c != '}')) {
		/* newer libraries read more forms as quantifiers */
		if (digits > 0 || c == ',' || c == ' ' || c == '\t')
			stop(ps);
		return 0;
	}
	max = min;
	if (c == ',') {
		max = 0;
		for (i++, digits = 0; is_digit(peek(ps, i)) && digits < 6; i++, digits++)
			max = max * 10 + (unsigned)(peek(ps, i) - '0');
		if (digits == 0)
			max = UINT32_MAX;
		if (peek(ps, i) != '}') {
			stop(ps);
			return 0;
		}
	}
	*zero = min == 0;
	*one = min == 1 && max == 1;
	return i + 1;
}

static bool quantifier(struct parser *ps, struct repeat *r)
{
	char c = peek(ps, 0);
	bool zero = c == '*' || c == '?', one = false;
	size_t n = zero || c == '+' ? 1 : 0;
	if (c == '{')
		n = brace_length(ps, &zero, &one);
	if (n == 0)
		return false;
	ps->at += n;
	if (peek(ps, 0) == '?' || peek(ps, 0) == '+')
		ps->at++;
	r->optional |= zero;
	r->exactly_once &= one;
	return true;
}

static struct repeat repeat_of(struct parser *ps)
{
	struct repeat r = {.optional = false, .exactly_once = true};
	while (quantifier(ps, &r))
		;
	return r;
}

/* ---- elements */

static void add_element(struct parser *ps, struct element e)
{
	struct repeat r = repeat_of(ps);
	if (ps->give_up)
		return;
	if (!e.is_char) {
		bool certain = e.nonword && !r.optional;
		bool still = e.nonword && ps->n_run == 0 && ps->left == EDGE_NONWORD;
		flush(ps, certain, certain || still ? EDGE_NONWORD : EDGE_ANY);
	} else if (r.optional) {
		bool still = ps->n_run == 0 && ps->left == EDGE_NONWORD && !is_word(e.text.p[0]);
		flush(ps, false, still ? EDGE_NONWORD : EDGE_ANY);
	} else {
		append(ps, e.text);
		if (!r.exactly_once && !ps->give_up)
			flush(ps, false, edge_after(ps));
	}
}

static struct element any_char(bool nonword)
{
	return (struct element){.nonword = nonword};
}

/* A character of the pattern that stands for itself; in caseless UTF-8 some have relatives of another length.
 */
static struct element char_at(struct parser *ps)
{
	struct slice rest = slice_sub(ps->p, ps->at, ps->p.n - ps->at);
	char c = rest.p[0];
	size_t n = (unsigned char)c < 0x80 ? 1 : slice_char(rest, 0);
	if (n == 0) {
		stop(ps);
		return any_char(false);
	}
	ps->at += n;
	bool relatives = ps->caseless && ps->utf && (n > 1 || c == 'k' || c == 'K' || c == 's' || c == 'S');
	if (relatives)
		return any_char(false);
	return (struct element){.is_char = true, .text = slice_sub(rest, 0, n)};
}

static bool skip_braces(struct parser *ps)
{
	if (peek(ps, 0) != '{')
		return false;
	while (ps->at < ps->p.n && ps->p.p[ps->at] != '}')
		ps->at++;
	ps->at += ps->at < ps->p.n;
	return true;
}

static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* \x41 \x{e9} \o{101} \012 \cA \p{Lu} \pL \N{U+41}: one character, not known here. */
static void skip_code(struct parser *ps, char c)
{
	if (c != '0' && c != 'c' && skip_braces(ps))
		return;
	if (c == 'x') {
		for (int i = 0; i < 2 && is_hex(peek(ps, 0)); i++)
			ps->at++;
	} else if (c == '0') {
		for (int i = 0; i < 2 && peek(ps, 0) >= '0' && peek(ps, 0) <= '7'; i++)
			ps->at++;
	} else if (c == 'c' || c == 'p' || c == 'P') {
		ps->at += ps->at < ps->p.n;
	}
}

static struct element escaped_letter(struct parser *ps, char c)
{
	static const struct {
		char letter;
		char text[2];
	} controls[] = {{'t', "\t"}, {'n', "\n"}, {'r', "\r"}, {'f', "\f"}, {'a', "\a"}, {'e', "\x1b"}};
	for (size_t i = 0; i < ARRAY_LEN(controls); i++) {
		if (controls[i].letter == c)
			return (struct element){.is_char = true, .text = {controls[i].text, 1}};
	}
	if (strchr("sWhvR", c) != NULL)
		return any_char(true);
	if (strchr("dDwSHVX", c) != NULL)
		return any_char(false);
	if (strchr("x0copPN", c) != NULL)
		skip_code(ps, c);
	else
		stop(ps);
	return any_char(false);
}

static void boundary(struct parser *ps)
{
	if (ps->n_run > 0) {
		bool word = is_word(ps->run[ps->n_run - 1]);
		flush(ps, word, word ? EDGE_BOUNDARY : EDGE_NONWORD);
	} else if (ps->left == EDGE_ANY) {
		ps->left = EDGE_BOUNDARY;
	}
}

/* Zero-width things. False: c is none. A quantifier behind one is not worth understanding. */
static bool assertion(struct parser *ps, char c, bool escaped)
{
	if (!escaped && c == '^')
		flush(ps, false, EDGE_NONWORD);
	else if (!escaped && c == '$')
		flush(ps, true, EDGE_ANY);
	else if (escaped && c == 'A')
		flush(ps, false, EDGE_NONWORD);
	else if (escaped && (c == 'z' || c == 'Z'))
		flush(ps, true, EDGE_ANY);
	else if (escaped && c == 'b')
		boundary(ps);
	else if (escaped && (c == 'B' || c == 'G'))
		flush(ps, false, EDGE_ANY);
	else
		return false;
	struct repeat r = {0};
	if (quantifier(ps, &r))
		stop(ps);
	return true;
}

static void escape(struct parser *ps)
{
	char c = peek(ps, 1);
	if (ps->at + 1 >= ps->p.n) {
		stop(ps);
		return;
	}
	if ((unsigned char)c >= 0x80 || !is_word(c) || c == '_') {
		ps->at++;
		add_element(ps, char_at(ps));
		return;
	}
	ps->at += 2;
	if (assertion(ps, c, true))
		return;
	struct element e = escaped_letter(ps, c);
	if (!ps->give_up)
		add_element(ps, e);
}

/* ---- classes */

struct class
{
	bool negated;
	bool word;      /* a word character may be in it */
	bool all_words; /* \w is in it */
	bool wide;      /* something beyond ASCII */
	bool unknown;
	unsigned members;
	const char *only; /* the one ASCII member, if members == 1 */
};

static bool class_posix(struct parser *ps, struct class *k)
{
	char kind = peek(ps, 1);
	if (kind != ':' && kind != '.' && kind != '=')
		return false;
	struct slice rest = slice_sub(ps->p, ps->at + 2, ps->p.n - ps->at - 2);
	const char *end = memmem(rest.p, rest.n, ":]", 2);
	if (kind != ':' || end == NULL)
		return stop(ps), true;
	struct slice name = {rest.p, (size_t)(end - rest.p)};
	for (size_t i = 0; i < name.n; i++) {
		if (!is_word(name.p[i]) && name.p[i] != '^')
			return stop(ps), true; /* "[:" was perhaps no class name */
	}
	ps->at += 2 + name.n + 2;
	k->members += 2;
	k->word |= !slice_is(name, "space") && !slice_is(name, "blank") && !slice_is(name, "cntrl");
	return true;
}

static void class_escape(struct parser *ps, struct class *k, bool *plain, char *value)
{
	char c = peek(ps, 1);
	*plain = false;
	if (ps->at + 1 >= ps->p.n || c == 'Q' || c == 'E') {
		stop(ps);
		return;
	}
	ps->at += 2;
	if ((unsigned char)c >= 0x80) {
		ps->at--;
		k->wide = true;
		ps->at += MAX(slice_char(ps->p, ps->at), 1);
	} else if (!is_word(c) || c == '_') {
		*plain = true;
		*value = c;
	} else if (c == 'w') {
		k->word = k->all_words = true;
	} else if (strchr("xocpPN01234567", c) != NULL) {
		k->unknown = true;
		if (c >= '1' && c <= '7')
			stop(ps);
		else
			skip_code(ps, c);
	} else if (strchr("sWhvntrfaeb", c) == NULL) {
		k->word = true;
		k->unknown |= strchr("dDSHV", c) == NULL;
	}
	k->members += *plain ? 1 : 2;
}

/* One member or a range. */
static void class_member(struct parser *ps, struct class *k)
{
	bool plain = true;
	const char *from_at = ps->p.p + ps->at;
	char from = *from_at;
	if (from == '[' && class_posix(ps, k))
		return;
	if (from == '\\') {
		from_at++;
		class_escape(ps, k, &plain, &from);
	} else if ((unsigned char)from >= 0x80) {
		plain = false;
		k->wide = true;
		k->members += 2;
		ps->at += MAX(slice_char(ps->p, ps->at), 1);
	} else {
		ps->at++;
		k->members++;
	}
	if (plain) {
		k->only = from_at;
		k->word |= is_word(from);
	}
	if (peek(ps, 0) != '-' || ps->at + 1 >= ps->p.n || peek(ps, 1) == ']')
		return;
	/* a range: known only between two plain ASCII characters */
	ps->at++;
	k->members += 2;
	char to = peek(ps, 0);
	if (!plain || to == '\\' || to == '[' || (unsigned char)to >= 0x80) {
		k->unknown = true;
		return; /* its end is read as one more member */
	}
	ps->at++;
	for (int c = from; c <= to; c++)
		k->word |= is_word((char)c);
}

static void class(struct parser *ps)
{
	struct class k = {0};
	ps->at++;
	if (peek(ps, 0) == '^') {
		k.negated = true;
		ps->at++;
	}
	for (bool first = true; ps->at < ps->p.n && (first || peek(ps, 0) != ']'); first = false)
		class_member(ps, &k);
	if (ps->at >= ps->p.n) {
		stop(ps);
		return;
	}
	ps->at++;
	if (!k.negated && k.members == 1 && !k.unknown && !k.wide) {
		bool relatives = ps->caseless && ps->utf && strchr("kKsS", *k.only) != NULL;
		add_element(ps, relatives ? any_char(false)
		                          : (struct element){.is_char = true, .text = {k.only, 1}});
		return;
	}
	bool nonword = k.negated ? k.all_words : !k.word && !k.unknown && !(k.wide && ps->caseless);
	add_element(ps, any_char(nonword));
}

/* ---- groups */

/* The length of the class at `at`, or up to the end. */
static size_t class_end(struct slice p, size_t at)
{
	size_t i = at + 1;
	i += i < p.n && p.p[i] == '^';
	i += i < p.n && p.p[i] == ']';
	while (i < p.n && p.p[i] != ']') {
		if (p.p[i] == '\\') {
			i++;
		} else if (p.p[i] == '[' && i + 1 < p.n && p.p[i + 1] == ':') {
			const char *end = memmem(p.p + i + 2, p.n - i - 2, ":]", 2);
			if (end != NULL)
				i = (size_t)(end - p.p) + 1;
		}
		i++;
	}
	return MIN(i, p.n - 1);
}

/* The next ')' or '|' on the level of `at`, or p.n. */
static size_t level_end(struct slice p, size_t at, bool bars)
{
	size_t depth = 0;
	for (size_t i = at; i < p.n; i++) {
		char c = p.p[i];
		if (c == '\\')
			i++;
		else if (c == '[')
			i = class_end(p, i);
		else if (c == '(')
			depth++;
		else if (depth == 0 && (c == ')' || (bars && c == '|')))
			return i;
		else if (c == ')')
			depth--;
	}
	return p.n;
}

static bool is_option(char c)
{
	return c != '\0' && strchr("imnsxJUa^-", c) != NULL;
}

/* "(?i)" or "(?i:" at the cursor: reads the letters; false if it is no option group. */
static bool options(struct parser *ps, bool *caseless)
{
	size_t i = 2;
	bool on = true, value = ps->caseless;
	for (; is_option(peek(ps, i)); i++) {
		char c = peek(ps, i);
		if (c == '^')
			value = false;
		else if (c == '-')
			on = false;
		else if (c == 'i')
			value = on;
		else if (c == 'x')
			return stop(ps);
	}
	if (peek(ps, i) != ')' && peek(ps, i) != ':')
		return false;
	*caseless = value;
	ps->at += i;
	return true;
}

/* Moves behind the opening of a group: "(", "(?:", "(?<name>" … */
static bool open_group(struct parser *ps, bool *caseless)
{
	if (peek(ps, 1) != '?') {
		ps->at++;
		return true;
	}
	char c = peek(ps, 2);
	if (c == '>' || c == '|') {
		ps->at += 3;
		return true;
	}
	if (c == 'P' || c == '<' || c == '\'') {
		char close = c == '\'' ? '\'' : '>';
		ps->at += 3;
		while (ps->at < ps->p.n && ps->p.p[ps->at] != close)
			ps->at++;
		ps->at++;
		return ps->at < ps->p.n || stop(ps);
	}
	if (!options(ps, caseless))
		return stop(ps);
	if (peek(ps, 0) == ':')
		ps->at++;
	return true;
}

static void group(struct parser *ps)
{
	bool outer = ps->caseless, inner = outer;
	if (!open_group(ps, &inner))
		return;
	size_t begin = ps->at, end = level_end(ps->p, begin, false);
	if (begin > 2 && ps->p.p[begin] == ')' && ps->p.p[begin - 1] != '(' &&
	    is_option(ps->p.p[begin - 1])) {
		ps->at++; /* "(?i)": until the end of the group around it */
		set_caseless(ps, inner);
		return;
	}
	if (end >= ps->p.n || ++ps->depth > DEPTH_MAX) {
		stop(ps);
		return;
	}
	ps->at = end + 1;
	struct repeat r = repeat_of(ps);
	size_t after = ps->at;
	bool apart = !r.exactly_once || level_end(ps->p, begin, true) < end;
	if (ps->give_up)
		return;
	if (apart)
		flush(ps, false, EDGE_ANY);
	if (!r.optional && level_end(ps->p, begin, true) == end) {
		set_caseless(ps, inner);
		ps->at = begin;
		sequence(ps);
		if (ps->give_up || ps->at != end) {
			stop(ps);
			return;
		}
		if (apart)
			flush(ps, false, EDGE_ANY);
		set_caseless(ps, outer);
	}
	ps->at = after;
	ps->depth--;
}

/* Up to a ')' or '|' of this level. */
static void sequence(struct parser *ps)
{
	while (ps->at < ps->p.n && !ps->give_up) {
		char c = peek(ps, 0);
		if (c == ')' || c == '|')
			return;
		if (c == '\\') {
			escape(ps);
		} else if (c == '[') {
			class(ps);
		} else if (c == '(') {
			group(ps);
		} else if (c == '.') {
			ps->at++;
			add_element(ps, any_char(false));
		} else if (c == '^' || c == '$') {
			ps->at++;
			assertion(ps, c, false);
		} else if (strchr("*+?", c) != NULL) {
			stop(ps); /* NUL too: never worth a risk */
		} else {
			struct element e = char_at(ps);
			if (!ps->give_up)
				add_element(ps, e);
		}
	}
}

/* ---- the whole */

/* Comments, quotations and the extended syntax change what a character is. */
static bool too_strange(struct slice p)
{
	for (size_t i = 0; i + 1 < p.n; i++) {
		if (p.p[i] == '\\' && (p.p[i + 1] == 'Q' || p.p[i + 1] == 'E'))
			return true;
		if (p.p[i] != '(' || p.p[i + 1] != '?')
			continue;
		size_t j = i + 2;
		if (j < p.n && p.p[j] == '#')
			return true;
		for (; j < p.n && is_option(p.p[j]); j++) {
			if (p.p[j] == 'x')
				return true;
		}
	}
	return false;
}

static bool beyond_ascii(struct slice p)
{
	for (size_t i = 0; i < p.n; i++) {
		char c = p.p[i];
		bool property = i > 0 && p.p[i - 1] == '\\' && (c == 'p' || c == 'P' || c == 'X');
		if ((unsigned char)c >= 0x80 || c == '{' || property)
			return true;
	}
	return false;
}

static int longer_first(const void *x, const void *y)
{
	const struct literal *a = x, *b = y;
	if (a->text.n != b->text.n)
		return a->text.n > b->text.n ? -1 : 1;
	return slice_cmp(a->text, b->text);
}

size_t regex_literals(struct slice pattern, struct arena *a, struct literal *out, size_t max)
{
	if (pattern.n == 0 || pattern.n > REGEX_PATTERN_MAX || too_strange(pattern) ||
	    level_end(pattern, 0, true) < pattern.n)
		return 0;
	struct parser ps = {.p = pattern, .a = a, .utf = beyond_ascii(pattern)};
	sequence(&ps);
	if (ps.give_up || ps.at < pattern.n)
		return 0;
	flush(&ps, false, EDGE_ANY);
	qsort(ps.found, ps.n_found, sizeof ps.found[0], longer_first);
	size_t n = MIN(max, ps.n_found);
	memcpy(out, ps.found, n * sizeof *out);
	return n;
}

/* "(a|b)" or "(?:a|b)" as a whole: its inside. */
static struct slice peel(struct slice p)
{
	while (p.n >= 2 && p.p[0] == '(' && level_end(p, 1, false) == p.n - 1) {
		size_t skip = p.n > 3 && p.p[1] == '?' && p.p[2] == ':' ? 3 : 1;
		if (skip == 1 && p.p[1] == '?')
			break;
		p = slice_sub(p, skip, p.n - skip - 1);
	}
	return p;
}

/* An option on the level of the branches holds for those behind it too. */
static bool has_option(struct slice p)
{
	for (size_t i = 0; i + 2 < p.n; i++) {
		if (p.p[i] == '(' && p.p[i + 1] == '?' && is_option(p.p[i + 2]))
			return true;
	}
	return false;
}

size_t regex_branches(struct slice pattern, struct slice *out, size_t max)
{
	if (pattern.n == 0 || too_strange(pattern))
		return 0;
	struct slice p = peel(pattern);
	size_t n = 0;
	for (size_t at = 0; at <= p.n;) {
		size_t end = level_end(p, at, true);
		if (n == max || (end < p.n && p.p[end] == ')'))
			return 0;
		out[n++] = slice_sub(p, at, end - at);
		at = end + 1;
	}
	return n > 1 && has_option(p) ? 0 : n;
}
