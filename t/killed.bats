# killed: a process that is killed while it is read.

load helper

teardown()
{
	pattern_release
}

# The worker has opened the memory and waits for the core; before that comes,
# the process is killed.  Whatever else crashes meanwhile is let go: only the
# process whose program is "killedone" is touched.  d/exit: the code, d/report.
killing_handler()
{
	pattern_lock
	cat >"$RUND/h" <<-EOF
		case \$(readlink /proc/\$3/exe) in
		*/killedone) ;;
		*) exit 0 ;;
		esac
		exec 2>>$RUND/log
		soon() {
			n=0
			until eval "\$1"; do
				n=\$((n + 1))
				[ \$n -lt 1000 ] || exit 1
				sleep .02
			done
		}
		cat >$RUND/core
		mkfifo $RUND/f
		$BIN/usercrash_c -f$1 -o $RUND/d/report --tid=\$1 \
		    --pidfd=\$2 \$3 \$5 \$4 <$RUND/f &
		exec 9>$RUND/f
		soon "find /proc/[0-9]*/fd -lname '/proc/\$1/*mem' | grep -q ."
		kill -9 \$3
		soon "! grep -q . /proc/\$3/maps"
		cat $RUND/core >&9
		exec 9>&-
		wait \$!
		echo \$? >$RUND/d/exit
	EOF
	pattern "|/bin/sh $RUND/h %I %F %P %s %e"
}

@test "killed while it was read: said, in place of what was not found" {
	local said="the process was killed while it was read"
	killing_handler text
	needs_victim threads
	cp "$VICTIMS/threads" "$BATS_TEST_TMPDIR/killedone"
	crash "$BATS_TEST_TMPDIR/killedone" 2
	wait_for 60 test -s "$RUND/d/exit"
	cat "$RUND/d/report"
	[ "$(cat "$RUND/d/exit")" = 1 ]
	section backtrace "$RUND/d/report" | grep -q "^  #00 pc "
	section backtrace "$RUND/d/report" | grep -qx "  stopped: $said"
	[ "$(section stack "$RUND/d/report")" = "unavailable: $said" ]
	[ "$(section memory "$RUND/d/report")" = "unavailable: $said" ]
	[ "$(tail -1 "$RUND/d/report")" = "incomplete: $said" ]
	not grep -q 'no unwind data\|no memory at' "$RUND/d/report"
}
