/*
 * perf_fixture: records of a perf ring, as the kernel writes them
 * (perf_event_open(2)) with a time as the only sample field.
 */
#ifndef T_PERF_FIXTURE_H
#define T_PERF_FIXTURE_H

#include <linux/perf_event.h>
#include <stddef.h>
#include <stdint.h>

struct rec {
	unsigned char p[8192];
	size_t len;
};

/* One whole record each, in place of what was there. */
void rec_mmap(struct rec *x, int pid, uint64_t time, uint64_t addr,
    uint64_t len, uint64_t off, const char *name, uint64_t ino);

/* A build-id instead of the inode. */
void rec_set_id(struct rec *x, const void *id, unsigned char n);

void rec_comm(
    struct rec *x, int pid, int tid, uint64_t time, const char *comm, int exec);
void rec_task(struct rec *x, uint32_t type, int pid, int ppid, int tid,
    int ptid, uint64_t time);
void rec_lost(struct rec *x, uint64_t n, uint64_t time);

#endif
