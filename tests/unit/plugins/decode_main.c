/* carillonctl decode without carillonctl, for the vectors: decode_main decode syslog|snmptrap|webhook … */
#include "ctl/decode.h"

#include <string.h>

#include "net/loop.h"

/* the vectors name their own time */
instant loop_wall(void)
{
	return instant_civil(2026, 11, 22, 12, 0, 0);
}

int main(int argc, char **argv)
{
	if (argc < 2 || strcmp(argv[1], "decode") != 0)
		return 2;
	return ctl_decode(WEBHOOK_PROFILES, argc - 1, argv + 1, stdin, stdout);
}
