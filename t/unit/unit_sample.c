/*
 * unit_sample FIXTURES	files and symbols that are kept over many targets,
 *			targets made of a sample, kernel symbols
 * unit_sample rings	perf rings of CPUs that come and go; exits 77 without
 *			the right to open one
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "proc/ksyms.h"
#include "proc/mounts.h"
#include "target/target_sample.h"
#include "track/perfring.h"

static char dir[] = "/tmp/unit_sample.XXXXXX";

#include "check.h"

#define SAYS(text, want) CHECK((text) != NULL && strcmp(text, want) == 0)

static const char *
in_dir(const char *name)
{
	static char path[64][256];
	static unsigned i;

	i = (i + 1) % 64;
	snprintf(path[i], sizeof(path[i]), "%s/%s", dir, name);
	return path[i];
}

static void
write_file(const char *path, const void *p, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	must(fd != -1 && io_write_full(fd, p, n) == 0, path);
	close(fd);
}

/* --- symbols -------------------------------------------------------------- */

static void
put(struct symcache *c, uint64_t serial, uint64_t vaddr, const char *name)
{
	struct elfsym_query q = {.vaddr = vaddr, .start = vaddr, .size = 8};

	q.name = (char *)name;
	symcache_put(c, serial, &q);
}

static const char *
get(struct symcache *c, uint64_t serial, uint64_t vaddr)
{
	static char text[64];
	struct elfsym_query q = {.vaddr = vaddr};

	if (!symcache_get(c, serial, &q))
		return "unknown";
	snprintf(text, sizeof(text), "%s", q.name != NULL ? q.name : "none");
	free(q.name);
	return text;
}

static void
test_symcache(void)
{
	struct symcache *c = symcache_new(3, 4096);
	char big[5000];
	size_t n, bytes;

	SAYS(get(c, 1, 10), "unknown");
	put(c, 1, 10, "ten");
	put(c, 1, 11, NULL);
	put(c, 2, 10, "other");
	SAYS(get(c, 1, 10), "ten");
	SAYS(get(c, 1, 11), "none");
	SAYS(get(c, 2, 10), "other");
	SAYS(get(c, 2, 11), "unknown");
	/* the one that was not asked for longest goes */
	get(c, 1, 10);
	put(c, 3, 1, "three");
	SAYS(get(c, 1, 11), "unknown");
	SAYS(get(c, 1, 10), "ten");
	put(c, 1, 10, "again");
	SAYS(get(c, 1, 10), "again");
	/* bytes are bounded too */
	memset(big, 'x', sizeof(big));
	big[3000] = '\0';
	put(c, 4, 1, big);
	symcache_count(c, &n, &bytes);
	CHECK(n == 3 && bytes < 4096);
	big[3000] = 'x';
	big[4999] = '\0';
	put(c, 5, 1, big);
	symcache_count(c, &n, &bytes);
	CHECK(n == 0 && bytes == 0);
	for (n = 0; n < 1000; n++)
		put(c, n, n, "many");
	symcache_count(c, &n, &bytes);
	CHECK(n == 3);
	symcache_free(c);
}

/* --- mounts --------------------------------------------------------------- */

static const char mounts[] =
    "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
    "2 1 0:5 / /proc rw shared:5 - proc proc rw\n"
    "3 1 0:6 / /home/a\\040b rw,nosuid shared:1 master:2 - fuse.sshfs x rw\n"
    "4 1 0:7 / /mnt rw - fuse y rw\n"
    "5 4 8:2 / /mnt/disk rw - fuseblk /dev/sdb1 rw\n"
    "6 1 0:8 / /net rw - autofs z rw\n"
    "7 6 0:9 / /net rw - nfs4 z rw\n"
    "8 1 0:8 / /net2 rw - autofs z rw\n";

static int
hangs(const char *path)
{
	return mounts_may_hang(mounts, sizeof(mounts) - 1, path);
}

static void
test_mounts(void)
{
	const char *p;
	size_t n, i;

	CHECK(!hangs("/bin/sh") && !hangs("/") && !hangs("/proc/self"));
	CHECK(hangs("/home/a b/x") && hangs("/home/a b"));
	CHECK(!hangs("/home/a bc") && !hangs("/home/a\\040b/x"));
	CHECK(
	    hangs("/mnt/x") && hangs("/mnt/diskette") && !hangs("/mnt/disk/x"));
	CHECK(!hangs("/net/x") && hangs("/net2/x"));
	p = mounts_type(mounts, sizeof(mounts) - 1, "/mnt/disk/x", &n);
	CHECK(p != NULL && n == 7 && memcmp(p, "fuseblk", n) == 0);
	CHECK(mounts_type("", 0, "/x", &n) == NULL);
	p = mounts_dev_type(
	    mounts, sizeof(mounts) - 1, (uint64_t)8 << 32 | 1, &n);
	CHECK(p != NULL && n == 4 && memcmp(p, "ext4", 4) == 0);
	CHECK(mounts_is_local(p, n) && !mounts_is_local(p, 3));
	CHECK(mounts_dev_type(mounts, sizeof(mounts) - 1, 1, &n) == NULL);
	CHECK(!mounts_is_local(NULL, 0) && !mounts_is_local("fuse", 4) &&
	    !mounts_is_local("overlay", 7) && !mounts_is_local("nfs4", 4));
	for (i = 0; i < sizeof(mounts) - 1; i++) { /* cut anywhere */
		char *cut = malloc(i + 1);

		memcpy(cut, mounts, i);
		mounts_may_hang(cut, i, "/home/a b/x");
		free(cut);
	}
	mounts_may_hang("- - - - -\n / / /\n\\ \\ \\ \\ \\04 - \n", 31, "/x");
}

/* --- files ---------------------------------------------------------------- */

static struct buf lib; /* an ELF file */
static unsigned char libid[ELFSYM_ID_MAX];
static size_t libidlen;

static struct map
map_by_id(const char *path)
{
	struct map m = {.start = 0x10000, .end = 0x13000, .name = path};

	m.prot = MAP_R | MAP_X;
	m.module = -1;
	m.idlen = (unsigned char)libidlen;
	memcpy(m.id, libid, libidlen);
	return m;
}

static struct map
map_by_inode(const char *path)
{
	struct map m = map_by_id(path);
	struct stat st;

	must(stat(path, &st) == 0, path);
	m.idlen = 0;
	m.dev = (uint64_t)major(st.st_dev) << 32 | minor(st.st_dev);
	m.ino = st.st_ino;
	return m;
}

static size_t
open_fds(struct modcache *c)
{
	size_t fds, files;

	modcache_count(c, &fds, &files);
	return fds;
}

static void
test_files(void)
{
	struct modcache_limits lim = {.files = 8, .fds = 3};
	struct modcache *c = modcache_new(&lim);
	struct modfile *f, *g, *held[3];
	const char *path = in_dir("lib"), *other = in_dir("other");
	pid_t self = getpid();
	struct timespec ts[2];
	struct stat st;
	struct map m;
	uint64_t serial;
	char name[64];
	size_t fds, files, i;

	write_file(path, lib.p, lib.len);
	m = map_by_id(path);
	f = modcache_get(c, &m, &self, 1);
	CHECK(f != NULL && f->fd != -1 && f->why == NULL);
	CHECK(f->idlen == libidlen && memcmp(f->id, libid, libidlen) == 0);
	CHECK(f->head.nloads == 2 && f->lowest == 0 && f->highest == 0x5000);
	serial = f->serial;
	CHECK(modcache_get(c, &m, NULL, 0) == f && open_fds(c) == 1);
	/* the same file in the words of /proc/PID/maps */
	m = map_by_inode(path);
	CHECK(modcache_get(c, &m, NULL, 0) == f);
	modfile_release(c, f);
	modfile_release(c, f);
	CHECK(open_fds(c) == 1);
	modfile_release(c, f);
	CHECK(open_fds(c) == 0);
	/* opened again it is what it was */
	m = map_by_id(path);
	CHECK(modcache_get(c, &m, NULL, 0) == f && f->serial == serial);

	/* another file takes its name: who holds it keeps the old one */
	write_file(other, lib.p, lib.len - 1);
	must(rename(other, path) == 0, "rename");
	CHECK(modcache_get(c, &m, NULL, 0) == f && f->fd != -1);
	CHECK(f->serial == serial);
	modfile_release(c, f);
	modfile_release(c, f);
	/* one that has the build-id, but not the same bytes */
	CHECK(modcache_get(c, &m, NULL, 0) == f && f->serial != serial);
	modfile_release(c, f);

	/* written to, in place */
	m = map_by_inode(path);
	f = modcache_get(c, &m, NULL, 0);
	serial = f->serial;
	write_file(path, lib.p, lib.len);
	CHECK(modcache_get(c, &m, NULL, 0) == f && f->serial != serial);
	/* and once more, which only its time tells */
	serial = f->serial;
	must(stat(path, &st) == 0, path);
	ts[0] = ts[1] = st.st_mtim;
	ts[1].tv_nsec = (ts[1].tv_nsec + 1) % 1000000000;
	must(utimensat(AT_FDCWD, path, ts, 0) == 0, path);
	CHECK(modcache_get(c, &m, NULL, 0) == f && f->serial != serial);
	modfile_release(c, f);
	modfile_release(c, f);
	modfile_release(c, f);

	/* what it is not */
	m.ino++;
	f = modcache_get(c, &m, NULL, 0);
	CHECK(f->fd == -1);
	SAYS(f->why, "the file was replaced");
	modfile_release(c, f);
	m = map_by_id(path);
	m.id[0] ^= 1;
	f = modcache_get(c, &m, NULL, 0);
	SAYS(f->why, "the file was replaced");
	modfile_release(c, f);
	m = map_by_id(in_dir("missing"));
	f = modcache_get(c, &m, &self, 1);
	SAYS(f->why, "the file is gone");
	modfile_release(c, f);
	must(mkfifo(in_dir("fifo"), 0600) == 0, "mkfifo");
	m = map_by_id(in_dir("fifo"));
	f = modcache_get(c, &m, &self, 1);
	SAYS(f->why, "the file cannot be opened");
	modfile_release(c, f);
	/* /proc/self would be ours, not that of who mapped it */
	snprintf(name, sizeof(name), "/proc/self/root%s", path);
	m = map_by_id(name);
	f = modcache_get(c, &m, NULL, 0);
	CHECK(f->fd == -1);
	modfile_release(c, f);
	m = map_by_id("//toolong");
	f = modcache_get(c, &m, &self, 1);
	SAYS(f->why, "its name is not known");
	modfile_release(c, f);
	m = map_by_id("");
	CHECK(modcache_get(c, &m, NULL, 0) == NULL && errno == ENOENT);
	m = map_by_id("[heap]");
	CHECK(modcache_get(c, &m, NULL, 0) == NULL && errno == ENOENT);
	m = map_by_id("[vdso]");
	m.idlen = 0;
	m.end = m.start + 0x2000;
	f = modcache_get(c, &m, NULL, 0);
	CHECK(f->fd != -1 && f->head.nloads == 1);
	modfile_release(c, f);

	/* only so many descriptors */
	for (i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "copy%zu", i);
		write_file(in_dir(name), lib.p, lib.len);
		m = map_by_id(in_dir(name));
		held[i] = modcache_get(c, &m, NULL, 0);
		CHECK(held[i]->fd != -1);
	}
	m = map_by_id(path);
	f = modcache_get(c, &m, NULL, 0);
	SAYS(f->why, "too many files are open");
	modfile_release(c, held[0]);
	CHECK(modcache_get(c, &m, NULL, 0) == f && f->fd != -1);
	modfile_release(c, f);
	modfile_release(c, f);
	modfile_release(c, held[1]);
	modfile_release(c, held[2]);
	/* and so many files */
	for (i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "/nowhere/%zu", i);
		m = map_by_id(name);
		g = modcache_get(c, &m, NULL, 0);
		modfile_release(c, g);
	}
	modcache_count(c, &fds, &files);
	CHECK(fds == 0 && files == 8);
	modcache_free(c);
}

/* --- targets -------------------------------------------------------------- */

enum { BASE = 0x7f0000 };

static void
test_target(void)
{
	static unsigned char page[2][TARGET_PAGE];
	struct modcache_limits lim = {0};
	struct modcache *c = modcache_new(&lim);
	const char *path = in_dir("lib");
	struct sample_page pages[2] = {{0x50000, page[0]}, {0x52000, page[1]}};
	struct regs regs = {.n = 0};
	struct map maps[3];
	struct sample s = {.pid = 7,
	    .tid = 8,
	    .machine = EM_X86_64,
	    .regs = &regs,
	    .pages = pages,
	    .npages = 2,
	    .stack_lo = 0x50000,
	    .stack_hi = 0x60000,
	    .maps = maps,
	    .nmaps = 1,
	    .exe = path};
	const struct timespec old[2] = {{1, 1}, {1, 1}};
	struct target t;
	unsigned char got[64];
	struct modfile *f;
	uint64_t w, serial;
	struct map *m;

	memset(page[0], 1, TARGET_PAGE);
	memset(page[1], 2, TARGET_PAGE);
	maps[0] = map_by_id(path);
	maps[0].start = BASE;
	maps[0].end = BASE + 0x3000;
	target_init(&t);
	CHECK(target_sample_open(c, &s, &t) == 0);
	CHECK(t.nmods == 1 && t.mods[0].headers == MODULE_YES);
	CHECK(t.mods[0].bias == BASE && t.mods[0].start == BASE);
	CHECK(t.mods[0].end == BASE + 0x5000 && t.mods[0].isexec);
	CHECK(t.mods[0].idlen == libidlen && t.mods[0].baselen == 3);
	CHECK(t.nthreads == 1 && t.threads[0].tid == 8);
	/* the second segment, which nobody reported */
	CHECK(t.nmaps == 2 && t.maps[1].start == BASE + 0x3000);
	m = target_map(&t, BASE + 0x4000);
	CHECK(m != NULL && m->prot == (MAP_R | MAP_W) && m->module == 0);
	CHECK(m->off == 0x2000 && m->start == BASE + 0x3000 &&
	    strcmp(m->name, path) == 0);
	/* code is as in the file, data is not known, the stack was copied */
	CHECK(target_read(&t, BASE + 0x1000, got, 64) == 64);
	CHECK(memcmp(got, lib.p + 0x1000, 64) == 0);
	CHECK(target_read(&t, BASE + 0x3e84, got, 64) == 0);
	CHECK(target_word(&t, 0x50ff8, &w) == 0 && w == 0x0101010101010101);
	CHECK(target_word(&t, 0x52000, &w) == 0 && w == 0x0202020202020202);
	CHECK(target_word(&t, 0x51000, &w) == -1);
	CHECK(target_word(&t, 0x50ffc, &w) == -1);
	CHECK(module_unwind_data(&t, &t.mods[0]));
	/* written to meanwhile: the target keeps what it has */
	f = modcache_get(c, &maps[0], NULL, 0);
	serial = f->serial;
	write_file(path, lib.p, lib.len);
	must(utimensat(AT_FDCWD, path, old, 0) == 0, path);
	CHECK(modcache_get(c, &maps[0], NULL, 0) == f);
	CHECK(f->serial == serial && f->fd == t.mods[0].fd);
	target_free(&t);
	CHECK(modcache_get(c, &maps[0], NULL, 0) == f && f->serial != serial);
	modfile_release(c, f);
	modfile_release(c, f);
	modfile_release(c, f);
	CHECK(open_fds(c) == 0);

	/* read-only by now, but once relocated: the file does not tell */
	maps[1] = maps[0];
	maps[1].start = BASE + 0x3000;
	maps[1].end = BASE + 0x4000;
	maps[1].off = 0x2000;
	maps[1].prot = MAP_R;
	s.nmaps = 2;
	target_init(&t);
	CHECK(target_sample_open(c, &s, &t) == 0);
	CHECK(t.maps[1].module == 0);
	CHECK(target_read(&t, BASE + 0x3e84, got, 64) == 0);
	/* but it does of what never was writable */
	maps[0].end = BASE + 0x2000;
	maps[1].start = BASE + 0x2000;
	maps[1].end = BASE + 0x3000;
	target_free(&t);
	target_init(&t);
	CHECK(target_sample_open(c, &s, &t) == 0);
	CHECK(target_read(&t, BASE + 0x2514, got, 12) == 12);
	CHECK(memcmp(got, lib.p + 0x2514, 12) == 0);
	target_free(&t);
	maps[0].end = BASE + 0x3000;

	/* what was reported stays, holes are filled around it */
	maps[1] = maps[0];
	maps[1].start = BASE + 0x3000;
	maps[1].end = BASE + 0x4000;
	maps[1].name = "";
	maps[1].prot = MAP_R;
	s.nmaps = 2;
	target_init(&t);
	CHECK(target_sample_open(c, &s, &t) == 0);
	CHECK(t.nmaps == 3 && *t.maps[1].name == '\0');
	CHECK(t.maps[2].start == BASE + 0x4000 && t.maps[2].off == 0x3000);
	target_free(&t);

	/* forged: one file twice, upon each other */
	maps[1] = maps[0];
	maps[0].end = BASE + 0x1000;
	maps[1].start = BASE + 0x1000;
	maps[1].end = BASE + 0x2000;
	maps[2] = maps[1];
	maps[2].start = BASE + 0x2000;
	maps[2].end = BASE + 0x3000;
	maps[2].off = UINT64_MAX - 0xfff;
	s.nmaps = 3;
	target_init(&t);
	CHECK(target_sample_open(c, &s, &t) == 0);
	CHECK(t.nmods == 3);
	CHECK(t.mods[0].end <= t.mods[1].start);
	CHECK(t.mods[1].end <= t.mods[2].start);
	target_free(&t);

	/* no file: the mapping is a module, without unwind data */
	maps[0] = map_by_id("/nowhere/at all");
	s.nmaps = 1;
	target_init(&t);
	CHECK(target_sample_open(c, &s, &t) == 0);
	CHECK(t.nmods == 1 && t.mods[0].headers == MODULE_NO);
	SAYS(t.mods[0].fdwhy, "the file is gone");
	CHECK(t.mods[0].idlen == libidlen); /* the kernel told it */
	CHECK(!module_unwind_data(&t, &t.mods[0]));
	target_free(&t);

	s.nmaps = 0;
	target_init(&t);
	CHECK(target_sample_open(c, &s, &t) == 0 && t.nmods == 0);
	target_free(&t);
	modcache_free(c);
}

/* The verdict on a trace with that end. */
static const char *
judged(const struct sample *s, struct modcache *c, const char *stop,
    uint64_t missing, unsigned flags, enum sample_quality want)
{
	static struct sample_verdict v;
	struct target t;
	struct trace *tr;

	target_init(&t);
	CHECK(target_sample_open(c, s, &t) == 0);
	tr = &t.threads[0].trace;
	tr->f = calloc(2, sizeof(*tr->f));
	tr->n = 2;
	tr->f[1].n = 1;
	tr->f[1].flags = flags;
	snprintf(tr->stop, sizeof(tr->stop), "%s", stop);
	tr->missing = missing;
	tr->unreadable = missing != 0;
	sample_judge(&t, &v);
	CHECK(v.quality == want);
	target_free(&t);
	return v.why;
}

static void
test_verdict(void)
{
	struct modcache_limits lim = {0};
	struct modcache *c = modcache_new(&lim);
	struct regs regs = {.n = 0};
	struct sample s = {.machine = EM_X86_64,
	    .regs = &regs,
	    .stack_lo = 0x50000,
	    .stack_hi = 0x60000};

	SAYS(judged(&s, c, "", 0, 0, SAMPLE_RELIABLE), "");
	SAYS(
	    judged(&s, c, "no memory at 0x60008", 0x60008, 0, SAMPLE_TRUNCATED),
	    "the stack goes on above the 64 KiB that were copied");
	SAYS(
	    judged(&s, c, "no memory at 0x51238", 0x51238, 0, SAMPLE_TRUNCATED),
	    "page 0x51000 of the stack was not resident");
	SAYS(judged(&s, c, "no memory at 0x8", 0x8, 0, SAMPLE_TRUNCATED),
	    "no memory at 0x8");
	SAYS(judged(&s, c, "16 frames and more", 0, 0, SAMPLE_TRUNCATED),
	    "16 frames and more");
	SAYS(judged(&s, c, "", 0, FRAME_FP, SAMPLE_DOUBTFUL),
	    "no unwind data: from frame 1 on by frame pointers");
	s.stack_whole = 1;
	SAYS(
	    judged(&s, c, "no memory at 0x60008", 0x60008, 0, SAMPLE_TRUNCATED),
	    "no memory at 0x60008");
	s.doubt = "records were lost";
	SAYS(judged(&s, c, "", 0, 0, SAMPLE_DOUBTFUL), "records were lost");
	modcache_free(c);
}

/* --- kernel symbols ------------------------------------------------------- */

static struct ksyms *
parse(const char *text)
{
	char *p = strdup(text);

	must(p != NULL, "memory");
	return ksyms_parse(p, strlen(text));
}

static void
test_ksyms(void)
{
	static const char text[] = "ffffffff81000100 T second\n"
				   "ffffffff81000000 T _stext\n"
				   "ffffffff81000000 T _text\n"
				   "0000000000000000 A percpu\n"
				   "ffffffff81000180 d data\n"
				   "ffffffffc0000000 t probe\t[some_mod]\n"
				   "ffffffff81000200 W weak\n";
	struct ksyms *k = parse(text);
	struct ksym s;
	size_t i;

	CHECK(k != NULL);
	if (k == NULL)
		return;
	CHECK(ksyms_find(k, 0xffffffff81000000, &s) == 0 && s.off == 0);
	SAYS(s.name, "_stext");
	CHECK(s.module == NULL);
	CHECK(ksyms_find(k, 0xffffffff810001ff, &s) == 0 && s.off == 0xff);
	SAYS(s.name, "second");
	CHECK(ksyms_find(k, 0xffffffffc0000010, &s) == 0 && s.off == 0x10);
	SAYS(s.name, "probe");
	SAYS(s.module, "some_mod");
	CHECK(ksyms_find(k, 0xffffffff80ffffff, &s) == -1 && errno == ENOENT);
	CHECK(ksyms_find(k, 0xffffffff82000000, &s) == -1);
	CHECK(ksyms_find(k, UINT64_MAX, &s) == -1);
	ksyms_free(k);

	CHECK(parse("0000000000000000 T _stext\n0000000000000000 t x\n") ==
		NULL &&
	    errno == EACCES);
	CHECK(parse("") == NULL && errno == ENODATA);
	CHECK(parse("what is this\n") == NULL && errno == EINVAL);
	CHECK(parse("ffffffff81000100 T\n") == NULL && errno == EINVAL);
	for (i = 1; i < sizeof(text) - 1; i++) { /* cut anywhere */
		char *p = malloc(i);

		memcpy(p, text, i);
		k = ksyms_parse(p, i);
		if (k != NULL)
			CHECK(ksyms_find(k, 0xffffffff81000100, &s) == 0);
		ksyms_free(k);
	}
	k = ksyms_open("/proc/kallsyms");
	CHECK(k != NULL || errno == EACCES || errno == ENOENT);
	ksyms_free(k);
}

/* --- rings ---------------------------------------------------------------- */

static int
count(void *ctx, const void *p, size_t n)
{
	(void)p;
	CHECK(n >= 16);
	++*(unsigned *)ctx;
	return 0;
}

static void
spawn(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	must(pid != -1, "fork");
	while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
		;
}

static void
list(const char *text)
{
	write_file(in_dir("cpus"), text, strlen(text));
}

static int
test_rings(void)
{
	struct perfring_opts o = {.bytes = 8192, .wakeup = 4096};
	struct perfring *r;
	unsigned n = 0, i;
	int full = 0;

	o.cpus = in_dir("cpus");
	list("0\n");
	r = perfring_open(&o);
	if (r == NULL && (errno == EACCES || errno == EPERM))
		return 77;
	must(r != NULL, "perf ring");
	CHECK(perfring_ncpus(r) == 1);
	/* one goes while another comes */
	list("1\n");
	if (perfring_cpus(r) == 1) { /* there are two */
		perfring_read(r, count, &n, &full);
		perfring_cpus(r);
		CHECK(perfring_ncpus(r) == 1);
		list("0-1\n");
		CHECK(perfring_cpus(r) == 1 && perfring_ncpus(r) == 2);
	} else {
		list("0\n");
		perfring_cpus(r);
	}
	CHECK(perfring_cpus(r) == 0);
	/* a list that cannot be read changes nothing */
	list("what\n");
	CHECK(perfring_cpus(r) == 0 && perfring_ncpus(r) >= 1);
	list("0-1\n");
	perfring_read(r, count, &n, &full);
	n = 0;
	for (i = 0; i < 20; i++)
		spawn();
	CHECK(perfring_read(r, count, &n, &full) == 0 && n >= 40);
	/* as many as overflow it */
	full = 0;
	for (i = 0; i < 400; i++)
		spawn();
	CHECK(perfring_read(r, count, &n, &full) == 0 && full);
	perfring_close(r);
	list("\n");
	CHECK(perfring_open(&o) == NULL && errno == ENODEV);
	return 0;
}

int
main(int argc, char *argv[])
{
	char path[4096];
	int r = 0;

	if (argc != 2)
		return 100;
	must(mkdtemp(dir) != NULL, dir);
	if (strcmp(argv[1], "rings") == 0)
		r = test_rings();
	else {
		snprintf(path, sizeof(path), "%s/lib.elf", argv[1]);
		must(io_slurp(AT_FDCWD, path, 1 << 20, &lib, NULL) == 0, path);
		r = open(path, O_RDONLY | O_CLOEXEC);
		libidlen = (size_t)elfsym_buildid(r, libid);
		close(r);
		must(libidlen == 20, path);
		test_symcache();
		test_mounts();
		test_files();
		test_target();
		test_verdict();
		test_ksyms();
		r = 0;
	}
	buf_free(&lib);
	snprintf(path, sizeof(path), "rm -rf %s", dir);
	if (system(path) != 0)
		failed++;
	return r != 0 ? r : check_report();
}
