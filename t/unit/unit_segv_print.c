/*
 * unit_segv_print: the records of segfault_analyzer: those of the interface
 * document, byte by byte, hostile text, and what a feed promises.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "report/signals.h"
#include "segv/segv_print.h"

#include "json_check.h"

#include "check.h"

static struct segv_opts opts;
static struct segv_event ev;
static struct segv_place frame[3];

/* What the document's example shows. */
static void
example(struct segv_resolved *l)
{
	static const char app[] = "/path/to/myapp";

	memset(&opts, 0, sizeof(opts));
	opts.registers = opts.stack = 1;
	opts.depth = 16;
	memset(&ev, 0, sizeof(ev));
	ev.have = SEGV_HAVE_INFO | SEGV_HAVE_REGS | SEGV_HAVE_LEADER;
	ev.machine = EM_X86_64;
	ev.pid = ev.tid = 1234;
	strcpy(ev.comm, "worker");
	strcpy(ev.leader, "myapp");
	ev.signo = SIGSEGV;
	ev.code = 2;
	ev.origin = SEGV_FROM_FAULT;
	ev.regs.n = 21;
	ev.regs.r[16] = ev.pc = 0x555555554000; /* rip */
	ev.regs.r[19] = 0x7ffe12345678;		/* rsp */
	ev.regs.r[5] = 0x7f8b4c000000;		/* rbx */
	memset(frame, 0, sizeof(frame));
	frame[0] = (struct segv_place){.addr = 0x555555554000,
	    .function = "main",
	    .off = 0x10,
	    .module = app};
	frame[1] = (struct segv_place){.addr = 0x7f8b4b123456,
	    .function = "__libc_start_main",
	    .off = 0x123,
	    .module = "/lib/libc.so.6"};
	frame[2] = (struct segv_place){.addr = 0x555555553000,
	    .function = "_start",
	    .off = 0x20,
	    .module = app};
	memset(l, 0, sizeof(*l));
	l->ev = &ev;
	l->opts = &opts;
	l->time.tv_nsec = 123456789;
	strcpy(l->stamp, "2024-02-15 10:30:45");
	l->at = frame[0];
	l->frame = frame;
	l->nframes = 3;
	l->stack = SEGV_STACK_RELIABLE;
	l->addr = 0x7f8b4c000000;
	l->have_addr = 1;
	l->exe = app;
}

/* A record, or several, as text; NUL-terminated, static. */
static const char *
printed(const struct segv_resolved *l, enum out_format format, int times)
{
	static char text[65536];
	char name[] = "/tmp/unit_segv.XXXXXX";
	int fd = mkstemp(name);
	struct out *o = out_new(fd, format);
	ssize_t n;

	if (fd == -1 || unlink(name) == -1 || o == NULL)
		exit(111);
	out_feed(o);
	while (times-- > 0)
		CHECK(segv_print(l, o) == 0);
	CHECK(out_finish(o) == 0);
	n = pread(fd, text, sizeof(text) - 1, 0);
	if (n == -1)
		exit(111);
	text[n] = '\0';
	close(fd);
	return text;
}

static int
starts(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static int
is_json(const char *s, size_t n)
{
	struct json j;
	int r = json_check(&j, s, n) == 0;

	free(j.v);
	return r;
}

/* Is there a member of the outermost object, of that kind? */
static int
has(const char *s, size_t n, const char *key, char kind)
{
	const struct json_value *v;
	struct json j;
	int r = json_check(&j, s, n) == 0;

	v = r ? json_member(&j, key) : NULL;
	r = v != NULL && v->kind == kind;
	free(j.v);
	return r;
}

static void
check_text(void)
{
	struct segv_resolved l;
	const char *t, *p;

	example(&l);
	t = printed(&l, OUT_TEXT, 1);
	CHECK(starts(t,
	    "[2024-02-15 10:30:45] SEGFAULT in process myapp "
	    "(PID: 1234, TID: 1234)\n"
	    "  Fault Address: 0x7f8b4c000000\n"
	    "  Instruction:   0x555555554000 (main+0x10)\n"
	    "  Fault Type:    Access violation (SEGV_ACCERR)\n"
	    "\n"
	    "  Registers:\n"
	    "    RIP: 0x555555554000    RSP: 0x7ffe12345678\n"
	    "    RAX: 0x0000000000000000    RBX: 0x7f8b4c000000\n"));
	p = strstr(t, "\n\n  Stack Trace:\n");
	CHECK(p != NULL);
	CHECK(p != NULL &&
	    strcmp(p,
		"\n\n  Stack Trace:\n"
		"    #0  0x555555554000 main+0x10 (/path/to/myapp)\n"
		"    #1  0x7f8b4b123456 __libc_start_main+0x123 "
		"(/lib/libc.so.6)\n"
		"    #2  0x555555553000 _start+0x20 (/path/to/myapp)\n"
		"    reliable\n\n") == 0);
	opts.registers = opts.stack = 0;
	ev.code = 1;
	l.addr = 0;
	t = printed(&l, OUT_TEXT, 2);
	p = strstr(t + 1, "[2024");
	CHECK(p != NULL && (size_t)(p - t) * 2 == strlen(t));
	CHECK(strstr(t, "  Fault Address: 0x0\n") != NULL);
	CHECK(strstr(t, "Address not mapped (SEGV_MAPERR)\n") != NULL);
}

static void
check_json(void)
{
	static const char *const members[] = {
	    ("{\"timestamp\": \"2024-02-15T10:30:45.123Z\", \"pid\": 1234, "
	     "\"tid\": 1234, \"comm\": \"myapp\", "
	     "\"fault_address\": \"0x7f8b4c000000\", "
	     "\"instruction_pointer\": \"0x555555554000\", "),
	    "\"fault_type\": \"access_error\"", "\"registers\": {",
	    "\"rip\": \"0x555555554000\"", "\"rsp\": \"0x7ffe12345678\"",
	    "\"rax\": \"0x0000000000000000\"",
	    ("\"stack_trace\": [{\"address\": \"0x555555554000\", "
	     "\"symbol\": \"main+0x10\", \"module\": \"/path/to/myapp\"}, {"),
	    "\"thread_name\": \"worker\"", "\"stack_status\": \"reliable\""};
	struct segv_resolved l;
	const char *t, *nl;
	size_t i;

	example(&l);
	t = printed(&l, OUT_JSON, 2);
	for (i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		if (strstr(t, members[i]) == NULL)
			printf("not there: %s\n", members[i]);
		CHECK(strstr(t, members[i]) != NULL);
	}
	/* one object a line, each alike */
	nl = strchr(t, '\n');
	CHECK(nl != NULL && is_json(t, (size_t)(nl - t)));
	CHECK(nl != NULL && (size_t)(nl + 1 - t) * 2 == strlen(t));
	CHECK(nl != NULL && memcmp(t, nl + 1, (size_t)(nl - t)) == 0);
	CHECK(nl != NULL && has(t, (size_t)(nl - t), "registers", '{'));
	CHECK(nl != NULL && has(t, (size_t)(nl - t), "stack_trace", '['));
	CHECK(nl != NULL && has(t, (size_t)(nl - t), "vma_info", 'n'));
	/* what is not known is null, not left out */
	memset(&frame[1], 0, sizeof(frame[1]));
	l.have_addr = 0;
	ev.have = 0;
	l.at.function = NULL;
	t = printed(&l, OUT_JSON, 1);
	CHECK(strstr(t, "\"fault_address\": null") != NULL);
	CHECK(strstr(t, "\"instruction_pointer\": null") != NULL);
	CHECK(strstr(t, "\"symbol\": null, \"module\": null}") != NULL);
	CHECK(is_json(t, strlen(t) - 1));
}

/* The kinds of fault, and all that may not be known. */
static void
check_kinds(void)
{
	static const struct {
		int signo, code;
		enum segv_origin origin;
		const char *kind, *text;
	} k[] = {{SIGSEGV, 3, SEGV_FROM_FAULT, "bounds_error", "SEGV_BNDERR"},
	    {SIGSEGV, 4, SEGV_FROM_FAULT, "pkey_error", "SEGV_PKUERR"},
	    {SIGSEGV, 77, SEGV_FROM_FAULT, "unknown", "Unknown (code 77)"},
	    {SIGSEGV, 128, SEGV_FROM_KERNEL, "general_protection",
		"General protection fault (SI_KERNEL)"},
	    {SIGSEGV, 0, SEGV_FROM_USER, "user_signal",
		"Sent by process 77 of user 5 (SI_USER)"},
	    {SIGSEGV, -6, SEGV_FROM_USER, "user_signal", "(SI_TKILL)"},
	    {SIGBUS, 2, SEGV_FROM_FAULT, "other_error", "(BUS_ADRERR)"},
	    {SIGBUS, 128, SEGV_FROM_KERNEL, "kernel_signal",
		"Raised by the kernel (SI_KERNEL)"},
	    {40, 0, SEGV_FROM_USER, "user_signal", "signal 40 in process"}};
	struct segv_resolved l;
	char want[128];
	const char *t;
	size_t i;

	for (i = 0; i < sizeof(k) / sizeof(k[0]); i++) {
		example(&l);
		ev.signo = k[i].signo;
		ev.code = k[i].code;
		ev.origin = k[i].origin;
		ev.sender_pid = 77;
		ev.sender_uid = 5;
		ev.trap_nr = 13;
		ev.have |= SEGV_HAVE_FAULT;
		t = printed(&l, OUT_TEXT, 1);
		if (strstr(t, k[i].text) == NULL)
			printf("%s is not in:\n%.300s\n", k[i].text, t);
		CHECK(strstr(t, k[i].text) != NULL);
		snprintf(
		    want, sizeof(want), "\"fault_type\": \"%s\"", k[i].kind);
		t = printed(&l, OUT_JSON, 1);
		CHECK(strstr(t, want) != NULL);
		CHECK(is_json(t, strlen(t) - 1));
	}
	/* the same code on an old trap: no room for the handler's frame */
	example(&l);
	ev.code = 128;
	ev.origin = SEGV_FROM_KERNEL;
	ev.trap_nr = 14;
	ev.have |= SEGV_HAVE_FAULT;
	t = printed(&l, OUT_TEXT, 1);
	CHECK(
	    strstr(t, "No room on the stack for the handler's frame") != NULL);
}

static void
check_hostile(void)
{
	static const char evil[] = "a\"\\\n\033]0;\xff";
	char name[ELFSYM_NAME_MAX + 1];
	struct segv_resolved l;
	const char *t;
	int i;

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (i = 0; i < 2; i++) {
		example(&l);
		opts.detail = 1;
		strcpy(ev.comm, evil);
		strcpy(ev.leader, evil);
		l.exe = l.cgroup = frame[0].module = frame[0].function = evil;
		l.at.function = name;
		l.map = (struct segv_mapping){1, 1, 2, 15, evil};
		l.cmdline = "a\0b c\n\0";
		l.cmdlen = 7;
		strcpy(l.cause, evil);
		t = printed(&l, i ? OUT_JSON : OUT_TEXT, 1);
		CHECK(strpbrk(t, "\033\xff") == NULL);
		CHECK(strstr(t, name) != NULL);
		if (i)
			CHECK(is_json(t, strlen(t) - 1) &&
			    strchr(t, '\n') == t + strlen(t) - 1);
		else
			CHECK(strstr(t, "\n  Command Line:  a b c\\x0a\n") !=
			    NULL);
	}
}

static void
check_redact(void)
{
	char text[64];
	struct segv_resolved l;
	const char *t;
	int i;

	segv_redact("write of 0x7f8b4c000000 (r-- x)", text, sizeof(text));
	CHECK(strcmp(text, "write of (redacted) (r-- x)") == 0);
	segv_redact("at offset 0x18, 0xffff", text, sizeof(text));
	CHECK(strcmp(text, "at offset 0x18, 0xffff") == 0);
	segv_redact("0x0x12345 0x", text, sizeof(text));
	CHECK(strcmp(text, "0x(redacted) 0x") == 0 ||
	    strcmp(text, "0(redacted) 0x") == 0);
	for (i = 1; i < 30; i++) { /* whatever fits, and the end */
		segv_redact(
		    "x 0x7f8b4c000000 y 0x7f8b4c000000", text, (size_t)i);
		CHECK(strlen(text) < (size_t)i);
		CHECK(strstr(text, "7f8b") == NULL);
	}
	for (i = 0; i < 2; i++) {
		example(&l);
		opts.redact = opts.detail = 1;
		l.map = (struct segv_mapping){
		    1, 0x7f8b4c000000, 0x7f8b4c001000, 1, "/x"};
		strcpy(l.cause, "write of address 0x7f8b4c000000");
		strcpy(l.why, "page 0x7ffe12345000");
		l.stack = SEGV_STACK_TRUNCATED;
		t = printed(&l, i ? OUT_JSON : OUT_TEXT, 1);
		CHECK(strstr(t, "7f8b4c") == NULL);
		CHECK(strstr(t, "7ffe12") == NULL);
		CHECK(strstr(t, "555555") == NULL);
		CHECK(strstr(t, "main+0x10") != NULL);
		if (i)
			CHECK(is_json(t, strlen(t) - 1));
	}
}

/* Both records as a NUL-terminated text. */
static void
said(char *to, size_t n, enum out_format format, const struct segv_moment *when,
    const struct segv_told *t, const struct segv_sum *sum)
{
	int fd = memfd_create("said", MFD_CLOEXEC);
	struct out *o = out_new(fd, format);
	ssize_t len;

	out_feed(o);
	CHECK(segv_print_limited(o, when, t) == 0 &&
	    segv_print_counts(o, when, sum) == 0 && out_finish(o) == 0);
	len = pread(fd, to, n - 1, 0);
	to[len > 0 ? len : 0] = '\0';
	close(fd);
}

static void
check_names(void)
{
	CHECK(signal_number("SEGV", 4) == SIGSEGV);
	CHECK(signal_number("SIGBUS,x", 6) == SIGBUS);
	CHECK(signal_number("SIG", 3) == -1);
	CHECK(signal_number("", 0) == -1);
	CHECK(signal_number("SE", 2) == -1);
}

/* What is not shown, and the last record. */
static void
check_limited(void)
{
	static const struct {
		uint64_t n;
		const char *text;
	} words[] = {{1, "1 handled fault not"}, {999, " 999 handled faults"},
	    {3950, " 3,950 handled"}, {1234567, " 1,234,567 handled"}};
	const struct segv_moment when = {{0, 5000000}, "1970-01-01 00:00:00"};
	const struct segv_sum sum = {10, 5, 3, 2};
	struct segv_told t = {.pid = 4711, .comm = "ja\nva"};
	char got[4096];
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		t.more = words[i].n;
		said(got, sizeof(got), OUT_TEXT, &when, &t, &sum);
		CHECK(strstr(got, words[i].text) != NULL &&
		    starts(got, "[1970-01-01 00:00:00] pid 4711 ja\\x0ava: "));
	}
	t.pid = 0;
	said(got, sizeof(got), OUT_TEXT, &when, &t, &sum);
	CHECK(strstr(got, "] other processes: 1,234,567") != NULL);
	t.pid = 4711;
	said(got, sizeof(got), OUT_JSON, &when, &t, &sum);
	CHECK(strcmp(got,
		  "{\"timestamp\": \"1970-01-01T00:00:00.005Z\", \"pid\": "
		  "4711, \"comm\": \"ja\\\\x0ava\", \"not_shown\": 1234567}\n"
		  "{\"timestamp\": \"1970-01-01T00:00:00.005Z\", \"seen\": 10, "
		  "\"written\": 5, \"limited\": 3, \"dropped\": 2}\n") == 0);
}

/* Only whole records leave, also when there are many; errors stick. */
static void
check_feed(void)
{
	struct segv_resolved l;
	int pfd[2], fd;
	struct out *o;
	char last = 'x';
	ssize_t n;
	char some[4096];
	int i;

	example(&l);
	if (pipe2(pfd, O_NONBLOCK) == -1 ||
	    fcntl(pfd[1], F_SETPIPE_SZ, 1 << 20) == -1 ||
	    (o = out_new(pfd[1], OUT_JSON)) == NULL)
		exit(111);
	out_feed(o);
	for (i = 0; i < 200; i++) {
		CHECK(segv_print(&l, o) == 0);
		while ((n = read(pfd[0], some, sizeof(some))) > 0)
			last = some[n - 1];
		CHECK(last == 'x' || last == '\n');
	}
	CHECK(last == '\n'); /* some left before the end */
	CHECK(out_finish(o) == 0);
	fd = open("/dev/full", O_WRONLY);
	if (fd == -1 || (o = out_new(fd, OUT_TEXT)) == NULL)
		exit(111);
	out_feed(o);
	CHECK(segv_print(&l, o) == 0);
	CHECK(out_flush(o) == -1 && errno == ENOSPC);
	CHECK(segv_print(&l, o) == -1 && errno == ENOSPC);
	CHECK(out_finish(o) == -1 && errno == ENOSPC);
	/* no record, no output */
	if ((o = out_new(pfd[1], OUT_JSON)) == NULL)
		exit(111);
	out_feed(o);
	while (read(pfd[0], some, sizeof(some)) > 0)
		;
	CHECK(out_finish(o) == 0);
	CHECK(read(pfd[0], some, sizeof(some)) == -1 && errno == EAGAIN);
}

int
main(void)
{
	check_text();
	check_json();
	check_kinds();
	check_hostile();
	check_redact();
	check_names();
	check_limited();
	check_feed();
	return check_report();
}
