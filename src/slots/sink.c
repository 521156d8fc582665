#include "slots/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/deadline.h"
#include "base/io.h"
#include "base/turn.h"

enum {
	ASK_MS = 2000, /* for the server to hand out a descriptor */
	/* and to publish it, lock or not */
	PUBLISH_MS = SLOTS_LATE_MS + 5000
};

void
sink_defaults(struct sink_cfg *cfg)
{
	memset(cfg, 0, sizeof(*cfg));
	slots_defaults(&cfg->slots);
	cfg->socket = SPOOL_SOCKET;
}

/* A pipe or device is written to as it is; a FIFO without a reader gets a
 * moment to find one (ENXIO, open(2)), not for ever. */
static int
open_special(const char *path)
{
	const struct timespec nap = {.tv_nsec = 5000000};
	int64_t deadline = deadline_in(ASK_MS);
	int fd;

	while ((fd = open(path,
		    O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)) == -1 &&
	    errno == ENXIO && deadline_left(deadline) > 0)
		nanosleep(&nap, NULL);
	if (fd != -1 && fcntl(fd, F_SETFL, O_WRONLY) == -1) {
		close(fd);
		return -1;
	}
	return fd;
}

static int
open_output(const char *path, struct sink *s)
{
	struct stat st;

	if (strcmp(path, "-") == 0) {
		s->fd = STDOUT_FILENO;
		return 0;
	}
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
		s->fd = open_special(path);
		return s->fd == -1 ? -1 : 0;
	}
	if (asprintf(&s->tmp, "%s.part.%d", path, (int)getpid()) == -1) {
		s->tmp = NULL;
		errno = ENOMEM;
		return -1;
	}
	s->fd = open(
	    s->tmp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
	return s->fd == -1 ? -1 : 0;
}

uint64_t
sink_key(const char *exe, const char *comm)
{
	const char *name = *exe != '\0' ? exe : comm != NULL ? comm : "";

	return fnv1a(FNV1A, name, strlen(name));
}

void
sink_init(struct sink *s)
{
	memset(s, 0, sizeof(*s));
	s->fd = s->connfd = s->dirfd = -1;
}

int
sink_turn(const struct sink_cfg *cfg, struct sink *s, uint64_t memory, int low,
    int64_t deadline)
{
	int fd;

	if (cfg->output == NULL)
		s->dirfd = slots_open(&cfg->slots);
	if (s->dirfd == -1)
		return 0;
	fd = turn_take_for(s->dirfd, ".turns", memory, low, deadline);
	/* fd stays, and is the turn */
	return fd == -1 && errno == ETIMEDOUT ? -1 : 0;
}

int
sink_open(
    const struct sink_cfg *cfg, const struct spool_request *req, struct sink *s)
{
	s->entry.key = req->key;
	s->entry.uid = req->uid;
	if (cfg->output != NULL)
		return open_output(cfg->output, s);
	s->connfd = spool_ask(cfg->socket, req, deadline_in(ASK_MS), &s->fd);
	if (s->connfd != -1) {
		io_close(&s->dirfd);
		return 0;
	}
	s->ask_err = errno;
	s->fd = -1;
	if (s->dirfd == -1)
		s->dirfd = slots_open(&cfg->slots);
	if (s->dirfd != -1)
		s->fd = slots_tmp(
		    s->dirfd, &cfg->slots, deadline_in(SLOTS_LOCK_MS));
	return s->fd == -1 ? -1 : 0;
}

/*
 * The server's file is on the server's mount.  That of a service with a
 * namespace of its own is not ours, and no link leads from one to the other
 * (EXDEV, link(2)): a file of ours gets what is in it.
 */
static int
bring_home(const struct sink_cfg *cfg, struct sink *s)
{
	char piece[16384];
	struct stat st;
	uint64_t off = 0;
	ssize_t n;
	int fd;

	if (fstat(s->fd, &st) == -1)
		return -1;
	fd = slots_tmp(s->dirfd, &cfg->slots, deadline_in(SLOTS_LOCK_MS));
	if (fd == -1)
		return -1;
	while ((n = io_pread_full(s->fd, piece, sizeof(piece), off)) > 0 &&
	    io_write_full(fd, piece, (size_t)n) == 0)
		off += (uint64_t)n;
	if (n != 0 || ((st.st_mode & S_IRGRP) == 0 && fchmod(fd, 0600) == -1)) {
		io_close(&fd);
		return -1;
	}
	close(s->fd);
	s->fd = fd;
	return 0;
}

int
sink_publish(const struct sink_cfg *cfg, struct sink *s)
{
	struct spool_published pub;
	int saved;

	if (cfg->output != NULL) {
		if (s->tmp == NULL || rename(s->tmp, cfg->output) == 0)
			return 0;
		saved = errno;
		unlink(s->tmp);
		errno = saved;
		return -1;
	}
	if (s->connfd != -1) {
		if (spool_complete(s->connfd, deadline_in(PUBLISH_MS), &pub) ==
		    0) {
			memcpy(s->entry.name, pub.name, sizeof(pub.name));
			s->entry.tell = pub.tell <= SLOTS_COUNTED
			    ? (enum slots_tell)pub.tell
			    : SLOTS_TOLD;
			s->entry.quiet = pub.quiet;
			return 0;
		}
		/* the server died midway: the file is ours as well */
		s->dirfd = slots_open(&cfg->slots);
		if (s->dirfd == -1)
			return -1;
	}
	if (slots_publish(s->dirfd, s->fd, &cfg->slots,
		deadline_in(SLOTS_LOCK_MS), &s->entry) == 0)
		return 0;
	if (errno != EXDEV || s->connfd == -1 || bring_home(cfg, s) == -1)
		return -1;
	return slots_publish(s->dirfd, s->fd, &cfg->slots,
	    deadline_in(SLOTS_LOCK_MS), &s->entry);
}

void
sink_abandon(struct sink *s, int reason)
{
	if (s->tmp != NULL)
		unlink(s->tmp);
	if (s->connfd != -1)
		spool_abandon(s->connfd, reason);
}
