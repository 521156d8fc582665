/*
 * unit_cgpath: cgroup paths as service managers and container runtimes make
 * them, and as somebody might forge them.
 *
 *   unit_cgpath           the table
 *   unit_cgpath FILE      what is found in a text
 */
#include <fcntl.h>
#include <string.h>

#include "base/bytes.h"
#include "base/io.h"
#include "check.h"
#include "proc/cgpath.h"

#define ID "3f2a9c1b04de5a7788990011223344556677889900aabbccddeeff0011223344"
#define ID2 "8dfe50a6231edd323d9893fc36f0c9a19e5a82ce23485c449d9fc1b150e5622d"
#define POD "214f3ba8-4b69-4bdb-a7d5-5ecc73f04ae9"
#define POD_ "214f3ba8_4b69_4bdb_a7d5_5ecc73f04ae9"
#define USER "/user.slice/user-1000.slice/user@1000.service"
#define U1000 "unit=user@1000.service slice=user-1000.slice "

/* The text, and all that is found: "" nothing. */
static const struct {
	const char *text, *want;
} table[] = {
    /* systemd; v2, v1, hybrid */
    {"0::/\n", ""},
    {"0::/init.scope\n", "unit=init.scope"},
    {"0::/system.slice/nginx.service\n",
	"unit=nginx.service "
	"slice=system.slice"},
    {"0::/system.slice/system-getty.slice/getty@tty1.service\n",
	"unit=getty@tty1.service slice=system-getty.slice"},
    {"0::/user.slice/user-0.slice/session-2.scope\n",
	"unit=session-2.scope slice=user-0.slice"},
    {"0::" USER "/init.scope\n", U1000 "user_unit=init.scope"},
    {"0::" USER "/app.slice/app-org.gnome.Terminal.slice/vte-1.scope\n",
	U1000 "user_unit=vte-1.scope "
	      "user_slice=app-org.gnome.Terminal.slice"},
    {"0::" USER "/app.slice/app-flatpak-org.x-12.scope/sub\n",
	U1000 "user_unit=app-flatpak-org.x-12.scope user_slice=app.slice"},
    {"0::/system.slice/ssh.service/worker\n",
	"unit=ssh.service slice=system.slice"},
    {"0::/system.slice/_cpu.service\n",
	"unit=cpu.service "
	"slice=system.slice"},
    {"0::/system.slice/dev-sda1.swap\n",
	"unit=dev-sda1.swap "
	"slice=system.slice"},
    {"0::/system.slice/a\\x2db.service\n",
	"unit=a\\x2db.service "
	"slice=system.slice"},
    {"0::/system.slice/x.service (deleted)\n",
	"unit=x.service "
	"slice=system.slice"},
    {"0::/../../system.slice/x.service\n",
	"unit=x.service "
	"slice=system.slice"},
    {"11:memory:/system.slice/x.service\n1:name=systemd:/system.slice/y.service"
     "\n",
	"unit=y.service slice=system.slice"},
    {"12:pids:/user.slice/user-7.slice\n1:name=systemd:/user.slice/user-7.slice"
     "/session-c1.scope\n0::/user.slice/user-7.slice/session-c1.scope\n",
	"unit=session-c1.scope slice=user-7.slice"},
    {"4:memory:/process_api/e7\n1:name=systemd:/\n0::/\n", ""},
    /* docker */
    {"12:pids:/docker/" ID "\n1:name=systemd:/docker/" ID "\n",
	"container=" ID " runtime=docker"},
    {"0::/system.slice/docker-" ID ".scope\n",
	"unit=docker-" ID ".scope slice=system.slice container=" ID
	" runtime=docker"},
    {"0::/system.slice/docker-" ID ".scope/system.slice/ssh.service\n",
	"unit=docker-" ID ".scope slice=system.slice container=" ID
	" runtime=docker container_unit=ssh.service"},
    {"0::" USER "/user.slice/docker-" ID ".scope\n",
	U1000 "user_unit=docker-" ID
	      ".scope user_slice=user.slice container=" ID " runtime=docker"},
    {"0::/docker/" ID "/docker/" ID2 "\n", "container=" ID2 " runtime=docker"},
    {"9:cpu:/docker/" ID "\n0::/system.slice/containerd.service\n",
	"unit=containerd.service slice=system.slice container=" ID
	" runtime=docker"},
    {"0::/actions_job/" ID "\n", "container=" ID},
    {"0::/docker/buildkit/qz1xkvl5abvy2umb5y5o4ve3k\n",
	"container=qz1xkvl5abvy2umb5y5o4ve3k runtime=buildkit"},
    /* podman, conmon */
    {"0::/machine.slice/libpod-" ID ".scope\n",
	"unit=libpod-" ID ".scope slice=machine.slice container=" ID
	" runtime=podman"},
    {"0::" USER "/user.slice/libpod-" ID ".scope/container\n",
	U1000 "user_unit=libpod-" ID
	      ".scope user_slice=user.slice container=" ID " runtime=podman"},
    {"0::/machine.slice/libpod-conmon-" ID ".scope\n",
	"unit=libpod-conmon-" ID ".scope slice=machine.slice container=" ID
	" runtime=podman monitor"},
    {"0::/machine.slice/machine-libpod_pod_" ID2 ".slice/libpod-" ID
     ".scope/container/init.scope\n",
	"unit=libpod-" ID ".scope slice=machine-libpod_pod_" ID2
	".slice container=" ID " runtime=podman pod=" ID2
	" container_unit=init.scope"},
    {"0::/libpod_parent/libpod-" ID "\n", "container=" ID " runtime=podman"},
    {"0::/libpod_parent/" ID2 "/libpod-" ID "\n",
	"container=" ID " runtime=podman pod=" ID2},
    {"0::/libpod_parent/" ID2 "\n", "pod=" ID2},
    {"0::" USER "/app.slice/redis.service/libpod-payload-" ID "\n",
	U1000 "user_unit=redis.service user_slice=app.slice container=" ID
	      " runtime=podman"},
    {"0::" USER "/app.slice/redis.service/runtime\n",
	U1000 "user_unit=redis.service user_slice=app.slice"},
    /* kubernetes: containerd, cri-o, docker; cgroupfs and systemd */
    {"11:cpu:/kubepods/besteffort/pod" POD "/" ID "\n",
	"container=" ID " pod=" POD},
    {"11:cpu:/kubepods/pod" POD "/" ID "\n", "container=" ID " pod=" POD},
    {"0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" POD_
     ".slice/cri-containerd-" ID ".scope\n",
	"unit=cri-containerd-" ID ".scope slice=kubepods-burstable-pod" POD_
	".slice container=" ID " runtime=containerd pod=" POD},
    {"0::/kubepods.slice/kubepods-pod" POD_ ".slice/crio-" ID
     ".scope/container\n",
	"unit=crio-" ID ".scope slice=kubepods-pod" POD_ ".slice container=" ID
	" runtime=cri-o pod=" POD},
    {"0::/kubepods.slice/kubepods-pod" POD_ ".slice/crio-conmon-" ID ".scope\n",
	"unit=crio-conmon-" ID ".scope slice=kubepods-pod" POD_
	".slice container=" ID " runtime=cri-o pod=" POD " monitor"},
    {"8:cpuset:/kubepods/burstable/pod" POD "/crio-" ID "\n",
	"container=" ID " runtime=cri-o pod=" POD},
    {"0::/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod"
     "0123456789abcdef0123456789abcdef.slice/docker-" ID ".scope\n",
	"unit=docker-" ID ".scope slice=kubepods-besteffort-pod"
	"0123456789abcdef0123456789abcdef.slice container=" ID
	" runtime=docker pod=0123456789abcdef0123456789abcdef"},
    {"12:cpu:/system.slice/containerd.service/kubepods-besteffort-pod" POD_
     ".slice:cri-containerd:" ID "\n",
	"unit=containerd.service slice=system.slice container=" ID
	" runtime=containerd pod=" POD},
    {"3:pids:/kubepods-besteffort-pod" POD_ ".slice:cri-containerd:" ID "\n",
	"container=" ID " runtime=containerd pod=" POD},
    {"0::/docker/" ID2 "/kubelet.slice/kubelet-kubepods.slice/"
     "kubelet-kubepods-pod" POD_ ".slice/cri-containerd-" ID ".scope\n",
	"container=" ID " runtime=containerd pod=" POD},
    {"0::/docker/" ID2 "/kubelet/kubepods/besteffort/pod" POD "/" ID "\n",
	"container=" ID " pod=" POD},
    {"0::/../../pod" POD "/" ID "\n", "container=" ID},
    {"0::/../cri-containerd-" ID ".scope\n",
	"unit=cri-containerd-" ID ".scope container=" ID " runtime=containerd"},
    /* containerd by itself, other OCI runtimes */
    {"0::/default/" ID "\n", "container=" ID " runtime=containerd"},
    {"0::/system.slice/nerdctl-" ID ".scope\n",
	"unit=nerdctl-" ID ".scope slice=system.slice container=" ID
	" runtime=containerd"},
    {"0::/system.slice/runc-web.scope\n",
	"unit=runc-web.scope slice=system.slice container=web runtime=runc"},
    {"0::" USER "/user.slice/crun-buildah-buildah12.scope\n",
	U1000 "user_unit=crun-buildah-buildah12.scope user_slice=user.slice "
	      "container=buildah-buildah12 runtime=crun"},
    /* clouds */
    {"1:name=systemd:/ecs/55091c13-b8cf-4801-b527-f4601742204d/" ID "\n",
	"container=" ID},
    {"1:name=systemd:/ecs/8cd79a803caf4d2aa945152e934a5c00/"
     "8cd79a803caf4d2aa945152e934a5c00-1053176469\n",
	"container=8cd79a803caf4d2aa945152e934a5c00-1053176469 runtime=ecs"},
    {"1:name=systemd:/system.slice/garden.service/garden/" POD "\n",
	"unit=garden.service slice=system.slice container=" POD
	" runtime=garden"},
    /* lxc */
    {"0::/lxc.payload.web\n", "container=web runtime=lxc"},
    {"0::/lxc.payload.web/.lxc\n", "container=web runtime=lxc"},
    {"0::/lxc.monitor.web\n", "container=web runtime=lxc monitor"},
    {"0::/lxc.payload/web/system.slice/nginx.service\n",
	"container=web runtime=lxc container_unit=nginx.service"},
    {"5:cpu:/lxc/101/ns/init.scope\n",
	"container=101 runtime=lxc container_unit=init.scope"},
    {"0::/lxc.payload.a/lxc.payload.b\n", "container=b runtime=lxc"},
    {"0::/lxc.payload.a/system.slice/docker-" ID ".scope\n",
	"container=" ID " runtime=docker"},
    {"0::/lxc.pivot\n", ""},
    /* systemd-nspawn, machined, libvirt */
    {"0::/machine.slice/systemd-nspawn@my-box.service/payload/system.slice/"
     "x.service\n",
	"unit=systemd-nspawn@my-box.service slice=machine.slice "
	"container=my-box runtime=systemd-nspawn container_unit=x.service"},
    {"0::/machine.slice/systemd-nspawn@b.service/supervisor\n",
	"unit=systemd-nspawn@b.service slice=machine.slice container=b "
	"runtime=systemd-nspawn monitor"},
    {"0::/machine.slice/machine-my\\x2dbox.scope/payload\n",
	"unit=machine-my\\x2dbox.scope slice=machine.slice container=my-box "
	"runtime=systemd-nspawn"},
    {"1:name=systemd:/machine.slice/machine-deb.scope\n",
	"unit=machine-deb.scope slice=machine.slice container=deb "
	"runtime=systemd-machined"},
    {"0::/machine.slice/machine-lxc\\x2d12\\x2dweb.scope\n",
	"unit=machine-lxc\\x2d12\\x2dweb.scope slice=machine.slice "
	"container=lxc-12-web runtime=libvirt-lxc"},
    {"0::/machine.slice/machine-qemu\\x2d1\\x2dvm.scope/libvirt/emulator\n",
	"unit=machine-qemu\\x2d1\\x2dvm.scope slice=machine.slice"},
    /* what is nearly one of them, or forged */
    {"", ""},
    {"\n\n", ""},
    {"0::", ""},
    {"0:", ""},
    {"::::\n", ""},
    {"0::/system.slice", "slice=system.slice"},
    {"0::/.slice/.service\n", ""},
    {"0::/a b.service\n", ""},
    {"0::/a\033.service\n", ""},
    {"0::/docker-" ID "0.scope\n", "unit=docker-" ID "0.scope"},
    {"0::/docker/3f2a\n", ""},
    {"0::/docker-.scope\n", "unit=docker-.scope"},
    {"0::/runc-.scope\n", "unit=runc-.scope"},
    {"0::/machine.slice/machine-.scope\n",
	"unit=machine-.scope "
	"slice=machine.slice"},
    {"0::/machine-a\\x00b\\x1\\xzz.scope\n",
	"unit=machine-a\\x00b\\x1\\xzz.scope container=a\\x00b\\x1\\xzz "
	"runtime=systemd-machined"},
    {"0::/machine-a\\x0ab.scope\n",
	"unit=machine-a\\x0ab.scope container=a\nb "
	"runtime=systemd-machined"},
    {"0::/kubepods/podx/" ID "\n", "container=" ID},
    /* a user's own manager cannot make a unit of the system's */
    {"0::" USER "/system.slice/sshd.service\n",
	U1000 "user_unit=sshd.service user_slice=system.slice"},
};

static void
add(struct buf *b, const char *key, const char *p, size_t n)
{
	if (n == 0)
		return;
	must(buf_append(b, " ", b->len > 0) == 0, "buf");
	must(buf_append(b, key, strlen(key)) == 0, "buf");
	must(buf_append(b, p, n) == 0, "buf");
}

static void
tell(const struct cgpath *g, struct buf *b)
{
	must(buf_append(b, "", 0) == 0, "buf");
	add(b, "unit=", g->unit.p, g->unit.n);
	add(b, "slice=", g->slice.p, g->slice.n);
	add(b, "user_unit=", g->user_unit.p, g->user_unit.n);
	add(b, "user_slice=", g->user_slice.p, g->user_slice.n);
	add(b, "container=", g->container, strlen(g->container));
	if (g->runtime != NULL)
		add(b, "runtime=", g->runtime, strlen(g->runtime));
	add(b, "pod=", g->pod, strlen(g->pod));
	add(b, "container_unit=", g->container_unit.p, g->container_unit.n);
	if (g->monitor)
		add(b, "", "monitor", 7);
}

static void
test_table(void)
{
	struct buf b = {0};
	struct cgpath g;
	size_t i, len, cut;
	char *copy;

	for (i = 0; i < NELEM(table); i++) {
		len = strlen(table[i].text);
		/* exact heap copies: a sanitizer sees a byte too many */
		copy = malloc(len + (len == 0));
		must(copy != NULL, "malloc");
		memcpy(copy, table[i].text, len);
		cgpath_read(copy, len, &g);
		b.len = 0;
		tell(&g, &b);
		CHECK(strcmp(b.p, table[i].want) == 0);
		if (strcmp(b.p, table[i].want) != 0)
			printf("%s got  %s\n want %s\n", table[i].text, b.p,
			    table[i].want);
		free(copy);
		for (cut = 0; cut < len; cut++) {
			copy = malloc(cut + (cut == 0));
			must(copy != NULL, "malloc");
			memcpy(copy, table[i].text, cut);
			cgpath_read(copy, cut, &g);
			free(copy);
		}
	}
	buf_free(&b);
}

static int
path_is(const char *text, const char *want)
{
	struct cgpath g;

	cgpath_read(text, strlen(text), &g);
	return g.path.n == strlen(want) &&
	    (g.path.n == 0 || memcmp(g.path.p, want, g.path.n) == 0);
}

static void
test_path(void)
{
	CHECK(path_is("5:cpu:/a\n1:name=systemd:/b\n0::/c\n", "/c"));
	CHECK(path_is("5:cpu:/a\n1:name=systemd:/b\n0::/\n", "/b"));
	CHECK(path_is("5:cpu:/a\n1:name=systemd:/\n0::/\n", "/a"));
	CHECK(path_is("5:cpu:/\n1:name=systemd:/\n", "/"));
	CHECK(path_is("0::/a:b\n", "/a:b"));
	CHECK(path_is("0::/x (deleted)\n", "/x"));
	CHECK(path_is("", ""));
}

/* Names of NAME_MAX bytes and more, paths of a megabyte. */
static void
test_long(void)
{
	enum { LEN = 1 << 20 };
	char *text = malloc(LEN + 64);
	struct cgpath g;
	int n;

	must(text != NULL, "malloc");
	for (n = 254; n <= 257; n++) {
		strcpy(text, "0::/lxc.payload.");
		memset(text + 16, 'a', (size_t)n);
		cgpath_read(text, 16 + (size_t)n, &g);
		CHECK(strlen(g.container) == (n < CGPATH_NAME ? (size_t)n : 0));
		memcpy(text + 4 + n - 8, ".service", 8);
		cgpath_read(text, 4 + (size_t)n, &g);
		CHECK(g.unit.n == (n < CGPATH_NAME ? (size_t)n : 0));
	}
	strcpy(text, "0::");
	for (n = 3; n < LEN; n += 2)
		memcpy(text + n, "/a", 2);
	strcpy(text + n, "/lxc/z");
	cgpath_read(text, (size_t)n + 6, &g);
	CHECK(strcmp(g.container, "z") == 0);
	CHECK(g.path.n == (size_t)n + 3);
	free(text);
}

int
main(int argc, char **argv)
{
	struct buf text = {0}, b = {0};
	struct cgpath g;

	if (argc > 1) {
		must(io_slurp(AT_FDCWD, argv[1], 1 << 20, &text, NULL) == 0,
		    argv[1]);
		cgpath_read(text.p, text.len, &g);
		tell(&g, &b);
		printf("%s\n", b.p);
		return 0;
	}
	test_table();
	test_path();
	test_long();
	return check_report();
}
