/* Where things stand in the lower half of every process. Architecture: "Memory", "The runtime".
 *
 * The lower half is divided into 256 slots of 512 GiB (one top-level page-table entry each).
 * Slot 255 is the kernel's to fill: the runtime image, procinfo, procdata and the boot archive
 * stand there at fixed addresses. All other slots are the process's. Assembly includes this file.
 */
#ifndef ABI_LAYOUT_H
#define ABI_LAYOUT_H

#define PAGE_SHIFT 12
#define PAGE_BYTES 4096
#define SLOT_SHIFT 39
#define SLOTS      256

#define RUNTIME_BASE     0x00007f8000000000
#define PROCINFO_BASE    0x00007f8000800000
#define PROCINFO_ARGS    0x00007f8000810000
#define PROCDATA_BASE    0x00007f8000820000
#define ARCHIVE_BASE     0x00007f9000000000
#define KERNEL_SLOT_BASE 0x00007f8000000000
#define USER_TOP         0x00007ffffffff000 /* the last page of the lower half is never mapped */

/* The own slots of the first vcores: pages that are missing there are made by the vcore's own core
 * (docs/slot.md). Others may use them too, and later vcores what slots they like. */
#define OWN_SLOTS      8
#define OWN_SLOT_FIRST 128
#define OWN_SLOT_BASE(vcoreid) ((OWN_SLOT_FIRST + (vcoreid) + 0ull) << SLOT_SHIFT)

#define ARGS_MAX_BYTES    0x10000
#define RUNTIME_MAX_BYTES (PROCINFO_BASE - RUNTIME_BASE)

/* One block a vcore, at PROCDATA_BASE + (1 + vcoreid) * VCORE_STRIDE, mapped and pinned by the
 * kernel before the vcore is first entered. */
#define VCORE_STRIDE              0x10000
#define VCORE_XSAVE_OFFSET        0x1000 /* one page: the uthread slot's XSAVE area */
#define VCORE_MESSAGE_OFFSET      0x2000 /* one page: the message page */
#define VCORE_STACK_OFFSET        0x4000 /* the first transition stack; the page before is a guard */
#define VCORE_STACK_BYTES         0x4000
#define VCORE_HOME_RING_OFFSET    0x800 /* the first rings, of EVENTS_MIN events each */
#define VCORE_DRIVER_RING_OFFSET  0xc00
#define VCORE_RINGS_OFFSET        0x8000 /* larger ones: home's, then driver's */
#define VCORE_DRIVER_RINGS_OFFSET 0xc000
#define VCORES_MAX                255

#endif
