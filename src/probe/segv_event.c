#include "probe/segv_event.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "probe/segv_decode.h"

enum { FREE_MAX = 64 }; /* released events kept for the next */

struct segv_feed {
	/* by the order of their headers; the first that has all goes out */
	struct segv_event *head, **tail;
	size_t waiting, max;
	int flushing;
	struct segv_event *free;
	size_t nfree;
	struct segv_feed_stats st;
};

struct segv_feed *
segv_feed_new(size_t max_waiting)
{
	struct segv_feed *f = calloc(1, sizeof(*f));

	if (f != NULL) {
		f->tail = &f->head;
		f->max = max_waiting > 0 ? max_waiting : 1;
	}
	return f;
}

static void
event_free(struct segv_event *e)
{
	size_t i;

	for (i = 0; i < SEGV_PAGES_MAX; i++)
		free(e->page[i].p);
	free(e);
}

static void
list_free(struct segv_event *e)
{
	struct segv_event *next;

	for (; e != NULL; e = next) {
		next = e->next;
		event_free(e);
	}
}

void
segv_feed_free(struct segv_feed *f)
{
	if (f == NULL)
		return;
	list_free(f->head);
	list_free(f->free);
	free(f);
}

void
segv_feed_release(struct segv_feed *f, struct segv_event *e)
{
	size_t i;

	if (f->nfree == FREE_MAX) {
		event_free(e);
		return;
	}
	/* one page buffer stays with it: most stacks are that small */
	for (i = 2; i < SEGV_PAGES_MAX; i++) {
		free(e->page[i].p);
		e->page[i].p = NULL;
	}
	e->next = f->free;
	f->free = e;
	f->nfree++;
}

/* All zero but for the page buffers it has already. */
static struct segv_event *
event_new(struct segv_feed *f)
{
	struct segv_page page[SEGV_PAGES_MAX];
	struct segv_event *e = f->free;

	if (e == NULL)
		return calloc(1, sizeof(*e));
	f->free = e->next;
	f->nfree--;
	memcpy(page, e->page, sizeof(page));
	memset(e, 0, sizeof(*e));
	memcpy(e->page, page, sizeof(page));
	return e;
}

/* --- the feed
 * ------------------------------------------------------------------- */

static int
put_event(struct segv_feed *f, const void *p, size_t len)
{
	struct segv_event *e = event_new(f);

	if (e == NULL)
		return -1;
	if (segv_decode(e, p, len) == -1) {
		segv_feed_release(f, e);
		return fails(EBADMSG);
	}
	e->next = NULL;
	*f->tail = e;
	f->tail = &e->next;
	f->waiting++;
	return 0;
}

/* Pages come by rising address; e->want has the bits of those to come. */
static int
put_page(struct segv_feed *f, const void *p)
{
	struct segv_rec_page h;
	struct segv_event *e;
	size_t head = offsetof(struct segv_rec_page, data), i;
	uint64_t bit, id;

	memcpy(&h, p, head);
	for (e = f->head; e != NULL; e = e->next) {
		id = (uint64_t)(uint32_t)e->pid << 32 | (uint32_t)e->tid;
		if (id == h.rec.pid_tgid && e->time == h.rec.time)
			break;
	}
	if (e == NULL) {
		f->st.orphans++;
		return 0;
	}
	if (h.addr % SEGV_PAGE != 0 || h.addr < e->stack_lo ||
	    h.addr >= e->stack_hi)
		return fails(EBADMSG);
	bit = 1ull << (h.addr - e->stack_lo) / SEGV_PAGE;
	if (!(e->want & bit))
		return fails(EBADMSG);
	i = e->npages;
	if (e->page[i].p == NULL && (e->page[i].p = malloc(SEGV_PAGE)) == NULL)
		return -1;
	memcpy(e->page[i].p, (const unsigned char *)p + head, SEGV_PAGE);
	e->page[i].addr = h.addr;
	e->npages++;
	e->want &= ~bit;
	f->st.pages++;
	return 0;
}

int
segv_feed_put(struct segv_feed *f, const void *p, size_t len)
{
	struct segv_rec r;
	int done = -1;

	errno = EBADMSG;
	if (len >= sizeof(r)) {
		memcpy(&r, p, sizeof(r));
		if (r.magic == SEGV_MAGIC && r.type == SEGV_REC_EVENT)
			done = put_event(f, p, len);
		else if (r.magic == SEGV_MAGIC && r.type == SEGV_REC_PAGE &&
		    len == sizeof(struct segv_rec_page))
			done = put_page(f, p);
	}
	if (done == -1 && errno == EBADMSG)
		f->st.bad++;
	return done;
}

struct segv_event *
segv_feed_get(struct segv_feed *f)
{
	struct segv_event *e = f->head;
	size_t i, k;
	struct segv_page t;

	if (e == NULL || (e->want != 0 && !f->flushing && f->waiting <= f->max))
		return NULL;
	if ((f->head = e->next) == NULL)
		f->tail = &f->head;
	f->waiting--;
	e->next = NULL;
	f->st.events++;
	e->pages_missing = segv_bits(e->want);
	if (e->pages_missing > 0)
		f->st.partial++;
	/* already in order, unless somebody forged them */
	for (i = 1; i < e->npages; i++)
		for (k = i; k > 0 && e->page[k - 1].addr > e->page[k].addr;
		     k--) {
			t = e->page[k];
			e->page[k] = e->page[k - 1];
			e->page[k - 1] = t;
		}
	return e;
}

void
segv_feed_flush(struct segv_feed *f)
{
	f->flushing = 1;
}

void
segv_feed_get_stats(const struct segv_feed *f, struct segv_feed_stats *st)
{
	*st = f->st;
}

size_t
segv_event_read(const struct segv_event *e, uint64_t addr, void *to, size_t len)
{
	size_t i, n, off, done = 0;

	for (i = 0; i < e->npages && done < len; i++) {
		if (addr < e->page[i].addr)
			break;
		off = (size_t)(addr - e->page[i].addr);
		if (off >= SEGV_PAGE)
			continue;
		n = SEGV_PAGE - off;
		n = n < len - done ? n : len - done;
		memcpy((unsigned char *)to + done, e->page[i].p + off, n);
		done += n;
		addr += n;
	}
	return done;
}

enum segv_page_state
segv_event_page(const struct segv_event *e, uint64_t addr)
{
	unsigned char c;
	uint64_t bit;

	if (addr < e->stack_lo || addr >= e->stack_hi)
		return SEGV_PAGE_OUT;
	if (segv_event_read(e, addr, &c, 1) == 1)
		return SEGV_PAGE_HAVE;
	bit = 1ull << (addr - e->stack_lo) / SEGV_PAGE;
	return e->none & bit ? SEGV_PAGE_NONE : SEGV_PAGE_LOST;
}
