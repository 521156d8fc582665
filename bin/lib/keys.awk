# keys.awk: the keys of a report, text or JSON.  Part of crashlogctl, behind
# text.awk and before others: awk -f text.awk -f keys.awk -f ...
#
# What a report holds is one line a key, and printable already
# (usercrash-report(5)).

function is_number(s) {
	return s ~ /^(0|[1-9][0-9]*)$/ && length(s) < 16
}

function key_text(line, at) {
	at = index(line, ": ")
	if (at > 1)
		key[substr(line, 1, at - 1)] = substr(line, at + 2)
}

function key_json(line, at, value) {
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
			key_json(line)
		else if (n > 1)
			key_text(line)
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
	return printable(key[name])
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

# "NAME VERSION" of the package it came in.
function package(p) {
	p = value("package")
	return p == "-" || value("package_version") == "-" ? p : \
	    p " " value("package_version")
}
