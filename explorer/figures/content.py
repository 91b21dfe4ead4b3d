"""What a figure is made of, apart from how it is drawn."""

from dataclasses import dataclass, field

import numpy as np

from explorer.evidence import Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownResult:
    """One result.

    Attributes:
        picture: uint8 RGB (h, w, 3).
        name: what its file is called.
        evidence: what the model says about it; None where nobody asked.
        score: similarity to the query.
        rank: its place among all results, from 1.
        correct: whether the query is one of its sentences.
    """

    picture: np.ndarray = field(repr=False)
    name: str = ""
    evidence: Evidence | None = field(default=None, repr=False)
    score: float | None = None
    rank: int | None = None
    correct: bool = False

    def __post_init__(self) -> None:
        picture = self.picture
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or picture.size == 0:
            raise ValueError(
                f"the picture must be uint8 of shape (h, w, 3), got {picture.dtype} of shape {picture.shape}"
            )

    @property
    def aspect(self) -> float:
        """Width of the picture over its height."""
        height, width = self.picture.shape[:2]
        return float(width / height)


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureContent:
    """What was asked, and what came.

    Attributes:
        results: in the order in which they are drawn.
        query: the sentence; may be empty.
        not_query: the sentence to stay away from; may be empty.
        query_picture: uint8 RGB (h, w, 3), if it was searched with a picture.
        model: what the model is called.
        n_gallery: how many items were ranked; 0 if that is not known. ranked: what they are called.
        correct_ranks: places of all correct items among all results; None where nobody knows which are correct.
    """

    results: tuple[ShownResult, ...]
    query: str = ""
    not_query: str = ""
    query_picture: np.ndarray | None = field(default=None, repr=False)
    model: str = ""
    n_gallery: int = 0
    ranked: str = "pictures"
    correct_ranks: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if not self.results:
            raise ValueError("a figure needs at least one result, got none")
