# shellcheck shell=sh disable=SC2034,SC2154
# cores: cores, gdb, flush.  Part of crashlogctl.
#
# The local store is recv_core's: DIR/HOST/core.COMM.PID.TIME, beside it .info
# with lines "key: value", printable; .part until complete.  The spool is
# core_send's: TIME.PID.N.core, whole streams that wait for a receiver.

# core_files DIR: paths in the store, the newest first.
core_files()
{
	find "$1" -type f -name 'core.*' ! -name '*.info' ! -name '.*' \
	    -exec ls -t {} + 2>/dev/null
}

spool_files()
{
	find "$1" -type f -name '*.core' ! -name '.*' -exec ls -t {} + \
	    2>/dev/null
}

# info_of CORE: its .info, or nothing.
info_of()
{
	if [ -f "$1.info" ]; then
		printf '%s\n' "$1.info"
	fi
}

# info_value KEY FILE
info_value()
{
	awk -v k="$1: " 'index($0, k) == 1 {
		print substr($0, length(k) + 1)
		exit
	}' "$2"
}

# ---------------------------------------------------------------------------

cmd_cores()
{
	plain_command "$@"
	read_conf
	colours
	paged show_cores
}

show_cores()
{
	dir=$(store_dir)
	if [ -z "$dir" ]; then
		say "no local store"
	elif [ ! -d "$dir" ]; then
		say "no core yet in $dir"
	elif [ ! -r "$dir" ] || [ ! -x "$dir" ]; then
		die 111 "unable to read $dir: Permission denied"
	else
		core_files "$dir" | while IFS= read -r f; do
			core_row "$f"
		done | awk -v heads='WHEN PROGRAM PID:r SIGNAL:r MIB:r STATE NAME' \
		    -v bold="$bold" -v plain="$plain" -f "$libdir/table.awk"
		say "$(core_files "$dir" | grep -c .) cores," \
		    "$(mib_of "$dir") MiB in $dir"
	fi
	if sends && [ "$conf_spool" != no ] && [ -r "$root$conf_spool" ]; then
		say "$(spool_files "$root$conf_spool" | grep -c .) cores wait" \
		    "in $root$conf_spool, $(mib_of "$root$conf_spool") MiB"
	fi
}

core_row()
{
	state_word=complete
	case $1 in
	*.part) state_word=partial ;;
	esac
	info=$(info_of "$1")
	{
		[ -z "$info" ] || cat "$info"
		say
		du -k "$1"
	} | awk -v OFS='\t' -v name="${1#"$dir"/}" -v word="$state_word" '
		!body && $0 == "" { body = 1; next }
		body { mib = sprintf("%.1f", $1 / 1024); next }
		(at = index($0, ": ")) > 1 {
			v = substr($0, at + 2)
			gsub(/[\001-\037\177]/, "?", v)
			key[substr($0, 1, at - 1)] = v
		}
		function get(k) {
			return (k in key) && key[k] != "" ? key[k] : "-"
		}
		# seconds since the Epoch -> as in the reports
		function utc(t, d, y, m, n, leap) {
			if (t !~ /^[0-9]+$/)
				return t
			d = int(t / 86400)
			t %= 86400
			for (y = 1970; ; y++) {
				leap = y % 4 == 0 && y % 100 != 0 ||
				    y % 400 == 0
				if (d < 365 + leap)
					break
				d -= 365 + leap
			}
			for (m = 1; ; m++) {
				n = m == 2 ? 28 + leap : m == 4 || m == 6 ||
				    m == 9 || m == 11 ? 30 : 31
				if (d < n)
					break
				d -= n
			}
			return sprintf("%04d-%02d-%02dT%02d:%02d:%02dZ", y, m,
			    d + 1, int(t / 3600), int(t % 3600 / 60), t % 60)
		}
		END {
			p = get("exe")
			sub(/.*\//, "", p)
			if (p == "-")
				p = get("comm")
			print utc(get("time")), p, get("pid"), get("signal"),
			    mib, word, name
		}'
}

# --- gdb -------------------------------------------------------------------

# core_of_report: sets $core to the one of $report, by process and time; 1 if
# the store has none.
core_of_report()
{
	core=
	row=$(printf '%s\n' "$report" | report_rows)
	pid=$(printf '%s\n' "$row" | cut -f 4)
	when=$(printf '%s\n' "$row" | cut -f 2)
	dir=$(store_dir)
	[ -n "$dir" ] && [ -d "$dir" ] && conf_is_num "$pid" || return 1
	core=$(core_files "$dir" | while IFS= read -r f; do
		case ${f##*/} in
		core.*."$pid".*) ;;
		*) continue ;;
		esac
		[ "$(core_row "$f" | cut -f 1)" = "$when" ] || continue
		printf '%s\n' "$f"
		break
	done)
	[ -n "$core" ]
}

# unpacked CORE: a file gdb can read.
unpacked()
{
	case $1 in
	*.zst) set -- "$1" zstd ;;
	*.gz) set -- "$1" gzip ;;
	*.xz) set -- "$1" xz ;;
	*.lz4) set -- "$1" lz4 ;;
	*)
		printf '%s\n' "$1"
		return
		;;
	esac
	have "$2" || die 111 "unable to unpack $1: $2 is not installed"
	"$2" -dc "$1" >"$tmp/core" || die 111 "unable to unpack $1"
	printf '%s\n' "$tmp/core"
}

# exe_of_report: sets $exe to the program of $report if it still is the same,
# or to what debuginfod has.
exe_of_report()
{
	exe=
	awk -v want=modules -f "$libdir/frames.awk" "$report" >"$tmp/modules"
	path=$(printf '%s\n' "$report" | report_rows | cut -f 7)
	path=${path% (deleted)}
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

cmd_gdb()
{
	while [ $# -gt 0 ]; do
		option "$@" || break
		shift "$eaten"
	done
	which=latest
	case ${1:-} in
	'' | -*) ;;
	*)
		which=$1
		shift
		;;
	esac
	read_conf
	have gdb || die 111 "unable to find gdb"
	find_report "$which"
	make_tmp
	unpriv_find
	if ! core_of_report; then
		hint=
		case $(was kernel.core_pattern 2>/dev/null) in
		*systemd-coredump*) hint="; try: coredumpctl gdb $pid" ;;
		*) [ -n "$dir" ] || hint=" (there is none: $conf, store)" ;;
		esac
		die 1 "the local store has no core of process $pid$hint"
	fi
	case $core in
	*.part) warn "$core is not complete" ;;
	esac
	core=$(unpacked "$core") || exit
	exe_of_report
	[ -z "$root" ] || set -- -iex "set sysroot $root" "$@"
	[ "$conf_debuginfod" = yes ] || unset DEBUGINFOD_URLS
	if [ -n "$exe" ]; then
		set -- "$@" "$exe" "$core"
	else
		set -- "$@" -c "$core"
	fi
	# an interrupt is for gdb
	trap : INT
	gdb "$@"
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
	set -- -t "$conf_send_timeout"
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
		$(say "$line" | xargs printf '%s\n')
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
