/* SPDX-License-Identifier: ISC */
/*
 * The names of the spool's directories: the only place that spells them. A
 * row whose parent is not checked yet would be a hole for a planted symlink,
 * so parents stand before their children.
 */
#include "common/tree_part.h"

#define IN_TREE(field) offsetof(struct tree, field)
#define IN_QUEUE(field) offsetof(struct queue_tree, field)

const struct tree_row tree_rows[TREE_ROWS] = {
    {"run", IN_TREE(run), TREE_OWN, false},
    {"corrupt", IN_TREE(corrupt), TREE_OWN, false},
    {"inbox", TREE_NO_FD, TREE_PASS, false},
    {"inbox/tmp", IN_TREE(inbox.dir[BOX_TMP]), TREE_DROP, false},
    {"inbox/new", IN_TREE(inbox.dir[BOX_NEW]), TREE_DROP, true},
    {"inbox/cur", IN_TREE(inbox.dir[BOX_CUR]), TREE_OWN, true},
    {"inbox/done", IN_TREE(inbox.dir[BOX_DONE]), TREE_OWN, false},
    {"alerts", TREE_NO_FD, TREE_PASS, false},
    {"alerts/tmp", IN_TREE(alerts.dir[BOX_TMP]), TREE_DROP, false},
    {"alerts/new", IN_TREE(alerts.dir[BOX_NEW]), TREE_DROP, true},
    {"alerts/cur", IN_TREE(alerts.dir[BOX_CUR]), TREE_OWN, true},
    {"alerts/done", IN_TREE(alerts.dir[BOX_DONE]), TREE_OWN, false},
    {"alerts/dead", IN_TREE(alerts_dead), TREE_OWN, false},
    {"alerts/requests", IN_TREE(alerts_requests), TREE_OWN, false},
    {"bad", IN_TREE(bad), TREE_OWN, false},
    {"ids", IN_TREE(ids), TREE_OWN, false},
    {"ids/pending", IN_TREE(ids_pending), TREE_OWN, false},
    {"journal", IN_TREE(journal), TREE_OWN, false},
    {"state", IN_TREE(state), TREE_OWN, false},
};

const struct tree_row queue_rows[QUEUE_ROWS] = {
    {"patches", IN_QUEUE(dir[Q_PATCHES]), TREE_OWN, true},
    {"patches/.held", IN_QUEUE(dir[Q_HELD]), TREE_OWN, true},
    {"patches/.running", IN_QUEUE(dir[Q_RUNNING]), TREE_OWN, false},
    {"patches/.completed", IN_QUEUE(dir[Q_COMPLETED]), TREE_OWN, false},
    {"patches/.failed", IN_QUEUE(dir[Q_FAILED]), TREE_OWN, false},
    {"patches/.archive", IN_QUEUE(dir[Q_ARCHIVE]), TREE_OWN, false},
    {"patches/.tmp", IN_QUEUE(dir[Q_TMP]), TREE_OWN, false},
    {"requests", TREE_NO_FD, TREE_PASS, false},
    {"requests/tmp", IN_QUEUE(requests.dir[BOX_TMP]), TREE_OWN, false},
    {"requests/new", IN_QUEUE(requests.dir[BOX_NEW]), TREE_OWN, true},
    {"requests/cur", IN_QUEUE(requests.dir[BOX_CUR]), TREE_OWN, true},
    {"requests/done", IN_QUEUE(requests.dir[BOX_DONE]), TREE_OWN, false},
    {"requests/ask", TREE_NO_FD, TREE_PASS, false},
    {"requests/ask/tmp", IN_QUEUE(asks.dir[BOX_TMP]), TREE_DROP, false},
    {"requests/ask/new", IN_QUEUE(asks.dir[BOX_NEW]), TREE_DROP, true},
    {"requests/ask/cur", IN_QUEUE(asks.dir[BOX_CUR]), TREE_OWN, true},
    {"requests/ask/done", IN_QUEUE(asks.dir[BOX_DONE]), TREE_OWN, false},
    {"outcomes", TREE_NO_FD, TREE_OWN, false},
    {"outcomes/tmp", IN_QUEUE(outcomes.dir[BOX_TMP]), TREE_OWN, false},
    {"outcomes/new", IN_QUEUE(outcomes.dir[BOX_NEW]), TREE_OWN, true},
    {"outcomes/cur", IN_QUEUE(outcomes.dir[BOX_CUR]), TREE_OWN, true},
    {"outcomes/done", IN_QUEUE(outcomes.dir[BOX_DONE]), TREE_OWN, false},
    {"summaries", IN_QUEUE(summaries[S_READY]), TREE_OWN, false},
    {"summaries/.tmp", IN_QUEUE(summaries[S_TMP]), TREE_OWN, false},
    {"summaries/.completed", IN_QUEUE(summaries[S_COMPLETED]), TREE_OWN, false},
    {"summaries/.failed", IN_QUEUE(summaries[S_FAILED]), TREE_OWN, false},
    {"summaries/.backup", IN_QUEUE(summaries[S_BACKUP]), TREE_OWN, false},
};

const char *const queue_dir_path[Q__MAX] = {
    [Q_PATCHES] = "patches",
    [Q_HELD] = "patches/.held",
    [Q_RUNNING] = "patches/.running",
    [Q_COMPLETED] = "patches/.completed",
    [Q_FAILED] = "patches/.failed",
    [Q_ARCHIVE] = "patches/.archive",
    [Q_TMP] = "patches/.tmp",
};

const char *const queue_dir_state[Q__MAX] = {
    [Q_PATCHES] = "queued",
    [Q_HELD] = "held",
    [Q_RUNNING] = "running",
    [Q_COMPLETED] = "completed",
    [Q_FAILED] = "failed",
    [Q_ARCHIVE] = "archived",
    [Q_TMP] = "",
};

const char *const box_dir_name[BOX__MAX] = {
    [BOX_TMP] = "tmp",
    [BOX_NEW] = "new",
    [BOX_CUR] = "cur",
    [BOX_DONE] = "done",
};

const char *const summary_dir_path[S__MAX] = {
    [S_READY] = "summaries",
    [S_TMP] = "summaries/.tmp",
    [S_COMPLETED] = "summaries/.completed",
    [S_FAILED] = "summaries/.failed",
    [S_BACKUP] = "summaries/.backup",
};

int *
tree_slot(void *base, const struct tree_row *row)
{
	if (row->offset == TREE_NO_FD)
		return NULL;
	return (void *)((char *)base + row->offset);
}
