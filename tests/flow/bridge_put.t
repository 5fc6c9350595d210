#!/bin/sh
# SPDX-License-Identifier: ISC
# A spool that takes nothing: the cursor stays, somebody is told, nothing
# spins, and nothing is lost when it works again.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/bridge.sh"

if [ "$(id -u)" -eq 0 ]; then
	unshare -m true 2>/dev/null || skip_all 'no mount namespaces here'
	mkdir -p "$T/small"
	mount -t tmpfs -o size=512k,mode=755 none "$T/small" 2>/dev/null ||
		skip_all 'no mounts here'
	trap 'umount -l "$T/small"; finish' EXIT
	SPOOL=$T/small/spool
	fill() {
		head -c 600000 /dev/zero >"$T/small/ballast" 2>/dev/null
		true
	}
	drain_ballast() {
		rm "$T/small/ballast"
	}
else
	# One queue that takes nothing; the others must not suffer. A start
	# sets the modes right again, so the daemon is started before.
	fill() {
		chmod 500 "$SPOOL/MAIN/patches/.tmp" "$SPOOL/MAIN/patches"
	}
	drain_ballast() {
		chmod 700 "$SPOOL/MAIN/patches/.tmp" "$SPOOL/MAIN/patches"
	}
fi
write_config </dev/null
once
echo 'hello' >>"$CHAT"
once
offset() {
	json "$(ls "$SPOOL"/state/ghost-bridge/source-*.json)" .offset
}
before=$(offset)
if [ "$(id -u)" -eq 0 ]; then
	fill
	block one MAIN >>"$CHAT"
	exits 111 'a put that fails is left for later' once
	is 'the cursor stays' "$(offset)" "$before"
	is 'nothing is queued' "$(queued MAIN)" ''
	start bridge ghost-bridge -f -c "$CONF"
else
	start bridge ghost-bridge -f -c "$CONF"
	started_up() {
		grep -q started "$T/log/bridge"
	}
	await 'the daemon starts' started_up
	fill
	block one MAIN >>"$CHAT"
	skip 2 'a start mends the modes'
fi
failures() {
	grep -c 'not put, next try' "$T/log/bridge"
}
failed_twice() {
	[ "$(failures)" -ge 2 ]
}
await 'the daemon tries again' failed_twice
cpu=$(awk '{ print $14 + $15 }' "/proc/$(pid_of bridge)/stat")
failed_thrice() {
	[ "$(failures)" -ge 3 ]
}
await 'with growing gaps' failed_thrice
used=$(($(awk '{ print $14 + $15 }' "/proc/$(pid_of bridge)/stat") - cpu))
ok "without spinning ($used ticks)" [ "$used" -lt 50 ]
[ "$(id -u)" -eq 0 ] ||
	is 'an alert says so, once' "$(alerts put-failed)" 1
patch two CYOPS >"$T/two.json"
if [ "$(id -u)" -ne 0 ]; then
	cp "$T/two.json" "$SPOOL/inbox/new/two.json"
	two_queued() {
		queued CYOPS | grep -qw two
	}
	await 'another queue is served meanwhile' two_queued
fi
drain_ballast
one_queued() {
	queued MAIN | grep -qw one
}
AWAIT=40 await 'it is queued when the spool works again' one_queued
over() {
	[ "$(offset)" -gt "$before" ]
}
await 'the cursor moves then' over
resolved() {
	[ "$(alerts put-failed)" = 0 ] || has_alert put-failed true
}
await 'the alert is resolved' resolved
stop bridge
is 'it was queued once' "$(queued MAIN) $(events queued)" \
    "one $([ "$(id -u)" -eq 0 ] && echo 1 || echo 2)"
done_testing
