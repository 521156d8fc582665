# table.awk: lines with tabs -> columns.  Part of crashlogctl.
#
#   awk -v heads='SLOT:r WHEN ...' -v bold=... -v plain=... -f table.awk
#
# Columns are as wide as what is in them; with ":r" right-aligned.  Nothing is
# cut, and the last one is not padded.  Width is counted in characters, under
# whatever locale: bytes that go on with a character of UTF-8 do not count.

function width(s) {
	gsub(/[\200-\277]/, "", s)
	return length(s)
}

function pad(n, s) {
	s = sprintf("%" (n > 0 ? n : 0) "s", "")
	return n > 0 ? s : ""
}

function row(line, i, n, cell, out) {
	n = split(line, cell, "\t")
	out = ""
	for (i = 1; i <= cols; i++) {
		if (right[i])
			cell[i] = pad(wide[i] - width(cell[i])) cell[i]
		else if (i < cols)
			cell[i] = cell[i] pad(wide[i] - width(cell[i]))
		out = out (i > 1 ? "  " : "") cell[i]
	}
	return out
}

BEGIN {
	cols = split(heads, h, " ")
	for (i = 1; i <= cols; i++) {
		right[i] = sub(/:r$/, "", h[i])
		wide[i] = length(h[i])
		head = head (i > 1 ? "\t" : "") h[i]
	}
}

{
	lines[++rows] = $0
	n = split($0, cell, "\t")
	for (i = 1; i <= n && i <= cols; i++)
		if (width(cell[i]) > wide[i])
			wide[i] = width(cell[i])
}

END {
	if (rows == 0)
		exit
	print bold row(head) plain
	for (i = 1; i <= rows; i++)
		print row(lines[i])
}
