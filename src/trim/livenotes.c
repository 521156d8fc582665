#include "trim/livenotes.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/procfs.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "base/bytes.h"
#include "core/arch.h"
#include "proc/procdir.h"

#ifndef NT_X86_XSTATE
#define NT_X86_XSTATE 0x202
#endif

/* Sets of registers besides the general ones, where the machine has them. */
static const struct {
	uint32_t type;
	const char *owner;
} sets[] = {
    {NT_PRFPREG, "CORE"},
#if defined(__x86_64__)
    {NT_X86_XSTATE, "LINUX"},
#elif defined(__aarch64__)
    {NT_ARM_TLS, "LINUX"}, {0x405, "LINUX"}, /* NT_ARM_SVE */
    {0x406, "LINUX"},			     /* NT_ARM_PAC_MASK */
    {0x409, "LINUX"},			     /* NT_ARM_TAGGED_ADDR_CTRL */
#endif
};

enum {
	SET_MAX = 64 << 10,
	ARGS = sizeof(((struct elf_prpsinfo *)0)->pr_psargs)
};

static int
note(struct buf *b, const char *owner, uint32_t type, const void *p, size_t len)
{
	static const char zero[4];
	const Elf64_Nhdr n = {
	    (Elf64_Word)strlen(owner) + 1, (Elf64_Word)len, type};

	return buf_append(b, &n, sizeof(n)) == -1 ||
		buf_append(b, owner, n.n_namesz) == -1 ||
		buf_append(b, zero, (4 - n.n_namesz % 4) % 4) == -1 ||
		buf_append(b, p, len) == -1 ||
		buf_append(b, zero, (4 - len % 4) % 4) == -1
	    ? -1
	    : 0;
}

static int
note_status(struct buf *b, const struct procinfo *pi, const struct seized *s)
{
	struct elf_prstatus st;
	size_t n = arch_native->gregs * sizeof(uint64_t);

	memset(&st, 0, sizeof(st));
	st.pr_pid = s->tid;
	st.pr_ppid = (pid_t)procinfo_number(pi, "PPid");
	st.pr_fpvalid = 1;
	memcpy(&st.pr_reg, s->regs.r,
	    n < sizeof(st.pr_reg) ? n : sizeof(st.pr_reg));
	return note(b, "CORE", NT_PRSTATUS, &st, sizeof(st));
}

static int
note_sets(struct buf *b, const struct seized *s, char *room)
{
	struct iovec iov;
	size_t i;

	for (i = 0; i < NELEM(sets); i++) {
		iov.iov_base = room;
		iov.iov_len = SET_MAX;
		if (ptrace(PTRACE_GETREGSET, s->tid,
			(void *)(uintptr_t)sets[i].type, &iov) == -1)
			continue;
		if (note(b, sets[i].owner, sets[i].type, room, iov.iov_len) ==
		    -1)
			return -1;
	}
	return 0;
}

/* The arguments with blanks between them, as the kernel has them there. */
static void
take_args(char args[ARGS], const struct buf *b)
{
	size_t i, n = b->len < ARGS - 1 ? b->len : ARGS - 1;

	while (n > 0 && b->p[n - 1] == '\0')
		n--;
	for (i = 0; i < n; i++)
		args[i] = b->p[i] == '\0' ? ' ' : b->p[i];
}

static int
note_process(struct buf *b, const struct procinfo *pi)
{
	const struct buf *comm = &pi->item[PROC_COMM].b;
	struct elf_prpsinfo ps;
	size_t n = sizeof(ps.pr_fname) - 1;

	memset(&ps, 0, sizeof(ps));
	ps.pr_sname = 't';
	ps.pr_pid = (pid_t)procinfo_number(pi, "Tgid");
	ps.pr_ppid = (pid_t)procinfo_number(pi, "PPid");
	ps.pr_uid = (__typeof__(ps.pr_uid))procinfo_number(pi, "Uid");
	ps.pr_gid = (__typeof__(ps.pr_gid))procinfo_number(pi, "Gid");
	if (comm->len > 0)
		memcpy(ps.pr_fname, comm->p, comm->len < n ? comm->len : n);
	take_args(ps.pr_psargs, &pi->item[PROC_CMDLINE].b);
	return note(b, "CORE", NT_PRPSINFO, &ps, sizeof(ps));
}

/* Of NT_FILE, what core/notes.c reads: counts, ranges, then names. */
static int
note_files(struct buf *b, const struct livemaps *l)
{
	uint64_t row[3] = {0, 1, 0};
	struct buf f = {.p = NULL};
	const struct map *m;
	size_t i;
	int r = -1;

	for (i = 0; i < l->nmaps; i++)
		row[0] += (uint64_t)livemaps_is_file(&l->maps[i]);
	if (buf_append(&f, row, 16) == -1)
		goto out;
	for (i = 0; i < l->nmaps; i++) {
		m = &l->maps[i];
		row[0] = m->start;
		row[1] = m->end;
		row[2] = m->off;
		if (livemaps_is_file(m) &&
		    buf_append(&f, row, sizeof(row)) == -1)
			goto out;
	}
	for (i = 0; i < l->nmaps; i++)
		if (livemaps_is_file(&l->maps[i]) &&
		    buf_append(
			&f, l->maps[i].name, strlen(l->maps[i].name) + 1) == -1)
			goto out;
	r = note(b, "CORE", NT_FILE, f.p, f.len);
out:
	buf_free(&f);
	return r;
}

static int
note_thread(struct buf *b, const struct procinfo *pi, const struct seized *s,
    const struct livemaps *first, char *room)
{
	const struct buf *auxv = &pi->item[PROC_AUXV].b;

	if (note_status(b, pi, s) == -1)
		return -1;
	if (first != NULL &&
	    (note_process(b, pi) == -1 ||
		note(b, "CORE", NT_AUXV, auxv->p, auxv->len) == -1 ||
		note_files(b, first) == -1))
		return -1;
	return note_sets(b, s, room);
}

static int
is_stopped(const struct seized *s)
{
	return s->state == STOPPED && s->regs.n > 0;
}

int
livenotes_make(const struct procinfo *pi, const struct seizure *z,
    const struct livemaps *l, struct buf *notes)
{
	pid_t leader = (pid_t)procinfo_number(pi, "Tgid");
	char *room = malloc(SET_MAX);
	size_t i, first = z->n;
	int r = -1;

	for (i = 0; i < z->n; i++)
		if (is_stopped(&z->th[i]) &&
		    (first == z->n || z->th[i].tid == leader))
			first = i;
	if (first == z->n)
		errno = ESRCH;
	else if (room != NULL)
		r = note_thread(notes, pi, &z->th[first], l, room);
	for (i = 0; i < z->n && r == 0; i++)
		if (i != first && is_stopped(&z->th[i]))
			r = note_thread(notes, pi, &z->th[i], NULL, room);
	free(room);
	return r;
}
