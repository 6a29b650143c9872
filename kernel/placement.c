#include "kernel/placement.h"
#include "kernel/backlog.h"
#include "kernel/cores.h"
#include "kernel/kernel.h"
#include "kernel/shared/shared.h"
#include "kernel/vcore.h"
#include "lib/string.h"

/* The homes' core has direct calls for commands; what goes to the others never waits for a place in
 * a queue of this kernel. */
_Static_assert((MANAGEMENT_MAX - 1) * PLACES_MAX * COMMANDS_MAX <= PLAIN_NODES,
               "commands to management cores find room, whatever is in the rings");
_Static_assert(PLACES_MAX <= PEER_REQUESTS, "each context may have a request open");

static unsigned core_of[MANAGEMENT_MAX], cores, grantable;
static struct {
    unsigned places, running;
} load[MANAGEMENT_MAX];

static unsigned index_of(unsigned core)
{
    unsigned i = 0;
    while (i < cores && core_of[i] != core)
        i++;
    return i;
}

void placement_start(const uint64_t *up, uint64_t *granted)
{
    unsigned count = 0;
    memset(granted, 0, CORE_SET_WORDS * sizeof *granted);
    for (unsigned core = 0; core < CORES_MAX; core++)
        count += core_set_has(up, core);
    unsigned wanted = options.management < count ? options.management : count - 1;
    for (unsigned core = 0; core < CORES_MAX; core++) {
        if (!core_set_has(up, core))
            continue;
        if (cores < wanted) {
            core_of[cores++] = core;
            continue;
        }
        granted[core / 64] |= 1ull << core % 64;
        grantable++;
    }
    if (!cores)
        core_of[cores++] = this_core;
}

unsigned placement_grantable(void)
{
    return grantable;
}

static int has_place(unsigned i)
{
    return core_of[i] == this_core || load[i].places < PLACES_MAX;
}

unsigned placement_take(void)
{
    unsigned best = index_of(this_core);
    for (unsigned i = 0; i < cores; i++)
        if (has_place(i) && (load[i].running < load[best].running ||
                             (load[i].running == load[best].running && i < best)))
            best = i;
    load[best].places++;
    load[best].running++;
    return core_of[best];
}

void placement_leave(unsigned core, int waits)
{
    unsigned i = index_of(core);
    ASSERT(i < cores && load[i].places && load[i].running >= !waits);
    load[i].places--;
    load[i].running -= !waits;
}

void placement_wait(unsigned core)
{
    unsigned i = index_of(core);
    ASSERT(i < cores && load[i].running);
    load[i].running--;
}

void placement_wake(unsigned core)
{
    unsigned i = index_of(core);
    ASSERT(i < cores && load[i].running < load[i].places);
    load[i].running++;
}

int placement_idler(unsigned core)
{
    if (load[index_of(core)].running < 2)
        return 0;
    for (unsigned i = 0; i < cores; i++)
        if (core_of[i] != core && !load[i].running && has_place(i))
            return 1;
    return 0;
}

unsigned placement_slice_us(unsigned core)
{
    return index_of(core) < cores ? options.slice_us : options.granted_slice_us;
}
