#!/usr/bin/env bats
# crashlogctl enable --socket: the kernel's coredump socket from enable to
# disable, by way of crashes, of servers that are killed and kernels that have
# none.
#
# not with sanitizers: a script; the programs have their own tests

load helper
load ctl

setup()
{
	needs_kernel
	needs_shells
	CTL=
	kernel_lock
	LOCKED=1
	core_on
	kernel_set /proc/sys/kernel/core_pattern "@@/run/s" ||
	    unmet "needs coredump sockets (Linux 6.17), set where init mounts"
	for f in kernel/core_pipe_limit fs/suid_dumpable; do
		kernel_set "/proc/sys/$f" "$(cat "/proc/sys/$f")"
	done
	kernel_set /proc/sys/kernel/core_pattern core
	kernel_set /proc/sys/kernel/core_pipe_limit 0
	ctl_install
	cp "$BIN/core_accept" "$CTL/bin"
	# where report_of and reports look
	# shellcheck disable=SC2034
	RUND=$CTL
}

teardown()
{
	end_bgs
	[ -z "${LOCKED:-}" ] || kernel_restore
	core_accept_end
	kernel_unlock
	ctl_release
}

core_accept_end()
{
	local pid
	for pid in $(accept_pids); do
		kill -KILL "$pid"
		wait_for 20 gone "$pid"
	done
}

# The ids of the core_accept that enable has started, the watcher first.
accept_pids()
{
	local pid
	read -r pid 2>/dev/null <"$CTL/s/core_accept.pid" || return 0
	[[ $(readlink "/proc/$pid/exe") == "$CTL"/bin/core_accept* ]] ||
	    return 0
	echo "$pid"
	pgrep -P "$pid" || :
}

live_pattern()
{
	cat /proc/sys/kernel/core_pattern
}

live_all()
{
	cat /proc/sys/kernel/core_pattern /proc/sys/kernel/core_pipe_limit \
	    /proc/sys/fs/suid_dumpable
}

# crashes N: that many, four at a time, each of its own; their ids in $CTL/pids.
crashes()
{
	local n
	for ((n = 0; n < $1; n++)); do
		[ $((n % 4)) != 3 ] || wait
		"$VICTIMS/null" 3>&- 9>&- &
		echo $! >>"$CTL/pids"
	done 2>/dev/null
	wait
}

all_reported()
{
	local f
	[ -z "$(for f in "$CTL"/d/usercrash_*; do
		value pid "$f"
	done | sort | comm -23 <(sort "$CTL/pids") -)" ]
}

on_and_off()
{
	live_all >"$CTL/before"
	ctl -n enable --socket | sed -n 's/^would //p' >"$CTL/would"
	live_all | cmp - "$CTL/before"
	ctl enable --socket >"$CTL/out"
	grep -E '^(set|write|make|run) ' "$CTL/out" | diff "$CTL/would" -
	[ "$(live_pattern)" = "@@$CTL/s/core.sock" ]
	[ "$(ctl is-active)" = active ]
	ctl status >"$CTL/out"
	grep -qx "pattern: @@$CTL/s/core.sock" "$CTL/out"
	grep -qx "socket: core_accept listens at $CTL/s/core.sock (daemon)" \
	    "$CTL/out"
	# at boot nobody listens as yet
	grep -q "^kernel.core_pattern = |$CTL/bin/usercrash-wrapper -k " \
	    "$CTL/99.conf"
	: >"$CTL/pids"
	crashes 2
	wait_for 30 all_reported
	# again: the same, and nothing to do
	ctl enable >"$CTL/out"
	not grep -E '^(set|write|make|remove|run|end) ' "$CTL/out"
	[ "$(live_pattern)" = "@@$CTL/s/core.sock" ]
	ctl doctor --no-crash >"$CTL/out" || :
	not grep -Ev '^ok | at boot: ' "$CTL/out"
	ctl disable >/dev/null
	live_all | cmp - "$CTL/before"
	[ -z "$(accept_pids)" ]
	[ ! -e "$CTL/s/core.sock" ] && [ ! -e "$CTL/v/socket" ]
	rm -rf "$CTL/d" "$CTL/v" "$CTL/s"
}

@test "enable --socket, crashes, disable: all reported, and all is as it was" {
	each_shell on_and_off
}

@test "50 crashes, and enable and disable in their midst: none is lost" {
	printf '%s\n' 'slots 100' 'share 100' >>"$CTL/c"
	live_all >"$CTL/before"
	ctl enable >/dev/null
	crashes 25 &
	CRASHING=$!
	ctl enable --socket >/dev/null
	wait $CRASHING
	crashes 25 &
	CRASHING=$!
	wait_for 30 eval '[ $(wc -l <"$CTL/pids") -gt 30 ]'
	# the pipe again, while they crash
	kill "$(accept_pids | head -1)"
	wait_for 30 eval '[[ $(live_pattern) == "|"* ]]'
	wait $CRASHING
	wait_for 60 all_reported
	[ "$(wc -l <"$CTL/pids")" = 50 ]
	ctl disable >/dev/null
	live_all | cmp - "$CTL/before"
}

@test "the server is killed: what was lost doctor tells from the kernel's log" {
	needs_tool dmesg
	local n pids
	ctl enable --socket >/dev/null
	crash "$VICTIMS/null"
	report_of "$PID"
	# stopped first: who outlives the other sets the pipe
	pids=$(accept_pids)
	# shellcheck disable=SC2086
	kill -STOP $pids
	# shellcheck disable=SC2086
	kill -KILL $pids
	wait_for 20 eval '[ -z "$(accept_pids)" ]'
	for n in 1 2 3; do
		crash "$VICTIMS/null"
		[ "$STATUS" = 139 ]
	done
	exits 1 ctl doctor --no-crash >"$CTL/out"
	grep -qx "error    socket: none listens at $CTL/s/core.sock (daemon): every crash is lost (crashlogctl enable)" "$CTL/out"
	grep -qx 'warning  lost: 3 crashes in the last 24 hours, by the kernel log' "$CTL/out"
	grep -qx "  *log: coredump: $PID(null): Coredump socket connection $CTL/s/core.sock failed -[0-9]*" "$CTL/out"
	exits 0 ctl status >"$CTL/out"
	grep -qx "socket: none listens at $CTL/s/core.sock (daemon)" "$CTL/out"
	# the kernel tells no more than ten
	for n in {1..20}; do
		crash "$VICTIMS/null"
	done
	exits 1 ctl doctor --no-crash >"$CTL/out"
	grep -Eq '^warning  lost: (at least 1[0-9]|23) crashes' "$CTL/out"
	# and again it is there
	ctl enable >/dev/null
	crash "$VICTIMS/null"
	report_of "$PID"
	ctl disable >/dev/null
	[ "$(live_pattern)" = core ]
}

@test "the watcher alone is killed: the acceptor leaves the pipe" {
	ctl enable --socket >/dev/null
	kill -KILL "$(accept_pids | head -1)"
	wait_for 20 eval '[[ $(live_pattern) == "|"* ]]'
	crash "$VICTIMS/null"
	report_of "$PID"
	exits 1 ctl doctor --no-crash >"$CTL/out"
	grep -q '^warning  socket: .*; a pipe is set instead' "$CTL/out"
	ctl enable >/dev/null
	[ "$(live_pattern)" = "@@$CTL/s/core.sock" ]
	ctl disable >/dev/null
	[ "$(live_pattern)" = core ]
}

@test "doctor's crash comes by the socket" {
	ctl enable --socket >/dev/null
	ctl doctor >"$CTL/out" || :
	grep -Eq "^ok +test crash: process [0-9]+, reported as" "$CTL/out"
	ctl disable >/dev/null
}

@test "a kernel without sockets: the pipe, and a line that says so" {
	printf '#!/bin/sh\n[ "$1" != -k ] || exit 1\nexit 111\n' \
	    >"$CTL/bin/core_accept"
	live_all >"$CTL/before"
	exits 1 ctl enable --socket >/dev/null 2>"$CTL/err"
	[ "$(cat "$CTL/err")" = "crashlogctl: warning: this kernel has no coredump sockets (Linux 6.16): core_pattern is a pipe" ]
	[[ $(live_pattern) == "|$CTL/bin/usercrash-wrapper -k "* ]]
	crash "$VICTIMS/null"
	report_of "$PID"
	ctl disable >/dev/null
	live_all | cmp - "$CTL/before"
}

@test "a core_accept that does not come up: the pipe, and said" {
	printf '#!/bin/sh\n[ "$1" != -k ] || { echo @@; exit; }\nexit 111\n' \
	    >"$CTL/bin/core_accept"
	exits 1 ctl enable --socket >/dev/null 2>"$CTL/err"
	grep -q 'unable to start core_accept by daemon: core_pattern is a pipe' \
	    "$CTL/err"
	crash "$VICTIMS/null"
	report_of "$PID"
	ctl disable >/dev/null
	[ "$(live_pattern)" = core ]
}
