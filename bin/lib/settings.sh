# shellcheck shell=sh disable=SC2034,SC2154
# settings: enable and disable.  Part of crashlogctl.
#
# What was set before is saved first and forgotten last, in one file written
# whole or not at all; core_pattern is set last by enable and put back first by
# disable.  Whoever is killed between any two steps leaves the old pattern, or
# ours with all it needs, and the saved state to undo it with.  Every step
# looks before it changes, so doing it again does only what is missing.
# Only suid_dumpable is 2 no longer than our pattern is there: with the name of
# a file beside it, the kernel refuses such cores, and complains.
#
# $state/saved    kernel.core_pattern VALUE        as they were
#                 kernel.core_pipe_limit VALUE
#                 fs.suid_dumpable VALUE
#                 set KEY VALUE                    each value that we set
# $state/server   how the server was started, if we did (server.sh)
# $state/socket   the same of core_accept (socket.sh)
#
# disable puts back a value only where it still is one that we set: what
# somebody else has set meanwhile is theirs.

proc=/proc/sys
sysctl_mark='# Written by crashlogctl enable; crashlogctl disable removes it.'

# --- changes: each is said, and with -n only said --------------------------

change()
{
	if [ -n "$dry" ]; then
		say "would $*"
		return 1
	fi
	say "$*"
}

# run COMMAND...: 0 also where it would be run.
run()
{
	change "run $*" || return 0
	"$@" 9>&-
}

sysctl_path()
{
	printf '%s/%s\n' "$proc" "$(say "$1" | tr . /)"
}

# sysctl_get KEY: of an image what it will be when it is booted.
sysctl_get()
{
	if [ -n "$root" ]; then
		boot_value "$1" "$root$sysctl_file"
		return
	fi
	# not by the shell's read: numbers there cannot be read byte by byte
	cat "$(sysctl_path "$1")"
}

# sysctl_put KEY VALUE: and read back, as the kernel cuts in silence.
sysctl_put()
{
	put_old=$(sysctl_get "$1")
	[ "$put_old" != "$2" ] || return 0
	change "set $1 to '$2' (was '$put_old')" || return 0
	{ printf '%s\n' "$2" >"$(sysctl_path "$1")"; } 2>/dev/null ||
	    return 1
	[ "$(sysctl_get "$1")" = "$2" ]
}

# put_file PATH MODE: the standard input, whole or not at all, and on the disk.
put_file()
{
	put_text=$(cat && say .)
	put_text=${put_text%.}
	if [ -f "$1" ] && [ ! -L "$1" ] &&
	    [ "$(cat "$1" && say .)" = "$put_text." ]; then
		return 0
	fi
	change "write $1" || return 0
	rm -f "$1.new"
	if (set -C && umask 077 && printf '%s' "$put_text" >"$1.new") \
	    2>/dev/null && chmod "$2" "$1.new"; then
		sync "$1.new" 2>/dev/null || sync
		if mv -f "$1.new" "$1"; then
			sync "${1%/*}" 2>/dev/null || sync
			return 0
		fi
	fi
	rm -f "$1.new"
	return 1
}

drop_file()
{
	[ -n "$dry" ] || rm -f "$1.new"
	[ -e "$1" ] || [ -L "$1" ] || return 0
	change "remove $1" || return 0
	rm -f "$1"
}

# put_dir PATH MODE [GROUP]: what is there already stays as it is.
put_dir()
{
	[ ! -d "$1" ] || return 0
	# with -n it is missing the second time, too
	case ${dirs_said:-} in
	*"<$1>"*) return 0 ;;
	esac
	dirs_said=${dirs_said:-}${dry:+<$1>}
	change "make directory $1 (mode $2${3:+, group $3})" || return 0
	mkdir -p "${1%/*}" || return 1
	# another one may make it at the same time
	mkdir -m "$2" "$1" 2>/dev/null || [ -d "$1" ] || return 1
	# where there is no such group, root's will do, as in usercrash_s
	[ -z "${3:-}" ] || chgrp "$3" "$1" 2>/dev/null || :
}

# --- saved state -----------------------------------------------------------

# state_safe: whether what we left there can only be ours; else $conf_why.
state_safe()
{
	for f in saved server socket lock rate; do
		conf_safe "$root$state" "$root$state/$f" || return
	done
}

state_check()
{
	[ ! -d "$root$state" ] || state_safe ||
	    die 111 "$conf_why: what is in $root$state tells what root runs," \
	        "so look at it, then give it to root alone"
}

# Nobody else enables or disables meanwhile.
settings_lock()
{
	[ -z "$dry" ] && [ -d "$root$state" ] || return 0
	exec 9>>"$root$state/lock" || die 111 "unable to open $root$state/lock"
	! have flock || flock 9 || die 111 "unable to lock $root$state/lock"
}

# was KEY: the value before, or nothing.
was()
{
	saved_value "$1" "$root$state/saved"
}

# we_set KEY VALUE: whether that is a value we set.
we_set()
{
	[ -f "$root$state/saved" ] &&
	    grep -Fqx -- "set $1 $2" "$root$state/saved"
}

# What to save as the pattern before ours.
pattern_before()
{
	if ! pattern_is_ours "$now_pattern"; then
		printf '%s\n' "$now_pattern"
	elif ! was kernel.core_pattern; then
		# ours is live and nobody knows since when
		before=$(boot_value kernel.core_pattern "$root$sysctl_file")
		if pattern_is_ours "$before"; then
			before=core
		fi
		printf '%s\n' "$before"
	fi
}

# keep_or_now KEY: the saved value while the present one is our doing.
keep_or_now()
{
	now=$(sysctl_get "$1")
	if we_set "$1" "$now" && was "$1"; then
		return
	fi
	printf '%s\n' "$now"
}

save_state()
{
	{
		raw "kernel.core_pattern $(pattern_before)"
		raw "kernel.core_pipe_limit $(
		    keep_or_now kernel.core_pipe_limit)"
		raw "fs.suid_dumpable $(keep_or_now fs.suid_dumpable)"
		{
			grep '^set ' "$root$state/saved" 2>/dev/null
			raw "set kernel.core_pattern $new_pattern"
			if [ -n "$socket" ]; then
				raw "set kernel.core_pattern @$(core_socket)"
				raw "set kernel.core_pattern @@$(core_socket)"
			fi
			raw "set kernel.core_pipe_limit $new_limit"
			[ "$conf_suid_dumpable" = keep ] ||
			    raw "set fs.suid_dumpable $conf_suid_dumpable"
		} | sort -u
	} | put_file "$root$state/saved" 600
}

# --- at boot ---------------------------------------------------------------

# sysctl_files [EXCEPT]: in the order in which they are read at boot: by their
# last part, the first of a name; then sysctl.conf.
sysctl_files()
{
	for d in /etc /run /usr/local/lib /usr/lib /lib; do
		for f in "$root$d"/sysctl.d/*.conf; do
			if [ -e "$f" ] && [ "$f" != "${1:-}" ]; then
				printf '%s\t%s\n' "${f##*/}" "$f"
			fi
		done
	done | awk -F '\t' '!seen[$1]++' | sort | cut -f 2-
	[ ! -f "$root/etc/sysctl.conf" ] ||
	    printf '%s\n' "$root/etc/sysctl.conf"
}

# boot_line KEY [EXCEPT]: "FILE<tab>VALUE" of the last one to set it.
boot_line()
{
	sysctl_files "${2:-}" | while IFS= read -r f; do
		awk -v key="$1" '
			/^[ \t]*[#;]/ { next }
			(at = index($0, "=")) {
				k = substr($0, 1, at - 1)
				gsub(/^[ \t]*-?[ \t]*|[ \t]+$/, "", k)
				gsub(/\//, ".", k)
				if (k != key) next
				v = substr($0, at + 1)
				gsub(/^[ \t]+|[ \t]+$/, "", v)
				print FILENAME "\t" v
			}' "$f" 2>/dev/null
	done | tail -n 1
}

# boot_value KEY [EXCEPT]: what it will be after a boot.
boot_value()
{
	boot=$(boot_line "$@")
	if [ -n "$boot" ]; then
		printf '%s\n' "${boot#*"$tab"}"
		return
	fi
	case $1 in
	kernel.core_pattern) say core ;;
	*) say 0 ;;
	esac
}

put_sysctl_file()
{
	[ "$sysctl_file" != no ] || return 0
	if [ -e "$root$sysctl_file" ] &&
	    ! grep -Fqx "$sysctl_mark" "$root$sysctl_file"; then
		die 100 "$root$sysctl_file was not written by crashlogctl:" \
		    "move it away, or use --sysctl FILE"
	fi
	put_dir "$root${sysctl_file%/*}" 755
	{
		raw "$sysctl_mark"
		raw "kernel.core_pipe_limit = $new_limit"
		raw "kernel.core_pattern = $new_pattern"
		[ "$conf_suid_dumpable" = keep ] ||
		    raw "fs.suid_dumpable = $conf_suid_dumpable"
	} | put_file "$root$sysctl_file" 644
}

# --- enable ----------------------------------------------------------------

# The pattern that makes the kernel run the wrapper of this installation.
make_pattern()
{
	wrapper=$bindir/usercrash-wrapper
	if [ -n "$root" ]; then
		# as it is called inside, whether this one is inside or not
		case $wrapper in
		"$root"/*) wrapper=${wrapper#"$root"} ;;
		*)
			for d in "$bindir" /usr/bin /usr/local/bin; do
				wrapper=$d/usercrash-wrapper
				[ ! -e "$root$wrapper" ] || break
			done
			;;
		esac
	fi
	# what stands behind a socket is not called by the kernel
	new_pattern="|$wrapper${socket:+ -k}"
	[ "$conf" = "$conf_file" ] || new_pattern="$new_pattern -c $conf"
	[ "$state" = "$conf_statedir" ] ||
	    new_pattern="$new_pattern -s $state"
	case "$conf$state$wrapper" in
	*[%\ "$tab"]*) die 100 "no blank or % may be in $conf, $state" \
	    "and $wrapper: the kernel would take them apart" ;;
	esac
	new_pattern="$new_pattern $pattern_args"
	[ ${#new_pattern} -le "$pattern_max" ] ||
	    die 100 "the pattern has ${#new_pattern} characters and the" \
	        "kernel takes $pattern_max: '$new_pattern'"
}

# Never less than there was.
make_limit()
{
	new_limit=$conf_pipe_limit
	limit=$(sysctl_get kernel.core_pipe_limit)
	if conf_is_num "$limit" && [ "$limit" -gt "$new_limit" ]; then
		new_limit=$limit
	fi
}

# The local store's directory; nothing if there is none.
store_dir()
{
	case $conf_store in
	no) ;;
	auto)
		# a pattern that was a file name: somebody wanted cores
		before=$(was kernel.core_pattern) || return 0
		case $before in
		'|'*) ;;
		*) printf '%s\n' "$root$conf_store_default" ;;
		esac
		;;
	*) printf '%s\n' "$root$conf_store" ;;
	esac
}

sends()
{
	[ -n "$conf_receiver$conf_send_command" ]
}

explain_before()
{
	before=$1
	case $before in
	'')
		say "there was no core_pattern: the local store keeps the" \
		    "cores" ;;
	'|'*)
		case $(pattern_program "$before") in
		usercrash_c)
			say "$before was a handler of usercrash: the wrapper" \
			    "takes its place" ;;
		*)
			if [ "$conf_default_app" = yes ]; then
				say "$before is called for each crash, as" \
				    "before"
			else
				say "$before is no longer called" \
				    "(default-app no)"
			fi
			;;
		esac
		return
		;;
	@*)
		say "$before is a socket, which the wrapper cannot serve:" \
		    "the local store keeps the cores instead" ;;
	*)
		say "$before is the name of a core file, not a program: the" \
		    "local store keeps the cores instead" ;;
	esac
	case $conf_store in
	no) say "and there is no local store ($conf: store no)" ;;
	auto) say "they are in $conf_store_default" ;;
	*) say "they are in $conf_store" ;;
	esac
}

# What is kept, and what will be refused.
explain_room()
{
	room_reports
	[ "$takes" != refused ] || warn "$reports: $(room_says report)"
	dir=$(store_dir)
	if [ -n "$dir" ]; then
		room_store "$dir"
		explain_cores store "$dir"
	fi
	if sends && [ "$conf_spool" != no ]; then
		room_spool "$root$conf_spool"
		explain_cores spool "$root$conf_spool"
	fi
}

explain_cores()
{
	if [ "$takes" = refused ]; then
		warn "$1: $2: $(room_says core)"
	else
		say "$1: $2: $(room_says core)"
	fi
}

cmd_enable()
{
	socket=
	while [ $# -gt 0 ]; do
		option "$@" || case $1 in
		--socket) socket=1 ;;
		*) bad_usage "no option or operand is called $1" ;;
		esac
		shift "$eaten"
	done
	need_root
	read_conf
	# it stays what it is, until disable
	[ ! -e "$root$state/socket" ] || socket=1
	[ "$conf_rc" = 0 ] ||
	    die 100 "$root$conf is wrong: nothing was changed"
	make_pattern
	[ -x "$root$wrapper" ] || die 111 "unable to find $root$wrapper"
	for p in usercrash_c core_tee core_send recv_core ${socket:+core_accept}
	do
		[ -x "$root${wrapper%/*}/$p" ] ||
		    warn "$root${wrapper%/*}/$p is not there"
	done
	partly=0
	put_dir "$root$state" 700 || die 111 "unable to make $root$state"
	state_check
	settings_lock
	# one with a state of its own is not what was installed here
	[ "$state" != "$conf_statedir" ] || upgrade || partly=1
	now_pattern=$(sysctl_get kernel.core_pattern) ||
	    die 111 "unable to read kernel.core_pattern"
	make_limit
	save_state || die 111 "unable to save what is set now in $root$state"
	enable_dirs
	server_start || partly=1
	if [ -z "$root" ]; then
		sysctl_put kernel.core_pipe_limit "$new_limit" ||
		    die 111 "unable to set kernel.core_pipe_limit"
	fi
	put_sysctl_file || die 111 "unable to write $root$sysctl_file"
	enable_pattern
	enable_suid
	if [ -n "$dry" ]; then
		explain_before "$(pattern_before)"
	else
		explain_before "$(was kernel.core_pattern)"
	fi
	explain_room
	return "$partly"
}

# The pipe; and then the socket, where that is wanted and is not live.
enable_pattern()
{
	if [ -n "$socket" ] && [ -z "$root" ] && socket_is_live &&
	    socket_is_same; then
		return
	fi
	[ -n "$root" ] || sysctl_put kernel.core_pattern "$new_pattern" ||
	    die 111 "unable to set kernel.core_pattern: it is" \
	        "'$(sysctl_get kernel.core_pattern)'"
	[ -z "$socket" ] || socket_start || partly=1
}

# enable_suid: what becomes of processes whose memory is a secret.  The kernel
# marks them by what is set at the moment they drop root.
enable_suid()
{
	suid_was=$(sysctl_get fs.suid_dumpable)
	suid=$conf_suid_dumpable
	[ "$suid" != keep ] || suid=$suid_was
	[ -n "$root" ] || sysctl_put fs.suid_dumpable "$suid" || {
		warn "unable to set fs.suid_dumpable"
		suid=$suid_was partly=1
	}
	case $suid in
	0) say "daemons that dropped root, and set-user-ID programs, leave" \
	    "neither report nor core (suid-dumpable)" ;;
	2) say "daemons that dropped root, and set-user-ID programs, are" \
	    "reported, to root alone" ;;
	esac
	[ "$suid" = "$suid_was" ] || [ -n "$root" ] ||
	    say "  (those that run already: when they are started anew)"
}

enable_dirs()
{
	put_dir "$reports" 750 adm || partly=1
	enable_readable
	if sends && [ "$conf_spool" != no ]; then
		put_dir "$root$conf_spool" 700 || partly=1
	fi
	if [ -n "$dry" ] && [ "$conf_store" = auto ]; then
		case $now_pattern in
		'|'*) ;;
		*) put_dir "$root$conf_store_default" 700 ;;
		esac
		return
	fi
	dir=$(store_dir)
	[ -z "$dir" ] || put_dir "$dir" 700 || partly=1
	[ "$partly" = 0 ] || warn "unable to make a directory"
}

# Whether others may look into the directory of reports, where some are theirs;
# while so, usercrash_s(8) opens it.
enable_readable()
{
	[ -d "$reports" ] || return 0
	if [ "$conf_reports_readable" = owner ]; then
		has_mode "$reports" 5 ||
		    ! change "let others look into $reports (mode 755)" ||
		    chmod 755 "$reports" || partly=1
		say "reports can be read by whose crash it was (reports-readable)"
	elif has_mode "$reports" 5; then
		! change "keep others out of $reports (mode 750)" ||
		    chmod 750 "$reports" || partly=1
	fi
}

# has_mode FILE OTHERS: whether others may do all that to it.
has_mode()
{
	[ $((0$(stat -c %a "$1") & $2)) = "$2" ]
}

# --- disable ---------------------------------------------------------------

# Puts back what we set; what somebody else has set since stays.
put_back()
{
	back=$(was "$1") || return 0
	now=$(sysctl_get "$1")
	[ "$now" != "$back" ] || return 0
	if we_set "$1" "$now" ||
	    { [ "$1" = kernel.core_pattern ] && pattern_is_ours "$now"; }; then
		sysctl_put "$1" "$back"
	elif grep -q "^set $1 " "$root$state/saved"; then
		warn "$1 is '$now', which somebody else has set: left as it is"
	fi
}

cmd_disable()
{
	plain_command "$@"
	need_root
	read_conf
	state_check
	settings_lock
	partly=0
	if [ -z "$root" ]; then
		now_pattern=$(sysctl_get kernel.core_pattern)
		if pattern_is_ours "$now_pattern" &&
		    ! was kernel.core_pattern >/dev/null; then
			# nothing saved, and ours must go
			before=$(pattern_before)
			warn "nothing is known of before: setting '$before'"
			sysctl_put kernel.core_pattern "$before" ||
			    die 111 "unable to set kernel.core_pattern"
		fi
		put_back fs.suid_dumpable || {
			warn "unable to set fs.suid_dumpable"
			partly=1
		}
		# first its end, which leaves a pipe
		[ ! -e "$state/socket" ] || socket_stop || partly=1
		put_back kernel.core_pattern ||
		    die 111 "unable to set kernel.core_pattern"
	elif [ -e "$root$state/socket" ]; then
		socket_stop || partly=1
	fi
	if [ "$sysctl_file" != no ] && { [ ! -e "$root$sysctl_file" ] ||
	    grep -Fqx "$sysctl_mark" "$root$sysctl_file"; }; then
		drop_file "$root$sysctl_file" ||
		    die 111 "unable to remove $root$sysctl_file"
	fi
	if [ -z "$root" ]; then
		put_back kernel.core_pipe_limit ||
		    die 111 "unable to set kernel.core_pipe_limit"
	fi
	server_stop || partly=1
	drop_file "$root$state/saved" ||
	    die 111 "unable to remove $root$state/saved"
	return "$partly"
}
