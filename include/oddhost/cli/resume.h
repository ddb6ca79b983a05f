/*
 * What `--resume` needs: the options that decide how hosts are asked are kept in run.json, so that
 * the rest of a run is gathered as its beginning was. No secret is among them. Limits of time and
 * the fan-out are the new command's.
 */
#ifndef ODDHOST_CLI_RESUME_H
#define ODDHOST_CLI_RESUME_H

#include "oddhost/cli/gather.h"
#include "oddhost/cli/scope.h"

/* Set meta->options from the command line and what came of it; in the scope's arena. */
void resume_keep(struct run_meta *meta, const struct options *options, const struct scope *scope);

/* Fill in what the command line leaves open from the run, which must outlive the options. */
void resume_options(const struct run *run, struct options *options);

/*
 * Note in meta->options with which policy host keys are checked from now on, where that is weaker
 * than before: reports must say so of the whole run. In the scope's arena.
 */
void resume_weaken(struct run_meta *meta, const struct scope *scope);

/*
 * Leave out the hosts that were examined and not cut short; those that never answered are tried
 * again. Counts those that are left out in `ret`.
 */
void resume_drop_done(const struct run *run, struct scope *scope, struct gathered *ret);

#endif
