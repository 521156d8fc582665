#!/bin/sh
# vm: the programs on small boards, one for each kernel and machine.
#
#   t/vm.sh [MACHINE/SUITE ...]     all below without arguments
#
# A board is qemu-system with 128 MB and one initramfs: busybox, our programs,
# built all static, and two victims.  Its kernel is that of a Debian SUITE, as
# it comes; "newest" is the newest that Debian has.  What the board does is in
# vm-init.sh: enable, crash, list, show, doctor, send, receive, debugger,
# segfault_analyzer, disable.  The processor is emulated where /dev/kvm does
# not do.
#
# Needs qemu-system-x86_64, qemu-system-aarch64, apt-get and dpkg-deb, which
# fetch kernels, busybox and libunwind from where this machine has its packages,
# into build-vm; for aarch64 its cross compiler.  What is not to be had is "not
# run", which is no failure, unless nothing was run at all.
#
# VM_SECONDS  how long a board may take (180; 900 where it is emulated)
# VM_MEMORY   its memory in megabytes (128)
#
# Prints what passed on each.  Exits 0, or 1 when something failed.

top=$(cd "$(dirname "$0")/.." && pwd) || exit 111
cd "$top" || exit 111
[ $# -gt 0 ] || set -- x86_64/bullseye x86_64/bookworm x86_64/trixie \
	x86_64/newest aarch64/bullseye aarch64/bookworm aarch64/trixie \
	aarch64/newest
out=$top/build-vm
# shellcheck disable=SC2034
debian_dir=$out/apt
# shellcheck source=t/debian.sh
. t/debian.sh
tmp=$(mktemp -d) || exit 111
qemu=
trap '[ -z "$qemu" ] || kill -KILL "$qemu"; rm -rf "$tmp"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# --- what Debian has -------------------------------------------------------

# kernel_of ARCH SUITE: $kernel, the file of it.
kernel_of()
{
	dir=$out/kernels/$1-$2
	kernel=$dir/vmlinuz
	[ ! -s "$kernel" ] || return 0
	debian_has || return 1
	version=$(debian_version "linux-image-$1:$1" "$2")
	image=$(debian_apt cache show "linux-image-$1:$1=$version" 2>/dev/null |
	    sed -n 's/^Depends: .*\(linux-image-[0-9][^ ]*\).*/\1/p' | head -n 1)
	rm -rf "$dir"
	mkdir -p "$dir" || return 1
	# where it stands since 7.3, and before
	for p in "linux-binary-${image#linux-image-}" "$image"; do
		debian_unpack "$p:$1=$version" "$tmp/image" || continue
		find "$tmp/image" -name 'vmlinu[xz]*' -type f \
		    -exec mv {} "$kernel" \;
		rm -rf "$tmp/image"
		[ ! -s "$kernel" ] || return 0
	done
	return 1
}

# sysroot_of ARCH: busybox and, for another machine, libunwind's archives, of
# the release whose cross compiler this is.
sysroot_of()
{
	sysroot=$out/sysroot-$1
	[ ! -e "$sysroot/done" ] || return 0
	debian_has || return 1
	for p in busybox-static libunwind-dev liblzma-dev; do
		version=$(debian_version "$p:$1" "$(debian_own)")
		debian_unpack "$p:$1=$version" "$sysroot" || return 1
	done
	: >"$sysroot/done"
}

# --- a board ---------------------------------------------------------------

# makes TARGET...: all static, for the machine.
makes()
{
	make "CC=$cc" STATIC=all "BUILD=$dir" "BIN=$dir/bin" \
	    "CPPFLAGS=$includes" "LDFLAGS=$libs" "$@" >"$tmp/make" 2>&1
}

# built MACHINE: programs and victims, in build-vm/MACHINE.
built()
{
	dir=$out/$1 cc=${CC:-gcc} strip=strip includes='' libs=
	if [ "$1" != "$(uname -m)" ]; then
		cc=$1-linux-gnu-gcc strip=$1-linux-gnu-strip
		libs=-L$sysroot/usr/lib/$1-linux-gnu
		includes="-I$sysroot/usr/include"
		includes="$includes -I$sysroot/usr/include/$1-linux-gnu"
	fi
	makes all || return 1
	mkdir -p "$dir/vm"
	for v in null live; do
		# shellcheck disable=SC2086
		$cc -D_GNU_SOURCE -O0 -static -pthread -fno-builtin \
		    -o "$dir/vm/$v" "t/victims/$v.c" 2>"$tmp/make" || return 1
	done
}

# initramfs: $initramfs of what was built.
initramfs()
{
	root=$tmp/root initramfs=$tmp/initramfs
	rm -rf "$root"
	mkdir -p "$root/bin" "$root/sbin" "$root/etc" "$root/proc" "$root/sys" \
	    "$root/dev" "$root/run" "$root/var/log" "$root/var/lib" "$root/vm" \
	    "$root/usr/bin" "$root/usr/sbin" || return 1
	makes "DESTDIR=$root" install || return 1
	rm -rf "${root:?}/usr/share"
	for p in "$root"/usr/bin/*; do
		"$strip" "$p" 2>/dev/null # scripts are none of its business
	done
	cp "$dir"/vm/* "$root/vm/"
	cp "$sysroot"/bin/busybox "$root/bin/" 2>/dev/null ||
	    cp "$sysroot"/usr/bin/busybox "$root/bin/" || return 1
	ln -s busybox "$root/bin/sh"
	install -m 755 t/vm-init.sh "$root/init"
	echo root:x:0:0:root:/:/bin/sh >"$root/etc/passwd"
	printf '%s\n' root:x:0: adm:x:4: >"$root/etc/group"
	(cd "$root" && find . | busybox cpio -o -H newc -R 0:0 2>/dev/null) |
	    gzip -1 >"$initramfs"
}

# kvm_works MACHINE: a kernel that finds no root ends at once.  It is tried, since
# a virtual machine may have a /dev/kvm in which no kernel gets far.
kvm_works()
{
	[ "$1" = "$(uname -m)" ] && [ -w /dev/kvm ] || return 1
	if [ ! -e "$tmp/kvm" ]; then
		# shellcheck disable=SC2086
		timeout -s KILL 30 "qemu-system-$1" $board -accel kvm -cpu host \
		    -m 256 -nographic -no-reboot -nic none -kernel "$kernel" \
		    -append panic=-1 </dev/null >/dev/null 2>&1
		echo $? >"$tmp/kvm"
	fi
	[ "$(cat "$tmp/kvm")" = 0 ]
}

# boot MACHINE: the console of the board, to its end or its deadline.
boot()
{
	memory=${VM_MEMORY:-128}
	append='quiet loglevel=1 panic=-1'
	seconds=${VM_SECONDS:-900}
	case $1 in
	# where the host is busy, an emulated timer seems broken
	x86_64) console='ttyS0 no_timer_check' board= ;;
	aarch64) console=ttyAMA0 board='-M virt' ;;
	esac
	how=emulated cpu='-accel tcg -cpu max'
	if kvm_works "$1"; then
		how=kvm cpu='-accel kvm -cpu host' seconds=${VM_SECONDS:-180}
	fi
	# shellcheck disable=SC2086
	qemu-system-"$1" $board $cpu -m "$memory" -smp 2 -nographic \
	    -no-reboot -nic none -kernel "$kernel" -initrd "$initramfs" \
	    -append "console=$console $append" </dev/null \
	    >"$tmp/console" 2>&1 &
	qemu=$!
	while kill -0 "$qemu" 2>/dev/null && [ "$seconds" -gt 0 ]; do
		sleep 1
		seconds=$((seconds - 1))
	done
	kill -KILL "$qemu" 2>/dev/null
	wait "$qemu" 2>/dev/null
	qemu=
	[ "$seconds" -gt 0 ]
}

# not_run WHY...
not_run()
{
	echo "$machine/$suite: not run: $*"
}

# failed WHAT [FILE]
failed()
{
	[ -z "${2:-}" ] || tail -n 20 "$2" | tr -d '\r' | sed 's/^/  /'
	echo "$machine/$suite: failed: $1"
	rc=1
}

# board MACHINE/SUITE
board()
{
	machine=${1%/*} suite=${1#*/}
	case $machine in
	x86_64) arch=amd64 ;;
	aarch64) arch=arm64 ;;
	*)
		echo "vm: error: no board is called $1" >&2
		exit 100
		;;
	esac
	for need in "qemu-system-$machine" apt-get dpkg-deb busybox; do
		command -v "$need" >/dev/null || {
			not_run "$need is not installed"
			return
		}
	done
	if [ "$machine" != "$(uname -m)" ]; then
		command -v "$machine-linux-gnu-gcc" >/dev/null || {
			not_run "$machine-linux-gnu-gcc is not installed"
			return
		}
	fi
	sysroot_of $arch || { not_run "busybox and libunwind of it"; return; }
	kernel_of $arch "$suite" || { not_run "no kernel"; return; }
	if ! built "$machine" || ! initramfs; then
		grep -i error "$tmp/make" >"$tmp/errors"
		failed build "$tmp/errors"
		return
	fi
	ran=$((ran + 1))
	if boot "$machine"; then
		ended=$(tr -d '\r' <"$tmp/console" | sed -n 's/^end: //p')
	else
		ended=
	fi
	tr -d '\r' <"$tmp/console" |
	    sed -n -e "s|^kernel: \(.*\)|$machine/$suite: Linux \1, $how|p" \
	    -e '/^memory: /,/^end: /{/^end: /!s/^/  /p;}'
	case $ended in
	*', 0 failed') echo "$machine/$suite: $ended" ;;
	'') failed "no end${seconds:+, $seconds seconds left}" "$tmp/console" ;;
	*) failed "$ended" ;;
	esac
}

rc=0 ran=0
for b; do
	board "$b"
done
[ $ran -gt 0 ] || {
	echo "vm: nothing was run"
	rc=1
}
exit $rc
