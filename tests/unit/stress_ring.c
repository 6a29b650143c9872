// sources:
/* Two threads as two kernels: rings, acknowledgements and doorbell under ThreadSanitizer. Each
 * sends now in floods, now one message at a time, and really sleeps when it has left its loop: a
 * wake-up that is lost ends in a time-out. */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "kernel/shared/doorbell.h"
#include "kernel/shared/ring.h"

enum { MESSAGES = 200000, PHASE = 5000, FLOOD = 1000, LOST_S = 8 };

struct side {
    struct ring_end end;
    struct doorbell bell;
    sem_t interrupt;
    struct side *peer;
    uint64_t sent, got, acks, sleeps;
};

static struct ring rings[2] __attribute__((aligned(4096)));
static struct side sides[2];

static void check(int condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "stress_ring: %s\n", what);
    exit(1);
}

static void ring_bell(struct side *side)
{
    if (doorbell_needed(&side->peer->bell))
        sem_post(&side->peer->interrupt);
}

/* In every other phase a message is sent only when one has come: the two take turns. */
static int may_send(const struct side *side)
{
    uint64_t lead = side->sent / PHASE % 2 ? 1 : FLOOD;
    return side->sent < MESSAGES && side->sent < side->got + lead && ring_has_credit(&side->end);
}

static void send(struct side *side)
{
    uint64_t number = side->sent++;
    struct message m = {.word = {number, ~number, number * 3, 4, 5, 6, number ^ 7}};
    ring_publish(&side->end, &m, message_head(MESSAGE_PROBE));
    ring_bell(side);
}

static int take(struct side *side)
{
    const struct message *m = ring_next(&side->end);
    if (!m)
        return 0;
    uint64_t kind = message_kind(m), number = side->got;
    if (kind != KIND_ACK) {
        check(m->word[0] == number && m->word[1] == ~number && m->word[2] == number * 3 &&
                  m->word[6] == (number ^ 7),
              "a message is lost, out of order or torn");
        side->got++;
    }
    check(ring_take(&side->end, m), "an acknowledgement is wrong");
    if (kind != KIND_ACK && ring_owe_ack(&side->end)) {
        check(ring_publish_ack(&side->end), "no slot for an acknowledgement");
        side->acks++;
        ring_bell(side);
    }
    return 1;
}

static void leave(struct side *side)
{
    struct timespec until;
    doorbell_leave(&side->bell);
    if (!ring_next(&side->end)) {
        side->sleeps++;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += LOST_S;
        while (sem_timedwait(&side->interrupt, &until) != 0)
            check(errno == EINTR, "a wake-up is lost");
    }
    doorbell_back(&side->bell);
}

static void *run(void *argument)
{
    struct side *side = argument;
    while (side->sent < MESSAGES || side->got < MESSAGES) {
        int did = take(side);
        if (may_send(side))
            send(side);
        else if (!did)
            leave(side);
    }
    return NULL;
}

int main(void)
{
    pthread_t thread[2];
    for (unsigned i = 0; i < 2; i++) {
        ring_open(&sides[i].end, &rings[i], &rings[!i]);
        sides[i].peer = &sides[!i];
        sem_init(&sides[i].interrupt, 0, 0);
    }
    for (unsigned i = 0; i < 2; i++)
        pthread_create(&thread[i], NULL, run, &sides[i]);
    for (unsigned i = 0; i < 2; i++)
        pthread_join(thread[i], NULL);
    for (unsigned i = 0; i < 2; i++) {
        printf("side %u: %lu messages, %lu acknowledgements, slept %lu times\n", i, sides[i].got,
               sides[i].acks, sides[i].sleeps);
        check(sides[i].sleeps > 0, "the doorbell was never needed");
    }
    return 0;
}
