/* The local APIC: x2APIC where the processor has it, else by its registers in memory. Interrupts
 * between cores, and the one-shot timer. All functions are for kernel mode with interrupts off. */
#ifndef X86_APIC_H
#define X86_APIC_H

#include <stdint.h>

#define VECTOR_DOORBELL 0xf0
#define VECTOR_TIMER    0xf1
#define VECTOR_ERROR    0xfe
#define VECTOR_SPURIOUS 0xff /* takes no apic_eoi */

/* Decides the mode and maps the registers where that needs it. Once, before the snapshot, after
 * cpu_missing_feature; arch_discover_cores calls it. */
void apic_discover(void);
uint32_t apic_id_max(void); /* the highest id that can be addressed in this mode */

/* Brings this core's APIC from any state to ours: enabled, nothing in service, timer disarmed, the
 * vectors above, all else masked. Each core; harmless when repeated. */
void apic_init_core(void);

/* This core's id; before apic_init_core too. */
uint32_t apic_id(void);

void apic_eoi(void);

/* The error status, which it clears: after VECTOR_ERROR. */
uint32_t apic_error_take(void);

/* To the core with that APIC id. What was stored before is seen by whoever the interrupt wakes. */
void apic_send_init(uint32_t id);
void apic_send_startup(uint32_t id, uint8_t page); /* starts in real mode at page * 4096 */
void apic_send_fixed(uint32_t id, uint8_t vector);
void apic_send_nmi(uint32_t id);

/* The timer counts down at apic_timer_hz and raises VECTOR_TIMER once at 0. 0 disarms. */
void apic_timer_arm(uint32_t count);
uint32_t apic_timer_count(void);

/* Set by arch_clock_calibrate, before the snapshot. arch_timer_arm works from then on; it cuts
 * times that are too long for the counter to the longest it holds (68 s at 62.5 MHz): who waits for
 * longer looks at the clock and arms again. */
void apic_timer_hz_set(uint64_t hz);
uint64_t apic_timer_hz(void);

#endif
