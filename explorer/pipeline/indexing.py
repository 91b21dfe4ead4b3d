"""From files to vectors in the library: photos, and videos shot by shot.

A shot is seen through a few of its frames, each as a photo would be, and their vectors are joined; an encoder that
takes frames together gets a clip. Frames of several photos and shots go through the network together; what is kept of
a film until it is committed as a whole is a vector and a thumbnail for each shot.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from explorer.cancellation import CancellationToken
from explorer.library import FailedItem, IndexedItem, IndexedShot, IndexedVideo, Library, PendingItem, to_rows
from explorer.media.shots import Sampling
from explorer.networks.encoder import Encoder, sees_motion
from explorer.pipeline.reading import Prepared, PreparedShot, ReadEntry, VideoRead, read_ahead
from explorer.representations import Modality, average

BATCH_SIZE = 16
"""Pictures a step: large enough for the network, small enough that a stop is seen within two seconds on a CPU."""

CLIPS_PER_BATCH = 4
"""Clips a step, of an encoder that takes frames together."""

FRAMES_PER_SHOT = 3
"""Frames through which an encoder of pictures sees a shot."""

_AHEAD = 2 * BATCH_SIZE


@dataclass(frozen=True, slots=True)
class IndexingStep:
    """Where indexing stands; what ``n_done`` counts is committed.

    Attributes:
        current: path of what was encoded last.
        seen_s, duration_s: how much of it was seen, of a video that is not done yet; else 0.
    """

    n_done: int
    n_total: int
    n_failed: int
    rate_per_s: float
    remaining_s: float
    current: bytes
    seen_s: float = 0.0
    duration_s: float = 0.0


def kinds_read_by(modalities: frozenset[Modality]) -> frozenset[str]:
    """Kinds of items that a model of these modalities can index; one that reads pictures sees videos through frames."""
    if Modality.IMAGE in modalities:
        return frozenset({"image", "video"})
    return frozenset({"video"}) if Modality.VIDEO in modalities else frozenset()


def sampling_of(encoder: Encoder) -> Sampling:
    """How the encoder wants to see a shot."""
    if sees_motion(encoder):
        return Sampling(encoder.clip_frames, encoder.clip_side_px)
    return Sampling(FRAMES_PER_SHOT, encoder.side_px)


def index_items(
    library: Library, pending: Sequence[PendingItem], encoder: Encoder, *, token: CancellationToken
) -> Iterator[IndexingStep]:
    """Encode these items of the library, all of kinds that the encoder reads; a step follows every batch.

    Stops between batches once ``token`` is cancelled, raising :class:`~explorer.cancellation.Cancelled`.
    """
    started, n_done, n_failed = time.monotonic(), 0, 0
    weights_hash = encoder.model_id.partition("@")[2]
    work = _Work(encoder)
    for entry in _with_end(
        read_ahead(pending, encoder.side_px, sampling_of(encoder), n_ahead=_AHEAD, token=token)
    ):
        if not work.take(entry):
            continue
        indexed, failed = work.finished()
        if indexed or failed:
            library.commit_items(encoder.model_id, weights_hash, indexed=indexed, failed=failed)
        n_done, n_failed = n_done + len(indexed) + len(failed), n_failed + len(failed)
        share = work.seen_s / work.duration_s if work.duration_s else 0.0
        rate = (n_done + share) / max(time.monotonic() - started, 1e-6)
        remaining_s = max(0.0, len(pending) - n_done - share) / max(rate, 1e-6)
        yield IndexingStep(
            n_done, len(pending), n_failed, rate, remaining_s, work.current, work.seen_s, work.duration_s
        )


def _with_end(entries: Iterator[ReadEntry]) -> Iterator[ReadEntry | None]:
    yield from entries
    yield None


@dataclass(slots=True)
class _Waiting:
    """Frames that wait for the network, and what becomes of their vector."""

    frames: np.ndarray
    encoded: Callable[[np.ndarray], None]


@dataclass(slots=True)
class _OpenVideo:
    """A video of which not every shot is encoded yet."""

    shots: list[IndexedShot] = field(default_factory=list)
    n_waiting: int = 0
    read: VideoRead | None = None


class _Work:
    """What was read and is not committed yet.

    Attributes:
        current: path of what was encoded last.
        seen_s, duration_s: of a video under way, as :class:`IndexingStep` has them.
    """

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._squares: list[_Waiting] = []
        self._clips: list[_Waiting] = []
        self._videos: dict[int, _OpenVideo] = {}
        self._indexed: list[IndexedItem | IndexedVideo] = []
        self._failed: list[FailedItem] = []
        self.current = b""
        self.seen_s = self.duration_s = 0.0

    def take(self, entry: ReadEntry | None) -> bool:
        """Take in what was read, None at the end; whether there is a step to tell of."""
        match entry:
            case Prepared():
                self._squares.append(_Waiting(entry.square[None], lambda row: self._photo_encoded(entry, row)))
            case PreparedShot():
                self._take_shot(entry)
            case VideoRead():
                self._videos[entry.item.item_id].read = entry
                self._close(entry.item.item_id)
            case FailedItem():
                self._take_failed(entry)
        n_squares = sum(len(waiting.frames) for waiting in self._squares)
        encoded = False
        if n_squares >= BATCH_SIZE or (entry is None and n_squares):
            encoded = self._encode_squares()
        if len(self._clips) >= CLIPS_PER_BATCH or (entry is None and self._clips):
            encoded = self._encode_clips()
        n_finished = len(self._indexed) + len(self._failed)
        return encoded or n_finished >= BATCH_SIZE or (entry is None and n_finished > 0)

    def finished(self) -> tuple[list[IndexedItem | IndexedVideo], list[FailedItem]]:
        """What is ready to be committed, once."""
        finished = self._indexed, self._failed
        self._indexed, self._failed = [], []
        return finished

    def _take_shot(self, shot: PreparedShot) -> None:
        video = self._videos.setdefault(shot.item.item_id, _OpenVideo())
        video.n_waiting += 1
        waiting = self._clips if sees_motion(self._encoder) else self._squares
        waiting.append(_Waiting(shot.frames, lambda row: self._shot_encoded(shot, row)))

    def _take_failed(self, failed: FailedItem) -> None:
        if self._videos.pop(failed.item_id, None) is not None:
            self.seen_s = self.duration_s = 0.0
        self._failed.append(failed)

    def _encode_squares(self) -> bool:
        waiting, self._squares = self._squares, []
        encoded = self._encoder.encode_images(np.concatenate([entry.frames for entry in waiting]))
        start = 0
        for entry in waiting:
            stop = start + len(entry.frames)
            entry.encoded(to_rows(average(encoded[start:stop]))[0])
            start = stop
        return True

    def _encode_clips(self) -> bool:
        waiting, self._clips = self._clips, []
        assert sees_motion(self._encoder), "clips are gathered for encoders that take them"
        rows = to_rows(self._encoder.encode_videos(np.stack([entry.frames for entry in waiting])))
        for entry, row in zip(waiting, rows, strict=True):
            entry.encoded(row)
        return True

    def _photo_encoded(self, photo: Prepared, row: np.ndarray) -> None:
        self.current = photo.item.path
        self._indexed.append(
            IndexedItem(
                item_id=photo.item.item_id,
                content_hash=photo.content_hash,
                full_width_px=photo.full_width_px,
                full_height_px=photo.full_height_px,
                captured_at=photo.captured_at,
                thumbnail=photo.thumbnail,
                vector=row,
            )
        )

    def _shot_encoded(self, shot: PreparedShot, row: np.ndarray) -> None:
        video = self._videos.get(shot.item.item_id)
        if video is None:
            return  # it turned out to be unreadable meanwhile
        self.current, self.seen_s, self.duration_s = shot.item.path, shot.end_s, shot.duration_s
        video.shots.append(IndexedShot(shot.start_s, shot.end_s, shot.thumbnail, row))
        video.n_waiting -= 1
        self._close(shot.item.item_id)

    def _close(self, item_id: int) -> None:
        """Finish a video whose every shot is read and encoded."""
        video = self._videos[item_id]
        if video.read is None or video.n_waiting:
            return
        del self._videos[item_id]
        self.seen_s = self.duration_s = 0.0
        facts = video.read.facts
        self._indexed.append(
            IndexedVideo(
                item_id=item_id,
                content_hash=video.read.content_hash,
                full_width_px=facts.width_px,
                full_height_px=facts.height_px,
                captured_at=facts.captured_at,
                duration_s=facts.duration_s,
                shots=tuple(video.shots),
            )
        )
