/*
 * rest: how many threads of this process are asleep (state S).  A thread
 * that has counted itself and is then asleep is where the truth says it is.
 */
#ifndef REST_H
#define REST_H

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int
threads_asleep(void)
{
	char line[512], path[300], *p;
	DIR *d = opendir("/proc/self/task");
	struct dirent *e;
	int n = 0;

	while (d != NULL && (e = readdir(d)) != NULL) {
		FILE *f;

		snprintf(
		    path, sizeof(path), "/proc/self/task/%s/stat", e->d_name);
		if ((f = fopen(path, "r")) == NULL)
			continue;
		if (fgets(line, sizeof(line), f) != NULL &&
		    (p = strrchr(line, ')')) != NULL)
			n += p[2] == 'S';
		fclose(f);
	}
	if (d != NULL)
		closedir(d);
	return n;
}

/* Until n threads are asleep and count of them have said they are ready. */
static void
wait_for_rest(const volatile int *ready, int count, int n)
{
	int tries = 5000;

	while ((*ready < count || threads_asleep() < n) && tries-- > 0)
		usleep(1000);
}

#endif
