# shellcheck shell=sh disable=SC2034,SC2154
# reports: list, top, watch, vacuum, and finding one.  Part of crashlogctl.
#
# The directory is root's alone, so names in it are usercrash_s's; what is in
# the files is read by awk only.

# --- finding ---------------------------------------------------------------

# report_files: their paths, the newest first.  The order is that of
# publication, from the ring's records (src/spool/ring.c); where those cannot
# be read, and for files they do not know, it is that of modification.
report_files()
{
	{
		od -An -v -t u8 "$reports/.slots" 2>/dev/null |
		    tr -s ' ' '\n' | grep .
		say end
		ls -it "$reports" 2>/dev/null
	} | awk '
		# 40 bytes a slot: key, sequence, inode, time, slot and sum
		!files && $0 == "end" { files = 1; next }
		!files {
			if (n % 5 == 1) seq = $0
			if (n % 5 == 2) order[int(n / 5) " " $0] = seq
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

# report_rows [FORM]: on stdin paths; see reports.awk.
report_rows()
{
	awk -v want="${1:-tsv}" -f "$libdir/reports.awk"
}

# The directory can be read, or we end here.
need_reports()
{
	[ -d "$reports" ] || die 1 "there is no $reports: no report yet"
	if [ ! -r "$reports" ] || [ ! -x "$reports" ]; then
		die 111 "unable to read $reports: Permission denied"
	fi
}

# find_report [WHICH]: sets $report, or ends.
find_report()
{
	which=${1:-latest}
	case $which in
	*/*)
		report=$which
		[ -f "$report" ] || die 1 "there is no file $report"
		[ -r "$report" ] || die 111 "unable to read $report"
		return
		;;
	esac
	need_reports
	which=${which#usercrash_}
	case $which in
	latest)
		report=$(report_files | head -n 1)
		[ -n "$report" ] || die 1 "there is no report in $reports"
		;;
	[0-9a-f][0-9a-f][0-9a-f][0-9a-f]????????????)
		report=$(report_files | report_rows |
		    awk -F '\t' -v s="$which" '
			# both sides as text, or 0e10 were a number
			$12 "" == s "" { print $14; exit }')
		[ -n "$report" ] || die 1 "no report has signature $which"
		;;
	'' | *[!0-9]*) bad_usage "'$1' is no slot, signature or file" ;;
	*)
		report=
		for name in "$which" "0$which" "$(say "$which" |
		    sed 's/^0*\(.\)/\1/')"; do
			if [ -f "$reports/usercrash_$name" ]; then
				report=$reports/usercrash_$name
				break
			fi
		done
		[ -n "$report" ] || die 1 "there is no report $which"
		;;
	esac
	[ -r "$report" ] || die 111 "unable to read $report: Permission denied"
}

# --- list ------------------------------------------------------------------

cmd_list()
{
	form=table
	while [ $# -gt 0 ]; do
		if option "$@"; then
			shift "$eaten"
			continue
		fi
		case $1 in
		--json) form=json ;;
		*) bad_usage "list: no option or operand is called $1" ;;
		esac
		shift
	done
	read_conf
	if [ ! -d "$reports" ] && [ $form = json ]; then
		say '[]'
		return
	fi
	need_reports
	colours
	if [ $form = json ]; then
		report_files | report_rows json
	else
		paged list_table
	fi
}

list_heads='SLOT:r WHEN PROGRAM PID:r SIGNAL SAME:r SIGNATURE CAUSE'

list_table()
{
	report_files | report_rows | list_columns |
	    awk -v heads="$list_heads" -v bold="$bold" -v plain="$plain" \
	        -f "$libdir/table.awk"
}

# As list_heads has them.
list_columns()
{
	awk -F '\t' -v OFS='\t' '
		{ print $1, $2, $13, $4, $10, $15, $12, $11; fflush() }'
}

# --- top -------------------------------------------------------------------

cmd_top()
{
	most=10
	while [ $# -gt 0 ]; do
		if option "$@"; then
			shift "$eaten"
			continue
		fi
		number top "$1"
		most=$1
		shift
	done
	read_conf
	need_reports
	colours
	report_files | report_rows | awk -F '\t' -v most="$most" \
	    -v bold="$bold" -v red="$red" -v plain="$plain" '
	function bar(n, max, len, s) {
		len = int(n * 40 / max + 0.5)
		s = ""
		while (len-- > 0)
			s = s "#"
		return red (s == "" ? "#" : s) plain
	}
	# by count, then the one that crashed last
	function show(title, count, order, text, n, i, k, best, done, max) {
		printf "%s%s%s\n", bold, title, plain
		for (k = 1; k <= most; k++) {
			best = ""
			for (i = 1; i <= n; i++)
				if (!(order[i] in done) && (best == "" ||
				    count[order[i]] > count[best]))
					best = order[i]
			if (best == "")
				break
			done[best] = 1
			if (k == 1)
				max = count[best]
			printf "%5d  %s  %s\n", count[best],
			    bar(count[best], max) pad(count[best], max),
			    text[best]
		}
		if (n > most)
			printf "       and %d more\n", n - most
	}
	function pad(n, max, len) {
		len = 40 - int(n * 40 / max + 0.5)
		if (len > 39)
			len = 39
		return sprintf("%" (len + 1) "s", "")
	}
	{
		rows++
		if (rows == 1)
			last = $2
		first = $2
		p = $13 ""
		if (!(p in programs)) {
			byprogram[++np] = p
			ptext[p] = p
		}
		programs[p]++
		s = $12 ""
		if (!(s in signatures)) {
			bysignature[++ns] = s
			stext[s] = s "  " $13 ": " $11
		}
		signatures[s]++
	}
	END {
		if (rows == 0)
			exit
		printf "%d reports, %s to %s\n\n", rows, first, last
		show("programs", programs, byprogram, ptext, np)
		print ""
		show("signatures", signatures, bysignature, stext, ns)
	}'
}

# --- watch -----------------------------------------------------------------

# "NAME INODE" of every report, sorted; a new one in an old slot has another
# inode, as both exist for a moment.
report_inodes()
{
	# shellcheck disable=SC2012
	ls -i "$reports" 2>/dev/null |
	    awk '$2 ~ /^usercrash_[0-9]+$/ { print $2, $1 }' | sort
}

cmd_watch()
{
	left=-1
	while [ $# -gt 0 ]; do
		if option "$@"; then
			shift "$eaten"
			continue
		fi
		case $1 in
		--count)
			[ $# -gt 1 ] || bad_usage "$1 needs a value"
			number watch "$2"
			left=$2
			shift
			;;
		*) bad_usage "watch: no option or operand is called $1" ;;
		esac
		shift
	done
	read_conf
	need_reports
	make_tmp
	report_inodes >"$tmp/old"
	if [ -t 1 ]; then
		say "waiting for reports in $reports"
	fi
	while [ "$left" != 0 ]; do
		watch_pause
		report_inodes >"$tmp/new"
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

# The rows of what is new, the oldest first.
watch_new()
{
	awk -v before="$tmp/old" '
		BEGIN { while ((getline line < before) > 0) old[line] = 1 }
		!($0 in old) { print $1 }' "$tmp/new" >"$tmp/names"
	[ -s "$tmp/names" ] || return 0
	report_files | awk -v dir="$reports/" '
		NR == FNR { want[dir $0] = 1; next }
		$0 in want { path[++n] = $0 }
		END { for (; n > 0; n--) print path[n] }' "$tmp/names" - |
	    report_rows | awk -F '\t' '{
		printf "%s  %s  %s[%s]  %s  %s  %s\n",
		    $1, $2, $13, $4, $10, $12, $11
	}'
}

# --- vacuum ----------------------------------------------------------------

cmd_vacuum()
{
	age='' keep='' size='' what=both
	while [ $# -gt 0 ]; do
		if option "$@"; then
			shift "$eaten"
			continue
		fi
		case $1 in
		--age | --count | --size)
			[ $# -gt 1 ] || bad_usage "$1 needs a value"
			number "$1" "$2"
			case $1 in
			--age) age=$2 ;;
			--count) keep=$2 ;;
			--size) size=$2 ;;
			esac
			shift
			;;
		--reports) what=reports ;;
		--cores) what=cores ;;
		*) bad_usage "vacuum: no option or operand is called $1" ;;
		esac
		shift
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

# vacuum_dir DIRECTORY LOCK LISTER: under the lock that those hold who publish
# there, so that nothing new goes in the place of something old.
vacuum_dir()
{
	[ -d "$1" ] || return 0
	(
		if [ -z "$dry" ] && have flock; then
			exec 9>>"$1/$2" && flock -w 30 9 ||
			    die 111 "unable to lock $1/$2"
		fi
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
			rm -f "${f#*"$tab"}" "${f#*"$tab"}.info" &&
			    printf '%s\n' "$f" >>"$tmp/removed"
		done <"$tmp/doomed"
		# the link to the newest core, if that has gone
		[ -n "$dry" ] || [ -e "$1/core_dump" ] || rm -f "$1/core_dump"
	) || exit
}
