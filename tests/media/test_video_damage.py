"""Damaged videos: 100 mutations of each container end in an error or a shorter clip, soon, quietly, in little memory.

They are read in a process of their own: a decoder that crashes would take the tests with it.
"""

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from explorer.media.writing import write_video

N_MUTATIONS = 100

READ_ALL = """
import json, os, re, resource, sys, time
from pathlib import Path
from explorer.errors import MediaError
from explorer.media.sampling import Sampling, read_frame, sample_frames
from explorer.media.shots import read_shots
from explorer.media.video import read_facts

# Unlimited memory would take the machine with it.
resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
told = []
for path in sorted(Path(sys.argv[1]).iterdir()):
    name, began = os.fsencode(path), time.process_time()
    samplings = (Sampling(3, 32), Sampling(16, 16))
    try:
        shots = list(read_shots(name, samplings))
        spans = [(shot.start_s, shot.end_s) for shot in shots]
        assert spans
        assert all(start < end for start, end in spans)
        assert all(one[1] <= other[0] for one, other in zip(spans, spans[1:]))
        assert all(shot.frames[1].shape == (16, 16, 16, 3) for shot in shots)
        said = ""
    except MediaError as error:
        said, spans = error.message, [(0.0, 1.0)]
    for way in (
        lambda: read_facts(name), lambda: list(read_shots(name, samplings, spans=spans)),
        lambda: sample_frames(name, 0.0, None, samplings[0]), lambda: read_frame(name, spans[-1][1] / 2, 50),
    ):
        try:
            way()
        except MediaError as error:
            assert error.message
    told.append((path.name, said, spans[-1][1], time.process_time() - began))
# Not getrusage: a child's ru_maxrss begins with the memory of the process that started it.
peak_mb = int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024
print(json.dumps({"told": told, "peak_mb": peak_mb}))
"""


def truncated(content: bytes, rng: random.Random) -> bytes:
    return content[: rng.randrange(1, len(content))]


def flipped(content: bytes, rng: random.Random) -> bytes:
    damaged = bytearray(content)
    for _ in range(rng.choice((1, 4, 16, 64, 256))):
        damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
    return bytes(damaged)


def flipped_at_the_ends(content: bytes, rng: random.Random) -> bytes:
    """Headers and indexes are there."""
    damaged = bytearray(content)
    for _ in range(rng.choice((1, 3, 9, 27))):
        place = rng.randrange(min(len(content), 2048))
        damaged[rng.choice((place, -1 - place))] = rng.randrange(256)
    return bytes(damaged)


def overwritten(content: bytes, rng: random.Random) -> bytes:
    place, length = rng.randrange(len(content)), rng.randrange(1, 3000)
    return (content[:place] + rng.randbytes(length) + content[place + length :])[: len(content)]


DAMAGES: tuple[Callable[[bytes, random.Random], bytes], ...] = (truncated, flipped, flipped_at_the_ends, overwritten)


def movie(path: Path) -> bytes:
    """Three seconds, two shots, a keyframe every 6 frames."""
    rng = np.random.default_rng(0)
    scenery = rng.integers(0, 255, (12, 16, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    frames = []
    for i in range(24):
        frame = scenery.copy() if i < 12 else 255 - scenery
        frame[20:50, 4 * i : 4 * i + 20] = (255, 255, 0)
        frames.append(frame)
    write_video(path, frames, 8, keyframe_every=6)
    return path.read_bytes()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi", ".webm"])
def test_mutations(tmp_path, suffix):
    content = movie(tmp_path / f"whole{suffix}")
    folder = tmp_path / "damaged"
    folder.mkdir()
    rng = random.Random(suffix)
    for i in range(N_MUTATIONS):
        (folder / f"{i:03}{suffix}").write_bytes(DAMAGES[i % len(DAMAGES)](content, rng))
    done = subprocess.run(
        [sys.executable, "-c", READ_ALL, str(folder)], capture_output=True, timeout=240, check=False,
        cwd=Path(__file__).resolve().parents[2], env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    assert done.stderr == b""
    answer = json.loads(done.stdout)
    said = [sentence for _, sentence, _, _ in answer["told"]]
    assert len(said) == N_MUTATIONS
    assert 5 <= sum(map(bool, said)) <= 80  # some cannot be read, many are shorter clips
    assert {sentence for sentence in said if sentence} <= {
        "The file is not a video of a kind that can be read, or its beginning is damaged.",
        "Not one frame of the video can be decoded.",
        "The video is written in a form that this program has no decoder for.",
        "The file holds sound and no moving pictures.",
        "The file is empty.",
    } | {sentence for sentence in said if "megapixels" in sentence}
    assert max(seconds for *_, seconds in answer["told"]) < 20
    assert answer["peak_mb"] < 1500
