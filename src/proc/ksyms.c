#include "proc/ksyms.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/io.h"
#include "base/num.h"

enum { KALLSYMS_MAX = 256 << 20, STEP = 1 << 20 };
#define REACH ((uint64_t)1 << 20)

struct entry {
	uint64_t addr;
	uint32_t name, module; /* in text; module 0: none */
};

struct ksyms {
	char *text;
	struct entry *e;
	size_t n;
};

/* ADDRESS TYPE NAME[\t[MODULE]] (proc(5), kernel/kallsyms.c) */
static int
parse_line(struct ksyms *k, char *line, char *nl, int *hidden)
{
	const char *p;
	char *name, *tab;
	struct entry *e = &k->e[k->n];

	if (num_scan(line, nl, 16, &e->addr, &p) == -1 || nl - p < 4 ||
	    p[0] != ' ' || p[2] != ' ')
		return -1;
	if (strchr("tTwW", p[1]) == NULL)
		return 0;
	if (e->addr == 0) { /* or one for each CPU, but these are no code */
		*hidden = 1;
		return 0;
	}
	name = k->text + (p + 3 - k->text);
	e->name = (uint32_t)(name - k->text);
	e->module = 0;
	*nl = '\0';
	tab = memchr(name, '\t', (size_t)(nl - name));
	if (tab != NULL) {
		*tab = '\0';
		if (tab[1] == '[' && nl[-1] == ']' && nl - tab > 3) {
			nl[-1] = '\0';
			e->module = (uint32_t)(tab + 2 - k->text);
		}
	}
	k->n++;
	return 0;
}

static int
by_addr(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->addr != y->addr)
		return x->addr > y->addr ? 1 : -1;
	/* of several names the kernel's first */
	return (x->name > y->name) - (x->name < y->name);
}

struct ksyms *
ksyms_parse(char *text, size_t len)
{
	struct ksyms *k = calloc(1, sizeof(*k));
	size_t lines = 0, i, n = 0;
	char *p, *nl, *end = text + len;
	int hidden = 0, err = ENODATA;
	void *shrunk;

	for (p = text; p < end; p = nl + 1, lines++)
		if ((nl = memchr(p, '\n', (size_t)(end - p))) == NULL)
			break;
	if (k != NULL) {
		k->text = text;
		k->e = calloc(lines + 1, sizeof(*k->e));
	}
	if (k == NULL || k->e == NULL || len >= UINT32_MAX) {
		free(k);
		free(text);
		errno = len >= UINT32_MAX ? EFBIG : ENOMEM;
		return NULL;
	}
	for (p = text; p < end; p = nl + 1) {
		nl = memchr(p, '\n', (size_t)(end - p));
		if (nl == NULL)
			break;
		if (parse_line(k, p, nl, &hidden) == -1) {
			err = EINVAL;
			break;
		}
	}
	if (k->n == 0) {
		ksyms_free(k);
		errno = hidden ? EACCES : err;
		return NULL;
	}
	qsort(k->e, k->n, sizeof(*k->e), by_addr);
	for (i = 0; i < k->n; i++)
		if (n == 0 || k->e[i].addr != k->e[n - 1].addr)
			k->e[n++] = k->e[i];
	k->n = n;
	shrunk = realloc(k->e, n * sizeof(*k->e));
	if (shrunk != NULL)
		k->e = shrunk;
	return k;
}

struct ksyms *
ksyms_open(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct ksyms *k;

	if (fd == -1)
		return NULL;
	k = ksyms_read(fd);
	io_close(&fd);
	return k;
}

struct ksyms *
ksyms_read(int fd)
{
	struct buf b = {0};
	ssize_t n = 1;

	while (n > 0 && b.len < KALLSYMS_MAX) {
		if (buf_reserve(&b, STEP) == -1)
			break;
		n = io_read_full(fd, b.p + b.len, STEP);
		b.len += n > 0 ? (size_t)n : 0;
	}
	if (n != 0) {
		buf_free(&b);
		return NULL;
	}
	if (b.len == 0) {
		buf_free(&b);
		errno = ENODATA;
		return NULL;
	}
	return ksyms_parse(b.p, b.len);
}

void
ksyms_free(struct ksyms *k)
{
	if (k == NULL)
		return;
	free(k->e);
	free(k->text);
	free(k);
}

int
ksyms_find(const struct ksyms *k, uint64_t addr, struct ksym *out)
{
	size_t n = ARRAY_ABOVE(k->e, k->n, addr, addr);
	const struct entry *e;

	if (n == 0 || addr - k->e[n - 1].addr > REACH)
		return fails(ENOENT);
	e = &k->e[n - 1];
	out->name = k->text + e->name;
	out->module = e->module != 0 ? k->text + e->module : NULL;
	out->off = addr - e->addr;
	return 0;
}
