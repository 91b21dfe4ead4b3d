"""The index gives what a full stable sort gives: of any width, in parts, with filters, from memory maps."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.representations import BinaryCodes
from explorer.retrieval import HammingIndex, Ranking, hamming_blocks, hamming_part

WIDTHS = [8, 16, 24, 32, 40, 64, 72, 96, 128, 192, 256, 512, 640]


@pytest.fixture(params=["one block", "small blocks"])
def _block_size(request: pytest.FixtureRequest) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "small blocks":
            patch.setattr(hamming_blocks, "_BLOCK_BYTES", 64)
            patch.setattr(hamming_blocks, "_COMPILED_ROWS", 3)
            patch.setattr(hamming_part, "_GROWTH", 1)
            patch.setattr(hamming_part, "_DIRECTORY_ROWS", 3)
            patch.setattr(hamming_part, "_SPARSE", 2)
        yield


def codes(rng: np.random.Generator, n: int, n_bits: int) -> np.ndarray:
    """Codes that are near each other, so that many distances are equal: one code, and few bits of it flipped."""
    flips = rng.random((n, n_bits)) < rng.choice([0.0, 0.03, 0.3, 0.5])
    return np.packbits(flips ^ (rng.random(n_bits) < 0.5), axis=1)


def full_sort(
    item_ids: np.ndarray, packed: np.ndarray, query: np.ndarray, k: int, allowed: np.ndarray | None
) -> list[tuple[int, float]]:
    """Distances bit by bit, sorted by distance and then by id."""
    bits, wanted = np.unpackbits(packed, axis=1), np.unpackbits(query)
    keyed = sorted(
        (int((row != wanted).sum()), int(item_id))
        for place, (item_id, row) in enumerate(zip(item_ids, bits, strict=True))
        if allowed is None or allowed[place]
    )
    return [(item_id, float(np.float32(1 - 2 * distance / len(wanted)))) for distance, item_id in keyed[: k or None]]


def listed(ranking: Ranking, query: int) -> list[tuple[int, float]]:
    return list(zip(ranking.item_ids[query].tolist(), ranking.scores[query].tolist(), strict=True))


@st.composite
def seeds_and_sizes(draw: st.DrawFn) -> tuple[np.random.Generator, int, int, int]:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return rng, draw(st.integers(1, 60)), draw(st.sampled_from(WIDTHS)), draw(st.integers(0, 70))


@pytest.mark.usefixtures("_block_size")
@settings(max_examples=150)
@given(case=seeds_and_sizes(), ascending=st.booleans(), share=st.sampled_from([None, 0.0, 0.2, 0.6, 1.0]))
def test_search_equals_a_full_stable_sort(
    case: tuple[np.random.Generator, int, int, int], ascending: bool, share: float | None
) -> None:
    rng, n, n_bits, k = case
    item_ids = rng.permutation(5 * n)[:n].astype(np.int64)
    item_ids = np.sort(item_ids) if ascending else item_ids
    packed, queries = np.split(codes(rng, n + 3, n_bits), [n])
    allowed = None if share is None else rng.random(n) < share
    ranking = HammingIndex(item_ids, packed).search(BinaryCodes(queries), k, allowed=allowed)
    assert (len(ranking), ranking.scores.dtype, ranking.item_ids.dtype) == (3, np.float32, np.int64)
    for row, query in enumerate(queries):
        assert listed(ranking, row) == full_sort(item_ids, packed, query, k, allowed)


@pytest.mark.usefixtures("_block_size")
@settings(max_examples=100)
@given(case=seeds_and_sizes(), n_changes=st.integers(1, 8), filtered=st.booleans())
def test_adding_and_removing_equals_a_new_index(
    case: tuple[np.random.Generator, int, int, int], n_changes: int, filtered: bool
) -> None:
    rng, n, n_bits, k = case
    ids, packed = rng.permutation(1000).astype(np.int64), codes(rng, 1000, n_bits)
    index, held = HammingIndex(ids[:n], packed[:n]), list(range(n))
    query = BinaryCodes(codes(rng, 1, n_bits))
    n_used = n
    for _ in range(n_changes):
        if rng.random() < 0.5:
            n_new = int(rng.integers(0, 30))
            new = list(range(n_used, n_used + n_new))
            index.add(ids[new], packed[new])
            held, n_used = held + new, n_used + n_new
        else:
            gone = [row for row in held if rng.random() < rng.choice([0.03, 0.5])]
            index.remove(ids[gone])
            held = [row for row in held if row not in gone]
        assert index.item_ids.tolist() == ids[held].tolist()
        assert len(index) == len(held)
        allowed = rng.random(len(held)) < 0.7 if filtered else None
        expected = full_sort(ids[held], packed[held], query.packed[0], k, allowed)
        assert listed(index.search(query, k, allowed=allowed), 0) == expected
        np.testing.assert_array_equal(
            index.score_all(query), HammingIndex(ids[held], packed[held], n_bits=n_bits).score_all(query)
        )


@given(case=seeds_and_sizes(), order_seed=st.integers(0, 99))
def test_permuting_the_gallery_permutes_nothing(
    case: tuple[np.random.Generator, int, int, int], order_seed: int
) -> None:
    rng, n, n_bits, k = case
    packed, query = np.split(codes(rng, n + 1, n_bits), [n])
    order = np.random.default_rng(order_seed).permutation(n)
    one = HammingIndex(np.arange(n), packed).search(BinaryCodes(query), k)
    other = HammingIndex(np.arange(n)[order], packed[order]).search(BinaryCodes(query), k)
    assert listed(one, 0) == listed(other, 0)


@given(case=seeds_and_sizes())
def test_scores_are_cosines_of_the_signs_and_rank_as_the_search_does(
    case: tuple[np.random.Generator, int, int, int],
) -> None:
    rng, n, n_bits, k = case
    gallery, queries = BinaryCodes(codes(rng, n, n_bits)), BinaryCodes(codes(rng, 2, n_bits))
    index = HammingIndex(rng.permutation(n), gallery.packed)
    scores = index.score_all(queries)
    np.testing.assert_allclose(scores, queries.signs.astype(float) @ gallery.signs.T / n_bits, atol=1e-6)
    ranked, searched = index.rank(scores, k), index.search(queries, k)
    np.testing.assert_array_equal(ranked.item_ids, searched.item_ids)
    np.testing.assert_array_equal(ranked.scores, searched.scores)


@pytest.mark.parametrize("n_bits", [16, 64, 128, 72])
@pytest.mark.parametrize("shuffled", [False, True])
def test_many_codes_and_a_long_run_of_equals(n_bits: int, shuffled: bool) -> None:
    # Large enough for real blocks and the directory; every code of a tenth is the query itself.
    rng = np.random.default_rng(n_bits)
    n = 100_000
    packed = rng.integers(0, 256, (n, n_bits // 8), dtype=np.uint8)
    packed[70_000:80_000] = packed[5]
    item_ids = rng.permutation(n) if shuffled else np.arange(n)
    index, query = HammingIndex(item_ids, packed), BinaryCodes(packed[5:6])
    distances = np.bitwise_count(packed ^ packed[5]).sum(axis=1)
    for k, allowed in ((100, None), (15_000, None), (100, rng.random(n) < 0.5), (20, rng.random(n) < 0.01)):
        rows = np.arange(n) if allowed is None else np.flatnonzero(allowed)
        expected = rows[np.lexsort((item_ids[rows], distances[rows]))[:k]]
        np.testing.assert_array_equal(index.search(query, k, allowed=allowed).item_ids[0], item_ids[expected])


@pytest.mark.usefixtures("_block_size")
@pytest.mark.parametrize("direction", [1, -1])
def test_gallery_sorted_against_the_query(direction: int) -> None:
    # Every block beats all before it, or none does: the worst and the best case of the threshold.
    bits = np.tri(257, 256, -1, dtype=np.uint8)[::direction]
    index = HammingIndex(np.arange(257), np.packbits(bits, axis=1))
    ranking = index.search(BinaryCodes(np.full((1, 32), 255, np.uint8)), 3)
    assert ranking.item_ids.tolist() == [[256, 255, 254] if direction == 1 else [0, 1, 2]]
    assert ranking.scores.tolist() == [[1.0, 1 - 2 / 256, 1 - 4 / 256]]


@pytest.mark.usefixtures("_block_size")
@pytest.mark.parametrize("n_bits", [16, 64, 72])
def test_a_file_stays_on_the_disk(tmp_path: Path, n_bits: int) -> None:
    rng = np.random.default_rng(0)
    packed, query = codes(rng, 400, n_bits), BinaryCodes(codes(rng, 2, n_bits))
    np.save(tmp_path / "codes.npy", packed)
    mapped = np.load(tmp_path / "codes.npy", mmap_mode="r")
    index, plain = HammingIndex(np.arange(400), mapped), HammingIndex(np.arange(400), packed)
    for changed in (index, plain):
        changed.add(np.arange(400, 450), packed[:50])
        changed.remove(np.arange(0, 300, 2))
    assert np.shares_memory(index._rows.parts[0]._packed, mapped)
    np.testing.assert_array_equal(index.item_ids, plain.item_ids)
    for k in (0, 5):
        ranking = index.search(query, k)
        np.testing.assert_array_equal(ranking.item_ids, plain.search(query, k).item_ids)
        assert type(ranking.item_ids) is type(ranking.scores) is np.ndarray
    assert type(index.score_all(query)) is np.ndarray


def test_items_that_come_one_by_one_do_not_make_as_many_parts() -> None:
    index = HammingIndex(np.empty(0, np.int64), np.empty((0, 0), np.uint8), n_bits=8)
    for item_id in range(200):
        index.add(np.array([item_id]), np.array([[item_id]], np.uint8))
    assert len(index._rows.parts) <= 9
    index.remove(np.arange(0, 200, 2))
    assert sum(len(part.item_ids) for part in index._rows.parts) < 112
    assert index.search(BinaryCodes(np.array([[1]], np.uint8)), 3).item_ids.tolist() == [[1, 3, 5]]


def test_a_search_leaves_no_trace_in_faiss() -> None:
    faiss = pytest.importorskip("faiss")
    before = faiss.omp_get_max_threads()
    packed = codes(np.random.default_rng(0), 2000, 64)
    HammingIndex(np.arange(2000), packed).search(BinaryCodes(packed[:1]), 10)
    assert faiss.omp_get_max_threads() == before


def test_empty_gallery_and_no_queries() -> None:
    empty = HammingIndex(np.empty(0, np.int64), np.empty((0, 0), np.uint8), n_bits=16, version=3)
    assert (len(empty), empty.dim, empty.version) == (0, 16, 3)
    query = BinaryCodes(np.zeros((2, 2), np.uint8))
    assert empty.search(query, 5).item_ids.shape == (2, 0)
    assert empty.score_all(query).shape == (2, 0)
    full = HammingIndex(np.arange(3), np.zeros((3, 2), np.uint8))
    assert full.search(query[:0], 2).item_ids.shape == (0, 2)
    assert full.search(query, 2, allowed=np.zeros(3, bool)).item_ids.shape == (2, 0)
    full.remove(np.arange(3))
    assert full.search(query, 2).item_ids.shape == (2, 0)
    full.add(np.array([2]), np.ones((1, 2), np.uint8))
    assert full.search(query).item_ids.tolist() == [[2], [2]]


def test_misfits_are_refused_with_expected_and_actual() -> None:
    packed = np.zeros((2, 8), np.uint8)
    index = HammingIndex(np.arange(2), packed)
    wide = BinaryCodes(np.zeros((1, 4), np.uint8))
    with pytest.raises(ValueError, match="expected queries of 64 bits, got 32"):
        index.search(wide)
    with pytest.raises(ValueError, match="expected queries of 64 bits, got 32"):
        index.score_all(wide)
    with pytest.raises(ValueError, match=r"allowed must be bool of shape \(2,\), got int64 \(2,\)"):
        index.search(BinaryCodes(packed), allowed=np.ones(2, np.int64))
    with pytest.raises(ValueError, match="k must not be negative, got -1"):
        index.search(BinaryCodes(packed), -1)
    with pytest.raises(ValueError, match=r"uint8 codes of shape \(2, bytes\), got int64"):
        HammingIndex(np.arange(2), packed.astype(np.int64))
    with pytest.raises(ValueError, match=r"codes of shape \(3, bytes\)"):
        HammingIndex(np.arange(3), packed)
    with pytest.raises(ValueError, match="each once"):
        HammingIndex(np.array([4, 4]), packed)
    with pytest.raises(ValueError, match="expected codes of 16 bits, got 64"):
        HammingIndex(np.arange(2), packed, n_bits=16)
    with pytest.raises(ValueError, match="a code has a multiple of 8 bits, got 12"):
        HammingIndex(np.arange(0), packed[:0], n_bits=12)
    with pytest.raises(ValueError, match="1 of these items are in the gallery already, the first is 1"):
        index.add(np.array([1, 5]), packed)
    with pytest.raises(ValueError, match="expected codes of 64 bits, got 32"):
        index.add(np.array([5]), wide.packed)
    with pytest.raises(ValueError, match="1 of these items are not in the gallery, the first is 7"):
        index.remove(np.array([0, 7]))
    assert index.item_ids.tolist() == [0, 1]
