/* Question: how evenly does a multiplication spread over vcores? bench_matmul [-n VCORES]
 *
 * Multiplies two dense matrices of a fixed seed between two marks that an emulator's plug-in sees.
 * Prints a checksum of the product, which is the same on any number of vcores. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bin/matmul/dense.h"
#include "pando.h"

#define DIMENSION 512
#define SEED      494

/* The long NOP `nopl 0x4d4b00NN(%rax)`; bench/plugin/pcount.c: 1 opens a region, 2 closes it. */
#define MARK(number) __asm__ volatile("nopl 0x4d4b0000+" #number "(%%rax)" ::: "memory")

static struct dense a, b, c;

struct work {
    struct dense_share share;
    struct uthread *uthread;
};

static void fail(const char *what)
{
    fprintf(stderr, "bench_matmul: %s\n", what);
    exit(EXIT_FAILURE);
}

static unsigned parse_vcores(int argc, char **argv)
{
    if (argc == 1)
        return 1;
    long vcores = argc == 3 && !strcmp(argv[1], "-n") ? strtol(argv[2], NULL, 10) : 0;
    if (vcores < 1 || vcores > (long)pando_procinfo()->max_vcores)
        fail("usage: bench_matmul [-n VCORES], at most what the machine can give");
    return (unsigned)vcores;
}

/* Knuth's MMIX generator; the upper bits as a double in [-1, 1). */
static double next_value(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (double)(int64_t)(*state >> 11) / (double)(1ull << 52) - 1;
}

static void make_matrices(void)
{
    uint64_t state = SEED;
    if (dense_make(&a, DIMENSION, DIMENSION) || dense_make(&b, DIMENSION, DIMENSION) ||
        dense_make(&c, DIMENSION, DIMENSION))
        fail("out of memory");
    for (size_t i = 0; i < (size_t)DIMENSION * DIMENSION; i++) {
        a.values[i] = next_value(&state);
        b.values[i] = next_value(&state);
        c.values[i] = 1; /* has its pages in place before the region opens */
    }
}

static void *work_run(void *argument)
{
    const struct work *work = argument;
    dense_multiply_rows(&c, &a, &b, work->share.begin, work->share.end);
    return NULL;
}

static void multiply(unsigned vcores)
{
    static struct work work[VCORES_MAX];
    for (unsigned i = 0; i < vcores; i++)
        work[i].share = dense_share_of(DIMENSION, i, vcores);
    MARK(1);
    for (unsigned i = 0; i < vcores; i++)
        if (uthread_create(&work[i].uthread, work_run, &work[i]))
            fail("a uthread cannot be made");
    for (unsigned i = 0; i < vcores; i++)
        uthread_join(work[i].uthread, NULL);
    MARK(2);
}

/* FNV-1a over the product's bit patterns, a word at a time. */
static uint64_t checksum(void)
{
    uint64_t sum = 0xcbf29ce484222325;
    for (size_t i = 0; i < (size_t)DIMENSION * DIMENSION; i++) {
        uint64_t bits;
        memcpy(&bits, &c.values[i], sizeof bits);
        sum = (sum ^ bits) * 0x100000001b3;
    }
    return sum;
}

int main(int argc, char **argv)
{
    unsigned vcores = parse_vcores(argc, argv);
    make_matrices();
    if (pando_vcores_request(vcores) != (int)vcores)
        fail("not all vcores were granted");
    multiply(vcores);
    printf("checksum %016llx\n", (unsigned long long)checksum());
    return EXIT_SUCCESS;
}
