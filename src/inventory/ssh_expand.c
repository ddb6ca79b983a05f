#include "oddhost/inventory/ssh_expand.h"

#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "oddhost/base/buf.h"

#define LONGEST 4096 /* of an expanded text */

void ssh_local_find(struct arena *arena, struct ssh_local *ret)
{
	const struct passwd *user = getpwuid(getuid());
	const char *home = getenv("HOME");
	char host[HOST_NAME_MAX + 1] = "";

	gethostname(host, sizeof host - 1);
	*ret = (struct ssh_local){
	    .user = arena_dup(arena, user == NULL ? "root" : user->pw_name),
	    .home = arena_dup(arena, home != NULL && *home != '\0' ? home
				     : user != NULL                ? user->pw_dir
								   : "/"),
	    .host = arena_dup(arena, host),
	    .uid = getuid(),
	};
}

const char *ssh_expand_home(struct arena *arena, const struct ssh_local *local, const char *path)
{
	const char *home = local->home, *rest = strchr(path, '/');

	if (path[0] != '~')
		return path;
	if (rest == NULL)
		rest = path + strlen(path);
	if (rest != path + 1) {
		struct view name = {path + 1, (size_t)(rest - path) - 1};
		const struct passwd *user = getpwnam(arena_dup_view(arena, name));
		if (user == NULL)
			return path;
		home = user->pw_dir;
	}
	return arena_printf(arena, "%s%s", home, rest);
}

/* Behind "${": the variable's value, and the cursor behind the '}'; NULL where there is none. */
static const char *take_variable(struct view *cursor)
{
	char name[128];
	long end = view_find_char(*cursor, '}');

	if (end <= 0 || (size_t)end >= sizeof name)
		return NULL;
	memcpy(name, cursor->p, (size_t)end);
	name[end] = '\0';
	*cursor = view_skip(*cursor, (size_t)end + 1);
	return getenv(name);
}

bool ssh_expand_check(struct view text, const char *letters, bool environment, struct err *err)
{
	while (text.n > 0) {
		if (environment && view_take(&text, "${")) {
			if (take_variable(&text) == NULL)
				return err_set(
				    err, "${NAME} with the name of a variable that is set");
		} else if (view_take(&text, "%")) {
			if (text.n == 0 || strchr(letters, text.p[0]) == NULL)
				return err_set(err,
				    "of the tokens only %%%% and those of the "
				    "letters %s",
				    letters);
			text = view_skip(text, 1);
		} else {
			text = view_skip(text, 1);
		}
	}
	return true;
}

static void add_token(struct buf *out, const struct ssh_tokens *tokens, char letter)
{
	const struct ssh_local *local = tokens->local;

	switch (letter) {
	case 'h':
		buf_puts(out, tokens->host);
		break;
	case 'n':
		buf_puts(out, tokens->original);
		break;
	case 'p':
		buf_puts(out, tokens->port);
		break;
	case 'r':
		buf_puts(out, tokens->user);
		break;
	case 'k':
		buf_puts(out, tokens->known_as);
		break;
	case 'u':
		buf_puts(out, local->user);
		break;
	case 'd':
		buf_puts(out, local->home);
		break;
	case 'i':
		buf_printf(out, "%u", local->uid);
		break;
	case 'l':
		buf_puts(out, local->host);
		break;
	case 'L':
		buf_printf(out, "%.*s", (int)strcspn(local->host, "."), local->host);
		break;
	default:
		buf_putc(out, letter);
	}
}

const char *ssh_expand(
    struct arena *arena, const struct ssh_tokens *tokens, const char *text, bool environment)
{
	struct buf out = {.max = LONGEST};
	struct view rest = view_of(text);

	if (strchr(text, '%') == NULL && (!environment || strstr(text, "${") == NULL))
		return text;
	while (rest.n > 0) {
		if (environment && view_take(&rest, "${")) {
			const char *value = take_variable(&rest);
			buf_puts(&out, value == NULL ? "" : value);
		} else if (rest.n >= 2 && rest.p[0] == '%') {
			add_token(&out, tokens, rest.p[1]);
			rest = view_skip(rest, 2);
		} else {
			buf_putc(&out, rest.p[0]);
			rest = view_skip(rest, 1);
		}
	}
	text = arena_dup(arena, buf_str(&out));
	buf_free(&out);
	return text;
}
