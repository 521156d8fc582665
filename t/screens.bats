#!/usr/bin/env bats
# What list, info, show and top look like on a terminal of 80 columns, with
# colours and without, as the texts in t/fixtures/screens have it; and reports as
# JSON, whichever they are.
#
#   SCREENS=new bats t/screens.bats     writes those texts anew, to be looked at
#
# not with sanitizers: a script; the programs have their own tests

load helper
load ctl

setup()
{
	ctl_begin
	needs_tool script
	# whatever there is to name frames here: nothing of it is asked
	sed -i 's/^source_lines()/&\n{ : >"$tmp\/lines"; }\nunused()/' \
	    "$CTL/lib/usercrash/show.sh"
	screen_reports
}

teardown()
{
	ctl_release
}

# Reports of an abort in C++, twice, of a fault in a library, and of a name that
# is longer than a column.
screen_reports()
{
	local f
	for f in "$TOP"/t/fixtures/screens/report.*; do
		cp "$f" "$CTL/d/usercrash_${f##*.}"
		touch -d "$(value time "$f")" "$CTL/d/usercrash_${f##*.}"
	done
	mkdir -p "$CTL/d"
	printf '2026-11-20T06:00:00Z %s\tseen with v1.2 only\n' 4711 >"$CTL/d/.notes"
	awk 'BEGIN { for (i = 0; i < 60; i++) printf \
	    "2026-11-%02dT%02d:00:00Z\t%s\tSIGSEGV\t%016x\t0\tnull pointer read\n", \
	    18 + int(i / 20), i % 9, (i % 4 ? "httpd" : "worker"), i % 4 ? 7 : 9 }' \
	    >"$CTL/d/.ledger"
}

# screen NAME ARGUMENT...: crashlogctl's, as in the texts: with colours in
# NAME.colour, without in NAME.
screen()
{
	local name=$1 kind want
	shift
	printf '%s\n' "$SH '$CTL/bin/crashlogctl' --conf $CTL/c --state $CTL/v --no-pager $*" \
	    >"$CTL/script"
	for kind in '' .colour; do
		(
			[ -n "$kind" ] && unset NO_COLOR || export NO_COLOR=1
			COLUMNS=80 TERM=xterm TZ=UTC script -qefc \
			    "sh $CTL/script" /dev/null </dev/null
		) | tr -d '\r' | sed -e "s|$CTL|DIR|g" \
		    -e 's/ ([0-9]* [a-z]* ago)/ (AGO)/' >"$CTL/got"
		want=$TOP/t/fixtures/screens/$name$kind
		[ "${SCREENS:-}" != new ] || cp "$CTL/got" "$want"
		diff -u "$want" "$CTL/got"
		# "DIR" is shorter than what it stands for
		[ "$(sed 's/\x1b\[[0-9;]*m//g' "$CTL/got" |
		    awk '{ if (length($0) > n) n = length($0) } END { print n }')" -le 80 ] ||
		    [ "$name" = show ] || [ "$name" = info ]
		if [ -n "$kind" ]; then
			grep -q $'\x1b\\[1m' "$CTL/got"
		else
			not grep -q $'\x1b' "$CTL/got"
		fi
	done
}

screens()
{
	screen list list
	screen info info 00
	screen info.lib info 02
	screen show show 00
	screen top top
	screen top.day top --by day
}

@test "list, info, show, top at 80 columns, with colours and without" {
	each_shell screens
}

# the program's own frame first: what the library did with its abort is folded
@test "info of a C++ abort: the program's own frame is the first" {
	ctl info 00 >"$CTL/got"
	grep -m 1 -E '^[> ] #' "$CTL/got" >"$CTL/first"
	[[ $(cat "$CTL/first") == '> #6  load(std::string const&)'* ]]
	[ "$(grep -n 'frames of libc, libstdc++' "$CTL/got" | cut -d : -f 1)" -lt \
	    "$(grep -n '^> #6 ' "$CTL/got" | cut -d : -f 1)" ]
}

# A real one: gdb makes the core, and debugger the report.
@test "info of an uncaught exception, real" {
	needs_victim uncaught
	needs_tool gdb c++filt
	(cd "$CTL" && gdb_do -ex 'run range' -ex 'generate-core-file core' \
	    -ex kill "$VICTIMS/uncaught") >"$CTL/said"
	[ -s "$CTL/core" ]
	"$BIN/debugger" "$CTL/core" >"$CTL/d/usercrash_05" 2>/dev/null
	ctl info 05 >"$CTL/got"
	cat "$CTL/got"
	grep -q '^uncaught: aborted: uncaught std::out_of_range: vector::_M_range_check' \
	    "$CTL/got"
	# what the C++ library and libc did is folded, above and below
	grep -m 1 -E '^[> ] #' "$CTL/got" | grep -Eq '^> #[0-9]+ +main  \(uncaught\)'
	grep -q '^      \.\.\. [0-9]* frames of libc, libstdc++$' "$CTL/got"
}

json_of()
{
	local f
	ctl show --json 00 >"$CTL/j"
	json_valid "$CTL/j"
	[ "$(json_get "$CTL/j" signal_name)" = SIGABRT ]
	[ "$(json_get "$CTL/j" backtrace 6 function)" = _Z4loadRKSs ]
	[[ $(json_get "$CTL/j" backtrace 6 demangled) == 'load(std::'* ]]
	[ "$(json_get "$CTL/j" backtrace 0 module_offset)" = 0x8aec ]
	# of both forms of one crash: all but what text does not tell
	ctl show --json --raw 06 >"$CTL/text"
	ctl show -F json --raw 07 >"$CTL/json"
	ctl show --raw 07 | cmp - "$CTL/json"
	for f in text json; do
		jq -S 'del(.cmdline) | del(.. | .sp?)' "$CTL/$f" >"$CTL/$f.s"
	done
	diff -u "$CTL/json.s" "$CTL/text.s"
	for f in 06 07; do
		ctl info --json $f | sed 's/usercrash_0[67]//' >"$CTL/info.$f"
		json_valid "$CTL/info.$f"
	done
	diff -u "$CTL/info.06" "$CTL/info.07"
}

@test "show --json and info --json: of text what JSON has" {
	needs_tool jq c++filt
	CORE=$TOP/t/fixtures/core-threads.x86_64
	# behind a copy nothing changes between the two
	cp "$CORE" "$CTL/core"
	"$BIN/debugger" "$CTL/core" >"$CTL/d/usercrash_06" 2>/dev/null || :
	"$BIN/debugger" -f json "$CTL/core" >"$CTL/d/usercrash_07" 2>/dev/null || :
	each_shell json_of
}

@test "show --json of a process that runs, and of hostile names" {
	needs_tool jq
	live
	kill -STOP "$PID"
	"$BIN/debugger" "$PID" >"$CTL/d/usercrash_06"
	kill -CONT "$PID"
	ctl show --json --raw 06 >"$CTL/j"
	json_valid "$CTL/j"
	[ "$(jq '[.threads[] | .backtrace | length > 0] | all' "$CTL/j")" = true ]
	[ "$(jq -r '.threads[].name' "$CTL/j" | grep -c sleeper)" -ge 1 ]
	[ "$(jq '.maps | length' "$CTL/j")" = "$(section maps "$CTL/d/usercrash_06" | grep -c .)" ]
	[ "$(jq '.memory | map(.rows | length) | add' "$CTL/j")" = \
	    "$(section memory "$CTL/d/usercrash_06" | grep -c '^    ')" ]
	end_bgs
	put_report 06 time=2026-01-01T00:00:00Z pid=1 'comm=a"b\c' \
	    'exe=/x\x1b[31m' 'abort_message={"a": 1}' 'note\=x=y'
	ctl show --json --raw 06 >"$CTL/j"
	json_valid "$CTL/j"
	[ "$(json_get "$CTL/j" comm)" = 'a"b\c' ]
	[ "$(json_get "$CTL/j" exe)" = '/x\x1b[31m' ]
	[ "$(json_get "$CTL/j" abort_message)" = '{"a": 1}' ]
}
