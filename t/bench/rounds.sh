# shellcheck shell=sh
# rounds: what the benches share.  Sourced, with $top set, by a script that
# defines crash TOOL ARGS...: one crash under that tool, and prints what clock.c
# does; $row says for which row.
#
# Each round runs the same victim once under each tool, one after the other,
# in an order that turns from round to round, through the real core_pattern.
# Of each row and tool there are the median over the rounds, least and most,
# and the quartiles; "x" is the median of the ratios within a round to the
# row's first tool, its floor, beside the quartiles of those.
#
#   --json           an object a line on stdout: bench, row, tool, what, unit,
#                    n, least, q1, median, q3, most, base (that first tool),
#                    ratio, ratio_q1, ratio_q3; of what gave nothing n is 0
#   BENCH_ROUNDS=N   rounds of every row
#   BENCH_ONLY=RE    rows that match
#   BENCH_PEERS=...  of the other tools those (all that are installed)

# shellcheck disable=SC2154
# shellcheck source=t/kernel.sh
. "$top/t/kernel.sh"
BIN=$(cd "$top" && cd "${BIN:-bin}" && pwd) || exit 111
out=$top/build/bench
clock=$out/clock
victim=$out/bench_victim
export LC_ALL=C DEBUGINFOD_URLS=
umask 022
bench=${0##*/}
bench=${bench%.sh}
head=1
json=
[ "${1:-}" != --json ] || json=1 head=2

say()
{
	echo "$bench: $*" >&2
}

have()
{
	command -v "$1" >/dev/null
}

# peers TOOL...: " TOOL" for each that is wanted and installed; of one that is
# not it is said.
peers()
{
	for t; do
		case " ${BENCH_PEERS-$t} " in
		*" $t "*) ;;
		*) continue ;;
		esac
		if have "$t"; then
			printf ' %s' "$t"
		else
			say "$t is not installed: left out"
		fi
	done
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
other=
waited=0

leave()
{
	trap - EXIT INT TERM HUP
	for p in $pids $other; do
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
	began=$(date +%s)
	kernel_lock 900 || {
		say "error: unable to lock or to put back core_pattern"
		leave 111
	}
	waited=$((waited + $(date +%s) - began))
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
row=
warm()
{
	lock
	for t; do
		crash "$t" "$victim" 1 0 >"$tmp/warm"
	done
	unlock
}

# rounds ROW N TOOLS ARGS...: lines "ROW TOOL ROUND" and what crash has said, in
# the file $tmp/times; with round 0 the tools, in their order.
rounds()
{
	row=$1 n=${BENCH_ROUNDS:-$2} tools=$3
	shift 3
	wanted "$row" || return 0
	say "$row: $n rounds"
	for t in $tools; do
		echo "$row $t 0" >>"$tmp/times"
	done
	r=1
	while [ $r -le "$n" ]; do
		# others may test on this machine too: a round is our slice
		lock
		for t in $tools; do
			# here, no process of its own: leave() knows what it began
			crash "$t" "$@" >"$tmp/got"
			[ ! -s "$tmp/got" ] ||
			    echo "$row $t $r $(tr '\n' ' ' <"$tmp/got")" \
			    >>"$tmp/times"
		done
		unlock
		# what a tool leaves to be written burdens the next
		tools="${tools#* } ${tools%% *}"
		r=$((r + 1))
	done
}

# --- tables ------------------------------------------------------------------

# machine WORDS: where the figures are from; beside objects not on stdout.
machine()
{
	echo
	uname -srm
	echo "$(grep -c ^processor /proc/cpuinfo) processors; $*"
	[ $waited = 0 ] || echo "$waited seconds waited for other tests here"
} >&$head

# table TITLE WHAT UNIT COLUMN [RE]: of rounds' lines, those that begin so; what
# is to be told in ms is there in microseconds.
table()
{
	grep -s "^${5:-}" "$tmp/times" >"$tmp/lines" || return 0
	awk -v title="$1" -v what="$2" -v unit="$3" -v col="$4" \
	    -v bench="$bench" -v json="$json" '
	# x among the n in v, which are sorted
	function take(x, n) {
		for (; n > 0 && v[n] > x; n--)
			v[n + 1] = v[n]
		v[n + 1] = x
	}
	function quantile(n, q,  i) {
		q = 1 + (n - 1) * q
		i = int(q)
		return v[i] + (i < n ? (q - i) * (v[i + 1] - v[i]) : 0)
	}
	# loads v: figures of a row under a tool, or their ratios to base
	function load(row, tool, base,  n, i, x) {
		for (i = 1; i <= most[row]; i++) {
			if (!((row, tool, i) in t))
				continue
			x = t[row, tool, i]
			if (base != "" && t[row, base, i] + 0 == 0)
				continue
			take(base == "" ? x : x / t[row, base, i], n++)
		}
		return n + 0
	}
	function short(x) {
		return sprintf(x == int(x) && unit == "" ? "%.0f" : x < 10 ? \
		    "%.2f" : x < 100 ? "%.1f" : "%.0f", x)
	}
	function put(row, tool, base,  n) {
		n = load(row, tool, "")
		if (json)
			printf "{\"bench\":\"%s\",\"row\":\"%s\"," \
			    "\"tool\":\"%s\",\"what\":\"%s\"," \
			    "\"unit\":\"%s\",\"n\":%d", bench, row, tool, \
			    what, unit, n
		else
			printf "%-9s %-11s %3d", row, tool, n
		if (n > 0)
			printf json ? ",\"least\":%.6g,\"q1\":%.6g," \
			    "\"median\":%.6g,\"q3\":%.6g,\"most\":%.6g" : \
			    " %8s %8s %8s %8s %8s", val(v[1]), \
			    val(quantile(n, .25)), val(quantile(n, .5)), \
			    val(quantile(n, .75)), val(v[n])
		n = tool == base ? 0 : load(row, tool, base)
		if (n > 0)
			printf json ? ",\"base\":\"" base "\",\"ratio\":%.4g," \
			    "\"ratio_q1\":%.4g,\"ratio_q3\":%.4g" : \
			    " %8s %7s %7s", ratio(quantile(n, .5)), \
			    ratio(quantile(n, .25)), ratio(quantile(n, .75))
		print json ? "}" : ""
	}
	function val(x) { return json ? x : short(x) }
	function ratio(x) { return json ? x : "x" short(x) }
	{
		if (!($1 in base)) { base[$1] = $2; row[++rows] = $1 }
		if ($3 == 0)
			tools[$1] = tools[$1] " " $2
		if ($3 > most[$1])
			most[$1] = $3
		if ($col != "" && $col != "-")
			t[$1, $2, $3] = $col / (unit == "ms" ? 1000 : 1)
	}
	END {
		if (!json)
			printf "\n%s%s:\n%-9s %-11s %3s" \
			    " %8s %8s %8s %8s %8s %8s %7s %7s\n", title, \
			    unit == "" ? "" : ", " unit, "", "", "n", "least", \
			    "q1", "median", "q3", "most", "x", "q1", "q3"
		for (r = 1; r <= rows; r++) {
			n = split(tools[row[r]], tool, " ")
			for (i = 1; i <= n; i++)
				put(row[r], tool[i], base[row[r]])
		}
	}' "$tmp/lines"
}
