/* messages TEST [VCORES]: calls that use the message page, from all vcores at once. lines: uthreads
 * write lines with pando_console_write. errors, child: "ok" at the end. */
#include "tests/system/programs/check.h"

enum { STREAM_OUTPUT = 1, WRITERS = 12, LINES = 20, LINE_BYTES = 3001, STATUS_CHILD = 9 };

/* Lines that stand at odd places, on a stack whose pages were never touched. */
static void *write_lines(void *arg)
{
    char place[LINES * LINE_BYTES / 2 + LINE_BYTES];
    for (int i = 0; i < LINES; i++) {
        char *line = place + i * (LINE_BYTES / 2);
        memset(line, 'a' + (int)(long)arg, LINE_BYTES - 1);
        line[LINE_BYTES - 1] = '\n';
        long written = pando_console_write(STREAM_OUTPUT, LINE_BYTES, line);
        if (written)
            return (void *)written;
    }
    return NULL;
}

static void test_lines(long vcores)
{
    struct uthread *uthreads[WRITERS];
    void *result;
    CHECK_IS(pando_vcores_request(vcores), vcores);
    for (long i = 0; i < WRITERS; i++)
        CHECK_IS(uthread_create(&uthreads[i], write_lines, (void *)i), 0);
    for (int i = 0; i < WRITERS; i++) {
        CHECK_IS(uthread_join(uthreads[i], &result), 0);
        CHECK_IS(result, 0);
    }
}

static void test_errors(void)
{
    static char much[PAGE_BYTES + 1];
    CHECK_IS(pando_console_write(STREAM_OUTPUT, sizeof much, much), -E_INVALID);
    CHECK_IS(pando_console_write(STREAM_OUTPUT, ~0ull, much), -E_INVALID);
    CHECK_IS(pando_console_write(STREAM_OUTPUT, 0, NULL), -E_INVALID);
    CHECK_IS(pando_console_write(7, 1, much), -E_INVALID);
    CHECK_IS(pando_proc_create_of(1, 0, 0, 0, ""), -E_INVALID);
    CHECK_IS(pando_message_call(PANDO_null, 0, 0, 0, 0, &(struct pando_message){NULL, 0, NULL, 0}),
             0);
    printf("ok\n");
}

static void test_child(void)
{
    static const char strings[] = "messages\0status";
    long child = pando_proc_create_of(sizeof strings, 0, 0, 0, strings);
    CHECK(child > 0);
    CHECK_IS(pando_proc_run(child), 0);
    CHECK_IS(pando_proc_wait(child) & 0xff, STATUS_CHILD);
    printf("ok\n");
}

int main(int argc, char *argv[])
{
    if (!strcmp(argv[1], "lines"))
        test_lines(number_of(argv[2]));
    else if (!strcmp(argv[1], "errors"))
        test_errors();
    else if (!strcmp(argv[1], "child"))
        test_child();
    else
        return STATUS_CHILD;
    return 0;
}
