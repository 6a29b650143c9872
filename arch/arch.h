/* The contract of a port: what the portable kernel asks of a folder below arch/.
 * All functions are for kernel mode with interrupts off, on any core, unless said otherwise. */
#ifndef ARCH_H
#define ARCH_H

#include <stddef.h>
#include <stdint.h>
#include "kernel/boot.h"

typedef uint32_t frame_t; /* a frame number: physical address / 4096 */
struct frame_account;     /* kernel/account.h */

/* --- boot: on the first core, before the snapshot -------------------------------------------- */

/* From what the boot loader handed over. NULL, or a sentence why the kernel cannot start. First of
 * all. */
const char *arch_boot_info(uint32_t magic, uint64_t info, struct boot_info *boot);
/* NULL, or a sentence that names what the kernel needs and this processor lacks. */
const char *arch_unsupported(void);
/* How many cores the firmware seems to list: for sizing memory, before arch_memory_init. */
unsigned arch_core_estimate(const struct boot_info *boot);

/* Reads the ACPI tables: fills the table of cores (arch_core_count, their local-APIC ids), finds
 * the I/O APICs. Afterwards arch_core_count() >= 1; core 0 is the one that runs. A missing or
 * damaged table leaves one core and returns a sentence for the log, else NULL. */
const char *arch_discover_cores(const struct boot_info *boot);
unsigned arch_core_count(void); /* cores that the firmware lists as usable, at most CORES_MAX */

/* Masks the 8259s and every I/O APIC entry; enables nothing. Once, before the snapshot. */
void arch_interrupts_quiet(void);

/* Finds the frequencies of the time-stamp counter and of the local-APIC timer: from CPUID where
 * given, else by at most 2 ms of calibration. Once, before the snapshot. */
void arch_clock_calibrate(void);
uint64_t arch_clock_hz(void); /* ticks of arch_clock a second */

/* Maps device registers, uncached, at an address that is the same on every core. Before the
 * snapshot only. Never NULL (panics when the window is full). */
volatile void *arch_device_map(uint64_t physical, size_t bytes);

/* --- each core ------------------------------------------------------------------------------- */

/* Control registers, MSRs, XCR0, descriptor tables, local APIC: the one function that sets them, on
 * every core, in kernel_enter. Until then only shared memory, EAGER variables and the stack are
 * written. */
void arch_core_init(void);

uint64_t arch_clock(void); /* time-stamp counter */
static inline void arch_pause(void)
{
    __builtin_ia32_pause();
}
void arch_doorbell(unsigned core); /* interrupts a core that is halted or in user mode */
void arch_timer_arm(uint64_t ns);  /* one shot; 0 disarms. Raises a timer interrupt here */
void arch_wait(void);              /* halts until any interrupt; returns with interrupts off.
                                             An interrupt that came before the halt is not lost */

/* --- memory of a kernel ---------------------------------------------------------------------- */

/* Physical memory through the direct map, which leaves out the kernel's image and the private
 * pool. */
void *arch_direct(uint64_t physical);
uint64_t arch_direct_physical(const void *direct);

/* Builds the first kernel's own tables over its private pages and leaves the boot loader's. Once,
 * after frame_table_make. */
void arch_memory_init(const struct boot_info *boot);

/* Freezes the calling (first) kernel's private pages: the snapshot. Afterwards kernels are forked;
 * the caller itself goes on only as far as arch_kernel_fork(0) and arch_kernel_become. */
void arch_snapshot_freeze(void);

/* Builds a kernel for core over the snapshot. 0, or -E_NO_MEMORY with nothing left behind. */
int arch_kernel_fork(unsigned core);
/* Goes over to the kernel forked for this core, at kernel_enter(core), on its own stack. */
_Noreturn void arch_kernel_become(unsigned core);
/* Starts the cores [first, last] of which kernels were forked, all at once. They enter
 * kernel_enter. */
void arch_cores_start(unsigned first, unsigned last);
/* Calls a core of these again that did not answer. One that is only slow does not notice. */
void arch_core_start_again(unsigned core);

/* A page of the private heap, zeroed, at an address of its own; NULL: out of memory. Event loop and
 * handlers. arch_private_free takes it back. */
void *arch_private_alloc(void);
void arch_private_free(void *page);
uint64_t arch_private_physical(const void *page);

/* Drops the caller's frames and calls function on the empty kernel stack. */
_Noreturn void arch_stack_reset(void (*function)(void));

/* The frame of an address in the kernel's image that all kernels share. */
frame_t arch_image_frame(const void *address);

/* Checks this kernel's tables against the frame table: every frame that is writable in its private
 * range is PRIVATE or a table and its own. Returns the number of such frames, or -1 and logs. */
int arch_audit_private(void);

/* The addresses of a backtrace, innermost first: of an interrupted kernel context, or with NULL of
 * the caller. Reads only this kernel's stacks. Returns how many. */
struct context;
unsigned arch_backtrace(const struct context *context, uint64_t *out, unsigned most);

/* --- address spaces of processes ------------------------------------------------------------- */

/* A slot's root is a frame; tables are FRAME_USER_TABLE, on the account. Addresses are
 * page-aligned. prot: PROT_*. Only the kernel that writes the slot calls these. What needs tables
 * fails with -E_LIMIT or -E_NO_MEMORY; tables that it made by then stay. */
frame_t arch_root_make(struct frame_account *account, int *error);
int arch_user_prepare(frame_t root, uint64_t address,
                      struct frame_account *account); /* the tables only */
int arch_user_map(frame_t root, uint64_t address, frame_t frame, unsigned prot,
                  struct frame_account *account);        /* or -E_EXISTS; the leaf is not charged */
frame_t arch_user_unmap(frame_t root, uint64_t address); /* what was mapped */
void arch_user_protect(frame_t root, uint64_t address, unsigned prot); /* if mapped */
/* The first mapped page at or after address, below end; end when there is none. Each step, over a
 * page or what has no table, takes one from *budget; at 0 it stops, with nothing known of the
 * address returned. */
uint64_t arch_user_next(frame_t root, uint64_t address, uint64_t end, unsigned *budget);
/* Frees tables below root that have no entries left, and the root; at most budget tables. Returns 1
 * when the root itself is gone. All leaves must have been unmapped. */
int arch_root_free(frame_t root, struct frame_account *account, unsigned budget);
/* With prot in arch_user_map and arch_user_replace: the frame is shared until it is copied: no
 * writing, whatever arch_user_protect gives. arch_user_copy: makes a page that is mapped such a one;
 * 1 when it could be written before. */
enum { MAP_COPY = 8 };
int arch_user_copy(frame_t root, uint64_t address);
/* What is mapped, with access or without; FRAME_NONE. And another frame in its place: there is one. */
frame_t arch_user_find(frame_t root, uint64_t address);
void arch_user_replace(frame_t root, uint64_t address, frame_t frame, unsigned prot);
/* Moves what is mapped in `pages` pages from address on, at most a table's, into a table that no
 * process has, from its first entry on; returns how many there were. */
unsigned arch_pages_take(frame_t root, uint64_t address, unsigned pages, frame_t table);
/* Copies such a table's entries to where nothing is mapped; tables are prepared. */
void arch_pages_put(frame_t root, uint64_t address, unsigned pages, frame_t table, unsigned prot);
frame_t arch_pages_frame(frame_t table, unsigned index); /* FRAME_NONE: none */
void arch_user_flush_all(void);         /* drops this core's translations of the space it is in */
void arch_user_flush(uint64_t address); /* drops this core's translation, if it is in this space */

/* The top-level table that this kernel uses for a process; one private page. */
void *arch_space_make(void);
void arch_space_set(void *space, unsigned slot, frame_t root); /* FRAME_NONE: takes it out */
void arch_space_enter(void *space);                            /* NULL: no process */
void arch_space_free(void *space); /* leaves it first if it is entered */

/* --- user contexts --------------------------------------------------------------------------- */

struct context;
/* What the process sees as the result of the call that the context is in. */
void arch_context_result(struct context *context, long result);
/* Marks the context as in a reflected system call. */
void arch_context_reflect(struct context *context);

/* The context of the user code that was interrupted last on this core; while user mode is left, the
 * kernel's to read and change. The entry path writes it. */
struct context *arch_context(void);

/* The context for entering a vcore at its entry point: rip, rsp as given by the process (checked:
 * -E_RANGE when not in the lower half), rdi = vcoreid. */
int arch_context_entry(struct context *context, uint64_t entry, uint64_t stack, unsigned vcoreid);
uint64_t arch_fs_base(void);
uint64_t arch_gs_base(void);
void arch_bases_set(uint64_t fs_base, uint64_t gs_base);

/* Returns to user mode with *arch_context(). */
_Noreturn void arch_user_enter(void);

/* FP and vector state of the core. area: one page, XSAVE format. */
void arch_fp_save(void *area);
void arch_fp_load(const void *area); /* of the kernel's own keeping only */
void arch_fp_init(void);
/* FP state, segment registers and their bases as a fresh vcore finds them: nothing of another's is
 * left. */
void arch_registers_reset(void);
uint64_t arch_fp_mask(void);
uint32_t arch_fp_bytes(void);

/* --- the end --------------------------------------------------------------------------------- */

/* Stops every other core that runs a kernel (NMI), then returns. For panic and for the orderly
 * end. */
void arch_stop_others(void);
/* This core does nothing any more. */
_Noreturn void arch_park(void);
/* Ends the machine: by the exit port given to arch_exit_port_set, else ACPI S5, else halts. */
_Noreturn void arch_power_off(unsigned status);
void arch_exit_port_set(unsigned port);

/* --- serial ports (index 0 = COM1 ... 3 = COM4) ---------------------------------------------- */

void arch_serial_init(void); /* probes all four; before anything is written */
int arch_serial_present(unsigned index);
/* Writes bytes; waits for the device, but gives up on one that takes nothing for a second. */
void arch_serial_write(unsigned index, const void *data, size_t bytes);

/* --- what the port calls in the portable kernel ---------------------------------------------- */

enum interrupt { INTERRUPT_DOORBELL, INTERRUPT_TIMER };

/* A fault of user code. The context is in arch_context(). */
struct user_fault {
    unsigned vector; /* the port's number for it; a name by arch_fault_name */
    int is_page_fault;
    uint64_t address; /* of the access, for a page fault */
    uint64_t instruction;
    unsigned access; /* PROT_R, PROT_W or PROT_X, for a page fault; else 0 */
    int present;     /* page fault: there was a translation, which forbade the access */
};

const char *arch_fault_name(unsigned vector); /* "page fault", "divide error", ... */

_Noreturn void boot_main(uint32_t magic, uint64_t info);
/* A forked kernel's beginning; began: arch_clock at the core's first instruction. */
_Noreturn void kernel_enter(unsigned core, uint64_t began);

/* Each returns to have user mode resumed as it is, or does not return. */
void kernel_fault(const struct user_fault *fault);
void kernel_interrupt(enum interrupt which);
/* Returns the result for the caller. */
long kernel_syscall(long number, const long argument[4]);

#endif
