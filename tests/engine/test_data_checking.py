"""What a check says before a run begins: what is there, what would stop the run, what is unwise."""

import json
import os
from pathlib import Path

import msgspec
import pytest

from explorer.cancellation import CancellationToken, Cancelled
from explorer.engine.data_checking import check_recipe
from explorer.packages.finding import resolve_package
from explorer.protocol.framing import encoded
from explorer.protocol.training import RecipeChecked
from explorer.training import feature_cache
from explorer.training.config import decode_recipe
from explorer.training.feature_cache import ViewRequest
from explorer.training.views import View
from tests.helpers.photo_data import write_karpathy, write_library, write_photo

MODELS = Path(__file__).parents[2] / "models"
DATA = '[dataset]\nannotations = "photos.json"\n'
VISION = '[features]\nvision = "vision-lite0"\n'
NETWORK = f'task = "image-sentence"\nname = "mine"\n{DATA}{VISION}'
TVDB = f'task = "tvdb"\nname = "mine"\n{DATA}{VISION}[labels]\n'
DSMHN = f'task = "dsmhn"\nname = "mine"\n{DATA}{VISION}'
FEW = ["train"] * 6 + ["val"] * 2


def check(tmp_path: Path, recipe: str, **how: bool) -> RecipeChecked:
    folders = [tmp_path / "home" / "models", MODELS]
    return check_recipe(5, decode_recipe(recipe.encode(), where="x"), tmp_path, folders, CancellationToken(), **how)


def with_sentences(path: Path, sentences: list[list[str]]) -> None:
    content = json.loads(path.read_text())
    for image, own in zip(content["images"], sentences, strict=True):
        image["sentences"] = [{"raw": text} for text in own]
    path.write_text(json.dumps(content))


def noted(answer: RecipeChecked, part: str) -> list[str]:
    return [note for note in answer.notes if part in note]


def test_what_was_found_is_said_split_by_split(tmp_path: Path) -> None:
    write_karpathy(tmp_path, [*FEW, "test"], photos=True)
    answer = check(tmp_path, NETWORK)
    assert (answer.id, answer.problem, answer.key) == (5, "", "")
    found = [(split.name, split.role, split.n_images, split.n_sentences, split.n_missing) for split in answer.splits]
    assert found == [("train", "train", 6, 12, 0), ("val", "val", 2, 4, 0), ("test", "other", 1, 2, 0)]
    assert answer.examples == tuple(f"a dog number {number}" for number in range(5))
    assert answer.n_classes is None


def test_few_photos_and_a_batch_larger_than_they_are_are_told(tmp_path: Path) -> None:
    write_karpathy(tmp_path, FEW)
    answer = check(tmp_path, NETWORK)
    assert noted(answer, "Few photos to train on (6)")
    assert noted(answer, "(2): a recall of 50 % that is measured on them is uncertain by about 35 p")
    assert noted(answer, "batch_size is 256")
    assert not noted(check(tmp_path, NETWORK + "[training]\nbatch_size = 6\n"), "batch_size")


def test_without_data_the_files_are_not_looked_at(tmp_path: Path) -> None:
    answer = check(tmp_path, NETWORK, data=False)
    assert (answer.problem, answer.splits) == ("", ())


def test_missing_photos_are_a_note_while_they_are_few_and_a_problem_when_many(tmp_path: Path) -> None:
    write_karpathy(tmp_path, ["train"] * 40 + ["val"] * 2)
    for number in (3, 9):
        (tmp_path / "images" / f"photo-{number:02}.jpg").unlink()
    answer = check(tmp_path, NETWORK)
    assert answer.problem == ""
    assert answer.splits[0].n_missing == 2
    assert noted(answer, "that cannot be read are left out: 2 of 40 (photo-03.jpg, photo-09.jpg)")
    (tmp_path / "images" / "photo-41.jpg").unlink()
    answer = check(tmp_path, NETWORK)
    assert answer.key == "dataset.images"
    assert answer.problem.startswith("1 of 2 photos of the split val cannot be read: ")
    assert answer.problem.endswith("photo-41.jpg is not there.")
    assert [split.n_missing for split in answer.splits] == [2, 1]


@pytest.mark.parametrize(
    ("splits", "sentences", "problem"),
    [
        (["train"], [["a"]], "has only one photo with a sentence"),
        (["train", "val"], [["a"], ["b"]], "Photos to train on: 1, to choose on: 1"),
        (FEW, [["a dog"]] * 8, 'All sentences of the split train are the same: "a dog"'),
        (FEW, [[" "]] * 8, "No photo of the split train has a sentence"),
        (FEW, [["a"]] * 7 + [[]], "has no sentence for photo-07.jpg"),
    ],
)
def test_data_that_would_stop_a_run_is_a_problem(
    tmp_path: Path, splits: list[str], sentences: list[list[str]], problem: str
) -> None:
    with_sentences(write_karpathy(tmp_path, splits), sentences)
    answer = check(tmp_path, NETWORK)
    assert problem in answer.problem
    assert answer.remedy
    assert answer.key == "dataset.annotations"


def test_problems_name_the_setting_that_they_are_about(tmp_path: Path) -> None:
    write_karpathy(tmp_path, FEW)
    for change, key in (
        ((DATA, '[dataset]\nannotations = "none.json"\n'), "dataset.annotations"),
        ((DATA, '[dataset]\nannotations = "$NOWHERE_AT_ALL/a.json"\n'), "dataset.annotations"),
        ((DATA, '[dataset]\nlibrary = "none"\n'), "dataset.library"),
        ((DATA, DATA + 'train_split = "dev"\n'), "dataset.train_split"),
        ((DATA, DATA + 'val_split = "dev"\n'), "dataset.val_split"),
        ((VISION, ""), "features.vision"),
        (("vision-lite0", "no-such-vision"), "features.vision"),
    ):
        answer = check(tmp_path, NETWORK.replace(*change))
        assert (answer.key, bool(answer.problem)) == (key, True), answer
    assert check(tmp_path, DSMHN.replace(VISION, "") + '[image]\nparts = ["presence"]\n').key == "features.vision"


def test_labels_are_counted_and_what_is_wrong_with_them_is_said(tmp_path: Path) -> None:
    path = write_karpathy(tmp_path, FEW)
    alike = check(tmp_path, TVDB + 'source = "sentences"\n')
    assert alike.key == "labels.source"
    assert "share a label" in alike.problem  # a dog and a car in each
    assert alike.n_classes == 2
    assert [split.n_labelled for split in alike.splits] == [6, 2]
    with_sentences(path, [["a dog"], ["a cat"], ["nothing"], ["a dog"], ["a cat"], ["a bus"], ["a dog"], ["a cat"]])
    answer = check(tmp_path, TVDB + 'source = "sentences"\n')
    assert answer.problem == ""
    assert [split.n_labelled for split in answer.splits] == [5, 2]
    assert noted(answer, "split train without a label, which are like no other: 1 of 6")
    assert noted(answer, "Of 80 classes 3 are in these photos")
    assert not noted(answer, "share a class")  # two of five have a dog
    assert "says nothing about what is in its photos" in check(tmp_path, TVDB + 'source = "data"\n').problem
    missing = check(tmp_path, TVDB + 'file = "labels.json"\n')
    assert missing.key == "labels.file"
    assert "label file" in missing.problem
    (tmp_path / "labels.json").write_text(json.dumps({"names": ["x"], "items": {"photo-00.jpg": [0]}}))
    assert "do not speak of 7 of 8 photos" in check(tmp_path, TVDB + 'file = "labels.json"\n').problem
    (tmp_path / "labels.json").write_text(
        json.dumps({"names": ["x"], "items": {f"photo-{n:02}.jpg": [0] * (n < 3) for n in range(8)}})
    )
    assert "None of the 2 photos of the split val has a label" in check(tmp_path, TVDB + 'file = "labels.json"').problem
    assert noted(check(tmp_path, DSMHN), "There are no labels")


def test_a_class_that_most_photos_share_is_named_with_the_setting_that_leaves_it_out(tmp_path: Path) -> None:
    path = write_karpathy(tmp_path, FEW)
    said = ("a dog", "a dog", "a dog and a cat", "a dog", "a dog, a bus", "a cat", "a dog", "a cat")
    with_sentences(path, [[sentence] for sentence in said])
    answer = check(tmp_path, TVDB + 'source = "sentences"\n')
    assert noted(answer, 'dog (83%). All of these count as alike')
    assert noted(answer, '[labels] without = ["dog"]')
    without = check(tmp_path, TVDB + 'source = "sentences"\nwithout = ["dog"]\n')
    assert (without.problem, without.n_classes) == ("", 2)
    assert not noted(without, "dog")


def test_a_library_is_checked_with_what_is_left_out(tmp_path: Path) -> None:
    for number in range(12):
        write_photo(tmp_path / "photos" / f"{number}.jpg", number)
    (tmp_path / "photos" / "clip.mp4").write_bytes(b"called so")
    said = {b"%d.jpg" % number: [f"picture {number}"] for number in range(11)}
    write_library(tmp_path / "library", tmp_path / "photos", {**said, b"clip.mp4": ["moves"]})
    answer = check(tmp_path, NETWORK.replace(DATA, '[dataset]\nlibrary = "library"\nval_share = 0.2\n'))
    assert answer.problem == ""
    assert [(split.role, split.n_images) for split in answer.splits] == [("train", 9), ("val", 2)]
    assert noted(answer, "photos without a sentence (1), clips (1)")
    assert noted(answer, "chosen by a hash of their names")
    (tmp_path / "photos").rename(tmp_path / "unplugged")
    answer = check(tmp_path, NETWORK.replace(DATA, '[dataset]\nlibrary = "library"\nval_share = 0.2\n'))
    assert answer.key == "dataset.library"
    assert "9 of 9 photos of the split train cannot be read" in answer.problem


def test_a_model_that_would_be_replaced_is_told(tmp_path: Path) -> None:
    write_karpathy(tmp_path, FEW)
    assert not noted(check(tmp_path, NETWORK), "model called")
    assert noted(check(tmp_path, NETWORK.replace("mine", "pooled-flickr8k")), "came with the program")
    (tmp_path / "home" / "models" / "mine").mkdir(parents=True)
    assert noted(check(tmp_path, NETWORK, data=False), "There is a model called mine already")


def test_photos_that_are_in_both_splits_are_told(tmp_path: Path) -> None:
    write_karpathy(tmp_path, ["all"] * 4)
    recipe = NETWORK.replace(DATA, f'{DATA}train_split = "all"\nval_split = "all"\n')
    assert noted(check(tmp_path, recipe), "both: 4")


def test_features_that_are_there_are_told(tmp_path: Path) -> None:
    write_karpathy(tmp_path, FEW)
    photos = [tmp_path / "images" / f"photo-{number:02}.jpg" for number in range(8)]
    vision = resolve_package("vision-lite0", [MODELS])
    features = tmp_path / "home" / "features"
    for part in (photos[:6], photos[6:]):
        assert not noted(check(tmp_path, NETWORK), "All features")
        request = ViewRequest(features, vision.model_id, part, View("photo"), vision.manifest.preprocess.side_px)
        request.place.mkdir(parents=True)
        (request.place / "n_done").write_text(str(len(part)))
        if part is photos[:6]:
            assert noted(check(tmp_path, NETWORK), "Features of 6 of 8 views")
    assert noted(check(tmp_path, NETWORK), "All features are there already")
    assert noted(check(tmp_path, NETWORK.replace(VISION, VISION + "flip = true\n")), "Features of 8 of 14 views")


def test_pixels_inside_of_a_file_stay_there(tmp_path: Path) -> None:
    from tests.datasets.test_photo_sets import write_dcmh

    write_dcmh(tmp_path / "set.mat")
    answer = check(tmp_path, NETWORK.replace("photos.json", "set.mat"))
    assert "Photos to train on: 1" in answer.problem
    assert [split.n_missing for split in answer.splits] == [0, 0]
    assert not list(tmp_path.glob("**/*.jpg"))


def test_rendered_scenes_need_no_data(tmp_path: Path) -> None:
    answer = check(tmp_path, 'task = "scenes"\nname = "mine"\n')
    assert (answer.problem, answer.splits) == ("", ())


def test_a_check_can_be_stopped(tmp_path: Path) -> None:
    write_karpathy(tmp_path, FEW)
    token = CancellationToken()
    token.cancel()
    with pytest.raises(Cancelled):
        check_recipe(1, decode_recipe(NETWORK.encode(), where="x"), tmp_path, [tmp_path / "m", MODELS], token)


def test_no_photo_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_karpathy(tmp_path, FEW)

    def never(*_arguments: object, **_named: object) -> None:
        raise AssertionError("a check opened a photo")

    monkeypatch.setattr(feature_cache, "read_square", never)
    monkeypatch.setattr("explorer.training.readable.decode_image", never)
    assert check(tmp_path, NETWORK).problem == ""


def test_an_answer_can_travel_whatever_files_are_called(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    write_karpathy(folder, ["train"] * 6 + ["val"] * 2, photos=False)
    recipe = decode_recipe(NETWORK.encode(), where="x")
    answer = check_recipe(1, recipe, folder, [tmp_path / "models", MODELS], CancellationToken())
    there = msgspec.msgpack.decode(encoded(answer), type=RecipeChecked)
    assert r"caf\xe9" in there.problem
    assert there.splits == answer.splits
