#include "oddhost/net/prefix.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libcidr.h>

#include "oddhost/base/mem.h"

static unsigned bits(const struct ip *ip)
{
	return ip->family == IP_V4 ? 32 : 128;
}

bool ip_parse(struct view text, struct ip *ret)
{
	char copy[INET6_ADDRSTRLEN + 1];
	struct ip ip = {0};

	if (text.n == 0 || text.n >= sizeof copy || memchr(text.p, '\0', text.n) != NULL)
		return false;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	ip.family = strchr(copy, ':') != NULL ? IP_V6 : IP_V4;
	if (inet_pton(ip.family == IP_V4 ? AF_INET : AF_INET6, copy, ip.b) != 1)
		return false;
	*ret = ip;
	return true;
}

bool ip_parse_zoned(struct view text, struct ip *ret)
{
	long zone = view_find_char(text, '%');

	return ip_parse(zone < 0 ? text : view_left(text, (size_t)zone), ret);
}

const char *ip_format(const struct ip *ip, char out[IP_TEXT_SIZE])
{
	int family = ip->family == IP_V4 ? AF_INET : AF_INET6;

	if (ip->family == IP_NONE || inet_ntop(family, ip->b, out, IP_TEXT_SIZE) == NULL)
		snprintf(out, IP_TEXT_SIZE, "none");
	return out;
}

int ip_cmp(const struct ip *a, const struct ip *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->b, b->b, sizeof a->b);
}

bool ip_equal(const struct ip *a, const struct ip *b)
{
	return ip_cmp(a, b) == 0;
}

bool ip_is_loopback(const struct ip *ip)
{
	static const uint8_t one[16] = {[15] = 1};

	return (ip->family == IP_V4 && ip->b[0] == 127) ||
	       (ip->family == IP_V6 && memcmp(ip->b, one, sizeof one) == 0);
}

struct prefix prefix_of_ip(const struct ip *ip, unsigned len)
{
	struct prefix p = {.ip = *ip};

	p.len = (uint8_t)(len < bits(ip) ? len : bits(ip));
	unsigned whole = p.len / 8, rest = p.len % 8;
	if (rest > 0)
		p.ip.b[whole++] &= (uint8_t)(0xff00u >> rest);
	memset(p.ip.b + whole, 0, sizeof p.ip.b - whole);
	return p;
}

bool prefix_parse(struct view text, struct prefix *ret)
{
	struct ip ip;
	uint64_t len;
	long slash = view_find_char(text, '/');

	if (!ip_parse(slash < 0 ? text : view_left(text, (size_t)slash), &ip))
		return false;
	if (slash < 0) {
		len = bits(&ip);
	} else {
		struct view digits = view_skip(text, (size_t)slash + 1);
		if (digits.n > 3 || !view_uint(digits, 0, bits(&ip), &len))
			return false;
	}
	*ret = prefix_of_ip(&ip, (unsigned)len);
	return true;
}

/* libcidr's form of an address. Both families end at byte 16, in the address and in the mask. */
static CIDR to_cidr(const struct ip *ip)
{
	CIDR *host;

	if (ip->family == IP_V4) {
		struct in_addr in;
		memcpy(&in, ip->b, sizeof in);
		host = mem_check(cidr_from_inaddr(&in));
	} else {
		struct in6_addr in6;
		memcpy(&in6, ip->b, sizeof in6);
		host = mem_check(cidr_from_in6addr(&in6));
	}
	CIDR cidr = *host;
	cidr_free(host);
	return cidr;
}

bool prefix_from_mask(const struct ip *ip, const struct ip *mask, struct prefix *ret)
{
	if (ip->family != mask->family || ip->family == IP_NONE)
		return false;
	CIDR cidr = to_cidr(ip);
	memcpy(cidr.mask + 16 - bits(mask) / 8, mask->b, bits(mask) / 8);
	int len = cidr_get_pflen(&cidr); /* -1: it has holes */
	if (len < 0)
		return false;
	*ret = prefix_of_ip(ip, (unsigned)len);
	return true;
}

const char *prefix_format(const struct prefix *p, char out[PREFIX_TEXT_SIZE])
{
	char text[IP_TEXT_SIZE];

	snprintf(out, PREFIX_TEXT_SIZE, "%s/%u", ip_format(&p->ip, text), p->len);
	return out;
}

/*
 * Bytes are compared here rather than by libcidr, which allocates for each of the two and goes bit
 * by bit: a fleet's report asks this millions of times.
 */
static bool begins_with(const struct ip *ip, const struct prefix *p)
{
	unsigned whole = p->len / 8, rest = p->len % 8;

	if (ip->family != p->ip.family || ip->family == IP_NONE ||
	    memcmp(ip->b, p->ip.b, whole) != 0)
		return false;
	return rest == 0 || ((ip->b[whole] ^ p->ip.b[whole]) >> (8 - rest)) == 0;
}

bool prefix_contains(const struct prefix *outer, const struct prefix *inner)
{
	return outer->len <= inner->len && begins_with(&inner->ip, outer);
}

bool prefix_contains_ip(const struct prefix *p, const struct ip *ip)
{
	return begins_with(ip, p);
}

bool prefix_overlaps(const struct prefix *a, const struct prefix *b)
{
	return a->len <= b->len ? prefix_contains(a, b) : prefix_contains(b, a);
}

bool prefix_equal(const struct prefix *a, const struct prefix *b)
{
	return prefix_cmp(a, b) == 0;
}

int prefix_cmp(const struct prefix *a, const struct prefix *b)
{
	int order = ip_cmp(&a->ip, &b->ip);

	return order != 0 ? order : (a->len > b->len) - (a->len < b->len);
}

bool prefix_is_multicast(const struct prefix *p)
{
	static const struct prefix groups[] = {{{IP_V4, {224}}, 4}, {{IP_V6, {0xff}}, 8}};

	return prefix_contains(&groups[0], p) || prefix_contains(&groups[1], p);
}

const struct prefix *prefix_private_block(const struct ip *ip)
{
	static const struct prefix blocks[] = {
	    {{IP_V4, {10}}, 8},
	    {{IP_V4, {172, 16}}, 12},
	    {{IP_V4, {192, 168}}, 16},
	    {{IP_V6, {0xfc}}, 7},
	};

	for (unsigned i = 0; i < sizeof blocks / sizeof *blocks; i++) {
		if (prefix_contains_ip(&blocks[i], ip))
			return &blocks[i];
	}
	return NULL;
}
