/* See t.h. */
#include "t.h"

#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

struct outcome t_run(const char *words, unsigned width)
{
	struct outcome o = {0};
	char *copy = xasprintf("carillonctl\n%s", words), *argv[64], *rest = copy;
	int argc = 0;

	while (rest != NULL && argc < 63)
		argv[argc++] = strsep(&rest, "\n");
	argv[argc] = NULL;
	struct ctl c = {.in = stdin,
	                .out = open_memstream(&o.out, &o.out_n),
	                .err = open_memstream(&o.err, &o.err_n),
	                .width = width,
	                .now = instant_civil(2026, 1, 5, 12, 0, 0)};
	o.rc = ctl_main(&c, argc, argv);
	fclose(c.out);
	fclose(c.err);
	free(copy);
	return o;
}

void outcome_free(struct outcome *o)
{
	free(o->out);
	free(o->err);
}

void t_has(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("'%s' is not in:\n%s", part, text);
}

void t_lacks(const char *text, const char *part)
{
	if (strstr(text, part) != NULL)
		fail_msg("'%s' is in:\n%s", part, text);
}

char *t_dir(void)
{
	char *dir = xstrdup("/tmp/carillon-ctl-XXXXXX");

	assert_non_null(mkdtemp(dir));
	return dir;
}

char *t_file(const char *dir, const char *name, const char *text)
{
	char *path = xasprintf("%s/%s", dir, name);
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	return path;
}

void t_dir_remove(char *dir)
{
	DIR *d = opendir(dir);

	assert_non_null(d);
	for (const struct dirent *e; (e = readdir(d)) != NULL;)
		if (e->d_name[0] != '.')
			unlinkat(dirfd(d), e->d_name, 0);
	closedir(d);
	rmdir(dir);
	free(dir);
}

/* ---- the daemon */

static void answer(int fd, const struct t_answer *answers, size_t n)
{
	static const char nothing[] =
	    "HTTP/1.1 404 Not Found\r\nContent-Length: 22\r\n\r\n{\"title\":\"no such path\"}";
	char in[8192];
	ssize_t got = recv(fd, in, sizeof in - 1, 0);
	const char *reply = nothing;

	in[got > 0 ? got : 0] = '\0';
	for (size_t i = 0; i < n; i++)
		if (strncmp(in, answers[i].request, strlen(answers[i].request)) == 0) {
			reply = answers[i].reply;
			break;
		}
	if (send(fd, reply, strlen(reply), MSG_NOSIGNAL) < 0)
		_exit(1);
	close(fd);
}

struct t_daemon t_daemon(const struct t_answer *answers, size_t n)
{
	struct t_daemon d = {.dir = t_dir()};
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	d.socket = xasprintf("%s/admin.sock", d.dir);
	assert_true(strlen(d.socket) < sizeof sa.sun_path);
	memcpy(sa.sun_path, d.socket, strlen(d.socket) + 1);
	assert_int_equal(bind(fd, (const struct sockaddr *)&sa, sizeof sa), 0);
	assert_int_equal(listen(fd, 16), 0);
	d.pid = fork();
	assert_true(d.pid >= 0);
	if (d.pid == 0)
		for (int c; (c = accept(fd, NULL, NULL)) >= 0;)
			answer(c, answers, n);
	if (d.pid == 0)
		_exit(0);
	close(fd);
	return d;
}

void t_daemon_end(struct t_daemon *d)
{
	kill(d->pid, SIGKILL);
	waitpid(d->pid, NULL, 0);
	free(d->socket);
	t_dir_remove(d->dir);
}
