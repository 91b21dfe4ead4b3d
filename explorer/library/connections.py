"""One SQLite connection for each thread that uses a library.

SQLite in WAL mode lets any number of readers work beside one writer. A connection must not be shared between threads
that work at the same time, so every thread gets its own at its first call; all of them close with the library.
"""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from explorer.errors import LibraryError
from explorer.library.failures import known_failures, read_only_error
from explorer.library.schema import check_readable, complete_for_reading, is_current, is_empty, migrate

CATALOGUE_NAME = "library.sqlite"
BUSY_TIMEOUT_S = 10.0


class Connections:
    """The connections of one open library.

    Attributes:
        folder: the library's folder.
        read_only: whether the folder or the catalogue cannot be written to.
    """

    def __init__(self, folder: Path, *, create: bool) -> None:
        self.folder = folder
        self._local = threading.local()
        self._all: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self._closed = False
        _prepare_folder(folder, create=create)
        self.read_only = not _is_writable(folder)
        with known_failures(folder):
            try:
                self._check_schema()
            except BaseException:
                self.close()
                raise

    def get(self) -> sqlite3.Connection:
        """The calling thread's connection, in autocommit mode."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None or self._closed:
            if self._closed:
                raise RuntimeError(f"the library in {self.folder} is closed")
            connection = self._connect()
            with self._lock:
                self._all.append(connection)
            self._local.connection = connection
        return connection

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The calling thread's connection, with known failures as sentences."""
        with known_failures(self.folder):
            yield self.get()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A write transaction: all of it lands, or nothing.

        Raises
        ------
        LibraryReadOnlyError, LibraryBusyError, StorageFullError
            As their names say; the catalogue is as it was before.
        """
        if self.read_only:
            raise read_only_error(self.folder)
        with known_failures(self.folder):
            connection = self.get()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                # SQLite rolls back by itself after some failures, a full disk among them.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Close every thread's connection; may be called twice."""
        with self._lock:
            self._closed = True
            connections, self._all = self._all, []
        for connection in connections:
            connection.close()

    def _connect(self) -> sqlite3.Connection:
        path = self.folder / CATALOGUE_NAME
        if self.read_only:
            connection = _connect_read_only(path)
            check_readable(connection, self.folder)
            complete_for_reading(connection)
            return connection
        connection = sqlite3.connect(
            path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False, cached_statements=64
        )
        connection.execute("PRAGMA foreign_keys = ON")
        # In WAL mode NORMAL survives a killed process; a power cut may lose the last commits, never a half of one.
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection

    def _check_schema(self) -> None:
        connection = self.get()
        check_readable(connection, self.folder)
        if is_current(connection):
            return
        if self.read_only:
            if is_empty(connection):
                raise read_only_error(self.folder)
            return  # an older catalogue; see complete_for_reading
        connection.execute("PRAGMA journal_mode = WAL")
        with self.writing():
            migrate(connection)  # looks at the version again: another program may have come first


def _prepare_folder(folder: Path, *, create: bool) -> None:
    if folder.is_dir():
        if not create and not (folder / CATALOGUE_NAME).exists():
            raise LibraryError(f"There is no library in {folder}.", "Index a folder of photos into it first.")
        return
    if folder.exists():
        raise LibraryError(f"{folder} is a file, not a folder.", "Choose a folder for the library.")
    if not create:
        raise LibraryError(f"There is no library in {folder}: the folder does not exist.", "Check its name.")
    with known_failures(folder):
        folder.mkdir(parents=True, exist_ok=True)


def _is_writable(folder: Path) -> bool:
    path = folder / CATALOGUE_NAME
    if path.exists() and not os.access(path, os.W_OK):
        return False
    writable = os.access(folder, os.W_OK | os.X_OK)
    if not writable and not path.exists():
        raise read_only_error(folder)
    return writable


def _connect_read_only(path: Path) -> sqlite3.Connection:
    """Read a catalogue in a folder that cannot be written to.

    Plain read-only mode sees what a program with write access is committing right now, but needs its shared-memory
    file. Where there is none, nobody is writing, and the file may be read as immutable.
    """
    uri = path.absolute().as_uri()
    for mode in ("mode=ro", "mode=ro&immutable=1"):
        left_over = path.with_name(path.name + "-wal")
        if "immutable" in mode and left_over.exists() and left_over.stat().st_size:
            raise LibraryError(
                f"The library in {path.parent} was not closed properly and cannot be repaired where it is.",
                "Open it once with write access.",
            )
        connection = sqlite3.connect(
            f"{uri}?{mode}", uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("SELECT COUNT(*) FROM sqlite_schema").fetchone()
        except sqlite3.OperationalError:
            connection.close()
            if "immutable" in mode:
                raise
        else:
            return connection
    raise AssertionError("unreachable: the second mode returns or raises")
