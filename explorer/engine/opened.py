"""What is open in an engine: models, one library, its search indexes; shared by all lanes."""

import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from explorer import pipeline, protocol
from explorer.engine.models import LoadedModels
from explorer.errors import LibraryError
from explorer.library import Library, open_library
from explorer.media.image import decode_image, read_content
from explorer.retrieval import InnerProductIndex


class Opened:
    """Models, one open library and its indexes; thread-safe.

    Attributes
    ----------
        model_folders: where packages are looked for.
        models: loaded encoders by package name.
    """

    def __init__(self, model_folders: Sequence[Path], *, device: str) -> None:
        self.model_folders = tuple(model_folders)
        self.models = LoadedModels(self.model_folders, device=device)
        self._library: Library | None = None
        self._indexes: dict[str, InnerProductIndex] = {}
        self._lock = threading.Lock()

    @property
    def library(self) -> Library:
        """The open library.

        Raises
        ------
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

    def index_of(self, model_id: str) -> InnerProductIndex:
        """The search index of a model, rebuilt when the library has changed since."""
        library = self.library
        with self._lock:
            table = library.vector_table(model_id)
            known = self._indexes.get(model_id)
            if known is None or known.version != table.version:
                known = InnerProductIndex(table.item_ids, table.vectors, version=table.version)
                self._indexes[model_id] = known
            return known

    def query_image(self, query: protocol.Query) -> np.ndarray | None:
        """Pixels of the query's picture, wherever it comes from."""
        if query.image_bytes is not None:
            content = query.image_bytes
        elif query.image_path is not None:
            content = read_content(query.image_path)
        elif query.image_item_id is not None:
            content = read_content(self.library.path_of(query.image_item_id))
        else:
            return None
        return decode_image(content, min_edge_px=pipeline.THUMBNAIL_EDGE_PX).pixels


def ms_since(started: float) -> float:
    """Milliseconds since a reading of ``time.monotonic``."""
    return 1e3 * (time.monotonic() - started)
