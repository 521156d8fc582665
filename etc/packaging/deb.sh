#!/bin/sh
# deb: a Debian package of what was built, with dpkg-deb alone.
#
#   etc/packaging/deb.sh BUILD VERSION MACHINE     ("make deb" runs this)
#
# - the files are those of "make install", stripped, manual pages compressed
# - what it depends on is read from the programs: a library's soname, and of
#   libc the newest version that they ask for
# - what is to be done by whoever installs it stands in deb/

set -eu
export LC_ALL=C
cd "$(dirname "$0")/../.."
build=$1 version=$2 machine=$3
here=etc/packaging/deb
root=$build/deb
umask 022

case $machine in
x86_64) arch=amd64 ;;
aarch64) arch=arm64 ;;
i?86) arch=i386 ;;
powerpc64le) arch=ppc64el ;;
riscv64 | s390x) arch=$machine ;;
*) arch=$(dpkg --print-architecture) ;;
esac

# the newest GLIBC_x.y that the programs ask for
libc_version()
{
	readelf -V "$@" 2>/dev/null | grep -o 'GLIBC_[0-9.]*' | sed 's/GLIBC_//' |
	    sort -t . -k 1,1n -k 2,2n -u | tail -n 1
}

# SONAME -> package
package()
{
	case $1 in
	libc.so.* | ld-linux*) echo "libc6 (>= $(libc_version "$root"/usr/bin/*))" ;;
	libunwind*.so.8) echo libunwind8 ;;
	liblzma.so.5) echo liblzma5 ;;
	*)
		echo "deb: error: no package is known for $1" >&2
		return 1
		;;
	esac
}

depends()
{
	sonames=$(readelf -d "$root"/usr/bin/* 2>/dev/null |
	    sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sort -u)
	for s in $sonames; do
		package "$s" || return
	done | sort -u | paste -s -d , | sed 's/,/, /g'
}

rm -rf "$root"
make -s install DESTDIR="$root" PREFIX=/usr \
    ZSHDIR=/usr/share/zsh/vendor-completions >/dev/null
for f in "$root"/usr/bin/*; do
	# the scripts stay as they are
	! readelf -h "$f" >/dev/null 2>&1 || ${STRIP:-strip} --strip-unneeded \
	    -R .comment -R .note "$f"
done
gzip -9n "$root"/usr/share/man/man?/*
doc=$root/usr/share/doc/usercrash
mkdir -p "$root/etc" "$root/DEBIAN" "$root/usr/share/lintian/overrides"
cp etc/usercrash.conf "$root/etc/usercrash.conf"
cp $here/copyright "$doc/copyright"
cp $here/lintian-overrides "$root/usr/share/lintian/overrides/usercrash"
when=$(date -R -d "@${SOURCE_DATE_EPOCH:-$(stat -c %Y bin/lib/conf.sh)}")
sed "s/@VERSION@/$version/; s/@DATE@/$when/" $here/changelog |
    gzip -9n >"$doc/changelog.gz"
chmod 644 "$root/etc/usercrash.conf" "$doc/copyright" \
    "$root/usr/share/lintian/overrides/usercrash"
for f in postinst prerm postrm; do
	cp $here/$f "$root/DEBIAN/$f"
	chmod 755 "$root/DEBIAN/$f"
done
echo /etc/usercrash.conf >"$root/DEBIAN/conffiles"
(cd "$root" && find usr etc -type f -exec md5sum {} + | sort -k 2) \
    >"$root/DEBIAN/md5sums"
needs=$(depends)
sed "s/@VERSION@/$version/; s/@ARCH@/$arch/; s/@DEPENDS@/$needs/
    s/@SIZE@/$(du -sk --exclude=DEBIAN "$root" | cut -f 1)/" \
    $here/control >"$root/DEBIAN/control"
chmod 644 "$root/DEBIAN/control" "$root/DEBIAN/conffiles" \
    "$root/DEBIAN/md5sums"
dpkg-deb --root-owner-group --build "$root" \
    "$build/usercrash_${version}_$arch.deb"
