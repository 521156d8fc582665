# json.awk: a report that is text as JSON, with the keys that one in JSON has
# (usercrash-report(5)).  Part of crashlogctl.
#
#   awk -f json.awk REPORT
#
# Head, backtrace, registers, threads, files, maps and modules become what they
# are there.  What text does not tell (sp of a frame, where an argument ends) is
# left out or stays one string; of other sections, and of a row that is none of
# these, the lines are an array of strings.  JSON is left as it is.

# no gsub: awks differ in how many backslashes a replacement takes
function escaped(s, n, i, out, part) {
	n = split(s, part, /\\/)
	out = part[1]
	for (i = 2; i <= n; i++)
		out = out "\\\\" part[i]
	n = split(out, part, /"/)
	out = part[1]
	for (i = 2; i <= n; i++)
		out = out "\\\"" part[i]
	gsub(/[\001-\037\177]/, "?", out)
	return out
}

function str(s) {
	return "\"" escaped(s) "\""
}

function member(name, value) {
	return "\"" name "\": " value
}

# a member behind others, if there is a value
function more(name, value) {
	return value == "" ? "" : ", " member(name, str(value))
}

function put(s) {
	printf "%s%s", (any++ ? ",\n" : "{\n"), s
}

function head(k, v, at) {
	at = index($0, ": ")
	k = escaped(at ? substr($0, 1, at - 1) : $0)
	v = at ? substr($0, at + 2) : ""
	if (substr(v, 1, 13) == "unavailable: ")
		put(member(k, "{" member("unavailable", str(substr(v, 14))) "}"))
	else if (k == "cmdline")
		put(member(k, "[" str(v) "]"))
	else if ((k == "signal" || k == "code") && v ~ /^-?[0-9]+ /) {
		at = index(v, " ")
		put(member(k, substr(v, 1, at - 1)))
		put(member(k "_name", str(substr(v, at + 1))))
	} else if (k ~ /^(pid|tid|nstid|uid|gid|signal|code|dumpmode|corelimit|pause_us)$/ &&
	    v ~ /^(-?[1-9][0-9]*|0)$/ && length(v) < 16)
		put(member(k, v))
	else
		put(member(k, str(v)))
}

# FUNCTION+OFFSET (MODULE+OFFSET)
function place(s, name, off, mod, out) {
	name = s
	if (match(s, / ?\([^()]*(\([^()]*\))?[^()]*\+0x[0-9a-f]+\)$/)) {
		name = substr(s, 1, RSTART - 1)
		mod = substr(s, RSTART, RLENGTH - 1)
		sub(/^ ?\(/, "", mod)
	}
	if (match(name, /\+0x[0-9a-f]+$/)) {
		off = substr(name, RSTART + 1)
		name = substr(name, 1, RSTART - 1)
	}
	if (name != "" && name != "??")
		out = more("function", name) more("offset", off)
	if (match(mod, /\+0x[0-9a-f]+$/))
		out = out more("module", substr(mod, 1, RSTART - 1)) \
		    more("module_offset", substr(mod, RSTART + 1))
	return out
}

function frame(s, n, pc, kind) {
	if (!match(s, /^ *#[0-9]+ pc [0-9a-f]+ /))
		return str(s)
	n = s
	sub(/^ *#/, "", n)
	pc = substr(s, 1, RLENGTH - 1)
	sub(/.* /, "", pc)
	s = substr(s, RLENGTH + 1)
	if (match(s, / <[a-z ]+>$/)) {
		kind = substr(s, RSTART + 2, RLENGTH - 3)
		s = substr(s, 1, RSTART - 1)
	}
	return "{" member("n", n + 0) more("pc", "0x" pc) place(s) \
	    more("kind", kind) "}"
}

# ADDRESS  VALUE  what it points to
function word_row(s) {
	if (s !~ /^[0-9a-f]+  [0-9a-f]+(  |$)/)
		return str(s)
	rest = s
	s = "{" member("address", str("0x" word()))
	word()
	s = s more("value", "0x" word())
	word()
	return s place(rest) "}"
}

function registers(s, n, i, f, out) {
	n = split(s, f, " ")
	for (i = 1; i < n; i += 2)
		out = out (i > 1 ? ", " : "") member(f[i], str("0x" f[i + 1]))
	return out
}

# The first word of rest, which it loses.
function word(w) {
	match(rest " ", / /)
	w = substr(rest, 1, RSTART - 1)
	rest = substr(rest, RSTART + 1)
	return w
}

function range(w, at) {
	w = word()
	at = index(w, "-")
	return member("start", str("0x" substr(w, 1, at - 1))) \
	    more("end", "0x" substr(w, at + 1))
}

function map(out) {
	out = "{" range() more("perms", word())
	out = out more("offset", "0x" word())
	if (rest ~ /^[0-9a-f]+:[0-9a-f]+ [0-9]+( |$)/) {
		out = out more("device", word())
		out = out ", " member("inode", word())
	}
	return out more("name", rest) "}"
}

function mod_row(out, note) {
	out = "{" range()
	if (word() == "bias")
		out = out more("bias", "0x" word())
	if (rest ~ /^build-id /) {
		word()
		out = out more("build_id", word())
	}
	if (match(rest, / \([^()\/]*\)$/)) {
		note = substr(rest, RSTART + 2, RLENGTH - 3)
		rest = substr(rest, 1, RSTART - 1)
	}
	return out more("path", rest) more("note", note) "}"
}

function file(out) {
	out = "{" member("fd", word()) more("flags", word())
	if (rest ~ /^offset [0-9]+ /) {
		word()
		out = out ", " member("offset", word())
	}
	return out more("target", rest) "}"
}

# ADDRESS  16 bytes in hexadecimal  the same as text
function bytes(s, b) {
	b = substr(s, 19, 48)
	gsub(/ /, "", b)
	if (s !~ /^[0-9a-f]+  / || b !~ /^[0-9a-f]+$/)
		return str(s)
	return "{" member("address", str("0x" substr(s, 1, 16))) \
	    more("bytes", b) "}"
}

# REGISTERS ADDRESS MAPPING, and then rows of bytes
function memory(out, w) {
	if (/^    [0-9a-f]+  /) {
		printf "%s%s", (rows++ ? ",\n   " : ""), bytes(rest)
		return
	}
	printf "%s", blocks++ ? "]},\n " : "\n "
	rows = 0
	while ((w = word()) !~ /^[0-9a-f]+$/ || length(w) < 16) {
		out = out (out == "" ? "" : ", ") str(w)
		if (rest == "")
			break
	}
	printf "{%s%s", member("registers", "[" out "]"), \
	    more("address", "0x" w) more("mapping", rest) ", \"rows\": ["
}

function row(s) {
	printf "%s%s", (rows++ ? ",\n " : "\n "), s
}

# What a thread has had so far, and of its own, in JSON.
function thread_part(part) {
	if (inside != part) {
		printf "%s", inside == "backtrace" ? "]" : inside != "" ? "}" : ""
		if (part != "")
			printf ", %s", member(part, part == "backtrace" ? "[" : "{")
		inside = part
		rows = 0
	}
}

function end_thread() {
	if (threads) {
		thread_part("")
		printf "}"
	}
}

function thread(name) {
	if (match($0, /^  thread [0-9]+ ".*"/)) {
		end_thread()
		name = substr($0, 1, RLENGTH - 1)
		sub(/^  thread [0-9]+ "/, "", name)
		printf "%s{%s", (threads++ ? ",\n " : "\n "), member("tid", $2 + 0)
		printf ", %s", member("name", str(name))
	} else if ($0 ~ /^    #[0-9]/) {
		thread_part("backtrace")
		row(frame($0))
	} else if ($0 ~ /^    [a-z_0-9]+ +[0-9a-f]+/) {
		thread_part("registers")
		printf "%s%s", (rows++ ? ", " : ""), registers($0)
	} else if ($0 ~ /^    [a-z]+: /) {
		thread_part("")
		rest = substr($0, 5)
		printf "%s", more(substr(rest, 1, index(rest, ":") - 1), \
		    substr(rest, index(rest, ":") + 2))
	}
}

function end_section() {
	if (section == "threads")
		end_thread()
	if (section == "memory" && blocks)
		printf "]}"
	if (section != "")
		printf "%s", section == "registers" ? "}" : "]"
	section = ""
}

NR == 1 && $0 == "{" { as_it_is = 1 }
as_it_is { print; next }
NR == 1 {
	put(member("format", str("usercrash")))
	put(member("version", $3 + 0))
	in_head = 1
	next
}
$0 == "" { end_section(); in_head = 0; next }
in_head { head(); next }
section == "" && /^[a-z_]+: / { head(); next }
section == "" && /^[a-z_]+:$/ {
	section = substr($0, 1, length($0) - 1)
	put(member(section, section == "registers" ? "{" : "["))
	rows = threads = blocks = 0
	inside = ""
	next
}
{
	rest = $0
	sub(/^ */, "", rest)
}
section == "backtrace" { row(frame($0)); next }
section == "registers" {
	printf "%s%s", (rows++ ? ", " : ""), registers($0)
	next
}
section == "threads" { thread(); next }
section == "maps" && /^  [0-9a-f]+-[0-9a-f]+ / { row(map()); next }
section == "modules" && /^  [0-9a-f]+-[0-9a-f]+ / { row(mod_row()); next }
section == "files" && /^  [0-9]+ / { row(file()); next }
section == "memory" && /^  / { memory(); next }
section == "instructions" { row(bytes(rest)); next }
section == "stack" { row(word_row(rest)); next }
section != "" { row(str(rest)) }
END {
	if (!as_it_is) {
		end_section()
		print "\n}"
	}
}
