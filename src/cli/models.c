#include "oddhost/cli/models.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oddhost/base/mem.h"
#include "oddhost/base/parallel.h"
#include "oddhost/base/text.h"
#include "oddhost/model/cloud.h"
#include "oddhost/parse/host.h"

/* A host's model is made of its own record, in its own arena. */
static void model_one(void *context, size_t index)
{
	struct models *models = context;

	models->hosts[index] = parse_host(models->run->hosts[index], &models->run->meta);
}

bool models_load(const char *dir, struct models *ret, struct err *err)
{
	*ret = (struct models){.run = run_load(dir, err)};
	if (ret->run == NULL)
		return false;
	ret->hosts = mem_alloc(ret->run->n_hosts * sizeof(struct host *));
	parallel_each(ret->run->n_hosts, model_one, ret);
	cloud_reserve(ret->run, ret->hosts);
	return true;
}

void models_free(struct models *models)
{
	free(models->hosts);
	run_free(models->run);
}

int models_print(struct models *models, struct buf *out, int code)
{
	fputs(buf_str(out), stdout);
	buf_free(out);
	models_free(models);
	return code;
}

struct check models_check(struct models *models)
{
	struct run *run = models->run;
	struct check check = {
	    .arena = run->arena, .run = run, .hosts = models->hosts, .n = run->n_hosts};

	check_prepare(&check);
	return check;
}

const struct host *models_host(const struct models *models, const char *name, struct err *err)
{
	struct run *run = models->run;

	for (size_t i = 0; i < run->n_hosts; i++) {
		if (strcmp(run->hosts[i]->name, name) == 0)
			return models->hosts[i];
	}
	const char **names = arena_alloc(run->arena, run->n_hosts * sizeof *names);
	for (size_t i = 0; i < run->n_hosts; i++)
		names[i] = run->hosts[i]->name;
	err_set(err, "no host '%s' in this run; it has: %s", name,
	    text_fold(run->arena, names, run->n_hosts, 10));
	return NULL;
}
