#!/bin/sh
# SPDX-License-Identifier: ISC
# A queue that is taken out of the configuration while something waits in it:
# whoever looks or is told of alerts hears of it, until it is empty.
. "$(dirname "$0")/../harness/lib.sh"
plan 10

write_config </dev/null
cd "$T" || exit 1
sed 's/name: MAIN/name: OTHER/' "$CONF" >other.yaml
printf '{"id":"left","target":"MAIN","mutations":[{"path":"a","contents":"x"}]}\n' |
    patchflow submit - >"$T/out" 2>&1
ghost-bridge --once -c "$CONF" 2>"$T/log/bridge"

exits 1 'a patch in a queue of another name now' patchflow -c other.yaml fsck
like 'is wrong' "$(cat "$T/out")" \
    '^wrong +MAIN +1 patch and 0 reports wait in it, and it is no queue'
exits 0 'the configuration holds' patchflow -c other.yaml check-config
like 'and a warning says what to do' "$(cat "$T/out")" \
    '^warning +MAIN +queue +1 patch and .*fix: configure it until it is empty'
ghost-bridge --once -c other.yaml 2>"$T/log/bridge"
is 'people are told' "$(raised queue-left .subject)" MAIN
rm "$SPOOL"/alerts/new/*

executor --once -c "$CONF" -q MAIN 2>"$T/log/executor"
ghost-bridge --once -c other.yaml 2>"$T/log/bridge"
like 'also of one whose outcome waits' "$(raised queue-left .text)" \
    '^0 patches and 1 report wait'
rm "$SPOOL"/alerts/new/*
drain 2>"$T/log/drain"
ghost-bridge --once -c other.yaml 2>"$T/log/bridge"
is 'but not when it is empty' "$(raised queue-left .subject)" ''
exits 0 'which fsck finds well' patchflow -c other.yaml fsck

# Without destinations summaries wait for nothing.
mv "$SPOOL"/MAIN/summaries/.completed/* "$SPOOL/MAIN/summaries/"
sed -i '/^summaries:/,/name: replies/d' other.yaml
exits 0 'nor is one whose summaries stay there' patchflow -c other.yaml fsck
ghost-bridge --once -c other.yaml 2>"$T/log/bridge"
is 'told of' "$(raised queue-left .subject)" ''
