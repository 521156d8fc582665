/*
 * array: one that grows, and one that is in the order of a number in it.
 *
 * A number is an uint64_t, a member of each element or all of it.  Errors are
 * -1 with errno.
 */
#ifndef BASE_ARRAY_H
#define BASE_ARRAY_H

#include <stddef.h>
#include <stdint.h>

/*
 * Room for one element more, in an array of malloc's that has n and got its
 * room by this alone: it doubles whenever n is a power of two.  -1 ENOMEM, the
 * array stays.
 */
#define ARRAY_ROOM(a, n) array_room(&(a), n, sizeof(*(a)))
/* Puts it in order. */
#define ARRAY_SORT(a, n, member) \
	array_sort(a, n, sizeof(*(a)), ARRAY_NUMBER(a, member))
/* Of one in order, how many have a number up to that: also the first's place
 * that has a greater one. */
#define ARRAY_ABOVE(a, n, member, number) \
	array_above(a, n, sizeof(*(a)), ARRAY_NUMBER(a, member), number)

/* Where the member is; does not compile where it is no 64-bit number. */
#define ARRAY_NUMBER(a, member)               \
	(offsetof(__typeof__(*(a)), member) + \
	    0 *                               \
		sizeof(                       \
		    char[sizeof((a)->member) == sizeof(uint64_t) ? 1 : -1]))

int array_room(void *array, size_t n, size_t size);
void array_sort(void *, size_t n, size_t size, size_t at);
size_t
array_above(const void *, size_t n, size_t size, size_t at, uint64_t number);

#endif
