#!/bin/sh
# quick: what changed, tested and linted, within half a minute.
#
#   make quick      units and rooms come as arguments, "UNIT ROOM ..."
#
# Changed is what differs from the branch that is followed, or from HEAD where
# there is none.  A unit runs when it, a header of t/unit or one of its rooms
# changed; lint does all but what takes compilers (make lint).  Exits 0, or 1
# when something failed.

cd "$(dirname "$0")/.." || exit 111
tmp=$(mktemp -d) || exit 111
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
since=$(git merge-base HEAD '@{upstream}' 2>/dev/null) || since=HEAD
{
	git diff --name-only "$since"
	git ls-files --others --exclude-standard
} >"$tmp/changed" || exit 111

# concerns UNIT ROOM...
concerns()
{
	grep -q "^t/unit/$1\.c\$\|^t/unit/.*\.h\$\|^Makefile\$" \
	    "$tmp/changed" && return
	shift
	for room; do
		grep -q "^src/$room/" "$tmp/changed" && return
	done
	return 1
}

bad=0
for line; do
	# shellcheck disable=SC2086
	concerns $line || continue
	u=${line%% *}
	case $u in
	unit_corehead | unit_elfsym | unit_elfdebug | unit_sample)
		set -- t/fixtures ;;
	unit_coresend) set -- "$tmp" ;;
	*) set -- ;;
	esac
	"build/t/$u" "$@" >"$tmp/said" 2>&1 </dev/null
	rc=$?
	case $rc in
	0) echo "$u: ok" ;;
	77) echo "$u: skipped, this machine lacks something" ;;
	*)
		cat "$tmp/said"
		echo "$u: failed ($rc)"
		bad=1
		;;
	esac
done
t/lint.sh format rooms folders servers scripts man words size pages guards ||
    bad=1
exit $bad
