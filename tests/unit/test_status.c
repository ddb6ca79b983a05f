#include "unit.h"

#include "oddhost/model/status.h"

static void test_host_status(void **state)
{
	enum host_status status;

	(void)state;
	for (int i = 0; i < HOST_STATUS_COUNT; i++) {
		const char *name = host_status_name((enum host_status)i);
		assert_non_null(name);
		assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz-"), strlen(name));
		assert_true(host_status_from_name(name, &status));
		assert_int_equal(status, i); /* so no two have the same name */
		const char *advice = host_status_advice((enum host_status)i);
		size_t n = strlen(advice);
		assert_true(i == HOST_OK ? n == 0 : n > 20 && strchr(".?", advice[n - 1]) != NULL);
		assert_null(strstr(advice, "  "));
	}
	assert_false(host_status_from_name("okay", &status));
	assert_false(host_status_from_name("", &status));
	assert_false(host_status_from_name(NULL, &status));
}

static void test_probe_status(void **state)
{
	enum probe_status status;

	(void)state;
	for (int i = 0; i < PROBE_STATUS_COUNT; i++) {
		const char *name = probe_status_name((enum probe_status)i);
		assert_non_null(name);
		assert_true(probe_status_from_name(name, &status));
		assert_int_equal(status, i);
	}
	assert_false(probe_status_from_name("none", &status));
	assert_false(probe_status_from_name(NULL, &status));
}

/* Names that scripts rely on. */
static void test_contract(void **state)
{
	static const struct {
		enum host_status status;
		const char *name;
		bool reached;
	} rows[] = {
	    {HOST_OK, "ok", true},
	    {HOST_PARTIAL, "partial", true},
	    {HOST_RESOLVE_FAILED, "resolve-failed", false},
	    {HOST_CONNECT_TIMEOUT, "connect-timeout", false},
	    {HOST_CONNECT_REFUSED, "connect-refused", false},
	    {HOST_UNREACHABLE, "unreachable", false},
	    {HOST_BANNER_TIMEOUT, "banner-timeout", false},
	    {HOST_PROTOCOL_ERROR, "protocol-error", false},
	    {HOST_HOSTKEY_UNKNOWN, "hostkey-unknown", false},
	    {HOST_HOSTKEY_CHANGED, "hostkey-changed", false},
	    {HOST_HOSTKEY_REVOKED, "hostkey-revoked", false},
	    {HOST_AUTH_FAILED, "auth-failed", false},
	    {HOST_CHANNEL_FAILED, "channel-failed", false},
	    {HOST_DISCONNECTED, "disconnected", true},
	    {HOST_DEADLINE, "deadline", true},
	    {HOST_INTERRUPTED, "interrupted", true},
	    {HOST_SUDO_FAILED, "sudo-failed", true},
	};

	(void)state;
	assert_int_equal(COUNT(rows), HOST_STATUS_COUNT);
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_string_equal(host_status_name(rows[i].status), rows[i].name);
		assert_int_equal(host_status_reached(rows[i].status), rows[i].reached);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_host_status),
	    cmocka_unit_test(test_probe_status),
	    cmocka_unit_test(test_contract),
	};

	return cmocka_run_group_tests_name("status", tests, NULL, NULL);
}
