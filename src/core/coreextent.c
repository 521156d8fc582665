#include "core/coreextent.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"

#define EXTENT_MAX ((uint64_t)1 << 62)

struct sections {
	uint64_t off, size, num, phnum;
};

static int
invalid(void)
{
	return fails(EINVAL);
}

/* The section headers that the file header tells of. */
static int
find_sections(const struct core_head *h, struct sections *s)
{
	Elf64_Ehdr e;
	Elf32_Ehdr e32;

	if (h->elfclass == ELFCLASS64 && h->raw.len >= sizeof(e)) {
		memcpy(&e, h->raw.p, sizeof(e));
		s->off = e.e_shoff;
		s->size = e.e_shentsize;
		s->num = e.e_shnum;
		s->phnum = e.e_phnum;
	} else if (h->elfclass == ELFCLASS32 && h->raw.len >= sizeof(e32)) {
		memcpy(&e32, h->raw.p, sizeof(e32));
		s->off = e32.e_shoff;
		s->size = e32.e_shentsize;
		s->num = e32.e_shnum;
		s->phnum = e32.e_phnum;
	} else {
		return invalid();
	}
	return 0;
}

int
core_extent(struct core_head *h, struct core_extent *e)
{
	uint64_t i, end, load = 0;
	struct sections s;
	Elf64_Phdr ph;

	memset(e, 0, sizeof(*e));
	if (find_sections(h, &s) == -1 || !core_head_phdr(h, 0, &ph))
		return invalid();
	e->plain = h->elfclass == ELFCLASS64;
	e->size = h->raw.len;
	for (i = 0; core_head_phdr(h, i, &ph); i++) {
		if (ph.p_filesz == 0)
			continue;
		if (__builtin_add_overflow(ph.p_offset, ph.p_filesz, &end) ||
		    end > EXTENT_MAX)
			return invalid();
		if (ph.p_type == PT_LOAD) {
			if (ph.p_offset < load || ph.p_offset < h->raw.len ||
			    ph.p_filesz > ph.p_memsz ||
			    ph.p_vaddr > UINT64_MAX - ph.p_filesz)
				e->plain = 0;
			load = end;
		} else if (ph.p_type != PT_NOTE || end > h->raw.len) {
			e->plain = 0;
		}
		if (end > e->size)
			e->size = end;
	}
	e->phnum = i;
	if (s.num == 0 || s.off == 0)
		return 0;
	if (s.off > EXTENT_MAX - s.num * s.size)
		return invalid();
	end = s.off + s.num * s.size;
	if (s.phnum == PN_XNUM && s.num == 1 && s.size == sizeof(Elf64_Shdr) &&
	    s.off == e->size)
		e->tail = sizeof(Elf64_Shdr);
	else
		e->plain = 0;
	if (end > e->size)
		e->size = end;
	return 0;
}

/* fill_extnum_info() */
void
core_extent_tail(const struct core_extent *e, Elf64_Shdr *sh)
{
	memset(sh, 0, sizeof(*sh));
	sh->sh_type = SHT_NULL;
	sh->sh_size = 1;
	sh->sh_link = SHN_UNDEF;
	sh->sh_info = (uint32_t)e->phnum;
}

uint64_t
core_memory_end(const struct core_head *h)
{
	uint64_t most = 0, end;
	size_t i;

	for (i = 0; i < h->nsegs; i++) {
		end = h->segs[i].off + h->segs[i].filesz;
		if (h->segs[i].filesz > 0 && end > most)
			most = end;
	}
	return most;
}
