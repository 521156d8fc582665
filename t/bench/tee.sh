#!/bin/sh
# tee.sh: how long a stream takes to reach three readers, by core_tee and by
# others that copy one to many.
#
#   make bench BENCH=tee
#   --json, BENCH_ROUNDS, BENCH_PEERS (tee pee), BENCH_ONLY (64MB 1GB): see
#   t/bench/rounds.sh
#
# The readers count what they get; a run in which one of them did not get all
# is said and does not count.  The time is that from before the first program
# is started until the last one has ended.
#
# Exits 0 whatever the figures are, 111 when nothing can be measured.

top=$(cd "$(dirname "$0")/../.." && pwd) || exit 111
# shellcheck source=t/bench/rounds.sh
. "$top/t/bench/rounds.sh"
need "$BIN/core_tee"
cd "$tmp" && mkfifo f1 f2 || exit 111

feed()
{
	head -c $(($1 << 20)) /dev/zero
}

# crash TOOL MIB: no crash, but the same for "rounds": microseconds.
crash()
{
	rm -f n1 n2 n3
	t0=$(date +%s%N)
	case $1 in
	core_tee)
		feed "$2" | "$BIN/core_tee" sh -c 'exec wc -c >n1' \; \
		    sh -c 'exec wc -c >n2' \; sh -c 'exec wc -c >n3'
		;;
	tee)
		wc -c <f1 >n1 &
		n1=$!
		wc -c <f2 >n2 &
		feed "$2" | tee f1 f2 | wc -c >n3
		wait $n1 $!
		;;
	pee)
		feed "$2" | pee 'exec wc -c >n1' 'exec wc -c >n2' \
		    'exec wc -c >n3'
		;;
	esac
	t1=$(date +%s%N)
	if [ "$(tr -d ' ' <n1)$(tr -d ' ' <n2)$(tr -d ' ' <n3)" = \
	    $(($2 << 20))$(($2 << 20))$(($2 << 20)) ]; then
		echo $(((t1 - t0) / 1000)) - 1
	else
		say "$1: not all arrived"
	fi
}

all="core_tee$(peers tee pee)"
for t in $all; do
	crash "$t" 16 >warm
done
rounds 64MB 9 "$all" 64
rounds 1GB 5 "$all" 1024

machine "from one pipe to three readers"
table "Until the last reader has ended" all ms 4
exit 0
