# segfault_analyzer: every signal of victims, as the kernel delivers it.
#
# Others crash on this machine too: each test looks at its own processes.

load helper

load analyzer

@test "units: records of the interface document, hostile text, feeds" {
	"$BUILD/t/unit_segv_print"
}

# --- usage -----------------------------------------------------------------

@test "wrong usage exits 100" {
	local a
	for a in --no-such extra '-p 0' '-p x' '-d -1' '-d 1x' \
	    '--fatal --handled' '--not-pid 0' '--share -1' --not-name \
	    '--format xml' '--signals' '--signals NOPE' '--signals SEGV,' \
	    '--max-stack-depth 0' '--rate -1' '--ring-size 1' \
	    '--stats=0' '--append' '--rotate 4096,1' '--top=0' '--exec' \
	    '-o /dev/null --rotate 4096,1' '-o x --rotate 4096' \
	    '-o x --rotate 4095,1' '-o x --rotate 4k,0' '-o x --rotate 4k,1001' \
	    '-o x --rotate 4q,1' '-o x --rotate 1Mk,1' '-o x --rotate ,1'; do
		# shellcheck disable=SC2086
		run "$BIN/segfault_analyzer" -d 1 $a
		[ "$status" = 100 ] || {
			echo "$a: $status $output"
			false
		}
		[ -n "$output" ]
	done
	for a in -n --not-name; do
		run "$BIN/segfault_analyzer" $a "$(printf '%065d' 0)"
		[ "$status" = 100 ]
	done
	# shellcheck disable=SC2046
	run "$BIN/segfault_analyzer" $(printf -- '-p %d ' $(seq 17))
	[ "$status" = 100 ]
	[[ $output == *"option -p is there more than 16 times"* ]]
}

@test "an output that cannot be opened or written" {
	needs_bpf
	own null
	run "$BIN/segfault_analyzer" -d 1 -o "$D/no/such"
	[ "$status" = 100 ]
	[[ $output == *"unable to open $D/no/such: No such file"* ]]
	bg "$BIN/segfault_analyzer" -v -n "$NAME" -o /dev/full 2>"$D/err"
	wait_for 30 grep -q attached "$D/err"
	quiet "$OWN"
	rc=0
	wait "$BG" || rc=$?
	[ "$rc" = 111 ]
	grep -q 'unable to write /dev/full: No space left' "$D/err"
}

# --- the interface document ------------------------------------------------

@test "the document's program: both events, in its text, line by line" {
	watch -r -t
	quiet "$VICTIMS/document" both
	unwatch
	[ "$STATUS" = 0 ]
	event "$PID" >"$D/text"
	cat "$D/text"
	[ "$(grep -c '^\[' "$D/text")" = 2 ]
	# shape, whatever the numbers are
	sed -E -e 's/0x[0-9a-f]+/ADDR/g' -e "s/$PID/PID/g" \
	    -e 's/^\[[0-9]{4}(-[0-9]{2}){2} [0-9]{2}(:[0-9]{2}){2}\]/[TIME]/' \
	    "$D/text" | grep -Ev '^    ([A-Z]|#[1-9])' >"$D/shape"
	first='Address not mapped (SEGV_MAPERR)'
	for type in "$first" 'Access violation (SEGV_ACCERR)'; do
		cat <<-END
			[TIME] SEGFAULT in process document (PID: PID, TID: PID)
			  Fault Address: ADDR
			  Instruction:   ADDR (main+ADDR)
			  Fault Type:    $type

			  Registers:

			  Stack Trace:
			    #0  ADDR main+ADDR ($VICTIMS/document)
			    reliable

		END
	done | diff - "$D/shape"
	grep -Eqx '    RIP: 0x[0-9a-f]+    RSP: 0x[0-9a-f]+' "$D/text" ||
	    [ "$(uname -m)" != x86_64 ]
	# what the program says of itself
	readonly=$(sed -n 's/^readonly //p' "$D/victim.out")
	[ "$(field 'Fault Address' "$PID")" = 0x0 ]
	[ "$(grep 'Fault Address' "$D/text" | sed -n '2s/.*: //p')" = \
	    "$readonly" ]
}

@test "the document's program: both events as JSON, one object a line" {
	local k n=0
	watch -r -t --format json -n document
	quiet "$VICTIMS/document" both
	unwatch
	grep "\"pid\": $PID, " "$D/out" >"$D/two"
	[ "$(wc -l <"$D/two")" = 2 ]
	readonly=$(sed -n 's/^readonly //p' "$D/victim.out")
	while read -r line; do
		n=$((n + 1))
		printf '%s\n' "$line" >"$D/ev"
		json_valid "$D/ev"
		for k in timestamp pid tid comm fault_address \
		    instruction_pointer fault_type registers stack_trace; do
			json_get "$D/ev" $k >/dev/null
		done
		json_get "$D/ev" timestamp | grep -Eqx \
		    '[0-9]{4}-[0-9]{2}-[0-9]{2}T([0-9]{2}:){2}[0-9]{2}\.[0-9]{3}Z'
		[ "$(json_get "$D/ev" pid)" = "$PID" ]
		[ "$(json_get "$D/ev" tid)" = "$PID" ]
		[ "$(json_get "$D/ev" comm)" = document ]
		for k in address symbol module; do
			json_get "$D/ev" stack_trace 0 $k >/dev/null
		done
		[ "$(json_get "$D/ev" stack_trace 0 address)" = \
		    "$(json_get "$D/ev" instruction_pointer)" ]
		json_get "$D/ev" stack_trace 0 symbol |
		    grep -Eqx 'main\+0x[0-9a-f]+'
		[ "$(json_get "$D/ev" stack_trace 0 module)" = \
		    "$VICTIMS/document" ]
		[ "$(json_get "$D/ev" stack_status)" = reliable ]
		[ "$(json_get "$D/ev" signature)" != none ]
		if [ "$(uname -m)" = x86_64 ]; then
			[ "$(json_get "$D/ev" registers rip)" = \
			    "$(json_get "$D/ev" instruction_pointer)" ]
			json_get "$D/ev" registers rsp | grep -qx '0x7f[0-9a-f]*'
			json_get "$D/ev" registers r15 >/dev/null
			json_get "$D/ev" registers eflags >/dev/null
		fi
		cp "$D/ev" "$D/ev$n"
	done <"$D/two"
	[ "$(json_get "$D/ev1" fault_type)" = map_error ]
	[ "$(json_get "$D/ev1" fault_address)" = 0x0 ]
	[ "$(json_get "$D/ev1" access)" = write ]
	[ "$(json_get "$D/ev2" fault_type)" = access_error ]
	[ "$(json_get "$D/ev2" fault_address)" = "$readonly" ]
	[ "$(json_get "$D/ev2" access)" = write ]
	[ "$(json_get "$D/ev2" vma_info permissions)" = r--p ]
	[ "$(json_get "$D/ev2" vma_info mapping_name)" = "$VICTIMS/document" ]
	[ "$(json_get "$D/ev1" handled)" = True ] ||
	    [ "$(json_get "$D/ev1" handled)" = true ]
}

@test "without -r and -t: four lines, and as fields neither" {
	watch -n nul
	quiet "$VICTIMS/null"
	unwatch
	[ "$(event "$PID" | wc -l)" = 4 ]
	field Instruction "$PID" | grep -Eq '\(crash_here\+0x[0-9a-f]+\)$'
	watch -n nul --format json
	quiet "$VICTIMS/null"
	unwatch
	json "$PID"
	not grep -q '"registers"\|"stack_trace"' "$D/ev"
}

@test "time is that of the wall" {
	before=$(date -u +%Y-%m-%dT%H:%M:%S)
	watch --format json -n nul
	quiet "$VICTIMS/null"
	after=$(date -u +%Y-%m-%dT%H:%M:%S)
	unwatch
	json "$PID"
	t=$(json_get "$D/ev" timestamp)
	[[ ! ${t%.*} < $before && ! ${t%.*} > $after ]]
}

# --- code without symbols ---------------------------------------------------

# has_open: the analyzer holds the victim's perf map.
has_open()
{
	find "/proc/$AN/fd" -lname "/tmp/perf-$PID.map" 2>/dev/null | grep -q .
}

@test "code in no file has the name its map gave, though both are gone" {
	local opt
	needs_victim jitmap
	for opt in -t -v; do
		watch $opt -n jitmap
		live "$VICTIMS/launch" nocore "$VICTIMS/jitmap" file "$D"
		wait_for 30 has_open
		rm "/tmp/perf-$PID.map"
		kill -SEGV "$PID"
		wait_for 30 gone "$PID"
		unwatch
		field Instruction "$PID" | grep -q '(made_here+0x'
		[ $opt = -v ] ||
		    event "$PID" | grep -q '^    #0 .* made_here+0x'
	done
}

@test "another's map names nothing" {
	needs_victim jitmap
	watch -t -n jitmap
	live "$VICTIMS/launch" nocore "$VICTIMS/jitmap" link "$D"
	kill -SEGV "$PID"
	wait_for 30 judged "$PID"
	rm -f "/tmp/perf-$PID.map"
	not grep -q made_here "$D/out"
	unwatch
}

@test "Go's frames and names, of a program that has no symbols as well" {
	local v
	for v in gopher gopher_stripped gopher_pie; do
		own $v
		watch -t -n "$NAME"
		GOTRACEBACK=crash quiet "$OWN" panic
		wait_for 30 judged "$PID"
		unwatch
		event "$PID" | awk '/^\[/ && n++ { exit } 1' >"$D/first"
		cat "$D/first"
		grep -qx '    reliable' "$D/first"
		[ "$(sed -n 's/^    #[0-9]* *0x[0-9a-f]* \([^+]*\).*/\1/p' \
		    "$D/first" | sed 's/\.abi0$//' | tr '\n' ' ')" = \
		    'main.leaf main.mid main.mid main.mid main.main runtime.main runtime.goexit ' ]
	done
}

# --- what it says of each fault --------------------------------------------

# told EXE SOURCE [ARGS]: signal, code, address and stack are the truth.
told()
{
	local exe=$1 source=$2 args=${3:-} module=${MODULE:-$VICTIMS/$1}
	needs_victim "$exe"
	truth "$source" "$args"
	# shellcheck disable=SC2086
	quiet ${RUNNER:-} "${VICTIM:-$VICTIMS/$exe}" $args
	wait_for 30 judged "$PID"
	# the last: a handler's own fault comes after the one it handles
	event "$PID" | awk '/^\[/ { s = "" } { s = s $0 "\n" }
	    END { printf "%s", s }' >"$D/last"
	echo "$exe $args:"
	cat "$D/last"
	[ "$CODE" = '*' ] || grep -q "Fault Type:.*($CODE)" "$D/last"
	[ "$ADDR" = '*' ] || [ "$ADDR" = "$(sed -n \
	    's/^  Fault Address: //p' "$D/last")" ]
	stack_rows <"$D/last" | chain "$module" >"$D/chain"
	grep -Eqx -- "$TRUTH$TAIL" "$D/chain" || {
		echo "chain: $(cat "$D/chain")"
		echo "truth: $TRUTH"
		return 1
	}
}

@test "null, however it was built: right without frame pointers, static, stripped" {
	local v
	watch -t --max-stack-depth 100 -n null
	for v in null null_O2 null_nofp null_nopie null_static null_staticpie \
	    null_nohdr null_mini null_clang null_musl null_lld; do
		[ -x "$VICTIMS/$v" ] || continue
		told $v null.c
		# musl has no unwind data below main
		grep -q '^    reliable$' "$D/last" || [ $v = null_musl ]
	done
	needs_victim null_stripped
	quiet "$VICTIMS/null_stripped"
	wait_for 30 judged "$PID"
	stack_is '(\?\? ){3}\?\?( @lib)?( \?\?)?' "$VICTIMS/null_stripped" "$PID"
	unwatch
}

@test "no unwind data: frame pointers, and it says so" {
	watch -t -n null_fp
	told null_fp null.c
	unwatch
	grep -q '<by frame pointer>$' "$D/last"
	grep -q '^    doubtful: .*frame pointers$' "$D/last"
}

@test "accesses: read, write, execute; constants, data, far, non-canonical" {
	local a
	watch -t -v -n faults
	for a in read:read write:write constant:write data:execute wild:read; do
		told faults faults.c ${a%:*}
		grep -q "^  Access:        ${a#*:}" "$D/last"
	done
	told faults faults.c high
	# of a stack that sp does not lead to there is no copy
	quiet "$VICTIMS/faults" sp
	wait_for 30 judged "$PID"
	unwatch
	stack_is crash_here "$VICTIMS/faults" "$PID"
	event "$PID" | grep '^    truncated: nothing could be copied at sp 0x'
}

@test "non-canonical address: decoded out of the instruction" {
	watch --format json -n faults
	quiet "$VICTIMS/faults" wild
	unwatch
	json "$PID"
	[ "$(json_get "$D/ev" fault_address)" = 0x4141414141414141 ]
	[ "$(json_get "$D/ev" fault_type)" = general_protection ]
	[ "$(json_get "$D/ev" code_name)" = SI_KERNEL ]
	[ "$(json_get "$D/ev" origin)" = kernel ]
}

@test "jumps: to 0, to the heap, to nowhere" {
	watch -t -n jump
	told jump jump.c zero
	told jump jump.c heap
	told jump jump.c wild
	unwatch
}

@test "jumps into the kernel: named, not entered" {
	local addr sym
	needs_root
	read -r addr _ sym _ < <(awk '$2 == "T" && $3 ~ /^do_exit$/' \
	    /proc/kallsyms)
	[ -n "$addr" ] && [ "$((16#$addr))" != 0 ] ||
	    unmet "needs a readable /proc/kallsyms"
	watch -t -n jump
	quiet "$VICTIMS/jump" at "$addr"
	unwatch
	[ "$(field Instruction "$PID")" = "0x$addr ($sym+0x0)" ]
	event "$PID" | grep -F "    #0  0x$addr $sym+0x0 ([kernel]) <not code>"
	event "$PID" | stack_rows | sed -n 2p | grep " crash_here "
}

@test "in libc, callbacks, tail calls, JIT, handlers, vdso, plugins" {
	watch -t --max-stack-depth 100 -n "" --signals SEGV,ABRT
	told strlen strlen.c
	told callback callback.c
	told tail tail.c
	told vdso vdso.c
	told jit jit.c
	told handler handler.c raised
	told handler handler.c twice
	told abort abort.c
	[ ! -x "$VICTIMS/throw" ] || told throw throw.cc
	quiet "$VICTIMS/plugin" "$VICTIMS/libplug.so"
	wait_for 30 judged "$PID"
	event "$PID" | stack_rows | head -4 | awk '{ print $2 }' |
	    diff - <(printf '%s\n' plug_crash plug_run outer main)
	unwatch
}

@test "stack overflow: called so, the first frames right" {
	watch -t -v --max-stack-depth 40 -n overflow
	needs_victim overflow
	(ulimit -s 1024; quiet "$VICTIMS/overflow"; echo "$PID" >"$D/pid")
	PID=$(cat "$D/pid")
	unwatch
	[ "$(event "$PID" | stack_rows | awk '$2 == "recurse"' | wc -l)" = 40 ]
	[ "$(field Cause "$PID")" = 'stack overflow in recurse' ]
	event "$PID" | grep -Eq '^    truncated: 40 of [0-9]+ and more frames'
}

@test "stack overflow with a handler that has no room: one record for both signals" {
	watch -t -v --stats -n overflow
	(ulimit -s 1024; quiet "$VICTIMS/overflow" handled; echo "$PID" >"$D/pid")
	PID=$(cat "$D/pid")
	unwatch
	[ "$(event "$PID" | grep -c '^\[')" = 1 ]
	[ "$(stat_of seen)" = 2 ]
	[ "$(stat_of events)" = 2 ]
	[ "$(stat_of joined)" = 1 ]
	event "$PID" | grep -q "No room on the stack for the handler's frame"
	[ "$(field Cause "$PID")" = 'stack overflow in recurse' ] ||
	    [ "$(uname -m)" != x86_64 ]
	field 'Fault Address' "$PID" | grep -q ^0x || [ "$(uname -m)" != x86_64 ]
}

@test "stack overflow beyond the window: every frame of it right, and it says where it ends" {
	watch -t -v --max-stack-depth 65536 -n overflow
	quiet "$VICTIMS/overflow"
	unwatch
	n=$(event "$PID" | stack_rows | wc -l)
	echo "$n frames"
	[ "$n" -gt 1000 ]
	[ "$(event "$PID" | stack_rows | awk '$2 != "recurse"' | wc -l)" = 0 ]
	event "$PID" | grep '^    truncated' |
	    grep -q 'the stack goes on above the 6[48] KiB that were copied'
}

@test "kill -SEGV: sent, by whom; no address" {
	watch --format json -n live
	live
	kill -SEGV "$PID"
	wait_for 30 grep -q . "$D/out"
	unwatch
	json "$PID"
	[ "$(json_get "$D/ev" fault_type)" = user_signal ]
	[ "$(json_get "$D/ev" code_name)" = SI_USER ]
	[ "$(json_get "$D/ev" origin)" = user ]
	[ "$(json_get "$D/ev" sender_pid)" = "$TEST_SHELL" ] ||
	    [ "$(json_get "$D/ev" sender_pid)" = "$BASHPID" ]
	[ "$(json_get "$D/ev" sender_uid)" = "$(id -u)" ]
	grep -q '"fault_address": null' "$D/ev"
	grep -q '"vma_info": null' "$D/ev"
}

@test "--signals: others than SIGSEGV, by name; and not what is not named" {
	watch -t --signals BUS,SIGFPE,ill,TRAP -n signals || {
		# names are in capitals
		grep -q 'not "ill"' "$D/err"
		watch -t --signals BUS,SIGFPE,ILL,TRAP -n signals
	}
	for a in fpe ill bus trap; do
		told signals signals.c $a
		grep -q "^\[.*\] $SIGNAL in process signals " "$D/last"
	done
	quiet "$VICTIMS/signals" kill
	unwatch
	[ -z "$(event "$PID")" ]
}

# --- who -------------------------------------------------------------------

@test "threads: the one that crashed, its name, the process's name" {
	watch -t --format text -n crasher
	told threads threads.c 1
	head -1 "$D/last" | grep -q "process threads (PID: $PID, TID: "
	not grep -q "TID: $PID)" "$D/last"
	unwatch
	watch --format json -n threads
	quiet "$VICTIMS/threads" 1
	unwatch
	json "$PID"
	[ "$(json_get "$D/ev" comm)" = threads ]
	[ "$(json_get "$D/ev" thread_name)" = crasher ]
	[ "$(json_get "$D/ev" tid)" != "$PID" ]
}

@test "the main thread has gone" {
	watch -t -n leader
	told leader leader.c
	unwatch
}

@test "containers: ids of this machine and of the namespace; stack and names" {
	needs_tool unshare
	needs_bpf
	unshare -U -r -p -f -m --mount-proc true 2>/dev/null ||
	    unmet "needs user namespaces"
	own threads
	watch -t --format json -n "$NAME"
	quiet unshare -U -r -p -f -m --mount-proc "$OWN" 1
	unwatch
	[ "$(grep -c '"tid"' "$D/out")" = 1 ]
	grep '"tid"' "$D/out" >"$D/ev"
	json_valid "$D/ev"
	[ "$(json_get "$D/ev" pid)" -gt 3 ]
	[ "$(json_get "$D/ev" ns_pid)" = 1 ]
	[ "$(json_get "$D/ev" ns_tid)" -gt 1 ]
	json_get "$D/ev" pid_namespace >/dev/null
	json_get "$D/ev" stack_trace 0 symbol | grep -q '^crash_here+'
	json_get "$D/ev" stack_trace 1 symbol | grep -q '^crasher+'
	[ "$(json_get "$D/ev" stack_status)" = reliable ]
}

# holds PATTERN: the analyzer has such a file open.
holds()
{
	find "/proc/$AN/fd" -lname "$1" | grep -q .
}

# right_or_said MODULE PID: a stack that is not right must not say it is.
right_or_said()
{
	if event "$2" | grep -q '^    reliable$'; then
		stack_is 'crash_here inner outer main' "$1" "$2"
	else
		event "$2" | grep '^    \(truncated\|doubtful\): '
	fi
}

@test "containers: files only its own root has" {
	needs_tool unshare
	needs_bpf
	needs_victim null_static
	unshare -m true 2>/dev/null || unmet "needs mount namespaces"
	mkdir "$D/m"
	cat >"$D/run" <<-EOF
		mount -t tmpfs none "$D/m"
		cp "$VICTIMS/live" "$D/m/lonely"
		cp "$VICTIMS/null_static" "$D/m/lonely_null"
		"$D/m/lonely_null"
		exec "$D/m/lonely"
	EOF
	watch -t -n lonely
	live unshare -m sh "$D/run" 2>/dev/null
	wait_for 30 holds '*/lonely'
	kill -SEGV "$PID"
	wait_for 30 judged "$PID"
	unwatch
	[ ! -e "$D/m/lonely" ]
	cat "$D/out"
	event "$PID" | stack_rows | grep " main $D/m/lonely$"
	event "$PID" | grep '^    reliable$'
	# this one may have been too fast
	null=$(sed -n 's/.*process lonely_null (PID: \([0-9]*\),.*/\1/p' "$D/out")
	right_or_said "$D/m/lonely_null" "$null"
}

@test "deleted while it runs" {
	cp "$VICTIMS/live" "$D/going"
	watch -t -n going
	live "$D/going"
	wait_for 30 holds '*/going*'
	rm "$D/going"
	kill -SEGV "$PID"
	wait_for 30 judged "$PID"
	unwatch
	event "$PID"
	event "$PID" | stack_rows | grep " main $D/going$"
	event "$PID" | grep '^    reliable$'
	# and one that ran before there was an analyzer
	cp "$VICTIMS/live" "$D/going"
	live "$D/going"
	rm "$D/going"
	watch -t -n going
	kill -SEGV "$PID"
	wait_for 30 judged "$PID"
	unwatch
	event "$PID" | stack_rows | grep " main $D/going$"
	event "$PID" | grep '^    reliable$'
}

@test "deleted before it runs, or only in memory: right, or said not to be" {
	needs_victim null
	cp "$VICTIMS/null" "$D/gone"
	watch -t --signals SEGV
	quiet "$VICTIMS/launch" deleted "$D/gone"
	wait_for 30 judged "$PID"
	right_or_said "$D/gone" "$PID"
	quiet "$VICTIMS/launch" memfd "$VICTIMS/null"
	wait_for 30 judged "$PID"
	unwatch
	right_or_said '/memfd:in_memory' "$PID"
}

@test "user, cgroup, executable" {
	needs_tool setpriv
	needs_bpf
	watch --format json -v -n nul
	NULL=$(mktemp /tmp/nulXXXXXX)
	cp "$VICTIMS/null" "$NULL"
	chmod 755 "$NULL"
	quiet setpriv --reuid 65534 --regid 65533 --clear-groups "$NULL"
	rm -f "$NULL"
	for root in /sys/fs/cgroup /sys/fs/cgroup/unified; do
		[ ! -e "$root/cgroup.procs" ] || break
	done
	user=$PID
	if mkdir "$root/uc.$$" 2>/dev/null; then
		CG=$root/uc.$$
		quiet sh -c "echo \$\$ >$CG/cgroup.procs && exec $VICTIMS/null"
	fi
	unwatch
	if [ -n "${CG:-}" ]; then
		json "$PID"
		[ "$(json_get "$D/ev" cgroup)" = "/uc.$$" ]
		[ "$(json_get "$D/ev" exe)" = "$VICTIMS/null" ]
	fi
	json "$user"
	[ "$(json_get "$D/ev" uid)" = 65534 ]
	[ "$(json_get "$D/ev" gid)" = 65533 ]
}

# --- filters ---------------------------------------------------------------

@test "-p: that process and no other" {
	watch -p "$$"
	quiet "$VICTIMS/null"
	unwatch
	[ ! -s "$D/out" ]
	live
	watch -p "$PID"
	kill -SEGV "$PID"
	v=$PID
	quiet "$VICTIMS/null"
	unwatch
	[ "$(grep -c '^\[' "$D/out")" = 1 ]
	event "$v" | grep -q .
}

@test "-n: part of the thread's, the process's, the executable's name" {
	watch -n rashe
	quiet "$VICTIMS/threads" 1
	t=$PID
	quiet "$VICTIMS/null"
	unwatch
	event "$t" | grep -q .
	[ -z "$(event "$PID")" ]
	watch -n hread
	quiet "$VICTIMS/threads" 1
	unwatch
	event "$PID" | grep -q .
	# of the file, beyond the 15 bytes that a process name has
	cp "$VICTIMS/null" "$D/a-name-that-is-long-and-ends-so"
	watch -n ends-so
	quiet "$D/a-name-that-is-long-and-ends-so"
	unwatch
	event "$PID" | grep -q .
	# and of a very long one
	long=$(printf '%0150d-end' 0)
	cp "$VICTIMS/null" "$D/$long"
	watch -n 0-end
	quiet "$D/$long"
	unwatch
	event "$PID" | grep -q .
	watch -n no-such-name --stats
	quiet "$VICTIMS/null"
	unwatch
	[ ! -s "$D/out" ]
	[ "$(stat_of other_name)" -ge 1 ]
}

@test "several -n and -p, --not-name, --not-pid" {
	local a b
	own null
	cp "$OWN" "$D/second$NAME"
	cp "$OWN" "$D/third$NAME"
	watch -n "second$NAME" -n "$NAME" --not-name third
	quiet "$OWN"
	a=$PID
	quiet "$D/second$NAME"
	b=$PID
	quiet "$D/third$NAME"
	unwatch
	event "$a" | grep -q .
	event "$b" | grep -q .
	[ -z "$(event "$PID")" ]
	live
	a=$PID
	live
	b=$PID
	live
	watch -p "$a" -p "$b" -p "$PID" --not-pid "$b"
	kill -SEGV "$a" "$b" "$PID"
	wait_for 30 eval '[ "$(grep -c "^\[" "$D/out")" = 2 ]'
	unwatch
	event "$a" | grep -q .
	event "$PID" | grep -q .
	[ -z "$(event "$b")" ]
}

# kinds OPTIONS: how many are told, in $KINDS, of null, of one that handles its
# fault, and of one whose handler has the same fault again.
kinds()
{
	local a h
	watch -n null -n handled -n handler "$@"
	quiet "$VICTIMS/null"
	a=$PID
	quiet "$VICTIMS/handled" 1
	h=$PID
	quiet "$VICTIMS/handler" twice
	unwatch
	KINDS=$(event "$a" | grep -c '^\[')$(event "$h" |
	    grep -c '^\[')$(event "$PID" | grep -c '^\[') || :
	echo "$*: $KINDS"
}

@test "--fatal: what ends a process; --handled: what does not" {
	needs_victim handler
	kinds
	[ "$KINDS" = 112 ]
	kinds --fatal
	[ "$KINDS" = 101 ]
	kinds --handled
	[ "$KINDS" = 011 ]
}

@test "hostile names: one line, escaped; JSON stays JSON" {
	local evil
	evil=$(printf 'a"\\\n\033]0;\377')
	watch -n 'a"' --format json
	quiet "$VICTIMS/comm" "$evil"
	unwatch
	[ "$(wc -l <"$D/out")" = 2 ]
	json "$PID"
	json_get "$D/ev" comm
	[ "$(json_get "$D/ev" comm)" = 'a\x22\\\x0a\x1b]0;\xff' ] ||
	    [ "$(json_get "$D/ev" comm)" = 'a"\\\x0a\x1b]0;\xff' ]
	watch -n 'a"'
	quiet "$VICTIMS/comm" "$evil"
	unwatch
	[ "$(wc -l <"$D/out")" = 4 ]
	not grep -qP '[^\x0a\x20-\x7e]' "$D/out"
}

# --- output ----------------------------------------------------------------

@test "-o replaces, --append adds; the same on the terminal" {
	own null
	watch -n "$NAME"
	quiet "$OWN"
	unwatch
	[ "$(grep -c '^\[' "$D/out")" = 1 ]
	mv "$D/out" "$D/kept"
	needs_bpf
	bg "$BIN/segfault_analyzer" -v -n "$NAME" -o "$D/kept" --append 2>"$D/err"
	AN=$BG
	wait_for 30 grep -q attached "$D/err"
	quiet "$OWN"
	unwatch
	[ "$(grep -c '^\[' "$D/kept")" = 2 ]
	bg "$BIN/segfault_analyzer" -v -n "$NAME" -o "$D/kept" 2>"$D/err"
	AN=$BG
	wait_for 30 grep -q attached "$D/err"
	quiet "$OWN"
	unwatch
	[ "$(grep -c '^\[' "$D/kept")" = 1 ]
	bg "$BIN/segfault_analyzer" -v -n "$NAME" >"$D/stdout" 2>"$D/err"
	AN=$BG
	wait_for 30 grep -q attached "$D/err"
	quiet "$OWN"
	unwatch
	# the command line is there only if the process still was
	same='s/0x[0-9a-f]*//g; s/[0-9]//g; /Command Line/d'
	sed "$same" "$D/stdout" | diff - <(sed "$same" "$D/kept")
}

@test "a run that cannot begin leaves the file as it was" {
	needs_bpf
	needs_tool setpriv
	echo kept >"$D/kept"
	chmod 666 "$D/kept"
	run setpriv --bounding-set -all --inh-caps -all "$BIN/segfault_analyzer" \
	    -d 1 -o "$D/kept"
	[ "$status" = 111 ]
	[ "$(cat "$D/kept")" = kept ]
}

@test "--redact: no address anywhere, everything else" {
	local f
	for f in text json; do
		watch -r -t -v --redact --format $f -n faults
		quiet "$VICTIMS/faults" constant
		unwatch
		cat "$D/out"
		grep -q 'crash_here+0x' "$D/out"
		# offsets are no addresses, build-ids and signatures neither
		not grep -E '0x[0-9a-f]{7,}' "$D/out"
		not grep -qi 'cmdline\|command line' "$D/out"
		[ $f = text ] || json "$PID"
	done
}

@test "the command line, with -v, of a process that is still there" {
	watch -v --format json -n handled
	bg "$VICTIMS/handled" 1 "1" "1" >/dev/null
	quiet "$VICTIMS/handled" 1 40
	unwatch
	# it may have ended before it was looked at: then it is left out
	if grep -q cmdline "$D/out"; then
		grep -m 1 cmdline "$D/out" >"$D/ev"
		[ "$(json_get "$D/ev" cmdline 0)" = "$VICTIMS/handled" ]
		[ "$(json_get "$D/ev" cmdline 1)" = 1 ]
	fi
	live
	watch -v --format json -n live
	kill -STOP "$PID"
	kill -SEGV "$PID"
	# it may not have stopped yet
	kill -CONT "$PID" || :
	wait_for 30 grep -q . "$D/out"
	unwatch
	json "$PID"
}

# --- ends ------------------------------------------------------------------

@test "-d: ends by itself" {
	local start=$SECONDS
	watch -d 1 -n nul
	rc=0
	wait "$AN" || rc=$?
	[ "$rc" = 0 ]
	[ $((SECONDS - start)) -le 20 ]
}

@test "SIGINT, SIGTERM, SIGHUP: at once, nothing lost of what was seen" {
	local s n
	own handled
	for s in INT TERM HUP; do
		if [ $s != HUP ]; then
			watch -n "$NAME" --stats --share 0
		else
			# a file is opened anew instead
			bg "$BIN/segfault_analyzer" -n "$NAME" --stats \
			    --share 0 >"$D/out" 2>"$D/err"
			AN=$BG
		fi
		bg "$OWN" 1000000 >/dev/null
		wait_for 30 test -s "$D/out"
		unwatch $s
		kill "$BG"
		n=$(grep -c '^\[' "$D/out")
		[ "$n" = "$(stat_of events)" ]
		[ $((n + $(stat_of dropped))) = "$(stat_of seen)" ]
		[ "$STATUS" = $(($(stat_of dropped) > 0)) ]
		# whole records
		[ "$(wc -l <"$D/out")" = $((n * 4)) ]
	done
}

@test "SIGHUP that was ignored (nohup) stays so" {
	needs_tool nohup
	rm -f "$D/out"
	needs_bpf
	own null
	bg nohup "$BIN/segfault_analyzer" -n "$NAME" -o "$D/out" 2>"$D/err"
	AN=$BG
	wait_for 30 eval '[ -e "$D/out" ] || gone $AN'
	kill -HUP "$AN"
	quiet "$OWN"
	wait_for 30 grep -q . "$D/out"
	not gone "$AN"
	unwatch
	[ "$STATUS" = 0 ]
}

@test "the reader of a pipe goes away: an error, not a signal" {
	needs_bpf
	own null
	mkfifo "$D/fifo"
	bg sh -c "'$BIN/segfault_analyzer' -v -n $NAME >'$D/fifo' 2>'$D/err'
	    echo \$? >'$D/rc'"
	exec 7<"$D/fifo"
	wait_for 30 grep -q attached "$D/err"
	exec 7<&-
	quiet "$OWN"
	wait_for 30 test -s "$D/rc"
	[ "$(cat "$D/rc")" = 111 ]
	grep -q 'unable to write to standard output: Broken pipe' "$D/err"
}

# Programs of that name in the kernel.
probes()
{
	bpftool prog show 2>/dev/null | grep -c ' name segv ' || :
}

fewer_probes()
{
	[ "$(probes)" -lt "$1" ]
}

@test "kill -9: the kernel keeps nothing of it" {
	needs_tool bpftool
	watch
	n=$(probes)
	[ "$n" -ge 1 ]
	kill -KILL "$AN"
	wait_for 30 fewer_probes "$n"
}

# --- rights ----------------------------------------------------------------

@test "a missing right: one line that names it, exit 111, and what else there is" {
	needs_bpf
	needs_tool setpriv
	run setpriv --reuid 65534 --clear-groups "$BIN/segfault_analyzer" -d 1
	[ "$status" = 111 ]
	[ "${#lines[@]}" = 1 ]
	[[ $output == *CAP_BPF* ]]
	[[ $output == *usercrash_c* ]]
	run setpriv --bounding-set -bpf,-sys_admin --inh-caps -bpf,-sys_admin \
	    "$BIN/segfault_analyzer" -d 1
	[ "$status" = 111 ]
	[[ $output == *CAP_BPF* ]]
	run setpriv --bounding-set -perfmon,-sys_admin \
	    --inh-caps -perfmon,-sys_admin "$BIN/segfault_analyzer" -d 1
	[ "$status" = 111 ]
	[[ $output == *CAP_PERFMON* ]]
}

@test "no kernel BTF: events all the same, and it says what is missing" {
	needs_bpf
	needs_tool unshare
	[ -e /sys/kernel/btf/vmlinux ] || unmet "needs a kernel with BTF"
	rm -f "$D/out"
	bg unshare -m sh -c "mount -t tmpfs none /sys/kernel/btf &&
	    exec '$BIN/segfault_analyzer' -n nul -o '$D/out'" 2>"$D/err"
	AN=$BG
	wait_for 30 eval '[ -e "$D/out" ] || gone $AN'
	cat "$D/err"
	if [ -e "$D/out" ]; then
		quiet "$VICTIMS/null"
		unwatch
		grep -q 'not to be had here: .*BTF' "$D/err"
		[ "$STATUS" = 0 ]
		event "$PID" | grep -q 'SEGV_MAPERR'
	else
		wait "$AN" || [ $? = 111 ]
		grep -q BTF "$D/err"
	fi
}

@test "little locked memory: events all the same, and it says what is missing" {
	needs_bpf
	needs_tool setpriv prlimit
	rm -f "$D/out"
	bg prlimit --memlock=0:0 setpriv \
	    --bounding-set -ipc_lock,-sys_resource \
	    --inh-caps -ipc_lock,-sys_resource \
	    "$BIN/segfault_analyzer" -n nul -o "$D/out" 2>"$D/err"
	AN=$BG
	wait_for 30 eval '[ -e "$D/out" ] || gone $AN'
	cat "$D/err"
	if [ -e "$D/out" ]; then
		quiet "$VICTIMS/null"
		unwatch
		[ "$STATUS" = 0 ]
		event "$PID" | grep -q 'SEGV_MAPERR'
		# what does not count as locked here is not limited
		[ ! -s "$D/err" ] || grep -qi 'locked memory' "$D/err"
	else
		wait "$AN" || [ $? = 111 ]
		grep -qi 'memlock\|locked memory' "$D/err"
	fi
}

@test "runs without root's rights once it is attached" {
	watch
	[ "$(awk '/^Uid:/ { print $2, $3, $4 }' "/proc/$AN/status")" = \
	    "65534 65534 65534" ]
	grep -qx 'NoNewPrivs:	1' "/proc/$AN/status"
	# CAP_SYS_ADMIN, DAC_OVERRIDE, SETUID, SYS_MODULE are gone
	caps=$((0x$(awk '/^CapPrm:/ { print $2 }' "/proc/$AN/status")))
	for c in 21 1 7 16; do
		[ $((caps >> c & 1)) = 0 ]
	done
	unwatch
}

@test "class 21: the process that names has no capability, its own uid, a filter, no file of the kernel's" {
	exec 7<"$TOP/Makefile"
	watch -t
	exec 7<&-
	teller
	# nor what whoever started it had open
	[ -n "$(find "/proc/$AN/fd" -lname "$TOP/Makefile")" ]
	[ -z "$(find "/proc/$TELLER/fd" -lname "$TOP/Makefile")" ]
	[ "$(state CapEff)$(state CapPrm)" = 00000000000000000000000000000000 ]
	[ "$(state Uid)" = $((0x7f000000 + TELLER)) ]
	[ "$(state NoNewPrivs)" = 1 ]
	[ "$(state Seccomp)" = 2 ]
	# rings, program and trackers are the other's alone
	[ -z "$(find "/proc/$TELLER/fd" -lname 'anon_inode:*')" ]
	find "/proc/$AN/fd" -lname 'anon_inode:*' | grep -q .
	unwatch
	wait_for 30 gone "$TELLER"
}

# attached: what the kernel has of the analyzer, "prog 12" and "link 3".
attached()
{
	cat "/proc/$AN"/fdinfo/* |
	    sed -n 's/^\(prog\|link\|map\)_id:[[:space:]]*/\1 /p'
}

# detached: nothing of the kind in $D/attached is there.
detached()
{
	local what id
	while read -r what id; do
		! bpftool "$what" show id "$id" >/dev/null 2>&1 || return 1
	done <"$D/attached"
}

@test "killing either ends both, and nothing stays attached" {
	local rc who
	needs_tool bpftool
	for who in AN TELLER; do
		watch --rotate 1M,1 --exec true
		teller
		attached >"$D/attached"
		cat "$D/attached"
		grep -q prog "$D/attached"
		grep -q link "$D/attached"
		all=$(pgrep -P "$AN")
		kill -KILL "${!who}"
		rc=0
		wait "$AN" || rc=$?
		cat "$D/err"
		wait_for 30 eval '! kill -0 '"${all//[[:space:]]/ }"' 2>/dev/null'
		wait_for 30 detached
	done
	[ "$rc" = 111 ]
	grep -q 'the process that names was killed by signal 9' "$D/err"
}

# --- load ------------------------------------------------------------------

@test "--rate: no more than that, and the rest is counted" {
	own handled
	watch -n "$NAME" --rate 100 --stats --share 0
	quiet "$OWN" 20000
	unwatch
	[ "$STATUS" = 0 ]
	[ "$(stat_of seen)" = 20000 ]
	[ "$(stat_of dropped)" = 0 ]
	n=$(stat_of events)
	# a second's worth at once, and as much each second
	[ "$n" -ge 100 ]
	[ "$n" -lt 2000 ]
	[ $((n + $(stat_of limited))) = 20000 ]
}

@test "a share for each process: who has many is told once a second how many more" {
	local first
	own handled
	watch -n "$NAME" --stats
	bg "$OWN" 100000000 >/dev/null
	wait_for 30 grep -q ' handled faults not shown$' "$D/out"
	# another has its own
	quiet "$OWN" 3
	[ "$(event "$PID" | grep -c '^\[')" -le 3 ]
	wait_for 30 eval '[ "$(event "$PID" | grep -c "^\[")" = 3 ]'
	first=$BG
	kill "$BG"
	unwatch
	[ "$STATUS" = 0 ]
	[ $(($(stat_of events) + $(stat_of limited))) = "$(stat_of seen)" ]
	grep -Eq "^\[[-0-9: ]*\] pid $first $NAME: [0-9]{1,3}(,[0-9]{3})* " \
	    "$D/out"
	# all of them, to the last
	[ "$(sed -n 's/,//g; s/.*: \([0-9]*\) handled faults* not shown$/\1/p' \
	    "$D/out" | awk '{ n += $1 } END { print n + 0 }')" = \
	    "$(stat_of limited)" ]
}

# noisy OPTIONS: beside a program that takes nothing but handled signals, 100
# crashes of another: all told, and the rest as a few.
noisy()
{
	local handled=$D/noisy$BATS_TEST_NUMBER
	cp "$VICTIMS/handled" "$handled"
	own storm
	watch -n "$NAME" -n "noisy$BATS_TEST_NUMBER" --stats "$@"
	bg "$handled" 1000000000 >/dev/null
	wait_for 30 test -s "$D/out"
	quiet "$OWN" 100
	quiet "$OWN" 100
	kill "$BG"
	unwatch
	echo "$*: $(stat_of seen) seen, $(wc -c <"$D/out") bytes"
	[ "$STATUS" = $(($(stat_of dropped) > 0)) ]
	[ "$(stat_of seen)" = $(($(stat_of events) + $(stat_of limited) +
	    $(stat_of dropped))) ]
	[ "$(stat_of seen)" -gt 1000 ]
	case $* in
	*json*) grep -c "\"comm\": \"$NAME\", \"fault_a" "$D/out" ;;
	*) grep -c "^\[.*process $NAME (" "$D/out" ;;
	esac >"$D/told"
	[ "$(cat "$D/told")" = 200 ]
	rm "$handled"
}

@test "beside one that only handles faults, each crash of others is told" {
	pattern core 0
	noisy
	noisy -t
	[ "$(stat_of reliable)" -ge 200 ]
	[ "$(stat_of dropped)" = 0 ]
	[ "$(wc -c <"$D/out")" -lt 500000 ]
	noisy -t -r -v --format json
	[ "$(stat_of dropped)" = 0 ]
	[ "$(tail -1 "$D/out" | sed 's/.*Z", //')" = "\"seen\": $(
	    stat_of seen), \"written\": $(stat_of events), \"limited\": $(
	    stat_of limited), \"dropped\": 0}" ]
	# and when all that is handled is to be told, too, and cannot
	noisy -t --share 0 --ring-size 2097152
}

@test "a storm of handled signals: every one told or counted" {
	own handled
	watch -n "$NAME" --stats --share 0
	quiet "$OWN" 100000 1 2
	unwatch
	[ "$(stat_of seen)" = 200000 ]
	[ $(($(stat_of events) + $(stat_of dropped))) = 200000 ]
	[ "$(grep -c '^\[' "$D/out")" = "$(stat_of events)" ]
	[ "$STATUS" = $(($(stat_of dropped) > 0)) ]
}

@test "a ring too small: what is lost is counted, the exit code is 1" {
	own handled
	watch -n "$NAME" -t -r --ring-size 4096 --stats --share 0
	quiet "$OWN" 20000
	unwatch
	[ "$(stat_of ring_size)" = 4096 ]
	[ "$(stat_of seen)" = 20000 ]
	[ "$(stat_of dropped)" -gt 0 ]
	[ $(($(stat_of events) + $(stat_of dropped))) = 20000 ]
	[ "$STATUS" = 1 ]
	grep -q " 20000 seen = $(stat_of events) written + 0 limited + $(
	    stat_of dropped) dropped$" "$D/err"
	grep -q "warning: $(stat_of dropped) events were lost" "$D/err"
	# nothing was told half: no stack without a word why
	[ "$(grep -c '^    \(reliable\|truncated\|doubtful\)' "$D/out")" = \
	    "$(stat_of events)" ]
}

@test "1,000 processes that die at once: stacks for all, no handler active" {
	own storm
	pattern core 0
	watch -t -n "$NAME" --stats
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		quiet "$OWN" 100
		cat "$D/victim.out" >>"$D/pids"
	done
	unwatch
	[ "$STATUS" = 0 ]
	[ "$(sort -u "$D/pids" | wc -l)" = 1000 ]
	[ "$(stat_of events)" = 1000 ]
	[ "$(stat_of reliable)" = 1000 ]
	[ "$(stack_rows <"$D/out" | grep -c " crash_here $OWN$")" = \
	    1000 ]
	[ "$(stack_rows <"$D/out" | grep -c " main $OWN$")" = 1000 ]
}

@test "1,000 programs that live for an instant: stacks for all" {
	own null_nofp
	pattern core 0
	watch -t -n "$NAME" --stats
	quiet sh -c "i=0; while [ \$i -lt 1000 ]; do
	    $OWN; i=\$((i + 1)); done"
	unwatch
	[ "$STATUS" = 0 ]
	[ "$(stat_of events)" = 1000 ]
	[ "$(stat_of reliable)" = 1000 ]
	[ "$(stack_rows <"$D/out" | grep -c ' crash_here ')" = 1000 ]
	[ "$(stack_rows <"$D/out" | grep -c ' main ')" = 1000 ]
}

# Resident memory of the analyzer in KiB.
resident()
{
	awk '/^VmRSS:/ { print $2 }' "/proc/$AN/status"
}

@test "a long storm at constant memory" {
	# of the sanitizer build, what it keeps of freed memory is not meant
	export ASAN_OPTIONS=quarantine_size_mb=1:thread_local_quarantine_size_kb=64
	own handled
	watch -t -n "$NAME" --format json --stats=1 --share 0
	quiet "$OWN" 20000 3
	wait_for 60 grep -q 'stats: events=[1-9]' "$D/err"
	first=$(resident)
	for _ in 1 2 3 4 5 6 7 8; do
		quiet "$OWN" 50000 3
		: >"$D/out"
	done
	last=$(resident)
	echo "$first KiB, then $last KiB"
	unwatch
	[ "$(stat_of seen)" -ge 400000 ]
	[ "$last" -lt $((first + 8192)) ]
}

@test "--stats=SECONDS: on stderr, and the counts of each CPU with -v" {
	own null
	watch -v --stats=1 -n "$NAME"
	quiet "$OWN"
	wait_for 30 grep -q 'stats: events=1 ' "$D/err"
	unwatch
	[ "$(grep -c 'stats: events=' "$D/err")" -ge 2 ]
	grep -q 'stats: cpu=[0-9]* seen=1 sent=1 dropped=0' "$D/err"
	not grep -q stats: "$D/out"
}

# --- against others --------------------------------------------------------

# as_gdb EXE [ARGS]: stack and signature of the very same crash.
as_gdb()
{
	local exe=$1
	shift
	needs_victim "$exe"
	needs_tool gdb
	core_of "${VICTIM:-$VICTIMS/$exe}" "$@"
	gdb_core "${DEBUG_EXE:-$VICTIMS/$exe}" "$CORE" |
	    awk -v t="$PID" '$1 == t { print $2, $3 }' >"$D/gdb.rows"
	wait_for 30 judged "$PID"
	event "$PID" | stack_rows >"$D/own.rows"
	[ -s "$D/gdb.rows" ]
	awk '{ print $1 }' "$D/gdb.rows" |
	    diff - <(awk '{ print $1 }' "$D/own.rows") || {
		echo "$exe $*: gdb <, own >"
		return 1
	}
	# names, where both have one
	paste -d ' ' "$D/gdb.rows" "$D/own.rows" | awk -v m="$VICTIMS/$exe" '
		$5 == m && $2 != "??" && $4 != "??" && $2 != $4 {
			print "gdb: " $2 ", own: " $4; bad = 1
		} END { exit bad }'
	"$BIN/debugger" "$CORE" "${VICTIM:-$VICTIMS/$exe}" >"$D/report"
	[ "$(value signature "$D/report")" = "$(field Signature "$PID")" ]
	for r in "cause:Cause" "address:Fault Address"; do
		[ "$(value "${r%:*}" "$D/report")" = "$(field "${r#*:}" "$PID")" ]
	done
	if [ "$(uname -m)" = x86_64 ]; then
		section registers "$D/report" | tr -s ' ' '\n' | grep . |
		    paste -d ' ' - - | while read -r r v; do
			got=$(event "$PID" | grep -Eo \
			    " ${r^^}: 0x[0-9a-f]+" | sed 's/.*0x//')
			[ $((16#$got)) = $((16#$v)) ] || {
				echo "$r: core $v, own $got"
				exit 1
			}
		done
	fi
}

@test "stack, registers, cause and signature are those of the core, the stack gdb's" {
	watch -v -t -r --max-stack-depth 200
	as_gdb document second
	as_gdb null
	as_gdb null_nofp
	as_gdb null_static
	as_gdb strlen
	as_gdb callback
	as_gdb faults constant
	as_gdb jump heap
	as_gdb vdso
	unwatch
}
