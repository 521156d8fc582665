/*
 * unit_corestore: names, what a core file says of itself, inflow, hook facts,
 * and a storm of parts published and evicted at once.
 * Prints one line per failed check; exits 0 when there was none.
 */
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/owned.h"
#include "net/waiting.h"
#include "store/corefile.h"
#include "store/corehook.h"
#include "store/corestore.h"
#include "store/inflow.h"

static char dir[] = "/tmp/unit_corestore.XXXXXX";

#include "check.h"

/* --- names ---------------------------------------------------------------- */

static int
component_is(const char *raw, size_t size, const char *want)
{
	char out[64];

	store_component(raw, out, size);
	return strcmp(out, want) == 0;
}

static void
test_names(void)
{
	char host[STORE_HOST_MAX], stem[STORE_NAME_MAX], name[STORE_NAME_MAX];
	char suffix[CRASH_ENCODING_MAX + 2], byte[4] = "x?x";
	struct crash_id id;
	size_t i;
	int c;

	CHECK(component_is("a.out-1_2+3", 64, "a.out-1_2+3"));
	CHECK(component_is("", 64, "unknown"));
	CHECK(component_is("", 4, "unk"));
	CHECK(component_is(".", 64, "_"));
	CHECK(component_is("..", 64, "_."));
	CHECK(component_is("../x", 64, "_._x"));
	CHECK(component_is("abcdef", 4, "abc"));
	for (c = 1; c < 256; c++) {
		byte[1] = (char)c;
		store_component(byte, name, sizeof(name));
		CHECK(strlen(name) == 3);
		CHECK((name[1] == byte[1]) ==
		    (strchr("abcdefghijklmnopqrstuvwxyz"
			    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-.",
			 c) != NULL));
		CHECK(name[1] == byte[1] || name[1] == '_');
	}
	store_host("core_dump", host);
	CHECK(strcmp(host, "_ore_dump") == 0);
	/* the longest of everything still fits a file name */
	crash_id_init(&id);
	memset(id.comm, 'c', sizeof(id.comm) - 1);
	memset(id.encoding, 'e', sizeof(id.encoding) - 1);
	id.pid = id.time = INT64_MAX;
	store_stem(&id, stem, suffix);
	store_join(stem, STORE_TRIES, suffix, ".part", name);
	CHECK(strlen(name) < STORE_NAME_MAX - 1);
	CHECK(strlen(name) + strlen(".report") <= NAME_MAX);
	CHECK(store_ends(name, ".part"));
	CHECK(!store_ends("x", ".part") && store_ends(".part", ".part"));
	for (i = 0; i < sizeof(host); i++)
		host[i] = 'h';
	host[sizeof(host) - 1] = '\0';
	CHECK(strlen(host) <= NAME_MAX);
}

/* --- what a core says ----------------------------------------------------- */

static int
file_with(const void *p, size_t len)
{
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	CHECK(fd != -1 && write(fd, p, len) == (ssize_t)len);
	return fd;
}

static int
extent_of(const void *p, size_t len, uint64_t *extent)
{
	struct corefile c;
	int fd = file_with(p, len), r = corefile_read(fd, len, &c);

	close(fd);
	*extent = r == 0 ? c.extent : 0;
	return r;
}

static void
test_extent(void)
{
	struct {
		Elf64_Ehdr e;
		Elf64_Phdr p[2];
	} core;
	uint64_t extent;
	size_t n;

	memset(&core, 0, sizeof(core));
	memcpy(core.e.e_ident, ELFMAG, SELFMAG);
	core.e.e_ident[EI_CLASS] = ELFCLASS64;
	core.e.e_ident[EI_DATA] = ELFDATA2LSB;
	core.e.e_type = ET_CORE;
	CHECK(extent_of(&core, sizeof(core), &extent) == 0);
	CHECK(extent == sizeof(core.e));
	for (n = 0; n < COREFILE_HEAD; n++)
		CHECK(extent_of(&core, n, &extent) == -1 && errno == ENOEXEC);
	/* cut amid the header: at least that */
	CHECK(extent_of(&core, 30, &extent) == 0 && extent == sizeof(core.e));
	core.e.e_phoff = sizeof(core.e);
	core.e.e_phnum = 2;
	core.e.e_phentsize = sizeof(core.p[0]);
	core.p[0] =
	    (Elf64_Phdr){.p_type = PT_LOAD, .p_offset = 4096, .p_filesz = 100};
	core.p[1] =
	    (Elf64_Phdr){.p_type = PT_LOAD, .p_offset = 200, .p_filesz = 0};
	CHECK(extent_of(&core, sizeof(core), &extent) == 0 && extent == 4196);
	CHECK(extent_of(&core, sizeof(core) - 1, &extent) == 0);
	CHECK(extent == sizeof(core));
	/* sums that overflow, and sizes no core has */
	core.p[0].p_filesz = UINT64_MAX;
	CHECK(extent_of(&core, sizeof(core), &extent) == -1);
	CHECK(errno == ENOEXEC);
	core.p[0].p_filesz = STREAM_SIZE_MAX;
	CHECK(extent_of(&core, sizeof(core), &extent) == -1);
	core.p[0].p_filesz = 0;
	core.e.e_phoff = UINT64_MAX - 10;
	CHECK(extent_of(&core, sizeof(core), &extent) == -1);
	core.e.e_phoff = sizeof(core.e);
	core.e.e_phnum = PN_XNUM;
	CHECK(extent_of(&core, sizeof(core), &extent) == -1);
	/* the number of headers is beyond the end: so is the core's */
	core.e.e_shoff = 1 << 20;
	core.e.e_shnum = 1;
	core.e.e_shentsize = sizeof(Elf64_Shdr);
	CHECK(extent_of(&core, sizeof(core), &extent) == 0);
	CHECK(extent == (1 << 20) + sizeof(Elf64_Shdr));
	core.e.e_type = ET_EXEC;
	CHECK(extent_of(&core, sizeof(core), &extent) == -1);
}

/* --- inflow --------------------------------------------------------------- */

static void
test_inflow(void)
{
	static unsigned char block[3 << 20];
	const unsigned char *p;
	struct inflow in;
	size_t i, n, got = 0;
	int fds[2];
	pid_t pid;

	for (i = 0; i < sizeof(block); i++)
		block[i] = (unsigned char)(i * 31 >> 3);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
	pid = fork();
	if (pid == 0) {
		close(fds[0]);
		_exit(io_write_full(fds[1], block, sizeof(block)) != 0);
	}
	close(fds[1]);
	CHECK(inflow_open(&in, fds[0], 5000, 20000) == 0);
	CHECK(inflow_need(&in, INFLOW_NEED_MAX + 1) == NULL && errno == EINVAL);
	/* needs of all sizes, taken in part or whole */
	for (n = 1; got + n < sizeof(block); n = n * 7 % INFLOW_NEED_MAX + 1) {
		p = inflow_need(&in, n);
		CHECK(p != NULL && memcmp(p, block + got, n) == 0);
		inflow_take(&in, n / 2 + 1);
		got += n / 2 + 1;
	}
	CHECK(inflow_need(&in, n) == NULL && errno == ENODATA);
	CHECK(in.len == sizeof(block) - got);
	CHECK(memcmp(inflow_bytes(&in), block + got, in.len) == 0);
	CHECK(in.come == sizeof(block));
	inflow_close(&in);
	close(fds[0]);
	waitpid(pid, NULL, 0);
	/* quiet, and the whole life */
	CHECK(pipe2(fds, O_CLOEXEC) == 0);
	CHECK(inflow_open(&in, fds[0], 30, -1) == 0);
	CHECK(write(fds[1], "ab", 2) == 2);
	CHECK(inflow_need(&in, 2) != NULL);
	CHECK(inflow_need(&in, 3) == NULL && errno == ETIMEDOUT);
	inflow_renew(&in);
	CHECK(write(fds[1], "c", 1) == 1 && inflow_need(&in, 3) != NULL);
	inflow_close(&in);
	CHECK(inflow_open(&in, fds[0], -1, 0) == 0);
	CHECK(write(fds[1], "d", 1) == 1);
	CHECK(inflow_need(&in, 1) == NULL && errno == ETIMEDOUT);
	inflow_close(&in);
	close(fds[0]);
	close(fds[1]);
}

/* --- facts for -r --------------------------------------------------------- */

static int
take_is(const char *p, size_t len)
{
	struct buf b = {0};
	int fds[2], r;

	CHECK(pipe2(fds, O_CLOEXEC) == 0);
	CHECK(write(fds[1], p, len) == (ssize_t)len);
	close(fds[1]);
	r = hook_take(fds[0], "/store", &b);
	close(fds[0]);
	buf_free(&b);
	return r;
}

static void
test_facts(void)
{
	static struct corerecv_outcome o;
	struct buf b = {0};
	size_t i;
	char *p;

	crash_id_init(&o.id);
	snprintf(o.name, sizeof(o.name), "h/core.x.1.2");
	snprintf(o.id.comm, sizeof(o.id.comm), "a=b\nc");
	CHECK(hook_facts(&o, "/store", &b) == 0);
	CHECK(take_is(b.p, b.len) == 1);
	CHECK(strcmp(hook_file(&b), "/store/h/core.x.1.2") == 0);
	CHECK(take_is(b.p, 0) == 0);
	for (i = 1; i < b.len; i++)
		CHECK(take_is(b.p, i) == -1);
	/* another name, another place, one more */
	b.p[2] = 'X';
	CHECK(take_is(b.p, b.len) == -1);
	b.p[2] = 'R';
	p = strstr(b.p, "/store/h");
	memcpy(p, "/stoer/h", 8);
	CHECK(take_is(b.p, b.len) == -1);
	memcpy(p, "/store/.", 8);
	CHECK(take_is(b.p, b.len) == -1);
	memcpy(p, "/store/h", 8);
	CHECK(take_is(b.p, b.len) == 1);
	CHECK(buf_append(&b, "LD_PRELOAD=x", 13) == 0);
	CHECK(take_is(b.p, b.len) == -1);
	buf_free(&b);
}

/* --- the queue ------------------------------------------------------------ */

static void
test_waiting(void)
{
	struct waiting w;
	int fds[3][2], i;
	char line[32];

	CHECK(waiting_init(&w, 3) == 0);
	CHECK(waiting_left(&w) == -1);
	for (i = 0; i < 3; i++) {
		CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds[i]) == 0);
		waiting_add(&w, fds[i][0], (uint64_t)i, deadline_in(-1));
	}
	w.conn[1].until = deadline_in(0);
	CHECK(waiting_left(&w) == 0);
	CHECK(send(fds[1][0], "ERR no\n", 7, 0) == 7);
	waiting_refuse(&w, 1);
	CHECK(waiting_left(&w) > 0);
	CHECK(read(fds[1][1], line, sizeof(line)) == 7);
	CHECK(read(fds[1][1], line, sizeof(line)) == 0);
	/* what comes meanwhile does not make a reset of the end */
	CHECK(write(fds[1][1], "abc", 3) == 3);
	waiting_remove(&w, 1);
	CHECK(w.n == 2 && w.conn[1].kin == 2);
	CHECK(read(fds[1][1], line, sizeof(line)) == 0);
	waiting_close(&w);
	CHECK(w.n == 0 && fcntl(fds[0][0], F_GETFD) == -1);
	for (i = 0; i < 3; i++)
		close(fds[i][1]);
	free(w.conn);
}

/* --- storm ---------------------------------------------------------------- */

enum { SENDERS = 6, ROUNDS = 25, SIZE = 64 << 10 };

static int
store_some(const struct corestore *s, int sender)
{
	static unsigned char block[SIZE];
	char stem[STORE_NAME_MAX], out[STORE_PATH_MAX];
	struct buf info = {0};
	struct store_part p;
	int again, bad = 0;
	unsigned i;

	memset(block, sender + 1, sizeof(block));
	for (i = 0; i < ROUNDS && !bad; i++) {
		snprintf(stem, sizeof(stem), "core.s%d.%u.1", sender % 3, i);
		info.len = 0;
		bad |= buf_append(&info, "bytes: 65536\n", 13) == -1;
		bad |= store_begin(s, "host", stem, "", &p) == -1;
		if (bad)
			break;
		bad |= store_write(&p, block, SIZE, 0) == -1;
		if (i % 5 == 4) {
			store_drop(&p);
			continue;
		}
		if (i == 20 && sender == 0)
			_exit(0); /* as if killed */
		bad |= store_seal(&p, SIZE, &info) == -1;
		bad |= store_publish(&p, SIZE, 1, out, &again) == -1;
		bad |= p.fd != -1;
		if (i == 5 && sender % 2)
			i++;
	}
	buf_free(&info);
	return bad;
}

/* Whole ones alone have a name; nothing hidden is left but the lock. */
static void
look(const char *path, uint64_t total)
{
	char buf[SIZE], *b = buf;
	struct dirent *e;
	uint64_t sum = 0;
	struct stat st;
	DIR *d = opendir(path);
	int fd, n = 0;

	CHECK(d != NULL);
	while (d != NULL && (e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		CHECK(fstatat(dirfd(d), e->d_name, &st, 0) == 0);
		sum += (uint64_t)st.st_blocks * 512;
		if (store_ends(e->d_name, ".info") ||
		    store_ends(e->d_name, ".part"))
			continue;
		n++;
		fd = openat(dirfd(d), e->d_name, O_RDONLY | O_CLOEXEC);
		CHECK(io_read_full(fd, b, SIZE) == SIZE);
		CHECK(*b != 0 && memcmp(b, b + 1, SIZE - 1) == 0);
		CHECK((st.st_mode & 0777) == 0440);
		close(fd);
	}
	if (d != NULL)
		closedir(d);
	CHECK(n > 0);
	CHECK(sum <= total + SENDERS * 2 * SIZE);
}

static void
test_storm(void)
{
	struct corestore s = {.total = 1 << 20};
	char path[64];
	pid_t pid[SENDERS];
	int i, status;

	snprintf(path, sizeof(path), "%s/store", dir);
	CHECK(mkdir(path, 0750) == 0);
	s.dirfd = owned_dir(path, OWNED_ANY, NULL);
	CHECK(s.dirfd != -1);
	for (i = 0; i < SENDERS; i++) {
		pid[i] = fork();
		if (pid[i] == 0)
			_exit(store_some(&s, i));
	}
	for (i = 0; i < SENDERS; i++) {
		CHECK(waitpid(pid[i], &status, 0) == pid[i]);
		CHECK(status == 0);
	}
	strcat(path, "/host");
	look(path, s.total);
	close(s.dirfd);
}

static void
sweep(void)
{
	char command[128];

	/* a fixed name of our own making */
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	if (system(command) != 0)
		printf("unit_corestore: %s is left\n", dir);
}

int
main(void)
{
	signal(SIGPIPE, SIG_IGN);
	umask(027);
	if (mkdtemp(dir) == NULL)
		return 111;
	test_names();
	test_extent();
	test_inflow();
	test_facts();
	test_waiting();
	test_storm();
	sweep();
	return check_report();
}
