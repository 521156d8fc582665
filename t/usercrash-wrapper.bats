# usercrash-wrapper: who is told of a crash and how, whatever the kernel, the
# crash, the conf or a dying neighbour do.
#
# not with sanitizers: the programs have their own tests

load helper
load wrapper

setup()
{
	T=$BATS_TEST_TMPDIR
}

teardown()
{
	[ -z "${RUND:-}" ] || touch "$RUND/go"
	wrapper_release
}

# who PID COMM SIGNAL: that is what $ARGV tells.
who()
{
	has "--pid=$1"
	has "--comm=$2"
	has "--signal=$3"
}

# --- by hand, with fakes in place of the programs --------------------------

@test "nothing configured: usercrash_c itself, with what the kernel said" {
	place "$T"
	fake "$T" usercrash_c
	hand "$T" "${ORDINARY[@]}"
	[ "$RC" = 0 ]
	[ ! -s "$T/err" ]
	argv "$T/argv.usercrash_c"
	has --pid=999999999 --tid=999999999 --uid=1000 --gid=1001 \
	    --signal=11 --time=1700000000 --dumpmode=1 --rlimit=0 \
	    --pidfd= --host=host --comm=comm
	has -d "$T/d"
	has -S "$T/s"
	has -n 50
	has -w 20
	not has -p
	rm "$T/argv.usercrash_c"
}

@test "no crash, no report: for an option, at a terminal, by other callers" {
	needs_tool script
	local how
	place "$T"
	fake "$T" usercrash_c
	for how in -h --help --version -k --bogus '' "P$$"; do
		echo "'$how'"
		# shellcheck disable=SC2086
		script -qec "$T/b/w $how" /dev/null </dev/null >/dev/null || :
		[ "$how" = -k ] ||
		    "$T/b/w" $how </dev/null >/dev/null 2>&1 || :
		[ ! -e "$T/argv.usercrash_c" ]
	done
	run "$T/b/w" -c "$T/f" -s "$T/t" "${ORDINARY[@]}" </dev/null
	[ "$status" = 100 ]
	[ "$output" = 'usercrash-wrapper: fatal: this is for the kernel to call, with a core: see crashlogctl enable' ]
	run script -qec "$T/b/w -k P$$" /dev/null
	[ "$status" = 100 ]
	[ ! -e "$T/argv.usercrash_c" ]
}

@test "conf: each key goes where it should" {
	place "$T"
	fake "$T" core_tee
	conf "$T" 'slots 7' 'share 3' 'report-free 99' 'report-format json' \
	    'report-wait 45' 'report-max 3' 'reports-max 77' \
	    'reports-readable owner' 'stall 31' 'receiver a:1 b'
	hand "$T" "${ORDINARY[@]}"
	argv "$T/argv.core_tee"
	has "$T/b/usercrash_c" --pid=999999999
	has --comm=comm -p
	has -O -d "$T/d"
	has -n 7 -s3 -m 99 -f json -R 3 -M 77 -w 45
	has -t 190
	has -l 4
	has ';/' "$T/b/w" -c "$T/f" -s "$T/t" --after "${ORDINARY[@]}"
	[ "${ARGV[-1]}" = ecomm ]

	# who sends
	fake "$T" core_send
	conf "$T" 'receiver a:1 b' 'send-timeout 9' 'send-compress yes' 'release 64' \
	    'spool /x/y' 'spool-max 11' 'spool-free 12' 'core-rate no'
	hand "$T" --after "${ORDINARY[@]}"
	argv "$T/argv.core_send"
	has --pid=999999999 --tid=999999999 --uid=1000 --gid=1001 \
	    --signal=11 --time=1700000000 --dumpmode=1 --rlimit=0 --pidfd= \
	    --host=host --comm=comm -H -t 9 -z yes --release 64 -s /x/y -S 11 -m 12 a:1,b
	[ "${ARGV[-1]}" = a:1,b ]

	conf "$T" 'send-command /usr/bin/ssh -x host' 'spool no' 'core-rate no'
	hand "$T" --after "${ORDINARY[@]}"
	argv "$T/argv.core_send"
	has --comm=comm -H
	has -- /usr/bin/ssh -x host
	[ "${ARGV[-1]}" = host ]

	# who keeps
	fake "$T" recv_core
	conf "$T" "store $T/store" 'store-max 21' 'store-core-max 22' \
	    'store-free 23' 'store-compress yes' 'core-rate no'
	hand "$T" --after "${ORDINARY[@]}"
	argv "$T/argv.core_send"
	[ "${ARGV[-1]}" = - ]
	argv "$T/argv.recv_core"
	has -i -d "$T/store" -T 21 -m 23 -b 22 -z
	[ "$(stat -c %a "$T/store")" = 700 ]

	# both
	conf "$T" "store $T/store" 'receiver a' 'core-rate no'
	hand "$T" --after "${ORDINARY[@]}"
	argv "$T/argv.core_tee"
	[ "${ARGV[4]}" = "$T/b/core_send" ]
	has a ';/' "$T/b/w" -c "$T/f" -s "$T/t" --store "${ORDINARY[@]}"
}

@test "the conf that is shipped: its defaults are the defaults" {
	place "$T"
	fake "$T" core_tee
	before "$T" core
	rm "$T/f"
	hand "$T" "${ORDINARY[@]}"
	mv "$T/argv.core_tee" "$T/without"
	# keys with words in capitals have no default
	sed -n 's/^#\([a-z][-a-z]* [^A-Z]*\)$/\1/p' "$TOP/etc/usercrash.conf" \
	    >"$T/f"
	[ "$(wc -l <"$T/f")" -ge 23 ]
	hand "$T" "${ORDINARY[@]}"
	[ ! -s "$T/err" ]
	cmp "$T/without" "$T/argv.core_tee"
	# and every key is in it and in the manual page, and no other
	"$BIN/usercrash-wrapper" --conf "$T/none" | cut -d ' ' -f 1 |
	    sort >"$T/known"
	[ "$(wc -l <"$T/known")" -ge 30 ]
	sed -n 's/^#\([a-z][-a-z]*\) .*/\1/p' "$TOP/etc/usercrash.conf" |
	    sort | diff "$T/known" -
	sed -n 's/^\.It Cm \(.*\)/\1/p' "$TOP/man/usercrash.conf.5" |
	    sed 's/\([a-z]\) .*, Cm \([a-z]\)/\1\n\2/' |
	    sed 's/ .*//' | sort | diff "$T/known" -
	# which is what the shell read, and not more
	grep -v '^#' "$TOP/etc/usercrash.conf" | not grep .
}

@test "arguments: missing, empty, unknown, twice, moved: said, and a report" {
	local words
	place "$T"
	fake "$T" usercrash_c
	# nothing at all
	hand "$T"
	grep -q 'warning: core_pattern.*without %P %I' "$T/err"
	argv "$T/argv.usercrash_c"
	who 0 '' ''
	# kernels without %F and %C
	words=("${ORDINARY[@]}")
	words[10]=C words[11]=F
	hand "$T" "${words[@]}"
	[ ! -s "$T/err" ]
	# empty pid: the other one
	hand "$T" P I p77 i s11 hh ecomm
	[ "$(wc -l <"$T/err")" = 1 ]
	grep -q '%P' "$T/err"
	argv "$T/argv.usercrash_c"
	has --tid= --uid= --gid=
	who 77 comm 11
	# the values of another age, without letters
	hand "$T" '!bin!x' 4711 1000 11 -v
	grep -q "with '!bin!x' '4711' '1000' '11' '-v'" "$T/err"
	argv "$T/argv.usercrash_c"
	who 0 '' ''
	# a letter of the future, a letter twice
	hand "$T" P12 z99 P13 "${ORDINARY[@]:1}"
	grep -q "with 'z99' 'P13'" "$T/err"
	argv "$T/argv.usercrash_c"
	who 12 comm 11
	# no number
	hand "$T" 'P-1' 'I$(x)' p0 s11 ecomm
	argv "$T/argv.usercrash_c"
	has '--tid=$(x)'
	who 0 comm 11
}

@test "kernels before 5.3: host and name split at blanks pass for nothing else" {
	place "$T"
	fake "$T" usercrash_c
	hand "$T" P12 I13 p1 i2 u1000 g3 d2 s11 t4 c5 C6 F ha u0 P1 \
	    en u0 d1 P1 s6 -v
	[ ! -s "$T/err" ]
	argv "$T/argv.usercrash_c"
	has --uid=1000
	has --dumpmode=2
	has '--host=a u0 P1'
	who 12 'n u0 d1 P1 s6 -v' 11
}

@test "a name of any byte arrives as it is, and is printable in the log" {
	local name i
	place "$T"
	fake "$T" usercrash_c
	for i in {1..255}; do
		name=$(printf "a\\x$(printf %02x "$i")b"; echo .)
		name=${name%.}
		[ "${name: -1}" != $'\n' ] || name=${name%?}
		hand "$T" "${ORDINARY[@]:0:13}" "e$name" >/dev/null
		argv "$T/argv.usercrash_c" >/dev/null
		who 999999999 "$name" 11
	done
	conf "$T" 'ignore *'
	hand "$T" "${ORDINARY[@]:0:13}" $'e\e[1m\x01\xff\n*$(x)`y`'
	[ "$(cat "$T/err")" = 'usercrash-wrapper: info: \x1b[1m\x01\xff\x0a*$(x)`y`[999999999] signal 11: ignored' ]
	conf "$T"
}

@test "what was there before: taken apart and expanded as the kernel does" {
	local name=$'n $(x)\n*' words
	place "$T"
	fake "$T" core_tee
	words=("P$$" I12 p13 i14 u15 g16 d1 s17 t18 c19 C20 F3 'hh;/o'
	    "e$name")
	before "$T" '|/a/app  -p%p %P,%I%i  %u:%g %d%%%s %t%c %C%F'
	hand "$T" "${words[@]}"
	argv "$T/argv.core_tee"
	has ';/' /a/app -p13 "$$,1214" 15:16 1%17 1819 203
	[ "${ARGV[-1]}" = 203 ]
	before "$T" '|/a/app %h %e x%ey %E %f lit %Z a%Zb %Z'
	hand "$T" "${words[@]}"
	argv "$T/argv.core_tee"
	has /a/app 'h;/o' "$name" "x${name}y" \
	    "$(readlink "/proc/$$/exe" | tr / '!')" bash lit '' ab ''
	[ "${ARGV[-1]}" = '' ]
	# "% " takes the blank with it; a "%" at the end goes
	before "$T" '| app % %t%'
	hand "$T" "${words[@]}"
	argv "$T/argv.core_tee"
	has ';/' /app 18
	[ "${ARGV[-1]}" = 18 ]
	# nobody's word is the separator
	before "$T" '|/a/app ;/ ;/;; ;/; x'
	hand "$T" "${words[@]}"
	argv "$T/argv.core_tee"
	has -s ';/;;;'
	has ';/;;;' /a/app ';/' ';/;;' ';/;' x
	# who has no executable any more
	before "$T" '|/a/app %E %f'
	hand "$T" "${ORDINARY[@]:0:13}" e..
	argv "$T/argv.core_tee"
	has /a/app '.. (path unknown)' '.. (path unknown)'
}

@test "what was there before and is no program is not run; a store instead" {
	place "$T"
	fake "$T" core_tee
	fake "$T" usercrash_c
	local was
	for was in core 'core.%p' '' '/var/x/core.%e' '@/run/x.sock'; do
		rm -f "$T"/argv.*
		before "$T" "$was"
		hand "$T" "${ORDINARY[@]}"
		argv "$T/argv.core_tee"
		has ';/' "$T/b/w" -c "$T/f" -s "$T/t" --after
		[ "${ARGV[-1]}" = ecomm ]
		conf "$T" 'store no'
		hand "$T" "${ORDINARY[@]}"
		[ -s "$T/argv.usercrash_c" ]
		conf "$T"
	done
	# ours, and an app that is not wanted
	for was in '|/x/usercrash_c %p %e %s' '|/y/usercrash-wrapper P%P'; do
		rm -f "$T"/argv.*
		before "$T" "$was"
		hand "$T" "${ORDINARY[@]}"
		[ -s "$T/argv.usercrash_c" ]
		[ ! -e "$T/argv.core_tee" ]
	done
	rm -f "$T"/argv.*
	before "$T" '|/a/app'
	conf "$T" 'default-app no'
	hand "$T" "${ORDINARY[@]}"
	[ -s "$T/argv.usercrash_c" ]
	[ ! -e "$T/argv.core_tee" ]
	# nothing is known
	rm -f "$T"/argv.* "$T/t/saved"
	conf "$T"
	hand "$T" "${ORDINARY[@]}"
	[ -s "$T/argv.usercrash_c" ]
}

@test "class 14: a conf that others may write, or that is none, is ignored and said" {
	place "$T"
	fake "$T" usercrash_c
	conf "$T" 'slots 7'
	for how in 'chmod 664' 'chmod 646' 'chown 65534' fifo dir \
	    dangling; do
		case $how in
		chown*) [ "$(id -u)" = 0 ] || continue ;;
		fifo) rm "$T/f" && mkfifo "$T/f" ;;
		dir) rm "$T/f" && mkdir "$T/f" ;;
		dangling) rmdir "$T/f" && ln -s nowhere "$T/f" ;;
		esac
		# shellcheck disable=SC2086
		case $how in
		ch*) $how "$T/f" ;;
		esac
		hand "$T" "${ORDINARY[@]}"
		[ "$(wc -l <"$T/err")" = 1 ]
		grep -q "^usercrash-wrapper: warning: $T/f: .*ignored" \
		    "$T/err"
		argv "$T/argv.usercrash_c"
		has -n 50
		chmod 644 "$T/f" 2>/dev/null || :
		[ "$(id -u)" != 0 ] || [ -L "$T/f" ] || chown 0 "$T/f"
	done
	rm -f "$T/f"
	# none at all is one without lines
	hand "$T" "${ORDINARY[@]}"
	[ ! -s "$T/err" ]
}

# What is no file is not even opened: for a device that is a deed.  Who writes
# to a FIFO waits until somebody opens it, and here that is us.
@test "class 14: what lies in the conf's place and is no file is not opened" {
	place "$T"
	fake "$T" usercrash_c
	rm -f "$T/f"
	mkfifo "$T/f"
	bg sh -c 'echo begins; echo "slots 7" >"$1"' sh "$T/f" >"$T/begins"
	wait_for 10 waits "$BG"
	hand "$T" "${ORDINARY[@]}"
	grep -q "^usercrash-wrapper: warning: $T/f: not a regular file, ignored$" \
	    "$T/err"
	argv "$T/argv.usercrash_c"
	has -n 50
	[ "$(timeout 10 cat "$T/f")" = "slots 7" ]
}

waits()
{
	[ -s "$T/begins" ] && [ "$(state_of "$1")" = S ]
}

@test "class 14: unit: a file is believed by its descriptor" {
	unit unit_trust
}

@test "a conf with wrong lines: said once, the rest holds" {
	place "$T"
	fake "$T" usercrash_c
	conf "$T" 'slots 7' 'nonsense 3' 'slots $(touch x)' 'share 0'
	hand "$T" "${ORDINARY[@]}"
	[ "$(wc -l <"$T/err")" = 1 ]
	grep -q "warning: $T/f:4: unknown key 'nonsense' (and more" "$T/err"
	argv "$T/argv.usercrash_c"
	has -n 7
}

@test "policy: by path or last part, the first share that fits" {
	local exe=$T/$'the pr\nog'
	cp /bin/sleep "$exe"
	bg "$exe" 1000
	wait_for 10 grep -qz sleep "/proc/$BG/cmdline" ||
	    wait_for 10 test -e "/proc/$BG/exe"
	place "$T"
	fake "$T" usercrash_c
	fake "$T" core_tee
	local words=("P$BG" "${ORDINARY[@]:1}")
	wait_for 10 is_exe "$exe"

	conf "$T" 'receiver a' 'program-share other 1' 'program-share the* 2' \
	    'program-share */the?pr* 3' 'no-core *og'
	hand "$T" "${words[@]}"
	argv "$T/argv.usercrash_c"
	has -s2
	has -S /dev/null
	[ ! -e "$T/argv.core_tee" ]

	rm "$T"/argv.*
	conf "$T" 'receiver a' "ignore x $T/* y"
	before "$T" '|/bin/echo app %E'
	hand "$T" "${words[@]}"
	grep -q 'info: comm\[[0-9]*\] signal 11: ignored' "$T/err"
	[ "$(cat "$T/out")" = "app $(echo "$exe" | tr / '!')" ]
	[ ! -e "$T/argv.core_tee" ]
	[ ! -e "$T/argv.usercrash_c" ]

	# deleted: the same program
	rm "$exe"
	before "$T" core
	conf "$T" 'ignore *og'
	hand "$T" "${words[@]}"
	grep -q 'ignored' "$T/err"
	[ ! -e "$T/argv.usercrash_c" ]
	# gone: by the name that is left
	conf "$T" 'ignore com?'
	hand "$T" "${ORDINARY[@]}"
	grep -q 'ignored' "$T/err"
}

@test "ignored in a loop: ten lines a minute, the last says so, and another has its own" {
	place "$T"
	fake "$T" usercrash_c
	conf "$T" 'ignore com? other'
	for _ in $(seq 14); do
		hand "$T" "${ORDINARY[@]}" >/dev/null
		cat "$T/err"
	done >"$T/all"
	cat "$T/all"
	[ "$(grep -c 'signal 11: ignored$' "$T/all")" = 9 ]
	[ "$(grep -c 'ignored; more of this program in the next 60 s are, unsaid$' \
	    "$T/all")" = 1 ]
	[ "$(wc -l <"$T/all")" = 10 ]
	sed 's/^[0-9]*/1/' "$T/t/ignored" >"$T/old"
	cat "$T/old" >"$T/t/ignored"
	hand "$T" "${ORDINARY[@]}"
	grep -q 'signal 11: ignored$' "$T/err"
	# a core that is kept has its own ledger
	[ ! -e "$T/t/rate" ]
}

is_exe()
{
	[ "$(readlink -n "/proc/$BG/exe")" = "$1" ]
}

@test "dump mode and RLIMIT_CORE: what stays here, what is not kept" {
	place "$T"
	fake "$T" usercrash_c
	fake "$T" core_tee
	local words=("${ORDINARY[@]}")
	words[6]=d2
	conf "$T" 'receiver a'
	hand "$T" "${words[@]}"
	grep -q 'stays here: dump mode 2 (suid-cores keep)' "$T/err"
	argv "$T/argv.usercrash_c"
	has --dumpmode=2
	[ ! -e "$T/argv.core_tee" ]
	conf "$T" 'receiver a' 'suid-cores forward' 'core-rate no'
	hand "$T" "${words[@]}"
	argv "$T/argv.core_tee"
	has --after
	fake "$T" core_send
	hand "$T" --after "${words[@]}"
	argv "$T/argv.core_send"
	has --dumpmode=2
	has -x
	# the local store is local
	rm "$T/argv.core_tee"
	conf "$T" "store $T/store"
	hand "$T" "${words[@]}"
	[ -e "$T/argv.core_tee" ]

	rm "$T/argv.core_tee"
	conf "$T" "store $T/store" 'receiver a' 'core-limit honour'
	hand "$T" "${ORDINARY[@]}"
	[ ! -e "$T/argv.core_tee" ]
	words[9]=c4096 words[6]=d1
	hand "$T" "${words[@]}"
	[ -e "$T/argv.core_tee" ]
}

@test "a program that is missing costs the others nothing" {
	place "$T"
	conf "$T" 'receiver a'
	fake "$T" usercrash_c
	rm "$T/b/core_tee"
	hand "$T" "${ORDINARY[@]}"
	grep -q 'warning: .*only a report: .*core_tee is not there' "$T/err"
	argv "$T/argv.usercrash_c"
	not has -p

	rm "$T/b/usercrash_c"
	before "$T" '|/bin/echo app %s'
	conf "$T"
	hand "$T" "${ORDINARY[@]}"
	grep -q 'warning: .*no report: .*usercrash_c is not there' "$T/err"
	[ "$(cat "$T/out")" = 'app 11' ]

	conf "$T" 'receiver a' 'core-rate no'
	rm "$T/b/core_send"
	hand "$T" --after "${ORDINARY[@]}"
	[ "$RC" = 111 ]
	grep -q 'lost: .*core_send is not there' "$T/err"
}

# --- the rate of cores, by hand --------------------------------------------

# told SIGNATURE: --after as core_tee runs it, 4 being what usercrash_c said.
told()
{
	rm -f "$T/argv.core_send"
	echo "$1 $T/d/usercrash_00" >"$T/told"
	hand "$T" --after "${ORDINARY[@]:0:8}" "t${2:-1700000000}" \
	    "${ORDINARY[@]:9}" 4<"$T/told"
}

@test "core-rate: so many of a signature in so many seconds" {
	local a=aaaaaaaaaaaaaaaa b=bbbbbbbbbbbbbbbb
	place "$T"
	fake "$T" core_send
	conf "$T" 'receiver a' 'core-rate 2/100'
	rm -f "$T/t/rate"
	told $a && [ -e "$T/argv.core_send" ]
	told $a && [ -e "$T/argv.core_send" ]
	[ ! -s "$T/err" ]
	told $a && [ ! -e "$T/argv.core_send" ]
	[ "$RC" = 0 ]
	grep -q 'info: comm\[999999999\] signal 11: its core is not kept: 2 of aaaaaaaaaaaaaaaa in 100 s' "$T/err"
	told $b && [ -e "$T/argv.core_send" ]
	told $a 1700000099 && [ ! -e "$T/argv.core_send" ]
	told $a 1700000100 && [ -e "$T/argv.core_send" ]
	[ "$(wc -l <"$T/t/rate")" = 1 ]
	[ "$(stat -c %a "$T/t/rate")" = 600 ]
	# no signature: by the name
	told none && [ -e "$T/argv.core_send" ]
	told none && [ -e "$T/argv.core_send" ]
	told none && [ ! -e "$T/argv.core_send" ]
	grep -q 'not kept: 2 of comm in' "$T/err"
	# what is not ours there, and a ledger that cannot be
	echo 'x y z' >>"$T/t/rate"
	told $b && [ -e "$T/argv.core_send" ]
	not grep -q x "$T/t/rate"
	rm "$T/t/rate" && mkdir "$T/t/rate"
	told $b && [ -e "$T/argv.core_send" ]
	grep -q 'warning: .*core-rate is off' "$T/err"
	rmdir "$T/t/rate"
}

@test "core-rate: the ledger is bounded, and locked" {
	place "$T"
	fake "$T" core_send
	conf "$T" 'receiver a' 'core-rate 50/1000'
	awk 'BEGIN { for (i = 0; i < 9000; i++)
		print 1700000000, sprintf("%016x", i) }' >"$T/t/rate"
	told aaaaaaaaaaaaaaaa
	[ "$(wc -l <"$T/t/rate")" = 4096 ]
	tail -n 1 "$T/t/rate" | grep -q aaaa
	rm "$T/t/rate"
	local i pids=
	echo "bbbbbbbbbbbbbbbb x" >"$T/told"
	for i in {1..40}; do
		env -i "$T/b/w" -c "$T/f" -s "$T/t" --after "${ORDINARY[@]}" \
		    4<"$T/told" </dev/null 3>&- &
		pids="$pids $!"
	done
	# shellcheck disable=SC2086
	wait $pids
	[ "$(grep -c bbbb "$T/t/rate")" = 40 ]
}

# --- hooks, by hand --------------------------------------------------------

@test "hooks: their words as they stand, facts around them, a deadline" {
	place "$T"
	cat >"$T/hook" <<-END
		#!/bin/bash
		printf '%s\\0' "\$@" >$T/hook.argv
		env | grep ^REPORT_ | sort >$T/hook.env
		readlink /proc/self/fd/0 >$T/hook.stdin
		[ ! -e /proc/self/fd/4 ] || echo 4 >>$T/hook.stdin
		: >$T/hook.done
		exit 3
	END
	chmod 755 "$T/hook"
	rm -f "$T/hook.done" "$T/t/rate"
	conf "$T" 'hook /bin/sleep 1000' \
	    "hook $T/hook \$(touch $T/x) \`y\` * ; \"a b\"" \
	    'hook-timeout 1'
	local words=("${ORDINARY[@]}")
	words[13]=$'e\x01$(z)'
	echo "aaaaaaaaaaaaaaaa $T/d/usercrash_07" >"$T/told"
	hand "$T" --after "${words[@]}" 4<"$T/told"
	[ "$RC" = 0 ]
	wait_for 20 test -e "$T/hook.done"
	argv "$T/hook.argv"
	has "\$(touch" "$T/x)" '`y`' '*' ';' '"a' 'b"'
	[ "$(cat "$T/hook.stdin")" = /dev/null ]
	cat "$T/hook.env"
	grep -qx "REPORT_FILE=$T/d/usercrash_07" "$T/hook.env"
	grep -qx 'REPORT_SIGNATURE=aaaaaaaaaaaaaaaa' "$T/hook.env"
	grep -Fqx 'REPORT_COMM=\x01$(z)' "$T/hook.env"
	grep -qx 'REPORT_PID=999999999' "$T/hook.env"
	grep -qx 'REPORT_SIGNAL=11' "$T/hook.env"
	grep -qx 'REPORT_CORE=no' "$T/hook.env"
	wait_for 20 grep -q "hook: exit status 3, for $T/d/usercrash_07" \
	    "$T/err"
	grep -q '/bin/sleep: killed after 1 seconds' "$T/err"
	[ ! -e "$T/x" ]
}

@test "hooks: none without a report, none beyond core-rate" {
	place "$T"
	conf "$T" "hook /usr/bin/touch $T/hooked" 'core-rate 1/100'
	: >"$T/told"
	hand "$T" --after "${ORDINARY[@]}" 4<"$T/told"
	hand "$T" --after "${ORDINARY[@]}"
	[ ! -e "$T/hooked" ]
	rm -f "$T/t/rate"
	told aaaaaaaaaaaaaaaa
	wait_for 10 test -e "$T/hooked"
	rm "$T/hooked"
	told aaaaaaaaaaaaaaaa
	grep -q 'not kept' "$T/err"
	[ ! -e "$T/hooked" ]
}

# --- by the kernel ---------------------------------------------------------

# kernel_place: in $RUND, which is made if need be.
kernel_place()
{
	[ -n "${RUND:-}" ] || pattern_lock
	# somebody may still be tidying up there
	wait_for 20 rm -rf "$RUND/rec" "$RUND/store" "$RUND"/d/* "$RUND"/t/* \
	    "$RUND/f"
	place "$RUND"
}

# reported [PROGRAM-CHAIN]: the last crash has its report, and it is right.
reported()
{
	report_of "$PID"
	is_report "$REPORT"
	truth null.c
	chain_is "$TRUTH" "${1:-null}" "$REPORT"
}

# whole CORE: an ELF core of all that its program headers say.
whole()
{
	local off size max=0
	while read -r off size; do
		[ $((off + size)) -le $max ] || max=$((off + size))
	done < <(readelf -lW "$1" | awk '$1 == "LOAD" { print $2, $5 }')
	echo "$1: $(stat -c %s "$1") bytes of $max"
	[ "$max" -gt 0 ] && [ "$(stat -c %s "$1")" = "$max" ]
}

@test "a crash: report, core at the receiver, core to what was there before" {
	needs_victim null
	kernel_place
	recorder "$RUND/app"
	before "$RUND" "|$RUND/app %P"
	conf "$RUND" "send-command $BIN/recv_core -i -d $RUND/there" \
	    "store $RUND/store"
	wait_for 20 rm -rf "$RUND/there"
	mkdir -m 700 "$RUND/there"
	wrap
	crash "$VICTIMS/null"
	reported
	recorded
	[ "${ARGV[1]}" = "$PID" ]
	stored
	cmp "$STORED" "$RUND/rec/core"
	wait_for 20 is_stored there
	cmp "$STORED" "$RUND/rec/core"
	[ "$(value pid "$REPORT")" = "$PID" ]
	# what it was started with is what the kernel starts it with
	[ "$(cat "$RUND/rec/pwd")" = / ]
	[ "$(cat "$RUND/rec/umask")" = 0022 ]
	not grep -Ev '^(PWD|OLDPWD|SHLVL|_)=' "$RUND/rec/env"
}

@test "no receiver: the core waits in the spool, and goes from there" {
	needs_victim null
	kernel_place
	conf "$RUND" 'receiver 127.0.0.1:1' "spool $RUND/spool" 'spool-free 0'
	wrap
	crash "$VICTIMS/null"
	reported
	wait_for 20 is_spooled
	mkdir -m 700 "$RUND/there"
	"$BIN/core_send" --flush "$RUND/spool" -- \
	    "$BIN/recv_core" -i -d "$RUND/there"
	is_stored there
	whole "$STORED"
	not is_spooled
}

is_spooled()
{
	find "$RUND/spool" -name "*.$PID.*.core" | grep -q .
}

# as_kernel PATTERN PROGRAM...: that handler by the kernel and by the wrapper:
# the same words, but for process ids and times, and the same bytes.
as_kernel()
{
	local handler=$1 pid
	shift
	rm -rf "$RUND/rec"
	pattern "|$handler"
	crash "$@"
	pid=$PID
	recorded
	sed "s/$pid/PID/g; s/1[0-9]\{9\}/TIME/g" "$RUND/rec/argv" \
	    >"$RUND/by-kernel"
	FD3=$(cat "$RUND/rec/fd3")
	rm -rf "$RUND/rec"
	before "$RUND" "|$handler"
	wrap
	crash "$@"
	recorded
	sed "s/$PID/PID/g; s/1[0-9]\{9\}/TIME/g" "$RUND/rec/argv" \
	    >"$RUND/by-wrapper"
	cmp "$RUND/by-kernel" "$RUND/by-wrapper"
	[ "$(cat "$RUND/rec/fd3")" = "$FD3" ] || [ -z "$FD3" ]
}

@test "what was there before gets what the kernel would give it" {
	needs_victim null
	local exe="/null %e;(\$x)  *" handler
	kernel_place
	cp "$VICTIMS/null" "$RUND$exe"
	ln -sf "$RUND/app" "$RUND/systemd-coredump"
	ln -sf "$RUND/app" "$RUND/apport"
	recorder "$RUND/app"
	# as shipped by systemd 252 and 258, Ubuntu's apport, and all
	for handler in \
	    'systemd-coredump %P %u %g %s %t 9223372036854775808 %h' \
	    'systemd-coredump %P %u %g %s %t %c %h %d %F' \
	    'apport -p%p -s%s -c%c -d%d -P%P -u%u -g%g -- %E' \
	    'app  lit %% %pp %P%i,%I %u:%g %d%s %t-%c %h' \
	    'app %e %E x%fy %Z %' 'app %F % %e ;/ ; --'; do
		as_kernel "$RUND/$handler" "$RUND$exe"
	done
	# a core of the last one, both ways
	conf "$RUND" "store $RUND/store"
	rm -rf "$RUND/rec"
	crash "$RUND$exe"
	recorded
	stored
	cmp "$RUND/rec/core" "$STORED"
	whole "$STORED"
}

@test "what was there before was a file name: the local store keeps cores" {
	needs_victim null
	local was
	kernel_place
	for was in core core.%p ''; do
		wait_for 20 rm -rf "$RUND/t/cores"
		before "$RUND" "$was"
		wrap
		crash "$VICTIMS/null"
		reported
		wait_for 30 is_stored t/cores
		whole "$STORED"
		[ "$(stat -c %a "$RUND/t/cores")" = 700 ]
		[ ! -e "$RUND/core" ]
		[ ! -e "/core" ]
	done
}

@test "hostile names: right report, valid JSON, nothing run" {
	needs_victim comm
	local name dir exe
	kernel_place
	recorder "$RUND/app"
	before "$RUND" "|$RUND/app %e %E %f"
	conf "$RUND" 'report-format json' "store $RUND/store" \
	    'core-rate no' 'no-core nothing'
	wrap
	dir=$RUND/$'x $(touch y)`touch y`\n*'
	mkdir -p "$dir"
	for name in 'a b  c' '*' '$(touch y)' '`touch y`' $'new\nline' \
	    '-c /f' '--' $'\x01\x02\x1f\x7f' $'\xff\xfe\x80' \
	    ';/' 'e[0;"\' "'"; do
		rm -rf "$RUND/rec"
		exe=$dir/${name//\//_}
		cp "$VICTIMS/comm" "$exe"
		crash "$exe" "$name"
		recorded
		[ "${ARGV[1]}" = "${name//\//!}" ]
		[ "${ARGV[2]}" = "${exe//\//!}" ]
		[ "${ARGV[3]}" = "${name//\//_}" ]
		wait_for 30 json_is_there "$PID"
		json_valid "$REPORT"
		[ "$(json_get "$REPORT" backtrace 0 function)" = \
		    crash_here ]
		stored
		cmp "$STORED" "$RUND/rec/core"
	done
	[ -z "$(find "$RUND" / -maxdepth 1 -name y)" ]
}

# json_is_there PID: $REPORT is that of this process.
json_is_there()
{
	REPORT=$(grep -l "\"pid\": *$1[,}]" "$RUND"/d/usercrash_* 2>/dev/null)
	[ -n "$REPORT" ]
}

@test "a pattern of another age: still a report" {
	needs_victim null
	local letters
	kernel_place
	for letters in '' '%E %P %u %g %s %t %c %h %e %p %i %I %d' \
	    'P s%s e%e' 'p%p zzz e%e' "$LETTERS %Z z"; do
		rm -f "$RUND"/d/*
		wrap "$letters"
		crash "$VICTIMS/null"
		reported
	done
}

@test "dump mode 2: a report for root alone, a core that stays" {
	needs_victim null
	needs_tool setpriv
	kernel_place
	cp "$VICTIMS/null" "$RUND/secret"
	chmod 4755 "$RUND/secret"
	chmod 755 "$RUND"
	conf "$RUND" "send-command $BIN/recv_core -i -d $RUND/store"
	mkdir -m 700 "$RUND/store"
	wrap
	kernel_set /proc/sys/fs/suid_dumpable 2
	crash_secret
	reported secret
	[ "$(stat -c %a "$REPORT")" = 600 ]
	not is_stored
	printf 'suid-cores forward\n' >>"$RUND/f"
	crash_secret
	stored
	whole "$STORED"
}

crash_secret()
{
	crash setpriv --reuid 65534 --regid 65534 --clear-groups "$RUND/secret"
}

@test "policy by the executable: nothing, or a report alone" {
	needs_victim null
	kernel_place
	follow_log
	conf "$RUND" "store $RUND/store" "ignore $RUND/ign*" 'no-core nocore'
	cp "$VICTIMS/null" "$RUND/ignored"
	cp "$VICTIMS/null" "$RUND/nocore"
	wrap
	crash "$RUND/ignored"
	ignored=$PID
	wait_for 20 log_lines "usercrash-wrapper: info: ignored.$PID. signal 11: ignored"
	crash "$RUND/nocore"
	reported nocore
	not is_stored
	PID=$ignored
	not report_with pid "$PID"
	crash "$VICTIMS/null"
	stored
}

@test "small-core: what is kept of it says what the whole says" {
	needs_victim null
	kernel_place
	ln -s "$BIN/core_trim" "$RUND/b/core_trim"
	conf "$RUND" "store $RUND/store" 'small-core small' 'core-rate no'
	cp "$VICTIMS/null" "$RUND/small"
	wrap
	crash "$RUND/small"
	reported small
	stored
	[ "$(stat -c %s "$STORED")" -le $((200 << 10)) ]
	"$BIN/debugger" "$STORED" "$RUND/small" >"$RUND/r"
	[ "$(value signature "$RUND/r")" = "$(value signature "$REPORT")" ]
	[ "$(value cause "$RUND/r")" = "$(value cause "$REPORT")" ]
	diff <(section backtrace "$RUND/r") <(section backtrace "$REPORT")
	# of another, and where it is not there, all of it
	crash "$VICTIMS/null"
	stored
	whole "$STORED"
	[ "$(stat -c %s "$STORED")" -gt $((200 << 10)) ]
	rm "$RUND/b/core_trim"
	follow_log
	crash "$RUND/small"
	wait_for 20 log_lines "its core is kept whole: .*core_trim is not there"
	stored
	whole "$STORED"
}

@test "hook: after the report, by its facts" {
	needs_victim null
	kernel_place
	cat >"$RUND/hook" <<-END
		#!/bin/sh
		until [ -e $RUND/go ] || [ ! -d $RUND ]; do sleep 0.02; done
		cp "\$REPORT_FILE" $RUND/copy.\$REPORT_PID
	END
	chmod 755 "$RUND/hook"
	conf "$RUND" "hook $RUND/hook"
	wrap
	crash "$VICTIMS/null"
	reported
	# the process has gone, the hook has all the time it wants
	[ ! -e "$RUND/copy.$PID" ]
	touch "$RUND/go"
	wait_for 20 cmp "$REPORT" "$RUND/copy.$PID"
}

# --- kill -9 of each stage -------------------------------------------------

# stage NAME: a program in its place that says who it is and waits to be
# killed or for $RUND/go, then is the real one.
stage()
{
	rm -f "$RUND/b/$1"
	cat >"$RUND/b/$1" <<-END
		#!/bin/bash
		echo \$\$ >$RUND/stage.new
		mv $RUND/stage.new $RUND/stage
		until [ -e $RUND/go ] || [ ! -d $RUND ]; do /bin/sleep 0.02; done
		exec $BIN/$1 "\$@"
	END
	chmod 755 "$RUND/b/$1"
}

# crash_beside: a crash in the background, the stage waiting: its $STAGE.
crash_beside()
{
	rm -f "$RUND/stage" "$RUND/go"
	bg "$VICTIMS/null"
	PID=$BG
	wait_for 20 test -s "$RUND/stage"
	STAGE=$(cat "$RUND/stage")
}

kill_place()
{
	needs_victim null
	kernel_place
	recorder "$RUND/app"
	before "$RUND" "|$RUND/app"
	conf "$RUND" "store $RUND/store"
	wrap
}

@test "kill -9 of usercrash_c: the others have every byte" {
	kill_place
	stage usercrash_c
	crash_beside
	kill -KILL "$STAGE"
	recorded
	stored
	cmp "$STORED" "$RUND/rec/core"
	whole "$STORED"
	not report_with pid "$PID"
}

@test "kill -9 of core_send, of recv_core: the others have every byte" {
	local p
	for p in core_send recv_core; do
		kill_place
		stage $p
		crash_beside
		kill -KILL "$STAGE"
		reported
		recorded
		whole "$RUND/rec/core"
		wait_for 20 gone "$PID"
		not is_stored
		rm "$RUND/b/$p"
	done
}

@test "kill -9 of the wrapper's --after: the others have every byte" {
	kill_place
	stage usercrash_c
	crash_beside
	# it waits for what usercrash_c will say
	wait_for 20 find_after
	kill -KILL "$AFTER"
	touch "$RUND/go"
	reported
	recorded
	whole "$RUND/rec/core"
	wait_for 20 gone "$PID"
	not is_stored
}

find_after()
{
	AFTER=$(grep -lz -- --after /proc/[0-9]*/cmdline 2>/dev/null |
	    while IFS= read -r f; do
		if tr '\0' ' ' <"$f" |
		    grep -q "^$RUND/b/w .*--after P$PID "
		then
			basename "${f%/*}"
			break
		fi
	done)
	[ -n "$AFTER" ]
}

@test "kill -9 of what was there before: the others have every byte" {
	kill_place
	cat >"$RUND/app" <<-END
		#!/bin/sh
		kill -KILL \$\$
	END
	crash "$VICTIMS/null"
	reported
	stored
	whole "$STORED"
}

@test "kill -9 of core_tee: who has begun ends; nobody is killed with it" {
	local tee
	kill_place
	stage usercrash_c
	crash_beside
	tee=$(sed 's/.*) . \([0-9]*\).*/\1/' "/proc/$STAGE/stat")
	grep -q core_tee "/proc/$tee/comm"
	kill -KILL "$tee"
	touch "$RUND/go"
	wait_for 20 gone "$PID"
	# no process and no whole core any more: a report of what there is
	recorded
	wait_for 30 test -e "$RUND/d/usercrash_00"
	grep -q '^usercrash report' "$RUND/d/usercrash_00"
}

@test "kill -9 of the wrapper before it has begun: the next crash is as ever" {
	kill_place
	cat >"$RUND/b/w" <<-END
		#!/bin/sh
		kill -KILL \$\$
	END
	crash "$VICTIMS/null"
	wait_for 20 gone "$PID"
	place "$RUND"
	crash "$VICTIMS/null"
	reported
	stored
}
