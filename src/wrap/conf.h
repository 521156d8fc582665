/*
 * conf: usercrash.conf(5).
 *
 * A file of lines "key value ...", split at blanks; what begins with "#" is
 * passed over.  Nothing of it is executed or expanded.  Each value is kept as
 * the text that it is, when it is what that key takes.
 *
 * The file is read only where it is root's alone, or the caller's own.  A line
 * that is wrong is passed over, and said; the rest holds.
 */
#ifndef WRAP_CONF_H
#define WRAP_CONF_H

#include "base/io.h"
#include "wrap/words.h"

#define CONF_FILE "/etc/usercrash.conf"
#define CONF_STATE "/var/lib/usercrash"

enum conf_key {
	CONF_REPORTS,
	CONF_SOCKET,
	CONF_SLOTS,
	CONF_SHARE,
	CONF_REPORT_FREE,
	CONF_REPORT_FORMAT,
	CONF_REPORT_WAIT,
	CONF_REPORT_MAX,
	CONF_REPORTS_MAX,
	CONF_REPORTS_READABLE,
	CONF_RECEIVER,
	CONF_SEND_COMMAND,
	CONF_SEND_TIMEOUT,
	CONF_SEND_COMPRESS,
	CONF_RELEASE,
	CONF_SPOOL,
	CONF_SPOOL_MAX,
	CONF_SPOOL_FREE,
	CONF_STORE,
	CONF_STORE_MAX,
	CONF_STORE_CORE_MAX,
	CONF_STORE_FREE,
	CONF_STORE_COMPRESS,
	CONF_SUID_CORES,
	CONF_SUID_DUMPABLE,
	CONF_CORE_RATE,
	CONF_CORE_LIMIT,
	CONF_PIPE_LIMIT,
	CONF_DEFAULT_APP,
	CONF_IGNORE,
	CONF_NO_CORE,
	CONF_SMALL_CORE,
	CONF_PROGRAM_SHARE,
	CONF_HOOK,
	CONF_HOOK_TIMEOUT,
	CONF_DEBUGINFOD,
	CONF_STALL,
	CONF_KEYS
};

struct conf {
	/* "": none; those that have a list have it there alone */
	const char *value[CONF_KEYS];
	/* ignore, no-core, small-core: patterns; program-share: a pattern, a
	 * number, and so on; send-command: its words; hook: a line each */
	struct words list[CONF_KEYS];
	struct buf errors; /* lines "FILE:LINE: reason", "FILE: reason" */
	unsigned nerrors;
};

/* Its name in the file. */
const char *conf_name(enum conf_key);
/* 0, a file that is not there too; 1: some lines are wrong; 2: it cannot be
 * trusted or read, the defaults hold. */
int conf_read(struct conf *, const char *path);
/* The value of a key that is a number; 0 where it is a word. */
unsigned conf_number(const struct conf *, enum conf_key);
/* Whether the value is that word. */
int conf_is(const struct conf *, enum conf_key, const char *word);
/* Whether the pattern is that of the path, or of its last part. */
int conf_match(const char *pattern, const char *path);

#endif
