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

	# one line for each of the 510 crashes, that says where its report was
	wait_for 60 all_told
	# cores: three of that signature, and each of the others', which have
	# signatures of their own
	wait_for 60 settled
	echo "cores: $(cores storm) of storm, $(cores other) of others"
	[ "$(cores storm)" = 3 ]
	[ "$(cores 'other[0-9]')" = 10 ]
	log_lines 'usercrash-wrapper: info: storm.*not kept: 3 of [0-9a-f]* in 3600 s' \
	    >"$RUND/not-kept"
	[ "$(wc -l <"$RUND/not-kept")" = 497 ]
}

# Every process of the storm and beside it is in a line of usercrash_c's.
all_told()
{
	log_lines 'usercrash_c: info: .*, report ' |
	    sed -n 's/^usercrash_c: info: [^[]*\[\([0-9]*\)\].*/\1/p' |
	    sort >"$RUND/told"
	{
		cat "$RUND/all"
		cut -d ' ' -f 1 "$RUND/others"
	} | sort >"$RUND/crashed"
	[ -z "$(comm -13 "$RUND/told" "$RUND/crashed")" ] &&
	    [ -z "$(comm -12 "$RUND/told" "$RUND/crashed" | uniq -d)" ]
}

cores()
{
	find "$RUND/store" -name "core.$1.*" ! -name '*.info' \
	    ! -name '*.part' | wc -l
}

# No part of a core is being written any more.
settled()
{
	[ -z "$(find "$RUND/store" -name '*.part')" ]
}
