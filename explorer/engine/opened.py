"""What is open in an engine: models, one library, its search indexes; shared by all lanes."""

import math
import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from explorer import protocol
from explorer.cancellation import CancellationToken
from explorer.engine.models import LoadedModels
from explorer.errors import ConfigError, LibraryError, MediaError, QueryError, StaleIndexError
from explorer.library import ItemRow, Library, VectorForm, VectorKind, VectorTable, open_library
from explorer.media.image import THUMBNAIL_EDGE_PX, decode_image
from explorer.media.item import display_path, read_content
from explorer.media.sampling import Sampling, sample_frames
from explorer.media.video import read_facts
from explorer.networks.encoder import Encoder
from explorer.pipeline import sampling_of
from explorer.representations import BinaryCodes, Embeddings
from explorer.retrieval import GalleryIndex, HammingIndex, InnerProductIndex
from explorer.retrieval.approximate import ApproximateHammingIndex, ApproximateKind

_SHORTEST_S = 2.0
_SHARE = 20
_ELSEWHERE = "If the engine runs on another computer, name the path there: a video is not sent to it."


@dataclass(slots=True)
class _Known:
    """A model's vectors, what searches them, and until when both may be used while indexing is under way.

    ``good_until`` is a reading of ``time.monotonic``.
    """

    table: VectorTable
    good_until: float
    index: GalleryIndex | None = None


EXACT = "exact"
CODE_SEARCHES = (EXACT, *ApproximateKind)
"""How codes can be searched. The others are quicker for the first few of very many items, take long to build, and rank
everything exactly when everything is asked for, as the window does."""


class Opened:
    """Models, one open library and its indexes; thread-safe.

    Attributes:
        model_folders: where packages are looked for.
        models: loaded encoders by package name.
        encoding_sentences: held by the one request that encodes the library's sentences.
    """

    def __init__(self, model_folders: Sequence[Path], *, device: str, codes: str = EXACT) -> None:
        """``codes``: how codes are searched, one of :data:`CODE_SEARCHES`.

        Raises:
            ConfigError: it is none of them.
        """
        if codes not in CODE_SEARCHES:
            raise ConfigError(f'"{codes}" is no way to search codes.', f"Say one of {', '.join(CODE_SEARCHES)}.")
        self._codes = codes
        self.model_folders = tuple(model_folders)
        self.models = LoadedModels(self.model_folders, device=device)
        self.encoding_sentences = threading.Lock()
        self._library: Library | None = None
        self._known: dict[str, _Known] = {}
        self._last_query: tuple[str, protocol.Query, Embeddings | BinaryCodes] | None = None
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
            self._known.clear()
            self._last_query = None
        if previous is not None:
            previous.close()
        return library

    def close(self) -> None:
        """Close the library; what was committed stays."""
        with self._lock:
            previous, self._library = self._library, None
            self._known.clear()
        if previous is not None:
            previous.close()

    def is_behind(self, model_id: str, newer_id: str) -> bool:
        """Whether the open library, if any, has more vectors of this version of a model than of the newer one."""
        if self._library is None or model_id == newer_id:
            return False
        n_indexed = self._library.counts().n_indexed
        return n_indexed.get(model_id, 0) > n_indexed.get(newer_id, 0)

    def table_of(self, model_id: str) -> VectorTable:
        """All vectors of a model as the library is now.

        While indexing is under way every batch changes the library: the table then follows it at intervals, so that
        nobody pays for more than a twentieth of the time in rebuilding.

        Raises:
            StaleIndexError: there are only vectors of another version of the model.
        """
        with self._lock:
            return self._current(model_id).table

    def index_of(self, model_id: str, query: Embeddings | BinaryCodes) -> GalleryIndex:
        """The search index of a model, as current as :meth:`table_of`, for queries like this one.

        Raises:
            StaleIndexError: the library's vectors are of another version of the model, or cannot be compared with the
                query.
        """
        with self._lock:
            known = self._current(model_id)
            if known.index is None:
                started = time.monotonic()
                known.index = build_index(known.table, query, model_id, codes=self._codes)
                known.good_until += _SHARE * (time.monotonic() - started)
            return known.index

    def keep_query(self, model_id: str, query: protocol.Query, encoded: Embeddings | BinaryCodes) -> None:
        """Keep what a model made of a query until the next one."""
        self._last_query = model_id, query, encoded

    def last_query(self, model_id: str, query: protocol.Query) -> Embeddings | BinaryCodes | None:
        """What the model made of this query, if it is the one that was kept last."""
        last = self._last_query
        return last[2] if last is not None and last[:2] == (model_id, query) else None

    def _current(self, model_id: str) -> _Known:
        library, known, started = self.library, self._known.get(model_id), time.monotonic()
        if known is not None and self._n_indexing and started < known.good_until:
            return known
        table = library.vector_table(model_id)
        now = time.monotonic()
        good_until = now + max(_SHORTEST_S, _SHARE * (now - started))
        if known is not None and known.table.version is not None and known.table.version == table.version:
            known.good_until = good_until
        else:
            known = self._known[model_id] = _Known(table, good_until)
        return known

    @contextmanager
    def indexing_under_way(self) -> Iterator[None]:
        """Tell searches that the library is growing."""
        self._n_indexing += 1
        try:
            yield
        finally:
            self._n_indexing -= 1

    def path_of(self, item_id: int) -> bytes:
        """Where the file of an item, or of a segment, is.

        Raises:
            LibraryError: the library has no such item.
        """
        return self.row_of(item_id).path

    def row_of(self, item_id: int) -> ItemRow:
        """What the library knows of an item, or of a segment.

        Raises:
            LibraryError: the library has no such item.
        """
        rows = self.library.describe([item_id])
        if not rows:
            raise LibraryError(f"The library has no item {item_id}.", "Search again: it was removed or never there.")
        return rows[0]

    def query_image(
        self, query: protocol.Query, encoder: Encoder, token: CancellationToken | None = None
    ) -> np.ndarray | None:
        """What the query shows, wherever it comes from: pixels of its picture, or frames of its video as indexed.

        Raises:
            QueryError: it cannot be read.
            LibraryError: the library has no such item.
        """
        if query.image_item_id is not None:
            row = self.row_of(query.image_item_id)
            if row.kind != "video":
                return _query_picture(row.path, None)
            span_s = (row.start_s, row.end_s) if row.n_shots else None
            return _query_frames(row.path, span_s, sampling_of(encoder), token)
        if query.video_path is not None:
            return _query_frames(query.video_path, query.video_span_s, sampling_of(encoder), token)
        if query.image_path is None and query.image_bytes is None:
            return None
        return _query_picture(query.image_path, query.image_bytes)


def _query_picture(path: bytes | None, content: bytes | None) -> np.ndarray:
    try:
        content = content if path is None else read_content(path)
        pixels: np.ndarray = decode_image(content or b"", min_edge_px=THUMBNAIL_EDGE_PX).pixels
    except MediaError as error:
        raise _not_seen("The picture" if path is None else display_path(path), error) from error
    return pixels


def _query_frames(
    path: bytes, span_s: tuple[float, float] | None, sampling: Sampling, token: CancellationToken | None
) -> np.ndarray:
    start_s, end_s = span_s or (0.0, math.inf)
    try:
        duration_s = read_facts(path).duration_s
        if start_s >= duration_s:
            raise MediaError(f"It has only {duration_s:.1f} s.", "Name an earlier part of it.")
        return sample_frames(
            path, start_s, None if math.isinf(end_s) else end_s, sampling, token=token
        ).pixels
    except MediaError as error:
        gone = MediaError(error.message, error.remedy or ("" if os.path.exists(path) else _ELSEWHERE))
        raise _not_seen(display_path(path), gone) from error


def _not_seen(name: str, error: MediaError) -> QueryError:
    return QueryError(f"{name} cannot be searched with. {error.message}", error.remedy)


def build_index(
    table: VectorTable, query: Embeddings | BinaryCodes, model_id: str, *, codes: str = EXACT
) -> GalleryIndex:
    """What searches a model's vectors (items or sentences) with queries like this one; one of :data:`CODE_SEARCHES`.

    Raises:
        StaleIndexError: the vectors are of another kind or width than the query.
    """
    if isinstance(query, BinaryCodes):
        wanted = VectorForm(VectorKind.CODE, query.n_bits)
    else:
        wanted = VectorForm(VectorKind.EMBEDDING, query.dim)
    vectors = table.vectors
    if not len(vectors):
        vectors = np.empty((0, wanted.columns[0].width), wanted.columns[0].dtype)
    elif table.form != wanted:
        raise StaleIndexError(
            f"The library holds {table.form} of {model_id}, but the loaded model makes {wanted}.",
            "Index again with this model, or open the other one.",
        )
    if wanted.kind is VectorKind.CODE and codes != EXACT:
        return ApproximateHammingIndex(
            table.item_ids, vectors, kind=codes, version=table.version, n_bits=wanted.dim
        )
    if wanted.kind is VectorKind.CODE:
        return HammingIndex(table.item_ids, vectors, version=table.version, n_bits=wanted.dim)
    return InnerProductIndex(table.item_ids, vectors, version=table.version, dim=wanted.dim)


def n_bits_of(query: Embeddings | BinaryCodes) -> int:
    """Bits of a code; 0 of an embedding."""
    return query.n_bits if isinstance(query, BinaryCodes) else 0


def ms_since(started: float) -> float:
    """Milliseconds since a reading of ``time.monotonic``."""
    return 1e3 * (time.monotonic() - started)
