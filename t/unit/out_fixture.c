#include "out_fixture.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

int
file_new(const void *s, size_t n)
{
	char name[] = "/tmp/unit_out.XXXXXX";
	int fd = mkstemp(name);

	if (fd == -1 || unlink(name) == -1 || io_write_full(fd, s, n) == -1)
		exit(111);
	return fd;
}

struct buf
file_read(int fd)
{
	struct buf b = {0};
	struct stat st;

	if (fstat(fd, &st) == -1 || buf_reserve(&b, (size_t)st.st_size) == -1)
		exit(111);
	if (io_pread_full(fd, b.p, (size_t)st.st_size, 0) != st.st_size)
		exit(111);
	b.len = (size_t)st.st_size;
	b.p[b.len] = '\0';
	return b;
}

void
sample(struct out *o, int rows)
{
	int i;

	out_str(o, "format", OUT_HIDE, "usercrash");
	out_text(o, "usercrash report 1\n");
	out_u64(o, "pid", OUT_KEY, 1234);
	out_i64(o, "code", OUT_KEY, -6);
	out_str(o, "comm", OUT_KEY, "a \"b\"\\c\n\xc3\xa9\xff");
	out_str(o, "exe", OUT_KEY, NULL);
	out_hex(o, "addr", OUT_KEY, 0x18, 4);
	out_bool(o, "core", OUT_KEY, 1);
	out_fmt(o, "when", OUT_KEY, "%d-%02d", 2024, 3);
	out_text(o, "\n");
	out_title(o, "threads");
	out_section(o, '[');
	for (i = 0; i < rows; i++) {
		out_obj(o, NULL);
		out_u64(o, "tid", "  thread ", (uint64_t)i);
		out_str(o, "name", " ", "w\t1");
		out_text(o, "\n");
		out_arr(o, "frames");
		out_obj(o, NULL);
		out_hex(o, "pc", "    #0 pc ", 0x401000, 16);
		out_text(o, "\n");
		out_end(o);
		out_end(o);
		out_end(o);
	}
	out_section_end(o);
	out_title(o, "limits");
	out_section(o, '{');
	out_u64(o, "core", OUT_KEY, 0);
	out_arr(o, "list");
	out_str(o, NULL, "  ", "x");
	out_str(o, NULL, " ", "y");
	out_text(o, "\n");
	out_section_end(o);
	out_title(o, "maps");
	out_unavailable(o, "unable to open /proc/1\n/maps");
}

struct buf
sample_of(enum out_format format, int rows)
{
	int fd = file_new("", 0);
	struct out *o = out_new(fd, format);
	struct buf b;

	CHECK(o != NULL);
	sample(o, rows);
	CHECK(out_finish(o) == 0);
	b = file_read(fd);
	close(fd);
	return b;
}
