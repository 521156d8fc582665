#include "segv/segv_resolve.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/deadline.h"
#include "elf/perfmap.h"
#include "report/crash_dump.h"
#include "report/signature.h"
#include "unwind/symbols.h"
#include "unwind/unwind.h"

enum { UNWIND_MS = 200 }; /* for one stack; 0.1 to 0.4 ms is common */

#define KERNEL_SPACE (UINT64_C(1) << 63)

void
segv_resolver_init(struct segv_resolver *e, const struct segv_opts *o,
    struct modcache *cache, int ksymsfd)
{
	memset(e, 0, sizeof(*e));
	e->opts = *o;
	e->cache = cache;
	e->ksymsfd = ksymsfd;
}

void
segv_resolver_free(struct segv_resolver *e)
{
	ksyms_free(e->ksyms);
}

/* --- names -----------------------------------------------------------------
 */

/* User code does not run there, but it may have jumped there. */
static void
name_kernel(struct segv_resolver *e, struct segv_place *p)
{
	struct ksym k;

	if (e->ksyms == NULL && e->ksyms_err == 0) {
		e->ksyms = ksyms_read(e->ksymsfd);
		e->ksyms_err = e->ksyms == NULL ? errno : 0;
	}
	p->module = "[kernel]";
	if (e->ksyms == NULL || ksyms_find(e->ksyms, p->addr, &k) == -1)
		return;
	p->function = k.name;
	p->off = k.off;
	if (k.module != NULL)
		p->module = k.module;
}

/* As an address of the file's program headers. */
static int
file_vaddr(const struct modfile *f, const struct map *m, struct segv_place *p)
{
	uint64_t off = p->addr - m->start + m->off;
	const struct elfsym_load *l = f->head.loads;
	size_t i;

	for (i = 0; i < f->head.nloads; i++, l++)
		if (off >= l->off && off - l->off < l->filesz) {
			p->vaddr = off - l->off + l->vaddr;
			p->have_vaddr = 1;
			return 0;
		}
	return -1;
}

/* What names code that programs made is theirs, up to 64 MiB, and read anew
 * for each event: that may take a fifth of the time. */
static int
may_read_jit(const struct segv_resolver *e)
{
	return deadline_left(e->jit_due) == 0;
}

static void
has_read_jit(struct segv_resolver *e, int64_t began)
{
	e->jit_due = deadline_in(4 * (deadline_in(0) - began));
}

static void
name_made(struct segv_resolved *l, struct segv_resolver *e, int jitfd)
{
	struct elfsym_query q = {.vaddr = l->at.addr};
	int64_t began = deadline_in(0);

	if (!may_read_jit(e))
		return;
	perfmap_resolve(jitfd, &q, 1);
	has_read_jit(e, began);
	l->at.function = l->name = q.name;
	l->at.off = q.vaddr - q.start;
}

/* The way of many signals a second: no target, one symbol. */
static void
name_alone(struct segv_resolved *l, struct segv_resolver *e,
    const struct maptrack_view *v, struct segv_place *p)
{
	struct map *m = maps_find(v->maps, v->n, p->addr);
	struct elfsym_query q = {0};
	const char *note;
	struct modfile *f;

	if (m == NULL)
		return;
	if (*m->name != '\0')
		p->module = m->name;
	if (map_is_made(m)) {
		if (v->jitfd != NULL && (m->prot & MAP_X))
			name_made(l, e, *v->jitfd);
		return;
	}
	f = v->files != NULL ? v->files[m - v->maps] : NULL;
	if (f == NULL || f->fd == -1)
		f = l->held = modcache_get(e->cache, m, v->roots, v->nroots);
	if (f == NULL || f->fd == -1 || file_vaddr(f, m, p) == -1)
		return;
	p->id = f->id;
	p->idlen = f->idlen;
	q.vaddr = p->vaddr;
	if (!symcache_get(modcache_symbols(e->cache), f->serial, &q)) {
		elfsym_resolve_all(f->fd, f->id, f->idlen, &q, 1, &note);
		symcache_put(modcache_symbols(e->cache), f->serial, &q);
	}
	p->function = l->name = q.name;
	p->off = q.vaddr - q.start;
}

static void
name_in_target(
    struct segv_resolved *l, struct segv_resolver *e, struct segv_place *p)
{
	struct symbol s;
	struct map *m;

	if (p->addr >= KERNEL_SPACE && target_map(&l->t, p->addr) == NULL) {
		name_kernel(e, p);
		return;
	}
	symbols_frame(l->sy, p->addr, p->flags, &s);
	p->function = s.name;
	p->off = s.off;
	if (s.mod == NULL) {
		m = target_map(&l->t, p->addr);
		if (m != NULL && *m->name != '\0')
			p->module = m->name;
		return;
	}
	p->module = s.mod->path;
	p->vaddr = s.vaddr;
	p->have_vaddr = s.mod->headers == MODULE_YES;
	p->id = s.mod->id;
	p->idlen = s.mod->idlen;
}

/* --- the stack -------------------------------------------------------------
 */

static void
judge(struct segv_resolved *l, int has_frames)
{
	const struct trace *tr = &l->t.threads[0].trace;
	struct sample_verdict v = {SAMPLE_DOUBTFUL, ""};
	enum segv_page_state page;

	if (!has_frames) {
		snprintf(v.why, sizeof(v.why), "%s",
		    l->ev->regs.n == 0 ? "no registers" : "unable to unwind");
	} else {
		sample_judge(&l->t, &v);
		page = segv_event_page(l->ev, tr->missing);
		if (v.quality == SAMPLE_TRUNCATED && l->ev->npages == 0 &&
		    l->ev->pages_lost == 0)
			snprintf(v.why, sizeof(v.why),
			    "nothing could be copied at sp 0x%" PRIx64,
			    l->ev->sp);
		else if (v.quality == SAMPLE_TRUNCATED && tr->unreadable &&
		    page == SEGV_PAGE_LOST)
			snprintf(v.why, sizeof(v.why),
			    "the ring buffer was full: page 0x%" PRIx64
			    " of the stack was lost",
			    tr->missing - tr->missing % SEGV_PAGE);
		if (v.quality != SAMPLE_DOUBTFUL && tr->n > l->opts->depth) {
			v.quality = SAMPLE_TRUNCATED;
			snprintf(v.why, sizeof(v.why),
			    "%zu of %zu%s frames shown", l->opts->depth, tr->n,
			    tr->stop[0] != '\0' ? " and more" : "");
		}
	}
	l->stack = v.quality == SAMPLE_RELIABLE ? SEGV_STACK_RELIABLE
	    : v.quality == SAMPLE_TRUNCATED	? SEGV_STACK_TRUNCATED
						: SEGV_STACK_DOUBTFUL;
	snprintf(l->why, sizeof(l->why), "%s", v.why);
}

static int
wants_signature(const struct segv_resolved *l)
{
	return l->opts->stack || l->opts->sign == 2 ||
	    (l->opts->sign == 1 && l->ev->kind == SEGV_FATAL);
}

/* At least as many frames as the signature is made of: whatever is shown, it
 * must be the same. */
static int
unwind(struct segv_resolved *l)
{
	struct unwind_limits lim = {
	    .deadline = deadline_in(UNWIND_MS), .head = 1, .frames = 1};
	struct unwinder *u;
	int r;

	if (l->t.threads[0].regs.n == 0 || (u = unwind_new(&l->t)) == NULL)
		return -1;
	if (wants_signature(l)) {
		lim.head = l->opts->stack ? l->opts->depth : 0;
		if (lim.head < SIGNATURE_FRAMES)
			lim.head = SIGNATURE_FRAMES;
		lim.frames = lim.head;
	}
	r = unwind_thread(u, &l->t.threads[0], &lim);
	unwind_free(u);
	return r;
}

static int
name_frames(struct segv_resolved *l, struct segv_resolver *e)
{
	const struct trace *tr = &l->t.threads[0].trace;
	int64_t began = deadline_in(0);
	size_t i;

	for (i = 0; i < tr->n; i++)
		if (symbols_add(
			l->sy, tr->f[i].pc, tr->f[i].flags & FRAME_EXACT) == -1)
			return -1;
	if (symbols_add(l->sy, l->at.addr, 1) == -1 || symbols_run(l->sy) == -1)
		return -1;
	if (l->t.jitfd != -1)
		has_read_jit(e, began);
	name_in_target(l, e, &l->at);
	if (!l->opts->stack || tr->n == 0)
		return 0;
	l->nframes = tr->n < l->opts->depth ? tr->n : l->opts->depth;
	l->frame = calloc(l->nframes, sizeof(*l->frame));
	if (l->frame == NULL)
		return -1;
	for (i = 0; i < l->nframes; i++) {
		l->frame[i].addr = tr->f[i].pc;
		l->frame[i].flags = tr->f[i].flags;
		name_in_target(l, e, &l->frame[i]);
	}
	return 0;
}

/* --- the fault -------------------------------------------------------------
 */

/* What report/cause.c asks of a core, from the event. */
static void
find_cause(struct segv_resolved *l)
{
	const struct segv_event *ev = l->ev;
	struct core_head h = {.have_siginfo = (ev->have & SEGV_HAVE_INFO) != 0,
	    .signo = ev->signo,
	    .sicode = ev->code,
	    .siaddr = ev->addr,
	    .sipid = ev->sender_pid,
	    .siuid = (int)ev->sender_uid,
	    .have_psinfo = 1,
	    .pspid = ev->have & SEGV_HAVE_NS ? ev->nspid : ev->pid};
	struct crash c;

	if (ev->forced) { /* in the words of the fault before */
		h.sicode = ev->error_code & 1 ? SEGV_ACCERR : SEGV_MAPERR;
		h.siaddr = ev->fault_addr;
	}
	c = (struct crash){.t = &l->t,
	    .head = &h,
	    .signo = ev->signo,
	    .access = l->access,
	    .sampled = 1};

	fault_find(&l->fault, &c, l->sy);
	snprintf(l->cause, sizeof(l->cause), "%s", l->fault.text);
	l->access = l->fault.access;
	/* of a general protection fault the kernel tells no address */
	if (!l->have_addr && l->fault.have_addr) {
		l->addr = l->fault.addr;
		l->have_addr = 1;
	}
}

/* The kernel names the last component alone. */
static const char *
full_name(struct segv_resolved *l, const struct maptrack_view *v)
{
	const struct segv_event *ev = l->ev;
	const struct map *m;
	size_t i;

	if (ev->vma.ino == 0)
		return ev->sp >= ev->vma.start && ev->sp < ev->vma.end
		    ? "[stack]"
		    : "";
	m = l->sy != NULL ? target_map(&l->t, ev->vma.start) : NULL;
	if (m != NULL && segv_is_path(m->name, &ev->vma))
		return m->name;
	for (i = 0; i < v->n; i++)
		if (segv_is_path(v->maps[i].name, &ev->vma))
			return v->maps[i].name;
	return ev->vma.name;
}

/* The kernel's word, else what was tracked. */
static void
find_mapping(struct segv_resolved *l, const struct maptrack_view *v)
{
	const struct segv_event *ev = l->ev;
	struct segv_mapping *out = &l->map;
	const struct map *m;

	if (ev->have & SEGV_HAVE_VMA) {
		*out = (struct segv_mapping){1, ev->vma.start, ev->vma.end,
		    ev->vma.prot, full_name(l, v)};
		return;
	}
	/* what is tracked may have been unmapped */
	if (ev->vma_err == ENOENT || !l->have_addr ||
	    (ev->origin == SEGV_FROM_FAULT && ev->signo == SIGSEGV &&
		ev->code == SEGV_MAPERR))
		return;
	m = l->sy != NULL ? target_map(&l->t, l->addr)
			  : maps_find(v->maps, v->n, l->addr);
	if (m != NULL)
		*out = (struct segv_mapping){
		    1, m->start, m->end, m->prot, m->name};
}

/* --- all -------------------------------------------------------------------
 */

static int
look_closely(struct segv_resolved *l, struct segv_resolver *e,
    const struct maptrack_view *v)
{
	int unwound;

	l->sample = segv_sample_new(l->ev, v);
	if (l->sample != NULL && !may_read_jit(e))
		l->sample->s.jitfd = NULL;
	if (l->sample == NULL ||
	    target_sample_open(e->cache, &l->sample->s, &l->t) == -1 ||
	    (l->sy = symbols_new(&l->t)) == NULL)
		return -1;
	unwound = unwind(l) == 0;
	if (name_frames(l, e) == -1)
		return -1;
	find_cause(l);
	if (!wants_signature(l))
		return 0;
	judge(l, unwound);
	if (l->t.threads[0].trace.n > 0)
		crash_signature(&l->t, l->sy, l->ev->signo, l->fault.overflow,
		    l->signature);
	return 0;
}

void
segv_moment(
    struct segv_resolver *e, struct timespec when, struct segv_moment *out)
{
	struct tm tm;

	if (e->stamp[0] == '\0' || e->second != when.tv_sec) {
		e->second = when.tv_sec;
		if (gmtime_r(&e->second, &tm) == NULL ||
		    strftime(e->stamp, sizeof(e->stamp), "%Y-%m-%d %H:%M:%S",
			&tm) == 0)
			snprintf(e->stamp, sizeof(e->stamp), "%lld",
			    (long long)e->second);
	}
	out->time = when;
	memcpy(out->stamp, e->stamp, sizeof(out->stamp));
}

int
segv_resolve(struct segv_resolved *l, struct segv_resolver *e,
    const struct segv_seen *seen)
{
	const struct segv_event *ev = seen->ev;
	const struct maptrack_view *v = seen->v;
	/* the instruction must be decoded to know the address */
	int protection = ev->origin == SEGV_FROM_KERNEL &&
	    (ev->signo == SIGSEGV || ev->signo == SIGBUS);
	struct segv_moment moment;
	int r = 0;

	memset(l, 0, sizeof(*l));
	target_init(&l->t);
	l->ev = ev;
	l->opts = &e->opts;
	l->cache = e->cache;
	l->time = seen->when;
	segv_moment(e, seen->when, &moment);
	memcpy(l->stamp, moment.stamp, sizeof(l->stamp));
	l->addr = ev->addr;
	l->have_addr = ev->has_addr;
	l->access = ev->access & (SEGV_READ | SEGV_WRITE | SEGV_EXEC);
	if (ev->forced) {
		l->addr = ev->fault_addr;
		l->have_addr = 1;
	}
	l->exe = v->exe != NULL && *v->exe != '\0' ? v->exe : ev->exe;
	l->at.addr = ev->pc;
	l->at.flags = FRAME_EXACT;
	if (wants_signature(l) || e->opts.detail || protection)
		r = look_closely(l, e, v);
	else if (ev->pc >= KERNEL_SPACE)
		name_kernel(e, &l->at);
	else
		name_alone(l, e, v, &l->at);
	find_mapping(l, v);
	l->cgroup = seen->cgroup;
	l->cmdline = seen->cmdline;
	l->cmdlen = seen->cmdlen;
	l->cmdline_cut = seen->cmdcut;
	return r;
}

void
segv_resolved_free(struct segv_resolved *l)
{
	fault_free(&l->fault);
	symbols_free(l->sy);
	target_free(&l->t);
	segv_sample_free(l->sample);
	if (l->held != NULL)
		modfile_release(l->cache, l->held);
	free(l->frame);
	free(l->name);
}
