#include "base/array.h"

#include <stdlib.h>
#include <string.h>

int
array_room(void *array, size_t n, size_t size)
{
	void *p;

	if ((n & (n - 1)) != 0)
		return 0;
	memcpy(&p, array, sizeof(p));
	p = reallocarray(p, n > 0 ? 2 * n : 1, size);
	if (p == NULL)
		return -1;
	memcpy(array, &p, sizeof(p));
	return 0;
}

static uint64_t
number_at(const void *p, size_t at)
{
	uint64_t v;

	memcpy(&v, (const char *)p + at, sizeof(v));
	return v;
}

static int
by_number(const void *a, const void *b, void *at)
{
	uint64_t x = number_at(a, *(size_t *)at);
	uint64_t y = number_at(b, *(size_t *)at);

	return (x > y) - (x < y);
}

void
array_sort(void *a, size_t n, size_t size, size_t at)
{
	if (n > 1)
		qsort_r(a, n, size, by_number, &at);
}

size_t
array_above(const void *a, size_t n, size_t size, size_t at, uint64_t number)
{
	size_t lo = 0, hi = n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (number_at((const char *)a + mid * size, at) > number)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}
