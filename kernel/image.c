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

static int head_check(const struct runtime_head *head)
{
    const uint64_t most = IMAGE_PAGES_MAX * PAGE_BYTES;
    if (head->magic != RUNTIME_MAGIC ||
        (head->text_bytes | head->rodata_bytes | head->data_bytes) % PAGE_BYTES ||
        head->text_bytes < PAGE_BYTES)
        return -E_DAMAGED;
    if (head->text_bytes > most || head->rodata_bytes > most || head->data_bytes > most ||
        head->bss_bytes > most || fixed_bytes(head) + head->data_bytes + head->bss_bytes > most ||
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

static int map_own(struct process *p, const struct image *image)
{
    uint64_t from = fixed_bytes(&image->head), copied = from + image->head.data_bytes;
    for (uint64_t at = from; at < copied + image->head.bss_bytes; at += PAGE_BYTES) {
        frame_t frame;
        int error = memory_map_zeroed(p, RUNTIME_BASE + at, PROT_R | PROT_W, &frame);
        if (error)
            return error;
        const void *source = at < copied ? page_at(image, at) : NULL;
        if (source)
            memcpy(frame_pointer(frame), source, PAGE_BYTES);
    }
    return 0;
}

int image_map(struct process *p, const struct image *image)
{
    if (image->object)
        object_hold(image->object);
    p->image = image->object;
    p->data->entry = image->head.entry;
    int error = map_fixed(p, image);
    return error ? error : map_own(p, image);
}

void image_release(struct process *p)
{
    if (p->image)
        object_release(p->image);
    p->image = NULL;
}
