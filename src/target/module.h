/*
 * module: the ELF objects among a target's mappings.
 *
 * A module is a run of mappings of one file that begins with an ELF header.
 * Its headers are read from the target's memory, or from its file where
 * memory has none (a core without that page); both are hostile.
 */
#ifndef TARGET_MODULE_H
#define TARGET_MODULE_H

#include <stddef.h>
#include <stdint.h>

#include "elf/elfpackage.h"
#include "elf/elfsym.h"

struct target;
struct ehtable;
struct gopclntab;
struct symcache;

enum { MODULE_UNKNOWN, MODULE_NO, MODULE_YES };

enum { MODULE_DEBUGS = 4 };

/* A separate debug file of a core's module. */
struct moddebug {
	int fd;
	int unchecked; /* found by .gnu_debuglink: its checksum has to be */
	uint32_t crc;
};

struct module {
	uint64_t start, end;   /* lowest to highest mapped address */
	uint64_t bias;	       /* address minus vaddr in the file */
	const char *path;      /* as mapped; "" unknown, "[vdso]" */
	const char *base;      /* its last component, baselen bytes of it: */
	size_t baselen;	       /* without " (deleted)" (proc(5)) */
	int fd;		       /* the file, -1 none; closed by target_free */
	const char *fdwhy;     /* why there is no file, or NULL */
	struct elf_file *kept; /* of it what was read, or NULL (elf/elfsym.h) */
	/* opened by the name that a core gives it: to be proven the same; then
	 * what is not quite proven, or NULL */
	int byname;
	int judged; /* what was found then (target/modhead.h) */
	const char *doubt;
	int namesonly; /* a file of symbols alone: not what was mapped */
	/* files that may have its symbols; closed by target_free */
	struct moddebug debug[MODULE_DEBUGS];
	unsigned ndebugs;
	int isexec; /* the program itself (holds AT_ENTRY) */
	unsigned char id[ELFSYM_ID_MAX];
	size_t idlen;
	/* MODULE_*: program headers were found.  Without any the bias is that
	 * of an object whose first segment has address 0. */
	int headers;
	int code;	  /* has executable mappings; 2: beyond doubt */
	uint64_t spanned; /* its end by the headers in memory; 0 none there */
	/* unwind data; ehstate says whether it was looked for and found */
	int ehstate;
	uint64_t ehhdr;	     /* address of .eh_frame_hdr, 0 none */
	uint64_t ehtable;    /* address of its search table */
	uint64_t ehcount;    /* entries there */
	struct ehtable *own; /* made from .eh_frame, when there is none */
	uint64_t entry;	     /* where the file says to begin, 0 nowhere */
	int gostate;	     /* MODULE_*: a Go program's table was found: */
	struct gopclntab *go;
	/* where its symbols are remembered, NULL nowhere; and as whose */
	struct symcache *syms;
	uint64_t symkey;
};

/* Groups t->maps into t->mods and sets map.module; 0 or -1 ENOMEM. */
int modules_find(struct target *);
/*
 * Reads headers, bias and build-id of each module; to be called once the
 * files are attached and privileges dropped.
 */
void modules_load(struct target *);
/* Where its symbols are: its file, or for the vdso, which has none, a copy that
 * is made when first asked for.  -1 there is none. */
int module_file(struct target *, struct module *);
/* Finds the unwind data of a module; 1 when there is some. */
int module_unwind_data(struct target *, struct module *);
/* The table of a Go program, read when first asked for; NULL: there is none. */
struct gopclntab *module_go(struct module *);
/* The package a module is of, by its own note; 1 when it tells. */
int
module_package(struct target *, const struct module *, struct elf_package *);
/* Sets base and baselen from path. */
void module_set_name(struct module *);

#endif
