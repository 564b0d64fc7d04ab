#!/bin/sh
# Before removal, not before an upgrade: a timer that is enabled would start what is
# no longer there. Configurations, keys and /var/lib/napback stay, also if the package
# is purged: without that state the next backup is a full one.
case ${1-} in
remove | 0)
	[ ! -d "${DPKG_ROOT-}/run/systemd/system" ] || systemctl disable --now napback.timer >/dev/null 2>&1 || :
	;;
esac
