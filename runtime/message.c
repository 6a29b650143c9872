#include "runtime/message.h"
#include "runtime/memory.h"
#include "runtime/uthread.h"
#include "runtime/vcore.h"
#include "abi/error.h"
#include "lib/string.h"

/* Structures of whole words are what nearly all of these calls carry. */
static void copy(void *to, const void *from, uint64_t bytes)
{
    if (!bytes)
        return;
    if ((bytes | (uintptr_t)to | (uintptr_t)from) % sizeof(uint64_t)) {
        memcpy(to, from, bytes);
        return;
    }
    words_copy(to, from, bytes / sizeof(uint64_t));
}

/* The caller's page, made when it first needs one. NULL: out of memory. */
static void *own_page(void)
{
    struct uthread *self = user_current();

    if (!self->message) {
        vcore_mask();
        self->message = memory_page();
        vcore_unmask();
    }
    return self->message;
}

long runtime_message_call(long number, long a, long b, long c, long d,
                          const struct pando_message *message)
{
    const struct pando_message m = *message; /* read here, where it may fault */
    uint64_t out_bytes = m.out_bytes < PAGE_BYTES ? m.out_bytes : PAGE_BYTES;
    void *page = own_page();

    if (!page)
        return -E_NO_MEMORY;
    if (m.in_bytes > PAGE_BYTES)
        return -E_INVALID;
    copy(page, m.in, m.in_bytes);
    vcore_mask();
    copy(vcore_message(), page, m.in_bytes);
    long result = system_call(number, a, b, c, d);
    if (result >= 0)
        copy(page, vcore_message(), out_bytes);
    vcore_unmask();
    if (result >= 0)
        copy(m.out, page, out_bytes);
    return result;
}
