#include "oddhost/parse/answer.h"

bool answer_usable(const struct probe_result *probe)
{
	return probe != NULL && (probe->status == PROBE_OK ||
				    (probe->status == PROBE_TRUNCATED && probe->out.n > 0));
}

bool answer_is_whole(const struct probe_result *probe)
{
	return probe->status == PROBE_OK;
}

struct view answer_text(const struct probe_result *probe)
{
	struct view text = probe->out;

	while (probe->status == PROBE_TRUNCATED && text.n > 0 && text.p[text.n - 1] != '\n')
		text.n--;
	return text;
}

struct diag_list *answer_diags(struct host *host, const struct probe_result *probe)
{
	host->diags.source = probe->name;
	return &host->diags;
}
