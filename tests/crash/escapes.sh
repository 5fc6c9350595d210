# shellcheck shell=sh
# SPDX-License-Identifier: ISC
# The cases are in harness/escape.c and escape_kernel.c; here is the world that
# they try to reach.
write_config </dev/null
out=$T/outside
mkdir -p "$out"
give_scratch

# As the user that commands run as: what he could do without a jail.
world() {
	rm -rf "$out"
	as_user sh -c "mkdir $out $out/dir && cd $out && echo x >file &&
	    echo x >victim && echo hidden >secret && chmod 600 secret" &&
	    start listen as_user "$TOP/tests/harness/listen.pl" "$out" &&
	    until_true 10 test -s "$out/port"
}
give_world() {
	[ -e "$T/pids/listen" ] && stop listen
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
	for part in escape escape_kernel; do
		printf '%s/tests/harness/%s %s %s %s;' "$BUILD_DIR" $part \
		    "$out" "$SPOOL" "$(cat "$out/port")"
	done
}
as_user sh -c "cd '$T/free' && $(attempts)" >"$T/control" 2>/dev/null
cases=$(wc -l <"$T/control")
ok 'there are many cases' test "$cases" -ge 60
for name in write_file append_file create_file truncate_file make_dir \
    make_fifo make_link remove_file remove_dir link_in write_by_link \
    chmod_file chown_file touch_file rename_in read_secret tcp udp unix_path \
    unix_abstract see_executor signal_executor hold_executor shared_memory \
    type_terminal see_environment new_privileges bounding_set io_uring \
    clone3_user; do
	grep -qx "$name out" "$T/control" || echo "$name"
done >"$T/closed"
ok 'without a jail they get out' test ! -s "$T/closed"
[ ! -s "$T/closed" ] || diag "$(cat "$T/closed")"

# --- in the jail

cat >>"$CONF" <<END
summaries: {output_bytes: 64K}
END
sed -i "/^summaries:\$/,/replies/d; s|^    aliases: \[BRAUN\]|&\n    expose: [$out, $BUILD_DIR/tests/harness]|
    s|path: $T/alerts.log}|&\n    - {name: h, type: webhook, url_file: $out/secret}|" "$CONF"

# tries MODE: one patch whose command tries everything; what got out is in
# $T/MODE.out.
tries() {
	give_world
	id=try-$1
	queue_json >/dev/null <<END
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
	    "$(printf 'x\nx\ndir file port secret sock sock2 victim')"
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
open='chmod_file chown_file touch_file mark_file read_secret unix_path see_executor hold_executor shared_memory '
[ "$(id -u)" -eq 0 ] || open="${open}bounding_set "
tries bare bare-copy "$open"
done_testing
