#include "core/corekind.h"

#include <elf.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/io.h"

enum { PHDRS_MAX = 65536 };

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define HOST_DATA ELFDATA2LSB
#else
#define HOST_DATA ELFDATA2MSB
#endif

/* elf.h; those without a name in older ones by number. */
static const struct {
	int machine;
	const char *name;
} machines[] = {{EM_386, "i386"}, {EM_X86_64, "x86_64"}, {EM_ARM, "arm"},
    {EM_AARCH64, "aarch64"}, {EM_MIPS, "mips"}, {EM_MIPS_RS3_LE, "mips"},
    {EM_PPC, "ppc"}, {EM_PPC64, "ppc64"}, {EM_S390, "s390"},
    {EM_RISCV, "riscv"}, {EM_SPARC, "sparc"}, {EM_SPARC32PLUS, "sparc"},
    {EM_SPARCV9, "sparc64"}, {EM_68K, "m68k"}, {EM_SH, "sh"},
    {EM_ALPHA, "alpha"}, {0x9026, "alpha"}, {EM_IA_64, "ia64"},
    {EM_PARISC, "parisc"}, {EM_XTENSA, "xtensa"}, {EM_VAX, "vax"},
    {EM_MICROBLAZE, "microblaze"}, {EM_OPENRISC, "openrisc"}, {164, "hexagon"},
    {195, "arc"}, {EM_ARC_COMPACT, "arc"}, {EM_ALTERA_NIOS2, "nios2"},
    {EM_CSKY, "csky"}, {258, "loongarch"}};

/* Who writes notes, and what EI_OSABI says. */
static const struct {
	const char *owner;
	int osabi;
	const char *name;
} systems[] = {{"NetBSD-CORE", ELFOSABI_NETBSD, "NetBSD"},
    {"FreeBSD", ELFOSABI_FREEBSD, "FreeBSD"},
    {"OpenBSD", ELFOSABI_OPENBSD, "OpenBSD"}, {"DragonFly", -1, "DragonFly"},
    {NULL, ELFOSABI_SOLARIS, "Solaris"}, {NULL, ELFOSABI_HPUX, "HP-UX"},
    {NULL, ELFOSABI_AIX, "AIX"}, {NULL, ELFOSABI_IRIX, "Irix"},
    {NULL, ELFOSABI_TRU64, "Tru64"}, {"QNX", -1, "QNX"}, {"Xen", -1, "Xen"},
    {"VMCOREINFO", -1, "the kernel itself"}};

/* The n bytes of a number at p, in the core's byte order. */
static uint64_t
number(const struct core_kind *k, const unsigned char *p, size_t n)
{
	uint64_t v = 0;
	size_t i;

	for (i = 0; i < n; i++)
		v = v << 8 | p[k->big ? i : n - 1 - i];
	return v;
}

/* The owner of the first note, as far as it is there; "" none. */
static void
first_owner(int fd, const struct core_kind *k, const unsigned char *e,
    char *owner, size_t size)
{
	int wide = k->elfclass == ELFCLASS64;
	size_t step = wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr), i, n;
	uint64_t off = number(k, e + (wide ? 32 : 28), wide ? 8 : 4), at;
	unsigned char ph[sizeof(Elf64_Phdr)], nh[sizeof(Elf64_Nhdr)];

	*owner = '\0';
	n = (size_t)number(k, e + (wide ? 56 : 44), 2);
	for (i = 0; i < n && i < PHDRS_MAX && off < (uint64_t)INT64_MAX - step;
	     i++) {
		if (io_pread_full(fd, ph, step, off) != (ssize_t)step)
			return;
		off += step;
		if (number(k, ph, 4) != PT_NOTE)
			continue;
		at = number(k, ph + (wide ? 8 : 4), wide ? 8 : 4);
		if (at > INT64_MAX - 4096 ||
		    io_pread_full(fd, nh, sizeof(nh), at) != sizeof(nh))
			return;
		n = (size_t)number(k, nh, 4);
		n = n < size - 1 ? n : size - 1;
		n = (size_t)io_pread_full(fd, owner, n, at + sizeof(nh));
		owner[n <= size - 1 ? n : 0] = '\0';
		return;
	}
}

int
core_kind_ident(
    const unsigned char *e, size_t len, int type, struct core_kind *k)
{
	memset(k, 0, sizeof(*k));
	if (len < CORE_KIND_IDENT || memcmp(e, ELFMAG, SELFMAG) != 0)
		return 0;
	k->elfclass = e[EI_CLASS];
	k->big = e[EI_DATA] == ELFDATA2MSB;
	k->swapped = e[EI_DATA] != HOST_DATA;
	k->machine = (int)number(k, e + 18, 2);
	return (k->elfclass == ELFCLASS64 || k->elfclass == ELFCLASS32) &&
	    (k->big || e[EI_DATA] == ELFDATA2LSB) &&
	    (type == ET_NONE || number(k, e + 16, 2) == (uint64_t)type);
}

int
core_kind(int fd, struct core_kind *k)
{
	unsigned char e[sizeof(Elf64_Ehdr)] = {0};
	ssize_t len = io_pread_full(fd, e, sizeof(e), 0);
	char owner[24];
	size_t i;

	if (len == -1)
		return -1;
	if (!core_kind_ident(e, (size_t)len, ET_CORE, k))
		return fails(ENOEXEC);
	first_owner(fd, k, e, owner, sizeof(owner));
	for (i = 0; i < NELEM(systems) && k->system == NULL; i++)
		if ((systems[i].owner != NULL &&
			strncmp(owner, systems[i].owner,
			    strlen(systems[i].owner)) == 0) ||
		    (systems[i].osabi != -1 && e[EI_OSABI] == systems[i].osabi))
			k->system = systems[i].name;
	return 0;
}

const char *
core_machine_name(int machine)
{
	size_t i;

	for (i = 0; i < NELEM(machines); i++)
		if (machines[i].machine == machine)
			return machines[i].name;
	return NULL;
}

void
core_kind_text(const struct core_kind *k, char *text, size_t size)
{
	const char *name = core_machine_name(k->machine);
	char number_of[32];

	if (name == NULL)
		snprintf(
		    number_of, sizeof(number_of), "machine %d", k->machine);
	snprintf(text, size, "%s-bit %s%s%s%s%s",
	    k->elfclass == ELFCLASS32 ? "32" : "64",
	    k->swapped ? k->big ? "big-endian " : "little-endian " : "",
	    name != NULL ? name : number_of,
	    k->elfclass == ELFCLASS32 && k->machine == EM_X86_64 ? " (x32)"
								 : "",
	    k->system != NULL ? ", " : "", k->system != NULL ? k->system : "");
}
