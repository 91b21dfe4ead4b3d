"""What lies over a picture, and how it is shown."""

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from explorer.overlays.colour_maps import ColourMap


class OverlayKind(StrEnum):
    """How an overlay is read: a quantity everywhere, a quantity of boxes, or names."""

    HEAT = "heat"
    REGIONS = "regions"
    CLASSES = "classes"


class Style(StrEnum):
    """How a quantity is shown: by colours, or by a dark cover that opens where it is high (README.md 3.11)."""

    HEAT = "heat"
    COVER = "cover"


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
        values: the raw weights as the model used them, float32 (h, w); its places are the cells, row by row.
        colour_map: an even one, so that equal steps look equal.
        style: colours or a cover.
        span: values that the two ends of the colours stand for; None: the lowest and the highest.
    """

    kind: OverlayKind = OverlayKind.HEAT
    values: np.ndarray
    colour_map: ColourMap = ColourMap.MAGMA
    style: Style = Style.HEAT
    span: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        Overlay.__post_init__(self)
        if self.values.dtype != np.float32 or self.values.ndim != 2 or self.values.size == 0:
            raise ValueError(
                f"a heat map must be float32 of shape (h, w), got {self.values.dtype} of shape {self.values.shape}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class PointedOverlay(HeatOverlay):
    """A quantity over the picture that is another one for each place of another layer.

    Attributes:
        values: what is shown while no place is pointed at: the average over places.
        places: name of the layer whose places these are.
        maps: float16 or float32 (n_places, h', w').
    """

    places: str
    maps: np.ndarray

    def __post_init__(self) -> None:
        HeatOverlay.__post_init__(self)
        if self.maps.ndim != 3 or self.maps.size == 0:
            raise ValueError(f"maps of places must be of shape (n, h, w), got {self.maps.shape}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionOverlay(Overlay):
    """Boxes over the picture, each with a weight.

    Attributes:
        boxes: float32 (n, 4), xyxy normalised to the picture; the places of this layer.
        values: the raw weights as the model used them, float32 (n,).
        scores: how sure the proposer is of each, float32 (n,).
        labels: n names of what it believes each to be; empty strings where it does not say.
        colour_map: an even one.
        style: outlines in colours, or a cover.
        span: values that the two ends of the colours stand for; None: the lowest and the highest.
        numbered: whether each box bears its number: its place in the order of the boxes, from 1, the most dominant.
    """

    kind: OverlayKind = OverlayKind.REGIONS
    boxes: np.ndarray
    values: np.ndarray
    scores: np.ndarray
    labels: tuple[str, ...]
    colour_map: ColourMap = ColourMap.MAGMA
    style: Style = Style.HEAT
    span: tuple[float, float] | None = None
    numbered: bool = True

    def __post_init__(self) -> None:
        Overlay.__post_init__(self)
        n = len(self.labels)
        if self.boxes.shape != (n, 4) or self.values.shape != (n,) or self.scores.shape != (n,):
            raise ValueError(
                f"{n} labels need boxes ({n}, 4), values and scores ({n},); got {self.boxes.shape}, "
                f"{self.values.shape} and {self.scores.shape}"
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
        colour_order: ids that choose their colours first, so that pictures side by side agree; may name others.
    """

    kind: OverlayKind = OverlayKind.CLASSES
    class_ids: np.ndarray
    confidence: np.ndarray
    names: tuple[str, ...]
    hidden: frozenset[int] = frozenset()
    filled: bool = True
    colour_order: tuple[int, ...] = ()

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


AnyOverlay = HeatOverlay | RegionOverlay | ClassOverlay


def composed(overlays: tuple[AnyOverlay, ...]) -> tuple[AnyOverlay, ...]:
    """The overlays as they are painted together, the lowest first.

    Over a heat map classes are outlines, so its colours stay true; outlines of regions lie on top of what is filled.
    """
    has_heat = any(_fills_the_picture(overlay) for overlay in overlays)
    dressed = [
        replace(overlay, filled=not has_heat) if isinstance(overlay, ClassOverlay) else overlay for overlay in overlays
    ]
    return tuple(sorted(dressed, key=_is_outlines))


def _is_outlines(overlay: AnyOverlay) -> bool:
    return isinstance(overlay, RegionOverlay) and overlay.style is Style.HEAT


def _fills_the_picture(overlay: AnyOverlay) -> bool:
    """Whether colours of classes would mix with its own."""
    if isinstance(overlay, ClassOverlay) or not overlay.visible:
        return False
    return isinstance(overlay, HeatOverlay) or overlay.style is Style.COVER
