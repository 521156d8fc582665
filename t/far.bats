# Class 23: files on a file system that does not answer, and what is known
# without them.

load helper

setup_file()
{
	mkdir "$BATS_FILE_TMPDIR/mnt"
}

teardown()
{
	end_bgs
	pattern_release
}

# far MODE [HANDLER OPTIONS]: the victim crashes; its report is $R.
far()
{
	local mode=$1
	shift
	needs_victim fuse
	[ -e /dev/fuse ] || unmet "needs /dev/fuse"
	pattern_direct "$@"
	UNTIL=$((SECONDS + 18))
	crash "$VICTIMS/fuse" "$mode" "$VICTIMS/libplug.so" \
	    "$BATS_FILE_TMPDIR/mnt"
	[ "$STATUS" = 139 ] || {
		[ "$STATUS" != 111 ] || unmet "needs mount(2) of FUSE"
		return 1
	}
	# others may crash meanwhile, and it has a namespace of its own
	wait_for 60 report_with exe "$VICTIMS/fuse"
	R=$REPORT
	# in the time of the files, and not in that of the whole report
	[ "$SECONDS" -lt "$UNTIL" ]
	sed '/^registers:/,/^threads:/d' "$R"
}

# What is known of a crash in a library that nobody can open.
known_all_the_same()
{
	grep -q '^signal: 11 SIGSEGV' "$R"
	section backtrace "$R" | grep -q '^  #00 pc .*libplug.so+0x'
	# and on the other side of it, with names
	section backtrace "$R" | grep -q ' main+0x.*(.*fuse+0x'
	section modules "$R" |
	    grep 'libplug.so (its file system did not answer in time)$'
	not grep -q '^incomplete: ' "$R"
}

@test "class 23: the process that crashed serves its own library: all but that is told" {
	far self
	known_all_the_same
}

@test "class 23: another that serves it has stopped" {
	far other
	known_all_the_same
}

@test "another that serves it goes on: the file is copied, and has names" {
	far served
	section backtrace "$R" | grep -q ' plug_crash+0x.*libplug.so+0x'
	section backtrace "$R" | grep -q ' plug_run+0x'
	section modules "$R" | grep -q 'libplug.so$'
}

@test "debugger, and a live process whose file's server has stopped" {
	needs_root
	needs_victim fuse
	[ -e /dev/fuse ] || unmet "needs /dev/fuse"
	local rc=0
	bg "$VICTIMS/fuse" other "$VICTIMS/libplug.so" \
	    "$BATS_FILE_TMPDIR/mnt" stay >"$BATS_TEST_TMPDIR/ready"
	wait_for 20 grep -q ready "$BATS_TEST_TMPDIR/ready"
	R=$BATS_TEST_TMPDIR/report
	UNTIL=$((SECONDS + 18))
	timeout 60 "$BIN/debugger" "$BG" >"$R" || rc=$?
	[ "$SECONDS" -lt "$UNTIL" ]
	[ $rc = 0 ]
	section modules "$R" |
	    grep 'libplug.so (its file system did not answer in time)$'
	section backtrace "$R" | grep -q ' main+0x.*(.*fuse+0x'
}

# Linux 4.17 and later read only what is no file's (CVE-2018-1120).
@test "class 23: arguments in a page that nobody serves: as many as come before it" {
	needs_root
	needs_victim fuse
	[ -e /dev/fuse ] || unmet "needs /dev/fuse"
	local rc=0
	bg "$VICTIMS/fuse" args "$VICTIMS/libplug.so" \
	    "$BATS_FILE_TMPDIR/mnt" stay >"$BATS_TEST_TMPDIR/ready"
	wait_for 20 grep -q ready "$BATS_TEST_TMPDIR/ready"
	R=$BATS_TEST_TMPDIR/report
	UNTIL=$((SECONDS + 18))
	timeout 60 "$BIN/debugger" -e "$BG" >"$R" || rc=$?
	[ "$SECONDS" -lt "$UNTIL" ]
	[ $rc = 0 ]
	section environ "$R" | grep -q PATH=
	grep -q '^cmdline: .*/fuse args .*/libplug.so .* stay x*$' "$R"
	section backtrace "$R" | grep -q ' main+0x.*(.*fuse+0x'
}

@test "unit: what the opener hands back, and one that hangs" {
	unit unit_opener
}
