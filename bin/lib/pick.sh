# shellcheck shell=sh disable=SC2034,SC2154
# pick: which reports are meant.  Part of crashlogctl.
#
# list, show, info, gdb, dump, rm, note and cores take the same words and the
# same options: they are crashlog_read(8)'s, which looks into the reports.

# What was said of them: options and words, one a line.
pick_options='' pick_words='' pick_counted=

# pick WORD [NEXT]: an option that says which, one of all commands, or a word;
# as option() does.
pick()
{
	eaten=1
	case $1 in
	-1 | -r | --reverse) pick_by "$1" ;;
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
	*)
		case $1 in
		'' | *"$newline"*) bad_usage "'$1' is no report" ;;
		esac
		pick_words=$pick_words$1$newline
		;;
	esac
}

# pick_by OPTION [VALUE]
pick_by()
{
	case $# in
	1) pick_options=$pick_options$1$newline ;;
	*)
		case $2 in
		'' | *"$newline"*) bad_usage "$1 needs a value" ;;
		esac
		value=$2
		case $1 in
		-n) number "$1" "$value" ;;
		--since | --until) value=$(pick_time "$value") || exit ;;
		--uid)
			conf_is_num "$2" || value=$(id -u "$2" 2>/dev/null) ||
			    die 100 "there is no user $2"
			;;
		esac
		pick_options=$pick_options$1$newline$value$newline
		;;
	esac
	case $1 in
	-n | -1) pick_counted=1 ;;
	esac
}

# pick_time WORD: the time it means, as in reports; date(1) knows more words.
pick_time()
{
	crashlog_read time "$1" 2>/dev/null ||
	    date -u -d "$1" +%Y-%m-%dT%H:%M:%SZ 2>/dev/null ||
	    crashlog_read -c "$command" time "$1"
}

# reader ACTION [OPTION...]: crashlog_read, of what was said.
reader()
{
	have crashlog_read || die 111 "unable to find crashlog_read"
	reader_action=$1
	shift
	set -- "$@" -c "$command" -d "$reports" ${store:+-s "$store"} \
	    ${bold:+-C} ${columns:+-w "$columns"}
	set -f
	IFS=$newline
	# shellcheck disable=SC2086
	set -- "$@" $pick_options "$reader_action" $pick_words
	unset IFS
	set +f
	crashlog_read "$@"
}

# pick_reports [OPTION...]: the rows that a command is about, into $picks, or
# ends.
pick_reports()
{
	dir=$(store_dir)
	picks=$(reader pick -F tsv ${dir:+-k "$dir"} "$@") || exit
}

# each_pick COMMAND...: for each of $picks, as $row and $report, with what
# it says.
each_pick()
{
	while IFS=$tab read -r slot time host pid tid comm exe_path uid signal \
	    name cause signature program report count unit user_unit \
	    container package note core mib state <&8; do
		[ "$core" != - ] || core=
		"$@" || return
	done 8<<-END
		$picks
	END
}

# first_pick: what the first says.
first_pick()
{
	each_pick false || :
}

# formed WORD [NEXT]: an option that says how it is shown, one of $forms, which
# have a comma between.
formed()
{
	eaten=1
	case $1 in
	--json) form=json ;;
	--tsv) form=tsv ;;
	-F | --format)
		[ $# -gt 1 ] || bad_usage "$1 needs a value"
		form=$2 eaten=2
		;;
	-F* | --format=*)
		form=${1#-F}
		form=${form#--format=}
		;;
	*) return 1 ;;
	esac
	case ", $forms, " in
	*", $form, "*) ;;
	*) die 100 "$command: no format is called $form: $forms" ;;
	esac
}

# picked_options ARG...: of a command that has no others.
picked_options()
{
	while [ $# -gt 0 ]; do
		formed "$@" || pick "$@" ||
		    bad_usage "$command: no option is called $1"
		shift "$eaten"
	done
}
