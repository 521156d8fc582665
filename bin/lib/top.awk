# top.awk: crashes per program and per signature.  Part of crashlogctl.
#
#   awk -v most= -v columns= -v bold= -v red= -v plain= -f text.awk -f top.awk
#
# On stdin rows of reports.awk, the newest first.

function bar(n, max, len, s) {
	len = int(n * 40 / max + 0.5)
	s = ""
	while (len-- > 0)
		s = s "#"
	return red (s == "" ? "#" : s) plain
}

# by count, then the one that crashed last
function show(title, count, order, text, n, i, k, best, done, max) {
	printf "%s%s%s\n", bold, title, plain
	for (k = 1; k <= most; k++) {
		best = ""
		for (i = 1; i <= n; i++)
			if (!(order[i] in done) && (best == "" ||
			    count[order[i]] > count[best]))
				best = order[i]
		if (best == "")
			break
		done[best] = 1
		if (k == 1)
			max = count[best]
		printf "%5d  %s  %s\n", count[best],
		    bar(count[best], max) pad(count[best], max),
		    cut(text[best], columns ? columns - 50 : 0)
	}
	if (n > most)
		printf "       and %d more\n", n - most
}

function pad(n, max, len) {
	len = 40 - int(n * 40 / max + 0.5)
	if (len > 39)
		len = 39
	return sprintf("%" (len + 1) "s", "")
}

BEGIN { FS = "\t" }

{
	rows++
	if (rows == 1)
		last = $2
	first = $2
	p = $13 ""
	if (!(p in programs)) {
		byprogram[++np] = p
		ptext[p] = p
	}
	programs[p]++
	s = $12 ""
	if (!(s in signatures)) {
		bysignature[++ns] = s
		stext[s] = s "  " $13 ": " $11
	}
	signatures[s]++
}

END {
	if (rows == 0)
		exit
	printf "%d reports, %s to %s\n\n", rows, first, last
	show("programs", programs, byprogram, ptext, np)
	print ""
	show("signatures", signatures, bysignature, stext, ns)
}
