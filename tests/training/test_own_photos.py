"""A person's own photos on the whole road: from a library to a package whose card says what is true of it."""

from pathlib import Path

import pytest

from explorer.cancellation import CancellationToken
from explorer.errors import DatasetError
from explorer.library import open_library
from explorer.networks.registry import load_encoder
from explorer.packages.finding import resolve_package
from explorer.protocol.runs import Finished, Noted, RunEvent
from explorer.training.config import PooledRecipe, decode_recipe
from explorer.training.packaging import write_card
from explorer.training.preparation import TrainingPlaces, read_splits
from explorer.training.run_directory import RunDirectory
from explorer.training.taking import take_photos
from explorer.training.trainer import train
from tests.helpers.photo_data import write_karpathy, write_library, write_photo

MODELS = Path(__file__).parents[2] / "models"
OWN = 'task = "pooled"\nname = "own"\n[dataset]\nlibrary = "library"\nval_share = 0.25\n'


def run(folder: Path, recipe: str, resume: Path | None = None) -> list[RunEvent]:
    path = folder / "recipe.toml"
    path.write_text(recipe)
    return list(train(path, resume=resume, runs_folder=folder / "home" / "runs", search_folders=[MODELS],
                      token=CancellationToken()))


@pytest.fixture
def library(tmp_path: Path) -> Path:
    for number in range(8):
        write_photo(tmp_path / "photos" / f"{number}.jpg", number)
    write_photo(tmp_path / "photos" / "card" / "1.jpg", 20)  # another photo of one name
    said = {b"%d.jpg" % number: [f"picture {number}", f"seen {number} times"] for number in range(8)}
    return write_library(tmp_path / "library", tmp_path / "photos", said)


def test_a_library_becomes_a_model_whose_card_speaks_of_it(tmp_path: Path, library: Path) -> None:
    events = run(tmp_path, OWN)
    assert isinstance(events[-1], Finished)
    notes = [event.text for event in events if isinstance(event, Noted)]
    assert any("Left out of the library: photos without a sentence (1)" in note for note in notes)
    package = resolve_package("own", [tmp_path / "home" / "models"])
    assert load_encoder(package, search_folders=[MODELS], device="cpu").encode_texts(["a"]).values.shape == (1, 384)
    assert "Trained on 6 photos of a person's library" in package.card
    assert "2 others, which were taken by a hash of their names" in package.card
    assert "Learned from 6 photos and what was said about them" in package.card
    assert "Flickr8k (Hodosh" not in package.card
    assert "recipe.toml` of the run `own-" in package.card
    # Gone on with, the run asks the library for nothing.
    (run_folder,) = (tmp_path / "home" / "runs").iterdir()
    with open_library(library) as opened:
        opened.sentences.replace({int(number): ["something else"] for number in opened.item_ids()})
    again = run(tmp_path, OWN, resume=run_folder)
    assert isinstance(again[-1], Finished)
    assert again[-1].metrics == events[-1].metrics


def test_photos_that_vanish_after_a_run_began_are_named(tmp_path: Path, library: Path) -> None:
    events = train(_recipe(tmp_path), runs_folder=tmp_path / "home" / "runs", search_folders=[MODELS],
                   token=CancellationToken())
    while not list((tmp_path / "home" / "runs").glob("*/dataset.json")):
        next(events)
    (tmp_path / "photos").rename(tmp_path / "unplugged")
    with pytest.raises(DatasetError, match=r"photos/\d\.jpg cannot be read: The file is no longer there") as caught:
        list(events)
    assert "go on with the run" in caught.value.remedy
    (run_folder,) = (tmp_path / "home" / "runs").iterdir()
    with pytest.raises(DatasetError, match="no longer there"):
        run(tmp_path, OWN, resume=run_folder)
    (tmp_path / "unplugged").rename(tmp_path / "photos")
    assert isinstance(run(tmp_path, OWN, resume=run_folder)[-1], Finished)


def _recipe(tmp_path: Path) -> Path:
    path = tmp_path / "recipe.toml"
    path.write_text(OWN)
    return path


@pytest.mark.parametrize(
    ("name", "splits", "part"),
    [
        ("tiny", ["train"] * 5 + ["val"] * 2, "Trained on 5 photos of split `train` of `tiny`"),
        ("tiny", ["all"] * 10, "Trained on 9 photos of `tiny`, with up to five sentences"),
        ("flickr8k", ["train"] * 5 + ["val"] * 2, "everyday photos of people and dogs"),
        ("tiny", ["train"] * 5 + ["val"] * 2, "which may limit what the package may be used for"),
    ],
)
def test_the_card_of_a_data_set_speaks_of_its_splits(tmp_path: Path, name: str, splits: list[str], part: str) -> None:
    path = write_karpathy(tmp_path, splits)
    path.write_text(path.read_text().replace('"tiny"', f'"{name}"'))
    recipe = decode_recipe(b'task = "pooled"\nname = "x"\n[dataset]\nannotations = "photos.json"\n', where="x")
    assert isinstance(recipe, PooledRecipe)
    (tmp_path / "run").mkdir()
    places = TrainingPlaces(RunDirectory(tmp_path / "run"), tmp_path, tmp_path / "features", [], tmp_path / "models")
    list(take_photos(recipe.dataset, None, places, CancellationToken()))
    train, val = read_splits(recipe.dataset, places)
    card = write_card(recipe, what="", table="", n_train=len(train), n_val=len(val), places=places)
    assert part in " ".join(card.split())
    assert ("Hodosh" in card) == (name == "flickr8k")
