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

/* A page of the private heap, zeroed, at an address of its own; NULL: out of memory, or the heap is
 * full. Event loop and handlers. arch_private_free takes it back. Both in constant time, but that
 * every 512 pages a page table comes or goes. */
enum { PRIVATE_HEAP_BYTES = 32 << 20 }; /* at most */
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
 * page-aligned, and within the root's slot. prot: PROT_*. Only the kernel that writes the slot
 * calls these. What needs tables fails with -E_LIMIT or -E_NO_MEMORY; tables that it made by then
 * stay. Leaves are neither charged nor credited. */
frame_t arch_root_make(struct frame_account *account, int *error);

/* What is mapped somewhere, or was taken out. pages: 1; or 512, a large page, its frames and
 * address aligned to it; or 0, a table that had become empty. */
struct user_piece {
    uint64_t address;
    frame_t frame;
    uint32_t pages;
};

/* What is mapped at address: 1, or 0 when nothing is. prot 0: kept, without access. */
int arch_user_find(frame_t root, uint64_t address, struct user_piece *piece, unsigned *prot);
/* The first mapped page at or after address, below end; end when there is none. Each step, over a
 * page or what has no table, takes one from *budget; at 0 it stops, with nothing known of the
 * address returned. */
uint64_t arch_user_next(frame_t root, uint64_t address, uint64_t end, unsigned *budget);

/* The tables for pages of [address, end): a step each 2 MiB. -E_EXISTS: a large page is there. */
int arch_user_prepare(frame_t root, uint64_t address, uint64_t end, struct frame_account *account);
/* Maps a page; also -E_EXISTS. */
int arch_user_map(frame_t root, uint64_t address, frame_t frame, unsigned prot,
                  struct frame_account *account);
/* Maps consecutive pages whose tables were prepared, and where nothing is mapped: cheaply. */
void arch_user_map_run(frame_t root, uint64_t address, const frame_t *frame, unsigned pages,
                       unsigned prot);
/* Maps a block of 512 frames as one large page; -E_EXISTS also for an empty table there. */
int arch_user_map_large(frame_t root, uint64_t address, frame_t frame, unsigned prot,
                        struct frame_account *account);

/* What follows changes entries that cores may hold translations of: they are to be flushed, and
 * what was taken out, tables too, is freed no earlier. */

/* Puts another frame at a page that is mapped, not within a large one; returns the one before. */
frame_t arch_user_replace(frame_t root, uint64_t address, frame_t frame, unsigned prot);
/* A large page in which address is not the first becomes 512 pages; else nothing happens. Needs no
 * flush before one of them is changed. */
int arch_user_split(frame_t root, uint64_t address, struct frame_account *account);
/* With prot in arch_user_map: the frame is shared until it is copied: no writing, whatever
 * arch_user_protect gives. arch_user_copy makes all that is mapped in [address, end), which cuts no
 * large page, so; 1 when some could be written before. */
enum { MAP_COPY = 8 };
int arch_user_copy(frame_t root, uint64_t address, uint64_t end);
/* Sets the protection of all that is mapped in [address, end), which cuts no large page. */
void arch_user_protect(frame_t root, uint64_t address, uint64_t end, unsigned prot);
/* Takes out what is mapped in [*at, end), which cuts no large page, and tables that have no entries
 * then: at most `most` pieces, at least USER_PIECES_LEAST. Moves *at to where it stopped. Steps and
 * budget as arch_user_next. */
enum { USER_PIECES_LEAST = 3 };
unsigned arch_user_take(frame_t root, uint64_t *at, uint64_t end, struct user_piece *piece,
                        unsigned most, unsigned *budget);

/* 2 MiB of an address space as a whole: its page table, or its large page. */
struct user_block {
    uint64_t entry;  /* the port's; 0: nothing is mapped in it */
    uint32_t frames; /* in it, the table counted */
    uint8_t prot;    /* of all its pages */
};
/* Takes the 2 MiB at address out, in constant time; all its pages have protection prot. The table
 * above stays, even when empty: the next arch_user_take there finds it. */
void arch_user_detach(frame_t root, uint64_t address, unsigned prot, struct user_block *block);
/* Puts a block in, in constant time if prot is the block's; else in 512 steps. The frames of the
 * block are to be on the account already; frame words of its leaves stay as they are. -E_EXISTS
 * also for an empty table there; a failure leaves the block as it is. */
int arch_user_attach(frame_t root, uint64_t address, struct user_block *block, unsigned prot,
                     struct frame_account *account);
/* Takes pages out of a block that is nowhere, as arch_user_take: addresses are offsets in it, the
 * table is the last piece. All is out when block->entry is 0. */
unsigned arch_block_take(struct user_block *block, uint64_t *offset, struct user_piece *piece,
                         unsigned most, unsigned *budget);

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
/* *arch_context() with the FS base, out and in; gs_base: the GS base, which is in no context. */
void arch_context_save(struct context *to);
void arch_context_load(const struct context *from, uint64_t gs_base);
uint64_t arch_fs_base(void);
/* Arguments five and six of the system call that is being made. */
void arch_call_more(uint64_t more[2]);
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
