# text.awk: what is printed and how wide it is.  Part of crashlogctl, before
# others: awk -f text.awk -f ...

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

# Width is counted in characters, under whatever locale: bytes that go on with
# a character of UTF-8 do not count.
function width(s) {
	gsub(/[\200-\277]/, "", s)
	return length(s)
}

# the first n characters
function leading(s, n, i, c) {
	for (i = 1; i <= length(s); i++) {
		c = substr(s, i, 1)
		if (c !~ /[\200-\277]/ && n-- == 0)
			break
	}
	return substr(s, 1, i - 1)
}

# s in n columns; n 0 or empty: as it is
function cut(s, n) {
	return n > 3 && width(s) > n ? leading(s, n - 3) "..." : s
}
