/* The program of the process: found in the boot archive, loaded, started. */
#ifndef RUNTIME_PROGRAM_H
#define RUNTIME_PROGRAM_H

#include <stdint.h>

enum { STATUS_NOT_LOADABLE = 126, STATUS_NOT_FOUND = 127 };

/* Uthread context, level 1, of uthread 0, which is `arg`: loads the program named by the first
 * argument and becomes it. A program that is missing or cannot be loaded ends the process with one
 * sentence and a status as a shell gives it. */
void program_start(void *arg);

/* Creates a process: pando.h, pando_proc_create. Uthread context. */
int runtime_proc_create(int argc, char *const argv[], char *const env[], uint32_t image,
                        unsigned flags);

#endif
