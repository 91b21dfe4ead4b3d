"""What an explanation holds: numpy arrays in image coordinates normalised to [0, 1].

A grid covers the whole picture: cell (row r, column c) of an (h, w) grid covers x in [c/w, (c+1)/w] and y in
[r/h, (r+1)/h] of the picture *as it is shown*. Photos are squashed to the network's square, never cropped, so a grid
over the square is the same grid over the picture, stretched independently in x and y.
"""

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True, slots=True)
class AttentionMap:
    """A saliency grid, for example the VSeM gates over 7 x 7 cells.

    Attributes:
        name: machine name, for example ``"vsem"``; unique within one evidence.
        title: what the viewer calls it.
        values: the raw weights as the model used them, float32 (h, w).
    """

    name: str
    title: str
    values: np.ndarray

    def __post_init__(self) -> None:
        if self.values.dtype != np.float32 or self.values.ndim != 2:
            raise ValueError(
                f"attention must be float32 of shape (h, w), got {self.values.dtype} of shape {self.values.shape}"
            )


@dataclass(frozen=True, slots=True)
class Segmentation:
    """A class map with names.

    Attributes:
        class_map: uint8 (h, w), indexes into ``names``; 0 is background.
        confidence: float32 (h, w) in [0, 1].
        names: class names; ``names[0]`` is the background.
        presence: probability that each named thing is in the picture; may name more classes than the map.
    """

    class_map: np.ndarray
    confidence: np.ndarray
    names: tuple[str, ...]
    presence: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.class_map.shape != self.confidence.shape or self.class_map.ndim != 2:
            raise ValueError(
                f"class map and confidence must both be (h, w), got {self.class_map.shape} and {self.confidence.shape}"
            )


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that one model can say about one picture.

    Attributes:
        attention: saliency grids, the one that made the embedding first.
        segmentation: what the model saw, if it segments.
        score: similarity to the query, if there was one.
    """

    attention: tuple[AttentionMap, ...] = ()
    segmentation: Segmentation | None = None
    score: float | None = None
