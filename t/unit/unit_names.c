/*
 * unit_names FIXTURES: elf/gopclntab and elf/perfmap, with tables that are
 * genuine, cut and forged.
 */
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/io.h"
#include "elf/elfsym.h"
#include "elf/gopclntab.h"
#include "elf/perfmap.h"

#include "check.h"

static unsigned char table[16384];
static size_t tablelen;

static int
file_of(const void *p, size_t n)
{
	int fd = memfd_create("names", MFD_CLOEXEC);

	must(fd != -1 && io_write_full(fd, p, n) == 0, "memfd");
	return fd;
}

static void
read_fixture(const char *dir)
{
	char path[4096];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/go.gopclntab", dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	must(fd != -1, path);
	n = io_read_full(fd, table, sizeof(table));
	must(n > 0, path);
	tablelen = (size_t)n;
	close(fd);
}

/* What objdump and the Go runtime say of the functions of the fixture. */
static void
test_go_genuine(void)
{
	int fd = file_of(table, tablelen);
	struct gopclntab *t = gopclntab_at(fd, 0, tablelen, 0);
	struct gofunc f;
	uint64_t size = 1;
	char *name;

	CHECK(t != NULL);
	if (t == NULL)
		return;
	CHECK(gopclntab_find(t, 0x401000, &f) == 0 && f.start == 0x401000);
	name = gopclntab_name(t, &f);
	CHECK(name != NULL && strcmp(name, "internal/cpu.Initialize") == 0);
	free(name);
	CHECK(gopclntab_frame(t, &f, 0x401000, &size) == 0 && size == 0);
	CHECK(gopclntab_frame(t, &f, 0x401020, &size) == 0 && size > 0);
	CHECK(gopclntab_find(t, 0x400fff, &f) == -1 && errno == ENOENT);
	CHECK(gopclntab_find(t, 0x500000, &f) == -1 && errno == ENOENT);
	gopclntab_free(t);
	close(fd);
}

/* Cut anywhere: found or not, never read beyond; every byte forged in turn. */
static void
test_go_bad(void)
{
	static unsigned char bad[sizeof(table)];
	struct gopclntab *t;
	struct gofunc f;
	uint64_t size;
	size_t i;
	int fd;

	for (i = 0; i < tablelen; i += 7) {
		fd = file_of(table, i);
		t = gopclntab_at(fd, 0, i, 0);
		CHECK(i >= 72 || t == NULL);
		if (t != NULL && gopclntab_find(t, 0x401010, &f) == 0) {
			free(gopclntab_name(t, &f));
			gopclntab_frame(t, &f, 0x401010, &size);
		}
		gopclntab_free(t);
		close(fd);
	}
	for (i = 0; i < 72; i++) {
		memcpy(bad, table, tablelen);
		bad[i] ^= 0xff;
		fd = file_of(bad, tablelen);
		t = gopclntab_at(fd, 0, tablelen, 0);
		CHECK(i >= 8 || t == NULL);
		if (t != NULL && gopclntab_find(t, 0x401010, &f) == 0)
			free(gopclntab_name(t, &f));
		gopclntab_free(t);
		close(fd);
	}
}

/* A file without sections is looked through: no ELF, none in it. */
static void
test_go_open(const char *dir)
{
	char path[4096];
	int fd = file_of(table, tablelen);

	CHECK(gopclntab_open(fd) == NULL && errno == ENOEXEC);
	close(fd);
	snprintf(path, sizeof(path), "%s/lib-noshdr.elf", dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(gopclntab_open(fd) == NULL && errno == ENOENT);
	close(fd);
}

static void
test_perfmap(const char *dir)
{
	struct elfsym_query q[] = {{.vaddr = 5}, {.vaddr = 0x100},
	    {.vaddr = 0x1000}, {.vaddr = 0x1012}, {.vaddr = 0x1020},
	    {.vaddr = 0x2000}, {.vaddr = UINT64_MAX - 1},
	    {.vaddr = UINT64_MAX}};
	static const char *const want[] = {"zero", NULL,
	    "LazyCompile:*leafy /a b.js:1:15", "inner", NULL, "py::f:/x.py",
	    "top", NULL};
	size_t i, n = sizeof(q) / sizeof(q[0]);
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/perf.map", dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	must(fd != -1, path);
	CHECK(perfmap_resolve(fd, q, n) == 0);
	for (i = 0; i < n; i++) {
		CHECK((q[i].name == NULL) == (want[i] == NULL));
		if (q[i].name != NULL && want[i] != NULL)
			CHECK(strcmp(q[i].name, want[i]) == 0);
		free(q[i].name);
	}
	close(fd);
}

/* Long lines, no end of a line, an empty file, a file made to cost time. */
static void
test_perfmap_bad(void)
{
	static char text[200000];
	struct elfsym_query q = {.vaddr = 0x10}, *many;
	size_t i, n = 0;
	int fd = file_of("", 0);

	CHECK(perfmap_resolve(fd, &q, 1) == 0 && q.name == NULL);
	close(fd);
	fd = file_of("10 1 unended", 12);
	CHECK(perfmap_resolve(fd, &q, 1) == 0 && q.name == NULL);
	close(fd);
	memset(text, 'x', sizeof(text));
	memcpy(text, "10 1 ", 5);
	memcpy(text + 150000, "\n10 1 short\n", 12);
	fd = file_of(text, 150012);
	CHECK(perfmap_resolve(fd, &q, 1) == 0 && q.name != NULL &&
	    strcmp(q.name, "short") == 0);
	free(q.name);
	close(fd);
	many = calloc(5000, sizeof(*many));
	must(many != NULL, "calloc");
	for (i = 0; i < 5000; i++)
		many[i].vaddr = i;
	for (i = 0; n + 16 < sizeof(text); i++)
		n += (size_t)sprintf(text + n, "0 ffffff a\n");
	fd = file_of(text, n);
	CHECK(perfmap_resolve(fd, many, 5000) == -1 && errno == EOVERFLOW);
	for (i = 0; i < 5000; i++)
		free(many[i].name);
	free(many);
	close(fd);
}

int
main(int argc, char **argv)
{
	if (argc != 2)
		return 100;
	read_fixture(argv[1]);
	test_go_genuine();
	test_go_bad();
	test_go_open(argv[1]);
	test_perfmap(argv[1]);
	test_perfmap_bad();
	return check_report();
}
