/*
 * signature: the same bug, the same sixteen digits.
 *
 * A stable hash of the signal and the functions that were running: no
 * address, pid or time goes in, so it stays the same across runs, address
 * space layouts and machines.  What follows is all another tool needs to
 * compute it.
 *
 * Only the first 512 frames (innermost first) count.  Each becomes a record
 * of bytes, `0' standing for one NUL byte:
 *   function known      MODULE 0 FUNCTION 0
 *   only a build-id     HEX-BUILD-ID 0 "+" HEX-OFFSET 0
 *   only a module       MODULE 0 "+" HEX-OFFSET 0
 *   nothing             "?" 0 0
 * MODULE is the file's basename without " (deleted)" ("?" when there is
 * none); versions in sonames stay.  FUNCTION is the symbol as it stands in
 * the file, mangled.  Hexadecimal digits are lower case, HEX-OFFSET without
 * leading zeros; it is the frame's pc (the return address in frames other than
 * the first) as an address of the module's program headers.
 *
 * Chosen are the first 8 distinct records.  In a stack overflow (recursion)
 * it is chance at which depth and in which leaf it struck: there the records
 * that occur at least twice are chosen (all, when none does), sorted by their
 * bytes as memcmp(3) does, a shorter one first where it begins the longer,
 * and the first 8 of those kept.
 *
 * The signature is FNV-1a, 64 bits (offset basis cbf29ce484222325, prime
 * 100000001b3), over the signal number in decimal, a NUL, and the chosen
 * records; printed as 16 hexadecimal digits.
 */
#ifndef REPORT_SIGNATURE_H
#define REPORT_SIGNATURE_H

#include <stddef.h>
#include <stdint.h>

enum {
	SIGNATURE_LIMIT = 512,
	SIGNATURE_CHOSEN = 8,
	SIGNATURE_FRAMES = 256 /* that the programs here hand in at most */
};

/* Strings stay the caller's.  NULL, or an idlen of 0, where unknown. */
struct signature_frame {
	const char *module; /* path or basename */
	const char *function;
	const unsigned char *id; /* build-id */
	size_t idlen;
	uint64_t off; /* address as in the module's program headers */
};

/* Cannot fail; allocates nothing.  No frames: the signal alone. */
void signature_make(int signo, const struct signature_frame *, size_t n,
    int recursion, char out[17]);

struct target;
struct symbols;

/* That of the first thread's trace (crash_sign.c). */
void crash_signature(const struct target *, struct symbols *, int signo,
    int recursion, char out[17]);

#endif
