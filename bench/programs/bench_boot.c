/* boot_1core, boot_4core: from the kernel's entry point to the first user instruction. */
#include <stdio.h>
#include "pando.h"

int main(void)
{
    uint64_t first = pando_first_tsc(), boot = pando_procinfo()->boot_tsc;
    printf("%lu\n", first - boot);
    return 0;
}
