"""A .mat file of hashing papers on the whole road: converted, DSMHN trained on its tags, measured by a division."""

import json
import os
import signal
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io
from PIL import Image

from explorer.cli import run_command
from explorer.datasets import hashing_mat
from explorer.datasets.karpathy import read_karpathy
from explorer.datasets.labels import read_labels
from explorer.errors import ConfigError, DatasetError, UserFacingError
from explorer.evaluation import hashing_presets
from explorer.evaluation.hashing_presets import HashingPreset

N, N_CLASSES, SIDE_PX = 40, 2, 48
COLOURS = np.array([[220, 30, 30], [30, 30, 220]])
RECIPE = """
task = "dsmhn"
name = "tiny-tags"
[dataset]
annotations = "{folder}/dataset.json"
train_split = "train"
val_split = "database"
[labels]
file = "{folder}/labels.json"
[features]
vision = "vision-lite0"
[network]
n_bits = 16
shared_classifier = true
[image]
parts = ["grid_mean"]
hidden_dim = 16
dropout = 0.0
learning_rate = 5e-3
[text]
readers = ["bow"]
hidden_dim = 16
n_tokens = 6
min_word_count = 1
dropout = 0.0
learning_rate = 5e-3
[training]
epochs = 50
batch_size = 5
averaging = 0.0
sentences = 1
"""


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """A DCMH file: red pictures with the first tags, blue ones with the last; one item has none."""
    rng = np.random.default_rng(0)
    classes = np.arange(N) % N_CLASSES
    noise = rng.integers(-25, 25, (N, SIDE_PX, SIDE_PX, 3))
    pixels = np.clip(COLOURS[classes][:, None, None] + noise, 0, 255).astype(np.uint8)
    tags = np.zeros((N, 12))
    for row, own in enumerate(classes):
        tags[row, 6 * own + rng.permutation(6)[:3]] = 1
    tags[17] = 0
    path = tmp_path / "FLICKR-25K.mat"
    with h5py.File(path, "w") as file:
        file["images"] = pixels.transpose(0, 3, 2, 1)
        file["YAll"], file["LAll"] = tags.T, np.eye(N_CLASSES)[classes].T
    return path


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> str:
    preset = HashingPreset("small", ("flickr25k",), 8, 20, seed=None, n_items=N)
    monkeypatch.setitem(hashing_presets.PRESETS, "small", preset)
    return "small"


def convert(folder: Path, source: Path, *more: str, form: str = "dcmh") -> int:
    written = ["-o", str(folder / "dataset.json"), "--labels", str(folder / "labels.json")]
    return run_command(["convert", form, str(source), *written, *more])


def test_from_the_file_to_a_measured_package(
    published: Path, small: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert convert(tmp_path, published, "--preset", small) == 0
    said = capsys.readouterr().err
    assert "40 items of 2 labels." in said
    assert "Its splits are queries, train, database" in said
    assert "An item has up to 3 tags" in said
    train = read_karpathy(tmp_path / "dataset.json", split="train")
    assert len(train) == 20
    assert train.image_paths[0].name == "000008.jpg"  # the rows of the file are the split
    assert train.sentences[9] == ("",)
    assert read_labels(tmp_path / "labels.json").items["000009.jpg"] == (1,)
    with Image.open(train.image_paths[0]) as photo:
        assert photo.size == (SIDE_PX, SIDE_PX)
        assert np.abs(np.asarray(photo).mean(axis=(0, 1)) - COLOURS[0]).max() < 12

    recipe, home = tmp_path / "recipe.toml", tmp_path / "home"
    recipe.write_text(RECIPE.format(folder=tmp_path))
    assert run_command(["--data-dir", str(home), "train", str(recipe)]) == 0
    capsys.readouterr()
    call = ["evaluate", "--protocol", "hashing", "--preset", small, "-m", "tiny-tags", "--json"]
    data = ["--dataset", str(tmp_path / "dataset.json"), "--labels", str(tmp_path / "labels.json")]
    assert run_command(["--data-dir", str(home), *call, *data]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["split"], report["gallery_split"], report["preset"]) == ("queries", "database", "small")
    for direction in ("image_to_text", "text_to_image", "image_to_image", "text_to_text"):
        assert report[direction]["map_tie_aware"] > report[direction]["random"] + 0.1
        assert report[direction]["n_queries"] == 8
    assert not any("other queries are drawn" in note for note in report.get("notes", ()))


def test_stopped_writing_of_photos_goes_on(
    published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[int] = []
    encode = hashing_mat.encode_jpeg

    def encode_and_stop(pixels: np.ndarray, quality: int) -> bytes:
        written.append(1)
        if len(written) == 5:
            os.kill(os.getpid(), signal.SIGINT)
        return encode(pixels, quality)

    monkeypatch.setattr(hashing_mat, "encode_jpeg", encode_and_stop)
    with pytest.raises(UserFacingError, match="Stopped; the photos that were written are in"):
        convert(tmp_path, published)
    assert not (tmp_path / "dataset.json").exists()
    assert len(list((tmp_path / "images").glob("*.jpg"))) == 5
    assert convert(tmp_path, published) == 0
    assert len(written) == N
    assert len(read_karpathy(tmp_path / "dataset.json", split="all")) == N


def test_lists_name_photos_that_stay_where_they_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lists, photos = tmp_path / "nuswide", tmp_path / "photos"
    lists.mkdir()
    for row, name in enumerate(("sky/1.jpg", "sky/2.jpg", "sea/3.jpg")):
        (photos / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((4, 4, 3), 80 * row, np.uint8)).save(photos / name)
    pairs = np.array([["sky", "1.jpg"], ["sky", "2.jpg"], ["sea", "3.jpg"]])
    scipy.io.savemat(lists / "imgList21.mat", {"imgs": pairs})
    scipy.io.savemat(lists / "tagList21.mat", {"tags": np.eye(3, 5)})
    scipy.io.savemat(lists / "labelList21.mat", {"labels": np.eye(3)})
    with pytest.raises(ConfigError, match="Name it with --images"):
        convert(tmp_path, lists, form="mat-lists")
    with pytest.raises(DatasetError, match="needs at least 12,600 items"):
        convert(tmp_path, lists, "--images", str(photos), "--preset", "nus-wide-21", form="mat-lists")
    assert convert(tmp_path, lists, "--images", str(photos), form="mat-lists") == 0
    assert f"--images {photos}" in capsys.readouterr().err
    read = read_karpathy(tmp_path / "dataset.json", split="all", images_folder=photos)
    assert read.sentences == (("tag1",), ("tag2",), ("tag3",))
    assert read.image_paths[2] == photos / "sea" / "3.jpg"


def test_files_that_do_not_fit(published: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="is missing"):
        convert(tmp_path, tmp_path / "none.mat")
    with pytest.raises(ConfigError, match="There is no preset 'x'"):
        convert(tmp_path, published, "--preset", "x")
    (tmp_path / "blocked").write_text("")
    with pytest.raises(DatasetError, match="cannot be written"):
        convert(tmp_path, published, "--images", str(tmp_path / "blocked"))
    with h5py.File(published, "r+") as file:
        images = file["images"][:-1]
        del file["images"]
        file["images"] = images
    with pytest.raises(DatasetError, match="has 39 photos and labels of 40 items"):
        convert(tmp_path, published)
    assert not (tmp_path / "dataset.json").exists()
