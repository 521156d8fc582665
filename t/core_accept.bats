# core_accept: the kernel's coredump socket, and every handler of a pipe behind
# it, told the same as there

load helper

# every specifier that core(5) has, one that it has not, and one of two
SPEC='%P %p %i %I %u %g %d %s %h %e %f %E %c %F a%zb %%x %e,%s'

setup()
{
	T=$BATS_TEST_TMPDIR
	CA=
}

teardown()
{
	# one with -p sets core_pattern when its watcher goes: not after us
	pkill_acceptors
	[ -z "$CA" ] || kill -CONT $(pgrep -P "$CA") 2>/dev/null || :
	pattern_release
}

# What the servers of this test have left: they end with no word to the kernel.
pkill_acceptors()
{
	local p
	for p in ${BGS:-}; do
		[[ $(readlink "/proc/$p/exe") == */core_accept ]] || continue
		kill -STOP "$p"
		# shellcheck disable=SC2046
		kill -KILL $(pgrep -P "$p") "$p" 2>/dev/null || :
	done
}

# The kernel has such sockets, and the lock is ours.
needs_socket()
{
	needs_kernel
	pattern_lock
	kernel_set /proc/sys/kernel/core_pattern "@@$RUND/s" ||
	    unmet "needs coredump sockets (Linux 6.17), set where init mounts"
	kernel_restore
}

# handler: a script at $RUND/h that writes what it was given to $RUND/d/args.PID
# of the crashed process: its first argument is where, its second that.
handler()
{
	cat >"$RUND/h" <<-EOF
		#!/bin/sh
		out=$RUND/d/args.\$1
		{
			shift
			printf '<%s>\n' "\$@"
			head -c 4 | od -An -c
			readlink /proc/\$\$/fd/3
			grep CoreDumping "/proc/\$1/status"
			cat >/dev/null
		} >\$out.new 2>&1
		mv \$out.new \$out
	EOF
	chmod 755 "$RUND/h"
}

# accept ARGS...: a server at $RUND/s, and the kernel told.
accept_start()
{
	"$BIN/core_accept" -l "$RUND/s" "$@" 2>"$RUND/log" 3>&- 9>&- &
	CA=$!
	BGS="${BGS:-} $CA"
	wait_for 30 test -S "$RUND/s"
	pattern "@@$RUND/s"
}

accept_stop()
{
	kill "$CA"
	wait "$CA"
	CA=
}

# args: what the handler was told, those numbers that are of this crash alone
# by the name they have.
args()
{
	wait_for 30 eval "ls $RUND/d/args.* 2>/dev/null | grep -qv new"
	set -- "$(sed -n '1s/[<>]//gp' "$RUND"/d/args.*)"
	sed "s/^<$1>\$/<PID>/" "$RUND"/d/args.*
	rm "$RUND"/d/args.*
}

# same_as_pipe COMMAND...: its handler is told the same behind either.
same_as_pipe()
{
	local w=$STATUS
	pattern "|$RUND/h %P $SPEC"
	crash "$@"
	w=$STATUS
	args >"$T/pipe"
	pattern "@@$RUND/s"
	crash "$@"
	args >"$T/socket"
	[ "$STATUS" = "$w" ]
	cat "$T/pipe"
	diff "$T/pipe" "$T/socket"
}

@test "usage: a word on what is wrong, before any crash" {
	local bad
	for bad in "" "-l /run/x" "-i -l /run/x true" "true" "-l x true" \
	    "-c 0 -i true" "-l /run/x /nowhere/true"; do
		RC=0
		# shellcheck disable=SC2086
		"$BIN/core_accept" $bad </dev/null 2>"$T/err" || RC=$?
		echo "$bad: $RC $(cat "$T/err")"
		[ "$RC" = 100 ]
		[ -s "$T/err" ]
	done
	RC=0
	"$BIN/core_accept" -l "/run/a b" true 2>"$T/err" || RC=$?
	[ "$RC" = 100 ]
	grep -q 'takes no blanks' "$T/err"
	RC=0
	"$BIN/core_accept" -i true </dev/null 2>"$T/err" || RC=$?
	[ "$RC" = 100 ]
	grep -q 'fd 0 is not a local connection' "$T/err"
}

@test "every specifier as behind the pipe" {
	needs_socket
	needs_victim null
	needs_victim threads
	handler
	accept_start "$RUND/h" %P $SPEC
	same_as_pipe "$VICTIMS/null"
	grep -qx '<11>' "$T/pipe"
	grep -q 'CoreDumping:.1' "$T/pipe"
	grep -q 'pidfd' "$T/pipe"
	grep -q '177   E   L   F' "$T/pipe"
	# RLIMIT_CORE as it is, and 0 is one
	(ulimit -c unlimited; same_as_pipe "$VICTIMS/null")
	grep -qx '<18446744073709551615>' "$T/pipe"
	# a name that is none, in a directory that looks like one
	mkdir "$T/a b"
	cp "$VICTIMS/null" "$T/a b/%s x!"
	same_as_pipe "$T/a b/%s x!"
	grep -qx '<%s x!>' "$T/pipe"
	cp "$VICTIMS/null" "$T/.."x
	same_as_pipe "$T/..x"
	accept_stop
	not test -e "$RUND/s"
}

@test "another user, and a program with root's rights: as behind the pipe" {
	needs_socket
	needs_victim null
	needs_tool setpriv
	handler
	kernel_set /proc/sys/fs/suid_dumpable 2
	accept_start "$RUND/h" %P $SPEC
	cp "$VICTIMS/null" "$RUND/d/null"
	chmod 755 "$RUND" "$RUND/d" "$RUND/d/null"
	same_as_pipe setpriv --reuid 65534 --regid 65534 --clear-groups \
	    "$RUND/d/null"
	grep -qx '<65534>' "$T/pipe"
	chmod 4755 "$RUND/d/null"
	same_as_pipe setpriv --reuid 65534 --regid 65534 --clear-groups \
	    "$RUND/d/null"
	[ "$(sed -n 5,7p "$T/pipe" | tr '\n' ' ')" = "<65534> <65534> <2> " ]
}

@test "in namespaces and a root of its own: as behind the pipe" {
	needs_socket
	needs_victim null_static
	unshare -r -p -f -m -u true 2>/dev/null || unmet "needs namespaces"
	handler
	accept_start "$RUND/h" %P $SPEC
	mkdir -p "$RUND/d/root/bin"
	cp "$VICTIMS/null_static" "$RUND/d/root/bin/null"
	# shellcheck disable=SC2016
	same_as_pipe chroot "$RUND/d/root" /bin/null
	grep -qx '<!bin!null>' "$T/pipe"
	printf '#!/bin/sh\nhostname other.host\n"%s" & wait\n' \
	    "$VICTIMS/null_static" >"$T/inside"
	chmod 755 "$T/inside"
	same_as_pipe unshare -p -f -m -u "$T/inside"
	grep -qx '<other.host>' "$T/pipe"
	grep -qx '<3>' "$T/pipe"
}

@test "the thread that crashed, and its report as behind the pipe" {
	needs_socket
	needs_victim threads
	truth threads.c 1
	# shellcheck disable=SC2086
	accept_start "$BIN/usercrash_c" -d"$RUND/d" -S"$RUND/none" $HANDLER_ARGS
	crash "$VICTIMS/threads" 1
	report_of "$PID"
	is_report "$REPORT"
	[ "$(value thread "$REPORT")" = crasher ]
	section backtrace "$REPORT" | grep -q ' crash_here+'
	grep -o '^[a-z_]*:' "$REPORT" | sort -u >"$T/socket"
	rm "$RUND"/d/usercrash_*
	pattern_direct
	crash "$VICTIMS/threads" 1
	report_of "$PID"
	grep -o '^[a-z_]*:' "$REPORT" | sort -u >"$T/pipe"
	diff "$T/pipe" "$T/socket"
}

@test "handlers are not handed to themselves; what cannot run is said" {
	needs_socket
	needs_victim null
	handler
	accept_start "$VICTIMS/null"
	crash "$VICTIMS/null"
	wait_for 30 grep -q "null\[[0-9]*\] signal 11: refused: RLIMIT_CORE" \
	    "$RUND/log"
	[ "$(grep -c refused "$RUND/log")" = 1 ]
	accept_stop
	cp "$RUND/h" "$RUND/h2"
	accept_start "$RUND/h2" %P $SPEC
	rm "$RUND/h2"
	crash "$VICTIMS/null"
	wait_for 30 grep -q "^core_accept: warning: null\[$PID\] signal 11, uid 0, exe $VICTIMS/null: core lost: unable to $RUND/h2: No such file" \
	    "$RUND/log"
}

@test "who is not dumping is not served" {
	needs_socket
	needs_tool python3
	handler
	accept_start "$RUND/h" %P $SPEC
	python3 -c 'import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.settimeout(60)
try: sys.exit(len(s.recv(16)))
except ConnectionResetError: pass' "$RUND/s"
	grep -q "pid [0-9]*: it is not dumping core" "$RUND/log"
	not ls "$RUND"/d/args.*
}

@test "a queue: one child, crashes in their turn" {
	needs_socket
	needs_victim null
	handler
	accept_start -c 1 "$RUND/h" %P $SPEC
	sed -i '2i sleep 0.2' "$RUND/h"
	for _ in 1 2 3 4 5 6 7 8; do
		bg "$VICTIMS/null"
	done 2>/dev/null
	wait_for 60 eval "[ \$(ls $RUND/d | grep -c '^args[.0-9]*\$') = 8 ]"
	not grep -q lost "$RUND/log"
}

@test "no place left, no time left: said who it was" {
	needs_socket
	needs_victim null
	printf '#!/bin/sh\n: >%s\nwhile [ ! -e %s ]; do sleep 0.05; done\n' \
	    "$RUND/d/began" "$RUND/d/go" >"$RUND/h"
	chmod 755 "$RUND/h"
	accept_start -c 1 -w 1 "$RUND/h"
	bg "$VICTIMS/null"
	wait_for 30 test -e "$RUND/d/began"
	crash "$VICTIMS/null"
	[ "$STATUS" = 139 ]
	wait_for 30 grep -q "null\[$PID\] signal 11, uid 0, exe .*: core lost: too many" "$RUND/log"
	touch "$RUND/d/go"
}

@test "acceptor killed, or stopped: the next crash is served, and those that wait" {
	needs_socket
	needs_victim null
	handler
	accept_start "$RUND/h" %P $SPEC
	wait_for 30 pgrep -P "$CA"
	kill -KILL "$(pgrep -P "$CA")"
	crash "$VICTIMS/null"
	args >/dev/null
	grep -q 'has ended (signal 9): another one is started' "$RUND/log"
	wait_for 30 pgrep -P "$CA"
	kill -STOP "$(pgrep -P "$CA")"
	crash "$VICTIMS/null"
	args >/dev/null
	grep -q 'did not answer' "$RUND/log"
	accept_stop
}

@test "all of it killed: nobody stands still, and a new one begins" {
	needs_socket
	needs_victim null
	handler
	accept_start "$RUND/h" %P $SPEC
	wait_for 30 pgrep -P "$CA"
	kill -STOP "$(pgrep -P "$CA")"
	bg "$VICTIMS/null"
	P=$BG
	wait_for 30 grep -q 'CoreDumping:.1' "/proc/$P/status"
	A=$(pgrep -P "$CA")
	kill -KILL "$CA" "$A"
	wait_for 30 gone "$P"
	accept_start "$RUND/h" %P $SPEC
	crash "$VICTIMS/null"
	args >/dev/null
	accept_stop
}

@test "under socket activation, a process for each and one for all" {
	needs_socket
	needs_victim null
	needs_tool systemd-socket-activate
	handler
	local how
	for how in "--accept --inetd" ""; do
		# shellcheck disable=SC2086
		bg systemd-socket-activate -l "$RUND/s" $how \
		    "$BIN/core_accept" ${how:+-i} "$RUND/h" %P $SPEC
		wait_for 30 test -S "$RUND/s"
		pattern "@@$RUND/s"
		crash "$VICTIMS/null"
		args >"$T/args"
		grep -qx '<11>' "$T/args"
		kernel_restore
		end_bgs
		rm -f "$RUND/s"
	done
}

# --- usercrash_c, standing by ------------------------------------------------

# listen ARGS...: usercrash_c at $RUND/s, and the kernel told.
listen()
{
	"$BIN/usercrash_c" -d "$RUND/d" -S "$RUND/none" "$@" \
	    --listen "$RUND/s" 2>"$RUND/log" 3>&- 9>&- &
	CA=$!
	BGS="${BGS:-} $CA"
	wait_for 30 test -S "$RUND/s"
	kernel_set /proc/sys/kernel/core_pipe_limit 1024
	pattern "@@$RUND/s"
}

# The lines of a report that are the same for each crash of that program.
lasting()
{
	report_of "$PID"
	is_report "$REPORT"
	grep -Ev '^(time|pid|tid|started|uptime|runtime|age|host)[a-z_]*: ' \
	    "$REPORT" | sed -n '1,/^$/p' |
	    sed 's/0x[0-9a-f]*/0x/g; s/ago.*//; s/[0-9.]* s//' >"$1"
	stat -c '%a %U %G' "$REPORT" >>"$1"
	section backtrace "$REPORT" | sed 's/ pc [0-9a-f]*//' >>"$1"
	rm "$REPORT"
}

@test "usercrash_c --listen: what it reports is as behind the pipe" {
	needs_socket
	needs_victim threads
	listen
	crash "$VICTIMS/threads" 1
	lasting "$T/socket"
	grep -q 'crash_here' "$T/socket"
	pattern_direct
	crash "$VICTIMS/threads" 1
	lasting "$T/pipe"
	diff "$T/pipe" "$T/socket"
	pattern "@@$RUND/s"
	cp "$VICTIMS/null" "$RUND/d/null"
	chmod 755 "$RUND" "$RUND/d" "$RUND/d/null"
	crash setpriv --reuid 65534 --regid 65534 --clear-groups "$RUND/d/null"
	report_of "$PID"
	[ "$(value uid "$REPORT")" = 65534 ]
	[ "$(value comm "$REPORT")" = null ]
	accept_stop
	not test -e "$RUND/s"
}

@test "usercrash_c --listen: who dumps not is refused" {
	needs_socket
	needs_tool python3
	listen
	python3 -c 'import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.settimeout(60)
try: sys.exit(len(s.recv(16)))
except ConnectionResetError: pass' "$RUND/s"
	grep -q "pid [0-9]*: it is not dumping core" "$RUND/log"
	[ "$(reports)" = 0 ]
}

@test "usercrash_c --listen: a worker that was taken over is behind the same door" {
	needs_socket
	needs_victim null
	[ -x "$BUILD/t/taken/usercrash_c" ] || unmet "make units"
	bg sleep 1000
	export TAKEN_OVER_AT=$BG
	TAKEN_OVER="exec" "$BUILD/t/taken/usercrash_c" -d "$RUND/d" \
	    -S "$RUND/none" --listen "$RUND/s" 2>"$RUND/log" 3>&- 9>&- &
	CA=$!
	BGS="${BGS:-} $CA"
	wait_for 30 test -S "$RUND/s"
	kernel_set /proc/sys/kernel/core_pipe_limit 1024
	pattern "@@$RUND/s"
	crash "$VICTIMS/null"
	report_of "$PID"
	grep -q '^incomplete: .*forbids' "$REPORT"
	# and the next one is served as well
	crash "$VICTIMS/null"
	report_of "$PID"
	unset TAKEN_OVER_AT
}

@test "usercrash_c --listen: killed, and stopped; a storm of 100, each reported" {
	needs_socket
	needs_victim null
	listen -n 200 -s 200
	kill -KILL "$(pgrep -P "$CA")"
	crash "$VICTIMS/null"
	report_of "$PID"
	for _ in {1..100}; do
		bg "$VICTIMS/null"
	done 2>/dev/null
	wait_for 120 eval '[ "$(reports)" = 101 ]'
	not grep -qi lost "$RUND/log"
}

@test "usercrash_c --listen: usage" {
	local bad
	for bad in "--listen x" "--listen /run/x 1" "-p --listen /run/x" \
	    "-o /dev/null --listen /run/x"; do
		RC=0
		# shellcheck disable=SC2086
		"$BIN/usercrash_c" $bad </dev/null 2>"$T/err" || RC=$?
		[ "$RC" = 100 ]
		[ -s "$T/err" ]
	done
}

# is_pattern GLOB: whether core_pattern is like that.
is_pattern()
{
	# shellcheck disable=SC2053
	[[ $(cat /proc/sys/kernel/core_pattern) == $1 ]]
}

@test "-p: the socket once it answers, the pipe at the end, and theirs stays" {
	needs_socket
	needs_victim null
	handler
	[ "$("$BIN/core_accept" -k)" = @@ ]
	kernel_set /proc/sys/kernel/core_pattern core
	kernel_set /proc/sys/kernel/core_pipe_limit 1024
	bg "$BIN/core_accept" -p -l "$RUND/s" "$RUND/h" %P %e 2>"$RUND/log"
	wait_for 30 is_pattern "@@$RUND/s"
	crash "$VICTIMS/null"
	args >/dev/null
	kill "$BG"
	wait_for 30 gone "$BG"
	is_pattern "|$RUND/h %P %e"
	crash "$VICTIMS/null"
	args >/dev/null
	# the watcher is killed: the acceptor does it
	bg "$BIN/core_accept" -p -l "$RUND/s" "$RUND/h" %P %e 2>>"$RUND/log"
	wait_for 30 is_pattern "@@$RUND/s"
	kill -KILL "$BG"
	wait_for 30 is_pattern "|$RUND/h %P %e"
	bg "$BIN/core_accept" -p -l "$RUND/s" "$RUND/h" %P %e 2>>"$RUND/log"
	wait_for 30 is_pattern "@@$RUND/s"
	kernel_put /proc/sys/kernel/core_pattern "|/bin/false %P"
	kill "$BG"
	wait_for 30 gone "$BG"
	is_pattern "|/bin/false %P"
}

@test "-p: those that wait when it ends are served" {
	needs_socket
	needs_victim null
	handler
	sed -i '2i sleep 0.1' "$RUND/h"
	kernel_set /proc/sys/kernel/core_pattern core
	kernel_set /proc/sys/kernel/core_pipe_limit 1024
	bg "$BIN/core_accept" -p -c 2 -l "$RUND/s" "$RUND/h" %P %e \
	    2>"$RUND/log"
	A=$BG
	wait_for 30 is_pattern "@@$RUND/s"
	for _ in {1..20}; do
		bg "$VICTIMS/null"
	done 2>/dev/null
	wait_for 30 eval "ls $RUND/d | grep -q args"
	kill "$A"
	wait_for 60 eval "[ \$(ls $RUND/d | grep -c '^args[.0-9]*\$') = 20 ]"
	not grep -q lost "$RUND/log"
	# what it does last is to set core_pattern
	wait_for 60 gone "$A"
}

@test "-p: no pattern can be made of that command" {
	local bad
	for bad in "true" "/bin/true a\ b" "/bin/true $(printf '%0120d' 0)"; do
		RC=0
		eval "$BIN/core_accept" -p -l /run/x "$bad" 2>"$T/err" || RC=$?
		[ "$RC" = 100 ]
		grep -q 'option -p: no core_pattern can be made' "$T/err"
	done
}

@test "the socket of Linux 6.16, where nothing is asked" {
	needs_socket
	needs_victim null
	handler
	accept_start "$RUND/h" %P $SPEC
	pattern "@$RUND/s"
	crash "$VICTIMS/null"
	args >"$T/args"
	grep -qx '<11>' "$T/args"
	grep -q 'CoreDumping:.1' "$T/args"
	not grep -q . "$RUND/log"
}

@test "a storm of 100: each served" {
	needs_socket
	needs_victim null
	handler
	accept_start "$RUND/h" %P $SPEC
	for _ in {1..100}; do
		bg "$VICTIMS/null"
	done 2>/dev/null
	wait_for 120 eval "[ \$(ls $RUND/d | grep -c '^args[.0-9]*\$') = 100 ]"
	not grep -q lost "$RUND/log"
}
