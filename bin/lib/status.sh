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
		if option "$@"; then
			shift "$eaten"
			continue
		fi
		[ -z "$file" ] || bad_usage "one file is enough"
		file=$1
		shift
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
	status_kept
	return $rc
}

status_kept()
{
	if [ -d "$reports" ] && [ -r "$reports" ]; then
		set -- "$(report_files | grep -c .)"
		say "reports: $1 of $conf_slots in $reports"
	else
		say "reports: $reports cannot be read"
	fi
	dir=$(store_dir)
	if [ -z "$dir" ]; then
		say "store: none"
	elif [ -d "$dir" ] && [ -r "$dir" ]; then
		say "store: $(core_files "$dir" | grep -c .) cores," \
		    "$(mib_of "$dir") MiB in $dir"
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
	elif [ -d "$dir" ] && [ -r "$dir" ]; then
		say "spool: $(spool_files "$dir" | grep -c .) cores wait," \
		    "$(mib_of "$dir") MiB in $dir"
	else
		say "spool: $dir cannot be read"
	fi
}

# Disk space that a directory's files take, in MiB.
mib_of()
{
	du -sk "$1" 2>/dev/null | awk '{ printf "%.0f", $1 / 1024 }'
}
