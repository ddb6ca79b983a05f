/* uname, os-release, uptime; sysctl; and times as docker writes them. */
#include "kind.h"

#include "oddhost/base/clock.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int64_t ns;

	fuzz_kind("host", data, size);
	fuzz_kind("sysctl", data, size);
	if (clock_parse((struct view){(const char *)data, size}, &ns) && ns < 0)
		abort();
	return 0;
}
