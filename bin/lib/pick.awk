# pick.awk: rows of reports.awk, the newest first -> those asked for.  Part of
# crashlogctl.
#
#   awk -v since= -v until= -v signal= -v uid= -v unit= -v container= \
#       -v host= -v most= -v oldest= -f pick.awk
#
# What is empty asks for nothing.  $pick_words of the environment has the words
# of the command line, one a line; a row is asked for by any of them.  With
# how=1 the word and what it meant stand before each row, and behind all of
# them "?" and each word that meant none.

# What the word w means for this row; "" if it does not mean it.
function meaning(w, n) {
	if (w == "latest")
		return found == 0 ? "latest" : ""
	if (w ~ /^(slot|pid):[0-9]+$/) {
		n = substr(w, index(w, ":") + 1)
		if (w ~ /^s/)
			return slot == n + 0 ? "slot" : ""
		return $4 == n + 0 ? "pid" : ""
	}
	sub(/^usercrash_/, "", w)
	if (w ~ /^[0-9]+$/ && length(w) < 12) {
		if (slot == w + 0)
			return "slot"
		# as list writes a slot, and nobody a process
		if (w ~ /^0[0-9]/)
			return ""
		return $4 == w + 0 ? "pid" : ""
	}
	# text on both sides, or 0e10 were a number
	if ($12 "" == w "")
		return "signature"
	if ($14 "" == w "")
		return "file"
	exe = $7
	sub(/ \(deleted\)$/, "", exe)
	return $13 "" == w "" || exe "" == w "" || $6 "" == w "" ? "program" : ""
}

function plain_signal(s) {
	s = toupper(s)
	sub(/^SIG/, "", s)
	return s
}

function service(s) {
	sub(/\.service$/, "", s)
	return s
}

function wanted() {
	if (since != "" && $2 < since || until != "" && $2 > until ||
	    $2 == "-" && since until != "")
		return 0
	if (signal != "" && plain_signal($10) != plain_signal(signal) &&
	    $9 "" != signal "")
		return 0
	if (uid != "" && $8 "" != uid "")
		return 0
	if (unit != "" && service($16) "" != service(unit) "" &&
	    service($17) "" != service(unit) "")
		return 0
	if (host != "" && $3 "" != host "")
		return 0
	return container == "" || index($18, container) == 1
}

BEGIN {
	FS = "\t"
	words = split(ENVIRON["pick_words"], word, "\n")
	while (words > 0 && word[words] == "")
		words--
}

{
	slot = $1 == "-" ? -1 : $1 + 0
	if (!wanted())
		next
	by = ""
	for (i = 1; i <= words; i++)
		if ((m = meaning(word[i])) != "") {
			by = word[i] "\t" m
			meant[i] = 1
		}
	if (words > 0 && by == "")
		next
	found++
	row[found] = how ? (words > 0 ? by : "\tlatest") "\t" $0 : $0
}

END {
	if (!oldest)
		for (i = 1; i <= found && (most == "" || i <= most + 0); i++)
			print row[i]
	else
		for (i = found; i > 0 && (most == "" || found - i < most); i--)
			print row[i]
	for (i = 1; how && i <= words; i++)
		if (!(i in meant))
			print "?\t" word[i]
}
