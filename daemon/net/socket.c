/* Promises bound sockets, non-blocking and close-on-exec, and peers as text. Must not know what is spoken on
 * them. */
#include "net/stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 1024 };

static void ipv4_text(const unsigned char b[4], char *out)
{
	for (int i = 0; i < 4; i++) {
		if (b[i] >= 100)
			*out++ = (char)('0' + b[i] / 100);
		if (b[i] >= 10)
			*out++ = (char)('0' + b[i] / 10 % 10);
		*out++ = (char)('0' + b[i] % 10);
		*out++ = '.';
	}
	out[-1] = '\0';
}

void peer_from(const struct sockaddr *addr, struct peer *out)
{
	if (addr->sa_family == AF_INET) {
		struct sockaddr_in in;
		memcpy(&in, addr, sizeof in);
		unsigned char b[4];
		memcpy(b, &in.sin_addr, sizeof b);
		ipv4_text(b, out->text); /* inet_ntop costs more than all else done to a datagram */
		out->port = ntohs(in.sin_port);
	} else if (addr->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;
		memcpy(&in6, addr, sizeof in6);
		out->port = ntohs(in6.sin6_port);
		if (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr))
			ipv4_text(in6.sin6_addr.s6_addr + 12, out->text);
		else if (inet_ntop(AF_INET6, &in6.sin6_addr, out->text, sizeof out->text) == NULL)
			out->text[0] = '\0';
	} else {
		memcpy(out->text, "unix", sizeof "unix");
		out->port = 0;
	}
}

struct address {
	struct sockaddr_storage ss;
	socklen_t len;
};

static bool address_v4(const char *host, uint16_t port, struct address *a)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
	if (inet_pton(AF_INET, host, &in.sin_addr) != 1)
		return false;
	memcpy(&a->ss, &in, sizeof in);
	a->len = sizeof in;
	return true;
}

static bool address_v6(const char *host, uint16_t port, struct address *a)
{
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	char text[INET6_ADDRSTRLEN];
	size_t n = strlen(host);
	if (n >= 2 && host[0] == '[' && host[n - 1] == ']') {
		host++;
		n -= 2;
	}
	if (n >= sizeof text)
		return false;
	memcpy(text, host, n);
	text[n] = '\0';
	if (inet_pton(AF_INET6, text, &in6.sin6_addr) != 1)
		return false;
	memcpy(&a->ss, &in6, sizeof in6);
	a->len = sizeof in6;
	return true;
}

static int address_of(const char *host, uint16_t port, struct address *a, struct error *err)
{
	if (host[0] == '\0' || strcmp(host, "*") == 0)
		host = "::";
	if (address_v4(host, port, a) || address_v6(host, port, a))
		return 0;
	return error_set(err, "%s is no IP address: write one like 192.0.2.1 or 2001:db8::1", host);
}

static int unix_address(const char *path, struct address *a, struct error *err)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	size_t n = strlen(path);
	if (n >= sizeof un.sun_path)
		return error_set(err, "%s: the path of a socket may have at most %zu octets", path,
		                 sizeof un.sun_path - 1);
	memcpy(un.sun_path, path, n);
	memcpy(&a->ss, &un, sizeof un);
	a->len = (socklen_t)sizeof un;
	return 0;
}

static int option(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof value);
}

static int bind_to(int fd, const struct address *a, const char *host, uint16_t *port, struct error *err)
{
	struct sockaddr_storage ss;
	struct sockaddr_in in;
	socklen_t len = sizeof ss;
	if (bind(fd, (const struct sockaddr *)&a->ss, a->len) != 0)
		return error_set(err, "cannot bind %s port %u: %s", host, (unsigned)*port, strerror(errno));
	if (getsockname(fd, (struct sockaddr *)&ss, &len) != 0)
		return error_set(err, "cannot read the bound address: %s", strerror(errno));
	memcpy(&in, &ss, sizeof in); /* sin_port and sin6_port have one place */
	*port = ntohs(in.sin_port);
	return 0;
}

static int open_inet(const char *host, uint16_t *port, int type, bool reuseport, struct error *err)
{
	struct address a;
	if (address_of(host, *port, &a, err) != 0)
		return -1;
	int fd = socket(a.ss.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 && errno == EAFNOSUPPORT &&
	    address_v4(host[0] == '\0' || *host == '*' ? "0.0.0.0" : host, *port, &a))
		fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return error_set(err, "cannot open a socket for %s: %s", host, strerror(errno));
	if (a.ss.ss_family == AF_INET6)
		(void)option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
	if (type == SOCK_STREAM)
		(void)option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (reuseport)
		(void)option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	if (bind_to(fd, &a, host, port, err) == 0)
		return fd;
	close(fd);
	return -1;
}

/* A socket file that nobody listens on any more may be replaced; anything else may not. */
static int remove_stale(const char *path, const struct address *a, int type, struct error *err)
{
	struct stat st;
	if (lstat(path, &st) != 0)
		return errno == ENOENT ? 0 : error_set(err, "%s: %s", path, strerror(errno));
	if (!S_ISSOCK(st.st_mode))
		return error_set(err, "%s exists and is no socket: remove it or name another path", path);
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return error_set(err, "cannot open a socket: %s", strerror(errno));
	int rc = connect(fd, (const struct sockaddr *)&a->ss, a->len);
	bool stale = rc != 0 && errno == ECONNREFUSED;
	close(fd);
	if (!stale)
		return error_set(err, "%s is in use: is another carillond running?", path);
	if (unlink(path) != 0 && errno != ENOENT)
		return error_set(err, "cannot remove the stale socket %s: %s", path, strerror(errno));
	return 0;
}

static int set_owner(const char *path, unsigned mode, const char *group, struct error *err)
{
	if (group != NULL && group[0] != '\0') {
		const struct group *g = getgrnam(group);
		if (g == NULL)
			return error_set(err, "%s: there is no group %s", path, group);
		if (chown(path, (uid_t)-1, g->gr_gid) != 0)
			return error_set(err, "cannot give %s to the group %s: %s", path, group,
			                 strerror(errno));
	}
	if (chmod(path, (mode_t)mode) != 0)
		return error_set(err, "cannot set the mode of %s: %s", path, strerror(errno));
	return 0;
}

static int open_unix(const char *path, int type, unsigned mode, const char *group, struct error *err)
{
	struct address a;
	if (unix_address(path, &a, err) != 0 || remove_stale(path, &a, type, err) != 0)
		return -1;
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return error_set(err, "cannot open a socket for %s: %s", path, strerror(errno));
	/* closed to everybody until owner and mode are right: bind takes the mode of the descriptor */
	(void)fchmod(fd, 0600);
	if (bind(fd, (const struct sockaddr *)&a.ss, a.len) != 0) {
		error_set(err, "cannot bind %s: %s", path, strerror(errno));
		close(fd);
		return -1;
	}
	if (set_owner(path, mode, group, err) == 0)
		return fd;
	close(fd);
	(void)unlink(path);
	return -1;
}

static int listen_on(int fd, const char *what, struct error *err)
{
	if (fd < 0 || listen(fd, BACKLOG) == 0)
		return fd;
	error_set(err, "cannot listen on %s: %s", what, strerror(errno));
	close(fd);
	return -1;
}

int socket_udp(const char *host, uint16_t *port, int rcvbuf, struct error *err)
{
	int fd = host[0] == '/' ? open_unix(host, SOCK_DGRAM, 0666, NULL, err)
	                        : open_inet(host, port, SOCK_DGRAM, false, err);
	if (fd >= 0 && rcvbuf > 0 && option(fd, SOL_SOCKET, SO_RCVBUFFORCE, rcvbuf) != 0)
		(void)option(fd, SOL_SOCKET, SO_RCVBUF, rcvbuf); /* as much as net.core.rmem_max grants */
	return fd;
}

int socket_tcp(const char *host, uint16_t *port, bool reuseport, struct error *err)
{
	return listen_on(open_inet(host, port, SOCK_STREAM, reuseport, err), host, err);
}

int socket_unix(const char *path, unsigned mode, const char *group, struct error *err)
{
	return listen_on(open_unix(path, SOCK_STREAM, mode, group, err), path, err);
}

void socket_keepalive(int fd)
{
	if (option(fd, SOL_SOCKET, SO_KEEPALIVE, 1) != 0)
		return;
	(void)option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 120);
	(void)option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 30);
	(void)option(fd, IPPROTO_TCP, TCP_KEEPCNT, 4);
}
