# -h, --help and --version: of every program and script, on standard output,
# with success, and as the manual has it; and nothing else is done.

load helper

PROGRAMS='usercrash-wrapper usercrash_s usercrash_c debugger core_accept core_tee
	core_trim core_live recv_core core_send segfault_analyzer crashlog_read'
SCRIPTS=crashlogctl

path_of()
{
	case " $SCRIPTS bootstrap " in
	*" $1 "*) echo "$TOP/bin/$1" ;;
	*) echo "$BIN/$1" ;;
	esac
}

# asked PROGRAM OPTION: what it says; with an error, or on standard error, fails.
asked()
{
	"$(path_of "$1")" "$2" </dev/null 2>"$BATS_TEST_TMPDIR/err" &&
	    [ ! -s "$BATS_TEST_TMPDIR/err" ]
}

# The words of a page's synopsis, as it is shown.
synopsis()
{
	mandoc -Tascii "$TOP/man/$1.8" | col -b |
	    awk '/^[A-Z]/ { on = $0 == "SYNOPSIS"; next } on' | xargs -0
}

@test "the usage is the synopsis of the manual" {
	local p
	needs_tool mandoc col
	for p in $PROGRAMS $SCRIPTS; do
		asked "$p" --help >"$BATS_TEST_TMPDIR/help"
		synopsis "$p" >"$BATS_TEST_TMPDIR/man"
		grep -qw "$p" "$BATS_TEST_TMPDIR/man"
		# what a command is for stands below
		diff <(tr -s ' \t\n' '\n' <"$BATS_TEST_TMPDIR/man" | grep .) \
		    <(sed '1s/^usage: //; /^$/q' "$BATS_TEST_TMPDIR/help" |
			tr -s ' \t\n' '\n' | grep .)
		asked "$p" -h | cmp - "$BATS_TEST_TMPDIR/help"
	done
}

@test "no line of it is longer than a terminal's" {
	local p
	for p in $PROGRAMS $SCRIPTS bootstrap; do
		asked "$p" --help >"$BATS_TEST_TMPDIR/help"
		[ -s "$BATS_TEST_TMPDIR/help" ]
		not grep -E '^.{81}' <(expand "$BATS_TEST_TMPDIR/help")
	done
}

@test "all are of one version" {
	local p v
	v=$(sed -n 's/^usercrash_version=//p' "$TOP/bin/lib/conf.sh")
	[[ $v =~ ^[0-9]+(\.[0-9]+)+ ]]
	for p in $PROGRAMS $SCRIPTS bootstrap; do
		[ "$(asked "$p" --version)" = "$p (usercrash) $v" ]
	done
}

@test "what cannot be written is no success" {
	local p
	for p in $PROGRAMS; do
		run sh -c '"$0" --help >/dev/full' "$(path_of "$p")"
		[ "$status" = 111 ]
		[ "$output" = "$p: fatal: unable to write: No space left on device" ]
	done
}

@test "it is the first argument: another program's is its own" {
	[ "$("$BIN/core_tee" printf %s --help </dev/null)" = --help ]
	run "$BIN/debugger" -v --version
	[ "$status" = 100 ]
}
