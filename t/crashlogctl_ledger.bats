#!/usr/bin/env bats
# crashlogctl: crashes over time, by the ledger that the ring keeps, and those
# of other machines, at their collector.

load helper
load ctl

setup()
{
	ctl_begin
}

teardown()
{
	end_bgs
	ctl_release
}

report()
{
	local core
	core=$TOP/t/fixtures/core.$(uname -m)
	[ -s "$core" ] || unmet "no core fixture for $(uname -m)"
	"$BIN/usercrash_c" -d "$CTL/d" -S "$CTL/none" --time=1700000000 "$@" \
	    999999 crash 11 <"$core" 2>/dev/null
}

@test "a line for each report, whatever its form; nothing of what the group may not read" {
	report --dumpmode=1
	report --dumpmode=1 -f json
	report --dumpmode=2
	[ "$(wc -l <"$CTL/d/.ledger")" = 3 ]
	[ "$(sed -n 1p "$CTL/d/.ledger")" = "$(sed -n 2p "$CTL/d/.ledger")" ]
	[ "$(awk -F '\t' '{ print NF }' "$CTL/d/.ledger" | sort -u)" = 6 ]
	diff <(ctl list 2>"$CTL/err" | sed -n 4p | awk '{ print $2, $3, $5, $7 }') \
	    <(sed -n 1p "$CTL/d/.ledger" | awk '{ print $1, $2, $3, $4 }')
	[ "$(sed -n 1p "$CTL/d/.ledger" | cut -f 6)" = \
	    "$(sed -n 's/^cause: //p' "$CTL/d/usercrash_00")" ]
	[ "$(sed -n 3p "$CTL/d/.ledger" | cut -f 6)" = - ]
	[ "$(stat -c '%a %g' "$CTL/d/.ledger")" = "640 $(stat -c %g "$CTL/d")" ]
}

@test "the ledger is bounded, and no link is followed" {
	head -c 1100000 /dev/zero | tr '\0' x >"$CTL/d/.ledger"
	report
	[ "$(stat -c %s "$CTL/d/.ledger.1")" = 1100000 ]
	[ "$(wc -l <"$CTL/d/.ledger")" = 1 ]
	rm "$CTL/d/.ledger"
	echo mine >"$CTL/mine"
	ln -s ../mine "$CTL/d/.ledger"
	report
	[ "$(cat "$CTL/mine")" = mine ]
	# the report is there all the same
	[ -s "$CTL/d/usercrash_01" ]
}

ledger()
{
	local e
	e=$(printf '\033\302\233')
	{
		printf '2026-01-01T01:00:00Z\told\tSIGILL\t%016x\t0\t-\n' 9
		for t in 01T02 01T03 02T04 03T05; do
			printf '2026-01-%s:00:00Z\tboom\tSIGSEGV\t%016x\t0\tnull\n' \
			    $t 10
		done
		printf '2026-01-03T06:00:00Z\tj%s\tSIGBUS\t%016x\t0\ta%s\n' \
		    "$e" 11 "$e"
	} >"$CTL/d/.ledger"
	head -2 "$CTL/d/.ledger" >"$CTL/d/.ledger.1"
	sed -i 1,2d "$CTL/d/.ledger"
}

over_time()
{
	ctl top --by day 2 | diff - <(cat <<-'END'
	6 crashes, 2026-01-01T01:00:00Z to 2026-01-03T06:00:00Z, by day (UTC)

	000000000000000a  boom: null
	  2026-01-01      2  ########################################
	  2026-01-02      1  ####################
	  2026-01-03      1  ####################

	000000000000000b  j??: a??
	  2026-01-03      1  ####################

	and 1 more signatures
	END
	)
	[ "$(ctl top --by hour --tsv --since 2026-01-03T00:00:00Z | tr '\t' ' ')" = \
	    "$(printf '%s\n' '2026-01-03T05 000000000000000a 1 boom' \
	        '2026-01-03T06 000000000000000b 1 j??')" ]
	ctl since 2026-01-02T00:00:00Z | diff - <(cat <<-'END'
	since 2026-01-02T00:00:00Z: 3 crashes, 1 new signatures, 1 gone

	new
	     1  000000000000000b  j??: a??

	still
	     2  000000000000000a  boom: null

	gone
	     1  0000000000000009  old: SIGILL
	END
	)
	ctl since --mark v1.2 >/dev/null
	ctl since v1.2 | grep -q '^since v1.2 (20.*Z): 0 crashes, 0 new'
	[ "$(ctl since | head -1)" = "$(ctl since v1.2 | head -1)" ]
	exits 100 ctl since nonsense 2>/dev/null
	exits 100 ctl since --mark 'a b' 2>/dev/null
	exits 100 ctl since --mark '$(touch x)' 2>/dev/null
	exits 100 ctl top --by year 2>/dev/null
	exits 100 ctl top --tsv 2>/dev/null
	rm "$CTL/d/.marks"
	exits 100 ctl since 2>/dev/null
}

@test "top --by, since: crashes over time, and what a version brought" {
	exits 1 ctl top --by day 2>/dev/null
	ledger
	each_shell over_time
}

# --- a collector -----------------------------------------------------------

# sent HOST COMM: a core of that, received with the command of recv_core(8)'s
# example.
sent()
{
	"$BIN/core_send" --host="$1" --comm="$2" --pid=4711 --signal=11 \
	    --time=1700000000 --uid=0 --dumpmode=1 -- "$BIN/recv_core" -i -d "$CTL/st" \
	    -r sh -c "'$BIN/debugger' --sysroot '$CTL' \"\$CORE_FILE\" \
	        >\"\$CORE_FILE.report\"" \
	    <"$TOP/t/fixtures/core.$(uname -m)" 2>>"$CTL/log"
}

of_all_hosts()
{
	local out
	out=$(ctl --store "$CTL/st" list | awk '{ print $1, $2, $7 }')
	[ "$(head -1 <<<"$out" | cut -d " " -f 1)" = HOST ]
	[ "$(grep -c '^board[78] 2023-11-14T22:13:20Z' <<<"$out")" = 2 ]
	[ "$(ctl --store "$CTL/st" list --host board8 | wc -l)" = 2 ]
	ctl --store "$CTL/st" info --host board8 >"$CTL/out"
	grep -q '^  where  *host board8$' "$CTL/out"
	grep -q "^  core  *$CTL/st/board8/core.two.4711.1700000000 (" "$CTL/out"
	ctl --store "$CTL/st" top | grep -q '^    2  #'
	ctl --store "$CTL/st" dump --host board7 |
	    cmp - "$TOP/t/fixtures/core.$(uname -m)"
	[ "$(ctl --store "$CTL/st" cores | grep -c 'complete')" = 2 ]
	exits 100 ctl --store "$CTL/none" list 2>/dev/null
}

@test "the store of a receiver: reports of all hosts" {
	[ -s "$TOP/t/fixtures/core.$(uname -m)" ] ||
	    unmet "no core fixture for $(uname -m)"
	mkdir -m 755 "$CTL/st"
	sent board7 one
	sent board8 two
	wait_for 20 test -s "$CTL/st/board7/core.one.4711.1700000000.report"
	wait_for 20 test -s "$CTL/st/board8/core.two.4711.1700000000.report"
	each_shell of_all_hosts
	ctl --store "$CTL/st" rm --all --host board7 >/dev/null
	[ -z "$(ls "$CTL/st/board7")" ]
	[ "$(ctl --store "$CTL/st" list | wc -l)" = 2 ]
}
