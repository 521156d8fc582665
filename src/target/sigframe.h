/*
 * sigframe: what the kernel left on the stack when it called a handler.
 *
 * Below a signal handler lies the kernel's struct rt_sigframe: the registers
 * of the moment, and what the signal was.  A crashed program may have written
 * anything there: what does not look as the kernel writes it is refused, and
 * siginfo is filled in only for handlers with SA_SIGINFO, so that its place may
 * hold anything else.
 *
 * Facts: arch/x86/include/uapi/asm/sigcontext.h (struct sigcontext_64),
 * arch/x86/include/asm/sigframe.h, arch/arm64/kernel/signal.c (struct
 * rt_sigframe), arch/arm64/include/uapi/asm/sigcontext.h (struct esr_context),
 * asm-generic/siginfo.h.
 */
#ifndef TARGET_SIGFRAME_H
#define TARGET_SIGFRAME_H

#include <stdint.h>

#include "target/target.h"

struct sigframe {
	struct regs regs; /* when the signal came */
	/* siginfo, where its place holds one that the kernel could have put
	 * there; it may be an older signal's */
	int have_info;
	int signo, code;
	uint64_t addr;
	int pid, uid; /* with a code that is not above 0 */
	/* the thread's last trap, which need not be this signal's; on aarch64
	 * trap is the exception class (ESR_EL1 bits 26 to 31) */
	int have_trap;
	unsigned trap;
	uint64_t error, trapaddr;
};

/*
 * The frame that a handler returns through when its stack pointer is at sp
 * (struct frame's, with FRAME_SIGNAL).  now: the thread's registers, for those
 * that a frame does not hold.  0, or -1 when there is none.
 */
int sigframe_read(
    struct target *, uint64_t sp, const struct regs *now, struct sigframe *);
/*
 * The frame of a handler that has returned to exactly these registers: it
 * still lies below their stack pointer.  0, or -1 when there is none in the
 * SIGFRAME_BELOW bytes there.
 */
enum { SIGFRAME_BELOW = 16384 };
int sigframe_left(struct target *, const struct regs *now, struct sigframe *);

#endif
