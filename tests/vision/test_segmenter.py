"""The segmenter head, and the shipped package."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch

from explorer.errors import PackageError
from explorer.packages.manifest import Manifest, Output, Part, Preprocess
from explorer.packages.package import ModelPackage, load_tensors, read_package, verify_weights, write_package
from explorer.packages.reference import check_reference
from explorer.representations import Modality
from explorer.vision import Vision, load_backbone, load_vision, reference_outputs
from explorer.vision.backbone import build_backbone
from explorer.vision.features import BackboneFeatures
from explorer.vision.segmenter import Segmenter, SegmenterConfig, most_probable
from explorer.vision.stored import head_tensors

SHIPPED = Path(__file__).resolve().parents[2] / "models" / "vision-lite0"
SMALL = SegmenterConfig(n_classes=5, n_masks=3, channels=(8, 12, 16), semantic_width=8, middle_width=8)


@pytest.fixture(scope="module")
def vision() -> Vision:
    return load_vision(read_package(SHIPPED), device="cpu")


def photos(n: int, seed: int = 0) -> np.ndarray:
    """Coloured blocks: something to see, and different everywhere."""
    blocks = np.random.default_rng(seed).integers(0, 256, (n, 7, 7, 3), dtype=np.uint8)
    return blocks.repeat(32, axis=1).repeat(32, axis=2)


def small_features(n: int = 2) -> BackboneFeatures:
    generator = torch.Generator().manual_seed(1)
    sizes = ((8, 28), (12, 14), (16, 7))
    return BackboneFeatures(*(torch.randn(n, width, side, side, generator=generator) for width, side in sizes))


def test_head_gives_scores_presence_and_a_map() -> None:
    output = Segmenter(SMALL).eval()(small_features())
    assert output.scores.shape == (2, 5, 7, 7)
    assert output.presence.shape == (2, 5)
    assert output.map_logits is not None
    assert output.map_logits.shape == (2, 3, 28, 28)
    class_map, confidence = most_probable(output.map_logits)
    assert class_map.shape == confidence.shape == (2, 56, 56)


def test_scores_need_trunk_and_grid_only() -> None:
    segmenter = Segmenter(SMALL).eval()
    features = small_features()
    scores, presence = segmenter.score_cells(features.trunk, features.grid)
    other_stage = BackboneFeatures(features.stride8 * 9 - 3, features.trunk, features.grid)
    output = segmenter(other_stage)
    assert torch.equal(output.scores, scores)
    assert torch.equal(torch.sigmoid(output.presence), presence)
    assert segmenter(features, with_map=False).map_logits is None
    assert not torch.equal(segmenter(features).map_logits, output.map_logits)


def test_most_probable_is_a_softmax_and_its_largest() -> None:
    logits = torch.randn(1, 4, 1, 1).expand(1, 4, 6, 6)
    class_map, confidence = most_probable(logits)
    expected = torch.softmax(logits[0, :, 0, 0], dim=0)
    assert (class_map == expected.argmax()).all()
    torch.testing.assert_close(confidence, torch.full((1, 12, 12), float(expected.max())))


def test_shapes_and_ranges_of_the_shipped_package(vision: Vision) -> None:
    seen = vision(photos(3))
    assert len(vision.class_names) == 101
    assert vision.mask_names[0] == "background"
    assert len(vision.mask_names) == 21
    assert seen.trunk.shape == (3, 112, 14, 14)
    assert seen.grid.shape == (3, 1280, 7, 7)
    torch.testing.assert_close(seen.pooled, seen.grid.mean(dim=(2, 3)))
    assert seen.semantic_scores is not None
    assert seen.semantic_scores.shape == (3, 101, 7, 7)
    assert seen.presence is not None
    assert seen.presence.shape == (3, 101)
    assert seen.class_map is not None
    assert seen.class_map.dtype == torch.int64
    assert seen.class_map.shape == (3, 56, 56)
    assert seen.confidence is not None
    for probabilities in (seen.presence, seen.confidence):
        assert probabilities.dtype == torch.float32
        assert probabilities.min() >= 0
        assert probabilities.max() <= 1
    assert (seen.confidence >= 1 / 21 - 1e-6).all()


def test_cached_trunks_give_the_same_scores(vision: Vision) -> None:
    seen = vision(photos(2))
    scores, presence = vision.score_cells(seen.trunk, seen.grid)
    torch.testing.assert_close(scores, seen.semantic_scores, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(presence, seen.presence, atol=1e-4, rtol=1e-4)


def test_a_picture_is_seen_alike_alone_and_among_others(vision: Vision) -> None:
    squares = photos(9)
    together, alone = vision(squares), vision(squares[6:7])
    torch.testing.assert_close(together.grid[6:7], alone.grid, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(together.presence[6:7], alone.presence, atol=1e-4, rtol=1e-4)  # type: ignore[index]
    again = vision(squares)
    assert torch.equal(together.grid, again.grid)
    assert torch.equal(together.class_map, again.class_map)  # type: ignore[arg-type]


def test_no_pictures_give_empty_features(vision: Vision) -> None:
    seen = vision(photos(1)[:0])
    assert seen.grid.shape == (0, 1280, 7, 7)
    assert seen.presence is not None
    assert seen.presence.shape == (0, 101)


def test_segmenting_can_be_left_out(vision: Vision) -> None:
    seen = vision(photos(1), segment=False)
    assert seen.presence is None
    assert seen.class_map is None
    torch.testing.assert_close(seen.grid, vision(photos(1)).grid)


@pytest.mark.parametrize("value", [0, 127, 255])
def test_an_empty_picture_is_background(vision: Vision, value: int) -> None:
    class_map = vision(np.full((1, 224, 224, 3), value, np.uint8)).class_map
    assert class_map is not None
    assert (class_map == 0).all()


def test_the_map_lies_over_the_squashed_picture(vision: Vision, shared_data: Path) -> None:
    """A photo in the left half, grey in the right: what is found lies left; mirrored, it lies right."""
    from explorer.media.image import decode_image, squash

    path = shared_data / "coco" / "images" / "train2017" / "000000000071.jpg"
    train = squash(decode_image(path.read_bytes()).pixels, 224)
    square = np.full((1, 224, 224, 3), 127, np.uint8)
    square[0, :, :112] = train[:, ::2]
    found = vision(square).class_map
    mirrored = vision(np.ascontiguousarray(square[:, :, ::-1])).class_map
    assert found is not None
    assert mirrored is not None
    label = vision.mask_names.index("train")
    left, right = (found == label)[:, :, :28].sum(), (found == label)[:, :, 28:].sum()
    assert left > 100
    assert right < left / 10
    assert (mirrored == label)[:, :, 28:].sum() > 100


def test_presence_names_join_the_two_vocabularies(vision: Vision) -> None:
    presence = np.zeros(101)
    presence[0] = 0.9
    presence[vision.class_names.index("sofa")] = 0.7
    presence[vision.class_names.index("couch")] = 0.4
    presence[100] = 0.2
    named = vision.name_presence(presence)
    assert len(named) == 80
    assert named["couch"] == 0.7
    assert named["toothbrush"] == 0.2
    assert "background" not in named


def test_shipped_package_gives_its_reference_outputs() -> None:
    package = read_package(SHIPPED)
    verify_weights(package)
    assert package.reference is not None
    assert check_reference(package.reference, None, lambda squares: reference_outputs(package, squares)) == []
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) <= 8_000_000


def test_without_a_package_there_is_the_backbone_alone() -> None:
    vision = load_vision(None, device="cpu")
    seen = vision(photos(1))
    assert vision.class_names == ()
    assert seen.presence is None
    with pytest.raises(ValueError, match="without a segmenter"):
        vision.score_cells(seen.trunk, seen.grid)


def test_half_precision_in_the_file_changes_probabilities_by_less_than_a_thousandth(tmp_path: Path) -> None:
    backbone = load_backbone()
    torch.manual_seed(2)
    segmenter = Segmenter(SegmenterConfig(n_classes=5, n_masks=3, channels=backbone.channels)).eval()
    package = small_package(tmp_path / "p", segmenter)
    assert {tensor.dtype.name for tensor in load_tensors(package).values()} == {"float16", "float32"}
    full = Vision(backbone, segmenter, class_names=package.labels, device=torch.device("cpu"))
    stored, expected = load_vision(package, device="cpu")(photos(2)), full(photos(2))
    for part in ("presence", "confidence"):
        assert (getattr(stored, part) - getattr(expected, part)).abs().max() < 1e-3


def small_package(folder: Path, segmenter: Segmenter, **changes: object) -> ModelPackage:
    config = {"n_classes": 5, "n_masks": 3, "semantic_width": 160, "middle_width": 96}
    manifest = Manifest(
        family="vision", name="p", title="p", preprocess=Preprocess(side_px=224, mean=(0.5,) * 3, std=(0.5,) * 3),  # type: ignore[arg-type]
        output=Output(kind="features"), backbone=Part(name="tf_efficientnet_lite0", source="test"),
        modalities=(Modality.IMAGE,), config=config,
    )
    manifest = msgspec.structs.replace(manifest, **changes)
    labels = ("background", "a", "b", "c", "d")
    return write_package(folder, manifest, head_tensors(segmenter), card="", labels=labels)


@pytest.mark.parametrize(("changes", "sentence"), [
    ({"family": "pooled"}, "p is a model of the family pooled, not a vision package"),
    ({"config": {"n_classes": "many"}}, r"\[config\] of p does not describe a segmenter"),
    ({"config": {"n_classes": 6, "n_masks": 3}}, "p names 5 classes, but its segmenter has 6, 3 of them with masks"),
    ({"config": {"n_classes": 5, "n_masks": 3, "middle_width": 8}}, "has shape .*, expected"),
])
def test_a_package_that_does_not_fit_is_one_sentence(
    changes: dict[str, object], sentence: str, tmp_path: Path
) -> None:
    segmenter = Segmenter(SegmenterConfig(n_classes=5, n_masks=3, channels=(40, 112, 1280)))
    package = small_package(tmp_path / "p", segmenter, **changes)
    with pytest.raises(PackageError, match=sentence):
        load_vision(package, device="cpu")


def test_a_missing_tensor_is_one_sentence(tmp_path: Path) -> None:
    backbone = build_backbone("tf_efficientnet_lite0")
    segmenter = Segmenter(SegmenterConfig(n_classes=5, n_masks=3, channels=backbone.channels))
    package = small_package(tmp_path / "p", segmenter)
    tensors = head_tensors(segmenter)
    del tensors["map.to_logits.bias"]
    damaged = write_package(tmp_path / "p", package.manifest, tensors, card="", labels=package.labels)
    with pytest.raises(PackageError, match=r"1 missing \(map.to_logits.bias\)"):
        load_vision(damaged, device="cpu")
