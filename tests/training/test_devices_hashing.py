"""The families of codes on a device that is not the CPU: nothing is left behind, and what comes out is the CPU's."""

import copy
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from explorer.networks.tvdb.extractors import RoiAlign
from explorer.training.compute import Compute
from explorer.training.phases import seed_step
from explorer.training.picture_features import PictureSource
from explorer.training.tvdb import _Reader
from explorer.vision.features import Regions

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "helpers"))
from code_worlds import drawn_classes, dsmhn_phase, hashing_split, picture_split, scene_split, scenes_phase, tvdb_phase
from other_device import DEVICE, other_device

sys.path.pop(0)

PHOTOS, PICTURES = hashing_split(12, 4, 0), picture_split(12, 4, 0)
SCENES = scene_split(drawn_classes(8, 0), 2)
CASES = {
    "tvdb": lambda compute: tvdb_phase(
        (PHOTOS, PHOTOS), n_classes=4, compute=compute, batch_size=8, similarity="residual", decorrelation=0.5,
        normalised=True, averaging=0.5,
    ),
    "tvdb, pairwise": lambda compute: tvdb_phase(
        (PHOTOS, PHOTOS), n_classes=4, compute=compute, batch_size=8, objective="pairwise", sentences=2
    ),
    "dsmhn": lambda compute: dsmhn_phase(
        (PICTURES, PICTURES), n_classes=4, compute=compute, batch_size=8, averaging=0.5,
        loss="triplet = 0.3\ncontrastive = 0.3\nwithin = 0.5\nbalance = 0.2\nindependence = 0.2",
    ),
    "scenes": lambda compute: scenes_phase(
        (SCENES, SCENES), compute=compute, batch_size=4, balance=0.3, averaging=0.5
    ),
}


def _on_cpu(state):
    """What a file of this state is read as: ``map_location`` leaves nothing on another device."""
    if isinstance(state, dict):
        return {name: _on_cpu(value) for name, value in state.items()}
    if isinstance(state, list):
        return [_on_cpu(value) for value in state]
    return state.cpu() if isinstance(state, torch.Tensor) else state


def _trained(case, compute):
    """A step, kept, taken up again, and another step."""
    phase = CASES[case](compute)
    seed_step(0, 0, 0)
    losses = [phase.step(0, 0)]
    resumed = CASES[case](compute)
    resumed.restore(_on_cpu(phase.state()))
    seed_step(0, 0, 1)
    losses.append(resumed.step(0, 1))
    return resumed, losses


@pytest.mark.parametrize("case", CASES)
def test_every_tensor_is_on_the_device_and_the_losses_are_the_cpus(case):
    alone, expected = _trained(case, Compute())
    with other_device():
        phase, losses = _trained(case, Compute(device=DEVICE))
        tensors = [*phase.model.state_dict().values()]
        tensors += [value for slot in phase._optimizer.state.values() for name, value in slot.items() if name != "step"]
        assert {tensor.device for tensor in tensors} == {DEVICE}
        metrics, answers, shipped = phase.measure(), phase.answer_queries(3, 2), phase.finished_model().state_dict()
    for ours, theirs in zip(losses, expected, strict=True):
        assert ours == pytest.approx(theirs, rel=1e-3)
    assert metrics.keys() == alone.measure().keys()
    assert len(answers) == 3
    assert {tensor.device.type for tensor in shipped.values()} == {"cpu"}
    # Adam's steps are as long for small gradients as for large ones, so that rounding shows in single weights.
    for name, value in alone.finished_model().state_dict().items():
        assert float((shipped[name].float() - value.float()).abs().mean()) < 5e-3, name


@pytest.mark.parametrize("case", CASES)
def test_half_precision_stays_within_the_encoders(case):
    """Autocast, which only accelerators use, tried on the CPU."""
    half, whole = _trained(case, Compute(amp=torch.bfloat16)), _trained(case, Compute())
    assert half[1][0]["loss"] != whole[1][0]["loss"]
    assert half[1][0]["loss"] == pytest.approx(whole[1][0]["loss"], rel=0.1)
    assert {value.dtype for value in half[0].model.parameters()} == {torch.float32}


def _features(tail):
    """What both families of photos read of two of five photos, seen by a tail wherever it is."""
    generator = torch.Generator().manual_seed(0)
    boxes = torch.rand(5, 3, 4, generator=generator).sort(dim=2).values
    cached = SimpleNamespace(
        trunk=torch.randn(5, 4, 6, 6, generator=generator).half(),
        presence=torch.rand(5, 7, generator=generator).half(),
        regions=Regions(boxes, torch.rand(5, 3, generator=generator), torch.randint(0, 4, (5, 3), generator=generator),
                        torch.tensor([3, 2, 1, 3, 2])),
    )
    rows = torch.tensor([1, 4])
    vision = SimpleNamespace(backbone=SimpleNamespace(tail=tail), region_names=tuple("abcd"))
    parts = ("grid_mean", "grid_max", "trunk_mean", "presence", "detections")
    reader = _Reader(cached, tail, RoiAlign(6), [], None, 48)
    return PictureSource([None] * 5, None, cached, vision, parts).read(rows), reader(rows, boxes[rows])


def test_features_are_read_where_vision_is_and_cached_on_the_cpu():
    torch.manual_seed(0)
    tail = nn.Conv2d(4, 6, 3, stride=2, padding=1).eval()
    expected = _features(tail)
    with other_device():
        found = _features(copy.deepcopy(tail).to(DEVICE))
    for ours, theirs in zip(found, expected, strict=True):
        assert type(ours) is torch.Tensor
        assert ours.dtype == torch.float32
        torch.testing.assert_close(ours, theirs)
    assert expected[0].shape == (2, 6 + 6 + 4 + 7 + 4)
    assert expected[1].shape == (2, 3, 6)
