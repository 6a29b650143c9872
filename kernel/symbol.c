#include "kernel/symbol.h"
#include <stddef.h>

/* Made by tools/symbols.py from the kernel's own symbol table; sorted by address. */
struct symbol {
    uint32_t address; /* its low half: the kernel is in the top 2 GiB */
    uint32_t name;    /* offset in symbol_names */
};
extern const struct symbol symbol_table[];
extern const uint32_t symbol_count;
extern const char symbol_names[];
extern const char text_start[], text_end[];

const char *symbol_find(uint64_t address, uint64_t *offset)
{
    if (address < (uint64_t)text_start || address >= (uint64_t)text_end)
        return NULL;
    uint32_t low = 0, high = symbol_count;
    while (high - low > 1) {
        uint32_t middle = (low + high) / 2;
        if (symbol_table[middle].address <= (uint32_t)address)
            low = middle;
        else
            high = middle;
    }
    if (high == 0 || symbol_table[low].address > (uint32_t)address)
        return NULL;
    *offset = (uint32_t)address - symbol_table[low].address;
    return symbol_names + symbol_table[low].name;
}
