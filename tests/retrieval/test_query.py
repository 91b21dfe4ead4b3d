"""Queries add, subtract and stay unit vectors."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.errors import QueryError
from explorer.representations import Embeddings
from explorer.retrieval import combine


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
