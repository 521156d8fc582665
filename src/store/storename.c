#include "store/storename.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

static int
is_allowed(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '_' || c == '+' || c == '-' ||
	    c == '.';
}

void
store_component(const char *raw, char *out, size_t size)
{
	size_t i;

	if (*raw == '\0')
		raw = "unknown";
	for (i = 0; raw[i] != '\0' && i + 1 < size; i++)
		out[i] = is_allowed(raw[i]) ? raw[i] : '_';
	out[i] = '\0';
	if (out[0] == '.')
		out[0] = '_';
}

void
store_host(const char *host, char out[STORE_HOST_MAX])
{
	store_component(host, out, STORE_HOST_MAX);
	/* the link's name is taken, and stays a link's */
	if (strcmp(out, STORE_NEWEST) == 0)
		out[0] = '_';
}

static void
store_suffix(const char *encoding, char out[CRASH_ENCODING_MAX + 2])
{
	static const char known[][2][6] = {{"zstd", "zst"}, {"gzip", "gz"},
	    {"bzip2", "bz2"}, {"lzma", "lzma"}};
	static const char ours[][7] = {"part", "info", "report"};
	char name[CRASH_ENCODING_MAX];
	size_t i;

	out[0] = '\0';
	if (*encoding == '\0')
		return;
	store_component(encoding, name, sizeof(name));
	for (i = 0; i < NELEM(known); i++)
		if (strcmp(name, known[i][0]) == 0)
			snprintf(name, sizeof(name), "%s", known[i][1]);
	for (i = 0; i < NELEM(ours); i++)
		if (strcmp(name, ours[i]) == 0)
			name[0] = '_';
	snprintf(out, CRASH_ENCODING_MAX + 2, ".%s", name);
}

static void
store_number(int64_t n, char out[24])
{
	if (n < 0)
		snprintf(out, 24, "unknown");
	else
		snprintf(out, 24, "%" PRId64, n);
}

void
store_stem(const struct crash_id *id, char stem[STORE_NAME_MAX],
    char suffix[CRASH_ENCODING_MAX + 2])
{
	char comm[CRASH_COMM_MAX], pid[24], when[24];

	store_component(id->comm, comm, sizeof(comm));
	store_number(id->pid, pid);
	store_number(id->time, when);
	snprintf(stem, STORE_NAME_MAX, "core.%s.%s.%s", comm, pid, when);
	store_suffix(id->encoding, suffix);
}

void
store_join(const char *stem, unsigned n, const char *suffix, const char *tail,
    char out[STORE_NAME_MAX])
{
	if (n == 0)
		snprintf(out, STORE_NAME_MAX, "%s%s%s", stem, suffix, tail);
	else
		snprintf(
		    out, STORE_NAME_MAX, "%s.%u%s%s", stem, n, suffix, tail);
}

int
store_ends(const char *name, const char *tail)
{
	size_t n = strlen(name), t = strlen(tail);

	return n >= t && strcmp(name + n - t, tail) == 0;
}
