# A fault at every step: each system call of each program fails, is cut short or
# kills it, in turn.  Whatever it was: the process is let go, a file under its
# final name is whole, what is said is true, the next crash works, and nothing
# is left.
#
# Here, a few points of each program; "make faults" (FAULTS=all) is all of them,
# which takes hours.  FAULTS=501-900 are those of each test, in their order: so
# one is gone on with, or shared out (bats -f wrapper t/faults.bats).
#
# What is described is one process that the kernel holds, and its core comes
# through a pipe: its end is that it has been let go.  Now and then one crashes
# that has the handler for its own; only for that is the kernel's pattern ours.
#
# not with sanitizers: what they do at the end is not ours to fail

# shellcheck disable=SC2016,SC2153

load helper
load wrapper

F=$BUILD/t/fault_at

setup()
{
	[ -x "$F" ] || unmet "fault_at is not built here"
	D=$(mktemp -d /tmp/fl.XXXXXX)
	chmod 755 "$D"
	BAD=0 RUN=0 PATTERN='' LOCKED=''
}

teardown()
{
	rm -f "$D/held"
	if [ -z "$LOCKED" ]; then
		# what is set now is somebody else's
		end_bgs
		[ -z "${RUND:-}" ] || rm -rf "$RUND"
		RUND=
	fi
	pattern_release
	end_bgs
	wait_for 20 rm -rf "$D"
}

# lock; unlock: the kernel's settings, for as long as something crashes.
lock()
{
	if [ -z "${RUND:-}" ]; then
		pattern_lock
	else
		kernel_lock
	fi
	LOCKED=1
	[ -z "$PATTERN" ] || pattern "$PATTERN"
}

unlock()
{
	kernel_restore && kernel_unlock && LOCKED=
}

# hold: a process that has crashed and stays, $HELD, and its core, $D/core,
# until the test has ended.
hold()
{
	cat >"$RUND/hold" <<-EOF
		cat >$D/core
		echo \$1 >$D/pid
		mv $D/pid $D/held
		while [ -e $D/held ] && kill -0 $TEST_SHELL 2>/dev/null; do
			sleep 1
		done
	EOF
	pattern "|/bin/sh $RUND/hold %P"
	bg "$VICTIMS/null"
	wait_for 60 test -e "$D/held"
	HELD=$(cat "$D/held")
}

# handled COMMAND...: with the core of $HELD on its stdin.  Fails where whoever
# writes the core is not let go.
handled()
{
	local rcs
	grep -q '^CoreDumping:.1' "/proc/$HELD/status" || {
		echo "$HELD is held no more"
		return 1
	}
	timeout -s KILL 90 cat "$D/core" 2>/dev/null 3>&- |
	    timeout -s KILL 100 "$@" 3>&-
	rcs=("${PIPESTATUS[@]}")
	RC=${rcs[1]}
	[ "${rcs[0]}" != 137 ] || {
		echo "the process was not let go"
		return 1
	}
}

# --- points ----------------------------------------------------------------

# points FILE: the calls of a run without fault -> "P:N FAULT" of all that make
# sense; or of every so manieth of them.
points()
{
	awk '
	function add(list,  i, n, f) {
		n = split(list, f, " ")
		for (i = 1; i <= n; i++)
			print $1, f[i]
	}
	$1 == "1:1" { next }
	$2 ~ /^(exit|exit_group|rt_sigreturn)$/ { add("KILL"); next }
	# what cannot fail so, or is only asked
	$2 ~ /^(rt_sig|close|munmap|umask|brk|lseek|madvise|fcntl|[gs]etp)/ {
		add("KILL"); next }
	$2 ~ /^wait/ { add("KILL EINTR"); next }
	{ add("KILL EIO") }
	$2 ~ /^(open|openat|socket|accept4|pipe2?|dup[23]?|recvmsg)$/ {
		add("EMFILE") }
	$2 ~ /^(mmap|mprotect|clone3?|v?fork|execve|open|openat|socket)$/ {
		add("ENOMEM") }
	$2 ~ /^(open|openat|p?write(64|v)?|ftruncate|fallocate|f(data)?sync|mkdir(at)?|link(at)?|rename(at2?)?|symlink(at)?)$/ {
		add("ENOSPC") }
	$2 ~ /^(open|openat|read|write|p?poll|connect|accept4|send(to|msg)|recv(from|msg)|flock|f(data)?sync|readv|writev)$/ {
		add("EINTR") }
	$2 ~ /^(read|write|pread64|pwrite64|recvfrom|sendto)$/ {
		add("short") }' "$1" >"$D/points"
	case ${FAULTS:-} in
	all) ;;
	*-*)
		sed -n "${FAULTS%-*},${FAULTS#*-}p" "$D/points" >"$D/some"
		mv "$D/some" "$D/points"
		;;
	*)
		awk -v all="$(wc -l <"$D/points")" -v n="${FAULTS:-8}" '
			BEGIN { step = all / n; at = step / 2 }
			NR > at { print; at += step }' "$D/points" >"$D/some"
		mv "$D/some" "$D/points"
		;;
	esac
}

# each FUNCTION NEXT: for every point; what does not hold is told, and fails the
# test at the end.  Now and then, and at the end, NEXT is called: all must be
# well.
each()
{
	local point fault since=$SECONDS
	while read -r point fault <&7; do
		RUN=$((RUN + 1))
		"$1" "$point" "$fault" >"$D/said" 2>&1 || bad
		[ $((SECONDS - since)) -ge 30 ] || continue
		"$2" >"$D/said" 2>&1 || bad
		since=$SECONDS
	done 7<"$D/points"
	"$2" >"$D/said" 2>&1 || bad
	echo "# $RUN points, $BAD bad" >&3
	[ "$BAD" = 0 ]
}

bad()
{
	BAD=$((BAD + 1))
	{
		echo "at $point $fault: $(tail -n 1 "$D/hit")"
		tail -n 20 "$D/said"
	} | sed 's/^/# /' >&3
}

# end PROCESS: the last that bg started; its id may soon be another's.
end()
{
	kill -KILL "$1" 2>/dev/null || :
	wait "$1" 2>/dev/null || :
	BGS=${BGS%" $1"}
}

# --- the kernel's handler --------------------------------------------------

# handler WORDS...: in core_pattern, under fault_at; the sixth and later words
# that the kernel adds are "$@" there.  Its end is $D/end, with its exit code.
handler()
{
	cat >"$RUND/h" <<-EOF
		exec 2>>$D/log
		read -r point fault <$D/point
		exec 5<&0 </dev/null
		$F -o $D/hit \$point \$fault $* <&5 5<&- &
		exec 5<&-
		rc=0
		wait \$! || rc=\$?
		echo \$rc >$D/end
	EOF
	PATTERN="|/bin/sh $RUND/h %P %I %u %d %c %s %e"
}

# at POINT FAULT: the handler, for the process that is held, to its end, $RC.
at()
{
	begin "$1" "$2"
	handled /bin/sh "$RUND/h" "$HELD" "$HELD" 0 1 0 11 null || return 1
	ended
}

begin()
{
	echo "$1 $2" >"$D/point"
	rm -f "$D/end" "$D/hit"
	: >"$D/log"
	unstore
}

ended()
{
	wait_for 60 test -s "$D/end" || return 1
	RC=$(cat "$D/end")
	cat "$D/log"
}

# crash_well: a crash of its own, without a fault.
crash_well()
{
	local rc=0
	lock
	begin 1:1 none
	crash "$VICTIMS/null"
	# the parent's id is not that of the victim
	ended || rc=1
	unlock || rc=1
	[ $rc = 0 ] && [ "$STATUS" != 137 ] && [ "$RC" = 0 ]
}

# new_report: the one that was published now, in $REPORT, if any.
new_report()
{
	REPORT=$(find "$RUND/d" -name 'usercrash_*' -newer "$D/point" | head -1)
}

# Every report is whole that has been written since $D/point was: fifty of them
# would be looked at for each point.
reports_whole()
{
	local f
	while read -r f; do
		[ ! -e "$f" ] || json_valid "$f" || return 1
	done < <(find "$RUND/d" -name 'usercrash_*' -newer "$D/point")
}

hidden()
{
	find "$RUND/d" -name '.[!.]*' ! -name '.slots*' ! -name .ledger ! -name .turns | grep .
}

# started: the program had come as far as main.
started()
{
	awk '{ split($1, p, ":") } END { exit !(p[1] > 1 || p[2] > 24) }' "$D/hit"
}

# said_or_cannot FAULT: a report, or a line of the log about this crash (of many,
# some are only counted), but where none was to be had: it was killed, or writing
# the line is what failed.
said_or_cannot()
{
	[ "$1" != KILL ] && [ -z "$REPORT" ] || return 0
	started || return 0
	! grep -q '^1:[0-9]* write 2$' "$D/hit" || return 0
	grep -q 'usercrash_c: [a-z]*: .*null\[[0-9]*\]' "$D/log" || {
		echo "no line of it in the log"
		return 1
	}
}

# --- usercrash_c -----------------------------------------------------------

client()
{
	handler "$BIN/usercrash_c" -fjson "-d$RUND/d" "-S$RUND/s" -m0 \
	    '--tid=$2 --uid=$3 --dumpmode=$4 --rlimit=$5 $1 "$7" $6'
	hold
	unlock
	at 1:1 none
	[ "$RC" = 0 ]
	cp "$D/hit" "$D/calls"
	points "$D/calls"
}

client_point()
{
	at "$1" "$2" && reports_whole || return 1
	new_report
	if [ "$RC" = 0 ]; then
		if [ -z "$REPORT" ] || grep -q '"incomplete"' "$REPORT"; then
			echo "exit 0, and no whole report"
			return 1
		fi
	fi
	said_or_cannot "$2"
}

client_next()
{
	crash_well && new_report || return 1
	[ -n "$REPORT" ] && reports_whole || return 1
	wait_for 60 idle_but_server || return 1
	# of one killed between link and rename the lock's next holder sees
	wait_for 60 not hidden
}

idle_but_server()
{
	[ "$(pgrep -fc "usercrash_c .*$RUND/d")" = 0 ]
}

@test "usercrash_c, without a server" {
	needs_victim null
	lock
	client
	each client_point client_next
}

@test "usercrash_c, with a server" {
	needs_victim null
	lock
	server_start -m 0
	client
	each client_point client_next
}

# --- usercrash_s -----------------------------------------------------------

# serve POINT FAULT: a server under fault_at, until it listens or ends.
serve()
{
	rm -f "$RUND/s" "$D/hit"
	bg "$F" -o "$D/hit" "$1" "$2" "$BIN/usercrash_s" -d "$RUND/d" \
	    -S "$RUND/s" -m 0 2>>"$D/log"
	SERVER=$BG
	wait_for 30 listening_or_gone
}

listening_or_gone()
{
	[ -S "$RUND/s" ] || gone "$SERVER"
}

unserve()
{
	end "$SERVER"
	wait_for 30 no_server
}

no_server()
{
	[ "$(pgrep -fc "usercrash_s .*$RUND/d")" = 0 ]
}

# Whatever became of the server, there is a report.
server_point()
{
	: >"$D/log"
	serve "$1" "$2" || return 1
	touch "$D/point"
	local rc=0
	handled "$RUND/c" -fjson "-d$RUND/d" "-S$RUND/s" -m0 --uid=0 \
	    --dumpmode=1 --rlimit=0 "$HELD" null 11 2>>"$D/log" || rc=1
	new_report
	grep -q "\"pid\": *${HELD}[,}]" "$REPORT" && reports_whole || rc=1
	unserve || rc=1
	cat "$D/log"
	return $rc
}

server_next()
{
	server_point 1:1 none && wait_for 60 not hidden
}

@test "usercrash_s: there is a report all the same" {
	needs_victim null
	lock
	hold
	unlock
	server_point 1:1 none
	cp "$D/hit" "$D/calls"
	points "$D/calls"
	each server_point server_next
}

# --- core_send, recv_core --------------------------------------------------

receiver()
{
	for _ in 1 2 3 4 5 6 7 8; do
		PORT=$((20000 + RANDOM % 12000))
		: >"$D/rlog"
		bg "$@" "$BIN/recv_core" -v -m 0 -d "$D/store" -p $PORT \
		    127.0.0.1 2>>"$D/rlog"
		RECEIVER=$BG
		wait_for 30 receiver_there
		grep -q 'in use' "$D/rlog" || return 0
	done
	return 1
}

receiver_there()
{
	grep -q 'listening\|fatal\|in use' "$D/rlog" || gone "$RECEIVER"
}

# stored: the cores that have their names.
stored()
{
	find "$D/store" "$D/spool" -type f \( -name 'core.*' -o -name '*.core' \) \
	    ! -name '*.info' ! -name '*.part' 2>/dev/null
}

# unstore: there are none, and nothing else of one.
unstore()
{
	find "$D/store" "$D/spool" -type f ! -name '.*' -delete 2>/dev/null || :
}

# What the kernel wrote, and what was sent of the same crash, are the same.
send_point()
{
	local f
	rm -f "$D/whole"
	at "$1" "$2" || return 1
	for f in $(stored); do
		case $f in
		*/spool/*) ;;
		*) cmp "$D/whole" "$f" || return 1 ;;
		esac
	done
	if [ "$RC" = 0 ] && [ -z "$(stored)" ]; then
		echo "exit 0, and no core"
		return 1
	fi
	if [ "$RC" != 0 ] && [ "$2" != KILL ] && started &&
	    ! grep -q '^1:[0-9]* write 2$' "$D/hit" &&
	    ! grep -q 'core_send: ' "$D/log"; then
		echo "exit $RC without a word"
		return 1
	fi
}

send_next()
{
	rm -f "$D/whole"
	crash_well && cmp "$D/whole" "$(stored)" || return 1
	[ -z "$(find "$D/spool" -type f ! -name '.lock')" ]
}

@test "core_send: whole where it arrives, else said" {
	needs_victim null
	lock
	mkdir -m 700 "$D/spool"
	receiver
	printf '#!/bin/sh\nexec cat >%s\n' "$D/whole" >"$RUND/keep"
	# the process is read while the pipe is held
	cat >"$RUND/send" <<-EOF
		exec $BIN/core_tee -s // /bin/sh $RUND/keep // \
		    $F -o $D/hit "\$1" "\$2" $BIN/core_send -H -s $D/spool -m 0 \
		    --pid="\$3" --tid="\$4" --uid="\$5" --signal="\$8" \
		    --comm="\$9" 127.0.0.1:$PORT
	EOF
	PATTERN="|/bin/sh $RUND/h %P %I %u %d %c %s %e"
	cat >"$RUND/h" <<-EOF
		exec 2>>$D/log
		read -r point fault <$D/point
		exec 5<&0 </dev/null
		/bin/sh $RUND/send \$point \$fault "\$@" <&5 5<&- &
		exec 5<&-
		rc=0
		wait \$! || rc=\$?
		echo \$rc >$D/end
	EOF
	hold
	unlock
	at 1:1 none
	[ "$RC" = 0 ]
	cmp "$D/whole" "$(stored)"
	points "$D/hit"
	each send_point send_next
}

# A core to be sent, with a hole.
a_stream()
{
	{
		head -c 300000 "$BIN/usercrash_c"
		head -c 100000 /dev/zero
		head -c 5000 "$BIN/core_send"
	} >"$D/core"
	"$BUILD/t/stream_aid" core "$D/core" >"$D/stream"
}

receive_point()
{
	local rc=0 f
	unstore
	rm -f "$D/hit"
	receiver "$F" -o "$D/hit" "$1" "$2" || return 1
	timeout 60 "$BIN/core_send" -e raw -x -t 5 --pid=4711 --comm=victim --signal=11 \
	    "127.0.0.1:$PORT" <"$D/core" >"$D/log" 2>&1 || rc=$?
	cat "$D/log" "$D/rlog"
	end "$RECEIVER"
	wait_for 60 no_receiver || return 1
	for f in $(stored); do
		cmp "$D/core" "$f" || return 1
	done
	if [ $rc = 0 ] && [ -z "$(stored)" ]; then
		echo "the sender was told OK, and there is no core"
		return 1
	fi
	if [ $rc != 0 ] && [ ! -s "$D/log" ]; then
		echo "lost without a word"
		return 1
	fi
	find "$D/store" -type f ! -name '.*' -delete
}

no_receiver()
{
	[ "$(pgrep -fc "recv_core .*$D/store")" = 0 ]
}

receive_next()
{
	receive_point 1:1 none && grep -q 'signal 11, 405000 bytes' "$D/rlog" &&
	    [ -z "$(find "$D/store" -type f ! -name '.*')" ]
}

@test "recv_core: OK is said of what is there, and whole" {
	a_stream
	mkdir -m 750 "$D/store"
	receive_point 1:1 none
	cp "$D/hit" "$D/calls"
	points "$D/calls"
	each receive_point receive_next
}

# --- core_tee --------------------------------------------------------------

tee_point()
{
	local rc=0 f
	rm -f "$D/a" "$D/b" "$D/hit"
	timeout 60 "$BUILD/t/core_peer" feed -n 65536 "$D/core" 2>/dev/null | {
		rc=0
		timeout -s KILL 50 "$F" -o "$D/hit" "$1" "$2" "$BIN/core_tee" \
		    -s // /bin/sh -c "cat >$D/a" // /bin/sh -c "cat >$D/b" \
		    2>"$D/log" || rc=$?
		echo $rc >"$D/rc"
	}
	rc=$(cat "$D/rc")
	cat "$D/log"
	for f in a b; do
		[ ! -e "$D/$f" ] || cmp -n "$(stat -c %s "$D/$f")" "$D/core" \
		    "$D/$f" || return 1
		if [ "$rc" = 0 ] && ! cmp "$D/core" "$D/$f"; then
			echo "exit 0, and $f has not all of it"
			return 1
		fi
	done
	case $rc in
	124 | 137) [ "$2" = KILL ] || {
		echo "not done in 50 seconds"
		return 1
	} ;;
	esac
	if [ "$rc" != 0 ] && [ "$2" != KILL ] && [ ! -s "$D/log" ]; then
		echo "exit $rc without a word"
		return 1
	fi
}

tee_next()
{
	tee_point 1:1 none && [ "$(cat "$D/rc")" = 0 ]
}

# Only its own calls: what the consumers do is theirs.
@test "core_tee: what a consumer has is the beginning; exit 0, all of it" {
	a_stream
	tee_point 1:1 none
	grep '^1:' "$D/hit" >"$D/calls"
	points "$D/calls"
	each tee_point tee_next
}

# --- usercrash-wrapper -----------------------------------------------------

wrapper_point()
{
	local f
	at "$1" "$2" && reports_whole || return 1
	wait_for 60 wrapper_idle || return 1
	for f in $(stored | grep '/core\.null\.'); do # others may crash, too
		"$BIN/debugger" "$f" >"$D/of-core" || return 1
		grep -q ' crash_here+' "$D/of-core" || {
			echo "$f is no whole core"
			return 1
		}
		rm -f "$f" "$f.info"
	done
	new_report
	# it may say nothing when it is killed, or before it knows who
	if [ -z "$REPORT" ] && [ "$2" != KILL ] && started && [ ! -s "$D/log" ]; then
		echo "neither report nor a word"
		return 1
	fi
}

wrapper_idle()
{
	[ "$(pgrep -fc "$RUND/(b|d|f)|$D/store")" = 0 ]
}

wrapper_next()
{
	crash_well && new_report || return 1
	[ -n "$REPORT" ] && wait_for 60 not hidden || return 1
	[ -n "$(find "$D/store" -name 'core.*' -type f ! -name '*.part')" ] ||
	    return 1
	find "$D/store" -type f ! -name '.*' -delete
}

@test "usercrash-wrapper and all that it starts" {
	needs_victim null
	lock
	hold
	unlock
	place "$RUND"
	conf "$RUND" "report-format json" "store $D/store" "store-free 0" \
	    "report-free 0" "core-rate no"
	handler "$RUND/b/w" -k -c "$RUND/f" -s "$RUND/t" \
	    '"P$1" "I$2" p i "u$3" g "d$4" "s$6" t "c$5" C F h "e$7"'
	wrapper_next
	at 1:1 none
	[ "$RC" = 0 ]
	find "$D/store" -type f ! -name '.*' -delete
	points "$D/hit"
	each wrapper_point wrapper_next
}
