#include "crashlog/when.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"

static const struct {
	const char *name;
	int64_t seconds;
} units[] = {{"s", 1}, {"sec", 1}, {"secs", 1}, {"second", 1}, {"seconds", 1},
    {"m", 60}, {"min", 60}, {"mins", 60}, {"minute", 60}, {"minutes", 60},
    {"h", 3600}, {"hr", 3600}, {"hour", 3600}, {"hours", 3600}, {"d", 86400},
    {"day", 86400}, {"days", 86400}, {"w", 604800}, {"week", 604800},
    {"weeks", 604800}, {"M", 2629800}, {"month", 2629800}, {"months", 2629800},
    {"y", 31557600}, {"year", 31557600}, {"years", 31557600}};

enum { CENTURY = 100 }; /* what is longer is no span of ours, in years */

static int64_t
unit(const char *name, size_t len)
{
	for (size_t i = 0; i < NELEM(units); i++)
		if (strlen(units[i].name) == len &&
		    memcmp(units[i].name, name, len) == 0)
			return units[i].seconds;
	return -1;
}

/* "1h30min", "2 days", "90" [s, end) in seconds; -1 */
static int64_t
span(const char *s, const char *end)
{
	const int64_t most = (int64_t)CENTURY * 31557600;
	int64_t total = -1, n, u;
	const char *word;

	for (;;) {
		while (s < end && *s == ' ')
			s++;
		if (s == end)
			return total;
		if (!isdigit((unsigned char)*s))
			return -1;
		for (n = 0; s < end && isdigit((unsigned char)*s); s++)
			n = n < most ? n * 10 + (*s - '0') : most;
		while (s < end && *s == ' ')
			s++;
		for (word = s; s < end && isalpha((unsigned char)*s);)
			s++;
		u = word == end && total == -1 ? 1
					       : unit(word, (size_t)(s - word));
		if (u == -1)
			return -1;
		if (total == -1)
			total = 0;
		total += n > most / u ? most : n * u;
		if (total > most)
			total = most;
	}
}

/* Whether s is of that form, 9 being any digit, and what is behind it. */
static const char *
like(const char *s, const char *form)
{
	for (; *form != '\0'; form++, s++)
		if (*form == '9'       ? !isdigit((unsigned char)*s)
			: *form == 'T' ? *s != 'T' && *s != 't' && *s != ' '
				       : *s != *form)
			return NULL;
	return s;
}

static int
sane(const struct tm *tm)
{
	return tm->tm_mon >= 0 && tm->tm_mon < 12 && tm->tm_mday > 0 &&
	    tm->tm_mday < 32 && tm->tm_hour < 24 && tm->tm_min < 60 &&
	    tm->tm_sec <= 60;
}

int64_t
when_rfc3339(const char *s)
{
	const char *zone = like(s, "9999-99-99T99:99:99");
	struct tm tm = {0};
	int h = 0, m = 0;
	int64_t t;

	if (zone == NULL)
		return -1;
	if (*zone == '.' && isdigit((unsigned char)zone[1]))
		while (isdigit((unsigned char)*++zone))
			;
	if (strcmp(zone, "Z") != 0 && strcmp(zone, "z") != 0) {
		if (*zone != '+' && *zone != '-')
			return -1;
		if (strcmp("", like(zone + 1, "99:99") ?: "-") != 0 &&
		    strcmp("", like(zone + 1, "9999") ?: "-") != 0)
			return -1;
		sscanf(zone + 1, zone[3] == ':' ? "%2d:%2d" : "%2d%2d", &h, &m);
	}
	sscanf(s, "%4d-%2d-%2d%*c%2d:%2d:%2d", &tm.tm_year, &tm.tm_mon,
	    &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec);
	tm.tm_year -= 1900;
	tm.tm_mon--;
	t = sane(&tm) ? timegm(&tm) : -1;
	return t < 0 ? -1 : t - (*zone == '-' ? -1 : 1) * (h * 3600 + m * 60);
}

/* In local time: a day, a moment of it or one of today. */
static int64_t
local(const char *s, int64_t now)
{
	time_t at = (time_t)now;
	const char *rest = like(s, "9999-99-99");
	struct tm tm;
	int yesterday = 0;
	int64_t t;

	localtime_r(&at, &tm);
	tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
	if (rest != NULL) {
		sscanf(s, "%4d-%2d-%2d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday);
		tm.tm_year -= 1900;
		tm.tm_mon--;
		s = rest + (*rest == 'T');
	} else if (strncmp(s, "today", 5) == 0) {
		s += 5;
	} else if (strncmp(s, "yesterday", 9) == 0) {
		yesterday = 1;
		s += 9;
	} else if (*s == '\0') {
		return -1;
	}
	s += *s == ' ' && s[1] != '\0';
	rest = like(s, "99:99:99") ?: like(s, "99:99") ?: like(s, "9:99");
	if (*s != '\0' && (rest == NULL || *rest != '\0'))
		return -1;
	sscanf(s, "%2d:%2d:%2d", &tm.tm_hour, &tm.tm_min, &tm.tm_sec);
	if (!sane(&tm))
		return -1;
	tm.tm_mday -= yesterday;
	tm.tm_isdst = -1;
	t = mktime(&tm);
	return t < 0 ? -1 : t;
}

int64_t
when_seconds(const char *word, int64_t now)
{
	const char *end = word + strlen(word);
	int64_t t = 0;

	if (strcmp(word, "now") == 0)
		return now;
	if (*word == '@' && word[1] != '\0' &&
	    strspn(word + 1, "0123456789") == strlen(word + 1))
		return span(word + 1, end);
	if (end - word > 3 && strcmp(end - 3, "ago") == 0)
		end -= 3;
	if (*word == '-' || *end != '\0') {
		t = span(word + (*word == '-'), end);
		return t == -1 ? -1 : t > now ? 0 : now - t;
	}
	t = when_rfc3339(word);
	return t != -1 ? t : local(word, now);
}
