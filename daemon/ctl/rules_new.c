/* rules new: five questions, or options, and out comes a rule file with tests that pass. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/load.h"
#include "ctl/raw_input.h"

#define LINE_LIMIT 8192
#define QUIET      "30m"

struct answers {
	char *id, *line, *words, *over, *effect; /* owned */
	char *host, *app;                        /* of the line */
};

/* ---- asking */

/* The answer without its line end; NULL at the end of the input. */
static char *ask(struct ctl *c, const char *question)
{
	struct buf b = {0};
	int ch;
	char *text;

	fprintf(c->err, "%s ", question);
	fflush(c->err);
	while ((ch = fgetc(c->in)) != EOF && ch != '\n' && b.n < LINE_LIMIT)
		buf_char(&b, (char)ch);
	text = ch == EOF && b.n == 0 ? NULL : slice_dup(slice_trim(buf_slice(&b)));
	buf_free(&b);
	return text;
}

static char *answer(struct ctl *c, const struct args *a, const char *option, const char *question)
{
	const char *given = args_value(a, option);

	return given != NULL ? xstrdup(given) : ask(c, question);
}

static bool is_id(struct slice s)
{
	bool ok = s.n > 0 && s.n <= 63 && s.p[0] >= 'a' && s.p[0] <= 'z';

	for (size_t i = 0; i < s.n; i++)
		ok = ok &&
		     ((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '-');
	return ok;
}

/* "package/rule" cut in two; what is after the slash in *rule. */
static bool cut_id(const char *id, struct slice *package, struct slice *rule)
{
	*rule = slice_str(id);
	return slice_split(rule, '/', package) && is_id(*package) && is_id(*rule);
}

static bool ask_all(struct ctl *c, const struct args *a, struct answers *x)
{
	/* whoever gives a line as an option is asked nothing: what is left out has a default */
	bool asks = args_value(a, "line") == NULL;

	x->id =
	    answer(c, a, "rule", "1/5 Name of the rule, as package/rule (for example shop/payment-down)?");
	struct slice package, rule;
	if (x->id != NULL && !cut_id(x->id, &package, &rule))
		return true; /* judged at once, not after four more questions */
	x->line = x->id != NULL
	              ? answer(c, a, "line", "2/5 A syslog line, as it arrives, that tells of the fault?")
	              : NULL;
	x->words = x->line != NULL ? answer(c, a, "words", "3/5 Which words of it say so?") : NULL;
	if (x->words == NULL)
		return false;
	x->over =
	    args_value(a, "over") != NULL || asks
	        ? answer(c, a, "over",
	                 "4/5 Which words of another line say that it is over? (none: " QUIET " of silence)")
	        : xstrdup("");
	x->effect =
	    args_value(a, "effect") != NULL || asks
	        ? answer(c, a, "effect",
	                 "5/5 What does it do to the service: down, degraded, risk or none? (degraded)")
	        : xstrdup("");
	return x->over != NULL && x->effect != NULL;
}

static void answers_free(struct answers *x)
{
	free(x->id);
	free(x->line);
	free(x->words);
	free(x->over);
	free(x->effect);
	free(x->host);
	free(x->app);
}

/* ---- judging the answers */

static char *field(const struct fields *f, enum field_id id)
{
	return slice_dup(value_slice(f->core[id]));
}

/* What the decoder makes of the line. */
static int read_line(struct ctl *c, struct answers *x)
{
	struct load l;
	struct evt_batch batch;
	struct raw_input *raw;
	const char *why = "it makes no event";
	int rc = CTL_DONE;

	if (!load_config(c, &l)) {
		ctl_findings(c->err, &l.f);
		load_free(&l);
		return CTL_FOUND;
	}
	evt_batch_init(&batch);
	raw = raw_input_new(l.config, "");
	if (!raw_input_syslog(raw, slice_str(x->line), c->now, &batch) || batch.n == 0) {
		if (batch.n_notes > 0)
			why = batch.notes[0].text;
		rc = ctl_fail(c, CTL_USAGE, "the syslog decoder does not take the line: %s", why);
	} else {
		x->host = field(&batch.v[0], FIELD_HOST);
		x->app = field(&batch.v[0], FIELD_APP);
		if (!slice_contains(value_slice(batch.v[0].core[FIELD_MESSAGE]), slice_str(x->words)))
			rc = ctl_fail(c, CTL_USAGE, "'%s' is not in the message of the line: %.*s", x->words,
			              SLICE_ARG(value_slice(batch.v[0].core[FIELD_MESSAGE])));
		else if (x->host[0] == '\0')
			rc = ctl_fail(c, CTL_USAGE, "the line names no host; a rule counts by host");
	}
	raw_input_free(raw);
	evt_batch_free(&batch);
	load_free(&l);
	return rc;
}

static bool is_effect(const char *s)
{
	return strcmp(s, "down") == 0 || strcmp(s, "degraded") == 0 || strcmp(s, "risk") == 0 ||
	       strcmp(s, "none") == 0;
}

static int judge(struct ctl *c, struct answers *x)
{
	struct slice package, rule;

	if (!cut_id(x->id, &package, &rule))
		return ctl_fail(c, CTL_USAGE,
		                "'%s' is no name; write package/rule with lower-case letters, digits and '-'",
		                x->id);
	if (x->effect[0] == '\0') {
		free(x->effect);
		x->effect = xstrdup("degraded");
	}
	if (!is_effect(x->effect))
		return ctl_fail(c, CTL_USAGE, "'%s' must be one of down, degraded, risk, none", x->effect);
	if (x->words[0] == '\0')
		return ctl_fail(c, CTL_USAGE, "a rule needs words to look for");
	if (x->over[0] != '\0' && strstr(x->over, x->words) != NULL)
		return ctl_fail(c, CTL_USAGE,
		                "the words of the end hold those of the beginning; choose longer ones");
	return read_line(c, x);
}

/* ---- writing */

/* A double-quoted YAML text is a JSON text. */
static void quoted(struct buf *b, struct slice s)
{
	struct jw w = jw_new(b);

	jw_slice(&w, s);
}

static void condition(struct buf *b, const struct answers *x, const char *words)
{
	buf_char(b, '{');
	if (x->app[0] != '\0') {
		buf_str(b, "app: ");
		quoted(b, slice_str(x->app));
		buf_str(b, ", ");
	}
	buf_str(b, "message: {contains: ");
	quoted(b, slice_str(words));
	buf_str(b, "}}");
}

static void event(struct buf *b, const struct answers *x, const char *at, const char *message)
{
	buf_printf(b, "      - {at: %s, event: {host: ", at);
	quoted(b, slice_str(x->host));
	if (x->app[0] != '\0') {
		buf_str(b, ", app: ");
		quoted(b, slice_str(x->app));
	}
	buf_str(b, ", message: ");
	quoted(b, slice_str(message));
	buf_str(b, "}}\n");
}

static void opens(struct buf *b, const struct answers *x, struct slice rule)
{
	buf_str(b, "  - name: opens, and closes\n    events:\n      - {at: 0s, syslog: ");
	quoted(b, slice_str(x->line));
	buf_str(b, "}\n");
	if (x->over[0] != '\0')
		event(b, x, "5m", x->over);
	buf_printf(
	    b, "    expect:\n      - {at: 1m, alerts: [{rule: " SLICE_FMT ", by: {host: ", SLICE_ARG(rule));
	quoted(b, slice_str(x->host));
	buf_printf(b, "}}]}\n      - {at: %s, alerts: []}\n", x->over[0] != '\0' ? "6m" : "31m");
}

/* A message without the words. */
static const char *harmless(const struct answers *x)
{
	static const char *const texts[] = {"all is well", "nothing to see here", "0"};
	size_t i = 0;

	while (i + 1 < ARRAY_LEN(texts) && strstr(texts[i], x->words) != NULL)
		i++;
	return texts[i];
}

static void write_file(struct buf *b, const struct answers *x)
{
	struct slice package, rule;
	bool ok = cut_id(x->id, &package, &rule);

	BUG_ON(!ok);
	buf_printf(
	    b, "version: 1\npackage: " SLICE_FMT "\nowner: team-" SLICE_FMT "\nrules:\n  " SLICE_FMT ":\n",
	    SLICE_ARG(package), SLICE_ARG(package), SLICE_ARG(rule));
	buf_printf(b, "    summary: " SLICE_FMT " on ${host}\n", SLICE_ARG(rule));
	buf_printf(b, "    runbook: https://wiki.example/" SLICE_FMT "\n    match: ", SLICE_ARG(rule));
	condition(b, x, x->words);
	buf_str(b, "\n    by: [host]\n    clear: ");
	if (x->over[0] != '\0') {
		buf_str(b, "{match: ");
		condition(b, x, x->over);
		buf_str(b, "}\n");
	} else {
		buf_str(b, "{quiet: " QUIET "}\n");
	}
	buf_printf(b, "    effect: %s\ntests:\n", x->effect);
	opens(b, x, rule);
	buf_str(b, "  - name: stays silent\n    events:\n");
	event(b, x, "0s", harmless(x));
	event(b, x, "1s", strcmp(x->over, "") != 0 ? x->over : harmless(x));
	if (x->app[0] != '\0')
		buf_str(b, "      - {at: 2s, event: {host: other, app: other, message: nothing}}\n");
	buf_str(b, "    expect:\n      - {at: 1m, alerts: []}\n");
}

/* Never over a file that is there. */
static int put_file(struct ctl *c, const char *path, const struct buf *b)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	bool ok = fd >= 0 && write(fd, b->p, b->n) == (ssize_t)b->n;
	int why = errno;

	if (fd >= 0)
		close(fd);
	if (!ok)
		return ctl_fail(c, CTL_FOUND, "cannot write '%s': %s", path, strerror(why));
	if (!c->quiet)
		fprintf(c->out, "%s is written; try it: carillonctl rules test %s\n", path, path);
	return CTL_DONE;
}

int rules_new(struct ctl *c, const struct args *a)
{
	struct answers x = {0};
	struct buf b = {0};
	const char *path = args_word(a, 0);
	int rc;

	if (!ask_all(c, a, &x)) {
		rc = ctl_fail(c, CTL_USAGE, "no answer; give --rule, --line and --words instead");
	} else if ((rc = judge(c, &x)) == CTL_DONE) {
		write_file(&b, &x);
		if (path != NULL)
			rc = put_file(c, path, &b);
		else
			fwrite(b.p, 1, b.n, c->out);
	}
	buf_free(&b);
	answers_free(&x);
	return rc;
}
