/*
 * storename: what a core is called at the receiver.
 *
 *	HOST/core.COMM.PID.TIME[.N][.SUFFIX]
 *
 * All of it but PID, TIME and N comes from the sender and is hostile.  Names
 * are built from an allow-list: letters, digits, '_', '+', '-' and, not at the
 * beginning, '.'; any other byte becomes '_', an empty part "unknown", a part
 * that is too long is cut.  So no name leaves its directory, is hidden, or
 * means anything to a shell.  ".part", ".info" and
 * ".report" are ours alone.
 */
#ifndef STORE_STORENAME_H
#define STORE_STORENAME_H

#include <stddef.h>

#include "stream/corestream.h"

enum {
	STORE_HOST_MAX = 200, /* with NUL */
	STORE_NAME_MAX = 240, /* a file's, with ".part.info" below NAME_MAX */
	STORE_TRIES = 100     /* of N, for one name */
};
#define STORE_NEWEST "core_dump" /* no host is called so */

/* One part of a name, cut to size with its NUL.  Never empty. */
void store_component(const char *, char *out, size_t size);
/* The host's directory. */
void store_host(const char *host, char out[STORE_HOST_MAX]);
/*
 * The file's name up to N (stem) and behind it (suffix, with its dot, or ""):
 * ".zst", ".gz" and so on for encodings that have an accustomed one.
 */
void store_stem(const struct crash_id *, char stem[STORE_NAME_MAX],
    char suffix[CRASH_ENCODING_MAX + 2]);
/* The whole name; n 0 is none; tail "" or ".part". */
void store_join(const char *stem, unsigned n, const char *suffix,
    const char *tail, char out[STORE_NAME_MAX]);
/* Does the name end so? */
int store_ends(const char *name, const char *tail);

#endif
