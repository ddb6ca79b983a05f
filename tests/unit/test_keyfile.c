/* Keys made by ssh-keygen, in all of its formats; OpenSSL verifies what is signed. */
#include "unit.h"

#include <fcntl.h>
#include <inttypes.h>

#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "oddhost/base/text.h"
#include "oddhost/collect/identity.h"
#include "oddhost/collect/keyfile.h"
#include "oddhost/collect/wire.h"

static char *directory;

static int setup(void **state)
{
	directory = unit_directory();
	*state = unit_has("ssh-keygen") ? directory : NULL;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unit_remove(directory);
	return 0;
}

static const struct {
	const char *name, *options; /* ssh-keygen's */
	const char *algorithms[3];
} kinds[] = {
    {"ed25519", "-t ed25519", {"ssh-ed25519"}},
    {"ecdsa256", "-t ecdsa -b 256", {"ecdsa-sha2-nistp256"}},
    {"ecdsa384", "-t ecdsa -b 384", {"ecdsa-sha2-nistp384"}},
    {"ecdsa521", "-t ecdsa -b 521", {"ecdsa-sha2-nistp521"}},
    {"ecdsa256-pem", "-t ecdsa -b 256 -m PEM", {"ecdsa-sha2-nistp256"}},
    {"ecdsa521-pkcs8", "-t ecdsa -b 521 -m PKCS8", {"ecdsa-sha2-nistp521"}},
    {"rsa", "-t rsa -b 2048", {"rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"}},
    {"rsa-pem", "-t rsa -b 2048 -m PEM", {"rsa-sha2-512", "rsa-sha2-256"}},
    {"rsa-pkcs8", "-t rsa -b 2048 -m PKCS8", {"rsa-sha2-512"}},
};

static void read_file(const char *name, struct buf *text)
{
	char path[300];
	struct err err;

	snprintf(path, sizeof path, "%s/%s", directory, name);
	if (!file_read(path, 100000, text, &err))
		fail_msg("%s", err.text);
}

static const EVP_MD *digest_of(const char *algorithm)
{
	if (strcmp(algorithm, "ssh-ed25519") == 0)
		return NULL;
	if (strcmp(algorithm, "ssh-rsa") == 0)
		return EVP_sha1();
	if (strstr(algorithm, "384") != NULL)
		return EVP_sha384();
	return strstr(algorithm, "256") != NULL ? EVP_sha256() : EVP_sha512();
}

/* The two mpints of RFC 5656 as the DER that OpenSSL verifies. */
static void to_der(struct view wire, struct buf *der)
{
	struct view r = {0}, s = {0};
	unsigned char *bytes = NULL;
	ECDSA_SIG *sig = ECDSA_SIG_new();

	assert_true(wire_get_string(&wire, &r) && wire_get_string(&wire, &s) && wire.n == 0);
	assert_true((r.p[0] & 0x80) == 0 && (s.p[0] & 0x80) == 0);
	assert_true(ECDSA_SIG_set0(sig, BN_bin2bn((const unsigned char *)r.p, (int)r.n, NULL),
	    BN_bin2bn((const unsigned char *)s.p, (int)s.n, NULL)));
	int n = i2d_ECDSA_SIG(sig, &bytes);
	assert_true(n > 0);
	buf_add(der, bytes, (size_t)n);
	OPENSSL_free(bytes);
	ECDSA_SIG_free(sig);
}

static bool verifies(void *key, const char *algorithm, struct view data, struct view signature)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	struct buf der = {0};

	if (strncmp(algorithm, "ecdsa", 5) == 0) {
		to_der(signature, &der);
		signature = buf_view(&der);
	}
	bool ok = EVP_DigestVerifyInit(context, NULL, digest_of(algorithm), NULL, key) > 0 &&
		  EVP_DigestVerify(context, (const unsigned char *)signature.p, signature.n,
		      (const unsigned char *)data.p, data.n) == 1;
	EVP_MD_CTX_free(context);
	buf_free(&der);
	return ok;
}

static void check_signatures(void *key, const char *const algorithms[3])
{
	struct view data = LITERAL("a session id\0and a request");
	struct err err;

	for (int i = 0; i < 3 && algorithms[i] != NULL; i++) {
		for (int times = 0; times < 20; times++) { /* numbers with and without a high bit */
			struct buf signature = {0};
			if (!keyfile_sign(key, view_of(algorithms[i]), data, &signature, &err))
				fail_msg("%s", err.text);
			assert_true(verifies(key, algorithms[i], data, buf_view(&signature)));
			assert_false(
			    verifies(key, algorithms[i], view_skip(data, 1), buf_view(&signature)));
			buf_free(&signature);
		}
	}
}

static void test_kinds(void **state)
{
	if (*state == NULL)
		skip();
	for (size_t i = 0; i < COUNT(kinds); i++) {
		struct buf text = {0}, public_line = {0}, blob = {0}, want = {0};
		struct view rest, type, encoded = {0};
		struct err err = {""};
		void *key = NULL;
		assert_int_equal(unit_shell(&public_line,
				     "cd %s && ssh-keygen -q -N '' -C '' %s -f %s && "
				     "ssh-keygen -y -f %s",
				     directory, kinds[i].options, kinds[i].name, kinds[i].name),
		    0);
		read_file(kinds[i].name, &text);
		if (!keyfile_read(buf_view(&text), &key, &blob, &err))
			fail_msg("%s: %s", kinds[i].name, err.text);
		rest = buf_view(&public_line);
		assert_true(view_next_word(&rest, &type) && view_next_word(&rest, &encoded));
		assert_true(text_base64_decode(encoded, &want));
		assert_true(view_same(buf_view(&blob), buf_view(&want)));
		check_signatures(key, kinds[i].algorithms);
		keyfile_free(key);
		buf_free(&text);
		buf_free(&public_line);
		buf_free(&blob);
		buf_free(&want);
	}
	keyfile_free(NULL);
}

static void test_encrypted(void **state)
{
	static const char *const options[] = {
	    "-t ed25519", "-t rsa -b 1024 -m PEM", "-t ecdsa -m PKCS8"};

	if (*state == NULL)
		skip();
	for (size_t i = 0; i < COUNT(options); i++) {
		struct buf text = {0}, blob = {0};
		struct err err = {""};
		void *key = NULL;
		char name[20];
		snprintf(name, sizeof name, "encrypted%zu", i);
		assert_int_equal(unit_shell(NULL, "ssh-keygen -q -N secret -C '' %s -f %s/%s",
				     options[i], directory, name),
		    0);
		read_file(name, &text);
		assert_false(keyfile_read(buf_view(&text), &key, &blob, &err));
		assert_string_equal(err.text, "is encrypted: add it to an agent (ssh-add)");
		assert_null(key);
		assert_int_equal(blob.n, 0);
		assert_true(keyfile_can_unlock(buf_view(&text), &err));
		buf_free(&text);
	}
}

/* Whoever types a passphrase for such a key would do so in vain. */
static void test_ciphers(void **state)
{
	static const struct {
		const char *name;
		bool supported;
	} ciphers[] = {{"aes128-cbc", true}, {"aes192-ctr", true}, {"aes256-ctr", true},
	    {"aes256-gcm@openssh.com", false}, {"chacha20-poly1305@openssh.com", false}};

	if (*state == NULL)
		skip();
	for (size_t i = 0; i < COUNT(ciphers); i++) {
		struct buf text = {0}, blob = {0};
		struct err err = {""};
		void *key = NULL;
		char name[20];
		snprintf(name, sizeof name, "cipher%zu", i);
		assert_int_equal(unit_shell(NULL, "ssh-keygen -q -N secret -C '' -Z %s -f %s/%s",
				     ciphers[i].name, directory, name),
		    0);
		read_file(name, &text);
		if (keyfile_can_unlock(buf_view(&text), &err) != ciphers[i].supported)
			fail_msg("%s: %s", ciphers[i].name, err.text);
		assert_int_equal(
		    keyfile_unlock(buf_view(&text), view_of("secret"), &key, &blob, &err),
		    ciphers[i].supported);
		if (!ciphers[i].supported)
			assert_non_null(strstr(err.text, ciphers[i].name));
		keyfile_free(key);
		buf_free(&text);
		buf_free(&blob);
	}
}

static void rejects(const char *name, struct view text)
{
	struct buf blob = {0};
	struct err err = {""};
	void *key = NULL;

	if (keyfile_read(text, &key, &blob, &err) || key != NULL || blob.n != 0)
		fail_msg("%s was accepted", name);
	assert_true(strncmp(err.text, "is ", 3) == 0);
	buf_free(&blob);
}

static void test_rejects(void **state)
{
	static const struct {
		const char *name, *text;
	} rows[] = {
	    {"nothing", ""},
	    {"a public key", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 root@host\n"},
	    {"no body", "-----BEGIN OPENSSH PRIVATE KEY-----"},
	    {"an empty body",
		"-----BEGIN OPENSSH PRIVATE KEY-----\n-----END OPENSSH PRIVATE KEY-----\n"},
	    {"not base64",
		"-----BEGIN OPENSSH PRIVATE KEY-----\n!!!!\n-----END OPENSSH PRIVATE KEY-----\n"},
	    {"another body",
		"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n"},
	    {"only the magic", "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\n"},
	    {"PEM of something else",
		"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"},
	    {"PEM that is empty",
		"-----BEGIN RSA PRIVATE KEY-----\n-----END RSA PRIVATE KEY-----\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		rejects(rows[i].name, view_of(rows[i].text));
}

static void armor(struct view body, struct buf *text)
{
	buf_puts(text, "-----BEGIN OPENSSH PRIVATE KEY-----\n");
	text_base64_encode(body, text);
	buf_puts(text, "\n-----END OPENSSH PRIVATE KEY-----\n");
}

/* Cut off anywhere, or with any byte turned, it is refused or is a key whose parts agree. */
static void test_damaged(void **state)
{
	if (*state == NULL)
		skip();
	for (size_t i = 0; i < COUNT(kinds); i++) {
		struct buf text = {0}, joined = {0}, body = {0};
		struct view rest, line;
		if (strstr(kinds[i].options, "-m") != NULL ||
		    strstr(kinds[i].options, "rsa") != NULL)
			continue;
		read_file(kinds[i].name, &text);
		rest = buf_view(&text);
		while (view_next_line(&rest, &line)) {
			if (!view_starts(line, "-----"))
				buf_add_view(&joined, line);
		}
		assert_true(text_base64_decode(buf_view(&joined), &body));
		for (size_t n = 0; n < body.n; n++) {
			struct buf cut = {0}, turned = {0}, blob = {0};
			struct err err;
			void *key = NULL;
			armor(view_left(buf_view(&body), n), &cut);
			if (n + 20 < body.n) /* the comment and the padding are not looked at */
				rejects("a key that is cut off", buf_view(&cut));
			body.p[n] = (char)(body.p[n] ^ 0x41);
			armor(buf_view(&body), &turned);
			if (keyfile_read(buf_view(&turned), &key, &blob, &err))
				keyfile_free(key);
			body.p[n] = (char)(body.p[n] ^ 0x41);
			buf_free(&cut);
			buf_free(&turned);
			buf_free(&blob);
		}
		buf_free(&text);
		buf_free(&joined);
		buf_free(&body);
	}
}

/* The blob that a server would know must be the key's own. */
static void test_foreign_public_part(void **state)
{
	struct buf a = {0}, joined = {0}, body = {0}, text = {0};
	struct view rest, line;

	if (*state == NULL)
		skip();
	read_file("ed25519", &a);
	rest = buf_view(&a);
	while (view_next_line(&rest, &line)) {
		if (!view_starts(line, "-----"))
			buf_add_view(&joined, line);
	}
	assert_true(text_base64_decode(buf_view(&joined), &body));
	long at = view_find(buf_view(&body), "ssh-ed25519");
	assert_true(at > 0);
	body.p[at + 20] = (char)(body.p[at + 20] ^ 1);
	armor(buf_view(&body), &text);
	rejects("another key's public part", buf_view(&text));
	buf_free(&a);
	buf_free(&joined);
	buf_free(&body);
	buf_free(&text);
}

/* A modulus longer than any that is used: no buffer of a fixed size may be trusted to hold it. */
static void test_huge_rsa(void **state)
{
	struct buf der = {0}, text = {0}, blob = {0};
	struct err err;
	void *key = NULL;
	enum { N = 20000 };

	(void)state;
	/* RSAPrivateKey: version 0, n of N bytes, and 1 for the seven others. */
	size_t inner = 3 + (4 + N) + 7 * 3;
	buf_add(&der, (unsigned char[]){0x30, 0x82, (unsigned char)(inner >> 8), inner & 0xff}, 4);
	buf_add(&der, (unsigned char[]){2, 1, 0, 2, 0x82, N >> 8, N & 0xff}, 7);
	for (int i = 0; i < N; i++)
		buf_putc(&der, 0x55);
	for (int i = 0; i < 7; i++)
		buf_add(&der, (unsigned char[]){2, 1, 3}, 3);
	buf_puts(&text, "-----BEGIN RSA PRIVATE KEY-----\n");
	for (size_t i = 0; i < der.n; i += 48) {
		text_base64_encode(view_left(view_skip(buf_view(&der), i), 48), &text);
		buf_putc(&text, '\n');
	}
	buf_puts(&text, "-----END RSA PRIVATE KEY-----\n");
	if (keyfile_read(buf_view(&text), &key, &blob, &err)) {
		struct buf signature = {0};
		assert_true(blob.n > N);
		assert_false(
		    keyfile_sign(key, view_of("rsa-sha2-512"), view_of("x"), &signature, &err));
		buf_free(&signature);
	}
	keyfile_free(key);
	buf_free(&der);
	buf_free(&text);
	buf_free(&blob);
}

static void test_wrong_algorithm(void **state)
{
	struct buf text = {0}, blob = {0}, signature = {0};
	struct err err;
	void *key = NULL;

	if (*state == NULL)
		skip();
	read_file("ed25519", &text);
	assert_true(keyfile_read(buf_view(&text), &key, &blob, &err));
	assert_false(keyfile_sign(key, view_of("rsa-sha2-512"), view_of("x"), &signature, &err));
	assert_string_equal(err.text, "signing with rsa-sha2-512 failed");
	assert_int_equal(signature.n, 0);
	keyfile_free(key);
	buf_free(&text);
	buf_free(&blob);
	buf_free(&signature);
}

/* The data of a userauth request (RFC 4252 section 7), as libssh2 hands it to be signed. */
static void request(const char *algorithm, struct view blob, struct buf *out)
{
	wire_put_string(out, view_of("session id"));
	buf_putc(out, 50);
	wire_put_string(out, view_of("root"));
	wire_put_string(out, view_of("ssh-connection"));
	wire_put_string(out, view_of("publickey"));
	buf_putc(out, 1);
	wire_put_string(out, view_of(algorithm));
	wire_put_string(out, blob);
}

static void test_identities(void **state)
{
	struct arena *arena = arena_new();
	struct diag_list diags = {.arena = arena};
	struct identities *ids = identities_new(NULL, NULL, NULL);
	struct buf data = {0}, signature = {0};
	struct view rest, type;
	char path[300];
	struct err err;

	identities_free(NULL);
	snprintf(path, sizeof path, "%s/none", directory);
	const struct identity *none = identities_file(ids, path, NULL, &diags);
	assert_true(none->unusable);
	assert_ptr_equal(identities_file(ids, path, NULL, &diags), none);
	assert_int_equal(diags.n, 1); /* said once */
	if (*state != NULL) {
		snprintf(path, sizeof path, "%s/rsa", directory);
		const struct identity *rsa = identities_file(ids, path, NULL, &diags);
		assert_false(rsa->unusable);
		assert_string_equal(rsa->type, "ssh-rsa");
		rest = rsa->offer;
		assert_true(wire_get_string(&rest, &type) && view_eq(type, "rsa-sha2-512"));
		assert_true(view_same(rest, view_skip(rsa->blob, 11)));
		request("rsa-sha2-512", rsa->offer, &data);
		assert_true(identity_sign(ids, rsa, buf_view(&data), &signature, &err));
		assert_true(
		    verifies(rsa->key, "rsa-sha2-512", buf_view(&data), buf_view(&signature)));
		for (size_t n = 0; n < 60; n++) /* cut off before the algorithm is */
			assert_false(identity_sign(
			    ids, rsa, view_left(buf_view(&data), n), &signature, &err));
	}
	buf_free(&data);
	buf_free(&signature);
	identities_free(ids);
	arena_free(arena);
}

struct answers {
	const char *words[4]; /* NULL: nobody answers */
	size_t asked;
};

static bool give(void *context, const char *file, char *out, size_t size)
{
	struct answers *answers = context;
	const char *word = answers->asked < 4 ? answers->words[answers->asked] : NULL;

	assert_non_null(strstr(file, "/.ssh/id_ed25519"));
	answers->asked++;
	if (word != NULL)
		snprintf(out, size, "%s", word);
	return word != NULL;
}

/* A home with one encrypted key, and how often its passphrase is asked for. */
static void test_usual(void **state)
{
	static const struct {
		const char *name, *words[4];
		size_t asked;
		bool usable;
		const char *said; /* in the diagnostic; NULL: there is none */
	} rows[] = {
	    {"right", {"secret"}, 1, true, NULL},
	    {"the third is right", {"a", "b", "secret"}, 3, true, NULL},
	    {"wrong", {"a", "b", "c", "secret"}, 3, false, "the passphrase is wrong"},
	    {"nobody answers", {NULL}, 1, false, "add it to an agent"},
	    {"wrong, then nobody", {"a", NULL}, 2, false, "the passphrase is wrong"},
	};

	const char *named = "key";
	const struct host_spec any = {.agent = ""}, none = {.agent = "", .no_usual_keys = true},
			       other = {.agent = "", .identities = &named, .n_identities = 1};

	if (*state == NULL)
		skip();
	assert_int_equal(
	    unit_shell(NULL,
		"mkdir -m 700 -p %s/.ssh && ssh-keygen -q -N secret -C '' -t ed25519 -f "
		"%s/.ssh/id_ed25519",
		directory, directory),
	    0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct arena *arena = arena_new();
		struct diag_list diags = {.arena = arena};
		struct answers answers = {.asked = 0};
		memcpy(answers.words, rows[i].words, sizeof answers.words);
		struct identities *ids = identities_new(directory, give, &answers);
		assert_null(identities_usual(ids, &none, 0, &diags));
		assert_null(identities_usual(ids, &other, 0, &diags));
		const struct identity *key = identities_usual(ids, &any, 0, &diags);
		if (key->unusable == rows[i].usable || answers.asked != rows[i].asked ||
		    diags.n != (rows[i].said != NULL))
			fail_msg("%s: asked %zu times, %zu complaints", rows[i].name, answers.asked,
			    diags.n);
		if (rows[i].said != NULL)
			assert_non_null(strstr(diags.items[0].text, rows[i].said));
		/* The other usual files are not there, which is no complaint. */
		for (size_t k = 1; (key = identities_usual(ids, &any, k, &diags)) != NULL; k++)
			assert_true(key->unusable && key->problem == NULL);
		assert_ptr_equal(
		    identities_usual(ids, &any, 0, &diags), identities_usual(ids, &any, 0, &diags));
		assert_int_equal(answers.asked, rows[i].asked);
		assert_int_equal(diags.n, rows[i].said != NULL);
		identities_free(ids);
		arena_free(arena);
	}
}

/* A private key that others can read is used, with a warning. */
static void test_mode(void **state)
{
	static const struct {
		const char *mode;
		bool warned;
	} modes[] = {{"600", false}, {"400", false}, {"640", true}, {"604", true}, {"620", true}};
	char path[300];

	if (*state == NULL)
		skip();
	snprintf(path, sizeof path, "%s/ed25519", directory);
	for (size_t i = 0; i < COUNT(modes); i++) {
		struct arena *arena = arena_new();
		struct diag_list diags = {.arena = arena};
		struct identities *ids = identities_new(NULL, NULL, NULL);
		assert_int_equal(unit_shell(NULL, "chmod %s %s", modes[i].mode, path), 0);
		assert_false(identities_file(ids, path, "", &diags)->unusable);
		if (diags.n != modes[i].warned)
			fail_msg("mode %s: %zu complaints", modes[i].mode, diags.n);
		if (modes[i].warned)
			assert_non_null(strstr(diags.items[0].text, "others can read"));
		identities_free(ids);
		arena_free(arena);
	}
}

#define NEEDLE 48
#define MASK 0x55                      /* so that the needle itself is not found */
#define LARGEST ((uintptr_t)256 << 20) /* of what is searched: a sanitizer's own is larger */

__attribute__((no_sanitize("address", "thread"))) static bool is_within(
    uintptr_t from, uintptr_t to, const unsigned char *masked)
{
	const unsigned char *bytes;

	memcpy(&bytes, &from, sizeof bytes);
	for (size_t i = 0; i + NEEDLE <= to - from; i++) {
		size_t n = 0;
		while (n < NEEDLE && (bytes[i + n] ^ MASK) == masked[n])
			n++;
		if (n == NEEDLE)
			return true;
	}
	return false;
}

static bool is_in_memory(const unsigned char *masked)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512], *end;
	bool found = false;

	assert_non_null(maps);
	while (!found && fgets(line, sizeof line, maps) != NULL) {
		uintptr_t from = strtoumax(line, &end, 16), to = strtoumax(end + 1, &end, 16);
		if (strncmp(end, " rw", 3) == 0 && to - from <= LARGEST)
			found = is_within(from, to, masked);
	}
	fclose(maps);
	return found;
}

/* The text of a private key is nowhere once it has been read, whatever has grown for it. */
static void test_wiped(void **state)
{
	struct diag_list diags = {.arena = arena_new()};
	unsigned char masked[NEEDLE];
	char path[300];

	if (*state == NULL)
		skip();
	assert_int_equal(
	    unit_shell(NULL, "ssh-keygen -q -N '' -t rsa -b 2048 -f %s/wiped", directory), 0);
	snprintf(path, sizeof path, "%s/wiped", directory);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(pread(fd, masked, NEEDLE, 1000), NEEDLE);
	close(fd);
	for (size_t i = 0; i < NEEDLE; i++)
		masked[i] ^= MASK;

	struct identities *ids = identities_new(NULL, NULL, NULL);
	assert_false(identities_file(ids, path, NULL, &diags)->unusable);
	assert_false(is_in_memory(masked));
	identities_free(ids);
	arena_free(diags.arena);

	struct buf text = {0}; /* it would be found */
	read_file("wiped", &text);
	assert_true(is_in_memory(masked));
	buf_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_kinds),
	    cmocka_unit_test(test_encrypted),
	    cmocka_unit_test(test_ciphers),
	    cmocka_unit_test(test_rejects),
	    cmocka_unit_test(test_damaged),
	    cmocka_unit_test(test_foreign_public_part),
	    cmocka_unit_test(test_huge_rsa),
	    cmocka_unit_test(test_wrong_algorithm),
	    cmocka_unit_test(test_identities),
	    cmocka_unit_test(test_usual),
	    cmocka_unit_test(test_mode),
	    cmocka_unit_test(test_wiped),
	};

	return cmocka_run_group_tests_name("keyfile", tests, setup, teardown);
}
