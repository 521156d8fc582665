# frames.awk: the frames of a report, taken out and put back with names and
# source lines.  Part of crashlogctl.
#
#   awk -v want=frames -f frames.awk REPORT
#	"name FUNCTION"                a mangled one; a C++ type's is "_ZTS"
#	                               and what the report has
#	"at BUILD-ID ADDRESS PATH"     an address in a file; tabs between
#   awk -v want=modules -f frames.awk REPORT
#	"BUILD-ID<tab>PATH" of each
#   awk -v want=report -v names=FILE -v lines=FILE -f frames.awk REPORT
#	the report, with what those two files hold put in:
#	names	MANGLED<tab>DEMANGLED
#	lines	BUILD-ID ADDRESS PATH<tab>FUNCTION<tab>FILE:LINE, the
#		innermost inlined function first; tabs between
#	With first=1 cause and backtrace come before the rest, and ">" marks
#	the first frame that is in no library of the system; with short=1 the
#	names of the C++ library are shortened.
#   awk -v want=short ... REPORT
#	"NUMBER FUNCTION MODULE OWN FILE:LINE" of each frame of the thread
#	that crashed, the inlined ones of their own; OWN is 1 for such a frame;
#	before them "cause TEXT"
#
# Both forms of a report are read (usercrash-report(5)).  PC is the instruction
# itself in the first frame and in the one after a signal frame; in others it is
# the return address, and the byte before it lies in the call.  Which module a
# frame is in is found by its PC, as names of modules may hold anything.

# Without what moves a cursor or turns the direction of writing: controls of
# ASCII and of C1, marks of direction and those that cannot be seen.
function printable(s) {
	gsub(/[\001-\037\177]/, "?", s)
	if (s ~ /[\200-\377]/) {
		gsub(/\302[\200-\237]/, "?", s)
		gsub(/\342\200[\213-\217\250-\256]/, "?", s)
		gsub(/\342\201[\240-\257]/, "?", s)
		gsub(/\357\273\277/, "?", s)
		gsub(/\330\234/, "?", s)
	}
	return s
}

# The text inside a JSON string of ours: only \" and \\ occur.
function unquote(s, out, at) {
	out = ""
	while ((at = index(s, "\\")) > 0) {
		out = out substr(s, 1, at - 1) substr(s, at + 1, 1)
		s = substr(s, at + 2)
	}
	return out s
}

# no gsub: awks differ in how many backslashes a replacement takes
function quote(s, n, i, out, part) {
	n = split(s, part, /\\/)
	out = part[1]
	for (i = 2; i <= n; i++)
		out = out "\\\\" part[i]
	n = split(out, part, /"/)
	out = part[1]
	for (i = 2; i <= n; i++)
		out = out "\\\"" part[i]
	return printable(out)
}

# hexadecimal digits less one
function less_one(h, i, c, digits) {
	digits = "0123456789abcdef"
	for (i = length(h); i > 0; i--) {
		c = index(digits, substr(h, i, 1))
		if (c > 1)
			return substr(h, 1, i - 1) substr(digits, c - 1, 1) \
			    substr(h, i + 1)
		h = substr(h, 1, i - 1) "f" substr(h, i + 1)
	}
	return h
}

# 16 digits, so that they compare as text
function wide(h) {
	sub(/^0x/, "", h)
	while (length(h) < 16)
		h = "0" h
	return h
}

# "NAME": VALUE of a row, the value without quotes; "" if there is none
function member(s, name, at) {
	at = index(s, "\"" name "\": ")
	if (at == 0)
		return ""
	s = substr(s, at + length(name) + 4)
	if (match(s, /^"([^"\\]|\\.)*"/))
		return substr(s, 2, RLENGTH - 2)
	match(s, /^[0-9]*/)
	return substr(s, 1, RLENGTH)
}

# Sets pc, func, offset of the row s and whether a signal frame is in it.
# Text:  #NN pc PC FUNCTION+0xOFF (MODULE+0xOFF) <MARK>
function read_frame(s, t) {
	func_name = offset = ""
	if (json) {
		pc = wide(member(s, "pc"))
		func_name = member(s, "function")
		offset = member(s, "module_offset")
		sub(/^0x/, "", offset)
		is_signal = member(s, "kind") == "signal frame"
		number = member(s, "n")
		return
	}
	t = s
	sub(/^ *#/, "", t)
	number = t + 0
	sub(/^[0-9]+ pc /, "", t)
	pc = wide(substr(t, 1, 16))
	t = substr(t, 18)
	is_signal = t ~ / <signal frame>$/
	sub(/ <[a-z ]+>$/, "", t)
	if (match(t, /\+0x[0-9a-f]+\)$/)) {
		offset = substr(t, RSTART + 3, RLENGTH - 4)
		if (match(t, /\+0x[0-9a-f]+ \(/))
			func_name = substr(t, 1, RSTART - 1)
	}
}

# The number of the module that pc is in, or one that there is not.
function module(i) {
	for (i = 1; i <= mods; i++)
		if (pc >= mstart[i] && pc < mend[i])
			break
	return i
}

# A path without what text says of the file behind it.
function bare(path) {
	if (!json)
		sub(/ \([^()\/]*\)$/, "", path)
	return path
}

# Whether that is the program's own, and not one of the system's libraries.
function is_own(i) {
	return i <= mods && (bare(mpath[i]) == bare(exe) ||
	    mpath[i] ~ /^\// && mpath[i] !~ /^\/(usr\/)?lib[0-9x]*\//)
}

# The key of the row's address in its file, or "".
function place(i, a) {
	i = module()
	if (offset == "" || i > mods || substr(mpath[i], 1, 1) != "/")
		return ""
	a = number + 0 == 0 || after_signal ? offset : less_one(offset)
	sub(/^0+/, "", a)
	return mid[i] "\t0x" (a == "" ? "0" : a) "\t" mpath[i]
}

function is_frame(s) {
	if (json)
		return s ~ /^ +([{]"tid".*)?[{]"n": [0-9]+, "pc": "0x/
	return (section == "backtrace" || section == "threads") &&
	    s ~ /^ +#[0-9]+ pc [0-9a-f]+ /
}

function read_module(s, n, part) {
	mods++
	if (json) {
		mstart[mods] = wide(member(s, "start"))
		mend[mods] = wide(member(s, "end"))
		mid[mods] = member(s, "build_id")
		mpath[mods] = member(s, "path")
	} else {
		sub(/^ +/, "", s)
		split(s, part, /[- ]/)
		mstart[mods] = wide(part[1])
		mend[mods] = wide(part[2])
		sub(/^[^ ]* bias [0-9a-f]+ /, "", s)
		mid[mods] = ""
		if (match(s, /^build-id [0-9a-f]+ /)) {
			mid[mods] = substr(s, 10, RLENGTH - 10)
			s = substr(s, RLENGTH + 1)
		}
		mpath[mods] = s
	}
	# a path that had to be escaped is looked up by its build-id only
	if (index(mpath[mods], "\\"))
		mpath[mods] = mid[mods] != "" ? "/" : ""
	if (mid[mods] == "")
		mid[mods] = "-"
}

# Which section a line begins or is in.
function note_section(s, r) {
	if (r == 1)
		json = s == "{"
	if (json ? match(s, /^"[a-z_]+": /) : match(s, /^[a-z]+:/)) {
		section = s
		sub(/^"/, "", section)
		sub(/[": ].*/, "", section)
		after_signal = 0
	}
}

# Printable, whatever it is: source files name themselves.
function clean(s) {
	gsub(/[^ -~]/, "?", s)
	return s
}

# As JSON has it; the escapes of a report's string are doubled there.
function demangled(name) {
	return name in nice ? shortened(nice[name]) : ""
}

# Where the brackets close that open at at.
function closing(s, at, depth, c) {
	for (; at <= length(s); at++) {
		c = substr(s, at, 1)
		if (c == "<")
			depth++
		else if (c == ">" && --depth == 0)
			return at
	}
	return 0
}

# Without the arguments of templates that are what they are by default, where
# that is asked for.
function shortened(s, i, at, end) {
	if (!short)
		return s
	gsub(/std::(__cxx11|__1)::/, "std::", s)
	gsub(/\[abi:[a-z0-9]+\]/, "", s)
	for (i = 1; i <= defaults; i++)
		while ((at = index(s, by_default[i])) > 0) {
			end = closing(s, at)
			if (end == 0)
				return s
			s = substr(s, 1, at - 1) substr(s, end + 1)
		}
	gsub(/ +>/, ">", s)
	gsub(/std::basic_string<char>/, "std::string", s)
	gsub(/std::basic_ostream<char>/, "std::ostream", s)
	gsub(/std::basic_istream<char>/, "std::istream", s)
	return s
}

# A type without what the demangler says of "_ZTS".
function type_name(name) {
	name = demangled("_ZTS" name)
	return sub(/^typeinfo name for /, "", name) ? shown(name) : ""
}

function shown(s) {
	return json ? quote(clean(s)) : clean(s)
}

# The value of a key of the first block, as it stands there; "": another line.
function value_of(s, key, head) {
	head = json ? "\"" key "\": \"" : key ": "
	if (index(s, head) != 1)
		return ""
	s = substr(s, length(head) + 1)
	if (json)
		sub(/",?$/, "", s)
	return s
}

# The word i of a cause where that is a mangled function: behind "in" or
# "called from", and not among the program's own words.
function cause_name(part, i, name) {
	name = part[i]
	sub(/,$/, "", name)
	return (part[1] !~ /^abort/ || part[2] == "by") &&
	    (part[i - 1] == "in" || part[i - 1] == "from") &&
	    name ~ /^_[ZRD][A-Za-z0-9_.$]+$/ ? name : ""
}

# A cause with names for a reader.  The type in it is the one that the next
# line tells.
function nice_cause(s, type, i, n, part, name, out) {
	n = split(s, part, / /)
	out = part[1]
	for (i = 2; i <= n; i++) {
		name = cause_name(part, i)
		if (name != "" && demangled(name) != "")
			part[i] = shown(demangled(name)) \
			    substr(part[i], length(name) + 1)
		out = out " " part[i]
	}
	if (type != "" && type_name(type) != "" && match(out, exception_words) &&
	    substr(out, RLENGTH + 1, length(type)) == type)
		out = substr(out, 1, RLENGTH) type_name(type) \
		    substr(out, RLENGTH + 1 + length(type))
	return out == s ? "" : out
}

# A line of the first block, NEXT the one behind it, with what can be said more
# plainly.
function first_block(s, next_line, key, plain_words) {
	if (value_of(s, "cause") != "") {
		key = "cause"
		plain_words = nice_cause(value_of(s, key),
		    value_of(next_line, "exception"))
	} else if (value_of(s, "exception") != "") {
		key = "exception"
		plain_words = type_name(value_of(s, key))
	}
	if (plain_words == "")
		return s
	if (!json)
		return key ": " plain_words
	return s "\n\"" key "_demangled\": \"" plain_words "\","
}

# Adds what of the first block is to be demangled.
function tell_first(s, i, n, part) {
	if (value_of(s, "exception") != "")
		tell("_ZTS" value_of(s, "exception"))
	n = split(value_of(s, "cause"), part, / /)
	for (i = 2; i <= n; i++)
		if (cause_name(part, i) != "")
			tell(cause_name(part, i))
}

function tell(name) {
	if (!(name in told))
		print "name\t" name
	told[name] = 1
}

function text_frame(s, k, i, at, indent) {
	at = index(s, " " func_name "+0x")
	if (at > 0 && demangled(func_name) != "")
		s = substr(s, 1, at) clean(demangled(func_name)) \
		    substr(s, at + 1 + length(func_name))
	match(s, /^ */)
	indent = substr(s, 1, RLENGTH) "      "
	if (first && section == "backtrace" && !marked &&
	    is_own(module()) && !is_std(demangled(func_name))) {
		marked = 1
		s = ">" substr(s, 2)
	}
	print (number + 0 == 0 && section == "backtrace" ? bold s plain : s)
	for (i = 1; i <= count[k]; i++)
		print bold indent clean(shortened(where_func[k, i])) " at " \
		    clean(where_line[k, i]) (i < count[k] ? ", inlined" : "") \
		    plain
}

# A frame, the functions inlined into it before.  What the program has of the
# C++ library is none of its own.
function short_frame(k, i, m, path, name) {
	i = module()
	m = is_own(i)
	path = i <= mods ? bare(mpath[i]) : "-"
	sub(/.*\//, "", path)
	for (i = 1; i <= count[k] || i == 1; i++) {
		name = shortened(where_func[k, i])
		if (i >= count[k])
			name = func_name in nice ? demangled(func_name) : func_name
		if (name == "")
			name = "??"
		print number + 0 "\t" clean(name) "\t" (m && is_std(name) ? \
		    "std" : clean(path)) "\t" (m && !is_std(name)) "\t" \
		    clean(where_line[k, i])
	}
}

function short_cause(s, next_line, cause, said) {
	cause = value_of(s, "cause")
	if (cause == "")
		return
	said = nice_cause(cause, value_of(next_line, "exception"))
	if (said == "")
		said = cause
	print "cause\t" clean(json ? unquote(said) : said)
}

function is_std(name) {
	return name ~ /^(std|__gnu_cxx|__cxxabiv1)::/
}

function json_frame(s, k, i, extra, at, head) {
	extra = ""
	if (demangled(func_name) != "")
		extra = ", \"demangled\": \"" quote(clean(demangled(func_name))) "\""
	if (count[k] > 0) {
		extra = extra ", \"source\": ["
		for (i = 1; i <= count[k]; i++)
			extra = extra (i > 1 ? ", " : "") "{\"function\": \"" \
			    quote(clean(where_func[k, i])) "\", \"line\": \"" \
			    quote(clean(where_line[k, i])) "\"}"
		extra = extra "]"
	}
	# the end of the first object that has no other in it
	at = index(s, "{\"n\": ")
	head = substr(s, 1, at - 1)
	s = substr(s, at)
	if (match(s, /^[{]("([^"\\]|\\.)*"|[^"{}])*[}]/))
		s = substr(s, 1, RLENGTH - 1) extra substr(s, RLENGTH)
	print head s
}

function text_line(s) {
	s = printable(s)
	if (s ~ /^cause: /)
		print red s plain
	else if (s ~ /^[a-z]+:( unavailable: .*)?$/ && section != "" && past)
		print bold s plain
	else
		print s
	if (s == "")
		past = 1
}

# Whether the line stands before the others.
function leads() {
	return r == 1 || section == "cause" || section == "backtrace"
}

# Every line, or those that come first, or the rest.
function walk(part, s, k) {
	section = ""
	past = 0
	for (r = 1; r <= NR; r++) {
		s = row[r]
		note_section(s, r)
		# the empty line behind the keys is behind both
		if (part != "" && (part == "first") != leads() &&
		    (s != "" || past))
			continue
		if (!is_frame(s)) {
			if (want == "frames")
				tell_first(s)
			else if (want == "short")
				short_cause(s, row[r + 1])
			else if (json)
				print first_block(s, row[r + 1])
			else
				text_line(first_block(s, row[r + 1]))
			continue
		}
		read_frame(s)
		if (number + 0 == 0)
			after_signal = 0
		k = place()
		after_signal = is_signal
		if (want == "report" && json)
			json_frame(s, k)
		else if (want == "report")
			text_frame(s, k)
		else if (want == "short") {
			if (section == "backtrace")
				short_frame(k)
		} else
			take(k)
	}
}

function take(k) {
	if (k != "" && !(k in told)) {
		told[k] = 1
		print "at\t" k
	}
	if (func_name ~ /^_[ZRD]/)
		tell(func_name)
}

BEGIN {
	exception_words = "^aborted(: uncaught|: std::terminate\\(\\) in the" \
	    " handler of| while handling) "
	defaults = split(", std::allocator<, std::char_traits<, std::less<" \
	    ", std::equal_to<, std::hash<, std::default_delete<", by_default,
	    /, /)
	for (i = 1; i < defaults; i++)
		by_default[i] = ", " by_default[i + 1]
	defaults--
	while (names != "" && (getline line < names) > 0)
		if (split(line, f, "\t") == 2)
			nice[f[1]] = f[2]
	while (lines != "" && (getline line < lines) > 0)
		if (split(line, f, "\t") == 5) {
			k = f[1] "\t" f[2] "\t" f[3]
			count[k]++
			where_func[k, count[k]] = f[4]
			where_line[k, count[k]] = f[5]
		}
}

# The modules come after the frames that need them, so all is kept.
{
	row[NR] = $0
	note_section($0, NR)
	if (section == "exe" && exe == "") {
		exe = $0
		if (json)
			exe = member("{" $0, "exe")
		sub(/^exe: /, "", exe)
		sub(/ \(deleted\)$/, "", exe)
	}
	if (section == "modules" &&
	    (json ? /^ +[{]"start": / : /^ +[0-9a-f]+-[0-9a-f]+ bias /))
		read_module($0)
}

END {
	if (want == "modules") {
		for (i = 1; i <= mods; i++)
			print mid[i] "\t" mpath[i]
		exit
	}
	if (want == "report" && first && !json) {
		walk("first")
		walk("rest")
	} else
		walk("")
}
