"""Metrics of Hamming rankings against plain loops, permutations and hand-made cases."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.evaluation.hashing_metrics import (
    Normaliser,
    average_precision,
    average_precision_at,
    count_by_radius,
    mean_over_all,
    mean_over_answerable,
    precision_and_recall_by_radius,
    precision_at,
    ranked_relevance,
    tie_aware_average_precision,
)


@st.composite
def rankings(draw: st.DrawFn, most_items: int = 12, n_bits: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Distances and relevance of a few queries, with many ties."""
    n_queries, n_items = draw(st.integers(1, 4)), draw(st.integers(1, most_items))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    distances = rng.integers(0, draw(st.integers(1, n_bits)) + 1, (n_queries, n_items)).astype(np.uint16)
    return distances, rng.random((n_queries, n_items)) < draw(st.sampled_from([0.0, 0.2, 0.5, 1.0]))


def loop_average_precision(relevant_in_order: list[bool], k: int, normaliser: Normaliser) -> float:
    n_relevant, n_found, total = sum(relevant_in_order), 0, 0.0
    if not n_relevant:
        return float("nan")
    for place, right in enumerate(relevant_in_order[:k], start=1):
        if right:
            n_found += 1
            total += n_found / place
    return total / (n_found or 1) if normaliser == "found" else total / min(k, n_relevant)


@settings(deadline=None)
@given(rankings(), st.integers(1, 14), st.sampled_from(["found", "possible"]))
def test_ap_and_precision_are_what_a_plain_loop_gives(
    ranking: tuple[np.ndarray, np.ndarray], k: int, normaliser: Normaliser
) -> None:
    distances, relevant = ranking
    ranked = ranked_relevance(distances, relevant)
    for row, nearness, right in zip(range(len(ranked)), distances.tolist(), relevant.tolist(), strict=True):
        order = sorted(range(len(nearness)), key=lambda item: (nearness[item], item))
        in_order = [right[item] for item in order]
        assert ranked[row].tolist() == in_order
        expected = loop_average_precision(in_order, k, normaliser)
        assert average_precision_at(ranked, k, normaliser)[row] == pytest.approx(expected, nan_ok=True)
        whole = loop_average_precision(in_order, len(in_order), "possible")
        assert average_precision(ranked)[row] == pytest.approx(whole, nan_ok=True)
        precision = sum(in_order[:k]) / k if any(in_order) else float("nan")
        assert precision_at(ranked, k)[row] == pytest.approx(precision, nan_ok=True)


@settings(deadline=None, max_examples=50)
@given(rankings(most_items=6))
def test_tie_aware_ap_is_the_mean_over_all_orders_within_ties(ranking: tuple[np.ndarray, np.ndarray]) -> None:
    distances, relevant = ranking
    found = tie_aware_average_precision(distances, relevant, 8)
    # Shuffling the items and ranking them stably goes through the orders within ties, each equally often.
    orders = [list(order) for order in permutations(range(distances.shape[1]))]
    each = [average_precision(ranked_relevance(distances[:, order], relevant[:, order])) for order in orders]
    np.testing.assert_allclose(found, np.mean(each, axis=0), atol=1e-12)


def test_tie_aware_ap_without_ties_is_ap() -> None:
    rng = np.random.default_rng(0)
    distances = np.stack([rng.permutation(64) for _ in range(9)])
    relevant = rng.random((9, 64)) < 0.3
    expected = average_precision(ranked_relevance(distances, relevant))
    np.testing.assert_allclose(tie_aware_average_precision(distances, relevant, 64), expected)


def test_the_normaliser_found_rewards_finding_less() -> None:
    """The anomaly that the name is there for (papers.md 4.2)."""
    one, two = np.zeros((2, 1, 10), np.bool_)
    one[0, [0, 9]] = True  # the second one behind place 5
    two[0, [0, 4]] = True
    assert average_precision_at(one, 5, "found")[0] == 1.0
    assert average_precision_at(two, 5, "found")[0] == pytest.approx((1 + 2 / 5) / 2)
    assert average_precision_at(one, 5, "possible")[0] == 0.5
    assert average_precision_at(two, 5, "possible")[0] == pytest.approx((1 + 2 / 5) / 2)


@settings(deadline=None)
@given(rankings())
def test_curves_by_radius_are_what_pairs_within_it_give(ranking: tuple[np.ndarray, np.ndarray]) -> None:
    distances, relevant = ranking
    counts = count_by_radius(distances, relevant, 8)
    halves = [count_by_radius(distances[rows], relevant[rows], 8) for rows in (slice(0, 1), slice(1, None))]
    np.testing.assert_array_equal(counts, halves[0] + halves[1])
    precision, recall = precision_and_recall_by_radius(counts)
    pairs = list(zip(distances.ravel().tolist(), relevant.ravel().tolist(), strict=True))
    n_relevant = sum(right for _, right in pairs)
    for radius in range(9):
        within = [right for distance, right in pairs if distance <= radius]
        expected = sum(within) / len(within) if within else float("nan")
        assert precision[radius] == pytest.approx(expected, nan_ok=True)
        expected = sum(within) / n_relevant if n_relevant else float("nan")
        assert recall[radius] == pytest.approx(expected, nan_ok=True)
    if n_relevant:
        assert (np.diff(recall) >= 0).all()
        assert recall[-1] == 1.0


def test_items_beyond_the_largest_radius_are_in_none() -> None:
    distances, relevant = np.array([[0, 9, 3]]), np.array([[True, False, False]])
    np.testing.assert_array_equal(count_by_radius(distances, relevant, 8)[:, -1], [2, 1])


def test_queries_without_relevant_items_are_left_out_or_count_as_nothing() -> None:
    values = np.array([0.5, np.nan, 1.0, np.nan])
    assert mean_over_answerable(values) == 0.75
    assert mean_over_all(values) == 0.375
    assert np.isnan(mean_over_answerable(values[[1]]))
    assert mean_over_all(values[[1]]) == 0.0
