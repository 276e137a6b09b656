/* Completion for three shells, made from the verb table and from nothing else. */
#include <string.h>

#include "ctl/verbs.h"

/* ---- the table as words */

static int group_length(const struct verb *v)
{
	return (int)strcspn(v->name, " ");
}

static bool is_new_group(const struct verb *all, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (all[k].run != NULL && group_length(&all[k]) == group_length(&all[i]) &&
		    strncmp(all[k].name, all[i].name, (size_t)group_length(&all[i])) == 0)
			return false;
	return all[i].run != NULL;
}

static void put_options(const char *usage, FILE *to)
{
	struct args_option o;

	for (const char *at = usage; args_usage_next(&at, &o);)
		fprintf(to, " --" SLICE_FMT, SLICE_ARG(o.name));
}

static bool names_files(const struct verb *v)
{
	return strstr(v->usage, "PATH") != NULL;
}

static void put_groups(FILE *to)
{
	size_t n;
	const struct verb *all = verbs_all(&n);
	const char *space = "";

	for (size_t i = 0; i < n; i++)
		if (is_new_group(all, i)) {
			fprintf(to, "%s%.*s", space, group_length(&all[i]), all[i].name);
			space = " ";
		}
}

static void put_members(const struct verb *all, size_t n, const struct verb *of, FILE *to)
{
	const char *space = "";
	int len = group_length(of);

	for (size_t i = 0; i < n; i++)
		if (all[i].run != NULL && group_length(&all[i]) == len &&
		    strncmp(all[i].name, of->name, (size_t)len) == 0) {
			fprintf(to, "%s%s", space, all[i].name + len + 1);
			space = " ";
		}
}

/* ---- bash; zsh reads the same through bashcompinit */

static void bash(FILE *to)
{
	size_t n;
	const struct verb *all = verbs_all(&n);

	fputs("_carillonctl() {\n"
	      "\tlocal cur=${COMP_WORDS[COMP_CWORD]} w one= two= files= words=\n"
	      "\tfor w in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
	      "\t\tcase $w in -*) continue ;; esac\n"
	      "\t\tif [ -z \"$one\" ]; then one=$w; elif [ -z \"$two\" ]; then two=$w; fi\n"
	      "\tdone\n"
	      "\tcase \"$one $two\" in\n\t' ') words='",
	      to);
	put_groups(to);
	fputs("' ;;\n", to);
	for (size_t i = 0; i < n; i++)
		if (is_new_group(all, i) && strchr(all[i].name, ' ') != NULL) {
			fprintf(to, "\t'%.*s ') words='", group_length(&all[i]), all[i].name);
			put_members(all, n, &all[i], to);
			fputs("' ;;\n", to);
		}
	for (size_t i = 0; i < n; i++)
		if (all[i].run != NULL) {
			fprintf(to, "\t'%s'%s) words='", all[i].name,
			        strchr(all[i].name, ' ') != NULL ? "" : "\\ *");
			put_options(all[i].usage, to);
			fprintf(to, "'%s ;;\n", names_files(&all[i]) ? " files=1" : "");
		}
	fputs("\tesac\n\tcase $cur in -*) words=\"$words", to);
	put_options(verbs_common, to);
	fputs("\" ;; esac\n"
	      "\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
	      "\tif [ -n \"$files\" ]; then COMPREPLY+=($(compgen -f -- \"$cur\")); fi\n"
	      "}\n"
	      "complete -o filenames -F _carillonctl carillonctl\n",
	      to);
}

static void zsh(FILE *to)
{
	fputs("#compdef carillonctl\nautoload -Uz bashcompinit && bashcompinit\n", to);
	bash(to);
}

/* ---- fish */

static void fish_text(const char *s, FILE *to)
{
	for (; *s != '\0'; s++)
		fprintf(to, "%s%c", *s == '\'' || *s == '\\' ? "\\" : "", *s);
}

static void fish_options(const char *usage, const char *condition, FILE *to)
{
	struct args_option o;

	for (const char *at = usage; args_usage_next(&at, &o);) {
		fprintf(to, "complete -c carillonctl %s -l " SLICE_FMT, condition, SLICE_ARG(o.name));
		if (o.choices.n > 0) {
			struct slice rest = o.choices, word;

			fputs(" -x -a '", to);
			while (rest.n > 0 && slice_split(&rest, '|', &word))
				fprintf(to, SLICE_FMT " ", SLICE_ARG(word));
			fputc('\'', to);
		} else if (o.takes_value && !o.optional) {
			fputs(" -r", to);
		}
		fputc('\n', to);
	}
}

static void fish(FILE *to)
{
	size_t n;
	const struct verb *all = verbs_all(&n);

	fputs("complete -c carillonctl -f\n", to);
	fish_options(verbs_common, "", to);
	for (size_t i = 0; i < n; i++) {
		const char *second = strchr(all[i].name, ' ');
		char condition[160];

		if (is_new_group(all, i))
			fprintf(to, "complete -c carillonctl -n __fish_use_subcommand -a %.*s\n",
			        group_length(&all[i]), all[i].name);
		if (all[i].run == NULL)
			continue;
		if (second != NULL) {
			fprintf(to,
			        "complete -c carillonctl -n '__fish_seen_subcommand_from %.*s' -a %s -d '",
			        group_length(&all[i]), all[i].name, second + 1);
			fish_text(all[i].help, to);
			fputs("'\n", to);
		}
		snprintf(condition, sizeof condition, "-n '__fish_seen_subcommand_from %.*s%s%s'",
		         group_length(&all[i]), all[i].name,
		         second != NULL ? "; and __fish_seen_subcommand_from " : "",
		         second != NULL ? second + 1 : "");
		fish_options(all[i].usage, condition, to);
		if (names_files(&all[i]))
			fprintf(to, "complete -c carillonctl %s -F\n", condition);
	}
}

int completion_print(struct ctl *c, const struct args *a)
{
	static const struct {
		const char *name;
		void (*print)(FILE *to);
	} shells[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};

	for (size_t i = 0; i < ARRAY_LEN(shells); i++)
		if (strcmp(args_word(a, 0), shells[i].name) == 0) {
			shells[i].print(c->out);
			return CTL_DONE;
		}
	return ctl_fail(c, CTL_USAGE, "there is completion for bash, zsh and fish, not for '%s'",
	                args_word(a, 0));
}
