/* ends exit STATUS | ends KIND [VCORE VCORES]: ends in the way named; with VCORES, by that vcore of
 * so many, while all others compute. */
#include "tests/system/programs/check.h"

enum { LINUX_GETPID = 39 }; /* a call that the runtime answers at once */

static const int read_only = 1;
static unsigned char data[16] = {0xc3};
static const char *kind;
static int guilty, vcores = 1;
static unsigned together;

static int is(const char *name)
{
    return !strcmp(kind, name);
}

static void jump(uint64_t address)
{
    printf("at %lx\n", address);
    fflush(stdout);
    __asm__ volatile("jmp *%0" : : "r"(address));
}

static void enter_anew(void)
{
    __asm__ volatile("syscall" : : "a"(LINUX_GETPID) : "rcx", "r11", "memory");
}

static void __attribute__((noinline, noipa)) touch(uint64_t address, int write)
{
    volatile char *at = (volatile char *)address;
    printf("at %lx\n", address);
    fflush(stdout);
    if (write)
        *at = 1;
    else
        (void)*at;
}

static void end_by_memory(void)
{
    if (is("null-read"))
        touch(0, 0);
    if (is("null-write"))
        touch(8, 1);
    if (is("write-read-only"))
        touch((uint64_t)&read_only, 1);
    if (is("write-text"))
        touch((uint64_t)end_by_memory, 1);
    if (is("write-procinfo"))
        touch(PROCINFO_BASE, 1);
    if (is("write-runtime"))
        touch(RUNTIME_BASE, 1);
    if (is("write-archive"))
        touch(ARCHIVE_BASE, 1);
    if (is("read-kernel"))
        touch(0xffffffff80200000, 0);
    if (is("write-private"))
        touch(0xffffffff80400000, 1);
    if (is("read-direct"))
        touch(0xffff800000000000, 0);
    if (is("read-last-page"))
        touch(USER_TOP, 0);
    if (is("execute-data"))
        jump((uint64_t)data);
    if (is("execute-last-page"))
        jump(USER_TOP);
    if (is("execute-kernel"))
        jump(0xffffffff80210000);
    if (is("execute-null"))
        jump(0);
}

static void end_by_exception(void)
{
    static const uint16_t unmasked_x87 = 0x340;
    if (is("read-non-canonical"))
        (void)*(volatile char *)0x8000000000000000;
    if (is("execute-non-canonical"))
        __asm__ volatile("jmp *%0" : : "r"(0x8000000000000000));
    if (is("divide"))
        __asm__ volatile("xor %%ecx, %%ecx\n\tdivl %%ecx" : : "a"(1), "d"(0) : "ecx");
    if (is("invalid"))
        __asm__ volatile("ud2");
    if (is("halt"))
        __asm__ volatile("hlt");
    if (is("interrupts-off"))
        __asm__ volatile("cli");
    if (is("control-register"))
        __asm__ volatile("mov %%cr3, %%rax" : : : "rax");
    if (is("port"))
        __asm__ volatile("outb %%al, %%dx" : : "a"(0), "d"(0xf4));
    if (is("store-idt"))
        __asm__ volatile("sidt %0" : "=m"(*(char(*)[10])data));
    if (is("breakpoint"))
        __asm__ volatile("int3");
    if (is("interrupt"))
        __asm__ volatile("int $0x80");
    if (is("page-fault-vector"))
        __asm__ volatile("int $14");
    if (is("doorbell-vector"))
        __asm__ volatile("int $0xf0");
    if (is("single-step"))
        __asm__ volatile("pushf\n\torl $0x100, (%%rsp)\n\tpopf\n\tnop\n\tnop" : : : "memory");
    if (is("x87"))
        __asm__ volatile("fldcw %0\n\tfldz\n\tfldz\n\tfdivp\n\tfwait" : : "m"(unmasked_x87));
}

static void end_by_procdata(void)
{
    struct procdata *procdata = (struct procdata *)PROCDATA_BASE;
    struct vcore_data *vcore = vcore_data_of(pando_vcore_id());
    if (is("entry-last-page"))
        procdata->entry = USER_TOP;
    if (is("entry-kernel"))
        procdata->entry = 0xffffffff80210000;
    if (is("entry-non-canonical"))
        procdata->entry = 0x8000000000000000;
    if (is("entry-unmapped"))
        procdata->entry = PAGE_BYTES;
    if (is("stack-kernel"))
        vcore->stack_top = 0xffffffff80404000;
    if (is("stack-non-canonical"))
        vcore->stack_top = 0x8000000000000000;
    if (is("stack-unmapped"))
        vcore->stack_top = 2 * PAGE_BYTES;
    enter_anew();
}

static void end(void)
{
    end_by_memory();
    end_by_exception();
    end_by_procdata();
    printf("still alive\n");
    exit(1);
}

static void *one_of_many(void *arg)
{
    __atomic_fetch_add(&together, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&together, __ATOMIC_SEQ_CST) < (unsigned)vcores)
        ;
    if (pando_vcore_id() == guilty)
        end();
    for (;;)
        ;
    return arg;
}

int main(int argc, char *argv[])
{
    kind = argv[1];
    if (is("exit"))
        return number_of(argv[2]);
    if (argc <= 3)
        end();
    guilty = number_of(argv[2]);
    vcores = number_of(argv[3]);
    CHECK_IS(pando_vcores_request(vcores), vcores);
    for (int i = 1; i < vcores; i++) {
        struct uthread *uthread;
        CHECK_IS(uthread_create(&uthread, one_of_many, NULL), 0);
    }
    one_of_many(NULL);
}
