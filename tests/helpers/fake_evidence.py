"""What the fake engine says of one picture: gates of cells, regions, where each cell attends, classes."""

import fake_sentences
import numpy as np

from explorer import protocol as p

CLASSES = ("background", "person", "dog", "bird", "boat", "bicycle")
SIDE = 14
LOSS = {"vsem": 0.05, "vspm": 0.02}
"""How far the score falls without each part."""


def explanation(request: p.Explain) -> p.Explanation:
    y, x = np.mgrid[0:7, 0:7]
    peak = np.exp(-((x - request.item_id % 7) ** 2 + (y - 3) ** 2) / 4.0).astype("<f4")
    maps = attended()
    grids = (
        p.Grid(name="vsem", title="Semantic gates", height=7, width=7, values=peak.tobytes()),
        p.Grid(name="vspm", title="Spatial attention", height=SIDE, width=SIDE,
               values=maps.astype("<f4").mean(axis=0).tobytes()),
    )
    pointed = p.PointedMaps(
        name="vspm-of-place", title="Where it attends", places="vsem", n_places=49, height=SIDE, width=SIDE,
        values=maps.tobytes(),
    )
    without = set(request.without)
    score = 0.71 - sum(LOSS[part] for part in without)
    return p.Explanation(
        id=request.id, item_id=request.item_id, model=request.model,
        attention=tuple(grid for grid in grids if grid.name not in without), class_map=class_map(request.item_id),
        presence=(("person", 0.93), ("dog", 0.71), ("boat", 0.12)), score=score if request.query else None,
        elapsed_ms=50.0, regions=(fake_sentences.boxes(request.item_id),),
        pointed=() if "vspm" in without else (pointed,), without=request.without,
        words=fake_sentences.words(request.query.text, request.item_id) if request.query and request.words else None,
    )


def attended() -> np.ndarray:
    """Float16 (49, side, side): each cell attends to the mirrored place."""
    rows, columns = np.divmod(np.arange(49), 7)
    y, x = np.mgrid[0:SIDE, 0:SIDE] / 2
    far = (x - (6 - columns)[:, None, None]) ** 2 + (y - rows[:, None, None]) ** 2
    return np.exp(-far / 2).astype("<f2")


def class_map(item_id: int) -> p.ClassMap:
    yy, xx = np.mgrid[0:56, 0:56]
    classes = np.zeros((56, 56), np.uint8)
    classes[(xx - 20) ** 2 + (yy - 30) ** 2 < 200] = 1 + item_id % 5
    classes[(xx - 42) ** 2 + (yy - 38) ** 2 < 90] = 1 + (item_id + 2) % 5
    return p.ClassMap(
        height=56, width=56, class_ids=classes.tobytes(), confidence=np.full((56, 56), 220, np.uint8).tobytes(),
        names=CLASSES,
    )
