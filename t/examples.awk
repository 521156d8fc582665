# examples.awk: the examples of a manual page, in mdoc, as a script for t/box.bash.
#
# Every ".Bd -literal" and ".Dl" of its EXAMPLES, and of "YOUR FIRST CRASH", is
#	example NUMBER		and then, of what it has,
#	step PROMPT COMMAND	what stands behind "# " or "$ ", as one word, with
#				the lines "> " and those behind a "\" that go on
#	says TEXT		the lines below a command that are no command
#	text TEXT		an example without a prompt, whole
# Nothing else is known of a page, so what is added to one is run as well.

function quoted(s) {
	gsub(/'/, "'\\''", s)
	return "'" s "'"
}

# What mandoc(1) would print of a line.
function shown(s) {
	gsub(/\\&/, "", s)
	gsub(/\\\(aq/, "'", s)
	gsub(/\\-/, "-", s)
	gsub(/\\e/, "\\", s)
	return s
}

function add(to, s) {
	return to == "" ? s : to "\n" s
}

function end_command() {
	if (command != "")
		print "step " quoted(prompt) " " quoted(command)
	if (said != "")
		print "says " quoted(said)
	command = said = ""
}

function end_example() {
	end_command()
	if (plain != "")
		print "text " quoted(plain)
	plain = ""
	inside = 0
}

function begin_example() {
	print "example " ++number
	inside = 1
	prompt = plain = ""
}

function line(s) {
	s = shown(s)
	if (s ~ /^[#$] /) {
		end_command()
		prompt = substr(s, 1, 1)
		command = substr(s, 3)
	} else if (prompt != "" && s ~ /^> /) {
		command = command "\n" substr(s, 3)
	} else if (prompt != "" && command ~ /\\$/) {
		command = command "\n" s
	} else if (prompt != "") {
		said = add(said, s)
	} else {
		plain = add(plain, s)
	}
}

/^\.Sh / { on = /^\.Sh (EXAMPLES|YOUR FIRST CRASH)$/ }
!on { next }
/^\.Bd -literal/ { begin_example(); next }
/^\.Ed/ { end_example(); next }
/^\.Dl / { begin_example(); line(substr($0, 5)); end_example(); next }
inside { line($0) }
