/*
 * Sources of the names: systemd's src/basic/cgroup-util.c and "The New Control
 * Group Interfaces"; the runtime-spec's systemd form SLICE:PREFIX:NAME, which
 * becomes SLICE/PREFIX-NAME.scope; kubelet's kubepods and podUID; podman's
 * libpod- and cri-o's crio- scopes with their conmon; lxc.container.conf(5),
 * lxc.cgroup.dir.
 */
#include "proc/cgpath.h"

#include <string.h>

#include "base/bytes.h"

enum { ID = 64 }; /* hexadecimal digits of a container's id (SHA-256) */

static int
starts(struct cgpart c, const char *s)
{
	size_t n = strlen(s);

	return c.n >= n && memcmp(c.p, s, n) == 0;
}

static int
ends(struct cgpart c, const char *s)
{
	size_t n = strlen(s);

	return c.n > n && memcmp(c.p + c.n - n, s, n) == 0;
}

static int
is(struct cgpart c, const char *s)
{
	return c.n == strlen(s) && memcmp(c.p, s, c.n) == 0;
}

static struct cgpart
without(struct cgpart c, size_t head, size_t tail)
{
	return (struct cgpart){c.p + head, c.n - head - tail};
}

static int
made_of(struct cgpart c, const char *set)
{
	size_t i;

	for (i = 0; i < c.n; i++)
		if (c.p[i] == '\0' || strchr(set, c.p[i]) == NULL)
			return 0;
	return 1;
}

static int
is_id(struct cgpart c)
{
	return c.n == ID && made_of(c, "0123456789abcdef");
}

/* The next name of a path; 0 at its end. */
static int
next_name(struct cgpart *rest, struct cgpart *c)
{
	const char *slash;

	while (rest->n > 0 && *rest->p == '/')
		*rest = without(*rest, 1, 0);
	slash = memchr(rest->p, '/', rest->n);
	*c = *rest;
	if (slash != NULL)
		c->n = (size_t)(slash - rest->p);
	*rest = without(*rest, c->n, 0);
	return c->n > 0;
}

/* systemd.unit(5); the manager puts a '_' before what the kernel might take
 * for a file of its own. */
static int
is_unit(struct cgpart *c, const char *const *kinds, size_t n)
{
	static const char set[] = "abcdefghijklmnopqrstuvwxyz"
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "0123456789:-_.\\@";
	struct cgpart u = *c;
	size_t i;

	if (starts(u, "_"))
		u = without(u, 1, 0);
	if (u.n >= CGPATH_NAME || !made_of(u, set))
		return 0;
	for (i = 0; i < n; i++)
		if (ends(u, kinds[i])) {
			*c = u;
			return 1;
		}
	return 0;
}

static int
is_slice(struct cgpart *c)
{
	static const char *const kinds[] = {".slice"};

	return is_unit(c, kinds, NELEM(kinds));
}

static int
is_leaf(struct cgpart *c)
{
	static const char *const kinds[] = {
	    ".service", ".scope", ".socket", ".mount", ".swap"};

	return is_unit(c, kinds, NELEM(kinds));
}

/* Slices and the unit below them, as one manager makes them. */
static void
read_units(struct cgpart *rest, struct cgpart *slice, struct cgpart *unit)
{
	struct cgpart c, before = *rest;

	while (next_name(rest, &c)) {
		if (is_slice(&c)) {
			*slice = c;
		} else if (is_leaf(&c)) {
			*unit = c;
			return;
		} else if (!is(c, "..")) { /* above our cgroup namespace */
			*rest = before;
			return;
		}
		before = *rest;
	}
}

static void
read_managers(struct cgpart path, struct cgpath *g)
{
	read_units(&path, &g->slice, &g->unit);
	if (starts(g->unit, "user@") && ends(g->unit, ".service"))
		read_units(&path, &g->user_slice, &g->user_unit);
}

static int
hex(char c)
{
	const char *at, digits[] = "0123456789abcdef";

	at = c == '\0' ? NULL : strchr(digits, c);
	return at == NULL ? -1 : (int)(at - digits);
}

/* Copies a name, with \xNN of systemd.unit(5) undone where unescape says so;
 * what would be a NUL stays as it is. */
static void
copy_name(char out[CGPATH_NAME], struct cgpart c, int unescape)
{
	size_t i, n = 0;
	int byte;

	for (i = 0; i < c.n && n < CGPATH_NAME - 1; i++) {
		out[n] = c.p[i];
		if (unescape && c.n - i >= 4 && c.p[i] == '\\' &&
		    c.p[i + 1] == 'x' && hex(c.p[i + 2]) >= 0 &&
		    hex(c.p[i + 3]) >= 0) {
			byte = hex(c.p[i + 2]) << 4 | hex(c.p[i + 3]);
			if (byte != 0) {
				out[n] = (char)byte;
				i += 3;
			}
		}
		n++;
	}
	out[n] = '\0';
}

static int
found(struct cgpath *g, struct cgpart id, const char *runtime, int monitor)
{
	if (id.n == 0 || id.n >= CGPATH_NAME)
		return 0;
	copy_name(g->container, id, 0);
	g->runtime = runtime;
	g->monitor = monitor;
	return 1;
}

static const struct {
	const char *prefix, *runtime;
	int monitor, named; /* named: the id may be any name */
} prefixed[] = {
    {"docker-", "docker", 0, 0},
    {"libpod-conmon-", "podman", 1, 0},
    {"libpod-payload-", "podman", 0, 0},
    {"libpod-", "podman", 0, 0},
    {"crio-conmon-", "cri-o", 1, 0},
    {"crio-", "cri-o", 0, 0},
    {"cri-containerd-", "containerd", 0, 0},
    {"nerdctl-", "containerd", 0, 0},
    {"runc-", "runc", 0, 1},
    {"crun-", "crun", 0, 1},
};

/* PREFIX-ID.scope, PREFIX-ID. */
static int
is_prefixed(struct cgpart c, struct cgpath *g)
{
	struct cgpart id;
	int scope = ends(c, ".scope");
	size_t i;

	for (i = 0; i < NELEM(prefixed); i++) {
		if (!starts(c, prefixed[i].prefix))
			continue;
		id = without(c, strlen(prefixed[i].prefix), scope ? 6 : 0);
		if (prefixed[i].named ? scope : is_id(id))
			return found(
			    g, id, prefixed[i].runtime, prefixed[i].monitor);
	}
	return 0;
}

/* SLICE:PREFIX:ID, where a runtime was told the systemd form but made its
 * cgroups itself. */
static int
is_unsplit(struct cgpart c, struct cgpath *g)
{
	const char *second = memrchr(c.p, ':', c.n), *first, *runtime = NULL;
	struct cgpart id, prefix;
	size_t i;

	if (second == NULL)
		return 0;
	id = without(c, (size_t)(second - c.p) + 1, 0);
	first = memrchr(c.p, ':', (size_t)(second - c.p));
	if (first == NULL || !is_id(id))
		return 0;
	prefix.p = first + 1;
	prefix.n = (size_t)(second - first) - 1;
	for (i = 0; i < NELEM(prefixed) && runtime == NULL; i++)
		if (prefix.n + 1 == strlen(prefixed[i].prefix) &&
		    memcmp(prefix.p, prefixed[i].prefix, prefix.n) == 0)
			runtime = prefixed[i].runtime;
	return found(g, id, runtime, 0);
}

static int
is_uuid(struct cgpart c)
{
	return c.n == 36 && made_of(c, "0123456789abcdef-");
}

/* TASK-NUMBER of ECS on Fargate. */
static int
is_ecs(struct cgpart c)
{
	return c.n > 33 && c.p[32] == '-' &&
	    made_of((struct cgpart){c.p, 32}, "0123456789abcdef") &&
	    made_of(without(c, 33, 0), "0123456789");
}

/* Those that are told by the directory above them. */
static int
is_below(struct cgpart above, struct cgpart c, int ecs, struct cgpath *g)
{
	static const struct {
		const char *above, *runtime;
	} dirs[] = {{"docker", "docker"}, {"default", "containerd"},
	    {"k8s.io", "containerd"}};
	const char *runtime = NULL;
	size_t i;

	if (is(above, "lxc") || is(above, "lxc.payload"))
		return found(g, c, "lxc", 0);
	if (is(above, "lxc.monitor"))
		return found(g, c, "lxc", 1);
	if (is(above, "garden") && is_uuid(c))
		return found(g, c, "garden", 0);
	if (is(above, "buildkit") && c.n == 25 &&
	    made_of(c, "abcdefghijklmnopqrstuvwxyz0123456789"))
		return found(g, c, "buildkit", 0);
	if (ecs && is_ecs(c))
		return found(g, c, "ecs", 0);
	if (!is_id(c))
		return 0;
	for (i = 0; i < NELEM(dirs) && runtime == NULL; i++)
		if (is(above, dirs[i].above))
			runtime = dirs[i].runtime;
	return found(g, c, runtime, 0);
}

/* systemd-machined(8) and systemd-nspawn(1).  What libvirt calls qemu-N-NAME
 * is no container. */
static int
is_machine(struct cgpart c, struct cgpart rest, struct cgpath *g)
{
	struct cgpart name, inner;
	int nspawn = starts(c, "systemd-nspawn@") && ends(c, ".service");

	if (nspawn)
		name = without(c, 15, 8);
	else if (starts(c, "machine-") && ends(c, ".scope"))
		name = without(c, 8, 6);
	else
		return 0;
	if (name.n == 0 || name.n >= CGPATH_NAME ||
	    (!nspawn && (starts(name, "qemu-") || starts(name, "qemu\\x2d"))))
		return 0;
	copy_name(g->container, name, 1);
	if (!next_name(&rest, &inner))
		inner.n = 0;
	g->monitor = is(inner, "supervisor");
	g->runtime = nspawn || g->monitor || is(inner, "payload")
	    ? "systemd-nspawn"
	    : starts(name, "lxc\\x2d") ? "libvirt-lxc"
				       : "systemd-machined";
	return 1;
}

static int
is_container(struct cgpart c, struct cgpart rest, struct cgpath *g)
{
	if (starts(c, "lxc.payload."))
		return found(g, without(c, 12, 0), "lxc", 0);
	if (starts(c, "lxc.monitor."))
		return found(g, without(c, 12, 0), "lxc", 1);
	return is_prefixed(c, g) || is_unsplit(c, g) || is_machine(c, rest, g);
}

/* podUID, or the slice SOMETHING-podUID.slice with '_' for '-'; a pod of
 * podman has an id as its containers do. */
static void
read_pod(struct cgpart above, struct cgpart c, int kube, struct cgpath *g)
{
	const char *slice = memmem(c.p, c.n, ".slice", 6), *at;
	struct cgpart id = c;
	char *p;

	if (slice != NULL)
		id.n = (size_t)(slice - c.p);
	at = memmem(id.p, id.n, "libpod_pod_", 11);
	if (at != NULL)
		id = without(id, (size_t)(at - id.p) + 11, 0);
	if ((at != NULL || is(above, "libpod_parent")) && is_id(id))
		copy_name(g->pod, id, 0);
	if (at != NULL || !kube)
		return;
	at = slice != NULL ? memmem(id.p, id.n, "-pod", 4) : NULL;
	if (at != NULL)
		id = without(id, (size_t)(at - id.p) + 4, 0);
	else if (slice == NULL && starts(id, "pod"))
		id = without(id, 3, 0);
	else
		return;
	if (id.n < 32 || id.n > 36 || !made_of(id, "0123456789abcdef-_"))
		return;
	copy_name(g->pod, id, 0);
	while ((p = strchr(g->pod, '_')) != NULL)
		*p = '-';
}

static void
read_container(struct cgpart path, struct cgpath *g)
{
	struct cgpart c, above = {"", 0}, inside = {"", 0}, rest, slice;
	int kube = 0, ecs = 0;

	while (next_name(&path, &c)) {
		kube |= memmem(c.p, c.n, "kubepods", 8) != NULL;
		read_pod(above, c, kube, g);
		if (is_container(c, path, g) ||
		    (!is(above, "libpod_parent") && is_below(above, c, ecs, g)))
			inside = path;
		ecs |= is(c, "ecs");
		above = c;
	}
	/* payload, container, ns: what stands above a manager's own */
	while (g->container_unit.n == 0 && inside.n > 0) {
		rest = inside;
		read_units(&rest, &slice, &g->container_unit);
		next_name(&inside, &c);
	}
}

/* "ID:CONTROLLERS:PATH": of which kind, and its path. */
enum kind { UNIFIED, MANAGERS, OTHER, KINDS };

static enum kind
split_line(struct cgpart line, struct cgpart *path)
{
	const char *id = memchr(line.p, ':', line.n), *names;
	struct cgpart controllers;

	*path = (struct cgpart){"", 0};
	if (id == NULL)
		return OTHER;
	names = memchr(id + 1, ':', line.n - (size_t)(id + 1 - line.p));
	if (names == NULL)
		return OTHER;
	controllers.p = id + 1;
	controllers.n = (size_t)(names - id) - 1;
	*path = without(line, (size_t)(names - line.p) + 1, 0);
	/* the directory is gone; the kernel says so behind its name */
	if (ends(*path, " (deleted)"))
		path->n -= 10;
	if (starts(line, "0:") && controllers.n == 0)
		return UNIFIED;
	return is(controllers, "name=systemd") ? MANAGERS : OTHER;
}

static void
read_path(struct cgpart path, struct cgpath *g)
{
	if (g->path.n <= 1 && path.n > g->path.n)
		g->path = path;
	if (g->unit.n == 0 && g->slice.n == 0)
		read_managers(path, g);
	if (*g->container == '\0')
		read_container(path, g);
}

void
cgpath_read(const char *text, size_t len, struct cgpath *g)
{
	struct cgpart line, path;
	const char *p, *nl, *end = text + len;
	int kind;

	memset(g, 0, sizeof(*g));
	for (kind = UNIFIED; kind < KINDS; kind++)
		for (p = text; p < end; p = nl + 1) {
			nl = memchr(p, '\n', (size_t)(end - p));
			if (nl == NULL)
				nl = end;
			line = (struct cgpart){p, (size_t)(nl - p)};
			if ((int)split_line(line, &path) == kind)
				read_path(path, g);
		}
}
