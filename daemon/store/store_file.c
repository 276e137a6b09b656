/* Promises small files by hash, whole or not at all, and that none goes which a recovery could need. */
#include "store/store_int.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HASH_LEN = 64, NAME_MAX_LEN = 128 };
#define FILE_LIMIT (INT64_C(1) << 32)

static bool is_hash(const char *h)
{
	return strlen(h) == HASH_LEN && strspn(h, "0123456789abcdef") == HASH_LEN;
}

static int name_of(const char *what, const char *hash, char name[NAME_MAX_LEN], struct error *err)
{
	size_t n = strlen(what);
	if (!is_hash(hash) || n == 0 || n > 32 || strspn(what, "abcdefghijklmnopqrstuvwxyz") != n)
		return error_set(err, "%s-%s is no name of a kept file", what, hash);
	snprintf(name, NAME_MAX_LEN, "%s-%s", what, hash);
	return 0;
}

static int write_all(int fd, struct slice bytes)
{
	while (bytes.n > 0) {
		ssize_t n = write(fd, bytes.p, bytes.n);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		bytes = slice_sub(bytes, (size_t)n, bytes.n);
	}
	return 0;
}

static int write_new(struct store *s, const char *name, struct slice bytes, struct error *err)
{
	char tmp[NAME_MAX_LEN + 8];
	snprintf(tmp, sizeof tmp, "%s.new", name);
	int fd = openat(s->dir_fd, tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (fd < 0)
		return error_set(err, "cannot write %s/%s: %s", s->dir, name, strerror(errno));
	bool ok = write_all(fd, bytes) == 0 && fsync(fd) == 0;
	ok = close(fd) == 0 && ok;
	ok = ok && renameat(s->dir_fd, tmp, s->dir_fd, name) == 0 && fsync(s->dir_fd) == 0;
	if (!ok) {
		error_set(err, "cannot write %s/%s: %s", s->dir, name, strerror(errno));
		(void)unlinkat(s->dir_fd, tmp, 0);
	}
	return ok ? 0 : -1;
}

int store_file_put(struct store *s, const char *what, const char *hash, struct slice bytes, struct error *err)
{
	char name[NAME_MAX_LEN];
	struct stat st;
	int rc = 0;
	BUG_ON(s->magic != STORE_MAGIC);
	if (name_of(what, hash, name, err) != 0)
		return -1;
	pthread_mutex_lock(&s->files);
	(void)hmap_put(s->fresh, slice_str(hash), s);
	/* named by its content: what is there already is the same */
	if (fstatat(s->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || st.st_size != (off_t)bytes.n)
		rc = write_new(s, name, bytes, err);
	pthread_mutex_unlock(&s->files);
	return rc;
}

int store_file_open(struct store *s, const char *what, const char *hash, struct error *err)
{
	char name[NAME_MAX_LEN];
	BUG_ON(s->magic != STORE_MAGIC);
	if (name_of(what, hash, name, err) != 0)
		return -1;
	int fd = openat(s->dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return error_set(err, "cannot open %s/%s: %s", s->dir, name, strerror(errno));
	return fd;
}

int store_file_get(struct store *s, const char *what, const char *hash, struct buf *out, struct error *err)
{
	struct stat st;
	int fd = store_file_open(s, what, hash, err);
	if (fd < 0)
		return -1;
	int rc = fstat(fd, &st);
	if (rc == 0 && (st.st_size < 0 || st.st_size > FILE_LIMIT))
		errno = EFBIG, rc = -1;
	size_t left = rc == 0 ? (size_t)st.st_size : 0;
	buf_reserve(out, left);
	while (rc == 0 && left > 0) {
		ssize_t n = read(fd, out->p + out->n, left);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			errno = n == 0 ? EIO : errno; /* shorter than it said */
			rc = -1;
			break;
		}
		out->n += (size_t)n;
		left -= (size_t)n;
	}
	if (rc != 0)
		error_set(err, "cannot read %s/%s-%s: %s", s->dir, what, hash, strerror(errno));
	close(fd);
	return rc;
}

/* ---- sweeping */

static bool is_kept(const struct store *s, const struct hmap *keep, struct slice hash)
{
	return hmap_get(keep, hash) != NULL || hmap_get(s->kept, hash) != NULL ||
	       hmap_get(s->fresh, hash) != NULL;
}

/* "what-<64 hex>": the hash, or absent. */
static struct slice hash_in(const char *name)
{
	const char *dash = strchr(name, '-');
	return dash != NULL && is_hash(dash + 1) ? slice_str(dash + 1) : SLICE_NONE;
}

static void sweep(struct store *s, const struct hmap *keep)
{
	DIR *d = opendir(s->dir);
	if (d == NULL)
		return; /* the next snapshot tries again */
	for (const struct dirent *e; (e = readdir(d)) != NULL;) {
		struct slice hash = hash_in(e->d_name);
		if (hash.p != NULL && !is_kept(s, keep, hash))
			(void)unlinkat(s->dir_fd, e->d_name, 0);
	}
	closedir(d);
}

void store_files_sweep(struct store *s, struct hmap *keep)
{
	pthread_mutex_lock(&s->files);
	if (s->kept != NULL)
		sweep(s, keep);
	hmap_free(s->kept);
	s->kept = keep;
	pthread_mutex_unlock(&s->files);
}
