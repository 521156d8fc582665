/*
 * crashid: what is known of a crash, and what each of it is called.
 *
 * One table, crash_fields: a row is a key, where its value stands, and how
 * much of it there may be.  The long options of the kernel's handlers are made
 * of it (--pid=%P --tid=%I and so on, core(5)), and the header of the core
 * stream and the notes beside a core (stream/corestream.h).
 *
 * No value may cost a core or a report: an option that is empty is not known,
 * and one that makes no sense neither, with a warning for the caller to print.
 */
#ifndef CRASH_CRASHID_H
#define CRASH_CRASHID_H

#include <getopt.h>
#include <stddef.h>
#include <stdint.h>

enum {
	CRASH_COMM_MAX = 64, /* with NUL; a comm has 15 bytes, or 63 */
	CRASH_HOST_MAX = 256,
	CRASH_EXE_MAX = 4097,
	CRASH_ENCODING_MAX = 32
};

/* Strings are raw bytes without NUL ("" unknown), numbers -1 where unknown. */
struct crash_id {
	char host[CRASH_HOST_MAX];
	char comm[CRASH_COMM_MAX];
	char exe[CRASH_EXE_MAX];
	char encoding[CRASH_ENCODING_MAX]; /* "" an ELF core; "zstd"...,
					       letters, digits, '-' */
	int64_t pid, tid, signal, uid, gid, dumpmode;
	int64_t time; /* of the crash, seconds since the epoch */
	int64_t rlimit, pidfd;
};

enum {
	CRASH_FIELDS = 13,
	CRASH_OPTIONS = CRASH_FIELDS - 1, /* but for the encoding */
	CRASH_OPTION = 256,	       /* the first value of getopt_long(3) */
	CRASH_COMM = CRASH_OPTION + 1, /* as rows of the table stand */
	CRASH_SIGNAL = CRASH_OPTION + 6,
	CRASH_OPTION_END = CRASH_OPTION + CRASH_FIELDS
};

struct crash_field {
	const char *key;
	size_t at;
	size_t size; /* of a string with its NUL, 0 for a number */
	int64_t max; /* of a number */
	int here;    /* means nothing elsewhere: not sent */
};

extern const struct crash_field crash_fields[CRASH_FIELDS];

void crash_id_init(struct crash_id *);
/* Only letters, digits and '-': file names end in it. */
int crash_is_encoding(const char *);
/* Sets CRASH_OPTIONS long options. */
void crash_id_options(struct option *);
/*
 * Takes the value of option c.  0, or -1 with a warning, which may hold bytes
 * of the value, in why.
 */
int crash_id_take(
    struct crash_id *, int c, const char *value, char *why, size_t len);
/* The same; it is the kernel's: nonsense is a warning, and costs nothing. */
void crash_id_try(struct crash_id *, int c, const char *value);
/* What the core is encoded with; -1 when it cannot be called so. */
int crash_id_encoding(struct crash_id *, const char *);
/* Kernels before 5.3 split a comm at its blanks: the words that come before
 * "--" or the last argument belong to it.  How many. */
int crash_id_words(struct crash_id *, int argc, char *const argv[]);

#endif
