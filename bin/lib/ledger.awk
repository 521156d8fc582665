# ledger.awk: crashes over time.  Part of crashlogctl.
#
#   awk -v by=hour|day|month -v from= -v to= -v most= -v form=table|tsv \
#       -f text.awk -f ledger.awk <LEDGER
#	crashes per time and signature, of the most frequent ones
#   awk -v mark=TIME -v name= -v most= ... -f text.awk -f ledger.awk <LEDGER
#	which signatures came after that time, and which have gone
#
# LEDGER has "TIME PROGRAM SIGNAL SIGNATURE UID CAUSE", tabs between, the oldest
# first (src/slots/ledger.h).

function text(s) {
	return cut(printable(s "  " said[s]), columns)
}

# The order of signatures by count[], then the one seen last: order[1..n].
function rank(n, i, k, best) {
	for (i = 1; i <= signatures; i++)
		order[i] = seen[i]
	n = signatures < most ? signatures : most
	for (k = 1; k <= n; k++) {
		best = k
		for (i = k + 1; i <= signatures; i++)
			if (count[order[i]] > count[order[best]] ||
			    count[order[i]] == count[order[best]] &&
			    last[order[i]] > last[order[best]])
				best = i
		i = order[k]
		order[k] = order[best]
		order[best] = i
	}
	return n
}

function bar(n, s) {
	n = int(n * 40 / highest + 0.5)
	s = sprintf("%" (n > 0 ? n : 1) "s", "")
	gsub(/ /, "#", s)
	return red s plain
}

function show_by(k, n, i, s, c) {
	n = rank()
	if (form == "tsv") {
		for (i = 1; i <= times; i++)
			for (k = 1; k <= n; k++)
				if ((c = at[time[i], order[k]]) > 0)
					print time[i] "\t" order[k] "\t" c "\t" \
					    printable(program[order[k]])
		return
	}
	printf "%d crashes, %s to %s, by %s (UTC)\n", rows, first, newest, by
	for (k = 1; k <= n; k++) {
		s = order[k]
		print "\n" bold text(s) plain
		for (i = 1; i <= times; i++)
			if ((c = at[time[i], s]) > 0)
				printf "  %s %6d  %s\n", time[i], c, bar(c)
	}
	if (n < signatures)
		printf "\nand %d more signatures\n", signatures - n
}

function show_some(title, want, i, n) {
	for (i = 1; i <= signatures; i++)
		if (kind(seen[i]) == want && ++n <= most) {
			if (n == 1)
				print "\n" bold title plain
			printf "%6d  %s\n", want == "gone" ? \
			    count[seen[i]] : after[seen[i]],
			    cut(text(seen[i]), columns ? columns - 8 : 0)
		}
	if (n > most)
		printf "        and %d more\n", n - most
}

function kind(s) {
	return s in before ? s in after ? "both" : "gone" : "new"
}

function show_since(i, fresh, gone) {
	for (i = 1; i <= signatures; i++) {
		fresh += kind(seen[i]) == "new"
		gone += kind(seen[i]) == "gone"
	}
	printf "since %s%s: %d crashes, %d new signatures, %d gone\n", name,
	    name == mark ? "" : " (" mark ")", later, fresh, gone
	show_some("new", "new")
	show_some("still", "both")
	show_some("gone", "gone")
}

BEGIN {
	FS = "\t"
	wide = by == "hour" ? 13 : by == "day" ? 10 : 7
}

NF < 6 || from != "" && $1 < from || to != "" && $1 > to { next }

{
	rows++
	if (rows == 1)
		first = $1
	newest = $1
	s = $4 ""
	if (!(s in count))
		seen[++signatures] = s
	count[s]++
	last[s] = $1
	program[s] = $2
	said[s] = $2 ": " ($6 == "-" ? $3 : $6)
	if (mark != "" && $1 < mark)
		before[s] = 1
	else if (mark != "") {
		after[s]++
		later++
	}
	t = substr($1, 1, wide)
	if (!(t in times_seen)) {
		times_seen[t] = 1
		time[++times] = t
	}
	if (++at[t, s] > highest)
		highest = at[t, s]
}

END {
	if (mark != "")
		show_since()
	else if (rows > 0)
		show_by()
}
