#!/bin/sh
# SPDX-License-Identifier: ISC
# The harness itself: its checks can fail, its clean-up is complete, and
# run.sh counts what it should.
. "$(dirname "$0")/../harness/lib.sh"
plan 21

is 'every test can be run by its own name' \
    "$(find "$TOP/tests" -name '*.t' ! -perm -100)" ''

# Else the end of that test would call it.
(cd "$TOP/tests/harness" && sed 's/#.*//' lib.sh groups.sh looking.sh) |
    grep -oE '(^|[|;&(!]|while |until |if )[[:space:]]*[a-z]+( |$)' |
    grep -oE '[a-z]+ *$' | tr -d ' ' | sort -u >"$T/called"
find "$TOP/tests" \( -name '*.t' -o -name '*.sh' \) \
    -exec sed -n 's/^\([a-z_]*\)().*/\1/p' {} + | sort -u >"$T/defined"
# shellcheck disable=SC2016,SC2046 # the inner shell's; a list of words
is 'no test calls a function as lib.sh calls a program' \
    "$(PATH=$(getconf PATH) sh -c 'for name; do command -v "$name"; done' - \
    $(comm -12 "$T/called" "$T/defined"))" ''

inner() {
	cat >"$T/inner.t"
	sh "$T/inner.t" >"$T/inner.out" 2>&1
}
head=". '$TOP/tests/harness/lib.sh'"
cp "$TOP/Makefile" "$T/Makefile"
ln -s "$TOP/tests" "$T/tests"

inner <<END
$head
plan 2
ok 'true is' true
is 'two words' 'a b' 'a b'
END
is 'a good test ends with 0' $? 0
inner <<END
$head
plan 1
is 'differs' a b
END
is 'a failed check ends with 1' $? 1
like 'and says so' "$(cat "$T/inner.out")" '^not ok 1 - differs'
inner <<END
$head
plan 2
ok 'only one' true
END
is 'a missing test is a failure' $? 1
AWAIT=1 inner <<END
$head
plan 1
await 'never' false
END
is 'await gives up' $? 1
inner <<END
$head
plan 1
start sleeper sleep 300
(setsid sleep 301 &)
echo "\$T" >"$T/inner.dir"
ok 'runs' running sleeper
END
is 'a test with children ends' $? 0
fails 'they are gone' pgrep -f "sleep 30[01]\$"
fails 'and its scratch directory' test -e "$(cat "$T/inner.dir")"
cat >"$T/inner.t" <<END
$head
echo "\$T" >"$T/inner.dir"
n=0
while [ \$((n += 1)) -lt 10000 ]; do pass "\$n"; done
END
sh "$T/inner.t" 2>/dev/null | head -n 1 >"$T/inner.out"
fails 'that of a test whose reader goes away' test -e "$(cat "$T/inner.dir")"

# An executor that is killed at work and not started again. Beside its group one
# as a supervisor's that had limits, and one of somebody else.
inner <<END
$head
. "\$TOP/tests/flow/executor.sh"
write_config </dev/null
nap="sleep 4722.\$\$"
echo '{"id":"a","mutations":[],"postMutationBuild":{"shell":["'"\$nap"'"]}}' |
    queue_json
start executor executor -c "\$CONF" -q MAIN
grouped() {
	for pid in \$(started); do
		sed -n 's|.*/\(patchflow-.*\)|\1|p' "/proc/\$pid/cgroup"
	done 2>/dev/null | sort -u | grep .
}
plan 0
until_true "\$AWAIT" pgrep -xf "\$nap"
name=\$(grouped) || exit 0
group=\$(find /sys/fs/cgroup -name "\$name" | head -n 1)
mktemp -d "\${group%/*}/patchflow-XXXXXX" >'$T/other'
ours=\${group%/*}/\$(printf patchflow-%x "\$(stat -c %i "\$SPOOL")")
mkdir -p "\$ours/alertd" && echo "\$group \$ours" >'$T/groups'
stop executor KILL
test -d "\$group" && echo yes >'$T/stayed'
END
if [ -e "$T/groups" ]; then
	is 'of a killed executor a control group stays' "$(cat "$T/stayed")" yes
	# shellcheck disable=SC2046 # two names
	is '... which goes with its test, as does a supervisor'"'"'s' \
	    "$(ls -d $(cat "$T/groups") 2>/dev/null)" ''
	ok '... and nobody else'"'"'s' rmdir "$(cat "$T/other")"
else
	skip 3 'no control groups are to be had here'
fi

# machine SCRIPT: instead of qemu, with an agent that answers what SCRIPT says.
machine() {
	inner <<-END
	$head
	. "\$TOP/tests/harness/vm.sh"
	plan 0
	mkdir "\$T/log"
	echo 'Kernel panic' >"\$T/log/console"
	mkfifo "\$T/agent.in"
	: >"\$T/heard"
	start machine perl -e '
		open(my \$in, "+<", "\$ENV{T}/agent.in");
		while (<\$in>) { $1 }'
	guest true
	echo "rc \$?"
	stop machine KILL
	guest true
	echo "rc \$?"
	END
	grep -v '^1\.\.' "$T/inner.out" | tr '\n' ' '
}
off='# the machine is off; its console: # Kernel panic rc 99 '
# shellcheck disable=SC2016 # perl expands them
is 'a guest is heard, until its machine is off' "$(machine '
	open(my $out, ">>", "$ENV{T}/heard");
	print $out "done ", (split)[0], " 3 xaGkK end\n"')" "hi rc 3 $off"
is 'none is waited for whose machine goes off meanwhile' \
    "$(machine exit)" "$off$off"
is 'nor one that is silent, for ever' "$(VM_PATIENCE=1 machine 1)" \
    "# the guest does not answer; its console: # Kernel panic rc 99 $off"

mkdir -p "$T/b" "$T/t/tests/flow"
printf '#!/bin/sh\necho 1..2; echo ok 1 - a; echo "ok 2 # SKIP no"\n' \
    >"$T/t/tests/flow/good.t"
printf '#!/bin/sh\necho 1..1; echo not ok 1 - sentence; exit 1\n' \
    >"$T/t/tests/flow/bad.t"
printf '#!/bin/sh\n# time-limit: 1\necho 1..1; sleep 100\n' \
    >"$T/t/tests/flow/slow.t"
printf '#!/bin/sh\necho 1..2; echo ok 1 - a\n' >"$T/t/tests/flow/short.t"
chmod +x "$T"/t/tests/flow/*.t
runner() {
	(cd "$T/t" && env -u PATCHFLOW_LONG -u PATCHFLOW_SANITIZED \
	    BUILD_DIR="$T/b" sh "$TOP/tests/harness/run.sh" "$@") \
	    >"$T/run.out" 2>&1
}
runner tests/flow/good.t
is 'run.sh succeeds' "$?, $(tail -n 1 "$T/run.out")" \
    '0, 1 passed, 0 failed, 1 skipped'
# shellcheck disable=SC2046 # three names
runner $(cd "$T/t" && echo tests/flow/*.t)
is 'run.sh fails' "$?, $(tail -n 1 "$T/run.out")" \
    '1, 2 passed, 3 failed, 1 skipped'
like 'names the failure' "$(cat "$T/run.out")" 'FAILED flow-bad.t: not ok'
like 'and the time limit' "$(cat "$T/run.out")" 'flow-slow.t: over its time'
