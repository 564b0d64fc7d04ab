#!/bin/sh
# restore.sh BUCKET BASE SECRETKEY DIRECTORY [OWNER]
#
# Brings back what backup.sh stored from the directory called BASE: the newest
# full archive and the incremental ones after it, extracted below DIRECTORY,
# which must be empty. SECRETKEY is a file with the exported secret key.
#
# If several owners have stored archives of this name, OWNER says whose are meant;
# '' means those without one, as backup.sh stores them.
#
# It trusts what is in the bucket: who can write there can write archives that
# make tar write outside of DIRECTORY. If you do not, use napback restore, or run
# this in a container, or as a user without rights.
set -eu

[ $# -eq 4 ] || [ $# -eq 5 ] || {
	echo 'usage: restore.sh BUCKET BASE SECRETKEY DIRECTORY [OWNER]' >&2
	exit 2
}
bucket=$1 base=$2 key=$3 target=$4
[ -z "$(ls -A "$target")" ] || {
	echo "restore.sh: error: $target is not empty" >&2
	exit 2
}

# OWNER, a tab and NAME:RUN of each run that is the newest of its name and owner.
# Within a JSON string a quotation mark is escaped, so that nothing in one looks
# like a field; what comes from meta on is not looked at.
listing=$(s3ls --json -r "$bucket:$base-")
committed=$(printf '%s\n' "$listing" | awk '
	function field(key,  text) {
		if (!match(line, "[{,]\"" key "\":\"([^\"\\\\]|\\\\.)*\"")) return ""
		text = substr(line, RSTART, RLENGTH - 1)
		sub(/^[{,]"[a-z]*":"/, "", text)
		gsub(/\\"/, "\"", text)
		gsub(/\\\\/, "\\", text)
		return text
	}
	{ line = $0; sub(/,"meta":[{].*/, "", line) }
	field("state") == "committed" { print field("owner") "\t" field("name") ":" field("run") }')
[ $# -lt 5 ] || committed=$(printf '%s\n' "$committed" | awk -F '\t' -v owner="$5" '$1 == owner')
mine=$(printf '%s\n' "$committed" | awk -F '\t' -v base="$base" '
	index($2, base "-") == 1 && substr($2, length(base) + 2) ~ /^[0-9]+-(FULL|DIFF):[^:]*$/')
owners=$(printf '%s\n' "$mine" | sed "s/\(.*\)	.*/'\1'/" | LC_ALL=C sort -u)
[ "$(printf '%s\n' "$owners" | wc -l)" -eq 1 ] || {
	echo "restore.sh: error: several owners have stored archives of $base, give one as the last argument: $(printf '%s\n' "$owners" | tr '\n' ' ')" >&2
	exit 2
}

# By the second in RUN and then by slot: the newest full one and all after it.
runs=$(printf '%s\n' "$mine" | sed 's/^[^	]*	//' |
	sed -E 's/^(.*-([0-9]+)-(FULL|DIFF):([0-9TZ]{16}).*)$/\4 \2 \1/' |
	LC_ALL=C sort -k 1,1 -k 2,2n | sed 's/^[^ ]* [^ ]* //' |
	awk '/-FULL:/ { n = 0 } { run[n++] = $0 } END { for (i = 0; i < n; i++) print run[i] }')
case $runs in
*-FULL:*) ;;
*)
	echo "restore.sh: error: no full archive of $base in $bucket" >&2
	exit 4
	;;
esac

printf '%s\n' "$runs" | while IFS= read -r run; do
	echo "restoring $run" >&2
	failed=$({
		{
			s3get "$bucket:$run" </dev/null || echo s3get >&4
		} | {
			pgpipe -d -k "$key" || echo pgpipe >&4
		} | {
			zstd -d -q || echo zstd >&4
		} | {
			tar --extract --file=- --listed-incremental=/dev/null --preserve-permissions \
				--xattrs --xattrs-include='*' --acls -C "$target" || echo tar >&4
		}
	} 4>&1)
	[ -z "$failed" ] || {
		echo "restore.sh: error: $run failed: $failed" >&2
		echo "restore.sh: error: what is in $target is not complete" >&2
		exit 1
	}
done
