/* chaos_child SEED DEPTH [counted]: system calls with random and with near-valid arguments from every
 * vcore at once, until something ends it. All in vcore context: it tells the kernel an entry point of
 * its own, so that the runtime has no part in it. chaos_child quick: ends at once.
 *
 * An argument's values are chosen by its name, the message page's content by its type, both of which
 * come with the list of calls. */
#include "tests/system/programs/chaos.h"

#define ARENA      0x0000200000000000ull
#define EMPTY_NAME "nowhere"
enum {
    ARENA_PAGES = 2048,
    NUMBERS_BEYOND = 6,
    DEPTH_MAX = 2,
};

/* What the values of an argument are chosen from. Names that are not here: anything. */
enum kind {
    KIND_ANY,
    KIND_ADDRESS,
    KIND_BYTES,
    KIND_HANDLE, /* of any kind, or of one: */
    KIND_PROCESS,
    KIND_OBJECT,
    KIND_END,
    KIND_IMAGE,
    KIND_FLAGS,
    KIND_ACTION,
    KIND_BITS, /* rights, protections: a few low bits */
    KIND_SMALL,
    KIND_CORES,
    KIND_POWER,
    KIND_MASK,
};
static const struct {
    const char *name;
    enum kind kind;
} kinds[] = {
    {"addr", KIND_ADDRESS},    {"bytes", KIND_BYTES},      {"handle", KIND_HANDLE},
    {"process", KIND_PROCESS}, {"object", KIND_OBJECT},    {"end", KIND_END},
    {"image", KIND_IMAGE},     {"prot", KIND_BITS},        {"flags", KIND_FLAGS},
    {"rights", KIND_BITS},     {"action", KIND_ACTION},    {"depth", KIND_SMALL},
    {"pages", KIND_SMALL},     {"amt_wanted", KIND_CORES}, {"vcoreid", KIND_CORES},
    {"events", KIND_POWER},    {"permitted", KIND_MASK},   {"frames", KIND_POWER},
    {"pinned", KIND_POWER},
};

enum content { CONTENT_NONE, CONTENT_RANDOM, CONTENT_MAP, CONTENT_MESSAGE, CONTENT_STRINGS };

/* Of each call, worked out before anything is called. */
static struct shape {
    uint8_t kind[4];
    uint8_t content;
} shapes[SYSCALLS];

static uint64_t seed;
static long depth;
static unsigned cores;
static struct counters own_counters; /* of a child that nobody counts */
static struct counters *counters = &own_counters;

/* --- shapes ----------------------------------------------------------------------------------- */

static enum kind kind_of(const char *name, size_t length)
{
    for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strlen(kinds[i].name) == length && !strncmp(kinds[i].name, name, length))
            return kinds[i].kind;
    return KIND_ANY;
}

static enum content content_of(const char *message)
{
    if (strncmp(message, "in ", 3))
        return CONTENT_NONE;
    return strstr(message, "map_request")       ? CONTENT_MAP
           : strstr(message, "channel_message") ? CONTENT_MESSAGE
           : strstr(message, "strings")         ? CONTENT_STRINGS
                                                : CONTENT_RANDOM;
}

static void make_shapes(void)
{
    for (unsigned number = 0; number < SYSCALLS; number++) {
        const char *name = calls[number].arguments;
        for (unsigned i = 0; *name; i++) {
            size_t length = strcspn(name, " ");
            shapes[number].kind[i] = kind_of(name, length);
            name += length + (name[length] == ' ');
        }
        shapes[number].content = content_of(calls[number].message);
    }
}

/* --- calls: in vcore context ------------------------------------------------------------------- */

struct vcore {
    uint64_t state; /* of the generator */
    uint64_t addr;  /* the memory it mapped last: */
    uint64_t bytes;
    unsigned id;
    unsigned asker_vcore;
    long made;  /* the process it created last, as long as it has not tried to run it */
    long asker; /* a child that made a call for this process to answer; 0: none */
};

static unsigned below(struct vcore *v, unsigned limit)
{
    return random_next(&v->state) % limit;
}

static long system_call(long number, const long argument[4])
{
    register long fourth __asm__("r10") = argument[3];
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(argument[0]), "S"(argument[1]), "d"(argument[2]),
                       "r"(fourth)
                     : "rcx", "r11", "memory");
    return result;
}

static long counted_call(long number, const long argument[4])
{
    long result = system_call(number, argument);
    __atomic_fetch_add(&counters->all, 1, __ATOMIC_RELAXED);
    if (number < 0 || number >= SYSCALLS)
        return result;
    __atomic_fetch_add(&counters->made[number], 1, __ATOMIC_RELAXED);
    if (result >= 0)
        __atomic_fetch_add(&counters->succeeded[number], 1, __ATOMIC_RELAXED);
    return result;
}

/* --- values ------------------------------------------------------------------------------------ */

static uint64_t odd_value(struct vcore *v)
{
    static const uint64_t odd[] = {
        0,
        1,
        2,
        255,
        4095,
        4096,
        65536,
        0x7fffffff,
        0x80000000,
        0xffffffff,
        1ull << 32,
        1ull << 47,
        1ull << 62,
        1ull << 63,
        USER_TOP,
        ~0ull,
        PROCDATA_BASE,
        KERNEL_SLOT_BASE,
        0x400000,
        0xffff800000000000,
        0xffffffff80200000,
        0xfffffffffffff000,
    };
    return odd[below(v, sizeof odd / sizeof *odd)];
}

static uint64_t any_value(struct vcore *v)
{
    switch (below(v, 3)) {
    case 0:
        return odd_value(v);
    case 1:
        return below(v, 300);
    default:
        return random_next(&v->state);
    }
}

static uint64_t arena_address(struct vcore *v)
{
    uint64_t page = below(v, 4) ? below(v, 300) : below(v, ARENA_PAGES / 512) * 512;
    uint64_t arena = ARENA;
    if (below(v, 2)) /* a slot of a vcore's own: mostly of this one */
        arena = OWN_SLOT_BASE(below(v, 4) ? v->id % OWN_SLOTS : below(v, OWN_SLOTS));
    return arena + page * PAGE_BYTES;
}

static uint64_t some_bytes(struct vcore *v)
{
    if (below(v, 8) == 0)
        return below(v, 3) * LARGE_BYTES;
    return (1 + below(v, below(v, 2) ? 3 : 20)) * PAGE_BYTES;
}

/* A number of a handle of that kind, if a few tries find one; HANDLE_NONE: of any. */
static long handle_of(struct vcore *v, enum handle_kind kind)
{
    long argument[4] = {0};
    for (int tries = 0; tries < 16; tries++) {
        argument[0] = 1 + below(v, 16);
        long info = system_call(PANDO_handle_info, argument);
        if (info >= 0 && (kind == HANDLE_NONE || (info & 0xff) == kind))
            break;
    }
    return argument[0];
}

static uint64_t near_value(struct vcore *v, enum kind kind)
{
    switch (kind) {
    case KIND_ADDRESS:
        return v->addr && below(v, 2) ? v->addr : arena_address(v);
    case KIND_BYTES:
        return v->bytes && below(v, 2) ? v->bytes : some_bytes(v);
    case KIND_HANDLE:
        return handle_of(v, HANDLE_NONE);
    case KIND_PROCESS:
        if (v->made && below(v, 2))
            return v->made;
        return below(v, 8) ? handle_of(v, HANDLE_PROCESS) : 0;
    case KIND_OBJECT:
        return handle_of(v, HANDLE_MEMORY);
    case KIND_IMAGE:
        return below(v, 4) ? 0 : handle_of(v, HANDLE_MEMORY);
    case KIND_END:
        return handle_of(v, HANDLE_CHANNEL);
    case KIND_ACTION:
        return below(v, FILTER_ACTIONS);
    case KIND_FLAGS:
        return below(v, 2) ? 0 : below(v, 4);
    case KIND_BITS:
        return below(v, 4) ? below(v, 4) : below(v, RIGHTS_ALL + 1);
    case KIND_SMALL:
        return below(v, 20);
    case KIND_CORES:
        return below(v, cores + 1);
    case KIND_POWER:
        return 1ull << below(v, 14);
    case KIND_MASK: /* an eighth of the calls is refused, or half of them */
        return below(v, 2)
                   ? ~(random_next(&v->state) & random_next(&v->state) & random_next(&v->state))
                   : random_next(&v->state);
    default:
        return any_value(v);
    }
}

/* --- the message page -------------------------------------------------------------------------- */

static void fill_map(struct vcore *v, struct map_request *request)
{
    *request = (struct map_request){.addr = arena_address(v),
                                    .offset = below(v, 3) * PAGE_BYTES,
                                    .bytes = some_bytes(v),
                                    .prot = below(v, 4),
                                    .mode = below(v, 8) ? below(v, OBJECT_MODES) : 7};
}

static void fill_message(struct vcore *v, struct channel_message *message)
{
    for (unsigned i = 0; i < 6; i++)
        message->word[i] = random_next(&v->state);
    for (unsigned i = 0; i < MESSAGE_HANDLES; i++)
        message->handle[i] = below(v, 8) ? 0 : handle_of(v, HANDLE_NONE);
    message->addr = near_value(v, KIND_ADDRESS);
    message->page_mode = below(v, 2) ? PAGES_NONE : below(v, PAGE_MODES + 1);
    message->pages = below(v, 8) ? below(v, 8) : below(v, 4) * 256;
    if (message->page_mode == PAGES_NONE && below(v, 16))
        message->pages = 0;
    message->rights = below(v, 4) ? RIGHTS_ALL : below(v, 256);
}

static char *put(char *at, const char *word)
{
    do
        *at++ = *word;
    while (*word++);
    return at;
}

static char *put_number(char *at, uint64_t number)
{
    char digits[24];
    unsigned count = 0;
    do
        digits[count++] = (char)('0' + number % 10);
    while (number /= 10);
    while (count)
        *at++ = digits[--count];
    *at++ = 0;
    return at;
}

/* The strings of one like this, or of one that ends at once; the latter may be detached, since it
 * would live on when all others are gone. */
static void fill_create(struct vcore *v, char *page, long argument[4])
{
    char *at = put(page, "chaos_child");
    if (depth < DEPTH_MAX && below(v, 8) == 0) {
        at = put_number(at, random_next(&v->state) >> 1);
        at = put_number(at, depth + 1);
        argument[2] &= ~PROC_DETACHED;
    } else
        at = put(at, "quick");
    argument[3] = below(v, 3);
    for (long i = 0; i < argument[3]; i++)
        at = put(at, "NAME=VALUE");
    if (below(v, 4))
        argument[0] = at - page;
}

static void fill_page(struct vcore *v, enum content content, long argument[4])
{
    void *page = (char *)vcore_data_of(v->id) + VCORE_MESSAGE_OFFSET;
    if (content == CONTENT_STRINGS)
        fill_create(v, page, argument);
    else if (content == CONTENT_NONE || below(v, 8) == 0)
        for (unsigned i = 0; i < 16; i++)
            ((uint64_t *)page)[i] = any_value(v);
    else if (content == CONTENT_MAP)
        fill_map(v, page);
    else if (content == CONTENT_MESSAGE)
        fill_message(v, page);
}

/* --- a child ----------------------------------------------------------------------------------- */

/* Seldom: what ends or stops the caller, takes what it stands on, or costs much. */
static int is_seldom(long number)
{
    switch (number) {
    case PANDO_exit:
    case PANDO_vcore_halt:
    case PANDO_vcore_yield:
    case PANDO_proc_wait:
    case PANDO_cores_request:
        return 1;
    default:
        return 0;
    }
}

static void aim(const struct vcore *v, long number, long argument[4])
{
    if ((number == PANDO_proc_call || number == PANDO_proc_reply) && v->asker) {
        argument[0] = v->asker;
        argument[1] = v->asker_vcore;
    }
}

static void restrain(struct vcore *v, long number, long argument[4])
{
    if (number == PANDO_console_write)
        argument[0] |= 4; /* no stream */
    if ((number == PANDO_channel_send || number == PANDO_channel_receive) && below(v, 8))
        argument[number == PANDO_channel_send ? 1 : 3] &= ~CHANNEL_WAIT;
}

/* Remembers what it was given. Writes to memory: another vcore may have unmapped it already. */
static void use_result(struct vcore *v, long number, const long argument[4], long result)
{
    if (number == PANDO_proc_create)
        v->made = result;
    if (number == PANDO_proc_run)
        v->made = 0;
    if (number != PANDO_mem_map)
        return;
    v->addr = (uint64_t)argument[0];
    v->bytes = (uint64_t)argument[1];
    if (argument[2] & PROT_W && below(v, 4) == 0)
        *(volatile char *)v->addr = 1;
}

/* Of a child's call that waits for an answer: where to. */
static void note_asker(struct vcore *v, const struct event_ring *ring)
{
    uint32_t taken = ring->taken, events = ring->events;
    if (ring->written == taken || events < EVENTS_MIN)
        return;
    const struct event *event = (const struct event *)ring->address + taken % events;
    if (event->type != EVENT_CHILD_CALL)
        return;
    v->asker = event->source;
    v->asker_vcore = CHILD_CALL_VCORE(event->payload[0]);
}

/* As a scheduler would: takes what is in the mailbox. */
static void take_events(struct vcore *v)
{
    struct mailbox *mailbox = &vcore_data_of(v->id)->mailbox;
    volatile struct event_ring *ring = below(v, 2) ? &mailbox->home : &mailbox->driver;
    note_asker(v, (const struct event_ring *)ring);
    ring->taken = below(v, 64) ? ring->written : (uint32_t)random_next(&v->state);
    __atomic_exchange_n(&mailbox->bits[below(v, EVENT_TYPES / 64)], 0, __ATOMIC_RELAXED);
}

static long some_number(struct vcore *v)
{
    if (below(v, 500) == 0)
        return (long)random_next(&v->state);
    long number = below(v, 16) ? below(v, SYSCALLS) : below(v, SYSCALLS + NUMBERS_BEYOND);
    return is_seldom(number) && below(v, 16) ? some_number(v) : number;
}

static void step(struct vcore *v)
{
    long number = some_number(v);
    const struct shape *shape = number >= 0 && number < SYSCALLS ? &shapes[number] : &shapes[0];
    long argument[4];
    int near = below(v, 8) != 0; /* all near-valid but for one in 16, or all random */
    for (unsigned i = 0; i < 4; i++)
        argument[i] = (long)(near && below(v, 16) ? near_value(v, shape->kind[i]) : any_value(v));
    fill_page(v, shape->content, argument);
    restrain(v, number, argument);
    if (below(v, 8))
        aim(v, number, argument);
    long result = counted_call(number, argument);
    if (result >= 0)
        use_result(v, number, argument, result);
    if (below(v, 16) == 0)
        take_events(v);
}

__attribute__((noreturn, used)) static void child_loop(unsigned id)
{
    struct vcore v = {.state = seed + (counters->all * SYSCALLS + id + 1) * 0x9e3779b97f4a7c15,
                      .id = id};
    for (;;)
        step(&v);
}

__asm__(".pushsection .text\n"
        "chaos_entry:\n\t"
        "xorl %ebp, %ebp\n\t"
        "call child_loop\n\t"
        "ud2\n"
        ".popsection");
extern const char chaos_entry[];

int main(int argc, char *argv[])
{
    if (!strcmp(argv[1], "quick"))
        return 0;
    seed = number_of(argv[1]);
    depth = number_of(argv[2]);
    cores = pando_procinfo()->max_vcores;
    if (argc > 3 && !strcmp(argv[3], "counted"))
        counters = (struct counters *)COUNTERS;
    make_shapes();
    vcore_data_of(0)->notif_disabled = 1;
    ((struct procdata *)PROCDATA_BASE)->entry = (uint64_t)chaos_entry;
    child_loop(0);
}
