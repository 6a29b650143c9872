"""What ends a command early: an exit status and a sentence, or a signal."""

import os
import signal
import sys

STATUS_PANIC = 70
STATUS_TIMEOUT = 124
STATUS_USAGE = 125  # wrong usage, or the environment lacks something


class Failure(Exception):
    """Ends the command: the sentence goes to standard error, the status is the exit status."""

    def __init__(self, sentence, status=STATUS_USAGE):
        super().__init__(sentence)
        self.sentence = sentence
        self.status = status


class Signalled(Exception):
    """A signal asked the command to end."""

    def __init__(self, number):
        super().__init__(number)
        self.status = 128 + number


class OutputClosed(Exception):
    """Nobody reads our standard output or standard error any more."""

    status = 128 + signal.SIGPIPE


def say(text):
    """Writes a line, or bytes as they are, to standard error."""
    data = text if isinstance(text, bytes) else f"pando: {text}\n".encode(errors="surrogateescape")
    try:
        sys.stderr.flush()
        sys.stderr.buffer.write(data)
        sys.stderr.buffer.flush()
    except OSError:
        pass


def _raise_signalled(number, _frame):
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.SIG_IGN)
    raise Signalled(number)


def _open_standard_descriptors():
    """A file opened later must not become standard output because that was closed."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)


def command_main(command, arguments):
    """Runs command(arguments), which returns an exit status, and exits with it. A signal reaches
    the command as an exception, once; while it cleans up, further ones are ignored."""
    _open_standard_descriptors()
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(ending) != signal.SIG_IGN:
            signal.signal(ending, _raise_signalled)
    try:
        status = command(arguments)
    except Failure as failure:
        say(failure.sentence)
        status = failure.status
    except (Signalled, OutputClosed) as ending:
        status = ending.status
    sys.exit(status)
