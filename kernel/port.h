/* What goes to which serial port. Firmware that has a serial console uses the first two, until the
 * kernel has them: so processes' output has the other two, and what the control port says begins on
 * a new line. */
#ifndef KERNEL_PORT_H
#define KERNEL_PORT_H

enum port {
    PORT_LOG,     /* COM1: the kernels' log */
    PORT_CONTROL, /* COM2: the kernel's last word to the host: docs/kernel.md */
    PORT_OUTPUT,  /* COM3: processes' standard output */
    PORT_ERROR,   /* COM4: processes' standard error */
};

#endif
