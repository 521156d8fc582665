/*
 * unit_elfdebug FIXTURES: the separate debug files and MiniDebugInfo of
 * elf/elfsym, and all of it on files cut at every length and with bits
 * flipped.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef HAVE_LZMA
#include <lzma.h>
#endif

#include "elf_fixture.h"

/* A local function of lib.elf, which this stripped copy no longer names. */
static void
test_hidden(const char *name)
{
	int fd = elf_fixture(name), whole = elf_fixture("lib.elf"), idlen;
	struct elfsym_query q = {0};
	unsigned char id[ELFSYM_ID_MAX];
	const char *note;

	CHECK(elfsym_find(whole, "lib_hidden", &q.vaddr) == 0);
	CHECK(elfsym_resolve(fd, &q, 1) == 0);
	CHECK(q.name == NULL || strcmp(q.name, "lib_hidden") != 0);
	idlen = elfsym_buildid(fd, id);
	CHECK(idlen == 20);
	CHECK(elfsym_resolve_all(fd, id, (size_t)idlen, &q, 1, &note) == 0);
	CHECK(note == NULL);
	NAMED(q, "lib_hidden");
	CHECK(q.start == q.vaddr && q.size != 0);
	query_clear(&q, 1);
	close(fd);
	close(whole);
}

static void
test_debug_root(void)
{
	char dir[] = "/tmp/unit_elfdebug.XXXXXX", path[512], sub[300], rm[64];
	int fd = elf_fixture("lib-stripped.elf"), other, idlen, i;
	const char *root = elfsym_debug_root, *note;
	struct elfsym_query q = {.vaddr = 1};
	unsigned char id[ELFSYM_ID_MAX];
	char *p;

	must(mkdtemp(dir) != NULL, dir);
	elfsym_debug_root = dir;
	idlen = elfsym_buildid(fd, id);
	CHECK(idlen == 20);
	CHECK(elfsym_resolve_all(fd, id, 20, &q, 1, &note) == 0);
	CHECK(note == NULL && q.name == NULL);
	snprintf(path, sizeof(path), "%s/.build-id", dir);
	must(mkdir(path, 0755) == 0, path);
	snprintf(sub, sizeof(sub), "%s/.build-id/%02x", dir, id[0]);
	must(mkdir(sub, 0755) == 0, sub);
	p = path + sprintf(path, "%s/", sub);
	for (i = 1; i < idlen; i++)
		p += sprintf(p, "%02x", id[i]);
	strcpy(p, ".debug");
	/* A FIFO must not be waited for, a link to elsewhere not believed. */
	must(mkfifo(path, 0644) == 0, path);
	CHECK(elfsym_resolve_all(fd, id, 20, &q, 1, &note) == 0);
	CHECK(note != NULL && strstr(note, "regular") != NULL);
	must(unlink(path) == 0 && symlink("/proc/self/exe", path) == 0, path);
	CHECK(elfsym_resolve_all(fd, id, 20, &q, 1, &note) == 0);
	CHECK(note != NULL && strstr(note, "build-id") != NULL);
	CHECK(elfsym_resolve_all(fd, id, 1, &q, 1, &note) == 0);
	CHECK(elfsym_resolve_all(fd, id, 0, &q, 1, &note) == 0);
	CHECK(note == NULL && q.name == NULL);
	snprintf(rm, sizeof(rm), "rm -rf %s", dir);
	must(system(rm) == 0, rm);
	other = open("/dev/null", O_RDONLY);
	CHECK(elfsym_resolve_all(other, NULL, 0, &q, 1, &note) == -1);
	close(other);
	elfsym_debug_root = root;
	close(fd);
}

#ifdef HAVE_LZMA
static void
test_mini_bad(void)
{
	static char zeros[1 << 20], out[1 << 20];
	struct elfsym_query q = {.vaddr = TEXT};
	lzma_stream z = LZMA_STREAM_INIT;
	const char *note;
	struct made m;
	int fd, i;

	/* 65 MiB in 10 KiB */
	must(lzma_easy_encoder(&z, 0, LZMA_CHECK_NONE) == LZMA_OK, "lzma");
	z.next_out = (uint8_t *)out;
	z.avail_out = sizeof(out);
	for (i = 0; i < 65; i++) {
		z.next_in = (uint8_t *)zeros;
		z.avail_in = sizeof(zeros);
		must(lzma_code(&z, LZMA_RUN) == LZMA_OK, "lzma_code");
	}
	must(lzma_code(&z, LZMA_FINISH) == LZMA_STREAM_END, "lzma_code");
	made_begin(&m);
	buf_append(&m.extra, out, sizeof(out) - z.avail_out);
	lzma_end(&z);
	fd = made_end(&m);
	CHECK(elfsym_resolve_all(fd, NULL, 0, &q, 1, &note) == 0);
	CHECK(note != NULL && strstr(note, "larger") != NULL);
	close(fd);
	made_begin(&m);
	buf_append(&m.extra, "no xz at all", 12);
	fd = made_end(&m);
	CHECK(elfsym_resolve_all(fd, NULL, 0, &q, 1, &note) == 0);
	CHECK(note != NULL && strstr(note, "damaged") != NULL);
	close(fd);
	CHECK(q.name == NULL);
}
#endif

/* Where all is named, nothing further is opened. */
static void
test_content(void)
{
	struct elfsym_query q = {.vaddr = TEXT};
	const char *note;
	struct made m;
	int fd;

	made_begin(&m);
	made_sym(&m, "known", STB_LOCAL, STT_FUNC, TEXT, 4);
	buf_append(&m.extra, "no xz at all", 12);
	fd = made_end(&m);
	CHECK(elfsym_resolve(fd, &q, 1) == 0);
	NAMED(q, "known");
	CHECK(elfsym_resolve_all(fd, NULL, 0, &q, 1, &note) == 0);
	CHECK(note == NULL);
	query_clear(&q, 1);
	close(fd);
}

static void
test_mini(void)
{
	const char *root = elfsym_debug_root;

	elfsym_debug_root = "/nonexistent";
#ifdef HAVE_LZMA
	test_hidden("lib-mini.elf");
	test_mini_bad();
#else
	struct elfsym_query q = {.vaddr = 1};
	int fd = elf_fixture("lib-mini.elf");
	const char *note;

	CHECK(elfsym_resolve_all(fd, NULL, 0, &q, 1, &note) == 0);
	CHECK(note != NULL && strstr(note, "liblzma") != NULL);
	close(fd);
#endif
	elfsym_debug_root = root;
}

/* --- damage -----------------------------------------------------------------
 */

static uint32_t seed = 20240229;

static uint32_t
rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed;
}

/* Everything there is, on a file that may be anything. */
static void
exercise(int fd)
{
	struct elfsym_query q[] = {{.vaddr = 0x490}, {.vaddr = 0x4b4},
	    {.vaddr = 0x4e1}, {.vaddr = 0x600}, {.vaddr = 0x2511},
	    {.vaddr = UINT64_MAX}};
	unsigned char id[ELFSYM_ID_MAX];
	uint64_t off, addr, size, end;
	struct elfsym_head h;
	const char *note;
	struct stat st;
	int n;

	n = elfsym_buildid(fd, id);
	CHECK(n <= ELFSYM_ID_MAX);
	elfsym_head(fd, &h);
	elfsym_head_free(&h);
	elfsym_find(fd, "lib_data", &addr);
	if (elfsym_section(fd, ".text", &off, &addr, &size) == 0)
		CHECK(fstat(fd, &st) == 0 &&
		    !__builtin_add_overflow(off, size, &end) &&
		    end <= (uint64_t)st.st_size);
	elfsym_resolve(fd, q, 6);
	elfsym_resolve_all(fd, id, n > 0 ? (size_t)n : 0, q, 6, &note);
	query_clear(q, 6);
}

static void
test_damage(const char *name)
{
	int fd = elf_fixture(name), tmp, i, k;
	struct stat st;
	uint32_t at;
	char *whole, c;
	ssize_t len;

	must(fstat(fd, &st) == 0, name);
	whole = malloc((size_t)st.st_size);
	must(whole != NULL, "memory");
	len = io_pread_full(fd, whole, (size_t)st.st_size, 0);
	must(len == st.st_size, name);
	tmp = made_temp(whole, (size_t)len);
	/* Every length, but for the zeros in the middle. */
	for (i = (int)len - 1; i >= 0;
	     i -= i > 0x700 && i < len - 0x900 ? 97 : 1) {
		must(ftruncate(tmp, i) == 0, "ftruncate");
		exercise(tmp);
	}
	must(pwrite(tmp, whole, (size_t)len, 0) == len, "pwrite");
	for (i = 0; i < 3000; i++) {
		for (k = (int)(rnd() % 3); k >= 0; k--) {
			/* headers, .dynsym and .dynamic, or the end with the
			 * symbol and section tables; zeros fill the middle */
			at = rnd() % 2 ? rnd() % 0x600
				       : (uint32_t)len - 1 - rnd() % 0x800;
			c = (char)(whole[at] ^ (1 << rnd() % 8));
			must(pwrite(tmp, &c, 1, at) == 1, "pwrite");
		}
		exercise(tmp);
		if (i % 4 == 3)
			must(pwrite(tmp, whole, (size_t)len, 0) == len,
			    "pwrite");
	}
	free(whole);
	close(tmp);
	close(fd);
}

int
main(int argc, char **argv)
{
	char root[4096];

	if (argc != 2)
		return 100;
	elf_fixtures = argv[1];
	test_debug_root();
	test_mini();
	test_content();
	snprintf(root, sizeof(root), "%s/debug", elf_fixtures);
	elfsym_debug_root = root;
	test_hidden("lib-stripped.elf");
	test_damage("lib.elf");
	test_damage("lib-mini.elf");
	return check_report();
}
