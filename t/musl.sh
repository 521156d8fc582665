#!/bin/sh
# musl: the programs, all static, on musl; the suite's core runs on them.
#
#   t/musl.sh [FILE.bats ...]     units, debugger, usercrash_c, core_send,
#                                 recv_core without arguments
#
# libunwind is built for musl-gcc from Debian's source package, once, in
# build-musl: without compressed symbols, which read none of ours.  What is
# tested is build-musl/bin, the C units against musl, too.  Victims are those of
# the ordinary build.  Exits as t/run does; 0 with "skipped" where there is no
# musl-gcc, apt-get or apt source.

top=$(cd "$(dirname "$0")/.." && pwd) || exit 111
cd "$top" || exit 111
[ $# -gt 0 ] || set -- t/unit.bats t/debugger.bats t/usercrash_c.bats \
	t/core_send.bats t/recv_core.bats
out=$top/build-musl
# shellcheck disable=SC2034
debian_dir=$out/apt
# shellcheck source=t/debian.sh
. t/debian.sh

skipped()
{
	echo "musl: skipped: $*"
	exit 0
}

# failed WHAT: with the end of what it said.
failed()
{
	tail -n 20 "$out/log"
	echo "musl: $1: failed"
	exit 1
}

# kernel_headers: those of the kernel, which musl does not have, and of nobody
# else.
kernel_headers()
{
	mkdir -p "$out/include" || return 1
	for h in linux asm-generic asm; do
		for d in /usr/include "/usr/include/$(gcc -print-multiarch)"; do
			[ ! -d "$d/$h" ] || ln -sfn "$d/$h" "$out/include/$h"
		done
	done
}

# libunwind: in build-musl/root.
libunwind()
{
	[ ! -e "$out/root/lib/libunwind.a" ] || return 0
	rm -rf "$out/src"
	mkdir -p "$out/src" && cd "$out/src" || return 1
	debian_apt get -qq source --download-only \
	    "libunwind/$(debian_own)" &&
	    find . -name '*.orig.tar.*' ! -name '*.asc' -exec tar -xf {} \; &&
	    cd libunwind-*/ || return 1
	# compiled for a program of any address: the units are such
	CC=musl-gcc CFLAGS='-O2 -g -fPIC' CPPFLAGS="-isystem $out/include" \
	    ./configure --prefix="$out/root" --disable-shared --enable-static \
	    --disable-minidebuginfo --disable-tests --disable-documentation \
	    --disable-coredump --disable-ptrace --disable-setjmp \
	    --disable-cxx-exceptions &&
	    make && make install
}

for need in musl-gcc apt-get dpkg-deb make gcc; do
	command -v $need >/dev/null || skipped "$need is not installed"
done
mkdir -p "$out" || exit 111
[ -e "$out/root/lib/libunwind.a" ] || debian_has 2>"$out/log" ||
    skipped "no list of packages: $(tail -n 1 "$out/log")"
kernel_headers || failed 'headers of the kernel'
(libunwind) >"$out/log" 2>&1 || failed libunwind
make CC=musl-gcc STATIC=all WERROR=1 "BUILD=$out" "BIN=$out/bin" \
    "CPPFLAGS=-isystem $out/include -isystem $out/root/include" \
    "LDFLAGS=-L$out/root/lib" all units >"$out/log" 2>&1 || failed build
make victims >"$out/log" 2>&1 || failed victims
BIN=$out/bin BUILD=$out t/run "$@"
