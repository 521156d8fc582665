#!/usr/bin/env bats
# Every example of every manual page, extracted from it and run (t/box.bash).
#
# not with sanitizers: what is installed is what "make all" builds

load helper

setup_file()
{
	load helper
	needs_root
	W=$BATS_FILE_TMPDIR
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u MAKEOVERRIDES \
	    make -s -C "$TOP" install DESTDIR="$W/i" PREFIX=/usr >/dev/null
	work "$W/work"
}

setup()
{
	needs_root
	needs_tool unshare nsenter setpriv ip jq zstd lz4 socat tcpserver \
	    systemd-socket-activate gdb gcore pidof nc openssl readelf \
	    addr2line cc
	W=$BATS_FILE_TMPDIR
	T=$BATS_TEST_TMPDIR
}

teardown()
{
	end_bgs
	if [ -n "${LOCKED:-}" ]; then
		kernel_restore
		kernel_unlock
	fi
}

# work DIRECTORY: programs and cores that the examples speak of.
work()
{
	local v
	mkdir -p "$1/out/lib" "$1/out/plugins"
	for v in null abort live launch handled; do
		cp "$VICTIMS/$v" "$1"
	done
	cp "$1/live" "$1/postgres"
	cp "$1/null" "$1/prog"
	cp "$1/null" "$1/out/prog"
	cd "$1" || return
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 \
	    -nodes -subj /CN=localhost -keyout key.pem -out ca.pem 2>/dev/null
	cat key.pem ca.pem >me.pem
	core_of_prog
	cp core core.4711
	zstd -q -c core >core.prog.zst
	lz4 -q -c core >core.app.4711.1763700000.lz4
	cp "$TOP/etc/usercrash.conf" conf
}

# A core of prog as it crashed, without the kernel.
core_of_prog()
{
	gdb_do -ex run -ex 'generate-core-file core' -ex kill ./prog >gdb.said
	[ -s core ] || {
		cat gdb.said
		return 1
	}
}

# box PAGE: runs its examples, in a directory of its own.
box()
{
	local flags=(--mount --net --propagation private)
	mkdir box
	cp -r "$W/work" work
	ln -s "$W/i" i
	awk -f "$TOP/t/examples.awk" "$MAN/$1" >script
	! grep -q pidof script || flags+=(--pid --fork --mount-proc)
	TREE=$TOP timeout -k 1 240 unshare "${flags[@]}" \
	    bash "$TOP/t/box.bash" "$1" 9>&- || {
		case $? in
		77) echo "$1: needs overlayfs" ;;
		124) echo "$1: an example does not end" ;;
		esac
		exit 1 # also where set -e is not heeded
	}
}

# crashing: whether a page's examples set what is run for a crash.
crashing()
{
	awk -f "$TOP/t/examples.awk" "$MAN/$1" |
	    grep -Eq 'core_pattern|crashlogctl enable|crashlogctl check'
}

pages()
{
	local m
	for m in "$MAN"/*; do
		m=${m##*/}
		"$@" "$m" || continue
		echo "$m"
	done
}

@test "every example: of pages that leave the kernel alone" {
	MAN=$TOP/man
	pages not crashing >"$T/pages"
	together box <"$T/pages"
}

@test "every example: of pages that hand crashes to somebody" {
	MAN=$TOP/man
	needs_kernel
	kernel_lock
	LOCKED=1
	kernel_set /proc/sys/kernel/core_pipe_limit 1024
	kernel_set /proc/sys/kernel/core_pattern '|/usr/bin/nsenter -t%P -m -n /run/kernel P%P I%I p%p i%i u%u g%g d%d s%s t%t c%c C%C F%F h%h e%e'
	pages crashing >"$T/pages"
	CRASHES=1 together box <"$T/pages"
}

# page NAME: of the lines of stdin, in its examples.
page()
{
	mkdir -p "$MAN"
	{
		printf '.Dd November 27, 2026\n.Sh DESCRIPTION\n.Dl # false\n'
		printf '.Sh EXAMPLES\n'
		cat
	} >"$MAN/$1"
}

@test "an example that does not do it fails, and says which" {
	MAN=$T/man
	page good.8 <<-'END'
		.Dl $ printf '%s\e&' a | grep -q a
		.Bd -literal
		$ wc -c <core.4711 \e
		    | cat
		# case x in
		> x) echo 'one
		> two'
		> esac
		one
		two
		.Ed
	END
	page status.8 <<-'END'
		.Dl $ cat core
		.Dl $ debugger core.none | cat
	END
	page said.8 <<-'END'
		.Bd -literal
		$ echo one; echo two
		one
		three
		.Ed
	END
	page user.8 <<-'END'
		.Dl $ cat /etc/shadow
	END
	page text.8 <<-'END'
		.Bd -literal -offset indent
		core_send none.invalid <core
		.Ed
	END
	pages true >"$T/pages"
	boxes() { together box <"$T/pages"; }
	run boxes
	echo "$output"
	[ "$status" = 1 ]
	[ "$(grep -c ', example ' <<<"$output")" = 4 ]
	[[ $output == *"status.8, example 2: debugger core.none | cat: exit status 100"* ]]
	[[ $output == *"said.8, example 1: echo one; echo two: said"* ]]
	[[ $output == *"user.8, example 1: cat /etc/shadow: exit status 1"* ]]
	[[ $output == *"text.8, example 1: core_send none.invalid <core: exit status "* ]]
}
