#include "kernel/image.h"
#include "abi/error.h"
#include "abi/layout.h"
#include "abi/syscall.h"
#include "arch/arch.h"
#include "kernel/kernel.h"
#include "kernel/memory.h"
#include "kernel/object.h"
#include "kernel/process.h"
#include "lib/string.h"

extern const char runtime_image_start[];

/* The frame at an offset of what the image holds; FRAME_NONE: the object has none there. */
static frame_t frame_at(const struct image *image, uint64_t offset)
{
    int error;
    return image->object ? object_frame(image->object, offset, 0, &error)
                         : arch_image_frame(runtime_image_start + offset);
}

/* What stands there; NULL: nothing. */
static const void *page_at(const struct image *image, uint64_t offset)
{
    if (!image->object)
        return runtime_image_start + offset;
    frame_t frame = frame_at(image, offset);
    return frame ? frame_pointer(frame) : NULL;
}

/* The parts before the processes' own. */
static uint64_t fixed_bytes(const struct runtime_head *head)
{
    return head->text_bytes + head->rodata_bytes;
}

static uint64_t image_bytes(const struct runtime_head *head)
{
    return fixed_bytes(head) + head->data_bytes + head->bss_bytes;
}

static int head_check(const struct runtime_head *head)
{
    const uint64_t most = IMAGE_PAGES_MAX * PAGE_BYTES;
    if (head->magic != RUNTIME_MAGIC ||
        (head->text_bytes | head->rodata_bytes | head->data_bytes) % PAGE_BYTES ||
        head->text_bytes < PAGE_BYTES)
        return -E_DAMAGED;
    if (head->text_bytes > most || head->rodata_bytes > most || head->data_bytes > most ||
        head->bss_bytes > most || image_bytes(head) > most ||
        head->data_bytes + head->bss_bytes > IMAGE_DATA_PAGES_MAX * PAGE_BYTES)
        return -E_TOO_LONG;
    if (head->entry < RUNTIME_BASE || head->entry - RUNTIME_BASE >= head->text_bytes)
        return -E_DAMAGED;
    return 0;
}

int image_open(struct memory_object *object, struct image *image)
{
    image->object = object;
    const void *first = page_at(image, 0);
    if (!first)
        return -E_DAMAGED;
    memcpy(&image->head, first, sizeof image->head);
    int error = head_check(&image->head);
    if (!error && object &&
        fixed_bytes(&image->head) + image->head.data_bytes > object_bytes(object))
        error = -E_DAMAGED;
    return error;
}

static int map_fixed(struct process *p, const struct image *image)
{
    for (uint64_t at = 0; at < fixed_bytes(&image->head); at += PAGE_BYTES) {
        frame_t frame = frame_at(image, at);
        if (!frame)
            return -E_DAMAGED;
        int error = memory_map_frame(p, RUNTIME_BASE + at, frame,
                                     at < image->head.text_bytes ? PROT_R | PROT_X : PROT_R);
        if (error)
            return error;
    }
    return 0;
}

/* Of the processes' own part: what stands there at first; NULL: zeroes. */
static const void *own_source(const struct image *image, uint64_t offset)
{
    return offset < fixed_bytes(&image->head) + image->head.data_bytes ? page_at(image, offset)
                                                                       : NULL;
}

static int map_own(struct process *p, const struct image *image)
{
    for (uint64_t at = fixed_bytes(&image->head); at < image_bytes(&image->head);
         at += PAGE_BYTES) {
        frame_t frame;
        int error = memory_map_zeroed(p, RUNTIME_BASE + at, PROT_R | PROT_W, &frame);
        if (error)
            return error;
        const void *source = own_source(image, at);
        if (source)
            memcpy(frame_pointer(frame), source, PAGE_BYTES);
    }
    return 0;
}

static void take_on(struct process *p, const struct image *image)
{
    if (image->object)
        object_hold(image->object);
    image_release(p);
    p->image = image->object;
    p->data->entry = image->head.entry;
}

int image_map(struct process *p, const struct image *image)
{
    take_on(p, image);
    int error = map_fixed(p, image);
    return error ? error : map_own(p, image);
}

/* --- another image ----------------------------------------------------------------------------- */

/* Frames of the new one's own part, filled. */
struct own_frames {
    unsigned count;
    frame_t frame[IMAGE_DATA_PAGES_MAX];
};

/* All that the change needs, so that nothing of it can fail. */
static int supply(struct process *p, const struct image *image, struct own_frames *own)
{
    int error = 0;
    for (uint64_t at = 0; at < fixed_bytes(&image->head); at += PAGE_BYTES)
        if (!frame_at(image, at))
            return -E_DAMAGED;
    for (uint64_t at = fixed_bytes(&image->head); at < image_bytes(&image->head);
         at += PAGE_BYTES) {
        frame_t frame = account_alloc_zeroed(&p->account, FRAME_USER, &error);
        if (!frame)
            return error;
        own->frame[own->count++] = frame;
        const void *source = own_source(image, at);
        if (source)
            memcpy(frame_pointer(frame), source, PAGE_BYTES);
    }
    return arch_user_prepare(memory_root(p, RUNTIME_BASE), RUNTIME_BASE,
                             RUNTIME_BASE + image_bytes(&image->head), &p->account);
}

/* The old image's page there, if it has one, is freed if it was its own. */
static void put(struct process *p, uint64_t offset, frame_t frame, unsigned prot)
{
    uint64_t page = RUNTIME_BASE + offset;
    frame_t root = memory_root(p, page);
    if (memory_find(p, page)) {
        frame_t old = arch_user_replace(root, page, frame, prot);
        account_free_user(&p->account, &old, 1);
        return;
    }
    int error = arch_user_map(root, page, frame, prot, &p->account);
    ASSERT(!error);
}

/* What the old one has from there on. */
static void cut(struct process *p, uint64_t offset)
{
    struct user_piece piece[CHANGE_PIECES];
    uint64_t at = RUNTIME_BASE + ((offset + PAGE_BYTES - 1) & ~(uint64_t)(PAGE_BYTES - 1)),
             end = RUNTIME_BASE + IMAGE_PAGES_MAX * PAGE_BYTES;
    frame_t root = memory_root(p, at);
    while (at < end) {
        unsigned budget = MEMORY_STEPS;
        unsigned pieces = arch_user_take(root, &at, end, piece, CHANGE_PIECES, &budget);
        for (unsigned i = 0; i < pieces; i++)
            memory_free(p, &piece[i].frame, 1, 0);
    }
}

/* No kernel has loaded the process: there are no translations to drop. */
int image_replace(struct process *p, const struct image *image)
{
    const struct runtime_head *head = &image->head;
    struct own_frames own = {0};
    int error = supply(p, image, &own);
    if (error) {
        while (own.count)
            account_free(&p->account, own.frame[--own.count]);
        return error;
    }
    for (uint64_t at = 0; at < fixed_bytes(head); at += PAGE_BYTES)
        put(p, at, frame_at(image, at), at < head->text_bytes ? PROT_R | PROT_X : PROT_R);
    for (unsigned i = 0; i < own.count; i++)
        put(p, fixed_bytes(head) + i * (uint64_t)PAGE_BYTES, own.frame[i], PROT_R | PROT_W);
    cut(p, image_bytes(head));
    take_on(p, image);
    return 0;
}

void image_release(struct process *p)
{
    if (p->image)
        object_release(p->image);
    p->image = NULL;
}
