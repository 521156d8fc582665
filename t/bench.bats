# bench: the scripts of "make bench" run, and what they say can be read by a
# machine; how fast anything is is nobody's to say here
# not with sanitizers: it is about scripts

load helper

setup()
{
	needs_root
	export BENCH_ROUNDS=1 BENCH_PEERS=
	T=$BATS_TEST_TMPDIR
}

teardown()
{
	pattern_release
}

# hold: the lock is ours, and what a script has to put back is this.
hold()
{
	pattern_lock
	pattern core.of-the-test 7
	THEIRS=$T/kernel/saved
}

# under SCRIPT ARGS...: how to run it, the lock being held for it: $UNDER.
under()
{
	UNDER=(env "USERCRASH_LOCKED=${RUND:+1}" \
	    "KERNEL_STATE=${THEIRS:-$KERNEL_STATE}" timeout 120 \
	    "$TOP/t/bench/$1.sh" "${@:2}")
}

put_back()
{
	[ "$(cat /proc/sys/kernel/core_pattern)" = core.of-the-test ]
	[ "$(cat /proc/sys/kernel/core_pipe_limit)" = 7 ]
	[ ! -e "$THEIRS" ]
}

# bench NAME: its objects in $T/json, each with all of its members.
bench()
{
	under "$1" --json
	"${UNDER[@]}" >"$T/json" 3>&- 9>&-
	cat "$T/json"
	objects "$1"
}

objects()
{
	local figure='[0-9.e+]+'
	{
		echo '['
		sed '$!s/$/,/' "$T/json"
		echo ']'
	} >"$T/array"
	json_valid "$T/array"
	not grep -Ev "^\{\"bench\":\"$1\",\"row\":\"[^\"]+\",\"tool\":\"[^\"]+\",\
\"what\":\"[a-z_]+\",\"unit\":\"(ms|ns|)\",\"n\":(0|[0-9]+,\"least\":$figure,\
\"q1\":$figure,\"median\":$figure,\"q3\":$figure,\"most\":$figure\
(,\"base\":\"[^\"]+\",\"ratio\":$figure,\"ratio_q1\":$figure,\
\"ratio_q3\":$figure)?)\}$" "$T/json"
}

# has ROW WHAT TOOL...: each was measured once.
has()
{
	local row=$1 what=$2 tool
	shift 2
	for tool; do
		grep -q "\"$row\",\"tool\":\"$tool\",\"what\":\"$what\",.*,\"n\":1," \
		    "$T/json" || {
			echo "no $what of $tool in $row"
			return 1
		}
	done
}

@test "report.sh: reports of each kind, how long a process is held and stands still" {
	local tools='quit alone server wrapper store'
	hold
	! grep -qsx socket /proc/sys/kernel/core_modes || tools="$tools listen"
	BENCH_ONLY='10MB|pause1' bench report
	# shellcheck disable=SC2086
	has 10MB report $tools
	# shellcheck disable=SC2086
	has 10MB held $tools
	has pause1 pause debugger
	has pause1 pause_told debugger
	put_back
}

@test "report.sh, killed: settings are as before" {
	hold
	under report
	BENCH_ROUNDS=1000 BENCH_ONLY=10MB bg "${UNDER[@]}" >"$T/out" 2>&1
	wait_for 60 grep -q '10MB: 1000 rounds' "$T/out"
	wait_for 60 grep -q '^|' /proc/sys/kernel/core_pattern
	kill -TERM "$BG"
	wait_for 60 gone "$BG"
	put_back
}

@test "core.sh, tee.sh: cores by core_send, streams by core_tee" {
	hold
	BENCH_ONLY=10MB bench core
	has 10MB core memory stream
	has 10MB held memory stream
	put_back
	BENCH_ONLY=64MB bench tee
	has 64MB all core_tee
}

@test "segfault.sh: what a signal costs" {
	export BENCH_ONLY=fast BENCH_N=1000
	hold
	under segfault --json
	"${UNDER[@]}" >"$T/json" 2>"$T/err" 3>&- 9>&- ||
	    ! grep 'cannot attach' "$T/err" || unmet "needs BPF"
	cat "$T/json"
	objects segfault
	has fast signal bare plain share json
}

# table OPTION LINES...: what rounds.sh makes of them, the fourth word in ms.
table()
{
	local option=$1
	shift
	# shellcheck disable=SC2016
	sh -c 'top=$1 lines=$3
		set -- $2
		. "$top/t/bench/rounds.sh"
		echo "$lines" >"$tmp/times"
		peers sh not-there
		echo
		table Title report ms 4 R' "$TOP/t/bench/bench.sh" "$TOP" \
	    "$option" "$(printf '%s\n' "$@")" 2>"$T/err"
}

@test "medians, quartiles, ratios within a round; a peer that is not there is said once" {
	local said=('R a 0' 'R b 0' 'R c 0' 'S a 0' 'S a 1 9000'
	    'R b 1 30000' 'R a 1 10000' 'R a 2 20000' 'R b 2 40000'
	    'R a 3 1000' 'R b 3 9000' 'R a 4 - -' 'R b 4 50000')
	unset BENCH_PEERS
	run table '' "${said[@]}"
	echo "$output"
	[ "$(echo "$output" | sed -n '1p')" = ' sh' ]
	[ "$(grep -c 'not-there is not installed: left out' "$T/err")" = 1 ]
	echo "$output" | grep -qx 'Title, ms:'
	echo "$output" | tr -s ' ' | grep -qx 'R a 3 1.00 5.50 10.0 15.0 20.0'
	echo "$output" | tr -s ' ' | grep -qx \
	    'R b 4 9.00 24.8 35.0 42.5 50.0 x3.00 x2.50 x6.00'
	echo "$output" | tr -s ' ' | grep -qx 'R c 0'
	not grep -q '^S' <<<"$output"
	run table --json "${said[@]}"
	echo "$output"
	echo "$output" | grep '^{' >"$T/json"
	objects bench
	[ "$(wc -l <"$T/json")" = 3 ]
	[[ $output == *'"tool":"b","what":"report","unit":"ms","n":4,"least":9,"q1":24.75,"median":35,"q3":42.5,"most":50,"base":"a","ratio":3,"ratio_q1":2.5,"ratio_q3":6}'* ]]
	[[ $output == *'"tool":"c","what":"report","unit":"ms","n":0}'* ]]
	# of the others those that are wanted
	BENCH_PEERS=x run table '' "${said[@]}"
	[ "$(echo "$output" | sed -n '1p')" = '' ]
}
