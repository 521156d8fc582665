# reports.awk: reports -> one line each.  Part of crashlogctl.
#
#   awk -v want=tsv|json -f reports.awk <LIST
#
# LIST has the paths of reports, the newest first.  Both forms of report are
# read, as far as the keys go (usercrash(7)); what they hold is one line and
# printable already, and is escaped again only for JSON.
#
# tsv: slot time host pid tid comm exe uid signal signal-name cause signature
#      program path count      "-" where there is nothing
#
# A file that is no report has a program "?" and says so as its cause.

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
	gsub(/[\001-\037\177]/, "?", out)
	return out
}

function is_number(s) {
	return s ~ /^(0|[1-9][0-9]*)$/ && length(s) < 16
}

function text_line(line, at) {
	at = index(line, ": ")
	if (at > 1)
		key[substr(line, 1, at - 1)] = substr(line, at + 2)
}

function json_line(line, at, value) {
	if (!match(line, /^"[a-z_]+": /))
		return
	at = RLENGTH
	value = substr(line, at + 1)
	sub(/,$/, "", value)
	if (value ~ /^".*"$/)
		value = unquote(substr(value, 2, length(value) - 2))
	else if (value ~ /^[{[]/)
		return
	key[substr(line, 2, at - 4)] = value
}

# Reads the keys of a report into key[]; 0 if it is none.
function read_keys(path, line, n, json, got) {
	split("", key)
	n = json = 0
	while ((got = (getline line < path)) > 0) {
		n++
		if (n == 1 && line == "{")
			json = 1
		else if (n == 1 && line !~ /^usercrash report [0-9]/)
			break
		if (n > 200 || (json ? line ~ /^"backtrace"/ : line == ""))
			break
		if (json)
			json_line(line)
		else if (n > 1)
			text_line(line)
	}
	close(path)
	if (got < 0)
		why = "unable to read it"
	else if (n < 2 || json && key["format"] != "usercrash")
		why = "not a report"
	else
		return 1
	return 0
}

function value(name) {
	if (!(name in key) || key[name] == "" ||
	    key[name] ~ /^unavailable: /)
		return "-"
	gsub(/[\001-\037\177]/, "?", key[name])
	return key[name]
}

# The last part of the executable's path, or the name of the process.
function program(p) {
	p = value("exe")
	sub(/ \(deleted\)$/, "", p)
	sub(/.*\//, "", p)
	if (p == "" || p == "-")
		p = value("comm")
	return p
}

function member(name, v, plain) {
	if (v == "-")
		return ""
	if (plain && is_number(v))
		return ", \"" name "\": " v
	return ", \"" name "\": \"" quote(v) "\""
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
	    "\t" program() "\t" $0
}

END {
	if (want == "json")
		printf "["
	for (i = 1; i <= rows; i++) {
		n = split(tsv[i], f, "\t")
		count = f[11] in same ? same[f[11]] : 1
		if (want != "json") {
			print slot[i] "\t" tsv[i] "\t" count
			continue
		}
		o = "\"path\": \"" quote(path[i]) "\""
		if (slot[i] != "-")
			o = o ", \"slot\": " slot[i] + 0
		o = o member("time", f[1]) member("host", f[2]) \
		    member("program", f[12]) member("pid", f[3], 1) \
		    member("tid", f[4], 1) member("comm", f[5]) \
		    member("exe", f[6]) member("uid", f[7], 1) \
		    member("signal", f[8], 1) member("signal_name", f[9]) \
		    member("cause", f[10]) member("signature", f[11])
		printf "%s\n {%s, \"count\": %d}", (i > 1 ? "," : ""), o, count
	}
	if (want == "json")
		print (rows > 0 ? "\n]" : "]")
}
