"""The boot archive: a newc cpio file with bin/, boot/args and the files that the user named.

The same contents give the same bytes: entries are sorted by name, times and owners are 0."""

import os
import shutil
import stat

from pandolib import place
from pandolib.failure import Failure

ARCHIVE_MAX_BYTES = 1 << 30
ARGS = b"boot/args"
TRAILER = b"TRAILER!!!"

_FOLDER_MODE = stat.S_IFDIR | 0o755
_PROGRAM_MODE = stat.S_IFREG | 0o755
_FILE_MODE = stat.S_IFREG | 0o644


def check_guest_name(name):
    """Refuses names that lead out of the archive, or are no name of one file in it."""
    shown = os.fsdecode(name)
    if not name:
        raise Failure("the name of a file in the guest is empty")
    if name.startswith(b"/"):
        raise Failure(f"the guest name '{shown}' is absolute; names are relative to the archive")
    parts = name.split(b"/")
    if b".." in parts:
        raise Failure(f"the guest name '{shown}' contains '..'")
    if b"" in parts or b"." in parts or name == TRAILER:
        raise Failure(f"'{shown}' cannot be the name of a file in the guest")


class Archive:
    """Names and contents of the archive to be; nothing is read before write()."""

    def __init__(self):
        self._entries = {}  # name -> (mode, host path or None, contents or None)

    def add_bytes(self, name, contents):
        self._add(name, _FILE_MODE, None, contents)

    def add_file(self, name, host, program=False):
        check_guest_name(name)
        shown = os.fsdecode(host)
        if not os.path.exists(host):
            raise Failure(f"there is no file '{shown}'")
        if os.path.isdir(host):
            raise Failure(f"'{shown}' is a folder; --file takes one file")
        self._add(name, _PROGRAM_MODE if program else _FILE_MODE, host, None)

    def add_programs(self, folder):
        """All executable files of the folder, as bin/NAME."""
        if not os.path.isdir(folder):
            return
        for entry in sorted(os.scandir(os.fsencode(folder)), key=lambda found: found.name):
            if entry.is_file() and os.access(entry.path, os.X_OK):
                self.add_file(b"bin/" + entry.name, entry.path, program=True)

    def programs(self):
        """The names of the programs, sorted."""
        return sorted(
            name[4:]
            for name, entry in self._entries.items()
            if name.startswith(b"bin/") and entry[0] != _FOLDER_MODE
        )

    def write(self, path):
        """Writes the archive to a new file, which stays when this fails."""
        with open(path, "wb") as out:
            inode = 0
            for inode, (name, entry) in enumerate(sorted(self._entries.items()), 1):
                _write_entry(out, inode, name, *entry)
            _write_header(out, inode + 1, 0, TRAILER, 0)

    def _add(self, name, mode, host, contents):
        if name in self._entries:
            raise Failure(f"the guest would have two files of the name '{os.fsdecode(name)}'")
        folder = os.path.dirname(name)
        while folder:
            known = self._entries.setdefault(folder, (_FOLDER_MODE, None, b""))
            if known[0] != _FOLDER_MODE:
                raise Failure(f"'{os.fsdecode(folder)}' would be a file and a folder in the guest")
            folder = os.path.dirname(folder)
        self._entries[name] = (mode, host, contents)


def _write_entry(out, inode, name, mode, host, contents):
    if host is None:
        _write_contents(out, inode, mode, name, contents)
        return
    try:
        with open(host, "rb") as source:
            status = os.fstat(source.fileno())
            if stat.S_ISREG(status.st_mode):
                _copy_file(out, inode, mode, name, source, status.st_size)
            else:  # a pipe or a device: its length is known only at its end
                contents = source.read(ARCHIVE_MAX_BYTES + 1)
                _write_contents(out, inode, mode, name, contents)
    except OSError as error:
        raise Failure(
            f"'{os.fsdecode(host)}' cannot be put into the archive: {error.strerror}"
        ) from None


def _write_contents(out, inode, mode, name, contents):
    _check_size(out, len(contents), name)
    _write_header(out, inode, mode, name, len(contents))
    out.write(contents)
    _pad(out)


def _copy_file(out, inode, mode, name, source, size):
    _check_size(out, size, name)
    _write_header(out, inode, mode, name, size)
    start = out.tell()
    shutil.copyfileobj(source, out, 1 << 20)
    if out.tell() != start + size:
        raise Failure(f"'{os.fsdecode(source.name)}' changed while it was read")
    _pad(out)


def _check_size(out, size, name):
    if out.tell() + size > ARCHIVE_MAX_BYTES:
        raise Failure(f"with '{os.fsdecode(name)}' the boot archive would be larger than 1 GiB")


def _write_header(out, inode, mode, name, size):
    links = 2 if stat.S_ISDIR(mode) else 1
    fields = (inode, mode, 0, 0, links, 0, size, 0, 0, 0, 0, len(name) + 1, 0)
    out.write(b"070701" + b"".join(b"%08x" % field for field in fields) + name + b"\0")
    _pad(out)


def _pad(out):
    out.write(bytes(-out.tell() % 4))


def write_archive(options, path):
    """Writes the archive that the options ask for. Refuses a PROGRAM that would not be in it."""
    archive = Archive()
    archive.add_programs(place.PROGRAMS)
    for program in options.programs:
        host = os.fsencode(program)
        archive.add_file(b"bin/" + os.path.basename(host), host, program=True)
    for host, guest in options.files:
        archive.add_file(guest, host)
    archive.add_bytes(ARGS, b"".join(argument + b"\0" for argument in options.argv))
    programs = archive.programs()
    if options.argv[0] not in programs:
        shown = ", ".join(os.fsdecode(name) for name in programs)
        raise Failure(
            f"there is no program '{os.fsdecode(options.argv[0])}'; there are: {shown or 'none'}"
        )
    archive.write(path)
