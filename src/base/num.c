#include "base/num.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"

static int
num_digit(char c, int base)
{
	int d = -1;

	if (c >= '0' && c <= '9')
		d = c - '0';
	else if (c >= 'a' && c <= 'f')
		d = c - 'a' + 10;
	else if (c >= 'A' && c <= 'F')
		d = c - 'A' + 10;
	return d < base ? d : -1;
}

int
num_scan(
    const char *s, const char *end, int base, uint64_t *out, const char **rest)
{
	const char *p;
	uint64_t v = 0;
	int d;

	for (p = s; p < end && (d = num_digit(*p, base)) != -1; p++) {
		if (v > (UINT64_MAX - (uint64_t)d) / (uint64_t)base)
			return fails(ERANGE);
		v = v * (uint64_t)base + (uint64_t)d;
	}
	if (p == s)
		return fails(EINVAL);
	*out = v;
	*rest = p;
	return 0;
}

int
num_u64(const char *s, int base, uint64_t min, uint64_t max, uint64_t *out)
{
	const char *rest;
	uint64_t v;

	if (num_scan(s, s + strlen(s), base, &v, &rest) == -1)
		return -1;
	if (*rest != '\0')
		return fails(EINVAL);
	if (v < min || v > max)
		return fails(ERANGE);
	*out = v;
	return 0;
}

char *
num_digits(char *end, uint64_t v, unsigned base, int width)
{
	static const char digit[] = "0123456789abcdef";
	char *p = end;

	do {
		*--p = digit[v % base];
		v /= base;
	} while (v != 0 || end - p < width);
	return p;
}
