"""The codes of query and picture as a person reads them: which bits agree, and which of them would flip easily."""

import numpy as np

from explorer.evidence import BitAgreement
from explorer.protocol import Bits

UNDECIDED = 0.1
"""A bit that lies nearer to its flip than this, of 1 at most, counts as nearly undecided (our choice)."""


def bits_from_message(bits: Bits) -> BitAgreement:
    """Both codes as arrays; what is no number lies on the flip itself.

    Raises:
        ValueError: there is no bit, or query and picture have not equally many.
    """
    query, item = (np.frombuffer(raw, "<f4").astype(np.float32) for raw in (bits.query, bits.item))
    if not query.size:
        raise ValueError("a code must have at least one bit")
    return BitAgreement(*(np.clip(np.nan_to_num(code), -1, 1) for code in (query, item)))


def undecided(bits: BitAgreement) -> np.ndarray:
    """Bool (n_bits,): where the query's or the picture's bit would flip for a small change."""
    return np.asarray(np.minimum(np.abs(bits.query), np.abs(bits.item)) < UNDECIDED)


def agreement_text(bits: BitAgreement) -> str:
    """``"52 of 64 bits agree; 9 are nearly undecided."``."""
    n_bits, n_agree, n_undecided = len(bits.query), int(bits.agree.sum()), int(undecided(bits).sum())
    is_are = "is" if n_undecided == 1 else "are"
    return f"{n_agree} of {n_bits} bits agree; {n_undecided or 'none'} {is_are} nearly undecided."


def cells_in_line(n_bits: int, room: float, least: float) -> int:
    """How many bits stand in a line: 64, 32 or 16, as wide as there is room for cells of at least this width; else 8.

    Never more than there are, so that a short code is one line.
    """
    most = next((n for n in (64, 32, 16) if n * least <= room), 8)
    return min(most, n_bits)
