# shellcheck shell=sh disable=SC2034,SC2154
# upgrade: what older versions kept where it is somebody else's now.  Part of
# crashlogctl.
#
# The local store and the receiver's were one directory, and at the next boot
# it became the receiver's.  Whose a host's directory is tells which of the two
# it belongs to.  What is not root's may be changed by its owner while we look:
# it is renamed, by name, into a directory that we stand in, and never
# followed, opened or copied.

received=/var/lib/recv_core

upgrade_is_root()
{
	[ "$(stat -c %u "$1" 2>/dev/null)" = 0 ]
}

# A file system's number, to rename within.
upgrade_device()
{
	stat -c %d "$1"
}

# The store becomes root's, and the hosts that are not root's go.
upgrade_store()
{
	old=$root$conf_store_default new=$root$received
	[ -d "$old" ] && [ ! -L "$old" ] || return 0
	conf_owned "${old%/*}" || return 1
	if ! upgrade_is_root "$old"; then
		owner=$(stat -c %u:%g "$old")
		change "give $old to root" || return 0
		chmod 700 "$old" && chown -h 0:0 "$old" || return 1
	else
		owner=
	fi
	moved=0
	for host in "$old"/*; do
		if upgrade_is_root "$host" ||
		    { [ ! -d "$host" ] && [ ! -L "$host" ]; }; then
			continue
		fi
		if [ -L "$host" ]; then
			# core_dump: the next core makes it anew
			drop_file "$host"
			continue
		fi
		if [ ! -e "$new" ] && [ ! -L "$new" ]; then
			change "make directory $new" || return 0
			mkdir -m 750 "$new" &&
			    chown "${owner:-$(stat -c %u:%g "$host")}" "$new" ||
			    return 1
		fi
		change "move $host to $new" || continue
		upgrade_host "${host##*/}" || moved=1
	done
	return $moved
}

# upgrade_host NAME: from $old to $new, if there is none of that name.
upgrade_host()
{
	[ "$(upgrade_device "$old/$1")" = "$(upgrade_device "$new/.")" ] &&
	    [ ! -L "$new" ] && (cd "$new" && mv -T -n "$old/$1" "./$1") &&
	    [ ! -e "$old/$1" ]
}

upgrade_home()
{
	grep -q '^usercrash:.*:/var/lib/usercrash:[^:]*$' \
	    "$root/etc/passwd" 2>/dev/null && have usermod || return 0
	run usermod ${root:+-R "$root"} -d / usercrash
}

upgrade()
{
	upgrade_store || {
		warn "unable to move what was received from $old to $new:" \
		    "move it by hand"
		return 1
	}
	upgrade_home || warn "unable to change the home of usercrash"
}

cmd_upgrade()
{
	plain_command "$@"
	need_root
	read_conf
	upgrade
}
