/* The filters that make plain text what it is in a markup language: text that shows as it was written,
 * whatever it holds. adf        a document of Atlassian's format: paragraphs of text nodes, line ends as
 * hardBreak html       & < > " ' as references; line ends stay (put it between <pre> and </pre>) fence      a
 * fenced code block (Markdown), its fence longer than any run of backticks inside pre        <pre>…</pre> of
 * Textile and of Redmine's formatters; an inner </pre is taken apart noformat   {noformat}…{noformat} of
 * Jira's wiki markup; an inner one is taken apart nocode     [code], which ServiceNow's journal fields read
 * as HTML, is taken apart Nothing here adds a link, a mention or a macro. A missing value stays missing. */
#include "plugins/tickets/expr.h"

#include <strings.h>

static void take(struct slice *v, struct arena *scratch, struct buf *b)
{
	*v = arena_slice(scratch, b->n > 0 ? buf_slice(b) : SLICE(""));
	buf_free(b);
}

/* ---- Atlassian document format, version 1 (developer.atlassian.com, "Atlassian Document Format") */

static void adf_node(struct jw *w, const char *type)
{
	jw_object(w);
	jw_kstr(w, "type", type);
}

/* One line; text nodes must not be empty. */
static void adf_line(struct jw *w, struct slice line, bool *first)
{
	if (!*first) {
		adf_node(w, "hardBreak");
		jw_end(w);
	}
	*first = false;
	if (line.n == 0)
		return;
	adf_node(w, "text");
	jw_kslice(w, "text", line);
	jw_end(w);
}

static void adf_paragraph(struct jw *w, struct slice text)
{
	struct slice rest = text, line;
	bool first = true;
	adf_node(w, "paragraph");
	jw_key(w, "content");
	jw_array(w);
	while (slice_split(&rest, '\n', &line))
		adf_line(w, line, &first);
	jw_array_end(w);
	jw_end(w);
}

int markup_adf(const struct filter_use *use, struct slice *v, struct arena *scratch, void *env,
               struct error *err)
{
	struct buf b = {0};
	struct jw w = jw_new(&b);
	(void)use, (void)err;
	if (v->n == 0)
		return 0;
	adf_node(&w, "doc");
	jw_kint(&w, "version", 1);
	jw_key(&w, "content");
	jw_array(&w);
	adf_paragraph(&w, *v);
	jw_array_end(&w);
	jw_end(&w);
	((struct render *)env)->tree = true;
	take(v, scratch, &b);
	return 0;
}

/* ---- HTML */

int markup_html(const struct filter_use *use, struct slice *v, struct arena *scratch, void *env,
                struct error *err)
{
	struct buf b = {0};
	(void)use, (void)env, (void)err;
	if (v->p == NULL)
		return 0;
	for (size_t i = 0; i < v->n; i++)
		switch (v->p[i]) {
		case '&': buf_str(&b, "&amp;"); break;
		case '<': buf_str(&b, "&lt;"); break;
		case '>': buf_str(&b, "&gt;"); break;
		case '"': buf_str(&b, "&quot;"); break;
		case '\'': buf_str(&b, "&#39;"); break;
		default: buf_char(&b, v->p[i]); break;
		}
	take(v, scratch, &b);
	return 0;
}

/* ---- Markdown (CommonMark 0.31, section 4.5) */

int markup_fence(const struct filter_use *use, struct slice *v, struct arena *scratch, void *env,
                 struct error *err)
{
	struct buf b = {0};
	size_t longest = 2, run = 0;
	(void)use, (void)env, (void)err;
	if (v->n == 0)
		return 0;
	for (size_t i = 0; i < v->n; i++) {
		run = v->p[i] == '`' ? run + 1 : 0;
		longest = MAX(longest, run);
	}
	for (size_t i = 0; i <= longest; i++)
		buf_char(&b, '`');
	buf_str(&b, "text\n");
	buf_adds(&b, *v);
	buf_str(&b, v->p[v->n - 1] == '\n' ? "" : "\n");
	for (size_t i = 0; i <= longest; i++)
		buf_char(&b, '`');
	take(v, scratch, &b);
	return 0;
}

/* ---- between marks that the text must not hold */

static bool here(struct slice s, size_t i, struct slice what)
{
	return s.n - i >= what.n && strncasecmp(s.p + i, what.p, what.n) == 0;
}

/* A blank behind the first octet of each `mark` in the text. */
static void apart(struct slice s, struct slice mark, struct buf *out)
{
	BUG_ON(mark.n < 2);
	for (size_t i = 0; i < s.n; i++) {
		buf_char(out, s.p[i]);
		if (here(s, i, mark))
			buf_char(out, ' ');
	}
}

static int enclose(struct slice *v, struct arena *scratch, const char *open, const char *close,
                   struct slice mark)
{
	struct buf b = {0};
	if (v->n == 0)
		return 0;
	buf_str(&b, open);
	apart(*v, mark, &b);
	buf_str(&b, close);
	take(v, scratch, &b);
	return 0;
}

int markup_pre(const struct filter_use *use, struct slice *v, struct arena *scratch, void *env,
               struct error *err)
{
	(void)use, (void)env, (void)err;
	return enclose(v, scratch, "<pre>\n", "\n</pre>", SLICE("</pre"));
}

int markup_noformat(const struct filter_use *use, struct slice *v, struct arena *scratch, void *env,
                    struct error *err)
{
	(void)use, (void)env, (void)err;
	return enclose(v, scratch, "{noformat}\n", "\n{noformat}", SLICE("{noformat"));
}

int markup_nocode(const struct filter_use *use, struct slice *v, struct arena *scratch, void *env,
                  struct error *err)
{
	struct buf b = {0};
	(void)use, (void)env, (void)err;
	if (v->n == 0)
		return 0;
	apart(*v, SLICE("[code"), &b);
	take(v, scratch, &b);
	return 0;
}
