/* matmul: multiplies two Matrix Market files on cores of its own.
 *
 * Reads both files in _S, asks for the vcores, gives each an equal share of the product's rows as
 * one uthread, and prints the product. The uthreads only compute: at any time one uthread may be
 * inside the C library, and that is main's. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "bin/matmul/dense.h"
#include "bin/matmul/mtx.h"
#include "pando.h"

#define OUTPUT_BUFFER_BYTES 65536

/* One uthread's share of the multiplication. */
struct work {
    struct dense *c;
    const struct dense *a, *b;
    struct dense_share share;
    struct uthread *uthread;
};

struct arguments {
    unsigned vcores;
    const char *a_path, *b_path;
};

static int usage(void)
{
    fputs("usage: matmul [-n VCORES] A.mtx B.mtx\n", stderr);
    return -1;
}

/* VCORES: 1 to what the machine can give. */
static int parse_vcores(const char *text, unsigned *vcores)
{
    unsigned max = pando_procinfo()->max_vcores;
    char *end;
    errno = 0;
    unsigned long number = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || !number) {
        fprintf(stderr, "matmul: -n %s: not a number of vcores\n", text);
        return usage();
    }
    if (errno || number > max) {
        fprintf(stderr, "matmul: -n %s: a process can have at most %u here\n", text, max);
        return -1;
    }
    *vcores = (unsigned)number;
    return 0;
}

static int parse_arguments(int argc, char **argv, struct arguments *arguments)
{
    int option;
    arguments->vcores = pando_procinfo()->max_vcores;
    while ((option = getopt(argc, argv, ":n:")) != -1) {
        if (option == ':')
            fputs("matmul: -n wants a number of vcores\n", stderr);
        else if (option != 'n')
            fprintf(stderr, "matmul: there is no option -%c\n", optopt);
        if (option != 'n')
            return usage();
        if (parse_vcores(optarg, &arguments->vcores))
            return -1;
    }
    if (argc - optind != 2) {
        fputs("matmul: two files are wanted\n", stderr);
        return usage();
    }
    arguments->a_path = argv[optind];
    arguments->b_path = argv[optind + 1];
    return 0;
}

/* One operand: the file's name as given, and what was read from it. */
struct operand {
    const char *path;
    struct mtx mtx;
};

static int operand_read(struct operand *operand, const char *path)
{
    struct mtx_error error;
    operand->path = path;
    if (!mtx_read(path, &operand->mtx, &error))
        return 0;
    if (error.line)
        fprintf(stderr, "matmul: %s:%lu: %s\n", path, error.line, error.what);
    else
        fprintf(stderr, "matmul: %s: %s\n", path, error.what);
    return -1;
}

static int make_product(const struct operand *left, const struct operand *right, struct dense *c)
{
    const struct dense *a = &left->mtx.matrix, *b = &right->mtx.matrix;
    const char *why = NULL;
    if (a->cols != b->rows)
        why = "cannot be multiplied by";
    else if (!dense_fits(a->rows, b->cols))
        why = "has too large a product with";
    else if (dense_make(c, a->rows, b->cols))
        why = "leaves no memory for its product with";
    if (!why)
        return 0;
    fprintf(stderr, "matmul: %s:%lu: the %zux%zu matrix of %s:%lu %s this %zux%zu matrix\n",
            right->path, right->mtx.size_line, a->rows, a->cols, left->path, left->mtx.size_line,
            why, b->rows, b->cols);
    return -1;
}

static const char *error_sentence(int error)
{
    static const char *const sentences[ERRORS] = {
#define ERROR_SENTENCE(name, text) [name] = text,
        ERROR_LIST(ERROR_SENTENCE)
#undef ERROR_SENTENCE
    };
    return error > E_OK && error < ERRORS ? sentences[error] : "for an unknown reason";
}

static void *work_run(void *argument)
{
    struct work *work = argument;
    dense_multiply_rows(work->c, work->a, work->b, work->share.begin, work->share.end);
    return NULL;
}

/* Runs all the work, a uthread each, and waits for it. A negative error: some was not run. */
static int run_all(struct work *work, unsigned count)
{
    int error = 0;
    unsigned made = 0;
    while (made < count && !error) {
        error = uthread_create(&work[made].uthread, work_run, &work[made]);
        made += !error;
    }
    for (unsigned i = 0; i < made; i++)
        uthread_join(work[i].uthread, NULL);
    return error;
}

/* Computes c = a * b in `vcores` shares. Puts the seconds it took in *seconds. */
static int multiply(struct dense *c, const struct dense *a, const struct dense *b, unsigned vcores,
                    double *seconds)
{
    static struct work work[VCORES_MAX];
    for (unsigned i = 0; i < vcores; i++)
        work[i] =
            (struct work){.c = c, .a = a, .b = b, .share = dense_share_of(c->rows, i, vcores)};

    uint64_t start = __builtin_ia32_rdtsc();
    int error = run_all(work, vcores);
    *seconds = (double)(__builtin_ia32_rdtsc() - start) / (double)pando_procinfo()->tsc_hz;
    if (error)
        fprintf(stderr, "matmul: uthreads cannot be made: %s\n", error_sentence(-error));
    return error;
}

/* Which cores the process holds, as text: "cores 1 2 3". */
struct core_list {
    char text[sizeof "cores" + VCORES_MAX * sizeof " 65535"];
};

static void list_cores(struct core_list *list, unsigned granted)
{
    const volatile struct procinfo *info = pando_procinfo();
    int length = sprintf(list->text, granted == 1 ? "core" : "cores");
    for (unsigned vcore = 0; vcore < VCORES_MAX && granted; vcore++) {
        if (info->vcoremap[vcore].state == VCORE_NONE)
            continue;
        length += sprintf(&list->text[length], " %u", info->vcoremap[vcore].core);
        granted--;
    }
}

static void report(unsigned granted, unsigned asked, const struct core_list *cores)
{
    fprintf(stderr, "matmul: %u", granted);
    if (granted < asked)
        fprintf(stderr, " of %u", asked);
    fprintf(stderr, " vcore%s on %s; ", granted == 1 && asked == 1 ? "" : "s", cores->text);
}

/* Gets the vcores, multiplies, and says what was granted and how long it took. */
static int multiply_on_vcores(struct dense *c, const struct dense *a, const struct dense *b,
                              unsigned asked)
{
    static struct core_list cores;
    double seconds;
    int granted = pando_vcores_request(asked);
    if (granted < 0) {
        fprintf(stderr, "matmul: %u vcores cannot be had: %s\n", asked, error_sentence(-granted));
        return -1;
    }
    list_cores(&cores, (unsigned)granted);
    if (multiply(c, a, b, (unsigned)granted, &seconds))
        return -1;
    report((unsigned)granted, asked, &cores);
    fprintf(stderr, "multiplied %zux%zu by %zux%zu in %.6f s\n", a->rows, a->cols, b->rows, b->cols,
            seconds);
    return 0;
}

/* Sums can overflow though every input is finite: such a product is refused. */
static int check_finite(const struct dense *c)
{
    for (size_t i = 0; i < c->rows * c->cols; i++) {
        if (isfinite(c->values[i]))
            continue;
        fprintf(stderr,
                "matmul: row %zu, column %zu of the product is more than a double can hold\n",
                i / c->cols + 1, i % c->cols + 1);
        return -1;
    }
    return 0;
}

static int print_product(const struct dense *c)
{
    static char buffer[OUTPUT_BUFFER_BYTES];
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    if (!mtx_write(stdout, c))
        return 0;
    fprintf(stderr, "matmul: the product cannot be written: %s\n", strerror(errno));
    return -1;
}

int main(int argc, char **argv)
{
    struct arguments arguments;
    struct operand a, b;
    struct dense c;
    if (parse_arguments(argc, argv, &arguments) || operand_read(&a, arguments.a_path) ||
        operand_read(&b, arguments.b_path) || make_product(&a, &b, &c) ||
        multiply_on_vcores(&c, &a.mtx.matrix, &b.mtx.matrix, arguments.vcores) ||
        check_finite(&c) || print_product(&c))
        return EXIT_FAILURE;
    return EXIT_SUCCESS;
}
