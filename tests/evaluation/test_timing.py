"""Times of a query, with a clock that is told how long each step takes."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.cancellation import CancellationToken, Cancelled
from explorer.evaluation import timing
from explorer.evaluation.timing import (
    BestTimes,
    QueryTiming,
    growth,
    some_sentences,
    tile_gallery,
    time_queries,
    to_dict,
)
from explorer.representations import Embeddings


class Clock:
    """Every reading is a tick later; the encoder and slow sentences add to it."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        self.now_s += 0.001
        return self.now_s


class ClockEncoder:
    """Takes 4 ms for a sentence, and 104 ms for "slow"."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.asked: list[str] = []

    def encode_texts(self, texts: Sequence[str]) -> Embeddings:
        assert len(texts) == 1
        self.asked += texts
        self.clock.now_s += 0.104 if texts[0] == "slow" else 0.004
        return Embeddings(np.ones((1, 4), np.float32))


def unit_rows(n: int, dim: int = 4) -> np.ndarray:
    rows = np.random.default_rng(0).standard_normal((n, dim), dtype=np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_every_step_gets_its_own_time() -> None:
    clock = Clock()
    encoder = ClockEncoder(clock)
    texts = ["a", "b", "slow", "c", "d"]
    small, large = time_queries(encoder, texts, [unit_rows(3), unit_rows(8)], clock=clock)  # type: ignore[arg-type]
    assert (small.n_items, large.n_items, large.dim, large.n_queries) == (3, 8, 4, 5)
    # A tick lies between two readings; the median does not know the slow sentence, Kpps does.
    assert large.encode_ms == pytest.approx(5)
    assert large.score_ms == large.sort_ms == large.product_ms == pytest.approx(1)
    seconds = 4 * 0.005 + 0.105 + 5 * 0.002
    assert large.kpps == pytest.approx(5 / seconds / 1000)
    assert large.kpps_search == pytest.approx(5 / (5 * 0.002) / 1000)
    assert large.best == BestTimes(*(pytest.approx(value) for value in (5, 1, 1, 1, 1 / 7, 1 / 2)))
    warm_up = [text for text in texts[: timing.N_WARM_UP] for _ in range(2)]
    assert encoder.asked == warm_up + [text for text in texts for _ in range(2)]  # the sizes take turns


def test_stopping_and_nothing_to_ask() -> None:
    clock = Clock()
    token = CancellationToken()
    token.cancel()
    with pytest.raises(Cancelled):
        time_queries(ClockEncoder(clock), ["a"], [unit_rows(2)], token=token, clock=clock)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at least one sentence"):
        time_queries(ClockEncoder(clock), [], [unit_rows(2)], clock=clock)  # type: ignore[arg-type]


def test_growth_is_beside_the_smallest() -> None:
    def timed(n: int, encode: float, score: float, sort: float, product: float) -> QueryTiming:
        best = BestTimes(encode, score, sort, product, 1.0, 1.0)
        return QueryTiming(n, 4, 10, 9.0, 9.0, 9.0, 9.0, 1.0, 1.0, best)

    steps = growth([timed(5000, 6, 2, 3, 1), timed(1000, 6, 0.5, 0.5, 0.25)])
    assert [step.n_items for step in steps] == [5000, 1000]
    assert (steps[0].items, steps[0].score, steps[0].sort, steps[0].product) == (5, 4, 6, 4)
    assert steps[0].query == pytest.approx(11 / 7)
    assert steps[1].items == steps[1].score == steps[1].sort == steps[1].product == steps[1].query == 1
    assert list(to_dict([timed(1, 1, 1, 1, 1)])) == ["sizes", "growth"]


@given(st.integers(1, 9), st.integers(1, 40))
def test_tiled_gallery_keeps_lengths_and_first_copy(n: int, n_items: int) -> None:
    base = 3 * unit_rows(n, dim=64)
    before = base.copy()
    tiled = tile_gallery(base, n_items)
    assert tiled.shape == (n_items, 64)
    assert tiled.dtype == np.float32
    np.testing.assert_array_equal(base, before)
    np.testing.assert_array_equal(tiled[:n], base[:n_items])
    np.testing.assert_allclose(np.linalg.norm(tiled, axis=1), 3, rtol=1e-5)
    cosines = (tiled * base[np.arange(n_items) % n]).sum(axis=1) / 9
    assert (cosines > 0.98).all()
    assert len(np.unique(tiled, axis=0)) == n_items  # no copy is the same, so nothing is tied


def test_some_sentences_are_spread() -> None:
    sentences = [[f"{photo}-{number}" for number in range(5)] for photo in range(10)]
    assert some_sentences(sentences, 5) == ["0-0", "2-0", "4-0", "6-0", "8-0"]
    assert len(set(some_sentences(sentences, 49))) == 49
    assert len(some_sentences(sentences, 999)) == 50
