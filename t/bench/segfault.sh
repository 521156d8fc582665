#!/bin/sh
# segfault.sh: what watching costs the program that is watched.
#
#   make bench-segfault
#   BENCH_ROUNDS=N   rounds (9)
#   BENCH_N=N        signals a round (100000), as fast as they come
#   BENCH_PACED=N    signals a second, for a second, with stacks (5000)
#   BENCH_RATES=...  signals a second to try for the rate without loss
#   BENCH_DIR=DIR    where what the tools write goes (/dev/shm)
#
# The victim takes SIGSEGV after SIGSEGV, each by a handler that steps over the
# fault and returns, and says how much of the processor's time one took.  Each
# round runs it once under each tool, one after the other, in an order that
# turns from round to round:
#
#   bare       nothing is attached
#   plain      segfault_analyzer with --share 0: every signal is written
#   share      segfault_analyzer as it is without options
#   json       --format json
#   bt         bpftrace on the same tracepoint, one printf a signal
#
# and, at a rate that all can follow, since what is dropped costs little:
#
#   bare-p     nothing is attached
#   stack-p    segfault_analyzer -t: with stacks, unwound and named
#   bt-stack-p bpftrace, and its ustack
#
# Figures are medians over rounds; "xN" is the median of the ratios within a
# round to bare, "+N" that of the differences.  Other work on the machine, and
# other processes that fault, go into the figures.
#
# Exits 0 whatever the figures are, 111 when nothing can be measured.

top=$(cd "$(dirname "$0")/../.." && pwd) || exit 111
BIN=$(cd "$top" && cd "${BIN:-bin}" && pwd) || exit 111
victim=$top/build/victims/handled
export LC_ALL=C

say()
{
	echo "segfault.sh: $*" >&2
}

tmp=$(mktemp -d "${BENCH_DIR:-/dev/shm}/segXXXXXX") || exit 111
tool=

leave()
{
	trap - EXIT INT TERM HUP
	[ -z "$tool" ] || { kill "$tool" 2>/dev/null && wait "$tool"; }
	rm -rf "$tmp"
	exit "$1"
}
trap 'leave 111' INT TERM HUP
trap 'leave $?' EXIT

[ "$(id -u)" = 0 ] || {
	say "error: BPF needs root"
	leave 111
}
for f in "$BIN/segfault_analyzer" "$victim"; do
	[ -x "$f" ] || {
		say "error: $f is not there: make all victims"
		leave 111
	}
done

# --- the tools -------------------------------------------------------------

bt_head='BEGIN { printf("ready\n"); }
    tracepoint:signal:signal_deliver /args->sig == 11/'
bt_line='printf("%s %d %d %d %d\n", comm, pid, tid, args->code, nsecs);'

# start TOOL: attached when it returns; 1 when it cannot be.
start()
{
	rm -f "$tmp/out" "$tmp/err"
	case $1 in
	bare*)
		tool=
		return
		;;
	plain) set -- "$BIN/segfault_analyzer" --share 0 ;;
	share) set -- "$BIN/segfault_analyzer" ;;
	json) set -- "$BIN/segfault_analyzer" --share 0 --format json ;;
	stack-p) set -- "$BIN/segfault_analyzer" --share 0 -t ;;
	bt) set -- bpftrace -e "$bt_head { $bt_line }" ;;
	bt-stack-p)
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
		"$@" >"$tmp/out" 2>"$tmp/err" &
		tool=$!
		await grep -qs ready "$tmp/out"
	else
		"$@" --stats -o "$tmp/out" 2>"$tmp/err" &
		tool=$!
		await test -e "$tmp/out"
	fi
}

await()
{
	i=0
	until "$@"; do
		i=$((i + 1))
		if [ $i -gt 500 ] || ! kill -0 "$tool" 2>/dev/null; then
			cat "$tmp/err" >&2
			return 1
		fi
		sleep 0.02
	done
}

# stop: ends it; how many events it lost in $lost.
stop()
{
	lost=0
	[ -n "$tool" ] || return 0
	kill -INT "$tool"
	wait "$tool"
	tool=
	lost=$(sed -n 's/.* dropped=\([0-9]*\) .*/\1/p;
	    s/^Lost \([0-9]*\) events.*/\1/p' "$tmp/err" "$tmp/out" |
	    awk '{ n += $1 } END { print n + 0 }')
}

# --- rounds ----------------------------------------------------------------

tools='bare plain share json' paced='bare-p stack-p'
if command -v bpftrace >/dev/null; then
	tools="$tools bt" paced="$paced bt-stack-p"
else
	say "bpftrace is not installed: left out"
fi
rounds=${BENCH_ROUNDS:-9}
n=${BENCH_N:-100000}
start plain || {
	say "error: segfault_analyzer cannot attach here"
	leave 111
}
stop
speed=${BENCH_PACED:-5000}

# round N TOOLS VICTIM-ARGS: once under each; lines "TOOL ROUND NS LOST%".
round()
{
	turn=$1 order=$2
	shift 2
	# who begins changes
	i=$((turn % $(echo "$order" | wc -w)))
	while [ $i -gt 0 ]; do
		order="${order#* } ${order%% *}"
		i=$((i - 1))
	done
	for t in $order; do
		start "$t" || continue
		ns=$("$victim" "$@")
		stop
		echo "$t $turn ${ns% *} $((lost * 1000 / $1))" >>"$tmp/times"
	done
}

say "$rounds rounds of $n signals, and of $speed in a second"
r=0
while [ $r -lt "$rounds" ]; do
	round $r "$tools" "$n"
	round $r "$paced" "$speed" 1 1 "$speed"
	r=$((r + 1))
done

# lossless TOOL: the highest of the rates at which one second loses nothing.
lossless()
{
	best=-
	for rate in ${BENCH_RATES:-5000 10000 20000 50000 100000 150000 200000 \
	    300000 400000}; do
		start "$1" || break
		ns=$("$victim" "$rate" 1 1 "$rate")
		ns=${ns#* }
		stop
		[ "$lost" = 0 ] || break
		# what the victim reached, if that was less
		best=$(awk -v ns="$ns" -v r="$rate" 'BEGIN {
			got = 1e9 / ns
			printf "%d", got < r ? got : r }')
		[ "$best" -ge $((rate * 9 / 10)) ] || break
	done
	echo "$1 $best" >>"$tmp/rates"
}

say "rates without loss"
for t in ${tools#bare } ${paced#bare-p }; do
	lossless "$t"
done

# --- tables ----------------------------------------------------------------

echo
uname -srm
echo "$(grep -c ^processor /proc/cpuinfo) processors, $rounds rounds of $n" \
    "signals (-p: of $speed in a second), output on $(stat -f -c %T "$tmp")"
echo
awk -v tools="$tools $paced" '
	function median(list,  v, n, i, j, x) {
		n = split(list, v, " ")
		for (i = 2; i <= n; i++) {
			x = v[i] + 0
			for (j = i - 1; j > 0 && v[j] + 0 > x; j--)
				v[j + 1] = v[j]
			v[j + 1] = x
		}
		return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
	}
	FILENAME ~ /rates$/ { rate[$1] = $2; next }
	{ ns[$1, $2] = $3; lost[$1] = lost[$1] " " $4 / 10
	    if ($2 > most) most = $2 }
	END {
		k = split(tools, tool, " ")
		printf "%-10s %10s %8s %9s %8s %16s\n", "", "ns/signal", \
		    "ratio", "added ns", "lost %", "lossless/second"
		for (i = 1; i <= k; i++) {
			t = tool[i]
			bare = t ~ /-p$/ ? "bare-p" : "bare"
			all = ratio = diff = ""
			for (r = 0; r <= most; r++) {
				if (!((t, r) in ns) || !((bare, r) in ns))
					continue
				all = all " " ns[t, r]
				ratio = ratio " " ns[t, r] / ns[bare, r]
				diff = diff " " (ns[t, r] - ns[bare, r])
			}
			if (all == "")
				continue
			a = b = c = ""
			if (t != bare) {
				a = sprintf("x%.2f", median(ratio))
				b = sprintf("+%.0f", median(diff))
				c = sprintf("%.1f", median(lost[t]))
			}
			printf "%-10s %10.0f %8s %9s %8s %16s\n", t, \
			    median(all), a, b, c, rate[t]
		}
	}' "$tmp/rates" "$tmp/times"
leave 0
