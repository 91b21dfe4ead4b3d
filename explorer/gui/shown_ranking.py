"""The ranking that is drawn, as arrays, and the part of it above a score."""

import math

import numpy as np

from explorer.gui.item_text import score_text
from explorer.gui.phrases import count, holdings, noun_of
from explorer.protocol import SearchResponse


class ShownRanking:
    """One ranking, best first.

    Attributes:
        n_kept: how many results the bound leaves.
        n_bits: of the codes that were compared, whose scores come in steps of 2 / n_bits; 0 for other models.
    """

    def __init__(self) -> None:
        self._item_ids = np.empty(0, np.int64)
        self._scores: np.ndarray | None = None
        self._asked: object = None
        self._bound: float | None = None
        self.n_kept = self.n_bits = 0

    def take(self, ranking: SearchResponse) -> bool:
        """Show this one from now on; whether it answers another query than the last."""
        self._item_ids = np.frombuffer(ranking.item_ids, dtype="<i8").astype(np.int64, copy=False)
        scores = np.frombuffer(ranking.scores, dtype="<f4").astype(np.float32, copy=False)
        self._scores = scores if len(scores) else None
        self.n_bits = ranking.n_bits
        before, self._asked = self._asked, (ranking.query, ranking.model)
        return before != self._asked

    @property
    def has_scores(self) -> bool:
        """Whether this is a ranking, not everything in no order of merit."""
        return self._scores is not None

    def score_of(self, row: int) -> float | None:
        """The score in this row."""
        if self._scores is None or not 0 <= row < len(self._scores):
            return None
        return float(self._scores[row])

    def first(self, n_items: int) -> tuple[int, ...]:
        """Ids of the first items that the bound leaves."""
        return tuple(self._item_ids[: min(n_items, self.n_kept)].tolist())

    def keep_above(self, part: float) -> tuple[np.ndarray, np.ndarray | None]:
        """Ids and scores above a bound, which lies at ``part`` of the way from the lowest score to the best.

        Part 0 keeps everything.
        """
        self.n_kept, self._bound = len(self._item_ids), None
        if self._scores is None:
            return self._item_ids, None
        if part > 0 and len(self._scores):
            low, high = float(self._scores[-1]), float(self._scores[0])
            self._bound = self._on_a_step(low + (high - low) * part)
            # The scores fall, so their negatives rise.
            self.n_kept = int(np.searchsorted(-self._scores, -np.float32(self._bound), side="right"))
        return self._item_ids[: self.n_kept], self._scores[: self.n_kept]

    def _on_a_step(self, bound: float) -> float:
        """The lowest score at or above a bound that codes can have: what is told is then what the last result has."""
        if not self.n_bits:
            return bound
        n_differ = math.floor((1 - bound) * self.n_bits / 2 + 1e-4)  # scores are float32
        return 1 - 2 * n_differ / self.n_bits

    def bound_text(self) -> str:
        """What stands beside the slider."""
        return "Score" if self._bound is None else f"Score ≥ {score_text(self._bound)}"

    def count_text(self, n_items: int = 0, n_videos: int = 0) -> str:
        """``"300 photos, 25 videos"``, ``"1,204 results"``, ``"120 of 1,204 results"``.

        Args:
            n_items: in the library. n_videos: how many of them are videos.
        """
        n_all = len(self._item_ids)
        if self._scores is None:
            # While folders are read the library may be ahead: then nobody counted how many of these are videos.
            return holdings(n_all, n_videos) if n_all == n_items else count(n_all, noun_of(n_items, n_videos))
        return f"{self.n_kept:,} of {count(n_all, 'result')}" if self.n_kept < n_all else count(n_all, "result")
