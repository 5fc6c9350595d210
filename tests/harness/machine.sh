# shellcheck shell=sh
# SPDX-License-Identifier: ISC
# A machine of its own for tests of booting, behind lib.sh: /usr, /etc, /var,
# /home and /run are ours alone (overlays and bind mounts in a mount namespace),
# Debian packages are unpacked there without being installed, and an init system
# runs as process 1 of a PID namespace. The real machine stays as it is.
. "$TOP/tests/harness/installed.sh"

# machine_enter: the test begins again in a mount namespace. First of all.
machine_enter() {
	need_root
	[ -z "${PATCHFLOW_IN_MACHINE:-}" ] || return 0
	unshare -m -p --fork true 2>/dev/null ||
		skip_all "no mount and PID namespaces to be had"
	PATCHFLOW_IN_MACHINE=yes
	export PATCHFLOW_IN_MACHINE
	cleanup
	exec unshare -m sh "$TEST_FILE"
}

# fetch PACKAGE...: Debian's packages, unpacked into $T/pkg, not installed.
fetch() {
	mkdir -p "$T/debs" "$T/pkg"
	(cd "$T/debs" && timeout 60 apt-get -q download "$@") >"$T/out" 2>&1 ||
		skip_all "packages cannot be fetched: $(tail -n 1 "$T/out")"
	for deb in "$T"/debs/*.deb; do
		dpkg-deb -x "$deb" "$T/pkg" || skip_all "cannot unpack $deb"
	done
	# /bin, /sbin and /lib are links into /usr.
	for dir in bin sbin lib; do
		[ ! -d "$T/pkg/$dir" ] || [ -L "$T/pkg/$dir" ] || {
			mkdir -p "$T/pkg/usr/$dir"
			cp -a "$T/pkg/$dir/." "$T/pkg/usr/$dir/"
			rm -rf "${T:?}/pkg/$dir"
		}
	done
}

# over DIR: writable, with what the packages have there, and none of it real.
over() {
	mkdir -p "$T/up$1" "$T/work$1" "$T/pkg$1"
	mount -t overlay overlay \
	    -o "lowerdir=$T/pkg$1:$1,upperdir=$T/up$1,workdir=$T/work$1" "$1"
}

machine_mount() {
	mount --make-rprivate / && over /usr && over /etc || return 1
	for dir in var/spool var/log home; do
		mkdir -p "$T/real/$dir"
		mount --bind "$T/real/$dir" "/$dir" || return 1
	done
	mount -t tmpfs -o mode=755 tmpfs /run
}

# machine_install: the suite from the shipped files, its users, a queue whose
# workspace lies under /home.
machine_install() {
	install_suite '' || return 1
	PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin
	for entry in passwd:joe:x:1999:1999::/home/joe:/bin/sh group:joe:x:1999:
	do
		echo "${entry#*:}" >>"/etc/${entry%%:*}"
	done
	if ! systemd-sysusers /usr/local/lib/sysusers.d/patchflow.conf; then
		groupadd -r patchflow && groupadd -r patchflow-submit &&
		useradd -r -g patchflow -G patchflow-submit patchflow || return 1
	fi
	# shellcheck disable=SC2034 # for whoever reads this file in
	SPOOL=/var/spool/patchflow
	# shellcheck disable=SC2034 # likewise
	CONF=/etc/patchflow/patchflow.yaml
	BUILD_DIR=$T/none # what is installed is under test, nothing else
	export PATH
}

# machine_boot COMMAND...: as process 1.
machine_boot() {
	mkdir -p "$T/log"
	unshare -m -p --fork --mount-proc --kill-child "$@" \
	    >"$T/log/boot" 2>&1 </dev/null &
	echo $! >"$T/pids/boot"
	until_true 5 pgrep -P "$(pid_of boot)" &&
	init=$(pgrep -P "$(pid_of boot)")
}

# inside COMMAND...: in there.
inside() {
	nsenter -t "$init" -m -p -- "$@"
}

status_now() {
	timeout 3 patchflow --json status
}

status_is() {
	[ "$(status_now | jq -r "$1")" = "$2" ]
}

suite_is_up() {
	status_is "$all_up" true
}

supervisor() {
	status_now | jq .watchdog.pid
}

replaced() {
	new=$(supervisor) && [ -n "$new" ] && [ "$new" != null ] &&
	[ "$new" != "$1" ] && suite_is_up
}

# boots_and_works SYSTEM: what must hold under every one of them.
boots_and_works() {
	await "$1 boots the suite from the shipped files" suite_is_up
	is '... spool and logs are whose they should be' "$(stat -c '%U:%G:%a' \
	    /var/spool/patchflow /var/log/patchflow | xargs)" \
	    'patchflow:patchflow:2751 root:patchflow:3770'
	printf '%s\n' 'role: command_patch' "id: boot-$1" 'mutations:' \
	    '  - {path: made.txt, contents: "by a patch\n"}' 'validate:' \
	    '  shell: [grep -q patch made.txt]' >"$T/patch.yaml"
	ok '... a patch runs in a workspace under /home' \
	    timeout 60 patchflow submit --wait "$T/patch.yaml"
	is '... as the owner of the workspace' "$(cat /home/joe/ws/made.txt
	    stat -c %U /home/joe/ws/made.txt)" 'by a patch
joe'
}

# survives SIGNAL: the supervisor is replaced.
survives() {
	until_true 20 suite_is_up
	old=$(supervisor)
	inside kill -s "$1" "$old"
	await "... SIG$1 of the supervisor: it is replaced, with everybody" \
	    replaced "$old"
}

gone() {
	! status_now >"$T/status" 2>&1 &&
	[ -z "$(left_in_there)" ]
}

# Our daemons' processes, from any namespace: binaries of this machine only.
left_in_there() {
	for exe in /proc/[0-9]*/exe; do
		case $(readlink "$exe") in
		/usr/local/libexec/patchflow/*) echo "$exe" ;;
		esac
	done 2>/dev/null
}
