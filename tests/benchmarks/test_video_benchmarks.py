"""Goal 5: 16 frames of any clip cost at most 1.2 times the faster of going through it and of seeking for each."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import Interpolation

from explorer.media.moments import moments
from explorer.media.sampling import Sampling, sample_frames
from explorer.media.writing import write_video

_N_FRAMES, _SIDE_PX, _RATE_FPS, _SECONDS = 16, 112, 25.0, 10
_LIMIT = 1.2


def scenery() -> Iterator[np.ndarray]:
    """640 x 360: a textured background that drifts, and a square that crosses it."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 255, (23, 60, 3), dtype=np.uint8).repeat(16, 0).repeat(16, 1)[:360]
    grain = rng.integers(0, 24, coarse.shape, dtype=np.uint8)
    whole = np.maximum(coarse, 24) - grain
    for i in range(int(_RATE_FPS) * _SECONDS):
        frame = whole[:, i : i + 640].copy()
        frame[100:200, 2 * i : 2 * i + 100] = (255, 220, 0)
        yield frame


def sequentially(path: Path, times_s: np.ndarray) -> None:
    """Through the file until the last wanted frame went by."""
    with _opened(path) as container:
        stream = container.streams.video[0]
        left = times_s.tolist()
        for frame in container.decode(stream):
            if frame.time + 1 / _RATE_FPS > left[0]:
                _square(frame)
                left.pop(0)
                if not left:
                    return


def seeking(path: Path, times_s: np.ndarray) -> None:
    """A seek for every wanted frame."""
    with _opened(path) as container:
        stream = container.streams.video[0]
        for time_s in times_s.tolist():
            container.seek(round(time_s / stream.time_base), stream=stream)
            _square(next((frame for frame in container.decode(stream) if frame.time + 0.5 / _RATE_FPS > time_s), None))


def _opened(path: Path) -> "av.container.InputContainer":
    container = av.open(str(path))
    context = container.streams.video[0].codec_context
    context.thread_type, context.thread_count = "AUTO", max(1, (os.cpu_count() or 1) - 1)
    return container


def _square(frame: av.VideoFrame | None) -> None:
    if frame is not None:
        frame.reformat(_SIDE_PX, _SIDE_PX, "rgb24", interpolation=Interpolation.AREA, threads=1).to_ndarray()


def compare(path: Path, duration_s: float) -> float:
    """The road's time by that of the faster of both ways, best of several runs in turns; prints what was measured."""
    times_s = moments(0.0, duration_s, _N_FRAMES)
    ways: dict[str, Callable[[], object]] = {
        "road": lambda: sample_frames(os.fsencode(path), 0.0, duration_s, Sampling(_N_FRAMES, _SIDE_PX)),
        "sequential": lambda: sequentially(path, times_s),
        "seeking": lambda: seeking(path, times_s),
    }
    best_s = dict.fromkeys(ways, float("inf"))
    for n_rounds in range(1, 9):
        for name, way in ways.items():  # in turns, so that other work on the machine hits all; the least of each counts
            if n_rounds > 1 and best_s[name] > 2 * min(best_s.values()):
                continue  # the slower of the two ways is of no interest
            start = time.process_time()
            way()
            best_s[name] = min(best_s[name], time.process_time() - start)
        ratio = best_s["road"] / min(best_s["sequential"], best_s["seeking"])
        if n_rounds >= 4 and ratio <= 0.9 * _LIMIT:
            break
    print(f"{path.name:36}", ", ".join(f"{name} {1e3 * best:6.1f} ms" for name, best in best_s.items()), f"{ratio:.2f}")
    return ratio


@pytest.mark.slow
@pytest.mark.parametrize("keyframe_every", [12, 250])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi", ".webm", ".mov"])
def test_sampling_beside_reading_on_and_seeking(tmp_path, suffix, keyframe_every):
    path = tmp_path / f"gop{keyframe_every}{suffix}"
    write_video(path, scenery(), _RATE_FPS, keyframe_every=keyframe_every)
    assert compare(path, float(_SECONDS)) <= _LIMIT


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_sampling_of_real_clips(shared_data):
    from explorer.media.video import read_facts

    paths = [path for path in sorted((shared_data / "videos").rglob("*.*")) if path.suffix in (".avi", ".mkv", ".mp4")]
    ratios = [compare(path, read_facts(os.fsencode(path)).duration_s) for path in paths]
    print(f"{len(ratios)} clips: median {np.median(ratios):.2f}, worst {max(ratios):.2f}")
    assert max(ratios) <= _LIMIT
