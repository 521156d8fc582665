# recv_core: what comes in, where it goes, and what befalls it.

load helper

setup()
{
	D=$(mktemp -d /tmp/rc.XXXXXX)
	chmod 755 "$D"
	S=$D/store
	MOUNTED=
	BGS=
	A=$BUILD/t/stream_aid
	# A process that nobody may trace cannot look for its leaks either.
	export ASAN_OPTIONS=detect_leaks=0
	# data, a hole, data, a hole at the end; not of whole pages
	{
		head -c 20000 "$A"
		head -c 40000 /dev/zero
		tail -c 9999 "$A"
		head -c 30001 /dev/zero
	} >"$D/core"
	NAME=board7/core.victim.4711.1700000000
}

teardown()
{
	end_bgs
	[ -z "$MOUNTED" ] || umount -l "$MOUNTED"
	# children outlive their server, and finish
	wait_for 20 rm -rf "$D"
}

# recv [OPTIONS]: stdin to a store by a pipe; the log is $D/err.
recv()
{
	"$BIN/recv_core" -i -m 0 -d "$S" "$@" 2>"$D/err"
}

# server [OPTIONS]: a standing one, at $PORT, in $SERVER; its log is $D/log.
server()
{
	for _ in 1 2 3 4 5 6 7 8; do
		PORT=$((20000 + RANDOM % 12000))
		: >"$D/log"
		bg "${AS[@]}" "$BIN/recv_core" -v -m 0 -d "$S" -p $PORT "$@" \
		    2>>"$D/log"
		SERVER=$BG
		wait_for 20 grep -q 'listening\|fatal' "$D/log"
		grep -q 'in use' "$D/log" || break
	done
	grep -q listening "$D/log" || {
		cat "$D/log"
		return 1
	}
}

logged()
{
	wait_for 20 grep -q -- "$1" "$D/log" || {
		cat "$D/log"
		return 1
	}
}

err_has()
{
	grep -q -- "$1" "$D/err" || {
		cat "$D/err"
		return 1
	}
}

# The complete cores, and what was never completed.
cores()
{
	find "$S" -name 'core.*' ! -name '*.info' ! -name '*.part' | wc -l
}

parts()
{
	find "$S" -name '*.part' | wc -l
}

parts_are()
{
	[ "$(parts)" = "$1" ]
}

cores_are()
{
	[ "$(cores)" = "$1" ]
}

info()
{
	sed -n "s/^$1: //p" "$2.info"
}

# hold NAME ARGS: a sender on a connection that stays open, in $BG.
hold()
{
	local name=$1
	shift
	bg "$A" -C "$PORT" -k "$@" >"$D/$name.out"
}

growing()
{
	[ -n "$(find "$S" -name "core.*.${1:-*}.*.part" -size +0c)" ]
}

connections_are()
{
	[ "$(grep -c ': connected' "$D/log")" = "$1" ]
}

lets_go()
{
	[ -z "$(find "/proc/$1/fd" -lname 'socket:*')" ]
}

# The process that parses, of the last connection.
child_of()
{
	pgrep -P "$1" | tail -1
}

@test "units: names, rooms, the head of a foreign core, inflow" {
	"$BUILD/t/unit_corestore"
}

@test "wrong usage exits 100 and says what is wanted" {
	run "$BIN/recv_core" -x
	[ "$status" = 100 ]
	[[ $output == *"usage: recv_core [-aiPvz] [-d dir]"* ]]
	run "$BIN/recv_core" one two
	[ "$status" = 100 ]
	run "$BIN/recv_core" -i 127.0.0.1
	[ "$status" = 100 ]
	run "$BIN/recv_core" -r
	[ "$status" = 100 ]
	run "$BIN/recv_core" -d "$S" '[::1'
	[ "$status" = 100 ]
	[ "$output" = 'recv_core: fatal: "[::1" is no address' ]
	for o in -p -b -T -m -t -l -c -C -R; do
		for v in '' -1 1x 99999999999999999999; do
			run "$BIN/recv_core" "$o" "$v"
			[ "$status" = 100 ]
			[[ $output == "recv_core: fatal: option $o wants a number from "*", not \"$v\"" ]]
		done
	done
	for o in -p -t -l -c -C -R; do
		run "$BIN/recv_core" $o 0
		[ "$status" = 100 ]
	done
	[ ! -e "$S" ]
}

@test "what is on fd 0 or passed must be a stream: exit 100" {
	run bash -c 'LISTEN_FDS=1 LISTEN_PID=$$ exec "$0" -d "$1" 3</dev/null' \
	    "$BIN/recv_core" "$S"
	[ "$status" = 100 ]
	[ "$output" = "recv_core: fatal: fd 3 is not a stream socket" ]
	run bash -c 'LISTEN_FDS=2 LISTEN_PID=$$ exec "$0" -d "$1" 3</dev/null 4<&3' \
	    "$BIN/recv_core" "$S"
	[ "$status" = 100 ]
	run bash -c 'LISTEN_FDS=x LISTEN_PID=$$ exec "$0" -d "$1"' \
	    "$BIN/recv_core" "$S"
	[ "$status" = 100 ]
	[ "$output" = "recv_core: fatal: unable to take LISTEN_FDS: Invalid argument" ]
}

@test "what it cannot have at the start: exit 111 and the reason" {
	mkdir -m 755 "$D/real"
	ln -s real "$S"
	run "$BIN/recv_core" -i -d "$S" </dev/null
	[ "$status" = 111 ]
	[ "$output" = "recv_core: fatal: unable to keep cores in $S: Not a directory" ]
	rm "$S"
	mkdir "$S"
	chmod 775 "$S"
	run "$BIN/recv_core" -i -d "$S" </dev/null
	[ "$status" = 111 ]
	[[ $output == *": others than its owner may write there" ]]
	run "$BIN/recv_core" -i -d "$D/no/such" </dev/null
	[ "$status" = 111 ]
	[[ $output == *": No such file or directory" ]]
	run "$BIN/recv_core" -i -u nobody-at-all -d "$D/real" </dev/null
	[ "$status" = 111 ]
	[[ $output == *": there is no such user" ]]
	chmod 755 "$S"
	server
	run "$BIN/recv_core" -d "$D/real" -p $PORT
	[ "$status" = 111 ]
	[[ $output == *"unable to listen on every address port $PORT: Address "*"in use" ]]
}

@test "a pipe: stored, equal, sparse, described, answered" {
	run recv <<<''
	[ "$status" = 1 ]
	"$A" core "$D/core" | recv >"$D/out"
	[ "$(cat "$D/out")" = "OK $NAME 100000 $(info checksum "$S/$NAME")" ]
	cmp "$D/core" "$S/$NAME"
	cmp "$D/core" "$S/core_dump"
	[ "$(readlink "$S/core_dump")" = "$NAME" ]
	[ "$(stat -c %b "$S/$NAME")" -lt 100 ]
	[ "$(info host "$S/$NAME")" = board7 ]
	[ "$(info comm "$S/$NAME")" = victim ]
	[ "$(info signal "$S/$NAME")" = 11 ]
	[ "$(info bytes "$S/$NAME")" = 100000 ]
	[ "$(info data "$S/$NAME")" -lt 45000 ]
	[ "$(info peer "$S/$NAME")" = local ]
	[ "$(info state "$S/$NAME")" = complete ]
	info received "$S/$NAME" |
	    grep -Eq '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$'
	err_has "^recv_core: info: local: $NAME: signal 11, 100000 bytes, [0-9]* data, [0-9]* holes, [0-9]*\.[0-9]* s, checksum [0-9a-f]\{8\}\$"
	[ "$(parts)" = 0 ]
	# the checksum is that of the whole core, by another's reckoning
	if command -v python3 >/dev/null; then
		python3 - "$D/core" >"$D/crc" <<-'EOT'
			import sys
			crc = 0xffffffff
			for b in open(sys.argv[1], "rb").read():
			    crc ^= b
			    for i in range(8):
			        crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
			print("%08x" % (crc ^ 0xffffffff))
		EOT
		[ "$(info checksum "$S/$NAME")" = "$(cat "$D/crc")" ]
	fi
}

@test "in pieces of 1 and 1448 bytes, by pipe and by TCP: bytes equal" {
	local n t=1
	server
	for n in 1 1448 4097; do
		"$A" -t $t -p $t -w $n core "$D/core" | recv
		"$A" -t $((t + 1)) -p $((t + 1)) -w $n -C "$PORT" core "$D/core"
		cmp "$D/core" "$S/board7/core.victim.$t.$t"
		cmp "$D/core" "$S/board7/core.victim.$((t + 1)).$((t + 1))"
		t=$((t + 2))
	done
	cores_are 6
}

@test "modes are 0440 and 0750 under any umask" {
	local u
	for u in 0 077 777; do
		rm -rf "$S"
		(
			umask $u
			"$A" core "$D/core" | recv
			"$A" -p 5 -n 20000 core "$D/core" | recv || :
		)
		[ "$(stat -c %a "$S" "$S/board7" "$S/$NAME" "$S/$NAME.info" |
		    tr '\n' ' ')" = "750 750 440 440 " ]
		[ "$(stat -c %a "$S"/board7/core.victim.5.*.part)" = 440 ]
	done
}

@test "names: nothing leaves the store, is hidden or is taken for ours" {
	local f
	"$A" -H ../../x -c ../../../y core "$D/core" | recv
	"$A" -H .. -c .hidden core "$D/core" | recv
	"$A" -H core_dump -c 'a b;$(x)`'$'\n\t' core "$D/core" | recv
	"$A" -H .lock -c '' -p -1 -t -1 core "$D/core" | recv
	"$A" -c "$(printf '%063d' 1)" -H "$(printf '%0255d' 2)" core "$D/core" |
	    recv
	[ "$(find "$D" -mindepth 1 -maxdepth 1 | wc -l)" = 3 ]
	cores_are 5
	for f in _.\_.._x/core._._.._.._y.4711.1700000000 \
	    _./core._hidden.4711.1700000000 \
	    '_ore_dump/core.a_b___x____.4711.1700000000' \
	    _lock/core.unknown.unknown.unknown; do
		[ -f "$S/$f" ] || {
			find "$S" | sort
			echo "no $f"
			false
		}
	done
	[ -L "$S/core_dump" ]
	# what the sidecar says is what was told
	[ "$(info host "$S/_lock/core.unknown.unknown.unknown")" = .lock ]
	[ -z "$(find "$S" -name '.?*' ! -name .lock)" ]
}

@test "encodings: the accustomed suffix, and none of ours" {
	local e
	for e in zstd:.zst gzip:.gz xz:.xz lz4:.lz4 odd-1:.odd-1 \
	    part:._art info:._nfo; do
		"$A" -e "${e%:*}" core "$D/core" | recv
		cmp "$D/core" "$S/$NAME${e#*:}"
		[ "$(info encoding "$S/$NAME${e#*:}")" = "${e%:*}" ]
	done
	cores_are 7
}

@test "truncated anywhere: never a core, kept as .part, said at both ends" {
	local n size rc
	head -c 9000 "$D/core" >"$D/small"
	size=$("$A" core "$D/small" | wc -c)
	for n in 1 16 17 18 40 $(seq 60 211 "$size") $((size - 1)); do
		rm -rf "$S"
		rc=0
		"$A" -n "$n" core "$D/small" | recv >"$D/out" || rc=$?
		[ $rc = 1 ]
		grep -q '^ERR the connection ended early, after '"$n"' bytes$' \
		    "$D/out"
		err_has 'recv_core: warning: local: .* ended early'
		cores_are 0
		[ ! -L "$S/core_dump" ]
		if [ "$n" -gt 5000 ]; then
			[ "$(parts)" = 1 ]
			cmp -n 4096 "$D/small" "$S/$NAME.part"
			[[ $(info state "$S/$NAME.part") == *"ended early"* ]]
		fi
	done
}

@test "damaged anywhere: never a core under its name" {
	local n size rc head
	head -c 9000 "$D/core" >"$D/small"
	size=$("$A" core "$D/small" | wc -c)
	head=$("$A" core "$D/small" | awk '{ n += length + 1 }
		/^$/ { print n; exit }')
	for n in 3 $(seq "$head" 97 "$size") $((size - 2)); do
		rm -rf "$S"
		rc=0
		"$A" -x "$n" core "$D/small" | recv >"$D/out" || rc=$?
		[ $rc = 1 ]
		grep -q '^ERR ' "$D/out"
		cores_are 0
	done
	rm -rf "$S"
	"$A" -x 6000 core "$D/small" | recv >"$D/out" || rc=$?
	[ "$(cat "$D/out")" = "ERR damaged: a frame's checksum differs" ]
	err_has "kept incomplete, $NAME.part: .*: damaged: a frame's checksum"
	[ "$(info state "$S/$NAME.part")" = "damaged: a frame's checksum differs" ]
}

@test "frames against the rules are refused" {
	local max=4611686018427387904 f rc n=0
	# shellcheck disable=SC2086
	for f in "l:0:0" "l:0:1048577" "l:0:4294967295" \
	    "l:18446744073709551615:16" "l:$max:1" "l:9223372036854775808:1" \
	    "d:0:100 d:99:10" "d:100:10 d:0:10" "d:0:100 d:0:100" \
	    "d:0:100 b:100:50" "t:0:10" "t:2147483647:10" "e:0:0" "e:5:9" \
	    "d:0:100 e:100:99" "d:0:100 e:99:100" "d:0:100 e:100:100" \
	    "e:$max:0" "e:4611686018427387905:0"; do
		rc=0
		"$A" frames $f | recv >"$D/out" || rc=$?
		[ $rc = 1 ] || {
			echo "$f: $rc"
			cat "$D/out"
			false
		}
		grep -q '^ERR ' "$D/out"
		n=$((n + 1))
	done
	cores_are 0
	[ $n = 19 ]
}

@test "packed frames: asked for where they are offered, stored as they were" {
	"$A" -V core "$D/core" | recv >"$D/out"
	[ "$(head -n 1 "$D/out")" = 'TAKES LZ4' ]
	tail -n 1 "$D/out" | grep -q "^OK $NAME 100000 "
	cmp "$D/core" "$S/$NAME"
	[ "$(info data "$S/$NAME")" -ge 30000 ]
	# nobody else is told of it
	"$A" -p 1 core "$D/core" | recv >"$D/out"
	[ "$(wc -l <"$D/out")" = 1 ]
	server
	"$A" -C "$PORT" -V -p 2 core "$D/core" >"$D/out" || :
	wait_for 20 cores_are 3
	cmp "$D/core" "$S/board7/core.victim.2.1700000000"
}

@test "packed frames: forged, not offered, cut and damaged ones make no core" {
	local spec n size
	# the rules are those of other frames
	"$A" -V frames z:0:4096 z:4096:1048576 e:1052672:1052672 |
	    recv >"$D/out" || :
	tail -n 1 "$D/out" | grep -q '^ERR the checksum differs'
	for spec in Z:0:0 Z:0:4095 Z:0:4097 Z:0:1048577 Z:0:4294967295 \
	    'd:0:512 z:0:4096' z:4611686018427387000:4096 t:541743180:9; do
		# shellcheck disable=SC2086
		"$A" -V frames $spec e:4096:4096 | recv >"$D/out" || :
		tail -n 1 "$D/out" | grep -q '^ERR '
	done
	"$A" frames z:0:4096 e:4096:4096 | recv >"$D/out" || :
	grep -q '^ERR a frame breaks the rules' "$D/out"
	size=$("$A" -V core "$D/core" | wc -c)
	for ((n = 60; n < size; n += size / 60 + 1)); do
		"$A" -V -n "$n" core "$D/core" | recv >/dev/null || :
		"$A" -V -x "$n" core "$D/core" | recv >/dev/null || :
	done
	# a byte of the header may be another one's name
	find "$S" -name 'core.*' ! -name '*.info' ! -name '*.part' \
	    -exec cmp "$D/core" {} ';'
	[ "$(cores)" -le 2 ]
}

@test "-z: what is whole is packed, as lz4(1) reads it; once, too" {
	needs_tool lz4
	# a core of 3 MiB and a bit, a hole in the middle and at its end
	{
		cat "$D/core" "$D/core" "$A" "$A" "$A"
		head -c 1500000 /dev/zero
		cat "$D/core"
		head -c 300000 /dev/zero
	} >"$D/large"
	"$A" core "$D/large" | recv -z >"$D/out"
	grep -q "^OK $NAME.lz4 $(stat -c %s "$D/large") " "$D/out"
	lz4 -dc "$S/$NAME.lz4" | cmp - "$D/large"
	[ "$(stat -c %a "$S/$NAME.lz4")" = 440 ]
	[ "$(stat -c %s "$S/$NAME.lz4")" -lt "$(info data "$S/$NAME.lz4")" ]
	[ "$(info bytes "$S/$NAME.lz4")" = "$(stat -c %s "$D/large")" ]
	cmp "$S/core_dump" "$S/$NAME.lz4"
	cores_are 1
	[ "$(parts)" = 0 ]
	# delivered again, packed or not, at another time or not
	"$A" core "$D/large" | recv -z
	err_has "$NAME.lz4 (again): "
	"$A" -t 5 core "$D/large" | recv
	err_has "$NAME.lz4 (again): "
	cores_are 1
	"$A" -p 2 core "$D/large" | recv
	"$A" -p 2 -t 6 core "$D/large" | recv -z
	err_has "core.victim.2.1700000000 (again): "
	# one that broke off goes when it is there
	"$A" -p 3 -n 9000 core "$D/large" | recv -z || :
	[ "$(parts)" = 1 ]
	"$A" -p 3 core "$D/large" | recv -z
	[ "$(parts)" = 0 ]
	[ -e "$S/board7/core.victim.3.1700000000.lz4" ]
}

@test "-z: what gets no smaller, is encoded or incomplete stays as it is" {
	head -c 300000 /dev/urandom >"$D/noise"
	"$A" core "$D/noise" | recv -z >"$D/out"
	grep -q "^OK $NAME 300000 " "$D/out"
	"$A" -e zstd -p 2 core "$D/core" | recv -z
	cmp "$D/core" "$S/board7/core.victim.2.1700000000.zst"
	"$A" -S killed -p 3 core "$D/core" | recv -z || :
	cmp "$D/core" "$S/board7/core.victim.3.1700000000.part"
}

@test "headers without end or bound are refused, in bounded memory" {
	local rc limit=
	# AddressSanitizer takes terabytes of address space
	[[ $BIN == *-san* ]] || limit=40000
	for n in 33000 10000000 300000000; do
		rc=0
		"$A" head $n | (
			[ -z "$limit" ] || ulimit -v "$limit"
			recv >"$D/out"
		) || rc=$?
		[ $rc = 1 ]
		[ "$(cat "$D/out")" = "ERR the header is too long" ]
	done
	# and a core of some size takes no more
	head -c 30000000 /dev/urandom >"$D/big"
	"$A" core "$D/big" | (
		[ -z "$limit" ] || ulimit -v "$limit"
		recv
	)
	cmp "$D/big" "$S/$NAME"
	# what would be a header of a later version, or a wrong one
	run recv < <("$A" text 'usercrash-core 2\nhost: x\n\n')
	[ "$status" = 1 ]
	[[ $output == "ERR a core stream of a version not known here"* ]]
	run recv < <("$A" text 'usercrash-core 1\npid: -5\n\n')
	[[ $output == "ERR a number in the header is none"* ]]
}

@test "what is no core is told so" {
	local t
	for t in 'GET / HTTP/1.1\r\n\r\n|an HTTP request' \
	    'POST /x HTTP/1.1\r\n|an HTTP request' \
	    'PRI * HTTP/2.0\r\n\r\n|an HTTP request' \
	    '\x16\x03\x01\x02\x01\x01|a TLS handshake' \
	    'SSH-2.0-x\r\n|an SSH client' \
	    'PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n|a PROXY header' \
	    '\x28\xb5\x2f\xfdabcd|a bare zstd file' \
	    'hello there\n|something else' 'u|' 'useful|' 'x|something else'; do
		run recv < <("$A" text "${t%|*}")
		[ "$status" = 1 ]
		[[ ${lines[0]} == "ERR "*"${t#*|}"* ]] || {
			echo "$t: $output"
			false
		}
		[ "$(cores)$(parts)" = 00 ]
	done
	run recv <"$A"
	[ "$status" = 1 ]
	[ "$output" = "ERR an ELF file, but not a core" ]
	run recv </dev/null
	[ "$status" = 1 ]
	[ -z "$output" ]
	[ ! -s "$D/err" ]
}

@test "a bare ELF core: named by its notes, sparse, cut ones are found out" {
	local f=$TOP/t/fixtures out
	out=$("$A" raw "$f/core.x86_64" | recv)
	[[ $out == "OK "*/core.crash.*" 49152 "* ]]
	cmp "$f/core.x86_64" "$S/core_dump"
	[ "$(stat -L -c %b "$S/core_dump")" -lt 96 ]
	err_has "local: .*/core.crash.[0-9]*\.[0-9]*: signal 11, 49152 bytes"
	[ "$(info comm "$S/$(readlink "$S/core_dump")")" = crash ]
	"$A" raw "$f/core.aarch64" | recv
	"$A" -w 1 raw "$f/core-threads.x86_64" | recv
	cmp "$f/core-threads.x86_64" "$S/core_dump"
	cores_are 3
	# 32 bits; it is cut behind its notes
	run recv < <("$A" raw "$f/core.i386")
	[ "$status" = 1 ]
	[ "$output" = "ERR cut short: it ends after 8192 of at least 45056 bytes" ]
	cmp "$f/core.i386" "$(find "$S" -name 'core.crash-i386.*.part')"
	for n in 3 19 20 63 64 1000 20000 49151; do
		rc=0
		"$A" -n $n raw "$f/core.x86_64" | recv >"$D/out" || rc=$?
		[ $rc = 1 ]
		grep -q '^ERR ' "$D/out"
		cores_are 3
	done
	# notes that lie are not a reason to lose a core
	for n in notes files; do
		"$A" raw "$f/core-forged-$n.x86_64" | recv >"$D/out" || :
		grep -q '^OK\|^ERR cut short' "$D/out"
	done
}

@test "a bare core of more than 65534 mappings, of the other byte order" {
	needs_tool python3
	python3 - "$D" <<-'EOT'
		import struct, sys
		def core(o, cls, n, name):
		    e = ">" if o == 2 else "<"
		    ident = b"\x7fELF" + bytes([cls, o, 1]) + bytes(9)
		    phsize = 56 if cls == 2 else 32
		    first = (64 if cls == 2 else 52)
		    base = (first + n * phsize + 4095) & ~4095
		    phs = []
		    for i in range(n):
		        off = base + i * 16
		        if cls == 2:
		            phs.append(struct.pack(e + "IIQQQQQQ", 1, 4, off, i << 12, 0, 16, 4096, 1))
		        else:
		            phs.append(struct.pack(e + "IIIIIIII", 1, off, i << 12, 0, 16, 4096, 4, 1))
		    end = base + n * 16
		    num, shoff, shnum, tail = n, 0, 0, b""
		    if n >= 65535:
		        num, shoff, shnum = 65535, end, 1
		        if cls == 2:
		            tail = struct.pack(e + "IIQQQQIIQQ", 0, 0, 0, 0, 0, 1, 0, n, 0, 0)
		        else:
		            tail = struct.pack(e + "IIIIIIIIII", 0, 0, 0, 0, 0, 1, 0, n, 0, 0)
		    if cls == 2:
		        eh = ident + struct.pack(e + "HHIQQQIHHHHHH", 4, 62, 1, 0, first, shoff, 0, 64, 56, num, 64, shnum, 0)
		    else:
		        eh = ident + struct.pack(e + "HHIIIIIHHHHHH", 4, 8, 1, 0, first, shoff, 0, 52, 32, num, 40, shnum, 0)
		    b = eh + b"".join(phs)
		    b += bytes(base - len(b)) + b"x" * (n * 16) + tail
		    open(sys.argv[1] + "/" + name, "wb").write(b)
		core(1, 2, 70000, "many")
		core(2, 2, 3, "big64")
		core(2, 1, 70000, "big32")
	EOT
	for f in many big64 big32; do
		"$A" raw "$D/$f" | recv >"$D/out"
		cmp "$D/$f" "$S/core_dump"
		rc=0
		"$A" -n $(($(stat -c %s "$D/$f") - 1)) raw "$D/$f" |
		    recv >"$D/out" || rc=$?
		[ $rc = 1 ]
		grep -q '^ERR cut short' "$D/out"
	done
	cores_are 3
}

@test "the same crash delivered again is answered with the first one's name" {
	"$A" core "$D/core" | recv
	"$A" core "$D/core" | recv >"$D/out"
	grep -q "^OK $NAME 100000 " "$D/out"
	err_has "$NAME (again): "
	cores_are 1
	# the same name, another content
	head -c 50000 "$D/core" >"$D/other"
	"$A" core "$D/other" | recv >"$D/out"
	grep -q "^OK $NAME.1 50000 " "$D/out"
	cmp "$D/core" "$S/$NAME"
	cmp "$D/other" "$S/$NAME.1"
	cmp "$D/other" "$S/core_dump"
	"$A" core "$D/other" | recv >"$D/out"
	grep -q "^OK $NAME.1 50000 " "$D/out"
	cores_are 2
	# the same size, one byte differs
	printf y | dd of="$D/other" bs=1 seek=100 conv=notrunc 2>/dev/null
	"$A" core "$D/other" | recv >"$D/out"
	grep -q "^OK $NAME.2 50000 " "$D/out"
	# without the description nobody can tell
	rm -f "$S/$NAME.info"
	"$A" core "$D/core" | recv >"$D/out"
	grep -q "^OK $NAME.3 100000 " "$D/out"
	[ "$(parts)" = 0 ]
}

@test "a core sent again by hand, with another time, is found and not stored" {
	local other=core.victim.4711.1800000000
	"$A" core "$D/core" | recv
	"$A" -t 1800000000 core "$D/core" | recv >"$D/out"
	grep -q "^OK $NAME 100000 " "$D/out"
	err_has "$NAME (again): "
	cores_are 1
	[ "$(parts)" = 0 ]
	# of another process, and another content, it is another
	"$A" -p 4712 core "$D/core" | recv >"$D/out"
	grep -q "^OK board7/core.victim.4712." "$D/out"
	printf y | dd of="$D/core" bs=1 seek=100 conv=notrunc 2>/dev/null
	"$A" -t 1800000000 core "$D/core" | recv >"$D/out"
	grep -q "^OK board7/$other 100000 " "$D/out"
	cores_are 3
	# incomplete, and no more is to come: once as well
	"$A" -S killed -t 1 core "$D/core" | recv || :
	"$A" -S killed -t 2 core "$D/core" | recv >"$D/out" || :
	grep -q "^OK board7/core.victim.4711.1.part 100000 " "$D/out"
	[ "$(parts)" = 1 ]
}

@test "incomplete by the sender's own word: kept as .part, and acknowledged" {
	rc=0
	"$A" -S "the process was killed" core "$D/core" | recv >"$D/out" || rc=$?
	[ $rc = 1 ]
	grep -q "^OK $NAME.part 100000 [0-9a-f]*\$" "$D/out"
	cmp "$D/core" "$S/$NAME.part"
	[ "$(info state "$S/$NAME.part")" = "the process was killed" ]
	err_has "warning: local: kept incomplete, $NAME.part: 100000 bytes, .*: the process was killed"
	cores_are 0
	[ ! -L "$S/core_dump" ]
}

@test "a complete delivery takes the place of one that broke off" {
	"$A" -n 20000 core "$D/core" | recv || :
	"$A" -n 25000 core "$D/core" | recv || :
	[ "$(parts)" = 2 ]
	# another crash's stays
	"$A" -p 4712 -n 20000 core "$D/core" | recv || :
	# and so does one under way
	server
	hold live -n 20000 core "$D/core"
	wait_for 20 parts_are 4
	"$A" core "$D/core" | recv
	[ "$(find "$S" -name 'core.victim.4712.*.part' | wc -l)" = 1 ]
	[ "$(find "$S" -name 'core.victim.4711.*.part' | wc -l)" = 1 ]
	cores_are 1
	cmp "$D/core" "$S/$NAME"
}

@test "limit: bytes of one core" {
	head -c 3000000 /dev/urandom >"$D/big"
	"$A" core "$D/core" | recv -b 2
	rc=0
	"$A" -p 5 core "$D/big" | recv -b 2 >"$D/out" || rc=$?
	[ $rc = 1 ]
	[ "$(cat "$D/out")" = "ERR the core is larger than the receiver allows" ]
	err_has 'refused victim\[5\] of board7: the core is larger than'
	rc=0
	(
		cat "$TOP/t/fixtures/core.x86_64"
		head -c 3000000 /dev/zero
	) | recv -b 2 >"$D/out" || rc=$?
	[ $rc = 1 ]
	[ "$(cat "$D/out")" = "ERR the core is larger than the receiver allows" ]
	# nothing is left of those, and holes count for nothing in a stream
	[ "$(cores)$(parts)" = 10 ]
	[ "$(find "$S" -mindepth 1 -type d)" = "$S/board7" ]
	truncate -s 100M "$D/core"
	"$A" -p 6 core "$D/core" | recv -b 2
	cores_are 2
}

@test "limit: bytes of all together, the oldest go first" {
	local i n
	head -c 900000 /dev/urandom >"$D/big"
	for i in 1 2 3 4; do
		"$A" -p $i -t $i core "$D/big" | recv -T 4
	done
	cores_are 4
	# what was never completed goes before what was
	"$A" -p 9 -n 500000 core "$D/big" | recv -T 4 || :
	[ "$(parts)" = 1 ]
	"$A" -H other -p 5 -t 5 core "$D/big" | recv -T 4
	err_has 'info: removed board7/core.victim.9.1700000000.part, [0-9]* bytes, to make room'
	err_has 'info: removed board7/core.victim.1.1, [0-9]* bytes, to make room'
	[ "$(parts)" = 0 ]
	cores_are 4
	[ ! -e "$S/board7/core.victim.1.1.info" ]
	"$A" -H other -p 6 -t 6 core "$D/big" | recv -T 2
	[ "$(cd "$S" && find . -name 'core.*' ! -name '*.info' | sort | tr '\n' ' ')" = \
	    "./other/core.victim.5.5 ./other/core.victim.6.6 " ]
	[ ! -e "$S/board7" ]
	# alone more than all may be: refused, and nothing goes for it
	head -c 2200000 /dev/urandom >"$D/huge"
	rc=0
	"$A" -p 7 core "$D/huge" | recv -T 2 >"$D/out" || rc=$?
	[ $rc = 1 ]
	[ "$(cat "$D/out")" = "ERR the core alone is larger than the whole store may be" ]
	cores_are 2
	cmp "$D/big" "$S/other/core.victim.6.6"
	# a description without its core is nothing
	n=$(find "$S" -name '*.info' | wc -l)
	cp "$S/other/core.victim.6.6.info" "$S/other/core.gone.info"
	"$A" -p 8 -t 8 core "$D/core" | recv -T 8
	[ "$(find "$S" -name '*.info' | wc -l)" = $((n + 1)) ]
	[ ! -e "$S/other/core.gone.info" ]
}

@test "limit: many more files than one look takes in" {
	local i
	"$A" -p 1 core "$D/core" | recv
	mkdir -p "$S/h"
	for i in $(seq 100 250); do
		echo x >"$S/h/core.x.$i.1"
		touch -d "@$((1577836800 + i))" "$S/h/core.x.$i.1"
	done
	chown -R --reference="$S" "$S/h"
	chmod 750 "$S/h"
	"$A" core "$D/core" | recv -T 1
	cmp "$D/core" "$S/$NAME"
	cores_are 153
	# 4 KiB each at least
	head -c 900000 /dev/urandom >"$D/big"
	"$A" -p 2 core "$D/big" | recv -T 1
	[ "$(cores)" -lt 40 ]
	[ "$(cores)" -gt 10 ]
	[ -e "$S/h/core.x.250.1" ]
	[ ! -e "$S/h/core.x.100.1" ]
}

@test "limit: where no floor is set, a tenth of the file system stays free" {
	local rc=0
	needs_root
	mkdir "$S"
	mount -t tmpfs -o size=20m,mode=750 none "$S"
	MOUNTED=$S
	head -c 6000000 /dev/urandom >"$D/big"
	"$A" -p 1 core "$D/big" | "$BIN/recv_core" -i -d "$S" >"$D/out"
	"$A" -p 2 core "$D/big" | "$BIN/recv_core" -i -d "$S" >"$D/out"
	[ "$(cores)" = 2 ]
	head -c 7500000 /dev/zero >"$S/other"
	"$A" -p 3 core "$D/big" | "$BIN/recv_core" -i -d "$S" >"$D/out" \
	    2>"$D/err" || rc=$?
	[ $rc = 1 ]
	[ "$(cat "$D/out")" = "ERR the receiver has no more than its minimum of free space" ]
}

@test "limit: free space, and a disk that is full; earlier cores intact" {
	needs_root
	mkdir "$S"
	mount -t tmpfs -o size=8m,mode=750 none "$S"
	MOUNTED=$S
	head -c 3000000 /dev/urandom >"$D/big"
	"$A" -p 1 core "$D/big" | recv
	rc=0
	"$A" -p 2 core "$D/big" | recv -m 6 >"$D/out" || rc=$?
	[ $rc = 1 ]
	[ "$(cat "$D/out")" = "ERR the receiver has no more than its minimum of free space" ]
	err_has 'refused victim\[2\] of board7: the receiver has no more than'
	# reached while it is written
	head -c 6000000 /dev/urandom >"$D/huge"
	rc=0
	"$A" -p 3 core "$D/huge" | recv -m 2 >"$D/out" || rc=$?
	[ $rc = 1 ]
	grep -q '^ERR the receiver' "$D/out"
	# full
	rc=0
	"$A" -p 4 core "$D/huge" | recv >"$D/out" || rc=$?
	[ $rc = 1 ]
	[ "$(cat "$D/out")" = "ERR the receiver's disk is full" ]
	cmp "$D/big" "$S/board7/core.victim.1.1700000000"
	[ "$(cores)$(parts)" = 10 ]
	# and it is not full of what was refused
	"$A" -p 5 core "$D/big" | recv
	cores_are 2
}

@test "limit: larger than a file may be" {
	local size=4000000000000000000
	rc=0
	"$A" frames "d:$size:10" | recv >"$D/out" || rc=$?
	[ $rc = 1 ]
	[ "$(cat "$D/out")" = "ERR larger than a file may be at the receiver" ]
	rc=0
	"$A" core "$D/core" | (
		ulimit -f 30
		recv >"$D/out"
	) || rc=$?
	[ $rc = 1 ]
	[ "$(cat "$D/out")" = "ERR larger than a file may be at the receiver" ]
	[ "$(cores)$(parts)" = 00 ]
}

@test "links in the store are not followed, foreign files not replaced" {
	mkdir -m 755 "$D/away"
	"$A" core "$D/core" | recv
	rm -rf "$S/board7" "$S/core_dump"
	# the host's directory
	ln -s "$D/away" "$S/board7"
	rc=0
	"$A" core "$D/core" | recv >"$D/out" || rc=$?
	[ $rc = 111 ]
	[ "$(cat "$D/out")" = "ERR the receiver was unable to create a file: Not a directory" ]
	rm "$S/board7"
	# the part, the core, its description
	mkdir "$S/board7"
	chown --reference="$S" "$S/board7"
	touch "$D/target"
	chmod 666 "$D/target"
	ln -s "$D/target" "$S/$NAME.part"
	ln -s "$D/target" "$S/$NAME.1.part.info"
	ln -s "$D/target" "$S/$NAME"
	ln -s "$D/target" "$S/$NAME.1.info"
	mkfifo "$S/$NAME.2.info" "$S/$NAME.1"
	"$A" core "$D/core" | recv >"$D/out"
	grep -q "^OK $NAME.2 " "$D/out"
	cmp "$D/core" "$S/$NAME.2"
	[ ! -s "$D/target" ]
	# a file that is called like the link
	rm "$S/core_dump"
	echo precious >"$S/core_dump"
	"$A" -p 5 core "$D/core" | recv
	[ "$(cat "$S/core_dump")" = precious ]
	# the lock
	rm -f "$S/.lock"
	ln -s "$D/target" "$S/.lock"
	rc=0
	"$A" -p 6 core "$D/core" | recv >"$D/out" || rc=$?
	[ $rc = 111 ]
	grep -q '^ERR the receiver was unable to' "$D/out"
	[ ! -s "$D/target" ]
	[ -z "$(ls -A "$D/away")" ]
}

@test "quiet and dribbling senders are sent away" {
	server -t 1
	hold quiet text ''
	hold half text 'usercrash-core 1\nhost: x\n'
	# one byte each 100 ms is never quiet, and yet says nothing
	hold slow -w 1 -z 100 core "$D/core"
	hold drip -o 3000 -w 1 -z 100 core "$D/core"
	hold mid -n 10000 core "$D/core"
	logged 'nothing more came in time, after 0 bytes'
	logged 'nothing more came in time, after 25 bytes'
	logged 'kept incomplete, .* nothing more came in time, after 10000 bytes'
	wait_for 20 grep -q '^ERR nothing more came in time' "$D/quiet.out"
	wait_for 20 grep -q '^ERR nothing more came in time' "$D/slow.out"
	wait_for 20 grep -q '^ERR nothing more came in time' "$D/mid.out"
	wait_for 20 grep -q '^ERR nothing more came in time, after 30' \
	    "$D/drip.out"
	cores_are 0
}

@test "a sender that takes too long in all is sent away" {
	server -t 20 -l 1
	hold steady -w 5000 -z 100 core "$D/core"
	logged 'the sender took too long, after [0-9]* bytes'
	wait_for 20 grep -q '^ERR the sender took too long' "$D/steady.out"
}

@test "standalone: 200 senders at once, all stored; SIGTERM ends it with 0" {
	local i p rc pids=
	server -c 32 -C 16
	for i in $(seq 1 200); do
		"$A" -p "$i" -t "$i" -C "$PORT" core "$D/core" \
		    >"$D/o.$i" 3>&- &
		pids="$pids $!"
	done
	for p in $pids; do
		wait "$p"
	done
	cores_are 200
	for i in $(seq 1 200); do
		cmp "$D/core" "$S/board7/core.victim.$i.$i"
		grep -q "^OK board7/core.victim.$i.$i 100000 " "$D/o.$i"
	done
	[ "$(parts)" = 0 ]
	[ "$(grep -c 'info: .*checksum' "$D/log")" = 200 ]
	kill -TERM "$SERVER"
	rc=0
	wait "$SERVER" || rc=$?
	[ $rc = 0 ]
}

@test "no more from one host than allowed: the next waits, then is told so" {
	server -C 1 -t 2
	hold first -n 20000 core "$D/core"
	wait_for 20 growing
	"$A" -C "$PORT" -p 2 core "$D/core" >"$D/second.out" 3>&- &
	BGS="$BGS $!"
	kill -KILL "$BG"
	# its turn has come
	wait_for 20 grep -q '^OK ' "$D/second.out"
	hold third -p 3 -o 6000 -z 300 core "$D/core"
	wait_for 20 growing 3
	rc=0
	"$A" -C "$PORT" -p 4 core "$D/core" >"$D/out" || rc=$?
	[ $rc = 1 ]
	[ "$(cat "$D/out")" = "ERR the receiver has too many connections from this host" ]
	logged '127.0.0.1.*: refused: too many connections from this host'
}

@test "a bound for all of them, whatever host" {
	server -c 1 -C 8 -t 2
	hold third -p 3 -o 6000 -z 300 core "$D/core"
	wait_for 20 growing 3
	run "$A" -C "$PORT" -p 4 core "$D/core"
	[ "$status" = 1 ]
	[ "$output" = "ERR the receiver has too many connections" ]
	# who still waits at the end is told, too
	end_bgs
	server -c 1
	hold last -p 5 -n 20000 core "$D/core"
	wait_for 20 growing
	bg "$A" -C "$PORT" -p 6 core "$D/core" >"$D/out"
	wait_for 20 connections_are 2
	kill -TERM "$SERVER"
	wait_for 20 grep -q '^ERR the receiver has to stop' "$D/out"
}

@test "SIGTERM lets the transfer under way finish" {
	server
	bg "$A" -C "$PORT" -w 10000 -z 50 core "$D/core" >"$D/out"
	wait_for 20 growing
	kill -TERM "$SERVER"
	rc=0
	wait "$SERVER" || rc=$?
	[ $rc = 0 ]
	cmp "$D/core" "$S/$NAME"
}

@test "kill -9 of a child midway costs that transfer alone" {
	local child
	server
	hold one -p 1 -n 20000 core "$D/core"
	wait_for 20 growing
	child=$(child_of "$SERVER")
	"$A" -C "$PORT" -p 2 core "$D/core"
	kill -KILL "$child"
	logged "warning: receiving process $child: signal 9"
	cmp "$D/core" "$S/board7/core.victim.2.1700000000"
	[ "$(parts)" = 1 ]
	# it is not in the way of the next attempt, and goes with it
	"$A" -C "$PORT" -p 1 core "$D/core"
	cmp "$D/core" "$S/board7/core.victim.1.1700000000"
	[ "$(parts)" = 0 ]
}

@test "the peer's address: -a, PROXY 1 and 2, and when it is not expected" {
	local f=$TOP/t/fixtures
	server -a
	"$A" -C "$PORT" core "$D/core"
	cmp "$D/core" "$S/127.0.0.1/core.victim.4711.1700000000"
	info peer "$S/127.0.0.1/core.victim.4711.1700000000" |
	    grep -q '^\[\{0,1\}127\.0\.0\.1\]\{0,1\}:[0-9]*$'
	end_bgs
	rm -rf "$S"
	(cat "$f/proxy-v1" && "$A" core "$D/core") | recv -P
	[[ $(info peer "$S/$NAME") == *192.0.2.7* ]]
	err_has '192\.0\.2\.7'
	(cat "$f/proxy-v2" && "$A" -p 2 core "$D/core") | recv -P -a
	[ -f "$S/2001_db8__7/core.victim.2.1700000000" ]
	# bytes one by one
	server -P -C 1
	"$A" -C "$PORT" -w 1 -p 3 \
	    -B 'PROXY TCP4 192.0.2.9 192.0.2.1 1024 64740\r\n' core "$D/core"
	[[ $(info peer "$S/board7/core.victim.3.1700000000") == *192.0.2.9* ]]
	logged '192\.0\.2\.9.*: board7/core.victim.3'
	# none, though it is expected; garbled; and what a health check is
	rc=0
	"$A" -C "$PORT" core "$D/core" >"$D/out" || rc=$?
	[ $rc = 1 ]
	[ "$(cat "$D/out")" = "ERR no valid PROXY header, which is expected here" ]
	run "$A" -C "$PORT" -B 'PROXY TCP4 300.0.0.1 1.1.1.1 1 2\r\n' \
	    core "$D/core"
	[ "$status" = 1 ]
	# the lines come after the answers
	wait_for 20 warned 2
	: >"$D/log"
	run "$A" -C "$PORT" text 'PROXY UNKNOWN\r\n'
	[ "$status" = 2 ]
	logged 'debug: .*: nothing came'
	not grep -q warning "$D/log"
	run recv < <("$A" text 'PROXY UNKNOWN\r\n' && "$A" core "$D/core")
	[ "$status" = 1 ]
	[[ $output == "ERR neither "*"a PROXY header, which is not expected here" ]]
}

warned()
{
	[ "$(grep -c warning "$D/log")" -ge "$1" ]
}

@test "-r: a command with the facts, after the reply" {
	cat >"$D/hook" <<-'EOT'
		#!/bin/sh
		exec 3>&1
		exec >"$1"
		printf '%s\n' "$@"
		env | grep '^CORE_' | sort
		id -u
		cat
		ls -l /proc/self/fd | grep -c socket: || :
		echo "to the log" >&3
	EOT
	chmod 755 "$D/hook"
	mkdir -m 777 "$D/out.d"
	chmod 777 "$D/out.d"
	server -r "$D/hook" "$D/out.d/facts" '-v' 'two words; $(x)'
	"$A" -C "$PORT" -c 'a b' core "$D/core"
	logged 'debug: .*/hook: done for'
	cat >"$D/want" <<-EOT
		$D/out.d/facts
		-v
		two words; \$(x)
		CORE_BYTES=100000
		CORE_CHECKSUM=$(info checksum "$S/core_dump" 2>/dev/null ||
		    info checksum "$S/board7/core.a_b.4711.1700000000")
		CORE_COMM=a b
		CORE_FILE=$S/board7/core.a_b.4711.1700000000
		CORE_HOST=board7
		CORE_INFO=$S/board7/core.a_b.4711.1700000000.info
		CORE_PEER=$(info peer "$S/board7/core.a_b.4711.1700000000")
		CORE_PID=4711
		CORE_SIGNAL=11
		CORE_TIME=1700000000
		$(stat -c %u "$S")
		0
	EOT
	diff "$D/want" "$D/out.d/facts"
	grep -q '^to the log$' "$D/log"
	# not for the same one again, nor for one that is not whole
	rm "$D/out.d/facts"
	"$A" -C "$PORT" -c 'a b' core "$D/core"
	"$A" -C "$PORT" -p 5 -n 20000 core "$D/core" || :
	logged 'kept incomplete'
	"$A" -C "$PORT" -p 6 core "$D/core"
	wait_for 20 test -s "$D/out.d/facts"
	wait_for 20 grep -q CORE_PID=6 "$D/out.d/facts"
	[ "$(grep -c 'done for' "$D/log")" -le 2 ]
}

@test "-r: its failure is logged and costs nothing" {
	"$A" core "$D/core" | recv -r sh -c 'exit 3' >"$D/out"
	grep -q "^OK $NAME " "$D/out"
	err_has "warning: unable to run sh for $S/$NAME: exit 3\$"
	"$A" -p 2 core "$D/core" | recv -r sh -c 'kill -9 $$'
	err_has 'unable to run sh for .*: signal 9$'
	"$A" -p 3 core "$D/core" | recv -r "$D/no/such"
	err_has 'unable to run .*no/such for .*: No such file or directory$'
	"$A" -p 4 core "$D/core" | recv -R 1 -r sh -c \
	    "trap '' TERM; sleep 1000.$$ & wait"
	err_has 'unable to run sh for .*: ended after 1 s$'
	not pgrep -f "^sleep 1000\.$$\$"
	cores_are 4
}

@test "-r: the sender does not wait for it" {
	mkfifo "$D/fifo"
	chmod 666 "$D/fifo"
	server -r sh -c "read x <$D/fifo"
	"$A" -C "$PORT" core "$D/core"
	cores_are 1
	not grep -q 'done for' "$D/log"
	# nor is the connection kept open for it
	wait_for 20 lets_go "$(child_of "$SERVER")"
	wait_for 20 eval "echo x >'$D/fifo'"
	logged 'debug: sh: done for'
}

@test "as root: becomes the owner of the store, whoever that is" {
	needs_root
	local child
	AS=(env)
	server
	[ "$(stat -c %U "$S")" = nobody ]
	grep -q '^Uid:[[:space:]]*65534[[:space:]]*65534[[:space:]]*65534' \
	    "/proc/$SERVER/status"
	grep -q '^Groups:[[:space:]]*$' "/proc/$SERVER/status"
	grep -q '^CapEff:[[:space:]]*0*$' "/proc/$SERVER/status"
	grep -q '^CapPrm:[[:space:]]*0*$' "/proc/$SERVER/status"
	end_bgs
	rm -rf "$S"
	"$A" core "$D/core" | recv -u daemon
	[ "$(stat -c %U "$S" "$S/board7" "$S/$NAME" | sort -u)" = daemon ]
	"$A" -p 2 core "$D/core" | recv
	[ "$(stat -c %U "$S/board7/core.victim.2.1700000000")" = daemon ]
	run recv -u bin </dev/null
	[ "$status" = 111 ]
	err_has 'it belongs to another user'
	rm -rf "$S"
	"$A" core "$D/core" | recv -u 4242
	[ "$(stat -c %u "$S/$NAME")" = 4242 ]
}

@test "as root on a board without users: the store is 65534's" {
	needs_root
	needs_tool unshare
	: >"$D/none"
	# shellcheck disable=SC2016
	"$A" core "$D/core" | unshare -m sh -c '
		mount --bind "$1" /etc/passwd || exit
		shift
		exec "$@"' sh "$D/none" "$BIN/recv_core" -i -m 0 -d "$S"
	[ "$(stat -c %u:%g "$S/$NAME")" = 65534:65534 ]
	cmp "$D/core" "$S/$NAME"
}

@test "a store of root's: no capabilities, and nothing but the store to see" {
	needs_root
	local child
	mkdir -m 750 "$S"
	server
	hold one -n 20000 core "$D/core"
	wait_for 20 growing
	child=$(child_of "$SERVER")
	grep -q '^Uid:[[:space:]]*0' "/proc/$child/status"
	grep -q '^CapEff:[[:space:]]*0*$' "/proc/$child/status"
	grep -q '^CapPrm:[[:space:]]*0*$' "/proc/$child/status"
	grep -q '^NoNewPrivs:[[:space:]]*1' "/proc/$child/status"
	grep -q '^Seccomp:[[:space:]]*2' "/proc/$child/status"
	[ "$(readlink "/proc/$child/root")" = "$S" ]
	end_bgs
	"$A" -p 2 core "$D/core" | recv -r sh -c \
	    "grep '^CapEff' /proc/self/status >$D/caps; cat \"\$CORE_FILE\" >$D/got"
	grep -q '^CapEff:[[:space:]]*0*$' "$D/caps"
	cmp "$D/core" "$D/got"
	[ "$(stat -c '%u %a' "$S/board7/core.victim.2.1700000000")" = "0 440" ]
}

@test "as an ordinary user: its own store, and no other" {
	needs_root
	cp "$BIN/recv_core" "$D/recv_core"
	chmod 755 "$D/recv_core"
	BIN=$D
	AS=(setpriv --reuid 65534 --regid 65534 --clear-groups)
	needs_tool setpriv
	mkdir -m 755 "$S"
	run "${AS[@]}" "$BIN/recv_core" -i -d "$S" </dev/null
	[ "$status" = 111 ]
	[[ $output == *"it belongs to another user" ]]
	chown 65534 "$S"
	run "${AS[@]}" "$BIN/recv_core" -i -u root -d "$S" </dev/null
	[ "$status" = 111 ]
	[[ $output == *"only root may become another user" ]]
	server
	"$A" -C "$PORT" core "$D/core"
	cmp "$D/core" "$S/$NAME"
}

@test "IPv6 and IPv4 on one port; a chosen address alone" {
	server
	"$A" -C "127.0.0.1:$PORT" core "$D/core"
	if [ -e /proc/net/if_inet6 ] && grep -q . /proc/net/if_inet6; then
		"$A" -C "[::1]:$PORT" -p 2 core "$D/core"
		[[ $(info peer "$S/board7/core.victim.2.1700000000") == "[::1]:"* ]]
	fi
	end_bgs
	server 127.0.0.2
	run "$A" -C "127.0.0.1:$PORT" core "$D/core"
	[ "$status" = 111 ]
	"$A" -C "127.0.0.2:$PORT" -p 3 core "$D/core"
}

@test "the streams of the fixtures: genuine, cut, forged" {
	local f=$TOP/t/fixtures k
	recv <"$f/stream" >"$D/out"
	grep -q '^OK board7/core\.' "$D/out"
	cmp "$f/core.x86_64" "$S/core_dump"
	for k in cut forged-overlap forged-end; do
		rc=0
		recv <"$f/stream-$k" >"$D/out" || rc=$?
		[ $rc = 1 ]
		grep -q '^ERR ' "$D/out"
		cores_are 1
	done
	recv <"$f/stream-forged-name"
	[ "$(find "$S/_._.._x" -name 'core.*' ! -name '*.info' | wc -l)" = 1 ]
	[ "$(ls "$D" | tr '\n' ' ')" = "core err out store " ]
}

@test "from core_send: by pipe, over a transport, by TCP" {
	local f=$TOP/t/fixtures/core.x86_64 n
	"$BIN/core_send" --pid=1 --comm=one --time=5 --dumpmode=1 - <"$f" | recv
	"$BIN/core_send" --pid=2 --comm=two --time=5 --dumpmode=1 --host=b \
	    -- "$BIN/recv_core" -i -m 0 -d "$S" <"$f"
	server
	"$BIN/core_send" --pid=3 --comm=three --time=5 --dumpmode=1 --host=b \
	    "127.0.0.1:$PORT" <"$f"
	cores_are 3
	for n in "$(hostname)/core.one.1.5" b/core.two.2.5 b/core.three.3.5; do
		cmp "$f" "$S/$n"
	done
	# what was refused is a failure there, with the reason
	end_bgs
	server -b 1
	head -c 3000000 /dev/urandom >"$D/big"
	rc=0
	"$BIN/core_send" -e x --pid=4 --time=5 --dumpmode=1 \
	    "127.0.0.1:$PORT" <"$D/big" 2>"$D/err" || rc=$?
	[ $rc = 111 ]
	err_has 'the core is larger than the receiver allows'
	logged 'refused.*: the core is larger than the receiver allows'
}

# --- under others -----------------------------------------------------------

# by_tcp: what each of them must come to.
by_tcp()
{
	wait_for 20 "$A" -C "$PORT" core "$D/core" >"$D/out"
	grep -q "^OK $NAME 100000 " "$D/out"
	cmp "$D/core" "$S/$NAME"
	"$A" -C "$PORT" raw "$TOP/t/fixtures/core.x86_64" >"$D/out"
	grep -q '^OK 127.0.0.1/core.crash' "$D/out"
	cmp "$TOP/t/fixtures/core.x86_64" "$S/core_dump"
	rc=0
	"$A" -C "$PORT" -p 2 -n 20000 core "$D/core" >"$D/out" || rc=$?
	[ $rc = 1 ]
	grep -q '^ERR the connection ended early' "$D/out"
	rc=0
	"$A" -C "$PORT" text 'GET / HTTP/1.0\r\n\r\n' >"$D/out" || rc=$?
	[ $rc = 1 ]
	grep -q '^ERR neither .*HTTP' "$D/out"
	cores_are 2
	[ "$(parts)" = 1 ]
}

@test "under xinetd" {
	needs_root
	needs_tool xinetd
	PORT=$((20000 + RANDOM % 12000))
	cat >"$D/xinetd.conf" <<-EOT
		service recv_core
		{
			type = UNLISTED
			port = $PORT
			socket_type = stream
			protocol = tcp
			wait = no
			user = root
			server = $BIN/recv_core
			server_args = -i -m 0 -d $S
			instances = 64
			per_source = 64
			cps = 1000 1
		}
	EOT
	bg xinetd -dontfork -f "$D/xinetd.conf" -pidfile "$D/pid" \
	    -filelog "$D/xlog" 2>"$D/xerr"
	by_tcp
}

@test "under tcpserver" {
	needs_tool tcpserver
	PORT=$((20000 + RANDOM % 12000))
	bg tcpserver -RHl0 127.0.0.1 $PORT "$BIN/recv_core" -i -m 0 -d "$S" \
	    2>"$D/log"
	by_tcp
	logged "info: 127.0.0.1.*: $NAME: signal 11"
}

@test "under systemd-socket-activate, per connection and for good" {
	local how
	needs_tool systemd-socket-activate
	for how in --accept '--accept --inetd' ''; do
		rm -rf "$S"
		PORT=$((20000 + RANDOM % 12000))
		# shellcheck disable=SC2046,SC2086
		bg systemd-socket-activate $how -l 127.0.0.1:$PORT \
		    "$BIN/recv_core" $([[ $how == *inetd* ]] && echo -i) \
		    -m 0 -d "$S" 2>"$D/log"
		by_tcp
		end_bgs
	done
}

@test "from nc, with a bare core and with a stream" {
	needs_tool nc
	server
	nc -N 127.0.0.1 "$PORT" <"$TOP/t/fixtures/core.x86_64" >"$D/out"
	grep -q '^OK 127.0.0.1/core.crash' "$D/out"
	"$A" core "$D/core" | nc -N 127.0.0.1 "$PORT" >"$D/out"
	grep -q "^OK $NAME 100000 " "$D/out"
}

@test "where fd 2 is the connection the log goes to the system's" {
	needs_root
	needs_tool unshare socat tcpserver
	PORT=$((20000 + RANDOM % 12000))
	cat >"$D/run" <<-'EOT'
		set -e
		mount -t tmpfs none /dev
		mknod -m 666 /dev/null c 1 3
		socat -u UNIX-RECV:/dev/log "CREATE:$1/syslog" </dev/null &
		echo $! >"$1/pid"
		while [ ! -S /dev/log ]; do sleep 0.05; done
		exec tcpserver -RHl0 127.0.0.1 "$3" \
		    sh -c 'exec "$0" -i -m 0 -d "$1/store" 2>&1' "$2" "$1"
	EOT
	bg unshare -m sh "$D/run" "$D" "$BIN/recv_core" $PORT
	wait_for 20 test -s "$D/pid"
	BGS="$BGS $(cat "$D/pid")"
	wait_for 20 "$A" -C $PORT core "$D/core" >"$D/out"
	wait_for 20 grep -q \
	    "^<30>recv_core: info: 127.0.0.1.*: $NAME: signal 11" "$D/syslog"
	[ "$(cat "$D/out")" = "OK $NAME 100000 $(info checksum "$S/$NAME")" ]
}
