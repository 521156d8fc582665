#include "report/panic.h"

#include <elf.h>
#include <string.h>

#include "out/escape.h"
#include "report/crash_dump.h"

enum {
	SIZE_MAX_PAYLOAD = 1 << 20,
	ALIGN_MAX = 4096,
	LINE_MAX_SANE = 1 << 24,
	/* sizes of what a payload is when it is text */
	STR = 16,	/* &str: where, how long */
	STRING = 24,	/* String: capacity and where in either order, length */
	FORMATTED = 32, /* FormatStringPayload: a String, the arguments */
	SCAN_MAX = 64 << 10,
	CALLERS = 48,	 /* looked at for who named the Location */
	BEFORE_CALL = 64 /* bytes of code */
};

/* A whole &str; 1 cut at n bytes, 0, -1 it is none. */
static int
read_str(struct target *t, uint64_t at, uint64_t len, char *out, size_t n)
{
	size_t want = len < n ? (size_t)len : n, i, k;
	unsigned cp;

	if (len == 0 || len >> 40 != 0 || target_read(t, at, out, want) != want)
		return -1;
	for (i = 0; i < want; i += k) {
		k = escape_utf8((unsigned char *)out + i, want - i, &cp);
		/* the last may be cut, or be the end of a name */
		if (k == 0 && want - i < 4 && want < len)
			break;
		if (k == 0 || (cp == 0 && i + 1 < want))
			return -1;
	}
	out[i] = '\0';
	return want < len;
}

/* Its file's name, with a NUL in its length since Rust 1.90. */
static int
read_location(struct target *t, uint64_t at, struct panic *p)
{
	uint64_t w[2];
	uint32_t place[2];
	size_t len;

	if (at % 8 != 0 || target_read(t, at, w, sizeof(w)) != sizeof(w) ||
	    target_read(t, at + sizeof(w), place, sizeof(place)) !=
		sizeof(place) ||
	    place[0] == 0 || place[0] > LINE_MAX_SANE || place[1] == 0 ||
	    place[1] > LINE_MAX_SANE ||
	    read_str(t, w[0], w[1], p->file, PANIC_FILE) != 0)
		return -1;
	p->line = place[0];
	p->column = place[1];
	len = strlen(p->file);
	return len > 3 && strcmp(p->file + len - 3, ".rs") == 0 ? 0 : -1;
}

static void
take_str(struct target *t, uint64_t at, uint64_t len, struct panic *p)
{
	int r = read_str(t, at, len, p->text, PANIC_TEXT);

	p->have_text = r != -1;
	p->cut = r == 1;
}

static void
take_string(struct target *t, const uint64_t w[3], struct panic *p)
{
	if (w[2] <= w[0] && w[0] >> 40 == 0)
		take_str(t, w[1], w[2], p);
	else if (w[2] <= w[1] && w[1] >> 40 == 0)
		take_str(t, w[0], w[2], p);
}

/* A trait object's vtable: what drops it, its size and alignment, methods. */
static int
read_vtable(struct target *t, uint64_t at, uint64_t *size)
{
	uint64_t w[4];

	if (at % 8 != 0 || target_read(t, at, w, sizeof(w)) != sizeof(w) ||
	    (w[0] != 0 && target_code(t, w[0]) == NULL) ||
	    w[1] > SIZE_MAX_PAYLOAD || w[2] == 0 || w[2] > ALIGN_MAX ||
	    (w[2] & (w[2] - 1)) != 0 || target_code(t, w[3]) == NULL)
		return -1;
	*size = w[1];
	return 0;
}

int
panic_read(struct target *t, uint64_t addr, struct panic *p, uint64_t *location)
{
	uint64_t w[4], size, s[4] = {0};
	size_t n;

	p->found = p->have_text = p->cut = 0;
	if (target_read(t, addr, w, sizeof(w)) != sizeof(w) ||
	    read_vtable(t, w[1], &size) == -1)
		return -1;
	/* before Rust 1.81 the arguments of the message stand between */
	*location = w[2];
	if (read_location(t, w[2], p) == -1) {
		*location = w[3];
		if (read_location(t, w[3], p) == -1)
			return -1;
	}
	p->found = 1;
	n = size == STR || size == STRING || size == FORMATTED ? size : 0;
	if (n == 0 || target_read(t, w[0], s, n) != n)
		return 0;
	if (n == STR)
		take_str(t, s[0], s[1], p);
	else if (n == STRING)
		take_string(t, s, p);
	else if (target_map(t, s[3]) == target_map(t, addr))
		take_string(t, s, p);
	else if (target_map(t, s[0]) == target_map(t, addr))
		take_string(t, s + 1, p);
	return 0;
}

/* --- whose it was ----------------------------------------------------------
 */

static int64_t
signed32(const unsigned char *p)
{
	int32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* lea value(%rip),reg or mov $value,reg */
static int
x86_names(const unsigned char *c, size_t n, uint64_t at, uint64_t value)
{
	size_t i;

	for (i = 0; i + 6 <= n; i++) {
		if (c[i] == 0x8d && (c[i + 1] & 0xc7) == 5 &&
		    at + i + 6 + (uint64_t)signed32(c + i + 2) == value)
			return 1;
		if ((c[i] & 0xf8) == 0xb8 &&
		    (uint64_t)signed32(c + i + 1) == value)
			return 1;
	}
	return 0;
}

/* adrp reg, page; add reg, reg, #rest (Arm ARM C6.2, ADRP, ADD immediate) */
static int
a64_names(const unsigned char *c, size_t n, uint64_t at, uint64_t value)
{
	uint32_t adrp, add;
	uint64_t page;
	size_t i, k;

	for (i = 0; i + 8 <= n; i += 4) {
		memcpy(&adrp, c + i, sizeof(adrp));
		if ((adrp & 0x9f000000) != 0x90000000)
			continue;
		page = (uint64_t)(adrp >> 5 & 0x7ffff) << 2 | (adrp >> 29 & 3);
		page = (uint64_t)((int64_t)(page << 43) >> 31);
		page += (at + i) & ~UINT64_C(0xfff);
		for (k = i + 4; k + 4 <= n; k += 4) {
			memcpy(&add, c + k, sizeof(add));
			if ((add & 0xffc00000) == 0x91000000 &&
			    (add >> 5 & 31) == (adrp & 31) &&
			    page + (add >> 10 & 0xfff) == value)
				return 1;
		}
	}
	return 0;
}

/* Does a caller of the frame that addr is in say it when it calls? */
static int
is_named(const struct crash *c, uint64_t addr, uint64_t location)
{
	const struct trace *tr = &c->t->threads[0].trace;
	unsigned char code[BEFORE_CALL];
	size_t i, n = tr->n < CALLERS ? tr->n : CALLERS, got;
	uint64_t at;

	for (i = 1; i < n; i++) {
		if (tr->f[i].sp <= addr)
			continue;
		at = tr->f[i].pc - sizeof(code);
		got = target_read(c->t, at, code, sizeof(code));
		if (got != sizeof(code))
			continue;
		if (c->t->machine == EM_X86_64
			? x86_names(code, got, at, location)
			: c->t->machine == EM_AARCH64 &&
			    a64_names(code, got, at, location))
			return 1;
	}
	return 0;
}

void
panic_find(const struct crash *c, struct panic *p)
{
	const struct trace *tr;
	uint64_t at, end, location, first = 0;
	struct panic next;

	memset(p, 0, sizeof(*p));
	if (c->t->nthreads == 0 || c->t->threads[0].trace.n < 2)
		return;
	tr = &c->t->threads[0].trace;
	end = tr->f[(tr->n < CALLERS ? tr->n : CALLERS) - 1].sp;
	at = tr->f[0].sp & ~UINT64_C(7);
	if (end - at > SCAN_MAX)
		end = at + SCAN_MAX;
	/* the innermost is the last; the same may stand there twice, and only
	 * once with its text */
	for (; at < end && !p->have_text; at += 8)
		if (panic_read(c->t, at, &next, &location) == 0 &&
		    (first == 0 ? is_named(c, at, location)
				: location == first && next.have_text)) {
			first = location;
			*p = next;
		}
}
