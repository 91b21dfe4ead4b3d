"""Shots of videos: found, known, in long takes and in odd timings."""

import os
from fractions import Fraction

import numpy as np
import pytest

from explorer.cancellation import CancellationToken, Cancelled
from explorer.media import takes
from explorer.media.image import decode_image
from explorer.media.moments import LONGEST_TAKE_S, WINDOW_S, lattice_step_s, moments
from explorer.media.sampling import Sampling, read_frame, sample_frames
from explorer.media.shots import read_shots
from explorer.media.video import read_facts
from explorer.media.writing import write_video

COLOURS = {"red": (200, 30, 30), "green": (30, 180, 30), "blue": (30, 30, 200), "white": (240, 240, 240)}
SAMPLINGS = (Sampling(3, 32), Sampling(16, 16))
SUFFIXES = [".mp4", ".mkv", ".avi", ".webm", ".mov"]


def plain(*colours, n=20, height=48, width=64):
    """One shot a colour, each of n frames."""
    for colour in colours:
        for _ in range(n):
            yield np.full((height, width, 3), COLOURS[colour], np.uint8)


def counting(n, height=48, width=64):
    """Frame i bears its number: eight bars are its Gray code, so that neighbours differ in one and no cut is seen."""
    for i in range(n):
        bars = np.array([(i ^ i >> 1) >> bit & 1 for bit in range(8)])
        yield np.broadcast_to((60 + 120 * bars.repeat(width // 8))[None, :, None], (height, width, 3)).astype(np.uint8)


def number_of(pixels):
    """Which frame this is."""
    bars = pixels.mean(axis=(0, 2)).reshape(8, -1).mean(axis=1) > 120
    number = sum(int(bar) << bit for bit, bar in enumerate(bars))
    for shift in (4, 2, 1):
        number ^= number >> shift
    return number


def shots_of(path, samplings=SAMPLINGS, **how):
    return list(read_shots(os.fsencode(path), samplings, **how))


def spans_of(shots):
    return [(shot.start_s, shot.end_s) for shot in shots]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_cuts_are_found_to_the_frame(tmp_path, suffix):
    write_video(tmp_path / f"cuts{suffix}", plain("red", "green", "blue", "red"), 20)
    shots = shots_of(tmp_path / f"cuts{suffix}")
    np.testing.assert_allclose(spans_of(shots), [(0, 1), (1, 2), (2, 3), (3, 4)], atol=0.06)
    for shot, colour in zip(shots, ("red", "green", "blue", "red"), strict=True):
        for sampling, frames, times_s in zip(SAMPLINGS, shot.frames, shot.times_s, strict=True):
            assert frames.shape == (sampling.n_frames, sampling.side_px, sampling.side_px, 3)
            assert frames.dtype == np.uint8
            assert times_s.dtype == np.float32
            assert (np.diff(times_s) > 0).all()
            assert shot.start_s <= times_s[0] < times_s[-1] < shot.end_s
            np.testing.assert_allclose(frames, np.broadcast_to(COLOURS[colour], frames.shape), atol=10)
        thumbnail = decode_image(shot.thumbnail).pixels
        assert thumbnail.shape == (48, 64, 3)
        np.testing.assert_allclose(thumbnail[24, 32], COLOURS[colour], atol=12)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_frames_are_spread_over_the_shot_and_shown_at_their_times(tmp_path, suffix):
    write_video(tmp_path / f"count{suffix}", counting(60), 20)
    (shot,) = shots_of(tmp_path / f"count{suffix}")
    assert spans_of([shot]) == [(0, pytest.approx(3, abs=0.06))]
    for frames, times_s in zip(shot.frames, shot.times_s, strict=True):
        n = len(frames)
        np.testing.assert_allclose(times_s, (np.arange(n) + 0.5) * 3 / n, atol=1 / 32 + 0.06)
        shown = [number_of(frame) for frame in frames]
        np.testing.assert_allclose(shown, np.floor(times_s * 20 + 0.02), atol=1)
    assert number_of(decode_image(shot.thumbnail).pixels) == pytest.approx(30, abs=3)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_second_reading_takes_the_same_frames(tmp_path, suffix):
    path = tmp_path / f"again{suffix}"
    rng = np.random.default_rng(1)
    pictures = [rng.integers(0, 255, (6, 8, 3), np.uint8).repeat(8, 0).repeat(8, 1) for _ in range(5)]
    frames = [np.roll(picture, i // 3, 1) for picture, n in zip(pictures, (7, 33, 51, 90, 14), strict=True)
              for i in range(n)]
    write_video(path, frames, 20, keyframe_every=9)
    first = shots_of(path)
    assert len(first) >= 3
    spans = spans_of(first)
    for shot, again in zip(first, shots_of(path, spans=spans), strict=True):
        assert (again.start_s, again.end_s) == (shot.start_s, shot.end_s)
        for number, sampling in enumerate(SAMPLINGS):
            np.testing.assert_array_equal(again.frames[number], shot.frames[number])
            np.testing.assert_array_equal(again.times_s[number], shot.times_s[number])
            sampled = sample_frames(os.fsencode(path), shot.start_s, shot.end_s, sampling)
            np.testing.assert_array_equal(sampled.pixels, shot.frames[number])
            np.testing.assert_array_equal(sampled.times_s, shot.times_s[number])
    few = shots_of(path, spans=spans[1::2])
    np.testing.assert_array_equal(few[0].frames[1], first[1].frames[1])


@pytest.mark.parametrize("n", [1, 2, 5])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_clip_of_few_frames_repeats_some(tmp_path, suffix, n):
    write_video(tmp_path / f"few{suffix}", counting(n), 10)
    (shot,) = shots_of(tmp_path / f"few{suffix}")
    shown = [number_of(frame) for frame in shot.frames[1]]
    assert len(shown) == 16
    assert shown == sorted(shown)
    assert set(shown) <= set(range(n + 1))
    assert len(set(shown)) >= min(n, 3) - 1


def textured(n):
    """A texture that drifts: nothing that looks like a cut."""
    wide = np.random.default_rng(0).integers(60, 200, (6, 60, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    for i in range(n):
        yield wide[:, i // 4 : i // 4 + 64].copy()


@pytest.mark.parametrize(
    ("seconds", "lengths"), [(15, [15]), (20, [20]), (24, [10, 7, 7]), (41, [10, 10, 10, 5.5, 5.5])]
)
def test_long_takes_are_cut_into_windows(tmp_path, seconds, lengths):
    path = tmp_path / "long.mp4"
    write_video(path, textured(4 * seconds), 4)
    shots = shots_of(path)
    ends = np.cumsum(lengths)
    np.testing.assert_allclose(spans_of(shots), np.stack([ends - lengths, ends], axis=1), atol=0.26)
    if len(shots) > 1:
        assert max(shot.end_s - shot.start_s for shot in shots) <= WINDOW_S + 1e-6
    for shot in shots:
        for number, sampling in enumerate(SAMPLINGS):
            sampled = sample_frames(os.fsencode(path), shot.start_s, shot.end_s, sampling)
            np.testing.assert_array_equal(sampled.pixels, shot.frames[number])


def test_times_are_those_of_the_file_where_the_rate_varies(render):
    # 10 frames a second, then one of 4 s, then 10 frames a second again.
    pts = [*range(0, 1000, 100), *range(5000, 6000, 100)]
    path = render("varies.mkv", counting(20), pts=pts, time_base=Fraction(1, 1000))
    for time_s, number in ((0.05, 0), (0.95, 9), (3.0, 9), (4.9, 9), (5.05, 10), (5.95, 19), (99, 19)):
        assert number_of(read_frame(os.fsencode(path), time_s, 64)) == number
    shots = shots_of(path)
    assert spans_of(shots)[0][0] == 0
    assert spans_of(shots)[-1][1] == pytest.approx(6.0, abs=0.12)
    for shot in shots:
        shown = [number_of(frame) for frame in shot.frames[1]]
        wanted = [9 if 0.9 <= t < 5 else int(t * 10 + 0.02) if t < 5 else 10 + int((t - 5) * 10 + 0.02)
                  for t in shot.times_s[1]]
        np.testing.assert_allclose(shown, wanted, atol=1)


def test_a_picture_that_stands_is_one_shot(render):
    pts = [0, 100, 200, 60_000, 60_100, 60_200]
    path = render("stands.mkv", plain("red", n=6), pts=pts, time_base=Fraction(1, 1000))
    assert spans_of(shots_of(path)) == [(0, 60), (60, pytest.approx(60.3, abs=0.05))] or len(shots_of(path)) <= 4


@pytest.mark.parametrize("offset", [-500, 7000])
def test_a_first_frame_that_is_not_at_zero(render, offset):
    pts = [offset + 100 * i for i in range(20)]
    path = render("offset.mkv", counting(20), pts=pts, time_base=Fraction(1, 1000),
                  container_options={"avoid_negative_ts": "disabled"} if offset > 0 else {})
    (shot,) = shots_of(path)
    assert spans_of([shot]) == [(pytest.approx(0, abs=0.11), pytest.approx(2, abs=0.11))]
    np.testing.assert_allclose([number_of(f) for f in shot.frames[1]], np.floor(shot.times_s[1] * 10 + 0.02), atol=1)


def test_a_duration_that_nobody_wrote(render, tmp_path):
    # Written as a stream: no duration, no index, nothing to go back to.
    path = render("live.mkv", textured(60), form="matroska", container_options={"live": "1"})
    assert read_facts(os.fsencode(path)).duration_s == pytest.approx(3, abs=0.1)
    sampled = sample_frames(os.fsencode(path), 0.0, None, Sampling(4, 16))
    np.testing.assert_allclose(sampled.times_s, [0.375, 1.125, 1.875, 2.625], atol=0.1)


def test_an_avi_file_without_its_index(tmp_path):
    path = tmp_path / "noindex.avi"
    write_video(path, counting(60), 20, keyframe_every=12)
    content = path.read_bytes()
    index = content.rindex(b"idx1")
    with_index = shots_of(path)
    path.write_bytes(content[:index])
    assert read_facts(os.fsencode(path)).duration_s == pytest.approx(3, abs=0.06)
    shots = shots_of(path)
    assert spans_of(shots) == spans_of(with_index)
    np.testing.assert_array_equal(shots[0].frames[1], with_index[0].frames[1])
    assert number_of(read_frame(os.fsencode(path), 2.5, 64)) == pytest.approx(50, abs=1)


@pytest.mark.parametrize("suffix", [".mkv", ".avi", ".webm"])
def test_a_file_that_is_cut_off_is_a_shorter_clip(tmp_path, suffix):
    path = tmp_path / f"cut{suffix}"
    rng = np.random.default_rng(3)
    write_video(path, (rng.integers(0, 255, (48, 64, 3), np.uint8) for _ in range(60)), 20, keyframe_every=10)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    shots = shots_of(path)
    assert 1.0 <= shots[-1].end_s <= 2.0
    assert read_facts(os.fsencode(path)).duration_s == pytest.approx(shots[-1].end_s, abs=0.2)
    sampled = sample_frames(os.fsencode(path), 0.0, None, Sampling(8, 16))
    assert sampled.times_s[-1] < shots[-1].end_s
    claimed = sample_frames(os.fsencode(path), 0.0, 3.0, Sampling(8, 16))
    assert claimed.times_s[-1] < shots[-1].end_s


def test_a_stop_is_seen_at_the_next_packet(tmp_path):
    path = tmp_path / "stop.mp4"
    write_video(path, plain("red", "green", "blue", "white", "red", "green"), 20)
    token = CancellationToken()
    shots = read_shots(os.fsencode(path), SAMPLINGS, token=token)
    next(shots)
    token.cancel()
    with pytest.raises(Cancelled):
        next(shots)
    with pytest.raises(Cancelled):
        sample_frames(os.fsencode(path), 0, None, Sampling(3, 16), token=token)


def test_what_is_kept_of_a_take_is_bounded(tmp_path, monkeypatch):
    most = []
    keep = takes.OpenTake._keep_newest

    def counted(self, before_s):
        keep(self, before_s)
        most.append(len(self._kept))

    monkeypatch.setattr(takes.OpenTake, "_keep_newest", counted)
    path = tmp_path / "long.mp4"
    write_video(path, textured(1500), 60)
    assert shots_of(path)[-1].end_s == pytest.approx(25, abs=0.1)
    assert len(most) == 1500
    assert max(most) <= 161


# --- moments


@pytest.mark.parametrize("length_s", [1e-3, 0.04, 0.5, 1.9, 2.1, 3.99, 4.01, 10.0, 20.0, 20.5, 7200.0])
@pytest.mark.parametrize("n", [1, 3, 8, 16])
def test_moments(length_s, n):
    start_s = 123.456
    times = moments(start_s, start_s + length_s, n)
    assert times.shape == (n,)
    assert (np.diff(times) >= 0).all()
    assert start_s <= times[0]
    assert times[-1] < start_s + length_s
    step = lattice_step_s(length_s)
    centres = start_s + (np.arange(n) + 0.5) * length_s / n
    np.testing.assert_allclose(times, centres, atol=1e-9 if step is None else step / 2 + 3e-3 + (step > length_s))
    assert (step is None) == (length_s > LONGEST_TAKE_S + 0.01)
    if step is not None:
        np.testing.assert_allclose((times - start_s) / step, np.round((times - start_s) / step), atol=1e-6)
