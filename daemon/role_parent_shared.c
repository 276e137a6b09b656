/* Memory that all intakes share: rates, and what was seen. Deliveries of webhooks are kept in a file of the state directory, so
 * that a replay is one after a restart too; the kernel writes it, and is asked to with each beat of the watchdog: of a crash
 * of the machine the last seconds may be lost. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/quota.h"
#include "base/seen.h"
#include "role_parent.h"

enum { QUOTA_SLOTS = 1 << 16, SEEN_SLOTS = 1 << 17, KEY_SLOTS = 1 << 18 };

static int deliveries_file(const struct parent *p)
{
	char *path = xasprintf("%s/deliveries", p->state_dir);
	int fd;

	/* core makes the folder, and starts later */
	if (mkdir(p->state_dir, 0750) != 0 && errno != EEXIST)
		log_debug("msg=\"no state directory yet\" path=%s", p->state_dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		log_warn("msg=\"what webhooks delivered is forgotten at the next start\" path=%s reason=\"%s\"", path, strerror(errno));
	free(path);
	return fd;
}

int shared_open(struct parent *p, struct error *err)
{
	int fd = deliveries_file(p);
	bool fresh;

	p->shared.quota = quota_new(QUOTA_SLOTS);
	p->shared.deliveries = seen_new(fd, SEEN_SLOTS, &fresh);
	p->shared.messages = seen_new(-1, SEEN_SLOTS, &fresh);
	p->shared.keys = seen_new(-1, KEY_SLOTS, &fresh);
	if (fd >= 0)
		close(fd); /* the mapping keeps the file */
	if (p->shared.quota == NULL || p->shared.deliveries == NULL || p->shared.messages == NULL || p->shared.keys == NULL)
		return error_set(err, "no memory for what the intakes share: %s", strerror(errno));
	return 0;
}

void shared_close(struct parent *p)
{
	quota_free(p->shared.quota);
	seen_free(p->shared.deliveries);
	seen_free(p->shared.messages);
	seen_free(p->shared.keys);
}

void shared_turn(struct parent *p)
{
	seen_sync(p->shared.deliveries);
}

/* Its connections went with it, and messages that core may never have got from it. */
void shared_forget(struct parent *p, unsigned intake)
{
	char label[160];

	for (size_t i = 0; i < p->config->n_listeners; i++) {
		snprintf(label, sizeof label, "listener=\"%s\",intake=\"%u\"", p->config->listeners[i].name, intake);
		counter_set(counter(p->counters, "carillon_connections", label), 0);
	}
	seen_forget_owner(p->shared.messages, intake);
}
