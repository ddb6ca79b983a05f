/* ping: real outputs, and single cases of the forms that other systems print. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "oddhost/base/file.h"
#include "oddhost/parse/ping.h"

#define DIR "tests/fixtures/parse/ping/"

static const char *or_none(const char *s)
{
	return s == NULL ? "-" : s;
}

/* "target address sent/received loss% +dup replies errors status". */
static const char *describe(struct arena *arena, const struct ping *p)
{
	char text[IP_TEXT_SIZE];

	return arena_printf(arena, "%s %s %ld/%ld %g%% +%ld %zu %zu %s", or_none(p->target),
	    ip_format(&p->address, text), p->transmitted, p->received, p->loss_percent,
	    p->duplicates, p->n_replies, p->n_errors, ping_status_name(p->status));
}

static const struct {
	const char *file, *expected;
	double rtt_max;
} files[] = {
    {"ok.txt", "localhost 127.0.0.1 3/3 0% +0 3 0 ok", 0.056},
    {"ok-D.txt", "127.0.0.1 127.0.0.1 2/2 0% +0 2 0 ok", 0.040},
    {"ok-6.txt", "::1 ::1 2/2 0% +0 2 0 ok", 0.081},
    {"ok-6-name.txt", "ip6-localhost ::1 2/2 0% +0 2 0 ok", 0.049},
    {"from.txt", "10.0.0.1 10.0.0.1 1/1 0% +0 1 0 ok", 0.082},
    {"unreachable.txt", "rm.example 192.168.0.166 2/0 100% +0 0 2 unreachable", -1},
    {"unreachable-n.txt", "192.168.0.166 192.168.0.166 2/0 100% +0 0 2 unreachable", -1},
    {"silent.txt", "192.168.0.200 192.168.0.200 2/0 100% +0 0 0 silent", -1},
    {"unknown-host.txt", "nosuch.example none -1/-1 -1% +-1 0 0 unknown-host", -1},
    {"inetutils-comma.txt", "10.0.2.3 10.0.2.3 2/2 0% +0 2 0 ok", 0.092},
    {"inetutils-v-unreachable.txt", "10.0.1.77 10.0.1.77 1/0 100% +0 0 1 unreachable", -1},
    {"iputils-R.txt", "10.0.2.3 10.0.2.3 1/1 0% +0 1 0 ok", 0.060},
    {"macos-ping6.txt", "2001:db8::1 2001:db8::1 2/2 0% +0 2 0 ok", 11.342},
    {"freebsd-redirect.txt", "10.9.0.1 10.9.0.1 2/1 50% +0 1 1 loss", 0.501},
    {"fping-c-ok.txt", "db.example none 2/2 0% +-1 2 0 ok", 0.068},
    {"fping-c-net.txt", "10.11.0.1 10.11.0.1 2/0 100% +-1 0 1 unreachable", -1},
    {"no-route.txt", "- none -1/-1 -1% +-1 0 1 no-route", -1},
    {"unreachable-route.txt", "- none -1/-1 -1% +-1 0 1 no-route", -1},
    {"blackhole-route.txt", "- none -1/-1 -1% +-1 0 1 no-route", -1},
    {"prohibit-route.txt", "- none -1/-1 -1% +-1 0 1 refused", -1},
    {"busybox-ok.txt", "db.example 10.0.2.3 2/2 0% +0 2 0 ok", 0.077},
    {"busybox-silent.txt", "10.9.0.1 10.9.0.1 2/0 100% +0 0 0 silent", -1},
    {"busybox-unknown.txt", "nosuch.example none -1/-1 -1% +-1 0 0 unknown-host", -1},
    {"busybox-no-route.txt", "10.55.0.1 10.55.0.1 -1/-1 -1% +-1 0 1 no-route", -1},
    {"busybox-no-permission.txt", "127.0.0.1 127.0.0.1 -1/-1 -1% +-1 0 1 no-permission", -1},
};

static void test_files(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		struct arena *arena = arena_new();
		struct diag_list diags = {.arena = arena};
		struct buf text = {0};
		struct err err;
		struct ping ping;
		print_message("  %s\n", files[i].file);
		assert_true(
		    file_read(arena_printf(arena, DIR "%s", files[i].file), 1 << 20, &text, &err));
		bool known = parse_ping(buf_view(&text), view_of(""), arena, &ping, &diags);
		assert_string_equal(describe(arena, &ping), files[i].expected);
		assert_int_equal(known, ping.status != PING_UNKNOWN);
		assert_int_equal(diags.n, known ? 0 : 1);
		assert_true(ping.rtt_max == files[i].rtt_max);
		buf_free(&text);
		arena_free(arena);
	}
}

#define HEADER "PING db (10.0.0.5) 56(84) bytes of data.\n"
#define REPLY(seq) "64 bytes from 10.0.0.5: icmp_seq=" #seq " ttl=64 time=0.5 ms\n"

static const struct {
	const char *name, *text, *expected;
	size_t diags;
} cases[] = {
    {"fping -C, stdout and stderr",
	"h : [0], 64 bytes, 0.1 ms (0.1 avg, 0% loss)\nh : [1], timed out (0.1 avg, 50% loss)\n"
	"h : [2], 64 bytes, 0.3 ms (0.2 avg, 33% loss)\n\nh : 0.1 - 0.3\n",
	"h none 3/2 -1% +-1 2 0 loss", 0},
    {"fping -C, stderr first",
	"h : 0.1 - 0.3\nh : [0], 64 bytes, 0.1 ms (0.1 avg, 0% loss)\n"
	"h : [1], timed out (0.1 avg, 50% loss)\nh : [2], 64 bytes, 0.3 ms (0.2 avg, 33% loss)\n",
	"h none 3/2 -1% +-1 2 0 loss", 0},
    {"fping -C -q", "h : 0.1 - 0.3\n", "h none 3/2 -1% +-1 2 0 loss", 0},
    {"fping cannot send",
	"8.8.8.8: error while sending ping: Network is unreachable\n8.8.8.8 is unreachable\n",
	"8.8.8.8 8.8.8.8 -1/-1 -1% +-1 0 1 no-route", 0},
    {"fping -C cannot send",
	"8.8.8.8: error while sending ping: No route to host\n"
	"8.8.8.8: error while sending ping: No route to host\n\n8.8.8.8 : - -\n",
	"8.8.8.8 8.8.8.8 2/0 -1% +-1 0 2 no-route", 0},
    {"fping may not send",
	"db: error while sending ping: Operation not permitted\ndb is unreachable\n",
	"db none -1/-1 -1% +-1 0 1 refused", 0},
    {"fping and two targets", "h is alive\ng is alive\nk is unreachable\n",
	"h none -1/-1 -1% +-1 1 0 ok", 2},
    {"nothing", "", "- none -1/-1 -1% +-1 0 0 unknown", 0},
    {"header alone says nothing", HEADER, "db 10.0.0.5 -1/-1 -1% +-1 0 0 unknown", 0},
    {"cut off, all well", HEADER REPLY(1) REPLY(2) "64 by", "db 10.0.0.5 -1/-1 -1% +-1 2 0 ok", 1},
    {"cut off, begun late", HEADER REPLY(5) REPLY(6), "db 10.0.0.5 -1/-1 -1% +-1 2 0 ok", 0},
    {"cut off, a hole", HEADER REPLY(1) REPLY(3), "db 10.0.0.5 -1/-1 -1% +-1 2 0 loss", 0},
    {"cut off, out of order", HEADER REPLY(2) REPLY(1) REPLY(3), "db 10.0.0.5 -1/-1 -1% +-1 3 0 ok",
	0},
    {"a duplicate does not fill a hole",
	HEADER REPLY(1) "64 bytes from 10.0.0.5: icmp_seq=1 ttl=64 time=0.6 ms (DUP!)\n" REPLY(3),
	"db 10.0.0.5 -1/-1 -1% +-1 3 0 loss", 0},
    {"cut off, errors", HEADER "From gw (10.0.0.1) icmp_seq=1 Destination Host Unreachable\n",
	"db 10.0.0.5 -1/-1 -1% +-1 0 1 unreachable", 0},
    {"errors and replies", HEADER "From 10.0.0.1 icmp_seq=1 Time to live exceeded\n" REPLY(2),
	"db 10.0.0.5 -1/-1 -1% +-1 1 1 loss", 0},
    {"a redirect is no error",
	HEADER "From 10.0.0.1: icmp_seq=1 Redirect Host(New nexthop: 10.0.0.2)\n" REPLY(1),
	"db 10.0.0.5 -1/-1 -1% +-1 1 0 ok", 0},
    {"-O, silent", HEADER "no answer yet for icmp_seq=1\nno answer yet for icmp_seq=2\n",
	"db 10.0.0.5 -1/-1 -1% +-1 0 0 silent", 0},
    {"old iputils", HEADER "64 bytes from 10.0.0.5: icmp_req=1 ttl=64 time=0.5 ms\n",
	"db 10.0.0.5 -1/-1 -1% +-1 1 0 ok", 0},
    {"old unknown host", "ping: unknown host db\n", "db none -1/-1 -1% +-1 0 0 unknown-host", 0},
    {"Name or service", "ping: db.example: Name or service not known\n",
	"db.example none -1/-1 -1% +-1 0 0 unknown-host", 0},
    {"macOS's", "ping: cannot resolve db: Unknown host\n", "db none -1/-1 -1% +-1 0 0 unknown-host",
	0},
    {"old connect", "connect: Network is unreachable\n", "- none -1/-1 -1% +-1 0 1 no-route", 0},
    {"a firewall of the host itself",
	HEADER "ping: sendmsg: Operation not permitted\n\n--- db ping statistics ---\n"
	       "2 packets transmitted, 0 received, 100% packet loss, time 1001ms\n",
	"db 10.0.0.5 2/0 100% +0 0 1 refused", 0},
    {"a firewall that lets some through to a router that refuses",
	HEADER "ping: sendmsg: Operation not permitted\n"
	       "From 10.0.0.1 icmp_seq=2 Destination Host Unreachable\n\n--- db ping statistics "
	       "---\n2 packets transmitted, 0 received, +1 errors, 100% packet loss, time 1001ms\n",
	"db 10.0.0.5 2/0 100% +0 0 2 unreachable", 0},
    {"some lost",
	HEADER REPLY(1) "\n--- db ping statistics ---\n"
			"3 packets transmitted, 1 received, 66.6667% packet loss, time 2031ms\nrtt "
			"min/avg/max/mdev = 0.5/0.5/0.5/0.0 ms, pipe 2\n",
	"db 10.0.0.5 3/1 66.6667% +0 1 0 loss", 0},
    {"duplicates counted",
	HEADER "--- db ping statistics ---\n2 packets transmitted, 2 received, +3 duplicates, 0% "
	       "packet loss, time 9ms\n",
	"db 10.0.0.5 2/2 0% +3 0 0 ok", 0},
    {"macOS",
	"PING db (10.0.0.5): 56 data bytes\nRequest timeout for icmp_seq 0\n92 bytes from "
	"10.0.0.1: Destination Host Unreachable\n"
	"Vr HL TOS  Len   ID Flg  off TTL Pro  cks      Src      Dst\n"
	"64 bytes from 10.0.0.5: icmp_seq=1 ttl=64 time=0.5 ms\n\n--- db ping statistics ---\n"
	"3 packets transmitted, 1 packets received, 66.7% packet loss\nround-trip "
	"min/avg/max/stddev = 0.5/0.5/0.5/0.0 ms\n",
	"db 10.0.0.5 3/1 66.7% +0 1 1 loss", 0},
    {"no permission", "ping: socket: Operation not permitted\n",
	"- none -1/-1 -1% +-1 0 1 no-permission", 0},
    {"another program", "bash: ping: command not found\n", "- none -1/-1 -1% +-1 0 0 unknown", 1},
    {"statistics that a host's name says",
	HEADER
	"--- db ping statistics ---\n3 packets transmitted, 0 received, 100% packet loss, time "
	"9ms\nEvil: 999 packets transmitted, 999 received\nrtt is = 3\n"
	"rtt min/avg/max/mdev = 0.1/x/0.3/0.4 ms\n",
	"db 10.0.0.5 3/0 100% +0 0 0 silent", 3},
    {"cut off, sequence numbers begin anew", HEADER REPLY(65534) REPLY(65535) REPLY(0) REPLY(1),
	"db 10.0.0.5 -1/-1 -1% +-1 4 0 ok", 0},
    {"cut off, a hole where they do", HEADER REPLY(65534) REPLY(0),
	"db 10.0.0.5 -1/-1 -1% +-1 2 0 loss", 0},
    {"brackets that do not end", "PING db (10.0.0.5 56 ((((((((\n",
	"db 10.0.0.5 -1/-1 -1% +-1 0 0 unknown", 0},
    {"an address far behind the name", "PING db 56 bytes of data (10.9.9.9)\n",
	"db none -1/-1 -1% +-1 0 0 unknown", 0},
    {"a zone",
	"PING fe80::1%eth0(fe80::1%eth0) 56 data bytes\n64 bytes from fe80::1%eth0: icmp_seq=1 "
	"ttl=64 time<1 ms\n",
	"fe80::1%eth0 fe80::1 -1/-1 -1% +-1 1 0 ok", 0},
};

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct arena *arena = arena_new();
		struct diag_list diags = {.arena = arena};
		struct ping ping;
		print_message("  %s\n", cases[i].name);
		parse_ping(view_of(cases[i].text), view_of(""), arena, &ping, &diags);
		assert_string_equal(describe(arena, &ping), cases[i].expected);
		assert_int_equal(diags.n, cases[i].diags);
		arena_free(arena);
	}
}

/* Every field of a line, and its number. */
static void test_fields(void **state)
{
	static const char text[] =
	    "PING db (10.0.0.5) 56(84) bytes of data.\n"
	    "64 bytes from db (10.0.0.5): icmp_seq=7 ttl=102 time=0.992 ms (10.9.9.9)\n"
	    "From host-pre (192.168.0.1) icmp_seq=8 Destination Host Unreachable \n";
	struct arena *arena = arena_new();
	struct ping ping;
	char ip[IP_TEXT_SIZE];

	(void)state;
	assert_true(parse_ping(
	    view_of(text), view_of("ping: sendmsg: Network is unreachable"), arena, &ping, NULL));
	assert_int_equal(ping.source.line, 1);
	assert_int_equal(ping.replies[0].seq, 7);
	assert_int_equal(ping.replies[0].ttl, 102);
	assert_true(ping.replies[0].ms == 0.992);
	assert_int_equal(ping.replies[0].line, 2);
	assert_string_equal(ip_format(&ping.replies[0].from, ip), "10.0.0.5");
	assert_int_equal(ping.n_errors, 2);
	assert_int_equal(ping.errors[0].seq, 8);
	assert_int_equal(ping.errors[0].line, 3);
	assert_string_equal(ip_format(&ping.errors[0].from, ip), "192.168.0.1");
	assert_string_equal(ping.errors[0].kind, "Destination Host Unreachable");
	assert_int_equal(ping.errors[1].line, 0); /* stderr has no line in stdout */
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_files),
	    cmocka_unit_test(test_cases),
	    cmocka_unit_test(test_fields),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
