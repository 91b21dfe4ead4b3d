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
class RegionWeights:
    """Boxes, each with a weight: the same regions come once for every kind of weight.

    Attributes:
        name: machine name, for example ``"regions"`` or ``"vsem"``; unique within one evidence.
        title: what the viewer calls it.
        boxes: float32 (n, 4), xyxy.
        values: float32 (n,), the raw weights as the model used them.
        scores: float32 (n,), how sure the proposer is of each.
        labels: n names of what the proposer believes them to be; may be empty strings.
    """

    name: str
    title: str
    boxes: np.ndarray
    values: np.ndarray
    scores: np.ndarray
    labels: tuple[str, ...]

    def __post_init__(self) -> None:
        n = len(self.labels)
        if self.boxes.shape != (n, 4) or self.values.shape != (n,) or self.scores.shape != (n,):
            raise ValueError(
                f"{n} labels need boxes ({n}, 4), values and scores ({n},); got {self.boxes.shape}, "
                f"{self.values.shape} and {self.scores.shape}"
            )


@dataclass(frozen=True, slots=True)
class PointedAttention:
    """For every place of another layer a map over the whole picture, for example where VSpM attends from a cell.

    Attributes:
        name: machine name, unique within one evidence.
        title: what the viewer calls it.
        places: name of the :class:`AttentionMap` (its cells row by row) or :class:`RegionWeights` that they belong to.
        values: float16 or float32 (n_places, h, w).
    """

    name: str
    title: str
    places: str
    values: np.ndarray


@dataclass(frozen=True, slots=True)
class PlaceShares:
    """What each place gave to the score, once for every row of the query; additive over places.

    Attributes:
        places: name of the :class:`AttentionMap` (its cells row by row) or :class:`RegionWeights`.
        values: float32 (n_rows, n_places).
    """

    places: str
    values: np.ndarray


@dataclass(frozen=True, slots=True)
class WordWeights:
    """The words of the query's sentence, and where in the picture each one counts.

    Attributes:
        words: as written; in very long sentences each entry is a run of several words.
        weights: float32 (n_words,), how far the score falls when that word is left out.
        links: for every layer with shares, float32 (n_words, n_places): how much of that each place accounts for.
    """

    words: tuple[str, ...]
    weights: np.ndarray
    links: tuple[PlaceShares, ...] = ()


@dataclass(frozen=True, slots=True)
class BitAgreement:
    """The codes of query and picture, bit by bit.

    Attributes:
        query: float32 (n_bits,) in [-1, 1], what the query's bits were rounded from: a bit is set where it is not
            negative, and its size is how far the bit is from flipping.
        item: likewise of the picture.
    """

    query: np.ndarray
    item: np.ndarray

    def __post_init__(self) -> None:
        if self.query.shape != self.item.shape or self.query.ndim != 1:
            raise ValueError(f"both codes must be (n_bits,), got {self.query.shape} and {self.item.shape}")

    @property
    def agree(self) -> np.ndarray:
        """Bool (n_bits,): where both have the same bit."""
        return np.asarray((self.query >= 0) == (self.item >= 0))


@dataclass(frozen=True, slots=True)
class MovingAttention:
    """A saliency grid for every frame of a clip.

    Attributes:
        name: machine name, unique within one evidence.
        title: what the viewer calls it.
        values: float32 (n_frames, h, w), on one scale for the whole clip.
    """

    name: str
    title: str
    values: np.ndarray

    def __post_init__(self) -> None:
        if self.values.dtype != np.float32 or self.values.ndim != 3:
            raise ValueError(f"moving attention must be float32 (n_frames, h, w), got {self.values.dtype} of shape "
                             f"{self.values.shape}")


@dataclass(frozen=True, slots=True)
class TemporalWeights:
    """When in a clip the model found what it was asked for.

    Attributes:
        title: what the timeline calls it.
        values: float32 (n_frames,).
    """

    title: str
    values: np.ndarray


@dataclass(frozen=True, slots=True)
class ClipEvidence:
    """Evidence of a shot, frame by frame.

    Attributes:
        times_s: float32 (n_frames,), ascending, where in the video each frame is.
        attention: what made the clip's embedding or its score first.
        segmentation: one for each frame, all with the same names; or none.
        temporal: a curve along the frames, if there is one.
    """

    times_s: np.ndarray
    attention: tuple[MovingAttention, ...] = ()
    segmentation: tuple[Segmentation, ...] = ()
    temporal: TemporalWeights | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that one model can say about one picture, or one shot of a video.

    Attributes:
        attention: saliency grids, the one that made the embedding first.
        regions: boxes with weights, those that say what they gave to the score first.
        segmentation: what the model saw, if it segments.
        pointed: maps for the place under the pointer.
        score: similarity to the query, if there was one; what the ranking was made by.
        row_scores: float32 (n_rows,), the score of every row of the query; the first is :attr:`score`, but for binary
            codes, whose rows are compared before they are rounded to bits: a word seldom flips one.
        shares: what each place gave to those scores.
        words: the query's words, where they were asked for.
        bits: both codes, where the model makes binary codes and there was a query.
        clip: of a shot: what holds frame by frame. What else is here then speaks of the whole shot.
    """

    attention: tuple[AttentionMap, ...] = ()
    segmentation: Segmentation | None = None
    score: float | None = None
    regions: tuple[RegionWeights, ...] = ()
    pointed: tuple[PointedAttention, ...] = ()
    row_scores: np.ndarray | None = None
    shares: tuple[PlaceShares, ...] = ()
    words: WordWeights | None = None
    bits: BitAgreement | None = None
    clip: ClipEvidence | None = None
