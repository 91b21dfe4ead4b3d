"""``labels`` from the command line: by sentences, by the shipped region proposer, and what is said of bad input."""

import json
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from explorer.__main__ import window_call
from explorer.cli import run_command
from explorer.datasets.labels import read_labels
from explorer.engine import labelling
from explorer.errors import DatasetError, PackageError, UserFacingError

Call = Callable[..., int]
Said = Mapping[str, Sequence[str]]

SAID = {
    "train": {"a.png": ["A man and his dog.", "two bikes"], "b.png": ["Puppies"]},
    "val": {"c.png": ["the red square"], "d.png": ["hot dogs"]},
}
_PACKAGE = Path(__file__).resolve().parents[2] / "models" / "vision-lite0"


def write_karpathy(folder: Path, said: Mapping[str, Said]) -> Path:
    """A Karpathy json with its photos: coloured rectangles on noise."""
    rng = np.random.default_rng(3)
    (folder / "images").mkdir()
    images = []
    for split, photos in said.items():
        for name, sentences in photos.items():
            images.append({"filename": name, "split": split, "sentences": [{"raw": text} for text in sentences]})
            pixels = rng.integers(0, 60, (120, 160, 3), dtype=np.uint8)
            pixels[30:90, 50:130] = rng.integers(0, 256, 3)
            Image.fromarray(pixels).save(folder / "images" / name)
    path = folder / "dataset_toy.json"
    path.write_text(json.dumps({"dataset": "toy", "images": images}))
    return path


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    return write_karpathy(tmp_path, SAID)


@pytest.fixture
def call(tmp_path: Path) -> Call:
    return lambda *arguments: run_command(["--data-dir", str(tmp_path / "data"), "labels", *map(str, arguments)])


@pytest.fixture
def proposer() -> str:
    if not (_PACKAGE / "model.toml").is_file():
        pytest.skip("the shipped vision package is not here")
    return str(_PACKAGE)


def classes(path: Path) -> dict[str, set[str]]:
    labels = read_labels(path)
    return {item: {labels.names[number] for number in numbers} for item, numbers in labels.items.items()}


def test_it_is_a_command_and_no_folder_of_a_library() -> None:
    assert window_call(["labels", "x.json"]) is None


def test_classes_named_in_sentences(
    call: Call, dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written = tmp_path / "labels.json"
    assert call(dataset, "--from", "sentences", "-o", written) == 0
    assert classes(written) == {
        "a.png": {"person", "dog", "bicycle"}, "b.png": {"dog"}, "c.png": set(), "d.png": {"hot dog"},
    }  # fmt: skip
    said = capsys.readouterr()
    assert said.out == ""
    assert "3 of 4 items have a class" in said.err


def test_only_a_split_and_without_some_classes(call: Call, dataset: Path, tmp_path: Path) -> None:
    written = tmp_path / "labels.json"
    left_out = ("--without", "person", "--without", "bicycle")
    assert call(dataset, "--from", "sentences", "--split", "train", *left_out, "-o", written) == 0
    assert classes(written) == {"a.png": {"dog"}, "b.png": {"dog"}}
    assert {"person", "bicycle"}.isdisjoint(read_labels(written).names)


def test_coco_captions_and_a_folder_of_photos(call: Call, tmp_path: Path) -> None:
    photos = tmp_path / "elsewhere"
    photos.mkdir()
    (photos / "x.jpg").touch()
    content = {"images": [{"id": 7, "file_name": "x.jpg"}], "annotations": [{"image_id": 7, "caption": "Two cats"}]}
    dataset, written = tmp_path / "captions_val2014.json", tmp_path / "labels.json"
    dataset.write_text(json.dumps(content))
    assert call(dataset, "--from", "sentences", "--images", photos, "-o", written) == 0
    assert classes(written) == {"x.jpg": {"cat"}}


@pytest.mark.parametrize("source", ["sentences", "detections"])
@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"dataset": "none.json"}, "none.json cannot be read"),
        ({"-o": "nowhere/labels.json"}, "no folder .*nowhere"),
        ({"-o": "images"}, "is a folder"),
        ({"--without": "unicorn"}, "no class 'unicorn'"),
        ({"--split": "test"}, "no split called 'test'"),
        ({"--images": "nowhere"}, "photos of the split .* are missing"),
    ],
)
def test_bad_input_is_a_sentence_and_writes_nothing(
    source: str, changes: dict[str, str], says: str, call: Call, dataset: Path, proposer: str, tmp_path: Path
) -> None:
    own = {"dataset": dataset.name, "-o": "labels.json"} | changes
    paths = {name: str(tmp_path / value) if name in ("dataset", "-o", "--images") else value
             for name, value in own.items()}
    options = [word for name, value in paths.items() if name != "dataset" for word in (name, value)]
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(DatasetError, match=says):
        call(paths["dataset"], "--from", source, "--model", proposer, *options)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_data_set_without_sentences(call: Call, tmp_path: Path) -> None:
    dataset = write_karpathy(tmp_path, {"train": {"a.png": []}})
    with pytest.raises(DatasetError, match=r"no sentence for a\.png"):
        call(dataset, "--from", "sentences", "--split", "train", "-o", tmp_path / "labels.json")


def test_sentences_that_name_nothing(call: Call, tmp_path: Path) -> None:
    dataset = write_karpathy(tmp_path, {"train": {"a.png": ["grass", ""], "b.png": ["the sea"]}})
    with pytest.raises(DatasetError, match="No class was found in any of 2 items"):
        call(dataset, "--from", "sentences", "--split", "train", "-o", tmp_path / "labels.json")
    assert not (tmp_path / "labels.json").exists()


@pytest.mark.parametrize("options", [(), ("--from", "guesses"), ("--from", "detections", "--min-score", "2")])
def test_a_wrong_call_has_status_2(options: tuple[str, ...], call: Call, dataset: Path, tmp_path: Path) -> None:
    assert call(dataset, *options, "-o", tmp_path / "labels.json") == 2


def test_detections_by_the_shipped_package(
    call: Call, dataset: Path, proposer: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = {}
    for score in (0.002, 0.1):
        written = tmp_path / f"{score}.json"
        options = ("--from", "detections", "--model", proposer, "--min-score", score, "--device", "cpu", "-o", written)
        assert call(dataset, *options) == 0
        found[score] = classes(written)
        assert set(found[score]) == {"a.png", "b.png", "c.png", "d.png"}
        assert "object" not in read_labels(written).names
        assert len(read_labels(written).names) == 80
    assert all(found[0.1][item] <= found[0.002][item] for item in found[0.002])
    assert found[0.1] != found[0.002]
    assert capsys.readouterr().out == ""


def test_no_detection_is_sure_enough(call: Call, dataset: Path, proposer: str, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"No class was found in any of 4 items\. Lower --min-score"):
        call(dataset, "--from", "detections", "--model", proposer, "--min-score", 1, "-o", tmp_path / "labels.json")
    assert not (tmp_path / "labels.json").exists()


def test_a_photo_that_cannot_be_read_is_named(call: Call, dataset: Path, proposer: str, tmp_path: Path) -> None:
    (tmp_path / "images" / "c.png").write_bytes(b"no picture")
    with pytest.raises(DatasetError, match=r"c\.png: The file is not an image"):
        call(dataset, "--from", "detections", "--model", proposer, "-o", tmp_path / "labels.json")


def test_a_package_that_is_not_there_or_proposes_nothing(call: Call, dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(PackageError, match="no model called nothing"):
        call(dataset, "--from", "detections", "--model", "nothing", "-o", tmp_path / "labels.json")
    pooled = _PACKAGE.parent / "pooled-flickr8k"
    with pytest.raises(PackageError, match="not a vision package"):
        call(dataset, "--from", "detections", "--model", pooled, "-o", tmp_path / "labels.json")


def test_control_c_writes_nothing_and_keeps_what_was_there(
    call: Call, dataset: Path, proposer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = tmp_path / "labels.json"
    written.write_text("old")
    before = sorted(tmp_path.rglob("*"))
    decode = labelling.decode_image

    def interrupted(*arguments: object, **options: object) -> object:
        signal.raise_signal(signal.SIGINT)
        return decode(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(labelling, "decode_image", interrupted)
    with pytest.raises(UserFacingError, match="Stopped; no labels were written"):
        call(dataset, "--from", "detections", "--model", proposer, "-o", written)
    assert written.read_text() == "old"
    assert sorted(tmp_path.rglob("*")) == before


def test_clips_are_labelled_by_what_is_said_and_known_by_their_names(call: Call, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "film.mp4").touch()
    said = {"a/film.mp4#t=0,2": ["a man and his dog"], "a/film.mp4": "two bikes"}
    (tmp_path / "captions.json").write_text(json.dumps({"captions": said}))
    written = tmp_path / "labels.json"
    assert call(tmp_path, "--from", "sentences", "--split", "all", "-o", written) == 0
    labels = read_labels(written)
    named = {item: {labels.names[number] for number in numbers} for item, numbers in labels.items.items()}
    assert named == {"a/film.mp4#t=0,2": {"person", "dog"}, "a/film.mp4": {"bicycle"}}
    written.unlink()
    with pytest.raises(DatasetError, match="has clips, and detections are found in photos"):
        call(tmp_path, "--from", "detections", "--split", "all", "-o", written)
    with pytest.raises(DatasetError, match=r"no split called 'train or val'\. It has no splits"):
        call(tmp_path, "--from", "sentences", "-o", written)
