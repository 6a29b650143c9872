/* A QEMU plug-in (10.0, TCG) that counts the instructions of each virtual processor between marks.
 *
 * The guest marks with the long NOP `nopl 0x4d4b00NN(%rax)`: NN = 1 opens a region, 2 closes it. At
 * each closing a line goes to the log: region N busiest X total Y ran K N from 0; X the count of
 * the processor that ran most; Y the sum over all; K how many ran at all. All that is executed
 * counts, in kernel and user mode; a halted processor executes nothing. A count is raised by whole
 * translation blocks as they are entered: the edges of a region are a block wide.
 *
 * Load: -plugin pcount.so,log=FILE. Build: gcc -shared -fPIC. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* What is used of QEMU's plug-in interface, version 3; its header is not packaged. */
typedef uint64_t qemu_plugin_id_t;
typedef struct {
    void *score;
    size_t offset;
} qemu_plugin_u64;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };
enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };

void *qemu_plugin_scoreboard_new(size_t element_size);
uint64_t qemu_plugin_u64_get(qemu_plugin_u64 entry, unsigned vcpu);
int qemu_plugin_num_vcpus(void);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *block, size_t index);
size_t qemu_plugin_insn_data(const struct qemu_plugin_insn *insn, void *bytes, size_t length);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
                                           void (*call)(qemu_plugin_id_t, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(struct qemu_plugin_tb *block,
                                                       enum qemu_plugin_op op,
                                                       qemu_plugin_u64 entry, uint64_t amount);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
                                            void (*call)(unsigned vcpu, void *argument),
                                            enum qemu_plugin_cb_flags flags, void *argument);

#define EXPORTED __attribute__((visibility("default")))
EXPORTED extern const int qemu_plugin_version;
EXPORTED int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv);

const int qemu_plugin_version = 3;

#define VCPUS_MAX 256

enum mark { MARK_OPEN = 1, MARK_CLOSE = 2 };

static qemu_plugin_u64 counter;    /* one a virtual processor, raised by the translated code */
static uint64_t opened[VCPUS_MAX]; /* the counts when the region was opened */
static unsigned regions;
static FILE *report;

static int vcpus(void)
{
    int count = qemu_plugin_num_vcpus();
    return count < VCPUS_MAX ? count : VCPUS_MAX;
}

static void region_open(unsigned vcpu, void *argument)
{
    (void)vcpu, (void)argument;
    for (int i = 0; i < vcpus(); i++)
        opened[i] = qemu_plugin_u64_get(counter, (unsigned)i);
}

static void region_close(unsigned vcpu, void *argument)
{
    uint64_t busiest = 0, total = 0;
    unsigned ran = 0;
    (void)vcpu, (void)argument;
    for (int i = 0; i < vcpus(); i++) {
        uint64_t count = qemu_plugin_u64_get(counter, (unsigned)i) - opened[i];
        busiest = count > busiest ? count : busiest;
        total += count;
        ran += count != 0;
    }
    fprintf(report, "region %u busiest %llu total %llu ran %u\n", regions++,
            (unsigned long long)busiest, (unsigned long long)total, ran);
}

/* The mark's number if the instruction is one, else 0. */
static unsigned mark_number(const struct qemu_plugin_insn *insn)
{
    static const uint8_t opcode[] = {0x0f, 0x1f, 0x80}, name[] = {0x00, 0x4b, 0x4d};
    uint8_t bytes[sizeof opcode + 1 + sizeof name];
    if (qemu_plugin_insn_data(insn, bytes, sizeof bytes) != sizeof bytes)
        return 0;
    if (memcmp(bytes, opcode, sizeof opcode) ||
        memcmp(&bytes[sizeof opcode + 1], name, sizeof name))
        return 0;
    return bytes[sizeof opcode];
}

static void block_translated(qemu_plugin_id_t id, struct qemu_plugin_tb *block)
{
    size_t count = qemu_plugin_tb_n_insns(block);
    (void)id;
    qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(block, QEMU_PLUGIN_INLINE_ADD_U64, counter,
                                                      count);
    for (size_t i = 0; i < count; i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(block, i);
        unsigned mark = mark_number(insn);
        if (mark == MARK_OPEN)
            qemu_plugin_register_vcpu_insn_exec_cb(insn, region_open, QEMU_PLUGIN_CB_NO_REGS, NULL);
        else if (mark == MARK_CLOSE)
            qemu_plugin_register_vcpu_insn_exec_cb(insn, region_close, QEMU_PLUGIN_CB_NO_REGS,
                                                   NULL);
    }
}

int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv)
{
    const char *path = "pcount.log";
    (void)info;
    for (int i = 0; i < argc; i++)
        if (!strncmp(argv[i], "log=", strlen("log=")))
            path = argv[i] + strlen("log=");
    report = fopen(path, "w");
    if (!report)
        return -1;
    setlinebuf(report);
    counter.score = qemu_plugin_scoreboard_new(sizeof(uint64_t));
    qemu_plugin_register_vcpu_tb_trans_cb(id, block_translated);
    return 0;
}
