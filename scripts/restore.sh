#!/bin/sh
# restore.sh BUCKET BASE SECRETKEY DIRECTORY
#
# Brings back what backup.sh stored from the directory called BASE: the newest
# full archive and the incremental ones after it, extracted below DIRECTORY,
# which must be empty. SECRETKEY is a file with the exported secret key.
#
# It trusts what is in the bucket: who can write there can write archives that
# make tar write outside of DIRECTORY. If you do not, use napback restore, or run
# this in a container, or as a user without rights.
set -eu

[ $# -eq 4 ] || {
	echo 'usage: restore.sh BUCKET BASE SECRETKEY DIRECTORY' >&2
	exit 2
}
bucket=$1 base=$2 key=$3 target=$4
[ -z "$(ls -A "$target")" ] || {
	echo "restore.sh: error: $target is not empty" >&2
	exit 2
}

# NAME:RUN of each committed run, by the second in RUN and then by slot: the
# newest full one and all after it.
runs=$(s3ls -r "$bucket:$base-" | sed -n 's/^.*  committed *  //p' |
	grep -E "^.{${#base}}-[0-9]+-(FULL|DIFF):[^:]*\$" |
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
