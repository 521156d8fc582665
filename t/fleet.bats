# fleet: many machines, a load balancer, four receivers of which one dies and
# one gets full: each core is whole and once at a receiver that lives, or was
# acknowledged by the one that died, or waits in its machine's spool, told.
#
# not with sanitizers: the programs have their own tests
#
# FLEET=200 bats t/fleet.bats: so many machines, and what became of them.

load helper

S=$BIN/core_send
FLEET=${FLEET:-40}

setup()
{
	T=$BATS_TEST_TMPDIR
	cd "$T" || return 1
}

teardown()
{
	end_bgs
	! mountpoint -q "$BATS_TEST_TMPDIR/r2" || umount -l "$BATS_TEST_TMPDIR/r2"
}

listens()
{
	: 2>/dev/null >"/dev/tcp/127.0.0.1/$1"
}

# Four of them behind a proxy at $PROXY: two stand, two are started for each
# core.  The second has room for few.
receivers()
{
	local base=$((20000 + RANDOM % 10000)) i
	PROXY=$((base + 9))
	mkdir r1 r2 r3 r4
	mount -t tmpfs -o size=2m,mode=755 none r2
	for i in 1 2; do
		bg "$BIN/recv_core" -a -P -m 0 -c 256 -d "$T/r$i" \
		    -p $((base + i)) 127.0.0.1 2>r$i.log
		[ $i = 2 ] || FIRST=$BG
	done
	for i in 3 4; do
		bg systemd-socket-activate --accept -l 127.0.0.1:$((base + i)) \
		    "$BIN/recv_core" -a -P -m 0 -d "$T/r$i" 2>r$i.log
	done
	cat >haproxy.cfg <<-EOT
		defaults
		    mode tcp
		    timeout connect 5s
		    timeout client 60s
		    timeout server 60s
		    option redispatch
		    retries 3
		listen cores
		    bind 127.0.0.1:$PROXY
		    balance roundrobin
		    default-server send-proxy-v2
		    server r1 127.0.0.1:$((base + 1))
		    server r2 127.0.0.1:$((base + 2))
		    server r3 127.0.0.1:$((base + 3))
		    server r4 127.0.0.1:$((base + 4))
	EOT
	bg haproxy -db -f haproxy.cfg 2>haproxy.log
	for i in 1 2 3 4 9; do
		wait_for 60 listens $((base + i))
	done
}

# machine N: its address, its core, its spool; what it was told is in said.N.
machine()
{
	head -c $((400000 + $1)) "$T/noise" | "$S" -t 60 -e raw --comm="c$1" \
	    --dumpmode=1 --time=1700000000 -m 0 -s "$T/spool.$1" -- \
	    socat - "TCP:127.0.0.1:$PROXY,bind=$(address "$1")" 2>"said.$1"
}

address()
{
	echo "127.1.$(($1 / 250)).$(($1 % 250 + 1))"
}

again()
{
	"$S" -t 60 --flush "$T/spool.$1" -- \
	    socat - "TCP:127.0.0.1:$PROXY,bind=$(address "$1")" 2>>"said.$1"
}

waiting()
{
	find spool.* -name '*.core' 2>/dev/null | wc -l
}

# copies N RECEIVER...: whole cores of that machine, under its address.
copies()
{
	local n=$1 r
	shift
	for r; do
		find "$r" -path "$r/$(address "$n")/core.c$n.*" \
		    ! -name '*.info' ! -name '*.part'
	done
}

flush_all()
{
	local i
	for ((i = 1; i <= FLEET; i++)); do
		[ -z "$(find "spool.$i" -name '*.core' 2>/dev/null)" ] ||
		    again "$i" || :
	done
	[ "$(waiting)" = 0 ]
}

@test "haproxy and four receivers, one killed and one full: each core once, or told" {
	local i n live dead acked=0 refused
	needs_root
	needs_tool haproxy
	needs_tool socat
	needs_tool systemd-socket-activate
	head -c $((400000 + FLEET)) /dev/urandom >noise
	receivers
	for ((i = 1; i <= FLEET; i++)); do
		machine "$i" 3>&- 9>&- &
		BGS="$BGS $!"
		# midway
		[ "$i" != $((FLEET / 2)) ] || {
			wait_for 60 has_one r1
			kill -KILL "$FIRST"
			pkill -KILL -P "$FIRST" || :
		}
	done
	for ((i = 1; i <= FLEET; i++)); do
		wait_for 60 done_with "$i" || {
			cat "said.$i" ./*.log
			false
		}
	done
	refused=$(waiting)
	n=0
	until flush_all; do
		n=$((n + 1))
		[ $n -lt 20 ]
	done
	live=0
	for ((i = 1; i <= FLEET; i++)); do
		head -c $((400000 + i)) noise >want
		case $(copies $i r2 r3 r4 | wc -l) in
		1)
			cmp want "$(copies $i r2 r3 r4)"
			live=$((live + 1))
			;;
		0)
			# it had been answered before it died
			grep -q ': sent to .* as ' "said.$i"
			cmp want "$(copies $i r1)"
			acked=$((acked + 1))
			;;
		*)
			copies $i r2 r3 r4
			false
			;;
		esac
	done
	dead=$(find r1 -name 'core.c*' ! -name '*.info' ! -name '*.part' |
	    wc -l)
	echo "# $FLEET machines: $live at receivers that live," \
	    "$acked at the one that died ($dead whole there)," \
	    "$refused were told and waited, $n more rounds" \
	    >"${FLEET_LOG:-counts}"
	cat "${FLEET_LOG:-counts}"
	[ $((live + acked)) = "$FLEET" ]
	# it was full, and said so
	grep -q 'refused.*disk is full' r2.log
	[ "$refused" -gt 0 ]
}

has_one()
{
	[ -n "$(find "$1" -name 'core.c*.info')" ]
}

done_with()
{
	grep -q 'sent to\|spooled as\|lost' "said.$1"
}
