#!/bin/sh
# noise: crashes beside programs that take faults as others take branches.
#
#   t/noise.sh [MODE ...]     all below without arguments; as root
#
# NOISE     the noisy command (handled of t/victims, as fast as it can), and
# NAME      part of its name
# CRASHES   crashes of others, a hundred at the same moment (1000)
#
# In each mode segfault_analyzer watches all of them.  It must tell each crash,
# with a word on its stack where there is one; what it says of the noise must be
# below a megabyte a minute, but where all is asked for; and what it has seen is
# what it wrote, what it left out by --share or --rate, and what it dropped, to
# the last.  Nothing that is fatal may be dropped.
#
# Prints a line a mode, with the faults a second that there were.  Exits 0; 1
# when something does not hold; 111 when it cannot be tried here.
#
#   t/noise.sh long
#
# Hours of it, by their count: as many events with stacks as eight hours of one
# noisy program and of three crashes a second bring, as fast as they can be
# told, each crash another process; into files that follow each other.  The
# memory of all its processes must not grow after the first tenth, and the files
# are so many and so large as was asked for.
#
# EVENTS    handled ones (86400), in ten parts; and as many crashes

top=$(cd "$(dirname "$0")/.." && pwd) || exit 111
cd "$top" || exit 111
bin=$(cd "${BIN:-bin}" && pwd) || exit 111
victims=$top/build/victims
crashes=${CRASHES:-1000}
[ $# -gt 0 ] || set -- plain stack all fatal unlimited top
failed=0

die()
{
	echo "noise: error: $*" >&2
	exit 111
}

[ "$(id -u)" = 0 ] || die "BPF needs root"
for need in "$bin/segfault_analyzer" "$victims/storm" "$victims/handled" \
    "$victims/launch"; do
	[ -x "$need" ] || die "$need is not built (make all victims)"
done
tmp=$(mktemp -d "${TMPDIR:-/tmp}/noise.XXXXXX") || exit 111
analyzer='' noise=''
leave()
{
	trap - EXIT
	# shellcheck disable=SC2086
	kill $analyzer $noise 2>/dev/null
	rm -rf "$tmp"
	exit "$1"
}
trap 'leave 111' INT TERM HUP
trap 'leave $?' EXIT
crasher=crashing$$
cp "$victims/storm" "$tmp/$crasher"
cp "$victims/handled" "$tmp/noisy$$"

options()
{
	case $1 in
	plain) echo ;;
	stack) echo -t ;;
	all) echo '-t -r -v --format json' ;;
	fatal) echo '-t --fatal' ;;
	unlimited) echo '-t --share 0' ;;
	top) echo '--top=1' ;;
	*) die "no mode is called $1" ;;
	esac
}

# now: seconds, with hundredths
now()
{
	cut -d ' ' -f 1 /proc/uptime
}

begin_noise()
{
	if [ -n "${NOISE:-}" ]; then
		# its words
		# shellcheck disable=SC2086
		$NOISE >"$tmp/noise" 2>&1 &
		noise=$!
	else
		"$tmp/noisy$$" 2000000000 >/dev/null 2>&1 &
		noise=$!
	fi
}

end_noise()
{
	# with what it has started
	for p in $(pgrep -P "$noise") $noise; do
		kill "$p" 2>/dev/null
	done
	wait "$noise" 2>/dev/null
	noise=
}

# count_of NAME: of the last statistics
count_of()
{
	sed -n "s/.*stats: events=/events=/p" "$tmp/err" | tail -n 1 |
	    tr ' ' '\n' | sed -n "s/^$1=//p"
}

# tell MODE: of the crasher's records how many, and how many with a stack; and
# the bytes of all others.
tell()
{
	case $1 in
	all)
		awk -v c="\"comm\": \"$crasher\"" '
			index($0, c) && /"fault_address"/ { n++
			    stacks += /"stack_status": "(rel|trunc|doubt)/
			    next }
			{ b += length($0) + 1 }
			END { print n + 0, stacks + 0, b + 0 }' "$tmp/out"
		;;
	top)
		awk -v c="$crasher" '
			/^\[/ { n = 0 }
			/ \/s  LAST/ { on = $1 == "FATAL" }
			on && $4 == c { n += $1 }
			{ b += length($0) + 1 }
			END { print n + 0, n + 0, b + 0 }' "$tmp/out"
		;;
	*)
		awk -v c="process $crasher (" '
			/^\[/ { of = index($0, c); n += of > 0 }
			of && /^    (reliable|truncated|doubtful)/ { stacks++ }
			!of { b += length($0) + 1 }
			END { print n + 0, stacks + 0, b + 0 }' "$tmp/out"
		;;
	esac
}

# mode NAME
mode()
{
	rm -f "$tmp/out" "$tmp/err"
	# shellcheck disable=SC2046
	"$bin/segfault_analyzer" -o "$tmp/out" --stats -n "$crasher" \
	    -n "${NAME:-noisy$$}" $(options "$1") \
	    2>"$tmp/err" &
	analyzer=$!
	until [ -e "$tmp/out" ]; do
		kill -0 $analyzer 2>/dev/null || {
			cat "$tmp/err" >&2
			die "segfault_analyzer cannot watch here"
		}
		sleep 0.1
	done
	begin_noise
	began=$(now)
	sleep "${WARM:-1}"
	i=0
	while [ $((i += 100)) -le "$crashes" ]; do
		"$victims/launch" nocore "$tmp/$crasher" 100 >/dev/null 2>&1
	done
	ended=$(now)
	end_noise
	kill -INT $analyzer
	wait $analyzer
	analyzer=
	judge "$1"
}

judge()
{
	told=$(tell "$1")
	seen=$(count_of seen) written=$(count_of events)
	limited=$(count_of limited) dropped=$(count_of dropped)
	awk -v m="$1" -v told="$told" -v crashes="$crashes" -v seen="$seen" \
	    -v written="$written" -v limited="$limited" -v dropped="$dropped" \
	    -v s="$began $ended" 'BEGIN {
		split(told, t, " ")
		split(s, at, " ")
		took = at[2] - at[1]
		minute = t[3] * 60 / took / 1e6
		if (t[1] != crashes)
			why = why ", " crashes - t[1] " crashes are not told"
		if (m != "plain" && t[2] != crashes)
			why = why ", " crashes - t[2] " stacks without a word"
		if (seen != written + limited + dropped)
			why = why ", the counts do not add up"
		if (m != "unlimited" && minute >= 1)
			why = why ", it says too much of the noise"
		printf "%-10s %5.1f s, %7d faults/s, %d of %d crashes, %d" \
		    " stacks, %.3f MB a minute of noise, %d seen = %d written" \
		    " + %d limited + %d dropped%s\n", m, took, seen / took, \
		    t[1], crashes, t[2], minute, seen, written, limited, \
		    dropped, why == "" ? "" : ": WRONG" why
		exit why != "" }' || failed=1
}

# resident: KiB of all processes of the analyzer
resident()
{
	for p in $analyzer $(pgrep -P $analyzer); do
		cat "/proc/$p/status"
	done | awk '/^(RssAnon|RssFile):/ { n += $2 } END { print n }'
}

# waited_for N: so many events are written, or dropped, as the machine was slow
waited_for()
{
	i=0
	until [ $(($(count_of events) + $(count_of dropped) + 0)) -ge "$1" ]; do
		sleep 0.2
		[ $((i += 1)) -lt 1500 ] || die "only $(count_of events) of $1"
	done
}

long()
{
	events=${EVENTS:-86400}
	part=$((events / 10))
	mkdir "$tmp/long"
	"$bin/segfault_analyzer" -t --share 0 --stats=1 -n "$crasher" \
	    -n "noisy$$" -o "$tmp/long/out" --rotate 1M,5 2>"$tmp/err" &
	analyzer=$!
	until [ -e "$tmp/long/out" ]; do
		sleep 0.1
		kill -0 $analyzer 2>/dev/null ||
		    die "segfault_analyzer cannot watch here"
	done
	began=$(now) turn=0 made=0 first=0 most=0
	while [ $((turn += 1)) -le 10 ]; do
		"$tmp/noisy$$" $part 3 1 3000 >/dev/null
		n=0
		while [ $((n += 200)) -le $part ]; do
			"$victims/launch" nocore "$tmp/$crasher" 200 \
			    >/dev/null 2>&1
			made=$((made + 200))
		done
		waited_for $((turn * part + made))
		rss=$(resident)
		[ $turn -gt 1 ] || first=$rss
		[ "$rss" -le "$most" ] || most=$rss
		echo "  part $turn: $((turn * part + made)) events," \
		    "$rss KiB, $(find "$tmp/long" -name 'out*' | wc -l) files"
	done
	kill -INT $analyzer
	wait $analyzer
	analyzer=
	files=$(find "$tmp/long" -name 'out*' | wc -l)
	large=$(find "$tmp/long" -name 'out*' -size +1050k | wc -l)
	echo "long: $(count_of seen) seen, $(count_of events) written," \
	    "$(count_of dropped) dropped in $(awk -v a="$began" \
	        -v b="$(now)" 'BEGIN { printf "%.0f", b - a }') s; $first" \
	    "KiB after the first tenth, $most at most; $files files," \
	    "$large too large"
	[ "$most" -le $((first + 4096)) ] && [ "$files" = 6 ] &&
	    [ "$large" = 0 ] || failed=1
}

for m; do
	case $m in
	long) long ;;
	*) mode "$m" ;;
	esac
done
leave $failed
