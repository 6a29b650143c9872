/* slow STATUS: computes for some time slices, checks what it computed, and ends with the status. */
#include "tests/system/programs/check.h"

enum { WORDS = 4096, ROUNDS = 3000 };

int main(int argc, char *argv[])
{
    static uint64_t words[WORDS];
    uint64_t sum = 0, state = number_of(argv[1]) + 1, check = state;
    for (unsigned round = 0; round < ROUNDS; round++)
        for (unsigned i = round % 8; i < WORDS; i += 8)
            sum += words[i] = random_next(&state);
    uint64_t again = 0;
    for (unsigned round = 0; round < ROUNDS; round++)
        for (unsigned i = round % 8; i < WORDS; i += 8)
            again += random_next(&check);
    CHECK(sum == again);
    return number_of(argv[1]);
}
