"""The index gives what brute force gives, in blocks, with filters, from memory maps."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.representations import Embeddings
from explorer.retrieval import InnerProductIndex, inner_product


@pytest.fixture(params=["one block", "small blocks"])
def block_size(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "small blocks":
        monkeypatch.setattr(inner_product, "_BLOCK_SCORES", 1)
        monkeypatch.setattr(inner_product, "_MIN_BLOCK_ROWS", 5)
        monkeypatch.setattr(inner_product, "_MERGE_FACTOR", 1)
    return str(request.param)


def whole_numbers(seed: int, n: int, dim: int) -> np.ndarray:
    """Vectors whose products are exact in float32, with many ties."""
    return np.random.default_rng(seed).integers(-2, 3, (n, dim)).astype(np.float32)


def brute_force(
    item_ids: np.ndarray, vectors: np.ndarray, query: np.ndarray, k: int, allowed: np.ndarray | None
) -> list[tuple[int, float]]:
    scored = [
        (-sum(float(a) * float(b) for a, b in zip(vector, query, strict=True)), int(item_id))
        for row, (item_id, vector) in enumerate(zip(item_ids, vectors, strict=True))
        if allowed is None or allowed[row]
    ]
    return [(item_id, -negative) for negative, item_id in sorted(scored)][: k or None]


@st.composite
def cases(draw: st.DrawFn) -> tuple[InnerProductIndex, np.ndarray, np.ndarray, int, np.ndarray | None]:
    n, dim, q = draw(st.integers(1, 40)), draw(st.integers(1, 4)), draw(st.integers(1, 4))
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    item_ids = rng.permutation(5 * n)[:n].astype(np.int64)
    if draw(st.booleans()):
        item_ids = np.sort(item_ids)
    allowed = rng.random(n) < draw(st.sampled_from([0.0, 0.2, 0.9])) if draw(st.booleans()) else None
    vectors = whole_numbers(seed, n, dim)
    return (
        InnerProductIndex(item_ids, vectors),
        vectors,
        whole_numbers(seed + 1, q, dim),
        draw(st.integers(0, 50)),
        allowed,
    )


@pytest.mark.parametrize("min_rows", [1, 5, 1024])
@settings(deadline=None, max_examples=150)
@given(case=cases())
def test_search_equals_brute_force(
    min_rows: int, case: tuple[InnerProductIndex, np.ndarray, np.ndarray, int, np.ndarray | None]
) -> None:
    index, vectors, queries, k, allowed = case
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inner_product, "_BLOCK_SCORES", 1)
        patch.setattr(inner_product, "_MIN_BLOCK_ROWS", min_rows)
        patch.setattr(inner_product, "_MERGE_FACTOR", 1)
        ranking = index.search(Embeddings(queries), k, allowed=allowed)
    for row, query in enumerate(queries):
        expected = brute_force(index.item_ids, vectors, query, k, allowed)
        assert list(zip(ranking.item_ids[row].tolist(), ranking.scores[row].tolist(), strict=True)) == expected


@settings(deadline=None, max_examples=100)
@given(case=cases(), order_seed=st.integers(0, 99))
def test_permuting_the_gallery_permutes_the_answer(
    case: tuple[InnerProductIndex, np.ndarray, np.ndarray, int, np.ndarray | None], order_seed: int
) -> None:
    index, vectors, queries, k, allowed = case
    order = np.random.default_rng(order_seed).permutation(len(index))
    permuted = InnerProductIndex(index.item_ids[order], vectors[order])
    mask = None if allowed is None else allowed[order]
    one, other = (
        index.search(Embeddings(queries), k, allowed=allowed),
        permuted.search(Embeddings(queries), k, allowed=mask),
    )
    np.testing.assert_array_equal(one.item_ids, other.item_ids)


def test_search_agrees_with_faiss_on_real_numbers(block_size: str) -> None:
    faiss = pytest.importorskip("faiss")
    rng = np.random.default_rng(0)
    vectors, queries = (rng.standard_normal((n, 64), dtype=np.float32) for n in (3000, 9))
    flat = faiss.IndexFlatIP(64)
    flat.add(vectors)
    scores, positions = flat.search(queries, 20)
    ranking = InnerProductIndex(np.arange(3000) + 7, vectors).search(Embeddings(queries), 20)
    np.testing.assert_array_equal(ranking.item_ids, positions + 7)
    np.testing.assert_allclose(ranking.scores, scores, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("direction", [1, -1])
def test_gallery_sorted_against_the_query(block_size: str, direction: int) -> None:
    # Every block beats all before it, or none does: the worst and the best case of the threshold.
    vectors = (direction * np.arange(300, dtype=np.float32))[:, None]
    ranking = InnerProductIndex(np.arange(300), vectors).search(Embeddings(np.ones((2, 1), np.float32)), 3)
    assert ranking.item_ids.tolist() == [[299, 298, 297] if direction == 1 else [0, 1, 2]] * 2


def test_all_equal_scores_come_by_id(block_size: str) -> None:
    item_ids = np.random.default_rng(1).permutation(500)
    ranking = InnerProductIndex(item_ids, np.ones((500, 2), np.float32)).search(
        Embeddings(np.ones((3, 2), np.float32)), 4
    )
    assert ranking.item_ids.tolist() == [[0, 1, 2, 3]] * 3


def test_one_query_and_many_agree(block_size: str) -> None:
    vectors, queries = whole_numbers(0, 400, 8), whole_numbers(1, 6, 8)
    index = InnerProductIndex(np.arange(400), vectors)
    many = index.search(Embeddings(queries), 10)
    for row in range(6):
        one = index.search(Embeddings(queries[row : row + 1]), 10)
        np.testing.assert_array_equal(one.item_ids[0], many.item_ids[row])
    ranked = index.rank(index.score_all(Embeddings(queries)), 10)
    np.testing.assert_array_equal(ranked.item_ids, many.item_ids)
    np.testing.assert_array_equal(
        index.rank(index.score_all(Embeddings(queries[:1]))[0], 3).item_ids, many.item_ids[:1, :3]
    )


def test_memory_mapped_vectors(tmp_path: Path) -> None:
    vectors = whole_numbers(0, 100, 8)
    np.save(tmp_path / "vectors.npy", vectors)
    mapped = np.load(tmp_path / "vectors.npy", mmap_mode="r")
    query = Embeddings(whole_numbers(1, 2, 8))
    plain = InnerProductIndex(np.arange(100), vectors).search(query, 5)
    ranking = InnerProductIndex(np.arange(100), mapped).search(query, 5)
    np.testing.assert_array_equal(ranking.item_ids, plain.item_ids)
    assert type(ranking.scores) is np.ndarray
    assert type(InnerProductIndex(np.arange(100), mapped).score_all(query)) is np.ndarray


def test_empty_gallery_and_no_queries() -> None:
    empty = InnerProductIndex(np.empty(0, np.int64), np.empty((0, 0), np.float32), dim=4, version=3)
    assert (len(empty), empty.dim, empty.version) == (0, 4, 3)
    assert empty.search(Embeddings(np.ones((2, 4), np.float32)), 5).item_ids.shape == (2, 0)
    assert empty.score_all(Embeddings(np.ones((2, 4), np.float32))).shape == (2, 0)
    full = InnerProductIndex(np.arange(3), np.ones((3, 4), np.float32))
    assert full.search(Embeddings(np.empty((0, 4), np.float32)), 2).item_ids.shape == (0, 2)
    nothing = full.search(Embeddings(np.ones((2, 4), np.float32)), 2, allowed=np.zeros(3, bool))
    assert nothing.item_ids.shape == (2, 0)


def test_numbers_that_are_none_are_found_out(block_size: str) -> None:
    vectors = whole_numbers(0, 300, 3)
    vectors[200, 1] = np.nan
    index = InnerProductIndex(np.arange(300) + 1000, vectors)
    with pytest.raises(ValueError, match="the first is that of item 1200"):
        index.search(Embeddings(np.ones((2, 3), np.float32)), 5)
    with pytest.raises(ValueError, match="are not numbers"):
        index.search(Embeddings(np.full((1, 3), np.nan, np.float32)), 5)


def test_misfits_are_refused_with_expected_and_actual() -> None:
    index = InnerProductIndex(np.arange(2), np.ones((2, 3), np.float32))
    with pytest.raises(ValueError, match="expected queries 3 wide, got 4"):
        index.search(Embeddings(np.ones((1, 4), np.float32)))
    with pytest.raises(ValueError, match="expected queries 3 wide, got 4"):
        index.score_all(Embeddings(np.ones((1, 4), np.float32)))
    with pytest.raises(ValueError, match=r"allowed must be bool of shape \(2,\), got int64 \(2,\)"):
        index.search(Embeddings(np.ones((1, 3), np.float32)), allowed=np.ones(2, np.int64))
    with pytest.raises(ValueError, match=r"float32 vectors of shape \(2, dim\), got float64"):
        InnerProductIndex(np.arange(2), np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"vectors of shape \(3, dim\)"):
        InnerProductIndex(np.arange(3), np.ones((2, 3), np.float32))
    with pytest.raises(ValueError, match="each once"):
        InnerProductIndex(np.array([4, 4]), np.ones((2, 3), np.float32))
    with pytest.raises(ValueError, match="expected vectors 5 wide, got 3"):
        InnerProductIndex(np.arange(2), np.ones((2, 3), np.float32), dim=5)
