"""An ISO image that GRUB boots under BIOS and UEFI: kernel, kernel options and boot archive."""

import os
import shutil
import subprocess
import tempfile

from pandolib.failure import Failure

# What this configuration and GRUB's own first steps need: the standard set is ten times as large.
_PARTITIONS = "acorn amiga apple bsd dfly dvh gpt msdos plan sun sunpc"
_MODULES = " ".join(
    ["normal", "configfile", "iso9660", "fat", "search", "search_fs_file", "multiboot2", "echo"]
    + ["part_" + kind for kind in _PARTITIONS.split()]
)


def _configuration(kernel_options, with_archive):
    """No menu, no graphics: the text console of the firmware is enough, and not needed."""
    quoted = " ".join("'" + option.replace("'", "'\\''") + "'" for option in kernel_options)
    lines = [
        "set timeout=0",
        "terminal_output console",
        "set gfxpayload=text",
        f"multiboot2 /boot/kernel.elf {quoted}",
        "module2 /boot/archive.cpio archive.cpio" if with_archive else "",
        "boot",
    ]
    return "\n".join(lines) + "\n"


def write_iso(path, kernel, archive, kernel_options):
    """Writes the image to path, whole or not at all. archive: its file, or None."""
    for option in kernel_options:
        if "\n" in option:
            raise Failure("a kernel option has a line break in it")
    if not os.path.isdir(os.path.dirname(os.path.abspath(path))):
        raise Failure(f"there is no folder for '{path}'")
    with tempfile.TemporaryDirectory(prefix="pando-image-") as work:
        boot = os.path.join(work, "tree", "boot")
        os.makedirs(os.path.join(boot, "grub"))
        shutil.copyfile(kernel, os.path.join(boot, "kernel.elf"))
        if archive:
            shutil.copyfile(archive, os.path.join(boot, "archive.cpio"))
        with open(os.path.join(boot, "grub", "grub.cfg"), "w", encoding="utf-8") as file:
            file.write(_configuration(kernel_options, archive is not None))
        image = os.path.join(work, "image.iso")
        _make(image, os.path.join(work, "tree"))
        _put(image, path)


def _make(image, tree):
    command = ["grub-mkrescue", "-o", image, "--install-modules=" + _MODULES]
    command += ["--fonts=", "--locales=", "--themes=", tree]
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if done.returncode != 0 or not os.path.isfile(image):
        said = done.stdout.decode(errors="replace").strip()
        raise Failure("grub-mkrescue could not make the image:\n" + said)


def _put(image, path):
    partial = f"{path}.{os.getpid()}"
    try:
        shutil.copyfile(image, partial)
        os.rename(partial, path)
    except OSError as error:
        if os.path.exists(partial):
            os.unlink(partial)
        raise Failure(f"'{path}' cannot be written: {error.strerror}") from None
