/*
 * unit_coresend: send/coreout and its replay, core/coreextent, send/corespool,
 * crash/crashid.
 *
 * unit_coresend DIR	DIR is empty, and of no use afterwards
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "check.h"
#include "core/coreextent.h"
#include "crash/crashid.h"
#include "send/coreout.h"
#include "send/corespool.h"
#include "stream/crc32c.h"

static struct coreout_meter meter;
static struct coreout_cfg cfg;
static char core[1 << 20], block[STREAM_BLOCK];

/* Zeros and others in pages, page n as bit n of the pattern says. */
static void
paint(uint64_t pattern, size_t pages)
{
	size_t i;

	memset(core, 0, sizeof(core));
	for (i = 0; i < pages; i++)
		if (pattern >> i & 1)
			core[i * 4096 + (i * 37) % 4096] = (char)(i + 1);
}

static int
tmpfile_fd(void)
{
	int fd = memfd_create("unit", 0);

	must(fd != -1, "memfd");
	return fd;
}

static void
setup(struct coreout *o, int outfd, int infd, int keepfd)
{
	memset(o, 0, sizeof(*o));
	o->outfd = outfd;
	o->infd = infd;
	o->keep.fd = keepfd;
	o->keep.max = 64 << 20;
	cfg.idle_ms = 2000;
	cfg.meter = &meter;
	o->cfg = &cfg;
	coreout_start(o);
}

/* A whole stream of the first len bytes of core, from off on. */
static int
stream(struct coreout *o, uint64_t off, size_t len, size_t step)
{
	struct crash_id id;
	size_t i, n;

	crash_id_init(&id);
	snprintf(id.comm, sizeof(id.comm), "unit");
	if (coreout_head(o, &id) == -1)
		return -1;
	for (i = 0; i < len; i += n) {
		n = step < len - i ? step : len - i;
		if (coreout_put(o, off + i, core + i, n) == -1 ||
		    coreout_flush(o, n) == -1)
			return -1;
	}
	return coreout_end(o, off + len, NULL);
}

/* What a kept stream holds, frame by frame, against core at off. */
static size_t
unpack(int fd, uint64_t off, size_t len)
{
	static char got[sizeof(core) + 4096];
	unsigned char hdr[STREAM_FRAME];
	struct stream_sum sum = {0};
	struct stream_frame f;
	struct stream_end end;
	struct crash_id id;
	const char *why;
	size_t frames = 0;
	uint64_t at;
	ssize_t n;

	memset(got, 0, sizeof(got));
	n = pread(fd, block, STREAM_HEAD_MAX, 0);
	at = (uint64_t)stream_head_parse(block, (size_t)n, &id, &why);
	for (;; frames++) {
		if (pread(fd, hdr, sizeof(hdr), (off_t)at) != sizeof(hdr))
			return 0;
		CHECK(stream_frame_get(hdr, &f) == 0);
		at += sizeof(hdr);
		CHECK(pread(fd, block, f.len, (off_t)at) == (ssize_t)f.len);
		at += f.len;
		if (f.type == STREAM_END)
			break;
		CHECK(f.crc == crc32c(0, block, f.len));
		CHECK(stream_sum_data(&sum, &f) == 0);
		CHECK(f.off >= off && f.off - off + f.len <= len);
		memcpy(got + (f.off - off), block, f.len);
		/* no page of zeros travels */
		for (n = 0; n < (ssize_t)f.len; n++)
			if ((f.off + (uint64_t)n) % 4096 == 0)
				CHECK(stream_zeros(block + n, f.len - (size_t)n,
					  4096) == 0);
	}
	CHECK(stream_end_parse(&f, block, f.len, &end) == 0);
	CHECK(stream_end_check(&end, &sum, &why) == 0);
	CHECK(end.size == off + len && stream_is_complete(&end));
	CHECK(memcmp(got, core, len) == 0);
	return frames;
}

/* --- coreout -------------------------------------------------------------- */

static void
test_holes(void)
{
	static const struct {
		uint64_t pattern;
		size_t frames;
	} t[] = {{0, 0}, {0xffff, 1}, {1, 1}, {0x8000, 1}, {0x5555, 8},
	    {0xaaaa, 8}, {0x0ff0, 1}, {0xf00f, 2}};
	struct coreout o;
	size_t i;
	int fd;

	for (i = 0; i < sizeof(t) / sizeof(*t); i++) {
		paint(t[i].pattern, 16);
		fd = tmpfile_fd();
		setup(&o, -1, -1, fd);
		CHECK(stream(&o, 0, 16 * 4096, sizeof(core)) == 0);
		CHECK(unpack(fd, 0, 16 * 4096) == t[i].frames);
		close(fd);
	}
}

/* Offsets and lengths that are no multiples of anything. */
static void
test_odd(void)
{
	static const size_t steps[] = {1, 7, 4095, 4096, 4097, 65536, 100000};
	static const uint64_t offs[] = {0, 1, 4095, 1000000007};
	struct coreout o;
	size_t i, k;
	int fd;

	paint(0x123456789abcdef0, 64);
	memset(core + 5000, 'x', 3);
	for (i = 0; i < sizeof(steps) / sizeof(*steps); i++)
		for (k = 0; k < sizeof(offs) / sizeof(*offs); k++) {
			size_t len = steps[i] < 100 ? 20001 : 200001;

			fd = tmpfile_fd();
			setup(&o, -1, -1, fd);
			CHECK(stream(&o, offs[k], len, steps[i]) == 0);
			CHECK(unpack(fd, offs[k], len) > 0);
			close(fd);
		}
}

/* It takes no more, and says why later, or never. */
static void
test_last_words(const char *word, const char *why)
{
	struct coreout o;
	int s[2], fd = tmpfile_fd();
	pid_t pid;

	signal(SIGPIPE, SIG_IGN);
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s) == 0,
	    "socketpair");
	memset(core, 'c', sizeof(core));
	pid = fork();
	if (pid == 0) {
		close(s[0]);
		shutdown(s[1], SHUT_RD);
		usleep(1300000);
		(void)!write(s[1], word, strlen(word));
		_exit(0);
	}
	close(s[1]);
	setup(&o, s[0], s[0], fd);
	while (stream(&o, 0, sizeof(core), sizeof(core)) == 0)
		;
	CHECK(strstr(o.why, why) != NULL);
	CHECK(waitpid(pid, NULL, 0) == pid);
	close(s[0]);
	close(fd);
}

/* The reader takes little at a time: short writes at both ends. */
static void
test_slow_reader(void)
{
	char reply[128], piece[777];
	struct stream_reply r;
	struct coreout o;
	int s[2], small = 1, fd = tmpfile_fd();
	ssize_t n;
	pid_t pid;

	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s) == 0,
	    "socketpair");
	setsockopt(s[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	memset(core, 'c', sizeof(core));
	pid = fork();
	if (pid == 0) {
		struct pollfd p = {.fd = s[1], .events = POLLIN};
		uint64_t all = 0;

		close(s[0]);
		/* the frames of this core, END and all, have that length */
		while (poll(&p, 1, 5000) == 1 &&
		    (n = read(s[1], piece, 1 + (size_t)(all % 776))) > 0) {
			all += (uint64_t)n;
			(void)!write(fd, piece, (size_t)n);
			if (n >= 13 && memmem(piece, (size_t)n, "data: ", 6))
				break;
		}
		n = snprintf(reply, sizeof(reply), "OK a/b %zu %08x\n",
		    sizeof(core), crc32c(0, core, sizeof(core)));
		(void)!write(s[1], reply, (size_t)n);
		_exit(0);
	}
	close(s[1]);
	setup(&o, s[0], s[0], -1);
	CHECK(stream(&o, 0, sizeof(core), sizeof(core)) == 0);
	CHECK(coreout_reply(&o, sizeof(core), &r) == 0);
	CHECK(strcmp(r.name, "a/b") == 0);
	waitpid(pid, NULL, 0);
	CHECK(unpack(fd, 0, sizeof(core)) == 1);
	close(s[0]);
	close(fd);
}

/* What the other side says, said before, while, or after it should. */
static void
answer(const char *what, size_t len, const char *why, int refused, int early)
{
	struct stream_reply r;
	struct coreout o;
	int s[2], rc;

	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s) == 0,
	    "socketpair");
	paint(1, 1);
	setup(&o, s[0], s[0], -1);
	cfg.idle_ms = 200;
	if (early) {
		(void)!write(s[1], what, len);
		rc = stream(&o, 0, 4096, 4096);
	} else {
		CHECK(stream(&o, 0, 4096, 4096) == 0);
		(void)!write(s[1], what, len);
		if (len == 0 && why != NULL && strstr(why, "without"))
			shutdown(s[1], SHUT_WR);
		rc = coreout_reply(&o, 4096, &r);
	}
	CHECK(rc == (why == NULL ? 0 : -1));
	if (why != NULL && strcmp(o.why, why) != 0) {
		printf("want \"%s\", got \"%s\"\n", why, o.why);
		failed++;
	}
	CHECK(o.refused == refused);
	close(s[0]);
	close(s[1]);
}

static void
test_answers(void)
{
	static char longline[3000];
	char ok[80], n;

	paint(1, 1);
	n = (char)snprintf(
	    ok, sizeof(ok), "OK x 4096 %08x\n", crc32c(0, core, 4096));
	answer(ok, (size_t)n, NULL, 0, 0);
	answer(ok, (size_t)n, "it said OK before it had all", 1, 1);
	answer("ERR no room\n", 12, "it said: no room", 1, 0);
	answer("ERR no room\n", 12, "it said: no room", 1, 1);
	answer("ERR\n", 4, "it said: ERR", 1, 0);
	ok[n - 2] = ok[n - 2] == '0' ? '1' : '0';
	answer(ok, (size_t)n, "it says OK, but of another core", 0, 0);
	n = (char)snprintf(
	    ok, sizeof(ok), "OK x 4097 %08x\n", crc32c(0, core, 4096));
	answer(ok, (size_t)n, "it says OK, but of another core", 0, 0);
	answer("OK x 4095 00000000\n", 19, "it says OK, but of another core", 0,
	    0);
	answer("HTTP/1.1 400\n", 13, "its answer makes no sense", 0, 0);
	memset(longline, 'y', sizeof(longline));
	answer(longline, sizeof(longline), "its answer makes no sense", 0, 0);
	answer(longline, sizeof(longline),
	    "it answered out of turn, and not in a line", 0, 1);
	answer("", 0, "it had all and did not answer for 0 seconds", 0, 0);
	answer("OK x", 4, "it had all and did not answer for 0 seconds", 0, 0);
	answer("", 0, "it had all and went without an answer", 0, 0);
}

static void
test_stopped(void)
{
	struct coreout o;
	int s[2];

	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s) == 0,
	    "socketpair");
	memset(core, 'z', sizeof(core));
	setup(&o, s[0], s[0], -1);
	cfg.idle_ms = 1000;
	CHECK(stream(&o, 0, sizeof(core), sizeof(core)) == -1);
	CHECK(strcmp(o.why, "it took nothing for 1 seconds") == 0);
	close(s[1]);
	setup(&o, s[0], s[0], -1);
	CHECK(stream(&o, 0, sizeof(core), sizeof(core)) == -1);
	CHECK(*o.why != '\0' && o.refused == 0);
	close(s[0]);
}

/* A file that gets full is given up and emptied; a receiver goes on. */
static void
test_keep_full(void)
{
	struct coreout o;
	struct stat st;
	int fd = tmpfile_fd(), out = tmpfile_fd();

	memset(core, 'k', sizeof(core));
	setup(&o, -1, -1, fd);
	o.keep.max = 100000;
	CHECK(stream(&o, 0, sizeof(core), 65536) == -1 && errno == EFBIG);
	CHECK(o.keep_err == EFBIG);
	CHECK(fstat(fd, &st) == 0 && st.st_size == 0);
	setup(&o, out, -1, fd);
	o.keep.max = 100000;
	CHECK(stream(&o, 0, sizeof(core), 65536) == 0);
	CHECK(o.keep_err == EFBIG);
	CHECK(unpack(out, 0, sizeof(core)) > 0);
	/* a floor nobody has; what a memfd is on tells no size, and has none */
	setup(&o, out, -1, fd);
	o.keep.minfree = UINT64_MAX / 2;
	CHECK(stream(&o, 0, sizeof(core), 65536) == 0 && o.keep_err == 0);
	close(fd);
	fd = open(".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	must(fd != -1, "O_TMPFILE");
	setup(&o, -1, -1, fd);
	o.keep.minfree = UINT64_MAX / 2;
	CHECK(stream(&o, 0, sizeof(core), 65536) == -1 && errno == ENOSPC);
	close(fd);
	close(out);
}

/* --- replay --------------------------------------------------------------- */

static void
test_replay(void)
{
	struct stream_end end;
	struct crash_id id;
	struct coreout o;
	int kept = tmpfile_fd(), out = tmpfile_fd();

	paint(0xf0f0f0f0f0f0f0f0, 64);
	setup(&o, -1, -1, kept);
	CHECK(stream(&o, 0, 64 * 4096, 70000) == 0);
	setup(&o, out, -1, -1);
	CHECK(coreout_kept(&o, kept, block, &id) > 0);
	CHECK(strcmp(id.comm, "unit") == 0);
	CHECK(coreout_replay(&o, kept, block, &end) == 0);
	CHECK(end.size == 64 * 4096);
	CHECK(coreout_end(&o, end.size, end.state) == 0);
	CHECK(unpack(out, 0, 64 * 4096) > 0);
	close(kept);
	close(out);
}

/* Every byte of a kept stream damaged, and every cut of it: never a stream
 * that looks whole. */
static void
test_damage(void)
{
	struct stream_end end;
	struct coreout o;
	struct stat st;
	int kept = tmpfile_fd(), out = tmpfile_fd(), r, whole;
	off_t i;
	char c;

	paint(5, 3);
	memset(core + 8192 + 50, 0, 4000);
	setup(&o, -1, -1, kept);
	CHECK(stream(&o, 0, 3 * 4096, sizeof(core)) == 0);
	CHECK(fstat(kept, &st) == 0);
	for (i = 0; i < st.st_size; i++) {
		CHECK(pread(kept, &c, 1, i) == 1);
		c ^= 0x10;
		CHECK(pwrite(kept, &c, 1, i) == 1);
		(void)!ftruncate(out, 0);
		setup(&o, out, -1, -1);
		r = coreout_replay(&o, kept, block, &end);
		/* the text header has no checksum of its own */
		if (r == 0)
			CHECK(i < 64 && end.size == 3 * 4096);
		else
			CHECK(o.refused == -1 && *o.why != '\0');
		c ^= 0x10;
		CHECK(pwrite(kept, &c, 1, i) == 1);
	}
	for (i = st.st_size - 1; i >= 0; i--) {
		CHECK(ftruncate(kept, i) == 0);
		setup(&o, out, -1, -1);
		r = coreout_replay(&o, kept, block, &end);
		whole = r == 0 && end.size != UINT64_MAX;
		CHECK(!whole);
	}
	close(kept);
	close(out);
}

/* A frame that is missing as a whole: the rest is undamaged, and not all. */
static void
test_missing(void)
{
	struct stream_end end;
	struct coreout o;
	struct stat st;
	int kept = tmpfile_fd(), out = tmpfile_fd();
	const size_t frame = STREAM_FRAME + 4096;
	char *p;

	paint(5, 3);
	setup(&o, -1, -1, kept);
	CHECK(stream(&o, 0, 3 * 4096, sizeof(core)) == 0);
	CHECK(fstat(kept, &st) == 0 && (size_t)st.st_size < sizeof(block));
	CHECK(pread(kept, block, sizeof(block), 0) == st.st_size);
	p = memmem(block, (size_t)st.st_size, "DATA", 4);
	must(p != NULL, "no frame");
	memmove(p, p + frame, (size_t)(block + st.st_size - p) - frame);
	CHECK(pwrite(kept, block, (size_t)st.st_size - frame, 0) > 0);
	CHECK(ftruncate(kept, st.st_size - (off_t)frame) == 0);
	setup(&o, out, -1, -1);
	CHECK(coreout_replay(&o, kept, block, &end) == -1 && o.refused == -1);
	close(kept);
	close(out);
}

/* --- coreextent ----------------------------------------------------------- */

struct made {
	Elf64_Ehdr e;
	Elf64_Phdr ph[4];
	char notes[16];
};

static void
make(struct made *m)
{
	memset(m, 0, sizeof(*m));
	memcpy(m->e.e_ident, ELFMAG, SELFMAG);
	m->e.e_ident[EI_CLASS] = ELFCLASS64;
	m->e.e_ident[EI_DATA] = ELFDATA2LSB;
	m->e.e_type = ET_CORE;
	m->e.e_machine = EM_X86_64;
	m->e.e_phoff = sizeof(m->e);
	m->e.e_phentsize = sizeof(m->ph[0]);
	m->e.e_phnum = 4;
	m->ph[0].p_type = PT_NOTE;
	m->ph[0].p_offset = offsetof(struct made, notes);
	m->ph[0].p_filesz = sizeof(m->notes);
	m->ph[1].p_type = m->ph[2].p_type = m->ph[3].p_type = PT_LOAD;
	m->ph[1].p_offset = 0x1000;
	m->ph[1].p_filesz = 0x2000;
	m->ph[2].p_offset = 0x3000;
	m->ph[2].p_vaddr = 0x10000;
	m->ph[3].p_offset = 0x3000;
	m->ph[3].p_vaddr = 0x20000;
	m->ph[3].p_filesz = 0x500;
	m->ph[1].p_memsz = m->ph[2].p_memsz = m->ph[3].p_memsz = 0x2000;
}

static int
extent(const struct made *m, struct core_extent *e)
{
	struct core_head h = {0};
	int r;

	must(buf_append(&h.raw, m, sizeof(*m)) == 0, "memory");
	must(core_head_decode(&h) == 0, "decode");
	r = core_extent(&h, e);
	core_head_free(&h);
	return r;
}

static void
test_extent(void)
{
	struct core_extent e;
	struct made m;
	Elf64_Shdr sh;

	make(&m);
	CHECK(extent(&m, &e) == 0);
	CHECK(e.plain && e.size == 0x3500 && e.tail == 0 && e.phnum == 4);
	/* not in order, on top of each other, on top of the head */
	m.ph[3].p_offset = 0x2fff;
	CHECK(extent(&m, &e) == 0 && !e.plain && e.size == 0x34ff);
	make(&m);
	m.ph[1].p_offset = 0x10;
	CHECK(extent(&m, &e) == 0 && !e.plain);
	/* something else to be read */
	make(&m);
	m.ph[2].p_type = PT_LOPROC;
	m.ph[2].p_filesz = 1;
	CHECK(extent(&m, &e) == 0 && !e.plain);
	/* more in the file than in memory, around the end of memory */
	make(&m);
	m.ph[3].p_filesz = 0x2001;
	CHECK(extent(&m, &e) == 0 && !e.plain);
	make(&m);
	m.ph[3].p_vaddr = UINT64_MAX - 3;
	CHECK(extent(&m, &e) == 0 && !e.plain);
	make(&m);
	m.ph[3].p_offset = UINT64_MAX - 3;
	CHECK(extent(&m, &e) == -1);
	make(&m);
	m.ph[3].p_filesz = UINT64_MAX - 3;
	CHECK(extent(&m, &e) == -1);
	/* section headers, of a debugger's core and of the kernel's */
	make(&m);
	m.e.e_shoff = 0x4000;
	m.e.e_shnum = 3;
	m.e.e_shentsize = 64;
	CHECK(extent(&m, &e) == 0 && !e.plain && e.size == 0x4000 + 3 * 64);
	m.e.e_shoff = UINT64_MAX - 64;
	CHECK(extent(&m, &e) == -1);
	make(&m);
	m.e.e_phnum = PN_XNUM;
	m.e.e_shoff = 0x3500;
	m.e.e_shnum = 1;
	m.e.e_shentsize = 64;
	CHECK(extent(&m, &e) == 0 && e.plain && e.size == 0x3540 &&
	    e.tail == 64 && e.phnum == 4);
	core_extent_tail(&e, &sh);
	CHECK(sh.sh_info == 4 && sh.sh_size == 1 && sh.sh_type == SHT_NULL);
	m.e.e_shoff = 0x3501;
	CHECK(extent(&m, &e) == 0 && !e.plain);
}

/* --- corespool ------------------------------------------------------------ */

static int
put(int dirfd, uint64_t max, int64_t time, int64_t pid, char *name)
{
	struct crash_id id = {.time = time, .pid = pid};
	int fd = corespool_new(dirfd), r;

	must(fd != -1 && io_write_full(fd, core, 8192) == 0, "corespool_new");
	r = corespool_publish(dirfd, fd, max, &id, name);
	close(fd);
	return r;
}

static void
test_spool(const char *dir)
{
	char name[CORESPOOL_NAME_MAX], path[4096];
	struct corespool_entry *list;
	uint64_t used, room;
	int d, fd, again;
	struct stat st;
	size_t n;

	snprintf(path, sizeof(path), "%s/spool", dir);
	CHECK(corespool_open(path, 0) == -1 && errno == ENOENT);
	d = corespool_open(path, 1);
	CHECK(d != -1 && fstat(d, &st) == 0 && (st.st_mode & 07777) == 0700);
	fd = corespool_new(d);
	if (fd == -1 && errno == EOPNOTSUPP) {
		printf("no O_TMPFILE on %s\n", dir);
		exit(77);
	}
	close(fd);
	CHECK(corespool_used(d, &used) == 0 && used == 0);
	memset(core, 's', sizeof(core));
	CHECK(put(d, 1 << 20, 1000, 7, name) == 0);
	CHECK(strcmp(name, "1000.7.0.core") == 0);
	CHECK(put(d, 1 << 20, 1000, 7, name) == 0);
	CHECK(strcmp(name, "1000.7.1.core") == 0);
	CHECK(put(d, 1 << 20, 999, 10, name) == 0);
	CHECK(put(d, 1 << 20, 10000, 1, name) == 0);
	CHECK(put(d, 1 << 20, -1, -1, name) == 0);
	CHECK(corespool_used(d, &used) == 0 && used >= 5 * 8192);
	CHECK(put(d, used + 8191, 5, 5, name) == -1 && errno == EFBIG);
	CHECK(put(d, used + 65536, 5, 5, name) == 0);
	/* what else may lie there */
	CHECK(symlinkat("1000.7.0.core", d, "1.1.1.core") == 0);
	CHECK(mkfifoat(d, "1.1.2.core", 0600) == 0);
	CHECK(close(openat(d, "core", O_CREAT | O_WRONLY, 0600)) == 0);
	CHECK(close(openat(d, "1.2.3.core~", O_CREAT | O_WRONLY, 0600)) == 0);
	CHECK(close(openat(d, "1.2.-3.core", O_CREAT | O_WRONLY, 0600)) == 0);
	CHECK(corespool_list(d, &list, &n) == 0 && n == 8);
	CHECK(strcmp(list[0].name, "0.0.0.core") == 0);
	CHECK(strcmp(list[1].name, "1.1.1.core") == 0);
	CHECK(strcmp(list[4].name, "999.10.0.core") == 0);
	CHECK(strcmp(list[5].name, "1000.7.0.core") == 0);
	CHECK(strcmp(list[7].name, "10000.1.0.core") == 0);
	CHECK(corespool_take(d, list[1].name) == -1 && errno == ENODEV);
	CHECK(corespool_take(d, list[2].name) == -1 && errno == ENODEV);
	fd = corespool_take(d, list[0].name);
	CHECK(fd != -1);
	again = corespool_take(d, list[0].name);
	CHECK(again == -1 && errno == EWOULDBLOCK);
	CHECK(corespool_remove(d, list[0].name) == 0);
	close(fd);
	CHECK(corespool_take(d, list[0].name) == -1 && errno == ENOENT);
	CHECK(corespool_damaged(d, list[4].name) == 0);
	CHECK(faccessat(d, "999.10.0.core.damaged", F_OK, 0) == 0);
	free(list);
	close(d);
	d = corespool_begin(path, 1 << 20, &fd, &room);
	CHECK(d != -1 && fd != -1 && room < 1 << 20);
	close(fd);
	close(d);
	/* who else may write there, may do anything there */
	CHECK(chmod(path, 0770) == 0);
	CHECK(corespool_open(path, 1) == -1 && errno == EPERM);
	CHECK(chmod(path, 0702) == 0);
	CHECK(corespool_open(path, 1) == -1 && errno == EPERM);
	CHECK(chmod(path, 0755) == 0);
	d = corespool_open(path, 1);
	CHECK(d != -1);
	close(d);
	if (geteuid() == 0) {
		CHECK(chown(path, 12, 12) == 0);
		CHECK(corespool_open(path, 1) == -1 && errno == EPERM);
		CHECK(chown(path, 0, 0) == 0);
	}
	snprintf(block, sizeof(block), "%s/link", dir);
	CHECK(symlink(path, block) == 0);
	CHECK(corespool_open(block, 1) == -1);
}

/* --- crashid -------------------------------------------------------------- */

static int
option(const char *key)
{
	int i = 0;

	while (strcmp(crash_fields[i].key, key) != 0)
		i++;
	return CRASH_OPTION + i;
}

static void
test_args(void)
{
	struct option o[CRASH_OPTIONS + 1] = {{0}};
	static const struct {
		const char *key, *value;
		int r;
		int64_t number;
		const char *text;
	} t[] = {{"pid", "12", 0, 12, NULL}, {"pid", "", 0, -1, NULL},
	    {"pid", "x", -1, -1, NULL}, {"pid", "99999999999", -1, -1, NULL},
	    {"uid", "4294967295", 0, 4294967295, NULL},
	    {"signal", "129", -1, -1, NULL}, {"time", "-1", -1, -1, NULL},
	    {"dumpmode", "2", 0, 2, NULL}, {"comm", "", 0, 0, ""},
	    {"comm", "a b\n", 0, 0, "a b\n"}, {"exe", "!a!b", 0, 0, "/a/b"},
	    {"exe", "a!b", 0, 0, "a!b"}, {"host", "board7", 0, 0, "board7"}};
	char why[200], longname[400];
	struct crash_id id;
	size_t i, k;

	crash_id_options(o);
	for (i = 0; i < sizeof(t) / sizeof(*t); i++) {
		crash_id_init(&id);
		for (k = 0; strcmp(o[k].name, t[i].key) != 0; k++)
			;
		CHECK(crash_id_take(&id, o[k].val, t[i].value, why,
			  sizeof(why)) == t[i].r);
		if (t[i].text != NULL) {
			const char *got = *t[i].key == 'c' ? id.comm
			    : *t[i].key == 'e'		   ? id.exe
							   : id.host;
			CHECK(strcmp(got, t[i].text) == 0);
			continue;
		}
		CHECK((*t[i].key == 'p'		 ? id.pid
			      : *t[i].key == 'u' ? id.uid
			      : *t[i].key == 's' ? id.signal
			      : *t[i].key == 't' ? id.time
						 : id.dumpmode) == t[i].number);
	}
	memset(longname, 'h', sizeof(longname) - 1);
	longname[sizeof(longname) - 1] = '\0';
	CHECK(crash_id_take(&id, option("host"), longname, why, sizeof(why)) ==
	    -1);
	CHECK(strlen(id.host) == CRASH_HOST_MAX - 1);
	CHECK(crash_id_take(&id, option("pidfd"), "3", why, sizeof(why)) == 0 &&
	    id.pidfd == 3);
	CHECK(crash_id_take(&id, option("pidfd"), "", why, sizeof(why)) == 0 &&
	    id.pidfd == -1);
	/* RLIM_INFINITY: no number, and no nonsense */
	CHECK(crash_id_take(&id, option("rlimit"), "18446744073709551615", why,
		  sizeof(why)) == 0 &&
	    id.rlimit == -1);
}

int
main(int argc, char **argv)
{
	if (argc != 2)
		return 100;
	test_holes();
	test_odd();
	test_slow_reader();
	test_last_words("ERR full\n", "it said: full");
	test_last_words("", " the connection");
	test_answers();
	test_stopped();
	test_keep_full();
	test_replay();
	test_damage();
	test_missing();
	test_extent();
	test_spool(argv[1]);
	test_args();
	return check_report();
}
