#include "kernel/shared/frame.h"
#include "abi/layout.h"
#include "kernel/kernel.h"
#include "kernel/shared/lock.h"
#include "kernel/shared/shared.h"
#include "lib/string.h"

enum {
    ORDER_MAX = 9, /* 2 MiB */
    ORDER_FRAMES = 1 << ORDER_MAX,
    ZONES = 2,
    CACHE_FRAMES =
        256, /* of the general zone: a process that grows and shrinks by a MiB stays in it */
    CACHE_PRIVATE = 64,
    CACHE_BATCH_ORDER = 5,
    CACHE_BATCH = 1 << CACHE_BATCH_ORDER,
    CLEARED_FRAMES = 16,
    RESERVE_FRAMES = 32,
};
#define EARLY_TOP (4ull << 30)

/* The truth about a frame is `word`: kind, order of a free block at its first frame, zone, owner.
 * next and prev are the links of the free list that a free block's first frame is in; with the lock
 * held. Of an allocated frame, next is its owner's: frame_note. */
struct record {
    uint64_t word;
    frame_t next, prev;
};

#define WORD(kind, order, zone, core, process)                                                     \
    ((uint64_t)(kind) | (uint64_t)(order) << 8 | (uint64_t)(zone) << 16 | (uint64_t)(core) << 24 | \
     (uint64_t)(process) << 32)

struct allocator {
    struct spin_lock lock;
    frame_t free[ZONES][ORDER_MAX + 1];
    frame_t count[ZONES]; /* frames in these lists */
    frame_t usable;       /* of the general zone, in all */
};

SHARED struct record *frame_table;
SHARED frame_t frame_total;
SHARED frame_t frame_pool_base, frame_pool_frames;
SHARED static struct allocator allocator __attribute__((aligned(CACHE_LINE)));

/* This kernel's free frames, and what the copying fault path may use. */
struct cache {
    unsigned count;
    frame_t frame[CACHE_FRAMES];
};
EAGER static struct cache cache[ZONES];
EAGER static unsigned cleared_count; /* free, general, and known to be all zeros */
EAGER static frame_t cleared[CLEARED_FRAMES];
EAGER static int is_short; /* as this kernel saw last */
EAGER static void (*short_changed)(int is_short);
EAGER static unsigned reserve_count;
EAGER static frame_t reserve[RESERVE_FRAMES];

static enum frame_kind word_kind(uint64_t word)
{
    return (enum frame_kind)(word & 0xff);
}

static unsigned word_order(uint64_t word)
{
    return word >> 8 & 0xff;
}

static unsigned word_zone(uint64_t word)
{
    return word >> 16 & 0xff;
}

static void word_set(frame_t frame, uint64_t word)
{
    __atomic_store_n(&frame_table[frame].word, word, __ATOMIC_RELAXED);
}

static uint64_t word_get(frame_t frame)
{
    return __atomic_load_n(&frame_table[frame].word, __ATOMIC_RELAXED);
}

/* --- the shared buddy allocator; all with the lock held -------------------------------------- */

static void block_insert(unsigned zone, frame_t frame, unsigned order)
{
    struct record *record = &frame_table[frame];
    word_set(frame, WORD(FRAME_FREE, order, zone, 0, 0));
    record->prev = FRAME_NONE;
    record->next = allocator.free[zone][order];
    if (record->next)
        frame_table[record->next].prev = frame;
    allocator.free[zone][order] = frame;
}

static void block_remove(unsigned zone, frame_t frame, unsigned order)
{
    struct record *record = &frame_table[frame];
    if (record->prev)
        frame_table[record->prev].next = record->next;
    else
        allocator.free[zone][order] = record->next;
    if (record->next)
        frame_table[record->next].prev = record->prev;
}

static frame_t block_take(unsigned zone, unsigned order)
{
    unsigned from = order;
    while (from <= ORDER_MAX && !allocator.free[zone][from])
        from++;
    if (from > ORDER_MAX)
        return FRAME_NONE;
    frame_t frame = allocator.free[zone][from];
    block_remove(zone, frame, from);
    while (from > order) {
        from--;
        block_insert(zone, frame + (1u << from), from);
    }
    return frame;
}

static int block_is_free(unsigned zone, frame_t frame, unsigned order)
{
    return frame < frame_total && word_get(frame) == WORD(FRAME_FREE, order, zone, 0, 0);
}

static void block_put(unsigned zone, frame_t frame, unsigned order)
{
    while (order < ORDER_MAX) {
        frame_t buddy = frame ^ (1u << order);
        if (!block_is_free(zone, buddy, order))
            break;
        block_remove(zone, buddy, order);
        /* what is no longer a block's first frame must not look like one */
        word_set(frame > buddy ? frame : buddy, WORD(FRAME_ABSENT, 0, zone, 0, 0));
        frame &= ~(1u << order);
        order++;
    }
    block_insert(zone, frame, order);
}

/* What was put in, or taken (negative), in all: before the lock is let go. */
static void count_add(unsigned zone, frame_t frames)
{
    __atomic_store_n(&allocator.count[zone], allocator.count[zone] + frames, __ATOMIC_RELAXED);
}

/* --- making the table ------------------------------------------------------------------------ */

static void range_free(unsigned zone, frame_t from, frame_t to)
{
    while (from < to) {
        unsigned order = from ? (unsigned)__builtin_ctz(from) : 0;
        if (order > ORDER_MAX)
            order = ORDER_MAX;
        while (from + (1u << order) > to)
            order--;
        block_insert(zone, from, order);
        count_add(zone, 1u << order);
        from += 1u << order;
    }
}

struct span {
    uint64_t base, end;
};

static int spans_overlap(uint64_t base, uint64_t end, const struct span *taken, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (base < taken[i].end && taken[i].base < end)
            return 1;
    return 0;
}

/* The highest place for bytes, aligned, in usable memory, clear of what is taken; 0: none. Below
 * 4 GiB, which is what the boot loader's tables reach. */
static uint64_t place(const struct boot_info *boot, uint64_t bytes, uint64_t align,
                      const struct span *taken, unsigned count)
{
    for (unsigned i = boot->ranges; i-- > 0;) {
        const struct boot_range *range = &boot->range[i];
        uint64_t end = range->base + range->bytes;
        if (end > EARLY_TOP)
            end = EARLY_TOP;
        for (uint64_t at = (end - bytes) & ~(align - 1);
             bytes <= end && at >= range->base && at >= 0x600000; at -= align)
            if (!spans_overlap(at, at + bytes, taken, count))
                return at;
    }
    return 0;
}

/* Frees [base, end) less what is taken. */
static void free_around(uint64_t base, uint64_t end, const struct span *taken, unsigned count)
{
    while (base < end) {
        uint64_t stop = end;
        for (unsigned i = 0; i < count; i++) {
            if (base >= taken[i].base && base < taken[i].end)
                base = taken[i].end;
            else if (taken[i].base > base && taken[i].base < stop)
                stop = taken[i].base;
        }
        if (spans_overlap(base, base + 1, taken, count))
            continue;
        if (base < stop && stop <= end)
            range_free(ZONE_GENERAL, (frame_t)(base >> PAGE_SHIFT), (frame_t)(stop >> PAGE_SHIFT));
        base = stop;
    }
}

static void mark(uint64_t base, uint64_t end, enum frame_kind kind)
{
    for (uint64_t at = base; at < end; at += PAGE_BYTES)
        if (at >> PAGE_SHIFT < frame_total)
            word_set((frame_t)(at >> PAGE_SHIFT), WORD(kind, 0, ZONE_GENERAL, 0, 0));
}

static uint64_t round_up(uint64_t value, uint64_t unit)
{
    return (value + unit - 1) & ~(unit - 1);
}

static uint64_t usable_bytes(const struct boot_info *boot)
{
    uint64_t bytes = 0;
    for (unsigned i = 0; i < boot->ranges; i++)
        bytes += boot->range[i].bytes;
    return bytes;
}

/* Of the private pool: for what every kernel has, what it caches, and what a home keeps of its
 * processes: never more than the heaps take. */
static uint64_t pool_bytes(uint64_t usable, unsigned cores)
{
    uint64_t heaps = (uint64_t)cores * PRIVATE_HEAP_BYTES;
    uint64_t share = usable / 32 < heaps ? usable / 32 : heaps;
    return round_up(0x200000 + cores * 0x80000ull + share, 0x200000);
}

const char *frame_table_make(const struct boot_info *boot, unsigned cores)
{
    enum { LOW = 0x100000, IMAGE = 0x200000, IMAGE_TOP = 0x600000 };
    struct span taken[5] = {
        {0, LOW}, /* firmware, start-up code of cores */
        {IMAGE, IMAGE_TOP},
        {boot->archive_base, round_up(boot->archive_base + boot->archive_bytes, PAGE_BYTES)},
    };
    uint64_t usable = usable_bytes(boot);
    uint64_t pool = pool_bytes(usable, cores);
    uint64_t pool_base = place(boot, pool, 0x200000, taken, 3);
    if (!pool_base)
        return "too little memory: there is no room for the kernels' private pages";
    taken[3] = (struct span){pool_base, pool_base + pool};

    const struct boot_range *last = &boot->range[boot->ranges - 1];
    uint64_t top = last->base + last->bytes;
    uint64_t table_bytes = round_up((top >> PAGE_SHIFT) * sizeof(struct record), PAGE_BYTES);
    uint64_t table_base = place(boot, table_bytes, PAGE_BYTES, taken, 4);
    if (!table_base || usable < pool + table_bytes + (8u << 20))
        return "too little memory: there is no room for processes beside the kernels";
    taken[4] = (struct span){table_base, table_base + table_bytes};

    frame_total = (frame_t)(top >> PAGE_SHIFT);
    frame_table = frame_pointer((frame_t)(table_base >> PAGE_SHIFT));
    memset(frame_table, 0, table_bytes);
    memset(&allocator, 0, sizeof allocator);
    for (unsigned i = 0; i < boot->ranges; i++)
        free_around(boot->range[i].base, boot->range[i].base + boot->range[i].bytes, taken, 5);
    mark(IMAGE, IMAGE_TOP, FRAME_KERNEL);
    mark(taken[2].base, taken[2].end, FRAME_ARCHIVE);
    mark(table_base, taken[4].end, FRAME_KERNEL);
    frame_pool_base = (frame_t)(pool_base >> PAGE_SHIFT);
    frame_pool_frames = (frame_t)(pool >> PAGE_SHIFT);
    range_free(ZONE_PRIVATE, frame_pool_base, frame_pool_base + frame_pool_frames);
    allocator.usable = allocator.count[ZONE_GENERAL];
    return NULL;
}

/* --- few are left ------------------------------------------------------------------------------- */

frame_t frame_free_count(void)
{
    return __atomic_load_n(&allocator.count[ZONE_GENERAL], __ATOMIC_RELAXED);
}

frame_t frame_usable_count(void)
{
    return allocator.usable;
}

static int now_short(void)
{
    frame_t low = allocator.usable / 32;
    return frame_free_count() < (is_short ? low + low / 2 : low);
}

static __attribute__((noinline)) void short_is(int now)
{
    is_short = now;
    if (short_changed)
        short_changed(now);
}

int frame_short(void)
{
    int now = now_short();
    if (__builtin_expect(now != is_short, 0))
        short_is(now);
    return now;
}

void frame_on_short(void (*changed)(int is_short))
{
    short_changed = changed;
}

/* --- this kernel's caches -------------------------------------------------------------------- */

static inline unsigned cache_most(enum frame_zone zone)
{
    return zone == ZONE_GENERAL ? CACHE_FRAMES : CACHE_PRIVATE;
}

static inline void cache_push(struct cache *c, enum frame_zone zone, frame_t frame)
{
    word_set(frame, WORD(FRAME_CACHED, 0, zone, this_core, 0));
    c->frame[c->count++] = frame;
}

/* The cache is empty. With a whole block of CACHE_BATCH if there is one, the lowest to be handed out
 * first. */
static __attribute__((noinline)) unsigned cache_refill(enum frame_zone zone)
{
    struct cache *c = &cache[zone];
    spin_lock(&allocator.lock);
    frame_t block = block_take(zone, CACHE_BATCH_ORDER);
    if (block) {
        uint64_t word = WORD(FRAME_CACHED, 0, zone, this_core, 0);
        for (unsigned i = 0; i < CACHE_BATCH; i++) {
            word_set(block + i, word);
            c->frame[CACHE_BATCH - 1 - i] = block + i;
        }
        c->count = CACHE_BATCH;
    }
    while (c->count < CACHE_BATCH) {
        frame_t frame = block_take(zone, 0);
        if (!frame)
            break;
        cache_push(c, zone, frame);
    }
    count_add(zone, -c->count);
    spin_unlock(&allocator.lock);
    frame_short();
    return c->count;
}

static __attribute__((noinline)) void cache_spill(enum frame_zone zone, unsigned keep)
{
    struct cache *c = &cache[zone];
    spin_lock(&allocator.lock);
    count_add(zone, c->count > keep ? c->count - keep : 0);
    while (c->count > keep)
        block_put(zone, c->frame[--c->count], 0);
    spin_unlock(&allocator.lock);
    frame_short();
}

static inline __attribute__((always_inline)) frame_t
cache_take(enum frame_zone zone, enum frame_kind kind, struct frame_owner owner)
{
    struct cache *c = &cache[zone];
    frame_t frame = c->frame[--c->count];
    word_set(frame, WORD(kind, 0, zone, owner.core, owner.process));
    return frame;
}

static __attribute__((noinline)) frame_t alloc_refilled(enum frame_zone zone, enum frame_kind kind,
                                                        struct frame_owner owner)
{
    return cache_refill(zone) ? cache_take(zone, kind, owner) : FRAME_NONE;
}

frame_t frame_alloc(enum frame_zone zone, enum frame_kind kind, struct frame_owner owner)
{
    return cache[zone].count ? cache_take(zone, kind, owner) : alloc_refilled(zone, kind, owner);
}

static inline void free_to_cache(frame_t frame, enum frame_zone zone)
{
    struct cache *c = &cache[zone];
    if (c->count == cache_most(zone))
        cache_spill(zone, cache_most(zone) / 2);
    cache_push(c, zone, frame);
}

void frame_free(frame_t frame)
{
    uint64_t word = word_get(frame);
    ASSERT(word_kind(word) > FRAME_SNAPSHOT && word_kind(word) < FRAME_ARCHIVE);
    free_to_cache(frame, (enum frame_zone)word_zone(word));
}

frame_t frame_alloc_cleared(enum frame_kind kind, struct frame_owner owner)
{
    if (cleared_count == 0)
        return FRAME_NONE;
    frame_t frame = cleared[--cleared_count];
    word_set(frame, WORD(kind, 0, ZONE_GENERAL, owner.core, owner.process));
    return frame;
}

unsigned frame_free_user(const frame_t *frame, unsigned count)
{
    unsigned freed = 0;
    for (const frame_t *end = frame + count; frame < end; frame++) {
        enum frame_kind kind = word_kind(word_get(*frame));
        if (kind == FRAME_USER || (kind == FRAME_USER_TABLE && cleared_count == CLEARED_FRAMES)) {
            free_to_cache(*frame, ZONE_GENERAL); /* as all of a process's are */
        } else if (kind != FRAME_USER_TABLE) {
            continue;
        } else {
            word_set(*frame, WORD(FRAME_CACHED, 0, ZONE_GENERAL, this_core, 0));
            cleared[cleared_count++] = *frame;
        }
        freed++;
    }
    return freed;
}

frame_t frame_alloc_block(enum frame_zone zone, unsigned order, enum frame_kind kind,
                          struct frame_owner owner)
{
    spin_lock(&allocator.lock);
    frame_t frame = block_take(zone, order);
    count_add(zone, frame ? -(1u << order) : 0);
    if (frame)
        for (frame_t i = 0; i < 1u << order; i++)
            word_set(frame + i, WORD(kind, 0, zone, owner.core, owner.process));
    spin_unlock(&allocator.lock);
    frame_short();
    return frame;
}

void frame_free_block(frame_t frame, unsigned order)
{
    enum frame_zone zone = (enum frame_zone)word_zone(word_get(frame));
    ASSERT(order <= ORDER_MAX && frame % (1u << order) == 0);
    spin_lock(&allocator.lock);
    for (frame_t i = 0; i < 1u << order; i++)
        word_set(frame + i, WORD(FRAME_ABSENT, 0, zone, 0, 0));
    block_put(zone, frame, order);
    count_add(zone, 1u << order);
    spin_unlock(&allocator.lock);
    frame_short();
}

frame_t frame_reserve_take(void)
{
    if (reserve_count == 0)
        panic("no private frame is left for copying a snapshot page");
    return reserve[--reserve_count];
}

void frame_reserve_fill(void)
{
    while (reserve_count < RESERVE_FRAMES) {
        frame_t frame = frame_alloc(ZONE_PRIVATE, FRAME_CACHED, owned_by_kernel(this_core));
        if (!frame)
            return;
        reserve[reserve_count++] = frame;
    }
}

void frame_cache_forget(void)
{
    cache[ZONE_GENERAL].count = cache[ZONE_PRIVATE].count = 0;
    reserve_count = cleared_count = 0;
}

void frame_cache_drain(void)
{
    while (cleared_count)
        free_to_cache(cleared[--cleared_count], ZONE_GENERAL);
    for (unsigned zone = 0; zone < ZONES; zone++)
        cache_spill((enum frame_zone)zone, 0);
}

/* --- the table ------------------------------------------------------------------------------- */

uint32_t frame_note(frame_t frame)
{
    return frame_table[frame].next;
}

void frame_note_set(frame_t frame, uint32_t note)
{
    frame_table[frame].next = note;
}

enum frame_kind frame_kind(frame_t frame)
{
    return word_kind(word_get(frame));
}

struct frame_owner frame_owner(frame_t frame)
{
    uint64_t word = word_get(frame);
    return (struct frame_owner){.core = (uint8_t)(word >> 24), .process = (uint32_t)(word >> 32)};
}

void frame_set(frame_t frame, enum frame_kind kind, struct frame_owner owner)
{
    word_set(frame, WORD(kind, 0, word_zone(word_get(frame)), owner.core, owner.process));
}

void frame_census(int core, uint64_t counts[FRAME_KINDS])
{
    memset(counts, 0, FRAME_KINDS * sizeof counts[0]);
    for (frame_t frame = 1; frame < frame_total;) {
        uint64_t word = word_get(frame);
        unsigned size = word_kind(word) == FRAME_FREE ? 1u << word_order(word) : 1;
        if (core < 0 || (unsigned)core == (word >> 24 & 0xff))
            counts[word_kind(word)] += size;
        frame += size;
    }
}

void *frame_pointer(frame_t frame)
{
    return arch_direct((uint64_t)frame << PAGE_SHIFT);
}

frame_t frame_of_pointer(const void *address)
{
    return (frame_t)(arch_direct_physical(address) >> PAGE_SHIFT);
}
