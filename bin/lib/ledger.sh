# shellcheck shell=sh disable=SC2034,SC2154
# ledger: crashes over time: top, since.  Part of crashlogctl.

# --- top -------------------------------------------------------------------

cmd_top()
{
	most=10 by='' form=table
	while [ $# -gt 0 ]; do
		case $1 in
		--by)
			[ $# -gt 1 ] || bad_usage "$1 needs a value"
			by=$2 eaten=2
			;;
		--tsv) form=tsv eaten=1 ;;
		--since | --until) pick "$@" ;;
		*)
			option "$@" || {
				number top "$1"
				most=$1
			}
			;;
		esac
		shift "$eaten"
	done
	case $by in
	hour | day | month | '') ;;
	*) bad_usage "top: by hour, day or month" ;;
	esac
	[ -n "$by" ] || [ "$form$pick_since$pick_until" = table ] ||
	    bad_usage "top: --tsv, --since and --until go with --by"
	read_conf
	need_reports
	colours
	if [ -z "$by" ]; then
		report_files | report_rows | awk_lib 'text top' -v most="$most"
		return
	fi
	need_ledger
	paged ledger_by
}

ledger_by()
{
	ledger | awk_lib 'text ledger' -v by="$by" -v form="$form" \
	    -v most="$most" -v from="$pick_since" -v to="$pick_until"
}

# What there is of the ledger (src/slots/ledger.h), the oldest first.
ledger()
{
	for f in "$reports/.ledger.1" "$reports/.ledger"; do
		[ ! -f "$f" ] || [ -L "$f" ] || cat "$f"
	done
}

need_ledger()
{
	[ -f "$reports/.ledger" ] || die 1 "there is no ledger in $reports yet"
	[ -r "$reports/.ledger" ] ||
	    die 111 "unable to read $reports/.ledger: Permission denied"
}

# --- since -----------------------------------------------------------------

# Marks are "TIME NAME" lines in .marks beside the reports.
cmd_since()
{
	most=10 name='' mark=''
	while [ $# -gt 0 ]; do
		case $1 in
		--mark) mark=1 eaten=1 ;;
		-n) pick "$@" ;;
		*)
			option "$@" || {
				[ -z "$name" ] ||
				    bad_usage "since: one name, or a time"
				name=$1
			}
			;;
		esac
		shift "$eaten"
	done
	most=${pick_most:-$most}
	read_conf
	need_reports
	colours
	if [ -n "$mark" ]; then
		mark_now
		return
	fi
	[ -n "$name" ] || name=$(mark_last)
	[ -n "$name" ] || bad_usage "since: when? there is no mark yet"
	mark=$(mark_time "$name")
	[ -n "$mark" ] || mark=$(pick_time "$name") || exit
	need_ledger
	paged ledger_since
}

ledger_since()
{
	ledger | awk_lib 'text ledger' -v mark="$mark" -v name="$name" \
	    -v most="$most"
}

mark_now()
{
	case $name in
	'' | *[!A-Za-z0-9._+-]* | [+-]* | today | yesterday | now)
		bad_usage "since: '$name' is no name for a mark"
		;;
	esac
	need_root
	change "mark $name" || return 0
	(
		hold "$reports" "$ring_lock"
		umask 027
		say "$(pick_time now) $name" >>"$reports/.marks"
	) || die 111 "unable to write $reports/.marks"
}

# mark_time NAME: of the latest one of that name.
mark_time()
{
	marks | name=$1 awk '$2 "" == ENVIRON["name"] "" { t = $1 }
		END { print t }'
}

mark_last()
{
	marks | awk '{ n = $2 } END { print n }'
}

marks()
{
	[ ! -f "$reports/.marks" ] || [ -L "$reports/.marks" ] ||
	    cat "$reports/.marks"
}
