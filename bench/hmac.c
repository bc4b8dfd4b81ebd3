/* Benchmark "hmac": a signature by a named key, as a connector asks for one (look-up, algorithm, room, HMAC), of as
 * many bytes as an order of Binance has. Floor: the bare hash functions on a key that was hashed in advance; HMAC
 * cannot do with fewer blocks. Peer: libsodium's HMAC on the same terms. Ed25519's floor is libsodium's bare call,
 * which is what ours makes. One JSON line a figure. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/sha.h>
#include <sodium.h>

#include "bench/measure.h"
#include "core/secrets/signer.h"

#define ROUNDS 15
#define HMACS 40000
#define ED25519S 1000
#define SECRET "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j" /* of Binance's documentation */

const char *const bench_name = "hmac";

static const char order[] = "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=IOC&quantity=1&price=0.1&recvWindow=5000"
			    "&newClientOrderId=0001000000010000000a000100010001&timestamp=1499827319559";
static uint8_t signature[64];

/* ------------------------------------------------------------------ floors */

static SHA256_CTX inner, outer;
static crypto_auth_hmacsha256_state sodium_keyed;
static uint8_t ed25519[64];

static void floors_init(void)
{
	uint8_t block[64], public[32], seed[32] = {0};
	for (int i = 0; i < 64; i++)
		block[i] = SECRET[i] ^ 0x36;
	SHA256_Init(&inner);
	SHA256_Update(&inner, block, 64);
	for (int i = 0; i < 64; i++)
		block[i] = SECRET[i] ^ 0x5c;
	SHA256_Init(&outer);
	SHA256_Update(&outer, block, 64);
	crypto_auth_hmacsha256_init(&sodium_keyed, (const uint8_t *)SECRET, 64);
	crypto_sign_seed_keypair(public, ed25519, seed);
}

static void hmac_floor(void)
{
	SHA256_CTX hash = inner;
	SHA256_Update(&hash, order, sizeof order - 1);
	SHA256_Final(signature, &hash);
	hash = outer;
	SHA256_Update(&hash, signature, 32);
	SHA256_Final(signature, &hash);
}

static void hmac_peer(void)
{
	crypto_auth_hmacsha256_state hash = sodium_keyed;
	crypto_auth_hmacsha256_update(&hash, (const uint8_t *)order, sizeof order - 1);
	crypto_auth_hmacsha256_final(&hash, signature);
}

static void ed25519_floor(void)
{
	crypto_sign_detached(signature, NULL, (const uint8_t *)order, sizeof order - 1, ed25519);
}

/* -------------------------------------------------------------------- ours */

static struct keys *keys;

static void hmac_ours(void)
{
	signer_sign(keys, TG_STR("binance"), TG_SIGN_HMAC_SHA256, (const uint8_t *)order, sizeof order - 1, signature,
		    sizeof signature);
}

static void ed25519_ours(void)
{
	signer_sign(keys, TG_STR("private"), TG_SIGN_ED25519, (const uint8_t *)order, sizeof order - 1, signature,
		    sizeof signature);
}

/* The zero seed of the floor as PKCS #8. */
#define PRIVATE \
	"-----BEGIN PRIVATE KEY-----\n" \
	"MC4CAQAwBQYDK2VwBCIEIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n" \
	"-----END PRIVATE KEY-----\n"

static int keys_make(void)
{
	struct key_choice choice[] = {{.name = "binance", .from = "env", .prefix = "A_", .encoding = "text"},
				      {.name = "private", .from = "env", .prefix = "B_", .encoding = "text"}};
	struct tg_error error = {.size = sizeof error};
	setenv("A_KEY_ID", "a", 1);
	setenv("A_SECRET", SECRET, 1);
	setenv("B_KEY_ID", "b", 1);
	setenv("B_SECRET", PRIVATE, 1);
	return keys_open(choice, 2, &keys, &error);
}

/* ----------------------------------------------------------------- figures */

static double call_ns(void (*sign)(void), int calls)
{
	int64_t start = now_ns();
	for (int i = 0; i < calls; i++)
		sign();
	return (double)(now_ns() - start) / calls;
}

/* In turn, so that a change of clock rate meets all. Without a peer: NULL. */
static void signs_measure(const char *metric, int calls, void (*ours)(void), void (*least)(void), void (*peer)(void))
{
	double own[ROUNDS], floor[ROUNDS], other[ROUNDS] = {0};
	for (int i = 0; i < ROUNDS; i++) {
		own[i] = call_ns(ours, calls);
		floor[i] = call_ns(least, calls);
		if (peer)
			other[i] = call_ns(peer, calls);
	}
	figure_print(&(struct figure){metric, "ns", "lower", median(own, ROUNDS), median(floor, ROUNDS),
				      median(other, ROUNDS), peer ? "libsodium" : NULL});
}

/* The three must agree, else they do not do the same. */
static bool agree(void (*one)(void), void (*other)(void), size_t len)
{
	uint8_t first[sizeof signature];
	one();
	memcpy(first, signature, sizeof first);
	memset(signature, 0, sizeof signature);
	other();
	return memcmp(first, signature, len) == 0;
}

int main(void)
{
	if (sodium_init() < 0 || keys_make() != 0) {
		fprintf(stderr, "bench_hmac: no keys\n");
		return 1;
	}
	floors_init();
	if (!agree(hmac_ours, hmac_floor, 32) || !agree(hmac_ours, hmac_peer, 32) ||
	    !agree(ed25519_ours, ed25519_floor, 64)) {
		fprintf(stderr, "bench_hmac: the signatures differ\n");
		return 1;
	}
	signs_measure("hmac_sha256_ns", HMACS, hmac_ours, hmac_floor, hmac_peer);
	signs_measure("ed25519_ns", ED25519S, ed25519_ours, ed25519_floor, NULL);
	keys_close(keys);
	return 0;
}
