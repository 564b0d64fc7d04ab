#!/bin/sh
# Check everything about the repository that needs no test to run; `make check`
# calls it with the linters built. All checks are made, then it fails if any did.
set -u

cd "$(dirname "$0")/.." || exit 1
root=$(pwd -P)
cd "$root" || exit 1
tools=$root/build/tools
failed=

# The flags of `make build`, so that vet and staticcheck find compiled what it has
# compiled, and compile nothing themselves but tests.
export CGO_ENABLED=0
export GOFLAGS="${GOFLAGS-} -trimpath"

# check NAME COMMAND... shows what a command prints only if it fails.
check() {
	name=$1
	shift
	if output=$("$@" 2>&1); then
		echo "check: $name: ok"
	else
		printf '%s\ncheck: %s: failed\n' "$output" "$name"
		failed="$failed $name"
	fi
}

# silent COMMAND... fails if a command prints anything: each line is a finding.
silent() {
	findings=$("$@" 2>&1) && [ -z "$findings" ] && return
	echo "$findings"
	return 1
}

# What no folder's code may import: each rule of .depguard.yml has its line.
forbidden='
internal/slot     napback/internal/cli
internal/cli      napback/internal/slot
internal/trust    napback/internal/sign
internal/sign     napback/internal/store
internal/archive  napback/internal/store
internal/store    napback/internal/sign
s3put             napback/internal/slot
slotcalc          napback/internal/archive
pgpipe            napback/internal/store
napback           napback/internal/archive
napback/catalog   napback/internal/store
napback/tools     github.com/aws/aws-sdk-go-v2/aws
napback/restore   napback/napback/backup
napback/unpack    napback/napback/restore
napback/jobs      napback/napback/restore
napback/standing  napback/napback/config
napback/backup    napback/napback/unpack
unheard-of        napback/internal/cli
'

# Every import rule of .depguard.yml. Its globs match absolute paths only, and a
# clone may lie anywhere (even in a folder named like one of ours), so ROOT in
# them stands for where this one lies. depguard reads its configuration from the
# current folder, and says nothing if no glob matches: hence the first run, on a
# module in which every folder imports what it may not.
imports() {
	proof=$root/build/imports/proof
	rm -rf "$proof" && mkdir -p "$proof" && cp go.mod go.sum "$proof" || return
	sed "s|ROOT|$root|g" .depguard.yml >build/imports/.depguard.yml || return
	sed "s|ROOT|$proof|g" .depguard.yml >"$proof/.depguard.yml" || return
	echo "$forbidden" | while read -r folder import; do
		[ -n "$folder" ] || continue
		mkdir -p "$proof/$folder/proof" "$proof/${import#napback/}" || return
		printf 'package proof\n\nimport _ "%s"\n' "$import" >"$proof/$folder/proof/proof.go"
		echo 'package imported' >"$proof/${import#napback/}/imported.go"
	done
	said=$(cd "$proof" && "$tools/depguard" ./... 2>&1)
	accepted=$(echo "$forbidden" | while read -r folder import; do
		[ -z "$folder" ] || echo "$said" | grep -Fq "$proof/$folder/proof/proof.go:3:8: import '$import' is not allowed" || echo "$folder: $import"
	done)
	if [ -n "$accepted" ]; then
		printf 'the rules accept what they should deny:\n%s\n%s\n' "$accepted" "$said"
		return 1
	fi
	(cd build/imports && "$tools/depguard" napback/...)
}

# Whether a manual that is referred to is installed depends on the machine.
manuals() {
	mandoc -T lint -W style man/* 2>&1 |
		grep -v -e 'STYLE: referenced manual not found' -e 'mandoc: outdated mandoc.db'
	return 0 # of grep
}

shell() {
	shellcheck scripts/*.sh .ci/run
}

# Programs by their first bytes: ELF, PE, Mach-O (three forms), archives.
binaries() {
	git rev-parse --git-dir >/dev/null 2>&1 || return 0 # not a clone
	git ls-files | while read -r file; do
		[ -f "$file" ] || continue
		case $(head -c 4 "$file" | od -A n -t x1 | tr -d ' \n') in
		7f454c46 | 4d5a* | cffaedfe | cefaedfe | cafebabe | 213c6172)
			echo "$file: is a program or library" ;;
		esac
	done
}

# Without optimisation, since nobody runs the result: that takes a third less time.
cross() {
	bad=
	for target in linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 freebsd/amd64; do
		quick='-gcflags=all=-N -l -dwarf=false'
		[ "$target" != "$(go env GOHOSTOS)/$(go env GOHOSTARCH)" ] || quick=-trimpath # is compiled already
		GOOS=${target%/*} GOARCH=${target#*/} go build "$quick" ./... && continue
		echo "$target: does not build"
		bad=yes
	done
	[ -z "$bad" ]
}

check gofmt silent gofmt -l .
check 'go vet' go vet ./...
check staticcheck "$tools/staticcheck" ./...
check 'import rules' imports
check 'go.mod tidy' go mod tidy -diff
check 'manual pages' silent manuals
check shellcheck shell
check 'no binaries in git' silent binaries
check 'builds everywhere' cross
if [ -n "$failed" ]; then
	echo "check: failed:$failed"
	exit 1
fi
