# info.awk: one screen about one report.  Part of crashlogctl.
#
#   awk -v form=text|json -v all=FILE -v short=FILE -v now=SECONDS -v user= \
#       -v store= -v kib= -v gdb= -v bold= -v red= -v dim= -v plain= \
#       -f text.awk -f keys.awk -f time.awk -f info.awk <ROW
#
# ROW is one of reports.awk, all has those of all reports, short the frames
# (frames.awk).  $info_core of the environment is the path of the core; kib how
# big that is, store where cores are kept.

function line(name, text) {
	if (text != "")
		printf "  %-10s %s\n", name, text
}

# " before TEXT after", if there is one
function with(before, name, after, v) {
	v = value(name)
	return v == "-" ? "" : before v after
}

function join(a, b) {
	return a == "" || b == "" ? a b : a ", " b
}

function ago(t, d) {
	if (!is_rfc3339(t))
		return ""
	d = now - rfc3339(t)
	if (d < 0)
		return ""
	if (d < 120)
		return " (" d " s ago)"
	if (d < 7200)
		return " (" int(d / 60) " min ago)"
	if (d < 172800)
		return " (" int(d / 3600) " h ago)"
	return " (" int(d / 86400) " days ago)"
}

# The others of its signature: how many, since when, until when.
function read_same(signature, r, f) {
	same = 0
	oldest = newest = value("time")
	while ((getline r < all) > 0) {
		split(r, f, "\t")
		if (f[12] "" != signature "")
			continue
		same++
		if (f[2] < oldest)
			oldest = f[2]
		if (f[2] > newest)
			newest = f[2]
	}
}

function where(w) {
	w = join(with("host ", "host"), with("container host ", "container_host"))
	w = join(w, with("unit ", "user_unit") != "" ? \
	    with("unit ", "user_unit") : with("unit ", "unit"))
	if (value("container_id") != "-")
		w = join(w, with("", "container_runtime", " ") "container " \
		    substr(value("container_id"), 1, 12))
	return join(w, with("pod ", "pod"))
}

function who(w) {
	w = with("pid ", "pid")
	if (value("tid") != value("pid"))
		w = join(w, with("thread ", "tid"))
	if (value("thread") != "-" && value("thread") != value("comm"))
		w = join(w, "\"" value("thread") "\"")
	w = join(w, with("uid ", "uid"))
	return user == "" ? w : w " (" user ")"
}

# Frames of the system that stand together become one line.
function fold(n, list, i, m, f, seen) {
	if (n == 0)
		return
	if (n == 1) {
		show_frame(folded[1])
		return
	}
	list = ""
	for (i = 1; i <= n; i++) {
		split(folded[i], f, "\t")
		m = f[3]
		sub(/\.so.*/, "", m)
		if (m in seen)
			continue
		seen[m] = 1
		list = join(list, m)
	}
	printf "      ... %d frames of %s\n", n, list
}

function show_frame(row, f, mark, at) {
	split(row, f, "\t")
	mark = f[4] && !marked ? ">" : " "
	if (f[4])
		marked = 1
	at = f[5] != "" ? f[5] : f[3] == "-" ? "" : "(" f[3] ")"
	printf "%s%s #%-2d %s%s%s\n", mark == ">" ? bold : "", mark, f[1], f[2],
	    at == "" ? "" : "  " at, mark == ">" ? plain : ""
}

function show_frames(n, i, f, shown) {
	if (total == 0) {
		print "  no frames: " why_none()
		return
	}
	for (i = 1; i <= total && shown < 16; i++) {
		split(frame[i], f, "\t")
		# where it crashed stands for itself
		if (!f[4] && (i > 1 || $10 == "SIGABRT")) {
			folded[++n] = frame[i]
			continue
		}
		fold(n)
		n = 0
		show_frame(frame[i])
		shown++
	}
	fold(n)
	if (i <= total)
		printf "      ... and %d more\n", total - i + 1
}

function why_none(v) {
	v = key["backtrace"]
	sub(/^unavailable: /, "", v)
	return v == "" ? "see crashlogctl show" : v
}

function core_text(core) {
	core = ENVIRON["info_core"]
	if (core != "")
		return sprintf("%s (%.1f MiB)", core, kib / 1024)
	return store == "" ? "none: no local store" : "none in " store
}

function text(which) {
	which = $1 == "-" ? $14 : $1
	print bold red program() ": " (cause != "" ? \
	    cause : value("signal")) plain
	line("when", value("time") ago(value("time")))
	line("where", where())
	line("program", join(value("exe"), with("package ", "package", \
	    with(" ", "package_version"))))
	line("signal", value("signal"))
	line("who", who())
	if (value("signature") ~ /^[0-9a-f]+$/)
		line("signature", value("signature") ", " (same < 2 ? \
		    "the only one here" : same " here, " oldest " to " newest))
	line("said", join(with("", "abort_message"), with("", "exception_text")))
	line("note", $20 == "-" ? "" : $20)
	print ""
	show_frames()
	print ""
	line("report", $14)
	line("core", core_text())
	line("next", "crashlogctl " (ENVIRON["info_core"] != "" && gdb != "" ? \
	    "gdb " : "show ") which)
}

function member(name, v) {
	if (v != "" && v != "-")
		out = out (out == "" ? "" : ",\n ") "\"" name "\": " \
		    (is_number(v) ? v : "\"" quote(v) "\"")
}

function json(i, n, name, f, frames) {
	out = ""
	n = split("time host program exe pid tid thread comm uid signal" \
	    " signal_name cause signature package package_version unit" \
	    " user_unit container_id container_runtime container_host pod" \
	    " abort_message exception exception_text", name, " ")
	for (i = 1; i <= n; i++)
		member(name[i], name[i] == "program" ? program() : \
		    name[i] == "cause" ? cause : \
		    name[i] == "signal" ? $9 : name[i] == "signal_name" ? $10 : \
		    value(name[i]))
	member("user", user)
	member("count", same)
	member("oldest", oldest)
	member("newest", newest)
	member("note", $20)
	member("report", $14)
	member("core", ENVIRON["info_core"])
	for (i = 1; i <= total; i++) {
		split(frame[i], f, "\t")
		frames = frames (frames == "" ? "\n" : ",\n") "  {\"n\": " f[1] \
		    ", \"function\": \"" quote(f[2]) "\", \"module\": \"" \
		    quote(f[3]) "\", \"own\": " (f[4] ? "true" : "false") \
		    (f[5] == "" ? "" : ", \"line\": \"" quote(f[5]) "\"") "}"
	}
	print "{" out ",\n \"frames\": [" frames "]}"
}

BEGIN { FS = "\t" }

{
	if (!read_keys($14)) {
		split("", key)
		key["comm"] = "?"
		cause = why
	}
	# what was sent with a core knows more
	key["time"] = $2
	key["host"] = $3
	while ((getline r < short) > 0)
		if (r ~ /^cause\t/)
			cause = substr(r, 7)
		else
			frame[++total] = r
	read_same(value("signature"))
	if (form == "json")
		json()
	else
		text()
}
