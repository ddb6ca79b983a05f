#include "oddhost/collect/wire.h"

bool wire_get_u32(struct view *cursor, uint32_t *ret)
{
	const unsigned char *p = (const unsigned char *)cursor->p;

	if (cursor->n < 4)
		return false;
	*ret = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
	*cursor = view_skip(*cursor, 4);
	return true;
}

bool wire_get_string(struct view *cursor, struct view *ret)
{
	struct view rest = *cursor;
	uint32_t n;

	if (!wire_get_u32(&rest, &n) || n > rest.n)
		return false;
	*ret = view_left(rest, n);
	*cursor = view_skip(rest, n);
	return true;
}

void wire_put_u32(struct buf *out, uint32_t value)
{
	unsigned char bytes[4] = {(unsigned char)(value >> 24), (unsigned char)(value >> 16),
	    (unsigned char)(value >> 8), (unsigned char)value};

	buf_add(out, bytes, sizeof bytes);
}

void wire_put_string(struct buf *out, struct view value)
{
	wire_put_u32(out, (uint32_t)value.n);
	buf_add_view(out, value);
}

void wire_put_mpint(struct buf *out, struct view number)
{
	while (number.n > 0 && number.p[0] == 0)
		number = view_skip(number, 1);

	bool pad = number.n > 0 && (number.p[0] & 0x80) != 0;
	wire_put_u32(out, (uint32_t)(number.n + pad));
	if (pad)
		buf_putc(out, '\0');
	buf_add_view(out, number);
}
