#include "oddhost/cli/conclude.h"

#include <string.h>

#include "oddhost/check/diagnose.h"
#include "oddhost/cli/models.h"
#include "oddhost/report/report.h"
#include "oddhost/report/terminal.h"

enum exit_code conclude_exit_code(const struct diagnosis *d, enum severity fail_on)
{
	bool reached = d->n_hosts == 0 && d->run->meta.n_hosts == 0;

	for (size_t i = 0; i < d->n_hosts; i++)
		reached = reached || host_record_examined(d->hosts[i].host->record);
	if (!reached)
		return EXIT_NO_HOST;
	if (fail_on != SEVERITY_NONE && d->severity >= fail_on)
		return EXIT_FINDINGS;
	return run_is_complete(d->run) ? EXIT_CLEAN : EXIT_INCOMPLETE;
}

static void print_verdict(
    const char *dir, const struct diagnosis *d, const struct options *options, bool written)
{
	size_t n = strlen(dir);
	struct buf text = {0};

	while (n > 1 && dir[n - 1] == '/')
		n--;
	terminal_write_verdict(d, options->color, &text);
	fwrite(text.p, 1, text.n, stdout);
	putchar('\n');
	for (const struct report_format *f = report_formats; written && f->name != NULL; f++) {
		if (report_wants(options->format, f))
			printf("%.*s/%s\n", (int)n, dir, f->file);
	}
	buf_free(&text);
}

static int conclude_models(const char *dir, const struct models *models,
    const struct diagnosis *baseline, const struct options *options)
{
	struct diagnosis *d =
	    diagnose_since(models->run, models->hosts, models->run->n_hosts, baseline);
	struct err err;

	bool written = report_write(dir, d, options->format, &err);
	if (!options->quiet)
		print_verdict(dir, d, options, written);
	int code = written ? (int)conclude_exit_code(d, options->fail_on) : cli_fail(&err);
	if (!written)
		cli_warn(
		    "the raw outputs are kept: `oddhost report %s` writes the reports again", dir);
	diagnosis_free(d);
	return code;
}

/* The same beside the run that --baseline names. */
static int conclude_since(
    const char *dir, const struct models *models, const struct options *options)
{
	struct models earlier;
	struct err err;

	if (!models_load(options->baseline, &earlier, &err))
		return cli_fail(&err);
	struct diagnosis *baseline = diagnose(earlier.run, earlier.hosts, earlier.run->n_hosts);
	int code = conclude_models(dir, models, baseline, options);
	diagnosis_free(baseline);
	models_free(&earlier);
	return code;
}

int conclude(const char *dir, const struct options *options)
{
	struct models models;
	struct err err;

	if (options->format != NULL && !report_check_formats(options->format, &err))
		return cli_fail(&err);
	if (!models_load(dir, &models, &err))
		return cli_fail(&err);
	cli_print_diags(&models.run->diags);
	int code = options->baseline == NULL ? conclude_models(dir, &models, NULL, options)
					     : conclude_since(dir, &models, options);
	models_free(&models);
	return code;
}
