# wrapper: what the tests of usercrash-wrapper share.   load helper; load wrapper
#
# shellcheck shell=bash disable=SC2034,SC2154

LETTERS='P%P I%I p%p i%i u%u g%g d%d s%s t%t c%c C%C F%F h%h e%e'

# place DIR: the wrapper in DIR/b/w, beside all it needs; DIR/f is its conf,
# DIR/t its state.
place()
{
	local p
	mkdir -p "$1/b" "$1/t" "$1/d"
	for p in usercrash-wrapper usercrash_c core_tee core_send recv_core; do
		[ -x "$BIN/$p" ] || unmet "$p is not built here"
		[ -e "$1/b/$p" ] || ln -s "$BIN/$p" "$1/b/$p"
	done
	# not what it is a link to may be written to
	rm -f "$1/b/w"
	cp "$BIN/usercrash-wrapper" "$1/b/w"
	[ -e "$1/f" ] || conf "$1"
}

# conf DIR LINES...: a conf of its own reports and socket, and these.
conf()
{
	local dir=$1
	shift
	printf '%s\n' "reports $dir/d" "socket $dir/s" "$@" >"$dir/f"
}

# before DIR PATTERN: that is what was in core_pattern.
before()
{
	printf 'kernel.core_pattern %s\nkernel.core_pipe_limit 0\n' "$2" \
	    >"$1/t/saved"
}

# fake DIR NAME: a program that notes its arguments, in DIR/argv.NAME.  One that
# receives ends after whoever sends, as the real one does: nothing else waits
# for that.
fake()
{
	rm -f "$1/b/$2" "$1/argv.$2"
	cat >"$1/b/$2" <<-END
		#!/bin/bash
		printf '%s\\0' "\$@" >$1/argv.$2
	END
	[ "$2" != recv_core ] || echo 'cat >/dev/null' >>"$1/b/$2"
	chmod 755 "$1/b/$2"
}

# argv FILE: its words in $ARGV; said as well.
argv()
{
	mapfile -d '' -t ARGV <"$1"
	printf '<%s>' "${ARGV[@]}"
	echo
}

# has WORD...: those, one after the other, are in $ARGV.
has()
{
	local i j
	for ((i = 0; i + $# <= ${#ARGV[@]}; i++)); do
		j=0
		while [ $j -lt $# ] && [ "${ARGV[i + j]}" = "${*:j+1:1}" ]; do
			j=$((j + 1))
		done
		[ $j -lt $# ] || return 0
	done
	echo "not in the arguments: $*"
	return 1
}

# hand DIR WORD...: the wrapper by hand, with no environment; $RC, DIR/err.
hand()
{
	local dir=$1
	shift
	RC=0
	env -i "$dir/b/w" -k -c "$dir/f" -s "$dir/t" "$@" </dev/null \
	    >"$dir/out" 2>"$dir/err" || RC=$?
	echo "exit $RC: $(cat "$dir/err")"
}

# pattern_release, and what somebody may still be writing into.
wrapper_release()
{
	local dir=${RUND:-}
	pattern_release
	[ -z "$dir" ] || wait_for 20 rm -rf "$dir"
}

# the words of an ordinary crash, of a process that is not there
ORDINARY=(P999999999 I999999999 p7 i8 u1000 g1001 d1 s11 t1700000000 c0 C1 F
    hhost ecomm)

# wrap: core_pattern is the wrapper in $RUND.
wrap()
{
	pattern "|$RUND/b/w -c $RUND/f -s $RUND/t ${1-$LETTERS}"
}

# recorder PATH: a handler that keeps what it was given, in $RUND/rec: argv,
# core, and more; whole or not at all.  Others on this machine may crash too:
# what counts is a core with $USERCRASH_TEST in its environment.
recorder()
{
	export USERCRASH_TEST=$RUND
	cat >"$1" <<-END
		#!/bin/bash
		d=\$(mktemp -d $RUND/rec.XXXX)
		printf '%s\\0' "\$0" "\$@" >\$d/argv
		tr '\\0' '\\n' </proc/self/environ >\$d/env
		pwd >\$d/pwd
		umask >\$d/umask
		readlink /proc/self/fd/3 >\$d/fd3
		cat >\$d/core
		if grep -aq USERCRASH_TEST=$RUND \$d/core; then
			mv -T \$d $RUND/rec
		else
			rm -rf \$d
		fi
	END
	chmod 755 "$1"
}

recorded()
{
	wait_for 30 test -e "$RUND/rec/argv"
	argv "$RUND/rec/argv"
}

# stored: the core of process $PID in the local store: $STORED.
stored()
{
	wait_for 30 is_stored
}

# is_stored [STORE]
is_stored()
{
	STORED=$(find "$RUND/${1:-store}" -type f -name "core.*.$PID.*" \
	    ! -name '*.info' ! -name '*.part' 2>/dev/null | head -n 1)
	[ -n "$STORED" ]
}

# The kernel's log, from now on: in $RUND/kmsg.
follow_log()
{
	needs_tool dmesg
	printf 'usercrash-test: %s\n' "$RUND" >/dev/kmsg
	bg dmesg -t -w >"$RUND/kmsg" 2>/dev/null
	wait_for 10 grep -q "usercrash-test: $RUND" "$RUND/kmsg"
}

# log_lines PATTERN: of what was said since then.
log_lines()
{
	sed "1,/usercrash-test: ${RUND//\//\\/}/d" "$RUND/kmsg" |
	    grep -E -- "$1"
}
