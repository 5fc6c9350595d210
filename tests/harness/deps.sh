#!/bin/sh
# SPDX-License-Identifier: ISC
# deps.sh PACKAGE... installs those Debian packages that are missing; "a|b"
# means that either will do. Nothing missing: no network, no output.
set -eu

if ! command -v dpkg-query >/dev/null 2>&1; then
	echo "deps: not a Debian system; needed are: $*" >&2
	exit 0
fi

alternatives=$(echo "$*" | tr '|' ' ')
# shellcheck disable=SC2086 # a list of names, on purpose
have=$(dpkg-query -W -f '${db:Status-Abbrev}${Package}\n' $alternatives \
    2>/dev/null | sed -n 's/^ii *//p' || true)

present() {
	for name in $(echo "$1" | tr '|' ' '); do
		case "
$have
" in *"
$name
"*)	return 0 ;; esac
	done
	return 1
}

missing=
for want in "$@"; do
	present "$want" || missing="$missing ${want%%|*}"
done
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" -ne 0 ]; then
	if ! sudo -n true 2>/dev/null; then
		echo "Packages are missing. As root, run this and then try again:" >&2
		echo "    apt-get install --no-install-recommends$missing" >&2
		exit 1
	fi
	as_root="sudo -n"
fi

install() {
	# shellcheck disable=SC2086 # lists, on purpose
	$as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y \
	    -o DPkg::Lock::Timeout=120 install --no-install-recommends $missing
}

echo "installing:$missing"
install >/dev/null 2>&1 && exit 0
# A fresh machine has no package lists yet: fetch them, and show what is said.
$as_root apt-get -qq update
install
