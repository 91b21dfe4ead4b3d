"""The region proposer's pictures, which cells answer for a box, the loss, the run, the cache, and the report."""

import functools
import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from torch.nn import functional

from explorer.cancellation import CancellationToken, Cancelled
from explorer.errors import DatasetError
from explorer.protocol.runs import EpochFinished, Finished, PhaseStarted, Progressed, Saved, Stepped
from explorer.training import region_distillation
from explorer.training.distillation import DistillationConfig, distil_vision, read_distillation_config
from explorer.training.distillation_training import LearningConfig
from explorer.training.feature_cache import ViewRequest, cache_view, open_view
from explorer.training.region_distillation import RegionRecipe
from explorer.training.region_report import (
    AnnotatedPhoto,
    annotated_photos,
    found,
    recall_table,
    uniform_grid,
)
from explorer.training.region_set import (
    MAX_BOXES,
    LabelledSquare,
    PictureSet,
    RegionExamples,
    annotated_set,
    crop,
    mirrored,
    mosaic,
    open_pictures,
    prepare_pictures,
    taught_set,
)
from explorer.training.region_training import RegionLearning, assign, pairwise_overlap, proposal_loss, train_proposer
from explorer.training.teachers import Boxes, box_overlap
from explorer.training.views import View
from explorer.vision import load_vision
from explorer.vision.backbone import build_backbone
from explorer.vision.features import Regions, VisualFeatures
from explorer.vision.proposer import Proposals, Proposer, ProposerConfig, cell_centres
from explorer.vision.regions import Selection, select_regions

RECIPE = Path(__file__).resolve().parents[2] / "resources" / "recipes" / "vision-lite0.toml"


def boxes(*rows: tuple[float, float, float, float]) -> Boxes:
    xyxy = np.array(rows, np.float32).reshape(-1, 4)
    return Boxes(xyxy, np.linspace(0.9, 0.5, len(xyxy)).astype(np.float32), np.arange(len(xyxy)))


def painted(xyxy: tuple[float, float, float, float], side: int = 64) -> LabelledSquare:
    """A white thing on black, and its box."""
    square = np.zeros((side, side, 3), np.uint8)
    left, top, right, bottom = (round(v * side) for v in xyxy)
    square[top:bottom, left:right] = 255
    return square, boxes(xyxy)


def white_box(square: np.ndarray) -> np.ndarray:
    rows, columns = (np.flatnonzero((square[..., 0] > 127).any(axis=axis)) for axis in (1, 0))
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]) / len(square)


# --- pictures -------------------------------------------------------------------------------------------------------


def test_mirrored_pictures_have_mirrored_boxes() -> None:
    square, found_boxes = mirrored(painted((0.125, 0.25, 0.5, 0.75)))
    assert np.allclose(found_boxes.xyxy[0], white_box(square))
    assert np.allclose(found_boxes.xyxy[0], [0.5, 0.25, 0.875, 0.75])


def test_boxes_follow_a_crop_and_go_with_what_is_outside() -> None:
    photo = np.zeros((200, 300, 3), np.uint8)
    photo[80:120, 120:180] = 255
    inside, corner = (0.4, 0.4, 0.6, 0.6), (0.0, 0.0, 0.02, 0.02)
    n_dropped = 0
    for seed in range(20):
        square, kept = crop(photo, boxes(inside, corner), np.random.default_rng(seed), 224)
        assert square.shape == (224, 224, 3)
        assert kept.xyxy.min(initial=0) >= 0
        assert kept.xyxy.max(initial=0) <= 1
        if 0 in kept.labels:
            assert np.abs(kept.xyxy[kept.labels.tolist().index(0)] - white_box(square)).max() < 0.02
        n_dropped += 1 not in kept.labels
    assert n_dropped > 10


def test_a_mosaic_holds_four_pictures_and_their_boxes() -> None:
    rng = np.random.default_rng(0)
    black = (np.zeros((64, 64, 3), np.uint8), boxes())
    for place in range(4):
        pictures = [painted((0.25, 0.25, 0.75, 0.75)) if i == place else black for i in range(4)]
        square, kept = mosaic(pictures, rng)
        assert square.shape == (64, 64, 3)
        assert len(kept.scores) == 1
        assert np.abs(kept.xyxy[0] - white_box(square)).max() < 0.05


def test_pictures_are_kept_and_used_again(tmp_path: Path) -> None:
    backbone = build_backbone("resnet10t")
    drawn: list[int] = []

    def draw(number: int) -> LabelledSquare:
        drawn.append(number)
        square = np.full((176, 176, 3), number * 20, np.uint8)
        return square, boxes(*[(0.1, 0.1, 0.5 + i / 1000, 0.5) for i in range(number * 20)], (0.3, 0.3, 0.3, 0.9))

    pictures = PictureSet("some", 6, {"pictures": 6}, draw)
    events = list(prepare_pictures(pictures, backbone, tmp_path, CancellationToken()))
    assert [event.n_done for event in events] == [4, 6]
    assert drawn == list(range(6))
    assert list(prepare_pictures(pictures, backbone, tmp_path, CancellationToken())) == []
    examples = open_pictures(pictures, tmp_path)
    assert len(examples) == 6
    # The line without an area is left out, and no more than the strongest are kept.
    assert (examples.scores > 0).sum(axis=1).tolist() == [0, 20, 40, MAX_BOXES, MAX_BOXES, MAX_BOXES]
    features, xyxy, scores, labels = examples.batch(np.array([2, 1]))
    assert features.stride8.shape[0] == 2
    assert xyxy.shape == (2, 40, 4)
    assert (scores[0] > 0).sum() == 20
    assert labels.dtype == torch.int64
    other = PictureSet("some", 6, {"pictures": 6, "seed": 1}, draw)
    assert list(prepare_pictures(other, backbone, tmp_path, CancellationToken()))


def test_only_training_photos_are_drawn(shared_data: Path) -> None:
    annotated = annotated_set(shared_data / "coco", split="train2017", n_views=3, side_px=224, seed=0)
    assert annotated.size == 4 * 180
    for number in (3, 183, 363, 543):
        square, kept = annotated.draw(number)
        again, same = annotated.draw(number)
        assert square.shape == (224, 224, 3)
        assert np.array_equal(square, again)
        assert np.array_equal(kept.xyxy, same.xyxy)
    taught = taught_set(shared_data / "flickr8k" / "dataset_flickr8k.json", split="train",
                        teachers=shared_data / "teachers", n_mosaics=2, held_out=5990, side_px=224, seed=0)
    assert taught.size == 12
    assert len(taught.draw(0)[1].scores) > 0
    assert taught.draw(11)[0].shape == (224, 224, 3)


# --- answering for boxes --------------------------------------------------------------------------------------------

CENTRES = torch.cat([cell_centres(n, n) for n in (28, 14, 7)])


def random_proposals(n: int = 2, seed: int = 0) -> Proposals:
    generator = torch.Generator().manual_seed(seed)
    half = 0.02 + 0.2 * torch.rand(n, len(CENTRES), 2, generator=generator)
    return Proposals(torch.cat([CENTRES - half, CENTRES + half], dim=-1),
                     torch.randn(n, len(CENTRES), generator=generator),
                     torch.randn(n, len(CENTRES), 3, generator=generator))


def truth() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    xyxy = torch.tensor([[[0.1, 0.1, 0.6, 0.7], [0.3, 0.3, 0.5, 0.5], [0.71, 0.71, 0.72, 0.72]],
                         [[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]]])
    return xyxy, torch.tensor([[1.0, 0.5, 0.8], [0.3, 0.0, 0.0]]), torch.tensor([[0, 1, 2], [2, 0, 0]])


def test_pairwise_overlap_equals_one_by_one() -> None:
    proposals, (xyxy, *_) = random_proposals(), truth()
    overlaps = pairwise_overlap(xyxy, proposals.boxes)
    for picture in range(2):
        for row in range(3):
            expected = box_overlap(xyxy[picture, row].numpy(), proposals.boxes[picture].numpy())
            assert np.allclose(overlaps[picture, row].numpy(), expected, atol=1e-5)


def test_cells_answer_as_a_loop_says() -> None:
    config = RegionLearning(n_answers=4)
    proposals, (xyxy, scores, _) = random_proposals(), truth()
    answers_for, counts, sure = assign(proposals, xyxy, scores, config)
    for picture in range(2):
        chosen: dict[int, list[tuple[float, int, float]]] = {}
        for g in range(3):
            if scores[picture, g] <= 0:
                continue
            box = xyxy[picture, g]
            middle, reach = (box[:2] + box[2:]) / 2, ((box[2:] - box[:2]) / 2).clamp(min=0.75 / 28)
            fits = box_overlap(box.numpy(), proposals.boxes[picture].numpy())
            within = [p for p in range(len(CENTRES)) if ((CENTRES[p] - middle).abs() < reach).all() and fits[p] > 0]
            aligned = {p: float(torch.sigmoid(proposals.objectness[picture, p])) ** 0.5 * fits[p] ** 6 for p in within}
            for p in sorted(within, key=lambda p: -aligned[p])[:4]:
                chosen.setdefault(p, []).append((float(fits[p]), g, aligned[p]))
        best = {p: max(rivals) for p, rivals in chosen.items()}
        for p in range(len(CENTRES)):
            if p not in best:
                assert counts[picture, p] == sure[picture, p] == 0
                continue
            _, g, aligned_p = best[p]
            mine = [row for row in best.values() if row[1] == g]
            count = aligned_p / max(row[2] for row in mine) * float(scores[picture, g])
            assert int(answers_for[picture, p]) == g
            assert float(counts[picture, p]) == pytest.approx(count, rel=1e-3)
            assert float(sure[picture, p]) == pytest.approx(count * max(row[0] for row in mine), rel=1e-3)
    assert (counts > 0).sum() >= 4  # the smallest thing is answered for, too
    assert 2 in answers_for[0][counts[0] > 0]


def test_the_loss_is_the_sum_of_its_parts() -> None:
    config = RegionLearning(box_weight=3.0, thing_weight=0.7)
    proposals, (xyxy, scores, labels) = random_proposals(), truth()
    answers_for, counts, sure = assign(proposals, xyxy, scores, config)
    p = torch.sigmoid(proposals.objectness)
    focal = 4 * ((p - sure) ** 2 * -(sure * torch.log(p) + (1 - sure) * torch.log(1 - p))).sum()
    rest = torch.tensor(0.0)
    for picture, cell in itertools.product(range(2), range(len(CENTRES))):
        if counts[picture, cell] > 0:
            g = answers_for[picture, cell]
            a, b = proposals.boxes[picture, cell], xyxy[picture, g]
            hull = (torch.maximum(a[2:], b[2:]) - torch.minimum(a[:2], b[:2])).prod()
            iou = pairwise_overlap(a[None, None], b[None, None])[0, 0, 0]
            union = ((a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod()) / (1 + iou)
            thing = functional.cross_entropy(proposals.things[picture, cell], labels[picture, g])
            rest += counts[picture, cell] * (3 * (1 - iou + (hull - union) / hull) + 0.7 * thing)
    expected = (focal + rest) / counts.sum()
    assert float(proposal_loss(proposals, xyxy, scores, labels, config)) == pytest.approx(float(expected), rel=1e-4)


def test_pictures_without_things_teach_that_there_are_none() -> None:
    proposals, (xyxy, scores, labels) = random_proposals(), truth()
    loss = proposal_loss(proposals, xyxy, scores * 0, labels, RegionLearning())
    assert torch.isfinite(loss)
    sure_of_none = Proposals(proposals.boxes, torch.full_like(proposals.objectness, -20.0), proposals.things)
    assert proposal_loss(sure_of_none, xyxy, scores * 0, labels, RegionLearning()) < 1e-6


# --- training -------------------------------------------------------------------------------------------------------


def lit_examples(n: int = 6) -> RegionExamples:
    """One thing a picture, whose cells are lit in all maps."""
    rng = np.random.default_rng(0)
    xyxy = np.zeros((n, 2, 4), np.float32)
    scores, labels = np.zeros((n, 2), np.float32), np.zeros((n, 2), np.int64)
    maps = [rng.normal(0, 0.05, (n, side, side, width)) for side, width in ((28, 8), (14, 12), (7, 16))]
    for row in range(n):
        low = rng.uniform(0, 0.5, 2)
        xyxy[row, 0] = [*low, *(low + rng.uniform(0.2, 0.45, 2))]
        scores[row, 0], labels[row, 0] = 1.0, row % 2
        for values in maps:
            side = values.shape[1]
            left, top, right, bottom = np.round(xyxy[row, 0] * side).astype(int)
            half = values.shape[-1] // 2
            values[row, top:bottom, left:right, : half if row % 2 else None] += 1
    stride8, trunk, grid = (values.astype(np.float16) for values in maps)
    return RegionExamples((stride8, trunk, grid), xyxy, scores, labels)


LEARNING = RegionLearning(n_epochs=6, batch_size=2, learning_rate=5e-3)


def new_proposer() -> Proposer:
    torch.manual_seed(0)
    return Proposer(ProposerConfig(n_things=2, channels=(8, 12, 16), width=16))


def run(run_dir: Path, config: RegionLearning) -> tuple[list[object], Proposer]:
    proposer = new_proposer()
    sets = [(lit_examples(), 1)]
    return list(train_proposer(proposer, sets, config, run_dir=run_dir, token=CancellationToken())), proposer


def losses(events: Iterable[object]) -> list[float]:
    return [event.losses["loss"] for event in events if isinstance(event, Stepped)]


def watch(events: Iterable[object], see: Callable[[object], None]) -> None:
    for event in events:
        see(event)


def test_a_few_pictures_are_learnt_by_heart(tmp_path: Path) -> None:
    _, proposer = run(tmp_path, msgspec.structs.replace(LEARNING, n_epochs=40))
    features, xyxy, _, labels = lit_examples().batch(np.arange(6))
    with torch.inference_mode():
        proposals = proposer(features)
    regions = select_regions(proposals.boxes, proposals.objectness.sigmoid(), proposals.things.softmax(dim=-1),
                             Selection())
    overlaps = pairwise_overlap(xyxy[:, :1], regions.boxes[:, :1])[:, 0, 0]
    assert (overlaps > 0.6).all()
    assert regions.labels[:, 0].tolist() == labels[:, 0].tolist()


def test_a_resumed_run_equals_an_undisturbed_one(tmp_path: Path) -> None:
    expected, whole = run(tmp_path / "whole", LEARNING)
    token = CancellationToken()
    events: list[object] = []

    def stop_after_two(event: object) -> None:
        events.append(event)
        if sum(isinstance(seen, Saved) for seen in events) == 2:
            token.cancel()

    training = train_proposer(new_proposer(), [(lit_examples(), 1)], LEARNING, run_dir=tmp_path / "cut", token=token)
    with pytest.raises(Cancelled):
        watch(training, stop_after_two)
    again, resumed = run(tmp_path / "cut", LEARNING)
    assert isinstance(again[0], PhaseStarted)
    assert again[0].n_done == 2 * again[0].n_steps // again[0].n_epochs
    assert losses(events) + losses(again) == losses(expected)
    for key, tensor in whole.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[key])


@pytest.fixture
def few_pictures(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The real task on three photos of each part and two pictures of each set."""
    from explorer.training import distillation
    from explorer.training.distillation_set import Part

    for module, names in ((distillation, ("teacher_part", "truth_part")),
                          (region_distillation, ("taught_set", "annotated_set"))):
        for name in names:
            whole = getattr(module, name)

            def cut(*arguments: object, whole=whole, **named: object):  # type: ignore[no-untyped-def]
                part = whole(*arguments, **named)
                if isinstance(part, Part):
                    return Part(part.name, part.paths[:3], part.label)
                return PictureSet(part.name, 2, {"pictures": 2}, part.draw)

            monkeypatch.setattr(module, name, cut)
    return shared_data


def test_the_task_makes_a_package_with_regions_and_resumes(few_pictures: Path, tmp_path: Path) -> None:
    config = DistillationConfig(
        name="small", semantic_width=16, middle_width=16,
        learning=LearningConfig(n_epochs=1, batch_size=2, truth_repeats=1),
        regions=RegionRecipe(width=8, selection=Selection(min_score=0.0), learning=RegionLearning(n_epochs=2)))

    def start(token: CancellationToken) -> Iterator[object]:
        return distil_vision(config, data_dir=few_pictures, run_dir=tmp_path, token=token)

    token, n_epochs = CancellationToken(), []

    def stop_after_two(event: object) -> None:
        n_epochs.extend([event] if isinstance(event, EpochFinished) else [])
        if len(n_epochs) == 2:
            token.cancel()

    with pytest.raises(Cancelled):
        watch(start(token), stop_after_two)
    events = list(start(CancellationToken()))
    started = [event for event in events if isinstance(event, PhaseStarted)]
    assert [event.phase for event in started] == ["distillation", "regions"]
    assert [event.n_epochs * event.n_done // event.n_steps for event in started] == [1, 1]
    assert not any(isinstance(event, Progressed) for event in events)
    assert isinstance(events[-1], Finished)
    vision = load_vision(region_distillation_package(Path(os.fsdecode(events[-1].path))), device="cpu")
    regions = vision(np.zeros((1, 224, 224, 3), np.uint8), propose=True).regions
    assert regions is not None
    assert regions.lengths.tolist() == [36]


def region_distillation_package(folder: Path):  # type: ignore[no-untyped-def]
    from explorer.packages.package import read_package, verify_weights

    package = read_package(folder)
    verify_weights(package)
    assert "## Regions" in package.card
    return package


def test_the_shipped_recipe_trains_regions_on_training_photos_only() -> None:
    config = read_distillation_config(RECIPE)
    assert config.regions is not None
    assert config.regions.held_out == 500
    assert (config.photos_split, config.coco_split) == ("train", "train2017")


# --- regions in cached views ----------------------------------------------------------------------------------------


def write_photos(folder: Path, n: int) -> list[Path]:
    from explorer.media.image import encode_jpeg

    paths = []
    for i in range(n):
        path = folder / f"{i:02}.jpg"
        path.write_bytes(encode_jpeg(np.full((48, 48, 3), i * 10 % 256, np.uint8)))
        paths.append(path)
    return paths


class Reader:
    """Features that tell the photo; counts what it was asked for."""

    def __init__(self) -> None:
        self.n_seen = 0

    def __call__(self, squares: np.ndarray, *, propose: bool = False) -> VisualFeatures:
        self.n_seen += len(squares)
        values = torch.from_numpy(squares[:, 0, 0, 0].astype(np.float32)) / 255
        n = len(values)
        regions = Regions(values[:, None, None].expand(n, 36, 4), values[:, None].expand(n, 36),
                          torch.full((n, 36), 80), torch.full((n,), 7)) if propose else None
        return VisualFeatures(values[:, None, None, None].expand(n, 2, 4, 4), torch.zeros(n, 3, 2, 2),
                              torch.zeros(n, 3), regions=regions)


def requests(tmp_path: Path, n: int, regions_id: str) -> ViewRequest:
    photos = sorted(tmp_path.glob("*.jpg")) or write_photos(tmp_path, n)
    return ViewRequest(tmp_path / "features", "eyes", photos, View("photo"), 32, regions_id)


def test_cached_views_are_completed_not_computed_again(tmp_path: Path) -> None:
    plain, wanted = requests(tmp_path, 20, ""), requests(tmp_path, 20, "first")
    reader = Reader()
    list(cache_view(plain, reader, token=CancellationToken()))
    trunk_file = plain.place / "trunk.npy"
    before = trunk_file.read_bytes(), trunk_file.stat().st_mtime_ns
    assert plain.place == wanted.place
    assert open_view(plain).regions is None
    with pytest.raises(ValueError, match="not finished"):
        open_view(wanted)
    list(cache_view(wanted, functools.partial(reader, propose=True), token=CancellationToken()))
    assert (trunk_file.read_bytes(), trunk_file.stat().st_mtime_ns) == before
    regions = open_view(wanted).regions
    assert regions is not None
    assert (regions.boxes.dtype, regions.labels.dtype) == (torch.float16, torch.uint8)
    assert regions.boxes.shape == (20, 36, 4)
    assert torch.allclose(regions.scores[:, 0].float(), torch.arange(20) * 10 / 255, atol=0.02)
    assert (regions.labels == 80).all()
    assert (regions.lengths == 7).all()
    n_before = reader.n_seen
    assert list(cache_view(wanted, functools.partial(reader, propose=True), token=CancellationToken())) == []
    assert reader.n_seen == n_before


def test_another_proposer_makes_its_own_regions(tmp_path: Path) -> None:
    first, second = requests(tmp_path, 5, "first"), requests(tmp_path, 5, "second")
    reader = functools.partial(Reader(), propose=True)
    list(cache_view(first, reader, token=CancellationToken()))
    assert (first.begin, second.begin, second.n_done) == (5, 0, 5)
    list(cache_view(second, reader, token=CancellationToken()))
    assert (first.begin, second.begin) == (0, 5)


def test_an_interrupted_completion_goes_on(tmp_path: Path) -> None:
    wanted = requests(tmp_path, 300, "first")
    reader = Reader()
    token = CancellationToken()
    for _ in cache_view(wanted, functools.partial(reader, propose=True), token=token):
        token.cancel()
    assert 0 < wanted.begin < 300
    n_before, begin = reader.n_seen, wanted.begin
    list(cache_view(wanted, functools.partial(reader, propose=True), token=CancellationToken()))
    assert reader.n_seen - n_before == 300 - begin
    regions = open_view(wanted).regions
    assert regions is not None
    assert (regions.lengths == 7).all()


def test_a_reader_that_proposes_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="proposes none"):
        list(cache_view(requests(tmp_path, 3, "first"), Reader(), token=CancellationToken()))


# --- the report -----------------------------------------------------------------------------------------------------


def test_recall_counts_things_that_some_box_overlaps_by_half() -> None:
    truth_boxes = np.array([[0.0, 0.0, 0.5, 0.5], [0.5, 0.5, 1.0, 1.0]])
    assert found(truth_boxes, np.array([[0.0, 0.0, 0.5, 0.25]])).tolist() == [True, False]
    assert found(truth_boxes, np.array([[0.0, 0.0, 0.5, 0.24]])).tolist() == [False, False]
    assert found(truth_boxes, np.zeros((0, 4))).tolist() == [False, False]
    photos = [AnnotatedPhoto(Path("a"), truth_boxes, np.array([100.0, 5000.0])),
              AnnotatedPhoto(Path("b"), truth_boxes[:1], np.array([20000.0])),
              AnnotatedPhoto(Path("c"), truth_boxes[:0], np.zeros(0))]
    # The eleventh box finds the second thing, the 37th would find the first.
    late = np.concatenate([np.full((10, 4), 0.01), truth_boxes[1:], np.full((25, 4), 0.01), truth_boxes[:1]])
    table = recall_table(photos, lambda path: late if path.name == "a" else truth_boxes[:1])
    rows = {name: row["recall"] for name, row in table.items() if isinstance(row, dict)}
    assert rows == {"all": 0.6667, "small": 0.0, "medium": 1.0, "large": 1.0, "all, first 10": 0.3333}


def test_the_uniform_grid_covers_the_picture_once() -> None:
    grid = uniform_grid()
    assert grid.shape == (36, 4)
    assert np.isclose((grid[:, 2:] - grid[:, :2]).prod(axis=1).sum(), 1.0)
    assert np.allclose(grid[7], [1 / 6, 1 / 6, 2 / 6, 2 / 6])


def test_annotated_photos_leave_out_crowds(shared_data: Path, tmp_path: Path) -> None:
    photos = annotated_photos(shared_data / "coco", split="val2017")
    assert len(photos) == 63
    assert sum(len(photo.boxes) for photo in photos) == 500
    assert all(photo.path.is_file() for photo in photos)
    with pytest.raises(DatasetError, match="cannot be read"):
        annotated_photos(tmp_path, split="val2017")
    (tmp_path / "instances_val2017.json").write_text('{"images": 3}')
    with pytest.raises(DatasetError, match="holds no annotated instances"):
        annotated_photos(tmp_path, split="val2017")
