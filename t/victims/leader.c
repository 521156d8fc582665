/*
 * leader: the main thread has left, another one crashes: /proc/PID is then
 * nearly empty and /proc/TID is not.  "stay" sleeps instead of crashing.
 *
 * case: - | SIGSEGV SEGV_MAPERR 0x0 | crash_here survivor
 */
#include <sys/prctl.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "victim.h"

static int *volatile nowhere;

/* The state letter of the main thread. */
static int
leader_state(void)
{
	char line[512], path[64], *p = NULL;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)getpid());
	if ((f = fopen(path, "r")) == NULL)
		return 0;
	if (fgets(line, sizeof(line), f) != NULL)
		p = strrchr(line, ')');
	fclose(f);
	return p == NULL ? 0 : p[2];
}

NOINLINE static void
crash_here(int stay)
{
	if (stay) {
		puts("ready");
		fflush(stdout);
		pause();
	}
	*nowhere = 1;
	KEEP();
}

static void *
survivor(void *arg)
{
	prctl(PR_SET_NAME, "survivor");
	while (leader_state() != 'Z')
		usleep(500);
	crash_here(arg != NULL);
	KEEP();
	return NULL;
}

int
main(int argc, char *argv[])
{
	pthread_t t;

	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
	if (pthread_create(&t, NULL, survivor, argc > 1 ? argv[1] : NULL) != 0)
		return 111;
	pthread_exit(NULL);
}
