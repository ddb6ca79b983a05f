#include "oddhost/report/html_page.h"

#include <stdint.h>
#include <string.h>

/*
 * One panel per private block (RFC 1918) in which something lies, zoomed in to the smallest prefix
 * that holds all of it, blocks with a target first. In a panel one lane per host: what its
 * containers' networks take, filled, and the networks it is attached to, hollow. Targets are lines
 * through all lanes: where one crosses a filled box, that host keeps the target's packets.
 */
#define LANES 12
#define TARGETS 6
#define ITEMS 64 /* boxes in one lane */
#define NAME 30  /* bytes of a name in a label */

/* Pixels; a letter's width is an estimate that is only used to keep labels apart. */
enum { WIDTH = 960, LEFT = 150, RIGHT = 944, LANE = 42, ROW = 18, BOX = 14, LETTER = 7 };

struct target_mark {
	struct prefix at; /* /32 */
	const char *name;
};

struct box {
	struct prefix prefix;
	const char *name; /* of the network or interface */
	bool own;         /* the host's own network: hollow */
	bool covers;      /* a target's address */
	bool near;        /* overlaps a reserved prefix */
};

struct lane {
	size_t host;
	struct box *boxes;
	size_t n, cap;
	size_t most; /* boxes */
};

struct map {
	const struct outline *o;
	struct target_mark targets[TARGETS];
	size_t n_targets, more_targets;
	struct lane lanes[LANES];
	size_t n_lanes, more_lanes;
};

/* What a panel shows: addresses from `low` to `high`, both included. */
struct panel {
	uint32_t low, high;
	struct prefix block;
};

static uint32_t first_of(const struct prefix *p)
{
	return (uint32_t)p->ip.b[0] << 24 | (uint32_t)p->ip.b[1] << 16 | (uint32_t)p->ip.b[2] << 8 |
	       p->ip.b[3];
}

static uint32_t last_of(const struct prefix *p)
{
	return p->len == 0 ? UINT32_MAX
			   : first_of(p) | (uint32_t)(((uint64_t)1 << (32 - p->len)) - 1);
}

static void add_target(struct map *map, const struct ip *ip, const char *name)
{
	struct prefix at = prefix_of_ip(ip, 32);

	if (ip->family != IP_V4 || prefix_private_block(ip) == NULL)
		return;
	for (size_t i = 0; i < map->n_targets; i++) {
		if (prefix_equal(&map->targets[i].at, &at))
			return;
	}
	if (map->n_targets == TARGETS)
		map->more_targets++;
	else
		map->targets[map->n_targets++] = (struct target_mark){at, name};
}

static void collect_targets(struct map *map)
{
	const struct diagnosis *d = map->o->d;
	const struct run_meta *meta = &d->run->meta;
	struct ip ip;

	for (size_t i = 0; i < d->n_findings && i < 100; i++) {
		const struct finding *f = &d->findings[i];
		if (f->address != NULL && ip_parse(view_of(f->address), &ip))
			add_target(map, &ip, f->target == NULL ? "" : f->target);
	}
	for (size_t t = 0; t < meta->n_targets; t++) {
		for (size_t h = 0; h < d->n_hosts; h++) {
			const struct resolution *r =
			    host_resolution(d->hosts[h].host, meta->targets[t].text);
			for (size_t i = 0; r != NULL && i < r->n; i++)
				add_target(map, &r->addresses[i], meta->targets[t].text);
		}
	}
}

static void add_box(struct map *map, struct lane *lane, struct box box)
{
	const struct run_meta *meta = &map->o->d->run->meta;

	if (box.prefix.ip.family != IP_V4 || box.prefix.len < 8 || box.prefix.len >= 32 ||
	    prefix_private_block(&box.prefix.ip) == NULL || lane->n == lane->most)
		return;
	for (size_t i = 0; i < lane->n; i++) {
		if (prefix_equal(&lane->boxes[i].prefix, &box.prefix))
			return;
	}
	for (size_t i = 0; i < map->n_targets && !box.own; i++)
		box.covers = box.covers || prefix_contains(&box.prefix, &map->targets[i].at);
	for (size_t i = 0; i < meta->n_reserved && !box.own; i++)
		box.near = box.near || prefix_overlaps(&box.prefix, &meta->reserved[i].prefix);
	lane->boxes =
	    arena_grow(map->o->arena, lane->boxes, lane->n, &lane->cap, sizeof *lane->boxes);
	lane->boxes[lane->n++] = box;
}

static void fill_lane(struct map *map, struct lane *lane)
{
	const struct host *host = map->o->d->hosts[lane->host].host;

	for (size_t i = 0; i < host->routes.n && lane->n < lane->most; i++) {
		const struct route *r = &host->routes.v[i];
		if (!route_is_on_link(r) || r->dev == NULL || r->dead)
			continue;
		const struct docker_network *network = host_network_of_dev(host, r->dev);
		bool own = network == NULL && host_virtual_owner(host, r->dev) == NULL;
		add_box(map, lane,
		    (struct box){r->dst, network ? network->name : r->dev, own, false, false});
	}
	for (size_t i = 0; i < host->n_networks && lane->n < lane->most; i++) {
		const struct docker_network *network = &host->networks[i];
		for (size_t k = 0; k < network->n_subnets; k++)
			add_box(map, lane,
			    (struct box){network->subnets[k], network->name, false, false, false});
	}
	for (size_t i = 0; i < host->n_addresses && lane->n < lane->most; i++) {
		const struct address *a = &host->addresses[i];
		bool own = host_virtual_owner(host, a->dev) == NULL;
		add_box(map, lane,
		    (struct box){prefix_of_ip(&a->ip, a->len), a->dev, own, false, false});
	}
}

static void add_lane(struct map *map, size_t host)
{
	/* Where there is no room left, it only counts whether there would be anything to show. */
	struct lane lane = {.host = host, .most = map->n_lanes == LANES ? 1 : ITEMS};

	for (size_t i = 0; i < map->n_lanes; i++) {
		if (map->lanes[i].host == host)
			return;
	}
	fill_lane(map, &lane);
	if (lane.n == 0)
		return;
	if (map->n_lanes == LANES)
		map->more_lanes++;
	else
		map->lanes[map->n_lanes++] = lane;
}

/* Hosts that findings name come first, also where there is not room for all. */
static void collect_lanes(struct map *map)
{
	const struct diagnosis *d = map->o->d;

	for (size_t f = 0; f < d->n_findings && map->n_lanes < LANES; f++) {
		for (size_t i = 0; i < d->findings[f].n_hosts && map->n_lanes < LANES; i++) {
			size_t host = outline_host(map->o, d->findings[f].hosts[i]);
			if (host < d->n_hosts)
				add_lane(map, host);
		}
	}
	for (size_t h = 0; h < d->n_hosts; h++)
		add_lane(map, h);
}

static void widen(struct panel *panel, const struct prefix *p, bool *any)
{
	if (!prefix_overlaps(&panel->block, p))
		return;
	uint32_t low = first_of(p), high = last_of(p);
	panel->low = !*any || low < panel->low ? low : panel->low;
	panel->high = !*any || high > panel->high ? high : panel->high;
	*any = true;
}

/* False where nothing lies in the block. */
static bool zoom(const struct map *map, struct panel *panel, bool *ret_target)
{
	bool any = false;

	for (size_t i = 0; i < map->n_targets; i++)
		widen(panel, &map->targets[i].at, &any);
	*ret_target = any;
	for (size_t i = 0; i < map->n_lanes; i++) {
		for (size_t k = 0; k < map->lanes[i].n; k++)
			widen(panel, &map->lanes[i].boxes[k].prefix, &any);
	}
	if (!any)
		return false;

	unsigned len = 24;
	struct prefix least = prefix_of_ip(&panel->block.ip, 32);
	for (unsigned i = 0; i < 4; i++)
		least.ip.b[i] = (uint8_t)(panel->low >> (24 - 8 * i));
	for (;; len--) {
		struct prefix p = prefix_of_ip(&least.ip, len);
		if (last_of(&p) >= panel->high || len <= panel->block.len) {
			panel->low = first_of(&p);
			panel->high = last_of(&p);
			return true;
		}
	}
}

static double x_of(const struct panel *panel, uint64_t address)
{
	double part = (double)(address - panel->low) / ((double)panel->high - panel->low + 1);

	return LEFT + part * (RIGHT - LEFT);
}

static const char *ip_text(uint32_t address, char out[IP_TEXT_SIZE])
{
	struct ip ip = {IP_V4, {(uint8_t)(address >> 24), (uint8_t)(address >> 16),
				   (uint8_t)(address >> 8), (uint8_t)address}};

	return ip_format(&ip, out);
}

static const char *shorten(const struct outline *o, const char *name)
{
	size_t n = strlen(name);

	if (n <= NAME)
		return name;
	for (n = NAME - 3; n > 0 && ((unsigned char)name[n] & 0xc0) == 0x80; n--)
		;
	return arena_printf(o->arena, "%.*s…", (int)n, name);
}

static void add_axis(struct buf *out, const struct panel *panel, int top, int bottom)
{
	char text[IP_TEXT_SIZE];
	uint64_t size = (uint64_t)panel->high - panel->low + 1, step = size / 8;

	for (uint64_t a = panel->low; a < (uint64_t)panel->low + size; a += step) {
		double x = x_of(panel, a);
		html(out, "<line class=\"tick\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\"/>", x,
		    top, x, bottom + 4);
		html(out, "<text class=\"axis\" x=\"%.1f\" y=\"%d\">%s</text>\n", x, bottom + 17,
		    ip_text((uint32_t)a, text));
	}
}

static void add_box_shape(struct buf *out, const struct panel *panel, const struct box *box, int y)
{
	char text[PREFIX_TEXT_SIZE];
	double x = x_of(panel, first_of(&box->prefix)),
	       width = x_of(panel, (uint64_t)last_of(&box->prefix) + 1) - x;

	html(out, "<rect class=\"%s\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" rx=\"2\">",
	    box->own      ? "own"
	    : box->covers ? "box covers"
	    : box->near   ? "box near"
			  : "box",
	    x, y, width < 3 ? 3 : width, BOX);
	html(out, "<title>%s %s</title></rect>\n", prefix_format(&box->prefix, text), box->name);
}

/* Returns false where a label would run into one that is there. */
static bool add_label(struct buf *out, const struct outline *o, const struct panel *panel,
    const struct box *box, int y, double *left, double *right)
{
	char text[PREFIX_TEXT_SIZE];
	const char *label = arena_printf(o->arena, "%s %s", prefix_format(&box->prefix, text),
	    shorten(o, box->name == NULL ? "" : box->name));
	double x = x_of(panel, first_of(&box->prefix)), width = (double)strlen(label) * LETTER;

	if (x + width > RIGHT)
		x = RIGHT - width;
	if (x < *right && x + width > *left)
		return false;
	*left = *right == 0 || x < *left ? x - 8 : *left;
	*right = x + width + 8 > *right ? x + width + 8 : *right;
	html(out, "<text class=\"%s\" x=\"%.1f\" y=\"%d\">%s</text>\n",
	    box->covers ? "label covers" : "label", x, y, label);
	return true;
}

static void add_lane_shapes(struct buf *out, const struct map *map, const struct panel *panel,
    const struct lane *lane, int y)
{
	double left = 0, right = 0; /* of what labels take up */

	html(out, "<text class=\"host\" x=\"0\" y=\"%d\">%s</text>\n", y + 17,
	    shorten(map->o, outline_name(map->o, lane->host)));
	html(out, "<rect class=\"track\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>\n", LEFT,
	    y + 6, RIGHT - LEFT, BOX);
	for (size_t i = 0; i < lane->n; i++) {
		if (prefix_overlaps(&panel->block, &lane->boxes[i].prefix))
			add_box_shape(out, panel, &lane->boxes[i], y + 6);
	}
	for (int rank = 0; rank < 4; rank++) { /* the most telling labels get the room */
		for (size_t i = 0; i < lane->n; i++) {
			const struct box *b = &lane->boxes[i];
			int own = b->covers ? 0 : b->near ? 1 : b->own ? 3 : 2;
			if (own == rank && prefix_overlaps(&panel->block, &b->prefix))
				add_label(out, map->o, panel, b, y + 32, &left, &right);
		}
	}
}

static void add_target_line(
    struct buf *out, const struct panel *panel, const struct target_mark *t, int y, int bottom)
{
	char text[IP_TEXT_SIZE];
	double x = x_of(panel, first_of(&t->at));
	bool flip = x > (LEFT + RIGHT) / 2.0;

	html(out, "<line class=\"target\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\"/>", x, y, x,
	    bottom);
	html(out, "<path class=\"target\" d=\"M%.1f %dl5 5l-5 5l-5-5z\"/>", x, y - 10);
	html(out, "<text class=\"target\" x=\"%.1f\" y=\"%d\" text-anchor=\"%s\">%s %s</text>\n",
	    flip ? x - 10 : x + 10, y - 1, flip ? "end" : "start", ip_text(first_of(&t->at), text),
	    t->name);
}

static void add_reserved(
    struct buf *out, const struct map *map, const struct panel *panel, int y, int top, int bottom)
{
	const struct run_meta *meta = &map->o->d->run->meta;
	char text[PREFIX_TEXT_SIZE];
	unsigned row = 0;

	for (size_t i = 0; i < meta->n_reserved && row < TARGETS; i++) {
		const struct reserved *r = &meta->reserved[i];
		if (r->prefix.ip.family != IP_V4 || first_of(&r->prefix) > panel->high ||
		    last_of(&r->prefix) < panel->low)
			continue;
		uint32_t low = first_of(&r->prefix), high = last_of(&r->prefix);
		double x = x_of(panel, low < panel->low ? panel->low : low),
		       end = x_of(panel, (uint64_t)(high > panel->high ? panel->high : high) + 1);
		html(out,
		    "<rect class=\"reserved\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\"/>",
		    x, top, end - x < 2 ? 2 : end - x, bottom - top);
		html(out, "<text class=\"reserved\" x=\"%.1f\" y=\"%d\">reserved: %s %s</text>\n",
		    x + 4, y + (int)row * ROW, prefix_format(&r->prefix, text), r->name);
		row++;
	}
}

static unsigned rows_of(const struct map *map, const struct panel *panel, bool targets)
{
	const struct run_meta *meta = &map->o->d->run->meta;
	unsigned rows = 0;

	for (size_t i = 0; targets && i < map->n_targets; i++)
		rows += prefix_contains(&panel->block, &map->targets[i].at);
	for (size_t i = 0; !targets && i < meta->n_reserved && rows < TARGETS; i++)
		rows += meta->reserved[i].prefix.ip.family == IP_V4 &&
			first_of(&meta->reserved[i].prefix) <= panel->high &&
			last_of(&meta->reserved[i].prefix) >= panel->low;
	return rows;
}

/* What the picture says, in words, for those who do not see it. */
static void add_description(struct buf *out, const struct map *map, const struct panel *panel)
{
	char text[PREFIX_TEXT_SIZE];

	html(out, "<desc>");
	for (size_t i = 0; i < map->n_lanes; i++) {
		html(out, "%s:", outline_name(map->o, map->lanes[i].host));
		for (size_t k = 0; k < map->lanes[i].n; k++) {
			const struct box *b = &map->lanes[i].boxes[k];
			if (prefix_overlaps(&panel->block, &b->prefix))
				html(out, " %s %s%s;", prefix_format(&b->prefix, text), b->name,
				    b->own      ? ", own network"
				    : b->covers ? ", containers, covers a target"
				    : b->near   ? ", containers, overlaps a reserved prefix"
						: ", containers");
		}
		html(out, "\n");
	}
	html(out, "</desc>\n");
}

static void add_panel(
    struct buf *out, const struct map *map, const struct panel *panel, size_t number)
{
	char low[IP_TEXT_SIZE], high[IP_TEXT_SIZE];
	int reserved_y = 14, target_y = reserved_y + ROW * (int)rows_of(map, panel, false);
	int top = target_y + ROW * (int)rows_of(map, panel, true);
	int bottom = top + LANE * (int)map->n_lanes, row = 0;

	html(out,
	    "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Address map\">\n"
	    "<svg class=\"map\" role=\"img\" aria-labelledby=\"map%zu\" viewBox=\"0 0 %d %d\">\n",
	    number, WIDTH, bottom + 24);
	html(out, "<title id=\"map%zu\">Addresses %s to %s, host by host</title>\n", number,
	    ip_text(panel->low, low), ip_text(panel->high, high));
	add_description(out, map, panel);
	add_reserved(out, map, panel, reserved_y, top, bottom);
	add_axis(out, panel, top, bottom);
	for (size_t i = 0; i < map->n_lanes; i++)
		add_lane_shapes(out, map, panel, &map->lanes[i], top + LANE * (int)i);
	for (size_t i = 0; i < map->n_targets; i++) {
		if (prefix_contains(&panel->block, &map->targets[i].at))
			add_target_line(
			    out, panel, &map->targets[i], target_y + ROW * row++, bottom);
	}
	html(out, "</svg>\n</div>\n");
}

static void add_legend(struct buf *out, const struct map *map)
{
	html(out, "<ul class=\"legend\">\n<li class=\"box\">container subnet</li>\n"
		  "<li class=\"box covers\">covers a target</li>\n"
		  "<li class=\"box near\">overlaps a reserved prefix</li>\n"
		  "<li class=\"own\">the host’s own network</li>\n</ul>\n");
	if (map->more_lanes > 0)
		html(out, "<p class=\"cut\">%zu more hosts are not drawn.</p>\n", map->more_lanes);
	if (map->more_targets > 0)
		html(out, "<p class=\"cut\">%zu more addresses of targets are not drawn.</p>\n",
		    map->more_targets);
}

void html_add_map(struct buf *out, const struct outline *o)
{
	static const char *const blocks[] = {"192.168.0.0/16", "172.16.0.0/12", "10.0.0.0/8"};
	struct map map = {.o = o};
	size_t panels = 0;

	collect_targets(&map);
	collect_lanes(&map);
	for (int with_target = 1; with_target >= 0 && map.n_lanes > 0; with_target--) {
		for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
			struct panel panel;
			bool target;
			if (!prefix_parse(view_of(blocks[i]), &panel.block) ||
			    !zoom(&map, &panel, &target) || target != (with_target == 1))
				continue;
			if (panels++ == 0)
				html(out, "<section id=\"map\">\n<h2>Address map</h2>\n"
					  "<p class=\"note\">Where a target’s line crosses a "
					  "filled box, that "
					  "host keeps the packets for itself.</p>\n");
			add_panel(out, &map, &panel, panels);
		}
	}
	if (panels == 0)
		return;
	add_legend(out, &map);
	html(out, "</section>\n");
}
