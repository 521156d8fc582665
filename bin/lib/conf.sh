# shellcheck shell=sh disable=SC2034,SC2154
# conf: what several parts of crashlogctl know.  Part of crashlogctl.
#
# - usercrash.conf(5), as usercrash-wrapper reads it, in variables conf_KEY
# - the core_pattern that is ours, and the one that was there before
# - what is root's alone

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
	[ "$pattern_p" = usercrash-wrapper ] || pattern_is_socket "$1"
}

# pattern_is_socket PATTERN: whether it is core_accept's that we start.
pattern_is_socket()
{
	case $1 in
	"@${conf_socket%/*}/core.sock" | "@@${conf_socket%/*}/core.sock") ;;
	*) return 1 ;;
	esac
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

# conf_read FILE: sets a variable conf_KEY for each key that is not a list, and
# conf_hooks, one a line.  0: all is well (a file that is not there is one
# without lines); 1: some lines are wrong and passed over; 100: the file cannot
# be trusted or read, the defaults hold; 111: nothing is known.  What is wrong is
# in $conf_errors, one a line: "FILE:LINE: reason" or "FILE: reason".
conf_read()
{
	conf_rc=0 conf_errors='' conf_hooks=''
	conf_text=$("$bindir/usercrash-wrapper" --conf "$1" 2>/dev/null) ||
	    conf_rc=$?
	while IFS= read -r conf_line; do
		conf_k=${conf_line%% *}
		conf_v=${conf_line#"$conf_k"}
		conf_v=${conf_v# }
		case $conf_k in
		'') ;;
		error) conf_errors="$conf_errors${conf_errors:+
}$conf_v" ;;
		hook) conf_hooks="$conf_hooks$conf_v
" ;;
		*)
			while :; do
				case $conf_k in
				*-*) conf_k=${conf_k%%-*}_${conf_k#*-} ;;
				*) break ;;
				esac
			done
			IFS= read -r "conf_$conf_k" <<-END
				$conf_v
			END
			;;
		esac
	done <<-END
		$conf_text
	END
	# the last line has its key
	[ "${conf_stall:-}" ] || conf_rc=111
	return "$conf_rc"
}

conf_is_num()
{
	case $1 in
	'' | *[!0-9]* | ???????????*) return 1 ;;
	esac
}
