#!/bin/sh
# SPDX-License-Identifier: ISC
# The command for others than the spool's owner: one clear line, no trace.
. "$(dirname "$0")/../harness/lib.sh"
need_root
as_user test -x "$BUILD_DIR/bin/patchflow" ||
	skip_all 'an ordinary user cannot run the build'
plan 10

cd "$T" || exit 1
mkdir "$T/proj" && chmod 755 "$T/proj"
(cd proj && patchflow init >/dev/null)
pf() { as_user env -C "$T/proj" patchflow "$@"; }
printf '{"id": "a1", "mutations": [{"path": "f", "contents": "x"}]}\n' >a1.json
ok "root's suite works" patchflow -c proj/patchflow.yaml fsck

exits 1 "a spool of another user is refused" pf status
is 'in one line' "$(wc -l <"$T/out")" 1
like 'that says whose it is' "$(cat "$T/out")" "belongs to user root \(uid 0\)"
exits 1 'for submit, too' pf submit "$T/a1.json"
exits 0 'check needs no spool' pf check "$T/a1.json"

mkdir "$T/other" "$T/other/var" && chmod 777 "$T/other"
exits 1 'init in a directory with a foreign ./var' \
    as_user env -C "$T/other" patchflow init
like 'says whose' "$(cat "$T/out")" 'var.* belongs to user root'

as_user env -C "$T/other" sh -c 'mkdir mine && cd mine && patchflow init && patchflow queue' \
    >/dev/null
chmod 0 "$T/other/mine/var/spool"
exits 1 'a spool that its owner has closed' \
    as_user env -C "$T/other/mine" patchflow queue
like 'is called that' "$(cat "$T/out")" 'var/spool: Permission denied'
