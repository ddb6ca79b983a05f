# oddhost: finds the odd host out.   make, make demo, make check, make help
CC ?= cc
CFLAGS ?= -O2 -g
PREFIX ?= /usr/local
FUZZ_SECONDS ?= 10
FUZZ_RUNS ?= 20000
FUZZ_SEED ?= 1
RECALL_SEEDS ?= 5
B := .build/$(or $(FLAVOUR),$(if $(DEV),dev,release))

CPPFLAGS += -D_GNU_SOURCE -Iinclude -I$(B)
WARN := -Wall -Wextra -Wshadow -Wvla -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes \
	-Wwrite-strings -Wformat=2 -Wundef
HARDEN := -std=gnu11 -fstack-protector-strong -fPIE -pthread \
	$(if $(SANITIZE),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
ALL_CFLAGS = $(HARDEN) $(WARN) $(if $(DEV),-Werror) $(CFLAGS) $(SANITIZE)
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now -Wl,--version-script=src/collect/hmac.map -pthread $(LDFLAGS) \
	$(SANITIZE)
LIBS := -lssh2 -lcrypto -lcjson -lcidr -lpcre2-8 -lm

SRC := $(filter-out src/main.c,$(wildcard src/*/*.c))
OBJ := $(SRC:src/%.c=$(B)/%.o) $(B)/share/stylesheet.o
UNIT := $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/test_*.c))
E2E := $(patsubst tests/e2e/%.c,$(B)/e2e/%,$(wildcard tests/e2e/test_*.c))
FUZZ := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
BENCH_BUILT := $(addprefix $(B)/bench/,measure answer lo.so)
FUZZ_MAIN ?= tests/fuzz/replay.c
# In a recipe with the harness' name in $$n: its corpus, and the fixtures that are seeds as well.
fuzz_seeds = $$(ls -d tests/fuzz/corpus/$$n 2>/dev/null; sed -n "s/^$$n //p" tests/fuzz/seeds)
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-6s %s\n' '$(1)' '$(patsubst $(B)/%,%,$@)')
# This makefile again, on all processors where nothing else was said.
sub = $(MAKE) --no-print-directory $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))
sanitizers := -fsanitize=address,undefined -fno-sanitize-recover=all
asan = FLAVOUR=asan DEV=1 CFLAGS="-O1 -g -fno-omit-frame-pointer -Wno-format-truncation" \
	SANITIZE="$(sanitizers)"
tsan = FLAVOUR=tsan DEV=1 CFLAGS="-O1 -g -Wno-format-truncation" SANITIZE=-fsanitize=thread

all: $(B)/oddhost ## build the program: .build/release/oddhost

deps: ## install what building and the demo need, where it is missing
	$(Q).ci/deps demo

demo: ## four recorded hosts on loopback, and the main job on them
	$(Q).ci/deps demo
	$(Q)$(sub) all
	$(Q)tests/replay/demo.sh $(B)/oddhost

check: checks ## all tests that a plain user can run, also under ASan and UBSan
	$(Q)$(sub) DEV=1 fault

checks: # without the fault table, of which check-all has all
	$(Q).ci/deps check
	$(Q)$(sub) DEV=1 all unit
	$(Q)$(sub) asan
	$(Q)$(sub) DEV=1 e2e
	$(Q)$(sub) DEV=1 recall

check-all: checks ## and those that need root, a browser, clang or Ansible
	$(Q).ci/deps all
	$(Q)$(sub) DEV=1 CC=clang FLAVOUR=clang all
	$(Q)$(sub) fuzz
	$(Q)$(sub) DEV=1 more
	$(Q)$(sub) fault-all
	$(Q)$(sub) DEV=1 lab
	$(Q)$(sub) DEV=1 FORECAST_ROUNDS=40 lab-engines

asan: ## the tests under the address and undefined-behaviour sanitizers
	$(Q)$(sub) $(asan) all unit corpus e2e

fault-all: ## the fault table: all of it; under ASan, TSan; 50 hosts under valgrind
	$(Q).ci/deps all
	$(Q)$(sub) DEV=1 FAULTS=all fault
	$(Q)$(sub) $(asan) fault
	$(Q)$(sub) $(tsan) fault
	$(Q)$(sub) DEV=1 FAULTS=memcheck fault

# LAB="healthy incident" plays these scenarios only: see tests/lab/README.md.
lab: ## scenarios on real engines and kernels (needs root)
	$(Q).ci/deps lab
	$(Q)$(sub) all
	$(Q)tests/lab/run.py $(B)/oddhost $(LAB)
	$(Q)$(if $(LAB),,tests/lab/cloud_metadata.py $(B)/oddhost)

# A second or so for each of FORECAST_ROUNDS (150).
lab-engines: ## what real engines hand out, and do with the advice, is what was said (needs root)
	$(Q).ci/deps lab
	$(Q)$(sub) all
	$(Q)tests/lab/forecast_oracle.py $(B)/oddhost $(FORECAST_ROUNDS)
	$(Q)tests/lab/forecast_advise.py $(B)/oddhost

lint: ## layers, banned calls, formatting, cppcheck, clang-tidy
	$(Q).ci/deps lint
	$(Q)tests/lint.sh

format: ## clang-format on all of the C
	find src include tests -name '*.[ch]' -exec clang-format -i {} +

fuzz: ## every fuzz harness for FUZZ_SECONDS (needs clang)
	$(Q)$(sub) FLAVOUR=fuzz CC=clang CFLAGS="-O1 -g" FUZZ_MAIN=-fsanitize=fuzzer \
		SANITIZE="$(sanitizers) -fsanitize=fuzzer-no-link" fuzzing

# BENCH="peers trips" takes these sections only; see tests/bench/README.md.
bench: ## costs beside parallel-ssh, pdsh, clush and ssh (half an hour; BENCH_QUICK=1: a few minutes)
	$(Q).ci/deps bench
	$(Q)$(sub) all $(BENCH_BUILT)
	$(Q)PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 tests/bench/bench.py $(B)/oddhost $(B)/bench $(BENCH)

install: all ## to $(DESTDIR)$(PREFIX)
	install -D -m 0755 $(B)/oddhost "$(DESTDIR)$(PREFIX)/bin/oddhost"
	install -D -m 0644 src/share/oddhost.1 "$(DESTDIR)$(PREFIX)/share/man/man1/oddhost.1"
	$(B)/oddhost completion >$(B)/completion
	install -D -m 0644 $(B)/completion "$(DESTDIR)$(PREFIX)/share/bash-completion/completions/oddhost"

uninstall: ## what install put there
	rm -f "$(DESTDIR)$(PREFIX)/bin/oddhost" "$(DESTDIR)$(PREFIX)/share/man/man1/oddhost.1" \
		"$(DESTDIR)$(PREFIX)/share/bash-completion/completions/oddhost"

clean: ## what was built; an unpacked sshd or docker stays
	$(Q)[ ! -d .build ] || find .build -mindepth 1 -maxdepth 1 ! -name sshd ! -name docker -exec rm -rf {} +

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1	\2/p' Makefile | expand -t 20
	@echo 'V=1 shows the commands, DEV=1 turns warnings into errors.'

$(B)/oddhost: $(B)/main.o $(B)/liboddhost.a
	$(call say,LINK)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

$(B)/liboddhost.a: $(OBJ)
	$(call say,AR)
	$(Q)rm -f $@ && ar rcs $@ $^

$(B)/%.o: src/%.c
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/share/stylesheet.c: src/share/report.css
	@mkdir -p $(@D)
	$(Q){ echo '#include "oddhost/report/html.h"'; echo 'const char html_stylesheet[] ='; \
		sed 's/[\\"]/\\&/g; s/.*/"&\\n"/' $<; echo ';'; } >$@

$(B)/share/%.o: $(B)/share/%.c
	$(call say,CC)
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -c -o $@ $<

$(B)/unit/%: tests/unit/%.c $(B)/liboddhost.a
	$(call say,TEST)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -o $@ $< $(B)/liboddhost.a $(ALL_LDFLAGS) -lcmocka $(LIBS)

$(B)/e2e/%: tests/e2e/%.c tests/e2e/drive.c tests/e2e/drive.h $(B)/liboddhost.a
	$(call say,TEST)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -o $@ $< tests/e2e/drive.c $(B)/liboddhost.a $(ALL_LDFLAGS) -lcmocka $(LIBS)

$(B)/fuzz/%: tests/fuzz/%.c tests/fuzz/kind.h tests/fuzz/replay.c $(B)/liboddhost.a
	$(call say,FUZZ)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -o $@ $< $(FUZZ_MAIN) $(B)/liboddhost.a $(ALL_LDFLAGS) $(LIBS)

$(B)/bench/%.so: tests/bench/%.c
	$(call say,BENCH)
	@mkdir -p $(@D)
	$(Q)$(CC) -D_GNU_SOURCE -std=gnu11 $(WARN) $(CFLAGS) -fPIC -shared -o $@ $< -ldl

$(B)/bench/%: tests/bench/%.c
	$(call say,BENCH)
	@mkdir -p $(@D)
	$(Q)$(CC) -D_GNU_SOURCE -std=gnu11 $(WARN) $(CFLAGS) -static -o $@ $<

unit: $(UNIT)
	$(Q)status=0; for t in $(UNIT); do $$t || status=1; done; exit $$status

corpus: $(FUZZ)
	$(Q)status=0; for f in $(FUZZ); do n=$${f##*/fuzz_}; \
		$$f $(fuzz_seeds) || status=1; done; exit $$status

fuzzing: $(FUZZ)
	$(Q)for f in $(FUZZ); do n=$${f##*/fuzz_}; echo "  FUZZ   $$n, $(FUZZ_SECONDS) s"; \
		mkdir -p $(B)/found/$$n; $$f -seed=$(FUZZ_SEED) -runs=$(FUZZ_RUNS) -max_total_time=$(FUZZ_SECONDS) -timeout=10 -verbosity=0 \
		-artifact_prefix=$(B)/found/$$n. $(B)/found/$$n $(fuzz_seeds) || exit 1; done

e2e: $(B)/oddhost $(B)/e2e/test_incident $(B)/e2e/test_gather $(B)/e2e/test_read
	$(Q)tests/e2e/run.sh $(B) $(B)/e2e/test_incident
	$(Q)tests/e2e/run.sh $(B) $(B)/e2e/test_gather
	$(Q)tests/e2e/run.sh $(B) $(B)/e2e/test_read

more: $(B)/oddhost $(B)/e2e/test_more
	$(Q)tests/e2e/run.sh $(B) $(B)/e2e/test_more

recall: $(B)/oddhost ## synthetic fleets of 1,000 hosts: is every planted fault found, and no host accused?
	$(Q)PYTHONDONTWRITEBYTECODE=1 tests/bench/recall.py $(B)/oddhost --seeds $(RECALL_SEEDS)

fault: $(B)/oddhost ## the fault table, as far as a plain user and OpenSSH can make the faults
	$(Q)tests/fault/table.py $(B) $(or $(FAULTS),quick)

# Tests that were asked for together run one after the other.
corpus: $(filter unit,$(MAKECMDGOALS))
e2e: $(filter unit corpus,$(MAKECMDGOALS))

-include $(OBJ:.o=.d) $(B)/main.d $(UNIT:=.d)
.PHONY: all deps demo check check-all asan lint format fuzz bench install uninstall clean help checks unit corpus \
	fuzzing e2e more recall fault fault-all lab lab-engines
.SECONDARY:
