/* Included before every source of the runtime: all it names stands in the image, so that addresses
 * are taken relative to the instruction pointer and there is no table of them to fill in. */
#pragma GCC visibility push(hidden)
