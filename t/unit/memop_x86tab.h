/*
 * memop_x86tab: instructions of x86-64, assembled, and what each does.
 */
#ifndef T_MEMOP_X86TAB_H
#define T_MEMOP_X86TAB_H

#define OPT 1	/* the processor may lack it */
#define FIXED 2 /* its address is its own, no register moves it */
#define JUMP 4	/* goes elsewhere when memory lets it */
#define PART 8	/* size is one element of several, or unknown */
#define LAX 16	/* some processors take it misaligned: AMD's the SHA ones */

struct x86_case {
	const unsigned char *start, *end;
	const char *text;
	int where, flags, access;
	unsigned size;
};

extern const struct x86_case __start_memop_cases[], __stop_memop_cases[];

/* What rip-relative operands name. */
extern char memop_rip[4096];

#endif
