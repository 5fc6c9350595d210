#!/bin/sh
# SPDX-License-Identifier: ISC
# A filesystem that becomes read-only, as the kernel makes it behind an error of
# the disk: patches wait, none is spent on it, and somebody is told.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/executor.sh"
need_root
own_mounts
write_config </dev/null
mount -t tmpfs none "$ws" || skip_all 'nothing can be mounted here'
says() {
	patchflow -c "$CONF" --json status |
		jq -r '.queues[] | select(.name == "MAIN").hold' | grep -q "$1"
}
alerts() {
	raised workspace-missing '"\(.queue) \(.resolved)"' | tr '\n' ' '
}
has_ended() {
	[ "$(where_is "$1")" = completed ]
}
start executor executor -f -c "$CONF" -q MAIN
queue_json >/dev/null <<'END'
{"id":"before","mutations":[{"path":"a","contents":"x"}]}
END
await 'a patch goes through' has_ended before
mount -o remount,ro "$ws"
queue_json >/dev/null <<'END'
{"id":"one","mutations":[{"path":"b","contents":"x"}]}
{"id":"two","mutations":[{"path":"c","contents":"x"}]}
END
await 'a filesystem that became read-only holds the queue' says 'Read-only'
is 'nothing is spent on it' "$(where_is one) $(where_is two)" 'queued queued'
is 'and it is told' "$(alerts)" 'MAIN false '
mount -o remount,rw "$ws"
await 'when it can be written again they run' has_ended two
is 'for the first time' "$(outcome one .attempt) $(outcome two .attempt)" '1 1'
is 'and that is told' "$(alerts)" 'MAIN false MAIN true '
stop executor
mount -o remount,ro "$ws"
like 'check-config says it, too' "$(patchflow -c "$CONF" check-config 2>&1)" \
    'workspace .*Read-only'
umount "$ws"
done_testing
