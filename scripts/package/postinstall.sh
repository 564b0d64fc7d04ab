#!/bin/sh
# After installation or upgrade: systemd reads the units. Nothing is enabled or
# started, and a backup that runs goes on.
[ ! -d "${DPKG_ROOT-}/run/systemd/system" ] || systemctl daemon-reload >/dev/null 2>&1 || :
