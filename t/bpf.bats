# The room bpf: its units, and the probe on the kernel that runs here.

load helper

setup()
{
	WHERE=$BATS_TEST_TMPDIR
}

teardown()
{
	end_bgs
}

# What the kernel forbids here is unmet, not failed.
live()
{
	local rc=0
	needs_root
	unit unit_segv_live "$@" >"$BATS_TEST_TMPDIR/live" || rc=$?
	cat "$BATS_TEST_TMPDIR/live"
	[ $rc != 77 ] || unmet "$(head -1 "$BATS_TEST_TMPDIR/live")"
	[ $rc = 0 ]
}

# watch OPTIONS...: segv_watch in the background; lines in $WHERE/events.
watch()
{
	needs_root
	rm -f "$WHERE/events" "$WHERE/said"
	bg "$BUILD/t/segv_watch" "$@" >"$WHERE/events" 2>"$WHERE/said"
	wait_for 30 watch_began
	if grep fatal "$WHERE/said"; then
		# of a right it may be short, of an option never
		not grep -q 'refuses the BPF program' "$WHERE/said"
		unmet "$(grep fatal "$WHERE/said")"
	fi
}

watch_began()
{
	grep -Eq 'ready|fatal' "$WHERE/said"
}

# Ends it; what it says last is in $WHERE/said.
unwatch()
{
	kill -TERM "$BG"
	wait "$BG"
}

# said KEY: a count of the last line.
said()
{
	tail -1 "$WHERE/said" | tr ' ' '\n' | sed -n "s/^$1=//p"
}

# event_of PID KEY: of the only event of that process.
event_of()
{
	grep " pid=$1 " "$WHERE/events" | tr ' ' '\n' | sed -n "s/^$2=//p"
}

@test "insn: encodings, labels, errors" {
	unit unit_insn
}

@test "btf: members, unnamed ones, bitfields; cut and forged blobs" {
	unit unit_btf
	on_arm unit_btf src/bpf/btf src/base/{io,array}
}

# Every named member of the structures that matter, as a second reader has it.
@test "btf: this kernel's structures as bpftool reads them" {
	local vmlinux=/sys/kernel/btf/vmlinux
	[ -r $vmlinux ] || unmet "needs $vmlinux"
	PATH=$PATH:/usr/sbin
	command -v bpftool >/dev/null || unmet "needs bpftool"
	bpftool btf dump file $vmlinux format raw | awk '
		BEGIN {
			n = split("task_struct mm_struct vm_area_struct file " \
			    "dentry pid upid signal_struct k_sigaction inode " \
			    "super_block pt_regs kernel_siginfo", s)
			while (n > 0)
				want["\047" s[n--] "\047"] = 1
		}
		/^\[/ {
			on = $2 == "STRUCT" && $3 in want && !($3 in seen)
			if (on)
				seen[$3] = name = $3
		}
		on && /^\t/ && $1 != "\047(anon)\047" {
			sub(/.*=/, "", $3)
			print name, $1, $3
		}' | tr -d "'" >"$WHERE/theirs"
	[ "$(wc -l <"$WHERE/theirs")" -gt 400 ]
	cut -d ' ' -f 1,2 "$WHERE/theirs" | unit unit_btf $vmlinux \
	    >"$WHERE/ours"
	diff "$WHERE/theirs" "$WHERE/ours"
}

@test "bpfsys: reasons, CPUs, the ring buffer's reader" {
	unit unit_bpfsys
}

@test "event: every field; cut, forged and lost records" {
	unit unit_segv_event
	on_arm unit_segv_event src/probe/segv_{event,decode} src/core/arch
}

@test "program: for both machines, all blocks, filters, rate, a full ring" {
	unit unit_segv_prog
	on_arm unit_segv_prog t/unit/bpf_machine \
	    src/probe/segv_{prog,gen,filter,blocks,memory,layout,event,decode} \
	    src/bpf/{insn,btf} src/base/{io,array} src/core/arch
}

@test "probe: events, filters, counts on this kernel; nothing left after kill -9" {
	live
}

@test "probe: a line for every right that is missing" {
	live rights
}

@test "probe: every set of options loads" {
	local o i LONGEST=
	for i in 0 1 2 3; do
		LONGEST="$LONGEST -n $(printf '%063d' 0)$i"
		LONGEST="$LONGEST -N $(printf '%063d' 0)$i -P 3$i"
	done
	for o in -q -qi -qx -qv -qt -qa '-qa -w 1' '-qa -w 64' \
	    '-q -s 1,4,5,6,7,8,11,31,64' '-qa -n x' '-qa -n 123456789012345' \
	    "-qa -n $(printf '%064d' 0)" '-qa -p 1' '-qa -r 1' \
	    '-qa -r 1000000000' '-qa -R 4194304 -p 1 -n x -r 5' '-qa -S 1' \
	    '-q -f' '-qa -f -S 3 -r 2' '-qa -l -S 3' '-q -l -s 1,17' \
	    "-qa$LONGEST"; do
		echo "options: $o"
		# shellcheck disable=SC2086
		watch $o
		unwatch
		[ "$(said missed)" = 0 ]
	done
}

@test "probe: the faults of the victims as the kernel reports them" {
	local a
	needs_victim faults
	watch -a
	for a in read write constant data wild high sp; do
		crash "$VICTIMS/faults" $a
		eval "PID_$a=$PID"
	done
	needs_victim jump
	crash "$VICTIMS/jump" heap
	wait_for 30 grep -q " pid=$PID " "$WHERE/events"
	[ "$(event_of "$PID" addr)" = "$(event_of "$PID" rip)" ] ||
	    [ "$(uname -m)" != x86_64 ]
	[ "$(event_of "$PID" access)" = x,present ]
	# shellcheck disable=SC2154
	{
		[ "$(event_of "$PID_read" addr)" = 0x18 ]
		[ "$(event_of "$PID_read" access)" = r ]
		[ "$(event_of "$PID_write" access)" = w ]
		[ "$(event_of "$PID_constant" code)" = 2 ]
		[ "$(event_of "$PID_constant" access)" = w,present ]
		[ "$(event_of "$PID_data" access)" = x,present ]
		[ "$(event_of "$PID_high" addr)" = 0x123456789000 ]
		[ "$(event_of "$PID_sp" have)" = 0 ]
	}
	if [ "$(uname -m)" = x86_64 ]; then
		# shellcheck disable=SC2154
		[ "$(event_of "$PID_wild" origin)" = kernel ]
		[ "$(event_of "$PID_wild" trap)" = 13 ]
	fi
	unwatch
	[ "$(said orphans)" = 0 ]
	[ "$(said bad)" = 0 ]
	[ "$(said partial)" = 0 ]
}
