#!/bin/sh
# SPDX-License-Identifier: ISC
# install.sh put|take MANIFEST
#
# put reads lines "MODE SOURCE TARGET" and installs each SOURCE as
# $DESTDIR/TARGET; MANIFEST, itself below $DESTDIR, then says which files and
# directories were made. take removes exactly those. A file below $SYSCONFDIR
# that a person has changed is theirs: both leave it alone and say so.
set -eu

: "${SYSCONFDIR:=/etc}" "${INSTALL:=install}"
DESTDIR=${DESTDIR:-}
list=$2
manifest=$DESTDIR$list
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

sum() {
	sha256sum <"$1" | cut -d' ' -f1
}

# Directories from the top down, those that are ours noted.
make_directory() {
	[ -d "$DESTDIR$1" ] && return
	make_directory "$(dirname "$1")"
	mkdir -m 755 "$DESTDIR$1"
	echo "directory $1" >>"$work/new"
}

# is_theirs TARGET: configuration that differs from what we put there.
is_theirs() {
	case $1 in "$SYSCONFDIR"/*) ;; *) return 1 ;; esac
	[ -e "$DESTDIR$1" ] &&
	! grep -qx "$(sum "$DESTDIR$1") $1" "$manifest" 2>/dev/null
}

put_one() {
	mode=$1 source=$2 target=$3
	case $source in
	etc/boot/*)
		sed -e "s|@libexecdir@|$LIBEXECDIR|g" -e "s|@bindir@|$BINDIR|g" \
		    -e "s|@sysconfdir@|$SYSCONFDIR|g" "$source" >"$work/file"
		source=$work/file ;;
	esac
	make_directory "$(dirname "$target")"
	if is_theirs "$target" && ! cmp -s "$source" "$DESTDIR$target"; then
		echo "kept $target, which was changed" >&2
		grep -F " $target" "$manifest" 2>/dev/null |
		    awk -v t="$target" '$2 == t' >>"$work/new"
		return
	fi
	$INSTALL -m "$mode" "$source" "$DESTDIR$target"
	echo "$(sum "$source") $target" >>"$work/new"
}

# What an earlier version made and this one does not stays noted.
put() {
	: >"$work/new"
	mkdir -p "$DESTDIR/"
	while read -r mode source target; do
		put_one "$mode" "$source" "$target"
	done
	make_directory "$(dirname "$list")"
	cat "$manifest" >"$work/earlier" 2>/dev/null || :
	awk '!seen[$2]++' "$work/new" "$work/earlier" | sort -k2 \
	    >"$work/manifest"
	$INSTALL -m 644 "$work/manifest" "$manifest"
}

take() {
	if [ ! -e "$manifest" ]; then
		echo "$manifest is not there: nothing is installed" >&2
		exit 1
	fi
	sort -r -k2 "$manifest" >"$work/old"
	grep -v '^directory ' "$work/old" >"$work/files"
	while read -r _ target; do
		if is_theirs "$target"; then
			echo "kept $target, which was changed" >&2
		else
			rm -f "$DESTDIR$target"
		fi
	done <"$work/files"
	rm -f "$manifest"
	# Longest first: a directory goes behind what is in it.
	sed -n 's/^directory //p' "$work/old" |
	while read -r target; do
		rmdir "$DESTDIR$target" 2>/dev/null || :
	done
}

case $1 in
put | take) "$@" ;;
*) exit 2 ;;
esac
