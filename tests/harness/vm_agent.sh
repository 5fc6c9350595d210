#!/bin/sh
# SPDX-License-Identifier: ISC
# The agent in a guest (vm.sh): lines "ID SCRIPT" in base64 from the second
# serial port; for each one "done ID STATUS xOUTPUT end" when it has run.
stty -F /dev/ttyS1 raw -echo
exec </dev/ttyS1 >/dev/ttyS1
read -r boot </proc/sys/kernel/random/boot_id
echo "ready $boot end"
while read -r id script; do
	echo "$script" | base64 -d >/run/vm_agent.script
	timeout -k 10 2400 sh /run/vm_agent.script >/run/vm_agent.out 2>&1 \
	    </dev/null
	rc=$?
	echo "done $id $rc x$(tail -c 60000 /run/vm_agent.out | base64 -w 0) end"
done
