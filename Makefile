# oddhost: finds the odd host out.   make, make demo, make check, make help
CC ?= cc
CFLAGS ?= -O2 -g
PREFIX ?= /usr/local
B := .build/$(or $(FLAVOUR),release)

CPPFLAGS += -D_GNU_SOURCE -Iinclude -I$(B)
WARN := -Wall -Wextra -Wshadow -Wvla -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes \
	-Wwrite-strings -Wformat=2 -Wundef
HARDEN := -std=gnu11 -fstack-protector-strong -fPIE -pthread
ALL_CFLAGS = $(HARDEN) $(WARN) $(if $(DEV),-Werror) $(CFLAGS) $(SANITIZE)
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now -pthread $(LDFLAGS) $(SANITIZE)
LIBS := -lssh2 -lcrypto -lcjson -lcidr -lm

SRC := $(filter-out src/main.c,$(wildcard src/*/*.c))
OBJ := $(SRC:src/%.c=$(B)/%.o)
UNIT := $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/test_*.c))
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-6s %s\n' '$(1)' '$(patsubst $(B)/%,%,$@)')

all: $(B)/oddhost

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

$(B)/unit/%: tests/unit/%.c $(B)/liboddhost.a
	$(call say,TEST)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -o $@ $< $(B)/liboddhost.a $(ALL_LDFLAGS) -lcmocka $(LIBS)

unit: $(UNIT)
	$(Q)for t in $(UNIT); do $$t || exit 1; done

clean:
	rm -rf .build

-include $(OBJ:.o=.d) $(B)/main.d $(UNIT:=.d)
.PHONY: all unit clean
.SECONDARY:
