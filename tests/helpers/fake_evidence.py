"""What the fake engine says of one picture: gates of cells, regions, where each cell attends, classes, bits."""

import re

import fake_sentences
import numpy as np

from explorer import protocol as p

CLASSES = ("background", "person", "dog", "bird", "boat", "bicycle")
SIDE = 14
LOSS = {"vsem": 0.05, "vspm": 0.02}
"""How far the score falls without each part."""


N_REGIONS = 20


def n_bits_of(model: str) -> int:
    """Of a model whose name ends so: ``tvdb-64``; others have none."""
    found = re.search(r"tvdb.*-(\d+)$", model)
    return int(found[1]) if found else 0


def explanation(request: p.Explain) -> p.Explanation:
    if n_bits_of(request.model):
        return explanation_of_codes(request)
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


def explanation_of_codes(request: p.Explain) -> p.Explanation:
    """Of a model that makes binary codes: regions in the order it reads them, some of which lower the score."""
    n_bits = n_bits_of(request.model)
    bits = None if request.query is None else p.Bits(
        query=query_code(request.query, n_bits).tobytes(), item=item_code(request.item_id, n_bits).tobytes()
    )
    text = request.query.text if request.query else ""
    return p.Explanation(
        id=request.id, item_id=request.item_id, model=request.model, attention=(), class_map=None,
        presence=(("person", 0.93), ("dog", 0.71)), elapsed_ms=50.0, bits=bits,
        score=None if request.query is None else score_of(request.query, request.item_id, n_bits),
        regions=code_regions(request.item_id, n_bits),
        words=fake_sentences.words(text, request.item_id) if text and request.words else None,
    )


def item_code(item_id: int, n_bits: int) -> np.ndarray:
    """Activations, float32 (n_bits,)."""
    return np.tanh(2 * fake_sentences.seeded("code", item_id).normal(size=n_bits)).astype("<f4")


def query_code(query: p.Query, n_bits: int) -> np.ndarray:
    """Activations: those of some picture, more or less."""
    draw = fake_sentences.seeded("code", query)
    return np.tanh(draw.normal(size=n_bits) * 1.2 + 1.5 * np.arctanh(0.99 * item_code(1, n_bits))).astype("<f4")


def score_of(query: p.Query, item_id: int, n_bits: int) -> float:
    """1 - 2 d / n of the codes."""
    differ = (query_code(query, n_bits) >= 0) != (item_code(item_id, n_bits) >= 0)
    return float(1 - 2 * differ.mean())


def carriers(request: p.CarriersOfBit, item_ids: np.ndarray) -> p.BitCarriers:
    values = np.array([item_code(i, n_bits_of(request.model))[request.bit] for i in item_ids.tolist()], "<f4")
    here = (values >= 0) == request.positive
    ids, strengths = item_ids[here], np.abs(values[here])
    order = np.argsort(-strengths, kind="stable")[: request.k or None]
    return p.BitCarriers(
        id=request.id, model=request.model, bit=request.bit, positive=request.positive,
        item_ids=ids[order].astype("<i8").tobytes(), strengths=strengths[order].astype("<f4").tobytes(),
    )


def code_regions(item_id: int, n_bits: int) -> tuple[p.Boxes, p.Boxes]:
    draw = fake_sentences.seeded("regions", item_id)
    centre, size = draw.uniform(0.15, 0.85, (N_REGIONS, 2)), draw.uniform(0.06, 0.35, (N_REGIONS, 2))
    size[:3] += 0.3
    boxes = np.clip(np.concatenate([centre - size / 2, centre + size / 2], axis=1), 0, 1).astype("<f4")
    change = (draw.normal(0.01, 0.02, N_REGIONS) * np.linspace(1.5, 0.5, N_REGIONS)).astype("<f4")
    steps = (np.rint(change * n_bits / 2) * 2 / n_bits).astype("<f4")
    names = ("dog", "person", "frisbee", "", "bench", "", "umbrella", "sports ball", "traffic light", "", "backpack")
    packed = {
        "boxes": boxes.tobytes(), "scores": np.linspace(0.95, 0.2, N_REGIONS).astype("<f4").tobytes(),
        "labels": tuple(names[i % len(names)] for i in range(N_REGIONS)),
    }
    return (
        p.Boxes(name="regions", title="What the score loses without each region", values=change.tobytes(), **packed),
        p.Boxes(name="region-bits", title="Bits that flip without each region", values=steps.tobytes(), **packed),
    )
