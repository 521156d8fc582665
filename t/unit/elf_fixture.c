#include "elf_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *elf_fixtures;

int
elf_fixture(const char *name)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", elf_fixtures, name);
	fd = open(path, O_RDONLY);
	must(fd != -1, path);
	return fd;
}

void
query_clear(struct elfsym_query *q, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		free(q[i].name);
		q[i] = (struct elfsym_query){.vaddr = q[i].vaddr};
	}
}

void
made_begin(struct made *m)
{
	Elf64_Sym none = {0};

	memset(m, 0, sizeof(*m));
	m->type = ET_DYN;
	m->machine = EM_X86_64;
	buf_append(&m->syms, &none, sizeof(none));
	buf_append(&m->strs, "", 1);
}

void
made_sym(struct made *m, const char *name, int bind, int type, uint64_t value,
    uint64_t size)
{
	Elf64_Sym s = {.st_name = (uint32_t)m->strs.len,
	    .st_info = (unsigned char)ELF64_ST_INFO(bind, type),
	    .st_shndx = m->undef ? SHN_UNDEF
		: m->xnum	 ? SHN_XINDEX
				 : 1,
	    .st_value = value,
	    .st_size = size};

	buf_append(&m->syms, &s, sizeof(s));
	buf_append(&m->strs, name, strlen(name) + 1);
}

int
made_temp(const void *p, size_t len)
{
	char path[] = "/tmp/unit_elfsym.XXXXXX";
	int fd = mkstemp(path);

	must(fd != -1 && unlink(path) == 0 && io_write_full(fd, p, len) == 0,
	    "temporary file");
	return fd;
}

int
made_end(struct made *m)
{
	static const char names[] = "\0.text\0.symtab\0.strtab\0.shstrtab"
				    "\0.gnu_debugdata";
	Elf64_Ehdr e = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64,
			    ELFDATA2LSB, EV_CURRENT},
	    .e_type = (Elf64_Half)m->type,
	    .e_machine = (Elf64_Half)m->machine,
	    .e_shoff = sizeof(e),
	    .e_shentsize = sizeof(Elf64_Shdr),
	    .e_shnum = 6,
	    .e_shstrndx = 4};
	Elf64_Shdr sh[6] = {{0},
	    {.sh_name = 1,
		.sh_type = SHT_NOBITS,
		.sh_flags = SHF_ALLOC | SHF_EXECINSTR,
		.sh_addr = TEXT,
		.sh_size = TEXT_LEN},
	    {.sh_name = 7,
		.sh_type = SHT_SYMTAB,
		.sh_link = 3,
		.sh_entsize = sizeof(Elf64_Sym),
		.sh_size = m->syms.len},
	    {.sh_name = 15, .sh_type = SHT_STRTAB, .sh_size = m->strs.len},
	    {.sh_name = 23, .sh_type = SHT_STRTAB, .sh_size = sizeof(names)},
	    {.sh_name = 33, .sh_type = SHT_PROGBITS, .sh_size = m->extra.len}};
	struct buf file = {0};
	int fd, i;

	sh[2].sh_offset = sizeof(e) + sizeof(sh);
	for (i = 3; i < 6; i++)
		sh[i].sh_offset = sh[i - 1].sh_offset + sh[i - 1].sh_size;
	if (m->xnum) {
		e.e_shnum = 0;
		e.e_shstrndx = SHN_XINDEX;
		sh[0].sh_size = 6;
		sh[0].sh_link = 4;
	}
	buf_append(&file, &e, sizeof(e));
	buf_append(&file, sh, sizeof(sh));
	buf_append(&file, m->syms.p, m->syms.len);
	buf_append(&file, m->strs.p, m->strs.len);
	buf_append(&file, names, sizeof(names));
	buf_append(&file, m->extra.p, m->extra.len);
	fd = made_temp(file.p, file.len);
	buf_free(&file);
	buf_free(&m->syms);
	buf_free(&m->strs);
	buf_free(&m->extra);
	return fd;
}
