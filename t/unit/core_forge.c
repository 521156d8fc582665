/*
 * core_forge [-FHLRSTZ] core command [argument ...]
 *
 * Runs the command until a signal that dumps core and writes a core of it
 * instead of the kernel, as others write theirs:
 *
 *  -F  no NT_FILE (kernels before 3.7, qemu)
 *  -S  no NT_SIGINFO
 *  -T  no PT_LOAD for what is in a file unchanged (gdb's gcore), but for the
 *      mapping that begins with the file's header
 *  -Z  a PT_LOAD without contents for those instead (coredump_filter 0x23)
 *  -H  -T or -Z for the header's mapping as well
 *  -L  PT_NOTE and its contents last
 *  -R  PT_LOADs from the highest address down
 */
#include <elf.h>
#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/procfs.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "proc/maps.h"

static int nofile, nosiginfo, sparse, headerless, noteslast, reverse;
static int hollow;
static struct buf notes;

static void
note(uint32_t type, const void *p, size_t len)
{
	Elf64_Nhdr n = {5, (uint32_t)len, type};
	static const char zero[4];

	if (buf_append(&notes, &n, sizeof(n)) == -1 ||
	    buf_append(&notes, "CORE\0\0\0", 8) == -1 ||
	    buf_append(&notes, p, len) == -1 ||
	    buf_append(&notes, zero, (4 - len % 4) % 4) == -1)
		err(111, "memory");
}

static int
proc_open(pid_t pid, const char *what)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, what);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		err(111, "%s", path);
	return fd;
}

static void
slurp(pid_t pid, const char *what, struct buf *b)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, what);
	if (io_slurp(AT_FDCWD, path, 1 << 24, b, NULL) == -1)
		err(111, "%s", path);
}

/* Runs it to its signal; all its threads stand still then. */
static int
run(char **argv, pid_t *pid, pid_t *tid)
{
	int status, sig;

	*pid = fork();
	if (*pid == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		execvp(*argv, argv);
		err(111, "%s", *argv);
	}
	if (waitpid(*pid, &status, 0) == -1 || !WIFSTOPPED(status))
		errx(111, "%s did not start", *argv);
	ptrace(PTRACE_SETOPTIONS, *pid, 0,
	    PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL);
	*tid = *pid;
	for (sig = 0;;) {
		ptrace(PTRACE_CONT, *tid, 0, sig);
		*tid = waitpid(-1, &status, __WALL);
		if (*tid == -1)
			err(111, "%s ended without a core", *argv);
		sig = 0;
		if (!WIFSTOPPED(status)) {
			*tid = *pid;
			continue;
		}
		sig = WSTOPSIG(status);
		if (status >> 16 != 0 || sig == SIGTRAP || sig == SIGSTOP)
			sig = 0;
		else if (sig == SIGSEGV || sig == SIGBUS || sig == SIGABRT ||
		    sig == SIGFPE || sig == SIGILL)
			return sig;
	}
}

static void
thread(pid_t tid, int sig)
{
	struct elf_prstatus st = {.pr_pid = tid, .pr_cursig = (short)sig};
	struct iovec iov = {&st.pr_reg, sizeof(st.pr_reg)};

	st.pr_info.si_signo = sig;
	if (ptrace(PTRACE_GETREGSET, tid, NT_PRSTATUS, &iov) == -1)
		err(111, "registers of %d", (int)tid);
	note(NT_PRSTATUS, &st, sizeof(st));
}

static void
file_note(const struct map *m, size_t n)
{
	struct buf names = {0}, b = {0};
	uint64_t w[3] = {0, 1, 0};
	size_t i;

	buf_append(&b, w, 16);
	for (i = 0; i < n; i++) {
		if (*m[i].name != '/')
			continue;
		w[0] = m[i].start;
		w[1] = m[i].end;
		w[2] = m[i].off;
		buf_append(&b, w, sizeof(w));
		buf_append(&names, m[i].name, strlen(m[i].name) + 1);
	}
	w[0] = (b.len - 16) / sizeof(w);
	memcpy(b.p, w, 8);
	buf_append(&b, names.p, names.len);
	note(NT_FILE, b.p, b.len);
	buf_free(&b);
	buf_free(&names);
}

static void
all_notes(pid_t pid, pid_t tid, int sig, const struct map *m, size_t n)
{
	struct elf_prpsinfo ps = {.pr_pid = pid};
	struct buf auxv = {0}, comm = {0};
	siginfo_t si;

	slurp(pid, "comm", &comm);
	snprintf(ps.pr_fname, sizeof(ps.pr_fname), "%.*s", (int)comm.len - 1,
	    comm.p);
	thread(tid, sig);
	note(NT_PRPSINFO, &ps, sizeof(ps));
	if (!nosiginfo && ptrace(PTRACE_GETSIGINFO, tid, 0, &si) == 0)
		note(NT_SIGINFO, &si, sizeof(si));
	slurp(pid, "auxv", &auxv);
	note(NT_AUXV, auxv.p, auxv.len);
	if (!nofile)
		file_note(m, n);
	buf_free(&auxv);
	buf_free(&comm);
}

/* The bytes of a mapping, or NULL when it has none to read. */
static char *
contents(int memfd, const struct map *m)
{
	size_t len = m->end - m->start;
	char *p = malloc(len);

	if (p == NULL)
		err(111, "memory");
	if (io_pread_full(memfd, p, len, m->start) == (ssize_t)len)
		return p;
	free(p);
	return NULL;
}

/* Is it in its file as it is in memory? */
static int
unchanged(const struct map *m, const char *p)
{
	size_t len = m->end - m->start;
	char *q;
	int fd, same;

	if (*m->name != '/' || (m->prot & MAP_W))
		return 0;
	fd = open(m->name, O_RDONLY | O_CLOEXEC);
	q = calloc(1, len);
	same = fd != -1 && q != NULL &&
	    io_pread_full(fd, q, len, m->off) >= 0 && memcmp(p, q, len) == 0;
	free(q);
	if (fd != -1)
		close(fd);
	return same && (headerless || m->off != 0);
}

static void
put(int fd, const void *p, size_t len, uint64_t off)
{
	if (pwrite(fd, p, len, (off_t)off) != (ssize_t)len)
		err(111, "write");
}

static void
write_core(int fd, int memfd, const struct map *m, size_t n, int machine)
{
	Elf64_Ehdr e = {.e_type = ET_CORE,
	    .e_machine = (Elf64_Half)machine,
	    .e_version = EV_CURRENT,
	    .e_phoff = sizeof(e),
	    .e_ehsize = sizeof(e),
	    .e_phentsize = sizeof(Elf64_Phdr)};
	Elf64_Phdr *ph = calloc(n + 1, sizeof(*ph)), *l;
	uint64_t off = sizeof(e) + (n + 1) * sizeof(*ph);
	size_t i, k, nph = noteslast ? 0 : 1;
	char *p;
	int same;

	if (ph == NULL)
		err(111, "memory");
	memcpy(e.e_ident, ELFMAG, SELFMAG);
	e.e_ident[EI_CLASS] = ELFCLASS64;
	e.e_ident[EI_DATA] = ELFDATA2LSB;
	e.e_ident[EI_VERSION] = EV_CURRENT;
	if (!noteslast) {
		ph[0].p_offset = off;
		put(fd, notes.p, notes.len, off);
		off += notes.len;
	}
	for (i = 0; i < n; i++) {
		k = reverse ? n - 1 - i : i;
		p = contents(memfd, &m[k]);
		if (p == NULL)
			continue;
		same = (sparse || hollow) && unchanged(&m[k], p);
		if (same && sparse) {
			free(p);
			continue;
		}
		l = &ph[nph++];
		l->p_type = PT_LOAD;
		l->p_offset = off;
		l->p_vaddr = m[k].start;
		l->p_memsz = m[k].end - m[k].start;
		l->p_filesz = same ? 0 : l->p_memsz;
		l->p_flags = (m[k].prot & MAP_R ? PF_R : 0) |
		    (m[k].prot & MAP_W ? PF_W : 0) |
		    (m[k].prot & MAP_X ? PF_X : 0);
		put(fd, p, l->p_filesz, off);
		off += l->p_filesz;
		free(p);
	}
	if (noteslast) {
		l = &ph[nph++];
		l->p_offset = off;
		put(fd, notes.p, notes.len, off);
	} else {
		l = &ph[0];
	}
	l->p_type = PT_NOTE;
	l->p_filesz = notes.len;
	e.e_phnum = (Elf64_Half)nph;
	put(fd, &e, sizeof(e), 0);
	put(fd, ph, nph * sizeof(*ph), sizeof(e));
	free(ph);
}

int
main(int argc, char **argv)
{
	struct buf text = {0};
	struct map *maps;
	pid_t pid, tid;
	size_t n;
	int c, sig, fd;

	while ((c = getopt(argc, argv, "+FHLRSTZ")) != -1)
		switch (c) {
		case 'F':
			nofile = 1;
			break;
		case 'H':
			headerless = 1;
			break;
		case 'L':
			noteslast = 1;
			break;
		case 'R':
			reverse = 1;
			break;
		case 'S':
			nosiginfo = 1;
			break;
		case 'T':
			sparse = 1;
			break;
		case 'Z':
			hollow = 1;
			break;
		default:
			return 100;
		}
	if (argc - optind < 2)
		return 100;
	sig = run(argv + optind + 1, &pid, &tid);
	slurp(pid, "maps", &text);
	if (maps_parse(text.p, text.len, &maps, &n) == -1)
		err(111, "maps");
	all_notes(pid, tid, sig, maps, n);
	fd = open(argv[optind], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd == -1)
		err(111, "%s", argv[optind]);
#if defined(__aarch64__)
	write_core(fd, proc_open(pid, "mem"), maps, n, EM_AARCH64);
#else
	write_core(fd, proc_open(pid, "mem"), maps, n, EM_X86_64);
#endif
	kill(pid, SIGKILL);
	/* gone when this is: its file may be written again */
	while (waitpid(-1, NULL, __WALL) > 0)
		;
	printf("%d\n", (int)pid);
	free(maps);
	buf_free(&text);
	return 0;
}
