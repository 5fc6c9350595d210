#!/bin/sh
# SPDX-License-Identifier: ISC
# A file so large, or so many of them, that reading takes longer than a daemon
# may be silent: it says all the time that it goes on. Here they are smaller; what
# is counted is how often. Nobody listens, so that none of it is held back.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/executor.sh"
strace -o /dev/null true 2>/dev/null || skip_all 'strace may not trace here'
write_config </dev/null
NOTIFY_SOCKET=$T/nobody
export NOTIFY_SOCKET

# beats: of the executor's last run.
beats() {
	traced -e trace=sendto,renameat2 || return 1
	grep -c 'WATCHDOG=1' "$T/trace"
}
# beats_behind_record: of those, while the operations are carried out and what
# they displaced is looked at.
beats_behind_record() {
	beats >/dev/null || return 1
	awk '/renameat2.*"COMMIT".*"COMMIT"/ { on = 1 }
	    /renameat2.*"DONE"/ { on = 0 }
	    on && /WATCHDOG=1/ { n++ }
	    END { print n + 0 }' "$T/trace"
}

truncate -s 64M "$ws/large"
queue_json >/dev/null <<'END'
{"id":"delete","mutations":[{"path":"large","delete":true}]}
END
ok 'a patch takes a large file away, and is not silent' test "$(beats)" -ge 16
is 'it is completed' "$(outcome delete .state)" completed
summarizer --once -c "$CONF" 2>/dev/null
patchflow -c "$CONF" undo delete >/dev/null
ok 'nor is its undo, which reads it twice' test "$(beats)" -ge 32
is 'it is back' "$(stat -c %s "$ws/large")" 67108864

mkdir "$ws/many"
seq 1 800 | sed "s|.*|echo & >'$ws/many/&'|" | sh
queue_json >/dev/null <<'END'
{"id":"many","postMutationBuild":{"shell":["sed -i s/$/x/ many/*"]},"validate":{"shell":["true"]}}
END
ok 'nor where there are many' test "$(beats_behind_record)" -ge 16
is 'that is completed' "$(outcome many .state)" completed
done_testing
