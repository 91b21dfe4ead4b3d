"""What parts of a picture gave to the similarity of its code: the code without each of them, in turn."""
# R rows of the query, n parts, K bits

from dataclasses import dataclass

import numpy as np

from explorer.evidence import BitAgreement
from explorer.representations import BinaryCodes


@dataclass(frozen=True, slots=True)
class LeftOut:
    """How a similarity falls without each part; no part's share is exact for two together.

    Attributes:
        score: of the codes, 1 - 2 d / K: what results are ranked by.
        row_scores: float32 (R,), similarity of every row of the query before rounding, the mean over bits of the
            product of activations.
        shares: float32 (R, n), how far each of these falls without each part.
        code_shares: float32 (n,), how far the score falls without each part: in steps of 2 / K.
        bits: both codes.
    """

    score: float
    row_scores: np.ndarray
    shares: np.ndarray
    code_shares: np.ndarray
    bits: BitAgreement


def leave_out(activations: np.ndarray, query: BinaryCodes) -> LeftOut:
    """Compare a picture and the picture without each part with a query.

    activations: float32 (1 + n, K), the whole picture first.
    query: the query, and further rows with something left out of it, (R, K).
    """
    n_bits = query.n_bits
    rows = activations_of(query)
    relaxed = rows @ activations.T / n_bits
    codes = BinaryCodes.from_activations(activations).signs.astype(np.float32)
    scores = query.signs[0].astype(np.float32) @ codes.T / n_bits
    return LeftOut(
        score=float(scores[0]),
        row_scores=relaxed[:, 0],
        shares=relaxed[:, :1] - relaxed[:, 1:],
        code_shares=scores[0] - scores[1:],
        bits=BitAgreement(rows[0], activations[0]),
    )


def activations_of(codes: BinaryCodes) -> np.ndarray:
    """What the bits were rounded from, float32 (n, K); the bits themselves where that is not known."""
    return codes.signs.astype(np.float32) if codes.activations is None else codes.activations
