# victims: every program of t/victims, crashed through the real core_pattern;
# its backtrace against the truth of its source and against gdb.

load helper

teardown()
{
	pattern_release
}

# reported FILE MODULE: a whole report that tells the truth (truth()).
reported()
{
	is_report "$1"
	[ "$(value signal "$1")" = "$(number "$SIGNAL") $SIGNAL" ] || {
		echo "signal: $(value signal "$1"), truth: $SIGNAL"
		return 1
	}
	case $(value code "$1") in
	*" $CODE") ;;
	*) [ "$CODE" = '*' ] || {
		echo "code: $(value code "$1"), truth: $CODE"
		return 1
	} ;;
	esac
	if [ "$ADDR" != '*' ]; then
		[ $(($(value address "$1"))) = $((ADDR)) ] || {
			echo "address: $(value address "$1"), truth: $ADDR"
			return 1
		}
	fi
	chain_is "$TRUTH" "$2" "$1"
}

number()
{
	kill -l "${1#SIG}"
}

# victim EXE SOURCE [ARGS]: by the pipe handler alone; then once more with the
# core kept, for gdb and for debugger, which see the very same process.
# MODULE: what the report calls the program; DEBUG_EXE: what gdb reads.
victim()
{
	local exe=$1 source=$2 args=${3:-} module=${MODULE:-$1}
	needs_victim "$exe"
	truth "$source" "${SOURCE_ARGS:-$args}"
	if [ "$(id -u)" != 0 ]; then
		core_victim "$exe" "$args" "$module"
		return
	fi
	pattern_direct
	# shellcheck disable=SC2086
	crash "$VICTIMS/$exe" $args
	report_of "$PID"
	reported "$REPORT" "$module"
	tee_victim "$exe" "$args" "$module"
}

# What an ordinary user can see of it: the core file, if there is one.
core_victim()
{
	# shellcheck disable=SC2086
	core_of "$VICTIMS/$1" $2
	CREPORT=$BATS_TEST_TMPDIR/creport
	"$BIN/debugger" "$CORE" "$VICTIMS/$1" >"$CREPORT"
	reported "$CREPORT" "$3"
	TREPORT=$CREPORT REPORT=$CREPORT
	if [ -z "${NO_GDB:-}" ]; then
		against_gdb "$1" "$(value tid "$CREPORT")" "$3"
	fi
}

# The second half: sets TREPORT (of the dying process), CORE, CREPORT (of the
# core).
tee_victim()
{
	local tid
	pattern_tee
	# shellcheck disable=SC2086
	crash "$VICTIMS/$1" $2
	wait_for 60 eval "ls $RUND/d/exit.* >/dev/null 2>&1"
	tid=$(basename "$RUND"/d/exit.*)
	tid=${tid#exit.}
	cat "$RUND/log"
	[ "$(cat "$RUND/d/exit.$tid")" = 0 ]
	TREPORT=$RUND/d/report.$tid CORE=$RUND/d/core.$tid
	[ "$(value tid "$TREPORT")" = "$tid" ]
	reported "$TREPORT" "$3"
	CREPORT=$BATS_TEST_TMPDIR/creport
	"$BIN/debugger" "$CORE" "${CORE_EXE:-$VICTIMS/$1}" >"$CREPORT"
	reported "$CREPORT" "$3"
	diff <(frames "$TREPORT") <(frames "$CREPORT")
	if [ -z "${NO_GDB:-}" ]; then
		against_gdb "$1" "$tid" "$3"
	fi
}

against_gdb()
{
	needs_tool gdb
	gdb_core "${DEBUG_EXE:-$VICTIMS/$1}" "$CORE" "${GDB_FRAMES:-all}" \
	    >"$BATS_TEST_TMPDIR/gdb"
	same_frames "$BATS_TEST_TMPDIR/gdb" "$2" "$TREPORT" "$3"
}

@test "null" { victim null null.c; }
@test "null, -O2" { victim null_O2 null.c; }
@test "null, -O2 without frame pointers" { victim null_nofp null.c; }
@test "null, not position-independent" { victim null_nopie null.c; }
@test "null, frame pointers but no unwind tables" { victim null_fp null.c; }
@test "null, by clang" { victim null_clang null.c; }
@test "null, linked by lld" { victim null_lld null.c; }
@test "null, static" { victim null_static null.c; }
@test "null, static-pie" { victim null_staticpie null.c; }
@test "null, static without .eh_frame_hdr" { victim null_nohdr null.c; }
@test "null, musl" {
	# gdb finds no way to the start
	NO_GDB=1 victim null_musl null.c
	proper_end "$REPORT"
	section backtrace "$REPORT" | tail -1 | grep -q ' _start+'
}
@test "null, MiniDebugInfo" {
	DEBUG_EXE=$VICTIMS/null_full
	victim null_mini null.c
}

@test "strlen(NULL)" { victim strlen strlen.c; }
@test "strlen(NULL), musl: neither unwind data nor frame pointers" {
	# gdb takes what has no unwind data for a frame by frame pointer
	NO_GDB=1 victim strlen_musl strlen.c
	section backtrace "$REPORT" | grep -q ' crash_here+.* <by its call>$'
	proper_end "$REPORT"
}

# by_code EXE [ARGUMENT]: gdb takes what has neither for a frame by frame
# pointer
by_code()
{
	[ "$(uname -m)" = x86_64 ] || unmet "needs x86-64"
	NO_GDB=1 victim "$1" bare.c "${2:-}"
	proper_end "$REPORT"
}

@test "neither unwind data nor frame pointers, called through pointers" {
	by_code bare
}

@test "the same in a thread" { by_code bare thread; }
@test "the same, -O0" { by_code bare_O0 ""; }
@test "the same, musl, static" { by_code bare_musl; }
@test "the same, musl, static, in a thread" { by_code bare_musl thread; }

@test "the same without symbols" {
	local how
	needs_victim bare_musl_stripped
	pattern_direct
	for how in "" thread; do
		crash "$VICTIMS/bare_musl_stripped" $how
		report_of "$PID"
		section backtrace "$REPORT"
		# crash_here to main or worker; the pointer by which those
		# were called leaves no trace
		[ "$(frames "$REPORT" | wc -l)" -ge 5 ]
		section backtrace "$REPORT" | grep '#0[1-4]' |
		    grep -vc 'by its call' | grep -qx 0
	done
}

@test "abort" { victim abort abort.c; }
@test "abort as the last instruction" { victim abort_O2 abort.c; }
@test "assert" { victim abort abort.c assert; }
@test "assert, -O2" { victim abort_O2 abort.c assert; }
@test "jump to 0" { victim jump jump.c zero; }
@test "jump to the heap" { victim jump jump.c heap; }
@test "jump to a non-canonical address" { victim jump jump.c wild; }
@test "stack smashed, noticed" { victim smash_guarded smash.c guarded; }
@test "SIGFPE" { victim signals signals.c fpe; }
@test "SIGILL" { victim signals signals.c ill; }
@test "SIGBUS" { victim signals signals.c bus; }
@test "SIGTRAP" { victim signals signals.c trap; }
@test "kill(SIGSEGV)" { victim signals signals.c kill; }
@test "SIGQUIT" { victim signals signals.c quit; }
@test "in a signal handler" { victim handler handler.c raised; }
@test "in the handler of a fault in a first instruction" {
	victim handler handler.c fault
}
@test "a fault in the handler of a fault" { victim handler handler.c twice; }
@test "stack overflow, handler on sigaltstack" { victim altstack altstack.c; }
@test "C++, uncaught" { victim throw throw.cc; }
@test "C++, terminate" { victim throw throw.cc terminate; }
@test "C++, in a namespace" { victim throw throw.cc null; }
@test "vdso" { victim vdso vdso.c; }
@test "qsort callback" { victim callback callback.c; }
@test "inlined and tail-called functions have no frame" { victim tail tail.c; }

# proper_end FILE: the crashing thread's backtrace is whole.
proper_end()
{
	[ -z "$(section backtrace "$1" | grep stopped:)" ]
}

# gdb goes on into what the coroutine never was called from
coroutine()
{
	NO_GDB=1 victim "$1" coroutine.c
	proper_end "$REPORT"
	# by its name where libc's debug symbols are
	section backtrace "$REPORT" |
	    grep -Eq '#02 .* (__start_context\+0x0|\?\?) \(libc'
	[ "$(section backtrace "$REPORT" | wc -l)" = 3 ]
}

@test "a context of makecontext(3) ends where it begins" {
	coroutine coroutine
}

@test "a context of makecontext(3), -O0: no false frames" {
	coroutine coroutine_O0
}

@test "a library's constructor: the loader's start is the end" {
	victim early early.c
	proper_end "$REPORT"
	frames "$REPORT" | chain libearly.so
	frames "$REPORT" | chain libearly.so |
	    grep -qx 'crash_here construct @lib'
}

@test "the resolver of an indirect function: so it is there" {
	# gdb calls it by the one of its two names that callers do not
	NO_GDB=1 SOURCE_ARGS=resolver victim resolver early.c
	proper_end "$REPORT"
}

# inclone EXE: by the call that leads there.
inclone()
{
	victim "$1" inclone.c
	proper_end "$REPORT"
	section backtrace "$REPORT" | grep -q ' <by its call>$'
}

@test "within clone3(), which has no unwind data there" { inclone inclone; }
@test "within clone3(), by clang" { inclone inclone_clang; }

# gopher EXE ARGUMENT: crashed with GOTRACEBACK=crash, against its truth.
gopher()
{
	needs_victim "$1"
	truth gopher.go "$2"
	pattern_direct
	GOTRACEBACK=crash crash "$VICTIMS/$1" "$2"
	report_of "$PID"
	is_report "$REPORT"
	[ "$(value signal "$REPORT")" = "6 $SIGNAL" ]
	frames "$REPORT" | sed 's/\.abi0 / /' >"$BATS_TEST_TMPDIR/frames"
	chain "$1" <"$BATS_TEST_TMPDIR/frames"
	chain "$1" <"$BATS_TEST_TMPDIR/frames" |
	    grep -Eqx "$(echo "$TRUTH" | sed 's/\./[.]/g; s/\[\.\]\*/.*/g')"
	proper_end "$REPORT"
}

# named_threads FILE: every frame of theirs has a name, every end is one.
named_threads()
{
	[ -z "$(section threads "$1" | grep 'stopped:\|??')" ]
}

@test "Go: a panic, frames to the goroutine's beginning" {
	gopher gopher panic
	section backtrace "$REPORT" | grep -q 'runtime.sigreturn.* <signal frame>$'
	# every thread ends properly, none in a callee without its callers
	section threads "$REPORT" | grep -q '#01 .* runtime.futexsleep+'
	named_threads "$REPORT"
}

@test "Go, stripped: the same names, from .gopclntab" {
	gopher gopher_stripped panic
	named_threads "$REPORT"
}

@test "Go, position-independent" { gopher gopher_pie panic; }

@test "Go: out of the thread's own stack to the goroutine" {
	gopher gopher throw
}

@test "code of a JIT compiler, by its frame pointer" {
	# gdb takes such code for a leaf and loses its way here
	NO_GDB=1 victim jit jit.c
}

@test "read" { victim faults faults.c read; }
@test "write" { victim faults faults.c write; }
@test "write to a constant" { victim faults faults.c constant; }
@test "execute data" { victim faults faults.c data; }
@test "non-canonical address" { victim faults faults.c wild; }
@test "address far from everything" { victim faults faults.c high; }
@test "wild stack pointer" { victim faults faults.c sp; }

@test "the access is told: read, write, execute" {
	local how
	needs_victim faults
	pattern_direct
	for how in read:read write:write constant:write data:exec; do
		crash "$VICTIMS/faults" "${how%:*}"
		report_of "$PID"
		value access "$REPORT"
		value access "$REPORT" | grep -q "^${how#*:}"
	done
}

@test "stack smashed, unnoticed: the function is right, nothing invented" {
	local n
	needs_victim smash_raw
	pattern_direct
	crash "$VICTIMS/smash_raw"
	report_of "$PID"
	is_report "$REPORT"
	frames "$REPORT"
	frames "$REPORT" | head -1 | grep -q ' crash_here smash_raw$'
	n=$(frames "$REPORT" | wc -l)
	[ "$n" -le 2 ]
}

@test "stack overflow: 100,000 frames and more" {
	needs_victim overflow
	truth overflow.c
	pattern_direct
	(ulimit -s 8192; crash "$VICTIMS/overflow")
	wait_for 60 test -e "$RUND/d/usercrash_00"
	REPORT=$RUND/d/usercrash_00
	reported "$REPORT" overflow
	value cause "$REPORT" | grep -q 'stack overflow'
	last=$(section backtrace "$REPORT" | grep '#' | tail -1)
	last=${last#*#}
	[ "${last%% *}" -gt 100000 ]
	# shown and left out are all there are
	left=$(section backtrace "$REPORT" |
	    sed -n 's/^  \.\.\. \([0-9]*\) frames left out$/\1/p')
	[ $(($(frames "$REPORT" | wc -l) + left)) = $((${last%% *} + 1)) ]
}

@test "stack overflow: both ends as gdb has them" {
	needs_victim overflow
	needs_tool gdb
	truth overflow.c
	pattern_lock
	(
		ulimit -s 128 # gdb takes minutes over a big one
		NO_GDB=1 tee_victim overflow "" overflow
	)
	TREPORT=$BATS_TEST_TMPDIR/report CORE=$BATS_TEST_TMPDIR/core
	cp "$RUND"/d/report.* "$TREPORT"
	cp "$RUND"/d/core.* "$CORE"
	pattern_release # others wait for it
	for end in 40 -8; do
		gdb_do "$VICTIMS/overflow" "$CORE" \
		    -ex "frame apply $end info frame" \
		    >"$BATS_TEST_TMPDIR/said" || true
		gdb_rows <"$BATS_TEST_TMPDIR/said" |
		    awk '{ print $(NF - 1) }' >"$BATS_TEST_TMPDIR/gdb"
		n=$(wc -l <"$BATS_TEST_TMPDIR/gdb")
		[ "$n" -ge 4 ] || {
			head -n 20 "$BATS_TEST_TMPDIR/said"
			false
		}
		frames "$TREPORT" | awk '{ print $1 }' |
		    if [ "$end" = 40 ]; then head -n "$n"; else tail -n "$n"; fi |
		    diff "$BATS_TEST_TMPDIR/gdb" -
	done
}

# every_thread REPORT SOURCE MODULE: each one at its place of the truth.
every_thread()
{
	local tid name want
	threads "$1" >"$BATS_TEST_TMPDIR/threads"
	while read -r tid name; do
		want=$(thread_truth "$2" "$name")
		[ -n "$want" ] || {
			echo "no truth about thread '$name'"
			return 1
		}
		chain_is "$want" "$3" "$1" "$tid" || {
			echo "thread $tid $name"
			return 1
		}
	done <"$BATS_TEST_TMPDIR/threads"
}

@test "one thread at rest, one crashes" {
	needs_root # a core has no names of threads
	victim threads threads.c 1
	[ "$(threads "$TREPORT" | wc -l)" = 2 ]
	[ "$(value thread "$TREPORT")" = crasher ]
	every_thread "$TREPORT" threads.c threads
	every_thread "$REPORT" threads.c threads
}

@test "200 threads: every one with its name and its place, as gdb has it" {
	local tid name
	needs_root
	victim threads threads.c 200
	[ "$(threads "$TREPORT" | wc -l)" = 201 ]
	every_thread "$TREPORT" threads.c threads
	threads "$TREPORT" | awk 'NR % 20 == 1' >"$BATS_TEST_TMPDIR/some"
	while read -r tid name; do
		same_frames "$BATS_TEST_TMPDIR/gdb" "$tid" "$TREPORT" threads \
		    "$tid"
	done <"$BATS_TEST_TMPDIR/some"
	# the core has no names, all else is the same
	[ "$(threads "$CREPORT" | wc -l)" = 201 ]
	diff <(section threads "$TREPORT" | frame_rows | sort) \
	    <(section threads "$CREPORT" | frame_rows | sort)
}

@test "2,000 threads" {
	needs_victim threads
	truth threads.c 2000
	pattern_direct
	crash "$VICTIMS/threads" 2000
	report_of "$PID"
	reported "$REPORT" threads
	# all of them, or a line that says how many are not there
	there=$(threads "$REPORT" | wc -l)
	echo "$there threads"
	if [ "$there" != 2001 ]; then
		section threads "$REPORT" | tail -1
		left=$(section threads "$REPORT" | tail -1 |
		    grep -o '[0-9][0-9]*' | head -1)
		[ $((there + left)) = 2001 ]
	fi
}

@test "the main thread has gone" {
	needs_root
	victim leader leader.c
	[ "$(value pid "$TREPORT")" != "$(value tid "$TREPORT")" ]
	[ "$(value thread "$TREPORT")" = survivor ]
}

@test "stripped: the chain is right without one name" {
	needs_victim null_stripped
	needs_tool gdb readelf
	id=$(build_id "$VICTIMS/null_stripped")
	[ ! -e "/usr/lib/debug/.build-id/$id.debug" ]
	pattern_tee
	truth null.c
	TRUTH='(\?\? ){3}\?\?( @lib)?( \?\?)?'
	DEBUG_EXE=$VICTIMS/null_full
	tee_victim null_stripped "" null_stripped
	# gdb, which was given the names, knows what they are
	head -4 "$BATS_TEST_TMPDIR/gdb" | awk '{ print $3 }' |
	    diff - <(printf '%s\n' crash_here inner outer main)
}

build_id()
{
	readelf -n "$1" | sed -n 's/.*Build ID: \(..\)/\1\//p'
}

@test "stripped, debug file found by build-id" {
	needs_victim null_stripped
	needs_root
	needs_tool readelf
	id=$(build_id "$VICTIMS/null_stripped")
	DEBUGFILE=/usr/lib/debug/.build-id/$id.debug
	DEBUGDIR=$(dirname "$DEBUGFILE")
	pattern_lock # also keeps two runs from each other's debug file
	[ -d "$DEBUGDIR" ] || MADE=1
	mkdir -p "$DEBUGDIR"
	cp "$VICTIMS/null_stripped.debug" "$DEBUGFILE"
	rc=0
	(set -e; DEBUG_EXE=$VICTIMS/null_full victim null_stripped null.c) ||
	    rc=$?
	rm -f "$DEBUGFILE"
	[ -z "${MADE:-}" ] || rmdir "$DEBUGDIR"
	[ "$rc" = 0 ]
}

@test "deleted executable" {
	needs_victim null
	cp "$VICTIMS/null" "$BATS_TEST_TMPDIR/gone"
	truth null.c
	pattern_direct
	crash "$VICTIMS/launch" deleted "$BATS_TEST_TMPDIR/gone"
	report_of "$PID"
	[ ! -e "$BATS_TEST_TMPDIR/gone" ]
	value exe "$REPORT" | grep -q 'gone (deleted)'
	frames "$REPORT"
	module=$(frames "$REPORT" | head -1 | awk '{ print $3 }')
	case $module in gone*) ;; *) false ;; esac
	reported "$REPORT" "$module"
}

@test "executable in memory only" {
	needs_victim null
	truth null.c
	pattern_direct
	crash "$VICTIMS/launch" memfd "$VICTIMS/null"
	report_of "$PID"
	frames "$REPORT"
	module=$(frames "$REPORT" | head -1 | awk '{ print $3 }')
	case $module in *memory*) ;; *) false ;; esac
	reported "$REPORT" "$module"
}

@test "a process without any descriptor" {
	needs_victim null
	truth null.c
	pattern_direct
	crash "$VICTIMS/launch" closed "$VICTIMS/null"
	report_of "$PID"
	reported "$REPORT" null
	[ -z "$(section files "$REPORT")" ]
}

@test "a library loaded at run time, and deleted since" {
	local gone
	needs_victim plugin
	pattern_direct
	for gone in '' gone; do
		cp "$VICTIMS/libplug.so" "$BATS_TEST_TMPDIR/libplug.so"
		crash "$VICTIMS/plugin" "$BATS_TEST_TMPDIR/libplug.so" $gone
		report_of "$PID"
		is_report "$REPORT"
		frames "$REPORT"
		frames "$REPORT" | head -4 | awk '{ print $2 }' |
		    diff - <(printf '%s\n' plug_crash plug_run outer main)
		frames "$REPORT" | head -1 | grep -q 'libplug.so'
	done
}

@test "in namespaces of its own: this machine's ids, the right thread" {
	needs_victim threads
	needs_tool unshare
	unshare -U -r -p -f -m --mount-proc true 2>/dev/null ||
	    unmet "needs user namespaces"
	truth threads.c 1
	pattern_direct
	# unshare sends itself what its child died of: a crash of its own
	crash unshare -U -r -p -f -m --mount-proc "$VICTIMS/threads" 1
	wait_for 30 report_with exe "$VICTIMS/threads"
	reported "$REPORT" threads
	[ "$(value thread "$REPORT")" = crasher ]
	# not 1 and 3, as they are called in there
	[ "$(value pid "$REPORT")" -gt 3 ]
	[ "$(value tid "$REPORT")" -gt "$(value pid "$REPORT")" ]
	grep -q '^container: ' "$REPORT"
	every_thread "$REPORT" threads.c threads
}

@test "setuid: reported, for root alone" {
	needs_victim null
	needs_tool setpriv
	truth null.c
	pattern_direct
	kernel_set /proc/sys/fs/suid_dumpable 2
	mkdir -m 755 "$RUND/x"
	chmod 711 "$RUND"
	cp "$VICTIMS/null" "$RUND/x/null"
	chmod 4755 "$RUND/x/null"
	crash setpriv --reuid 65534 --regid 65534 --clear-groups "$RUND/x/null"
	if ! wait_for 5 report_with pid "$PID"; then
		findmnt -no OPTIONS -T "$RUND" | grep -q 'nosuid\|noexec' &&
		    unmet "needs a place for setuid programs"
		false
	fi
	reported "$REPORT" null
	[ "$(stat -c %u:%a "$REPORT")" = 0:640 ] ||
	    [ "$(stat -c %u:%a "$REPORT")" = 0:600 ]
}

@test "1,000 descriptors, all of them" {
	needs_victim much
	truth much.c "fds 1000"
	pattern_direct
	crash "$VICTIMS/much" fds 1000
	report_of "$PID"
	reported "$REPORT" much
	[ "$(section files "$REPORT" | grep -c /dev/null)" -ge 1000 ]
}

@test "60,000 mappings" {
	needs_victim much
	truth much.c "maps 60000"
	pattern_direct
	crash "$VICTIMS/much" maps 60000
	report_of "$PID"
	reported "$REPORT" much
	all_maps 60000
}

# all_maps N: listed, or counted as left out.
all_maps()
{
	local n left
	n=$(section maps "$REPORT" | grep -c '[0-9a-f]-[0-9a-f]')
	left=$(section maps "$REPORT" | sed -n \
	    's/.*[^0-9]\([0-9]*\) more.*/\1/p; s/.*[^0-9]\([0-9]*\) left out.*/\1/p' |
	    awk '{ n += $1 } END { print n + 0 }')
	echo "$n mappings shown, $left left out"
	[ $((n + left)) -ge "$1" ]
}

@test "100,000 mappings" {
	needs_victim much
	truth much.c "maps 60000"
	pattern_direct
	kernel_set /proc/sys/vm/max_map_count 200000
	crash "$VICTIMS/much" maps 100000
	report_of "$PID"
	reported "$REPORT" much
	all_maps 100000
}

@test "64 MB" { victim much much.c "mb 64"; }

# --- live ------------------------------------------------------------------

@test "live: every thread where gdb has it" {
	local tid name
	needs_victim live
	needs_tool gdb
	live
	gdb_live "$PID" >"$BATS_TEST_TMPDIR/gdb"
	if ! [ -s "$BATS_TEST_TMPDIR/gdb" ]; then
		unmet "needs to trace a process (yama)"
	fi
	"$BIN/debugger" "$PID" >"$BATS_TEST_TMPDIR/report"
	report=$BATS_TEST_TMPDIR/report
	is_report "$report"
	for name in live sleeper reader; do
		tid=$(tid_of "$name" "$report")
		same_frames "$BATS_TEST_TMPDIR/gdb" "$tid" "$report" live \
		    "${tid#"$PID"}"
	done
	chain_is "$(thread_truth live.c live)" live "$report"
	every_thread "$report" live.c live
}

tid_of()
{
	if [ "$1" = live ]; then
		echo "$PID"
	else
		threads "$2" | sed -n "s/^\([0-9]*\) $1\$/\1/p"
	fi
}

@test "live: the main thread has gone" {
	needs_victim leader
	live "$VICTIMS/leader" stay
	"$BIN/debugger" "$PID" >"$BATS_TEST_TMPDIR/report"
	cat "$BATS_TEST_TMPDIR/report"
	tid=$(cd "/proc/$PID/task" && echo [0-9]* | tr ' ' '\n' |
	    grep -vx "$PID")
	if [ "$(value tid "$BATS_TEST_TMPDIR/report")" = "$tid" ]; then
		tid=
	fi
	chain_is '@lib crash_here survivor' leader \
	    "$BATS_TEST_TMPDIR/report" "$tid"
}

# --- this file -------------------------------------------------------------

@test "no victim without a test" {
	local exe
	for exe in $(make -s -C "$TOP" -f Makefile -f - names <<-'EOF'
		names: ; @echo $(VICTIMS)
		EOF
	); do
		grep -q "[ /]$exe\([ \"]\|\$\)" "$TOP"/t/*.bats || {
			echo "$exe"
			return 1
		}
	done
}
