#include "wrap/before.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"

enum { SAVED_MAX = 64 << 10 };

char *
before_saved(const char *state, char why[TRUST_WHY])
{
	static const char key[] = "kernel.core_pattern ";
	int fd = trust_open(state, "saved", O_RDONLY, why);
	struct buf b = {0};
	char *p = NULL;
	ssize_t n;

	if (fd == -1)
		return NULL;
	if (buf_reserve(&b, SAVED_MAX) == 0 &&
	    (n = io_read_full(fd, b.p, SAVED_MAX)) != -1) {
		b.p[n] = '\0';
		for (p = b.p; p != NULL && strncmp(p, key, strlen(key)) != 0;) {
			p = strchr(p, '\n');
			p = p != NULL ? p + 1 : NULL;
		}
	}
	io_close(&fd);
	if (p == NULL)
		return NULL;
	p += strlen(key);
	p[strcspn(p, "\n")] = '\0';
	return p;
}

int
before_is_other(const char *pattern)
{
	static const char *const ours[] = {
	    "", "usercrash_c", "usercrash-wrapper"};
	const char *p = pattern + 1, *end, *q;
	size_t i;

	if (*pattern != '|')
		return 0;
	p += strspn(p, " \t");
	end = p + strcspn(p, " \t");
	for (q = p; q < end; q++)
		if (*q == '/')
			p = q + 1;
	for (i = 0; i < sizeof(ours) / sizeof(*ours); i++)
		if (strlen(ours[i]) == (size_t)(end - p) &&
		    strncmp(p, ours[i], (size_t)(end - p)) == 0)
			return 0;
	return 1;
}

/* As the kernel makes it fit for a file name (cn_print_exe_file()). */
static void
print_escaped(FILE *f, const char *s)
{
	if (*s == '\0' || strcmp(s, ".") == 0)
		s = "!";
	else if (strcmp(s, "..") == 0)
		s = "!.";
	for (; *s != '\0'; s++)
		putc(*s == '/' ? '!' : *s, f);
}

/* Of core(5)'s %LETTER: nothing for what is not known. */
static void
print_value(FILE *f, char letter, struct told *t)
{
	const char *exe, *last;
	char *path;

	if (letter == 'E' || letter == 'f') {
		exe = told_exe(t);
		path = NULL;
		if (*exe == '\0' &&
		    asprintf(&path, "%s (path unknown)", told(t, 'e')) != -1)
			exe = path;
		last = letter == 'f' ? strrchr(exe, '/') : NULL;
		print_escaped(f, last != NULL ? last + 1 : exe);
		free(path);
	} else if (letter == '%')
		putc('%', f);
	else if (strchr(TOLD_LETTERS, letter) != NULL)
		fputs(told(t, letter), f);
}

/* The words of p, expanded, one behind the other with a NUL each. */
static void
print_words(FILE *f, const char *p, struct told *t)
{
	long start = ftell(f);
	int blank = 0;

	for (; *p != '\0'; p++) {
		if (isspace((unsigned char)*p)) {
			blank = ftell(f) > start;
			continue;
		}
		if (blank)
			putc('\0', f);
		blank = 0;
		if (*p != '%')
			putc(*p, f);
		else if (p[1] != '\0')
			print_value(f, *++p, t);
	}
	putc('\0', f);
}

int
before_words(const char *pattern, struct told *t, struct words *l)
{
	char *text = NULL, *p;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	if (f == NULL)
		return -1;
	/* the kernel starts it in / */
	pattern += *pattern == '|';
	pattern += strspn(pattern, " \t\n\v\f\r");
	if (*pattern != '/' && *pattern != '\0')
		putc('/', f);
	print_words(f, pattern, t);
	if (fclose(f) == EOF)
		return -1;
	for (p = text; p < text + len; p += strlen(p) + 1)
		words_add(l, p);
	return l->failed ? -1 : 0;
}
