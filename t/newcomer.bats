#!/usr/bin/env bats
# not with sanitizers: a script
#
# What somebody types who has read nothing, or is used to other tools: each does
# it, or says in one line what to type instead.

load helper
load ctl

setup()
{
	ctl_begin
	ctl_fake_proc
	put_report 00 "time=$(date -u +%FT%TZ)" host=box pid=16321 tid=16321 \
	    comm=boom exe=/usr/bin/boom uid=0 'signal=11 SIGSEGV' \
	    'cause=null pointer read in get' signature=00000000000000aa
	put_report 01 time=2026-01-02T03:04:05Z host=box pid=99 tid=99 \
	    comm=httpd exe=/usr/sbin/httpd uid=33 'signal=6 SIGABRT' \
	    'cause=aborted' signature=00000000000000bb
	touch -d 2026-01-02 "$CTL/d/usercrash_01"
}

teardown()
{
	ctl_release
}

crashlogctl()
{
	ctl "$@"
}

# typed STATUS PATTERN COMMAND: that is its exit status, and in what it says.
# Who is told no gets one line, or how it is used.
typed()
{
	local got=0 out=$BATS_TEST_TMPDIR/out err=$BATS_TEST_TMPDIR/err
	(PATH=$BIN:$PATH && eval "$3") >"$out" 2>"$err" </dev/null || got=$?
	if [ "$got" != "$1" ] || ! cat "$out" "$err" | grep -Eq -e "$2"; then
		echo "$3"
		head -n 5 "$out" "$err"
		echo "exit status $got, not $1, or not in it: $2"
		return 1
	fi
	[ "$1" = 0 ] || [ "$(wc -l <"$err")" -le 1 ] ||
	    grep -q '^usage: ' "$err" || {
		echo "$3: more than a line"
		cat "$err"
		return 1
	}
}

# all_typed MINIMUM: lines "STATUS  PATTERN  COMMAND" of stdin, two blanks
# between.
all_typed()
{
	local line n=0 rest
	while IFS= read -r line; do
		rest=${line#*  }
		typed "${line%%  *}" "${rest%%  *}" "${rest#*  }"
		n=$((n + 1))
	done
	[ "$n" -ge "$1" ]
}

@test "crashlogctl: what does it" {
	all_typed 28 <<-'END'
		0  boom.*null pointer read in get  crashlogctl list
		0  boom  crashlogctl list boom
		0  boom  crashlogctl list -1
		0  httpd  crashlogctl list -r -n 1
		0  boom  crashlogctl list latest
		0  boom  crashlogctl list --since -1h
		0  httpd  crashlogctl list --until yesterday
		0  httpd  crashlogctl list --since=2026-01-02 httpd
		0  httpd  crashlogctl list --signal ABRT
		0  boom  crashlogctl list --uid root
		0  "program": "boom"  crashlogctl list --json
		0  "program": "boom"  crashlogctl list -F json
		0  ^boom: null pointer  crashlogctl info
		0  ^boom: null pointer  crashlogctl info boom
		0  ^httpd: aborted  crashlogctl info 99
		0  ^httpd: aborted  crashlogctl info /usr/sbin/httpd
		0  ^pid: 16321  crashlogctl show
		0  ^pid: 16321  crashlogctl show 16321
		0  ^pid: 99  crashlogctl show 01
		0  ^pid: 99  crashlogctl show 00000000000000bb
		0  ^pid: 16321  crashlogctl show boom | cat
		0  boom  crashlogctl top
		0  boom  crashlogctl top 1
		0  ^  crashlogctl note boom seen
		0  seen  crashlogctl info boom
		1  ^active: no  crashlogctl status
		1  inactive  crashlogctl is-active
		0  would set kernel.core_pattern  crashlogctl -n enable
		0  ^usage: crashlogctl  crashlogctl help
		0  ^usage: crashlogctl  crashlogctl list --help
		0  ^crashlogctl \(usercrash\)  crashlogctl --version
		0  ^  crashlogctl rm boom
	END
	[ ! -e "$CTL/d/usercrash_00" ]
}

@test "crashlogctl: what to type instead" {
	all_typed 30 <<-'END'
		100  ^usage: crashlogctl  crashlogctl
		100  crashlogctl list\?  crashlogctl ls
		100  crashlogctl list\?  crashlogctl lst
		100  crashlogctl info boom\?  crashlogctl boom
		100  crashlogctl info 16321\?  crashlogctl 16321
		100  crashlogctl gdb\?  crashlogctl debug boom
		100  crashlogctl gdb\?  crashlogctl bt
		100  crashlogctl enable\?  crashlogctl start
		100  crashlogctl disable\?  crashlogctl dissable
		100  crashlogctl rm\?  crashlogctl delete boom
		100  crashlogctl status\?  crashlogctl stat
		100  crashlogctl doctor\?  crashlogctl doc
		100  crashlogctl --help\)  crashlogctl xyzzy
		100  --since\?  crashlogctl list --sinse yesterday
		100  --json\?  crashlogctl list --jason
		100  crashlogctl --help\)  crashlogctl list -5
		100  -2h, yesterday,  crashlogctl list --since tomorow
		100  table, json  crashlogctl list -F csv
		1  crashlogctl list shows all 2  crashlogctl list boon
		1  crashlogctl list shows all 2  crashlogctl info boon
		1  crashlogctl list shows all 2  crashlogctl show 4242
		1  no report is meant  crashlogctl rm boon
		100  which\?  crashlogctl rm
		100  by --age, --count or --size  crashlogctl vacuum
		100  what is to be noted  crashlogctl note boom
		100  no number  crashlogctl top ten
		100  hour, day or month  crashlogctl top --by year
		1  the local store has no core  crashlogctl dump latest
		1  the local store has no core  crashlogctl dump latest | cat; exit ${PIPESTATUS[0]}
		1  the local store has no core  crashlogctl gdb boom
		100  no operand|no option or operand  crashlogctl enable --now
		100  no option or operand  crashlogctl watch boom
		100  there is no user nobodyhere  crashlogctl list --uid nobodyhere
	END
}

@test "the other programs: what to type instead" {
	all_typed 17 <<-'END'
		100  ^usage: debugger  debugger
		100  pidof bash  debugger bash
		100  No such file  debugger ./core
		100  /etc/passwd is not an ELF core  debugger /etc/passwd
		1  no process 2147483646  debugger 2147483646
		100  ^usage: debugger  debugger --json 1
		100  ^usage: core_tee  core_tee
		100  no receiver is given: a host  core_send
		100  ^usage: core_send  core_send --flush
		111  the input is empty  core_send localhost
		100  core_send: fatal: .*70000  core_send localhost:70000
		100  ^usage: recv_core  recv_core --port 1
		100  wants a number  recv_core -p http
		100  ^usage: usercrash_c  usercrash_c
		100  wants a number from 1 to 10000  usercrash_s -n x
		100  wants a number  segfault_analyzer --pid bash
		100  wants names as SEGV,BUS  segfault_analyzer --signals FOO
		100  crashlogctl enable  usercrash-wrapper
	END
}
