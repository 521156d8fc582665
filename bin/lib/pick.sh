# shellcheck shell=sh disable=SC2034,SC2154
# pick: which reports are meant.  Part of crashlogctl.
#
# list, show, info, gdb, dump, rm, note and cores take the same words and the
# same options.  Reports become rows (reports.awk), pick.awk leaves those asked
# for.  The directory is root's alone, so names in it are usercrash_s's; what
# is in the files is read by awk only.

# report_files: their paths, the newest first.  The order is that of
# publication, from the ring's records (src/slots/ring.c); where those cannot
# be read, and for files they do not know, it is that of modification.  In a
# receiver's store they stand beside their cores.
report_files()
{
	if [ -n "$store" ]; then
		find "$store" -type f -name 'core.*.report' -exec ls -t {} + \
		    2>/dev/null
		return
	fi
	{
		od -An -v -t u8 "$reports/.slots" 2>/dev/null |
		    tr -s ' ' '\n' | grep .
		say end
		ls -it "$reports" 2>/dev/null
	} | awk '
		# 80 bytes a slot: key, sequence, inode and more
		!files && $0 == "end" { files = 1; next }
		!files {
			if (n % 10 == 1) seq = $0
			if (n % 10 == 2) order[int(n / 10) " " $0] = seq
			n++
			next
		}
		# names are "usercrash_" and digits, or passed over
		$2 ~ /^usercrash_[0-9]+$/ && NF == 2 {
			slot = substr($2, 11) + 0
			print order[slot " " $1] + 0 "\t" ++rank "\t" $2
		}' | sort -k 1,1nr -k 2,2n | while IFS= read -r name; do
		name=$reports/${name##*"$tab"}
		if [ -f "$name" ] && [ ! -L "$name" ]; then
			printf '%s\n' "$name"
		fi
	done
}

# report_rows: on stdin paths; see reports.awk.
report_rows()
{
	awk_lib 'text keys time reports' -v notes="$reports/.notes"
}

# The directory can be read, or we end here.
need_reports()
{
	[ -d "$reports" ] || die 1 "there is no $reports: no report yet"
	if [ ! -r "$reports" ] || [ ! -x "$reports" ]; then
		die 111 "unable to read $reports: Permission denied"
	fi
}

# --- options and words -----------------------------------------------------

pick_words='' pick_since='' pick_until='' pick_signal='' pick_uid=''
pick_unit='' pick_container='' pick_host='' pick_most='' pick_oldest=''
pick_files=''

# pick WORD [NEXT]: an option that says which, one of all commands, or a word;
# as option() does.
pick()
{
	eaten=1
	case $1 in
	-1) pick_most=1 ;;
	-r | --reverse) pick_oldest=1 ;;
	-n | --since | --until | --signal | --uid | --unit | --container | \
	    --host)
		[ $# -gt 1 ] || bad_usage "$1 needs a value"
		pick_by "$1" "$2"
		eaten=2
		;;
	--since=* | --until=* | --signal=* | --uid=* | --unit=* | \
	    --container=* | --host=*)
		pick_by "${1%%=*}" "${1#*=}"
		;;
	-*) option "$@" ;;
	*) pick_word "$1" ;;
	esac
}

# pick_by OPTION VALUE
pick_by()
{
	[ -n "$2" ] || bad_usage "$1 needs a value"
	case $1 in
	-n)
		number "$1" "$2"
		pick_most=$2
		;;
	--since) pick_since=$(pick_time "$2") || exit ;;
	--until) pick_until=$(pick_time "$2") || exit ;;
	--signal) pick_signal=$2 ;;
	--uid)
		pick_uid=$2
		conf_is_num "$2" || pick_uid=$(id -u "$2" 2>/dev/null) ||
		    die 100 "there is no user $2"
		;;
	--unit) pick_unit=$2 ;;
	--container) pick_container=$2 ;;
	--host) pick_host=$2 ;;
	esac
}

pick_word()
{
	case $1 in
	'' | *"$newline"*) bad_usage "'$1' is no report" ;;
	esac
	case $1 in
	*/*)
		# a report that stands somewhere
		if [ -f "$1" ] && [ ! -r "$1" ]; then
			die 111 "unable to read $1: Permission denied"
		fi
		if [ -f "$1" ] && head -n 1 "$1" | tr -d '\0' |
		    grep -Eq '^([{]$|usercrash report [0-9])'; then
			pick_files=$pick_files$1$newline
		fi
		;;
	esac
	pick_words=$pick_words$1$newline
}

# pick_time WORD: the time it means, as in reports.
pick_time()
{
	at=$(awk_lib time -v word="$1" -v now="$(date +%s)")
	if [ -z "$at" ]; then
		day=$(date +%Y-%m-%d)
		case $1 in
		today) at=$(date -d "$day 00:00:00" +%s) ;;
		yesterday)
			# noon before: a day may have 23 hours
			at=$(($(date -d "$day 00:00:00" +%s) - 43200))
			at=$(date -d "$(date -d "@$at" +%Y-%m-%d) 00:00:00" +%s)
			;;
		[0-9]*:[0-9]*) at=$(date -d "$1" +%s) ;;
		????-??-??) at=$(date -d "$1 00:00:00" +%s) ;;
		-* | @*) ;;
		*) at=$(date -d "$1" +%s) ;;
		esac 2>/dev/null
		at=${at:+@$at}
	fi
	[ -n "$at" ] || bad_usage "'$1' is no time; such are: -2h, yesterday," \
	    "2026-11-26, '2026-11-26 10:00:00', 10:00, 2026-11-26T09:00:00Z"
	date -u -d "$at" +%Y-%m-%dT%H:%M:%SZ
}

# --- picking ---------------------------------------------------------------

# picked [HOW]: on stdin rows; see pick.awk.
picked()
{
	export pick_words
	awk_lib pick -v since="$pick_since" -v until="$pick_until" \
	    -v signal="$pick_signal" -v uid="$pick_uid" -v unit="$pick_unit" \
	    -v container="$pick_container" -v host="$pick_host" \
	    -v most="$pick_most" -v oldest="$pick_oldest" -v how="${1:-}"
}

# pick_rows [HOW]: the rows of reports that are meant.
pick_rows()
{
	{
		printf %s "$pick_files"
		report_files
	} | awk '!seen[$0]++' | report_rows | picked "${1:-}"
}

# pick_reports COMMAND [MOST]: the rows that COMMAND is about, into $picks, or
# ends.  A number that is two things, and a process that came twice, are shown
# instead.  Of what a program or signature has in common the newest MOST (1)
# are meant.
pick_reports()
{
	pick_command=$1
	pick_count=${pick_most:-${2:-1}}
	pick_most=
	[ -n "$pick_files" ] || need_reports
	all=$(pick_rows 1)
	pick_need
	# shellcheck disable=SC2016
	double=$(printf '%s\n' "$all" | awk -F '\t' '
		{ n[$1 "\t" $2]++ }
		$2 == "slot" { slot[$1] = 1 }
		$2 == "pid" { pid[$1] = 1 }
		END {
			for (w in pid)
				if (w in slot)
					print w " is a slot and a process:" \
					    " say slot:" w " or pid:" w
				else if (n[w "\tpid"] > 1)
					print w " came more than once: say" \
					    " the slot, --since or --until"
		}' | head -n 1)
	if [ -n "$double" ]; then
		printf '%s\n' "$all" | cut -f 3- | rows_table >&2
		die 1 "$pick_command: $double"
	fi
	all=$(printf '%s\n' "$all" | cut -f 3-)
	picks=$(printf '%s\n' "$all" | head -n "$pick_count")
	report=$(printf '%s\n' "$picks" | head -n 1 | cut -f 14)
	[ -r "$report" ] || die 111 "unable to read $report: Permission denied"
}

# pick_need: something is meant by $all, and by every word; or says what to
# type instead.
pick_need()
{
	none=$(printf '%s\n' "$all" | sed -n "s/^[?]$tab//p" | head -n 1)
	[ -z "$all" ] || [ -n "$none" ] || return 0
	total=$(report_files | grep -c .)
	if [ "$total" = 0 ] && [ -z "$pick_files" ]; then
		die 1 "there is no report in $reports"
	fi
	[ -z "$none" ] || none=" by '$none'"
	unread=
	[ -z "$(report_files | while IFS= read -r f; do
		[ -r "$f" ] || say "$f"
	done)" ] || unread=", and some cannot be read"
	die 1 "$pick_command: no report is meant$none: crashlogctl list shows" \
	    "all $total$unread"
}
