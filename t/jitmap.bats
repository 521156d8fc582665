# jitmap: names for code in no file, from what its program wrote of it.

load helper

teardown()
{
	pattern_release
	end_bgs
	rm -f "/tmp/perf-${PID:-0}.map"
}

# row: the live process's first frame.
row()
{
	"$BIN/debugger" "$PID" >"$BATS_TEST_TMPDIR/report"
	section backtrace "$BATS_TEST_TMPDIR/report" | head -1
}

@test "code of a process as it stands has the name its map gives last" {
	needs_root
	needs_victim jitmap
	live "$VICTIMS/jitmap" file "$BATS_TEST_TMPDIR"
	row
	row | grep -q ' made_here+0xb in anonymous memory$\|made_here+0x20 in'
}

@test "code of a crash has it as well, and the cause names it" {
	needs_victim jitmap
	pattern_direct
	crash "$VICTIMS/jitmap" file "$BATS_TEST_TMPDIR" crash
	report_of "$PID"
	section backtrace "$REPORT" | head -1 | grep -q ' made_here+0x'
	value cause "$REPORT" | grep -q 'null pointer write in made_here'
}

@test "a link, a FIFO, a map of an earlier process are not read" {
	local kind
	needs_root
	needs_victim jitmap
	for kind in link fifo old; do
		live "$VICTIMS/jitmap" "$kind" "$BATS_TEST_TMPDIR"
		row
		row | grep -q ' ?? in anonymous memory$'
		rm -f "/tmp/perf-$PID.map"
	done
}

@test "another user's file is not read" {
	needs_root
	needs_victim jitmap
	live "$VICTIMS/jitmap" file "$BATS_TEST_TMPDIR"
	chown 65534 "/tmp/perf-$PID.map"
	row | grep -q ' ?? in anonymous memory$'
	chown 0 "/tmp/perf-$PID.map"
	row | grep -q ' made_here+0x'
}
