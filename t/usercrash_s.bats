# usercrash_s: its options, its protocol, and what befalls it.

load helper

setup()
{
	# a short path: sun_path has 108 bytes
	D=$(mktemp -d /tmp/us.XXXXXX)
	chmod 755 "$D"
	S=$D/run/s
	L=$D/log
	C="$BUILD/t/spool_client -S $S -d $L"
	MOUNTED=
}

teardown()
{
	end_bgs
	[ -z "$MOUNTED" ] || umount -l "$L"
	rm -rf "$D"
}

# server [OPTIONS]: a standing one, in $BG; its log is $D/err.
server()
{
	: >>"$D/err"
	local had
	had=$(grep -c listening "$D/err" || :)
	bg "${AS[@]}" "$BIN/usercrash_s" -v -S "$S" -d "$L" -m 0 "$@" 2>>"$D/err"
	SERVER=$BG
	wait_for 20 listening $((had + 1)) || {
		echo "$SERVER, state $(state_of "$SERVER"), has said:"
		cat "$D/err"
		return 1
	}
}

# accepts PATH: somebody listens there, and not only has a name for it: the
# flag is SO_ACCEPTCON (net/unix/af_unix.c).
accepts()
{
	awk -v path="$1" '$8 == path && $4 == "00010000" { ok = 1 }
		END { exit !ok }' /proc/net/unix
}

listening()
{
	[ "$(grep -c listening "$D/err")" -ge "$1" ]
}

# hold NAME ARGS: an asker that holds its report in $BG; release NAME ends it.
hold()
{
	local name=$1
	shift
	mkfifo "$D/$name.in"
	# not by bg: a background command's stdin is /dev/null if not its own
	"${HOLD_AS[@]}" $C "$@" hold "$name" <>"$D/$name.in" \
	    >"$D/$name.out" 3>&- 9>&- &
	BG=$!
	BGS="${BGS:-} $BG"
	wait_for 20 grep -q asked "$D/$name.out"
}

release()
{
	echo 1<>"$D/$1.in"
	wait_for 20 grep -q usercrash_ "$D/$1.out"
}

# The line comes from the child, which may write it after it has answered.
logged()
{
	wait_for 20 grep -q -- "$1" "$D/err" || {
		cat "$D/err"
		return 1
	}
}

lines_are()
{
	[ "$(grep -c -- "$2" "$D/err")" = "$1" ]
}

names()
{
	find "$L" -name 'usercrash_*' | wc -l
}

# Nothing hidden is left but the lock and its records.
tidy()
{
	[ -z "$(find "$L" -name '.?*' ! -name .slots)" ]
}

# The child of the last connection, by the server's own word.
child()
{
	sed -n 's/.*: child //p' "$D/err" | tail -1
}

ends()
{
	! kill -0 "$1" 2>/dev/null
}

# For tests that run something as another user: who need not reach the tree.
reachable()
{
	cp "$BIN/usercrash_s" "$BUILD/t/spool_client" "$D/"
	chmod 755 "$D/usercrash_s" "$D/spool_client"
	BIN=$D
	C="$D/spool_client -S $S -d $L"
}

# A request, rightly made, and one field of it replaced.
request()
{
	local magic=75736368 version=0200 type=0100 size=38000000 status=00000000
	[ $# = 0 ] || local "$@"
	printf '%s' $magic $version $type $size $status 0700000000000000 \
	    39300000 0b000000 ffffffff 00000000 76696374696d00000000000000000000
}

@test "units: the ring, its storms, the sockets" {
	"$BUILD/t/unit_slots"
	"$BUILD/t/unit_storm"
	"$BUILD/t/unit_net"
}

@test "wrong usage exits 100 and says what is wanted" {
	run "$BIN/usercrash_s" -x
	[ "$status" = 100 ]
	[[ $output == *"usage: usercrash_s [-iOv] [-S socket]"* ]]
	run "$BIN/usercrash_s" surplus
	[ "$status" = 100 ]
	[[ $output == "usage: usercrash_s "* ]]
	for o in -n -s -m -c -t -T -U; do
		for v in '' -1 1x 99999999999999999999; do
			run "$BIN/usercrash_s" "$o" "$v"
			[ "$status" = 100 ]
			[[ $output == *"fatal: option $o wants a number from "*", not \"$v\"" ]]
		done
	done
	for o in -n 0 -n 10001 -s 0 -c 0 -c 4097 -t 0 -t 0ms -T 0 -T 3600001 \
	    -T 3600001ms -T ms -T 1sms -U 0; do
		[ "$o" != "${o#-}" ] && opt=$o && continue
		run "$BIN/usercrash_s" "$opt" "$o"
		[ "$status" = 100 ]
	done
	for o in -S -d; do
		run "$BIN/usercrash_s" $o rel/path
		[ "$status" = 100 ]
		[ "$output" = "usercrash_s: fatal: option $o wants an absolute path, not \"rel/path\"" ]
	done
}

@test "what is on fd 0 or passed must be a local socket: exit 100" {
	run "$BIN/usercrash_s" -i </dev/null
	[ "$status" = 100 ]
	[ "$output" = "usercrash_s: fatal: fd 0 is not a local connection" ]
	run $C listen2 "$BIN/usercrash_s" -d "$L"
	[ "$status" = 100 ]
	[ "$output" = "usercrash_s: fatal: 2 sockets passed: one is wanted" ]
	run bash -c 'LISTEN_FDS=1 LISTEN_PID=$$ exec "$0" 3</dev/null' "$BIN/usercrash_s"
	[ "$status" = 100 ]
	[ "$output" = "usercrash_s: fatal: fd 3 is not a local socket" ]
	run bash -c 'LISTEN_FDS=x LISTEN_PID=$$ exec "$0"' "$BIN/usercrash_s"
	[ "$status" = 100 ]
	[ "$output" = "usercrash_s: fatal: unable to take LISTEN_FDS: Invalid argument" ]
}

@test "what it cannot have at the start: exit 111 and the reason" {
	mkdir "$D/real"
	ln -s real "$D/log"
	run "$BIN/usercrash_s" -S "$S" -d "$L"
	[ "$status" = 111 ]
	[ "$output" = "usercrash_s: fatal: unable to open $L: Not a directory" ]
	rm "$L"
	mkdir -m 777 "$L"
	chmod 777 "$L"
	run "$BIN/usercrash_s" -S "$S" -d "$L"
	[ "$status" = 111 ]
	[ "$output" = "usercrash_s: fatal: unable to open $L: Operation not permitted" ]
	chmod 750 "$L"
	mkdir "$D/run"
	chmod 777 "$D/run"
	run "$BIN/usercrash_s" -S "$S" -d "$L"
	[ "$status" = 111 ]
	[ "$output" = "usercrash_s: fatal: unable to listen on $S: Operation not permitted" ]
	run "$BIN/usercrash_s" -S "$S" -d /proc/no/such
	[ "$status" = 111 ]
}

@test "a directory of somebody else is refused" {
	needs_root
	mkdir "$L"
	chown 65534 "$L"
	run "$BIN/usercrash_s" -S "$S" -d "$L"
	[ "$status" = 111 ]
	[ "$output" = "usercrash_s: fatal: unable to open $L: Operation not permitted" ]
}

@test "reports get the lowest free slot, then the oldest one's" {
	server -n 3 -s 3
	for i in 0 1 2; do
		run $C -k $i report "text $i"
		[ "$output" = "usercrash_0$i server" ]
		[ "$(cat "$L/usercrash_0$i")" = "text $i" ]
	done
	hold d -k 9
	[ "$(names)" = 3 ]
	[ "$(cat "$L/usercrash_00")" = "text 0" ]
	release d
	[ "$(cat "$D/d.out")" = "asked
usercrash_00 server" ]
	[ "$(cat "$L/usercrash_00")" = d ]
	rm "$L/usercrash_02"
	run $C -k 5 report new
	[ "$output" = "usercrash_02 server" ]
	tidy
}

@test "one program holds no more than its share of the ring" {
	server -n 8 -s 2
	$C -k 2 report other
	for i in 1 2 3 4 5; do
		$C -k 1 report "loop $i"
	done
	[ "$(names)" = 3 ]
	[ "$(cat "$L/usercrash_00")" = other ]
	[ "$(cat "$L/usercrash_01")" = "loop 5" ]
	[ "$(cat "$L/usercrash_02")" = "loop 4" ]
}

@test "one log line per report; hostile bytes are escaped" {
	server
	$C -p 4711 -s 6 -c a.out report x
	$C -p 4712 -c $'x\n\e[2J) fatal:' report x
	logged "^usercrash_s: info: usercrash_00: pid 4711 signal 6 comm a.out\$"
	logged '^usercrash_s: info: usercrash_01: pid 4712 signal 11 comm x\\x0a\\x1b\[2J) fatal:$'
	[ "$(grep -c 'info:' "$D/err")" = 2 ]
	lines_are 0 '[^ -~]'
}

@test "an asker that ends before completion leaves nothing" {
	server
	hold a
	kill -KILL "$BG"
	logged "unable to get the report completed: pid .* comm victim: Connection reset by peer"
	$C quit
	$C abandon
	logged "unable to get the report completed: .*: No space left on device"
	[ "$(names)" = 0 ]
	tidy
	run $C only next
	[ "$output" = "usercrash_00 server" ]
}

@test "an empty report is not published" {
	server
	run $C only ''
	[ "$status" = 1 ]
	[ "$output" = "No data available" ]
	[ "$(names)" = 0 ]
	logged "unable to publish the report: .*: No data available"
}

@test "server child killed between reply and publication: the asker publishes" {
	server
	hold a
	kill -KILL "$(child)"
	wait_for 20 ends "$(child)"
	release a
	[ "$(tail -1 "$D/a.out")" = "usercrash_00 self" ]
	[ "$(cat "$L/usercrash_00")" = a ]
	run $C -k 2 report b
	[ "$output" = "usercrash_01 server" ]
	tidy
}

# As services have one.  A link from its mount to the asker's there is not.
@test "the same with a server in a mount namespace of its own" {
	local format
	needs_root
	needs_tool unshare
	unshare -m true 2>/dev/null || unmet "needs mount namespaces"
	AS=(unshare -m sh -c 'mount --bind "$0" "$0" && exec "$@"' "$D")
	mkdir -m 750 "$L"
	server
	mkfifo "$D/core"
	for format in text json; do
		"$BIN/usercrash_c" -f $format -m 0 -S "$S" -d "$L" --dumpmode=2 \
		    999999999 victim 11 <>"$D/core" 2>>"$D/client" 3>&- 9>&- &
		BGS="$BGS $!"
		# who has a worker has a descriptor of the server's
		wait_for 20 pgrep -P $!
		kill -KILL "$(child)"
		printf "%4096s" "no core" >"$D/core"
		wait_for 60 gone $!
	done
	cat "$D/client"
	[ "$(names)" = 2 ]
	[ "$(value comm "$L/usercrash_00")" = victim ]
	[ "$(json_get "$L/usercrash_01" comm)" = victim ]
	[ "$(stat -c %a:%u "$L/usercrash_00")" = 600:0 ]
	rm "$L/.turns" "$L/.ledger"
	tidy
}

@test "a server that hangs: the asker takes a slot itself" {
	server
	kill -STOP "$SERVER"
	timeout -s KILL 60 "$BIN/usercrash_c" -m 0 -S "$S" -d "$L" \
	    999999999 victim 11 </dev/null 2>"$D/client" || [ $? = 1 ]
	cat "$D/client"
	[ "$(value comm "$L/usercrash_00")" = victim ]
}

@test "server killed -9: its child finishes, a new server takes over" {
	server
	hold a
	kill -KILL "$SERVER"
	wait_for 20 gone "$SERVER"
	[ -S "$S" ]
	run $C -k 2 report alone
	[ "$output" = "usercrash_00 self" ]
	server
	release a
	[ "$(tail -1 "$D/a.out")" = "usercrash_01 server" ]
	run $C -k 3 report b
	[ "$output" = "usercrash_02 server" ]
}

@test "a second server on the same socket gives way" {
	server
	run "$BIN/usercrash_s" -S "$S" -d "$L"
	[ "$status" = 111 ]
	[[ $output == "usercrash_s: fatal: unable to listen on $S: Address "*"in use" ]]
	run $C report a
	[ "$output" = "usercrash_00 server" ]
}

@test "50 at once: 50 slots, 50 whole reports, 50 log lines" {
	server
	pids=
	for i in $(seq 50); do
		$C -k "$i" report "report number $i." >"$D/out.$i" 3>&- &
		pids="$pids $!"
	done
	for p in $pids; do
		wait "$p"
	done
	[ "$(cat "$D"/out.* | sort | uniq | grep -c ' server$')" = 50 ]
	[ "$(cat "$L"/usercrash_* | tr . '\n' | sort | uniq | wc -l)" = 50 ]
	wait_for 20 lines_are 50 'info: usercrash_'
	tidy
}

@test "half with the server, half without, in one ring" {
	server
	pids=
	for i in $(seq 40); do
		sock=$S
		[ $((i % 2)) = 0 ] || sock=$D/none
		$C -S "$sock" -k "$i" report "report number $i." >"$D/out.$i" 3>&- &
		pids="$pids $!"
	done
	for p in $pids; do
		wait "$p"
	done
	[ "$(cat "$D"/out.* | cut -d' ' -f1 | sort | uniq | wc -l)" = 40 ]
	[ "$(names)" = 40 ]
}

@test "only root may ask, by SO_PEERCRED" {
	needs_root
	needs_tool setpriv
	reachable
	server
	chmod 666 "$S"
	run setpriv --reuid=65534 --clear-groups $C only x
	[ "$status" = 1 ]
	[ "$output" = "Permission denied" ]
	logged "unable to let this user ask: asker pid .* uid 65534: Permission denied"
	lines_are 0 ': child'
	[ "$(names)" = 0 ]
}

@test "-U lets a user ask: one share, a quarter of the children" {
	needs_root
	needs_tool setpriv
	reachable
	server -n 8 -s 2 -c 4 -U 12345 -U 65534
	[ "$(stat -c %a "$S")" = 666 ]
	other=(setpriv --reuid=65534 --clear-groups)
	for i in 1 2 3 4; do
		# refused while the child before is not yet reaped
		wait_for 20 "${other[@]}" $C -k $i only "text $i"
	done
	[ "$(names)" = 2 ]
	wait_for 20 ends "$(child)"
	HOLD_AS=("${other[@]}")
	hold a
	HOLD_AS=()
	run "${other[@]}" $C only b
	[ "$status" = 1 ]
	[ "$output" = "Resource temporarily unavailable" ]
	run $C -k 7 only root
	[ "$output" = "usercrash_02 server" ]
	release a
	wait_for 20 ends "$(grep 'uid 65534: child' "$D/err" | tail -1 | sed 's/.* //')"
	wait_for 20 "${other[@]}" $C only c
	run setpriv --reuid=4242 --clear-groups $C only x
	[ "$output" = "Permission denied" ]
}

@test "a squatter's socket is not asked" {
	needs_root
	needs_tool setpriv
	reachable
	mkdir "$D/run" "$L"
	chown 65534 "$D/run" "$L"
	AS=(setpriv --reuid=65534 --clear-groups)
	server
	AS=()
	run $C only x
	[ "$status" = 1 ]
	[ "$output" = "Operation not permitted" ]
}

@test "forged, truncated and oversized packets are refused" {
	server
	run $C raw "$(request)"
	[ "$output" = accepted ]
	for bad in magic=75736367 type=0200 type=0000 size=39000000 \
	    size=ffffffff status=ffffffff status=00000080; do
		run $C raw "$(request "$bad")"
		[ "$status" = 1 ]
		[ "$output" = "Protocol error" ]
	done
	run $C raw "$(request version=0100)"
	[ "$output" = "Protocol not supported" ]
	whole=$(request)
	for hex in 00 "${whole%00}" "${whole}00" +49 +65000; do
		run $C raw "$hex"
		[ "$output" = "Protocol error" ]
	done
	for fds in 1 2 3 8; do
		run $C raw "$whole" $fds
		[ "$output" = "Protocol error" ]
	done
	for hex in 00 "$whole" 7573636802000300100000ff00000000 \
	    75736368020004001000000000000000; do
		run $C forge "$hex"
		[ "$status" = 1 ]
	done
	[ "$(names)" = 0 ]
	run $C only good
	[ "$output" = "usercrash_00 server" ]
	run $C -k 2 twice good
	[ "${lines[0]}" = "usercrash_01 server" ]
	[ "$status" = 1 ]
	[ "$(names)" = 2 ]
}

@test "slow askers are dropped at their deadlines, others served meanwhile" {
	server -t 400ms -T 400ms
	bg $C mute >"$D/mute"
	wait_for 20 grep -q connected "$D/mute"
	bg $C idle >"$D/idle"
	wait_for 20 grep -q asked "$D/idle"
	run $C only x
	[ "$output" = "usercrash_00 server" ]
	wait_for 20 grep -q dropped "$D/mute"
	wait_for 20 grep -q dropped "$D/idle"
	logged "unable to get a request: asker pid .* uid .*: Connection timed out"
	logged "unable to get the report completed: .*: Connection timed out"
	[ "$(names)" = 1 ]
}

# dropped OPTION VALUE MODE: one that connects and goes silent is dropped; the
# milliseconds that took in $MS.
dropped()
{
	local began
	rm -f "$S"
	bg $C inetd "$BIN/usercrash_s" -i "$1" "$2" -d "$L" -m 0 2>>"$D/err"
	wait_for 20 accepts "$S"
	began=${EPOCHREALTIME/./}
	run timeout 50 $C "$3"
	MS=$(((${EPOCHREALTIME/./} - began) / 1000))
	[ "${lines[1]}" = dropped ]
}

@test "-t and -T: seconds; milliseconds with ms, or as they once were" {
	local was
	dropped -t 1 mute
	[ "$MS" -ge 900 ]
	dropped -T 1 idle
	[ "$MS" -ge 900 ]
	dropped -T 900ms idle
	[ "$MS" -ge 800 ]
	not grep option "$D/err"
	was='option -. takes [0-9]* as milliseconds, as it once did'
	dropped -t 61 mute
	[ "$(grep -c "warning: $was: .* 60 seconds; .* 61ms$" "$D/err")" = 1 ]
	dropped -T 601 idle
	[ "$MS" -ge 500 ]
	[ "$(grep -c "warning: $was: .* 600 seconds; .* 601ms$" "$D/err")" = 1 ]
}

@test "with all children busy the next asker waits and is not refused" {
	server -c 1
	hold a
	bg $C -k 2 only b >"$D/b"
	bg $C -k 3 only c >"$D/c"
	[ "$(grep -c ': child' "$D/err")" = 1 ]
	release a
	wait_for 20 grep -q server "$D/b"
	wait_for 20 grep -q server "$D/c"
	[ "$(names)" = 3 ]
}

@test "SIGTERM: socket closed, what is under way finished, exit 0" {
	server
	server_pid=$SERVER
	hold a
	kill -TERM "$server_pid" "$(child)"
	wait_for 20 test ! -e "$S"
	kill -0 "$server_pid"
	run $C -k 2 report b
	[ "$output" = "usercrash_00 self" ]
	release a
	[ "$(tail -1 "$D/a.out")" = "usercrash_01 server" ]
	wait "$server_pid"
	# a successor did not have to wait for that
	server
	hold c
	kill -INT "$SERVER"
	first=$SERVER
	wait_for 20 test ! -e "$S"
	server
	release c
	wait "$first"
	kill -TERM "$SERVER"
	wait "$SERVER"
	[ ! -e "$S" ]
}

@test "a second SIGTERM: leaves at once, the child still finishes" {
	server
	hold a
	kill -TERM "$SERVER"
	wait_for 20 test ! -e "$S"
	kill -TERM "$SERVER"
	wait "$SERVER"
	logged "warning: leaving 1 children behind"
	release a
	[ "$(tail -1 "$D/a.out")" = "usercrash_00 server" ]
}

@test "a socket that has become another's is not removed" {
	server
	rm "$S"
	echo mine >"$S"
	kill -TERM "$SERVER"
	wait "$SERVER"
	[ "$(cat "$S")" = mine ]
	run "$BIN/usercrash_s" -S "$S" -d "$L"
	[ "$status" = 111 ]
	[ "$output" = "usercrash_s: fatal: unable to listen on $S: File exists" ]
}

@test "owner and modes are the same under any umask" {
	group=$(awk -F: '$1 == "adm" { print $3 }' /etc/group)
	[ "$(id -u)" = 0 ] || group=$(id -g)
	me=$(id -u)
	for mask in 0 077; do
		rm -rf "$D/run" "$L"
		umask $mask
		server
		$C report x
		$C -S "$D/none" -k 2 report self
		umask 022
		[ "$(stat -c '%a %u %g' "$L")" = "750 $me ${group:-0}" ]
		for i in 0 1; do
			[ "$(stat -c '%a %u %g %h' "$L/usercrash_0$i")" = \
			    "640 $me ${group:-0} 1" ]
		done
		[ "$(stat -c %a "$L/.slots" "$D/run" "$S" "$S.lock")" = \
		    "600
755
600
600" ]
		kill "$SERVER"
		wait "$SERVER"
	done
}

@test "a directory that goes bad while it runs costs reports, not the server" {
	server
	rm -rf "$L"
	mkdir "$D/elsewhere"
	ln -s elsewhere "$L"
	run $C only x
	[ "$output" = "Not a directory" ]
	logged "unable to open the report directory: .*: Not a directory"
	rm "$L"
	run $C only x
	[ "$output" = "usercrash_00 server" ]
	[ -z "$(ls "$D/elsewhere")" ]
	printf 'rubbish rubbish rubbish rubbish rubbish rubbish' >"$L/.slots"
	run $C -k 2 only y
	[ "$output" = "usercrash_01 server" ]
	rm "$L/.slots"
	mkdir "$L/.slots"
	run $C only z
	[ "$output" = "Is a directory" ]
	rmdir "$L/.slots"
	run $C -k 3 only z
	[ "$output" = "usercrash_02 server" ]
}

@test "no space: refused with the reason, and served again when there is" {
	needs_root
	mkdir "$L"
	mount -t tmpfs -o size=256k,mode=750 none "$L" ||
	    unmet "needs to mount a tmpfs"
	MOUNTED=1
	server -m 1
	run $C only x
	[ "$status" = 1 ]
	[ "$output" = "No space left on device" ]
	logged "unable to create a report: .*: No space left on device"
	mount -o remount,size=16m "$L"
	run $C only x
	[ "$output" = "usercrash_00 server" ]
	# really full, with no floor: the writer sees it
	end_bgs
	server -m 0
	dd if=/dev/zero of="$L/fill" bs=64k 2>/dev/null || :
	run $C -k 2 only "$(printf '%9000s' x)"
	[ "$status" != 0 ]
	[ "$(names)" = 1 ]
	rm "$L/fill"
	run $C -k 2 only x
	[ "$output" = "usercrash_01 server" ]
	tidy
}

@test "no descriptors left: waits, says so once, goes on" {
	needs_root
	needs_tool prlimit
	server
	n=0
	while [ -e "/proc/$SERVER/fd/$n" ]; do
		n=$((n + 1))
	done
	prlimit --pid "$SERVER" --nofile="$n:"
	bg $C only x >"$D/x"
	logged "warning: unable to accept: Too many open files"
	prlimit --pid "$SERVER" --nofile=64:
	wait_for 20 grep -q "usercrash_00 server" "$D/x"
	[ "$(grep -c 'unable to accept' "$D/err")" = 1 ]
}

@test "no processes left: the asker is told to help itself" {
	needs_root
	needs_tool setpriv prlimit
	reachable
	mkdir "$D/run" "$L"
	chown 12345 "$D/run" "$L"
	user=(setpriv --reuid=12345 --clear-groups)
	AS=("${user[@]}" prlimit --nproc=1:100)
	server
	# it is nobody's to trace, nor would it dump
	[ "$(stat -c %u "/proc/$SERVER/environ")" = 0 ]
	grep -q 'Max core file size *0 *0 ' "/proc/$SERVER/limits"
	run "${user[@]}" $C only x
	[ "$output" = "Resource temporarily unavailable" ]
	logged "unable to fork: asker pid .* uid 12345: Resource temporarily unavailable"
	"${user[@]}" prlimit --pid "$SERVER" --nproc=100:
	run "${user[@]}" $C only x
	[ "$output" = "usercrash_00 server" ]
	[ "$(stat -c %a "$L/usercrash_00")" = 640 ]
}

@test "it keeps no descriptor and no zombie of past connections" {
	server
	$C only x
	wait_for 20 ends "$(child)"
	before=$(find "/proc/$SERVER/fd" 2>/dev/null | wc -l)
	for i in 1 2 3 4 5; do
		$C raw "$(request)" 2 || :
		$C quit
		$C report y
	done
	wait_for 20 ends "$(child)"
	[ "$(find "/proc/$SERVER/fd" 2>/dev/null | wc -l)" = "$before" ]
	[ -z "$(cat "/proc/$SERVER/task/$SERVER/children")" ]
}

@test "-i serves the connection on fd 0, and its exit code tells" {
	bg $C inetd "$BIN/usercrash_s" -i -d "$L" -m 0 2>>"$D/err"
	wait_for 20 accepts "$S"
	run $C only x
	[ "$output" = "usercrash_00 server" ]
	wait "$BG"
	logged "info: usercrash_00: pid "
	bg $C inetd "$BIN/usercrash_s" -i -d "$L" -m 0 2>>"$D/err"
	wait_for 20 accepts "$S"
	$C quit
	status=0
	wait "$BG" || status=$?
	[ $status = 1 ]
	bg $C inetd "$BIN/usercrash_s" -i -d /dev/null 2>>"$D/err"
	wait_for 20 accepts "$S"
	run $C only x
	[ "$output" = "Not a directory" ]
	status=0
	wait "$BG" || status=$?
	[ $status = 111 ]
}

@test "-i under inetd, with the connection on fd 2 too, and on a stream" {
	bg $C inetd2 "$BIN/usercrash_s" -i -v -d "$L" -m 0
	wait_for 20 accepts "$S"
	run $C only x
	[ "$output" = "usercrash_00 server" ]
	wait "$BG"
	bg $C inetd2 "$BIN/usercrash_s" -i -T 200ms -d "$L" -m 0
	wait_for 20 accepts "$S"
	run $C idle
	[ "${lines[1]}" = dropped ]
	bg $C inetd2 "$BIN/usercrash_s" -i -t 200ms -d "$L" -m 0
	wait_for 20 accepts "$S"
	run $C mute
	[ "${lines[1]}" = dropped ]
	bg $C stream "$BIN/usercrash_s" -i -v -d "$L" -m 0
	wait_for 20 accepts "$S"
	run $C -k 2 only x
	[ "$output" = "usercrash_01 server" ]
	wait "$BG"
}

@test "-i is not cut short by SIGTERM" {
	bg $C inetd "$BIN/usercrash_s" -i -d "$L" -m 0 2>>"$D/err"
	inetd=$BG
	wait_for 20 accepts "$S"
	hold a
	kill -TERM "$inetd"
	release a
	[ "$(tail -1 "$D/a.out")" = "usercrash_00 server" ]
	wait "$inetd"
}

@test "socket activation: a listening socket" {
	bg $C listen "$BIN/usercrash_s" -d "$L" -m 0 2>>"$D/err"
	wait_for 20 accepts "$S"
	for i in 0 1; do
		run $C -k $i only x
		[ "$output" = "usercrash_0$i server" ]
	done
	kill "$BG"
	wait "$BG"
	[ -S "$S" ]
	if command -v systemd-socket-activate; then
		rm "$S" "$S.lock"
		bg systemd-socket-activate --seqpacket -l "$S" \
		    "$BIN/usercrash_s" -d "$L" -m 0 2>>"$D/err"
		wait_for 20 accepts "$S"
		for i in 2 3; do
			run $C -k $i only x
			[ "$output" = "usercrash_0$i server" ]
		done
		kill "$BG"
		wait "$BG"
	fi
}

@test "socket activation: connections, one by one" {
	if command -v systemd-socket-activate; then
		n=0
		mkdir "$D/run"
		for how in --accept "--accept --inetd"; do
			minus=
			[ "$how" = --accept ] || minus=-i
			# shellcheck disable=SC2086
			bg systemd-socket-activate $how --seqpacket -l "$S" \
			    "$BIN/usercrash_s" $minus -d "$L" -m 0 2>>"$D/err"
			wait_for 20 accepts "$S"
			for i in 1 2; do
				run $C -k $n only x
				[ "$output" = "usercrash_0$n server" ]
				n=$((n + 1))
			done
			kill "$BG"
			wait "$BG" || :
			rm -f "$S"
		done
	fi
	# the same by hand: fd 3 is a connection already
	bg $C inetd /bin/bash -c \
	    'exec 3<&0 4<&- </dev/null; LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"' - \
	    "$BIN/usercrash_s" -d "$L" -m 0 2>>"$D/err"
	wait_for 20 accepts "$S"
	run $C -k 77 only x
	[[ $output == "usercrash_"*" server" ]]
	wait "$BG"
}

@test "it links no unwinder" {
	run ldd "$BIN/usercrash_s"
	[[ $output == *libc* || $output == *musl* ]]
	[[ $output != *unwind* && $output != *lzma* ]]
}
