#!/usr/bin/env bats
# install, uninstall, clean; and that what is installed says what is true:
# manual pages, examples, completion.

load helper

setup_file()
{
	load helper
	build all
}

setup()
{
	D=$BATS_TEST_TMPDIR/root
}

teardown()
{
	end_bgs
}

# build ARGS...: make as t/run's caller had it, but not as a part of it.
build()
{
	local san=
	case $BUILD in
	*-san) san=SAN=1 ;;
	esac
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u MAKEOVERRIDES \
	    make --no-print-directory -C "$TOP" ${san:+"$san"} \
	    ${D:+DESTDIR="$D"} "$@"
}

# Files below $D, with modes.
placed()
{
	(cd "$D" && find . ! -type d -printf '%m %P\n' | sort -k 2)
}

sums()
{
	(cd "$D" && find . -type f -exec cksum {} + | sort -k 3)
}

core_fixture()
{
	CORE=$TOP/t/fixtures/core.$(uname -m)
	[ -s "$CORE" ] || unmet "no core fixture for $(uname -m)"
}

# The letters and long names a program takes, out of its source.
taken()
{
	tr -d '\n' <"$TOP/src/$1.c" | grep -o 'argv,[[:space:]]*"[^"]*"' |
	    head -1 | sed 's/.*"\(.*\)"/\1/' | tr -d '+:' | fold -w 1
	echo
	grep -o '{"[a-z]*", [a-z]*_argument' "$TOP/src/$1.c" |
	    sed 's/{"\([a-z]*\)".*/-\1/'
}

# The same as its manual page has them.
documented()
{
	grep '^\.It Fl' "$TOP/man/$1.8" | grep -o 'Fl [-A-Za-z]*' |
	    sed 's/^Fl //'
}

programs='usercrash_c usercrash_s debugger'

@test "install: these files and no others" {
	build install >/dev/null
	diff -u - <(placed) <<-'EOF'
		755 usr/bin/crashlogctl
		755 usr/bin/debugger
		755 usr/bin/usercrash-wrapper
		755 usr/bin/usercrash_c
		755 usr/bin/usercrash_s
		644 usr/lib/systemd/system/usercrash-flush.service
		644 usr/lib/systemd/system/usercrash-flush.timer
		644 usr/lib/systemd/system/usercrash_s.service
		644 usr/lib/systemd/system/usercrash_s.socket
		644 usr/lib/systemd/system/usercrash_s@.service
		644 usr/lib/tmpfiles.d/usercrash.conf
		644 usr/lib/usercrash/conf.sh
		644 usr/lib/usercrash/cores.sh
		644 usr/lib/usercrash/doctor.sh
		644 usr/lib/usercrash/frames.awk
		644 usr/lib/usercrash/reports.awk
		644 usr/lib/usercrash/reports.sh
		644 usr/lib/usercrash/server.sh
		644 usr/lib/usercrash/settings.sh
		644 usr/lib/usercrash/show.sh
		644 usr/lib/usercrash/status.sh
		644 usr/lib/usercrash/table.awk
		644 usr/share/bash-completion/completions/crashlogctl
		644 usr/share/bash-completion/completions/debugger
		644 usr/share/bash-completion/completions/usercrash_c
		644 usr/share/bash-completion/completions/usercrash_s
		644 usr/share/doc/usercrash/README
		755 usr/share/doc/usercrash/openrc/usercrash_s
		755 usr/share/doc/usercrash/runit/usercrash_s/log/run
		755 usr/share/doc/usercrash/runit/usercrash_s/run
		755 usr/share/doc/usercrash/s6/usercrash_s-ipc/run
		644 usr/share/doc/usercrash/s6/usercrash_s-ipc/type
		755 usr/share/doc/usercrash/s6/usercrash_s/run
		644 usr/share/doc/usercrash/s6/usercrash_s/type
		644 usr/share/doc/usercrash/sysctl.d/60-usercrash.conf
		644 usr/share/doc/usercrash/usercrash.conf
		644 usr/share/man/man5/usercrash.conf.5
		644 usr/share/man/man7/usercrash.7
		644 usr/share/man/man8/crashlogctl.8
		644 usr/share/man/man8/debugger.8
		644 usr/share/man/man8/usercrash-wrapper.8
		644 usr/share/man/man8/usercrash_c.8
		644 usr/share/man/man8/usercrash_s.8
	EOF
}

@test "install: nothing of man and etc is forgotten" {
	build install >/dev/null
	(cd "$TOP" && find man etc -type f) >"$BATS_TEST_TMPDIR/list"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/list")" -ge 15 ]
	while read -r f; do
		find "$D" -type f -exec cmp -s "$TOP/$f" {} \; -print |
		    grep -q . || {
			echo "not installed: $f"
			false
		}
	done <"$BATS_TEST_TMPDIR/list"
}

@test "install: twice is once, whatever the umask" {
	(umask 022 && build install) >/dev/null
	placed >"$BATS_TEST_TMPDIR/modes"
	sums >"$BATS_TEST_TMPDIR/sums"
	(umask 077 && build install) >/dev/null
	diff "$BATS_TEST_TMPDIR/modes" <(placed)
	diff "$BATS_TEST_TMPDIR/sums" <(sums)
	rm -rf "$D"
	(umask 077 && build install) >/dev/null
	diff "$BATS_TEST_TMPDIR/modes" <(placed)
	run find "$D/usr" -type d ! -perm 755
	[ -z "$output" ]
}

@test "install: over a program that runs" {
	build install >/dev/null
	bg "$D/usr/bin/usercrash_s" -S "$BATS_TEST_TMPDIR/r/s" \
	    -d "$BATS_TEST_TMPDIR/d" 2>"$BATS_TEST_TMPDIR/err"
	wait_for 10 test -S "$BATS_TEST_TMPDIR/r/s"
	build install >/dev/null
	kill -0 "$BG"
	cmp "$BIN/usercrash_s" "$D/usr/bin/usercrash_s"
}

@test "install: another prefix is in the units and examples, and needs no new build" {
	build PREFIX=/opt/uc install >"$BATS_TEST_TMPDIR/out"
	not grep -e ' -o ' "$BATS_TEST_TMPDIR/out"
	[ -x "$D/opt/uc/bin/usercrash_c" ]
	[ ! -e "$D/usr" ]
	grep -qx 'ExecStart=/opt/uc/bin/usercrash_s' \
	    "$D/opt/uc/lib/systemd/system/usercrash_s.service"
	grep -q '= |/opt/uc/bin/usercrash_c ' \
	    "$D/opt/uc/share/doc/usercrash/sysctl.d/60-usercrash.conf"
	not grep -r /usr/bin/ "$D/opt/uc/lib" "$D/opt/uc/share/doc/usercrash/openrc"
}

@test "uninstall: removes what was installed and nothing else" {
	build install >/dev/null
	echo mine >"$D/usr/bin/other"
	build uninstall
	[ "$(placed)" = "644 usr/bin/other" ]
	[ ! -e "$D/usr/share/doc/usercrash" ]
	# twice, and where there never was anything
	build uninstall
	rm -rf "$D"
	build uninstall
	[ ! -e "$D" ]
	build install >/dev/null
	echo mine >"$D/usr/share/doc/usercrash/notes"
	build uninstall
	[ "$(placed)" = "644 usr/share/doc/usercrash/notes" ]
}

@test "clean: what was built, and nothing else" {
	local c=$BATS_TEST_TMPDIR/copy f
	mkdir "$c"
	cp -R "$TOP/Makefile" "$TOP/README" "$TOP/src" "$TOP/t" "$TOP/man" \
	    "$TOP/etc" "$c"
	mkdir "$c/bin"
	cp "$TOP/bin/bootstrap" "$c/bin"
	(cd "$c" && find . | sort) >"$BATS_TEST_TMPDIR/before"
	mkdir -p "$c/build/x" "$c/build-san/bin"
	for f in build/x/y build-san/bin/debugger bin/usercrash_c \
	    bin/usercrash_s bin/debugger; do
		: >"$c/$f"
	done
	D='' TOP=$c build clean >/dev/null
	diff "$BATS_TEST_TMPDIR/before" <(cd "$c" && find . | sort)
}

@test "installed usercrash_c: a report of a core on its stdin" {
	core_fixture
	build install >/dev/null
	"$D/usr/bin/usercrash_c" -o "$BATS_TEST_TMPDIR/report" \
	    999999 crash 11 <"$CORE" 2>"$BATS_TEST_TMPDIR/err"
	is_report "$BATS_TEST_TMPDIR/report"
	[ "$(value signal "$BATS_TEST_TMPDIR/report")" = "11 SIGSEGV" ]
	run "$D/usr/bin/debugger" "$CORE"
	[ "$status" = 0 ]
	[ "${lines[0]}" = "usercrash report 1" ]
}

@test "example for sysctl: fits into the kernel's 127 characters, and works" {
	local conf=$TOP/etc/sysctl.d/60-usercrash.conf pattern word args=()
	core_fixture
	build install >/dev/null
	pattern=$(sed -n 's/^kernel.core_pattern = //p' "$conf")
	[ -n "$pattern" ]
	[ ${#pattern} -le 127 ]
	[ "$(sed -n 's/^kernel.core_pipe_limit = //p' "$conf")" -ge 1024 ]
	# as the kernel does it: split, then expanded, unknown ones to nothing
	for word in ${pattern#|}; do
		case $word in
		*%P | *%I) word=${word%%%*}999999 ;;
		*%e) word='a b' ;;
		*%s) word=${word%%%*}11 ;;
		*%u | *%g) word=${word%%%*}4242 ;;
		*%t) word=${word%%%*}86399 ;;
		*%d) word=${word%%%*}2 ;;
		*%c) word=${word%%%*}18446744073709551615 ;;
		*%F) word=${word%%%*} ;;
		esac
		args+=("$word")
	done
	run "$D${args[0]}" -o "$BATS_TEST_TMPDIR/report" "${args[@]:1}" \
	    <"$CORE"
	[ "$status" = 0 ]
	not grep -F -e warning -e usage <<<"$output"
	[ "$(value uid "$BATS_TEST_TMPDIR/report")" = 4242 ]
	[ "$(value gid "$BATS_TEST_TMPDIR/report")" = 4242 ]
	[ "$(value dumpmode "$BATS_TEST_TMPDIR/report")" = 2 ]
	[ "$(value time "$BATS_TEST_TMPDIR/report")" = 1970-01-01T23:59:59Z ]
}

@test "man finds the installed pages" {
	local p
	build install >/dev/null
	for p in $programs usercrash; do
		if man --version 2>/dev/null | grep -q '^man '; then
			man -M "$D/usr/share/man" -w "$p" |
			    grep -q "^$D/usr/share/man/man[78]/$p\.[78]\$"
		else
			ls "$D/usr/share/man"/man[78]/"$p".[78]
		fi
	done
}

@test "manual pages: each names itself, its exit codes, and pages that exist" {
	local f p n
	for f in "$TOP"/man/*.[1-9]; do
		p=${f##*/} n=${f##*.}
		p=${p%.*}
		grep -qx "\.Dt ${p^^} $n" "$f"
		grep -qx "\.Nm $p" "$f"
		grep -qx '\.Sh EXAMPLES' "$f"
		# of ours, those that are referred to
		grep '^\.Xr \(usercrash\|debugger\)' "$f" |
		    while read -r _ p n _; do
			[ -e "$TOP/man/$p.$n" ] || {
				echo "${f##*/} refers to $p($n)"
				exit 1
			}
		done
	done
	for p in $programs; do
		for n in 0 1 100 111; do
			sed -n '/^\.Sh EXIT STATUS/,/^\.Sh EXAMPLES/p' \
			    "$TOP/man/$p.8" | grep -qx "\.It $n"
		done
	done
}

@test "manual pages: the options that the programs take, all and no others" {
	local p
	for p in $programs; do
		[ "$(taken "$p" | grep -c .)" -ge 5 ]
		diff <(taken "$p" | grep . | sort -u) \
		    <(documented "$p" | sort -u) || {
			echo "$p: source <, manual >"
			false
		}
	done
}

@test "manual pages: the numbers that the sources have" {
	local m=$TOP/man/usercrash.7 c=$TOP/man/usercrash_c.8
	# NAME FILE: an enum constant
	number() {
		sed -n "s/^.*[[:space:]{]$1 = \([0-9]*\).*/\1/p" \
		    "$TOP/src/$2" | head -1
	}
	[ "$(number SLOTS_N spool/slots.h)" = 50 ]
	grep -q '^50 of them by default' "$m"
	[ "$(number SLOTS_MINFREE spool/slots.h)" = 16 ]
	grep -q 'less than 16 MiB' "$m"
	[ "$(number SERVE_ASK_MS spool/serve.h)" = 1000 ]
	[ "$(number SERVE_COMPLETE_MS spool/serve.h)" = 30000 ]
	grep -q 'waits 1 second for the REQUEST and 30 seconds' "$m"
	[ "$(number ASK_MS spool/sink.c)" = 2000 ]
	[ "$(number PUBLISH_MS spool/sink.c)" = 10000 ]
	grep -q 'waits 2 seconds for the REPLY and 10 seconds' "$m"
	[ "$(number FRAMES_HEAD report/crash_dump.c)" = 256 ]
	[ "$(number FRAMES_TAIL report/crash_dump.c)" = 64 ]
	grep -q 'first 256 and the last 64 frames' "$m"
	grep -q 'SIGNATURE_FRAMES = FRAMES_HEAD' "$TOP/src/report/crash_dump.c"
	grep -q 'first 256 of the frames' "$m"
	[ "$(number STACK_WORDS report/memory.c)" = 128 ]
	grep -q '^128 words' "$m"
	[ "$(number PROC_FDS_MAX proc/procinfo.h)" = 65536 ]
	grep -q '^65536 of them' "$m"
	[ "$(number WORKER_S usercrash_c.c)" = 20 ]
	grep -q '1 to 3600; the default is 20\.' "$c"
	[ "$(number UNWIND_S debugger.c)" = 60 ]
	grep -q '1 to 86400; the default is 60\.' "$TOP/man/debugger.8"
	[ "$(number LIVE_WAIT_MS unwind/target_live.h)" = 2000 ]
	grep -q 'does not stop within 2 seconds' "$TOP/man/debugger.8"
}

@test "completion: the options that the programs take" {
	local p
	build install >/dev/null
	for p in $programs; do
		run bash -c '
			. "$1"
			COMP_WORDS=("$2" -) COMP_CWORD=1
			_usercrash "$2" - "$2"
			printf "%s\n" "${COMPREPLY[@]}"' bash \
		    "$D/usr/share/bash-completion/completions/$p" "$p"
		diff <(taken "$p" | grep . | sed 's/^/-/' | sort -u) \
		    <(echo "$output" | sort -u)
	done
	run bash -c '
		. "$1"
		COMP_WORDS=(debugger --format = j) COMP_CWORD=3
		_usercrash debugger j =
		echo "${COMPREPLY[*]}"' bash \
	    "$D/usr/share/bash-completion/completions/debugger"
	[ "$output" = json ]
}

# Commands and options of crashlogctl as its usage has them.
ctl_words()
{
	"$TOP/bin/crashlogctl" --help | grep -o -- '--[a-z-]*' | sort -u
}

@test "crashlogctl: manual page and completion have what it takes" {
	local m=$TOP/man/crashlogctl.8 c
	for c in $("$TOP/bin/crashlogctl" --help |
	    sed -n 's/^\([a-z-]*\)  .*/\1/p; s/^\([a-z]*\) \[.*/\1/p'); do
		echo "$c"
		grep -q "^\.It Cm $c\( \|\$\)" "$m"
		echo "$c" >>"$BATS_TEST_TMPDIR/commands"
	done
	[ "$(wc -l <"$BATS_TEST_TMPDIR/commands")" -ge 14 ]
	for c in $(ctl_words); do
		echo "$c"
		grep -q "Fl -${c#--}\( \|\$\)\|| -${c#--}\$" "$m"
	done
	for c in 0 1 100 111; do
		sed -n '/^\.Sh EXIT STATUS/,/^\.Sh EXAMPLES/p' "$m" |
		    grep -qx "\.It $c"
	done
	build install >/dev/null
	run bash -c '
		. "$1"
		complete_of() {
			COMP_WORDS=(crashlogctl "$@")
			COMP_CWORD=$#
			_crashlogctl crashlogctl "${!#}" "${COMP_WORDS[$# - 1]}"
			[ ${#COMPREPLY[@]} = 0 ] ||
			    printf "%s\n" "${COMPREPLY[@]}"
		}
		complete_of "" >"$2/c"
		complete_of - >"$2/o"
		while read -r c; do
			complete_of "$c" - >>"$2/o"
		done <"$2/c"
		complete_of --conf = en >"$2/conf"
		complete_of --conf = x en >"$2/en"
		complete_of --server op >"$2/op"' bash \
	    "$D/usr/share/bash-completion/completions/crashlogctl" \
	    "$BATS_TEST_TMPDIR"
	[ -z "$output" ]
	diff <(sort -u "$BATS_TEST_TMPDIR/commands") \
	    <(sort -u "$BATS_TEST_TMPDIR/c")
	diff <(ctl_words) <(grep -e '^--' "$BATS_TEST_TMPDIR/o" | sort -u)
	[ ! -s "$BATS_TEST_TMPDIR/conf" ]
	[ "$(cat "$BATS_TEST_TMPDIR/en")" = enable ]
	[ "$(cat "$BATS_TEST_TMPDIR/op")" = openrc ]
}
