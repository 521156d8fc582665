# causes: what the report says of faults that are easily told wrong; the truth
# stands in the victims' sources (lines "cause NAME: REGEX").

load helper

teardown()
{
	pattern_release
}

# causes SOURCE: "NAME REGEX" a line.
causes()
{
	awk '/^ \*\// { exit }
		/^ \* cause / { printf "%s%s", nl, substr($0, 10); nl = "\n"
			on = 1; next }
		/^ \*  / && on { printf "%s", substr($0, 4); next }
		{ on = 0 }
		END { print "" }' "$TOP/t/victims/$1" | sed 's/: / /'
}

# told EXE SOURCE: each of them through the kernel's pipe.
told()
{
	local name want
	needs_victim "$1"
	pattern_direct
	causes "$2" >"$BATS_TEST_TMPDIR/causes"
	while read -r name want; do
		crash "$VICTIMS/$1" "$name" 9>&-
		report_of "$PID"
		is_report "$REPORT"
		cp "$REPORT" "$BATS_TEST_TMPDIR/$name"
		value cause "$REPORT" | grep -Eqx -- "$want" || {
			echo "$name: $(value cause "$REPORT"), truth: $want"
			return 1
		}
	done <"$BATS_TEST_TMPDIR/causes"
}

@test "calls through memory, small jumps, what a handler had caught" {
	local name
	told causes causes.c
	cd "$BATS_TEST_TMPDIR"
	for name in handler plain raise blocked; do
		[ "$(value caught_signal $name)" = "11 SIGSEGV" ]
		[ "$(value caught_code $name)" = "1 SEGV_MAPERR" ]
		[ "$(value caught_address $name)" = 0x18 ]
		[ "$(value caught_access $name)" = write ]
		section fault_registers $name | grep -q .
	done
	for name in table small stale; do
		[ "$(grep -cE '^(caught|fault_registers)' $name)" = 0 ]
	done
}

@test "a stack overflow that a handler on another stack caught" {
	local name
	told altstack altstack.c
	cd "$BATS_TEST_TMPDIR"
	for name in abort raise blocked guard fault; do
		[ "$(value caught_signal $name)" = "11 SIGSEGV" ]
		[ "$(value caught_access $name)" = write ]
		section fault_registers $name | grep -q .
	done
	[ "$(grep -c '^caught' return)" = 0 ]
}

@test "a place without a name: what it lies in, and who called" {
	local at
	needs_tool gcc nm strip
	pattern_direct
	cd "$BATS_TEST_TMPDIR"
	cat >j.c <<-'END'
		#include <string.h>
		#include <sys/mman.h>
		#if defined(__x86_64__) /* xor %eax,%eax; mov %eax,(%rax); ret */
		static unsigned char code[] = {0x31, 0xc0, 0x89, 0x00, 0xc3};
		#else /* mov x0, #0; str w0, [x0]; ret */
		static unsigned code[] = {0xd2800000, 0xb9000000, 0xd65f03c0};
		#endif
		__attribute__((noinline)) void caller(void (*f)(void))
		{ f(); __asm__ volatile(""); }
		int main(void)
		{
			void *m = mmap(0, 4096, 7, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);
			memcpy(m, code, sizeof(code));
			__builtin___clear_cache(m, (char *)m + 64);
			caller((void (*)(void))m);
			return 0;
		}
	END
	gcc -O1 -o j j.c
	crash ./j 9>&-
	report_of "$PID"
	value cause "$REPORT"
	[ "$(value cause "$REPORT")" = \
	    "null pointer write in anonymous memory, called from caller" ]
	# a static function of a library without symbols, and the one before
	# it that has a name
	cat >l.c <<-'END'
		#define NOINLINE __attribute__((noinline))
		int named(int *p) { return *p + 1; }
		static NOINLINE int inner(int *p) { return *p; }
		static NOINLINE int middle(int *p) { return inner(p) + 1; }
		static int entry(int *p) { return middle(p) + 3; }
		int (*table)(int *) = entry;
	END
	cat >p.c <<-'END'
		extern int (*table)(int *);
		__attribute__((noinline)) int caller(void)
		{ return table((int *)8) + 1; }
		int main(void) { return caller() + 2; }
	END
	gcc -O1 -shared -fPIC -o l.so l.c
	at=$(nm l.so | sed -n 's/^0*\([0-9a-f]*\) t inner$/\1/p')
	strip -s l.so
	gcc -O1 -o p p.c ./l.so
	crash ./p 9>&-
	report_of "$PID"
	value cause "$REPORT"
	[ "$(value cause "$REPORT")" = "null pointer read at offset 0x8 in\
 l.so+0x$at, called from caller" ]
}

@test "C++ exceptions that nobody catches: type and words" {
	told uncaught uncaught.cc
	cd "$BATS_TEST_TMPDIR"
	[ "$(value exception range)" = St12out_of_range ]
	[ "$(value exception second)" = N3app6SecondE ]
	[ "$(value exception_text long | tr -d x)" = " ... (cut here)" ]
	[ "$(value exception_text long | wc -c)" -gt 4096 ]
	[ "$(cat over forged | grep -c '^exception')" = 0 ]
	[ "$(grep -c '^exception_text' says)" = 0 ]
}

# No name tells whether nobody caught it, nor whose what() it has.
@test "C++ exceptions in a static program without symbols" {
	local how want
	needs_victim uncaught_stripped
	pattern_direct
	while IFS='|' read -r how want; do
		crash "$VICTIMS/uncaught_stripped" "$how" 9>&-
		report_of "$PID"
		echo "$how: $(value cause "$REPORT")"
		[ "$(value cause "$REPORT")" = "aborted$want" ]
	done <<-'END'
		destructor| while handling std::logic_error: from a destructor
		noexcept| while handling std::runtime_error: through noexcept
		derived| while handling app::Derived
		number| while handling int: 42
		nested| while handling std::logic_error: the inner one
		over|
		kept|
		forged|
	END
}

@test "Go: the fault that became a panic" {
	local exe how
	needs_victim gopher
	pattern_direct
	for exe in gopher gopher_stripped gopher_pie; do
		GOTRACEBACK=crash crash "$VICTIMS/$exe" panic 9>&-
		report_of "$PID"
		echo "$exe: $(value cause "$REPORT")"
		[ "$(value cause "$REPORT")" = "aborted by its handler of\
 SIGSEGV: null pointer read at offset 0x18 in main.leaf" ]
		[ "$(value caught_address "$REPORT")" = 0x18 ]
		[ "$(value caught_access "$REPORT")" = read ]
		# its registers are lost
		not grep -q '^fault_registers' "$REPORT"
	done
	for how in index later; do
		GOTRACEBACK=crash crash "$VICTIMS/gopher" $how 9>&-
		report_of "$PID"
		[ "$(value cause "$REPORT")" = aborted ]
	done
}

@test "Rust: the place and the words of the panic it aborted for" {
	told panics panics.rs
	cd "$BATS_TEST_TMPDIR"
	value panic index | grep -q 'panics\.rs:27:5$'
	[ "$(value panic_text formatted)" = "made of 3" ]
	[ "$(value panic_text long | tr -d x)" = " ... (cut here)" ]
	[ "$(cat value abort | grep -c '^panic_text')" = 0 ]
	[ "$(cat abort leftover | grep -c '^panic')" = 0 ]
}

@test "Rust, optimized, without symbols: the same" {
	told panics_stripped panics.rs
}

@test "Rust: a panic that may not unwind" {
	local want
	needs_victim panics_unwind
	# before Rust 1.81 it unwinds all the same, and is no crash
	run "$VICTIMS/panics_unwind" callback
	[ "$status" != 101 ] || return 0
	pattern_direct
	want='aborted: Rust panic at .*/panicking\.rs:[0-9]+:[0-9]+: panic in a function that cannot unwind'
	crash "$VICTIMS/panics_unwind" callback 9>&-
	report_of "$PID"
	value cause "$REPORT"
	value cause "$REPORT" | grep -Eqx "$want"
}
