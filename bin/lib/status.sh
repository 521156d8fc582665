# shellcheck shell=sh disable=SC2034,SC2154
# status: is-active, check, status: what is set, changing nothing.  Part of
# crashlogctl.

# Of an image: will it be ours when it boots?
is_active()
{
	if [ -n "$root" ]; then
		active_pattern=$(boot_value kernel.core_pattern)
	else
		active_pattern=$(sysctl_get kernel.core_pattern)
	fi
	# which socket is ours the conf says
	case $active_pattern in
	@*) [ -n "${conf_socket:-}" ] || read_conf ;;
	esac
	pattern_is_ours "$active_pattern"
}

cmd_is_active()
{
	plain_command "$@"
	if is_active; then
		say active
	else
		say inactive
		exit 1
	fi
}

cmd_check()
{
	file=
	while [ $# -gt 0 ]; do
		option "$@" || {
			[ -z "$file" ] || bad_usage "one file is enough"
			file=$1
		}
		shift "$eaten"
	done
	if [ -n "$file" ]; then
		[ -e "$file" ] || die 100 "there is no $file"
		conf=$(absolute "$file") root=
	fi
	read_conf
	[ "$conf_rc" = 0 ] || exit 100
	if [ -e "$root$conf" ]; then
		say "$root$conf: good"
	else
		say "$root$conf: not there, the defaults hold"
	fi
}

cmd_status()
{
	plain_command "$@"
	read_conf
	rc=0
	is_active || rc=1
	if [ $rc = 0 ]; then
		say "active: yes"
	else
		say "active: no"
	fi
	say "pattern: $active_pattern"
	if before=$(was kernel.core_pattern 2>/dev/null); then
		say "before: $before"
	elif [ $rc = 0 ]; then
		say "before: unknown"
	fi
	for key in kernel.core_pipe_limit fs.suid_dumpable; do
		say "${key#*.}: $(sysctl_get $key)"
	done
	at_boot=$(boot_value kernel.core_pattern)
	if [ "$at_boot" = "$active_pattern" ]; then
		say "at boot: the same"
	else
		say "at boot: $at_boot"
	fi
	if [ ! -e "$root$conf" ]; then
		say "conf: none, the defaults hold"
	elif [ "$conf_rc" = 0 ]; then
		say "conf: $root$conf"
	else
		say "conf: $root$conf, with errors"
	fi
	say "server: $(server_state)"
	if [ -e "$root$state/socket" ] || pattern_is_socket "$active_pattern"
	then
		say "socket: $(socket_state)"
	fi
	status_kept
	return $rc
}

# room DIR SETTING MOST: in MiB, what is $free on the file system of DIR and what
# stays so, $floor, as base/floor.h has it.  $free is "" where no size is told
# (ramfs).  What is not there yet comes to lie where the next above it does.
room()
{
	free='' floor=$2
	room_at=$1
	until [ -d "$room_at" ]; do
		room_at=${room_at%/*}
		room_at=${room_at:-/}
	done
	# not df: that of busybox leaves out the root of an initramfs
	room_now=$(stat -f -c '%S %b %a' "$room_at" 2>/dev/null) || return 0
	room_size=${room_now%% *} room_now=${room_now#* }
	[ "${room_now% *}" -gt 0 ] || return 0
	free=$((${room_now#* } * room_size / 1048576))
	[ "$floor" = auto ] || return 0
	floor=$((${room_now% *} * room_size / 10485760))
	[ "$floor" -le "$3" ] || floor=$3
}

# What the floors leave of each, which is "refused" or a number of MiB, or ""
# for as much as there is: $takes, and $free and $floor.
room_reports()
{
	room "$reports" "$conf_report_free" 16
	# one that becomes as large as it may is to leave the floor
	[ "$floor" = 0 ] || floor=$((floor + conf_report_max))
	room_takes 0
}

room_store()
{
	room "$1" "$conf_store_free" 1024
	room_takes 0 "$conf_store_max" "$conf_store_core_max"
}

# core_send looks at the free space every 16 MiB
room_spool()
{
	room "$1" "$conf_spool_free" 1024
	room_takes 16 "$conf_spool_max"
}

# room_takes MORE MAX...
room_takes()
{
	takes=
	[ -z "$free" ] || takes=$((free - floor - $1))
	shift
	for room_max; do
		[ "$room_max" != no ] || continue
		[ -n "$takes" ] && [ "$takes" -le "$room_max" ] ||
		    takes=$room_max
	done
	[ -z "$takes" ] || [ "$takes" -gt 0 ] || takes=refused
}

# room_says WHAT: in words, what will be refused.
room_says()
{
	case $takes in
	refused) say "every $1 is refused: $free MiB are free and $floor must" \
	    "stay free" ;;
	*) say "a $1 of more than $takes MiB is refused" ;;
	esac
}

# unseen DIR: whether it, or one above it, may not be looked into.
unseen()
{
	unseen_at=$1
	until [ -d "$unseen_at" ]; do
		unseen_at=${unseen_at%/*}
		unseen_at=${unseen_at:-/}
	done
	! [ -x "$unseen_at" ] ||
	    { [ "$unseen_at" = "$1" ] && ! [ -r "$1" ]; }
}

# Of the reports, how many are not to be read by who asks; not by test(1), as
# not all of them know of ACLs.
others()
{
	set -- "$(report_files | grep -c .)" "$(crashlog_read -d "$reports" \
	    ${store:+-s "$store"} -F tsv list 2>/dev/null | grep -c .)"
	[ "$1" -le "$2" ] || say ", $(($1 - $2)) of others cannot be read"
}

readers()
{
	[ "$conf_reports_readable" = root ] ||
	    say ', readable by their owners'
}

status_kept()
{
	room_reports
	[ "$takes" != refused ] || say "refused: $(room_says report)"
	if [ -d "$reports" ] && ! unseen "$reports"; then
		say "reports: $(report_files | grep -c .) of $conf_slots in" \
		    "$reports$(readers)$(others)"
	else
		say "reports: $reports cannot be read"
	fi
	dir=$(store_dir)
	if [ -z "$dir" ]; then
		say "store: none"
	elif [ -d "$dir" ] && ! unseen "$dir"; then
		room_store "$dir"
		say "store: $(core_files "$dir" | grep -c .) cores," \
		    "$(mib_of "$dir") MiB in $dir; $(room_says core)"
	else
		say "store: $dir cannot be read"
	fi
	if ! sends; then
		say "receiver: none"
		return
	fi
	say "receiver: ${conf_receiver:-$conf_send_command}"
	dir=$root$conf_spool
	if [ "$conf_spool" = no ]; then
		say "spool: none"
	elif [ -d "$dir" ] && ! unseen "$dir"; then
		room_spool "$dir"
		say "spool: $(spool_files "$dir" | grep -c .) cores wait," \
		    "$(mib_of "$dir") MiB in $dir; $(room_says core)"
	else
		say "spool: $dir cannot be read"
	fi
}

# Disk space that a directory's files take, in MiB.
mib_of()
{
	du -sk "$1" 2>/dev/null | awk '{ printf "%.0f", $1 / 1024 }'
}
