#include "oddhost/report/shapes.h"

#include <stdio.h>
#include <string.h>

#include "oddhost/base/clock.h"
#include "oddhost/base/text.h"

static struct json *new_text(const char *text)
{
	struct view rest = view_of(text);
	struct buf clean = {0};
	uint32_t rune;

	if (text == NULL || text_is_utf8(rest))
		return json_new_string(text);
	for (struct view before = rest; text_next_rune(&rest, &rune); before = rest) {
		if (rune == 0xfffd)
			buf_puts(&clean, "\xef\xbf\xbd");
		else
			buf_add(&clean, before.p, (size_t)(rest.p - before.p));
	}
	struct json *node = json_new_string(buf_str(&clean));
	buf_free(&clean);
	return node;
}

static void set_text(struct json *object, const char *key, const char *text)
{
	json_set(object, key, new_text(text));
}

static void set_ip(struct json *object, const char *key, const struct ip *ip)
{
	char text[IP_TEXT_SIZE];

	json_set_string(object, key, ip->family == IP_NONE ? NULL : ip_format(ip, text));
}

static void set_prefix(struct json *object, const char *key, const struct prefix *prefix)
{
	char text[PREFIX_TEXT_SIZE];

	json_set_string(
	    object, key, prefix->ip.family == IP_NONE ? NULL : prefix_format(prefix, text));
}

/* A count or a time, of which -1 says that it is not known. */
static void set_number(struct json *object, const char *key, double number)
{
	json_set(object, key, number < 0 ? json_new_null() : json_new_number(number));
}

/* RFC 3339 in UTC, with the nanoseconds where there are any. */
static void set_time(struct json *object, const char *key, int64_t ns)
{
	char seconds[CLOCK_UTC_SIZE], text[CLOCK_UTC_SIZE + 12];

	clock_format_utc((time_t)(ns / 1000000000), seconds);
	if (ns % 1000000000 != 0)
		snprintf(text, sizeof text, "%.19s.%09lldZ", seconds, (long long)(ns % 1000000000));
	else
		snprintf(text, sizeof text, "%s", seconds);
	json_set_string(object, key, ns == 0 ? NULL : text);
}

static const char *family_name(const struct ip *ip)
{
	return ip->family == IP_V6 ? "inet6" : "inet";
}

struct json *shapes_route(const struct route *route)
{
	struct json *object = json_object();

	json_set_string(object, "family", family_name(&route->dst.ip));
	set_prefix(object, "dst", &route->dst);
	set_ip(object, "gateway", &route->gateway);
	set_text(object, "dev", route->dev);
	json_set(object, "metric",
	    route->metric_unknown ? json_new_null() : json_new_number(route->metric));
	json_set_string(object, "scope", route_scope_name(route->scope));
	json_set_string(object, "type", route_type_name(route->type));
	set_text(object, "table", route->table);
	set_ip(object, "src", &route->src);
	if (route->from.len > 0)
		set_prefix(object, "from", &route->from);
	if (route->conditional)
		json_set_bool(object, "conditional", true);
	if (route->unclear)
		json_set_bool(object, "unclear", true);
	return object;
}

struct json *shapes_routes(const struct route_table *table)
{
	struct json *root = json_object(), *list = json_set(root, "routes", json_array());

	for (size_t i = 0; i < table->n; i++)
		json_push(list, shapes_route(&table->v[i]));
	return root;
}

struct json *shapes_rules(const struct rule_list *rules)
{
	struct json *root = json_object(), *list = json_set(root, "rules", json_array());

	for (size_t i = 0; i < rules->n; i++) {
		const struct rule *rule = &rules->v[i];
		struct json *object = json_push(list, json_object());
		json_set_number(object, "pref", rule->pref);
		set_prefix(object, "from", &rule->from);
		set_prefix(object, "to", &rule->to);
		set_text(object, "table", rule->table);
		json_set_string(object, "type", route_type_name(rule->type));
		json_set_bool(object, "not", rule->inverted);
		json_set_bool(object, "conditional", rule->conditional);
		set_number(object, "suppress_prefixlength", rule->suppress_prefix);
	}
	return root;
}

static void set_replies(struct json *object, const struct ping *ping)
{
	struct json *replies = json_set(object, "replies", json_array());
	struct json *errors = json_set(object, "errors", json_array());

	for (size_t i = 0; i < ping->n_replies; i++) {
		const struct ping_reply *reply = &ping->replies[i];
		struct json *item = json_push(replies, json_object());
		set_ip(item, "from", &reply->from);
		set_number(item, "seq", (double)reply->seq);
		set_number(item, "ttl", reply->ttl);
		set_number(item, "ms", reply->ms);
	}
	for (size_t i = 0; i < ping->n_errors; i++) {
		const struct ping_error *error = &ping->errors[i];
		struct json *item = json_push(errors, json_object());
		set_ip(item, "from", &error->from);
		set_number(item, "seq", (double)error->seq);
		set_text(item, "kind", error->kind);
	}
}

struct json *shapes_ping(const struct ping *ping)
{
	struct json *object = json_object();

	set_text(object, "target", ping->target);
	set_ip(object, "address", &ping->address);
	set_number(object, "transmitted", (double)ping->transmitted);
	set_number(object, "received", (double)ping->received);
	set_number(object, "loss_percent", ping->loss_percent);
	set_number(object, "duplicates", (double)ping->duplicates);
	if (ping->rtt_min < 0) {
		json_set(object, "rtt_ms", json_new_null());
	} else {
		struct json *rtt = json_set(object, "rtt_ms", json_object());
		set_number(rtt, "min", ping->rtt_min);
		set_number(rtt, "avg", ping->rtt_avg);
		set_number(rtt, "max", ping->rtt_max);
		set_number(rtt, "mdev", ping->rtt_mdev);
	}
	set_replies(object, ping);
	json_set_string(object, "status", ping_status_name(ping->status));
	return object;
}

struct json *shapes_networks(const struct docker_network *v, size_t n)
{
	struct json *root = json_object(), *list = json_set(root, "networks", json_array());

	for (size_t i = 0; i < n; i++) {
		struct json *object = json_push(list, json_object());
		char text[PREFIX_TEXT_SIZE];
		set_text(object, "id", v[i].id);
		set_text(object, "name", v[i].name);
		set_text(object, "driver", v[i].driver);
		set_text(object, "scope", v[i].scope);
		set_text(object, "bridge", v[i].bridge);
		set_text(object, "project", v[i].project);
		set_time(object, "created", v[i].created_ns);
		if (!v[i].inspected) {
			json_set(object, "subnets", json_new_null());
			json_set(object, "containers", json_new_null());
			continue;
		}
		struct json *subnets = json_set(object, "subnets", json_array());
		for (size_t k = 0; k < v[i].n_subnets; k++)
			json_push(subnets, json_new_string(prefix_format(&v[i].subnets[k], text)));
		struct json *containers = json_set(object, "containers", json_array());
		for (size_t k = 0; k < v[i].n_containers; k++)
			json_push(containers, new_text(v[i].containers[k]));
	}
	return root;
}

static const char *state_name(enum container_state state)
{
	static const char *const names[] = {NULL, "created", "running", "paused", "restarting",
	    "exited", "dead", "removing", "stopping"};

	return names[state];
}

static const char *health_name(enum container_health health)
{
	static const char *const names[] = {NULL, "starting", "healthy", "unhealthy"};

	return names[health];
}

struct json *shapes_containers(const struct container *v, size_t n)
{
	struct json *root = json_object(), *list = json_set(root, "containers", json_array());

	for (size_t i = 0; i < n; i++) {
		struct json *object = json_push(list, json_object());
		set_text(object, "id", v[i].id);
		set_text(object, "name", v[i].name);
		set_text(object, "image", v[i].image);
		set_text(object, "status", v[i].status);
		json_set_string(object, "state", state_name(v[i].state));
		json_set_string(object, "health", health_name(v[i].health));
		set_text(object, "networks", v[i].networks);
		set_text(object, "project", v[i].project);
	}
	return root;
}

/* null where they are not known. */
static void set_pools(struct json *object, bool known, const struct docker_pool *v, size_t n)
{
	struct json *pools = json_set(object, "pools", known ? json_array() : json_new_null());

	for (size_t i = 0; known && i < n; i++) {
		struct json *pool = json_push(pools, json_object());
		set_prefix(pool, "base", &v[i].base);
		json_set_number(pool, "size", v[i].size);
	}
}

struct json *shapes_daemon(const struct docker_daemon *daemon)
{
	struct json *object = json_object();

	json_set(
	    object, "present", daemon->known ? json_new_bool(daemon->present) : json_new_null());
	json_set(object, "valid", daemon->present ? json_new_bool(daemon->valid) : json_new_null());
	set_text(object, "bip", daemon->bip);
	set_pools(object, daemon->valid, daemon->pools, daemon->n_pools);
	return object;
}

struct json *shapes_engine(const struct docker_engine *engine)
{
	struct json *object = json_object();

	json_set_string(object, "engine",
	    !engine->known   ? NULL
	    : engine->podman ? "podman"
			     : "docker");
	set_text(object, "version", engine->version);
	set_pools(object, engine->pools_known, engine->pools, engine->n_pools);
	json_set(object, "live_restore",
	    engine->live_restore < 0 ? json_new_null() : json_new_bool(engine->live_restore));
	set_time(object, "started", engine->started_ns);
	return object;
}

struct json *shapes_resolv(
    const struct nameserver *servers, size_t n, const char *const *search, size_t n_search)
{
	struct json *object = json_object();
	struct json *list = json_set(object, "nameservers", json_array());
	char text[IP_TEXT_SIZE];

	for (size_t i = 0; i < n; i++)
		json_push(list, json_new_string(ip_format(&servers[i].ip, text)));
	list = json_set(object, "search", json_array());
	for (size_t i = 0; i < n_search; i++)
		json_push(list, new_text(search[i]));
	return object;
}

struct json *shapes_neighbours(const struct neighbour *v, size_t n)
{
	struct json *root = json_object(), *list = json_set(root, "neighbours", json_array());

	for (size_t i = 0; i < n; i++) {
		struct json *object = json_push(list, json_object());
		json_set_string(object, "family", family_name(&v[i].ip));
		set_ip(object, "address", &v[i].ip);
		set_text(object, "dev", v[i].dev);
		set_text(object, "lladdr", v[i].lladdr);
		json_set_string(object, "state", neighbour_state_name(v[i].state));
	}
	return root;
}

struct json *shapes_sysctls(const struct sysctls *sysctls)
{
	struct json *object = json_object();

	set_number(object, "net.ipv4.ip_forward", sysctls->ip_forward);
	set_number(object, "net.ipv4.conf.all.rp_filter", sysctls->rp_filter_all);
	set_number(object, "net.ipv4.conf.default.rp_filter", sysctls->rp_filter_default);
	return object;
}

struct json *shapes_system(const char *kernel, const char *os, const char *uptime)
{
	struct json *object = json_object();

	set_text(object, "kernel", kernel);
	set_text(object, "os", os);
	set_text(object, "uptime", uptime);
	return object;
}

struct json *shapes_addresses(const struct address *v, size_t n)
{
	struct json *root = json_object(), *list = json_set(root, "addresses", json_array());

	for (size_t i = 0; i < n; i++) {
		struct json *object = json_push(list, json_object());
		json_set_string(object, "family", family_name(&v[i].ip));
		set_text(object, "dev", v[i].dev);
		set_ip(object, "address", &v[i].ip);
		json_set_number(object, "length", v[i].len);
	}
	return root;
}

struct json *shapes_resolution(const struct resolution *resolution)
{
	struct json *object = json_object();
	struct json *list = json_set(object, "addresses", json_array());
	char text[IP_TEXT_SIZE];

	for (size_t i = 0; i < resolution->n; i++)
		json_push(list, json_new_string(ip_format(&resolution->addresses[i], text)));
	json_set_bool(object, "failed", resolution->failed);
	return object;
}

struct json *shapes_egresses(const struct egress *v, size_t n)
{
	struct json *root = json_object(), *list = json_set(root, "egress", json_array());

	for (size_t i = 0; i < n; i++) {
		struct json *object = json_push(list, json_object());
		set_ip(object, "address", &v[i].address);
		set_ip(object, "gateway", &v[i].gateway);
		set_text(object, "dev", v[i].dev);
		set_ip(object, "src", &v[i].src);
		set_text(object, "type",
		    v[i].refused != NULL && v[i].type == ROUTE_UNICAST
			? NULL
			: route_type_name(v[i].type));
		set_text(object, "refused", v[i].refused);
	}
	return root;
}

static size_t count_lines(struct view text)
{
	struct view line;
	size_t n = 0;

	while (view_next_line(&text, &line))
		n++;
	return n;
}

struct json *shapes_transcript(const struct run *run)
{
	struct json *root = json_object(), *hosts = json_set(root, "hosts", json_array());

	for (size_t h = 0; h < run->n_hosts; h++) {
		const struct host_record *record = run->hosts[h];
		struct json *host = json_push(hosts, json_object());
		set_text(host, "host", record->name);
		struct json *probes = json_set(host, "probes", json_array());
		for (size_t i = 0; i < record->n_probes; i++) {
			const struct probe_result *probe = &record->probes[i];
			struct json *object = json_push(probes, json_object());
			set_text(object, "name", probe->name);
			set_text(object, "command", probe->command);
			json_set_string(object, "status", probe_status_name(probe->status));
			json_set_number(object, "lines", (double)count_lines(probe->out));
		}
	}
	return root;
}
