"""From files to vectors in the library.

Reading and decoding go on in a thread while the network works on the batch before (decoding releases the interpreter
lock), and one decode serves the content hash, the thumbnail and the encoder.
"""

import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from explorer.cancellation import CancellationToken
from explorer.errors import MediaError
from explorer.library.catalogue import Library
from explorer.library.contents import hash_content
from explorer.library.rows import FailedItem, IndexedItem, PendingItem
from explorer.library.vectors import to_rows
from explorer.media.image import THUMBNAIL_EDGE_PX, decode_image, make_thumbnail, squash
from explorer.media.item import read_content
from explorer.networks.encoder import Encoder

BATCH_SIZE = 16
"""Pictures a step: large enough for the network, small enough that a stop is seen within two seconds on a CPU."""

_BATCHES_AHEAD = 2


@dataclass(frozen=True, slots=True)
class Prepared:
    """One decoded file, ready for the network; ``vector`` is still missing."""

    item: PendingItem
    content_hash: bytes
    full_width_px: int
    full_height_px: int
    captured_at: str
    thumbnail: bytes
    square: np.ndarray


@dataclass(frozen=True, slots=True)
class IndexingStep:
    """Where indexing stands after a batch was committed."""

    n_done: int
    n_total: int
    n_failed: int
    rate_per_s: float
    current: bytes


def prepare(item: PendingItem, side_px: int) -> Prepared | FailedItem:
    """Read, hash, decode and shrink one file; a file that cannot be read becomes a row with its error."""
    try:
        content = read_content(item.path)
        image = decode_image(content, min_edge_px=side_px)
    except MediaError as error:
        return FailedItem(item_id=item.item_id, error=str(error))
    return Prepared(
        item=item,
        content_hash=hash_content(content),
        full_width_px=image.full_width_px,
        full_height_px=image.full_height_px,
        captured_at=image.captured_at,
        thumbnail=make_thumbnail(image.pixels, THUMBNAIL_EDGE_PX),
        square=squash(image.pixels, side_px),
    )


def index_items(
    library: Library, pending: Sequence[PendingItem], encoder: Encoder, *, token: CancellationToken
) -> Iterator[IndexingStep]:
    """Encode these items of the library; every yielded step is committed.

    Stops between batches once ``token`` is cancelled, raising :class:`~explorer.cancellation.Cancelled`.
    """
    started, n_done, n_failed = time.monotonic(), 0, 0
    batches = [pending[i : i + BATCH_SIZE] for i in range(0, len(pending), BATCH_SIZE)]
    for batch in _prepared_ahead(batches, encoder.side_px, token):
        ready = [entry for entry in batch if isinstance(entry, Prepared)]
        failed = [entry for entry in batch if isinstance(entry, FailedItem)]
        weights_hash = encoder.model_id.partition("@")[2]
        library.commit_items(encoder.model_id, weights_hash, indexed=_encode(encoder, ready), failed=failed)
        n_done, n_failed = n_done + len(batch), n_failed + len(failed)
        rate = n_done / max(time.monotonic() - started, 1e-6)
        yield IndexingStep(n_done, len(pending), n_failed, rate, ready[-1].item.path if ready else b"")


def _prepared_ahead(
    batches: Sequence[Sequence[PendingItem]], side_px: int, token: CancellationToken
) -> Iterator[list[Prepared | FailedItem]]:
    """Decode a few batches ahead of the network, in order."""
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="decode") as pool:
        ahead: deque[list[Future[Prepared | FailedItem]]] = deque()
        waiting = iter(batches)
        try:
            while True:
                while len(ahead) < _BATCHES_AHEAD and (batch := next(waiting, None)) is not None:
                    ahead.append([pool.submit(prepare, item, side_px) for item in batch])
                if not ahead:
                    return
                batch_ready = []
                for future in ahead.popleft():
                    token.check()  # a picture of 250 megapixels takes seconds, a batch of them many
                    batch_ready.append(future.result())
                token.check()
                yield batch_ready
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _encode(encoder: Encoder, ready: Sequence[Prepared]) -> list[IndexedItem]:
    if not ready:
        return []
    vectors = to_rows(encoder.encode_images(np.stack([entry.square for entry in ready])))
    return [
        IndexedItem(
            item_id=entry.item.item_id,
            content_hash=entry.content_hash,
            full_width_px=entry.full_width_px,
            full_height_px=entry.full_height_px,
            captured_at=entry.captured_at,
            thumbnail=entry.thumbnail,
            vector=vector,
        )
        for entry, vector in zip(ready, vectors, strict=True)
    ]
