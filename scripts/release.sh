#!/bin/sh
# release.sh FILE... builds the archives of a release into build/release, with
# FILEs of scripts/ in them; `make release` calls it. It publishes nothing.
# RELEASE_TARGETS limits for which systems, to try it.
#
# The commit must be clean, have a tag such as v1.2.3, and a section of that name
# in CHANGELOG.md. The same commit, built by the same Go, gives the same bytes.
set -eu
cd "$(dirname "$0")/.."

die() {
	echo "release: error: $1" >&2
	[ -z "${2-}" ] || echo "release: hint: $2" >&2
	exit 1
}

tools='./s3put ./s3get ./s3ls ./s3rm ./slotcalc ./pgpipe ./napback'
targets=${RELEASE_TARGETS:-linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 freebsd/amd64 freebsd/arm64 windows/amd64 windows/arm64}
out=build/release

changes=$(git status --porcelain) || die "this is no clone that git can read"
[ -z "$changes" ] || die "the tree is not clean" "commit or remove what git status shows"
version=$(git describe --tags --exact-match --match 'v[0-9]*' 2>/dev/null) ||
	die "this commit has no tag" "git tag -a v1.2.3 -m v1.2.3"
echo "$version" | grep -Eqx 'v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?' || die "the tag \"$version\" is no version"
awk -v v="$version" '$1 == "##" && $2 == v { found = 1 } END { exit !found }' CHANGELOG.md ||
	die "CHANGELOG.md has no section \"## $version\""
tar --version 2>/dev/null | grep -q 'GNU tar' || die "GNU tar is needed: others make other bytes"

# What the environment says must not be in the result.
export CGO_ENABLED=0 GOFLAGS='' GOEXPERIMENT='' GOAMD64=v1 GOARM64=v8.0 LC_ALL=C TZ=UTC
time=$(git log -1 --format=%ct)
go version
rm -rf "$out"
for target in $targets; do
	os=${target%/*} arch=${target#*/}
	name=napback-$version-$os-$arch
	mkdir -p "$out/$name/bin" "$out/$name/man" "$out/$name/scripts"
	# shellcheck disable=SC2086 # the words are packages
	GOOS=$os GOARCH=$arch go build -trimpath -buildvcs=true -ldflags='-s -w' -o "$out/$name/bin/" $tools
	for file in "$out/$name/bin/"*; do
		go version -m "$file" | awk -v v="$version" '$1 == "mod" && $3 == v { found = 1 } END { exit !found }' ||
			die "$file does not bear the version $version" "from v2 on the module's path has to end with /v2"
	done
	cp man/*.[157] "$out/$name/man/"
	cp LICENSE ./*.md "$out/$name/"
	cp "$@" "$out/$name/scripts/"
	tar -C "$out" --sort=name --format=ustar --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX --mtime="@$time" -cf - "$name" |
		gzip -n -9 >"$out/$name.tar.gz"
	rm -r "${out:?}/$name"
	echo "$out/$name.tar.gz"
done
(cd "$out" && sha256sum -- *.tar.gz >SHA256SUMS)
echo "$out/SHA256SUMS"
