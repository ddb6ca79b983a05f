/*
 * Runs a fuzz harness on files, without a fuzzer: each file that is named and each one in a
 * directory that is named. At least one is needed. make check does this under the sanitizers.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "oddhost/base/buf.h"
#include "oddhost/base/file.h"

#define INPUT_MAX (16u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool replay_file(const char *path)
{
	struct buf input = {.max = INPUT_MAX};
	struct err err;

	if (!file_read(path, INPUT_MAX, &input, &err)) {
		fprintf(stderr, "replay: %s\n", err.text);
		return false;
	}
	/* A copy of exactly this size: reading past the end is then seen. */
	uint8_t *exact = malloc(input.n > 0 ? input.n : 1);
	if (exact == NULL)
		abort();
	for (size_t i = 0; i < input.n; i++)
		exact[i] = (uint8_t)input.p[i];
	LLVMFuzzerTestOneInput(exact, input.n);
	free(exact);
	buf_free(&input);
	return true;
}

static bool replay(const char *path, size_t *files)
{
	struct stat st;
	bool ok = true;

	if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode)) {
		++*files;
		return replay_file(path);
	}
	DIR *dir = opendir(path);
	if (dir == NULL) {
		perror(path);
		return false;
	}
	for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
		struct buf inner = {.max = 0};
		if (entry->d_name[0] == '.')
			continue;
		buf_printf(&inner, "%s/%s", path, entry->d_name);
		ok = replay(buf_str(&inner), files) && ok;
		buf_free(&inner);
	}
	closedir(dir);
	return ok;
}

int main(int argc, char **argv)
{
	size_t files = 0;
	bool ok = true;

	for (int i = 1; i < argc; i++)
		ok = replay(argv[i], &files) && ok;
	printf("%s: %zu files\n", argv[0], files);
	if (files == 0)
		fprintf(stderr, "%s: there is nothing to run it on\n", argv[0]);
	return ok && files > 0 ? 0 : 1;
}
