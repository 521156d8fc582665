#include "exception_fixture.h"

#include <string.h>

void
put_word(unsigned char *m, unsigned at, uint64_t v)
{
	memcpy(m + at, &v, sizeof(v));
}

/* A type_info: its vtable, its name (at NAMES + i * 64). */
static void
type_info(unsigned char *m, unsigned at, unsigned vtable, unsigned i,
    const char *name)
{
	put_word(m, at, MEM + vtable);
	put_word(m, at + 8, MEM + NAMES + i * 64);
	strcpy((char *)m + NAMES + i * 64, name);
}

void
exception_fixture(unsigned char m[MEM_SIZE])
{
	memset(m, 0, MEM_SIZE);
	put_word(m, HEADER - 96, 1); /* references */
	put_word(m, HEADER - 80, MEM + TYPE);
	m[HEADER - 40] = 1; /* handlers */
	put_word(m, HEADER, UINT64_C(0x474e5543432b2b00));
	type_info(m, TYPE, VMI + 24, 0, "St12made_up_type");
	m[TYPE + 20] = 2; /* bases */
	put_word(m, TYPE + 24, MEM + PLAIN);
	put_word(m, TYPE + 32, 8 << 8 | 2);
	put_word(m, TYPE + 40, MEM + RUNTIME);
	put_word(m, TYPE + 48, 16 << 8 | 2); /* lies at 16 of the object */
	type_info(m, PLAIN, VMI + 24, 1, "5Plain"); /* no bases */
	type_info(m, RUNTIME, SI + 24, 2, "St13runtime_error");
	type_info(m, VMI, VMI, 3, "N10__cxxabiv121__vmi_class_type_infoE");
	put_word(m, VMI + 16, MEM + VMI);
	type_info(m, SI, SI, 4, "N10__cxxabiv120__si_class_type_infoE");
	put_word(m, SI + 16, MEM + SI);
	put_word(m, OBJECT + 24, MEM + TEXT);
	strcpy((char *)m + TEXT, "the words of it");
}

void
panic_fixture(unsigned char m[MEM_SIZE], int machine)
{
	/* lea LOCATION(%rip),%rdx; call; as adrp and add from that page */
	static const unsigned char x86[] = {0x48, 0x8d, 0x15};
	static const uint32_t a64[] = {0x90000002, 0x91000042 | LOCATION << 10};
	int32_t rel = LOCATION - (CALLER_CODE + 7);

	memset(m, 0, MEM_SIZE);
	put_word(m, HOOK, MEM + PAYLOAD);
	put_word(m, HOOK + 8, MEM + VTABLE);
	put_word(m, HOOK + 16, MEM + LOCATION);
	put_word(m, PAYLOAD, 64); /* a String: capacity, where, length */
	put_word(m, PAYLOAD + 8, MEM + WORDS);
	put_word(m, PAYLOAD + 16, 16);
	strcpy((char *)m + WORDS, "the words of it.and not this");
	put_word(m, VTABLE + 8, 24);
	put_word(m, VTABLE + 16, 8);
	put_word(m, VTABLE + 24, MEM + CALLER_CODE);
	put_word(m, LOCATION, MEM + PLACE_NAME);
	put_word(m, LOCATION + 8, 12);
	put_word(m, LOCATION + 16, 7 | UINT64_C(5) << 32);
	strcpy((char *)m + PLACE_NAME, "src/main.rs");
	if (machine == EM_X86_64) {
		memcpy(m + CALLER_CODE, x86, sizeof(x86));
		memcpy(m + CALLER_CODE + sizeof(x86), &rel, sizeof(rel));
	} else {
		memcpy(m + CALLER_CODE, a64, sizeof(a64));
	}
}

static ssize_t
piece_read(struct target *t, uint64_t addr, void *p, size_t len)
{
	const struct piece *m = t->src;
	uint64_t off = addr - MEM;

	if (off >= m->len)
		return -1;
	if (len > m->len - off)
		len = m->len - off;
	memcpy(p, m->p + off, len);
	return (ssize_t)len;
}

void
piece_target(struct target *t, struct piece *m, int machine)
{
	target_init(t);
	t->read = piece_read;
	t->src = m;
	t->machine = machine;
	t->arch = arch_find(machine);
}

void
piece_map(struct target *t, struct map *m)
{
	*m = (struct map){.start = MEM,
	    .end = MEM + MEM_SIZE,
	    .name = "",
	    .prot = MAP_R | MAP_W | MAP_X,
	    .module = -1};
	t->maps = m;
	t->nmaps = 1;
}
