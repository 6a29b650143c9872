"""A running QEMU and its monitor."""

import json
import os
import select
import signal
import socket
import subprocess
import time

MONITOR_PATIENCE_S = 10


class Monitor:
    """QEMU's machine protocol (QMP) over a socket that both ends were born with."""

    def __init__(self, connection):
        self._socket = connection
        self._bytes = b""
        self._greeted = False

    def greeted(self):
        """True once QEMU has said something here: its machine had been made."""
        ready, _, _ = select.select([self._socket], [], [], 0)
        return (
            self._greeted
            or bool(self._bytes)
            or bool(ready and self._socket.recv(1, socket.MSG_PEEK))
        )

    def ask(self, command, **arguments):
        """The answer to a command. OSError: QEMU is gone, does not answer or refuses."""
        if not self._greeted:
            self._line()
            self._greeted = True
            self._execute("qmp_capabilities", {})
        return self._execute(command, arguments)

    def _execute(self, command, arguments):
        self._socket.settimeout(MONITOR_PATIENCE_S)
        self._socket.sendall(json.dumps({"execute": command, "arguments": arguments}).encode())
        while True:
            answer = self._line()
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise OSError(answer["error"].get("desc", command))

    def _line(self):
        self._socket.settimeout(MONITOR_PATIENCE_S)
        while b"\n" not in self._bytes:
            data = self._socket.recv(65536)
            if not data:
                raise OSError("QEMU is gone")
            self._bytes += data
        line, self._bytes = self._bytes.split(b"\n", 1)
        return json.loads(line)


class Emulator:
    """QEMU as a child. As a context manager it is killed on leaving; it also dies with us, however
    we end. Owns: the process, its descriptor and the monitor's socket."""

    def __init__(self, qemu, command, folder):
        ours, theirs = socket.socketpair()
        number = theirs.fileno()
        command = command + [
            "-chardev",
            f"socket,id=qmp,fd={number}",
            "-mon",
            "chardev=qmp,mode=control",
        ]
        with open(folder.file("qemu.log"), "wb") as log:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL"] + command,
                cwd=folder.path,
                env=qemu.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[number],
                start_new_session=True,  # a Ctrl-C is for us to handle
            )
        theirs.close()
        self.monitor = Monitor(ours)
        self.started = time.monotonic()
        self.descriptor = os.pidfd_open(self._process.pid)  # readable once QEMU has ended

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        os.close(self.descriptor)

    def status(self):
        """None while QEMU runs, then its exit status, negative for a signal."""
        return self._process.poll()

    def age_s(self):
        return time.monotonic() - self.started

    def kill(self):
        if self.status() is None:
            self._process.send_signal(signal.SIGKILL)
        self._process.wait()
