"""Overlays from an explanation (a message) or from evidence (arrays).

The order decides about the keys: what weighs cells, what weighs regions, what is shown for the place under the pointer,
classes. A map for each place that is named ``<layer>-of-place`` joins the heat map ``<layer>``, its average.
"""

from collections.abc import Sequence

import numpy as np

from explorer.evidence import AttentionMap, Evidence, PointedAttention, RegionWeights
from explorer.overlays.colour_maps import ColourMap
from explorer.overlays.overlay import AnyOverlay, ClassOverlay, HeatOverlay, PointedOverlay, RegionOverlay
from explorer.protocol import Boxes, ClassMap, Explanation, Grid, PointedMaps

SEGMENTATION = "segmentation"
OF_PLACE = "-of-place"
_MAPS = (ColourMap.MAGMA, ColourMap.VIRIDIS)
_NEGATIVE = -0.02
_OPACITY, _SIGNED = 0.55, 0.75
"""Near zero colours with a sign are next to clear, so they may be stronger elsewhere."""


def array_of(what: str, raw: bytes, dtype: str, height: int, width: int) -> np.ndarray:
    """Packed cells as an array (height, width).

    Raises:
        ValueError: there are fewer or more of them, or none.
    """
    expected = height * width * np.dtype(dtype).itemsize
    if len(raw) != expected or expected == 0:
        raise ValueError(f"{what} should have {expected} bytes for {height} x {width} cells, got {len(raw)}")
    return np.frombuffer(raw, dtype).reshape(height, width)


def _rows(what: str, raw: bytes, n: int, width: int = 1) -> np.ndarray:
    expected = 4 * n * width
    if len(raw) != expected:
        raise ValueError(f"{what} should have {expected} bytes for {n} regions, got {len(raw)}")
    return np.frombuffer(raw, "<f4").astype(np.float32).reshape((n, width) if width > 1 else n)


def _attention(grid: Grid) -> AttentionMap:
    values = array_of(f"the map {grid.name!r}", grid.values, "<f4", grid.height, grid.width)
    return AttentionMap(grid.name, grid.title, values.astype(np.float32))


def _regions(boxes: Boxes) -> RegionWeights:
    n, what = len(boxes.labels), f"of {boxes.name!r}"
    return RegionWeights(
        boxes.name, boxes.title, _rows(f"boxes {what}", boxes.boxes, n, 4), _rows(f"values {what}", boxes.values, n),
        _rows(f"scores {what}", boxes.scores, n), boxes.labels,
    )


def _pointed(maps: PointedMaps) -> PointedAttention:
    values = array_of(f"the maps {maps.name!r}", maps.values, "<f2", maps.n_places * maps.height, maps.width)
    return PointedAttention(
        maps.name, maps.title, maps.places, values.reshape(maps.n_places, maps.height, maps.width)
    )


def _layers(
    grids: Sequence[AttentionMap], regions: Sequence[RegionWeights], pointed: Sequence[PointedAttention]
) -> list[AnyOverlay]:
    """Only what made the embedding (the first) is shown at once: two heat maps over each other say nothing."""
    averages = {grid.name: grid for grid in grids}
    joined = {maps.name.removesuffix(OF_PLACE) for maps in pointed if maps.values.size} & averages.keys()
    weighed: list[AttentionMap | RegionWeights] = [grid for grid in grids if grid.name not in joined]
    weighed += [boxes for boxes in regions if boxes.labels]
    layers: list[AnyOverlay] = [_weights(place, layer) for place, layer in enumerate(weighed)]
    for maps in pointed:
        if maps.values.size:
            layers.append(_pointed_layer(len(layers), maps, averages.get(maps.name.removesuffix(OF_PLACE))))
    return layers


def _weights(place: int, layer: AttentionMap | RegionWeights) -> HeatOverlay | RegionOverlay:
    colours = _colours(place, layer.values)
    if isinstance(layer, AttentionMap):
        return HeatOverlay(
            name=layer.name, title=layer.title, values=layer.values, colour_map=colours, visible=place == 0,
            opacity=_SIGNED if colours.has_sign else _OPACITY,
        )
    return RegionOverlay(
        name=layer.name, title=layer.title, boxes=np.nan_to_num(layer.boxes), values=layer.values, scores=layer.scores,
        labels=layer.labels, colour_map=colours, visible=place == 0, opacity=1.0,
    )


def _colours(place: int, values: np.ndarray) -> ColourMap:
    """Neighbours in the list differ; what is noticeably below zero somewhere gets colours with a sign."""
    finite = values[np.isfinite(values)]
    if finite.size and finite.min() < 0 and finite.min() < _NEGATIVE * np.abs(finite).max():
        return ColourMap.MANAGUA
    return _MAPS[place % len(_MAPS)]


def _pointed_layer(place: int, maps: PointedAttention, average: AttentionMap | None) -> PointedOverlay:
    values = average.values if average is not None else maps.values.astype(np.float32).mean(axis=0)
    return PointedOverlay(
        name=maps.name if average is None else average.name, title=maps.title if average is None else average.title,
        values=values, places=maps.places, maps=maps.values, colour_map=_MAPS[place % len(_MAPS)], visible=place == 0,
        opacity=_OPACITY,
    )


def classes_from_class_map(class_map: ClassMap) -> ClassOverlay:
    """A class overlay from a message."""
    ids = array_of("the class map", class_map.class_ids, "u1", class_map.height, class_map.width)
    confidence = array_of("the class map's confidence", class_map.confidence, "u1", class_map.height, class_map.width)
    return classes_layer(ids, confidence.astype(np.float32) / 255, class_map.names)


def classes_layer(ids: np.ndarray, confidence: np.ndarray, names: tuple[str, ...]) -> ClassOverlay:
    """The segmentation as a layer."""
    return ClassOverlay(
        name=SEGMENTATION, title="Segmentation", class_ids=ids, confidence=confidence, names=names, opacity=0.9
    )


def overlays_from_explanation(explanation: Explanation) -> tuple[AnyOverlay, ...]:
    """All layers of a picture, what made the embedding first, the segmentation last.

    Raises:
        ValueError: bytes do not fit their sizes, or a class has no name.
    """
    return layers_with(explanation)


def layers_with(
    explanation: Explanation, grids: Sequence[AttentionMap] = (), classes: ClassOverlay | None = None
) -> tuple[AnyOverlay, ...]:
    """The layers of an explanation after these grids, and with this segmentation.

    Grids of the explanation that have the name of one of ``grids`` are left out, and so is its segmentation if there
    are ``classes``.

    Raises:
        ValueError: bytes do not fit their sizes, or a class has no name.
    """
    names = {grid.name for grid in grids}
    layers = _layers(
        [*grids, *(_attention(grid) for grid in explanation.attention if grid.name not in names)],
        [_regions(boxes) for boxes in explanation.regions],
        [_pointed(maps) for maps in explanation.pointed if maps.n_places],
    )
    if classes is None and explanation.class_map is not None:
        classes = classes_from_class_map(explanation.class_map)
    return tuple(layers) if classes is None else (*layers, classes)


def names_of_places(explanation: Explanation) -> tuple[str, ...]:
    """Names of the layers that words and pointed maps refer to; layers with the same places can stand for them."""
    links = explanation.words.links if explanation.words is not None else ()
    return tuple(dict.fromkeys([*(link.places for link in links), *(maps.places for maps in explanation.pointed)]))


def overlays_from_evidence(evidence: Evidence) -> tuple[AnyOverlay, ...]:
    """The same layers from arrays, in the same order."""
    layers = _layers(evidence.attention, evidence.regions, evidence.pointed)
    seen = evidence.segmentation
    if seen is not None:
        layers.append(classes_layer(seen.class_map, seen.confidence.astype(np.float32), seen.names))
    return tuple(layers)
