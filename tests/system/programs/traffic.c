/* traffic TEST SEED ROUNDS VCORES: processes on many cores that move, share and send whatever they have to one
 * another until they are killed; "ok" at the end. What is left after that the machine's census tells.
 * storm: three in a ring, each vcore doing anything. frozen: what was moved, or shared to be copied, does not
 * change any more, though its sender writes on. */
#include "tests/system/programs/control.h"

enum { WORKERS = 3, VCORES = 4, AREAS = 6, LEFT = 1, RIGHT = 2, MOST = 600, HANDLES_TRIED = 60 };
#define RW         (PROT_R | PROT_W)
#define AREA_BYTES 0x800000ull

/* Every other one in the slot of the vcore that who was first on. */
static uint64_t area(unsigned who, unsigned n)
{
    uint64_t base = n % 2 ? OWN_SLOT_BASE(who) : 0x300000000000ull;
    return base + ((uint64_t)who * AREAS + n) * AREA_BYTES;
}

static uint64_t pages_of[VCORES][AREAS]; /* mapped from the area's beginning */

static uint64_t pick(uint64_t *seed, uint64_t below)
{
    return random_next(seed) % below;
}

static void touch(uint64_t at, uint64_t pages, uint64_t *seed, int write)
{
    for (uint64_t left = pick(seed, 12); left; left--) {
        volatile uint64_t *word = (volatile uint64_t *)(at + pick(seed, pages) * PAGE_BYTES);
        if (write)
            *word = left;
        else
            (void)*word;
    }
}

static void send(unsigned who, unsigned n, uint64_t *seed)
{
    struct channel_message message = {.addr = area(who, n), .rights = (uint16_t)pick(seed, 32)};
    uint64_t mode = pick(seed, PAGE_MODES), most = pages_of[who][n];
    if (mode != PAGES_NONE && most) {
        message.page_mode = (uint16_t)mode;
        message.pages = (uint32_t)(pick(seed, 2) || most > 512 ? 1 + pick(seed, most) % 512 : most);
        if (pick(seed, 4) == 0 && most > message.pages)
            message.addr += pick(seed, most - message.pages) * PAGE_BYTES;
    }
    if (pick(seed, 3) == 0)
        message.rights = RIGHTS_ALL;
    for (int i = 0; i < MESSAGE_HANDLES; i++)
        if (pick(seed, 3) == 0)
            message.handle[i] = (uint32_t)(3 + pick(seed, HANDLES_TRIED));
    long end = pick(seed, 8) ? (long)(LEFT + pick(seed, 2)) : (long)pick(seed, HANDLES_TRIED);
    long flags = pick(seed, 16) == 0 ? CHANNEL_WAIT : 0;
    if (pando_channel_send(end, flags, &message) == 0 && mode == PAGES_MOVE) {
        pando_mem_unmap(area(who, n), AREA_BYTES);
        pages_of[who][n] = 0;
    }
}

static void receive(unsigned who, unsigned n, uint64_t *seed)
{
    struct channel_message message;
    if (pages_of[who][n])
        return;
    uint64_t at = area(who, n) + (pick(seed, 3) ? 0 : pick(seed, 512) * PAGE_BYTES);
    long end = pick(seed, 8) ? (long)(LEFT + pick(seed, 2)) : (long)pick(seed, HANDLES_TRIED);
    long pages =
        pando_channel_receive(end, at, 512, pick(seed, 16) == 0 ? CHANNEL_WAIT : 0, &message);
    if (pages <= 0)
        return;
    touch(at, (uint64_t)pages, seed, 0);
    if (message.page_mode != PAGES_SHARE_READ)
        touch(at, (uint64_t)pages, seed, 1);
    if (at == area(who, n) && message.page_mode == PAGES_MOVE)
        pages_of[who][n] = (uint64_t)pages;
    else if (message.page_mode == PAGES_SHARE_COPY && pick(seed, 2) && at == area(who, n))
        pages_of[who][n] = (uint64_t)pages;
    else
        pando_mem_unmap(area(who, n), AREA_BYTES);
}

static void make(unsigned who, unsigned n, uint64_t *seed)
{
    uint64_t at = area(who, n), pages = 1 + pick(seed, MOST);
    if (pages_of[who][n])
        return;
    if (pick(seed, 4) == 0) {
        pages = 512 * (1 + pick(seed, 2));
        if (pando_mem_map(at, pages * PAGE_BYTES, RW, MEM_LARGE))
            return;
    } else if (pick(seed, 3) == 0) {
        long object = pando_object_create(pages * PAGE_BYTES);
        struct map_request request = {at, 0, pages * PAGE_BYTES, RW, (uint32_t)pick(seed, 2)};
        if (object < 0)
            return;
        long error = pando_object_map(object, 0, &request);
        if (error || pick(seed, 2))
            pando_handle_close(object);
        if (error)
            return;
    } else if (pando_mem_map(at, pages * PAGE_BYTES, RW, 0)) {
        return;
    }
    pages_of[who][n] = pages;
    touch(at, pages, seed, 1);
}

static void change(unsigned who, unsigned n, uint64_t *seed)
{
    uint64_t at = area(who, n), pages = pages_of[who][n];
    if (!pages)
        return;
    uint64_t from = pick(seed, pages), count = 1 + pick(seed, pages - from);
    switch (pick(seed, 6)) {
    case 0:
        pando_mem_protect(at + from * PAGE_BYTES, count * PAGE_BYTES, (long)pick(seed, 2) * PROT_R);
        pando_mem_protect(at, pages * PAGE_BYTES, RW);
        break;
    case 1:
        pando_mem_pin(at + from * PAGE_BYTES, (count < 64 ? count : 64) * PAGE_BYTES);
        break;
    case 2:
        pando_mem_evict(at + from * PAGE_BYTES, count * PAGE_BYTES);
        break;
    case 3:
        pando_mem_unmap(at, AREA_BYTES);
        pages_of[who][n] = 0;
        break;
    default:
        touch(at, pages, seed, 1);
    }
}

/* In any one's area, whatever is there: no access of its owner becomes a fault by that. */
static void disturb(uint64_t *seed)
{
    uint8_t bits[AREA_BYTES / PAGE_BYTES / 8];
    uint64_t at = area((unsigned)pick(seed, VCORES), (unsigned)pick(seed, AREAS));
    switch (pick(seed, 4)) {
    case 0:
        pando_mem_resident(at, AREA_BYTES, bits);
        break;
    case 1:
        pando_mem_pin(at, PAGE_BYTES);
        break;
    case 2:
        pando_mem_unpin(at, PAGE_BYTES);
        break;
    default:
        pando_mem_evict(at, PAGE_BYTES);
    }
}

static void step(unsigned who, uint64_t *seed)
{
    unsigned n = (unsigned)pick(seed, AREAS);
    switch (pick(seed, 13)) {
    case 12:
        disturb(seed);
        break;
    case 0:
    case 1:
        make(who, n, seed);
        break;
    case 2:
    case 3:
        change(who, n, seed);
        break;
    case 4:
    case 5:
    case 6:
        send(who, n, seed);
        break;
    case 7:
    case 8:
    case 9:
        receive(who, n, seed);
        break;
    case 10:
        if (pick(seed, 3))
            pando_handle_close(3 + (long)pick(seed, HANDLES_TRIED));
        else
            pando_channel_create(1 + (long)pick(seed, 4));
        break;
    default:
        pando_handle_duplicate(3 + (long)pick(seed, HANDLES_TRIED), (long)pick(seed, 32));
        pando_channel_watch(LEFT + (long)pick(seed, 2), (long)pick(seed, 8));
    }
}

static uint64_t seeds[VCORES];

static void *work(void *arg)
{
    for (;;)
        step((unsigned)(uintptr_t)arg, &seeds[(uintptr_t)arg]);
    return NULL;
}

static void be_worker(uint64_t seed, long vcores)
{
    struct uthread *uthread;
    for (long i = 0; i < vcores; i++)
        seeds[i] = seed * 8 + (uint64_t)i + 1;
    if (vcores > 1)
        vcores = pando_vcores_request((unsigned)vcores);
    for (long i = 1; i < vcores; i++)
        CHECK_IS(uthread_create(&uthread, work, (void *)i), 0);
    work(NULL);
}

static void storm_round(uint64_t *seed, const char *vcores)
{
    long worker[WORKERS], channel[WORKERS];
    char text[24];
    for (int i = 0; i < WORKERS; i++) {
        channel[i] = pando_channel_create(1 + (long)pick(seed, 6));
        snprintf(text, sizeof text, "%lu", (unsigned long)(random_next(seed) >> 32));
        worker[i] = child_try("traffic", "worker", text, "0", vcores, NULL);
        CHECK(channel[i] > 0 && worker[i] > 0);
        if (pick(seed, 3) == 0)
            CHECK_IS(pando_proc_limit(worker[i], 800 + pick(seed, 2000), 64), 0);
    }
    for (int i = 0; i < WORKERS; i++) {
        CHECK_IS(pando_proc_give(worker[i], channel[i] & 0xffffffff, RIGHTS_ALL), LEFT);
        CHECK_IS(pando_proc_give(worker[i], channel[(i + 1) % WORKERS] >> 32, RIGHTS_ALL), RIGHT);
    }
    for (int i = 0; i < WORKERS; i++) {
        CHECK_IS(pando_handle_close(channel[i] & 0xffffffff), 0);
        CHECK_IS(pando_handle_close(channel[i] >> 32), 0);
        CHECK_IS(child_run(worker[i]), 0);
    }
    for (int i = 0; i < WORKERS; i++) {
        compute(pick(seed, 4000000));
        CHECK_IS(pando_proc_kill(worker[i], (long)pick(seed, 2) * PROC_ABORT), 0);
    }
    for (int i = 0; i < WORKERS; i++)
        child_wait(worker[i]);
}

/* --- frozen ---------------------------------------------------------------------------------- */

enum { FROZEN_PAGES = 8 };
#define SOURCE 0x200000000ull
#define TARGET 0x210000000ull

static void *write_on(void *arg)
{
    for (uint64_t value = 1;; value++)
        for (uint64_t i = 0; i < FROZEN_PAGES; i++)
            *(volatile uint64_t *)(SOURCE + i * PAGE_BYTES) = value;
    return arg;
}

/* word: how; the writer goes on until it faults, or for ever. */
static void be_source(unsigned mode, long vcores, long shift)
{
    struct uthread *uthread;
    CHECK_IS(pando_mem_map(SOURCE, LARGE_BYTES, RW, shift ? MEM_LARGE : 0), 0);
    memset((void *)SOURCE, 1, FROZEN_PAGES * PAGE_BYTES);
    vcores = pando_vcores_request((unsigned)vcores);
    for (long i = 1; i < vcores; i++)
        CHECK_IS(uthread_create(&uthread, write_on, NULL), 0);
    compute(20000);
    struct channel_message message = {
        .addr = SOURCE, .pages = shift ? 512 : FROZEN_PAGES, .page_mode = (uint16_t)mode};
    CHECK_IS(channel_send(1, &message), 0);
    for (;;)
        compute(1000000);
}

static void frozen_round(unsigned mode, const char *vcores, const char *shift)
{
    char text[] = {(char)('0' + mode), 0};
    long made = pando_channel_create(2),
         source = child_try("traffic", "source", text, vcores, shift, NULL);
    CHECK(made > 0 && source > 0);
    CHECK_IS(pando_proc_give(source, made >> 32, RIGHTS_ALL), 1);
    CHECK_IS(pando_handle_close(made >> 32), 0);
    CHECK_IS(child_run(source), 0);
    struct channel_message message;
    long pages = channel_receive(made & 0xffffffff, TARGET, 512, &message);
    if (pages == -E_CLOSED && mode == PAGES_MOVE) { /* a writer was killed before all had gone */
        child_wait(source);
        CHECK_IS(pando_handle_close(made & 0xffffffff), 0);
        return;
    }
    CHECK_IS(pages, *shift == '0' ? FROZEN_PAGES : 512);
    volatile uint64_t *word = (volatile uint64_t *)TARGET;
    uint64_t first[FROZEN_PAGES];
    for (int i = 0; i < FROZEN_PAGES; i++)
        first[i] = word[i * 512];
    for (int round = 0; round < 20; round++) {
        compute(20000);
        for (int i = 0; i < FROZEN_PAGES; i++)
            CHECK_IS(word[i * 512], first[i]);
    }
    child_kill(source);
    child_wait(source);
    CHECK_IS(pando_mem_unmap(TARGET, LARGE_BYTES), 0);
    CHECK_IS(pando_handle_close(made & 0xffffffff), 0);
}

int main(int argc, char *argv[])
{
    CHECK(argc == 5);
    uint64_t seed = (uint64_t)number_of(argv[2]);
    long rounds = number_of(argv[3]);
    if (!strcmp(argv[1], "worker"))
        be_worker(seed, number_of(argv[4]));
    if (!strcmp(argv[1], "source"))
        be_source((unsigned)seed, rounds, number_of(argv[4]));
    seed = seed * 77777 + 1;
    for (long round = 0; round < rounds; round++)
        if (!strcmp(argv[1], "storm"))
            storm_round(&seed, argv[4]);
        else
            frozen_round(round % 2 ? PAGES_MOVE : PAGES_SHARE_COPY, argv[4],
                         round % 4 > 1 ? "1" : "0");
    printf("ok\n");
    return 0;
}
