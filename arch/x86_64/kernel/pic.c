#include "arch/x86_64/kernel/pic.h"
#include "arch/x86_64/kernel/io.h"

enum { PIC1_COMMAND = 0x20, PIC1_DATA = 0x21, PIC2_COMMAND = 0xa0, PIC2_DATA = 0xa1 };
enum { INIT_WITH_4 = 0x11, CASCADE_INPUT = 2, MODE_8086 = 1, MASK_ALL = 0xff };

void pic_mask_all(void)
{
    outb(PIC1_COMMAND, INIT_WITH_4);
    outb(PIC2_COMMAND, INIT_WITH_4);
    outb(PIC1_DATA, VECTOR_PIC);
    outb(PIC2_DATA, VECTOR_PIC + 8);
    outb(PIC1_DATA, 1 << CASCADE_INPUT);
    outb(PIC2_DATA, CASCADE_INPUT);
    outb(PIC1_DATA, MODE_8086);
    outb(PIC2_DATA, MODE_8086);
    outb(PIC1_DATA, MASK_ALL);
    outb(PIC2_DATA, MASK_ALL);
}
