/*
 * sendfront: who was started ends early, and the sending goes on.
 *
 * Whoever waits for core_send, core_tee or the kernel, holds the process until
 * then.
 */
#ifndef SEND_SENDFRONT_H
#define SEND_SENDFRONT_H

#include <stdint.h>

/*
 * *release is how many bytes of memory may be taken for that, 0: nothing is
 * done.  Returns in a child, with *release what there is room for now.  The
 * process itself waits for sendfront_end(), or for the child's end, and ends as
 * the child did.
 */
void sendfront_begin(uint64_t *release);
/* The one who waits, if there is one, ends now, with success. */
void sendfront_end(void);

#endif
