"""Regions: the proposer, which proposals become regions, features of boxes, and the second file of a package."""

import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.ops import box_iou, roi_align

from explorer.engine.verifying import verify
from explorer.errors import PackageError
from explorer.media.image import decode_image, squash
from explorer.packages.finding import find_packages
from explorer.packages.manifest import Manifest, Output, Part, Preprocess, RegionPart
from explorer.packages.package import ModelPackage, load_region_tensors, read_package, verify_weights, write_package
from explorer.representations import Modality
from explorer.vision import Vision, load_backbone, load_vision, reference_outputs
from explorer.vision.backbone import build_backbone
from explorer.vision.features import BackboneFeatures, Regions
from explorer.vision.proposer import Proposer, ProposerConfig, cell_centres, decode_boxes
from explorer.vision.regions import N_REGIONS, Selection, aligned_mean, region_features, select_regions
from explorer.vision.segmenter import Segmenter, SegmenterConfig
from explorer.vision.stored import head_tensors

SHIPPED = Path(__file__).resolve().parents[2] / "models" / "vision-lite0"
SMALL = ProposerConfig(n_things=5, channels=(8, 12, 16), width=8)
WHOLE = torch.tensor([0.0, 0.0, 1.0, 1.0])


def small_features(n: int = 2) -> BackboneFeatures:
    generator = torch.Generator().manual_seed(1)
    sizes = ((8, 28), (12, 14), (16, 7))
    return BackboneFeatures(*(torch.randn(n, width, side, side, generator=generator) for width, side in sizes))


def lively(proposer: Proposer) -> Proposer:
    """Not as it begins, when all cells are alike."""
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for parameter in proposer.parameters():
            parameter += 0.1 * torch.randn(parameter.shape, generator=generator)
    return proposer.eval()


def photos(n: int, seed: int = 0) -> np.ndarray:
    blocks = np.random.default_rng(seed).integers(0, 256, (n, 7, 7, 3), dtype=np.uint8)
    return blocks.repeat(32, axis=1).repeat(32, axis=2)


def check_regions(regions: Regions, n: int) -> None:
    """What always holds."""
    assert regions.boxes.shape == (n, N_REGIONS, 4)
    assert regions.scores.shape == regions.labels.shape == (n, N_REGIONS)
    assert regions.lengths.shape == (n,)
    assert (regions.boxes.dtype, regions.scores.dtype) == (torch.float32, torch.float32)
    assert (regions.labels.dtype, regions.lengths.dtype) == (torch.int64, torch.int64)
    assert regions.boxes.min() >= 0
    assert regions.boxes.max() <= 1
    assert (regions.boxes[..., 2:] > regions.boxes[..., :2]).all()
    assert ((regions.lengths >= 1) & (regions.lengths <= N_REGIONS)).all()
    assert (regions.scores.diff(dim=1) <= 0).all()
    for row, length in enumerate(regions.lengths.tolist()):
        assert (regions.boxes[row, length:] == WHOLE).all()
        assert (regions.scores[row, length:] == 0).all()


# --- the proposer ---------------------------------------------------------------------------------------------------


def test_every_cell_proposes() -> None:
    proposals = Proposer(SMALL).eval()(small_features())
    n_cells = 28**2 + 14**2 + 7**2
    assert proposals.boxes.shape == (2, n_cells, 4)
    assert proposals.objectness.shape == (2, n_cells)
    assert proposals.things.shape == (2, n_cells, 5)


def test_before_training_each_cell_tells_the_box_around_itself() -> None:
    boxes = Proposer(SMALL).eval()(small_features()).boxes
    first = torch.tensor([4.0 - 8, 4 - 8, 4 + 8, 4 + 8]) / 224
    last = torch.tensor([208.0 - 64, 208 - 64, 208 + 64, 208 + 64]) / 224
    torch.testing.assert_close(boxes[0, 0], first)
    torch.testing.assert_close(boxes[1, -1], last)


def test_offsets_are_in_cells_and_sizes_logarithms() -> None:
    offsets = torch.zeros(1, 6, 4)
    offsets[0, 4] = torch.tensor([0.5, -1.0, float(np.log(2)), 0.0])
    box = decode_boxes(offsets, 2, 3, 1.0)[0, 4]
    # Cell 4 is the second row's middle: centre (1/2, 3/4), a cell is 1/3 wide and 1/2 high.
    torch.testing.assert_close(box, torch.tensor([2 / 3 - 1 / 3, 0.25 - 0.25, 2 / 3 + 1 / 3, 0.25 + 0.25]))


def test_centres_go_row_by_row() -> None:
    assert cell_centres(2, 2).tolist() == [[0.25, 0.25], [0.75, 0.25], [0.25, 0.75], [0.75, 0.75]]


# --- selection ------------------------------------------------------------------------------------------------------


def naive_selection(
    boxes: torch.Tensor, scores: torch.Tensor, things: torch.Tensor, selection: Selection
) -> list[tuple[list[float], float, int]]:
    """One picture, one box after the other."""
    kept: list[tuple[list[float], float, int]] = []
    for p in sorted(range(len(boxes)), key=lambda p: -float(scores[p]))[: selection.n_candidates]:
        box = [min(max(float(v), 0.0), 1.0) for v in boxes[p]]
        width, height = box[2] - box[0], box[3] - box[1]
        if scores[p] < selection.min_score or width <= 0 or height <= 0:
            continue
        label = int(things[p].argmax()) if things[p].max() >= selection.min_label else things.shape[1]
        overlaps = []
        for other, _, other_label in kept:
            if other_label == label:
                shared = (max(0.0, min(box[2], other[2]) - max(box[0], other[0]))
                          * max(0.0, min(box[3], other[3]) - max(box[1], other[1])))
                area = width * height + (other[2] - other[0]) * (other[3] - other[1])
                overlaps.append(shared / (area - shared))
        if all(overlap <= selection.max_overlap for overlap in overlaps):
            kept.append((box, float(scores[p]), label))
    return kept[:N_REGIONS]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 120))
def test_selection_equals_one_box_after_the_other(seed: int, n: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    corners = torch.rand(2, n, 2, 2, generator=generator) * 1.4 - 0.2
    boxes = torch.cat([corners.amin(dim=2), corners.amax(dim=2)], dim=-1)
    scores, things = torch.rand(2, n, generator=generator), torch.softmax(
        3 * torch.randn(2, n, 3, generator=generator), dim=-1)
    selection = Selection(max_overlap=0.4, min_score=0.2, min_label=0.6, n_candidates=100)
    regions = select_regions(boxes, scores, things, selection)
    check_regions(regions, 2)
    for row in range(2):
        expected = naive_selection(boxes[row], scores[row], things[row], selection)
        if expected:
            length = int(regions.lengths[row])
            assert length == len(expected)
            assert torch.allclose(regions.boxes[row, :length], torch.tensor([box for box, _, _ in expected]))
            assert torch.allclose(regions.scores[row, :length], torch.tensor([score for _, score, _ in expected]))
            assert regions.labels[row, :length].tolist() == [label for _, _, label in expected]


def test_things_of_other_kinds_are_not_suppressed() -> None:
    box = torch.tensor([0.1, 0.1, 0.6, 0.9])
    boxes, scores = box.expand(1, 3, 4), torch.tensor([[0.5, 0.9, 0.7]])
    things = torch.tensor([[[0.9, 0.1], [0.9, 0.1], [0.1, 0.9]]])
    regions = select_regions(boxes, scores, things, Selection())
    assert regions.lengths.tolist() == [2]
    assert regions.labels[0, :2].tolist() == [0, 1]
    torch.testing.assert_close(regions.scores[0, :2], torch.tensor([0.9, 0.7]))


def test_where_nothing_is_found_the_picture_is_the_region() -> None:
    boxes = torch.rand(2, 10, 4)
    regions = select_regions(boxes, torch.zeros(2, 10), torch.rand(2, 10, 3), Selection())
    check_regions(regions, 2)
    assert regions.lengths.tolist() == [1, 1]
    assert (regions.boxes == WHOLE).all()
    assert (regions.labels == 3).all()


def test_equal_scores_keep_their_order() -> None:
    left = torch.arange(60) / 100
    boxes = torch.stack([left, torch.zeros(60), left + 0.01, torch.ones(60)], dim=1)[None]
    regions = select_regions(boxes, torch.full((1, 60), 0.5), torch.ones(1, 60, 1), Selection())
    assert torch.equal(regions.boxes[0], boxes[0, :N_REGIONS])


# --- features of boxes ----------------------------------------------------------------------------------------------


def naive_mean(features: np.ndarray, box: np.ndarray) -> np.ndarray:
    """RoIAlign with as many samples a side as there are cells, point by point: He et al. 2017, section 3."""
    n_channels, height, width = features.shape
    total = np.zeros(n_channels)
    for i in range(height):
        for j in range(width):
            y = (box[1] + (i + 0.5) / height * (box[3] - box[1])) * height - 0.5
            x = (box[0] + (j + 0.5) / width * (box[2] - box[0])) * width - 0.5
            y, x = min(max(y, 0.0), height - 1.0), min(max(x, 0.0), width - 1.0)
            top, left = int(min(y, height - 2)), int(min(x, width - 2))
            for row, down in ((top, 1 - (y - top)), (top + 1, y - top)):
                for column, right in ((left, 1 - (x - left)), (left + 1, x - left)):
                    total += down * right * features[:, row, column]
    return total / (height * width)


def some_boxes(n_pictures: int, n: int) -> torch.Tensor:
    corners = torch.rand(n_pictures, n, 2, 2, generator=torch.Generator().manual_seed(3))
    return torch.cat([corners.amin(dim=2), corners.amax(dim=2)], dim=-1)


def test_features_of_boxes_equal_a_loop_over_points() -> None:
    maps = torch.randn(2, 3, 6, 5, generator=torch.Generator().manual_seed(0))
    boxes = some_boxes(2, 4)
    boxes[0, 0] = WHOLE
    boxes[1, 0] = torch.tensor([0.95, 0.0, 1.0, 0.02])
    found = aligned_mean(maps, boxes)
    for picture in range(2):
        for row in range(4):
            expected = naive_mean(maps[picture].double().numpy(), boxes[picture, row].double().numpy())
            assert np.allclose(found[picture, row].numpy(), expected, atol=1e-5)


def test_features_of_boxes_equal_torchvision() -> None:
    trunk, grid, boxes = torch.randn(2, 6, 14, 14), torch.randn(2, 9, 7, 7), some_boxes(2, 8)
    expected = [
        roi_align(maps, list(boxes * n), output_size=1, sampling_ratio=n, aligned=True).reshape(2, 8, -1)
        for maps, n in ((trunk, 14), (grid, 7))
    ]
    torch.testing.assert_close(region_features(trunk, grid, boxes), torch.cat(expected, dim=-1), atol=1e-5, rtol=1e-4)


def test_the_whole_picture_has_the_means_of_the_maps() -> None:
    features = small_features()
    found = region_features(features.trunk, features.grid, WHOLE.expand(2, 1, 4))
    means = torch.cat([features.trunk.mean(dim=(2, 3)), features.grid.mean(dim=(2, 3))], dim=1)
    torch.testing.assert_close(found[:, 0], means, atol=1e-5, rtol=1e-5)


def test_mirrored_maps_and_boxes_give_the_same_features() -> None:
    features, boxes = small_features(), some_boxes(2, 5)
    mirrored = torch.stack([1 - boxes[..., 2], boxes[..., 1], 1 - boxes[..., 0], boxes[..., 3]], dim=-1)
    torch.testing.assert_close(
        region_features(features.trunk.flip(3), features.grid.flip(3), mirrored),
        region_features(features.trunk, features.grid, boxes), atol=1e-5, rtol=1e-5)


def test_gradients_reach_a_tuned_tail() -> None:
    grid = torch.randn(1, 4, 7, 7, requires_grad=True)
    region_features(torch.randn(1, 2, 14, 14), grid, torch.tensor([[[0.0, 0.0, 0.5, 0.5]]])).sum().backward()
    assert grid.grad is not None
    assert (grid.grad[0, 0, :3, :3] > 0).all()
    assert (grid.grad[0, 0, 5:, 5:] == 0).all()


# --- the shipped package --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shipped() -> Vision:
    return load_vision(read_package(SHIPPED), device="cpu")


def test_the_shipped_package_proposes_regions(shipped: Vision) -> None:
    squares = photos(5)
    seen = shipped(squares, propose=True)
    assert seen.regions is not None
    assert seen.class_map is not None
    check_regions(seen.regions, 5)
    assert len(shipped.region_names) == 81
    assert shipped.region_names[0] == "person"
    assert shipped.region_names[-1] == "object"
    assert region_features(seen.trunk, seen.grid, seen.regions.boxes).shape == (5, 36, 112 + 1280)
    again = shipped(squares, propose=True).regions
    assert again is not None
    assert torch.equal(again.boxes, seen.regions.boxes)
    assert torch.equal(again.labels, seen.regions.labels)


@pytest.mark.parametrize("grey", [0, 127, 255])
def test_a_plain_picture_has_a_region(shipped: Vision, grey: int) -> None:
    regions = shipped(np.full((1, 224, 224, 3), grey, np.uint8), propose=True).regions
    assert regions is not None
    check_regions(regions, 1)


def test_mirrored_photos_have_mirrored_regions(shipped: Vision, shared_data: Path) -> None:
    """Nearly: the backbone was not made to see alike both ways."""
    paths = sorted((shared_data / "coco" / "images" / "train2017").glob("*.jpg"))[:6]
    squares = np.stack([squash(decode_image(path.read_bytes(), min_edge_px=224).pixels, 224) for path in paths])
    upright, mirrored = (shipped(np.ascontiguousarray(part), propose=True).regions
                         for part in (squares, squares[:, :, ::-1]))
    assert upright is not None
    assert mirrored is not None
    back = torch.stack([1 - mirrored.boxes[..., 2], mirrored.boxes[..., 1], 1 - mirrored.boxes[..., 0],
                        mirrored.boxes[..., 3]], dim=-1)
    best = torch.cat([box_iou(a[:5], b).amax(dim=1) for a, b in zip(upright.boxes, back, strict=True)])
    unmirrored = torch.cat([box_iou(a[:5], b).amax(dim=1)
                            for a, b in zip(upright.boxes, mirrored.boxes, strict=True)])
    assert best.mean() > 0.6
    assert best.mean() > unmirrored.mean() + 0.05


# --- seeing and packages --------------------------------------------------------------------------------------------


def small_vision(n_things: int = 5) -> Vision:
    backbone = build_backbone("resnet10t")
    config = ProposerConfig(n_things=n_things, channels=backbone.channels, width=8)
    torch.manual_seed(0)
    names = ("background", "dog", *(f"thing {i}" for i in range(n_things)))
    return Vision(backbone, None, class_names=names, device=torch.device("cpu"), proposer=lively(Proposer(config)),
                  selection=Selection(min_score=0.0))


def squares(n: int) -> np.ndarray:
    return np.random.default_rng(4).integers(0, 256, (n, 176, 176, 3), dtype=np.uint8)


def test_regions_come_with_the_grid_and_only_when_asked() -> None:
    vision = small_vision()
    seen = vision(squares(6), propose=True)
    assert seen.regions is not None
    check_regions(seen.regions, 6)
    assert vision.region_names == ("thing 0", "thing 1", "thing 2", "thing 3", "thing 4", "object")
    without = vision(squares(6))
    assert without.regions is None
    assert torch.equal(without.grid, seen.grid)
    again = vision(squares(6), propose=True).regions
    assert again is not None
    assert torch.equal(again.boxes, seen.regions.boxes)
    assert torch.equal(again.labels, seen.regions.labels)


def test_a_picture_has_the_same_regions_alone_and_among_others() -> None:
    vision = small_vision()
    together, alone = (vision(part, propose=True).regions for part in (squares(6), squares(6)[4:5]))
    assert together is not None
    assert alone is not None
    torch.testing.assert_close(together.boxes[4:5], alone.boxes, atol=1e-4, rtol=1e-4)


def test_no_pictures_have_no_regions() -> None:
    regions = small_vision()(squares(1)[:0], propose=True).regions
    assert regions is not None
    assert regions.boxes.shape == (0, N_REGIONS, 4)
    assert regions.lengths.shape == (0,)


def test_asking_a_package_without_proposer_is_one_sentence() -> None:
    vision = Vision(build_backbone("resnet10t"), None, class_names=(), device=torch.device("cpu"))
    with pytest.raises(PackageError, match="no region proposer"):
        vision(squares(1), propose=True)


LABELS = ("background", "dog", "cat", "cup")


def write_small(folder: Path, *, regions: bool = True, n_things: int = 2) -> ModelPackage:
    backbone = load_backbone()
    torch.manual_seed(0)
    segmenter = Segmenter(SegmenterConfig(n_classes=4, n_masks=2, channels=backbone.channels, semantic_width=8,
                                          middle_width=8))
    proposer = Proposer(ProposerConfig(n_things=2, channels=backbone.channels, width=8))
    manifest = Manifest(
        family="vision", name="small", title="Small",
        preprocess=Preprocess(side_px=224, mean=(0.5,) * 3, std=(0.5,) * 3),
        output=Output(kind="features"), backbone=Part(name="tf_efficientnet_lite0", source="test"),
        modalities=(Modality.IMAGE,),
        config={"n_classes": 4, "n_masks": 2, "semantic_width": 8, "middle_width": 8},
        regions=RegionPart(config={"n_things": n_things, "width": 8, "selection": {"min_score": 0.0}}))
    return write_package(folder, manifest, head_tensors(segmenter), card="", labels=LABELS,
                         region_tensors=head_tensors(lively(proposer)) if regions else None)


def test_a_package_keeps_its_regions_in_a_file_of_their_own(tmp_path: Path) -> None:
    with_regions, without = write_small(tmp_path / "small"), write_small(tmp_path / "old", regions=False)
    assert with_regions.model_id == without.model_id
    assert with_regions.weights_path.read_bytes() == without.weights_path.read_bytes()
    assert without.manifest.regions is None
    verify_weights(with_regions)
    vision = load_vision(with_regions, device="cpu")
    assert vision.region_names == ("cat", "cup", "object")
    regions = vision(photos(2), propose=True).regions
    assert regions is not None
    check_regions(regions, 2)


def test_an_old_package_loads_but_proposes_nothing(tmp_path: Path) -> None:
    package = write_small(tmp_path / "small", regions=False)
    vision = load_vision(package, device="cpu")
    assert vision(photos(1)).regions is None
    with pytest.raises(PackageError, match=r"no region proposer.*Install a newer version"):
        vision(photos(1), propose=True)
    with pytest.raises(PackageError, match="small has no region proposer"):
        load_region_tensors(package)


@pytest.mark.parametrize("damage", [lambda data: data[:-5], lambda data: data[:-1] + bytes([data[-1] ^ 1])])
def test_a_damaged_regions_file_is_refused(tmp_path: Path, damage) -> None:  # type: ignore[no-untyped-def]
    package = write_small(tmp_path / "small")
    path = package.folder / "regions.safetensors"
    path.write_bytes(damage(path.read_bytes()))
    for use in (verify_weights, load_region_tensors, lambda p: load_vision(p, device="cpu")):
        with pytest.raises(PackageError, match=r"regions\.safetensors of small is not the file"):
            use(package)


def test_a_missing_regions_file_is_one_sentence(tmp_path: Path) -> None:
    package = write_small(tmp_path / "small")
    (package.folder / "regions.safetensors").unlink()
    with pytest.raises(PackageError, match=r"weights regions\.safetensors of small are missing"):
        read_package(package.folder)


def test_verify_and_doctor_look_at_the_second_file(tmp_path: Path) -> None:
    folder = tmp_path / "vision-lite0"
    shutil.copytree(SHIPPED, folder)
    assert verify("vision-lite0", [tmp_path]) == []
    path = folder / "regions.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert "regions.safetensors of vision-lite0 is not the file" in verify("vision-lite0", [tmp_path])[0]
    path.unlink()
    # What the doctor lists packages by.
    assert "regions.safetensors of vision-lite0 are missing" in find_packages([tmp_path])[0].problem


def test_settings_that_do_not_fit_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(PackageError, match=r"The tensor .* of small has shape"):
        load_vision(write_small(tmp_path / "small", n_things=3), device="cpu")
    package = write_small(tmp_path / "other")
    part = msgspec.structs.replace(package.manifest.regions, config={"n_things": "two"})
    broken = ModelPackage(package.folder, msgspec.structs.replace(package.manifest, regions=part))
    with pytest.raises(PackageError, match=r"\[regions\.config\] of small does not describe a region proposer"):
        load_vision(broken, device="cpu")


def test_the_reference_covers_the_proposer(tmp_path: Path) -> None:
    package, old = write_small(tmp_path / "small"), write_small(tmp_path / "old", regions=False)
    before, without = reference_outputs(package, photos(2)), reference_outputs(old, photos(2))
    assert before.shape[1] == without.shape[1] + 1 + 4 + 2
    assert np.allclose(before[:, : without.shape[1]], without)
    tensors = load_region_tensors(package)
    tensors["branches.0.to_box.bias"] += 0.5
    manifest = package.manifest
    changed = write_package(tmp_path / "changed", manifest, _weights_of(package), card="", labels=LABELS,
                            region_tensors=tensors)
    assert np.abs(reference_outputs(changed, photos(2)) - before).max() > 2e-3


def _weights_of(package: ModelPackage) -> dict[str, np.ndarray]:
    from explorer.packages.package import load_tensors

    return load_tensors(package)
