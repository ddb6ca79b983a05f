/*
 * The second half of the main job, shared by `run` and `report`: from a run directory to a
 * diagnosis, its reports, the verdict on the terminal and the exit code. Needs no host and no ssh.
 */
#ifndef ODDHOST_CLI_CONCLUDE_H
#define ODDHOST_CLI_CONCLUDE_H

#include <stdio.h>

#include "oddhost/cli/cli.h"
#include "oddhost/model/diagnosis.h"

/*
 * Diagnose the run in `dir` and write the reports there (options: format, fail_on, quiet, color).
 * Unless quiet, the verdict and the paths of what was written go to stdout. Returns the exit code:
 * EXIT_TROUBLE where the run cannot be read or a report not be written, else conclude_exit_code().
 */
int conclude(const char *dir, const struct options *options);

/*
 * EXIT_NO_HOST where hosts were asked and none was reached; EXIT_FINDINGS for a finding at or above
 * `fail_on`, which SEVERITY_NONE switches off; EXIT_INCOMPLETE where a host or probe failed.
 */
enum exit_code conclude_exit_code(const struct diagnosis *diagnosis, enum severity fail_on);

#endif
