/*
 * exception: the C++ exception that nobody caught, out of the stack.
 *
 * std::terminate() leaves the exception where it was: first among those that
 * the library counts as caught, in a variable of the thread's, and as a rule on
 * the stack.  Its header is known by a class word ("GNUCC++\0", "CLNGC++\0");
 * the type_info before it gives the type's name, and through its bases the
 * message that std::logic_error and std::runtime_error keep.  Nothing of it is
 * trusted: each pointer is read through the target, lists and texts are
 * bounded.
 *
 * Facts: Itanium C++ ABI: Exception Handling, 2.2 (headers), C++ ABI, 2.9.5
 * (type_info); libsupc++'s unwind-cxx.h and libc++abi's cxa_exception.h, whose
 * headers agree as far as they are read here.
 */
#ifndef REPORT_EXCEPTION_H
#define REPORT_EXCEPTION_H

#include <stddef.h>

#include "target/target.h"

struct crash;
struct symbols;

enum { EXCEPTION_TYPE = 1024, EXCEPTION_TEXT = 4096 };

struct exception {
	int found;
	enum {
		EXCEPTION_UNCAUGHT,
		EXCEPTION_TERMINATE, /* std::terminate() in its handler */
		EXCEPTION_HANDLED    /* being handled, or uncaught */
	} how;
	char type[EXCEPTION_TYPE]; /* mangled */
	int handlers;		   /* that have begun and not ended */
	int have_text;
	char text[EXCEPTION_TEXT + 1]; /* what what() would say; hostile */
	int cut;		       /* there was more of it */
};

/*
 * The exception whose struct _Unwind_Exception is at header.  0, or -1 when
 * there is none.
 */
int exception_read(struct target *, uint64_t header, struct exception *);
/* The one that ended the first thread, or that it was handling (in the sense
 * of std::current_exception()); found says whether there is one. */
void exception_find(
    const struct crash *, struct symbols *, int signo, struct exception *);
/*
 * A type's name for a reader: "St12out_of_range" is std::out_of_range.  0, or
 * -1 when it takes more than names within names; out holds then the mangled
 * one.  n is at least 1; what does not fit ends in "...".
 */
int exception_type_name(const char *mangled, char *out, size_t n);

/* --- exceptiontext.c, for exception.c ------------------------------------ */

/* The name in a type_info; -1 when it is none. */
int exception_type(struct target *, uint64_t type, char *out, size_t n);
/* What kind of type a type_info is of: its own class's name, behind
 * "N10__cxxabiv1"; -1 when that is not one of the ABI's. */
int exception_type_kind(struct target *, uint64_t type, char *out, size_t n);
/* Fills in the words of an object of that type. */
void exception_words(
    struct target *, uint64_t type, uint64_t object, struct exception *);

#endif
