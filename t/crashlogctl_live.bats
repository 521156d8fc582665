#!/usr/bin/env bats
# crashlogctl on the running kernel: from enable to disable, by way of crashes.
# Kernel settings are saved by kernel.sh as well, should crashlogctl fail to
# put them back.
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
	for f in kernel/core_pattern kernel/core_pipe_limit fs/suid_dumpable; do
		kernel_set "/proc/sys/$f" "$(cat "/proc/sys/$f")"
	done
	kernel_set /proc/sys/kernel/core_pattern core
	kernel_set /proc/sys/kernel/core_pipe_limit 0
	ctl_install
	# where report_of and reports look
	# shellcheck disable=SC2034
	RUND=$CTL
}

teardown()
{
	end_bgs
	[ -z "${LOCKED:-}" ] || kernel_restore
	kernel_unlock
	ctl_release
}

live_all()
{
	cat /proc/sys/kernel/core_pattern /proc/sys/kernel/core_pipe_limit \
	    /proc/sys/fs/suid_dumpable
}

# ctl, while the lock is ours.
there_and_back()
{
	live_all >"$CTL/before"
	ctl enable >/dev/null
	[ "$(ctl is-active)" = active ]
	[ "$(cat /proc/sys/kernel/core_pipe_limit)" -ge 1024 ]
	[ "$(cat /proc/sys/fs/suid_dumpable)" = 2 ]
	crash "$VICTIMS/null"
	report_of "$PID"
	ctl list >"$CTL/out"
	awk -v p="$PID" '$4 == p && $3 == "null" && $5 == "SIGSEGV" { f = 1 }
		END { exit !f }' "$CTL/out"
	ctl show | grep -q '^cause: null pointer write'
	ctl enable >/dev/null
	crash "$VICTIMS/abort"
	report_of "$PID"
	[ "$(ctl list --json | grep -c '"program"')" = 2 ]
	ctl disable >/dev/null
	live_all | cmp - "$CTL/before"
	crash "$VICTIMS/null"
	[ "$(ctl list --json | grep -c '"program"')" = 2 ]
	rm -rf "$CTL/d" "$CTL/v" "$CTL/s"
}

@test "enable, crashes, list, show, disable: and all is as it was" {
	each_shell there_and_back
}

# dies COMMAND...: a daemon that says "ready" crashes; its end is waited for.
dies()
{
	live "$@"
	kill -SEGV "$PID"
	wait_for 20 gone "$PID"
}

@test "a daemon that dropped root: reported, to root alone, until disable" {
	needs_victim dropped
	kernel_set /proc/sys/fs/suid_dumpable 0
	live "$VICTIMS/dropped" 65534
	EARLY=$PID
	run ctl enable
	[ "$status" = 0 ]
	[[ $output == *"set fs.suid_dumpable to '2' (was '0')"* ]]
	[[ $output == *"daemons that dropped root, and set-user-ID programs, are reported, to root alone"* ]]
	[[ $output == *"(those that run already: when they are started anew)"* ]]
	grep -qx 'fs.suid_dumpable = 2' "$CTL/99.conf"
	dies "$VICTIMS/dropped" 65534
	report_of "$PID"
	[ "$(value dumpmode "$REPORT")" = 2 ]
	[ "$(value uid "$REPORT")" = 65534 ]
	[ "$(stat -c '%u %a' "$REPORT")" = '0 600' ]
	[ -n "$(section backtrace "$REPORT" | grep pause)" ]
	# the kernel's mark is as old as the setuid(2)
	kill -SEGV "$EARLY"
	wait_for 20 gone "$EARLY"
	dies "$VICTIMS/dropped" 65534
	report_of "$PID"
	[ "$(reports)" = 2 ]
	ctl disable >/dev/null
	[ "$(cat /proc/sys/fs/suid_dumpable)" = 0 ]
}

@test "suid-dumpable keep: as it was, and said" {
	needs_victim dropped
	kernel_set /proc/sys/fs/suid_dumpable 0
	echo 'suid-dumpable keep' >>"$CTL/c"
	run ctl enable
	[[ $output == *"leave neither report nor core (suid-dumpable)"* ]]
	[ "$(cat /proc/sys/fs/suid_dumpable)" = 0 ]
	not grep -q suid "$CTL/99.conf"
	dies "$VICTIMS/dropped" 65534
	crash "$VICTIMS/null"
	report_of "$PID"
	[ "$(reports)" = 1 ]
	run ctl doctor --no-crash
	[[ $output == *"suid_dumpable: 0: daemons that dropped root leave neither report nor core"* ]]
	ctl disable >/dev/null
	[ "$(cat /proc/sys/fs/suid_dumpable)" = 0 ]
}

@test "settings of every kind come back byte for byte" {
	local p
	for p in '|/usr/lib/systemd/systemd-coredump %P %u %g %s %t %c %h' \
	    'core.%e.%p' '' '| /bin/true  a   b '; do
		kernel_put /proc/sys/kernel/core_pattern "$p" ||
		    [ -z "$p" ]
		live_all >"$CTL/before"
		ctl --server none enable >/dev/null
		ctl --server none enable >/dev/null
		ctl is-active >/dev/null
		ctl disable >/dev/null
		live_all | cmp - "$CTL/before"
	done
}

# --- doctor ----------------------------------------------------------------

# Lines that are not "ok"; here nothing but the next boot, for which another
# file than the usual one was told.
complaints()
{
	grep -Ev '^ok |^         log: ' "$CTL/out" | grep -v ' at boot: ' || :
}

doctor_crashes()
{
	ctl enable >/dev/null
	ctl doctor >"$CTL/out" || :
	[ -z "$(complaints)" ]
	grep -Eq "^ok +test crash: process [0-9]+, reported as $CTL/d/usercrash_00: signature [0-9a-f]{16}" "$CTL/out"
	grep -Eq '^ +log: usercrash_c: info: [a-z]+\[[0-9]+\] SIGSEGV' "$CTL/out"
	# and nothing is left of it
	[ "$(reports)" = 0 ]
	[ -z "$(find "$CTL/d" -name '.doctor*')" ]
	ctl doctor --keep >/dev/null || :
	[ "$(reports)" = 1 ]
	ctl disable >/dev/null
	rm -rf "$CTL/d"
}

@test "doctor: makes a crash, finds its report and removes it" {
	each_shell doctor_crashes
}

@test "doctor: a report that the test displaced is put back" {
	echo 'slots 1' >>"$CTL/c"
	ctl enable >/dev/null
	crash "$VICTIMS/null"
	report_of "$PID"
	cp "$CTL/d/usercrash_00" "$CTL/kept"
	ls -i "$CTL/d/usercrash_00" >"$CTL/inode"
	ctl doctor >"$CTL/out" || :
	grep -q '^ok *test crash' "$CTL/out"
	cmp "$CTL/kept" "$CTL/d/usercrash_00"
	ls -i "$CTL/d/usercrash_00" | cmp - "$CTL/inode"
	# the ring goes on
	crash "$VICTIMS/abort"
	report_of "$PID"
	[ "$(reports)" = 1 ]
	ctl disable >/dev/null
}

@test "doctor: no report, and it says so" {
	echo 'report-wait 1' >>"$CTL/c"
	ctl enable >/dev/null
	rm "$CTL/bin/usercrash_c"
	cat >"$CTL/bin/usercrash_c" <<-'END'
		#!/bin/sh
		echo 'usercrash_c: error: no such thing' >/dev/kmsg
		cat >/dev/null
	END
	chmod 755 "$CTL/bin/usercrash_c"
	exits 1 ctl doctor >"$CTL/out"
	grep -Eq '^error +test crash: no report of process [0-9]+ after 11 s' \
	    "$CTL/out"
	grep -qx ' *log: usercrash_c: error: no such thing' "$CTL/out"
	[ -z "$(find "$CTL/d" -name '.doctor*')" ]
	ctl disable >/dev/null
	exits 1 ctl doctor >"$CTL/out"
	grep -Eq '^error +test crash: left out, as the pattern is not ours' \
	    "$CTL/out"
}

# --- with the wrapper ------------------------------------------------------

@test "with the wrapper: enable, crash, list, show, gdb, cores, disable" {
	needs_tool gdb
	sed -i "s|^store.*|store $CTL/cores|" "$CTL/c"
	live_all >"$CTL/before"
	ctl enable >/dev/null
	crash "$VICTIMS/null"
	report_of "$PID"
	ctl list | grep -q " $PID "
	ctl show latest | grep -q '^cause: null pointer write'
	wait_for 30 core_is_there "$PID"
	ctl gdb latest -nx -batch -ex bt -ex 'info inferiors' >"$CTL/out" \
	    2>"$CTL/err" </dev/null
	grep -q "process $PID" "$CTL/out"
	grep -q 'Program terminated with signal SIGSEGV' "$CTL/out"
	grep -Eq '^#0 .* in ' "$CTL/out"
	[ ! -s "$CTL/err" ] || not grep -q crashlogctl "$CTL/err"
	ctl doctor >"$CTL/out" || :
	[ -z "$(complaints)" ]
	grep -Eq "^ok +test core: $CTL/cores/" "$CTL/out"
	# the doctor's core went with its report
	[ "$(ctl cores | grep -c complete)" = 1 ]
	ctl disable >/dev/null
	live_all | cmp - "$CTL/before"
}

core_is_there()
{
	ctl cores | awk -v p="$1" '$3 == p && $6 == "complete" { f = 1 }
		END { exit !f }'
}

# --- a receiver that is down -------------------------------------------------

@test "no receiver for an hour: spooled, doctor says so, flush delivers all" {
	local port=$((20000 + $$ % 10000)) i
	mkdir "$CTL/remote"
	cat >>"$CTL/c" <<-END
		receiver 127.0.0.1:$port
		spool $CTL/spool
		spool-free 0
	END
	ctl enable >/dev/null
	for i in null abort threads; do
		crash "$VICTIMS/$i"
		report_of "$PID"
	done
	wait_for 30 waiting 3
	# an hour goes by
	find "$CTL/spool" -name '*.core' -exec touch -d '1 hour ago' {} +
	exits 1 ctl doctor >"$CTL/out"
	grep -E "^(warning|error) +receiver: .*$port" "$CTL/out"
	grep -E '^(warning|error) +spool: ' "$CTL/out"
	# the timer's command: fails as long as nobody answers, loses nothing
	exits 111 ctl flush
	waiting 4 || waiting 3
	bg "$BIN/recv_core" -u root -d "$CTL/remote" -m 0 -p "$port" 127.0.0.1
	wait_for 20 ctl flush
	waiting 0
	ctl doctor >"$CTL/out" || :
	[ -z "$(complaints)" ]
	# without the cores of doctor's own crashes
	for i in null abort crasher; do
		[ "$(find "$CTL/remote" -name "core.$i.*" ! -name '*.info' |
		    wc -l)" = 1 ]
	done
	[ -z "$(find "$CTL/remote" -name '*.part')" ]
	ctl disable >/dev/null
}

waiting()
{
	[ "$(find "$CTL/spool" -name '*.core' 2>/dev/null | wc -l)" = "$1" ]
}
