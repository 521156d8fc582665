# lint.sh finds what it says it finds: each check in a tree that has one fault.
#
# not with sanitizers: no program of ours is run

load helper

setup()
{
	TREE=$BATS_TEST_TMPDIR/tree
	mkdir -p "$TREE"/src/base "$TREE"/src/report "$TREE"/src/unwind \
	    "$TREE"/src/bpf "$TREE"/bin "$TREE"/man "$TREE"/t/unit
	cp "$TOP/.clang-format" "$TREE"
	cat >"$TREE/Makefile" <<-'EOF'
		CC = gcc
		ALL_CFLAGS = -Isrc -Wall -Wextra -Werror
		usercrash_s = base
	EOF
	cat >"$TREE/src/base/a.h" <<-'EOF'
		/* a: nothing much. */
		#ifndef BASE_A_H
		#define BASE_A_H

		int a_value(void);

		#endif
	EOF
	printf '#include "base/a.h"\n\nint\na_value(void)\n{\n\treturn 1;\n}\n' \
	    >"$TREE/src/base/a.c"
	printf '/* prog: %s */\n#include "base/a.h"\n\nint\nmain(void)\n{\n\treturn a_value();\n}\n' \
	    'one.' >"$TREE/src/prog.c"
	# shellcheck disable=SC2016
	printf '#!/bin/sh\necho "$1"\n' >"$TREE/bin/script"
	printf '@test "x" {\n\ttrue\n}\n' >"$TREE/t/prog.bats"
	cat >"$TREE/man/prog.1" <<-'EOF'
		.Dd January 2, 2024
		.Dt PROG 1
		.Os
		.Sh NAME
		.Nm prog
		.Nd do nothing
		.Sh SYNOPSIS
		.Nm
		.Sh DESCRIPTION
		Returns one.
	EOF
}

lint()
{
	run "$TOP/t/lint.sh" -C "$TREE" "$@"
	echo "$output"
}

# finds CHECK TEXT...: that check fails, on one line with all of the texts.
finds()
{
	local lines t
	lint "$1"
	[ "$status" = 1 ]
	lines=$(echo "$output" | grep "^lint: $1: ")
	shift
	for t; do
		lines=$(echo "$lines" | grep -F -- "$t")
	done
	[ -n "$lines" ]
}

clean()
{
	lint "$@"
	[ "$status" = 0 ]
	not grep -q '^lint: ' <<<"$output"
}

# has CHECK TOOL: whether the tool is there; where it is not, the check must
# say so and find nothing.
has()
{
	command -v "$2" >/dev/null && return
	clean "$1"
	grep -q "^skipped: $1: " <<<"$output"
	return 1
}

@test "a clean tree passes every check" {
	clean
}

@test "usage: a check that does not exist, a tree that does not exist" {
	lint nonsense
	[ "$status" = 100 ]
	run "$TOP/t/lint.sh" -C "$TREE/none"
	[ "$status" = 100 ]
}

@test "all findings are shown, not the first alone" {
	printf '#include "report/x.h"\n' >>"$TREE/src/base/a.c"
	rm "$TREE/t/prog.bats" "$TREE/man/prog.1"
	lint rooms pages
	[ "$status" = 1 ]
	[ "$(grep -c '^lint: rooms: ' <<<"$output")" = 1 ]
	[ "$(grep -c '^lint: pages: ' <<<"$output")" = 2 ]
	grep -q '^lint: 3 findings$' <<<"$output"
}

@test "format: a line that clang-format would change" {
	printf 'int  b;\n' >>"$TREE/src/base/a.c"
	if clang-format --version 2>/dev/null | grep -q 'version 14\.'; then
		finds format src/base/a.c
	else
		clean format
		grep -q '^skipped: format: ' <<<"$output"
	fi
}

@test "rooms: base includes report" {
	printf '#include "out/out.h"\n' >>"$TREE/src/base/a.c"
	finds rooms src/base/a.c:8 out/out.h
}

@test "rooms: every arrow, allowed or not" {
	local from to allowed want
	local rooms='segv probe report bpf track unwind target send store slots
	    core crash stream net proc elf memop out base'
	rm -r "$TREE"/src/*
	for from in $rooms; do
		case $from in
		segv)
			allowed='probe report unwind track bpf target elf'
			allowed="$allowed memop core proc out"
			;;
		probe) allowed='bpf core proc' ;;
		report) allowed='unwind target elf memop core proc out' ;;
		unwind) allowed='target elf memop core' ;;
		track) allowed='target proc' ;;
		target) allowed='elf core proc' ;;
		send | store) allowed='crash stream core net proc' ;;
		crash) allowed=proc ;;
		stream) allowed=crash ;;
		slots) allowed=net ;;
		bpf) allowed=proc ;;
		*) allowed= ;;
		esac
		allowed="$allowed base"
		mkdir -p "$TREE/src/$from"
		want=
		for to in $rooms; do
			printf ' # include "%s/y.h"\n' "$to"
			case " $from $allowed " in
			*" $to "*) ;;
			*) want="$want$to " ;;
			esac
		done >"$TREE/src/$from/x.c"
		lint rooms
		[ "$(sed -n "s|^lint: rooms: src/$from/x.c:[0-9]*: \"\([a-z]*\)/y.h\" points.*|\1|p" \
		    <<<"$output" | tr '\n' ' ')" = "$want" ]
		rm "$TREE/src/$from/x.c"
	done
	# a program may use all of them
	printf '#include "report/y.h"\n#include "bpf/y.h"\n' >"$TREE/src/p.c"
	clean rooms
}

@test "rooms: a header beside the file, a way round, a new folder" {
	printf '#include "a.h"\n' >"$TREE/src/base/b.c"
	finds rooms src/base/b.c:1
	printf '#include "../report/a.h"\n' >"$TREE/src/base/b.c"
	finds rooms src/base/b.c:1
	rm "$TREE/src/base/b.c"
	mkdir "$TREE/src/attic"
	printf '#include <stdio.h>\n' >"$TREE/src/attic/b.c"
	finds rooms src/attic/b.c attic
}

# calls ROOM/FILE SYMBOL...: a file that defines FILE() and calls those.
calls()
{
	local f=$TREE/src/$1.c name=${1#*/} s
	shift
	mkdir -p "${f%/*}"
	for s; do
		printf 'int %s(void);\n' "$s"
	done >"$f"
	printf 'int %s(void);\nint %s(void) { return 0' "$name" "$name" >>"$f"
	for s; do
		printf ' + %s()' "$s"
	done >>"$f"
	printf '; }\n' >>"$f"
}

@test "rings: two files, three files, by data, up without an include" {
	needs_tool nm
	calls report/one two
	calls report/two three
	calls report/three
	calls report/above one
	calls report/below
	clean rings
	calls report/three below
	clean rings
	calls report/three two
	finds rings 'src/report/three.c is in a ring' 'uses src/report/two.c'
	[ -z "$(echo "$output" | grep -E 'above|below|one')" ]
	calls report/three one
	finds rings 'src/report/three.c is in a ring' 'uses src/report/one.c'
	calls report/three
	echo 'extern int datum; int below(void); int below(void) { return datum; }' \
	    >"$TREE/src/report/below.c"
	echo 'int datum; int below(void); int mine(void); int mine(void) { return below(); }' \
	    >"$TREE/src/report/three.c"
	finds rings 'src/report/below.c is in a ring'
	rm "$TREE"/src/report/*.c
	calls base/low
	calls report/high low
	clean rings
	calls base/low high
	finds rings 'src/base/low.c uses high of src/report/high.c'
}

@test "folders: one file more than there may be" {
	local i
	for i in $(seq 19); do
		printf 'int b%s;\n' "$i" >"$TREE/src/base/b$i.c"
	done
	clean folders
	printf 'int b;\n' >"$TREE/src/base/b.c"
	finds folders src/base 21
}

@test "servers: an unwinder among what a server links, hidden in a variable" {
	printf 'MORE = unwind\nusercrash_s += $(MORE)\n' >>"$TREE/Makefile"
	finds servers usercrash_s unwind
	printf 'usercrash_s = base\nrecv_core = base report\n' \
	    >>"$TREE/Makefile"
	finds servers recv_core report
	rm "$TREE/Makefile"
	finds servers "not to be had"
}

@test "scripts: what shellcheck and dash object to" {
	if has scripts dash; then
		printf '#!/bin/sh\nif true; then\n' >"$TREE/bin/script"
		finds scripts bin/script dash
	fi
	printf '#!/bin/sh\ntrue\n' >"$TREE/bin/script"
	has scripts shellcheck || return 0
	# shellcheck disable=SC2016
	printf '#!/bin/sh\necho $1\n' >"$TREE/bin/script"
	finds scripts bin/script:2 SC2086
	# shellcheck disable=SC2016
	printf '#!/bin/sh\necho "$1"\n' >"$TREE/bin/script"
	printf '@test "x" {\n\tcd /nowhere\n\tunused=1\n}\n' \
	    >"$TREE/t/prog.bats"
	finds scripts t/prog.bats:3
}

@test "man: an unknown macro" {
	has man groff || return 0
	printf '.Xyz\n' >>"$TREE/man/prog.1"
	finds man man/prog.1
}

@test "words: each of them, anywhere" {
	local w
	for w in TO""DO FIX""ME X""XX st""ub "Not imple""mented"; do
		printf '/* %s */\n' "$w" >"$TREE/src/base/w.h"
		finds words src/base/w.h:1
	done
	rm "$TREE/src/base/w.h"
	printf '%s later\n' TO""DO >"$TREE/README"
	finds words README:1
	printf 'mktemp /tmp/a.XXXXXX, stubborn\n' >"$TREE/README"
	clean words
}

@test "size: 500 lines pass, 501 do not" {
	seq -f '/* %g */' 500 >"$TREE/src/base/long.c"
	clean size
	echo >>"$TREE/src/base/long.c"
	finds size src/base/long.c 501
}

# shaped COMMENT PARAMETERS LINES: such a function (a line more where the
# parameters are two), in src/base/b.c.
shaped()
{
	printf '/* b: functions. */\n%sstatic int\nb(%s)\n{\n' "$1" "$2"
	yes '	b();' | head -n "$(($3 - 3))"
	echo '}'
} >"$TREE/src/base/b.c"

@test "shape: 5 parameters and 60 lines pass, more do not without a word" {
	local five='int a, int (*b)(int, int), int c,
    int d, char e[2]'
	shaped '' "$five" 59
	clean shape
	shaped '/* Of several lines and parameters. */
' "$five, int f" 59
	finds shape src/base/b.c:4 'b has 6 parameters'
	shaped '/* Six
 * parameters: they differ. */
' "$five, int f" 59
	clean shape
	shaped '/* Six parameters: they differ. */

/* Another. */
' "$five, int f" 59
	finds shape 'b has 6 parameters'
	shaped '' void 61
	finds shape src/base/b.c:3 'b has 61 lines'
	shaped '/* Over 60 lines: a row a case. */
' void 61
	clean shape
	# a word that is none any more
	shaped '/* Over 60 lines: a row a case. */
' void 60
	finds shape 'b has 60 lines, and a word for more'
	shaped '/* Six parameters: they differ. */
' "$five" 5
	finds shape 'b has 5 parameters, and a word for more'
	# a prototype is where the word is not looked for
	printf '/* b: one. */\nint\nb(%s, int f);\n' "$five" >"$TREE/src/base/b.c"
	clean shape
}

@test "shape: ten have a word, eleven are too many" {
	local i
	for i in $(seq 11); do
		shaped '/* Six parameters: so. */
' 'int a, int b, int c, int d, int e, int f' 4
		mv "$TREE/src/base/b.c" "$TREE/src/base/c$i.c"
		[ "$i" = 11 ] || clean shape
	done
	finds shape '11 functions'
}

@test "shape: what a file is for, in it or in its header" {
	printf 'int b;\n' >"$TREE/src/base/b.c"
	finds shape src/base/b.c 'what it is for'
	printf 'int b;\n' >"$TREE/src/base/b.h"
	finds shape src/base/b.c 'what it is for'
	printf '/* b: one. */\nint b;\n' >"$TREE/src/base/b.h"
	clean shape
	rm "$TREE/src/base/b.h"
	printf '/* b: one. */\nint b;\n' >"$TREE/src/base/b.c"
	clean shape
}

@test "pages: a program without a man page, without tests" {
	mv "$TREE/man/prog.1" "$TREE/man/other.1"
	finds pages src/prog.c man/
	mv "$TREE/man/other.1" "$TREE/man/prog.8"
	clean pages
	rm "$TREE/t/prog.bats"
	finds pages src/prog.c t/prog.bats
}

@test "machines: a file that knows of one, and is not named" {
	mkdir "$TREE/src/core"
	printf '/*\n * places: base (all), here.c\n */\nint there;\n' \
	    >"$TREE/src/core/arch.h"
	echo 'int m = EM_X86_64;' | tee "$TREE/src/base/any.c" \
	    >"$TREE/src/report/here.c"
	clean machines
	printf '#if defined(__aarch64__)\n#endif\n' >"$TREE/src/report/there.c"
	finds machines src/report/there.c
}

@test "guards: none, one that guards nothing; code in a header of t/unit" {
	printf 'int b;\n' >"$TREE/src/base/b.h"
	finds guards src/base/b.h
	printf '#ifndef BASE_B_H\n#define BASE_C_H\n#endif\n' \
	    >"$TREE/src/base/b.h"
	finds guards src/base/b.h
	rm "$TREE/src/base/b.h"
	printf '#ifndef T_B_H\n#define T_B_H\nint b(void);\n#endif\n' \
	    >"$TREE/t/unit/b.h"
	clean guards
	printf '#ifndef T_B_H\n#define T_B_H\nint\nb(void)\n{\n}\n#endif\n' \
	    >"$TREE/t/unit/b.h"
	finds guards t/unit/b.h:5
}

@test "clang, cross: a warning is a finding" {
	local check
	for check in "clang clang" "cross aarch64-linux-gnu-gcc"; do
		cp "$TREE/src/base/a.c" "$BATS_TEST_TMPDIR/a.c"
		# shellcheck disable=SC2086
		has $check || continue
		check=${check% *}
		printf 'static int unused;\n' >>"$TREE/src/base/a.c"
		finds "$check" src/base/a.c:8
		printf '#include "base/none.h"\n' >"$TREE/src/base/a.c"
		finds "$check" src/base/a.c:1
		cp "$BATS_TEST_TMPDIR/a.c" "$TREE/src/base/a.c"
	done
}

@test "cross: what needs a header of another architecture is left out" {
	has cross aarch64-linux-gnu-gcc || return 0
	printf '#include <libunwind-none.h>\n' >"$TREE/src/base/a.c"
	clean cross
	grep -q '^skipped: cross: src/base/a.c' <<<"$output"
}
