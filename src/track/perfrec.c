#include "track/perfrec.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <string.h>
#include <sys/mman.h>

#include "base/bytes.h"

/* Since Linux 5.12; headers of distributions may be older. */
#ifndef PERF_RECORD_MISC_MMAP_BUILD_ID
#define PERF_RECORD_MISC_MMAP_BUILD_ID (1 << 14)
#endif

/* Offsets from the start of the record. */
enum {
	IDS = 8, /* pid, tid; of FORK and EXIT pid, ppid, tid, ptid */
	TASK_TIME = 24,
	TASK_SIZE = 32,
	COMM_TEXT = 16,
	LOST_COUNT = 16,
	LOST_SIZE = 24,
	MMAP_ADDR = 16,
	MMAP_LEN = 24,
	MMAP_OFF = 32,
	MMAP_MAJOR = 40,
	MMAP_MINOR = 44,
	MMAP_INODE = 48,
	MMAP_IDLEN = 40, /* instead of those three */
	MMAP_ID = 44,
	MMAP_PROT = 64,
	MMAP_FLAGS = 68,
	MMAP_NAME = 72,
	TRAILER = 8
};

/* A string that ends before end, or NULL. */
static const char *
text(const unsigned char *p, const unsigned char *end)
{
	return p < end && memchr(p, '\0', (size_t)(end - p)) != NULL
	    ? (const char *)p
	    : NULL;
}

static int
decode_mmap(const unsigned char *p, const unsigned char *end, unsigned misc,
    struct perfrec *r)
{
	struct map *m = &r->map;
	const char *name;
	uint32_t prot;

	if (end - p < MMAP_NAME || (name = text(p + MMAP_NAME, end)) == NULL)
		return -1;
	m->start = get64(p + MMAP_ADDR);
	m->end = m->start + get64(p + MMAP_LEN);
	if (m->end <= m->start)
		return -1;
	m->off = get64(p + MMAP_OFF);
	m->module = -1;
	if (!(misc & PERF_RECORD_MISC_MMAP_BUILD_ID)) {
		m->dev = (uint64_t)get32(p + MMAP_MAJOR) << 32 |
		    get32(p + MMAP_MINOR);
		m->ino = get64(p + MMAP_INODE);
	} else if (p[MMAP_IDLEN] >= 1 && p[MMAP_IDLEN] <= MAP_ID_MAX) {
		m->idlen = p[MMAP_IDLEN];
		memcpy(m->id, p + MMAP_ID, m->idlen);
	}
	prot = get32(p + MMAP_PROT);
	m->prot = (prot & PROT_READ ? MAP_R : 0) |
	    (prot & PROT_WRITE ? MAP_W : 0) | (prot & PROT_EXEC ? MAP_X : 0) |
	    (get32(p + MMAP_FLAGS) & MAP_SHARED ? MAP_S : 0);
	/* what the kernel calls memory without a file (perf_event_mmap_event),
	 * but not a file whose name it could not make out */
	m->name = strcmp(name, "//anon") == 0 ? "" : name;
	r->type = PERFREC_MMAP;
	return 0;
}

int
perfrec_decode(const void *record, size_t len, struct perfrec *r)
{
	const unsigned char *p = record, *end;
	struct perf_event_header h;

	memset(r, 0, sizeof(*r));
	if (len < sizeof(h) + TRAILER)
		return fails(EBADMSG);
	memcpy(&h, p, sizeof(h));
	if (h.size != len)
		return fails(EBADMSG);
	end = p + len - TRAILER;
	r->time = get64(end);
	if (len >= sizeof(h) + 8 + TRAILER) {
		r->pid = (pid_t)get32(p + IDS);
		r->tid = (pid_t)get32(p + IDS + 4);
	}
	switch (h.type) {
	case PERF_RECORD_MMAP2:
		if (decode_mmap(p, end, h.misc, r) == -1)
			return fails(EBADMSG);
		break;
	case PERF_RECORD_COMM:
		if (end - p < COMM_TEXT ||
		    (r->comm = text(p + COMM_TEXT, end)) == NULL)
			return fails(EBADMSG);
		r->type = h.misc & PERF_RECORD_MISC_COMM_EXEC ? PERFREC_EXEC
							      : PERFREC_COMM;
		break;
	case PERF_RECORD_FORK:
	case PERF_RECORD_EXIT:
		if (end - p < TASK_SIZE)
			return fails(EBADMSG);
		r->ppid = r->tid;
		r->tid = (pid_t)get32(p + IDS + 8);
		r->ptid = (pid_t)get32(p + IDS + 12);
		r->time = get64(p + TASK_TIME);
		r->type =
		    h.type == PERF_RECORD_FORK ? PERFREC_FORK : PERFREC_EXIT;
		break;
	case PERF_RECORD_LOST:
		if (end - p < LOST_SIZE)
			return fails(EBADMSG);
		r->lost = get64(p + LOST_COUNT);
		r->type = PERFREC_LOST;
		break;
	default:
		return 0;
	}
	/* pid 0 or -1: the kernel's own, or not in our pid namespace */
	if (r->type != PERFREC_LOST && r->pid <= 0)
		r->type = PERFREC_OTHER;
	return 0;
}
