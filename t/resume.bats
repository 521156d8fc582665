# resume: a link that breaks costs what had not come, and nobody else's part is
# ever gone on with.

load helper

S=$BIN/core_send
A=$BUILD/t/stream_aid
KEY=0123456789abcdef0123456789abcdef
OTHER=0123456789abcdef0123456789abcdee

setup()
{
	T=$BATS_TEST_TMPDIR
	cd "$T" || return 1
}

teardown()
{
	[ -z "${RUND:-}" ] || touch "$RUND/release"
	pattern_release
}

# data MIB: a file that is no core: noise, zeros, noise: $IN.
data()
{
	IN=$BATS_FILE_TMPDIR/in.$1
	[ -s "$IN" ] || {
		head -c $(($1 * 524288)) /dev/urandom
		head -c $(($1 * 262144)) /dev/zero
		head -c $(($1 * 262144)) /dev/urandom
	} >"$IN"
}

# server: a standing receiver at $PORT, in $SERVER; its store is
# store, its log is log.
server()
{
	for _ in 1 2 3 4 5 6 7 8; do
		PORT=$((20000 + RANDOM % 12000))
		: >log
		bg "$BIN/recv_core" -m 0 -v -d "$T/store" -p $PORT \
		    127.0.0.1 2>>log
		SERVER=$BG
		wait_for 20 grep -q 'listening\|fatal' log
		grep -q 'in use' log || break
	done
	grep -q listening log
}

# link CUTS...: a link to it, its directory in $AT, place in $P.
link()
{
	AT=$(mktemp -d "$T/link.XXXX")
	bg "$BUILD/t/cut_link" "$AT" "$PORT" "$@"
	LINK=$BG
	wait_for 60 test -s "$AT/port"
	P=127.0.0.1:$(cat "$AT/port")
}

# recv [OPTIONS]: stdin to the store by a pipe; the log is err.
recv()
{
	RC=0
	"$BIN/recv_core" -i -m 0 -d "$T/store" "$@" 2>err || RC=$?
}

# send ARGS <core: the messages in said, the exit code in $RC.
send()
{
	RC=0
	"$S" "$@" 2>said || RC=$?
	echo "exit $RC: $(cat said)"
}

# Bytes that went over the links.
carried()
{
	cat "$T"/link.*/*.bytes | awk '{ n += $1 } END { print n + 0 }'
}

keys()
{
	find store/.parts -type f | wc -l
}

# stored COMM FILE: that core, once and whole.
stored()
{
	local f
	f=$(find store -name "core.$1.*" ! -name '*.info' ! -name '*.part')
	[ "$(echo "$f" | wc -l)" = 1 ]
	cmp "$f" "$2"
}

# what KIND COMM: one core over the link, which may break; its exit code is 0.
carry()
{
	case $1 in
	file) send -e raw --comm="$2" "$P" <"$IN" ;;
	pipe) send -e raw --comm="$2" "$P" < <(cat "$IN") ;;
	packed) send -e raw -z yes --comm="$2" "$P" <"$IN" ;;
	spool)
		send -e raw -z no -m 0 -s spool --comm="$2" 127.0.0.1:1 <"$IN"
		[ $RC = 1 ]
		send --flush spool "$P"
		;;
	later)
		send -e raw -z no -m 0 -s spool --comm="$2" 127.0.0.1:1 <"$IN"
		[ $RC = 1 ]
		send --flush spool "$P"
		[ $RC = 0 ] || send --flush spool "$P"
		;;
	esac
}

# --- links that break --------------------------------------------------------

# CUTS=200 bats -f 'any place' t/resume.bats: that many, and what they cost.
@test "a link that is cut at any place: each core whole and once, gone on with" {
	local n=${CUTS:-12} i at kind whole possible=0 resumed=0 twice=0
	local kinds=(file pipe packed spool later)
	data 4
	server
	link
	carry file straight
	wait_for 60 test -s "$AT/0.bytes"
	whole=$(cat "$AT/0.bytes")
	for ((i = 0; i < n; i++)); do
		rm -rf "$T"/link.*
		kind=${kinds[i % 5]}
		at=$((1 + (RANDOM * 32768 + RANDOM) % whole))
		# one that breaks at once when it is tried again waits for
		# another flush
		if [ $kind = later ]; then
			link $at 1
		else
			link $at
		fi
		carry $kind c$i
		echo "$kind cut at $at of $whole"
		[ $RC = 0 ]
		stored c$i "$IN"
		if grep -q 'resumed at' said; then
			resumed=$((resumed + 1))
			# what the receiver had is not sent again
			[ "$(carried)" -lt $((whole + at)) ]
		fi
		# who asks is told of what was kept, but not of what the
		# receiver has not taken out of its socket yet
		! grep -q "kept incomplete, .*/core\.c$i\." log ||
		    possible=$((possible + 1))
		kill "$LINK"
		[ $kind = packed ] || twice=$((twice + $(carried) - whole))
		rm -f "store/$(uname -n)/core.c$i."*
	done
	[ -z "${CUTS:-}" ] || echo "# $n cut, $possible kept, $resumed resumed," \
	    "$twice bytes sent again, of $whole each" >&3
	[ $resumed -gt 0 ]
	[ "$(keys)" = 0 ]
}

@test "cut again and again: it gets on each time, and ends" {
	data 24
	server
	link 4000000 4000000 4000000
	send -e raw --comm=c "$P" <"$IN"
	[ $RC = 0 ]
	[ "$(grep -o '127.0.0.1: it' said | wc -l)" = 3 ]
	stored c "$IN"
	grep -q 'resumed at' said
	[ "$(carried)" -lt 30000000 ]
	# no more than eight times
	data 48
	rm -rf link.*
	link 4000000 4000000 4000000 4000000 4000000 4000000 4000000 4000000 \
	    4000000 4000000 4000000
	send -e raw --comm=d "$P" <"$IN"
	[ $RC = 111 ]
	grep -q 'lost: ' said
	[ "$(find "$AT" -name '*.bytes' | wc -l)" = 9 ]
	[ "$(find store -name 'core.d.*.part' | wc -l)" = 1 ]
}

@test "from a process's memory, and from the copy that lets it go" {
	local how
	needs_kernel
	core_held "$VICTIMS/much" mb 24
	server
	for how in --comm=a '--comm=b --release=200'; do
		rm -rf link.*
		link 9000000 9000000
		# shellcheck disable=SC2086
		"$S" -z no --pid="$PID" --dumpmode=1 $how "$P" \
		    <"$CORE" 2>>said 3>&- 9>&-
		wait_for 60 grep -q "$(echo "$how" | cut -c8)\[.*sent to" said
		stored "$(echo "$how" | cut -c8)" "$CORE"
	done
	cat said
	[ "$(grep -c ' from memory, resumed at ' said)" = 2 ]
}

@test "a pipe of more than is kept: lost and said so; with a spool not" {
	data 48
	server
	link 30000000
	send -e raw --comm=c "$P" < <(cat "$IN")
	[ $RC = 111 ]
	grep -q 'lost: 127.0.0.1: it ' said
	rm -rf link.*
	link 30000000
	send -e raw --comm=d -m 0 -s spool "$P" < <(cat "$IN")
	[ $RC = 0 ]
	grep -q 'resumed at' said
	stored d "$IN"
}

@test "a receiver that is killed midway: what it had is there" {
	local child part
	data 4
	server
	"$A" -K $KEY -e raw core "$IN" | head -c 400 | sed '/^$/q' >"$T/head"
	bg "$A" -C "$PORT" -k -K $KEY -e raw -n 1500000 core "$IN" >out
	wait_for 60 growing
	for child in $SERVER $(pgrep -P "$SERVER"); do
		kill -KILL "$child"
	done
	part=$(find store -name 'core.victim.*.part')
	wait_for 60 flock -n "$part" true
	recv <"$T/head" >out
	grep -q "^HAS $(stat -c %s "$part") " out
}

growing()
{
	[ -n "$(find store -name 'core.victim.*.part' -size +100k)" ]
}

# --- whose it is --------------------------------------------------------------

# begun: 4096 bytes of a core that broke off, by its key.
begun()
{
	recv < <("$A" -K $KEY frames d:0:4096)
	[ $RC = 1 ]
}

@test "who has the key of a part is told of it, and nobody else" {
	local crc
	begun >out
	grep -qx 'HAS 0 00000000' out
	[ "$(keys)" = 1 ]
	[ "$(stat -c %a store/.parts)" = 700 ]
	[ "$(stat -c %a store/.parts/$KEY)" = 600 ]
	[ "$(cat store/.parts/$KEY)" = board7/core.victim.4711.1700000000.part ]
	# with it, and the same crash of the same host
	"$A" -K $KEY frames d:0:4096 >stream
	head -c 300 stream | sed '/^$/q' >"$T/head"
	recv <"$T/head" >out
	grep -q '^HAS 4096 ' out
	crc=$(awk '/^HAS/ { print $3 }' out)
	# it was asked for, and not gone on with: it stays
	recv <"$T/head" >out
	grep -qx "HAS 4096 $crc" out
	# another key, host, process, name, address
	for args in "-K $OTHER" "-K $KEY -H board8" "-K $KEY -p 4712" \
	    "-K $KEY -c other"; do
		# shellcheck disable=SC2086
		"$A" $args frames d:0:4096 | sed '/^$/q' | recv >out
		grep -qx 'HAS 0 00000000' out
	done
	recv -a <"$T/head" >out
	grep -qx 'HAS 0 00000000' out
	# a sender of version 1, and one of 2 that has no key, hear nothing of it
	"$A" frames d:0:4096 | recv >out
	not grep -q 'HAS\|TAKES' out
	"$A" -V frames d:0:4096 | recv >out
	grep -qx 'TAKES LZ4' out
	not grep -q HAS out
}

@test "keys that are none leave no file" {
	local key
	for key in short ../../../../../../../../etc/passwd0 \
	    0123456789abcdef0123456789abcdeF "$KEY$KEY" '' .; do
		"$A" -K "$key" frames d:0:4096 | recv >out
		not grep -q HAS out
	done
	[ ! -e store/.parts ]
	printf 'usercrash-core 1\nversion: 2\npart: %s\npart: %s\n\n' \
	    $KEY $OTHER | recv >out
	not grep -q HAS out
}

@test "a joint that is not what there is makes no core" {
	local spec
	for spec in f:4095:0 f:8192:0 f:4096:1 f:0:0; do
		rm -rf store
		begun >out
		recv >out < <("$A" -K $KEY frames $spec d:4096:10 e:4106:4106)
		[ $RC = 1 ]
		grep -q '^ERR' out
		[ -z "$(find store -name 'core.*' ! -name '*.part*')" ]
	done
	# nobody asked, nothing was there, or not at the beginning
	rm -rf store
	recv >out < <("$A" frames f:4096:0 d:4096:10 e:4106:4106)
	[ $RC = 1 ]
	recv >out < <("$A" -K $KEY frames f:4096:0 d:4096:10 e:4106:4106)
	[ $RC = 1 ]
	recv >out < <("$A" -K $KEY frames d:0:10 f:4096:0 e:4106:4106)
	[ $RC = 1 ]
	[ -z "$(find store -name 'core.*' ! -name '*.part*')" ]
}

# In the spool, with a part of it at the receiver.
half_sent()
{
	data 4
	server
	send -e raw -z no -m 0 -s spool --comm=c 127.0.0.1:1 <"$IN"
	link 2500000 1
	send --flush spool "$P"
	[ $RC != 0 ]
	wait_for 60 test -n "$(find store -name 'core.c.*.part')"
	PART=$(find store -name 'core.c.*.part')
}

@test "a part that is damaged where it lies: found out, and all is sent" {
	half_sent
	printf x | dd of="$PART" bs=1 seek=1000000 conv=notrunc 2>/dev/null
	send --flush spool "$P"
	[ $RC = 0 ]
	grep -q 'what it has of this core is not what there is' said
	not grep -q 'resumed' said
	stored c "$IN"
	# and one that was cut there: what is left is of use
	rm -rf store/*/* spool link.*
	kill "$SERVER"
	half_sent
	chmod 600 "$PART"
	truncate -s 1234567 "$PART"
	send --flush spool "$P"
	[ $RC = 0 ]
	grep -q 'resumed at 1234567' said
	stored c "$IN"
}

@test "a receiver that claims what it has not gets nothing for it" {
	local n=0 has
	data 4
	send -e raw -z no -m 0 -s spool --comm=c 127.0.0.1:1 <"$IN"
	for has in '1048576 00000001' '4611686018427387904 00000000' \
	    '99999999999999999999 00000000'; do
		n=$((n + 1))
		cat >claim <<-EOF
			#!/bin/sh
			printf 'HAS $has\nTAKES LZ4\n'
			cat >got.$n
		EOF
		chmod +x claim
		send --flush spool -- "$T/claim"
		[ $RC = 111 ]
		[ -n "$(find spool -name '*.core')" ]
		# the header alone
		[ "$(wc -c <got.$n)" -lt 1000 ]
	done
}

@test "one that another connection still writes is waited for" {
	begun >out
	"$A" -K $KEY frames d:0:4096 | sed '/^$/q' >"$T/head"
	exec 7<store/board7/core.victim.4711.1700000000.part
	flock 7
	bg recv_head 7<&-
	wait_for 20 grep -q WAIT answer
	not grep -q HAS answer
	flock -u 7
	exec 7<&-
	wait_for 20 grep -q '^HAS 4096 ' answer
}

recv_head()
{
	exec "$BIN/recv_core" -i -m 0 -d "$T/store" <"$T/head" >answer 2>>err
}

# --- peers of before ----------------------------------------------------------

@test "receivers of before lose nothing, and are waited for once" {
	local n
	data 4
	AT=$(mktemp -d "$T/peer.XXXX")
	bg "$BUILD/t/core_peer" listen "$AT"
	wait_for 60 test -s "$AT/port"
	P=127.0.0.1:$(cat "$AT/port")
	for n in 1 2 3; do
		send -e raw -z no -m 0 -s spool --comm=c$n 127.0.0.1:1 <"$IN"
	done
	send --flush spool "$P"
	[ $RC = 0 ]
	for n in 0 1 2; do
		wait_for 60 test -e "$AT/$n.end"
		cmp "$AT/$n.core" "$IN"
	done
	# one that breaks is not asked again
	AT=$(mktemp -d "$T/peer.XXXX")
	bg "$BUILD/t/core_peer" listen -z -w close:2000000 "$AT"
	wait_for 60 test -s "$AT/port"
	send -e raw --comm=d "127.0.0.1:$(cat "$AT/port")" <"$IN"
	[ $RC = 111 ]
	[ "$(find "$AT" -name '*.end' | wc -l)" = 1 ]
}

# --- bounds -------------------------------------------------------------------

@test "-k 0: nothing is kept to go on with" {
	"$A" -K $KEY frames d:0:4096 | recv -k 0 >out
	not grep -q HAS out
	[ ! -e store/.parts ]
}

@test "parts are bounded: in age, of one host, in all; who is written stays" {
	local i key
	begun >out
	touch -d '2 hours ago' store/board7/*.part
	"$A" -K $OTHER -p 1 frames d:0:4096 | recv -k 3600 >out
	grep -q 'removed board7/core.victim.4711.1700000000.part, [0-9]* bytes, whose sender did not come back' err
	[ "$(keys)" = 1 ]
	[ -z "$(find store -name 'core.victim.4711.*')" ]
	# of one host
	for ((i = 100; i < 140; i++)); do
		key=$(printf '%032x' $i)
		"$A" -K "$key" -p $i frames d:0:100 | recv >out
	done
	[ "$(keys)" = 32 ]
	[ "$(find store -name '*.part' | wc -l)" = 32 ]
	grep -q 'removed board7/core.victim.107.*, to make room' err
	# one whose part has gone is nothing
	rm -f store/board7/core.victim.13*
	"$A" -K $KEY frames d:0:100 | recv >out
	[ "$(keys)" = 23 ]
	# what lies there and is none
	echo rubbish >store/.parts/$OTHER
	echo ../../etc/passwd >"store/.parts/$(printf '%032x' 7)"
	"$A" -K "$(printf '%032x' 8)" -p 8 frames d:0:100 | recv >out
	[ "$(keys)" = 24 ]
}

@test "parts go before a core is refused for want of space" {
	local left
	needs_root
	mkdir store
	mount -t tmpfs -o size=8m,mode=700 none store
	data 4
	"$A" -K $KEY -e raw core "$IN" | head -c 2500000 | recv >out
	[ "$(find store -name '*.part' | wc -l)" = 1 ]
	"$A" -e raw -p 1 core "$IN" | recv -m 4 >out
	cat out err
	cp store/board7/core.victim.1.1700000000.raw . || :
	left=$(find store -name '*.part' | wc -l)
	umount store
	cmp core.victim.1.1700000000.raw "$IN"
	[ "$left" = 0 ]
	grep -q 'removed .*to make room' err
}
