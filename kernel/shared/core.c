#include "kernel/shared/core.h"
#include "kernel/shared/shared.h"

SHARED static uint16_t incarnation[CORES_MAX];
SHARED static uint32_t panic_claimed;
SHARED static uint32_t stopping;

uint16_t core_incarnation(unsigned core)
{
    return __atomic_load_n(&incarnation[core], __ATOMIC_RELAXED);
}

void core_incarnation_raise(unsigned core)
{
    __atomic_fetch_add(&incarnation[core], 1, __ATOMIC_RELEASE);
}

int core_panic_claim(void)
{
    return __atomic_exchange_n(&panic_claimed, 1, __ATOMIC_SEQ_CST) == 0;
}

void core_stop_all(void)
{
    __atomic_store_n(&stopping, 1, __ATOMIC_SEQ_CST);
}

int core_stopping(void)
{
    return (int)__atomic_load_n(&stopping, __ATOMIC_SEQ_CST);
}
