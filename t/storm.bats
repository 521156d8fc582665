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
