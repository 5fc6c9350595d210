#!/bin/sh
# SPDX-License-Identifier: ISC
# A patch that turns the whole workspace upside down and then fails: the tree
# is as it was, times included, and nothing stray lies anywhere.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/executor.sh"
need_way overlay
write_config </dev/null
files=1500
[ -z "${PATCHFLOW_LONG:-}" ] || files=10000
perl -e 'for my $i (0 .. $ARGV[1] - 1) {
	my $d = sprintf "%s/d%02d", $ARGV[0], $i % 50;
	mkdir $d unless -d $d;
	open my $f, ">", "$d/f$i" or die; print $f "content $i\n" }' "$ws" $files
ln -s d00/f0 "$ws/link"
chmod 700 "$ws/d01"
touch -d 2001-02-03 "$ws/d02/f2" "$ws/d03"
snapshot "$ws" >"$T/before"
outside() {
	find "$T" -path "$SPOOL" -prune -o -path "$T/log" -prune -o \
	    -path "$T/docs" -prune -o -type f -print | sort
}
touch "$T/after" "$T/out" "$T/outside.before"
outside >"$T/outside.before"
# shellcheck disable=SC2016 # the jail's shell expands it
turn='for d in d*; do for f in $d/*; do echo new >$f; done; done; rm -rf d1*; chmod 0 d20; chmod 777 d21; mv d22 e22; ln -sf /etc/passwd link; mkdir -p x/y/z; touch -d 1999-01-01 d23; rm -rf d24; echo file >d24; ln d25/* x/ 2>/dev/null; touch "$HOME/stray" /tmp/stray; exit 9'

# upside_down WAY
upside_down() {
	jq -cn --arg id "$1" --arg turn "$turn" '{id: $id, limits: {},
	    mutations: [{path: "d30", delete: true}],
	    validate: {shell: [$turn]}}' | queue_json >/dev/null
	once
	is "$1: it failed in the end" "$(outcome "$1" \
	    '"\(.isolation) \(.stage) \(.commands[0].exit_code)"')" \
	    "$1 validation 9"
	snapshot "$ws" >"$T/after"
	ok "$1: the tree is as it was" cmp "$T/before" "$T/after"
	ok "$1: nothing is left of it" tidy
	is "$1: nor beside it" "$(outside)" "$(cat "$T/outside.before")"
	ok "$1: nor in /tmp" test ! -e /tmp/stray
}
upside_down overlay
sed -i 's|^    aliases: \[BRAUN\]|&\n    isolation: copy|' "$CONF"
upside_down copy

# The same with an end that is good is seen: the test has teeth.
jq -cn '{id: "good", mutations: [{path: "d30", delete: true}],
    validate: {shell: ["true"]}}' | queue_json >/dev/null
once
snapshot "$ws" >"$T/after"
fails 'a patch that succeeds is seen in the tree' cmp "$T/before" "$T/after"
done_testing
