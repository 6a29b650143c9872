#include "arch/x86_64/kernel/serial.h"
#include "arch/arch.h"
#include "arch/x86_64/kernel/io.h"

#include <stdbool.h>

enum { /* registers */
       DATA = 0,
       DIVISOR_LOW = 0,
       INTERRUPTS = 1,
       DIVISOR_HIGH = 1,
       FIFO = 2,
       LINE = 3,
       MODEM = 4,
       STATUS = 5,
       SCRATCH = 7
};

enum {
    LINE_8N1 = 0x03,
    LINE_DIVISOR = 0x80,
    FIFO_ON_CLEARED = 0x07,
    MODEM_READY = 0x03,     /* DTR, RTS */
    STATUS_ALL_SENT = 0x20, /* the FIFO is empty */
    FIFO_BYTES = 16,
    DIVISOR_115200 = 1,
    POLLS_A_SECOND = 1000000 /* reading a port takes about a microsecond */
};

static const uint16_t port_base[SERIAL_PORTS] = {0x3f8, 0x2f8, 0x3e8, 0x2e8};

static struct {
    bool present;
    bool stuck; /* the device took nothing for a second: no more waiting until it takes something */
} port[SERIAL_PORTS];

static bool probe(uint16_t base)
{
    outb(base + SCRATCH, 0xae);
    if (inb(base + SCRATCH) != 0xae)
        return false;
    outb(base + SCRATCH, 0x51);
    return inb(base + SCRATCH) == 0x51;
}

static void set_up(uint16_t base)
{
    outb(base + INTERRUPTS, 0);
    outb(base + LINE, LINE_DIVISOR);
    outb(base + DIVISOR_LOW, DIVISOR_115200);
    outb(base + DIVISOR_HIGH, 0);
    outb(base + LINE, LINE_8N1);
    outb(base + FIFO, FIFO_ON_CLEARED);
    outb(base + MODEM, MODEM_READY);
}

void arch_serial_init(void)
{
    for (unsigned i = 0; i < SERIAL_PORTS; i++) {
        port[i].present = probe(port_base[i]);
        port[i].stuck = false;
        if (port[i].present)
            set_up(port_base[i]);
    }
}

int arch_serial_present(unsigned index)
{
    return index < SERIAL_PORTS && port[index].present;
}

static bool wait_until_sent(unsigned index)
{
    unsigned polls = port[index].stuck ? 1 : POLLS_A_SECOND;

    for (unsigned i = 0; i < polls; i++) {
        if (inb(port_base[index] + STATUS) & STATUS_ALL_SENT) {
            port[index].stuck = false;
            return true;
        }
        arch_pause();
    }
    port[index].stuck = true;
    return false;
}

void arch_serial_write(unsigned index, const void *data, size_t bytes)
{
    const char *next = data;

    if (!arch_serial_present(index))
        return;
    while (bytes && wait_until_sent(index)) {
        size_t burst = bytes < FIFO_BYTES ? bytes : FIFO_BYTES;
        outb_string(port_base[index] + DATA, next, burst);
        next += burst;
        bytes -= burst;
    }
}
