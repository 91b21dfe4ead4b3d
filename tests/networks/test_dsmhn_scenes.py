"""The package that is shipped, on rendered scenes that it was not trained on: what it finds, and where it looks."""

from pathlib import Path

import numpy as np
import pytest

from explorer.datasets.scenes.rendering import RenderedFrame, render_frame
from explorer.datasets.scenes.scene import Scene, draw_scenes
from explorer.datasets.scenes.wording import sentences_of
from explorer.engine.verifying import verify
from explorer.evaluation.hashing_metrics import tie_aware_average_precision
from explorer.networks.encoder import VideoEncoder, sees_motion
from explorer.networks.registry import load_encoder
from explorer.packages.finding import resolve_package
from explorer.representations import BinaryCodes

MODELS = Path(__file__).parents[2] / "models"
NAME = "dsmhn-scenes-64"
N_SCENES = 36


@pytest.fixture(scope="module")
def encoder() -> VideoEncoder:
    loaded = load_encoder(resolve_package(NAME, [MODELS]), search_folders=[MODELS], device="cpu")
    assert sees_motion(loaded)
    return loaded


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return draw_scenes(N_SCENES, seed=41, split="test", moving=True)


@pytest.fixture(scope="module")
def frames(encoder, scenes) -> list[list[RenderedFrame]]:
    phases = (np.arange(encoder.clip_frames) + 0.5) / encoder.clip_frames
    return [[render_frame(scene, float(phase), encoder.clip_side_px) for phase in phases] for scene in scenes]


@pytest.fixture(scope="module")
def clips(frames) -> np.ndarray:
    return np.stack([np.stack([frame.pixels for frame in clip]) for clip in frames])


def times_of(encoder: VideoEncoder) -> np.ndarray:
    return np.linspace(0, 2, encoder.clip_frames, dtype=np.float32)


def sentence_codes(encoder: VideoEncoder, scenes: list[Scene]) -> BinaryCodes:
    codes = encoder.encode_texts([sentences_of(scene)[0] for scene in scenes])
    assert isinstance(codes, BinaryCodes)
    return codes


def mean_average_precision(queries: BinaryCodes, gallery: BinaryCodes, names: list[str]) -> float:
    distances = (queries.n_bits - queries.signs.astype(int) @ gallery.signs.astype(int).T) // 2
    relevant = np.array(names)[:, None] == np.array(names)[None, :]
    return float(tie_aware_average_precision(distances, relevant, queries.n_bits).mean())


def test_it_gives_what_it_gave_when_it_was_made():
    assert verify(NAME, [MODELS]) == []


def test_it_is_small_and_says_what_it_has_seen():
    folder = MODELS / NAME
    assert sum(path.stat().st_size for path in folder.iterdir()) < 2.5e6
    card = " ".join((folder / "CARD.md").read_text().split())
    assert "Trained on rendered scenes only. It has seen no real clip" in card


def test_sentences_find_clips_in_which_what_they_say_happens(encoder, scenes, clips):
    motions = [scene.motion for scene in scenes]
    found = encoder.encode_videos(clips)
    assert mean_average_precision(sentence_codes(encoder, scenes), found, motions) > 0.75
    assert mean_average_precision(found, sentence_codes(encoder, scenes), motions) > 0.75
    # In any order of their frames they are other clips: what happens is gone.
    shuffled = clips[:, np.random.default_rng(0).permutation(clips.shape[1])]
    lost = mean_average_precision(sentence_codes(encoder, scenes), encoder.encode_videos(shuffled), motions)
    assert lost < 0.4


def inside(frames: list[RenderedFrame], n_cells: int) -> np.ndarray:
    """Bool (n_frames, n_cells, n_cells): cells whose middle is in the box of the subject."""
    middles = (np.arange(n_cells) + 0.5) / n_cells
    boxes = np.stack([frame.boxes[0] for frame in frames])[:, :, None]
    across = (middles >= boxes[:, 0]) & (middles <= boxes[:, 2])
    down = (middles >= boxes[:, 1]) & (middles <= boxes[:, 3])
    return down[:, :, None] & across[:, None, :]


@pytest.mark.parametrize("asked", [True, False])
def test_the_map_lies_on_what_moves(encoder, scenes, frames, clips, asked):
    queries = sentence_codes(encoder, scenes)
    shares, areas = [], []
    for row, clip in enumerate(clips):
        evidence = encoder.explain_video(clip, times_of(encoder), queries[row : row + 1] if asked else None)
        values = evidence.clip.attention[0].values
        own = inside(frames[row], values.shape[-1])
        shares.append(float((values * own).sum() / values.sum()))
        areas.append(float(own.mean()))
    assert np.mean(shares) > 2.5 * np.mean(areas)
    assert np.mean(np.array(shares) > np.array(areas)) > 0.85


def test_without_the_places_on_top_the_score_falls(encoder, scenes, clips):
    queries = sentence_codes(encoder, scenes)
    falls, chance = [], []
    generator = np.random.default_rng(0)
    for row, clip in enumerate(clips):
        query = queries[row : row + 1]
        evidence = encoder.explain_video(clip, times_of(encoder), query)
        values = evidence.clip.attention[0].values
        n_hidden = values.size // 10
        top = np.zeros(values.size, bool)
        top[np.argsort(-values, axis=None)[:n_hidden]] = True
        drawn = generator.permutation(top)
        hidden = [hide(clip, mask.reshape(values.shape)) for mask in (top, drawn)]
        found = encoder.encode_videos(np.stack(hidden))
        scores = found.activations @ query.activations[0] / found.n_bits
        falls.append(evidence.row_scores[0] - scores[0])
        chance.append(evidence.row_scores[0] - scores[1])
    assert np.mean(falls) > 0.05
    assert np.mean(falls) > np.mean(chance)


def hide(clip: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The clip with these cells as they are most of the time."""
    size = clip.shape[1] // mask.shape[1]
    hidden = mask.repeat(size, axis=1).repeat(size, axis=2)
    usual = np.broadcast_to(np.median(clip, axis=0).astype(np.uint8), clip.shape)
    return np.where(hidden[..., None], usual, clip)
