/*
 * sections: what a report is made of; private to this room.
 *
 * A new section is a function of type section_fn, a row of the table in
 * crash_dump.c, a paragraph of usercrash-report(5) and a test.  It opens
 * itself with out_section(), or says why not with out_unavailable(); its title
 * is the row's and its end follows by itself.
 */
#ifndef REPORT_SECTIONS_H
#define REPORT_SECTIONS_H

#include "report/crash_dump.h"
#include "unwind/symbols.h"

typedef void section_fn(const struct crash *, struct symbols *, struct out *);

/* report/threads.c */
section_fn dump_backtrace, dump_registers, dump_fault_registers, dump_threads;
/* report/memory.c */
section_fn dump_memory, dump_code, dump_stack;
/* report/process.c */
section_fn dump_files, dump_maps, dump_modules;
section_fn dump_limits, dump_status, dump_environ;

/* The first block's keys about the fault (faultkeys.c). */
void dump_fault(const struct fault *, struct out *);
/* The first block up to its signal (head.c). */
void dump_head(const struct crash *, struct out *);
/* Key, number, name: "signal: 11 SIGSEGV" (faultkeys.c). */
void number_and_name(struct out *, const char *key, const char *namekey, int n,
    const char *name);
/* The first block's keys from /proc and the command line (process.c). */
void dump_identity(const struct crash *, struct out *);
/* Those that tell where it came from (origin.c). */
void dump_origin(const struct crash *, struct out *);
/* A value of a row: name and version; the rest in JSON (origin.c). */
void dump_package(const struct elf_package *, struct out *);
/* The program's own package, once modules are loaded (origin.c). */
void dump_program_package(const struct crash *, struct out *);
/* A key of the first block that is not known (out_unavailable() would end the
 * block; faultkeys.c). */
void key_unavailable(struct out *, const char *key, const char *why);

/* Adds the code addresses among the stack's words to what is to be named
 * (memory.c).  -1 ENOMEM. */
int stack_symbols(const struct crash *, struct symbols *);

#endif
