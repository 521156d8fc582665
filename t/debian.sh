# shellcheck shell=sh disable=SC2016,SC2154
# debian: packages of any release of Debian, without installing them, from where
# this machine has its own.  Read with "." by vm.sh and musl.sh.
#
#   debian_dir   where lists are kept (set before)

debian_lists='bullseye bookworm trixie trixie-backports sid'

# debian_has: the lists are there, fetched once.
debian_has()
{
	command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null ||
	    return 1
	[ ! -e "$debian_dir/done" ] || return 0
	mkdir -p "$debian_dir/state/lists/partial" \
	    "$debian_dir/cache/archives/partial" || return 1
	debian_uri=$(apt-get indextargets --format '$(REPO_URI)' \
	    'Created-By: Packages' 'Component: main' 2>/dev/null | head -n 1)
	for debian_suite in $debian_lists; do
		echo "deb [arch=amd64,arm64] $debian_uri $debian_suite main"
		echo "deb-src $debian_uri $debian_suite main"
	done >"$debian_dir/sources.list"
	: >"$debian_dir/status"
	cat >"$debian_dir/conf" <<-END
		Dir::State "$debian_dir/state";
		Dir::State::status "$debian_dir/status";
		Dir::Cache "$debian_dir/cache";
		Dir::Etc::SourceList "$debian_dir/sources.list";
		Dir::Etc::SourceParts "-";
		APT::Architecture "amd64";
		APT::Architectures { "amd64"; "arm64"; };
		APT::Sandbox::User "";
	END
	debian_apt get -qq update >"$debian_dir/log" 2>&1 || {
		tail -n 3 "$debian_dir/log" >&2
		return 1
	}
	: >"$debian_dir/done"
}

# debian_apt get|cache ARGS...: with those lists.
debian_apt()
{
	debian_command=$1
	shift
	APT_CONFIG=$debian_dir/conf "apt-$debian_command" "$@"
}

# debian_version PACKAGE SUITE: the version there; of "newest" the highest.
debian_version()
{
	debian_apt cache madison "$1" 2>/dev/null |
	    awk -F ' *[|] *' -v s="$2" '$3 ~ / Packages$/ &&
		(s == "newest" || index($3, " " s "/")) { print $2 }' |
	    sort -V | tail -n 1
}

# debian_unpack PACKAGE=VERSION DIRECTORY: what is in it.
debian_unpack()
{
	debian_tmp=$(mktemp -d "$debian_dir/deb.XXXXXX") || return 1
	mkdir -p "$2" && (cd "$debian_tmp" &&
	    debian_apt get -qq download "$1" >"$debian_dir/log" 2>&1) &&
	    dpkg-deb -x "$debian_tmp"/*.deb "$2"
	debian_rc=$?
	rm -rf "$debian_tmp"
	return $debian_rc
}

# debian_own: the release that this machine is, or sid.
debian_own()
{
	(
		VERSION_CODENAME=
		# shellcheck source=/dev/null
		. /etc/os-release
		case " $debian_lists " in
		*" $VERSION_CODENAME "*) echo "$VERSION_CODENAME" ;;
		*) echo sid ;;
		esac
	) 2>/dev/null
}
