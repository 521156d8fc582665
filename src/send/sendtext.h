/*
 * sendtext: what became of a core, in a line.
 *
 * The texts hold bytes of the crash as they are: base/msg.h escapes them.
 */
#ifndef SEND_SENDTEXT_H
#define SEND_SENDTEXT_H

#include "send/coresend.h"

enum { SENDTEXT_MAX = 8192 };

/*
 * "prog[4711] signal 11: sent to board7 as x/core: 4096 bytes, ...", and for
 * the other outcomes alike.  place is where in the spool it is, or NULL.
 */
void sendtext(const struct send_result *, const char *place, double seconds,
    char text[SENDTEXT_MAX]);
/* "12 MiB sent, ...", for a terminal. */
void sendtext_progress(
    const struct send_result *, double seconds, char text[SENDTEXT_MAX]);

#endif
