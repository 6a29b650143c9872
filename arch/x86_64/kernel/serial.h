/* The 16550 serial ports: arch_serial_* of arch/arch.h. 115200 baud, 8 bits, no parity, FIFO on, no
 * interrupts. */
#ifndef X86_SERIAL_H
#define X86_SERIAL_H

enum { SERIAL_PORTS = 4 };

#endif
