#include "elf/symcache.h"

#include <stdlib.h>
#include <string.h>

struct entry {
	uint64_t serial, vaddr;
	uint64_t start, size;
	char *name; /* NULL: there is none */
	struct entry *next;
	struct entry *newer, *older;
};

struct symcache {
	struct entry **bucket;
	size_t nbuckets, n, max, bytes, maxbytes;
	struct entry *newest, *oldest;
};

struct symcache *
symcache_new(size_t entries, size_t bytes)
{
	struct symcache *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->max = entries > 0 ? entries : 1;
	c->maxbytes = bytes;
	for (c->nbuckets = 64; c->nbuckets < c->max;)
		c->nbuckets *= 2;
	c->bucket = calloc(c->nbuckets, sizeof(struct entry *));
	if (c->bucket == NULL) {
		free(c);
		return NULL;
	}
	return c;
}

static size_t
weight(const struct entry *e)
{
	return sizeof(*e) + (e->name != NULL ? strlen(e->name) + 1 : 0);
}

static struct entry **
slot(struct symcache *c, uint64_t serial, uint64_t vaddr)
{
	uint64_t h = (serial * UINT64_C(0x9e3779b97f4a7c15)) ^ vaddr;
	struct entry **p;

	h *= UINT64_C(0x9e3779b97f4a7c15);
	p = &c->bucket[(h >> 32) & (c->nbuckets - 1)];
	while (*p != NULL && ((*p)->serial != serial || (*p)->vaddr != vaddr))
		p = &(*p)->next;
	return p;
}

static void
unlink_age(struct symcache *c, struct entry *e)
{
	*(e->newer != NULL ? &e->newer->older : &c->newest) = e->older;
	*(e->older != NULL ? &e->older->newer : &c->oldest) = e->newer;
}

static void
link_newest(struct symcache *c, struct entry *e)
{
	e->newer = NULL;
	e->older = c->newest;
	*(c->newest != NULL ? &c->newest->newer : &c->oldest) = e;
	c->newest = e;
}

static void
drop(struct symcache *c, struct entry **p)
{
	struct entry *e = *p;

	*p = e->next;
	unlink_age(c, e);
	c->bytes -= weight(e);
	c->n--;
	free(e->name);
	free(e);
}

void
symcache_free(struct symcache *c)
{
	if (c == NULL)
		return;
	while (c->oldest != NULL)
		drop(c, slot(c, c->oldest->serial, c->oldest->vaddr));
	free(c->bucket);
	free(c);
}

int
symcache_get(struct symcache *c, uint64_t serial, struct elfsym_query *q)
{
	struct entry *e = *slot(c, serial, q->vaddr);
	char *name = NULL;

	if (e == NULL || (e->name != NULL && (name = strdup(e->name)) == NULL))
		return 0;
	unlink_age(c, e);
	link_newest(c, e);
	q->name = name;
	q->start = e->start;
	q->size = e->size;
	return 1;
}

void
symcache_put(struct symcache *c, uint64_t serial, const struct elfsym_query *q)
{
	struct entry *e, **p = slot(c, serial, q->vaddr);

	if (*p != NULL)
		drop(c, p);
	e = calloc(1, sizeof(*e));
	if (e == NULL)
		return;
	if (q->name != NULL && (e->name = strdup(q->name)) == NULL) {
		free(e);
		return;
	}
	e->serial = serial;
	e->vaddr = q->vaddr;
	e->start = q->start;
	e->size = q->size;
	p = slot(c, serial, q->vaddr);
	e->next = *p;
	*p = e;
	link_newest(c, e);
	c->bytes += weight(e);
	c->n++;
	while (c->n > c->max || c->bytes > c->maxbytes)
		drop(c, slot(c, c->oldest->serial, c->oldest->vaddr));
}

void
symcache_count(const struct symcache *c, size_t *entries, size_t *bytes)
{
	*entries = c->n;
	*bytes = c->bytes;
}
