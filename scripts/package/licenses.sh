#!/bin/sh
# licenses.sh PACKAGE... prints the license of napback and those of all that is
# linked into programs of it: of Go itself, and of every module, with its notices.
# A text that several have is printed once. A module without one is an error.
set -eu

# module, folder: of each package that is linked, and of its module.
linked=$(go list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}	{{.Dir}}
{{.Path}} {{.Version}}	{{$.Dir}}{{end}}{{end}}' "$@" | sed '/^$/d' | sort -u)
# module, file: what in those folders is a license by its name.
texts=$(
	echo "Go $(go env GOVERSION)	$(go env GOROOT)/LICENSE"
	echo "$linked" | cut -f 2 | sed '/^$/d' | sort -u | tr '\n' '\0' |
		xargs -0 -r sh -c 'find "$@" -maxdepth 1 -type f \( -iname "licen[sc]e*" -o -iname "copying*" -o -iname "notice*" -o -iname "patents*" \)' find |
		sort | { echo "$linked" && echo && cat; } |
		awk -F '\t' '
			!listed && $0 == "" { listed = 1; next }
			!listed { of[$2] = $1; next }
			{ dir = $0; sub("/[^/]*$", "", dir); print of[dir] "\t" $0 }'
)
without=$(echo "$linked" | cut -f 1 | sort -u | while read -r module; do
	[ -z "$module" ] || echo "$texts" | cut -f 1 | grep -Fqx "$module" || echo "$module"
done)
[ -z "$without" ] || { echo "licenses: error: no license in $without" >&2 && exit 1; }

cat <<END
napback

Copyright 2026 The napback authors. Licensed under the Apache License, version 2.0,
which follows. After it: what is linked into the programs, under the licenses of its
authors.

$(cat LICENSE)
END
echo "$texts" | while IFS='	' read -r module file; do
	echo "$(sha256sum <"$file" | cut -c -64)	$module	$file"
done | awk -F '\t' '
	!($1 in of) { order[++n] = $1; file[$1] = $3 }
	!($1 in of) || index(of[$1] "\n", $2 "\n") == 0 { of[$1] = of[$1] $2 "\n" }
	END {
		for (i = 1; i <= n; i++) {
			printf "\n%s\n%s\n", "==========================================================", of[order[i]]
			while ((getline line <file[order[i]]) > 0) print line
		}
	}'
