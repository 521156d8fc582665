/* when: times as people write them. */
#ifndef CRASHLOG_WHEN_H
#define CRASHLOG_WHEN_H

#include <stdint.h>

/*
 * Seconds since the Epoch for "now", "-2h", "1h30min ago", "@1700000000", RFC
 * 3339, and in local time "today", "yesterday", "10:00", "2026-11-26" and
 * "2026-11-26 10:00:00".  -1 when it is none of these.
 */
int64_t when_seconds(const char *word, int64_t now);
/* The same of RFC 3339 alone. */
int64_t when_rfc3339(const char *);

#endif
