"""Measuring models on a recipe's validation split: the same photos and sentences for all, and nobody waits long."""

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from explorer import protocol
from explorer.cancellation import CancellationToken, Cancelled
from explorer.datasets.karpathy import read_karpathy
from explorer.datasets.labels import LabelFile, read_labels, write_labels
from explorer.engine.engine import Engine
from explorer.engine.telling import told
from explorer.evaluation.encoding import encode_split
from explorer.evaluation.hashing_pairs import labels_from_file, own_rows
from explorer.evaluation.hashing_protocol import CodedSplit, measure_directions
from explorer.evaluation.protocols import evaluate_image_sentence
from explorer.protocol import Answer, ModelsEvaluated, Progress
from explorer.runs.folder import create_run
from explorer.training.snapshot import write_snapshot

IMAGE_TO_TEXT, TEXT_TO_IMAGE = "image to text", "text to image"
COLOURS = {"red": (200, 10, 10), "green": (10, 200, 10), "blue": (10, 10, 200), "red green": (200, 200, 10),
           "green blue": (10, 200, 200), "white": (220, 220, 220)}
N_VAL = 6
RECIPE = 'task = "image-sentence"\nname = "x"\n[dataset]\nannotations = "said.json"\n'
HASHING = 'task = "dsmhn"\nname = "x"\n[dataset]\nannotations = "said.json"\n[labels]\nfile = "labels.json"\n'


@pytest.fixture
def dataset(tmp_path: Path, make_photo: Callable[..., Path]) -> Path:
    """A folder with photos of known colours, two sentences each (one of them wrong for two), labels and a json."""
    folder = tmp_path / "data"
    images, items = [], {}
    for number, (name, colour) in enumerate([*COLOURS.items(), *COLOURS.items()]):
        make_photo(folder / "images" / f"{number}.png", colour)
        second = "a blue wall" if number in (1, 2) else f"the {name} one"
        images.append({"filename": f"{number}.png", "split": "val" if number < N_VAL else "train",
                       "sentences": [{"raw": f"a {name} wall"}, {"raw": second}]})
        items[f"{number}.png"] = (number % 3,)
    (folder / "said.json").write_text(json.dumps({"dataset": "walls", "images": images}))
    write_labels(folder / "labels.json", LabelFile(("one", "two", "three"), items))
    return folder


def ask(engine: Engine, models: tuple[str, ...], content: str, folder: Path, token: CancellationToken | None = None
        ) -> list[Answer]:
    request = protocol.EvaluateModels(id=3, models=models, content=content.encode(), folder=os.fsencode(folder))
    return list(engine.answer(request, token))


def measured(engine: Engine, models: tuple[str, ...], content: str, folder: Path) -> ModelsEvaluated:
    *said, last = ask(engine, models, content, folder)
    assert isinstance(last, ModelsEvaluated), last
    assert all(isinstance(answer, Progress) and answer.stage == "measuring" for answer in said)
    return last


def test_recall_is_what_the_protocol_of_pairs_says(engine: Engine, dataset: Path) -> None:
    answer = measured(engine, ("colours",), RECIPE, dataset)
    (score,) = answer.scores
    split = read_karpathy(dataset / "said.json", split="val")
    report = evaluate_image_sentence(engine.opened.models.get("colours"), split)
    # Two sentences say the same: equal scores share their places.
    assert report.other_ties is not None
    expected = {f"{name} R@{k}": getattr(recall, f"r{k}")
                for name, recall in ((IMAGE_TO_TEXT, report.other_ties.image_to_text),
                                     (TEXT_TO_IMAGE, report.other_ties.text_to_image)) for k in (1, 5, 10)}
    assert score.metrics == pytest.approx({**expected, "rSum": report.other_ties.rsum})
    assert 80 < score.metrics["image to text R@1"] <= 100
    assert "6 photos and 12 sentences of walls, split val" in answer.measured_on


def test_codes_have_recall_and_with_labels_the_mean_precision_of_the_hashing_protocol(
    engine: Engine, dataset: Path
) -> None:
    answer = measured(engine, ("colour-bits", "colours"), HASHING, dataset)
    codes, reals = answer.scores
    split = read_karpathy(dataset / "said.json", split="val")
    coded = CodedSplit.of(encode_split(engine.opened.models.get("colour-bits"), split))
    labels = labels_from_file("labels", read_labels(dataset / "labels.json"), split, split)
    directions = measure_directions(coded, coded, labels, own_rows(split, split))
    for name, key in ((IMAGE_TO_TEXT, "image_to_text"), (TEXT_TO_IMAGE, "text_to_image")):
        assert codes.metrics[f"{name} mAP"] == pytest.approx(100 * directions[key].map_tie_aware)
    assert 0 < codes.metrics["rSum"] <= 600
    assert not any("mAP" in key for key in reals.metrics)
    assert "3 labels" in answer.measured_on
    without = measured(engine, ("colour-bits",), RECIPE, dataset)
    assert not any("mAP" in key for key in without.scores[0].metrics)
    assert "mAP" not in without.measured_on


def test_one_colour_for_all_is_told_by_no_code(engine: Engine, dataset: Path, make_photo: Callable[..., Path]) -> None:
    for number in range(N_VAL):
        make_photo(dataset / "images" / f"{number}.png", (90, 90, 90))
    (score,) = measured(engine, ("colour-bits",), RECIPE, dataset).scores
    assert score.metrics["text to image R@1"] < 40  # shared places; nothing is first by chance of its number


def test_models_that_cannot_be_measured_say_why_and_the_others_are(engine: Engine, dataset: Path) -> None:
    answer = measured(engine, ("colour-clips", "nobody", "colours"), RECIPE, dataset)
    assert [score.model for score in answer.scores] == ["colour-clips", "nobody", "colours"]
    assert [bool(score.problem) for score in answer.scores] == [True, True, False]
    assert answer.scores[0].problem == "colour-clips reads no photos."
    assert "no model called nobody" in answer.scores[1].problem


def test_progress_counts_all_models_and_each_photo_is_encoded_once(engine: Engine, dataset: Path) -> None:
    said = [answer for answer in ask(engine, ("colours", "colour-bits"), RECIPE, dataset)
            if isinstance(answer, Progress)]
    counts = [progress.n_done for progress in said]
    assert counts == sorted(counts)
    assert said[-1].n_done == said[-1].n_total == 2 * (N_VAL + 2 * N_VAL)
    assert said[-1].current == "colour-bits"
    assert engine.opened.models.get("colours").n_images == 2 * N_VAL  # colour-bits looks through the same eyes


def test_a_photo_that_cannot_be_read_is_no_fault_of_any_model(engine: Engine, dataset: Path) -> None:
    (dataset / "images" / "3.png").write_bytes(b"nothing")
    *_, last = ask(engine, ("colours",), RECIPE, dataset)
    assert isinstance(last, protocol.Failed)
    assert "3.png cannot be read" in last.message


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (RECIPE.replace("said", "unsaid"), "unsaid.json"),
        (RECIPE + 'val_split = "holidays"\n', "no split called 'holidays'"),
        (RECIPE + "colour = 3\n", "unknown key"),
    ],
)
def test_data_that_is_not_there_is_said(engine: Engine, dataset: Path, content: str, says: str) -> None:
    (last,) = ask(engine, ("colours",), content, dataset)
    assert isinstance(last, protocol.Failed)
    assert says in last.message
    assert not last.details


def test_a_runs_own_photos_count_whatever_became_of_the_data(engine: Engine, dataset: Path, tmp_path: Path) -> None:
    run = create_run(tmp_path / "runs", "x", HASHING.encode(), task="dsmhn", title="X", recipe_folder=dataset)
    # Nothing was taken yet: the recipe's data, from where its relative paths begin.
    before = measured(engine, ("colour-bits",), HASHING, run.path)
    train, val = (read_karpathy(dataset / "said.json", split=name) for name in ("train", "val"))
    kept = LabelFile(("same",), {path.as_posix(): (0,) for path in (*train.image_paths, *val.image_paths)})
    write_snapshot(run.path, (train, val.at([0, 1, 2, 3], split="val")), kept)
    (dataset / "said.json").unlink()
    (dataset / "labels.json").unlink()
    after = measured(engine, ("colour-bits",), HASHING, run.path)
    assert "6 photos" in before.measured_on
    assert "4 photos" in after.measured_on
    assert "1 labels" in after.measured_on
    assert after.scores[0].metrics["image to text mAP"] == pytest.approx(100.0)  # all share the one label


def test_a_data_set_of_its_own_name_beside_a_recipe_is_no_runs(engine: Engine, dataset: Path) -> None:
    (dataset / "said.json").rename(dataset / "dataset.json")
    answer = measured(engine, ("colours",), RECIPE.replace("said", "dataset"), dataset)
    assert "6 photos" in answer.measured_on


def test_a_librarys_photos_can_be_measured_on(engine: Engine, dataset: Path, tmp_path: Path) -> None:
    library = tmp_path / "library"
    for request in (
        protocol.OpenLibrary(id=1, path=os.fsencode(library)),
        protocol.IndexFolders(id=1, folders=(os.fsencode(dataset / "images"),), model="colours"),
        protocol.AddCaptions(id=1, path=os.fsencode(dataset / "said.json")),
    ):
        *_, last = engine.answer(request)
        assert not isinstance(last, protocol.Failed), last
    content = f'task = "pooled"\nname = "x"\n[dataset]\nlibrary = {json.dumps(str(library))}\nval_share = 0.25\n'
    answer = measured(engine, ("colours",), content, tmp_path)
    assert "3 photos and 6 sentences of library" in answer.measured_on
    assert answer.scores[0].metrics["text to image R@10"] == 100.0


def test_rendered_scenes_are_clips_for_every_model_that_sees_any(engine: Engine, tmp_path: Path) -> None:
    content = 'task = "scenes"\nname = "x"\n[scenes]\nn_val = 4\n'
    answer = measured(engine, ("colour-motion", "colours", "colour-bits"), content, tmp_path)
    assert "4 clips and 20 sentences of rendered scenes" in answer.measured_on
    assert "shares all labels" in answer.measured_on
    assert not any(score.problem for score in answer.scores)
    assert {"video to text R@1", "text to video R@10", "rSum"} <= set(answer.scores[0].metrics)
    assert answer.scores[0].metrics["text to video R@10"] == 100.0
    assert "video to text mAP" in answer.scores[2].metrics
    assert list(tmp_path.iterdir()) == []


# --- stopping -------------------------------------------------------------------------------------------------------


def test_a_stop_ends_it_between_batches(colour_model: ModuleType, dataset: Path) -> None:
    engine, token = colour_model.colour_engine(slow_s=0.05), CancellationToken()
    answers = engine.answer(
        protocol.EvaluateModels(id=3, models=("colours",) * 50, content=RECIPE.encode(), folder=os.fsencode(dataset)),
        token,
    )
    assert isinstance(next(answers), Progress)
    token.cancel()
    assert list(answers)[-1] == protocol.Cancelled(id=3)
    assert engine.opened.models.get("colours").n_images < 50 * N_VAL
    engine.close()


def test_work_that_does_not_look_is_left_alone() -> None:
    token, done = CancellationToken(), []

    def sleep(tell: Callable[[str, int, int], None]) -> None:
        tell("sleeping", 1, 2)
        while not done:
            time.sleep(0.01)

    steps = told(sleep, token)
    assert next(steps) == ("sleeping", 1, 2)
    token.cancel()
    with pytest.raises(Cancelled):
        next(steps)
    done.append(True)


def test_what_work_raises_and_returns_arrives() -> None:
    def count(tell: Callable[[str, int, int], None]) -> int:
        tell("one", 1, 2)
        tell("two", 2, 2)
        return 7

    def fail(_tell: Callable[[str, int, int], None]) -> None:
        raise ZeroDivisionError("no")

    returned = []

    def follow() -> Iterator[tuple[str, int, int]]:
        returned.append((yield from told(count, CancellationToken())))

    assert list(follow()) == [("one", 1, 2), ("two", 2, 2)]
    assert returned == [7]
    with pytest.raises(ZeroDivisionError):
        next(told(fail, CancellationToken()))
