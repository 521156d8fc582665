# packages: what is in them, what installing, upgrading, removing and purging
# does; and that what the manual says is enough to set a receiver up.
#
# not with sanitizers: what is installed is what "make all" builds

load helper

teardown()
{
	end_bgs
	[ -z "${LOCKED:-}" ] || kernel_restore
	kernel_unlock
}

# overlaid SCRIPT ARGS...: by sh -e, on this machine's /usr, /etc and /var, and
# what it changes there goes with it.
overlaid()
{
	needs_root
	needs_tool unshare mount
	mkdir -p "$BATS_TEST_TMPDIR/over"
	# shellcheck disable=SC2016
	unshare --mount sh -c '
		mount -t tmpfs none "$0" || exit 77
		for d in usr etc var; do
			mkdir "$0/$d" "$0/$d.work"
			mount -t overlay overlay -o "lowerdir=/$d,upperdir=$0/$d,workdir=$0/$d.work" \
			    "/$d" || exit 77
		done
		exec sh -e "$@"' "$BATS_TEST_TMPDIR/over" "$@" 9>&-
}

make_deb()
{
	needs_tool dpkg-deb readelf
	make -s -C "$TOP" deb >/dev/null
	DEB=$(find "$TOP/build" -maxdepth 1 -name 'usercrash_*.deb' |
	    sort | tail -n 1)
}

@test "deb: what is in it is what is installed, and lintian has no complaint" {
	local d=$BATS_TEST_TMPDIR v
	make_deb
	# Debian's zsh looks there for what packages bring
	make -s -C "$TOP" install DESTDIR="$d/i" PREFIX=/usr \
	    ZSHDIR=/usr/share/zsh/vendor-completions >/dev/null
	(cd "$d/i" && find . -type f | sed 's|\(/man/man./.*\)|\1.gz|') |
	    sort >"$d/want"
	dpkg-deb -c "$DEB" | awk '/^-/ { print $6 }' |
	    grep -v -e changelog.gz -e copyright -e lintian -e '^\./etc/' |
	    sort | diff "$d/want" -
	[ -z "$(dpkg-deb -c "$DEB" | awk '$2 != "root/root"')" ]
	v=$(sed -n 's/^usercrash_version=//p' "$TOP/bin/lib/conf.sh")
	[ "$(dpkg-deb -f "$DEB" Version)" = "$v" ]
	[[ $(dpkg-deb -f "$DEB" Depends) == *'libc6 (>= 2.'*passwd* ]]
	dpkg-deb --ctrl-tarfile "$DEB" | tar -xO ./conffiles |
	    grep -qx /etc/usercrash.conf
	needs_tool lintian
	run lintian --fail-on error,warning "$DEB"
	echo "$output"
	[ "$status" = 0 ]
	not grep '^[EW]:' <<<"$output"
}

@test "deb: installed, upgraded, removed, purged: settings and reports" {
	needs_tool dpkg
	make_deb
	needs_kernel
	kernel_lock
	LOCKED=1
	kernel_set /proc/sys/fs/suid_dumpable 0
	kernel_set /proc/sys/kernel/core_pipe_limit 7
	kernel_set /proc/sys/kernel/core_pattern 'core of before'
	# the next version
	dpkg-deb -R "$DEB" "$BATS_TEST_TMPDIR/next"
	sed -i 's/^Version: .*/&.1/' "$BATS_TEST_TMPDIR/next/DEBIAN/control"
	dpkg-deb --root-owner-group -b "$BATS_TEST_TMPDIR/next" \
	    "$BATS_TEST_TMPDIR/next.deb" >/dev/null
	cat >"$BATS_TEST_TMPDIR/script" <<-'END'
		! dpkg -s usercrash >/dev/null 2>&1 || exit 77
		rm -rf /var/log/usercrashes /var/lib/usercrash /var/lib/recv_core
		export DEBIAN_FRONTEND=noninteractive
		unset DEBIAN_HAS_FRONTEND
		log=$3
		said() { echo "$*" >>"$log"; }
		dpkg -i --force-depends "$1"
		said installed "$(cat /proc/sys/kernel/core_pattern)"
		stat -c '%U %a %n' /var/lib/recv_core /var/log/usercrashes >>"$log"
		sed -i 's/^#slots 50/slots 7/' /etc/usercrash.conf
		crashlogctl --server none enable
		cat /proc/sys/kernel/core_pattern /var/lib/usercrash/saved >"$log.on"
		echo 'usercrash report 1' >/var/log/usercrashes/usercrash_00
		mkdir -p /var/lib/recv_core/h
		: >/var/lib/recv_core/h/core.x.1.1
		dpkg -i --force-depends "$2" </dev/null
		cat /proc/sys/kernel/core_pattern /var/lib/usercrash/saved |
		    cmp - "$log.on"
		said upgraded "$(grep -c '^slots 7' /etc/usercrash.conf)" \
		    "$(crashlogctl is-active)"
		dpkg -r usercrash
		said removed "$(cat /proc/sys/kernel/core_pattern)" \
		    "$(cat /proc/sys/kernel/core_pipe_limit)" \
		    "$(cat /proc/sys/fs/suid_dumpable)"
		ls /var/log/usercrashes /var/lib/recv_core/h /etc/usercrash.conf \
		    >>"$log"
		[ ! -e /usr/bin/crashlogctl ]
		dpkg -P usercrash
		said purged
		for f in /var/log/usercrashes /var/lib/recv_core \
		    /var/lib/usercrash /var/spool/usercrash /etc/usercrash.conf; do
			[ ! -e "$f" ] || said "left: $f"
		done
	END
	run overlaid "$BATS_TEST_TMPDIR/script" "$DEB" \
	    "$BATS_TEST_TMPDIR/next.deb" "$BATS_TEST_TMPDIR/log"
	echo "$output"
	cat "$BATS_TEST_TMPDIR/log"
	[ "$status" != 77 ] || unmet "needs overlayfs, and no usercrash"
	[ "$status" = 0 ]
	diff - "$BATS_TEST_TMPDIR/log" <<-'END'
		installed core of before
		usercrash 750 /var/lib/recv_core
		root 750 /var/log/usercrashes
		upgraded 1 active
		removed core of before 7 0
		/etc/usercrash.conf

		/var/lib/recv_core/h:
		core.x.1.1

		/var/log/usercrashes:
		usercrash_00
		purged
	END
}

@test "recipes for rpm, apk and Arch: this version, and files that are there" {
	local p=$TOP/etc/packaging v f
	v=$(sed -n 's/^usercrash_version=//p' "$TOP/bin/lib/conf.sh")
	grep -qx "pkgver=$v" "$p/apk/APKBUILD"
	grep -qx "pkgver=$v" "$p/arch/PKGBUILD"
	bash -n "$p/apk/APKBUILD"
	bash -n "$p/arch/PKGBUILD"
	for f in "$p"/apk/usercrash.* "$p"/deb/p*; do
		sh -n "$f"
	done
	bash -n "$p/arch/usercrash.install"
	make -s -C "$TOP" dist
	tar -tzf "$TOP/build/usercrash-$v.tar.gz" >"$BATS_TEST_TMPDIR/list"
	for f in Makefile README bin/crashlogctl src/debugger.c man/debugger.8 \
	    etc/usercrash.conf t/run etc/openrc/recv_core \
	    t/victims/victims.mk; do
		grep -qx "usercrash-$v/$f" "$BATS_TEST_TMPDIR/list"
	done
	# and nothing that was built
	not grep -e '/build' -e '/\.git/' -e '/bin/debugger$' \
	    "$BATS_TEST_TMPDIR/list"
	needs_tool rpmspec
	rpmspec -q --define "usercrash_version $v" "$p/rpm/usercrash.spec" |
	    grep -q "^usercrash-$v-1"
	grep -q "usercrash_version:$v}" "$p/rpm/usercrash.spec"
}

# The commands of the manual's section, a paragraph's ($1: a word of it).
steps()
{
	sed -n '/^\.Sh SETTING IT UP/,/^\.Sh EXAMPLES/p' "$TOP/man/recv_core.8" |
	    sed -n 's/^# //p' | grep "$1"
}

# set_up SETTER: by those of the manual's steps, and the rest by xinetd.
set_up()
{
	local port=$((20000 + RANDOM % 12000))
	{
		echo 'userdel usercrash 2>/dev/null || :'
		echo 'rm -rf /var/lib/recv_core'
		# shellcheck disable=SC2016
		echo 'make -s -C "$1" install PREFIX=/usr >/dev/null'
		steps "$1"
		[ "$1" != sysusers ] || steps tmpfiles
		[ "$1" != useradd ] || steps 'install -d'
		steps xinetd
		cat <<-'END'
			rm -f /etc/xinetd.d/[!r]*
			sed -i "s/64740/$2/" /etc/xinetd.d/recv_core
			xinetd -dontfork -pidfile "$3/pid" >"$3/said" 2>&1 &
			i=0
			until core_send -x --pid=7 --comm=x --signal=11 \
			    "127.0.0.1:$2" 2>"$3/err" <"$4" || [ $i = 100 ]; do
				i=$((i + 1))
				sleep 0.1
			done
			kill %1 2>/dev/null || kill $!
			find /var/lib/recv_core -type f -name 'core.*' \
			    ! -name '*.info' -printf '%u %f\n' | tee "$3/stored"
		END
	} >"$BATS_TEST_TMPDIR/script.$1"
	run overlaid "$BATS_TEST_TMPDIR/script.$1" "$TOP" "$port" \
	    "$BATS_TEST_TMPDIR" "$CORE"
	echo "$output"
	cat "$BATS_TEST_TMPDIR/said" "$BATS_TEST_TMPDIR/err" || :
	[ "$status" != 77 ] || unmet "needs overlayfs"
	grep -q '^usercrash core\.x\.7\.' "$BATS_TEST_TMPDIR/stored"
}

@test "a receiver under xinetd, by the manual's steps and no others" {
	needs_root
	needs_tool xinetd useradd
	CORE=$TOP/t/fixtures/core.$(uname -m)
	[ -s "$CORE" ] || unmet "no core fixture for $(uname -m)"
	set_up useradd
	command -v systemd-sysusers >/dev/null || unmet "needs systemd-sysusers"
	set_up sysusers
}
