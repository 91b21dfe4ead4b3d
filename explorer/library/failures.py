"""Which failures of SQLite and of the disk a person can do something about, and which are bugs.

One function decides, from the driver's codes and never from its prose where a code exists. What it does not know is
a bug and passes through unchanged.
"""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from explorer.errors import LibraryBusyError, LibraryError, LibraryReadOnlyError, StorageFullError

_FULL_ERRNOS = frozenset({errno.ENOSPC, errno.EFBIG, errno.EDQUOT})
_READ_ONLY_ERRNOS = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
# A write that the operating system refuses (a file size limit, a quota) arrives as an I/O error, not as "full".
_FULL_CODES = frozenset(
    {
        sqlite3.SQLITE_IOERR_WRITE,
        sqlite3.SQLITE_IOERR_TRUNCATE,
        sqlite3.SQLITE_IOERR_SHMSIZE,
        sqlite3.SQLITE_IOERR_SHMMAP,
        sqlite3.SQLITE_IOERR_FSYNC,
    }
)


def classify(error: sqlite3.Error | OSError, folder: Path) -> LibraryError | None:
    """The error to show for a failure while working in a library's folder; ``None`` if it is a bug."""
    if isinstance(error, OSError):
        return _classify_errno(error.errno, folder)
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return None
    primary = code & 0xFF
    if primary == sqlite3.SQLITE_FULL or code in _FULL_CODES:
        return _full(folder)
    if primary == sqlite3.SQLITE_READONLY:
        return _read_only(folder)
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return LibraryBusyError(
            f"Another program is writing to the library in {folder}.", "Wait until it is done, then try again."
        )
    if primary in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return LibraryError(
            f"The library in {folder} is damaged, or is not a library.",
            "Choose another folder, or move library.sqlite away and index again; your photos are not touched.",
        )
    if primary in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH):
        return LibraryError(f"The library in {folder} cannot be read ({error}).", "Check the folder and its disk.")
    return None


def _classify_errno(number: int | None, folder: Path) -> LibraryError | None:
    if number in _FULL_ERRNOS:
        return _full(folder)
    if number in _READ_ONLY_ERRNOS:
        return _read_only(folder)
    if number in (errno.EIO, errno.ENOENT, errno.ENOTDIR, errno.ESTALE, errno.ENODEV):
        return LibraryError(f"The library in {folder} cannot be reached.", "Check the folder and its disk.")
    return None


def _full(folder: Path) -> StorageFullError:
    return StorageFullError(
        f"The disk that holds the library in {folder} is full.",
        "Free some space and index again; what was finished is kept.",
    )


def _read_only(folder: Path) -> LibraryReadOnlyError:
    return LibraryReadOnlyError(
        f"The library in {folder} cannot be written to.",
        "Searching works; to change it, make the folder writable or choose another one.",
    )


def read_only_error(folder: Path) -> LibraryReadOnlyError:
    """The error for a change that is asked of a library opened read-only."""
    return _read_only(folder)


@contextmanager
def known_failures(folder: Path) -> Iterator[None]:
    """Turn what :func:`classify` knows into its error; let everything else pass."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        known = classify(error, folder)
        if known is None:
            raise
        raise known from error
