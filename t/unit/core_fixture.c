#include "core_fixture.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

void
add_note(struct buf *b, const char *name, uint32_t type, const void *d,
    size_t len, size_t align)
{
	Elf64_Nhdr n = {(uint32_t)strlen(name) + 1, (uint32_t)len, type};
	size_t start = b->len;

	buf_append(b, &n, sizeof(n));
	buf_append(b, name, n.n_namesz);
	while ((b->len - start) % align != 0)
		buf_append(b, "", 1);
	buf_append(b, d, len);
	while ((b->len - start) % align != 0)
		buf_append(b, "", 1);
}

void
add_thread(struct buf *b, int pid, size_t align)
{
	unsigned char st[336] = {0};
	uint64_t pc = 0x400000 + (uint64_t)pid;

	st[12] = 11;
	memcpy(st + 32, &pid, sizeof(pid));
	memcpy(st + 112 + 16 * 8, &pc, sizeof(pc));
	add_note(b, "CORE", NT_PRSTATUS, st, sizeof(st), align);
}

void
make_core(
    struct buf *core, uint64_t nseg, const struct buf *notes, size_t align)
{
	Elf64_Ehdr e = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64,
			    ELFDATA2LSB, EV_CURRENT},
	    .e_type = ET_CORE,
	    .e_machine = EM_X86_64,
	    .e_phoff = sizeof(e),
	    .e_phentsize = sizeof(Elf64_Phdr)};
	Elf64_Phdr ph = {.p_type = PT_NOTE, .p_align = align};
	uint64_t i, off = sizeof(e) + (nseg + 1) * sizeof(ph);

	e.e_phnum = nseg + 1 < PN_XNUM ? (uint16_t)(nseg + 1) : PN_XNUM;
	ph.p_offset = off;
	ph.p_filesz = notes->len;
	buf_append(core, &e, sizeof(e));
	buf_append(core, &ph, sizeof(ph));
	for (i = 0; i < nseg; i++) {
		memset(&ph, 0, sizeof(ph));
		ph.p_type = PT_LOAD;
		ph.p_offset = off + notes->len;
		ph.p_vaddr = 0x10000 + i * 0x2000;
		ph.p_memsz = 0x1000;
		ph.p_filesz = i == 0 ? 8 : 0;
		ph.p_flags = PF_R;
		buf_append(core, &ph, sizeof(ph));
	}
	buf_append(core, notes->p, notes->len);
	buf_append(core, "memory!!", 8);
}

int
as_file(const void *p, size_t len)
{
	char path[] = "/tmp/unit_corehead.XXXXXX";
	int fd = mkstemp(path);

	must(fd != -1 && unlink(path) == 0 && io_write_full(fd, p, len) == 0,
	    "temporary file");
	must(lseek(fd, 0, SEEK_SET) == 0, "lseek");
	return fd;
}

int
as_stream(const char *p, size_t len, size_t step, int socket, pid_t *child)
{
	int fd[2];
	size_t n;

	must((socket ? socketpair(AF_UNIX, SOCK_STREAM, 0, fd) : pipe(fd)) == 0,
	    "pipe");
	*child = fork();
	must(*child != -1, "fork");
	if (*child == 0) {
		close(fd[0]);
		for (; len != 0; p += n, len -= n) {
			n = step < len ? step : len;
			if (io_write_full(fd[1], p, n) == -1)
				_exit(1);
		}
		_exit(0);
	}
	close(fd[1]);
	return fd[0];
}
