/* The kernel's command line. Parsed once, before the snapshot. */
#ifndef KERNEL_OPTIONS_H
#define KERNEL_OPTIONS_H

#include "kernel/boot.h"

enum { MANAGEMENT_MAX = 4 };

struct options {
    char probe[32]; /* --probe NAME: a test of the kernel instead of a program */
    unsigned
        exit_port; /* --exit-port N: where the machine's end is told to the emulator; 0: none */
    unsigned management;       /* --management N: so many management cores; 1 */
    unsigned slice_us;         /* --slice-us N: of vcores that share a management core; 2,000 */
    unsigned granted_slice_us; /* --granted-slice-us N: that share another core; 2,000 */
    int trace_states;          /* --trace states: each move of a process is logged */
};
extern struct options options;

int probe_asked(void); /* --probe was given */

/* Returns NULL, or a sentence that says what is wrong with the command line. */
const char *options_parse(const struct boot_info *boot);

#endif
