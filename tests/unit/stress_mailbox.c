// sources: kernel/mailbox.c runtime/mailbox.c
/* A mailbox under ThreadSanitizer: one thread as the home, one as the driving kernel, two as vcores
 * that take and really sleep when they find nothing. A wake-up that is lost ends in a time-out. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "kernel/mailbox.h"
#include "kernel/shared/frame.h"
#include "kernel/shared/user_word.h"
#include "runtime/mailbox.h"

enum { POSTS = 100000, VCORES = 2, LOST_S = 8, SOURCES = 2, PHASE = 5000 };

struct vcore {
    pthread_t thread;
    sem_t interrupt;
    uint8_t idle, pending;
    uint64_t sleeps;
};

static struct vcore vcores[VCORES];
static struct vcore_data block __attribute__((aligned(4096)));
static struct event slots[SOURCES][EVENTS_MIN];
static pthread_mutex_t taking = PTHREAD_MUTEX_INITIALIZER;
static uint64_t taken[SOURCES], last[SOURCES], of_bitmap; /* under `taking` */
static uint32_t ended;

void *frame_pointer(frame_t frame)
{
    return slots[frame];
}

static void check(int condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "stress_mailbox: %s\n", what);
    exit(1);
}

static int notify(struct vcore *vcore)
{
    user_flag_set(&vcore->pending);
    if (!user_flag_read(&vcore->idle))
        return 0;
    sem_post(&vcore->interrupt);
    return 1;
}

/* As a home does after it has posted to vcore 0. */
static void wake_one(void)
{
    if (!notify(&vcores[0]) && user_flag_read(&vcores[1].idle))
        notify(&vcores[1]);
}

static void *post(void *argument)
{
    unsigned source = argument != NULL;
    struct event_ring *ring = source ? &block.mailbox.driver : &block.mailbox.home;
    struct mailbox_writer writer = {.page = {slots[source]}, .events = EVENTS_MIN};
    for (uint64_t i = 1; i <= POSTS; i++) {
        struct event event = {.type = EVENT_NOTIFY, .source = source, .payload = {i, ~i}};
        mailbox_post(&writer, &block.mailbox, ring, &event);
        wake_one();
        while (i / PHASE % 2 && mailbox_has(&block.mailbox))
            sched_yield(); /* in every other phase posters and takers take turns */
    }
    __atomic_fetch_add(&ended, 1, __ATOMIC_SEQ_CST);
    for (unsigned i = 0; i < VCORES; i++)
        sem_post(&vcores[i].interrupt);
    return NULL;
}

static int take(void)
{
    struct event event;
    pthread_mutex_lock(&taking);
    int found = mailbox_take(&block.mailbox, &event);
    if (found && event.flags & EVENT_OF_BITMAP)
        of_bitmap++;
    else if (found) {
        check(event.payload[1] == ~event.payload[0], "an event is torn");
        check(event.payload[0] > last[event.source], "events are out of order");
        last[event.source] = event.payload[0];
        taken[event.source]++;
    }
    pthread_mutex_unlock(&taking);
    return found;
}

static int over(void)
{
    return __atomic_load_n(&ended, __ATOMIC_SEQ_CST) == SOURCES;
}

/* vcore_halt. */
static void halt(struct vcore *self)
{
    struct timespec until;
    user_flag_set(&self->idle);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += LOST_S;
    for (; !user_flag_take(&self->pending) && !over(); self->sleeps++)
        while (sem_timedwait(&self->interrupt, &until) != 0)
            check(errno == EINTR, "a wake-up is lost");
    user_flag_take(&self->idle);
}

static void *run(void *argument)
{
    struct vcore *self = argument;
    for (unsigned round = 0; !over() || mailbox_has(&block.mailbox); round++) {
        user_flag_take(&self->pending);
        while (take())
            ;
        while (self == vcores && round % 2 && mailbox_has(&block.mailbox) && !over())
            sched_yield(); /* computes: the other one has to take what was posted to this one */
        user_flag_set(&self->idle);
        if (mailbox_has(&block.mailbox))
            user_flag_take(&self->idle);
        else
            halt(self);
    }
    return NULL;
}

int main(void)
{
    pthread_t source[SOURCES];
    struct mailbox *mailbox = &block.mailbox;
    mailbox->home = (struct event_ring){.address = (uintptr_t)slots[0], .events = EVENTS_MIN};
    mailbox->driver = (struct event_ring){.address = (uintptr_t)slots[1], .events = EVENTS_MIN};
    for (unsigned i = 0; i < VCORES; i++) {
        sem_init(&vcores[i].interrupt, 0, 0);
        pthread_create(&vcores[i].thread, NULL, run, &vcores[i]);
    }
    for (uintptr_t i = 0; i < SOURCES; i++)
        pthread_create(&source[i], NULL, post, (void *)i);
    for (unsigned i = 0; i < SOURCES; i++)
        pthread_join(source[i], NULL);
    for (unsigned i = 0; i < VCORES; i++)
        pthread_join(vcores[i].thread, NULL);
    printf("taken %lu + %lu, lost %u + %u, bits %lu, slept %lu + %lu times\n", taken[0], taken[1],
           mailbox->home.lost, mailbox->driver.lost, of_bitmap, vcores[0].sleeps, vcores[1].sleeps);
    check(taken[0] + mailbox->home.lost == POSTS, "an event of the home's is lost");
    check(taken[1] + mailbox->driver.lost == POSTS, "an event of the driver's is lost");
    check(vcores[0].sleeps + vcores[1].sleeps > 0, "no vcore ever slept");
    check(taken[0] > POSTS / 100 && taken[1] > POSTS / 100, "hardly any event went through a ring");
    return 0;
}
