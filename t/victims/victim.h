/*
 * victim: what the crashing programs share.
 *
 * Every victim says in its head comment what the truth is:
 *
 *   case: ARGUMENTS | SIGNAL CODE ADDRESS | CHAIN
 *
 * ARGUMENTS "-" is none; ADDRESS "*" is any.  CHAIN is an extended regular
 * expression over the functions of the crashing thread, innermost first, one
 * blank between them, as t/helper.bash writes a backtrace: a frame of the
 * victim is its function, frames of any other module in a row are one "@lib",
 * a frame in no module is "@none".  What libc put below main or below a
 * thread's function is left out.
 *   thread: NAME | CHAIN  says the same of the other threads of that name.
 */
#ifndef VICTIM_H
#define VICTIM_H

#ifdef __clang__
#define NOINLINE __attribute__((noinline))
#else
#define NOINLINE __attribute__((noinline, noclone))
#endif
/* Stands behind a call so that it cannot become a jump. */
#define KEEP() __asm__ volatile("" ::: "memory")

#endif
