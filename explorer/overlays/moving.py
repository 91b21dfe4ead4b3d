"""What lies over a shot at a time: maps between two frames are mixed, classes are those of the nearest frame.

The layers of a whole shot hold all its frames, one below the other: their range is the scale of every frame, so that a
colour means the same from the first to the last, and their legend names every class of the shot. They are what controls
speak of and are never painted themselves; :func:`overlays_at` makes from them what is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from explorer.evidence import AttentionMap
from explorer.overlays.classes import legend_rows
from explorer.overlays.heat import heat_range
from explorer.overlays.overlay import AnyOverlay, ClassOverlay, HeatOverlay
from explorer.overlays.reading import array_of, classes_layer, layers_with
from explorer.protocol import ClipMaps, Explanation, MovingClasses, MovingGrid


def _nothing() -> np.ndarray:
    return np.zeros(0, np.float32)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MovingOverlays:
    """The layers of a picture or of a shot, and what of them moves.

    Attributes:
        layers: what controls are made from; where something moves, with all frames below each other.
        times_s: float32 (n_frames,), ascending, where in the video each frame is; empty where nothing moves.
        heat: of every layer that moves, by its name, the values of each frame, float32 (h, w).
        classes: class ids and confidence of each frame, if they move.
        curve_title: what the curve along time is called; empty without one.
        curve: float32 (n_frames,), or empty.
    """

    layers: tuple[AnyOverlay, ...]
    times_s: np.ndarray = field(default_factory=_nothing)
    heat: Mapping[str, tuple[np.ndarray, ...]] = field(default_factory=dict)
    classes: tuple[tuple[np.ndarray, np.ndarray], ...] = ()
    curve_title: str = ""
    curve: np.ndarray = field(default_factory=_nothing)

    @property
    def moves(self) -> bool:
        """Whether anything is another thing at another time."""
        return bool(self.heat or self.classes)


def moving_overlays(explanation: Explanation) -> MovingOverlays:
    """All layers of an explanation; those that move come first, and take the place of still ones of the same name.

    Raises:
        ValueError: bytes do not fit their sizes, times do not ascend, or a class has no name.
    """
    clip = explanation.clip
    times = np.zeros(0, np.float32) if clip is None else np.frombuffer(clip.times_s, "<f4").astype(np.float32)
    if clip is None or not times.size:
        return MovingOverlays(layers=layers_with(explanation))
    if not np.isfinite(times).all() or (np.diff(times) < 0).any():
        raise ValueError("the times of a shot's frames should ascend")
    heat = {grid.name: _frames(grid, times.size) for grid in clip.attention}
    classes = () if clip.class_maps is None else _class_frames(clip.class_maps, times.size)
    layers = layers_with(
        explanation,
        [AttentionMap(grid.name, grid.title, np.concatenate(heat[grid.name])) for grid in clip.attention],
        None if clip.class_maps is None else _all_classes(classes, clip.class_maps.names),
    )
    return MovingOverlays(
        layers=layers, times_s=times, heat=heat, classes=classes, curve_title=clip.curve_title,
        curve=_curve(clip, times.size),
    )


def overlays_at(
    moving: MovingOverlays, time_s: float, overlays: tuple[AnyOverlay, ...] | None = None
) -> tuple[AnyOverlay, ...]:
    """What is shown at a time of the video; before the first frame that one, after the last that one.

    ``overlays``: the layers as a person set them; None: as they are.
    """
    shown = moving.layers if overlays is None else overlays
    if not moving.moves:
        return shown
    before, after, part = _between(moving.times_s, time_s)
    return tuple(_at(moving, overlay, before, after, part) for overlay in shown)


def _at(moving: MovingOverlays, overlay: AnyOverlay, before: int, after: int, part: float) -> AnyOverlay:
    if isinstance(overlay, ClassOverlay):
        if not moving.classes:
            return overlay
        ids, confidence = moving.classes[after if part >= 0.5 else before]
        order = tuple(row.class_id for row in legend_rows(overlay))
        return replace(overlay, class_ids=ids, confidence=confidence, colour_order=order)
    frames = moving.heat.get(overlay.name)
    if frames is None or not isinstance(overlay, HeatOverlay):
        return overlay
    if part == 0 or part == 1:
        values = frames[after if part else before]
    else:
        values = frames[before] + np.float32(part) * (frames[after] - frames[before])
    return replace(overlay, values=values, span=heat_range(overlay))


def _between(times_s: np.ndarray, time_s: float) -> tuple[int, int, float]:
    """The frames before and after a time, and how far it is from the one to the other, in [0, 1]."""
    last = times_s.size - 1
    before = min(last, max(0, int(np.searchsorted(times_s, time_s, side="right")) - 1))
    after = min(last, before + 1)
    gap = float(times_s[after] - times_s[before])
    part = (time_s - float(times_s[before])) / gap if gap > 0 else 0.0
    return before, after, min(1.0, max(0.0, part))


def _frames(grid: MovingGrid, n_frames: int) -> tuple[np.ndarray, ...]:
    cells = array_of(f"the moving map {grid.name!r}", grid.values, "<f2", n_frames * grid.height, grid.width)
    # Split once: who paints tells arrays apart by their identity.
    return tuple(np.split(cells.astype(np.float32), n_frames))


def _class_frames(maps: MovingClasses, n_frames: int) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    height = n_frames * maps.height
    ids = array_of("the moving class maps", maps.class_ids, "u1", height, maps.width)
    sure = array_of("the moving class maps' confidence", maps.confidence, "u1", height, maps.width)
    confidence = sure.astype(np.float32) / 255
    return tuple(zip(np.split(ids, n_frames), np.split(confidence, n_frames), strict=True))


def _all_classes(frames: tuple[tuple[np.ndarray, np.ndarray], ...], names: tuple[str, ...]) -> ClassOverlay:
    ids, confidence = (np.concatenate(parts) for parts in zip(*frames, strict=True))
    return classes_layer(ids, confidence, names)


def _curve(clip: ClipMaps, n_frames: int) -> np.ndarray:
    if not clip.curve:
        return np.zeros(0, np.float32)
    if len(clip.curve) != 4 * n_frames:
        raise ValueError(f"the curve should have {4 * n_frames} bytes for {n_frames} frames, got {len(clip.curve)}")
    return np.frombuffer(clip.curve, "<f4").astype(np.float32)
