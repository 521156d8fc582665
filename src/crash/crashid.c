#include "crash/crashid.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"

static int
take_number(const char *what, const char *s, uint64_t max, int64_t *to,
    char *why, size_t len)
{
	uint64_t v;

	*to = -1;
	if (*s == '\0')
		return 0;
	if (num_u64(s, 10, 0, max, &v) == 0) {
		*to = (int64_t)v;
		return 0;
	}
	snprintf(why, len, "%s is no number: '%s'", what, s);
	return -1;
}

static int
take_text(const char *what, const char *s, char *to, size_t size, char *why,
    size_t len)
{
	if (snprintf(to, size, "%s", s) < (int)size)
		return 0;
	snprintf(
	    why, len, "%s has more than %zu bytes and is cut", what, size - 1);
	return -1;
}

/* %E has '!' for '/'. */
static void
mend_path(char *p)
{
	if (*p == '!')
		for (; *p != '\0'; p++)
			if (*p == '!')
				*p = '/';
}

int
crashargs_take(struct stream_id *id, int *pidfd, int c, const char *s,
    char *why, size_t len)
{
	int64_t fd;
	int r;

	switch (c - CRASHARGS) {
	case 0:
		return take_number("pid", s, INT_MAX, &id->pid, why, len);
	case 1:
		return take_number("tid", s, INT_MAX, &id->tid, why, len);
	case 2:
		return take_number("uid", s, UINT32_MAX, &id->uid, why, len);
	case 3:
		return take_number("gid", s, UINT32_MAX, &id->gid, why, len);
	case 4:
		return take_number("signal", s, 64, &id->signal, why, len);
	case 5:
		return take_number("time", s, INT64_MAX, &id->time, why, len);
	case 6:
		return take_number(
		    "dumpmode", s, INT_MAX, &id->dumpmode, why, len);
	case 7:
		r = take_number("pidfd", s, INT_MAX, &fd, why, len);
		*pidfd = (int)fd;
		return r;
	case 8:
		return take_text(
		    "host", s, id->host, sizeof(id->host), why, len);
	case 9:
		return take_text(
		    "comm", s, id->comm, sizeof(id->comm), why, len);
	default:
		r = take_text("exe", s, id->exe, sizeof(id->exe), why, len);
		mend_path(id->exe);
		return r;
	}
}

int
crashargs_encoding(struct stream_id *id, const char *s)
{
	if (*s == '\0' || strlen(s) >= sizeof(id->encoding) ||
	    strspn(s,
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789-") != strlen(s))
		return -1;
	memcpy(id->encoding, s, strlen(s) + 1);
	return 0;
}

int
crashargs_words(struct stream_id *id, int argc, char *const argv[])
{
	size_t len;
	int i;

	if (*id->comm == '\0')
		return 0;
	for (i = 0; i < argc - 1 && strcmp(argv[i], "--") != 0; i++) {
		len = strlen(id->comm);
		snprintf(
		    id->comm + len, sizeof(id->comm) - len, " %s", argv[i]);
	}
	return i;
}
