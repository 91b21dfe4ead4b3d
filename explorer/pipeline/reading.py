"""From files to what the network takes: photos as squares, the shots of videos as frames.

All of it goes on in one thread while the network works (decoding releases the interpreter lock), a little ahead of it.
One decode of a photo serves its content hash, its thumbnail and the encoder; one of a video its shots, their thumbnails
and their frames.
"""

import os
import queue
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from explorer.cancellation import CancellationToken
from explorer.errors import MediaError
from explorer.library import FailedItem, PendingItem, hash_content, hash_file
from explorer.media.image import THUMBNAIL_EDGE_PX, decode_image, make_thumbnail, squash
from explorer.media.item import read_content
from explorer.media.shots import Sampling, read_shots
from explorer.media.video import VideoFacts, read_facts

_WAIT_S = 0.1
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Prepared:
    """One decoded photo, ready for the network; ``square`` is uint8 (side, side, 3)."""

    item: PendingItem
    content_hash: bytes
    full_width_px: int
    full_height_px: int
    captured_at: str
    thumbnail: bytes = field(repr=False)
    square: np.ndarray = field(repr=False)


@dataclass(frozen=True, slots=True)
class PreparedShot:
    """One shot of a video, ready for the network.

    Attributes:
        duration_s: of the whole video.
        frames: uint8 (n_frames, side, side, 3).
    """

    item: PendingItem
    duration_s: float
    start_s: float
    end_s: float
    thumbnail: bytes = field(repr=False)
    frames: np.ndarray = field(repr=False)


@dataclass(frozen=True, slots=True)
class VideoRead:
    """A video was read to its end; its shots came before."""

    item: PendingItem
    content_hash: bytes
    facts: VideoFacts


ReadEntry = Prepared | PreparedShot | VideoRead | FailedItem


def prepare(item: PendingItem, side_px: int) -> Prepared | FailedItem:
    """Read, hash, decode and shrink one photo; a file that cannot be read becomes a row with its error."""
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


def prepare_video(
    item: PendingItem, sampling: Sampling, token: CancellationToken
) -> Iterator[PreparedShot | VideoRead | FailedItem]:
    """The shots of one video as they are decoded, then :class:`VideoRead`; or, at any point, why it cannot be read.

    Shots that are known stay as they are, unless the file holds something else by now.
    """
    try:
        before = _size_and_time(item.path)
        facts = read_facts(item.path)
        content_hash = _hash(item.path, token)
        spans = item.spans if content_hash == item.content_hash else ()
        n_shots = 0
        for n_shots, shot in enumerate(read_shots(item.path, [sampling], spans=spans, token=token), start=1):
            # A known shot keeps its span to the last digit: it is compared with what the library holds.
            start_s, end_s = spans[n_shots - 1] if n_shots <= len(spans) else (shot.start_s, shot.end_s)
            yield PreparedShot(item, facts.duration_s, start_s, end_s, shot.thumbnail, shot.frames[0])
        if not n_shots:
            raise MediaError("There is no picture in this video.")
        if _size_and_time(item.path) != before:
            raise MediaError("The file changed while it was read.", "Index again when it is complete.")
        yield VideoRead(item, content_hash, facts)
    except MediaError as error:
        yield FailedItem(item_id=item.item_id, error=str(error))


def read_ahead(
    pending: Sequence[PendingItem], side_px: int, sampling: Sampling, *, n_ahead: int, token: CancellationToken
) -> Iterator[ReadEntry]:
    """Read these items in order, ``n_ahead`` photos and shots ahead of whoever takes them.

    Raises :class:`~explorer.cancellation.Cancelled` soon after ``token`` was cancelled.
    """
    stop = CancellationToken(parent=token)

    def read() -> Generator[ReadEntry, None, None]:
        for item in pending:
            stop.check()
            if item.kind == "video":
                yield from prepare_video(item, sampling, stop)
            else:
                yield prepare(item, side_px)

    return _in_thread(read(), n_ahead, stop)


@dataclass(frozen=True, slots=True)
class _End:
    """The thread is done; ``error`` is what ended it before its time."""

    error: BaseException | None = None


def _in_thread(entries: Generator[_T, None, None], n_ahead: int, stop: CancellationToken) -> Iterator[_T]:
    """The same entries, taken from their iterator in a thread; ``stop`` is cancelled when nobody takes them."""
    waiting: queue.Queue[_T | _End] = queue.Queue(maxsize=n_ahead)

    def put(entry: _T | _End) -> None:
        while True:
            try:
                return waiting.put(entry, timeout=_WAIT_S)
            except queue.Full:
                stop.check()

    def run() -> None:
        try:
            with closing(entries):  # and with it the file that is being decoded
                for entry in entries:
                    put(entry)
            put(_End())
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is told to who waits
            if not stop.cancelled:
                put(_End(error))

    thread = threading.Thread(target=run, name="decode", daemon=True)
    thread.start()
    try:
        while True:
            stop.check()  # a picture of 250 megapixels takes seconds, a video longer
            try:
                entry = waiting.get(timeout=_WAIT_S)
            except queue.Empty:
                continue
            if isinstance(entry, _End):
                if entry.error is not None:
                    raise entry.error
                return
            yield entry
    finally:
        stop.cancel()
        thread.join()


def _size_and_time(path: bytes) -> tuple[int, int]:
    try:
        status = os.stat(path)
    except OSError:
        return (0, 0)  # whoever reads it will say so
    return status.st_size, status.st_mtime_ns


def _hash(path: bytes, token: CancellationToken) -> bytes:
    try:
        return hash_file(path, token)
    except OSError as error:
        raise MediaError(f"The file cannot be read: {error.strerror or error}.") from error
