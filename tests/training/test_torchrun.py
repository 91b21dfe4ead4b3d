"""``torchrun -m explorer.training``: a whole run on two ranks ends with the package that one process makes."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from explorer.cancellation import CancellationToken
from explorer.media.image import encode_jpeg
from explorer.networks.registry import load_encoder
from explorer.packages.finding import resolve_package
from explorer.packages.reference import synthetic_picture
from explorer.protocol.runs import EpochFinished, Finished, PhaseStarted, RunBegan
from explorer.runs.journal import JournalReader
from explorer.training.config import read_recipe
from explorer.training.feature_cache import read_square
from explorer.training.image_sentence import train_image_sentence
from explorer.training.preparation import TrainingPlaces
from explorer.training.run_directory import RunDirectory

_CHECKOUT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(_CHECKOUT / "tests" / "helpers"))
from ranks import TOLD_BY_TORCHRUN, rank_environment  # noqa: E402

sys.path.pop(0)

_RECIPE = """
task = "image-sentence"
name = "tiny"
[dataset]
annotations = "data/photos.json"
[features]
vision = "vision-lite0"
[network]
embed_dim = 32
hidden_dim = 24
map_size = 7
token_dropout = 0.0
[training]
epochs = 20
batch_size = 5
learning_rate = 5e-3
"""
_SAID = ("a red ball", "two dogs", "snow on a hill", "an old car", "people at a table", "the sea", "a green tree",
         "houses at night", "a bicycle", "bread")


@pytest.fixture
def folder(tmp_path):
    """Ten photos that are trained on, and the same ten to measure on."""
    (tmp_path / "data" / "images").mkdir(parents=True)
    images = []
    for number, said in enumerate(_SAID):
        for split in ("train", "val"):
            name = f"{split}{number}.jpg"
            (tmp_path / "data" / "images" / name).write_bytes(encode_jpeg(synthetic_picture(number, 224)))
            images.append({"filename": name, "split": split, "imgid": len(images), "sentences": [{"raw": said}]})
    (tmp_path / "data" / "photos.json").write_text(json.dumps({"dataset": "tiny", "images": images}))
    (tmp_path / "recipe.toml").write_text(_RECIPE)
    return tmp_path


def _train_together(folder):
    """Run the command with ``torchrun``; the events of its run's journal."""
    environment = {name: value for name, value in rank_environment(0, 1, 0).items() if name not in TOLD_BY_TORCHRUN}
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
         "-m", "explorer.training", str(folder / "recipe.toml"), "--data-dir", str(folder / "home"), "--device", "cpu"],
        env=environment, capture_output=True, text=True, check=False, timeout=280,
    )
    assert done.returncode == 0, done.stderr
    (run,) = (path for path in (folder / "home" / "runs").iterdir() if (path / "journal").is_file())
    return JournalReader(run / "journal").read()


def _train_alone(folder):
    """The same in this process, with the features that are there by now."""
    run = RunDirectory(folder / "alone")
    run.folder.mkdir()
    places = TrainingPlaces(run, folder, folder / "home" / "features", [_CHECKOUT / "models"], folder / "alone")
    return list(train_image_sentence(read_recipe(folder / "recipe.toml"), places, CancellationToken()))


@pytest.mark.slow
def test_two_ranks_end_with_the_package_of_one_process(folder):
    events = _train_together(folder)
    assert [event.n_ranks for event in events if isinstance(event, RunBegan)] == [2]
    assert [event.phase for event in events if isinstance(event, PhaseStarted)] == ["features", "network"]
    assert [event.epoch for event in events if isinstance(event, EpochFinished)] == list(range(1, 21))
    assert isinstance(events[-1], Finished)
    ours, theirs = events[-1].metrics["rsum"], _train_alone(folder)[-1].metrics["rsum"]
    # Ten photos: one more or less at the top is 10 of rSum's 600.
    assert ours == pytest.approx(theirs, abs=40)
    assert ours > 500
    package = resolve_package("tiny", [folder / "home" / "models"])
    encoder = load_encoder(package, search_folders=[_CHECKOUT / "models"], device="cpu")
    photos = [folder / "data" / "images" / f"val{number}.jpg" for number in range(len(_SAID))]
    squares = np.stack([read_square(photo, 224) for photo in photos])
    scores = encoder.encode_images(squares).values @ encoder.encode_texts(list(_SAID)).values.T
    found = (scores.argmax(axis=1) == np.arange(len(_SAID))).mean()
    assert 100 * found == pytest.approx(events[-1].metrics["i2t_r1"], abs=10)
