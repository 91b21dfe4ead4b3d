"""Codes made of real embeddings without training a network: what learned codes are held against.

Signs of random projections need no data (LSH); iterative quantisation fits a rotation of the
principal components to the data (ITQ: Gong and Lazebnik 2011, as faiss computes it).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.errors import ConfigError, DatasetError
from explorer.representations import BinaryCodes, Embeddings
from explorer.retrieval.faiss_threads import faiss_with_threads

ITQ_SEED = 123
"""Faiss's own, of the first rotation."""


@dataclass(frozen=True, slots=True)
class RandomProjection:
    """A bit is the side of a random plane through the origin on which an embedding lies.

    Attributes:
        directions: float32 (dim, n_bits), the planes' unit normals.
    """

    directions: np.ndarray

    def encode(self, embeddings: Embeddings) -> BinaryCodes:
        """Codes of embeddings (n, dim); the activations are cosines with the planes' normals.

        Raises
        ------
        ValueError
            embeddings of another width, or one that is not finite.
        """
        values = _checked(embeddings, len(self.directions))
        lengths = np.linalg.norm(values, axis=1, keepdims=True)
        return BinaryCodes.from_activations(values @ self.directions / np.maximum(lengths, 1e-12))


class IterativeQuantisation:
    """Principal components, turned so that rounding them to signs loses little."""

    def __init__(self, transform: Any) -> None:
        """Take a trained ``faiss.ITQTransform``."""
        self._transform = transform

    def encode(self, embeddings: Embeddings) -> BinaryCodes:
        """Codes of embeddings (n, dim): centred, scaled to unit length, turned, rounded.

        Raises
        ------
        ValueError
            embeddings of another width, or one that is not finite.
        """
        values = _checked(embeddings, self._transform.d_in)
        if not len(values):
            return BinaryCodes.from_activations(np.empty((0, self._transform.d_out), np.float32))
        with faiss_with_threads():
            return BinaryCodes.from_activations(self._transform.apply(values))


def fit_lsh(dim: int, n_bits: int, seed: int) -> RandomProjection:
    """Draw the planes from a Gaussian; there may be more of them than dimensions.

    Raises
    ------
    ConfigError
        ``n_bits`` is no multiple of 8.
    """
    _check_bits(n_bits)
    directions = np.random.default_rng(seed).standard_normal((dim, n_bits))
    directions /= np.linalg.norm(directions, axis=0)
    return RandomProjection(directions.astype(np.float32))


def fit_itq(embeddings: Embeddings, n_bits: int, seed: int = ITQ_SEED) -> IterativeQuantisation:
    """Fit centre, principal components and rotation to embeddings (n, dim).

    Raises
    ------
    ConfigError
        ``n_bits`` is no multiple of 8, or larger than the embeddings are wide.
    DatasetError
        there are too few embeddings for so many directions.
    ValueError
        one is not finite.
    """
    _check_bits(n_bits)
    values = _checked(embeddings, embeddings.dim)
    if n_bits > embeddings.dim:
        raise ConfigError(
            f"Embeddings {embeddings.dim} wide cannot be turned into {n_bits} bits: each is a direction of its own.",
            f"Choose at most {embeddings.dim // 8 * 8} bits, or random projections, which have no such limit.",
        )
    if len(embeddings) <= n_bits:
        raise DatasetError(
            f"{len(embeddings)} embeddings are too few to find {n_bits} directions in which they differ.",
            f"Give more than {n_bits}, or choose fewer bits.",
        )
    with faiss_with_threads() as faiss:
        transform = faiss.ITQTransform(embeddings.dim, n_bits, True)
        transform.itq.seed = seed
        transform.train(values)
    return IterativeQuantisation(transform)


def _check_bits(n_bits: int) -> None:
    if n_bits <= 0 or n_bits % 8:
        raise ConfigError(f"A code cannot have {n_bits} bits.", "Choose a multiple of 8, such as 16, 32, 64 or 128.")


def _checked(embeddings: Embeddings, dim: int) -> np.ndarray:
    if embeddings.dim != dim:
        raise ValueError(f"expected embeddings {dim} wide, got {embeddings.dim}")
    if not np.isfinite(embeddings.values).all():
        raise ValueError("an embedding is not a finite number")
    return np.ascontiguousarray(embeddings.values)
