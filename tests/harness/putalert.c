/* SPDX-License-Identifier: ISC */
/*
 * putalert SPOOL TYPE SUBJECT SEVERITY TEXT [resolved]: raises an alert as a
 * daemon would (component "test").
 */
#include <stdio.h>
#include <string.h>

#include "common/alert.h"

int
main(int argc, char **argv)
{
	struct alert a = {.component = "test", .severity = ALERT__MAX};
	char why[PATH_MAX] = "";
	struct tree t;
	int i;

	if (argc < 6) {
		(void)fprintf(stderr, "usage: putalert SPOOL TYPE SUBJECT "
				      "SEVERITY TEXT [resolved]\n");
		return 2;
	}
	a.type = argv[2];
	a.subject = argv[3];
	a.text = argv[5];
	a.resolved = argc > 6;
	for (i = 0; i < ALERT__MAX; i++)
		if (strcmp(alert_severity_name[i], argv[4]) == 0)
			a.severity = (enum alert_severity)i;
	if (a.severity == ALERT__MAX ||
	    tree_open(&t, argv[1], NULL, 0, why) == -1) {
		(void)fprintf(stderr, "putalert: %s %s\n", argv[4], why);
		return 1;
	}
	if (alert_raise(&t, &a) != SPOOL_DONE) {
		(void)fprintf(stderr, "putalert: not raised\n");
		return 1;
	}
	tree_close(&t);
	return 0;
}
