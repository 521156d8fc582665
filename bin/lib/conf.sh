# shellcheck shell=sh disable=SC2034
# conf: what usercrash-wrapper and crashlogctl both know.  Read with ".".
#
# - usercrash.conf(5) becomes variables conf_KEY; nothing of it is executed,
#   expanded or evaluated: a line is split at blanks, with globbing off
# - the core_pattern that is ours, and the one that was there before
#
# Lists (conf_ignore, conf_no_core, conf_send_command) are their words with a
# blank between; conf_hooks and conf_program_shares have one entry a line.
# Split them with "set -f" and the usual IFS, which conf_read leaves behind: no
# word holds a blank.

# the Makefile reads it here, and with it every program
usercrash_version=1.0

conf_file=/etc/usercrash.conf
conf_statedir=/var/lib/usercrash

# --- the pattern -----------------------------------------------------------

# The wrapper's operands.  Each value carries its letter, so that one that is
# empty, missing or moved shows; the name is last, as kernels before 5.3 split
# it at its blanks.
# shellcheck disable=SC2016
pattern_args='P%P I%I p%p i%i u%u g%g d%d s%s t%t c%c C%C F%F h%h e%e'
pattern_max=127 # core(5); the kernel cuts what is longer

# pattern_find PATTERN: sets $pattern_p, the last part of the program's path,
# or nothing.
pattern_find()
{
	pattern_p=
	case $1 in
	'|'*)
		pattern_p=${1#|}
		pattern_p=${pattern_p#"${pattern_p%%[! 	]*}"}
		pattern_p=${pattern_p%%[ 	]*}
		pattern_p=${pattern_p##*/}
		;;
	esac
}

# pattern_program PATTERN: the same, printed.
pattern_program()
{
	pattern_find "$1"
	printf '%s\n' "$pattern_p"
}

# pattern_is_ours PATTERN
pattern_is_ours()
{
	pattern_find "$1"
	[ "$pattern_p" = usercrash-wrapper ]
}

# saved_value KEY FILE: what was set before, from crashlogctl's saved state
# (lines "kernel.core_pattern VALUE"); 1 if it does not say.
saved_value()
{
	saved_get "$1" "$2" || return
	printf '%s\n' "$saved"
}

# saved_get KEY FILE: the same, in $saved.  What others may have written is not
# there: $conf_why says so, and is empty where nothing was saved.
saved_get()
{
	saved='' conf_why=
	[ -r "$2" ] || [ -L "$2" ] || return 1
	conf_safe "${2%/*}" "$2" || return 1
	while IFS= read -r saved_line; do
		case $saved_line in
		"$1 "*)
			saved=${saved_line#"$1 "}
			return 0
			;;
		esac
	done <"$2"
	return 1
}

# --- what is root's alone --------------------------------------------------

# conf_owned PATH...: whether each is root's (or the caller's own), for nobody
# else to write; if not, $conf_why.
conf_owned()
{
	conf_why='unable to examine'
	conf_stat=$(stat -L -c '%u %f' -- "$@" 2>/dev/null) || return 1
	while read -r conf_owner conf_mode; do
		conf_mode=$((0x$conf_mode))
		if [ "$conf_owner" != 0 ] && [ "$conf_owner" != "$(id -u)" ]
		then
			conf_why="owned by user $conf_owner"
			return 1
		fi
		if [ $((conf_mode & 022)) != 0 ] &&
		    [ $((conf_mode & 0171000)) != $((${conf_sticky:-0})) ]
		then
			conf_why='others may write it'
			return 1
		fi
	done <<-END
		$conf_stat
	END
	conf_why=
}

# conf_safe DIR FILE: the same of our own directory and a file in it, which may
# be missing; neither may be a link.  So nobody can replace the file afterwards.
conf_safe()
{
	if [ -L "$1" ] || [ -L "$2" ]; then
		conf_why="$2: a symbolic link, or in one"
		return 1
	fi
	if [ -e "$2" ] && [ ! -f "$2" ]; then
		conf_why="$2: not a regular file"
		return 1
	fi
	if [ -e "$2" ]; then
		conf_owned "$1" "$2" && return
	else
		conf_owned "$1" && return
	fi
	conf_why="$2: it or its directory: $conf_why"
	return 1
}

# conf_safe_program PATH: the same of a program to be run, by its real name, and
# of all directories above it; a sticky one does for what is root's in it.
conf_safe_program()
{
	conf_rest=$(readlink -f -- "$1" 2>/dev/null) ||
	    conf_rest=$(readlink -f "$1")
	set --
	while [ -n "$conf_rest" ]; do
		set -- "$@" "$conf_rest"
		conf_rest=${conf_rest%/*}
	done
	conf_sticky=041000 # and a directory
	conf_owned / "$@"
	set -- $?
	conf_sticky=
	return "$1"
}

# --- the conf --------------------------------------------------------------

conf_defaults()
{
	conf_reports=/var/log/usercrashes
	conf_socket=/run/usercrash/usercrash.sock
	conf_slots=50
	conf_share=auto
	conf_report_free=auto
	conf_report_format=text
	conf_report_wait=20
	conf_report_max=8
	conf_reports_max=256
	conf_receiver=
	conf_send_command=
	conf_send_timeout=30
	conf_spool=/var/spool/usercrash
	conf_spool_max=4096
	conf_spool_free=auto
	conf_store=auto
	conf_store_max=4096
	conf_store_core_max=no
	conf_store_free=auto
	conf_suid_cores=keep
	conf_suid_dumpable=2
	conf_core_rate=5/600
	conf_core_rate_n=5
	conf_core_rate_s=600
	conf_core_limit=ignore
	conf_pipe_limit=1024
	conf_default_app=yes
	conf_ignore=
	conf_no_core=
	conf_program_shares=
	conf_hooks=
	conf_hook_timeout=30
	conf_debuginfod=no
	conf_stall=30
}

# Where the local store is when "store" says auto, or nothing else.
conf_store_default=/var/lib/usercrash/cores

# conf_read FILE: sets every conf_* variable.  0: all is well (a file that is
# not there is one without lines); 1: some lines are wrong and passed over;
# 2: the file cannot be trusted or read, the defaults hold.  What is wrong is
# in $conf_errors, one a line: "FILE:LINE: reason" or "FILE: reason".
conf_read()
{
	conf_defaults
	conf_errors='' conf_seen=' ' conf_n=0 conf_path=$1
	[ -e "$1" ] || [ -L "$1" ] || return 0
	if [ ! -f "$1" ]; then
		conf_errors="$1: not a regular file, ignored"
		return 2
	fi
	# what is checked is what is read: both by the descriptor
	if ! command exec 8<"$1"; then
		conf_errors="$1: unable to open, ignored"
		return 2
	fi
	if ! conf_trusted; then
		exec 8<&-
		return 2
	fi
	case $- in
	*f*) conf_glob= ;;
	*) conf_glob=1 ;;
	esac
	set -f
	while IFS= read -r conf_text <&8 || [ -n "$conf_text" ]; do
		conf_n=$((conf_n + 1))
		conf_split "$conf_text"
	done
	exec 8<&-
	[ -z "$conf_glob" ] || set +f
	if [ -n "$conf_receiver" ] && [ -n "$conf_send_command" ]; then
		conf_n=${conf_seen##* send-command:}
		conf_n=${conf_n%% *}
		conf_wrong "send-command: there is a receiver already"
		conf_send_command=
	fi
	[ -z "$conf_errors" ]
}

conf_trusted()
{
	conf_why='not a regular file'
	[ -f /proc/self/fd/8 ] && conf_owned /proc/self/fd/8 && return
	conf_errors="$conf_path: $conf_why, ignored"
	return 1
}

conf_wrong()
{
	conf_errors="$conf_errors${conf_errors:+
}$conf_path:$conf_n: $*"
	return 1
}

# One line: its words, up to one that begins with "#".
conf_split()
{
	IFS=' 	'
	# shellcheck disable=SC2086
	set -- $1
	unset IFS
	conf_words=
	for conf_w; do
		case $conf_w in
		'#'*) break ;;
		*[[:cntrl:]]*)
			conf_wrong "a control character"
			return
			;;
		esac
		conf_words="$conf_words${conf_words:+ }$conf_w"
	done
	# shellcheck disable=SC2086
	set -- $conf_words
	[ $# -gt 0 ] || return 0
	conf_k=$1
	shift
	# these may be given again and again
	case $conf_k in
	ignore | no-core | program-share | hook) ;;
	*)
		case $conf_seen in
		*" $conf_k:"*)
			conf_wrong "$conf_k: given before"
			return
			;;
		esac
		;;
	esac
	conf_key "$@" && conf_seen="$conf_seen$conf_k:$conf_n "
}

conf_key()
{
	case $conf_k in
	reports) conf_dir "$@" && conf_reports=$1 ;;
	socket) conf_dir "$@" && conf_socket=$1 ;;
	slots) conf_num 1 10000 "$@" && conf_slots=$1 ;;
	share) conf_or auto "$@" || conf_num 1 10000 "$@" && conf_share=$1 ;;
	report-free) conf_or auto "$@" || conf_num 0 1048576 "$@" &&
	    conf_report_free=$1 ;;
	report-format) conf_one_of 'text json' "$@" && conf_report_format=$1 ;;
	report-wait) conf_num 1 3600 "$@" && conf_report_wait=$1 ;;
	report-max) conf_num 1 1024 "$@" && conf_report_max=$1 ;;
	reports-max) conf_num 1 1048576 "$@" && conf_reports_max=$1 ;;
	receiver) conf_hosts "$@" && conf_receiver=$conf_list ;;
	send-command) conf_argv "$@" && conf_send_command=$* ;;
	send-timeout) conf_num 1 3600 "$@" && conf_send_timeout=$1 ;;
	spool) conf_or no "$@" || conf_dir "$@" && conf_spool=$1 ;;
	spool-max) conf_num 1 1073741824 "$@" && conf_spool_max=$1 ;;
	spool-free) conf_or auto "$@" || conf_num 0 1073741824 "$@" &&
	    conf_spool_free=$1 ;;
	store) conf_or no "$@" || conf_or auto "$@" || conf_dir "$@" &&
	    conf_store=$1 ;;
	store-max) conf_num 1 1073741824 "$@" && conf_store_max=$1 ;;
	store-core-max) conf_or no "$@" || conf_num 1 1073741824 "$@" &&
	    conf_store_core_max=$1 ;;
	store-free) conf_or auto "$@" || conf_num 0 1073741824 "$@" &&
	    conf_store_free=$1 ;;
	suid-cores) conf_one_of 'keep forward' "$@" && conf_suid_cores=$1 ;;
	suid-dumpable) conf_one_of 'keep 0 1 2' "$@" &&
	    conf_suid_dumpable=$1 ;;
	core-rate) conf_rate "$@" && conf_core_rate=$1 ;;
	core-limit) conf_one_of 'ignore honour' "$@" && conf_core_limit=$1 ;;
	pipe-limit) conf_num 1 1000000 "$@" && conf_pipe_limit=$1 ;;
	default-app) conf_one_of 'yes no' "$@" && conf_default_app=$1 ;;
	ignore) conf_some "$@" &&
	    conf_ignore="$conf_ignore${conf_ignore:+ }$*" ;;
	no-core) conf_some "$@" &&
	    conf_no_core="$conf_no_core${conf_no_core:+ }$*" ;;
	program-share) conf_program "$@" &&
	    conf_program_shares="$conf_program_shares$1 $2
" ;;
	hook) conf_argv "$@" && conf_hooks="$conf_hooks$*
" ;;
	hook-timeout) conf_num 1 3600 "$@" && conf_hook_timeout=$1 ;;
	debuginfod) conf_one_of 'yes no' "$@" && conf_debuginfod=$1 ;;
	stall) conf_num 1 3600 "$@" && conf_stall=$1 ;;
	*) conf_wrong "unknown key '$conf_k'" ;;
	esac
}

# --- values ----------------------------------------------------------------

conf_one()
{
	[ $# = 1 ] || conf_wrong "$conf_k: takes one value, not $#"
}

conf_some()
{
	[ $# -gt 0 ] || conf_wrong "$conf_k: a value is missing"
}

# conf_or WORD VALUE...: whether it is just that; says nothing.
conf_or()
{
	[ "$#:${2:-}" = "2:$1" ]
}

conf_one_of()
{
	conf_list=$1
	shift
	conf_one "$@" || return
	case " $conf_list " in
	*" $1 "*) ;;
	*) conf_wrong "$conf_k: '$1' is none of: $conf_list" ;;
	esac
}

conf_is_num()
{
	case $1 in
	'' | *[!0-9]* | ???????????*) return 1 ;;
	esac
}

# conf_num MIN MAX VALUE...
conf_num()
{
	conf_min=$1 conf_max=$2
	shift 2
	conf_one "$@" || return
	if ! conf_is_num "$1" || [ "$1" -lt "$conf_min" ] ||
	    [ "$1" -gt "$conf_max" ]; then
		conf_wrong "$conf_k: '$1' is no number of" \
		    "$conf_min to $conf_max"
	fi
}

# A path that is safe wherever it goes: units, patterns, file lists.
conf_dir()
{
	conf_one "$@" || return
	case $1 in
	*/../* | */.. | *[!A-Za-z0-9_./+,:@=-]*)
		conf_wrong "$conf_k: '$1' has '..' or characters other than" \
		    "letters, digits and _./+,:@=-"
		;;
	/?*) ;;
	*) conf_wrong "$conf_k: '$1' is no absolute path" ;;
	esac
}

# HOST[:PORT], with commas or blanks between; made one list with commas.
conf_hosts()
{
	conf_some "$@" || return
	conf_list=
	for conf_w; do
		case ,$conf_w, in
		*,,* | *,-* | *[!A-Za-z0-9._:,%\[\]-]*)
			conf_wrong "$conf_k: '$conf_w' is no HOST[:PORT]"
			return
			;;
		esac
		conf_list="$conf_list${conf_list:+,}$conf_w"
	done
}

conf_argv()
{
	conf_some "$@" || return
	case $1 in
	*/../* | *//*) ;;
	/?*) return 0 ;;
	esac
	conf_wrong "$conf_k: '$1' is no absolute path of a program"
}

# N/SECONDS, or no.
conf_rate()
{
	conf_one "$@" || return
	if [ "$1" = no ]; then
		conf_core_rate_n='' conf_core_rate_s=''
		return 0
	fi
	case $1 in
	*/*)
		if conf_is_num "${1%%/*}" && conf_is_num "${1#*/}" &&
		    [ "${1%%/*}" -ge 1 ] && [ "${1%%/*}" -le 10000 ] &&
		    [ "${1#*/}" -ge 1 ] && [ "${1#*/}" -le 31536000 ]; then
			conf_core_rate_n=${1%%/*} conf_core_rate_s=${1#*/}
			return 0
		fi
		;;
	esac
	conf_wrong "$conf_k: '$1' is not N/SECONDS with N of 1 to 10000"
}

conf_program()
{
	if [ $# != 2 ]; then
		conf_wrong "$conf_k: takes a pattern and a number"
	elif ! conf_is_num "$2" || [ "$2" -lt 1 ] || [ "$2" -gt 10000 ]; then
		conf_wrong "$conf_k: '$2' is no number of 1 to 10000"
	fi
}

# conf_match EXE PATTERN...: whether one of the patterns is that of the path
# or of its last part.  Call it with "set -f" on and the list unquoted.
conf_match()
{
	conf_exe=$1
	shift
	for conf_w; do
		# a pattern is the conf's, the value is only ever a word
		# shellcheck disable=SC2254
		case $conf_exe in
		$conf_w) return 0 ;;
		esac
		# shellcheck disable=SC2254
		case ${conf_exe##*/} in
		$conf_w) return 0 ;;
		esac
	done
	return 1
}
