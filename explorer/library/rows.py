"""What goes into the catalogue and what comes out of it, as plain values."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

import numpy as np

from explorer.library.vectors import VectorForm, VectorKind

CAPTIONS_SHOWN = 5
"""Sentences that come with the description of an item; data sets of photos have as many for each."""

SENTENCES_PER_ITEM = 1 << 16
"""A sentence's id is its item's id times this, plus its position."""


def item_of(sentence_id: int) -> int:
    """The item that a sentence is about."""
    return sentence_id // SENTENCES_PER_ITEM


class ItemStatus(StrEnum):
    """What is known of a file."""

    PENDING = "pending"
    """Found, but not read yet (or changed since it was read)."""
    READY = "ready"
    """Read; it has a thumbnail, and vectors of the models it was indexed with."""
    FAILED = "failed"
    """Could not be read; ``error`` says why. Tried again when the file changes."""
    MISSING = "missing"
    """Gone from its folder; kept for a while, so that it can be recognised where it turns up again."""


@dataclass(frozen=True, slots=True)
class Source:
    """A folder that is part of the library.

    Attributes:
        n_items: items beneath it, those of nested sources included.
        missing: it was not there at the last scan (an unplugged disk); its items are kept.
    """

    source_id: int
    path: bytes
    display: str
    n_items: int
    missing: bool


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One file of the library, or one shot of it. ``captured_at`` is ISO 8601 local time or empty; sizes are 0 until
    it was read.

    Attributes:
        item_id: the segment id that was asked for.
        kind: "image" or "video".
        duration_s: of the whole video.
        captions: the first :data:`CAPTIONS_SHOWN` of its sentences.
        start_s, end_s: of the shot within the video.
        n_shots: of the video; 0 until it was read, and of a photo.
    """

    item_id: int
    path: bytes
    display: str
    name: str
    kind: str
    size_bytes: int
    mtime_ns: int
    width_px: int
    height_px: int
    duration_s: float
    captured_at: str
    status: ItemStatus
    error: str
    captions: tuple[str, ...] = ()
    start_s: float = 0.0
    end_s: float = 0.0
    n_shots: int = 0


@dataclass(frozen=True, slots=True)
class PendingItem:
    """An item that a model has to encode.

    Attributes:
        kind: "image" or "video".
        spans: start and end of a video's shots in seconds, if another model made it known; in order.
        content_hash: of the bytes in which they were found; None if it was not read yet.
    """

    item_id: int
    path: bytes
    kind: str = "image"
    spans: tuple[tuple[float, float], ...] = ()
    content_hash: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedItem:
    """A photo that was read and encoded; lands in the catalogue as a whole or not at all.

    Attributes:
        content_hash: :func:`~explorer.library.contents.hash_content` of the bytes that were decoded.
        full_width_px, full_height_px: of the upright picture, not of a reduced decoding.
        thumbnail: JPEG; ``None`` keeps the one that is there.
        vector: float32 (dim,), or a uint8 row of :func:`~explorer.library.vectors.to_rows`.
    """

    item_id: int
    content_hash: bytes
    full_width_px: int
    full_height_px: int
    captured_at: str = ""
    thumbnail: bytes | None = field(default=None, repr=False)
    vector: np.ndarray = field(repr=False)


@dataclass(frozen=True, slots=True)
class IndexedShot:
    """One shot of a video, as it was read and encoded.

    Attributes:
        start_s, end_s: seconds within the video.
        thumbnail: JPEG; ``None`` keeps the one that is there.
        vector: as that of :class:`IndexedItem`.
    """

    start_s: float
    end_s: float
    thumbnail: bytes | None = field(repr=False)
    vector: np.ndarray = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedVideo:
    """A video that was read and encoded; lands in the catalogue with all of its shots or not at all.

    Attributes:
        content_hash: :func:`~explorer.library.contents.hash_file` of what was decoded.
        full_width_px, full_height_px: of the upright picture.
        shots: at least one, in order.
    """

    item_id: int
    content_hash: bytes
    full_width_px: int
    full_height_px: int
    captured_at: str = ""
    duration_s: float
    shots: tuple[IndexedShot, ...]


@dataclass(frozen=True, slots=True)
class FailedItem:
    """An item that could not be read, and why in one sentence."""

    item_id: int
    error: str


@dataclass(frozen=True, slots=True)
class SaidOf:
    """What is said about one item, in order; nothing, where nobody said anything.

    Attributes:
        kind: "image" or "video".
        missing: its file was gone at the last scan, or could not be read when it was indexed.
    """

    item_id: int
    path: bytes
    kind: str
    missing: bool
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """A file or folder that could not be read, and why."""

    path: bytes
    display: str
    error: str


@dataclass(frozen=True, slots=True)
class Problems:
    """The first of the problems in the order of their paths, and how many there are in all."""

    rows: tuple[Problem, ...]
    n_total: int


@dataclass(frozen=True, slots=True)
class Counts:
    """How much the library holds; ``n_items`` is what is there, unreadable files (``n_failed``) included.

    Attributes:
        n_problems: unreadable files and unreadable folders.
        n_indexed: model id to number of items that have a vector of it.
        n_sentences: about items that are there.
        n_videos, n_failed_videos: videos among the items, and among those that cannot be read.
    """

    n_items: int
    n_failed: int
    n_missing: int
    n_problems: int
    n_indexed: dict[str, int]
    n_sentences: int = 0
    n_videos: int = 0
    n_failed_videos: int = 0


@dataclass(frozen=True, slots=True)
class ScanProgress:
    """How many media files a scan has seen so far, and the folder it is in."""

    n_seen: int
    folder: str


@dataclass(frozen=True, slots=True)
class ScanSummary:
    """What a scan found, against what the library knew.

    Attributes:
        n_unsupported: files that are neither images nor videos by their names.
        n_problems: folders and files that could not be looked at.
    """

    n_added: int
    n_changed: int
    n_moved: int
    n_removed: int
    n_unchanged: int
    n_unsupported: int
    n_problems: int


@dataclass(frozen=True, slots=True)
class VectorTable:
    """All vectors of one model, in the order of their ids.

    Attributes:
        item_ids: int64 (n,), ascending: segment ids (:mod:`explorer.segment_ids`), so first those of all photos and of
            the first shots of all videos, then the later shots; of sentences, their ids
            (:mod:`~explorer.library.sentences`).
        vectors: float32 (n, dim), or packed codes uint8 (n, n_bits / 8); read-only, memory-mapped unless the library's
            folder cannot be written to.
        strengths: of codes, int8 (n, n_bits): how firm each bit is (:func:`~explorer.library.vectors.to_activations`),
            read-only and memory-mapped likewise. None of embeddings.
        version: two tables of equal versions hold the same; None where nobody knows.
    """

    item_ids: np.ndarray
    vectors: np.ndarray
    strengths: np.ndarray | None = None
    version: object = None

    @property
    def form(self) -> VectorForm:
        """Kind and width of the vectors."""
        if self.strengths is None:
            return VectorForm(VectorKind.EMBEDDING, int(self.vectors.shape[1]))
        return VectorForm(VectorKind.CODE, int(self.strengths.shape[1]))

    @classmethod
    def empty(cls) -> Self:
        """No vectors of a model that nothing is known of."""
        return cls(np.empty(0, np.int64), np.empty((0, 0), np.float32))
