"""The library: one folder with the SQLite catalogue of a person's media, and what can be asked of it and done to it."""

import os
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from explorer.cancellation import CancellationToken
from explorer.errors import StaleIndexError
from explorer.library import arrays, queries
from explorer.library.connections import CATALOGUE_NAME, Connections
from explorer.library.failures import known_failures
from explorer.library.indexing import check_weights, forget_readings, write_items
from explorer.library.lock import IndexingLock
from explorer.library.rows import (
    Counts,
    FailedItem,
    IndexedItem,
    IndexedVideo,
    ItemRow,
    PendingItem,
    Problems,
    ScanProgress,
    ScanSummary,
    Source,
    VectorTable,
)
from explorer.library.scanning import Scan
from explorer.library.sentences import Sentences
from explorer.library.sources import check_source, remove_source
from explorer.library.vectors import VectorKind


def open_library(folder: Path, *, create: bool = True) -> "Library":
    """Open the library in a folder, making both if need be.

    A library whose folder or file cannot be written to is opened read-only: everything can be searched, and every
    change raises LibraryReadOnlyError.

    Raises
    ------
    LibraryError
        The folder is a file, is missing and not to be created, or holds something else under the library's name.
    LibraryTooNewError
        A newer version of the program wrote it.
    LibraryReadOnlyError, StorageFullError
        There is no library yet, and none can be made.
    """
    return Library(folder, create=create)


class Library:
    """An open library; made by :func:`open_library`, closed by ``with`` or :meth:`close`.

    Every method may be called from any thread, from several at once: each thread has its own connection, which lives
    as long as the library (use a few lasting threads, not one a request). A reader sees the last committed state and
    never waits for a writer. Changes are transactions: all or nothing.

    Every method may raise LibraryError and its subclasses as the disk gives cause.

    Attributes:
        folder: the library's folder.
        sentences: what data sets say about the items.
    """

    def __init__(self, folder: Path, *, create: bool = True) -> None:
        self.folder = folder.absolute()
        self._connections = Connections(self.folder, create=create)
        self._indexing_lock = IndexingLock(self.folder)
        self._arrays_lock = threading.Lock()
        self.sentences = Sentences(self._connections)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections; call it when no other thread is inside a method. May be called twice."""
        self._connections.close()

    @property
    def read_only(self) -> bool:
        """Whether the library can only be read."""
        return self._connections.read_only

    # --- sources and scanning -----------------------------------------------------------------------------------

    def add_source(self, folder: Path) -> Source:
        """Make a folder part of the library; nothing is scanned yet. A folder that is one already is returned as it is.

        Links in the folder's path are resolved, so that one folder is one source however it is spelled.

        Raises
        ------
        SourceError
            The folder is missing, is no folder, cannot be read, or is the library's own folder or inside it.
        """
        path = os.fsencode(os.path.realpath(folder))
        check_source(path, os.fsencode(os.path.realpath(self.folder)))
        with self._connections.writing() as connection:
            connection.execute("INSERT OR IGNORE INTO sources (path) VALUES (?)", (path,))
        return next(source for source in self.sources() if source.path == path)

    def remove_source(self, source_id: int) -> None:
        """Forget a folder and its items, except those that another source holds too. Never touches the files."""
        with self._connections.writing() as connection:
            remove_source(connection, source_id)

    def sources(self) -> list[Source]:
        """The library's folders, by path."""
        with self._connections.reading() as connection:
            return queries.sources(connection)

    def indexing(self) -> AbstractContextManager[None]:
        """Hold the right to index; :meth:`scan` and :meth:`commit_items` take it by themselves if nobody does.

        Raises
        ------
        LibraryBusyError
            Another program, or another thread of this one, is indexing into the library.
        """
        return self._indexing_lock.held()

    def scan(
        self, *, token: CancellationToken, source_ids: Sequence[int] | None = None
    ) -> Iterator[ScanProgress | ScanSummary]:
        """Compare the sources (all, if none are named) with the disk; the last thing yielded is the ScanSummary.

        Raises Cancelled when the token says so; what was written until then stays.
        """
        self._check_writable()
        with self.indexing():
            yield from Scan(self._connections, token, source_ids).run()

    # --- indexing -----------------------------------------------------------------------------------------------

    def pending(self, model_id: str, kinds: Collection[str] | None = None) -> list[PendingItem]:
        """Items that are there, were not found unreadable, and have no vector of this model; in scan order.

        ``kinds``: "image", "video"; None: both.
        """
        with self._connections.reading() as connection:
            return queries.pending(connection, model_id, kinds)

    def commit_items(
        self,
        model_id: str,
        weights_hash: str,
        *,
        indexed: Sequence[IndexedItem | IndexedVideo] = (),
        failed: Sequence[FailedItem] = (),
    ) -> None:
        """Write one batch in one transaction; items that were removed meanwhile are passed over.

        Raises
        ------
        StaleIndexError
            The library holds vectors of this model id made with other weights, or of another kind or width.
        """
        self._check_writable()
        with self.indexing(), self._connections.writing() as connection:
            write_items(connection, model_id=model_id, weights_hash=weights_hash, indexed=indexed, failed=failed)

    def retry_failed(self) -> int:
        """Make every unreadable item pending again, as after installing a part that reads its format; how many."""
        with self._connections.writing() as connection:
            rows = connection.execute("SELECT id FROM items WHERE status = 'failed'").fetchall()
            forget_readings(connection, [item_id for (item_id,) in rows])
        return len(rows)

    def drop_model(self, model_id: str) -> None:
        """Forget a model's vectors; items and thumbnails stay."""
        with self._connections.writing() as connection:
            connection.execute("DELETE FROM models WHERE model_id = ?", (model_id,))
        with self._arrays_lock, known_failures(self.folder):
            arrays.remove_arrays(self.folder, arrays.Rows.ITEMS, model_id)
        self.sentences.drop_model(model_id)

    # --- reading ------------------------------------------------------------------------------------------------

    def vector_table(self, model_id: str, weights_hash: str | None = None) -> VectorTable:
        """All vectors of a model, of items that are not missing, by segment id; (0, 0) if there are none at all.

        The arrays on the disk are used where they are up to date and rebuilt where not; a library that cannot be
        written to (or whose disk is full) has them built in memory.

        Raises
        ------
        StaleIndexError
            The vectors were made with other weights than ``weights_hash``, or there are only vectors of another
            version of the model (``name@...``).
        """
        with self._arrays_lock, self._connections.reading() as connection:
            connection.execute("BEGIN")  # one snapshot for the counter and the vectors it speaks of
            try:
                found = self._arrays_state(model_id)
                if found is None:
                    self._check_no_other_version(model_id)
                    return VectorTable.empty()
                model, state = found
                if weights_hash is not None:
                    check_weights(self.folder, model_id, stored=state.weights_hash, offered=weights_hash)
                return arrays.current_arrays(self.folder, connection, model, state, writable=not self.read_only)
            finally:
                connection.execute("COMMIT")

    def item_ids(self, limit: int | None = None) -> np.ndarray:
        """Ids of all items that are not missing, by folder and name; int64 (n,)."""
        with self._connections.reading() as connection:
            return queries.item_ids(connection, limit)

    def describe(self, item_ids: Sequence[int]) -> list[ItemRow]:
        """Photos, videos or shots by their segment ids, in the order asked; unknown ids are left out."""
        with self._connections.reading() as connection:
            return queries.describe(connection, item_ids)

    def thumbnails(self, item_ids: Sequence[int]) -> dict[int, bytes]:
        """JPEG by segment id; segments without one are left out."""
        with self._connections.reading() as connection:
            return queries.thumbnails(connection, item_ids)

    def path_of(self, item_id: int) -> bytes | None:
        """Where the file of an item, or of a segment, is (or was, if it is missing); ``None`` for an unknown id."""
        rows = self.describe([item_id])
        return rows[0].path if rows else None

    def shots(self, item_id: int) -> tuple[tuple[float, float], ...]:
        """Start and end of a video's shots in seconds, in order; none of a video that was not read."""
        with self._connections.reading() as connection:
            return queries.shots(connection, item_id)

    def problems(self, limit: int = 10_000) -> Problems:
        """Files and folders that could not be read, by path."""
        with self._connections.reading() as connection:
            return queries.problems(connection, limit)

    def counts(self) -> Counts:
        """How much the library holds."""
        with self._connections.reading() as connection:
            return queries.counts(connection)

    def search_text(self, words: str, limit: int = 10_000) -> np.ndarray:
        """Ids of items whose name or captions hold every word or its beginning, best first; int64 (n,)."""
        with self._connections.reading() as connection:
            return queries.search_text(connection, words, limit)

    # --- inside -------------------------------------------------------------------------------------------------

    def _check_writable(self) -> None:
        if self.read_only:
            with self._connections.writing():
                pass

    def _arrays_state(self, model_id: str) -> tuple[int, arrays.ArraysState] | None:
        connection = self._connections.get()
        row = connection.execute(
            "SELECT id, weights_hash, dim, change_counter, kind FROM models WHERE model_id = ?", (model_id,)
        ).fetchone()
        if row is None:
            return None
        (identity,) = connection.execute("SELECT value FROM facts WHERE name = 'identity'").fetchone()
        model, weights_hash, dim, change_counter, kind = row
        state = arrays.ArraysState(
            identity, model_id, weights_hash, dim, change_counter, kind=VectorKind(kind)
        )
        return model, state

    def _check_no_other_version(self, model_id: str) -> None:
        name = model_id.partition("@")[0]
        for (other,) in self._connections.get().execute("SELECT model_id FROM models ORDER BY id"):
            if other != model_id and other.partition("@")[0] == name:
                raise StaleIndexError(
                    f"The library in {self.folder} was indexed with {other}, but {model_id} is loaded.",
                    "Index again with this model, or open the other one.",
                )


__all__ = ["CATALOGUE_NAME", "Library", "open_library"]
