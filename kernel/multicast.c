#include "kernel/multicast.h"
#include "abi/error.h"
#include "kernel/actor.h"
#include "kernel/backlog.h"
#include "kernel/kernel.h"
#include "kernel/probe.h"
#include "kernel/shared/channel.h"
#include "kernel/shared/shared.h"

#define CORES_A_PART 64

/* This kernel's place in the multicast that an origin has under way. Invariant: pending > 0 until
 * it has answered; the origin's own is the root. */
struct branch {
    uint64_t unreached; /* cores below to which no link could be made; of the root: see below */
    uint32_t number;
    uint8_t parent, part;
    uint16_t pending; /* pieces that were sent and not answered */
};

static struct actor *self;
static void (*performs[MULTICAST_OPERATIONS])(const uint64_t word[MULTICAST_WORDS]);
static struct branch branches[CORES_MAX]; /* by origin */

/* Of this kernel as origin. */
static struct multicast *current, *first_waiting, *last_waiting;
static uint32_t number;
static uint64_t unreached[CORE_SET_WORDS];

void multicast_register(enum multicast_operation operation,
                        void (*perform)(const uint64_t word[MULTICAST_WORDS]))
{
    performs[operation] = perform;
}

/* --- the words of messages --------------------------------------------------------------------*/

enum { IDENTITY, CORES, OPERANDS };

static uint64_t identity(unsigned origin, unsigned part, unsigned operation, uint32_t of)
{
    return origin | part << 8 | operation << 16 | (uint64_t)of << 32;
}

static unsigned origin_of(const struct message *m)
{
    return m->word[IDENTITY] & 0xff;
}

static unsigned part_of(const struct message *m)
{
    return m->word[IDENTITY] >> 8 & 0xff;
}

static unsigned operation_of(const struct message *m)
{
    return m->word[IDENTITY] >> 16 & 0xff;
}

static uint32_t number_of(const struct message *m)
{
    return (uint32_t)(m->word[IDENTITY] >> 32);
}

/* --- parting sets ---------------------------------------------------------------------------- */

static unsigned count_of(uint64_t cores)
{
    unsigned count = 0;
    for (; cores; cores &= cores - 1)
        count++;
    return count;
}

static uint64_t lowest_of(uint64_t cores, unsigned count)
{
    uint64_t rest = cores;
    while (count--)
        rest &= rest - 1;
    return cores ^ rest;
}

/* Sends a piece to its lowest core: 0, or -E_NO_MEMORY if there is no link and no frames for one.
 */
static int send_piece(struct message *m, uint64_t piece)
{
    unsigned core = part_of(m) * CORES_A_PART + (unsigned)__builtin_ctzll(piece);
    m->word[CORES] = piece;
    probe_send(m);
    int error = channel_send_multicast(actor_well_known(core, ACTOR_MULTICAST), m);
    ASSERT(!error || error == -E_NO_MEMORY);
    return error;
}

/* Sends the message to the cores, in so many pieces at most: how many went. Those of pieces that
 * could not be sent are added to *left_out. */
static unsigned send_pieces(struct message *m, uint64_t cores, unsigned pieces, uint64_t *left_out)
{
    unsigned sent = 0;
    for (unsigned left = count_of(cores); left; pieces--) {
        unsigned size = (left + pieces - 1) / pieces;
        uint64_t piece = lowest_of(cores, size);
        cores ^= piece;
        left -= size;
        if (send_piece(m, piece))
            *left_out |= piece;
        else
            sent++;
    }
    return sent;
}

/* --- inner nodes and leaves ------------------------------------------------------------------ */

static void answer(unsigned origin)
{
    const struct branch *b = &branches[origin];
    struct message m = {.head = message_head(MESSAGE_MULTICAST_DONE)};
    m.word[IDENTITY] = identity(origin, b->part, 0, b->number);
    m.word[CORES] = b->unreached;
    probe_send(&m);
    int error = channel_send_multicast(actor_well_known(b->parent, ACTOR_MULTICAST), &m);
    ASSERT(!error);
}

static void on_multicast(struct actor *actor, const struct message *m, unsigned from)
{
    unsigned origin = origin_of(m);
    struct branch *b = &branches[origin];
    struct message down = *m;
    ASSERT(!b->pending && operation_of(m) < MULTICAST_OPERATIONS);
    *b = (struct branch){
        .number = number_of(m), .parent = (uint8_t)from, .part = (uint8_t)part_of(m)};
    down.head = message_head(MESSAGE_MULTICAST);
    b->pending = (uint16_t)send_pieces(&down, m->word[CORES] & (m->word[CORES] - 1),
                                       MULTICAST_FANOUT, &b->unreached);
    performs[operation_of(m)](&m->word[OPERANDS]);
    probe_part_done(origin);
    if (!b->pending)
        answer(origin);
}

/* --- the origin ------------------------------------------------------------------------------ */

/* Sends to the cores of a set, parted so often that each part of it has a piece. */
static void send_set(const uint64_t *set, unsigned pieces)
{
    struct branch *root = &branches[this_core];
    struct message m = {.head = message_head(MESSAGE_MULTICAST)};
    __builtin_memcpy(&m.word[OPERANDS], current->word, sizeof current->word);
    for (unsigned part = 0; part < CORE_SET_WORDS; part++) {
        if (!set[part])
            continue;
        m.word[IDENTITY] = identity(this_core, part, current->operation, number);
        root->pending += send_pieces(&m, set[part], pieces, &unreached[part]);
    }
}

static unsigned pieces_of(const uint64_t *set)
{
    unsigned parts = 0;
    for (unsigned part = 0; part < CORE_SET_WORDS; part++)
        parts += set[part] != 0;
    return parts < MULTICAST_FANOUT ? MULTICAST_FANOUT / parts : 1;
}

/* The cores that could not be reached down the tree: each by itself, over the link that the origin
 * has. */
static void send_unreached(void)
{
    uint64_t set[CORE_SET_WORDS];
    __builtin_memcpy(set, unreached, sizeof set);
    __builtin_memset(unreached, 0, sizeof unreached);
    send_set(set, CORES_A_PART);
    for (unsigned part = 0; part < CORE_SET_WORDS; part++)
        ASSERT(!unreached[part]);
}

static void next_begins(void)
{
    struct multicast *m = current = first_waiting;
    if (!m)
        return;
    first_waiting = m->next;
    branches[this_core].number = ++number;
    uint64_t set[CORE_SET_WORDS];
    __builtin_memcpy(set, m->set, sizeof set);
    set[this_core / CORES_A_PART] &= ~(1ull << this_core % CORES_A_PART);
    send_set(set, pieces_of(set));
    if (core_set_has(m->set, this_core))
        performs[m->operation](m->word);
    probe_part_done(this_core);
    if (!branches[this_core].pending)
        send_unreached();
}

static void root_answered(void)
{
    uint64_t any = unreached[0] | unreached[1] | unreached[2] | unreached[3];
    if (any) {
        send_unreached();
        return;
    }
    struct multicast *finished = current;
    finished->done(finished);
    next_begins();
}

static void on_done(struct actor *actor, const struct message *m, unsigned from)
{
    unsigned origin = origin_of(m);
    struct branch *b = &branches[origin];
    probe_join(origin);
    ASSERT(b->pending && b->number == number_of(m));
    b->pending--;
    if (origin == this_core)
        unreached[part_of(m)] |= m->word[CORES];
    else
        b->unreached |= m->word[CORES];
    probe_part_done(origin);
    if (b->pending)
        return;
    if (origin == this_core)
        root_answered();
    else
        answer(origin);
}

static int concerns_others(const struct multicast *m)
{
    for (unsigned part = 0; part < CORE_SET_WORDS; part++) {
        uint64_t own = this_core / CORES_A_PART == part ? 1ull << this_core % CORES_A_PART : 0;
        if (m->set[part] & ~own)
            return 1;
    }
    return 0;
}

int multicast(struct multicast *m)
{
    if (!concerns_others(m)) {
        if (core_set_has(m->set, this_core))
            performs[m->operation](m->word);
        return 1;
    }
    m->next = NULL;
    if (first_waiting)
        last_waiting->next = m;
    else
        first_waiting = m;
    last_waiting = m;
    if (!current)
        next_begins();
    return 0;
}

static struct actor_class multicast_class = {
    .name = "multicast",
    .handler = {[MESSAGE_MULTICAST] = on_multicast, [MESSAGE_MULTICAST_DONE] = on_done},
};
ACTOR_CLASS(multicast_class)

void multicast_start(void)
{
    ASSERT(actor_create_at(ACTOR_MULTICAST, &multicast_class, NULL, &self) == 0);
}
