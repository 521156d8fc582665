#!/usr/bin/env bats
# crashlogctl: enable, disable, status, the conf; on settings of our own, no
# kernel is touched (crashlogctl_live.bats does that).
#
# not with sanitizers: a script

load helper
load ctl

OLD='|/usr/lib/systemd/systemd-coredump %P %u %g %s %t 9223372036854775808 %h'

setup()
{
	needs_root
	needs_shells
	CTL=
}

teardown()
{
	end_bgs
	[ -z "$CTL" ] || umount "$CTL/d" 2>/dev/null || :
	ctl_release
}

is_ours()
{
	[[ $(fake_pattern) == "|$CTL/bin/usercrash-wrapper "* ]]
}

# --- usage -----------------------------------------------------------------

usage_is_100()
{
	mkdir -p "$CTL/d"
	exits 100 ctl 2>/dev/null
	exits 100 ctl bogus 2>/dev/null
	exits 100 ctl -x list 2>/dev/null
	exits 100 ctl list --bogus 2>/dev/null
	exits 100 ctl list '' 2>/dev/null
	exits 100 ctl enable now 2>/dev/null
	exits 100 ctl enable --sockets 2>/dev/null
	exits 100 ctl disable --socket 2>/dev/null
	exits 100 ctl --conf 2>/dev/null
	exits 100 ctl --server bogus status 2>/dev/null
	exits 100 ctl --root "$CTL/nowhere" status 2>/dev/null
	exits 100 ctl show --bogus 2>/dev/null
	exits 100 ctl show -n x 2>/dev/null
	exits 100 ctl top x 2>/dev/null
	exits 100 ctl watch --count 2>/dev/null
	exits 100 ctl vacuum 2>/dev/null
	exits 100 ctl vacuum --age x 2>/dev/null
	exits 100 ctl flush 2>/dev/null
	exits 0 ctl --help >/dev/null
	exits 0 ctl list -h >/dev/null
	# every command is in the usage
	ctl help | grep -q '^is-active '
}

@test "usage: what is wrong is 100 and one line" {
	ctl_install
	ctl_fake_proc
	each_shell usage_is_100
	run ctl bogus
	[ "${lines[0]}" = "crashlogctl: error: no command is called bogus (crashlogctl --help)" ]
}

@test "called through a link, by a relative path, by its name" {
	ctl_install
	ctl_fake_proc
	ln -s "$CTL/bin/crashlogctl" "$CTL/link"
	[ "$("$CTL/link" --conf "$CTL/c" check)" = "$CTL/c: good" ]
	[ "$(cd "$CTL" && bin/crashlogctl --conf c check)" = "$CTL/c: good" ]
	[ "$(cd "$CTL" && PATH=$CTL/bin:$PATH crashlogctl --conf c check)" \
	    = "$CTL/c: good" ]
	rm "$CTL/lib/usercrash/conf.sh"
	run "$CTL/link" check
	[ "$status" = 111 ]
	[[ $output == *"unable to find conf.sh"* ]]
}

@test "an ordinary user is told so and changes nothing" {
	ctl_install
	ctl_fake_proc
	chmod 755 "$CTL"
	for c in enable disable 'vacuum --count 1'; do
		# shellcheck disable=SC2086
		run setpriv --reuid=65534 --regid=65534 --clear-groups \
		    "$CTL/bin/crashlogctl" --conf "$CTL/c" --state "$CTL/v" $c
		[ "$status" = 100 ]
		[[ $output == *"only root can do that" ]]
	done
	[ "$(fake_pattern)" = core ]
	[ ! -e "$CTL/v" ]
}

# --- the conf --------------------------------------------------------------

conf_is_read()
{
	cat >"$CTL/x" <<-'END'
		# all keys
		reports /var/log/x   # with a remark
		  socket	/run/x/s
		slots 20
		share auto
		report-free 0
		report-format json
		report-wait 5
		receiver a:1,b c [::1]:64740
		send-timeout 5
		send-compress no
		spool no
		spool-max 10000
		spool-free 1
		store /srv/cores
		store-max 1
		store-core-max no
		store-free 0
		store-compress yes
		suid-cores forward
		suid-dumpable 2
		core-rate 3/60
		pipe-limit 2048
		default-app no
		ignore foo* /opt/*
		ignore [#]x #y
		no-core big
		program-share rust* 3
		program-share a 1
		hook /bin/echo * $(id) `id`
		hook /bin/true
		hook-timeout 1
		debuginfod yes
		stall 1
	END
	ctl check "$CTL/x"
	bindir=$CTL/bin $SH -c '. "$1"; conf_read "$2"
		printf "%s\n" "$conf_reports" "$conf_socket" "$conf_receiver" \
		    "$conf_hooks" "$conf_core_rate $conf_suid_dumpable"' \
	    sh "$CTL/lib/usercrash/conf.sh" "$CTL/x" >"$CTL/out"
	diff "$CTL/out" - <<-'END'
		/var/log/x
		/run/x/s
		a:1,b,c,[::1]:64740
		/bin/echo * $(id) `id`
		/bin/true

		3/60 2
	END
	"$CTL/bin/usercrash-wrapper" --conf "$CTL/x" |
	    grep -E '^(ignore|no-core|program-share|hook|send-command)\>' |
	    diff - <(printf '%s\n' send-command 'ignore foo*' 'ignore /opt/*' \
		'ignore [#]x' 'no-core big' 'program-share rust* 3' \
		'program-share a 1' 'hook /bin/echo * $(id) `id`' \
		'hook /bin/true' 'hook-timeout 1')
}

@test "conf: every key, by every shell alike" {
	ctl_install
	(cd "$CTL" && : >foobar)
	each_shell conf_is_read
}

conf_errors_are_told()
{
	local want=$1
	exits 100 ctl check "$CTL/x" >"$CTL/out" 2>"$CTL/err"
	[ ! -s "$CTL/out" ]
	sed "s|^crashlogctl: warning: $CTL/x:||" "$CTL/err" | diff - "$want"
}

@test "conf: each wrong line is named, and the rest holds" {
	ctl_install
	printf '%s\n' 'slots 0' '' 'bogus 1' 'slots 5' 'slots 6' 'reports rel' \
	    'socket /a b' 'reports /a/../b' 'reports /a$(id)' 'receiver -x' \
	    'receiver a,,b' 'hook true' 'hook' 'core-rate 3' 'core-rate 0/1' \
	    'program-share a' 'program-share a x' 'store' 'default-app maybe' \
	    'share 99999999999999999999' 'stall 08x' 'ignore' \
	    $'slots 7\r' $'ignore a\001b' 'receiver h' 'send-command /bin/cat' \
	    'pipe-limit 0' 'suid-dumpable 3' >"$CTL/x"
	printf 'stall 12' >>"$CTL/x"
	cat >"$CTL/want" <<-'END'
		1: slots: '0' is no number of 1 to 10000
		3: unknown key 'bogus'
		5: slots: given before
		6: reports: 'rel' is no absolute path
		7: socket: takes one value, not 2
		8: reports: '/a/../b' has '..' or characters other than letters, digits and _./+,:@=-
		9: reports: '/a$(id)' has '..' or characters other than letters, digits and _./+,:@=-
		10: receiver: '-x' is no HOST[:PORT]
		11: receiver: 'a,,b' is no HOST[:PORT]
		12: hook: 'true' is no absolute path of a program
		13: hook: a value is missing
		14: core-rate: '3' is not N/SECONDS with N of 1 to 10000
		15: core-rate: '0/1' is not N/SECONDS with N of 1 to 10000
		16: program-share: takes a pattern and a number
		17: program-share: 'x' is no number of 1 to 10000
		18: store: takes one value, not 0
		19: default-app: 'maybe' is none of: yes no
		20: share: '99999999999999999999' is no number of 1 to 10000
		21: stall: '08x' is no number of 1 to 3600
		22: ignore: a value is missing
		23: a control character
		24: a control character
		27: pipe-limit: '0' is no number of 1 to 1000000
		28: suid-dumpable: '3' is none of: keep 0 1 2
		26: send-command: there is a receiver already
	END
	each_shell conf_errors_are_told "$CTL/want"
	# the last line has no newline and counts
	# shellcheck disable=SC2016
	[ "$(bindir=$CTL/bin $SH -c '. "$1"; conf_read "$2"; echo $? $conf_slots $conf_stall' \
	    sh "$CTL/lib/usercrash/conf.sh" "$CTL/x")" = "1 5 12" ]
}

# threat 14: untrusted configuration
conf_is_ignored()
{
	# shellcheck disable=SC2016
	bindir=$CTL/bin timeout 10 $SH -c '. "$1"; conf_read "$2"; echo $? $conf_slots
		echo "$conf_errors"' sh "$CTL/lib/usercrash/conf.sh" \
	    "$CTL/$1" >"$CTL/out"
	grep -qx '100 50' "$CTL/out"
	grep -qF "$2" "$CTL/out"
}

@test "conf: not root's, writable by others, or no file: ignored, and said" {
	ctl_install
	for f in mine group world; do
		echo 'slots 7' >"$CTL/$f"
	done
	chown 65534 "$CTL/mine"
	chmod 664 "$CTL/group"
	chmod 646 "$CTL/world"
	mkfifo "$CTL/fifo"
	mkdir "$CTL/dir"
	ln -s "$CTL/nowhere" "$CTL/dangling"
	each_shell conf_is_ignored mine "owned by user 65534"
	each_shell conf_is_ignored group "others may write it"
	each_shell conf_is_ignored world "others may write it"
	each_shell conf_is_ignored fifo "not a regular file"
	each_shell conf_is_ignored dir "not a regular file"
	each_shell conf_is_ignored dangling "not a regular file"
	ctl_fake_proc
	exits 100 ctl --conf "$CTL/mine" enable 2>/dev/null
	[ "$(fake_pattern)" = core ]
}

# --- enable and disable ----------------------------------------------------

on_and_off()
{
	fake_sysctl "$1" "$2" "$3"
	fake_all >"$CTL/before"
	rm -rf "$CTL/v"
	exits 1 ctl is-active >/dev/null
	ctl enable >"$CTL/out"
	is_ours
	[ "$(ctl is-active)" = active ]
	[ "$(cat "$CTL/sys/kernel/core_pipe_limit")" -ge 1024 ]
	[ "$(cat "$CTL/sys/kernel/core_pipe_limit")" -ge "$2" ]
	head -1 "$CTL/v/saved" | grep -Fqx "kernel.core_pattern $1"
	grep -Fqx "kernel.core_pattern = $(fake_pattern)" "$CTL/99.conf"
	[ "$(stat -c '%a %u' "$CTL/v" "$CTL/v/saved" | tr '\n' ' ')" = \
	    "700 0 600 0 " ]
	# again, and again: nothing more is changed, and nothing is forgotten
	cp "$CTL/v/saved" "$CTL/saved"
	ctl enable >"$CTL/out"
	not grep -E '^(set|write|make|remove|run) ' "$CTL/out"
	cmp "$CTL/v/saved" "$CTL/saved"
	ctl disable >/dev/null
	fake_all | cmp - "$CTL/before"
	[ ! -e "$CTL/v/saved" ]
	[ ! -e "$CTL/99.conf" ]
	exits 1 ctl is-active >/dev/null
	ctl disable
	fake_all | cmp - "$CTL/before"
}

@test "enable and disable: byte for byte, for every kind of pattern" {
	ctl_install
	ctl_fake_proc
	each_shell on_and_off "$OLD" 16 2
	each_shell on_and_off '|/usr/share/apport/apport -p%p -s%s -c%c -d%d -P%P -u%u -g%g -F%F -- %E' 10 2
	each_shell on_and_off core 0 0
	each_shell on_and_off core.%p 4096 1
	each_shell on_and_off '' 0 0
	each_shell on_and_off '| /bin/x  two  blanks %e ' 0 0
	each_shell on_and_off "\\n\$(id) * 'q' \"%e" 0 0
	each_shell on_and_off "$(printf 'c\351\001re')" 0 0
}

@test "enable: what was there before is explained" {
	ctl_install
	ctl_fake_proc
	run ctl -n enable
	[[ $output == *"core is the name of a core file, not a program"* ]]
	[[ $output == *"there is no local store"* ]]
	fake_sysctl "$OLD" 0 0
	run ctl -n enable
	[[ $output == *"is called for each crash, as before"* ]]
	echo 'default-app no' >>"$CTL/c"
	run ctl -n enable
	[[ $output == *"is no longer called"* ]]
	fake_sysctl '@/run/coredump.sock' 0 0
	run ctl -n enable
	[[ $output == *"is a socket, which the wrapper cannot serve"* ]]
	fake_sysctl '' 0 0
	run ctl -n enable
	[[ $output == *"there was no core_pattern"* ]]
	fake_sysctl '|/usr/bin/usercrash_c %P %e %s' 0 0
	run ctl -n enable
	[[ $output == *"the wrapper takes its place"* ]]
}

dry_run()
{
	ctl -n enable >"$CTL/out"
	grep -Fq "would write $CTL/v/saved" "$CTL/out"
	grep -q "^would make directory $CTL/d (mode 750, group adm)" "$CTL/out"
	grep -q "^would set kernel.core_pipe_limit to '1024' (was '0')" \
	    "$CTL/out"
	grep -q "^would write $CTL/99.conf" "$CTL/out"
	grep -q "^would run usercrash_s -S $CTL/s/s -d $CTL/d" "$CTL/out"
	grep -q "^would set kernel.core_pattern to '|$CTL/bin/usercrash-wr" \
	    "$CTL/out"
	[ "$(fake_all)" = "$(printf 'core\n0\n0')" ]
	[ ! -e "$CTL/v" ] && [ ! -e "$CTL/d" ] && [ ! -e "$CTL/99.conf" ]
	[ ! -e "$CTL/s" ]
	# each of these is what is then done, and nothing else is
	sed -n 's/^would //p' "$CTL/out" >"$CTL/would"
	ctl enable >"$CTL/out"
	grep -E '^(set|write|make|remove|run) ' "$CTL/out" |
	    diff "$CTL/would" -
	ctl disable -n | sed -n 's/^would //p' >"$CTL/would"
	is_ours
	ctl disable >"$CTL/out"
	diff "$CTL/would" "$CTL/out"
	rm -rf "$CTL/d" "$CTL/v" "$CTL/s"
}

@test "-n: says all that would be done, and does nothing" {
	ctl_install
	ctl_fake_proc
	each_shell dry_run
}

@test "enable: never the wrapper as its own default app" {
	ctl_install
	ctl_fake_proc "$OLD"
	ctl enable >/dev/null
	# the saved state is lost, the pattern is ours
	rm "$CTL/v/saved"
	ctl enable >/dev/null
	grep -qx 'kernel.core_pattern core' "$CTL/v/saved"
	not grep -q '^kernel.core_pattern |.*usercrash-wrapper' "$CTL/v/saved"
	# an older one, elsewhere, with other arguments
	rm "$CTL/v/saved"
	fake_sysctl '|/opt/old/bin/usercrash-wrapper %P %e' 0 0
	ctl enable >/dev/null
	is_ours
	grep -qx 'kernel.core_pattern core' "$CTL/v/saved"
	ctl disable >/dev/null
	[ "$(fake_pattern)" = core ]
	# ours, nothing saved, and disable
	fake_sysctl '|/opt/old/bin/usercrash-wrapper %P %e' 0 0
	run ctl disable
	[[ $output == *"nothing is known of before"* ]]
	[ "$(fake_pattern)" = core ]
}

@test "disable: what somebody else has set meanwhile stays" {
	ctl_install
	ctl_fake_proc "$OLD" 16 0
	ctl enable >/dev/null
	fake_sysctl '|/opt/other/handler %p' 4096 0
	run ctl disable
	[ "$status" = 0 ]
	[[ $output == *"core_pattern is '|/opt/other/handler %p', which somebody else has set"* ]]
	[ "$(fake_all)" = "$(printf '|/opt/other/handler %%p\n4096\n0')" ]
	[ ! -e "$CTL/v/saved" ]
	# and enabling over it makes that the default app
	ctl enable >/dev/null
	grep -qx 'kernel.core_pattern |/opt/other/handler %p' "$CTL/v/saved"
	fake_sysctl '|/third %p' 4096 0
	ctl enable >/dev/null
	grep -qx 'kernel.core_pattern |/third %p' "$CTL/v/saved"
	ctl disable >/dev/null
	[ "$(fake_pattern)" = '|/third %p' ]
}

@test "enable: suid_dumpable, a limit of one's own, a changed conf" {
	ctl_install
	ctl_fake_proc core 0 0
	printf '%s\n' 'suid-dumpable 2' 'pipe-limit 2000' >>"$CTL/c"
	ctl enable >/dev/null
	[ "$(cat "$CTL/sys/fs/suid_dumpable")" = 2 ]
	[ "$(cat "$CTL/sys/kernel/core_pipe_limit")" = 2000 ]
	grep -qx 'fs.suid_dumpable = 2' "$CTL/99.conf"
	sed -i 's/2000/3000/; s/dumpable 2/dumpable 1/' "$CTL/c"
	ctl enable >/dev/null
	[ "$(cat "$CTL/sys/fs/suid_dumpable")" = 1 ]
	[ "$(cat "$CTL/sys/kernel/core_pipe_limit")" = 3000 ]
	ctl disable >/dev/null
	[ "$(fake_all)" = "$(printf 'core\n0\n0')" ]
}

@test "enable: refused with a bad conf, a long pattern, no wrapper, a foreign file" {
	ctl_install
	ctl_fake_proc
	echo 'bogus 1' >>"$CTL/c"
	exits 100 ctl enable 2>"$CTL/err"
	grep -q "c:4: unknown key 'bogus'" "$CTL/err"
	sed -i '$d' "$CTL/c"
	mkdir -p "$CTL/a-directory-with-a-long-name"
	exits 100 ctl --state "$CTL/a-directory-with-a-long-name/v" enable \
	    2>"$CTL/err"
	grep -q 'characters and the kernel takes 127' "$CTL/err"
	exits 100 ctl --state "$CTL/with blank" enable 2>/dev/null
	echo 'kernel.core_pattern = mine' >"$CTL/99.conf"
	exits 100 ctl enable >/dev/null 2>"$CTL/err"
	grep -q '99.conf was not written by crashlogctl' "$CTL/err"
	[ "$(fake_pattern)" = core ]
	ctl disable >/dev/null
	[ "$(cat "$CTL/99.conf")" = 'kernel.core_pattern = mine' ]
	rm "$CTL/99.conf" "$CTL/bin/usercrash-wrapper"
	exits 111 ctl enable 2>/dev/null
	[ "$(fake_all)" = "$(printf 'core\n0\n0')" ]
}

@test "enable: the pattern is read back; a kernel that cuts it is an error" {
	ctl_install
	ctl_fake_proc
	# it takes everything and keeps nothing
	rm "$CTL/sys/kernel/core_pattern"
	ln -s /dev/null "$CTL/sys/kernel/core_pattern"
	exits 111 ctl enable >/dev/null 2>"$CTL/err"
	grep -q 'unable to set kernel.core_pattern' "$CTL/err"
}

# --- killed ----------------------------------------------------------------

# At every third step, from one that changes by the day; with FAULTS=all ("make
# faults") at each.
case ${FAULTS:-} in
all) STEPS=1 STEP=1 ;;
*) STEPS=3 STEP=$(($(date +%-j) % 3 + 1)) ;;
esac

# Kills the script before its Nth command that changes something: the trap is
# bash's, the script knows nothing of it.
killer()
{
	cat >"$CTL/killer" <<-'END'
		set -T
		steps=0
		trap 'case $BASH_COMMAND in
		mv\ * | mkdir\ * | rm\ * | chmod\ * | sync\ * | rmdir\ * | \
		    kill\ * | printf*\>* | *put_* | until_true\ * | drop_* | \
		    */bin/sh* | put_back\ * | change\ *)
			steps=$((steps + 1))
			if [ $steps = "$KILL_AT" ]; then
				kill -KILL $$ $BASHPID
			fi
			;;
		esac' DEBUG
	END
}

# killed_at N COMMAND: 0 if it was killed.
killed_at()
{
	local rc=0
	# the shell says what was killed
	{
		KILL_AT=$1 BASH_ENV=$CTL/killer bash "$CTL/bin/crashlogctl" \
		    --conf "$CTL/c" --state "$CTL/v" --sysctl "$CTL/99.conf" \
		    --server "${SERVER:-none}" "$2" >"$CTL/out" 2>&1 \
		    3>&- 9>&- || rc=$?
	} 2>/dev/null
	[ $rc = 137 ]
}

# The old pattern, or ours and all that undoes it.
is_sane()
{
	if is_ours; then
		grep -Fqx "kernel.core_pattern $OLD" "$CTL/v/saved"
		grep -Fqx "kernel.core_pipe_limit 16" "$CTL/v/saved"
		[ "$(cat "$CTL/sys/kernel/core_pipe_limit")" = 1024 ]
	else
		[ "$(fake_pattern)" = "$OLD" ]
	fi
}

is_off()
{
	[ "$(fake_all)" = "$(printf '%s\n16\n0' "$OLD")" ]
	[ ! -e "$CTL/v/saved" ]
	[ ! -e "$CTL/99.conf" ]
	[ -z "$(find "$CTL" -name '*.new')" ]
}

is_on()
{
	is_ours
	is_sane
	grep -Fqx "kernel.core_pattern = $(fake_pattern)" "$CTL/99.conf"
	[ -z "$(find "$CTL" -name '*.new')" ]
}

afresh()
{
	rm -rf "$CTL/v" "$CTL/99.conf" "$CTL/d"
	fake_sysctl "$OLD" 16 0
}

# left_as_before: what the kill has left, all that the next command can know, is
# what the one before left; then that was gone through already.
left_as_before()
{
	local dir=$BATS_TEST_TMPDIR
	mv "$dir/left" "$dir/before" 2>/dev/null || : >"$dir/before"
	(
		cd "$CTL" || exit
		find v s d 99.conf sys -printf '%p %y %m %U %G %l\n' || :
		find v s d 99.conf sys -type f -exec cksum {} + || :
	) >"$dir/left" 2>/dev/null
	cmp -s "$dir/left" "$dir/before"
}

@test "enable killed after any step: enable or disable again makes it right" {
	local n states=0
	ctl_install
	ctl_fake_proc
	killer
	for ((n = STEP; ; n += STEPS)); do
		afresh
		killed_at $n enable || break
		is_sane
		not left_as_before || continue
		states=$((states + 1))
		ctl --server none enable >/dev/null
		is_on
		ctl disable >/dev/null
		is_off
		afresh
		killed_at $n enable
		ctl disable >/dev/null 2>&1
		is_off
	done
	[ "$(cat "$CTL/out" | wc -l)" -ge 3 ]
	is_on
	# it was killed often enough for "every step"
	[ $n -ge 20 ]
	[ $states -ge $((6 / STEPS)) ]
}

@test "disable killed after any step: enable or disable again makes it right" {
	local n states=0
	ctl_install
	ctl_fake_proc
	killer
	for ((n = STEP; ; n += STEPS)); do
		afresh
		ctl --server none enable >/dev/null
		killed_at $n disable || break
		is_sane
		not left_as_before || continue
		states=$((states + 1))
		ctl disable >/dev/null
		is_off
		afresh
		ctl --server none enable >/dev/null
		killed_at $n disable
		ctl --server none enable >/dev/null
		is_on
		ctl disable >/dev/null
		is_off
	done
	is_off
	[ $n -ge 8 ]
	[ $states -ge $((3 / STEPS)) ]
}

@test "killed while the server starts or stops: none is left behind" {
	local n
	ctl_install
	ctl_fake_proc
	killer
	SERVER=daemon
	for ((n = STEP; ; n += STEPS)); do
		afresh
		killed_at $n enable || break
		ctl --server daemon enable >/dev/null
		server_runs
		ctl disable >/dev/null
		not server_runs
	done
	server_runs
	for ((n = STEP; ; n += STEPS)); do
		ctl --server daemon enable >/dev/null
		killed_at $n disable || break
		ctl disable >/dev/null
		not server_runs
	done
	not server_runs
}

server_runs()
{
	awk -v p="$CTL/s/s" '$8 == p { f = 1 } END { exit !f }' /proc/net/unix
}

@test "two at once: one after the other" {
	needs_tool flock
	ctl_install
	ctl_fake_proc "$OLD" 16 0
	for _ in 1 2 3 4; do
		bg ctl --server none enable >/dev/null
	done
	for p in $BGS; do
		wait "$p"
	done
	is_on
	ctl disable >/dev/null
	is_off
}

# --- the server ------------------------------------------------------------

@test "server: a plain daemon, started, kept, restarted for another conf, ended" {
	local pid
	ctl_install
	ctl_fake_proc
	ctl --server daemon enable >/dev/null
	pid=$(cat "$CTL/s/usercrash_s.pid")
	[[ $(tr '\0' ' ' <"/proc/$pid/cmdline") == \
	    *"usercrash_s -S $CTL/s/s -d $CTL/d " ]]
	[ "$(ps -o sid= -p "$pid" | tr -d ' ')" = "$pid" ]
	run ctl status
	[[ $output == *"server: listens at $CTL/s/s (daemon)"* ]]
	ctl --server daemon enable >/dev/null
	[ "$(cat "$CTL/s/usercrash_s.pid")" = "$pid" ]
	echo 'slots 7' >>"$CTL/c"
	ctl --server daemon enable >/dev/null
	gone "$pid"
	pid=$(cat "$CTL/s/usercrash_s.pid")
	[[ $(tr '\0' ' ' <"/proc/$pid/cmdline") == *" -n 7 " ]]
	# the pid file names another process, which must live
	echo $$ >"$CTL/s/usercrash_s.pid"
	ctl disable >/dev/null
	gone "$pid"
	kill -0 $$
	run ctl status
	[[ $output == *"server: none listens"* ]]
}

@test "server: one that somebody else runs is left alone" {
	ctl_install
	ctl_fake_proc
	mkdir "$CTL/s" "$CTL/d"
	bg "$BIN/usercrash_s" -S "$CTL/s/s" -d "$CTL/d" 2>/dev/null
	wait_for 10 test -S "$CTL/s/s"
	wait_for 10 server_runs
	ctl --server daemon enable >"$CTL/out"
	not grep usercrash_s "$CTL/out"
	ctl disable >/dev/null
	kill -0 "$BG"
	server_runs
}

# A command of another init system that notes how it was called.
recorder()
{
	mkdir -p "$CTL/rec"
	for c; do
		printf '#!/bin/sh\necho "%s $*" >>"%s/calls"\n' "$c" "$CTL" \
		    >"$CTL/rec/$c"
		chmod 755 "$CTL/rec/$c"
	done
	PATH=$CTL/rec:$PATH
	: >"$CTL/calls"
}

@test "server: systemd, with the conf's options, and the flush timer" {
	local u=$CTL/r/etc/systemd/system
	ctl_install
	mkdir -p "$CTL/lib/systemd/system"
	cp "$TOP"/etc/systemd/* "$CTL/lib/systemd/system"
	ctl_fake_proc
	recorder systemctl
	# units go to a place of the test's
	sed -i "s|^etcunits=.*|etcunits=$CTL/units|; s|^send_env=.*|send_env=$CTL/env|" \
	    "$CTL/lib/usercrash/server.sh" "$CTL/lib/usercrash/cores.sh"
	u=$CTL/units
	ctl --server systemd enable >/dev/null
	diff "$CTL/calls" - <<-END
		systemctl daemon-reload
		systemctl enable --now usercrash_s.socket
	END
	grep -qx "ExecStart=$CTL/bin/usercrash_s -i -S $CTL/s/s -d $CTL/d" \
	    "$u/usercrash_s@.service.d/50-conf.conf"
	grep -qx "ListenSequentialPacket=$CTL/s/s" \
	    "$u/usercrash_s.socket.d/50-conf.conf"
	: >"$CTL/calls"
	ctl disable >/dev/null
	diff "$CTL/calls" - <<-END
		systemctl disable --now usercrash_s.socket usercrash-flush.timer
		systemctl daemon-reload
	END
	[ -z "$(ls "$u")" ]
	# a receiver: the timer too; a systemctl that fails is no disaster
	printf '%s\n' 'receiver h' "spool $CTL/spool" >>"$CTL/c"
	ctl --server systemd enable >/dev/null
	grep -qx 'systemctl enable --now usercrash-flush.timer' "$CTL/calls"
	grep -qx "ReadWritePaths=-$CTL/spool" \
	    "$u/usercrash-flush.service.d/50-conf.conf"
	[ "$(stat -c %a "$CTL/spool")" = 700 ]
	# what core_send.env says where to is sent on
	touch "$CTL/env"
	: >"$CTL/calls"
	ctl disable >/dev/null
	head -1 "$CTL/calls" | grep -qx 'systemctl disable --now usercrash_s.socket'
	printf '#!/bin/sh\nexit 1\n' >"$CTL/rec/systemctl"
	exits 1 ctl --server systemd enable >/dev/null 2>"$CTL/err"
	grep -q 'unable to start the server by systemd' "$CTL/err"
	is_ours
	[ "$(ctl is-active)" = active ]
}

@test "server: OpenRC, runit and s6" {
	ctl_install
	mkdir -p "$CTL/share/doc/usercrash" "$CTL/sv" "$CTL/scan" "$CTL/init.d"
	cp -R "$TOP/etc/openrc" "$CTL/share/doc/usercrash"
	ctl_fake_proc
	recorder rc-update rc-service sv s6-svscanctl s6-svunlink
	sed -i "s|/etc/init.d|$CTL/init.d|; s|/etc/conf.d|$CTL/conf.d|
	    s|/etc/sv|$CTL/sv|; s|scan=/run/service|scan=$CTL/scan|
	    s|for d in /var/service|for d in $CTL/scan|" \
	    "$CTL/lib/usercrash/server.sh"
	ctl --server openrc enable >/dev/null
	[ -x "$CTL/init.d/usercrash_s" ]
	head -1 "$CTL/init.d/usercrash_s" | grep -q openrc-run
	grep -qx "usercrash_s_args=\"-S $CTL/s/s -d $CTL/d\"" \
	    "$CTL/conf.d/usercrash_s"
	ctl disable >/dev/null
	diff "$CTL/calls" - <<-END
		rc-update add usercrash_s default
		rc-service usercrash_s start
		rc-service usercrash_s stop
		rc-update del usercrash_s default
	END
	[ ! -e "$CTL/init.d/usercrash_s" ]
	: >"$CTL/calls"
	ctl --server runit enable >/dev/null
	[ "$(readlink "$CTL/scan/usercrash_s")" = "$CTL/sv/usercrash_s" ]
	grep -qx "exec $CTL/bin/usercrash_s -S $CTL/s/s -d $CTL/d" \
	    "$CTL/scan/usercrash_s/run"
	[ -x "$CTL/sv/usercrash_s/run" ]
	ctl disable >/dev/null
	[ ! -e "$CTL/scan/usercrash_s" ]
	[ ! -e "$CTL/sv/usercrash_s" ]
	ctl --server s6 enable >/dev/null 2>&1
	[ -x "$CTL/scan/usercrash_s/run" ]
	grep -qx "s6-svscanctl -a $CTL/scan" "$CTL/calls"
	ctl disable >/dev/null
	[ ! -e "$CTL/scan/usercrash_s" ]
}

# A core_accept for settings of our own: what it is, is in its options.
fake_accept()
{
	printf '#!/bin/sh\n[ "$1" != -k ] || echo @@\n' >"$CTL/bin/core_accept"
	chmod 755 "$CTL/bin/core_accept"
	ACCEPTS="core_accept -p -l $CTL/s/core.sock $CTL/bin/usercrash-wrapper -k -c $CTL/c -s $CTL/v P%P I%I p%p i%i u%u g%g d%d s%s t%t c%c C%C F%F h%h e%e"
	# nobody listens there: it is all about how it would be started
	sed -i 's/^	until_true 50 socket_is_live/	true/' \
	    "$CTL/lib/usercrash/socket.sh"
}

@test "enable --socket: by systemd, OpenRC, runit and s6" {
	ctl_install
	ctl_fake_proc
	fake_accept
	mkdir -p "$CTL/lib/systemd/system" "$CTL/sv" "$CTL/scan" "$CTL/init.d" \
	    "$CTL/share/doc/usercrash"
	cp "$TOP"/etc/systemd/* "$CTL/lib/systemd/system"
	cp -R "$TOP/etc/openrc" "$CTL/share/doc/usercrash"
	recorder systemctl rc-update rc-service sv s6-svscanctl s6-svunlink
	sed -i "s|^etcunits=.*|etcunits=$CTL/units|; s|/etc/init.d|$CTL/init.d|
	    s|/etc/conf.d|$CTL/conf.d|; s|/etc/sv|$CTL/sv|
	    s|scan=/run/service|scan=$CTL/scan|
	    s|for d in /var/service|for d in $CTL/scan|" \
	    "$CTL/lib/usercrash/server.sh" "$CTL/lib/usercrash/socket.sh"
	ctl --server systemd enable --socket >/dev/null
	grep -qx 'systemctl enable --now core_accept.service' "$CTL/calls"
	[ "$(sed -n 's/^ExecStart=//p' "$CTL/units/core_accept.service" |
	    sed 's/%%/%/g')" = "$CTL/bin/$ACCEPTS" ]
	not grep -E '(^|[^%])%[^%]' "$CTL/units/core_accept.service"
	# at boot, and when it stops, the pipe; which is what stays here
	grep -qx "kernel.core_pattern = |${ACCEPTS#* * * * }" "$CTL/99.conf"
	[ "$(fake_pattern)" = "|${ACCEPTS#* * * * }" ]
	grep -qx "set kernel.core_pattern @@$CTL/s/core.sock" "$CTL/v/saved"
	ctl disable >/dev/null
	grep -qx 'systemctl disable --now core_accept.service' "$CTL/calls"
	[ -z "$(ls "$CTL/units")" ]
	ctl --server openrc enable --socket >/dev/null
	head -1 "$CTL/init.d/core_accept" | grep -q openrc-run
	grep -qx "command_args=\"${ACCEPTS#* }\"" "$CTL/init.d/core_accept"
	sh -n "$CTL/init.d/core_accept"
	ctl disable >/dev/null
	diff <(grep '^rc.*core_accept' "$CTL/calls") - <<-END
		rc-update add core_accept default
		rc-service core_accept start
		rc-service core_accept stop
		rc-update del core_accept default
	END
	[ ! -e "$CTL/init.d/core_accept" ]
	ctl --server runit enable --socket >/dev/null
	grep -qxF "exec $CTL/bin/$ACCEPTS" "$CTL/scan/core_accept/run"
	ctl disable >/dev/null
	[ ! -e "$CTL/scan/core_accept" ] && [ ! -e "$CTL/sv/core_accept" ]
	ctl --server s6 enable --socket >/dev/null 2>&1
	grep -qxF "exec $CTL/bin/$ACCEPTS" "$CTL/scan/core_accept/run"
	ctl disable >/dev/null
	[ ! -e "$CTL/scan/core_accept" ]
	[ "$(fake_all)" = "$(printf 'core\n0\n0')" ]
}

# --- images ----------------------------------------------------------------

image()
{
	local r=$CTL/image
	rm -rf "$r"
	mkdir -p "$r/usr/bin" "$r/etc/sysctl.d" "$r/usr/lib/sysctl.d"
	for p in usercrash-wrapper usercrash_c core_tee core_send recv_core; do
		cp "$CTL/bin/usercrash-wrapper" "$r/usr/bin/$p"
	done
	echo "kernel.core_pattern=$OLD" >"$r/usr/lib/sysctl.d/50-coredump.conf"
	echo 'kernel.core_pipe_limit = 16' >>"$r/usr/lib/sysctl.d/50-coredump.conf"
	find "$r" | sort >"$CTL/before"
	ctl_root() {
		$SH "$CTL/bin/crashlogctl" --root "$r" "$@" 3>&-
	}
	fake_sysctl core 0 0
	exits 1 ctl_root is-active >/dev/null
	ctl_root -n enable >/dev/null
	find "$r" | sort | diff "$CTL/before" -
	ctl_root enable >/dev/null
	[ "$(ctl_root is-active)" = active ]
	# what an upgrade of the other package brings changes nothing
	head -1 "$r/var/lib/usercrash/saved" |
	    grep -Fqx "kernel.core_pattern $OLD"
	grep -qx 'kernel.core_pipe_limit 16' "$r/var/lib/usercrash/saved"
	grep -q '^kernel.core_pattern = |/usr/bin/usercrash-wrapper P%P I%I' \
	    "$r/etc/sysctl.d/99-usercrash.conf"
	[ "$(stat -c '%a %G' "$r/var/log/usercrashes")" = "750 adm" ]
	ctl_root enable >/dev/null
	head -1 "$r/var/lib/usercrash/saved" |
	    grep -Fqx "kernel.core_pattern $OLD"
	# a file that is read later wins, and status says so
	echo 'kernel.core_pattern = other' >"$r/etc/sysctl.conf"
	exits 1 ctl_root is-active >/dev/null
	rm "$r/etc/sysctl.conf"
	ctl_root disable >/dev/null
	exits 1 ctl_root is-active >/dev/null
	[ ! -e "$r/etc/sysctl.d/99-usercrash.conf" ]
	# the running system has not seen any of it
	[ "$(fake_all)" = "$(printf 'core\n0\n0')" ]
	[ ! -e "$CTL/v" ]
}

@test "--root: an image, and nothing of the running system" {
	ctl_install
	ctl_fake_proc
	each_shell image
}

at_boot_is()
{
	$SH "$CTL/bin/crashlogctl" --root "$CTL/r" status 3>&- |
	    grep -Fqx "pattern: $1"
}

boot_order()
{
	local e=$CTL/r/etc u=$CTL/r/usr/lib/sysctl.d
	rm -rf "$CTL/r"
	mkdir -p "$e/sysctl.d" "$u"
	at_boot_is core
	printf '%s\n' '# kernel.core_pattern = no' ';kernel.core_pattern=no' \
	    ' -kernel/core_pattern =	|/a  %p ' 'kernel.core_pattern_x = no' \
	    >"$u/50-a.conf"
	at_boot_is '|/a  %p'
	# by the last part of the name, wherever it is
	echo 'kernel.core_pattern=b' >"$e/sysctl.d/40-b.conf"
	at_boot_is '|/a  %p'
	echo 'kernel.core_pattern=c' >"$e/sysctl.d/60-c.conf"
	at_boot_is c
	# one in /etc is read instead of its namesake
	echo 'kernel.core_pattern=d' >"$u/60-c.conf"
	at_boot_is c
	ln -sf /dev/null "$e/sysctl.d/60-c.conf"
	at_boot_is '|/a  %p'
	echo 'kernel.core_pattern = e = f' >"$e/sysctl.conf"
	at_boot_is 'e = f'
}

@test "at boot: files of sysctl.d in their order" {
	ctl_install
	each_shell boot_order
}

# --- status ----------------------------------------------------------------

@test "status: lines of key and value; 0 if active, 1 if not" {
	ctl_install
	ctl_fake_proc "$OLD" 16 0
	exits 1 ctl status >"$CTL/out"
	grep -qx 'active: no' "$CTL/out"
	grep -Fqx "pattern: $OLD" "$CTL/out"
	ctl --server none enable >/dev/null
	exits 0 ctl status >"$CTL/out"
	[ "$(sed 's/:.*//' "$CTL/out" | tr '\n' ' ')" = \
	    "active pattern before core_pipe_limit suid_dumpable at boot conf server reports store receiver " ]
	grep -qx 'active: yes' "$CTL/out"
	grep -Fqx "before: $OLD" "$CTL/out"
	grep -qx 'core_pipe_limit: 1024' "$CTL/out"
	grep -qx "reports: 0 of 50 in $CTL/d" "$CTL/out"
	put_report 00 pid=1
	printf '%s\n' 'receiver h:1' "spool $CTL/spool" >>"$CTL/c"
	mkdir "$CTL/spool"
	: >"$CTL/spool/1.2.3.core"
	ctl status >"$CTL/out"
	grep -qx "reports: 1 of 50 in $CTL/d" "$CTL/out"
	grep -qx 'receiver: h:1' "$CTL/out"
	grep -q "^spool: 1 cores wait, [0-9]* MiB in $CTL/spool" "$CTL/out"
}

small_board()
{
	printf '%s\n' "reports $CTL/d" "socket $CTL/s/s" "store $CTL/m/store" \
	    'receiver h:1' "spool $CTL/m/spool" >"$CTL/c"
	ctl --server none enable >"$CTL/out" 2>"$CTL/err"
	[ ! -s "$CTL/err" ]
	# a tenth stays free
	grep -qx "store: $CTL/m/store: a core of more than 432 MiB is refused" \
	    "$CTL/out"
	grep -qx "spool: $CTL/m/spool: a core of more than 416 MiB is refused" \
	    "$CTL/out"
	ctl status >"$CTL/out"
	grep -Eqx "store: 0 cores, 0 MiB in $CTL/m/store; a core of more than 43[12] MiB is refused" \
	    "$CTL/out"
	grep -Eqx "spool: 0 cores wait, 0 MiB in $CTL/m/spool; a core of more than 41[56] MiB is refused" \
	    "$CTL/out"
	doctor_says ok 'store: 0 cores in .*, 4(79|80) MiB free; a core of more than 43[12] MiB is refused'
	# what was set is so, and what that leaves is said
	printf '%s\n' 'store-free 1024' 'spool-free 470' 'report-free 1048576' \
	    >>"$CTL/c"
	ctl --server none enable >"$CTL/out" 2>"$CTL/err"
	grep -Eq "warning: store: $CTL/m/store: every core is refused: 4(79|80) MiB are free and 1024 must stay free" \
	    "$CTL/err"
	grep -Eq "warning: spool: $CTL/m/spool: every core is refused: 4(79|80) MiB are free and 470 must stay free" \
	    "$CTL/err"
	grep -q "warning: $CTL/d: every report is refused: " "$CTL/err"
	ctl status >"$CTL/out"
	grep -q '^store: .*; every core is refused: ' "$CTL/out"
	grep -q '^refused: every report is refused: ' "$CTL/out"
	doctor_says error 'store: .*: every core is refused: '
	doctor_says error 'spool: .*: every core is refused: '
	doctor_says error 'reports: .*: every report is refused: '
	ctl disable >/dev/null
}

@test "a small board: what will be refused is said by enable, status, doctor" {
	ctl_install
	ctl_fake_proc
	mkdir "$CTL/m"
	mount -t tmpfs -o size=480m,mode=755 none "$CTL/m" 2>/dev/null ||
	    unmet "needs to mount"
	each_shell small_board
	umount "$CTL/m"
}

# What an initramfs of busybox has, below $CTL/r.
busybox_root()
{
	local p l
	mkdir -p "$1/bin" "$1/lib" "$1/proc" "$1/dev" "$1/etc" "$1/tmp" "$1/var/log"
	cp "$(command -v busybox)" "$1/bin/busybox"
	busybox --install -s "$1/bin"
	for p in busybox "${@:2}"; do
		[ -e "$1/bin/$p" ] || cp -L "$CTL/bin/$p" "$1/bin"
		for l in $(ldd "$1/bin/$p" 2>/dev/null | grep -o '/[^ ]*'); do
			mkdir -p "$1${l%/*}"
			cp -L "$l" "$1$l"
		done
	done
	# the applets point at where busybox lies here
	mkdir -p "$1/usr/bin"
	ln -sf /bin/busybox "$1/usr/bin/busybox"
	mknod -m 666 "$1/dev/null" c 1 3
}

@test "enable, status, doctor, disable on a root of busybox alone" {
	local r rc=0
	needs_tool busybox
	ctl_install
	ctl_fake_proc
	r=$CTL/r
	mkdir "$r"
	mount -t ramfs none "$r" 2>/dev/null || unmet "needs to mount"
	# nobody but root may write to what root runs
	chmod 755 "$r"
	busybox_root "$r" usercrash-wrapper usercrash_c usercrash_s core_tee core_send \
	    recv_core crashlog_read
	cp "$CTL/bin/crashlogctl" "$r/bin"
	cp -r "$CTL/lib/usercrash" "$r/bin/lib"
	sed -i 's|^proc=.*|proc=/sys|' "$r/bin/lib/settings.sh"
	cp -r "$CTL/sys" "$r/sys"
	in_root()
	{
		# shellcheck disable=SC2016
		unshare --mount sh -c 'mount -t proc none "$0/proc" &&
		    exec chroot "$0" /bin/env -i PATH=/bin crashlogctl "$@"' \
		    "$r" "$@" >"$CTL/out" 2>"$CTL/err" || rc=$?
		cat "$CTL/out" "$CTL/err"
		[ ! -s "$CTL/err" ]
	}
	in_root --server none enable
	[ $rc = 0 ]
	grep -qx 'store: /var/lib/usercrash/cores: a core of more than 4096 MiB is refused' \
	    "$CTL/out"
	[[ $(cat "$r/sys/kernel/core_pattern") == "|/bin/usercrash-wrapper "* ]]
	in_root status
	[ $rc = 0 ]
	in_root list
	in_root cores
	in_root doctor --no-crash
	grep -q '^ok  *reports: 0 of 50 in /var/log/usercrashes, ? MiB free' \
	    "$CTL/out"
	grep -q '^ok  *core_pattern: ' "$CTL/out"
	grep -q '^ok  *store: 0 cores' "$CTL/out"
	not grep -q '^error' "$CTL/out"
	rc=0
	in_root disable
	[ $rc = 0 ]
	[ "$(cat "$r/sys/kernel/core_pattern")" = core ]
	umount "$r"
}

# --- doctor ----------------------------------------------------------------

# doctor_says WORD TEXT: a line of it; no crash is made.
doctor_says()
{
	ctl doctor --no-crash >"$CTL/out" 2>&1 || :
	grep -Eq "^$1 +$2" "$CTL/out" || {
		cat "$CTL/out"
		return 1
	}
}

doctor_looks()
{
	printf '%s\n' "reports $CTL/d" "socket $CTL/s/s" 'store no' >"$CTL/c"
	rm -rf "$CTL/v" "$CTL/d"
	fake_sysctl core 0 0
	exits 1 ctl doctor --no-crash >/dev/null
	doctor_says error "core_pattern: not ours: 'core'"
	doctor_says error 'core_pipe_limit: 0: '
	doctor_says error "reports: there is no directory $CTL/d"
	ctl --server daemon enable >/dev/null
	doctor_says ok 'core_pattern: \|'
	doctor_says ok 'core_pipe_limit: 1024'
	doctor_says ok "reports: 0 of 50 in $CTL/d, [0-9]+ MiB free"
	# on an initramfs df finds no mount point
	printf '#!/bin/sh\nexit 1\n' >"$CTL/df"
	chmod 755 "$CTL/df"
	PATH=$CTL:$PATH \
	    doctor_says ok "reports: 0 of 50 in $CTL/d, [0-9]+ MiB free"
	doctor_says ok "server: listens at $CTL/s/s"
	doctor_says ok "conf: $CTL/c"
	doctor_says ok 'programs: all'
	not grep -q '^error' "$CTL/out"
	echo 7 >"$CTL/sys/kernel/core_pipe_limit"
	doctor_says warning 'core_pipe_limit: 7: '
	echo 0 >"$CTL/sys/fs/suid_dumpable"
	kill "$(cat "$CTL/s/usercrash_s.pid")"
	wait_for 20 not server_runs
	doctor_says error 'server: none listens'
	chmod 777 "$CTL/d"
	doctor_says error "reports: $CTL/d is a link, or others may write"
	chmod 750 "$CTL/d"
	printf '%s\n' 'report-free 1048576' 'bogus' >>"$CTL/c"
	doctor_says error 'conf: .* has errors'
	doctor_says error "reports: .* MiB are free and 1048584 must stay free"
	doctor_says warning 'suid_dumpable: 0, .* says 2'
	sed -i 's/ e%e$/ e%e more/' "$CTL/sys/kernel/core_pattern"
	doctor_says warning 'core_pattern: its arguments are not'
	mv "$CTL/bin/core_tee" "$CTL/bin/x"
	doctor_says error 'programs: missing in .*: core_tee$'
	mv "$CTL/bin/x" "$CTL/bin/core_tee"
	ctl disable >/dev/null 2>&1
}

@test "doctor: what is wrong with settings, server and directories" {
	ctl_install
	ctl_fake_proc
	each_shell doctor_looks
}

@test "doctor: a wrapper that others may change, a directory that is read-only" {
	ctl_install
	ctl_fake_proc
	ctl --server none enable >/dev/null
	chmod 777 "$CTL/bin"
	doctor_says error 'core_pattern: others than root may change'
	chmod 755 "$CTL/bin"
	chown 65534 "$CTL/bin/usercrash-wrapper"
	doctor_says error 'core_pattern: others than root may change'
	chown 0 "$CTL/bin/usercrash-wrapper"
	chmod 644 "$CTL/bin/usercrash-wrapper"
	doctor_says error 'core_pattern: unable to run'
	chmod 755 "$CTL/bin/usercrash-wrapper"
	doctor_says ok 'core_pattern: '
	mount -t tmpfs -o size=4m,mode=750 none "$CTL/d" 2>/dev/null ||
	    unmet "needs to mount"
	doctor_says ok 'reports: .*, 4 MiB free'
	echo 'report-free 16' >>"$CTL/c"
	doctor_says error 'reports: .*: every report is refused: 4 MiB are free and 24 must stay free'
	mount -o remount,ro "$CTL/d"
	doctor_says error "reports: $CTL/d cannot be written to"
	umount "$CTL/d"
}

@test "doctor: a receiver that does not answer, and what waits for it" {
	needs_tool python3
	ctl_install
	ctl_fake_proc
	printf '%s\n' "spool $CTL/spool" 'receiver 127.0.0.1:9 [::1]:9' \
	    >>"$CTL/c"
	ctl --server none enable >/dev/null
	for SH in "${SHELLS[@]}"; do
		doctor_says warning 'receiver: nobody answers at 127.0.0.1 port 9'
		doctor_says warning 'receiver: nobody answers at ::1 port 9'
		doctor_says ok "spool: nothing waits in $CTL/spool"
	done
	head -c 3000000 /dev/zero >"$CTL/spool/1.2.3.core"
	touch -d '2026-01-01 00:00:00' "$CTL/spool/1.2.3.core"
	: >"$CTL/spool/2.2.3.core"
	bg python3 -c 'import socket, sys, time
s = socket.create_server(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
time.sleep(60)' >"$CTL/port"
	wait_for 20 test -s "$CTL/port"
	sed -i "s/127.0.0.1:9/127.0.0.1:$(cat "$CTL/port")/" "$CTL/c"
	for SH in "${SHELLS[@]}"; do
		doctor_says ok "receiver: 127.0.0.1:$(cat "$CTL/port") answers"
		doctor_says warning "spool: 2 cores wait in $CTL/spool, 3 of 4096 MiB, the oldest since 2026-01-01 00:00:00"
	done
	sed -i 's|^receiver.*|send-command /bin/nothing|' "$CTL/c"
	doctor_says error 'receiver: unable to run /bin/nothing'
}
