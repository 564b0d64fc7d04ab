#!/bin/sh
# demo.sh [--s3]
#
# The main job from end to end, in one temporary directory: a full and an
# incremental backup of a real directory tree, encrypted to a throw-away key,
# then both days restored and compared with what was there. `make demo` builds
# what it needs and runs it. The store is a directory; with --s3 it is a local
# S3 server (versitygw), which `make demo-s3` builds.
#
# Every command that a user would type is printed before it runs.
set -eu

root=$(cd -- "$(dirname -- "$0")/.." && pwd)
PATH=$root/build/bin:$root/build/tools:$PATH
work=$(mktemp -d "${TMPDIR:-/tmp}/napback-demo.XXXXXX")
server=
finish() {
	status=$?
	trap - EXIT
	[ -z "$server" ] || kill "$server" 2>/dev/null || :
	GNUPGHOME=$work/gnupg gpgconf --kill all 2>/dev/null || :
	rm -rf "$work"
	[ "$status" -eq 0 ] || printf '\nFAILED: the step above did not do what it should\n'
	exit "$status"
}
trap finish EXIT
trap 'exit 1' HUP INT TERM

step() { printf '\n== %s\n' "$1"; }
run() {
	printf '$'
	for word; do
		case $word in
		'' | *[!A-Za-z0-9_./:=,@%+-]*) printf " '%s'" "$word" ;;
		*) printf ' %s' "$word" ;;
		esac
	done
	printf '\n'
	"$@"
}

cd "$work"
export GNUPGHOME="$work/gnupg"
mkdir -m 700 gnupg
mkdir tree store state
unset AWS_PROFILE AWS_ENDPOINT_URL_S3 || :

if [ "${1-}" = --s3 ]; then
	step 'A local S3 server'
	export AWS_ACCESS_KEY_ID=demo AWS_SECRET_ACCESS_KEY=demo-secret AWS_REGION=us-east-1
	mkdir iam
	for port in 7070 7071 7072 7073 7074 7075 7076 7077 7078 7079; do # some may be taken
		ROOT_ACCESS_KEY=$AWS_ACCESS_KEY_ID ROOT_SECRET_KEY=$AWS_SECRET_ACCESS_KEY \
			versitygw --port "127.0.0.1:$port" --iam-dir "$work/iam" --quiet posix "$work/store" >server.log 2>&1 &
		server=$!
		sleep 1
		! kill -0 "$server" 2>/dev/null || break
		server=
	done
	[ -n "$server" ] || {
		cat server.log
		exit 1
	}
	export AWS_ENDPOINT_URL="http://127.0.0.1:$port"
	printf 'versitygw serves %s\n' "$AWS_ENDPOINT_URL"
else
	export AWS_ENDPOINT_URL="file://$work/store"
fi

step 'A key pair. The host that is backed up needs only the public half.'
run gpg --batch --quiet --passphrase '' --quick-gen-key 'Demo <demo@example.org>' default default 1d
run gpg --batch --output public.pgp --export demo@example.org
(umask 077 && run gpg --batch --output secret.pgp --export-secret-keys demo@example.org)

step 'A directory tree'
mkdir tree/docs tree/docs/empty tree/letters tree/old
printf 'Dear reader,\n' >tree/letters/letter
cp "$root"/*.md tree/docs/
printf 'first\n' >'tree/a name with spaces'
printf 'will be deleted\n' >tree/old/file
ln -s docs/README.md tree/symlink
ln tree/docs/README.md tree/hardlink
head -c 3000000 /dev/urandom >tree/random.bin
dd if=/dev/null of=tree/sparse bs=1 seek=50000000 2>/dev/null
chmod 4711 tree/random.bin
run ls -l tree
sleep 4 # what changes in the last seconds before a backup is stored by the next one again, to be safe

step 'The configuration'
cat >napback.conf <<END
Bucket       backups
DiffDir      $work/state
GpgRecipient demo@example.org
<Cycle daily>
    Diffs 6
    Fulls 4
    Directory $work/tree
</Cycle>
END
run cat napback.conf
if [ -z "$server" ]; then run mkdir store/backups; else run s3put --create-bucket backups:hello -- echo hello; fi

step 'Day 1: what would be done, then the full backup'
run napback -c napback.conf --date 2026-11-19 -t
run napback -c napback.conf --date 2026-11-19
cp -a tree day1

step 'Day 2: something changes, then the incremental backup'
printf 'second\n' >'tree/a name with spaces'
rm -r tree/old
mv tree/letters tree/mail
printf 'new\n' >tree/docs/new
run napback -c napback.conf --date 2026-11-20
cp -a tree day2

step 'What is stored'
run s3ls backups
run napback -c napback.conf list

step 'Both days come back, decrypted with the secret key'
run napback -c napback.conf restore --at 2026-11-19 --to back1 --secret-key secret.pgp "$work/tree"
run napback -c napback.conf restore --at 2026-11-20 --to back2 --secret-key secret.pgp "$work/tree"

# listing DIR prints type, mode, owner, size, time, link and content of all
# files below it.
listing() (
	cd -- "$1"
	find . \( -type d -printf '%y %m %U:%G - %T@ %p\n' \) -o -printf '%y %m %U:%G %s %T@ %p %l %n\n' | LC_ALL=C sort
	find . -type f -exec sha256sum {} + | LC_ALL=C sort -k 2
)
step 'Compared file by file: type, mode, owner, size, time, links, content'
for day in 1 2; do
	listing "day$day" >"$work/expected"
	listing "back$day$work/tree" >"$work/restored"
	diff "$work/expected" "$work/restored"
	printf 'day %s: %s files and directories are identical\n' "$day" "$(find "day$day" | wc -l)"
done

step 'The same without these tools: the command that the second archive itself carries'
s3ls --json "backups:${work#/}/tree-1-" | sed -n 's/.*"recover":"\(\([^"\\]\|\\.\)*\)".*/\1/p' | sed 's/\\\(["\\]\)/\1/g'
if [ -z "$server" ]; then
	mkdir back3
	printf '\n'
	run "$root/scripts/restore-without-napback.sh" store/backups "${work#/}/tree" back3
	listing "back3$work/tree" >"$work/restored"
	diff "$work/expected" "$work/restored"
	printf 'day 2: identical again\n'
fi

printf '\nPASSED: two days backed up, restored and identical\n'
