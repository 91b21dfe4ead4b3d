"""Baselines: bits are what their definition says, and keep neighbours near as far as they should."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.errors import ConfigError, DatasetError
from explorer.representations import Embeddings
from explorer.retrieval.binarising import fit_itq, fit_lsh


def clusters(seed: int, n: int, dim: int) -> tuple[Embeddings, np.ndarray]:
    """Unit vectors about eight centres, and which centre each belongs to."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(0).standard_normal((8, dim))
    label = rng.integers(0, 8, n)
    values = centres[label] + 0.5 * rng.standard_normal((n, dim))
    return Embeddings((values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)), label


@given(st.integers(0, 2**32 - 1))
def test_lsh_is_the_sign_of_its_projection_whatever_the_length(seed: int) -> None:
    embeddings, _ = clusters(seed, 20, 12)
    projection = fit_lsh(12, 64, seed)
    codes = projection.encode(embeddings)
    assert codes.n_bits == 64  # more bits than dimensions
    np.testing.assert_array_equal(codes.signs > 0, embeddings.values @ projection.directions >= 0)
    longer = Embeddings(embeddings.values * np.float32(8))
    np.testing.assert_array_equal(projection.encode(longer).packed, codes.packed)


def test_lsh_distance_grows_with_the_angle() -> None:
    # Two vectors at an angle are parted by a random plane with probability angle / pi.
    angles = np.array([0.1, 0.5, 1.0, 2.0, 3.0])
    turned = np.zeros((5, 32), np.float32)
    turned[:, 0], turned[:, 1] = np.cos(angles), np.sin(angles)
    codes = fit_lsh(32, 8192, seed=3).encode(Embeddings(np.vstack([np.eye(1, 32, dtype=np.float32), turned])))
    parted = (codes.signs[1:] != codes.signs[0]).mean(axis=1)
    np.testing.assert_allclose(parted, angles / np.pi, atol=0.03)


def test_itq_rounds_less_away_than_its_principal_components() -> None:
    embeddings, _ = clusters(1, 1000, 64)
    codes = fit_itq(embeddings, 16).encode(embeddings)
    assert codes.activations is not None
    centred = embeddings.values - embeddings.values.mean(axis=0)
    centred /= np.linalg.norm(centred, axis=1, keepdims=True)
    components = np.linalg.svd(centred, full_matrices=False)[2][:16]
    plain = centred @ components.T
    # The same subspace, turned: lengths stay, and the share of the length that lies along the signs has grown.
    np.testing.assert_allclose((codes.activations**2).sum(), (plain**2).sum(), rtol=1e-3)
    assert np.abs(codes.activations).sum() > 1.02 * np.abs(plain).sum()


def test_itq_tells_clusters_apart_in_what_it_was_not_fitted_to() -> None:
    fitted, _ = clusters(1, 600, 32)
    unseen, label = clusters(2, 200, 32)
    signs = fit_itq(fitted, 16).encode(unseen).signs.astype(int)
    agreement, same = signs @ signs.T / 16, label[:, None] == label
    assert agreement[same].mean() > agreement[~same].mean() + 0.5
    again = fit_itq(fitted, 16).encode(unseen).signs
    np.testing.assert_array_equal(again, signs)


def test_nothing_to_encode() -> None:
    embeddings, _ = clusters(1, 100, 16)
    for way in (fit_lsh(16, 8, 0), fit_itq(embeddings, 8)):
        assert way.encode(Embeddings(np.empty((0, 16), np.float32))).packed.shape == (0, 1)


def test_what_cannot_be_is_a_sentence() -> None:
    embeddings, _ = clusters(1, 40, 32)
    with pytest.raises(ConfigError, match=r"32 wide cannot be turned into 64 bits.*at most 32 bits"):
        fit_itq(embeddings, 64)
    with pytest.raises(DatasetError, match=r"16 embeddings are too few to find 16 directions.*more than 16"):
        fit_itq(Embeddings(embeddings.values[:16]), 16)
    for make in (
        lambda: fit_lsh(32, 12, 0),
        lambda: fit_itq(embeddings, 12),
    ):
        with pytest.raises(ConfigError, match=r"A code cannot have 12 bits\. Choose a multiple of 8"):
            make()
    for way in (fit_lsh(16, 8, 0), fit_itq(clusters(1, 40, 16)[0], 8)):
        with pytest.raises(ValueError, match="expected embeddings 16 wide, got 32"):
            way.encode(embeddings)
        with pytest.raises(ValueError, match="not a finite number"):
            way.encode(Embeddings(np.full((1, 16), np.nan, np.float32)))
