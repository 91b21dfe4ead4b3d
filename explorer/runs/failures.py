"""What the disk does to a run's folder, as sentences."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from explorer.errors import ConfigError, StorageFullError

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def written(path: Path) -> Iterator[None]:
    """Turn an OSError while ``path`` is written into an error that a person can do something about.

    Raises
    ------
    StorageFullError
        the disk is full.
    ConfigError
        it cannot be written there.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFullError(
                f"The disk is full; {path} could not be written.",
                "Free some space, then go on with the run; what its last checkpoint holds is kept.",
            ) from error
        reason = error.strerror or str(error)
        raise ConfigError(
            f"{path} cannot be written ({reason}).", "Check that the folder is there and may be written to."
        ) from error
