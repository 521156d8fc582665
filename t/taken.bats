# taken: each program whose worker parses, with one that was taken over
# (t/unit/taken_over.c): what it tries once it is behind the door fails, and is
# told; what it left is not taken for a report or a core.
#
# quiet: nothing crashes here, and core_pattern is let alone
# not with sanitizers: their runtimes may do more

load helper

K=$BUILD/t/taken

setup()
{
	T=$BATS_TEST_TMPDIR
	CORE=$TOP/t/fixtures/core.$(uname -m)
	[ -x "$K/recv_core" ] || unmet "make units"
	[ -e "$CORE" ] || unmet "no core of this machine"
	cp "$CORE" "$T/core"
	CORE=$T/core
	bg sleep 1000
	export TAKEN_OVER_AT=$BG
}

teardown()
{
	unset TAKEN_OVER
	end_bgs
	# shellcheck disable=SC2046
	[ -z "$(mine)" ] || kill -KILL $(mine)
	rm -f /tmp/taken_over
}

ROLES=(usercrash_c debugger core_send recv_core segfault_analyzer)

# run_role ROLE: to its end; its code in $RC, its words in $T/said.
run_role()
{
	RC=0
	rm -rf "$T/r" "$T/store"
	case $1 in
	usercrash_c)
		"$K/usercrash_c" -w 60 -o "$T/r" 999999999 x 11 <"$CORE" ;;
	debugger) "$K/debugger" "$CORE" >"$T/r" ;;
	core_send) "$K/core_send" --exe="$T" - <"$CORE" >"$T/r" ;;
	recv_core) "$K/recv_core" -i -u "$(id -un)" -m 0 -d "$T/store" \
	    <"$TOP/t/fixtures/stream" >"$T/r" ;;
	# the name is for mine()
	segfault_analyzer) "$K/segfault_analyzer" -d 1 --not-name "$T" -p 1 \
	    >"$T/r" ;;
	esac 2>"$T/said" 3>&- 9>&- || RC=$?
}

# The processes of these programs that this test has started.
mine()
{
	pgrep -f "^$K/[a-z_]* .*$T"
}

# Whoever is left of them ends now.
ended()
{
	[ -z "$(mine)" ]
}

@test "what is linked for it does its work where nobody takes it over" {
	local role
	for role in "${ROLES[@]}"; do
		run_role "$role"
		echo "$role: $RC $(cat "$T/said")"
		# where the kernel has no BPF to watch with, it has gone so far
		[ "$RC" -le 1 ] || grep -q 'unable to watch' "$T/said"
		not grep -q forbids "$T/said"
	done
}

@test "each deed in each role: it fails, kills the worker, and is told" {
	local role deed
	for role in "${ROLES[@]}"; do
		for deed in fork exec socket connect trace create kill \
		    namespace outlive session pass; do
			export TAKEN_OVER=$deed
			run_role "$role"
			echo "$role: $deed: $RC $(cat "$T/said")"
			[ "$RC" != 0 ]
			grep -q ': it did what its sandbox forbids, and was killed' \
			    "$T/said"
			# nothing that was half made is whole
			case $role in
			usercrash_c) grep -q '^incomplete: ' "$T/r" ;;
			recv_core) not find_core ;;
			*) [ ! -s "$T/r" ] ;;
			esac
		done
	done
	[ ! -e /tmp/taken_over ]
	[ "$(state_of "$TAKEN_OVER_AT")" = S ]
	grep -q '^TracerPid:.0$' "/proc/$TAKEN_OVER_AT/status"
	ended
}

find_core()
{
	find "$T/store" -type f -name 'core.*' ! -name '*.part' | grep -q .
}

@test "a file beside its tree: none is to be had" {
	local role
	for role in "${ROLES[@]}"; do
		TAKEN_OVER='read' run_role "$role"
		echo "$role: $RC $(cat "$T/said")"
		# the deed got an error, and its worker is known to have failed
		case $role in
		usercrash_c) grep -q 'incomplete: the worker failed' "$T/said" ;;
		core_send) grep -q 'the worker failed' "$T/said" ;;
		*) [ "$RC" = 43 ] ;;
		esac
	done
}

# stays ROLE: a worker that does not end, in $WORKER, below $BG.
stays()
{
	mkfifo "$T/in.$1" 2>/dev/null || :
	export TAKEN_OVER=stay
	case $1 in
	usercrash_c) set -- "$1" -w 600 -o "$T/r" 999999999 x 11 ;;
	debugger) set -- "$1" "$CORE" ;;
	core_send) set -- "$1" -t 600 --exe="$T" - ;;
	recv_core) set -- "$1" -i -u "$(id -un)" -m 0 -d "$T/store" ;;
	segfault_analyzer) set -- "$1" --not-name "$T" ;;
	esac
	# shellcheck disable=SC2016
	bg sh -c 'in=$1; shift; exec "$@" <"$in" >/dev/null 2>&1' sh \
	    "$CORE" "$K/$1" "${@:2}"
	wait_for 30 worker_in
}

# Behind the door there is a filter, and no right to go back.
worker_in()
{
	WORKER=$(pgrep -P "$BG" | while read -r p; do
		! grep -q '^Seccomp:.2$' "/proc/$p/status" || echo "$p"
	done)
	[ -n "$WORKER" ]
}

# status KEY: of the worker, all values
status()
{
	sed -n "s/^$1:[[:space:]]*//p" "/proc/$WORKER/status"
}

@test "each role from outside: a uid of its own, no capability, a filter; nobody can touch it" {
	local role own
	needs_root
	needs_tool setpriv gdb
	for role in "${ROLES[@]}"; do
		stays "$role"
		own=$((0x7f000000 + WORKER))
		[ "$role" != recv_core ] || own=0
		echo "$role: $(status Uid) $(status CapEff) $(status Seccomp)"
		[ "$(status Uid | tr '\t' ' ')" = "$own $own $own $own" ]
		[ "$(status Gid | tr '\t' ' ')" = "$own $own $own $own" ]
		for set in CapInh CapPrm CapEff CapAmb; do
			[ "$(status $set)" = 0000000000000000 ]
		done
		[ "$(status NoNewPrivs)" = 1 ]
		[ "$(status Seccomp)" = 2 ]
		[ -z "$(status Groups)" ]
		[ "$(stat -c %u "/proc/$WORKER/mem")" = 0 ]
		as_nobody sh -c "kill -9 $WORKER" 2>&1 | grep -q 'not permitted'
		not as_nobody head -c 1 "/proc/$WORKER/maps"
		as_nobody gdb -batch -nx -p "$WORKER" 2>&1 | grep -q 'ptrace: '
		# neither killed nor stopped
		wait_for 20 rests "$WORKER"
		end_worker
	done
}

rests()
{
	[ "$(state_of "$1")" = S ]
}

as_nobody()
{
	setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
}

end_worker()
{
	kill -KILL "$BG"
	wait_for 30 gone "$WORKER"
}

@test "each role: a worker ends with its parent" {
	local role
	for role in "${ROLES[@]}"; do
		echo "$role"
		stays "$role"
		end_worker
	done
}

@test "a worker that is late is killed, whatever it does, and its report told incomplete" {
	local sum
	export TAKEN_OVER=late
	RC=0
	timeout -s KILL 60 "$K/usercrash_c" -w 1 -o "$T/r" 999999999 x 11 \
	    <"$CORE" 2>"$T/said" 3>&- 9>&- || RC=$?
	ended
	sum=$(cksum <"$T/r")
	tail -n 3 "$T/r"
	[ "$RC" = 1 ]
	[ "$(tail -n 1 "$T/r")" = 'incomplete: not done after 1 seconds' ]
	# what it wrote while it could is there, and no more of it comes
	grep -q '^forged$' "$T/r"
	[ "$(cksum <"$T/r")" = "$sum" ]
}

# written DEED [OPTIONS]: what a late worker of usercrash_c leaves, $R.
written()
{
	local deed=$1
	shift
	RC=0
	# nor what bats has open
	TAKEN_OVER=$deed "$K/usercrash_c" "$@" -w 2 -o "$T/r" 999999999 x 11 \
	    <"$CORE" 2>"$T/said" 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- || RC=$?
	cat "$T/said"
	[ "$RC" = 1 ]
	ls -l "$T/r"
}

@test "class 19: a worker that writes more than it may: the report has its bound" {
	written flood -R 1
	[ "$(stat -c %s "$T/r")" -ge 1048576 ]
	[ "$(stat -c %s "$T/r")" -le $((1048576 + 4096)) ]
	[ "$(value signal "$T/r")" = '11 SIGSEGV' ]
	# SIGXFSZ
	[ "$(tail -n 1 "$T/r")" = 'incomplete: the worker died of signal 25' ]
}

@test "a worker that wrote what is no report: who crashed, all the same" {
	written garble
	[ "$(head -n 1 "$T/r")" = 'usercrash report 1' ]
	[ "$(value signal "$T/r")" = '11 SIGSEGV' ]
	[ "$(tail -n 1 "$T/r")" = 'incomplete: not done after 2 seconds' ]
	written garble -f json
	json_valid "$T/r"
	[ "$(json_get "$T/r" signal)" = 11 ]
	[ "$(json_get "$T/r" incomplete)" = 'not done after 2 seconds' ]
}

@test "a worker that cannot be killed: what it writes to is not published" {
	local where
	mkdir -m 750 "$T/d"
	bg "$BIN/usercrash_s" -m 0 -d "$T/d" -S "$T/s"
	wait_for 30 test -S "$T/s"
	for where in "-o $T/r" "-d $T/d -m 0 -S $T/none" "-d $T/d -S $T/s"; do
		RC=0
		# shellcheck disable=SC2086
		TAKEN_OVER=unkillable "$K/usercrash_c" -p -w 1 $where 999999999 \
		    x 11 <"$CORE" >"$T/where" 2>"$T/said" 3>&- 9>&- || RC=$?
		cat "$T/said"
		[ "$RC" = 1 ]
		R=$(sed 's/^none //' "$T/where")
		cat "$R"
		[ "$(head -n 1 "$R")" = 'usercrash report 1' ]
		[ "$(value signal "$R")" = '11 SIGSEGV' ]
		[ "$(tail -n 1 "$R")" = \
		    'incomplete: not done after 1 seconds, and cannot be killed' ]
		not grep -q forged "$R"
		# which goes with its parent
		wait_for 30 ended
	done
}
