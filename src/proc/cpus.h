/*
 * cpus: this machine's CPUs, as the kernel lists them in
 * /sys/devices/system/cpu.
 */
#ifndef PROC_CPUS_H
#define PROC_CPUS_H

#define CPUS_ONLINE "/sys/devices/system/cpu/online"

enum { CPUS_MAX = 8192 };
struct cpus {
	unsigned char set[CPUS_MAX / 8]; /* a bit each */
};

/* "0,2-4\n"; the highest number + 1, -1 EINVAL. */
int cpus_parse(const char *text, struct cpus *);
/* The same of a file; -1. */
int cpus_read(const char *path, struct cpus *);
int cpus_has(const struct cpus *, unsigned cpu);
/* How many there may ever be, holes and unplugged ones too; at least 1. */
unsigned cpus_possible(void);

#endif
