/* The creation of a process: everything or nothing. docs/process.md. */
#include "abi/error.h"
#include "abi/syscall.h"
#include "arch/arch.h"
#include "kernel/actor.h"
#include "kernel/archive.h"
#include "kernel/home.h"
#include "kernel/image.h"
#include "kernel/kernel.h"
#include "kernel/placement.h"
#include "kernel/probe.h"
#include "kernel/process.h"
#include "kernel/process_end.h"
#include "kernel/supervisor.h"
#include "lib/string.h"

/* The last part of the first string, which may have no end in this page. */
static void name_process(struct process *p, const char *arguments)
{
    const char *base = arguments;
    for (const char *c = arguments; c < arguments + PAGE_BYTES - 1 && *c; c++)
        if (*c == '/')
            base = c + 1;
    for (unsigned i = 0; i < NAME_BYTES - 1 && base + i < arguments + PAGE_BYTES && base[i]; i++)
        p->name[i] = base[i] > ' ' && base[i] < 0x7f ? base[i] : '?';
}

/* What strings were copied: they are looked at where nobody else can change them. */
struct strings {
    unsigned count;
    char first, last;
};

static void strings_add(struct strings *strings, const char *copy, size_t bytes)
{
    if (!strings->count && !strings->last)
        strings->first = copy[0];
    for (size_t i = 0; i < bytes; i++)
        strings->count += copy[i] == 0;
    strings->last = copy[bytes - 1];
}

static int strings_check(const struct strings *strings, unsigned long environment)
{
    return strings->last || !strings->first || environment >= strings->count ? -E_INVALID : 0;
}

static void strings_show(struct process *p, const struct strings *strings, size_t bytes,
                         unsigned long environment)
{
    p->info->args_bytes = (uint32_t)bytes;
    p->info->argc = strings->count - (unsigned)environment;
    p->info->env_count = (uint32_t)environment;
}

static int map_strings(struct process *p, const struct process_plan *plan)
{
    struct strings strings = {0};
    for (size_t at = 0; at < plan->bytes; at += PAGE_BYTES) {
        frame_t frame;
        int error = memory_map_zeroed(p, PROCINFO_ARGS + at, PROT_R, &frame);
        if (error)
            return error;
        size_t bytes = plan->bytes - at < PAGE_BYTES ? plan->bytes - at : PAGE_BYTES;
        char *copy = frame_pointer(frame);
        memcpy(copy, plan->strings + at, bytes);
        strings_add(&strings, copy, bytes);
        if (at == 0)
            name_process(p, copy);
    }
    int error = strings_check(&strings, plan->environment);
    if (!error)
        strings_show(p, &strings, plan->bytes, plan->environment);
    return error;
}

int process_set_strings(struct process *p, const char *strings, size_t bytes,
                        unsigned long environment)
{
    char *copy = arch_private_alloc();
    if (!copy)
        return -E_NO_MEMORY;
    memcpy(copy, strings, bytes);
    struct strings found = {0};
    strings_add(&found, copy, bytes);
    int error = strings_check(&found, environment);
    if (!error) {
        memcpy(frame_pointer(memory_find(p, PROCINFO_ARGS)), copy, PAGE_BYTES);
        memset(p->name, 0, sizeof p->name);
        name_process(p, copy);
        strings_show(p, &found, bytes, environment);
    }
    arch_private_free(copy);
    return error;
}

static int map_procinfo(struct process *p)
{
    int error = memory_map_zeroed(p, PROCINFO_BASE, PROT_R, &p->info_frame);
    if (!error)
        error = memory_map_zeroed(p, PROCDATA_BASE, PROT_R | PROT_W, &p->data_frame);
    if (error)
        return error;
    p->info = frame_pointer(p->info_frame);
    p->data = frame_pointer(p->data_frame);
    p->info->version = 1;
    p->info->pid = p->pid;
    p->info->tsc_hz = arch_clock_hz();
    p->info->boot_tsc = probe_boot_clock(boot_clock());
    p->info->cores = supervisor_cores();
    p->info->max_vcores = placement_grantable();
    p->info->xsave_bytes = arch_fp_bytes();
    p->info->xsave_mask = arch_fp_mask();
    p->info->archive_bytes = archive_bytes();
    return 0;
}

static int map_archive(struct process *p)
{
    uint64_t pages = (archive_bytes() + PAGE_BYTES - 1) / PAGE_BYTES;
    return region_add(&p->regions, ARCHIVE_BASE, ARCHIVE_BASE + pages * PAGE_BYTES, REGION_ARCHIVE,
                      PROT_R);
}

static int fill(struct process *p, const struct process_plan *plan, const struct image *image)
{
    int error = home_actor_make(p);
    if (!error)
        error = map_procinfo(p);
    if (!error)
        error = map_strings(p, plan);
    if (!error)
        error = image_map(p, image);
    if (!error)
        error = map_archive(p);
    if (!error)
        error = home_vcore_make(p, 0);
    return error;
}

int process_create(const struct process_plan *plan, struct process **made)
{
    if (!plan->bytes || plan->bytes > ARGS_MAX_BYTES)
        return -E_INVALID;
    if (plan->creator && plan->creator->account.used > plan->creator->account.limit)
        return -E_LIMIT;
    struct image image;
    int error = image_open(plan->image, &image);
    if (error)
        return error;
    struct process *p;
    error = process_new(&p);
    if (error)
        return error;
    p->parent = plan->creator ? plan->creator->pid : 0;
    p->detached = plan->detached != 0;
    p->filter = filter_inherited(plan->creator);
    if (plan->creator) {
        p->creator = plan->creator->pid;
        p->account.limit = plan->creator->account.limit;
        p->pin_limit = plan->creator->pin_limit;
    }
    error = fill(p, plan, &image);
    if (error)
        process_undo(p, error);
    else
        *made = p;
    return error;
}
