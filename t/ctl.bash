# ctl: what the tests of crashlogctl share.   load helper; load ctl
#
# crashlogctl and all it needs is put into $CTL, short enough for the kernel's
# pattern; every path it uses is below that.  $SH is the shell that runs it;
# TEST_SH="busybox sh" in the environment makes it that one everywhere.

# shellcheck shell=bash disable=SC2034,SC2154

SHELLS=()
for s in dash 'busybox sh' bash; do
	if command -v "${s%% *}" >/dev/null; then
		SHELLS+=("$s")
	fi
done
[ -z "${TEST_SH:-}" ] || SHELLS=("$TEST_SH")
SH=${SHELLS[0]}

# Those that are missing here are missed, by STRICT.
needs_shells()
{
	[ -n "${TEST_SH:-}" ] || [ ${#SHELLS[@]} = 3 ] || unmet "needs dash, busybox and bash"
}

# ctl_install: sets $CTL.
ctl_install()
{
	local p
	CTL=$(mktemp -d /run/uXXXX)
	mkdir -p "$CTL/bin" "$CTL/lib/usercrash"
	cp "$TOP"/bin/lib/* "$CTL/lib/usercrash"
	cp "$TOP/bin/crashlogctl" "$CTL/bin"
	for p in usercrash_c usercrash_s core_tee core_send recv_core \
	    crashlog_read; do
		if [ -x "$BIN/$p" ]; then
			ln -sf "$BIN/$p" "$CTL/bin"
		fi
	done
	# not a link: what it runs is beside it
	cp "$BIN/usercrash-wrapper" "$CTL/bin"
	for p in core_tee core_send recv_core; do
		# something to be found there
		[ -e "$CTL/bin/$p" ] || cp /bin/true "$CTL/bin/$p"
	done
	cat >"$CTL/c" <<-END
		reports $CTL/d
		socket $CTL/s/s
		store no
	END
}

# For setup: what is read and shown needs, with a directory for reports.
ctl_begin()
{
	needs_root
	needs_shells
	CTL=
	ctl_install
	mkdir -m 750 "$CTL/d"
}

# A /proc/sys of our own, for what needs no kernel.
ctl_fake_proc()
{
	sed -i "s|^proc=.*|proc=$CTL/sys|" "$CTL/lib/usercrash/settings.sh"
	mkdir -p "$CTL/sys/kernel" "$CTL/sys/fs"
	fake_sysctl "${1-core}" "${2:-0}" "${3:-0}"
}

fake_sysctl()
{
	printf '%s\n' "$1" >"$CTL/sys/kernel/core_pattern"
	printf '%s\n' "$2" >"$CTL/sys/kernel/core_pipe_limit"
	printf '%s\n' "$3" >"$CTL/sys/fs/suid_dumpable"
}

fake_pattern()
{
	cat "$CTL/sys/kernel/core_pattern"
}

# All of the settings, to compare.
fake_all()
{
	cat "$CTL/sys/kernel/core_pattern" "$CTL/sys/kernel/core_pipe_limit" \
	    "$CTL/sys/fs/suid_dumpable"
}

ctl_release()
{
	local pid
	if [ -n "${CTL:-}" ]; then
		if read -r pid 2>/dev/null <"$CTL/s/usercrash_s.pid" &&
		    [[ $(readlink "/proc/$pid/exe") == */usercrash_s ]]; then
			kill "$pid"
			wait_for 20 gone "$pid"
		fi
		grep -o " $CTL/[^ ]*" /proc/mounts | xargs -r umount
		rm -rf "$CTL"
		CTL=
	fi
}

# ctl ARGS: crashlogctl, by $SH, on $CTL.
ctl()
{
	# shellcheck disable=SC2086
	$SH "$CTL/bin/crashlogctl" --conf "$CTL/c" --state "$CTL/v" \
	    --sysctl "$CTL/99.conf" --no-pager "$@" 3>&- 9>&-
}

# each_shell COMMAND...: the same under every shell.  No "||" here: with one
# only the command's last line would count.
each_shell()
{
	for SH in "${SHELLS[@]}"; do
		echo "by $SH:"
		"$@"
	done
	SH=${SHELLS[0]}
}

# exits STATUS COMMAND...
exits()
{
	local want=$1 got=0
	shift
	"$@" || got=$?
	[ "$got" = "$want" ] || {
		echo "exit $got, not $want: $*"
		return 1
	}
}

# A report of a crash that never was, in slot $1:  SLOT KEY=VALUE...
put_report()
{
	local slot=$1 kv
	shift
	mkdir -p "$CTL/d"
	{
		echo 'usercrash report 1'
		for kv; do
			printf '%s: %s\n' "${kv%%=*}" "${kv#*=}"
		done
		printf '\nbacktrace: unavailable: no core\n\n'
	} >"$CTL/d/usercrash_$slot"
}
