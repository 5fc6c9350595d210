#!/bin/sh
# SPDX-License-Identifier: ISC
# The makefile: install puts everything under DESTDIR and nothing elsewhere,
# uninstall takes exactly that away, and other flags rebuild what they must.
. "$(dirname "$0")/../harness/lib.sh"
cd "$TOP" || exit 1

[ -w "$BUILD_DIR" ] || skip_all "cannot write to $BUILD_DIR"
plan 8

make_quietly() {
	make -s --no-print-directory BUILD="$BUILD_DIR" "$@"
}

mkdir -p "$T/root/usr/bin"
echo mine >"$T/root/usr/bin/mine"
ok 'make install' make_quietly install DESTDIR="$T/root" PREFIX=/usr \
    LIBEXECDIR=/usr/local/libexec/patchflow
is 'programs' "$(cd "$T/root" && find . -type f -perm -100 | sort | tr '\n' ' ')" \
    './usr/bin/patchflow ./usr/local/libexec/patchflow/alertd ./usr/local/libexec/patchflow/executor ./usr/local/libexec/patchflow/ghost-bridge ./usr/local/libexec/patchflow/summarizer ./usr/local/libexec/patchflow/watchdog '
is 'man pages' "$(find "$T/root/usr/share/man" -type f | wc -l)" \
    "$(find man -name '*.[1578]' | wc -l)"
ok 'the sample configuration' test -r \
    "$T/root/usr/share/doc/patchflow/patchflow.yaml"
ok 'make uninstall' make_quietly uninstall DESTDIR="$T/root" PREFIX=/usr \
    LIBEXECDIR=/usr/local/libexec/patchflow
is 'takes exactly that away' "$(cd "$T/root" && find . -type f)" ./usr/bin/mine

# One object is enough to see the rule.
object=$T/build/common/clock.o
build_object() {
	make -s --no-print-directory BUILD="$T/build" "$object" "$@"
}
build_object CFLAGS=-O0
first=$(stat -c '%i %y' "$object")
build_object CFLAGS=-O0
is 'the same flags build nothing again' "$(stat -c '%i %y' "$object")" "$first"
build_object CFLAGS=-O1
fails 'other flags do' test "$(stat -c '%i %y' "$object")" = "$first"
