"""Bytes on their way from a growing file to a descriptor of ours, in order and unchanged."""

import os

from pandolib.failure import Failure, OutputClosed

READ_BYTES = 65536
WRITE_BYTES = 4096  # PIPE_BUF: what a pipe that poll() calls writable takes without blocking


class Stream:
    """`pending` is what was read and not yet written; nothing more is read while there is any."""

    def __init__(self, path, descriptor):
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self.descriptor = descriptor
        self.pending = b""

    def fill(self):
        """Reads what is new. True when there is something to write."""
        if not self.pending:
            self.pending = self.changed(os.read(self._file, READ_BYTES))
        return bool(self.pending)

    def write(self):
        """Writes a piece of what is pending."""
        try:
            written = os.write(self.descriptor, self.pending[:WRITE_BYTES])
        except BrokenPipeError:
            raise OutputClosed from None
        except BlockingIOError:  # whoever shares it made it non-blocking; poll() waits for it
            return
        except OSError as error:
            name = "standard output" if self.descriptor == 1 else "standard error"
            raise Failure(f"{name} cannot be written: {error.strerror}") from None
        self.pending = self.pending[written:]

    def changed(self, data):
        return data


class PrefixedStream(Stream):
    """A text, whole lines at a time, each with a prefix."""

    def __init__(self, path, descriptor, prefix):
        super().__init__(path, descriptor)
        self._prefix = prefix
        self._begun = b""  # a line whose end has not come yet

    def changed(self, data):
        *lines, self._begun = (self._begun + data).split(b"\n")
        return b"".join(self._prefix + line + b"\n" for line in lines)

    def finish(self):
        """Ends a last line that has no end."""
        if self._begun:
            self.pending += self._prefix + self._begun + b"\n"
            self._begun = b""
