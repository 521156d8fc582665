#!/bin/sh
# report.sh: how long after a crash its report is there, and how long the
# process is held, beside other tools.
#
#   make bench BENCH=report
#   BENCH_BIG=1      also a process of 8 GB: minutes, and 8 GB of disk
#   BENCH_DIR=DIR    where reports and core files go: a disk, a tmpfs (/run)
#   BENCH_OLD=DIR    programs of another build, beside ours as "old"
#   SYSTEMD_ROOT=DIR where systemd-coredump is unpacked (else: installed or not)
#   --json, BENCH_ROUNDS, BENCH_PEERS (gdb eu-stack systemd), BENCH_ONLY (10MB
#   201thr 1GB 8GB storm pause1 pause201): see t/bench/rounds.sh
#
#   quit       a handler that does nothing, until the process is gone: the
#              floor, also of what is told of reports
#   alone      usercrash_c
#   server     usercrash_c with usercrash_s
#   listen     usercrash_c --listen, standing at the kernel's coredump socket
#   wrapper    usercrash-wrapper, reports alone, with usercrash_s
#   store      the same with the local store, as "crashlogctl enable" has it
#              where core_pattern was a file's name; each crash is the first of
#              its signature, so that its core is kept
#   gdb, eu-stack   on the kernel's core file
#   systemd    systemd-coredump, until its compressed core file is there
#
# The start is the moment before the faulting instruction.  The end is, for
# usercrash_c and systemd-coredump, when the file got its name (systemd-coredump
# goes on to log a backtrace: not counted), for gdb and eu-stack when they have
# ended that were started on the kernel's core file as soon as it was complete.
#
# Exits 0 whatever the figures are, 111 when nothing can be measured.

top=$(cd "$(dirname "$0")/../.." && pwd) || exit 111
# shellcheck source=t/bench/rounds.sh
. "$top/t/bench/rounds.sh"
need "$out/quit" "$BIN/usercrash_c" "$BIN/usercrash-wrapper"

# --- the tools ---------------------------------------------------------------

own_args='--tid=%I --uid=%u --dumpmode=%d --rlimit=%c --pidfd=%F %P %e %s'
wrapper_args='P%P I%I p%p i%i u%u g%g d%d s%s t%t c%c C%C F%F h%h e%e'
gdb_args="-nx -batch -iex 'set auto-load off' -ex 'thread apply all bt'"

# crash TOOL [-n COUNT] VICTIM...: "REPORT GONE REPORTS", as clock.c has it.
crash()
{
	tool=$1
	shift
	case $row-$tool in
	pause*) pause "$tool" "$@" ;;
	*-alone) pattern "|$run/c -d$run/d -S$run/none $own_args" && own "$@" ;;
	*-server) pattern "|$run/c -d$run/d -S$run/s $own_args" && own "$@" ;;
	*-old) pattern "|$run/o -d$run/d -S$run/o.s $own_args" && own "$@" ;;
	*-listen) pattern "@@$run/l" && own "$@" ;;
	*-wrapper | *-store)
		rm -f "$run/t/rate"
		find "$run/t" -name 'core.*' -delete
		pattern "|$run/b/w -c $run/$tool -s $run/t $wrapper_args" &&
		    own "$@"
		settled
		;;
	*-quit)
		pattern "|$run/q" &&
		    "$clock" "$@" | sed 's/^- \([0-9]*\).*/\1 \1 -/'
		;;
	*-gdb)
		on_core "gdb $gdb_args $victim core* >bt 2>&1" "$@"
		;;
	*-eu-stack)
		# 1: some frame had no function, as in any static start code
		on_core "eu-stack -e $victim --core=\$(echo core*) >bt 2>&1 ||
		    [ \$? = 1 ]" "$@"
		;;
	*-systemd)
		pattern "$sd_pattern" &&
		    "$clock" -d "$sd_dir" -p core.bench_victim. "$@"
		rm -f "$sd_dir"/core.bench_victim.*
		;;
	esac
}

own()
{
	"$clock" -d "$run/d" -p usercrash_ "$@"
}

# What the wrapper has started has ended: the next tool has the machine.
settled()
{
	i=0
	# the brackets: it is not to find itself
	while grep -sqa "$run/[t]" /proc/[1-9]*/cmdline; do
		i=$((i + 1))
		[ $i -lt 3000 ] || return 1
		sleep 0.02
	done
}

on_core()
{
	command=$1
	shift
	pattern core && (cd "$run/core" && "$clock" -x "$command" "$@")
	rm -f "$run"/core/*
}

# pause TOOL THREADS: how long a live process stands still: "TOTAL PAUSE
# PAUSE_US", all the command took, by the process's clock, by the report.
pause()
{
	case $1 in
	debugger) set -- "$2" "$BIN/debugger \$PID >$tmp/bt" ;;
	old) set -- "$2" "$BENCH_OLD/debugger \$PID >$tmp/bt" ;;
	gdb) set -- "$2" "gdb $gdb_args -p \$PID >$tmp/bt 2>&1" ;;
	*) set -- "$2" "eu-stack -p \$PID >$tmp/bt 2>&1 || [ \$? = 1 ]" ;;
	esac
	"$clock" -g -x "$2" "$victim" 10 "$1" live
	sed -n 's/^pause_us: //p' "$tmp/bt"
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

# stand SOCKET PROGRAM...: it listens there, until the end.
stand()
{
	at=$1
	shift
	"$@" >"$tmp/s" 2>&1 &
	pids="$pids $!"
	i=0
	until [ -S "$at" ]; do
		i=$((i + 1))
		[ $i -lt 500 ] || {
			say "error: $* does not start: $(cat "$tmp/s")"
			return 1
		}
		sleep 0.02
	done
}

# can_set PATTERN: the kernel takes it.
can_set()
{
	lock
	pattern "$1"
	set -- $?
	unlock
	return "$1"
}

# --- the run -----------------------------------------------------------------

run=$(mktemp -d "${BENCH_DIR:-/run}/uXXXX") || exit 111
mkdir -m 750 "$run/d" && mkdir "$run/core" "$run/b" "$run/t" || exit 111
ln -s "$BIN/usercrash_c" "$run/c"
ln -s "$out/quit" "$run/q"
ln -s "$BIN/usercrash_c" "$BIN/core_tee" "$BIN/core_send" "$BIN/recv_core" \
    "$run/b"
cp "$BIN/usercrash-wrapper" "$run/b/w"
printf '%s\n' "reports $run/d" "socket $run/s" >"$run/store"
{ cat "$run/store" && echo 'store no'; } >"$run/wrapper"
printf 'kernel.core_pattern core\nkernel.core_pipe_limit 0\n' >"$run/t/saved"
can_set "|$run/q" || {
	say "error: core_pattern cannot be set here"
	exit 111
}
stand "$run/s" "$BIN/usercrash_s" -d "$run/d" -S "$run/s" || exit 111

ours="alone server"
: "${BENCH_OLD:=}"
[ -z "$BENCH_OLD" ] || {
	ours="$ours old"
	ln -s "$BENCH_OLD/usercrash_c" "$run/o"
	stand "$run/o.s" "$BENCH_OLD/usercrash_s" -d "$run/d" -S "$run/o.s" ||
	    exit 111
}
if can_set "@@$run/l"; then
	stand "$run/l" "$BIN/usercrash_c" -d "$run/d" -S "$run/none" \
	    --listen "$run/l" || exit 111
	ours="$ours listen"
else
	say "the kernel has no coredump socket: listen is left out"
fi
ours="$ours wrapper store"

stacks=$(peers gdb eu-stack)
all="quit $ours$stacks"
: "${SYSTEMD_ROOT:=}"
case " ${BENCH_PEERS-systemd} " in
*' systemd '*)
	if systemd_start; then
		all="$all systemd"
	else
		say "systemd-coredump is not installed: left out"
	fi
	;;
esac

# shellcheck disable=SC2086
warm $all
rounds 10MB 11 "$all" "$victim" 10 0
rounds 201thr 7 "$all" "$victim" 10 200
rounds 1GB 5 "$all" "$victim" 1024 0
[ -z "${BENCH_BIG:-}" ] || rounds 8GB 3 "$all" "$victim" 8192 0
rounds storm 5 "quit $ours" -n 100 "$victim" 1 0
live="debugger${BENCH_OLD:+ old}$stacks"
rounds pause1 7 "$live" 0
rounds pause201 7 "$live" 200

machine "reports and core files on $(stat -f -c %T "$run")"
table "From the crash to its complete report (storm: to the last of 100)" \
    report ms 4 '[^p]'
table "From the crash until the process is gone" held ms 5 '[^p]'
table "Reports of 100 simultaneous crashes" reports "" 6 'storm [^q]'
table "A live process stands still, by its own clock (0.15 is none)" \
    pause ms 5 pause
table "By the report's pause_us" pause_told ms 6 pause
table "The command takes in all" command ms 4 pause
exit 0
