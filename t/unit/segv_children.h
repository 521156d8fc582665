/*
 * segv_children: what the children of unit_segv_live.c do.  Each ends by a
 * signal, or by _exit(0) where it says so.
 */
#ifndef SEGV_CHILDREN_H
#define SEGV_CHILDREN_H

#include <stdint.h>
#include <unistd.h>

/* What a child tells its parent, in memory that both have. */
struct told {
	uint64_t addr;	/* where it faults */
	uint64_t code;	/* begin of the function that does */
	uint64_t stack; /* a pattern on its stack */
	uint64_t handler, map, maplen;
	pid_t tid;
};
extern volatile struct told *told;

enum { PATTERN = 0x5e };

void act_write(void);

/* As many faults as asked for, each handled; then exits. */
extern int act_rounds;

void act_handled(void);
void act_pause(void);
void act_jump(void);
void act_wild(void);
void act_overflow(void);

/* A handler, but no stack to run it on. */
void act_overflow_handled(void);
void act_thread(void);
void act_blocked(void);
void act_ignored(void);

/* The second page of a file mapped readable, written to. */
void act_readonly(void);
void act_bus(void);
void act_abort(void);

#endif
