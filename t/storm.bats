# Storms: a program that crashes again and again takes its share and no more,
# and every crash is told of.
#
# not with sanitizers: a script; the programs have their own tests

load helper
load wrapper

teardown()
{
	wrapper_release
}

@test "500 crashes of one program beside 10 of others" {
	needs_victim storm
	needs_victim null
	local i n pids rounds=5
	pattern_lock
	place "$RUND"
	conf "$RUND" 'slots 20' "store $RUND/store" 'core-rate 3/3600'
	for i in {0..9}; do
		cp "$VICTIMS/null" "$RUND/other$i"
	done
	follow_log
	wrap
	: >"$RUND/all"
	for ((n = 0; n < rounds; n++)); do
		bg "$VICTIMS/storm" 100 >"$RUND/storm.$n"
		pids=$BG
		# two of the others in the midst of each
		for i in $((2 * n)) $((2 * n + 1)); do
			crash "$RUND/other$i"
			echo "$PID other$i" >>"$RUND/others"
		done
		wait "$pids" 2>/dev/null || :
		cat "$RUND/storm.$n" >>"$RUND/all"
	done
	[ "$(wc -l <"$RUND/all")" = 500 ]

	# the others' reports are there, whole
	while read -r PID i; do
		report_of "$PID"
		is_report "$REPORT"
		truth null.c
		chain_is "$TRUTH" "$i" "$REPORT"
	done <"$RUND/others"
	# of the one program no more than its share, and all of that
	n=$(grep -lx "comm: storm" "$RUND"/d/usercrash_* | wc -l)
	echo "$n reports of storm"
	[ "$n" = 5 ]

	# each of the others has a line that says where its report was; of the
	# 510 each has one or is counted in one
	wait_for 60 all_told
	# cores: three of that signature, and each of the others', which have
	# signatures of their own
	wait_for 60 others_stored
	wait_for 60 settled
	echo "cores: $(cores storm) of storm, $(cores other) of others"
	[ "$(cores storm)" = 3 ]
	# that the other 497 are not kept is said once
	[ "$(log_lines 'usercrash-wrapper: info: storm.*not kept: 3 of [0-9a-f]* in 3600 s' |
	    wc -l)" = 1 ]
}

# waiting_report: a report is whole, and has no slot yet.
waiting_report()
{
	[ -n "$(find "$RUND/d" -name '.pub.*')" ]
}

@test "a lock that is slow costs no report: it waits, and the next one brings it" {
	needs_victim null
	local first
	pattern_lock
	pattern_direct
	crash "$VICTIMS/null"
	report_of "$PID"
	# -F: it is sleep(1) that has it, and nobody else
	bg flock -F "$RUND/d/.slots" sleep 1000
	wait_for 10 not flock -n "$RUND/d/.slots" true
	crash "$VICTIMS/null"
	first=$PID
	wait_for 60 waiting_report
	not grep -lx "pid: $first" "$RUND"/d/usercrash_*
	kill -KILL "$BG"
	wait_for 10 flock -n "$RUND/d/.slots" true
	crash "$VICTIMS/null"
	report_of "$PID"
	is_report "$REPORT"
	report_of "$first"
	is_report "$REPORT"
	not waiting_report
}

# all_have_come FILE: sixteen have a turn, or their place in the queue.
all_have_come()
{
	[ -e "$1" ] &&
	    [ "$(grep -c ":$(stat -c %i "$1") " /proc/locks)" = 16 ]
}

@test "no turn for a worker: what the kernel said is the report" {
	local i d=$BATS_TEST_TMPDIR
	needs_root
	mkdir -m 750 "$d/d"
	mkfifo "$d/core"
	exec 7<>"$d/core"
	# as many as there can be turns, each with a core that does not come
	for i in {1..16}; do
		# shellcheck disable=SC2016
		bg sh -c 'exec "$@" <"$0"' "$d/core" "$BIN/usercrash_c" \
		    -d "$d/d" -S "$d/s" -m 0 -w 60 --signal=11 \
		    --comm="h$i" --uid=0 2>/dev/null
	done
	wait_for 20 all_have_come "$d/d/.turns"
	run "$BIN/usercrash_c" -d "$d/d" -S "$d/s" -m 0 -w 1 --signal=11 \
	    --comm=late --uid=1000 </dev/null
	[ "$status" = 1 ]
	[[ $output == *"late[0] signal 11, report $d/d/usercrash_00, incomplete: no turn for a worker in 3 seconds"* ]]
	grep -qx 'comm: late' "$d/d/usercrash_00"
	grep -qx 'incomplete: no turn for a worker in 3 seconds' \
	    "$d/d/usercrash_00"
	exec 7>&-
}

# The next one of that user says how many were only counted.
all_told()
{
	local told counted
	crash "$RUND/other0"
	report_of "$PID"
	log_lines 'usercrash_c: info: .*, report ' >"$RUND/told"
	told=$(grep -vc "\[$PID\]" "$RUND/told")
	counted=$(sed -n 's/.*; before it \([0-9]*\) of user 0 were only counted.*/\1/p' \
	    "$RUND/told" | awk '{ n += $1 } END { print n + 0 }')
	echo "told $told, counted $counted"
	cut -d ' ' -f 1 "$RUND/others" | while read -r pid; do
		grep -q "\[$pid\]" "$RUND/told" || exit 1
	done && [ $((told + counted)) -ge 510 ] && [ "$told" -lt 200 ] &&
	    grep -q 'storm.*more of them in this minute are only counted' \
		"$RUND/told"
}

cores()
{
	find "$RUND/store" -name "core.$1.*" ! -name '*.info' \
	    ! -name '*.part' | wc -l
}

# And that of the one crash more.
others_stored()
{
	[ "$(cores 'other[0-9]')" = 11 ]
}

# No part of a core is being written any more.
settled()
{
	[ -z "$(find "$RUND/store" -name '*.part')" ]
}
