#include "runtime/memory.h"
#include "runtime/place.h"
#include "runtime/uthread.h"
#include "runtime/vcore.h"

enum { FP_ALIGN = 64, CHUNK_BYTES = 0x8000 };

static uint64_t block_bytes, chunk_bytes;
static uint64_t next_chunk = PLACE_BLOCKS;
static uint64_t next_stack = PLACE_STACKS;

static struct lock lock; /* for these: the rest of the newest chunk */
static uint64_t chunk_next, chunk_end;

static uint64_t round_up(uint64_t bytes, uint64_t unit)
{
    return (bytes + unit - 1) / unit * unit;
}

/* The FP area stands behind the block. */
static uint64_t fp_offset(void)
{
    return round_up(sizeof(struct uthread), FP_ALIGN);
}

void memory_init(void)
{
    block_bytes = fp_offset() + round_up(pando_procinfo()->xsave_bytes, FP_ALIGN);
    chunk_bytes = round_up(block_bytes > CHUNK_BYTES ? block_bytes : CHUNK_BYTES, PAGE_BYTES);
}

static uint64_t chunk_take(void)
{
    lock_take(&lock);
    uint64_t addr = chunk_next;
    if (chunk_end - addr < block_bytes)
        addr = 0;
    else
        chunk_next += block_bytes;
    lock_release(&lock);
    return addr;
}

/* Two vcores at once may each map a chunk; then the rest of one is left unused. */
static bool chunk_map(void)
{
    uint64_t addr = __atomic_fetch_add(&next_chunk, chunk_bytes, __ATOMIC_RELAXED);

    if (addr + chunk_bytes > PLACE_BLOCKS_END ||
        system_call(PANDO_mem_map, addr, chunk_bytes, PROT_R | PROT_W, MEM_EAGER) < 0)
        return false;
    lock_take(&lock);
    chunk_next = addr;
    chunk_end = addr + chunk_bytes;
    lock_release(&lock);
    return true;
}

struct uthread *memory_block(void)
{
    uint64_t addr;

    while (!(addr = chunk_take())) {
        if (!chunk_map())
            return NULL;
    }
    struct uthread *uthread = (struct uthread *)addr;
    uthread->fp_area = (void *)(addr + fp_offset());
    return uthread;
}

void *memory_page(void)
{
    uint64_t addr = __atomic_fetch_add(&next_chunk, PAGE_BYTES, __ATOMIC_RELAXED);

    if (addr + PAGE_BYTES > PLACE_BLOCKS_END ||
        system_call(PANDO_mem_map, addr, PAGE_BYTES, PROT_R | PROT_W, MEM_EAGER) < 0)
        return NULL;
    return (void *)addr;
}

uint64_t memory_stack(uint64_t bytes)
{
    uint64_t guard = __atomic_fetch_add(&next_stack, bytes + PAGE_BYTES, __ATOMIC_RELAXED);
    uint64_t top = guard + PAGE_BYTES + bytes;

    if (top > PLACE_STACKS_END ||
        system_call(PANDO_mem_map, guard + PAGE_BYTES, bytes, PROT_R | PROT_W, 0) < 0)
        return 0;
    return top;
}
