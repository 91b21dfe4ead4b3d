"""The fast form answers as the network it was made from."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from explorer.vision.backbone import build_backbone
from explorer.vision.features import BackboneFeatures
from explorer.vision.inference import PointwiseConvolution, fold_normalisations, inference_form
from explorer.vision.segmenter import Segmenter, SegmenterConfig

CPU = torch.device("cpu")


def unsettle(module: nn.Module) -> nn.Module:
    """Give every normalisation statistics and factors of its own; as built they change nothing."""
    generator = torch.Generator().manual_seed(3)
    for norm in module.modules():
        if isinstance(norm, nn.BatchNorm2d):
            for tensor in (norm.running_var, norm.weight.data):
                tensor.copy_(torch.rand(tensor.shape, generator=generator) + 0.5)
            for tensor in (norm.running_mean, norm.bias.data):
                tensor.copy_(torch.rand(tensor.shape, generator=generator) - 0.5)
    return module


@pytest.mark.parametrize(("name", "n_left"), [("tf_efficientnet_lite0", 0), ("resnet10t", 1)])
def test_fast_backbone_answers_as_the_eager_one(name: str, n_left: int) -> None:
    eager = unsettle(build_backbone(name))
    fast = inference_form(eager, CPU)
    side = eager.side_px
    squares = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (2, side, side, 3), dtype=np.uint8))
    with torch.inference_mode():
        expected, got = eager(squares), fast(squares)
    for part in ("stride8", "trunk", "grid"):
        a, b = getattr(expected, part).flatten(1), getattr(got, part).flatten(1)
        assert torch.nn.functional.cosine_similarity(a, b).min() > 0.9999
        assert a.std() > 0
    # The stem of resnet10t keeps its convolution in a sequence of its own.
    assert sum(isinstance(module, nn.BatchNorm2d) for module in fast.modules()) == n_left


def test_the_original_is_left_alone() -> None:
    eager = unsettle(nn.Sequential(nn.Conv2d(4, 4, 1, bias=False), nn.BatchNorm2d(4)))
    before = copy.deepcopy(eager.state_dict())
    inference_form(eager, CPU)
    assert before.keys() == eager.state_dict().keys()
    assert all(torch.equal(before[key], tensor) for key, tensor in eager.state_dict().items())


@pytest.mark.parametrize("bias", [False, True])
def test_folding_equals_convolution_then_normalisation(bias: bool) -> None:
    pair = unsettle(nn.Sequential(nn.Conv2d(3, 5, 3, stride=2, padding=1, bias=bias), nn.BatchNorm2d(5))).eval()
    x = torch.randn(2, 3, 9, 9)
    expected = pair(x)
    folded = copy.deepcopy(pair)
    fold_normalisations(folded)
    torch.testing.assert_close(folded(x), expected, atol=1e-5, rtol=1e-5)
    assert not isinstance(folded[1], nn.BatchNorm2d)


def test_a_matrix_product_is_a_pointwise_convolution() -> None:
    convolution = nn.Conv2d(6, 4, 1)
    x = torch.randn(2, 6, 5, 7).contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(PointwiseConvolution(convolution)(x), convolution(x), atol=1e-5, rtol=1e-5)


def test_only_plain_pointwise_convolutions_are_replaced() -> None:
    network = nn.Sequential(
        nn.Conv2d(4, 4, 1, stride=2), nn.Conv2d(4, 4, 1, groups=2), nn.Conv2d(4, 4, 3), nn.Conv2d(4, 4, 1)
    )
    fast = inference_form(network, CPU)
    assert [isinstance(module, PointwiseConvolution) for module in fast] == [False, False, False, True]


def test_fast_segmenter_answers_as_the_eager_one() -> None:
    config = SegmenterConfig(n_classes=5, n_masks=3, channels=(8, 12, 16), semantic_width=8, middle_width=8)
    segmenter = unsettle(Segmenter(config).eval())
    features = BackboneFeatures(torch.randn(2, 8, 28, 28), torch.randn(2, 12, 14, 14), torch.randn(2, 16, 7, 7))
    with torch.inference_mode():
        expected, got = segmenter(features), inference_form(segmenter, CPU)(features)
    for part in ("scores", "presence", "map_logits"):
        torch.testing.assert_close(getattr(got, part), getattr(expected, part), atol=1e-4, rtol=1e-3)
