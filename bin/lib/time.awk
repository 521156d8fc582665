# time.awk: times of people and of the kernel -> those of reports.  Part of
# crashlogctl.
#
#   awk -v word=WORD -v now=SECONDS -f time.awk
#	"@SECONDS" since the Epoch for "now", "-2h", "-1h30min", "2 days ago",
#	"@SECONDS" and RFC 3339 with a zone; nothing for others, which are
#	local and date(1)'s
#   utc(SECONDS)	as in 2026-11-21T05:22:31Z

function utc(t, d, y, m, n, leap) {
	if (t !~ /^[0-9]+$/)
		return t
	d = int(t / 86400)
	t %= 86400
	for (y = 1970; ; y++) {
		leap = y % 4 == 0 && y % 100 != 0 || y % 400 == 0
		if (d < 365 + leap)
			break
		d -= 365 + leap
	}
	for (m = 1; ; m++) {
		n = m == 2 ? 28 + leap : m == 4 || m == 6 || m == 9 || \
		    m == 11 ? 30 : 31
		if (d < n)
			break
		d -= n
	}
	return sprintf("%04d-%02d-%02dT%02d:%02d:%02dZ", y, m, d + 1,
	    int(t / 3600), int(t % 3600 / 60), t % 60)
}

# days from the Epoch to a date, as a year that begins in March counts them
function days(y, m, d) {
	if (m < 3) {
		y--
		m += 12
	}
	return 365 * y + int(y / 4) - int(y / 100) + int(y / 400) + \
	    int((153 * (m - 3) + 2) / 5) + d - 719469
}

# "1h30min", "2 days" -> seconds; -1 if it is none
function span(s, total, n, unit) {
	gsub(/ /, "", s)
	if (s == "")
		return -1
	total = 0
	while (s != "") {
		if (!match(s, /^[0-9]+/))
			return -1
		n = substr(s, 1, RLENGTH) + 0
		s = substr(s, RLENGTH + 1)
		match(s, /^[a-zA-Z]*/)
		unit = substr(s, 1, RLENGTH)
		s = substr(s, RLENGTH + 1)
		if (unit == "" && total == 0 && s == "")
			unit = "s"
		if (!(unit in seconds))
			return -1
		total += n * seconds[unit]
	}
	return total
}

function is_rfc3339(s, form) {
	form = s
	gsub(/[0-9]/, "9", form)
	sub(/\.9+/, "", form)
	return form ~ /^9999-99-99[Tt ]99:99:99([Zz]|[-+]99:?99)$/
}

function rfc3339(s, zone, sign) {
	zone = substr(s, 20)
	sub(/^\.[0-9]+/, "", zone)
	gsub(/:/, "", zone)
	sign = substr(zone, 1, 1) == "-" ? -1 : 1
	return days(substr(s, 1, 4) + 0, substr(s, 6, 2) + 0, \
	    substr(s, 9, 2) + 0) * 86400 + substr(s, 12, 2) * 3600 + \
	    substr(s, 15, 2) * 60 + substr(s, 18, 2) - (zone ~ /^[zZ]/ ? 0 : \
	    sign * (substr(zone, 2, 2) * 3600 + substr(zone, 4, 2) * 60))
}

function units(list, n, i, part, name, k) {
	n = split(list, part, " ")
	for (i = 1; i < n; i += 2) {
		k = split(part[i + 1], name, ",")
		for (; k > 0; k--)
			seconds[name[k]] = part[i]
	}
}

BEGIN {
	if (word != "") {
		units("1 s,sec,secs,second,seconds" \
		    " 60 m,min,mins,minute,minutes 3600 h,hr,hour,hours" \
		    " 86400 d,day,days 604800 w,week,weeks" \
		    " 2629800 M,month,months 31557600 y,year,years")
		t = ""
		if (word == "now")
			t = now
		else if (word ~ /^@[0-9]+$/)
			t = substr(word, 2)
		else if (word ~ /^-/ || word ~ / *ago$/) {
			sub(/^-/, "", word)
			sub(/ *ago$/, "", word)
			t = span(word)
			t = t < 0 ? "" : t > now ? 0 : now - t
		} else if (is_rfc3339(word))
			t = rfc3339(word)
		if (t != "")
			printf "@%d\n", t
		exit
	}
}
