/*
 * btf: where the members of the kernel's structures are.
 *
 * Reads the BTF blob (Documentation/bpf/btf.rst) that the running kernel
 * shows of itself, or any other in the host's byte order.  A blob is checked
 * in every offset and length; one that is cut or forged yields EBADMSG or a
 * member that is not there, never more.
 */
#ifndef BPF_BTF_H
#define BPF_BTF_H

#include <stddef.h>
#include <stdint.h>

#define BTF_KERNEL "/sys/kernel/btf/vmlinux"
enum { BTF_BYTES_MAX = 64 << 20 }; /* 5.5 MB on 6.18 */

/* What every kernel's struct btf_header begins with.  That one grows with the
 * kernel's header files, and blobs of kernels before them are shorter. */
struct btf_head {
	uint16_t magic;
	uint8_t version, flags;
	uint32_t hdr_len; /* of the whole header, 24 or more */
	uint32_t type_off, type_len, str_off, str_len; /* from its end */
};

struct btf;

struct btf_field {
	uint32_t off;	    /* in bytes, from the start of the outermost */
	uint32_t size;	    /* in bytes; 0 for an array of no length */
	unsigned bit, bits; /* a bitfield: its first bit at off, how many;
			       bits 0: none */
};

/* -1/NULL: ENOENT and its like, EBADMSG, EFBIG, ENOMEM. */
struct btf *btf_open(const char *path);
/* Of a copy in memory, which is copied. */
struct btf *btf_parse(const void *, size_t len);
void btf_free(struct btf *);

/*
 * A member of the struct or union called type: "si_code", "thread.cr2",
 * "pids[1]", through unnamed structs and unions as C has it.  Pointers are
 * not followed.  0; -1 ENOENT there is none.
 */
int btf_field(
    const struct btf *, const char *type, const char *path, struct btf_field *);
/* Its size in bytes, or -1 ENOENT. */
long btf_size(const struct btf *, const char *type);

#endif
