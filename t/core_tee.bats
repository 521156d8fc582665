# core_tee: every consumer gets every byte, whatever the others do; stdin is
# held, and left unread, for as long as it should.

load helper

setup()
{
	AS=(env)
	T=$BATS_TEST_TMPDIR
	cd "$T" || return 1
}

teardown()
{
	[ -z "${STOPPED:-}" ] || kill -CONT "$STOPPED" 2>/dev/null || :
	touch "$BATS_TEST_TMPDIR/go"
	[ -z "${RUND:-}" ] || touch "$RUND/go"
	pattern_release
}

# data BYTES: a file of them, made once: $IN.
data()
{
	IN=$BATS_FILE_TMPDIR/in.$1
	[ -s "$IN" ] || head -c "$1" /dev/urandom >"$IN"
}

# What core_tee says goes to err, its exit code to $RC.
tee_run()
{
	RC=0
	"$BIN/core_tee" "$@" 2>err || RC=$?
	echo "exit $RC: $(cat err)"
}

# bg_tee FILE ARGS...: in the background, its process id in $BG; what bash
# starts there has no stdin but one that is given to itself.
bg_tee()
{
	local in=$1
	shift
	"${AS[@]}" "$BIN/core_tee" "$@" <"$in" 2>err 3>&- 9>&- &
	BG=$!
	BGS="${BGS:-} $BG"
}

# lines N PATTERN...: so many lines of log, each pattern in one of them.
lines()
{
	[ "$(wc -l <err)" = "$1" ]
	shift
	local p
	for p; do
		grep -q "^core_tee: warning: $p" err || {
			echo "no line: $p"
			return 1
		}
	done
}

# one_bad COMMAND...: between two good ones, with stdin a pipe, then a file.
one_bad()
{
	local i
	data 20000000
	for i in pipe file; do
		rm -f a b
		if [ $i = pipe ]; then
			RC=0
			head -c 20000000 "$IN" | "$BIN/core_tee" -t 1 \
			    dd of=a status=none \; "$@" \; dd of=b status=none \
			    2>err || RC=$?
			echo "exit $RC: $(cat err)"
		else
			tee_run -t 1 dd of=a status=none \; "$@" \; \
			    dd of=b status=none <"$IN"
		fi
		cmp "$IN" a
		cmp "$IN" b
	done
}

@test "usage: 100, and nothing is run" {
	local args
	for args in '' ';' '; touch x' 'touch x ;' 'touch x ; ; touch x' \
	    '-t 1' '-t 0 touch x' '-t x touch x' '-b 0 touch x' \
	    '-b 1025 touch x' '-T 0 touch x' '-q touch x' \
	    '-s , , touch x' '-s , touch x ,' '-s' '-l 2 touch x' \
	    '-l 256 touch x' '-l x touch x'; do
		# shellcheck disable=SC2086
		tee_run $args </dev/null
		[ "$RC" = 100 ]
		[ -s err ]
		[ ! -e x ]
	done
}

@test "every consumer gets every byte: pipe, file, socket, nothing" {
	local n i all size
	for size in 1 4096 65537 30000001; do
		data $size
		for n in 1 2 5; do
			rm -f o.*
			all=()
			for ((i = 0; i < n; i++)); do
				all+=(${all:+\;} dd "of=o.$i" status=none)
			done
			# a pipe of every size of write
			# shellcheck disable=SC2002
			cat "$IN" | "$BIN/core_tee" "${all[@]}"
			for ((i = 0; i < n; i++)); do cmp "$IN" o.$i; done
			rm -f o.*
			"$BIN/core_tee" "${all[@]}" <"$IN"
			for ((i = 0; i < n; i++)); do cmp "$IN" o.$i; done
		done
	done
	"$BIN/core_tee" dd of=e status=none \; dd of=f status=none </dev/null
	[ -e e ] && [ ! -s e ] && [ -e f ] && [ ! -s f ]
	"$BIN/core_tee" dd of=g status=none <&-
	[ -e g ] && [ ! -s g ]
	if command -v python3 >/dev/null; then
		data 30000001
		python3 -c 'import socket, subprocess, sys
a, b = socket.socketpair()
p = subprocess.Popen(sys.argv[2:], stdin=b)
b.close()
a.sendall(open(sys.argv[1], "rb").read())
a.close()
sys.exit(p.wait())' "$IN" "$BIN/core_tee" dd of=x status=none \; dd of=y status=none
		cmp "$IN" x
		cmp "$IN" y
	fi
}

@test "1-byte writes, and writes of odd sizes" {
	data 30000
	dd if="$IN" bs=1 status=none |
	    "$BIN/core_tee" dd of=a status=none \; dd of=b status=none
	cmp "$IN" a
	cmp "$IN" b
	data 5000000
	dd if="$IN" bs=1448 status=none | "$BIN/core_tee" \
	    dd of=a status=none \; dd of=b bs=777 status=none \; dd of=c status=none
	cmp "$IN" a
	cmp "$IN" b
	cmp "$IN" c
}

@test "a gigabyte, with consumers of different speed" {
	data 1000000
	local i
	for i in {1..1000}; do cat "$IN"; done | tee >(md5sum >want) |
	    "$BIN/core_tee" sh -c 'md5sum >a' \; \
	    sh -c 'dd bs=1M status=none | md5sum >b' \; \
	    dd of=c bs=3000 seek=0 status=none conv=notrunc
	wait_for 30 test -s want
	wait_for 30 test "$(cat a)" = "$(cat want)"
	[ "$(cat b)" = "$(cat want)" ]
	[ "$(md5sum <c)" = "$(cat want)" ]
	rm c
}

@test "arguments arrive as they are" {
	# shellcheck disable=SC2016
	"$BIN/core_tee" sh -c 'printf "<%s>" "$@" >a' sh 'a b' '' '*' '$(x)' \
	    '-t' "\\;" ';;' \; sh -c 'printf "<%s>" "$@" >b' sh '"' </dev/null
	[ "$(cat a)" = '<a b><><*><$(x)><-t><\;><;;>' ]
	[ "$(cat b)" = '<">' ]
}

@test "-s: another separator, so that ; is an argument like others" {
	data 5000000
	# shellcheck disable=SC2016
	"$BIN/core_tee" -s // sh -c 'printf "<%s>" "$@" >a; cat >c' sh \; reboot \
	    // dd of=b status=none <"$IN"
	[ "$(cat a)" = '<;><reboot>' ]
	cmp "$IN" b
	cmp "$IN" c
}

@test "-l: the second reads what the first writes, and sees it end" {
	data 5000000
	local fd
	# shellcheck disable=SC2016
	for fd in 3 4 5 7 255; do
		rm -f a b c one two l2 l3
		tee_run -l $fd sh -c 'cat >a; echo facts; echo more' \; \
		    bash -c "read -r l <&$fd; cat <&$fd >two
			readlink /proc/self/fd/$fd >l2
			echo \$l >one; cat >b" \; \
		    bash -c "cat >c; readlink /proc/self/fd/$fd >l3 || :" \
		    <"$IN"
		[ "$RC" = 0 ]
		[ "$(cat one two)" = $'facts\nmore' ]
		grep -q pipe l2
		not cmp l2 l3
		cmp "$IN" a && cmp "$IN" b && cmp "$IN" c
	done
}

@test "-l: the first is killed, or cannot be run: the second sees an end" {
	data 5000000
	# shellcheck disable=SC2016
	tee_run -l 4 sh -c 'echo half; kill -9 $$' \; \
	    sh -c 'cat <&4 >one; cat >b' <"$IN"
	[ "$RC" = 1 ]
	[ "$(cat one)" = half ]
	cmp "$IN" b
	tee_run -l 4 /nonexistent \; sh -c 'cat <&4 >one; cat >b' <"$IN"
	[ "$RC" = 1 ]
	[ -e one ] && [ ! -s one ]
	cmp "$IN" b
	# alone, it writes for nobody
	tee_run -l 4 sh -c 'echo facts; cat >b' <"$IN"
	cmp "$IN" b
}

@test "-l: no descriptor left for it is no reason not to run" {
	echo x >in
	ulimit -n 100
	tee_run -l 4 dd of=a status=none \; dd of=b status=none <in
	[ "$RC" = 0 ]
	lines 1 'unable to link: '
	cmp in a && cmp in b
}

@test "one exits at once, with 0: nothing is lost or said" {
	one_bad true
	[ "$RC" = 0 ]
	lines 0
}

@test "one takes a part and exits: likewise" {
	one_bad sh -c 'head -c 100000 >c'
	[ "$RC" = 0 ]
	lines 0
	head -c 100000 "$IN" | cmp - c
}

@test "one fails: who and how, and 1" {
	one_bad sh -c 'exit 3'
	[ "$RC" = 1 ]
	lines 1 'sh\[[0-9]*]: exit status 3$'
}

@test "one is killed midway" {
	# shellcheck disable=SC2016
	one_bad sh -c 'head -c 3000000 >c; kill -9 $$'
	[ "$RC" = 1 ]
	lines 1 'sh\[[0-9]*]: died of signal 9, after [0-9]* bytes$'
}

@test "one cannot be run" {
	: >plain
	for bad in /nonexistent/x no-such-program "$T/plain" "$T" ''; do
		one_bad "$bad" x y
		[ "$RC" = 1 ]
		lines 1 "unable to run $bad: "
	done
	# a script without #! is not given to a shell
	echo 'touch hit' >script
	chmod +x script
	one_bad "$T/script"
	lines 1 "unable to run $T/script: Exec format error"
	[ "$RC" = 1 ]
	[ ! -e hit ]
}

@test "none can be run: 111" {
	data 5000000
	tee_run /nonexistent/a \; /nonexistent/b <"$IN"
	[ "$RC" = 111 ]
	lines 2 'unable to run /nonexistent/a: No such file' \
	    'unable to run /nonexistent/b: No such file'
	tee_run /nonexistent/a \; true <"$IN"
	[ "$RC" = 1 ]
}

@test "stdin cannot be read: 111" {
	tee_run dd of=a status=none <"$T"
	[ "$RC" = 111 ]
	lines 1 'unable to read after 0 bytes: Is a directory'
}

@test "input that fails between a pipe and the next: said, and nobody is held" {
	local at F=$BUILD/t/fault_at
	[ -x "$F" ] || unmet "fault_at is not built here"
	export ASAN_OPTIONS=detect_leaks=0
	data 300000
	# shellcheck disable=SC2002 # it is to be a pipe
	cat "$IN" | "$F" -o calls 1:1 none "$BIN/core_tee" cat \; cat >/dev/null
	at=$(sed -n 's/^\(1:[0-9]*\) splice .*/\1/p' calls | head -1)
	[ -n "$at" ] || unmet "needs pipes that take all at once"
	RC=0
	# shellcheck disable=SC2002
	cat "$IN" | timeout 60 "$F" "$at" EIO "$BIN/core_tee" cat \; cat \
	    >/dev/null 2>err || RC=$?
	cat err
	[ "$RC" = 111 ]
	grep 'unable to read after [0-9]* bytes: Input/output error' err
}

@test "one hangs: dropped alone after -t seconds, and let live" {
	local ct
	data 20000000
	# shellcheck disable=SC2016
	bg_tee "$IN" -t 1 -b 1 dd of=a status=none \; \
	    sh -c 'echo $$ >pid; kill -STOP $$; cat >c; touch eof' \; \
	    dd of=b status=none
	ct=$BG
	wait_for 30 cmp -s "$IN" a
	wait_for 30 cmp -s "$IN" b
	wait_for 10 grep -q . err
	cat err
	lines 1 'sh\[[0-9]*]: dropped: took nothing for 1 seconds, after [0-9]* bytes$'
	STOPPED=$(cat pid)
	[ "$(state_of "$STOPPED")" = T ]
	# it may still need the process that core_tee holds
	not gone "$ct"
	kill -CONT "$STOPPED"
	RC=0
	wait "$ct" || RC=$?
	[ "$RC" = 1 ]
	[ -e eof ]
	# what it had been given, and no byte else
	[ "$(stat -c %s c)" = "$(sed 's/.*after \([0-9]*\) bytes/\1/' err)" ]
	cmp -n "$(stat -c %s c)" "$IN" c
	lines 1 'sh.*dropped'
}

@test "one hangs that stdin's end finds with a full pipe" {
	data 20000000
	# shellcheck disable=SC2016
	tee_run -t 1 -T 2 dd of=a status=none \; \
	    sh -c 'exec sleep 1000' <"$IN"
	[ "$RC" = 1 ]
	cmp "$IN" a
	lines 1 'sh.*: dropped: '
}

@test "one closes stdin and lives on: the others get all, it is waited for" {
	data 20000000
	bg_tee "$IN" -v dd of=a status=none \; \
	    sh -c 'exec <&-; until [ -e go ]; do sleep 0.02; done; touch was' \
	    \; dd of=b status=none
	wait_for 30 cmp -s "$IN" a
	wait_for 30 cmp -s "$IN" b
	wait_for 10 grep -q 'dd.*has exited' err
	not gone "$BG"
	touch go
	RC=0
	wait "$BG" || RC=$?
	[ "$RC" = 0 ]
	[ -e was ]
}

# The bytes a process has written.
wrote()
{
	awk '$1 == "wchar:" { print $2 }' "/proc/$1/io"
}

@test "nobody wants more: stdin is not drained, and held until the last exits" {
	mkfifo f
	bg_tee f -v sh -c 'exec <&-; touch one' \; \
	    sh -c 'exec <&-; until [ -e go ]; do sleep 0.02; done'
	local ct=$BG
	bg yes >f
	local yes=$BG at
	wait_for 10 eval '[ "$(grep -c "closed after" err)" = 2 ]'
	wait_for 10 test -e one
	wait_for 10 grep -q 'sh.*has exited' err
	wait_for 10 eval "[ \"\$(state_of $yes)\" = S ]"
	at=$(wrote "$yes")
	# two pipes full, and what was passed before they closed
	[ "$at" -le 4000000 ]
	not gone "$ct"
	not gone "$yes"
	[ "$(wrote "$yes")" = "$at" ]
	touch go
	wait "$ct"
	wait_for 10 gone "$yes"
	RC=0
	wait "$yes" || RC=$?
	[ "$RC" = 141 ]
	[ "$(wrote "$yes" 2>/dev/null || echo "$at")" = "$at" ]
}

@test "descriptors: those from 3 on are inherited, none of core_tee's own" {
	data 5000
	# a pipe of core_tee's in a consumer would be one that never ends
	timeout 60 "$BIN/core_tee" sh -c 'cat <&7 >a; ls /proc/self/fd >la' \; \
	    sh -c 'cat >/dev/null; ls /proc/self/fd >lb' 7<"$IN" </dev/null
	cmp "$IN" a
	sh -c 'cat >/dev/null; ls /proc/self/fd >want' 7<"$IN" </dev/null
	grep -qx 7 want
	diff want la
	diff want lb
}

@test "signals: consumers are born with SIGPIPE at its default, none blocked" {
	(
		trap '' PIPE
		"$BIN/core_tee" sh -c 'cat /proc/self/status >a' </dev/null
	)
	[ $((0x$(awk '/^SigIgn/ { print $2 }' a) & 0x1000)) = 0 ]
	awk '/^SigBlk/ { print $2 }' a | grep -Eqx '0+'
	# so that this ends by itself
	"$BIN/core_tee" sh -c 'yes | head -1 >y' </dev/null
	[ "$(cat y)" = y ]
}

# Says so in the file term, and in the file eof that stdin has ended.
asked='trap "touch term; exit 0" TERM; touch ready; read x; touch eof'

@test "SIGTERM: consumers are asked to end, and not by an end of stdin" {
	mkfifo f
	for sig in TERM INT HUP; do
		rm -f ready term eof
		# bash ignores SIGINT in background jobs, launch does not
		AS=("$VICTIMS/launch" fresh)
		bg_tee f sh -c "$asked"
		exec 8>f
		wait_for 10 test -e ready
		kill -$sig "$BG"
		RC=0
		wait "$BG" || RC=$?
		exec 8>&-
		[ "$RC" = 1 ]
		[ -e term ] && [ ! -e eof ]
		lines 1 'sh\[[0-9]*]: ended by signal [0-9]* to us, after 0 bytes$'
	done
}

@test "SIGTERM: those who will not, are killed" {
	# shellcheck disable=SC2016
	bg_tee /dev/null sh -c 'trap "" TERM; echo $$ >pid
	    while :; do sleep 0.1; done' \; cat
	wait_for 10 test -s pid
	kill -TERM "$BG"
	RC=0
	wait "$BG" || RC=$?
	[ "$RC" = 1 ]
	gone "$(cat pid)"
}

@test "-T: nothing moves for so long" {
	mkfifo f
	bg_tee f -T 1 sh -c "$asked" \; sleep 1000
	exec 8>f
	RC=0
	wait "$BG" || RC=$?
	exec 8>&-
	cat err
	[ "$RC" = 1 ]
	[ -e term ] && [ ! -e eof ]
	lines 2 'sh.*: ended: nothing moved for 1 seconds, after 0 bytes$' \
	    'sleep.*: ended: nothing moved'
}

@test "kill -9 of core_tee: consumers have what they have, and live" {
	data 100000
	mkfifo f
	# shellcheck disable=SC2016
	bg_tee f sh -c 'cat >a; touch ea' \; sh -c 'cat >b; touch eb'
	exec 8>f
	cat "$IN" >&8
	wait_for 10 cmp -s "$IN" a
	wait_for 10 cmp -s "$IN" b
	kill -KILL "$BG"
	wait_for 10 test -e ea
	wait_for 10 test -e eb
	exec 8>&-
	cmp "$IN" a
	cmp "$IN" b
}

@test "-v: what became of each" {
	data 100000
	tee_run -v cat \; true <"$IN" >/dev/null
	grep -q '^core_tee: debug: cat\[[0-9]*]: started$' err
	grep -q '^core_tee: debug: cat\[[0-9]*]: has all 100000 bytes$' err
	grep -q '^core_tee: debug: true\[[0-9]*]: has exited$' err
}

@test "base/fanout: readers of every pace, stalls, a full ring" {
	"$BUILD/t/unit_fanout"
}

# --- run by the kernel -----------------------------------------------------

# on_core CONSUMER...: scripts by the kernel: each a line of sh, which finds
# the process in $1; $RUND is known there.
on_core()
{
	local n=0 c line="exec 2>>$RUND/log; exec $BIN/core_tee -v"
	for c; do
		n=$((n + 1))
		printf 'RUND=%s\n%s\n' "$RUND" "$c" >"$RUND/$n"
		[ $n = 1 ] || line="$line \\;"
		line="$line /bin/sh $RUND/$n \"\$@\""
	done
	echo "$line" >"$RUND/h"
	pattern "|/bin/sh $RUND/h %P %e %s"
}

# Crashes in the background: $PID, when the kernel has started the handlers.
crash_bg()
{
	bg "$@" 2>/dev/null
	PID=$BG
}

held()
{
	[ "$(wc -c <"/proc/$PID/maps")" -gt 0 ] &&
	    grep -q '^CoreDumping:[[:space:]]*1' "/proc/$PID/status"
}

@test "a core by the kernel: everyone's copy, and a report" {
	needs_victim much
	needs_tool readelf
	pattern_lock
	# shellcheck disable=SC2016
	on_core "exec $BIN/usercrash_c -d \$RUND/d -S \$RUND/none \"\$@\"" \
	    'cat >$RUND/a; touch $RUND/ea' 'kill -9 $$' 'cat >$RUND/b; touch $RUND/eb'
	crash "$VICTIMS/much" mb 64
	wait_for 30 test -e "$RUND/ea"
	wait_for 30 test -e "$RUND/eb"
	[ "$(stat -c %s "$RUND/a")" -gt 67108864 ]
	cmp "$RUND/a" "$RUND/b"
	report_of "$PID"
	is_report "$REPORT"
	chain_is 'crash_here main' much "$REPORT"
	grep -q 'sh\[[0-9]*]: died of signal 9' "$RUND/log"
	# the core is one, and ends where its program headers say
	core_ends "$RUND/a"
}

# core_ends FILE: it is as long as its last segment wants it.
core_ends()
{
	local kind off size end=0
	while read -r kind off _ _ size _; do
		[ "$kind" != LOAD ] || [ $((off + size)) -le $end ] ||
		    end=$((off + size))
	done < <(readelf -lW "$1" 2>/dev/null)
	[ "$(stat -c %s "$1")" = $end ]
}

@test "the process stays readable until the last consumer has exited" {
	needs_victim much
	pattern_lock
	# shellcheck disable=SC2016
	on_core 'exec <&-; touch $RUND/1c; until [ -e $RUND/go1 ] || [ ! -d $RUND ]; do sleep 0.02; done' \
	    'exec <&-; touch $RUND/2c; until [ -e $RUND/go ] || [ ! -d $RUND ]; do sleep 0.02; done'
	crash_bg "$VICTIMS/much" mb 64
	wait_for 30 test -e "$RUND/1c"
	wait_for 30 test -e "$RUND/2c"
	wait_for 10 eval '[ "$(grep -c "closed after" "$RUND/log")" = 2 ]'
	held
	touch "$RUND/go1"
	wait_for 10 grep -q 'has exited' "$RUND/log"
	held
	# and the kernel has not gone on to write 64 MB into nothing
	[ "$(wrote "$PID")" -le 4000000 ]
	touch "$RUND/go"
	wait_for 10 gone "$PID"
}

@test "a process of 1 GB is let go at once when nobody wants its core" {
	needs_victim much
	pattern_lock
	# shellcheck disable=SC2016
	on_core 'exec <&-; grep wchar /proc/$1/io >$RUND/io1' \
	    'exec <&-; grep wchar /proc/$1/io >$RUND/io2'
	crash "$VICTIMS/much" mb 1024
	[ "$(cat "$RUND/io1" "$RUND/io2" | awk '$2 > 4000000' | wc -l)" = 0 ]
	[ -s "$RUND/io2" ]
}

@test "the pidfd of %F reaches every consumer" {
	needs_victim null
	pattern_lock
	# shellcheck disable=SC2016
	on_core 'cat /proc/self/fdinfo/$4 >$RUND/1i; echo $1 >$RUND/1p' \
	    'cat /proc/self/fdinfo/$4 >$RUND/2i'
	pattern "|/bin/sh $RUND/h %P %e %s %F"
	crash "$VICTIMS/null"
	wait_for 10 grep -q "$PID" "$RUND/1p"
	wait_for 10 test -e "$RUND/2i"
	[ -s "$RUND/1i" ] || unmet "needs a kernel that knows %F"
	[ "$(awk '$1 == "Pid:" { print $2 }' "$RUND/1i")" = "$PID" ]
	[ "$(awk '$1 == "Pid:" { print $2 }' "$RUND/2i")" = "$PID" ]
}

# by_the_book COMMAND-LINE PROGRAM: it is in core_pattern, with this test's
# directories: $PID's core is at the collector, $got.
by_the_book()
{
	local p got port=$((20000 + RANDOM % 12000))
	needs_victim much
	pattern_lock
	p=$(eval "$1")
	[[ $p == "|/usr/bin/$2 "* ]]
	[ ${#p} -le 127 ]
	# shorter, as the directories of this test are longer
	ln -s "$BIN/core_tee" "$RUND/t"
	echo "#!/bin/sh
	exec $BIN/usercrash_c -d$RUND/d -S$RUND/s \"\$@\"" >"$RUND/c1"
	echo "#!/bin/sh
	exec $BIN/core_send -p $port \"\$@\" 2>>$RUND/log" >"$RUND/s1"
	chmod +x "$RUND/c1" "$RUND/s1"
	p=${p/\/usr\/bin\/core_tee/$RUND/t}
	p=${p/\/usr\/bin\/usercrash_c/$RUND/c1}
	p=${p/\/usr\/bin\/core_send/$RUND/s1}
	p=${p/collector/127.0.0.1}
	[[ "$p" != */usr/bin/* ]]
	mkdir "$RUND/store"
	chown nobody "$RUND/store"
	bg "$BIN/recv_core" -m 0 -p "$port" -d "$RUND/store" 127.0.0.1 \
	    2>"$RUND/rlog"
	wait_for 10 eval "(: >/dev/tcp/127.0.0.1/$port) 2>/dev/null"
	pattern "$p"
	crash "$VICTIMS/much" mb 64
	cat "$RUND/log" || :
	wait_for 30 eval 'got=$(find "$RUND/store" -name "core.much.$PID.*" \
	    ! -name "*.info" ! -name "*.part" | grep .)'
	core_ends "$got"
	[ "$(stat -c %s "$got")" -gt 67108864 ]
	readelf -n "$got" | grep -q CORE
}

@test "the core_pattern of the manual: a report, and the core at the collector" {
	by_the_book "$(grep -A 1 "echo '|/usr/bin/core_tee" "$TOP/man/core_tee.8" |
	    sed 's/^[#>] *//; s/\\e$//' | tr -d '\n')" core_tee
	report_of "$PID"
	is_report "$REPORT"
}

@test "the core_pattern of the README: the core at the collector, and no more" {
	by_the_book "$(sed -n "s/^\t\(echo '|.*'\) .*/\1/p" "$TOP/README")" \
	    core_send
	[ "$(reports)" = 0 ]
}

@test "a program called ; or // ends no command" {
	local name
	needs_victim comm
	pattern_lock
	# shellcheck disable=SC2016
	echo 'printf "<%s>" "$@" >$1.args; touch $1.done' >"$RUND/a"
	printf '#!/bin/sh\necho run >%s/hit\n' "$RUND" >"$RUND/hit.sh"
	chmod +x "$RUND/hit.sh"
	ln -s "$BIN/core_tee" "$RUND/t"
	pattern "|$RUND/t -s // /bin/sh $RUND/a $RUND/1 %e $RUND/hit.sh // /bin/sh $RUND/a $RUND/2 x"
	for name in ';' // '/' '\;' '-s'; do
		rm -f "$RUND"/*.args "$RUND"/*.done
		crash "$VICTIMS/comm" "$name"
		wait_for 10 test -e "$RUND/1.done"
		wait_for 10 test -e "$RUND/2.done"
		[ "$(cat "$RUND/1.args")" = \
		    "<$RUND/1><${name//\//!}><$RUND/hit.sh>" ]
		[ "$(cat "$RUND/2.args")" = "<$RUND/2><x>" ]
		[ ! -e "$RUND/hit" ]
	done
}

@test "kill -9 of core_tee: the process is let go, consumers keep what they have" {
	needs_victim much
	pattern_lock
	# shellcheck disable=SC2016
	on_core 'head -c 1000 >$RUND/a; until [ -e $RUND/go ] || [ ! -d $RUND ]; do sleep 0.02; done
		cat >>$RUND/a; touch $RUND/ea' 'echo $PPID >$RUND/ct; cat >$RUND/b; touch $RUND/eb'
	crash_bg "$VICTIMS/much" mb 64
	wait_for 30 test -s "$RUND/ct"
	wait_for 30 test -s "$RUND/a"
	held
	kill -KILL "$(cat "$RUND/ct")"
	wait_for 10 gone "$PID"
	wait_for 10 test -e "$RUND/eb"
	touch "$RUND/go"
	wait_for 10 test -e "$RUND/ea"
	[ "$(stat -c %s "$RUND/a")" -ge 1000 ]
	cmp -n "$(stat -c %s "$RUND/a")" "$RUND/a" "$RUND/b" ||
	    cmp -n "$(stat -c %s "$RUND/b")" "$RUND/a" "$RUND/b"
}
