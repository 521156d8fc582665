# Tests that are C: base, out, memop, and what else has no file of its own.

load helper

@test "wait_for: its deadline, and a clock that jumped" {
	local n=0
	jumped()
	{
		[ $n = 0 ] || return 0
		n=1 SECONDS=1000
		return 1
	}
	wait_for 20 jumped
	run wait_for 0 false
	[ "$status $output" = '1 waited in vain for: false' ]
}

@test "base: messages, numbers, children" {
	unit unit_base
}

@test "base: reads and writes, what is ours alone, interruptions, deadlines" {
	unit unit_io
}

@test "base: turns, so many at once and in the order they came" {
	unit unit_turn
}

@test "base: a program started without fds 0-2 writes to the kernel's log" {
	local rc=0
	unit unit_base kmsg || rc=$?
	[ $rc != 77 ] || unmet "needs a readable /dev/kmsg"
	[ $rc = 0 ]
}

@test "class 6: a name that looks like the rest of stat or status" {
	unit unit_procdir
}

@test "out: both forms, escaping, flushing" {
	unit unit_out
}

@test "signature: vectors, what must not matter, recursion" {
	unit unit_signature
}

@test "out: a torn report mended, and JSON for a reader that is not ours" {
	local f n=0
	mkdir "$BATS_TEST_TMPDIR/torn"
	unit unit_mend -w "$BATS_TEST_TMPDIR/torn"
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
	on_arm unit_memop t/unit/memop_{run,check,a64,x86,x86tab} \
	    src/memop/memop{,_x86,_x86imm,_x86tab,_a64}
}

@test "proc: units and containers by their cgroup, of every runtime" {
	unit unit_cgpath
}

@test "pagemap: what of a process is there, in spans" {
	unit unit_pagemap
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
