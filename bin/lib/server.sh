# shellcheck shell=sh disable=SC2034,SC2154
# server: usercrash_s and the flush timer, started and stopped.  Part of
# crashlogctl.
#
# Whoever runs the services of the machine is to run the server as well:
# systemd, OpenRC, runit, s6; where it is none of them, a plain daemon with a
# pid file.  What was started here is noted in $state/server before it is, and
# only that is stopped by disable.  Files that we write for it carry a mark,
# and only those are removed.  Without a server reports are still written:
# usercrash_c takes the slots itself.
#
# $state/server: one line: kind of server, its pid file, its options
#
# The service meant is in $svc, a program's name; its socket in $svc_at, its
# options in $args, the file it is noted in in $svc_note.  The other one is
# core_accept (socket.sh).

mark='# Written by crashlogctl enable.'
unit=usercrash_s.socket

# What manages services here.
server_kind()
{
	if [ "$server_want" != auto ]; then
		say "$server_want"
	elif [ -n "$root" ]; then
		if [ -n "$(systemd_unit)" ]; then
			say systemd
		else
			say none
		fi
	elif [ -d /run/systemd/system ]; then
		say systemd
	elif [ -e /run/openrc/softlevel ] && have rc-service; then
		say openrc
	elif [ "$(cat /proc/1/comm 2>/dev/null)" = runit ]; then
		say runit
	elif [ "$(cat /proc/1/comm 2>/dev/null)" = s6-svscan ]; then
		say s6
	else
		say daemon
	fi
}

# systemd_unit [NAME]: where that unit is, or nothing.
systemd_unit()
{
	for d in /etc/systemd/system "${bindir%/*}/lib/systemd/system" \
	    /usr/lib/systemd/system /lib/systemd/system; do
		if [ -f "$root$d/${1:-$unit}" ]; then
			say "$d/${1:-$unit}"
			return
		fi
	done
}

# The server's options as the conf has them; none if all are the defaults.
server_args()
{
	args=
	[ "$conf_socket" = /run/usercrash/usercrash.sock ] ||
	    args="$args -S $conf_socket"
	[ "$conf_reports" = /var/log/usercrashes ] ||
	    args="$args -d $conf_reports"
	[ "$conf_slots" = 50 ] || args="$args -n $conf_slots"
	[ "$conf_share" = auto ] || args="$args -s $conf_share"
	[ "$conf_report_free" = auto ] || args="$args -m $conf_report_free"
	[ "$conf_report_max" = 8 ] || args="$args -R $conf_report_max"
	[ "$conf_reports_max" = 256 ] || args="$args -M $conf_reports_max"
	[ "$conf_reports_readable" = root ] || args="$args -O"
	printf '%s\n' "${args# }"
}

# listens_at PATH: does anybody listen on that socket?
listens_at()
{
	awk -v path="$1" '
		$8 == path && $4 == "00010000" { found = 1 }
		END { exit !found }' /proc/net/unix 2>/dev/null
}

server_listens()
{
	listens_at "$conf_socket"
}

server_state()
{
	noted=
	read -r noted _ 2>/dev/null <"$root$state/server"
	if [ -n "$root" ]; then
		say "${noted:-none}"
	elif server_listens; then
		say "listens at $conf_socket${noted:+ ($noted)}"
	else
		say "none listens at $conf_socket${noted:+ ($noted)};" \
		    "usercrash_c takes the slots itself"
	fi
}

the_server()
{
	svc=usercrash_s svc_at=$conf_socket svc_note=$root$state/server
	args=$(server_args)
}

server_start()
{
	the_server
	service_start && return
	warn "unable to start the server by $kind; usercrash_c takes the" \
	    "slots itself"
	return 1
}

server_stop()
{
	the_server
	service_stop
}

# A note that is there by what started the service, and with which options.
service_start()
{
	kind=$(server_kind)
	# beside the socket, where that is
	pidfile=${conf_socket%/*}/$svc.pid
	note="$kind $pidfile $args"
	if noted=$(cat "$svc_note" 2>/dev/null); then
		# one with other options goes first
		[ "$noted" = "$note" ] || service_stop
	elif [ -z "$root" ] && listens_at "$svc_at"; then
		# somebody else's, and so it stays
		return 0
	fi
	[ "${note%% *}" != none ] || return 0
	kind=${note%% *} pidfile=${conf_socket%/*}/$svc.pid
	raw "$note" | put_file "$svc_note" 600 || return 1
	service_do start
}

service_stop()
{
	if ! read -r kind pidfile _ 2>/dev/null <"$svc_note"; then
		drop_file "$svc_note"
		return
	fi
	case $kind in
	systemd | openrc | runit | s6 | daemon) ;;
	*)
		warn "unable to stop a server by '$kind'"
		drop_file "$svc_note"
		return 1
		;;
	esac
	if ! service_do stop; then
		warn "unable to stop the server by $kind"
		return 1
	fi
	drop_file "$svc_note"
}

# service_do start|stop: by $kind; where that wants more than a command line,
# each service has a way of its own.
service_do()
{
	case $svc-$kind in
	core_accept-systemd | core_accept-openrc) "$1_core_$kind" ;;
	*) "$1_$kind" ;;
	esac
}

# put_marked PATH MODE: like put_file, with a mark; a file of somebody else's
# is left alone.
put_marked()
{
	if [ -e "$1" ] && ! grep -Fqx "$mark" "$1"; then
		return 0
	fi
	put_dir "${1%/*}" 755 && put_file "$@"
}

drop_marked()
{
	if [ -f "$1" ] && grep -Fqx "$mark" "$1"; then
		drop_file "$1"
		# a directory that was made for it
		case ${1%/*} in
		*/usercrash* | */core_accept) rmdir "${1%/*}" 2>/dev/null || : ;;
		esac
	fi
}

# --- systemd ---------------------------------------------------------------

etcunits=/etc/systemd/system
flush=usercrash-flush.timer

# systemctl_do VERB UNIT...: for good, and at once where it is this machine.
systemctl_do()
{
	if [ -n "$root" ]; then
		run systemctl --root="$root" "$@"
	else
		verb=$1
		shift
		run systemctl "$verb" --now "$@"
	fi
}

# drop_in UNIT [LINE...]: what is other than in the unit; without lines none is.
drop_in()
{
	dropin=$root$etcunits/$1.d/50-conf.conf
	shift
	if [ $# -gt 0 ]; then
		printf '%s\n' "$mark" "$@" | put_marked "$dropin" 644
	else
		drop_marked "$dropin"
	fi
}

start_systemd()
{
	have systemctl && [ -n "$(systemd_unit)" ] || return 1
	set --
	[ -z "$args" ] || set -- '[Service]' ExecStart= \
	    "ExecStart=$bindir/usercrash_s -i $args" \
	    "ReadWritePaths=-$conf_reports"
	drop_in usercrash_s@.service "$@" || return 1
	set --
	case $args in
	-S*)
		set -- '[Socket]' ListenSequentialPacket= \
		    "ListenSequentialPacket=$conf_socket"
		;;
	esac
	drop_in $unit "$@" || return 1
	set --
	flush_spool=$conf_spool
	[ "$flush_spool" != no ] || flush_spool=/var/spool/usercrash
	[ "$conf $flush_spool" = "$conf_file /var/spool/usercrash" ] ||
	    set -- '[Service]' ExecStart= \
		"ExecStart=$bindir/crashlogctl --conf $conf flush" \
		"ReadWritePaths=-$flush_spool"
	drop_in ${flush%.*}.service "$@" || return 1
	[ -n "$root" ] || run systemctl daemon-reload || return 1
	systemctl_do enable $unit || return 1
	if sends && [ "$conf_spool" != no ] && [ -n "$(systemd_unit $flush)" ]
	then
		systemctl_do enable $flush
	fi
}

stop_systemd()
{
	have systemctl || return 1
	set --
	[ -z "$(systemd_unit)" ] || set -- $unit
	# it goes on where core_send.env, too, says where to
	[ -z "$(systemd_unit $flush)" ] || [ -e "$root$send_env" ] ||
	    set -- "$@" $flush
	[ $# = 0 ] || systemctl_do disable "$@" || return 1
	for u in usercrash_s@.service $unit ${flush%.*}.service; do
		drop_in "$u"
	done
	[ -n "$root" ] || run systemctl daemon-reload
}

# --- OpenRC ----------------------------------------------------------------

# Our examples, or nothing.
examples()
{
	for d in "${bindir%/*}/share/doc/usercrash" "${bindir%/*}/etc"; do
		if [ -e "$d/$1" ]; then
			say "$d/$1"
			return
		fi
	done
}

start_openrc()
{
	script=$(examples openrc/usercrash_s)
	[ -n "$script" ] || return 1
	{
		sed -n 1p "$script"
		say "$mark"
		sed 1d "$script"
	} | put_marked "$root/etc/init.d/usercrash_s" 755 || return 1
	if [ -n "$args" ]; then
		put_marked "$root/etc/conf.d/usercrash_s" 644 <<-END || return 1
			$mark
			usercrash_s_args="$args"
		END
	fi
	run rc-update add usercrash_s default || return 1
	[ -n "$root" ] || run rc-service usercrash_s start
}

stop_openrc()
{
	[ -n "$root" ] || run rc-service usercrash_s stop
	run rc-update del usercrash_s default
	drop_marked "$root/etc/init.d/usercrash_s"
	drop_marked "$root/etc/conf.d/usercrash_s"
}

# --- runit and s6 ----------------------------------------------------------

# A service directory, complete before it gets its name where it is scanned.
put_service()
{
	put_marked "$1/run" 755 <<-END
		#!/bin/sh
		$mark
		exec 2>&1
		exec $bindir/$svc $args
	END
}

runit_scan()
{
	for d in /var/service /etc/service /service /run/runit/service; do
		if [ -d "$root$d" ]; then
			say "$root$d"
			return
		fi
	done
}

start_runit()
{
	scan=$(runit_scan)
	[ -n "$scan" ] || return 1
	put_service "$root/etc/sv/$svc" || return 1
	[ -e "$scan/$svc" ] ||
	    run ln -s "/etc/sv/$svc" "$scan/$svc"
}

stop_runit()
{
	scan=$(runit_scan)
	[ -n "$root" ] || ! have sv || run sv down "$svc"
	if [ -n "$scan" ] && [ -L "$scan/$svc" ]; then
		drop_file "$scan/$svc"
	fi
	drop_marked "$root/etc/sv/$svc/run"
}

start_s6()
{
	scan=/run/service
	[ -z "$root" ] && [ -d $scan ] && have s6-svscanctl || return 1
	put_service "$scan/$svc" || return 1
	run s6-svscanctl -a $scan || return 1
	warn "$scan is made anew at boot: for a service that stays see" \
	    "${bindir%/*}/share/doc/usercrash/s6"
}

stop_s6()
{
	scan=/run/service
	if [ -d "$scan/$svc" ]; then
		! have s6-svunlink || run s6-svunlink $scan "$svc"
		drop_marked "$scan/$svc/run"
	fi
}

# --- a plain daemon --------------------------------------------------------

# The id in the pid file, if it still is that server; else of the one that
# holds the lock beside the socket: two that were started at once have both
# written the file, and one of them has gone.
daemon_pid()
{
	if read -r pid 2>/dev/null <"$pidfile" && is_server "$pid"; then
		say "$pid"
		return
	fi
	for lock in "${pidfile%/*}"/*.lock; do
		pid=$(awk -v end=":$(inode "$lock")\$" '
			$2 == "FLOCK" && $6 ~ end { print $5; exit }' /proc/locks)
		if is_server "$pid"; then
			say "$pid"
			return
		fi
	done
	return 1
}

is_server()
{
	conf_is_num "$1" || return 1
	case $(readlink "/proc/$1/exe") in
	*/"$svc" | */"$svc (deleted)") ;;
	*) return 1 ;;
	esac
}

# until_true TENTHS COMMAND...: whether it succeeds in that time.
until_true()
{
	tenths=$1
	shift
	until "$@"; do
		[ "$tenths" -gt 0 ] || return 1
		tenths=$((tenths - 1))
		sleep 0.1 2>/dev/null || sleep 1
	done
}

start_daemon()
{
	[ -z "$root" ] || return 1
	! daemon_pid >/dev/null || return 0
	have "$svc" || return 1
	put_dir "${conf_socket%/*}" 755 || return 1
	change "run $svc${args:+ $args} as a daemon" || return 0
	log=/dev/null
	[ ! -w /dev/kmsg ] || log=/dev/kmsg
	set --
	! have setsid || set -- setsid
	# The pid is written by the daemon before it is one, so that there is
	# none that nobody can find.  The words are numbers and plain paths.
	# shellcheck disable=SC2016,SC2086
	(cd / && exec sh -c 'echo $$ >"$0" && exec "$@"' "$pidfile" "$@" \
	    "$svc" $args </dev/null >/dev/null 2>>$log 9>&-) &
	daemon=$!
	until_true 50 daemon_settled
	listens_at "$svc_at"
}

# It listens, or has ended.
daemon_settled()
{
	listens_at "$svc_at" && return
	case $(sed 's/.*) //' "/proc/$daemon/stat" 2>/dev/null) in
	Z* | X* | '') ;;
	*) return 1 ;;
	esac
}

stop_daemon()
{
	pid=$(daemon_pid) || {
		[ -n "$dry" ] || rm -f "$pidfile"
		return 0
	}
	change "end the server, process $pid" || return 0
	kill "$pid"
	until_true 650 daemon_gone || return 1
	rm -f "$pidfile"
}

daemon_gone()
{
	! daemon_pid >/dev/null
}
