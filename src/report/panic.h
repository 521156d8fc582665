/*
 * panic: the panic that a Rust program aborted for, out of the stack.
 *
 * std tells its hook of a panic in a struct PanicHookInfo on the stack: a
 * reference to the payload (data and vtable), then one to the panic's
 * Location.  That is taken for what ended the program only where a function
 * that is still running made a call with that very Location: an older panic
 * that was caught may have left the same words.  Needs no symbols.  Nothing of
 * it is trusted: each pointer is read through the target, texts are bounded.
 *
 * Facts, of no stable ABI: library/std/src/panicking.rs (PanicHookInfo,
 * FormatStringPayload), library/core/src/panic/location.rs (Location), tried
 * with Rust 1.63, 1.95 and 1.97; what looks otherwise is not told.
 */
#ifndef REPORT_PANIC_H
#define REPORT_PANIC_H

#include <stdint.h>

#include "target/target.h"

struct crash;

enum { PANIC_FILE = 1024, PANIC_TEXT = 4096 };

struct panic {
	int found;
	char file[PANIC_FILE + 1]; /* ends in ".rs" */
	uint32_t line, column;
	int have_text;
	char text[PANIC_TEXT + 1]; /* of a payload that is a string; hostile */
	int cut;		   /* there was more of it */
};

/* The one whose struct PanicHookInfo has its payload at addr.  Sets *location
 * to its Location's address.  0, or -1 when there is none. */
int
panic_read(struct target *, uint64_t addr, struct panic *, uint64_t *location);
/* The one that ended the first thread; found says whether there is one. */
void panic_find(const struct crash *, struct panic *);

#endif
