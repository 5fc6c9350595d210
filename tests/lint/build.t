#!/bin/sh
# SPDX-License-Identifier: ISC
# The makefile: install puts everything under DESTDIR and nothing elsewhere,
# uninstall takes exactly that away, and other flags rebuild what they must.
. "$(dirname "$0")/../harness/lib.sh"
cd "$TOP" || exit 1

[ -w "$BUILD_DIR" ] || skip_all "cannot write to $BUILD_DIR"
plan 14

root=$T/root
make_quietly() {
	make -s --no-print-directory BUILD="$BUILD_DIR" "$@"
}
place() {
	make_quietly "$1" DESTDIR="$root" PREFIX=/usr \
	    LIBEXECDIR=/usr/local/libexec/patchflow
}
tree() {
	(cd "$root" && find . | sort)
}

mkdir -p "$root/usr/bin" "$root/etc/init.d"
echo mine >"$root/usr/bin/mine"
before=$(tree)
ok 'make install' place install
is 'programs' "$(cd "$root" && find usr -type f -perm -100 | sort | xargs)" \
    'usr/bin/patchflow usr/local/libexec/patchflow/alertd usr/local/libexec/patchflow/executor usr/local/libexec/patchflow/ghost-bridge usr/local/libexec/patchflow/summarizer usr/local/libexec/patchflow/watchdog'
is 'man pages' "$(find "$root/usr/share/man" -type f | wc -l)" \
    "$(find man -name '*.[1578]' | wc -l)"
ok 'the sample configuration' cmp "$root/etc/patchflow/patchflow.yaml" \
    etc/patchflow.yaml
is 'a file for each init system knows where the rest lies' "$(cd "$root" &&
    grep -rl /usr/local/libexec/patchflow/watchdog etc usr/lib | sort |
    xargs)" 'etc/init.d/patchflow etc/sv/patchflow/run usr/lib/systemd/system/patchflow.service usr/lib/systemd/user/patchflow.service'
is '... and all paths are filled in' "$(grep -rl '@[a-z]*dir@' "$root")" ''
once=$(tree)
ok 'a second install' place install
is '... makes nothing new' "$(tree)" "$once"
ok 'make uninstall' place uninstall
is 'takes exactly that away' "$(tree)" "$before"
place install >/dev/null 2>&1
echo '# mine' >>"$root/etc/patchflow/patchflow.yaml"
{ place install && place uninstall; } >/dev/null 2>&1
is 'a changed configuration is kept by both' "$(
    tail -n 1 "$root/etc/patchflow/patchflow.yaml")" '# mine'
is '... and nothing else' "$(tree | grep -vx -e ./etc/patchflow \
    -e ./etc/patchflow/patchflow.yaml)" "$before"

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
