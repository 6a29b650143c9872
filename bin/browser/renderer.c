#include "bin/browser/renderer.h"
#include "bin/browser/protocol.h"
#include "bin/browser/typeset.h"
#include "pando.h"
#include <stdlib.h>

enum { STATUS_NO_DOCUMENT = 2, STATUS_NO_MEMORY = 3, STATUS_NO_CHANNEL = 4 };

static long document_bytes;

static int document_map(void)
{
    document_bytes = pando_object_bytes(DOCUMENT_HANDLE);
    if (document_bytes <= 0)
        return -1;
    struct map_request request = {.addr = DOCUMENT_AT,
                                  .bytes = (uint64_t)document_bytes,
                                  .prot = PROT_R,
                                  .mode = OBJECT_SHARED};
    return pando_object_map(DOCUMENT_HANDLE, 0, &request) == 0 ? 0 : -1;
}

/* What a hostile document makes of a renderer. */
static void run_script(const char *script, size_t bytes, struct channel_message *answer)
{
    char *end;
    if (bytes > 6 && script[1] == 'c') /* !call NUMBER ARGUMENT */
        pando_kernel_call(strtol(script + 6, &end, 10), strtol(end, NULL, 10), 0, 0, 0);
    else if (script[1] == 'w') /* !write */
        *(volatile char *)DOCUMENT_AT = '!';
    else if (script[1] == 'l') /* !lie */
        answer->word[BAND_BYTES] = ~0ull;
    else if (script[1] == 'e') /* !exit */
        exit(0);
}

static int render(const struct channel_message *task, struct channel_message *answer)
{
    uint64_t offset = task->word[TASK_OFFSET], bytes = task->word[TASK_BYTES];
    const char *paragraph = (const char *)DOCUMENT_AT + offset;
    struct band band = {.text = (char *)BAND_AT,
                        .room = BAND_PAGES_MAX * PAGE_BYTES,
                        .width = (unsigned)task->word[TASK_WIDTH]};
    int is_script = bytes && paragraph[0] == '!';
    if (is_script ? typeset(&band, "[script]", 8) : typeset(&band, paragraph, bytes))
        return -1;
    answer->word[BAND_NUMBER] = task->word[TASK_NUMBER];
    answer->word[BAND_BYTES] = band.bytes;
    answer->addr = BAND_AT;
    answer->pages = (uint32_t)((band.bytes + PAGE_BYTES - 1) / PAGE_BYTES);
    answer->page_mode = answer->pages ? PAGES_MOVE : PAGES_NONE;
    if (is_script && task->word[TASK_SCRIPTS])
        run_script(paragraph, bytes, answer);
    return 0;
}

/* Pages that were sent are gone from here: each band has fresh ones. */
static int answer_task(const struct channel_message *task)
{
    struct channel_message answer = {0};
    if (pando_mem_map(BAND_AT, BAND_PAGES_MAX * PAGE_BYTES, PROT_R | PROT_W, 0))
        return STATUS_NO_MEMORY;
    if (render(task, &answer))
        return STATUS_NO_MEMORY;
    if (pando_channel_send(END_HANDLE, CHANNEL_WAIT, &answer))
        return STATUS_NO_CHANNEL;
    return pando_mem_unmap(BAND_AT, BAND_PAGES_MAX * PAGE_BYTES) ? STATUS_NO_MEMORY : 0;
}

int renderer_main(void)
{
    struct channel_message task;
    if (document_map())
        return STATUS_NO_DOCUMENT;
    for (;;) {
        long result = pando_channel_receive(END_HANDLE, 0, 0, CHANNEL_WAIT, &task);
        if (result == -E_CLOSED)
            return 0;
        int status = result < 0 ? STATUS_NO_CHANNEL : answer_task(&task);
        if (status)
            return status;
    }
}
