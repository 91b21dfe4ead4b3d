"""What is open in an engine: models, one library, its search indexes; shared by all lanes."""

import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from explorer import protocol
from explorer.engine.models import LoadedModels
from explorer.errors import LibraryError, MediaError, QueryError
from explorer.library.catalogue import Library, open_library
from explorer.media.image import THUMBNAIL_EDGE_PX, decode_image
from explorer.media.item import display_path, read_content
from explorer.retrieval import InnerProductIndex


@dataclass(frozen=True, slots=True)
class _Indexed:
    """An index, and until when it may be used while indexing is under way (``time.monotonic``)."""

    index: InnerProductIndex
    good_until: float


class Opened:
    """Models, one open library and its indexes; thread-safe.

    Attributes:
        model_folders: where packages are looked for.
        models: loaded encoders by package name.
        encoding_sentences: held by the one request that encodes the library's sentences.
    """

    def __init__(self, model_folders: Sequence[Path], *, device: str) -> None:
        self.model_folders = tuple(model_folders)
        self.models = LoadedModels(self.model_folders, device=device)
        self.encoding_sentences = threading.Lock()
        self._library: Library | None = None
        self._indexes: dict[str, _Indexed] = {}
        self._n_indexing = 0
        self._lock = threading.Lock()

    @property
    def library(self) -> Library:
        """The open library.

        Raises:
            LibraryError: none is open.
        """
        library = self._library
        if library is None:
            raise LibraryError("No library is open.", "Open a library first.")
        return library

    def open_library(self, path: bytes) -> Library:
        """Open or create a library in place of the one that was open."""
        library = open_library(Path(os.fsdecode(path)))
        with self._lock:
            previous, self._library = self._library, library
            self._indexes.clear()
        if previous is not None:
            previous.close()
        return library

    def close(self) -> None:
        """Close the library; what was committed stays."""
        with self._lock:
            previous, self._library = self._library, None
            self._indexes.clear()
        if previous is not None:
            previous.close()

    def index_of(self, model_id: str, dim: int) -> InnerProductIndex:
        """The search index of a model whose vectors are ``dim`` wide, as the library is now.

        While indexing is under way every batch changes the library: the index then follows it at intervals, so that
        a search never pays for more than a twentieth of the time in rebuilding.
        """
        library = self.library
        with self._lock:
            known = self._indexes.get(model_id)
            now = time.monotonic()
            if known is not None and self._n_indexing and now < known.good_until:
                return known.index
            table = library.vector_table(model_id)
            index = InnerProductIndex(table.item_ids, table.vectors, dim=dim)
            took_s = time.monotonic() - now
            self._indexes[model_id] = _Indexed(index, now + max(2.0, 20 * took_s))
            return index

    @contextmanager
    def indexing_under_way(self) -> Iterator[None]:
        """Tell searches that the library is growing."""
        self._n_indexing += 1
        try:
            yield
        finally:
            self._n_indexing -= 1

    def path_of(self, item_id: int) -> bytes:
        """Where an item's file is.

        Raises:
            LibraryError: the library has no such item.
        """
        path = self.library.path_of(item_id)
        if path is None:
            raise LibraryError(f"The library has no item {item_id}.", "Search again: it was removed or never there.")
        return path

    def query_image(self, query: protocol.Query) -> np.ndarray | None:
        """Pixels of the query's picture, wherever it comes from.

        Raises:
            QueryError: it cannot be read as a picture.
        """
        path = query.image_path
        if query.image_item_id is not None:
            path = self.path_of(query.image_item_id)
        if path is None and query.image_bytes is None:
            return None
        try:
            content = query.image_bytes if path is None else read_content(path)
            pixels: np.ndarray = decode_image(content or b"", min_edge_px=THUMBNAIL_EDGE_PX).pixels
        except MediaError as error:
            name = "The picture" if path is None else display_path(path)
            raise QueryError(f"{name} cannot be searched with. {error.message}", error.remedy) from error
        return pixels


def ms_since(started: float) -> float:
    """Milliseconds since a reading of ``time.monotonic``."""
    return 1e3 * (time.monotonic() - started)
