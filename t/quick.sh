#!/bin/sh
# quick: what changed, tested and linted, within half a minute.
#
#   make quick      units and rooms come as arguments, "UNIT ROOM ..."
#
# Changed is what differs from the branch that is followed, or from HEAD where
# there is none.  A unit runs when it, what of t/unit it includes the header of,
# one of its rooms or a line of the Makefile that names it changed; two at a
# time.
# lint does all but what takes compilers (make lint).  Exits 0, or 1 when
# something failed.

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

git diff -U0 "$since" -- Makefile | grep '^[-+]' >"$tmp/makefile"

# concerns UNIT ROOM...
concerns()
{
	grep -qwe "$1" -e "$1_LIB" "$tmp/makefile" && return
	sed -n 's/^\(t\/unit\/.*\)\.[ch]$/\1.c\n\1.h/p' "$tmp/changed" \
	    >"$tmp/parts"
	tr -s ' :' '\n' <"build/t/$1.d" | grep -qxFf "$tmp/parts" && return
	shift
	for room; do
		grep -q "^src/$room/" "$tmp/changed" && return
	done
	return 1
}

for line; do
	# shellcheck disable=SC2086
	concerns $line && echo "${line%% *}"
done >"$tmp/units"

# one TEMPORARY UNIT: runs it; what it said when it failed.
cat >"$tmp/one" <<'EOF'
tmp=$1 u=$2
case $u in
unit_corehead | unit_elfsym | unit_elfdebug | unit_names | unit_sample)
	set -- t/fixtures ;;
unit_coresend) set -- "$tmp" ;;
*) set -- ;;
esac
"build/t/$u" "$@" >"$tmp/$u.said" 2>&1 </dev/null
rc=$?
case $rc in
0) echo "$u: ok" ;;
77) echo "$u: skipped, this machine lacks something" ;;
*)
	cat "$tmp/$u.said"
	echo "$u: failed ($rc)"
	exit 1
	;;
esac
EOF
bad=0
xargs -r -n 1 -P 2 sh "$tmp/one" "$tmp" <"$tmp/units" || bad=1
t/lint.sh format rooms folders servers scripts man words size shape pages machines guards ||
    bad=1
exit $bad
