# shellcheck shell=sh disable=SC2034,SC2154
# socket: the kernel's coredump socket in place of a pipe.  Part of crashlogctl.
#
# core_accept listens and becomes the wrapper for each crash; it sets
# core_pattern itself, once it answers, and a pipe to the same wrapper at its
# end.  So what is set for the next boot, and whenever nobody listens, is the
# pipe: no crash is to find an empty socket.  Only where it is killed the socket
# stays set, and then the kernel's log says what was lost.
#
# $state/socket: how core_accept was started, as $state/server

# Where it is, beside the server's.
core_socket()
{
	printf '%s\n' "${conf_socket%/*}/core.sock"
}

# What the kernel makes of a core_pattern that begins with @ or @@.
socket_known()
{
	[ -z "$root" ] || return 0
	socket_how=$("$bindir/core_accept" -k 2>/dev/null)
}

the_socket()
{
	svc=core_accept svc_at=$(core_socket) svc_note=$root$state/socket
	args="-p -l $svc_at ${new_pattern#?}"
}

socket_is_live()
{
	pattern_is_socket "$(sysctl_get kernel.core_pattern)" &&
	    listens_at "$(core_socket)"
}

# Does it run the wrapper as it would now?
socket_is_same()
{
	the_socket
	[ ! -e "$svc_note" ] ||
	    [ "$(cut -d ' ' -f 3- <"$svc_note")" = "$args" ]
}

# The pattern is the pipe's when this is called.
socket_start()
{
	if ! socket_known; then
		warn "this kernel has no coredump sockets (Linux 6.16):" \
		    "core_pattern is a pipe"
		socket_stop
		return 1
	fi
	the_socket
	if ! service_start; then
		warn "unable to start core_accept by $kind: core_pattern is a" \
		    "pipe"
		return 1
	fi
	case ${root:+image}-$kind in
	image-none | image-daemon)
		warn "nothing there starts core_accept: core_pattern is a pipe"
		return 1
		;;
	image-*) return 0 ;;
	esac
	socket_set
}

# Sets it, if core_accept does not, which is somebody else's then.
socket_set()
{
	socket_want=$socket_how$svc_at
	change "set kernel.core_pattern to '$socket_want' (was '$new_pattern')" ||
	    return 0
	if ! [ -e "$svc_note" ] && listens_at "$svc_at"; then
		{ printf '%s\n' "$socket_want" \
		    >"$(sysctl_path kernel.core_pattern)"; } 2>/dev/null
	fi
	until_true 50 socket_is_live && return
	warn "core_accept does not set core_pattern to $socket_want: it is a" \
	    "pipe"
	socket_stop
	sysctl_put kernel.core_pattern "$new_pattern"
	return 1
}

# Leaves the pipe.
socket_stop()
{
	the_socket
	service_stop
}

socket_state()
{
	noted=
	read -r noted _ 2>/dev/null <"$root$state/socket"
	if [ -n "$root" ]; then
		say "core_accept${noted:+ ($noted)}"
	elif listens_at "$(core_socket)"; then
		say "core_accept listens at $(core_socket)${noted:+ ($noted)}"
	else
		say "none listens at $(core_socket)${noted:+ ($noted)}"
	fi
}

# --- doctor ----------------------------------------------------------------

# What stands at the socket, and what found nobody there.
doctor_socket()
{
	if [ -n "$root" ]; then
		return
	elif ! pattern_is_socket "$active_pattern"; then
		[ -e "$state/socket" ] || return 0
		finding warning "socket: $(socket_state); a pipe is set" \
		    "instead (crashlogctl enable)"
	elif listens_at "$(core_socket)"; then
		finding ok "socket: $(socket_state)"
	else
		finding error "socket: $(socket_state): every crash is lost" \
		    "(crashlogctl enable)"
	fi
	lost=$(socket_lost) || return 0
	finding warning "lost: ${lost%%"$newline"*}"
	raw "$lost" | sed '1d; s/^/         log: /' | shown
}

# Crashes that the kernel, or core_accept, says are lost, of the last day: how
# many, and the last lines; 1 where there are none.  The kernel writes ten lines
# in five seconds, and how many it held back before the next one.
socket_lost()
{
	dmesg 2>/dev/null | awk -v path="$(core_socket)" \
	    -v now="$(cut -d . -f 1 /proc/uptime)" '
		{
			at = match($0, /^\[ *[0-9.]+/) ? \
			    substr($0, 2, RLENGTH - 1) + 0 : now
			ahead = $0
			sub(/^\[[^]]*\] */, "", ahead)
			if (now - at > 86400)
				next
		}
		ahead ~ /^coredump_sock_connect: [0-9]+ callbacks supp/ && ours {
			n += $(NF - 2)
			burst = 0
			next
		}
		ahead ~ /^coredump: [0-9]+\(.*\): Coredump socket / {
			ours = index($0, " " path " ") > 0
			if (!ours)
				next
			if (!burst || at - began > 5) {
				began = at
				burst = 0
			}
			burst++
			line[++n_lines] = ahead
			n++
		}
		ahead ~ /^core_accept: .*: core lost: / {
			line[++n_lines] = ahead
			n++
		}
		END {
			if (n == 0)
				exit 1
			# in brackets: else ">" is where to, of mawk
			printf "%s%d crash%s in the last 24 hours, by the" \
			    " kernel log\n", (burst >= 10 ? "at least " : ""), \
			    n, (n == 1 ? "" : "es")
			for (i = n_lines > 5 ? n_lines - 4 : 1; i <= n_lines; i++)
				print line[i]
		}'
}

# --- services that are more than a command line ----------------------------

# systemd takes a % for its own.
start_core_systemd()
{
	have systemctl || return 1
	put_marked "$root$etcunits/$svc.service" 644 <<-END || return 1
		$mark
		[Unit]
		Description=Crashes, by the kernel's coredump socket
		Documentation=man:core_accept(8)
		Conflicts=core_accept.socket
		After=systemd-tmpfiles-setup.service systemd-sysctl.service

		[Service]
		ExecStart=$bindir/$svc $(raw "$args" | sed 's/%/%%/g')
		Restart=always
		RestartSec=100ms
		# what reports and sends goes on
		KillMode=process
		TimeoutStopSec=60

		[Install]
		WantedBy=multi-user.target
	END
	[ -n "$root" ] || run systemctl daemon-reload || return 1
	systemctl_do enable "$svc.service"
}

stop_core_systemd()
{
	have systemctl || return 1
	systemctl_do disable "$svc.service" || return 1
	drop_marked "$root$etcunits/$svc.service"
	[ -n "$root" ] || run systemctl daemon-reload
}

start_core_openrc()
{
	put_marked "$root/etc/init.d/$svc" 755 <<-END || return 1
		#!/sbin/openrc-run
		$mark
		description="Crashes, by the kernel's coredump socket"
		supervisor=supervise-daemon
		command=$bindir/$svc
		command_args="$args"
		error_logger="logger -t $svc -p daemon.notice"
		respawn_delay=1
		retry="TERM/60/KILL/5"

		depend()
		{
		    need localmount
		    after bootmisc sysctl
		}
	END
	run rc-update add "$svc" default || return 1
	[ -n "$root" ] || run rc-service "$svc" start
}

stop_core_openrc()
{
	[ -n "$root" ] || run rc-service "$svc" stop
	run rc-update del "$svc" default
	drop_marked "$root/etc/init.d/$svc"
}
