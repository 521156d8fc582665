/*
 * unit_elfsym FIXTURES		checks elf/elfsym, with files made here and
 *				those in FIXTURES
 * unit_elfsym resolve FILE [ROOT]  hexadecimal addresses on stdin, ascending;
 *				"address name start size" for each; with ROOT
 *				also from debug files there and MiniDebugInfo
 * unit_elfsym find FILE NAME | buildid FILE | section FILE NAME
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <link.h>
#include <stdlib.h>
#include <unistd.h>

#include "elf/elfsym.h"

#include "elf_fixture.h"

static void
test_choice(int xnum)
{
	struct elfsym_query q[] = {{.vaddr = 0xfff}, {.vaddr = 0x1000},
	    {.vaddr = 0x1000}, {.vaddr = 0x10ff}, {.vaddr = 0x1110},
	    {.vaddr = 0x1150}, {.vaddr = 0x1180}, {.vaddr = 0x1250},
	    {.vaddr = 0x1310}, {.vaddr = 0x1410}, {.vaddr = 0x1510},
	    {.vaddr = 0x1520}, {.vaddr = 0x1600}, {.vaddr = 0x11600},
	    {.vaddr = UINT64_MAX}};
	size_t n = sizeof(q) / sizeof(q[0]), i;
	uint64_t off, addr, size;
	struct made m;
	int fd;

	made_begin(&m);
	m.xnum = xnum;
	/* out of order, as symbol tables are */
	made_sym(&m, "unsized", STB_LOCAL, STT_NOTYPE, 0x1600, 0);
	made_sym(&m, "__three", STB_GLOBAL, STT_FUNC, 0x1000, 0x100);
	made_sym(&m, "a_weak", STB_WEAK, STT_FUNC, 0x1000, 0x100);
	made_sym(&m, "three@@V_1.0", STB_GLOBAL, STT_FUNC, 0x1000, 0x100);
	made_sym(&m, "_a_weak", STB_WEAK, STT_FUNC, 0x1000, 0x100);
	made_sym(&m, "weak_too", STB_WEAK, STT_FUNC, 0x1000, 0x100);
	made_sym(&m, "a_local", STB_LOCAL, STT_FUNC, 0x1000, 0x100);
	made_sym(&m, "an_object", STB_GLOBAL, STT_OBJECT, 0x1000, 0x100);
	made_sym(&m, "a_file", STB_LOCAL, STT_FILE, 0x1000, 0x100);
	made_sym(&m, "a_tls", STB_GLOBAL, STT_TLS, 0x1000, 0x100);
	made_sym(&m, "a_section", STB_LOCAL, STT_SECTION, 0x1000, 0x100);
	made_sym(&m, "inner", STB_LOCAL, STT_FUNC, 0x1140, 0x20);
	made_sym(&m, "outer", STB_GLOBAL, STT_FUNC, 0x1100, 0x100);
	made_sym(&m, "ends_before", STB_GLOBAL, STT_FUNC, 0x1200, 0x40);
	made_sym(&m, "resolver", STB_GLOBAL, STT_GNU_IFUNC, 0x1300, 0x20);
	made_sym(&m, "assembly", STB_GLOBAL, STT_NOTYPE, 0x1400, 0x20);
	made_sym(&m, "weak_zero", STB_WEAK, STT_FUNC, 0x1500, 0);
	made_sym(&m, "zero", STB_GLOBAL, STT_NOTYPE, 0x1500, 0);
	made_sym(&m, "", STB_GLOBAL, STT_FUNC, 0x1518, 0x10);
	/* an import: its value may be that of its PLT entry */
	m.undef = 1;
	made_sym(&m, "import", STB_GLOBAL, STT_FUNC, 0x1148, 0x10);
	m.undef = 0;
	fd = made_end(&m);
	CHECK(elfsym_section(fd, ".strtab", &off, &addr, &size) == 0);
	CHECK(elfsym_find(fd, "import", &addr) == -1 && errno == ENOENT);
	CHECK(elfsym_find(fd, "inner", &addr) == 0 && addr == 0x1140);
	CHECK(elfsym_resolve(fd, q, n) == 0);
	CHECK(q[0].name == NULL);
	NAMED(q[1], "three");
	NAMED(q[2], "three");
	CHECK(q[1].name != q[2].name);
	NAMED(q[3], "three");
	CHECK(q[3].start == 0x1000 && q[3].size == 0x100);
	NAMED(q[4], "outer");
	NAMED(q[5], "inner");
	NAMED(q[6], "outer");
	/* Sized, but over before: then the unsized way is barred as well. */
	CHECK(q[7].name == NULL);
	NAMED(q[8], "resolver");
	NAMED(q[9], "assembly");
	NAMED(q[10], "zero");
	CHECK(q[10].size == 0 && q[10].start == 0x1500);
	CHECK(q[11].name == NULL);
	NAMED(q[12], "unsized");
	CHECK(q[13].name == NULL && q[14].name == NULL);
	/* What is named stays, unless it was unsized and is now sized. */
	for (i = 0; i < n; i++)
		if (q[i].name != NULL)
			q[i].name[0] = 'X';
	CHECK(elfsym_resolve(fd, q, n) == 0);
	NAMED(q[1], "Xhree");
	NAMED(q[12], "Xnsized");
	CHECK(q[13].name == NULL);
	close(fd);
	made_begin(&m);
	made_sym(&m, "sized", STB_LOCAL, STT_FUNC, 0x1600, 2);
	fd = made_end(&m);
	CHECK(elfsym_resolve(fd, q, n) == 0);
	NAMED(q[12], "sized");
	NAMED(q[1], "Xhree");
	query_clear(q, n);
	close(fd);
	/* addresses of a relocatable file are none */
	made_begin(&m);
	m.type = ET_REL;
	made_sym(&m, "reloc", STB_GLOBAL, STT_FUNC, 0x1600, 2);
	fd = made_end(&m);
	CHECK(elfsym_resolve(fd, q, n) == 0 && q[12].name == NULL);
	q[3].vaddr = 1;
	CHECK(elfsym_resolve(fd, q, n) == 0);
	close(fd);
	made_begin(&m);
	fd = made_end(&m);
	CHECK(elfsym_resolve(fd, q, n) == -1 && errno == EINVAL);
	close(fd);
}

/* $x and $d mark nothing where they stand for code and data; on other machines
 * they are names like any. */
static void
test_mapping(int machine, const char *first, const char *second)
{
	struct elfsym_query q[] = {{.vaddr = 0x1105}, {.vaddr = 0x1125}};
	struct made m;
	int fd;

	made_begin(&m);
	m.machine = machine;
	made_sym(&m, "$x", STB_LOCAL, STT_NOTYPE, 0x1100, 0);
	made_sym(&m, "assembly", STB_GLOBAL, STT_NOTYPE, 0x1100, 0);
	made_sym(&m, "$d.1", STB_LOCAL, STT_NOTYPE, 0x1104, 0);
	made_sym(&m, "$x", STB_LOCAL, STT_NOTYPE, 0x1110, 0);
	made_sym(&m, "$money", STB_LOCAL, STT_NOTYPE, 0x1120, 0);
	fd = made_end(&m);
	CHECK(elfsym_resolve(fd, q, 2) == 0);
	NAMED(q[0], first);
	NAMED(q[1], second);
	query_clear(q, 2);
	close(fd);
}

static void
test_long_names(void)
{
	static const size_t lens[] = {
	    1, 255, 256, 257, 1023, 1024, 4095, 4096, 4097, 5000};
	struct elfsym_query q[10] = {{0}};
	char name[5001];
	struct made m;
	size_t i;
	int fd;

	made_begin(&m);
	for (i = 0; i < 10; i++) {
		q[i].vaddr = TEXT + 16 * i + 3;
		memset(name, 'a' + (int)i, lens[i]);
		name[lens[i]] = '\0';
		made_sym(&m, name, STB_GLOBAL, STT_FUNC, TEXT + 16 * i, 16);
	}
	fd = made_end(&m);
	CHECK(elfsym_resolve(fd, q, 10) == 0);
	for (i = 0; i < 10; i++) {
		CHECK(q[i].name != NULL && q[i].name[0] == 'a' + (int)i);
		CHECK(strlen(q[i].name) ==
		    (lens[i] > ELFSYM_NAME_MAX ? ELFSYM_NAME_MAX : lens[i]));
		CHECK((strstr(q[i].name, "...") != NULL) ==
		    (lens[i] > ELFSYM_NAME_MAX));
	}
	query_clear(q, 10);
	close(fd);
}

/* Made to cost symbols times addresses: ends, and says so. */
static void
test_overlap(void)
{
	enum { NQ = 20000, NS = 50000 };
	struct elfsym_query *q = calloc(NQ, sizeof(*q));
	struct made m;
	int fd, i, named = 0;

	must(q != NULL, "memory");
	made_begin(&m);
	for (i = 0; i < NS; i++)
		made_sym(&m, "all", STB_GLOBAL, STT_FUNC, TEXT, TEXT_LEN);
	fd = made_end(&m);
	for (i = 0; i < NQ; i++)
		q[i].vaddr = TEXT + (uint64_t)i;
	CHECK(elfsym_resolve(fd, q, NQ) == -1 && errno == EOVERFLOW);
	for (i = 0; i < NQ; i++)
		named += q[i].name != NULL;
	CHECK(named == NQ);
	query_clear(q, NQ);
	close(fd);
	/* As many addresses in as many functions are no such thing. */
	made_begin(&m);
	for (i = NS - 1; i >= 0; i--)
		made_sym(&m, "one", STB_GLOBAL, STT_FUNC,
		    TEXT + 16 * (uint64_t)i, 16);
	fd = made_end(&m);
	CHECK(elfsym_resolve(fd, q, NQ) == 0);
	query_clear(q, NQ);
	free(q);
	close(fd);
}

/* The names an address of each function of the library gets. */
static void
test_library(const char *name, const char *hidden)
{
	static const char *const ask[] = {"lib_asm", "lib_first", "lib_alias",
	    "lib_last", "lib_far", "lib_farther"};
	struct elfsym_query q[7] = {{0}};
	int fd = elf_fixture(name), i;
	uint64_t at;

	for (i = 0; i < 6; i++) {
		CHECK(elfsym_find(fd, ask[i], &at) == 0);
		q[i + (i > 0)].vaddr = at;
	}
	q[1].vaddr = q[0].vaddr;
	if (hidden != NULL)
		CHECK(elfsym_find(fd, hidden, &q[1].vaddr) == 0);
	CHECK(elfsym_resolve(fd, q, 7) == 0);
	for (i = 0; i < 6; i++)
		NAMED(q[i + (i > 0)], ask[i]);
	if (hidden != NULL)
		NAMED(q[1], hidden);
	query_clear(q, 7);
	CHECK(elfsym_find(fd, "lib_data", &at) == 0);
	CHECK(elfsym_find(fd, "lib_tls", &at) == -1 && errno == ENOENT);
	CHECK(elfsym_find(fd, "ib_data", &at) == -1 && errno == ENOENT);
	CHECK(elfsym_find(fd, "lib_dat", &at) == -1 && errno == ENOENT);
	CHECK(elfsym_find(fd, "", &at) == -1 && errno == ENOENT);
	close(fd);
}

static void
test_head(void)
{
	unsigned char id[ELFSYM_ID_MAX], id2[ELFSYM_ID_MAX];
	char longid[96] = {0};
	uint64_t off, addr, size;
	struct elfsym_head h;
	int fd, i, pipefd[2];

	fd = elf_fixture("lib-aarch64.elf");
	CHECK(elfsym_head(fd, &h) == 0);
	CHECK(h.machine == EM_AARCH64 && h.type == ET_DYN && h.nloads == 2);
	CHECK(h.ehframehdr != 0 && h.ehframehdrlen != 0);
	CHECK(elfsym_section(fd, ".eh_frame_hdr", &off, &addr, &size) == 0);
	CHECK(addr == h.ehframehdr && size == h.ehframehdrlen);
	CHECK(elfsym_section(fd, ".eh_fram", &off, &addr, &size) == -1 &&
	    errno == ENOENT);
	elfsym_head_free(&h);
	close(fd);
	/* Without section headers the segments have it, and the same. */
	fd = elf_fixture("lib.elf");
	CHECK(elfsym_buildid(fd, id) == 20);
	close(fd);
	fd = elf_fixture("lib-noshdr.elf");
	CHECK(elfsym_buildid(fd, id2) == 20 && memcmp(id, id2, 20) == 0);
	CHECK(elfsym_section(fd, ".text", &off, &addr, &size) == -1);
	close(fd);
	CHECK(elfsym_note_buildid("\4\0\0\0\24\0\0\0\3\0\0\0GNU", 16, id) == 0);
	CHECK(elfsym_note_buildid("\4\0\0\0\2\0\0\0\3\0\0\0GNU\0ab", 18, id) ==
	    2);
	CHECK(id[0] == 'a' && id[1] == 'b');
	CHECK(elfsym_note_buildid(NULL, 0, id) == 0);
	/* 64 bytes fit, 65 are no build-id */
	memcpy(longid, "\4\0\0\0\100\0\0\0\3\0\0\0GNU", 16);
	CHECK(elfsym_note_buildid(longid, sizeof(longid), id) == 64);
	longid[4]++;
	CHECK(elfsym_note_buildid(longid, sizeof(longid), id) == 0);
	/* No files. */
	must(pipe(pipefd) == 0, "pipe");
	for (i = 0; i < 3; i++) {
		fd = i == 0 ? pipefd[0]
			    : open(i == 1 ? "/" : "/dev/zero", O_RDONLY);
		CHECK(elfsym_head(fd, &h) == -1 && errno == ENOEXEC);
		CHECK(elfsym_buildid(fd, id) == -1 && errno == ENOEXEC);
		CHECK(elfsym_resolve(fd, NULL, 0) == -1 && errno == ENOEXEC);
		close(fd);
	}
	close(pipefd[1]);
	fd = elf_fixture("core.i386");
	CHECK(elfsym_head(fd, &h) == -1 && errno == ENOTSUP);
	close(fd);
}

static int
own_bias(struct dl_phdr_info *info, size_t size, void *bias)
{
	(void)size;
	*(uint64_t *)bias = info->dlpi_addr;
	return 1;
}

static void
test_self(void)
{
	int fd = open("/proc/self/exe", O_RDONLY);
	struct elfsym_query q = {0};
	uint64_t bias = 0;

	dl_iterate_phdr(own_bias, &bias);
	q.vaddr = (uintptr_t)test_self - bias;
	CHECK(elfsym_resolve(fd, &q, 1) == 0);
	NAMED(q, "test_self");
	CHECK(q.start == q.vaddr);
	query_clear(&q, 1);
	q.vaddr = (uintptr_t)elfsym_resolve_all - bias + 5;
	CHECK(elfsym_resolve(fd, &q, 1) == 0);
	NAMED(q, "elfsym_resolve_all");
	query_clear(&q, 1);
	close(fd);
}

/* --- for comparison with other readers --------------------------------------
 */

static int
do_resolve(int fd, const char *root)
{
	struct elfsym_query *q = NULL;
	unsigned char id[ELFSYM_ID_MAX];
	const char *note = NULL;
	size_t n = 0, cap = 0, i;
	uint64_t vaddr;
	int r, idlen;

	while (scanf("%" SCNx64, &vaddr) == 1) {
		if (n == cap) {
			cap = cap ? cap * 2 : 1024;
			q = reallocarray(q, cap, sizeof(*q));
			must(q != NULL, "memory");
		}
		q[n++] = (struct elfsym_query){.vaddr = vaddr};
	}
	r = elfsym_resolve(fd, q, n);
	if (root != NULL) {
		elfsym_debug_root = root;
		idlen = elfsym_buildid(fd, id);
		elfsym_resolve_all(
		    fd, id, idlen > 0 ? (size_t)idlen : 0, q, n, &note);
	}
	for (i = 0; i < n; i++)
		printf("%" PRIx64 " %s %" PRIx64 " %" PRIx64 "\n", q[i].vaddr,
		    q[i].name ? q[i].name : "-", q[i].start, q[i].size);
	if (note != NULL)
		printf("note: %s\n", note);
	query_clear(q, n);
	free(q);
	return r == -1;
}

static int
command(int argc, char **argv)
{
	unsigned char id[ELFSYM_ID_MAX];
	uint64_t off, addr, size;
	int fd, i, n;

	fd = open(argv[2], O_RDONLY);
	must(fd != -1, argv[2]);
	if (strcmp(argv[1], "resolve") == 0)
		return do_resolve(fd, argc > 3 ? argv[3] : NULL);
	if (strcmp(argv[1], "buildid") == 0) {
		n = elfsym_buildid(fd, id);
		for (i = 0; i < n; i++)
			printf("%02x", id[i]);
		printf("\n");
		return n <= 0;
	}
	if (argc > 3 && strcmp(argv[1], "find") == 0) {
		if (elfsym_find(fd, argv[3], &addr) == -1)
			return 1;
		printf("%" PRIx64 "\n", addr);
		return 0;
	}
	if (argc > 3 && strcmp(argv[1], "section") == 0) {
		if (elfsym_section(fd, argv[3], &off, &addr, &size) == -1)
			return 1;
		printf(
		    "%" PRIx64 " %" PRIx64 " %" PRIx64 "\n", off, addr, size);
		return 0;
	}
	return 100;
}

int
main(int argc, char **argv)
{
	if (argc > 2)
		return command(argc, argv);
	if (argc != 2)
		return 100;
	elf_fixtures = argv[1];
	test_choice(0);
	test_choice(1);
	test_mapping(EM_AARCH64, "assembly", "$money");
	test_mapping(EM_RISCV, "assembly", "$money");
	test_mapping(EM_X86_64, "$d.1", "$money");
	test_long_names();
	test_overlap();
	test_head();
	test_self();
	test_library("lib.elf", "lib_hidden");
	test_library("lib-aarch64.elf", "lib_hidden");
	test_library("lib-stripped.elf", NULL);
	test_library("lib-noshdr.elf", NULL);
	test_library("lib-sysv.elf", NULL);
	test_library("lib-sections.elf", NULL);
	return check_report();
}
