# shellcheck shell=sh disable=SC2034,SC2154
# ledger: crashes over time: top, since.  Part of crashlogctl.

cmd_top()
{
	by='' over='' form=table forms='table, json, tsv'
	while [ $# -gt 0 ]; do
		case $1 in
		--by)
			[ $# -gt 1 ] || bad_usage "$1 needs a value"
			by=$2 eaten=2
			;;
		--since | --until | --since=* | --until=*)
			pick "$@"
			over=$1
			;;
		*)
			formed "$@" || option "$@" || {
				number top "$1"
				pick_by -n "$1"
			}
			;;
		esac
		shift "$eaten"
	done
	case $by in
	hour | day | month) set -- -b "$by" ;;
	'')
		set --
		case $form$over in
		tsv* | *--*) bad_usage \
		    "top: --tsv, --since and --until go with --by" ;;
		esac
		;;
	*) bad_usage "top: by hour, day or month" ;;
	esac
	read_conf
	colours
	paged reader top -F "$form" "$@"
}

# --- since -----------------------------------------------------------------

# Marks are "TIME NAME" lines in .marks beside the reports.
cmd_since()
{
	mark='' form=table forms='table, json, tsv'
	while [ $# -gt 0 ]; do
		case $1 in
		--mark) mark=1 eaten=1 ;;
		-n) pick "$@" ;;
		-*) formed "$@" || option "$@" ||
		    bad_usage "since: no option is called $1" ;;
		*)
			[ -z "$pick_words" ] ||
			    bad_usage "since: one name, or a time"
			pick "$1"
			;;
		esac
		shift "$eaten"
	done
	read_conf
	colours
	if [ -n "$mark" ]; then
		mark_now "${pick_words%"$newline"}"
		return
	fi
	paged reader since -F "$form"
}

mark_now()
{
	case $1 in
	'' | *[!A-Za-z0-9._+-]* | [+-]* | today | yesterday | now)
		bad_usage "since: '$1' is no name for a mark"
		;;
	esac
	need_root
	change "mark $1" || return 0
	(
		hold "$reports" "$ring_lock"
		umask 027
		raw "$(pick_time now) $1" >>"$reports/.marks"
	) || die 111 "unable to write $reports/.marks"
}
