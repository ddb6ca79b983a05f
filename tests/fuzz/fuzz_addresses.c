/* Interface addresses (ip, ifconfig) and neighbours (ip, arp). */
#include "kind.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_kind("addrs", data, size);
	fuzz_kind("neigh", data, size);
	return 0;
}
