# reports.awk: reports -> one line each.  Part of crashlogctl.
#
#   awk -v notes=FILE -f text.awk -f keys.awk \
#       -f time.awk -f reports.awk <LIST
#
# LIST has the paths of reports, the newest first; FILE what crashlogctl note
# was told, "TIME PID<tab>TEXT" a line.
#
# Tabs between: slot time host pid tid comm exe uid signal signal-name cause
# signature program path count unit user-unit container package note; "-"
# where there is nothing.
#
# Beside a report PATH.report of a received core PATH stands PATH.info, which
# knows what a core does not tell.  A file that is no report has a program "?" and says so as its cause.

# Keys that the report itself has not, from what was sent with the core; the
# time there is that of the crash, not of the file.
function add_info(path, line, at, name) {
	while ((getline line < path) > 0 && line != "") {
		at = index(line, ": ")
		name = substr(line, 1, at - 1)
		if (at < 2 || name == "signal" ||
		    value(name) != "-" && name != "time")
			continue
		key[name] = substr(line, at + 2)
		if (name == "time")
			key[name] = utc(key[name])
	}
	close(path)
}

BEGIN {
	while (notes != "" && (getline line < notes) > 0)
		if (at = index(line, "\t"))
			note[substr(line, 1, at - 1)] = substr(line, at + 1)
}

{
	rows++
	path[rows] = $0
	slot[rows] = $0
	if (!sub(/.*usercrash_/, "", slot[rows]) || slot[rows] !~ /^[0-9]+$/)
		slot[rows] = "-"
	if (!read_keys($0)) {
		split("", key)
		key["comm"] = "?"
		key["cause"] = why
	}
	if (sub(/\.report$/, ".info"))
		add_info($0)
	number = name = value("signal")
	if ("signal_name" in key)
		name = value("signal_name")
	else if (sub(/^[0-9]+ /, "", name) == 0)
		name = number
	sub(/ .*/, "", number)
	sig = value("signature")
	if (sig ~ /^[0-9a-f]+$/)
		same[sig]++
	tsv[rows] = value("time") "\t" value("host") "\t" value("pid") "\t" \
	    value("tid") "\t" value("comm") "\t" value("exe") "\t" \
	    value("uid") "\t" number "\t" name "\t" value("cause") "\t" sig \
	    "\t" program() "\t" path[rows]
	at = value("time") " " value("pid")
	more[rows] = value("unit") "\t" value("user_unit") "\t" \
	    value("container_id") "\t" package() "\t" \
	    (at in note ? printable(note[at]) : "-")
}

END {
	for (i = 1; i <= rows; i++) {
		split(tsv[i], f, "\t")
		print slot[i] "\t" tsv[i] "\t" \
		    (f[11] in same ? same[f[11]] : 1) "\t" more[i]
	}
}
