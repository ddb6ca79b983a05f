/* A pasted transcript: any bytes, up to the host models. */
#include "oddhost/parse/host.h"
#include "oddhost/parse/transcript.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view text = {(const char *)data, size};
	struct run *run = run_new();
	struct err err;

	if (transcript_read(text, "paste", run, &run->diags, &err)) {
		run->meta.n_targets = transcript_targets(run, &run->meta.targets);
		transcript_read(text, "again", run, &run->diags, &err);
	}
	for (size_t i = 0; i < run->n_hosts; i++)
		parse_host(run->hosts[i], &run->meta);
	run_free(run);
	return 0;
}
