/* Pasted transcripts: the incident's own, and the ways in which people paste. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "oddhost/base/file.h"
#include "oddhost/parse/command.h"
#include "oddhost/parse/host.h"
#include "oddhost/parse/transcript.h"

#define DIR "tests/fixtures/incident/"
#define DATABASE "rm-intra.mysql.rds.aliyuncs.com"

static void read_file(struct run *run, const char *path)
{
	struct buf text = {0};
	struct err err;

	assert_true(file_read(path, 1 << 20, &text, &err));
	assert_true(transcript_read(buf_view(&text), path, run, &run->diags, &err));
	buf_free(&text);
}

static struct host_record *record_named(struct run *run, const char *name)
{
	for (size_t i = 0; i < run->n_hosts; i++) {
		if (strcmp(run->hosts[i]->name, name) == 0)
			return run->hosts[i];
	}
	fail_msg("no host %s", name);
	return NULL;
}

static void test_incident(void **state)
{
	static const char *const names[] = {"host-pre", "host-01", "host-02", "host-03"};
	static const char *const subnets[] = {
	    "192.168.0.0/20", "192.168.32.0/20", "172.28.0.0/16", "172.19.0.0/24"};
	struct run *run = run_new();
	struct target *targets;
	char text[PREFIX_TEXT_SIZE];

	(void)state;
	read_file(run, DIR "before.txt");
	read_file(run, DIR "docker-ps-host-pre.txt");
	assert_int_equal(run->n_hosts, 4);
	assert_int_equal(run->diags.n, 0);
	assert_int_equal(transcript_targets(run, &targets), 1);
	assert_string_equal(targets[0].text, DATABASE);
	run->meta.targets = targets;
	run->meta.n_targets = 1;
	for (size_t i = 0; i < 4; i++) {
		assert_string_equal(run->hosts[i]->name, names[i]);
		assert_int_equal(run->hosts[i]->status, HOST_OK);
		struct host *host = parse_host(run->hosts[i], &run->meta);
		assert_true(host->routes_known);
		assert_false(host->routes6_known || host->rules.known || host->addresses_known);
		assert_false(host->daemon.known);
		assert_int_equal(host->routes.n, 6);
		assert_string_equal(prefix_format(&host->routes.v[3].dst, text), subnets[i]);
		assert_int_equal(host->routes.v[3].line, 6);
		assert_string_equal(host->routes_source->name, "routes");
		const struct ping *ping = host_ping(host, DATABASE);
		assert_int_equal(ping->status, i == 0 ? PING_UNREACHABLE : PING_OK);
		assert_int_equal(ping->transmitted, -1);
		const struct resolution *resolution = host_resolution(host, DATABASE);
		assert_int_equal(resolution->n, 1);
		assert_string_equal(ip_format(&resolution->addresses[0], text), "192.168.0.166");
		assert_int_equal(host->networks_known, i == 0);
		assert_int_equal(host->diags.n, i == 0 ? 1 : 0); /* the article's "..." */
	}

	struct host *host = parse_host(run->hosts[0], &run->meta);
	const struct docker_network *network = host_network_of_dev(host, "br-c3c094fc6759");
	assert_string_equal(network->name, "project-grpup_project-name");
	assert_false(network->inspected);
	assert_int_equal(network->listed.line, 4);
	assert_string_equal(network->listed.probe->name, "docker_networks");
	assert_int_equal(host->n_containers, 4);
	assert_string_equal(host->diags.items[0].source, "docker_ps");
	run_free(run);
}

/* After the fix: the networks replace those of before, and inspect names the new subnet. */
static void test_after(void **state)
{
	struct run *run = run_new();
	char text[PREFIX_TEXT_SIZE];

	(void)state;
	read_file(run, DIR "before.txt");
	read_file(run, DIR "after.txt");
	struct host *host = parse_host(record_named(run, "host-pre"), &run->meta);
	const struct docker_network *network = host_network_of_dev(host, "br-5089b1504e22");
	assert_int_equal(host->n_networks, 5);
	assert_null(host_network_of_dev(host, "br-c3c094fc6759"));
	assert_string_equal(network->name, "project-grpup_project-name");
	assert_int_equal(network->n_subnets, 1);
	assert_string_equal(prefix_format(&network->subnets[0], text), "172.19.0.0/24");
	assert_int_equal(network->subnet_lines[0], 1);
	run_free(run);
}

/* "host: probe 'command' lines status", a probe a line. */
static const char *describe(struct run *run)
{
	struct buf out = {0};

	for (size_t h = 0; h < run->n_hosts; h++) {
		for (size_t i = 0; i < run->hosts[h]->n_probes; i++) {
			const struct probe_result *p = &run->hosts[h]->probes[i];
			buf_printf(&out, "%s: %s <%s> %s\n", run->hosts[h]->name, p->name,
			    p->command, probe_status_name(p->status));
			buf_add_view(&out, p->out);
			buf_puts(&out, "\n");
		}
	}
	const char *copy = arena_dup(run->arena, buf_str(&out));
	buf_free(&out);
	return copy;
}

static const struct {
	const char *name, *text, *probes;
	size_t diags;
} cases[] = {
    {"prompts",
	"root@web1:~# uptime\n 1\nweb2:/etc$ uptime\n 2\n[ops@web-3.example data]$ uptime\n "
	"3\n(venv) a@web4:~/x$ uptime\n 4\n",
	"web1: host <uptime> ok\n 1\nweb2: host <uptime> ok\n 2\nweb-3.example: host <uptime> ok\n "
	"3\nweb4: host <uptime> ok\n 4\n",
	0},
    {"ssh lines",
	"ssh web1 uptime\n1\n$ ssh -p 22 -i key -v root@web2 uptime\n2\nops@bastion:~$ ssh web3 "
	"'ip route'\n3\nssh web4 \"uptime\"\n4\n",
	"web1: host <uptime> ok\n1\nweb2: host <uptime> ok\n2\nweb3: routes <ip route> "
	"ok\n3\nweb4: host <uptime> ok\n4\n",
	0},
    {"a login, then prompts",
	"ops@bastion:~$ ssh web1\nWelcome\nLast login: never\nroot@web1:~# uptime\n1\nroot@web1:~# "
	"exit\nlogout\n",
	"web1: host <uptime> ok\n1\n", 0},
    {"blank lines", "a:~# uptime\n\n\n1\n\n2\n\n\nb:~# uptime\n\n",
	"a: host <uptime> ok\n1\n\n2\nb: host <uptime> ok\n\n", 0},
    {"the same again", "a:~# uptime\n1\na:~# ping -c1 b\nx\na:~# uptime\n2\n",
	"a: ping:b <ping -c1 b> ok\nx\na: host <uptime> ok\n2\n", 0},
    {"text before the first prompt", "hello\n\na:~# uptime\n1\n", "a: host <uptime> ok\n1\n", 1},
    {"what a terminal adds",
	"\xef\xbb\xbf\x1b]0;root@a: ~\a\x1b[01;32mroot@a\x1b[00m:\x1b[01;34m~\x1b[00m# "
	"uptime\r\n\x1b[1m1\x1b[0m\r\n"
	"\x1b]0;t\x1b\\a:~# ping b\r\n^C--- b\r\na:~# ^C\r\na:~# \x1b(B\r\n",
	"a: host <uptime> ok\n1\na: ping:b <ping b> ok\n--- b\n", 0},
    {"no answers",
	"a:~# docker ps -a\nbash: docker: command not found\na:~# docker network ls\nGot "
	"permission denied while trying to connect to the Docker daemon socket\n",
	"a: docker_ps <docker ps -a> missing-command\nbash: docker: command not found\n"
	"a: docker_networks <docker network ls> no-permission\nGot permission denied while trying "
	"to connect to the Docker daemon socket\n",
	0},
    {"no answers, in other words",
	"a:~# docker ps\n-bash: docker: \xe6\x9c\xaa\xe6\x89\xbe\xe5\x88\xb0\xe5\x91\xbd"
	"\xe4\xbb\xa4\na:~# docker info\nWARNING: Error loading config file\npermission denied "
	"while trying to connect to the docker API at unix:///var/run/docker.sock\na:~# docker "
	"network ls\nfailed to connect to the docker API at unix:///var/run/docker.sock\n",
	"a: docker_ps <docker ps> missing-command\n-bash: docker: \xe6\x9c\xaa\xe6\x89\xbe\xe5"
	"\x88\xb0\xe5\x91\xbd\xe4\xbb\xa4\na: docker_info <docker info> no-permission\nWARNING: "
	"Error loading config file\npermission denied while trying to connect to the docker API "
	"at unix:///var/run/docker.sock\na: docker_networks <docker network ls> failed\nfailed to "
	"connect to the docker API at unix:///var/run/docker.sock\n",
	0},
    {"not prompts", "a:~# docker ps\nx:80->80/tcp # y\nfoo: bar# x\n[error] $ no\nssh\nb:~#x\n",
	"a: docker_ps <docker ps> ok\nx:80->80/tcp # y\nfoo: bar# x\n[error] $ no\nssh\nb:~#x\n",
	0},
    {"SUSE's prompts among Debian's",
	"ops@web02:~$ uptime\n2\nops@web03:~> uptime\n3\nweb04:~ # uptime\n4\nops@web02:~$ \n",
	"web02: host <uptime> ok\n2\nweb03: host <uptime> ok\n3\nweb04: host <uptime> ok\n4\n", 0},
    {"a name and a mark, known by its commands",
	"web03# uptime\n3\nweb03# dmesg\nx\nweb03#\nb# not a prompt\n",
	"web03: host <uptime> ok\n3\nweb03: other:dmesg <dmesg> ok\nx\n", 1},
    {"a shell without a name, behind one that has one",
	"ops@web1:~$ sudo -i\nbash-5.1# uptime\n1\nbash-5.1# exit\nbash-5.1# uptime\n2\n",
	"web1: other:sudo -i <sudo -i> ok\n\nweb1: host <uptime> ok\n1\n", 4},
    {"a login, and a prompt without a name", "$ ssh web1\nWelcome\n$ uptime\n1\n# uptime\n2\n",
	"web1: host <uptime> ok\n2\n", 2},
    {"one command by ssh leaves nobody's shell", "$ ssh web1 uptime\n1\n$ uptime\n2\n",
	"web1: host <uptime> ok\n1\n", 1},
    {"in a container", "root@web1:~# docker exec -it db sh\n/ # ip route\ndefault dev eth0\n",
	"web1: other:docker exec -it db sh <docker exec -it db sh> ok\n\n", 2},
    {"a prompt that is not known ends the answer",
	"root@web1:~# uptime\n1\n>>> web2 >>> ip route\ndefault dev eth0\n",
	"web1: host <uptime> ok\n1\n", 1},
    {"two tables in one answer are two hosts'",
	"root@web1:~# route -n\nKernel IP routing table\nx\nKernel IP routing table\ny\n",
	"web1: routes <route -n> ok\nKernel IP routing table\nx\n", 1},
    {"two tables of two questions",
	"a:~# route -n; route -n\nKernel IP routing table\nKernel IP routing table\n",
	"a: other:route -n; route -n <route -n; route -n> ok\nKernel IP routing table\nKernel IP routing table\n",
	1},
    {"a comment is no prompt",
	"root@web1:~# cat /etc/resolv.conf\n# ip of the office\n#\n# docker dns\n"
	"nameserver 10.0.0.2\n",
	"web1: resolv <cat /etc/resolv.conf> ok\n# ip of the office\n#\n# docker dns\n"
	"nameserver 10.0.0.2\n",
	0},
    {"timed, and behind a program",
	"a:~# time ip route\ndefault dev eth0\n\nreal\t0m0.003s\nuser\t0m0.001s\nsys\t0m0.002s\n"
	"ssh -p 22 b -- busybox ping -c2 10.0.0.1\nx\n",
	"a: routes <time ip route> ok\ndefault dev eth0\n"
	"b: ping:10.0.0.1 <busybox ping -c2 10.0.0.1> ok\nx\n",
	0},
    {"an escape that never ends", "a:~# uptime\n1\x1b[", "a: host <uptime> ok\n1\n", 0},
};

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct run *run = run_new();
		struct err err;
		print_message("  %s\n", cases[i].name);
		assert_true(
		    transcript_read(view_of(cases[i].text), "paste", run, &run->diags, &err));
		assert_string_equal(describe(run), cases[i].probes);
		assert_int_equal(run->diags.n, cases[i].diags);
		run_free(run);
	}
}

/* Each before "uptime" and "1", behind a prompt that names another host. */
static const struct {
	const char *prompt, *host; /* "": its host is not known; NULL: no prompt */
} prompts[] = {
    {"ops@web03:~> ", "web03"},
    {"web04:~ # ", "web04"},
    {"web03 ~ # ", "web03"},
    {"web03 /etc/docker # ", "web03"},
    {"ops@web03 ~ $ ", "web03"},
    {"ops@web03 ~ % ", "web03"},
    {"web03% ", "web03"},
    {"web03# ", "web03"},
    {"web03> ", "web03"},
    {"ops@web03> ", "web03"},
    {"ops@web03# ", "web03"},
    {"12:00:00 ops@web03:~$ ", "web03"},
    {"[12:00] ops@web03:~$ ", "web03"},
    {"[12:00:01] root@web03:~# ", "web03"},
    {"[2026-11-26 12:00:01] root@web03:~# ", "web03"},
    {"2026-11-26 12:00:01 root@web03:~# ", "web03"},
    {"ops@web03:~ (main)$ ", "web03"},
    {"ops@web03:~/src (main *) $ ", "web03"},
    {"ops@web03 [~]# ", "web03"},
    {"[root@web03:~]# ", "web03"},
    {"[root@web03 ~]> ", "web03"},
    {"(venv) ops@web03:~/x$ ", "web03"},
    {"fe80::1:~# ", "fe80::1"},
    {"bash-5.1# ", "a"},
    {"sh-4.2$ ", "a"},
    {"/ # ", "a"},
    {"# ", "a"},
    {"$ ", "a"},
    {"-web03# ", ""},
    {"web 03 # ", ""},
    {"web03:~ x # ", ""},
    {"x", NULL},
    {"web03:~", NULL},
    {"web03:~#", NULL},
    {"ops@web03", NULL},
};

static void test_prompts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof prompts / sizeof *prompts; i++) {
		struct run *run = run_new();
		const char *prompt = prompts[i].prompt, *host = prompts[i].host;
		struct err err;
		bool own = host != NULL && strcmp(host, "a") == 0;
		const char *text =
		    arena_printf(run->arena, "x@a:~# uname\nL\n%suptime\n1\n", prompt);
		const char *expected = arena_printf(run->arena, "a: host <uname> ok\nL\n%s%s%s",
		    host == NULL ? arena_printf(run->arena, "%suptime\n1\n", prompt) : "",
		    host == NULL ? "" : host,
		    host == NULL || *host == '\0' ? "" : ": host <uptime> ok\n1\n");
		print_message("  %s\n", prompt);
		assert_true(transcript_read(view_of(text), "paste", run, &run->diags, &err));
		assert_string_equal(describe(run), expected);
		assert_int_equal(run->diags.n, own || (host != NULL && *host == '\0'));
		run_free(run);
	}
}

static void test_no_transcript(void **state)
{
	struct run *run = run_new();
	struct err err = {""};

	(void)state;
	assert_false(transcript_read(view_of("some text\n"), "paste", run, &run->diags, &err));
	assert_true(view_starts(view_of(err.text), "paste: no prompt"));
	assert_int_equal(run->n_hosts, 0);
	assert_int_equal(run->diags.items[0].line, 1);
	assert_string_equal(run->diags.items[0].source, "paste");
	run_free(run);
}

static void test_targets(void **state)
{
	static const char text[] =
	    "web1:~# ping db.example\nx\nweb1:~# ping web2\nx\nweb2:~# ping -c 3 cache.example\nx\n"
	    "web2:~# ping db.example\nx\nweb2:~# ping 127.0.0.1\nx\nweb2:~# ping 10.0.0.9\nx\n";
	struct run *run = run_new();
	struct target *targets;
	struct err err;

	(void)state;
	assert_true(transcript_read(view_of(text), "paste", run, &run->diags, &err));
	assert_int_equal(transcript_targets(run, &targets), 3);
	assert_string_equal(targets[0].text, "db.example");
	assert_string_equal(targets[1].text, "cache.example");
	assert_string_equal(targets[2].text, "10.0.0.9");
	run_free(run);
}

static const struct {
	const char *command, *probe; /* NULL: kept for reading only */
} commands[] = {
    {"ping -c 3 -W 2 db.example", "ping:db.example"},
    {"ping -c3 -i0.2 10.0.0.1", "ping:10.0.0.1"},
    {"ping db.example -c 3", "ping:db.example"},
    {"ping6 -I eth0 fe80::1", "ping:fe80::1"},
    {"ping", NULL},
    {"sudo -n /sbin/route -n", "routes"},
    {"route", "routes"},
    {"route -n | grep br-", NULL},
    {"route -n 2>/dev/null", "routes"},
    {"route -n > /tmp/x", NULL},
    {"route -n -A inet6", "routes6"},
    {"netstat -rn -6", "routes6"},
    {"route -6n", "routes6"},
    {"route -A inet", NULL},
    {"route add default gw 10.0.0.1", NULL},
    {"netstat -rn", "routes"},
    {"netstat -nr", "routes"},
    {"netstat -tlnp", NULL},
    {"ip route", "routes"},
    {"ip r", "routes"},
    {"ip -4 route show table all", "routes"},
    {"ip route list table main", "routes"},
    {"ip route show table 100", NULL},
    {"ip route show dev eth0", NULL},
    {"ip -j route", "routes"},
    {"ip -6 route show table all", "routes6"},
    {"ip route get 192.168.0.166", "egress:192.168.0.166"},
    {"ip route get 192.168.0.166 from 10.0.0.1", NULL},
    {"ip rule", "rules"},
    {"ip rule list", "rules"},
    {"ip -6 rule show", "rules6"},
    {"ip neigh", "neigh"},
    {"ip n show", "neigh"},
    {"arp -an", "neigh"},
    {"arp -n 10.0.0.1", NULL},
    {"ifconfig", "addrs"},
    {"ifconfig -a", "addrs"},
    {"ifconfig eth0", NULL},
    {"ip a", "addrs"},
    {"ip -o addr show", "addrs"},
    {"ip addr show eth0", NULL},
    {"ip link", NULL},
    {"docker network ls", "docker_networks"},
    {"docker network ls --no-trunc", "docker_networks"},
    {"docker network ls -q", NULL},
    {"docker network ls --filter driver=bridge", NULL},
    {"docker network inspect $(docker network ls -q)", "docker_inspect"},
    {"docker inspect 5089b1504e22 --format='{{json .IPAM.Config}}'", "docker_inspect"},
    {"docker ps -a", "docker_ps"},
    {"docker container ls --all", "docker_ps"},
    {"docker ps -aq", NULL},
    {"docker ps -a | head", NULL},
    {"docker rm -f x", NULL},
    {"docker info", "docker_info"},
    {"podman info --format json", "docker_info"},
    {"cat /etc/resolv.conf", "resolv"},
    {"cat /run/systemd/resolve/resolv.conf", "resolv_systemd"},
    {"cat /etc/hosts", NULL},
    {"sysctl net.ipv4.ip_forward", "sysctl"},
    {"sysctl -w net.ipv4.ip_forward=1", NULL},
    {"fping -c 3 db.example", "ping:db.example"},
    {"cat /etc/docker/daemon.json", "docker_daemon"},
    {"getent hosts db.example", "dns:db.example"},
    {"LC_ALL=C timeout 5 getent ahosts db.example", "dns:db.example"},
    {"uname -a", "host"},
    {"uptime", "host"},
    {"cat /etc/os-release", "host"},
    {"cat /usr/lib/os-release", "host"},
    {"uptime; uname -a", NULL},
    {"ps aux", NULL},
    {"sudo", NULL},
    {"'", NULL},
    {"ping \"db.example\"", "ping:db.example"},
};

static void test_commands(void **state)
{
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
		const char *probe = command_probe_name(arena, view_of(commands[i].command));
		if ((probe == NULL) != (commands[i].probe == NULL))
			fail_msg("%s: %s", commands[i].command, probe == NULL ? "NULL" : probe);
		if (probe != NULL)
			assert_string_equal(probe, commands[i].probe);
	}
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_incident),
	    cmocka_unit_test(test_after),
	    cmocka_unit_test(test_cases),
	    cmocka_unit_test(test_prompts),
	    cmocka_unit_test(test_no_transcript),
	    cmocka_unit_test(test_targets),
	    cmocka_unit_test(test_commands),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
