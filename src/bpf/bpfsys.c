#include "bpf/bpfsys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/io.h"

enum {
	LOG_FIRST = 64 << 10,
	LOG_MAX = 16 << 20,
	LOAD_TRIES = 5 /* EAGAIN: a signal while it was verified */
};

static int
sys_bpf(int cmd, union bpf_attr *attr, size_t size)
{
	return (int)syscall(SYS_bpf, cmd, attr, size);
}

static int
cloexec(int fd)
{
	/* all but raw_tracepoint_open do so themselves */
	if (fd != -1 && fcntl(fd, F_SETFD, FD_CLOEXEC) == -1)
		io_close(&fd);
	return fd;
}

static void
name_it(char *to, const char *name)
{
	memset(to, 0, BPF_OBJ_NAME_LEN);
	memccpy(to, name, '\0', BPF_OBJ_NAME_LEN - 1);
}

/* Before 5.11 maps and programs are charged to RLIMIT_MEMLOCK; where it may
 * not be raised it may still be enough, so failing is no error. */
static void
raise_memlock(void)
{
	static int done;
	struct rlimit r = {RLIM_INFINITY, RLIM_INFINITY};

	if (!done++)
		setrlimit(RLIMIT_MEMLOCK, &r);
}

int
bpfsys_map(unsigned type, unsigned key, unsigned value, unsigned entries,
    const char *name)
{
	union bpf_attr a;

	memset(&a, 0, sizeof(a));
	a.map_type = type;
	a.key_size = key;
	a.value_size = value;
	a.max_entries = entries;
	name_it(a.map_name, name);
	raise_memlock();
	return cloexec(sys_bpf(BPF_MAP_CREATE, &a, sizeof(a)));
}

int
bpfsys_lookup(int mapfd, const void *key, void *value)
{
	union bpf_attr a;

	memset(&a, 0, sizeof(a));
	a.map_fd = (uint32_t)mapfd;
	a.key = (uintptr_t)key;
	a.value = (uintptr_t)value;
	return sys_bpf(BPF_MAP_LOOKUP_ELEM, &a, sizeof(a));
}

int
bpfsys_next(int mapfd, const void *key, void *next)
{
	union bpf_attr a;

	memset(&a, 0, sizeof(a));
	a.map_fd = (uint32_t)mapfd;
	a.key = (uintptr_t)key;
	a.next_key = (uintptr_t)next;
	return sys_bpf(BPF_MAP_GET_NEXT_KEY, &a, sizeof(a));
}

static int
load(const struct bpfsys_prog *p, char *log, size_t size)
{
	struct bpf_func_info *info = NULL;
	union bpf_attr a;
	unsigned i;
	int fd, tries;

	memset(&a, 0, sizeof(a));
	a.prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT;
	a.insn_cnt = (uint32_t)p->insns->n;
	a.insns = (uintptr_t)p->insns->insn;
	/* what probe_read_kernel and its kin ask of a program */
	a.license = (uintptr_t) "GPL";
	name_it(a.prog_name, p->name);
	if (p->nfuncs > 0) {
		if ((info = calloc(p->nfuncs, sizeof(*info))) == NULL)
			return -1;
		for (i = 0; i < p->nfuncs; i++) {
			info[i].insn_off = p->func[i].insn;
			info[i].type_id = p->func[i].type;
		}
		a.prog_btf_fd = (uint32_t)p->btffd;
		a.func_info = (uintptr_t)info;
		a.func_info_cnt = p->nfuncs;
		a.func_info_rec_size = sizeof(*info);
	}
	if (log != NULL) {
		log[0] = '\0';
		a.log_buf = (uintptr_t)log;
		a.log_size = (uint32_t)size;
		a.log_level = 1;
	}
	for (tries = 0; tries < LOAD_TRIES; tries++) {
		fd = sys_bpf(BPF_PROG_LOAD, &a, sizeof(a));
		if (fd != -1 || errno != EAGAIN)
			break;
	}
	tries = errno;
	free(info);
	errno = tries;
	return cloexec(fd);
}

int
bpfsys_load(const struct bpfsys_prog *p, char **log)
{
	size_t size;
	char *b;
	int fd, e;

	if (log != NULL)
		*log = NULL;
	raise_memlock();
	if ((fd = load(p, NULL, 0)) != -1 || log == NULL)
		return fd;
	e = errno;
	/* again, to hear why; a log that does not fit is ENOSPC */
	for (size = LOG_FIRST; size <= LOG_MAX; size *= 4) {
		if ((b = malloc(size)) == NULL)
			break;
		if ((fd = load(p, b, size)) != -1) {
			free(b);
			return fd;
		}
		if (errno != ENOSPC) {
			b[size - 1] = '\0';
			if (*b == '\0')
				free(b);
			else
				*log = b;
			break;
		}
		free(b);
	}
	return fails(e);
}

int
bpfsys_load_btf(const void *p, size_t n)
{
	union bpf_attr a;

	memset(&a, 0, sizeof(a));
	a.btf = (uintptr_t)p;
	a.btf_size = (uint32_t)n;
	return cloexec(sys_bpf(BPF_BTF_LOAD, &a, sizeof(a)));
}

int
bpfsys_attach(const char *tracepoint, int progfd)
{
	union bpf_attr a;

	memset(&a, 0, sizeof(a));
	a.raw_tracepoint.name = (uintptr_t)tracepoint;
	a.raw_tracepoint.prog_fd = (uint32_t)progfd;
	return cloexec(sys_bpf(BPF_RAW_TRACEPOINT_OPEN, &a, sizeof(a)));
}

uint64_t
bpfsys_misses(int progfd)
{
	struct bpf_prog_info info;
	union bpf_attr a;

	memset(&info, 0, sizeof(info));
	memset(&a, 0, sizeof(a));
	a.info.bpf_fd = (uint32_t)progfd;
	a.info.info_len = sizeof(info);
	a.info.info = (uintptr_t)&info;
	if (sys_bpf(BPF_OBJ_GET_INFO_BY_FD, &a, sizeof(a)) == -1)
		return 0;
	return info.recursion_misses;
}
