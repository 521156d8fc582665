# cost: what a report asks of the kernel, counted without a clock
# not with sanitizers: their runtimes ask for more
#
# The numbers, and what they are for, stand in t/cost.  COST_LOG=FILE gets those
# that were seen.

load helper
load wrapper

setup()
{
	needs_root
	needs_tool unshare nsenter mount setarch
	# what is linked dynamically costs otherwise, another libc by a few
	[ "$(uname -m)" = x86_64 ] || unmet "counted on x86-64"
	ROOM=25
	! ldd --version 2>/dev/null | grep -q ' 2\.36$' || ROOM=0
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

# within ROW COMMAND...: none more than t/cost allows ("-": any number), the least
# of three runs; of twelve, where others are busy and what waits asks again.
within()
{
	local limits i
	limits=$(grep "^$1 " "$TOP/t/cost")
	shift
	: >"$SEEN"
	for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
		rm -f "$BATS_TEST_TMPDIR/count"
		"$@"
		wait_for 30 test -s "$BATS_TEST_TMPDIR/count"
		cat "$BATS_TEST_TMPDIR/count" >>"$SEEN"
		[ "$i" -lt 3 ] || ! least >"$SEEN.least" || break
	done
	cat "$SEEN"
	tee -a "${COST_LOG:-/dev/null}" <"$SEEN.least"
	least >/dev/null
}

# The least of what was seen, beside $limits.
least()
{
	awk -v limits="$limits" -v room="$ROOM" '
		BEGIN {
			split(limits, limit)
			split("calls faults KiB execs forks", what)
			split("2 4 10 6 8", at)
		}
		{
			for (i = 1; i <= 5; i++)
				if (NR == 1 || $at[i] < least[i])
					least[i] = $at[i]
		}
		END {
			line = limit[1] ":"
			for (i = 1; i <= 5; i++) {
				l = limit[i + 1]
				if (l ~ /[0-9]/ && i <= 3)
					l = int(l * (100 + room) / 100)
				line = line " " least[i] " " what[i] \
				    (l ~ /[0-9]/ ? " of " l : "")
				more += l ~ /[0-9]/ && least[i] > l
			}
			print line
			exit NR < 3 || more
		}' "$SEEN"
}

counted_crash()
{
	rm -rf "$RUND/d/.slots" "$RUND"/d/*
	hidden "$BARE" "$VICTIMS/$1" >/dev/null 2>&1 || :
}

counted_report()
{
	# shellcheck disable=SC2086
	hidden $COUNT "$BIN/debugger" "$1" >"$BATS_TEST_TMPDIR/out"
}

# counting_handler WORDS: the handler of a crash, counted, where the process
# sees its files: they share what is mounted, as nearly always.  Of what the
# kernel says %I %u %d %c %F %P %e %s is $1 to $8.
counting_handler()
{
	[ -n "${RUND:-}" ] || pattern_lock
	{
		echo "RUND=$RUND BIN=$BIN; exec 2>>$RUND/log >/dev/null"
		echo "exec nsenter -m -t \$6 $COUNT $1"
	} >"$RUND/h"
	pattern "|/bin/bash $RUND/h %I %u %d %c %F %P %e %s"
}

counting_wrapper()
{
	counting_handler "$RUND/b/w -k -c $RUND/f -s $RUND/t \"P\$6\" \"I\$1\" p i \
		\"u\$2\" g \"d\$3\" \"s\$8\" t \"c\$4\" C \"F\$5\" h \"e\$7\""
}

@test "usercrash_c: calls and page faults of one crash" {
	needs_victim null
	# shellcheck disable=SC2016
	counting_handler '$RUND/c -d$RUND/d -S$RUND/s --tid=$1 --uid=$2 \
	    --dumpmode=$3 --rlimit=$4 --pidfd=$5 $6 "$7" $8'
	within usercrash_c counted_crash null
	needs_victim null_static
	within usercrash_c_static counted_crash null_static
}

@test "usercrash-wrapper: what one crash starts, with and without a store" {
	needs_victim null
	pattern_lock
	place "$RUND"
	counting_wrapper
	conf "$RUND" 'store no'
	within wrapper counted_crash null
	# as it is by default, where core_pattern was the name of a file
	conf "$RUND" 'store-free 0'
	before "$RUND" core
	within wrapper_store counted_crash null
	[ -n "$(find "$RUND/t/cores" -name 'core.null.*' ! -name '*.part')" ]
}

@test "core_send: calls and page faults of one crash" {
	needs_victim null
	# shellcheck disable=SC2016
	counting_handler '$BIN/core_send -H --tid=$1 --uid=$2 --dumpmode=$3 \
	    --rlimit=$4 --pidfd=$5 --pid=$6 --comm="$7" --signal=$8 - \
	    >$RUND/core'
	within core_send counted_crash null
	[ -s "$RUND/core" ]
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
