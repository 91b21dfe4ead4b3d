"""Bits in words: for tool tips, for a line below the cells, and for those who cannot see them."""

from explorer.evidence import BitAgreement
from explorer.gui.item_text import score_text


def state_text(value: float) -> str:
    """Whether a bit of this activation is set."""
    return "set" if value >= 0 else "not set"


def bit_text(bits: BitAgreement, bit: int) -> str:
    """All about a bit (from 0, told from 1), in three lines."""
    values = (("Query", float(bits.query[bit])), ("Picture", float(bits.item[bit])))
    told = [f"{whose}: {state_text(value)}, {score_text(abs(value))} from flipping" for whose, value in values]
    return "\n".join([f"Bit {bit + 1} of {len(bits.query)} {_agrees(bits, bit)}", *told])


def short_bit_text(bits: BitAgreement, bit: int) -> str:
    """A bit in a line: ``Bit 18 differs: query .83, picture −.12``."""
    query, item = (score_text(float(code[bit])) for code in (bits.query, bits.item))
    return f"Bit {bit + 1} {_agrees(bits, bit)}: query {query}, picture {item}"


def _agrees(bits: BitAgreement, bit: int) -> str:
    return "agrees" if bits.agree[bit] else "differs"
