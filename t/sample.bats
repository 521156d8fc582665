#!/usr/bin/env bats
# Stacks of processes that are gone: a copy of registers and stack, and the
# mappings that were tracked.  t/unit/sample_crash stands in for the BPF
# program; gdb has the core of the same process.

# shellcheck disable=SC2086
load helper

S=$BUILD/t/sample_crash

teardown()
{
	pattern_release
	[ -z "${JAIL:-}" ] || rm -rf "$JAIL"
}

needs_perf()
{
	local rc=0
	needs_root
	"$BUILD/t/unit_sample" rings >/dev/null || rc=$?
	[ $rc != 77 ] || unmet "needs the right to perf events"
}

# sampled VICTIM SOURCE ARGS [OPTIONS]: its stack is the truth; gdb's of the
# same process, before it was killed, is in gdb.  Sets R, the output.
sampled()
{
	local stopped=$BATS_TEST_TMPDIR/stopped
	needs_perf
	needs_tool gdb
	needs_victim "$1"
	truth "$2" "${3:-}"
	R=$BATS_TEST_TMPDIR/r
	# where the whole system is followed, a busy one may be too fast for it
	for _ in 1 2 3 4 5; do
		rm -f "$stopped"
		bg "$S" -g "$stopped" ${4:-} "$VICTIMS/$1" ${3:-} >"$R" 2>&1
		wait_for 60 test -s "$stopped"
		gdb_do -p "$(cat "$stopped")" -ex "thread apply all frame apply \
		    ${GDB_FRAMES:-all} info frame" | gdb_rows \
		    >"$BATS_TEST_TMPDIR/gdb"
		rm "$stopped"
		wait "$BG"
		cat "$R"
		grep -q '^tracked: .* [1-9][0-9]* lost' "$R" || break
	done
	[ -n "${NO_CHAIN:-}" ] || chain_is "$TRUTH" "$1" "$R"
}

# The same for a process of several threads: gdb has its core.
dumped()
{
	needs_perf
	needs_tool gdb
	needs_victim "$1"
	truth "$2" "${3:-}"
	# AddressSanitizer would see to it that there is none
	core_of env ASAN_OPTIONS=disable_coredump=0 "$S" -d "$VICTIMS/$1" ${3:-}
	R=$(dirname "$CORE")/out
	cat "$R"
	[ -n "${NO_CHAIN:-}" ] || chain_is "$TRUTH" "$1" "$R"
	gdb_core "$VICTIMS/$1" "$CORE" >"$BATS_TEST_TMPDIR/gdb"
}

as_gdb()
{
	same_frames "$BATS_TEST_TMPDIR/gdb" "$(value tid "$R")" "$R" "$1"
}

is_reliable()
{
	grep -qx 'verdict: reliable' "${1:-$R}"
}

whole()
{
	sampled "$@"
	as_gdb "$1"
	is_reliable
}

whole_core()
{
	dumped "$@"
	as_gdb "$1"
	is_reliable
}

# What the window covers is right, to the last frame.
partial()
{
	local tid n
	tid=$(value tid "$R")
	n=$(frames "$R" | wc -l)
	[ "$n" -ge 3 ]
	grep "^$tid " "$BATS_TEST_TMPDIR/gdb" | head -"$n" \
	    >"$BATS_TEST_TMPDIR/top"
	same_frames "$BATS_TEST_TMPDIR/top" "$tid" "$R" "$1"
}

@test "blocks: what was read once is not read again" {
	unit unit_blocks
}

@test "units: records, their order, spaces, processes" {
	"$BUILD/t/unit_maptrack"
}

@test "units: files, symbols, targets, verdicts, kernel symbols" {
	"$BUILD/t/unit_sample" "$TOP/t/fixtures"
}

@test "rings of CPUs that come and go" {
	needs_perf
	"$BUILD/t/unit_sample" rings
}

@test "null" { whole null null.c; }
@test "-O2" { whole null_O2 null.c; }
@test "-O2 without frame pointers" { whole null_nofp null.c; }
@test "not position-independent" { whole null_nopie null.c; }
@test "by clang" { whole null_clang null.c; }
@test "linked by lld" { whole null_lld null.c; }
@test "static" { whole null_static null.c; }
@test "static-pie" { whole null_staticpie null.c; }
@test "static without .eh_frame_hdr" { whole null_nohdr null.c; }
@test "PIE without .eh_frame_hdr, time and again" {
	whole null_nohdrpie null.c
	"$S" -n 5 "$VICTIMS/null_nohdrpie" | grep -q '^5 of 5 the .*, 5 reliab'
}
@test "all mappings tracked" { whole throw throw.cc "" -a; }
@test "MiniDebugInfo" {
	needs_victim null_mini
	needs_perf
	"$S" "$VICTIMS/null_mini" >"$BATS_TEST_TMPDIR/has"
	grep -q crash_here "$BATS_TEST_TMPDIR/has" ||
	    unmet "built without lzma"
	whole null_mini null.c
}
@test "strlen(NULL)" { whole strlen strlen.c; }
@test "abort" { whole abort abort.c; }
@test "abort as the last instruction" { whole abort_O2 abort.c; }
@test "jump to 0" { whole jump jump.c zero; }
@test "jump to the heap" { whole jump jump.c heap; }
@test "non-canonical jump" { whole jump jump.c wild; }
@test "SIGFPE" { whole signals signals.c fpe; }
@test "SIGILL" { whole signals signals.c ill; }
@test "SIGBUS" { whole signals signals.c bus; }
@test "kill(SIGSEGV)" { whole signals signals.c kill; }
@test "in a signal handler" { whole handler handler.c raised; }
@test "a fault in the handler of a fault" {
	whole handler handler.c twice "-c 2"
}
@test "C++, uncaught" { whole throw throw.cc; }
@test "C++, in a namespace" { whole throw throw.cc null; }
@test "vdso" { whole vdso vdso.c; }
@test "qsort callback" { whole callback callback.c; }
@test "tail call" { whole tail tail.c; }
@test "write to a constant" { whole faults faults.c constant; }
@test "execute data" { whole faults faults.c data; }
@test "non-canonical address" { whole faults faults.c wild; }
@test "one thread of 200" { whole_core threads threads.c 200; }
@test "the main thread has gone" { whole_core leader leader.c; }

@test "no unwind tables: frame pointers, and it is said" {
	sampled null_fp null.c
	as_gdb null_fp
	grep -q '^verdict: doubtful: no unwind data: from frame 1 on' "$R"
}

@test "stripped: the chain is right without one name" {
	NO_CHAIN=1
	whole null_stripped null.c
	not grep -q crash_here "$R"
}

@test "stack overflow: right as far as the window goes, and it is said" {
	NO_CHAIN=1 GDB_FRAMES=600
	sampled overflow overflow.c "" "-s 8"
	partial overflow
	[ "$(frames "$R" | wc -l)" -ge 100 ]
	grep -qx 'verdict: truncated: the stack goes on above the 8 KiB that were copied' "$R"
	"$S" "$VICTIMS/overflow" >"$R"
	grep -q 'above the 64 KiB that' "$R"
}

@test "a handler on sigaltstack: the other stack is not in the window" {
	NO_CHAIN=1
	sampled altstack altstack.c "" "-c 2"
	partial altstack
	grep -q '^verdict: truncated: ' "$R"
}

@test "deleted: file opened while it lived" {
	needs_perf
	cp "$VICTIMS/null_nofp" "$BATS_TEST_TMPDIR/gone"
	"$S" -e "$VICTIMS/launch" deleted "$BATS_TEST_TMPDIR/gone" \
	    >"$BATS_TEST_TMPDIR/r"
	[ ! -e "$BATS_TEST_TMPDIR/gone" ]
	truth null.c
	chain_is "$TRUTH" gone "$BATS_TEST_TMPDIR/r"
	is_reliable "$BATS_TEST_TMPDIR/r"
}

@test "deleted before anybody looked: module and offset, no guess" {
	needs_perf
	cp "$VICTIMS/null_nofp" "$BATS_TEST_TMPDIR/gone"
	"$S" "$VICTIMS/launch" deleted "$BATS_TEST_TMPDIR/gone" \
	    >"$BATS_TEST_TMPDIR/r"
	cat "$BATS_TEST_TMPDIR/r"
	[ "$(frames "$BATS_TEST_TMPDIR/r" | wc -l)" = 1 ]
	grep -q '(gone+0x' "$BATS_TEST_TMPDIR/r"
	grep -q '^verdict: truncated: .*: the file is gone$' \
	    "$BATS_TEST_TMPDIR/r"
}

@test "in memory only" {
	needs_perf
	"$S" -e "$VICTIMS/launch" memfd "$VICTIMS/null_nofp" \
	    >"$BATS_TEST_TMPDIR/r"
	truth null.c
	chain_is "$TRUTH" "memfd:in_memory" "$BATS_TEST_TMPDIR/r"
	is_reliable "$BATS_TEST_TMPDIR/r"
}

@test "a child that calls no exec has its parent's mappings" {
	needs_perf
	"$S" -f >"$BATS_TEST_TMPDIR/r"
	frames "$BATS_TEST_TMPDIR/r" | head -1 | grep -q crash_here
	frames "$BATS_TEST_TMPDIR/r" | grep -q ' main sample_crash'
	is_reliable "$BATS_TEST_TMPDIR/r"
}

# A root directory of its own, with a victim that exists nowhere else.
make_jail()
{
	JAIL=$(mktemp -d /var/tmp/uXXXX)
	ldd /bin/sh "$VICTIMS/null_nofp" | grep -o '/[^ ]*' | grep -v : |
	    sort -u >"$BATS_TEST_TMPDIR/libs"
	while read -r f; do
		mkdir -p "$JAIL/$(dirname "$f")"
		cp -L "$f" "$JAIL/$f"
	done <"$BATS_TEST_TMPDIR/libs"
	mkdir -p "$JAIL/bin"
	cp -L /bin/sh "$JAIL/bin/sh"
	cp "$VICTIMS/null_nofp" "$JAIL/inside"
}

@test "in another root directory: files by way of a living parent" {
	needs_perf
	needs_tool chroot unshare
	make_jail
	truth null.c
	chroot=$(command -v chroot)
	"$S" "$chroot" "$JAIL" /bin/sh -c '/inside; :' \
	    >"$BATS_TEST_TMPDIR/r"
	chain_is "$TRUTH" inside "$BATS_TEST_TMPDIR/r"
	is_reliable "$BATS_TEST_TMPDIR/r"
	# or opened in time; pid and mount namespaces change nothing
	"$S" -e "$(command -v unshare)" -m -p -f "$chroot" "$JAIL" /inside \
	    >"$BATS_TEST_TMPDIR/r"
	chain_is "$TRUTH" inside "$BATS_TEST_TMPDIR/r"
	is_reliable "$BATS_TEST_TMPDIR/r"
}

@test "known by device and inode, as older kernels have it" {
	needs_perf
	truth null.c
	"$S" -i "$VICTIMS/null_O2" >"$BATS_TEST_TMPDIR/r"
	chain_is "$TRUTH" null_O2 "$BATS_TEST_TMPDIR/r"
	is_reliable "$BATS_TEST_TMPDIR/r"
	# another file of that name is not taken for it
	cp "$VICTIMS/null_nofp" "$BATS_TEST_TMPDIR/same"
	cp "$VICTIMS/null_nofp" "$BATS_TEST_TMPDIR/new"
	printf '#!/bin/sh\nmv %s %s\n' "$BATS_TEST_TMPDIR/new" \
	    "$BATS_TEST_TMPDIR/same" >"$BATS_TEST_TMPDIR/swap"
	"$S" -i -x "sh $BATS_TEST_TMPDIR/swap" "$BATS_TEST_TMPDIR/same" \
	    >"$BATS_TEST_TMPDIR/r"
	cat "$BATS_TEST_TMPDIR/r"
	grep -q '^verdict: truncated: .*: the file was replaced$' \
	    "$BATS_TEST_TMPDIR/r"
	not grep -q crash_here "$BATS_TEST_TMPDIR/r"
}

@test "replaced by another program: told by its build-id" {
	needs_perf
	cp "$VICTIMS/null_nofp" "$BATS_TEST_TMPDIR/same"
	cp "$VICTIMS/callback" "$BATS_TEST_TMPDIR/new"
	printf '#!/bin/sh\nmv %s %s\n' "$BATS_TEST_TMPDIR/new" \
	    "$BATS_TEST_TMPDIR/same" >"$BATS_TEST_TMPDIR/swap"
	"$S" -x "sh $BATS_TEST_TMPDIR/swap" "$BATS_TEST_TMPDIR/same" \
	    >"$BATS_TEST_TMPDIR/r"
	cat "$BATS_TEST_TMPDIR/r"
	grep -q '^verdict: truncated: .*: the file was replaced$' \
	    "$BATS_TEST_TMPDIR/r"
	not grep -q crash_here "$BATS_TEST_TMPDIR/r"
}

@test "on overlayfs, by build-id and by inode" {
	needs_perf
	needs_tool unshare mount
	truth null.c
	for opt in "" -i; do
		printf '%s\n' 'mount -t tmpfs none "$1" && cd "$1" &&' \
		    'mkdir low up work on && cp "$2" low/layered &&' \
		    'mount -t overlay -o lowerdir=low,upperdir=up,workdir=work none on ||' \
		    'exit 77' 'shift 2; "$@" on/layered' \
		    >"$BATS_TEST_TMPDIR/over"
		mkdir -p "$BATS_TEST_TMPDIR/mnt"
		rc=0
		unshare -m sh "$BATS_TEST_TMPDIR/over" "$BATS_TEST_TMPDIR/mnt" \
		    "$VICTIMS/null_O2" "$S" $opt >"$BATS_TEST_TMPDIR/r" || rc=$?
		[ $rc != 77 ] || unmet "needs overlayfs"
		chain_is "$TRUTH" layered "$BATS_TEST_TMPDIR/r"
		is_reliable "$BATS_TEST_TMPDIR/r"
	done
}

@test "lost records: doubtful, unless /proc was read again in time" {
	needs_perf
	"$S" -L -b 4096 "$VICTIMS/null_O2" >"$BATS_TEST_TMPDIR/r"
	cat "$BATS_TEST_TMPDIR/r"
	# the exec itself may be among what was lost
	grep -Eqx 'verdict: doubtful: (reports of its mappings were lost|nothing is known of its mappings)' \
	    "$BATS_TEST_TMPDIR/r"
	"$S" -l -b 4096 "$VICTIMS/null_O2" >"$BATS_TEST_TMPDIR/r"
	cat "$BATS_TEST_TMPDIR/r"
	is_reliable "$BATS_TEST_TMPDIR/r"
	truth null.c
	chain_is "$TRUTH" null_O2 "$BATS_TEST_TMPDIR/r"
}

# no handler, no core, killed at once: nothing is left when it is unwound
thousand()
{
	needs_perf
	needs_victim "$1"
	nocore "$S" -n 1000 "$VICTIMS/$1" 2>/dev/null \
	    >"$BATS_TEST_TMPDIR/r"
	cat "$BATS_TEST_TMPDIR/r"
	grep -q '^1000 of 1000 the same, 1000 reliable' "$BATS_TEST_TMPDIR/r"
	grep -q ' 0 lost' "$BATS_TEST_TMPDIR/r"
}

@test "1,000 crashes of 1,000: -O2" { thousand null_nofp; }
@test "1,000 crashes of 1,000: static, without a search table" {
	thousand null_nohdr
}
@test "1,000 crashes of 1,000: stripped" { thousand null_stripped; }

@test "hundreds of execs a second beside it, at constant memory" {
	needs_perf
	needs_victim null_nofp
	storm='while :; do /bin/true; (:); done'
	bg sh -c "$storm"
	bg sh -c "$storm"
	nocore "$S" -n 3000 "$VICTIMS/null_nofp" \
	    >"$BATS_TEST_TMPDIR/r"
	cat "$BATS_TEST_TMPDIR/r"
	grep -q '^3000 of 3000 the same, 3000 reliable' "$BATS_TEST_TMPDIR/r"
	grep -q ' 0 lost' "$BATS_TEST_TMPDIR/r"
	[ "$(sed -n 's/.*tracked: \([0-9]*\) records.*/\1/p' \
	    "$BATS_TEST_TMPDIR/r")" -gt 30000 ]
	grown=$(sed -n 's/.*grown \(-*[0-9]*\) KiB.*/\1/p' \
	    "$BATS_TEST_TMPDIR/r")
	# AddressSanitizer keeps what is freed
	[ "$grown" -lt 4096 ] || [ "${BUILD##*/}" = build-san ]
}

@test "without the right to perf events: /proc alone, and it is said" {
	needs_root
	needs_tool setpriv
	JAIL=$(mktemp -d /var/tmp/uXXXX)
	chmod 755 "$JAIL"
	cp "$S" "$VICTIMS/null_nofp" "$JAIL"
	[ "$(cat /proc/sys/kernel/perf_event_paranoid)" -ge 1 ] ||
	    unmet "needs perf_event_paranoid of 1 or more"
	setpriv --reuid 65534 --regid 65534 --clear-groups \
	    "$JAIL/sample_crash" "$JAIL/null_nofp" >"$BATS_TEST_TMPDIR/r"
	cat "$BATS_TEST_TMPDIR/r"
	grep -q '^mappings are not tracked: no right to perf events' \
	    "$BATS_TEST_TMPDIR/r"
	grep -q '^verdict: doubtful: \|^verdict: truncated: ' \
	    "$BATS_TEST_TMPDIR/r"
}
