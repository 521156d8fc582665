#!/bin/sh
# soak: many crashes, and nothing grows.
#
#   t/soak.sh [CRASHES]       100000 without an argument; as root
#   make soak CRASHES=5000
#
# Victims of several kinds crash, several at a time, in rounds, with
# usercrash-wrapper in core_pattern as enable has it: a report for each through
# usercrash_s, the core to a recv_core on this machine, a spool where that does
# not answer.  Reports, store and spool are on a tmpfs of 48 MB.  In some rounds
# the receiver is killed and started anew, or is not there; in some the disk is
# full.  In all of them the process is let go, and each crash is told
# of: in its line, or counted in the next one of that program.
#
# After each round nothing of it may run, the ring has no more than its slots,
# and the servers have the descriptors and the memory that they had after the
# first rounds.  Kernel settings are held for a round only.
#
# Prints counts, every ten rounds and at the end.  Exits 0; 1 when something
# grew, was left or was lost without a word; 111 when it cannot be tried here.
# SIGTERM, to this process alone, ends it after the round, with its counts.
#
#   ROUND, LANES   crashes of a round (100), and how many at a time (4)

top=$(cd "$(dirname "$0")/.." && pwd) || exit 111
cd "$top" || exit 111
# shellcheck source=t/kernel.sh
. t/kernel.sh
crashes=${1:-100000}
bin=$(cd "${BIN:-bin}" && pwd) || exit 111
victims=$top/build/victims
per_round=${ROUND:-100} at_once=${LANES:-4} slots=20

die()
{
	echo "soak: error: $*" >&2
	exit 111
}

[ "$(id -u)" = 0 ] || die "only root can set core_pattern"
for need in "$bin/usercrash_c" "$bin/usercrash_s" "$bin/recv_core" \
    "$bin/core_send" "$bin/core_tee" "$victims/null"; do
	[ -x "$need" ] || die "$need is not built (make all victims)"
done
dir=$(mktemp -d /run/sXXXX) || exit 111
log=$(mktemp) || exit 111
server='' receiver='' held='' ended=

# shellcheck disable=SC2317,SC2329 # by the trap
finish()
{
	# between rounds they are somebody else's
	[ -z "$held" ] || kernel_restore
	[ -z "$server" ] || kill "$server"
	[ -z "$receiver" ] || kill "$receiver"
	wait
	umount -l "$dir/t" 2>/dev/null
	rm -rf "$dir" "$log"
}
trap finish EXIT
trap 'exit 130' INT
trap 'ended=1' TERM

# --- what is there ---------------------------------------------------------

mkdir -m 755 "$dir/t"
mount -t tmpfs -o size=48m,mode=755 soak "$dir/t" ||
    die "unable to mount a tmpfs"
mkdir -m 750 "$dir/t/d" "$dir/t/store"
mkdir -m 700 "$dir/t/spool" "$dir/state"
# copies: a build in the meantime changes nothing
cp "$bin/usercrash_c" "$bin/core_tee" "$bin/core_send" "$bin/recv_core" \
    "$bin/usercrash_s" "$bin/usercrash-wrapper" "$dir/" ||
    die "unable to copy the programs"
port=$(awk -v s="$$" 'BEGIN { srand(s); print 20000 + int(rand() * 12000) }')
cat >"$dir/conf" <<END
reports $dir/t/d
socket $dir/s
slots $slots
report-free 1
receiver 127.0.0.1:$port
send-timeout 5
spool $dir/t/spool
spool-max 8
spool-free 1
core-rate no
END
cat >"$dir/h" <<END
exec 2>>$log
exec $dir/usercrash-wrapper -k -c $dir/conf -s $dir/state "\$@"
END
pattern="|/bin/sh $dir/h P%P I%I p%p i%i u%u g%g d%d s%s t%t c%c C%C F%F h%h e%e"

start_server()
{
	"$dir/usercrash_s" -d "$dir/t/d" -S "$dir/s" -n $slots -m 1 \
	    2>>"$log" 9>&- &
	server=$!
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		[ ! -S "$dir/s" ] || return 0
		sleep 0.3
	done
	die "usercrash_s does not listen"
}

start_receiver()
{
	"$dir/recv_core" -d "$dir/t/store" -p "$port" -T 8 -m 1 127.0.0.1 \
	    2>>"$log" 9>&- &
	receiver=$!
}

stop_receiver()
{
	[ -n "$receiver" ] || return 0
	kill "-$1" "$receiver"
	wait "$receiver" 2>/dev/null
	receiver=
}

# --- a round ---------------------------------------------------------------

# victim NUMBER: one of several kinds; its status is what a signal leaves.
victim()
{
	case $(($1 % 8)) in
	0) set -- null ;;
	1) set -- abort ;;
	2) set -- threads 8 ;;
	3) set -- strlen ;;
	4) set -- jump heap ;;
	5) set -- null_O2 ;;
	6) set -- signals SEGV ;;
	7) set -- null_stripped ;;
	esac
	program=$1
	shift
	# shellcheck disable=SC3045 # dash and busybox have it
	(cd "$dir" && ulimit -c 0 &&
	    timeout -s KILL 120 "$victims/$program" "$@" >/dev/null 2>&1)
	[ $? -ne 137 ] || echo held >>"$dir/held"
}

# crowd FROM: the crashes of a round, so many at a time.
crowd()
{
	lane=0
	while [ "$lane" -lt "$at_once" ]; do
		(
			exec 9>&-
			i=$lane
			while [ "$i" -lt "$per_round" ]; do
				victim $(($1 + i))
				i=$((i + at_once))
			done
		) 2>/dev/null &
		lanes="$lanes $!"
		lane=$((lane + 1))
	done
	# a signal ends the wait (above 128), and not the lanes
	for lane in $lanes; do
		until wait "$lane" || [ $? -le 128 ]; do :; done
	done
	lanes=
}

# ours: processes of this run, but for the two servers.
ours()
{
	pgrep -f "$dir/" | grep -vx -e "$$" -e "$server" -e "${receiver:-none}"
}

# descriptors PID; memory PID: KiB.
descriptors()
{
	find "/proc/$1/fd" -mindepth 1 2>/dev/null | wc -l
}

memory()
{
	sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$1/status"
}

bad()
{
	echo "soak: after $made crashes: $*"
	rc=1
}

# at_rest: what must hold when a round is over.
at_rest()
{
	tries=600
	while [ -n "$(ours)" ] && [ $tries -gt 0 ]; do
		tries=$((tries - 1))
		sleep 0.1
	done
	[ -z "$(ours)" ] || bad "still there: $(ours | xargs ps -o pid=,args= -p)"
	[ ! -e "$dir/held" ] || bad "not let go: $(wc -l <"$dir/held")"
	rm -f "$dir/held"
	n=$(find "$dir/t/d" -name 'usercrash_*' | wc -l)
	[ "$n" -le $slots ] || bad "$n reports in $slots slots"
	n=$(find "$dir/t/d" -name '.[!.]*' ! -name '.slots*' ! -name .ledger \
	    ! -name .turns | wc -l)
	[ "$n" = 0 ] || bad "$n hidden files"
	# one that crashes again and again is counted in its next line
	told=$((told + $(awk '/^usercrash_c: [a-z]*: .*\[[0-9]+\] / {
		n++
		if (match($0, /before it [0-9]+ /))
			n += substr($0, RSTART + 10)
	} END { print n + 0 }' "$log")))
	refused=$((refused + $(grep -c '^usercrash_c: .*: no report: ' "$log")))
	sent=$((sent + $(grep -c '^core_send: .*: sent to ' "$log")))
	spooled=$((spooled + $(grep -c '^core_send: .*: spooled as ' "$log")))
	lost=$((lost + $(grep -c '^core_send: .*: lost: ' "$log")))
	: >"$log"
	kill -0 "$server" 2>/dev/null || { bad "usercrash_s is gone"; start_server; }
	check_server
}

# The server's descriptors and memory, against those after five rounds.
check_server()
{
	fds=$(descriptors "$server") rss=$(memory "$server")
	if [ "$round" -le 5 ]; then
		fds0=$fds rss0=$rss
	fi
	[ "$fds" -le "$fds0" ] || bad "usercrash_s: $fds descriptors, were $fds0"
	[ "$rss" -le $((rss0 + 512)) ] || bad "usercrash_s: $rss KiB, were $rss0"
	if [ -n "$receiver" ]; then
		n=$(descriptors "$receiver")
		[ "$n" -le 8 ] || bad "recv_core: $n descriptors"
	fi
}

tell()
{
	echo "$made crashes in $(($(date +%s) - since)) s, $told told of, $refused without a report; cores:" \
	    "$sent sent, $spooled spooled, $lost lost; usercrash_s: $fds" \
	    "descriptors, $rss KiB"
}

# round: with the kernel's settings, and what must hold after it.
round()
{
	kernel_lock 900 || die "unable to lock the kernel's settings"
	held=1
	kernel_set /proc/sys/kernel/core_pipe_limit 1024 ||
	    die "unable to set core_pipe_limit"
	kernel_set /proc/sys/kernel/core_pattern "$pattern" ||
	    die "unable to set core_pattern"
	crowd "$made"
	kernel_restore || die "unable to restore the kernel's settings"
	held=
	kernel_unlock
	made=$((made + per_round))
	at_rest
}

since=$(date +%s)
rc=0 made=0 round=0 refused=0 sent=0 spooled=0 lost=0 told=0 lanes=
start_server
while [ "$made" -lt "$crashes" ] && [ -z "$ended" ]; do
	round=$((round + 1))
	case $((round % 10)) in
	2) stop_receiver KILL ;;
	4) stop_receiver TERM ;;
	5 | 6) ;; # nobody there, for two rounds
	esac
	if [ -z "$receiver" ] && [ $((round % 10)) != 5 ]; then
		start_receiver
	fi
	# the disk is full, in one of ten
	[ $((round % 10)) != 8 ] ||
	    dd if=/dev/zero of="$dir/t/full" bs=64k 2>/dev/null
	round
	rm -f "$dir/t/full"
	[ $((round % 10)) != 0 ] || {
		tell
		"$dir/core_send" --flush "$dir/t/spool" \
		    "127.0.0.1:$port" >/dev/null 2>&1
	}
done
# what was only counted stands in the line of the next one, a minute later
sleep 61
per_round=8
round
[ "$told" = "$made" ] || bad "$told of them were told of"
tell
exit $rc
