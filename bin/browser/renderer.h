/* The renderer: the part of the browser that is not trusted, since what it
 * reads may take it over. */
#ifndef BROWSER_RENDERER_H
#define BROWSER_RENDERER_H

/* Answers tasks until the browser closes the channel. Returns the exit status.
 */
int renderer_main(void);

#endif
