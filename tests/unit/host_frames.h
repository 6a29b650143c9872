/* Frames on the host, and the page tables of processes made of them: for one test program, which includes
 * this. It makes `memory`, FRAMES pages, and sets frames_left. */
#ifndef HOST_FRAMES_H
#define HOST_FRAMES_H

#include <stdbool.h>

static unsigned char *memory; /* the frames */
#define DIRECT_BASE ((uint64_t)memory)
#include "arch/x86_64/kernel/user_pages.c"

enum { FRAMES = 8192 };

/* --- what the tables stand on ---------------------------------------------------------------- */

static struct {
    bool used;
    enum frame_kind kind;
    uint32_t note;
} frames[FRAMES];
static unsigned frames_left; /* that may be handed out */

_Noreturn void panic(const char *format, ...)
{
    fail_msg("panic: %s", format);
    abort();
}

frame_t frame_alloc(enum frame_zone zone, enum frame_kind kind, struct frame_owner owner)
{
    if (!frames_left)
        return FRAME_NONE;
    frame_t frame = 513; /* large blocks from the end, single frames from the beginning */
    while (frames[frame].used)
        frame++;
    frames_left--;
    frames[frame].used = true;
    frames[frame].kind = kind;
    return frame;
}

void frame_free(frame_t frame)
{
    assert_true(frames[frame].used);
    frames[frame].used = false;
    frames_left++;
}

frame_t frame_alloc_block(enum frame_zone zone, unsigned order, enum frame_kind kind,
                          struct frame_owner owner)
{
    for (frame_t frame = FRAMES - 512; frame >= 1024 && frames_left >= 512; frame -= 512) {
        unsigned used = 0;
        for (unsigned i = 0; i < 512; i++)
            used += frames[frame + i].used;
        if (used)
            continue;
        for (unsigned i = 0; i < 512; i++)
            frames[frame + i].used = true, frames[frame + i].kind = kind;
        frames_left -= 512;
        return frame;
    }
    return FRAME_NONE;
}

void frame_free_block(frame_t frame, unsigned order)
{
    for (unsigned i = 0; i < 512; i++)
        frame_free(frame + i);
}

unsigned frame_free_user(const frame_t *frame, unsigned count)
{
    unsigned freed = 0;
    for (unsigned i = 0; i < count; i++) {
        enum frame_kind kind = frames[frame[i]].kind;
        if (kind != FRAME_USER && kind != FRAME_USER_TABLE)
            continue;
        frame_free(frame[i]);
        freed++;
    }
    return freed;
}

/* Tables are cleared already half of the time, and must be. */
frame_t frame_alloc_cleared(enum frame_kind kind, struct frame_owner owner)
{
    frame_t frame = rand() % 2 ? frame_alloc(ZONE_GENERAL, kind, owner) : FRAME_NONE;
    if (frame)
        memset(frame_pointer(frame), 0, PAGE_BYTES);
    return frame;
}

enum frame_kind frame_kind(frame_t frame)
{
    return frames[frame].kind;
}

void frame_set(frame_t frame, enum frame_kind kind, struct frame_owner owner)
{
    frames[frame].kind = kind;
}

uint32_t frame_note(frame_t frame)
{
    return frames[frame].note;
}

void frame_note_set(frame_t frame, uint32_t note)
{
    frames[frame].note = note;
}

int frame_short(void)
{
    return frames_left == 0;
}

void frame_on_short(void (*changed)(int is_short))
{
}

frame_t frame_free_count(void)
{
    return frames_left;
}

frame_t frame_usable_count(void)
{
    return FRAMES;
}

void *frame_pointer(frame_t frame)
{
    return memory + (size_t)frame * PAGE_BYTES;
}

#endif
