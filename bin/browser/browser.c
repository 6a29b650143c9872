/* browser [-w WIDTH] FILE: renders a document to standard output.
 *
 * The browser trusts its documents as little as anyone should: it reads nothing
 * of them itself. Two renderers do, processes of their own. Each has one end of
 * a channel and a handle with which it can read the document, and may make the
 * few calls that it needs for that; a call beyond them is its end. A renderer
 * that ends, or whose answers make no sense, is replaced, and the paragraph
 * that it had is rendered again with its scripts left out. Seed two, 6.2. */
#include "bin/browser/document.h"
#include "bin/browser/protocol.h"
#include "bin/browser/renderer.h"
#include "pando.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RENDERERS = 2, CHANNEL_DEPTH = 4, RENDERER_FRAMES = 1000, WIDTH_USUAL = 72, NONE = -1 };
enum { STATE_DYING = 6 }; /* struct proc_info; what ends has this state or the next */
enum { BAND_ROOM_BYTES = BAND_PAGES_MAX * PAGE_BYTES };

#define CALL_BIT(name) (1ull << PANDO_##name)
/* For its runtime, then for its work. */
static const uint64_t permitted =
    CALL_BIT(null) | CALL_BIT(exit) | CALL_BIT(mem_map) | CALL_BIT(mem_unmap) |
    CALL_BIT(mem_protect) | CALL_BIT(vcore_halt) | CALL_BIT(object_bytes) | CALL_BIT(object_map) |
    CALL_BIT(channel_receive) | CALL_BIT(channel_send);

struct renderer {
    long process, end; /* handles */
    int paragraph;     /* that it has; NONE: it waits for one */
};

/* What has become of a paragraph. */
struct piece {
    enum { PIECE_WAITS, PIECE_GIVEN, PIECE_DONE } state;
    int blocked; /* its scripts are left out */
    uint64_t bytes;
};

static struct document document;
static struct piece pieces[PARAGRAPHS_MAX];
static struct renderer renderers[RENDERERS];
static unsigned width = WIDTH_USUAL, started;

static _Noreturn void fail(const char *subject, const char *reason)
{
    fprintf(stderr, "browser: %s: %s\n", subject, reason);
    exit(1);
}

static long must(const char *what, long result)
{
    static const char *const sentences[] = {
#define SENTENCE(name, text) [name] = text,
        ERROR_LIST(SENTENCE)
#undef SENTENCE
    };
    if (result < 0)
        fail(what, -result < ERRORS ? sentences[-result] : "unknown error");
    return result;
}

/* --- renderers
 * ---------------------------------------------------------------------------------
 */

static void give(long process, long handle, unsigned rights, long wanted)
{
    long number = must("cannot give a handle", pando_proc_give(process, handle, rights));
    if (number != wanted)
        fail("a renderer", "its handles have other numbers");
}

static void renderer_start(struct renderer *renderer)
{
    char *words[] = {"browser", "renderer"};
    long ends = must("cannot make a channel", pando_channel_create(CHANNEL_DEPTH));
    long theirs = ends >> 32;
    renderer->end = ends & 0xffffffff;
    renderer->paragraph = NONE;
    renderer->process = must("cannot create a renderer", pando_proc_create(2, words));
    give(renderer->process, theirs, RIGHT_READ | RIGHT_WRITE, END_HANDLE);
    give(renderer->process, document.object, RIGHT_MAP | RIGHT_READ, DOCUMENT_HANDLE);
    pando_handle_close(theirs);
    must("cannot limit a renderer", pando_proc_limit(renderer->process, RENDERER_FRAMES, 0));
    must("cannot filter a renderer", pando_proc_sandbox(renderer->process, permitted, FILTER_END));
    must("cannot watch a renderer", pando_proc_watch(renderer->process));
    must("cannot watch a channel", pando_channel_watch(renderer->end, CHANNEL_ON_READABLE));
    must("cannot run a renderer", pando_proc_run(renderer->process));
    started++;
}

static const char *complaint(long ending)
{
    switch (pando_end_reason(ending)) {
    case END_FILTERED:
        return "made a call that it may not make";
    case END_FAULT:
        return "did what the processor does not permit";
    case END_LIMIT:
    case END_MEMORY:
        return "wanted more memory than it may have";
    case END_KILLED:
        return "gave an answer that makes no sense";
    default:
        return "ended before its time";
    }
}

/* Returns how it ended. */
static long renderer_end(struct renderer *renderer)
{
    must("cannot end a renderer", pando_proc_kill(renderer->process, PROC_ABORT));
    long ending = must("cannot wait for a renderer", pando_proc_wait(renderer->process));
    pando_handle_close(renderer->process);
    pando_handle_close(renderer->end);
    return ending;
}

static void renderer_replace(struct renderer *renderer)
{
    long ending = renderer_end(renderer);
    fprintf(stderr, "browser: renderer %d %s; another takes its place\n",
            (int)(renderer - renderers), complaint(ending));
    if (renderer->paragraph != NONE) {
        struct piece *piece = &pieces[renderer->paragraph];
        if (piece->blocked)
            fail("a paragraph", "renderers fail even without its scripts");
        *piece = (struct piece){.state = PIECE_WAITS, .blocked = 1};
    }
    renderer_start(renderer);
}

/* --- tasks and bands
 * ---------------------------------------------------------------------------
 */

static uint64_t band_at(unsigned paragraph)
{
    return BAND_AT + (uint64_t)paragraph * BAND_ROOM_BYTES;
}

/* Hands out a paragraph that waits. Returns whether one did. */
static int give_task(struct renderer *renderer)
{
    unsigned number = 0;
    while (number < document.paragraphs && pieces[number].state != PIECE_WAITS)
        number++;
    if (number == document.paragraphs)
        return 0;
    struct channel_message task = {0};
    task.word[TASK_NUMBER] = number;
    task.word[TASK_OFFSET] = document.paragraph[number].offset;
    task.word[TASK_BYTES] = document.paragraph[number].bytes;
    task.word[TASK_WIDTH] = width;
    task.word[TASK_SCRIPTS] = !pieces[number].blocked;
    renderer->paragraph = (int)number;
    pieces[number].state = PIECE_GIVEN;
    long result = pando_channel_send(renderer->end, 0, &task);
    if (result != -E_CLOSED) /* of one that has just ended: it will be replaced */
        must("cannot send a task", result);
    return 1;
}

/* Whether the answer is one to the task that the renderer had. Nothing else is
 * believed. */
static int is_sound(const struct renderer *renderer, const struct channel_message *band, long pages)
{
    int handles = 0;
    for (unsigned i = 0; i < MESSAGE_HANDLES; i++)
        if (band->handle[i] && pando_handle_close(band->handle[i]) == 0)
            handles++;
    return !handles && renderer->paragraph != NONE &&
           band->word[BAND_NUMBER] == (uint64_t)renderer->paragraph &&
           band->word[BAND_BYTES] <= (uint64_t)pages * PAGE_BYTES;
}

static void renderer_listen(struct renderer *renderer)
{
    struct channel_message band;
    while (renderer->paragraph != NONE) {
        unsigned number = (unsigned)renderer->paragraph;
        long pages =
            pando_channel_receive(renderer->end, band_at(number), BAND_PAGES_MAX, 0, &band);
        if (pages == -E_EMPTY || pages == -E_CLOSED)
            return;
        if (pages < 0 || !is_sound(renderer, &band, pages)) {
            if (pages > 0)
                pando_mem_unmap(band_at(number), (uint64_t)pages * PAGE_BYTES);
            renderer_replace(renderer);
            return;
        }
        pieces[number].state = PIECE_DONE;
        pieces[number].bytes = band.word[BAND_BYTES];
        renderer->paragraph = NONE;
    }
}

/* --- the page
 * ----------------------------------------------------------------------------------
 */

static int page_is_done(void)
{
    unsigned number = 0;
    while (number < document.paragraphs && pieces[number].state == PIECE_DONE)
        number++;
    return number == document.paragraphs;
}

/* An event says where to look: the number it names may be another renderer's by now. */
static int has_ended(const struct renderer *renderer)
{
    struct proc_info info;
    must("cannot see a renderer", pando_proc_info(renderer->process, &info));
    return info.state >= STATE_DYING;
}

static void on_event(const struct event *event)
{
    for (unsigned i = 0; i < RENDERERS; i++) {
        struct renderer *renderer = &renderers[i];
        renderer_listen(renderer); /* what it said before it ended, too */
        if (event->type == EVENT_CHILD_ENDED && has_ended(renderer))
            renderer_replace(renderer);
    }
}

static void page_render(void)
{
    for (unsigned i = 0; i < RENDERERS; i++)
        renderer_start(&renderers[i]);
    while (!page_is_done()) {
        struct event event;
        for (unsigned i = 0; i < RENDERERS; i++)
            if (renderers[i].paragraph == NONE)
                give_task(&renderers[i]);
        pando_event_wait(&event);
        on_event(&event);
    }
    for (unsigned i = 0; i < RENDERERS; i++)
        renderer_end(&renderers[i]);
}

/* Characters that a terminal would obey are not let through. */
static void band_show(unsigned number)
{
    const volatile char *text = (const volatile char *)band_at(number);
    for (uint64_t i = 0; i < pieces[number].bytes; i++) {
        char c = text[i];
        putchar(c == '\n' || (c >= ' ' && c < 127) ? c : '?');
    }
}

static void page_show(void)
{
    for (unsigned number = 0; number < document.paragraphs; number++) {
        if (number)
            putchar('\n');
        if (pieces[number].blocked)
            printf("[blocked]\n");
        else
            band_show(number);
    }
    fflush(stdout);
    fprintf(stderr, "browser: %u paragraphs by %u renderers\n", document.paragraphs, started);
}

static int usage(void)
{
    fprintf(stderr, "usage: browser [-w WIDTH] FILE\n");
    return 2;
}

int main(int argc, char *argv[])
{
    if (argc == 2 && !strcmp(argv[1], "renderer"))
        return renderer_main();
    int named = argc == 4 && !strcmp(argv[1], "-w");
    if (named)
        width = (unsigned)strtoul(argv[2], NULL, 10);
    if ((argc != 2 && !named) || argv[argc - 1][0] == '-' || width < WIDTH_MIN || width > WIDTH_MAX)
        return usage();
    const char *wrong = document_open(&document, argv[argc - 1]);
    if (wrong)
        fail(argv[argc - 1], wrong);
    page_render();
    page_show();
    return 0;
}
