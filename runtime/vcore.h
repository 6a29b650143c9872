/* A vcore, as the runtime sees it: what it keeps of its own in vcore_data, and coming and going. */
#ifndef RUNTIME_VCORE_H
#define RUNTIME_VCORE_H

#include <stdbool.h>
#include <stdint.h>
#include "abi/process.h"
#include "pando.h"
#include "user/user.h"

/* vcore_data.runtime. */
struct vcore_own {
    struct uthread *current; /* in vcore context: the one that was running, or NULL */
    uint64_t online;         /* entered, and not given back since */
};
_Static_assert(sizeof(struct vcore_own) <= sizeof((struct vcore_data *)0)->runtime, "vcore_own");

/* The block of a vcore that was ever entered. */
static inline struct vcore_data *vcore_block(unsigned vcoreid)
{
    return (struct vcore_data *)(PROCDATA_BASE + (1ull + vcoreid) * VCORE_STRIDE);
}

/* The block of the vcore that runs this; masked. */
static inline struct vcore_data *vcore_self(void)
{
    return vcore_block(user_vcoreid());
}

static inline struct vcore_own *vcore_own(void)
{
    return (struct vcore_own *)vcore_self()->runtime;
}

/* Before the vcore looks at whatever it may have been told of: the store is not delayed until after
 * that look, so that what comes later sets the flag again. */
static inline void vcore_pending_clear(struct vcore_data *vcore)
{
    __atomic_store_n(&vcore->notif_pending, 0, __ATOMIC_SEQ_CST);
}

static inline void *vcore_message(void)
{
    return (uint8_t *)vcore_self() + VCORE_MESSAGE_OFFSET;
}

/* For programs, through the table: pando.h. Uthread context. */
int runtime_vcores_request(unsigned amt_wanted);
int runtime_vcore_id(void);
long runtime_kernel_call(long number, long a, long b, long c, long d);

#endif
