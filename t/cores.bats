# cores: as others than this machine's kernel write them, and read where their
# files are not.
# quiet: core_forge writes the cores; no kernel setting is touched.

load helper

D=$BIN/debugger
FORGE=$BUILD/t/core_forge

setup()
{
	[ -x "$FORGE" ] || unmet "core_forge is not built here"
	cd "$BATS_TEST_TMPDIR" || return 1
}

teardown()
{
	end_bgs
}

# forged OPTIONS COMMAND...: a core of its crash in $CORE, the report in r.
forged()
{
	CORE=$BATS_TEST_TMPDIR/core
	# shellcheck disable=SC2086
	"$FORGE" $1 "$CORE" "${@:2}" >/dev/null 2>&1
	"$D" "$CORE" >r 2>e
}

# A library that faults, and a program that calls it; in the directory $1.
faulting()
{
	needs_tool gcc
	mkdir -p "$1"
	echo 'int crash(int *p){ return *p; }
	    int outer(int *p){ return crash(p) + 1; }' >"$1/l.c"
	echo 'int outer(int *); int main(void){ return outer((int *)8) + 2; }' \
	    >"$1/p.c"
	# shellcheck disable=SC2086
	gcc -O1 -g -fno-omit-frame-pointer -fno-optimize-sibling-calls \
	    ${2:-} -shared -fPIC -o "$1/l.so" "$1/l.c"
	# shellcheck disable=SC2086
	gcc -O1 -g -fno-omit-frame-pointer ${2:-} -o "$1/p" "$1/p.c" "$1/l.so"
}

places()
{
	section backtrace "$1" | sed -n 's/.*(\(.*\)).*/\1/p'
}

@test "whatever the order and whatever is left out: the same frames" {
	needs_victim null
	truth null.c
	forged "" "$VICTIMS/null"
	chain_is "$TRUTH" null r
	want=$(value signature r)
	for o in -TL -TLH -TLR -Z -ZH -F -TF -TLF -ZHF -TLHRF; do
		forged $o "$VICTIMS/null"
		echo "$o: $(cat r e)" | head -40
		chain_is "$TRUTH" null r
		[ "$(value signature r)" = "$want" ]
		[ "$(section backtrace r | grep -c '<not code>')" = 0 ]
	done
}

# Whose name stands in the program's own text, which is nowhere in the core.
@test "without text and NT_FILE: the loader's frames, too" {
	needs_victim early
	forged "" "$VICTIMS/early"
	places r >want
	grep -q ld-linux want || grep -q ld-musl want || unmet "a loader that is no module"
	forged -ZHF "$VICTIMS/early"
	cat r e | head -40
	places r | diff want -
}

@test "without NT_SIGINFO the address follows from instruction and registers" {
	needs_victim faults
	local how
	needs_victim null
	forged "" "$VICTIMS/null"
	want=$(value cause r)
	forged -S "$VICTIMS/null"
	not grep -q '^code:' r
	[ "$(value cause r)" = "$want" ]
	for how in read write; do
		forged "" "$VICTIMS/faults" $how
		want=$(value cause r) addr=$(value address r)
		forged -S "$VICTIMS/faults" $how
		echo "$how: $(value cause r), not $want"
		[ "$(value cause r)" = "$want" ]
		[ "$(value address r)" = "$addr" ]
	done
	# sent to a process that stood well
	forged -S sh -c 'kill -SEGV $$'
	[ -z "$(value address r)" ]
	not grep -q 'general protection' r
}

@test "mappings without a segment have the permissions of the file" {
	needs_victim null
	forged -TL "$VICTIMS/null"
	section maps r | grep -q ' r-xp 00001000 .*/null$'
	section maps r | grep -q ' r--p 00002000 .*/null$'
	not grep -q 'not told' r
	# neither header nor file: said, and no permission is made up
	cp "$VICTIMS/null" moved
	"$FORGE" -THL core ./moved >/dev/null
	rm moved
	"$D" core >r || :
	section maps r | grep -q '/moved (permissions are not told)$'
	section modules r | grep -q '/moved (the file is gone)$'
}

@test "notes behind ten gigabytes are found without reading them" {
	needs_victim null
	forged -L "$VICTIMS/null"
	cp --sparse=always "$CORE" far
	# shellcheck disable=SC2034
	python=$(command -v python3) || unmet "needs python3"
	python3 - far <<-'P'
	import os, struct, sys
	f = open(sys.argv[1], 'r+b')
	h = f.read(64)
	n = struct.unpack_from('<H', h, 56)[0]
	at = 64 + (n - 1) * 56
	f.seek(at)
	ph = list(struct.unpack('<IIQQQQQQ', f.read(56)))
	assert ph[0] == 4
	f.seek(ph[2])
	notes = f.read(ph[5])
	ph[2] = 10 << 30
	f.seek(ph[2])
	f.write(notes)
	f.seek(at)
	f.write(struct.pack('<IIQQQQQQ', *ph))
	P
	[ "$(stat -c %s far)" -gt 10000000000 ]
	# a limit that the contents would not fit in; a sanitizer's own memory
	# would not either
	(
		[ "${BUILD##*/}" = build-san ] || ulimit -v 1000000
		"$D" far >r2
	)
	diff <(grep -v '^time' r) <(grep -v '^time' r2)
}

@test "two runs without headers and files: equal signatures, file offsets" {
	local v
	for v in separate-code noseparate-code; do
		rm -rf gone
		faulting gone "-Wl,-z,$v"
		mkdir away
		"$FORGE" -ZH core1 gone/p >/dev/null
		"$FORGE" -ZH core2 gone/p >/dev/null
		"$D" core1 >r
		places r >true
		mv gone/p gone/l.so away
		"$D" core1 >r1
		"$D" core2 >r2
		[ "$(value signature r1)" = "$(value signature r2)" ]
		[ "$(places r1 | head -1)" = "$(head -1 true)" ]
		at=$(places r1 | head -1)
		addr2line -e away/l.so "${at#*+}" | grep -Eq '/l.c:1( |$)'
		# one row, with its bias
		[ "$(section modules r1 | grep -c '/l.so')" = 1 ]
		section modules r1 |
		    grep -q '^  *0*\([0-9a-f]*\)-.* bias \1 .*/l.so (the file'
		# named again, it says no more than is known
		"$D" --libdir away core1 >r
		[ "$(value cause r)" = \
		    "null pointer read at offset 0x8 in crash" ]
		section modules r | grep -q '/l.so (may be another one'
		rm -rf away
	done
}

@test "another program in the place of the one that is gone is not believed" {
	faulting d
	"$FORGE" -T core d/p >/dev/null
	"$FORGE" -TH headless d/p >/dev/null
	cp "$VICTIMS/strlen" d/p
	cp "$VICTIMS/strlen" d/l.so
	for c in core headless; do
		"$D" "$c" >r || :
		section modules r | grep '/d/' >m
		cat m
		[ "$(grep -c '(the file now is another one)$' m)" = 2 ]
	done
}

@test "a root of another machine: its files, and none from outside it" {
	faulting d
	mkdir -p root/"$BATS_TEST_TMPDIR/d" root/usr/lib/debug libs out
	"$FORGE" -T core d/p >/dev/null
	mv d/p root/"$BATS_TEST_TMPDIR/d"
	mv d/l.so libs/l.so
	"$D" --sysroot root --libdir none:libs core >r
	[ "$(value cause r)" = "null pointer read at offset 0x8 in crash" ]
	section backtrace r | grep -q 'main+'
	# libc was not in that root
	section modules r | grep -q '/libc.*(the file is gone)$'
	DEBUGGER_SYSROOT=root "$D" core >r
	section backtrace r | grep -q 'main+'
	section modules r | grep -q '/l.so (the file is gone)$'
	# links and dots stay in it
	mv libs/l.so out
	ln -s "$BATS_TEST_TMPDIR/out/l.so" root/"$BATS_TEST_TMPDIR/d/l.so"
	"$D" --sysroot root core >r
	section modules r | grep -q '/l.so (the file is gone)$'
	ln -sf "../../../../../../../../../../$BATS_TEST_TMPDIR/out/l.so" \
	    root/"$BATS_TEST_TMPDIR/d/l.so"
	"$D" --sysroot root core >r
	section modules r | grep -q '/l.so (the file is gone)$'
	# but within it they lead on
	mkdir -p root/opt
	cp out/l.so root/opt/real.so
	ln -sf /opt/real.so root/"$BATS_TEST_TMPDIR/d/l.so"
	"$D" --sysroot root core >r
	[ "$(value cause r)" = "null pointer read at offset 0x8 in crash" ]
	status=0
	"$D" --sysroot none core >r 2>e || status=$?
	[ "$status" = 100 ]
	status=0
	"$D" --sysroot root $$ >r 2>e || status=$?
	[ "$status" = 100 ]
}

@test "no tree of debug files on the machine: nothing is said of one" {
	local f
	needs_tool unshare mount strip
	faulting d
	strip -s -R .dynsym d/l.so 2>/dev/null || strip -s d/l.so
	"$FORGE" -T core d/p >/dev/null
	mkdir here lib
	for f in /usr/lib/*; do
		[ "$f" = /usr/lib/debug ] || ln -s "$PWD/lib/${f##*/}" here
	done
	# shellcheck disable=SC2016
	unshare -m sh -c 'mount --bind /usr/lib lib &&
	    mount --bind here /usr/lib && [ ! -e /usr/lib/debug ] &&
	    exec "$0" core' "$D" >r
	section backtrace r | grep -q '^ *#0'
	not grep 'note: ' r
}

@test "a debug file by .gnu_debuglink: only with its checksum" {
	local place
	needs_tool objcopy
	faulting d -Wl,--build-id=none
	objcopy --only-keep-debug d/l.so l.debug
	objcopy --strip-all --add-gnu-debuglink=l.debug d/l.so
	"$FORGE" -T core d/p >/dev/null
	"$D" core >r
	section backtrace r | grep -q ' crash+'	# .dynsym has it
	objcopy --strip-all --add-gnu-debuglink=l.debug -R .dynsym d/l.so \
	    2>/dev/null || :
	# a static function only .symtab names
	echo 'static int __attribute__((noinline)) hidden(int *p)
	    { return *p; } int outer(int *p){ return hidden(p) + 1; }' >d/l.c
	gcc -O1 -g -fno-omit-frame-pointer -fno-optimize-sibling-calls \
	    -Wl,--build-id=none -shared -fPIC -o d/l.so d/l.c
	objcopy --only-keep-debug d/l.so l.debug
	objcopy --strip-all --add-gnu-debuglink=l.debug d/l.so
	"$FORGE" -T core d/p >/dev/null
	"$D" core >r
	not grep -q ' hidden+' <(section backtrace r)
	mkdir d/.debug
	for place in d d/.debug; do
		cp l.debug $place
		"$D" core >r
		section backtrace r | grep -q ' hidden+'
		echo >>$place/l.debug
		"$D" core >r
		not grep -q ' hidden+' <(section backtrace r)
		grep -q 'a separate debug file has another checksum' r
		rm $place/l.debug
	done
}

@test "gdb's gcore: the frames the debugger shows of the process itself" {
	needs_tool gdb gcore
	needs_victim live
	live
	gcore -o g "$PID" >/dev/null 2>&1 || unmet "gcore does not work here"
	"$D" "$PID" >live.r
	"$D" "g.$PID" >r
	# the spinner spins
	places_of() { sed -n 's/^ *#[0-9]* pc [0-9a-f]* \(.*\)/\1/p' "$1" |
	    grep -v -e spin | sort; }
	diff <(places_of live.r) <(places_of r)
}
