/* The head of the runtime image, which the kernel reads when it maps the image. */
#ifndef ABI_RUNTIME_H
#define ABI_RUNTIME_H

#include <stdint.h>

#define RUNTIME_MAGIC 0x314d49545f444e50 /* "PND_TIM1" */

/* All byte counts are multiples of the page size but bss_bytes; the parts stand one after another
 * from RUNTIME_BASE: text (read, execute), rodata (read), data (read, write), bss (zeroed). */
struct runtime_head {
    uint64_t magic;
    uint64_t entry; /* address of the first entry point */
    uint64_t text_bytes;
    uint64_t rodata_bytes;
    uint64_t data_bytes;
    uint64_t bss_bytes;
};

#endif
