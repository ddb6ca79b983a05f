/*
 * OpenSSL's HMAC_Init_ex() as libssh2 finds it in this program: the same function, spared a search.
 *
 * libssh2 makes an HMAC anew for each packet, with EVP_sha256(); OpenSSL 3 looks the implementation
 * of such a digest up by its name each time, under locks, where it was not fetched before
 * (crypto(7), "ALGORITHM FETCHING"). A host is some seventy packets, and the searches are a
 * twentieth of all instructions that it costs us. Neither library has a setting for it, so hmac.c
 * defines the function, and the dynamic linker takes it before libcrypto's (ld.so(8)). hmac.map
 * gives it libcrypto 3's version: who was linked to another libcrypto does not find it. With
 * another version of the symbol, all is as OpenSSL does it; a static libcrypto cannot be linked.
 */
#ifndef ODDHOST_COLLECT_HMAC_H
#define ODDHOST_COLLECT_HMAC_H

/*
 * From now on SHA-256 is found at once. Call it before there are threads; more than once is well.
 * Without it, or where it finds nothing, all is as OpenSSL does it.
 */
void hmac_fetch(void);

#endif
