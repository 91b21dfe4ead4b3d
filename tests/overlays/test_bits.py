"""What two codes have in common, in words and counts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.evidence import BitAgreement
from explorer.overlays import UNDECIDED, agreement_text, bits_from_message, cells_in_line, undecided
from explorer.protocol import Bits


def _message(query, item):
    return Bits(query=np.asarray(query, "<f4").tobytes(), item=np.asarray(item, "<f4").tobytes())


activations = st.lists(
    st.tuples(st.floats(-1, 1, width=32), st.floats(-1, 1, width=32)), min_size=8, max_size=24
)


@given(activations)
def test_counts_are_those_of_a_loop(pairs):
    bits = bits_from_message(_message([q for q, _ in pairs], [i for _, i in pairs]))
    n_agree = sum((q >= 0) == (i >= 0) for q, i in pairs)
    near = [min(abs(q), abs(i)) < np.float32(UNDECIDED) for q, i in pairs]
    assert undecided(bits).tolist() == near
    text = agreement_text(bits)
    assert text.startswith(f"{n_agree} of {len(pairs)} bits agree; {sum(near) or 'none'} ")


def test_one_bit_is_and_several_are():
    one = BitAgreement(np.array([0.05, 0.9], np.float32), np.array([0.8, -0.9], np.float32))
    assert agreement_text(one) == "1 of 2 bits agree; 1 is nearly undecided."
    none = BitAgreement(np.array([0.5, 0.9], np.float32), np.array([0.8, 0.9], np.float32))
    assert agreement_text(none) == "2 of 2 bits agree; none are nearly undecided."


def test_zero_counts_as_set_and_what_is_no_number_lies_on_the_flip():
    bits = bits_from_message(_message([0.0, np.nan, 7.0], [0.3, np.inf, -7.0]))
    np.testing.assert_array_equal(bits.query, np.float32([0, 0, 1]))
    np.testing.assert_array_equal(bits.item, np.float32([0.3, 1, -1]))
    assert bits.agree.tolist() == [True, True, False]


@pytest.mark.parametrize(("query", "item"), [((), ()), ((1, 2), (1,))])
def test_codes_that_do_not_fit_are_refused(query, item):
    with pytest.raises(ValueError, match="bit"):
        bits_from_message(_message(query, item))


@given(st.integers(1, 16).map(lambda n: 8 * n), st.floats(40, 2000), st.floats(5, 30))
def test_lines_are_as_long_as_there_is_room_for(n_bits, room, least):
    n = cells_in_line(n_bits, room, least)
    assert n in (8, 16, 32, 64, n_bits)
    assert n <= n_bits
    assert n == 8 or n * least <= room
    longer = [k for k in (16, 32, 64) if n < k <= n_bits]
    assert all(k * least > room for k in longer)
