# shellcheck shell=sh disable=SC2034,SC2154
# doctor: would a crash be reported right now?  Part of crashlogctl.
#
# One line for each thing looked at: "ok", "warning" or "error", what, how it
# is.  At the end a process of our own is made to crash, and each stage it
# should pass is looked for: a report of it, a core, lines in the kernel log.
# The report takes a slot of the ring; whatever report it displaced is put
# back, and it is removed.

finding()
{
	case $1 in
	ok) colour= ;;
	*)
		colour=$red
		findings=$((findings + 1))
		;;
	esac
	word=$1
	shift
	printf '%s%-8s%s %s\n' "$colour" "$word" "${colour:+$plain}" \
	    "$(say "$*")"
}

# --- what is set -----------------------------------------------------------

doctor_conf()
{
	if [ ! -e "$root$conf" ] && [ ! -L "$root$conf" ]; then
		finding ok "conf: no $root$conf, the defaults hold"
	elif [ "$conf_rc" = 0 ]; then
		finding ok "conf: $root$conf"
	else
		finding error "conf: $root$conf has errors (see above)"
	fi
}

# What root runs, and what it is told to run by what it has saved.
doctor_trust()
{
	if [ -d "$root$state" ] && ! state_safe; then
		finding error "state: $conf_why"
	fi
	while IFS= read -r hook; do
		[ -n "$hook" ] || continue
		hook=${hook%% *}
		if [ ! -x "$root$hook" ]; then
			finding error "hook: unable to run $hook"
		elif ! conf_safe_program "$root$hook"; then
			finding error "hook: $hook or a directory above it:" \
			    "$conf_why: it is not run"
		else
			finding ok "hook: $hook"
		fi
	done <<-END
		$conf_hooks
	END
}

doctor_programs()
{
	missing=
	for p in usercrash-wrapper usercrash_c core_tee; do
		[ -x "$bindir/$p" ] || missing="$missing $p"
	done
	if sends || [ -n "$(store_dir)" ]; then
		[ -x "$bindir/core_send" ] || missing="$missing core_send"
	fi
	if [ -n "$(store_dir)" ]; then
		[ -x "$bindir/recv_core" ] || missing="$missing recv_core"
	fi
	if [ -n "$missing" ]; then
		finding error "programs: missing in $bindir:$missing"
	else
		finding ok "programs: all in $bindir"
	fi
}

doctor_pattern()
{
	if ! is_active; then
		finding error "core_pattern: not ours: '$active_pattern'" \
		    "(crashlogctl enable)"
		return
	fi
	program=${active_pattern#|}
	program=${program%% *}
	case $active_pattern in
	*" $pattern_args") ;;
	@*) program=$bindir/usercrash-wrapper ;;
	*)
		finding warning "core_pattern: its arguments are not what" \
		    "this version sets (crashlogctl enable)"
		;;
	esac
	if [ ! -x "$root$program" ]; then
		finding error "core_pattern: unable to run $program"
	elif [ "$(id -u)" = 0 ] && ! conf_safe_program "$root$program"
	then
		finding error "core_pattern: others than root may change" \
		    "$program or a directory above it"
	else
		finding ok "core_pattern: $active_pattern"
	fi
	if ! was kernel.core_pattern >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
		finding warning "default app: $root$state/saved says nothing" \
		    "of before (crashlogctl enable)"
	fi
}

doctor_limits()
{
	limit=$(sysctl_get kernel.core_pipe_limit)
	if [ "$limit" = 0 ]; then
		finding error "core_pipe_limit: 0: the kernel does not wait," \
		    "a process may be gone before it is looked at"
	elif [ "$limit" -lt 1024 ]; then
		finding warning "core_pipe_limit: $limit: of more crashes at" \
		    "once the rest gets no report; 1024 is good"
	else
		finding ok "core_pipe_limit: $limit"
	fi
	dumpable=$(sysctl_get fs.suid_dumpable)
	if [ "$conf_suid_dumpable" != keep ] &&
	    [ "$dumpable" != "$conf_suid_dumpable" ]; then
		finding warning "suid_dumpable: $dumpable, $conf says" \
		    "$conf_suid_dumpable (crashlogctl enable)"
	elif [ "$dumpable" = 0 ]; then
		finding warning "suid_dumpable: 0: daemons that dropped root" \
		    "leave neither report nor core ($conf: suid-dumpable)"
	else
		finding ok "suid_dumpable: $dumpable"
	fi
}

doctor_boot()
{
	line=$(boot_line kernel.core_pattern)
	if pattern_is_ours "${line#*"$tab"}"; then
		finding ok "at boot: set by ${line%%"$tab"*}"
	elif [ -z "$line" ]; then
		finding warning "at boot: nothing sets core_pattern" \
		    "(crashlogctl enable)"
	else
		finding warning "at boot: ${line%%"$tab"*} sets core_pattern" \
		    "to '${line#*"$tab"}'"
	fi
}

# --- where things go -------------------------------------------------------

# doctor_dir NAME DIR: whether it can be written to.
doctor_dir()
{
	if unseen "$2"; then
		finding warning "$1: $2 cannot be read"
		return 1
	elif [ ! -d "$2" ]; then
		finding error "$1: there is no directory $2 (crashlogctl enable)"
		return 1
	fi
	stat=$(stat -c '%u %a' "$2")
	if [ -L "$2" ] || [ $((0${stat#* } & 18)) != 0 ]; then
		finding error "$1: $2 is a link, or others may write to it"
		return 1
	fi
	if [ "$(id -u)" = 0 ] && [ ! -w "$2" ] || doctor_readonly "$2"; then
		finding error "$1: $2 cannot be written to"
		return 1
	fi
}

# doctor_room NAME DIR WHAT: whether something can be kept there, by $takes.
doctor_room()
{
	[ "$takes" = refused ] || return 0
	finding error "$1: $2: $(room_says "$3")"
	return 1
}

# Root's access(2) says yes on a filesystem that is read-only for it, too.
doctor_readonly()
{
	[ "$(id -u)" = 0 ] || return 1
	probe=$(mktemp "$1/.doctor.XXXXXX" 2>/dev/null) || return 0
	rm -f "$probe"
	return 1
}

doctor_reports()
{
	doctor_dir reports "$reports" || return
	room_reports
	doctor_room reports "$reports" report || return
	if [ "$conf_reports_readable" = owner ] && ! has_mode "$reports" 5; then
		finding warning "reports: $reports is shut: users cannot read" \
		    "what is theirs (crashlogctl enable)"
		return
	fi
	finding ok "reports: $(report_files | grep -c .) of $conf_slots in" \
	    "$reports$(readers)$(others), ${free:-?} MiB free"
}

doctor_server()
{
	if server_listens; then
		finding ok "server: $(server_state)"
	elif [ -e "$root$state/server" ]; then
		finding error "server: $(server_state)"
	else
		finding warning "server: $(server_state)"
	fi
}

doctor_store()
{
	dir=$(store_dir)
	if [ -z "$dir" ]; then
		finding ok "store: none"
		return
	fi
	doctor_dir store "$dir" || return
	room_store "$dir"
	doctor_room store "$dir" core || return
	finding ok "store: $(core_files "$dir" | grep -c .) cores in $dir," \
	    "${free:-?} MiB free; $(room_says core)"
}

doctor_spool()
{
	sends && [ "$conf_spool" != no ] || return 0
	dir=$root$conf_spool
	doctor_dir spool "$dir" || return
	room_spool "$dir"
	doctor_room spool "$dir" core || return
	waiting=$(spool_files "$dir" | grep -c .)
	if [ "$waiting" -gt 0 ]; then
		finding warning "spool: $waiting cores wait in $dir," \
		    "$(mib_of "$dir") of $conf_spool_max MiB, the oldest" \
		    "since $(spool_files "$dir" | tail -n 1 | oldest)" \
		    "(crashlogctl flush)"
	else
		finding ok "spool: nothing waits in $dir"
	fi
}

# The time of modification of the file on stdin.
oldest()
{
	IFS= read -r f && stat -c %y "$f" | sed 's/\..*//'
}

# --- the receiver ----------------------------------------------------------

# reaches HOST PORT: 0 it answers, 1 it does not, 2 there is nothing here to
# try it with.
reaches()
{
	if have nc && nc -h 2>&1 | grep -q -e '-z'; then
		limited nc -z -w 3 "$1" "$2" </dev/null >/dev/null 2>&1
	elif have bash && have timeout; then
		# shellcheck disable=SC2016
		timeout 3 bash -c 'exec 3<>"/dev/tcp/$1/$2"' bash "$1" "$2" \
		    >/dev/null 2>&1 || return 1
	else
		return 2
	fi
}

# HOST[:PORT], [ADDRESS][:PORT] -> $host $port
split_receiver()
{
	port=64740
	case $1 in
	\[*\]:*) host=${1#?} host=${host%%]*} port=${1##*:} ;;
	\[*\]) host=${1#?} host=${host%]} ;;
	*:*:*) host=$1 ;;
	*:*) host=${1%:*} port=${1##*:} ;;
	*) host=$1 ;;
	esac
}

doctor_receiver()
{
	if ! sends; then
		finding ok "receiver: none"
		return
	fi
	if [ -n "$conf_send_command" ]; then
		program=${conf_send_command%% *}
		if [ -x "$root$program" ]; then
			finding ok "receiver: $conf_send_command"
		else
			finding error "receiver: unable to run $program"
		fi
		return
	fi
	for receiver in $(raw "$conf_receiver" | tr , ' '); do
		split_receiver "$receiver"
		rc=0
		reaches "$host" "$port" || rc=$?
		case $rc in
		0) finding ok "receiver: $receiver answers" ;;
		2) finding warning "receiver: $receiver: neither nc nor bash" \
		    "is here to try it" ;;
		*) finding warning "receiver: nobody answers at $host port" \
		    "$port" ;;
		esac
	done
}

# --- a crash ---------------------------------------------------------------

# "NAME INODE" of every report; a new one in an old slot has another inode, as
# both exist for a moment.
report_inodes()
{
	# shellcheck disable=SC2012
	ls -i "$reports" 2>/dev/null |
	    awk '$2 ~ /^usercrash_[0-9]+$/ { print $2, $1 }'
}

# The new report of process $1, in $report; ids come again, so none that was
# there before.
report_of_pid()
{
	report=$(crashlog_read -d "$reports" -F tsv list "pid:$1" 2>/dev/null |
	    cut -f 14 | while IFS= read -r f; do
		grep -Fqx "${f##*/} $(inode "$f")" "$tmp/inodes" || raw "$f"
	done | head -n 1)
	[ -n "$report" ]
}

# What the kernel log has had since then of process $1, or of all our programs
# if it does not name one.
kernel_log()
{
	dmesg 2>/dev/null | awk -v last="$last_line" -v pid="${1:+[$1]}" '
		{ line[NR] = $0 }
		$0 == last { from = NR }
		END {
			for (i = from + 1; i <= NR; i++) {
				s = line[i]
				sub(/^\[[^]]*\] */, "", s)
				if (s ~ /(usercrash[-_][a-z]+|core_tee|core_send|core_accept|recv_core): / &&
				    (pid == "" || index(s, pid)))
					print s
			}
		}' | tail -n 20
}

# Links to every report, so that what the test displaces can be put back.
save_reports()
{
	for f in "$reports"/.doctor.*; do
		# of one that was killed
		[ ! -d "$f" ] || [ -d "/proc/${f##*.}" ] || rm -rf "$f"
	done
	kept=$reports/.doctor.$$
	mkdir -m 700 "$kept" 2>/dev/null || return 1
	report_files | while IFS= read -r f; do
		ln "$f" "$kept/" || exit 1
	done
}

# Under the ring's lock: the test's slot goes back to what was in it.
restore_reports()
{
	slot=${report##*/}
	(
		exec 9>>"$reports/.slots"
		! have flock || flock -w 30 9
		if [ "$report_inode" != "$(inode "$report")" ]; then
			# in the meantime it was displaced itself
			:
		elif [ -f "$kept/$slot" ]; then
			mv -f "$kept/$slot" "$report"
		else
			rm -f "$report"
		fi
	)
}

inode()
{
	# shellcheck disable=SC2012
	ls -i "$1" 2>/dev/null | awk '{ print $1; exit }'
}

drop_kept()
{
	[ -z "${kept:-}" ] || rm -rf "$kept"
	kept=
}

doctor_crash()
{
	if ! is_active; then
		finding error "test crash: left out, as the pattern is not ours"
		return
	fi
	if ! save_reports; then
		finding error "test crash: left out: unable to keep the" \
		    "reports safe"
		drop_kept
		return
	fi
	trap 'drop_kept; rm -rf "$tmp"' EXIT
	dir=$(store_dir)
	report_inodes >"$tmp/inodes"
	last_line=$(dmesg 2>/dev/null | tail -n 1)
	before=$findings
	{
		say /
		[ -z "$dir" ] || core_files "$dir"
	} >"$tmp/cores"
	# nobody waits for it: it may be held as long as its handlers take
	(
		sh -c 'ulimit -c unlimited; kill -SEGV $$' &
		say $! >"$tmp/victim"
	) 2>/dev/null
	victim=$(cat "$tmp/victim")
	patience=$((conf_report_wait + 10))
	if until_true ${patience}0 report_of_pid "$victim"; then
		report_inode=$(inode "$report")
		finding ok "test crash: process $victim, reported as" \
		    "$report: signature" \
		    "$(crashlog_read -d "$reports" -F tsv list "$report" |
		        cut -f 12)"
		[ -n "$keep" ] || restore_reports
	else
		finding error "test crash: no report of process $victim after" \
		    "$patience seconds"
	fi
	drop_kept
	doctor_crash_core
	log_of=$victim
	[ "$findings" = "$before" ] || log_of=
	kernel_log "$log_of" | sed 's/^/         log: /'
}

doctor_crash_core()
{
	[ -n "$dir" ] && [ -d "$dir" ] || return 0
	if until_true 100 core_of_pid "$victim"; then
		finding ok "test core: $core"
		if [ -z "$keep" ]; then
			rm -f "$core" "$core.info"
			# not to point at nothing
			[ -e "$dir/core_dump" ] || rm -f "$dir/core_dump"
		fi
	else
		finding error "test core: none of process $victim in $dir"
	fi
}

core_of_pid()
{
	core=$(core_files "$dir" | grep -Fxv -f "$tmp/cores" | grep -v '\.part$' |
	    while IFS= read -r f; do
		case ${f##*/} in
		core.*."$1".*)
			printf '%s\n' "$f"
			break
			;;
		esac
	done)
	[ -n "$core" ]
}

# ---------------------------------------------------------------------------

cmd_doctor()
{
	crash=1 keep='' findings=0
	while [ $# -gt 0 ]; do
		option "$@" || case $1 in
		--no-crash) crash= ;;
		--keep) keep=1 ;;
		*) bad_usage "doctor: no option or operand is called $1" ;;
		esac
		shift "$eaten"
	done
	# it reads the conf, and is run for each crash: no more can be told
	"$bindir/usercrash-wrapper" --version >/dev/null 2>&1 || {
		finding error "core_pattern: unable to run" \
		    "$bindir/usercrash-wrapper"
		exit 1
	}
	read_conf
	colours
	make_tmp
	doctor_conf
	doctor_trust
	doctor_programs
	doctor_pattern
	doctor_socket
	doctor_limits
	doctor_boot
	doctor_reports
	doctor_server
	doctor_store
	doctor_spool
	doctor_receiver
	if [ -n "$crash" ] && [ -z "$root$dry" ]; then
		if [ "$(id -u)" = 0 ]; then
			doctor_crash
		else
			finding warning "test crash: left out, only root can" \
			    "tell what became of it"
		fi
	fi
	[ "$findings" = 0 ] || return 1
}
