# threats: what has gone wrong in this class of software, a test per class.
# The number is that of the class; usercrash.7 and the sources say how each
# is met.  Some have theirs where their program's tests are: 14 in
# usercrash-wrapper.bats, 20 in taken.bats and sandbox.bats, 21 in
# segfault_analyzer.bats, 23 in far.bats.

load helper
load wrapper

teardown()
{
	[ -z "${DECOY:-}" ] || kill -KILL "$DECOY" 2>/dev/null || :
	[ -z "${STOPPED:-}" ] || kill -CONT "$STOPPED" 2>/dev/null || :
	[ -z "${PUBLIC:-}" ] || rm -rf "$PUBLIC"
	[ -z "${CTL:-}" ] || ctl_release
	pattern_release
}

C=$BIN/usercrash_c
D=$BIN/debugger

NOBODY='setpriv --reuid 65534 --regid 65534 --clear-groups'

# A core of the null victim, made once: $CORE, of the process $PID.
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

# A place where anybody may write and run programs.
a_public_place()
{
	PUBLIC=$(mktemp -d /var/tmp/uXXXX)
	chmod 1777 "$PUBLIC"
}

@test "class 1: a live process that has the number is not described" {
	a_core
	bg sleep 1000
	DECOY=$BG
	status=0
	"$C" -o "$BATS_TEST_TMPDIR/r" --tid="$DECOY" "$DECOY" null 11 \
	    <"$CORE" 2>"$BATS_TEST_TMPDIR/e" || status=$?
	cat "$BATS_TEST_TMPDIR/e"
	[ "$status" -le 1 ]
	is_report "$BATS_TEST_TMPDIR/r"
	# what the core says, and nothing of the decoy
	frames "$BATS_TEST_TMPDIR/r" | head -1 | grep -q crash_here
	not grep -q 'sleep' "$BATS_TEST_TMPDIR/r"
	grep -q '^files: unavailable: ' "$BATS_TEST_TMPDIR/r"
}

@test "class 1: killed while it dumps, its number taken by another" {
	needs_victim null
	needs_tool setpriv
	[ -w /proc/sys/kernel/ns_last_pid ] ||
	    unmet "needs /proc/sys/kernel/ns_last_pid"
	a_public_place
	# the handler keeps the core, lets the process be killed, waits until
	# its number has been taken, and only then calls usercrash_c
	pattern_lock
	cat >"$RUND/h" <<-EOF
		exec 2>>$RUND/log
		cat >$RUND/d/core
		kill -KILL \$3
		exec <&-
		while kill -0 \$3 2>/dev/null; do sleep 0.01; done
		n=0
		while [ \$n -lt 50 ]; do
			n=\$((n + 1))
			echo \$((\$3 - 1)) >/proc/sys/kernel/ns_last_pid
			sleep 1000 >/dev/null 2>&1 &
			[ \$! != \$3 ] || break
			kill \$!
		done
		echo \$! >$RUND/taken
		$C -o $RUND/d/r.pidfd --tid=\$1 --pidfd=\$2 --time=\$5 \
		    \$3 "\$4" 11 <$RUND/d/core
		$C -o $RUND/d/r.plain --time=\$5 \$3 "\$4" 11 <$RUND/d/core
		echo done >$RUND/done
		kill \$!
	EOF
	pattern "|/bin/sh $RUND/h %I %F %P %e %t"
	crash "$VICTIMS/null"
	wait_for 30 test -s "$RUND/done"
	cat "$RUND/log"
	if [ "$(cat "$RUND/taken")" != "$PID" ]; then
		unmet "needs a process number of one's choice"
	fi
	for f in "$RUND/d/r.pidfd" "$RUND/d/r.plain"; do
		is_report "$f"
		frames "$f" | head -1 | grep -q crash_here
		not grep -q sleep "$f"
	done
}

@test "class 1: what does not dump is not described, though nothing on stdin speaks against it" {
	bg sleep 1000
	DECOY=$BG
	"$C" -o "$BATS_TEST_TMPDIR/r" "$DECOY" null 11 </dev/null \
	    2>"$BATS_TEST_TMPDIR/e" || [ $? = 1 ]
	cat "$BATS_TEST_TMPDIR/e"
	not grep -q 'sleep' "$BATS_TEST_TMPDIR/r"
	grep -q '^files: unavailable: ' "$BATS_TEST_TMPDIR/r"
}

@test "class 1: what dumps is described, unless the core is another's or proves nothing" {
	local how said="its process id may belong to another process"
	needs_victim null
	needs_tool python3
	a_core
	pattern_lock
	cp "$CORE" "$RUND/other"
	# while it is held: its own core, another's, its own cut before the
	# auxv, and no core at all; without and with a pidfd
	cat >"$RUND/h" <<-EOF
		exec 2>>$RUND/log
		cat >$RUND/own
		n=\$(od -An -j56 -N2 -tu2 $RUND/own)
		head -c \$((64 + n * 56 + 400)) $RUND/own >$RUND/cut
		: >$RUND/none
		for how in own other cut none; do
			$C -o $RUND/d/\$how \$1 "\$2" 11 <$RUND/\$how
			$C -o $RUND/d/\$how.fd --pidfd=\$3 \$1 "\$2" 11 \
			    <$RUND/\$how
		done
		# number and core are right, and the pidfd is another's
		python3 - "$C" -o $RUND/d/pidfd \$1 "\$2" 11 3<$RUND/own <<'END'
		import os, sys
		fd = os.pidfd_open(os.getppid())
		os.set_inheritable(fd, True)
		os.dup2(3, 0)
		os.execv(sys.argv[1], sys.argv[1:4] + ["--pidfd=%d" % fd] +
		    sys.argv[4:])
		END
		echo done >$RUND/done
	EOF
	pattern "|/bin/sh $RUND/h %P %e %F"
	crash "$VICTIMS/null"
	wait_for 60 test -s "$RUND/done"
	cat "$RUND/log"
	grep -qx 'files: unavailable: its process id now belongs to another process' \
	    "$RUND/d/pidfd"
	for how in own own.fd cut.fd none none.fd; do
		echo "$how"
		grep -q '^files:$' "$RUND/d/$how"
	done
	for how in other other.fd cut; do
		echo "$how"
		grep -qx "files: unavailable: $said" "$RUND/d/$how"
	done
}

@test "class 2: a core of a setuid program is root's alone" {
	needs_victim null
	needs_tool setpriv
	a_core
	for mode in 2 0 '' 7 junk; do
		status=0
		"$C" -o "$BATS_TEST_TMPDIR/r.$mode" --dumpmode="$mode" \
		    "$PID" null 11 <"$CORE" 2>/dev/null || status=$?
		[ "$status" -le 1 ]
		# not the group's that may read the others
		[ "$(stat -c %a "$BATS_TEST_TMPDIR/r.$mode")" = 600 ]
	done
	# by the kernel: nothing for the user who ran it
	pattern_direct
	kernel_set /proc/sys/fs/suid_dumpable 2
	a_public_place
	cp "$VICTIMS/null" "$PUBLIC/null"
	chmod 4755 "$PUBLIC/null"
	WHERE=$PUBLIC
	crash $NOBODY "$PUBLIC/null"
	wait_for 30 test -e "$RUND/d/usercrash_00"
	REPORT=$RUND/d/usercrash_00
	chmod 755 "$RUND"
	not $NOBODY cat "$REPORT" >/dev/null 2>&1
	[ "$(stat -c %u:%a "$REPORT")" = 0:600 ]
	[ "$(value dumpmode "$REPORT")" = 2 ]
	# and nothing where it stood
	[ -z "$(find "$PUBLIC" -name '*core*')" ]
}

@test "class 2: a core that is not its user's does not leave the machine" {
	local told
	a_core
	# by the kernel's word, or when nobody can tell
	for told in --dumpmode=0 --dumpmode=2 '--dumpmode= --pid=4194304'; do
		RC=0
		# shellcheck disable=SC2086
		"$BIN/core_send" $told 127.0.0.1:9 <"$CORE" \
		    2>"$BATS_TEST_TMPDIR/err" || RC=$?
		cat "$BATS_TEST_TMPDIR/err"
		[ "$RC" = 1 ]
		grep -q ' withheld' "$BATS_TEST_TMPDIR/err"
	done
	# what stays here is no matter of that
	"$BIN/core_send" --dumpmode=2 - <"$CORE" >"$BATS_TEST_TMPDIR/stream"
	[ -s "$BATS_TEST_TMPDIR/stream" ]
}

# No one guard stands for this class: no program here makes a file by a name
# that it has from the process, nor in the process's directory, and the kernel
# starts handlers in "/".  What this holds is that none comes to do it.
@test "class 3: no file where the crasher stands" {
	needs_victim null
	needs_tool setpriv
	pattern_direct
	a_public_place
	WHERE=$PUBLIC
	chmod 755 "$BATS_RUN_TMPDIR"
	cp "$VICTIMS/null" "$PUBLIC/null"
	(
		ulimit -c unlimited
		crash $NOBODY "$PUBLIC/null"
		echo "$PID" >"$BATS_TEST_TMPDIR/pid"
	)
	report_of "$(cat "$BATS_TEST_TMPDIR/pid")"
	find "$PUBLIC" -mindepth 1 -printf '%f\n' | sort |
	    diff - <(printf '%s\n' err null out)
}

@test "class 4: a spool directory that is not ours alone is refused" {
	a_core
	needs_root
	mkdir -m 750 "$BATS_TEST_TMPDIR/real"
	for trick in link others group owner file; do
		d=$BATS_TEST_TMPDIR/$trick
		case $trick in
		link) ln -s real "$d" ;;
		others) mkdir "$d" && chmod 777 "$d" ;;
		group) mkdir "$d" && chmod 770 "$d" && chgrp 65534 "$d" ;;
		owner) mkdir -m 750 "$d" && chown 65534 "$d" ;;
		file) echo precious >"$d" ;;
		esac
		status=0
		"$C" -d "$d" -S "$BATS_TEST_TMPDIR/none" "$PID" null 11 \
		    <"$CORE" 2>"$BATS_TEST_TMPDIR/e" || status=$?
		echo "$trick: $status $(cat "$BATS_TEST_TMPDIR/e")"
		[ "$status" = 111 ]
		grep -q "$d: " "$BATS_TEST_TMPDIR/e"
		[ "$trick" = file ] || [ -z "$(ls -A "$d")" ]
	done
	[ "$(cat "$BATS_TEST_TMPDIR/file")" = precious ]
}

@test "class 4: links under the names of slots are replaced, not followed" {
	a_core
	needs_root
	mkdir -m 750 "$BATS_TEST_TMPDIR/d"
	echo precious >"$BATS_TEST_TMPDIR/target"
	ln -s ../target "$BATS_TEST_TMPDIR/d/usercrash_00"
	ln -s ../target "$BATS_TEST_TMPDIR/d/usercrash_01"
	ln -s ../target "$BATS_TEST_TMPDIR/d/.slots"
	for _ in 1 2 3; do
		"$C" -d "$BATS_TEST_TMPDIR/d" -n 2 \
		    -S "$BATS_TEST_TMPDIR/none" "$PID" null 11 <"$CORE" || :
	done
	[ "$(cat "$BATS_TEST_TMPDIR/target")" = precious ]
	ln -s ../target "$BATS_TEST_TMPDIR/out"
	"$C" -o "$BATS_TEST_TMPDIR/out" "$PID" null 11 <"$CORE" || :
	[ "$(cat "$BATS_TEST_TMPDIR/target")" = precious ]
}

@test "class 5: nothing under a final name before it is complete" {
	needs_victim null
	needs_tool strace
	pattern_lock
	server_start -m 0
	cat >"$RUND/h" <<-EOF
		exec 2>>$RUND/log
		export ASAN_OPTIONS=detect_leaks=0
		exec strace -f -qq -o $RUND/trace -e trace=write \
		    -e inject=write:delay_enter=1000000:when=1 \
		    $C -d$RUND/d -S$RUND/s \$1 "\$2" \$3
	EOF
	pattern "|/bin/sh $RUND/h %P %e %s"
	"$VICTIMS/null" 3>&- 9>&- &
	PID=$!
	wait_for 30 test -s "$RUND/log"
	# while it writes, and it does so for a second, there is no report
	n=0
	while [ ! -e "$RUND/d/usercrash_00" ]; do
		n=$((n + 1))
		[ $n -lt 2000 ]
		sleep 0.01
	done
	is_report "$RUND/d/usercrash_00"
	frames "$RUND/d/usercrash_00" | grep -q ' main null$'
	[ -n "$(section status "$RUND/d/usercrash_00")" ]
	wait "$PID" 2>/dev/null || :
}

# hostile names: what a program may call itself
NAMES=('a b' '  ' "quo'te\"s" '$(touch x)' '`touch x`' '*' '-o x' 'a;touch x'
    $'new\nline' ') R 1 1' $'esc\e[31m' $'\x01\x02\x1f\x7f' $'\xff\xfe'
    $'x\nsignal: 9' 'back\slash' '%s%n%p' $'\xe2\x80\xae')

@test "class 5: a core has no name at the receiver before it is verified" {
	local store=$BATS_TEST_TMPDIR/store
	a_core
	"$BUILD/t/stream_aid" core "$CORE" >"$BATS_TEST_TMPDIR/stream"
	mkfifo "$BATS_TEST_TMPDIR/in"
	# not by bg: a background command's stdin is /dev/null if not its own
	"$BIN/recv_core" -i -u root -d "$store" -m 0 3>&- 9>&- \
	    <"$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/reply" &
	BG=$!
	BGS="${BGS:-} $BG"
	exec 5>"$BATS_TEST_TMPDIR/in"
	head -c -1 "$BATS_TEST_TMPDIR/stream" >&5
	wait_for 20 part_is_there "$store"
	[ "$(find "$store" -name 'core.*' ! -name '*.part')" = '' ]
	tail -c 1 "$BATS_TEST_TMPDIR/stream" >&5
	exec 5>&-
	wait "$BG"
	[ "$(find "$store" -name 'core.*' ! -name '*.info' -type f | wc -l)" = 1 ]
	[ "$(find "$store" -name '*.part')" = '' ]
}

part_is_there()
{
	[ -n "$(find "$1" -name 'core.*.part')" ]
}

@test "class 6: what a program calls itself forges nothing" {
	needs_victim comm
	truth comm.c name
	pattern_lock
	server_start -m 0 -n 400
	pattern_direct -n400
	for name in "${NAMES[@]}"; do
		printf 'comm %q\n' "$name"
		crash "$VICTIMS/comm" "$name"
		report_of "$PID"
		is_report "$REPORT"
		chain_is "$TRUTH" comm "$REPORT"
		[ "$(grep -c '^signal: ' "$REPORT")" = 1 ]
		[ "$(grep -c '^comm: ' "$REPORT")" = 1 ]
		[ "$(value signal "$REPORT")" = '11 SIGSEGV' ]
		[ "$(value uid "$REPORT")" = 0 ]
		# one line each in both logs, nothing that a terminal obeys
		[ "$(grep -c "pid $PID " "$RUND/log")" = 1 ]
		wait_for 10 eval "dmesg | grep -q 'usercrash_c: info: .*$PID'"
		# all of them are one program, whose lines have a share
		rm -f "$RUND/d/.slots"
	done
	not grep -nP '[^\x0a\x20-\x7e]' "$RUND/log"
	# a name is at most 15 bytes; the readable ones arrive as they are
	crash "$VICTIMS/comm" 'a b c'
	report_of "$PID"
	[ "$(value comm "$REPORT")" = 'a b c' ]
	[ "$(value thread "$REPORT")" = 'a b c' ]
}

@test "class 6: JSON of hostile names is JSON" {
	needs_victim comm
	pattern_lock
	server_start -m 0 -n 400
	pattern_direct -fjson
	i=0
	for name in "${NAMES[@]}"; do
		printf 'comm %q\n' "$name"
		i=$((i + 1))
		cp "$VICTIMS/comm" "$BATS_TEST_TMPDIR/$i$name"
		crash "$BATS_TEST_TMPDIR/$i$name" "$name" "$name" "--$name"
		wait_for 30 json_there "$PID"
		json_valid "$f"
		[ "$(json_get "$f" signal)" = 11 ]
		[ "$(json_get "$f" backtrace 0 function)" = crash_here ]
	done
}

# Sets f.
json_there()
{
	for f in "$RUND"/d/usercrash_*; do
		grep -Eqs "\"pid\": ?$1[,}]" "$f" || continue
		[ "$(json_get "$f" pid)" = "$1" ] && return 0
	done
	return 1
}

@test "class 7: a FIFO where a file is expected hangs nobody" {
	needs_victim null
	cp "$VICTIMS/null" "$BATS_TEST_TMPDIR/prog"
	core_of "$BATS_TEST_TMPDIR/prog"
	rm "$BATS_TEST_TMPDIR/prog"
	mkfifo "$BATS_TEST_TMPDIR/prog" "$BATS_TEST_TMPDIR/fifo"
	status=0
	timeout 30 "$D" "$CORE" >"$BATS_TEST_TMPDIR/r" || status=$?
	[ "$status" -le 1 ]
	is_report "$BATS_TEST_TMPDIR/r"
	status=0
	timeout 30 "$D" "$CORE" "$BATS_TEST_TMPDIR/fifo" \
	    >"$BATS_TEST_TMPDIR/r" 2>"$BATS_TEST_TMPDIR/e" || status=$?
	cat "$BATS_TEST_TMPDIR/e"
	[ "$status" -le 1 ] || [ "$status" = 100 ]
	status=0
	timeout 30 "$D" "$BATS_TEST_TMPDIR/fifo" 2>"$BATS_TEST_TMPDIR/e" ||
	    status=$?
	[ "$status" = 100 ]
	# the same to the handler, the process gone
	PID=$(($(cat /proc/sys/kernel/pid_max) - 1))
	status=0
	timeout 30 "$C" -o "$BATS_TEST_TMPDIR/r" "$PID" prog 11 <"$CORE" ||
	    status=$?
	[ "$status" -le 1 ]
	is_report "$BATS_TEST_TMPDIR/r"
	# and devices
	status=0
	timeout 30 "$D" /dev/zero 2>/dev/null || status=$?
	[ "$status" = 100 ]
	status=0
	timeout 30 "$D" "$CORE" /dev/zero >/dev/null 2>&1 || status=$?
	[ "$status" -le 1 ] || [ "$status" = 100 ]
}

@test "class 8: a file of the same name outside the container is not read" {
	needs_victim null
	needs_tool unshare
	unshare -m true 2>/dev/null || unmet "needs mount namespaces"
	truth null.c
	pattern_direct
	a_public_place
	# out here `prog' is another program
	cp "$VICTIMS/strlen" "$PUBLIC/prog"
	cat >"$PUBLIC/run" <<-EOF
		mount --bind $VICTIMS/null $PUBLIC/prog
		exec $PUBLIC/prog
	EOF
	crash unshare -m sh "$PUBLIC/run"
	report_of "$PID"
	is_report "$REPORT"
	frames "$REPORT"
	module=$(frames "$REPORT" | head -1 | awk '{ print $3 }')
	chain_is "$TRUTH" "$module" "$REPORT"
	grep -q '^container: .*mnt' "$REPORT"
}

# As root with less than the mapped files' own links take: they are found by
# name then, as the process sees it.
@test "class 8: by its name, a file is that of the process's own root, and the same" {
	local r=$BATS_TEST_TMPDIR/r less='-sys_admin,-checkpoint_restore'
	needs_root
	needs_victim live
	needs_tool nsenter setpriv unshare
	unshare -m true 2>/dev/null || unmet "needs mount namespaces"
	setpriv --bounding-set "$less" true || unmet "needs setpriv's names"
	a_public_place
	cp "$VICTIMS/strlen" "$PUBLIC/prog"
	cat >"$PUBLIC/run" <<-EOF
		mount --bind $VICTIMS/live $PUBLIC/prog
		exec $PUBLIC/prog
	EOF
	live unshare -m sh "$PUBLIC/run"
	setpriv --bounding-set "$less" "$D" "$PID" >"$r"
	cat "$r"
	chain_is "$(thread_truth live.c live)" prog "$r"
	# another one of that name is none
	nsenter -m -t "$PID" mount --bind "$VICTIMS/strlen" "$PUBLIC/prog"
	setpriv --bounding-set "$less" "$D" "$PID" >"$r"
	section modules "$r" | grep '/prog (the file was replaced)$'
	frames "$r" | awk '$3 == "prog" && $2 != "??" { print; bad = 1 }
		END { exit bad }'
}

@test "class 9: no shell ever sees what a program is called" {
	needs_victim comm
	pattern_lock
	server_start -m 0 -n 400
	pattern_direct
	WHERE=$BATS_TEST_TMPDIR/where
	mkdir "$WHERE"
	i=0
	for name in "${NAMES[@]}"; do
		i=$((i + 1))
		printf 'exe %q\n' "$name"
		cp "$VICTIMS/comm" "$WHERE/$i$name"
		crash "$VICTIMS/launch" argv0 "$name" "$WHERE/$i$name" \
		    "$name" "$name"
		report_of "$PID"
		is_report "$REPORT"
		[ "$(frames "$REPORT" | head -1 | cut -d ' ' -f 2)" = \
		    crash_here ]
		grep -q '^exe: ' "$REPORT"
		grep -q '^cmdline: ' "$REPORT"
		[ "$(value signal "$REPORT")" = '11 SIGSEGV' ]
	done
	# nothing was run, nothing was made: x is what all of them touch
	[ ! -e "$WHERE/x" ]
	[ ! -e /x ]
	[ ! -e "$RUND/x" ]
	[ "$(find "$WHERE" -type f | tr -dc '\0' | wc -c)" = 0 ]
	[ "$(find "$WHERE" -type f -printf x)" = \
	    "$(printf 'x%.0s' $(seq $((i + 2))))" ]
}

@test "class 10: a sender names no file outside the store" {
	local store=$BATS_TEST_TMPDIR/a/b/store name
	a_core
	mkdir -p "${store%/*}"
	for name in ../../x /etc/x .. . .x $'a\nb' 'x/../../y' core_dump .lock; do
		"$BUILD/t/stream_aid" -H "$name" -c "$name" core "$CORE" |
		    "$BIN/recv_core" -i -u root -m 0 -d "$store"
	done
	[ "$(find "$store" -type f -name 'core.*' ! -name '*.info' | wc -l)" = 9 ]
	# nothing beside the store, nothing hidden but the lock, no odd byte
	[ "$(find "$BATS_TEST_TMPDIR/a" -mindepth 1 | grep -cv "^$store")" = 1 ]
	[ "$(find "$store" -name '.?*' | wc -l)" -le 1 ]
	[ -z "$(find "$store" -mindepth 1 -printf '%f\n' |
	    grep -v '^[A-Za-z0-9_.+-]*$')" ]
	[ ! -e /etc/x ]
}

@test "class 11: 0640, root's, whatever the umask" {
	needs_victim null
	pattern_lock
	group=0
	getent group adm >/dev/null && group=$(getent group adm | cut -d: -f3)
	for mask in 0 077 027; do
		cat >"$RUND/h" <<-EOF
			umask $mask
			exec $C -d$RUND/d -S$RUND/s \$1 "\$2" \$3 2>>$RUND/log
		EOF
		pattern "|/bin/sh $RUND/h %P %e %s"
		crash "$VICTIMS/null"
		report_of "$PID"
		[ "$(stat -c %u:%g:%a "$REPORT")" = "0:$group:640" ]
	done
	for mask in 0 077; do
		(umask $mask; server_start -m 0; echo "$BG" >"$RUND/server")
		BGS="${BGS:-} $(cat "$RUND/server")"
		pattern_direct
		crash "$VICTIMS/null"
		report_of "$PID"
		[ "$(stat -c %u:%g:%a "$REPORT")" = "0:$group:640" ]
		[ "$(stat -c %a "$RUND/s")" = 600 ]
		kill "$(cat "$RUND/server")"
		wait_for 20 gone "$(cat "$RUND/server")"
		rm -f "$RUND/s"
	done
	not grep -q . <(find "$RUND/d" -perm /o=rwx)
}

@test "class 12: cores cut anywhere crash nobody" {
	a_core
	size=$(stat -c %s "$CORE")
	for n in 0 1 15 16 63 64 65 100 120 200 500 1000 1500 2000 2500 3000 \
	    3500 4000 5000 6000 8000 12000 20000 50000 $((size / 2)) \
	    $((size - 1)); do
		head -c "$n" "$CORE" >"$BATS_TEST_TMPDIR/core"
		unharmed "cut at $n"
	done
}

# Both programs end in order on $BATS_TEST_TMPDIR/core.
unharmed()
{
	status=0
	timeout 60 "$D" "$BATS_TEST_TMPDIR/core" >"$BATS_TEST_TMPDIR/r" \
	    2>"$BATS_TEST_TMPDIR/e" || status=$?
	case $status in
	0 | 1 | 100) ;;
	*) echo "$1: debugger: $status"; cat "$BATS_TEST_TMPDIR/e"; false ;;
	esac
	[ "$status" = 100 ] || is_report "$BATS_TEST_TMPDIR/r"
	status=0
	timeout 60 "$C" -o "$BATS_TEST_TMPDIR/r" 999999999 x 11 \
	    <"$BATS_TEST_TMPDIR/core" 2>"$BATS_TEST_TMPDIR/e" || status=$?
	case $status in
	0 | 1 | 100) ;;
	*) echo "$1: usercrash_c: $status"; cat "$BATS_TEST_TMPDIR/e"; false ;;
	esac
	# the worker that parses must not have died of it
	not grep 'died of signal\|Sanitizer\|runtime error' \
	    "$BATS_TEST_TMPDIR/e"
}

@test "class 12: cores with bytes changed crash nobody" {
	a_core
	# headers and notes are where a parser can be led astray; a row of
	# places that is the same in every run, in each one a few values
	seed=12345
	for i in $(seq 60); do
		seed=$(((seed * 1103515245 + 12345) & 0x7fffffff))
		at=$((seed % 3000))
		cp "$CORE" "$BATS_TEST_TMPDIR/core"
		case $((i % 3)) in
		0) v='\377\377\377\377' ;;
		1) v='\000\000\000\200' ;;
		2) v='\001\000\000\000' ;;
		esac
		# shellcheck disable=SC2059
		printf "$v" | dd of="$BATS_TEST_TMPDIR/core" bs=1 seek=$at \
		    conv=notrunc status=none
		unharmed "$v at $at"
	done
}

@test "class 12: the worker that parses is nobody, without privileges" {
	a_core
	needs_root
	needs_tool strace
	export ASAN_OPTIONS=detect_leaks=0
	strace -f -qq -o "$BATS_TEST_TMPDIR/trace" \
	    -e trace=setresuid,setresgid,setgroups,prctl,pread64,read,execve \
	    "$C" -o "$BATS_TEST_TMPDIR/r" 999999999 x 11 \
	    <"$CORE" 2>/dev/null || :
	[ -s "$BATS_TEST_TMPDIR/r" ]
	# in the process that reads the core, before it reads it
	reader=$(sed -n 's/^\([0-9]*\) *p\{0,1\}read\(64\)\{0,1\}(0, "\\177ELF.*/\1/p' \
	    "$BATS_TEST_TMPDIR/trace" | head -1)
	grep "^$reader " "$BATS_TEST_TMPDIR/trace" |
	    sed '/(0, "\\177ELF/q' >"$BATS_TEST_TMPDIR/before"
	cat "$BATS_TEST_TMPDIR/before"
	grep -q 'setgroups(0' "$BATS_TEST_TMPDIR/before"
	# an id that no other process has
	grep -q "setresuid($((0x7f000000 + reader)), " "$BATS_TEST_TMPDIR/before"
	grep -q "setresgid($((0x7f000000 + reader)), " "$BATS_TEST_TMPDIR/before"
	grep -q 'PR_SET_NO_NEW_PRIVS, 1' "$BATS_TEST_TMPDIR/before"
}

@test "class 13: a thread of another process is not traced" {
	needs_victim live
	live
	bg sleep 1000
	DECOY=$BG
	status=0
	"$D" -t "$DECOY" "$PID" >"$BATS_TEST_TMPDIR/r" \
	    2>"$BATS_TEST_TMPDIR/e" || status=$?
	cat "$BATS_TEST_TMPDIR/e"
	[ "$status" = 1 ] || [ "$status" = 100 ]
	[ ! -s "$BATS_TEST_TMPDIR/r" ]
	grep -q "$DECOY" "$BATS_TEST_TMPDIR/e"
	grep -q '^TracerPid:.0$' "/proc/$DECOY/status"
}

@test "class 15: unknown, missing and extra arguments cost no report" {
	needs_victim null
	a_core
	truth null.c
	# offline, and every one with a warning
	for args in "--novelty=5 $PID null 11" "--novelty $PID null 11" \
	    "-Z $PID null 11" "$PID null" "$PID null 11 extra"; do
		status=0
		# shellcheck disable=SC2086
		"$C" -o "$BATS_TEST_TMPDIR/r" $args <"$CORE" \
		    2>"$BATS_TEST_TMPDIR/e" || status=$?
		echo "$args: $status $(cat "$BATS_TEST_TMPDIR/e")"
		[ "$status" -le 1 ]
		is_report "$BATS_TEST_TMPDIR/r"
		frames "$BATS_TEST_TMPDIR/r" | head -1 | grep -q crash_here
		rm "$BATS_TEST_TMPDIR/r"
	done
	# by the kernel: a pattern that is newer than the program, and one that
	# has specifiers the kernel does not know
	pattern_lock
	pattern "|$RUND/c -d$RUND/d -S$RUND/s --novelty=%I %P %e %s"
	crash "$VICTIMS/null"
	report_of "$PID"
	chain_is "$TRUTH" null "$REPORT"
	pattern "|$RUND/c -d$RUND/d -S$RUND/s --pidfd=%Z --host=%Y %P %e %s"
	crash "$VICTIMS/null"
	report_of "$PID"
	chain_is "$TRUTH" null "$REPORT"
}

@test "class 16: a program that crashes all the time evicts no other" {
	needs_victim null
	pattern_lock
	server_start -m 0 -n 12
	pattern_direct
	cp "$VICTIMS/null" "$BATS_TEST_TMPDIR/quiet"
	crash "$BATS_TEST_TMPDIR/quiet"
	report_of "$PID"
	quiet=$PID
	for _ in $(seq 20); do
		crash "$VICTIMS/null"
		report_of "$PID"
	done
	report_with pid "$quiet"
	[ "$(reports)" -le 4 ]
	# ten lines of it in a minute, and how many the others were
	[ "$(grep -c 'usercrash_s: info: usercrash_.*comm null' \
	    "$RUND/log")" -lt 20 ]
	crash "$BATS_TEST_TMPDIR/quiet"
	report_of "$PID"
	wait_for 10 eval 'dmesg | grep -q "usercrash_c: info: quiet\[$PID\].*; before it [0-9]* of user 0 were only counted"'
}

@test "class 17: a handler that dies makes no further crash" {
	needs_victim null
	needs_tool strace
	pattern_lock
	for call in openat:3 write:1 mmap:2; do
		cat >"$RUND/h" <<-EOF
			exec 2>>$RUND/log
			export ASAN_OPTIONS=detect_leaks=0
			echo called \$* >>$RUND/calls
			exec strace -f -qq -o /dev/null -e trace=${call%:*} \
			    -e inject=${call%:*}:signal=SEGV:when=${call#*:} \
			    $C -fjson -d$RUND/d -S$RUND/s \$1 "\$2" \$3
		EOF
		: >"$RUND/calls"
		echo "$call"
		pattern "|/bin/sh $RUND/h %P %e %s"
		crash "$VICTIMS/null"
		gone "$PID"
		cat "$RUND/calls"
		# for the victim, and not for the handler (strace dies the
		# way its tracee did, which is none of our business)
		[ "$(grep -c ' null ' "$RUND/calls")" = 1 ]
		not grep -q usercrash "$RUND/calls"
		for f in "$RUND"/d/usercrash_*; do
			[ ! -e "$f" ] || json_valid "$f"
		done
	done
	pattern_direct
	crash "$VICTIMS/null"
	report_of "$PID"
}

@test "class 17: a worker that dies leaves a report that says so" {
	needs_victim null
	needs_tool strace
	pattern_lock
	# the worker is the one that drops its privileges; it dies after that
	cat >"$RUND/h" <<-EOF
		exec 2>>$RUND/log
		export ASAN_OPTIONS=detect_leaks=0
		exec strace -f -qq -o /dev/null -e trace=setresuid \
		    -e inject=setresuid:signal=SEGV:when=1 \
		    $C -d$RUND/d -S$RUND/s \$1 "\$2" \$3
	EOF
	pattern "|/bin/sh $RUND/h %P %e %s"
	crash "$VICTIMS/null"
	wait_for 30 test -e "$RUND/d/usercrash_00"
	cat "$RUND/d/usercrash_00" "$RUND/log"
	grep -q '^incomplete: ' "$RUND/d/usercrash_00"
	grep -q 'info: .*incomplete: .*\(signal 11\|worker failed\)' "$RUND/log"
}

@test "class 17: a core that never comes is not waited for for ever" {
	mkfifo "$BATS_TEST_TMPDIR/core"
	exec 5<>"$BATS_TEST_TMPDIR/core"
	start=$SECONDS
	status=0
	timeout 60 "$C" -w 2 -o "$BATS_TEST_TMPDIR/r" 999999999 x 11 <&5 \
	    2>"$BATS_TEST_TMPDIR/e" || status=$?
	exec 5>&-
	cat "$BATS_TEST_TMPDIR/e"
	[ "$status" = 1 ]
	[ $((SECONDS - start)) -le 15 ]
	grep -q '^usercrash report ' "$BATS_TEST_TMPDIR/r"
}

@test "class 19: 60,000 mappings with long names: a bounded report, told where it is cut" {
	local format r size
	needs_victim much
	pattern_lock
	for format in text json; do
		pattern "|$RUND/c -d$RUND/d -S$RUND/s -n2 -R1 -f$format %P %e %s"
		crash "$VICTIMS/much" paths 60000
		r=$(newest_report)
		size=$(stat -c %s "$r")
		echo "$format: $size bytes"
		[ "$size" -gt 65536 ]
		[ "$size" -le 1048576 ]
		grep -q crash_here "$r"
		if [ $format = json ]; then
			json_valid "$r"
			grep -q '"left_out": [0-9]' "$r"
		else
			grep -q '^  \.\.\. [0-9]* left out: ' "$r"
			# the lists behind the one that was cut are there
			grep -q '^modules:$' "$r"
			grep -q '^status:$' "$r"
		fi
	done
}

# newest_report: waits for the one that comes, and says its name.
newest_report()
{
	local had=${HAD:-0}
	more_reports()
	{
		[ "$(reports)" -gt "$had" ]
	}
	wait_for 60 more_reports
	HAD=$(reports)
	ls -t "$RUND"/d/usercrash_* | head -1
}

# a_worker ARGS...: usercrash_c in the background, its report in r, waiting for
# a core that does not come; its worker in $WORKER.
a_worker()
{
	mkfifo "$BATS_TEST_TMPDIR/core"
	# shellcheck disable=SC2016
	bg sh -c 'core=$1; shift; exec "$@" <>"$core" 2>"$core.err"' sh \
	    "$BATS_TEST_TMPDIR/core" "$C" -w 60 -o "$BATS_TEST_TMPDIR/r" "$@"
	wait_for 30 has_worker
}

has_worker()
{
	WORKER=$(pgrep -P "$BG") && [ -n "$WORKER" ]
}

@test "class 20: the worker of a report, from outside: a uid of its own, a filter" {
	local s
	needs_root
	a_worker 999999999 x 11
	s=/proc/$WORKER/status
	behind()
	{
		grep -q '^Seccomp:.2$' "$s"
	}
	wait_for 30 behind
	cat "$s"
	grep -q "^Uid:.$((0x7f000000 + WORKER))" "$s"
	grep -q '^CapEff:.0*$' "$s"
	grep -q '^CapPrm:.0*$' "$s"
	grep -q '^NoNewPrivs:.1$' "$s"
}

@test "class 26: a worker killed from outside: who crashed, all the same" {
	a_worker -f json 999999999 x 11
	kill -KILL "$WORKER"
	wait "$BG" || [ $? = 1 ]
	cat "$BATS_TEST_TMPDIR/r"
	json_valid "$BATS_TEST_TMPDIR/r"
	[ "$(json_get "$BATS_TEST_TMPDIR/r" signal_name)" = SIGSEGV ]
	[ "$(json_get "$BATS_TEST_TMPDIR/r" pid)" = 999999999 ]
	rm -f "$BATS_TEST_TMPDIR/core"
	a_worker --tid=999999998 --uid=4711 --time=86400 --host=somewhere \
	    999999999 "a b" 11
	kill -KILL "$WORKER"
	wait "$BG" || [ $? = 1 ]
	for line in '^usercrash report 1$' '^time: 1970-01-02T00:00:00Z$' \
	    '^host: somewhere$' '^pid: 999999999$' '^comm: a b$' \
	    '^uid: 4711$' '^signal: 11 SIGSEGV$' '^signature: none$' \
	    '^incomplete: the worker died of signal 9$'; do
		grep -q "$line" "$BATS_TEST_TMPDIR/r" || {
			echo "not there: $line"
			return 1
		}
	done
	grep -q 'a b\[999999999\].*incomplete: the worker died of signal 9' \
	    "$BATS_TEST_TMPDIR/core.err"
}

@test "class 18: a hung server does not hold the crashed process" {
	needs_victim null
	pattern_lock
	server_start -m 0
	kill -STOP "$BG"
	STOPPED=$BG
	pattern_direct
	start=$SECONDS
	crash "$VICTIMS/null"
	[ $((SECONDS - start)) -le 10 ]
	report_of "$PID"
	is_report "$REPORT"
}

@test "class 18: a full disk does not hold the crashed process" {
	needs_victim null
	pattern_lock
	# mounted where the kernel runs it, wherever this is run
	cat >"$RUND/h" <<-EOF
		mount -t tmpfs -o size=64k,mode=750 tmpfs $RUND/d &&
		    touch $RUND/mounted
		dd if=/dev/zero of=$RUND/d/filler bs=1k 2>/dev/null
		$RUND/c -d$RUND/d -S$RUND/s "\$@"
		ls $RUND/d >$RUND/left
	EOF
	pattern "|$(command -v unshare) -m /bin/sh $RUND/h $HANDLER_ARGS"
	start=$SECONDS
	crash "$VICTIMS/null"
	[ $((SECONDS - start)) -le 20 ]
	wait_for 10 test -s "$RUND/left"
	[ -e "$RUND/mounted" ] || unmet "needs to mount"
	[ "$(cat "$RUND/left")" = filler ]
	# said in so many words, and with the process's number
	wait_for 10 eval "dmesg | grep 'usercrash_c: .*$PID' |
	    grep -q 'no report: .*No space'"
}

@test "class 18: a receiver that hangs does not hold the crashed process" {
	needs_victim much
	local at=$BATS_TEST_TMPDIR/at
	pattern_lock
	mkdir "$at"
	bg "$BUILD/t/core_peer" listen -w stop:100000 "$at"
	wait_for 10 test -s "$at/port"
	pattern "|$BIN/core_send -t1 --pid=%P 127.0.0.1:$(cat "$at/port")"
	# to its end, or bats would wait for ever
	crash timeout -s KILL 60 "$VICTIMS/much" mb 64
	[ "$STATUS" != 137 ]
}

# by_hand CONF-LINES...: the wrapper with fakes in $T, and what it saved.
by_hand()
{
	T=$BATS_TEST_TMPDIR/hand
	place "$T"
	conf "$T" "$@"
}

# What was before is called: $1 is 1 or nothing; $2 is said.
before_is_called()
{
	rm -f "$T"/argv.*
	hand "$T" "${ORDINARY[@]}"
	argv "$T/argv.$([ -n "$1" ] && echo core_tee || echo usercrash_c)"
	[ -n "$1" ] || not has /before/me
	[ -z "$1" ] || has /before/me
	if [ -n "$2" ]; then
		grep -q "$2" "$T/err"
	else
		[ ! -s "$T/err" ]
	fi
}

@test "class 22: what was saved is believed only where it is root's alone" {
	needs_root
	by_hand
	fake "$T" core_tee
	fake "$T" usercrash_c
	before "$T" '|/before/me %p'
	before_is_called 1 ''
	chown 4242 "$T/t/saved"
	before_is_called '' "$T/t/saved: .*owned by user 4242: ignored"
	chown 0 "$T/t/saved"
	chmod 664 "$T/t/saved"
	before_is_called '' "$T/t/saved: .*others may write it: ignored"
	chmod 644 "$T/t/saved"
	# the directory: whoever has it can put another one there
	chown 4242 "$T/t"
	before_is_called '' "$T/t/saved: .*owned by user 4242: ignored"
	chown 0 "$T/t"
	chmod 1777 "$T/t"
	before_is_called '' "$T/t/saved: .*others may write it: ignored"
	chmod 755 "$T/t"
	mv "$T/t" "$T/t2"
	ln -s t2 "$T/t"
	before_is_called '' "$T/t/saved: a symbolic link"
	rm "$T/t"
	mv "$T/t2" "$T/t"
	mv "$T/t/saved" "$T/saved"
	ln -s ../saved "$T/t/saved"
	before_is_called '' "$T/t/saved: a symbolic link"
	rm "$T/t/saved"
	mkfifo "$T/t/saved"
	before_is_called '' "$T/t/saved: not a regular file"
	rm "$T/t/saved"
	mv "$T/saved" "$T/t/saved"
	before_is_called 1 ''
}

@test "class 22: a ledger that is not root's alone is not written" {
	needs_root
	by_hand 'receiver h:1'
	fake "$T" core_send
	echo root >"$T/precious"
	ln -s ../precious "$T/t/rate"
	hand "$T" --after "${ORDINARY[@]}"
	grep -q "$T/t/rate: a symbolic link.*core-rate is off" "$T/err"
	[ "$(cat "$T/precious")" = root ]
	# and no core is lost by it
	argv "$T/argv.core_send"
	rm "$T/t/rate"
	chown 4242 "$T/t"
	hand "$T" --after "${ORDINARY[@]}"
	grep -q "$T/t/rate: .*owned by user 4242: core-rate is off" "$T/err"
	[ ! -e "$T/t/rate" ]
	chown 0 "$T/t"
	hand "$T" --after "${ORDINARY[@]}"
	not grep core-rate "$T/err"
	[ "$(wc -l <"$T/t/rate")" = 1 ]
}

# hooked WHY: the hook runs if there is none, else that is said.
hooked()
{
	rm -f "$T/hooked" "$T/t/rate"
	echo "aaaaaaaaaaaaaaaa $T/d/usercrash_07" >"$T/told"
	hand "$T" --after "${ORDINARY[@]}" 4<"$T/told"
	if [ -z "$1" ]; then
		wait_for 20 test -e "$T/hooked"
	else
		wait_for 20 grep -q "$1: not run, for" "$T/err"
		[ ! -e "$T/hooked" ]
	fi
}

@test "class 22: a hook is run only where root alone can change it" {
	needs_root
	by_hand
	mkdir "$T/h"
	conf "$T" "hook $T/h/hook"
	printf '#!/bin/sh\ntouch %s\n' "$T/hooked" >"$T/h/hook"
	chmod 755 "$T/h/hook"
	hooked ''
	chown 4242 "$T/h/hook"
	hooked 'owned by user 4242'
	chown 0 "$T/h/hook"
	chmod 775 "$T/h/hook"
	hooked 'others may write it'
	chmod 755 "$T/h/hook"
	chown 4242 "$T/h"
	hooked 'owned by user 4242'
	chown 0 "$T/h"
	# a link is as good as what it points at
	mkdir "$T/away"
	mv "$T/h/hook" "$T/away"
	ln -s ../away/hook "$T/h/hook"
	hooked ''
	chown 4242 "$T/away"
	hooked 'owned by user 4242'
}

@test "class 22: crashlogctl obeys no state that is not root's alone" {
	local f
	needs_root
	load ctl
	ctl_install
	ctl_fake_proc
	ctl --server none enable >/dev/null
	for f in "$CTL/v" "$CTL/v/saved"; do
		chown 4242 "$f"
		run ctl --server none enable
		[ "$status" = 111 ]
		[[ "$output" == *"owned by user 4242"*"give it to root"* ]]
		run ctl --server none disable
		[ "$status" = 111 ]
		run ctl --server none doctor --no-crash
		grep -q "^error *state: .*owned by user 4242" <<<"$output"
		chown 0 "$f"
	done
	rm "$CTL/v/lock"
	ln -s ../precious "$CTL/v/lock"
	run ctl --server none disable
	[ "$status" = 111 ]
	[ ! -e "$CTL/precious" ]
	rm "$CTL/v/lock"
	printf '%s\n' "hook $CTL/hook" "hook /bin/true" >>"$CTL/c"
	cp /bin/true "$CTL/hook"
	chown 4242 "$CTL/hook"
	run ctl --server none doctor --no-crash
	grep -q "^error *hook: $CTL/hook .*owned by user 4242" <<<"$output"
	grep -q "^ok *hook: /bin/true" <<<"$output"
	ctl --server none disable >/dev/null
	[ "$(fake_pattern)" = core ]
}

# Connections from 127.0.0.1 that say nothing; those that are sent away come
# again.
hog()
{
	exec python3 - "$1" 800 <<-'END'
		import socket, sys, time
		def new():
		    s = socket.socket()
		    s.setblocking(False)
		    try: s.connect(("127.0.0.1", int(sys.argv[1])))
		    except BlockingIOError: pass
		    return s
		cs = [new() for _ in range(int(sys.argv[2]))]
		print("open", flush=True)
		while True:
		    for i, s in enumerate(cs):
		        try:
		            s.recv(100)
		        except BlockingIOError: continue
		        except OSError: pass
		        s.close()
		        cs[i] = new()
		    time.sleep(0.3)
	END
}

connected()
{
	[ "$(grep -c " 0100007F:$(printf %04X "$PORT") 01 " /proc/net/tcp)" -ge "$1" ]
}

heard()
{
	"$BIN/core_send" -t 5 --pid="$1" --comm=x --time=5 --dumpmode=1 \
	    "[::1]:$PORT" <"$CORE" 2>"$BATS_TEST_TMPDIR/err"
}

# forged_notes N TYPE BYTES: a core with so many notes beside its thread's.
forged_notes()
{
	python3 - "$@" <<-'END'
		import struct, sys
		n, kind, data = (int(x) for x in sys.argv[1:])
		note = struct.pack("<III8s", 5, data, kind, b"CORE") + b"A" * data
		thread = struct.pack("<III8s12xH18xI300x", 5, 336, 1, b"CORE",
		    11, 4711)
		out = sys.stdout.buffer
		out.write(struct.pack("<16sHHIQQQIHHHHHH",
		    b"\x7fELF\x02\x01\x01", 4, 62, 1, 0, 64, 0, 0, 64, 56, 1,
		    0, 0, 0))
		out.write(struct.pack("<IIQQQQQQ", 4, 0, 120, 0, 0,
		    len(thread) + n * len(note), 0, 4))
		out.write(thread)
		for i in range(n // 1000):
		    out.write(note * 1000)
	END
}

# NT_PRPSINFO, more of them than fit, NT_FILE and NT_AUXV.
@test "class 19: 10^6 other notes: what is read of them is told" {
	local kind r=$BATS_TEST_TMPDIR/r
	needs_tool python3
	[ "$(uname -m)" = x86_64 ] || unmet "the core is made for x86_64"
	for kind in "3 136" "1179208773 40" "6 64"; do
		# shellcheck disable=SC2086
		forged_notes 1000000 $kind 2>/dev/null |
		    "$C" -w 600 -f json -o "$r" 999999999 forged 11 \
			2>"$BATS_TEST_TMPDIR/e" || :
		cat "$BATS_TEST_TMPDIR/e"
		not grep -q 'incomplete\|no report' "$BATS_TEST_TMPDIR/e"
		bounded "$r" json
		json_get "$r" registers rip
		case $kind in
		3*) # a build with sanitizers has no bound of memory
			[[ $BIN == *-san* ]] || grep -q '"incomplete": "it has more notes than there is memory for"' "$r"
			;;
		esac
	done
}

# fds N: as many descriptors as may be, up to that, in $FDS.  Root has the limit
# raised; who lacks CAP_SYS_RESOURCE has what there is.
fds()
{
	FDS=$1
	if ! (ulimit -n $((FDS + 64))) 2>/dev/null; then
		FDS=$(($(ulimit -H -n) - 64))
	fi
	[ "$FDS" -ge 3000 ] || unmet "needs descriptors"
}

# fds_told REPORT MIB: all are in the list, or it says how many are not; 0, 1 and
# 2 too.
fds_told()
{
	local size listed out
	size=$(stat -c %s "$1")
	json_valid "$1"
	listed=$(json_get "$1" files | grep -o '"fd": ' | wc -l)
	out=$(json_get "$1" files | grep -o '"left_out": [0-9]*' |
	    awk '{ n += $2 } END { print n + 0 }')
	echo "$FDS descriptors, $size bytes, $listed listed, $out left out"
	[ "$size" -gt 65536 ]
	[ "$size" -le $(($2 << 20)) ]
	[ $((listed + out)) -ge $((FDS + 3)) ]
	# the lists behind it are there
	grep -q '"status": ' "$1"
}

@test "class 19: 100,000 descriptors, or as many as may be: a bounded list, told where it is cut" {
	needs_victim much
	fds 100000
	pattern_lock
	pattern "|$RUND/c -d$RUND/d -S$RUND/s -R1 -fjson %P %e %s"
	crash "$VICTIMS/much" fds "$FDS"
	REPORT=$(newest_report)
	fds_told "$REPORT" 1
	grep -q '"left_out": [0-9]' "$REPORT"
	grep -q crash_here "$REPORT"
}

@test "class 19: 100,000 descriptors of a process that lives" {
	needs_victim much
	fds 100000
	live "$VICTIMS/much" fds "$FDS" stay
	timeout 60 "$BIN/debugger" -f json "$PID" >"$BATS_TEST_TMPDIR/r"
	fds_told "$BATS_TEST_TMPDIR/r" 8
	kill -0 "$PID"
}

@test "class 24: one host takes all places to wait, and another is heard" {
	local S=$BATS_TEST_TMPDIR/store
	needs_tool python3
	a_core
	[ -e /proc/net/if_inet6 ] || unmet "needs IPv6"
	mkdir -m 700 "$S"
	PORT=$((20000 + RANDOM % 12000))
	bg "$BIN/recv_core" -u "$(id -un)" -m 0 -t 300 -p "$PORT" -d "$S" \
	    2>"$BATS_TEST_TMPDIR/log"
	wait_for 20 heard 1
	ulimit -n 4096
	bg hog "$PORT" >"$BATS_TEST_TMPDIR/hog"
	wait_for 30 grep -q open "$BATS_TEST_TMPDIR/hog"
	# as many as there are children for a host, and places to wait
	wait_for 30 connected 520
	heard 2
	heard 3
	grep -q 'refused: too many connections from this host' \
	    "$BATS_TEST_TMPDIR/log"
	ls "$S"/*/core.x.[123].5
	# nor have they the log
	wait_for 30 grep -q 'the next ones are only counted' \
	    "$BATS_TEST_TMPDIR/log"
	[ "$(grep -c refused: "$BATS_TEST_TMPDIR/log")" -lt 500 ]
}

# counted_forks COMMAND...: it, and how many processes it starts, in $FORKS.
counted_forks()
{
	strace -f -q -qq -o "$T/forks" -e trace=clone,clone3,fork,vfork "$@"
	FORKS=$(grep -c ' = [1-9][0-9]*$' "$T/forks") || :
}

# Nor for this one: the wrapper is a program, and no shell is asked.
@test "class 27: text of any length costs the wrapper no process" {
	local text
	needs_tool strace
	by_hand
	fake "$T" usercrash_c
	# a word that it does not know is shown
	for text in "$(printf 'h\377\n\001x')" \
	    "$(for _ in $(seq 1000); do printf '\377\n\001x'; done)"; do
		counted_forks env -i "$T/b/w" -k -c "$T/f" -s "$T/t" \
		    "${ORDINARY[@]:0:12}" "?$text" ecomm </dev/null 2>"$T/err"
		echo "$FORKS processes"
		[ "$FORKS" = 0 ]
		grep -Fq 'x\xff\x0a\x01x' "$T/err" || [ ${#text} -lt 10 ]
		grep -Fq '\xff\x0a\x01x' "$T/err"
	done
}

@test "hooks: no descriptor of the crash, and whether its core is kept" {
	local store
	for store in no "$BATS_TEST_TMPDIR/store"; do
		by_hand
		fake "$T" core_send
		cat >"$T/hook" <<-END
			#!/bin/bash
			ls -l /proc/self/fd >$T/hook.fds
			echo "\$REPORT_CORE" >$T/hook.core
			: >$T/hook.done
		END
		chmod 755 "$T/hook"
		conf "$T" "hook $T/hook" "store $store"
		rm -f "$T/hook.done" "$T/t/rate"
		echo "aaaaaaaaaaaaaaaa $T/d/usercrash_07" >"$T/told"
		hand "$T" --after "${ORDINARY[@]}" 4<"$T/told" \
		    3</etc/passwd 5</etc/passwd 7</etc/passwd 9<"$T/f"
		wait_for 20 test -e "$T/hook.done"
		cat "$T/hook.fds"
		# of those a shell can open there is the one that ls reads
		[ "$(grep -c ' [3-9] -> ' "$T/hook.fds")" = 1 ]
		not grep -e /etc/passwd -e "$T/f\$" "$T/hook.fds"
		[ "$(cat "$T/hook.core")" = \
		    "$([ "$store" = no ] && echo no || echo yes)" ]
	done
}

@test "class 28: root's debugger is nobody, with the core on a descriptor" {
	local c
	needs_root
	needs_tool setpriv
	load ctl
	ctl_install
	chmod 755 "$CTL"
	printf '%s\n' "reports $CTL/d" "store $CTL/store" >"$CTL/c"
	mkdir -p "$CTL/store/h"
	put_report 00 pid=10 time=2026-01-01T00:00:00Z exe=/bin/true \
	    signature=aaaaaaaaaaaaaaaa
	c=$CTL/store/h/core.a.10.1767225600
	echo secret >"$c"
	printf '%s\n' pid:\ 10 time:\ 1767225600 >"$c.info"
	chmod 440 "$c"
	chmod 700 "$CTL/store"
	cat >"$CTL/bin/gdb" <<-'END'
		#!/bin/sh
		for core; do :; done
		echo "uid $(id -u) gid $(id -g) groups $(id -G)"
		grep -E '^(CapEff|CapBnd|NoNewPrivs):' /proc/self/status
		echo "core $core $(cat "$core")"
		ls -l "$core"
		cat /etc/shadow && echo shadow
	END
	chmod 755 "$CTL/bin/gdb"
	mkdir "$CTL/tmp"
	export TMPDIR=$CTL/tmp
	run ctl gdb 0
	echo "$output"
	[ "$(sed -n 's/^uid \([0-9]*\) .*/\1/p' <<<"$output")" -ge 65534 ]
	grep -q '^CapEff:[[:space:]]*0*$' <<<"$output"
	grep -q '^NoNewPrivs:[[:space:]]*1$' <<<"$output"
	grep -q '^core /proc/self/fd/[0-9]* secret$' <<<"$output"
	grep -q '(deleted)$' <<<"$output"
	not grep -q '^shadow$' <<<"$output"
	run ctl gdb --as-root 0
	grep -q '^uid 0 ' <<<"$output"
	grep -q "^core $c secret" <<<"$output"
	# nothing is left
	[ -z "$(ls "$CTL/tmp")" ]
}

@test "class 25: one user under 50 names leaves the reports of root" {
	local d=$BATS_TEST_TMPDIR/d i
	needs_root
	mkdir -m 750 "$d"
	# by the names it was told: the process is not there
	one()
	{
		"$C" -S /dev/null -d "$d" -m 0 -n 20 --uid="$1" --comm="$2" \
		    --signal=11 --pid=999999999 </dev/null \
		    2>>"$BATS_TEST_TMPDIR/log" || [ $? = 1 ]
	}
	for i in 1 2 3 4 5; do
		one 0 "root$i"
	done
	for i in $(seq 50); do
		one 1000 "greedy$i"
	done
	[ "$(grep -lx 'uid: 0' "$d"/usercrash_* | wc -l)" = 5 ]
	[ "$(find "$d" -name 'usercrash_*' | wc -l)" = 20 ]
	# nor has it the whole log, and what it has not is counted
	[ "$(grep -c greedy "$BATS_TEST_TMPDIR/log")" -lt 50 ]
	grep -q 'greedy30.*more of them in this minute are only counted' \
	    "$BATS_TEST_TMPDIR/log"
}

# forged_threads N: a core with so many threads in its notes.
forged_threads()
{
	python3 - "$1" <<-'END'
		import struct, sys
		n = int(sys.argv[1])
		out = sys.stdout.buffer
		note = struct.pack("<III8s", 5, 336, 1, b"CORE")
		size = n * (len(note) + 336)
		out.write(struct.pack("<16sHHIQQQIHHHHHH",
		    b"\x7fELF\x02\x01\x01", 4, 62, 1, 0, 64, 0, 0, 64, 56, 1,
		    0, 0, 0))
		out.write(struct.pack("<IIQQQQQQ", 4, 0, 120, 0, 0, size, 0, 4))
		for i in range(n):
		    out.write(note + struct.pack("<12xH18xI300x", 11, i + 1))
	END
}

# bounded FILE: no larger than a report may be, its JSON whole; both told.
bounded()
{
	ls -l "$1"
	[ "$(stat -c %s "$1")" -le $((8 * 1048576 + 4096)) ]
	[ "$(stat -c %s "$1")" -gt 300 ]
	case $2 in
	json) python3 -m json.tool "$1" >/dev/null ;;
	esac
}

# What is left out of them is told, and what follows them is there.
many_threads()
{
	grep -q '^  \.\.\. [0-9]* left out: \|"left_out": [0-9]' "$1"
	grep -q 'the core has more than 65536 threads' "$1"
	grep -q '^status: \|"status": ' "$1"
}

@test "class 19: 10^6 forged threads: a bounded report in bounded memory" {
	local format n
	needs_tool python3
	[ "$(uname -m)" = x86_64 ] || unmet "the core is made for x86_64"
	for n in 10 1000000; do
		for format in text json; do
			forged_threads $n 2>/dev/null |
			    "$C" -w 600 -f $format \
				-o "$BATS_TEST_TMPDIR/r.$format" \
				999999999 forged 11 2>"$BATS_TEST_TMPDIR/e" || :
			cat "$BATS_TEST_TMPDIR/e"
			bounded "$BATS_TEST_TMPDIR/r.$format" $format
			# the section is cut, not the report
			not grep -q 'incomplete\|no report' "$BATS_TEST_TMPDIR/e"
			[ $n = 10 ] || many_threads "$BATS_TEST_TMPDIR/r.$format"
		done
	done
}
