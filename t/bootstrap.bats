# bootstrap and t/run: what they set is put back, whatever happens to them;
# what is missing is asked for once, and by its right name.
#
# not with sanitizers: it builds its own

load helper

teardown()
{
	[ -z "${GO:-}" ] || touch "$GO"
	[ -z "${JOB:-}" ] || kill -KILL "-$JOB" 2>/dev/null || :
	if [ -n "${RUND:-}" ]; then
		USERCRASH_LOCKED=1 "$TOP/bin/bootstrap" restore || :
	fi
	pattern_release
}

BOOT=$TOP/bin/bootstrap
PATTERN=/proc/sys/kernel/core_pattern
LIMIT=/proc/sys/kernel/core_pipe_limit

# The state that must be there again at the end: nobody's default.
sentinel()
{
	needs_victim null
	pattern "usercrash test %p 'x'" 7
	export USERCRASH_LOCKED=1
}

restored()
{
	[ "$(cat $PATTERN)" = "usercrash test %p 'x'" ] &&
	    [ "$(cat $LIMIT)" = 7 ]
}

# What a demo says, without the reports it shows.
brief()
{
	grep '^bootstrap: \|error\|usercrash report\|incomplete' <<<"$1" || :
}

# A copy of the tree whose handler waits for the file $GO.
slow_tree()
{
	TREE=$BATS_TEST_TMPDIR/tree GO=$RUND/go
	mkdir "$TREE"
	(cd "$TOP" && cp -a Makefile bin build etc src t "$TREE")
	rm -f "$TREE/bin/usercrash_c"
	cat >"$TREE/bin/usercrash_c" <<-EOF
		#!/bin/sh
		touch $RUND/called
		until [ -e $GO ] || [ ! -d ${GO%/*} ]; do sleep 0.1; done
	EOF
	chmod +x "$TREE/bin/usercrash_c"
	touch -d tomorrow "$TREE"/bin/*
}

# As a job of its own, with signals as a terminal leaves them: $JOB.
slow_demo()
{
	set -m
	"$VICTIMS/launch" fresh "$TREE/bin/bootstrap" demo \
	    >"$BATS_TEST_TMPDIR/demo" 2>&1 3>&- 9>&- &
	JOB=$!
	set +m
	wait_for 60 test -e "$RUND/called" || {
		brief "$(cat "$BATS_TEST_TMPDIR/demo")"
		return 1
	}
	not restored
}

@test "usage" {
	run "$BOOT" -h
	[ "$status" = 0 ]
	[[ "$output" == *"bin/bootstrap demo"* ]]
	for bad in '' frobnicate 'demo x' 'deps x' 'demo check x'; do
		# shellcheck disable=SC2086
		run "$BOOT" $bad
		[ "$status" = 100 ]
	done
}

@test "every sh there is can read the scripts" {
	local sh
	for sh in sh dash 'busybox sh' bash; do
		command -v "${sh%% *}" >/dev/null || continue
		$sh -n "$BOOT"
		$sh -n "$TOP/t/run"
		$sh -n "$TOP/t/kernel.sh"
	done
}

@test "demo: a report by way of the kernel, everything put back" {
	sentinel
	run "$BOOT" demo
	brief "$output"
	[ "$status" = 0 ]
	grep -q '^usercrash report ' <<<"$output"
	grep -q '^signal: 11 SIGSEGV' <<<"$output"
	grep -q '#00 pc .* crash_here' <<<"$output"
	not grep -q 'cannot be set' <<<"$output"
	restored
	[ ! -e /run/usercrash-demo ]
}

@test "demo: Ctrl-C puts everything back" {
	sentinel
	slow_tree
	slow_demo
	kill -INT "-$JOB"
	wait_for 20 restored
	wait_for 20 gone "$JOB"
	rc=0
	wait "$JOB" || rc=$?
	[ "$rc" = 130 ]
	[ ! -e /run/usercrash-demo ]
}

@test "demo: after kill -9 of the demo, restore puts everything back" {
	sentinel
	slow_tree
	slow_demo
	server=$(cut -d ' ' -f 1 /run/usercrash-demo/server)
	kill -KILL "$JOB"
	wait "$JOB" 2>/dev/null || :
	not restored
	kill -0 "$server"
	[ "$(stat -c %u:%a /run/usercrash-demo)" = 0:700 ]
	run "$BOOT" restore
	echo "$output"
	[ "$status" = 0 ]
	restored
	wait_for 10 gone "$server"
	[ ! -e /run/usercrash-demo ]
}

@test "demo: after kill -9 of the demo, the next demo puts everything back" {
	sentinel
	slow_tree
	slow_demo
	kill -KILL "$JOB"
	wait "$JOB" 2>/dev/null || :
	not restored
	touch "$GO"
	run "$BOOT" demo
	brief "$output"
	[ "$status" = 0 ]
	grep -q '^usercrash report ' <<<"$output"
	restored
}

@test "demo: its own pattern is never taken for what was there before" {
	sentinel
	kernel_put $PATTERN '|/run/usercrash-demo/c lost'
	run "$BOOT" demo
	brief "$output"
	[ "$status" = 0 ]
	[ "$(cat $PATTERN)" = core ]
	kernel_put $PATTERN "usercrash test %p 'x'"
}

@test "demo: where core_pattern cannot be set, a core file and a process" {
	needs_victim null
	if [ "$(id -u)" = 0 ]; then
		needs_tool setpriv
		pattern core 0
		user='setpriv --reuid 65534 --regid 65534 --clear-groups'
	else
		case $(cat $PATTERN) in
		[\|/@]*) needs_tool gdb ;;
		esac
		user=
	fi
	TREE=$(mktemp -d /var/tmp/uXXXX)
	chmod 755 "$TREE"
	(cd "$TOP" && cp -a Makefile bin build etc src t "$TREE")
	[ "$(id -u)" != 0 ] || chown -R 65534 "$TREE"
	run $user "$TREE/bin/bootstrap" demo
	rm -rf "$TREE"
	brief "$output"
	[ "$status" = 0 ]
	grep -q 'core_pattern cannot be set here: only root may' <<<"$output"
	[ "$(grep -c '^usercrash report ' <<<"$output")" = 2 ]
	grep -q '#00 pc .* crash_here' <<<"$output"
	grep -q '"spinner"' <<<"$output"
}

# docker's default capabilities, and what it does to /proc
CONTAINED="setpriv --inh-caps=-all --bounding-set=-all,+chown,+dac_override,+fowner,+fsetid,+kill,+setgid,+setuid,+setpcap,+net_bind_service,+net_raw,+sys_chroot,+mknod,+audit_write,+setfcap"

# contained [READ-ONLY] COMMAND...
contained()
{
	# shellcheck disable=SC2016
	unshare --mount --pid --fork --mount-proc sh -c '
		if [ "$1" = ro ]; then
			shift
			mount --bind /proc/sys /proc/sys
			mount -o remount,bind,ro /proc/sys
		fi
		mount -t tmpfs none /run
		"$@"
		rc=$?
		# nothing may be left
		find /run -mindepth 1
		exit $rc' sh "$@"
}

# Two reports, no state.
shown_elsewhere()
{
	brief "$output"
	[ "$status" = 0 ]
	[ "$(grep -c '^usercrash report ' <<<"$output")" = 2 ]
	[ "$(grep -c '^signal: 11 SIGSEGV' <<<"$output")" = 1 ]
	grep -q '#00 pc .* crash_here' <<<"$output"
	not grep -q 'put back\|again\|^/run/' <<<"$output"
	restored
}

@test "demo: in a container, with rights or without: the true reason, no state" {
	needs_tool unshare setpriv mount
	sentinel
	# no core is to be had from this one
	kernel_set $PATTERN '|/bin/false'
	restored()
	{
		[ "$(cat $PATTERN)" = '|/bin/false' ] && [ "$(cat $LIMIT)" = 7 ]
	}
	for _ in 1 2; do
		# shellcheck disable=SC2086
		run contained ro $CONTAINED "$BOOT" demo
		grep -qx 'bootstrap: core_pattern cannot be set here: /proc/sys is read-only here' \
		    <<<"$output"
		grep -q 'it is made by ptrace' <<<"$output"
		shown_elsewhere
	done
	run contained "$BOOT" demo
	grep -qx 'bootstrap: core_pattern cannot be set here: the kernel runs its handlers outside of this container' \
	    <<<"$output"
	shown_elsewhere
	# and with a core from the kernel, where its pattern names a file
	kernel_put $PATTERN core
	restored()
	{
		[ "$(cat $PATTERN)" = core ]
	}
	# shellcheck disable=SC2086
	run contained ro $CONTAINED "$BOOT" demo
	not grep -q 'made by ptrace' <<<"$output"
	shown_elsewhere
	kernel_put $PATTERN "usercrash test %p 'x'"
}

@test "kernel_set: what may not be written is nothing to put back" {
	needs_tool unshare mount
	# shellcheck disable=SC2016
	run contained ro sh -c '
		. "$1/t/kernel.sh"
		kernel_lock || exit 9
		kernel_set /proc/sys/kernel/core_pattern x && exit 8
		[ ! -e "$KERNEL_STATE" ] || exit 7
		kernel_restore || exit 6
		rm -r /run/*' sh "$TOP"
	echo "$output"
	[ "$status" = 0 ]
}

# A machine with nothing but what every machine has, and MANAGER.
bare_machine()
{
	local t
	BARE=$BATS_TEST_TMPDIR/bare.$1
	mkdir "$BARE"
	for t in sh cat cut dirname find grep head id mkdir mktemp mv printf \
	    ps rm sed sleep tail tee tr wc; do
		ln -s "$(command -v "$t")" "$BARE/$t"
	done
	printf '#!%s\necho "$*" >>%s\n' "$(command -v bash)" "$BARE/asked" \
	    >"$BARE/$1"
	chmod +x "$BARE/$1"
}

@test "deps: asks every package manager, once, for what is missing" {
	needs_root
	for manager in apt-get dnf apk pacman zypper; do
		bare_machine "$manager"
		PATH=$BARE run "$(command -v sh)" "$BOOT" deps demo
		echo "$manager: $output"
		cat "$BARE/asked"
		# it pretends: afterwards all is still missing
		[ "$status" = 111 ]
		grep -q 'unable to go on without: cc make libunwind' \
		    <<<"$output"
		grep -q 'libunwind' "$BARE/asked"
		grep -qw make "$BARE/asked"
		grep -qw gcc "$BARE/asked"
		[ "$(grep -c libunwind "$BARE/asked")" = 1 ]
	done
	grep -q -- '-y' "$BATS_TEST_TMPDIR/bare.apt-get/asked"
	grep -q -- '--noconfirm' "$BATS_TEST_TMPDIR/bare.pacman/asked"
	grep -q -- '-n' "$BATS_TEST_TMPDIR/bare.zypper/asked"
}

@test "deps: an ordinary user is told, and nothing is tried" {
	user=
	if [ "$(id -u)" = 0 ]; then
		needs_tool setpriv
		user='setpriv --reuid 65534 --regid 65534 --clear-groups'
		chmod 755 "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR" \
		    "$(dirname "$BATS_TEST_TMPDIR")" "$BATS_TEST_TMPDIR"
	fi
	bare_machine apt-get
	touch "$BARE/asked"
	# shellcheck disable=SC2086
	run $user env PATH="$BARE" "$(command -v sh)" "$BOOT" deps
	echo "$output"
	[ "$status" = 111 ]
	grep -q 'only root can install: .*libunwind' <<<"$output"
	[ ! -s "$BARE/asked" ]
}

@test "deps: with everything there nobody is asked" {
	run "$BOOT" deps demo
	[ "$status" = 0 ]
	[ -z "$output" ]
}

# --- t/run -----------------------------------------------------------------

# fresh COMMAND...: a run within a run: what bats told us is not for that one.
fresh()
{
	exec env -i PATH="$(tr : '\n' <<<"$PATH" | grep -vx "$BATS_LIBEXEC" |
	    paste -sd :)" "$@"
}

# The file for it; bats would take an @test here for one of this file.
inner()
{
	sed 's/^TEST/@test/' >"$BATS_TEST_TMPDIR/x.bats"
}

run_run()
{
	run fresh STRICT="${STRICT_IN:-}" LIMIT="${LIMIT_IN:-60}" JOBS="${JOBS_IN:-1}" \
	    "$TOP/t/run" "$@"
	echo "$output"
}

@test "t/run counts, and shows what a failing test said" {
	inner <<-'EOF'
		TEST "good" { :; }
		TEST "bad" { echo "a word of explanation"; false; }
		TEST "away" { skip "no such thing"; }
	EOF
	run_run "$BATS_TEST_TMPDIR/x.bats"
	[ "$status" = 1 ]
	[ "${lines[-1]}" = "1 passed, 1 failed, 1 skipped" ]
	grep -q 'a word of explanation' <<<"$output"
	grep -q 'no such thing' <<<"$output"
	STRICT_IN=1
	run_run "$BATS_TEST_TMPDIR/x.bats"
	[ "$status" = 1 ]
	[ "${lines[-1]}" = "1 passed, 2 failed, 0 skipped" ]
	[ "${lines[-4]}" = "what failed:" ]
	grep -q "^  $BATS_TEST_TMPDIR/x.bats: bad in" <<<"${lines[-3]}"
	grep -q "^  $BATS_TEST_TMPDIR/x.bats: away .*# skip" <<<"${lines[-2]}"
}

@test "t/run: all good, all lost, no such file" {
	inner <<<'TEST "good" { :; }'
	run_run "$BATS_TEST_TMPDIR/x.bats"
	[ "$status" = 0 ]
	[ "${lines[-1]}" = "1 passed, 0 failed, 0 skipped" ]
	inner <<<'TEST "torn {'
	run_run "$BATS_TEST_TMPDIR/x.bats"
	[ "$status" = 1 ]
	[ "${lines[-1]}" != "0 passed, 0 failed, 0 skipped" ]
	run_run "$BATS_TEST_TMPDIR/none.bats"
	[ "$status" = 100 ]
}

@test "t/run: files run side by side, and the slowest tests are named" {
	local at=$BATS_TEST_TMPDIR f
	# each waits for the other
	for f in a:b b:a; do
		sed 's/^TEST/@test/' >"$at/${f%:*}.bats" <<-EOF
			TEST "of ${f%:*}" {
				touch $at/${f%:*}
				until [ -e $at/${f#*:} ]; do sleep 0.02; done
			}
		EOF
	done
	JOBS_IN=2
	run_run "$at/a.bats" "$at/b.bats"
	[ "$status" = 0 ]
	[ "${lines[-1]}" = "2 passed, 0 failed, 0 skipped" ]
	for f in a b; do
		grep -Eqx " +[0-9]+ ms  $at/$f.bats: of $f" <<<"$output"
	done
}

@test "t/run ends a file that hangs" {
	inner <<<'TEST "hangs" { sleep 1000; }'
	LIMIT_IN=1
	run_run "$BATS_TEST_TMPDIR/x.bats"
	[ "$status" = 1 ]
	[ "${lines[-1]}" = "0 passed, 1 failed, 0 skipped" ]
	grep -q 'no test ended in 1 s' <<<"$output"
}

@test "t/run puts kernel settings back, also after kill -9" {
	pattern core 3
	inner <<-EOF
		TEST "changes" {
			. $TOP/t/kernel.sh
			kernel_lock
			kernel_set $LIMIT 5
			kernel_set $PATTERN "core of t/run"
			echo \$\$ >$BATS_TEST_TMPDIR/there
			sleep 1000
		}
	EOF
	bg fresh \
	    KERNEL_STATE="$BATS_TEST_TMPDIR/state/saved" \
	    KERNEL_LOCK="$BATS_TEST_TMPDIR/lock" "$TOP/t/run" "$BATS_TEST_TMPDIR/x.bats" >/dev/null 2>&1
	wait_for 30 test -s "$BATS_TEST_TMPDIR/there"
	[ "$(cat $PATTERN)" = "core of t/run" ]
	kill -KILL "$BG"
	wait_for 30 eval '[ "$(cat $PATTERN)" = core ]'
	wait_for 30 eval '[ "$(cat $LIMIT)" = 3 ]'
	wait_for 30 gone "$(cat "$BATS_TEST_TMPDIR/there")"
	[ ! -e "$BATS_TEST_TMPDIR/state/saved" ]
}
