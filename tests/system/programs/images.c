/* images TEST: processes with runtime images of their own, made of a memory object; "ok" at the end. */
#include <stddef.h>
#include "abi/runtime.h"
#include "tests/system/programs/control.h"

#define WHERE ((char *)0x200000000000)
enum {
    TEXT = 0,
    RODATA = PAGE_BYTES,
    DATA = 2 * PAGE_BYTES,
    OBJECT_BYTES_OWN = 3 * PAGE_BYTES,
    ENTRY = 64,
    GUEST_NUMBER = 500
};

/* What stands at ENTRY: code for any place, entered with the vcore's id in rdi, on its transition stack, in
 * vcore context. Each ends the process with a status. */
#define CODE(name, body)                    \
    extern const char name[], name##_end[]; \
    __asm__(".pushsection .rodata\n" #name ":\n" body "\n" #name "_end:\n.popsection")
#define EXIT_EAX "mov %eax, %edi\n mov $1, %eax\n syscall\n ud2\n"

/* What its own data and bss hold, after adding to them: 40 + 1 + 1, each time it is begun. */
CODE(code_data, "mov $0x7f8000002000, %rbx\n incl (%rbx)\n incl 0x1000(%rbx)\n mov (%rbx), %eax\n"
                "add 0x1000(%rbx), %eax\n" EXIT_EAX);
/* What its read-only data holds. */
CODE(code_rodata, "mov $0x7f8000001000, %rbx\n mov (%rbx), %eax\n" EXIT_EAX);
CODE(code_write_text, "mov $0x7f8000000000, %rbx\n movb $0, (%rbx)\n" EXIT_EAX);
CODE(code_write_rodata, "mov $0x7f8000001000, %rbx\n movb $0, (%rbx)\n" EXIT_EAX);
CODE(code_run_data, "mov $0x7f8000002000, %rbx\n jmp *%rbx\n");
/* The first argument's second letter. */
CODE(code_arguments, "mov $0x7f8000810000, %rbx\n movzbl 1(%rbx), %eax\n" EXIT_EAX);
/* A guest's process: call 500 of (7, 5, 3, 1), and ends with what that returned. */
CODE(code_guest, "mov $500, %eax\n mov $7, %edi\n mov $5, %esi\n mov $3, %edx\n mov $1, %r10d\n"
                 "syscall\n" EXIT_EAX);

static const struct runtime_head good = {
    .magic = RUNTIME_MAGIC,
    .entry = RUNTIME_BASE + ENTRY,
    .text_bytes = PAGE_BYTES,
    .rodata_bytes = PAGE_BYTES,
    .data_bytes = PAGE_BYTES,
    .bss_bytes = 100,
};

static struct runtime_head *head(void)
{
    return (struct runtime_head *)WHERE;
}

static long object_make(void)
{
    long object = pando_object_create(OBJECT_BYTES_OWN);
    struct map_request request = {
        .addr = (uint64_t)WHERE, .bytes = OBJECT_BYTES_OWN, .prot = PROT_R | PROT_W};
    CHECK(object > 0);
    CHECK_IS(pando_object_map(object, 0, &request), 0);
    return object;
}

static long image_make(const char *code, const char *end)
{
    long object = object_make();
    *head() = good;
    memcpy(WHERE + ENTRY, code, (size_t)(end - code));
    *(int *)(WHERE + RODATA) = 33;
    *(int *)(WHERE + DATA) = 40;
    return object;
}

static void image_end(long object)
{
    CHECK_IS(pando_mem_unmap((uint64_t)WHERE, OBJECT_BYTES_OWN), 0);
    CHECK_IS(pando_handle_close(object), 0);
}

static long create(long image)
{
    char *words[] = {"images"};
    return pando_proc_create_with(1, words, NULL, (uint32_t)image, 0);
}

static void expect(const char *code, const char *end, int status, enum end_reason reason)
{
    long image = image_make(code, end);
    for (unsigned round = 0; round < 2; round++) {
        long child = create(image);
        CHECK(child > 0);
        CHECK_IS(child_run(child), 0);
        expect_ending(child, status, reason);
    }
    image_end(image);
}
#define EXPECT(code, status, reason) expect(code, code##_end, status, reason)

static void test_parts(void)
{
    EXPECT(code_data, 42, END_EXIT);
    EXPECT(code_rodata, 33, END_EXIT);
    EXPECT(code_arguments, 'm', END_EXIT);
    EXPECT(code_write_text, STATUS_FAULT, END_FAULT);
    EXPECT(code_write_rodata, STATUS_FAULT, END_FAULT);
    EXPECT(code_run_data, STATUS_FAULT, END_FAULT);
}

/* The process keeps its image, whatever becomes of the object's handles and mappings. */
static void test_kept(void)
{
    long image = image_make(code_rodata, code_rodata_end), child = create(image);
    image_end(image);
    long other = object_make(); /* takes frames that are free */
    memset(WHERE, 0xcc, OBJECT_BYTES_OWN);
    CHECK_IS(child_run(child), 0);
    expect_ending(child, 33, END_EXIT);
    image_end(other);
}

/* A head that differs from a good one in one word is refused. */
static void refused(long image, size_t offset, uint64_t value, long error)
{
    memcpy(WHERE + offset, &value, sizeof value);
    CHECK_IS(create(image), error);
    *head() = good;
}
#define REFUSED(image, word, value, error) \
    refused(image, offsetof(struct runtime_head, word), value, error)

static void test_errors(void)
{
    long image = object_make();
    CHECK_IS(create(image), -E_DAMAGED); /* nothing was ever written */
    head()->magic = 1;
    CHECK_IS(create(image), -E_DAMAGED);
    *head() = good;
    CHECK_IS(create(image), -E_DAMAGED); /* its read-only data was not */
    WHERE[RODATA] = 1;
    end(create(image)); /* data that was not is zeroes */
    REFUSED(image, magic, 0, -E_DAMAGED);
    REFUSED(image, entry, 0, -E_DAMAGED);
    REFUSED(image, entry, RUNTIME_BASE - 1, -E_DAMAGED);
    REFUSED(image, entry, RUNTIME_BASE + PAGE_BYTES, -E_DAMAGED);
    REFUSED(image, text_bytes, 0, -E_DAMAGED);
    REFUSED(image, text_bytes, 100, -E_DAMAGED);
    REFUSED(image, rodata_bytes, 100, -E_DAMAGED);
    REFUSED(image, data_bytes, 100, -E_DAMAGED);
    REFUSED(image, data_bytes, 2 * PAGE_BYTES, -E_DAMAGED); /* the object is shorter */
    REFUSED(image, text_bytes, -(uint64_t)PAGE_BYTES, -E_TOO_LONG);
    REFUSED(image, bss_bytes, -1ul, -E_TOO_LONG);
    REFUSED(image, bss_bytes, 1ul << 20, -E_TOO_LONG);
    REFUSED(image, rodata_bytes, 1ul << 23, -E_TOO_LONG);
    long unmappable = pando_handle_duplicate(image, RIGHTS_ALL & ~RIGHT_MAP);
    long unreadable = pando_handle_duplicate(image, RIGHTS_ALL & ~RIGHT_READ);
    CHECK_IS(create(unmappable), -E_PERMISSION);
    CHECK_IS(create(unreadable), -E_PERMISSION);
    CHECK_IS(create(pando_partition_root()), -E_KIND);
    CHECK_IS(create(999), -E_NO_ENTRY);
    end(create(pando_handle_duplicate(image, RIGHT_MAP | RIGHT_READ)));
}

/* Another image than it was created with: larger ones and smaller ones, and the old one's pages go. */
static void test_replaced(void)
{
    long image = image_make(code_rodata, code_rodata_end), other = create(image);
    uint64_t small = info_of(other).frames;
    long child = create(0);
    uint64_t large = info_of(child).frames;
    CHECK(large > small);
    for (unsigned i = 0; i < 100; i++) {
        CHECK_IS(pando_proc_image(child, image), 0);
        CHECK_IS(info_of(child).frames, small);
        CHECK_IS(pando_proc_image(child, image), 0);
        CHECK_IS(info_of(child).frames, small);
        CHECK_IS(pando_proc_image(child, 0), 0);
        CHECK_IS(info_of(child).frames, large);
    }
    CHECK_IS(pando_proc_image(child, image), 0);
    CHECK_IS(child_run(child), 0);
    expect_ending(child, 33, END_EXIT);

    char *words[] = {"images", "nothing"}; /* the system's, and runs as that */
    CHECK_IS(pando_proc_image(other, 0), 0);
    CHECK_IS(pando_proc_arguments(other, 15, 0, "images\0nothing"), 0);
    CHECK_IS(child_run(other), 0);
    expect_ending(other, 0, END_EXIT);
    child =
        pando_proc_create_with(2, words, NULL, (uint32_t)image, 0); /* again, beyond its limit */
    CHECK_IS(pando_proc_limit(child, (long)small, 0), 0);
    CHECK_IS(pando_proc_image(child, 0), -E_LIMIT);
    CHECK_IS(info_of(child).frames, small);
    head()->magic = 0;
    CHECK_IS(pando_proc_image(child, image), -E_DAMAGED);
    head()->magic = RUNTIME_MAGIC;
    CHECK_IS(pando_proc_image(child, 999), -E_NO_ENTRY);
    CHECK_IS(pando_proc_image(child, pando_partition_root()), -E_KIND);
    CHECK_IS(pando_proc_image(child, pando_handle_duplicate(image, RIGHT_MAP)), -E_PERMISSION);
    CHECK_IS(child_run(child), 0);
    CHECK_IS(pando_proc_image(child, image), -E_STATE);
    expect_ending(child, 33, END_EXIT);
    image_end(image);
}

static void test_guest(void)
{
    long image = image_make(code_guest, code_guest_end), child = create(image);
    CHECK_IS(pando_proc_sandbox(child, 0, FILTER_ASK), 0);
    CHECK_IS(child_run(child), 0);
    struct event event = event_await();
    const uint64_t told[] = {CHILD_CALL(0, GUEST_NUMBER), 7, 5, 3, 1};
    CHECK_IS(event.type, EVENT_CHILD_CALL);
    CHECK(!memcmp(event.payload, told, sizeof told));
    uint64_t argument[CALL_ARGUMENTS];
    CHECK_IS(pando_proc_call(child, 0, 0, argument), GUEST_NUMBER);
    CHECK(!memcmp(argument, &told[1], 4 * sizeof argument[0]));
    CHECK_IS(pando_proc_reply(child, 0, 99, 0, NULL), 0);
    expect_ending(child, 99, END_EXIT);
    image_end(image);
}

int main(int argc, char *argv[])
{
    if (!strcmp(argv[1], "parts"))
        test_parts();
    else if (!strcmp(argv[1], "kept"))
        test_kept();
    else if (!strcmp(argv[1], "errors"))
        test_errors();
    else if (!strcmp(argv[1], "guest"))
        test_guest();
    else if (!strcmp(argv[1], "replaced"))
        test_replaced();
    else
        return 0;
    printf("ok\n");
    return 0;
}
