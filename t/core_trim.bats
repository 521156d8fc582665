# core_trim: what is left of a core says the same, to debugger and to others.

load helper

FORGE=$BUILD/t/core_forge
TRIM=$BIN/core_trim

setup()
{
	[ -x "$FORGE" ] || unmet "core_forge is not built here"
	T=$BATS_TEST_TMPDIR
	cd "$T" || return 1
}

teardown()
{
	end_bgs
	pattern_release
}

# forged OPTIONS VICTIM ARGS...: the core of its crash: whole.
forged()
{
	needs_victim "$2"
	# shellcheck disable=SC2086
	"$FORGE" $1 whole "$VICTIMS/$2" "${@:3}" >/dev/null 2>&1
}

# Both reports, but for the time, which is the file's.
same_report()
{
	"$BIN/debugger" whole | grep -v '^time:' >want
	"$BIN/debugger" small | grep -v '^time:' | diff want -
}

size()
{
	stat -c %s "$1"
}

# trims OPTIONS...: $RC, err; small.
trims()
{
	RC=0
	"$TRIM" "$@" <whole >small 2>err || RC=$?
	echo "exit $RC: $(cat err)"
}

@test "usage: 100, and nothing for a terminal" {
	local a
	for a in -x '-s 0' '-s x' '-m -1' '-p 0' '-w 0' word; do
		# shellcheck disable=SC2086
		run "$TRIM" $a </dev/null
		[ "$status" = 100 ]
	done
	needs_tool script
	forged '' null
	run script -qec "$TRIM <whole" /dev/null </dev/null
	[ "$status" = 100 ]
	[[ $output == *"neither is for a terminal"* ]]
}

@test "what is no core of this machine: said, 100, and nothing comes out" {
	local f
	: >empty
	head -c 4096 /dev/urandom >noise
	for f in empty noise "$TOP/t/fixtures/core.i386" "$TRIM"; do
		run "$TRIM" <"$f"
		echo "$f: $output"
		[ "$status" = 100 ]
		[ "${#lines[@]}" = 1 ]
		[[ $output == core_trim:* ]]
	done
}

@test "the report of what is left is the report of the whole" {
	local v
	for v in null 'throw terminate' strlen 'handler fault' 'causes handler' \
	    'abort assert' coroutine 'smash_guarded guarded' callback jit \
	    'faults wild' bare null_static 'jump wild'; do
		# what is in a file is not in the kernel's cores, either
		# shellcheck disable=SC2086
		forged -T $v
		trims
		echo "$v: $(size whole) $(size small)"
		[ $RC = 0 ]
		[ ! -s err ]
		same_report
		# at most: 200 KiB, and what an exception is looked for in
		case $v in
		throw*) [ "$(size small)" -le $((350 << 10)) ] ;;
		*) [ "$(size small)" -le $((200 << 10)) ] ;;
		esac
	done
}

# No rule names the middle of a stack that was used up.
@test "what the report has read is kept, whatever the rules say" {
	forged -T overflow
	trims -s 4 -m 0
	[ $RC = 0 ]
	same_report
}

@test "cores that others wrote: notes last, no text, no list of files" {
	local o
	for o in -TL -ZH -F -TLHRF; do
		forged $o null
		trims
		[ $RC = 0 ]
		same_report
	done
}

@test "a pipe is as good as a file, trimmed twice is as good as once" {
	forged '' null
	trims
	# shellcheck disable=SC2002  # that is the point
	cat whole | TMPDIR=$T "$TRIM" | cmp - small
	[ -z "$(find . -name 'tmp*' -o -size +10M)" ]
	mv small whole
	trims
	cmp whole small
	run env TMPDIR=/nonexistent "$TRIM" < <(cat whole)
	[ "$status" = 111 ]
	[[ $output == *"unable to keep the core in /nonexistent"* ]]
}

@test "gdb and eu-stack see the same in it" {
	local c v
	needs_tool gdb
	for v in null 'throw terminate' 'handler fault' 'abort assert'; do
		# shellcheck disable=SC2086
		forged '' $v
		trims
		for c in whole small; do
			gdb_do -ex 'thread apply all bt' -ex 'info sharedlibrary' \
			    "$VICTIMS/${v%% *}" $c >$c.gdb
			! command -v eu-stack >/dev/null || eu-stack -e \
			    "$VICTIMS/${v%% *}" --core=$c >$c.eu 2>&1 || :
		done
		grep -q '^#0' whole.gdb
		sed -i 's/core: whole//; s/core: small//' ./*.gdb
		diff whole.gdb small.gdb
		! command -v eu-stack >/dev/null || diff whole.eu small.eu
	done
}

@test "-d: the program's own data; without it they are not there, nor zeros" {
	needs_tool gdb gcc
	cat >p.c <<-'END'
		#include <stdlib.h>
		int filled[5000] = {1}, empty[5000];
		int main(void) { empty[4000] = 42; filled[4000] = 43; abort(); }
	END
	gcc -g -O0 -o p p.c
	"$FORGE" whole ./p >/dev/null 2>&1
	trims
	gdb_do -ex 'print empty[4000]' -ex 'print filled[4000]' ./p small >out || :
	not grep -q '= 42' out
	grep -q 'Cannot access memory' out
	trims -d
	gdb_do -ex 'print empty[4000]' -ex 'print filled[4000]' ./p small >out || :
	grep -q '= 42' out
	grep -q '= 43' out
}

@test "-s and -m: how much of a stack, and of what pointers lead to" {
	local few
	forged '' much mb 4 || :
	forged '' null
	trims -s 4 -m 0
	few=$(size small)
	trims -s 1024 -m 512
	[ "$(size small)" -gt "$few" ]
}

@test "a core that was cut: what is there, and 1" {
	forged '' null
	truncate -s $(($(size whole) - 100000)) whole
	trims
	[ $RC = 1 ]
	grep -qx 'core_trim: warning: the core was cut before its end' err
	"$BIN/debugger" whole 2>/dev/null >want || :
	"$BIN/debugger" small 2>/dev/null >got || :
	diff <(section registers want) <(section registers got)
	[ "$(value cause want)" = "$(value cause got)" ]
}

@test "a worker that fails: the core leaves as it is" {
	forged '' null
	# its notes are not all there
	truncate -s $(($(readelf -lW whole |
	    awk '$1 == "NOTE" { print $2 }') + 500)) whole
	trims
	[ "$RC" = 1 ]
	grep -q '^core_trim: warning: unable to trim the core: .*: it is passed on whole$' err
	cmp whole small
}

@test "in the kernel's pipe: the head from there, memory from the process" {
	local v most
	for v in null threads; do
		needs_victim $v
		most=$((200 << 10))
		[ $v = null ] || most=$((most + 200 * (20 << 10)))
		[ -n "${RUND:-}" ] || pattern_lock
		cat >"$RUND/h" <<-EOF
			exec 2>>$RUND/log
			$BIN/core_tee sh -c 'cat >$RUND/whole' \; \
			    sh -c '$TRIM --pid='\$1' --pidfd='\$2' >$RUND/small; echo \$? >$RUND/rc'
			echo done >$RUND/done
		EOF
		rm -f "$RUND/done"
		pattern "|/bin/sh $RUND/h %P %F"
		# shellcheck disable=SC2046
		crash "$VICTIMS/$v" $([ $v = null ] || echo 200)
		wait_for 60 test -e "$RUND/done"
		cat "$RUND/log" 2>/dev/null || :
		[ "$(cat "$RUND/rc")" = 0 ]
		cp "$RUND/whole" "$RUND/small" .
		echo "$v: $(size whole) $(size small)"
		"$BIN/debugger" whole >want
		"$BIN/debugger" small >got
		for s in backtrace threads registers; do
			diff <(section $s want) <(section $s got)
		done
		[ "$(value cause want)" = "$(value cause got)" ]
		[ "$(value signature want)" = "$(value signature got)" ]
		[ "$(size small)" -le $most ]
	done
}
