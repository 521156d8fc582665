/*
 * elfpackage: which package an ELF file is of, as it says itself.
 *
 * The note of owner "FDO" and type 0xcafe1a7e (section .note.package) holds
 * one JSON object, https://systemd.io/ELF_PACKAGE_METADATA.  It is hostile:
 * what is no such object counts as none, a value that is too long ends in
 * "...", one that is no string is passed over.
 */
#ifndef ELF_ELFPACKAGE_H
#define ELF_ELFPACKAGE_H

#include <stddef.h>

enum package_field {
	PACKAGE_NAME,
	PACKAGE_VERSION,
	PACKAGE_TYPE, /* "deb", "rpm", ... */
	PACKAGE_OS,
	PACKAGE_OS_VERSION,
	PACKAGE_ARCH,
	PACKAGE_DEBUGINFO, /* address of a debuginfod */
	PACKAGE_FIELDS
};

enum { PACKAGE_VALUE = 256 };

struct elf_package {
	char value[PACKAGE_FIELDS][PACKAGE_VALUE]; /* "" not told; hostile */
};

/* Key in the note. */
extern const char *const elf_package_key[PACKAGE_FIELDS];

/* From the bytes of a note segment; 1 when it names a package, 0 not. */
int elf_note_package(const void *notes, size_t len, struct elf_package *);

#endif
