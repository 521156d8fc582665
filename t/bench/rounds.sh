# shellcheck shell=sh
# rounds: what the benches share.  Sourced, with $top set, by a script that
# defines crash TOOL ARGS...: one crash under that tool, and prints what
# clock.c does.
#
# Each round runs the same victim once under each tool, one after the other,
# in an order that turns from round to round, through the real core_pattern;
# figures are medians over rounds, and "xN" is the median of the ratios within
# a round to the first tool.
#
#   BENCH_ROUNDS=N   rounds of every row
#   BENCH_ONLY=RE    rows that match

# shellcheck disable=SC2154
# shellcheck source=t/kernel.sh
. "$top/t/kernel.sh"
BIN=$(cd "$top" && cd "${BIN:-bin}" && pwd) || exit 111
out=$top/build/bench
clock=$out/clock
victim=$out/bench_victim
export LC_ALL=C DEBUGINFOD_URLS=

say()
{
	echo "${0##*/}: $*" >&2
}

have()
{
	command -v "$1" >/dev/null
}

# need PROGRAM...: those that make bench builds.
need()
{
	for f in "$clock" "$victim" "$@"; do
		[ -x "$f" ] || {
			say "error: $f is not there: make bench builds it"
			exit 111
		}
	done
	[ "$(id -u)" = 0 ] || {
		say "error: setting core_pattern needs root"
		exit 111
	}
}

# What to remove, and to kill, at the end; every script adds its own.
tmp=$(mktemp -d) || exit 111
run=
made=
locked=
pids=

leave()
{
	trap - EXIT INT TERM HUP
	for p in $pids; do
		kill "$p" 2>/dev/null && wait "$p" 2>/dev/null
	done
	unlock
	[ -z "$run" ] || rm -rf "$run"
	[ -z "$made" ] || rm -rf "$made"
	rm -rf "$tmp"
	exit "$1"
}
trap 'leave 111' INT TERM HUP
trap 'leave $?' EXIT

lock()
{
	kernel_lock 900 || {
		say "error: unable to lock or to put back core_pattern"
		leave 111
	}
	locked=1
}

unlock()
{
	[ -n "$locked" ] || return 0
	kernel_restore
	kernel_unlock
	locked=
}

# Sets core_pattern, and core_pipe_limit so that nothing is lost.
pattern()
{
	kernel_set /proc/sys/kernel/core_pipe_limit 1024 &&
	    kernel_set /proc/sys/kernel/core_pattern "$1"
}

# --- rounds ------------------------------------------------------------------

wanted()
{
	echo "$1" | grep -Eqx -- "${BENCH_ONLY:-.*}"
}

# warm TOOLS: programs and libraries come from memory from here on.
warm()
{
	lock
	for t; do
		crash "$t" "$victim" 1 0 >"$tmp/warm"
	done
	unlock
}

# rounds ROW N TOOLS CLOCKARGS...: lines "ROW TOOL ROUND REPORT GONE REPORTS".
rounds()
{
	row=$1 n=${BENCH_ROUNDS:-$2} tools=$3
	shift 3
	wanted "$row" || return 0
	say "$row: $n rounds"
	r=1
	while [ $r -le "$n" ]; do
		# others may test on this machine too: a round is our slice
		lock
		for t in $tools; do
			got=$(crash "$t" "$@")
			[ -z "$got" ] || echo "$row $t $r $got" >>"$tmp/times"
		done
		unlock
		# what a tool leaves to be written burdens the next
		tools="${tools#* } ${tools%% *}"
		r=$((r + 1))
	done
}

# --- tables ------------------------------------------------------------------

# table FILE COLUMN TOOLS: a line per row, medians in ms, ratios to the first.
table()
{
	awk -v col="$2" -v tools="$3" '
	function median(list,  v, n, i, j, x) {
		n = split(list, v, " ")
		for (i = 2; i <= n; i++) {
			x = v[i] + 0
			for (j = i - 1; j > 0 && v[j] + 0 > x; j--)
				v[j + 1] = v[j]
			v[j + 1] = x
		}
		return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
	}
	{
		if (!($1 in seen)) { seen[$1] = 1; row[++rows] = $1 }
		if ($3 > most[$1]) most[$1] = $3
		if ($col != "-") t[$1, $2, $3] = $col
	}
	END {
		k = split(tools, tool, " ")
		printf "%-8s %6s", "process", "rounds"
		for (i = 1; i <= k; i++)
			printf " %18s", tool[i]
		print ""
		for (a = 1; a <= rows; a++) {
			printf "%-8s %6d", row[a], most[row[a]]
			for (i = 1; i <= k; i++) {
				ms = ratio = ""
				for (r = 1; r <= most[row[a]]; r++) {
					if (!((row[a], tool[i], r) in t))
						continue
					x = t[row[a], tool[i], r]
					ms = ms " " x / 1000
					if ((row[a], tool[1], r) in t)
						ratio = ratio " " \
						    x / t[row[a], tool[1], r]
				}
				s = "-"
				if (ms != "")
					s = sprintf("%.1f", median(ms))
				if (ms != "" && i > 1 && ratio != "") {
					x = median(ratio)
					s = s sprintf(" %7s", sprintf("x%.*f", \
					    (x < 2) + (x < 20), x))
				}
				printf " %18s", s
			}
			print ""
		}
	}' "$1"
}
