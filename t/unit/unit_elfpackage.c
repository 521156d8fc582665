/* unit_elfpackage: notes that name a package, genuine and forged. */
#include <string.h>

#include "base/bytes.h"
#include "check.h"
#include "elf/elfpackage.h"

enum { NOTE_ROOM = 4096 };

/* A note of owner FDO, at an exact place on the heap; its length in *len. */
static char *
note(const char *json, size_t jsonlen, size_t *len)
{
	char *p = calloc(1, NOTE_ROOM + jsonlen);

	must(p != NULL, "calloc");
	put32(p, 4);
	put32(p + 4, (uint32_t)jsonlen);
	put32(p + 8, 0xcafe1a7e);
	memcpy(p + 12, "FDO", 4);
	memcpy(p + 16, json, jsonlen);
	*len = 16 + jsonlen;
	return p;
}

static int
parse(const char *json, size_t jsonlen, struct elf_package *k)
{
	size_t len;
	char *p = note(json, jsonlen, &len), *exact = malloc(len);
	int r;

	must(exact != NULL, "malloc");
	memcpy(exact, p, len);
	r = elf_note_package(exact, len, k);
	free(exact);
	free(p);
	return r;
}

#define PARSE(json, k) parse(json, strlen(json), k)

/* Debian's, Fedora's (padded with NULs), Arch's. */
static void
test_genuine(void)
{
	static const char fedora[] =
	    "{\"type\":\"rpm\",\"name\":\"hello\",\"version\":"
	    "\"2.12-1.fc39\",\"architecture\":\"x86_64\",\"osCpe\":"
	    "\"cpe:/o:fedoraproject:fedora:39\"}\0\0\0";
	struct elf_package k;

	CHECK(PARSE("{\"type\":\"deb\",\"os\":\"Debian\",\"name\":\"systemd\","
		    "\"version\":\"252.38-1~deb12u1\",\"architecture\":"
		    "\"amd64\",\"debugInfoUrl\":\"https://d.example\"}",
		  &k) == 1);
	CHECK(strcmp(k.value[PACKAGE_NAME], "systemd") == 0);
	CHECK(strcmp(k.value[PACKAGE_VERSION], "252.38-1~deb12u1") == 0);
	CHECK(strcmp(k.value[PACKAGE_TYPE], "deb") == 0);
	CHECK(strcmp(k.value[PACKAGE_OS], "Debian") == 0);
	CHECK(strcmp(k.value[PACKAGE_ARCH], "amd64") == 0);
	CHECK(strcmp(k.value[PACKAGE_DEBUGINFO], "https://d.example") == 0);
	CHECK(parse(fedora, sizeof(fedora), &k) == 1);
	CHECK(strcmp(k.value[PACKAGE_NAME], "hello") == 0);
	CHECK(k.value[PACKAGE_OS][0] == '\0');
	CHECK(PARSE(" {\n\t\"name\" : \"a\" , \"version\" : \"1\" }\n", &k));
	CHECK(strcmp(k.value[PACKAGE_VERSION], "1") == 0);
}

static void
test_values(void)
{
	struct elf_package k;

	CHECK(PARSE("{\"name\":\"\\\"\\\\\\/\\b\\n\\u0041\\u00e9\\u20ac"
		    "\\ud83d\\ude00\"}",
		  &k) == 1);
	CHECK(strcmp(k.value[PACKAGE_NAME],
		  "\"\\/\b\nA\303\251\342\202\254\360\237\230\200") == 0);
	/* what is nested, and what is no string, is passed over */
	CHECK(PARSE("{\"x\":{\"name\":\"no\",\"y\":[1,-2e3,\"}\",{}]},\"name\":"
		    "\"yes\",\"version\":17,\"type\":null,\"os\":[\"a\"]}",
		  &k) == 1);
	CHECK(strcmp(k.value[PACKAGE_NAME], "yes") == 0);
	CHECK(k.value[PACKAGE_VERSION][0] == '\0');
	CHECK(k.value[PACKAGE_TYPE][0] == '\0');
}

static void
test_forged(void)
{
	static const char *const bad[] = {"", "{", "{}", "[]", "null", "{\"",
	    "{\"name\"}", "{\"name\":}", "{\"name\":\"a\"", "{\"name\":\"a\",}",
	    "{\"name\":\"a\"}}", "{\"name\":\"a\"}{\"name\":\"b\"}",
	    "{\"name\":\"a\\", "{\"name\":\"a\\x\"}", "{\"name\":\"\\u12\"}",
	    "{\"name\":\"\\u0000\"}", "{\"name\":\"\\ud83d\"}",
	    "{\"name\":\"\\ud83d\\u0041\"}", "{\"name\":\"\\udc00\"}",
	    "{\"name\":\"a\nb\"}", "{\"name\":\"\"}", "{\"name\":1}",
	    "{\"version\":\"1\"}", "{\"x\":[,\"name\":\"a\"}",
	    "{\"x\":,\"name\":\"a\"}", "{name:\"a\"}", "{\"name\":\"a\" 1}"};
	static char big[70000];
	struct elf_package k;
	size_t i, len, n;
	char *p;

	for (i = 0; i < NELEM(bad); i++) {
		CHECK(PARSE(bad[i], &k) == 0);
		CHECK(k.value[PACKAGE_NAME][0] == '\0');
	}
	/* too deep; too long */
	strcpy(big, "{\"x\":");
	memset(big + 5, '[', 30000);
	CHECK(PARSE(big, &k) == 0);
	memset(big, 'a', sizeof(big));
	memcpy(big, "{\"name\":\"", 9);
	memcpy(big + sizeof(big) - 2, "\"}", 2);
	CHECK(parse(big, sizeof(big), &k) == 1);
	n = strlen(k.value[PACKAGE_NAME]);
	CHECK(n < PACKAGE_VALUE);
	CHECK(strcmp(k.value[PACKAGE_NAME] + n - 3, "...") == 0);
	/* another owner, another type, cut anywhere */
	p = note("{\"name\":\"a\"}", 12, &len);
	CHECK(elf_note_package(p, len, &k) == 1);
	for (i = 0; i < len; i++)
		CHECK(elf_note_package(p, i, &k) == 0);
	p[8]++;
	CHECK(elf_note_package(p, len, &k) == 0);
	p[8]--;
	p[12]++;
	CHECK(elf_note_package(p, len, &k) == 0);
	p[12]--;
	put32(p + 4, 0xfffffffc);
	CHECK(elf_note_package(p, len, &k) == 0);
	free(p);
}

int
main(void)
{
	test_genuine();
	test_values();
	test_forged();
	return check_report();
}
