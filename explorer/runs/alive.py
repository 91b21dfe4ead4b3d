"""Whether a run is being trained: its trainer holds a lock that the system frees however the process ends.

A tester has to take that lock for an instant itself. A trainer therefore tries for some seconds, so that being looked
at never keeps it from starting, and a living run never looks dead: a tester that does not get the lock says "alive".
"""

import errno
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from explorer.errors import ConfigError
from explorer.runs.failures import written
from explorer.runs.layout import RunFolder

_PATIENCE_S = 5.0
_ASK_AGAIN_S = 0.02

_one_tester = threading.Lock()


@contextmanager
def hold(run: RunFolder) -> Iterator[None]:
    """Hold the run as its trainer, queued or at work.

    Raises
    ------
    ConfigError
        another process trains it, or its folder cannot be written to.
    """
    lock = FileLock(run.alive_path, thread_local=False)
    with written(run.alive_path):
        run.alive_path.touch()  # the lock would make the folder anew where it is gone
        try:
            lock.acquire(timeout=_PATIENCE_S)
        except Timeout:  # an OSError, too, but not one of the disk's
            raise ConfigError(
                f"The run {run.name} is being trained already.", "Stop it there first, or wait until it is over."
            ) from None
    try:
        yield
    finally:
        lock.release()


def is_alive(run: RunFolder) -> bool:
    """Whether a process trains the run, or waits for its turn to.

    True where that cannot be told, so that nothing is deleted or begun twice.
    """
    if not (run.alive_path).exists():
        return False
    with _one_tester:  # two threads that look at the same time would see each other
        if _free(run):
            return False
        time.sleep(_ASK_AGAIN_S)  # it may have been another process that looked
        return not _free(run)


def _free(run: RunFolder) -> bool:
    lock = FileLock(run.alive_path, thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    except OSError as error:
        # Nobody trains in a folder that is gone, or on a disk that cannot be written to.
        return error.errno in (errno.ENOENT, errno.ENOTDIR, errno.EROFS)
    lock.release()
    return True
