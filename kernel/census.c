#include "kernel/census.h"
#include "kernel/kernel.h"
#include "kernel/shared/frame.h"
#include "kernel/shared/shared.h"
#include "kernel/supervisor.h"

enum { CORES_SHOWN = 8 }; /* the whole table is gone through for each */

static void show_kernel(unsigned core)
{
    uint64_t count[FRAME_KINDS];
    frame_census((int)core, count);
    uint64_t owned = count[FRAME_PRIVATE] + count[FRAME_TABLE] + count[FRAME_RING];
    log_line("kernel %u owns %lu frames: %lu private, %lu tables, %lu rings; %lu free in its cache",
             core, owned, count[FRAME_PRIVATE], count[FRAME_TABLE], count[FRAME_RING],
             count[FRAME_CACHED]);
}

void census(void)
{
    uint64_t count[FRAME_KINDS];
    for (unsigned core = 0, shown = 0; core < CORES_MAX && shown < CORES_SHOWN; core++)
        if (supervisor_core_is_up(core)) {
            show_kernel(core);
            shown++;
        }
    frame_census(-1, count);
    log_line("processes own %lu frames",
             count[FRAME_USER] + count[FRAME_USER_TABLE] + count[FRAME_OBJECT]);
}
