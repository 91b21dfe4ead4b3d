"""From a shot and a query to evidence: frame by frame, with the very score that ranked the shot.

An encoder that sees motion is asked once, with the frames it saw when the shot was indexed. One of pictures is asked
for a few frames, spread over the shot, one after the other: its maps, each on the model's own scale and so on one for
the whole shot, become moving ones, and each frame's own score a curve along time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from explorer.cancellation import CancellationToken
from explorer.evidence import (
    BitAgreement,
    ClipEvidence,
    Evidence,
    MovingAttention,
    RegionWeights,
    Segmentation,
    TemporalWeights,
)
from explorer.media.shots import Sampling
from explorer.networks.encoder import Encoder, VideoEncoder, sees_motion
from explorer.pipeline.explaining import weigh_words
from explorer.pipeline.indexing import sampling_of
from explorer.pipeline.querying import encode_query, encode_without_words, query_words
from explorer.protocol import Query
from explorer.representations import BinaryCodes, Embeddings, Modality, average

SHOWN_FRAMES = 8
"""Frames of a shot that an encoder of pictures is asked about, or that are segmented."""

_REGION_CELLS = 24
"""Rows and columns of the map that regions are drawn on: boxes of two frames have nothing to do with each other."""


@dataclass(frozen=True, slots=True)
class ShotFrames:
    """What is read of a shot to explain it, as :func:`samplings_of_shot` says.

    Attributes:
        indexed: uint8 (n, side, side, 3), what its vector was made of.
        shown: uint8 (m, side_px, side_px, 3), what is looked at one by one.
        times_s: float32 (m,), where in the video each of these is.
    """

    indexed: np.ndarray = field(repr=False)
    shown: np.ndarray = field(repr=False)
    times_s: np.ndarray


def samplings_of_shot(encoder: Encoder) -> tuple[Sampling, Sampling]:
    """How :attr:`ShotFrames.indexed` and :attr:`ShotFrames.shown` are taken of a shot."""
    indexed = sampling_of(encoder)
    return indexed, Sampling(indexed.n_frames if sees_motion(encoder) else SHOWN_FRAMES, encoder.side_px)


def explain_shot(
    encoder: Encoder,
    frames: ShotFrames,
    query: Query | None = None,
    query_image: np.ndarray | None = None,
    *,
    words: bool = True,
    without: frozenset[str] = frozenset(),
    token: CancellationToken | None = None,
) -> Evidence:
    """Why a shot has the score it has for a query, and when and where in it.

    Parameters
    ----------
    encoder
        the model.
    frames
        the shot.
    query
        what it is compared with; None: only what the model sees.
    query_image
        what the query shows, if it shows something.
    words
        whether the words of the query's sentence are weighed.
    without
        parts of the network that are left out; an encoder that sees motion has none.
    token
        looked at before every frame.

    Raises
    ------
    QueryError
        as :func:`~explorer.pipeline.querying.encode_query` does.
    Cancelled
        the token was cancelled.
    """
    weighs = words and query is not None and bool(query.text.strip())
    rows = None if query is None else (encode_without_words if weighs else encode_query)(encoder, query, query_image)
    check = (token or CancellationToken()).check
    if sees_motion(encoder):
        evidence = _seen_together(encoder, frames, rows, check)
    else:
        evidence = _seen_one_by_one(encoder, frames, rows, without, check)
    if query is None or not weighs:
        return evidence
    return replace(evidence, words=weigh_words(query_words(query.text), evidence))


def _seen_together(
    encoder: VideoEncoder, frames: ShotFrames, rows: Embeddings | BinaryCodes | None, check: Callable[[], None]
) -> Evidence:
    check()
    evidence = encoder.explain_video(frames.indexed, frames.times_s, rows)
    clip = evidence.clip or ClipEvidence(frames.times_s)
    if clip.segmentation or Modality.IMAGE not in encoder.modalities:
        return replace(evidence, clip=clip)
    # What each frame shows, through the stream for pictures; neighbours share one look.
    n = len(frames.shown)
    looked_at = np.unique(np.linspace(0, n - 1, min(n, SHOWN_FRAMES)).round().astype(int))
    segmented = []
    for place in looked_at.tolist():
        check()
        seen = encoder.explain(frames.shown[place]).segmentation
        if seen is None:
            return replace(evidence, clip=clip)
        segmented.append(seen)
    nearest = np.abs(np.arange(n)[:, None] - looked_at[None]).argmin(axis=1)
    clip = replace(clip, segmentation=tuple(segmented[place] for place in nearest.tolist()))
    return replace(evidence, segmentation=evidence.segmentation or _of_shot(segmented), clip=clip)


def _seen_one_by_one(
    encoder: Encoder,
    frames: ShotFrames,
    rows: Embeddings | BinaryCodes | None,
    without: frozenset[str],
    check: Callable[[], None],
) -> Evidence:
    query = None if rows is None else rows[:1]
    seen = []
    for square in frames.shown:
        check()
        seen.append(encoder.explain(square, query, without=without))
    check()
    curve = None
    if rows is not None and all(evidence.score is not None for evidence in seen):
        scores = np.array([evidence.score for evidence in seen], np.float32)
        curve = TemporalWeights("Score of each frame", scores)
    segmented = [evidence.segmentation for evidence in seen if evidence.segmentation is not None]
    clip = ClipEvidence(
        times_s=frames.times_s,
        attention=_moving(seen),
        segmentation=tuple(segmented) if len(segmented) == len(seen) else (),
        temporal=curve,
    )
    evidence = Evidence(segmentation=_of_shot(segmented) if clip.segmentation else None, clip=clip)
    return evidence if rows is None else _scored(evidence, rows, average(encoder.encode_images(frames.indexed)))


def _scored(evidence: Evidence, rows: Embeddings | BinaryCodes, shot: Embeddings | BinaryCodes) -> Evidence:
    """The evidence with the scores of the query's rows and the shot's vector (1, dim), as a ranking has them."""
    if isinstance(rows, BinaryCodes) and isinstance(shot, BinaryCodes):
        queries, own = _activations(rows), _activations(shot)[0]
        bits = BitAgreement(queries[0], own)
        score = 2.0 * float(bits.agree.mean()) - 1.0
        return replace(evidence, score=score, row_scores=queries @ own / np.float32(rows.n_bits), bits=bits)
    assert isinstance(rows, Embeddings)
    assert isinstance(shot, Embeddings)
    scores = rows.values @ shot.values[0]
    return replace(evidence, score=float(scores[0]), row_scores=scores)


def _activations(codes: BinaryCodes) -> np.ndarray:
    return codes.signs.astype(np.float32) if codes.activations is None else codes.activations


def _moving(seen: Sequence[Evidence]) -> tuple[MovingAttention, ...]:
    """The maps that every frame has, as moving ones, and regions drawn on maps."""
    each = [
        [*((layer.name, layer.title, layer.values) for layer in evidence.attention),
         *((layer.name, layer.title, _drawn(layer)) for layer in evidence.regions)]
        for evidence in seen
    ]
    moving = []
    for name, title, first in each[0]:
        values = [next((map_ for other, _, map_ in layers if other == name), None) for layers in each]
        frames = [map_ for map_ in values if map_ is not None and map_.shape == first.shape]
        if len(frames) == len(each):
            moving.append(MovingAttention(name, title, np.stack(frames)))
    return tuple(moving)


def _drawn(regions: RegionWeights) -> np.ndarray:
    """Regions as one map, float32: each cell has the weight of the weightiest box over its middle, or 0."""
    drawn = np.zeros((_REGION_CELLS, _REGION_CELLS), np.float32)
    middles = (np.arange(_REGION_CELLS) + 0.5) / _REGION_CELLS
    for place in np.argsort(np.abs(regions.values), kind="stable").tolist():  # the weightiest last
        x0, y0, x1, y1 = regions.boxes[place].tolist()
        covered = np.ix_((middles >= y0) & (middles <= y1), (middles >= x0) & (middles <= x1))
        drawn[covered] = regions.values[place]
    return drawn


def _of_shot(frames: Sequence[Segmentation]) -> Segmentation:
    """The middle frame's classes, and of each thing how likely it is where it is seen best."""
    names = {name for frame in frames for name in frame.presence}
    presence = {name: max(frame.presence.get(name, 0.0) for frame in frames) for name in sorted(names)}
    return replace(frames[len(frames) // 2], presence=presence)
