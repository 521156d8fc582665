# core_send: every byte of a core, from memory and from the stream, to whoever
# misbehaves; the spool; one log line and the right exit code for each end.

load helper

S=$BIN/core_send
PEER=$BUILD/t/core_peer
SMALL=$TOP/t/fixtures/core.x86_64

setup()
{
	T=$BATS_TEST_TMPDIR
	cd "$T" || return 1
}

teardown()
{
	local p
	for p in ${STOPPED:-}; do
		kill -CONT "$p" 2>/dev/null || :
	done
	[ -z "${RUND:-}" ] || touch "$RUND/release"
	pattern_release
	! mountpoint -q "$BATS_TEST_TMPDIR/tiny" 2>/dev/null ||
	    umount "$BATS_TEST_TMPDIR/tiny"
}

# peer [-z] [-b N] [MODE[:BYTES]]: a receiver, with -z one that takes what is
# packed; its directory in $AT, "place" in $P.
# What came in connection N is in $AT/N.core, how it ended in $AT/N.end.
peer()
{
	local b=
	if [ "$1" = -z ]; then
		b=-z
		shift
	fi
	if [ "$1" = -b ]; then
		b="$b -b $2"
		shift 2
	fi
	AT=$(mktemp -d "$T/peer.XXXX")
	# shellcheck disable=SC2086
	bg "$PEER" listen $b -w "${1:-ok}" "$AT"
	wait_for 60 test -s "$AT/port"
	P=127.0.0.1:$(cat "$AT/port")
}

# data MIB: a file that is no core: noise, zeros, noise; made once: $IN.
data()
{
	IN=$BATS_FILE_TMPDIR/in.$1
	[ -s "$IN" ] || {
		head -c $(($1 * 524288)) /dev/urandom
		head -c $(($1 * 262144)) /dev/zero
		head -c $(($1 * 262144)) /dev/urandom
	} >"$IN"
}

# send ARGS <core: the messages in err, the exit code in $RC, one line of log.
send()
{
	RC=0
	"$S" "$@" 2>"$T/err" || RC=$?
	echo "exit $RC: $(cat "$T/err")"
	[ "$(wc -l <"$T/err")" = 1 ]
}

said()
{
	grep -q -- "$1" "$T/err"
}

# arrived CONNECTION FILE: that core, byte for byte, and complete.
arrived()
{
	wait_for 60 test -e "$AT/$1.end"
	[ "$(cat "$AT/$1.end")" = 'state: complete' ]
	cmp "$AT/$1.core" "$2"
}

# The worker of core_send PID, once there is one.
worker_of()
{
	wait_for 60 pgrep -P "$1"
	WORKER=$(pgrep -P "$1")
}

spooled()
{
	find "$T/spool" -name '*.core' | wc -l
}

# --- parts ------------------------------------------------------------------

@test "parts: frames, answers, kept streams, extents, the spool" {
	mkdir unit
	"$BUILD/t/unit_coresend" "$T/unit" || {
		[ $? = 77 ] && unmet 'needs O_TMPFILE'
	}
}

@test "parts: memory and pages of a process" {
	"$BUILD/t/unit_coremem"
}

@test "-z auto: as soon as by the better way, whatever the link" {
	unit unit_corepack
}

# --- the command line ------------------------------------------------------

@test "usage: 100 and how to" {
	local args
	for args in '' 'a b' '-c 0 a' '-c x a' '-e' '-e a_b a' '-p 0 a' \
	    '-S 0 a' '-t 0 a' '-t 1x a' '--flush' '--flush x' '--flush x -' \
	    '-z' '-z maybe a' '--' ',' 'a,' 'a:b' 'a:0' 'a:65536' '[::1' '-m -1 a'; do
		# shellcheck disable=SC2086
		run "$S" $args <"$SMALL"
		echo "$args: $status $output"
		[ "$status" = 100 ]
		[[ "$output" == "core_send: "* || \
		    "$output" == "usage: core_send "* ]]
	done
}

@test "no stream to a terminal" {
	needs_tool script
	run script -qec "$S - <$SMALL" /dev/null </dev/null
	[ "$status" = 100 ]
	[[ "$output" == *'is a terminal'* ]]
}

@test "what is known of a crash: from the notes, where nobody tells" {
	peer
	send "$P" <"$SMALL"
	[ $RC = 0 ]
	said '^core_send: info: crash\[6372\] signal 11: sent to 127.0.0.1 as '
	said ': 49152 bytes, [0-9]* data, [0-9]* holes, [0-9.]* s, from the '
	grep -qx 'comm: crash' "$AT/0.head"
	grep -qx 'pid: 6372' "$AT/0.head"
	grep -qx 'signal: 11' "$AT/0.head"
	grep -qx "host: $(uname -n)" "$AT/0.head"
	grep -q '^time: [0-9]*$' "$AT/0.head"
	not grep -q '^dumpmode' "$AT/0.head"
	arrived 0 "$SMALL"
}

@test "what is known of a crash: from the kernel, where it tells" {
	peer
	send --tid=12 --uid=13 --gid=14 --signal=6 --time=1000000000 \
	    --dumpmode=1 --host=far --comm='a b' --exe='!bin!x y' "$P" <"$SMALL"
	[ $RC = 0 ]
	said 'info: a b\[6372\] signal 6: sent'
	cat "$AT/0.head"
	for l in 'tid: 12' 'uid: 13' 'gid: 14' 'signal: 6' 'dumpmode: 1' \
	    'time: 1000000000' 'host: far' 'comm: a b' 'exe: /bin/x y'; do
		grep -qx "$l" "$AT/0.head"
	done
}

@test "empty, odd and unknown options cost no core" {
	peer
	send --pid= --tid= --uid= --gid= --signal= --time= --dumpmode= \
	    --pidfd= --host= --comm= --exe= "$P" <"$SMALL"
	[ $RC = 0 ]
	run "$S" --tid=x --frobnicate=1 -Z --uid=99999999999 "$P" <"$SMALL"
	echo "$output"
	[ "$status" = 0 ]
	[ "${#lines[@]}" = 5 ]
	arrived 0 "$SMALL"
	arrived 1 "$SMALL"
}

@test "a comm that a kernel before 5.3 split at its blanks" {
	peer
	send --comm=two words here "$P" <"$SMALL"
	[ $RC = 0 ]
	grep -qx 'comm: two words here' "$AT/0.head"
	send --comm=two words -- "$PEER" pipe "$T" <"$SMALL"
	[ $RC = 0 ]
	grep -qx 'comm: two words' 0.head
}

@test "bytes that are not text: escaped in the log and in the header" {
	peer
	send --comm="$(printf 'a\nb\033[1m')" --host="$(printf 'h\nhost: x')" \
	    "$P" <"$SMALL"
	[ $RC = 0 ]
	said 'a\\x0ab\\x1b\[1m\['
	grep -qxF 'host: h\x0ahost: x' "$AT/0.head"
	[ "$(grep -c ^host: "$AT/0.head")" = 1 ]
}

# --- the stream ------------------------------------------------------------

@test "stdin in odd pieces" {
	local how
	data 3
	peer
	N=0
	for how in '-n 1448' '-r 10000' '-s 7 -r 70000' '-n 4097'; do
		# shellcheck disable=SC2086
		"$PEER" feed $how "$IN" | send -e raw "$P"
		arrived $N "$IN"
		N=$((N + 1))
	done
	for how in '-n 1' '-r 3' '-n 4095'; do
		# shellcheck disable=SC2086
		"$PEER" feed $how "$SMALL" | send "$P"
		arrived $N "$SMALL"
		N=$((N + 1))
	done
}

@test "a receiver that takes little at a time" {
	data 1
	peer -b 1 slow:1448
	send -e raw "$P" <"$IN"
	[ $RC = 0 ]
	arrived 0 "$IN"
}

# slowly ARGS...: core_send in the background, fed with $IN in small pieces,
# or with so many bytes of it and no end: $PARENT, its worker is $WORKER.
slowly()
{
	rm -f slow
	mkfifo slow
	# shellcheck disable=SC2086
	bg sh -c 'exec "$@" >slow' - "$PEER" feed -r 3000 ${UPTO:+-k $UPTO} \
	    "$IN"
	bg sh -c 'exec "$@" <slow 2>>err' - "$S" -e raw "$@"
	PARENT=$BG
	worker_of "$PARENT"
}

@test "stopped and continued all the time" {
	data 3
	peer -b 4096 slow:40000
	head -c 1500000 "$IN" >first
	tail -c +1500001 "$IN" >second
	mkfifo slow
	# not all of it before it was stopped a few times
	bg sh -c 'exec >slow
	    "$0" feed -r 3000 first
	    until [ -e enough ]; do sleep 0.02; done
	    exec "$0" feed -r 3000 second' "$PEER"
	bg sh -c 'exec "$@" <slow 2>err' - "$S" -e raw "$P"
	PARENT=$BG
	worker_of "$PARENT"
	STOPPED="$WORKER $PARENT"
	N=0
	until gone "$PARENT"; do
		# shellcheck disable=SC2086
		kill -STOP $STOPPED 2>/dev/null || :
		# shellcheck disable=SC2086
		kill -CONT $STOPPED 2>/dev/null || :
		N=$((N + 1))
		[ $N -lt 11 ] || touch enough
	done
	STOPPED=
	cat "$T/err"
	arrived 0 "$IN"
}

@test "interrupted system calls" {
	needs_tool strace
	data 1
	peer
	for call in read writev poll pread64; do
		RC=0
		ASAN_OPTIONS=detect_leaks=0 strace -f -qq -o /dev/null \
		    -e trace=$call -e "inject=$call:error=EINTR:when=20+3" \
		    "$S" -e raw "$P" <"$IN" 2>"$T/err" || RC=$?
		echo "$call: exit $RC: $(cat "$T/err")"
		[ $RC = 0 ]
	done
	for N in 0 1 2 3; do
		arrived $N "$IN"
	done
}

@test "a core that stops early is said to be incomplete" {
	peer
	head -c 30000 "$SMALL" | {
		send "$P"
		[ $RC = 1 ]
	}
	said 'incomplete: it ended after 30000 of 49152 bytes'
	wait_for 60 test -e "$AT/0.end"
	grep -q '^state: it ended after 30000 of 49152 bytes' "$AT/0.end"
	cmp "$AT/0.core" <(head -c 30000 "$SMALL")
	head -c 1000 "$SMALL" | {
		send "$P"
		[ $RC = 1 ]
	}
	said 'incomplete: it ended within its head, after 1000 bytes'
	cmp "$AT/1.core" <(head -c 1000 "$SMALL")
	# more than there should be is no harm
	{
		cat "$SMALL"
		echo more
	} | {
		send "$P"
		[ $RC = 0 ]
	}
}

# stalling BYTES: a pipe of which so much can be read, and then nothing: $FIFO
stalling()
{
	FIFO=$(mktemp -u "$T/fifo.XXXX")
	mkfifo "$FIFO"
	bg sh -c 'exec "$@" >"$0"' "$FIFO" "$PEER" feed -k "$1" "$SMALL"
}

@test "input that stops coming" {
	peer
	stalling 20000
	send -t 1 "$P" <"$FIFO"
	[ $RC = 1 ]
	said 'incomplete: it ended after 20000 of 49152 bytes: no more of it ca'
	stalling 0
	send -t 1 "$P" <"$FIFO"
	[ $RC = 111 ]
	said 'lost: no core came'
}

@test "an empty input is no core" {
	peer
	send "$P" </dev/null
	[ $RC = 111 ]
	said 'lost: no core came: the input is empty'
	not test -e "$AT/0.head"
}

@test "what is no ELF core is carried as it is, if -e says what it is" {
	data 3
	peer
	send -e zstd "$P" <"$IN"
	[ $RC = 0 ]
	grep -qx 'encoding: zstd' "$AT/0.head"
	arrived 0 "$IN"
	# not even looked at
	send -e xz "$P" <"$SMALL"
	not grep -q '^signal' "$AT/1.head"
	arrived 1 "$SMALL"
	# of another machine, or of 32 bits, it is a core nevertheless
	send "$P" <"$TOP/t/fixtures/core.i386"
	not grep -q '^encoding' "$AT/2.head"
	[ $RC = 1 ]
	said 'incomplete: it ended after 8192 of 45056 bytes'
	cmp "$AT/2.core" "$TOP/t/fixtures/core.i386"
}

@test "what is no ELF core and has no -e is refused, unsent and unspooled" {
	local f
	data 3
	peer
	echo hello >text
	for f in "$IN" "$S" text; do
		send -s spool "$P" <"$f"
		[ $RC = 100 ]
		said 'refused: this is no core, -e says what else it is'
	done
	[ -z "$(ls spool)" ]
	[ ! -e "$AT/0.head" ]
	RC=0
	"$S" - <"$IN" >out 2>err || RC=$?
	[ $RC = 100 ]
	[ ! -s out ]
}

@test "a saved core has the time of its file, but for what is told" {
	peer
	cp "$SMALL" saved
	touch -d @1700000007 saved
	send "$P" <saved
	grep -qx 'time: 1700000007' "$AT/0.head"
	send --time=5 "$P" <saved
	grep -qx 'time: 5' "$AT/1.head"
	# a pipe has none
	# shellcheck disable=SC2002
	cat saved | send "$P"
	[ "$(sed -n 's/^time: //p' "$AT/2.head")" -gt 1700000007 ]
}

@test "- writes the stream to standard output" {
	"$S" - <"$SMALL" 2>"$T/err" | "$PEER" pipe "$T"
	said 'sent to standard output: 49152 bytes'
	cmp 0.core "$SMALL"
	"$S" - <"$SMALL" 2>"$T/err" >file
	"$PEER" pipe "$T" <file >reply
	cmp 0.core "$SMALL"
	grep -q '^OK ' reply
}

@test "- to a pipe that closes, or is not read" {
	data 3
	RC=0
	{ "$S" -e raw - <"$IN" 2>"$T/err" || echo $? >rc; } | true
	[ "$(cat rc)" = 111 ]
	said 'lost: standard output: '
	mkfifo fifo
	exec 5<>fifo
	RC=0
	"$S" -e raw -t 1 - <"$IN" >fifo 2>"$T/err" || RC=$?
	exec 5>&-
	[ $RC = 111 ]
	said 'lost: standard output: it took nothing for 1 seconds'
}

@test "-vv shows every block, -v on a terminal how far it is" {
	needs_tool script
	peer
	"$S" -vv "$P" <"$SMALL" 2>"$T/err"
	grep '^ rd=' "$T/err"
	[ "$(($(sed -n 's/^ rd=\([0-9]*\) tr=[0-9]* (n=[0-9]*)$/\1/p' "$T/err" |
	    paste -sd +)))" = 49152 ]
	TR=$(($(sed -n 's/^ rd=[0-9]* tr=\([0-9]*\) .*/\1/p' "$T/err" |
	    paste -sd +)))
	said ": 49152 bytes, $TR data, $((49152 - TR)) holes"
	"$S" -v "$P" <"$SMALL" 2>"$T/err"
	not said 'rd='
	not said 'MiB/s'
	script -qec "$S -v $P <$SMALL" out </dev/null
	grep -q 'MiB sent, [0-9]* MiB holes, [0-9]* MiB/s' out
}

# --- receivers that misbehave ----------------------------------------------

# fails_lost MODE|REASON
fails_lost()
{
	peer "${1%%|*}"
	send -e raw -t 1 "$P" <"$IN"
	[ $RC = 111 ]
	said "warning: .*: lost: 127.0.0.1: .*${1#*|}"
}

@test "each way a receiver can fail: said, lost, exit 111" {
	data 16
	together fails_lost <<-'END'
		err:0|it said: the disk is full
		err:100000|it said: the disk is full
		shut:0|it said: the disk is full
		reset:1000000|reset
		close:1000000|.
		stop:1000000|it took nothing for 1 seconds
		mute|it had all and did not answer for 1 seconds
		hang|it had all and went without an answer
		lie|it says OK, but of another core
		noise|its answer makes no sense
		early:1000000|it said OK before it had all
	END
}

ways()
{
	printf '%s\n' err:0 shut:100000 reset:1000000 close:1000000 \
	    stop:1000000 mute hang lie noise early:10000
}

fails_next()
{
	local first
	peer "$1"
	first=$P
	peer
	send -e raw -t 1 "127.0.0.1:1,$first,$P" <"$IN"
	[ $RC = 0 ]
	said "sent to 127.0.0.1 as peer/0: .*(127.0.0.1: .*; 127.0.0.1: "
	arrived 0 "$IN"
}

@test "each way a receiver can fail: the next one gets all of it" {
	data 3
	together fails_next < <(ways)
}

fails_spooled()
{
	peer "$1"
	send -e raw -t 1 -s spool "$P" <"$IN"
	[ $RC = 1 ]
	said "spooled as spool/[0-9]*\.[0-9]*\.0\.core: .*(127.0.0.1: "
	[ "$(spooled)" = 1 ]
	peer
	send --flush spool "$P"
	[ $RC = 0 ]
	said 'sent to 127.0.0.1 as peer/0: .* from the spool'
	arrived 0 "$IN"
	[ "$(spooled)" = 0 ]
}

@test "each way a receiver can fail: the spool gets all of it" {
	data 3
	together fails_spooled < <(ways)
}

@test "what is larger than memory keeps: with a spool all, without it is said" {
	local first
	data 48
	peer reset:30000000
	first=$P
	peer
	send -e raw "$first,$P" < <(cat "$IN")
	[ $RC = 111 ]
	said 'lost: 127.0.0.1: '
	# a file is read again
	send -e raw "$first,$P" <"$IN"
	[ $RC = 0 ]
	arrived 0 "$IN"
	send -e raw -s spool "$first,$P" <"$IN"
	[ $RC = 0 ]
	arrived 1 "$IN"
	[ "$(spooled)" = 0 ]
}

@test "nobody there" {
	send 127.0.0.1:1 <"$SMALL"
	[ $RC = 111 ]
	said 'crash\[6372\] signal 11: lost: 127.0.0.1: Connection refused'
	send -c 1 no-such-host.invalid <"$SMALL"
	[ $RC = 111 ]
	said 'lost: no-such-host.invalid: '
	send 127.0.0.1:1,127.0.0.1:2 <"$SMALL"
	said 'lost: 127.0.0.1: Connection refused; 127.0.0.1: Connection refu'
}

# whole DIR...: is the input in one, complete, under any number?
whole()
{
	local d e
	for d; do
		for e in "$d"/*.end; do
			[ -e "$e" ] || continue
			! grep -qx 'state: complete' "$e" ||
			    ! cmp -s "${e%.end}.core" "$IN" || return 0
		done
	done
	return 1
}

# A fault a line: the receivers' modes, the spool or none, whom to kill.
faults()
{
	local i mode second at modes
	RANDOM=4711
	modes=(ok ok err reset close mute hang lie noise early slow stop)
	for ((i = 0; i < 60; i++)); do
		mode=${modes[RANDOM % ${#modes[@]}]}
		at=$((RANDOM * RANDOM % 6000000))
		[ "$mode" != slow ] || at=50000
		second=-
		[ $((RANDOM % 3)) != 0 ] ||
		    second=${modes[RANDOM % ${#modes[@]}]}:3000000
		echo "$mode:$at $second $((RANDOM % 2)) $((RANDOM % 4))"
	done
}

# fault MODE SECOND-MODE SPOOL KILL: how it ended is in the file "end".
fault()
{
	local first second spool kills
	read -r first second spool kills <<<"$1"
	peer -b 32768 "$first"
	PLACES=$P FIRST=$AT
	if [ "$second" != - ]; then
		peer "$second"
		PLACES=$PLACES,$P
	fi
	set -- -t 1 "$PLACES"
	[ "$spool" = 1 ] || set -- -s spool "$@"
	bg sh -c 'exec "$@" <"$0" 2>err' "$IN" "$S" -e raw "$@"
	PARENT=$BG
	[ "$kills" != 0 ] || pkill -KILL -P "$PARENT" || :
	wait_for 60 gone "$PARENT"
	RC=0
	wait "$PARENT" || RC=$?
	echo "$first $second $*: $RC $(cat err)"
	[ "$(wc -l <err)" = 1 ]
	case $RC in
	0)
		wait_for 60 whole "$FIRST" "$AT"
		;;
	1)
		grep -q ': spooled as spool/' err
		[ "$(spooled)" = 1 ]
		peer
		"$S" --flush spool "$P" 2>flush || {
			cat flush
			false
		}
		wait_for 60 whole "$AT"
		;;
	111)	grep -q ': lost: .' err ;;
	*)	false ;;
	esac
	[ ! -d spool ] || [ -z "$(ls -A spool | tee /dev/stderr)" ]
	echo "$RC" >end
	rm -rf peer.*
}

@test "a second receiver that fails before it has what the first had: the spool has all" {
	local first
	data 24
	peer -b 32768 reset:9000000
	first=$P
	peer -b 32768 reset:100000
	send -e raw -s spool "$first,$P" <"$IN"
	[ $RC = 1 ]
	peer
	"$S" --flush spool "$P"
	wait_for 60 whole "$AT"
	[ -z "$(ls -A spool)" ]
}

@test "random faults: at the receiver, in the spool, or lost and said so" {
	local rc
	data 6
	together fault < <(faults)
	cat [0-9]*/end | sort | uniq -c
	[ "$(cat [0-9]*/end | wc -l)" = 60 ]
	for rc in 0 1 111; do
		[ "$(grep -lx $rc [0-9]*/end | wc -l)" -gt 5 ]
	done
}

# --- packed -----------------------------------------------------------------

# soft MIB: text with numbers, of which a third is left: $IN.
soft()
{
	IN=$BATS_FILE_TMPDIR/soft.$1
	[ -s "$IN" ] || seq -f 'line %.0f of this text' 9999999 |
	    head -c $(($1 << 20)) >"$IN" || :
}

# packed_to: how many bytes went out, by the log.
packed_to()
{
	sed -n 's/.*, packed to \([0-9]*\), .*/\1/p' "$T/err"
}

@test "-z yes: packed for a receiver that takes it, else as it is" {
	soft 3
	peer -z
	send -e raw -z yes "$P" <"$IN"
	[ $RC = 0 ]
	[ "$(packed_to)" -lt 2000000 ]
	arrived 0 "$IN"
	grep -qx 'version: 2' "$AT/0.head"
	# what gets no smaller is not packed
	data 3
	send -e raw -z yes "$P" <"$IN"
	arrived 1 "$IN"
	# a core, from the stream
	send -z yes "$P" <"$SMALL"
	arrived 2 "$SMALL"
	[ "$(packed_to)" -lt 20000 ]
	send -z no "$P" <"$SMALL"
	arrived 3 "$SMALL"
	not said packed
	# of an older version
	peer
	send -z yes "$P" <"$SMALL"
	[ $RC = 0 ]
	not said packed
	arrived 0 "$SMALL"
}

@test "-z auto: by itself where the receiver is slow, and nobody waits" {
	soft 12
	peer -z -b 4096 slow:4096
	send -e raw "$P" <"$IN"
	[ $RC = 0 ]
	[ "$(packed_to)" -lt 11000000 ]
	arrived 0 "$IN"
	# of an older version, and where no answer comes: as ever
	peer
	send "$P" <"$SMALL"
	arrived 0 "$SMALL"
	not said packed
	"$S" - <"$SMALL" 2>"$T/err" >out
	not grep -aq '^version' out
}

@test "-z: in the spool, whoever takes it then" {
	soft 3
	send -e raw -s spool 127.0.0.1:1 <"$IN"
	[ $RC = 1 ]
	[ "$(packed_to)" -lt 2000000 ]
	[ "$(cat spool/*.core | wc -c)" = "$(packed_to)" ]
	cp -a spool again
	cp -a spool bad
	peer
	send --flush spool "$P"
	[ $RC = 0 ]
	arrived 0 "$IN"
	peer -z
	send --flush again "$P"
	[ $RC = 0 ]
	arrived 0 "$IN"
	send -z no -e raw -s spool 127.0.0.1:1 <"$IN"
	[ "$(cat spool/*.core | wc -c)" -gt 3145728 ]
	printf x | dd of="$(echo bad/*.core)" bs=1 seek=300000 conv=notrunc \
	    2>/dev/null
	send --flush bad "$P"
	[ $RC = 1 ]
	said 'damaged: '
}

@test "-z: the next receiver takes none of it, and gets all of it" {
	soft 6
	peer -z close:400000
	first=$P
	peer
	send -e raw -z yes -s spool "$first,$P" <"$IN"
	[ $RC = 0 ]
	arrived 0 "$IN"
}

# --- commands --------------------------------------------------------------

@test "-- command: the stream on its stdin, the answer on its stdout" {
	data 3
	send -e raw -- "$PEER" pipe "$T" <"$IN"
	[ $RC = 0 ]
	said "sent to $PEER as peer/0: "
	cmp 0.core "$IN"
	# an argument is an argument
	mkdir 'a b;c'
	send -- "$PEER" pipe 'a b;c' <"$SMALL"
	cmp 'a b;c/0.core' "$SMALL"
}

@test "-- command that fails: how, and what it said" {
	local dog
	send -- ./nowhere <"$SMALL"
	[ $RC = 111 ]
	said 'lost: unable to run ./nowhere: No such file or directory'
	send -- false <"$SMALL"
	[ $RC = 111 ]
	said 'lost: false: .*; false: exit 1'
	send -- sh -c 'cat >/dev/null & exec 0</dev/null; kill -9 $$' <"$SMALL"
	said 'sh: signal 9'
	# started as the kernel starts it, without fd 2, it is caught; in words
	# of this run's own, for others write to that log as well
	dog="dog $BASHPID.$RANDOM"
	run bash -c "$S -- sh -c 'echo the $dog ate it >&2; exit 7' \
	    <$SMALL 2>&-; echo \$?"
	[ "$output" = 111 ]
	if [ -r /dev/kmsg ] && dmesg >/dev/null 2>&1; then
		dmesg | grep -q "sh: exit 7: the $dog ate it"
	fi
	send -s spool -- false <"$SMALL"
	[ $RC = 1 ]
	send --flush spool -- "$PEER" pipe "$T"
	[ $RC = 0 ]
	cmp 0.core "$SMALL"
}

@test "-- command that never ends is ended" {
	send -t 1 -- sleep 1000 <"$SMALL"
	[ $RC = 111 ]
	said 'it had all and did not answer'
	said 'sleep: it did not end by itself'
}

# --- recv_core ---------------------------------------------------------------

@test "to the real receiver: IPv4 and IPv6, names, a pipe, a command" {
	local port recv
	[ -x "$BIN/recv_core" ] || unmet 'needs recv_core'
	# it may be in a directory without /proc, where leaks cannot be found
	recv="env ASAN_OPTIONS=detect_leaks=0 $BIN/recv_core"
	port=$((20000 + RANDOM % 10000))
	while answers "$port"; do
		port=$((port + 1))
	done
	mkdir store
	# shellcheck disable=SC2086
	bg $recv -p "$port" -d "$T/store" 2>log
	wait_for 60 answers "$port"
	send --comm=c1 --time=1 "127.0.0.1:$port" <"$SMALL"
	[ $RC = 0 ]
	said "as $(uname -n)/core.c1.6372.1:"
	send --comm=c2 --time=2 --host=far -p "$port" localhost <"$SMALL"
	[ $RC = 0 ]
	if [ -e /proc/net/if_inet6 ] && grep -q ' lo$' /proc/net/if_inet6; then
		send --comm=c3 --time=3 --host=far "127.0.0.1:1,[::1]:$port" <"$SMALL"
		[ $RC = 0 ]
		cmp store/far/core.c3.6372.3 "$SMALL"
	fi
	head -c 40000 "$SMALL" >short.core
	send --comm=c4 --time=4 --host=far "127.0.0.1:$port" <short.core
	[ $RC = 1 ]
	said 'incomplete: it ended after 40000 of 49152 bytes'
	# shellcheck disable=SC2086
	"$S" --host=far --comm=c5 --time=5 - <"$SMALL" |
	    $recv -i -d "$T/store" >reply
	grep -q '^OK far/core.c5.6372.5 ' reply
	# shellcheck disable=SC2086
	send --host=far --comm=c6 --time=6 -- sh -c 'exec "$@" 2>log' - \
	    $recv -i -d "$T/store" <"$SMALL"
	[ $RC = 0 ]
	said 'as far/core.c6.6372.6:'
	for i in 2 5 6; do
		cmp "store/far/core.c$i.6372.$i" "$SMALL"
	done
}

answers()
{
	(: >"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# --- the spool -------------------------------------------------------------

@test "the spool: private, named by time and pid, made when missing" {
	send -s spool --time=1234567890 127.0.0.1:1 <"$SMALL"
	[ $RC = 1 ]
	[ "$(ls spool)" = 1234567890.6372.0.core ]
	[ "$(stat -c %a spool spool/* | tr '\n' ' ')" = '700 600 ' ]
	send -s spool --time=1234567890 127.0.0.1:1 <"$SMALL"
	[ -e spool/1234567890.6372.1.core ]
}

@test "the spool: not where others may write" {
	local bad
	mkdir -m 777 open
	mkdir -m 770 group
	mkdir private
	ln -s private link
	touch file
	for bad in open group link file nowhere/spool; do
		RC=0
		"$S" -s "$bad" 127.0.0.1:1 <"$SMALL" 2>"$T/err" || RC=$?
		cat "$T/err"
		[ $RC = 111 ]
		said "warning: unable to use spool $bad: "
		said 'lost: 127.0.0.1: Connection refused'
	done
	[ -z "$(find open group private -mindepth 1)" ]
}

@test "the spool: bounds, and a disk that is full" {
	needs_root
	data 3
	send -e raw -s spool -S 1 127.0.0.1:1 <"$IN"
	[ $RC = 111 ]
	said 'lost: 127.0.0.1: .*; spool: File too large'
	send -e raw -s spool -S 4 127.0.0.1:1 <"$IN"
	[ $RC = 1 ]
	send -e raw -s spool -S 4 127.0.0.1:1 <"$IN"
	[ $RC = 111 ]
	send -s spool -m 4000000000 127.0.0.1:1 <"$SMALL"
	[ $RC = 111 ]
	said 'spool: No space left on device'
	[ "$(spooled)" = 1 ]
	mkdir tiny
	mount -t tmpfs -o size=1m,mode=700 none tiny || unmet 'needs a mount'
	send -e raw -s tiny -m 0 127.0.0.1:1 <"$IN"
	[ $RC = 111 ]
	said 'spool: No space left on device'
	[ -z "$(ls tiny)" ]
	# nor does it cost the core where a receiver takes it
	peer
	send -e raw -s tiny -m 0 "$P" <"$IN"
	[ $RC = 0 ]
	arrived 0 "$IN"
	umount tiny
}

@test "the spool: somebody who holds its lock costs no core" {
	needs_tool flock
	data 3
	mkdir -m 700 spool
	bg flock spool sh -c 'touch held; exec sleep 1000'
	wait_for 60 test -e held
	RC=0
	timeout 60 "$S" -e raw -s spool -m 0 127.0.0.1:1 <"$IN" 2>err || RC=$?
	cat err
	[ $RC = 1 ]
	[ "$(spooled)" = 1 ]
}

@test "the spool: killed at any moment, nothing unfinished has a name" {
	local i
	data 48
	UPTO=30000000
	for i in 1 2 3 4 5 6; do
		slowly -s spool 127.0.0.1:1
		# amid one of its writes
		wait_for 60 written "$WORKER" $((i * 1500000))
		if [ $((i % 2)) = 0 ]; then
			kill -KILL "$WORKER" 2>/dev/null || :
		else
			kill -KILL "$PARENT" "$WORKER" 2>/dev/null || :
		fi
		wait_for 60 gone "$PARENT"
		wait_for 60 gone "$WORKER"
		ls -la spool
		[ "$(find spool -type f | wc -l)" = 0 ]
	done
	cat "$T/err"
	[ "$(grep -c 'lost: .*the worker died of signal 9' "$T/err")" = 3 ]
	[ "$(wc -l <"$T/err")" = 3 ]
}

# written PID BYTES: has it written so much, or gone?
written()
{
	local n
	n=$(awk '$1 == "wchar:" { print $2 }' "/proc/$1/io" 2>/dev/null) ||
	    return 0
	[ "${n:-0}" -ge "$2" ] || ! kill -0 "$1" 2>/dev/null
}

# spool_some N: cores of times 1001, 1002 ..., all different.
spool_some()
{
	local i
	for i in $(seq "$1"); do
		{
			cat "$SMALL"
			echo "$i"
		} >"$T/in.$i"
		"$S" -s spool --time=$((1000 + i)) 127.0.0.1:1 <"$T/in.$i" \
		    2>/dev/null || [ $? = 1 ]
	done
	[ "$(spooled)" = "$1" ]
}

@test "--flush: the oldest first, each removed after its OK" {
	spool_some 3
	peer
	RC=0
	"$S" --flush spool "$P" 2>"$T/err" || RC=$?
	cat "$T/err"
	[ $RC = 0 ]
	[ "$(wc -l <"$T/err")" = 3 ]
	for i in 1 2 3; do
		arrived $((i - 1)) "in.$i"
		grep -qx "time: $((1000 + i))" "$AT/$((i - 1)).head"
	done
	[ -z "$(ls spool)" ]
	"$S" --flush spool "$P"
	run "$S" --flush nowhere "$P"
	[ "$status" = 111 ]
}

@test "--flush: no receiver, nothing is lost and nothing is tried twice" {
	spool_some 3
	send --flush spool 127.0.0.1:1
	[ $RC = 111 ]
	said 'warning: crash\[6372\] signal 11: kept as 1001.6372.0.core: 127'
	[ "$(spooled)" = 3 ]
	peer reset:10000
	send -t 1 --flush spool "$P"
	[ $RC = 111 ]
	[ "$(spooled)" = 3 ]
}

@test "--flush: one the receiver refuses does not hold up the others" {
	spool_some 3
	peer
	FIRST=$P
	cat >picky <<-EOF
		read -r magic
		while read -r l && [ -n "\$l" ]; do
			[ "\$l" != 'time: 1002' ] || no=1
		done
		cat >/dev/null &
		[ -n "\$no" ] && echo 'ERR not this one' || echo 'ERR nor that'
	EOF
	RC=0
	"$S" -t 1 --flush spool -- sh picky 2>"$T/err" || RC=$?
	cat "$T/err"
	[ $RC = 1 ]
	[ "$(wc -l <"$T/err")" = 3 ]
	said 'kept as 1002.6372.0.core: .*it said: not this one'
	[ "$(spooled)" = 3 ]
	# with another receiver behind, that one gets them
	peer err:0
	BAD=$P
	P=$FIRST
	"$S" --flush spool "$BAD,$FIRST"
	[ "$(spooled)" = 0 ]
}

@test "--flush: a damaged one is put aside, and not sent" {
	local size
	spool_some 4
	size=$(stat -c %s spool/1002.6372.0.core)
	printf X | dd of=spool/1002.6372.0.core bs=1 seek=$((size / 2)) \
	    conv=notrunc 2>/dev/null
	truncate -s $((size - 10)) spool/1003.6372.0.core
	peer
	RC=0
	"$S" --flush spool "$P" 2>"$T/err" || RC=$?
	cat "$T/err"
	[ $RC = 1 ]
	[ "$(grep -c 'warning: .*: damaged: .*; now 100[23].*.damaged' \
	    "$T/err")" = 2 ]
	[ "$(find spool -name '*.damaged' | wc -l)" = 2 ]
	[ "$(spooled)" = 0 ]
	[ "$(cat "$AT"/*.end | grep -c 'state: complete')" = 2 ]
}

@test "--flush: two at once send each core once" {
	spool_some 8
	peer slow:2000
	bg "$S" --flush spool "$P"
	FIRST=$BG
	RC=0
	"$S" --flush spool "$P" || RC=$?
	wait "$FIRST"
	[ $RC = 0 ]
	[ "$(spooled)" = 0 ]
	[ "$(grep -h ^time: "$AT"/*.head | sort | uniq -c |
	    awk '$1 != 1' | wc -l)" = 0 ]
	[ "$(grep -lx 'state: complete' "$AT"/*.end | wc -l)" = 8 ]
}

@test "--flush: odd things in the spool are left alone" {
	spool_some 1
	mkfifo spool/1.1.1.core
	ln -s /etc/passwd spool/1.1.2.core
	mkdir spool/1.1.3.core
	touch spool/notes
	peer
	RC=0
	"$S" --flush spool "$P" 2>"$T/err" || RC=$?
	cat "$T/err"
	[ $RC = 1 ]
	[ "$(wc -l <"$T/err")" = 4 ]
	arrived 0 in.1
	[ "$(find spool -mindepth 1 | wc -l)" = 4 ]
}

# --- secrets and privileges ------------------------------------------------

@test "the core of a process with secrets stays here" {
	peer
	send --dumpmode=2 "$P" <"$SMALL"
	[ $RC = 1 ]
	said 'withheld: its memory may hold secrets (dump mode 2), -x sends it'
	send -s spool --dumpmode=0 -- "$PEER" pipe "$T" <"$SMALL"
	[ $RC = 1 ]
	not test -e spool
	# of a process that is not there nobody knows
	send --pid=999999999 "$P" <"$SMALL"
	[ $RC = 1 ]
	not test -e "$AT/0.head"
	not test -e "$T/0.head"
	"$S" --dumpmode=2 - <"$SMALL" >stream
	send -x --dumpmode=2 "$P" <"$SMALL"
	[ $RC = 0 ]
	grep -qx 'dumpmode: 2' "$AT/0.head"
	arrived 0 "$SMALL"
	# nor does the spool let it out
	send -x -s spool --dumpmode=2 127.0.0.1:1 <"$SMALL"
	[ $RC = 1 ]
	send --flush spool "$P"
	[ $RC = 1 ]
	said 'withheld'
	[ "$(spooled)" = 1 ]
	send -x --flush spool "$P"
	[ $RC = 0 ]
}

@test "the worker has no privileges left, and nothing of the spool's" {
	needs_root
	data 16
	peer stop:1000000
	# what bash starts in the background has no stdin of its own
	bg sh -c 'exec "$@" <"$0" 2>err' "$IN" "$S" -e raw -t 20 -s spool "$P"
	PARENT=$BG
	worker_of "$PARENT"
	wait_for 60 test -s "$AT/0.head"
	cat "/proc/$WORKER/status"
	id=$((0x7f000000 + WORKER))
	grep -q "^Uid:.$id.$id.$id.$id$" "/proc/$WORKER/status"
	grep -q "^Gid:.$id.$id.$id.$id$" "/proc/$WORKER/status"
	grep -q '^Seccomp:.2$' "/proc/$WORKER/status"
	grep -q '^CapPrm:.0*$' "/proc/$WORKER/status"
	grep -q '^NoNewPrivs:.1$' "/proc/$WORKER/status"
	grep -q '^Groups:[[:space:]]*$' "/proc/$WORKER/status"
	[ "$(stat -c %u "/proc/$WORKER/mem")" = 0 ]
	ls -l "/proc/$WORKER/fd" | not grep -q 'spool$'
	kill -KILL "$WORKER"
	wait_for 60 gone "$PARENT"
	said 'lost: the worker died of signal 9'
}

@test "privileges go before the first byte of the core is read" {
	needs_root
	needs_tool strace
	peer
	ASAN_OPTIONS=detect_leaks=0 strace -f -qq -o trace \
	    -e trace=setresuid,setresgid,setgroups,capset,prctl,read \
	    "$S" "$P" <"$SMALL"
	# strace tells of calls at the same time in two lines
	awk '/setresuid\(213[0-9]*, / { worker[$1] = 1 }
		/setgroups\(0, / { groups[$1] = 1 }
		/read\(0, / { print; bad += !worker[$1] || !groups[$1]; n++ }
		END { exit bad || !n }' trace
}

@test "an ordinary user may send, too" {
	needs_root
	needs_tool setpriv
	peer
	mkdir -m 755 any
	cp "$S" any/core_send
	cp "$SMALL" any/core
	chmod 755 "$T" any any/*
	(cd / && setpriv --reuid=1234 --regid=1234 --clear-groups \
	    "$S" "$P" <"$T/any/core") || unmet "needs a place others may reach"
	arrived 0 "$SMALL"
}

# --- a process that is dumping ----------------------------------------------

released()
{
	touch "$RUND/release"
	wait_for 60 gone "$PID"
	rm -f "$RUND/release"
}

@test "from memory, byte for byte what the kernel writes" {
	local victim n=0
	needs_kernel
	peer
	for victim in null null_static 'threads 1' 'threads 200' memory leader \
	    'much mb 64' vdso; do
		needs_victim "${victim%% *}"
		# shellcheck disable=SC2086
		core_held "$VICTIMS/"$victim
		send --pid="$PID" --dumpmode=1 "$P" <"$CORE"
		echo "$victim"
		[ $RC = 0 ]
		said ' from memory$'
		arrived $n "$CORE"
		n=$((n + 1))
		rm -f "$CORE" "$AT"/*.core
		released
	done
}

@test "from memory: 1 GB" {
	needs_kernel
	peer
	core_held "$VICTIMS/much" mb 1024
	send --pid="$PID" --dumpmode=1 "$P" <"$CORE"
	[ $RC = 0 ]
	said ' from memory$'
	arrived 0 "$CORE"
}

@test "from memory: more than 65534 mappings" {
	pattern_lock
	kernel_set /proc/sys/vm/max_map_count 200000
	peer
	core_held "$VICTIMS/much" maps 80000
	send --pid="$PID" --dumpmode=1 "$P" <"$CORE"
	[ $RC = 0 ]
	said ' from memory$'
	arrived 0 "$CORE"
	# and from the stream
	send "$P" <"$CORE"
	[ $RC = 0 ]
	arrived 1 "$CORE"
	head -c -1 "$CORE" >short.core
	send "$P" <short.core
	[ $RC = 1 ]
}

@test "from memory: small segments first" {
	[ -e /proc/sys/kernel/core_sort_vma ] || unmet 'needs core_sort_vma'
	pattern_lock
	kernel_set /proc/sys/kernel/core_sort_vma 1
	peer
	core_held "$VICTIMS/memory"
	send --pid="$PID" --dumpmode=1 "$P" <"$CORE"
	[ $RC = 0 ]
	said ' from memory$'
	arrived 0 "$CORE"
}

@test "from memory: everything but the defaults is dumped as well" {
	needs_kernel
	peer
	core_held sh -c "echo 0x7f >/proc/self/coredump_filter
	    exec $VICTIMS/memory"
	send --pid="$PID" --dumpmode=1 "$P" <"$CORE"
	[ $RC = 0 ]
	said ' from memory$'
	arrived 0 "$CORE"
}

@test "from memory: into the spool, and to the second receiver" {
	needs_kernel
	core_held "$VICTIMS/threads" 20
	send --pid="$PID" --dumpmode=1 -s spool 127.0.0.1:1 <"$CORE"
	[ $RC = 1 ]
	said 'spooled as .* from memory'
	peer shut:100000
	FIRST=$P
	peer
	send --pid="$PID" --dumpmode=1 "$FIRST,$P" <"$CORE"
	[ $RC = 0 ]
	said ' from memory'
	arrived 0 "$CORE"
	send --flush spool "$P"
	[ $RC = 0 ]
	arrived 1 "$CORE"
}

@test "another process with the same number is not taken for it" {
	needs_kernel
	core_held "$VICTIMS/threads" 2
	FIRST=$PID
	FIRSTCORE=$CORE
	core_held "$VICTIMS/threads" 2
	peer
	send --pid="$FIRST" --dumpmode=1 "$P" <"$CORE"
	[ $RC = 0 ]
	said ' from the stream'
	arrived 0 "$CORE"
	send --pid="$FIRST" --dumpmode=1 "$P" <"$FIRSTCORE"
	said ' from memory'
	arrived 1 "$FIRSTCORE"
	# one that is not dumping, and one that is not there
	send --pid=$$ --dumpmode=1 "$P" <"$CORE"
	said ' from the stream'
	send --pid=999999999 --dumpmode=1 "$P" <"$CORE"
	said ' from the stream'
}

# live_pattern ARGS: core_send as the kernel's own handler, to the peer.
live_pattern()
{
	[ -n "${RUND:-}" ] || pattern_lock
	ln -sf "$S" "$RUND/cs"
	pattern "|$RUND/cs $*"
}

# Whatever else crashes on this machine meanwhile comes here, too.
logged()
{
	dmesg | tail -500 | grep "core_send: .*\[$PID\]" | grep -q -- "$1"
}

# came [TIMES]: the core of $PID did, so often; the last connection of it: $N.
came()
{
	wait_for 60 came_now "${1:-1}"
	N=$(heads | tail -1)
}

came_now()
{
	[ "$(heads | wc -l)" -ge "$1" ]
}

heads()
{
	grep -lx "pid: $PID" "$AT"/*.head 2>/dev/null | sed 's|.*/||; s|\..*||' |
	    sort -n
}

# The core of $PID came, and is whole.
came_whole()
{
	came "$@"
	wait_for 60 test -e "$AT/$N.end"
	cat "$AT/$N.end"
	grep -qx 'state: complete' "$AT/$N.end"
}

@test "as core_pattern: all that the kernel tells" {
	needs_kernel
	peer
	live_pattern "--pid=%P --tid=%I --uid=%u --gid=%g --signal=%s" \
	    "--time=%t --dumpmode=%d --pidfd=%F --comm=%e $P"
	crash "$VICTIMS/threads" 20
	came_whole
	grep -qx 'signal: 11' "$AT/$N.head"
	grep -qx "exe: $VICTIMS/threads" "$AT/$N.head"
	grep -qx 'dumpmode: 1' "$AT/$N.head"
	wait_for 60 logged 'signal 11: sent to .* from memory'
}

@test "as core_pattern: nothing but the receiver" {
	local i
	needs_kernel
	peer
	live_pattern "$P"
	# another process that is dumping just then makes it the stream
	for i in 1 2 3 4 5 6 7 8; do
		crash "$VICTIMS/threads" 20
		came_whole
		wait_for 60 logged 'signal 11: sent to'
		! logged ' from memory' || break
	done
	logged ' from memory'
}

@test "as core_pattern: small cores, and nobody waits for us" {
	local i
	[ -n "${RUND:-}" ] || pattern_lock
	peer
	ln -sf "$S" "$RUND/cs"
	pattern "|$RUND/cs --pid=%P --dumpmode=%d $P" 0
	for i in 0 1 2 3 4 5 6 7 8 9; do
		crash "$VICTIMS/null_static"
		came_whole
	done
}

@test "a process that is killed while it is sent: incomplete" {
	needs_kernel
	peer -b 65536 slow:30000
	live_pattern "-z no --pid=%P --dumpmode=%d $P"
	bg "$VICTIMS/much" mb 64
	PID=$BG
	came
	kill -KILL "$PID"
	wait_for 60 test -e "$AT/$N.end"
	cat "$AT/$N.end"
	grep -q '^state: the process was killed' "$AT/$N.end"
	wait_for 60 logged 'incomplete: the process was killed'
}

# The worker on $PID.  What is packed has gone before it is found: -z no.
send_worker()
{
	local p
	# behind the door, which those that open and connect for it are not
	for p in $(pgrep -f "^$RUND/cs.*--pid=$PID "); do
		if grep -q '^Seccomp:.*2$' "/proc/$p/status" 2>/dev/null; then
			echo "$p"
			return
		fi
	done
	return 1
}

@test "a worker that is killed while it reads memory: by the stream" {
	needs_kernel
	peer -b 65536 slow:6000
	live_pattern "-z no --pid=%P --dumpmode=%d $P"
	bg "$VICTIMS/much" mb 16
	PID=$BG
	came
	kill -KILL "$(send_worker)"
	came_whole 2
	wait_for 60 logged 'from the stream (the worker died of signal 9)'
	N=$(heads | head -1)
	wait_for 60 test -e "$AT/$N.end"
	not grep -q complete "$AT/$N.end"
}

@test "a worker that gets nowhere: killed, and by the stream" {
	needs_kernel
	peer -b 65536 slow:6000
	live_pattern "-z no -t 2 --pid=%P --dumpmode=%d $P"
	bg "$VICTIMS/much" mb 16
	PID=$BG
	came
	STOPPED=$(send_worker)
	kill -STOP "$STOPPED"
	came_whole 2
	STOPPED=
	wait_for 60 logged 'from the stream (reading its memory took too long)'
}

@test "--held: stdin is closed, and the process read all the same" {
	needs_kernel
	peer
	[ -n "${RUND:-}" ] || pattern_lock
	cat >"$RUND/h" <<-EOF
		exec 2>>$RUND/log
		$S --held --pid=\$1 --dumpmode=1 $P
	EOF
	pattern "|/bin/sh $RUND/h %P"
	crash "$VICTIMS/much" mb 16
	wait_for 60 grep -q "\[$PID\]" "$RUND/log"
	cat "$RUND/log"
	grep -q "\[$PID\].* from memory\$" "$RUND/log"
	came_whole
}

@test "the core of a setuid program stays here" {
	needs_kernel
	[ -n "${RUND:-}" ] || pattern_lock
	kernel_set /proc/sys/fs/suid_dumpable 2
	peer
	cp "$VICTIMS/threads" "$RUND/suid"
	chown 1234 "$RUND/suid"
	chmod 4755 "$RUND/suid"
	chmod 755 "$RUND"
	for how in "--pid=%P --dumpmode=%d" "--pid=%P" ""; do
		live_pattern "$how $P"
		crash setpriv --reuid=4321 --regid=4321 --clear-groups \
		    "$RUND/suid" 2
		if findmnt -no OPTIONS -T "$RUND" | grep -q nosuid; then
			unmet 'needs a place for setuid programs'
		fi
		wait_for 60 logged withheld
		[ -z "$(heads)" ]
	done
	# with nobody left to ask, the core itself tells
	core_held setpriv --reuid=4321 --regid=4321 --clear-groups "$RUND/suid" 2
	send "$P" <"$CORE"
	[ $RC = 1 ]
	said withheld
	send -x "$P" <"$CORE"
	[ $RC = 0 ]
}

# Where nobody takes a byte until there is a file "release".
slow_handler()
{
	[ -n "${RUND:-}" ] || pattern_lock
	cat >"$RUND/slow" <<-EOF
		#!/bin/sh
		until [ -e $RUND/release ] || [ ! -d $RUND ]; do sleep 0.05; done
		exec $BIN/recv_core -i -d $RUND/store
	EOF
	cat >"$RUND/h" <<-EOF
		#!/bin/sh
		exec 2>>$RUND/log
		exec $BIN/core_tee sh -c 'cat >$RUND/whole' \; \
		    $S --pid=\$1 --comm=much -H $1 -t 600 -- $RUND/slow
	EOF
	chmod 755 "$RUND/slow" "$RUND/h"
	rm -rf "$RUND/store" "$RUND/whole" "$RUND/release"
	mkdir "$RUND/store"
	pattern "|$RUND/h %P"
}

has_it()
{
	STORED=$(find "$RUND/store" -name 'core.much.*' ! -name '*.info' \
	    ! -name '*.part')
	[ -n "$STORED" ]
}

ended()
{
	! kill -0 "$BG" 2>/dev/null
}

@test "--release: the process goes when its memory has been copied, and all arrives" {
	needs_victim much
	slow_handler --release=200
	bg "$VICTIMS/much" mb 40
	# nobody has taken anything as yet
	wait_for 60 ended
	not has_it
	[ -s "$RUND/whole" ]
	touch "$RUND/release"
	wait_for 60 has_it
	cmp "$RUND/whole" "$STORED"
	[ "$(grep -c 'core_send: info: much.*: sent to .* from memory$' \
	    "$RUND/log")" = 1 ]
}

@test "--release: what does not fit is read from the process, which waits" {
	needs_victim much
	slow_handler --release=10
	bg "$VICTIMS/much" mb 40
	wait_for 60 test -s "$RUND/whole"
	sleep 1
	kill -0 "$BG"
	touch "$RUND/release"
	wait_for 60 has_it
	wait_for 60 ended
	cmp "$RUND/whole" "$STORED"
}

@test "--release: the exit code of a sending that fails is told" {
	run "$S" --release=5 --dumpmode=1 --comm=x -- false <"$SMALL"
	[ "$status" = 111 ]
	run "$S" --release=5 --dumpmode=1 --comm=x -- "$BIN/recv_core" -i -d "$T" \
	    <"$SMALL"
	[ "$status" = 0 ]
	run "$S" --release=x -- true <"$SMALL"
	[ "$status" = 100 ]
}
