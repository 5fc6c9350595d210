#!/bin/sh
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2034 # AWAIT is lib.sh's
# The suite under runit: Debian's runit as process 1 boots it from the files
# that make install ships, replaces a dead supervisor, stops it in order.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/../harness/machine.sh"
[ -n "${PATCHFLOW_LONG:-}" ] || skip_all "PATCHFLOW_LONG=1 runs it"
machine_enter
fetch runit
machine_mount || skip_all "no overlay mounts to be had"
machine_install || skip_all "make install failed"

AWAIT=40
rm -f /etc/service
mkdir -p /etc/service /etc/runit
printf '#!/bin/sh\nexit 0\n' | tee /etc/runit/1 >/etc/runit/3
printf '#!/bin/sh\nexec runsvdir -P /etc/service\n' >/etc/runit/2
chmod 755 /etc/runit/[123]
ln -s /etc/sv/patchflow /etc/service/patchflow
machine_boot runit
boots_and_works runit
survives KILL
survives SEGV
like 'the status says that it was restarted' "$(patchflow status)" \
    'supervisor restarted: it died 2 times'
ok 'sv reads the configuration again' inside sv hup patchflow
await '... and everybody is there' suite_is_up
ok 'sv down ends it in order' inside sv -w 60 down patchflow
await '... with everybody' gone
done_testing
