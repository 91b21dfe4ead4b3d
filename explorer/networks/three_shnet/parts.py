"""The networks that a 3SHNet package carries, and what its ``[config]`` says about them."""

from dataclasses import dataclass
from typing import Any, Literal

import msgspec
import torch

from explorer.errors import PackageError
from explorer.networks.common.loading import load_strictly
from explorer.networks.three_shnet.config import ImageEncoderConfig, TextEncoderConfig
from explorer.networks.three_shnet.eyes import Eyes, read_eyes
from explorer.networks.three_shnet.model import ImageEncoder, TextEncoder
from explorer.networks.three_shnet.state_dict import split_parts
from explorer.networks.three_shnet.tokens import TokenConfig
from explorer.packages.package import ModelPackage, load_tensors


class RegionConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[config.regions]``: fields of the same names of :class:`TokenConfig`."""

    positions: bool = True
    n_labels: int = 0
    whole: bool = True


class PackageConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[config]`` of a package.

    Attributes:
        image: fields of :class:`ImageEncoderConfig`.
        text: fields of :class:`TextEncoderConfig`.
        tokens: whether visual tokens are the cells of the grid or the regions that vision proposes.
        regions: what a region's token is made of beside features.
        trunk_cells: whether the trunk's finer cells are part of each visual token.
        tuned_tail: whether the package carries its own last backbone stages.
    """

    image: dict[str, Any]
    text: dict[str, Any]
    tokens: Literal["grid", "regions"] = "grid"
    regions: RegionConfig = RegionConfig()
    trunk_cells: bool = False
    tuned_tail: bool = False

    @property
    def token_config(self) -> TokenConfig:
        """What a visual token is made of."""
        regions = msgspec.structs.asdict(self.regions)
        return TokenConfig(kind=self.tokens, trunk_cells=self.trunk_cells, **regions)


@dataclass(frozen=True, slots=True)
class Parts:
    """The networks of one package, in memory."""

    eyes: Eyes
    image: ImageEncoder
    text: TextEncoder


def read_parts(package: ModelPackage, device: torch.device) -> Parts:
    """The networks that the package carries; :class:`~explorer.errors.PackageError` where it is not as it should be."""
    try:
        config = msgspec.convert(package.manifest.config, PackageConfig)
        image = ImageEncoder(msgspec.convert(config.image, ImageEncoderConfig))
        text = TextEncoder(msgspec.convert(config.text, TextEncoderConfig))
    except (msgspec.ValidationError, ValueError) as error:
        raise PackageError(f"[config] of {package.name} does not describe a 3SHNet: {error}.") from error
    tensors = split_parts(load_tensors(package))
    load_strictly(image, tensors.get("image", {}), package_name=package.name)
    load_strictly(text, tensors.get("text", {}), package_name=package.name)
    width, tuned = image.config.visual_dim, config.tuned_tail
    eyes = read_eyes(package, tensors, device, width=width, tuned=tuned, config=config.token_config)
    return Parts(eyes, image, text)
