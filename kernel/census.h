/* Counts of frames on the log: what each kernel owns, and whether what processes owned came
 * back. */
#ifndef KERNEL_CENSUS_H
#define KERNEL_CENSUS_H

/* When the last process is gone. On core 0. */
void census(void);

#endif
