/*
 * corestream: how a core travels (usercrash-stream(5)).
 *
 *	usercrash-core 1\n
 *	host: board7\n            what is known of the crash, one per line;
 *	pid: 4711\n               values are printable ASCII, any other byte
 *	...                       and the backslash are \xNN
 *	\n
 *	frame DATA offset length  the core's bytes at that offset
 *	...                       ascending, never overlapping; a hole is not
 *	frame END size            sent; the end tells the size and whether
 *	                          this is all there was
 *
 * and back comes one line: "OK name bytes checksum\n" or "ERR reason\n".
 *
 * A frame is a header of STREAM_FRAME bytes, little-endian, and its payload:
 *
 *	 0  u32 type             "DATA" or "END." as bytes
 *	 4  u32 length           of the payload; DATA 1 to STREAM_BLOCK,
 *	                         END at most STREAM_END_MAX
 *	 8  u64 offset           DATA: in the core; END: the core's size
 *	16  u32 checksum         CRC32C of the payload
 *	20  u32 header checksum  CRC32C of bytes 0 to 19
 *
 * A sender that has "version: 2" in its header can do more than that: its
 * receiver may say "TAKES LZ4\n" before its answer, at once, and from then on
 * a frame may be
 *
 *	"LZ4 "  offset as of DATA; length 10 to STREAM_BLOCK; the payload:
 *	 0  u32 length of what it is made of, 1 to STREAM_BLOCK
 *	 4  u32 checksum of that
 *	 8      a block of LZ4 (lz4/lz4.h)
 *
 * Nobody waits for that word, so one who knows nothing of it costs nothing.
 *
 * With "part: KEY", 32 hexadecimal digits that nobody can guess, the header
 * also names the core for the time that it is not whole: "HAS OFFSET
 *CHECKSUM\n" comes before all else, which is what an earlier connection left
 *with the receiver (0 and 00000000: nothing), "WAIT\n" while that is being
 *found out. A sender that still has those bytes and gets the same checksum of
 *them begins
 *
 *	"FROM"  offset as of HAS; the payload:
 *	 0  u32 checksum of the core up to there, holes as zeros
 *	 4  u64 bytes of it that were data
 *
 * and goes on behind it; any other frame first, and it is a core from its
 * beginning.
 *
 * The payload of END is text: "state: complete\n" or "state: REASON\n" (then
 * the core is incomplete, in the sender's own words), "checksum: %08x\n", the
 * CRC32C of the whole core with its holes as the zeros they are, and "data:
 * BYTES\n", how many were sent.  Unknown keys in header and END are passed
 * over: a later version may add some; those that are known stand once.
 *
 * Everything received is hostile.  The parsers take (buffer, length) and use
 * bounded memory; nothing here reads, writes or prints.
 */
#ifndef STREAM_CORESTREAM_H
#define STREAM_CORESTREAM_H

#include <stddef.h>
#include <stdint.h>

#include "base/io.h"
#include "crash/crashid.h"

enum {
	STREAM_PORT = 64740,
	STREAM_HEAD_MAX = 32 << 10, /* the text header, blank line included */
	STREAM_FRAME = 24,
	STREAM_BLOCK = 1 << 20,
	STREAM_END_MAX = 4096,
	STREAM_REPLY_MAX = 1024, /* newline included */
	STREAM_REASON_MAX = 512
};
#define STREAM_MAGIC "usercrash-core 1\n"
/* No core is larger: offsets beyond are refused, so sums cannot overflow. */
#define STREAM_SIZE_MAX ((uint64_t)1 << 62)

/* Appends the header; a number no receiver would take is left out, as one
 * that is unknown.  -1 ENOMEM, EINVAL when encoding holds other bytes. */
int stream_head_format(const struct crash_id *, struct buf *);
/*
 * The first len bytes of a stream.  Returns the header's length once it is
 * all there, 0 when more is needed, -1: EPROTO it is none (or holds what
 * breaks the rules above: *why says what), EMSGSIZE longer than
 * STREAM_HEAD_MAX, EPROTONOSUPPORT a version we do not know.  -1 comes as soon
 * as the bytes at hand prove it.  id is complete with the header alone.
 */
ssize_t stream_head_parse(
    const char *, size_t len, struct crash_id *id, const char **why);

enum { STREAM_KEY = 33 }; /* with NUL */
/* For a header: this sender can do version 2; key: of the part, "" none. */
int stream_head_offer(struct buf *, const char *key);
/* Does the header of that length say so? */
int stream_head_offers(const char *, size_t len);
/* And which key has it?  0: none, "". */
int stream_head_key(const char *, size_t len, char key[STREAM_KEY]);

/* A new one; "" where there are no random numbers. */
void stream_key_make(char key[STREAM_KEY]);

/* What a receiver says before its answer. */
#define STREAM_TAKES "TAKES LZ4\n"
#define STREAM_WAIT "WAIT\n"
struct stream_has {
	uint64_t off;
	uint32_t crc;
};
enum { STREAM_HAS_MAX = 64 };
/* The line, and back: -1 EPROTO, for without its newline. */
void stream_has_format(const struct stream_has *, char line[STREAM_HAS_MAX]);
int stream_has_parse(const char *, size_t len, struct stream_has *);

enum stream_type { STREAM_DATA, STREAM_END, STREAM_LZ4, STREAM_FROM };

struct stream_frame {
	enum stream_type type;
	uint32_t len, crc;
	uint64_t off;
};

void
stream_frame_put(unsigned char out[STREAM_FRAME], const struct stream_frame *);
/* -1 EBADMSG: damaged, EPROTO: undamaged, and against the rules. */
int
stream_frame_get(const unsigned char in[STREAM_FRAME], struct stream_frame *);

enum { STREAM_PACKED = 8 }; /* before the block of an LZ4 frame */
/*
 * A DATA frame as an LZ4 frame: 0, with its payload in to, where room bytes
 * are; -1 when that saves less than a sixteenth.
 */
int stream_frame_pack(
    struct stream_frame *, const void *payload, void *to, size_t room);
/* And back: -1 EPROTO, EBADMSG.  to has room for STREAM_BLOCK. */
int stream_frame_unpack(struct stream_frame *, const void *payload, void *to);

/* What both ends keep of the frames that passed, to compare at the end. */
struct stream_sum {
	uint64_t next; /* the lowest offset the next frame may have */
	uint64_t data; /* bytes of payload */
	uint32_t crc;  /* of the core up to next, holes as zeros */
};

enum { STREAM_JOINT = 12 }; /* payload of FROM */
/* A sum that goes on at a joint as the payload of FROM, and the other way. */
void
stream_joint_put(unsigned char out[STREAM_JOINT], const struct stream_sum *);
/* -1 EPROTO: no FROM, or not of what there is. */
int stream_joint_get(const struct stream_frame *, const void *payload,
    const struct stream_has *, struct stream_sum *);
/* A DATA frame whose payload has been found to have its checksum.  -1 EPROTO
 * when it overlaps, goes back, or ends beyond STREAM_SIZE_MAX. */
int stream_sum_data(struct stream_sum *, const struct stream_frame *);
/* The checksum of a core of that size (>= next). */
uint32_t stream_sum_end(const struct stream_sum *, uint64_t size);

struct stream_end {
	uint64_t size, data;
	uint32_t crc;
	char state[STREAM_REASON_MAX]; /* "complete", or why it is not */
};

int stream_is_complete(const struct stream_end *);
/* The payload of END, appended.  An empty state is sent as "unknown". */
int stream_end_format(const struct stream_end *, struct buf *);
/* From frame and payload.  -1 EBADMSG when that does not have the frame's
 * checksum, EPROTO. */
int stream_end_parse(const struct stream_frame *, const char *payload,
    size_t len, struct stream_end *);
/* -1 EBADMSG with *why (static text) unless the end is that of this sum. */
int stream_end_check(
    const struct stream_end *, const struct stream_sum *, const char **why);

/* The receiver's line. */
struct stream_reply {
	int ok;
	char name[STREAM_REPLY_MAX]; /* OK: the file; ERR: the reason */
	uint64_t bytes;
	uint32_t crc;
};

/* Appends it with its newline.  A reason that is too long is cut; a name that
 * is, is EMSGSIZE, none EINVAL. */
int stream_reply_format(const struct stream_reply *, struct buf *);
/* The line without its newline.  -1 EPROTO. */
int stream_reply_parse(const char *, size_t len, struct stream_reply *);

/* Length of the zeros that p begins with, in whole units of unit bytes. */
size_t stream_zeros(const void *p, size_t len, size_t unit);

#endif
