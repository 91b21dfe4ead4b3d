"""Nearly exact: what looks everywhere gives exactly what the exact index gives, what looks less gives most of it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.representations import BinaryCodes, Embeddings
from explorer.retrieval import GalleryIndex, HammingIndex
from explorer.retrieval.approximate import ApproximateHammingIndex

EVERYWHERE = 1 << 20
KINDS = ["ivf", "hnsw"]


def near_codes(seed: int, n: int, n_bits: int = 32) -> np.ndarray:
    """Codes about twenty centres, many of them equal."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(0).random((20, n_bits)) < 0.5
    return np.packbits(centres[rng.integers(0, 20, n)] ^ (rng.random((n, n_bits)) < 0.08), axis=1)


def assert_equal(one: GalleryIndex, other: GalleryIndex, k: int, allowed: np.ndarray | None = None) -> None:
    queries = BinaryCodes(near_codes(99, 4))
    mine, theirs = one.search(queries, k, allowed=allowed), other.search(queries, k, allowed=allowed)
    np.testing.assert_array_equal(mine.item_ids, theirs.item_ids)
    np.testing.assert_array_equal(mine.scores, theirs.scores)


@settings(max_examples=8)
@given(seed=st.integers(0, 2**32 - 1), k=st.integers(0, 30), share=st.sampled_from([None, 0.02, 0.5, 0.9]))
def test_lists_all_looked_at_are_exact(seed: int, k: int, share: float | None) -> None:
    rng, packed = np.random.default_rng(seed), near_codes(seed, 600)
    item_ids = rng.permutation(600)
    allowed = None if share is None else rng.random(600) < share
    index = ApproximateHammingIndex(item_ids, packed, kind="ivf", effort=EVERYWHERE)
    assert_equal(index, HammingIndex(item_ids, packed), k, allowed)


@settings(max_examples=4)
@given(seed=st.integers(0, 2**32 - 1))
def test_adding_and_removing_equals_a_new_exact_index(seed: int) -> None:
    rng, packed = np.random.default_rng(seed), near_codes(seed, 3000)
    item_ids = rng.permutation(3000)
    index = ApproximateHammingIndex(item_ids[:500], packed[:500], kind="ivf", effort=EVERYWHERE)
    held, n_used = np.arange(500), 500
    for n_new, share in ((30, 0.02), (0, 0.3), (700, 0.0), (1, 0.05)):
        new = np.arange(n_used, n_used + n_new)
        index.add(item_ids[new], packed[new])
        held, n_used = np.concatenate([held, new]), n_used + n_new
        gone = rng.random(len(held)) < share
        index.remove(item_ids[held[gone]])
        held = held[~gone]
        exact = HammingIndex(item_ids[held], packed[held])
        np.testing.assert_array_equal(index.item_ids, exact.item_ids)
        assert_equal(index, exact, 10)
        assert_equal(index, exact, 10, rng.random(len(held)) < 0.5)


@pytest.mark.parametrize("kind", KINDS)
def test_most_of_the_nearest_are_found(kind: str) -> None:
    packed, queries = near_codes(1, 5000, 64), BinaryCodes(near_codes(2, 20, 64))
    exact = HammingIndex(np.arange(5000), packed)
    index = ApproximateHammingIndex(np.arange(5000), packed, kind=kind, effort=32)
    index.remove(np.arange(0, 200))
    exact.remove(np.arange(0, 200))
    odd = exact.item_ids % 2 == 1
    for allowed in (None, odd):
        wanted, found = (one.search(queries, 20, allowed=allowed) for one in (exact, index))
        recall = [len(np.intersect1d(a, b)) for a, b in zip(wanted.item_ids, found.item_ids, strict=True)]
        assert np.mean(recall) >= 0.9 * 20
        assert (found.item_ids >= 200).all()
        assert allowed is None or (found.item_ids % 2 == 1).all()
        # The scores are those of the items, best first, ties by id.
        scores = exact.score_all(queries)
        for row in range(len(queries)):
            np.testing.assert_array_equal(found.scores[row], scores[row][found.item_ids[row] - 200])
            order = np.lexsort((found.item_ids[row], -found.scores[row]))
            np.testing.assert_array_equal(order, np.arange(20))


def test_codes_that_are_all_equal_come_by_id() -> None:
    item_ids = np.random.default_rng(0).permutation(800)
    index = ApproximateHammingIndex(item_ids, np.full((800, 8), 7, np.uint8), kind="ivf")
    query = BinaryCodes(np.full((2, 8), 7, np.uint8))
    assert index.search(query, 3).item_ids.tolist() == [[0, 1, 2]] * 2


@pytest.mark.parametrize("kind", KINDS)
def test_from_nothing_and_to_nothing(kind: str) -> None:
    index = ApproximateHammingIndex(np.empty(0, np.int64), np.empty((0, 0), np.uint8), kind=kind, n_bits=32, version=4)
    assert (len(index), index.dim, index.version) == (0, 32, 4)
    query, packed = BinaryCodes(near_codes(3, 2)), near_codes(4, 300)
    assert index.search(query, 5).item_ids.shape == (2, 0)
    for start in range(0, 300, 60):
        index.add(np.arange(start, start + 60), packed[start : start + 60])
    assert_equal(index, HammingIndex(np.arange(300), packed), 0)
    assert index.search(query, 5).item_ids.shape == (2, 5)
    index.remove(np.arange(300))
    assert index.search(query, 5).item_ids.shape == (2, 0)


def test_scores_and_ranks_are_those_of_the_exact_index() -> None:
    packed, query = near_codes(5, 100), BinaryCodes(near_codes(6, 2))
    exact, index = HammingIndex(np.arange(100), packed), ApproximateHammingIndex(np.arange(100), packed, kind="ivf")
    np.testing.assert_array_equal(index.score_all(query), exact.score_all(query))
    ranked = index.rank(index.score_all(query), 7)
    np.testing.assert_array_equal(ranked.item_ids, exact.search(query, 7).item_ids)


def test_misfits_are_refused_as_by_the_exact_index() -> None:
    packed = near_codes(0, 100)
    index = ApproximateHammingIndex(np.arange(100), packed, kind="hnsw")
    with pytest.raises(ValueError, match="expected queries of 32 bits, got 64"):
        index.search(BinaryCodes(near_codes(0, 1, 64)), 1)
    with pytest.raises(ValueError, match="expected queries that are codes of 32 bits, got embeddings"):
        index.search(Embeddings(np.ones((1, 32), np.float32)), 1)
    with pytest.raises(ValueError, match=r"allowed must be bool of shape \(100,\)"):
        index.search(BinaryCodes(packed), 1, allowed=np.ones(3, bool))
    with pytest.raises(ValueError, match="k must not be negative, got -1"):
        index.search(BinaryCodes(packed), -1)
    with pytest.raises(ValueError, match="in the gallery already, the first is 4"):
        index.add(np.array([4]), packed[:1])
    with pytest.raises(ValueError, match="not in the gallery, the first is 400"):
        index.remove(np.array([400]))
    with pytest.raises(ValueError, match="'flat' is not a valid ApproximateKind"):
        ApproximateHammingIndex(np.arange(100), packed, kind="flat")
    with pytest.raises(ValueError, match="effort must be at least 1 and neighbours 2, got 0 and 16"):
        ApproximateHammingIndex(np.arange(100), packed, kind="ivf", effort=0)
    assert len(index) == 100
