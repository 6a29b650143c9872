/* rivals SEED ROUNDS: in each round some processes do anything at all at once (random wild) and are
 * killed at some moment; afterwards all cores can be had again; "ok" at the end. */
#include "tests/system/programs/check.h"

enum { RIVALS_MAX = 4, LONGEST = 6000000, GENERATIONS = 2 };

static int start(uint64_t *state)
{
    char seed[24], generations[24];
    snprintf(seed, sizeof seed, "%lu", random_next(state) >> 1);
    snprintf(generations, sizeof generations, "%lu", random_next(state) % (GENERATIONS + 1));
    return child_start("random", "wild", seed, generations, NULL);
}

static void round_of_rivals(uint64_t *state)
{
    int child[RIVALS_MAX], count = 1 + random_next(state) % RIVALS_MAX;
    for (int i = 0; i < count; i++)
        child[i] = start(state);
    compute(random_next(state) % LONGEST);
    for (int i = 0; i < count; i++)
        CHECK_IS(child_kill(child[i]), 0);
    for (int i = count - 1; i >= 0; i--)
        CHECK(child_wait(child[i]) >= 0);
}

int main(int argc, char *argv[])
{
    uint64_t state = number_of(argv[1]) * 0x9e3779b97f4a7c15;
    unsigned most = pando_procinfo()->max_vcores;
    for (long i = 0, rounds = number_of(argv[2]); i < rounds; i++)
        round_of_rivals(&state);
    CHECK(pando_vcores_request(most) >= 1);
    while (pando_procinfo()->amt_granted < most) /* grandchildren end in their own time */
        ;
    printf("ok\n");
    return 0;
}
