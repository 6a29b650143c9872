"""`pando image`: writes a bootable ISO image. See tools/help/image.txt."""

import os
import sys
import tempfile

from pandolib import iso, machine, options, place
from pandolib.archive import write_archive
from pandolib.failure import Failure, command_main


def image(arguments):
    chosen = options.parse("image", arguments)
    if chosen.build:
        place.build(chosen.probe)
    if not os.path.isfile(chosen.kernel_file()):
        raise Failure(f"there is no kernel '{chosen.kernel_file()}'")
    with tempfile.TemporaryDirectory(prefix="pando-archive-") as work:
        archive = os.path.join(work, "archive.cpio")
        write_archive(chosen, archive)
        kernel_options = machine.KERNEL_OPTIONS + chosen.kernel_options
        iso.write_iso(chosen.output, chosen.kernel_file(), archive, kernel_options)
    return 0


command_main(image, sys.argv[1:])
