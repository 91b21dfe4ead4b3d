"""Who may index: one program at a time, and nobody once that program is gone, however it went.

The lock belongs to the operating system (``flock`` on ``library.lock``): it disappears with the process that holds it,
``kill -9`` included. It is advisory and concerns indexing only; readers and short changes never wait for it.
"""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from explorer.errors import LibraryBusyError
from explorer.library.failures import known_failures

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

LOCK_NAME = "library.lock"


class IndexingLock:
    """Held by at most one thread of one process; that thread may take it again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._within_process = threading.RLock()
        self._depth = 0
        self._descriptor = -1

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock.

        Raises
        ------
        LibraryBusyError
            Another program, or another thread of this one, is indexing.
        """
        if not self._within_process.acquire(blocking=False):
            raise _busy(self._folder, os.getpid())
        try:
            if self._depth == 0:
                self._take()
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
                if self._depth == 0:
                    os.close(self._descriptor)  # releases the lock
        finally:
            self._within_process.release()

    def _take(self) -> None:
        with known_failures(self._folder):
            descriptor = os.open(self._folder / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o666)
        if not _try_lock(descriptor):
            holder = os.pread(descriptor, 32, 0) if hasattr(os, "pread") else b""
            os.close(descriptor)
            raise _busy(self._folder, int(holder) if holder.strip().isdigit() else None)
        self._descriptor = descriptor
        if hasattr(os, "pwrite"):
            try:
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, str(os.getpid()).encode(), 0)
            except OSError:
                return  # a courtesy to whoever finds the lock taken; on a full disk it stays unsaid


def _busy(folder: Path, process_id: int | None) -> LibraryBusyError:
    holder = f" (process {process_id})" if process_id is not None else ""
    return LibraryBusyError(
        f"Another program{holder} is indexing into the library in {folder}.", "Wait until it is done, or stop it."
    )


def _try_lock(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True
