/* mibs compile, find and check: tables of names for SNMP notifications, without a daemon. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "ctl/ctl.h"
#include "ctl/files.h"
#include "ctl/load.h"
#include "plugins/snmptrap/mib.h"
#include "plugins/snmptrap/smi.h"

#define MODULE_MAX (4u << 20)

/* ---- compile */

static bool read_module(struct smi *s, const char *path, struct findings *f)
{
	struct buf text = {0};
	struct error err;
	bool ok = false;

	if (files_slurp(path, MODULE_MAX, &text, &err) != 0)
		findings_add(f, FINDING_ERROR, "E092", path, (struct mark){0, 0, 0}, SLICE_NONE, "%s", err.text);
	else
		ok = smi_add(s, path, buf_slice(&text), f) == 0;
	buf_free(&text);
	return ok;
}

/* Of a folder only what calls itself a module: MIB collections hold README and Makefile too. */
static void read_folder(struct smi *s, const char *dir, struct findings *f)
{
	static const char *const ends[] = {".txt", ".mib", ".my", "-MIB", "-SMI", "-TC"};
	struct dirent **v;
	int n = scandir(dir, &v, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		char *path = xasprintf("%s/%s", dir, v[i]->d_name);

		for (size_t k = 0; v[i]->d_name[0] != '.' && k < ARRAY_LEN(ends); k++)
			if (slice_ends(slice_str(path), slice_str(ends[k]))) {
				(void)read_module(s, path, f);
				break;
			}
		free(path);
		free(v[i]);
	}
	if (n >= 0)
		free(v);
}

static int write_table(struct ctl *c, const struct args *a, struct buf *out)
{
	const char *path = args_value(a, "output");
	FILE *to = path != NULL ? fopen(path, "we") : c->out;
	bool ok;

	if (to == NULL)
		return ctl_fail(c, CTL_REFUSED, "cannot write %s: %s", path, strerror(errno));
	ok = fwrite(out->p, 1, out->n, to) == out->n;
	if (path != NULL)
		ok = fclose(to) == 0 && ok;
	return ok ? CTL_DONE : ctl_fail(c, CTL_REFUSED, "cannot write %s", path != NULL ? path : "the table");
}

static void add_known(struct ctl *c, struct smi *s)
{
	struct bundle b = {0};
	struct findings f = {0};
	char *data = files_data_dir();
	char *dir = xasprintf("%s/plugins/snmptrap", data);

	(void)c;
	files_add_mibs(&b, dir, &f);
	for (size_t i = 0; i < b.n; i++)
		smi_known(s, b.v[i].text);
	findings_clear(&f);
	bundle_free(&b);
	free(dir);
	free(data);
}

int mibs_compile(struct ctl *c, const struct args *a)
{
	struct smi *s = smi_new();
	struct findings f = {0};
	struct buf out = {0};
	struct stat st;
	int rc = CTL_FOUND;

	add_known(c, s);
	for (size_t i = 0; i < a->n_words; i++) {
		if (stat(a->words[i], &st) == 0 && S_ISDIR(st.st_mode))
			read_folder(s, a->words[i], &f);
		else
			(void)read_module(s, a->words[i], &f);
	}
	if (smi_modules(s) == 0 && f.errors == 0)
		rc = ctl_fail(c, CTL_FOUND, "no MIB module was found; name files, or a folder with *.txt, *.mib or *.my");
	buf_str(&out, "# names for SNMP objects, made by carillonctl mibs compile\n");
	if (smi_modules(s) > 0 && smi_write(s, &out, &f) == 0 && f.errors == 0)
		rc = write_table(c, a, &out);
	ctl_findings(c->err, &f);
	if (rc == CTL_DONE && !c->quiet && args_value(a, "output") != NULL)
		fprintf(c->err, "%zu module%s compiled into %s; name its folder as 'mibs' of a snmptrap listener\n", smi_modules(s),
		        smi_modules(s) == 1 ? "" : "s", args_value(a, "output"));
	findings_clear(&f);
	buf_free(&out);
	smi_free(s);
	return rc;
}

/* ---- find */

static void put_object(struct ctl *c, const struct mib_object *o, struct slice index)
{
	fprintf(c->out, "snmp.var." SLICE_FMT, SLICE_ARG(o->name));
	if (index.n > 0)
		fprintf(c->out, "   index " SLICE_FMT, SLICE_ARG(index));
	for (size_t i = 0; i < o->n_labels; i++)
		fprintf(c->out, "%s" SLICE_FMT "(%lld)", i == 0 ? "   " : " ", SLICE_ARG(o->labels[i].name), (long long)o->labels[i].number);
	fputc('\n', c->out);
}

int mibs_find(struct ctl *c, const struct args *a)
{
	struct bundle b = {0};
	struct findings f = {0};
	struct config *config = files_read(c->config_path, &b, &f);
	struct mib *m = mib_new();
	struct slice oid = slice_str(args_word(a, 0)), index;
	int rc = CTL_DONE;

	if (oid.n > 0 && oid.p[0] == '.')
		oid = slice_sub(oid, 1, oid.n - 1);
	if (config == NULL || mib_add_bundle(m, &b, &f) != 0) {
		ctl_findings(c->err, &f);
		rc = CTL_FOUND;
	} else {
		struct slice name;
		const struct mib_object *o;

		mib_seal(m);
		name = mib_notification(m, oid);
		o = mib_object(m, oid, &index);
		if (name.p != NULL)
			fprintf(c->out, "snmp.trap " SLICE_FMT "\n", SLICE_ARG(name));
		else if (o != NULL)
			put_object(c, o, index);
		else
			rc = ctl_fail(c, CTL_NO_SUCH, "no table knows " SLICE_FMT "; compile its MIB with 'carillonctl mibs compile'", SLICE_ARG(oid));
	}
	config_free(config);
	mib_free(m);
	findings_clear(&f);
	bundle_free(&b);
	return rc;
}
