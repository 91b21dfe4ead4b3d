"""From a recipe and a folder of photos to a package that is found, loaded and answers."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from explorer.cancellation import CancellationToken
from explorer.errors import ConfigError, DatasetError
from explorer.media.image import encode_jpeg
from explorer.networks.registry import load_encoder
from explorer.packages.finding import resolve_package
from explorer.packages.reference import check_reference, synthetic_picture
from explorer.protocol.runs import EpochFinished, Finished, PhaseStarted, Progressed, Saved
from explorer.training.trainer import train

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
