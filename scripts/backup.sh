#!/bin/sh
# backup.sh BUCKET DIRECTORY RECIPIENT STATEDIR
#
# Backs up DIRECTORY to BUCKET by hand: slotcalc tells what is due today, GNU
# tar makes a full or an incremental archive of it, zstd packs it, pgpipe
# encrypts it to RECIPIENT, s3put stores it. STATEDIR, which must exist, keeps
# what tar needs to know for the next incremental one.
#
# It is an example to start from: one schedule, one directory, no lock. napback
# does the same for many directories and watches over much more.
#
# FULLS and DIFFS in the environment change the schedule, TODAY (2026-11-20) the
# day that it is asked for; the store is chosen
# as for s3put (AWS_ENDPOINT_URL and so on).
set -eu

# produce SNAPSHOT DIRECTORY RECIPIENT writes the encrypted archive to stdout.
# A pipe's end does not tell whether its writer succeeded, so every stage says
# on descriptor 4 when it failed. tar's status 1 means that a file changed
# while it was read, which a live system has to live with.
produce() {
	exec 3>&1
	failed=$({
		{
			tar --create --file=- --listed-incremental="$1" --no-check-device \
				--sparse --xattrs --acls -C / -- "${2#/}" || [ $? -eq 1 ] || echo tar >&4
		} | {
			zstd -q || echo zstd >&4
		} | {
			pgpipe -r "$3" >&3 || echo pgpipe >&4
		}
	} 4>&1)
	[ -z "$failed" ] || {
		echo "backup.sh: error: failed: $failed" >&2
		exit 1
	}
}

if [ "${1-}" = --produce ]; then
	shift
	produce "$@"
	exit
fi

[ $# -eq 4 ] || {
	echo 'usage: backup.sh BUCKET DIRECTORY RECIPIENT STATEDIR' >&2
	exit 2
}
bucket=$1
directory=$(cd -- "$2" && pwd)
recipient=$3
state=$(cd -- "$4" && pwd)
base=$(basename -- "$directory")
diffs=${DIFFS:-6}

place=$(slotcalc simple ${TODAY:+--date "$TODAY"} --diffs "$diffs" --fulls "${FULLS:-4}") || {
	[ $? -eq 1 ] || exit 2
	echo 'no backup is due today' >&2
	exit 0
}
slot=${place% *}
type=${place#* }
cycle=$((slot / (diffs + 1)))

# An incremental archive builds on the state that the last one left, or, when
# today's slot is filled a second time, on the state before: else what the
# archive that is replaced had would be lost. It needs a full one of the same
# cycle.
snapshot=$state/$base.snapshot
from=$snapshot
last=$(cat "$state/$base.last" 2>/dev/null || :) # CYCLE SLOT TYPE
case $last in
"$cycle $slot FULL") type=FULL ;;
"$cycle $slot DIFF") from=$snapshot.before ;;
"$cycle "*) ;;
*) type=FULL ;;
esac
[ -f "$from" ] || type=FULL

# tar changes the state while it reads. It works on a copy, which becomes the
# state only when the archive is safe.
rm -f "$snapshot.new"
[ "$type" = FULL ] || cp "$from" "$snapshot.new"
s3put -m compression=zstd -m "encryption=$recipient" \
	-m 'unpack=tar --extract --listed-incremental=/dev/null' \
	"$bucket:$base-$slot-$type" -- sh "$0" --produce "$snapshot.new" "$directory" "$recipient"
sync "$snapshot.new"
case $type in
FULL) rm -f "$snapshot.before" ;;
*) [ "$from" != "$snapshot" ] || mv "$snapshot" "$snapshot.before" ;;
esac
mv "$snapshot.new" "$snapshot"
echo "$cycle $slot $type" >"$state/$base.last"

# A slot holds one archive: what it held in an earlier round goes. (s3put has
# removed what it held under the same name.) Archives with an owner are somebody
# else's, such as napback's.
case $type in FULL) other=DIFF ;; *) other=FULL ;; esac
s3ls --json -r "$bucket:$base-$slot-$other" | sed 's/,"meta":{.*//' |
	sed -n '/"owner":"/d; s/.*"run":"\([0-9TZa-z-]*\)","state":"\(committed\|superseded\)".*/\1/p' |
	while IFS= read -r run; do
		s3rm -y "$bucket:$base-$slot-$other:$run" 2>/dev/null || [ $? -eq 4 ]
	done
