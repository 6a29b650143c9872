/* lines VCORES: uthreads write long lines, all at once, each of its own letter. */
#include "tests/system/programs/calls.h"
#include "tests/system/programs/check.h"

enum { WRITERS = 20, LINES = 10, LINE_BYTES = 6001 };

static void *write_lines(void *arg)
{
    char line[LINE_BYTES];
    memset(line, 'a' + (int)(long)arg, sizeof line);
    line[sizeof line - 1] = '\n';
    for (int i = 0; i < LINES; i++) {
        if (instruction_call(CALL_WRITE, 1, (long)line, sizeof line, 0) != sizeof line)
            return (void *)1;
    }
    return NULL;
}

int main(int argc, char *argv[])
{
    struct uthread *uthreads[WRITERS];
    void *result;
    CHECK_IS(pando_vcores_request(number_of(argv[1])), number_of(argv[1]));
    for (long i = 0; i < WRITERS; i++)
        CHECK_IS(uthread_create(&uthreads[i], write_lines, (void *)i), 0);
    for (int i = 0; i < WRITERS; i++) {
        CHECK_IS(uthread_join(uthreads[i], &result), 0);
        CHECK_IS(result, 0);
    }
    return 0;
}
