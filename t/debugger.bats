# debugger: a running process or a core file; every error is one line and the
# right exit code.

load helper

teardown()
{
	pattern_release
	[ -z "${OTHER:-}" ] || rm -rf "$OTHER"
}

D=$BIN/debugger

# fails CODE REGEX ARGS...: one line on stderr, nothing on stdout.
fails()
{
	local want=$1 text=$2
	shift 2
	status=0
	"$@" >"$BATS_TEST_TMPDIR/o" 2>"$BATS_TEST_TMPDIR/e" </dev/null ||
	    status=$?
	echo "$*: status $status: $(cat "$BATS_TEST_TMPDIR/e")"
	[ "$status" = "$want" ]
	[ ! -s "$BATS_TEST_TMPDIR/o" ]
	[ "$(wc -l <"$BATS_TEST_TMPDIR/e")" = 1 ]
	grep -Eq -- "$text" "$BATS_TEST_TMPDIR/e"
}

as_nobody()
{
	setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
}

# A core of the null victim, made once.
a_core()
{
	needs_victim null
	if [ ! -s "$BATS_FILE_TMPDIR/core" ]; then
		core_of "$VICTIMS/null"
		cp "$CORE" "$BATS_FILE_TMPDIR/core"
	fi
	CORE=$BATS_FILE_TMPDIR/core
}

@test "usage: 100" {
	local args
	for args in '' '-f xml 1' '-t x 1' '--nonsense 1' 'a b c'; do
		status=0
		# shellcheck disable=SC2086
		"$D" $args >"$BATS_TEST_TMPDIR/o" 2>"$BATS_TEST_TMPDIR/e" ||
		    status=$?
		echo "'$args': $status $(cat "$BATS_TEST_TMPDIR/e")"
		[ "$status" = 100 ]
		grep -q '^\(usage: \)\{0,1\}debugger' "$BATS_TEST_TMPDIR/e"
		[ ! -s "$BATS_TEST_TMPDIR/o" ]
	done
}

@test "no such process" {
	fails 1 '^debugger: fatal: no process 999999999$' "$D" 999999999
	(exit 0) &
	dead=$!
	wait "$dead"
	fails 1 "^debugger: fatal: no process $dead\$" "$D" "$dead"
}

@test "no such file, not a core, an executable, an empty file, a directory" {
	echo hello >"$BATS_TEST_TMPDIR/text"
	: >"$BATS_TEST_TMPDIR/empty"
	fails 100 '^debugger: fatal: .*/none: No such file' \
	    "$D" "$BATS_TEST_TMPDIR/none"
	fails 100 '^debugger: fatal: .*not an? .*core' "$D" \
	    "$BATS_TEST_TMPDIR/text"
	fails 100 '^debugger: fatal: .*not an? .*core' "$D" \
	    "$BATS_TEST_TMPDIR/empty"
	fails 100 '^debugger: fatal: .*not an? .*core' "$D" "$D"
	fails 100 '^debugger: fatal: ' "$D" "$BATS_TEST_TMPDIR"
}

@test "a core of another architecture: said, exit 100" {
	local f n=0
	for f in "$TOP"/t/fixtures/*/* "$TOP"/t/fixtures/*; do
		[ -f "$f" ] || continue
		readelf -h "$f" 2>/dev/null | grep -q 'Type: .*CORE' || continue
		readelf -h "$f" | grep -q 'Machine: .*\(X86-64\|AArch64\)' ||
		    continue
		case $(uname -m) in
		x86_64) readelf -h "$f" | grep -q X86-64 && continue ;;
		aarch64) readelf -h "$f" | grep -q AArch64 && continue ;;
		esac
		fails 100 'aarch64|AArch64|x86|architecture|machine' "$D" "$f"
		n=$((n + 1))
	done
	# and one that no fixture is needed for: the machine field changed
	a_core
	cp "$CORE" "$BATS_TEST_TMPDIR/core"
	# e_machine of elf(5): EM_S390
	printf '\026\000' | dd of="$BATS_TEST_TMPDIR/core" bs=1 seek=18 \
	    conv=notrunc status=none
	fails 100 'architecture|machine' "$D" "$BATS_TEST_TMPDIR/core"
	# class: 32 bits
	cp "$CORE" "$BATS_TEST_TMPDIR/core"
	printf '\001' | dd of="$BATS_TEST_TMPDIR/core" bs=1 seek=4 \
	    conv=notrunc status=none
	fails 100 '32-bit|architecture|class' "$D" "$BATS_TEST_TMPDIR/core"
}

# patched FILE OFFSET BYTES: a file header of a fixture, changed; in $CORE.
patched()
{
	CORE=$BATS_TEST_TMPDIR/patched
	[ "$1" = "$CORE" ] || cp "$1" "$CORE"
	# shellcheck disable=SC2059
	printf "$3" | dd of="$CORE" bs=1 seek="$2" conv=notrunc status=none
}

@test "a foreign core is named, whether or not a program is given" {
	local f=$TOP/t/fixtures/core.x86_64 exe
	[ "$(uname -m)" = x86_64 ] || unmet "needs x86-64"
	for exe in '' "$VICTIMS/null"; do
		fails 100 'another architecture: 32-bit i386$' \
		    "$D" "$TOP/t/fixtures/core.i386" $exe
		patched "$f" 4 '\001'
		fails 100 ': 32-bit x86_64 \(x32\)$' "$D" "$CORE" $exe
		patched "$f" 18 '\026'
		fails 100 ': 64-bit s390$' "$D" "$CORE" $exe
		# the other byte order: e_type, e_machine
		patched "$f" 5 '\002'
		patched "$CORE" 16 '\000\004\000\010'
		fails 100 ': 64-bit big-endian mips$' "$D" "$CORE" $exe
		patched "$f" 18 '\347\003'
		fails 100 ': 64-bit machine 999$' "$D" "$CORE" $exe
		# EI_OSABI, and the owner of the first note
		patched "$f" 7 '\011'
		fails 100 'another system: 64-bit x86_64, FreeBSD$' \
		    "$D" "$CORE" $exe
		at=$(grep -abo CORE "$f" | sed -n '1s/:.*//p')
		patched "$f" $((at - 12)) '\014'
		patched "$CORE" "$at" 'NetBSD-CORE'
		fails 100 'another system: 64-bit x86_64, NetBSD$' \
		    "$D" "$CORE" $exe
	done
	fails 100 'for another machine: 64-bit aarch64$' "$D" "$f" \
	    "$TOP/t/fixtures/lib-aarch64.elf"
}

@test "a process of somebody else's: root is needed" {
	needs_root
	needs_tool setpriv
	OTHER=$(mktemp -d /var/tmp/uXXXX)
	chmod 755 "$OTHER"
	cp "$D" "$OTHER/debugger"
	fails 1 ': root is needed$' as_nobody "$OTHER/debugger" $$
}

@test "one's own process, as an ordinary user" {
	needs_victim live
	if [ "$(id -u)" = 0 ]; then
		needs_tool setpriv
		OTHER=$(mktemp -d /var/tmp/uXXXX)
		chmod 755 "$OTHER"
		cp "$D" "$VICTIMS/live" "$OTHER"
		live setpriv --reuid 65534 --regid 65534 --clear-groups \
		    "$OTHER/live"
		as_nobody "$OTHER/debugger" "$PID" >"$BATS_TEST_TMPDIR/r"
	else
		live
		"$D" "$PID" >"$BATS_TEST_TMPDIR/r"
	fi
	is_report "$BATS_TEST_TMPDIR/r"
	chain_is "$(thread_truth live.c live)" live "$BATS_TEST_TMPDIR/r"
	[ "$(threads "$BATS_TEST_TMPDIR/r" | wc -l)" = 3 ]
}

@test "the process runs on, and stands still for milliseconds" {
	needs_victim live
	live
	"$D" "$PID" >"$BATS_TEST_TMPDIR/r"
	pause=$(value pause_us "$BATS_TEST_TMPDIR/r")
	echo "pause: $pause us"
	[ "$pause" -gt 0 ]
	# 3 ms is measured for 202 threads; a loaded machine gets some rope
	[ "$pause" -lt 500000 ]
	# nobody traces it, nobody is stopped
	grep -q '^TracerPid:.0$' "/proc/$PID/status"
	for t in "/proc/$PID/task/"*; do
		case $(sed 's/.*) \(.\).*/\1/' "$t/stat") in
		[tT]) echo "stopped: $t"; false ;;
		esac
	done
	# and the spinner spins: its processor time grows
	spinner=$(threads "$BATS_TEST_TMPDIR/r" |
	    sed -n 's/ spinner$//p')
	# shellcheck disable=SC2034  # in the eval
	wait_for 20 beyond "$(ticks_of "$spinner")" "$spinner"
}

beyond()
{
	[ "$(ticks_of "$2")" -gt "$1" ]
}

ticks_of()
{
	sed 's/.*) //' "/proc/$PID/task/$1/stat" | cut -d ' ' -f 12
}

@test "-t: one thread alone, first and only" {
	needs_victim live
	live
	"$D" "$PID" >"$BATS_TEST_TMPDIR/all"
	tid=$(threads "$BATS_TEST_TMPDIR/all" | sed -n 's/ reader$//p')
	"$D" -t "$tid" "$PID" >"$BATS_TEST_TMPDIR/r"
	is_report "$BATS_TEST_TMPDIR/r"
	[ "$(value tid "$BATS_TEST_TMPDIR/r")" = "$tid" ]
	[ "$(value pid "$BATS_TEST_TMPDIR/r")" = "$PID" ]
	chain_is "$(thread_truth live.c reader)" live "$BATS_TEST_TMPDIR/r"
	# no other thread was looked at
	[ -z "$(section threads "$BATS_TEST_TMPDIR/r" | frame_rows)" ]
	# a thread id as the operand means its process
	"$D" "$tid" >"$BATS_TEST_TMPDIR/r"
	[ "$(value pid "$BATS_TEST_TMPDIR/r")" = "$PID" ]
}

@test "-f json: valid, and it says the same" {
	needs_victim live
	live
	"$D" "$PID" >"$BATS_TEST_TMPDIR/r"
	"$D" -f json "$PID" >"$BATS_TEST_TMPDIR/j"
	json_valid "$BATS_TEST_TMPDIR/j"
	[ "$(json_get "$BATS_TEST_TMPDIR/j" pid)" = "$PID" ]
	for key in exe comm uid host; do
		[ "$(json_get "$BATS_TEST_TMPDIR/j" $key)" = \
		    "$(value $key "$BATS_TEST_TMPDIR/r")" ]
	done
	"$D" --format=json "$PID" >"$BATS_TEST_TMPDIR/j"
	json_valid "$BATS_TEST_TMPDIR/j"
}

@test "a core, with and without naming the program" {
	a_core
	truth null.c
	"$D" "$CORE" >"$BATS_TEST_TMPDIR/1"
	"$D" "$CORE" "$VICTIMS/null" >"$BATS_TEST_TMPDIR/2"
	is_report "$BATS_TEST_TMPDIR/1"
	chain_is "$TRUTH" null "$BATS_TEST_TMPDIR/1"
	# the kernel's note has a blank after the last argument
	value cmdline "$BATS_TEST_TMPDIR/1" | grep -q '[^ ]$'
	# only the time it was made may differ
	diff <(grep -v '^time: ' "$BATS_TEST_TMPDIR/1") \
	    <(grep -v '^time: ' "$BATS_TEST_TMPDIR/2")
	"$D" -f json "$CORE" >"$BATS_TEST_TMPDIR/j"
	json_valid "$BATS_TEST_TMPDIR/j"
	[ "$(json_get "$BATS_TEST_TMPDIR/j" signal_name)" = SIGSEGV ]
}

@test "a core whose program has gone elsewhere: named, or not found" {
	needs_victim null
	truth null.c
	cp "$VICTIMS/null" "$BATS_TEST_TMPDIR/moved"
	core_of "$BATS_TEST_TMPDIR/moved"
	rm "$BATS_TEST_TMPDIR/moved"
	"$D" "$CORE" "$VICTIMS/null" >"$BATS_TEST_TMPDIR/r"
	frames "$BATS_TEST_TMPDIR/r"
	chain_is "$TRUTH" moved "$BATS_TEST_TMPDIR/r" ||
	    chain_is "$TRUTH" null "$BATS_TEST_TMPDIR/r"
	status=0
	"$D" "$CORE" >"$BATS_TEST_TMPDIR/r" || status=$?
	[ "$status" -le 1 ]
	is_report "$BATS_TEST_TMPDIR/r"
	frames "$BATS_TEST_TMPDIR/r" | head -1 | grep -q 'moved$'
	# a file that is not that program is not believed
	status=0
	"$D" "$CORE" "$VICTIMS/strlen" >"$BATS_TEST_TMPDIR/r" || status=$?
	not grep -q 'crash_here' <(frames "$BATS_TEST_TMPDIR/r")
}

@test "the signature is the same for the same bug, and only then" {
	needs_victim null
	core_of "$VICTIMS/null"
	"$D" "$CORE" >"$BATS_TEST_TMPDIR/1"
	core_of "$VICTIMS/null"
	"$D" "$CORE" >"$BATS_TEST_TMPDIR/2"
	core_of "$VICTIMS/faults" read
	"$D" "$CORE" >"$BATS_TEST_TMPDIR/3"
	one=$(value signature "$BATS_TEST_TMPDIR/1")
	# address randomisation has moved everything
	[ "$(frames "$BATS_TEST_TMPDIR/1" | head -1)" != \
	    "$(frames "$BATS_TEST_TMPDIR/2" | head -1)" ]
	[ "${#one}" = 16 ]
	[ "$one" = "$(value signature "$BATS_TEST_TMPDIR/2")" ]
	[ "$one" != "$(value signature "$BATS_TEST_TMPDIR/3")" ]
}

@test "a truncated core: what is there is told, and that it is partial" {
	a_core
	size=$(stat -c %s "$CORE")
	for part in 2 3 10; do
		head -c $((size / part)) "$CORE" >"$BATS_TEST_TMPDIR/core"
		status=0
		"$D" "$BATS_TEST_TMPDIR/core" >"$BATS_TEST_TMPDIR/r" \
		    2>"$BATS_TEST_TMPDIR/e" || status=$?
		echo "1/$part: $status $(cat "$BATS_TEST_TMPDIR/e")"
		[ "$status" -le 1 ]
		is_report "$BATS_TEST_TMPDIR/r"
		frames "$BATS_TEST_TMPDIR/r" | head -1 | grep -q crash_here
	done
	head -c 1000 "$CORE" >"$BATS_TEST_TMPDIR/core"
	status=0
	"$D" "$BATS_TEST_TMPDIR/core" >"$BATS_TEST_TMPDIR/r" \
	    2>"$BATS_TEST_TMPDIR/e" || status=$?
	[ "$status" = 1 ] || [ "$status" = 100 ]
}

@test "stdout that is full: 111" {
	a_core
	status=0
	"$D" "$CORE" >/dev/full 2>"$BATS_TEST_TMPDIR/e" || status=$?
	[ "$status" = 111 ]
	grep -q 'No space left' "$BATS_TEST_TMPDIR/e"
}

@test "a process that ends while it is looked at" {
	needs_victim live
	# killed at any moment: a report, or one line; never a hang or a crash
	for _ in 1 2 3 4 5 6 7 8; do
		live
		(kill -KILL "$PID") 3>&- 9>&- &
		status=0
		timeout 30 "$D" "$PID" >"$BATS_TEST_TMPDIR/r" \
		    2>"$BATS_TEST_TMPDIR/e" || status=$?
		case $status in
		0 | 1 | 100 | 111) ;;
		*) echo "status $status"; cat "$BATS_TEST_TMPDIR/e"; false ;;
		esac
	done
}

@test "killed itself: the process runs on" {
	needs_victim live
	needs_tool strace
	export ASAN_OPTIONS=detect_leaks=0
	live
	for n in 1 2 4 6 8 10 12; do
		strace -qq -o /dev/null -e trace=ptrace \
		    -e inject=ptrace:signal=KILL:when=$n "$D" "$PID" \
		    >/dev/null 2>&1 || :
		for t in "/proc/$PID/task/"*; do
			wait_for 10 eval "case \$(sed 's/.*) \\(.\\).*/\\1/' \
			    $t/stat) in [tT]) false ;; esac"
		done
		grep -q '^TracerPid:.0$' "/proc/$PID/status"
	done
}

@test "traced by another: said" {
	needs_victim live
	needs_tool strace
	live
	bg strace -qq -f -o /dev/null -p "$PID"
	wait_for 10 not grep -q '^TracerPid:.0$' "/proc/$PID/status"
	status=0
	"$D" "$PID" >"$BATS_TEST_TMPDIR/r" 2>"$BATS_TEST_TMPDIR/e" || status=$?
	cat "$BATS_TEST_TMPDIR/e"
	[ "$status" != 0 ]
	grep -qi 'trace' "$BATS_TEST_TMPDIR/e" "$BATS_TEST_TMPDIR/r"
}
