#!/usr/bin/env bats
# Hostile text in everything that crashlogctl reads: of it nothing but printable
# ASCII and letters of UTF-8 comes out of any command.
#
# not with sanitizers: a script; crashlog_read has its fuzzer

load helper
load ctl

# a sequence of a terminal, C1 in UTF-8 and as it is, bidi, what cannot be seen,
# half a letter, DEL, backspaces; and a letter that is one
EVIL=$'\e]0;x\a\e[31m\xc2\x9b2J\x9b2J\xe2\x80\xae\xe2\x81\xa6\xe2\x80\x8b\xef\xbb\xbf\xd8\x9c\xe2\x82\x7f\b\b\r\v\f\x01\xc3\xa9'

setup()
{
	ctl_begin
	ctl_fake_proc
	needs_tool iconv
	E=$EVIL
	mkdir -p "$CTL/v/cores"
}

teardown()
{
	ctl_release
}

# clean FILE: said by other means than ours.
clean()
{
	if ! iconv -f UTF-8 -t UTF-8 <"$1" >/dev/null ||
	    LC_ALL=C grep -nP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\x8b-\x8f\xaa-\xae\xa8\xa9]|\xe2\x81[\xa0-\xaf]|\xef\xbb\xbf|\xd8\x9c' \
	        "$1" >"$CTL/bad"; then
		head -n 3 "$CTL/bad" | cat -v
		iconv -f UTF-8 -t UTF-8 <"$1" 2>/dev/null | tail -n 2 | cat -v
		return 1
	fi
}

# says ARGUMENT...: what crashlogctl says to both is clean, however it ends.
says()
{
	ctl "$@" >"$CTL/out" 2>&1 </dev/null || :
	clean "$CTL/out" || {
		echo "crashlogctl $* (by $SH)"
		return 1
	}
	# what a terminal has else is awk's and C's, whichever shell it is
	case $SH:$1 in
	"${SHELLS[0]}":list | "${SHELLS[0]}":info | "${SHELLS[0]}":show | \
	    "${SHELLS[0]}":top | "${SHELLS[0]}":cores) ;;
	*) return 0 ;;
	esac
	printf "%s '%s' --conf %s --state %s --no-pager" "$SH" \
	    "$CTL/bin/crashlogctl" "$CTL/c" "$CTL/v" >"$CTL/script"
	printf " '%s'" "$@" >>"$CTL/script"
	COLUMNS=80 TERM=xterm script -qefc "sh $CTL/script" /dev/null \
	    </dev/null 2>&1 | tr -d '\r' |
	    sed 's/\x1b\[\(0\|1\|31\)m//g' >"$CTL/out" || :
	clean "$CTL/out" || {
		echo "on a terminal: crashlogctl $* (by $SH)"
		return 1
	}
}

# Each key, the frames and every section, in text and JSON; in raw bytes, as a
# worker that was taken over could write them.
evil_reports()
{
	local k
	{
		echo 'usercrash report 1'
		echo time: 2026-01-01T00:00:00Z
		echo pid: 7
		for k in host tid thread comm exe cmdline uid unit user_unit \
		    container_id container_runtime container_host pod package \
		    package_version signal code cause abort_message exception \
		    exception_text signature; do
			printf '%s: a%sb\n' "$k" "$E"
		done
		printf '\nbacktrace:\n  #00 pc 0000000000001010 f%s+0x10 (m%s+0x10)\n' "$E" "$E"
		printf '  #01 pc 0000000000001020 _Z%s+0x10 (m+0x10)\n  %s\n' "$E" "$E"
		printf '\nfiles:\n  0 r offset 0 /x%s\n' "$E"
		printf '\nmodules:\n  0000000000001000-0000000000002000 bias 0 build-id ab /m%s\n\n' "$E"
	} >"$CTL/d/usercrash_00"
	{
		printf '{\n"format": "usercrash",\n"pid": 8,\n"time": "2026-01-02T00:00:00Z",\n'
		for k in host comm exe signature cause signal_name note; do
			printf '"%s": "a%sb\\n\\u001b[31m",\n' "$k" "$E"
		done
		printf '"backtrace": [\n {"n": 0, "pc": "0x0000000000001010", "function": "f%s", "module": "m%s"}]\n}\n' "$E" "$E"
	} >"$CTL/d/usercrash_01"
}

evil_beside()
{
	local dir=$CTL/v/cores/h$E
	printf '2026-01-01T00:00:00Z\tp%s\tSIG%s\t%s\t%s\tc%s\n' "$E" "$E" "$E" "$E" "$E" >"$CTL/d/.ledger"
	printf '2026-01-01T00:00:00Z v%s\n' "$E" >"$CTL/d/.marks"
	printf '2026-01-01T00:00:00Z 7\tn%s\n' "$E" >"$CTL/d/.notes"
	mkdir -p "$dir"
	printf x >"$dir/core.x$E.7.1767225600"
	printf 'host: h%s\ncomm: c%s\nexe: /%s\npid: 7\ntime: 1767225600\n' "$E" "$E" "$E" \
	    >"$dir/core.x$E.7.1767225600.info"
	cp "$CTL/d/usercrash_00" "$dir/core.x$E.7.1767225600.report"
}

each_command()
{
	local c
	if [ "$SH" != "${SHELLS[0]}" ]; then
		for c in list info 'show 00' status cores '-n rm 00'; do
			# shellcheck disable=SC2086
			says $c
		done
		return
	fi
	for c in list 'list --json' 'list -F tsv' 'list --unit x' info 'info --json' \
	    'info --raw' 'info 00' 'info 01' show 'show 00' 'show 01' 'show --raw 00' 'show --raw 01' \
	    'show --json 00' 'show --json 01' top 'top -F json' 'top --by day' \
	    'top --by day --tsv' since 'since 2026-01-01' 'since -F json 2025-01-01' cores \
	    'cores --json' 'cores -F tsv' status 'doctor --no-crash' check \
	    'gdb 00 -batch' '-n rm 00' '-n vacuum --age 0' '-n enable' '-n flush'; do
		# shellcheck disable=SC2086
		says $c
	done
	says --store "$CTL/v/cores" list
	says --store "$CTL/v/cores" info
	says --store "$CTL/v/cores" top
}

@test "reports, ledger, notes, marks, cores, hosts: from every command" {
	needs_tool script
	evil_reports
	evil_beside
	sed -i '/^store/d' "$CTL/c"
	echo "store $CTL/v/cores" >>"$CTL/c"
	each_shell each_command
}

evil_words()
{
	local c
	if [ "$SH" != "${SHELLS[0]}" ]; then
		says list "$E"
		says "$E"
		return
	fi
	for c in list info show gdb dump rm since top "--conf" "--root" "--server" check note; do
		says "$c" "$E"
		says "$c" "a$E"
	done
	says "$E"
	says list --since "$E"
	says list --uid "$E"
	says list -F "$E"
	says "--$E"
	ctl note 02 "n$E" </dev/null
	says list
	says info 02
	[[ $(ctl info 02) == *'note '*'é'* ]]
}

@test "what is typed, and what is noted" {
	needs_tool script
	put_report 02 time=2026-01-03T00:00:00Z pid=9 comm=boom exe=/boom
	each_shell evil_words
}

evil_conf()
{
	local c
	if [ "$SH" != "${SHELLS[0]}" ]; then
		says check
		return
	fi
	for c in check list status 'doctor --no-crash' '-n enable'; do
		# shellcheck disable=SC2086
		says $c
	done
}

@test "the conf: values, and lines that are none" {
	needs_tool script
	printf '%s\n' "receiver a$E" "send-command /x$E" "store /y$E" "ignore $E" \
	    "hook /h$E" "key$E x" "slots 4$E" "spool /$E" "program-share $E 2" >>"$CTL/c"
	printf '%s\n' "|/old$E %p" >"$CTL/sys/kernel/core_pattern"
	each_shell evil_conf
}
