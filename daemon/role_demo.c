/* The demo's narrator: starts a daemon of its own, feeds it, and tells what it sees through the API. */
#include <arpa/inet.h>
#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/hmap.h"
#include "base/json.h"
#include "net/loop.h"
#include "role_demo.h"
#include "role_parent.h"

#define LOOK_EVERY (100 * MSEC)

struct demo {
	char *dir, *data, *socket, *config;
	uint16_t metrics;
	struct demo_feed feed;
	pid_t daemon;
	instant began;
	struct hmap *seen;        /* alert id, or incident id and state, that has been told */
	unsigned alerts, owners;
	bool opened, resolved, quiet_told, tty;
	char incident[32];
};

static volatile sig_atomic_t stopped;

static void on_stop(int signo)
{
	stopped = signo;
}

/* ---- the folder and its daemon */

static uint16_t free_port(int type)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof in;
	int fd = socket(AF_INET, type, 0);
	uint16_t port = 0;

	if (fd >= 0 && bind(fd, (struct sockaddr *)&in, sizeof in) == 0 && getsockname(fd, (struct sockaddr *)&in, &len) == 0)
		port = ntohs(in.sin_port);
	if (fd >= 0)
		close(fd);
	return port;
}

static char *shipped(const struct demo *d, const char *in_tree, const char *installed)
{
	char *path = xasprintf("%s/%s", d->data, in_tree);

	if (access(path, R_OK) == 0)
		return path;
	free(path);
	return xasprintf("%s/%s", d->data, installed);
}

static int write_config(struct demo *d)
{
	char *map = shipped(d, "etc/demo/map.yaml", "demo/map.yaml"), *rules = shipped(d, "rules", "rules");
	FILE *f = fopen(d->config, "w");

	if (f == NULL)
		return -1;
	d->feed.syslog = free_port(SOCK_DGRAM);
	d->feed.traps = free_port(SOCK_DGRAM);
	d->feed.hooks = free_port(SOCK_STREAM);
	d->metrics = free_port(SOCK_STREAM);
	fprintf(f,
	        "version: 1\ninstance: demo\nlisteners:\n"
	        "  syslog: {bind: [\"udp://127.0.0.1:%u\", \"tcp://127.0.0.1:%u\"]}\n"
	        "  traps: {bind: [\"udp://127.0.0.1:%u\"]}\n"
	        "  hooks: {bind: [\"http://127.0.0.1:%u\"]}\n"
	        "rules: {path: [\"%s\"]}\n"
	        "map: {path: \"%s\", hosts_file: false}\n"
	        "correlation: {settle: 10s, settle_warn: 15s, debounce: 10s, storm_quiet: 5s, storm_hold: 15s, ttl: 6s}\n"
	        "state: {path: \"%s/state\"}\n"
	        "admin: {socket: {path: \"%s\", mode: \"0600\"}, metrics: {bind: [\"http://127.0.0.1:%u\"]}}\n"
	        "intake: 1\nlog: {level: warning}\n",
	        d->feed.syslog, d->feed.syslog, d->feed.traps, d->feed.hooks, rules, map, d->dir, d->socket, d->metrics);
	free(map);
	free(rules);
	return fclose(f);
}

static int start(struct demo *d)
{
	struct parent_options o = {.config_path = d->config};

	fflush(NULL);
	d->daemon = fork();
	if (d->daemon == 0) {
		/* Ctrl-C is the narrator's to handle: it ends the daemon cleanly */
		setpgid(0, 0);
		signal(SIGINT, SIG_DFL);
		signal(SIGTERM, SIG_DFL);
		exit(parent_run(&o));
	}
	if (d->daemon < 0)
		return -1;
	for (int i = 0; i < 150; i++) {
		usleep(100000);
		if (demo_http(d->socket, 0, "GET", "/-/ready", NULL, NULL) == 0)
			return 0;
		if (waitpid(d->daemon, NULL, WNOHANG) == d->daemon) {
			d->daemon = 0;
			return -1;
		}
	}
	return -1;
}

static int unlink_one(const char *path, const struct stat *st UNUSED, int flag UNUSED, struct FTW *at UNUSED)
{
	return remove(path);
}

static void end(struct demo *d)
{
	if (d->daemon > 0) {
		kill(d->daemon, SIGTERM);
		while (waitpid(d->daemon, NULL, 0) < 0 && errno == EINTR)
			;
	}
	nftw(d->dir, unlink_one, 16, FTW_DEPTH | FTW_PHYS);
	demo_feed_close(&d->feed);
	hmap_free(d->seen);
	free(d->dir);
	free(d->data);
	free(d->socket);
	free(d->config);
}

/* ---- telling */

static void stamp(const struct demo *d)
{
	duration t = loop_mono() - d->began;

	printf("%02d:%02d   ", (int)(t / MINUTE), (int)(t / SECOND % 60));
}

static bool first_time(struct demo *d, struct slice key)
{
	return hmap_put(d->seen, key, d) == NULL;
}

static struct json *ask(struct demo *d, const char *target, struct arena *a)
{
	struct buf b = {0};
	struct json *j = NULL;
	struct error err;

	if (demo_http(d->socket, 0, "GET", target, NULL, &b) == 0)
		j = json_parse(a, arena_slice(a, buf_slice(&b)), JSON_LIMITS, NULL, &err);
	buf_free(&b);
	return j;
}

static struct slice text(const struct json *j, const char *key)
{
	return json_text(json_get(j, key));
}

static void tell_alerts(struct demo *d, struct arena *a)
{
	const struct json *list = json_get(ask(d, "/api/v1/alerts", a), "alerts");

	for (const struct json *x = list != NULL ? list->first : NULL; x != NULL; x = x->next) {
		struct slice service = text(x, "service");

		if (slice_is(text(x, "state"), "pending") || !first_time(d, text(x, "id")))
			continue;
		d->alerts++;
		stamp(d);
		printf("● %-22.*s %-28.*s (alert %u)\n", SLICE_ARG(text(x, "rule")), SLICE_ARG(service.n > 0 ? service : text(x, "host")), d->alerts);
	}
}

/* Teams that own a component of the incident: each would have had its own tickets. */
static void count_owners(struct demo *d, const struct json *whole)
{
	const struct json *list = json_get(whole, "components");

	for (const struct json *x = list != NULL ? list->first : NULL; x != NULL; x = x->next)
		if (text(x, "owner").n > 0 && first_time(d, text(x, "owner")))
			d->owners++;
}

static void tell_opened(struct demo *d, const struct json *i, struct arena *a)
{
	const struct json *whole, *reasons;
	char target[80];
	unsigned n = 0;

	d->opened = true;
	snprintf(d->incident, sizeof d->incident, SLICE_FMT, SLICE_ARG(text(i, "id")));
	stamp(d);
	printf("%s▲ INCIDENT %s  " SLICE_FMT "  " SLICE_FMT "%s\n", d->tty ? "\033[1;31m" : "", d->incident, SLICE_ARG(text(i, "priority")),
	       SLICE_ARG(text(i, "title")), d->tty ? "\033[0m" : "");
	snprintf(target, sizeof target, "/api/v1/incidents/%s", d->incident);
	whole = ask(d, target, a);
	reasons = json_get(whole, "reasons");
	for (const struct json *r = reasons != NULL ? reasons->first : NULL; r != NULL && n < 6; r = r->next, n++)
		printf("        %s " SLICE_FMT "\n", n == 0 ? "why:" : "    ", SLICE_ARG(json_text(r)));
	count_owners(d, whole);
	printf("        one ticket instead of %u for %u teams\n", d->alerts, MAX(d->owners, 1u));
}

static void tell_incidents(struct demo *d, struct arena *a)
{
	const struct json *list = json_get(ask(d, "/api/v1/incidents", a), "incidents");

	for (const struct json *i = list != NULL ? list->first : NULL; i != NULL; i = i->next) {
		struct slice state = text(i, "state");
		char key[80];
		int n = snprintf(key, sizeof key, SLICE_FMT " " SLICE_FMT, SLICE_ARG(text(i, "id")), SLICE_ARG(state));

		if (!first_time(d, slice_of(key, (size_t)n)))
			continue;
		if (slice_is(state, "open") && !d->opened) {
			tell_opened(d, i, a);
		} else if (slice_is(state, "resolved") && slice_is(text(i, "id"), d->incident)) {
			d->resolved = true;
			stamp(d);
			printf("%s▼ recovered: " SLICE_FMT "%s\n", d->tty ? "\033[1;32m" : "", SLICE_ARG(text(i, "title")), d->tty ? "\033[0m" : "");
		}
	}
}

static void look(struct demo *d)
{
	struct arena *a = arena_new(0);

	tell_alerts(d, a);
	tell_incidents(d, a);
	if (!d->quiet_told && loop_mono() - d->began > 5 * SECOND) {
		d->quiet_told = true;
		stamp(d);
		printf("%llu events   noise only, nothing opened\n", (unsigned long long)d->feed.noise);
	}
	fflush(stdout);
	arena_free(a);
}

/* carillonctl as a person here can type it: from the build folder while it is not installed. */
static char *ctl_path(void)
{
	char self[PATH_MAX], *slash;
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

	if (n <= 0)
		return xstrdup("carillonctl");
	self[n] = '\0';
	slash = strrchr(self, '/');
	char *path = xasprintf("%.*s/ctl/carillonctl", slash != NULL ? (int)(slash - self) : 0, self);
	if (access(path, X_OK) == 0)
		return path;
	free(path);
	return xstrdup("carillonctl");
}

static void tell_end(const struct demo *d)
{
	char *ctl = ctl_path();

	printf("\nTry: %s --socket %s incidents show %s\n"
	       "     %s --socket %s events tail\n"
	       "Send your own: logger -n 127.0.0.1 -P %u -d --rfc5424 hello\n"
	       "Ctrl-C to stop\n",
	       ctl, d->socket, d->incident, ctl, d->socket, d->feed.syslog);
	fflush(stdout);
	free(ctl);
}

static void narrate(struct demo *d, int64_t seconds)
{
	bool told = false;

	d->began = loop_mono();
	while (!stopped) {
		duration at = loop_mono() - d->began;

		demo_feed_run(&d->feed, at);
		if (!told)
			look(d);
		if (seconds > 0 && (d->resolved || at > seconds * SECOND))
			return;
		if (!told && (d->resolved || at > 70 * SECOND)) {
			told = true;
			tell_end(d);
		}
		if (waitpid(d->daemon, NULL, WNOHANG) == d->daemon) {
			d->daemon = 0;
			return;
		}
		usleep((useconds_t)(told ? SECOND / 2 : LOOK_EVERY));
	}
}

int demo_run(int64_t seconds)
{
	char template[] = "/tmp/carillon-demo-XXXXXX";
	struct demo d = {.tty = isatty(1)};
	struct sigaction stop = {.sa_handler = on_stop};

	if (mkdtemp(template) == NULL) {
		fprintf(stderr, "carillond: cannot make a temporary folder: %s\n", strerror(errno));
		return 1;
	}
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	d.dir = xstrdup(template);
	d.data = files_data_dir();
	d.socket = xasprintf("%s/admin.sock", d.dir);
	d.config = xasprintf("%s/carillon.yaml", d.dir);
	d.seen = hmap_new();
	d.feed.syslog_fd = d.feed.traps_fd = -1;
	if (write_config(&d) != 0 || start(&d) != 0) {
		fprintf(stderr, "carillond: the demo's daemon does not start\n");
		end(&d);
		return 1;
	}
	demo_feed_open(&d.feed);
	printf("carillond %s demo   API %s   send your own: logger -n 127.0.0.1 -P %u -d --rfc5424 hello\n", CARILLON_VERSION, d.socket, d.feed.syslog);
	narrate(&d, seconds);
	end(&d);
	return seconds == 0 || (d.opened && d.resolved) ? 0 : 1;
}
