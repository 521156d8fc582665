#!/usr/bin/env bats
# crashlog_read: times, words, forms, and what hostile reports leave of
# themselves; the rest are the tests of crashlogctl.

load helper

setup()
{
	T=$BATS_TEST_TMPDIR
	cd "$T" || return 1
	mkdir d
}

# report SLOT KEY=VALUE...
report()
{
	local slot=$1 kv
	shift
	{
		echo 'usercrash report 1'
		for kv; do
			printf '%s: %s\n' "${kv%%=*}" "${kv#*=}"
		done
		printf '\nbacktrace: unavailable: no core\n\n'
	} >"d/usercrash_$slot"
}

seconds()
{
	date -d "$("$BIN/crashlog_read" time "$1")" +%s
}

# is_time WORD SECONDS: a moment may pass.
is_time()
{
	local got
	got=$(seconds "$1")
	((got - $2 <= 60 && $2 - got <= 60)) || {
		echo "$1: $got, not $2"
		return 1
	}
}

@test "time: words of people, by the clock and the zone here" {
	local now zone
	now=$(date +%s)
	is_time now "$now"
	is_time -2h $((now - 7200))
	is_time -1h30min $((now - 5400))
	is_time '2 days ago' $((now - 172800))
	is_time '90s ago' $((now - 90))
	is_time -90 $((now - 90))
	is_time -1M $((now - 2629800))
	is_time -9999999y 0
	is_time -99999999999999999999w 0
	for zone in UTC Europe/Berlin America/St_Johns; do
		export TZ=$zone
		[ -e "/usr/share/zoneinfo/$zone" ] || TZ=AAA-3:30
		[ "$(seconds today)" = "$(date -d 'today 0:00' +%s)" ]
		[ "$(seconds yesterday)" = "$(date -d 'yesterday 0:00' +%s)" ]
		[ "$(seconds 10:00)" = "$(date -d 10:00 +%s)" ]
		[ "$(seconds 'yesterday 9:07')" = "$(date -d 'yesterday 9:07' +%s)" ]
		for t in 2026-11-26 '2026-03-29 12:34' '2024-02-29 23:59:59' \
		    2026-11-26T09:00:00Z 2026-11-26T09:00:00+05:30 \
		    '2026-11-26 09:00:00.25-0330' @1700000000; do
			echo "$t"
			[ "$(seconds "$t")" = "$(date -d "$t" +%s)" ]
		done
	done
	for t in '' soon -2 -- ago - -2x 2h @ @x 2026-13-01 2026-11-26x 25:00 \
	    2026-11-26T09:00:00+5 1:2 -1hh '2026-11-26 ' -h; do
		[ "$t" != -2 ] || continue
		run "$BIN/crashlog_read" time "$t"
		echo "$t: $output"
		[ "$status" = 100 ]
		[[ $output == *"'$t' is no time; such are: -2h"* ]]
	done
}

@test "each exit code" {
	local r="$BIN/crashlog_read -d $T/d"
	report 00 time=2026-01-01T00:00:00Z pid=1 exe=/a
	$r list
	run $r list none
	[ "$status" = 1 ]
	[ "$output" = "crashlog_read: error: list: no report is meant by 'none': crashlogctl list shows all 1" ]
	run "$BIN/crashlog_read" -d "$T/none" list
	[ "$status" = 1 ]
	[ "$output" = "crashlog_read: error: there is no $T/none: no report yet" ]
	run $r since
	[ "$status" = 100 ]
	run $r nothing
	[ "$status" = 100 ]
	run $r
	[ "$status" = 100 ]
	run $r -F xml list
	[ "$status" = 100 ]
	run $r -b day top
	[ "$status" = 1 ]
	[ "$output" = "crashlog_read: error: there is no ledger in $T/d yet" ]
	mkdir d/.ledger
	run $r -b day top
	[ "$status" = 111 ]
	run sh -c "$r list >/dev/full"
	[ "$status" = 111 ]
	[ "$output" = "crashlog_read: fatal: unable to write: No space left on device" ]
}

@test "it looks into reports behind the door" {
	local p
	needs_root
	report 00 time=2026-01-01T00:00:00Z pid=1 exe=/a
	mkfifo out
	"$BIN/crashlog_read" -d d list >out &
	p=$!
	# nobody reads yet, so it waits before it is anything; then it is let go
	exec 5<>out
	wait "$p"
	exec 5>&-
	# what stops it from opening anything: a file that is opened too late
	strace -V >/dev/null 2>&1 || unmet "no strace"
	strace -f -o trace "$BIN/crashlog_read" -d d list >/dev/null
	awk '/seccomp\(|PR_SET_SECCOMP/ { shut = NR }
		/open(at)?\(/ { last = NR }
		END { exit !(shut > 0 && last < shut) }' trace
}

# threat 12: nothing but what a report has a right to
@test "reports that are cut, forged or something else" {
	local i
	report 00 time=2026-01-01T00:00:00Z pid=1 exe=/a
	cp d/usercrash_00 whole
	for ((i = 0; i < $(stat -c %s whole); i++)); do
		head -c $i whole >"d/usercrash_00"
		"$BIN/crashlog_read" -d d -F tsv list >out
		[ "$(awk -F '\t' '{ print NF }' out)" = 23 ]
	done
	{
		echo '{'
		echo '"format": "usercrash",'
		echo '"pid": "4\"\\7",'
		echo '"exe": {"n": 1},'
		printf '"comm": "a\\'
	} >d/usercrash_00
	[ "$("$BIN/crashlog_read" -d d -F tsv list | cut -f 4,6,7)" = \
	    $'4"\\7\ta\\\t-' ]
	# another's JSON
	printf '{\n"pid": 7,\n"backtrace": []}\n' >d/usercrash_00
	[ "$("$BIN/crashlog_read" -d d -F tsv list | cut -f 4,6,11)" = \
	    $'-\t?\tnot a report' ]
	# one line without an end
	{
		printf 'usercrash report 1\ncause: '
		head -c 3000000 /dev/zero | tr '\0' x
	} >d/usercrash_00
	"$BIN/crashlog_read" -d d -F tsv list >out
	[ "$(wc -c <out)" -lt 300000 ]
	head -c 300000 /dev/urandom >d/usercrash_00
	"$BIN/crashlog_read" -d d list >out
	grep -q 'not a report' out
	printf 'usercrash report 1\npid: 1\0002\ncomm: a\377\303\251\342\200\213b\n\n' \
	    >d/usercrash_00
	[ "$("$BIN/crashlog_read" -d d -F tsv list | cut -f 4,6)" = \
	    $'1?2\ta?é?b' ]
}

@test "10,000 lines of the ledger and 10,000 slots" {
	local i
	awk 'BEGIN { for (i = 0; i < 10000; i++)
		printf "2026-01-%02dT%02d:00:00Z\tp%d\tSIGSEGV\t%016x\t0\tc\n",
		    1 + i / 400, i % 24, i % 700, i % 700 }' >d/.ledger
	for ((i = 100; i < 10000; i++)); do
		printf 'usercrash report 1\npid: %d\nexe: /p%d\nsignature: %x\n\n' \
		    "$i" $((i % 500)) $((i % 900)) >"d/usercrash_$i"
	done
	timeout 60 "$BIN/crashlog_read" -d d list >out
	[ "$(wc -l <out)" = 9901 ]
	[ "$(timeout 60 "$BIN/crashlog_read" -d d -F tsv list pid:4711 |
	    cut -f 15)" = 11 ]
	timeout 60 "$BIN/crashlog_read" -d d -n 3 top >out
	grep -qx '       and 497 more' out
	timeout 60 "$BIN/crashlog_read" -d d -b month top >out
	[ "$(head -1 out)" = '10000 crashes, 2026-01-01T00:00:00Z to 2026-01-25T15:00:00Z, by month (UTC)' ]
	[ "$(tail -1 out)" = 'and 690 more signatures' ]
}

@test "JSON and tabs: top, over time, since" {
	report 00 time=2026-01-01T00:00:00Z pid=1 exe=/a signature=aa
	report 01 time=2026-01-02T00:00:00Z pid=2 exe=/b signature=bb 'cause=c"'
	printf '2026-01-0%dT12:00:00Z\tp\tSIGSEGV\t%s\t0\tc\n' 1 aa 2 aa 3 'b"' >d/.ledger
	r() { "$BIN/crashlog_read" -d d -F json "$@" >json && json_valid json; }
	r top
	[ "$(json_get json 0 kind)" = program ]
	[ "$(json_get json 3 signature)" = aa ] ||
	    [ "$(json_get json 3 signature)" = bb ]
	r -b day top
	[ "$(json_get json 2 signature)" = 'b"' ]
	r since 2026-01-02T00:00:00Z
	[ "$(json_get json 0 kind)" = new ]
	[ "$("$BIN/crashlog_read" -d d -F tsv since 2026-01-03)" = \
	    "$(printf 'new\t1\tb"\tp\tc\ngone\t2\taa\tp\tc')" ]
	# a time that is none, cut amid a letter
	printf '2026-11-?\310\2538:14:00Z\tp\tSIGSEGV\taa\t0\tc\n' >>d/.ledger
	r -b day top
	not grep -P '[^\x00-\x7f]' json
	grep -q '"2026-11-??"' json
	rm d/usercrash_*
	r list && [ "$(cat json)" = '[]' ]
	r top && [ "$(cat json)" = '[]' ]
}

@test "what may not be read is left out, and told" {
	needs_root
	needs_tool setpriv
	report 00 time=2026-01-01T00:00:00Z pid=1 exe=/a
	report 01 time=2026-01-02T00:00:00Z pid=2 exe=/b
	D=$(mktemp -d /run/uXXXX)
	cp d/* "$D"
	cp "$BIN/crashlog_read" "$D/r"
	chmod 755 "$D"
	chmod 600 "$D/usercrash_00"
	run setpriv --reuid=65534 --regid=65534 --clear-groups "$D/r" -d "$D" \
	    -F tsv list
	rm -r "$D"
	[ "$status" = 1 ]
	[[ $output == *$'\t/b\t'* && $output != *$'\t/a\t'* ]]
	[[ $output == *"crashlog_read: warning: 1 report of others in $D cannot be read"* ]]
}

@test "cores: JSON and tabs" {
	mkdir -p st/h
	head -c 3145728 /dev/urandom >st/h/core.c.11.1700000000
	printf 'host: h\ncomm: c\npid: 11\ntime: 1700000000\n' \
	    >st/h/core.c.11.1700000000.info
	"$BIN/crashlog_read" -k st -F json cores >json
	json_valid json
	[ "$(json_get json 0 mib)" = 3.0 ]
	[ "$(json_get json 0 state)" = complete ]
	[ "$(json_get json 0 time)" = 2023-11-14T22:13:20Z ]
	[ "$("$BIN/crashlog_read" -k st -F tsv cores | cut -f 4,14,22,23)" = \
	    $'11\tst/h/core.c.11.1700000000\t3.0\tcomplete' ]
	# a sender that says the time many times
	{
		printf 'host: h\nexe: /usr/bin/prog\npid: 11\n'
		for n in $(seq 20); do
			echo "time: $n"
		done
	} >st/h/core.c.11.1700000000.info
	"$BIN/crashlog_read" -k st -F json cores >json
	[ "$(json_get json 0 time)" = 1970-01-01T00:00:20Z ]
	[ "$(json_get json 0 program)" = prog ]
	[ "$(json_get json 0 mib)" = 3.0 ]
}
