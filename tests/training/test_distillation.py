"""Distillation: the teachers' answers, the targets, the loss, and the run."""

import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from explorer.cancellation import CancellationToken, Cancelled
from explorer.errors import ConfigError, DatasetError
from explorer.protocol.runs import EpochFinished, Finished, PhaseStarted, Progressed, Saved, Stepped
from explorer.training import distillation
from explorer.training.distillation import DistillationConfig, data_folder, distil_vision, read_distillation_config
from explorer.training.distillation_set import CLASS_NAMES, MASK_OF_THING, Part, nearest, truth_part
from explorer.training.distillation_targets import (
    Targets,
    TeacherBlend,
    box_coverage,
    targets_from_teachers,
    targets_from_truth,
)
from explorer.training.distillation_training import (
    Examples,
    LearningConfig,
    distillation_loss,
    draw_rates,
    mask_weights,
    train_segmenter,
)
from explorer.training.segmenter_report import overlap_counts, pooled_iou, resampled_iou
from explorer.training.teachers import Boxes, DeepLabTeacher, box_overlap, enlarge_logits, suppress_overlaps
from explorer.training.trainer import train
from explorer.vision import load_vision
from explorer.vision.segmenter import Segmenter, SegmenterConfig, SegmenterOutput

RECIPE = Path(__file__).resolve().parents[2] / "resources" / "recipes" / "vision-lite0.toml"
DOG = CLASS_NAMES.index("dog", 21) - 21
UMBRELLA = CLASS_NAMES.index("umbrella") - 21


def boxes(*rows: tuple[tuple[float, float, float, float], float, int]) -> Boxes:
    return Boxes(np.array([row[0] for row in rows], np.float32).reshape(-1, 4),
                 np.array([row[1] for row in rows], np.float32), np.array([row[2] for row in rows], np.int64))


# --- teachers -------------------------------------------------------------------------------------------------------


def test_enlarged_logits_are_corner_aligned_bilinear() -> None:
    """Oracle: 33 to 257 with aligned corners, as DeepLab itself does, read at the centres of the coarser pixels."""
    logits = np.random.default_rng(0).normal(size=(33, 33, 3)).astype(np.float32)
    full = torch.nn.functional.interpolate(torch.from_numpy(logits).permute(2, 0, 1)[None], size=(257, 257),
                                           mode="bilinear", align_corners=True)[0].permute(1, 2, 0).numpy()
    assert np.allclose(enlarge_logits(logits, 257), full, atol=1e-5)


def test_suppression_keeps_the_strongest_of_each_class() -> None:
    xyxy = np.array([[0, 0, 1, 1], [0, 0, 1, 0.9], [0, 0, 1, 0.95], [0, 0, 0.2, 0.2]], np.float32)
    assert suppress_overlaps(xyxy, np.array([3, 3, 5, 3]), max_overlap=0.5).tolist() == [0, 2, 3]


@given(st.lists(st.floats(0, 1), min_size=8, max_size=8))
def test_overlap_equals_counting_points(values: list[float]) -> None:
    corners = np.round(np.array(values).reshape(2, 2, 2) * 20) / 20
    a, b = (np.concatenate([box.min(axis=0), box.max(axis=0)]) for box in corners)
    centres = (np.arange(20) + 0.5) / 20
    x, y = np.meshgrid(centres, centres)
    inside = [(x > box[0]) & (x < box[2]) & (y > box[1]) & (y < box[3]) for box in (a, b)]
    union = (inside[0] | inside[1]).sum()
    expected = (inside[0] & inside[1]).sum() / union if union else 0.0
    assert box_overlap(a, b[None])[0] == pytest.approx(expected, abs=1e-6)


def test_missing_teacher_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"deeplabv3_257_mv\.onnx is not in .* Put the teachers there"):
        DeepLabTeacher(tmp_path)


def test_a_file_that_is_no_network_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "deeplabv3_257_mv.onnx").write_bytes(b"not a network")
    with pytest.raises(DatasetError, match="cannot be read as an ONNX network"):
        DeepLabTeacher(tmp_path)


# --- targets --------------------------------------------------------------------------------------------------------


def test_coverage_of_cells_by_a_box() -> None:
    covered, contained = box_coverage(np.array([0.0, 0.25, 0.5, 0.75]), 2)
    assert covered.tolist() == [[0.5, 0.0], [0.5, 0.0]]
    assert contained.tolist() == [[0.5, 0.0], [0.5, 0.0]]


def test_boxes_correct_the_class_map() -> None:
    """DeepLab finds a weak dog everywhere; it stays where a box says so, and is doubted elsewhere."""
    logits = np.zeros((33, 33, 21), np.float32)
    logits[..., 12] = 0.5
    seen = boxes(((0.0, 0.0, 0.5, 1.0), 0.9, DOG))
    targets = targets_from_teachers(logits, seen, MASK_OF_THING, TeacherBlend())
    best = targets.masks.argmax(axis=-1)
    assert (best[:, :14] == 12).all()
    assert (best[:, 14:] == 0).all()
    assert np.abs(targets.masks.astype(int).sum(axis=-1) - 255).max() <= 11  # rounding of 21 classes
    assert targets.presence[12] == targets.presence[21 + DOG] == round(0.9 * 255)


def test_a_small_thing_counts_in_full_where_it_is() -> None:
    seen = boxes(((0.45, 0.45, 0.5, 0.5), 0.8, UMBRELLA))
    targets = targets_from_teachers(np.zeros((33, 33, 21), np.float32), seen, MASK_OF_THING, TeacherBlend())
    cells = targets.cells[..., 21 + UMBRELLA]
    assert cells[3, 3] == round(0.8 * 255)
    assert (np.delete(cells.ravel(), 24) == 0).all()
    assert targets.cells.shape == (7, 7, 101)


def test_truth_is_averaged_over_cells_and_leaves_out_what_nobody_labelled() -> None:
    class_map = np.zeros((56, 56), np.uint8)
    class_map[0, 0] = 15  # a quarter of the first cell
    class_map[0:2, 2:4] = 255
    targets = targets_from_truth(class_map, boxes(), MASK_OF_THING, 21)
    assert targets.masks[0, 0, 15] == 64
    assert targets.masks[0, 0, 0] == 191
    assert targets.masks[0, 1].sum() == 0
    assert (targets.masks[1:, :, 0] == 255).all()


def test_maps_are_squashed_by_the_nearest_pixel() -> None:
    class_map = np.arange(12, dtype=np.uint8).reshape(3, 4)
    assert np.array_equal(nearest(class_map, 2), class_map[[0, 2]][:, [1, 3]])


def test_annotated_photos_of_the_training_split_only(shared_data: Path) -> None:
    part = truth_part(shared_data / "coco", split="train2017", side_px=224)
    assert len(part.paths) == 180
    assert all(path.parent.name == "train2017" for path in part.paths)
    targets = part.label(0, np.zeros((224, 224, 3), np.uint8))
    present = {CLASS_NAMES[c] for c in np.flatnonzero(targets.presence > 127)}
    assert part.paths[0].name == "000000000009.jpg"
    assert {"bowl", "orange", "broccoli"} <= present


# --- loss and sampling ----------------------------------------------------------------------------------------------


def test_loss_equals_a_loop_over_pixels() -> None:
    rng = np.random.default_rng(0)
    masks = rng.integers(0, 80, (2, 2, 2, 3)).astype(np.uint8)
    cells, presence = (rng.integers(0, 256, shape).astype(np.uint8) for shape in ((2, 1, 1, 4), (2, 4)))
    output = SegmenterOutput(torch.randn(2, 4, 1, 1), torch.randn(2, 4), torch.randn(2, 3, 2, 2))
    weights = torch.tensor([1.0, 2.0, 3.0])
    config = LearningConfig(cell_weight=2.0, presence_weight=3.0)
    assert output.map_logits is not None
    log = torch.log_softmax(output.map_logits, dim=1).numpy()
    total = sum(-float(weights[m]) * masks[b, y, x, m] / 255 * log[b, m, y, x]
                for b, y, x, m in itertools.product(range(2), range(2), range(2), range(3)))

    def binary(logits: np.ndarray, wanted: np.ndarray) -> float:
        p = 1 / (1 + np.exp(-logits.ravel()))
        w = wanted.ravel() / 255
        return float(-(w * np.log(p) + (1 - w) * np.log(1 - p)).mean())

    expected = total / (masks.sum() / 255) + 2 * binary(output.scores.numpy(), cells.transpose(0, 3, 1, 2))
    expected += 3 * binary(output.presence.numpy(), presence)
    loss = distillation_loss(output, Targets(masks, cells, presence), weights, config)
    assert float(loss) == pytest.approx(expected, rel=1e-4)


def test_photos_with_rare_classes_are_drawn_more_often() -> None:
    masks = np.zeros((100, 2, 2, 3), np.uint8)
    masks[..., 0] = 255
    masks[0, ..., 1] = 255
    masks[:60, ..., 2] = 255
    rates = draw_rates(masks, 0.04)
    assert rates[0] == pytest.approx(2.0)  # root of 4 % over 1 %
    assert (rates[1:] == 1.0).all()
    assert (draw_rates(masks, 0.0) == 1.0).all()


def test_rare_classes_weigh_more_up_to_a_limit() -> None:
    masks = np.zeros((1, 100, 1, 3), np.uint8)
    masks[0, :, 0, 0] = 250
    masks[0, 0, 0, 1] = 250
    assert mask_weights([masks], 0.04).tolist() == pytest.approx([1.0, 2.01, 4.0], abs=0.01)


# --- training -------------------------------------------------------------------------------------------------------

SMALL = SegmenterConfig(n_classes=5, n_masks=3, channels=(8, 12, 16), semantic_width=16, middle_width=16)


def separable_examples(n: int = 8) -> Examples:
    """Photos whose class can be read off their features: class 1 lights the first channels, class 2 the last."""
    rng = np.random.default_rng(0)
    labels = np.arange(n) % 3
    features, targets = [], Targets(np.zeros((n, 28, 28, 3), np.uint8), np.zeros((n, 7, 7, 5), np.uint8),
                                    np.zeros((n, 5), np.uint8))
    for side, width in ((28, 8), (14, 12), (7, 16)):
        values = rng.normal(0, 0.1, (n, side, side, width))
        values[..., : width // 2] += (labels == 1)[:, None, None, None]
        values[..., width // 2 :] += (labels == 2)[:, None, None, None]
        features.append(values.astype(np.float16))
    for row, label in enumerate(labels):
        targets.masks[row, ..., label] = 255
        targets.cells[row, ..., label] = 255
        targets.presence[row, label] = 255
    upright = (features[0], features[1], features[2])
    mirrored = (features[0][:, :, ::-1], features[1][:, :, ::-1], features[2][:, :, ::-1])
    return Examples(upright, mirrored, targets)


def run(run_dir: Path, config: LearningConfig) -> tuple[list[object], Segmenter]:
    torch.manual_seed(0)
    segmenter = Segmenter(SMALL)
    parts = [(separable_examples(), 1)]
    events = list(train_segmenter(segmenter, parts, config, run_dir=run_dir, token=CancellationToken()))
    return events, segmenter


def watch(events: Iterable[object], see: Callable[[object], None]) -> None:
    for event in events:
        see(event)


def losses(events: list[object]) -> list[float]:
    return [event.losses["loss"] for event in events if isinstance(event, Stepped)]


LEARNING = LearningConfig(n_epochs=12, batch_size=4, learning_rate=1e-2, dropout=0.1)


def test_a_few_photos_are_learnt_by_heart(tmp_path: Path) -> None:
    events, segmenter = run(tmp_path, msgspec.structs.replace(LEARNING, n_epochs=30))
    examples = separable_examples()
    features, targets = examples.batch(np.arange(len(examples)), mirror=False)
    with torch.inference_mode():
        output = segmenter(features)
    assert output.map_logits is not None
    assert (output.map_logits.argmax(dim=1).numpy() == targets.masks.argmax(axis=-1)).mean() > 0.95
    assert (output.presence.numpy().argmax(axis=1) == targets.presence.argmax(axis=1)).all()
    assert losses(events)[-1] < 0.4 * losses(events)[0]


def test_the_same_seed_gives_the_same_losses(tmp_path: Path) -> None:
    first, second = (losses(run(tmp_path / name, LEARNING)[0]) for name in "ab")
    assert first == second
    other = losses(run(tmp_path / "c", msgspec.structs.replace(LEARNING, seed=1))[0])
    assert first != other


def test_a_resumed_run_equals_an_undisturbed_one(tmp_path: Path) -> None:
    expected, whole = run(tmp_path / "whole", LEARNING)
    torch.manual_seed(0)
    segmenter = Segmenter(SMALL)
    token = CancellationToken()
    events: list[object] = []
    examples = [(separable_examples(), 1)]

    def stop_after_five(event: object) -> None:
        events.append(event)
        if sum(isinstance(seen, Saved) for seen in events) == 5:
            token.cancel()

    training = train_segmenter(segmenter, examples, LEARNING, run_dir=tmp_path / "cut", token=token)
    with pytest.raises(Cancelled):
        watch(training, stop_after_five)
    again, resumed = run(tmp_path / "cut", LEARNING)
    assert isinstance(again[0], PhaseStarted)
    assert again[0].n_done == 5 * again[0].n_steps // again[0].n_epochs
    assert losses(events) + losses(again) == losses(expected)
    for key, tensor in whole.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[key])


def test_mirrored_photos_have_mirrored_targets() -> None:
    examples = separable_examples()
    examples.targets.masks[0] = 0
    examples.targets.masks[0, :, 0, 2] = 255
    _, upright = examples.batch(np.array([0]), mirror=False)
    _, mirrored = examples.batch(np.array([0]), mirror=True)
    assert np.array_equal(mirrored.masks, upright.masks[:, :, ::-1])
    assert mirrored.masks[0, 0, -1, 2] == 255


# --- the whole task -------------------------------------------------------------------------------------------------


@pytest.fixture
def few_photos(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The real task on three photos of each part."""
    for name in ("teacher_part", "truth_part"):
        whole = getattr(distillation, name)

        def cut(*arguments: object, whole=whole, **named: object) -> Part:  # type: ignore[no-untyped-def]
            part = whole(*arguments, **named)
            return Part(part.name, part.paths[:3], part.label)

        monkeypatch.setattr(distillation, name, cut)
    return shared_data


def test_the_task_goes_from_photos_to_a_package_and_resumes(few_photos: Path, tmp_path: Path) -> None:
    config = DistillationConfig(name="small", semantic_width=16, middle_width=16,
                                learning=LearningConfig(n_epochs=2, batch_size=2, truth_repeats=1))

    def start(token: CancellationToken) -> Iterator[object]:
        return distil_vision(config, data_dir=few_photos, run_dir=tmp_path, token=token)

    token = CancellationToken()
    with pytest.raises(Cancelled):
        watch(start(token), lambda event: token.cancel() if isinstance(event, EpochFinished) else None)
    events = list(start(CancellationToken()))
    started = [event for event in events if isinstance(event, PhaseStarted)]
    assert [2 * event.n_done for event in started] == [event.n_steps for event in started]
    assert not any(isinstance(event, Progressed) and "labelling" in event.message for event in events)
    assert isinstance(events[-1], Finished)
    package = distillation.read_package(Path(os.fsdecode(events[-1].path)))
    assert package.reference is not None
    assert "small" in package.card
    assert package.labels == CLASS_NAMES
    seen = load_vision(package, device="cpu")(np.zeros((1, 224, 224, 3), np.uint8))
    assert seen.presence is not None
    assert seen.presence.shape == (1, 101)


def test_the_shipped_recipe_can_be_read() -> None:
    config = read_distillation_config(RECIPE)
    assert config.name == "vision-lite0"
    assert config.photos_split == "train"
    assert config.coco_split == "train2017"


def test_the_data_folder_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = read_distillation_config(RECIPE)
    monkeypatch.setenv("EXPLORER_TEST_DATA", str(tmp_path))
    assert data_folder(config, Path("recipes")) == tmp_path
    assert data_folder(DistillationConfig(data="photos"), Path("recipes")) == Path("recipes/photos")
    monkeypatch.delenv("EXPLORER_TEST_DATA")
    with pytest.raises(ConfigError, match=r"looks for its data in .EXPLORER_TEST_DATA, which is not set"):
        data_folder(config, Path("recipes"))


@pytest.mark.parametrize(("text", "sentence"), [
    ("task = 'distillation'\nepochs = 3\n", "recipe.toml is not a recipe for distillation: .*epochs"),
    ("task = 'pooled'\n", "not a recipe for distillation"),
    ("task = ", "not a recipe for distillation"),
])
def test_a_wrong_recipe_is_one_sentence(text: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").write_text(text)
    with pytest.raises(ConfigError, match=sentence):
        read_distillation_config(tmp_path / "recipe.toml")


# --- the report -----------------------------------------------------------------------------------------------------


def test_overlap_equals_counting_pixels() -> None:
    rng = np.random.default_rng(0)
    predicted, truth = rng.integers(0, 4, (9, 9)), rng.integers(0, 4, (9, 9))
    truth[0] = 255
    counts = overlap_counts(predicted, truth, 4)
    valid = truth != 255
    for c in range(4):
        a, b = (predicted == c) & valid, (truth == c) & valid
        assert counts[c].tolist() == [(a & b).sum(), (a | b).sum()]
    a, b = (predicted > 0) & valid, (truth > 0) & valid
    assert counts[4].tolist() == [(a & b).sum(), (a | b).sum()]


def test_pixels_are_pooled_over_photos() -> None:
    counts = np.array([[[1, 2], [0, 0]], [[3, 4], [0, 0]]])
    iou = pooled_iou(counts)
    assert iou[0] == pytest.approx(4 / 6)
    assert np.isnan(iou[1])
    resamples = resampled_iou(counts, n_resamples=50)
    assert set(np.round(resamples[:, 0], 6)) == {0.5, round(4 / 6, 6), 0.75}


def test_the_train_command_distils_into_the_models_folder(few_photos: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "small.toml"
    recipe.write_text(
        f'task = "distillation"\nname = "small"\ndata = "{few_photos}"\nsemantic_width = 16\nmiddle_width = 16\n'
        "[learning]\nn_epochs = 1\nbatch_size = 2\ntruth_repeats = 1\n"
    )
    events = list(train(recipe, runs_folder=tmp_path / "runs", search_folders=(), token=CancellationToken()))
    assert isinstance(events[-1], Finished)
    assert events[-1].path == os.fsencode(tmp_path / "models" / "small")
    assert distillation.read_package(Path(os.fsdecode(events[-1].path))).manifest.family == "vision"


def test_a_recipe_for_nothing_names_the_tasks(tmp_path: Path) -> None:
    recipe = tmp_path / "odd.toml"
    recipe.write_text('task = "cooking"\n')
    with pytest.raises(ConfigError, match="pooled, image-sentence, tvdb, dsmhn, scenes, distillation"):
        list(train(recipe, runs_folder=tmp_path, search_folders=(), token=CancellationToken()))
