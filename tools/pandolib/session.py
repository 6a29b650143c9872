"""A run, from the start of QEMU to the exit status of the command."""

import select

from pandolib import control, cores, machine
from pandolib.emulator import Emulator
from pandolib.failure import STATUS_PANIC, STATUS_TIMEOUT, STATUS_USAGE, Failure, say
from pandolib.stream import PrefixedStream, Stream

POLL_S = 0.01  # how often the files that QEMU writes are looked at
GRACE_S = 2  # how long QEMU may go on after the kernel's last word
LOG_LINES = 20


class Session:
    """Forwards what the program writes while QEMU runs, then says how it ended."""

    def __init__(self, options, folder, emulator):
        self._options = options
        self._folder = folder
        self._emulator = emulator
        self._streams = [
            Stream(folder.file(machine.STDOUT), 1),
            Stream(folder.file(machine.STDERR), 2),
        ]
        self._log = None
        if options.verbose:
            self._log = PrefixedStream(folder.file(machine.KERNEL_LOG), 2, b"[kernel] ")
            self._streams.append(self._log)
        self._last_word_age_s = None

    def follow(self, others=()):
        """Forwards until QEMU has ended, one of the processes `others` has, or the time-out has
        passed; then ends QEMU. False after a time-out, when it has said what the cores were doing.
        """
        while self._emulator.status() is None:
            self._forward(POLL_S)
            if any(other.poll() is not None for other in others) or self._lingers():
                break
            if self._options.timeout_s and self._emulator.age_s() >= self._options.timeout_s:
                self._time_out()
                return False
        self._emulator.kill()
        self._drain()
        return True

    def status(self):
        """The exit status that the kernel's last word asks for, with its sentence said."""
        word = control.last_word(self._folder.file(machine.CONTROL))
        if word is None:
            return self._ended_silently()
        if word.kind == control.EXIT:
            return word.argument
        if word.kind == control.STOP:
            say(word.argument)
            return STATUS_USAGE
        say(f"the kernel of core {word.argument} panicked")
        say(self._panic_report())
        return STATUS_PANIC

    def _forward(self, wait_s):
        """Writes what can be written now; waits so long when there is nothing."""
        ready = select.poll()
        ready.register(self._emulator.descriptor, select.POLLIN)
        waiting = [stream for stream in self._streams if stream.fill()]
        for descriptor in {stream.descriptor for stream in waiting}:
            ready.register(descriptor, select.POLLOUT)
        able = {descriptor for descriptor, _ in ready.poll(wait_s * 1000)}
        for stream in waiting:
            if stream.descriptor in able:
                stream.write()

    def _drain(self):
        """Writes all that is left, however long the readers take."""
        for stream in self._streams:
            while stream.fill():
                self._wait_writable(stream)
            if stream is self._log:
                stream.finish()
                while stream.pending:
                    self._wait_writable(stream)

    @staticmethod
    def _wait_writable(stream):
        ready = select.poll()
        ready.register(stream.descriptor, select.POLLOUT)
        ready.poll()
        stream.write()

    def _lingers(self):
        """True when the kernel said its last word a while ago and QEMU still runs."""
        if self._last_word_age_s is None:
            if control.last_word(self._folder.file(machine.CONTROL)):
                self._last_word_age_s = self._emulator.age_s()
            return False
        return self._emulator.age_s() - self._last_word_age_s > GRACE_S

    def _time_out(self):
        lines = cores.report(self._emulator.monitor, self._options.kernel_file())
        self._emulator.kill()
        self._drain()
        say(f"time-out after {self._options.timeout_s:g} s; what each core was doing:")
        say("".join(f"  {line}\n" for line in lines).encode())

    def _panic_report(self):
        lines = self._log_lines()
        for index, line in enumerate(lines):
            if b"panic:" in line:
                return b"".join(lines[index:])
        return b"".join(lines[-LOG_LINES:])

    def _ended_silently(self):
        """QEMU ended with no word of the kernel: it never started, or the machine shut down."""
        with open(self._folder.file("qemu.log"), "rb") as log:
            said = log.read().decode(errors="replace").strip()
        lines = self._log_lines()
        status = self._emulator.status()
        if status and not lines and not self._emulator.monitor.greeted():
            raise Failure(
                f"QEMU could not start (status {status}): {said or 'it does not say why'}"
            )
        say("the machine stopped without a word from the kernel; the end of its log:")
        if said:
            say(f"QEMU says: {said}")
        say(b"".join(lines[-LOG_LINES:]))
        return STATUS_PANIC

    def _log_lines(self):
        """The kernel's log, each line with its end."""
        with open(self._folder.file(machine.KERNEL_LOG), "rb") as log:
            text = log.read()
        if text and not text.endswith(b"\n"):
            text += b"\n"
        return text.splitlines(keepends=True)


def run(options, folder, qemu, command):
    """Runs the machine and returns the exit status of the command."""
    with Emulator(qemu, command, folder) as emulator:
        session = Session(options, folder, emulator)
        return session.status() if session.follow() else STATUS_TIMEOUT
