/* The console actor, on core 0: where processes' output goes. COM3 takes their standard output,
 * COM4 their standard error (kernel/port.h); where a port is missing, the log's port takes its
 * bytes.
 *
 * CONSOLE_WRITE (request)  word: vcore key, frame, stream, bytes
 * CONSOLE_DONE  (reply)    word: vcore key, result
 * The frame is the vcore's message page: the driver keeps vcore and page until the reply. */
#ifndef KERNEL_CONSOLE_H
#define KERNEL_CONSOLE_H

#include "kernel/shared/frame.h"

void console_start(void);
/* On core 0 only: writes the first bytes of a frame. 0, or -E_INVALID for another stream or
 * size. */
long console_write(frame_t frame, uint64_t stream, uint64_t bytes);

#endif
