#!/bin/sh
# order.sh: makes the list in src/order.ld anew: what of usercrash_c runs in a
# crash.  Root, x86-64, a static usercrash_c, its units and victims; the
# kernel's settings are changed for a moment.  What differs is in git diff.

top=$(cd "$(dirname "$0")/.." && pwd) || exit 111
cd "$top" || exit 111
# shellcheck source=t/kernel.sh
. t/kernel.sh

out=$(mktemp -d /run/uXXXX) || exit 111
mkdir -m 750 "$out/d"
trap 'kernel_restore; rm -rf "$out"' EXIT
# shellcheck disable=SC2119 # as long as it is by default
kernel_lock || exit 111

# the same program, where its sections are told
rm -f "$out/c"
make -s BIN="$out" LDFLAGS="-Wl,-Map,$out/map" ORDER= "$out/usercrash_c" \
    "$top/build/t/ran_text" || exit 111
nm "$out/usercrash_c" | sed -n 's/ [tTwWi] .*//p' | sort -u >"$out/at"
cat >"$out/h" <<-END
	exec >/dev/null 2>&1
	exec $top/build/t/ran_text $out/ran $out/at $out/usercrash_c \
	    -d$out/d -S$out/s --tid=\$1 --uid=\$2 --dumpmode=\$3 \
	    --rlimit=\$4 --pidfd=\$5 \$6 "\$7" \$8
END
kernel_set /proc/sys/kernel/core_pipe_limit 16 &&
    kernel_set /proc/sys/kernel/core_pattern \
	"|/bin/sh $out/h %I %u %d %c %F %P %e %s" || exit 111
# every sh that is meant here has -c
# shellcheck disable=SC3045
(ulimit -c unlimited; exec build/victims/null) >/dev/null 2>&1 9>&-
kernel_restore
[ -s "$out/ran" ] || exit 111

# where each section begins, and to it what ran: both sorted by address
{
	awk '
	function put(at, section, size, file,   member) {
		if (size ~ /^0x0+$/ || file !~ /\.a\(|\/usercrash_c\.o$/)
			return
		if (split(file, member, /[()]/) > 1)
			member[2] = ":" member[2]
		sub(/.*\//, "", member[1])
		print substr(at, 3), \
		    "*" member[1] member[2] "(" section ")"
	}
	/^\.text / { on = 1 }
	/^\.fini / { on = 0 }
	!on { next }
	$1 ~ /^\.text/ && NF == 1 { name = $1; next }
	$1 ~ /^\.text/ && $2 ~ /^0x/ && NF >= 4 { put($2, $1, $3, $4) }
	name != "" && $1 ~ /^0x/ && NF >= 3 { put($1, name, $2, $3) }
	{ name = "" }' "$out/map"
	sed 's/$/ ~/' "$out/ran"
} | LC_ALL=C sort | awk '
	$2 != "~" { p = $2; next }
	p != "" && !seen[p]++ { print "\t\t" p }' >"$out/list"
awk -v list="$out/list" '
	/^\t\.text\.first/ { print; on = 1; while ((getline l <list) > 0) print l }
	on && /^\t}/ { on = 0 }
	!on' src/order.ld >"$out/new" && cat "$out/new" >src/order.ld
