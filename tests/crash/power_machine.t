#!/bin/sh
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2016,SC2034 # what the guest expands; AWAIT is lib.sh's
# time-limit: 360
# Power cuts of a whole machine: documents are handed in without end, each
# acknowledgement is noted outside, and qemu is killed; what its disk had not
# flushed is lost. After the next boot all that was acknowledged is there and
# comes to its end, once. Where the disk is not flushed the same turns red.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/../harness/vm.sh"
vm_begin

# Hands in storm-FROM and so on; the third serial port hears of each one. Every
# document counts one up, so that a second run of it is seen.
storm='i=FROM; while :; do
	printf "%s\n" "role: command_patch" "id: storm-$i" "mutations:" \
	    "  - {path: f$i, contents: \"$i\"}" "postMutationBuild:" \
	    "  shell: [\"echo $i >>count\"]" >/tmp/doc.yaml
	patchflow submit /tmp/doc.yaml && echo "storm-$i" >/dev/ttyS2
	i=$((i + 1))
done'
said() {
	[ "$(grep -c 'storm-[0-9]*.$' "$T/said")" -ge "$1" ]
}
# round DISK CACHE FROM COUNT: on, COUNT acknowledgements, off; $T/told grows.
# Where the machine believes the disk to "write through" it never has it flush.
round() {
	vm_boot "$1" writeback
	until_true "$AWAIT" vm_ready && until_true "$AWAIT" vm_suite_is_up || return 1
	guest "echo $2 >/sys/block/nvme0n1/queue/write_cache"
	guest "systemd-run --collect sh -c '$(echo "$storm" |
	    sed "s/FROM/$3/")'" >/dev/null
	until_true "$AWAIT" said "$4" || return 1
	vm_cut_power
	tr -d '\r' <"$T/said" | grep -x 'storm-[0-9]*' >>"$T/told"
}
# What there is of the ids that were told, "outcome ID STATE", "summary ID" and
# "line ID", sorted; and what there should be of them.
account() {
	guest 'cd /var/spool/patchflow/MAIN
	    head -qn 1 outcomes/done/*.json |
	    jq -r "\"outcome \(.id) \(.state)\""
	    find summaries -name .backup -prune -o -name "summary-storm-*.md" -print |
	    sed "s/.*summary-\(storm-[0-9]*\)-.*/summary \1/"
	    sed "s/^/line storm-/" /home/joe/ws/count' |
	    awk 'NR == FNR { told[$1]; next } $2 in told' "$T/told" - | sort
}
idle() {
	[ "$(guest 'cd /var/spool/patchflow && find inbox/new inbox/cur \
	    MAIN/patches MAIN/patches/.running MAIN/patches/.held \
	    MAIN/outcomes/new MAIN/outcomes/cur -maxdepth 1 -type f |
	    wc -l')" = 0 ]
}
kept() {
	sed 's/.*/outcome & completed\nsummary &\nline &/' "$T/told" | sort
}

: >"$T/told"
vm_new_disk honest
for cut in 1 2 3; do
	ok "power cut $cut in the middle of a storm" \
	    round honest "write back" $((cut * 1000)) $((cut * 5))
done
vm_boot honest writeback
await 'the machine boots again' vm_ready
await '... with the suite' vm_suite_is_up
await '... and everything comes to its end' idle
account >"$T/got"
is "all of the $(wc -l <"$T/told") that were acknowledged ran once" \
    "$(cat "$T/got")" "$(kept)"
is 'the file system is whole' "$(guest 'dmesg | grep -i "ext4.*error"')" ''
is 'fsck finds nothing' "$(guest 'patchflow fsck >/tmp/fsck 2>&1; echo $?
    grep -ci "corrupt" /tmp/fsck')" '0
0'
vm_cut_power

# --- the control: a machine that does not have its disk flush

: >"$T/told"
vm_new_disk liar
ok 'the power of one that does not flush' round liar "write through" 1000 5
vm_boot liar writeback
if until_true "$AWAIT" vm_ready && until_true "$AWAIT" vm_suite_is_up; then
	account >"$T/got"
	ok 'takes along what was acknowledged, and is seen to' test \
	    "$(cat "$T/got")" != "$(kept)"
else
	pass 'takes the whole machine along'
fi
vm_cut_power
done_testing
