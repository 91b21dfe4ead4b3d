"""DSMHN from a recipe to a package: labels or none, what a run says, and when it refuses to go on."""

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from explorer.cancellation import CancellationToken
from explorer.errors import ConfigError, DatasetError
from explorer.media.image import encode_jpeg
from explorer.networks.dsmhn.preprocess import Sentences
from explorer.networks.registry import load_encoder
from explorer.packages.finding import resolve_package
from explorer.packages.reference import check_reference, synthetic_picture
from explorer.protocol.runs import EpochFinished, Finished, Noted
from explorer.training.code_comparison import comparison_table
from explorer.training.code_measures import CodesCollapsedError
from explorer.training.config import decode_recipe
from explorer.training.dsmhn_comparison import main as compare
from explorer.training.dsmhn_phase import PictureSplit
from explorer.training.phases import run_phase
from explorer.training.run_directory import RunDirectory
from explorer.training.trainer import train

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "helpers"))
from code_worlds import dsmhn_phase, picture_split

sys.path.pop(0)

MODELS = Path(__file__).parents[2] / "models"
RECIPE = """
task = "dsmhn"
name = "tiny-dsmhn"
[dataset]
annotations = "data/photos.json"
[labels]
file = "labels.json"
[features]
vision = "vision-lite0"
[network]
n_bits = 16
shared_classifier = true
[image]
parts = ["grid_mean", "presence", "detections"]
hidden_dim = 8
[text]
readers = ["mean-vectors", "bow"]
hidden_dim = 8
word_dim = 6
min_word_count = 1
[loss]
contrastive = 0.5
balance = 0.1
[training]
epochs = 2
batch_size = 4
sentences = 2
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
    assert {"i2t_map", "t2i_map", "unique_share", "bit_imbalance", "largest_bit_mean"} <= set(epochs[0].metrics)
    package = resolve_package("tiny-dsmhn", [folder / "home" / "models"])
    encoder = load_encoder(package, search_folders=[MODELS], device="cpu")
    codes = encoder.encode_texts(["picture 1", "", "zyx"])
    assert codes.n_bits == encoder.dim == 16
    evidence = encoder.explain(synthetic_picture(3, encoder.side_px), codes[:1])
    assert evidence.attention[0].values.shape == (7, 7)
    assert check_reference(
        package.reference,
        lambda texts: encoder.encode_texts(texts).activations,
        lambda squares: encoder.encode_images(squares).activations,
    ) == []
    assert "contrastive 0.5" in package.card
    assert not any("classifier" in name for name in package.manifest.config)
    bits = next((folder / "home" / "runs").glob("*/bits.json"))
    assert [len(means) for means in json.loads(bits.read_text()).values()] == [16, 16]
    assert not [event for event in events if isinstance(event, Noted)]


def test_without_labels_classes_are_not_told_and_a_note_says_so(folder):
    recipe = RECIPE.replace('[labels]\nfile = "labels.json"\n', "")
    events = list(run(folder, recipe))
    notes = [event for event in events if isinstance(event, Noted)]
    assert len(notes) == 1
    assert "no classes" in notes[0].text
    assert isinstance(events[-1], Finished)
    assert np.isfinite(list(events[-1].metrics.values())).all()
    assert "no labels" in resolve_package("tiny-dsmhn", [folder / "home" / "models"]).card


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
        (("contrastive = 0.5", "contrastive = -0.5"), "contrastive"),
        (("contrastive = 0.5\nbalance = 0.1", "nll = 0\nclassification = 0\nquantisation = 0"), "nothing would be"),
        (('"bow"]', '"runes"]'), "runes"),
        (('"presence"', '"presents"'), "presents"),
        (("epochs = 2", 'epochs = 2\noptimizer = "prayer"'), "prayer"),
    ],
)
def test_a_recipe_that_cannot_be_followed_is_refused_in_a_sentence(change, words):
    assert change[0] in RECIPE
    with pytest.raises(ConfigError) as error:
        decode_recipe(RECIPE.replace(*change).encode(), where="recipe.toml")
    assert words in str(error.value) + error.value.remedy


def test_classes_alone_cannot_be_learned_where_there_are_none(folder):
    only = "[loss]\nnll = 0.0\nquantisation = 0.0\n"
    recipe = RECIPE.replace('[labels]\nfile = "labels.json"\n', "")
    recipe = recipe.replace("[loss]\ncontrastive = 0.5\nbalance = 0.1\n", only)
    with pytest.raises(ConfigError, match="only classification counts") as error:
        list(run(folder, recipe))
    assert "[labels]" in error.value.remedy


def test_a_batch_larger_than_the_data_takes_all_of_it_and_a_note_says_so(folder):
    events = list(run(folder, RECIPE.replace("batch_size = 4", "batch_size = 500")))
    assert ["batch_size is 500" in event.text for event in events if isinstance(event, Noted)] == [True]
    assert isinstance(events[-1], Finished)


def test_a_label_that_all_photos_share_is_refused_until_it_is_left_out(folder):
    table = {"names": ["a", "b"], "items": {f"{number}.jpg": [0, 1][: 1 + number % 2] for number in range(8)}}
    (folder / "labels.json").write_text(json.dumps(table))
    with pytest.raises(DatasetError, match="All 5 training photos share a label") as error:
        list(run(folder))
    assert "without" in error.value.remedy
    *_, last = run(folder, RECIPE.replace('"labels.json"', '"labels.json"\nwithout = ["a"]'))
    assert isinstance(last, Finished)


@pytest.mark.parametrize("part", ["presence", "detections"])
def test_what_a_recipe_reads_must_be_given_by_its_vision(folder, part):
    recipe = RECIPE.replace('vision = "vision-lite0"', "").replace('"presence", "detections"', f'"{part}"')
    with pytest.raises(ConfigError) as error:
        list(run(folder, recipe))
    assert "vision" in str(error.value) + error.value.remedy


def test_photos_without_an_entry_in_the_labels_are_named(folder):
    table = json.loads((folder / "labels.json").read_text())
    del table["items"]["2.jpg"]
    (folder / "labels.json").write_text(json.dumps(table))
    with pytest.raises(DatasetError, match=r"2\.jpg"):
        list(run(folder))


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_codes_of_separable_classes_are_learned(tmp_path, optimizer):
    phase = dsmhn_phase(optimizer=optimizer, averaging=0.0, epochs=25)
    events = list(run_phase(phase, RunDirectory(tmp_path), token=CancellationToken()))
    metrics = phase.measure()
    assert metrics["t2i_map"] > 90
    assert metrics["i2t_map"] > 90
    assert len([event for event in events if isinstance(event, EpochFinished)]) == phase.n_epochs


def test_a_run_whose_codes_collapse_stops_and_says_what_to_change(tmp_path):
    phase = dsmhn_phase(
        n_classes=40, network="normalised = false", batch_size=100, averaging=0.0, epochs=60,
        loss="nll = 10.0\nbalanced = false\nclassification = 0.0\nquantisation = 0.0",
    )
    with pytest.raises(CodesCollapsedError) as error:
        list(run_phase(phase, RunDirectory(tmp_path), token=CancellationToken()))
    assert "balanced" in error.value.remedy
    assert "normalised" in error.value.remedy


def test_drawn_sentences_are_of_their_photos_and_different():
    split = picture_split(20, 4, 0)
    first = torch.tensor([0, 1, *range(4, 4 + 3 * 18, 3), 55])
    split = PictureSplit(split.views, Sentences(torch.zeros(55, 1).long(), torch.zeros(55, 0)), first, split.labels)
    photos = torch.tensor([1, 0, 7])
    sentences, owners = split.draw(photos, 2)
    assert owners.tolist() == [0, 0, 1, 2, 2]
    assert len(set(sentences.tolist())) == 5
    for sentence, owner in zip(sentences.tolist(), owners.tolist(), strict=True):
        photo = int(photos[owner])
        assert first[photo] <= sentence < first[photo + 1]


def test_the_comparison_goes_on_where_it_was_and_makes_a_table(folder):
    recipe = folder / "recipe.toml"
    recipe.write_text(RECIPE)
    runs, results = folder / "home" / "runs" / "shared", folder / "results"
    runs.mkdir(parents=True)
    rng = np.random.default_rng(0)
    np.savez(folder / "embeddings.npz", **{
        name: rng.normal(size=(n, 24)).astype(np.float32)
        for name, n in (("train_images", 5), ("train_texts", 10), ("val_images", 3), ("val_texts", 6))
    })
    arguments = [
        str(recipe), "--run", str(runs), "--models", str(MODELS), "--results", str(results),
        "--embeddings", str(folder / "embeddings.npz"), "--runs", "dsmhn-8,triplet-8,no-classification-8",
    ]
    assert compare(arguments) == 0
    found = json.loads((results / "comparison.json").read_text())
    assert set(found) == {"dsmhn-8", "triplet-8", "no-classification-8", "lsh-8", "itq-8"}
    table = comparison_table(found)
    assert table == (results / "comparison.md").read_text()
    assert len(table.splitlines()) == 2 + 5
    found["dsmhn-8"]["text_to_image"]["map_tie_aware"] = 0.123
    (results / "dsmhn-8.json").write_text(json.dumps(found["dsmhn-8"]))
    assert compare(arguments) == 0
    assert "0.123" in (results / "comparison.md").read_text()


@pytest.mark.parametrize("runs", ["nonsense-16", "dsmhn", "dsmhn-x", "dsmhn-12"])
def test_a_comparison_of_what_there_is_not_is_refused(folder, runs, capsys):
    recipe = folder / "recipe.toml"
    recipe.write_text(RECIPE)
    status = compare([str(recipe), "--run", str(folder), "--models", str(MODELS), "--results", str(folder / "r"),
                      "--embeddings", str(folder / "none.npz"), "--runs", runs])
    assert status == 1
    assert runs in capsys.readouterr().err
