/*
 * corehead: the head of an ELF core (file header, program headers, notes).
 *
 * Everything here comes from a core file or pipe and is hostile: each length,
 * offset and count is checked against the bytes at hand before use, and every
 * growth is bounded (CORE_HEAD_MAX).  Layouts: elf(5), core(5),
 * linux/elfcore.h, fs/binfmt_elf.c.  Both byte orders and classes are
 * recognised; only 64-bit cores of the host's byte order are decoded further
 * (errno ENOTSUP otherwise, with class and machine filled in; of a 32-bit
 * core in the host's byte order also the segments, thread ids, signals and
 * names, but no registers, auxv or files).
 */
#ifndef CORE_COREHEAD_H
#define CORE_COREHEAD_H

#include <elf.h>
#include <stddef.h>
#include <stdint.h>

#include "base/io.h"

/* Header, program headers and notes together: the kernel's own bounds are
 * 16 MiB of notes (core_file_note_size_limit) and 56 bytes a mapping. */
#define CORE_HEAD_MAX ((uint64_t)512 << 20)

struct core_seg { /* a PT_LOAD */
	uint64_t off, vaddr, filesz, memsz;
	uint32_t flags; /* PF_R, PF_W, PF_X */
};

struct core_thread { /* from NT_PRSTATUS and the notes that follow it */
	int pid;     /* thread id as the crashed process's namespace has it */
	int cursig;
	const unsigned char *regs; /* elf_gregset_t, in the notes' memory */
	size_t regslen;
};

struct core_file {		  /* one NT_FILE entry */
	uint64_t start, end, off; /* off in bytes */
	const char *name;	  /* NUL-terminated, in the notes' memory */
};

/*
 * A note of core_trim's own: what was mapped, as rows of three 64-bit words,
 * start, end and PF_*, in the order of the segments.  What it left out has no
 * segment, as readers take memory of one without contents for zeros.
 */
#define CORE_TRIMMED "usercrash"
enum { CORE_TRIMMED_MAPPED = 1 };

/* PT_NOTEs that are looked at; those who write cores make one. */
enum { CORE_NOTES_MAX = 8 };

struct core_note { /* a PT_NOTE with contents */
	uint64_t off, len, align;
	int apart;	 /* read by itself: its bytes are in notes, */
	size_t at, have; /* there, as many of them as the file has */
};

struct core_head {
	struct buf raw;	  /* the core's bytes [0, raw.len), as read */
	struct buf notes; /* of a file: PT_NOTEs far behind what is in raw */
	int elfclass, machine;
	struct core_seg *segs; /* PT_LOADs in file order */
	size_t nsegs;
	struct core_note note[CORE_NOTES_MAX];
	size_t nnotes;
	char owner[16]; /* of the first note ("CORE" of Linux); cut, "" none */
	/* from the notes; the first thread is the one that dumped (core(5)) */
	struct core_thread *threads;
	size_t nthreads;
	struct core_file *files;
	size_t nfiles;
	struct core_seg *mapped; /* of one that was trimmed; filesz is 0 */
	size_t nmapped;
	int have_siginfo;
	int signo, sicode, sierrno;
	uint64_t siaddr;  /* si_addr; valid for SEGV, BUS, ILL, FPE, TRAP */
	int sipid, siuid; /* valid where sicode <= 0 (SI_USER, SI_TKILL) */
	const unsigned char *auxv; /* of a 64-bit core */
	size_t auxvlen;
	const unsigned char *tls; /* 8 bytes: aarch64's thread pointer of the
				     first thread, or NULL */
	const unsigned char *anyauxv; /* whatever its class */
	size_t anyauxvlen;
	int have_psinfo;
	int pspid, psuid, psgid;
	char psname[17];     /* pr_fname, comm of the thread that dumped */
	char psargs[81];     /* pr_psargs */
	const char *trouble; /* why notes are partial, or NULL */
	/* private: e_phnum from section header 0 (files with PN_XNUM), and
	 * whether fd is a stream, where memory contents must not be read, or a
	 * file, where they need not be */
	uint64_t phnum;
	int stream, file;
};

/*
 * Reads from a pipe or socket exactly up to the end of the notes, never a
 * byte of memory contents, so that the stream can be handed on.  deadline as
 * in base/deadline.h (ETIMEDOUT).  ENOEXEC: not an ELF core.  ENODATA: the
 * stream ended early.  EFBIG: CORE_HEAD_MAX.  Whatever the error, what was
 * read is in h->raw and what could be decoded of it is.  *h need not be
 * initialised.  0 or -1; core_head_free() in either case.
 */
int core_head_read(int fd, int64_t deadline, struct core_head *h);
/*
 * The same from a file by pread: what stands between the program headers and
 * notes far behind them is not read (gdb writes the notes last).  Handles
 * PN_XNUM through section header 0.
 */
int core_head_pread(int fd, struct core_head *h);
/*
 * The parsers alone, for both and for fuzzing: *h is all zero but for h->raw,
 * which holds the first bytes of a core.  core_head_need() says how many must
 * be there for the next step: > raw.len means read on up to exactly that
 * many, 0 complete, -1 bad (errno as above).  core_head_decode() fills in
 * what the bytes at hand give; it points into h->raw, so call it last, or
 * again after raw has grown.  -1 with errno when that is not all.
 */
int64_t core_head_need(struct core_head *h);
int core_head_decode(struct core_head *h);
void core_head_free(struct core_head *h);
/* Program header i, whatever the class; 0 when there is none, or it is not
 * among the bytes at hand. */
int core_head_phdr(struct core_head *h, uint64_t i, Elf64_Phdr *ph);
/*
 * The value of auxv entry `type' (AT_*), or dflt.  auxv as a 64-bit core of
 * the host's byte order has it.
 */
uint64_t
core_auxv(const unsigned char *auxv, size_t len, uint64_t type, uint64_t dflt);
/*
 * Whether two auxv, both from the kernel, are of one memory image: the same up
 * to AT_NULL, with AT_RANDOM among them, an address on the stack that address
 * randomisation makes unlike any other process's.  One that is cut proves
 * nothing.  wordlen is 8, or 4 for a 32-bit core's.
 */
int core_auxv_same(const unsigned char *a, size_t alen, const unsigned char *b,
    size_t blen, size_t wordlen);

#endif
