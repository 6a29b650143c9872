/* brk and the mmap family. The kernel maps; here it is only decided where. */
#include "runtime/call.h"
#include "runtime/file.h"
#include "runtime/mutex.h"
#include "runtime/place.h"
#include "runtime/space.h"
#include "abi/error.h"
#include "lib/string.h"

enum { MAP_SHARED = 1, MAP_TYPE = 0xf, MAP_FIXED = 0x10, MAP_ANONYMOUS = 0x20 };
enum { MAP_FIXED_NOREPLACE = 0x100000, MADVISE_DONTNEED = 4 };

static struct mutex mutex; /* for these: */
static struct space maps;
static uint64_t heap_start, heap_end; /* heap_end: as the program set it */
static uint64_t heap_mapped;          /* page-aligned: what is mapped of it ends here */

static uint64_t page_up(uint64_t bytes)
{
    return (bytes + PAGE_BYTES - 1) & ~(uint64_t)(PAGE_BYTES - 1);
}

void call_memory_init(uint64_t start)
{
    space_init(&maps, PLACE_MAPS, PLACE_MAPS_END);
    heap_start = heap_end = heap_mapped = start;
}

static long pages_map(uint64_t addr, uint64_t bytes, int prot)
{
    return kernel_call(PANDO_mem_map, addr, bytes, prot, 0);
}

static long pages_unmap(uint64_t addr, uint64_t bytes)
{
    return kernel_call(PANDO_mem_unmap, addr, bytes, 0, 0);
}

static void heap_set(uint64_t end)
{
    uint64_t mapped = page_up(end);

    if (mapped > heap_mapped) {
        if (pages_map(heap_mapped, mapped - heap_mapped, PROT_R | PROT_W) < 0)
            return;
    } else if (mapped < heap_mapped) {
        pages_unmap(mapped, heap_mapped - mapped);
    }
    heap_mapped = mapped;
    heap_end = end;
}

/* brk(end). Linux's answer is the heap's end after the call, whatever came of it. */
int64_t answer_brk(const uint64_t *args)
{
    mutex_take(&mutex);
    if (args[0] >= heap_start && args[0] - heap_start <= PROGRAM_HEAP_BYTES)
        heap_set(args[0]);
    uint64_t end = heap_end;
    mutex_release(&mutex);
    return end;
}

/* What the processor can do, as the kernel wants it; -EACCES for writable code. */
static int64_t prot_of(uint64_t prot)
{
    if ((prot & PROT_W) && (prot & PROT_X))
        return -LINUX_EACCES;
    prot &= PROT_R | PROT_W | PROT_X;
    return prot ? (int64_t)(prot | PROT_R) : 0;
}

static bool range_valid(uint64_t addr, uint64_t bytes)
{
    return addr % PAGE_BYTES == 0 && addr >= PAGE_BYTES && bytes > 0 && bytes < PLACE_RUNTIME &&
           addr <= PLACE_RUNTIME - bytes;
}

/* Of what Linux says ENOMEM to: more than there can be, and what is not mapped. */
static int64_t memory_error(long error)
{
    return error == -E_LIMIT || error == -E_NO_ENTRY ? -LINUX_ENOMEM : call_error(error);
}

/* Chooses the address and clears the way. Returns it, or a negative errno. */
static int64_t place_take(uint64_t addr, uint64_t bytes, uint64_t flags)
{
    if (!(flags & (MAP_FIXED | MAP_FIXED_NOREPLACE))) {
        addr = space_take(&maps, bytes);
        return addr ? (int64_t)addr : -LINUX_ENOMEM;
    }
    if (!range_valid(addr, bytes))
        return -LINUX_EINVAL;
    if (!(flags & MAP_FIXED_NOREPLACE))
        pages_unmap(addr, bytes);
    return addr;
}

static int64_t map_anywhere(uint64_t addr, uint64_t bytes, int prot, uint64_t flags)
{
    int64_t place = place_take(addr, bytes, flags);

    if (place < 0)
        return place;
    long error = pages_map(place, bytes, prot);
    if (error == 0)
        space_take_range(&maps, place, place + bytes);
    else if (error != -E_EXISTS)
        space_give(&maps, place, place + bytes);
    return error < 0 ? memory_error(error) : place;
}

static int64_t map_locked(uint64_t addr, uint64_t bytes, int prot, uint64_t flags)
{
    mutex_take(&mutex);
    int64_t place = map_anywhere(addr, bytes, prot, flags);
    mutex_release(&mutex);
    return place;
}

/* A private mapping of a file is a copy of it; so is a shared one, since files do not change. */
static int64_t map_file(const uint64_t *args, uint64_t bytes, int prot)
{
    const uint8_t *data;
    uint64_t offset = args[5];
    int64_t file_bytes = file_contents(args[4], &data);

    if (file_bytes < 0)
        return file_bytes;
    if ((args[3] & MAP_TYPE) == MAP_SHARED && (prot & PROT_W))
        return -LINUX_EACCES;
    if (offset % PAGE_BYTES != 0)
        return -LINUX_EINVAL;
    int64_t place = map_locked(args[0], bytes, PROT_R | PROT_W, args[3]);
    if (place < 0)
        return place;
    if (offset < (uint64_t)file_bytes) {
        uint64_t rest = file_bytes - offset;
        memcpy((void *)place, data + offset, rest < args[1] ? rest : args[1]);
    }
    long error = kernel_call(PANDO_mem_protect, place, bytes, prot, 0);
    return error < 0 ? memory_error(error) : place;
}

/* mmap(addr, bytes, prot, flags, fd, offset) */
int64_t answer_mmap(const uint64_t *args)
{
    int64_t prot = prot_of(args[2]);

    if (prot < 0)
        return prot;
    if (args[1] == 0)
        return -LINUX_EINVAL;
    if (args[1] > PLACE_MAPS_END)
        return -LINUX_ENOMEM;
    if (args[3] & MAP_ANONYMOUS)
        return map_locked(args[0], page_up(args[1]), prot, args[3]);
    return map_file(args, page_up(args[1]), prot);
}

/* munmap(addr, bytes) */
int64_t answer_munmap(const uint64_t *args)
{
    uint64_t bytes = page_up(args[1]);

    if (!range_valid(args[0], bytes))
        return -LINUX_EINVAL;
    mutex_take(&mutex);
    long error = pages_unmap(args[0], bytes);
    if (error == 0)
        space_give(&maps, args[0], args[0] + bytes);
    mutex_release(&mutex);
    return error < 0 ? call_error(error) : 0;
}

/* mprotect(addr, bytes, prot) */
int64_t answer_mprotect(const uint64_t *args)
{
    int64_t prot = prot_of(args[2]);
    uint64_t bytes = page_up(args[1]);

    if (prot < 0)
        return prot;
    if (args[1] == 0)
        return 0;
    if (!range_valid(args[0], bytes))
        return -LINUX_EINVAL;
    long error = kernel_call(PANDO_mem_protect, args[0], bytes, prot, 0);
    return error < 0 ? memory_error(error) : 0;
}

/* madvise(addr, bytes, advice): advice may be ignored, but MADV_DONTNEED promises zeroes. */
int64_t answer_madvise(const uint64_t *args)
{
    return args[2] == MADVISE_DONTNEED ? -LINUX_EINVAL : 0;
}
