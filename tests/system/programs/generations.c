/* generations TEST: what becomes of detached processes; "ok" at the end. The last of a line holds a
 * tether, by which the first learns whether it lives. */
#include "tests/system/programs/control.h"

/* --- its descendants -------------------------------------------------------------------------- */

/* Leaves a process of these words behind, with the tether. */
static long leave(const char *word, unsigned flags)
{
    char *words[] = {"generations", (char *)word};
    long child = pando_proc_create_with(2, words, NULL, 0, flags);
    CHECK_IS(pando_proc_give(child, 1, RIGHTS_ALL), 1);
    CHECK_IS(child_run(child), 0);
    return child;
}

/* Says that all is made, and holds the tether no longer. */
static void let_go(void)
{
    struct channel_message message = {0};
    CHECK_IS(pando_channel_send(1, 0, &message), 0);
    CHECK_IS(pando_handle_close(1), 0);
}

static int be_descendant(const char *what)
{
    if (!strcmp(what, "free")) {
        struct tether tether = {.own = 1};
        tether_await(&tether);
        printf("free\n");
        return STATUS_CHILD;
    }
    if (!strcmp(what, "leaver")) { /* ends: what it leaves is the controller's */
        leave("spin", PROC_DETACHED);
        return STATUS_CHILD;
    }
    if (!strcmp(what, "keeper")) { /* ends with its controller, and what it detached with both */
        leave("spin", PROC_DETACHED);
        let_go();
    }
    if (!strcmp(what, "of-leaver") || !strcmp(what, "of-leaver-exits")) {
        CHECK_IS(child_wait(leave("leaver", 0)), STATUS_CHILD);
        let_go();
    }
    if (!strcmp(what, "of-keeper")) {
        leave("keeper", 0);
        CHECK_IS(pando_handle_close(1), 0);
    }
    if (!strcmp(what, "of-detached")) {
        leave("spin", PROC_DETACHED);
        let_go();
    }
    if (strcmp(what, "of-leaver-exits") != 0)
        compute(~0ul);
    return STATUS_CHILD;
}

/* --- the first -------------------------------------------------------------------------------- */

static struct tether start(const char *what, long *child, unsigned flags)
{
    char *words[] = {"generations", (char *)what};
    struct tether tether = tether_make();
    *child = pando_proc_create_with(2, words, NULL, 0, flags);
    CHECK_IS(pando_proc_give(*child, tether.given, RIGHTS_ALL), 1);
    CHECK_IS(pando_handle_close(tether.given), 0);
    CHECK_IS(child_run(*child), 0);
    return tether;
}

/* All of its descendants end with the controller. */
static void test_end(const char *what)
{
    long child;
    struct tether tether = start(what, &child, 0);
    CHECK_IS(tether_state(&tether, CHANNEL_WAIT), 0);
    if (!strcmp(what, "of-leaver-exits"))
        CHECK_IS(child_wait(child), STATUS_CHILD);
    else {
        CHECK_IS(tether_state(&tether, 0), -E_EMPTY); /* it lives */
        end(child);
    }
    tether_await(&tether);
}

/* What the controller detached is the first's then, and ends with that. */
static void test_taken_over(void)
{
    long child;
    struct tether tether = start("of-detached", &child, 0);
    CHECK_IS(tether_state(&tether, CHANNEL_WAIT), 0);
    end(child);
    CHECK_IS(tether_state(&tether, 0), -E_EMPTY);
}

/* What the first detached is free: it goes on when that has ended, and closed its end. */
static void test_free(void)
{
    long child;
    start("free", &child, PROC_DETACHED);
}

int main(int argc, char *argv[])
{
    if (strcmp(argv[1], "test") != 0)
        return be_descendant(argv[1]);
    if (!strcmp(argv[2], "taken-over"))
        test_taken_over();
    else if (!strcmp(argv[2], "free"))
        test_free();
    else
        test_end(argv[2]);
    printf("ok\n");
    return 0;
}
