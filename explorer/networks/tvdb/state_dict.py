"""What a TVDB package holds: names of its tensors, and what its ``[config]`` says about them.

``image.*`` and ``text.*`` are the two encoders, ``statistics.mean`` and ``statistics.scale`` standardise the regions'
features, ``vocabulary.json`` has the row of every word.
"""

from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import torch
from torch import Tensor

from explorer.errors import PackageError
from explorer.networks.common.loading import join_parts, load_strictly, packed, split_parts
from explorer.networks.common.words import is_vocabulary
from explorer.networks.tvdb.config import ImageEncoderConfig, TextEncoderConfig
from explorer.networks.tvdb.extractors import FeatureKind
from explorer.networks.tvdb.model import ImageEncoder, TextEncoder
from explorer.packages.package import ModelPackage, load_tensors, require_keys

_STATISTICS = ("mean", "scale")


class PackageConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[config]`` of a package.

    Attributes:
        image: fields of :class:`ImageEncoderConfig`.
        text: fields of :class:`TextEncoderConfig`.
        features: what gives regions their features.
        regions_sha256: hash of the region proposer whose regions the network was trained on.
        proposer: the torchvision detector whose regions it was trained on; empty for the vision package's own.
    """

    image: dict[str, Any]
    text: dict[str, Any]
    features: FeatureKind = "roi-align"
    regions_sha256: str = ""
    proposer: str = ""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a package carries, in memory.

    Attributes:
        image: from regions to activations.
        text: from rows of words to activations.
        statistics: mean and spread of the regions' features, float32 (F,) each.
        vocabulary: word to row.
        features: which extractor the features come from.
    """

    image: ImageEncoder
    text: TextEncoder
    statistics: tuple[Tensor, Tensor]
    vocabulary: dict[str, int]
    features: FeatureKind


def to_package(image: ImageEncoder, text: TextEncoder, statistics: tuple[Tensor, Tensor]) -> dict[str, np.ndarray]:
    """The tensors of a package."""
    kept = {name: value.cpu().float().numpy() for name, value in zip(_STATISTICS, statistics, strict=True)}
    return join_parts({"image": packed(image), "text": packed(text), "statistics": kept})


def read_parts(package: ModelPackage) -> Parts:
    """The inverse of :func:`to_package`, with what ``[config]`` and the vocabulary say.

    Raises
    ------
    PackageError
        settings, tensors or vocabulary are not as they should be.
    """
    try:
        config = msgspec.convert(package.manifest.config, PackageConfig)
        image = ImageEncoder(msgspec.convert(config.image, ImageEncoderConfig))
        text = TextEncoder(msgspec.convert(config.text, TextEncoderConfig))
    except (msgspec.ValidationError, ValueError) as error:
        raise PackageError(f"[config] of {package.name} does not describe a TVDB: {error}.") from error
    output = package.manifest.output
    if output.kind != "code" or {image.config.n_bits, text.config.n_bits} != {output.bits}:
        raise PackageError(
            f"{package.name} should give codes of {output.bits} bits, but its encoders give {image.config.n_bits} for "
            f"pictures and {text.config.n_bits} for sentences.",
            "Install the package again.",
        )
    tensors = split_parts(load_tensors(package))
    load_strictly(image, tensors.get("image", {}), package_name=package.name)
    load_strictly(text, tensors.get("text", {}), package_name=package.name)
    statistics = _statistics(package, tensors.get("statistics", {}), image.config.feature_dim)
    return Parts(image, text, statistics, _vocabulary(package, text.config.n_words), config.features)


def _statistics(package: ModelPackage, tensors: dict[str, np.ndarray], width: int) -> tuple[Tensor, Tensor]:
    require_keys(tensors, _STATISTICS)
    mean, scale = (torch.from_numpy(tensors[name]).float() for name in _STATISTICS)
    sound = mean.shape == scale.shape == (width,) and bool(mean.isfinite().all() and (scale > 0).all())
    if not sound:
        raise PackageError(
            f"The statistics of {package.name} are not those of {width} features: a mean and a positive spread each.",
            "The package is damaged; install it again.",
        )
    return mean, scale


def _vocabulary(package: ModelPackage, n_words: int) -> dict[str, int]:
    words = package.vocabulary
    if not is_vocabulary(words) or len(words) != n_words:
        raise PackageError(
            f"The vocabulary of {package.name} has {len(words)} words and is not that of its {n_words} word vectors.",
            "Install the package again.",
        )
    return words
