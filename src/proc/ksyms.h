/*
 * ksyms: names for kernel addresses, from /proc/kallsyms.
 *
 * The kernel's own text; its format is checked all the same.  Only symbols of
 * code are kept.
 */
#ifndef PROC_KSYMS_H
#define PROC_KSYMS_H

#include <stddef.h>
#include <stdint.h>

struct ksyms;

struct ksym {
	const char *name;   /* valid until ksyms_free() */
	const char *module; /* NULL: the kernel itself */
	uint64_t off;
};

/* NULL with errno: EACCES when all addresses are hidden (kptr_restrict of
 * proc(5), or no CAP_SYSLOG), ENODATA when there are none. */
struct ksyms *ksyms_open(const char *path);
/* The same of what is open there: whose rights count is who opened it. */
struct ksyms *ksyms_read(int fd);
/* The same of text, which is cut into names in place, and free()d with the
 * symbols, or at once on failure. */
struct ksyms *ksyms_parse(char *text, size_t len);
void ksyms_free(struct ksyms *);
/* 0, or -1 ENOENT: below the first symbol, or more than 1 MiB above one. */
int ksyms_find(const struct ksyms *, uint64_t addr, struct ksym *);

#endif
