/* The parent's sockets: opened from the configuration, or received from systemd under the listener's name. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#ifdef HAVE_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

#include "base/log.h"
#include "net/stream.h"
#include "role_parent.h"

#define UDP_BUFFER (32 << 20)

static struct parent_socket *find(struct parent *p, const char *listener, const char *text)
{
	for (size_t i = 0; i < p->n_sockets; i++)
		if (strcmp(p->sockets[i].listener, listener) == 0 && strcmp(p->sockets[i].text, text) == 0)
			return &p->sockets[i];
	return NULL;
}

static struct parent_socket *add(struct parent *p, const char *listener, const char *text, unsigned bind, int fd)
{
	struct parent_socket *s;

	p->sockets = array_reserve(p->sockets, &p->cap_sockets, p->n_sockets + 1, sizeof *p->sockets);
	s = &p->sockets[p->n_sockets++];
	*s = (struct parent_socket){.listener = xstrdup(listener), .text = xstrdup(text), .bind = bind, .number = p->last_socket++, .fd = fd};
	return s;
}

static int open_one(const struct bind_addr *b, struct error *err)
{
	uint16_t port = b->port;

	switch (b->kind) {
	case BIND_UDP:
		return socket_udp(b->host, &port, UDP_BUFFER, err);
	case BIND_UNIXGRAM:
		return socket_udp(b->host, NULL, UDP_BUFFER, err);
	case BIND_TCP:
	case BIND_TLS:
	case BIND_RELP:
	case BIND_RELPS:
	case BIND_HTTP:
	case BIND_HTTPS:
		return socket_tcp(b->host, &port, false, err);
	case BIND_UNIX:
		return socket_unix(b->host, 0666, NULL, err);
	}
	return -1;
}

static int want(struct parent *p, const char *listener, const struct bind_addr *b, unsigned bind, struct error *err)
{
	struct parent_socket *s = find(p, listener, b->text);
	int fd;

	if (s != NULL) {
		s->stale = false;
		s->bind = bind;
		return 0;
	}
	fd = open_one(b, err);
	if (fd < 0)
		return error_wrap(err, "listener '%s': %s", listener, b->text);
	add(p, listener, b->text, bind, fd);
	return 0;
}

static bool inherited(const struct parent *p, const char *listener)
{
	for (size_t i = 0; i < p->n_sockets; i++)
		if (p->sockets[i].inherited && strcmp(p->sockets[i].listener, listener) == 0)
			return true;
	return false;
}

static int want_admin(struct parent *p, const struct config *c, struct error *err)
{
	struct parent_socket *s = find(p, "@admin", c->admin.socket_path);
	int fd;

	if (s != NULL) {
		s->stale = false;
	} else {
		struct error group;

		fd = socket_unix(c->admin.socket_path, c->admin.socket_mode, c->admin.socket_group, &group);
		/* outside a package there is no carillon-admin group: the mode alone then decides */
		if (fd < 0)
			fd = socket_unix(c->admin.socket_path, c->admin.socket_mode & 0770u, NULL, err);
		if (fd < 0)
			return error_wrap(err, "admin.socket");
		add(p, "@admin", c->admin.socket_path, 0, fd);
	}
	for (unsigned i = 0; i < c->admin.n_metrics; i++)
		if (want(p, "@metrics", &c->admin.metrics[i], i, err) != 0)
			return -1;
	for (unsigned i = 0; i < c->admin.n_http; i++)
		if (want(p, "@http", &c->admin.http[i], i, err) != 0)
			return -1;
	return 0;
}

int sockets_open(struct parent *p, const struct config *c, struct error *err)
{
	for (size_t i = 0; i < p->n_sockets; i++)
		p->sockets[i].stale = !p->sockets[i].inherited;
	for (size_t i = 0; i < c->n_listeners; i++) {
		const struct listener_config *l = &c->listeners[i];

		if (!l->enabled || inherited(p, l->name))
			continue;
		for (unsigned b = 0; b < l->n_bind; b++)
			if (want(p, l->name, &l->bind[b], b, err) != 0)
				return -1;
	}
	return want_admin(p, c, err);
}

/* The file of a socket that we made; another daemon's is none of ours. */
static void remove_file(const struct parent_socket *s)
{
	struct sockaddr_un un;
	socklen_t len = sizeof un;

	memset(&un, 0, sizeof un);
	if (!s->inherited && getsockname(s->fd, (struct sockaddr *)&un, &len) == 0 && un.sun_family == AF_UNIX && un.sun_path[0] == '/')
		unlink(un.sun_path);
}

static void drop(struct parent *p, size_t i)
{
	remove_file(&p->sockets[i]);
	close(p->sockets[i].fd);
	free(p->sockets[i].listener);
	free(p->sockets[i].text);
	p->sockets[i] = p->sockets[--p->n_sockets];
}

void sockets_close_stale(struct parent *p)
{
	for (size_t i = p->n_sockets; i-- > 0;)
		if (p->sockets[i].stale)
			drop(p, i);
}

void sockets_keep(struct parent *p)
{
	struct error err;

	/* what the running configuration does not name was opened for the reload */
	if (sockets_open(p, p->config, &err) == 0)
		sockets_close_stale(p);
}

#ifdef HAVE_SYSTEMD
/* The bind of the listener that this descriptor stands for. */
static bool bind_of(const struct listener_config *l, int fd, unsigned *bind)
{
	int type = 0;
	socklen_t len = sizeof type;

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) != 0)
		return false;
	for (unsigned b = 0; b < l->n_bind; b++)
		if ((l->bind[b].kind == BIND_UDP || l->bind[b].kind == BIND_UNIXGRAM) == (type == SOCK_DGRAM)) {
			*bind = b;
			return true;
		}
	return false;
}

void sockets_inherit(struct parent *p, const struct config *c)
{
	char **names = NULL;
	int n = sd_listen_fds_with_names(1, &names);

	for (int i = 0; i < n; i++) {
		int fd = SD_LISTEN_FDS_START + i;
		bool used = false;

		for (size_t k = 0; k < c->n_listeners && !used; k++) {
			char text[64];
			unsigned bind;

			if (strcmp(c->listeners[k].name, names[i]) != 0 || !bind_of(&c->listeners[k], fd, &bind))
				continue;
			snprintf(text, sizeof text, "systemd:%d", i);
			/* systemd gives blocking ones: a reader would wait for ever for what another reader took */
			(void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
			(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
			add(p, names[i], text, bind, fd)->inherited = true;
			used = true;
		}
		if (!used) {
			log_warn("msg=\"a socket from systemd has no listener of that name and kind; set FileDescriptorName= to one\" name=%s", names[i]);
			close(fd);
		}
		free(names[i]);
	}
	free(names);
}
#else
void sockets_inherit(struct parent *p, const struct config *c)
{
	(void)p;
	(void)c;
}
#endif

uint16_t parent_port(const struct parent *p, const char *listener, unsigned bind)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof ss;

	for (size_t i = 0; i < p->n_sockets; i++) {
		const struct parent_socket *s = &p->sockets[i];

		if (strcmp(s->listener, listener) != 0 || s->bind != bind || getsockname(s->fd, (struct sockaddr *)&ss, &len) != 0)
			continue;
		if (ss.ss_family == AF_INET)
			return ntohs(((struct sockaddr_in *)&ss)->sin_port);
		if (ss.ss_family == AF_INET6)
			return ntohs(((struct sockaddr_in6 *)&ss)->sin6_port);
	}
	return 0;
}
