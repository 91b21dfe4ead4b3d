"""From a recipe and a folder of photos to a package that is found, loaded and answers."""

import json
import os
import re
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from explorer.cancellation import CancellationToken
from explorer.errors import ConfigError, DatasetError
from explorer.media.image import encode_jpeg
from explorer.networks.registry import load_encoder
from explorer.packages.finding import resolve_package
from explorer.packages.reference import check_reference, synthetic_picture
from explorer.protocol.runs import EpochFinished, Finished, PhaseStarted, Progressed, RunStopped, Saved
from explorer.runs.journal import JournalReader
from explorer.training import packaging
from explorer.training.__main__ import train_arguments
from explorer.training.trainer import train
from tests.helpers.killable import no_commit, start_command, wait_until

MODELS = Path(__file__).parents[2] / "models"
POOLED = 'task = "pooled"\nname = "tiny-pooled"\n[dataset]\nannotations = "data/photos.json"\n'
NETWORK = """
task = "image-sentence"
name = "tiny"
[dataset]
annotations = "data/photos.json"
[features]
vision = "vision-lite0"
flip = true
[tail]
epochs = 1
batch_size = 4
embed_dim = 16
[network]
embed_dim = 16
hidden_dim = 12
map_size = 7
[training]
epochs = 2
batch_size = 4
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "data" / "images").mkdir(parents=True)
    images = []
    for number in range(8):
        name = f"{number}.jpg"
        (tmp_path / "data" / "images" / name).write_bytes(encode_jpeg(synthetic_picture(number, 64)))
        sentences = [{"raw": f"picture {number} in version {version}"} for version in range(2)]
        split = "train" if number < 5 else "val"
        images.append({"filename": name, "split": split, "imgid": number, "sentences": sentences})
    (tmp_path / "data" / "photos.json").write_text(json.dumps({"dataset": "tiny", "images": images}))
    return tmp_path


def run(folder, recipe, *, token=None, resume=None):
    path = folder / "recipe.toml"
    path.write_text(recipe)
    return train(
        path,
        resume=resume,
        runs_folder=folder / "home" / "runs",
        search_folders=[MODELS],
        token=token or CancellationToken(),
    )


def test_a_pooled_recipe_ends_in_a_package_that_answers(folder):
    events = list(run(folder, POOLED))
    assert isinstance(events[0], PhaseStarted)
    assert isinstance(events[-1], Finished)
    package = resolve_package("tiny-pooled", [folder / "home" / "models"])
    assert os.fsencode(package.folder) == events[-1].path
    encoder = load_encoder(package, search_folders=[MODELS], device="cpu")
    assert encoder.encode_texts(["hello"]).values.shape == (1, 384)
    assert package.reference is not None


def test_features_are_computed_once(folder):
    list(run(folder, POOLED))
    again = list(run(folder, POOLED))
    assert not [event for event in again if isinstance(event, Progressed)]


@pytest.mark.timeout(300)
def test_a_network_is_trained_cancelled_resumed_and_shipped(folder):
    token = CancellationToken()
    events = []
    for event in run(folder, NETWORK, token=token):
        events.append(event)
        if isinstance(event, EpochFinished) and len([e for e in events if isinstance(e, EpochFinished)]) == 2:
            token.cancel()
    assert isinstance(events[-1], Saved)
    (run_folder,) = (folder / "home" / "runs").iterdir()
    rest = list(run(folder, NETWORK, resume=run_folder))
    assert isinstance(rest[-1], Finished)
    phases = [event.phase for event in rest if isinstance(event, PhaseStarted)]
    assert phases == ["features", "tail", "network"]
    assert [event.epoch for event in rest if isinstance(event, EpochFinished)] == [2]
    package = resolve_package("tiny", [folder / "home" / "models"])
    encoder = load_encoder(package, search_folders=[MODELS], device="cpu")
    square = synthetic_picture(0, 224)
    evidence = encoder.explain(square)
    assert [attention.name for attention in evidence.attention] == ["vsem", "vspm"]
    # The package's own pass gives what training measured: same tokens, same tail.
    assert encoder.encode_images(square[None]).values.shape == (1, 16)
    # Switched off, the switches of the recipe reach the package.
    assert package.manifest.config["tuned_tail"] is True


@pytest.mark.timeout(300)
def test_regions_and_trained_words_reach_the_package(folder):
    recipe = NETWORK.replace("[network]", '[network]\ntokens = "regions"\ntext = "bigru"\nmin_word_count = 2')
    events = list(run(folder, recipe.replace("epochs = 1", "epochs = 0")))
    package = resolve_package("tiny", [folder / "home" / "models"])
    vision = resolve_package("vision-lite0", [MODELS])
    assert package.manifest.config["tokens"] == "regions"
    assert package.manifest.config["regions_sha256"] == vision.manifest.regions.sha256
    assert package.manifest.overlays == ("regions", "vsem", "vspm", "segmentation")
    assert package.manifest.text is None
    # "picture", "in" and "version" are in every sentence, each number in one photo's two; 0 and 1 in many.
    assert set(package.vocabulary) > {"<unk>", "picture", "in", "version", "3"}
    assert "7" not in package.vocabulary  # a validation photo's
    encoder = load_encoder(package, search_folders=[MODELS], device="cpu")
    squares = np.stack([synthetic_picture(number, 224) for number in range(3)])
    together = encoder.encode_images(squares).values
    assert together.shape == (3, 16)
    np.testing.assert_allclose(encoder.encode_images(squares[1:2]).values[0], together[1], atol=2e-5)
    texts = ["nothing known here", "picture", "picture " * 500]
    np.testing.assert_allclose(np.linalg.norm(encoder.encode_texts(texts).values, axis=1), 1.0, atol=1e-4)
    assert check_reference(
        package.reference, lambda t: encoder.encode_texts(t).values, lambda s: encoder.encode_images(s).values
    ) == []
    evidence = encoder.explain(squares[0], encoder.encode_texts(["picture"]))
    assert [layer.name for layer in evidence.regions] == ["regions", "vsem"]
    assert evidence.regions[0].labels[0] == "whole picture"
    assert events[-1].metrics["rsum"] > 0


def test_what_is_wrong_is_said_in_a_sentence(folder):
    with pytest.raises(ConfigError, match="names no vision package"):
        list(run(folder, NETWORK.replace('vision = "vision-lite0"', "")))
    with pytest.raises(ConfigError, match="is no training run"):
        list(run(folder, POOLED, resume=folder / "data"))
    (folder / "data" / "images" / "3.jpg").write_bytes(b"this is no photo")
    with pytest.raises(DatasetError, match=r"3\.jpg"):
        list(run(folder, POOLED))


def test_cached_features_are_those_of_the_photos(folder):
    from explorer.training.feature_cache import ViewRequest, cache_view, open_view, read_square
    from explorer.training.views import View
    from explorer.vision import load_vision

    vision = load_vision(None, device="cpu")
    photos = sorted((folder / "data" / "images").iterdir())
    request = ViewRequest(folder / "features", "x", photos, View("mirrored"), vision.side_px)
    assert request.n_done == 0
    list(cache_view(request, vision, token=CancellationToken()))
    cached = open_view(request)
    square = read_square(photos[6], vision.side_px)[:, ::-1]
    expected = vision(np.ascontiguousarray(square)[None], segment=False).trunk[0]
    np.testing.assert_allclose(cached.trunk[6].float(), expected, atol=2e-2, rtol=2e-3)
    assert cached.scores is None
    other = ViewRequest(folder / "features", "y", photos, View("mirrored"), vision.side_px)
    assert other.place != request.place


# --- the command ----------------------------------------------------------------------------------------------------

forks = pytest.mark.skipif(sys.platform == "win32", reason="needs a fork server")


def command(folder, *arguments):
    """The command, begun on the data of ``folder``; the file takes what it prints."""
    printed = folder / f"printed-{len(list(folder.glob('printed-*')))}"
    return start_command(["--data-dir", str(folder / "home"), "train", *arguments], printed), printed


def package_content(package, run_folder):
    """The files of a package; the card names the run that made it."""
    files = {path.name: path.read_bytes() for path in package.iterdir()}
    return {name: content.replace(run_folder.name.encode(), b"RUN") for name, content in files.items()}


@forks
@pytest.mark.timeout(300)
def test_the_command_makes_the_package_that_the_trainer_makes(folder, monkeypatch):
    monkeypatch.setattr(packaging, "commit_of", no_commit)
    recipe = folder / "recipe.toml"
    recipe.write_text(POOLED)
    process, printed = command(folder, str(recipe))
    process.join()
    assert process.exitcode == 0
    lines = printed.read_text()
    package = folder / "home" / "models" / "tiny-pooled"
    (run_folder,) = (path for path in (folder / "home" / "runs").iterdir() if path.is_dir())
    assert f"Run: {run_folder}" in lines
    assert f"Wrote {package}. i2t_r1" in lines
    content = package_content(package, run_folder)
    list(run(folder, POOLED))
    (other_folder,) = set((folder / "home" / "runs").glob("tiny-pooled-*")) - {run_folder}
    assert package_content(package, other_folder) == content
    # A finished run can be taken up again by its folder alone.
    process, printed = command(folder, "--resume", str(run_folder))
    process.join()
    assert process.exitcode == 0
    recipe.write_text(POOLED.replace("tiny-pooled", "other"))
    process, printed = command(folder, str(recipe), "--resume", str(run_folder))
    process.join()
    assert process.exitcode == 1
    assert "is not the recipe that the run" in printed.read_text()


@forks
@pytest.mark.timeout(300)
def test_ctrl_c_keeps_a_checkpoint_and_the_command_says_how_to_go_on(folder):
    recipe = folder / "recipe.toml"
    recipe.write_text(NETWORK.replace("epochs = 2", "epochs = 2000"))
    process, printed = command(folder, str(recipe), "--device", "cpu")
    assert wait_until(lambda: any((folder / "home").glob("runs/*/network.checkpoint")), process)
    os.kill(process.pid, signal.SIGINT)
    process.join()
    assert process.exitcode == 1
    assert "Stopping... (Ctrl-C again stops at once)" in printed.read_text()
    assert "Stopped; a checkpoint was kept. Go on with --resume" in printed.read_text()
    (run_folder,) = (path for path in (folder / "home" / "runs").iterdir() if path.is_dir())
    events = JournalReader(run_folder / "journal").read()
    assert isinstance(events[-1], RunStopped)
    saved = [event.step for event in events if isinstance(event, Saved)][-1]
    kept = torch.load(run_folder / "network.checkpoint", weights_only=True)
    assert kept["epoch"] + kept["step"] == saved  # an epoch is one step


@forks
@pytest.mark.timeout(300)
def test_an_estimate_says_what_it_will_take_and_leaves_nothing(folder):
    recipe = folder / "recipe.toml"
    recipe.write_text(NETWORK)
    process, printed = command(folder, str(recipe), "--estimate")
    process.join()
    assert process.exitcode == 0
    said = r"About \d+ s \(features .*, tail .*, network .*, package .*\), .* GB of memory, .* GB of disk; from \d+"
    assert re.search(said, printed.read_text())
    assert not list((folder / "home").rglob("*.npy"))
    assert not list((folder / "home").rglob("*.toml"))


def test_arguments_of_the_module_reach_the_command():
    assert train_arguments(["a.toml", "--data-dir", "d", "--resume", "r"]) == [
        "--data-dir", "d", "train", "a.toml", "--resume", "r"]  # fmt: skip
    assert train_arguments(["--data-dir=d", "a.toml"]) == ["--data-dir=d", "train", "a.toml"]
