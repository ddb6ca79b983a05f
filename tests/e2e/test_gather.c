/* How hosts are gathered: a run that is taken up again, looked at before, or made on this machine.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "drive.h"
#include "oddhost/model/run.h"

static bool said(const char *file, const char *text)
{
	struct buf out = drive_read(file);
	bool found = view_find(buf_view(&out), text) >= 0;

	buf_free(&out);
	return found;
}

static size_t lines_of(const char *file)
{
	struct buf text = drive_read(file);
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++)
		n += text.p[i] == '\n';
	buf_free(&text);
	return n;
}

/* Only the command line says whose keys are known; --resume must remember. */
static int cut_short(void)
{
	int status = drive(
	    "rm -rf %D/cut && sed 's/^ansible_ssh_common_args=.*//' %D/demo.ini >%D/bare.ini && "
	    "%O collect -q -F none -i %D/bare.ini -l api --known-hosts %D/known_hosts -o %D/cut");

	assert_int_equal(drive("head -n 2 %D/cut/hosts.jsonl >%D/two && head -c 90 %D/two >>%D/two "
			       "&& cp %D/two %D/cut/hosts.jsonl"),
	    0);
	return status;
}

static void test_resume(void **state)
{
	(void)state;
	assert_int_equal(cut_short(), 0);
	assert_int_equal(drive("%O collect --resume %D/cut"), 0);
	assert_true(said(drive_path("%D/stdout"), "4 of 4 hosts answered"));
	assert_int_equal(lines_of(drive_path("%D/cut/hosts.jsonl")), 4);
	struct json *findings = NULL;
	assert_int_equal(drive("%O report -q %D/cut"), 1);
	findings = drive_findings("cut");
	assert_non_null(finding_of(findings, "target-shadowed", "host-pre"));
	json_free(findings);

	/* There is nothing left to do: that is no failure. */
	assert_int_equal(drive("%O collect --resume %D/cut"), 0);
	assert_int_equal(lines_of(drive_path("%D/cut/hosts.jsonl")), 4);
}

/* Whoever was let in without a check makes the whole run doubtful, whatever is asked later. */
static void test_resume_weakens(void **state)
{
	(void)state;
	assert_int_equal(cut_short(), 0);
	assert_int_equal(drive("%O collect --resume %D/cut --host-key off"), 0);
	assert_int_equal(drive("%O report -q %D/cut"), 1);
	assert_true(said(drive_path("%D/cut/report.md"), "Host keys were not checked"));
	assert_int_equal(drive("%O collect --resume %D/cut"), 0);
	assert_true(said(drive_path("%D/cut/run.json"), "\"host-key-policy\":\t\"off\""));
}

static void test_resume_looks_first(void **state)
{
	(void)state;
	assert_int_equal(cut_short(), 0);
	assert_int_equal(drive("%O collect --resume %D/cut -C"), 0);
	assert_int_equal(lines_of(drive_path("%D/cut/hosts.jsonl")), 2);
	assert_int_equal(drive("%O collect --resume %D/cut -i a,b, -l all"), 2);
	assert_true(said(drive_path("%D/stderr"), "gives 2 hosts"));
	assert_int_equal(drive("flock -n %D/cut/hosts.jsonl %O collect --resume %D/cut"), 2);
	assert_true(said(drive_path("%D/stderr"), "another oddhost is writing to it"));
	assert_int_equal(lines_of(drive_path("%D/cut/hosts.jsonl")), 2);

	/* What is missing is said. */
	assert_int_equal(drive("%O report --fail-on none %D/cut"), 3);
	assert_true(said(drive_path("%D/stdout"), "2 of 4 hosts answered"));
}

static void test_host_keys_off(void **state)
{
	(void)state;
	assert_int_equal(
	    drive("rm -rf %D/off && %O run -F none -i %D/bare.ini -l api --host-key off "
		  "-o %D/off"),
	    1);
	assert_true(said(drive_path("%D/stdout"), "Host keys were not checked"));
	assert_true(said(drive_path("%D/off/report.md"), "Host keys were not checked"));
	assert_true(said(drive_path("%D/off/report.html"), "Host keys were not checked"));
	assert_true(said(drive_path("%D/off/findings.json"), "Host keys were not checked"));
}

/* sudo that refuses, and none at all: what needs no other user is gathered, and the reason said. */
static void test_local_without_sudo(void **state)
{
	static const char *const sudos[] = {
	    "printf '#!/bin/sh\\necho sudo: a password is required >&2; exit 1\\n' >%D/bin/sudo",
	    "printf '#!/nowhere\\n' >%D/bin/sudo",
	};

	(void)state;
	assert_int_equal(
	    drive("mkdir -p %D/bin && echo 'here ansible_connection=local' >%D/here.ini"), 0);
	for (size_t i = 0; i < sizeof sudos / sizeof *sudos; i++) {
		struct err err;
		assert_int_equal(drive(sudos[i]), 0);
		assert_int_equal(
		    drive("rm -rf %D/here && chmod +x %D/bin/sudo && "
			  "PATH=%D/bin:$PATH %O collect -q -b -i %D/here.ini -o %D/here"),
		    3);
		struct run *run = run_load(drive_path("%D/here"), &err);
		assert_non_null(run);
		assert_int_equal(run->hosts[0]->status, HOST_SUDO_FAILED);
		assert_non_null(strstr(run->hosts[0]->error, "sudo: "));
		const struct probe_result *probe = host_record_probe(run->hosts[0], "host");
		assert_true(probe != NULL && probe->status == PROBE_OK);
		run_free(run);
	}
}

/* Nothing of an interrupted run goes on here: not even what timeout and setsid have set apart. */
static void test_local_interrupted(void **state)
{
	(void)state;
	assert_int_equal(
	    drive("mkdir -p %D/slow && echo 'here ansible_connection=local' >%D/here.ini && "
		  "printf '#!/bin/sh\necho $$ >%s\nexec sleep 600\n' \"$PWD/%D/pid\" "
		  ">%D/slow/docker && chmod +x %D/slow/docker && rm -rf %D/cut-off %D/pid"),
	    0);
	assert_int_equal(drive("PATH=\"$PWD/%D/slow:$PATH\" timeout -s INT 3 %O collect -q -i "
			       "%D/here.ini -o %D/cut-off"),
	    124);
	assert_int_equal(drive("test -s %D/pid"), 0); /* it was begun */
	/* timeout has signalled us twice: the run has ended in order all the same. */
	assert_true(said(drive_path("%D/cut-off/hosts.jsonl"), "\"interrupted\""));
	assert_int_equal(drive("! grep -qs sleep /proc/$(cat %D/pid)/cmdline"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_resume),
	    cmocka_unit_test(test_resume_weakens),
	    cmocka_unit_test(test_resume_looks_first),
	    cmocka_unit_test(test_host_keys_off),
	    cmocka_unit_test(test_local_without_sudo),
	    cmocka_unit_test(test_local_interrupted),
	};

	return cmocka_run_group_tests_name("gather", tests, NULL, NULL);
}
