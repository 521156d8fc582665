# The whole way of a core: kernel, core_tee, core_send, network, recv_core,
# disk.  What arrives is what the kernel wrote, or it is said that it is not.
#
# not with sanitizers: gigabytes; the programs have their own tests

load helper

setup()
{
	PORT=$((20000 + $$ % 20000))
	# on a tmpfs: gigabytes are not to wear a disk
	D=$(mktemp -d /dev/shm/uXXXX)
	chmod 755 "$D"
	mkdir "$D/store" "$D/spool" "$D/kernel"
	chmod 700 "$D/spool"
	STORE=$D/store
	NET=
	needs_root
	chown 65534:65534 "$STORE"
}

showlogs()
{
	cat "$D"/recv "$D"/log 2>/dev/null | tail -40
}

teardown()
{
	showlogs
	pattern_release
	[ -z "$NET" ] || ip netns del "$NET" 2>/dev/null || :
	rm -rf "$D"
}

# receiver [-n] [OPTIONS] [ADDRESS]: standing, in $BG; -n: in the other host.
receiver()
{
	local in=()
	if [ "${1:-}" = -n ]; then
		in=(ip netns exec "$NET")
		shift
	fi
	: >>"$D/recv"
	local had
	had=$(grep -c 'listening on' "$D/recv" || :)
	bg "${in[@]}" "$BIN/recv_core" -v -p "$PORT" -a -m 0 -T 0 -c 500 -C 500 \
	    -d "$STORE" "$@" 2>>"$D/recv"
	RECEIVER=$BG
	wait_for 20 listens $((had + 1))
}

listens()
{
	[ "$(grep -c 'listening on' "$D/recv")" -ge "$1" ]
}

receiver_end()
{
	kill -KILL "$RECEIVER"
	wait_for 10 gone "$RECEIVER"
	wait "$RECEIVER" 2>/dev/null || :
}

# cores: those that have their final name.
cores()
{
	find "$STORE" -name 'core.*' ! -name '*.part' ! -name '*.info'
}

arrived()
{
	CORE=$(cores | grep "\.$1\.")
	[ -n "$CORE" ]
}

# --- by core_pattern ---------------------------------------------------------

# tee_pattern OPTIONS: the kernel's stream is kept in $D/kernel/PID, and sent.
tee_pattern()
{
	[ -n "${RUND:-}" ] || pattern_lock
	cat >"$RUND/h" <<-EOF
		exec 2>>$D/log
		exec $BIN/core_tee -t 100 dd of=$D/kernel/\$1 bs=1M status=none \; \
		    $BIN/core_send -v -p $PORT --pid=\$1 --pidfd=\$2 --tid=\$3 \
		    --time=\$4 --dumpmode=\$5 --signal=\$6 "--comm=\$7" \
		    $* 127.0.0.1
	EOF
	pattern "|/bin/sh $RUND/h %P %F %I %t %d %s %e"
}

# The core of $PID is there as the kernel wrote it, and was read by its memory
# (or not).
same_core()
{
	wait_for 60 arrived "$PID"
	cmp "$D/kernel/$PID" "$CORE"
	grep "\[$PID\].* sent to " "$D/log"
	grep "\[$PID\].* sent to .* from $1" "$D/log"
	grep -q "^state: complete" "$CORE.info"
	[ "$(stat -c %a "$CORE")" = 440 ]
	head -c 64 "$CORE" >"$D/header"
	rm -f "$D/kernel/$PID" "$CORE"
}

@test "through core_pattern: one thread, threads, static" {
	receiver 127.0.0.1
	tee_pattern --held
	# as small as the pipe: it is all there already
	crash "$VICTIMS/null"
	same_core .
	[ "$(readlink "$STORE/core_dump")" = "127.0.0.1/${CORE##*/}" ]
	crash "$VICTIMS/threads" 3
	same_core .
	if [ -x "$VICTIMS/null_static" ]; then
		crash "$VICTIMS/null_static"
		same_core .
	fi
	crash "$VICTIMS/much" mb 8
	same_core memory
}

@test "through core_pattern: the same, and no pid is told" {
	receiver 127.0.0.1
	pattern_lock
	cat >"$RUND/h" <<-EOF
		exec 2>>$D/log
		exec $BIN/core_tee dd of=$D/kernel/\$1 bs=1M status=none \; \
		    $BIN/core_send -v -p $PORT 127.0.0.1
	EOF
	pattern "|/bin/sh $RUND/h %P"
	crash "$VICTIMS/null"
	same_core .
	crash "$VICTIMS/threads" 3
	same_core .
}

@test "through core_pattern: 200 threads with stacks of 8 MB" {
	receiver 127.0.0.1
	tee_pattern --held
	crash "$VICTIMS/threads" 200
	same_core memory
}

@test "through core_pattern: 1 GB" {
	receiver 127.0.0.1
	tee_pattern --held
	crash "$VICTIMS/much" mb 1024
	same_core memory
}

@test "through core_pattern: more than 65534 mappings" {
	receiver 127.0.0.1
	tee_pattern --held
	[ "$(cat /proc/sys/vm/max_map_count)" -ge 80000 ] ||
	    kernel_set /proc/sys/vm/max_map_count 80000
	crash "$VICTIMS/much" maps 70000
	[ "$STATUS" = 139 ]
	same_core .
	[ "$(od -An -tu2 -j56 -N2 "$D/header")" -eq 65535 ]
}

@test "through core_pattern: memory that cannot be read, files cut short, huge holes" {
	receiver 127.0.0.1
	tee_pattern --held
	crash "$VICTIMS/memory"
	same_core memory
}

@test "a process killed midway gives a core that says so" {
	receiver 127.0.0.1
	# the stream, and a reader so slow that the kill comes before the end
	pattern_lock
	cat >"$RUND/h" <<-EOF
		exec 2>>$D/log
		{ dd bs=1M count=20 iflag=fullblock status=none
		  echo \$1 >$D/half
		  until [ -e $D/go ] || [ ! -d $D ]; do sleep 0.02; done
		  cat; } | $BIN/core_send -v -x -p $PORT --pid=2147483647 127.0.0.1
		echo "exit \$?" >>$D/log
	EOF
	pattern "|/bin/sh $RUND/h %P"
	(
		wait_for 60 test -s "$D/half" && kill -KILL "$(cat "$D/half")"
		touch "$D/go"
	) 3>&- 9>&- &
	crash "$VICTIMS/much" mb 300
	wait_for 30 grep -q '^exit' "$D/log"
	cat "$D/log"
	grep -q '^exit 1$' "$D/log"
	grep -q 'sent to .* incomplete: it ended after' "$D/log"
	run find "$STORE" -name "core.much.*.part"
	[ -n "$output" ]
	grep "^state: " "$output.info"
	not grep -q "^state: complete" "$output.info"
	[ "$(cores | wc -l)" = 0 ]
}

@test "a process killed while its memory is read: never a wrong core" {
	receiver 127.0.0.1
	local i
	tee_pattern --held
	for i in 1 2 3 4 5 6; do
		: >"$D/log"
		# the kill comes at another point each time
		(
			wait_for 60 dumping much
			sleep "0.0$i"
			pkill -KILL -x much
		) 3>&- 9>&- &
		crash "$VICTIMS/much" mb 300
		wait_for 60 grep -Eq "\[$PID\].*(sent|lost|incomplete)" "$D/log"
		if arrived "$PID"; then
			grep -q "^state: complete" "$CORE.info"
			# it is whole: the head says how long it has to be
			"$BIN/debugger" "$CORE" >"$D/report" 2>&1
			not grep -q truncated "$D/report"
		else
			grep -E "\[$PID\].*(incomplete|lost)" "$D/log"
		fi
		rm -rf "$D"/kernel/* "$STORE"/127.0.0.1
	done
}

dumping()
{
	local p
	for p in $(pgrep -x "$1"); do
		! grep -qs 'CoreDumping:.1' "/proc/$p/status" || return 0
	done
	return 1
}

# --- two hosts ---------------------------------------------------------------

# Another host, behind a link.
other_host()
{
	needs_tool ip
	# not the names of the test before, which may take a while to go
	NET=u$$.$BATS_TEST_NUMBER
	LINK=v$$.$BATS_TEST_NUMBER
	ip netns add "$NET" || unmet "needs network namespaces"
	ip link add "$LINK" type veth peer name v1 netns "$NET" ||
	    unmet "needs veth links"
	ip -n "$NET" addr add "10.99.$BATS_TEST_NUMBER.2/24" dev v1
	ip -n "$NET" link set v1 up
	ip -n "$NET" link set lo up
	ip addr add "10.99.$BATS_TEST_NUMBER.1/24" dev "$LINK"
	ip link set "$LINK" up
	THERE=10.99.$BATS_TEST_NUMBER.2
}

link()
{
	ip link set "$LINK" "$1"
}

# base_core MIB: a core by the kernel, in $D/base.
base_core()
{
	core_of "$VICTIMS/much" mb "$1"
	mv "$CORE" "$D/base"
	kernel_restore
}

# mine N: a core like no other, and whole all the same: $D/in.N.
mine()
{
	cp "$D/base" "$D/in.$1"
	printf '%08d' "$1" | dd of="$D/in.$1" bs=1 conv=notrunc status=none \
	    seek=$(($(stat -c %s "$D/base") - 4096))
}

# send N OPTIONS...: sends that core, whose time is N; $RC.
send()
{
	local n=$1
	shift
	RC=0
	"$BIN/core_send" -p "$PORT" -c 1 -t 1 --comm=net --time="$n" "$@" \
	    <"$D/in.$n" 2>>"$D/log.$n" || RC=$?
	echo "$RC" >"$D/rc.$n"
	echo "send $n: exit $RC: $(cat "$D/log.$n")"
}

# The complete one of that number at the receiver, if any: $CORE.
stored()
{
	CORE=$(cores | grep -E "/core\.net\.[0-9]+\.$1(\.[0-9]+)?\$" | head -1)
	[ -n "$CORE" ]
}

is_stored()
{
	stored "$1" && cmp "$D/in.$1" "$CORE" &&
	    grep -q '^state: complete' "$CORE.info"
}

spooled()
{
	find "$D/spool" -type f -name '*.core' | wc -l
}

flush()
{
	"$BIN/core_send" --flush "$D/spool" -p "$PORT" -c 1 -t 2 "$THERE"
}

@test "two hosts: the receiver is down, the core waits, and goes later" {
	other_host
	base_core 1
	mine 1
	send 1 -s "$D/spool" -m 0 "$THERE"
	[ $RC = 1 ]
	[ "$(spooled)" = 1 ]
	run flush
	[ "$status" = 111 ]
	[ "$(spooled)" = 1 ]
	mine 2
	send 2 "$THERE"
	[ $RC = 111 ]
	grep -q ' lost' "$D/log.2"
	receiver -n "$THERE"
	run flush
	echo "$output"
	[ "$status" = 0 ]
	[ "$(spooled)" = 0 ]
	is_stored 1
}

@test "two hosts: the link is cut midway, and comes back" {
	other_host
	base_core 8
	mine 1
	receiver -n "$THERE"
	shape 40mbit
	# short: TCP gets over it (and as it is, as packed it would be through)
	(
		wait_for 20 under_way
		link down
		sleep 0.3
		link up
	) 3>&- 9>&- &
	send 1 -z no -t 10 "$THERE"
	[ $RC = 0 ]
	is_stored 1
	# for long: what is here stays here, what is there is no core
	mine 2
	(
		wait_for 20 under_way
		link down
	) 3>&- 9>&- &
	send 2 -z no -s "$D/spool" -m 0 "$THERE"
	[ $RC = 1 ]
	[ "$(spooled)" = 1 ]
	not stored 2
	link up
	shape 1gbit
	wait_for 20 flush
	is_stored 2
}

# Part of a core has arrived.
under_way()
{
	[ -n "$(find "$STORE" -name '*.part' -size +100k)" ]
}

shape()
{
	tc qdisc replace dev "$LINK" root tbf rate "$1" burst 64k latency 400ms
}

@test "two hosts: the receiver is killed midway, another takes over" {
	other_host
	base_core 8
	mine 1
	receiver -n "$THERE"
	shape 40mbit
	local first=$RECEIVER port=$PORT
	mkdir "$D/second"
	chown 65534:65534 "$D/second"
	bg "$BIN/recv_core" -v -p "$((PORT + 1))" -a -m 0 -d "$D/second" \
	    127.0.0.1 2>>"$D/recv"
	wait_for 20 listens 2
	(
		wait_for 20 under_way
		# first: it takes no other connection
		kill -STOP "$first"
		pkill -KILL -P "$first"
		kill -KILL "$first"
	) 3>&- 9>&- &
	# what came by a pipe can only be sent again when it was kept
	send 1 -z no -s "$D/spool" -m 0 "$THERE,127.0.0.1:$((port + 1))"
	[ $RC = 0 ]
	[ "$(spooled)" = 0 ]
	[ "$(cores | wc -l)" = 0 ]
	cmp "$D/in.1" "$D"/second/*/core.net.*.1
	# and without, it is said to be lost
	mine 2
	receiver -n "$THERE"
	first=$RECEIVER
	rm -f "$(find "$STORE" -name '*.part')"
	(
		wait_for 20 under_way
		# first: it takes no other connection
		kill -STOP "$first"
		pkill -KILL -P "$first"
		kill -KILL "$first"
	) 3>&- 9>&- &
	send 2 -z no "$THERE"
	[ $RC = 111 ]
	grep -q ' lost' "$D/log.2"
	[ "$(cores | wc -l)" = 0 ]
}

@test "two hosts: 200 faults at random, and no core is silently wrong" {
	other_host
	base_core 1
	receiver -n "$THERE"
	shape 60mbit
	local seed=${SEED:-$RANDOM} i n k lost=0 kept=0 sent=0
	echo "SEED=$seed"
	RANDOM=$seed
	for ((i = 0; i < 20; i++)); do
		local pids=()
		for ((k = 0; k < 10; k++)); do
			n=$((100 + i * 10 + k))
			mine "$n"
			local how=(-s "$D/spool" -m 0)
			((RANDOM % 3)) || how=()
			(send "$n" "${how[@]}" "$THERE" >/dev/null) 3>&- 9>&- &
			pids+=($!)
		done
		fault $((RANDOM % 8)) $((RANDOM % 40))
		wait "${pids[@]}"
		mend
	done
	wait_for 60 flush
	[ "$(spooled)" = 0 ]
	for ((n = 100; n < 300; n++)); do
		case $(cat "$D/rc.$n") in
		0) sent=$((sent + 1)) && is_stored "$n" ;;
		1) kept=$((kept + 1)) && is_stored "$n" ;;
		111) lost=$((lost + 1)) && grep -q ' lost.*: ' "$D/log.$n" ;;
		*) false ;;
		esac || {
			echo "core $n: exit $(cat "$D/rc.$n")"
			cat "$D/log.$n"
			return 1
		}
		# one line, whatever happened
		[ "$(grep -Ec ' (sent|spooled|lost)' "$D/log.$n")" = 1 ]
		! stored "$n" || is_stored "$n"
	done
	echo "sent $sent, spooled and sent later $kept, lost $lost"
	# how many a fault meets is a matter of speed; what becomes of such is
	# asked one by one above
	[ "$sent" -gt 0 ]
	# what is not whole says so
	run grep -l '^state: complete' -r "$STORE" --include='*.part.info'
	[ -z "$output" ]
}

# fault KIND MOMENT: while ten cores are on their way.
fault()
{
	sleep "$(printf 0.%03d $(($2 * 20)))"	# the moment is what is random
	case $1 in
	0) ;;
	1) pkill -KILL -P "$RECEIVER" || : ;;
	2) receiver_end ;;
	3)
		link down
		sleep 0.4
		link up
		;;
	4) link down ;;
	5) pkill -KILL -f -n "core_send -p $PORT" || : ;;
	6) pkill -STOP -P "$RECEIVER" || : ;;
	7)
		receiver_end
		receiver -n "$THERE"
		;;
	esac
}

mend()
{
	link up
	pkill -CONT -P "$RECEIVER" 2>/dev/null || :
	if gone "$RECEIVER"; then
		receiver -n "$THERE"
	fi
}
