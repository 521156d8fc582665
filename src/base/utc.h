/*
 * utc: a time as RFC 3339 has it.  gmtime_r(3) opens the local zone's file all
 * the same, and strftime(3), too.
 */
#ifndef BASE_UTC_H
#define BASE_UTC_H

#include <stdint.h>

enum { UTC_TEXT = 32 };

/* "2026-01-31T23:59:59Z"; before 1970 and after 9999 the seconds. */
void utc_text(int64_t t, char text[UTC_TEXT]);

#endif
