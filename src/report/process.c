/*
 * What /proc and the command line told: the report's first block, and the
 * sections of files, mappings, modules, limits and status.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "proc/procdir.h"
#include "report/sections.h"

/* The text of an item, or NULL with the reason. */
static const struct buf *
item(const struct crash *c, enum proc_item i, const char **why)
{
	if (c->pi == NULL) {
		*why = c->proc_why != NULL ? c->proc_why : "no process";
		return NULL;
	}
	if (c->pi->item[i].err != 0) {
		*why = strerror(c->pi->item[i].err);
		return NULL;
	}
	return &c->pi->item[i].b;
}

/* "key: value", or "key: unavailable: reason". */
static void
key_item(
    const struct crash *c, struct out *o, const char *key, enum proc_item i)
{
	const struct buf *b;
	const char *why;
	size_t len;

	b = item(c, i, &why);
	if (b == NULL) {
		key_unavailable(o, key, why);
		return;
	}
	len = b->len;
	if (len > 0 && b->p[len - 1] == '\n')
		len--;
	out_bytes(o, key, OUT_KEY, b->p, len);
}

/* A text that does not end where it should. */
static void
row_cut(struct out *o, const char *lead, const struct proc_text *t)
{
	if (t->cut)
		out_fmt(o, NULL, lead, "... (cut after %zu bytes)", t->b.len);
}

/* Without the empty strings at the end: they are what is left of arguments
 * and environment where a program wrote a title over them. */
static size_t
trimmed(const struct proc_text *t)
{
	size_t n = t->b.len;

	while (!t->cut && n > 0 && t->b.p[n - 1] == '\0')
		n--;
	return n;
}

enum { PSARGS_KEPT = 79 }; /* ELF_PRARGSZ without the NUL */

/* What a core's note has of the arguments: blanks for NULs, that at the end
 * too, and no more than fits (fill_psinfo() in the kernel). */
static void
psargs(const struct core_head *h, struct out *o)
{
	size_t len = strlen(h->psargs), n = len;

	while (n > 0 && h->psargs[n - 1] == ' ')
		n--;
	out_arr(o, "cmdline");
	out_text(o, "cmdline:");
	out_bytes(o, NULL, " ", h->psargs, n);
	if (len >= PSARGS_KEPT)
		out_fmt(o, NULL, " ", "... (no more than %d bytes are kept)",
		    PSARGS_KEPT);
	out_text(o, "\n");
	out_end(o);
}

/* Arguments with blanks are quoted in text; JSON has an array. */
static void
dump_cmdline(const struct crash *c, struct out *o)
{
	const struct buf *b;
	const char *p, *end, *why, *nul;
	size_t n;
	int quote;

	b = item(c, PROC_CMDLINE, &why);
	if (b == NULL && c->head != NULL && c->head->have_psinfo) {
		psargs(c->head, o);
		return;
	}
	if (b == NULL) {
		key_unavailable(o, "cmdline", why);
		return;
	}
	out_arr(o, "cmdline");
	out_text(o, "cmdline:");
	end = b->p + trimmed(&c->pi->item[PROC_CMDLINE]);
	for (p = b->p; p < end; p += n + 1) {
		nul = memchr(p, '\0', (size_t)(end - p));
		n = nul != NULL ? (size_t)(nul - p) : (size_t)(end - p);
		quote = n == 0 || memchr(p, ' ', n) != NULL;
		out_bytes(o, NULL, quote ? " \"" : " ", p, n);
		out_text(o, "%s", quote ? "\"" : "");
	}
	row_cut(o, " ", &c->pi->item[PROC_CMDLINE]);
	out_text(o, "\n");
	out_end(o);
}

static const struct proc_task *
leader_of(const struct crash *c)
{
	size_t i;

	for (i = 0; c->pi != NULL && i < c->pi->ntasks; i++)
		if (c->pi->tasks[i].tid == c->pid)
			return &c->pi->tasks[i];
	return NULL;
}

static void
dump_comm(const struct crash *c, struct out *o)
{
	const struct proc_task *leader;
	const struct target *t = c->t;

	if (t->nthreads > 0 && t->threads[0].namelen > 0)
		out_bytes(o, "thread", OUT_KEY, t->threads[0].name,
		    t->threads[0].namelen);
	else
		out_str(o, "thread", OUT_KEY, c->comm != NULL ? c->comm : "");
	/* /proc/TID/comm is the thread's; the process has its leader's */
	if ((leader = leader_of(c)) != NULL)
		out_bytes(o, "comm", OUT_KEY, leader->comm, leader->commlen);
	else if (c->pi != NULL && c->pi->item[PROC_COMM].err == 0)
		key_item(c, o, "comm", PROC_COMM);
	else if (c->head != NULL && c->head->have_psinfo)
		out_str(o, "comm", OUT_KEY, c->head->psname);
	else
		out_str(o, "comm", OUT_KEY, c->comm != NULL ? c->comm : "");
}

static void
dump_exe(const struct crash *c, struct out *o)
{
	const char *why;
	size_t i;

	if (item(c, PROC_EXE, &why) != NULL) {
		key_item(c, o, "exe", PROC_EXE);
		return;
	}
	if (c->exe != NULL && *c->exe != '\0') {
		out_str(o, "exe", OUT_KEY, c->exe);
		return;
	}
	for (i = 0; i < c->t->nmods; i++)
		if (c->t->mods[i].isexec) {
			out_str(o, "exe", OUT_KEY, c->t->mods[i].path);
			return;
		}
	key_unavailable(o, "exe", why);
}

void
dump_identity(const struct crash *c, struct out *o)
{
	const struct core_head *h = c->head;
	const struct target *t = c->t;
	pid_t tid = t->nthreads > 0 ? t->threads[0].tid : c->pid;
	long uid = c->uid, gid = c->gid;

	out_i64(o, "pid", OUT_KEY,
	    c->pid == 0 && h != NULL && h->have_psinfo ? h->pspid : c->pid);
	out_i64(o, "tid", OUT_KEY, tid);
	if (t->nthreads > 0 && t->threads[0].nstid != tid)
		out_i64(o, "nstid", OUT_KEY, t->threads[0].nstid);
	dump_comm(c, o);
	dump_exe(c, o);
	dump_cmdline(c, o);
	if (uid < 0)
		uid = procinfo_number(c->pi, "Uid");
	if (gid < 0)
		gid = procinfo_number(c->pi, "Gid");
	if (uid < 0 && h != NULL && h->have_psinfo)
		uid = h->psuid;
	if (gid < 0 && h != NULL && h->have_psinfo)
		gid = h->psgid;
	if (uid >= 0)
		out_i64(o, "uid", OUT_KEY, uid);
	else
		key_unavailable(o, "uid", "not told");
	if (gid >= 0)
		out_i64(o, "gid", OUT_KEY, gid);
	else
		key_unavailable(o, "gid", "not told");
	dump_origin(c, o);
	if (c->dumpmode >= 0)
		out_i64(o, "dumpmode", OUT_KEY, c->dumpmode);
	if (c->rlimit >= 0)
		out_i64(o, "corelimit", OUT_KEY, c->rlimit);
}

static void
open_flags(struct out *o, int flags)
{
	static const struct {
		int bit;
		const char *name;
	} names[] = {{O_APPEND, "append"}, {O_NONBLOCK, "nonblock"},
	    {O_CLOEXEC, "cloexec"}, {O_DIRECTORY, "directory"},
	    {O_PATH, "path"}, {O_DIRECT, "direct"}, {O_DSYNC, "dsync"}};
	static const char *const mode[] = {"r", "w", "rw", "none"};
	char text[96];
	size_t i;

	/* musl counts O_PATH among them */
	strcpy(text, mode[flags & (O_ACCMODE & ~O_PATH)]);
	for (i = 0; i < NELEM(names); i++) {
		if ((flags & names[i].bit) != names[i].bit)
			continue;
		strcat(text, ",");
		strcat(text, names[i].name);
	}
	out_str(o, "flags", " ", text);
}

void
dump_files(const struct crash *c, struct symbols *sy, struct out *o)
{
	const struct procinfo *pi = c->pi;
	const struct proc_fd *f;
	size_t i;

	(void)sy;
	if (pi == NULL || pi->fds_err != 0) {
		out_unavailable(
		    o, pi == NULL ? c->proc_why : strerror(pi->fds_err));
		return;
	}
	out_section(o, '[');
	for (i = 0; i < pi->nfds && !out_full(o, pi->nfds - i); i++) {
		f = &pi->fds[i];
		out_obj(o, NULL);
		out_i64(o, "fd", "  ", f->fd);
		if (f->have_info) {
			open_flags(o, f->flags);
			out_u64(o, "offset", " offset ", f->pos);
		}
		if (f->target != NULL)
			out_str(o, "target", " ", f->target);
		out_text(o, "\n");
		out_end(o);
	}
	if (pi->fds_left_out > 0) {
		out_obj(o, NULL);
		out_u64(o, "left_out", "  ... ", pi->fds_left_out);
		out_text(o, " descriptors left out\n");
		out_end(o);
	}
}

void
dump_maps(const struct crash *c, struct symbols *sy, struct out *o)
{
	const struct target *t = c->t;
	const struct map *m;
	char perms[5];
	size_t i;

	(void)sy;
	if (t->nmaps == 0) {
		out_unavailable(o,
		    t->maps_why != NULL	      ? t->maps_why
			: c->proc_why != NULL ? c->proc_why
					      : "none");
		return;
	}
	out_section(o, '[');
	for (i = 0; i < t->nmaps && !out_full(o, t->nmaps - i); i++) {
		m = &t->maps[i];
		perms[0] = m->prot & MAP_R ? 'r' : '-';
		perms[1] = m->prot & MAP_W ? 'w' : '-';
		perms[2] = m->prot & MAP_X ? 'x' : '-';
		perms[3] = m->prot & MAP_S ? 's' : 'p';
		perms[4] = '\0';
		out_obj(o, NULL);
		out_hex(o, "start", "  ", m->start, 12);
		out_hex(o, "end", "-", m->end, 12);
		out_str(o, "perms", " ", perms);
		out_hex(o, "offset", " ", m->off, 8);
		if (m->ino != 0) {
			out_fmt(o, "device", " ", "%02x:%02x",
			    (unsigned)(m->dev >> 32), (unsigned)m->dev);
			out_u64(o, "inode", " ", m->ino);
		}
		if (*m->name != '\0')
			out_str(o, "name", " ", m->name);
		if (m->prot & MAP_GUESS)
			out_str(o, "note", " (", "permissions are not told");
		out_text(o, "%s\n", m->prot & MAP_GUESS ? ")" : "");
		out_end(o);
	}
	if (t->maps_why != NULL) {
		out_obj(o, NULL);
		out_str(o, "incomplete", "  incomplete: ", t->maps_why);
		out_text(o, "\n");
		out_end(o);
	}
}

/* An object whose headers nobody has is one if it was mapped as such: with
 * code for sure, or in more than one piece. */
static int
module_is_listed(const struct target *t, const struct module *m)
{
	const struct map *first;

	if (m->headers == MODULE_YES)
		return 1;
	first = maps_above(t->maps, t->nmaps, m->start);
	return *m->path != '[' &&
	    (m->code == 2 || (m->code && first != NULL && first->end < m->end));
}

void
dump_modules(const struct crash *c, struct symbols *sy, struct out *o)
{
	const struct target *t = c->t;
	const struct module *m;
	char id[ELFSYM_ID_MAX * 2 + 1];
	struct elf_package pkg;
	size_t i, k;

	if (t->nmaps == 0) {
		out_unavailable(o, "no maps");
		return;
	}
	out_section(o, '[');
	for (i = 0; i < t->nmods; i++) {
		m = &t->mods[i];
		if (!module_is_listed(t, m))
			continue;
		if (out_full(o, t->nmods - i))
			break;
		for (k = 0; k < m->idlen; k++)
			snprintf(id + 2 * k, 3, "%02x", m->id[k]);
		out_obj(o, NULL);
		out_hex(o, "start", "  ", m->start, 12);
		out_hex(o, "end", "-", m->end, 12);
		out_hex(o, "bias", " bias ", m->bias, 0);
		if (m->idlen > 0)
			out_str(o, "build_id", " build-id ", id);
		if (module_package(c->t, m, &pkg))
			dump_package(&pkg, o);
		out_str(o, "path", " ", m->path);
		if (m->fdwhy != NULL || m->doubt != NULL) {
			out_str(o, "note", " (",
			    m->fdwhy != NULL ? m->fdwhy : m->doubt);
			out_text(o, ")");
		}
		out_text(o, "\n");
		out_end(o);
	}
	if (sy != NULL && symbols_note(sy) != NULL) {
		out_obj(o, NULL);
		out_str(o, "note", "  note: ", symbols_note(sy));
		out_text(o, "\n");
		out_end(o);
	}
}

/* A /proc text, a row a line; tabs become blanks, those at the end go. */
static void
dump_lines(const struct crash *c, enum proc_item what, char sep, struct out *o)
{
	const struct buf *b;
	char *p, *end, *nl;
	const char *why;
	size_t i, n;

	b = item(c, what, &why);
	if (b == NULL) {
		out_unavailable(o, why);
		return;
	}
	out_section(o, '[');
	end = b->p + (sep == '\0' ? trimmed(&c->pi->item[what]) : b->len);
	for (p = b->p; p < end; p = nl + 1) {
		nl = memchr(p, sep, (size_t)(end - p));
		if (nl == NULL)
			nl = end;
		for (i = 0; i < (size_t)(nl - p) && sep == '\n'; i++)
			if (p[i] == '\t')
				p[i] = ' ';
		for (n = (size_t)(nl - p); n > 0 && p[n - 1] == ' '; n--)
			;
		/* a title may have been written over it with blanks */
		if (n == 0 && sep == '\0')
			continue;
		out_bytes(o, NULL, "  ", p, n);
		out_text(o, "\n");
	}
	if (c->pi->item[what].cut) {
		row_cut(o, "  ", &c->pi->item[what]);
		out_text(o, "\n");
	}
}

void
dump_limits(const struct crash *c, struct symbols *sy, struct out *o)
{
	(void)sy;
	dump_lines(c, PROC_LIMITS, '\n', o);
}

void
dump_status(const struct crash *c, struct symbols *sy, struct out *o)
{
	(void)sy;
	dump_lines(c, PROC_STATUS, '\n', o);
}

void
dump_environ(const struct crash *c, struct symbols *sy, struct out *o)
{
	(void)sy;
	if (c->want_environ)
		dump_lines(c, PROC_ENVIRON, '\0', o);
}
