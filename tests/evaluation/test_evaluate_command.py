"""``evaluate`` from the command line down, with small models whose answers are known."""

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

from explorer.cancellation import CancellationToken, Cancelled
from explorer.cli import run_command
from explorer.engine import evaluating, speed
from explorer.engine.evaluating import Evaluation, evaluate_models
from explorer.errors import ConfigError, DatasetError, PackageError, UserFacingError
from explorer.evaluation.judgements import ECCV_FILES, SENTENCE_IDS_FILE
from explorer.evaluation.protocols import PROTOCOLS
from explorer.representations import BinaryCodes, Embeddings, Modality

N, PER, DIM = 20, 5, 6


class NumberEncoder:
    """Reads the number of a photo from its grey, and of a sentence from its last word; errs where it is told to."""

    modalities = frozenset({Modality.TEXT, Modality.IMAGE})
    side_px = 8
    dim = N
    overlays = ()
    device = "CPU"

    def __init__(self, name: str, wrong: Sequence[int] = (), on_batch: Callable[[], None] = lambda: None) -> None:
        self.name, self.model_id = name, f"{name}@0"
        self.wrong, self.on_batch = wrong, on_batch
        self.batches: list[int] = []

    def encode_texts(self, texts: Sequence[str]) -> Embeddings | BinaryCodes:
        numbers = [int(text.split()[-1]) for text in texts]
        errs = np.isin(numbers, list(self.wrong))
        embeddings = self._one_hot(np.where(errs, (np.array(numbers) + 1) % N, numbers)).values
        return Embeddings(np.where(errs[:, None], np.float32(0.6), np.float32(1)) * embeddings)  # half-heartedly

    def encode_images(self, squares: np.ndarray) -> Embeddings | BinaryCodes:
        return self._seen(np.rint(squares.mean(axis=(1, 2, 3)) / 10).astype(np.int64))

    def _seen(self, numbers: np.ndarray) -> Embeddings:
        self.batches.append(len(numbers))
        self.on_batch()
        return self._one_hot(numbers)

    def _one_hot(self, numbers: np.ndarray) -> Embeddings:
        # Beside the one number a weak hint at all others, in a fixed order: nothing but the wrong is tied.
        hint = np.tile(np.linspace(0.01, 0.02, N, dtype=np.float32), (len(numbers), 1))
        return Embeddings(np.eye(N, dtype=np.float32)[numbers] + hint)


class FeatureEncoder(NumberEncoder):
    """Reads the number from the first region's first feature instead, and no photos."""

    def encode_images(self, squares: np.ndarray) -> Embeddings:
        raise PackageError(f"{self.name} reads features, not photos.")

    def encode_features(self, regions: np.ndarray, lengths: np.ndarray, *extras: np.ndarray | None) -> Embeddings:
        assert regions.dtype == np.float32
        assert (lengths == 3).all()
        assert extras == (None, None, None)
        return self._seen(np.rint(regions[:, 0, 0]).astype(np.int64))


class FakeModels:
    def __init__(self, encoders: dict[str, NumberEncoder], kinds: dict[str, str]) -> None:
        self.encoders, self.kinds = encoders, kinds
        self.loaded: list[str] = []

    def package(self, name: str) -> SimpleNamespace:
        if name not in self.encoders:
            raise PackageError(f"There is no model called {name}.")
        manifest = SimpleNamespace(output=SimpleNamespace(kind=self.kinds.get(name, "embedding")), title=name.upper())
        return SimpleNamespace(name=name, manifest=manifest, card=f"# {name}\n\nTrained on 7 `photos`; and so on.")

    def get(self, name: str) -> NumberEncoder:
        self.loaded.append(name)
        return self.encoders[name]


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch) -> FakeModels:
    """ "right" errs never, "a" on five photos' sentences, "b" on five others, "codes" makes codes."""
    encoders = {
        "right": NumberEncoder("right"),
        "a": NumberEncoder("a", wrong=range(5)),
        "b": NumberEncoder("b", wrong=range(10, 15)),
        "codes": NumberEncoder("codes"),
        "features": FeatureEncoder("features"),
    }
    fake = FakeModels(encoders, {"codes": "code"})
    monkeypatch.setattr(evaluating, "LoadedModels", lambda *_args, **_options: fake)
    monkeypatch.setattr(speed, "LoadedModels", lambda *_args, **_options: fake)
    return fake


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """A Karpathy json of grey photos with COCO's kind of ids."""
    (tmp_path / "images").mkdir()
    images = []
    for number in range(N):
        name = f"{number}.png"
        Image.fromarray(np.full((9, 12, 3), 10 * number, np.uint8)).save(tmp_path / "images" / name)
        sentences = [{"raw": f"{word} {number}", "sentid": 1000 + PER * number + n} for n, word in enumerate("vwxyz")]
        images.append({"filename": name, "split": "val", "cocoid": 500 + number, "sentences": sentences})
        images.append({"filename": name, "split": "test", "cocoid": 500 + number, "sentences": sentences})
    path = tmp_path / "dataset_numbers.json"
    path.write_text(json.dumps({"dataset": "numbers", "images": images}))
    return path


@pytest.fixture
def feature_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "numbers_precomp"
    folder.mkdir()
    regions = np.random.default_rng(0).standard_normal((N, 3, DIM)).astype(np.float32)
    regions[:, 0, 0] = np.arange(N)
    np.save(folder / "test_ims.npy", regions)
    lines = [f"Straße {word} {number}" for number in range(N) for word in "vwxyz"]
    (folder / "test_caps.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "test_ids.txt").write_text("\n".join(str(500 + number) for number in range(N)) + "\n")
    return folder


def run_json(capsys: pytest.CaptureFixture[str], *arguments: object) -> list[dict[str, object]]:
    assert run_command(["evaluate", *map(str, arguments), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    return document if isinstance(document, list) else [document]


def test_plain_call_gives_one_document(
    models: FakeModels, dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["evaluate", "--dataset", str(dataset), "--model", "right", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["model"], document["dataset"], document["split"]) == ("right", "numbers", "val")
    assert document["protocol"] == "image-sentence"
    assert document["rsum"] == 600
    assert document["trained_on"] == "RIGHT: 7 photos"


def test_ensemble_beside_its_members(models: FakeModels, dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b, both = run_json(capsys, "--dataset", dataset, "-m", "a", "-m", "b", "--ensemble")
    assert (both["model"], both["members"]) == ("a + b", ["a", "b"])
    # Where one errs, half-heartedly, the other is right and sure.
    assert a["text_to_image"]["r1"] == b["text_to_image"]["r1"] == 75  # type: ignore[index]
    assert both["rsum"] == 600
    margin = both["margin"]
    assert a["rsum"] < b["rsum"]  # type: ignore[operator]
    assert margin["over"] == "b"  # type: ignore[index]
    assert margin["difference"] == pytest.approx(both["rsum"] - b["rsum"])  # type: ignore[index,operator]
    assert 0 < margin["low"] <= margin["difference"] <= margin["high"]  # type: ignore[index]


def test_folds_presets_and_csv(
    models: FakeModels, dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (report,) = run_json(capsys, "--dataset", dataset, "-m", "right", "--protocol", "coco-1k")
    assert report["split"] == "test"  # the protocol's own
    assert report["protocol"] == "coco-1k, reduced to 5 folds of 4 photos"
    assert len(report["folds"]) == 5  # type: ignore[arg-type]
    written = tmp_path / "numbers.csv"
    (report,) = run_json(capsys, "--dataset", dataset, "-m", "a", "--folds", 4, "--csv", written)
    rows = list(csv.DictReader(written.read_text().splitlines()))
    assert [row["part"] for row in rows if row["ties"] == "pessimistic"] == ["mean of folds", *(
        f"fold {number}" for number in (1, 2, 3, 4)
    )]  # fmt: skip
    assert float(rows[0]["rsum"]) == report["rsum"]


def test_several_data_sets_and_models(
    models: FakeModels, dataset: Path, feature_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = dataset.with_name("other.json")
    other.write_text(dataset.read_text().replace('"numbers"', '"other"'))
    reports = run_json(capsys, "--dataset", dataset, "--dataset", other, "-m", "right", "-m", "a")
    assert [(r["dataset"], r["model"]) for r in reports] == [
        ("numbers", "right"), ("numbers", "a"), ("other", "right"), ("other", "a"),
    ]  # fmt: skip


def test_markdown_and_timing(models: FakeModels, dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["evaluate", "--dataset", str(dataset), "-m", "right", "--timing", "--ties", "mean"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("numbers val, image-sentence\n")
    assert "| right | 20 x 20 |" in said.out
    assert "RIGHT: 7 photos" in said.out


def test_feature_folder(models: FakeModels, feature_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (report,) = run_json(capsys, "--dataset", feature_folder, "--split", "test", "-m", "features")
    assert (report["dataset"], report["rsum"], report["n_sentences"]) == ("numbers_precomp", 600, N * PER)
    assert models.encoders["features"].batches == [16, 4]


def test_each_member_may_read_features_of_its_own(
    models: FakeModels, dataset: Path, feature_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (feature_folder / "test_caps.txt").write_text(
        "\n".join(f"{word.upper()}  {number}" for number in range(N) for word in "vwxyz")
    )
    call = ("--dataset", dataset, "--split", "test", "-m", "a", "-m", "features", "--ensemble")
    a, features, both = run_json(capsys, *call, "--features", f"features={feature_folder}")
    assert features["rsum"] == 600
    assert features["notes"] == ["features read the features of numbers_precomp."]
    assert "notes" not in a
    assert (both["model"], both["dataset"]) == ("a + features", "numbers")
    assert both["trained_on"] == "A: 7 photos; FEATURES: 7 photos"
    models.encoders["a"].batches.clear()
    models.encoders["features"].batches.clear()
    for lines, says in (
        (N * PER - PER, "numbers test has 20 photos and numbers_precomp test 19"),
        (N * PER, "sentences of photo 0 are others in numbers_precomp test than in numbers test"),
    ):
        (feature_folder / "test_caps.txt").write_text("one sentence 0\n" * lines)
        np.save(feature_folder / "test_ims.npy", np.zeros((lines // PER, 3, DIM), np.float32))
        (feature_folder / "test_ids.txt").unlink(missing_ok=True)
        with pytest.raises(DatasetError, match=says):
            run_command(["evaluate", *map(str, call), "--features", f"features={feature_folder}"])
    assert not models.encoders["a"].batches + models.encoders["features"].batches


def test_eccv(
    models: FakeModels, dataset: Path, feature_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = tmp_path / "eccv"
    truth.mkdir()
    # Photo 3 has its own five sentences and one of photo 4; sentence 1015 (of photo 3) has its photo and photo 4.
    (truth / ECCV_FILES[0]).write_text(json.dumps({"503": [1015, 1016, 1017, 1018, 1019, 1020]}))
    (truth / ECCV_FILES[1]).write_text(json.dumps({"1015": [503, 504]}))
    (report,) = run_json(capsys, "--dataset", dataset, "-m", "right", "--eccv", truth)
    eccv = report["eccv"]
    assert eccv["image_to_text"]["map_at_r"] == pytest.approx(100 * 5 / 6)  # type: ignore[index]
    assert eccv["text_to_image"] == {"map_at_r": 50, "r_precision": 50, "r1": 100, "n_queries": 1}  # type: ignore[index]
    assert "cxc" not in report
    # Feature folders have no sentence ids: they are read beside the judgements.
    np.save(truth / SENTENCE_IDS_FILE, np.arange(1000, 1000 + N * PER))
    (same,) = run_json(capsys, "--dataset", feature_folder, "--split", "test", "-m", "features", "--eccv", truth)
    assert same["eccv"] == eccv


def evaluation(dataset: Path, *names: str, split: str = "val") -> Evaluation:
    return Evaluation(models=names, datasets=(dataset,), protocol=PROTOCOLS["image-sentence"], split=split)


@pytest.mark.parametrize("kind", ["photos", "features"])
def test_a_stop_is_seen_after_the_batch_under_way(
    models: FakeModels, dataset: Path, feature_folder: Path, kind: str
) -> None:
    token = CancellationToken()
    name, source, split = {"photos": ("right", dataset, "val"), "features": ("features", feature_folder, "test")}[kind]
    models.encoders[name].on_batch = token.cancel
    heard: list[tuple[int, int]] = []
    with pytest.raises(Cancelled):
        evaluate_models(
            evaluation(source, name, split=split),
            model_folders=(),
            device="cpu",
            token=token,
            on_progress=lambda _name, done, total: heard.append((done, total)),
        )
    assert models.encoders[name].batches == [16]
    assert heard == [(0, N + N * PER), (16, N + N * PER)]


def test_ctrl_c_ends_in_a_sentence(models: FakeModels, dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    models.encoders["right"].on_batch = lambda: os.kill(os.getpid(), signal.SIGINT)
    with pytest.raises(UserFacingError, match="Stopped; nothing was measured to its end"):
        run_command(["evaluate", "--dataset", str(dataset), "-m", "right", "--json"])
    assert capsys.readouterr().out == ""
    assert models.encoders["right"].batches == [16]


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        (("-m", "right", "--protocol", "coco-9k"), ConfigError, "no protocol 'coco-9k'.*coco-1k"),
        (("-m", "right", "--protocol", "coco-1k", "--folds", "4"), ConfigError, "coco-1k has 5 folds, not 4"),
        (("-m", "right", "--folds", "3"), ConfigError, "20 photos cannot be cut into 3 folds.*2, 4, 5, 10"),
        (("-m", "right", "--split", "testall"), DatasetError, "no split called 'testall'.*test, val"),
        (("-m", "nobody",), PackageError, "no model called nobody"),
        (("-m", "right", "-m", "codes", "--ensemble"), ConfigError, "needs real embeddings, and codes makes binary"),
        (("-m", "right", "--eccv", "nowhere"), DatasetError, r"eccv_image_to_caption\.json cannot be read"),
        (("-m", "right", "--csv", "no/such/folder/x.csv"), ConfigError, r"no folder .*to write x\.csv to"),
        (("-m", "features"), PackageError, "reads features, not photos"),
    ],
)
def test_bad_calls_are_refused_before_anything_is_encoded(
    models: FakeModels, dataset: Path, arguments: tuple[str, ...], error: type[UserFacingError], says: str
) -> None:
    with pytest.raises(error, match=says):
        run_command(["evaluate", "--dataset", str(dataset), *arguments])
    assert not any(encoder.batches for encoder in models.encoders.values())


def test_judgements_of_other_data_are_refused_before_anything_is_encoded(
    models: FakeModels, dataset: Path, tmp_path: Path
) -> None:
    for name, content in zip(ECCV_FILES, ('{"391895": [770337]}', '{"770337": [391895]}'), strict=True):
        (tmp_path / name).write_text(content)
    with pytest.raises(DatasetError, match=r"1 of 1 photos that ECCV Caption judges are not in this split"):
        run_command(["evaluate", "--dataset", str(dataset), "-m", "right", "--eccv", str(tmp_path)])
    assert not models.loaded


def test_models_of_photos_and_of_features_do_not_mix(models: FakeModels, feature_folder: Path, tmp_path: Path) -> None:
    call = ["evaluate", "--split", "test", "-m", "features", "-m", "right", "--ensemble", "--dataset"]
    with pytest.raises(ConfigError, match="right reads photos, but numbers_precomp is a folder of feature files"):
        run_command([*call, str(feature_folder)])
    assert not models.encoders["features"].batches
    with pytest.raises(DatasetError, match=r"holds no feature files: none is called like test_caps\.txt"):
        run_command([*call, str(tmp_path)])


@pytest.mark.parametrize(
    "arguments",
    [("--folds", "0"), ("--ties", "best"), ("-m", "a", "--ensemble"), ("-m", "a", "-m", "a", "--ensemble"),
     ("--images", "x", "--images", "y"), ("-m", "a", "--features", "x"), ("-m", "a", "--features", "b=x")],
)  # fmt: skip
def test_a_wrong_call_has_status_2(models: FakeModels, dataset: Path, arguments: tuple[str, ...]) -> None:
    assert run_command(["evaluate", "--dataset", str(dataset), *arguments]) == 2


def test_speed_command(models: FakeModels, dataset: Path, tmp_path: Path) -> None:
    written = tmp_path / "speed.json"
    call = ["--model", "right", "--dataset", str(dataset), "--items", "10", "50", "--queries", "7", "-o", str(written)]
    assert speed.main([*call, "--photos", "12"]) == 0
    document = json.loads(written.read_text())
    assert [size["n_items"] for size in document["sizes"]] == [10, 50]
    assert document["growth"][1]["items"] == 5
    assert document["sizes"][0]["n_queries"] == 7
    assert document["n_photos"] == 12
    assert "repeated with noise" in document["gallery"]
    assert models.encoders["right"].batches == [12]


def test_speed_command_refuses_in_a_sentence(
    models: FakeModels, dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = ["--model", "right", "--dataset", str(dataset)]
    for arguments, says in (
        (("--items", "0"), "must be 1 or more"),
        (("--split", "nope"), "no split called 'nope'"),
        (("-o", "no/such/folder/x.json"), "There is no folder"),
    ):
        assert speed.main([*call, *arguments]) == 1
        assert says in capsys.readouterr().err
