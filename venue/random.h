/* Random numbers that are the same on every machine: 64-bit integer arithmetic, and of doubles only + - * / and sqrt,
 * which IEEE 754 rounds exactly. Owner: whoever holds the state. */
#ifndef TRIGATE_VENUE_RANDOM_H
#define TRIGATE_VENUE_RANDOM_H

#include <math.h>
#include <stdint.h>

struct random {
	uint64_t state;
};

/* SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014). */
static inline uint64_t random_next(struct random *random)
{
	uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* A stream of its own for each purpose, so that one use does not shift the numbers of another. */
static inline struct random random_stream(uint64_t seed, uint64_t run, uint64_t purpose)
{
	struct random mixer = {seed};
	uint64_t a = random_next(&mixer) ^ run;
	mixer.state = a;
	return (struct random){random_next(&mixer) ^ purpose * UINT64_C(0xd1342543de82ef95)};
}

/* Uniform in 0..bound-1, bound > 0; the bias is under bound / 2^32. */
static inline uint32_t random_below(struct random *random, uint32_t bound)
{
	return (uint32_t)((random_next(random) >> 32) * bound >> 32);
}

/* Uniform in (0, 1]. */
static inline double random_unit(struct random *random)
{
	return (double)((random_next(random) >> 11) + 1) / 9007199254740992.0;
}

/* Mean 0, deviation 1, nearly normal: a sum of four uniforms. */
static inline double random_bell(struct random *random)
{
	double sum = random_unit(random) + random_unit(random);
	sum = sum + random_unit(random) + random_unit(random);
	return (sum - 2.0) * 1.7320508075688772;
}

/* Pareto with exponent 4/3, at least 1: the mean is 4, the variance infinite. U^(3/4) needs square roots only. */
static inline double random_pareto(struct random *random)
{
	double root = sqrt(random_unit(random));
	return 1.0 / (root * sqrt(root));
}

#endif
