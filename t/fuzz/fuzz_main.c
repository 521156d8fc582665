/*
 * fuzz_TARGET seconds seed file...: calls the target with the files, each
 * changed at random, until the time is over.  For compilers without
 * libFuzzer; no coverage guides it, but the changes know what ELF is made of
 * (words of 2, 4 and 8 bytes, counts, offsets).
 *
 * A child does the calls and numbers them in shared memory.  Each input
 * follows from the seed and its number, so when the child dies, or sits on
 * one input for 20 seconds, the parent makes that input again and leaves it
 * beside the program, in fuzz_TARGET.SEED.NUMBER.  Exit 1 then, 0 when all went
 * well.
 */
#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/io.h"
#include "base/num.h"
#include "fuzz.h"

enum { HANG_MS = 20000 };

static struct buf *files;
static size_t nfiles;
static uint64_t state;

static uint64_t
rnd(uint64_t below)
{
	/* splitmix64 */
	uint64_t z = state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return (z ^ (z >> 31)) % below;
}

/* Headers and tables are at the beginning, or else at the end. */
static size_t
somewhere(size_t len)
{
	uint64_t span = rnd(3) == 0 || len < 2048 ? len : 2048;

	return rnd(3) == 0 ? len - 1 - rnd(span) : rnd(span);
}

static void
change(struct buf *b)
{
	static const uint64_t words[] = {0, 1, 2, 4, 8, 16, 24, 56, 64, 0x7f,
	    0xff, 0x100, 0x7fff, 0xfff0, 0xffff, 0x10000, 0x7fffffff,
	    0x80000000, 0xfffffff0, 0xffffffff, 0x100000000, 0x7fffffffffffffff,
	    0x8000000000000000, 0xfffffffffffffff0, UINT64_MAX};
	size_t at, n, to;
	uint64_t v;

	if (b->len == 0)
		return;
	at = somewhere(b->len);
	switch (rnd(8)) {
	case 0:
		b->len = at;
		break;
	case 1: /* one place over another */
		n = 1 + rnd(64);
		to = somewhere(b->len);
		if (n > b->len - at)
			n = b->len - at;
		if (n > b->len - to)
			n = b->len - to;
		memmove(b->p + to, b->p + at, n);
		break;
	case 2: /* a word from elsewhere, or near it */
	case 3:
	case 4:
		n = (size_t)1 << rnd(4);
		at &= ~(n - 1);
		v = words[rnd(sizeof(words) / sizeof(words[0]))];
		if (rnd(3) == 0)
			v = b->len + rnd(32) - 16;
		if (at + n <= b->len)
			memcpy(b->p + at, &v, n);
		break;
	case 5:
		b->p[at] = (char)rnd(256);
		break;
	default:
		b->p[at] ^= (char)(1 << rnd(8));
		break;
	}
}

static void
make_input(uint64_t seed, uint64_t number, struct buf *b)
{
	const struct buf *f;
	uint64_t n;

	state = seed ^ (number * 0xd1342543de82ef95);
	f = &files[rnd(nfiles)];
	b->len = 0;
	if (buf_append(b, f->p, f->len) == -1)
		err(111, "memory");
	for (n = 1 + rnd(6); n != 0; n--)
		change(b);
}

static _Noreturn void
work(uint64_t seed, int64_t end, volatile uint64_t *number)
{
	struct buf b = {0};
	uint8_t *exact;

	for (; deadline_left(end) != 0; ++*number) {
		make_input(seed, *number, &b);
		/* exactly as long, for the sanitizer's sake */
		exact = malloc(b.len ? b.len : 1);
		if (exact == NULL)
			err(111, "memory");
		memcpy(exact, b.p, b.len);
		LLVMFuzzerTestOneInput(exact, b.len);
		free(exact);
	}
	buf_free(&b);
	exit(0);
}

/* The child's wait status; -1 when it had to be killed. */
static int
supervise(pid_t child, volatile uint64_t *number)
{
	int64_t hang = deadline_in(HANG_MS);
	uint64_t last = 0;
	int status;

	while (waitpid(child, &status, WNOHANG) == 0) {
		if (*number != last) {
			last = *number;
			hang = deadline_in(HANG_MS);
		}
		if (deadline_left(hang) == 0) {
			kill(child, SIGKILL);
			waitpid(child, &status, 0);
			return -1;
		}
		usleep(50000);
	}
	return status;
}

int
main(int argc, char **argv)
{
	uint64_t seconds, seed;
	volatile uint64_t *number;
	struct buf b = {0};
	const char *name;
	char path[4096];
	pid_t child;
	int i, fd, status;

	if (argc < 4 || num_u64(argv[1], 10, 1, 1000000, &seconds) == -1 ||
	    num_u64(argv[2], 10, 0, UINT64_MAX, &seed) == -1)
		errx(100, "usage: %s seconds seed file...", argv[0]);
	name = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
	files = calloc((size_t)argc, sizeof(*files));
	number = mmap(NULL, sizeof(*number), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (files == NULL || number == MAP_FAILED)
		err(111, "memory");
	for (i = 3; i < argc; i++)
		if (io_slurp(AT_FDCWD, argv[i], 1 << 20, &files[nfiles++],
			NULL) == -1)
			err(111, "%s", argv[i]);
	child = fork();
	if (child == -1)
		err(111, "fork");
	if (child == 0)
		work(seed, deadline_in((int64_t)seconds * 1000), number);
	status = supervise(child, number);
	printf("%s: seed %llu: %llu inputs\n", name, (unsigned long long)seed,
	    (unsigned long long)*number);
	if (status == 0)
		return 0;
	make_input(seed, *number, &b);
	if ((size_t)snprintf(path, sizeof(path), "%s.%llu.%llu", argv[0],
		(unsigned long long)seed,
		(unsigned long long)*number) >= sizeof(path))
		errx(111, "%s: the name is too long", argv[0]);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd == -1 || io_write_full(fd, b.p, b.len) == -1)
		err(111, "%s", path);
	close(fd);
	buf_free(&b);
	printf("%s: %s: the input is in %s\n", name,
	    status == -1 ? "hangs" : "died", path);
	return 1;
}
