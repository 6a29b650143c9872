#include "kernel/census.h"
#include "kernel/kernel.h"
#include "kernel/shared/frame.h"
#include "kernel/supervisor.h"

static uint64_t user_frames(void)
{
    uint64_t count[FRAME_KINDS];
    frame_census(-1, count);
    return count[FRAME_USER] + count[FRAME_USER_TABLE];
}

void census_before(void)
{
}

void census_after(void)
{
    uint64_t count[FRAME_KINDS];
    for (unsigned core = 0; core < supervisor_cores() && core < 8; core++) {
        frame_census((int)core, count);
        log_line("kernel %u owns %lu frames: %lu private, %lu tables, %lu rings; %lu free in its cache",
                 core, count[FRAME_PRIVATE] + count[FRAME_TABLE] + count[FRAME_RING],
                 count[FRAME_PRIVATE], count[FRAME_TABLE], count[FRAME_RING], count[FRAME_CACHED]);
    }
    log_line("processes own %lu frames", user_frames());
}
