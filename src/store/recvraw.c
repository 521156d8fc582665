/* An ELF core as it is, received; the contract is in store/transfer.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "store/corefile.h"
#include "store/transfer.h"
#include "stream/crc32c.h"

enum { PAGE = 4096 };

/* Writes what is not zeros, page by page: the rest stays a hole. */
static int
write_sparse(struct transfer *t, const unsigned char *p, size_t len)
{
	size_t at = 0, end, zeros;

	while (at < len) {
		zeros = stream_zeros(p + at, len - at, PAGE);
		at += zeros;
		for (end = at; end < len;) {
			if (stream_zeros(p + end,
				len - end < PAGE ? len - end : PAGE, PAGE))
				break;
			end += len - end < PAGE ? len - end : PAGE;
		}
		if (end > at &&
		    transfer_write(t, p + at, end - at, t->o->bytes + at) == -1)
			return -1;
		at = end;
	}
	return 0;
}

/* All there is, up to the end of the stream: 0; 1 it broke off, with errno;
 * -1 it has ended. */
static int
take_all(struct transfer *t)
{
	uint64_t max = t->cfg->store.maxcore;
	const unsigned char *p;
	size_t n;
	int err;

	for (;;) {
		p = inflow_need(&t->in, STREAM_BLOCK);
		err = p == NULL ? errno : 0;
		n = p == NULL ? t->in.len : STREAM_BLOCK;
		p = inflow_bytes(&t->in);
		/* Zeros cost no space, and yet a core of nothing else ends. */
		if (t->o->bytes + n > STREAM_SIZE_MAX ||
		    (max != 0 && t->o->bytes + n > max)) {
			transfer_refused(
			    t, "the core is larger than the receiver allows");
			return -1;
		}
		if (write_sparse(t, p, n) == -1)
			return -1;
		t->o->crc = crc32c(t->o->crc, p, n);
		t->o->bytes += n;
		inflow_take(&t->in, n);
		if (err == 0)
			continue;
		errno = err;
		return err == ENODATA ? 0 : 1;
	}
}

/* Its proper name, as far as its notes tell. */
static int
name_it(struct transfer *t, const struct corefile *c)
{
	char stem[STORE_NAME_MAX], suffix[CRASH_ENCODING_MAX + 2];

	t->o->id = c->id;
	t->o->id.time = time(NULL);
	store_stem(&t->o->id, stem, suffix);
	if (store_rename(&t->part, stem, suffix) == 0)
		return 0;
	transfer_failed(t, "name the file");
	return -1;
}

void
transfer_raw(struct transfer *t)
{
	char stem[STORE_NAME_MAX], reason[STREAM_REASON_MAX];
	struct corefile c;
	int broken, err;

	if (inflow_need(&t->in, COREFILE_HEAD) == NULL) {
		transfer_dried(t);
		return;
	}
	if (!corefile_is(inflow_bytes(&t->in))) {
		transfer_refused(t, "an ELF file, but not a core");
		return;
	}
	inflow_renew(&t->in);
	snprintf(stem, sizeof(stem), "core.raw.%d.%lld", (int)getpid(),
	    (long long)time(NULL));
	if (transfer_begin(t, stem, "") == -1)
		return;
	broken = take_all(t);
	err = errno;
	if (broken == -1)
		return;
	if (corefile_read(t->part.fd, t->o->bytes, &c) == -1) {
		transfer_broken(t, "its ELF headers make no sense");
		return;
	}
	if (name_it(t, &c) == -1)
		return;
	errno = err;
	if (broken)
		transfer_dried(t);
	else if (c.extent > t->o->bytes) {
		snprintf(reason, sizeof(reason),
		    "cut short: it ends after %llu of at least %llu bytes",
		    (unsigned long long)t->o->bytes,
		    (unsigned long long)c.extent);
		transfer_broken(t, reason);
	} else
		transfer_whole(t);
}
