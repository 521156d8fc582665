#!/bin/sh
# lint: what the tree promises of itself, one line per finding.
#
#   t/lint.sh [-C TREE] [CHECK ...]     all checks without arguments
#
#   format   C as clang-format 14 has it
#   rooms    arrows between the folders of src only go down
#   rings    calls between files run in no ring, nor up, by the symbols
#   folders  at most 20 files of C in each of src
#   servers  what owns a directory links no unwinder
#   scripts  shellcheck, dash -n
#   man      groff -ww, mandoc -Tlint
#   words    nothing unfinished
#   size     no file of src above 500 lines
#   shape    functions of src: 60 lines, 5 parameters, or a word why, and no
#            such word where it is not so; each file says what it is for
#   pages    each program has a man page and a bats file
#   machines what knows of one is named at the head of src/core/arch.h
#   guards   each header has an include guard; in t/unit it holds no code
#   clang    compiles without a warning
#   cross    so it does for aarch64
#
# What was found clean is not looked at again (format, scripts, clang, cross)
# until it or what it includes changes: build/lint remembers, where there is a
# build.  A tool that is not installed is a line "skipped: ...".  Exits 0, 1 with
# findings, 100 for a check or a tree that is not there.

export LC_ALL=C
top=$(cd "$(dirname "$0")/.." && pwd) || exit 111
if [ "${1:-}" = -C ]; then
	top=$(cd "${2:?}" && pwd) || exit 100
	shift 2
fi
cd "$top" || exit 100
all='format rooms rings folders servers scripts man words size shape pages machines guards clang cross'
[ $# -gt 0 ] || {
	# shellcheck disable=SC2086
	set -- $all
}
tmp=$(mktemp -d) || exit 111
trap 'rm -rf "$tmp"' EXIT
: >"$tmp/began"
trap 'exit 130' INT
trap 'exit 143' TERM

# --- helpers ---------------------------------------------------------------

# Findings go to stdout; a check is clean when it printed none.
skipped()
{
	echo "skipped: $*" >&2
}

have()
{
	command -v "$1" >/dev/null
}

# known NAME FILE...: found clean, and none of the files is newer than that.
# known_clean NAME: it is clean, as of when this began.
known()
{
	stamp=build/lint/$1
	shift
	[ -e "$stamp" ] && [ -z "$(find "$@" -newer "$stamp" 2>&1)" ]
}

known_clean()
{
	[ -d build ] || return 0
	mkdir -p "build/lint/${1%/*}"
	cp -p "$tmp/began" "build/lint/$1"
}

# files NAME-PATTERN... -- DIRECTORY...: those that are there, in order; not
# what a build made.  No name of ours holds blanks.
files()
{
	pats=
	while [ "$1" != -- ]; do
		pats="$pats${pats:+ -o} -name $1"
		shift
	done
	shift
	for d; do
		[ ! -d "$d" ] || (set -f
		# shellcheck disable=SC2086
		find "$d" -name .git -prune -o -name 'build*' -type d -prune \
		    -o -type f \( $pats \) -print)
	done | sort
}

# of_make VARIABLE [ASSIGNMENT ...]: what make takes it for.
of_make()
{
	v=$1
	shift
	[ -f Makefile ] || return 1
	# shellcheck disable=SC2016
	printf 'include Makefile\nlint-print:\n\t@echo $(%s)\n' "$v" |
	    make -s --no-print-directory -f - "$@" lint-print 2>/dev/null
}

# scripts: "sh FILE" or "bash FILE", by the first line, else by the name.
scripts()
{
	files '*' -- bin .ci etc t | while read -r f; do
		first=
		IFS= read -r first <"$f" 2>/dev/null
		case $f:$first in
		*.bats:* | *.bash:*) ;;
		*:'#!'*bash*) echo "bash $f" ;;
		*:'#!/bin/sh'* | *:'#!/usr/bin/env sh'* | *.sh:*)
			echo "sh $f" ;;
		esac
	done 2>/dev/null
}

# --- checks ----------------------------------------------------------------

lint_format()
{
	v=$(clang-format --version 2>/dev/null |
	    sed -n 's/.*version \([0-9]*\)\..*/\1/p')
	[ "$v" = 14 ] || {
		skipped "format: clang-format 14 is not installed${v:+, $v is}"
		return
	}
	files '*.c' '*.h' -- src t | while read -r f; do
		known "format/$f" "$f" .clang-format "$0" && continue
		if clang-format --dry-run --Werror "$f" 2>/dev/null; then
			known_clean "format/$f"
		else
			echo "$f: clang-format would change it"
		fi
	done
}

# Which rooms a room may use, besides itself; awk.
may_use='
	BEGIN {
		use["segv"] = " probe report unwind track bpf target elf out" \
		    " memop core proc base "
		use["probe"] = " bpf core proc base "
		use["trim"] = " report unwind target send core elf proc" \
		    " base "
		use["report"] = " unwind target elf memop core proc out" \
		    " base "
		use["unwind"] = " target elf memop core base "
		use["track"] = " target proc base "
		use["target"] = " elf core proc base "
		use["send"] = use["store"] = " crash stream core net" \
		    " lz4 proc base "
		use["accept"] = " crash net proc base "
		use["crash"] = " proc base "
		use["crashlog"] = " slots out base "
		use["slots"] = " net base "
		use["bpf"] = " proc base "
		use["core"] = use["net"] = use["proc"] = use["elf"] = \
		    use["memop"] = use["out"] = use["lz4"] = " base "
		use["stream"] = " crash lz4 base "
		use["wrap"] = " base "
		use["base"] = " "
	}'

lint_rooms()
{
	# shellcheck disable=SC2016
	files '*.c' '*.h' -- src | xargs awk "$may_use"'
		FNR == 1 {
			n = split(FILENAME, p, "/")
			room = n > 2 ? p[2] : ""
			if (room != "" && !(room in use)) {
				print FILENAME ": no room is called " room
				nextfile
			}
		}
		/^[ \t]*#[ \t]*include[ \t]*"/ {
			inc = $0
			sub(/^[^"]*"/, "", inc)
			sub(/".*/, "", inc)
			to = inc
			if (sub(/\/[^\/]*$/, "", to) == 0 || !(to in use))
				why = "is not of the form \"room/file.h\""
			else if (room != "" && to != room &&
			    index(use[room], " " to " ") == 0)
				why = "points up or aside: " room " may use" \
				    (use[room] == " " ? " none" : use[room])
			else
				next
			print FILENAME ":" FNR ": \"" inc "\" " why
		}' /dev/null
}

# objects: the object of each C file below src, its path ending as the file's
# does, as the build has it where that is newer, else compiled for this check.
objects()
{
	flags=$(of_make ALL_CFLAGS)
	build=$(of_make BUILD)
	cc=$(of_make CC)
	for f in $(files '*.c' -- src/*/); do
		f=${f#src/}
		o=$build/${f%.c}.o
		# dash has -nt, and starts no process for it
		# shellcheck disable=SC3013
		if [ ! -f "$o" ] || [ "src/$f" -nt "$o" ]; then
			o=$tmp/objects/${f%.c}.o
			mkdir -p "${o%/*}"
			# shellcheck disable=SC2086
			"${cc:-cc}" $flags -O0 -w -c -o "$o" "src/$f" \
			    2>/dev/null || {
				echo "src/$f: does not compile" >&3
				continue
			}
		fi
		echo "$o"
	done
}

# Who uses whose symbols, code and data alike.  Of the arrows within a room
# those go again and again that come from or lead to a file with no others;
# what stays are the rings and what lies between them.
lint_rings()
{
	have nm || {
		skipped "rings: nm is not installed"
		return
	}
	objects 3>&1 >"$tmp/list"
	xargs nm -gA <"$tmp/list" 2>/dev/null | awk "$may_use"'
		function room(f) { sub(/\/.*/, "", f); return f }
		# ROOM/FILE of PATH/ROOM/FILE.o: ...
		{
			sub(/\.o:.*/, "", $1)
			n = split($1, p, "/")
			$1 = p[n - 1] "/" p[n]
		}
		# unwind has its own for libunwind; others mean those of libc
		$NF == "sigprocmask" || $NF == "pthread_sigmask" { next }
		$(NF - 1) == "U" { uses[$1, $NF]; next }
		$(NF - 1) ~ /^[TDBRCVW]$/ { def[$NF] = $1 }
		END {
			for (k in uses) {
				split(k, a, SUBSEP)
				if (!(a[2] in def) || def[a[2]] == a[1])
					continue
				to = def[a[2]]
				if (room(a[1]) == room(to)) {
					from[a[1] " uses " to] = a[1]
					lead[a[1] " uses " to] = to
				} else if (index(use[room(a[1])],
				    " " room(to) " ") == 0)
					print "src/" a[1] ".c uses " a[2] \
					    " of src/" to ".c: up or aside"
			}
			do {
				changed = 0
				split("", out)
				split("", in_)
				for (k in from) {
					out[from[k]]
					in_[lead[k]]
				}
				for (k in from)
					if (!(lead[k] in out) ||
					    !(from[k] in in_)) {
						delete from[k]
						delete lead[k]
						changed = 1
					}
			} while (changed)
			for (k in from)
				print "src/" from[k] ".c is in a ring: it uses" \
				    " src/" lead[k] ".c"
		}' | sort
}

# The rooms of a server are those that its line in the Makefile names.
lint_servers()
{
	for p in usercrash_s recv_core; do
		for o in $(of_make "$p"); do
			case $o in
			elf | memop | target | unwind | report | segv | probe)
				echo "Makefile: $p links $o" ;;
			esac
		done
	done
	[ -f Makefile ] && [ -n "$(of_make usercrash_s)" ] ||
	    echo "Makefile: what usercrash_s links is not to be had"
}

# One folder, one topic.
lint_folders()
{
	for d in src/*/; do
		[ -d "$d" ] || continue
		n=$(files '*.c' -- "$d" | grep -c .)
		[ "$n" -le 20 ] || echo "$d: $n files of C, 20 are allowed"
	done
}

lint_scripts()
{
	scripts >"$tmp/scripts"
	while read -r kind f; do
		sh=$kind
		[ "$kind" = bash ] || sh=dash
		if have "$sh"; then
			"$sh" -n "$f" 2>&1 | sed 's/^[^:]*: [0-9]*: //' |
			    sed "s|^|$f: $sh: |"
		fi
	done <"$tmp/scripts"
	have dash || skipped "scripts: dash is not installed"
	have shellcheck || {
		skipped "scripts: shellcheck is not installed"
		return
	}
	# one that is read by others is looked at with them
	shared=$(files '*.bash' '*.sh' -- t bin)
	# In a bats file every test is a subshell and what a test sets is used
	# by helpers: the notes about that are noise, the warnings are not.
	{
		sed 's/ / style /' "$tmp/scripts"
		files '*.bash' -- t | sed 's/^/bash style /'
		files '*.bats' -- t | sed 's/^/bats warning /'
	} >"$tmp/checked"
	# two processors are the least there is
	checked 0 <"$tmp/checked" &
	checked 1 <"$tmp/checked"
	wait
}

# checked HALF: of lines "SHELL SEVERITY FILE" every other.
checked()
{
	n=$1
	while read -r shell severity f; do
		[ $(((n += 1) % 2)) = 0 ] || continue
		# shellcheck disable=SC2086
		known "scripts/$f" "$f" $shared && continue
		shellcheck -x -f gcc -s "$shell" -S "$severity" "$f" &&
		    known_clean "scripts/$f"
	done
}

lint_man()
{
	have groff || skipped "man: groff is not installed"
	have mandoc || skipped "man: mandoc is not installed"
	files '*.[1-9]' -- man | while read -r f; do
		! have groff ||
		    groff -mdoc -ww -z -Tutf8 "$f" 2>&1 | grep . |
		    sed "s|^|$f: |"
		# names of other systems' pages are not at hand here
		! have mandoc || mandoc -Tlint -W warning "$f" 2>&1 |
		    grep . | sed 's/^mandoc: //'
	done
}

# Written apart, so that this file does not find itself.
lint_words()
{
	words='TO''DO|FIX''ME|X''XX'
	phrases='st''ub|not imple''mented'
	files '*' -- . | grep -v '^\./bin/[a-z_]*_dbg$' | xargs grep -IlE . \
	    2>/dev/null >"$tmp/text"
	xargs grep -HnwE "$words" <"$tmp/text" 2>/dev/null |
	    sed 's|^\./||; s|^\([^:]*:[0-9]*\):.*|\1: unfinished (marker)|'
	xargs grep -HnwiE "$phrases" <"$tmp/text" 2>/dev/null |
	    sed 's|^\./||; s|^\([^:]*:[0-9]*\):.*|\1: unfinished (phrase)|'
}

lint_size()
{
	files '*' -- src | while read -r f; do
		n=$(wc -l <"$f")
		[ "$n" -le 500 ] || echo "$f: $n lines, 500 are allowed"
	done
}

# Functions as our style writes them: a name at the left margin, its braces
# too.  The word stands in the comment right above.
lint_shape()
{
	# shellcheck disable=SC2016
	files '*.c' -- src | xargs awk '
		FNR == 1 {
			h = FILENAME
			sub(/\.c$/, ".h", h)
			if ($0 !~ /^\/\*/ && ((getline l <h) <= 0 || l !~ /^\/\*/))
				print FILENAME ": does not say what it is for"
			close(h)
			word = name = ""
		}
		/^\/\*/ || comment {
			word = word " " $0
			comment = $0 !~ /\*\//
			next
		}
		/^$/ && name == "" { word = "" }
		/^[A-Za-z_][A-Za-z0-9_]*\(/ {
			name = $0
			sub(/\(.*/, "", name)
			at = FNR
			n = depth = 0
			head = 1
		}
		head {
			for (i = 1; i <= length($0); i++) {
				c = substr($0, i, 1)
				depth += (c == "(") - (c == ")")
				n += c == "," && depth == 1
			}
			if (depth == 0)
				head = 0
			if (!head && /;$/)
				name = ""
		}
		/^\}/ && name != "" {
			where = FILENAME ":" at ": " name
			if (n > 4 && ++many && word !~ /parameters: /)
				print where " has " n + 1 " parameters and" \
				    " does not say why"
			if (n < 5 && word ~ /[Ss]ix parameters: /)
				print where " has " n + 1 " parameters, and" \
				    " a word for more"
			if (FNR - at < 60 && word ~ /[Oo]ver 60 lines: /)
				print where " has " FNR - at + 1 " lines, and" \
				    " a word for more"
			if (FNR - at > 59 && word !~ /lines: /)
				print where " has " FNR - at + 1 " lines and" \
				    " does not say why"
			word = name = ""
		}
		END {
			if (many > 10)
				print many " functions have more than 5" \
				    " parameters, 10 are allowed"
		}' /dev/null
}

lint_pages()
{
	for f in src/*.c; do
		[ -f "$f" ] || continue
		p=$(basename "$f" .c)
		ls man/"$p".[1-9] >/dev/null 2>&1 ||
		    echo "$f: $p has no page in man/"
		[ -f "t/$p.bats" ] || echo "$f: there is no t/$p.bats"
	done
}

# A room that is named has a "(" behind it.
lint_machines()
{
	[ -f src/core/arch.h ] || return 0
	sed '/\*\//q' src/core/arch.h >"$tmp/places"
	files '*.c' '*.h' -- src |
	    xargs grep -lwE 'EM_(X86_64|AARCH64)|__(x86_64|aarch64)__' |
	    while read -r f; do
		room=${f#src/}
		grep -qF -e "${f##*/}" -e "${room%%/*} (" "$tmp/places" ||
		    echo "$f: knows of machines, and src/core/arch.h not of it"
	done
}

lint_guards()
{
	files '*.h' -- src t | while read -r f; do
		awk -v f="$f" '
			/^[ \t]*#/ {
				n++
				if (n == 1 && $1 == "#ifndef")
					name = $2
				if (n == 2 && $1 == "#define" && name != "")
					ok = $2 == name
			}
			/^[{]/ && f ~ /^t\/unit\// {
				print f ":" FNR ": a function in a header"
			}
			END { if (!ok) print f ": no include guard" }' "$f"
	done
}

# compile COMPILER FLAGS...: every C file of the programs and unit tests, two
# at a time; warnings and errors as they come, one line each.  What it included
# is known by the file that -MMD writes; other flags, and all is done again.
compile()
{
	by=$1
	echo "$*" >"$tmp/flags"
	cmp -s "$tmp/flags" "build/lint/$by/flags" || rm -rf "build/lint/$by"
	if [ -d build ]; then
		mkdir -p "build/lint/$by"
		cp "$tmp/flags" "build/lint/$by/flags"
	fi
	files '*.c' -- src t/unit | while read -r f; do
		# shellcheck disable=SC2046
		known "$by/$f" "$(command -v "$by")" $(sed 's/^[^:]*://; s/\\$//' \
		    "build/lint/$by/$f.d" 2>/dev/null) || echo "$f"
	done >"$tmp/c"
	cat >"$tmp/cc" <<-'EOF'
		f=$1
		shift
		o=$(mktemp "${0%/*}/out.XXXXXX")
		"$@" -MMD -MF "$o.d" "$f" >"$o" 2>&1 || bad=1
		if ! grep -E '(warning|error): ' "$o" && [ "${bad:-}" ]; then
			echo "$f: $1 failed"
		fi
		if [ ! -s "$o" ] && [ -d build ]; then
			mkdir -p "build/lint/$1/${f%/*}"
			mv "$o.d" "build/lint/$1/$f.d"
			cp -p "${0%/*}/began" "build/lint/$1/$f"
		fi
		rm -f "$o" "$o.d"
	EOF
	xargs -P 2 -I '{}' sh "$tmp/cc" '{}' "$@" <"$tmp/c"
}

lint_clang()
{
	have clang || {
		skipped "clang: clang is not installed"
		return
	}
	flags=$(of_make ALL_CFLAGS CC=clang WERROR=1)
	[ -n "$flags" ] || {
		echo "Makefile: ALL_CFLAGS is not to be had"
		return
	}
	# shellcheck disable=SC2086
	compile clang $flags -fsyntax-only
}

# libunwind's headers (and lzma's) belong to one architecture: where the cross
# compiler has none, the files that need them are left out.
lint_cross()
{
	cc=aarch64-linux-gnu-gcc
	have $cc || {
		skipped "cross: $cc is not installed"
		return
	}
	flags=$(of_make ALL_CFLAGS WERROR=1)
	[ -n "$flags" ] || {
		echo "Makefile: ALL_CFLAGS is not to be had"
		return
	}
	# shellcheck disable=SC2086
	compile $cc $flags -c -o /dev/null >"$tmp/cross"
	lacks='fatal error: \(libunwind[-_a-z0-9]*\|lzma\)\.h: No such file'
	grep "$lacks" "$tmp/cross" | sed 's/:.*//' | sort -u |
	    while read -r f; do
		skipped "cross: $f (a header is not there for aarch64)"
	done
	grep -v "$lacks" "$tmp/cross"
}

# ---------------------------------------------------------------------------

for c; do
	case " $all " in
	*" $c "*) ;;
	*)
		echo "lint: no check is called $c; there are: $all" >&2
		exit 100
		;;
	esac
done
: >"$tmp/found"
for c; do
	"lint_$c" >"$tmp/$c.found"
	sed "s/^/lint: $c: /" "$tmp/$c.found" | tee -a "$tmp/found"
done
[ ! -s "$tmp/found" ] || {
	echo "lint: $(wc -l <"$tmp/found" | tr -d ' ') findings"
	exit 1
}
