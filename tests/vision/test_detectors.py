"""torchvision's detectors as region proposers, with random weights in a temporary cache."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision.models import get_model, get_model_weights

from explorer.datasets.coco_classes import COCO_THINGS
from explorer.errors import ConfigError, PackageError
from explorer.packages.reference import synthetic_picture
from explorer.vision import load_vision
from explorer.vision.detectors import DETECTOR_NAMES, Detector, load_proposer
from explorer.vision.hub import weights_path
from explorer.vision.regions import N_REGIONS

FAST, MASKS = DETECTOR_NAMES
CATEGORIES = get_model_weights(FAST).DEFAULT.meta["categories"]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "_hub_dir", None)  # else what another test chose
    return tmp_path / "hub" / "checkpoints"


def write_weights(name: str, *, lively: bool = True) -> None:
    """Random weights under the name that torch hub gives the real ones."""
    torch.manual_seed(0)
    network = get_model(name, weights=None, weights_backbone=None)
    if lively:
        with torch.no_grad():
            for key, tensor in network.state_dict().items():
                if "running_var" in key:
                    tensor.uniform_(0.5, 2.0)
                elif "cls_score.weight" in key:
                    tensor.normal_(0, 0.3)
    path = weights_path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    # As the published files are: a plain dictionary without counters of steps.
    torch.save({key: value for key, value in network.state_dict().items() if "num_batches" not in key}, path)


def pictures(n: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (60 + 20 * i, 100, 3), dtype=np.uint8) for i in range(n)]


def test_detections_become_regions(cache: Path) -> None:
    write_weights(FAST)
    detector = load_proposer(FAST, device="cpu")
    regions = detector(pictures(2))
    assert regions.boxes.shape == (2, N_REGIONS, 4)
    assert regions.boxes.min() >= 0
    assert regions.boxes.max() <= 1
    assert (regions.scores.diff(dim=1) <= 0).all()
    assert (regions.lengths > 1).all()
    assert (regions.labels.dtype, regions.lengths.dtype) == (torch.int64, torch.int64)
    assert detector.region_names == (*COCO_THINGS, "object")
    again = detector(pictures(2))
    assert torch.equal(again.boxes, regions.boxes)


def test_the_network_is_torchvisions_own(cache: Path) -> None:
    """Oracle: torchvision loading the same file from its cache, which freezes normalisations on the way."""
    write_weights(FAST)
    theirs = get_model(FAST, weights="DEFAULT", progress=False, box_score_thresh=0.01,
                       box_detections_per_img=N_REGIONS).eval()
    detector = load_proposer(FAST, device="cpu")
    ours = detector(pictures(1))
    with torch.inference_mode():
        found = theirs([torch.from_numpy(pictures(1)[0].transpose(2, 0, 1).copy()).float() / 255])[0]
    n = int(ours.lengths[0])
    assert n == len(found["scores"])
    torch.testing.assert_close(ours.scores[0, :n], found["scores"])
    torch.testing.assert_close(ours.boxes[0, :n] * torch.tensor([100.0, 60, 100, 60]), found["boxes"])
    names = [detector.region_names[i] for i in ours.labels[0, :n].tolist()]
    categories = [CATEGORIES[i] for i in found["labels"].tolist()]
    assert [a for a, b in zip(names, categories, strict=True) if b != "N/A"] == [b for b in categories if b != "N/A"]
    assert all(a == "object" for a, b in zip(names, categories, strict=True) if b == "N/A")


def test_without_detections_the_picture_is_the_region(cache: Path) -> None:
    write_weights(FAST)
    detector = load_proposer(FAST, device="cpu")
    detector.network.roi_heads.score_thresh = 2.0
    regions = detector(pictures(2))
    assert regions.lengths.tolist() == [1, 1]
    assert (regions.boxes == torch.tensor([0.0, 0.0, 1.0, 1.0])).all()
    assert (regions.scores == 0).all()
    assert (regions.labels == len(COCO_THINGS)).all()


def test_masks_are_left_out(cache: Path) -> None:
    write_weights(MASKS, lively=False)
    detector = load_proposer(MASKS, device="cpu")
    detector.network.transform.min_size, detector.network.transform.max_size = (64,), 64
    detector.network.roi_heads.score_thresh = 0.0
    regions = detector(pictures(1))
    assert regions.lengths[0] > 1
    assert not detector.network.roi_heads.has_mask()


@pytest.mark.parametrize("name", DETECTOR_NAMES)
def test_missing_weights_are_never_fetched_unasked(cache: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(torch.hub, "download_url_to_file", lambda *_, **__: pytest.fail("a download was started"))
    with pytest.raises(ConfigError, match=rf"{name} are not on this computer.*Allow the download"):
        load_proposer(name, device="cpu")


def test_an_allowed_download_goes_to_the_cache(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str]] = []

    def fetch(url: str, target: str, hash_prefix: str, progress: bool) -> None:
        asked.append((url.rsplit("/", 1)[-1], hash_prefix))
        write_weights(FAST)
        assert Path(target) == weights_path(FAST)

    monkeypatch.setattr(torch.hub, "download_url_to_file", fetch)
    assert isinstance(load_proposer(FAST, allow_download=True, device="cpu"), Detector)
    assert asked == [("fasterrcnn_mobilenet_v3_large_320_fpn-907ea3f9.pth", "907ea3f9")]


def test_a_failed_download_is_one_sentence(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(torch.hub, "download_url_to_file", refuse)
    with pytest.raises(ConfigError, match="cannot be fetched: no route to host"):
        load_proposer(FAST, allow_download=True, device="cpu")


def test_damaged_and_foreign_files_are_one_sentence(cache: Path) -> None:
    write_weights(FAST)
    path = weights_path(FAST)
    content = path.read_bytes()
    for damaged in (content[: len(content) // 2], b"", b"no weights", pickle.dumps([1, 2])):
        path.write_bytes(damaged)
        with pytest.raises(ConfigError, match="cannot be read"):
            load_proposer(FAST, device="cpu")
    torch.save({"a": torch.zeros(1)}, path)
    with pytest.raises(ConfigError, match="another network"):
        load_proposer(FAST, device="cpu")


def test_unknown_names_are_one_sentence() -> None:
    with pytest.raises(ConfigError, match=r'no region proposer "yolo".*Choose one of fasterrcnn'):
        load_proposer("yolo")


def test_wrong_pixels_are_refused(cache: Path) -> None:
    write_weights(FAST)
    with pytest.raises(ValueError, match="must be uint8"):
        load_proposer(FAST, device="cpu")([np.zeros((8, 8), np.uint8)])


def test_vision_takes_its_regions_from_a_detector(cache: Path) -> None:
    write_weights(FAST)
    vision = load_vision(None, device="cpu")
    with pytest.raises(PackageError, match="no region proposer"):
        vision(np.zeros((1, vision.side_px, vision.side_px, 3), np.uint8), propose=True)
    detector = load_proposer(FAST, device="cpu")
    vision.use_detector(detector)
    squares = np.stack([synthetic_picture(seed, vision.side_px) for seed in (1, 2)])
    seen = vision(squares, propose=True)
    assert seen.regions is not None
    assert torch.equal(seen.regions.boxes, detector(squares).boxes)
    assert vision.region_names == detector.region_names
    assert vision(squares).regions is None
    assert len(vision(squares[:0], propose=True).regions.boxes) == 0
