#!/bin/sh
# report.sh: how long after a crash its report is there, beside other tools.
#
#   make bench
#   BENCH_BIG=1      also a process of 8 GB: minutes, and 8 GB of disk
#   BENCH_ROUNDS=N   rounds of every row (else 11 down to 3, as they take)
#   BENCH_DIR=DIR    where reports and core files go: a disk, a tmpfs (/run)
#   BENCH_ONLY=RE    rows that match, of 10MB 201thr 1GB 8GB storm pause
#   BENCH_OLD=DIR    programs of another build, beside ours as "old"
#   BENCH_PEERS=LIST of gdb, eu-stack and systemd (else all that are there)
#   SYSTEMD_ROOT=DIR where systemd-coredump is unpacked (else: installed or not)
#
# How it is measured: t/bench/rounds.sh.  The start is the moment before the
# faulting instruction.  The end is, for usercrash_c and systemd-coredump, when
# the file got its name (systemd-coredump goes on to log a backtrace: not
# counted), for gdb and eu-stack when they have ended that were started on the
# kernel's core file as soon as it was complete.
#
# Exits 0 whatever the figures are, 111 when nothing can be measured.

top=$(cd "$(dirname "$0")/../.." && pwd) || exit 111
# shellcheck source=t/bench/rounds.sh
. "$top/t/bench/rounds.sh"
need "$out/quit" "$BIN/usercrash_c"

# --- the tools ---------------------------------------------------------------

own_args='--tid=%I --uid=%u --dumpmode=%d --rlimit=%c --pidfd=%F %P %e %s'
gdb_args="-nx -batch -iex 'set auto-load off' -ex 'thread apply all bt'"

# crash TOOL [-n COUNT] VICTIM...: "REPORT GONE REPORTS", as clock.c has it.
crash()
{
	tool=$1
	shift
	case $tool in
	server | alone | old)
		sock=$run/s handler=$run/c
		[ "$tool" != alone ] || sock=$run/none
		[ "$tool" != old ] || sock=$run/o.s handler=$run/o
		pattern "|$handler -d$run/d -S$sock $own_args" &&
		    "$clock" -d "$run/d" -p usercrash_ "$@"
		;;
	quit)
		pattern "|$run/q" && "$clock" "$@"
		;;
	gdb)
		on_core "gdb $gdb_args $victim core* >bt 2>&1" "$@"
		;;
	eu-stack)
		# 1: some frame had no function, as in any static start code
		on_core "eu-stack -e $victim --core=\$(echo core*) >bt 2>&1 ||
		    [ \$? = 1 ]" "$@"
		;;
	systemd)
		pattern "$sd_pattern" &&
		    "$clock" -d "$sd_dir" -p core.bench_victim. "$@"
		rm -f "$sd_dir"/core.bench_victim.*
		;;
	esac
}

on_core()
{
	command=$1
	shift
	pattern core && (cd "$run/core" && "$clock" -x "$command" "$@")
	rm -f "$run"/core/*
}

# systemd-coredump wants its socket, which systemd(1) holds where it runs.
systemd_start()
{
	for f in /usr/lib /lib; do
		sd_pattern=$(sed -n 's/^kernel.core_pattern=|//p' \
		    "$SYSTEMD_ROOT$f/sysctl.d/50-coredump.conf" 2>/dev/null)
		[ -z "$sd_pattern" ] || break
	done
	sd_pattern="|$SYSTEMD_ROOT$sd_pattern"
	program=${sd_pattern%% *}
	program=${program#?}
	[ -x "$program" ] && [ -f "$program" ] || return 1
	if ! grep -q ' /run/systemd/coredump$' /proc/net/unix; then
		have systemd-socket-activate || return 1
		mkdir -p /run/systemd
		rm -f /run/systemd/coredump
		systemd-socket-activate -a --seqpacket \
		    -l /run/systemd/coredump "$program" >"$tmp/sd" 2>&1 &
		pids="$pids $!"
		made=/run/systemd/coredump
	fi
	sd_dir=/var/lib/systemd/coredump
	mkdir -p "$sd_dir"
}

# server_start DIR SOCKET: the usercrash_s of DIR.
server_start()
{
	"$1/usercrash_s" -d "$run/d" -S "$2" >"$tmp/s" 2>&1 &
	pids="$pids $!"
	i=0
	until [ -S "$2" ]; do
		i=$((i + 1))
		[ $i -lt 500 ] || return 1
		sleep 0.02
	done
}

# --- rounds ------------------------------------------------------------------

# pauses N THREADS: how long a live process stands still.
pauses()
{
	n=${BENCH_ROUNDS:-$1}
	row=$2thr
	wanted pause || return 0
	say "pause, $2 threads: $n rounds"
	r=0
	while [ $r -le "$n" ]; do
		for t in debugger old gdb eu-stack; do
			case $t in
			debugger) set -- "$BIN/debugger \$PID >$tmp/bt" ;;
			old) set -- "$BENCH_OLD/debugger \$PID >$tmp/bt" ;;
			gdb) set -- "gdb $gdb_args -p \$PID >$tmp/bt 2>&1" ;;
			*) set -- "eu-stack -p \$PID >$tmp/bt 2>&1 ||
			    [ \$? = 1 ]" ;;
			esac
			case $t in
			debugger) ;;
			old) [ -n "$BENCH_OLD" ] || continue ;;
			*) [ "${others#*"$t"}" != "$others" ] || continue ;;
			esac
			got=$("$clock" -g -x "$1" "$victim" 10 \
			    $((${row%thr} - 1)) live)
			own=-
			case $t in debugger | old)
				own=$(sed -n 's/^pause_us: //p' "$tmp/bt") ;;
			esac
			[ $r = 0 ] ||
			    echo "$row $t $r $got ${own:--}" >>"$tmp/pauses"
		done
		r=$((r + 1))
	done
}

# --- the run -----------------------------------------------------------------

run=$(mktemp -d "${BENCH_DIR:-/run}/uXXXX") || exit 111
mkdir -m 750 "$run/d" && mkdir "$run/core" || exit 111
ln -s "$BIN/usercrash_c" "$run/c"
ln -s "$out/quit" "$run/q"
: "${BENCH_OLD:=}"
ours="server alone"
[ -z "$BENCH_OLD" ] || {
	ours="$ours old"
	ln -s "$BENCH_OLD/usercrash_c" "$run/o"
}
if ! server_start "$BIN" "$run/s" || { [ -n "$BENCH_OLD" ] &&
    ! server_start "$BENCH_OLD" "$run/o.s"; }; then
	say "error: usercrash_s does not start: $(cat "$tmp/s")"
	exit 111
fi
lock
pattern "|$run/q" || {
	say "error: core_pattern cannot be set here"
	exit 111
}
unlock

tools="$ours quit"
others=
: "${BENCH_PEERS=gdb eu-stack systemd}"
for t in gdb eu-stack; do
	[ "${BENCH_PEERS#*"$t"}" != "$BENCH_PEERS" ] || continue
	if have $t; then
		others="$others $t"
	else
		say "$t is not installed: left out"
	fi
done
: "${SYSTEMD_ROOT:=}"
if [ "${BENCH_PEERS#*systemd}" = "$BENCH_PEERS" ]; then
	:
elif systemd_start; then
	others="$others systemd"
else
	say "systemd-coredump is not installed: left out"
fi

# shellcheck disable=SC2086
warm $tools$others
rounds 10MB 11 "$tools$others" "$victim" 10 0
rounds 201thr 7 "$tools$others" "$victim" 10 200
rounds 1GB 5 "$tools$others" "$victim" 1024 0
[ -z "${BENCH_BIG:-}" ] || rounds 8GB 3 "$tools$others" "$victim" 8192 0
rounds storm 5 "$ours quit" -n 100 "$victim" 1 0
pauses 7 1
pauses 7 201

echo
uname -srm
echo "reports and core files on $(stat -f -c %T "$run")," \
    "$(grep -c ^processor /proc/cpuinfo) processors; figures in ms"
if [ -s "$tmp/times" ]; then
	echo
	echo "From the crash to its complete report (storm: to the last of 100):"
	grep -v ' quit ' "$tmp/times" >"$tmp/reports"
	table "$tmp/reports" 4 "$ours$others"
	echo
	echo "From the crash until the process is gone:"
	table "$tmp/times" 5 "quit $ours$others"
	if wanted storm; then
		echo
		echo "Reports of 100 simultaneous crashes, fewest of all rounds:"
		awk '$1 == "storm" && $2 != "quit" {
			if (!($2 in least) || $6 < least[$2]) least[$2] = $6
		} END { for (t in least) print t, least[t] }' "$tmp/times" | sort
	fi
fi
if [ -s "$tmp/pauses" ]; then
	echo
	echo "A live process stands still, by its own clock (0.15 is none):"
	table "$tmp/pauses" 5 "debugger old gdb eu-stack"
	echo
	echo "By the report's pause_us:"
	table "$tmp/pauses" 6 "debugger old"
	echo
	echo "The command takes in all:"
	table "$tmp/pauses" 4 "debugger old gdb eu-stack"
fi
cat <<-END

	server, alone: usercrash_c with usercrash_s, and without it
	quit: a handler that does nothing; gdb, eu-stack: on the kernel's core file
	systemd: systemd-coredump, until its compressed core file is there
END
exit 0
