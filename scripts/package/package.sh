#!/bin/sh
# package.sh [--release] builds what people install, in build/package or with
# --release in build/release: for Linux a .deb, an .rpm and a .tar.gz, for macOS and
# FreeBSD a .tar.gz, for Windows a .zip of the tools for streams, and SHA256SUMS.
# `make package` and `make release` call it. It publishes nothing. PACKAGE_TARGETS
# limits for which systems.
#
# All of them hold what `make install` installs. The same commit, built by the same
# Go, gives the same bytes. A release is of a clean commit that has a tag such as
# v1.2.3, and a section of that name in CHANGELOG.md.
set -eu
cd "$(dirname "$0")/../.."

die() {
	echo "package: error: $1" >&2
	[ -z "${2-}" ] || echo "package: hint: $2" >&2
	exit 1
}

streams='s3put s3get s3ls s3rm slotcalc pgpipe' # what runs on Windows, too
targets=${PACKAGE_TARGETS:-linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 freebsd/amd64 freebsd/arm64 windows/amd64 windows/arm64}
out=$PWD/build/package
[ "${1-}" != --release ] || out=$PWD/build/release

changes=$(git status --porcelain) || die "this is no clone that git can read"
described=$(git describe --tags --match 'v[0-9]*' 2>/dev/null || :)
if [ "${1-}" = --release ]; then
	[ -z "$changes" ] || die "the tree is not clean" "commit or remove what git status shows"
	version=$(git describe --tags --exact-match --match 'v[0-9]*' 2>/dev/null) ||
		die "this commit has no tag" "git tag -a v1.2.3 -m v1.2.3"
	echo "$version" | grep -Eqx 'v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?' || die "the tag \"$version\" is no version"
	awk -v v="$version" '$1 == "##" && $2 == v { found = 1 } END { exit !found }' CHANGELOG.md ||
		die "CHANGELOG.md has no section \"## $version\""
elif [ -z "$described" ]; then
	version=v0.0.0+$(git rev-list --count HEAD).g$(git rev-parse --short HEAD)
else
	# v1.2.3, or v1.2.3+5.gabc for the fifth commit after it, which is newer.
	version=$(echo "$described" | sed -E 's/-([0-9]+)-(g[0-9a-f]+)$/+\1.\2/')
fi
[ -z "$changes" ] || version=$version$(case $version in *+*) echo . ;; *) echo + ;; esac)dirty
tar --version 2>/dev/null | grep -q 'GNU tar' || die "GNU tar is needed: others make other bytes"
case " $targets" in
*" windows/"*)
	for program in mandoc zip; do
		command -v "$program" >/dev/null || die "$program is missing" "scripts/install-deps.sh test"
	done
	;;
esac

# What the environment says must not be in the result.
export CGO_ENABLED=0 GOFLAGS='' GOEXPERIMENT='' GOAMD64=v1 GOARM64=v8.0 LC_ALL=C TZ=UTC
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
unset MAKEFLAGS MFLAGS MAKELEVEL DESTDIR PREFIX TAR_OPTIONS GZIP ZIPOPT
umask 022
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
rm -rf "$out"
mkdir -p "$out"

# build OS ARCH TOOL... builds tools, without what only debuggers read, into bin.
build() {
	os=$1 arch=$2
	shift 2
	mkdir -p "$work/bin"
	GOOS=$os GOARCH=$arch go build -trimpath -buildvcs=true -ldflags='-s -w' -o "$work/bin/" "$@"
	for file in "$work/bin/"*; do
		go version -m "$file" >"$work/built"
		grep -q 'vcs\.revision=' "$work/built" || die "$file does not bear the commit" "go stamps none in a worktree of git: clone it"
		[ "$out" = "${out%/release}" ] || awk -v v="$version" '$1 == "mod" && $3 == v { found = 1 } END { exit !found }' "$work/built" ||
			die "$file does not bear the version $version" "from v2 on the module's path has to end with /v2"
	done
	GOOS=$os GOARCH=$arch scripts/package/licenses.sh "$@" >"$work/copyright"
}

# install_to DIR PREFIX installs what was built, with the documents.
install_to() {
	make -s install "BIN=$work/bin" "DESTDIR=$1" "PREFIX=$2"
	mkdir -p "$1$2/share/doc/napback"
	cp ./*.md "$work/copyright" "$1$2/share/doc/napback/"
	chmod 644 "$1$2/share/doc/napback/"*
}

# date_all DIR gives all below it the time of the commit.
date_all() { find "$1" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +; }

# archive NAME makes NAME.tar.gz of what belongs below /usr/local.
archive() {
	install_to "$work/tree" /usr/local
	[ "$os" = linux ] || rm -r "$work/tree/usr/local/lib"
	mv "$work/tree/usr/local" "$work/$1"
	tar -C "$work" --sort=name --format=ustar --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX --mtime="@$SOURCE_DATE_EPOCH" -cf - "$1" |
		gzip -n >"$out/$1.tar.gz"
}

# zipped NAME makes NAME.zip, with the manuals as text.
zipped() {
	mkdir "$work/$1" "$work/$1/man"
	cp "$work/bin/"* LICENSE README.md CHANGELOG.md "$work/copyright" "$work/$1/"
	for tool in $streams; do
		mandoc -I os=napback -T markdown "man/$tool.1" >"$work/$1/man/$tool.md"
	done
	date_all "$work/$1"
	(cd "$work" && find "$1" -type f | sort | zip -q -X -9 -@ "$out/$1.zip")
}

# packages makes the .deb and the .rpm.
packages() {
	root=$work/root
	install_to "$root" /usr
	find "$root/usr/share/man" -type f -exec gzip -n -9 {} +
	mkdir -p "$root/etc/napback"
	mv "$root/usr/share/napback/napback.conf.example" "$root/etc/napback/"
	rm "$root/usr/share/napback/LICENSE" # it is in copyright
	sed "s|@VERSION@|$version|; s|@ARCH@|$arch|" scripts/package/nfpm.yaml >"$work/nfpm.yaml"
	cp scripts/package/postinstall.sh scripts/package/preremove.sh "$work/"
	date_all "$root"
	(cd "$work" && "$nfpm" package -p rpm -t "$out/" >/dev/null)
	# Debian's zsh looks elsewhere for what packages bring.
	mv "$root/usr/share/zsh/site-functions" "$root/usr/share/zsh/vendor-completions"
	date_all "$root"
	(cd "$work" && "$nfpm" package -p deb -t "$out/" >/dev/null)
}

nfpm=$PWD/build/tools/nfpm
mkdir -p build/tools
go build -C tools/nfpm -gcflags=all=-dwarf=false -ldflags='-s -w' -o "$nfpm" tool
go version
for target in $targets; do
	os=${target%/*} arch=${target#*/}
	name=napback-$version-$os-$arch
	if [ "$os" = windows ]; then
		# shellcheck disable=SC2086,SC2046 # the words are packages
		build "$os" "$arch" $(printf './%s ' $streams)
		zipped "$name"
	else
		# shellcheck disable=SC2086,SC2046
		build "$os" "$arch" $(printf './%s ' $streams) ./napback
		archive "$name"
		[ "$os" != linux ] || packages
	fi
	rm -rf "${work:?}"/*
	echo "$target is done"
done
(cd "$out" && sha256sum -- * >"$work/SHA256SUMS" && mv "$work/SHA256SUMS" .)
ls "$out"
