#include "unit.h"

#include "oddhost/model/host.h"

static struct ip ip_of(const char *text)
{
	struct ip ip;

	assert_true(ip_parse(view_of(text), &ip));
	return ip;
}

static void test_lookups(void **state)
{
	struct docker_network networks[] = {{.name = "host"},
	    {.name = "bridge", .bridge = "docker0"},
	    {.name = "traefik", .bridge = "br-0123456789ab"},
	    {.name = "again", .bridge = "docker0"}};
	struct resolution resolutions[] = {{.target = "a"}, {.target = "b:80"}};
	struct ping pings[] = {{.status = PING_OK}, {.status = PING_SILENT}};
	const char *ping_targets[] = {"a", "b:80"};
	struct address addresses[] = {{.dev = "lo", .ip = ip_of("127.0.0.1"), .len = 8},
	    {.dev = "eth0", .ip = ip_of("10.0.0.1"), .len = 24}};
	struct host host = {.networks = networks,
	    .n_networks = COUNT(networks),
	    .resolutions = resolutions,
	    .n_resolutions = 2,
	    .pings = pings,
	    .ping_targets = ping_targets,
	    .n_pings = 2,
	    .addresses = addresses,
	    .n_addresses = 2};
	struct ip own = ip_of("10.0.0.1"), peer = ip_of("10.0.0.2"), v6 = ip_of("::1");

	(void)state;
	host.arena = arena_new();
	host_index_networks(&host);
	assert_ptr_equal(host_network_of_dev(&host, "docker0"), &networks[1]);
	assert_ptr_equal(host_network_of_dev(&host, "br-0123456789ab"), &networks[2]);
	assert_null(host_network_of_dev(&host, "eth0"));
	assert_null(host_network_of_dev(&host, NULL));
	assert_ptr_equal(host_resolution(&host, "b:80"), &resolutions[1]);
	assert_null(host_resolution(&host, "b"));
	assert_int_equal(host_ping(&host, "b:80")->status, PING_SILENT);
	assert_null(host_ping(&host, "c"));
	assert_true(host_owns(&host, &own));
	assert_false(host_owns(&host, &peer) || host_owns(&host, &v6));
	arena_free(host.arena);
}

/* A host of which nothing is known. */
static void test_unknown(void **state)
{
	struct host host = {0};
	struct ip ip = ip_of("10.0.0.1");

	(void)state;
	assert_null(host_network_of_dev(&host, "docker0"));
	assert_null(host_resolution(&host, "a"));
	assert_null(host_ping(&host, "a"));
	assert_false(host_owns(&host, &ip));
	assert_string_equal(host_virtual_owner(&host, "docker0"), "docker");
}

static void test_virtual_owner(void **state)
{
	static const struct {
		const char *dev, *owner;
	} rows[] = {
	    {"docker0", "docker"},
	    {"docker_gwbridge", "docker"},
	    {"br-c3c094fc6759", "docker"},
	    {"mybridge0", "docker"}, /* named in docker's own list */
	    {"br-c3c094fc675", NULL},
	    {"br-c3c094fc67599", NULL},
	    {"br-c3c094fc675z", NULL},
	    {"br-C3C094FC6759", NULL},
	    {"br-lan", NULL},
	    {"br0", NULL},
	    {"podman1", "podman"},
	    {"cni-podman0", "podman"},
	    {"cni0", "cni"},
	    {"flannel.1", "cni"},
	    {"virbr0", "libvirt"},
	    {"lxdbr0", "lxd"},
	    {"lxcbr0", "lxc"},
	    {"vboxnet0", "virtualbox"},
	    {"vmnet8", "vmware"},
	    {"tun0", "vpn"},
	    {"tailscale0", "vpn"},
	    {"wg0", "vpn"},
	    {"eth0", NULL},
	    {"ens160", NULL},
	    {"enp0s3", NULL},
	    {"bond0", NULL},
	    {"wlan0", NULL},
	    {"lo", NULL},
	    {"", NULL},
	    {NULL, NULL},
	};
	struct docker_network network = {.name = "mine", .bridge = "mybridge0"};
	struct host host = {.networks = &network, .n_networks = 1, .arena = arena_new()};

	(void)state;
	host_index_networks(&host);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *owner = host_virtual_owner(&host, rows[i].dev);
		if ((owner == NULL) != (rows[i].owner == NULL) ||
		    (owner != NULL && strcmp(owner, rows[i].owner) != 0))
			fail_msg("%s: %s", rows[i].dev, owner == NULL ? "none" : owner);
	}
	arena_free(host.arena);
}

static void test_ping_names(void **state)
{
	(void)state;
	assert_string_equal(ping_status_name(PING_UNKNOWN), "unknown");
	assert_string_equal(ping_status_name(PING_SILENT), "silent");
	assert_string_equal(ping_status_name(PING_NO_PERMISSION), "no-permission");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_lookups),
	    cmocka_unit_test(test_unknown),
	    cmocka_unit_test(test_virtual_owner),
	    cmocka_unit_test(test_ping_names),
	};

	return cmocka_run_group_tests_name("host", tests, NULL, NULL);
}
