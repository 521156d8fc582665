/*
 * What a victim tells the clock that started it: a page of shared memory on
 * fd BENCH_FD.  fd 1 gets a byte when the victim is ready, and end of file on
 * fd 0 is its sign to crash.
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stdatomic.h>
#include <stdint.h>
#include <time.h>

enum { BENCH_FD = 3 };

struct bench_page {
	_Atomic uint64_t fault; /* ns: right before the first victim's fault */
	_Atomic uint64_t gap;	/* ns: how long a live victim stood still */
};

static inline uint64_t
bench_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

#endif
