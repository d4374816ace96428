#include "mirror/folder/pass_state.h"

#include <stdio.h>

void pass_note(struct pass *pass, const char *folder, const char *why)
{
	struct mirror_result *result = &pass->result;

	if (result->detail[0] == '\0')
		(void)snprintf(result->detail, sizeof(result->detail), "%s: %s", folder, why);
}

uint64_t folder_left_out(const struct folder_job *job, const struct archive_mark *mark)
{
	return ledger_size_below(
		&job->pass->ledger, job->server->path, mark->uidvalidity, mark->uidnext);
}
