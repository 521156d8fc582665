# usercrash_c: options, exit codes, its one log line; with a server, without
# one, and with one that misbehaves.

load helper

teardown()
{
	[ -z "${STOPPED:-}" ] || kill -CONT "$STOPPED" 2>/dev/null || :
	pattern_release
}

C=$BIN/usercrash_c

# A core of the null victim, made once for the file: $CORE, of $PID.
a_core()
{
	needs_victim null
	if [ ! -s "$BATS_FILE_TMPDIR/core" ]; then
		core_of "$VICTIMS/null"
		cp "$CORE" "$BATS_FILE_TMPDIR/core"
		echo "$PID" >"$BATS_FILE_TMPDIR/pid"
	fi
	CORE=$BATS_FILE_TMPDIR/core PID=$(cat "$BATS_FILE_TMPDIR/pid")
}

# offline ARGS: on that core, the process gone; output in $BATS_TEST_TMPDIR.
offline()
{
	status=0
	"$C" -o "$BATS_TEST_TMPDIR/r" "$@" <"$CORE" \
	    >"$BATS_TEST_TMPDIR/o" 2>"$BATS_TEST_TMPDIR/e" || status=$?
	echo "status $status: $(cat "$BATS_TEST_TMPDIR/e")"
	REPORT=$BATS_TEST_TMPDIR/r
}

# One line, in the form all programs here use.
one_line()
{
	[ "$(wc -l <"$BATS_TEST_TMPDIR/e")" = 1 ]
	grep -q "^usercrash_c: $1" "$BATS_TEST_TMPDIR/e"
}

# The log lines about process PID in the kernel's log.
kernel_log()
{
	dmesg | grep 'usercrash_c: ' | grep -w "$1"
}

@test "usage: 100 and how to" {
	local args
	for args in '' x '-f' '-f xml 1 x 11' '-n x 1 x 11' \
	    '-o' '--nonsense' '-p -o - 1 x 11' '-m x 1 x 11'; do
		# shellcheck disable=SC2086
		run "$C" -d "$BATS_TEST_TMPDIR/d" $args </dev/null
		echo "$args: $status $output"
		[ "$status" = 100 ]
		[[ "$output" == *"usercrash_c: "* || \
		    "$output" == "usage: usercrash_c "* ]]
	done
}

@test "a core whose process is gone: what the core says" {
	a_core
	offline "$PID" null 11
	[ "$status" -le 1 ]
	one_line 'info: '
	is_report "$REPORT"
	truth null.c
	chain_is "$TRUTH" null "$REPORT"
	[ "$(value pid "$REPORT")" = "$PID" ]
	grep -q '^files: unavailable: ' "$REPORT"
}

@test "-o - is stdout, without a log line in it" {
	a_core
	status=0
	"$C" -o - "$PID" null 11 <"$CORE" >"$BATS_TEST_TMPDIR/r" \
	    2>"$BATS_TEST_TMPDIR/e" || status=$?
	[ "$status" -le 1 ]
	is_report "$BATS_TEST_TMPDIR/r"
	one_line 'info: '
	not grep -q '^usercrash_c: ' "$BATS_TEST_TMPDIR/r"
}

@test "-f json and --format=json are the same report" {
	a_core
	offline -f json "$PID" null 11
	json_valid "$REPORT"
	cp "$REPORT" "$BATS_TEST_TMPDIR/1"
	offline --format=json "$PID" null 11
	json_valid "$REPORT"
	offline --format json "$PID" null 11
	json_valid "$REPORT"
	offline "$PID" null 11
	[ "$(json_get "$BATS_TEST_TMPDIR/1" pid)" = "$PID" ]
	[ "$(json_get "$BATS_TEST_TMPDIR/1" signature)" = \
	    "$(value signature "$REPORT")" ]
	[ "$(json_get "$BATS_TEST_TMPDIR/1" backtrace 0 function)" = \
	    crash_here ]
	[ "$(json_get "$BATS_TEST_TMPDIR/1" backtrace 3 function)" = main ]
	[ $((0x$(frames "$REPORT" | head -1 | cut -d ' ' -f 1))) = \
	    $(($(json_get "$BATS_TEST_TMPDIR/1" backtrace 0 pc))) ]
}

@test "every value of the kernel's may be empty or absent" {
	a_core
	offline --tid= --uid= --gid= --time= --dumpmode= --rlimit= --pidfd= \
	    --host= "$PID" null 11
	[ "$status" -le 1 ]
	is_report "$REPORT"
	frames "$REPORT" | head -1 | grep -q crash_here
}

@test "the kernel's values are in the report" {
	a_core
	offline --tid="$PID" --uid=12 --gid=13 --time=1000000000 \
	    --dumpmode=1 --rlimit=0 --host=faraway "$PID" null 11
	[ "$(value uid "$REPORT")" = 12 ]
	[ "$(value gid "$REPORT")" = 13 ]
	[ "$(value host "$REPORT")" = faraway ]
	[ "$(value time "$REPORT")" = 2001-09-09T01:46:40Z ]
}

@test "pid, comm and signal as options; exe of what is gone" {
	a_core
	offline --pid="$PID" --signal=11 --exe='!gone!far away' --comm=a b c
	[ "$status" -le 1 ]
	[ "$(value pid "$REPORT")" = "$PID" ]
	[ "$(value exe "$REPORT")" = '/gone/far away' ]
	one_line "info: a b c\\[$PID\\] "
	frames "$REPORT" | head -1 | grep -q crash_here
	offline
	[ "$status" = 100 ]
}

@test "-p: the signature and the report's name, alone on stdout" {
	a_core
	offline -p "$PID" null 11
	[ "$status" -le 1 ]
	[ "$(cat "$BATS_TEST_TMPDIR/o")" = \
	    "$(value signature "$REPORT") $REPORT" ]
	# without it: nothing
	offline "$PID" null 11
	[ ! -s "$BATS_TEST_TMPDIR/o" ]
	# into a slot, nobody reading, no frames, no report
	mkdir -m 750 "$BATS_TEST_TMPDIR/d"
	"$C" -p -S /dev/null -d "$BATS_TEST_TMPDIR/d" "$PID" null 11 <"$CORE" \
	    >"$BATS_TEST_TMPDIR/o" || :
	[ "$(cut -d ' ' -f 2 "$BATS_TEST_TMPDIR/o")" = \
	    "$BATS_TEST_TMPDIR/d/usercrash_00" ]
	"$C" -p -o "$REPORT" "$PID" null 11 <"$CORE" >/dev/full || :
	is_report "$REPORT"
	CORE=/dev/null
	offline -p 999999999 null 11
	[ "$(cat "$BATS_TEST_TMPDIR/o")" = "none $REPORT" ]
	offline -p -o /nonexistent/r 999999999 null 11
	[ "$status" = 111 ]
	[ ! -s "$BATS_TEST_TMPDIR/o" ]
}

@test "a process that is not known: what the core says" {
	local pid
	a_core
	for pid in '' 0; do
		offline "$pid" null 11
		[ "$status" -le 1 ]
		is_report "$REPORT"
		[ "$(value pid "$REPORT")" = "$PID" ]
		frames "$REPORT" | head -1 | grep -q crash_here
		grep -q '^files: unavailable: ' "$REPORT"
	done
}

@test "a process that is not known, by the kernel: looked for" {
	needs_victim null
	pattern_lock
	pattern "|$RUND/c -d$RUND/d -S$RUND/s 0 %e %s"
	crash "$VICTIMS/null"
	report_of "$PID"
	section files "$REPORT" | grep -q 'out$'
}

@test "-m: no report while less is free" {
	a_core
	mkdir -m 750 "$BATS_TEST_TMPDIR/d"
	status=0
	"$C" -S /dev/null -d "$BATS_TEST_TMPDIR/d" -m 1073741824 "$PID" null \
	    11 <"$CORE" 2>"$BATS_TEST_TMPDIR/e" || status=$?
	[ "$status" = 111 ]
	grep -q 'No space left' "$BATS_TEST_TMPDIR/e"
	"$C" -S /dev/null -d "$BATS_TEST_TMPDIR/d" -m 0 "$PID" null 11 \
	    <"$CORE" || :
	[ -s "$BATS_TEST_TMPDIR/d/usercrash_00" ]
}

@test "a comm with blanks, split into arguments, is joined" {
	a_core
	offline "$PID" two words here 11
	[ "$status" -le 1 ]
	is_report "$REPORT"
	[ "$(value signal "$REPORT")" = '11 SIGSEGV' ]
	grep -q 'two words here' "$BATS_TEST_TMPDIR/e"
}

@test "stdin is no core: said, and in the log" {
	for what in /dev/null "$TOP/Makefile" "$C"; do
		CORE=$what
		offline 999999999 nobody 11 || :
		[ "$status" = 100 ] || [ "$status" = 1 ] || [ "$status" = 111 ]
		grep -q '^usercrash_c: ' "$BATS_TEST_TMPDIR/e"
	done
}

@test "a report that cannot be written: 111 and why" {
	a_core
	status=0
	"$C" -o /nonexistent/r "$PID" null 11 <"$CORE" \
	    2>"$BATS_TEST_TMPDIR/e" || status=$?
	cat "$BATS_TEST_TMPDIR/e"
	[ "$status" = 111 ]
	grep -q '/nonexistent/r: No such file or directory' \
	    "$BATS_TEST_TMPDIR/e"
	status=0
	"$C" -o - "$PID" null 11 <"$CORE" >/dev/full \
	    2>"$BATS_TEST_TMPDIR/e" || status=$?
	cat "$BATS_TEST_TMPDIR/e"
	[ "$status" = 111 ]
}

@test "-o to what is no file writes there, and leaves it what it is" {
	a_core
	mkfifo "$BATS_TEST_TMPDIR/fifo"
	bg cat "$BATS_TEST_TMPDIR/fifo" >"$BATS_TEST_TMPDIR/r"
	status=0
	timeout 60 "$C" -o "$BATS_TEST_TMPDIR/fifo" "$PID" null 11 <"$CORE" \
	    2>"$BATS_TEST_TMPDIR/e" || status=$?
	cat "$BATS_TEST_TMPDIR/e"
	[ "$status" -le 1 ]
	[ -p "$BATS_TEST_TMPDIR/fifo" ]
	wait_for 20 gone "$BG"
	is_report "$BATS_TEST_TMPDIR/r"
	needs_root
	mknod "$BATS_TEST_TMPDIR/full" c 1 7
	status=0
	"$C" -o "$BATS_TEST_TMPDIR/full" "$PID" null 11 <"$CORE" \
	    2>"$BATS_TEST_TMPDIR/e" || status=$?
	cat "$BATS_TEST_TMPDIR/e"
	[ -c "$BATS_TEST_TMPDIR/full" ]
	[ "$status" = 111 ]
}

@test "environment variables only with -e" {
	needs_victim null
	pattern_direct
	SECRET=hunter2 crash "$VICTIMS/null"
	report_of "$PID"
	is_report "$REPORT"
	not grep -q '^environ' "$REPORT"
	# the stack is shown, but not as far up as the environment
	pattern_direct -e
	SECRET=hunter2 crash "$VICTIMS/null"
	report_of "$PID"
	grep -q '^  SECRET=hunter2' "$REPORT"
}

# --- by the kernel ---------------------------------------------------------

@test "the plainest handler there is: |usercrash_c %p %e %s" {
	needs_victim null
	pattern_lock
	[ ! -e /run/usercrash/usercrash.sock ] ||
	    unmet "needs no standing server"
	had=no
	[ ! -d /var/log/usercrashes ] || had=yes
	rmdir "$RUND/d"
	ln -s /var/log/usercrashes "$RUND/d"
	pattern "|$RUND/c %p %e %s"
	crash "$VICTIMS/null"
	report_of "$PID"
	cp "$REPORT" "$BATS_TEST_TMPDIR/r"
	mode=$(stat -c %u:%a "$REPORT")
	dir=$(stat -c %u:%a /var/log/usercrashes)
	rm -f "$REPORT"
	[ "$had" = yes ] || rm -rf /var/log/usercrashes
	[ "$mode" = 0:640 ]
	[ "$dir" = 0:750 ]
	is_report "$BATS_TEST_TMPDIR/r"
	truth null.c
	chain_is "$TRUTH" null "$BATS_TEST_TMPDIR/r"
}

@test "every option the kernel can fill" {
	needs_victim null
	truth null.c
	pattern_tee
	(ulimit -c 12345 2>/dev/null; crash "$VICTIMS/null"; echo "$PID" \
	    >"$BATS_TEST_TMPDIR/pid")
	PID=$(cat "$BATS_TEST_TMPDIR/pid")
	wait_for 30 test -s "$RUND/d/exit.$PID"
	cat "$RUND/log"
	[ "$(cat "$RUND/d/exit.$PID")" = 0 ]
	REPORT=$RUND/d/report.$PID
	is_report "$REPORT"
	chain_is "$TRUTH" null "$REPORT"
	[ "$(value uid "$REPORT")" = 0 ]
	[ "$(value gid "$REPORT")" = 0 ]
	[ "$(value host "$REPORT")" = "$(uname -n)" ]
	[ "$(value comm "$REPORT")" = null ]
	[ "$(value exe "$REPORT")" = "$VICTIMS/null" ]
	value cmdline "$REPORT" | grep -q 'victims/null'
	# within a minute of now
	then=$(date -u -d "$(value time "$REPORT")" +%s)
	now=$(date +%s)
	[ $((now - then)) -lt 60 ] && [ $((now - then)) -ge 0 ]
	for s in backtrace registers memory instructions stack threads files maps \
	    modules limits status; do
		grep -q "^$s:\$" "$REPORT" || {
			echo "section $s is missing"
			false
		}
	done
	# the order of usercrash-report(5)
	[ "$(grep -o '^[a-z]*:$' "$REPORT" | tr -d '\n')" = \
	    backtrace:registers:memory:instructions:stack:threads:files:maps:modules:limits:status: ]
}

@test "with a server: it gives the slot, both log one line" {
	needs_victim null
	pattern_lock
	server_start
	pattern_direct
	crash "$VICTIMS/null"
	report_of "$PID"
	is_report "$REPORT"
	[ "$(basename "$REPORT")" = usercrash_00 ]
	[ "$(grep -c "pid $PID" "$RUND/log")" = 1 ]
	wait_for 10 kernel_log "$PID"
	[ "$(kernel_log "$PID" | wc -l)" = 1 ]
	kernel_log "$PID" | grep -q 'usercrash_c: info: .*SIGSEGV'
	# and the next one is the next slot
	crash "$VICTIMS/null"
	report_of "$PID"
	[ "$(basename "$REPORT")" = usercrash_01 ]
}

@test "without a server: it takes the slot itself, one line" {
	needs_victim null
	pattern_direct
	crash "$VICTIMS/null"
	report_of "$PID"
	is_report "$REPORT"
	wait_for 10 kernel_log "$PID"
	[ "$(kernel_log "$PID" | grep -c 'info: ')" = 1 ]
	[ "$(stat -c %a "$REPORT")" = 640 ]
}

@test "-n: the ring goes round, oldest first" {
	needs_victim null
	pattern_direct -n2
	for i in 1 2 3; do
		cp "$VICTIMS/null" "$BATS_TEST_TMPDIR/p$i"
		crash "$BATS_TEST_TMPDIR/p$i"
		report_of "$PID"
		eval "pid$i=$PID"
	done
	[ "$(reports)" = 2 ]
	# shellcheck disable=SC2154
	not report_with pid "$pid1"
}

@test "a crash in a program without a core limit is reported too" {
	needs_victim null
	pattern_direct
	(ulimit -c 0; crash "$VICTIMS/null"; echo "$PID" \
	    >"$BATS_TEST_TMPDIR/pid")
	report_of "$(cat "$BATS_TEST_TMPDIR/pid")"
	is_report "$REPORT"
}

@test "core_pipe_limit 0: whatever is left of the process, a report" {
	needs_victim null
	pattern_lock
	server_start
	pattern_direct
	kernel_set $LIMIT 0
	for _ in 1 2 3 4 5; do
		crash "$VICTIMS/null"
		report_of "$PID"
		is_report "$REPORT"
		[ "$(value pid "$REPORT")" = "$PID" ]
		[ "$(value signal "$REPORT")" = '11 SIGSEGV' ]
		frames "$REPORT" | head -1
	done
}
LIMIT=/proc/sys/kernel/core_pipe_limit

@test "a process of 256 MB is let go without reading it all" {
	needs_victim much
	pattern_direct
	truth much.c 'mb 64'
	crash "$VICTIMS/much" mb 256
	report_of "$PID"
	is_report "$REPORT"
	chain_is "$TRUTH" much "$REPORT"
}

@test "100 simultaneous crashes: 100 reports, each told of or counted" {
	needs_victim storm
	pattern_lock
	server_start -n 400 -m 0
	pattern_direct
	: >"$BATS_TEST_TMPDIR/out"
	crash "$VICTIMS/storm" 100
	[ "$STATUS" = 0 ]
	[ "$(wc -l <"$BATS_TEST_TMPDIR/out")" = 100 ]
	wait_for 60 eval '[ "$(reports)" = 100 ]'
	for f in "$RUND"/d/usercrash_*; do
		is_report "$f"
		value pid "$f"
		frames "$f" | head -1 | grep -q ' crash_here storm$'
	done | sort -n >"$BATS_TEST_TMPDIR/pids"
	sort -n "$BATS_TEST_TMPDIR/out" | diff - "$BATS_TEST_TMPDIR/pids"
	# of one program in one minute ten have a line, and the next one of that
	# user says how many had none
	crash "$VICTIMS/null"
	report_of "$PID"
	wait_for 10 all_logged
}

# In the kernel's log, the server's and what is counted.  Whoever else crashes
# meanwhile has a report here as well, and a line may count for him.
all_logged()
{
	local told lines counted
	dmesg | sed -n 's/.*usercrash_c: info: //p' |
	    grep " report $RUND/d/" >"$BATS_TEST_TMPDIR/log"
	told=$(grep -cE "^storm\[($(paste -sd '|' "$BATS_TEST_TMPDIR/pids"))\]" \
	    "$BATS_TEST_TMPDIR/log")
	[ "$(grep -c 'info: usercrash_.* comm storm' "$RUND/log")" = "$told" ]
	grep -q "^null\[$PID\]" "$BATS_TEST_TMPDIR/log"
	lines=$(wc -l <"$BATS_TEST_TMPDIR/log")
	# what the first one counts was before all this
	counted=$(sed -n '1d; s/.*; before it \([0-9]*\) of user .*/\1/p' \
	    "$BATS_TEST_TMPDIR/log" | awk '{ n += $1 } END { print n + 0 }')
	echo "told $told of $lines, counted $counted, reports $(reports)"
	[ "$told" -ge 10 ] && [ $((lines + counted)) = "$(reports)" ]
}

@test "100 simultaneous crashes without a server" {
	needs_victim storm
	pattern_direct -n400
	crash "$VICTIMS/storm" 100
	wait_for 60 eval '[ "$(reports)" = 100 ]'
	for f in "$RUND"/d/usercrash_*; do
		is_report "$f"
	done
}

# --- a server that misbehaves ----------------------------------------------

@test "a server that hangs: the report all the same, the process let go" {
	needs_victim null
	pattern_lock
	server_start
	kill -STOP "$BG"
	STOPPED=$BG
	pattern_direct
	start=$SECONDS
	crash "$VICTIMS/null"
	report_of "$PID"
	[ $((SECONDS - start)) -lt 20 ]
	is_report "$REPORT"
}

@test "a socket nobody listens on any more" {
	needs_victim null
	pattern_lock
	server_start
	kill -KILL "$BG"
	wait "$BG" 2>/dev/null || :
	[ -S "$RUND/s" ] || touch "$RUND/s"
	pattern_direct
	crash "$VICTIMS/null"
	report_of "$PID"
	is_report "$REPORT"
}

# --- kill -9 at any moment -------------------------------------------------

# whole: every published report is complete JSON; nothing half-done is left.
whole()
{
	local f
	for f in "$RUND"/d/usercrash_*; do
		[ -e "$f" ] || continue
		json_valid "$f" || {
			echo "partial: $f"
			return 1
		}
	done
}

# The handler under strace, which kills it at the n-th call of that kind.
# Everything after the kill must be as if nothing had happened.
pattern_killed()
{
	cat >"$RUND/h" <<-EOF
		exec 2>>$RUND/log
		export ASAN_OPTIONS=detect_leaks=0
		exec strace -qq -o /dev/null -e trace=$1 \
		    -e inject=$1:signal=KILL:when=$2 \
		    $BIN/usercrash_c -f json -d$RUND/d -S$RUND/s --tid=\$1 \
		    --pidfd=\$2 \$3 "\$4" \$5
	EOF
	pattern "|/bin/sh $RUND/h %I %F %P %e %s"
}

@test "client killed at any call: no partial file, nothing stuck" {
	needs_victim null
	needs_tool strace
	pattern_lock
	server_start -m 0
	for call in openat:1 openat:5 openat:20 readlinkat:1 pread64:1 \
	    pread64:30 socket:1 connect:1 sendmsg:1 sendmsg:2 recvmsg:1 \
	    write:1 write:2 write:5 close:1 close:20 poll:1 prctl:1 \
	    exit_group:1; do
		pattern_killed "${call%:*}" "${call#*:}"
		crash "$VICTIMS/null"
		gone "$PID"
		whole
	done
	# a slot at most was lost, and not even that
	pattern_direct -fjson
	crash "$VICTIMS/null"
	wait_for 30 json_there "$PID"
	whole
	wait_for 40 nothing_hidden
}

json_there()
{
	local f
	for f in "$RUND"/d/usercrash_*; do
		grep -Eqs "\"pid\": ?$1[,}]" "$f" || continue
		[ "$(json_get "$f" pid)" = "$1" ] && return 0
	done
	return 1
}

# No temporary file is left behind; the lock's own and the ledger are none.
nothing_hidden()
{
	[ -z "$(find "$RUND/d" -name '.[!.]*' ! -name '.slots*' ! -name .turns \
	    ! -name '.ledger*')" ]
}

@test "client killed at any call without a server" {
	needs_victim null
	needs_tool strace
	pattern_lock
	for call in openat:20 fchown:1 fchmod:1 write:1 write:3 linkat:1 \
	    renameat:1 renameat2:1 rename:1 fsync:1 flock:1 fcntl:1 close:10; do
		pattern_killed "${call%:*}" "${call#*:}"
		crash "$VICTIMS/null"
		gone "$PID"
		whole
	done
	pattern_direct -fjson
	crash "$VICTIMS/null"
	wait_for 30 json_there "$PID"
	whole
	nothing_hidden
}

@test "server or its child killed at any call: the next crash is reported" {
	needs_victim null
	needs_tool strace
	pattern_lock
	pattern_direct -fjson
	export ASAN_OPTIONS=detect_leaks=0
	for call in accept4:1 recvmsg:1 recvmsg:2 sendmsg:1 openat:8 linkat:1 \
	    renameat:1 renameat2:1 rename:1 fsync:1 close:5 fork:1 clone:1 \
	    ppoll:3 exit_group:1; do
		rm -f "$RUND/s"
		bg strace -f -qq -o /dev/null -e "trace=${call%:*}" \
		    -e "inject=${call%:*}:signal=KILL:when=${call#*:}" \
		    "$BIN/usercrash_s" -d "$RUND/d" -S "$RUND/s" -m 0 \
		    2>>"$RUND/log"
		strace=$BG
		# some of these kill it before it listens
		wait_for 10 eval '[ -S $RUND/s ] || gone $strace'
		crash "$VICTIMS/null"
		gone "$PID"
		whole
		# strace's end would set it free
		for p in $(pgrep -P "$strace"); do
			kill -KILL "$p" || :
		done
		kill -KILL "$strace" 2>/dev/null || :
		wait "$strace" 2>/dev/null || :
	done
	rm -f "$RUND/s"
	server_start -m 0
	crash "$VICTIMS/null"
	wait_for 30 json_there "$PID"
	whole
	wait_for 40 nothing_hidden
}

@test "kill -9 after any time: client, server and child" {
	needs_victim threads
	pattern_lock
	server_start -m 0
	cat >"$RUND/h" <<-EOF
		exec 5<&0 </dev/null # what sh starts with & has none
		$BIN/usercrash_c -f json -d$RUND/d -S$RUND/s --tid=\$1 \
		    --pidfd=\$2 \$3 "\$4" \$5 <&5 5<&- 2>>$RUND/log &
		sleep \$(cat $RUND/after)
		kill -KILL \$!
		exec 5<&-
		wait
	EOF
	pattern "|/bin/sh $RUND/h %I %F %P %e %s"
	for after in 0 0.001 0.002 0.003 0.004 0.005 0.007 0.01 0.015 0.02; do
		echo "$after" >"$RUND/after"
		crash "$VICTIMS/threads" 20
		gone "$PID"
		whole
	done
	pattern_direct -fjson
	for after in 0 0.001 0.002 0.003 0.005 0.008 0.01; do
		server=$BG
		(
			sleep "$after"
			for p in $(pgrep -P "$server") "$server"; do
				kill -KILL "$p" || :
			done
		) 3>&- 9>&- &
		killer=$!
		crash "$VICTIMS/threads" 20
		wait "$killer" || :
		wait "$server" 2>/dev/null || :
		gone "$PID"
		whole
		rm -f "$RUND/s"
		server_start -m 0
	done
	crash "$VICTIMS/null"
	wait_for 30 json_there "$PID"
	whole
}

# In a UTS and a mount namespace, in a cgroup as docker makes them.
boxed()
{
	local id v2
	id=3f2a9c1b04de5a7788990011223344556677889900aabbccddeeff0011223344
	v2=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts)
	BOX=$v2/docker-$id.scope
	[ -n "$v2" ] && mkdir "$BOX" 2>/dev/null || BOX=
	# shellcheck disable=SC2016
	crash unshare -u -m sh -c 'printf box9 >/proc/sys/kernel/hostname
	    [ -z "$1" ] || echo $$ >"$1/cgroup.procs"
	    exec "$2"' - "$BOX" "$VICTIMS/null"
	report_of "$PID"
	[ -z "$BOX" ] || rmdir "$BOX"
}

# What of ours the kernel's handler does not share, which is where kthreadd is:
# in a chroot with mounts of its own, those.
own_namespaces()
{
	local name id
	for name in pid mnt net user uts ipc cgroup; do
		id=$(readlink /proc/self/ns/$name)
		[ "$id" = "$(readlink /proc/2/ns/$name)" ] ||
		    echo "$id" | tr -d '[]'
	done
}

@test "a crash in a container: its id, its host name, and ours" {
	needs_victim null
	needs_tool unshare
	pattern_direct --host=%h
	boxed
	is_report "$REPORT"
	head -40 "$REPORT"
	[ "$(value host "$REPORT")" = "$(uname -n)" ]
	[ "$(value container_host "$REPORT")" = box9 ]
	value container "$REPORT" | grep -Eqx 'mnt:[0-9]+ uts:[0-9]+'
	[ -z "$BOX" ] || {
		[ "$(value cgroup "$REPORT")" = "/${BOX##*/}" ]
		[ "$(value container_runtime "$REPORT")" = docker ]
		[ "docker-$(value container_id "$REPORT").scope" = \
		    "${BOX##*/}" ]
	}
	# a crash of our own has none of it, but for what is ours alone as well
	crash "$VICTIMS/null"
	report_of "$PID"
	[ "$(value host "$REPORT")" = "$(uname -n)" ]
	not grep -q '^container_' "$REPORT"
	[ "$(cat /proc/2/comm)" != kthreadd ] ||
	    [ "$(value container "$REPORT" | tr ' ' '\n')" = \
		"$(own_namespaces)" ]
}
