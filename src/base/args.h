/* args: command line values, whole and in range or a usage error. */
#ifndef BASE_ARGS_H
#define BASE_ARGS_H

#include <stddef.h>
#include <stdint.h>

enum {
	ARGS_MIB_MAX = 1 << 30,	    /* a PiB */
	ARGS_SECONDS_MAX = 31536000 /* a year */
};

/* An option whose value goes right to where it is wanted: one of these. */
struct args_row {
	int opt;
	int *flag;	   /* 1 */
	const char **text; /* as it is */
	int *integer;
	unsigned *number;
	uint64_t *mib;	   /* as bytes */
	int64_t *seconds;  /* as milliseconds */
	uint64_t min, max; /* of the last four */
};

/* The number arg, from min to max; else the program ends with EXIT_USAGE and
 * a line that names what ("option -n", "pid"). */
uint64_t
args_number(const char *what, const char *arg, uint64_t min, uint64_t max);
/* The same of an option's value: the line says "option -X". */
uint64_t args_option(int opt, const char *arg, uint64_t min, uint64_t max);
/* 0 or 1, as arg is the first or the second word; else as above. */
int args_either(
    const char *what, const char *arg, const char *first, const char *second);
/* Takes an option as its row says, and -v, which is the same in all programs:
 * 1; or 0 for another. */
int args_take(const struct args_row *, size_t n, int opt, const char *arg);
/* Where the first argument is -h, --help or --version: says on standard output
 * how the program is used (SYNOPSIS, as the man page has it; it may hold
 * further lines) or which version it is, and ends it.  Later ones are not
 * looked at: they may be another program's. */
void args_help(char *const argv[], const char *synopsis);

#endif
