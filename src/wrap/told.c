#include "wrap/told.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LETTERS = sizeof(TOLD_LETTERS) - 1, PID_DIGITS = 10 };

static int
index_of(char letter)
{
	const char *p = letter == '\0' ? NULL : strchr(TOLD_LETTERS, letter);

	return p == NULL ? -1 : (int)(p - TOLD_LETTERS);
}

const char *
told(const struct told *t, char letter)
{
	return t->value[index_of(letter)];
}

/* value, a blank, word */
static int
lengthen(const char **value, const char *word)
{
	char *text;

	if (asprintf(&text, "%s %s", *value, word) == -1)
		return -1;
	*value = text;
	return 0;
}

/* %P as the programs take it; %p will do, they look for whose it is. */
static const char *
find_pid(const struct told *t)
{
	const char *s;
	size_t n;
	int i;

	for (i = 0; i < 2; i++) {
		s = told(t, "Pp"[i]);
		n = strspn(s, "0123456789");
		if (n > 0 && s[n] == '\0' && n <= PID_DIGITS && *s != '0')
			return s;
	}
	return "0";
}

int
told_take(struct told *t, char *const words[])
{
	char letters[LETTERS + 1] = "";
	size_t n = 0;
	int i;

	memset(t, 0, sizeof(*t));
	for (i = 0; i <= LETTERS; i++)
		t->value[i] = "";
	for (; *words != NULL; words++) {
		i = n > 0 ? index_of(letters[n - 1]) : -1;
		if (i != -1 &&
		    (letters[n - 1] == 'e' ||
			(letters[n - 1] == 'h' && **words != 'e'))) {
			if (lengthen(&t->value[i], *words) == -1)
				return -1;
			continue;
		}
		i = index_of(**words);
		if (i == -1 || strchr(letters, **words) != NULL) {
			words_add(&t->odd, *words);
			continue;
		}
		letters[n++] = **words;
		letters[n] = '\0';
		t->value[i] = *words + 1;
	}
	t->pid = find_pid(t);
	t->words = strdup(letters);
	return t->words == NULL || t->odd.failed ? -1 : 0;
}

char *
told_amiss(const struct told *t)
{
	char *text = NULL;
	size_t len, i;
	int lacks = 0;
	FILE *f = open_memstream(&text, &len);

	if (f == NULL)
		return NULL;
	for (i = 0; i < LETTERS; i++)
		if (strchr(t->words, TOLD_LETTERS[i]) == NULL ||
		    (TOLD_LETTERS[i] == 'P' && *t->value[i] == '\0'))
			fprintf(f, "%s %%%c", lacks++ ? "" : " without",
			    TOLD_LETTERS[i]);
	for (i = 0; i < t->odd.n; i++)
		fprintf(f, "%s '%s'", i == 0 ? " with" : "", t->odd.w[i]);
	fclose(f);
	return len > 0 ? text : NULL;
}

const char *
told_exe(struct told *t)
{
	char path[32];

	if (!t->looked && strcmp(t->pid, "0") != 0) {
		snprintf(path, sizeof(path), "/proc/%s/exe", t->pid);
		/* the last byte stays 0 */
		if (readlink(path, t->exe, sizeof(t->exe) - 1) == -1)
			*t->exe = '\0';
	}
	t->looked = 1;
	return t->exe;
}

void
told_options(const struct told *t, struct words *l)
{
	static const struct {
		const char *name;
		char letter;
	} options[] = {{"tid", 'I'}, {"uid", 'u'}, {"gid", 'g'},
	    {"signal", 's'}, {"time", 't'}, {"dumpmode", 'd'}, {"rlimit", 'c'},
	    {"pidfd", 'F'}, {"host", 'h'}, {"comm", 'e'}};
	size_t i;

	words_format(l, "--pid=%s", t->pid);
	for (i = 0; i < sizeof(options) / sizeof(*options); i++)
		words_format(
		    l, "--%s=%s", options[i].name, told(t, options[i].letter));
}

void
told_words(const struct told *t, struct words *l)
{
	size_t i;

	for (i = 0; i < LETTERS; i++)
		words_format(l, "%c%s", TOLD_LETTERS[i], t->value[i]);
}

char *
told_shown(const char *text)
{
	static const char hex[] = "0123456789abcdef";
	char *shown = malloc(4 * strlen(text) + 1), *p = shown;
	unsigned char c;

	if (shown == NULL)
		return NULL;
	for (; *text != '\0'; text++) {
		c = (unsigned char)*text;
		if (c >= ' ' && c < 0x7f) {
			*p++ = (char)c;
			continue;
		}
		*p++ = '\\';
		*p++ = 'x';
		*p++ = hex[c >> 4];
		*p++ = hex[c & 15];
	}
	*p = '\0';
	return shown;
}
