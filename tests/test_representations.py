"""What several views of one thing become together."""

import numpy as np
import pytest

from explorer.representations import BinaryCodes, Embeddings, average


def test_embeddings_meet_in_their_direction():
    rows = Embeddings(np.array([[1, 0], [0, 1]], np.float32))
    np.testing.assert_allclose(average(rows).values, [[0.5**0.5, 0.5**0.5]], atol=1e-7)


@pytest.mark.parametrize("n", [1, 3])
def test_the_same_frame_again_changes_nothing(n):
    row = np.random.default_rng(1).standard_normal((1, 64)).astype(np.float32)
    row /= np.linalg.norm(row)
    np.testing.assert_allclose(average(Embeddings(row.repeat(n, axis=0))).values, row, atol=1e-7)
    codes = BinaryCodes.from_activations(np.tanh(5 * row).repeat(n, axis=0))
    together = average(codes)
    assert together.activations.tolist() == codes.activations[:1].tolist()
    assert together.packed.tolist() == codes.packed[:1].tolist()


def test_opposites_leave_the_first():
    rows = Embeddings(np.array([[0, 1], [0, -1]], np.float32))
    assert average(rows).values.tolist() == [[0, 1]]


def test_codes_vote_with_their_activations():
    codes = BinaryCodes.from_activations(np.array([[0.9, -0.1] * 4, [-0.2, -0.1] * 4, [-0.2, 0.3] * 4], np.float32))
    together = average(codes)
    np.testing.assert_allclose(together.activations, [[0.5 / 3, 0.1 / 3] * 4], atol=1e-7)
    assert together.packed.tolist() == [[0xFF]]
    assert average(BinaryCodes(codes.packed)).packed.tolist() == [[0x00]]  # two of three bits, for both


def test_nothing_cannot_be_averaged():
    with pytest.raises(ValueError, match="nothing"):
        average(Embeddings(np.empty((0, 4), np.float32)))
