#!/bin/sh
# segfault.sh: what watching costs the program that is watched.
#
#   make bench BENCH=segfault
#   BENCH_N=N        signals a round (100000), as fast as they come
#   BENCH_PACED=N    signals a second, for a second, with stacks (5000)
#   BENCH_RATES=...  signals a second to try for the rate without loss
#   BENCH_DIR=DIR    where what the tools write goes (/dev/shm)
#   --json, BENCH_ROUNDS, BENCH_PEERS (bpftrace), BENCH_ONLY (fast paced
#   lossless): see t/bench/rounds.sh
#
# The victim takes SIGSEGV after SIGSEGV, each by a handler that steps over the
# fault and returns, and says how much of the processor's time one took.
# "fast" is with so many signals as it can:
#
#   bare       nothing is attached: the floor
#   plain      segfault_analyzer with --share 0: every signal is written
#   share      segfault_analyzer as it is without options
#   json       --format json
#   bpftrace   on the same tracepoint, one printf a signal
#
# and "paced" at a rate that all can follow, since what is dropped costs little:
#
#   stack      segfault_analyzer -t: with stacks, unwound and named
#   bpf-stack  bpftrace, and its ustack
#
# Other work on the machine, and other processes that fault, go into the
# figures.
#
# Exits 0 whatever the figures are, 111 when nothing can be measured.

top=$(cd "$(dirname "$0")/../.." && pwd) || exit 111
# shellcheck source=t/bench/rounds.sh
. "$top/t/bench/rounds.sh"
handled=$top/build/victims/handled
need "$BIN/segfault_analyzer" "$handled"
run=$(mktemp -d "${BENCH_DIR:-/dev/shm}/segXXXXXX") || exit 111

# --- the tools -------------------------------------------------------------

bt_head='BEGIN { printf("ready\n"); }
    tracepoint:signal:signal_deliver /args->sig == 11/'
bt_line='printf("%s %d %d %d %d\n", comm, pid, tid, args->code, nsecs);'

# start TOOL: attached when it returns; 1 when it cannot be.
start()
{
	rm -f "$run/out" "$run/err"
	case $1 in
	bare) return ;;
	plain) set -- "$BIN/segfault_analyzer" --share 0 ;;
	share) set -- "$BIN/segfault_analyzer" ;;
	json) set -- "$BIN/segfault_analyzer" --share 0 --format json ;;
	stack) set -- "$BIN/segfault_analyzer" --share 0 -t ;;
	bpftrace) set -- bpftrace -e "$bt_head { $bt_line }" ;;
	bpf-stack)
		set -- bpftrace \
		    -e "$bt_head { $bt_line printf(\"%s\n\", ustack); }"
		;;
	esac
	if [ "$1" = bpftrace ]; then
		# bpftrace reads the tracepoint's format: for it alone
		# shellcheck disable=SC2016
		[ -e /sys/kernel/tracing/events ] || set -- unshare -m sh -c '
			mount -t tracefs none /sys/kernel/tracing &&
			exec "$@"' sh "$@"
		"$@" >"$run/out" 2>"$run/err" 9>&- &
		other=$!
		await grep -qs ready "$run/out"
	else
		"$@" --stats -o "$run/out" 2>"$run/err" 9>&- &
		other=$!
		await test -e "$run/out"
	fi
}

await()
{
	i=0
	until "$@"; do
		i=$((i + 1))
		if [ $i -gt 500 ] || ! kill -0 "$other" 2>/dev/null; then
			cat "$run/err" >&2
			return 1
		fi
		sleep 0.02
	done
}

# stop: ends it; how many events it lost in $lost.
stop()
{
	lost=0
	[ -n "$other" ] || return 0
	kill -INT "$other"
	wait "$other"
	other=
	lost=$(sed -n 's/.* dropped=\([0-9]*\) .*/\1/p;
	    s/^Lost \([0-9]*\) events.*/\1/p' "$run/err" "$run/out" |
	    awk '{ n += $1 } END { print n + 0 }')
}

# crash TOOL VICTIM-ARGS: no crash, but the same for "rounds": "NS LOST", of a
# signal, and of a thousand.
crash()
{
	[ "$row" != lossless ] || {
		lossless "$1"
		return
	}
	start "$1" || return 1
	shift
	ns=$("$handled" "$@")
	stop
	echo "${ns% *} $((lost * 1000 / $1))"
}

# lossless TOOL: the highest of the rates at which one second loses nothing, 0
# where the least did.
lossless()
{
	best=0
	for rate in ${BENCH_RATES:-5000 10000 20000 50000 100000 150000 200000 \
	    300000 400000}; do
		start "$1" || return 1
		ns=$("$handled" "$rate" 1 1 "$rate")
		ns=${ns#* }
		stop
		[ "$lost" = 0 ] || break
		# what the victim reached, if that was less
		best=$(awk -v ns="$ns" -v r="$rate" 'BEGIN {
			got = 1e9 / ns
			printf "%d", got < r ? got : r }')
		[ "$best" -ge $((rate * 9 / 10)) ] || break
	done
	echo "$best"
}

# --- the run -----------------------------------------------------------------

start plain || {
	say "error: segfault_analyzer cannot attach here"
	exit 111
}
stop
bpftrace=$(peers bpftrace)
stacks="stack${bpftrace:+ bpf-stack}"
speed=${BENCH_PACED:-5000}
rounds fast 7 "bare plain share json$bpftrace" "${BENCH_N:-100000}"
rounds paced 7 "bare $stacks" "$speed" 1 1 "$speed"
BENCH_ROUNDS=1
rounds lossless 1 "plain share json $stacks$bpftrace"

machine "output on $(stat -f -c %T "$run")"
table "What one signal takes of the processor" signal ns 4 '[fp]'
table "Of 1000 signals are lost" lost "" 5 '[fp]'
table "Signals a second without loss" lossless "" 4 lossless
exit 0
