/*
 * Addresses and prefixes of IPv4 and IPv6, by value. Netmasks are read by libcidr, whose header is
 * included in prefix.c only; its string parser is not used, since it reads before the start of
 * short strings and accepts what follows a valid prefix.
 */
#ifndef ODDHOST_NET_PREFIX_H
#define ODDHOST_NET_PREFIX_H

#include <stdbool.h>
#include <stdint.h>

#include "oddhost/base/view.h"

enum ip_family { IP_NONE = 0, IP_V4 = 4, IP_V6 = 6 };

struct ip {
	uint8_t family; /* enum ip_family; IP_NONE is "no address" */
	uint8_t b[16];  /* network byte order; the first 4 for IPv4 */
};

struct prefix {
	struct ip ip; /* bits past `len` are zero */
	uint8_t len;
};

#define IP_TEXT_SIZE 48
#define PREFIX_TEXT_SIZE 52

/* "192.168.0.166" or "fe80::1", nothing else: inet_pton(3)'s forms, no zone. */
bool ip_parse(struct view text, struct ip *ret);
bool ip_parse_zoned(struct view text, struct ip *ret); /* leaves out a zone: "fe80::1%eth0" */
const char *ip_format(const struct ip *ip, char out[IP_TEXT_SIZE]); /* RFC 5952; returns out */
bool ip_equal(const struct ip *a, const struct ip *b);
int ip_cmp(const struct ip *a, const struct ip *b); /* IPv4 first, then by address */
bool ip_is_loopback(const struct ip *ip);           /* 127.0.0.0/8, ::1 */

/*
 * "10.0.0.0/8", or an address alone (/32, /128). Host bits are cleared: "10.1.2.3/8" is
 * 10.0.0.0/8. A length past the family's, signs, blanks or anything behind it fail.
 */
bool prefix_parse(struct view text, struct prefix *ret);

/* From an address and a netmask as `route -n` prints it; fails where the mask has holes. */
bool prefix_from_mask(const struct ip *ip, const struct ip *mask, struct prefix *ret);
struct prefix prefix_of_ip(
    const struct ip *ip, unsigned len); /* host bits cleared; len is capped */
const char *prefix_format(const struct prefix *p, char out[PREFIX_TEXT_SIZE]); /* returns out */

/* Prefixes of different families never contain or overlap each other. */
bool prefix_contains_ip(const struct prefix *p, const struct ip *ip);
bool prefix_contains(const struct prefix *outer, const struct prefix *inner); /* equal counts */
bool prefix_overlaps(const struct prefix *a, const struct prefix *b);
bool prefix_equal(const struct prefix *a, const struct prefix *b);
int prefix_cmp(const struct prefix *a, const struct prefix *b); /* by address, then shorter first */

/* Its block among 10/8, 172.16/12, 192.168/16 (RFC 1918) and fc00::/7 (RFC 4193); or NULL. */
const struct prefix *prefix_private_block(const struct ip *ip);

/* Does it hold groups only, and no host: within 224.0.0.0/4 (RFC 5771) or ff00::/8 (RFC 4291)? */
bool prefix_is_multicast(const struct prefix *p);

#endif
