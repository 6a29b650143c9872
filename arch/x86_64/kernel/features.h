/* What this processor can do. Found once, before the snapshot; all cores are taken to be alike. */
#ifndef X86_FEATURES_H
#define X86_FEATURES_H

#include <stdbool.h>
#include <stdint.h>

#define XSAVE_BYTES_MAX 3840 /* an XSAVE area and a context stand in a page */

struct features {
    bool smep, smap, umip, pge, gib_pages, x2apic, xsaveopt;
    bool tsc_invariant;   /* the counter's rate never changes, on no core */
    bool hypervisor;      /* this is a virtual machine */
    uint64_t xsave_mask;  /* the components to enable in XCR0: x87, SSE, then AVX, AVX-512 */
    uint32_t xsave_bytes; /* of an XSAVE area (standard form) with these; at most XSAVE_BYTES_MAX */
};
extern struct features features;

/* Fills features. Returns NULL, or a sentence that names the first feature which the kernel
 * requires and the processor lacks. On the first core, before anything that reads features. */
const char *cpu_missing_feature(void);

#endif
