/*
 * Where a process came from: its directories, its cgroup and what that tells,
 * its namespaces.
 */
#include <string.h>

#include "proc/cgpath.h"
#include "report/sections.h"

/* An item that is known and not empty, or NULL. */
static const struct buf *
known(const struct crash *c, enum proc_item i)
{
	if (c->pi == NULL || c->pi->item[i].err != 0 ||
	    c->pi->item[i].b.len == 0)
		return NULL;
	return &c->pi->item[i].b;
}

/* A path as those see it whose root directory is root, where it lies below. */
static void
path_inside(const struct buf *path, const struct buf *root, const char *key,
    struct out *o)
{
	if (path == NULL || path->len < root->len ||
	    memcmp(path->p, root->p, root->len) != 0)
		return;
	if (path->len == root->len)
		out_str(o, key, OUT_KEY, "/");
	else if (path->p[root->len] == '/')
		out_bytes(o, key, OUT_KEY, path->p + root->len,
		    path->len - root->len);
}

/* proc(5): links are told from where the reader stands. */
static void
dump_directories(const struct crash *c, struct out *o)
{
	const struct buf *cwd = known(c, PROC_CWD), *root = known(c, PROC_ROOT);

	if (cwd != NULL)
		out_bytes(o, "cwd", OUT_KEY, cwd->p, cwd->len);
	if (root == NULL || (root->len == 1 && *root->p == '/'))
		return;
	out_bytes(o, "root", OUT_KEY, root->p, root->len);
	path_inside(known(c, PROC_EXE), root, "exe_inside", o);
	path_inside(cwd, root, "cwd_inside", o);
}

static void
part(struct out *o, const char *key, struct cgpart p)
{
	if (p.n > 0)
		out_bytes(o, key, OUT_KEY, p.p, p.n);
}

static void
dump_cgroup(const struct crash *c, struct out *o)
{
	const struct buf *b = known(c, PROC_CGROUP);
	struct cgpath g;

	if (b == NULL) {
		key_unavailable(o, "cgroup",
		    c->pi == NULL
			? c->proc_why != NULL ? c->proc_why : "no process"
			: c->pi->item[PROC_CGROUP].err != 0
			? strerror(c->pi->item[PROC_CGROUP].err)
			: "in none");
		return;
	}
	cgpath_read(b->p, b->len, &g);
	out_bytes(o, "cgroup", OUT_KEY, g.path.p, g.path.n);
	part(o, "unit", g.unit);
	part(o, "slice", g.slice);
	part(o, "user_unit", g.user_unit);
	part(o, "user_slice", g.user_slice);
	if (*g.container != '\0')
		out_str(o, g.monitor ? "container_monitor" : "container_id",
		    OUT_KEY, g.container);
	if (*g.container != '\0' && g.runtime != NULL)
		out_str(o, "container_runtime", OUT_KEY, g.runtime);
	part(o, "container_unit", g.container_unit);
	if (*g.pod != '\0')
		out_str(o, "pod", OUT_KEY, g.pod);
}

/* Namespaces that are not the host's. */
static void
dump_namespaces(const struct crash *c, struct out *o)
{
	const struct procinfo *pi = c->pi;
	size_t i, n = 0;

	for (i = 0; pi != NULL && i < pi->nns; i++)
		n += pi->ns[i].foreign != 0;
	if (n == 0)
		return;
	out_obj(o, "container");
	out_text(o, "container:");
	for (i = 0; i < pi->nns; i++) {
		if (!pi->ns[i].foreign)
			continue;
		out_text(o, " %s:", pi->ns[i].name);
		out_u64(o, pi->ns[i].name, "", pi->ns[i].ino);
	}
	out_text(o, "\n");
	out_end(o);
	if (*pi->host != '\0')
		out_str(o, "container_host", OUT_KEY, pi->host);
}

void
dump_origin(const struct crash *c, struct out *o)
{
	dump_directories(c, o);
	dump_cgroup(c, o);
	dump_namespaces(c, o);
}

void
dump_package(const struct elf_package *k, struct out *o)
{
	static const char *const keys[PACKAGE_FIELDS] = {"name", "version",
	    "type", "os", "os_version", "architecture", "debuginfo_url"};
	size_t i;

	out_obj(o, "package");
	out_text(o, " package");
	for (i = 0; i < PACKAGE_FIELDS; i++)
		if (k->value[i][0] != '\0')
			out_str(o, keys[i],
			    i <= PACKAGE_VERSION ? " " : OUT_HIDE, k->value[i]);
	out_end(o);
}

void
dump_program_package(const struct crash *c, struct out *o)
{
	const struct target *t = c->t;
	struct elf_package k;
	size_t i;

	for (i = 0; i < t->nmods; i++)
		if (t->mods[i].isexec)
			break;
	if (i == t->nmods || !module_package(c->t, &t->mods[i], &k))
		return;
	out_str(o, "package", OUT_KEY, k.value[PACKAGE_NAME]);
	if (k.value[PACKAGE_VERSION][0] != '\0')
		out_str(
		    o, "package_version", OUT_KEY, k.value[PACKAGE_VERSION]);
	if (k.value[PACKAGE_TYPE][0] != '\0')
		out_str(o, "package_type", OUT_KEY, k.value[PACKAGE_TYPE]);
}
