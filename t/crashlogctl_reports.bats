#!/usr/bin/env bats
# crashlogctl: list, show, top, watch, vacuum, cores, gdb.
#
# not with sanitizers: a script

load helper
load ctl

setup()
{
	ctl_begin
}

teardown()
{
	end_bgs
	ctl_release
}

# A report by the real thing, of a core that is at hand: OPTIONS...
real_report()
{
	local core
	core=$TOP/t/fixtures/core.$(uname -m)
	[ -s "$core" ] || unmet "no core fixture for $(uname -m)"
	"$BIN/usercrash_c" -d "$CTL/d" -S "$CTL/none" --time=1700000000 "$@" \
	    999999 crash 11 <"$core" 2>/dev/null
}

# --- list ------------------------------------------------------------------

three_reports()
{
	put_report 00 time=2026-01-01T00:00:00Z pid=10 comm=a exe=/bin/a \
	    "signal=11 SIGSEGV" "cause=null pointer read" \
	    signature=00000000000000aa
	put_report 01 time=2026-01-02T00:00:00Z pid=11 tid=12 comm=b \
	    "exe=/opt/b b (deleted)" "signal=6 SIGABRT" uid=7 \
	    signature=00000000000000bb host=h
	put_report 02 time=2026-01-03T00:00:00Z pid=13 comm=a exe=/bin/a \
	    "signal=11 SIGSEGV" "cause=null pointer read" \
	    signature=00000000000000aa
	touch -d '2026-01-03' "$CTL/d/usercrash_00"
	touch -d '2026-01-02' "$CTL/d/usercrash_01"
	touch -d '2026-01-01' "$CTL/d/usercrash_02"
}

list_is()
{
	ctl list | diff - <(cat <<-'END'
	SLOT  WHEN                  PROGRAM  PID  SIGNAL   SAME  SIGNATURE         CAUSE
	  00  2026-01-01T00:00:00Z  a         10  SIGSEGV     2  00000000000000aa  null pointer read
	  01  2026-01-02T00:00:00Z  b b       11  SIGABRT     1  00000000000000bb  -
	  02  2026-01-03T00:00:00Z  a         13  SIGSEGV     2  00000000000000aa  null pointer read
	END
	)
}

@test "list: a table, the newest first" {
	[ -z "$(ctl list)" ]
	[ "$(ctl list --json)" = '[]' ]
	three_reports
	each_shell list_is
	rm -r "$CTL/d"
	exits 1 ctl list 2>/dev/null
	[ "$(ctl list --json)" = '[]' ]
}

list_json_is()
{
	ctl list --json >"$CTL/json"
	json_valid "$CTL/json"
	[ "$(json_get "$CTL/json" 1 program)" = "b b" ]
	[ "$(json_get "$CTL/json" 1 exe)" = "/opt/b b (deleted)" ]
	[ "$(json_get "$CTL/json" 1 slot)" = 1 ]
	[ "$(json_get "$CTL/json" 1 pid)" = 11 ]
	[ "$(json_get "$CTL/json" 1 tid)" = 12 ]
	[ "$(json_get "$CTL/json" 1 uid)" = 7 ]
	[ "$(json_get "$CTL/json" 1 host)" = h ]
	[ "$(json_get "$CTL/json" 1 signal)" = 6 ]
	[ "$(json_get "$CTL/json" 1 signal_name)" = SIGABRT ]
	[ "$(json_get "$CTL/json" 0 count)" = 2 ]
	[ "$(json_get "$CTL/json" 2 cause)" = "null pointer read" ]
	[ "$(json_get "$CTL/json" 2 path)" = "$CTL/d/usercrash_02" ]
	not grep -q '"cause".*00000000000000bb' "$CTL/json"
}

@test "list --json" {
	three_reports
	each_shell list_json_is
}

@test "list: of text and of JSON, by the ring's own order" {
	local order
	real_report
	real_report -f json
	real_report
	# not by the clock
	touch -d '2030-01-01' "$CTL/d/usercrash_00"
	for SH in "${SHELLS[@]}"; do
		ctl list | sed 1d >"$CTL/out"
		[ "$(awk '{ print $1 }' "$CTL/out" | tr '\n' ' ')" = "02 01 00 " ]
		# both forms tell the same
		[ "$(sed 's/^ *[0-9]*//' "$CTL/out" | sort -u | wc -l)" = 1 ]
		[ "$(awk '{ print $3, $5, $6 }' "$CTL/out" | sort -u)" = \
		    "crash SIGSEGV 3" ]
	done
	# without the records, and for what they do not know
	rm "$CTL/d/.slots"
	order=$(ctl list | awk 'NR > 1 { print $1 }' | head -1)
	[ "$order" = 00 ]
}

# threats 7 and 9: what is no report, and text that would like to be more
list_survives()
{
	timeout 20 "$CTL/run" "$SH" list --json >"$CTL/json"
	json_valid "$CTL/json"
	[ "$(json_get "$CTL/json" 0 program)" = '$(touch x)' ]
	[ "$(json_get "$CTL/json" 0 cause)" = 'a\x1b[31m"\\ '\''`touch x`' ]
	[ "$(json_get "$CTL/json" 0 pid)" = '010' ]
	[ "$(json_get "$CTL/json" 1 program)" = '?' ]
	[ "$(json_get "$CTL/json" 1 cause)" = 'not a report' ]
	timeout 20 "$CTL/run" "$SH" list >"$CTL/out"
	[ "$(wc -l <"$CTL/out")" = 5 ]
	not grep -P '[^\x0a\x20-\x7e]' "$CTL/out"
	not grep -r 'touched' "$CTL/out"
	[ ! -e x ] && [ ! -e "$CTL/x" ]
}

@test "list: hostile text, garbage, FIFOs and links" {
	cat >"$CTL/run" <<-END
		#!/bin/bash
		s=\$1
		shift
		exec \$s "$CTL/bin/crashlogctl" --conf "$CTL/c" "\$@"
	END
	chmod 755 "$CTL/run"
	put_report 00 'exe=/a/$(touch x)' pid=010 \
	    'cause=a\x1b[31m"\\ '\''`touch x`' signature='00000000000000aa'
	printf 'nothing of the kind\n\033[31m' >"$CTL/d/usercrash_01"
	: >"$CTL/d/usercrash_02"
	printf 'usercrash report 1\npid: 7\033[1m\t8\n' >"$CTL/d/usercrash_03"
	mkfifo "$CTL/d/usercrash_04"
	mkdir "$CTL/d/usercrash_05"
	ln -s /etc/passwd "$CTL/d/usercrash_06"
	touch "$CTL/d/usercrash_x" "$CTL/d/.pub.1" "$CTL/d/usercrash_ 1"
	for f in 00 01 02 03; do
		touch -d "2026-01-0$((4 - 10#$f))" "$CTL/d/usercrash_$f"
	done
	cd "$CTL"
	each_shell list_survives
}

@test "list: by somebody who may not" {
	chmod 755 "$CTL"
	run setpriv --reuid=65534 --regid=65534 --clear-groups \
	    "$CTL/bin/crashlogctl" --conf "$CTL/c" list
	[ "$status" = 111 ]
	[[ $output == *"unable to read $CTL/d: Permission denied" ]]
}

# --- show: finding ---------------------------------------------------------

shows()
{
	[ "$(ctl show --raw "$1" | sed -n 's/^pid: //p')" = "$2" ]
}

which_is_found()
{
	shows 0 10 && shows 00 10 && shows 02 13 && shows usercrash_01 11 &&
	    shows latest 10 && shows 00000000000000aa 10 &&
	    shows 00000000000000bb 11 && shows "$CTL/d/usercrash_02" 13
	[ "$(ctl show --raw | sed -n 's/^pid: //p')" = 10 ]
	exits 1 ctl show 7 2>/dev/null
	exits 1 ctl show 00000000000000cc 2>/dev/null
	exits 1 ctl show "$CTL/d/none" 2>/dev/null
	exits 1 ctl show ../d/../x+ 1 2>/dev/null
}

@test "show: a slot, latest, a signature, a file" {
	three_reports
	each_shell which_is_found
}

@test "show --raw: the report as it is; without tools the same" {
	real_report
	ctl show --raw 0 | cmp - "$CTL/d/usercrash_00"
	ctl show 0 | cmp - "$CTL/d/usercrash_00"
	real_report -f json
	ctl show 1 | cmp - "$CTL/d/usercrash_01"
}

# --- show: frames ----------------------------------------------------------

# A report of a live C++ program with inlined functions: $CTL/shop, $PID;
# reports in slots 00 (text) and 01 (JSON).
shop()
{
	needs_tool g++ addr2line c++filt readelf setpriv
	cat >"$BATS_TEST_TMPDIR/shop.cc" <<-'END'
		#include <cstdio>
		#include <unistd.h>
		#define INLINE static inline __attribute__((always_inline))
		namespace shop {
		struct Cart { int n; int add(long k); };
		INLINE int rest(int k) { puts("ready"); fflush(stdout);
			for (;;) pause(); return k; }
		INLINE int total(int k) { return rest(k) * 2; }
		__attribute__((noinline)) int Cart::add(long k) {
			return total(n + k) + 1; }
		}
		int main(int argc, char **) { shop::Cart c{3};
			return c.add(argc) + 1; }
	END
	g++ -g -O1 -Wl,--build-id -o "$CTL/shop" "$BATS_TEST_TMPDIR/shop.cc"
	chmod 755 "$CTL" "$CTL/shop"
	live "$CTL/shop"
	"$BIN/debugger" "$PID" >"$CTL/d/usercrash_00"
	"$BIN/debugger" -f json "$PID" >"$CTL/d/usercrash_01"
}

# Frames of Cart::add with what stands below them.
cart()
{
	sed -n '/^backtrace:/,/^$/p' "$1" |
	    awk '/#[0-9]+ pc / { on = /Cart/ } on && !/#/' |
	    sed 's/^ *//; s|/.*/||'
}

show_has_lines()
{
	ctl show 0 >"$CTL/out"
	grep -Eq '^  #[0-9]+ pc [0-9a-f]{16} shop::Cart::add\(long\)\+0x[0-9a-f]+ \(shop\+0x[0-9a-f]+\)$' "$CTL/out"
	cart "$CTL/out" >"$CTL/cart"
	# the innermost name is one that some versions do not know
	sed -E '1s/^(shop::rest|rest|\?\?|shop::rest\(int\)) /rest /
	    2s/^(shop::)?total(\(int\))? /total /' "$CTL/cart" | diff - <(cat <<-'END'
		rest at shop.cc:7, inlined
		total at shop.cc:8, inlined
		shop::Cart::add(long) at shop.cc:10
	END
	)
	grep -q '^ *main at .*shop.cc:13$' "$CTL/out"
	# that is all that was put in
	sed -E '/ at .*(shop\.cc|\.[cS]):[0-9]+(, inlined)?$/d
	    s/shop::Cart::add\(long\)/_ZN4shop4Cart3addEl/' "$CTL/out" |
	    diff - "$CTL/d/usercrash_00"
}

@test "show: names made readable, lines, inlined functions" {
	shop
	each_shell show_has_lines
}

show_json_has_lines()
{
	ctl show 1 >"$CTL/json"
	json_valid "$CTL/json"
	python3 - "$CTL/json" "$CTL/d/usercrash_01" <<-'END'
		import json, sys
		new, old = [json.load(open(f)) for f in sys.argv[1:]]
		f = [x for x in new["backtrace"]
		     if x.get("demangled") == "shop::Cart::add(long)"]
		assert len(f) == 1, new["backtrace"]
		s = f[0]["source"]
		assert [x["line"].split("/")[-1] for x in s] == \
		    ["shop.cc:7", "shop.cc:8", "shop.cc:10"], s
		assert s[2]["function"] == "shop::Cart::add(long)", s
		for x in new["backtrace"]:
		    x.pop("demangled", 0), x.pop("source", 0)
		assert new == old
	END
}

@test "show: the same in JSON" {
	needs_tool python3
	shop
	each_shell show_json_has_lines
}

# thrown NUMBER: reports of a C++ program's end in slots 00 and 01 (JSON).
thrown()
{
	"$BUILD/t/core_forge" "$CTL/core" "$CTL/thrower" $1 >/dev/null 2>&1
	"$BIN/debugger" "$CTL/core" >"$CTL/d/usercrash_00"
	"$BIN/debugger" -f json "$CTL/core" >"$CTL/d/usercrash_01"
}

show_names_causes()
{
	thrown
	ctl show 0 >"$CTL/out"
	grep -Fqx 'cause: aborted: uncaught shop::Bad<shop::Cart>: in _Z1fv "x"' \
	    "$CTL/out"
	grep -Fqx 'exception: shop::Bad<shop::Cart>' "$CTL/out"
	ctl show 1 >"$CTL/json"
	json_valid "$CTL/json"
	[ "$(json_get "$CTL/json" exception_demangled)" = \
	    "shop::Bad<shop::Cart>" ]
	[ "$(json_get "$CTL/json" cause_demangled)" = \
	    "$(value cause "$CTL/out")" ]
	# what the program said is no name of ours
	[ "$(json_get "$CTL/json" cause)" = \
	    'aborted: uncaught N4shop3BadINS_4CartEEE: in _Z1fv "x"' ]
	thrown 1
	ctl show 0 >"$CTL/out"
	[ "$(value cause "$CTL/out")" = \
	    "null pointer write at offset 0x8 in shop::Cart::add(int*)" ]
	ctl show 1 >"$CTL/json"
	[ "$(json_get "$CTL/json" cause_demangled)" = \
	    "$(value cause "$CTL/out")" ]
}

@test "show: names in the cause and of the exception" {
	needs_tool g++ c++filt python3
	[ -x "$BUILD/t/core_forge" ] || unmet "core_forge is not built here"
	cat >"$BATS_TEST_TMPDIR/thrower.cc" <<-'END'
		#include <stdexcept>
		namespace shop {
		struct Cart { __attribute__((noinline)) void add(int *p) { *p = 1; } };
		template <class T> struct Bad : std::runtime_error {
			using std::runtime_error::runtime_error; };
		}
		int main(int argc, char **) {
			if (argc == 1)
				throw shop::Bad<shop::Cart>("in _Z1fv \"x\"");
			shop::Cart().add((int *)8); }
	END
	g++ -w -O1 -o "$CTL/thrower" "$BATS_TEST_TMPDIR/thrower.cc"
	chmod 755 "$CTL" "$CTL/thrower"
	each_shell show_names_causes
}

@test "show: a program that is another one by now is not looked into" {
	shop
	end_bgs
	sed -i 's/k; }$/k + 1; }/' "$BATS_TEST_TMPDIR/shop.cc"
	sed -i 's/INLINE int rest/\n\n\nINLINE int rest/' \
	    "$BATS_TEST_TMPDIR/shop.cc"
	rm "$CTL/shop"
	g++ -g -O1 -Wl,--build-id -o "$CTL/shop" "$BATS_TEST_TMPDIR/shop.cc"
	ctl show 0 >"$CTL/out"
	grep -q 'shop::Cart::add' "$CTL/out"
	not grep -q 'shop\.cc' "$CTL/out"
	# nor a FIFO that has its name, which nobody would write to
	rm "$CTL/shop"
	mkfifo "$CTL/shop"
	timeout 20 "$CTL/bin/crashlogctl" --conf "$CTL/c" show 0 >"$CTL/out"
	not grep -q 'shop\.cc' "$CTL/out"
}

@test "show: separate debug files by build-id, below --root, and by debuginfod" {
	local id d
	shop
	end_bgs
	id=$(readelf -n "$CTL/shop" | sed -n 's/.*Build ID: //p')
	d=$CTL/root/usr/lib/debug/.build-id/${id:0:2}
	mkdir -p "$d"
	mv "$CTL/shop" "$d/${id:2}.debug"
	ctl show 0 >"$CTL/out"
	not grep -q 'shop\.cc' "$CTL/out"
	ctl --root "$CTL/root" show "$CTL/d/usercrash_00" >"$CTL/out"
	[ "$(cart "$CTL/out" | wc -l)" = 3 ]
	# by debuginfod, which is asked only if the conf says so
	mv "$d/${id:2}.debug" "$CTL/cached"
	chmod 400 "$CTL/cached"
	cat >"$CTL/bin/debuginfod-find" <<-END
		#!/bin/sh
		echo "\$*" >>$CTL/asked
		[ "\$1 \$2" = "debuginfo $id" ] && echo $CTL/cached
	END
	chmod 755 "$CTL/bin/debuginfod-find"
	ctl show 0 >"$CTL/out"
	[ ! -e "$CTL/asked" ]
	echo 'debuginfod yes' >>"$CTL/c"
	ctl show 0 >"$CTL/out"
	[ "$(cart "$CTL/out" | wc -l)" = 3 ]
	grep -qx "debuginfo $id" "$CTL/asked"
}

@test "show: addresses: as they are on top and after a signal, less one in callers" {
	cat >"$CTL/d/usercrash_00" <<-'END'
		usercrash report 1
		pid: 1

		backtrace:
		  #00 pc 0000000000401000 f+0x10 (p (x+0x1)+0x1000)
		  #01 pc 0000000000402000 ?? (p (x+0x1)+0x2000) <signal frame>
		  #02 pc 0000000000403000 _Zg a+0x1 (p (x+0x1)+0x3000)
		  #03 pc 0000000000404000 h+0x1 (p (x+0x1)+0x100000000)
		  ... 9 frames left out
		  #13 pc 0000000000500000 k+0x1 (q+0x1)
		  #14 pc 0000000000600000 in /not/a/module
		  #15 pc 0000000000700000 v+0x1 ([vdso]+0x5)

		threads:
		  thread 7 "#00 pc 0000000000401111 f+0x10 (p+0x1111)"
		    #00 pc 0000000000405000 _Zf+0x10 (p (x+0x1)+0x5000) <by frame pointer>
		    #01 pc 0000000000406000 f+0x10 (p (x+0x1)+0x6000)

		maps:
		  #00 pc 0000000000407000 f+0x10 (p+0x7000)

		modules:
		  000000400000-000000410000 bias 0 build-id aabb /x/p (x+0x1) (the file is gone)
		  000000500000-000000510000 bias 0 /x/\x0aq
		  000000700000-000000710000 bias 0 build-id cc [vdso]
	END
	for a in mawk gawk 'busybox awk' awk; do
		command -v "${a%% *}" >/dev/null || continue
		# shellcheck disable=SC2086
		$a -v want=frames -f "$TOP/bin/lib/frames.awk" \
		    "$CTL/d/usercrash_00" | sort >"$CTL/out"
		# shellcheck disable=SC2059
		diff <(printf "$(cat <<-'END'
		at\taabb\t0x1000\t/x/p (x+0x1) (the file is gone)
		at\taabb\t0x1fff\t/x/p (x+0x1) (the file is gone)
		at\taabb\t0x3000\t/x/p (x+0x1) (the file is gone)
		at\taabb\t0x5000\t/x/p (x+0x1) (the file is gone)
		at\taabb\t0x5fff\t/x/p (x+0x1) (the file is gone)
		at\taabb\t0xffffffff\t/x/p (x+0x1) (the file is gone)
		name\t_Zf
		name\t_Zg a\n
		END
		)") "$CTL/out"
	done
}

# threats 9 and 12
@test "show: tools run as nobody, what they say cannot hurt" {
	shop
	mkdir -m 777 "$CTL/who"
	mkdir -m 755 "$CTL/tmp"
	export TMPDIR=$CTL/tmp
	cat >"$CTL/bin/addr2line" <<-END
		#!/bin/sh
		id -u >$CTL/who/addr2line
		while read -r a; do
			printf '%s\\nf\\033]0;x\\007\\t\\n/a/\\033[2J\$(id)"\\\\\\303\\251.c:7\\n' "\$a"
		done
	END
	cat >"$CTL/bin/c++filt" <<-END
		#!/bin/sh
		id -u >$CTL/who/filt
		sed 's/.*/a\\x1b[31m"\\t\\\\/'
	END
	chmod 755 "$CTL/bin/addr2line" "$CTL/bin/c++filt"
	ctl show 0 >"$CTL/out"
	grep -qF '/a/?[2J$(id)"\??.c:7' "$CTL/out"
	not grep -P '[^\x0a\x20-\x7e]' "$CTL/out"
	[ "$(cat "$CTL/who/addr2line" "$CTL/who/filt" | sort -u)" = 65534 ]
	ctl show 1 >"$CTL/json"
	json_valid "$CTL/json"
	not grep -P '[^\x0a\x20-\x7e]' "$CTL/json"
	# one that hangs or dies costs nothing but its lines
	printf '#!/bin/sh\nkill -SEGV $$\n' >"$CTL/bin/addr2line"
	printf '#!/bin/sh\nhead -1\n' >"$CTL/bin/c++filt"
	ctl show 0 | cmp - "$CTL/d/usercrash_00"
	[ -z "$(ls "$CTL/tmp")" ]
}

# --- on a terminal ---------------------------------------------------------

# tty COMMAND...: with a terminal for stdout.
tty()
{
	needs_tool script
	script -qefc "$*" /dev/null </dev/null | tr -d '\r'
}

@test "colours and a pager only for a person at a terminal" {
	local cmd="$CTL/bin/crashlogctl --conf $CTL/c"
	three_reports
	printf '#!/bin/sh\necho paged\ncat\n' >"$CTL/pager"
	chmod 755 "$CTL/pager"
	export TERM=xterm PAGER=$CTL/pager
	unset NO_COLOR
	tty "$cmd list" >"$CTL/out"
	[ "$(head -1 "$CTL/out")" = paged ]
	sed -n 2p "$CTL/out" | grep -q $'^\033\[1mSLOT.*\033\[0m$'
	tty "$cmd show" >"$CTL/out"
	grep -q $'\033\[31mcause: ' "$CTL/out"
	tty "NO_COLOR=1 $cmd list" >"$CTL/out"
	not grep -q $'\033' "$CTL/out"
	tty "$cmd --no-pager list" >"$CTL/out"
	not grep -q paged "$CTL/out"
	tty "TERM=dumb $cmd list" >"$CTL/out"
	not grep -q -e paged -e $'\033' "$CTL/out"
	$cmd list >"$CTL/out"
	not grep -q -e paged -e $'\033' "$CTL/out"
}

# --- top, watch ------------------------------------------------------------

top_is()
{
	ctl top | diff - <(cat <<-'END'
	3 reports, 2026-01-03T00:00:00Z to 2026-01-01T00:00:00Z

	programs
	    2  ########################################   a
	    1  ####################                       b b

	signatures
	    2  ########################################   00000000000000aa  a: null pointer read
	    1  ####################                       00000000000000bb  b b: -
	END
	)
	ctl top 1 | grep -qx '       and 1 more'
}

@test "top: bars per program and per signature" {
	[ -z "$(ctl top)" ]
	three_reports
	each_shell top_is
}

watched()
{
	[ "$(wc -l <"$CTL/watched")" -ge "$1" ]
}

watch_tells()
{
	rm -f "$CTL"/d/usercrash_*
	put_report 00 pid=1 exe=/bin/old
	: >"$CTL/watched"
	bg ctl watch --count 3 >"$CTL/watched"
	wait_for 20 watching
	put_report 0x pid=2 exe=/bin/new
	mv "$CTL/d/usercrash_0x" "$CTL/d/usercrash_01"
	wait_for 20 watched 1
	# in the place of another, and two at once
	put_report x1 pid=3 exe=/bin/other "signal=11 SIGSEGV"
	put_report x2 pid=4 exe=/bin/third
	touch -d '1 hour ago' "$CTL/d/usercrash_x1"
	mv "$CTL/d/usercrash_x1" "$CTL/d/usercrash_00"
	mv "$CTL/d/usercrash_x2" "$CTL/d/usercrash_02"
	wait_for 20 watched 3
	wait_for 20 gone "$BG"
	sed 's/  */ /g' "$CTL/watched" | sort >"$CTL/sorted"
	[ "$(cut -d ' ' -f 1,3 "$CTL/sorted" | tr '\n' ' ')" = \
	    "00 other[3] 01 new[2] 02 third[4] " ]
	grep -q '^00 - other\[3\] SIGSEGV - -$' "$CTL/sorted"
}

# It has made its first list when it sleeps or waits.
watching()
{
	pgrep -P "$BG" -f 'sleep|inotifywait' >/dev/null ||
	    pgrep -P "$(pgrep -P "$BG" | head -1)" \
	        -f 'sleep|inotifywait' >/dev/null ||
	    [ "$(cat "/proc/$BG/wchan" 2>/dev/null)" = hrtimer_nanosleep ]
}

@test "watch: a line for each new report, also in a slot that was used" {
	needs_tool pgrep
	each_shell watch_tells
}

@test "watch: by inotifywait where that is installed" {
	printf '#!/bin/sh\necho "$*" >>%s\nsleep 0.1\n' "$CTL/asked" \
	    >"$CTL/bin/inotifywait"
	chmod 755 "$CTL/bin/inotifywait"
	bg ctl watch --count 1 >"$CTL/watched"
	wait_for 20 test -s "$CTL/asked"
	put_report 00 pid=1
	wait_for 20 gone "$BG"
	[ "$(wc -l <"$CTL/watched")" = 1 ]
	[ "$(sort -u "$CTL/asked")" = "-q -q -t 1 -e moved_to $CTL/d" ]
}

# --- vacuum, cores ---------------------------------------------------------

left()
{
	(cd "$CTL/d" && echo usercrash_*)
}

vacuum_by()
{
	rm -f "$CTL"/d/usercrash_*
	three_reports
	touch -d '10 days ago' "$CTL/d/usercrash_00"
	touch -d '3 days ago' "$CTL/d/usercrash_01"
	touch -d '1 hour ago' "$CTL/d/usercrash_02"
	ctl -n vacuum --age 3 >"$CTL/out"
	diff "$CTL/out" - <<-END
		would remove $CTL/d/usercrash_01
		would remove $CTL/d/usercrash_00
	END
	ctl vacuum --age 11 >"$CTL/out"
	[ "$(cat "$CTL/out")" = "0 removed, 0.0 MiB" ]
	ctl vacuum --age 4 >/dev/null
	[ "$(left)" = "usercrash_01 usercrash_02" ]
	ctl vacuum --count 1 >/dev/null
	[ "$(left)" = "usercrash_02" ]
	ctl vacuum --cores --age 0 >/dev/null
	[ "$(left)" = "usercrash_02" ]
	ctl vacuum --age 0 >/dev/null
	[ "$(left)" = 'usercrash_*' ]
}

@test "vacuum: reports by age and count" {
	each_shell vacuum_by
}

# A core in the store: NAME TIME PID KIB
put_core()
{
	mkdir -p "$CTL/store/h"
	head -c $(($4 * 1024)) /dev/urandom >"$CTL/store/h/$1"
	printf '%s\n' 'host: h' 'comm: c' 'exe: /bin/c' "pid: $3" 'signal: 11' \
	    "time: $2" 'state: complete' >"$CTL/store/h/$1.info"
	touch -d "@$2" "$CTL/store/h/$1"
}

cores_are()
{
	ctl cores | diff - <(cat <<-END
	WHEN                  PROGRAM  PID  SIGNAL  MIB  STATE     NAME
	2024-02-29T23:59:59Z  c         12      11  1.0  partial   h/core.c.12.1709251199.part
	2023-11-14T22:13:20Z  c         11      11  3.0  complete  h/core.c.11.1700000000
	1970-01-01T00:00:01Z  c         10      11  2.0  complete  h/core.c.10.1
	3 cores, 6 MiB in $CTL/store
	1 cores wait in $CTL/spool, 0 MiB
	END
	)
}

@test "cores: what is in the store and in the spool" {
	[ "$(ctl cores)" = "no local store" ]
	sed -i "s|^store.*|store $CTL/store|" "$CTL/c"
	printf '%s\n' "spool $CTL/spool" 'receiver h' >>"$CTL/c"
	[ "$(ctl cores)" = "no core yet in $CTL/store" ]
	put_core core.c.10.1 1 10 2048
	put_core core.c.11.1700000000 1700000000 11 3072
	put_core core.c.12.1709251199.part 1709251199 12 1024
	mkdir "$CTL/spool"
	: >"$CTL/spool/1.2.3.core"
	each_shell cores_are
}

@test "vacuum: cores by size, and their .info" {
	sed -i "s|^store.*|store $CTL/store|" "$CTL/c"
	three_reports
	put_core core.c.10.1 1000000000 10 2048
	put_core core.c.11.2 1100000000 11 3072
	put_core core.c.12.3 1200000000 12 1024
	ctl vacuum --size 5 --cores >"$CTL/out"
	grep -q '^1 removed, 2.0 MiB' "$CTL/out"
	[ "$(cd "$CTL/store/h" && echo *)" = \
	    "core.c.11.2 core.c.11.2.info core.c.12.3 core.c.12.3.info" ]
	[ "$(left)" = "usercrash_00 usercrash_01 usercrash_02" ]
}

@test "vacuum: not while somebody publishes" {
	needs_tool flock
	three_reports
	exec 7>>"$CTL/d/.slots"
	flock 7
	bg ctl vacuum --count 0 >/dev/null 7>&-
	# it waits for the lock
	wait_for 20 grep -q -- "-> FLOCK .*:$(stat -c %i "$CTL/d/.slots") " \
	    /proc/locks
	[ "$(left)" = "usercrash_00 usercrash_01 usercrash_02" ]
	flock -u 7
	exec 7>&-
	wait_for 20 gone "$BG"
	[ "$(left)" = 'usercrash_*' ]
}

# --- gdb -------------------------------------------------------------------

fake_gdb()
{
	printf '#!/bin/sh\nprintf "<%%s>" "$@" >%s\n' "$CTL/gdb.args" \
	    >"$CTL/bin/gdb"
	chmod 755 "$CTL/bin/gdb"
}

gdb_gets()
{
	rm -f "$CTL/gdb.args"
	ctl gdb --as-root "${@:2}" 2>"$CTL/err"
	[ "$(cat "$CTL/gdb.args")" = "$1" ] || {
		cat "$CTL/gdb.args" "$CTL/err"
		return 1
	}
}

@test "gdb: the report's core and the program it was" {
	local c id
	fake_gdb
	three_reports
	exits 1 ctl gdb 2>"$CTL/err"
	grep -q 'no core of process 10 (there is none' "$CTL/err"
	sed -i "s|^store.*|store $CTL/store|" "$CTL/c"
	exits 1 ctl gdb 2>"$CTL/err"
	grep -q 'the local store has no core of process 10$' "$CTL/err"
	# the same process id at another time, and the right one
	put_core core.a.10.1700000000 1700000000 10 4
	exits 1 ctl gdb 2>/dev/null
	put_core core.a.10.1767225600 1767225600 10 4
	c=$CTL/store/h/core.a.10.1767225600
	each_shell gdb_gets "<-c><$c>"
	grep -q '/bin/a is gone or another program' "$CTL/err"
	# a program without a build-id, and with one
	cp /bin/true "$CTL/prog"
	sed -i "s|^exe: .*|exe: $CTL/prog|" "$CTL/d/usercrash_00"
	each_shell gdb_gets "<-batch><-ex><bt full><$CTL/prog><$c>" \
	    latest -batch -ex 'bt full'
	grep -q 'has no build-id' "$CTL/err"
	each_shell gdb_gets "<-batch><$CTL/prog><$c>" -batch
	needs_tool readelf
	id=$(readelf -n /bin/true | sed -n 's/.*Build ID: //p')
	printf 'modules:\n  000000400000-000000500000 bias 0 build-id %s %s\n\n' \
	    "$id" "$CTL/prog" >>"$CTL/d/usercrash_00"
	chmod 755 "$CTL"
	each_shell gdb_gets "<$CTL/prog><$c>" 0
	[ ! -s "$CTL/err" ]
	# another program by now
	cp /bin/cat "$CTL/prog"
	each_shell gdb_gets "<-c><$c>" 0
	# not by an escaped name
	sed -i 's|^exe: .*|exe: /bin/\\x0atrue|' "$CTL/d/usercrash_00"
	each_shell gdb_gets "<-c><$c>" 0
}

@test "gdb: a compressed core is unpacked for the while" {
	needs_tool gzip
	fake_gdb
	three_reports
	sed -i "s|^store.*|store $CTL/store|" "$CTL/c"
	put_core core.a.10.1767225600 1767225600 10 4
	gzip "$CTL/store/h/core.a.10.1767225600"
	mv "$CTL/store/h/core.a.10.1767225600.info" \
	    "$CTL/store/h/core.a.10.1767225600.gz.info"
	cat >"$CTL/bin/gdb" <<-END
		#!/bin/sh
		cksum <"\$2" >$CTL/sum
	END
	ctl gdb --as-root 2>/dev/null
	gzip -dc "$CTL/store/h/core.a.10.1767225600.gz" | cksum |
	    diff - "$CTL/sum"
}

# --- flush -----------------------------------------------------------------

@test "flush: core_send gets spool and receivers" {
	rm -f "$CTL/bin/core_send"
	printf '#!/bin/sh\nprintf "<%%s>" "$@"\nexit 111\n' \
	    >"$CTL/bin/core_send"
	chmod 755 "$CTL/bin/core_send"
	exits 100 ctl flush 2>/dev/null
	printf '%s\n' "spool $CTL/spool" 'receiver h:1 g' >>"$CTL/c"
	[ "$(ctl flush)" = "nothing waits" ]
	mkdir "$CTL/spool"
	exits 111 ctl flush >"$CTL/out"
	tail -1 "$CTL/out" | grep -Fqx "<--flush><$CTL/spool><-t><30><-z><auto><h:1,g>"
	sed -i 's|^receiver.*|send-command /bin/ssh * x|' "$CTL/c"
	exits 111 ctl flush >"$CTL/out"
	tail -1 "$CTL/out" |
	    grep -Fqx "<--flush><$CTL/spool><-t><30><-z><auto><--></bin/ssh><*><x>"
}

@test "flush: core_send.env, by which the timer of older versions was told" {
	local r=$CTL/r
	rm -f "$CTL/bin/core_send"
	cat >"$CTL/bin/core_send" <<-'END'
		#!/bin/sh
		printf '<%s>' "$@"
		echo
		case "$*" in
		*lost*) exit 111 ;;
		*some*) exit 1 ;;
		esac
	END
	chmod 755 "$CTL/bin/core_send"
	mkdir -p "$r/etc" "$r/var/spool" "$r$CTL"
	flush()
	{
		echo "$1" >"$r/etc/core_send.env"
		local rc=0
		$SH "$CTL/bin/crashlogctl" --root "$r" flush >"$CTL/all" ||
		    rc=$?
		grep '^[<n]' "$CTL/all" >"$CTL/out" || :
		return $rc
	}
	flush 'CORE_SEND_ARGS="-c 3 h"'
	[ "$(cat "$CTL/out")" = 'nothing waits' ]
	mkdir "$r/var/spool/usercrash"
	each_shell flush 'CORE_SEND_ARGS="-c 3 h"'
	[ "$(cat "$CTL/out")" = "<--flush><$r/var/spool/usercrash><-c><3><h>" ]
	# split, with quotes, and nothing of it run
	flush "CORE_SEND_ARGS=-- ssh 'a  b' \$(touch $CTL/x) *"
	[ "$(cat "$CTL/out")" = "<--flush><$r/var/spool/usercrash><--><ssh><a  b><\$(touch><$CTL/x)><*>" ]
	[ ! -e "$CTL/x" ]
	# both, one after the other, and the worse of what they say
	printf '%s\n' 'receiver lost' >"$r/etc/usercrash.conf"
	exits 111 flush 'CORE_SEND_ARGS="some"'
	[ "$(cat "$CTL/out")" = "<--flush><$r/var/spool/usercrash><-t><30><-z><auto><lost>
<--flush><$r/var/spool/usercrash><some>" ]
	printf '%s\n' 'receiver h' >"$r/etc/usercrash.conf"
	exits 1 flush 'CORE_SEND_ARGS="some"'
	rm "$r/etc/usercrash.conf"
	exits 100 flush 'OTHER=1' 2>/dev/null
}
