/*
 * dropped: does not crash: a daemon that had root and has become somebody else,
 * as daemons do: dropped UID.  Says "ready" when it has.
 */
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int
main(int argc, char *argv[])
{
	id_t id = argc > 1 ? (id_t)atoi(argv[1]) : 65534;

	if (setgroups(0, NULL) == -1 || setgid(id) == -1 || setuid(id) == -1) {
		perror("dropped");
		return 1;
	}
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}
