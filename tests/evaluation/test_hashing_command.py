"""``evaluate --protocol hashing`` from the command line down, with small models whose answers are known."""

import csv
import json
import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from explorer.cli import run_command
from explorer.datasets.labels import LabelFile, write_labels
from explorer.engine import evaluating_hashing
from explorer.errors import ConfigError, DatasetError, PackageError, UserFacingError
from explorer.representations import BinaryCodes, Embeddings, Modality

CLASSES = 4
DIRECTIONS = ("image_to_text", "text_to_image", "image_to_image", "text_to_text")


class ClassCodes:
    """Reads the number of a photo from its grey and of a sentence from its last word: the code of its class."""

    modalities = frozenset({Modality.TEXT, Modality.IMAGE})
    side_px = 8
    overlays = ()
    device = "CPU"

    def __init__(self, name: str, *, dim: int = 16, on_batch: Callable[[], None] = lambda: None) -> None:
        self.name, self.model_id, self.dim, self.on_batch = name, f"{name}@0", dim, on_batch
        self.n_batches = 0

    def encode_texts(self, texts: Sequence[str]) -> Embeddings | BinaryCodes:
        return self._codes([int(text.split()[-1]) for text in texts])

    def encode_images(self, squares: np.ndarray) -> Embeddings | BinaryCodes:
        return self._codes(np.rint(squares.mean(axis=(1, 2, 3)) / 5).astype(np.int64).tolist())

    def _codes(self, numbers: list[int]) -> Embeddings | BinaryCodes:
        self.n_batches += 1
        self.on_batch()
        return BinaryCodes.from_activations(self._values(numbers))

    def _values(self, numbers: list[int]) -> np.ndarray:
        prototypes = np.random.default_rng(3).standard_normal((CLASSES, self.dim))
        return prototypes[np.array(numbers) % CLASSES].astype(np.float32)


class ClassEmbeddings(ClassCodes):
    """The same as real embeddings."""

    def _codes(self, numbers: list[int]) -> Embeddings:
        self.n_batches += 1
        values = self._values(numbers)
        return Embeddings(values / np.linalg.norm(values, axis=1, keepdims=True))


class FakeModels:
    def __init__(self, encoders: dict[str, ClassCodes], kinds: dict[str, str]) -> None:
        self.encoders, self.kinds = encoders, kinds

    def package(self, name: str) -> SimpleNamespace:
        if name not in self.encoders:
            raise PackageError(f"There is no model called {name}.")
        manifest = SimpleNamespace(output=SimpleNamespace(kind=self.kinds.get(name, "code")), title=name.upper())
        return SimpleNamespace(name=name, manifest=manifest, card="Trained on 7 photos.")

    def get(self, name: str) -> ClassCodes:
        return self.encoders[name]

    @property
    def n_batches(self) -> int:
        return sum(encoder.n_batches for encoder in self.encoders.values())


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch) -> FakeModels:
    encoders = {
        "codes": ClassCodes("codes"),
        "reals": ClassEmbeddings("reals", dim=24),
        "vision": ClassCodes("vision"),
    }
    fake = FakeModels(encoders, {"reals": "embedding", "vision": "features"})
    monkeypatch.setattr(evaluating_hashing, "LoadedModels", lambda *_args, **_options: fake)
    return fake


N_VAL, N_TRAIN, PER = 12, 28, 2


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Grey photos with two sentences each, of two splits."""
    (tmp_path / "images").mkdir()
    images = []
    for number in range(N_VAL + N_TRAIN):
        name = f"{number}.png"
        Image.fromarray(np.full((9, 12, 3), 5 * number, np.uint8)).save(tmp_path / "images" / name)
        sentences = [{"raw": f"{word} {number}"} for word in "vw"]
        images.append({"filename": name, "split": "val" if number < N_VAL else "train", "sentences": sentences})
    path = tmp_path / "dataset_numbers.json"
    path.write_text(json.dumps({"dataset": "numbers", "images": images}))
    return path


def labels_file(folder: Path, name: str, classes_of: Callable[[int], tuple[int, ...]], n: int = 40) -> Path:
    path = folder / name
    classes = tuple(f"class {number}" for number in range(50))
    write_labels(path, LabelFile(classes, {f"{number}.png": classes_of(number) for number in range(n)}))
    return path


@pytest.fixture
def by_class(tmp_path: Path) -> Path:
    """Labels that the models know perfectly."""
    return labels_file(tmp_path, "by_class.json", lambda number: (number % CLASSES,))


def call(dataset: Path, *arguments: object) -> list[str]:
    return ["evaluate", "--protocol", "hashing", "--dataset", str(dataset), *map(str, arguments)]


def run_json(capsys: pytest.CaptureFixture[str], *arguments: object) -> list[dict[str, object]]:
    assert run_command([*call(*arguments), "--json"]) == 0  # type: ignore[arg-type]
    document = json.loads(capsys.readouterr().out)
    return document if isinstance(document, list) else [document]


AGAINST_TRAIN = ("--split", "val", "--gallery-split", "train")


def test_the_document_has_the_agreed_form(
    models: FakeModels, dataset: Path, by_class: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("-m", "codes", *AGAINST_TRAIN, "--gallery", dataset, "--labels", by_class, "--json")
    assert run_command(call(dataset, *arguments)) == 0
    document = json.loads(capsys.readouterr().out)
    agreed = {
        "model": "codes", "dataset": "numbers", "split": "val", "gallery": "numbers", "gallery_split": "train",
        "protocol": "hashing", "n_bits": 16, "n_queries_skipped": 0, "labels": str(by_class),
        "map_at_normaliser": "found",
    }  # fmt: skip
    assert agreed.items() <= document.items()
    for name in DIRECTIONS:
        direction = document[name]
        assert (direction["map"], direction["map_tie_aware"]) == (1.0, 1.0)
        assert list(direction["map_at"]) == ["50", "500"]
        assert list(direction["precision_at"]) == ["100"]
        assert 0.2 < direction["random"] < 0.45
        assert direction["n_queries"] == (N_VAL if name.startswith("image") else N_VAL * PER)
        assert direction["n_queries_skipped"] == 0
    # A quarter of 28 photos, or 56 sentences, among 100 places.
    assert document["text_to_image"]["precision_at"]["100"] == pytest.approx(0.07)
    assert document["image_to_text"]["precision_at"]["100"] == pytest.approx(0.14)


def test_several_label_files_models_and_cutoffs(
    models: FakeModels, dataset: Path, by_class: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    halves = labels_file(tmp_path, "halves.json", lambda number: (number % 2,) if number % 3 else ())
    documents = run_json(
        capsys, dataset, "-m", "codes", *AGAINST_TRAIN, "--labels", by_class, "--labels", halves,
        "--at", "3", "--precision-at", "2,5", "--normaliser", "possible",
    )  # fmt: skip
    assert [document["labels"] for document in documents] == [str(by_class), str(halves)]
    assert models.encoders["codes"].n_batches == -(-N_VAL // 16) + 1 + -(-N_TRAIN // 16) + 2  # encoded once
    second = documents[1]
    assert second["n_queries_skipped"] == 4 + 4 * PER  # photos without a class, and their sentences
    across = second["image_to_text"]
    assert across["n_queries_skipped"] == 4  # type: ignore[index]
    assert list(across["precision_at"]) == ["2", "5"]  # type: ignore[index]
    assert across["map_all_queries"] == pytest.approx(across["map"] * 8 / 12)  # type: ignore[index]
    assert second["map_at_normaliser"] == "possible"


def test_a_split_that_searches_itself(
    models: FakeModels, dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each photo shares its label with one other, which the model puts last: finding itself would be 1 of 2."""
    pairs = labels_file(tmp_path, "pairs.json", lambda number: (number // 2,))
    (document,) = run_json(capsys, dataset, "-m", "codes", "--split", "val", "--labels", pairs, "--precision-at", "1")
    assert (document["gallery"], document["gallery_split"]) == ("numbers", "val")
    assert document["image_to_image"]["precision_at"]["1"] == 0.0  # type: ignore[index]
    # A sentence may find the other sentence of its photo, and a photo its own sentences.
    assert document["text_to_text"]["precision_at"]["1"] > 0.0  # type: ignore[index]
    assert "12 query photos are in the gallery, too" in document["notes"][0]  # type: ignore[index]


def test_presets_divide_the_whole_file(
    models: FakeModels, dataset: Path, by_class: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    from explorer.evaluation import hashing_presets
    from explorer.evaluation.hashing_presets import HashingPreset

    small = HashingPreset("small", ("numbers",), 10, 20, seed=8, n_items=41)
    monkeypatch.setitem(hashing_presets.PRESETS, "small", small)
    (document,) = run_json(capsys, dataset, "-m", "codes", "--preset", "small", "--labels", by_class)
    assert (document["preset"], document["split"], document["gallery_split"]) == ("small", "queries", "database")
    assert document["image_to_image"]["n_queries"] == 10  # type: ignore[index]
    assert any("small has 41 items and this data set 40" in note for note in document["notes"])  # type: ignore[union-attr]
    assert any("here each of its sentences is one" in note for note in document["notes"])  # type: ignore[union-attr]
    assert not any("in the gallery, too" in note for note in document["notes"])  # type: ignore[union-attr]


def test_embeddings_become_codes(
    models: FakeModels, dataset: Path, by_class: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    documents = run_json(
        capsys, dataset, "-m", "codes", "-m", "reals", *AGAINST_TRAIN, "--labels", by_class,
        "--binarise", "lsh,itq", "--bits", "8,24",
    )  # fmt: skip
    assert [(d["model"], d.get("binarised"), d["n_bits"]) for d in documents] == [
        ("codes", None, 16), ("reals", "lsh", 8), ("reals", "lsh", 24), ("reals", "itq", 8), ("reals", "itq", 24),
    ]  # fmt: skip
    assert documents[2]["text_to_image"]["map_tie_aware"] > 0.9  # type: ignore[index]
    assert documents[4]["text_to_image"]["map_tie_aware"] > 0.9  # type: ignore[index]


def test_table_curves_and_figure(
    models: FakeModels, dataset: Path, by_class: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written, drawn = tmp_path / "curves.csv", tmp_path / "curves.png"
    arguments = ("-m", "codes", *AGAINST_TRAIN, "--labels", by_class, "--csv", written, "--figure", drawn)
    assert run_command(call(dataset, *arguments)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"numbers val against numbers train, hashing, labels: {by_class}"
    assert lines[2].startswith("12 photos and 24 sentences search 28 photos and 56 sentences.")
    assert [line for line in lines if line.startswith("| text to image | codes | 16 | 1.000 | 1.000 | 1.000 |")]
    assert sum("| random codes | 16 | 0." in line for line in lines) == len(DIRECTIONS)
    assert lines[-1] == "codes was trained on: CODES: 7 photos"
    rows = list(csv.DictReader(written.read_text().splitlines()))
    assert [(row["direction"], int(row["radius"])) for row in rows] == [(d, r) for d in DIRECTIONS for r in range(17)]
    assert float(rows[0]["precision"]) == float(rows[0]["recall"]) == 1.0  # a code for each class
    assert float(rows[16]["precision"]) == 0.25
    with Image.open(drawn) as figure:
        assert abs(figure.width - 180 / 25.4 * 300) < 1


def test_labels_that_all_items_share_say_so(
    models: FakeModels, dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    everything = labels_file(tmp_path, "all.json", lambda number: (1, 2 + number))
    arguments = ("-m", "codes", *AGAINST_TRAIN, "--labels", everything)
    (document,) = run_json(capsys, dataset, *arguments, "--precision-at", "28")
    assert document["image_to_text"]["map"] == document["image_to_text"]["random"] == 1.0  # type: ignore[index]
    notes = ["Every item answers every query: random codes score the same as any others, 1."]
    assert document["notes"] == notes
    (document,) = run_json(capsys, dataset, *arguments, "--precision-at", "28,29")
    small = "A gallery has only 28 items: precision@29 counts the places that it lacks as wrong."
    assert document["notes"] == [small, *notes]


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        (("-m", "codes"), ConfigError, r"needs labels.*--labels labels\.json"),
        (("-m", "codes", "--labels", "nowhere.json"), DatasetError, r"nowhere\.json cannot be read"),
        (("-m", "codes", "--labels", "few.json"), DatasetError, r"do not speak of 7 of 28 items \(33\.png, 34\.png"),
        (("-m", "codes", "--labels", "alone.json"), DatasetError, "no query shares a label.*all 12 queries"),
        (("-m", "codes", "--labels", "none.json"), DatasetError, "no query shares a label with any item"),
        (("-m", "reals", "--labels", "fine.json"), ConfigError, "reals makes real embeddings.*--binarise itq --bits"),
        (("-m", "vision", "--labels", "fine.json"), ConfigError, "vision makes neither codes nor embeddings"),
        (("-m", "codes", "--labels", "fine.json", "--binarise", "lsh"), ConfigError, "codes makes codes itself"),
        (
            ("-m", "reals", "--labels", "fine.json", "--binarise", "itq", "--bits", "32"), ConfigError,
            "ITQ makes at most as many bits.*reals has 24, not 32",
        ),
        (("-m", "codes", "--labels", "fine.json", "--preset", "coco"), ConfigError, "no preset 'coco'"),
        (("-m", "codes", "--labels", "fine.json", "--figure", "x.gif"), ConfigError, r"x\.gif is no name for a figure"),
        (("-m", "codes", "--labels", "fine.json", "--figure", "no/folder/x.svg"), ConfigError, "There is no folder"),
    ],
)  # fmt: skip
def test_bad_calls_are_refused_before_anything_is_encoded(
    models: FakeModels, dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...], error: type[UserFacingError], says: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    labels_file(tmp_path, "fine.json", lambda number: (number % CLASSES,))
    labels_file(tmp_path, "few.json", lambda number: (number % CLASSES,), n=33)
    labels_file(tmp_path, "alone.json", lambda number: (number,))
    labels_file(tmp_path, "none.json", lambda _: ())
    with pytest.raises(error, match=says):
        run_command(call(dataset, *(AGAINST_TRAIN if "--preset" not in arguments else ()), *arguments))
    assert not models.n_batches


def test_a_preset_that_is_too_large_is_refused(models: FakeModels, dataset: Path, by_class: Path) -> None:
    with pytest.raises(DatasetError, match=r"coco-5000 needs at least 15,000 items.*has 40"):
        run_command(call(dataset, "-m", "codes", "--preset", "coco-5000", "--labels", by_class))
    with pytest.raises(DatasetError, match="is a folder, and a preset divides"):
        run_command(call(dataset.parent, "-m", "codes", "--preset", "coco-5000", "--labels", by_class))
    assert not models.n_batches


@pytest.mark.parametrize(
    "arguments",
    [
        ("--ensemble",), ("--folds", "2"), ("--ties", "mean"), ("--timing",), ("--eccv", "x"), ("--features", "x=y"),
        ("--dataset", "x"), ("--images", "x", "--images", "y"), ("--preset", "coco-5000", "--gallery-split", "train"),
        ("--bits", "64"), ("--binarise", "pca"), ("--binarise", "lsh", "--bits", "12"), ("--at", "0"), ("--at", "x"),
        ("--precision-at", "1,,2"), ("--normaliser", "all"),
    ],
)  # fmt: skip
def test_a_wrong_call_has_status_2(
    models: FakeModels, dataset: Path, by_class: Path, arguments: tuple[str, ...]
) -> None:
    assert run_command(call(dataset, "-m", "codes", "--labels", by_class, *arguments)) == 2


def test_options_of_hashing_do_not_belong_to_other_protocols(
    dataset: Path, by_class: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["evaluate", "--dataset", str(dataset), "--labels", str(by_class)]) == 2
    assert "--labels does not belong to the protocol image-sentence" in " ".join(capsys.readouterr().err.split())


def test_ctrl_c_ends_in_a_sentence(
    models: FakeModels, dataset: Path, by_class: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    models.encoders["codes"].on_batch = lambda: os.kill(os.getpid(), signal.SIGINT)
    with pytest.raises(UserFacingError, match="Stopped; nothing was measured to its end"):
        run_command(call(dataset, "-m", "codes", *AGAINST_TRAIN, "--labels", by_class, "--json"))
    assert capsys.readouterr().out == ""
    assert models.n_batches == 1
