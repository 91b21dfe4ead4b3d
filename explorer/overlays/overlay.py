"""What lies over a picture, and how it is shown."""

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from explorer.overlays.colour_maps import ColourMap


class OverlayKind(StrEnum):
    """How an overlay is read: a quantity, or names."""

    HEAT = "heat"
    CLASSES = "classes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlay:
    """One layer over a picture; change it with :func:`dataclasses.replace`.

    Attributes:
        name: machine name, unique within one picture.
        title: what the person reads.
        kind: decides who paints it.
        visible: whether it is painted.
        opacity: in [0, 1].
        threshold: in [0, 1]; what lies below is not painted. Of a heat map: part of its own range; of a class map:
            the confidence.
    """

    name: str
    title: str
    kind: OverlayKind
    visible: bool = True
    opacity: float = 0.6
    threshold: float = 0.0

    def __post_init__(self) -> None:
        for what, value in (("opacity", self.opacity), ("threshold", self.threshold)):
            if not 0.0 <= value <= 1.0:
                raise ValueError(f"{what} must be in [0, 1], got {value}")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatOverlay(Overlay):
    """A quantity over the picture.

    Attributes:
        values: the raw weights as the model used them, float32 (h, w).
        colour_map: an even one, so that equal steps look equal.
    """

    kind: OverlayKind = OverlayKind.HEAT
    values: np.ndarray
    colour_map: ColourMap = ColourMap.MAGMA

    def __post_init__(self) -> None:
        Overlay.__post_init__(self)
        if self.values.dtype != np.float32 or self.values.ndim != 2 or self.values.size == 0:
            raise ValueError(
                f"a heat map must be float32 of shape (h, w), got {self.values.dtype} of shape {self.values.shape}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassOverlay(Overlay):
    """Names over the picture.

    Attributes:
        class_ids: uint8 (h, w), indexes into ``names``; 0 is the background and is never painted.
        confidence: float32 (h, w) in [0, 1].
        names: class names; ``names[0]`` is the background.
        hidden: ids of classes that are not painted.
        filled: whether areas are filled; if not, only their outlines are painted.
    """

    kind: OverlayKind = OverlayKind.CLASSES
    class_ids: np.ndarray
    confidence: np.ndarray
    names: tuple[str, ...]
    hidden: frozenset[int] = frozenset()
    filled: bool = True

    def __post_init__(self) -> None:
        Overlay.__post_init__(self)
        if self.class_ids.shape != self.confidence.shape or self.class_ids.ndim != 2 or self.class_ids.size == 0:
            raise ValueError(
                f"class ids and confidence must both be (h, w), "
                f"got {self.class_ids.shape} and {self.confidence.shape}"
            )
        highest = int(self.class_ids.max())
        if highest >= len(self.names):
            raise ValueError(f"class id {highest} has no name: there are {len(self.names)} names")


def composed(overlays: tuple[HeatOverlay | ClassOverlay, ...]) -> tuple[HeatOverlay | ClassOverlay, ...]:
    """The overlays as they are painted together: over a heat map classes are outlines, so its colours stay true."""
    has_heat = any(overlay.visible and isinstance(overlay, HeatOverlay) for overlay in overlays)
    return tuple(
        replace(overlay, filled=not has_heat) if isinstance(overlay, ClassOverlay) else overlay for overlay in overlays
    )
