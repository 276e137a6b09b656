/* rules fmt: formats rule files in place, or says which are not formatted. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "ctl/files.h"
#include "rules/fmt.h"

#define FILE_MAX (1u << 20)

struct fmt_run {
	struct ctl *c;
	bool check;
	size_t files, changed, failed;
};

/* Beside it and renamed over it, with its mode: a crash leaves one of the two. */
static bool replace(struct fmt_run *r, const char *path, const struct buf *text)
{
	char *tmp = xasprintf("%s.fmt-%d", path, (int)getpid());
	struct stat st;
	FILE *f = stat(path, &st) == 0 ? fopen(tmp, "wxe") : NULL;
	bool ok = f != NULL && fwrite(text->p, 1, text->n, f) == text->n &&
	          fchmod(fileno(f), st.st_mode & 0777) == 0 && fflush(f) == 0 && fsync(fileno(f)) == 0;
	int why = errno;

	if (f != NULL && fclose(f) != 0)
		ok = false;
	if (ok && rename(tmp, path) != 0) {
		why = errno;
		ok = false;
	}
	if (!ok && f != NULL)
		unlink(tmp);
	if (!ok)
		ctl_fail(r->c, CTL_FOUND, "cannot write '%s': %s", path, strerror(why));
	free(tmp);
	return ok;
}

static void one_file(struct fmt_run *r, const char *path)
{
	struct buf in = {0}, out = {0};
	struct error err;

	r->files++;
	if (files_slurp(path, FILE_MAX, &in, &err) != 0 ||
	    fmt_text(buf_slice(&in), slice_ends(slice_str(path), SLICE(".test.yaml")), &out, &err) != 0) {
		r->failed++;
		ctl_fail(r->c, CTL_FOUND, "%s: %s", path, err.text);
	} else if (!slice_eq(buf_slice(&in), buf_slice(&out))) {
		r->changed++;
		if (!r->c->quiet)
			fprintf(r->c->out, "%s\n", path);
		if (!r->check && !replace(r, path, &out))
			r->failed++;
	}
	buf_free(&in);
	buf_free(&out);
}

static void path_or_folder(struct fmt_run *r, const char *path, unsigned depth)
{
	struct dirent **v;
	struct stat st;
	int n;

	if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode)) {
		one_file(r, path);
		return;
	}
	n = scandir(path, &v, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		char *below = xasprintf("%s/%s", path, v[i]->d_name);
		bool is_dir = stat(below, &st) == 0 && S_ISDIR(st.st_mode);

		if (v[i]->d_name[0] != '.' &&
		    (is_dir ? depth < 8 : slice_ends(slice_str(v[i]->d_name), SLICE(".yaml"))))
			path_or_folder(r, below, depth + 1);
		free(below);
		free(v[i]);
	}
	if (n >= 0)
		free(v);
}

/* "-": from standard input to standard output, for editors. */
static int filter(struct ctl *c)
{
	struct buf in = {0}, out = {0};
	struct error err;
	size_t n;
	int rc = CTL_DONE;

	do {
		buf_reserve(&in, 65536);
		n = fread(in.p + in.n, 1, 65536, c->in);
		in.n += n;
	} while (n > 0 && in.n <= FILE_MAX);
	if (fmt_text(buf_slice(&in), false, &out, &err) != 0)
		rc = ctl_fail(c, CTL_FOUND, "%s", err.text);
	else
		fwrite(out.p, 1, out.n, c->out);
	buf_free(&in);
	buf_free(&out);
	return rc;
}

int rules_fmt(struct ctl *c, const struct args *a)
{
	struct fmt_run r = {.c = c, .check = args_flag(a, "check")};

	if (a->n_words == 1 && strcmp(args_word(a, 0), "-") == 0)
		return filter(c);
	for (size_t i = 0; i < a->n_words; i++)
		path_or_folder(&r, args_word(a, i), 0);
	return r.failed > 0 || (r.check && r.changed > 0) ? CTL_FOUND : CTL_DONE;
}
