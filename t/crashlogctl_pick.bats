#!/usr/bin/env bats
# crashlogctl: which report is meant, and what is done with it: list, show,
# info, dump, note, rm, cores.
#
# not with sanitizers: a script

load helper
load ctl

setup()
{
	ctl_begin
	printf 'reports %s/d\nsocket %s/s/s\nstore %s/st\n' "$CTL" "$CTL" \
	    "$CTL" >"$CTL/c"
}

teardown()
{
	ctl_release
}

# Seconds from now, as reports have them.
ago()
{
	date -u -d "@$(($(date +%s) - $1))" +%Y-%m-%dT%H:%M:%SZ
}

# Slots 00 to 05, of which 05 is the newest; 04 is also the pid of another,
# and 300 came twice.
six()
{
	local i=0
	put_report 00 time=2020-01-01T00:00:00Z pid=300 comm=boom \
	    exe=/opt/boom "signal=11 SIGSEGV" "cause=null pointer read in f" \
	    signature=00000000000000aa uid=0
	put_report 01 time=2020-01-02T00:00:00Z pid=4 comm=boom exe=/opt/boom \
	    "signal=11 SIGSEGV" "cause=null pointer read in f" \
	    signature=00000000000000aa uid=1000 unit=boom.service
	put_report 02 time=2020-01-03T00:00:00Z pid=16321 comm=worker \
	    "exe=/opt/w (deleted)" "signal=6 SIGABRT" \
	    signature=00000000000000bb uid=1000 container_runtime=docker \
	    container_id=1234567890ab
	put_report 03 time="$(ago 5400)" pid=300 comm=boom exe=/opt/boom \
	    "signal=11 SIGSEGV" signature=00000000000000aa uid=0
	put_report 04 time="$(ago 1800)" pid=77 comm=java exe=/opt/java \
	    "signal=4 SIGILL" signature=00000000000000cc uid=0 \
	    unit=user@7.service user_unit=app.service
	put_report 05 time="$(ago 60)" pid=88 comm=java exe=/opt/java \
	    "signal=11 SIGSEGV" signature=00000000000000cc uid=0 host=h \
	    package=jdk package_version=17.0.1 thread=GC tid=89
	for ((i = 0; i < 6; i++)); do
		touch -d "@$((1700000000 + i))" "$CTL/d/usercrash_0$i"
	done
}

# lists SLOTS ARGS...: list with them has those slots, in this order.
lists()
{
	local want=$1 got
	shift
	got=$(ctl list "$@" 2>"$CTL/err" | awk 'NR > 1 { print $1 }' | xargs)
	[ "$got" = "$want" ] || {
		echo "list $*: $got, not $want"
		cat "$CTL/err"
		return 1
	}
}

# says STATUS TEXT ARGS...: one line of error that has TEXT.
says()
{
	local want=$1 text=$2 got=0
	shift 2
	ctl "$@" >/dev/null 2>"$CTL/err" || got=$?
	[ "$got" = "$want" ] && grep -q "^crashlogctl: error: .*$text" \
	    "$CTL/err" && [ "$(grep -c error: "$CTL/err")" = 1 ] || {
		echo "exit $got, not $want with '$text': $*"
		cat "$CTL/err"
		return 1
	}
}

picks()
{
	lists "05 04 03 02 01 00"
	lists "05" -1
	lists "05 04" -n 2
	lists "00 01" -n 2 -r
	lists "00 01 02 03 04 05" --reverse
	lists "03 01 00" boom
	lists "03 01 00" /opt/boom
	lists "03 01 00" 00000000000000aa
	lists "02" worker
	lists "02" /opt/w
	lists "03 02 01 00" boom worker
	lists "02" 16321
	lists "02" pid:16321
	lists "04 01" 4
	lists "04" slot:4
	lists "01" pid:4
	lists "03" usercrash_03
	lists "03" "$CTL/d/usercrash_03"
	lists "05" latest
	lists "05 03 01 00" latest boom
	lists "05" latest boom -n 1
	lists "05 04 03" --since yesterday
	lists "05 04" --since -1h
	lists "05 04 03" --since=-2hours
	lists "05" --since "10 min ago"
	lists "04 03" --since "3h ago" --until -10min
	lists "02 01 00" --until 2020-01-04
	lists "02" --since 2020-01-02T23:59:59Z --until 2020-01-03T00:30:00+00:30
	lists "01" --since @1577923200 --until '2020-01-02T00:00:01Z'
	lists "05 03 01 00" --signal SEGV
	lists "04" --signal 4
	lists "02" --signal sigabrt
	lists "02 01" --uid 1000
	lists "05 04 03 00" --uid root
	lists "01" --unit boom
	lists "04" --unit app.service
	lists "02" --container 1234
	lists "03 00" boom --uid root
	says 1 "no report is meant by 'bom': crashlogctl list shows all 6" list bom
	says 1 "no report is meant by 'bom'" list boom bom
	says 1 "no report is meant" show --uid 4711
	says 1 '4 is a slot and a process: say slot:4 or pid:4' show 4
	says 1 '300 came more than once: say the slot, --since' show 300
	says 100 "'soon' is no time; such are: -2h" list --since soon
	says 100 'there is no user nobody-of-that-name' list --uid nobody-of-that-name
	says 100 "list: no option is called --sinc" list --sinc -1h
	says 100 "'x' is no number" list -n x
}

@test "list: words and options that say which" {
	six
	each_shell picks
}

# what_is SLOT COMMAND ARGS...
shows()
{
	[ "$(ctl show --raw "${@:2}" | sed -n 's/^pid: //p' | xargs)" = "$1" ]
}

show_picks()
{
	shows 88
	shows 88 java
	shows 300 boom
	shows 300 pid:300 --until 2020-02-01
	shows 4 --unit boom
	shows "88 77" -n 2
	shows "300 4" -n 2 -r
	[ "$(ctl info worker | sed -n 's/^  who  *pid \([0-9]*\).*/\1/p')" = 16321 ]
}

@test "show, info: the same words and options" {
	six
	each_shell show_picks
}

# what is ambiguous is shown
@test "a number that is two things: they are listed" {
	six
	exits 1 ctl show 4 2>"$CTL/err"
	grep -q '^  04 ' "$CTL/err"
	grep -q '^  01 ' "$CTL/err"
}

@test "without rights: that, and not that there is none" {
	six
	chmod 755 "$CTL" "$CTL/d"
	chmod 600 "$CTL"/d/usercrash_*
	for cmd in list show info; do
		run setpriv --reuid=65534 --regid=65534 --clear-groups \
		    "$CTL/bin/crashlogctl" --conf "$CTL/c" $cmd boom
		[ "$status" = 1 ]
		[[ $output == *"$cmd: no report here can be read: 6 of others in $CTL/d" ]]
	done
	run setpriv --reuid=65534 --regid=65534 --clear-groups \
	    "$CTL/bin/crashlogctl" --conf "$CTL/c" show slot:3
	[ "$status" = 111 ]
	[[ $output == *"unable to read $CTL/d/usercrash_03: Permission denied" ]]
}

# --- info ------------------------------------------------------------------

# A C++ program's own frames between those of libraries.
abort_report()
{
	put_report "$1" time=2020-01-01T00:00:00Z pid=4711 tid=4712 comm=shop \
	    exe=/opt/shop thread=till "signal=6 SIGABRT" uid=0 host=h \
	    "cause=aborted: uncaught std::out_of_range: map::at" \
	    signature=00000000000000aa abort_message=map::at unit=shop.service \
	    container_runtime=docker container_id=1234567890abcdef \
	    package=shop package_version=1.2-3
	cat >>"$CTL/d/usercrash_$1" <<-'END'
		modules:
		  000000400000-000000410000 bias 0 /opt/shop
		  000000500000-000000510000 bias 0 /usr/lib/x86_64-linux-gnu/libc.so.6
		  000000600000-000000610000 bias 0 /usr/lib/libstdc++.so.6.0.30
		  000000700000-000000710000 bias 0 /opt/lib/libtill.so

	END
	sed -i '/^backtrace:/,/^$/c\
backtrace:\
  #00 pc 0000000000500100 raise+0x10 (libc.so.6+0x100)\
  #01 pc 0000000000500200 abort+0x10 (libc.so.6+0x200)\
  #02 pc 0000000000600100 ?? (libstdc++.so.6.0.30+0x100)\
  #03 pc 0000000000400100 _ZNSt6vectorIiSaIiEE2atEm+0x10 (shop+0x100)\
  #04 pc 0000000000700100 _ZN4Shop4sellERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE+0x10 (libtill.so+0x100)\
  #05 pc 0000000000400200 main+0x10 (shop+0x200)\
  #06 pc 0000000000500300 __libc_start_main+0x10 (libc.so.6+0x300)\
' "$CTL/d/usercrash_$1"
}

info_is()
{
	ctl info | sed 's/ ([0-9]* days ago)/ (N days ago)/' |
	    diff - <(sed "s|@|$CTL|" <<-'END'
	shop: aborted: uncaught std::out_of_range: map::at
	  when       2020-01-01T00:00:00Z (N days ago)
	  where      host h, unit shop.service, docker container 1234567890ab
	  program    /opt/shop, package shop 1.2-3
	  signal     6 SIGABRT
	  who        pid 4711, thread 4712, "till", uid 0 (root)
	  signature  00000000000000aa, the only one here
	  said       map::at

	      ... 4 frames of libc, libstdc++, std
	> #4  Shop::sell(std::string const&)  (libtill.so)
	  #5  main  (shop)
	  #6  __libc_start_main  (libc.so.6)

	  report     @/d/usercrash_00
	  core       none in @/st
	  next       crashlogctl show 00
	END
	)
}

@test "info: one screen, the program's own frame first" {
	needs_tool c++filt
	abort_report 00
	each_shell info_is
	ctl info --json >"$CTL/json"
	json_valid "$CTL/json"
	[ "$(json_get "$CTL/json" frames 4 own)" = True ]
	[ "$(json_get "$CTL/json" frames 4 function)" = \
	    'Shop::sell(std::string const&)' ]
	[ "$(json_get "$CTL/json" pid)" = 4711 ]
	# the whole names
	ctl info --raw | grep -q 'Shop::sell(std::__cxx11::basic_string<char, '
}

# A line for a terminal of 80 columns: COMMAND...
screen()
{
	needs_tool script
	COLUMNS=80 TERM=xterm script -qefc "$*" /dev/null </dev/null |
	    tr -d '\r'
}

@test "a terminal: cause and backtrace first, lines no longer than it is wide" {
	local cmd="$CTL/bin/crashlogctl --conf $CTL/c --no-pager" i
	needs_tool c++filt
	abort_report 00
	put_report 01 time=2020-01-02T00:00:00Z pid=2 comm=a-program-of-a-long-name \
	    exe=/b "signal=11 SIGSEGV" signature=00000000000000bb \
	    "cause=null pointer write at offset 0x18 in a_function_of_a_long_name"
	for i in list 'top 3'; do
		screen NO_COLOR=1 "$cmd $i" >"$CTL/out"
		[ "$(awk '{ print length }' "$CTL/out" | sort -n | tail -1)" -le 80 ]
		grep -q '\.\.\.$' "$CTL/out"
		not grep -q $'\033' "$CTL/out"
	done
	screen NO_COLOR=1 "$cmd show shop" >"$CTL/out"
	diff <(head -13 "$CTL/out") - <<-'END'
		usercrash report 1
		cause: aborted: uncaught std::out_of_range: map::at

		backtrace:
		  #00 pc 0000000000500100 raise+0x10 (libc.so.6+0x100)
		  #01 pc 0000000000500200 abort+0x10 (libc.so.6+0x200)
		  #02 pc 0000000000600100 ?? (libstdc++.so.6.0.30+0x100)
		  #03 pc 0000000000400100 std::vector<int>::at(unsigned long)+0x10 (shop+0x100)
		> #04 pc 0000000000700100 Shop::sell(std::string const&)+0x10 (libtill.so+0x100)
		  #05 pc 0000000000400200 main+0x10 (shop+0x200)
		  #06 pc 0000000000500300 __libc_start_main+0x10 (libc.so.6+0x300)

		time: 2020-01-01T00:00:00Z
	END
	# nothing lost, nothing twice
	diff <(sort "$CTL/d/usercrash_00" | grep -v -e '#0[34]' -e '^$') \
	    <(sort "$CTL/out" | grep -v -e '#0[34]' -e '^$')
	screen "$cmd info shop" | grep -q $'^\033\[1m> #4  Shop::sell.*\033\[0m$'
}

hostile_info()
{
	ctl list >"$CTL/out"
	ctl info >>"$CTL/out"
	ctl show >>"$CTL/out"
	ctl top >>"$CTL/out"
	LC_ALL=C not grep -P '\x1b|\xc2\x9b|\xe2\x80\xae|\x07' "$CTL/out"
	grep -q 'gr?.*n' "$CTL/out"
	ctl info --json >"$CTL/json"
	json_valid "$CTL/json"
}

# threat 6: a report that somebody forged
@test "hostile text in a report reaches no terminal" {
	local e=$'\033[2J\302\233\342\200\256\007'
	put_report 00 time="2020-01-01T00:00:00Z$e" "pid=1$e" "comm=gr${e}n" \
	    "exe=/opt/$e\"\\" "signal=11 SIGSEGV$e" "cause=in $e" "uid=$e" \
	    signature="00000000000000aa$e" "unit=$e" "package=$e" "thread=$e" \
	    "container_id=$e" "abort_message=$e" "exception_text=$e" "host=$e"
	each_shell hostile_info
}

# --- dump, note, rm --------------------------------------------------------

put_core()
{
	local dir=$CTL/st/h
	mkdir -p "$dir"
	echo "core of $1" >"$dir/core.boom.$1.$2"
	printf 'time: %s\npid: %s\ncomm: boom\nexe: /opt/boom\nuid: %s\n' \
	    "$2" "$1" "${3:-0}" >"$dir/core.boom.$1.$2.info"
}

dumps()
{
	rm -f "$CTL/out"
	[ "$(ctl dump 0)" = 'core of 300' ]
	ctl dump -o "$CTL/out" slot:0 >"$CTL/said"
	grep -q "$CTL/out" "$CTL/said"
	[ "$(cat "$CTL/out")" = 'core of 300' ]
	[ "$(stat -c %a "$CTL/out")" = 600 ]
	says 1 'no core of process 77' dump 04
	says 111 "unable to write $CTL/none/x" dump -o "$CTL/none/x" 0
}

@test "dump: the core, to a pipe or a file" {
	six
	put_core 300 1577836800
	each_shell dumps
	gzip "$CTL/st/h/core.boom.300.1577836800"
	mv "$CTL/st/h/core.boom.300.1577836800.info" \
	    "$CTL/st/h/core.boom.300.1577836800.gz.info"
	[ "$(ctl dump 0)" = 'core of 300' ]
	screen "$CTL/bin/crashlogctl --conf $CTL/c dump 0" >"$CTL/out" || :
	grep -q 'nothing for a terminal: say -o FILE' "$CTL/out"
	not grep -q 'core of 300' "$CTL/out"
}

notes()
{
	ctl note worker 'seen before: $(touch x) "\' more >/dev/null
	ctl note 5 other >/dev/null
	ctl list worker | grep -qF '[seen before: $(touch x) "\ more]'
	ctl info worker | grep -qF '  note       seen before: $(touch x) "\ more'
	ctl list --json worker >"$CTL/json"
	[ "$(json_get "$CTL/json" 0 note)" = 'seen before: $(touch x) "\ more' ]
	ctl note worker '' >/dev/null
	not grep -q seen "$CTL/d/.notes"
	ctl list latest | grep -qF '[other]'
	says 100 'what is to be noted' note worker
	says 1 "no report is meant by 'bom'" note bom text
}

@test "note: a line that stays with the report" {
	six
	each_shell notes
	[ "$(stat -c %a "$CTL/d/.notes")" = 640 ]
	# and goes with it
	rm "$CTL/d/usercrash_05"
	ctl note 3 more >/dev/null
	[ "$(cat "$CTL/d/.notes" | cut -f 2)" = more ]
}

removes()
{
	six
	put_core 300 1577836800
	put_core 16321 1578009600
	says 100 'rm: which?' rm
	says 100 'rm: which?' rm --uid 0
	says 1 'more than one is meant: say a slot, -1 or --all' rm boom
	ctl -n rm 0 | grep -q '^would remove'
	ctl rm 0 >/dev/null
	[ ! -e "$CTL/d/usercrash_00" ]
	[ ! -e "$CTL/st/h/core.boom.300.1577836800" ]
	[ ! -e "$CTL/st/h/core.boom.300.1577836800.info" ]
	[ -e "$CTL/st/h/core.boom.16321.1578009600" ]
	ctl rm -1 java >/dev/null
	lists "04 03 02 01"
	ctl rm --all --uid root >/dev/null
	lists "02 01"
	says 1 "no report is meant by 'boomer'" rm boomer 1
	lists "02 01"
}

@test "rm: a report with its core, and never more than was meant" {
	each_shell removes
}

@test "cores: the same words" {
	six
	put_core 300 1577836800
	put_core 16321 1578009600 1000
	[ "$(ctl cores --uid 1000 | sed -n 2p | awk '{ print $3 }')" = 16321 ]
	[ "$(ctl cores pid:300 | sed -n 2p | awk '{ print $3 }')" = 300 ]
	[ "$(ctl cores boom | wc -l)" = 4 ]
	[ "$(ctl cores --since 2020-01-02 | wc -l)" = 3 ]
}
