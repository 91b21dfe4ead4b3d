"""Overlays from an explanation (a message) or from evidence (arrays)."""

import numpy as np

from explorer.evidence import Evidence
from explorer.overlays.colour_maps import ColourMap
from explorer.overlays.overlay import ClassOverlay, HeatOverlay
from explorer.protocol import ClassMap, Explanation, Grid

SEGMENTATION = "segmentation"
_MAPS = (ColourMap.MAGMA, ColourMap.VIRIDIS)


def _array(what: str, raw: bytes, dtype: str, height: int, width: int) -> np.ndarray:
    expected = height * width * np.dtype(dtype).itemsize
    if len(raw) != expected or expected == 0:
        raise ValueError(f"{what} should have {expected} bytes for {height} x {width} cells, got {len(raw)}")
    return np.frombuffer(raw, dtype).reshape(height, width)


def _heat(place: int, name: str, title: str, values: np.ndarray) -> HeatOverlay:
    """Only the map that made the embedding (the first) is shown at once: two heat maps over each other say nothing."""
    return HeatOverlay(
        name=name, title=title, values=values, colour_map=_MAPS[place % len(_MAPS)], visible=place == 0, opacity=0.55
    )


def heat_from_grid(grid: Grid, *, place: int = 0) -> HeatOverlay:
    """A heat map from a message; ``place`` is its position among the heat maps of the picture."""
    values = _array(f"the map {grid.name!r}", grid.values, "<f4", grid.height, grid.width)
    return _heat(place, grid.name, grid.title, values.astype(np.float32))


def classes_from_class_map(class_map: ClassMap) -> ClassOverlay:
    """A class overlay from a message."""
    ids = _array("the class map", class_map.class_ids, "u1", class_map.height, class_map.width)
    confidence = _array("the class map's confidence", class_map.confidence, "u1", class_map.height, class_map.width)
    return _classes(ids, confidence.astype(np.float32) / 255, class_map.names)


def _classes(ids: np.ndarray, confidence: np.ndarray, names: tuple[str, ...]) -> ClassOverlay:
    return ClassOverlay(
        name=SEGMENTATION, title="Segmentation", class_ids=ids, confidence=confidence, names=names, opacity=0.9
    )


def overlays_from_explanation(explanation: Explanation) -> tuple[HeatOverlay | ClassOverlay, ...]:
    """All layers of a picture, the saliency that made the embedding first, the segmentation last.

    Raises:
        ValueError: a map's bytes do not fit its size, or a class has no name.
    """
    layers: list[HeatOverlay | ClassOverlay] = [
        heat_from_grid(grid, place=place) for place, grid in enumerate(explanation.attention)
    ]
    if explanation.class_map is not None:
        layers.append(classes_from_class_map(explanation.class_map))
    return tuple(layers)


def overlays_from_evidence(evidence: Evidence) -> tuple[HeatOverlay | ClassOverlay, ...]:
    """The same layers from arrays, in the same order."""
    layers: list[HeatOverlay | ClassOverlay] = [
        _heat(place, attention.name, attention.title, attention.values)
        for place, attention in enumerate(evidence.attention)
    ]
    seen = evidence.segmentation
    if seen is not None:
        layers.append(_classes(seen.class_map, seen.confidence.astype(np.float32), seen.names))
    return tuple(layers)
