"""The real clips of the test data: all can be read, and a shot has the same frames whichever way it is read."""

import os
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from explorer.media.item import kind_of
from explorer.media.sampling import Sampling, sample_frames
from explorer.media.shots import read_shots
from explorer.media.video import read_facts

SAMPLINGS = (Sampling(3, 32), Sampling(16, 16))


@pytest.fixture(scope="module")
def clips(shared_data: Path) -> list[Path]:
    found = sorted(path for path in (shared_data / "videos").rglob("*.*") if kind_of(path.name) == "video")
    if not found:
        pytest.skip("the test data have no videos")
    return found


@pytest.mark.slow
def test_every_clip_is_read(clips):
    for path in clips:
        name = os.fsencode(path)
        facts = read_facts(name)
        shots = list(read_shots(name, SAMPLINGS))
        assert shots[0].start_s == pytest.approx(0, abs=0.1), path
        assert shots[-1].end_s == pytest.approx(facts.duration_s, abs=0.1), path
        assert all(one.end_s == other.start_s for one, other in pairwise(shots)), path
        again = list(read_shots(name, SAMPLINGS, spans=[(shot.start_s, shot.end_s) for shot in shots]))
        for shot, other in zip(shots, again, strict=True):
            np.testing.assert_array_equal(shot.frames[1], other.frames[1], err_msg=str(path))
        middle = shots[len(shots) // 2]
        sampled = sample_frames(name, middle.start_s, middle.end_s, SAMPLINGS[0])
        np.testing.assert_array_equal(sampled.pixels, middle.frames[0], err_msg=str(path))


def test_cuts_of_a_film(clips):
    """The cuts of this clip were found by looking at its frames."""
    (path,) = [path for path in clips if path.name == "bikes.mp4"]
    starts = [shot.start_s for shot in read_shots(os.fsencode(path), SAMPLINGS)]
    np.testing.assert_allclose(starts[:4], [0.0, 1.2, 3.04, 5.48], atol=0.01)
