# shellcheck shell=sh
# SPDX-License-Identifier: ISC
# The suite as an administrator has it who installed the shipped files: for
# machine.sh and vm.sh, behind lib.sh.

# Of patchflow --json status: true when everybody is ready.
# shellcheck disable=SC2034 # both read it
all_up='.daemons | length == 4 and all(.[]; .state == "ready")'

# install_suite ROOT: what make install puts there, and a queue whose workspace
# lies in the home of joe, uid 1999. ROOT is "" for this machine.
install_suite() {
	(cd "$TOP" && make -s --no-print-directory BUILD="$BUILD_DIR" install \
	    DESTDIR="$1") &&
	mkdir -p "$1/home/joe/ws" && chown -R 1999:1999 "$1/home/joe" || return 1
	cat >"$1/etc/patchflow/patchflow.yaml" <<-END
	spool: /var/spool/patchflow
	user: patchflow
	queues:
	  - {name: MAIN, workspace: /home/joe/ws, default: true, timeout: 900s,
	     command_timeout: 900s}
	alerts:
	  channels:
	    - {name: log, type: file, path: /var/log/patchflow/alerts.log}
	END
}
