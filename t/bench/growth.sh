#!/bin/sh
# growth.sh: how the cost of a report grows with the process, by usercrash_c
# alone: time, and what is counted without a clock.
#
#   make bench BENCH=growth
#   BENCH_DIR=DIR    where reports go: a disk, a tmpfs (/run)
#   --json, BENCH_ROUNDS, BENCH_ONLY (threads mappings memory modules symbols):
#   see t/bench/rounds.sh
#
# A row is one thing that grows, and what stands where a tool does elsewhere is
# how many of it there are; so ratios are to the smallest.  "memory" is in MB;
# "symbols" are functions of the library in which it crashes; "modules" are
# libraries that are loaded, and in no backtrace.
#
# Each round has three crashes of each: under usercrash_c; under a handler that
# does nothing, for what the kernel does with such a process; and under
# usercrash_c counted, as by t/cost.bats: system calls and page faults of all
# its processes, and KiB read of the crashed one's memory.
#
# Exits 0 whatever the figures are, 111 when nothing can be measured.

top=$(cd "$(dirname "$0")/../.." && pwd) || exit 111
# shellcheck source=t/bench/rounds.sh
. "$top/t/bench/rounds.sh"
count=$top/build/t/cost_count
need "$out/quit" "$BIN/usercrash_c" "$count"

# crash NUMBER: "REPORT GONE REPORTS FLOOR CALLS FAULTS KIB BYTES".
crash()
{
	# shellcheck disable=SC2046
	case $row in
	threads) set -- 10 $(($1 - 1)) ;;
	mappings) set -- 1 0 0 "$1" ;;
	memory) set -- "$1" 0 ;;
	modules) set -- 1 0 0 0 $(libraries "$1") ;;
	symbols) set -- 1 0 0 0 "$run/symbols.$1.so" ;;
	esac
	handler="$run/c -d$run/d -S$run/s --tid=%I --pidfd=%F %P %e %s"
	rm -f "$run"/d/usercrash_* "$run/n"
	pattern "|$handler" &&
	    "$clock" -d "$run/d" -p usercrash_ "$victim" "$@"
	pattern "|$run/q" && "$clock" "$victim" "$@" | cut -d ' ' -f 2
	pattern "|$run/k $run/n $handler" && "$clock" "$victim" "$@" >"$tmp/k"
	i=0
	until [ -s "$run/n" ] || [ "$i" -gt 3000 ]; do
		i=$((i + 1))
		sleep 0.02
	done
	awk '{ print $2, $4, $10 }' "$run/n"
	stat -c %s "$run/d/usercrash_00"
}

# libraries N
libraries()
{
	i=0
	while [ "$i" -lt "$1" ]; do
		printf ' %s' "$run/module.$i.so"
		i=$((i + 1))
	done
}

# library FILE [SOURCE...]: a shared one.
library()
{
	file=$1
	shift
	"${CC:-cc}" -shared -fPIC -O1 -o "$file" "$@" || {
		say "error: unable to make $file"
		exit 111
	}
}

# symbols N: of a library, and a function that crashes.
symbols()
{
	awk -v n="$1" 'BEGIN {
		print ".text"
		for (i = 0; i < n; i++)
			printf ".globl f%d\n.type f%d, %%function\n" \
			    "f%d: .long 0, 0\n.size f%d, 8\n", i, i, i, i
		print ".section .note.GNU-stack,\"\",%progbits"
	}' >"$tmp/symbols.s"
	echo 'void bench_crash(int *p) { *p = 1; }' >"$tmp/crash.c"
	library "$run/symbols.$1.so" "$tmp/symbols.s" "$tmp/crash.c"
}

modules()
{
	echo 'int bench_module;' >"$tmp/module.c"
	library "$run/module.so" "$tmp/module.c"
	i=0
	while [ "$i" -lt "$1" ]; do
		cp "$run/module.so" "$run/module.$i.so"
		i=$((i + 1))
	done
}

run=$(mktemp -d "${BENCH_DIR:-/run}/uXXXX") || exit 111
mkdir -m 750 "$run/d" || exit 111
ln -s "$BIN/usercrash_c" "$run/c"
ln -s "$out/quit" "$run/q"
ln -s "$count" "$run/k"
modules 300
symbols 1000
symbols 100000

rounds threads 5 "1 10 100 1000"
rounds mappings 5 "100 1000 10000 60000"
rounds memory 5 "10 100 1000"
rounds modules 5 "10 100 300"
rounds symbols 5 "1000 100000"

machine "reports on $(stat -f -c %T "$run")"
table "From the crash to its complete report" report ms 4
table "From the crash until the process is gone" held ms 5
table "The same with a handler that does nothing" floor ms 7
table "System calls" calls "" 8
table "Page faults" faults "" 9
table "KiB read of the process's memory" read "" 10
table "Bytes of the report" size "" 11
exit 0
