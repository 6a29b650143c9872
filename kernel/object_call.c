/* The calls on memory objects. docs/object.md. */
#include "abi/error.h"
#include "abi/layout.h"
#include "abi/syscall.h"
#include "arch/arch.h"
#include "kernel/kernel.h"
#include "kernel/memory_move.h"
#include "kernel/object.h"
#include "kernel/process.h"

static void hold(const struct handle *handle)
{
    object_hold(handle->object);
}

static void release(const struct handle *handle, struct process *holder)
{
    object_release(handle->object);
}

const struct handle_class object_handles = {.name = "memory", .hold = hold, .release = release};

static long create(struct process *p, uint64_t bytes)
{
    int error = handle_room(p, 1);
    struct handle handle = {.kind = HANDLE_MEMORY, .rights = RIGHTS_ALL};
    struct memory_object *object;
    if (!error)
        error = object_make(p, bytes, &object);
    if (error)
        return error;
    handle.object = object;
    return handle_add(p, &handle);
}

/* What a handle with these rights allows a mapping to have. */
static unsigned most_of(unsigned rights, uint32_t mode)
{
    int writes = mode == OBJECT_COPY || rights & RIGHT_WRITE;
    return (rights & RIGHT_READ ? PROT_R | PROT_X : 0) | (writes ? PROT_W : 0);
}

/* The process that is to have the mapping: the caller, or a child that does not run yet. */
static int target_find(struct process *p, unsigned long number, struct process **target)
{
    *target = p;
    if (!number)
        return 0;
    int error = handle_object(p, number, HANDLE_PROCESS, RIGHT_CONTROL, target);
    return error ? error : (*target)->state == PROCESS_CREATED ? 0 : -E_STATE;
}

static int request_check(const struct map_request *request, const struct handle *handle)
{
    if (request->mode >= OBJECT_MODES)
        return -E_INVALID;
    int error = memory_prot_check(request->prot);
    if (!error)
        error = memory_range_check(request->addr, request->bytes);
    if (!error && request->offset % PAGE_BYTES)
        error = -E_ALIGN;
    if (error)
        return error;
    uint64_t size = object_bytes(handle->object);
    if (request->offset > size || request->bytes > size - request->offset)
        return -E_RANGE;
    unsigned most = most_of(handle->rights, request->mode);
    return memory_prot_real(request->prot) & ~most ? -E_PERMISSION : 0;
}

static long map(struct process *p, unsigned vcoreid, const long argument[4])
{
    struct handle *handle;
    struct process *target;
    int error =
        handle_find(p, (unsigned long)argument[0], HANDLE_MEMORY, RIGHT_MAP | RIGHT_READ, &handle);
    if (!error)
        error = target_find(p, (unsigned long)argument[1], &target);
    struct map_request request;
    if (!error) {
        request = *(const volatile struct map_request *)frame_pointer(
            process_record(p, vcoreid)->message);
        error = request_check(&request, handle);
    }
    if (error)
        return error;
    struct region wanted = {
        .base = request.addr,
        .end = request.addr + request.bytes,
        .kind = request.mode == OBJECT_COPY ? REGION_COPY : REGION_OBJECT,
        .prot = (uint8_t)memory_prot_real(request.prot),
        .most = (uint8_t)most_of(handle->rights, request.mode),
        .object = handle->object,
        .offset = request.offset,
    };
    return memory_add_object(target, &wanted);
}

static long bytes_of(struct process *p, unsigned long number)
{
    struct memory_object *object;
    int error = handle_object(p, number, HANDLE_MEMORY, 0, &object);
    return error ? error : (long)object_bytes(object);
}

long object_call(struct process *p, unsigned vcoreid, long number, const long argument[4])
{
    switch (number) {
    case PANDO_object_create:
        return create(p, (uint64_t)argument[0]);
    case PANDO_object_bytes:
        return bytes_of(p, (unsigned long)argument[0]);
    default:
        if (memory_busy(p))
            return memory_wait(p, vcoreid, number, argument);
        long result = map(p, vcoreid, argument);
        return memory_missed(p, result) ? memory_wait(p, vcoreid, number, argument) : result;
    }
}
