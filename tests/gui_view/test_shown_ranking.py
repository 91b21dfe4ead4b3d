"""Which part of a ranking a bound leaves, and what is told of it; scores of codes come in steps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.gui.item_text import differing_text, score_text
from explorer.gui.shown_ranking import ShownRanking
from explorer.protocol import SearchResponse


def _shown(differing, n_bits):
    scores = np.asarray([1 - 2 * d / n_bits for d in sorted(differing)], "<f4")
    shown = ShownRanking()
    shown.take(SearchResponse(
        id=1, item_ids=np.arange(len(scores), dtype="<i8").tobytes(), scores=scores.tobytes(), n_bits=n_bits
    ))
    return shown, scores


@pytest.mark.parametrize("n_bits", [16, 64, 128])
@given(data=st.data(), part=st.floats(0.01, 1))
def test_a_bound_on_codes_is_a_score_that_codes_can_have(n_bits, data, part):
    differing = data.draw(st.lists(st.integers(0, n_bits), min_size=1, max_size=40))
    shown, scores = _shown(differing, n_bits)
    _, kept = shown.keep_above(part)
    bound = scores[-1] + (float(scores[0]) - float(scores[-1])) * part
    assert shown.n_kept >= 1  # the best always stays
    assert shown.n_kept == int((scores >= bound - 1e-5).sum())
    steps = [score_text(1 - 2 * d / n_bits) for d in range(n_bits + 1)]
    assert shown.bound_text().removeprefix("Score ≥ ") in steps
    assert kept.min() >= bound - 1e-5


@pytest.mark.parametrize("n_bits", [16, 32, 64, 128])
def test_two_decimals_tell_neighbouring_scores_of_codes_apart(n_bits):
    texts = [score_text(float(np.float32(1 - 2 * d / n_bits))) for d in range(n_bits + 1)]
    assert len(set(texts)) == n_bits + 1


@given(st.sampled_from([16, 64, 128]), st.integers(0, 128))
def test_a_score_says_how_many_bits_differ(n_bits, n_differ):
    n_differ = min(n_differ, n_bits)
    score = float(np.float32(1 - 2 * n_differ / n_bits))
    assert differing_text(score, n_bits) == f"{n_differ} of {n_bits} bits differ"


def test_where_there_are_no_codes_nothing_is_told_of_bits():
    assert differing_text(0.8, 0) == ""
    assert differing_text(float("nan"), 64) == ""


def _browsed(n_items):
    shown = ShownRanking()
    shown.take(SearchResponse(id=1, item_ids=np.arange(n_items, dtype="<i8").tobytes(), scores=b""))
    shown.keep_above(0)
    return shown


@pytest.mark.parametrize(
    ("n_shown", "n_items", "n_videos", "said"),
    [(40, 40, 0, "40 photos"), (40, 40, 40, "40 videos"), (40, 40, 4, "36 photos, 4 videos"),
     (30, 40, 4, "30 files"), (30, 40, 0, "30 photos"), (1, 1, 1, "1 video")],
)
def test_everything_is_counted_by_kind(n_shown, n_items, n_videos, said):
    assert _browsed(n_shown).count_text(n_items, n_videos) == said


def test_results_are_results_whatever_they_are():
    shown, _ = _shown(range(10), 64)
    shown.keep_above(0)
    assert shown.count_text(40, 4) == "10 results"
