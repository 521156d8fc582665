# shellcheck shell=sh disable=SC2034,SC2154
# reports: list, watch, rm, note, vacuum.  Part of crashlogctl.

# --- list ------------------------------------------------------------------

cmd_list()
{
	form=table forms='table, json, tsv'
	picked_options "$@"
	read_conf
	colours
	paged reader list -F "$form"
}

# --- watch -----------------------------------------------------------------

cmd_watch()
{
	left=-1
	while [ $# -gt 0 ]; do
		option "$@" || case $1 in
		--count)
			[ $# -gt 1 ] || bad_usage "$1 needs a value"
			number watch "$2"
			left=$2 eaten=2
			;;
		*) bad_usage "watch: no option or operand is called $1" ;;
		esac
		shift "$eaten"
	done
	read_conf
	make_tmp
	reader list -F line >"$tmp/old" || exit
	if [ -t 1 ]; then
		say "waiting for reports in $reports"
	fi
	while [ "$left" != 0 ]; do
		watch_pause
		reader list -r -F line >"$tmp/new" 2>/dev/null || :
		watch_new >"$tmp/rows"
		mv "$tmp/new" "$tmp/old"
		while [ "$left" != 0 ] && IFS= read -r row; do
			printf '%s\n' "$row"
			left=$((left - 1))
		done <"$tmp/rows"
	done
}

# Until something may have happened; a second at most, so that nothing is
# missed between two looks.
watch_pause()
{
	if have inotifywait; then
		inotifywait -q -q -t 1 -e moved_to "$reports" || :
	else
		sleep 1
	fi
}

# What is new, the oldest first; of the same slot it is another line.
watch_new()
{
	awk -v before="$tmp/old" '
		BEGIN { while ((getline line < before) > 0) old[line] = 1 }
		!($0 in old)' "$tmp/new"
}

# --- rm --------------------------------------------------------------------

cmd_rm()
{
	every=
	while [ $# -gt 0 ]; do
		case $1 in
		--all) every=-a eaten=1 ;;
		*) pick "$@" || bad_usage "rm: no option is called $1" ;;
		esac
		shift "$eaten"
	done
	[ -n "$every$pick_words$pick_counted" ] ||
	    bad_usage "rm: which? --all is every report that the options say"
	need_root
	read_conf
	colours
	pick_reports "${every:--e}"
	each_pick remove_report
}

# A report, if that still is in its place, and its core.
remove_report()
{
	(
		hold "$reports" "$ring_lock"
		if [ "$(crashlog_read -d "$reports" -F tsv list "$report" |
		    cut -f 2,4,5)" != "$time$tab$pid$tab$tid" ]; then
			die 1 "$report is another one by now"
		fi
		change "remove $report" || exit 0
		rm -f "$report"
	) || exit
	[ -n "$core" ] || return 0
	(
		hold "$dir" .lock
		change "remove $core" || exit 0
		rm -f "$core" "$core.info" "$core.report"
		[ -e "$dir/core_dump" ] || rm -f "$dir/core_dump"
	) || exit
}

# --- note ------------------------------------------------------------------

# What is noted stands in .notes beside the reports, "TIME PID<tab>TEXT" a
# line; what is about reports that have gone goes with the next one.
cmd_note()
{
	while [ $# -gt 0 ] && [ -z "$pick_words" ]; do
		pick "$@" || bad_usage "note: no option is called $1"
		shift "$eaten"
	done
	[ $# -gt 0 ] || bad_usage "note: what is to be noted? '' takes it back"
	text=$(printf %s "$*" | tr '\n\t' '  ')
	[ ${#text} -le 1000 ] || bad_usage "note: more than 1000 bytes"
	need_root
	read_conf
	colours
	pick_reports
	first_pick
	change "note it at $report" || return 0
	(
		hold "$reports" "$ring_lock"
		new=$(mktemp "$reports/.notes.XXXXXX") ||
		    die 111 "unable to write in $reports"
		trap 'rm -f "$new"' EXIT
		pick_options='' pick_words=
		reader list -F tsv | text=$text awk -F '\t' \
		    -v at="$time$tab$pid" '
			{ text = $2 "\t" $4 == at ? ENVIRON["text"] : $20 }
			text != "" && text != "-" { print $2 " " $4 "\t" text }
		    ' >"$new" || die 111 "unable to write $new"
		chown --reference="$reports/.slots" "$new" 2>/dev/null || :
		chmod 640 "$new" && mv "$new" "$reports/.notes" ||
		    die 111 "unable to write $reports/.notes"
	) || exit
}

# --- vacuum ----------------------------------------------------------------

cmd_vacuum()
{
	age='' keep='' size='' what=both
	while [ $# -gt 0 ]; do
		option "$@" || case $1 in
		--age | --count | --size)
			[ $# -gt 1 ] || bad_usage "$1 needs a value"
			number "$1" "$2"
			case $1 in
			--age) age=$2 ;;
			--count) keep=$2 ;;
			--size) size=$2 ;;
			esac
			eaten=2
			;;
		--reports) what=reports ;;
		--cores) what=cores ;;
		*) bad_usage "vacuum: no option or operand is called $1" ;;
		esac
		shift "$eaten"
	done
	[ -n "$age$keep$size" ] ||
	    bad_usage "vacuum: by --age, --count or --size?"
	need_root
	read_conf
	make_tmp
	: >"$tmp/removed"
	[ $what = cores ] || vacuum_dir "$reports" .slots report_files
	dir=$(store_dir)
	[ $what = reports ] || [ -z "$dir" ] ||
	    vacuum_dir "$dir" .lock core_files
	[ -n "$dry" ] || awk '{ n++; k += $1 }
		END { printf "%d removed, %.1f MiB\n", n, k / 1024 }' \
	    "$tmp/removed"
}

# report_files: their paths, the newest first.
report_files()
{
	crashlog_read -d "$reports" ${store:+-s "$store"} files 2>/dev/null
}

# hold DIRECTORY LOCK: for the rest of this shell the lock that those hold who
# publish there, so that nothing new goes in the place of something old.
hold()
{
	if [ -z "$dry" ] && have flock; then
		exec 9>>"$1/$2"
		flock -w 30 9 || die 111 "unable to lock $1/$2"
	fi
}

# vacuum_dir DIRECTORY LOCK LISTER
vacuum_dir()
{
	[ -d "$1" ] || return 0
	(
		hold "$1" "$2"
		"$3" "$1" >"$tmp/files"
		[ -z "$age" ] || while IFS= read -r f; do
			if [ "$age" = 0 ]; then
				printf '%s\n' "$f"
			else
				find "$f" -prune -mtime "+$((age - 1))"
			fi
		done <"$tmp/files" >"$tmp/aged"
		[ -n "$age" ] || : >"$tmp/aged"
		while IFS= read -r f; do
			printf '%s\t%s\n' "$(du -k "$f" | awk '{ print $1 }')" "$f"
		done <"$tmp/files" | awk -F '\t' -v aged="$tmp/aged" \
		    -v keep="$keep" -v size="$size" '
			BEGIN { while ((getline f < aged) > 0) old[f] = 1 }
			{
				n++
				if ($2 in old || keep != "" && n > keep + 0 ||
				    size != "" && sum + $1 > size * 1024)
					print
				else
					sum += $1
			}' >"$tmp/doomed"
		while IFS= read -r f; do
			change "remove ${f#*"$tab"}" || continue
			rm -f "${f#*"$tab"}" "${f#*"$tab"}.info" \
			    "${f#*"$tab"}.report" &&
			    printf '%s\n' "$f" >>"$tmp/removed"
		done <"$tmp/doomed"
		# the link to the newest core, if that has gone
		[ -n "$dry" ] || [ -e "$1/core_dump" ] || rm -f "$1/core_dump"
	) || exit
}
