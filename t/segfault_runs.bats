# segfault_runs: segfault_analyzer for long: files that follow each other, a
# command for each crash, the table.

load helper
load analyzer

# records FILE...: how many are in them, of four lines each.
records()
{
	cat "$@" | grep -c '^\['
}

# --- files -----------------------------------------------------------------

@test "--rotate: full files move on, none is torn, none is lost, so many stay" {
	local f n=0
	own handled
	watch -n "$NAME" --share 0 --rotate 4k,1000
	quiet "$OWN" 200
	unwatch
	[ "$STATUS" = 0 ]
	for f in "$D"/out.*; do
		n=$((n + 1))
		[ -e "$D/out.$n" ]
		[ "$(stat -c %s "$f")" -ge 4096 ]
		[ "$(stat -c %s "$f")" -lt 5000 ]
		[ "$(stat -c %a "$f")" = 640 ]
		[ "$(wc -l <"$f")" = $(($(records "$f") * 4)) ]
	done
	[ $n -gt 5 ]
	[ "$(stat -c '%a %U' "$D/out")" = "640 $(stat -c %U "$D")" ]
	[ "$(records "$D"/out*)" = 200 ]
	# and the same again: only so many stay
	mkdir "$D/few"
	D=$D/few watch -n "$NAME" --share 0 --rotate 4k,2
	quiet "$OWN" 200
	D=$D/few unwatch
	[ "$(cd "$D/few" && echo out*)" = 'out out.1 out.2' ]
}

@test "--rotate: what was there counts with --append; JSON, too, is whole" {
	local f
	own handled
	watch -n "$NAME" --share 0 --format json --rotate 1M,9
	quiet "$OWN" 5
	unwatch
	cp "$D/out" "$D/before"
	size=$(($(stat -c %s "$D/out") + 1))
	[ $size -gt 4096 ] || size=4096
	needs_bpf
	bg "$BIN/segfault_analyzer" -v -n "$NAME" --share 0 -o "$D/out" \
	    --append --format json --rotate $size,9 2>"$D/err"
	AN=$BG
	wait_for 30 grep -q attached "$D/err"
	quiet "$OWN" 20
	unwatch
	head -c "$(stat -c %s "$D/before")" "$D/out."* | grep -q seen
	for f in "$D"/out*; do
		while read -r line; do
			printf '%s\n' "$line" >"$D/ev"
			json_valid "$D/ev"
		done <"$f"
	done
	[ "$(cat "$D"/out* | grep -c '"fault_address"')" = 25 ]
}

@test "SIGHUP: the file was renamed; what follows goes to a new one" {
	own null
	watch -n "$NAME"
	quiet "$OWN"
	wait_for 30 test -s "$D/out"
	mv "$D/out" "$D/old"
	kill -HUP "$AN"
	wait_for 30 test -e "$D/out"
	quiet "$OWN"
	wait_for 30 test -s "$D/out"
	unwatch
	[ "$STATUS" = 0 ]
	[ "$(records "$D/old")" = 1 ]
	[ "$(records "$D/out")" = 1 ]
	[ ! -s "$D/err" ]
}

@test "SIGHUP: a file that cannot be opened: the old one goes on, and it is told" {
	own null
	watch -n "$NAME" -v
	mv "$D/out" "$D/old"
	# neither followed nor written to
	ln -s /etc/passwd "$D/out"
	kill -HUP "$AN"
	wait_for 30 grep -q "warning: unable to open $D/out anew: " "$D/err"
	quiet "$OWN"
	wait_for 30 test -s "$D/old"
	rm "$D/out"
	kill -HUP "$AN"
	wait_for 30 test -e "$D/out"
	unwatch
	[ "$STATUS" = 0 ]
	[ "$(records "$D/old")" = 1 ]
}

# keeper: the process that opens the output, in $TELLER
keeper()
{
	TELLER=$(pgrep -o -P "$AN")
	[ -n "$TELLER" ]
}

@test "who opens the file anew can do nothing else; without it the rest goes on" {
	own handled
	mkdir "$D/log"
	chown 65534:65533 "$D/log"
	D=$D/log watch -n "$NAME" --share 0 --rotate 4k,2
	keeper
	[ "$(state CapEff)$(state CapPrm)" = 00000000000000000000000000000000 ]
	[ "$(state Uid) $(state Gid)" = '65534 65533' ]
	[ "$(state NoNewPrivs) $(state Seccomp)" = '1 2' ]
	[ "$(readlink "/proc/$TELLER/root")" = "$D/log" ]
	# nothing of the kernel's, nor of the one that looks
	[ -z "$(find "/proc/$TELLER/fd" -lname 'anon_inode:*')" ]
	kill -KILL "$TELLER"
	quiet "$OWN" 100
	D=$D/log unwatch
	[ "$STATUS" = 0 ]
	[ "$(records "$D/log/out")" = 100 ]
	[ "$(grep -c 'warning: unable to open .* anew' "$D/log/err")" = 1 ]
}

# --- a command -------------------------------------------------------------

# hook TEXT: a script of that, $HOOK.
hook()
{
	HOOK=$D/hook
	printf '#!/bin/sh\n%s\n' "$1" >"$HOOK"
	chmod 755 "$HOOK"
}

@test "--exec: the command's words, the facts in its environment, nothing else" {
	hook "env | grep ^FAULT_ >$D/env; printf '<%s>' \"\$@\" >$D/args
	    ls /proc/self/fd | tr '\n' ' ' >$D/fds; cat >$D/stdin
	    echo said; id -u >$D/ran.new; mv $D/ran.new $D/ran"
	# once beside other tests the file was not had, so there was no name;
	# why is not known
	for _ in 1 2 3; do
		rm -f "$D/ran" "$D/env"
		own null
		watch -n "$NAME" --exec "$HOOK" 'a b' '$(touch x)' -t
		quiet "$OWN"
		wait_for 30 test -e "$D/ran"
		unwatch
		[ "$STATUS" = 0 ]
		grep -qx 'FAULT_FUNCTION=' "$D/env" || break
	done
	[ "$(cat "$D/args")" = '<a b><$(touch x)><-t>' ]
	[ "$(cat "$D/fds")" = '0 1 2 3 ' ]
	[ ! -s "$D/stdin" ]
	[ "$(cat "$D/ran")" = 0 ]
	grep -qx said "$D/err"
	not grep -q said "$D/out"
	for want in "PID=$PID" "TID=$PID" "COMM=$NAME" "EXE=$OWN" UID=0 GID=0 \
	    SIGNAL=SIGSEGV CODE=1 ADDRESS=0x0 FUNCTION=crash_here \
	    'CAUSE=null pointer write in crash_here'; do
		grep -qxF "FAULT_$want" "$D/env" || {
			echo "$want:"
			cat "$D/env"
			false
		}
	done
	grep -Eqx 'FAULT_SIGNATURE=[0-9a-f]{16}' "$D/env"
	grep -Eqx 'FAULT_TIME=[-0-9]{10}T[0-9:]{8}Z' "$D/env"
	[ "$(wc -l <"$D/env")" = 14 ]
}

@test "--exec: hostile names are escaped; what is handled runs nothing; --redact" {
	local evil
	evil=$(printf 'a"\\\n\033]0;\377')
	hook "env >$D/env.new; mv $D/env.new $D/env"
	watch --redact -n 'a"' -n handled --exec "$HOOK"
	quiet "$VICTIMS/handled" 3
	quiet "$VICTIMS/comm" "$evil"
	wait_for 30 test -e "$D/env"
	unwatch
	grep -qxF 'FAULT_COMM=a"\\\x0a\x1b]0;\xff' "$D/env"
	grep -qx 'FAULT_ADDRESS=' "$D/env"
	grep -qx "FAULT_PID=$PID" "$D/env"
}

@test "--exec: a storm: at a bounded rate, nobody waits, and what was not run is told" {
	hook "echo run >>$D/runs; exec sleep 1000"
	own storm
	watch -n "$NAME" --stats --exec "$HOOK"
	quiet "$OWN" 100
	# all are told though four commands hang
	wait_for 30 eval '[ "$(grep -c "^\[" "$D/out")" = 100 ]'
	wait_for 30 eval '[ "$(grep -c . "$D/runs")" = 4 ]'
	unwatch
	[ "$STATUS" = 0 ]
	wait_for 30 eval '[ "$(not_run)" = 96 ]'
	[ "$(grep -c . "$D/runs")" = 4 ]
	pkill -KILL -f '^sleep 1000$' || :
}

# not_run: how many crashes ran nothing, as it is told.
not_run()
{
	sed -n 's/.*was not run for \([0-9]*\) crashes.*/\1/p' "$D/err" |
	    awk '{ n += $1 } END { print n + 0 }'
}

@test "--exec: a command that is not there, one that fails" {
	own null
	watch -n "$NAME" --exec "$D/no such" x
	quiet "$OWN"
	wait_for 30 grep -q "unable to run $D/no such: No such file" "$D/err"
	unwatch
	[ "$STATUS" = 0 ]
	hook 'exit 3'
	watch -n "$NAME" --exec "$HOOK"
	quiet "$OWN"
	wait_for 30 grep -q "warning: $HOOK: exit 3, for pid $PID" "$D/err"
	unwatch
}

@test "--exec: a command that hangs is ended with what it started" {
	"$BUILD/t/unit_segv_runner"
}

# --- the table -------------------------------------------------------------

# shown KIND: of the last table, "count program signature" a row, handled or
# fatal
shown()
{
	awk -v kind="$1" '/^\[/ { rows = "" }
		/ \/s  LAST / { on = $1 == kind; next }
		on && NF > 4 { rows = rows $1 " " $4 " " $5 "\n" }
		END { printf "%s", rows }' "$D/out"
}

@test "--top: a full table loses no fault; a screen is no larger than its terminal" {
	"$BUILD/t/unit_segv_top"
}

@test "--top: a program and a signature a row, the sums exact" {
	own storm
	cp "$VICTIMS/handled" "$D/h$NAME"
	watch --top=1 --stats -n "$NAME"
	quiet "$OWN" 30
	quiet "$D/h$NAME" 5000
	quiet "$D/h$NAME" 5000
	unwatch
	cat "$D/out"
	[ "$STATUS" = 0 ]
	[ "$(shown FATAL | sed 's/ [0-9a-f]\{16\}$//')" = "30 $NAME" ]
	[ "$(shown HANDLED | awk '{ n += $1 } END { print n }')" = 10000 ]
	shown HANDLED | grep -Eqx "[0-9]+ h$NAME -"
	shown HANDLED | grep -Eqx "[0-9]+ h$NAME [0-9a-f]{16}"
	grep -q 'null pointer write in crash_here$' "$D/out"
	grep -Eq '^\[.*\] 30 fatal, 10000 handled, .* 0 dropped$' "$D/out"
	[ "$(stat_of seen)" = 10030 ]
	# no records
	not grep -q 'Fault Address' "$D/out"
	not grep -q "$(printf '\033')" "$D/out"
}

@test "--top as JSON: one record, the last but for the sum" {
	own null
	watch --top --format json -n "$NAME"
	quiet "$OWN"
	quiet "$OWN"
	unwatch
	[ "$(wc -l <"$D/out")" = 2 ]
	head -1 "$D/out" >"$D/ev"
	json_valid "$D/ev"
	[ "$(json_get "$D/ev" fatal)" = 2 ]
	[ "$(json_get "$D/ev" handled)" = 0 ]
	[ "$(json_get "$D/ev" top 0 comm)" = "$NAME" ]
	[ "$(json_get "$D/ev" top 0 faults)" = 2 ]
	json_get "$D/ev" top 0 signature | grep -Eqx '[0-9a-f]{16}'
	[ "$(json_get "$D/ev" others fatal)" = 0 ]
	tail -1 "$D/out" | grep -q '"seen": 2, "written": 2, "limited": 0'
}

@test "--top on a terminal: a screen at a time, within it, and no mode of it is changed" {
	local pty=$D/pty how
	needs_bpf
	needs_tool script
	own null
	cat >"$D/session" <<-EOF
		stty rows 10 cols 60
		stty -a >$D/before
		$BIN/segfault_analyzer --top=1 -v -n $NAME 2>$D/err &
		echo \$! >$D/an
		wait
		stty -a >$D/after
	EOF
	for how in INT KILL; do
		rm -f "$D/an" "$D/err"
		bg script -qfc "sh $D/session" "$pty" >/dev/null 2>&1
		wait_for 30 grep -qs attached "$D/err"
		quiet "$OWN"
		wait_for 30 grep -q "$NAME" "$pty"
		kill -$how "$(cat "$D/an")"
		wait_for 30 gone "$BG"
		diff "$D/before" "$D/after"
		sed "s/$(printf '\033')/E/g" "$pty" | tr -d '\r' >"$D/seen"
		cat "$D/seen"
		grep -q 'E\[H\[.*\] [01] fatal' "$D/seen"
		# home, clear, end of line: nothing that would stay
		[ "$(grep -o 'E\[[^A-Za-z]*[A-Za-z]' "$D/seen" | sort -u |
		    tr '\n' ' ')" = 'E[2J E[H E[J E[K ' ]
		sed 's/E\[[0-9]*[HJK]//g; /^Script/d' "$D/seen" >"$D/plain"
		grep -q "$NAME" "$D/plain"
		not grep -E '^.{60}' "$D/plain"
	done
}
