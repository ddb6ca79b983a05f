#!/bin/sh
# What the compiler does not check: layers, foreign headers, banned calls, formatting, cppcheck,
# clang-tidy, shellcheck where it is there. Prints each offence; exit 1 where there is one.
cd "$(dirname "$0")/.." || exit 2
report=$(mktemp)
trap 'rm -f "$report"' EXIT

# offences TITLE: what comes on stdin is wrong.
offences() {
	found=$(cat)
	[ -n "$found" ] || return 0
	printf '%s\n%s\n' "lint: $1" "$found" | sed '2,$s/^/  /' | tee -a "$report" >&2
}

# sources PATTERN...: our files; a '*' in a pattern also stands for directories.
sources() {
	for pattern in "$@"; do
		find src include tests -type f -path "$pattern"
	done | sort -u
}

# code FILE...: the lines of C, without comments and the insides of strings, as FILE:LINE:TEXT.
code() {
	awk '
	FNR == 1 { comment = 0 }
	{
		line = $0
		out = ""
		while (line != "") {
			if (comment) {
				at = index(line, "*/")
				if (at == 0) { line = ""; break }
				line = substr(line, at + 2)
				comment = 0
			} else if (match(line, /\/\*|\/\/|"([^"\\]|\\.)*"/)) {
				start = substr(line, RSTART, 2)
				if (start == "//") { out = out substr(line, 1, RSTART - 1); line = ""; break }
				out = out substr(line, 1, RSTART - 1)
				if (start == "/*") { comment = 1; line = substr(line, RSTART + 2) }
				else { out = out "\"\""; line = substr(line, RSTART + RLENGTH) }
			} else { out = out line; line = "" }
		}
		print FILENAME ":" FNR ":" out
	}' "$@"
}

# layer NAME ALLOWED...: what a layer may include of our own headers.
layer() {
	name=$1
	shift
	allowed=$(printf '|%s' "$name" "$@")
	sources "src/$name/*.c" "src/$name/*.h" "include/oddhost/$name/*.h" |
		xargs -r grep -nE '#include "oddhost/' /dev/null |
		grep -vE "\"oddhost/(${allowed#|})/" |
		offences "layer $name may include only: $name $*"
}

layer base
layer net base
layer model base net
for peer in inventory parse check report collect; do
	layer $peer base net model
done
layer cli base net model inventory parse check report collect

# foreign HEADER PATTERN: where a header of others may be included.
foreign() {
	sources '*.c' '*.h' | grep '^src\|^include' |
		xargs grep -nE "#include <(.*/)?$1>" /dev/null | grep -vE "^($2)" |
		offences "$1 belongs in $2 only"
}

foreign 'libcidr\.h' 'src/net/prefix\.c'
foreign 'pcre2\.h' 'src/inventory/pattern\.c'
foreign 'cJSON\.h' 'src/base/json\.c'
foreign 'libssh2[a-z_]*\.h' 'src/collect/'
foreign 'sys/epoll\.h' 'src/collect/loop\.c'
foreign 'pthread\.h' 'src/(base/parallel|collect/(runner|offload|identity|known_store))\.c'

program=$(sources 'src/*.c' 'src/*.h' 'include/*.h')
# shellcheck disable=SC2086
{
	code $program | grep -E '[^a-zA-Z0-9_](strcpy|strcat|sprintf|vsprintf|strtok|strtok_r|atoi|atol|atof|gets|sscanf|cidr_from_str|system|popen|alloca)\(' |
		offences 'banned calls'
	code $program | grep -vE '^(src/cli/|src/main\.c|src/base/mem\.c)' |
		grep -E '[^a-zA-Z0-9_](printf|puts|putchar|perror|vprintf|fprintf|fputs|exit|abort)\(' |
		offences 'only cli prints and ends the program'
	code $program | grep -E ':typedef struct' | offences 'typedef struct'
}

for c in $(sources 'src/*/*.c'); do
	header=include/oddhost/${c#src/}
	case $c in
	src/cli/*) continue ;; # one command each, all declared in cli.h
	src/check/rule_*) continue ;; # one rule each, all declared in rules.h
	esac
	# A big module may be in two files: run.c and run_dir.c.
	[ -e "${header%.c}.h" ] || [ -e "${header%_*}.h" ] || [ -e "${c%.c}.h" ] || echo "$c"
done | offences 'no header of that name'

# shellcheck disable=SC2046
clang-format --dry-run -Werror $(sources '*.c' '*.h') 2>&1 | grep -E '^[^ ].*error' | head -n 20 |
	offences 'formatting (make format)'

cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr \
	--suppress=missingIncludeSystem --error-exitcode=0 -j "$(nproc)" -D_GNU_SOURCE -Iinclude \
	--template='{file}:{line}: {severity}: {message} [{id}]' src 2>&1 | offences 'cppcheck'

# tidy CHECKS: on the files that stdin names. The analyser does not know that cmocka's assertions
# end a test, and so is not asked about tests.
tidy() {
	# shellcheck disable=SC2016 # expanded in there
	xargs -P "$(nproc)" -n 4 sh -c 'checks=$1; shift; clang-tidy --quiet --checks="$checks" "$@" \
		-- -std=gnu11 -D_GNU_SOURCE -Iinclude 2>/dev/null' tidy "$1"
}
{
	sources 'src/*.c' | tidy ''
	sources 'tests/*.c' | tidy '-clang-analyzer-*'
} |
	grep -E ': (warning|error):' | sort -u | offences 'clang-tidy'

if command -v shellcheck >/dev/null; then
	# shellcheck disable=SC2046
	shellcheck .ci/deps .ci/run tests/replay/answer $(sources '*.sh') | offences 'shellcheck'
fi

[ ! -s "$report" ] || exit 1
echo "lint: clean"
