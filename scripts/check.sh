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

# What a file may not import. Each rule of .depguard.yml has to deny one of these.
forbidden='
internal/slot/p/p.go           napback/internal/cli
internal/cli/p/p.go            napback/internal/slot
internal/compress/p/p.go       napback/internal/cli
internal/shell/p/p.go          napback/internal/trust
internal/address/p/p.go        napback/internal/cli
internal/trust/p/p.go          napback/internal/sign
internal/sign/p/p.go           napback/internal/store
internal/archive/p/p.go        napback/internal/store
internal/store/p/p.go          napback/internal/sign
internal/storetest/p/p.go      napback/napback/storm
internal/archive/p/p_test.go   napback/napback/dbtest
s3put/p/p.go                   napback/internal/slot
slotcalc/p/p.go                napback/internal/archive
pgpipe/p/p.go                  napback/internal/store
scripts/p/p_test.go            napback/internal/archive
unheard-of/p/p.go              napback/internal/cli
napback/unheard-of/p.go        napback/internal/cli
napback/catalog/p/p.go         napback/internal/store
napback/tools/p/p.go           github.com/aws/aws-sdk-go-v2/aws
napback/p_test.go              napback/internal/store
napback/p.go                   napback/napback/chain
napback/run/p/p.go             napback/napback/restore
napback/journal/p/p.go         napback/napback/run
napback/backup/p.go            napback/napback/restore
napback/backup/q.go            napback/napback/unpack
napback/backup/r.go            napback/napback/run
napback/backup/decide/p/p.go   napback/napback/config
napback/backup/retire/p/p.go   napback/napback/tools
napback/catalog/q/q.go         napback/napback/tools
napback/standing/p/p.go        napback/napback/config
napback/metrics/p/p.go         napback/napback/jobs
napback/page/p/p.go            napback/napback/jobs
napback/restore/p/p.go         napback/napback/backup
napback/restore/q/q.go         napback/napback/run
napback/unpack/p/p.go          napback/napback/backup
napback/unpack/q/q.go          napback/napback/run
napback/jobs/p/p.go            napback/napback/restore
napback/check/p/p.go           napback/napback/restore
napback/check/q/q.go           napback/napback/run
napback/drill/p/p.go           napback/napback/backup
napback/setup/p/p.go           napback/napback/run
napback/source/tar/p/p.go      napback/napback/config
napback/source/tar/q/q.go      napback/napback/backup
napback/source/dump/p/p.go     napback/napback/restore
napback/source/dump/q/q.go     napback/napback/tools
napback/source/kinds/p.go      napback/napback/state
napback/config/p/p.go          napback/napback/tools
napback/tools/q/q.go           napback/napback/backup
napback/programs/p/p.go        napback/napback/source
napback/storm/p/p.go           napback/napback/state
'

# Every import rule of .depguard.yml. Its globs match absolute paths only, and a
# clone may lie anywhere (even in a folder named like one of ours), so ROOT in
# them stands for where this one lies. depguard reads its configuration from the
# current folder, and says nothing if no glob matches: hence the first run, on a
# module in which files import what they may not.
imports() {
	proof=$root/build/imports/proof
	rm -rf "$proof" && mkdir -p "$proof" && cp go.mod go.sum "$proof" || return
	sed "s|ROOT|$root|g" .depguard.yml >build/imports/.depguard.yml || return
	sed "s|ROOT|$proof|g" .depguard.yml >"$proof/.depguard.yml" || return
	echo "$forbidden" | while read -r file import; do
		[ -n "$file" ] || continue
		mkdir -p "$proof/$(dirname "$file")" "$proof/${import#napback/}" || return
		printf 'package p\n\nimport _ "%s"\n' "$import" >"$proof/$file"
		echo 'package p' >"$proof/${import#napback/}/imported.go"
	done
	said=$(cd "$proof" && "$tools/depguard" ./... 2>&1)
	accepted=$(echo "$forbidden" | while read -r file import; do
		[ -z "$file" ] || echo "$said" | grep -Fq "$proof/$file:3:8: import '$import' is not allowed" || echo "$file: $import"
	done)
	unproved=$(sed -n 's/^\([^ #].*\):$/\1/p' .depguard.yml | while read -r rule; do
		echo "$said" | grep -Fq "is not allowed from list '$rule'" || echo "$rule"
	done)
	if [ -n "$accepted$unproved" ]; then
		printf '%s\nthe rules accept what they should deny:\n%s\nrules that deny nothing of it:\n%s\n' "$said" "$accepted" "$unproved"
		return 1
	fi
	(cd build/imports && "$tools/depguard" napback/...)
}

# Whether a manual that is referred to is installed depends on the machine.
manuals() {
	# In one pipe the two streams could part each other's lines.
	complaints=$(mktemp)
	mandoc -T lint -W style man/* 2>"$complaints" | grep -v 'STYLE: referenced manual not found'
	grep -v 'mandoc: outdated mandoc.db' "$complaints"
	rm "$complaints"
}

shell() {
	shellcheck scripts/*.sh scripts/package/*.sh .ci/run
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
