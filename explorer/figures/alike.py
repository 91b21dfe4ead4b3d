"""Layers of several pictures made alike: one scale of values, one colour a class: one legend is true of all of them."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from explorer.overlays import AnyOverlay, ClassOverlay, ColourMap, heat_range, legend_rows


def made_alike(layers: Sequence[tuple[AnyOverlay, ...]]) -> tuple[tuple[AnyOverlay, ...], ...]:
    """The same layers; those of one name share the range that their colours stand for, or the colours of classes."""
    made = {name: _same_scale(same) for name, same in _by_name(layers).items()}
    taken = {name: iter(same) for name, same in made.items()}
    return tuple(tuple(next(taken[layer.name]) for layer in of_picture) for of_picture in layers)


def legend_layers(alike: Sequence[tuple[AnyOverlay, ...]]) -> tuple[AnyOverlay, ...]:
    """One layer of each name whose legend is true of all pictures."""
    return tuple(_all_classes(same) or same[0] for same in _by_name(alike).values())


def _by_name(layers: Sequence[tuple[AnyOverlay, ...]]) -> dict[str, list[AnyOverlay]]:
    by_name: dict[str, list[AnyOverlay]] = {}
    for of_picture in layers:
        for layer in of_picture:
            by_name.setdefault(layer.name, []).append(layer)
    return by_name


def _same_scale(same: Sequence[AnyOverlay]) -> list[AnyOverlay]:
    everything = _all_classes(same)
    if everything is not None:
        order = tuple(row.class_id for row in legend_rows(everything))
        return [replace(layer, colour_order=order) for layer in same if isinstance(layer, ClassOverlay)]
    weights = [layer for layer in same if not isinstance(layer, ClassOverlay)]
    if any(layer.colour_map.has_sign for layer in weights):
        weights = [replace(layer, colour_map=ColourMap.MANAGUA) for layer in weights]
    ranges = [heat_range(layer) for layer in weights]
    span = (min(low for low, _ in ranges), max(high for _, high in ranges))
    return [replace(layer, span=span) for layer in weights]


def _all_classes(same: Sequence[AnyOverlay]) -> ClassOverlay | None:
    """The class maps of all pictures as one; None where it is no layer of classes."""
    maps = [layer for layer in same if isinstance(layer, ClassOverlay)]
    if not maps:
        return None
    ids = np.concatenate([layer.class_ids.ravel() for layer in maps])[None]
    return replace(maps[0], class_ids=ids, confidence=np.ones(ids.shape, np.float32))
