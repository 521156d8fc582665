/*
 * signals: their names, those of their codes, and back.
 *
 * The same on every machine, whatever names its libc has.
 */
#ifndef REPORT_SIGNALS_H
#define REPORT_SIGNALS_H

#include <stddef.h>

const char *signal_name(int signo);		/* "SIGSEGV", or NULL */
int signal_number(const char *, size_t len);	/* "SEGV", "SIGSEGV"; or -1 */
const char *signal_code_name(int signo, int c); /* "SEGV_MAPERR", or NULL */

#endif
