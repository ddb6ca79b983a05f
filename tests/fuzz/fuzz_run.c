/* hosts.jsonl: any bytes, read from a run directory in memory, up to the host models. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "oddhost/parse/host.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char dir[64], path[96];

static void clean_up(void)
{
	unlink(path);
	snprintf(path, sizeof path, "%s/run.json", dir);
	unlink(path);
	rmdir(dir);
}

static void prepare(void)
{
	static const char meta[] =
	    "{\"schema\":\"oddhost.run/1\",\"targets\":[\"db.example:3306\"]}";

	if (path[0] != '\0')
		return;
	/* In memory where there is room for that: a fuzzer writes thousands a second. */
	snprintf(dir, sizeof dir, "%s/oddhost-fuzz-XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (mkdtemp(dir) == NULL)
		abort();
	snprintf(path, sizeof path, "%s/run.json", dir);
	FILE *file = fopen(path, "w");
	if (file == NULL)
		abort();
	fputs(meta, file);
	fclose(file);
	snprintf(path, sizeof path, "%s/hosts.jsonl", dir);
	atexit(clean_up);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err;

	prepare();
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	close(fd);
	struct run *run = run_load(dir, &err);
	if (run == NULL)
		abort(); /* bad lines are diagnostics */
	for (size_t i = 0; i < run->n_hosts; i++)
		parse_host(run->hosts[i], &run->meta);
	run_free(run);
	return 0;
}
