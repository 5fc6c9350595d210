#!/bin/sh
# SPDX-License-Identifier: ISC
# The status beside hostile clients: 200 silent and 200 flooding connections to
# the control socket while one daemon crashes all the time; and beside none.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/../harness/fakes.sh"

fake_config
start watchdog watchdog -f -c "$CONF"
until_true 15 all_ready || exit 1
script summarizer exit-worked 9
kill -s KILL "$(status_of summarizer .pid)"
report() {
	echo "status beside $1 silent and $2 flooding clients:" \
	    "slowest, 99th of 100 and middle one in ms:" \
	    "$("$TOP/tests/harness/crowd.pl" "$SPOOL" "$1" "$2" 1000)"
}
report 0 0
report 200 200
