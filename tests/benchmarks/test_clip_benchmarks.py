"""A DSMHN that sees motion encodes ten clips a second on two cores; explaining one costs little more."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from explorer.datasets.scenes.rendering import render_frame
from explorer.datasets.scenes.scene import draw_scenes
from explorer.networks.dsmhn.video_explaining import explained_block
from explorer.networks.encoder import VideoEncoder, sees_motion
from explorer.networks.registry import load_encoder
from explorer.packages.finding import resolve_package

MODELS = Path(__file__).resolve().parents[2] / "models"


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def encoder() -> VideoEncoder:
    loaded = load_encoder(resolve_package("dsmhn-scenes-64", [MODELS]), search_folders=[MODELS], device="cpu")
    assert sees_motion(loaded)
    return loaded


@pytest.fixture(scope="module")
def clips(encoder: VideoEncoder) -> np.ndarray:
    phases = np.linspace(0, 1, encoder.clip_frames)
    return np.stack([
        np.stack([render_frame(scene, float(phase), encoder.clip_side_px).pixels for phase in phases])
        for scene in draw_scenes(4, seed=9, split="test", moving=True)
    ])


def best_seconds(run: Callable[[], object], n_rounds: int) -> float:
    """Best of some rounds, in seconds."""
    best = float("inf")
    for _ in range(n_rounds):
        began = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - began)
    return best


def test_one_thread_encodes_twenty_clips_a_second(encoder: VideoEncoder, clips: np.ndarray) -> None:
    one = best_seconds(lambda: encoder.encode_videos(clips[:1]), 20)
    four = best_seconds(lambda: encoder.encode_videos(clips), 10) / len(clips)
    print(f"\nclips a second on one thread: {1 / one:.0f} one by one, {1 / four:.0f} four at a time")
    assert 1 / four > 20


def test_an_explanation_costs_at_most_1_3_times_a_forward_and_a_backward_pass(
    encoder: VideoEncoder, clips: np.ndarray
) -> None:
    stream = encoder._video  # type: ignore[attr-defined]
    network = stream.network
    query = encoder.encode_videos(clips[1:2])
    times_s = np.arange(encoder.clip_frames, dtype=np.float32)

    def both_passes() -> None:
        frames = network.normalised(torch.from_numpy(clips[0])[None])
        values = network.stem(frames).detach().requires_grad_()
        maps = list(network._run(values, network.blocks))
        assert explained_block(maps) < len(maps)
        stream.activations(network.pooled(maps[-1])).square().mean().backward()

    both = best_seconds(both_passes, 10)
    explained = best_seconds(lambda: encoder.explain_video(clips[0], times_s, query), 10)
    print(f"\nforward and backward {both * 1e3:.1f} ms, explanation {explained * 1e3:.1f} ms")
    assert explained < 1.3 * both
