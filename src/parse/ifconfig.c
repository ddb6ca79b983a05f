#include "oddhost/parse/ifconfig.h"

#include "oddhost/parse/line.h"

/* "eth0: flags=4163<UP,…>  mtu 1500", "eth0      Link encap:Ethernet": the interface's name. */
static bool take_name(struct view line, struct view *ret_name)
{
	struct view rest = line, name, word;

	if (line.n == 0 || line.p[0] == ' ' || line.p[0] == '\t' || !view_next_word(&rest, &name) ||
	    !view_next_word(&rest, &word))
		return false;
	if (view_starts(word, "flags=") && view_ends(name, ":"))
		name.n--;
	else if (!view_eq(word, "Link"))
		return false;
	*ret_name = name;
	return name.n > 0;
}

bool ifconfig_is(struct view text)
{
	struct line_reader lines = {.rest = text};
	struct view line, name;

	return line_next(&lines, &line) && take_name(line, &name);
}

/* "255.255.255.0" or BSD's "0xffffff00". */
static bool parse_mask(struct view word, struct ip *ret)
{
	static const char digits[] = "0123456789abcdef";
	struct ip mask = {.family = IP_V4};

	if (!view_take(&word, "0x"))
		return ip_parse(word, ret);
	if (word.n != 8)
		return false;
	for (size_t i = 0; i < 8; i++) {
		long digit = view_find_char(view_of(digits), word.p[i]);
		if (digit < 0)
			return false;
		mask.b[i / 2] = (uint8_t)(mask.b[i / 2] << 4 | (unsigned)digit);
	}
	*ret = mask;
	return true;
}

/* "inet 10.0.0.1  netmask 255.255.255.0", "inet addr:10.0.0.1  Bcast:…  Mask:255.255.255.0". */
static bool take_inet(struct view words, struct ip *ip, unsigned *ret_len)
{
	struct view word, value;
	struct prefix prefix;
	struct ip mask;

	if (!view_next_word(&words, &word))
		return false;
	view_take(&word, "addr:");
	if (!ip_parse_zoned(word, ip) || ip->family != IP_V4)
		return false;
	while (view_next_word(&words, &word)) {
		value = word;
		if (view_eq(word, "netmask") ? !view_next_word(&words, &value)
					     : !view_take(&value, "Mask:"))
			continue;
		if (!parse_mask(value, &mask) || !prefix_from_mask(ip, &mask, &prefix))
			return false;
		*ret_len = prefix.len;
		return true;
	}
	return false;
}

/* "inet6 fe80::1  prefixlen 64  scopeid …", "inet6 addr: fe80::1/64 Scope:Link". */
static bool take_inet6(struct view words, struct ip *ip, unsigned *ret_len)
{
	struct view word, address;
	uint64_t len;

	if (!view_next_word(&words, &word) ||
	    (view_eq(word, "addr:") && !view_next_word(&words, &word)) ||
	    !view_next_part(&word, '/', &address) || !ip_parse_zoned(address, ip) ||
	    ip->family != IP_V6)
		return false;
	while (word.n == 0 && view_next_word(&words, &address)) {
		if (view_eq(address, "prefixlen"))
			view_next_word(&words, &word);
	}
	if (!view_uint(word, 0, 128, &len))
		return false;
	*ret_len = (unsigned)len;
	return true;
}

bool ifconfig_parse(struct view text, struct address_list *list, struct diag_list *diags)
{
	struct line_reader lines = {.rest = text};
	struct view line, name, word;
	const char *dev = NULL;

	while (line_next(&lines, &line)) {
		struct view rest = line;
		struct ip ip;
		unsigned len;
		if (take_name(line, &name)) {
			dev = arena_dup_view(list->arena, name);
			continue;
		}
		view_next_word(&rest, &word);
		bool v4 = view_eq(word, "inet"), v6 = view_eq(word, "inet6");
		if (dev != NULL && !v4 && !v6 && (line.p[0] == ' ' || line.p[0] == '\t'))
			continue;
		if (dev == NULL || (!v4 && !v6) ||
		    !(v4 ? take_inet : take_inet6)(rest, &ip, &len)) {
			line_reject(diags, lines.number, line,
			    "an interface or address as ifconfig prints it");
			continue;
		}
		address_list_add(list, dev, ip, len, lines.number);
	}
	return dev != NULL;
}
