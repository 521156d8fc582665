/*
 * What a report says of itself is read as lines "key: value" or "key": value
 * (usercrash-report(5)); a worker wrote it, so nothing of it is believed but
 * that it may be shown.
 */
#include "slots/ledger.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"

enum key { TIME, COMM, EXE, SIGNAL, SIGNAL_NAME, SIGNATURE, UID, CAUSE, KEYS };

static const char *const name[KEYS] = {"time", "comm", "exe", "signal",
    "signal_name", "signature", "uid", "cause"};

struct line {
	char text[64 + LEDGER_VALUE]; /* its beginning */
	size_t len;
};

struct keys {
	char value[KEYS][LEDGER_VALUE + 1];
};

/* A string of JSON without its quotes and escapes. */
static void
unquote(char *s)
{
	size_t n = strlen(s), out = 0;

	if (n > 0 && s[n - 1] == ',')
		s[--n] = '\0';
	if (*s != '"')
		return;
	for (size_t i = 1; i < n && s[i] != '"'; i++) {
		if (s[i] == '\\' && i + 1 < n)
			i++;
		s[out++] = s[i];
	}
	s[out] = '\0';
}

static void
take(struct line *l, struct keys *keys)
{
	char *p = l->text;
	int json = *p == '"';
	size_t n;

	l->text[l->len] = '\0';
	p += json;
	for (int k = 0; k < KEYS; k++) {
		n = strlen(name[k]);
		if (strncmp(p, name[k], n) != 0 ||
		    strncmp(p + n, json ? "\": " : ": ", 2 + (size_t)json) != 0)
			continue;
		p += n + 2 + (size_t)json;
		if (json)
			unquote(p);
		snprintf(keys->value[k], sizeof(keys->value[k]), "%s", p);
		for (p = keys->value[k]; *p != '\0'; p++)
			if ((unsigned char)*p < ' ' || *p == 0x7f)
				*p = '?';
		return;
	}
}

/* Whether that was the last line with a key. */
static int
ends(const struct line *l)
{
	static const char last[] = "\"backtrace\"";

	return l->len == 0 ||
	    (l->len >= sizeof(last) - 1 &&
		memcmp(l->text, last, sizeof(last) - 1) == 0);
}

static int
read_keys(int fd, struct keys *keys)
{
	struct line l = {.len = 0};
	char b[4096];
	off_t at = 0;
	ssize_t n;

	for (; at < LEDGER_HEAD; at += n) {
		n = pread(fd, b, sizeof(b), at);
		if (n <= 0)
			return (int)n;
		for (ssize_t i = 0; i < n; i++) {
			if (b[i] != '\n') {
				if (l.len < sizeof(l.text) - 1)
					l.text[l.len++] = b[i];
				continue;
			}
			if (ends(&l))
				return 0;
			take(&l, keys);
			l.len = 0;
		}
	}
	return 0;
}

static const char *
known(const struct keys *keys, enum key k)
{
	return *keys->value[k] != '\0' ? keys->value[k] : "-";
}

/* The last part of the executable's path, or the name of the process. */
static const char *
program(struct keys *k)
{
	char *p = strrchr(k->value[EXE], '/'), *gone;

	if (p == NULL || p[1] == '\0')
		return known(k, COMM);
	gone = strstr(p, " (deleted)");
	if (gone != NULL)
		*gone = '\0';
	return p + 1;
}

/* "11 SIGSEGV" in text, two keys in JSON. */
static const char *
signal_name(const struct keys *k)
{
	const char *blank = strchr(k->value[SIGNAL], ' ');

	if (*k->value[SIGNAL_NAME] != '\0')
		return k->value[SIGNAL_NAME];
	return blank != NULL ? blank + 1 : known(k, SIGNAL);
}

static int
open_end(int dirfd, struct stat *st)
{
	int fd = openat(dirfd, ".ledger",
	    O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
	    0600);

	if (fd != -1 && fstat(fd, st) == -1)
		io_close(&fd);
	return fd;
}

/* The file, whose group may read it as it may the directory. */
static int
ledger_open(int dirfd)
{
	struct stat dir, st = {0};
	int fd;

	fd = open_end(dirfd, &st);
	if (fd != -1 && st.st_size > LEDGER_MAX &&
	    renameat(dirfd, ".ledger", dirfd, ".ledger.1") == 0) {
		close(fd);
		fd = open_end(dirfd, &st);
	}
	if (fd != -1 && st.st_size == 0 &&
	    (fstat(dirfd, &dir) == -1 ||
		fchown(fd, (uid_t)-1, dir.st_gid) == -1 ||
		fchmod(fd, 0640) == -1))
		io_close(&fd);
	return fd;
}

int
ledger_add(int dirfd, int fd, mode_t mode)
{
	struct keys k = {0};
	char row[KEYS * (LEDGER_VALUE + 1)];
	int n, out, r;

	if (read_keys(fd, &k) == -1)
		return -1;
	/* where the group may not read it, nor what it says */
	if ((mode & S_IRGRP) == 0)
		*k.value[CAUSE] = '\0';
	if (*k.value[TIME] == '\0')
		return 0;
	n = snprintf(row, sizeof(row), "%s\t%s\t%s\t%s\t%s\t%s\n",
	    known(&k, TIME), program(&k), signal_name(&k), known(&k, SIGNATURE),
	    known(&k, UID), known(&k, CAUSE));
	out = ledger_open(dirfd);
	if (out == -1)
		return -1;
	/* one write, or what others add stands in it */
	r = write(out, row, (size_t)n) == n ? 0 : -1;
	io_done(out);
	return r;
}
