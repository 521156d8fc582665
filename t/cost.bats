# cost: what a report asks of the kernel, counted without a clock
# not with sanitizers: their runtimes ask for more
#
# The numbers, and what they are for, stand in t/cost.  COST_LOG=FILE gets those
# that were seen.

load helper

setup()
{
	needs_root
	needs_tool unshare mount setarch
	# what is linked dynamically, or with another libc, costs otherwise
	[ "$(uname -m)" = x86_64 ] || unmet "counted on x86-64"
	ldd --version 2>/dev/null | grep -q ' 2\.36$' ||
	    unmet "counted with glibc 2.36"
	local p
	for p in usercrash_c debugger; do
		if readelf -d "$BIN/$p" 2>/dev/null | grep -q NEEDED; then
			unmet "counted of a static $p"
		fi
	done
	COUNT="$BUILD/t/cost_count $BATS_TEST_TMPDIR/count"
	SEEN=$BATS_TEST_TMPDIR/seen
	make_bare
}

teardown()
{
	pattern_release
}

# hidden COMMAND...: where no debug file of this machine is found.
hidden()
{
	# shellcheck disable=SC2016
	unshare -m sh -c '
		[ ! -d /usr/lib/debug ] ||
		    mount -t tmpfs none /usr/lib/debug || exit 111
		exec "$@"' - "$@"
}

# BARE COMMAND...: with no descriptors but the first three, and nothing random.
make_bare()
{
	BARE=$BATS_TEST_TMPDIR/bare
	cat >"$BARE" <<-'EOF'
		#!/bin/bash
		for fd in /proc/self/fd/*; do
			fd=${fd##*/}
			[ "$fd" -lt 3 ] || eval "exec $fd>&-"
		done
		exec setarch -R "$@" </dev/null
	EOF
	chmod 755 "$BARE"
}

# within ROW COMMAND...: thrice; none more than t/cost allows.
within()
{
	local row=$1 calls faults kbytes
	read -r _ calls faults kbytes < <(grep "^$1 " "$TOP/t/cost")
	shift
	: >"$SEEN"
	for _ in 1 2 3; do
		rm -f "$BATS_TEST_TMPDIR/count"
		"$@"
		wait_for 30 test -s "$BATS_TEST_TMPDIR/count"
		cat "$BATS_TEST_TMPDIR/count" >>"$SEEN"
	done
	cat "$SEEN"
	awk -v calls="$calls" -v faults="$faults" -v kbytes="${kbytes:--}" \
	    -v row="$row" '
		{ c = !n || $2 < c ? $2 : c; f = !n || $4 < f ? $4 : f }
		{ k = !n || $10 < k ? $10 : k; n++ }
		END {
			printf "%s: %d calls of %d, %d faults of %d, " \
			    "%d KiB of %s\n", row, c, calls, f, faults, k, kbytes
			exit n != 3 || c > calls || f > faults ||
			    (kbytes != "-" && k > kbytes + 0)
		}' "$SEEN" | tee -a "${COST_LOG:-/dev/null}"
	return "${PIPESTATUS[0]}"
}

counted_crash()
{
	rm -rf "$RUND/d/.slots" "$RUND"/d/*
	"$BARE" "$VICTIMS/$1" >/dev/null 2>&1 || :
}

counted_report()
{
	# shellcheck disable=SC2086
	hidden $COUNT "$BIN/debugger" "$1" >"$BATS_TEST_TMPDIR/out"
}

# The handler of a crash, counted.
counting_handler()
{
	pattern_lock
	declare -f hidden >"$RUND/h"
	cat >>"$RUND/h" <<-EOF
		exec 2>>$RUND/log >/dev/null
		hidden $COUNT $RUND/c -d$RUND/d -S$RUND/s --tid=\$1 --uid=\$2 \
		    --dumpmode=\$3 --rlimit=\$4 --pidfd=\$5 \$6 "\$7" \$8
	EOF
	pattern "|/bin/bash $RUND/h %I %u %d %c %F %P %e %s"
}

@test "usercrash_c: calls and page faults of one crash" {
	needs_victim null
	counting_handler
	within usercrash_c counted_crash null
	needs_victim null_static
	within usercrash_c_static counted_crash null_static
}

@test "debugger: calls and page faults, of a process and of a core file" {
	needs_victim live
	live "$BARE" "$VICTIMS/live"
	within debugger_live counted_report "$PID"
	live "$BARE" "$VICTIMS/live" 0
	within debugger_live_1 counted_report "$PID"
	live "$BARE" "$VICTIMS/live" 200
	within debugger_live_201 counted_report "$PID"
	core_of "$VICTIMS/null"
	within debugger_core counted_report "$CORE"
}
