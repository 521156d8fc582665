/*
 * fuzz_resume: a core whose connections break, at the receiver.
 *
 * The input is a script of up to three connections: whose core it is, under
 * which key, which frames come, where they are damaged, where they end; and of
 * what becomes, in between, of the part and of what stands in ".parts".  Frames
 * have the checksums they should have, and FROM and END say what is so, unless
 * the script wants it otherwise: by chance none would get as far as a joint.
 *
 * Whatever it is: a core with its name is, to the byte, what the answer says;
 * only the crash and the key that left a part go on with it, from where it
 * ends; nothing beside the store has changed; descriptors are as they were.
 */
#include <dirent.h>
#include <endian.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/owned.h"
#include "fuzz.h"
#include "store/corerecv.h"
#include "store/storeparts.h"
#include "stream/crc32c.h"

#define MUST(e)                  \
	do {                     \
		if (!(e))        \
			abort(); \
	} while (0)

#define KEY "0123456789abcdef0123456789abcdef"
#define OTHER "fedcba9876543210fedcba9876543210"
#define CANARY "core.canary.1.1.part"

enum { CORE_MAX = 64 << 10, CONNECTIONS = 3, FRAMES = 64, ENTRY = 512 };

struct script {
	const uint8_t *p;
	size_t left;
};

static char top[64];
static int topfd;
static unsigned char core[CORE_MAX];
static struct corerecv_cfg cfg;

static unsigned
take(struct script *s)
{
	if (s->left == 0)
		return 0;
	s->left--;
	return *s->p++;
}

/* n bytes of the script, or what is left. */
static const uint8_t *
take_some(struct script *s, size_t *n)
{
	const uint8_t *p = s->p;

	if (*n > s->left)
		*n = s->left;
	s->p += *n;
	s->left -= *n;
	return p;
}

/* --- the store ------------------------------------------------------------ */

static void
leave(void)
{
	unlinkat(cfg.store.dirfd, ".lock", 0);
	unlinkat(topfd, "store", AT_REMOVEDIR);
	unlinkat(topfd, CANARY, 0);
	rmdir(top);
}

static void
begin(void)
{
	size_t i;
	int fd;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	snprintf(top, sizeof(top), "/dev/shm/fuzz_resume.XXXXXX");
	if (mkdtemp(top) == NULL) {
		snprintf(top, sizeof(top), "/tmp/fuzz_resume.XXXXXX");
		MUST(mkdtemp(top) != NULL);
	}
	topfd = owned_dir(top, OWNED_ANY, NULL);
	MUST(topfd != -1 && mkdirat(topfd, "store", 0700) == 0);
	cfg.store.dirfd = owned_sub(topfd, "store");
	MUST(cfg.store.dirfd != -1);
	fd = openat(topfd, CANARY, O_WRONLY | O_CREAT | O_EXCL, 0600);
	MUST(fd != -1 && write(fd, "sings", 5) == 5);
	close(fd);
	cfg.store.maxcore = 8 << 20;
	cfg.store.total = 32 << 20;
	cfg.store.keepms = PARTS_KEEP_MS;
	cfg.idlems = 10000;
	cfg.lifems = 10000;
	for (i = 0; i < CORE_MAX; i++)
		core[i] = i / 4096 % 3 == 1 ? 0 : (unsigned char)(i * 7 / 5);
	atexit(leave);
}

/* Empties a directory of the store, which has two floors. */
static void
empty(int dirfd, int depth)
{
	struct dirent *e;
	DIR *d;
	int fd;

	fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	d = fdopendir(fd);
	MUST(d != NULL);
	while ((e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (depth == 0 && strcmp(e->d_name, ".lock") == 0)
			continue;
		fd = depth == 0 ? owned_sub(dirfd, e->d_name) : -1;
		if (fd == -1) {
			MUST(unlinkat(dirfd, e->d_name, 0) == 0);
			continue;
		}
		empty(fd, 1);
		close(fd);
		MUST(unlinkat(dirfd, e->d_name, AT_REMOVEDIR) == 0);
	}
	closedir(d);
}

/* A file of the store: its size and checksum; -1 there is none. */
static int
measure(const char *path, struct stream_has *has)
{
	static unsigned char room[2 << 20];
	int fd = openat(cfg.store.dirfd, path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	has->off = has->crc = 0;
	if (fd == -1)
		return -1;
	n = io_read_full(fd, room, sizeof(room));
	close(fd);
	/* a forged entry may lead to a directory */
	if (n == -1)
		return -1;
	has->off = (uint64_t)n;
	has->crc = crc32c(0, room, (size_t)n);
	return 0;
}

/* What the key leads to: the path, or "". */
static void
entry_of(const char *key, char path[ENTRY])
{
	char name[64];
	ssize_t n = -1;
	int fd;

	snprintf(name, sizeof(name), ".parts/%s", key);
	fd = openat(cfg.store.dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd != -1) {
		n = io_read_full(fd, path, ENTRY - 1);
		close(fd);
	}
	path[n > 0 ? n : 0] = '\0';
	path[strcspn(path, "\n")] = '\0';
}

/* What lies in the store is our own, but may be damaged. */
static void
tamper(struct script *s)
{
	static const char *const entries[] = {"board7/core.victim.4711.1.part",
	    "board7/core.victim.4712.1.part\n", "../" CANARY "\n",
	    "board7/../../" CANARY "\n", "./core.victim.4711.1.part\n",
	    "/core.victim.4711.1.part\n", "board7/core.victim.4711.1\n",
	    ".parts/" KEY "\n", "\n", ""};
	char path[ENTRY];
	unsigned what = take(s), n = take(s) * 16;
	const void *p;
	size_t len;
	int fd;

	if (what % 4 < 2) {
		entry_of(KEY, path);
		fd = strstr(path, "..") == NULL && *path != '/'
		    ? openat(cfg.store.dirfd, path, O_RDWR | O_CLOEXEC)
		    : -1;
		if (fd != -1) {
			len = (size_t)lseek(fd, 0, SEEK_END);
			n = what % 4 == 0 ? (unsigned)len + n
			    : n < len	  ? (unsigned)len - n
					  : 0;
			MUST(fchmod(fd, 0600) == 0 && ftruncate(fd, n) == 0);
			close(fd);
		}
		return;
	}
	(void)!mkdirat(cfg.store.dirfd, ".parts", 0700);
	unlinkat(cfg.store.dirfd, ".parts/" KEY, 0);
	if (what == 255) {
		MUST(symlinkat(
			 "../../" CANARY, cfg.store.dirfd, ".parts/" KEY) == 0);
		return;
	}
	len = n;
	p = what % 4 == 2 ? (const void *)take_some(s, &len)
			  : entries[n / 16 % NELEM(entries)];
	if (what % 4 == 3)
		len = strlen(p);
	fd = openat(cfg.store.dirfd, ".parts/" KEY,
	    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	MUST(fd != -1 && write(fd, p, len) == (ssize_t)len);
	close(fd);
}

/* --- a connection --------------------------------------------------------- */

struct link {
	struct buf out; /* what comes in */
	struct crash_id id;
	const char *key;
	char entry[ENTRY];     /* what that leads to, before */
	struct stream_has has; /* and what is there */
	struct stream_sum sum;
	size_t frame; /* where the last one begins */
};

static void
put_frame(struct link *l, struct stream_frame *f, const void *p)
{
	unsigned char h[STREAM_FRAME];

	f->crc = crc32c(0, p, f->len);
	stream_frame_put(h, f);
	l->frame = l->out.len;
	MUST(buf_append(&l->out, h, sizeof(h)) == 0 &&
	    buf_append(&l->out, p, f->len) == 0);
}

static void
put_head(struct link *l, struct script *s)
{
	static const char *const hosts[] = {"board7", "board7", "board8", ""};
	static const char *const keys[] = {KEY, KEY, OTHER, ""};
	unsigned how = take(s);

	crash_id_init(&l->id);
	strcpy(l->id.host, hosts[how % 4]);
	strcpy(l->id.comm, "victim");
	strcpy(l->id.encoding, how & 64 ? "zstd" : "");
	l->id.pid = how & 16 ? 4712 : 4711;
	l->id.time = 1;
	l->key = keys[how / 4 % 4];
	MUST(stream_head_format(&l->id, &l->out) == 0);
	if (how & 32)
		l->key = "";
	else
		MUST(stream_head_offer(&l->out, l->key) == 0);
	if (*l->key != '\0')
		entry_of(l->key, l->entry);
	if (*l->entry != '\0' && strchr("./", *l->entry) == NULL)
		measure(l->entry, &l->has);
}

/* As it is, or packed. */
static void
put_core(struct link *l, struct script *s, int packed)
{
	static unsigned char room[STREAM_BLOCK];
	struct stream_frame f = {.type = STREAM_DATA};
	const void *p;

	f.off = l->sum.next + (uint64_t)take(s) * 64;
	f.len = take(s) * 32 + 1;
	if (f.off + f.len > CORE_MAX)
		return;
	p = core + f.off;
	f.crc = crc32c(0, p, f.len);
	stream_sum_data(&l->sum, &f);
	if (packed && stream_frame_pack(&f, p, room, sizeof(room)) == 0)
		p = room;
	put_frame(l, &f, p);
}

static void
put_bytes(struct link *l, struct script *s)
{
	struct stream_frame f = {.type = STREAM_DATA, .off = l->sum.next};
	size_t len = take(s);
	const void *p = take_some(s, &len);

	f.len = (uint32_t)len;
	f.crc = crc32c(0, p, len);
	stream_sum_data(&l->sum, &f);
	put_frame(l, &f, p);
}

static void
put_from(struct link *l, struct script *s)
{
	struct stream_frame f = {.type = STREAM_FROM, .len = STREAM_JOINT};
	struct stream_sum sum = {.next = l->has.off, .crc = l->has.crc};
	unsigned char p[STREAM_JOINT + 1] = {0};
	unsigned how = take(s);

	sum.data = sum.next / 256 * take(s);
	f.off = sum.next;
	switch (how % 16) {
	case 1:
		f.off += 1;
		break;
	case 2:
		f.off -= 1;
		break;
	case 3:
		sum.crc ^= 1;
		break;
	case 4:
		sum.data = sum.next + 1;
		break;
	case 5:
		sum.data = UINT64_MAX;
		break;
	case 6:
		f.len++;
		break;
	case 7:
		f.off = STREAM_SIZE_MAX;
		break;
	default:
		l->sum = sum;
		break;
	}
	stream_joint_put(p, &sum);
	put_frame(l, &f, p);
}

static void
put_end(struct link *l, struct script *s)
{
	struct stream_frame f = {.type = STREAM_END};
	struct stream_end end = {.state = "complete"};
	unsigned how = take(s);
	struct buf b = {0};

	end.data = l->sum.data;
	end.size = l->sum.next + (how & 8 ? 4096 : 0);
	end.crc = stream_sum_end(&l->sum, end.size);
	switch (how % 8) {
	case 1:
		strcpy(end.state, "it ended early");
		break;
	case 2:
		end.crc ^= 1;
		break;
	case 3:
		end.size--;
		break;
	case 4:
		end.data++;
		break;
	default:
		break;
	}
	f.off = end.size;
	MUST(stream_end_format(&end, &b) == 0);
	f.len = (uint32_t)b.len;
	put_frame(l, &f, b.p);
	buf_free(&b);
}

/* A bit of the last frame, or a frame that ends there. */
static void
spoil(struct link *l, struct script *s)
{
	size_t at = l->frame + take(s) % 64;
	unsigned how = take(s);

	if (l->frame == 0 || at >= l->out.len)
		return;
	if (how < 128)
		l->out.p[at] ^= (char)(1 << how % 8);
	else
		l->out.len = at;
}

static void
put_frames(struct link *l, struct script *s)
{
	unsigned n, op;
	size_t len;

	for (n = 0; n < FRAMES && s->left > 0; n++) {
		op = take(s);
		switch (op % 8) {
		case 0:
		case 1:
			put_core(l, s, op & 8);
			break;
		case 2:
			put_bytes(l, s);
			break;
		case 3:
			put_from(l, s);
			break;
		case 4:
			put_end(l, s);
			break;
		case 5:
			spoil(l, s);
			break;
		case 6:
			len = take(s);
			MUST(buf_append(&l->out, take_some(s, &len), len) == 0);
			break;
		default:
			return;
		}
	}
}

/* What went back: words, then one line. */
static void
check_answer(const struct link *l, const struct corerecv_outcome *o, int fd)
{
	char text[4 * STREAM_REPLY_MAX];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	struct stream_reply reply;
	struct stream_has has;
	char *at = text, *nl;
	int replies = 0;

	MUST(n >= 0 && (n == 0 || text[n - 1] == '\n'));
	text[n] = '\0';
	for (; *at != '\0'; at = nl + 1) {
		nl = strchr(at, '\n');
		MUST(replies == 0);
		if (strncmp(at, STREAM_TAKES, (size_t)(nl + 1 - at)) == 0 ||
		    strncmp(at, STREAM_WAIT, (size_t)(nl + 1 - at)) == 0)
			continue;
		if (stream_has_parse(at, (size_t)(nl - at), &has) == 0) {
			MUST(has.off == 0 ||
			    (has.off == l->has.off && has.crc == l->has.crc));
			continue;
		}
		MUST(stream_reply_parse(at, (size_t)(nl - at), &reply) == 0);
		MUST(!reply.ok || o->result == RECV_STORED ||
		    o->result == RECV_AGAIN || o->result == RECV_KEPT);
		replies++;
	}
	MUST(replies == (o->result != RECV_EMPTY));
}

static void
check_outcome(const struct link *l, const struct corerecv_outcome *o)
{
	char whose[ENTRY], own[ENTRY];
	struct stream_has has;
	const char *name;
	struct stat st;

	if (o->result == RECV_STORED || o->result == RECV_AGAIN) {
		MUST(measure(o->name, &has) == 0);
		MUST(has.off == o->bytes && has.crc == o->crc);
		MUST(o->data <= o->bytes);
	}
	if (o->joint > 0) {
		/* it is ours, and as it was */
		MUST(o->joint == l->has.off);
		snprintf(
		    whose, sizeof(whose), "core.victim.%d.1", (int)l->id.pid);
		name = strchr(l->entry, '/');
		MUST(name != NULL);
		MUST(strncmp(name + 1, whose, strlen(whose)) == 0);
		snprintf(own, sizeof(own), "%s/", l->id.host);
		if (*l->id.host != '\0')
			MUST(strncmp(l->entry, own, strlen(own)) == 0);
	}
	MUST(fstatat(topfd, CANARY, &st, AT_SYMLINK_NOFOLLOW) == 0);
	MUST(st.st_size == 5 && (st.st_mode & 07777) == 0600);
}

static void
connect_once(struct script *s)
{
	static struct corerecv_outcome o;
	struct link l = {.key = ""};
	int infd = memfd_create("in", MFD_CLOEXEC);
	int outfd = memfd_create("out", MFD_CLOEXEC);

	put_head(&l, s);
	put_frames(&l, s);
	MUST(infd != -1 && outfd != -1);
	MUST(write(infd, l.out.p, l.out.len) == (ssize_t)l.out.len);
	MUST(lseek(infd, 0, SEEK_SET) == 0);
	corerecv_meet(infd, &o);
	corerecv_serve(infd, outfd, &cfg, &o);
	check_answer(&l, &o, outfd);
	check_outcome(&l, &o);
	close(infd);
	close(outfd);
	buf_free(&l.out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct script s = {data, len};
	int i, next;

	if (*top == '\0')
		begin();
	for (i = 0; i < CONNECTIONS && s.left > 0; i++) {
		if (i > 0 && take(&s) % 4 == 3)
			tamper(&s);
		connect_once(&s);
	}
	empty(cfg.store.dirfd, 0);
	/* no descriptor is left behind */
	next = dup(0);
	MUST(next <= 64);
	close(next);
	return 0;
}
