#!/bin/sh
# Install the programs that `make demo` or `make test` needs and that are
# missing. On Debian and Ubuntu it uses apt-get; elsewhere it names them.
#
#   scripts/install-deps.sh demo|test
#
# For the demo, and where there is no apt-get, programs from anywhere will do. The
# tests on Debian and Ubuntu use those that the distribution's packages have
# (internal/tooltest), so there they have to be where packages put them.
set -eu

# Each line: program, Debian package. sha256sum and the like are in every system.
demo_programs='
gpg gnupg
tar tar
gzip gzip
zstd zstd
'
test_programs="$demo_programs
aws awscli
bash bash
bsdtar libarchive-tools
chromium chromium
curl curl
fish fish
gcc gcc
getfacl acl
getfattr attr
git git
initdb postgresql
jq jq
mandoc mandoc
mariadb mariadb-client
mariadb-dump mariadb-client
mariadb-install-db mariadb-server-core
mariadbd mariadb-server-core
mount mount
pg_dump postgresql-client
pg_dumpall postgresql-client
psql postgresql-client
rpm rpm
script bsdutils
setfacl acl
setfattr attr
shellcheck shellcheck
sqlite3 sqlite3
svn subversion
svnadmin subversion
systemd-analyze systemd
unshare util-linux
unzip unzip
xz xz-utils
zip zip
zsh zsh
"

die() {
	echo "install-deps: $*" >&2
	exit 1
}

case "$#:${1-}" in
1:demo) programs=$demo_programs ;;
1:test) programs=$test_programs ;;
*) die "usage: scripts/install-deps.sh demo|test" ;;
esac

# Go has to be there: what distributions package is often too old. Since 1.21 it
# fetches by itself the version that go.mod asks for.
command -v go >/dev/null ||
	die "go is missing: https://go.dev/doc/install (any version from 1.21 on)"
version=$(cd / && go env GOVERSION) # outside of our module, which an old Go cannot read
case $version in
go1.? | go1.?.* | go1.1? | go1.1?.* | go1.20 | go1.20.*)
	die "$version is too old: https://go.dev/doc/install (1.21 or newer)" ;;
esac

# have succeeds if a program is there. Servers are not in every user's PATH.
have() {
	if [ "$programs" = "$demo_programs" ] || [ ! -e /etc/debian_version ]; then
		command -v "$1" >/dev/null && return
	fi
	for file in /usr/bin/"$1" /usr/sbin/"$1" /bin/"$1" /sbin/"$1" /usr/libexec/"$1" /usr/lib/postgresql/*/bin/"$1"; do
		[ ! -x "$file" ] || return 0
	done
	return 1
}

# missing prints the packages of the programs that are not there, each once.
missing() {
	echo "$programs" | while read -r program package; do
		[ -n "$program" ] || continue
		have "$program" || echo "$package"
	done
	# A C compiler without the C library's headers cannot build the race detector.
	if [ "$1" = test ] && command -v gcc >/dev/null &&
		! echo '#include <stdlib.h>' | gcc -E - >/dev/null 2>&1; then
		echo libc6-dev
	fi
}

packages=$(missing "$1" | sort -u | xargs)
[ -n "$packages" ] || exit 0
case " $packages " in
*' gcc '*) packages="$packages libc6-dev" ;;
esac

command -v apt-get >/dev/null || die "please install $packages (these are Debian's names)"
as_root=
if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null || die "please run as root: apt-get install $packages"
	as_root=sudo
fi
echo "install-deps: installing $packages"
$as_root apt-get update -q
# Tests start servers of their own; Debian's package would make and start one.
conf=/etc/postgresql-common/createcluster.conf
case " $packages " in
*' postgresql '*)
	if [ ! -e "$conf" ]; then
		$as_root mkdir -p "${conf%/*}"
		echo 'create_main_cluster = false' | $as_root tee "$conf" >/dev/null
	fi
	;;
esac
# shellcheck disable=SC2086 # the words are package names
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $packages

packages=$(missing "$1" | sort -u | xargs)
[ -z "$packages" ] || die "still missing after apt-get install: $packages"
