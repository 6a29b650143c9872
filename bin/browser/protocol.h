/* What the browser and a renderer agree on.
 *
 * A renderer has two handles: END, one end of a channel, and DOCUMENT, a memory
 * object that it may only read. It is sent tasks, a paragraph of the document
 * each, and answers each with a band, the paragraph as text in pages that move
 * with the message. */
#ifndef BROWSER_PROTOCOL_H
#define BROWSER_PROTOCOL_H

enum { END_HANDLE = 1, DOCUMENT_HANDLE = 2, RENDERER_HANDLES = 2 };
enum { PARAGRAPH_BYTES_MAX = 8192, BAND_PAGES_MAX = 8, WIDTH_MIN = 20, WIDTH_MAX = 200 };

/* Words of a task. */
enum { TASK_NUMBER, TASK_OFFSET, TASK_BYTES, TASK_WIDTH, TASK_SCRIPTS };
/* Words of a band. */
enum { BAND_NUMBER, BAND_BYTES };

/* In a renderer, and in the browser. */
#define DOCUMENT_AT 0x0000600000000000ull
#define BAND_AT     0x0000610000000000ull

#endif
