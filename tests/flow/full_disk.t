#!/bin/sh
# SPDX-License-Identifier: ISC
# On a full disk the reserve lets the last summaries and alerts be written.
# The disk is a tmpfs in a mount namespace of this test.
. "$(dirname "$0")/../harness/lib.sh"
own_mounts
plan 9

write_config
mkdir "$T/small"
mount -t tmpfs -o size=16m none "$T/small" || skip_all 'no tmpfs'
SPOOL=$T/small/spool
sed -i "s|^spool: .*|spool: $SPOOL|" "$CONF"

outcome_of() {
	echo '{"state":"failed","stage":"command","error":"broke"}' |
	    putoutcome "$SPOOL" MAIN "$1" 1 1760000000000000 >/dev/null
}

fill() {
	cat /dev/zero >"$T/small/filler" 2>/dev/null
	cat /dev/zero >>"$T/small/filler" 2>/dev/null
	[ "$(df --output=avail "$T/small" | tail -n 1)" -lt 8 ]
}

summarizer --once -c "$CONF" 2>/dev/null
alertd --once -c "$CONF" 2>/dev/null
is 'both keep a reserve' "$(find "$SPOOL/state" -name reserve | wc -l)" 2
for i in 1 2 3 4 5; do
	outcome_of "last-$i"
	putalert "$SPOOL" disk-low "D$i" critical "full $i"
done
ok 'the disk is full' fill
exits 0 'the summarizer works' summarizer --once -c "$CONF"
is 'all five have their summary' \
    "$(count_files "$SPOOL/MAIN/summaries/.completed")" 5
is 'delivered whole' "$(cat "$T"/replies/*.md | grep -c '^# last-')" 5
ok 'and full it is again' fill
alertd --once -c "$CONF" >"$T/log/alertd" 2>&1
is 'every alert is told' "$(grep -c 'disk-low test D' "$T/alerts.log")" 5
rm "$T/small/filler"
summarizer --once -c "$CONF" 2>/dev/null
start summarizer summarizer -f -c "$CONF"
outcome_of afterwards
await 'with room again the reserve is taken again' \
    test -e "$SPOOL/state/summarizer/reserve"
stop summarizer
ok 'and everything is whole' summarizer --once -c "$CONF"
umount "$T/small"
