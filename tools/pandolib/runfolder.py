"""A run's folder: build/runs/N with the kernel's log, the program's output and all else about it.

build/last leads to the one that was started last. The newest are kept; one that is in use holds a
lock on its file `lock` and is never removed."""

import fcntl
import os
import shutil

from pandolib import place
from pandolib.failure import Failure

KEPT = 8
RUNS = os.path.join(place.BUILD, "runs")
LAST = os.path.join(place.BUILD, "last")


def _lock(path, flags=0):
    """Opens and locks the file; the lock lasts until the descriptor is closed or we end."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | flags)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _numbers():
    return sorted(int(name) for name in os.listdir(RUNS) if name.isdigit())


def _remove_old():
    for number in _numbers()[:-KEPT]:
        folder = os.path.join(RUNS, str(number))
        lock = _lock(os.path.join(folder, "lock"), fcntl.LOCK_NB)
        if lock is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)


def _point_last_at(number):
    temporary = os.path.join(RUNS, "last")
    if os.path.lexists(temporary):
        os.unlink(temporary)
    os.symlink(os.path.join("runs", str(number)), temporary)
    os.rename(temporary, LAST)


class RunFolder:
    """The folder of this run, locked while the object lives."""

    def __init__(self, chosen=None):
        """chosen: a folder to use in place of a numbered one; build/last is then left as it is."""
        try:
            if chosen:
                self.path = os.path.abspath(chosen)
                os.makedirs(self.path, exist_ok=True)
                self._take()
            else:
                self._make()
        except OSError as error:
            raise Failure(f"no folder for the run: {error}") from None

    def file(self, name):
        return os.path.join(self.path, name)

    def _make(self):
        """Numbering, locking and removing happen under one lock, so that no folder is removed
        between being made and being locked."""
        os.makedirs(RUNS, exist_ok=True)
        runs = _lock(os.path.join(RUNS, ".lock"))
        try:
            number = max(_numbers(), default=0) + 1
            self.path = os.path.join(RUNS, str(number))
            os.mkdir(self.path)
            self._take()
            _point_last_at(number)
            _remove_old()
        finally:
            os.close(runs)

    def _take(self):
        self._descriptor = _lock(self.file("lock"), fcntl.LOCK_NB)
        if self._descriptor is None:
            raise Failure(f"another run uses the folder '{self.path}'")
