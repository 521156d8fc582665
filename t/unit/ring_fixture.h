/*
 * ring_fixture: an empty ring in a directory of its own, and looks into it.
 * For the units that test slots/slots.
 */
#ifndef T_RING_FIXTURE_H
#define T_RING_FIXTURE_H

#include <stdint.h>
#include <string.h>

#include "check.h"
#include "slots/slots.h"

extern struct ring_fixture {
	char path[64]; /* its directory */
	int fd;
	struct slots_cfg cfg;
	uint32_t uid; /* whose crashes they are */
	/* what became of the last one */
	char name[SLOTS_NAME_MAX];
	enum slots_tell tell;
	uint64_t quiet; /* what was published last */
	int named;	/* as if there were no O_TMPFILE */
} ring;

#define AT(want) CHECK(strcmp(ring.name, (want)) == 0)

/* The deadline of what should not wait. */
int64_t ring_later(void);

/* A new, empty directory and a ring of n there. */
void ring_begin(unsigned n, unsigned share);

/* A report not yet published; as slots_publish() puts it there; both. */
int ring_report(const char *text);
int ring_place(int fd, uint64_t key);
void ring_publish(uint64_t key, const char *text);

/* Whether a file of the ring holds that; how many there are of such a name. */
int ring_holds(const char *file, const char *text);
int ring_count(const char *prefix);

/* Removes everything and says how it went: main's result. */
int ring_end(void);

#endif
