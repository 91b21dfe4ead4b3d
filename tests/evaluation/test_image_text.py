"""Recall as the field has it (VSE++, SCAN): anchors, a naive loop, torchmetrics, and properties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.evaluation import image_text
from explorer.evaluation.image_text import (
    Ranks,
    image_text_ranks,
    owners_of,
    ranks_of_similarities,
    recall,
    recall_at,
    rsum,
    standings_in_blocks,
)


def naive_ranks(similarities: np.ndarray, owners: np.ndarray) -> tuple[list[float], list[float]]:
    """Pessimistic ranks by sorting: what is not ours comes first among equals."""
    i2t, t2i = [], []
    for image, row in enumerate(similarities):
        order = sorted(range(len(row)), key=lambda s: (-row[s], owners[s] == image))
        first_own = next(place for place, s in enumerate(order) if owners[s] == image)
        # An own sentence that ties with the best own one is the same hit, so it cannot push it back.
        i2t.append(float(first_own))
    for sentence, owner in enumerate(owners):
        column = similarities[:, sentence]
        order = sorted(range(len(column)), key=lambda i: (-column[i], i == owner))
        t2i.append(float(order.index(owner)))
    return i2t, t2i


@st.composite
def similarities(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    counts = draw(st.lists(st.integers(1, 6), min_size=1, max_size=8))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    owners = rng.permutation(owners_of(counts))  # sentences in any order
    n_values = draw(st.sampled_from([2, 5, 1000]))
    return rng.integers(0, n_values, (len(counts), len(owners))).astype(np.float32), owners


def test_anchor_identity_gives_everything() -> None:
    owners = owners_of([5] * 20)
    ranks = ranks_of_similarities((owners[None] == np.arange(20)[:, None]).astype(np.float32), owners)
    for side in (recall(ranks.image_to_text), recall(ranks.text_to_image)):
        assert (side.r1, side.r5, side.r10, side.median_rank) == (100, 100, 100, 1)
    assert rsum(ranks) == 600


def test_anchor_constant_gives_nothing_to_the_pessimist() -> None:
    owners = owners_of([5] * 20)
    ranks = ranks_of_similarities(np.zeros((20, 100)), owners)
    assert rsum(ranks) == 0
    assert recall(ranks.image_to_text).median_rank == 96
    assert recall(ranks.text_to_image).median_rank == 20
    mean = ranks_of_similarities(np.zeros((20, 100)), owners, ties="mean")
    assert (mean.text_to_image == 9.5).all()


@given(similarities())
def test_ranks_equal_the_naive_loop(case: tuple[np.ndarray, np.ndarray]) -> None:
    ranks = ranks_of_similarities(*case)
    i2t, t2i = naive_ranks(*case)
    assert ranks.image_to_text.tolist() == i2t
    assert ranks.text_to_image.tolist() == t2i


def test_mean_ties_are_the_average_over_random_orders() -> None:
    rng = np.random.default_rng(0)
    owners = owners_of([2, 3, 1])
    matrix = rng.integers(0, 2, (3, 6)).astype(np.float64)
    exact = ranks_of_similarities(matrix, owners, ties="mean")
    n = 2000
    i2t, t2i = np.zeros(3), np.zeros(6)
    for _ in range(n):
        jittered = ranks_of_similarities(matrix + 1e-3 * rng.random(matrix.shape), owners)
        i2t, t2i = i2t + jittered.image_to_text, t2i + jittered.text_to_image
    np.testing.assert_allclose(exact.image_to_text, i2t / n, atol=0.15)
    np.testing.assert_allclose(exact.text_to_image, t2i / n, atol=0.15)


@given(similarities(), st.integers(0, 99))
def test_order_of_images_and_sentences_does_not_matter(case: tuple[np.ndarray, np.ndarray], seed: int) -> None:
    matrix, owners = case
    rng = np.random.default_rng(seed)
    rows, columns = rng.permutation(matrix.shape[0]), rng.permutation(matrix.shape[1])
    place_of = np.argsort(rows)
    plain = ranks_of_similarities(matrix, owners)
    shuffled = ranks_of_similarities(matrix[np.ix_(rows, columns)], place_of[owners[columns]])
    np.testing.assert_array_equal(shuffled.image_to_text, plain.image_to_text[rows])
    np.testing.assert_array_equal(shuffled.text_to_image, plain.text_to_image[columns])


@given(similarities())
def test_ranks_are_invariant_under_monotone_change_and_shift(case: tuple[np.ndarray, np.ndarray]) -> None:
    matrix, owners = case[0].astype(np.float64), case[1]
    plain = ranks_of_similarities(matrix, owners)
    for changed in (matrix + 7, 3 * matrix, np.exp(matrix / 500), matrix**3):
        np.testing.assert_array_equal(ranks_of_similarities(changed, owners).image_to_text, plain.image_to_text)
        np.testing.assert_array_equal(ranks_of_similarities(changed, owners).text_to_image, plain.text_to_image)


@given(similarities())
def test_recall_never_falls_with_k_and_pessimist_is_below_mean(case: tuple[np.ndarray, np.ndarray]) -> None:
    ranks = ranks_of_similarities(*case)
    found = [recall_at(ranks.text_to_image, k) for k in range(1, 20)]
    assert found == sorted(found)
    assert found[-1] == 100
    mean = ranks_of_similarities(*case, ties="mean")
    assert (mean.text_to_image <= ranks.text_to_image).all()
    assert (mean.image_to_text <= ranks.image_to_text).all()


def test_text_to_image_equals_torchmetrics_hit_rate() -> None:
    torch = pytest.importorskip("torch")
    retrieval = pytest.importorskip("torchmetrics.retrieval")
    rng = np.random.default_rng(3)
    owners = owners_of([5] * 15)
    matrix = rng.standard_normal((15, 75)).astype(np.float32)
    ranks = ranks_of_similarities(matrix, owners)
    own = owners[None] == np.arange(15)[:, None]
    for queries, targets, ours in ((matrix.T, own.T, ranks.text_to_image), (matrix, own, ranks.image_to_text)):
        indexes = torch.arange(len(queries)).repeat_interleave(queries.shape[1])
        for k in (1, 5):
            metric = retrieval.RetrievalHitRate(top_k=k)
            theirs = metric(torch.tensor(queries.ravel()), torch.tensor(targets.ravel()), indexes=indexes)
            assert recall_at(ours, k) == pytest.approx(100 * float(theirs), abs=1e-4)
            # The textbook's recall is the field's only where a query has one match. An image has five, of which the
            # first place can hold one: R@1 of the field is a hit rate, the textbook's is at most 1/5 (papers.md 4.1).
            # torchmetrics counts nothing whose score is not above 0, so the scores are moved there.
            above_0 = torch.tensor(queries.ravel() - queries.min() + 1)
            recalls = retrieval.RetrievalRecall(top_k=k)(above_0, torch.tensor(targets.ravel()), indexes=indexes)
            textbook = 100 * float(recalls)
            if targets.sum() == len(queries):
                assert recall_at(ours, k) == pytest.approx(textbook, abs=1e-4)
            elif k == 1:
                assert recall_at(ours, k) == pytest.approx(5 * textbook, abs=1e-4)


def test_mean_rank_counts_from_one() -> None:
    assert recall(np.array([0.0, 1.0, 4.5, 9.0])).mean_rank == pytest.approx(1 + 14.5 / 4)


@given(similarities())
def test_tied_queries_are_those_whose_rank_the_rule_changes(case: tuple[np.ndarray, np.ndarray]) -> None:
    matrix, owners = case
    found = standings_in_blocks(lambda rows, columns: matrix[rows, columns], owners)
    worst, mean = found.ranks("pessimistic"), found.ranks("mean")
    changed = (worst.image_to_text != mean.image_to_text).sum() + (worst.text_to_image != mean.text_to_image).sum()
    assert found.n_tied == changed


@pytest.mark.parametrize("chunk", [1, 7, 1 << 24])
def test_embeddings_in_chunks_give_the_ranks_of_the_whole(monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    monkeypatch.setattr(image_text, "_CHUNK_SCORES", chunk)
    rng = np.random.default_rng(1)
    # Whole numbers, so that every order of summing gives the same product.
    images, sentences = (rng.integers(-2, 3, (n, 6)).astype(np.float32) for n in (12, 40))
    owners = np.concatenate([np.arange(12), rng.integers(0, 12, 28)])
    ranks = image_text_ranks(images, sentences, owners)
    whole = ranks_of_similarities(images @ sentences.T, owners)
    np.testing.assert_array_equal(ranks.image_to_text, whole.image_to_text)
    np.testing.assert_array_equal(ranks.text_to_image, whole.text_to_image)


def test_median_rank_is_the_floor_plus_one() -> None:
    assert recall(np.array([0.0, 1.0, 4.0, 9.0])).median_rank == 3  # median 2.5
    assert recall(np.array([0.0, 0.0, 50.0])).median_rank == 1


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="integer owner for each of 3"):
        ranks_of_similarities(np.zeros((1, 3)), np.zeros(2, np.int64))
    with pytest.raises(ValueError, match="every one of 2 images must own a sentence"):
        ranks_of_similarities(np.zeros((2, 2)), np.zeros(2, np.int64))
    with pytest.raises(ValueError, match="no other may be named"):
        ranks_of_similarities(np.zeros((1, 2)), np.array([0, 1]))
    with pytest.raises(ValueError, match="not finite"):
        ranks_of_similarities(np.full((1, 1), np.nan), np.zeros(1, np.int64))
    with pytest.raises(ValueError, match="embeddings of one width"):
        image_text_ranks(np.zeros((1, 3)), np.zeros((1, 4)), np.zeros(1, np.int64))
    with pytest.raises(ValueError, match="no queries"):
        recall(Ranks(np.empty(0), np.empty(0)).image_to_text)
