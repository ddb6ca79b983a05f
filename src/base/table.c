#include "oddhost/base/table.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "oddhost/base/mem.h"

/* Open addressing with linear probing, at most half full; a slot with a NULL value is free. */
struct table_slot {
	struct view key;
	void *value;
};

static uint64_t rotate(uint64_t x, unsigned by)
{
	return x << by | x >> (64 - by);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

static void sip_word(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	sip_round(v);
	v[0] ^= word;
}

/* SipHash-1-3 (Aumasson, Bernstein: "SipHash: a fast short-input PRF"). */
static uint64_t table_hash(const struct table *table, struct view key)
{
	uint64_t v[4] = {table->seed[0] ^ 0x736f6d6570736575, table->seed[1] ^ 0x646f72616e646f6d,
	    table->seed[0] ^ 0x6c7967656e657261, table->seed[1] ^ 0x7465646279746573};
	uint64_t word, last = (uint64_t)key.n << 56;

	for (; key.n >= 8; key = view_skip(key, 8)) {
		memcpy(&word, key.p, 8);
		sip_word(v, word);
	}
	for (size_t i = 0; i < key.n; i++)
		last |= (uint64_t)(unsigned char)key.p[i] << 8 * i;
	sip_word(v, last);
	v[2] ^= 0xff;
	sip_round(v);
	sip_round(v);
	sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static struct table_slot *table_find(const struct table *table, struct view key)
{
	size_t i = (size_t)table_hash(table, key) & (table->cap - 1);

	while (table->slots[i].value != NULL && !view_same(table->slots[i].key, key))
		i = (i + 1) & (table->cap - 1);
	return &table->slots[i];
}

static void table_resize(struct table *table)
{
	struct table_slot *old = table->slots;
	size_t n = table->cap;

	/* A weak seed costs speed under attack, nothing else. */
	if (old == NULL && getrandom(table->seed, sizeof table->seed, GRND_NONBLOCK) < 0)
		table->seed[0] = (uint64_t)(uintptr_t)table;
	table->cap = n ? n * 2 : 16;
	table->slots = mem_alloc(table->cap * sizeof *table->slots);
	for (size_t i = 0; i < n; i++) {
		if (old[i].value != NULL)
			*table_find(table, old[i].key) = old[i];
	}
	free(old);
}

void table_free(struct table *table)
{
	free(table->slots);
	*table = (struct table){0};
}

void *table_get(const struct table *table, struct view key)
{
	return table->cap == 0 ? NULL : table_find(table, key)->value;
}

void *table_add(struct table *table, struct view key, void *value)
{
	if (table->n * 2 >= table->cap)
		table_resize(table);

	struct table_slot *slot = table_find(table, key);
	if (slot->value == NULL) {
		*slot = (struct table_slot){key, value};
		table->n++;
	}
	return slot->value;
}
