/*
 * fuzz_joint: what core_send makes of what a receiver says it has.
 *
 * The input is a script: which pages of a core are not zeros, in what steps it
 * is sent, from memory or from a file that keeps it, packed or not; what the
 * receiver says before, and what at the end.  In its words '@' and '#' stand
 * for a part up to the offset in the next two bytes, with the checksum it has
 * and with another; '%', '&' and '!' for WAIT, TAKES and the right OK.
 *
 * Whatever it says: what goes to it is a core stream, cut or whole, of this
 * core's very bytes; it goes on only at an offset that was told, with the
 * checksum that the core has there; and that it has all is believed only of the
 * right size and checksum.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "send/coreout.h"
#include "stream/crc32c.h"

#define MUST(e)                  \
	do {                     \
		if (!(e))        \
			abort(); \
	} while (0)

#define KEY "0123456789abcdef0123456789abcdef"

enum { CORE_MAX = 64 << 10, WORDS_MAX = 8 << 10, HASES = 512 };

/* flags of a script */
enum {
	KEPT = 1,    /* from a file that keeps it */
	PACKED = 2,  /* that file is packed */
	PACK = 4,    /* what is sent is to be */
	DEAF = 8,    /* the receiver is not asked */
	MUTE = 16,   /* it ends after its words */
	DAMAGED = 32 /* the file is */
};

static unsigned char core[CORE_MAX];
static size_t corelen;
static char room[COREPACK_ROOM], kept_room[COREPACK_ROOM];
static char block[STREAM_BLOCK], plain[STREAM_BLOCK];
static struct coreout_meter meter;
static struct coreout_cfg cfg = {.idle_ms = 10000, .meter = &meter};

/* What was told in HAS, as one that reads every line would see it. */
static struct told {
	struct buf words;
	uint64_t right[HASES]; /* offsets with their checksum */
	size_t nright;
} told;

static void
paint(unsigned pages)
{
	size_t i, page;

	memset(core, 0, sizeof(core));
	for (page = 0; page < CORE_MAX / 4096; page++)
		for (i = 0; (pages >> page & 1) && i < 4096; i++)
			core[page * 4096 + i] =
			    (unsigned char)(page & 1 ? page + 1 : i * i + page);
}

static void
say(const char *p, size_t len)
{
	if (told.words.len + len <= WORDS_MAX)
		MUST(buf_append(&told.words, p, len) == 0);
}

static void
say_has(uint64_t off, int right)
{
	struct stream_has has = {.off = off < corelen ? off : corelen}, back;
	char line[STREAM_HAS_MAX];

	has.crc = crc32c(0, core, has.off) ^ !right;
	stream_has_format(&has, line);
	MUST(stream_has_parse(line, strlen(line) - 1, &back) == 0);
	MUST(back.off == has.off && back.crc == has.crc);
	say(line, strlen(line));
	if (right && told.nright < HASES)
		told.right[told.nright++] = has.off;
}

/* Up to a byte 0xff: how many bytes of the script that were. */
static size_t
speak(const uint8_t *p, size_t len)
{
	char line[64];
	size_t i;
	int n;

	told.words.len = 0;
	for (i = 0; i < len && p[i] != 0xff; i++)
		switch (p[i]) {
		case '@':
		case '#':
			if (len - i < 3)
				break;
			say_has(
			    p[i + 1] | (unsigned)p[i + 2] << 8, p[i] == '@');
			i += 2;
			break;
		case '%':
			say(STREAM_WAIT, sizeof(STREAM_WAIT) - 1);
			break;
		case '&':
			say(STREAM_TAKES, sizeof(STREAM_TAKES) - 1);
			break;
		case '!':
			n = snprintf(line, sizeof(line), "OK x %zu %08x\n",
			    corelen, (unsigned)crc32c(0, core, corelen));
			say(line, (size_t)n);
			break;
		default:
			say((const char *)p + i, 1);
			break;
		}
	return i;
}

static int
file(void)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	MUST(fd != -1);
	return fd;
}

static void
setup(struct coreout *o, int outfd, int infd, int keepfd)
{
	memset(o, 0, sizeof(*o));
	o->cfg = &cfg;
	o->outfd = outfd;
	o->infd = infd;
	o->keep.fd = keepfd;
	o->keep.max = 64 << 20;
	strcpy(o->key, KEY);
}

/* From memory, in steps. */
static int
send_core(struct coreout *o, size_t step)
{
	struct crash_id id;
	size_t i, n;

	crash_id_init(&id);
	strcpy(id.comm, "victim");
	if (coreout_head(o, &id) == -1)
		return -1;
	for (i = 0; i < corelen; i += n) {
		n = step < corelen - i ? step : corelen - i;
		if (coreout_put(o, i, core + i, n) == -1 ||
		    coreout_flush(o, n) == -1)
			return -1;
	}
	return 0;
}

/* A file that keeps it. */
static int
kept(size_t step, int packed)
{
	static struct coreout o;
	int fd = file();

	setup(&o, -1, -1, fd);
	o.pack.when = packed ? COREPACK_YES : COREPACK_NO;
	o.pack.room = kept_room;
	coreout_start(&o);
	MUST(send_core(&o, step) == 0);
	MUST(coreout_end(&o, corelen, NULL) == 0 && o.keep_err == 0);
	return fd;
}

/* --- what went out -------------------------------------------------------- */

static void
check_data(
    const struct stream_frame *from, const char *p, struct stream_sum *sum)
{
	struct stream_frame frame = *from, *f = &frame;

	if (f->type == STREAM_LZ4) {
		MUST(stream_frame_unpack(f, p, plain) == 0);
		p = plain;
	}
	MUST(stream_sum_data(sum, f) == 0);
	MUST(sum->next <= corelen);
	MUST(memcmp(core + f->off, p, f->len) == 0);
}

static void
check_from(const struct stream_frame *f, const char *p, struct stream_sum *sum)
{
	const struct stream_has has = {f->off, crc32c(0, core, f->off)};
	size_t i;

	MUST(f->off <= corelen && stream_joint_get(f, p, &has, sum) == 0);
	for (i = 0; i < told.nright; i++)
		if (told.right[i] == f->off)
			return;
	abort();
}

/* 1: it has its end. */
static int
check_stream(int fd)
{
	off_t len = lseek(fd, 0, SEEK_END), at;
	char *p = mmap(
	    NULL, len > 0 ? (size_t)len : 1, PROT_READ, MAP_PRIVATE, fd, 0);
	struct stream_sum sum = {0};
	struct stream_frame f;
	struct stream_end end;
	struct crash_id id;
	const char *why;
	int ended = 0, first = 1;

	MUST(p != MAP_FAILED);
	at = len > 0 ? stream_head_parse(p, (size_t)len, &id, &why) : len;
	MUST(len == 0 || at > 0);
	for (; at < len; first = 0, at += STREAM_FRAME + f.len) {
		MUST(!ended && len - at >= STREAM_FRAME);
		MUST(stream_frame_get((unsigned char *)p + at, &f) == 0);
		MUST(len - at - STREAM_FRAME >= f.len);
		MUST(crc32c(0, p + at + STREAM_FRAME, f.len) == f.crc);
		if (f.type == STREAM_FROM) {
			MUST(first);
			check_from(&f, p + at + STREAM_FRAME, &sum);
		} else if (f.type == STREAM_END) {
			MUST(stream_end_parse(
				 &f, p + at + STREAM_FRAME, f.len, &end) == 0);
			MUST(stream_end_check(&end, &sum, &why) == 0);
			MUST(end.size == corelen &&
			    end.crc == crc32c(0, core, corelen));
			ended = 1;
		} else {
			check_data(&f, p + at + STREAM_FRAME, &sum);
		}
	}
	munmap(p, len > 0 ? (size_t)len : 1);
	return ended;
}

/* --- a sending ------------------------------------------------------------ */

static int
replay_kept(struct coreout *o, int fd)
{
	struct stream_end end;

	if (coreout_replay(o, fd, block, &end) == -1)
		return -1;
	MUST(end.size == corelen);
	return 0;
}

/* A byte of the file, behind its header. */
static void
damage(int fd, unsigned where)
{
	struct crash_id id;
	const char *why;
	off_t len = lseek(fd, 0, SEEK_END);
	ssize_t n = pread(fd, block, STREAM_HEAD_MAX, 0);
	char c;

	n = stream_head_parse(block, (size_t)n, &id, &why);
	MUST(n > 0 && len > n);
	n += where % (len - n);
	MUST(pread(fd, &c, 1, n) == 1);
	c ^= 4;
	MUST(pwrite(fd, &c, 1, n) == 1);
}

static void
begin(void)
{
	signal(SIGPIPE, SIG_IGN);
}

struct way {
	unsigned flags, where;
	size_t step;
};

static int
start(struct coreout *o, const struct way *w, int keptfd, int p[2])
{
	setup(o, file(), p[0], -1);
	o->pack.when = w->flags & PACK ? COREPACK_YES : COREPACK_AUTO;
	o->pack.room = room;
	o->ask = !(w->flags & DEAF);
	coreout_start(o);
	/* what waits for its words waits for seconds */
	if (!(w->flags & MUTE))
		MUST(buf_append(&told.words, STREAM_TAKES,
			 sizeof(STREAM_TAKES) - 1) == 0);
	MUST(write(p[1], told.words.p, told.words.len) ==
	    (ssize_t)told.words.len);
	if (w->flags & MUTE) {
		close(p[1]);
		p[1] = -1;
	}
	return keptfd != -1 ? replay_kept(o, keptfd) : send_core(o, w->step);
}

static void
send_once(const struct way *w, const uint8_t *answer, size_t len)
{
	static struct coreout o;
	struct stream_reply reply;
	int keptfd = -1, p[2], r, ended;

	if (w->flags & KEPT)
		keptfd = kept(w->step, w->flags & PACKED);
	if (keptfd != -1 && (w->flags & DAMAGED))
		damage(keptfd, w->where);
	MUST(pipe2(p, O_CLOEXEC) == 0);
	r = start(&o, w, keptfd, p);
	if (r == 0)
		r = coreout_end(&o, corelen, NULL);
	MUST(r == 0 || *o.why != '\0');
	MUST(r == -1 || keptfd == -1 || !(w->flags & DAMAGED));
	ended = check_stream(o.outfd);
	MUST(r == -1 || ended);
	MUST(o.joint == 0 || (!(w->flags & DEAF) && o.skipped <= o.joint));
	if (r == 0) {
		speak(answer, len);
		if (p[1] != -1)
			MUST(write(p[1], told.words.p, told.words.len) ==
			    (ssize_t)told.words.len);
		io_close(&p[1]);
		r = coreout_reply(&o, corelen, &reply);
		MUST(r == -1 ||
		    (reply.bytes == corelen &&
			reply.crc == crc32c(0, core, corelen)));
	}
	close(o.outfd);
	close(p[0]);
	io_close(&p[1]);
	io_close(&keptfd);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct stream_has has, back;
	struct way w;
	char line[STREAM_HAS_MAX];
	size_t n;
	int next;

	begin();
	/* the line itself, from anything */
	if (stream_has_parse((const char *)data, len, &has) == 0) {
		stream_has_format(&has, line);
		MUST(stream_has_parse(line, strlen(line) - 1, &back) == 0);
		MUST(back.off == has.off && back.crc == has.crc);
	}
	if (len < 8)
		return 0;
	w.flags = data[0];
	w.step = 512 + (size_t)data[1] * 64 + data[1] % 2;
	w.where = data[6] | (unsigned)data[7] << 8;
	corelen = data[2] | (size_t)data[3] << 8;
	paint(data[4] | (unsigned)data[5] << 8);
	told.nright = 0;
	n = 8 + speak(data + 8, len - 8);
	n += n < len;
	send_once(&w, data + n, len - n);
	/* no descriptor is left behind */
	next = dup(0);
	MUST(next <= 64);
	close(next);
	return 0;
}
