# shellcheck shell=sh disable=SC2034,SC2154
# cores: cores, gdb, flush.  Part of crashlogctl.
#
# The local store is recv_core's: DIR/HOST/core.COMM.PID.TIME, beside it .info
# with lines "key: value", printable; .part until complete.  The spool is
# core_send's: TIME.PID.N.core, whole streams that wait for a receiver.

# core_files DIR: paths in the store, the newest first.
core_files()
{
	find "$1" -type f -name 'core.*' ! -name '*.info' ! -name '*.report' ! -name '.*' \
	    -exec ls -t {} + 2>/dev/null
}

spool_files()
{
	find "$1" -type f -name '*.core' ! -name '.*' -exec ls -t {} + \
	    2>/dev/null
}

# ---------------------------------------------------------------------------

cmd_cores()
{
	form=table forms='table, json, tsv'
	picked_options "$@"
	read_conf
	colours
	paged show_cores
}

show_cores()
{
	dir=$(store_dir)
	if [ "$form" != table ]; then
		reader cores -F "$form" -k "${dir:-/nonexistent}"
		return
	elif [ -z "$dir" ]; then
		say "no local store"
	elif unseen "$dir"; then
		die 111 "$dir cannot be read"
	elif [ ! -d "$dir" ]; then
		say "no core yet in $dir"
	else
		reader cores -k "$dir" || return
		say "$(core_files "$dir" | grep -c .) cores," \
		    "$(mib_of "$dir") MiB in $dir"
	fi
	if sends && [ "$conf_spool" != no ] && unseen "$root$conf_spool"; then
		say "$root$conf_spool cannot be read"
	elif sends && [ "$conf_spool" != no ] && [ -d "$root$conf_spool" ]; then
		say "$(spool_files "$root$conf_spool" | grep -c .) cores wait" \
		    "in $root$conf_spool, $(mib_of "$root$conf_spool") MiB"
	fi
}

# --- gdb -------------------------------------------------------------------

# unpack CORE: on stdout, as gdb reads it
unpack()
{
	case $1 in
	*.zst) set -- "$1" zstd ;;
	*.gz) set -- "$1" gzip ;;
	*.xz) set -- "$1" xz ;;
	*.lz4) set -- "$1" lz4 ;;
	*) set -- "$1" cat ;;
	esac
	have "$2" || die 111 "unable to unpack $1: $2 is not installed"
	case $2 in
	cat) cat <"$1" ;;
	*) "$2" -dc <"$1" ;;
	esac || die 111 "unable to unpack $1"
}

# unpacked CORE: a file gdb can read.
unpacked()
{
	case $1 in
	*.zst | *.gz | *.xz | *.lz4)
		unpack "$1" >"$tmp/core" || exit
		printf '%s\n' "$tmp/core"
		;;
	*) printf '%s\n' "$1" ;;
	esac
}

# need_core: that there is a $core of $report, or ends.
need_core()
{
	if [ -n "$core" ]; then
		case $core in
		*.part) warn "$core is not complete" ;;
		esac
		return
	fi
	hint=
	case $(was kernel.core_pattern 2>/dev/null) in
	*systemd-coredump*) hint="; try: coredumpctl $command $pid" ;;
	*) [ -n "$dir" ] || hint=" (there is none: $conf, store)" ;;
	esac
	die 1 "the local store has no core of process $pid$hint"
}

# exe_of_report: sets $exe to the program of $report if it still is the same,
# or to what debuginfod has.
exe_of_report()
{
	exe=
	frames modules >"$tmp/modules"
	path=${exe_path% (deleted)}
	id=$(awk -F '\t' -v path="$path" '$2 == path { print $1; exit }' \
	    "$tmp/modules")
	if [ -n "$id" ] && [ "$id" != - ]; then
		exe=$(own_file "$id" "$path")
		[ -n "$exe" ] || exe=$(fetched executable "$id") || exe=
	elif [ -f "$root$path" ] && [ "${path#*\\}" = "$path" ]; then
		# without a build-id it can only be taken at its name, and
		# not at one that had to be escaped
		warn "$path has no build-id: it may be another one by now"
		exe=$root$path
	fi
	[ -n "$exe" ] ||
	    warn "$path is gone or another program by now: gdb gets the" \
	        "core alone"
}

# What crashed is hostile, and a debugger large: root's is a user whom nobody
# else is, with a copy of the core that has no name and is that user's alone.
# gdb_unpriv: $gdb_as, words before gdb, and $core.
gdb_unpriv()
{
	[ "$unpriv_how" != none ] ||
	    die 111 "there is no setpriv to run gdb without privileges:" \
	        "--as-root runs it with them"
	[ "$core" = "$tmp/core" ] || (
		umask 077
		cp --sparse=always "$core" "$tmp/core" 2>/dev/null ||
		    cp "$core" "$tmp/core"
	) || die 111 "unable to copy $core to ${TMPDIR:-/tmp}: set TMPDIR," \
	    "or --as-root"
	mkdir -m 700 "$tmp/home"
	gdb_uid=$((0x7f000000 + $$))
	# a user namespace may not have it
	chown "$gdb_uid" "$tmp/core" "$tmp/home" 2>/dev/null || {
		gdb_uid=65534
		chown "$gdb_uid" "$tmp/core" "$tmp/home" ||
		    die 111 "unable to give the core's copy away"
	}
	chmod 400 "$tmp/core"
	exec 6<"$tmp/core"
	rm -f "$tmp/core"
	core=/proc/self/fd/6
	gdb_as=$(raw "$unpriv_how" | sed "s/65534/$gdb_uid/g")
	HOME=$tmp/home
	export HOME
	unset XDG_CACHE_HOME XDG_CONFIG_HOME DEBUGINFOD_CACHE_PATH
}

cmd_gdb()
{
	as_root='' gdb_as=
	# what is behind the report is gdb's, and an option that is not ours
	while [ $# -gt 0 ] && [ -z "$pick_words" ]; do
		if [ "$1" = --as-root ]; then
			as_root=1 eaten=1
		else
			pick "$@" || break
		fi
		shift "$eaten"
	done
	read_conf
	have gdb || die 111 "unable to find gdb"
	colours
	pick_reports
	first_pick
	make_tmp
	unpriv_find
	need_core
	core=$(unpacked "$core") || exit
	exe_of_report
	[ -z "$unpriv_how" ] || [ -n "$as_root" ] || gdb_unpriv
	[ -z "$root" ] || set -- -iex "set sysroot $root" "$@"
	[ "$conf_debuginfod" = yes ] || unset DEBUGINFOD_URLS
	if [ -n "$exe" ]; then
		set -- "$@" "$exe" "$core"
	else
		set -- "$@" -c "$core"
	fi
	# an interrupt is for gdb
	trap : INT
	# shellcheck disable=SC2086
	$gdb_as gdb "$@"
}

# --- dump ------------------------------------------------------------------

cmd_dump()
{
	out=
	while [ $# -gt 0 ]; do
		case $1 in
		-o | --output)
			[ $# -gt 1 ] || bad_usage "$1 needs a value"
			out=$2 eaten=2
			;;
		*) pick "$@" || bad_usage "dump: no option is called $1" ;;
		esac
		shift "$eaten"
	done
	read_conf
	colours
	if [ -z "$out" ] && [ -n "$terminal" ]; then
		die 100 "a core is nothing for a terminal: say -o FILE, or a pipe"
	fi
	pick_reports
	first_pick
	need_core
	if [ -z "$out" ]; then
		unpack "$core"
		return
	fi
	change "write $core to $out" || return 0
	# others may read it when it is its owner's wish
	(
		umask 077
		unpack "$core" >"$out"
	) || die 111 "unable to write $out"
}

# --- flush -----------------------------------------------------------------

# What usercrash-flush.timer runs: the spool goes to where the conf says, and to
# where core_send.env does, by which the timer of older versions was told.
send_env=/etc/core_send.env

cmd_flush()
{
	plain_command "$@"
	need_root
	read_conf
	worst=
	! sends || [ "$conf_spool" = no ] || flush_conf
	flush_env
	if [ -z "$worst" ]; then
		! sends || die 100 "there is no spool: $conf, spool no"
		die 100 "no receiver and no send-command in $conf," \
		    "nor CORE_SEND_ARGS in $send_env"
	fi
	exit "$worst"
}

flush_conf()
{
	set -- -t "$conf_send_timeout" -z "$conf_send_compress"
	if [ -n "$conf_receiver" ]; then
		set -- "$@" "$conf_receiver"
	else
		set -f
		# shellcheck disable=SC2086
		set -- "$@" -- $conf_send_command
		set +f
	fi
	flush "$root$conf_spool" "$@"
}

# CORE_SEND_ARGS="-c 3 host": its words, which may be quoted; nothing else is
# read there.
flush_env()
{
	line=$(sed -n 's/^[[:blank:]]*CORE_SEND_ARGS=//p' "$root$send_env" \
	    2>/dev/null | tail -n 1)
	case $line in
	\"*\" | \'*\') line=${line#?} line=${line%?} ;;
	esac
	[ -n "$line" ] || return 0
	set --
	while IFS= read -r word; do
		set -- "$@" "$word"
	done <<-END
		$(raw "$line" | xargs printf '%s\n')
	END
	flush "$root/var/spool/usercrash" "$@"
}

# flush SPOOL ARGUMENT...: by core_send; the worst it has said is in $worst.
flush()
{
	worst=${worst:-0}
	if [ ! -d "$1" ]; then
		say "nothing waits"
		return
	fi
	rc=0
	run core_send --flush "$@" || rc=$?
	[ "$worst" -ge "$rc" ] || worst=$rc
}
