/*
 * unit_corehead FIXTURES	checks core/corehead, against cores made here
 *				and the files in FIXTURES
 * unit_corehead show FILE	what the head of a core says, for comparison
 * unit_corehead pipe		the same from stdin, then "rest: N bytes"
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/deadline.h"
#include "core/corehead.h"

#include "check.h"
#include "core_fixture.h"

static size_t
drain(int fd)
{
	char piece[4096];
	size_t total = 0;
	ssize_t r;

	while ((r = read(fd, piece, sizeof(piece))) > 0)
		total += (size_t)r;
	return total;
}

static int
decode(const void *p, size_t len, struct core_head *h)
{
	int64_t need;

	memset(h, 0, sizeof(*h));
	must(buf_append(&h->raw, p, len) == 0, "memory");
	need = core_head_need(h);
	if (need > 0)
		CHECK((uint64_t)need > len);
	return core_head_decode(h);
}

/* --- the tests ------------------------------------------------------------ */

static void
test_stream(int socket, size_t step)
{
	struct buf core = {0}, notes = {0};
	struct core_head h;
	pid_t child;
	int fd, i;

	for (i = 1; i <= 20; i++)
		add_thread(&notes, i, 4);
	make_core(&core, 3, &notes, 4);
	fd = as_stream(core.p, core.len, step, socket, &child);
	CHECK(core_head_read(fd, deadline_in(20000), &h) == 0);
	CHECK(h.trouble == NULL && h.nthreads == 20 && h.nsegs == 3);
	CHECK(h.raw.len == core.len - 8);
	CHECK(memcmp(h.raw.p, core.p, h.raw.len) == 0);
	CHECK(h.threads[0].pid == 1 && h.threads[19].pid == 20);
	CHECK(h.threads[0].regslen == 216 && h.threads[0].cursig == 11);
	CHECK(h.segs[0].filesz == 8 && h.segs[2].vaddr == 0x14000);
	CHECK(drain(fd) == 8);
	close(fd);
	waitpid(child, NULL, 0);
	core_head_free(&h);
	buf_free(&core);
	buf_free(&notes);
}

static void
test_deadline(void)
{
	struct buf core = {0}, notes = {0};
	struct core_head h;
	int fd[2];

	add_thread(&notes, 77, 4);
	add_thread(&notes, 78, 4);
	make_core(&core, 1, &notes, 4);
	must(pipe(fd) == 0, "pipe");
	/* All of the first thread, then silence with the pipe held open. */
	must(io_write_full(fd[1], core.p, core.len - 8 - 100) == 0, "write");
	CHECK(core_head_read(fd[0], deadline_in(50), &h) == -1 &&
	    errno == ETIMEDOUT);
	CHECK(h.raw.len == core.len - 108);
	CHECK(h.nthreads == 1 && h.threads[0].pid == 77 && h.nsegs == 1);
	CHECK(h.trouble != NULL);
	core_head_free(&h);
	/* A passed deadline does not keep what is there from being read. */
	must(io_write_full(fd[1], core.p, core.len) == 0, "write");
	CHECK(core_head_read(fd[0], deadline_in(0), &h) == 0);
	core_head_free(&h);
	close(fd[0]);
	close(fd[1]);
	buf_free(&core);
	buf_free(&notes);
}

static void
test_many_threads(void)
{
	struct buf core = {0}, notes = {0};
	static char xstate[2696];
	struct core_head h;
	pid_t child;
	int fd, i;

	for (i = 1; i <= 2001; i++) {
		add_thread(&notes, i, 4);
		add_note(&notes, "LINUX", 0x202, xstate, sizeof(xstate), 4);
	}
	make_core(&core, 6000, &notes, 4);
	fd = as_stream(core.p, core.len, SIZE_MAX, 0, &child);
	CHECK(core_head_read(fd, deadline_in(20000), &h) == 0);
	CHECK(h.nthreads == 2001 && h.threads[2000].pid == 2001);
	CHECK(h.nsegs == 6000 && drain(fd) == 8);
	close(fd);
	waitpid(child, NULL, 0);
	core_head_free(&h);
	buf_free(&core);
	buf_free(&notes);
}

/*
 * gdb's order: memory, then the notes, here behind 10 GiB of nothing.  As a
 * file they are read where they stand; a stream says why it has none.
 */
static void
test_notes_last(void)
{
	struct buf core = {0}, notes = {0}, more = {0};
	uint64_t far = UINT64_C(10) << 30;
	Elf64_Phdr *ph;
	struct core_head h;
	FILE *f;
	int fd;

	add_thread(&notes, 5, 4);
	add_thread(&more, 6, 4);
	make_core(&core, 2, &notes, 4);
	ph = (Elf64_Phdr *)(core.p + sizeof(Elf64_Ehdr));
	ph[2] = ph[0]; /* a second PT_NOTE in a PT_LOAD's place */
	ph[1].p_offset = sizeof(Elf64_Ehdr) + 3 * sizeof(*ph);
	ph[0].p_offset = far + notes.len;
	ph[2].p_offset = far;
	f = tmpfile();
	must(f != NULL, "tmpfile");
	fd = fileno(f);
	must(io_write_full(fd, core.p, core.len) == 0, "write");
	must(pwrite(fd, notes.p, notes.len, (off_t)far) > 0, "write");
	must(pwrite(fd, more.p, more.len, (off_t)(far + notes.len)) > 0,
	    "write");
	CHECK(core_head_pread(fd, &h) == 0 && h.trouble == NULL);
	CHECK(h.nthreads == 2 && h.threads[0].pid == 6);
	CHECK(h.threads[1].pid == 5 && h.nsegs == 1);
	CHECK(strcmp(h.owner, "CORE") == 0);
	CHECK(h.raw.len + h.notes.len < 4096);
	core_head_free(&h);
	/* cut amid the last */
	must(ftruncate(fd, (off_t)(far + notes.len + 100)) == 0, "truncate");
	CHECK(core_head_pread(fd, &h) == -1 && errno == ENODATA);
	CHECK(h.nthreads == 1 && h.threads[0].pid == 5 && h.trouble != NULL);
	core_head_free(&h);
	must(lseek(fd, 0, SEEK_SET) == 0, "seek");
	CHECK(core_head_read(fd, INT64_MAX, &h) == 0 && h.nthreads == 0);
	CHECK(h.trouble != NULL && strstr(h.trouble, "after the memory"));
	CHECK(h.raw.len < 4096);
	core_head_free(&h);
	fclose(f);
	buf_free(&core);
	buf_free(&notes);
	buf_free(&more);
}

static void
test_auxv_same(void)
{
	uint64_t a[] = {AT_ENTRY, 1, AT_RANDOM, 2, AT_NULL, 0}, b[6];
	uint32_t n[] = {AT_RANDOM, 2, AT_NULL, 0};
	unsigned char *p = (unsigned char *)a, *q = (unsigned char *)b;

	memcpy(b, a, sizeof(a));
	CHECK(core_auxv_same(p, sizeof(a), q, sizeof(b), 8));
	/* cut before its end: equal as far as it goes */
	CHECK(!core_auxv_same(p, sizeof(a), q, sizeof(b) - 16, 8));
	CHECK(!core_auxv_same(p, 0, q, 0, 8));
	b[3] = 3;
	CHECK(!core_auxv_same(p, sizeof(a), q, sizeof(b), 8));
	a[2] = b[2] = AT_HWCAP; /* nothing random in it */
	b[3] = 2;
	CHECK(!core_auxv_same(p, sizeof(a), q, sizeof(b), 8));
	p = (unsigned char *)n;
	CHECK(core_auxv_same(p, sizeof(n), p, sizeof(n), 4));
}

/* More than 65534 mappings: by the notes' place, and by section header 0. */
static void
test_xnum(void)
{
	struct buf core = {0}, notes = {0}, files = {0}, note = {0};
	uint64_t n = 100000, i, three[3] = {1, 2, 3};
	Elf64_Shdr sh = {0};
	struct core_head h;
	struct timespec a, b;
	Elf64_Phdr *ph;
	int fd;

	add_thread(&notes, 5, 4);
	three[0] = n;
	three[1] = 4096;
	buf_append(&note, three, 16);
	for (i = 0; i < n; i++) {
		three[0] = i << 12;
		three[1] = (i + 1) << 12;
		three[2] = i;
		buf_append(&note, three, sizeof(three));
		buf_append(&files, "/usr/lib/some.so", 17);
	}
	buf_append(&note, files.p, files.len);
	add_note(&notes, "CORE", NT_FILE, note.p, note.len, 4);
	make_core(&core, n, &notes, 4);
	fd = as_file(core.p, core.len);
	/* Fast: nothing in it is quadratic (that took minutes). */
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	CHECK(core_head_read(fd, INT64_MAX, &h) == 0);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	CHECK(b.tv_sec - a.tv_sec < 5);
	CHECK(h.nsegs == n && h.nthreads == 1 && h.nfiles == n);
	CHECK(h.nfiles == n && h.files[n - 1].off == (n - 1) * 4096);
	CHECK(h.nfiles == n &&
	    strcmp(h.files[n - 1].name, "/usr/lib/some.so") == 0);
	core_head_free(&h);
	CHECK(core_head_pread(fd, &h) == 0 && h.nsegs == n);
	core_head_free(&h);
	close(fd);

	/* Notes elsewhere: on a file section header 0 has the count. */
	ph = (void *)(core.p + sizeof(Elf64_Ehdr));
	i = ph->p_offset;
	ph->p_offset = core.len;
	sh.sh_info = (uint32_t)n + 1;
	((Elf64_Ehdr *)(void *)core.p)->e_shoff = core.len + ph->p_filesz;
	buf_append(&core, notes.p, notes.len);
	buf_append(&core, &sh, sizeof(sh));
	fd = as_file(core.p, core.len);
	CHECK(core_head_pread(fd, &h) == 0);
	CHECK(h.nsegs == n && h.nthreads == 1 && h.nfiles == n);
	core_head_free(&h);
	/* And on a stream memory is not read to get at them. */
	must(lseek(fd, 0, SEEK_SET) == 0, "lseek");
	ph = (void *)(core.p + sizeof(Elf64_Ehdr));
	((Elf64_Ehdr *)(void *)core.p)->e_phnum = 2;
	must(pwrite(fd, core.p, 64, 0) == 64, "pwrite");
	CHECK(core_head_read(fd, INT64_MAX, &h) == 0 && h.trouble != NULL);
	CHECK(h.raw.len == 64 + 2 * 56 && h.nsegs == 1 && h.nthreads == 0);
	core_head_free(&h);
	close(fd);
	buf_free(&core);
	buf_free(&notes);
	buf_free(&files);
	buf_free(&note);
}

static void
test_align8(void)
{
	struct buf core = {0}, notes = {0};
	struct core_head h;

	add_note(&notes, "CORE", 1234, "x", 1, 8);
	add_thread(&notes, 9, 8);
	add_thread(&notes, 10, 8);
	make_core(&core, 1, &notes, 8);
	CHECK(decode(core.p, core.len, &h) == 0);
	CHECK(h.trouble == NULL && h.nthreads == 2 && h.threads[1].pid == 10);
	core_head_free(&h);
	buf_free(&core);
	buf_free(&notes);
}

/* The last bytes of the buffer, where a read too far is seen. */
static void
test_short_notes(void)
{
	static const int types[] = {
	    NT_PRSTATUS, NT_PRPSINFO, NT_SIGINFO, NT_FILE};
	struct buf core, notes;
	struct core_head h;
	size_t i, len;

	for (i = 0; i < 4; i++)
		for (len = 0; len < 24; len += 4) {
			core = notes = (struct buf){0};
			add_thread(&notes, 1, 4);
			add_note(&notes, "CORE", (uint32_t)types[i],
			    "\1\0\0\0\0\0\0\0\0\20\0\0\0\0\0\0"
			    "\0\0\0\0\0\0\0\0",
			    len, 4);
			make_core(&core, 0, &notes, 4);
			core.len -= 8;
			/* no room behind, for the sanitizer's sake */
			memset(&h, 0, sizeof(h));
			h.raw.p = malloc(core.len);
			must(h.raw.p != NULL, "memory");
			memcpy(h.raw.p, core.p, core.len);
			h.raw.len = h.raw.cap = core.len;
			CHECK(core_head_decode(&h) == 0);
			CHECK(h.nthreads == 1 && h.nfiles == 0);
			CHECK(!h.have_siginfo && !h.have_psinfo);
			CHECK(h.trouble != NULL);
			core_head_free(&h);
			buf_free(&core);
			buf_free(&notes);
		}
}

/* What is no core, too big, or of another byte order. */
static void
test_refused(void)
{
	Elf64_Ehdr be = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64,
			     ELFDATA2MSB, EV_CURRENT},
	    .e_type = 0x0400,
	    .e_machine = 0x1600};
	struct buf core = {0}, notes = {0};
	struct core_head h;
	Elf64_Ehdr *e;
	Elf64_Phdr *ph;
	int fd;

	CHECK(decode("", 0, &h) == -1 && errno == ENODATA);
	core_head_free(&h);
	CHECK(decode("#!/", 3, &h) == -1 && errno == ENOEXEC);
	core_head_free(&h);
	fd = open("/dev/null", O_RDONLY);
	CHECK(core_head_read(fd, INT64_MAX, &h) == -1 && errno == ENODATA);
	core_head_free(&h);
	close(fd);
	fd = open("/proc/self/exe", O_RDONLY);
	CHECK(core_head_pread(fd, &h) == -1 && errno == ENOEXEC);
	core_head_free(&h);
	close(fd);
	CHECK(decode(&be, sizeof(be), &h) == -1 && errno == ENOTSUP);
	CHECK(h.elfclass == ELFCLASS64 && h.machine == EM_S390);
	core_head_free(&h);

	add_thread(&notes, 1, 4);
	make_core(&core, 2, &notes, 4);
	e = (void *)core.p;
	ph = (void *)(core.p + sizeof(*e));
	e->e_phentsize = 57;
	CHECK(decode(core.p, core.len, &h) == -1 && errno == ENOEXEC);
	core_head_free(&h);
	e->e_phentsize = 56;
	e->e_phoff = UINT64_MAX - 8;
	CHECK(decode(core.p, core.len, &h) == -1 && errno == EFBIG);
	core_head_free(&h);
	e->e_phoff = 64;
	ph->p_filesz = CORE_HEAD_MAX;
	CHECK(decode(core.p, core.len, &h) == -1 && errno == EFBIG);
	CHECK(h.nsegs == 2 && h.nthreads == 1);
	core_head_free(&h);
	ph->p_filesz = 10000;
	CHECK(decode(core.p, core.len, &h) == -1 && errno == ENODATA);
	CHECK(h.nsegs == 2 && h.nthreads == 1 && h.trouble != NULL);
	core_head_free(&h);
	ph->p_offset = UINT64_MAX;
	CHECK(decode(core.p, core.len, &h) == -1 && errno == EFBIG);
	core_head_free(&h);
	/* PN_XNUM whose first program header does not tell the count */
	e->e_phnum = PN_XNUM;
	ph->p_type = PT_LOAD;
	CHECK(decode(core.p, core.len, &h) == -1 && errno == ENOEXEC);
	core_head_free(&h);
	buf_free(&core);
	buf_free(&notes);
}

/* Each length of one core: no read beyond, an answer always, never more
 * threads than before. */
static void
test_cut(const char *p, size_t len, size_t headlen, int want)
{
	struct core_head h;
	size_t n, threads = 0;
	int r;

	for (n = 0; n <= len && n <= headlen + 4; n++) {
		r = decode(p, n, &h);
		if (n < headlen)
			CHECK(r == -1 && (errno == ENODATA || want == errno));
		else
			CHECK(want ? r == -1 && errno == want : r == 0);
		CHECK(h.nthreads >= threads);
		threads = h.nthreads;
		core_head_free(&h);
	}
}

static uint32_t seed = 20240229;

static uint32_t
rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed;
}

static volatile uint64_t sink;

/* Everything decoded is where it was said to be; sanitizers see the rest. */
static uint64_t
touch(const struct core_head *h)
{
	uint64_t sum = 0;
	size_t i, k;

	for (i = 0; i < h->nthreads; i++)
		for (k = 0; k < h->threads[i].regslen; k++)
			sum += h->threads[i].regs[k];
	for (i = 0; i < h->nfiles; i++)
		sum += strlen(h->files[i].name) + h->files[i].off;
	for (i = 0; i < h->nsegs; i++)
		sum += h->segs[i].memsz;
	sum += strlen(h->psname) + strlen(h->psargs);
	return sum + core_auxv(h->auxv, h->auxvlen, AT_ENTRY, 1);
}

static void
test_flips(const char *p, size_t len, int rounds)
{
	struct core_head h;
	char *copy = malloc(len);
	int i, k;

	must(copy != NULL, "memory");
	for (i = 0; i < rounds; i++) {
		memcpy(copy, p, len);
		for (k = (int)(rnd() % 4); k >= 0; k--)
			copy[rnd() % len] ^= (char)(1 << rnd() % 8);
		decode(copy, len, &h);
		sink += touch(&h);
		core_head_free(&h);
	}
	CHECK(i == rounds);
	free(copy);
}

static void
test_fixture(const char *dir, const char *name, int want, size_t nthreads)
{
	struct buf raw = {0};
	struct core_head h;
	char path[4096];
	size_t headlen;
	int fd, r;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDONLY);
	must(fd != -1, path);
	must(io_slurp(AT_FDCWD, path, SIZE_MAX / 2, &raw, NULL) == 0, path);
	r = core_head_pread(fd, &h);
	CHECK(want ? r == -1 && errno == want : r == 0);
	CHECK(h.nthreads == nthreads);
	headlen = h.raw.len;
	if (want == 0 && strstr(name, "forged") == NULL) {
		CHECK(h.trouble == NULL && h.have_siginfo && h.have_psinfo);
		CHECK(h.signo == SIGSEGV && h.nfiles != 0);
	} else
		CHECK(want == ENOTSUP || h.trouble != NULL);
	core_head_free(&h);
	close(fd);
	test_cut(raw.p, raw.len, want == ENODATA ? raw.len + 1 : headlen,
	    want == ENODATA ? 0 : want);
	test_flips(raw.p, headlen < 2048 ? headlen : 2048, 3000);
	test_flips(raw.p, headlen, 1000);
	buf_free(&raw);
}

/* --- for comparison with other readers --------------------------------------
 */

static int
show(const struct core_head *h, int r)
{
	size_t i;

	if (r == -1)
		printf("error: %s\n", strerror(errno));
	printf("class: %d\nmachine: %d\n", h->elfclass, h->machine);
	if (h->trouble != NULL)
		printf("trouble: %s\n", h->trouble);
	if (h->have_psinfo)
		printf("process: %d %d %d %s|%s\n", h->pspid, h->psuid,
		    h->psgid, h->psname, h->psargs);
	if (h->have_siginfo)
		printf("signal: %d %d %#" PRIx64 "\n", h->signo, h->sicode,
		    h->siaddr);
	for (i = 0; i < h->nthreads; i++)
		printf("thread: %d %d %zu\n", h->threads[i].pid,
		    h->threads[i].cursig, h->threads[i].regslen);
	for (i = 0; i < h->nfiles; i++)
		printf("file: %" PRIx64 "-%" PRIx64 " %" PRIx64 " %s\n",
		    h->files[i].start, h->files[i].end, h->files[i].off,
		    h->files[i].name);
	for (i = 0; i < h->nsegs; i++)
		printf("load: 0x%06" PRIx64 " 0x%016" PRIx64 " 0x%06" PRIx64
		       " 0x%06" PRIx64 "\n",
		    h->segs[i].off, h->segs[i].vaddr, h->segs[i].filesz,
		    h->segs[i].memsz);
	printf("entry: %#" PRIx64 "\n",
	    core_auxv(h->auxv, h->auxvlen, AT_ENTRY, 0));
	return r == -1;
}

int
main(int argc, char **argv)
{
	struct core_head h = {0};
	int fd, r;

	if (argc == 3 && strcmp(argv[1], "show") == 0) {
		fd = open(argv[2], O_RDONLY);
		must(fd != -1, argv[2]);
		r = show(&h, core_head_pread(fd, &h));
		core_head_free(&h);
		return r;
	}
	if (argc == 2 && strcmp(argv[1], "pipe") == 0) {
		r = show(&h, core_head_read(0, deadline_in(20000), &h));
		core_head_free(&h);
		printf("rest: %zu bytes\n", drain(0));
		return r;
	}
	if (argc != 2)
		return 100;
	for (r = 0; r < 2; r++) {
		test_stream(r, 1);
		test_stream(r, 7);
		test_stream(r, SIZE_MAX);
	}
	test_deadline();
	test_many_threads();
	test_notes_last();
	test_auxv_same();
	test_xnum();
	test_align8();
	test_short_notes();
	test_refused();
	test_fixture(argv[1], "core.x86_64", 0, 1);
	test_fixture(argv[1], "core-threads.x86_64", 0, 4);
	test_fixture(argv[1], "core.aarch64", 0, 2);
	test_fixture(argv[1], "core.i386", ENOTSUP, 1);
	test_fixture(argv[1], "core-cut.x86_64", ENODATA, 1);
	test_fixture(argv[1], "core-forged-notes.x86_64", 0, 1);
	test_fixture(argv[1], "core-forged-files.x86_64", 0, 1);
	return check_report();
}
