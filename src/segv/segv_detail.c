/*
 * What a record says beyond the interface document, and the kind of fault in
 * its words.
 */
#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/num.h"
#include "memop/memop.h"
#include "report/signals.h"
#include "segv/segv_print.h"

enum {
	TRAP_GP = 13, /* general protection, Intel SDM volume 3, 6.15 */
	SHORT_HEX = 4 /* digits that are no address yet */
};

void
segv_redact(const char *text, char *out, size_t n)
{
	static const char gone[] = "(redacted)";
	size_t digits, len = 0;

	while (*text != '\0' && len + 1 < n) {
		digits = 0;
		if (text[0] == '0' && text[1] == 'x')
			while (isxdigit((unsigned char)text[2 + digits]))
				digits++;
		if (digits <= SHORT_HEX) {
			out[len++] = *text++;
			continue;
		}
		len += (size_t)snprintf(out + len, n - len, "%s", gone);
		text += 2 + digits;
	}
	out[len < n ? len : n - 1] = '\0';
}

void
segv_words(const struct segv_resolved *l, struct out *o, const char *key,
    const char *lead, const char *text)
{
	char safe[512];

	if (l->opts->redact) {
		segv_redact(text, safe, sizeof(safe));
		text = safe;
	}
	out_str(o, key, lead, text);
}

void
segv_build_id(const struct segv_place *p, struct out *o)
{
	char text[2 * ELFSYM_ID_MAX];
	size_t i;

	if (p->idlen == 0 || out_is_text(o))
		return;
	for (i = 0; i < p->idlen; i++)
		num_digits(text + 2 * i + 2, p->id[i], 16, 2);
	out_bytes(o, "build_id", OUT_HIDE, text, 2 * p->idlen);
}

/* --- what kind of fault ----------------------------------------------------
 */

/* The kinds of the interface document, and those it calls other. */
static const struct {
	int code;
	const char *kind, *text;
} segv_kinds[] = {{1, "map_error", "Address not mapped"},
    {2, "access_error", "Access violation"},
    {3, "bounds_error", "Bounds violation"},
    {4, "pkey_error", "Protection key violation"},
    {8, "tag_error", "Memory tag mismatch, found late"},
    {9, "tag_error", "Memory tag mismatch"},
    {10, "control_error", "Control protection violation"}};

static const char *
kernel_text(const struct segv_event *ev)
{
	if (ev->signo != SIGSEGV)
		return "Raised by the kernel";
	if (!(ev->have & SEGV_HAVE_FAULT) || ev->trap_nr == TRAP_GP)
		return "General protection fault";
	/* forced: the trap of the thread is an older one */
	return "No room on the stack for the handler's frame";
}

void
segv_fault_type(const struct segv_resolved *l, struct out *o)
{
	const struct segv_event *ev = l->ev;
	const char *kind = "unknown", *text = "Unknown";
	const char *name = signal_code_name(ev->signo, ev->code);
	size_t i;

	if (ev->origin == SEGV_FROM_KERNEL) {
		kind = ev->signo == SIGSEGV && ev->trap_nr == TRAP_GP
		    ? "general_protection"
		    : "kernel_signal";
		text = kernel_text(ev);
	} else if (ev->origin == SEGV_FROM_USER) {
		kind = "user_signal";
		text = "Sent by process";
	} else if (ev->origin == SEGV_FROM_FAULT && ev->signo != SIGSEGV) {
		kind = "other_error";
		text = "Fault";
	}
	for (i = 0; i < NELEM(segv_kinds); i++)
		if (ev->origin == SEGV_FROM_FAULT && ev->signo == SIGSEGV &&
		    segv_kinds[i].code == ev->code) {
			kind = segv_kinds[i].kind;
			text = segv_kinds[i].text;
		}
	out_text(o, "  Fault Type:    ");
	out_text(o, "%s", text);
	if (ev->origin == SEGV_FROM_USER)
		out_text(o, " %d of user %u", (int)ev->sender_pid,
		    (unsigned)ev->sender_uid);
	out_text(o, " (");
	if (name != NULL)
		out_text(o, "%s", name);
	else if (ev->have & SEGV_HAVE_INFO)
		out_text(o, "code %d", ev->code);
	else
		out_text(o, "no siginfo");
	out_text(o, ")\n");
	out_str(o, "fault_type", OUT_HIDE, kind);
}

static void
permissions(unsigned prot, char text[5])
{
	text[0] = prot & MAP_R ? 'r' : '-';
	text[1] = prot & MAP_W ? 'w' : '-';
	text[2] = prot & MAP_X ? 'x' : '-';
	text[3] = prot & MAP_S ? 's' : 'p';
	text[4] = '\0';
}

/* --- beyond the document
 * ------------------------------------------------------------------
 */

static void
access_words(unsigned access, char text[32])
{
	snprintf(text, 32, "%s%s%s", access & MEMOP_READ ? ",read" : "",
	    access & MEMOP_WRITE ? ",write" : "",
	    access & MEMOP_EXEC ? ",execute" : "");
}

static void
mapping(const struct segv_resolved *l, struct out *o)
{
	char prot[5];

	if (!l->map.known) {
		out_str(o, "vma_info", OUT_HIDE, NULL);
		return;
	}
	permissions(l->map.prot, prot);
	out_obj(o, "vma_info");
	if (l->opts->detail)
		out_text(o, "  Mapping:       ");
	/* text that is not wanted: out_text() would show it */
	if (l->opts->redact) {
		out_str(o, "start", OUT_HIDE, NULL);
		out_str(o, "end", OUT_HIDE, NULL);
	} else {
		out_hex(o, "start", l->opts->detail ? "0x" : OUT_HIDE,
		    l->map.start, 0);
		out_hex(o, "end", l->opts->detail ? "-0x" : OUT_HIDE,
		    l->map.end, 0);
	}
	out_str(o, "permissions",
	    !l->opts->detail	  ? OUT_HIDE
		: l->opts->redact ? ""
				  : " ",
	    prot);
	if (*l->map.name != '\0')
		out_str(o, "mapping_name", l->opts->detail ? " " : OUT_HIDE,
		    l->map.name);
	else
		out_str(o, "mapping_name", OUT_HIDE, NULL);
	if (l->opts->detail)
		out_text(o, "\n");
	out_end(o);
}

static const char *
line(const struct segv_resolved *l, const char *lead)
{
	return l->opts->detail ? lead : OUT_HIDE;
}

static void
newline(const struct segv_resolved *l, struct out *o)
{
	if (l->opts->detail)
		out_text(o, "\n");
}

static void
signal_details(const struct segv_resolved *l, struct out *o)
{
	static const char *const origins[] = {[SEGV_FROM_UNKNOWN] = "unknown",
	    [SEGV_FROM_FAULT] = "fault",
	    [SEGV_FROM_KERNEL] = "kernel",
	    [SEGV_FROM_USER] = "user"};
	const struct segv_event *ev = l->ev;
	char text[32];

	out_str(
	    o, "signal", line(l, "  Signal:        "), signal_name(ev->signo));
	out_i64(o, "signal_number", line(l, " "), ev->signo);
	out_str(o, "origin", line(l, ", origin "), origins[ev->origin]);
	if (ev->have & SEGV_HAVE_INFO) {
		out_i64(o, "code", line(l, ", code "), ev->code);
		out_str(o, "code_name", OUT_HIDE,
		    signal_code_name(ev->signo, ev->code));
	}
	if (ev->have & SEGV_HAVE_ACTION)
		out_bool(o, "handled", line(l, ", handled "), ev->handled);
	if (ev->joined)
		out_bool(o, "joined", OUT_HIDE, 1);
	newline(l, o);
	if (ev->origin == SEGV_FROM_USER) {
		out_i64(o, "sender_pid", OUT_HIDE, ev->sender_pid);
		out_u64(o, "sender_uid", OUT_HIDE, ev->sender_uid);
	}
	if (ev->code == 4 && ev->signo == SIGSEGV &&
	    ev->origin == SEGV_FROM_FAULT) {
		out_u64(o, "protection_key", line(l, "  Key:           "),
		    ev->pkey);
		newline(l, o);
	}
	access_words(l->access, text);
	if (*text == '\0') {
		out_str(o, "access", OUT_HIDE, NULL);
		return;
	}
	out_str(o, "access", line(l, "  Access:        "), text + 1);
	if (ev->fault_valid && ev->access != 0)
		out_bool(o, "page_present", line(l, ", page present "),
		    (ev->access & SEGV_PRESENT) != 0);
	newline(l, o);
}

static void
owner(const struct segv_resolved *l, struct out *o)
{
	const struct segv_event *ev = l->ev;

	out_str(o, "thread_name", line(l, "  Thread:        "), ev->comm);
	newline(l, o);
	if (*l->exe != '\0') {
		out_str(o, "exe", line(l, "  Executable:    "), l->exe);
		newline(l, o);
	}
	out_u64(o, "uid", line(l, "  User:          "), ev->uid);
	out_u64(o, "gid", line(l, ", group "), ev->gid);
	newline(l, o);
	if (ev->have & SEGV_HAVE_NS && ev->nslevel > 0) {
		out_i64(
		    o, "ns_pid", line(l, "  Container:     pid "), ev->nspid);
		out_i64(o, "ns_tid", line(l, ", tid "), ev->nstid);
		out_u64(
		    o, "pid_namespace", line(l, ", pid namespace "), ev->pidns);
		newline(l, o);
	}
	if (ev->have & SEGV_HAVE_CGROUP) {
		out_u64(
		    o, "cgroup_id", line(l, "  Cgroup:        "), ev->cgroup);
		if (l->cgroup != NULL)
			out_str(o, "cgroup", line(l, " "), l->cgroup);
		newline(l, o);
	}
}

static void
command_line(const struct segv_resolved *l, struct out *o)
{
	size_t i, n;

	if (l->cmdlen == 0)
		return;
	out_text(o, "  Command Line: ");
	out_arr(o, "cmdline");
	for (i = 0; i < l->cmdlen; i += n + 1) {
		n = strnlen(l->cmdline + i, l->cmdlen - i);
		out_bytes(o, NULL, " ", l->cmdline + i, n);
	}
	out_end(o);
	out_text(o, "%s\n", l->cmdline_cut ? " ..." : "");
	if (l->cmdline_cut)
		out_bool(o, "cmdline_cut", OUT_HIDE, 1);
}

void
segv_details(const struct segv_resolved *l, struct out *o)
{
	if (out_is_text(o) && !l->opts->detail)
		return;
	if (l->at.module != NULL)
		out_str(o, "instruction_module", OUT_HIDE, l->at.module);
	segv_build_id(&l->at, o);
	if (*l->cause != '\0') {
		segv_words(
		    l, o, "cause", line(l, "  Cause:         "), l->cause);
		newline(l, o);
	}
	signal_details(l, o);
	mapping(l, o);
	owner(l, o);
	command_line(l, o);
	if (*l->signature != '\0') {
		out_str(
		    o, "signature", line(l, "  Signature:     "), l->signature);
		newline(l, o);
	}
}
