#!/bin/sh
# restore-s3napback.sh BUCKET SOURCE DIRECTORY [ARCHIVE...]
#
# Brings back what s3napback stored of the directory SOURCE, such as /home: its
# newest FULL and the DIFFs after it, in the order of their dates in the bucket,
# extracted below DIRECTORY, which must be empty. gpg finds the secret key as
# usual; archives that are not encrypted need none.
#
# ARCHIVEs, such as /home-7-FULL /home-8-DIFF, are restored instead, in the order
# in which they are given: for an older state, or if the bucket is a copy that has
# lost the dates. s3ls --js3tream BUCKET:SOURCE- lists them.
#
# Nothing in such an archive tells what it builds on, or that its last chunks are
# there; gpg and gzip notice an end that is missing. DIFFs have consecutive slots,
# except where a year begins or the host was off: with a gap nothing is restored
# unless the ARCHIVEs are named. Look at the list that is printed.
#
# S3_OPTIONS in the environment are options for s3ls and s3get, such as
# '-K /etc/napback/s3.key', with blanks between them.
#
# It trusts what is in the bucket: who can write there can write archives that
# make tar write outside of DIRECTORY. If you do not, run it as a user without
# rights, or in a container.
set -eu

fail() {
	echo "restore-s3napback.sh: error: $2" >&2
	exit "$1"
}

[ $# -ge 3 ] || {
	echo 'usage: restore-s3napback.sh BUCKET SOURCE DIRECTORY [ARCHIVE...]' >&2
	exit 2
}
# shellcheck disable=SC2086 # they are several words
s3() {
	tool=$1
	shift
	"$tool" ${S3_OPTIONS:-} --js3tream "$@"
}

bucket=$1 source=$2 target=$3
shift 3
[ -z "$(ls -A "$target")" ] || fail 2 "$target is not empty"

# Date, state and name of each archive of the source. Its name may have lost the
# slash that it begins with, in a copy on a disk.
listed() {
	printf '%s\n' "$listing" | awk -v base="$1-" '
	function field(key,  text) {
		if (!match($0, "[{,]\"" key "\":\"([^\"\\\\]|\\\\.)*\"")) return ""
		text = substr($0, RSTART, RLENGTH - 1)
		sub(/^[{,]"[a-z]*":"/, "", text)
		gsub(/\\"/, "\"", text)
		gsub(/\\\\/, "\\", text)
		return text
	}
	{ name = field("key") }
	index(name, base) == 1 && substr(name, length(base) + 1) ~ /^[0-9]+-(FULL|DIFF)$/ {
		print field("modified") " " field("state") " " name
	}' | LC_ALL=C sort
}

if [ $# -eq 0 ]; then
	listing=$(s3 s3ls --json "$bucket:$source-")
	all=$(listed "$source")
	[ -n "$all" ] || all=$(listed "${source#/}")
	chain=$(printf '%s\n' "$all" | awk '/-FULL$/ { n = 0; full = 1 } full { line[n++] = $0 } END { for (i = 0; i < n; i++) print line[i] }')
	[ -n "$chain" ] || fail 4 "no full archive of $source in $bucket; s3ls --js3tream $bucket lists what is there"
	printf '%s\n' "$chain" >&2
	case $chain in
	*' damaged '*) fail 5 'one of these is damaged: name those to restore, in their order' ;;
	esac
	gap=$(printf '%s\n' "$chain" | sed 's/.*-\([0-9]*\)-[A-Z]*$/\1/' |
		awk 'NR > 1 && $1 != last + 1 { print "slot " last " is followed by slot " $1; exit } { last = $1 }')
	[ -z "$gap" ] || fail 5 "$gap: is a DIFF missing? If none was made in between, name those to restore, in their order"
	chain=$(printf '%s\n' "$chain" | cut -d ' ' -f 3-)
else
	chain=$(printf '%s\n' "$@")
fi

# decrypt decrypts what does not begin as a gzip stream does.
decrypt() {
	begin=$(dd bs=1 count=2 2>/dev/null | od -An -to1) # as " 037 213"
	case $begin in
	' 037 213') set -- cat ;;
	' '???' '???) set -- gpg --batch --quiet -d ;;
	*) return 1 ;;
	esac
	{ printf '%b' "$(echo "$begin" | sed 's/ /\\0/g')" && cat; } | "$@"
}

printf '%s\n' "$chain" | while IFS= read -r name; do
	echo "restoring $name" >&2
	failed=$({
		{
			s3 s3get "$bucket:$name" </dev/null || echo s3get >&4
		} | {
			decrypt || echo gpg >&4
		} | {
			gzip -d || echo gzip >&4
		} | {
			tar --extract --file=- --listed-incremental=/dev/null --preserve-permissions -C "$target" || echo tar >&4
		}
	} 4>&1)
	[ -z "$failed" ] || {
		echo "restore-s3napback.sh: error: $name failed: $failed" | tr '\n' ' ' >&2
		echo >&2
		fail 1 "what is in $target is not complete"
	}
done
