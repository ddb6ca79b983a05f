#include "oddhost/parse/routes.h"

#include "oddhost/parse/line.h"

/*
 * The words of `ip rule`, from print_rule() of iproute2's ip/iprule.c. All selectors but `from` and
 * `to` ask for what cannot be seen from outside (a mark, an interface, a port), and `goto` jumps:
 * a rule with one of them is conditional, and so is a rule with a word that is not known.
 */
static bool take_prefix(struct view *line, struct prefix *ret)
{
	struct view word;

	if (!view_next_word(line, &word))
		return false;
	return view_eq(word, "all") || prefix_parse(word, ret);
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
	if (route_type_from_name(word, &rule->type))
		return true;
	if (view_eq(word, "proto") || view_eq(word, "protocol") || view_eq(word, "realms"))
		return view_next_word(line, &value);
	if (view_eq(word, "lookup") || view_eq(word, "table")) {
		if (!view_next_word(line, &value))
			return false;
		if (view_starts(value, "["))
			rule->conditional = true; /* [l3mdev-table]: depends on the interface */
		else
			rule->table = arena_dup_view(arena, value);
		return true;
	}
	if (view_eq(word, "suppress_prefixlength")) {
		if (!view_next_word(line, &value) || !view_uint(value, 0, 128, &number))
			return false;
		rule->suppress_prefix = (int)number;
		return true;
	}
	rule->conditional = true; /* also a value of such a word */
	return true;
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
	if (rule.table == NULL && rule.type == ROUTE_UNICAST && !rule.conditional && !*ret_nothing)
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
	rule->conditional = true;
	rule->line = number;
}

bool parse_rules(struct view text, struct rule_list *rules, struct diag_list *diags)
{
	struct line_reader lines = {.rest = text};
	struct view line;
	bool any = false, nothing;

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
