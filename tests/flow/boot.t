#!/bin/sh
# SPDX-License-Identifier: ISC
# What make install ships for booting: systemd takes unit, users and places;
# the scripts run; the crontab lines work for a user without root.
. "$(dirname "$0")/../harness/lib.sh"
cd "$TOP" || exit 1
[ -w "$BUILD_DIR" ] || skip_all "cannot write to $BUILD_DIR"
umask 022
root=$T/root
# With the paths of the build, or it would build everything anew.
make -s --no-print-directory BUILD="$BUILD_DIR" install DESTDIR="$root" \
    >"$T/out" 2>&1 || skip_all "make install failed"
unit=$T/patchflow.service
own=$T/patchflow-user.service
units=$root/usr/local/lib/systemd
sed "s|^ExecStart=|&$root|" "$units/system/patchflow.service" >"$unit"
sed "s|^ExecStart=|&$root|" "$units/user/patchflow.service" >"$own"

if command -v systemd-analyze >/dev/null 2>&1; then
	# Man pages of the real machine are not what is asked.
	ok 'systemd takes the unit' systemd-analyze verify --man=no "$unit"
	is '... without a word' "$(cat "$T/out")" ''
	ok '... and a user'"'"'s the other one' env HOME="$T/home" \
	    XDG_RUNTIME_DIR="$T" systemd-analyze verify --user --man=no "$own"
	sed 's/^WatchdogSec=.*/WatchdogSec=soon/' "$unit" >"$T/bad.service"
	sed -i "s|^ExecStart=.*|ExecStart=$root/none|" "$T/bad.service"
	fails '... a wrong one not' systemd-analyze verify --man=no \
	    "$T/bad.service"
else
	skip 4 "systemd-analyze is not there"
fi
for file in "$unit" "$own"; do
	is 'the unit has the watchdog, and nothing that would break workspaces' "$(
	    grep -cE '^(Type=notify|WatchdogSec=[0-9]+|Delegate=yes)$' "$file") $(
	    grep -cE '^(Protect|Private|Restrict|SystemCall|ReadOnly|NoNew|User=|Capab)' \
	    "$file")" '3 0'
done
is 'they differ in whose they are only' "$(sed -n '/^\[Service\]/,$p' "$unit" |
    grep '^[A-Z]' | grep -v -e ^ExecStart -e ^WantedBy)" "$(sed -n \
    '/^\[Service\]/,$p' "$own" | grep '^[A-Z]' | grep -v -e ^ExecStart -e ^WantedBy)"
if command -v systemd-sysusers >/dev/null 2>&1; then
	like 'its users are made' "$(systemd-sysusers --dry-run --root="$T/none" \
	    "$root/usr/local/lib/sysusers.d/patchflow.conf" 2>&1)" \
	    'Creating user .patchflow.'
else
	skip 1 "systemd-sysusers is not there"
fi
if command -v systemd-tmpfiles >/dev/null 2>&1 && [ "$(id -u)" -eq 0 ]; then
	mkdir -p "$T/sys/etc" "$T/sys/var"
	echo 'patchflow:x:990:990::/:/bin/false' >"$T/sys/etc/passwd"
	printf '%s\n' root:x:0: patchflow:x:990: >"$T/sys/etc/group"
	echo 'root:x:0:0::/:/bin/sh' >>"$T/sys/etc/passwd"
	ok 'its places too' systemd-tmpfiles --create --root="$T/sys" \
	    "$root/usr/local/lib/tmpfiles.d/patchflow.conf"
	is '... as the suite itself would make them' "$(stat -c '%u:%g:%a' \
	    "$T/sys/var/spool/patchflow" "$T/sys/var/log/patchflow" | xargs)" \
	    '990:990:2751 0:990:3770'
else
	skip 2 "systemd-tmpfiles as root is not to be had"
fi

# runit's scripts, without runit: what the finish script says of exits.
like 'runit: a bad configuration is said' "$(timeout 0.5 sh \
    "$root/etc/sv/patchflow/finish" 78 0)" 'exit 78, needs a person'
is '... anything else starts again at once' "$(timeout 5 sh \
    "$root/etc/sv/patchflow/finish" -1 9; echo $?)" 0
for script in "$root"/etc/sv/patchflow/run "$root"/etc/sv/patchflow/log/run \
    "$root"/etc/sv/patchflow/finish "$root"/etc/init.d/patchflow; do
	ok "a shell reads ${script#"$root"/}" sh -n "$script"
done

like 'systemctl enable, too, finds the runlevels that it wants of a script' \
    "$(cat "$root/etc/init.d/patchflow")" '^# Default-Start: +2 3 4 5$'

# cron, as a user: the line is given to the shell as cron does.
mkdir -p "$T/home/ws"
printf '%s\n' "spool: $T/home/spool" 'queues:' \
    "  - {name: MAIN, workspace: $T/home/ws, default: true}" \
    "logs: {directory: $T/home/log}" >"$T/home/patchflow.yaml"
give_scratch
as_user test -x "$BUILD_DIR/bin/patchflow" || {
	skip 4 "an ordinary user cannot read $TOP"
	done_testing
	exit
}
cron() {
	as_user env -i HOME="$T/home" PATH=/usr/bin:/bin \
	    PATCHFLOW_TEST_MARK="$T" /bin/sh -c "$1"
}
lines=$root/usr/local/share/doc/patchflow/crontab
sed -i "s|/usr/local/bin/|$BUILD_DIR/bin/|g" "$lines"
boot=$(sed -n 's/^@reboot //p' "$lines")
again=$(sed -n 's|^\*/5 \* \* \* \* ||p' "$lines")
ok 'cron: the line at boot starts the suite' cron "$boot"
said=$(cron "$again" 2>&1)
is '... the other one leaves it alone, without a word' "$?:$said" '0:'
pid=$(as_user patchflow -c "$T/home/patchflow.yaml" --json status |
    jq .watchdog.pid)
kill -s KILL "$pid"
dead() {
	! grep -qs '^State:.[^Z]' "/proc/$pid/status"
}
until_true 5 dead
like '... and replaces one that died, saying so' "$(cron "$again" 2>&1)" \
    'up: [0-9]+ daemons ready'
ok '... it ends' as_user patchflow -c "$T/home/patchflow.yaml" down
done_testing
