# shellcheck shell=sh
# SPDX-License-Identifier: ISC
# The cases are in harness/escape.c, escape_kernel.c and escape_reach.c; here is
# the world that they try to reach.
write_config </dev/null
out=$T/outside
mkdir -p "$out"
give_scratch

# A program of root's that everybody may run as root, where we can make one.
make_set_uid() {
	[ "$(id -u)" -eq 0 ] || return 0
	cp "$(command -v env | sed 's/env$/test/')" "$out/suid" &&
	    chown 0:0 "$out/suid" && chmod 4755 "$out/suid"
}
# As the user that commands run as: what he could do without a jail.
world() {
	rm -rf "$out"
	as_user sh -c "mkdir $out $out/dir && cd $out && echo x >file &&
	    echo x >victim && echo hidden >secret && chmod 600 secret" &&
	    make_set_uid &&
	    start listen as_user "$TOP/tests/harness/listen.pl" "$out" &&
	    until_true 10 test -s "$out/port"
}
# It takes its queues and segments away; what was started may be a shell above
# it.
stop_listen() {
	kill -s TERM "$(cut -d' ' -f1 "$out/port")"
	wait "$(pid_of listen)"
} 2>/dev/null
give_world() {
	[ -e "$T/pids/listen" ] && stop_listen
	world || fail 'the world outside is not ready'
}

# found FILE: the cases that got out, on one line.
found() {
	sed -n 's/ out$//p' "$1" | tr '\n' ' '
}

# --- the control: without a jail most of it works

give_world
HIDDEN=yes
export HIDDEN
as_user mkdir "$T/free"
# attempts: the command line that tries them all; the listener stands for the
# executor, as the user's own process outside it is easier to reach.
attempts() {
	for part in escape escape_kernel escape_reach; do
		printf '%s/tests/harness/%s %s %s %s;' "$BUILD_DIR" $part \
		    "$out" "$SPOOL" "$(cat "$out/port")"
	done
}
as_user sh -c "cd '$T/free' && $(attempts)" >"$T/control" 2>/dev/null
give_world
# And as root, in namespaces of its own so that nothing stays: of a user the
# root of a user namespace, as far as he gets there.
mkdir "$T/root"
once # makes the spool
if [ "$(id -u)" -eq 0 ]; then
	unshare -m -u -i --propagation private \
	    sh -c "cd '$T/root' && $(attempts)" >>"$T/control" 2>/dev/null
else
	unshare -U -r -m -u -i -n \
	    sh -c "cd '$T/root' && $(attempts)" >>"$T/control" 2>/dev/null
fi
rm -f "$SPOOL/inbox/new/escape"
cases=$(cut -d' ' -f1 "$T/control" | sort -u | wc -l)
ok 'there are many cases' test "$cases" -ge 150
# What no control gets out by proves nothing here, and is named.
sed -n 's/ out$//p' "$T/control" | sort -u >"$T/open"
cut -d' ' -f1 "$T/control" | sort -u | comm -23 - "$T/open" >"$T/closed"
diag "$(wc -l <"$T/open") of $cases get out without a jail; not here:" \
    "$(tr '\n' ' ' <"$T/closed")"
# Less where the tests run in a container.
least=60
ok 'without a jail most of them get out' test "$(wc -l <"$T/open")" -ge $least
for name in write_file append_file create_file truncate_file make_dir \
    make_fifo make_link remove_file remove_dir link_in write_by_link \
    chmod_file chown_file touch_file rename_in read_secret tcp udp unix_path \
    unix_abstract see_executor signal_executor hold_executor shared_memory \
    semaphores messages slow_executor kernel_events compare \
    type_terminal see_environment new_privileges bounding_set io_uring \
    clone3_user signal_thread signal_any_thread queue_signal signal_by_pidfd \
    signal_by_owner executor_files pin_executor limit_executor \
    starve_executor message_queue udp_unconnected tcp_fast_open \
    executor_namespace request_key pick_mount memory_program; do
	grep -qx "$name" "$T/open" || echo "$name"
done >"$T/missing"
is 'among them those that every user can do' "$(cat "$T/missing")" ''

# --- in the jail

cat >>"$CONF" <<END
summaries: {output_bytes: 64K}
END
sed -i "/^summaries:\$/,/replies/d; s|^    aliases: \[BRAUN\]|&\n    expose: [$out, $BUILD_DIR/tests/harness]|
    s|path: $T/alerts.log}|&\n    - {name: h, type: webhook, url_file: $out/secret}|" "$CONF"

# tries MODE: a patch whose command tries everything, in a jail the mounts of
# which were made ahead where they are; what got out is in $T/MODE.out.
tries() {
	give_world
	id=try-$1
	queue_json >/dev/null <<END
{"id":"before-$1","validate":{"shell":["true"]}}
{"id":"$id","mutations":[{"path":"d","mkdir":true}],"validate":{"shell":["$(attempts)"]}}
END
	once
	outcome "$id" '.commands[0].output_head' >"$T/$1.out"
	is "$1: the patch ran to its end" \
	    "$(outcome "$id" '"\(.state) \(.isolation)"')" "completed $2"
	is "$1: every case was tried" "$(grep -c . "$T/$1.out")" "$cases"
	is "$1: none got out" "$(found "$T/$1.out")" "${3:-}"
	is "$1: what lies outside is as it was" \
	    "$(cat "$out/file" "$out/victim"; cd "$out" && echo *)" \
	    "$(printf 'x\nx\ndir file port secret sock sock2%s victim' "$([ "$(id -u)" -ne 0 ] || printf ' suid')")"
}
chmod 711 "$T"
# isolation WORD: what the queue asks for.
isolation() {
	sed -i "/^    isolation:/d; s|^    aliases: \[BRAUN\]|&\n    isolation: $1|" "$CONF"
}
isolation auto
tries overlay overlay
isolation copy
tries copy copy
# Without namespaces there are things that only they hold; the manual page
# names these.
isolation auto
executor() {
	nonamespace "$BUILD_DIR/bin/executor" "$@"
}
open='chmod_file chown_file touch_file mark_file read_secret unix_path see_executor hold_executor shared_memory semaphores messages slow_executor '
[ "$(id -u)" -eq 0 ] || open="${open}bounding_set "
open="${open}pin_executor "
tries bare bare-copy "$open"
stop_listen
done_testing
