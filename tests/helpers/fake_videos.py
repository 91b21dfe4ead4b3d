"""What the fake engine says of videos: the last of its items, each of a few shots of two seconds."""

import fake_sentences
import numpy as np

from explorer import protocol as p
from explorer import segment_ids

SHOT_S = 2.0
N_FRAMES = 8
"""Of a shot, in moving evidence."""


def segments_of(item_ids: np.ndarray, first_video: int, n_shots: int) -> np.ndarray:
    """Segment ids, ascending: int64."""
    videos = item_ids[item_ids >= first_video]
    more = [segment_ids.segment_id(videos, np.int64(position)) for position in range(1, n_shots)]
    return np.concatenate([item_ids, *more])


def best_of_each(ranked: np.ndarray) -> np.ndarray:
    """Places of the first segment of each item in a ranking."""
    _, first = np.unique(segment_ids.item_of(ranked), return_index=True)
    return np.sort(first)


def span(segment_id: int) -> tuple[float, float]:
    """Start and end of a shot, in seconds."""
    start_s = SHOT_S * segment_ids.position_of(segment_id)
    return start_s, start_s + SHOT_S


def shots(request: p.GetShots, n_shots: int) -> p.Shots:
    starts = SHOT_S * np.arange(n_shots)
    item_id = segment_ids.item_of(request.item_id)
    scores = fake_sentences.seeded("shots", item_id, request.query).uniform(-0.2, 0.9, n_shots)
    return p.Shots(
        id=request.id, item_id=request.item_id, model=request.model, starts_s=starts.astype("<f4").tobytes(),
        ends_s=(starts + SHOT_S).astype("<f4").tobytes(),
        scores=b"" if request.query is None else scores.astype("<f4").tobytes(),
    )


def clip_maps(segment_id: int) -> p.ClipMaps:
    """A peak that crosses the picture from left to right, and a class that goes with it."""
    start_s, end_s = span(segment_id)
    times = np.linspace(start_s, end_s, N_FRAMES, endpoint=False) + (end_s - start_s) / (2 * N_FRAMES)
    frame, y, x = np.mgrid[0:N_FRAMES, 0:7, 0:7]
    peak = np.exp(-((x - frame * 6 / (N_FRAMES - 1)) ** 2 + (y - 3) ** 2) / 3).astype("<f2")
    frame, _, x = np.mgrid[0:N_FRAMES, 0:28, 0:28]
    classes = (np.abs(x - frame * 27 / (N_FRAMES - 1)) < 5).astype(np.uint8)
    curve = np.exp(-((np.arange(N_FRAMES) - 5) ** 2) / 4).astype("<f4")
    return p.ClipMaps(
        times_s=times.astype("<f4").tobytes(),
        attention=(p.MovingGrid(name="cam", title="Similarity", height=7, width=7, values=peak.tobytes()),),
        class_maps=p.MovingClasses(
            height=28, width=28, class_ids=classes.tobytes(), names=("background", "person"),
            confidence=np.full(classes.shape, 220, np.uint8).tobytes(),
        ),
        curve_title="Similarity over time", curve=curve.tobytes(),
    )
