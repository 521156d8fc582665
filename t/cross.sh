#!/bin/sh
# cross: what is built for another machine runs as that one's.
#
#   t/cross.sh [TRIPLET ...]     all below without arguments
#
# For each TRIPLET that has a compiler here, and a libunwind that it links:
# builds the programs with WERROR=1 and lets qemu-user run them.  debugger
# writes a report of a core file of that machine where t/fixtures has one, else
# it says that the core is another machine's; core_send sends one to the
# recv_core of this machine, where it must arrive byte by byte.
#
# One line each; exits 0, 1 when one failed.  What is not here is "skipped".
# (On Debian: crossbuild compilers, libc6-dev-ARCH-cross, libunwind-dev:ARCH.)

top=$(cd "$(dirname "$0")/.." && pwd) || exit 111
cd "$top" || exit 111
[ $# -gt 0 ] || set -- aarch64-linux-gnu arm-linux-gnueabihf i686-linux-gnu \
	powerpc64le-linux-gnu riscv64-linux-gnu s390x-linux-gnu
tmp=$(mktemp -d) || exit 111
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# qemu's name of a machine
emulator()
{
	case $1 in
	i686-*) echo qemu-i386 ;;
	powerpc64le-*) echo qemu-ppc64le ;;
	*) echo "qemu-${1%%-*}" ;;
	esac
}

# failed TRIPLET WHAT [FILE]
failed()
{
	[ -z "${3:-}" ] || tail -5 "$3"
	echo "$1: $2: failed"
	rc=1
}

# try TRIPLET
try()
{
	cc=$1-gcc qemu=$(emulator "$1")
	for need in "$cc" "$qemu" make; do
		command -v "$need" >/dev/null || {
			echo "$1: skipped: $need is not installed"
			return
		}
	done
	echo 'int main(void){return 0;}' |
	    "$cc" -x c - -o "$tmp/has" -lunwind 2>/dev/null || {
		echo "$1: skipped: no libunwind for it"
		return
	}
	out=build-cross/$1
	make "CC=$cc" WERROR=1 "BUILD=$out" "BIN=$out/bin" all \
	    >"$tmp/make" 2>&1 || { failed "$1" build "$tmp/make"; return; }
	# its own libc where that is installed: a loader takes none but its twin
	loader=$("$1-readelf" -l "$out/bin/core_send" |
	    sed -n 's/.*interpreter: \(.*\)]/\1/p')
	[ -e "$loader" ] || qemu="$qemu -L /usr/$1"
	core=t/fixtures/core.x86_64 says='is a core of another architecture'
	own=t/fixtures/core.${1%%-*}
	[ ! -e "$own" ] || core=$own says='^usercrash report '
	$qemu "$out/bin/debugger" "$core" >"$tmp/report" 2>&1
	grep -q "$says" "$tmp/report" ||
	    { failed "$1" debugger "$tmp/report"; return; }
	rm -rf "$tmp/store"
	mkdir "$tmp/store"
	$qemu "$out/bin/core_send" --pid=1 --comm=crossed \
	    --signal=11 - <"$core" 2>"$tmp/err" |
	    "${BIN:-bin}/recv_core" -i -d "$tmp/store" >/dev/null 2>>"$tmp/err"
	got=$(find "$tmp/store" -type f -name 'core.crossed.*' ! -name '*.info')
	cmp -s "$core" "${got:-/nonexistent}" ||
	    { failed "$1" core_send "$tmp/err"; return; }
	echo "$1: ok"
}

rc=0
for t; do
	try "$t"
done
exit $rc
