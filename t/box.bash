#!/bin/bash
# box: runs the examples of a manual page where nothing of this machine is
# changed.
#
#   unshare --mount --net [--pid --fork --mount-proc] bash t/box.bash PAGE
#
# in a directory with: script (t/examples.awk of that page), i (what make
# install places), work (what the examples take for granted: programs, cores),
# box (empty).
#
# - /usr and /etc are overlaid, what is written elsewhere is on a tmpfs; the
#   network is a loopback, and every host of the pages is on it;
# - core_pattern and what stands beside it are plain files.  What the kernel has
#   there meanwhile enters the namespace of what crashed and runs /run/kernel,
#   which takes the plain file's words as the kernel would (t/examples.bats);
# - "#" is root, "$" a user; each command is to exit 0, also within a pipe, and
#   to say what stands below it in the page;
# - a command that stays (stays) runs until it has done its work for somebody
#   (proof_of), and is ended then.

# shellcheck disable=SC2034
PAGE=$1
PROOF=100
T=$PWD
USER_ID=1000
AT=/home/me/w # where the examples are run
HOSTS='collector board7 cores1.example.org cores2.example.org'
set -o pipefail -a -f
shopt -s lastpipe
export LC_ALL=C HOME=/home/me DEBUGINFOD_URLS=''
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

die()
{
	echo "$PAGE, example ${NUMBER:-0}: $*"
	exit 1
}

# wait_until SECONDS COMMAND...: as wait_for of helper.bash
wait_until()
{
	local end=$((SECONDS + $1)) more=50
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -le $end ] || [ $((more -= 1)) -gt 0 ] || return 1
		/bin/sleep 0.02
	done
}

# --- the box ---------------------------------------------------------------

over()
{
	mkdir -p "$T/i/$1" "$T/box/$1" "$T/box/$1.work"
	mount -t overlay overlay -o \
	    "lowerdir=$T/i/$1:/$1,upperdir=$T/box/$1,workdir=$T/box/$1.work" \
	    "/$1" || exit 77
}

# A plain file in the place of /proc/sys/$1.
plain_sysctl()
{
	mkdir -p "/run/sys/${1%/*}"
	echo "$2" >"/run/sys/$1"
	mount --bind "/run/sys/$1" "/proc/sys/$1"
}

# tool NAME: a program of the box, from stdin; with a second argument only
# where there is none.
tool()
{
	local where=/usr/bin # as what the kernel runs finds it
	[ -z "${2:-}" ] || ! command -v "$1" >/dev/null || return 0
	[ "$1" != sleep ] || where=/usr/local/bin
	cat >"$where/$1"
	chmod 755 "$where/$1"
}

make_box()
{
	mount -t tmpfs none "$T/box" || exit 77
	over usr
	over etc
	mount -t tmpfs none /run
	# what the tmpfs below may hide
	mkdir -p /run/t /run/tree
	mount --bind "$T" /run/t
	mount --bind "$TREE" /run/tree
	for d in /var /srv /home /mnt /tmp; do
		mount -t tmpfs none "$d"
	done
	chmod 1777 /tmp
	mkdir -p "$TREE"
	mount --move /run/tree "$TREE"
	mkdir -p "$T" /var/log /var/lib /var/spool /srv/images /srv/cores \
	    /var/cores /home/me /etc/cron.d /etc/logrotate.d \
	    /usr/local/sbin
	mount --move /run/t "$T"
	plain_sysctl kernel/core_pattern core
	plain_sysctl kernel/core_pipe_limit 0
	plain_sysctl fs/suid_dumpable 0
	ip link set lo up
	ip addr add 192.0.2.10/32 dev lo
	echo "127.0.0.1 localhost $HOSTS" >/etc/hosts
	cp -r "$T/work" "$AT"
	chown -R "$USER_ID" /home/me /srv/cores /var/cores
	cd "$AT" || exit
	make_tools
}

# What takes the place of services, and of another machine's.
make_tools()
{
	tool ssh <<-'END'
		#!/bin/sh
		shift
		exec sh -c "$*"
	END
	tool mail <<-'END'
		#!/bin/sh
		{ printf '<%s>' "$@"; echo; cat; } >>/run/mail
	END
	tool rclone <<-'END'
		#!/bin/sh
		[ "$1" = copyto ] && [ -s "$2" ] && echo "$3" >>/run/rclone
	END
	tool rclone-core <<-'END'
		#!/bin/sh
		cat >/dev/null
	END
	tool logger <<-'END'
		#!/bin/sh
		printf '%s\n' "$*" >>/run/logger
	END
	# what stands for time: until there is a report
	tool sleep <<-'END'
		#!/bin/sh
		i=0
		until [ -e /var/log/usercrashes/usercrash_00 ] || [ $i = 300 ]; do
			/bin/sleep 0.1
			i=$((i + 1))
		done
	END
	tool inotifywait unless <<-'END'
		#!/bin/sh
		[ "$1 $2 $3 $4" = '-qq -e moved_to --include' ] || exit 1
		cd "$6" || exit 1
		old=$(ls -t | grep "${5#/}") i=0
		while [ "$(ls -t | grep "${5#/}")" = "$old" ]; do
			[ $((i += 1)) -lt 3000 ] || exit 2
			/bin/sleep 0.01
		done
	END
	tool s6-ipcserver unless <<-'END'
		#!/bin/sh
		[ "$1 $2 $3 $5 $7" = '-a 0600 -b -c -C' ] || exit 100
		shift 8
		mkdir -p "${1%/*}"
		exec systemd-socket-activate --accept --inetd -l "$@"
	END
	# the kernel's part of core(5)
	cat >/run/kernel <<-'END'
		#!/bin/bash
		pid=${1#P}
		declare -A is
		for w; do is[${w::1}]=${w#?}; done
		read -r pattern </proc/sys/kernel/core_pattern
		set -f
		words=()
		for w in ${pattern#|}; do
			word=
			while [[ $w == *%* ]]; do
				word=$word${w%%\%*} w=${w#*\%}
				word=$word${is[${w::1}]} w=${w#?}
			done
			words+=("$word$w")
		done
		case $pattern in
		'|'*/usercrash-wrapper*)
			# whose parent is to be the kernel
			echo 0 >/run/handled.$pid
			exec "${words[@]}" ;;
		'|'*) "${words[@]}" ;;
		*) cat >"/proc/$pid/cwd/$pattern" ;;
		esac
		echo $? >/run/handled.$pid
	END
	chmod 755 /run/kernel
}

# --- those who crash, and those who stand by ---------------------------------

# crash PROGRAM: and what core_pattern names has exited 0 for it.
crash()
{
	local pid
	{ (ulimit -S -c 0; exec "$@" >/dev/null 2>&1) & } 2>/dev/null
	pid=$!
	wait "$pid" 2>/dev/null
	wait_until 30 test -s "/run/handled.$pid" ||
	    die "$1 crashed, and nothing was run for it"
	[ "$(cat "/run/handled.$pid")" = 0 ] ||
	    die "what was run for $1's crash: $(cat "/run/handled.$pid")"
	! grep -q usercrash /proc/sys/kernel/core_pattern ||
	    wait_until 30 reported "$pid" || die "no report of $1's crash"
}

reported()
{
	set +f
	grep -qx "pid: $1" /var/log/usercrashes/usercrash_*
}

# A report of the core, as if prog had crashed now: OPTION...
put_report()
{
	usercrash_c --signal=11 --pid=4711 --uid=0 --dumpmode=1 "$@" \
	    <"$AT/core" 2>/run/said || die "no report: $(cat /run/said)"
}

# A store at the collector: of board7, of one that broke off.
put_store()
{
	core_send --host=board7 --comm=prog --pid=4711 --signal=11 - <core |
	    recv_core -i -d /var/lib/recv_core >/dev/null
	head -c 20000 core | core_send -x --host=board7 --comm=cut --pid=9 - |
	    head -c 9000 | recv_core -i -d /var/lib/recv_core >/dev/null 2>&1
	find /var/lib/recv_core -name 'core.prog.*' ! -name '*.info' |
	    while read -r f; do
		debugger "$f" >"$f.report"
	done
}

start()
{
	"$@" 3>&- 9>&- >/run/started 2>&1 &
}

collects()
{
	core_send -x --comm=first localhost <"$AT/core"
}

# The collector of the examples that send.
collect()
{
	[ -z "${COLLECTOR:-}" ] || return 0
	start recv_core -d /var/lib/recv_core
	COLLECTOR=$!
	wait_until 30 collects || die "no collector: $(cat /run/started)"
}

collect_no_more()
{
	[ -n "${COLLECTOR:-}" ] || return 0
	kill "$COLLECTOR"
	wait "$COLLECTOR"
	COLLECTOR=
}

arrived()
{
	find /var/lib /srv/cores -type f -name "core.$1" ! -name '*.part' \
	    ! -name '*.info' ! -name '*.report' | grep .
}

sends_to()
{
	core_send -x --comm=proof --pid="$PROOF" "$@" <"$AT/core" &&
	    arrived "proof.$PROOF.*"
}

# --- what stays ---------------------------------------------------------------

# stays COMMAND: what shows that it works, a function of proofs below.
stays()
{
	case $1 in
	*'-r sh'*rclone*) echo proof_rclone ;;
	*'-r sh'*debugger*) echo proof_report ;;
	'recv_core -P'* | 'recv_core -a -P'*) echo proof_proxy ;;
	*'recv_core -i -d'*socat* | socat*) echo proof_tls ;;
	*' | recv_core -i'* | core_send* | 'recv_core -i'*) ;;
	recv_core* | tcpserver* | systemd-socket-activate*recv_core*)
		[[ $1 =~ [0-9]+(\.[0-9]+){3}$ ]]
		echo "sends_to ${BASH_REMATCH[0]:-localhost}" ;;
	usercrash_s* | s6-ipcserver*) echo proof_slot ;;
	systemd-socket-activate*usercrash_s*) echo proof_own_slot ;;
	segfault_analyzer*--top*json*) echo proof_end ;;
	segfault_analyzer*) echo proof_fault ;;
	'crashlogctl watch'*) echo proof_watch ;;
	inotifywait*) echo proof_wait ;;
	*VmRSS*) echo proof_rss ;;
	esac
}

# It grows, for whoever reads of it there; and nobody sleeps long.
proof_rss()
{
	local pid
	pid=$(pidof -s postgres)
	[ -s /run/status ] || {
		sed 's/^VmRSS:.*/VmRSS:	 3000000 kB/' "/proc/$pid/status" \
		    >/run/status
		mount --bind /run/status "/proc/$pid/status"
		touch /var/log/usercrashes/usercrash_00
	}
	readelf -h core.rss | grep 'CORE (Core file)'
}

proof_rclone()
{
	sends_to localhost && grep "^store:cores/core.proof.$PROOF." /run/rclone
}

proof_report()
{
	sends_to localhost && cat /var/lib/recv_core/*/core.proof."$PROOF".*.report
}

proof_proxy()
{
	set +f
	{
		printf 'PROXY TCP4 192.0.2.7 192.0.2.10 5000 64740\r\n'
		cat "$AT/core"
	} | nc -N 192.0.2.10 64740 &&
	    ls /var/lib/recv_core/192.0.2.7/core.*
}

proof_tls()
{
	sends_to -- socat - \
	    OPENSSL:localhost:64741,cert=me.pem,cafile=ca.pem,verify=1
}

proof_slot()
{
	rm -f /var/log/usercrashes/usercrash_*
	[ -S /run/usercrash/usercrash.sock ] &&
	    usercrash_c 77 proof 11 <core 2>/run/said &&
	    ls /var/log/usercrashes/usercrash_00 &&
	    ! grep 'no server' /run/said
}

proof_own_slot()
{
	usercrash_c -S /tmp/s 77 proof 11 <core && ls /tmp/d/usercrash_00
}

proof_fault()
{
	local who=null
	case $COMMAND in
	*--handled*) who='handled 1' ;;
	esac
	# shellcheck disable=SC2086
	./launch nocore ./${who:-null}
	case $COMMAND in
	*--exec*) grep 'null ([0-9]*): null pointer' /run/logger ;;
	*' -o '*json*) grep '"comm": *"null"' /var/log/faults.json ;;
	*' -o '*) grep null /var/log/faults ;;
	*) grep "${who%% *}" /run/stays ;;
	esac
}

# What is told at the end alone: when it is attached, a fault, and its end.
proof_end()
{
	local p
	for p in $(pgrep -s "$STAYS"); do
		find "/proc/$p/fd" -lname 'anon_inode:bpf?link*' -o -lname \
		    'anon_inode:bpf-raw*' 2>/dev/null
	done | grep . || return 1
	[ -e /run/ended ] || ./launch nocore ./null
	touch /run/ended
	kill -INT "$STAYS" 2>/dev/null
	wait_until 30 grep '"comm": "null"' /run/stays
}

proof_watch()
{
	put_report --comm=watched --exe=/usr/bin/watched
	grep '<crash: .*watched' /run/mail
}

proof_wait()
{
	put_report --comm=waited
	! kill -0 "$STAYS" 2>/dev/null
}

# What it has said is in /run/stays.
stay()
{
	PROOF=$((PROOF + 1))
	setsid bash -o pipefail -c "$1" >/run/stays 2>&1 </dev/null 3>&- 9>&- &
	STAYS=$!
	# shellcheck disable=SC2086
	wait_until 30 $2 || die "$1: not so: $2
$(head -n 5 /run/stays)"
	if kill -- "-$STAYS" 2>/dev/null; then
		wait "$STAYS"
	else
		wait "$STAYS" || die "$1: exit status $?
$(cat /run/stays)"
	fi
	return 0
}

# --- what a page takes for granted --------------------------------------------

given()
{
	# as the kernel writes it, and not gdb
	[ -z "${CRASHES:-}" ] || {
		# as core_on of helper.bash: what crashes here is seen
		ulimit -S -c 0
		crash ./prog
		cp core core.4711
	}
	case $PAGE in
	crashlog_read.8 | usercrash-report.5 | usercrash-ring.5)
		put_report --comm=prog
		put_report --comm=other --dumpmode=2
		;;
	esac
	case $PAGE in
	usercrash-report.5)
		# the newest is the program's own; before it one not whole
		touch -d yesterday /var/log/usercrashes/usercrash_0?
		sed '/^registers/,$d' /var/log/usercrashes/usercrash_00 |
		    sed '2iincomplete: its worker ended by signal 9' \
		        >/var/log/usercrashes/usercrash_02
		touch -d yesterday /var/log/usercrashes/usercrash_02
		put_report --comm=prog --exe="$PWD/prog"
		chmod 644 /var/log/usercrashes/usercrash_*
		;;
	recv_core.8 | crashlogctl.8) put_store ;;
	# all that is called core.*
	core_send.8) find . -name 'core.[ap]*' -delete ;;
	debugger.8)
		mkdir /srv/images/board7
		mount --bind / /srv/images/board7
		;;
	esac
	case $PAGE in
	debugger.8 | usercrash-report.5 | core_live.8)
		start ./postgres 3
		wait_until 30 grep -q ready /run/started ||
		    die "postgres does not run"
		;;
	esac
}

# Before the command of that text.
before()
{
	case $1 in
	*collector* | *board7,* | *core_send.*--flush*) collect ;;
	esac
	case "$PAGE $1" in
	'usercrash.conf.5 crashlogctl check')
		printf '#\n#\nrecever x\n' >/etc/usercrash.conf
		;;
	'crashlogctl.8 crashlogctl --root /mnt list')
		mkdir -p /mnt/var/log/usercrashes
		cp /var/log/usercrashes/usercrash_0? /mnt/var/log/usercrashes
		;;
	esac
}

after()
{
	case "$PAGE $1" in
	'crashlogctl.8 crashlogctl doctor')
		cp null /usr/sbin/httpd
		crash /usr/sbin/httpd
		wait_until 30 arrived 'httpd.*' || die "no core"
		;;
	# nobody types as fast as its report gets its name
	'usercrash.7 ./boom') wait_until 30 crashlogctl show boom ;;
	'usercrash.7 crashlogctl disable')
		crashlogctl enable >/dev/null
		crash "$AT/null"
		;;
	'core_send.8 '*/etc/cron.d/*)
		collect
		mkdir -p /var/spool/cores
		core_send -s/var/spool/cores -c 1 127.0.0.9 <core
		# five of time, one of whose; the rest is the command
		bash -c "$(cut -d ' ' -f 7- /etc/cron.d/core_send)" ||
		    die "cron's command: $?"
		;;
	esac
}

# --- the examples --------------------------------------------------------------

# What its commands say of each other, when it is over.
end_example()
{
	local now
	now=$(cat /proc/sys/kernel/core_pattern)
	[ "$now" != "${PATTERN:-core}" ] || return 0
	PATTERN=$now
	case $now in
	'|'*)
		[[ $now != *collector* ]] || collect
		crash "$AT/null"
		[[ $now != *collector* ]] || wait_until 30 arrived 'null.*' ||
		    die "no core arrived"
		;;
	@@*)
		wait_until 30 test -S "${now#@@}" || die "nobody listens"
		;;
	esac
}

example()
{
	[ -z "${NUMBER:-}" ] || end_example
	NUMBER=$1
}

wanted_status()
{
	case "$PAGE $1" in
	'usercrash.conf.5 crashlogctl check') echo 100 ;;
	# the kernel takes a socket in its own mount namespace alone: the pipe
	'crashlogctl.8 crashlogctl enable --socket') echo 1 ;;
	# a program that crashes
	'usercrash.7 ./boom') echo 139 ;;
	*) echo 0 ;;
	esac
}

step()
{
	local how rc=0
	COMMAND=$2
	set +f
	before "$2"
	how=$(stays "$2")
	if [ -n "$how" ]; then
		collect_no_more
		stay "$2" "$how"
		after "$2"
		return
	fi
	SHOWN=
	case $2 in
	# a file that is shown: the lines below make it
	'cat /usr/local/'*)
		SHOWN=${2#cat }
		return
		;;
	# a tree, to make it in
	'make '*) cd "$TREE" || exit ;;
	esac
	if [ "$1" = '$' ]; then
		setpriv --reuid=$USER_ID --regid=$USER_ID --clear-groups \
		    --inh-caps=-all --bounding-set=-all bash -o pipefail \
		    -c "cd $AT; $2" >/run/said 2>/run/err </dev/null || rc=$?
	else
		eval "$2" >/run/said 2>/run/err </dev/null || rc=$?
	fi
	[[ $2 != 'make '* ]] || cd "$AT" || exit
	# a reader that has seen enough
	[ "$rc" != 141 ] || rc=0
	[ "$rc" = "$(wanted_status "$2")" ] || die "$2: exit status $rc
$(tail -n 9 /run/err)"
	after "$2"
}

# As the page has it, but for what is another signature each time.
says()
{
	local f
	[ -z "$SHOWN" ] || {
		printf '%s\n' "$1" >"$SHOWN"
		chmod 755 "$SHOWN"
		return
	}
	printf '%s\n' "$1" >/run/want
	for f in /run/want /run/said /run/err; do
		sed -i 's/[0-9a-f]\{16\}/SIGNATURE/g' $f
	done
	! cmp -s /run/want /run/said || return 0
	! cmp -s /run/want /run/err || return 0
	die "$COMMAND: said
$(head -n 9 /run/said /run/err)
and not
$1"
}

# text TEXT: a file, or commands.
text()
{
	case "$PAGE $1" in
	*' #!/bin/sh'*)
		printf '%s\n' "$1" >/usr/local/sbin/crash-mail
		chmod 755 /usr/local/sbin/crash-mail
		# another signature, see core-rate
		crash "$AT/abort"
		wait_until 30 grep -q 'crash of abort' /run/mail ||
		    die "no mail"
		;;
	usercrash.conf.5*)
		printf '%s\n' "$1" >/etc/usercrash.conf
		crashlogctl check >/run/said 2>&1 || die "$(cat /run/said)"
		crashlogctl enable >/run/said 2>&1 || die "$(cat /run/said)"
		[[ $1 != receiver* ]] || collect
		[[ $1 == *hook* ]] || crash "$AT/null"
		[[ $1 != receiver* ]] || wait_until 30 arrived 'null.*' ||
		    die "no core arrived"
		;;
	'usercrash-fleet.7 receiver'*)
		printf '%s\n' "$1" >/etc/usercrash.conf
		crashlogctl check >/run/said 2>&1 || die "$(cat /run/said)"
		;;
	'usercrash-fleet.7 listen'*)
		printf '%s\n' "$1" >/run/haproxy
		! command -v haproxy >/dev/null ||
		    haproxy -c -f /run/haproxy >/run/said 2>&1 ||
		    die "$(cat /run/said)"
		;;
	*postrotate*)
		printf '%s\n' "$1" >/etc/logrotate.d/it
		sed -n '/postrotate/,/endscript/p' /etc/logrotate.d/it |
		    sed '1d;$d' | sh -n || die "postrotate"
		! command -v logrotate >/dev/null ||
		    logrotate -d /etc/logrotate.d/it >/run/said 2>&1 ||
		    die "$(cat /run/said)"
		;;
	*) step '#' "$1" ;;
	esac
}

# All that runs here, and would stay.
end_box()
{
	local mine p
	exec 2>/dev/null # "Killed"
	mine=$(readlink /proc/self/ns/mnt)
	set +f
	for p in /proc/[0-9]*; do
		[ "$(readlink "$p/ns/mnt" 2>/dev/null)" != "$mine" ] ||
		    [ "${p#/proc/}" = $$ ] || [ "${p#/proc/}" = $BASHPID ] ||
		    kill -KILL "${p#/proc/}" 2>/dev/null
	done
}

trap 'rc=$?; end_box; exit $rc' EXIT
make_box
given
# shellcheck disable=SC1091
. "$T/script"
example end
