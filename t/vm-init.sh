#!/bin/sh
# vm-init: /init of the board that t/vm.sh boots: every step of a crash there.
#
# The board has busybox, our programs, two victims and nothing else.  A step
# prints "ok: NAME", or what it said and "failed: NAME"; the last line is
# "end: N passed, N failed".  Then the board is off.

PATH=/usr/bin:/bin:/sbin:/usr/sbin
export PATH
passed=0 failed=0

# step NAME FUNCTION
step()
{
	if (set -e; "$2") >/tmp/said 2>&1 </dev/null; then
		passed=$((passed + 1))
		echo "ok: $1"
	else
		failed=$((failed + 1))
		tail -n 40 /tmp/said | sed 's/^/  /'
		echo "failed: $1"
	fi
}

# until_true COMMAND...: up to a minute; the whole board has a deadline.
until_true()
{
	tries=600
	until "$@"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || {
			echo "waited in vain for: $*"
			return 1
		}
		sleep 0.1
	done
}

# crash: a victim's end, by the signal that it is to have; its id in $pid.
crash()
{
	rc=0
	/vm/null &
	pid=$!
	wait $pid || rc=$?
	[ $rc = 139 ]
}

# settings: all that enable may change in the kernel.
settings()
{
	for f in kernel/core_pattern kernel/core_pipe_limit fs/suid_dumpable; do
		cat /proc/sys/$f
	done
}

report_there()
{
	report=$(grep -lx "pid: $1" /var/log/usercrashes/usercrash_* 2>/dev/null)
	[ -n "$report" ]
}

# has_chain FILE: the functions of the victim, in their order.
has_chain()
{
	sed -n '/^backtrace:/,/^$/s/.* \([a-z_]*\)+0x.*(null+.*/\1/p' "$1" |
	    head -n 4 | tr '\n' ' ' >/tmp/chain
	cat /tmp/chain
	grep -qx 'crash_here inner outer main ' /tmp/chain
}

# --- steps -----------------------------------------------------------------

enable()
{
	settings >/tmp/settings
	crashlogctl enable
	grep usercrash-wrapper /proc/sys/kernel/core_pattern
	[ "$(crashlogctl is-active)" = active ]
}

report()
{
	crash
	until_true report_there $pid
	cat "$report"
	grep -qx 'cause: null pointer write in crash_here' "$report"
	has_chain "$report"
	! grep '^incomplete' "$report"
}

listed()
{
	crashlogctl list
	crashlogctl list | grep 'null pointer write in crash_here'
	crashlogctl show --raw | grep -qx 'exe: /vm/null'
	crashlogctl show | grep 'crash_here'
}

# The usual way with what is promised: all is well, or it is said what is not.
doctor()
{
	crashlogctl doctor
}

# What enable set up for cores, on this machine: the store has it.
stored()
{
	crash
	until_true core_of $pid /var/lib/usercrash
	debugger "$core" >/tmp/of-core
	has_chain /tmp/of-core
}

core_of()
{
	core=$(find "$2" -name "core.null.$1.*" ! -name '*.info' ! -name '*.part')
	[ -n "$core" ]
}

# A receiver, and the core that the wrapper sends to it.
sent()
{
	mkdir /tmp/got
	recv_core -m 0 -d /tmp/got 127.0.0.1 >/tmp/recv.log 2>&1 &
	receiver=$!
	echo 'receiver 127.0.0.1' >>/etc/usercrash.conf
	until_true listens
	crash
	until_true core_of $pid /tmp/got || { cat /tmp/recv.log; false; }
	kill $receiver
	sed -i '/^receiver/d' /etc/usercrash.conf
	debugger "$core" >/tmp/of-core
	has_chain /tmp/of-core
}

listens()
{
	netstat -ltn | grep -q ':64740 '
}

live()
{
	/vm/live >/tmp/live &
	until_true grep -q ready /tmp/live
	debugger $! >/tmp/of-live
	kill $!
	cat /tmp/of-live
	grep '^  thread .* "sleeper"' /tmp/of-live
	grep 'in_pause+0x.*(live+' /tmp/of-live
	grep 'spins+0x.*(live+' /tmp/of-live
}

# watched OPTIONS...: what segfault_analyzer tells of a crash.
watched()
{
	: >/tmp/seen.err # not that of the last one
	segfault_analyzer -v "$@" >/tmp/seen 2>/tmp/seen.err &
	watcher=$!
	until_true grep -q attached /tmp/seen.err || { cat /tmp/seen.err; false; }
	crash
	until_true grep "SEGFAULT in process null (PID: $pid" /tmp/seen
	kill -INT $watcher
	wait $watcher
	cat /tmp/seen /tmp/seen.err
	grep 'Fault Address: 0x0$' /tmp/seen
}

analyzer()
{
	[ -r /sys/kernel/btf/vmlinux ]
	watched -t
	grep '#0 .* crash_here+' /tmp/seen
	grep '#3 .* main+' /tmp/seen
	grep -x ' *reliable' /tmp/seen
}

# As on a kernel without BTF: the signal itself is told all the same.
bare()
{
	mount -t tmpfs none /sys/kernel/btf 2>/dev/null || :
	[ ! -e /sys/kernel/btf/vmlinux ]
	bare_rc=0
	watched || bare_rc=$?
	umount /sys/kernel/btf 2>/dev/null || :
	return $bare_rc
}

disable()
{
	crashlogctl disable
	settings | diff /tmp/settings -
	[ "$(crashlogctl is-active)" = inactive ]
}

# ---------------------------------------------------------------------------

/bin/busybox --install -s
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs run /run
mkdir -m 1777 /tmp
ip link set lo up
hostname board
echo
echo "kernel: $(uname -rm)"
echo "memory: $(sed -n 's/MemTotal: *//p' /proc/meminfo)"
if [ -r /sys/kernel/btf/vmlinux ]; then
	echo "btf: yes"
else
	echo "btf: no"
fi
step enable enable
step 'crash and its report' report
step 'list and show' listed
step doctor doctor
step 'core into the store' stored
step 'send and receive' sent
step 'debugger on a live process' live
[ ! -r /sys/kernel/btf/vmlinux ] ||
    step 'segfault_analyzer' analyzer
step 'segfault_analyzer without BTF' bare
step disable disable
echo "end: $passed passed, $failed failed"
poweroff -f
