"""mAP@R and its relatives: the anchor, the loop of the published code, torchmetrics, and all orders of ties."""

from itertools import pairwise, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.evaluation.image_text import Ties
from explorer.evaluation.relevance import TopR, top_r_of_ranking, top_r_of_scores


def published(ranking: list[int], positives: set[int]) -> tuple[float, float, float]:
    """mAP@R, R-Precision and R@1 of one query, written down from papers.md 4.3 as a loop over r = 1..R."""
    precisions = []
    for r in range(1, len(positives) + 1):
        precision = len(set(ranking[:r]) & positives) / r
        precisions.append(precision if ranking[r - 1] in positives else 0.0)
    r_precision = len(set(ranking[: len(positives)]) & positives) / len(positives)
    return sum(precisions) / len(positives), r_precision, float(ranking[0] in positives)


def numbers(top: TopR) -> tuple[float, float, float]:
    return top.average_precision, top.r_precision, top.hit


@st.composite
def queries(draw: st.DrawFn, most: int = 30) -> tuple[np.ndarray, np.ndarray]:
    n = draw(st.integers(1, most))
    relevant = np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    relevant[draw(st.integers(0, n - 1))] = True
    n_values = draw(st.sampled_from([1, 2, 4, 10_000]))
    scores = np.array(draw(st.lists(st.integers(0, n_values - 1), min_size=n, max_size=n)), np.float32)
    return scores, relevant


def test_anchor() -> None:
    top = top_r_of_ranking(np.array([True, False, True, True]))
    assert top.average_precision == pytest.approx((1 + 2 / 3) / 3)  # papers.md 8.1: 0.5556
    assert top.r_precision == pytest.approx(2 / 3)
    assert top.hit == 1


def test_what_stands_behind_place_r_counts_nothing() -> None:
    assert top_r_of_ranking(np.array([False, False, True, True])).average_precision == 0


@given(queries())
def test_scores_equal_the_published_loop_wrong_ones_first_among_equals(case: tuple[np.ndarray, np.ndarray]) -> None:
    scores, relevant = case
    order = sorted(range(len(scores)), key=lambda item: (-scores[item], relevant[item]))
    expected = published(order, set(np.flatnonzero(relevant).tolist()))
    assert numbers(top_r_of_scores(scores, relevant)) == pytest.approx(expected)
    assert numbers(top_r_of_ranking(relevant[order])) == pytest.approx(expected)


@settings(max_examples=40)
@given(queries(most=5))
def test_mean_ties_are_the_average_over_all_orders(case: tuple[np.ndarray, np.ndarray]) -> None:
    scores, relevant = case
    positives = set(np.flatnonzero(relevant).tolist())
    found = [
        published(list(order), positives)
        for order in permutations(range(len(scores)))
        if all(scores[a] >= scores[b] for a, b in pairwise(order))
    ]
    expected = tuple(np.mean(found, axis=0))
    assert numbers(top_r_of_scores(scores, relevant, ties="mean")) == pytest.approx(expected)


@given(queries())
def test_bounds_and_order_of_items(case: tuple[np.ndarray, np.ndarray]) -> None:
    scores, relevant = case
    worst, mean = top_r_of_scores(scores, relevant), top_r_of_scores(scores, relevant, ties="mean")
    for low, high in zip(numbers(worst), numbers(mean), strict=True):
        assert 0 <= low <= high + 1e-12 <= 1 + 1e-9
    assert worst.average_precision <= worst.r_precision + 1e-12
    turned = top_r_of_scores(scores[::-1], relevant[::-1])
    assert numbers(turned) == pytest.approx(numbers(worst))


def test_torchmetrics_where_the_definitions_agree() -> None:
    torch = pytest.importorskip("torch")
    retrieval = pytest.importorskip("torchmetrics.retrieval")
    rng = np.random.default_rng(4)
    scores, relevant = rng.random((40, 50)).astype(np.float32), rng.random((40, 50)) < 0.15
    relevant[:, 0] = True
    flat = torch.tensor(scores.ravel()), torch.tensor(relevant.ravel())
    indexes = torch.arange(40).repeat_interleave(50)
    tops = [top_r_of_scores(*query) for query in zip(scores, relevant, strict=True)]
    r_precision = retrieval.RetrievalRPrecision()(*flat, indexes=indexes)
    assert np.mean([top.r_precision for top in tops]) == pytest.approx(float(r_precision), abs=1e-6)
    hit_rate = retrieval.RetrievalHitRate(top_k=1)(*flat, indexes=indexes)
    assert np.mean([top.hit for top in tops]) == pytest.approx(float(hit_rate), abs=1e-6)
    # torchmetrics' MAP with top_k divides by the relevant items it found in the first k, mAP@R by R (papers.md 4.3):
    # query by query they differ by just that factor.
    for query, top in zip(zip(scores, relevant, strict=True), tops, strict=True):
        n = int(query[1].sum())
        one = retrieval.RetrievalMAP(top_k=n)
        theirs = one(*(torch.tensor(side) for side in query), indexes=torch.zeros(50, dtype=torch.long))
        assert top.average_precision == pytest.approx(float(theirs) * top.r_precision, abs=1e-6)


@given(queries(), st.integers(1, 9), st.sampled_from(["pessimistic", "mean"]))
def test_answers_that_the_gallery_lacks_are_never_found(
    case: tuple[np.ndarray, np.ndarray], n_more: int, ties: Ties
) -> None:
    scores, relevant = case
    n = int(relevant.sum()) + n_more
    lacking = top_r_of_scores(scores, relevant, n_right=n, ties=ties)
    # The same as if they stood behind everything else.
    last = np.r_[scores, np.full(n_more, -1, np.float32)], np.r_[relevant, np.full(n_more, False)]
    worse = np.r_[scores, np.full(n + n_more, -1, np.float32)], np.r_[relevant, np.full(n + n_more, False)]
    for other in (last, worse):
        assert numbers(top_r_of_scores(*other, n_right=n, ties=ties)) == pytest.approx(numbers(lacking))
    assert len(lacking.right) == len(lacking.gain) == n


def test_a_query_without_answer_is_refused() -> None:
    for call in (top_r_of_ranking, lambda relevant: top_r_of_scores(np.zeros(3), relevant)):
        with pytest.raises(ValueError, match="without a relevant item"):
            call(np.zeros(3, np.bool_))
