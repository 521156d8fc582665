# shellcheck shell=sh disable=SC2034,SC2154
# show: a report with C++ names and source lines.  Part of crashlogctl.
#
# frames.awk takes mangled names and addresses out of the report; c++filt and
# addr2line, where they are installed, say what those are; frames.awk puts it
# back.  Names and files are the crashed program's, so hostile: the tools run
# without privileges, under a deadline, and what they say is made printable.
# A file is used only if its build-id is that of the report.

# program NAME: where it is, as a file; not what a shell has built in.
program()
{
	(
		IFS=:
		set -f
		for d in $PATH; do
			if [ -f "$d/$1" ] && [ -x "$d/$1" ]; then
				printf '%s\n' "$d/$1"
				break
			fi
		done
	)
}

# How root can be nobody here, as words in $unpriv_how; none: it cannot.
unpriv_find()
{
	unpriv_how=
	[ "$(id -u)" = 0 ] || return 0
	tool=$(program setpriv)
	how='--reuid=65534 --regid=65534 --clear-groups --no-new-privs'
	# shellcheck disable=SC2086
	if [ -n "$tool" ] && "$tool" $how true 2>/dev/null; then
		unpriv_how="$tool $how"
		return
	fi
	tool=$(program chroot)
	how='--userspec=65534:65534 --groups= /'
	# shellcheck disable=SC2086
	if [ -n "$tool" ] && "$tool" $how true 2>/dev/null; then
		unpriv_how="$tool $how"
		return
	fi
	unpriv_how=none
	warn "root does not parse what crashed, and there is no setpriv to" \
	    "do it as nobody: no names, no source lines"
}

# unpriv COMMAND...: as nobody, if we are root.
unpriv()
{
	[ "$unpriv_how" != none ] || return 1
	# shellcheck disable=SC2086
	limited $unpriv_how "$@"
}

limited()
{
	if have timeout; then
		timeout 30 "$@"
	else
		"$@"
	fi
}

# --- names -----------------------------------------------------------------

# "name" lines -> $tmp/names
demangle()
{
	sed -n "s/^name$tab//p" "$tmp/frames" >"$tmp/mangled"
	: >"$tmp/names"
	[ -s "$tmp/mangled" ] || return 0
	for filt in c++filt llvm-cxxfilt; do
		have $filt || continue
		unpriv $filt <"$tmp/mangled" >"$tmp/nice" 2>/dev/null || continue
		# line by line, or not at all
		[ "$(wc -l <"$tmp/nice")" = "$(wc -l <"$tmp/mangled")" ] ||
		    continue
		paste "$tmp/mangled" "$tmp/nice" |
		    awk -F '\t' 'NF == 2 && $1 != $2 && length($2) < 4096' \
		        >"$tmp/names"
		return
	done
}

# --- source lines ----------------------------------------------------------

# build_id FILE
build_id()
{
	for tool in readelf eu-readelf llvm-readelf; do
		have $tool || continue
		unpriv $tool -n "$1" 2>/dev/null |
		    sed -n 's/.*Build ID: *\([0-9a-f]*\).*/\1/p' | head -n 1
		return
	done
}

# debug_file BUILD-ID: the separate one, or nothing.
debug_file()
{
	case $1 in
	??*[!0-9a-f]* | ? | '') return ;;
	esac
	rest=${1#??}
	for d in "$root/usr/lib/debug/.build-id" \
	    "$root${bindir%/*}/lib/debug/.build-id"; do
		if [ -f "$d/${1%"$rest"}/$rest.debug" ]; then
			say "$d/${1%"$rest"}/$rest.debug"
			return
		fi
	done
}

# fetched KIND BUILD-ID: what debuginfod has, as a file that nobody can read.
fetched()
{
	[ "$conf_debuginfod" = yes ] && have debuginfod-find || return 1
	case $2 in
	*[!0-9a-f]* | '') return 1 ;;
	esac
	found=$(timeout 300 debuginfod-find "$1" "$2" 2>/dev/null) &&
	    [ -f "$found" ] || return 1
	if ! [ -f "$tmp/$2.$1" ]; then
		ln -s "$found" "$tmp/$2.$1"
		# its cache is for its own user
		if [ "$(id -u)" = 0 ]; then
			rm -f "$tmp/$2.$1"
			cp "$found" "$tmp/$2.$1" && chmod 644 "$tmp/$2.$1" ||
			    return 1
		fi
	fi
	say "$tmp/$2.$1"
}

# own_file BUILD-ID PATH: the module itself, if it still is that file; the
# path may have a remark in parentheses behind it.
own_file()
{
	own_last=
	for f in "$2" "${2% (*)}"; do
		# without a remark it is the same, and known
		[ "$f" != "$own_last" ] || continue
		own_last=$f
		f=$root$f
		# neither a FIFO nor a device is looked into
		if [ -f "$f" ] && [ "$1" != - ] &&
		    [ "$(build_id "$f")" = "$1" ]; then
			printf '%s\n' "$f"
			return
		fi
	done
}

# look_up FILE <ADDRESSES: "ADDRESS<tab>FUNCTION<tab>FILE:LINE" of each
look_up()
{
	unpriv "$line_tool" -a -f -i -C -e "$1" 2>/dev/null | awk '
		# The innermost of several has the name of the symbol, with
		# some versions of the tool: then it is not known.
		function put(i) {
			if (n > 1 && before(out[1]) == before(out[n]))
				sub(/^[^\t]*/, "??", out[1])
			for (i = 1; i <= n; i++)
				print a "\t" out[i]
			n = 0
		}
		function before(s) {
			return substr(s, 1, index(s, "\t"))
		}
		/^0x[0-9a-f]+$/ {
			put()
			a = $0
			sub(/^0x0*/, "0x", a)
			if (a == "0x") a = "0x0"
			func_name = ""
			next
		}
		func_name == "" { func_name = $0; next }
		{
			sub(/ \(discriminator [0-9]+\)$/, "")
			gsub(/\t/, " ")
			gsub(/\t/, " ", func_name)
			if ($0 !~ /^\?\?:/ && $0 !~ /:\?$/ && $0 !~ /:0$/)
				out[++n] = func_name "\t" $0
			func_name = ""
		}
		END { put() }'
}

# "at" lines -> $tmp/lines, file by file
source_lines()
{
	: >"$tmp/lines"
	line_tool=
	for tool in addr2line llvm-addr2line; do
		if have $tool; then
			line_tool=$tool
			break
		fi
	done
	[ -n "$line_tool" ] || return 0
	sed -n "s/^at$tab//p" "$tmp/frames" >"$tmp/at"
	cut -f 1,3 "$tmp/at" | sort -u >"$tmp/modules"
	while IFS=$tab read -r id path <&7; do
		awk -F '\t' -v id="$id" -v path="$path" '
			# no -v escapes are in a path that had none
			$1 == id && $3 == path { print $2 }' "$tmp/at" \
		    >"$tmp/addresses"
		module_lines "$id" "$path"
	done 7<"$tmp/modules"
}

module_lines()
{
	for from in debug own fetched; do
		case $from in
		debug) file=$(debug_file "$1") ;;
		own) file=$(own_file "$1" "$2") ;;
		fetched) file=$(fetched debuginfo "$1") ;;
		esac
		[ -n "$file" ] || continue
		look_up "$file" <"$tmp/addresses" >"$tmp/found"
		if [ -s "$tmp/found" ]; then
			awk -F '\t' -v OFS='\t' -v id="$1" -v path="$2" \
			    '{ print id, $1, path, $2, $3 }' "$tmp/found" \
			    >>"$tmp/lines"
			return
		fi
	done
}

# ---------------------------------------------------------------------------

# resolve: names and source lines of the frames of $report, for frames.awk
resolve()
{
	frames frames >"$tmp/frames"
	demangle
	source_lines
}

# frames WANT [VAR=VALUE...]: see frames.awk
frames()
{
	want=$1
	shift
	awk -v want="$want" -v bold="$bold" -v red="$red" -v plain="$plain" \
	    -v names="${tmp:+$tmp/names}" -v lines="${tmp:+$tmp/lines}" \
	    -f "$libdir/frames.awk" "$@" "$report"
}

cmd_show()
{
	raw='' form=table forms='table, json'
	while [ $# -gt 0 ]; do
		case $1 in
		--raw) raw=1 eaten=1 ;;
		*)
			formed "$@" || pick "$@" ||
			    bad_usage "show: no option is called $1"
			;;
		esac
		shift "$eaten"
	done
	read_conf
	colours
	pick_reports
	make_tmp
	[ -n "$raw" ] || unpriv_find
	paged each_pick show_report
}

# What the worker wrote is escaped; a forged one is not: $report becomes a copy
# that is printable.
clean_report()
{
	shown <"$report" >"$tmp/report" && report=$tmp/report
}

show_report()
{
	clean_report || return
	if [ "$form" = json ]; then
		awk -f "$libdir/json.awk" "$report" >"$tmp/json" || return
		report=$tmp/json
	fi
	if [ -n "$raw" ]; then
		cat "$report"
		return
	fi
	resolve
	if [ -n "$terminal" ] && [ "$form" != json ]; then
		frames report first=1 short=1
	else
		frames report
	fi
}

# --- info ------------------------------------------------------------------

cmd_info()
{
	form=table raw='' forms='table, json'
	while [ $# -gt 0 ]; do
		case $1 in
		--raw) raw=short= eaten=1 ;;
		*)
			formed "$@" || pick "$@" ||
			    bad_usage "info: no option is called $1"
			;;
		esac
		shift "$eaten"
	done
	read_conf
	colours
	pick_reports
	make_tmp
	unpriv_find
	next=show
	[ -z "$(program gdb)" ] || next=gdb
	paged each_pick info_report
}

# user_name UID: its name, where it has one.
user_name()
{
	if [ -z "$root" ] && have getent; then
		getent passwd "$1"
	else
		cat "$root/etc/passwd"
	fi 2>/dev/null | awk -F : -v uid="$1" '$3 "" == uid "" { print $1; exit }'
}

# One screen about $report.
info_report()
{
	whole=$report
	clean_report || return
	resolve
	frames short "${raw:-short=1}" >"$tmp/short"
	user=$(user_name "$uid")
	crashlog_read -c info -d "$reports" ${store:+-s "$store"} \
	    ${dir:+-k "$dir"} ${bold:+-C} -F "$form" -f "$tmp/short" \
	    ${user:+-u "$user"} -g "$next" info "$whole"
}
