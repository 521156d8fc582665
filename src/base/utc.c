#include "base/utc.h"

#include <inttypes.h>
#include <stdio.h>

enum { DAY = 86400, ERA = 146097, YEARS = 400 };
#define YEAR_10000 INT64_C(253402300800)

void
utc_text(int64_t t, char text[UTC_TEXT])
{
	unsigned day, era, doe, yoe, doy, m, s;

	if (t < 0 || t >= YEAR_10000) {
		snprintf(text, UTC_TEXT, "%" PRId64, t);
		return;
	}
	/* Years that begin on 1 March end with their leap day; an era is 400 of
	 * them, the first began 719468 days before 1970. */
	day = (unsigned)(t / DAY) + 719468;
	s = (unsigned)(t % DAY);
	era = day / ERA;
	doe = day % ERA;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	m = (5 * doy + 2) / 153; /* from March */
	snprintf(text, UTC_TEXT, "%04u-%02u-%02uT%02u:%02u:%02uZ",
	    era * YEARS + yoe + (m >= 10), m < 10 ? m + 3 : m - 9,
	    doy - (153 * m + 2) / 5 + 1, s / 3600, s / 60 % 60, s % 60);
}
