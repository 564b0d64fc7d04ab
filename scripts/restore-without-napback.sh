#!/bin/sh
# restore-without-napback.sh PLACE BASE DIRECTORY [OWNER]
#
# Brings back what napback or backup.sh stored from one directory, with nothing
# of napback: only the AWS command line (or, for a directory store, the usual
# tools), gpg, a decompressor, sha256sum and GNU tar. PLACE is s3://BUCKET, or
# the path of a directory that is a bucket. BASE is the archives' name without
# slot and type, such as home/build. DIRECTORY must be empty.
#
# The newest archive is followed back to its full one, as the manifests say what
# each builds on; then they are extracted, oldest first. (backup.sh does not say
# it: there it is the newest full archive and the incremental ones after it.)
# Every chunk is compared with its SHA-256 before it is used. Left out are what a
# clean-up has claimed, and runs that are more than a day ahead of now: a clock was
# wrong, or somebody wants them to be the newest.
#
# If several owners have stored archives of this name, such as two hosts, OWNER
# says whose are meant; '' means those without one, as backup.sh stores them.
#
# Who can write to the bucket can write archives that make tar write elsewhere.
# So each archive is read twice: first its list is checked, see safe below. That
# is less than napback does. Run this as a user without rights where that will
# do, or in a container, if you do not trust the bucket; and what has changed
# between the two readings is not seen.
#
# AWS_ENDPOINT_URL, AWS_PROFILE and so on work as with any AWS tool; gpg finds
# the secret key as usual.
set -eu

[ $# -eq 3 ] || [ $# -eq 4 ] || {
	echo 'usage: restore-without-napback.sh PLACE BASE DIRECTORY [OWNER]' >&2
	exit 2
}
place=$1 base=$2 target=$3
[ -z "$(ls -A "$target")" ] || {
	echo "restore-without-napback.sh: error: $target is not empty" >&2
	exit 2
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# keys PREFIX lists the keys that begin with PREFIX; fetch KEY writes an object
# to stdout.
case $place in
s3://*)
	bucket=${place#s3://}
	# aws before 2.13 (Debian 12 has 2.9) does not know the variables.
	endpoint=${AWS_ENDPOINT_URL_S3:-${AWS_ENDPOINT_URL:-}}
	aws() { command aws ${endpoint:+--endpoint-url "$endpoint"} "$@"; }
	keys() {
		aws s3api list-objects-v2 --bucket "$bucket" --prefix "$1" \
			--query 'Contents[].[Key]' --output text | grep -vx None | LC_ALL=C sort || :
	}
	fetch() { aws s3 cp --quiet "s3://$bucket/$1" -; }
	;;
*)
	keys() { (cd -- "$place" && find . -type f -path "./$1*" ! -path './.napback*') | sed 's,^\./,,' | LC_ALL=C sort; }
	fetch() { cat -- "$place/$1"; }
	;;
esac

# chunks RUN writes the stream of a run, NAME:RUN, every chunk checked first.
chunks() {
	fetch "$1:SHA256SUMS" >"$work/sums" || return 1
	while read -r sum number; do
		fetch "$1:$number" >"$work/chunk" || return 1
		echo "$sum  $work/chunk" | sha256sum --check --status || {
			echo "restore-without-napback.sh: error: $1:$number is damaged" >&2
			return 1
		}
		cat "$work/chunk" || return 1
	done <"$work/sums"
}

# value NAME reads a string from the manifest, which has one a line.
value() { sed -n "s/^ *\"$1\": \"\\(.*\\)\",*\$/\\1/p" "$work/manifest"; }

decrypt() { if [ -n "$(value encryption)" ]; then gpg --batch --quiet -d; else cat; fi; }
decompress() {
	case $(value compression) in
	zstd) zstd -d -q ;;
	gzip) gzip -d ;;
	xz) xz -d ;;
	none | '') cat ;;
	*)
		echo "restore-without-napback.sh: error: $run is compressed in a way that this script does not know" >&2
		return 1
		;;
	esac
}

fail() {
	echo "restore-without-napback.sh: error: $2" >&2
	exit "$1"
}

# safe reads an archive and fails unless it keeps below one directory, the same
# for all archives: every member lies in a directory that came before it in this
# archive, and none comes twice as one, or after a link of its name. Hard links
# lead to such places, too. tar's notes on renames, which can move any directory,
# are refused; napback makes none.
safe() {
	rm -f "$work/list" "$work/judged"
	mkfifo "$work/list"
	{ tar --list --verbose --verbose --incremental --file=- <"$work/list" | LC_ALL=C grep -a '^[RTX] ' >"$work/notes" || :; } &
	tee "$work/list" |
		{ LC_ALL=C tar --list --verbose --numeric-owner --quoting-style=escape --file=- && echo end; } |
		LC_ALL=C awk -v rootfile="$work/root" '
		function refuse(why) { if (!bad) print "restore-without-napback.sh: error: refused: " $0 ": " why >"/dev/stderr"; bad = 1 }
		function below(path) {
			if (!sub(/\/[^\/]*$/, "", path) || !(path in dirs)) refuse("not in a directory of this archive")
		}
		BEGIN { getline root <rootfile }
		$0 == "end" { whole = 1; next }
		{
			type = substr($0, 1, 1)
			name = $0
			if (!sub(/^[-dlhpcb][-rwxsStT]+[+.]? +[0-9]+\/[0-9]+ +[0-9,]+ +-?[0-9]+-[0-9]+-[0-9]+ [0-9:.]+ /, "", name)) refuse("not understood")
			if (name ~ /^\// || ("/" name "/") ~ /\/\.\.\// && type != "l") refuse("a name that may lead elsewhere")
		}
		type == "d" {
			sub(/\/$/, "", name)
			if (!n++) {
				if (root != "" && root != name) refuse("not the directory of the archive before")
				if (root == "") print name >rootfile
			} else below(name)
			if (name in dirs || name in links) refuse("it comes twice")
			dirs[name] = 1
			next
		}
		type == "l" || type == "h" {
			mark = type == "l" ? " -> " : " link to "
			# A name may hold the mark: whichever it is, it has to be in place.
			for (at = 1; (i = index(substr(name, at), mark)) > 0; at += i) {
				one = substr(name, 1, at + i - 2)
				if (("/" one "/") ~ /\/\.\.\//) refuse("a name that may lead elsewhere")
				below(one)
				if (one in dirs) refuse("it comes twice")
				if (type == "l") links[one] = 1
				else {
					target = substr(name, at + i - 1 + length(mark))
					if (("/" target "/") ~ /\/\.\.\// || target ~ /^\//) refuse("a hard link that may lead elsewhere")
					below(target)
				}
			}
			next
		}
		{ below(name); if (name in dirs) refuse("it comes twice") }
		END { if (whole && !bad) print "good" }' >"$work/judged"
	wait
	[ ! -s "$work/notes" ] || {
		echo "restore-without-napback.sh: error: refused: a note on a rename" >&2
		return 1
	}
	[ -s "$work/judged" ]
}

# first NAME reads a string of the manifest itself, not of its meta.
first() { sed -n "s/^  \"$1\": \"\\(.*\\)\",*\$/\\1/p" "$work/manifest"; }

# The runs that are committed and not of the future, by the second in RUN and then
# by slot, and whose they are.
tomorrow=$(date -u -d '+1 day' +%Y%m%dT%H%M%SZ 2>/dev/null || date -u -v+1d +%Y%m%dT%H%M%SZ)
keys "$base-" | sed -n 's/:manifest$//p' | grep -E "^.{${#base}}-[0-9]+-(FULL|DIFF):[^:]*\$" |
	sed -E 's/^(.*-([0-9]+)-(FULL|DIFF):([0-9TZ]{16}).*)$/\4 \2 \1/' |
	awk -v tomorrow="$tomorrow" '$1 <= tomorrow' |
	LC_ALL=C sort -k 1,1 -k 2,2n | sed 's/^[^ ]* [^ ]* //' >"$work/listed"
: >"$work/all"
: >"$work/owners"
while IFS= read -r run <&5; do
	fetch "$run:manifest" >"$work/manifest"
	[ -n "$(first sums)" ] || continue # claimed, and being removed
	[ $# -lt 4 ] || [ "$(first owner)" = "$4" ] || continue
	echo "$run" >>"$work/all"
	echo "'$(first owner)'" >>"$work/owners"
done 5<"$work/listed"
owners=$(LC_ALL=C sort -u "$work/owners" | tr '\n' ' ')
[ "$(LC_ALL=C sort -u "$work/owners" | wc -l)" -le 1 ] ||
	fail 2 "several owners have stored archives of $base, give one as the last argument: $owners"
grep -q -e '-FULL:[^:]*$' "$work/all" || fail 4 "no full archive of $base in $place${4+ of the owner \"$4\"}"
newest=$(tail -n 1 "$work/all")
fetch "$newest:manifest" >"$work/manifest"

# What it builds on.
parent=$(first parent)
case $newest in
*-FULL:*) echo "$newest" >"$work/runs" ;;
*)
	if [ -n "$parent" ]; then
		run=$newest
		: >"$work/runs"
		while :; do
			! grep -qxF -e "$run" "$work/runs" || fail 5 "$run builds on itself"
			echo "$run" >>"$work/runs"
			[ -n "$parent" ] || break
			run=$(grep -F -e ":$parent" "$work/all" | grep -e ":$parent\$" | tail -n 1)
			[ -n "$run" ] || fail 4 "an archive builds on run $parent, which is not in $place"
			fetch "$run:manifest" >"$work/manifest"
			parent=$(first parent)
		done
		sed '1!G;h;$!d' "$work/runs" >"$work/oldest first"
		mv "$work/oldest first" "$work/runs"
	else
		awk '/-FULL:[^:]*$/ { n = 0 } { run[n++] = $0 } END { for (i = 0; i < n; i++) print run[i] }' "$work/all" >"$work/runs"
	fi
	;;
esac
read -r run <"$work/runs"
case $run in
*-FULL:*) ;;
*) fail 4 "no full archive that $newest builds on in $place" ;;
esac

while IFS= read -r run <&5; do
	echo "restoring $run" >&2
	fetch "$run:manifest" >"$work/manifest"
	sums=$(fetch "$run:SHA256SUMS" | sha256sum)
	[ "${sums%% *}" = "$(value sums)" ] || {
		echo "restore-without-napback.sh: error: $run:SHA256SUMS is damaged" >&2
		exit 5
	}
	chunks "$run" | decrypt | decompress | safe || {
		echo "restore-without-napback.sh: error: $run is damaged, or may not be extracted" >&2
		echo "restore-without-napback.sh: error: what is in $target is not complete" >&2
		exit 5
	}
	failed=$({
		{ chunks "$run" || echo chunks >&4; } |
			{ decrypt || echo gpg >&4; } |
			{ decompress || echo decompressor >&4; } |
			{
				tar --extract --file=- --listed-incremental=/dev/null --preserve-permissions \
					--xattrs --xattrs-include='*' --acls -C "$target" || echo tar >&4
			}
	} 4>&1)
	[ -z "$failed" ] || {
		echo "restore-without-napback.sh: error: $run failed: $failed" >&2
		echo "restore-without-napback.sh: error: what is in $target is not complete" >&2
		exit 1
	}
done 5<"$work/runs"
