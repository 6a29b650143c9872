/* Places in vcore_data and in a context, for assembly; user.h holds them against the structs. */
#ifndef USER_OFFSETS_H
#define USER_OFFSETS_H

/* Relative to GS: the entered vcore's vcore_data. */
#define GS_DISABLED  0
#define GS_PENDING   1
#define GS_VCOREID   4
#define GS_STACK_TOP 8
#define GS_CURRENT   16

#define CONTEXT_R15     0
#define CONTEXT_R14     8
#define CONTEXT_R13     16
#define CONTEXT_R12     24
#define CONTEXT_RBP     64
#define CONTEXT_RBX     104
#define CONTEXT_MXCSR   120 /* a switched-out context keeps its FP control words in `trap` */
#define CONTEXT_FPU     124
#define CONTEXT_RIP     128
#define CONTEXT_RSP     152
#define CONTEXT_FS_BASE 168

#endif
