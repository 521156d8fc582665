# Where a process came from, as its report tells: unit and container by its
# cgroup, the container's own host name, directories, arguments, packages.
#
# quiet: nothing crashes here, and core_pattern is let alone

load helper

D=$BIN/debugger
ID=3f2a9c1b04de5a7788990011223344556677889900aabbccddeeff0011223344

setup()
{
	AT=$BATS_TEST_TMPDIR
	CGROUPS=
}

teardown()
{
	local d
	end_bgs
	for d in $CGROUPS; do
		wait_for 10 rmdir "$d" || :
	done
	[ -z "${CHROOT:-}" ] || rm -rf "$CHROOT"
}

# hierarchy TYPE OPTION: where one is mounted that may be written to.
hierarchy()
{
	awk -v t="$1" -v o="$2" '$3 == t && "," $4 "," ~ "," o "," {
		print $2; exit }' /proc/self/mounts
}

# into ROOT PATH: the process $PID moves to a cgroup that is made for it.
into()
{
	local d=$1 name
	for name in ${2//\// }; do
		d=$d/$name
		[ -d "$d" ] || {
			mkdir "$d" 2>/dev/null ||
			    unmet "needs a cgroup hierarchy it may change"
			CGROUPS="$d $CGROUPS"
		}
	done
	echo "$PID" >"$d/cgroup.procs"
}

# told [ARGS...]: the reports of $PID, text in r and JSON in j.
told()
{
	"$D" "$@" "$PID" >"$AT/r"
	"$D" -f json "$@" "$PID" >"$AT/j"
	is_report "$AT/r"
	json_valid "$AT/j"
}

# is KEY VALUE: in both forms; an empty one is not there.
is()
{
	echo "$1: $(value "$1" "$AT/r")"
	[ "$(value "$1" "$AT/r")" = "$2" ]
	if [ -n "$2" ]; then
		[ "$(json_get "$AT/j" "$1")" = "$2" ]
	else
		not grep -q "^$1:" "$AT/r"
		not json_get "$AT/j" "$1" 2>/dev/null
	fi
}

@test "a container by its cgroup, version 2: docker's scope, then podman's" {
	needs_root
	needs_victim live
	local v2
	v2=$(hierarchy cgroup2 rw)
	[ -n "$v2" ] || unmet "needs cgroup version 2"
	live
	into "$v2" "usercrash-t$$.slice/docker-$ID.scope"
	told
	is cgroup "/usercrash-t$$.slice/docker-$ID.scope"
	is slice "usercrash-t$$.slice"
	is unit "docker-$ID.scope"
	is container_id "$ID"
	is container_runtime docker
	is container_monitor ''
	is user_unit ''
	is pod ''
	into "$v2" "usercrash-t$$.slice/libpod-conmon-$ID.scope"
	told
	is container_id ''
	is container_monitor "$ID"
	is container_runtime podman
	# a unit of a container's own manager
	into "$v2" "usercrash-t$$.slice/libpod-$ID.scope/container/x\\x2dy.service"
	told
	is unit "libpod-$ID.scope"
	is container_unit 'x\\x2dy.service'
}

@test "a container by its cgroup, version 1 or hybrid: a pod's" {
	needs_root
	needs_victim live
	local v1 pod=214f3ba8-4b69-4bdb-a7d5-5ecc73f04ae9
	v1=$(hierarchy cgroup name=systemd)
	[ -n "$v1" ] || v1=$(hierarchy cgroup pids)
	[ -n "$v1" ] || unmet "needs cgroup version 1"
	live
	# nothing else tells where it is
	into "$v1" "kubepods/pod$pod/$ID"
	told
	is container_id "$ID"
	is container_runtime ''
	is pod "$pod"
	into "$v1" user.slice/user-7.slice/user@7.service/app.slice/web.service
	told
	is unit user@7.service
	is slice user-7.slice
	is user_unit web.service
	is user_slice app.slice
	is container_id ''
}

@test "nothing of its own: no such keys" {
	needs_victim live
	live
	told
	is container_host ''
	is root ''
	is exe_inside ''
}

@test "a container's own host name" {
	needs_root
	needs_victim live
	needs_tool unshare
	# shellcheck disable=SC2016
	live unshare -u sh -c 'printf "box-7\033[1m" \
	    >/proc/sys/kernel/hostname; exec "$1"' - "$VICTIMS/live"
	told
	is host "$(uname -n)"
	is container_host 'box-7\x1b[1m'
	[ "$(uname -n)" = "$(cat /proc/sys/kernel/hostname)" ]
	# several in a row: each its own
	ONE=$PID
	live
	"$D" "$ONE" "$PID" >"$AT/r"
	[ "$(grep -c '^container_host: ' "$AT/r")" = 1 ]
	[ "$(grep -c "^host: $(uname -n)\$" "$AT/r")" = 2 ]
}

@test "paths as they are called inside another root directory" {
	needs_root
	needs_tool chroot
	CHROOT=$(mktemp -d /var/tmp/uXXXX)
	mkdir "$CHROOT/bin" "$CHROOT/srv"
	cc -static -o "$CHROOT/bin/stay" -x c - <<-'EOF' || unmet "needs cc"
		#include <unistd.h>
		int main(void) { return chdir("/srv") ||
		    write(1, "ready\n", 6) != 6 || pause(); }
	EOF
	live chroot "$CHROOT" /bin/stay
	told
	is root "$CHROOT"
	is exe "$CHROOT/bin/stay"
	is exe_inside /bin/stay
	is cwd "$CHROOT/srv"
	is cwd_inside /srv
	# not what only begins alike
	rm -rf "$CHROOT/srv"
	told
	is cwd "$CHROOT/srv (deleted)"
	is cwd_inside '/srv (deleted)'
}

# words: the arguments in JSON.
words()
{
	json_get "$AT/j" cmdline
}

@test "cmdline: empty arguments at its end are left out, others are not" {
	needs_tool perl
	# shellcheck disable=SC2016
	live sh -c 'echo ready; sleep 600; :' a '' 'b c' '' ''
	told
	value cmdline "$AT/r"
	[ "$(value cmdline "$AT/r")" = \
	    'sh -c "echo ready; sleep 600; :" a "" "b c"' ]
	[ "$(words)" = \
	    '["sh", "-c", "echo ready; sleep 600; :", "a", "", "b c"]' ]
	# a title over arguments and environment
	# shellcheck disable=SC2016
	live env -i A=1 B=2 "$(command -v perl)" -e \
	    '$0 = "x: worker"; $| = 1; print "ready\n"; sleep 600' "$(
		printf 'long%.0s' $(seq 100))"
	told -e
	[ "$(value cmdline "$AT/r")" = '"x: worker"' ]
	[ "$(words)" = '["x: worker"]' ]
	not grep -qx '  ' "$AT/r"
}

@test "cmdline: a very long one says where it was cut" {
	local long
	long=$(printf '%070000d' 0)
	live sh -c 'echo ready; sleep 600; :' "$long"
	told
	value cmdline "$AT/r" | grep -q ' \.\.\. (cut after 65536 bytes)$'
	[ "$(value cmdline "$AT/r" | wc -c)" -lt 65700 ]
	words | grep -qF '"... (cut after 65536 bytes)"]'
	# one that just fits does not
	live sh -c 'echo ready; sleep 600; :' "${long:0:65500}"
	told
	not grep -q 'cut after' "$AT/r"
}

# packaged FILE JSON: a program that says it is of a package, and stays.
packaged()
{
	needs_tool cc
	printf '%s\0' "$2" >"$AT/json"
	cat >"$AT/note.s" <<-EOF
		.section .note.package, "a", %note
		.balign 4
		.long 4, 2f - 1f, 0xcafe1a7e
		.asciz "FDO"
		1: .incbin "$AT/json"
		2: .balign 4
		.section .note.GNU-stack, "", %progbits
	EOF
	cat >"$AT/stay.c" <<-'EOF'
		#include <unistd.h>
		int main(void) { return write(1, "ready\n", 6) != 6 || pause(); }
	EOF
	cc -o "$1" "$AT/stay.c" "$AT/note.s"
}

@test "the package of a program, by its own note" {
	packaged "$AT/stay" '{"type":"deb","os":"debian","name":"he\u001bllo",
	    "version":"2.10-3","architecture":"amd64","x":[{"name":"no"}]}'
	live "$AT/stay"
	told
	is package 'he\x1bllo'
	is package_version 2.10-3
	is package_type deb
	section modules "$AT/r" |
	    grep -qF " package he\x1bllo 2.10-3 $AT/stay"
	i=0
	until [ "$(json_get "$AT/j" modules $i path)" = "$AT/stay" ]; do
		i=$((i + 1))
	done
	[ "$(json_get "$AT/j" modules $i package architecture)" = amd64 ]
	[ "$(json_get "$AT/j" modules $i package os)" = debian ]
	# what is no such note is none
	packaged "$AT/stay2" '{"name":"x","version":"1"'
	live "$AT/stay2"
	told
	is package ''
	not grep -q ' package ' "$AT/r"
}
