/* carillonctl: the process. What it does stands in command.c and the verbs. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/log.h"
#include "ctl/ctl.h"
#include "net/loop.h"

static unsigned terminal_width(void)
{
	struct winsize w;

	if (!isatty(STDOUT_FILENO))
		return 0;
	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col >= 20 ? w.ws_col : 80;
}

int main(int argc, char **argv)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
	struct ctl c = {
	    .in = stdin, .out = stdout, .err = stderr, .width = terminal_width(), .now = loop_wall()};
	int rc;

	signal(SIGPIPE, SIG_IGN);
	/* the engine of rule tests and explain reports each incident: here the verb tells what is of interest
	 */
	log_open("ctl", LOG_LEVEL_ERROR);
	c.colour = c.width > 0 && (no_color == NULL || no_color[0] == '\0') && term != NULL &&
	           strcmp(term, "dumb") != 0;
	rc = ctl_main(&c, argc, argv);
	if (fflush(stdout) != 0 && rc == CTL_DONE)
		rc = CTL_TRY_AGAIN;
	return rc;
}
