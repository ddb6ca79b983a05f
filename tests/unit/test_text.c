#include "unit.h"

#include "oddhost/base/text.h"

static void test_utf8(void **state)
{
	static const struct {
		const char *name;
		struct view in;
		bool ok;
		uint32_t first; /* rune; 0xfffd where it is not UTF-8 */
	} rows[] = {
	    {"ascii", LITERAL("a"), true, 'a'},
	    {"DEL", LITERAL("\x7f"), true, 0x7f},
	    {"least of 2", LITERAL("\xc2\x80"), true, 0x80},
	    {"most of 2", LITERAL("\xdf\xbf"), true, 0x7ff},
	    {"least of 3", LITERAL("\xe0\xa0\x80"), true, 0x800},
	    {"before surrogates", LITERAL("\xed\x9f\xbf"), true, 0xd7ff},
	    {"behind surrogates", LITERAL("\xee\x80\x80"), true, 0xe000},
	    {"U+FFFD itself", LITERAL("\xef\xbf\xbd"), true, 0xfffd},
	    {"U+FFFF", LITERAL("\xef\xbf\xbf"), true, 0xffff},
	    {"least of 4", LITERAL("\xf0\x90\x80\x80"), true, 0x10000},
	    {"the last one", LITERAL("\xf4\x8f\xbf\xbf"), true, 0x10ffff},
	    {"NUL", LITERAL("\0"), false, 0},
	    {"overlong NUL", LITERAL("\xc0\x80"), false, 0xfffd},
	    {"overlong /", LITERAL("\xc0\xaf"), false, 0xfffd},
	    {"overlong of 2", LITERAL("\xc1\xbf"), false, 0xfffd},
	    {"overlong of 3", LITERAL("\xe0\x9f\xbf"), false, 0xfffd},
	    {"overlong of 4", LITERAL("\xf0\x8f\xbf\xbf"), false, 0xfffd},
	    {"surrogate", LITERAL("\xed\xa0\x80"), false, 0xfffd},
	    {"low surrogate", LITERAL("\xed\xbf\xbf"), false, 0xfffd},
	    {"past the end", LITERAL("\xf4\x90\x80\x80"), false, 0xfffd},
	    {"lead f5", LITERAL("\xf5\x80\x80\x80"), false, 0xfffd},
	    {"lead ff", LITERAL("\xff"), false, 0xfffd},
	    {"continuation alone", LITERAL("\x80"), false, 0xfffd},
	    {"cut off 2", LITERAL("\xc3"), false, 0xfffd},
	    {"cut off 3", LITERAL("\xe2\x82"), false, 0xfffd},
	    {"cut off 4", LITERAL("\xf0\x9f\x98"), false, 0xfffd},
	    {"no continuation", LITERAL("\xc3("), false, 0xfffd},
	    {"none at third", LITERAL("\xe2\x82("), false, 0xfffd},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct view rest = rows[i].in;
		uint32_t rune = 0;
		assert_true(text_next_rune(&rest, &rune));
		if (text_is_utf8(rows[i].in) != rows[i].ok || rune != rows[i].first)
			fail_msg("%s: U+%04X", rows[i].name, rune);
		if (rows[i].ok)
			assert_int_equal(rest.n, 0);
		else
			assert_int_equal(rest.n, rows[i].in.n - 1);
	}
	assert_true(text_is_utf8(view_of("")));
	assert_false(text_is_utf8(LITERAL("fine\xef\xbf\xbdthen\x80")));
	assert_false(text_is_utf8(LITERAL("text\0")));
}

static void test_unseen(void **state)
{
	static const uint32_t seen[] = {' ', '~', 0xa0, 0xe9, 0x4e2d, 0xfffd, 0x1f600, 0x10ffff};
	static const uint32_t unseen[] = {
	    0, 0x1b, 0x7f, 0x9b, 0xad, 0x200b, 0x202e, 0x2028, 0x2066, 0xfeff, 0xe0041};

	(void)state;
	for (size_t i = 0; i < COUNT(seen); i++)
		assert_false(text_is_unseen(seen[i]));
	for (size_t i = 0; i < COUNT(unseen); i++)
		assert_true(text_is_unseen(unseen[i]));
}

/* Any bytes at all can be walked, and the walk ends. */
static void test_utf8_walk(void **state)
{
	char bytes[4] = {0};

	(void)state;
	for (unsigned i = 0; i < 0x10000; i++) {
		bytes[0] = (char)(i >> 8);
		bytes[1] = (char)i;
		bytes[2] = (char)0xbf;
		struct view rest = {bytes, 3};
		uint32_t rune;
		unsigned steps = 0;
		while (text_next_rune(&rest, &rune))
			assert_true(rune <= 0x10ffff && ++steps <= 3);
	}
}

static void test_without_terminal(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
	    {"", ""},
	    {"default via \x1b[35m10.0.0.1 \x1b[0mdev \x1b[36meth0 \x1b[0m\n",
		"default via 10.0.0.1 dev eth0 \n"},
	    {"\xef\xbb\xbf"
	     "a\r\n\tb\x01\x7f\n",
		"a\n\tb\x7f\n"},
	    {"\x1b]0;title\a1\n\x1b]0;t\x1b\\2\n\x1b(B3\x1b=4", "1\n2\n34"},
	    {"^C--- db\n", "--- db\n"},
	    {"1\x1b[31\n2\x1b\n3\x1b", "1\n2\n3"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf out = {0};
		text_without_terminal(view_of(rows[i].in), &out);
		assert_string_equal(buf_str(&out), rows[i].out);
		buf_free(&out);
	}
}

static void test_base64(void **state)
{
	static const struct { /* RFC 4648 section 10, and bytes of every bit */
		struct view plain;
		const char *encoded;
	} rows[] = {
	    {LITERAL(""), ""},
	    {LITERAL("f"), "Zg=="},
	    {LITERAL("fo"), "Zm8="},
	    {LITERAL("foo"), "Zm9v"},
	    {LITERAL("foob"), "Zm9vYg=="},
	    {LITERAL("fooba"), "Zm9vYmE="},
	    {LITERAL("foobar"), "Zm9vYmFy"},
	    {LITERAL("\0\0\0"), "AAAA"},
	    {LITERAL("\xff\xfe\xfb"), "//77"},
	    {LITERAL("\xfb\xef\xbe"), "++++"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf encoded = {0}, plain = {0};
		text_base64_encode(rows[i].plain, &encoded);
		assert_string_equal(buf_str(&encoded), rows[i].encoded);
		assert_true(text_base64_decode(view_of(rows[i].encoded), &plain));
		assert_true(view_same(buf_view(&plain), rows[i].plain));
		buf_free(&encoded);
		buf_free(&plain);
	}
}

static void test_base64_all_lengths(void **state)
{
	char bytes[300];

	(void)state;
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (char)(i * 37 + i / 64);
	for (size_t n = 0; n <= sizeof bytes; n++) {
		struct buf encoded = {0}, plain = {0};
		text_base64_encode((struct view){bytes, n}, &encoded);
		assert_int_equal(encoded.n, (n + 2) / 3 * 4);
		assert_true(text_base64_decode(buf_view(&encoded), &plain));
		assert_true(view_same(buf_view(&plain), (struct view){bytes, n}));
		buf_free(&encoded);
		buf_free(&plain);
	}
}

static void test_base64_rejects(void **state)
{
	static const struct view rows[] = {LITERAL("Z"), LITERAL("Zg"), LITERAL("Zg="),
	    LITERAL("===="), LITERAL("Z==="), LITERAL("=Zm9"), LITERAL("Z=g="), LITERAL("Zg==Zg=="),
	    LITERAL("    Zm9v"), LITERAL("Zm9v    "), LITERAL("Zm9v\n\n\n\n"), LITERAL("Zm9\n"),
	    LITERAL("Zm-_"), LITERAL("Zm9\0"), LITERAL("Zh=="), LITERAL("Zm9="),
	    LITERAL("\xc3\xa9=="),
	    LITERAL("Zm9vZm9vZm9vZm9vZm9vZm9vZm9vZm9vZm9vZm9vZm9vZm9vZm9vZm9vZm9vZm9vZg==AAAA")};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf out = {0};
		buf_puts(&out, "kept");
		if (text_base64_decode(rows[i], &out))
			fail_msg("row %zu was accepted", i);
		assert_string_equal(buf_str(&out), "kept");
		buf_free(&out);
	}
}

static void test_shell_quote(void **state)
{
	static const struct {
		const char *in, *out; /* out NULL: any form that the shell reads back */
	} rows[] = {
	    {"", "''"},
	    {"db.example:3306", "db.example:3306"},
	    {"a b", "'a b'"},
	    {"it's", "'it'\\''s'"},
	    {"'", NULL},
	    {"''''", NULL},
	    {"$(reboot) `x` $HOME \\ \" ! * ? [a] {b,c} ~ # ; & | < > ( )", NULL},
	    {"~root", NULL},
	    {"a=b", NULL},
	    {"-n", NULL},
	    {"line\nbreak\ttab\rreturn", NULL},
	    {"\001\033[31m\x7f", NULL},
	    {"gr\xc3\xbc\xc3\x9f\x65", NULL},
	    {"\xff\xfe", NULL},
	    {"{{json .ID}}", NULL},
	    {"\\", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf quoted = {0}, back = {0};
		text_shell_quote(view_of(rows[i].in), &quoted);
		if (rows[i].out != NULL)
			assert_string_equal(buf_str(&quoted), rows[i].out);
		assert_int_equal(
		    unit_shell(&back, "set -- %s; printf '%%s|%%s' $# \"$1\"", buf_str(&quoted)),
		    0);
		assert_true(view_take(&(struct view){back.p, back.n}, "1|"));
		assert_string_equal(buf_str(&back) + 2, rows[i].in);
		buf_free(&quoted);
		buf_free(&back);
	}
}

struct fold_row {
	const char *in; /* names with blanks between */
	size_t most;
	const char *out;
};

static const struct fold_row folds[] = {
    {"", 0, ""},
    {"db", 0, "db"},
    {"db db", 0, "db"},
    {"host-02 host-01 host-04", 0, "host-[01-02,04]"},
    {"host-1 host-2 host-3 host-10", 0, "host-[1-3,10]"},
    {"host-08 host-09 host-10 host-11", 0, "host-[08-11]"},
    {"host-09 host-10 host-100", 0, "host-[09-10,100]"},
    {"host-pre host-01", 0, "host-01,host-pre"},
    {"a1b a2b a1c", 0, "a[1-2]b,a1c"},
    {"web-01.east web-02.east web-01.west", 0, "web-[01-02].east,web-01.west"},
    {"10.0.0.1 10.0.0.2 10.0.0.3", 0, "10.0.0.[1-3]"},
    {"1 2 3", 0, "[1-3]"},
    {"n18446744073709551615 n18446744073709551616", 0,
	"n18446744073709551615,n18446744073709551616"},
    {"n0 n1", 0, "n[0-1]"},
    {"dc1n1 dc1n2 dc2n1 dc2n2", 0, "dc[1-2]n[1-2]"},
    {"r2-s1 r1-s3 r1-s2", 0, "r1-s[2-3],r2-s1"},
    {"h1x1 h1x2 h2x2 h2x3 h3x1 h3x2", 0, "h[1,3]x[1-2],h2x[2-3]"},
    {"n1 n2 n01 n02 n003", 0, "n[1-2,01-02,003]"},
    {"n1 n02 n3 n004", 0, "n[1,3,02,004]"},
    {"n098 n099 n100 n101", 0, "n[098-101]"},
    {"n9 n10 n99 n100", 0, "n[9-10,99-100]"},
    {"n98 n99 n100 n099", 0, "n[98-99,099-100]"},
    {"a1 a2b1 a2b2 b2", 0, "a1,a2b[1-2],b2"},
    {"a1b1 a1b2 a2b1 a2b2 c", 1, "a[1-2]b[1-2] and 1 more"},
    {"dc1n1 dc1n2 dc1n4 x", 1, "dc1n[1-2] and 2 more"},
    {"1a2a3a4a5a6a7 1a2a3a4a5a6a8", 0, "1a2a3a4a5a6a[7-8]"},
    {"a b c", 2, "a,b and 1 more"},
    {"a1 a2 b c1 c2 d", 2, "a[1-2],b and 3 more"},
    {"a1 a3 a5 a7 b", 2, "a[1,3] and 3 more"},
    {"a b", 2, "a,b"},
};

static const char *fold_row(struct arena *arena, const struct fold_row *row)
{
	const char *names[32];
	struct view rest = view_of(row->in), word;
	size_t n = 0;

	while (view_next_word(&rest, &word) && n < COUNT(names))
		names[n++] = arena_dup_view(arena, word);
	return text_fold(arena, names, n, row->most);
}

static void test_fold(void **state)
{
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNT(folds); i++)
		assert_string_equal(fold_row(arena, &folds[i]), folds[i].out);
	arena_free(arena);
}

/* What ClusterShell reads from a folded set is the names that went in. */
static void test_fold_nodeset(void **state)
{
	struct arena *arena = arena_new();

	(void)state;
	if (!unit_has("nodeset")) {
		arena_free(arena);
		skip();
	}
	for (size_t i = 0; i < COUNT(folds); i++) {
		struct buf a = {0}, b = {0};
		if (folds[i].most != 0 || folds[i].in[0] == '\0')
			continue;
		assert_int_equal(unit_shell(&a, "nodeset -e '%s' | tr ' ' '\\n' | sort",
				     fold_row(arena, &folds[i])),
		    0);
		assert_int_equal(
		    unit_shell(&b, "echo '%s' | tr ' ' '\\n' | sort -u", folds[i].in), 0);
		assert_string_equal(buf_str(&a), buf_str(&b));
		buf_free(&a);
		buf_free(&b);
	}
	arena_free(arena);
}

static void test_same(void **state)
{
	(void)state;
	assert_true(text_same(NULL, NULL));
	assert_false(text_same(NULL, "") || text_same("", NULL) || text_same("a", "b"));
	assert_true(text_same("a", (const char[]){'a', '\0'}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_same),
	    cmocka_unit_test(test_utf8),
	    cmocka_unit_test(test_unseen),
	    cmocka_unit_test(test_utf8_walk),
	    cmocka_unit_test(test_without_terminal),
	    cmocka_unit_test(test_base64),
	    cmocka_unit_test(test_base64_all_lengths),
	    cmocka_unit_test(test_base64_rejects),
	    cmocka_unit_test(test_shell_quote),
	    cmocka_unit_test(test_fold),
	    cmocka_unit_test(test_fold_nodeset),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
