"""Query algebra: sentences, pictures and what to stay away from, as one vector or one code."""

from collections.abc import Sequence

import numpy as np

from explorer.errors import QueryError
from explorer.representations import BinaryCodes, Embeddings

_SMALLEST_LENGTH = 1e-6


def combine(embeddings: Embeddings, weights: Sequence[float]) -> Embeddings:
    """Weighted sum of unit vectors, scaled back to unit length; a negative weight means away from.

    Parameters
    ----------
    embeddings
        (n, dim), one row a part of the query; each is first scaled to unit length.
    weights
        one a row.

    Returns
    -------
    Embeddings
        (1, dim).

    Raises
    ------
    QueryError
        the parts cancel out (wanting and avoiding the same), so that no direction is left.
    ValueError
        another number of weights than of parts, none at all, or a part that is not finite.
    """
    values, factors = _checked(embeddings.values, weights)
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    total = factors @ (values / np.maximum(lengths, _SMALLEST_LENGTH))
    length = float(np.linalg.norm(total))
    if length < _SMALLEST_LENGTH:
        raise _cancelled()
    return Embeddings((total / length).astype(np.float32)[None])


def combine_codes(codes: BinaryCodes, weights: Sequence[float]) -> BinaryCodes:
    """Weighted vote of codes on each bit; a negative weight means away from.

    A part votes with its activations, so that a bit that hardly was what it is counts little; with its bits where
    activations are not known. The sum, divided by the sum of the weights' sizes, is the activation of the result. Where
    it is exactly 0 the first part decides. A single part with weight 1 comes back as it is.

    Parameters
    ----------
    codes
        (n, n_bits), one row a part of the query.
    weights
        one a row.

    Returns
    -------
    BinaryCodes
        (1, n_bits).

    Raises
    ------
    QueryError
        the parts cancel out on every bit.
    ValueError
        another number of weights than of parts, none at all, or a weight or activation that is not finite.
    """
    values, factors = _checked(codes.signs if codes.activations is None else codes.activations, weights)
    total = factors @ values / max(float(np.abs(factors).sum()), _SMALLEST_LENGTH)
    if np.abs(total).max() < _SMALLEST_LENGTH:
        raise _cancelled()
    if len(codes) == 1 and factors[0] == 1:
        return codes
    # As near to 0 as can be, on the side of the first part: what it would say alone, with the sign of its weight.
    undecided = total == 0
    total[undecided] = np.copysign(np.finfo(np.float32).tiny, factors[0] * codes.signs[0, undecided])
    return BinaryCodes.from_activations(total.astype(np.float32)[None])


def _checked(parts: np.ndarray, weights: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """Parts (n, dim) and weights (n,) as float64."""
    values, factors = parts.astype(np.float64), np.asarray(weights, np.float64)
    if len(values) != len(factors) or not len(values):
        raise ValueError(f"expected one weight for each of {len(values)} > 0 parts, got {len(factors)}")
    if not (np.isfinite(values).all() and np.isfinite(factors).all()):
        raise ValueError("a part of the query or its weight is not a finite number")
    return values, factors


def _cancelled() -> QueryError:
    return QueryError(
        "The parts of this query cancel each other out.", "Say something else to look for, or to stay away from."
    )
