# core_live: a core of a process that goes on, and it goes on as it was.

load helper

LIVE=$BIN/core_live

setup()
{
	needs_root
	T=$BATS_TEST_TMPDIR
	cd "$T" || return 1
}

teardown()
{
	end_bgs
	pattern_release
}

# sleeps N: a process of N threads and its main one, at rest: $PID.
sleeps()
{
	needs_victim live
	live "$VICTIMS/live" "$@"
}

grown()
{
	awk '/^(RssAnon|VmPTE|VmSize|Threads):/' "/proc/$PID/status"
}

# segments CORE: "address size offset" of those with contents.
segments()
{
	readelf -lW "$1" | awk '$1 == "LOAD" && $5 != "0x000000" &&
		$5 !~ /^0x0*$/ { print $3, $5, $2 }'
}

@test "usage: 100; nobody there: 1; not for a terminal" {
	local a
	for a in '' -x 0 x '1 2' '-s 0 1' '-m x 1'; do
		# shellcheck disable=SC2086
		run "$LIVE" $a
		[ "$status" = 100 ]
	done
	run "$LIVE" 999999999
	[ "$status" = 1 ]
	[ "$output" = 'core_live: fatal: no process 999999999' ]
	run "$LIVE" 2
	[ "$status" = 1 ]
	[[ $output == *"is a kernel thread or gone" ]]
	needs_tool script
	run script -qec "$LIVE 1" /dev/null </dev/null
	[ "$status" = 100 ]
	[[ $output == *"nothing for a terminal"* ]]
}

@test "whole and small: the frames that debugger sees in the process itself" {
	local how
	sleeps 20
	"$BIN/debugger" "$PID" | sed 's/"sleeper"/""/' >want
	for how in '' -S; do
		# shellcheck disable=SC2086
		"$LIVE" $how "$PID" >core
		"$BIN/debugger" core >got
		for s in backtrace threads registers; do
			diff <(section $s want) <(section $s got)
		done
		[ "$(value pid got)" = "$PID" ]
		[ "$(value cmdline got)" = "$VICTIMS/live 20" ]
		case $how in
		-S) [ "$(stat -c %s core)" -le $((600 << 10)) ] ;;
		esac
	done
}

@test "gdb and eu-stack open it as they open gcore's" {
	local c
	needs_tool gdb
	sleeps 5
	gdb_do -p "$PID" -ex 'gcore theirs' >gdb.out
	"$LIVE" "$PID" >whole
	"$LIVE" -S "$PID" >small
	for c in theirs whole small; do
		gdb_do -ex 'thread apply all bt' -ex 'info registers' \
		    "$VICTIMS/live" $c | sed '/^\[New LWP/d; s/core: [a-z]*//
			s/^Thread [0-9]* (Thread [^ ]* (LWP \([0-9]*\))).*/T \1/
			s/^Thread [0-9]* (LWP \([0-9]*\)).*/T \1/' |
		    grep '^#\|^T\|^r[a-z0-9]*  *0x\|^[xs][0-9p]*  *0x' |
		    sort >$c.gdb
		! command -v eu-stack >/dev/null ||
		    eu-stack -e "$VICTIMS/live" --core=$c 2>&1 |
		    grep '^#' | sort >$c.eu || :
	done
	grep -q in_main theirs.gdb
	diff theirs.gdb whole.gdb
	diff theirs.gdb small.gdb
	! command -v eu-stack >/dev/null || diff theirs.eu whole.eu
	! command -v eu-stack >/dev/null || diff theirs.eu small.eu
}

@test "at a standstill its memory is gcore's, byte for byte" {
	local at size off other n=0
	needs_tool gdb
	sleeps 3
	kill -STOP "$PID"
	gdb_do -p "$PID" -ex 'gcore theirs' >gdb.out
	"$LIVE" "$PID" >ours
	kill -CONT "$PID"
	segments ours >segs
	while read -r at size off; do
		other=$(awk -v a="$at" -v s="$size" '$1 == a && $2 == s {
			print $3 }' segs)
		[ -n "$other" ] || continue
		n=$((n + 1))
		cmp -n $((size)) -i $((off)):$((other)) theirs ours
	done < <(segments theirs)
	[ $n -ge 5 ]
}

@test "through a pipe it is the same, and zeros cost no disk in a file" {
	sleeps 30
	kill -STOP "$PID"
	"$LIVE" "$PID" >file
	"$LIVE" "$PID" | cmp - file
	kill -CONT "$PID"
	# 30 stacks of 8 MiB
	[ "$(stat -c %s file)" -gt $((200 << 20)) ]
	[ "$(($(stat -c %b file) * 512))" -lt $((10 << 20)) ]
}

@test "the process runs on, is as large as it was, and is not killed with us" {
	sleeps 20
	grown >before
	"$LIVE" -S "$PID" >small
	grown | diff before -
	"$LIVE" "$PID" >whole
	grown | diff before -
	[ -z "$(awk '$1 == "State:" && $2 == "t"' "/proc/$PID/status")" ]
	# whoever reads it does not, and is killed
	mkfifo hangs
	# shellcheck disable=SC2217  # it is to read nothing
	sleep 1000 <hangs 3>&- 9>&- &
	BGS="${BGS:-} $!"
	"$LIVE" "$PID" >hangs 3>&- 9>&- &
	BG=$!
	BGS="$BGS $BG"
	wait_for 20 released
	kill -KILL "$BG"
	kill -0 "$PID"
}

released()
{
	[ "$(awk '$1 == "TracerPid:" { print $2 }' "/proc/$PID/status")" = 0 ] &&
	    [ "$(awk '$1 == "State:" { print $2 }' "/proc/$PID/status")" != t ]
}

@test "-n: how much and how long, and it does not stop" {
	sleeps 2
	run "$LIVE" -n "$PID"
	[ "$status" = 0 ]
	[[ $output =~ ^process\ $PID:\ 3\ threads,\ a\ core\ of\ [0-9]+\ MiB,\ [0-9]+\ MiB\ of\ it\ not\ zeros\;\ to\ read\ that\ takes\ [0-9]+\ ms$ ]]
}

@test "who may not: said, 1; traced by another: said" {
	local other
	sleeps 1
	run setpriv --reuid 65534 --regid 65534 --clear-groups "$LIVE" "$PID"
	[ "$status" = 1 ]
	[ "$output" = "core_live: fatal: unable to trace $PID: Operation not permitted: root is needed" ]
	needs_tool strace
	strace -qq -p "$PID" -o /dev/null 3>&- 9>&- &
	other=$!
	BGS="${BGS:-} $other"
	wait_for 20 traced
	run "$LIVE" "$PID"
	kill "$other"
	[ "$status" = 1 ]
	[[ $output == *"it is traced by process $other already" ]]
}

traced()
{
	[ "$(awk '$1 == "TracerPid:" { print $2 }' "/proc/$PID/status")" != 0 ]
}

@test "core_live pid | core_send: at the receiver" {
	sleeps 2
	mkdir store
	"$LIVE" "$PID" | "$BIN/core_send" --pid="$PID" --comm=live - |
	    "$BIN/recv_core" -i -d store
	"$BIN/debugger" "$(find store -name 'core.live.*' ! -name '*.info')" >r
	section backtrace r | grep -q in_main
}

@test "coredump_filter is followed, and a full disk is said" {
	sleeps 1
	"$LIVE" "$PID" >all
	echo 0x10 >"/proc/$PID/coredump_filter"
	"$LIVE" "$PID" >few
	[ "$(segments few | wc -l)" -lt "$(segments all | wc -l)" ]
	run sh -c "$LIVE $PID >/dev/full"
	[ "$status" = 111 ]
	[[ $output == *"unable to write the core: No space left on device"* ]]
	kill -0 "$PID"
}
