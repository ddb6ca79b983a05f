/* Whom a host asks, and what it answers: resolv.conf, getent, ip route get. */
#include "kind.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_kind("resolv", data, size);
	fuzz_kind("dns", data, size);
	fuzz_kind("egress", data, size);
	return 0;
}
