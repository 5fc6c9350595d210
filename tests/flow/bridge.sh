# shellcheck shell=sh
# SPDX-License-Identifier: ISC
# What the tests of the bridge share.

# block ID [TARGET [CONTENTS]]: a fenced patch as a model writes it.
block() {
	printf '```json\n{"role": "command_patch", "id": "%s",\n' "$1"
	[ -z "${2:-}" ] || printf ' "target": "%s",\n' "$2"
	printf ' "mutations": [{"path": "f-%s", "contents": "%s"}]}\n```\n' \
	    "$1" "${3:-text}"
}

# patch ID [TARGET [CONTENTS]]: the same without its fence.
patch() {
	block "$@" | sed '1d;$d'
}

once() {
	ghost-bridge --once -c "$CONF" 2>>"$T/log/once"
}

# queued QUEUE: ids in its patches/, in order, on one line.
queued() {
	first_lines "$SPOOL/$1"/patches/*.json | jq -r .id |
	    tr '\n' ' ' | sed 's/ $//'
}

# all_queued: ids of all queues, sorted, on one line.
all_queued() {
	echo "$(queued MAIN) $(queued CYOPS)" | tr ' ' '\n' | grep . | sort |
	    tr '\n' ' ' | sed 's/ $//'
}

has_queued() {
	[ "$(all_queued)" = "$1" ]
}

# alerts TYPE [resolved]: how many were raised.
alerts() {
	raised "$1" "select(.resolved == ${2:-false}) | .type" | wc -l
}

has_alert() {
	[ "$(alerts "$@")" -ge 1 ]
}

# counted FIELD: of the one transcript.
counted() {
	json "$(ls "$SPOOL"/state/ghost-bridge/source-*.json)" ".counts.$1"
}

# events NAME: how many the journal has.
events() {
	jq -r "select(.event == \"$1\") | .event" \
	    "$SPOOL/journal/ghost-bridge.log" | grep -c .
}

# fail_patch ID QUEUE: as the executor leaves a patch that failed.
fail_patch() {
	for f in $(naming "$1" "$SPOOL/$2"/patches/*.json); do
		[ "$(json "$f" .id)" != "$1" ] ||
			mv "$f" "$SPOOL/$2/patches/.failed/"
	done
}
