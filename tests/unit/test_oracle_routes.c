/*
 * The kernel as the oracle: random route tables in a network namespace, and for random addresses
 * our lookup on `ip route show table all` and on `route -n` against `ip route get`. Skipped where
 * no namespace can be made. The seed is printed; ODDHOST_SEED sets it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "oddhost/base/buf.h"
#include "oddhost/parse/names.h"
#include "oddhost/parse/routes.h"

#define TABLES 3
#define ROUTES 60
#define ADDRESSES 80
#define DEVICES 4

static uint64_t seed;

static unsigned dice(unsigned sides) /* xorshift64 */
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed >> 33) % sides;
}

/* An address in 10/8, of which few bits are used, so that prefixes nest. */
static uint32_t address(void)
{
	return 10u << 24 | dice(6) << 16 | dice(4) << 14 | dice(4) << 6 | dice(4);
}

static void put_address(struct buf *out, uint32_t a)
{
	buf_printf(out, "%u.%u.%u.%u", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
}

static void put_route(struct buf *out, bool tables)
{
	static const char *const dead_ends[] = {"blackhole", "unreachable", "prohibit", "throw"};
	unsigned len = dice(10) == 0 ? 0 : 8 + dice(25), kind = dice(10), dev = dice(DEVICES);
	uint32_t mask = len == 0 ? 0 : ~0u << (32 - len);

	/* route(8) shows prohibit as unreachable, and no throw; those are for the other tables. */
	buf_printf(out, "ip route %s ", dice(4) == 0 ? "append" : "add");
	if (kind < 2)
		buf_printf(out, "%s ", dead_ends[dice(tables ? 4 : 2)]);
	if (len == 0) {
		buf_puts(out, "default");
	} else {
		put_address(out, address() & mask);
		buf_printf(out, "/%u", len);
	}
	if (kind >= 6)
		buf_printf(out, " via 10.20%u.0.2 dev b%u", dev, dev);
	else if (kind >= 2)
		buf_printf(out, " dev b%u", dev);
	if (dice(2) == 0)
		buf_printf(out, " metric %u", 10 * dice(4));
	if (tables && dice(2) == 0)
		buf_printf(out, " table %u", 100 + dice(2));
	buf_putc(out, '\n');
}

static void put_rules(struct buf *out)
{
	for (unsigned i = 0; i < 4; i++) {
		buf_printf(out, "ip rule add pref %u to ", 100 + i);
		put_address(out, address() & 0xffff0000);
		buf_printf(out, "/16 %s\n",
		    i == 3   ? "prohibit"
		    : i == 2 ? "lookup main suppress_prefixlength 12"
		    : i == 1 ? "table 101"
			     : "table 100");
	}
	buf_puts(
	    out, "ip rule add pref 200 from 10.9.9.9 table 101\nip rule add pref 201 table 100\n");
}

/* The script: routes, the listings, and an answer for each address, each behind a line "==". */
static void put_script(struct buf *out, bool tables)
{
	buf_puts(out, "ip link set lo up\n");
	for (unsigned i = 0; i < DEVICES; i++)
		buf_printf(out,
		    "ip link add b%u type bridge; ip link set b%u up; ip addr add 10.20%u.0.1/24 "
		    "dev b%u\n",
		    i, i, i, i);
	for (unsigned i = 0; i < ROUTES; i++)
		put_route(out, tables);
	if (tables)
		put_rules(out);
	buf_puts(out, "exec 2>&1\nip -4 route show table all\necho ==\nip rule\necho ==\n"
		      "if command -v route >/dev/null; then route -n; fi\nfor a in");
	for (unsigned i = 0; i < ADDRESSES; i++) {
		buf_putc(out, ' ');
		put_address(out,
		    i % 8 == 0 ? 10u << 24 | (200 + dice(DEVICES)) << 16 | dice(256) : address());
	}
	buf_puts(out, "; do echo \"== $a\"; ip route get $a; done\n");
}

static bool run(struct buf *script, struct buf *output)
{
	char path[] = "/tmp/oddhost-oracle-XXXXXX", command[96], chunk[4096];
	int fd = mkstemp(path);
	size_t n;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, script->p, script->n), script->n);
	close(fd);
	snprintf(command, sizeof command, "unshare -rn sh %s 2>/dev/null", path);
	FILE *pipe = popen(command, "r");
	assert_non_null(pipe);
	while ((n = fread(chunk, 1, sizeof chunk, pipe)) > 0)
		buf_add(output, chunk, n);
	int status = pclose(pipe);
	unlink(path);
	return status == 0 || output->n > 0;
}

/* The part up to the next line that begins with "==", whose remainder is *ret_title. */
static struct view next_part(struct view *cursor, struct view *ret_title)
{
	struct view part = *cursor, line;

	while (view_next_line(cursor, &line)) {
		if (view_take(&line, "==")) {
			*ret_title = view_trim(line);
			part.n = (size_t)(line.p - part.p);
			while (part.n > 0 && part.p[part.n - 1] != '\n')
				part.n--;
			return part;
		}
	}
	*ret_title = view_of("");
	return part;
}

static const char *answer_text(struct arena *arena, const struct egress *e)
{
	char text[IP_TEXT_SIZE];

	if (e->refused != NULL)
		return strcmp(e->refused, "Invalid argument") == 0    ? "blackhole"
		       : strcmp(e->refused, "No route to host") == 0  ? "unreachable"
		       : strcmp(e->refused, "Permission denied") == 0 ? "prohibit"
								      : "no-route";
	if (strcmp(e->dev, "lo") == 0)
		return "local";
	return arena_printf(arena, "%s via %s", e->dev, ip_format(&e->gateway, text));
}

static const char *lookup_text(struct arena *arena, const struct lookup *found)
{
	char text[IP_TEXT_SIZE];

	if (found->reason != LOOKUP_FOUND)
		return lookup_reason_name(found->reason);
	if (found->route->type == ROUTE_LOCAL)
		return "local";
	return arena_printf(
	    arena, "%s via %s", found->route->dev, ip_format(&found->route->gateway, text));
}

struct listing {
	struct route_table ip, net_tools;
	struct rule_list rules;
	bool has_route;
};

static void check_answer(
    struct arena *arena, const struct listing *l, struct view title, struct view answer)
{
	struct egress_list list = {.arena = arena};
	struct ip ip;

	assert_true(ip_parse(title, &ip));
	assert_true(parse_egress(answer, &list, NULL));
	assert_int_equal(list.n, 1);
	const char *kernel = answer_text(arena, &list.v[0]);
	struct lookup found = route_lookup(&l->ip, &l->rules, &ip);
	const char *ours = lookup_text(arena, &found);
	if (strcmp(kernel, ours) != 0)
		print_error("%.*s: the kernel says %s\n", VIEW_ARG(title), kernel);
	assert_string_equal(ours, kernel);

	/* route(8) shows table main only. */
	bool broadcast = found.route != NULL && found.route->type == ROUTE_BROADCAST;
	if (!l->has_route || strcmp(kernel, "local") == 0 || broadcast)
		return;
	found = route_lookup(&l->net_tools, NULL, &ip);
	assert_string_equal(lookup_text(arena, &found), kernel);
}

static void check_table(bool tables)
{
	struct arena *arena = arena_new();
	struct diag_list diags = {.arena = arena};
	struct listing l = {.ip.arena = arena, .net_tools.arena = arena, .rules.arena = arena};
	struct buf script = {0}, output = {0};
	size_t answers = 0;

	put_script(&script, tables);
	assert_true(run(&script, &output));
	struct view rest = buf_view(&output), title;
	assert_true(parse_routes(next_part(&rest, &title), IP_V4, &l.ip, &diags));
	assert_true(parse_rules(next_part(&rest, &title), &l.rules, &diags));
	struct view listed = next_part(&rest, &title);
	parse_routes(listed, IP_V4, &l.net_tools, &diags);
	l.has_route = !tables && view_find(listed, "Genmask") > 0;
	assert_int_equal(diags.n, 0);
	assert_true(l.ip.n > ROUTES / 3);
	while (title.n > 0) {
		struct view asked = title, answer = next_part(&rest, &title);
		check_answer(arena, &l, asked, answer);
		answers++;
	}
	assert_int_equal(answers, ADDRESSES);
	buf_free(&script);
	buf_free(&output);
	arena_free(arena);
}

static bool have_namespaces(void)
{
	if (system("unshare -rn ip link show lo >/dev/null 2>&1") == 0)
		return true;
	print_message("skipped: no network namespace can be made here, or there is no ip\n");
	return false;
}

/* What connect(2) says, in the words of our lookup. A datagram socket sends nothing for it. */
static int say_connect(const char *address)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(9)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0 || inet_pton(AF_INET, address, &in.sin_addr) != 1)
		return 2;
	bool ok = connect(fd, (struct sockaddr *)&in, sizeof in) == 0;
	puts(ok                      ? "connected"
	     : errno == EACCES       ? "prohibit"
	     : errno == EHOSTUNREACH ? "unreachable"
	     : errno == EINVAL       ? "blackhole"
				     : "no-route");
	close(fd);
	return 0;
}

/*
 * connect(2) looks up again with the source address that its first look gave, and only then do
 * rules `from PREFIX` match: which `ip route get ADDRESS` does not show.
 */
static void test_connect(void **state)
{
	static const char *const addresses[] = {"10.5.0.1", "10.5.1.1", "10.6.0.1", "10.7.0.1",
	    "10.8.0.1", "10.9.0.1", "10.201.0.9", "10.200.0.9"};
	struct arena *arena = arena_new();
	struct route_table table = {.arena = arena};
	struct rule_list rules = {.arena = arena};
	struct buf script = {0}, output = {0};
	char self[512];
	unsigned by_source = 0;

	(void)state;
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	if (n < 0 || !have_namespaces()) {
		arena_free(arena);
		skip();
	}
	self[n] = '\0';
	buf_puts(&script, "ip link set lo up\n"
			  "for i in 0 1; do ip link add b$i type bridge; ip link set b$i up; "
			  "ip addr add 10.20$i.0.1/24 dev b$i; done\n"
			  "ip route add default via 10.200.0.2\n"
			  "ip route add 10.5.0.0/16 via 10.201.0.2\n"
			  "ip route add 10.9.0.0/16 via 10.200.0.2 src 10.201.0.1\n"
			  "ip route add prohibit 10.5.1.0/24 table 100\n"
			  "ip route add unreachable 10.9.0.0/16 table 100\n"
			  "ip route add prohibit 10.201.0.9 table 100\n"
			  "ip route add unreachable 10.6.0.0/16 table 101\n"
			  "ip route add blackhole 10.7.0.0/16 table 101\n"
			  "ip rule add pref 100 from 10.201.0.1 table 100\n"
			  "ip rule add pref 101 from 10.200.0.0/24 table 101\n"
			  "ip -4 route show table all\necho ==\nip rule\n");
	for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++)
		buf_printf(
		    &script, "echo '== %s'; '%s' connect %s\n", addresses[i], self, addresses[i]);
	assert_true(run(&script, &output));
	struct view rest = buf_view(&output), title;
	assert_true(parse_routes(next_part(&rest, &title), IP_V4, &table, NULL));
	assert_true(parse_rules(next_part(&rest, &title), &rules, NULL));
	for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
		struct ip ip;
		struct view asked = title, answer = view_trim(next_part(&rest, &title));
		assert_true(view_eq(asked, addresses[i]));
		assert_true(ip_parse(asked, &ip));
		struct lookup found = route_lookup(&table, &rules, &ip);
		const char *reason = lookup_reason_name(found.reason);
		if (!view_eq(answer, reason == NULL ? "connected" : reason))
			fail_msg("%s: connect says %.*s", addresses[i], VIEW_ARG(answer));
		assert_false(found.uncertain);
		by_source += found.by_source;
	}
	assert_int_equal(by_source, 5);
	buf_free(&script);
	buf_free(&output);
	arena_free(arena);
}

static void test_oracle(void **state)
{
	const char *given = getenv("ODDHOST_SEED");
	bool tables = *state != NULL;
	uint64_t start = (uint64_t)time(NULL);

	if (given != NULL)
		assert_true(view_uint(view_of(given), 1, UINT64_MAX, &start));
	if (!have_namespaces())
		skip();
	print_message("  ODDHOST_SEED=%llu\n", (unsigned long long)start);
	seed = start * 0x9e3779b97f4a7c15u + tables + 1;
	for (unsigned i = 0; i < TABLES; i++)
		check_table(tables);
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "connect") == 0)
		return say_connect(argv[2]);

	static char with_tables[] = "tables";
	const struct CMUnitTest tests[] = {
	    {"one table", test_oracle, NULL, NULL, NULL},
	    {"tables and rules", test_oracle, NULL, NULL, with_tables},
	    {"connect", test_connect, NULL, NULL, NULL},
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
