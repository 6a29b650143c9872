#include "arch/x86_64/kernel/cores.h"
#include "arch/arch.h"
#include "arch/x86_64/kernel/acpi.h"
#include "arch/x86_64/kernel/apic.h"
#include "arch/x86_64/kernel/paging.h"
#include "lib/string.h"

uint32_t core_apic_id[CORES_MAX];

static unsigned core_count = 1;
static uint64_t mapped_top; /* boot->top while the tables are read */

const void *acpi_map(uint64_t physical, size_t bytes)
{
    if (bytes > mapped_top || physical > mapped_top - bytes)
        return NULL;
    return direct(physical);
}

const char *arch_discover_cores(const struct boot_info *boot)
{
    const char *sentence;

    apic_discover();
    mapped_top = boot->top;
    sentence = acpi_read(boot->rsdp, apic_id(), apic_id_max());
    core_count = acpi.cores;
    memcpy(core_apic_id, acpi.apic_id, sizeof(core_apic_id));
    if (!sentence && acpi.cores_cut)
        sentence = "the machine has more cores than Pando uses (255)";
    return sentence;
}

unsigned arch_core_estimate(const struct boot_info *boot)
{
    const uint64_t reach = 4ull << 30; /* of the boot loader's tables */
    mapped_top = boot->top < reach ? boot->top : reach;
    acpi_read(boot->rsdp, apic_id(), UINT32_MAX);
    return acpi.cores;
}

unsigned arch_core_count(void)
{
    return core_count;
}
