#include "kernel/handle.h"
#include "abi/error.h"
#include "arch/arch.h"
#include "kernel/kernel.h"
#include "kernel/pool.h"
#include "kernel/process.h"
#include "lib/string.h"

_Static_assert(HANDLE_PAGES *HANDLE_PAGE_ENTRIES == HANDLES_MAX, "pages are full");

/* The root partition: a placeholder that handles can name. */
static void partition_hold(const struct handle *handle)
{
}
static void partition_release(const struct handle *handle, struct process *holder)
{
}
const struct handle_class partition_handles = {
    .name = "partition", .hold = partition_hold, .release = partition_release};

static struct pool pages = {.bytes = HANDLE_PAGE_ENTRIES * sizeof(struct handle)};

static const struct handle_class *const classes[HANDLE_KINDS] = {
    [HANDLE_PROCESS] = &process_handles,
    [HANDLE_CHANNEL] = &channel_handles,
    [HANDLE_MEMORY] = &object_handles,
    [HANDLE_PARTITION] = &partition_handles,
};

void handle_hold(const struct handle *handle)
{
    classes[handle->kind]->hold(handle);
}

void handle_release(const struct handle *handle, struct process *holder)
{
    classes[handle->kind]->release(handle, holder);
}

static int page_make(struct handle_table *table)
{
    struct handle *page = pool_get(&pages);
    if (page)
        table->page[table->pages++] = page;
    return page != NULL;
}

int handle_room(struct process *p, unsigned wanted)
{
    struct handle_table *table = &p->handles;
    if (table->count + wanted > HANDLES_MAX)
        return -E_LIMIT;
    unsigned room = 0;
    for (unsigned i = 0; i < HANDLE_PAGES && room < wanted; i++) {
        if (i == table->pages && !page_make(table))
            return -E_NO_MEMORY;
        room += HANDLE_PAGE_ENTRIES - table->used[i];
    }
    return 0;
}

long handle_add(struct process *p, const struct handle *handle)
{
    int error = handle_room(p, 1);
    if (error)
        return error;
    struct handle_table *table = &p->handles;
    unsigned page = 0, at = 0;
    while (table->used[page] == HANDLE_PAGE_ENTRIES)
        page++;
    while (table->page[page][at].kind != HANDLE_NONE)
        at++;
    table->page[page][at] = *handle;
    table->used[page]++;
    table->count++;
    return page * HANDLE_PAGE_ENTRIES + at + 1;
}

int handle_find(struct process *p, unsigned long number, enum handle_kind kind, unsigned rights,
                struct handle **found)
{
    if (number < 1 || number > HANDLES_MAX)
        return -E_NO_ENTRY;
    struct handle *page = p->handles.page[(number - 1) / HANDLE_PAGE_ENTRIES];
    struct handle *entry = page ? &page[(number - 1) % HANDLE_PAGE_ENTRIES] : NULL;
    if (!entry || entry->kind == HANDLE_NONE)
        return -E_NO_ENTRY;
    if (kind != HANDLE_NONE && entry->kind != kind)
        return -E_KIND;
    if ((entry->rights & rights) != rights)
        return -E_PERMISSION;
    *found = entry;
    return 0;
}

int handle_object(struct process *p, unsigned long number, enum handle_kind kind, unsigned rights,
                  void *object)
{
    struct handle *entry;
    int error = handle_find(p, number, kind, rights, &entry);
    *(void **)object = error ? NULL : entry->object;
    return error;
}

struct handle handle_take(struct process *p, struct handle *entry)
{
    struct handle_table *table = &p->handles;
    struct handle taken = *entry;
    if (taken.note && classes[taken.kind]->leave) {
        classes[taken.kind]->leave(&taken, p);
        taken.note = 0;
    }
    unsigned page = 0;
    while (entry < table->page[page] || entry >= table->page[page] + HANDLE_PAGE_ENTRIES)
        page++;
    *entry = (struct handle){0};
    table->used[page]--;
    table->count--;
    return taken;
}

/* Closes the handles of the last page, at most *budget; 1 when the page is gone. */
static int page_give_back(struct process *p, unsigned *budget)
{
    struct handle_table *table = &p->handles;
    unsigned page = table->pages - 1u;
    for (unsigned i = 0; table->used[page]; i++) {
        struct handle *entry = &table->page[page][i];
        if (entry->kind == HANDLE_NONE)
            continue;
        if (!*budget)
            return 0;
        --*budget;
        struct handle taken = handle_take(p, entry);
        handle_release(&taken, p);
    }
    pool_put(&pages, table->page[page]);
    table->page[page] = NULL;
    table->pages--;
    return 1;
}

int handles_give_back(struct process *p, unsigned budget)
{
    while (p->handles.pages)
        if (!page_give_back(p, &budget))
            return 0;
    return 1;
}

/* --- the calls ------------------------------------------------------------------------------- */

static long close_handle(struct process *p, unsigned long number)
{
    struct handle *entry;
    int error = handle_find(p, number, HANDLE_NONE, 0, &entry);
    if (error)
        return error;
    struct handle taken = handle_take(p, entry);
    handle_release(&taken, p);
    return 0;
}

/* A new handle of p for what *handle names: holds the object when it succeeds. */
static long add_holding(struct process *p, const struct handle *handle)
{
    long number = handle_add(p, handle);
    if (number > 0)
        handle_hold(handle);
    return number;
}

static long duplicate(struct process *p, unsigned long number, unsigned long rights)
{
    struct handle *entry;
    if (rights & ~(unsigned long)RIGHTS_ALL)
        return -E_PERMISSION;
    int error = handle_find(p, number, HANDLE_NONE, (unsigned)rights, &entry);
    if (error)
        return error;
    struct handle copy = *entry;
    copy.rights = (uint8_t)rights;
    copy.note = 0;
    return add_holding(p, &copy);
}

static long info(struct process *p, unsigned long number)
{
    struct handle *entry;
    int error = handle_find(p, number, HANDLE_NONE, 0, &entry);
    return error ? error : entry->kind | entry->rights << 8;
}

static long partition(struct process *p)
{
    struct handle root = {.kind = HANDLE_PARTITION, .rights = RIGHT_READ | RIGHT_GIVE};
    return add_holding(p, &root);
}

long handle_call(struct process *p, unsigned vcoreid, long number, const long argument[4])
{
    switch (number) {
    case PANDO_handle_close:
        return close_handle(p, (unsigned long)argument[0]);
    case PANDO_handle_duplicate:
        return duplicate(p, (unsigned long)argument[0], (unsigned long)argument[1]);
    case PANDO_handle_info:
        return info(p, (unsigned long)argument[0]);
    default:
        return partition(p);
    }
}
