# cores.awk: cores -> rows as those of reports.  Part of crashlogctl.
#
#   awk -f text.awk -f keys.awk -f time.awk -f cores.awk <LIST
#
# LIST has "KIB<tab>PATH" of each.  What is known of a core stands in PATH.info,
# "key: value" a line up to an empty one.

{
	split("", key)
	at = index($0, "\t")
	kib = substr($0, 1, at - 1)
	path = substr($0, at + 1)
	info = path ".info"
	while ((getline line < info) > 0 && line != "")
		key_text(line)
	close(info)
	name = value("signal")
	if (!("comm" in key) && !("exe" in key))
		key["comm"] = "-"
	print "-\t" utc(value("time")) "\t" value("host") "\t" value("pid") \
	    "\t" value("tid") "\t" value("comm") "\t" value("exe") "\t" \
	    value("uid") "\t" name "\t" name "\t-\t-\t" program() "\t" \
	    path "\t" sprintf("%.1f", kib / 1024) "\t-\t-\t-\t" \
	    (path ~ /\.part$/ ? "partial" : "complete") "\t-"
}
