#include "oddhost/inventory/ssh_args.h"

#include <string.h>

#include "oddhost/base/buf.h"
#include "oddhost/inventory/words.h"

bool ssh_args_read(struct view text, void (*take)(void *arg, char letter, struct view value),
    void *arg, struct err *err)
{
	static const char with_value[] = "BbcDEeFIiJLlmOoPpQRSWw";
	struct buf word = {0};
	bool found, ok;

	while ((ok = words_next(&text, false, &word, &found, err)) && found) {
		struct view rest = buf_view(&word);
		if (!view_take(&rest, "-") || rest.n == 0) {
			take(arg, '\0', buf_view(&word));
			continue;
		}
		while (rest.n > 0) {
			char letter = rest.p[0];
			rest = view_skip(rest, 1);
			if (strchr(with_value, letter) == NULL) {
				take(arg, letter, view_of(""));
				continue;
			}
			if (rest.n == 0 && (ok = words_next(&text, false, &word, &found, err)))
				rest = found ? buf_view(&word) : view_of("");
			if (ok)
				take(arg, letter, rest);
			break;
		}
		if (!ok)
			break;
	}
	buf_free(&word);
	return ok;
}
