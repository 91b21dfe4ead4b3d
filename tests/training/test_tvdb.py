"""TVDB from a recipe to a package: what is cached, what a run says, and when it refuses to go on."""

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from explorer.cancellation import CancellationToken
from explorer.errors import ConfigError, DatasetError
from explorer.media.image import encode_jpeg
from explorer.networks.registry import load_encoder
from explorer.packages.finding import resolve_package
from explorer.packages.reference import check_reference, synthetic_picture
from explorer.protocol.runs import EpochFinished, Finished, Noted
from explorer.training.code_comparison import comparison_table
from explorer.training.code_measures import CodesCollapsedError
from explorer.training.phases import run_phase
from explorer.training.run_directory import RunDirectory
from explorer.training.trainer import train
from explorer.training.tvdb_comparison import main as compare

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "helpers"))
from code_worlds import tvdb_phase

sys.path.pop(0)

MODELS = Path(__file__).parents[2] / "models"
RECIPE = """
task = "tvdb"
name = "tiny-tvdb"
[dataset]
annotations = "data/photos.json"
[labels]
file = "labels.json"
[features]
vision = "vision-lite0"
[network]
n_bits = 16
n_regions = 3
hidden_dim = 8
fc_dim = 12
word_dim = 6
n_filters = 5
min_word_count = 1
normalised = true
[training]
similarity = "residual"
decorrelation = 0.5
epochs = 2
batch_size = 4
sentences = 2
averaging = 0.9
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "data" / "images").mkdir(parents=True)
    images, labels = [], {}
    for number in range(8):
        name = f"{number}.jpg"
        (tmp_path / "data" / "images" / name).write_bytes(encode_jpeg(synthetic_picture(number, 64)))
        sentences = [{"raw": f"picture {number} in version {version}"} for version in range(2)]
        images.append({"filename": name, "split": "train" if number < 5 else "val", "imgid": number,
                       "sentences": sentences})
        labels[name] = [number % 2]
    (tmp_path / "data" / "photos.json").write_text(json.dumps({"dataset": "tiny", "images": images}))
    (tmp_path / "labels.json").write_text(json.dumps({"names": ["even", "odd"], "items": labels}))
    return tmp_path


def run(folder, recipe=RECIPE, *, token=None, resume=None):
    path = folder / "recipe.toml"
    path.write_text(recipe)
    return train(
        path,
        resume=resume,
        runs_folder=folder / "home" / "runs",
        search_folders=[MODELS],
        token=token or CancellationToken(),
    )


def test_a_recipe_ends_in_a_package_that_makes_codes_and_explains(folder):
    events = list(run(folder))
    assert isinstance(events[-1], Finished)
    epochs = [event for event in events if isinstance(event, EpochFinished)]
    assert {"i2t_map", "t2i_map", "unique_share", "bit_correlation", "bit_imbalance"} <= set(epochs[0].metrics)
    package = resolve_package("tiny-tvdb", [folder / "home" / "models"])
    encoder = load_encoder(package, search_folders=[MODELS], device="cpu")
    codes = encoder.encode_texts(["picture 1", "", "zyx"])
    assert codes.n_bits == encoder.dim == 16
    square = synthetic_picture(3, encoder.side_px)
    evidence = encoder.explain(square, codes[:1])
    assert evidence.bits is not None
    problems = check_reference(
        package.reference,
        lambda texts: encoder.encode_texts(texts).activations,
        lambda squares: encoder.encode_images(squares).activations,
    )
    assert problems == []
    assert "16" in package.card


def test_a_stopped_run_goes_on_to_the_very_same_package(folder):
    whole = next(event for event in run(folder) if isinstance(event, Finished))
    expected = (Path(os.fsdecode(whole.path)) / "weights.safetensors").read_bytes()
    token = CancellationToken()
    for event in run(folder, token=token):
        if isinstance(event, EpochFinished):
            token.cancel()
    stopped = max((folder / "home" / "runs").iterdir(), key=lambda path: path.stat().st_mtime_ns)
    resumed = list(run(folder, resume=stopped))
    assert (Path(os.fsdecode(resumed[-1].path)) / "weights.safetensors").read_bytes() == expected


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("n_bits = 16", "n_bits = 12"), "multiple of 8"),
        (("n_bits = 16", "n_bitz = 16"), "n_bits"),
        (("word_dim = 6", "word_dim = 6\nn_tokens = 3"), "at least 5"),
        (("epochs = 2", "epochs = 2\neta = 0.0"), "eta"),
        (('vision = "vision-lite0"', ""), "vision"),
    ],
)
def test_a_recipe_that_cannot_be_followed_is_refused_in_a_sentence(folder, change, words):
    with pytest.raises(ConfigError) as error:
        list(run(folder, RECIPE.replace(*change)))
    assert words in str(error.value) + error.value.remedy


def test_photos_without_an_entry_in_the_labels_are_named(folder):
    table = json.loads((folder / "labels.json").read_text())
    del table["items"]["2.jpg"]
    (folder / "labels.json").write_text(json.dumps(table))
    with pytest.raises(DatasetError, match=r"2\.jpg"):
        list(run(folder))


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ([[]] * 8, "has a label"),
        ([[0]] * 8, "All 5 training photos share a label"),
        ([[0], [0], [1], [1], [1], [2], [2], [2]], "No validation photo has a label that a training photo has"),
        ([[0], [0], [1], [1], [1], [], [], []], "split val has a label"),
    ],
    ids=["nobody has a label", "all share one", "val has others", "val has none"],
)
def test_labels_that_tell_nothing_apart_are_refused_with_a_remedy(folder, labels, words):
    table = {"names": ["a", "b", "c"], "items": {f"{number}.jpg": own for number, own in enumerate(labels)}}
    (folder / "labels.json").write_text(json.dumps(table))
    with pytest.raises(DatasetError, match=words) as error:
        list(run(folder))
    assert "label" in error.value.remedy.lower()


def test_a_recipe_without_labels_is_told_where_they_can_come_from(folder):
    with pytest.raises(ConfigError, match="TVDB learns from labels") as error:
        list(run(folder, RECIPE.replace('[labels]\nfile = "labels.json"\n', "")))
    assert 'source = "sentences"' in str(error.value)


@pytest.mark.parametrize("kind", ["residual", "centred"])
def test_a_batch_larger_than_the_data_takes_all_of_it_and_a_note_says_so(folder, kind):
    recipe = RECIPE.replace('"residual"', f'"{kind}"').replace("batch_size = 4", "batch_size = 500")
    events = list(run(folder, recipe))
    assert [event.text for event in events if isinstance(event, Noted) and "batch_size is 500" in event.text]
    assert isinstance(events[-1], Finished)
    assert np.isfinite(list(events[-1].metrics.values())).all()


def test_the_best_epoch_is_shipped_where_the_run_has_patience(folder):
    recipe = RECIPE.replace("epochs = 2", "epochs = 5\nlearning_rate = 0.05") + "[stopping]\npatience = 2\n"
    events = list(run(folder, recipe))
    measured = [event.metrics["mean_map"] for event in events if isinstance(event, EpochFinished)]
    assert events[-1].epoch == 1 + int(np.argmax(measured))
    assert events[-1].metrics["mean_map"] == max(measured)
    assert events[-1].early
    card = Path(os.fsdecode(events[-1].path)) / "CARD.md"
    assert f"Epoch {events[-1].epoch} is in it, the best one: none after it was better." in card.read_text()


@pytest.mark.parametrize("kind", ["signed", "binary"])
def test_a_run_that_collapses_stops_and_says_what_to_change(tmp_path, kind):
    with pytest.raises(CodesCollapsedError) as error:
        list(run_phase(tvdb_phase(similarity=kind), RunDirectory(tmp_path), token=CancellationToken()))
    assert f'similarity = "{kind}"' in error.value.remedy
    assert 'similarity = "residual"' in error.value.remedy


@pytest.mark.parametrize("objective", ["alternating", "pairwise"])
def test_codes_of_separable_classes_are_learned(tmp_path, objective):
    phase = tvdb_phase(
        n_classes=10, similarity="residual", decorrelation=0.5, eta=0.1, objective=objective, normalised=True,
        sentences=2,
    )
    list(run_phase(phase, RunDirectory(tmp_path), token=CancellationToken()))
    metrics = phase.measure()
    assert metrics["t2i_map"] > 90
    assert metrics["i2t_map"] > 90
    assert metrics["bit_correlation"] < 0.9


def test_the_comparison_goes_on_where_it_was_and_makes_a_table(folder):
    (folder / "recipe.toml").write_text(RECIPE)
    run_folder = folder / "home" / "runs" / "one"
    run_folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    embeddings = {
        name: random.normal(size=(n, 32)).astype(np.float32)
        for name, n in (("val_images", 3), ("val_texts", 6), ("train_images", 500), ("train_texts", 10))
    }
    embeddings["train_images"] = embeddings["train_images"][:5]
    np.savez(folder / "embeddings.npz", **embeddings)
    arguments = [
        str(folder / "recipe.toml"), "--run", str(run_folder), "--models", str(MODELS),
        "--results", str(folder / "results"), "--embeddings", str(folder / "missing.npz"),
    ]
    assert compare([*arguments, "--runs", "tvdb-16,shuffled-8"]) == 0
    before = (folder / "results" / "tvdb-16.json").read_text()
    assert compare([*arguments, "--runs", "tvdb-16,whole-8,no-position-8"]) == 0
    assert (folder / "results" / "tvdb-16.json").read_text() == before
    found = json.loads((folder / "results" / "comparison.json").read_text())
    assert set(found) == {"tvdb-16", "shuffled-8", "whole-8", "no-position-8"}
    table = comparison_table(found)
    assert table.count("\n") == 2 + 4
    assert table.index("whole-8") < table.index("tvdb-16")
    assert compare([*arguments, "--runs", "nonsense-64"]) == 1
