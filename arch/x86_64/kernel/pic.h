/* The two 8259 interrupt controllers, which are never used. */
#ifndef X86_PIC_H
#define X86_PIC_H

#define VECTOR_PIC \
    0x20 /* to 0x2f: where a spurious one would arrive, apart from the exceptions \
                         */

/* Masks both. Harmless on a machine without them. */
void pic_mask_all(void);

#endif
