/* The address of an actor: (core, incarnation of that core, slot, generation). docs/actor.md.
 *
 *   63    56 55   44 43        32 31    25 24 23         8 7    0
 *   |   0   | slot | generation |    0    | 1 | incarnation | core |
 *
 * The upper half, the target, stands where a message's header has it; the lower half names the
 * kernel. Bit 24 is set in every address, so that none is 0. */
#ifndef KERNEL_ADDRESS_H
#define KERNEL_ADDRESS_H

#include <stdint.h>

#define ADDRESS_NONE  0ull
#define ADDRESS_VALID (1u << 24)

#define TARGET_GENERATION_SHIFT 32
#define TARGET_SLOT_SHIFT       44
#define TARGET_FIELD_MASK       0xfffu /* slot and generation have 12 bits each */

static inline uint64_t target_make(unsigned slot, unsigned generation)
{
    return (uint64_t)(slot & TARGET_FIELD_MASK) << TARGET_SLOT_SHIFT |
           (uint64_t)(generation & TARGET_FIELD_MASK) << TARGET_GENERATION_SHIFT;
}

static inline unsigned target_slot(uint64_t target)
{
    return target >> TARGET_SLOT_SHIFT & TARGET_FIELD_MASK;
}

static inline unsigned target_generation(uint64_t target)
{
    return target >> TARGET_GENERATION_SHIFT & TARGET_FIELD_MASK;
}

static inline uint32_t address_kernel_make(unsigned core, uint16_t incarnation)
{
    return ADDRESS_VALID | (uint32_t)incarnation << 8 | (core & 0xff);
}

static inline uint64_t address_make(unsigned core, uint16_t incarnation, uint64_t target)
{
    return target | address_kernel_make(core, incarnation);
}

static inline unsigned address_core(uint64_t address)
{
    return (uint8_t)address;
}

static inline uint16_t address_incarnation(uint64_t address)
{
    return (uint16_t)(address >> 8);
}

static inline uint32_t address_kernel(uint64_t address)
{
    return (uint32_t)address;
}

static inline uint64_t address_target(uint64_t address)
{
    return address & (0xffffffull << TARGET_GENERATION_SHIFT);
}

#endif
