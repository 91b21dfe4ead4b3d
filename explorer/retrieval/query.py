"""Query algebra: sentences, pictures and what to stay away from, as one vector."""

from collections.abc import Sequence

import numpy as np

from explorer.errors import QueryError
from explorer.representations import Embeddings

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
    values = embeddings.values.astype(np.float64)
    if len(values) != len(weights) or not len(values):
        raise ValueError(f"expected one weight for each of {len(values)} > 0 parts, got {len(weights)}")
    if not (np.isfinite(values).all() and np.isfinite(weights).all()):
        raise ValueError("a part of the query or its weight is not a finite number")
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    total = np.asarray(weights, np.float64) @ (values / np.maximum(lengths, _SMALLEST_LENGTH))
    length = float(np.linalg.norm(total))
    if length < _SMALLEST_LENGTH:
        raise QueryError(
            "The parts of this query cancel each other out.", "Say something else to look for, or to stay away from."
        )
    return Embeddings((total / length).astype(np.float32)[None])
