#!/bin/bash
# desktop.sh BUCKET DIR RECIPIENTS STATE stores a dated archive of a folder, encrypted
# to the public keys in the file RECIPIENTS: everything the first time in a month, then
# what has changed since the archive before. It is for a desktop without GNU tar,
# such as macOS, started by its scheduler (launchd, cron); napback does more.
#
# STATE is a directory of its own. An archive that fails counts as not made: the next
# one holds what it would have held. To restore, extract a FULL and all DIFFs after
# it in the order of their names:
#
#   s3get BUCKET:NAME | pgpipe -d -k secret.asc | tar -x
#
# What was deleted meanwhile comes back, too: tar goes by the dates of changes. GNU tar's
# snapshots, which napback uses, know better.
set -euo pipefail

[ $# -eq 4 ] || { echo "usage: desktop.sh BUCKET DIR RECIPIENTS STATE" >&2 && exit 2; }
bucket=$1 dir=${2%/} recipients=$3
state=$(cd "$4" && pwd)
since=$state/since-$(date +%Y-%m) # names the file whose dates the last archive has
type=FULL newer=() next=$state/a
if [ -e "$since" ]; then
	last=$(cat "$since")
	type=DIFF newer=("--newer=$last") # GNU: the date of a file whose name begins with /
	! tar --version | grep -q bsdtar || newer=(--newer-than "$last")
	[ "$last" != "$next" ] || next=$state/b
fi
# What changes from now on is in the next archive. A second later no change has the
# same date.
rm -f "$next" && : >"$next" && sleep 1
# shellcheck disable=SC2016 # the inner shell expands it
s3put --keep "$bucket:$(basename "$dir")/$(date +%Y-%m-%dT%H%M%S)-$type" -- \
	bash -o pipefail -c 'recipients=$1 && shift && tar -c -f - "$@" | pgpipe -R "$recipients"' bash \
	"$recipients" ${newer[@]+"${newer[@]}"} -C "$(dirname "$dir")" -- "./$(basename "$dir")"
echo "$next" >"$since.new"
mv "$since.new" "$since"
