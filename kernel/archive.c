#include "kernel/archive.h"
#include "abi/layout.h"
#include "arch/arch.h"
#include "lib/cpio.h"
#include "lib/string.h"

static const char *archive;
static size_t bytes;

const char *archive_open(const struct boot_info *boot)
{
    if (!boot->archive_bytes)
        return "no boot archive was given, so there is no program to run";
    char *start = arch_direct(boot->archive_base);
    if (boot->archive_base % PAGE_BYTES)
        return "the boot archive does not begin on a page boundary";
    if (cpio_check(start, boot->archive_bytes) < 0)
        return "the boot archive is damaged: it is not a whole cpio archive of the newc format";
    archive = start;
    bytes = boot->archive_bytes;
    /* processes see whole pages: nothing of what was there before */
    memset(start + bytes, 0, -bytes % PAGE_BYTES);
    return NULL;
}

int archive_file(const char *name, const char **data, size_t *length)
{
    struct cpio_entry entry;
    int error = cpio_find(archive, bytes, name, &entry);
    if (!error) {
        *data = (const char *)entry.data;
        *length = entry.bytes;
    }
    return error;
}

size_t archive_bytes(void)
{
    return bytes;
}

frame_t archive_frame(uint64_t offset)
{
    return frame_of_pointer(archive + (offset & ~(uint64_t)(PAGE_BYTES - 1)));
}
