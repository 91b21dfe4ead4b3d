"""What a recipe's data section means: splits, their division, libraries, and what a run keeps of it."""

import json
import os
import random
from pathlib import Path

import msgspec
import pytest

from explorer.cancellation import CancellationToken, Cancelled
from explorer.datasets.karpathy import read_karpathy
from explorer.errors import ConfigError, DatasetError, LibraryError
from explorer.library import open_library
from explorer.protocol.runs import Noted
from explorer.training import readable
from explorer.training.division import validation_rows
from explorer.training.hashing_config import LabelSection
from explorer.training.label_sources import read_split_labels
from explorer.training.preparation import TrainingPlaces, read_splits
from explorer.training.reading import read_library_photos, read_photos
from explorer.training.run_directory import RunDirectory
from explorer.training.sections import DatasetSection
from explorer.training.snapshot import dataset_path, labels_path
from explorer.training.taking import take_photos
from tests.helpers.photo_data import write_karpathy, write_library, write_photo


@pytest.fixture
def places(tmp_path: Path) -> TrainingPlaces:
    run = tmp_path / "home" / "runs" / "one"
    run.mkdir(parents=True)
    return TrainingPlaces(
        run=RunDirectory(run),
        recipe_folder=tmp_path,
        features_folder=tmp_path / "home" / "features",
        search_folders=[],
        packages_folder=tmp_path / "home" / "models",
    )


def take(places: TrainingPlaces, section: DatasetSection, labels: LabelSection | None = None) -> list[str]:
    events = list(take_photos(section, labels, places, CancellationToken()))
    return [event.text for event in events if isinstance(event, Noted)]


def names(part) -> list[str]:
    return [path.name for path in part.image_paths]


# --- division -------------------------------------------------------------------------------------------------------


def test_the_division_is_the_documented_one() -> None:
    paths = [Path(f"/photos/{number:03}.jpg") for number in range(100)]
    rows = validation_rows(paths, 0.1)
    # Computed once from the rule in words: BLAKE2b of 8 bytes of the file's name, the smallest tenth.
    assert [paths[row].stem for row in rows] == ["001", "005", "006", "018", "025", "026", "062", "066", "073", "093"]


def test_the_division_depends_on_neither_order_nor_place() -> None:
    stems = [f"{number}.jpg" for number in range(57)]
    chosen = {stems[row] for row in validation_rows([Path("/a") / stem for stem in stems], 0.2)}
    assert len(chosen) == 11
    random.Random(3).shuffle(stems)
    moved = [Path("/somewhere/else") / stem for stem in stems]
    assert {moved[row].name for row in validation_rows(moved, 0.2)} == chosen


@pytest.mark.parametrize(("n", "share", "expected"), [(2, 0.0, 1), (3, 0.9, 2), (20, 0.1, 2), (8, 0.0, 1)])
def test_both_sides_have_a_photo_at_least(n: int, share: float, expected: int) -> None:
    assert len(validation_rows([Path(f"{number}.jpg") for number in range(n)], share)) == expected


def test_photos_of_one_name_are_told_apart_by_their_folders() -> None:
    paths = [Path(f"/p/{folder}/IMG_0001.jpg") for folder in "abcdefgh"]
    rows = validation_rows(paths, 0.25)
    backwards = validation_rows(paths[::-1], 0.25)
    assert {paths[row] for row in rows} == {paths[::-1][row] for row in backwards}


def test_data_with_splits_keeps_them(tmp_path: Path) -> None:
    write_karpathy(tmp_path, ["train"] * 4 + ["val"] * 2 + ["test"], photos=False)
    found = read_photos(DatasetSection(annotations="photos.json"), tmp_path)
    assert (len(found.train), len(found.val), [part.split for part in found.others]) == (4, 2, ["test"])
    assert found.notes == ()
    few = read_photos(DatasetSection(annotations="photos.json", max_photos=2, val_split="test"), tmp_path)
    assert names(few.train) == ["photo-00.jpg", "photo-01.jpg"]
    assert len(few.val) == 1
    with pytest.raises(DatasetError, match="no split called 'dev'"):
        read_photos(DatasetSection(annotations="photos.json", val_split="dev"), tmp_path)


def test_data_with_one_split_is_divided_and_says_so(tmp_path: Path) -> None:
    write_karpathy(tmp_path, ["all"] * 10, photos=False)
    found = read_photos(DatasetSection(annotations="photos.json", val_share=0.3), tmp_path)
    assert (len(found.train), len(found.val)) == (7, 3)
    assert not set(names(found.train)) & set(names(found.val))
    assert names(found.train) == sorted(names(found.train))
    assert "3 of 10, chosen" in found.notes[0]
    # Asked for by name, the one split is both.
    same = read_photos(DatasetSection(annotations="photos.json", train_split="all", val_split="all"), tmp_path)
    assert names(same.train) == names(same.val)


def test_exactly_one_source_of_data() -> None:
    for given in ({}, {"annotations": "a", "library": "b"}):
        with pytest.raises(ValueError, match="exactly one of annotations and library"):
            DatasetSection(**given)
    for given in ({}, {"file": "a", "source": "sentences"}):
        with pytest.raises(ValueError, match="exactly one of file and source"):
            LabelSection(**given)


# --- libraries ------------------------------------------------------------------------------------------------------


@pytest.fixture
def photos_folder(tmp_path: Path) -> Path:
    for number in range(6):
        write_photo(tmp_path / "photos" / f"{number}.jpg", number)
    write_photo(tmp_path / "photos" / os.fsdecode(b"caf\xe9.jpg"), 9)
    (tmp_path / "photos" / "clip.mp4").write_bytes(b"no clip, but called so")
    return tmp_path / "photos"


def library_of(tmp_path: Path, photos_folder: Path, n: int = 5) -> Path:
    said = {b"%d.jpg" % number: [f"picture {number}", "a dog"] for number in range(n)}
    return write_library(tmp_path / "library", photos_folder,
                         {**said, b"caf\xe9.jpg": ["coffee"], b"clip.mp4": ["it moves"]})


def test_a_library_gives_its_photos_with_sentences(tmp_path: Path, photos_folder: Path) -> None:
    library_of(tmp_path, photos_folder)
    found = read_photos(DatasetSection(library="library", val_share=0.4), tmp_path)
    assert (len(found.train), len(found.val)) == (4, 2)
    assert found.notes[0] == "Left out of the library: photos without a sentence (1), clips (1)."
    paths = {bytes(path) for part in found.splits for path in part.image_paths}
    assert bytes(photos_folder / "0.jpg") in paths
    assert bytes(photos_folder) + b"/caf\xe9.jpg" in paths


def test_photos_that_left_a_library_are_counted(tmp_path: Path, photos_folder: Path) -> None:
    folder = library_of(tmp_path, photos_folder)
    (photos_folder / "1.jpg").unlink()
    with open_library(folder) as library:
        list(library.scan(token=CancellationToken()))
    found = read_library_photos(folder)
    assert len(found.photos) == 5
    assert "photos that are gone or cannot be read (1)" in found.notes[0]


def test_a_library_without_sentences_or_none_at_all_is_said(tmp_path: Path, photos_folder: Path) -> None:
    write_library(tmp_path / "silent", photos_folder, {})
    with pytest.raises(DatasetError, match=r"None of the 7 photos of the library in .* has a sentence") as caught:
        read_library_photos(tmp_path / "silent")
    assert "sentences" in caught.value.remedy
    write_library(tmp_path / "one", photos_folder, {b"1.jpg": ["a dog"]})
    with pytest.raises(DatasetError, match="only one photo with a sentence"):
        read_photos(DatasetSection(library="one"), tmp_path)
    with pytest.raises(LibraryError):
        read_library_photos(tmp_path / "nowhere")


# --- what a run keeps -----------------------------------------------------------------------------------------------


def test_a_run_keeps_its_photos_whatever_becomes_of_the_library(
    tmp_path: Path, photos_folder: Path, places: TrainingPlaces
) -> None:
    folder = library_of(tmp_path, photos_folder)
    section = DatasetSection(library=str(folder), val_share=0.4)
    notes = take(places, section, LabelSection(source="sentences"))
    assert any("chosen by a hash" in note for note in notes)
    kept = read_splits(section, places)
    labels = read_split_labels(LabelSection(source="sentences"), kept, places)
    with open_library(folder) as library:
        library.sentences.replace({int(number): ["all else"] for number in library.item_ids()})
    for path in photos_folder.iterdir():
        path.unlink()
    assert take(places, section, LabelSection(source="sentences")) == []
    again = read_splits(section, places)
    assert again == kept
    assert [bytes(path) for part in again for path in part.image_paths] == [
        bytes(path) for part in kept for path in part.image_paths
    ]
    relabelled = read_split_labels(LabelSection(source="sentences"), again, places)
    assert all((ours == theirs).all() for ours, theirs in zip(labels, relabelled, strict=True))
    assert [part.shape for part in labels] == [(4, 80), (2, 80)]
    assert all(part.any() for part in labels)


def test_what_a_run_keeps_is_a_data_set_that_others_read(tmp_path: Path, places: TrainingPlaces) -> None:
    write_karpathy(tmp_path / "data", ["train"] * 4 + ["val"] * 2)
    take(places, DatasetSection(annotations="data/photos.json"))
    found = read_karpathy(dataset_path(places.run.folder), split="val")
    assert found.image_paths == tuple(tmp_path / "data" / "images" / f"photo-{n:02}.jpg" for n in (4, 5))
    assert not labels_path(places.run.folder).exists()


def test_a_few_photos_that_cannot_be_read_are_left_out_and_told(tmp_path: Path, places: TrainingPlaces) -> None:
    write_karpathy(tmp_path, ["train"] * 40 + ["val"] * 2)
    images = tmp_path / "images"
    whole = (images / "photo-03.jpg").read_bytes()
    (images / "photo-03.jpg").write_bytes(whole[: len(whole) // 2])
    (images / "photo-07.jpg").unlink()
    section = DatasetSection(annotations="photos.json")
    assert take(places, section) == [
        "Photos of the split train that cannot be read are left out: 2 of 40 (photo-03.jpg, photo-07.jpg)."
    ]
    train, val = read_splits(section, places)
    assert (len(train), len(val)) == (38, 2)
    assert not {"photo-03.jpg", "photo-07.jpg"} & set(names(train))


def test_many_photos_that_cannot_be_read_stop_a_run_before_it_begins(tmp_path: Path, places: TrainingPlaces) -> None:
    write_karpathy(tmp_path, ["train"] * 40 + ["val"] * 2)
    for number in (3, 4, 5):
        (tmp_path / "images" / f"photo-{number:02}.jpg").unlink()
    section = DatasetSection(annotations="photos.json")
    with pytest.raises(DatasetError, match=r"3 of 40 photos of the split train cannot be read: photo-03\.jpg: .*5%"):
        take(places, section)
    assert not dataset_path(places.run.folder).exists()
    with pytest.raises(DatasetError, match="3 of 40 photos of the split train are missing"):
        read_splits(section, places)


def test_photos_are_looked_at_once_and_again_when_they_change(
    tmp_path: Path, places: TrainingPlaces, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_karpathy(tmp_path, ["train"] * 4 + ["val"] * 2)
    section = DatasetSection(annotations="photos.json")
    seen: list[bytes] = []
    read = readable.read_content
    monkeypatch.setattr(readable, "read_content", lambda path: seen.append(path) or read(path))
    take(places, section)
    assert len(seen) == 6
    dataset_path(places.run.folder).unlink()
    write_photo(tmp_path / "images" / "photo-02.jpg", 77)
    take(places, section)
    assert [os.path.basename(path) for path in seen[6:]] == [b"photo-02.jpg"]


def test_looking_at_photos_can_be_stopped(tmp_path: Path, places: TrainingPlaces) -> None:
    write_karpathy(tmp_path, ["train"] * 4 + ["val"] * 2)
    token = CancellationToken()
    token.cancel()
    with pytest.raises(Cancelled):
        list(take_photos(DatasetSection(annotations="photos.json"), None, places, token))
    assert not dataset_path(places.run.folder).exists()


@pytest.mark.parametrize(
    ("sentences", "splits", "problem"),
    [
        ([["a"]], ["train"], "only one photo"),
        ([["a"], ["b"]], ["train", "val"], "Photos to train on: 1, to choose on: 1"),
        ([["a dog"], ["A  dog"], ["b"]], ["train", "train", "val"], "All sentences of the split train are the same"),
        ([["a"], ["b"], [" "]], ["train", "train", "val"], "No photo of the split val has a sentence"),
    ],
)
def test_data_from_which_nothing_can_be_learnt_is_refused(
    tmp_path: Path, places: TrainingPlaces, sentences, splits, problem: str
) -> None:
    path = write_karpathy(tmp_path, splits)
    content = json.loads(path.read_text())
    for image, own in zip(content["images"], sentences, strict=True):
        image["sentences"] = [{"raw": text} for text in own]
    path.write_text(json.dumps(content))
    section = DatasetSection(annotations="photos.json")
    for work in (take, lambda places, section: read_splits(section, places)):
        with pytest.raises(DatasetError, match=problem):
            work(places, section)


def test_a_run_whose_own_data_is_damaged_says_so(tmp_path: Path, places: TrainingPlaces) -> None:
    dataset_path(places.run.folder).write_text("{")
    with pytest.raises(DatasetError, match=r"own data set is damaged.*Begin a new run"):
        read_splits(DatasetSection(annotations="photos.json"), places)


# --- labels ---------------------------------------------------------------------------------------------------------


def labelled(places: TrainingPlaces, labels: LabelSection):
    section = DatasetSection(annotations="photos.json")
    take(places, section, labels)
    return read_split_labels(labels, read_splits(section, places), places)


def test_labels_from_sentences(tmp_path: Path, places: TrainingPlaces) -> None:
    write_karpathy(tmp_path, ["train"] * 3 + ["val"] * 2)
    train, val = labelled(places, LabelSection(source="sentences", without=("person",)))
    assert train.shape == (3, 79)
    assert train.sum(1).tolist() == [2, 2, 2]  # a dog and a car each
    assert val.shape == (2, 79)


def test_without_labels_there_are_no_classes(tmp_path: Path, places: TrainingPlaces) -> None:
    write_karpathy(tmp_path, ["train"] * 3 + ["val"] * 2)
    kept = read_splits(DatasetSection(annotations="photos.json"), places)
    assert [part.shape for part in read_split_labels(None, kept, places)] == [(3, 0), (2, 0)]


def write_labels_file(tmp_path: Path, items: dict[str, list[int]]) -> LabelSection:
    (tmp_path / "labels.json").write_text(json.dumps({"names": ["x", "y"], "items": items}))
    return LabelSection(file="labels.json")


def test_a_label_file_knows_photos_by_the_ends_of_their_paths(tmp_path: Path, places: TrainingPlaces) -> None:
    write_karpathy(tmp_path, ["train"] * 2 + ["val"])
    section = write_labels_file(
        tmp_path, {"photo-00.jpg": [0], "images/photo-00.jpg": [1], "photo-01.jpg": [], "photo-02.jpg": [0, 1]}
    )
    train, val = labelled(places, section)
    assert train.tolist() == [[False, True], [False, False]]
    assert val.tolist() == [[True, True]]
    (tmp_path / "labels.json").unlink()  # the run keeps them
    assert read_split_labels(section, read_splits(DatasetSection(annotations="photos.json"), places), places)


def test_labels_that_do_not_fit_are_refused(tmp_path: Path, places: TrainingPlaces) -> None:
    write_karpathy(tmp_path, ["train"] * 2 + ["val"])
    with pytest.raises(DatasetError, match=r"do not speak of 2 of 3 photos \(photo-01\.jpg, photo-02\.jpg\)"):
        labelled(places, write_labels_file(tmp_path, {"photo-00.jpg": [0]}))
    nothing = write_labels_file(tmp_path, {"photo-00.jpg": [0], "photo-01.jpg": [0], "photo-02.jpg": []})
    with pytest.raises(DatasetError, match="None of the 1 photos of the split val has a label"):
        labelled(places, nothing)
    with pytest.raises(ConfigError, match="says nothing about what is in its photos"):
        labelled(places, LabelSection(source="data"))


def test_two_photos_of_one_name_need_labels_that_tell_them_apart(tmp_path: Path, places: TrainingPlaces) -> None:
    for folder in "ab":
        write_photo(tmp_path / folder / "IMG_1.jpg", ord(folder))
    write_photo(tmp_path / "b" / "IMG_2.jpg", 5)
    images = [{"filepath": folder, "filename": name, "split": split, "sentences": [{"raw": f"{folder} {name}"}]}
              for folder, name, split in (("a", "IMG_1.jpg", "train"), ("b", "IMG_1.jpg", "train"),
                                          ("b", "IMG_2.jpg", "val"))]
    (tmp_path / "photos.json").write_text(json.dumps({"images": images}))
    (tmp_path / "images").symlink_to(tmp_path)
    with pytest.raises(DatasetError, match=r"Two photos are called IMG_1\.jpg"):
        labelled(places, write_labels_file(tmp_path, {"IMG_1.jpg": [0], "IMG_2.jpg": [1]}))
    train, val = labelled(
        places, write_labels_file(tmp_path, {"a/IMG_1.jpg": [0], "b/IMG_1.jpg": [1], "IMG_2.jpg": [1]})
    )
    assert train.tolist() == [[True, False], [False, True]]
    assert val.tolist() == [[False, True]]


def test_labels_that_the_data_brings(tmp_path: Path, places: TrainingPlaces) -> None:
    said = {f"images/{number}.jpg": [f"picture {number}"] for number in range(5)}
    for number in range(5):
        write_photo(tmp_path / "images" / f"{number}.jpg", number)
    (tmp_path / "captions.json").write_text(json.dumps({"captions": {**said, "c.mp4": ["moves"]}}))
    (tmp_path / "labels.json").write_text(
        json.dumps({"names": ["even", "odd"], "items": {f"{number}.jpg": [number % 2] for number in range(5)}})
    )
    section, labels = DatasetSection(annotations="captions.json", val_share=0.4), LabelSection(source="data")
    notes = take(places, section, labels)
    assert notes[0].startswith("Clips are left out")
    kept = read_splits(section, places)
    for part, matrix in zip(kept, read_split_labels(labels, kept, places), strict=True):
        assert matrix[:, 1].tolist() == [int(path.stem) % 2 == 1 for path in part.image_paths]


def test_names_that_are_not_utf8_can_be_told(tmp_path: Path, photos_folder: Path, places: TrainingPlaces) -> None:
    folder = library_of(tmp_path, photos_folder).rename(tmp_path / os.fsdecode(b"ordnung-\xfc"))
    for path in photos_folder.glob("*.jpg"):
        path.write_bytes(b"no photo")
    section = DatasetSection(library=str(folder), val_share=0.4)
    with pytest.raises(DatasetError, match="cannot be read") as caught:
        take(places, section)
    msgspec.json.encode(caught.value.message)
    for number, path in enumerate(sorted(photos_folder.glob("*.jpg"))):
        write_photo(path, number)
    for note in take(places, section):
        msgspec.json.encode(note)
    assert [len(part) for part in read_splits(section, places)] == [4, 2]
