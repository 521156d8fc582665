# helper: what the bats files share.   load helper
#
# Whatever is known here about the form of a report is in one place, "the
# report" below.  Nothing waits for a time: wait_for polls with a deadline.

# shellcheck shell=bash disable=SC2034,SC2119
# shellcheck source=t/kernel.sh
TOP=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
BIN=$(cd "$TOP" && cd "${BIN:-bin}" && pwd)
BUILD=$(cd "$TOP" && cd "${BUILD:-build}" && pwd)
VICTIMS=$TOP/build/victims
. "$TOP/t/kernel.sh"
export LC_ALL=C
TEST_SHELL=$BASHPID
umask 022

# --- conditions ------------------------------------------------------------

# What this machine lacks is a skip, and with STRICT=1 a failure.
unmet()
{
	if [ "${STRICT:-}" = 1 ]; then
		echo "STRICT: $*"
		return 1
	fi
	skip "$*"
}

needs_root()
{
	[ "$(id -u)" = 0 ] || unmet "needs root"
}

needs_tool()
{
	local t
	for t; do
		command -v "$t" >/dev/null || unmet "needs $t"
	done
}

needs_victim()
{
	[ -x "$VICTIMS/$1" ] || unmet "victim $1 is not built here"
}

# A core_pattern that can be set and whose handler the kernel really runs.
needs_kernel()
{
	local verdict=$BATS_RUN_TMPDIR/kernel
	needs_root
	needs_tool flock
	[ -s "$verdict" ] || kernel_probe >"$verdict" 2>/dev/null
	[ "$(cat "$verdict")" = yes ] ||
	    unmet "needs a kernel whose core_pattern is ours"
}

kernel_probe()
(
	dir=$(mktemp -d /run/uXXXX)
	# shellcheck disable=SC2016
	printf 'cat >%s/core\necho $$ >%s/done\n' "$dir" "$dir" >"$dir/h"
	core_on
	kernel_lock || { echo no; return; }
	kernel_set /proc/sys/kernel/core_pattern "|/bin/sh $dir/h" &&
	    crash "$VICTIMS/null" && wait_for 5 test -s "$dir/done" &&
	    echo yes || echo no
	kernel_restore
	rm -rf "$dir"
)

# --- units -----------------------------------------------------------------

# unit NAME ARGUMENT...: one of the tests that are C.
unit()
{
	local program=$BUILD/t/$1
	[ -x "$program" ] || {
		echo "$program is not built: make units"
		return 1
	}
	shift
	"$program" "$@"
}

# on_arm NAME FILE...: builds and runs a unit for aarch64, of these files and
# t/unit/check, where that can be and this is none.
on_arm()
{
	local name=$1 f files=()
	shift
	[ "$(uname -m)" != aarch64 ] || return 0
	command -v aarch64-linux-gnu-gcc >/dev/null || return 0
	command -v qemu-aarch64 >/dev/null || return 0
	for f in "t/unit/$name" t/unit/check "$@"; do
		files+=("$TOP/${f%.c}.c")
	done
	aarch64-linux-gnu-gcc -std=gnu11 -D_GNU_SOURCE -I"$TOP/src" -O1 \
	    -static -Wall -Werror -o "$BATS_TEST_TMPDIR/$name" "${files[@]}"
	qemu-aarch64 "$BATS_TEST_TMPDIR/$name"
}

# --- waiting ---------------------------------------------------------------

# nap SECONDS: asleep without a process for it.
nap()
{
	local pipe=$BATS_FILE_TMPDIR/nap
	[ -p "$pipe" ] || mkfifo "$pipe"
	# above 128: nothing came in that time, as nobody writes
	read -rt "$1" _ <>"$pipe" || [ $? -gt 128 ] || sleep "$1"
}

# wait_for SECONDS COMMAND...: until it succeeds; fails at the deadline, but not
# before it was asked fifty times more: a machine that stood still, or whose clock
# was set, has passed the deadline when nobody else has run as yet.  Asks less
# often what takes long: an answer costs more than the wait.
wait_for()
{
	local end=$((SECONDS + $1)) more=50 n=0 naps=(0.02 0.05 0.1)
	shift
	until "$@"; do
		[ $SECONDS -le $end ] || [ $((more -= 1)) -gt 0 ] || {
			echo "waited in vain for: $*"
			return 1
		}
		nap "${naps[$((n / 10))]}"
		[ $n -ge 29 ] || n=$((n + 1))
	done
}

# not COMMAND...: "! command" fails no test (set -e looks away), this does.
not()
{
	! "$@"
}

gone()
{
	! kill -0 "$1" 2>/dev/null || [ "$(state_of "$1")" = Z ]
}

# The state letter of a process.
state_of()
{
	sed 's/.*) \(.\).*/\1/' "/proc/$1/stat" 2>/dev/null
}

# --- processes -------------------------------------------------------------

# bg COMMAND...: in the background, killed at the end; its id in $BG.
bg()
{
	"$@" 3>&- 9>&- &
	BG=$!
	BGS="${BGS:-} $BG"
}

end_bgs()
{
	local p
	for p in ${BGS:-}; do
		kill -KILL "$p" 2>/dev/null || :
		wait "$p" 2>/dev/null || :
	done
	BGS=
}

# together FUNCTION: with each line of stdin, four at a time, each in a process
# and a directory of its own, $T/NUMBER, which is $T there.  What one that fails
# has said is shown, and this fails.
together()
{
	local line n=0 bad=0 T=$T
	while IFS= read -r line; do
		n=$((n + 1))
		[ "$(jobs -rp | wc -l)" -lt 4 ] || wait -n || :
		mkdir "$T/$n"
		together_one "$1" "$n" "$line" >"$T/$n.said" 2>&1 3>&- 9>&- &
	done
	wait
	for ((; n > 0; n--)); do
		[ -e "$T/$n.good" ] || {
			cat "$T/$n.said"
			bad=1
		}
	done
	[ $bad = 0 ]
}

together_one()
{
	local good=$T/$2.good
	BGS=
	trap end_bgs EXIT
	T=$T/$2
	cd "$T" || exit
	set -e
	"$1" "$3" </dev/null
	touch "$good"
}

# crash COMMAND...: runs it to its end in a directory of its own; the process
# id in $PID, the exit status in $STATUS, output in out and err there.
crash()
{
	STATUS=0
	WHERE=${WHERE:-$BATS_TEST_TMPDIR}
	{
		(cd "$WHERE" && exec "$@") >"$WHERE/out" \
		    2>"$WHERE/err" 3>&- 9>&- &
		PID=$!
		wait "$PID" || STATUS=$?
	} 2>/dev/null
}

# nocore COMMAND...: what crashes in it is seen by no handler.
nocore()
{
	"$VICTIMS/launch" nocore "$@"
}

# live [COMMAND...]: starts a victim that stays, waits for its "ready".
live()
{
	[ $# -gt 0 ] || set -- "$VICTIMS/live"
	: >"$BATS_TEST_TMPDIR/live"
	"$@" >"$BATS_TEST_TMPDIR/live" 3>&- 9>&- &
	PID=$!
	BGS="${BGS:-} $PID"
	wait_for 30 grep -q ready "$BATS_TEST_TMPDIR/live"
}

# What t/run took, so that tests without the lock crash in nobody's sight: no
# core file as yet, but a handler is run.
core_on()
{
	ulimit -S -c 0
}

# core_of COMMAND...: a core file by the kernel, no handler: $CORE, of $PID.
core_of()
{
	local before=${WHERE:-}
	if [ "$(id -u)" = 0 ]; then
		pattern core 0
	elif grep -q '[|/@]' /proc/sys/kernel/core_pattern; then
		unmet "needs a core_pattern that is a plain name"
	fi
	WHERE=$(mktemp -d "$BATS_TEST_TMPDIR/core.XXXX")
	(
		ulimit -c unlimited
		crash "$@"
		echo "$PID" >"$WHERE/pid"
	)
	PID=$(cat "$WHERE/pid")
	CORE=$(find "$WHERE" -type f -name 'core*' | head -1)
	WHERE=$before
	[ -s "$CORE" ] || unmet "the kernel writes no core file here"
}

# --- core_pattern ----------------------------------------------------------

# pattern_lock: the lock, and a directory for handlers: $RUND with
# c (the program), d (the reports); both gone after the test.
pattern_lock()
{
	[ "$BASHPID" = "$TEST_SHELL" ] || {
		echo "a subshell cannot keep the lock"
		return 1
	}
	needs_kernel
	kernel_lock
	core_on
	RUND=$(mktemp -d /run/uXXXX)
	mkdir -m 750 "$RUND/d"
	ln -s "$BIN/usercrash_c" "$RUND/c"
}

# pattern VALUE [LIMIT]: sets core_pattern and core_pipe_limit.
pattern()
{
	[ -n "${RUND:-}" ] || pattern_lock
	kernel_set /proc/sys/kernel/core_pipe_limit "${2:-1024}"
	kernel_set /proc/sys/kernel/core_pattern "$1"
}

# core_held COMMAND...: crashes it and holds it, until there is $RUND/release:
# its core, as the kernel wrote it, in $CORE; $PID.
core_held()
{
	[ -n "${RUND:-}" ] || pattern_lock
	cat >"$RUND/h" <<-EOF
		cat >$RUND/d/part.\$1
		mv $RUND/d/part.\$1 $RUND/d/core.\$1
		until [ -e $RUND/release ] || [ ! -d $RUND ]; do
			sleep 0.02
		done
	EOF
	pattern "|/bin/sh $RUND/h %P"
	bg "$@"
	PID=$BG
	CORE=$RUND/d/core.$PID
	wait_for 300 test -e "$CORE"
}

# The handler as it is meant to be used, within the kernel's 127 characters;
# reports in $RUND/d, no server unless server_start was called.
HANDLER_ARGS='--tid=%I --uid=%u --dumpmode=%d --rlimit=%c --pidfd=%F %P %e %s'
pattern_direct()
{
	[ -n "${RUND:-}" ] || pattern_lock
	pattern "|$RUND/c -d$RUND/d -S$RUND/s $* $HANDLER_ARGS"
}

# Every option, and the core kept for others: $RUND/d/core.TID, report.TID,
# exit.TID.  The script holds fd 0 till its end, so the process stays.
pattern_tee()
{
	[ -n "${RUND:-}" ] || pattern_lock
	cat >"$RUND/h" <<-EOF
		exec 2>>$RUND/log
		cat >$RUND/d/core.\$1
		$BIN/usercrash_c -o $RUND/d/report.\$1 --tid=\$1 --uid=\$2 \
		    --gid=\$3 --time=\$4 --dumpmode=\$5 --rlimit=\$6 \
		    --pidfd=\$7 --host=\$8 \$9 "\${10}" \${11} \
		    <$RUND/d/core.\$1 >>$RUND/log
		echo \$? >$RUND/d/exit.\$1
	EOF
	pattern "|/bin/sh $RUND/h %I %u %g %t %d %c %F %h %P %e %s"
}

server_start()
{
	bg "$BIN/usercrash_s" -d "$RUND/d" -S "$RUND/s" "$@" 2>>"$RUND/log"
	wait_for 10 test -S "$RUND/s"
}

# In teardown, always.
pattern_release()
{
	end_bgs
	if [ -n "${RUND:-}" ]; then
		kernel_restore
		kernel_unlock
		rm -rf "$RUND"
		RUND=
	fi
}

# report_of PID: sets $REPORT to the published report of that process.
report_of()
{
	wait_for 30 report_with pid "$1"
}

# report_with KEY VALUE: the report of which that is true, in REPORT.
report_with()
{
	local f
	for f in "$RUND"/d/usercrash_*; do
		if [ "$(value "$1" "$f" 2>/dev/null)" = "$2" ]; then
			REPORT=$f
			return 0
		fi
	done
	return 1
}

reports()
{
	find "$RUND/d" -name 'usercrash_*' | wc -l
}

# --- the report ------------------------------------------------------------

# value KEY FILE: of the lines "key: value" before the first section.
value()
{
	awk -v k="$1: " '
		index($0, k) == 1 { print substr($0, length(k) + 1); exit }
		/^[a-z]+:$/ { exit }' "$2"
}

# section NAME FILE: its rows; "unavailable: reason" when that is all.
section()
{
	awk -v s="$1:" '
		$0 == s { on = 1; next }
		index($0, s " ") == 1 { print substr($0, length(s) + 2) }
		/^$/ { on = 0 }
		on' "$2"
}

# Rows of frames -> "pc function module", "??" and "-" where there is none.
frame_rows()
{
	awk '$1 ~ /^#[0-9]+$/ && $2 == "pc" {
		name = $4; sub(/\+0x[0-9a-f]+$/, "", name)
		mod = "-"
		if (match($0, / \(.*\+0x[0-9a-f]+\)/)) {
			mod = substr($0, RSTART + 2, RLENGTH - 3)
			sub(/\+0x[0-9a-f]+$/, "", mod)
			gsub(/ /, "_", mod)
		}
		if (name == "" || name ~ /^\(/) name = "??"
		print $3, name, mod
	}'
}

# frames FILE [TID]: the crashing thread's, or another thread's.
frames()
{
	if [ -z "${2:-}" ]; then
		section backtrace "$1"
	else
		section threads "$1" | awk -v t="$2" '
			$1 == "thread" { on = $2 == t; next } on'
	fi | frame_rows
}

# threads FILE: "tid name" of every other thread.
threads()
{
	section threads "$1" | sed -n 's/^  thread \([0-9]*\) "\(.*\)".*/\1 \2/p'
}

# chain MODULE: frame lines on stdin -> the words of t/victims/victim.h.  What
# gcc puts apart as unlikely is of its function.
chain()
{
	awk -v m="$1" '{
		w = $2
		sub(/\.cold(\.[0-9]+)?$/, "", w)
		if ($3 == "-") w = "@none"
		else if ($3 != m) w = "@lib"
		if (w == "@lib" && last == w) next
		printf "%s%s", (NR > 1 ? " " : ""), w
		last = w
	} END { print "" }'
}

# What libc puts below main and below a thread's function.
TAIL='( @lib| _start| _start_c| __libc_start[a-z_]*| libc_start_main_stage2| generic_start_main)*'

# chain_is REGEX MODULE FILE [TID]
chain_is()
{
	local got
	got=$(frames "$3" ${4:+"$4"} | chain "$2")
	if ! echo "$got" | grep -Eqx -- "$1$TAIL"; then
		echo "chain: $got"
		echo "truth: $1"
		return 1
	fi
}

# is_report FILE: whole, in its shape, nothing that a terminal would obey.
is_report()
{
	local s
	head -1 "$1" | grep -q '^usercrash report [0-9]' || {
		echo "not a report: $1"
		head -3 "$1"
		return 1
	}
	if grep -q '^incomplete: ' "$1"; then
		grep '^incomplete: ' "$1"
		return 1
	fi
	for s in backtrace registers maps; do
		grep -Eq "^$s:( |\$)" "$1" || {
			echo "no section $s"
			return 1
		}
	done
	if grep -nP '[^\x0a\x20-\x7e\x80-\xff]' "$1"; then
		echo "control bytes in $1"
		return 1
	fi
}

# --- the truth -------------------------------------------------------------

# The case lines of a victim; one that is too long goes on in the next line.
cases()
{
	awk '/^ \*\// { exit }
		/^ \* (case|thread): / { printf "%s", nl }
		/^ \* case: / { printf "%s", substr($0, 10); nl = "\n"; on = 1
			next }
		/^ \*$|^ \* thread: / { on = 0 }
		on { printf "%s", substr($0, 3) }
		END { print "" }' "$TOP/t/victims/$1"
}

# truth SOURCE ARGS: the case line of that victim: sets SIGNAL CODE ADDR TRUTH.
truth()
{
	local line
	line=$(cases "$1" | awk -F ' [|] ' -v a="${2:--}" '$1 == a')
	[ -n "$line" ] || {
		echo "no case '$2' in $1"
		return 1
	}
	SIGNAL=$(echo "$line" | awk -F ' [|] ' '{ split($2, a, " "); print a[1] }')
	CODE=$(echo "$line" | awk -F ' [|] ' '{ split($2, a, " "); print a[2] }')
	ADDR=$(echo "$line" | awk -F ' [|] ' '{ split($2, a, " "); print a[3] }')
	TRUTH=${line#* | }
	TRUTH=${TRUTH#* | }
}

# thread_truth SOURCE NAME: the chain of a thread of that name.
thread_truth()
{
	sed -n 's/^ \* thread: //p' "$TOP/t/victims/$1" |
	    while IFS= read -r line; do
		if echo "$2" | grep -Eqx "${line%% | *}"; then
			echo "${line#* | }"
			break
		fi
	done
}

# gdb_do ARGS...: gdb with nothing of this machine's own ways.
gdb_do()
{
	DEBUGINFOD_URLS='' timeout 120 gdb -nx -batch \
	    -iex 'set auto-load off' -iex 'set debuginfod enabled off' \
	    -iex 'set confirm off' -iex 'set pagination off' \
	    -iex 'set print demangle off' -iex 'set print asm-demangle off' \
	    -iex 'set backtrace past-main on' \
	    -iex 'set backtrace limit unlimited' "$@" 2>&1 </dev/null
}

# "frame apply all info frame" -> "LWP pc function": the physical frames.
# Inlined and tail-called functions have no frame of their own, and gdb goes
# on through garbage: what cannot be code ends a chain.  The function is that
# of the frame's headline, which for a caller is looked up before its return
# address; "info frame" does not.
gdb_rows()
{
	awk '
	function put() {
		if (pc != "" && !pseudo && !over) {
			n = length(pc)
			if (level > 0 && (n < 5 ||
			    n > 12 && pc !~ /^ffffffff/))
				over = 1
			else {
				while (length(pc) < 16)
					pc = "0" pc
				print lwp, pc, name
			}
		}
		pc = ""; pseudo = 0
	}
	/^Thread [0-9]+ / {
		put(); over = 0
		if (match($0, /(LWP|process) [0-9]+/)) {
			lwp = substr($0, RSTART, RLENGTH)
			sub(/.* /, "", lwp)
		}
	}
	/^#[0-9]+ +/ {
		put()
		level = substr($1, 2) + 0
		name = $2
		if ($2 ~ /^0x/) name = $4
		if (name ~ /^</) name = "??"
	}
	/^ [a-z]+ = 0x[0-9a-f]+( in |;)/ && pc == "" {
		pc = $3; sub(/^0x/, "", pc); sub(/;$/, "", pc)
	}
	/ (inlined into|tail call) frame/ { pseudo = 1 }
	END { put() }'
}

# gdb_core EXE CORE [COUNT]: rows of all threads.
gdb_core()
{
	gdb_do "$1" "$2" \
	    -ex "thread apply all frame apply ${3:-all} info frame" | gdb_rows
}

gdb_live()
{
	gdb_do -p "$1" -ex 'thread apply all frame apply all info frame' |
	    gdb_rows
}

# same_frames ROWS TID FILE MODULE [report's TID argument]: the report has
# the pcs that gdb has, one by one, and in MODULE the same functions.
same_frames()
{
	awk -v t="$2" '$1 == t { print $2, $3 }' "$1" >"$BATS_TEST_TMPDIR/a"
	frames "$3" ${5:+"$5"} >"$BATS_TEST_TMPDIR/b"
	[ -s "$BATS_TEST_TMPDIR/a" ] || {
		echo "gdb saw no frame of thread $2"
		return 1
	}
	# both hex numbers padded alike: compare as text
	paste -d '|' "$BATS_TEST_TMPDIR/a" "$BATS_TEST_TMPDIR/b" |
	    awk -F '|' -v m="$4" '{
		split($1, g, " "); split($2, r, " ")
		gsub(/^0+/, "", g[1]); gsub(/^0+/, "", r[1])
		bad = g[1] != r[1] || r[3] == m && r[2] != "??" &&
		    g[2] != "??" && r[2] != g[2]
		print (bad ? "DIFFERS " : "        ") $1 " | " $2
		worst += bad
	} END { exit worst > 0 }'
}

# json_valid FILE: by a parser that is not ours.
json_valid()
{
	if command -v python3 >/dev/null; then
		python3 -c 'import json, sys
json.loads(open(sys.argv[1], "rb").read().decode("utf-8", "strict"))' "$1"
	elif command -v jq >/dev/null; then
		jq -e . "$1" >/dev/null
	else
		unmet "needs python3 or jq"
	fi
}

# json_get FILE KEY...: a value, by the same parser.
json_get()
{
	if command -v python3 >/dev/null; then
		python3 -c 'import json, sys
v = json.load(open(sys.argv[1]))
for k in sys.argv[2:]:
    v = v[int(k) if isinstance(v, list) else k]
print(v if isinstance(v, (str, int)) else json.dumps(v))' "$@"
	else
		local f=$1 p=.
		shift
		for k; do
			case $k in
			*[!0-9]*) p="${p}[\"$k\"]" ;;
			*) p="${p}[$k]" ;;
			esac
		done
		jq -r "$p" "$f"
	fi
}
