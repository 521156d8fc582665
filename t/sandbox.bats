# The door behind which hostile input is parsed: from within, and seen from
# outside.
#
# quiet: nothing crashes here, and core_pattern is let alone

load helper

teardown()
{
	end_bgs
}

# enter ROLE: a process of ours that has gone in and stays; its id in $IN.
enter()
{
	[ -x "$BUILD/t/unit_sandbox" ] || {
		echo "unit_sandbox is not built: make units"
		return 1
	}
	mkfifo "$BATS_TEST_TMPDIR/stay.$1"
	# shellcheck disable=SC2016
	bg sh -c 'exec "$1" stay "$2" <>"$3" >"$4"' sh \
	    "$BUILD/t/unit_sandbox" "$1" "$BATS_TEST_TMPDIR/stay.$1" \
	    "$BATS_TEST_TMPDIR/in.$1"
	IN=$BG
	wait_for 30 test -s "$BATS_TEST_TMPDIR/in.$1"
}

# status KEY: of /proc/$IN/status, the first value
status()
{
	awk -v k="$1:" '$1 == k { print $2 }' "/proc/$IN/status"
}

@test "what is forbidden kills, what is needed works, what is bounded ends" {
	local rc=0
	"$BUILD/t/unit_sandbox" || rc=$?
	[ $rc != 77 ] || unmet "needs system call filters"
	[ $rc = 0 ]
}

@test "an ordinary user's: the same, by landlock in place of a new root" {
	needs_root
	needs_tool setpriv
	local at rc=0
	at=$(mktemp -d /tmp/sb.XXXXXX)
	cp "$BUILD/t/unit_sandbox" "$at"
	chmod -R 755 "$at"
	setpriv --reuid 65534 --regid 65534 --clear-groups \
	    "$at/unit_sandbox" || rc=$?
	rm -r "$at"
	[ $rc = 0 ]
}

@test "class 20: each role from outside: its uid, no capability, no new privileges, no new process, a filter" {
	local role
	needs_root
	for role in report send store feed log; do
		enter "$role"
		[ "$(status CapEff)$(status CapPrm)" = \
		    00000000000000000000000000000000 ]
		[ "$(status NoNewPrivs)" = 1 ]
		[ "$(status Seccomp)" = 2 ]
		[ -z "$(status Groups)" ]
		# where there is no filter these are what is left
		grep -q '^Max processes  *0  *0  *' "/proc/$IN/limits"
		grep -q '^Max core file size  *0  *0  *' "/proc/$IN/limits"
		if [ "$role" = store ] || [ "$role" = log ]; then
			[ "$(status Uid)" = 54321 ]
		else
			[ "$(status Uid)" = $((0x7f000000 + IN)) ]
			[ "$(status Gid)" = $((0x7f000000 + IN)) ]
		fi
		# not dumpable: /proc is root's
		[ "$(stat -c %u "/proc/$IN/mem")" = 0 ]
	done
}

@test "nobody can neither signal nor trace a worker" {
	needs_root
	needs_tool setpriv
	enter report
	not setpriv --reuid 65534 --regid 65534 --clear-groups \
	    sh -c "kill -9 $IN"
	not setpriv --reuid 65534 --regid 65534 --clear-groups \
	    sh -c "head -c 1 /proc/$IN/maps"
	! command -v gdb >/dev/null ||
	    setpriv --reuid 65534 --regid 65534 --clear-groups \
	    gdb -batch -nx -p "$IN" 2>&1 | grep -q 'ptrace: '
	kill -0 "$IN"
}

@test "where a user namespace has few ids, there is no uid of its own, and all else holds" {
	needs_root
	needs_tool unshare
	unshare -U -r true || unmet "needs user namespaces"
	unshare -U -r "$BUILD/t/unit_sandbox"
}

@test "units whose filter would not know the door's own calls name them" {
	local unit
	# RHEL 9's and Debian 12's @system-service has none of them
	for unit in recv_core.service recv_core@.service \
	    usercrash-flush.service; do
		grep -q '^SystemCallFilter=@' "$TOP/etc/systemd/$unit" ||
		    continue
		grep -q '^SystemCallFilter=.*seccomp landlock_create_ruleset' \
		    "$TOP/etc/systemd/$unit"
	done
}
