# shellcheck shell=sh
# kernel: changes of kernel settings that are always taken back.
# Read with "." by sh and bash; t/run, t/helper.bash and bin/bootstrap use it.
#
# What is changed is saved first, in a root-owned file written whole or not at
# all: whoever comes next puts it back, even when the one who changed it was
# killed.  One lock for all, held on descriptor 9: start nothing that stays
# without closing it (9>&-).
#
#   KERNEL_STATE   where to save: DIR/saved; DIR is root's own, 0700
#   KERNEL_LOCK    the lock

: "${KERNEL_STATE:=/run/usercrash-test/saved}"
: "${KERNEL_LOCK:=/run/usercrash-test.lock}"

# kernel_lock [SECONDS]: waits for the lock, then puts back what a dead
# holder left.  USERCRASH_LOCKED set: the caller has it.
kernel_lock()
{
	kernel_dir=${KERNEL_STATE%/*}
	[ -d "$kernel_dir" ] || mkdir -m 700 "$kernel_dir" || return 1
	# every sh that is meant here has -O
	# shellcheck disable=SC3067
	if [ -L "$kernel_dir" ] || [ ! -O "$kernel_dir" ]; then
		echo "$kernel_dir: not ours" >&2
		return 1
	fi
	if [ -z "${USERCRASH_LOCKED:-}" ]; then
		exec 9>>"$KERNEL_LOCK" || return 1
		flock -w "${1:-900}" 9 || return 1
	fi
	kernel_restore
}

kernel_unlock()
{
	[ -n "${USERCRASH_LOCKED:-}" ] || exec 9>&-
}

# kernel_put PATH VALUE: sets it and reads it back.
kernel_put()
{
	{ printf "%s\n" "$2" >"$1"; } 2>/dev/null || return 1
	kernel_now=$(cat "$1") && [ "$kernel_now" = "$2" ]
}

# kernel_set PATH VALUE: the same, the old value saved before; once per PATH.
# What may not be written at all is not saved: nothing is to be put back there.
kernel_set()
{
	if ! grep -qs "^$1 " "$KERNEL_STATE"; then
		kernel_old=$(cat "$1") || return 1
		{ (: >>"$1"); } 2>/dev/null || return 1
		{
			[ ! -f "$KERNEL_STATE" ] || cat "$KERNEL_STATE"
			printf '%s %s\n' "$1" "$kernel_old"
		} >"$KERNEL_STATE.new" || return 1
		mv -f "$KERNEL_STATE.new" "$KERNEL_STATE" || return 1
	fi
	kernel_put "$1" "$2"
}

# Puts everything back; only then is the saved state forgotten.
kernel_restore()
{
	[ -f "$KERNEL_STATE" ] || return 0
	kernel_bad=0
	while IFS= read -r kernel_line; do
		kernel_put "${kernel_line%% *}" "${kernel_line#* }" ||
		    kernel_bad=1
	done <"$KERNEL_STATE"
	[ "$kernel_bad" = 0 ] || return 1
	rm -f "$KERNEL_STATE"
}
