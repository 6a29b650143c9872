/* Counts of frames on the log: what each kernel owns, and whether what processes owned came back. */
#ifndef KERNEL_CENSUS_H
#define KERNEL_CENSUS_H

void census_before(void); /* before the first process is created */
void census_after(void);  /* after it is gone */

#endif
