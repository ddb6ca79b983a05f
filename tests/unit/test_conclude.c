#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "oddhost/cli/conclude.h"
#include "report_sample.h"

static const struct {
	const char *name;
	size_t asked, n; /* hosts asked for, and those that are in the run */
	enum host_status status[2];
	bool probe_failed; /* of the first host */
	enum severity worst, fail_on;
	enum exit_code code;
} rows[] = {
    {"clean", 1, 1, {HOST_OK}, false, SEVERITY_NONE, SEVERITY_HIGH, EXIT_CLEAN},
    {"nothing was asked", 0, 0, {HOST_OK}, false, SEVERITY_NONE, SEVERITY_HIGH, EXIT_CLEAN},
    {"below the limit", 1, 1, {HOST_OK}, false, SEVERITY_MEDIUM, SEVERITY_HIGH, EXIT_CLEAN},
    {"at the limit", 1, 1, {HOST_OK}, false, SEVERITY_HIGH, SEVERITY_HIGH, EXIT_FINDINGS},
    {"above the limit", 1, 1, {HOST_OK}, false, SEVERITY_CRITICAL, SEVERITY_LOW, EXIT_FINDINGS},
    {"no limit", 1, 1, {HOST_OK}, false, SEVERITY_CRITICAL, SEVERITY_NONE, EXIT_CLEAN},
    {"one host is missing", 2, 2, {HOST_OK, HOST_CONNECT_TIMEOUT}, false, SEVERITY_MEDIUM,
	SEVERITY_HIGH, EXIT_INCOMPLETE},
    {"a finding outweighs a missing host", 2, 2, {HOST_OK, HOST_CONNECT_TIMEOUT}, false,
	SEVERITY_HIGH, SEVERITY_HIGH, EXIT_FINDINGS},
    {"a probe failed", 1, 1, {HOST_OK}, true, SEVERITY_NONE, SEVERITY_HIGH, EXIT_INCOMPLETE},
    {"killed before the second host", 2, 1, {HOST_OK}, false, SEVERITY_NONE, SEVERITY_HIGH,
	EXIT_INCOMPLETE},
    {"no host reached", 2, 2, {HOST_AUTH_FAILED, HOST_UNREACHABLE}, false, SEVERITY_HIGH,
	SEVERITY_HIGH, EXIT_NO_HOST},
    {"all hang behind the login", 2, 2, {HOST_DEADLINE, HOST_DEADLINE}, false, SEVERITY_MEDIUM,
	SEVERITY_HIGH, EXIT_NO_HOST},
    {"killed before the first host", 2, 0, {HOST_OK}, false, SEVERITY_NONE, SEVERITY_HIGH,
	EXIT_NO_HOST},
};

static void test_exit_code(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct sample s;
		sample_begin(&s, "api", rows[i].asked);
		for (size_t h = 0; h < rows[i].n; h++)
			sample_host(&s, h == 0 ? "host-01" : "host-02", rows[i].status[h]);
		for (size_t h = 0; h < rows[i].n; h++) {
			/* Who hangs behind the login has answered nothing. */
			bool answers = rows[i].status[h] != HOST_DEADLINE;
			host_record_add_probe(s.run->hosts[h], "host")->status =
			    answers ? PROBE_OK : PROBE_SKIPPED;
		}
		if (rows[i].probe_failed)
			host_record_add_probe(s.run->hosts[0], "routes")->status = PROBE_TIMEOUT;
		s.d.severity = rows[i].worst;
		enum exit_code code = conclude_exit_code(&s.d, rows[i].fail_on);
		if (code != rows[i].code)
			fail_msg(
			    "%s: got %d, wanted %d", rows[i].name, (int)code, (int)rows[i].code);
		sample_free(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_exit_code)};

	return cmocka_run_group_tests_name("conclude", tests, NULL, NULL);
}
