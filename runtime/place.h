/* Where the runtime puts things in the slots that are the process's; see abi/layout.h. */
#ifndef RUNTIME_PLACE_H
#define RUNTIME_PLACE_H

#include "abi/layout.h"

/* The program's: a program that can stand anywhere, what it maps, and its stack. */
#define PLACE_PROGRAM       0x0000550000000000
#define PLACE_MAPS          0x0000100000000000
#define PLACE_MAPS_END      0x0000500000000000
#define PLACE_STACK_TOP     0x00007ef000000000
#define PROGRAM_STACK_BYTES 0x800000
#define PROGRAM_HEAP_BYTES  0x10000000000 /* the most that brk gives */

/* The runtime's, which a program's mmap and munmap do not reach: thread control blocks, pinned, and
 * the stacks of uthreads. */
#define PLACE_RUNTIME    0x00007f0000000000
#define PLACE_BLOCKS     0x00007f0000000000
#define PLACE_BLOCKS_END 0x00007f4000000000
#define PLACE_STACKS     0x00007f4000000000
#define PLACE_STACKS_END 0x00007f8000000000

#define UTHREAD_STACK_BYTES 0x10000
#define CALL_STACK_BYTES    0x4000

#endif
