#include "oddhost/model/cloud.h"

#define RESERVED_MOST 256 /* prefixes of a group's networks; a crafted record may name more */

static bool is_reserved(const struct run_meta *meta, const struct prefix *prefix)
{
	for (size_t i = 0; i < meta->n_reserved; i++) {
		if (prefix_contains(&meta->reserved[i].prefix, prefix))
			return true;
	}
	return false;
}

static void reserve(struct run *run, const struct cloud *cloud, bool vpc, size_t *cap)
{
	struct run_meta *meta = &run->meta;

	for (size_t i = 0; i < cloud->n_prefixes; i++) {
		const struct cloud_prefix *p = &cloud->prefixes[i];
		const char *id = vpc                     ? cloud->vpc
				 : cloud->subnet != NULL ? cloud->subnet
							 : "subnet";
		if (p->vpc != vpc || p->prefix.len == 0 || meta->n_reserved >= RESERVED_MOST ||
		    is_reserved(meta, &p->prefix))
			continue;
		meta->reserved = arena_grow(
		    run->arena, meta->reserved, meta->n_reserved, cap, sizeof *meta->reserved);
		meta->reserved[meta->n_reserved++] = (struct reserved){p->prefix,
		    arena_printf(run->arena, "%s %s", cloud->provider, id != NULL ? id : "vpc")};
	}
}

void cloud_reserve(struct run *run, struct host *const *hosts)
{
	size_t cap = run->meta.n_reserved; /* the list is copied before it grows */

	for (int vpc = 1; vpc >= 0; vpc--) { /* a VPC holds its subnets */
		for (size_t h = 0; h < run->n_hosts; h++) {
			if (hosts[h]->cloud.provider != NULL)
				reserve(run, &hosts[h]->cloud, vpc == 1, &cap);
		}
	}
}

const char *cloud_text(struct arena *arena, const struct cloud *cloud)
{
	const char *const parts[] = {cloud->instance, cloud->type,
	    cloud->zone != NULL ? cloud->zone : cloud->region, cloud->vpc, cloud->subnet};
	const char *text = cloud->provider, *separator = " ";

	for (size_t i = 0; text != NULL && i < sizeof parts / sizeof *parts; i++) {
		if (parts[i] == NULL)
			continue;
		text = arena_printf(arena, "%s%s%s", text, separator, parts[i]);
		separator = ", ";
	}
	return text;
}
