# The C unit tests of base, out/out, report/signature and memop/memop.

load helper

unit()
{
	local program=$BUILD/t/$1
	[ -x "$program" ] || {
		echo "$program is not built: make units"
		return 1
	}
	shift
	"$program" "$@"
}

@test "base: messages, numbers, reads and writes, deadlines" {
	unit unit_base
}

@test "base: a program started without fds 0-2 writes to the kernel's log" {
	local rc=0
	unit unit_base kmsg || rc=$?
	[ $rc != 77 ] || unmet "needs a readable /dev/kmsg"
	[ $rc = 0 ]
}

@test "out: both forms, escaping, flushing, mending; signature" {
	unit unit_out
}

@test "out: a mended report is JSON for a reader that is not ours" {
	local f n=0
	mkdir "$BATS_TEST_TMPDIR/torn"
	unit unit_out -w "$BATS_TEST_TMPDIR/torn"
	for f in "$BATS_TEST_TMPDIR"/torn/*.json; do
		json_valid "$f"
		[ "$(json_get "$f" incomplete)" = 'killed by "x"\x0a' ]
		n=$((n + 1))
	done
	[ $n -ge 20 ]
}

# The table of aarch64 encodings is checked on every machine; with a cross
# compiler and an emulator at hand, run there as well.
@test "memop: each instruction as the processor has it" {
	unit unit_memop
	if [ "$(uname -m)" != aarch64 ] &&
	    command -v aarch64-linux-gnu-gcc >/dev/null &&
	    command -v qemu-aarch64 >/dev/null; then
		aarch64-linux-gnu-gcc -std=gnu11 -D_GNU_SOURCE -I"$TOP/src" \
		    -O1 -static -Wall -Werror -o "$BATS_TEST_TMPDIR/memop" \
		    "$TOP/t/unit/unit_memop.c" "$TOP"/src/memop/*.c
		qemu-aarch64 "$BATS_TEST_TMPDIR/memop"
	fi
}

@test "proc: units and containers by their cgroup, of every runtime" {
	unit unit_cgpath
}

@test "fault: exceptions and signal frames, genuine, cut and forged" {
	local f
	unit unit_fault
	unit unit_fault -w "$BATS_TEST_TMPDIR"
	for f in exception sigframe.x86_64 sigframe.aarch64; do
		cmp "$TOP/t/fixtures/$f" "$BATS_TEST_TMPDIR/$f"
	done
}

@test "elf: packages by their note, and what only looks like one" {
	unit unit_elfpackage
}
