/* Keys of the first block, for the files that write them. */
#include "report/sections.h"

void
key_unavailable(struct out *o, const char *key, const char *why)
{
	out_obj(o, key);
	out_text(o, "%s: ", key);
	out_str(o, "unavailable", "unavailable: ", why);
	out_text(o, "\n");
	out_end(o);
}
