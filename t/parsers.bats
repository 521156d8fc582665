#!/usr/bin/env bats
# The two parsers of hostile files, core/corehead and elf/elfsym: their
# units, and their answers held against those of binutils and elfutils.

# shellcheck disable=SC2046,SC2086,SC2164
load helper

FIX=$BATS_TEST_DIRNAME/fixtures

setup()
{
	cd "$BATS_TEST_TMPDIR"
}

run_unit()
{
	local unit=$1
	shift
	run "$BUILD/t/$unit" "$@"
	echo "$output"
}

# names ELF [nm option]: "start size name" of its functions in the file sized;
# the addresses of their first and last bytes, ascending, in asked.
names()
{
	nm --defined-only -S ${2:+"$2"} "$1" 2>/dev/null |
	    awk 'NF == 4 && $3 ~ /^[tTwWi]$/ {
		sub(/@.*/, "", $4); print $1, $2, $4 }' >sized
	# nm knows no symbols without sections
	[ -s sized ] || readelf -DsW "$1" 2>/dev/null |
	    awk '$3 > 0 && $4 == "FUNC" && $7 != "UND" {
		printf "%s %x %s\n", $2, $3, $8 }' >sized
	[ -s sized ] || return 1
	while read -r start size _; do
		printf '%016x\n%016x\n' $((0x$start)) \
		    $((0x$start + 0x$size - 1))
	done <sized | sort -u >asked
}

# Each line of "resolve" names one of the symbols that begin where it says.
agree()
{
	awk 'NR == FNR { known[$1 " " $3] = 1; next }
	    { start = $3; while (length(start) < 16) start = "0" start
	      n++; if (!known[start " " $2]) { print "wrong:", $0; bad++ } }
	    END { print n + 0, "asked,", bad + 0, "wrong"
		  exit bad > 0 || n == 0 }' sized answers
}

@test "unit_corehead: streams, deadlines, PN_XNUM, every length, bit flips" {
	run_unit unit_corehead "$FIX"
	[ "$status" -eq 0 ]
	[[ $output == *" 0 failed" ]]
}

@test "unit_elfsym: which symbol wins, tables of every kind" {
	run_unit unit_elfsym "$FIX"
	[ "$status" -eq 0 ]
	[[ $output == *" 0 failed" ]]
}

@test "unit_names: tables of Go and of JIT compilers, cut and forged" {
	run_unit unit_names "$FIX"
	[ "$status" -eq 0 ]
	[[ $output == *" 0 failed" ]]
}

@test "unit_elfdebug: debug files, MiniDebugInfo, every length, bit flips" {
	run_unit unit_elfdebug "$FIX"
	[ "$status" -eq 0 ]
	[[ $output == *" 0 failed" ]]
}

@test "a core from a pipe: nothing after the notes is consumed" {
	local f whole
	for f in core.x86_64 core-threads.x86_64 core.aarch64; do
		"$BUILD/t/unit_corehead" show "$FIX/$f" >shown
		# a pipe, not the file
		# shellcheck disable=SC2002
		cat "$FIX/$f" | "$BUILD/t/unit_corehead" pipe >piped
		sed '/^rest:/d' piped | cmp - shown
		# The notes end where readelf says they do.
		if command -v readelf >/dev/null; then
			set -- $(readelf -lW "$FIX/$f" | grep ' NOTE ')
			whole=$(wc -c <"$FIX/$f")
			grep -qx "rest: $((whole - $2 - $5)) bytes" piped
		fi
	done
}

@test "a truncated and two forged cores: what is there, and the trouble" {
	run_unit unit_corehead show "$FIX/core-cut.x86_64"
	[ "$status" -eq 1 ]
	[[ $output == *"error: No data available"* ]]
	[[ $output == *"trouble: the core ends amid the notes"* ]]
	[[ $output == *"signal: 11 1 0x10"* ]]
	run_unit unit_corehead show "$FIX/core-forged-notes.x86_64"
	[ "$status" -eq 0 ]
	[[ $output == *"trouble: the notes are cut short or garbled"* ]]
	[[ $output == *"thread: "*" 11 216"* ]]
	run_unit unit_corehead show "$FIX/core-forged-files.x86_64"
	[ "$status" -eq 0 ]
	[[ $output == *"trouble: the file note claims more than it holds"* ]]
	[[ $output != *"file: "* ]]
	[[ $output == *"entry: 0x4"* ]]
}

@test "a 32-bit core: not for us, but thread, signal and name are known" {
	run_unit unit_corehead show "$FIX/core.i386"
	[ "$status" -eq 1 ]
	[[ $output == *"error: "*"ot supported"* ]] # as libc puts it
	[[ $output == *"class: 1"*"machine: 3"* ]]
	[[ $output == *"crash-i386|./crash-i386 --fixture a b"* ]]
	[[ $output == *"signal: 11 1 0x10"* ]]
	[[ $output == *"thread: "*" 11 0"* ]]
}

@test "an aarch64 core: ids, registers, files" {
	run_unit unit_corehead show "$FIX/core.aarch64"
	[ "$status" -eq 0 ]
	[[ $output == *"process: 4242 1000 1001 victim|victim --aarch64 x"* ]]
	[[ $output == *"signal: 11 2 0xaaaaaaaa0123"* ]]
	[[ $output == *"thread: 4243 11 272"*"thread: 4242 0 272"* ]]
	[[ $output == *"file: ffffaaaa0000-ffffaaaa2000 5000 /lib/aarch64/"* ]]
}

@test "cores as eu-readelf and readelf see them" {
	local f
	needs_tool readelf eu-readelf
	for f in core.x86_64 core-threads.x86_64 core.aarch64; do
		"$BUILD/t/unit_corehead" show "$FIX/$f" >shown
		readelf -lW "$FIX/$f" | awk '$1 == "LOAD" {
		    print "load:", $2, $3, $5, $6 }' >want
		[ -s want ]
		sed -n 's/^load: //p' shown | sed 's/^/load: /' | diff want -
		eu-readelf -n "$FIX/$f" >notes
		sed -n 's/^ *info.si_signo: .*, \(pid: [0-9]*\).*/\1/p
		    s/^ *pid: \([0-9]*\), ppid.*pgrp.*/pid: \1/p' notes >pids
		# The process note has a pid as well; threads suffice.
		sed -n 's/^thread: \([0-9]*\) .*/pid: \1/p' shown >ours
		[ -s ours ]
		while read -r line; do
			grep -qx "$line" pids
		done <ours
		sed -n 's/-0*/-/; s/^ *0*\([0-9a-f]*-[0-9a-f]*\) [0-9a-f]* [0-9]* *\(\/.*\)/\1 \2/p' \
		    notes >want
		[ -s want ]
		sed -n 's/^file: \([^ ]*\) [^ ]* \(.*\)/\1 \2/p' shown |
		    diff want -
	done
}

@test "every function of this unit, by its first and last byte, as nm has it" {
	needs_tool nm
	names "$BUILD/t/unit_elfsym"
	"$BUILD/t/unit_elfsym" resolve "$BUILD/t/unit_elfsym" <asked >answers
	run agree
	echo "$output"
	[ "$status" -eq 0 ]
}

@test "every function of libc, as nm has it" {
	local lib n=0
	needs_tool nm ldd
	ldd "$BUILD/t/unit_elfsym" >libs || unmet "needs the ldd of its libc"
	for lib in $(awk '$3 ~ /\/libc\./ { print $3 }' libs); do
		names "$lib" -D || continue
		"$BUILD/t/unit_elfsym" resolve "$lib" <asked >answers
		run agree
		echo "$lib: $output"
		[ "$status" -eq 0 ]
		n=$((n + 1))
	done
	[ "$n" -gt 0 ]
}

@test "libraries without .symtab or section headers; aarch64; cut ones" {
	local f
	needs_tool nm readelf
	for f in lib-stripped lib-noshdr lib-sysv lib-sections lib-aarch64; do
		names "$FIX/$f.elf" -D
		"$BUILD/t/unit_elfsym" resolve "$FIX/$f.elf" <asked >answers
		run agree
		echo "$f: $output"
		[ "$status" -eq 0 ]
	done
	names "$FIX/lib.elf" -D
	"$BUILD/t/unit_elfsym" resolve "$FIX/lib-cut.elf" <asked >answers
	run agree
	[ "$status" -eq 0 ]
}

@test "a separate debug file and MiniDebugInfo name what was stripped" {
	local at
	at=$("$BUILD/t/unit_elfsym" find "$FIX/lib.elf" lib_hidden)
	run "$BUILD/t/unit_elfsym" resolve "$FIX/lib-stripped.elf" <<<"$at"
	[[ $output != *lib_hidden* ]]
	run "$BUILD/t/unit_elfsym" resolve "$FIX/lib-stripped.elf" \
	    "$FIX/debug" <<<"$at"
	echo "$output"
	[[ $output == "$at lib_hidden $at "* ]]
	run "$BUILD/t/unit_elfsym" resolve "$FIX/lib-mini.elf" \
	    /nonexistent <<<"$at"
	echo "$output"
	[[ $output == "$at lib_hidden $at "* ]] ||
	    [[ $output == *"note: MiniDebugInfo is there, but this build has no liblzma"* ]]
}

@test "build-ids and sections as readelf has them" {
	local f id
	needs_tool readelf
	for f in "$FIX/lib.elf" "$FIX/crash.x86_64" "$FIX/lib-aarch64.elf" \
	    "$FIX"/debug/.build-id/*/*.debug "$BUILD/t/unit_elfsym"; do
		id=$(readelf -n "$f" | sed -n 's/.*Build ID: //p')
		[ -n "$id" ] || continue
		[ "$("$BUILD/t/unit_elfsym" buildid "$f")" = "$id" ]
	done
	set -- $(readelf -SW "$FIX/lib.elf" | sed -n 's/.* \.eh_frame  *PROGBITS//p')
	run_unit unit_elfsym section "$FIX/lib.elf" .eh_frame
	set -- $((0x$1)) $((0x$2)) $((0x$3)) $output
	[ "$1 $2 $3" = "$((0x$5)) $((0x$4)) $((0x$6))" ]
}
