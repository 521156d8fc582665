#!/usr/bin/env bats
# install, uninstall, clean; and that what is installed says what is true:
# manual pages, examples, completion.
#
# not with sanitizers: what is installed is not run

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
	pattern_release
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
	local src=("$TOP/src/$1.c")
	[ "$1" != segfault_analyzer ] || src=("$TOP/src/segv/segv_args.c")
	tr -d '\n' <"${src[0]}" | grep -o 'argv,[[:space:]]*"[^"]*"' |
	    head -1 | sed 's/.*"\(.*\)"/\1/' | tr -d '+:-' | fold -w 1
	echo
	! grep -q crash_id_options "${src[0]}" ||
	    sed -n 's/^ *{\(STRING\|NUMBER\)(\([a-z]*\).*/-\2/p' \
	        "$TOP/src/crash/crashid.c" | grep -vx -e -encoding
	cat "${src[@]}" | tr -d '\\ \t\n' |
	    grep -o '{"[a-z-]*",[a-z]*_argument' | sed 's/{"\([a-z-]*\)".*/-\1/'
}

# The same as its manual page has them.
documented()
{
	grep '^\.It Fl' "$TOP/man/$1.8" | grep -o 'Fl [-A-Za-z0-9]*' |
	    sed 's/^Fl //'
}

programs='usercrash_c usercrash_s debugger core_accept core_tee core_trim core_live core_send
	recv_core segfault_analyzer crashlog_read'

@test "install: these files and no others" {
	build install >/dev/null
	diff -u - <(placed) <<-'EOF'
		755 usr/bin/core_accept
		755 usr/bin/core_live
		755 usr/bin/core_send
		755 usr/bin/core_tee
		755 usr/bin/core_trim
		755 usr/bin/crashlog_read
		755 usr/bin/crashlogctl
		755 usr/bin/debugger
		755 usr/bin/recv_core
		755 usr/bin/segfault_analyzer
		755 usr/bin/usercrash-wrapper
		755 usr/bin/usercrash_c
		755 usr/bin/usercrash_s
		644 usr/lib/systemd/system/core_accept.socket
		644 usr/lib/systemd/system/core_accept@.service
		777 usr/lib/systemd/system/core_send-flush.service
		777 usr/lib/systemd/system/core_send-flush.timer
		644 usr/lib/systemd/system/recv_core.service
		644 usr/lib/systemd/system/recv_core.socket
		644 usr/lib/systemd/system/recv_core@.service
		644 usr/lib/systemd/system/usercrash-flush.service
		644 usr/lib/systemd/system/usercrash-flush.timer
		644 usr/lib/systemd/system/usercrash_s.service
		644 usr/lib/systemd/system/usercrash_s.socket
		644 usr/lib/systemd/system/usercrash_s@.service
		644 usr/lib/sysusers.d/usercrash.conf
		644 usr/lib/tmpfiles.d/usercrash.conf
		644 usr/lib/usercrash/conf.sh
		644 usr/lib/usercrash/cores.sh
		644 usr/lib/usercrash/doctor.sh
		644 usr/lib/usercrash/frames.awk
		644 usr/lib/usercrash/json.awk
		644 usr/lib/usercrash/ledger.sh
		644 usr/lib/usercrash/pick.sh
		644 usr/lib/usercrash/reports.sh
		644 usr/lib/usercrash/server.sh
		644 usr/lib/usercrash/settings.sh
		644 usr/lib/usercrash/show.sh
		644 usr/lib/usercrash/socket.sh
		644 usr/lib/usercrash/status.sh
		644 usr/lib/usercrash/upgrade.sh
		644 usr/share/bash-completion/completions/core_accept
		644 usr/share/bash-completion/completions/core_live
		644 usr/share/bash-completion/completions/core_send
		644 usr/share/bash-completion/completions/core_tee
		644 usr/share/bash-completion/completions/core_trim
		644 usr/share/bash-completion/completions/crashlog_read
		644 usr/share/bash-completion/completions/crashlogctl
		644 usr/share/bash-completion/completions/debugger
		644 usr/share/bash-completion/completions/recv_core
		644 usr/share/bash-completion/completions/segfault_analyzer
		644 usr/share/bash-completion/completions/usercrash_c
		644 usr/share/bash-completion/completions/usercrash_s
		644 usr/share/doc/usercrash/README
		644 usr/share/doc/usercrash/core_send.env
		644 usr/share/doc/usercrash/inetd.conf.recv_core
		755 usr/share/doc/usercrash/openrc/recv_core
		755 usr/share/doc/usercrash/openrc/usercrash_s
		755 usr/share/doc/usercrash/runit/recv_core/log/run
		755 usr/share/doc/usercrash/runit/recv_core/run
		755 usr/share/doc/usercrash/runit/usercrash_s/log/run
		755 usr/share/doc/usercrash/runit/usercrash_s/run
		755 usr/share/doc/usercrash/s6/core_accept/run
		644 usr/share/doc/usercrash/s6/core_accept/type
		755 usr/share/doc/usercrash/s6/recv_core-tcp/run
		644 usr/share/doc/usercrash/s6/recv_core-tcp/type
		755 usr/share/doc/usercrash/s6/recv_core/run
		644 usr/share/doc/usercrash/s6/recv_core/type
		755 usr/share/doc/usercrash/s6/usercrash_s-ipc/run
		644 usr/share/doc/usercrash/s6/usercrash_s-ipc/type
		755 usr/share/doc/usercrash/s6/usercrash_s/run
		644 usr/share/doc/usercrash/s6/usercrash_s/type
		644 usr/share/doc/usercrash/sysctl.d/60-usercrash.conf
		755 usr/share/doc/usercrash/ucspi/recv_core/run
		644 usr/share/doc/usercrash/usercrash.conf
		644 usr/share/doc/usercrash/xinetd.d/recv_core
		644 usr/share/fish/vendor_completions.d/core_accept.fish
		644 usr/share/fish/vendor_completions.d/core_live.fish
		644 usr/share/fish/vendor_completions.d/core_send.fish
		644 usr/share/fish/vendor_completions.d/core_tee.fish
		644 usr/share/fish/vendor_completions.d/core_trim.fish
		644 usr/share/fish/vendor_completions.d/crashlog_read.fish
		644 usr/share/fish/vendor_completions.d/crashlogctl.fish
		644 usr/share/fish/vendor_completions.d/debugger.fish
		644 usr/share/fish/vendor_completions.d/recv_core.fish
		644 usr/share/fish/vendor_completions.d/segfault_analyzer.fish
		644 usr/share/fish/vendor_completions.d/usercrash_c.fish
		644 usr/share/fish/vendor_completions.d/usercrash_s.fish
		644 usr/share/man/man5/usercrash-report.5
		644 usr/share/man/man5/usercrash-ring.5
		644 usr/share/man/man5/usercrash-stream.5
		644 usr/share/man/man5/usercrash.conf.5
		644 usr/share/man/man7/usercrash-fleet.7
		644 usr/share/man/man7/usercrash.7
		644 usr/share/man/man8/core_accept.8
		644 usr/share/man/man8/core_live.8
		644 usr/share/man/man8/core_send.8
		644 usr/share/man/man8/core_tee.8
		644 usr/share/man/man8/core_trim.8
		644 usr/share/man/man8/crashlog_read.8
		644 usr/share/man/man8/crashlogctl.8
		644 usr/share/man/man8/debugger.8
		644 usr/share/man/man8/recv_core.8
		644 usr/share/man/man8/segfault_analyzer.8
		644 usr/share/man/man8/usercrash-wrapper.8
		644 usr/share/man/man8/usercrash_c.8
		644 usr/share/man/man8/usercrash_s.8
		644 usr/share/zsh/site-functions/_core_accept
		644 usr/share/zsh/site-functions/_core_live
		644 usr/share/zsh/site-functions/_core_send
		644 usr/share/zsh/site-functions/_core_tee
		644 usr/share/zsh/site-functions/_core_trim
		644 usr/share/zsh/site-functions/_crashlog_read
		644 usr/share/zsh/site-functions/_crashlogctl
		644 usr/share/zsh/site-functions/_debugger
		644 usr/share/zsh/site-functions/_recv_core
		644 usr/share/zsh/site-functions/_segfault_analyzer
		644 usr/share/zsh/site-functions/_usercrash_c
		644 usr/share/zsh/site-functions/_usercrash_s
	EOF
}

@test "install: nothing of man and etc is forgotten" {
	build install >/dev/null
	(cd "$TOP" && find man etc -path etc/packaging -prune -o \
	    -type f -print) >"$BATS_TEST_TMPDIR/list"
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
	cp -R "$TOP/bin/bootstrap" "$TOP/bin/lib" "$c/bin"
	(cd "$c" && find . | sort) >"$BATS_TEST_TMPDIR/before"
	mkdir -p "$c/build/x" "$c/build-san/bin"
	for f in build/x/y build-san/bin/debugger; do
		: >"$c/$f"
	done
	for f in $programs; do
		: >"$c/bin/$f"
		: >"$c/bin/${f}_dbg"
	done
	D='' TOP=$c build clean >/dev/null
	diff "$BATS_TEST_TMPDIR/before" <(cd "$c" && find . | sort)
}

@test "debug: every program, with sanitizers, its trace with one -v" {
	local p
	D='' build debug >"$BATS_TEST_TMPDIR/out" 2>&1 ||
	    { tail -5 "$BATS_TEST_TMPDIR/out"; false; }
	for p in $programs; do
		run "$TOP/bin/${p}_dbg" -t x </dev/null
		[ "$status" = 100 ]
		[[ "$output" == *"$p"* ]]
		grep -q __asan_init "$TOP/bin/${p}_dbg"
	done
	head -c 5000 /dev/zero >"$BATS_TEST_TMPDIR/in"
	run "$TOP/bin/core_tee_dbg" -v true \; wc -c <"$BATS_TEST_TMPDIR/in"
	[ "$status" = 0 ]
	grep -q ' rd=5000 (n=5000)$' <<<"$output"
	core_fixture
	mkdir -m 700 "$BATS_TEST_TMPDIR/store"
	"$TOP/bin/core_send_dbg" -v --dumpmode=1 - <"$CORE" \
	    2>"$BATS_TEST_TMPDIR/sent" |
	    "$TOP/bin/recv_core_dbg" -v -i -m 0 -d "$BATS_TEST_TMPDIR/store" \
		2>"$BATS_TEST_TMPDIR/received"
	grep -q ' rd=[0-9]* tr=[0-9]* (n=[0-9]*)$' "$BATS_TEST_TMPDIR/sent"
	grep -q ' wr=[0-9]* tw=[0-9]* (n=[0-9]*)$' "$BATS_TEST_TMPDIR/received"
	run "$BIN/core_tee" -v true \; wc -c <"$BATS_TEST_TMPDIR/in"
	not grep -q 'rd=' <<<"$output"
	if git -C "$TOP" rev-parse 2>/dev/null; then
		for p in $programs; do
			git -C "$TOP" check-ignore -q "bin/$p"
			git -C "$TOP" check-ignore -q "bin/${p}_dbg"
		done
		git -C "$TOP" check-ignore -q build-san
	fi
}

# core_in FILE...: one of them is the fixture, received whole.
core_in()
{
	local f
	for f; do
		[ ! -L "$f" ] && cmp -s "$CORE" "$f" && return 0
	done
	return 1
}

send_it()
{
	"$BIN/core_send" --pid="${1:-4}" --comm=x --time=5 --dumpmode=1 \
	    "127.0.0.1:$PORT" <"$CORE" 2>"$BATS_TEST_TMPDIR/err"
}

# The fixture, to whoever listens at $PORT, or will; then it is in $S.
sent()
{
	wait_for 20 send_it || {
		cat "$BATS_TEST_TMPDIR/err"
		return 1
	}
	core_in "$S"/*/core.x.4.5
}

# a_store: a directory whose owner is not root, in $S of user $U.
a_store()
{
	core_fixture
	S=$BATS_TEST_TMPDIR/store U=$(id -un)
	chmod 755 "$BATS_TEST_TMPDIR" "$BATS_FILE_TMPDIR" "$BATS_RUN_TMPDIR" \
	    "$BATS_RUN_TMPDIR"/*/ 2>/dev/null || :
	mkdir -m 750 "$S"
	if [ "$(id -u)" = 0 ]; then
		U=nobody
		chown nobody "$S"
	fi
	PORT=$((20000 + RANDOM % 12000))
}

# as_here FILE: an example, with this test's programs, port, user and store.
as_here()
{
	sed "s|/usr/bin/recv_core|$BIN/recv_core|
	    s|64740|$PORT|
	    s|0\.0\.0\.0|127.0.0.1|
	    s|usercrash\$|$U|
	    s|recv_core -i|recv_core -i -m 0 -d $S|
	    s|= -i|= -i -m 0 -d $S|
	    s|exec recv_core\$|exec recv_core -p $PORT -m 0 -d $S|" "$1"
}

# Debian, for one, lets only one of the two be installed.
@test "examples for xinetd and inetd, those that are here" {
	local super n=0
	needs_root
	for super in xinetd inetd; do
		command -v $super >/dev/null || continue
		rm -rf "$BATS_TEST_TMPDIR/store"
		a_store
		cd "$BATS_TEST_TMPDIR"
		if [ $super = xinetd ]; then
			as_here "$TOP/etc/xinetd.d/recv_core" |
			    sed '/^[[:space:]]*group/d' >conf
			grep -q "server_args.*-d $S" conf
			bg xinetd -dontfork -f conf -pidfile pid -filelog log
		else
			as_here "$TOP/etc/inetd.conf.recv_core" |
			    sed "s| usercrash | $U |" >conf
			grep -q "^$PORT .* $U .*-d $S" conf
			bg inetd -d conf 2>log
		fi
		sent
		[ "$(stat -c %U "$S"/*/core.x.4.5)" = nobody ]
		end_bgs
		n=$((n + 1))
	done
	[ $n -gt 0 ] || unmet "needs xinetd or inetd"
}

@test "examples for s6, runit and daemontools: their run scripts" {
	local run n=0
	for run in "$TOP"/etc/{s6,runit,ucspi}/recv_core*/run; do
		case $(sed -n 's/^exec \([a-z0-9_-]*\).*/\1/p' "$run") in
		*s6-tcpserver) command -v s6-tcpserver >/dev/null || continue ;;
		*tcpserver) command -v tcpserver >/dev/null || continue ;;
		esac
		rm -rf "$BATS_TEST_TMPDIR/store"
		a_store
		as_here "$run" >"$BATS_TEST_TMPDIR/run"
		grep -q -- "-d $S" "$BATS_TEST_TMPDIR/run"
		PATH=$BIN:$PATH bg sh "$BATS_TEST_TMPDIR/run" \
		    >"$BATS_TEST_TMPDIR/log"
		sent
		grep -q '^recv_core: info: ' "$BATS_TEST_TMPDIR/log"
		[ "$(stat -c %U "$S"/*/core.x.4.5)" = "$U" ]
		end_bgs
		n=$((n + 1))
	done
	[ $n -ge 2 ]
}

@test "units: what systemd says of them" {
	local u
	needs_tool systemd-analyze
	# the programs must be where the units say
	D='' build PREFIX="$BATS_TEST_TMPDIR/usr" install >/dev/null
	for u in "$BATS_TEST_TMPDIR"/usr/lib/systemd/system/*; do
		run systemd-analyze verify --man=no "$u"
		# other units are this machine's own affair
		grep -F "${u##*/}" <<<"$output" &&
		    { echo "$output"; return 1; }
		[ "$status" = 0 ] || [ -n "$output" ]
	done
	# what is in both, is the same in both
	diff <(sed -n '/^User=/,$p' "$TOP/etc/systemd/recv_core.service" |
	    grep -v '^RestrictAddressFamilies=') \
	    <(sed -n '/^User=/,$p' "$TOP/etc/systemd/recv_core@.service" |
	    grep -v '^RestrictAddressFamilies=\|^PrivateNetwork\|^# A command')
}

# What reads any process cannot be kept from all of them.
@test "units: none is rated above 2.0 by systemd-analyze security" {
	local u rated most
	needs_tool systemd-analyze
	systemd-analyze security --help | grep -q -e --offline ||
	    unmet "needs systemd-analyze security --offline"
	for u in "$TOP"/etc/systemd/*.service; do
		rated=$(systemd-analyze security --offline=true "$u" 2>/dev/null |
		    sed -n 's/.*Overall exposure level for .*: \([0-9.]*\) .*/\1/p')
		echo "${u##*/}: $rated"
		most=2.0
		[ "${u##*/}" != core_accept@.service ] || most=2.1
		awk -v r="$rated" -v most=$most \
		    'BEGIN { exit !(r != "" && r + 0 <= most + 0) }'
	done
}

@test "the user and the directories that units and examples count on" {
	local root=$BATS_TEST_TMPDIR/image
	needs_root
	needs_tool systemd-sysusers systemd-tmpfiles
	build install >/dev/null
	mkdir -p "$root/etc" "$root/usr/lib"
	cp -R "$D/usr/lib/sysusers.d" "$D/usr/lib/tmpfiles.d" "$root/usr/lib"
	printf 'root:x:0:0::/root:/bin/sh\n' >"$root/etc/passwd"
	printf 'root:x:0:\nadm:x:4:\n' >"$root/etc/group"
	systemd-sysusers --root="$root"
	grep -q '^usercrash:' "$root/etc/passwd"
	systemd-tmpfiles --root="$root" --create usercrash.conf
	[ "$(stat -c '%a %u' "$root/var/spool/usercrash")" = '700 0' ]
	[ "$(stat -c '%a %u' "$root/var/log/usercrashes")" = '750 0' ]
	[ "$(stat -c '%a %u' "$root/var/lib/usercrash")" = '755 0' ]
	[ "$(stat -c '%a %u' "$root/var/lib/usercrash/cores")" = '700 0' ]
	[ "$(stat -c '%a %u' "$root/var/lib/recv_core")" = \
	    "750 $(sed -n 's/^usercrash:[^:]*:\([0-9]*\):.*/\1/p' \
	    "$root/etc/passwd")" ]
	# nothing that its user can write is a home
	grep -q '^usercrash:.*:/:[^:]*$' "$root/etc/passwd"
	# what the units make is the same directory
	[ "$(grep -h '^StateDirectory=' "$TOP"/etc/systemd/recv_core*.service |
	    sort -u)" = StateDirectory=recv_core ]
}

# --- a machine that boots ---------------------------------------------------

# an_image: all that is installed, in $I, with as little of a system as it
# needs, and no more of this one than the kernel.
an_image()
{
	local f
	needs_tool systemd-sysusers systemd-tmpfiles busybox unshare ldd
	pattern_lock
	I=$RUND/i
	D=$I build install >/dev/null
	mkdir -p "$I/bin" "$I/dev" "$I/etc" "$I/proc" "$I/tmp" "$I/var/lib"
	mknod -m 666 "$I/dev/null" c 1 3
	cp "$(command -v busybox)" "$I/bin/busybox"
	ldd "$I/bin/busybox" "$I"/usr/bin/{core_send,recv_core,usercrash_s} \
	    2>/dev/null |
	    grep -o '/[^ :]*' | grep -v "^$I" | sort -u | while read -r f; do
		mkdir -p "$I${f%/*}"
		cp -L "$f" "$I$f"
	done
	busybox --list | while read -r f; do
		[ "$f" = busybox ] || ln -s busybox "$I/bin/$f"
	done
	printf 'root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:\n' \
	    >"$I/etc/passwd"
	printf 'root:x:0:\nadm:x:4:\n' >"$I/etc/group"
	printf '%s\n' 'store-free 0' 'report-free 0' >"$I/etc/usercrash.conf"
	cat >"$RUND/h" <<-END
		exec 2>>$RUND/log
		exec unshare -m /bin/sh -c 'mount --bind /proc $I/proc &&
		    exec chroot $I "\$@"' sh /usr/bin/usercrash-wrapper "\$@"
	END
}

boots()
{
	systemd-sysusers --root="$I"
	systemd-tmpfiles --root="$I" --create usercrash.conf
}

crashes_in_image()
{
	pattern "$(sed -n 's/^kernel.core_pattern = //p' \
	    "$I/etc/sysctl.d/99-usercrash.conf" |
	    sed "s,^|/usr/bin/usercrash-wrapper,|/bin/sh $RUND/h,")"
	crash "$VICTIMS/null"
	# shellcheck disable=SC2144
	wait_for 30 eval "[ -e $I/var/lib/usercrash/cores/*/core.null.$PID.*.info ]" || {
		cat "$RUND/log"
		ls -lR "$I/var/lib"
		return 1
	}
	grep -lx "pid: $PID" "$I"/var/log/usercrashes/usercrash_*
}

receives_in_image()
{
	wait_for 20 send_it "$1"
	core_in "$I"/var/lib/recv_core/*/"core.x.$1.5" || {
		cat "$RUND/recv" "$BATS_TEST_TMPDIR/err"
		ls -lR "$I/var/lib/recv_core"
		return 1
	}
}

@test "installed, enabled, booted: a core of this machine, and one received beside it" {
	core_fixture
	needs_victim null
	needs_kernel
	an_image
	"$I/usr/bin/crashlogctl" --root "$I" enable
	boots
	[ "$("$I/usr/bin/crashlogctl" --root "$I" is-active)" = active ]
	# sysctl.d is read before any service runs
	crashes_in_image
	bg unshare -m sh -c "mount --bind /proc $I/proc &&
	    exec chroot $I /usr/bin/usercrash_s -m 0" 2>"$RUND/served"
	wait_for 20 test -S "$I/run/usercrash/usercrash.sock"
	crashes_in_image
	grep "pid $PID " "$RUND/served"
	PORT=$((20000 + RANDOM % 12000))
	bg unshare -m sh -c "mount --bind /proc $I/proc && exec chroot \
	    --userspec=$(stat -c %u:%g "$I/var/lib/recv_core") --groups= $I \
	    /usr/bin/recv_core -m 0 -p $PORT 127.0.0.1" 2>"$RUND/recv"
	receives_in_image 4
	# each boot says whose all of it is
	boots
	crashes_in_image
	receives_in_image 5
	[ "$(stat -c '%a %u' "$I/var/lib/usercrash/cores")" = '700 0' ]
}

@test "upgrade: the local store and the receiver's, which were one directory, part" {
	local i=$BATS_TEST_TMPDIR/i old new given
	needs_root
	old=$i/var/lib/usercrash/cores new=$i/var/lib/recv_core
	for given in 4242 0; do
		rm -rf "$i"
		mkdir -p "$old/here" "$old/there" "$old/other" "$i/etc" "$i/away"
		echo a >"$old/here/core.a.1.2"
		echo b >"$old/there/core.b.1.2"
		ln -s there/core.b.1.2 "$old/core_dump"
		chown -hR 4242:4242 "$old/there" "$old/other" "$old/core_dump"
		chown "$given:$given" "$old"
		"$TOP/bin/crashlogctl" --root "$i" -n upgrade
		[ -e "$old/there" ] && [ ! -e "$new" ]
		"$TOP/bin/crashlogctl" --root "$i" upgrade
		[ "$(stat -c '%a %u' "$old")" = '700 0' ] || [ "$given" = 0 ]
		[ "$(cat "$old/here/core.a.1.2")" = a ]
		[ "$(cat "$new/there/core.b.1.2")" = b ]
		[ "$(stat -c %u:%g "$new" "$new/there")" = "4242:4242
4242:4242" ]
		[ ! -e "$old/there" ] && [ ! -L "$old/core_dump" ]
		# nothing more to do
		[ -z "$("$TOP/bin/crashlogctl" --root "$i" upgrade)" ]
		# of those two one must be moved by hand; no link is followed
		mkdir "$old/there" "$old/evil"
		ln -s "$i/away" "$new/evil"
		chown -h 4242:4242 "$old/there" "$old/evil" "$new/evil"
		run "$TOP/bin/crashlogctl" --root "$i" upgrade
		[ "$status" = 1 ]
		[[ "$output" == *"by hand"* ]]
		[ -d "$old/there" ] && [ -d "$old/evil" ]
		[ -z "$(ls "$i/away")" ]
	done
	# below what is somebody else's, nothing is touched
	chown 4242 "$i/var/lib/usercrash"
	run "$TOP/bin/crashlogctl" --root "$i" upgrade
	[ "$status" = 1 ]
}

@test "the flush service: its command, with its capabilities, and its settings" {
	local unit=$TOP/etc/systemd/usercrash-flush.service cmd caps
	local spool=$BATS_TEST_TMPDIR/r/var/spool/usercrash
	local env=$BATS_TEST_TMPDIR/r/etc/core_send.env
	needs_root
	needs_tool setpriv
	a_store
	mkdir -p "${env%/*}" "${spool%/*}"
	mkdir -m 700 "$spool"
	# one that waits: nobody listens there
	run "$BIN/core_send" -m 0 -s "$spool" --pid=4 \
	    --comm=x --time=5 --dumpmode=1 "127.0.0.1:$PORT" <"$CORE"
	[ "$status" = 1 ]
	cmd=$(sed -n 's/^ExecStart=//p' "$unit")
	[ "$cmd" = '/usr/bin/crashlogctl flush' ]
	caps=$(sed -n 's/^CapabilityBoundingSet=//p' "$unit" |
	    tr '[:upper:]' '[:lower:]' | sed 's/cap_/+/g; s/ /,/g')
	grep -q '^CORE_SEND_ARGS="-c 3 collector' "$TOP/etc/core_send.env"
	sed "s|^\(CORE_SEND_ARGS=\).*|\1\"-c 1 127.0.0.1:$((PORT + 1)),127.0.0.1:$PORT\"|" \
	    "$TOP/etc/core_send.env" >"$env"
	bg "$BIN/recv_core" -m 0 -p "$PORT" -d "$S" 127.0.0.1 \
	    2>"$BATS_TEST_TMPDIR/log"
	wait_for 10 eval "(: >/dev/tcp/127.0.0.1/$PORT) 2>/dev/null"
	PATH=$BIN:$PATH setpriv --bounding-set "-all,$caps" \
	    "$TOP/bin/crashlogctl" --root "$BATS_TEST_TMPDIR/r" flush
	core_in "$S"/*/core.x.4.5
	[ -z "$(find "$spool" -name '*.core')" ]
}

@test "one timer: who switched on the flush timer of older versions has it" {
	local units=$D/usr/lib/systemd/system wants
	wants=$D/etc/systemd/system/timers.target.wants
	mkdir -p "$units" "$wants"
	echo old | tee "$units/core_send-flush.timer" \
	    >"$units/core_send-flush.service"
	ln -s ../../../../usr/lib/systemd/system/core_send-flush.timer "$wants"
	build install >/dev/null
	build install >/dev/null
	[ "$(readlink -f "$wants/core_send-flush.timer")" = \
	    "$(readlink -f "$units")/usercrash-flush.timer" ]
	[ "$(readlink -f "$units/core_send-flush.service")" = \
	    "$(readlink -f "$units")/usercrash-flush.service" ]
	build uninstall
	[ ! -L "$units/core_send-flush.timer" ]
	[ -z "$(find "$units" -name '*flush*')" ]
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
		grep '^\.Xr \(usercrash\|debugger\|core_\|recv_\)' "$f" |
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
	local m=$TOP/man/usercrash-ring.5 r=$TOP/man/usercrash-report.5 c=$TOP/man/usercrash_c.8 a
	# NAME FILE: an enum constant
	number() {
		sed -n "s/^.*[[:space:]{]$1 = \([0-9]*\).*/\1/p" \
		    "$TOP/src/$2" | head -1
	}
	[ "$(number SLOTS_N slots/slots.h)" = 50 ]
	grep -q '^50 of them by default' "$m"
	[ "$(number SLOTS_MINFREE slots/slots.h)" = 16 ]
	grep -q 'less than 16 MiB' "$m"
	[ "$(number SERVE_ASK_MS slots/serve.h)" = 1000 ]
	[ "$(number SERVE_COMPLETE_MS slots/serve.h)" = 30000 ]
	grep -q 'waits 1 second for the REQUEST and 30 seconds' "$m"
	[ "$(number ASK_MS slots/sink.c)" = 2000 ]
	[ "$(number SLOTS_LATE_MS slots/slots.h)" = 10000 ]
	grep -q 'PUBLISH_MS = SLOTS_LATE_MS + 5000' "$TOP/src/slots/sink.c"
	grep -q 'waits 2 seconds for the REPLY and 15 seconds' "$m"
	[ "$(number FRAMES_HEAD report/crash_dump.c)" = 256 ]
	[ "$(number FRAMES_TAIL report/crash_dump.c)" = 64 ]
	grep -q 'first 256 and the last 64 frames' "$r"
	[ "$(number SIGNATURE_FRAMES report/signature.h)" = 256 ]
	grep -q 'first 256 of the frames' "$r"
	[ "$(number STACK_WORDS report/memory.c)" = 128 ]
	grep -q '^128 words' "$r"
	[ "$(number PROC_FDS_MAX proc/procinfo.h)" = 65536 ]
	grep -q '^65536 of them' "$r"
	[ "$(number WORKER_S usercrash_c.c)" = 20 ]
	grep -q '1 to 3600; the default is 20\.' "$c"
	[ "$(number UNWIND_S debugger.c)" = 60 ]
	grep -q '1 to 86400; the default is 60\.' "$TOP/man/debugger.8"
	a=$TOP/man/segfault_analyzer.8
	[ "$(number SEGV_DEPTH segv/segv_resolve.h)" = 16 ]
	[ "$(number SEGV_DEPTH_MAX segv/segv_resolve.h)" = 65536 ]
	grep -q '1 to 65536; the default is 16\.' "$a"
	[ "$(number SEGV_FILTER_MAX probe/segv_probe.h)" = 64 ]
	grep -q '^At most 64 bytes' "$a"
	[ "$(number SEGV_SHARE_DEFAULT probe/segv_probe.h)" = 3 ]
	grep -q 'the default is 3, and 0 is no limit' "$a"
	grep -q 'SEGV_RING_DEFAULT = 8 << 20' "$TOP/src/probe/segv_probe.h"
	grep -q 'SEGV_RING_MAX = 1 << 30' "$TOP/src/probe/segv_probe.h"
	[ "$(number RING_MIN segv/segv_args.c)" = 4096 ]
	grep -q '4096 to 1073741824, made a power of two' "$a"
	grep -q 'the default is 8388608\.' "$a"
	[ "$(number SEGV_PAGES_DEFAULT probe/segv_probe.h)" = 17 ]
	grep -q '^17 pages of stack are copied' "$a"
	[ "$(number LAZY_MS segv/segv_watch.c)" = 2 ]
	grep -q 'once every 2 ms' "$a"
	[ "$(number FILE_MIN segv/segv_args.c)" = 4096 ]
	[ "$(number KEEPER_COUNT_MAX segv/segv_keeper.h)" = 1000 ]
	grep -q '1 to 1000, stay' "$a"
	[ "$(number TOP_MS segv/segv_args.c)" = 2000 ]
	[ "$(number TOP_ROWS segv/segv_top.h)" = 1024 ]
	grep -q '^1024 rows are kept' "$a"
	[ "$(number RUNNER_MS segv/segv_runner.h)" = 60000 ]
	[ "$(number RUNNER_BURST segv/segv_runner.h)" = 10 ]
	[ "$(number RUNNER_RATE segv/segv_runner.h)" = 1 ]
	[ "$(number RUNNER_TOGETHER segv/segv_runner.h)" = 4 ]
	[ "$(number RUNNER_WAITING segv/segv_runner.h)" = 32 ]
	grep -q '^Ten are run at once, then one a second, and never more than four together; 32$' "$a"
	[ "$(number FACT_MAX segv/segv_runner.c)" = 256 ]
	grep -q 'at most 255 bytes before that' "$a"
	[ "$(number LIVE_WAIT_MS target/target_live.h)" = 2000 ]
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
	# what follows a separator is a command
	run bash -c '
		. "$1"
		COMP_WORDS=(core_tee true \\\; dirnam) COMP_CWORD=3
		_usercrash core_tee dirnam "\;"
		echo "${COMPREPLY[*]}"' bash \
	    "$D/usr/share/bash-completion/completions/core_tee"
	[ "${output%% *}" = dirname ]
	run bash -c '
		. "$1"
		COMP_WORDS=(debugger --format = j) COMP_CWORD=3
		_usercrash debugger j =
		echo "${COMPREPLY[*]}"' bash \
	    "$D/usr/share/bash-completion/completions/debugger"
	[ "$output" = json ]
}

@test "completion: what zsh and fish are told is what bash is" {
	local p share=$D/usr/share
	build install >/dev/null
	for p in $programs; do
		diff <(taken "$p" | grep . | sed 's/^/-/' | sort -u) \
		    <(grep -o "'-[-a-zA-Z0-9]*" "$share/zsh/site-functions/_$p" |
		    tr -d "'" | sort -u)
		diff <(taken "$p" | grep . | sed 's/^/-/' | sort -u) \
		    <(sed -n 's/^complete -c [a-z_]* -s \(.\).*/-\1/p
		    s/^complete -c [a-z_]* -l \([a-z-]*\).*/--\1/p' \
		    "$share/fish/vendor_completions.d/$p.fish" | sort -u)
	done
	for p in _crashlogctl:zsh/site-functions/_crashlogctl \
	    ' -l :fish/vendor_completions.d/crashlogctl.fish'; do
		diff <(ctl_words) <(grep -Eo -e "('-| -l )-?[a-z-]+" \
		    "$share/${p#*:}" | sed "s/^'--/--/; s/^ -l /--/" |
		    grep -e -- | sort -u)
		for c in $("$TOP/bin/crashlogctl" --help |
		    sed -n 's/^\([a-z-]*\)  .*/\1/p; s/^\([a-z]*\) [[A-Z].*/\1/p'); do
			grep -qE "[(' ]${c}[) ']" "$share/${p#*:}"
		done
	done
	[ "$(grep -c . "$share/fish/vendor_completions.d/crashlogctl.fish")" -gt 20 ]
	needs_tool zsh fish
	for p in "$share"/zsh/site-functions/_*; do
		zsh -n "$p"
	done
	for p in "$share"/fish/vendor_completions.d/*; do
		[ -z "$(fish -c "source $p" 2>&1)" ]
	done
	fish -c "source $share/fish/vendor_completions.d/debugger.fish
	    complete -C 'debugger --format '" | grep -qx json
	fish -c "source $share/fish/vendor_completions.d/crashlogctl.fish
	    complete -C 'crashlogctl dis'" | grep -qx disable
	fish -c "source $share/fish/vendor_completions.d/crashlogctl.fish
	    complete -C 'crashlogctl list --sin'" | grep -q -e '^--since'
}

# Commands and options of crashlogctl as its usage has them.
ctl_words()
{
	"$TOP/bin/crashlogctl" --help | grep -o -- '--[a-z-]*' | sort -u
}

@test "crashlogctl: manual page and completion have what it takes" {
	local m=$TOP/man/crashlogctl.8 c
	for c in $("$TOP/bin/crashlogctl" --help |
	    sed -n 's/^\([a-z-]*\)  .*/\1/p; s/^\([a-z]*\) [[A-Z].*/\1/p'); do
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

@test "make help: a line for each target, and each of them is there" {
	local target
	D='' build help >"$BATS_TEST_TMPDIR/help"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/help")" -ge 15 ]
	while read -r target _; do
		grep -Eqh "^([a-z-]+ )*$target( [a-z-]+)*:" "$TOP/Makefile" \
		    "$TOP"/t/*/*.mk "$TOP"/etc/*/*.mk || {
			echo "no target $target"
			return 1
		}
	done <"$BATS_TEST_TMPDIR/help"
}

# A tree of two rooms and two units, which are scripts.
@test "make quick: the units of what changed, told when one fails" {
	needs_tool git
	cd "$BATS_TEST_TMPDIR"
	mkdir -p src/one src/two t/unit build/t
	cp "$TOP/t/quick.sh" t/
	printf '#!/bin/sh\nexit 0\n' >t/lint.sh
	printf '#!/bin/sh\nexit 0\n' >build/t/unit_a
	printf '#!/bin/sh\necho told; exit 1\n' >build/t/unit_b
	chmod +x t/lint.sh build/t/unit_?
	echo 'build/t/unit_a.o: t/unit/unit_a.c t/unit/a.h' >build/t/unit_a.d
	echo 'build/t/unit_b.o: t/unit/unit_b.c' >build/t/unit_b.d
	touch src/one/x.c src/two/y.c t/unit/a.h t/unit/a.c
	printf 'unit_a = one\nunit_b = two\n' >Makefile
	echo build >.gitignore
	git init -q .
	git add .
	git -c user.name=t -c user.email=t@t commit -q -m all
	changed()
	{
		git checkout -q .
		echo "$2" >>"$1"
		run t/quick.sh 'unit_a one' 'unit_b two'
		echo "$1: $status $output"
	}
	changed src/one/x.c ''
	[ "$status $output" = '0 unit_a: ok' ]
	changed t/unit/a.h ''
	[ "$status $output" = '0 unit_a: ok' ]
	changed t/unit/a.c ''
	[ "$status $output" = '0 unit_a: ok' ]
	changed Makefile 'CFLAGS = -O1'
	[ "$status $output" = '0 ' ]
	changed Makefile 'unit_a_LIB = -lm'
	[ "$status $output" = '0 unit_a: ok' ]
	changed src/two/y.c ''
	[ "$status" = 1 ]
	[[ $output == *told*'unit_b: failed (1)' ]]
}

@test "compile_commands.json: each file of C, with the flags it is built with" {
	local f
	cp -R "$TOP/Makefile" "$TOP/src" "$TOP/t" "$TOP/etc" "$BATS_TEST_TMPDIR"
	mkdir "$BATS_TEST_TMPDIR/bin"
	cp -R "$TOP/bin/lib" "$BATS_TEST_TMPDIR/bin"
	D='' TOP=$BATS_TEST_TMPDIR build compile_commands.json >/dev/null
	f=$BATS_TEST_TMPDIR/compile_commands.json
	json_valid "$f"
	[ "$(grep -c '"file"' "$f")" = "$(find "$TOP/src" "$TOP/t/unit" \
	    -name '*.c' | wc -l)" ]
	[ "$(json_get "$f" 0 directory)" = "$BATS_TEST_TMPDIR" ]
	(cd "$BATS_TEST_TMPDIR" && eval "$(json_get "$f" 0 command)" \
	    -o /dev/null)
}
