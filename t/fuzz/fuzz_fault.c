/*
 * fuzz_fault: what report/exception.c, report/panic.c and target/sigframe.c
 * make of memory.
 *
 * The input is memory at MEM.  At each multiple of 16 stands an exception's
 * class word in turn; a signal frame and a panic are looked for there, too.
 */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/exception_fixture.h"
#include "fuzz.h"
#include "report/exception.h"
#include "report/panic.h"
#include "target/sigframe.h"

static void
check_exception(struct target *t, uint64_t at)
{
	struct exception e;
	char name[32];

	if (exception_read(t, at, &e) == -1)
		return;
	if (!e.found || memchr(e.type, '\0', sizeof(e.type)) == NULL ||
	    memchr(e.text, '\0', sizeof(e.text)) == NULL)
		abort();
	exception_type_name(e.type, name, sizeof(name));
	if (memchr(name, '\0', sizeof(name)) == NULL)
		abort();
}

static void
check_frame(struct target *t, uint64_t at)
{
	struct regs now = {.n = t->arch->gregs};
	struct sigframe f;

	if (sigframe_read(t, at, &now, &f) == -1)
		return;
	/* the frame's own registers find it again, or another one */
	now = f.regs;
	sigframe_left(t, &now, &f);
}

static void
check_panic(struct target *t, uint64_t at)
{
	struct panic p;
	uint64_t location;

	if (panic_read(t, at, &p, &location) == -1)
		return;
	if (!p.found || p.line == 0 || p.column == 0 || location % 8 != 0 ||
	    memchr(p.file, '\0', sizeof(p.file)) == NULL ||
	    (p.have_text && memchr(p.text, '\0', sizeof(p.text)) == NULL))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const uint64_t classes[] = {UINT64_C(0x474e5543432b2b00),
	    UINT64_C(0x474e5543432b2b01), UINT64_C(0x434c4e47432b2b00),
	    UINT64_C(0x434c4e47432b2b01)};
	static const int machines[] = {EM_X86_64, EM_AARCH64};
	unsigned char m[MEM_SIZE] = {0};
	struct piece p = {m, len < MEM_SIZE ? len : MEM_SIZE};
	struct target t;
	struct map map;
	size_t at;

	memcpy(m, data, p.len);
	/* the input says where, and which */
	at = p.len > 2 ? (data[0] | data[1] << 8) % (p.len - 1) & ~15u : 0;
	if (at + 8 <= p.len && data[2] & 1)
		memcpy(m + at, &classes[data[2] >> 1 & 3], 8);
	piece_target(&t, &p, machines[p.len > 2 ? data[2] >> 3 & 1 : 0]);
	check_exception(&t, MEM + HEADER);
	check_exception(&t, MEM + at);
	check_frame(&t, MEM + at);
	piece_map(&t, &map);
	check_panic(&t, MEM + HOOK);
	check_panic(&t, MEM + at);
	t.maps = NULL;
	t.nmaps = 0;
	target_free(&t);
	return 0;
}
