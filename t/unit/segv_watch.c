/*
 * segv_watch: prints decoded events, one line of key=value each.
 *
 *	segv_watch [-afilqtvx] [-b BTF] [-c EVENTS] [-n NAME] [-N NAME] [-p PID]
 *	    [-P PID (hexadecimal)] [-r RATE]
 *	    [-R RINGBYTES] [-s SIGNALS] [-S SHARE] [-w PAGES]
 *
 * -t with stacks, -v with the mapping from the kernel, -x with the
 * executable's name, -i with the ids, -a all of these; -q prints no events; -f
 *only what ends a process, -l only what does not; -N and -P are not to be told.
 * SIGNALS is a list of numbers.  Ends after EVENTS of them, or with SIGTERM or
 * SIGINT: what is in the ring is printed first, the counts are the last line
 * of stderr.  Exits 111 with one line, and the verifier's log before it, when
 * it cannot.
 *
 * It shows how the room bpf is meant to be used: wait on the ring without
 * end, let 2 ms pass, drain.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/args.h"
#include "base/msg.h"
#include "probe/segv_event.h"
#include "probe/segv_probe.h"

static volatile sig_atomic_t stop;
static int quiet;
static uint64_t shown, most = UINT64_MAX;

static void
on_signal(int signo)
{
	(void)signo;
	stop = 1;
}

static void
put_name(const char *key, const char *s, int cut)
{
	printf(" %s=", key);
	for (; *s != '\0'; s++)
		if (*s > ' ' && *s < 127 && *s != '\\')
			putchar(*s);
		else
			printf("\\x%02x", (unsigned char)*s);
	if (cut)
		printf("...");
}

static void
put_event(const struct segv_event *e)
{
	static const char *const origin[] = {
	    "unknown", "fault", "kernel", "user"};
	const struct arch *a = arch_find(e->machine);
	size_t i;

	printf("time=%" PRIu64 ".%09" PRIu64 " pid=%d tid=%d uid=%u gid=%u",
	    e->time / 1000000000, e->time % 1000000000, (int)e->pid,
	    (int)e->tid, (unsigned)e->uid, (unsigned)e->gid);
	put_name("comm", e->comm, 0);
	printf(" kind=%s", e->kind == SEGV_FATAL ? "fatal" : "lives");
	printf(
	    " sig=%d code=%d origin=%s", e->signo, e->code, origin[e->origin]);
	if (e->has_addr)
		printf(" addr=0x%" PRIx64, e->addr);
	if (e->origin == SEGV_FROM_USER)
		printf(" sender=%d sender_uid=%u", (int)e->sender_pid,
		    (unsigned)e->sender_uid);
	if (e->have & SEGV_HAVE_ACTION)
		printf(" handler=0x%" PRIx64 " flags=0x%" PRIx64, e->handler,
		    e->sa_flags);
	if (e->fault_valid)
		printf(" error=0x%" PRIx64 " trap=%" PRIu64, e->error_code,
		    e->trap_nr);
	if (e->access != 0)
		printf(" access=%s%s%s%s%s", e->access & SEGV_READ ? "r" : "",
		    e->access & SEGV_WRITE ? "w" : "",
		    e->access & SEGV_EXEC ? "x" : "",
		    e->access & SEGV_PRESENT ? ",present" : "",
		    e->access & SEGV_PKEY ? ",pkey" : "");
	if (e->have & SEGV_HAVE_LEADER) {
		put_name("leader", e->leader, 0);
		printf(" start=%" PRIu64, e->start);
	}
	if (e->have & SEGV_HAVE_EXE)
		put_name("exe", e->exe, e->exe_cut);
	if (e->have & SEGV_HAVE_NS)
		printf(" nspid=%d nstid=%d pidns=%u level=%u", (int)e->nspid,
		    (int)e->nstid, e->pidns, e->nslevel);
	if (e->have & SEGV_HAVE_CGROUP)
		printf(" cgroup=%" PRIu64, e->cgroup);
	if (e->have & SEGV_HAVE_VMA) {
		printf(" vma=%" PRIx64 "-%" PRIx64 " prot=%u off=%" PRIx64
		       " dev=%" PRIx64 ":%" PRIx64 " ino=%" PRIu64,
		    e->vma.start, e->vma.end, e->vma.prot, e->vma.off,
		    e->vma.dev >> 32, e->vma.dev & 0xffffffff, e->vma.ino);
		put_name("map", e->vma.name, e->vma.name_cut);
	} else {
		printf(" vma=%s",
		    e->vma_err == ENOENT      ? "none"
			: e->vma_err == EBUSY ? "busy"
					      : "-");
	}
	for (i = 0; a != NULL && i < a->nreg; i++)
		if ((size_t)a->reg[i].greg < e->regs.n)
			printf(" %s=0x%" PRIx64, a->reg[i].name,
			    e->regs.r[a->reg[i].greg]);
	if (e->have & SEGV_HAVE_STACK) {
		printf(" stack=%" PRIx64 "-%" PRIx64
		       " whole=%d have=%zu none=%u lost=%u missing=%u",
		    e->stack_lo, e->stack_hi, e->stack_whole, e->npages,
		    e->pages_none, e->pages_lost, e->pages_missing);
		if (e->npages > 0)
			printf(" first=%" PRIx64 " last=%" PRIx64,
			    e->page[0].addr, e->page[e->npages - 1].addr);
	}
	putchar('\n');
}

static void
drain(struct segv_probe *p, struct segv_feed *f)
{
	struct segv_event *e;
	const void *rec;
	enum segv_kind kind;
	size_t len;
	int r;

	while (
	    shown < most && (r = segv_probe_next(p, &rec, &len, &kind)) != 0) {
		if (r == -1)
			msg_die_sys(EXIT_SYSTEM, "unable to read the ring");
		if (segv_feed_put(f, rec, len) == -1)
			msg_warn_sys("unable to take a record");
		while (shown < most && (e = segv_feed_get(f)) != NULL) {
			shown++;
			if (!quiet)
				put_event(e);
			segv_feed_release(f, e);
		}
	}
	if (!quiet)
		fflush(stdout);
}

static void
wait_for_events(struct segv_probe *p)
{
	static const struct timespec lazy = {0, 2000000};
	struct pollfd pfd = {p->pollfd, POLLIN, 0};
	sigset_t none;

	sigemptyset(&none);
	if (ppoll(&pfd, 1, NULL, &none) == 1)
		nanosleep(&lazy, NULL);
}

static void
summary(const struct segv_probe *p, const struct segv_feed *f)
{
	struct segv_feed_stats st;
	struct segv_counts c;

	segv_feed_get_stats(f, &st);
	if (segv_probe_counts(p, &c, NULL) == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to read the counts");
	fprintf(stderr,
	    "seen=%" PRIu64 " sent=%" PRIu64 " dropped=%" PRIu64
	    " limited=%" PRIu64 " shared=%" PRIu64 " named=%" PRIu64
	    " pages=%" PRIu64 " pages_lost=%" PRIu64 " no_info=%" PRIu64
	    " no_regs=%" PRIu64 " no_vma=%" PRIu64 " missed=%" PRIu64
	    " events=%" PRIu64 " got_pages=%" PRIu64 " bad=%" PRIu64
	    " orphans=%" PRIu64 " partial=%" PRIu64 " most=%" PRIu64 "\n",
	    c.seen, c.sent, c.dropped, c.limited, c.shared, c.named, c.pages,
	    c.pages_lost, c.no_info, c.no_regs, c.no_vma, c.missed, st.events,
	    st.pages, st.bad, st.orphans, st.partial,
	    p->ring[SEGV_LIVES].most + p->ring[SEGV_FATAL].most);
}

static uint64_t
signal_list(char *arg)
{
	uint64_t set = 0;
	char *s;

	for (s = strtok(arg, ","); s != NULL; s = strtok(NULL, ","))
		set |= 1ull << (args_number("option -s", s, 1, 64) - 1);
	return set;
}

int
main(int argc, char **argv)
{
	struct segv_probe_opts o = {.want = 0};
	struct sigaction sa = {.sa_handler = on_signal};
	struct segv_probe p;
	struct segv_feed *f;
	sigset_t block;
	int c;

	msg_init("segv_watch");
	while (
	    (c = getopt(argc, argv, "ab:c:filn:N:p:P:qr:R:s:S:tvw:x")) != -1) {
		switch (c) {
		case 'a':
			o.want |= SEGV_WANT_ALL;
			break;
		case 'b':
			o.btf = optarg;
			break;
		case 'c':
			most = args_number("option -c", optarg, 1, UINT64_MAX);
			break;
		case 'i':
			o.want |= SEGV_WANT_IDS;
			break;
		case 'n':
			o.names.of[o.names.n++ % SEGV_LIST_MAX] = optarg;
			break;
		case 'f':
			o.only = SEGV_ONLY_FATAL;
			break;
		case 'l':
			o.only = SEGV_ONLY_HANDLED;
			break;
		case 'N':
			o.not_names.of[o.not_names.n++ % SEGV_LIST_MAX] =
			    optarg;
			break;
		case 'P':
			o.not_pids.of[o.not_pids.n++ % SEGV_LIST_MAX] =
			    (pid_t)strtol(optarg, NULL, 16);
			break;
		case 'p':
			o.pids.n = 1;
			o.pids.of[0] = (pid_t)args_number(
			    "option -p", optarg, 1, INT32_MAX);
			break;
		case 'q':
			quiet = 1;
			break;
		case 'r':
			o.rate =
			    args_number("option -r", optarg, 1, SEGV_RATE_MAX);
			break;
		case 'R':
			o.ring_size =
			    args_number("option -R", optarg, 1, SEGV_RING_MAX);
			break;
		case 's':
			o.signals = signal_list(optarg);
			break;
		case 'S':
			o.share =
			    args_number("option -S", optarg, 1, SEGV_RATE_MAX);
			break;
		case 't':
			o.want |= SEGV_WANT_STACK;
			break;
		case 'v':
			o.want |= SEGV_WANT_VMA;
			break;
		case 'w':
			o.stack_pages = (unsigned)args_number(
			    "option -w", optarg, 1, SEGV_PAGES_MAX);
			break;
		case 'x':
			o.want |= SEGV_WANT_EXE;
			break;
		default:
			msg_usage("[-afilqtvx] [-b BTF] [-c EVENTS] "
				  "[-n NAME] [-N NAME] [-p PID] [-P PID] "
				  "[-r RATE] [-R BYTES] [-s SIGNALS] "
				  "[-S SHARE] [-w PAGES]");
		}
	}
	sigemptyset(&block);
	sigaddset(&block, SIGTERM);
	sigaddset(&block, SIGINT);
	sigprocmask(SIG_BLOCK, &block, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	if (segv_probe_open(&p, &o) == -1) {
		if (p.log != NULL)
			fprintf(stderr, "%s\n", p.log);
		msg_die(
		    errno == EINVAL ? EXIT_USAGE : EXIT_SYSTEM, "%s", p.why);
	}
	if (*p.lacks != '\0')
		msg_warn("going without %s", p.lacks);
	if ((f = segv_feed_new(1024)) == NULL)
		msg_die_sys(EXIT_SYSTEM, "unable to begin");
	fprintf(stderr, "ready insns=%u have=0x%x\n", p.insns, p.have);
	while (!stop && shown < most) {
		wait_for_events(&p);
		drain(&p, f);
	}
	segv_probe_detach(&p);
	drain(&p, f);
	segv_feed_flush(f);
	drain(&p, f);
	summary(&p, f);
	segv_feed_free(f);
	segv_probe_close(&p);
	return EXIT_DONE;
}
