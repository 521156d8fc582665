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

#include "elf/elfsym.h"

struct target;
struct ehtable;
struct symcache;

enum { MODULE_UNKNOWN, MODULE_NO, MODULE_YES };

struct module {
	uint64_t start, end; /* lowest to highest mapped address */
	uint64_t bias;	     /* address minus vaddr in the file */
	const char *path;    /* as mapped; "" unknown, "[vdso]" */
	const char *base;    /* its last component, baselen bytes of it: */
	size_t baselen;	     /* without " (deleted)" (proc(5)) */
	int fd;		     /* the file, -1 none; closed by target_free */
	const char *fdwhy;   /* why there is no file, or NULL */
	int isexec;	     /* the program itself (holds AT_ENTRY) */
	unsigned char id[ELFSYM_ID_MAX];
	size_t idlen;
	int headers; /* MODULE_*: program headers were found */
	/* unwind data; ehstate says whether it was looked for and found */
	int ehstate;
	uint64_t ehhdr;	     /* address of .eh_frame_hdr, 0 none */
	uint64_t ehtable;    /* address of its search table */
	uint64_t ehcount;    /* entries there */
	struct ehtable *own; /* made from .eh_frame, when there is none */
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
/* Finds the unwind data of a module; 1 when there is some. */
int module_unwind_data(struct target *, struct module *);
/* Sets base and baselen from path. */
void module_set_name(struct module *);
void modules_free(struct target *);

#endif
