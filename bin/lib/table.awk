# table.awk: lines with tabs -> columns.  Part of crashlogctl.
#
#   awk -v heads='SLOT:r WHEN ...' -v bold= -v plain= -v columns= \
#       -f text.awk -f table.awk
#
# Columns are as wide as what is in them; with ":r" right-aligned.  The last
# one is not padded, and cut where a line is longer than columns, if that is
# given: it ends in "...".

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
	return cut(out, columns)
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
