"""A toy model and the few steps that every test of the library takes."""

import os
from pathlib import Path

import numpy as np

from explorer.cancellation import CancellationToken
from explorer.library import IndexedItem, IndexedShot, IndexedVideo, Library, ScanSummary, hash_content, to_rows
from explorer.representations import BinaryCodes

MODEL = "toy@0123456789abcdef"
WEIGHTS = "0123456789abcdef" * 4
DIM = 8
CODE_MODEL = "bits@fedcba9876543210"
N_BITS = 16


def vector_of(content: bytes) -> np.ndarray:
    """A vector that the content alone decides, as an encoder's would be."""
    seed = int.from_bytes(hash_content(content)[:4], "big")
    return np.random.default_rng(seed).standard_normal(DIM).astype(np.float32)


def codes_of(contents) -> BinaryCodes:
    """Codes that the contents alone decide."""
    seeds = [int.from_bytes(hash_content(content)[:4], "big") for content in contents]
    rows = [np.random.default_rng(seed).uniform(-1, 1, N_BITS) for seed in seeds]
    return BinaryCodes.from_activations(np.array(rows, np.float32).reshape(len(rows), N_BITS))


def code_of(item) -> np.ndarray:
    """A code of an item's content, as the library takes it."""
    return to_rows(codes_of([Path(os.fsdecode(item.path)).read_bytes()]))[0]


def indexed(item, content: bytes | None = None, *, vector=None) -> IndexedItem:
    content = Path(os.fsdecode(item.path)).read_bytes() if content is None else content
    return IndexedItem(
        item_id=item.item_id,
        content_hash=hash_content(content),
        full_width_px=len(content),
        full_height_px=1,
        captured_at="2020-01-02T03:04:05",
        thumbnail=b"jpeg of " + content,
        vector=vector_of(content) if vector is None else vector,
    )


def scan(library: Library, source_ids=None) -> ScanSummary:
    *progress, summary = library.scan(token=CancellationToken(), source_ids=source_ids)
    assert isinstance(summary, ScanSummary)
    assert not any(isinstance(event, ScanSummary) for event in progress)
    return summary


def indexed_video(item, n_shots: int, *, seed: str = "") -> IndexedVideo:
    """A video of shots of two seconds, whose vectors and thumbnails its content, the place and ``seed`` decide."""
    content = Path(os.fsdecode(item.path)).read_bytes()
    of_shot = [content + f" {seed}{position}".encode() for position in range(n_shots)]
    return IndexedVideo(
        item_id=item.item_id,
        content_hash=hash_content(content),
        full_width_px=len(content),
        full_height_px=1,
        duration_s=2.0 * n_shots,
        shots=tuple(
            IndexedShot(2.0 * position, 2.0 * position + 2, b"jpeg of " + shot, vector_of(shot))
            for position, shot in enumerate(of_shot)
        ),
    )


def index_all(library: Library, model_id: str = MODEL, *, n_shots: int = 3) -> int:
    """Scan, then "encode" whatever is pending; how many were encoded."""
    scan(library)
    items = library.pending(model_id)
    vectors = [code_of(item) if model_id == CODE_MODEL else None for item in items]
    entries = [
        indexed_video(item, n_shots) if item.kind == "video" else indexed(item, vector=vector)
        for item, vector in zip(items, vectors, strict=True)
    ]
    library.commit_items(model_id, WEIGHTS, indexed=entries)
    return len(items)


def names(library: Library, item_ids=None) -> list[str]:
    """Names of the items that are there, in scan order."""
    return [row.name for row in library.describe(library.item_ids() if item_ids is None else item_ids)]
