#define _GNU_SOURCE
#include "tests/unit/host_world.h"
#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "kernel/kernel.h"
#include "kernel/shared/core.h"
#include "kernel/shared/frame.h"
#include "kernel/shared/shared.h"

struct world world;
static void *handle[WORLD_KERNELS];
static struct {
    void *memory;
    unsigned owner;
} frames[WORLD_FRAMES];

/* The symbol that the shared objects' own is bound to: one for all kernels. */
extern frame_t channel_inbox[CORES_MAX + 1];
frame_t channel_inbox[CORES_MAX + 1];

/* The same names in every copy are meant. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_odr_violation=0";
}

static void *load(const char *shared_object)
{
    char path[] = "/tmp/host_kernel_XXXXXX", command[512];
    int file = mkstemp(path);
    snprintf(command, sizeof(command), "cp '%s' '%s'", shared_object, path);
    if (file < 0 || system(command) != 0)
        abort();
    close(file);
    void *loaded = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!loaded)
        fprintf(stderr, "%s\n", dlerror());
    unlink(path);
    return loaded;
}

void world_make(const char *shared_object, unsigned kernels)
{
    world = (struct world){.frames_left = WORLD_FRAMES - 1};
    for (unsigned core = 0; core < kernels; core++) {
        handle[core] = load(shared_object);
        if (!handle[core])
            abort();
        struct host_kernel *(*entry)(void) = dlsym(handle[core], "host_kernel");
        world.kernel[core] = entry();
        world.incarnation[core] = core + 1;
        *world.kernel[core]->this_core = core;
    }
    for (unsigned core = 0; core < kernels; core++)
        if (on(0)->inbox_make(core) != 0)
            abort();
    for (unsigned core = 0; core < kernels; core++)
        on(core)->start();
}

void world_end(void)
{
    for (unsigned core = 0; core < WORLD_KERNELS; core++)
        if (handle[core])
            dlclose(handle[core]);
    for (unsigned frame = 0; frame < WORLD_FRAMES; frame++)
        free(frames[frame].memory);
    memset(handle, 0, sizeof(handle));
    memset(frames, 0, sizeof(frames));
    memset(channel_inbox, 0, sizeof(channel_inbox));
}

struct host_kernel *on(unsigned core)
{
    world.running = core;
    return world.kernel[core];
}

/* --- what the kernels call -----------------------------------------------------------------------
 */

frame_t frame_alloc(enum frame_zone zone, enum frame_kind kind, struct frame_owner owner)
{
    static frame_t last;
    if (!world.frames_left)
        return FRAME_NONE;
    frame_t frame = last;
    do
        frame = frame % (WORLD_FRAMES - 1) + 1;
    while (frames[frame].memory);
    last = frame;
    world.frames_left--;
    world.frames_owned[owner.core]++;
    frames[frame].memory = aligned_alloc(4096, 4096);
    frames[frame].owner = owner.core;
    memset(frames[frame].memory, 0x55, 4096);
    return frame;
}

void frame_free(frame_t frame)
{
    if (!frames[frame].memory || frames[frame].owner != world.running)
        panic("core %u frees a frame of core %u", world.running, frames[frame].owner);
    world.frames_left++;
    world.frames_owned[world.running]--;
    free(frames[frame].memory);
    frames[frame].memory = NULL;
}

void *frame_pointer(frame_t frame)
{
    return frames[frame].memory;
}

uint16_t core_incarnation(unsigned core)
{
    return core < WORLD_KERNELS ? world.incarnation[core] : 0;
}

void arch_doorbell(unsigned core)
{
    world.bells[core]++;
    world.ringing[core] = 1;
}

static jmp_buf panicked;
static int panic_wanted;
static char panic_text[256];

void panic(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(panic_text, sizeof(panic_text), format, arguments);
    va_end(arguments);
    if (panic_wanted)
        longjmp(panicked, 1);
    fprintf(stderr, "core %u panics: %s\n", world.running, panic_text);
    abort();
}

const char *world_panics(void (*function)(void))
{
    panic_wanted = 1;
    int did = setjmp(panicked);
    if (!did)
        function();
    panic_wanted = 0;
    return did ? panic_text : NULL;
}
