"""Choosing a device, and what happens when its memory is full."""

import numpy as np
import pytest
import torch

from explorer.errors import DeviceError
from explorer.vision import device as devices
from explorer.vision.backbone import build_backbone
from explorer.vision.vision import Vision


def test_auto_takes_the_best_device_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert devices.choose_device("auto").type == "cpu"
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert devices.choose_device("auto").type == "mps"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert devices.choose_device("auto").type == "cuda"


@pytest.mark.parametrize(("name", "sentence"), [
    ("cuda", 'no NVIDIA graphics card that PyTorch can use in this computer. Choose "auto" or "cpu"'),
    ("mps", "no Apple graphics processor in this computer"),
    ("tpu", 'There is no device "tpu". Choose one of auto, cuda, mps, cpu'),
])
def test_missing_device_is_one_sentence(name: str, sentence: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(DeviceError, match=sentence):
        devices.choose_device(name)


def test_titles_are_for_people() -> None:
    assert devices.device_title(torch.device("cpu")) == "CPU"
    assert devices.device_title(torch.device("mps")) == "Apple GPU"
    assert any("CPU" in line for line in devices.describe_devices())


@pytest.mark.parametrize(("n_cores", "n_threads"), [(1, 1), (2, 1), (8, 7), (None, 1)])
def test_one_core_is_left_for_the_rest(n_cores: int | None, n_threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices.os, "cpu_count", lambda: n_cores)
    assert devices.n_threads() == n_threads


@pytest.mark.parametrize(("error", "full"), [
    (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"), True),
    (RuntimeError("MPS backend out of memory (MPS allocated: 8 GB)"), True),
    (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), True),
    (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"), True),
    (MemoryError(), True),
    (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
    (ValueError("out of memory"), False),
])
def test_full_memory_is_told_from_other_errors(error: BaseException, full: bool) -> None:
    assert devices.ran_out_of_memory(error) is full


def squares(n: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, 176, 176, 3), dtype=np.uint8)


class Accelerated(Vision):
    """Pretends that its first device is an accelerator whose memory is full."""

    def _place(self, device: torch.device) -> None:
        super()._place(torch.device("cpu"))
        self.device = device

    def _see(self, pixels: torch.Tensor, *, segment: bool, propose: bool):  # type: ignore[no-untyped-def]
        if self.device.type == "meta":
            raise torch.OutOfMemoryError("CUDA out of memory")
        return super()._see(pixels, segment=segment, propose=propose)


def test_full_accelerator_falls_back_to_the_cpu_with_a_sentence() -> None:
    backbone = build_backbone("resnet10t")
    vision = Accelerated(backbone, None, class_names=(), device=torch.device("meta"))
    assert vision.notice == ""
    seen = vision(squares(2))
    assert vision.device_title == "CPU"
    assert "ran out of memory; the model now runs on the CPU" in vision.notice
    expected = Vision(backbone, None, class_names=(), device=torch.device("cpu"))(squares(2))
    assert torch.equal(seen.grid, expected.grid)


def test_full_cpu_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    vision = Vision(build_backbone("resnet10t"), None, class_names=(), device=torch.device("cpu"))

    def full(*_: object) -> None:
        raise RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 1 bytes")

    monkeypatch.setattr(vision, "_see_slice", lambda *_, **__: full())
    with pytest.raises(DeviceError, match=r"not enough memory to run the model\. Close other programs"):
        vision(squares(1))


def test_a_bug_stays_a_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    vision = Vision(build_backbone("resnet10t"), None, class_names=(), device=torch.device("cpu"))

    def wrong(*_: object, **__: object) -> None:
        raise RuntimeError("shapes cannot be multiplied")

    monkeypatch.setattr(vision, "_see_slice", wrong)
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        vision(squares(1))
