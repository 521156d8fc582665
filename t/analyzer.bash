# analyzer: segfault_analyzer, and what it tells.   load helper; load analyzer
#
# shellcheck shell=bash disable=SC2016,SC2034,SC2154

setup()
{
	D=$BATS_TEST_TMPDIR
	AN=
}

teardown()
{
	end_bgs
	pattern_release
	[ -z "${CG:-}" ] || rmdir "$CG"
}

# --- the analyzer ----------------------------------------------------------

# What the kernel refuses is a skip, whatever it is.
needs_bpf()
{
	local verdict=$BATS_RUN_TMPDIR/bpf
	needs_root
	[ -s "$verdict" ] || {
		bg "$BIN/segfault_analyzer" -o "$D/probe" 2>"$D/probe.err"
		wait_for 30 eval '[ -e "$D/probe" ] || gone $BG'
		if [ -e "$D/probe" ]; then
			echo yes >"$verdict"
		else
			cat "$D/probe.err" >"$verdict"
		fi
		end_bgs
	}
	[ "$(cat "$verdict")" = yes ] || unmet "needs BPF: $(cat "$verdict")"
}

# watch OPTIONS: in $AN; output in $D/out, which is there once it is attached.
watch()
{
	needs_bpf
	rm -f "$D/out"
	bg "$BIN/segfault_analyzer" -o "$D/out" "$@" 2>"$D/err"
	AN=$BG
	wait_for 30 eval '[ -e "$D/out" ] || gone $AN'
	[ -e "$D/out" ] || {
		cat "$D/err"
		return 1
	}
}

# unwatch [SIGNAL]: ends it; its exit status in $STATUS.
unwatch()
{
	STATUS=0
	kill "-${1:-INT}" "$AN"
	wait "$AN" || STATUS=$?
	cat "$D/err"
}

# own VICTIM: a copy, $OWN, of a name that nobody else has, $NAME.
own()
{
	needs_victim "$1"
	NAME=o$$x$BATS_TEST_NUMBER
	OWN=$D/$NAME
	cp "$VICTIMS/$1" "$OWN"
}

# quiet COMMAND...: crashes it where no core is written; $PID.
quiet()
{
	"$VICTIMS/launch" nocore "$@" >"$D/victim.out" 2>"$D/victim.err" \
	    3>&- 9>&- &
	PID=$!
	{ wait "$PID" || :; } 2>/dev/null
}

# event PID [FILE]: its records, in text.
event()
{
	awk -v p="(PID: $1," '/^\[/ { on = index($0, p) > 0 } on' "${2:-$D/out}"
}

# json PID: its first record, in $D/ev.
json()
{
	grep -m 1 "\"pid\": $1, " "$D/out" >"$D/ev"
	json_valid "$D/ev"
}

# Rows of a text stack -> "pc function module", as the helper's frame_rows.
stack_rows()
{
	awk '/^    #[0-9]+ +0x/ {
		pc = $2; sub(/^0x/, "", pc)
		while (length(pc) < 16) pc = "0" pc
		name = $3; sub(/\+0x[0-9a-f]+$/, "", name)
		mod = "-"
		if (match($0, / \(.*\)/)) {
			mod = substr($0, RSTART + 2, RLENGTH - 3)
			sub(/\+0x[0-9a-f]+$/, "", mod)
			sub(/ \(deleted\)$/, "", mod)
			gsub(/ /, "_", mod)
		}
		if (name ~ /^</) name = "??"
		print pc, name, mod
	}'
}

# stack_is REGEX MODULE PID
stack_is()
{
	local got
	got=$(event "$3" | stack_rows | chain "$2")
	if ! echo "$got" | grep -Eqx -- "$1$TAIL"; then
		event "$3"
		echo "chain: $got"
		echo "truth: $1"
		return 1
	fi
}

# judged PID: its stack is all there.
judged()
{
	event "$1" | grep -q '^    \(reliable\|truncated\|doubtful\)'
}

# field NAME PID: of the text, "Fault Address" and the like.
field()
{
	event "$2" | sed -n "s/^  $1: *//p" | head -1
}

# stat_of NAME: of the last line of statistics.
stat_of()
{
	sed -n "s/.*stats: events=.* $1=\([0-9]*\).*/\1/p;
	    s/.*stats: \(events\)=\([0-9]*\).*/\1 \2/p" "$D/err" |
	    awk -v n="$1" '$1 == "events" { if (n == $1) v = $2; next }
	    { v = $1 } END { print v }'
}

# teller: the process of the analyzer that names, in $TELLER; the first to be
# started are those of -o and --exec.
teller()
{
	TELLER=$(pgrep -n -P "$AN")
	[ -n "$TELLER" ]
}

# state KEY: of the other process
state()
{
	awk -v k="$1:" '$1 == k { print $2 }' "/proc/$TELLER/status"
}
