/*
 * ledger: a line for each report that was published, which outlives it.
 *
 * `.ledger` beside the reports has
 *
 *   TIME PROGRAM SIGNAL SIGNATURE UID CAUSE     (tabs between, "-" unknown)
 *
 * as the report's own keys tell, each at most LEDGER_VALUE bytes of them and
 * printable; after LEDGER_MAX bytes it becomes `.ledger.1`, in place of the one
 * before.  Readers are crashlogctl(8)'s top and since.
 */
#ifndef SLOTS_LEDGER_H
#define SLOTS_LEDGER_H

#include <sys/types.h>

enum {
	LEDGER_VALUE = 255,
	LEDGER_HEAD = 256 << 10, /* of a report, in which the keys stand */
	LEDGER_MAX = 1 << 20
};

/*
 * Adds the report on fd, text or JSON, of that mode, under the lock of the
 * ring; its offset is left alone.  -1 with errno; a report that tells nothing
 * is no error.
 */
int ledger_add(int dirfd, int fd, mode_t mode);

#endif
