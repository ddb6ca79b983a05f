/*
 * A run directory with the typed model of each of its hosts, as several commands need it. What the
 * hosts' clouds say of their networks is among the run's reserved prefixes.
 */
#ifndef ODDHOST_CLI_MODELS_H
#define ODDHOST_CLI_MODELS_H

#include <stdbool.h>

#include "oddhost/base/buf.h"
#include "oddhost/base/err.h"
#include "oddhost/check/check.h"
#include "oddhost/model/host.h"
#include "oddhost/model/run.h"

struct models {
	struct run *run;
	struct host **hosts; /* beside run->hosts */
};

bool models_load(const char *dir, struct models *ret, struct err *err);
void models_free(struct models *models);

/* Print what was made of them and free both; returns the code. */
int models_print(struct models *models, struct buf *out, int code);

/* The prepared check of all hosts, without a diagnosis; it lives in the run's arena. */
struct check models_check(struct models *models);

/* The host of that name; NULL with an error that lists the names there are. */
const struct host *models_host(const struct models *models, const char *name, struct err *err);

#endif
