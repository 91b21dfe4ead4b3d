"""DSMHN on rendered scenes: what is rendered and changed, what is wanted of codes, from a recipe to a package."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from explorer.cancellation import CancellationToken
from explorer.datasets.scenes.scene import draw_scenes
from explorer.datasets.scenes.world import COLOURS, KINDS, MOTIONS
from explorer.errors import ConfigError
from explorer.networks.encoder import sees_motion
from explorer.networks.registry import load_encoder
from explorer.packages.finding import resolve_package
from explorer.packages.reference import check_reference
from explorer.protocol.runs import EpochFinished, Finished, Noted, QueriesAnswered, Saved
from explorer.training.config import read_recipe
from explorer.training.phases import run_phase
from explorer.training.run_directory import RunDirectory
from explorer.training.scenes_config import ScenesRecipe
from explorer.training.scenes_phase import bits_of_attributes, one_hot, pairs_alike
from explorer.training.scenes_set import classes_of, render_clip, still_of
from explorer.training.scenes_views import changed_clips, drawn_times, worn_clip
from explorer.training.trainer import train

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "helpers"))
from code_worlds import scenes_phase

sys.path.pop(0)

ROOT = Path(__file__).parents[2]
MODELS = ROOT / "models"
RECIPE = """
task = "scenes"
name = "tiny-scenes"
[scenes]
n_clips = 5
n_images = 4
n_stills = 2
n_val = 3
n_rendered = 16
[network]
n_bits = 16
side_px = 32
channels = [4, 6, 8]
readers = {readers}
text_dim = 12
image_dim = 10
min_word_count = 1
[training]
epochs = 2
batch_size = 4
averaging = 0.9
"""


def run(folder, recipe, *, token=None, resume=None):
    path = folder / "recipe.toml"
    path.write_text(recipe)
    return train(path, resume=resume, runs_folder=folder / "home" / "runs", search_folders=[MODELS],
                 token=token or CancellationToken())


def finished(events) -> Finished:
    *_, last = events
    assert isinstance(last, Finished)
    return last


def test_a_recipe_becomes_a_package_of_three_streams(tmp_path):
    events = list(run(tmp_path, RECIPE.format(readers='["minilm", "bow"]')))
    assert len([event for event in events if isinstance(event, EpochFinished)]) == 2
    done = finished(events)
    assert {f"{way}_{what}" for way in ("t2v", "v2t", "v2v") for what in ("motion", "full")} <= set(done.metrics)
    package = resolve_package(os.fsdecode(done.path), [MODELS])
    encoder = load_encoder(package, search_folders=[MODELS], device="cpu")
    assert sees_motion(encoder)
    assert (encoder.clip_frames, encoder.clip_side_px, encoder.dim) == (16, 32, 16)
    assert package.reference is not None
    assert not check_reference(
        package.reference,
        lambda texts: encoder.encode_texts(texts).activations,
        lambda squares: encoder.encode_images(squares).activations,
        encode_clips=lambda clips: encoder.encode_videos(clips).activations,
    )
    card = (Path(os.fsdecode(done.path)) / "CARD.md").read_text()
    assert "Trained on rendered scenes only" in card
    assert "{" not in card
    assert not torch.load(next((tmp_path / "home" / "runs").rglob("*.checkpoint")), weights_only=True)["step"]
    asked = [event for event in events if isinstance(event, QueriesAnswered)]
    assert len(asked) == 2
    (run_folder,) = (tmp_path / "home" / "runs").iterdir()
    assert all((run_folder / "pictures" / top.picture).is_file() for query in asked[0].queries for top in query.top)


def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been(tmp_path):
    recipe = RECIPE.format(readers='["bow"]')
    for name in ("whole", "parts"):
        (tmp_path / name).mkdir()
    whole = finished(run(tmp_path / "whole", recipe))
    token, saved = CancellationToken(), []
    for event in run(tmp_path / "parts", recipe, token=token):
        if isinstance(event, Saved):
            saved.append(event)
            token.cancel()
    assert saved
    run_folder = next((tmp_path / "parts" / "home" / "runs").iterdir())
    resumed = finished(run(tmp_path / "parts", recipe, resume=run_folder))
    weights = [Path(os.fsdecode(done.path)) / "weights.safetensors" for done in (resumed, whole)]
    assert weights[0].read_bytes() == weights[1].read_bytes()


def test_rendering_that_was_stopped_goes_on_where_it_was(tmp_path):
    recipe = RECIPE.format(readers='["bow"]').replace("n_clips = 5", "n_clips = 20")
    token = CancellationToken()
    for event in run(tmp_path, recipe, token=token):
        assert not isinstance(event, Finished)
        token.cancel()
    (clips,) = (tmp_path / "home" / "features").rglob("train-clips.npy")
    kept = np.load(clips)[:16].copy()
    assert kept.any(axis=(1, 2, 3, 4)).all()
    assert not np.load(clips)[16:].any()
    finished(run(tmp_path, recipe))
    np.testing.assert_array_equal(np.load(clips)[:16], kept)
    assert np.load(clips)[16:].any(axis=(1, 2, 3, 4)).all()


def test_a_batch_larger_than_the_data_takes_all_of_it_and_a_note_says_so(tmp_path):
    recipe = RECIPE.format(readers='["bow"]').replace("batch_size = 4", "batch_size = 400")
    events = list(run(tmp_path, recipe))
    assert [event.text for event in events if isinstance(event, Noted)] == [
        "batch_size is 400, and there are 5 training clips: every step takes all of them."
    ]
    assert isinstance(events[-1], Finished)


@pytest.mark.parametrize(("old", "new", "message"), [
    ("n_stills = 2", "n_stills = 9", "n_stills"), ("epochs = 2", "motion = 0.9", "add up to 1"),
    ("n_bits = 16", "n_bits = 12", "multiple of 8"), ("text_dim", "text_dmi", "text_dim"),
])
def test_a_recipe_that_makes_no_sense_is_refused_in_words(tmp_path, old, new, message):
    with pytest.raises(ConfigError, match=message):
        list(run(tmp_path, RECIPE.format(readers='["bow"]').replace(old, new)))


def test_the_recipe_of_what_is_shipped_can_be_read():
    recipe = read_recipe(ROOT / "resources" / "recipes" / "dsmhn-scenes-64.toml")
    assert isinstance(recipe, ScenesRecipe)
    assert recipe.name == "dsmhn-scenes-64"
    assert recipe.network.sees_time


def test_classes_and_stills_are_those_of_the_subject():
    scenes = draw_scenes(9, seed=3, split="train", moving=True)
    classes = classes_of(scenes)
    assert sorted(classes[:, 2].tolist()) == list(range(9))
    for scene, (kind, colour, motion) in zip(scenes, classes.tolist(), strict=True):
        assert (list(KINDS)[kind], list(COLOURS)[colour]) == (scene.subject.look.kind, scene.subject.look.colour)
        assert MOTIONS[motion] == scene.motion
        still = still_of(scene, 0.5)
        assert still.subject.start == still.subject.end == scene.subject.pose_at(0.5)
        assert len(still.things) == 1
        assert classes_of([still]).tolist() == [[kind, colour, len(MOTIONS)]]


def test_clips_are_rendered_from_the_middle_of_each_part_of_their_time():
    scene = draw_scenes(1, seed=3, split="val", moving=True)[0]
    two, four = render_clip(scene, 2, 32), render_clip(scene, 6, 32)
    assert two.shape == (2, 32, 32, 3)
    np.testing.assert_array_equal(two, four[[1, 4]])


@pytest.fixture
def clips():
    return torch.from_numpy(np.stack([
        render_clip(scene, 20, 32) for scene in draw_scenes(3, seed=1, split="train", moving=True)
    ]))


def test_changed_clips_are_other_clips_of_the_same(clips):
    torch.manual_seed(0)
    first, second = changed_clips(clips, 16), changed_clips(clips, 16)
    assert first.shape == (3, 16, 32, 32, 3)
    assert first.dtype == torch.uint8
    assert (first != second).any()
    torch.manual_seed(0)
    assert (changed_clips(clips, 16) == first).all()
    # Still more like its own clip than like another one.
    own = clips[:, :16].float().mean(dim=1)
    gaps = (first.float().mean(dim=1)[:, None] - own[None]).abs().mean(dim=(2, 3, 4))
    assert (gaps.argmin(dim=1) == torch.arange(3)).all()


def test_colours_that_are_changed_stay_the_same_colours():
    torch.manual_seed(1)
    red = torch.tensor([200, 40, 40], dtype=torch.uint8).expand(40, 16, 8, 8, 3)
    means = changed_clips(red, 16).float().mean(dim=(1, 2, 3))
    assert (means[:, 0] > means[:, 1] + 60).all()
    assert ((means[:, 1] - means[:, 2]).abs() < 30).all()
    assert means[:, 0].std() > 5


def test_times_are_drawn_in_order():
    torch.manual_seed(0)
    rows = drawn_times(200, 20, 16)
    assert (rows.diff(dim=1) >= 0).all()
    assert (rows >= 0).all()
    assert (rows < 20).all()
    assert len(torch.unique(rows, dim=0)) > 150
    assert rows[:, 0].max() <= 3
    assert rows[:, -1].min() >= 16


def test_worn_clips_are_softer_or_the_same_but_never_brighter(clips):
    worn = [worn_clip(clips[0], torch.Generator().manual_seed(seed)) for seed in range(12)]
    assert all(clip.shape == clips[0].shape for clip in worn)
    assert any((clip == clips[0]).all() for clip in worn)
    assert any((clip != clips[0]).any() for clip in worn)
    for clip in worn:
        assert abs(float(clip.float().mean() - clips[0].float().mean())) < 1.5
    assert (worn[3] == worn_clip(clips[0], torch.Generator().manual_seed(3))).all()


@pytest.mark.parametrize(("n_bits", "expected"), [(64, (13, 13, 38)), (16, (3, 3, 10)), (8, (2, 2, 4))])
def test_every_attribute_has_bits_of_its_own(n_bits, expected):
    assert bits_of_attributes(n_bits, (0.2, 0.2, 0.6)) == expected
    assert bits_of_attributes(n_bits, (0.0, 0.0, 1.0)) == (1, 1, n_bits - 2)


def test_all_pairs_but_those_of_a_row_with_itself_are_known():
    pairs = pairs_alike(torch.tensor([3, 1, 3]))
    assert pairs.relevance.tolist() == [[1, 0, 1], [0, 1, 0], [1, 0, 1]]
    assert pairs.known.tolist() == [[0, 1, 1], [1, 0, 1], [1, 1, 0]]


def test_combinations_have_a_column_each():
    classes = torch.tensor([[a, b] for a in range(2) for b in range(3)])
    columns = one_hot(classes, (2, 3))
    assert columns.shape == (6, 6)
    assert (columns.sum(dim=0) == 1).all()


def trained(phase, folder):
    folder.mkdir()
    for event in run_phase(phase, RunDirectory(folder), token=CancellationToken()):
        last = event
    del last
    return phase.measure()


def test_streams_meet_on_motions_that_only_a_3d_network_can_tell(tmp_path):
    settings = {"epochs": 30, "learning_rate": 0.02, "classification": 1.0}
    seeing = trained(scenes_phase(**settings), tmp_path / "seeing")
    blind = trained(scenes_phase(sees_time=False, **settings), tmp_path / "blind")
    assert min(seeing[f"{way}_motion"] for way in ("t2v", "v2t", "v2v")) > 85
    # It sees whether the way is upright, but not which way.
    assert max(blind[f"{way}_motion"] for way in ("t2v", "v2t", "v2v")) < 75
    assert seeing["v2i_look"] > 85


def test_a_state_restores_all_that_a_step_needs(tmp_path):
    first = scenes_phase(averaging=0.9)
    torch.manual_seed(1)
    first.step(0, 0)
    state = first.state()
    torch.save(state, tmp_path / "state")
    second = scenes_phase(averaging=0.9)
    second.restore(torch.load(tmp_path / "state", weights_only=True))
    losses = []
    for phase in (first, second):
        torch.manual_seed(2)
        losses.append(phase.step(0, 1))
    assert losses[0] == losses[1]
    assert first.measure() == second.measure()
