"""Clips through a model: each as one row, or shot by shot as the program itself finds them.

Two ways, because two questions are asked:

* ``whole``: a clip is one row, as published protocols have it. A model of pictures sees some frames evenly spread over
  it, and the clip is their mean; a model that sees motion takes its ``clip_frames`` frames together.
* ``best-shot``: a clip has a row for each of its shots, made as indexing makes them, and the best of them counts: what
  a search in the program finds.

A photo among the clips is one row either way.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from explorer.cancellation import CancellationToken
from explorer.datasets.clips import CaptionedClips, Span
from explorer.errors import ConfigError, DatasetError, MediaError
from explorer.media.image import decode_image, squash
from explorer.media.item import read_content
from explorer.media.sampling import sample_frames
from explorer.media.shots import Sampling, read_shots
from explorer.media.video import read_facts
from explorer.networks.encoder import Encoder, sees_motion
from explorer.pipeline.indexing import FRAMES_PER_SHOT, sampling_of
from explorer.representations import BinaryCodes, Embeddings, Modality, average, concatenate

FRAMES_PER_CLIP = 8
"""A model of pictures sees of a whole clip, unless another number is asked for."""

_FRAMES_AT_ONCE = 16
_CLIPS_AHEAD = 2
_LOOK_INTERVAL_S = 0.2


class ClipRows(StrEnum):
    """What of a clip is ranked."""

    WHOLE = "whole"
    BEST_SHOT = "best-shot"


@dataclass(frozen=True, slots=True)
class ClipReading:
    """How clips are read.

    Attributes:
        rows: one of a clip, or one of each shot.
        n_frames: that a model of pictures sees of a whole clip.
    """

    rows: ClipRows = ClipRows.WHOLE
    n_frames: int = FRAMES_PER_CLIP

    def note_on(self, encoder: Encoder) -> str:
        """What a reader of the numbers must know."""
        moving = sees_motion(encoder)
        if self.rows is ClipRows.WHOLE:
            how = (
                f"{encoder.clip_frames} frames of it together"
                if sees_motion(encoder)
                else f"the mean of {self.n_frames} frames, one by one"
            )
            return f"{encoder.name} saw of each clip {how}."
        how = "the frames of each together" if moving else f"{FRAMES_PER_SHOT} frames of each, one by one"
        return f"{encoder.name} saw the shots of each clip, {how}; the best shot counts."


@dataclass(frozen=True, slots=True)
class EncodedClips:
    """Clips as a model sees them.

    Attributes:
        rows: at least one of each clip, in their order.
        firsts: int64 (n + 1,): clip i has the rows ``firsts[i]`` to ``firsts[i + 1]``.
    """

    rows: Embeddings | BinaryCodes
    firsts: np.ndarray


def require_seen(encoder: Encoder, source: CaptionedClips) -> None:
    """See that a model can read what is in the split.

    Raises
    ------
    ConfigError
        there are clips, or photos, that it cannot.
    """
    needed = {"clips": (Modality.VIDEO, Modality.IMAGE), "photos": (Modality.IMAGE,)}
    are_videos = source.are_videos
    present = [what for what, is_there in (("clips", any(are_videos)), ("photos", not all(are_videos))) if is_there]
    for what in present:
        if not encoder.modalities.intersection(needed[what]):
            raise ConfigError(
                f"{encoder.name} sees no {what}, and {source.name} {source.split} has some.",
                "Choose another model, or --only videos.",
            )


def encode_clips(
    encoder: Encoder,
    source: CaptionedClips,
    reading: ClipReading,
    *,
    token: CancellationToken,
    on_clip: Callable[[], None],
) -> EncodedClips:
    """Encode all clips of a split; the next ones are decoded while the network works.

    Parameters
    ----------
    encoder
        a model that passes :func:`require_seen`.
    source
        the split.
    reading
        how clips are read.
    token
        looked at several times a second.
    on_clip
        called after each clip.

    Raises
    ------
    DatasetError
        a clip cannot be read: leaving it out would measure something else.
    Cancelled
        a stop was asked for.
    """
    parts: list[Embeddings | BinaryCodes] = []
    for pieces in _decoded(encoder, source, reading, token):
        parts.append(concatenate([_row_of(encoder, piece, token) for piece in pieces]))
        on_clip()
    return EncodedClips(concatenate(parts), np.cumsum([0, *map(len, parts)]))


@dataclass(frozen=True, slots=True)
class _Piece:
    """A clip, a shot, or a photo: frames uint8 (n, side, side, 3), seen together or one by one."""

    frames: np.ndarray
    together: bool


def _row_of(encoder: Encoder, piece: _Piece, token: CancellationToken) -> Embeddings | BinaryCodes:
    if piece.together:
        assert sees_motion(encoder)
        return encoder.encode_videos(piece.frames[None])
    seen = []
    for start in range(0, len(piece.frames), _FRAMES_AT_ONCE):
        token.check()
        seen.append(encoder.encode_images(piece.frames[start : start + _FRAMES_AT_ONCE]))
    rows = concatenate(seen)
    return rows if len(rows) == 1 else average(rows)


def _decoded(
    encoder: Encoder, source: CaptionedClips, reading: ClipReading, token: CancellationToken
) -> Iterator[list[_Piece]]:
    """The pieces of each clip in turn, decoded a few clips ahead."""
    stop = CancellationToken()
    pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="clips")
    waiting: list[Future[list[_Piece]]] = []
    rows = iter(range(len(source)))
    try:
        while True:
            while len(waiting) <= _CLIPS_AHEAD and (row := next(rows, None)) is not None:
                waiting.append(pool.submit(_read, encoder, source, row, reading, stop))
            if not waiting:
                return
            future = waiting.pop(0)
            while not _is_done(future):
                token.check()
            yield future.result()
    finally:
        stop.cancel()
        pool.shutdown(wait=False, cancel_futures=True)


def _is_done(future: "Future[list[_Piece]]") -> bool:
    try:
        future.exception(timeout=_LOOK_INTERVAL_S)
    except TimeoutError:
        return False
    return True


def _read(
    encoder: Encoder, source: CaptionedClips, row: int, reading: ClipReading, token: CancellationToken
) -> list[_Piece]:
    path, span = source.image_paths[row], source.spans[row]
    place = os.fsencode(path)
    try:
        if not source.are_videos[row]:
            photo = decode_image(read_content(place), min_edge_px=encoder.side_px)
            return [_Piece(squash(photo.pixels, encoder.side_px)[None], together=False)]
        if reading.rows is ClipRows.WHOLE:
            sampling = sampling_of(encoder)
            if not sees_motion(encoder):
                sampling = Sampling(reading.n_frames, sampling.side_px)
            seen = sample_frames(place, span.start_s, span.end_s, sampling, token=token)
            return [_Piece(seen.pixels, sees_motion(encoder))]
        shots = read_shots(place, [sampling_of(encoder)], spans=_spans(place, span), token=token)
        return [_Piece(shot.frames[0], sees_motion(encoder)) for shot in shots]
    except MediaError as error:
        raise DatasetError(
            f"The clip {path} cannot be read. {error}", "Put a sound copy in its place; leaving it out would not do."
        ) from error


def _spans(place: bytes, span: Span) -> tuple[tuple[float, float], ...]:
    """A part of a video as one shot; none for the whole, whose shots are found."""
    if span == Span():
        return ()
    end_s = read_facts(place).duration_s if span.end_s is None else span.end_s
    return ((span.start_s, max(end_s, span.start_s)),)
