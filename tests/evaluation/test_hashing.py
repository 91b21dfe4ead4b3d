"""Codes against codes: blocks against whole matrices, the query that meets itself, random codes, memory."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.cancellation import CancellationToken, Cancelled
from explorer.evaluation import hashing
from explorer.evaluation.hashing import Cutoffs, measure_codes, sharing_a_label
from explorer.evaluation.hashing_metrics import (
    average_precision,
    average_precision_at,
    precision_at,
    ranked_relevance,
    tie_aware_average_precision,
)
from explorer.representations import BinaryCodes


def random_codes(rng: np.random.Generator, n: int, n_bits: int) -> BinaryCodes:
    return BinaryCodes(rng.integers(0, 256, (n, n_bits // 8), np.uint8))


def separable(rng: np.random.Generator, labels: np.ndarray, n_bits: int, *, flipped: float) -> BinaryCodes:
    """Each class its own code, some bits of each item flipped."""
    classes = np.random.default_rng(7).random((labels.shape[1], n_bits)) < 0.5
    bits = classes[labels.argmax(axis=1)] ^ (rng.random((len(labels), n_bits)) < flipped)
    return BinaryCodes(np.packbits(bits, axis=1))


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1), st.sampled_from([8, 16, 24, 64, 72, 128]), st.integers(1, 400))
def test_blocks_give_what_the_whole_matrix_gives(seed: int, n_bits: int, pairs_at_once: int) -> None:
    rng = np.random.default_rng(seed)
    queries, gallery = random_codes(rng, 9, n_bits), random_codes(rng, 30, n_bits)
    labels = rng.random((9, 3)) < 0.3, rng.random((30, 3)) < 0.3
    cutoffs = Cutoffs((5, 90), (4, 90), "possible")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hashing, "_PAIRS_AT_ONCE", pairs_at_once)
        found = measure_codes(queries, gallery, sharing_a_label(*labels), cutoffs=cutoffs)
    distances = (n_bits - queries.signs.astype(int) @ gallery.signs.astype(int).T) // 2
    relevant = np.array([[any(a & b) for b in labels[1]] for a in labels[0]])
    ranked = ranked_relevance(distances, relevant)
    answerable = relevant.any(axis=1)
    assert (found.n_queries, found.n_skipped) == (9, 9 - answerable.sum())

    def mean(values: np.ndarray) -> float:
        return float(values[answerable].mean()) if answerable.any() else float("nan")

    def close(value: float) -> object:
        return pytest.approx(value, nan_ok=True)

    assert found.map == close(mean(average_precision(ranked)))
    assert found.map_tie_aware == close(mean(tie_aware_average_precision(distances, relevant, n_bits)))
    assert found.map_at == {k: close(mean(average_precision_at(ranked, k, "possible"))) for k in (5, 90)}
    assert found.precision_at == {n: close(mean(precision_at(ranked, n))) for n in (4, 90)}
    assert found.map_all_queries == pytest.approx(np.nan_to_num(average_precision(ranked)).mean())
    for radius in (0, 1, n_bits // 2, n_bits):
        within = (distances <= radius) & answerable[:, None]
        assert found.curve.precision[radius] == close(relevant[within].mean() if within.any() else np.nan)
        recalled = relevant[within].sum() / relevant.sum() if relevant.any() else np.nan
        assert found.curve.recall[radius] == close(recalled)


def test_a_query_in_the_gallery_is_taken_out_of_what_it_searches() -> None:
    rng = np.random.default_rng(1)
    codes, labels = random_codes(rng, 40, 16), rng.random((40, 2)) < 0.4
    labels[3] = labels[5] = False
    labels[3, 1] = True
    own = np.arange(40)
    own[20:] = -1  # the others are strangers
    found = measure_codes(codes, codes, sharing_a_label(labels, labels), own_rows=own, cutoffs=Cutoffs((4,), (4,)))
    each = []
    for row in range(40):
        left = np.flatnonzero(own[row] != np.arange(40))
        each.append(
            measure_codes(
                codes[row : row + 1],
                codes[left],
                sharing_a_label(labels[row : row + 1], labels[left]),
                cutoffs=Cutoffs((4,), (4,)),
            )
        )
    for values in (
        (found.map, [one.map for one in each]),
        (found.map_tie_aware, [one.map_tie_aware for one in each]),
        (found.map_at[4], [one.map_at[4] for one in each]),
        (found.precision_at[4], [one.precision_at[4] for one in each]),
    ):
        assert values[0] == pytest.approx(np.nanmean(values[1]))
    assert found.n_skipped == sum(one.n_skipped for one in each)
    assert found.curve.recall[-1] == 1.0


def test_good_codes_beat_random_ones_which_get_the_share_of_relevant_pairs() -> None:
    rng = np.random.default_rng(2)
    labels = np.eye(10, dtype=np.bool_)[rng.integers(0, 10, 1500)]
    relevant = sharing_a_label(labels[:500], labels[500:])
    good = measure_codes(
        separable(rng, labels[:500], 32, flipped=0.05), separable(rng, labels[500:], 32, flipped=0.05), relevant
    )
    assert good.map_tie_aware > 0.95
    assert good.random == pytest.approx(good.curve.precision[-1], abs=0.02)
    assert good.random_codes.precision_at[100] == pytest.approx(0.1, abs=0.02)
    chance = measure_codes(random_codes(rng, 500, 32), random_codes(rng, 1000, 32), relevant, seed=1)
    assert chance.map_tie_aware == pytest.approx(good.random, abs=0.01)
    # The same seed, the same random codes; another seed, others.
    again = measure_codes(random_codes(rng, 500, 32), random_codes(rng, 1000, 32), relevant, seed=1)
    assert again.random_codes == chance.random_codes != good.random_codes


def test_a_collapsed_code_gains_nothing_from_a_lucky_order() -> None:
    labels = np.eye(2, dtype=np.bool_)[[0] * 20 + [1] * 80]
    one_code = BinaryCodes(np.zeros((100, 2), np.uint8))
    found = measure_codes(one_code[:20], one_code, sharing_a_label(labels[:20], labels))
    assert found.map == 1.0  # the relevant items happen to come first
    assert found.map_tie_aware == pytest.approx(found.random, abs=0.05)
    assert found.map_tie_aware < 0.3


def test_memory_does_not_grow_with_the_number_of_queries() -> None:
    rng = np.random.default_rng(3)
    queries, gallery = random_codes(rng, 400, 64), random_codes(rng, 30_000, 64)
    labels = rng.random((400, 5)) < 0.1, rng.random((30_000, 5)) < 0.1
    tracemalloc.start()
    try:
        measure_codes(queries, gallery, sharing_a_label(*labels))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 150e6  # all pairs at once would be 400 x 30,000 x 8 bytes for one of a dozen arrays


def test_a_stop_is_seen_between_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashing, "_PAIRS_AT_ONCE", 30)
    rng, token = np.random.default_rng(4), CancellationToken()
    heard: list[tuple[int, int]] = []

    def hear(n_done: int, n_total: int) -> None:
        heard.append((n_done, n_total))
        token.cancel()

    labels = np.ones((10, 1), np.bool_)
    with pytest.raises(Cancelled):
        measure_codes(
            random_codes(rng, 10, 8), random_codes(rng, 10, 8), sharing_a_label(labels, labels),
            token=token, on_progress=hear,
        )  # fmt: skip
    assert heard == [(3, 10)]


@pytest.mark.parametrize(("n_queries", "n_items", "n_bits"), [(0, 3, 8), (3, 0, 8), (3, 3, 16)])
def test_codes_that_cannot_be_compared(n_queries: int, n_items: int, n_bits: int) -> None:
    rng = np.random.default_rng(5)
    with pytest.raises(ValueError, match="same number of bits"):
        measure_codes(random_codes(rng, n_queries, 8), random_codes(rng, n_items, n_bits), lambda _: np.empty((0, 0)))
