"""Rankings are a function of scores and ids alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from explorer.retrieval import Hit, Ranking, rank_scores

# Few distinct values, so that most places are ties.
TIED_SCORES = st.integers(1, 40).flatmap(
    lambda n: arrays(np.float32, (3, n), elements=st.sampled_from([-2.0, -0.5, 0.0, 0.25, 1.0]))
)


def ids_for(n: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).permutation(10 * n)[:n].astype(np.int64)


def naive(row: np.ndarray, item_ids: np.ndarray) -> list[int]:
    return [
        item_id
        for _, item_id in sorted(
            (-score, item_id) for score, item_id in zip(row.tolist(), item_ids.tolist(), strict=True)
        )
    ]


@given(TIED_SCORES, st.integers(0, 50), st.integers(0, 99))
def test_ranking_equals_sorting_by_score_then_id(scores: np.ndarray, k: int, seed: int) -> None:
    item_ids = ids_for(scores.shape[1], seed)
    ranking = rank_scores(scores, item_ids, k)
    expected = [naive(row, item_ids)[: k or None] for row in scores]
    assert ranking.item_ids.tolist() == expected
    value_of = dict(zip(item_ids.tolist(), scores[1].tolist(), strict=True))
    assert ranking.scores[1].tolist() == [value_of[item_id] for item_id in expected[1]]


@given(TIED_SCORES, st.integers(0, 50))
def test_ranking_is_invariant_under_monotone_change_and_shift(scores: np.ndarray, k: int) -> None:
    item_ids = np.arange(scores.shape[1])
    plain = rank_scores(scores, item_ids, k).item_ids
    for changed in (scores + 4, 2 * scores, np.exp(scores), scores**3):
        np.testing.assert_array_equal(rank_scores(changed, item_ids, k).item_ids, plain)


@given(TIED_SCORES, st.integers(0, 40), st.integers(0, 99))
def test_permuting_the_gallery_changes_nothing(scores: np.ndarray, k: int, seed: int) -> None:
    item_ids = ids_for(scores.shape[1], seed)
    order = np.random.default_rng(seed).permutation(len(item_ids))
    one, other = rank_scores(scores, item_ids, k), rank_scores(scores[:, order], item_ids[order], k)
    np.testing.assert_array_equal(one.item_ids, other.item_ids)
    np.testing.assert_array_equal(one.scores, other.scores)


@given(TIED_SCORES, st.integers(0, 2**32 - 1))
def test_recall_never_falls_with_k(scores: np.ndarray, seed: int) -> None:
    n = scores.shape[1]
    relevant = np.random.default_rng(seed).random(n) < 0.3
    item_ids = np.arange(n)
    found = [relevant[rank_scores(scores[0], item_ids, k).item_ids[0]].sum() for k in range(1, n + 1)]
    assert found == sorted(found)
    assert found[-1] == relevant.sum()


def test_shorter_ranking_is_the_start_of_a_longer_one() -> None:
    scores = np.random.default_rng(0).integers(0, 5, (2, 200)).astype(np.float32)
    whole = rank_scores(scores, np.arange(200))
    for k in (1, 7, 199, 200, 1000):
        np.testing.assert_array_equal(rank_scores(scores, np.arange(200), k).item_ids, whole.item_ids[:, :k])


def test_one_row_and_nothing() -> None:
    assert rank_scores(np.array([1.0, 2.0]), np.array([5, 6])).item_ids.tolist() == [[6, 5]]
    assert rank_scores(np.empty((2, 0)), np.empty(0, np.int64), 3).item_ids.shape == (2, 0)
    assert rank_scores(np.empty((0, 4)), np.arange(4), 3).item_ids.shape == (0, 3)


def test_hits_count_from_one() -> None:
    ranking = rank_scores(np.array([0.5, 2.0, 1.0]), np.array([10, 20, 30]), 2)
    assert ranking.hits() == (Hit(20, 2.0, 1), Hit(30, 1.0, 2))
    assert len(ranking) == 1


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected scores \(n,\) or \(q, n\) for \(2,\) item ids, got \(3,\)"):
        rank_scores(np.zeros(3), np.arange(2))
    with pytest.raises(ValueError, match="k must not be negative, got -1"):
        rank_scores(np.zeros(3), np.arange(3), -1)
    with pytest.raises(ValueError, match="1 scores are not numbers, the first is that of item 8"):
        rank_scores(np.array([1.0, np.nan]), np.array([9, 8]), 1)
    with pytest.raises(ValueError, match="must both be"):
        Ranking(np.zeros((1, 2), np.int64), np.zeros((1, 3), np.float32))
