#include "oddhost/parse/routes.h"

#include <string.h>

#include "oddhost/base/json.h"
#include "oddhost/parse/line.h"

/*
 * The words of `ip rule`, from print_rule() of iproute2's ip/iprule.c. Selectors that a plain
 * connection has or lacks are decided: a mark, an interface, a TOS. What asks for a user, a
 * protocol or a port, what jumps (`goto`), and a word that is not known leave the rule open.
 */
static void leave_open(struct rule *rule)
{
	rule->conditional = rule->open = true;
}

/* "0x1f", or decimal. */
static bool parse_number(struct view text, uint64_t *ret)
{
	static const char digits[] = "0123456789abcdef";
	uint64_t number = 0;

	if (!view_take(&text, "0x"))
		return view_uint(text, 0, UINT32_MAX, ret);
	for (size_t i = 0; i < text.n; i++) {
		const char *digit = text.p[i] == '\0' ? NULL : strchr(digits, text.p[i]);
		if (digit == NULL)
			return false;
		number = number << 4 | (uint64_t)(digit - digits);
	}
	*ret = number;
	return text.n >= 1 && text.n <= 8;
}

/* A mark, and the mask that `ip` leaves out where it is all ones. */
static void ask_mark(struct rule *rule, struct view mark, struct view mask)
{
	uint64_t value, bits = UINT32_MAX;

	rule->conditional = true;
	if (!parse_number(mark, &value) || (mask.n > 0 && !parse_number(mask, &bits)))
		rule->open = true;
	else if ((value & bits) != 0)
		rule->unmet = true;
}

/* A selector that a plain connection is known to have or to lack. */
static bool ask(struct rule *rule, struct view selector, struct view value)
{
	bool iif = view_eq(selector, "iif");

	if (!iif && !view_eq(selector, "oif") && !view_eq(selector, "tos"))
		return false;
	rule->conditional = true;
	rule->unmet = rule->unmet || !iif || !view_eq(value, "lo");
	return true;
}

static bool take_prefix(struct view *line, struct prefix *ret)
{
	struct view word;

	if (!view_next_word(line, &word))
		return false;
	return view_eq(word, "all") || prefix_parse(word, ret);
}

/* `not`, and what a rule asks for beside addresses; false where its value cannot be read. */
static bool take_selector(struct view word, struct view *line, struct rule *rule)
{
	struct view value, mark;

	if (view_eq(word, "not")) {
		rule->conditional = rule->inverted = true;
	} else if (view_eq(word, "iif") || view_eq(word, "oif") || view_eq(word, "tos")) {
		return view_next_word(line, &value) && ask(rule, word, value);
	} else if (view_eq(word, "fwmark")) {
		if (!view_next_word(line, &value) || !view_next_part(&value, '/', &mark))
			return false;
		ask_mark(rule, mark, value);
	} else if (!view_eq(word, "[detached]")) { /* of an interface that is not there */
		leave_open(rule);                  /* also a value of such a word */
	}
	return true;
}

/* The word's effect on the rule; false where it cannot be read. */
static bool take_word(struct view word, struct view *line, struct rule *rule, struct arena *arena)
{
	struct view value;
	uint64_t number;

	if (view_eq(word, "from"))
		return take_prefix(line, &rule->from);
	if (view_eq(word, "to"))
		return take_prefix(line, &rule->to);
	if (route_type_parse(word, &rule->type))
		return true;
	if (view_eq(word, "proto") || view_eq(word, "protocol") || view_eq(word, "realms"))
		return view_next_word(line, &value);
	if (view_eq(word, "lookup") || view_eq(word, "table")) {
		if (!view_next_word(line, &value))
			return false;
		if (view_starts(value, "["))
			leave_open(rule); /* [l3mdev-table]: depends on the interface */
		else
			rule->table = route_table_name(arena, value);
		return true;
	}
	if (view_eq(word, "suppress_prefixlength")) {
		if (!view_next_word(line, &value) || !view_uint(value, 0, 128, &number))
			return false;
		rule->suppress_prefix = (int)number;
		return true;
	}
	return take_selector(word, line, rule);
}

/* The types that a rule may have in place of a table. */
static bool refuses(enum route_type type)
{
	return type == ROUTE_BLACKHOLE || type == ROUTE_UNREACHABLE || type == ROUTE_PROHIBIT;
}

/*
 * busybox prints a table for every rule, "unspec" where there is none, and an action by the name of
 * the route type of that number: "local" for goto, "broadcast" for nop. True for a nop.
 */
static bool take_unspec(struct rule *rule)
{
	if (rule->table == NULL || strcmp(rule->table, "unspec") != 0)
		return false;
	rule->table = NULL;
	if (rule->type == ROUTE_UNICAST || rule->type == ROUTE_LOCAL)
		leave_open(rule);
	return rule->type == ROUTE_BROADCAST;
}

static bool take_rule(struct view line, unsigned number, struct rule_list *rules, bool *ret_nothing)
{
	struct rule rule = {.suppress_prefix = -1, .line = number};
	struct view pref, word;
	uint64_t value;

	if (!view_next_part(&line, ':', &pref) ||
	    !view_uint(view_trim(pref), 0, UINT32_MAX, &value))
		return false;
	rule.pref = (uint32_t)value;
	*ret_nothing = false;
	while (view_next_word(&line, &word)) {
		*ret_nothing = *ret_nothing || view_eq(word, "nop");
		if (!take_word(word, &line, &rule, rules->arena))
			return false;
	}
	*ret_nothing = *ret_nothing || take_unspec(&rule);
	if (rule.table == NULL && !refuses(rule.type) && !rule.open && !*ret_nothing)
		return false;
	if (!*ret_nothing)
		*rule_list_add(rules) = rule;
	return true;
}

/* What the rule would do is not known, only when: from there on nothing is certain. */
static void keep_place(struct view line, unsigned number, struct rule_list *rules)
{
	struct view pref;
	uint64_t value;

	if (!view_next_part(&line, ':', &pref) ||
	    !view_uint(view_trim(pref), 0, UINT32_MAX, &value)) {
		rules->partial = true;
		return;
	}
	struct rule *rule = rule_list_add(rules);
	rule->pref = (uint32_t)value;
	leave_open(rule);
	rule->line = number;
}

struct json_reader {
	struct rule_list *rules;
	struct diag_list *diags;
	struct line_finder finder; /* of "src", which every rule has */
};

/* "src" and "srclen", or "dst" and "dstlen"; "all" or nothing is every address. */
static bool json_prefix(
    const struct json *object, const char *key, const char *len_key, struct prefix *ret)
{
	const char *text = json_get_string(object, key, "all");
	struct prefix whole;
	long len = -1;

	if (strcmp(text, "all") == 0)
		return true;
	if (!prefix_parse(view_of(text), &whole) ||
	    !json_read_int(object, len_key, 0, whole.len, &len))
		return false;
	*ret = len < 0 ? whole : prefix_of_ip(&whole.ip, (unsigned)len);
	return true;
}

/* What the rule asks for beside addresses. */
static void json_ask(const struct json *object, struct rule *rule)
{
	static const char *const plain[] = {"priority", "src", "srclen", "dst", "dstlen", "table",
	    "suppress_prefixlen", "action", "protocol", "nop", "flow_from", "flow_to", "fwmark",
	    "fwmask", "iif_detached", "oif_detached"};
	const char *mark = json_get_string(object, "fwmark", NULL);

	if (mark != NULL)
		ask_mark(rule, view_of(mark), view_of(json_get_string(object, "fwmask", NULL)));
	else if (json_get(object, "fwmark") != NULL)
		leave_open(rule);
	rule->inverted = json_get(object, "not") != NULL;
	rule->conditional = rule->conditional || rule->inverted;
	for (const struct json *item = json_first(object); item != NULL; item = json_next(item)) {
		struct view key = view_of(json_key(item)); /* none in an array, which is no rule */
		bool known =
		    view_eq(key, "not") || ask(rule, key, view_of(json_string(item, NULL)));
		for (size_t i = 0; i < sizeof plain / sizeof *plain && !known; i++)
			known = view_eq(key, plain[i]);
		if (!known)
			leave_open(rule);
	}
}

/* One object of `ip -j rule`. */
static bool take_object(const struct json *object, unsigned number, void *arg)
{
	struct json_reader *r = arg;
	struct rule rule = {
	    .suppress_prefix = -1,
	};
	long pref = -1, suppress = -1;
	bool placed = json_read_int(object, "priority", 0, UINT32_MAX, &pref) && pref >= 0;
	const char *src = json_get_string(object, "src", NULL);
	const char *table = json_get_string(object, "table", NULL);
	const char *action = json_get_string(object, "action", NULL);
	unsigned at = src == NULL ? 0 : line_of_value(&r->finder, "src", src);

	json_ask(object, &rule);
	rule.line = at != 0 ? at : number;
	rule.pref = placed ? (uint32_t)pref : 0;
	bool read = src != NULL && placed &&
		    json_read_int(object, "suppress_prefixlen", 0, 128, &suppress) &&
		    json_prefix(object, "src", "srclen", &rule.from) &&
		    json_prefix(object, "dst", "dstlen", &rule.to) &&
		    (action == NULL || route_type_parse(view_of(action), &rule.type));
	if (!read) {
		diag_add(r->diags, rule.line, "expected an object of `ip -j rule` with src");
		r->rules->partial = r->rules->partial || !placed;
		leave_open(&rule);
	}
	if (json_get(object, "nop") != NULL)
		return read;
	rule.suppress_prefix = (int)suppress;
	if (table != NULL)
		rule.table = route_table_name(r->rules->arena, view_of(table));
	if (table == NULL && !refuses(rule.type))
		leave_open(&rule);
	*rule_list_add(r->rules) = rule;
	return read;
}

static bool read_json(struct view text, struct rule_list *rules, struct diag_list *diags)
{
	struct json_reader r = {rules, diags, {.rest = text, .line = 1}};
	bool any = line_each_item(text, diags, take_object, &r);

	rules->known = rules->known || any;
	rules->partial = rules->partial || !any;
	return any;
}

bool parse_rules(struct view text, struct rule_list *rules, struct diag_list *diags)
{
	struct line_reader lines = {.rest = text};
	struct view line;
	bool any = false, nothing;

	if (view_starts(view_trim(text), "["))
		return read_json(text, rules, diags);
	while (line_next(&lines, &line)) {
		if (take_rule(line, lines.number, rules, &nothing)) {
			any = true;
			continue;
		}
		line_reject(diags, lines.number, line, "a rule as ip rule prints it");
		keep_place(line, lines.number, rules);
	}
	rules->known = rules->known || any;
	return any || view_trim(text).n == 0;
}
