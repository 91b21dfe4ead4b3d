"""Queries add, subtract and stay unit vectors."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.errors import QueryError
from explorer.representations import BinaryCodes, Embeddings
from explorer.retrieval import combine, combine_codes


def rows(*values: list[float]) -> Embeddings:
    return Embeddings(np.array(values, np.float32))


def test_sum_and_difference_of_two_directions() -> None:
    both = rows([1, 0, 0], [0, 5, 0])  # lengths do not count
    np.testing.assert_allclose(combine(both, [1, 1]).values, [[0.5**0.5, 0.5**0.5, 0]], atol=1e-6)
    np.testing.assert_allclose(combine(both, [1, -1]).values, [[0.5**0.5, -(0.5**0.5), 0]], atol=1e-6)
    np.testing.assert_allclose(combine(both, [3, 4]).values, [[0.6, 0.8, 0]], atol=1e-6)


@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.integers(2, 64))
def test_result_has_unit_length_and_equals_the_naive_sum(seed: int, n: int, dim: int) -> None:
    rng = np.random.default_rng(seed)
    values, weights = rng.standard_normal((n, dim)).astype(np.float32), rng.uniform(0.5, 2, n)
    combined = combine(Embeddings(values), weights.tolist())
    assert combined.values.shape == (1, dim)
    assert np.linalg.norm(combined.values) == pytest.approx(1, abs=1e-5)
    naive = np.zeros(dim)
    for value, weight in zip(values.astype(np.float64), weights, strict=True):
        naive += weight * value / np.sqrt((value**2).sum())
    np.testing.assert_allclose(combined.values[0], naive / np.sqrt((naive**2).sum()), atol=1e-5)


def test_wanting_and_avoiding_the_same_is_a_sentence() -> None:
    with pytest.raises(QueryError, match="cancel each other out"):
        combine(rows([0.6, 0.8], [0.6, 0.8]), [1, -1])


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="one weight for each of 1"):
        combine(rows([1.0, 0.0]), [1, 2])
    with pytest.raises(ValueError, match="got 0"):
        combine(Embeddings(np.empty((0, 2), np.float32)), [])
    with pytest.raises(ValueError, match="finite"):
        combine(rows([np.nan, 0.0]), [1])
    with pytest.raises(ValueError, match="finite"):
        combine(rows([1.0, 0.0]), [np.inf])


def codes_of(*activations: list[float]) -> BinaryCodes:
    return BinaryCodes.from_activations(np.array(activations, np.float32))


def test_codes_vote_with_their_activations() -> None:
    parts = codes_of([0.9, 0.1, -0.5, -0.2, 1, 1, 1, 1], [-0.3, -0.4, -0.5, 0.1, 1, 1, 1, 1])
    both = combine_codes(parts, [1, 1])
    assert both.activations is not None
    np.testing.assert_allclose(both.activations[0, :4], [0.3, -0.15, -0.5, -0.05], atol=1e-6)
    assert both.signs[0, :4].tolist() == [1, -1, -1, -1]
    away = combine_codes(parts, [1, -1])
    assert away.signs[0].tolist() == [1, 1, -1, -1, 1, 1, 1, 1]  # from the third bit on undecided, or the first's


def test_bits_alone_vote_too() -> None:
    parts = BinaryCodes(np.array([[0b1100_0000], [0b1010_0000], [0b1111_0000]], np.uint8))
    assert combine_codes(parts, [1, 1, 1]).packed.tolist() == [[0b1110_0000]]
    assert combine_codes(parts, [1, 1, 3]).packed.tolist() == [[0b1111_0000]]
    assert combine_codes(parts[:2], [1, 1]).packed.tolist() == [[0b1100_0000]]  # undecided: the first's
    assert combine_codes(parts[1::-1], [1, 1]).packed.tolist() == [[0b1010_0000]]
    assert combine_codes(parts[:1], [-2]).packed.tolist() == [[0b0011_1111]]


@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.booleans())
def test_a_combined_code_is_the_rounded_naive_sum(seed: int, n: int, known: bool) -> None:
    rng = np.random.default_rng(seed)
    parts = BinaryCodes.from_activations(rng.uniform(-1, 1, (n, 32)).astype(np.float32))
    parts = parts if known else BinaryCodes(parts.packed)
    weights = [1.0, *rng.choice([-1, -0.5, 1, 2], n - 1).tolist()]
    result = combine_codes(parts, weights)
    assert result.packed.shape == (1, 4)
    if result.activations is not None:
        np.testing.assert_array_equal(BinaryCodes.from_activations(result.activations).packed, result.packed)
    rows = (parts.activations if known else parts.signs).tolist()  # type: ignore[union-attr]
    for bit, sign in enumerate(result.signs[0].tolist()):
        total = sum(weight * row[bit] for weight, row in zip(weights, rows, strict=True))
        assert sign == parts.signs[0, bit] if total == 0 else sign * total > 0


def test_one_code_comes_back_as_it_is() -> None:
    for part in (codes_of([0.5] * 8), BinaryCodes(np.array([[7]], np.uint8))):
        assert combine_codes(part, [1.0]) is part


def test_codes_that_cancel_out_are_a_sentence() -> None:
    same = codes_of([0.5, -0.25] * 4, [0.5, -0.25] * 4)
    with pytest.raises(QueryError, match="cancel each other out"):
        combine_codes(same, [1, -1])
    with pytest.raises(QueryError, match="cancel each other out"):
        combine_codes(BinaryCodes(same.packed), [1, -1])
    with pytest.raises(QueryError, match="cancel each other out"):
        combine_codes(same, [0, 0])


def test_nonsense_votes_are_refused() -> None:
    with pytest.raises(ValueError, match="one weight for each of 1 > 0 parts, got 2"):
        combine_codes(codes_of([1.0] * 8), [1, 1])
    with pytest.raises(ValueError, match="not a finite number"):
        combine_codes(codes_of([1.0] * 8), [float("nan")])
