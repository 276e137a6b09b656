/* Promises to remember keys in bounded memory, without locks. Must not know what a key stands for. */
#include "base/seen.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEEN_MAGIC    0x6e6565736c726163ull
#define SEEN_PATIENCE (10 * SECOND)
enum { WAYS = 8, OWNER_BITS = 6, PENDING = 1 };

struct slot {
	_Atomic uint64_t key;  /* 0: empty */
	_Atomic uint64_t when; /* milliseconds << 7 | owner << 1 | pending */
};

struct file {
	uint64_t magic, slots;
	struct slot v[];
};

struct seen {
	struct file *file;
	size_t bytes;
};

static bool usable(int fd, size_t bytes, bool *fresh)
{
	struct stat st;

	*fresh = fd < 0 || fstat(fd, &st) != 0 || (size_t)st.st_size != bytes;
	/* what is cut to nothing first is zero all over */
	return fd < 0 || !*fresh || (ftruncate(fd, 0) == 0 && ftruncate(fd, (off_t)bytes) == 0);
}

struct seen *seen_new(int fd, size_t slots, bool *fresh)
{
	size_t bytes = sizeof(struct file) + slots * sizeof(struct slot);
	struct seen *s;
	void *at;

	BUG_ON(slots < WAYS || (slots & (slots - 1)) != 0);
	if (!usable(fd, bytes, fresh))
		return NULL;
	at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, fd >= 0 ? MAP_SHARED : MAP_SHARED | MAP_ANONYMOUS, fd,
	          0);
	if (at == MAP_FAILED)
		return NULL;
	s = xcalloc(1, sizeof *s);
	s->file = at;
	s->bytes = bytes;
	if (s->file->magic != SEEN_MAGIC || s->file->slots != slots) {
		if (!*fresh)
			memset(at, 0, bytes);
		*fresh = true;
		s->file->magic = SEEN_MAGIC;
		s->file->slots = slots;
	}
	return s;
}

void seen_free(struct seen *s)
{
	if (s == NULL)
		return;
	munmap(s->file, s->bytes);
	free(s);
}

static uint64_t stamp(instant now, unsigned owner, unsigned flags)
{
	BUG_ON(owner >= SEEN_OWNERS);
	return (uint64_t)(now / MSEC) << (OWNER_BITS + 1) | (uint64_t)owner << 1 | flags;
}

static instant time_of(uint64_t when)
{
	return (instant)(when >> (OWNER_BITS + 1)) * MSEC;
}

static struct slot *places(const struct seen *s, uint64_t key)
{
	return &s->file
	            ->v[(key * 0x9e3779b97f4a7c15ull >> 20) & (s->file->slots - 1) & ~(uint64_t)(WAYS - 1)];
}

static struct slot *find(const struct seen *s, uint64_t key)
{
	struct slot *v = places(s, key);

	for (size_t i = 0; i < WAYS; i++)
		if (atomic_load_explicit(&v[i].key, memory_order_relaxed) == key)
			return &v[i];
	return NULL;
}

/* An empty place, or the one that was touched longest ago. */
static struct slot *oldest(const struct seen *s, uint64_t key)
{
	struct slot *v = places(s, key), *best = v;

	for (size_t i = 1; i < WAYS; i++)
		if (atomic_load_explicit(&v[i].when, memory_order_relaxed) <
		    atomic_load_explicit(&best->when, memory_order_relaxed))
			best = &v[i];
	return best;
}

enum seen_state seen_begin(struct seen *s, uint64_t key, unsigned owner, instant now, duration window)
{
	struct slot *p;
	uint64_t when;

	key = key != 0 ? key : 1;
	p = find(s, key);
	when = p != NULL ? atomic_load_explicit(&p->when, memory_order_relaxed) : 0;
	/* a clock that was set back must not make the past look like the future for ever */
	if (p != NULL && time_of(when) <= now + MINUTE) {
		if ((when & PENDING) != 0 && now - time_of(when) < SEEN_PATIENCE)
			return SEEN_PENDING;
		if ((when & PENDING) == 0 && now - time_of(when) <= window)
			return SEEN_DONE;
	}
	if (p == NULL)
		p = oldest(s, key);
	atomic_store_explicit(&p->key, key, memory_order_relaxed);
	atomic_store_explicit(&p->when, stamp(now, owner, PENDING), memory_order_relaxed);
	return SEEN_NEW;
}

void seen_done(struct seen *s, uint64_t key, unsigned owner, instant now)
{
	struct slot *p = find(s, key != 0 ? key : 1);

	if (p != NULL)
		atomic_store_explicit(&p->when, stamp(now, owner, 0), memory_order_relaxed);
}

void seen_forget_owner(struct seen *s, unsigned owner)
{
	for (size_t i = 0; i < s->file->slots; i++) {
		struct slot *p = &s->file->v[i];

		if (atomic_load_explicit(&p->key, memory_order_relaxed) != 0 &&
		    (atomic_load_explicit(&p->when, memory_order_relaxed) >> 1 & (SEEN_OWNERS - 1)) == owner)
			atomic_store_explicit(&p->key, 0, memory_order_relaxed);
	}
}

void seen_sync(struct seen *s)
{
	(void)msync(s->file, s->bytes, MS_ASYNC);
}
