#include "crash/crashid.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/msg.h"
#include "base/num.h"

/* The end of the year 9999: what RFC 3339 can tell. */
#define TIME_MAX INT64_C(253402300799)
#define SIGNAL_MAX 128 /* that any machine has: _NSIG of MIPS */

#define STRING(k) \
#k, offsetof(struct crash_id, k), sizeof(((struct crash_id *)0)->k), 0
#define NUMBER(k, max) #k, offsetof(struct crash_id, k), 0, max

const struct crash_field crash_fields[CRASH_FIELDS] = {
    {STRING(host), 0},
    {STRING(comm), 0},
    {STRING(exe), 0},
    {STRING(encoding), 0},
    {NUMBER(pid, INT_MAX), 0},
    {NUMBER(tid, INT_MAX), 0},
    {NUMBER(signal, SIGNAL_MAX), 0},
    {NUMBER(uid, UINT32_MAX), 0},
    {NUMBER(gid, UINT32_MAX), 0},
    {NUMBER(dumpmode, INT_MAX), 0},
    {NUMBER(time, TIME_MAX), 0},
    {NUMBER(rlimit, INT64_MAX), 1},
    {NUMBER(pidfd, INT_MAX), 1},
};

void
crash_id_init(struct crash_id *id)
{
	const int64_t unknown = -1;
	size_t i;

	memset(id, 0, sizeof(*id));
	for (i = 0; i < CRASH_FIELDS; i++)
		if (crash_fields[i].size == 0)
			memcpy((char *)id + crash_fields[i].at, &unknown,
			    sizeof(unknown));
}

void
crash_id_options(struct option *o)
{
	const struct crash_field *f;
	int i;

	for (i = 0; i < CRASH_FIELDS; i++) {
		f = &crash_fields[i];
		if (f->at != offsetof(struct crash_id, encoding))
			*o++ = (struct option){
			    f->key, required_argument, NULL, CRASH_OPTION + i};
	}
}

static int
take_number(
    const struct crash_field *f, const char *s, void *to, char *why, size_t len)
{
	int64_t number = -1;
	uint64_t v;
	int r = 0;

	if (*s != '\0') {
		r = num_u64(s, 10, 0, (uint64_t)f->max, &v);
		if (r == 0)
			number = (int64_t)v;
		else if (errno == ERANGE && f->max == INT64_MAX)
			r = 0; /* RLIM_INFINITY */
	}
	memcpy(to, &number, sizeof(number));
	if (r == -1)
		snprintf(why, len, "%s is no number: '%s'", f->key, s);
	return r;
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
crash_is_encoding(const char *s)
{
	return s[strspn(s,
		   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		   "0123456789-")] == '\0';
}

int
crash_id_take(struct crash_id *id, int c, const char *s, char *why, size_t len)
{
	const struct crash_field *f = &crash_fields[c - CRASH_OPTION];
	char *to = (char *)id + f->at;
	int r;

	if (f->size == 0)
		return take_number(f, s, to, why, len);
	r = snprintf(to, f->size, "%s", s);
	if (to == id->exe)
		mend_path(to);
	if (r < (int)f->size)
		return 0;
	snprintf(why, len, "%s has more than %zu bytes and is cut", f->key,
	    f->size - 1);
	return -1;
}

void
crash_id_try(struct crash_id *id, int c, const char *s)
{
	char why[MSG_MAX];

	if (crash_id_take(id, c, s, why, sizeof(why)) == -1)
		msg_warn("%s", why);
}

int
crash_id_encoding(struct crash_id *id, const char *s)
{
	if (*s == '\0' || strlen(s) >= sizeof(id->encoding) ||
	    !crash_is_encoding(s))
		return -1;
	memcpy(id->encoding, s, strlen(s) + 1);
	return 0;
}

int
crash_id_words(struct crash_id *id, int argc, char *const argv[])
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
