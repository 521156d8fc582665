/*
 * Symbols that are not in the file itself: the separate debug file, found by
 * build-id, and MiniDebugInfo, an xz-compressed ELF file of just a .symtab in
 * the section .gnu_debugdata.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef HAVE_LZMA
#include <lzma.h>
#endif

#include "base/io.h"
#include "base/opener.h"
#include "elf/elffile.h"
#include "elf/elfsym.h"

const char *elfsym_debug_root = "/usr/lib/debug";
struct opener *elfsym_debug_opener;

int
elfsym_debug_path(
    const unsigned char *id, size_t idlen, char *path, size_t size)
{
	char hex[2 * ELFSYM_ID_MAX + 1];
	size_t i;
	int n;

	/* The first byte is the directory: an id of one is no name. */
	if (elfsym_debug_root == NULL || idlen < 2 || idlen > ELFSYM_ID_MAX)
		return -1;
	for (i = 0; i < idlen; i++)
		snprintf(hex + 2 * i, 3, "%02x", id[i]);
	n = snprintf(path, size, "%s/.build-id/%.2s/%s.debug",
	    elfsym_debug_root, hex, hex + 2);
	return n < 0 || (size_t)n >= size ? -1 : 0;
}

/* The file that is no ELF file of that build-id, in words. */
static const char *
debug_wrong(int fd)
{
	struct stat st;

	return fstat(fd, &st) == -1 || !S_ISREG(st.st_mode)
	    ? "the separate debug file is no regular file"
	    : "the separate debug file has another build-id";
}

static void
debug_resolve(const unsigned char *id, size_t idlen, struct elfsym_query *q,
    size_t n, const char **note)
{
	unsigned char own[ELFSYM_ID_MAX];
	char path[PATH_MAX];
	struct elf_file f;
	int fd;

	if (elfsym_debug_path(id, idlen, path, sizeof(path)) == -1)
		return;
	fd = elfsym_debug_opener != NULL
	    ? opener_open(elfsym_debug_opener, path)
	    : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd == -1) {
		if (errno == ETIMEDOUT)
			*note = "the file system of separate debug files did "
				"not answer in time";
		else if (errno != ENOENT && errno != ENOTDIR)
			*note = "the separate debug file cannot be opened";
		return;
	}
	if (elf_open(&f, fd) == -1)
		*note = debug_wrong(fd);
	else {
		if (elf_buildid(&f, own) != (int)idlen ||
		    memcmp(own, id, idlen) != 0)
			*note = debug_wrong(fd);
		else if (elf_resolve(&f, q, n) == -1)
			*note = "the separate debug file cannot be read";
		elf_close(&f);
	}
	close(fd);
}

#ifdef HAVE_LZMA
/* Decompressed symbols of the largest programs take some 10 MiB; the decoder
 * needs the dictionary, 8 MiB by default. */
#define MINI_MEM_MAX ((uint64_t)128 << 20)
#define MINI_OUT_MAX ((uint64_t)64 << 20)

static const char no_memory[] = "no memory to unpack MiniDebugInfo";

/* Section sh into outfd, by way of bufs, twice ELF_PIECE; NULL, or
 * what is wrong. */
static const char *
mini_decode(struct elf_file *f, const Elf64_Shdr *sh, lzma_stream *z,
    unsigned char *bufs, int outfd)
{
	uint64_t off = sh->sh_offset, left = sh->sh_size, total = 0;
	unsigned char *in = bufs, *out = bufs + ELF_PIECE;
	lzma_ret zr = LZMA_OK;
	size_t want, got;
	ssize_t r;

	while (zr != LZMA_STREAM_END) {
		if (z->avail_in == 0 && left != 0) {
			want = left < ELF_PIECE ? (size_t)left : ELF_PIECE;
			r = io_pread_full(f->fd, in, want, off);
			if (r <= 0)
				break;
			off += (uint64_t)r;
			left = (size_t)r < want ? 0 : left - want;
			z->next_in = in;
			z->avail_in = (size_t)r;
		}
		z->next_out = out;
		z->avail_out = ELF_PIECE;
		zr = lzma_code(z, left == 0 ? LZMA_FINISH : LZMA_RUN);
		if (zr != LZMA_OK && zr != LZMA_STREAM_END)
			break;
		got = ELF_PIECE - z->avail_out;
		total += got;
		if (total > MINI_OUT_MAX)
			return "MiniDebugInfo is larger than 64 MiB";
		if (io_write_full(outfd, out, got) == -1)
			return no_memory;
	}
	if (zr == LZMA_STREAM_END)
		return NULL;
	return zr == LZMA_MEMLIMIT_ERROR || zr == LZMA_MEM_ERROR
	    ? "MiniDebugInfo wants too much memory to unpack"
	    : "MiniDebugInfo is damaged";
}

static void
mini_resolve(struct elf_file *f, const Elf64_Shdr *sh, struct elfsym_query *q,
    size_t n, const char **note)
{
	lzma_stream z = LZMA_STREAM_INIT;
	unsigned char *bufs = malloc(2 * (size_t)ELF_PIECE);
	int fd = memfd_create("minidebuginfo", MFD_CLOEXEC);
	const char *why = no_memory;

	if (fd != -1 && bufs != NULL &&
	    lzma_stream_decoder(&z, MINI_MEM_MAX, 0) == LZMA_OK)
		why = mini_decode(f, sh, &z, bufs, fd);
	if (why == NULL && elfsym_resolve(fd, q, n) == -1)
		why = "MiniDebugInfo holds no ELF symbols";
	if (why != NULL)
		*note = why;
	lzma_end(&z);
	io_close(&fd);
	free(bufs);
}
#else
static void
mini_resolve(struct elf_file *f, const Elf64_Shdr *sh, struct elfsym_query *q,
    size_t n, const char **note)
{
	(void)f;
	(void)sh;
	(void)q;
	(void)n;
	*note = "MiniDebugInfo is there, but this build has no liblzma";
}
#endif

/* Six parameters: two counted arrays, the build-id and the queries. */
int
elfsym_kept_resolve(struct elf_file *f, const unsigned char *id, size_t idlen,
    struct elfsym_query *q, size_t n, const char **note)
{
	Elf64_Shdr sh;

	*note = NULL;
	if (f != NULL) {
		elf_resolve(f, q, n);
		elf_resolve_go(f, q, n);
	}
	if (elfsym_wanting(q, n))
		debug_resolve(id, idlen, q, n, note);
	if (f != NULL && elfsym_wanting(q, n) &&
	    elf_shdr_named(f, ".gnu_debugdata", &sh) == 0) {
		if (elf_shdr_plain(f, &sh))
			mini_resolve(f, &sh, q, n, note);
		else
			*note = "MiniDebugInfo is damaged";
	}
	if (f != NULL)
		elf_close(f);
	return f != NULL ? 0 : -1;
}

/* Six parameters: the same. */
int
elfsym_resolve_all(int fd, const unsigned char *id, size_t idlen,
    struct elfsym_query *q, size_t n, const char **note)
{
	struct elf_file f;
	int r = elf_open(&f, fd), saved = errno;

	elfsym_kept_resolve(r == 0 ? &f : NULL, id, idlen, q, n, note);
	errno = saved;
	return r;
}
