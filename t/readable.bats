#!/usr/bin/env bats
# reports-readable owner: whose crash it was may read its report, nobody else;
# and what crashlogctl says to who may not read all there is.

load helper
load ctl

ME=12345 OTHER=12346

setup()
{
	ctl_begin
	needs_tool setpriv
	CORE=$TOP/t/fixtures/core.$(uname -m)
	[ -s "$CORE" ] || unmet "no core fixture for $(uname -m)"
	chmod 755 "$CTL"
	# a user may not look where this tree is
	cp --remove-destination "$BIN/crashlog_read" "$CTL/bin"
}

teardown()
{
	pattern_release
	ctl_release
}

# crashed OPTION...: a report by usercrash_c, of a process that is gone.
crashed()
{
	"$BIN/usercrash_c" -d "$CTL/d" -S "$CTL/s/s" --signal=11 --comm=prog \
	    --exe=/usr/bin/prog --dumpmode=1 "$@" <"$CORE" 2>>"$CTL/log" ||
	    [ $? = 1 ]
}

as()
{
	local uid=$1
	shift
	setpriv --reuid="$uid" --regid="$uid" --clear-groups "$@"
}

reads()
{
	as "$1" cat "$CTL/d/usercrash_$2" >/dev/null 2>&1
}

# mine ARGUMENT...: crashlogctl, as that user, by $SH.
mine()
{
	# shellcheck disable=SC2086
	as $ME $SH "$CTL/bin/crashlogctl" --conf "$CTL/c" --state "$CTL/v" \
	    --no-pager "$@" 3>&- 9>&-
}

@test "its owner reads it, and nobody else; secrets and nobody's stay root's" {
	crashed --uid=$ME
	[ "$(stat -c %a "$CTL/d")" = 750 ]
	not reads $ME 00
	crashed -O --uid=$ME
	[ "$(stat -c %a "$CTL/d")" = 755 ]
	[ "$(stat -c '%u %a' "$CTL/d/usercrash_01")" = '0 640' ]
	[ "$(stat -c %g "$CTL/d/usercrash_01")" = \
	    "$(stat -c %g "$CTL/d/usercrash_00")" ]
	not reads $ME 00
	reads $ME 01
	not reads $OTHER 01
	not as $ME sh -c "echo >>$CTL/d/usercrash_01"
	crashed -O --uid=$ME --dumpmode=2
	crashed -O --uid=65534
	crashed -O --uid=$OTHER
	crashed -O
	not reads $ME 02
	[ "$(stat -c %a "$CTL/d/usercrash_02")" = 600 ]
	not reads 65534 03
	not reads $ME 04
	reads $OTHER 04
	not reads $ME 05
	# what holds the records and the sums of all is not everybody's
	not as $ME cat "$CTL/d/.ledger"
	not as $ME cat "$CTL/d/.slots"
}

@test "through the server, whose option it is" {
	mkdir "$CTL/s"
	bg "$BIN/usercrash_s" -O -d "$CTL/d" -S "$CTL/s/s" 2>"$CTL/log"
	wait_for 10 test -S "$CTL/s/s"
	crashed --uid=$ME
	crashed --uid=$ME --dumpmode=2
	reads $ME 00
	not reads $OTHER 00
	not reads $ME 01
}

@test "a file system without ACLs: said once, and reports stay root's" {
	needs_tool unshare
	mkdir "$CTL/s"
	cat >"$CTL/script" <<-END
		mount -t ramfs none "$CTL/d" || exit 77
		chmod 750 "$CTL/d"
		"$BIN/usercrash_s" -O -d "$CTL/d" -S "$CTL/s/s" 2>"$CTL/said" &
		i=0
		until [ -S "$CTL/s/s" ] || [ \$i = 300 ]; do
			i=\$((i + 1))
			sleep 0.02
		done
		for i in 1 2; do
			"$BIN/usercrash_c" -d "$CTL/d" -S "$CTL/s/s" --comm=x \
			    --signal=11 --dumpmode=1 --uid=$ME <"$CORE"
		done
		ls "$CTL/d" >"$CTL/ls"
		! setpriv --reuid=$ME --regid=$ME --clear-groups \
		    cat "$CTL/d/usercrash_00"
		rc=\$?
		kill %1 || kill \$!
		exit \$rc
	END
	run unshare --mount sh "$CTL/script"
	echo "$output"
	[ "$status" != 77 ] || unmet "needs ramfs"
	[ "$status" = 0 ]
	[ "$(grep -c usercrash_ "$CTL/ls")" = 2 ]
	[ "$(grep -c "reports stay root's: no ACL can be set: Operation not supported" "$CTL/said")" = 1 ]
}

its_own()
{
	run mine list
	[ "$status" = 1 ]
	[[ $output == *"crashlogctl: warning: 3 reports of others in $CTL/d cannot be read"* ]]
	[ "$(grep -c ' prog ' <<<"$output")" = 1 ]
	# the latest that can be read
	mine info | grep -q '^prog: '
	run mine show
	grep -qx "uid: $ME" <<<"$output"
	mine info 01 | grep -q '^prog: '
	run mine info --json prog
	[[ $output == *"\"uid\": 12345"* ]]
	run mine show 00
	[ "$status" = 111 ]
	[[ $output == *"unable to read $CTL/d/usercrash_00: Permission denied" ]]
	run mine info gone
	[ "$status" = 1 ]
	[[ $output == *"crashlogctl list shows all 1; 3 of others cannot be read" ]]
	run mine top
	[ "$status" = 1 ]
	[[ $output == *"3 reports of others in $CTL/d cannot be read"*"1 reports"* ]] ||
	    [[ $output == *"1 reports"*"3 reports of others in $CTL/d cannot be read"* ]]
	run mine status
	[[ $output == *"reports: 4 of 50 in $CTL/d, 3 of others cannot be read"* ]]
	run mine rm --all
	[ "$status" = 100 ]
	[[ $output == *"only root can do that"* ]]
	run mine vacuum --age 0
	[[ $output == *"only root can do that"* ]]
}

@test "crashlogctl for a user: what is his, and how much is not" {
	crashed -O --uid=$OTHER
	crashed -O --uid=$ME
	crashed -O --uid=$ME --dumpmode=2
	crashed -O --uid=0
	each_shell its_own
}

nothing_his()
{
	run mine list
	[ "$status" = 1 ]
	[[ $output == *"1 report of others in $CTL/d cannot be read" ]]
	run mine info
	[ "$status" = 1 ]
	[[ $output == *"info: no report here can be read: 1 of others in $CTL/d" ]]
	chmod 750 "$CTL/d"
	run mine list
	[ "$status" = 111 ]
	[[ $output == *"unable to read $CTL/d: Permission denied" ]]
	run mine status
	[[ $output == *"reports: $CTL/d cannot be read"* ]]
	[[ $output != *"0 of 50"* ]]
	[[ $output == *"store: $CTL/v/cores cannot be read"* ]]
	run mine cores
	[[ $output == *"$CTL/v/cores cannot be read"* || $output == *"unable to read $CTL/v/cores"* ]]
	[[ $output != *"no core"* ]]
	run mine doctor --no-crash
	[[ $output != *"0 of 50"* && $output != *"0 cores"* ]]
	[[ $output == *"reports: $CTL/d cannot be read"* ]]
	chmod 755 "$CTL/d"
}

@test "crashlogctl for a user who may read nothing: never 0, never none" {
	crashed -O --uid=$OTHER
	sed -i '/^store/d' "$CTL/c"
	echo "store $CTL/v/cores" >>"$CTL/c"
	mkdir -p "$CTL/v/cores/box"
	cp "$CORE" "$CTL/v/cores/box/core.a.1.2"
	chmod 700 "$CTL/v/cores"
	each_shell nothing_his
	chmod 700 "$CTL/v"
	each_shell nothing_his
}

@test "the conf's word reaches both, and enable opens and shuts the directory" {
	ctl_fake_proc
	echo 'reports-readable owner' >>"$CTL/c"
	ctl check
	run ctl --server none enable
	[[ $output == *"let others look into $CTL/d (mode 755)"* ]]
	[[ $output == *"reports can be read by whose crash it was"* ]]
	[ "$(stat -c %a "$CTL/d")" = 755 ]
	run ctl doctor --no-crash
	[[ $output == *"reports: 0 of 50 in $CTL/d, readable by their owners,"* ]]
	run ctl status
	[[ $output == *"reports: 0 of 50 in $CTL/d, readable by their owners"* ]]
	chmod 750 "$CTL/d"
	run ctl doctor --no-crash
	[[ $output == *"warning  reports: $CTL/d is shut: users cannot read what is theirs (crashlogctl enable)"* ]]
	ctl --server none enable >/dev/null
	sed -i 's/owner/root/' "$CTL/c"
	run ctl --server none enable
	[[ $output == *"keep others out of $CTL/d (mode 750)"* ]]
	[ "$(stat -c %a "$CTL/d")" = 750 ]
	sed -i 's/readable root/readable group/' "$CTL/c"
	run ctl check
	[ "$status" = 100 ]
}

@test "a user's crash, from the kernel to his terminal" {
	pattern_lock
	load wrapper
	place "$RUND"
	conf "$RUND" 'reports-readable owner' 'store no'
	wrap
	mkdir -m 777 "$RUND/w"
	WHERE=$RUND/w crash setpriv --reuid=$ME --regid=$ME --clear-groups \
	    "$VICTIMS/null"
	report_of "$PID"
	[ "$(value uid "$REPORT")" = $ME ]
	chmod 755 "$RUND"
	as $ME cat "$REPORT" | grep -q '^cause: null pointer write'
	not as $OTHER cat "$REPORT"
	WHERE=$RUND/w crash "$VICTIMS/null"
	report_of "$PID"
	not as $ME cat "$REPORT"
}
