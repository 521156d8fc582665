#!/bin/sh
# core.sh: how long after a crash its core is whole at the receiver, over TCP
# on the loopback, by core_send and recv_core and by tools that carry bytes.
#
#   make bench BENCH=core
#   BENCH_DIR=DIR    where cores go (/dev/shm, a tmpfs)
#   --json, BENCH_ROUNDS, BENCH_PEERS (nc socat ncat), BENCH_ONLY (10MB 201thr
#   1GB): see t/bench/rounds.sh
#
# The start is the moment before the faulting instruction.  The end is when
# the core has its final name: for the others their receiver writes to another
# name and mv follows.  recv_core's core is verified and on disk (fsync; a
# tmpfs has none) by then, theirs is whatever arrived.
#
# memory: core_send told the pid, so that it reads the memory itself; stream: a
# wrong one.  The threads of 201thr have stacks of 8 MB, all but empty.
#
# Exits 0 whatever the figures are, 111 when nothing can be measured.

top=$(cd "$(dirname "$0")/../.." && pwd) || exit 111
# shellcheck source=t/bench/rounds.sh
. "$top/t/bench/rounds.sh"
need "$BIN/core_send" "$BIN/recv_core"
port=64749

# crash TOOL ...: "REPORT GONE REPORTS" of clock.c, for the core.
crash()
{
	tool=$1
	shift
	case $tool in
	memory)
		by "|$run/core_send -p$port --pid=%P --pidfd=%F 127.0.0.1" "$@"
		;;
	stream)
		by "|$run/core_send -xp$port --pid=4194304 127.0.0.1" "$@"
		;;
	nc)
		receiver nc -l -p $((port + 1))
		by "|$(command -v nc) -N 127.0.0.1 $((port + 1))" "$@"
		;;
	socat)
		receiver socat -u "TCP4-LISTEN:$((port + 1)),reuseaddr" STDOUT
		by "|$(command -v socat) -u STDIN TCP4:127.0.0.1:$((port + 1))" \
		    "$@"
		;;
	ncat)
		receiver ncat -l --recv-only 127.0.0.1 $((port + 1))
		by "|$(command -v ncat) --send-only 127.0.0.1 $((port + 1))" \
		    "$@"
		;;
	esac
}

by()
{
	pattern "$1" || return 1
	shift
	"$clock" -d "$run/d/127.0.0.1" -p core.bench_victim "$@"
	rm -f "$run"/d/127.0.0.1/core.*
	[ -z "$other" ] || {
		kill "$other" 2>/dev/null
		wait "$other"
		other=
	} 2>/dev/null
}

# receiver COMMAND...: to a file, which gets its name at the end.
receiver()
{
	("$@" >"$run/d/127.0.0.1/part" &&
	    mv "$run/d/127.0.0.1/part" "$run/d/127.0.0.1/core.bench_victim") \
	    9>&- &
	other=$!
	listening $((port + 1))
}

# listening PORT: somebody does, before the crash is due.
listening()
{
	hex=$(printf ':%04X 0' "$1")
	i=0
	until cat /proc/net/tcp /proc/net/tcp6 | grep -q "$hex.* 0A "; do
		i=$((i + 1))
		[ $i -lt 500 ] || return 1
		sleep 0.01
	done
}

run=$(mktemp -d "${BENCH_DIR:-/dev/shm}/uXXXX") || exit 111
mkdir -p "$run/d/127.0.0.1"
chown -R 65534:65534 "$run/d"
chmod 755 "$run"
cp "$BIN/core_send" "$run/"
"$BIN/recv_core" -p $port -a -m 0 -T 0 -d "$run/d" 127.0.0.1 \
    >"$tmp/recv" 2>&1 &
pids=$!
listening $port || {
	say "error: recv_core does not start: $(cat "$tmp/recv")"
	exit 111
}

all="memory stream$(peers nc socat ncat)"
# shellcheck disable=SC2086
warm $all
rounds 10MB 7 "$all" "$victim" 10 0
rounds 201thr 5 "$all" "$victim" 10 200 8192
rounds 1GB 3 "$all" "$victim" 1024 0

machine "cores on $(stat -f -c %T "$run")"
table "From the crash until the core is whole at the receiver" \
    core ms 4
table "From the crash until the process is gone" held ms 5
exit 0
