/*
 * The kernel as the oracle: random route tables in a network namespace, of IPv4 and of IPv6, and
 * for random addresses our lookup on `ip route show table all`, on `ip -j route` and on route(8)
 * against the kernel's own answer (RTM_GETROUTE, what `ip route get` asks). Skipped where no
 * namespace can be made. The seed is printed; ODDHOST_SEED sets it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netdb.h>
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

#define TABLES 24
#define ROUTES 60
#define ADDRESSES 100
#define DEVICES 4

static uint64_t seed;

static unsigned dice(unsigned sides) /* xorshift64 */
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed >> 33) % sides;
}

/* What is varied from one round of tables to the next. */
struct variant {
	bool v6;
	bool tables;  /* several tables, and rules; else main alone, which route(8) shows */
	bool sources; /* routes `from PREFIX` */
};

/* An address in 10/8, of which few bits are used, so that prefixes nest. */
static uint32_t address(void)
{
	return 10u << 24 | dice(6) << 16 | dice(4) << 14 | dice(4) << 6 | dice(4);
}

/* IPv6 has the same bits behind 2001:db8::/32, so that 10.0.0.0/8 is that prefix. */
static void put_address(struct buf *out, const struct variant *v, uint32_t a)
{
	if (v->v6)
		buf_printf(out, "2001:db8:%x:%x::", a >> 8 & 0xffff, (a & 255) << 8);
	else
		buf_printf(out, "%u.%u.%u.%u", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
}

static void put_prefix(struct buf *out, const struct variant *v, uint32_t a, unsigned len)
{
	if (len == 0) {
		buf_puts(out, "default");
		return;
	}
	put_address(out, v, a & ~0u << (32 - len));
	buf_printf(out, "/%u", v->v6 ? len + 24 : len);
}

/* The other end of a device's link, or another host there. */
static void put_hop(struct buf *out, const struct variant *v, unsigned dev, unsigned host)
{
	buf_puts(out, " via ");
	put_address(out, v, 10u << 24 | (200 + dev) << 16 | host);
	buf_printf(out, " dev b%u", dev);
}

static void put_route(struct buf *out, const struct variant *v)
{
	static const char *const dead_ends[] = {"blackhole", "unreachable", "prohibit", "throw"};
	unsigned len = dice(10) == 0 ? 0 : 8 + dice(25), kind = dice(12), dev = dice(DEVICES);

	/* route(8) shows prohibit as unreachable, and no throw; IPv6's all as unreachable. */
	buf_printf(out, "route %s ", dice(4) == 0 ? "append" : "add");
	if (kind < 2)
		buf_printf(out, "%s ", dead_ends[v->tables ? dice(4) : v->v6 ? 1 : dice(2)]);
	put_prefix(out, v, address(), len);
	if (kind >= 6 && kind < 10)
		put_hop(out, v, dev, 2 + dice(2));
	else if (kind >= 2 && kind < 10)
		buf_printf(out, " dev b%u", dev);
	if (dice(2) == 0)
		buf_printf(out, " metric %u", 10 * (1 + dice(3)));
	if (v->tables && dice(2) == 0)
		buf_printf(out, " table %u", 100 + dice(2));
	if (v->tables && !v->v6 && dice(8) == 0)
		buf_puts(out, " tos 0x10");
	if (v->sources && dice(4) == 0) { /* one device's network, or all of them */
		buf_puts(out, " from ");
		put_prefix(out, v, 10u << 24 | (200 + dice(DEVICES)) << 16, dice(2) == 0 ? 24 : 22);
	}
	for (unsigned i = 0; kind >= 10 && i < 2 + dice(2); i++) {
		buf_puts(out, " nexthop");
		put_hop(out, v, (dev + i) % DEVICES, 2);
	}
	buf_putc(out, '\n');
}

static void put_rules(struct buf *out, const struct variant *v)
{
	static const char *const what[] = {
	    "table 100", "table 101", "lookup main suppress_prefixlength 12", "prohibit"};
	static const char *const asks[] = {"", "", "fwmark 0xca6c", "fwmark 0x1/0xff",
	    "fwmark 0x100/0xff", "iif lo", "iif b0", "iif gone", "oif b1", "tos 0x10"};

	for (unsigned i = 0; i < 12; i++) {
		const char *ask = asks[dice(sizeof asks / sizeof *asks)];
		buf_printf(out, "rule add pref %u %s", 100 + i, dice(3) == 0 ? "not " : "");
		if (dice(4) > 0) {
			buf_puts(out, "to ");
			put_prefix(out, v, address(), 10 + dice(8));
		}
		buf_printf(out, " %s %s\n", ask, what[dice(4)]);
	}
	if (v->v6)
		buf_puts(out, "rule add pref 200 from 2001:db8:909::9 table 101\n");
	else
		buf_puts(out, "rule add pref 200 from 10.9.9.9 table 101\n");
	buf_puts(out, "rule add pref 201 table 100\n");
}

/*
 * The devices, with an address each. For IPv6 bridges, which have no carrier: with one the kernel
 * adds multicast routes when it gets round to it, perhaps between two listings.
 */
static void put_links(struct buf *out, const struct variant *v)
{
	buf_puts(out, "link set lo up\n");
	for (unsigned i = 0; i < DEVICES; i++) {
		if (v->v6)
			buf_printf(out, "link add b%u type bridge\n", i);
		else
			buf_printf(out, "link add b%u type veth peer name p%u\nlink set p%u up\n",
			    i, i, i);
		buf_printf(out, "link set b%u addrgenmode none\nlink set b%u up\naddr add ", i, i);
		put_address(out, v, 10u << 24 | (200 + i) << 16 | 1);
		buf_printf(out, "%s dev b%u\n", v->v6 ? "/48 nodad" : "/24", i);
	}
}

/* The script: links and routes, the listings, and the answers, each behind a line "==". */
static void put_script(struct buf *out, const struct variant *v, const char *self)
{
	int family = v->v6 ? 6 : 4;

	buf_printf(out, "ip -%d -force -batch - <<'END'\n", family);
	put_links(out, v);
	/* IPv6 gets round to an address of its own a little later. */
	buf_printf(out,
	    "END\nn=0\n"
	    "while [ $n -lt 500 ] && [ $(ip -%d route show table local type local | wc -l) -le %d ]\n"
	    "do sleep 0.01; n=$((n + 1)); done\nip -%d -force -batch - <<'END'\n",
	    family, DEVICES, family);
	for (unsigned i = 0; i < ROUTES; i++)
		put_route(out, v);
	if (v->tables)
		put_rules(out, v);
	/* No carrier: linkdown. Down: gone, or a dead hop among others. */
	if (!v->v6 && dice(3) == 0)
		buf_puts(out, "link set p3 down\n");
	if (dice(3) == 0)
		buf_puts(out, "link set b2 down\n");
	buf_puts(out, "END\n");
	buf_printf(out,
	    "for j in '' -j; do ip $j -%d route show table all\necho ==\nip $j -%d rule\n"
	    "echo ==\ndone\n"
	    "if command -v route >/dev/null; then route -n -A inet%s; fi\n",
	    family, family, v->v6 ? "6" : "");
	buf_printf(out, "'%s' get <<'END'\n", self);
	for (unsigned i = 0; i < ADDRESSES; i++) {
		put_address(out, v,
		    i % 8 == 0 ? 10u << 24 | (200 + dice(DEVICES)) << 16 | dice(256) : address());
		buf_putc(out, '\n');
	}
	buf_puts(out, "END\n");
}

/* The kernel's answer as errno; 0: it delivers. */
static int refusal_of(const struct nlmsghdr *reply)
{
	const struct nlmsgerr *error = NLMSG_DATA(reply);
	const struct rtmsg *route = NLMSG_DATA(reply);

	if (reply->nlmsg_type == NLMSG_ERROR)
		return -error->error;
	return route->rtm_type == RTN_BLACKHOLE     ? EINVAL
	       : route->rtm_type == RTN_PROHIBIT    ? EACCES
	       : route->rtm_type == RTN_UNREACHABLE ? EHOSTUNREACH
						    : 0;
}

/* In the words of our lookup. */
static const char *word_for(int number)
{
	return number == EINVAL         ? "blackhole"
	       : number == EHOSTUNREACH ? "unreachable"
	       : number == EACCES       ? "prohibit"
					: "no-route";
}

static void say_answer(const struct nlmsghdr *reply)
{
	const struct rtmsg *route = NLMSG_DATA(reply);
	int n = (int)RTM_PAYLOAD(reply), number = refusal_of(reply);
	char dev[IF_NAMESIZE] = "?", hop[IP_TEXT_SIZE] = "none";

	if (number != 0 || route->rtm_type == RTN_LOCAL) {
		puts(number != 0 ? word_for(number) : "local");
		return;
	}
	for (const struct rtattr *a = RTM_RTA(route); RTA_OK(a, n); a = RTA_NEXT(a, n)) {
		unsigned index;
		if (a->rta_type == RTA_GATEWAY)
			inet_ntop(route->rtm_family, RTA_DATA(a), hop, sizeof hop);
		if (a->rta_type != RTA_OIF)
			continue;
		memcpy(&index, RTA_DATA(a), sizeof index);
		if_indextoname(index, dev);
	}
	printf("%s via %s\n", dev, hop);
}

/* RTM_GETROUTE, from `src` where there is one. The kernel sends the answer within the call. */
static bool ask_route(int fd, const struct ip *dst, const struct ip *src, void *reply, size_t most)
{
	struct {
		struct nlmsghdr head;
		struct rtmsg route;
		unsigned char attributes[2 * RTA_SPACE(16)];
	} ask = {.head = {.nlmsg_type = RTM_GETROUTE, .nlmsg_flags = NLM_F_REQUEST}};
	const struct ip *const given[] = {dst, src};
	unsigned char *at = ask.attributes;
	size_t size = dst->family == IP_V6 ? 16 : 4;

	ask.route.rtm_family = dst->family == IP_V6 ? AF_INET6 : AF_INET;
	ask.route.rtm_dst_len = (unsigned char)(8 * size);
	ask.route.rtm_src_len = src != NULL ? ask.route.rtm_dst_len : 0;
	for (size_t i = 0; i < 2 && given[i] != NULL; i++, at += RTA_SPACE(size)) {
		struct rtattr attribute = {
		    (unsigned short)RTA_LENGTH(size), i == 0 ? RTA_DST : RTA_SRC};
		memcpy(at, &attribute, sizeof attribute);
		memcpy(at + RTA_LENGTH(0), given[i]->b, size);
	}
	ask.head.nlmsg_len = (unsigned)(at - (unsigned char *)&ask);
	return send(fd, &ask, ask.head.nlmsg_len, 0) >= 0 &&
	       recv(fd, reply, most, 0) >= (ssize_t)sizeof(struct nlmsghdr);
}

/* The address that a datagram to `dst` would leave from, none of which is sent; false: no way. */
static bool source_to(const struct ip *dst, struct ip *ret)
{
	struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = htons(9)}, from;
	socklen_t size = sizeof from;
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);

	memcpy(&to.sin6_addr, dst->b, 16);
	bool ok = fd >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof to) == 0 &&
		  getsockname(fd, (struct sockaddr *)&from, &size) == 0;
	if (ok) {
		ret->family = IP_V6;
		memcpy(ret->b, &from.sin6_addr, 16);
	}
	close(fd);
	return ok;
}

/*
 * For each address on stdin a line "== ADDRESS" and one with the answer. Where there is no way
 * without a source and IPv6's connect(2) goes all the same, it is the answer for its source.
 */
static int say_routes(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	char text[64];

	while (fd >= 0 && fgets(text, sizeof text, stdin) != NULL) {
		_Alignas(struct nlmsghdr) char reply[4096];
		struct ip dst, src;
		text[strcspn(text, "\n")] = '\0';
		if (!ip_parse(view_of(text), &dst) ||
		    !ask_route(fd, &dst, NULL, reply, sizeof reply))
			return 2;
		printf("== %s\n", text);
		if (dst.family == IP_V6 && refusal_of((const struct nlmsghdr *)reply) != 0 &&
		    source_to(&dst, &src) && !ask_route(fd, &dst, &src, reply, sizeof reply))
			return 2;
		say_answer((const struct nlmsghdr *)reply);
	}
	return fd < 0;
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

static const char *hop_text(struct arena *arena, const struct route *route)
{
	char text[IP_TEXT_SIZE];

	return arena_printf(arena, "%s via %s", route->dev, ip_format(&route->gateway, text));
}

/* Is this what the kernel says? Of a multipath route, any hop that is not dead will do. */
static bool agrees(struct arena *arena, const struct route_table *table,
    const struct rule_list *rules, const struct ip *ip, struct view kernel)
{
	struct lookup found = route_lookup(table, rules, ip);

	if (found.reason != LOOKUP_FOUND)
		return view_eq(kernel, lookup_reason_name(found.reason));
	if (found.route->type == ROUTE_LOCAL)
		return view_eq(kernel, "local");
	for (size_t i = route_hops(table, found.route); i-- > 0;) {
		if (!found.route[i].dead && view_eq(kernel, hop_text(arena, &found.route[i])))
			return true;
	}
	return false;
}

struct listing {
	struct route_table ip, json, net_tools;
	struct rule_list ip_rules, json_rules;
	bool has_route;
	bool tables;  /* several, and rules: a rule `from PREFIX` may leave a doubt */
	bool sources; /* so may routes */
};

static void must_agree(struct arena *arena, const char *what, const struct route_table *table,
    const struct rule_list *rules, const struct ip *ip, struct view kernel)
{
	char text[IP_TEXT_SIZE];

	if (agrees(arena, table, rules, ip, kernel))
		return;
	struct lookup found = route_lookup(table, rules, ip);
	fail_msg("%s: %s: the kernel says '%.*s', we say %s", what, ip_format(ip, text),
	    VIEW_ARG(kernel),
	    found.route == NULL ? lookup_reason_name(found.reason)
				: route_format(arena, found.route));
}

static void check_answer(
    struct arena *arena, const struct listing *l, struct view title, struct view kernel)
{
	struct ip ip;

	assert_true(ip_parse(title, &ip));
	struct lookup found = route_lookup(&l->ip, &l->ip_rules, &ip);
	if (l->sources && found.uncertain && found.by_source)
		return; /* which of its addresses the host takes is not worked out */
	must_agree(arena, "ip route", &l->ip, &l->ip_rules, &ip, kernel);
	must_agree(arena, "ip -j route", &l->json, &l->json_rules, &ip, kernel);

	/* route(8) shows no table local and no broadcasts, and of a multipath route one hop. */
	assert_true(l->tables || !found.uncertain);
	if (!l->has_route || view_eq(kernel, "local") ||
	    (found.route != NULL && (found.route->type == ROUTE_BROADCAST || found.route->hop > 0 ||
					route_hops(&l->ip, found.route) > 1)))
		return;
	must_agree(arena, "route", &l->net_tools, NULL, &ip, kernel);
}

static void check_table(const struct variant *v, const char *self)
{
	enum ip_family family = v->v6 ? IP_V6 : IP_V4;
	struct arena *arena = arena_new();
	struct diag_list diags = {.arena = arena};
	struct listing l = {.ip.arena = arena,
	    .json.arena = arena,
	    .net_tools.arena = arena,
	    .ip_rules.arena = arena,
	    .tables = v->tables,
	    .sources = v->sources,
	    .json_rules.arena = arena};
	struct buf script = {0}, output = {0};
	size_t answers = 0;

	put_script(&script, v, self);
	assert_true(run(&script, &output));
	struct view rest = buf_view(&output), title;
	assert_true(parse_routes(next_part(&rest, &title), family, &l.ip, &diags));
	assert_true(parse_rules(next_part(&rest, &title), &l.ip_rules, &diags));
	assert_true(parse_routes(next_part(&rest, &title), family, &l.json, &diags));
	assert_true(parse_rules(next_part(&rest, &title), &l.json_rules, &diags));
	struct view listed = next_part(&rest, &title);
	parse_routes(listed, family, &l.net_tools, NULL); /* what it hides has a diagnostic */
	l.has_route = !v->tables && view_find(listed, "Destination") > 0;
	for (size_t i = 0; i < diag_kept(&diags); i++)
		print_error("line %u: %s\n", diags.items[i].line, diags.items[i].text);
	assert_int_equal(diags.n, 0);
	assert_true(l.ip.n > ROUTES / 3);
	assert_int_equal(l.json.n, l.ip.n);
	while (title.n > 0) {
		struct view asked = title, answer = next_part(&rest, &title);
		check_answer(arena, &l, asked, view_trim(answer));
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
	struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_DGRAM}, *to;

	if (getaddrinfo(address, "9", &hints, &to) != 0)
		return 2;
	int fd = socket(to->ai_family, SOCK_DGRAM, 0);
	if (fd < 0)
		return 2;
	bool ok = connect(fd, to->ai_addr, to->ai_addrlen) == 0;
	puts(ok ? "connected" : word_for(errno));
	close(fd);
	freeaddrinfo(to);
	return 0;
}

/* The path of this program, which runs itself inside the namespace. */
static bool find_self(char self[512])
{
	ssize_t n = readlink("/proc/self/exe", self, 511);

	if (n < 0)
		return false;
	self[n] = '\0';
	return true;
}

/* What is set up in a namespace, and where connect(2) then tries to go. */
struct connect_case {
	enum ip_family family;
	const char *script;
	const char *addresses[10];
	size_t by_source; /* how many the source address decides, or might */
	size_t uncertain; /* how many the listing leaves open */
};

/*
 * connect(2) looks up again with the source address that its first look gave, and only then do
 * rules `from PREFIX` match: which `ip route get ADDRESS` does not show.
 */
static struct connect_case connect4 = {IP_V4,
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
    "ip route add prohibit 10.4.0.0/16 table 102\n"
    "ip rule add pref 99 from 0.0.0.0 to 10.4.0.0/15 table 102\n"
    "ip rule add pref 100 from 10.201.0.1 table 100\n"
    "ip rule add pref 101 from 10.200.0.0/24 table 101\n",
    {"10.4.0.1", "10.5.0.1", "10.5.1.1", "10.6.0.1", "10.7.0.1", "10.8.0.1", "10.9.0.1",
	"10.201.0.9", "10.200.0.9"},
    5, 0};

/* IPv6 keeps what the first look found, and looks again only where there was no way. */
static struct connect_case connect6 = {IP_V6,
    "for i in 0 1; do ip link add b$i type bridge; ip link set b$i up; "
    "ip addr add 2001:db8:20$i::1/64 dev b$i nodad; done; sleep 0.3\n"
    "ip -6 route add 2001:db8:5::/48 via 2001:db8:201::2\n"
    "ip -6 route add prohibit 2001:db8:5:1::/64 table 100\n"
    "ip -6 route add unreachable 2001:db8:6::/48\n"
    "ip -6 route add 2001:db8:6:1::/64 via 2001:db8:201::2 table 100\n"
    "ip -6 route add 2001:db8:7:1::/64 via 2001:db8:201::2 table 100\n"
    "ip -6 route add prohibit 2001:db8:5::/48 table 102\n"
    "ip -6 rule add pref 99 from ::/64 table 102\n"
    "ip -6 rule add pref 100 from 2001:db8:200::/48 table 100\n"
    "ip -6 rule add pref 101 from 2001:db8:201::/48 table 100\n",
    {"2001:db8:5::1", "2001:db8:5:1::1", "2001:db8:6::1", "2001:db8:6:1::1", "2001:db8:7::1",
	"2001:db8:7:1::1", "2001:db8:200::9", "2001:db8:201::1"},
    2, 0};

/*
 * Routes `from PREFIX`: the first look has no source and does not see them. A route for all sources
 * to the same network as one of them is not come to, except the default.
 */
static struct connect_case sources6 = {IP_V6,
    "for i in 0 1; do ip link add b$i type bridge; ip link set b$i up; "
    "ip addr add 2001:db8:20$i::1/64 dev b$i nodad; done; sleep 0.3\n"
    "ip -6 route add 2000::/3 from 2001:db8:200::/46 via 2001:db8:200::2\n"
    "ip -6 route add unreachable 2001:db8:5::/48\n"
    "ip -6 route add 2001:db8:5:1::/64 from 2001:db8:200::/47 via 2001:db8:200::2\n"
    "ip -6 route add 2001:db8:5:2::/64 from 2001:db8:201::/48 via 2001:db8:201::2\n"
    "ip -6 route add 2001:db8:5:3::/64 from 2001:db8:900::/48 via 2001:db8:201::2\n"
    "ip -6 route add prohibit 2001:db8:5:3::/64\n"
    "ip -6 route add blackhole 2001:db8:5:3:1::/80\n",
    {"3000::1", "4000::1", "2001:db8:5::1", "2001:db8:5:1::1", "2001:db8:5:2::1", "2001:db8:5:3::1",
	"2001:db8:5:3:1::1", "2001:db8:200::9"},
    3, 1};

static void check_connects(struct connect_case *c, struct arena *arena, struct view output)
{
	struct route_table table = {.arena = arena};
	struct rule_list rules = {.arena = arena};
	struct view rest = output, title;
	size_t by_source = 0, uncertain = 0;

	assert_true(parse_routes(next_part(&rest, &title), c->family, &table, NULL));
	assert_true(parse_rules(next_part(&rest, &title), &rules, NULL));
	for (size_t i = 0; c->addresses[i] != NULL; i++) {
		struct ip ip;
		struct view asked = title, answer = view_trim(next_part(&rest, &title));
		assert_true(view_eq(asked, c->addresses[i]));
		assert_true(ip_parse(asked, &ip));
		struct lookup found = route_lookup(&table, &rules, &ip);
		const char *reason = lookup_reason_name(found.reason);
		if (!found.uncertain && !view_eq(answer, reason == NULL ? "connected" : reason))
			fail_msg("%s: connect says %.*s", c->addresses[i], VIEW_ARG(answer));
		uncertain += found.uncertain;
		by_source += found.by_source;
	}
	assert_int_equal(by_source, c->by_source);
	assert_int_equal(uncertain, c->uncertain);
}

static void test_connect(void **state)
{
	struct connect_case *c = *state;
	struct buf script = {0}, output = {0};
	char self[512];

	if (!find_self(self) || !have_namespaces())
		skip();
	buf_printf(&script,
	    "ip link set lo up\n%sip -%d route show table all\necho ==\nip -%d rule\n", c->script,
	    c->family, c->family);
	for (size_t i = 0; c->addresses[i] != NULL; i++)
		buf_printf(&script, "echo '== %s'; '%s' connect %s\n", c->addresses[i], self,
		    c->addresses[i]);
	assert_true(run(&script, &output));
	struct arena *arena = arena_new();
	check_connects(c, arena, buf_view(&output));
	arena_free(arena);
	buf_free(&script);
	buf_free(&output);
}

static void test_oracle(void **state)
{
	const struct variant *variant = *state;
	const char *given = getenv("ODDHOST_SEED");
	uint64_t start = (uint64_t)time(NULL);
	char self[512];

	if (given != NULL)
		assert_true(view_uint(view_of(given), 1, UINT64_MAX, &start));
	if (!find_self(self) || !have_namespaces())
		skip();
	print_message("  ODDHOST_SEED=%llu\n", (unsigned long long)start);
	seed = start * 0x9e3779b97f4a7c15u + 4 * variant->sources + 2 * variant->v6 +
	       variant->tables + 1;
	for (unsigned i = 0; i < TABLES; i++)
		check_table(variant, self);
}

int main(int argc, char **argv)
{
	static struct variant variants[] = {{false, false, false}, {false, true, false},
	    {true, false, false}, {true, true, false}, {true, true, true}};

	if (argc == 3 && strcmp(argv[1], "connect") == 0)
		return say_connect(argv[2]);
	if (argc == 2 && strcmp(argv[1], "get") == 0)
		return say_routes();

	const struct CMUnitTest tests[] = {
	    {"IPv4, one table", test_oracle, NULL, NULL, &variants[0]},
	    {"IPv4, tables and rules", test_oracle, NULL, NULL, &variants[1]},
	    {"IPv6, one table", test_oracle, NULL, NULL, &variants[2]},
	    {"IPv6, tables and rules", test_oracle, NULL, NULL, &variants[3]},
	    {"IPv6, tables, rules and sources", test_oracle, NULL, NULL, &variants[4]},
	    {"IPv4, connect", test_connect, NULL, NULL, &connect4},
	    {"IPv6, connect", test_connect, NULL, NULL, &connect6},
	    {"IPv6, connect, sources", test_connect, NULL, NULL, &sources6},
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
