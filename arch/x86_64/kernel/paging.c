/* The kernel's half of the address space: the tables all kernels share, each kernel's own, the
 * snapshot and the copying of its pages. docs/fork.md. */
#include "arch/x86_64/kernel/paging.h"
#include "abi/error.h"
#include "abi/layout.h"
#include "abi/syscall.h"
#include "arch/x86_64/kernel/core_start.h"
#include "arch/x86_64/kernel/cores.h"
#include "kernel/kernel.h"
#include "kernel/shared/frame.h"
#include "kernel/shared/shared.h"
#include "lib/string.h"

extern char text_start[], text_end[], rodata_start[], rodata_end[], shared_end[];
extern char private_start[], eager_end[], private_end[], table_view_start[], window_start[];
extern char stack_bottom[], stack_top[], nmi_stack_bottom[], fault_stack_bottom[],
    machine_check_stack_bottom[];
extern uint64_t boot_pml4[], boot_pdpt_low[], boot_pdpt_high[], boot_pd[];
extern char trampoline_start[], trampoline_end[], trampoline_pointer[], trampoline_jump32[],
    trampoline_jump64[];

enum {
    TOP_KERNEL = 511,
    TOP_DIRECT = 256,
    PDPT_KERNEL = 510,
    PD_IMAGE = 1,
    PD_PRIVATE = 2,
    PD_HEAP = 3,
    PD_DEVICES = 256
};
_Static_assert(PD_HEAP + HEAP_TABLES <= PD_DEVICES, "the heap ends where the devices begin");
enum { WINDOW_COPY, WINDOW_TABLE, WINDOW_SOURCE, WINDOW_TARGET, WINDOWS };

struct core_start core_starts[CORE_STARTS] SHARED;

/* Tables that all kernels share, fixed before the snapshot: physical addresses. */
static uint64_t direct_pdpt, image_table, device_table;
static unsigned devices_mapped;
static uint64_t trampoline_page;
/* The snapshot's two tables of private pages. */
static frame_t snapshot_private, snapshot_heap;
/* This kernel's own tables, and its heap: the first heap_tables of its tables are there, and those
 * in heap_room have free pages. */
EAGER static uint64_t kernel_tables;
static struct heap_table {
    uint16_t used, free; /* pages; the first free entry, which leads to the next */
} heap[HEAP_TABLES];
static unsigned heap_tables = 1, heap_pages_used;
static uint32_t heap_room = 1;
_Static_assert(HEAP_TABLES <= 32, "a bit each in heap_room");

static uint64_t *private_entries(void)
{
    return (uint64_t *)table_view_start;
}

/* Of all tables that are there, one behind the other. */
static uint64_t *heap_entries(void)
{
    return (uint64_t *)(table_view_start + PAGE_BYTES);
}

static unsigned private_index(const void *address)
{
    return (unsigned)(((uint64_t)address - (uint64_t)private_start) >> PAGE_SHIFT);
}

/* Where this kernel's entry for one of its private addresses is; NULL for others. */
static uint64_t *entry_of(uint64_t address)
{
    if (address - (uint64_t)private_start < LARGE_BYTES)
        return &private_entries()[private_index((void *)address)];
    if (address - HEAP_BASE < heap_tables * LARGE_BYTES)
        return &heap_entries()[(address - HEAP_BASE) >> PAGE_SHIFT];
    return NULL;
}

/* Shows a frame at one of this kernel's windows; the way to reach frames of the private pool. */
static void *window(unsigned which, frame_t frame)
{
    char *address = window_start + which * PAGE_BYTES;
    *entry_of((uint64_t)address) =
        frame ? (uint64_t)frame << PAGE_SHIFT | PTE_P | PTE_W | PTE_A | PTE_D | PTE_NX : 0;
    flush_page(address);
    return address;
}

void *arch_direct(uint64_t physical)
{
    return direct(physical);
}

uint64_t arch_direct_physical(const void *address)
{
    return (uint64_t)address - DIRECT_BASE;
}

frame_t arch_image_frame(const void *address)
{
    ASSERT(address >= (const void *)text_start && address < (const void *)shared_end);
    return (frame_t)(((uint64_t)address - KERNEL_OFFSET) >> PAGE_SHIFT);
}

uint64_t paging_kernel_tables(void)
{
    return kernel_tables;
}

uint64_t paging_private_physical(const void *address)
{
    uint64_t *entry = entry_of((uint64_t)address);
    ASSERT(entry && *entry & PTE_P);
    return (*entry & PTE_ADDR) | ((uint64_t)address & (PAGE_BYTES - 1));
}

uint64_t arch_private_physical(const void *page)
{
    return paging_private_physical(page);
}

void paging_share_kernel_half(uint64_t *top_level)
{
    const uint64_t *own = window(WINDOW_TABLE, (frame_t)(kernel_tables >> PAGE_SHIFT));
    top_level[TOP_DIRECT] = own[TOP_DIRECT];
    top_level[TOP_KERNEL] = own[TOP_KERNEL];
    window(WINDOW_TABLE, FRAME_NONE);
}

/* --- the first kernel's tables --------------------------------------------------------------- */

/* While the boot loader's tables are loaded all memory below 4 GiB is reached through direct(). */
static uint64_t *early_table(enum frame_zone zone, enum frame_kind kind, uint64_t *physical)
{
    frame_t frame = frame_alloc(zone, kind, owned_by_kernel(0));
    if (!frame)
        machine_stop("too little memory: none is left for the first kernel's page tables");
    *physical = (uint64_t)frame << PAGE_SHIFT;
    uint64_t *table = direct(*physical);
    memset(table, 0, PAGE_BYTES);
    return table;
}

static int outside_direct_map(uint64_t physical)
{
    uint64_t pool = (uint64_t)frame_pool_base << PAGE_SHIFT;
    return (physical >= IMAGE_BASE && physical < IMAGE_END) ||
           (physical >= pool && physical < pool + ((uint64_t)frame_pool_frames << PAGE_SHIFT));
}

static void make_direct_map(uint64_t top)
{
    uint64_t physical;
    uint64_t *pdpt = early_table(ZONE_PRIVATE, FRAME_KERNEL, &direct_pdpt);
    for (uint64_t gib = 0; gib << 30 < top; gib++) {
        uint64_t *pd = early_table(ZONE_PRIVATE, FRAME_KERNEL, &physical);
        pdpt[gib] = physical | PTE_P | PTE_W | PTE_A;
        for (unsigned i = 0; i < TABLE_ENTRIES; i++) {
            uint64_t at = (gib << 30) + i * LARGE_BYTES;
            if (at < top && !outside_direct_map(at))
                pd[i] = at | PTE_P | PTE_W | PTE_A | PTE_D | PTE_LARGE | PTE_G | PTE_NX;
        }
    }
}

static void map_image(uint64_t *table, const char *from, const char *to, uint64_t flags)
{
    for (const char *at = from; at < to; at += PAGE_BYTES)
        table[((uint64_t)at >> PAGE_SHIFT) % TABLE_ENTRIES] =
            ((uint64_t)at - KERNEL_OFFSET) | PTE_P | PTE_A | PTE_D | flags;
}

static void make_image_table(void)
{
    uint64_t *table = early_table(ZONE_PRIVATE, FRAME_KERNEL, &image_table);
    map_image(table, text_start, text_end, PTE_G);
    map_image(table, rodata_start, rodata_end, PTE_G | PTE_NX);
    map_image(table, rodata_end, shared_end, PTE_G | PTE_NX | PTE_W);
    early_table(ZONE_PRIVATE, FRAME_KERNEL, &device_table);
}

/* Fills the upper two levels of a kernel's tables; table pages come as pointers and physical
 * addresses. */
static void link_tables(uint64_t *top, uint64_t *pdpt, uint64_t pdpt_at, uint64_t *pd,
                        uint64_t pd_at, uint64_t private_at, uint64_t heap_at)
{
    uint64_t flags = PTE_P | PTE_W | PTE_A;
    top[TOP_DIRECT] = direct_pdpt | flags;
    top[TOP_KERNEL] = pdpt_at | flags;
    pdpt[PDPT_KERNEL] = pd_at | flags;
    pd[PD_IMAGE] = image_table | flags;
    pd[PD_PRIVATE] = private_at | flags;
    pd[PD_HEAP] = heap_at | flags;
    pd[PD_DEVICES] = device_table | flags;
}

static void show_tables(uint64_t *private_table, uint64_t private_at, uint64_t heap_at)
{
    uint64_t flags = PTE_P | PTE_W | PTE_A | PTE_D | PTE_NX;
    private_table[private_index(table_view_start)] = private_at | flags;
    private_table[private_index(table_view_start) + 1] = heap_at | flags;
}

static void make_first_kernel(void)
{
    uint64_t top_at, pdpt_at, pd_at, private_at, heap_at;
    uint64_t *top = early_table(ZONE_PRIVATE, FRAME_KERNEL, &top_at);
    uint64_t *pdpt = early_table(ZONE_PRIVATE, FRAME_KERNEL, &pdpt_at);
    uint64_t *pd = early_table(ZONE_PRIVATE, FRAME_KERNEL, &pd_at);
    uint64_t *private_table = early_table(ZONE_PRIVATE, FRAME_SNAPSHOT, &private_at);
    early_table(ZONE_PRIVATE, FRAME_SNAPSHOT, &heap_at);
    link_tables(top, pdpt, pdpt_at, pd, pd_at, private_at, heap_at);
    map_image(private_table, private_start, private_end, PTE_W | PTE_NX);
    show_tables(private_table, private_at, heap_at);
    kernel_tables = top_at;
    snapshot_private = (frame_t)(private_at >> PAGE_SHIFT);
    snapshot_heap = (frame_t)(heap_at >> PAGE_SHIFT);
}

/* A usable page that a start-up IPI can name, clear of the archive, which loaders may put there. */
static uint64_t find_start_page(const struct boot_info *boot)
{
    uint64_t archive_end = boot->archive_base + boot->archive_bytes;
    for (unsigned i = 0; i < boot->ranges; i++) {
        uint64_t end = boot->range[i].base + boot->range[i].bytes;
        for (uint64_t at = boot->range[i].base; at + PAGE_BYTES <= end && at < 0x9f000;
             at += PAGE_BYTES)
            if (at >= PAGE_BYTES && (at + PAGE_BYTES <= boot->archive_base || at >= archive_end))
                return at;
    }
    return 0;
}

/* Where started cores begin: a page below 1 MiB with the start-up code, its pointers made absolute.
 * The boot tables become what it runs on: that page at its own address, executable, and what all
 * kernels share. */
static void make_start_page(const struct boot_info *boot)
{
    trampoline_page = find_start_page(boot);
    if (!trampoline_page) {
        log_line("no page below 640 KiB is usable: no core beyond the first can be started");
        return;
    }
    char *page = direct(trampoline_page);
    memcpy(page, trampoline_start, (size_t)(trampoline_end - trampoline_start));
    char *const pointers[] = {trampoline_pointer + 2, trampoline_jump32, trampoline_jump64};
    for (unsigned i = 0; i < 3; i++) {
        uint32_t value;
        memcpy(&value, page + (pointers[i] - trampoline_start), 4);
        value += (uint32_t)trampoline_page;
        memcpy(page + (pointers[i] - trampoline_start), &value, 4);
    }
}

/* The boot tables stand in .boot at their physical addresses, which no kernel maps: through a
 * window. */
static uint64_t *boot_table(const uint64_t *physical)
{
    return memset(window(WINDOW_TARGET, (frame_t)((uint64_t)physical >> PAGE_SHIFT)), 0,
                  PAGE_BYTES);
}

static void rewrite_boot_tables(void)
{
    uint64_t flags = PTE_P | PTE_W | PTE_A;
    uint64_t *page_table = boot_pd + TABLE_ENTRIES, *image_pd = boot_pd + 2 * TABLE_ENTRIES;
    boot_table(page_table)[trampoline_page >> PAGE_SHIFT] = trampoline_page | PTE_P | PTE_A;
    boot_table(boot_pd)[0] = (uint64_t)page_table | flags;
    boot_table(boot_pdpt_low)[0] = (uint64_t)boot_pd | flags;
    boot_table(image_pd)[PD_IMAGE] = image_table | flags;
    boot_table(boot_pdpt_high)[PDPT_KERNEL] = (uint64_t)image_pd | flags;
    uint64_t *top = boot_table(boot_pml4);
    top[0] = (uint64_t)boot_pdpt_low | flags;
    top[TOP_DIRECT] = direct_pdpt | flags;
    top[TOP_KERNEL] = (uint64_t)boot_pdpt_high | flags;
    window(WINDOW_TARGET, FRAME_NONE);
}

void arch_memory_init(const struct boot_info *boot)
{
    make_direct_map(boot->top);
    make_image_table();
    make_first_kernel();
    make_start_page(boot);
    load_tables(kernel_tables);
    rewrite_boot_tables();
}

volatile void *arch_device_map(uint64_t physical, size_t bytes)
{
    uint64_t first = physical & ~(uint64_t)(PAGE_BYTES - 1);
    unsigned pages = (unsigned)((physical + bytes - first + PAGE_BYTES - 1) >> PAGE_SHIFT);
    ASSERT(devices_mapped + pages <= TABLE_ENTRIES);
    uint64_t *table = window(WINDOW_TABLE, (frame_t)(device_table >> PAGE_SHIFT));
    char *address = (char *)DEVICE_BASE + (uint64_t)devices_mapped * PAGE_BYTES;
    for (unsigned i = 0; i < pages; i++)
        table[devices_mapped++] = (first + i * PAGE_BYTES) | PTE_P | PTE_W | PTE_A | PTE_D | PTE_G |
                                  PTE_PCD | PTE_PWT | PTE_NX;
    window(WINDOW_TABLE, FRAME_NONE);
    return address + (physical - first);
}

/* --- the snapshot and its copies ------------------------------------------------------------- */

void arch_snapshot_freeze(void)
{
    for (char *at = private_start; at < private_end; at += PAGE_BYTES)
        frame_set((frame_t)(paging_private_physical(at) >> PAGE_SHIFT), FRAME_SNAPSHOT,
                  owned_by_kernel(0));
    ASSERT(heap_tables == 1);
    for (unsigned i = 0; i < TABLE_ENTRIES; i++)
        if (heap_entries()[i] & PTE_P)
            frame_set((frame_t)(heap_entries()[i] >> PAGE_SHIFT), FRAME_SNAPSHOT,
                      owned_by_kernel(0));
    frame_cache_drain();
}

int paging_copy_on_write(uint64_t address, uint64_t error)
{
    uint64_t *entry = entry_of(address);
    if ((error & 7) != 3 || !entry || !(*entry & PTE_COW))
        return -1;
    frame_t frame = frame_reserve_take();
    void *page = (void *)(address & ~(uint64_t)(PAGE_BYTES - 1));
    memcpy(window(WINDOW_COPY, frame), page, PAGE_BYTES);
    frame_set(frame, FRAME_PRIVATE, owned_by_kernel(this_core));
    *entry = (uint64_t)frame << PAGE_SHIFT | PTE_P | PTE_W | PTE_A | PTE_D | PTE_NX;
    flush_page(page);
    window(WINDOW_COPY, FRAME_NONE);
    return 0;
}

/* Copies a table of the snapshot with every page in it read-only, to be copied when written to; the
 * list of free entries stays what it is. */
static void inherit_entries(uint64_t *table, frame_t snapshot)
{
    const uint64_t *source = window(WINDOW_SOURCE, snapshot);
    for (unsigned i = 0; i < TABLE_ENTRIES; i++)
        table[i] = source[i] & PTE_P ? (source[i] & ~PTE_W) | PTE_COW : source[i];
}

static int give_page(uint64_t *table, const char *address, unsigned core)
{
    frame_t frame = frame_alloc(ZONE_PRIVATE, FRAME_PRIVATE, owned_by_kernel(core));
    if (!frame)
        return -E_NO_MEMORY;
    table[private_index(address)] =
        (uint64_t)frame << PAGE_SHIFT | PTE_P | PTE_W | PTE_A | PTE_D | PTE_NX;
    return 0;
}

/* Fills a new kernel's table of private pages. The eager pages are copied, stacks are given; what
 * fails half-way is found in the table and freed by the caller. */
static int fill_private(uint64_t *table, unsigned core, uint64_t private_at, uint64_t heap_at)
{
    inherit_entries(table, snapshot_private);
    for (unsigned i = private_index(window_start); i < TABLE_ENTRIES; i++)
        table[i] = 0;
    for (const char *at = private_start; at < eager_end; at += PAGE_BYTES) {
        const void *source =
            window(WINDOW_SOURCE, (frame_t)(table[private_index(at)] >> PAGE_SHIFT));
        if (give_page(table, at, core))
            return -E_NO_MEMORY;
        memcpy(
            window(WINDOW_TARGET, (frame_t)((table[private_index(at)] & PTE_ADDR) >> PAGE_SHIFT)),
            source, PAGE_BYTES);
    }
    for (const char *at = stack_bottom; at < stack_top; at += PAGE_BYTES)
        if (give_page(table, at, core))
            return -E_NO_MEMORY;
    if (give_page(table, nmi_stack_bottom, core) || give_page(table, fault_stack_bottom, core) ||
        give_page(table, machine_check_stack_bottom, core))
        return -E_NO_MEMORY;
    show_tables(table, private_at, heap_at);
    return 0;
}

/* Sets a variable of the new kernel's eager pages, before it runs. */
static void plant(const uint64_t *table, void *variable, const void *value, size_t bytes)
{
    frame_t frame = (frame_t)((table[private_index(variable)] & PTE_ADDR) >> PAGE_SHIFT);
    char *page = window(WINDOW_TARGET, frame);
    memcpy(page + ((uint64_t)variable & (PAGE_BYTES - 1)), value, bytes);
}

static void free_private(uint64_t *table)
{
    for (unsigned i = 0; i < TABLE_ENTRIES; i++)
        if (table[i] & PTE_P && table[i] & PTE_W && i < private_index(table_view_start))
            frame_free((frame_t)((table[i] & PTE_ADDR) >> PAGE_SHIFT));
}

enum { KERNEL_TABLES = 5 };

static int fork_over(const frame_t table[KERNEL_TABLES], unsigned core)
{
    uint64_t at[KERNEL_TABLES];
    for (unsigned i = 0; i < KERNEL_TABLES; i++)
        at[i] = (uint64_t)table[i] << PAGE_SHIFT;
    for (unsigned i = 0; i < 3; i++)
        memset(window(WINDOW_TARGET, table[i]), 0, PAGE_BYTES);
    link_tables(window(WINDOW_COPY, table[0]), window(WINDOW_SOURCE, table[1]), at[1],
                window(WINDOW_TARGET, table[2]), at[2], at[3], at[4]);
    inherit_entries(window(WINDOW_TABLE, table[4]), snapshot_heap);
    uint64_t *private_table = window(WINDOW_TABLE, table[3]);
    int error = fill_private(private_table, core, at[3], at[4]);
    if (error) {
        free_private(private_table);
        return error;
    }
    plant(private_table, &kernel_tables, &at[0], sizeof at[0]);
    plant(private_table, &this_core, &core, sizeof core);
    core_starts[core].apic_id = core_apic_id[core];
    core_starts[core].tables = at[0];
    return 0;
}

int arch_kernel_fork(unsigned core)
{
    frame_t table[KERNEL_TABLES];
    unsigned made = 0;
    while (made < KERNEL_TABLES &&
           (table[made] = frame_alloc(ZONE_PRIVATE, FRAME_TABLE, owned_by_kernel(core))))
        made++;
    int error = made == KERNEL_TABLES ? fork_over(table, core) : -E_NO_MEMORY;
    for (unsigned i = 0; i < WINDOWS; i++)
        window(i, FRAME_NONE);
    if (error)
        while (made)
            frame_free(table[--made]);
    return error;
}

uint64_t paging_start_page(void)
{
    return trampoline_page;
}

/* --- the private heap's pages ---------------------------------------------------------------- */

/* What a free entry says: which is free next, TABLE_ENTRIES for none. A table of zeros has all its
 * entries free, in order. Bit 0, "present", is clear. */
static uint64_t free_entry(unsigned index, unsigned next)
{
    return (uint64_t)(next ^ (index + 1)) << 1;
}

static unsigned free_after(unsigned index, uint64_t entry)
{
    return (unsigned)(entry >> 1) ^ (index + 1);
}

/* Sets an entry of the page directory, which no address shows for long. */
static void set_directory(unsigned index, uint64_t value)
{
    static const uint16_t path[] = {TOP_KERNEL, PDPT_KERNEL};
    uint64_t table = kernel_tables;
    for (unsigned level = 0; level < 2; level++) {
        const uint64_t *entries = window(WINDOW_TABLE, (frame_t)(table >> PAGE_SHIFT));
        table = entries[path[level]] & PTE_ADDR;
    }
    uint64_t *directory = window(WINDOW_TABLE, (frame_t)(table >> PAGE_SHIFT));
    directory[index] = value;
    window(WINDOW_TABLE, FRAME_NONE);
}

static uint64_t *heap_view(unsigned table)
{
    return heap_entries() + (size_t)table * TABLE_ENTRIES;
}

/* One more table, empty: -1 when there can be none. */
static int heap_grow(void)
{
    unsigned table = heap_tables;
    frame_t frame = table < HEAP_TABLES
                        ? frame_alloc(ZONE_PRIVATE, FRAME_TABLE, owned_by_kernel(this_core))
                        : FRAME_NONE;
    if (!frame)
        return -1;
    uint64_t at = (uint64_t)frame << PAGE_SHIFT | PTE_P | PTE_W | PTE_A;
    *entry_of((uint64_t)heap_view(table)) = at | PTE_D | PTE_NX;
    memset(heap_view(table), 0, PAGE_BYTES);
    set_directory(PD_HEAP + table, at);
    heap[table] = (struct heap_table){0};
    heap_room |= 1u << table;
    heap_tables++;
    return 0;
}

/* The last table goes, which is empty. No translation of a page in it is left, but this core may
 * remember the table itself: invlpg drops that too. */
static void heap_shrink(void)
{
    unsigned table = --heap_tables;
    uint64_t *view = entry_of((uint64_t)heap_view(table));
    frame_t frame = (frame_t)((*view & PTE_ADDR) >> PAGE_SHIFT);
    heap_room &= ~(1u << table);
    set_directory(PD_HEAP + table, 0);
    *view = 0;
    flush_page(heap_view(table));
    flush_page((void *)(HEAP_BASE + table * LARGE_BYTES));
    frame_free(frame);
}

void *arch_private_alloc(void)
{
    if (!heap_room && heap_grow())
        return NULL;
    frame_t frame = frame_alloc(ZONE_PRIVATE, FRAME_PRIVATE, owned_by_kernel(this_core));
    if (!frame)
        return NULL;
    unsigned table = (unsigned)__builtin_ctz(heap_room), index = heap[table].free;
    uint64_t *entry = &heap_view(table)[index];
    heap[table].free = (uint16_t)free_after(index, *entry);
    heap[table].used++;
    heap_pages_used++;
    if (heap[table].free == TABLE_ENTRIES)
        heap_room &= ~(1u << table);
    *entry = (uint64_t)frame << PAGE_SHIFT | PTE_P | PTE_W | PTE_A | PTE_D | PTE_NX;
    void *page = (void *)(HEAP_BASE + table * LARGE_BYTES + (uint64_t)index * PAGE_BYTES);
    return memset(page, 0, PAGE_BYTES);
}

/* Tables that are empty go, while the others have a good many pages free: so that none comes and
 * goes with a page. */
static void heap_trim(void)
{
    enum { ROOM_KEPT = 64 };
    while (heap_tables > 1 && !heap[heap_tables - 1].used &&
           heap_pages_used + ROOM_KEPT <= (heap_tables - 1) * TABLE_ENTRIES)
        heap_shrink();
}

/* A page of the snapshot stays the snapshot's; only what this kernel owns goes back. */
void arch_private_free(void *page)
{
    uint64_t *entry = entry_of((uint64_t)page);
    ASSERT((uint64_t)page >= HEAP_BASE && entry && *entry & PTE_P);
    unsigned at = (unsigned)(((uint64_t)page - HEAP_BASE) >> PAGE_SHIFT);
    unsigned table = at / TABLE_ENTRIES, index = at % TABLE_ENTRIES;
    if (!(*entry & PTE_COW))
        frame_free((frame_t)((*entry & PTE_ADDR) >> PAGE_SHIFT));
    *entry = free_entry(index, heap[table].free);
    flush_page(page);
    heap[table].free = (uint16_t)index;
    heap[table].used--;
    heap_pages_used--;
    heap_room |= 1u << table;
    if (heap_tables > 1)
        heap_trim();
}

static int audit_table(const uint64_t *table, const char *name)
{
    int owned = 0;
    for (unsigned i = 0; i < TABLE_ENTRIES; i++) {
        if (!(table[i] & PTE_P) || !(table[i] & PTE_W))
            continue;
        frame_t frame = (frame_t)((table[i] & PTE_ADDR) >> PAGE_SHIFT);
        enum frame_kind kind = frame_kind(frame);
        if ((kind != FRAME_PRIVATE && kind != FRAME_TABLE) ||
            frame_owner(frame).core != this_core) {
            log_line("audit: %s entry %u: frame %u of kind %u is writable", name, i, frame, kind);
            return -1;
        }
        owned++;
    }
    return owned;
}

int arch_audit_private(void)
{
    int image = audit_table(private_entries(), "image");
    int owned = image;
    for (unsigned table = 0; table < heap_tables && owned >= 0; table++) {
        int pages = audit_table(heap_view(table), "heap");
        owned = pages < 0 ? -1 : owned + pages;
    }
    return owned;
}
