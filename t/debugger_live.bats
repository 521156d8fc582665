# debugger and running processes: several of them, a reader that has enough.
#
# quiet: nothing crashes here, and core_pattern is let alone

load helper

D=$BIN/debugger

setup()
{
	AT=$BATS_TEST_TMPDIR
}

teardown()
{
	end_bgs
}

# two: processes $ONE and $TWO, and $NONE that is none.
two()
{
	needs_victim live
	live
	ONE=$PID
	live
	TWO=$PID
	(exit 0) &
	NONE=$!
	wait "$NONE"
}

# run_d ARGS...: its exit code in $status, output in o and e.
run_d()
{
	status=0
	"$D" "$@" >"$AT/o" 2>"$AT/e" </dev/null || status=$?
	echo "debugger $*: $status $(cat "$AT/e")"
}

@test "several processes: a report each, in their order" {
	two
	run_d "$TWO" "$ONE"
	[ "$status" = 0 ]
	[ ! -s "$AT/e" ]
	[ "$(grep -a '^pid: ' "$AT/o" | xargs)" = "pid: $TWO pid: $ONE" ]
	[ "$(grep -c '^usercrash report 1$' "$AT/o")" = 2 ]
	# each is whole, and as if it were alone
	awk -v f="$AT/r" '/^usercrash report/ { n++ } { print >(f n) }' "$AT/o"
	for i in 1 2; do
		is_report "$AT/r$i"
		chain_is "$(thread_truth live.c live)" live "$AT/r$i"
		[ "$(threads "$AT/r$i" | wc -l)" = 3 ]
	done
	needs_tool jq
	run_d -f json "$ONE" "$TWO"
	[ "$(jq -r .pid "$AT/o" | xargs)" = "$ONE $TWO" ]
}

@test "several processes: a line for each that has no report, and 1" {
	two
	run_d "$NONE" "$ONE" 999999999 "$TWO"
	[ "$status" = 1 ]
	printf 'debugger: fatal: no process %s\n' "$NONE" 999999999 |
	    diff - "$AT/e"
	[ "$(grep -a '^pid: ' "$AT/o" | xargs)" = "pid: $ONE pid: $TWO" ]
	# none at all
	run_d "$NONE" 999999999
	[ "$status" = 1 ]
	[ ! -s "$AT/o" ]
	[ "$(wc -l <"$AT/e")" = 2 ]
	# no system error is lost between others
	run_d "$NONE" "$ONE" >/dev/null
	[ "$status" = 1 ]
	status=0
	"$D" "$ONE" "$TWO" >/dev/full 2>"$AT/e" || status=$?
	[ "$status" = 111 ]
	[ "$(grep -c 'No space left' "$AT/e")" = 2 ]
}

@test "several processes: what is no process id is wrong usage" {
	two
	run_d "$ONE" "$D"
	[ "$status" = 100 ]
	run_d "$ONE" 0
	[ "$status" = 100 ]
	run_d "$ONE" 4294967297
	[ "$status" = 100 ]
	grep -q 'out of range: 4294967297$' "$AT/e"
	run_d -t "$ONE" "$ONE" "$TWO"
	[ "$status" = 100 ]
	[ ! -s "$AT/o" ]
}

# A pipe whose reader is gone before anything is written.
unread()
{
	mkfifo "$AT/pipe"
	exec 7<>"$AT/pipe" 8>"$AT/pipe" 7<&-
	status=0
	"$@" >&8 2>"$AT/e" 3>&- || status=$?
	exec 8>&-
	rm "$AT/pipe"
	echo "$*: $status $(cat "$AT/e")"
}

# What the process has: pages, exactly, and page tables.
its_memory()
{
	sed -n 's/^Rss: *//p' "/proc/$PID/smaps_rollup"
	sed -n 's/^VmPTE:[[:space:]]*//p' "/proc/$PID/status"
}

@test "201 threads that wait: all are shown, and the process is none the bigger" {
	local before
	needs_victim live
	needs_root # for files as they are mapped
	live "$VICTIMS/live" 200
	before=$(its_memory)
	echo "$before"
	run_d -e "$PID"
	[ "$status" = 0 ]
	[ "$(its_memory)" = "$before" ]
	is_report "$AT/o"
	[ "$(threads "$AT/o" | grep -c ' sleeper$')" = 200 ]
	# whole backtraces, from what was copied and from what was not
	chain_is "$(thread_truth live.c live)" live "$AT/o"
	[ "$(awk '/^threads:/ { on = 1 } /^$/ { on = 0 } on' "$AT/o" |
	    grep -c 'in_pause+')" = 200 ]
	run_d -f json "$PID"
	[ "$status" = 0 ]
	[ "$(its_memory)" = "$before" ]
}

@test "a reader that has enough ends it, quietly" {
	two
	unread "$D" "$ONE"
	[ "$status" = $((128 + 13)) ]
	[ ! -s "$AT/e" ]
	unread "$D" -f json "$ONE" "$TWO"
	[ "$status" = $((128 + 13)) ]
	[ ! -s "$AT/e" ]
	# also where SIGPIPE was ignored by who started it
	unread sh -c 'trap "" PIPE; exec "$@"' - "$D" "$ONE"
	[ "$status" = $((128 + 13)) ]
	[ ! -s "$AT/e" ]
	# the first line is there, and the process runs on
	[ "$("$D" "$ONE" "$TWO" | head -1)" = 'usercrash report 1' ]
	grep -q '^TracerPid:.0$' "/proc/$ONE/status"
}
