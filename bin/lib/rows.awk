# rows.awk: rows of reports.awk -> JSON.  Part of crashlogctl.
#
#   awk -f text.awk -f keys.awk -f rows.awk

function member(name, v, plain) {
	if (v == "-")
		return ""
	if (plain && is_number(v))
		return ", \"" name "\": " v
	return ", \"" name "\": \"" quote(v) "\""
}

BEGIN {
	FS = "\t"
	printf "["
}

{
	o = "\"path\": \"" quote($14) "\""
	if ($1 != "-")
		o = o ", \"slot\": " $1 + 0
	o = o member("time", $2) member("host", $3) member("program", $13) \
	    member("pid", $4, 1) member("tid", $5, 1) member("comm", $6) \
	    member("exe", $7) member("uid", $8, 1) member("signal", $9, 1) \
	    member("signal_name", $10) member("cause", $11) \
	    member("signature", $12) member("unit", $16) \
	    member("user_unit", $17) member("container_id", $18) \
	    member("package", $19) member("note", $20)
	printf "%s\n {%s, \"count\": %d}", (NR > 1 ? "," : ""), o, $15
}

END { print (NR > 0 ? "\n]" : "]") }
